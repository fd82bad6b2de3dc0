/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products; solves by OpenBLAS. */
#include "../linalg.h"
#include "cpu.h"
#include "product.h"
#include <cblas.h>
#include <limits.h>
#include <omp.h>

/* ---- batched products ------------------------------------------------------------------------ */

/* Multiply-adds of one product up to which it is left to one thread: then there are enough for all
 * threads, and cpu_product is as fast as a library. */
static bool is_small(int64_t count, int64_t m, int64_t n, int64_t k) {
  double work = (double)m * (double)n * (double)k;
  return count >= 16 ? work <= 1 << 26 : count > 1 && work <= 1 << 20;
}

typedef struct {
  bool ta, tb, add;
  int64_t m, n, k, lda, ldb, ldc;
} Product;

static int64_t places(const AbLoop *batch) {
  int64_t count = 1;
  for (int32_t i = 0; i < batch->rank; i++) count *= batch->shape[i];
  return count;
}

/* Where operand `which` is at a place of the batch. */
static int64_t offset(const AbLoop *batch, int which, int64_t place) {
  int64_t at = 0;
  for (int32_t i = batch->rank - 1; i >= 0; i--) {
    at += place % batch->shape[i] * batch->stride[which][i];
    place /= batch->shape[i];
  }
  return at;
}

static void many_small(const AbLoop *batch, const Product *p, const float *a, const float *b,
                       float *c) {
  int64_t count = places(batch), work = count * p->m * p->n * p->k;
#pragma omp parallel for schedule(static) if (work > 1 << 18)
  for (int64_t i = 0; i < count; i++)
    cpu_product(p->ta, p->tb, p->m, p->n, p->k, a + offset(batch, 1, i), p->lda,
                b + offset(batch, 2, i), p->ldb, p->add, c + offset(batch, 0, i), p->ldc);
}

static void batched(AbDtype dtype, const AbLoop *batch, bool ta, bool tb, int64_t m, int64_t n,
                    int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
                    void *c, int64_t ldc) {
  if (dtype == AB_F32 && is_small(places(batch), m, n, k)) {
    Product p = {ta, tb, beta != 0, m, n, k, lda, ldb, ldc};
    many_small(batch, &p, a, b, c);
    return;
  }
  int64_t size = (int64_t)ab_dtype_size(dtype);
  for (int64_t i = 0; i < places(batch); i++)
    cpu_matmul(dtype, ta, tb, m, n, k, (const char *)a + size * offset(batch, 1, i), lda,
               (const char *)b + size * offset(batch, 2, i), ldb, beta,
               (char *)c + size * offset(batch, 0, i), ldc);
}

/* ---- sparse ---------------------------------------------------------------------------------- */

CLONES static void add_scaled(int64_t n, float *restrict y, const float *restrict x, float factor) {
  for (int64_t j = 0; j < n; j++) y[j] += factor * x[j];
}

static void sparse_row(const AbPattern *s, int64_t r, int64_t n, const float *values,
                       const float *x, float *y) {
  for (int64_t j = 0; j < n; j++) y[j] = 0;
  for (int64_t e = s->starts[r]; e < s->starts[r + 1]; e++)
    add_scaled(n, y, x + s->columns[e] * n, values[s->order ? s->order[e] : e]);
}

static void sparse(AbDtype dtype, const AbPattern *s, int64_t n, const void *values, const void *x,
                   void *y) {
  if (dtype != AB_F32) {
    reference_linalg.sparse(dtype, s, n, values, x, y);
    return;
  }
  int64_t work = (s->starts[s->rows] + s->rows) * n;
#pragma omp parallel for schedule(dynamic, 64) if (work > 32768)
  for (int64_t r = 0; r < s->rows; r++) sparse_row(s, r, n, values, x, (float *)y + r * n);
}

#define DOT_LANES 16
CLONES static float dot(int64_t n, const float *a, const float *b) {
  float lane[DOT_LANES] = {0}, sum = 0;
  int64_t j = 0;
  for (; j + DOT_LANES <= n; j += DOT_LANES)
    for (int i = 0; i < DOT_LANES; i++) lane[i] += a[j + i] * b[j + i];
  for (; j < n; j++) sum += a[j] * b[j];
  for (int i = 0; i < DOT_LANES; i++) sum += lane[i];
  return sum;
}

static void sparse_dots(AbDtype dtype, const AbPattern *s, int64_t n, const void *a, const void *b,
                        void *y) {
  if (dtype != AB_F32) {
    reference_linalg.sparse_dots(dtype, s, n, a, b, y);
    return;
  }
  int64_t work = s->starts[s->rows] * n;
#pragma omp parallel for schedule(dynamic, 64) if (work > 32768)
  for (int64_t r = 0; r < s->rows; r++)
    for (int64_t e = s->starts[r]; e < s->starts[r + 1]; e++)
      ((float *)y)[e] = dot(n, (const float *)a + r * n, (const float *)b + s->columns[e] * n);
}

/* ---- solves --------------------------------------------------------------------------------- */

/* LAPACK, which OpenBLAS holds: columns first, so that our lower triangle is its upper one. */
void spotrf_(const char *triangle, const blasint *n, float *x, const blasint *ld, blasint *info);
void dpotrf_(const char *triangle, const blasint *n, double *x, const blasint *ld, blasint *info);

/* Whether OpenBLAS finds a NaN among the pivots depends on its version, so they are looked at. */
static int64_t factor(AbDtype dtype, int64_t n, void *x) {
  blasint size = (blasint)n, ld = size > 0 ? size : 1, info = 0;
  if (dtype == AB_F32)
    spotrf_("U", &size, x, &ld, &info);
  else
    dpotrf_("U", &size, x, &ld, &info);
  if (info > 0) return info - 1;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = i * n + i;
    if (!(dtype == AB_F32 ? ((float *)x)[at] > 0 : ((double *)x)[at] > 0)) return i;
  }
  return -1;
}

static void clear_upper(AbDtype dtype, int64_t n, char *x) {
  int64_t size = (int64_t)ab_dtype_size(dtype);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = (i * n + i + 1) * size; j < (i + 1) * n * size; j++) x[j] = 0;
}

/* A matrix per thread, and OpenBLAS on that thread alone: its own threads would change the bits. */
static void cholesky(AbDtype dtype, int64_t batch, int64_t n, void *x, int64_t *pivot) {
  if (n > INT_MAX) {
    reference_linalg.cholesky(dtype, batch, n, x, pivot);
    return;
  }
  int64_t bytes = n * n * (int64_t)ab_dtype_size(dtype);
  int threads = omp_get_max_threads();
  bool share = batch > 1 && batch * n * n * n > 1 << 18;
  if (!share) omp_set_num_threads(1);
#pragma omp parallel for schedule(static) if (share)
  for (int64_t i = 0; i < batch; i++) {
    pivot[i] = factor(dtype, n, (char *)x + i * bytes);
    clear_upper(dtype, n, (char *)x + i * bytes);
  }
  omp_set_num_threads(threads);
}

static void solve(AbDtype dtype, bool lower, bool transposed, int64_t batch, int64_t n, int64_t k,
                  const void *l, void *x) {
  if (n == 0 || k == 0) return;
  if (n > INT_MAX || k > INT_MAX) {
    reference_linalg.solve(dtype, lower, transposed, batch, n, k, l, x);
    return;
  }
  int64_t size = (int64_t)ab_dtype_size(dtype);
  CBLAS_UPLO triangle = lower ? CblasLower : CblasUpper;
  CBLAS_TRANSPOSE op = transposed ? CblasTrans : CblasNoTrans;
  int threads = omp_get_max_threads();
  bool share = batch > 1 && batch * n * n * k > 1 << 18;
  if (!share) omp_set_num_threads(1);
#pragma omp parallel for schedule(static) if (share)
  for (int64_t i = 0; i < batch; i++) {
    const char *from = (const char *)l + i * n * n * size;
    char *to = (char *)x + i * n * k * size;
    if (dtype == AB_F32)
      cblas_strsm(CblasRowMajor, CblasLeft, triangle, op, CblasNonUnit, (blasint)n, (blasint)k, 1,
                  (const float *)(const void *)from, (blasint)n, (float *)(void *)to, (blasint)k);
    else
      cblas_dtrsm(CblasRowMajor, CblasLeft, triangle, op, CblasNonUnit, (blasint)n, (blasint)k, 1,
                  (const double *)(const void *)from, (blasint)n, (double *)(void *)to, (blasint)k);
  }
  omp_set_num_threads(threads);
}

const AbLinalgKernels cpu_linalg = {
    .batched = batched,
    .sparse = sparse,
    .sparse_dots = sparse_dots,
    .cholesky = cholesky,
    .solve = solve,
};
