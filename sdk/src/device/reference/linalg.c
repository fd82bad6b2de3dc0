/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products, solves. */
#include "../linalg.h"
#include <math.h>

#define LOOPS "linalg-real.h"
#include "both-types.h"

/* One axis of the batch after the other. */
static void batched_from(AbDtype dtype, const AbLoop *batch, int32_t axis, bool ta, bool tb,
                         int64_t m, int64_t n, int64_t k, const char *a, int64_t lda, const char *b,
                         int64_t ldb, double beta, char *c, int64_t ldc) {
  if (axis == batch->rank) {
    ab_device_reference.matmul(dtype, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  int64_t size = (int64_t)ab_dtype_size(dtype);
  for (int64_t i = 0; i < batch->shape[axis]; i++)
    batched_from(dtype, batch, axis + 1, ta, tb, m, n, k, a + i * batch->stride[1][axis] * size,
                 lda, b + i * batch->stride[2][axis] * size, ldb, beta,
                 c + i * batch->stride[0][axis] * size, ldc);
}

static void batched(AbDtype dtype, const AbLoop *batch, bool ta, bool tb, int64_t m, int64_t n,
                    int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
                    void *c, int64_t ldc) {
  batched_from(dtype, batch, 0, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

static void sparse(AbDtype dtype, const AbPattern *s, int64_t n, const void *values, const void *x,
                   void *y) {
  BY_TYPE(sparse, s, n, values, x, y);
}

static void sparse_dots(AbDtype dtype, const AbPattern *s, int64_t n, const void *a, const void *b,
                        void *y) {
  BY_TYPE(sparse_dots, s, n, a, b, y);
}

static void cholesky(AbDtype dtype, int64_t batch, int64_t n, void *x, int64_t *pivot) {
  BY_TYPE(cholesky, batch, n, x, pivot);
}

static void solve(AbDtype dtype, bool lower, bool transposed, int64_t batch, int64_t n, int64_t k,
                  const void *l, void *x) {
  BY_TYPE(solve, lower, transposed, batch, n, k, l, x);
}

const AbLinalgKernels reference_linalg = {
    .batched = batched,
    .sparse = sparse,
    .sparse_dots = sparse_dots,
    .cholesky = cholesky,
    .solve = solve,
};
