/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise operations and broadcasting.
 *
 *   z = f(a, b): the shapes are aligned at the last axis, an axis of 1 stretches; the gradient of a
 *   stretched operand is summed over what it was stretched along.                               */
#include "../internal.h"
#include <string.h>

/* ---- loops ----------------------------------------------------------------------------------- */

static void strides_for(const AbTensor *y, const AbTensor *x, int64_t *stride) {
  for (int32_t i = 0; i < y->rank; i++) {
    int32_t j = i - (y->rank - x->rank);
    stride[i] = j < 0 || x->shape[j] == 1 ? 0 : x->stride[j];
  }
}

static bool mergeable(const AbLoop *loop, int32_t outer, int32_t inner) {
  for (int32_t k = 0; k < AB_OPERANDS; k++)
    if (loop->stride[k][outer] != loop->stride[k][inner] * loop->shape[inner]) return false;
  return true;
}

AbLoop ab_loop(const AbTensor *y, const AbTensor *a, const AbTensor *b) {
  return ab_loop3(y, a, b, NULL);
}

/* The axes of y from the widest stride to the narrowest, so that memory is walked in its order. */
static void order_of(const AbTensor *y, int32_t *axis) {
  for (int32_t i = 0; i < y->rank; i++) {
    int32_t j = i;
    for (; j > 0 && y->stride[axis[j - 1]] < y->stride[i]; j--) axis[j] = axis[j - 1];
    axis[j] = i;
  }
}

AbLoop ab_loop3(const AbTensor *y, const AbTensor *a, const AbTensor *b, const AbTensor *c) {
  AbLoop full = {.rank = y->rank}, loop = {0};
  memcpy(full.shape, y->shape, sizeof full.shape);
  strides_for(y, y, full.stride[0]);
  if (a) strides_for(y, a, full.stride[1]);
  if (b) strides_for(y, b, full.stride[2]);
  if (c) strides_for(y, c, full.stride[3]);
  int32_t axis[AB_MAX_RANK];
  order_of(y, axis);
  for (int32_t n = 0; n < full.rank; n++) {
    int32_t i = axis[n];
    if (full.shape[i] == 1) continue;
    int32_t last = loop.rank - 1;
    loop.shape[loop.rank] = full.shape[i];
    for (int32_t k = 0; k < AB_OPERANDS; k++) loop.stride[k][loop.rank] = full.stride[k][i];
    if (last >= 0 && mergeable(&loop, last, loop.rank)) {
      loop.shape[last] *= full.shape[i];
      for (int32_t k = 0; k < AB_OPERANDS; k++) loop.stride[k][last] = full.stride[k][i];
    } else {
      loop.rank++;
    }
  }
  return loop;
}

bool ab_broadcast(const char *operation, const AbTensor *a, const AbTensor *b, AbShape *shape) {
  int32_t rank = a->rank > b->rank ? a->rank : b->rank;
  *shape = (AbShape){.rank = rank};
  for (int32_t i = 1; i <= rank; i++) {
    int64_t m = i <= a->rank ? a->shape[a->rank - i] : 1;
    int64_t n = i <= b->rank ? b->shape[b->rank - i] : 1;
    if (m != n && m != 1 && n != 1) {
      char left[220], right[220];
      ab_error(a->ctx, AB_CONFIG, "%s: shapes do not fit together: %s and %s", operation,
               ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right));
      return false;
    }
    shape->dims[rank - i] = m == 1 ? n : m;
  }
  return true;
}

AbTensor *ab_sum_to(AbTensor *g, const AbTensor *like) {
  if (!g || ab_same_shape(g, like)) return g;
  uint32_t axes = 0;
  int32_t extra = g->rank - like->rank;
  for (int32_t i = 0; i < g->rank; i++)
    if (i < extra || (like->shape[i - extra] == 1 && g->shape[i] != 1)) axes |= 1u << i;
  AbTensor *sum = ab_sum_axes(g, axes, true);
  return ab_reshape(sum, ab_shape(like));
}

bool ab_belong_together(const char *operation, const AbTensor *a, const AbTensor *b) {
  if (!a || !b || (a == AB_NONE && b == AB_NONE)) return false;
  if (a->ctx == b->ctx) return true;
  if (a == AB_NONE || b == AB_NONE)
    ab_error(a == AB_NONE ? b->ctx : a->ctx, AB_INTERNAL, "%s: AB_NONE is no operand", operation);
  else
    ab_error(a->ctx, AB_INTERNAL, "%s: its operands belong to two contexts", operation);
  return false;
}

bool ab_fit(const char *operation, const AbTensor *a, const AbTensor *b) {
  if (!ab_belong_together(operation, a, b) || !ab_is_real(a, operation) ||
      !ab_is_real(b, operation))
    return false;
  if (a->dtype != b->dtype) {
    char left[220], right[220];
    ab_error(a->ctx, AB_CONFIG, "%s: types differ: %s and %s; see ab_cast", operation,
             ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right));
    return false;
  }
  return true;
}

void ab_follow(AbTensor *y, const AbTensor *a, const AbTensor *b) {
  const AbTensor *like = ab_same_shape(y, a) ? a : ab_same_shape(y, b) ? b : NULL;
  if (like && !ab_tensor_dense(like) && ab_tensor_packed(like))
    memcpy(y->stride, like->stride, sizeof y->stride);
}

static AbTensor *combined(const AbOp *op, AbBinary f, AbTensor *a, AbTensor *b,
                          const double *numbers) {
  AbShape shape;
  if (!ab_fit(op->name, a, b) || !ab_broadcast(op->name, a, b, &shape)) return NULL;
  bool shape_only = !a->storage || !b->storage;
  AbTensor *y = ab_tensor_new(a->ctx, a->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  ab_follow(y, a, b);
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbLoop loop = ab_loop(y, a, b);
    const AbDevice *device = y->ctx->device;
    if (numbers)
      device->binary_by(f, y->dtype, &loop, ab_data_of(y), ab_data_of(a), ab_data_of(b), numbers[0],
                        numbers[1]);
    else
      device->binary(f, y->dtype, &loop, ab_data_of(y), ab_data_of(a), ab_data_of(b));
  }
  if (!op->backward) return y;
  return ab_record(y, op, (AbTensor *[]){a, b}, 2);
}

AbTensor *ab_binary(const AbOp *op, AbBinary f, AbTensor *a, AbTensor *b) {
  return combined(op, f, a, b, NULL);
}

AbTensor *ab_binary_by(const AbOp *op, AbBinary f, AbTensor *a, AbTensor *b, double p, double q) {
  return combined(op, f, a, b, (double[]){p, q});
}

void ab_give(AbTensor *y, int32_t i, AbTensor *g) {
  ab_accumulate(y, i, ab_sum_to(g, y->inputs[i]));
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static void add_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_give(y, 0, g);
  if (ab_wants(y, 1)) ab_give(y, 1, g);
}
static const AbOp add_op = {"add", add_backward};

AbTensor *ab_add(AbTensor *a, AbTensor *b) {
  return ab_binary(&add_op, K_ADD, a, b);
}

static void sub_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_give(y, 0, g);
  if (ab_wants(y, 1)) ab_give(y, 1, ab_neg(g));
}
static const AbOp sub_op = {"sub", sub_backward};

AbTensor *ab_sub(AbTensor *a, AbTensor *b) {
  return ab_binary(&sub_op, K_SUB, a, b);
}

static void mul_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_give(y, 0, ab_mul(g, y->inputs[1]));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_mul(g, y->inputs[0]));
}
static const AbOp mul_op = {"mul", mul_backward};

AbTensor *ab_mul(AbTensor *a, AbTensor *b) {
  return ab_binary(&mul_op, K_MUL, a, b);
}

static void div_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  AbTensor *q = ab_div(g, b);
  if (ab_wants(y, 0)) ab_give(y, 0, q);
  if (ab_wants(y, 1)) ab_give(y, 1, ab_neg(ab_mul(q, ab_div(a, b))));
}
static const AbOp div_op = {"div", div_backward};

AbTensor *ab_div(AbTensor *a, AbTensor *b) {
  return ab_binary(&div_op, K_DIV, a, b);
}

static void minimum_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_give(y, 0, ab_mul(g, ab_less_equal(a, b)));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_mul(g, ab_greater(a, b)));
}
static const AbOp minimum_op = {"minimum", minimum_backward};

AbTensor *ab_minimum(AbTensor *a, AbTensor *b) {
  return ab_binary(&minimum_op, K_MIN, a, b);
}

static void maximum_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_give(y, 0, ab_mul(g, ab_less_equal(b, a)));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_mul(g, ab_greater(b, a)));
}
static const AbOp maximum_op = {"maximum", maximum_backward};

AbTensor *ab_maximum(AbTensor *a, AbTensor *b) {
  return ab_binary(&maximum_op, K_MAX, a, b);
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static const AbOp greater_op = {"greater", NULL};
static const AbOp greater_equal_op = {"greater_equal", NULL};
static const AbOp less_op = {"less", NULL};
static const AbOp less_equal_op = {"less_equal", NULL};
static const AbOp equal_op = {"equal", NULL};
static const AbOp not_equal_op = {"not_equal", NULL};

AbTensor *ab_equal(AbTensor *a, AbTensor *b) {
  return ab_binary(&equal_op, K_EQUAL, a, b);
}

AbTensor *ab_not_equal(AbTensor *a, AbTensor *b) {
  return ab_binary(&not_equal_op, K_NOT_EQUAL, a, b);
}

AbTensor *ab_greater(AbTensor *a, AbTensor *b) {
  return ab_binary(&greater_op, K_GREATER, a, b);
}

AbTensor *ab_greater_equal(AbTensor *a, AbTensor *b) {
  return ab_fit("greater_equal", a, b) ? ab_binary(&greater_equal_op, K_NOT_GREATER, b, a) : NULL;
}

AbTensor *ab_less(AbTensor *a, AbTensor *b) {
  return ab_fit("less", a, b) ? ab_binary(&less_op, K_GREATER, b, a) : NULL;
}

AbTensor *ab_less_equal(AbTensor *a, AbTensor *b) {
  return ab_binary(&less_equal_op, K_NOT_GREATER, a, b);
}
