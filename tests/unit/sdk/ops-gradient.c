/* SPDX-License-Identifier: Apache-2.0
 *
 * First and second derivatives of every operation against central differences in f64. */
#include "gradient-test.h"
#include <math.h>
#include <string.h>

/* ---- functions ------------------------------------------------------------------------------- */

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(minimum)
BINARY(maximum)
BINARY(matmul)
BINARY(binary_cross_entropy)
UNARY(neg)
UNARY(abs)
UNARY(square)
UNARY(sqrt)
UNARY(exp)
UNARY(log)
UNARY(sigmoid)
UNARY(tanh)
UNARY(relu)
UNARY(softplus)
UNARY(flatten)
UNARY(sum)
UNARY(mean)
UNARY(softmax)
UNARY(log_softmax)
FUNCTION(affine, ab_affine(x[0], -2.5, 0.75))
FUNCTION(twice, ab_add(x[0], x[0]))
FUNCTION(self_product, ab_mul(x[0], x[0]))
FUNCTION(self_quotient, ab_div(x[0], ab_square(x[0])))
FUNCTION(identity, ab_mul(ab_activate(AB_IDENTITY, x[0]), x[0]))
FUNCTION(activated, ab_activate(AB_TANH, x[0]))
FUNCTION(reshape, ab_reshape(x[0], AB_SHAPE(5, -1)))
FUNCTION(reshape_twice, ab_square(ab_reshape(ab_reshape(x[0], AB_SHAPE(-1)), AB_SHAPE(5, 7))))
FUNCTION(transpose, ab_transpose(x[0], 0, -1))
FUNCTION(transpose_square, ab_square(ab_transpose(x[0], 0, 1)))
FUNCTION(slice, ab_slice(x[0], -1, 1, 3))
FUNCTION(slice_square, ab_square(ab_slice(ab_slice(x[0], 0, 2, 7), 1, 0, 4)))
FUNCTION(slice_empty, ab_add(ab_sum(ab_slice(x[0], 0, 2, 2)), ab_sum(x[0])))
FUNCTION(broadcast, ab_broadcast_to(x[0], AB_SHAPE(4, 3, 5, 4)))
FUNCTION(broadcast_square, ab_square(ab_broadcast_to(x[0], AB_SHAPE(3, 2, 3))))
FUNCTION(cast, ab_square(ab_cast(ab_transpose(x[0], 0, 1), AB_F64)))
FUNCTION(sum_first, ab_square(ab_sum_axes(x[0], 1, false)))
FUNCTION(sum_last, ab_square(ab_sum_axes(x[0], 4, true)))
FUNCTION(sum_middle, ab_square(ab_sum_axes(x[0], 2, false)))
FUNCTION(sum_outer, ab_square(ab_sum_axes(x[0], 5, true)))
FUNCTION(sum_none, ab_square(ab_sum_axes(x[0], 0, false)))
FUNCTION(sum_scalar, ab_square(ab_sum(ab_square(x[0]))))
FUNCTION(mean_first, ab_square(ab_mean_axes(x[0], 1, true)))
FUNCTION(mean_last, ab_square(ab_mean_axes(x[0], 4, false)))
FUNCTION(sum_eight, ab_square(ab_sum_axes(x[0], 0xa5, false)))
FUNCTION(linear_plain, ab_linear(x[0], x[1], AB_NONE, AB_IDENTITY))
FUNCTION(linear_tanh_plain, ab_linear(x[0], x[1], AB_NONE, AB_TANH))
FUNCTION(linear_identity, ab_linear(x[0], x[1], x[2], AB_IDENTITY))
FUNCTION(linear_sigmoid, ab_linear(x[0], x[1], x[2], AB_SIGMOID))
FUNCTION(linear_tanh, ab_linear(x[0], x[1], x[2], AB_TANH))
FUNCTION(linear_relu, ab_linear(x[0], x[1], x[2], AB_RELU))
FUNCTION(linear_softplus, ab_linear(x[0], x[1], x[2], AB_SOFTPLUS))
FUNCTION(product_self, ab_matmul(x[0], ab_transpose(x[0], 0, 1)))
FUNCTION(bce_sigmoid, ab_binary_cross_entropy(ab_sigmoid(x[0]), x[1]))
FUNCTION(bce_reshaped,
         ab_binary_cross_entropy(ab_reshape(ab_flatten(ab_sigmoid(x[0])), AB_SHAPE(5, 7)),
                                 ab_transpose(x[1], 0, 1)))

static AbTensor *cross_entropy_of(AbTensor *const *x) {
  uint8_t labels[7] = {4, 0, 2, 2, 1, 3, 0};
  return ab_cross_entropy(x[0], ab_from(ab_context_of(x[0]), AB_U8, AB_SHAPE(7), labels));
}

#define MATRIX   DIMS(7, 5)
#define EVERYONE DIMS(1, 2, 1, 2, 2, 1, 2, 1)
#define ANY_SHAPE(name, low, high)                                \
  {#name, name##_of, 1, {MATRIX}, low, high},                     \
      {#name "-row", name##_of, 1, {DIMS(1, 3)}, low, high},      \
      {#name "-three", name##_of, 1, {DIMS(3, 1, 4)}, low, high}, \
      {#name "-scalar", name##_of, 1, {{0}}, low, high}, {        \
#name "-eight", name##_of, 1, {EVERYONE }, low, high          \
  }
#define ANY_PAIR(name, low, high)                                             \
  {#name, name##_of, 2, {MATRIX, MATRIX}, low, high},                         \
      {#name "-row", name##_of, 2, {MATRIX, DIMS(5)}, low, high},             \
      {#name "-rows", name##_of, 2, {DIMS(1, 5), DIMS(7, 5)}, low, high},     \
      {#name "-outer", name##_of, 2, {DIMS(1, 3), DIMS(7, 1)}, low, high},    \
      {#name "-three", name##_of, 2, {DIMS(3, 1, 4), DIMS(2, 1)}, low, high}, \
      {#name "-scalar", name##_of, 2, {{0}, MATRIX}, low, high},              \
      {#name "-scalars", name##_of, 2, {{0}, {0}}, low, high}, {              \
#name "-eight", name##_of, 2, {EVERYONE, DIMS(2, 1, 2, 1, 1) }, low, high \
  }

static const SdkGradientCase cases[] = {
    ANY_PAIR(add, -2, 2),
    ANY_PAIR(sub, -2, 2),
    ANY_PAIR(mul, -2, 2),
    ANY_PAIR(div, 0.5, 2),
    ANY_PAIR(minimum, -2, 2),
    ANY_PAIR(maximum, -2, 2),
    ANY_SHAPE(affine, -2, 2),
    ANY_SHAPE(neg, -2, 2),
    ANY_SHAPE(abs, -2, 2),
    ANY_SHAPE(square, -2, 2),
    ANY_SHAPE(sqrt, 0.25, 4),
    ANY_SHAPE(exp, -2, 2),
    ANY_SHAPE(log, 0.25, 4),
    ANY_SHAPE(sigmoid, -4, 4),
    ANY_SHAPE(tanh, -2, 2),
    ANY_SHAPE(relu, -2, 2),
    ANY_SHAPE(softplus, -4, 4),
    ANY_SHAPE(activated, -2, 2),
    ANY_SHAPE(identity, -2, 2),
    ANY_SHAPE(twice, -2, 2),
    ANY_SHAPE(self_product, -2, 2),
    ANY_SHAPE(self_quotient, 0.5, 2),
    ANY_SHAPE(sum, -2, 2),
    ANY_SHAPE(mean, -2, 2),
    ANY_SHAPE(sum_scalar, -1, 1),
    ANY_SHAPE(sum_none, -1, 1),
    {"reshape", reshape_of, 1, {MATRIX}, -2, 2},
    {"reshape-twice", reshape_twice_of, 1, {MATRIX}, -2, 2},
    {"flatten", flatten_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"flatten-eight", flatten_of, 1, {EVERYONE}, -2, 2},
    {"transpose", transpose_of, 1, {DIMS(3, 1, 4)}, -2, 2},
    {"transpose-square", transpose_square_of, 1, {MATRIX}, -2, 2},
    {"slice", slice_of, 1, {DIMS(3, 1, 4)}, -2, 2},
    {"slice-square", slice_square_of, 1, {MATRIX}, -2, 2},
    {"slice-empty", slice_empty_of, 1, {MATRIX}, -2, 2},
    {"broadcast", broadcast_of, 1, {DIMS(3, 1, 4)}, -2, 2},
    {"broadcast-square", broadcast_square_of, 1, {DIMS(1, 3)}, -2, 2},
    {"cast", cast_of, 1, {MATRIX}, -2, 2},
    {"sum-first", sum_first_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"sum-last", sum_last_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"sum-middle", sum_middle_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"sum-outer", sum_outer_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"sum-eight", sum_eight_of, 1, {EVERYONE}, -2, 2},
    {"mean-first", mean_first_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"mean-last", mean_last_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"softmax", softmax_of, 1, {MATRIX}, -2, 2},
    {"softmax-three", softmax_of, 1, {DIMS(3, 1, 4)}, -2, 2},
    {"log-softmax", log_softmax_of, 1, {MATRIX}, -2, 2},
    {"log-softmax-vector", log_softmax_of, 1, {DIMS(5)}, -2, 2},
    {"matmul", matmul_of, 2, {MATRIX, DIMS(5, 3)}, -1, 1},
    {"matmul-column", matmul_of, 2, {DIMS(1, 3), DIMS(3, 1)}, -1, 1},
    {"matmul-outer", matmul_of, 2, {DIMS(4, 1), DIMS(1, 6)}, -1, 1},
    {"matmul-self", product_self_of, 1, {DIMS(4, 3)}, -1, 1},
    {"linear-plain", linear_plain_of, 2, {MATRIX, DIMS(5, 3)}, -1, 1},
    {"linear-tanh-plain", linear_tanh_plain_of, 2, {MATRIX, DIMS(5, 3)}, -1, 1},
    {"linear-identity", linear_identity_of, 3, {MATRIX, DIMS(5, 3), DIMS(3)}, -1, 1},
    {"linear-sigmoid", linear_sigmoid_of, 3, {MATRIX, DIMS(5, 3), DIMS(3)}, -1, 1},
    {"linear-tanh", linear_tanh_of, 3, {MATRIX, DIMS(5, 3), DIMS(3)}, -1, 1},
    {"linear-relu", linear_relu_of, 3, {MATRIX, DIMS(5, 3), DIMS(3)}, -1, 1},
    {"linear-softplus", linear_softplus_of, 3, {MATRIX, DIMS(5, 3), DIMS(3)}, -1, 1},
    {"linear-one", linear_tanh_of, 3, {DIMS(1, 1), DIMS(1, 1), DIMS(1)}, -1, 1},
    {"cross-entropy", cross_entropy_of, 1, {MATRIX}, -2, 2},
    {"bce", binary_cross_entropy_of, 2, {MATRIX, MATRIX}, 0.1, 0.9},
    {"bce-sigmoid", bce_sigmoid_of, 2, {MATRIX, MATRIX}, 0.1, 0.9},
    {"bce-reshaped", bce_reshaped_of, 2, {MATRIX, MATRIX}, 0.1, 0.9},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, cases, G_N_ELEMENTS(cases));
}

/* ---- what differences cannot say ------------------------------------------------------------- */

/* The gradient of a sum passes a change of type rounded to the other type, and no integers. */
static void test_cast(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double c[3] = {0.1, -1.0 / 3, 1e30}, x[3] = {1, 2, 3};
  AbTensor *leaf = sdk_tensor(ctx, AB_SHAPE(3), x);
  ab_require_grad(leaf);
  AbTensor *narrow = ab_cast(leaf, AB_F32);
  g_assert_cmpint(ab_dtype(narrow), ==, AB_F32);
  ab_backward(ab_sum(ab_mul(ab_cast(narrow, AB_F64), sdk_tensor(ctx, AB_SHAPE(3), c))));
  g_assert_cmpint(ab_dtype(ab_gradient(leaf)), ==, AB_F64);
  g_autofree double *g = sdk_values(ab_gradient(leaf));
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(g[i], ==, (double)(float)c[i]);
  g_assert_false(ab_requires_grad(ab_cast(leaf, AB_I64)));
  sdk_finish(ctx);
}

static void assert_gradient(AbTensor *leaf, const double *wanted) {
  g_autofree double *g = sdk_values(ab_gradient(leaf));
  for (int64_t i = 0; i < ab_count(leaf); i++) g_assert_cmpfloat(g[i], ==, wanted[i]);
}

/* At the kinks: as ops.h promises. */
static void test_kinks(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[3] = {-1, 0, 2}, y[3] = {-1, 1, 1};
  AbTensor *(*const functions[])(AbTensor *) = {ab_abs, ab_relu};
  const double slopes[2][3] = {{-1, 0, 1}, {0, 0, 1}};
  for (int i = 0; i < 2; i++) {
    AbTensor *leaf = sdk_tensor(ctx, AB_SHAPE(3), x);
    ab_require_grad(leaf);
    ab_backward(ab_sum(functions[i](leaf)));
    assert_gradient(leaf, slopes[i]);
  }
  AbTensor *(*const pairs[])(AbTensor *, AbTensor *) = {ab_minimum, ab_maximum};
  const double to_a[2][3] = {{1, 1, 0}, {1, 0, 1}}, to_b[2][3] = {{0, 0, 1}, {0, 1, 0}};
  for (int i = 0; i < 2; i++) {
    AbTensor *a = sdk_tensor(ctx, AB_SHAPE(3), x), *b = sdk_tensor(ctx, AB_SHAPE(3), y);
    ab_require_grad(a);
    ab_require_grad(b);
    ab_backward(ab_sum(pairs[i](a, b)));
    assert_gradient(a, to_a[i]);
    assert_gradient(b, to_b[i]);
  }
  sdk_finish(ctx);
}

static void test_without_gradient(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[6] = {1, -2, 3, 0.5, 0.25, 4};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 3), values);
  ab_require_grad(x);
  AbTensor *results[] = {
      ab_equal(x, x),  ab_greater(x, x), ab_sign(x), ab_argmax(x), ab_one_hot(ab_argmax(x), 3),
      ab_bernoulli(x), ab_detach(x)};
  for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
    g_assert_nonnull(results[i]);
    g_assert_false(ab_requires_grad(results[i]));
  }
  sdk_finish(ctx);
}

/* Saturated sigmoids: the fused loss keeps the slope that p alone has lost. */
static void test_saturated(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[4] = {800, -800, 60, -60}, t[4] = {0, 1, 1, 0.25};
  const double slopes[4] = {1, -1, 0, -0.25};
  AbTensor *leaf = sdk_tensor(ctx, AB_SHAPE(4), x);
  ab_require_grad(leaf);
  AbTensor *l = ab_binary_cross_entropy(ab_sigmoid(leaf), sdk_tensor(ctx, AB_SHAPE(4), t));
  g_autofree double *losses = sdk_values(l);
  g_assert_cmpfloat(losses[0], ==, 800);
  g_assert_cmpfloat(losses[1], ==, 800);
  ab_backward(ab_sum(l));
  g_autofree double *g = sdk_values(ab_gradient(leaf));
  for (int i = 0; i < 4; i++) g_assert_cmpfloat_with_epsilon(g[i], slopes[i], 1e-15);
  sdk_finish(ctx);
}

/* The second derivative of a cross-entropy of f64 in a context of f32. */
static void test_other_type(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double z[6] = {1, -2, 3, 0.5, 0.25, 4};
  int64_t labels[2] = {2, 0};
  AbTensor *x = sdk_tensor_of(ctx, AB_F64, AB_SHAPE(2, 3), z), *g, *h;
  ab_require_grad(x);
  AbTensor *l = ab_cross_entropy(x, ab_from(ctx, AB_I64, AB_SHAPE(2), labels));
  ab_gradients(ab_sum(l), &x, 1, &g, true);
  sdk_assert_ok(ctx);
  ab_gradients(ab_sum(ab_square(g)), &x, 1, &h, false);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_dtype(h), ==, AB_F64);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/ops-gradient/first", test_first);
  sdk_add("/ops-gradient/second", test_second);
  sdk_add("/ops-gradient/cast", test_cast);
  sdk_add("/ops-gradient/kinks", test_kinks);
  sdk_add("/ops-gradient/without-gradient", test_without_gradient);
  sdk_add("/ops-gradient/saturated", test_saturated);
  sdk_add("/ops-gradient/other-type", test_other_type);
  return g_test_run();
}
