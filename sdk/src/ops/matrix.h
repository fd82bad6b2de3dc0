/* SPDX-License-Identifier: Apache-2.0
 *
 * The last two axes of a tensor as a matrix of BLAS. */
#ifndef SDK_OPS_MATRIX_H
#define SDK_OPS_MATRIX_H

#include "../internal.h"

/* Row-major, possibly transposed, with a leading dimension. */
typedef struct {
  bool transposed;
  int64_t ld;
} AbLayout;

/* False if BLAS cannot read it so. */
bool ab_layout(const AbTensor *x, AbLayout *layout);
/* The product of tensors with batch axes, which are checked here; recorded. */
AbTensor *ab_batched_matmul(AbTensor *a, AbTensor *b);
/* The error of operands that do not fit; NULL. */
AbTensor *ab_matmul_misfit(const AbTensor *a, const AbTensor *b);

/* Rows of the table, of an index that is dense and checked; recorded. */
AbTensor *ab_embedding_rows(AbTensor *table, AbTensor *index, int64_t padding);

#endif
