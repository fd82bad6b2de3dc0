/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: oneDNN for f32, OpenBLAS for f64, where oneDNN declines, and for transposed
 * left operands whose rows lie a multiple of 1 kB apart: oneDNN copies those column by column, and
 * the columns meet in the same sets of the cache (1024 x 256 x 2048: 75 against 142 Gflop/s). Of
 * the other shapes that were measured OpenBLAS was faster in some runs on a few, and slower on
 * most; docs/performance.md has them. */
#include "cpu.h"
#include <cblas.h>
#include <dnnl.h>
#include <limits.h>
#include <omp.h>

/* Below that many multiply-adds a second thread gains at most a few microseconds, and costs
 * milliseconds where another program has its core: both threads must arrive before either goes on.
 */
#define SMALL (1 << 20)
/* Multiply-adds from which it pays to change the library for a product. */
#define LARGE (1 << 26)

static bool fits(int64_t size, int64_t ld) {
  return size <= INT_MAX && ld <= INT_MAX;
}

static bool collides(bool ta, int64_t lda, int64_t m, int64_t n, int64_t k) {
  return ta && lda % 256 == 0 && m * n >= LARGE / k;
}

static void multiply(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                     const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                     int64_t ldc) {
  if (!fits(m, lda) || !fits(n, ldb) || !fits(k, ldc)) { /* the integers of BLAS */
    ab_device_reference.matmul(dtype, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  CBLAS_TRANSPOSE op_a = ta ? CblasTrans : CblasNoTrans, op_b = tb ? CblasTrans : CblasNoTrans;
  if (dtype == AB_F64) {
    cblas_dgemm(CblasRowMajor, op_a, op_b, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda,
                b, (blasint)ldb, beta, c, (blasint)ldc);
    return;
  }
  if (!collides(ta, lda, m, n, k) && dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, lda,
                                                b, ldb, (float)beta, c, ldc) == dnnl_success)
    return;
  cblas_sgemm(CblasRowMajor, op_a, op_b, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda, b,
              (blasint)ldb, (float)beta, c, (blasint)ldc);
}

void cpu_matmul(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc) {
  int threads = omp_get_max_threads();
  bool small = threads > 1 && m * n < SMALL && m * n * k < SMALL;
  if (small) omp_set_num_threads(1);
  multiply(dtype, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
  if (small) omp_set_num_threads(threads);
}
