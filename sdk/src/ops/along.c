/* SPDX-License-Identifier: Apache-2.0
 *
 * How a tensor lies in memory around the axes of a reduction: along.h. */
#include "along.h"
#include <string.h>

int32_t ab_memory_order(const AbTensor *x, int32_t *axis) {
  int32_t count = 0;
  for (int32_t i = 0; i < x->rank; i++) {
    if (x->shape[i] == 1) continue;
    int32_t j = count++;
    for (; j > 0 && x->stride[axis[j - 1]] < x->stride[i]; j--) axis[j] = axis[j - 1];
    axis[j] = i;
  }
  return count;
}

void ab_order_like(AbTensor *y, const AbTensor *x) {
  if (x->rank != y->rank || ab_tensor_dense(x) || !ab_tensor_packed(x)) return;
  int32_t axis[AB_MAX_RANK], count = ab_memory_order(x, axis);
  int64_t stride = 1;
  for (int32_t i = y->rank - 1; i >= 0; i--) { /* axes of 1 in x lie within */
    if (x->shape[i] != 1) continue;
    y->stride[i] = stride;
    stride *= y->shape[i] > 0 ? y->shape[i] : 1;
  }
  while (count-- > 0) {
    y->stride[axis[count]] = stride;
    stride *= y->shape[axis[count]] > 0 ? y->shape[axis[count]] : 1;
  }
}

static bool same_order(const AbTensor *x, const AbTensor *y) {
  for (int32_t i = 0; i < x->rank; i++)
    if (x->shape[i] != 1 && x->stride[i] != y->stride[i]) return false;
  return true;
}

AbTensor *ab_ordered_as(AbTensor *x, const AbTensor *like) {
  if (same_order(x, like)) return x;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  memcpy(y->stride, like->stride, sizeof y->stride);
  if (x->storage && ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return y;
}

bool ab_axes_fit(const char *operation, const AbTensor *x, uint32_t axes) {
  if (!(axes & ~AB_ALL_AXES(x))) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s: the mask of axes 0x%x names an axis that %s has not", operation,
           axes, ab_tensor_text(x, text, sizeof text));
  return false;
}

int64_t ab_axes_count(const AbTensor *x, uint32_t axes) {
  int64_t count = 1;
  for (int32_t i = 0; i < x->rank; i++)
    if (axes >> i & 1) count *= x->shape[i];
  return count;
}

AbTensor *ab_reduced_new(const AbTensor *x, AbDtype dtype, uint32_t axes, bool keep) {
  AbTensor kept = *x;
  for (int32_t i = 0; i < x->rank; i++)
    if (axes >> i & 1) kept.shape[i] = 1;
  AbTensor *y = ab_tensor_new(x->ctx, dtype, x->rank, kept.shape, !x->storage);
  if (!y) return NULL;
  ab_order_like(y, x);
  if (keep) return y;
  y->rank = 0;
  for (int32_t i = 0; i < x->rank; i++) {
    if (axes >> i & 1) continue;
    y->shape[y->rank] = y->shape[i];
    y->stride[y->rank++] = y->stride[i];
  }
  return y;
}

/* Whether the axes lie side by side in the memory of packed x. */
static bool together(const AbTensor *x, uint32_t axes, AbExtent *extent) {
  int32_t axis[AB_MAX_RANK], count = ab_memory_order(x, axis), i = 0;
  *extent = (AbExtent){1, 1, 1};
  while (i < count && !(axes >> axis[i] & 1)) extent->outer *= x->shape[axis[i++]];
  while (i < count && (axes >> axis[i] & 1)) extent->middle *= x->shape[axis[i++]];
  while (i < count && !(axes >> axis[i] & 1)) extent->inner *= x->shape[axis[i++]];
  return i == count;
}

/* x with the axes of the mask moved to the end. */
static AbTensor *axes_last(AbTensor *x, uint32_t axes) {
  AbTensor *view = ab_tensor_view(x);
  int32_t at = 0;
  for (int pass = 0; view && pass < 2; pass++) {
    for (int32_t i = 0; i < x->rank; i++) {
      if ((axes >> i & 1) != (uint32_t)pass) continue;
      view->shape[at] = x->shape[i];
      view->stride[at++] = x->stride[i];
    }
  }
  return view;
}

AbTensor *ab_together(AbTensor *x, uint32_t axes, AbExtent *extent) {
  int64_t middle = ab_axes_count(x, axes), count = ab_tensor_count(x);
  *extent = (AbExtent){ab_axes_count(x, ~axes), middle, 1};
  if (count == 0 || !x->storage) return x;
  AbContext *ctx = x->ctx;
  bool recording = ab_set_recording(ctx, false);
  x = ab_packed(x);
  AbExtent found;
  if (x && together(x, axes, &found)) {
    *extent = found;
  } else if (x) {
    /* what is kept stays in its order, as the result has it */
    AbTensor *order = ab_tensor_view(x);
    int32_t axis[AB_MAX_RANK], left = order ? ab_memory_order(x, axis) : 0;
    for (int32_t i = 0; i < left; i++) {
      order->shape[i] = x->shape[axis[i]];
      order->stride[i] = x->stride[axis[i]];
    }
    uint32_t mask = 0;
    for (int32_t i = 0; i < left; i++) mask |= (axes >> axis[i] & 1u) << i;
    if (order) order->rank = left;
    x = order ? ab_dense(axes_last(order, mask)) : NULL;
  }
  ab_set_recording(ctx, recording);
  return x;
}

AbTensor *ab_with_axes(AbTensor *y, const AbTensor *x, uint32_t axes) {
  for (int32_t i = 0; i < x->rank; i++)
    if (axes >> i & 1) y = ab_unsqueeze(y, i);
  return y;
}
