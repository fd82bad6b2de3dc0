/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of small matrices of f32 on the calling thread: what a library spends on preparing a
 * call, and on panels of a size that these do not have, is saved. */
#ifndef SDK_DEVICE_CPU_PRODUCT_H
#define SDK_DEVICE_CPU_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

bool cpu_has_avx2(void); /* and FMA */

/* c [m, n] := op(a) op(b), or that added to c; row-major with leading dimensions. */
void cpu_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                 const float *b, int64_t ldb, bool add, float *c, int64_t ldc);

#endif
