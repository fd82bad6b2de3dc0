/* SPDX-License-Identifier: Apache-2.0
 *
 * recurrent-product.h for the level of the machine. */
#include "recurrent-product.h"
#include "product.h"

#define AVX2 0
#include "vector.h"

#include "recurrent-product-body.h"

#include "end-vector.h"

#ifdef __x86_64__
#define AVX2 1
#include "vector.h"

#include "recurrent-product-body.h"

#include "end-vector.h"
#define CHOOSE(f, ...) (cpu_has_avx2() ? f##_avx2(__VA_ARGS__) : f##_portable(__VA_ARGS__))
#else
#define CHOOSE(f, ...) f##_portable(__VA_ARGS__)
#endif

int64_t recurrent_lanes(void) {
  return cpu_has_avx2() ? 8 : 4;
}

void recurrent_pack(const Packed *m, int64_t from, int64_t to) {
  CHOOSE(pack_panels, m, from, to);
}

void recurrent_multiply(const Packed *m, const PackedProduct *p, int64_t from, int64_t to) {
  CHOOSE(multiply, m, p, from, to);
}
