/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and its relatives, and cumulative sums: along one axis, wherever it lies in memory.
 *
 *   softmax      y_i = exp(x_i) / sum_j exp(x_j);      dL/dx = y (g - sum(g y))
 *   log_softmax  y_i = x_i - log sum_j exp(x_j);       dL/dx = g - exp(y) sum(g)
 *   logsumexp    y = log sum_j exp(x_j);               dL/dx = g exp(x - y)                     */
#include "along.h"

static bool along(const char *operation, AbTensor *x, int32_t *axis) {
  if (!ab_is_real(x, operation) || !ab_axis(operation, x, axis)) return false;
  if (x->shape[*axis] > 0) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s wants an axis with something on it, not axis %d of %s", operation,
           *axis, ab_tensor_text(x, text, sizeof text));
  return false;
}

/* ---- softmax --------------------------------------------------------------------------------- */

static void gradient_by_kernel(AbTensor *y, AbTensor *g, bool log) {
  AbExtent extent;
  AbTensor *x = ab_together(y, 1u << y->ints[0], &extent);
  AbTensor *dx = ab_tensor_like(y, y->dtype, false);
  if (!x || !dx || !(g = ab_ordered_as(g, dx))) return;
  if (ab_tensor_count(y) > 0)
    y->ctx->device->reductions->softmax_grad(y->dtype, log, extent, ab_data_of(dx), ab_data_of(g),
                                             ab_data_of(x));
  ab_accumulate(y, 0, dx);
}

static void softmax_backward(AbTensor *y, AbTensor *g) {
  if (!y->ctx->differentiable) {
    gradient_by_kernel(y, g, false);
    return;
  }
  AbTensor *dot = ab_sum_axes(ab_mul(g, y), 1u << y->ints[0], true);
  ab_accumulate(y, 0, ab_mul(y, ab_sub(g, dot)));
}
static const AbOp softmax_op = {"softmax", softmax_backward};

static void log_softmax_backward(AbTensor *y, AbTensor *g) {
  if (!y->ctx->differentiable) {
    gradient_by_kernel(y, g, true);
    return;
  }
  AbTensor *sum = ab_sum_axes(g, 1u << y->ints[0], true);
  ab_accumulate(y, 0, ab_sub(g, ab_mul(ab_exp(y), sum)));
}
static const AbOp log_softmax_op = {"log_softmax", log_softmax_backward};

static AbTensor *softmax(const AbOp *op, AbTensor *x, int32_t axis) {
  if (!along(op->name, x, &axis)) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbExtent extent;
    AbTensor *packed = ab_together(x, 1u << axis, &extent);
    if (!packed) return NULL;
    x->ctx->device->reductions->softmax(x->dtype, op == &log_softmax_op, extent, ab_data_of(y),
                                        ab_data_of(packed));
  }
  y->ints[0] = axis;
  return ab_record(y, op, &x, 1);
}

AbTensor *ab_softmax_axis(AbTensor *x, int32_t axis) {
  return softmax(&softmax_op, x, axis);
}

AbTensor *ab_log_softmax_axis(AbTensor *x, int32_t axis) {
  return softmax(&log_softmax_op, x, axis);
}

AbTensor *ab_softmax(AbTensor *x) {
  return softmax(&softmax_op, x, -1);
}

AbTensor *ab_log_softmax(AbTensor *x) {
  return softmax(&log_softmax_op, x, -1);
}

/* ---- logsumexp ------------------------------------------------------------------------------- */

static void logsumexp_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  AbTensor *x = y->inputs[0], *kept = y, *wide = g;
  if (!y->ints[1]) {
    kept = ab_unsqueeze(y, axis);
    wide = ab_unsqueeze(g, axis);
  }
  ab_accumulate(y, 0, ab_mul(ab_exp(ab_sub(x, kept)), wide));
}
static const AbOp logsumexp_op = {"logsumexp", logsumexp_backward};

AbTensor *ab_logsumexp(AbTensor *x, int32_t axis, bool keep) {
  if (!along("logsumexp", x, &axis)) return NULL;
  AbTensor *y = ab_reduced_new(x, x->dtype, 1u << axis, keep);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(y) > 0) {
    AbExtent extent;
    AbTensor *packed = ab_together(x, 1u << axis, &extent);
    if (!packed) return NULL;
    x->ctx->device->reductions->log_sum_exp(x->dtype, extent, ab_data_of(y), ab_data_of(packed));
  }
  y->ints[0] = axis;
  y->ints[1] = keep;
  return ab_record(y, &logsumexp_op, &x, 1);
}

/* ---- cumulative sums: the gradient is one from the other end -------------------------------- */

static void cumulative_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_cumulative_sum(g, (int32_t)y->ints[0], !y->ints[1]));
}
static const AbOp cumulative_op = {"cumulative_sum", cumulative_backward};

AbTensor *ab_cumulative_sum(AbTensor *x, int32_t axis, bool reverse) {
  if (!ab_is_real(x, "cumulative_sum") || !ab_axis("cumulative_sum", x, &axis)) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbExtent extent;
    AbTensor *packed = ab_together(x, 1u << axis, &extent);
    if (!packed) return NULL;
    x->ctx->device->reductions->cumulative_sum(x->dtype, reverse, extent, ab_data_of(y),
                                               ab_data_of(packed));
  }
  y->ints[0] = axis;
  y->ints[1] = reverse;
  return ab_record(y, &cumulative_op, &x, 1);
}
