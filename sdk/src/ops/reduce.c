/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions and the softmax family. */
#include "../internal.h"
#include <string.h>

/* ---- sums ------------------------------------------------------------------------------------ */

static void sum_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  AbShape kept = ab_shape(x); /* g with the summed axes as 1, then stretched */
  for (int32_t i = 0; i < x->rank; i++)
    if (y->ints[0] >> i & 1) kept.dims[i] = 1;
  AbTensor *wide = ab_broadcast_to(ab_reshape(g, kept), ab_shape(x));
  ab_accumulate(y, 0, ab_dense(wide));
}
static const AbOp sum_op = {"sum", sum_backward};

/* x with the axes of the mask moved to the end, dense; how many elements they hold. */
static AbTensor *gather_axes(AbTensor *x, uint32_t axes, int64_t *inner) {
  AbTensor *view = ab_tensor_view(x);
  if (!view) return NULL;
  int32_t at = 0;
  *inner = 1;
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t i = 0; i < x->rank; i++) {
      bool chosen = axes >> i & 1;
      if (chosen != (pass == 1)) continue;
      view->shape[at] = x->shape[i];
      view->stride[at++] = x->stride[i];
      if (chosen) *inner *= x->shape[i];
    }
  }
  return ab_dense(view);
}

/* The leading axes alone (sums of a batch) need no moving. */
static bool leading(const AbTensor *x, uint32_t axes, int64_t *outer, int64_t *inner) {
  int32_t i = 0;
  *outer = *inner = 1;
  while (i < x->rank && (axes >> i & 1)) *outer *= x->shape[i++];
  for (; i < x->rank; i++) {
    if (axes >> i & 1) return false;
    *inner *= x->shape[i];
  }
  return ab_tensor_dense(x);
}

static AbTensor *reduce(AbTensor *x, AbReduce f, uint32_t axes, bool keep) {
  AbShape shape = {0};
  for (int32_t i = 0; i < x->rank; i++) {
    if (!(axes >> i & 1))
      shape.dims[shape.rank++] = x->shape[i];
    else if (keep)
      shape.dims[shape.rank++] = 1;
  }
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, shape.rank, shape.dims, !x->storage);
  if (!y || !x->storage) return y;
  const AbDevice *device = x->ctx->device;
  int64_t outer, inner, count = ab_tensor_count(y);
  if (leading(x, axes, &outer, &inner)) {
    device->reduce(f, x->dtype, 1, outer, inner, ab_data_of(y), ab_data_of(x));
  } else {
    bool recording = ab_set_recording(x->ctx, false);
    AbTensor *moved = gather_axes(x, axes, &inner);
    ab_set_recording(x->ctx, recording);
    if (!moved) return NULL;
    device->reduce(f, x->dtype, count, inner, 1, ab_data_of(y), ab_data_of(moved));
  }
  return y;
}

static uint32_t all_axes(const AbTensor *x) {
  return (1u << x->rank) - 1;
}

AbTensor *ab_sum_axes(AbTensor *x, uint32_t axes, bool keep) {
  if (!ab_is_real(x, "sum")) return NULL;
  if (axes & ~all_axes(x)) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "sum: the mask of axes 0x%x names an axis that %s has not", axes,
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  AbTensor *y = reduce(x, K_SUM, axes, keep);
  if (!y) return NULL;
  y->ints[0] = axes;
  return ab_record(y, &sum_op, &x, 1);
}

AbTensor *ab_sum(AbTensor *x) {
  return x && x != AB_NONE ? ab_sum_axes(x, all_axes(x), false) : NULL;
}

AbTensor *ab_mean_axes(AbTensor *x, uint32_t axes, bool keep) {
  AbTensor *sum = ab_sum_axes(x, axes, keep);
  if (!sum) return NULL;
  int64_t over = 1;
  for (int32_t i = 0; i < x->rank; i++)
    if (axes >> i & 1) over *= x->shape[i];
  if (over == 0) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "mean: there is nothing to average in %s",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  return ab_affine(sum, 1.0 / (double)over, 0);
}

AbTensor *ab_mean(AbTensor *x) {
  return x && x != AB_NONE ? ab_mean_axes(x, all_axes(x), false) : NULL;
}

/* ---- along the last axis --------------------------------------------------------------------- */

/* x as rows of its last axis. */
static bool rows_of(const char *operation, AbTensor **x, int64_t *rows, int64_t *cols) {
  if (!ab_is_real(*x, operation)) return false;
  char text[220];
  if ((*x)->rank < 1 || (*x)->shape[(*x)->rank - 1] < 1) {
    ab_error((*x)->ctx, AB_CONFIG, "%s wants a last axis with something on it, not %s", operation,
             ab_tensor_text(*x, text, sizeof text));
    return false;
  }
  if (!(*x = ab_dense(*x))) return false;
  *cols = (*x)->shape[(*x)->rank - 1];
  *rows = ab_tensor_count(*x) / *cols;
  return true;
}

AbTensor *ab_argmax(AbTensor *x) {
  int64_t rows, cols;
  if (!rows_of("argmax", &x, &rows, &cols)) return NULL;
  AbTensor *y = ab_tensor_new(x->ctx, AB_I64, x->rank - 1, x->shape, !x->storage);
  if (y && x->storage) x->ctx->device->argmax(x->dtype, rows, cols, ab_data_of(y), ab_data_of(x));
  return y;
}

static uint32_t last_axis(const AbTensor *x) {
  return 1u << (x->rank - 1);
}

/* y (g - sum(g y)) */
static void softmax_backward(AbTensor *y, AbTensor *g) {
  AbTensor *dot = ab_sum_axes(ab_mul(g, y), last_axis(y), true);
  ab_accumulate(y, 0, ab_mul(y, ab_sub(g, dot)));
}
static const AbOp softmax_op = {"softmax", softmax_backward};

/* g - exp(y) sum(g) */
static void log_softmax_backward(AbTensor *y, AbTensor *g) {
  AbTensor *sum = ab_sum_axes(g, last_axis(y), true);
  ab_accumulate(y, 0, ab_sub(g, ab_mul(ab_exp(y), sum)));
}
static const AbOp log_softmax_op = {"log_softmax", log_softmax_backward};

static AbTensor *softmax(const AbOp *op, bool log, AbTensor *x) {
  int64_t rows, cols;
  if (!rows_of(op->name, &x, &rows, &cols)) return NULL;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  if (x->storage) x->ctx->device->softmax(x->dtype, log, rows, cols, ab_data_of(y), ab_data_of(x));
  return ab_record(y, op, &x, 1);
}

AbTensor *ab_softmax(AbTensor *x) {
  return softmax(&softmax_op, false, x);
}

AbTensor *ab_log_softmax(AbTensor *x) {
  return softmax(&log_softmax_op, true, x);
}
