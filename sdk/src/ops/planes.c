/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes and windows of pooling, un-pooling and resampling: planes.h. */
#include "planes.h"

AbShape ab_spatial_shape(const AbTensor *x) {
  AbShape size = {.rank = x->rank - 2};
  for (int32_t i = 0; i < size.rank; i++) size.dims[i] = x->shape[i + 2];
  return size;
}

void ab_plane_axes(const AbTensor *x, int64_t axes[3]) {
  int32_t missing = 5 - x->rank;
  for (int32_t i = 0; i < 3; i++) axes[i] = i < missing ? 1 : x->shape[i + 2 - missing];
}

bool ab_has_planes(const char *operation, const AbTensor *x) {
  if (!ab_is_real(x, operation)) return false;
  bool fits = x->rank >= 3 && x->rank <= 5;
  for (int32_t i = 2; i < x->rank; i++) fits &= x->shape[i] > 0;
  if (fits) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG,
           "%s: x of %s; wanted [n, c, spatial ...] with one to three spatial axes, none of them 0",
           operation, ab_tensor_text(x, text, sizeof text));
  return false;
}

bool ab_plane_size(const char *operation, const AbTensor *x, AbShape size) {
  bool fits = size.rank == x->rank - 2;
  for (int32_t i = 0; fits && i < size.rank; i++) fits = size.dims[i] > 0;
  if (fits) return true;
  char text[220], wanted[220];
  ab_error(x->ctx, AB_CONFIG,
           "%s: x of %s to the size %s; wanted is a number above 0 for each spatial axis",
           operation, ab_tensor_text(x, text, sizeof text),
           ab_shape_text(size, wanted, sizeof wanted));
  return false;
}

bool ab_plane_indexable(const char *operation, const AbTensor *x, AbShape size) {
  if (ab_shape_count(size) >= 0 && ab_shape_count(size) <= INT32_MAX) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s: planes of more than 2^31 - 1 numbers, for x of %s", operation,
           ab_tensor_text(x, text, sizeof text));
  return false;
}

AbTensor *ab_planes_new(AbTensor *x, AbDtype dtype, AbShape size) {
  int64_t shape[AB_MAX_RANK] = {x->shape[0], x->shape[1]};
  for (int32_t i = 0; i < size.rank; i++) shape[i + 2] = size.dims[i];
  return ab_channels_last_new(x->ctx, dtype, size.rank + 2, shape, !x->storage);
}

bool ab_planes_filled(const AbTensor *x, const AbTensor *y) {
  return x->storage && y->storage && ab_tensor_count(x) > 0 && ab_tensor_count(y) > 0;
}

/* Completes axis i of the windows; false if they do not fit. */
static bool axis_fits(const AbPool *pool, AbPoolGeometry *at, int32_t i, int32_t axis) {
  int64_t size = pool->size[i], padding = pool->padding[i], span, padded;
  int64_t stride = pool->stride[i] ? pool->stride[i] : size;
  int64_t dilation = pool->dilation[i] ? pool->dilation[i] : 1;
  if (size < 1 || stride < 1 || dilation < 1 || padding < 0 ||
      __builtin_mul_overflow(size - 1, dilation, &span) || span == INT64_MAX ||
      padding > (span + 1) / 2 || __builtin_add_overflow(at->in[axis], 2 * padding, &padded) ||
      padded < span + 1)
    return false;
  at->size[axis] = size;
  at->stride[axis] = stride;
  at->padding[axis] = padding;
  at->dilation[axis] = dilation;
  at->out[axis] = (padded - span - 1) / stride + 1;
  return true;
}

bool ab_pool_geometry(const char *operation, const AbTensor *x, const AbPool *pool,
                      AbPoolGeometry *at, AbShape *size) {
  int32_t spatial = x->rank - 2;
  bool fits = true;
  *at = (AbPoolGeometry){.n = x->shape[0],
                         .c = x->shape[1],
                         .out = {1, 1, 1},
                         .size = {1, 1, 1},
                         .stride = {1, 1, 1},
                         .dilation = {1, 1, 1}};
  *size = (AbShape){.rank = spatial};
  ab_plane_axes(x, at->in);
  for (int32_t i = 0; fits && i < spatial; i++) {
    fits = axis_fits(pool, at, i, i + 3 - spatial);
    size->dims[i] = at->out[i + 3 - spatial];
  }
  for (int32_t i = spatial; i < 3; i++)
    fits &= !pool->size[i] && !pool->stride[i] && !pool->padding[i] && !pool->dilation[i];
  if (fits) return true;
  char text[220], windows[3][220];
  ab_error(
      x->ctx, AB_CONFIG,
      "%s: windows of %s, stride %s, padding %s do not fit x of %s; wanted for each spatial "
      "axis: size, stride and dilation above 0, padding at most half of a window, which is no "
      "wider than the padded axis; 0 for axes that x has not",
      operation,
      ab_shape_text(AB_SHAPE(pool->size[0], pool->size[1], pool->size[2]), windows[0], 220),
      ab_shape_text(AB_SHAPE(pool->stride[0], pool->stride[1], pool->stride[2]), windows[1], 220),
      ab_shape_text(AB_SHAPE(pool->padding[0], pool->padding[1], pool->padding[2]), windows[2],
                    220),
      ab_tensor_text(x, text, sizeof text));
  return false;
}
