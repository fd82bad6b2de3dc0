/* SPDX-License-Identifier: Apache-2.0
 *
 * Turning and repeating: flips, quarter turns, rolls, tiles. All are copies: no view that an
 * operation gives has a negative stride. */
#include "along.h"

static bool usable(const AbTensor *x) {
  return x && x != AB_NONE;
}

static void flip_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_flip(g, (uint32_t)y->ints[0]));
}
static const AbOp flip_op = {"flip", flip_backward};

AbTensor *ab_flip(AbTensor *x, uint32_t axes) {
  if (!usable(x) || !ab_axes_fit("flip", x, axes)) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbTensor backwards = *x; /* only to make a loop from the other end */
    for (int32_t i = 0; i < x->rank; i++) {
      if (!(axes >> i & 1)) continue;
      backwards.offset += (x->shape[i] - 1) * x->stride[i];
      backwards.stride[i] = -x->stride[i];
    }
    AbLoop loop = ab_loop(y, &backwards, NULL);
    y->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(&backwards));
  }
  y->ints[0] = axes;
  return ab_record(y, &flip_op, &x, 1);
}

AbTensor *ab_rot90(AbTensor *x, int32_t turns, int32_t a, int32_t b) {
  if (!usable(x) || !ab_axis("rot90", x, &a) || !ab_axis("rot90", x, &b)) return NULL;
  if (a == b) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "rot90 of %s wants two axes, not axis %d twice",
             ab_tensor_text(x, text, sizeof text), a);
    return NULL;
  }
  switch ((turns % 4 + 4) % 4) {
  case 0: return ab_flip(x, 0);
  case 1: return ab_transpose(ab_flip(x, 1u << b), a, b);
  case 2: return ab_flip(x, 1u << a | 1u << b);
  default: return ab_flip(ab_transpose(x, a, b), 1u << b);
  }
}

AbTensor *ab_roll(AbTensor *x, int32_t axis, int64_t shift) {
  if (!usable(x) || !ab_axis("roll", x, &axis)) return NULL;
  int64_t n = x->shape[axis];
  if (n == 0) return ab_flip(x, 0);
  int64_t cut = n - (shift % n + n) % n; /* in [1, n] */
  AbTensor *parts[] = {ab_slice(x, axis, cut, n), ab_slice(x, axis, 0, cut)};
  return ab_concat(parts, 2, axis);
}

/* Each axis is repeated as the middle one of [what lies before, 1, the rest]. */
static AbTensor *repeat_axis(AbTensor *x, int32_t axis, int64_t times) {
  AbShape shape = ab_shape(x);
  int64_t outer = 1, inner = 1;
  for (int32_t i = 0; i < axis; i++) outer *= x->shape[i];
  for (int32_t i = axis; i < x->rank; i++) inner *= x->shape[i];
  shape.dims[axis] *= times;
  AbTensor *wide = ab_reshape(x, AB_SHAPE(outer, 1, inner));
  wide = ab_broadcast_to(wide, AB_SHAPE(outer, times, inner));
  return ab_reshape(wide, shape);
}

AbTensor *ab_repeat(AbTensor *x, AbShape times) {
  if (!usable(x)) return NULL;
  bool fits = times.rank >= x->rank && times.rank <= AB_MAX_RANK;
  int32_t extra = times.rank - x->rank;
  AbShape shape = {.rank = times.rank};
  for (int32_t i = 0; fits && i < times.rank; i++) {
    shape.dims[i] = i < extra ? 1 : x->shape[i - extra];
    int64_t length;
    fits = times.dims[i] >= 0 && !__builtin_mul_overflow(shape.dims[i], times.dims[i], &length);
  }
  AbShape result = shape;
  for (int32_t i = 0; fits && i < times.rank; i++) result.dims[i] *= times.dims[i];
  if (!fits || ab_shape_count(result) < 0) {
    char text[220], by[220];
    ab_error(x->ctx, AB_CONFIG, "repeat: %s cannot be repeated %s times",
             ab_tensor_text(x, text, sizeof text), ab_shape_text(times, by, sizeof by));
    return NULL;
  }
  AbTensor *y = ab_reshape(x, shape);
  for (int32_t i = times.rank - 1; y && i >= 0; i--)
    if (times.dims[i] != 1) y = repeat_axis(y, i, times.dims[i]);
  return y;
}
