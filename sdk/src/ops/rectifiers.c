/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations with numbers of their own, and those that are drawn. */
#include "../internal.h"
#include <math.h>

static const AbOp gradient_op = {"gradient of an activation", NULL};

static AbTensor *number(AbTensor *like, double value) {
  return ab_full(like->ctx, like->dtype, ab_scalar_shape(), value);
}

static AbTensor *positive(AbTensor *x) {
  return ab_greater(x, number(x, 0));
}

/* ---- x > 0 ? x : slope x --------------------------------------------------------------------- */

static void leaky_relu_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  double slope = y->reals[0];
  if (!y->ctx->differentiable)
    ab_accumulate(y, 0, ab_binary_by(&gradient_op, K_LEAKY_RELU_GRAD, g, x, slope, 0));
  else
    ab_accumulate(y, 0, ab_mul(g, ab_affine(positive(x), 1 - slope, slope)));
}
static const AbOp leaky_relu_op = {"leaky_relu", leaky_relu_backward};

AbTensor *ab_leaky_relu(AbTensor *x, double slope) {
  return ab_unary_by(&leaky_relu_op, K_LEAKY_RELU, x, slope, 0);
}

/* ---- x > 0 ? x : alpha (exp(x) - 1) ---------------------------------------------------------- */

static void elu_backward(AbTensor *y, AbTensor *g) {
  double alpha = y->reals[0];
  if (!y->ctx->differentiable)
    ab_accumulate(y, 0, ab_binary_by(&gradient_op, K_ELU_GRAD, g, y, alpha, 0));
  else
    ab_accumulate(y, 0, ab_mul(g, ab_where(positive(y), number(y, 1), ab_affine(y, 1, alpha))));
}
static const AbOp elu_op = {"elu", elu_backward};

AbTensor *ab_elu(AbTensor *x, double alpha) {
  if (!ab_is_real(x, "elu")) return NULL;
  if (!(alpha >= 0) || isinf(alpha)) {
    ab_error(x->ctx, AB_CONFIG, "elu: an alpha of %g; wanted is one of at least 0", alpha);
    return NULL;
  }
  return ab_unary_by(&elu_op, K_ELU, x, alpha, 0);
}

/* ---- x > 0 ? x : slope x, the slope a tensor ------------------------------------------------- */

static void prelu_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *slope = y->inputs[1];
  if (ab_wants(y, 0)) ab_give(y, 0, ab_mul(g, ab_where(positive(x), number(x, 1), slope)));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_mul(g, ab_minimum(x, number(x, 0))));
}
static const AbOp prelu_op = {"prelu", prelu_backward};

/* A slope [c] as [c, 1, ...], which goes along the channels of x. */
static AbTensor *along_channels(AbTensor *x, AbTensor *slope) {
  AbShape shape = {.rank = ab_tensor_count(slope) == 1 ? 0 : x->rank - 1};
  for (int32_t i = 0; i < shape.rank; i++) shape.dims[i] = i == 0 ? slope->shape[0] : 1;
  return ab_reshape(slope, shape);
}

AbTensor *ab_prelu(AbTensor *x, AbTensor *slope) {
  if (!ab_fit("prelu", x, slope)) return NULL;
  if (ab_tensor_count(slope) != 1 &&
      (x->rank < 2 || slope->rank != 1 || slope->shape[0] != x->shape[1])) {
    char a[220], b[220];
    ab_error(x->ctx, AB_CONFIG,
             "prelu: a slope of %s for x of %s; wanted is one number, or [c] for x [n, c, ...]",
             ab_tensor_text(slope, b, sizeof b), ab_tensor_text(x, a, sizeof a));
    return NULL;
  }
  slope = along_channels(x, slope);
  return slope ? ab_binary(&prelu_op, K_PRELU, x, slope) : NULL;
}

/* ---- drawn ----------------------------------------------------------------------------------- */

AbTensor *ab_rrelu(AbTensor *x, double low, double high) {
  if (!ab_is_real(x, "rrelu")) return NULL;
  if (!(low <= high) || isinf(low) || isinf(high)) {
    ab_error(x->ctx, AB_CONFIG, "rrelu: the bounds %g and %g of the slope are not in order", low,
             high);
    return NULL;
  }
  if (!ab_training(x->ctx)) return ab_leaky_relu(x, (low + high) / 2);
  AbTensor *slope = ab_drawn(x->ctx, K_UNIFORM, x->dtype, ab_shape(x), low, high, NULL);
  return slope ? ab_binary(&prelu_op, K_PRELU, x, slope) : NULL;
}

AbTensor *ab_stochastic_binary(AbTensor *p) {
  return ab_straight_through(ab_bernoulli(p), p);
}
