/* SPDX-License-Identifier: Apache-2.0
 *
 * A recurrent layer as an operation: what its forward and its backward share. */
#ifndef SDK_OPS_RECURRENT_H
#define SDK_OPS_RECURRENT_H

#include "../device/recurrent.h"
#include "../internal.h"

/* Inputs of the operation; AB_NONE where absent. */
enum { IN_X, IN_W, IN_U, IN_B, IN_D, IN_P, IN_H0, IN_C0, INPUTS };

/* The result is [t + 1, n, H], the states in the places of device/recurrent.h; of an LSTM
 * [t + 2, n, H]: the last cells follow. x is [t n, in]. */
typedef struct {
  AbCellKind cell;
  int64_t steps, rows, units;
  bool reverse;
} Attributes; /* ints[0] to ints[4] */

/* Saved: gates, c (as in AbRecurrent; AB_NONE for none), lengths. */
enum { KEPT_GATES, KEPT_C, KEPT_LENGTHS };

void ab_recurrent_backward(AbTensor *y, AbTensor *g);
/* What the kernels get. `inputs` as above, U, b, d and p dense. */
AbRecurrent ab_recurrent_job(const Attributes *a, AbTensor *const *inputs, AbTensor *y,
                             AbTensor *gates, AbTensor *c, AbTensor *lengths, AbTensor *work);
/* Scratch for the kernels; NULL after an error. */
AbTensor *ab_recurrent_work(AbContext *ctx, AbDtype dtype, const Attributes *a);

/* x [t, n, k] with zeros beyond the lengths, whatever was there. */
AbTensor *ab_mask_steps(AbTensor *x, AbTensor *lengths);

#endif
