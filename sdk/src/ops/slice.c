/* SPDX-License-Identifier: Apache-2.0
 *
 * Slices: views whose gradients meet in one tensor, each in its place. */
#include "../internal.h"
#include <stdio.h>
#include <string.h>

/* Where g goes in `all`: elements from, from + step, ... of the axis. */
static AbTensor window_of(const AbTensor *all, const AbTensor *g, const AbTensor *y) {
  AbTensor window = *all; /* only to make a loop over the part */
  int64_t axis = y->ints[0];
  memcpy(window.shape, g->shape, sizeof window.shape);
  window.offset += y->ints[1] * all->stride[axis];
  window.stride[axis] *= y->ints[2];
  return window;
}

static const AbOp unslice_op;

/* The backward of slice y: g among zeros. */
static AbTensor *unslice(AbTensor *g, const AbTensor *of) {
  AbTensor *y = ab_full(g->ctx, g->dtype, ab_shape(of->inputs[0]), 0);
  if (!y) return NULL;
  AbTensor window = window_of(y, g, of);
  if (ab_tensor_count(g) > 0) {
    AbLoop loop = ab_loop(&window, g, NULL);
    g->ctx->device->copy(&loop, g->dtype, ab_data_of(&window), g->dtype, ab_data_of(g));
  }
  memcpy(y->ints, of->ints, sizeof y->ints);
  return ab_record(y, &unslice_op, &g, 1);
}

static void add_to_window(AbTensor *all, AbTensor *g, const AbTensor *of) {
  if (ab_tensor_count(g) == 0) return;
  AbTensor window = window_of(all, g, of);
  AbLoop loop = ab_loop(&window, &window, g);
  void *at = ab_data_of(&window);
  g->ctx->device->binary(K_ADD, g->dtype, &loop, at, at, ab_data_of(g));
}

static void unslice_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  int64_t last = y->ints[1] + (y->inputs[0]->shape[axis] - 1) * y->ints[2];
  int64_t end = y->inputs[0]->shape[axis] > 0 ? last + 1 : y->ints[1];
  ab_accumulate(y, 0, ab_slice_step(g, axis, y->ints[1], end, y->ints[2]));
}
static const AbOp unslice_op = {"unslice", unslice_backward};

/* Without a record the slices of one tensor add to one gradient, each in its place. */
static void slice_backward(AbTensor *y, AbTensor *g) {
  if (!y->ctx->differentiable) {
    AbTensor *all = ab_gradient_in_place(y, 0);
    if (all) add_to_window(all, g, y);
    return;
  }
  ab_accumulate(y, 0, unslice(g, y));
}
static const AbOp slice_op = {"slice", slice_backward};

AbTensor *ab_slice_step(AbTensor *x, int32_t axis, int64_t from, int64_t to, int64_t step) {
  if (!x || x == AB_NONE || !ab_axis("slice", x, &axis)) return NULL;
  if (from < 0 || to < from || to > x->shape[axis] || step < 1) {
    char text[220], by[40] = "";
    if (step != 1) snprintf(by, sizeof by, " by steps of %lld", (long long)step);
    ab_error(x->ctx, AB_CONFIG, "slice: [%lld, %lld)%s of axis %d is not within %s",
             (long long)from, (long long)to, by, axis, ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  y->shape[axis] = to == from ? 0 : (to - from - 1) / step + 1;
  y->stride[axis] = y->shape[axis] > 1 ? x->stride[axis] * step : x->stride[axis];
  y->offset += from * x->stride[axis];
  y->ints[0] = axis;
  y->ints[1] = from;
  y->ints[2] = y->shape[axis] > 1 ? step : 1; /* else a step may be longer than the axis */
  return ab_record(y, &slice_op, &x, 1);
}

AbTensor *ab_slice(AbTensor *x, int32_t axis, int64_t from, int64_t to) {
  return ab_slice_step(x, axis, from, to, 1);
}

void ab_split(AbTensor *x, int32_t axis, int32_t count, const int64_t *sizes, AbTensor **parts) {
  for (int32_t i = 0; parts && i < count; i++) parts[i] = NULL;
  if (!x || x == AB_NONE || !ab_axis("split", x, &axis)) return;
  int64_t left = x->shape[axis];
  bool fits = count >= 0 && (count == 0 || (sizes && parts));
  for (int32_t i = 0; fits && i < count; i++) {
    fits = sizes[i] >= 0 && sizes[i] <= left;
    left -= sizes[i];
  }
  if (!fits || left != 0) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "split: the %d sizes do not add up to axis %d of %s", count, axis,
             ab_tensor_text(x, text, sizeof text));
    return;
  }
  for (int32_t i = 0; i < count; i++) {
    parts[i] = ab_slice(x, axis, left, left + sizes[i]);
    left += sizes[i];
  }
}
