/* SPDX-License-Identifier: Apache-2.0
 *
 * Shape: views of the same numbers where strides can say it, copies where they cannot. */
#include "along.h"
#include <string.h>

static bool usable(const AbTensor *x) {
  return x && x != AB_NONE;
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void cast_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_cast(g, y->inputs[0]->dtype));
}
static const AbOp cast_op = {"cast", cast_backward};

static AbTensor *copy_as(AbTensor *x, AbDtype dtype) {
  AbTensor *y = ab_tensor_new(x->ctx, dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return dtype == AB_F32 || dtype == AB_F64 ? ab_record(y, &cast_op, &x, 1) : y;
}

AbTensor *ab_copy_like(AbTensor *x, const AbTensor *like) {
  if (!usable(x)) return NULL;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  ab_order_like(y, like);
  if (x->storage && ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return ab_record(y, &cast_op, &x, 1);
}

AbTensor *ab_dense(AbTensor *x) {
  if (!usable(x)) return NULL;
  return ab_tensor_dense(x) ? x : copy_as(x, x->dtype);
}

AbTensor *ab_packed(AbTensor *x) {
  if (!usable(x)) return NULL;
  return ab_tensor_packed(x) ? x : copy_as(x, x->dtype);
}

/* Whether the memory of x is [n, spatial ..., c]. */
static bool is_channels_last(const AbTensor *x) {
  AbTensor turned = *x;
  for (int32_t i = 1; i + 1 < x->rank; i++) {
    turned.shape[i] = x->shape[i + 1];
    turned.stride[i] = x->stride[i + 1];
  }
  turned.shape[x->rank - 1] = x->shape[1];
  turned.stride[x->rank - 1] = x->stride[1];
  return ab_tensor_dense(&turned);
}

AbTensor *ab_channels_last(AbTensor *x) {
  if (!usable(x)) return NULL;
  if (x->rank < 3) return ab_dense(x);
  if (is_channels_last(x)) return x;
  AbTensor *y = ab_channels_last_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return ab_record(y, &cast_op, &x, 1);
}

AbTensor *ab_cast(AbTensor *x, AbDtype dtype) {
  if (!usable(x)) return NULL;
  if (!ab_dtype_size(dtype)) {
    ab_error(x->ctx, AB_INTERNAL, "cast: there is no element type %d", dtype);
    return NULL;
  }
  return x->dtype == dtype && ab_tensor_dense(x) ? x : copy_as(x, dtype);
}

/* ---- reshape --------------------------------------------------------------------------------- */

static void reshape_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_reshape(g, ab_shape(y->inputs[0])));
}
const AbOp ab_reshape_op = {"reshape", reshape_backward};

/* Fills in one axis of -1; false if the counts differ. */
static bool complete(AbShape *shape, int64_t count) {
  int32_t open = -1;
  int64_t rest = 1;
  if (shape->rank < 0 || shape->rank > AB_MAX_RANK) return false;
  for (int32_t i = 0; i < shape->rank; i++) {
    if (shape->dims[i] == -1 && open < 0)
      open = i;
    else if (shape->dims[i] < 0 || __builtin_mul_overflow(rest, shape->dims[i], &rest))
      return false;
  }
  if (open < 0) return rest == count;
  if (rest == 0 || count % rest != 0) return false;
  shape->dims[open] = count / rest;
  return true;
}

AbTensor *ab_reshape(AbTensor *x, AbShape shape) {
  if (!usable(x)) return NULL;
  AbShape wanted = shape;
  if (!complete(&wanted, ab_tensor_count(x))) {
    char from[220], to[220];
    ab_error(x->ctx, AB_CONFIG, "reshape: %s has %lld elements and cannot become %s",
             ab_tensor_text(x, from, sizeof from), (long long)ab_tensor_count(x),
             ab_shape_text(shape, to, sizeof to));
    return NULL;
  }
  if (!(x = ab_dense(x))) return NULL;
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  y->rank = wanted.rank;
  memcpy(y->shape, wanted.dims, sizeof y->shape);
  int64_t stride = 1;
  for (int32_t i = y->rank - 1; i >= 0; i--) {
    y->stride[i] = stride;
    stride *= y->shape[i] > 0 ? y->shape[i] : 1;
  }
  return ab_record(y, &ab_reshape_op, &x, 1);
}

AbTensor *ab_flatten(AbTensor *x) {
  if (!usable(x)) return NULL;
  if (x->rank < 1) {
    ab_error(x->ctx, AB_CONFIG, "flatten wants a batch axis, not a scalar");
    return NULL;
  }
  if (x->rank == 2 && ab_tensor_dense(x)) return x;
  int64_t width = 1;
  for (int32_t i = 1; i < x->rank; i++) width *= x->shape[i];
  return ab_reshape(x, AB_SHAPE(x->shape[0], width));
}

AbTensor *ab_reshape_samples(AbTensor *x, AbShape sample) {
  if (!usable(x)) return NULL;
  if (x->rank < 1 || sample.rank >= AB_MAX_RANK) {
    ab_error(x->ctx, AB_CONFIG, "reshape_samples wants a batch axis and samples of at most %d axes",
             AB_MAX_RANK - 1);
    return NULL;
  }
  AbShape shape = {.rank = sample.rank + 1, .dims = {x->shape[0]}};
  memcpy(shape.dims + 1, sample.dims, (size_t)sample.rank * sizeof *shape.dims);
  return ab_reshape(x, shape);
}

/* ---- order and number of the axes ----------------------------------------------------------- */

bool ab_axis(const char *operation, const AbTensor *x, int32_t *axis) {
  if (*axis < 0) *axis += x->rank;
  if (*axis >= 0 && *axis < x->rank) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s: there is no such axis in %s", operation,
           ab_tensor_text(x, text, sizeof text));
  return false;
}

static void transpose_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_transpose(g, (int32_t)y->ints[0], (int32_t)y->ints[1]));
}
static const AbOp transpose_op = {"transpose", transpose_backward};

AbTensor *ab_transpose(AbTensor *x, int32_t a, int32_t b) {
  if (!usable(x) || !ab_axis("transpose", x, &a) || !ab_axis("transpose", x, &b)) return NULL;
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  y->shape[a] = x->shape[b];
  y->shape[b] = x->shape[a];
  y->stride[a] = x->stride[b];
  y->stride[b] = x->stride[a];
  y->ints[0] = a;
  y->ints[1] = b;
  return ab_record(y, &transpose_op, &x, 1);
}

static void permute_backward(AbTensor *y, AbTensor *g) {
  int32_t back[AB_MAX_RANK];
  for (int32_t i = 0; i < y->rank; i++) back[y->ints[i]] = i;
  ab_accumulate(y, 0, ab_permute(g, y->rank, back));
}
static const AbOp permute_op = {"permute", permute_backward};

/* Makes the axes positive; false unless each of x is named once. */
static bool is_permutation(const AbTensor *x, int32_t count, const int32_t *axes, int32_t *wanted) {
  uint32_t seen = 0;
  if (count != x->rank || (count > 0 && !axes)) return false;
  for (int32_t i = 0; i < count; i++) {
    wanted[i] = axes[i] < 0 ? axes[i] + x->rank : axes[i];
    if (wanted[i] < 0 || wanted[i] >= x->rank) return false;
    seen |= 1u << wanted[i];
  }
  return seen == AB_ALL_AXES(x);
}

AbTensor *ab_permute(AbTensor *x, int32_t count, const int32_t *axes) {
  if (!usable(x)) return NULL;
  int32_t from[AB_MAX_RANK];
  if (!is_permutation(x, count, axes, from)) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "permute wants each axis of %s once, in %d numbers",
             ab_tensor_text(x, text, sizeof text), x->rank);
    return NULL;
  }
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  for (int32_t i = 0; i < y->rank; i++) {
    y->shape[i] = x->shape[from[i]];
    y->stride[i] = x->stride[from[i]];
    y->ints[i] = from[i];
  }
  return ab_record(y, &permute_op, &x, 1);
}

static void squeeze_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_unsqueeze(g, (int32_t)y->ints[0]));
}
static const AbOp squeeze_op = {"squeeze", squeeze_backward};

AbTensor *ab_squeeze(AbTensor *x, int32_t axis) {
  if (!usable(x) || !ab_axis("squeeze", x, &axis)) return NULL;
  if (x->shape[axis] != 1) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "squeeze: axis %d of %s is not 1", axis,
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  y->rank--;
  for (int32_t i = axis; i < y->rank; i++) {
    y->shape[i] = x->shape[i + 1];
    y->stride[i] = x->stride[i + 1];
  }
  y->ints[0] = axis;
  return ab_record(y, &squeeze_op, &x, 1);
}

static void unsqueeze_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_squeeze(g, (int32_t)y->ints[0]));
}
static const AbOp unsqueeze_op = {"unsqueeze", unsqueeze_backward};

AbTensor *ab_unsqueeze(AbTensor *x, int32_t axis) {
  if (!usable(x)) return NULL;
  if (axis < 0) axis += x->rank + 1;
  if (axis < 0 || axis > x->rank || x->rank == AB_MAX_RANK) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "unsqueeze: %s cannot get an axis %d (rank %d at most)",
             ab_tensor_text(x, text, sizeof text), axis, AB_MAX_RANK);
    return NULL;
  }
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  y->rank++;
  for (int32_t i = axis + 1; i < y->rank; i++) {
    y->shape[i] = x->shape[i - 1];
    y->stride[i] = x->stride[i - 1];
  }
  y->shape[axis] = 1;
  y->stride[axis] = axis < x->rank ? x->stride[axis] * x->shape[axis] : 1;
  y->ints[0] = axis;
  return ab_record(y, &unsqueeze_op, &x, 1);
}

static void broadcast_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_sum_to(g, y->inputs[0]));
}
static const AbOp broadcast_op = {"broadcast_to", broadcast_backward};

static bool stretches(const AbTensor *x, AbShape shape) {
  int32_t extra = shape.rank - x->rank;
  if (extra < 0 || ab_shape_count(shape) < 0) return false;
  for (int32_t i = 0; i < x->rank; i++)
    if (x->shape[i] != 1 && x->shape[i] != shape.dims[i + extra]) return false;
  return true;
}

AbTensor *ab_broadcast_to(AbTensor *x, AbShape shape) {
  if (!usable(x)) return NULL;
  if (!stretches(x, shape)) {
    char from[220], to[220];
    ab_error(x->ctx, AB_CONFIG, "broadcast_to: %s does not stretch to %s",
             ab_tensor_text(x, from, sizeof from), ab_shape_text(shape, to, sizeof to));
    return NULL;
  }
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  int32_t extra = shape.rank - x->rank;
  y->rank = shape.rank;
  for (int32_t i = 0; i < shape.rank; i++) {
    y->shape[i] = shape.dims[i];
    y->stride[i] = i < extra || x->shape[i - extra] == 1 ? 0 : x->stride[i - extra];
  }
  return ab_record(y, &broadcast_op, &x, 1);
}
