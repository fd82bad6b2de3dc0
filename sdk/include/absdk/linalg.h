/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of matrices, and what is built on them. Where a NaN goes in, NaN comes out. */
#ifndef ABSDK_LINALG_H
#define ABSDK_LINALG_H

#include "elements.h"

AB_BEGIN_DECLS

/* ---- products ------------------------------------------------------------------------------- */
/* [..., m, k] x [..., k, n] -> [..., m, n]; the batch axes in front broadcast. A vector [k] on the
 * left counts as [1, k], on the right as [k, 1], and the axis of 1 is left out of the result.
 * Transposed views, and axes of the batch in any order, cost nothing as long as the last or the
 * last but one axis is dense; else there is a copy. On the cpu device large f32 products are those
 * of a library: the same bits on any number of threads only where it gives them.                */
AB_EXPORT AbTensor *ab_matmul(AbTensor *a, AbTensor *b);
/* activation(x W + b): x [..., in], W [in, out], b [out] or AB_NONE -> [..., out] */
AB_EXPORT AbTensor *ab_linear(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation activation);
/* a [..., m], b [..., n] -> [..., m, n]; what is in front broadcasts. */
AB_EXPORT AbTensor *ab_outer(AbTensor *a, AbTensor *b);
/* y_no = sum_ij x1_ni W_oij x2_nj + b_o: x1 [n, i], W [o, i, j], x2 [n, j], b [o] or AB_NONE
 * -> [n, o] */
AB_EXPORT AbTensor *ab_bilinear(AbTensor *x1, AbTensor *W, AbTensor *x2, AbTensor *b);
/* [..., m, n] -> [..., min(m, n)], a view. */
AB_EXPORT AbTensor *ab_diagonal(AbTensor *x);
AB_EXPORT AbTensor *ab_trace(AbTensor *x); /* the sum of it: [..., m, n] -> [...] */

/* ---- sparse matrices ------------------------------------------------------------------------ */
/* A matrix most of whose numbers are 0, kept by rows (CSR). Reference counted; it belongs to a
 * context and must be let go before that is freed. */
typedef struct AbSparse AbSparse;

/* Copies its arrays: the numbers of row r are starts[r] to starts[r + 1] - 1, number e is in column
 * columns[e]. starts has rows + 1 entries, begins with 0 and never falls; columns within a row may
 * be in any order, and twice the same adds up. Anything else is an error that names the row.
 * values [starts[rows]] is kept as it is (not copied), so it can be a weight; AB_NONE: all 1, in
 * the context's real type. NULL after an error. */
AB_EXPORT AbSparse *ab_sparse_new(AbContext *ctx, int64_t rows, int64_t cols, const int64_t *starts,
                                  const int64_t *columns, AbTensor *values);
AB_EXPORT AbSparse *ab_sparse_ref(AbSparse *s);
AB_EXPORT void ab_sparse_unref(AbSparse *s);             /* NULL is ignored */
AB_EXPORT AbShape ab_sparse_shape(const AbSparse *s);    /* [rows, cols] */
AB_EXPORT AbTensor *ab_sparse_values(const AbSparse *s); /* borrowed */
/* s [rows, cols], x [cols, n] -> [rows, n]. Gradients to x and to the values, which must have one
 * type. The same bits on any number of threads, backward too. s may be let go before the backward
 * pass. */
AB_EXPORT AbTensor *ab_sparse_matmul(AbSparse *s, AbTensor *x);
/* The same with other values in the same places: those that an operation computes. */
AB_EXPORT AbTensor *ab_sparse_matmul_values(AbSparse *s, AbTensor *values, AbTensor *x);

/* ---- triangles ------------------------------------------------------------------------------ */
/* The lower triangular L with L L' = A and a positive diagonal, for each symmetric positive
 * definite A of [..., n, n]. Only the lower triangle of A is read; the gradient is that of a
 * symmetric A, and symmetric itself (Murray, "Differentiation of the Cholesky decomposition",
 * 2016). A pivot that is not above 0 is an error that names the matrix and the pivot. */
AB_EXPORT AbTensor *ab_cholesky(AbTensor *A);
/* X with op(L) X = B, op the transpose if `transposed`: L [..., n, n], B [..., n, k]; batch axes
 * broadcast. The triangle that `lower` does not name is not read and has the gradient 0. A 0 on the
 * diagonal gives infinities and NaN. */
AB_EXPORT AbTensor *ab_triangular_solve(AbTensor *L, AbTensor *B, bool lower, bool transposed);
/* X with L L' X = B: A's inverse times B, for L = ab_cholesky(A). */
AB_EXPORT AbTensor *ab_cholesky_solve(AbTensor *L, AbTensor *B);

/* ---- energies ------------------------------------------------------------------------------- */
/* mean_n v W h' - mean_m vk W hk', a scalar: the energy that W gives to what is drawn less that of
 * what is given, whose gradient by W is the statistic of contrastive divergence (Hinton 2002). W
 * [v, h], v [n, v], h [n, h], vk [m, v], hk [m, h], all of one real type; a gradient goes to W
 * only. */
AB_EXPORT AbTensor *ab_contrast(AbTensor *W, AbTensor *v, AbTensor *h, AbTensor *vk, AbTensor *hk);

AB_END_DECLS

#endif
