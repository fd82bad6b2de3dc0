/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations. A gradient is taken by a kernel in one pass, from the result y or the argument x;
 * where it is to be differentiated in turn, it is g times a slope made of operations.            */
#include "../device/activations.h"
#include "../internal.h"

#define NAMES                                                                                   \
  "identity", "sigmoid", "tanh", "relu", "softplus", "hard-tanh", "relu6", "leaky-relu", "elu", \
      "selu", "gelu", "gelu-tanh", "swish", "mish", "softsign", "bent-identity", "gaussian",    \
      "step", "sign", "tanhshrink", "hard-sigmoid", "hard-swish", "log-sigmoid", "exponential"
const char *const ab_activation_names[] = {NAMES, NULL};
const char *const ab_output_activation_names[] = {"auto", NAMES, NULL};
_Static_assert(sizeof ab_activation_names / sizeof *ab_activation_names == AB_ACTIVATIONS + 1,
               "one name for each activation");

/* ---- slopes ---------------------------------------------------------------------------------- */

static AbTensor *number(AbTensor *like, double value) {
  return ab_full(like->ctx, like->dtype, ab_scalar_shape(), value);
}

static AbTensor *above(AbTensor *x, double bound) {
  return ab_greater(x, number(x, bound));
}

static AbTensor *within(AbTensor *x, double low, double high) {
  return ab_mul(above(x, low), ab_less(x, number(x, high)));
}

/* y > 0 ? scale : y + shift */
static AbTensor *elu_slope(AbTensor *y, double scale, double shift) {
  return ab_where(above(y, 0), number(y, scale), ab_affine(y, 1, shift));
}

/* Of the result. */
static AbTensor *slope_by_result(AbActivation f, AbTensor *y) {
  switch (f) {
  case AB_SIGMOID: return ab_mul(y, ab_affine(y, -1, 1));
  case AB_TANH: return ab_affine(ab_square(y), -1, 1);
  case AB_RELU: return above(y, 0);
  case AB_SOFTPLUS: return ab_neg(ab_expm1(ab_neg(y)));
  case AB_HARD_TANH: return within(y, -1, 1);
  case AB_RELU6: return within(y, 0, 6);
  case AB_LEAKY_RELU: return ab_affine(above(y, 0), 1 - AB_LEAKY_SLOPE, AB_LEAKY_SLOPE);
  case AB_ELU: return elu_slope(y, 1, 1);
  case AB_SELU: return elu_slope(y, AB_SELU_SCALE, AB_SELU_SCALE * AB_SELU_ALPHA);
  case AB_SOFTSIGN: return ab_square(ab_affine(ab_abs(y), -1, 1));
  case AB_HARD_SIGMOID: return ab_affine(within(y, 0, 1), 1.0 / 6, 0);
  case AB_LOG_SIGMOID: return ab_neg(ab_expm1(y));
  default: return y; /* of the exponential */
  }
}

/* sqrt(2 / pi), twice it, and what it makes of 0.044715 */
#define GELU_SCALE 0.79788456080286535588

static AbTensor *gelu_slope(AbTensor *x) {
  AbTensor *below = ab_affine(ab_erf(ab_affine(x, 0.70710678118654752440, 0)), 0.5, 0.5);
  AbTensor *density = ab_affine(ab_exp(ab_affine(ab_square(x), -0.5, 0)), 0.5 * GELU_SCALE, 0);
  return ab_add(below, ab_mul(x, density));
}

static AbTensor *gelu_tanh_slope(AbTensor *x) {
  AbTensor *square = ab_square(x);
  AbTensor *u = ab_mul(x, ab_affine(square, 2 * GELU_SCALE * 0.044715, 2 * GELU_SCALE));
  AbTensor *s = ab_sigmoid(u);
  AbTensor *inner = ab_affine(square, 6 * GELU_SCALE * 0.044715, 2 * GELU_SCALE);
  return ab_add(s, ab_mul(ab_mul(x, ab_mul(s, ab_affine(s, -1, 1))), inner));
}

static AbTensor *swish_slope(AbTensor *x) {
  AbTensor *s = ab_sigmoid(x);
  return ab_mul(s, ab_affine(ab_mul(x, ab_affine(s, -1, 1)), 1, 1));
}

static AbTensor *mish_slope(AbTensor *x) {
  AbTensor *t = ab_tanh(ab_softplus(x));
  return ab_add(t, ab_mul(ab_mul(x, ab_affine(ab_square(t), -1, 1)), ab_sigmoid(x)));
}

static AbTensor *hard_swish_slope(AbTensor *x) {
  AbTensor *middle = ab_mul(within(x, -3, 3), ab_affine(x, 1.0 / 3, 0.5));
  return ab_add(middle, ab_greater_equal(x, number(x, 3)));
}

/* Of the argument. */
static AbTensor *slope_by_argument(AbActivation f, AbTensor *x) {
  switch (f) {
  case AB_GELU: return gelu_slope(x);
  case AB_GELU_TANH: return gelu_tanh_slope(x);
  case AB_SWISH: return swish_slope(x);
  case AB_MISH: return mish_slope(x);
  case AB_BENT_IDENTITY:
    return ab_affine(ab_mul(x, ab_rsqrt(ab_affine(ab_square(x), 1, 1))), 0.5, 1);
  case AB_GAUSSIAN: return ab_mul(ab_affine(x, -2, 0), ab_activate(AB_GAUSSIAN, x));
  case AB_TANHSHRINK: return ab_square(ab_tanh(x));
  default: return hard_swish_slope(x);
  }
}

/* ---- gradients ------------------------------------------------------------------------------- */

static const AbOp gradient_op = {"gradient of an activation", NULL};

static AbTensor *gradient_of(AbActivation f, AbTensor *g, AbTensor *of) {
  if (f == AB_IDENTITY || !of) return g;
  AbActivationKernels kernels = ab_activation_kernels(f);
  if (!of->ctx->differentiable) return ab_binary(&gradient_op, kernels.gradient, g, of);
  return ab_mul(g, kernels.slope == AB_SLOPE_OF_RESULT ? slope_by_result(f, of)
                                                       : slope_by_argument(f, of));
}

bool ab_activation_by_result(AbActivation f) {
  return ab_activation_kernels(f).slope == AB_SLOPE_OF_RESULT;
}

AbTensor *ab_activation_gradient(AbActivation f, AbTensor *g, AbTensor *y) {
  return gradient_of(f, g, y);
}

static void activation_backward(AbTensor *y, AbTensor *g) {
  AbActivation f = y->ints[0];
  ab_accumulate(y, 0, gradient_of(f, g, ab_activation_by_result(f) ? y : y->inputs[0]));
}

#define OP(f, name) [f] = {name, activation_backward}
static const AbOp ops[AB_ACTIVATIONS] = {
    OP(AB_SIGMOID, "sigmoid"),
    OP(AB_TANH, "tanh"),
    OP(AB_RELU, "relu"),
    OP(AB_SOFTPLUS, "softplus"),
    OP(AB_HARD_TANH, "hard-tanh"),
    OP(AB_RELU6, "relu6"),
    OP(AB_LEAKY_RELU, "leaky-relu"),
    OP(AB_ELU, "elu"),
    OP(AB_SELU, "selu"),
    OP(AB_GELU, "gelu"),
    OP(AB_GELU_TANH, "gelu-tanh"),
    OP(AB_SWISH, "swish"),
    OP(AB_MISH, "mish"),
    OP(AB_SOFTSIGN, "softsign"),
    OP(AB_BENT_IDENTITY, "bent-identity"),
    OP(AB_GAUSSIAN, "gaussian"),
    [AB_STEP] = {"step", NULL},
    [AB_SIGN] = {"sign", NULL},
    OP(AB_TANHSHRINK, "tanhshrink"),
    OP(AB_HARD_SIGMOID, "hard-sigmoid"),
    OP(AB_HARD_SWISH, "hard-swish"),
    OP(AB_LOG_SIGMOID, "log-sigmoid"),
    OP(AB_EXPONENTIAL, "exponential"),
};

bool ab_activation_exists(AbActivation f, AbContext *ctx) {
  if (f >= 0 && f < AB_ACTIVATIONS) return true;
  ab_error(ctx, AB_INTERNAL, "there is no activation %lld", (long long)f);
  return false;
}

AbTensor *ab_activate(AbActivation f, AbTensor *x) {
  if (!x || f == AB_IDENTITY) return x;
  if (x == AB_NONE || !ab_activation_exists(f, x->ctx)) return NULL;
  AbTensor *y = ab_unary(&ops[f], ab_activation_kernels(f).f, x);
  if (y) y->ints[0] = f;
  return y;
}

/* Looks through changes of shape. */
AbTensor *ab_sigmoid_argument(AbTensor *y) {
  if (y->op == &ops[AB_SIGMOID]) return y->inputs[0];
  if (y->op != &ab_reshape_op) return NULL;
  AbTensor *x = ab_sigmoid_argument(y->inputs[0]);
  return x ? ab_reshape(x, ab_shape(y)) : NULL;
}

AbTensor *ab_sigmoid(AbTensor *x) {
  return ab_activate(AB_SIGMOID, x);
}

AbTensor *ab_tanh(AbTensor *x) {
  return ab_activate(AB_TANH, x);
}

AbTensor *ab_relu(AbTensor *x) {
  return ab_activate(AB_RELU, x);
}

AbTensor *ab_softplus(AbTensor *x) {
  return ab_activate(AB_SOFTPLUS, x);
}
