/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: oneDNN for f32, OpenBLAS for f64 and where oneDNN declines. Of the shapes that
 * were measured OpenBLAS's sgemm was faster in some runs on one, and slower on all others; a rule
 * that took it there changed nothing in a whole step: see docs/performance.md. */
#include "cpu.h"
#include <cblas.h>
#include <dnnl.h>
#include <limits.h>
#include <omp.h>

/* Below that many multiply-adds a second thread gains at most a few microseconds, and costs
 * milliseconds where another program has its core: both threads must arrive before either goes on.
 */
#define SMALL (1 << 20)

static bool fits(int64_t size, int64_t ld) {
  return size <= INT_MAX && ld <= INT_MAX;
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
  if (dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, (float)beta, c, ldc) ==
      dnnl_success)
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
