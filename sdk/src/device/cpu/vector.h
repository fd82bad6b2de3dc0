/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of f32 for kernels that are written by hand. Before each inclusion AVX2 is 1 or 0; a body
 * that is included after it twice uses Vector, LANES, LOAD, STORE, SPREAD, FMA, MAXIMUM, TRANSPOSE
 * and NAME, and becomes f_avx2 (to be called where cpu_has_avx2 says so) and f_portable, for
 * whatever vectors the compiler makes of four lanes. end-vector.h closes what this opens. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#undef LANES
#undef NAME
#undef Vector
#undef Integers
#undef FMA
#undef MAXIMUM
#undef TRANSPOSE
#undef LOAD
#undef STORE
#undef SPREAD

#if AVX2
#include <immintrin.h>
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define NAME(f) f##_avx2
#define LANES   8
typedef float Vector8 __attribute__((vector_size(32)));
typedef int32_t Integers8 __attribute__((vector_size(32)));
typedef float Unaligned8 __attribute__((vector_size(32), aligned(4), may_alias));
#define Vector        Vector8
#define Integers      Integers8
#define LOAD(p)       ((Vector) * (const Unaligned8 *)(p))
#define STORE(p, v)   (*(Unaligned8 *)(p) = (v))
#define SPREAD(x)     ((Vector)_mm256_set1_ps(x))
#define FMA(a, b, c)  ((Vector)_mm256_fmadd_ps(a, b, c))
#define MAXIMUM(a, b) ((Vector)_mm256_max_ps(a, b)) /* b where one is NaN */
#define TRANSPOSE     transpose_avx2

/* y [8, 8] := x [8, 8]' */
static inline void transpose_avx2(const float *x, int64_t ldx, float *y, int64_t ldy) {
  __m256 row[8], pair[8], four[8];
  for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(x + i * ldx);
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(y + i * ldy, _mm256_permute2f128_ps(four[i], four[i + 4], 0x20));
    _mm256_storeu_ps(y + (i + 4) * ldy, _mm256_permute2f128_ps(four[i], four[i + 4], 0x31));
  }
}
#else
#define NAME(f)       f##_portable
#define LANES         4
typedef float Vector4 __attribute__((vector_size(16)));
typedef int32_t Integers4 __attribute__((vector_size(16)));
typedef float Unaligned4 __attribute__((vector_size(16), aligned(4), may_alias));
#define Vector        Vector4
#define Integers      Integers4
#define LOAD(p)       ((Vector) * (const Unaligned4 *)(p))
#define STORE(p, v)   (*(Unaligned4 *)(p) = (v))
#define SPREAD(x)     ((Vector){(x), (x), (x), (x)})
#define FMA(a, b, c)  ((a) * (b) + (c))
#define MAXIMUM(a, b) larger_portable(a, b)
#define TRANSPOSE     transpose_portable

static inline Vector4 larger_portable(Vector4 a, Vector4 b) {
  Integers4 more = a > b;
  return (Vector4)(((Integers4)a & more) | ((Integers4)b & ~more));
}

static inline void transpose_portable(const float *x, int64_t ldx, float *y, int64_t ldy) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) y[j * ldy + i] = x[i * ldx + j];
}
#endif
