/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products, solves. Kernels of a device: see device.h for what holds for
 * all. */
#ifndef SDK_DEVICE_LINALG_H
#define SDK_DEVICE_LINALG_H

#include "device.h"

/* Where the numbers of a sparse matrix are: those of row r are starts[r] to starts[r + 1] - 1, in
 * `columns`; number e has the value order[e] (order NULL: e).                                    */
typedef struct {
  int64_t rows;
  const int64_t *starts, *columns, *order;
} AbPattern;

struct AbLinalgKernels {
  /* device.h's matmul for each place of a loop over the batch: [0] c, [1] a, [2] b. The places of c
   * do not overlap.                                                                             */
  void (*batched)(AbDtype dtype, const AbLoop *batch, bool ta, bool tb, int64_t m, int64_t n,
                  int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
                  void *c, int64_t ldc);
  /* y [rows, n] := s x, x [columns, n], all dense */
  void (*sparse)(AbDtype dtype, const AbPattern *s, int64_t n, const void *values, const void *x,
                 void *y);
  /* y[e] := a[row of e] . b[column of e], a [rows, n], b [columns, n]; s has no order */
  void (*sparse_dots)(AbDtype dtype, const AbPattern *s, int64_t n, const void *a, const void *b,
                      void *y);
  /* The lower triangle of each x [n, n] becomes its Cholesky factor, the upper one 0. pivot[i] is
   * the place of the first pivot of matrix i that is not above 0; -1 if there is none.           */
  void (*cholesky)(AbDtype dtype, int64_t batch, int64_t n, void *x, int64_t *pivot);
  /* x [n, k] := op(l)^-1 x for each matrix of the batch; the other triangle of l is not read */
  void (*solve)(AbDtype dtype, bool lower, bool transposed, int64_t batch, int64_t n, int64_t k,
                const void *l, void *x);
};

extern const AbLinalgKernels reference_linalg, cpu_linalg;

#endif
