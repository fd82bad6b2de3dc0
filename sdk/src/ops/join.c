/* SPDX-License-Identifier: Apache-2.0
 *
 * Joining: concatenation, stacks, padding. Gradients are slices of the result's. */
#include "along.h"
#include <string.h>

static bool usable(const AbTensor *x) {
  return x && x != AB_NONE;
}

/* y[from, from + length of x) of the axis := x */
static void place(AbTensor *y, AbTensor *x, int32_t axis, int64_t from) {
  if (ab_tensor_count(x) == 0) return;
  AbTensor window = *y;
  window.shape[axis] = x->shape[axis];
  window.offset += from * y->stride[axis];
  AbLoop loop = ab_loop(&window, x, NULL);
  y->ctx->device->copy(&loop, y->dtype, ab_data_of(&window), x->dtype, ab_data_of(x));
}

static void concat_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  int64_t at = 0;
  for (int32_t i = 0; i < y->input_count; i++) {
    int64_t size = y->inputs[i]->shape[axis];
    if (ab_wants(y, i)) ab_accumulate(y, i, ab_slice(g, axis, at, at + size));
    at += size;
  }
}
static const AbOp concat_op = {"concat", concat_backward};

/* The length of all along the axis; -1 after an error. */
static int64_t joined(AbTensor *const *xs, int32_t count, int32_t axis) {
  int64_t length = 0;
  for (int32_t i = 0; i < count; i++) {
    if (!ab_belong_together("concat", xs[0], xs[i])) return -1;
    bool fits = xs[i]->dtype == xs[0]->dtype && xs[i]->rank == xs[0]->rank;
    for (int32_t k = 0; fits && k < xs[0]->rank; k++)
      fits = k == axis || xs[i]->shape[k] == xs[0]->shape[k];
    if (!fits || __builtin_add_overflow(length, xs[i]->shape[axis], &length)) {
      char first[220], other[220];
      ab_error(xs[0]->ctx, AB_CONFIG, "concat: %s does not go with %s along axis %d",
               ab_tensor_text(xs[i], other, sizeof other),
               ab_tensor_text(xs[0], first, sizeof first), axis);
      return -1;
    }
  }
  return length;
}

AbTensor *ab_concat(AbTensor *const *xs, int32_t count, int32_t axis) {
  if (!xs || count < 1) return NULL;
  for (int32_t i = 0; i < count; i++)
    if (!usable(xs[i])) return NULL;
  if (!ab_axis("concat", xs[0], &axis)) return NULL;
  int64_t length = joined(xs, count, axis), at = 0;
  if (length < 0) return NULL;
  bool shape_only = false;
  for (int32_t i = 0; i < count; i++) shape_only |= !xs[i]->storage;
  AbShape shape = ab_shape(xs[0]);
  shape.dims[axis] = length;
  AbTensor *y = ab_tensor_new(xs[0]->ctx, xs[0]->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  ab_order_like(y, xs[0]);
  for (int32_t i = 0; !shape_only && i < count; i++) {
    place(y, xs[i], axis, at);
    at += xs[i]->shape[axis];
  }
  y->ints[0] = axis;
  return ab_record(y, &concat_op, xs, count);
}

/* ---- stacks ---------------------------------------------------------------------------------- */

static void stack_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  for (int32_t i = 0; i < y->input_count; i++)
    if (ab_wants(y, i)) ab_accumulate(y, i, ab_squeeze(ab_slice(g, axis, i, i + 1), axis));
}
static const AbOp stack_op = {"stack", stack_backward};

static bool alike(AbTensor *const *xs, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    if (!ab_belong_together("stack", xs[0], xs[i])) return false;
    if (xs[i]->dtype == xs[0]->dtype && ab_same_shape(xs[0], xs[i])) continue;
    char first[220], other[220];
    ab_error(xs[0]->ctx, AB_CONFIG, "stack: %s does not go with %s",
             ab_tensor_text(xs[i], other, sizeof other),
             ab_tensor_text(xs[0], first, sizeof first));
    return false;
  }
  return true;
}

AbTensor *ab_stack(AbTensor *const *xs, int32_t count, int32_t axis) {
  if (!xs || count < 1) return NULL;
  for (int32_t i = 0; i < count; i++)
    if (!usable(xs[i])) return NULL;
  if (!alike(xs, count)) return NULL;
  int32_t rank = xs[0]->rank;
  if (axis < 0) axis += rank + 1;
  if (axis < 0 || axis > rank || rank == AB_MAX_RANK) {
    char text[220];
    ab_error(xs[0]->ctx, AB_CONFIG, "stack: %s cannot get an axis %d (rank %d at most)",
             ab_tensor_text(xs[0], text, sizeof text), axis, AB_MAX_RANK);
    return NULL;
  }
  AbShape shape = {.rank = rank + 1};
  for (int32_t i = 0; i <= rank; i++)
    shape.dims[i] = i == axis ? count : xs[0]->shape[i < axis ? i : i - 1];
  bool shape_only = false;
  for (int32_t i = 0; i < count; i++) shape_only |= !xs[i]->storage;
  AbTensor *y = ab_tensor_new(xs[0]->ctx, xs[0]->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  bool recording = ab_set_recording(y->ctx, false);
  for (int32_t i = 0; !shape_only && i < count; i++) {
    AbTensor *wide = ab_unsqueeze(xs[i], axis);
    if (wide) place(y, wide, axis, i);
    ab_drop(wide);
  }
  ab_set_recording(y->ctx, recording);
  y->ints[0] = axis;
  return ab_record(y, &stack_op, xs, count);
}

/* ---- padding --------------------------------------------------------------------------------- */

static void pad_backward(AbTensor *y, AbTensor *g) {
  for (int32_t i = 0; i < y->rank; i++) {
    int64_t size = y->inputs[0]->shape[i];
    if (g && g->shape[i] != size) g = ab_slice(g, i, y->ints[i], y->ints[i] + size);
  }
  ab_accumulate(y, 0, g);
}
static const AbOp pad_op = {"pad", pad_backward};

static AbTensor *pad_constant(AbTensor *x, const int64_t *before, const AbShape *shape,
                              double value) {
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, shape->rank, shape->dims, !x->storage);
  if (!y) return NULL;
  ab_order_like(y, x);
  if (x->storage) {
    y->ctx->device->fill(y->dtype, ab_tensor_count(y), ab_data_of(y), value);
    AbTensor window = *y;
    memcpy(window.shape, x->shape, sizeof window.shape);
    for (int32_t i = 0; i < y->rank; i++) window.offset += before[i] * y->stride[i];
    if (ab_tensor_count(x) > 0) {
      AbLoop loop = ab_loop(&window, x, NULL);
      y->ctx->device->copy(&loop, y->dtype, ab_data_of(&window), x->dtype, ab_data_of(x));
    }
  }
  for (int32_t i = 0; i < y->rank; i++) y->ints[i] = before[i];
  return ab_record(y, &pad_op, &x, 1);
}

/* `size` numbers beyond one end of the axis, made from those of x. */
static AbTensor *border(AbTensor *x, int32_t axis, int64_t size, bool end, AbPadding mode) {
  int64_t n = x->shape[axis];
  if (mode == AB_PAD_CIRCULAR) return ab_slice(x, axis, end ? 0 : n - size, end ? size : n);
  if (mode == AB_PAD_REFLECT) {
    int64_t from = end ? n - 1 - size : 1;
    return ab_flip(ab_slice(x, axis, from, from + size), 1u << axis);
  }
  AbTensor *edge = ab_slice(x, axis, end ? n - 1 : 0, end ? n : 1);
  if (!edge) return NULL;
  AbShape shape = ab_shape(edge);
  shape.dims[axis] = size;
  return ab_broadcast_to(edge, shape);
}

static AbTensor *pad_axis(AbTensor *x, int32_t axis, int64_t before, int64_t after,
                          AbPadding mode) {
  AbTensor *parts[3];
  int32_t count = 0;
  if (before > 0) parts[count++] = border(x, axis, before, false, mode);
  parts[count++] = x;
  if (after > 0) parts[count++] = border(x, axis, after, true, mode);
  return count == 1 ? x : ab_concat(parts, count, axis);
}

/* Whether an axis of n has enough to be continued by so many. */
static bool enough(int64_t n, int64_t size, AbPadding mode) {
  if (size == 0 || mode == AB_PAD_CONSTANT) return true;
  return mode == AB_PAD_REFLECT ? size < n : mode == AB_PAD_CIRCULAR ? size <= n : n > 0;
}

AbTensor *ab_pad(AbTensor *x, const int64_t *before, const int64_t *after, AbPadding mode,
                 double value) {
  if (!usable(x)) return NULL;
  AbShape shape = ab_shape(x);
  bool fits = mode >= AB_PAD_CONSTANT && mode <= AB_PAD_CIRCULAR;
  if (x->rank > 0) fits = fits && before && after;
  for (int32_t i = 0; fits && i < x->rank; i++) {
    fits = before[i] >= 0 && after[i] >= 0 && enough(x->shape[i], before[i], mode) &&
           enough(x->shape[i], after[i], mode) &&
           !__builtin_add_overflow(shape.dims[i], before[i], &shape.dims[i]) &&
           !__builtin_add_overflow(shape.dims[i], after[i], &shape.dims[i]);
  }
  if (!fits) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG,
             "pad: the sizes do not fit %s: none below 0, less than the axis to reflect, no more "
             "than it in a circle",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  if (mode == AB_PAD_CONSTANT) return pad_constant(x, before, &shape, value);
  AbTensor *y = x;
  for (int32_t i = 0; y && i < x->rank; i++) y = pad_axis(y, i, before[i], after[i], mode);
  return y;
}
