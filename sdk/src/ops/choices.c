/* SPDX-License-Identifier: Apache-2.0
 *
 * Choices between elements, and gradients that go another way than values. */
#include "../internal.h"

/* ---- condition ? a : b ----------------------------------------------------------------------- */

static void where_backward(AbTensor *y, AbTensor *g) {
  AbTensor *condition = y->saved[0];
  AbTensor *zero = ab_full(y->ctx, y->dtype, ab_scalar_shape(), 0);
  if (ab_wants(y, 0)) ab_give(y, 0, ab_where(condition, g, zero));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_where(condition, zero, g));
}
static const AbOp where_op = {"where", where_backward};

AbTensor *ab_where(AbTensor *condition, AbTensor *a, AbTensor *b) {
  AbShape shape;
  if (!condition || !ab_fit("where", a, b) || !ab_belong_together("where", a, condition) ||
      !ab_broadcast("where", a, b, &shape))
    return NULL;
  AbTensor pair = {.ctx = a->ctx, .dtype = a->dtype, .rank = shape.rank};
  for (int32_t i = 0; i < shape.rank; i++) pair.shape[i] = shape.dims[i];
  if (!ab_broadcast("where", condition, &pair, &shape)) return NULL;
  bool shape_only = !condition->storage || !a->storage || !b->storage;
  AbTensor *y = ab_tensor_new(a->ctx, a->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  ab_follow(y, a, b);
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbLoop loop = ab_loop3(y, condition, a, b);
    y->ctx->device->where(y->dtype, &loop, ab_data_of(y), condition->dtype, ab_data_of(condition),
                          ab_data_of(a), ab_data_of(b));
  }
  y = ab_record(y, &where_op, (AbTensor *[]){a, b}, 2);
  ab_save(y, 0, ab_detach(condition));
  return y;
}

/* ---- low <= x <= high ------------------------------------------------------------------------ */

static const AbOp clamp_grad_op = {"clamp_grad", NULL};

static void clamp_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  if (!y->ctx->differentiable) {
    ab_accumulate(y, 0, ab_binary_by(&clamp_grad_op, K_CLAMP_GRAD, g, x, y->reals[0], y->reals[1]));
    return;
  }
  AbTensor *low = ab_full(y->ctx, y->dtype, ab_scalar_shape(), y->reals[0]);
  AbTensor *high = ab_full(y->ctx, y->dtype, ab_scalar_shape(), y->reals[1]);
  AbTensor *inside = ab_mul(ab_greater_equal(x, low), ab_less_equal(x, high));
  ab_accumulate(y, 0, ab_mul(g, inside));
}
static const AbOp clamp_op = {"clamp", clamp_backward};

AbTensor *ab_clamp(AbTensor *x, double low, double high) {
  if (!ab_is_real(x, "clamp")) return NULL;
  if (!(low <= high)) {
    ab_error(x->ctx, AB_CONFIG, "clamp: the bounds %g and %g are not in order", low, high);
    return NULL;
  }
  return ab_unary_by(&clamp_op, K_CLAMP, x, low, high);
}

/* ---- straight through ------------------------------------------------------------------------ */

static void straight_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, g);
}
static const AbOp straight_op = {"straight_through", straight_backward};

AbTensor *ab_straight_through(AbTensor *forward_value, AbTensor *x) {
  if (!ab_fit("straight_through", forward_value, x)) return NULL;
  if (!ab_same_shape(forward_value, x)) {
    char a[220], b[220];
    ab_error(x->ctx, AB_CONFIG, "straight_through: a value of %s for %s; wanted is one shape",
             ab_tensor_text(forward_value, a, sizeof a), ab_tensor_text(x, b, sizeof b));
    return NULL;
  }
  AbTensor *y = ab_tensor_view(forward_value);
  return y ? ab_record(y, &straight_op, &x, 1) : NULL;
}
