/* SPDX-License-Identifier: Apache-2.0
 *
 * Largest and smallest numbers and their places. The gradient goes to the place that was found. */
#include "../device/index.h"
#include "along.h"

/* One axis of packed x. */
static AbExtent extent_of(AbTensor **x, int32_t axis) {
  AbExtent extent;
  *x = ab_together(*x, 1u << axis, &extent);
  return extent;
}

/* ---- along one axis, which is kept ----------------------------------------------------------- */

static void extreme_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *index = y->saved[0];
  int32_t axis = (int32_t)y->ints[0];
  if (x->ctx->differentiable) {
    AbTensor *zeros = ab_full(x->ctx, x->dtype, ab_shape(x), 0);
    ab_accumulate(y, 0, ab_scatter_add(zeros, axis, index, g));
    return;
  }
  AbTensor *all = ab_gradient_in_place(y, 0);
  if (!all || ab_tensor_count(g) == 0) return;
  AbTensor window = *all;
  window.shape[axis] = 1;
  AbLoop loop = ab_loop3(g, &window, index, NULL);
  x->ctx->device->index->scatter_add(x->dtype, &loop, all->stride[axis], ab_data_of(all),
                                     ab_data_of(g), ab_data_of(index));
}
static const AbOp max_op = {"max", extreme_backward}, min_op = {"min", extreme_backward};

static bool has_some(const char *operation, const AbTensor *x, uint32_t axes) {
  if (ab_axes_count(x, axes) > 0) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s: there is nothing to choose from in %s", operation,
           ab_tensor_text(x, text, sizeof text));
  return false;
}

static AbTensor *extreme(const AbOp *op, AbTensor *x, int32_t axis) {
  AbTensor *y = ab_reduced_new(x, x->dtype, 1u << axis, true);
  AbTensor *index = ab_reduced_new(x, AB_I64, 1u << axis, true);
  if (!y || !index) return NULL;
  if (x->storage && ab_tensor_count(y) > 0) {
    AbTensor *moved = x;
    AbExtent extent = extent_of(&moved, axis);
    if (!moved) return NULL;
    x->ctx->device->reductions->extreme(x->dtype, op == &max_op, extent, ab_data_of(y),
                                        ab_data_of(index), ab_data_of(moved));
  }
  y->ints[0] = axis;
  ab_record(y, op, &x, 1);
  ab_save(y, 0, index);
  return y;
}

/* ---- over any axes: several become one, in the order of the axes ---------------------------- */

static AbTensor *extreme_axes(const AbOp *op, AbTensor *x, uint32_t axes, bool keep) {
  if (!ab_is_real(x, op->name) || !ab_axes_fit(op->name, x, axes) || !has_some(op->name, x, axes))
    return NULL;
  if (axes == 0) return ab_affine(x, 1, 0);
  AbShape shape = {0}, merged;
  int32_t order[AB_MAX_RANK], count = 0, first = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (!(axes >> i & 1)) order[count++] = i;
  merged = (AbShape){.rank = count + 1};
  for (int32_t i = 0; i < count; i++) merged.dims[i] = x->shape[order[i]];
  merged.dims[count] = ab_axes_count(x, axes);
  for (int32_t i = 0; i < x->rank; i++) {
    if (axes >> i & 1) order[count++] = i;
    if (!(axes >> i & 1) || keep) shape.dims[shape.rank++] = axes >> i & 1 ? 1 : x->shape[i];
  }
  while (!(axes >> first & 1)) first++;
  if (axes == 1u << first) { /* one axis: where it lies */
    AbTensor *y = extreme(op, x, first);
    return keep ? y : ab_squeeze(y, first);
  }
  AbTensor *moved = ab_reshape(ab_permute(x, x->rank, order), merged);
  return moved ? ab_reshape(extreme(op, moved, merged.rank - 1), shape) : NULL;
}

AbTensor *ab_max_axes(AbTensor *x, uint32_t axes, bool keep) {
  return extreme_axes(&max_op, x, axes, keep);
}

AbTensor *ab_min_axes(AbTensor *x, uint32_t axes, bool keep) {
  return extreme_axes(&min_op, x, axes, keep);
}

AbTensor *ab_max(AbTensor *x) {
  return x && x != AB_NONE ? ab_max_axes(x, AB_ALL_AXES(x), false) : NULL;
}

AbTensor *ab_min(AbTensor *x) {
  return x && x != AB_NONE ? ab_min_axes(x, AB_ALL_AXES(x), false) : NULL;
}

/* ---- places ---------------------------------------------------------------------------------- */

static AbTensor *place(const char *operation, bool largest, AbTensor *x, int32_t axis) {
  if (!ab_is_real(x, operation) || !ab_axis(operation, x, &axis)) return NULL;
  if (!has_some(operation, x, 1u << axis)) return NULL;
  AbTensor *y = ab_reduced_new(x, AB_I64, 1u << axis, false);
  if (!y || !x->storage || ab_tensor_count(y) == 0) return y;
  AbTensor *moved = x;
  AbExtent extent = extent_of(&moved, axis);
  if (!moved) return NULL;
  x->ctx->device->reductions->extreme(x->dtype, largest, extent, NULL, ab_data_of(y),
                                      ab_data_of(moved));
  return y;
}

AbTensor *ab_argmax_axis(AbTensor *x, int32_t axis) {
  return place("argmax", true, x, axis);
}

AbTensor *ab_argmin_axis(AbTensor *x, int32_t axis) {
  return place("argmin", false, x, axis);
}

AbTensor *ab_argmax(AbTensor *x) {
  return ab_argmax_axis(x, -1);
}
