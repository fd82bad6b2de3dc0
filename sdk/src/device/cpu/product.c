/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of small matrices: see product.h and product-body.h. */
#include "product.h"

#define AVX2 0
#include "vector.h"

#include "product-body.h"

#include "end-vector.h"

#ifdef __x86_64__
#define AVX2 1
#include "vector.h"

#include "product-body.h"

#include "end-vector.h"

bool cpu_has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
bool cpu_has_avx2(void) {
  return false;
}
#endif

static void clear(int64_t m, int64_t n, float *c, int64_t ldc) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) c[i * ldc + j] = 0;
}

void cpu_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                 const float *b, int64_t ldb, bool add, float *c, int64_t ldc) {
  if (k == 0 && !add) clear(m, n, c, ldc);
#ifdef __x86_64__
  if (cpu_has_avx2()) {
    product_avx2(ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc);
    return;
  }
#endif
  product_portable(ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc);
}
