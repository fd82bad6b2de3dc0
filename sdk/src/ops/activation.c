/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations. Each has a derivative that can be computed from its result alone, so that the fused
 * linear layer keeps nothing else:
 *   sigmoid y (1 - y)     tanh 1 - y^2     relu y > 0     softplus 1 - exp(-y)
 * The gradients are operations of their own, with backward rules in turn.                        */
#include "../internal.h"

const char *const ab_activation_names[] = {"identity", "sigmoid", "tanh", "relu", "softplus", NULL};

/* The gradient g of an activation with result y, as an operation of (g, y). */
static AbTensor *gradient_of(AbActivation f, AbTensor *g, AbTensor *y);

/* d/dg and d/dy of g y (1 - y) */
static void sigmoid_grad_backward(AbTensor *z, AbTensor *h) {
  AbTensor *g = z->inputs[0], *y = z->inputs[1];
  if (ab_wants(z, 0)) ab_accumulate(z, 0, gradient_of(AB_SIGMOID, h, y));
  if (ab_wants(z, 1)) ab_accumulate(z, 1, ab_mul(ab_mul(h, g), ab_affine(y, -2, 1)));
}
static const AbOp sigmoid_grad_op = {"sigmoid_grad", sigmoid_grad_backward};

/* of g (1 - y^2) */
static void tanh_grad_backward(AbTensor *z, AbTensor *h) {
  AbTensor *g = z->inputs[0], *y = z->inputs[1];
  if (ab_wants(z, 0)) ab_accumulate(z, 0, gradient_of(AB_TANH, h, y));
  if (ab_wants(z, 1)) ab_accumulate(z, 1, ab_mul(ab_mul(h, g), ab_affine(y, -2, 0)));
}
static const AbOp tanh_grad_op = {"tanh_grad", tanh_grad_backward};

/* of y > 0 ? g : 0, which does not change with y */
static void relu_grad_backward(AbTensor *z, AbTensor *h) {
  if (ab_wants(z, 0)) ab_accumulate(z, 0, gradient_of(AB_RELU, h, z->inputs[1]));
}
static const AbOp relu_grad_op = {"relu_grad", relu_grad_backward};

/* of g (1 - exp(-y)) */
static void softplus_grad_backward(AbTensor *z, AbTensor *h) {
  AbTensor *g = z->inputs[0], *y = z->inputs[1];
  if (ab_wants(z, 0)) ab_accumulate(z, 0, gradient_of(AB_SOFTPLUS, h, y));
  if (ab_wants(z, 1)) ab_accumulate(z, 1, ab_mul(ab_mul(h, g), ab_exp(ab_neg(y))));
}
static const AbOp softplus_grad_op = {"softplus_grad", softplus_grad_backward};

static AbTensor *gradient_of(AbActivation f, AbTensor *g, AbTensor *y) {
  switch (f) {
  case AB_SIGMOID: return ab_binary(&sigmoid_grad_op, K_SIGMOID_GRAD, g, y);
  case AB_TANH: return ab_binary(&tanh_grad_op, K_TANH_GRAD, g, y);
  case AB_RELU: return ab_binary(&relu_grad_op, K_RELU_GRAD, g, y);
  case AB_SOFTPLUS: return ab_binary(&softplus_grad_op, K_SOFTPLUS_GRAD, g, y);
  default: return g;
  }
}

static void activation_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, gradient_of(y->ints[0], g, y));
}
static const AbOp ops[] = {
    [AB_SIGMOID] = {"sigmoid", activation_backward},
    [AB_TANH] = {"tanh", activation_backward},
    [AB_RELU] = {"relu", activation_backward},
    [AB_SOFTPLUS] = {"softplus", activation_backward},
};
static const AbUnary kernels[] = {
    [AB_SIGMOID] = K_SIGMOID,
    [AB_TANH] = K_TANH,
    [AB_RELU] = K_RELU,
    [AB_SOFTPLUS] = K_SOFTPLUS,
};

static bool exists(AbActivation f, AbContext *ctx) {
  if (f >= AB_IDENTITY && f <= AB_SOFTPLUS) return true;
  ab_error(ctx, AB_INTERNAL, "there is no activation %lld", (long long)f);
  return false;
}

AbTensor *ab_activate(AbActivation f, AbTensor *x) {
  if (!x || f == AB_IDENTITY) return x;
  if (!exists(f, x->ctx)) return NULL;
  if (!ab_is_real(x, ops[f].name) || !(x = ab_packed(x))) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage)
    x->ctx->device->unary(kernels[f], x->dtype, ab_tensor_count(x), ab_data_of(y), ab_data_of(x));
  y->ints[0] = f;
  return ab_record(y, &ops[f], &x, 1);
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

/* ---- activation(x W + b) ----------------------------------------------------------------------
 *   h = g f'(y);   dW = x' h;   db = sum of the rows of h;   dx = h W' */
static void linear_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *W = y->inputs[1];
  AbTensor *h = gradient_of(y->ints[0], g, y);
  if (ab_wants(y, 1)) ab_accumulate_product(y, 1, ab_transpose(x, 0, 1), h);
  if (y->input_count == 3 && ab_wants(y, 2)) ab_accumulate(y, 2, ab_sum_axes(h, 1, false));
  if (ab_wants(y, 0)) ab_accumulate_product(y, 0, h, ab_transpose(W, 0, 1));
}
static const AbOp linear_op = {"linear", linear_backward};

static bool linear_fits(const AbTensor *x, const AbTensor *W, const AbTensor *b) {
  bool biased = b != AB_NONE;
  if (x->rank == 2 && W->rank == 2 && x->shape[1] == W->shape[0] && x->dtype == W->dtype &&
      (!biased || (b->rank == 1 && b->shape[0] == W->shape[1] && b->dtype == W->dtype)))
    return true;
  char xs[220], Ws[220], bs[220] = "none";
  if (biased) ab_tensor_text(b, bs, sizeof bs);
  ab_error(x->ctx, AB_CONFIG,
           "linear: x of %s, W of %s and b of %s do not fit; wanted are x [n, in], W [in, out], "
           "b [out] of one type",
           ab_tensor_text(x, xs, sizeof xs), ab_tensor_text(W, Ws, sizeof Ws), bs);
  return false;
}

AbTensor *ab_linear(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation f) {
  if (!b || !ab_belong_together("linear", x, W) || !ab_is_real(x, "linear") ||
      !ab_is_real(W, "linear") || !exists(f, x->ctx))
    return NULL;
  if (b != AB_NONE && !ab_belong_together("linear", x, b)) return NULL;
  if (!linear_fits(x, W, b)) return NULL;
  if (b != AB_NONE && !(b = ab_dense(b))) return NULL;
  bool shape_only = !x->storage || !W->storage || ab_is_shape_only(b);
  AbTensor *y =
      ab_tensor_new(x->ctx, x->dtype, 2, (int64_t[]){x->shape[0], W->shape[1]}, shape_only);
  if (!y) return NULL;
  ab_multiply(y, x, W, 0);
  if (!shape_only)
    y->ctx->device->bias_activate(y->dtype, f, y->shape[0], y->shape[1], ab_data_of(y),
                                  b == AB_NONE ? NULL : ab_data_of(b));
  y->ints[0] = f;
  return ab_record(y, &linear_op, (AbTensor *[]){x, W, b}, b == AB_NONE ? 2 : 3);
}
