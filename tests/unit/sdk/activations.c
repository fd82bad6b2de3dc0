/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations: derivatives, devices, PyTorch's values, kinks, and their place in ab_linear. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

#define ACTIVATION(name, f)            \
  FUNCTION(name, ab_activate(f, x[0])) \
  FUNCTION(linear_##name, ab_linear(x[0], x[1], x[2], f))
ACTIVATION(sigmoid, AB_SIGMOID)
ACTIVATION(tanh, AB_TANH)
ACTIVATION(relu, AB_RELU)
ACTIVATION(softplus, AB_SOFTPLUS)
ACTIVATION(hard_tanh, AB_HARD_TANH)
ACTIVATION(relu6, AB_RELU6)
ACTIVATION(leaky_relu, AB_LEAKY_RELU)
ACTIVATION(elu, AB_ELU)
ACTIVATION(selu, AB_SELU)
ACTIVATION(gelu, AB_GELU)
ACTIVATION(gelu_tanh, AB_GELU_TANH)
ACTIVATION(swish, AB_SWISH)
ACTIVATION(mish, AB_MISH)
ACTIVATION(softsign, AB_SOFTSIGN)
ACTIVATION(bent_identity, AB_BENT_IDENTITY)
ACTIVATION(gaussian, AB_GAUSSIAN)
ACTIVATION(tanhshrink, AB_TANHSHRINK)
ACTIVATION(hard_sigmoid, AB_HARD_SIGMOID)
ACTIVATION(hard_swish, AB_HARD_SWISH)
ACTIVATION(log_sigmoid, AB_LOG_SIGMOID)
ACTIVATION(exponential, AB_EXPONENTIAL)
FUNCTION(leaky, ab_leaky_relu(x[0], -0.3))
FUNCTION(elu_by, ab_elu(x[0], 0.4))
FUNCTION(linear_three, ab_linear(x[0], x[1], x[2], AB_TANH))
FUNCTION(linear_one, ab_linear(x[0], x[1], x[2], AB_MISH))
BINARY(prelu)

#define MATRIX DIMS(7, 5)
#define BOTH(name)                                                                       \
  {#name, name##_of, 1, {MATRIX}, -4, 4}, {                                              \
    "linear-" #name, linear_##name##_of, 3, {DIMS(3, 4), DIMS(4, 5), DIMS(5)}, -1.5, 1.5 \
  }

static const SdkGradientCase gradients[] = {
    BOTH(sigmoid),
    BOTH(tanh),
    BOTH(relu),
    BOTH(softplus),
    BOTH(hard_tanh),
    {"relu6", relu6_of, 1, {MATRIX}, -2, 9},
    {"linear-relu6", linear_relu6_of, 3, {DIMS(3, 4), DIMS(4, 5), DIMS(5)}, 0.2, 2.5},
    BOTH(leaky_relu),
    BOTH(elu),
    BOTH(selu),
    BOTH(gelu),
    BOTH(gelu_tanh),
    BOTH(swish),
    BOTH(mish),
    BOTH(softsign),
    BOTH(bent_identity),
    BOTH(gaussian),
    BOTH(tanhshrink),
    BOTH(hard_sigmoid),
    BOTH(hard_swish),
    BOTH(log_sigmoid),
    BOTH(exponential),
    {"leaky", leaky_of, 1, {MATRIX}, -4, 4},
    {"elu_by", elu_by_of, 1, {MATRIX}, -4, 4},
    {"linear-rank-3", linear_three_of, 3, {DIMS(2, 3, 4), DIMS(4, 5), DIMS(5)}, -1, 1},
    {"linear-rank-1", linear_one_of, 3, {DIMS(4), DIMS(4, 5), DIMS(5)}, -1, 1},
    {"linear-rank-8", linear_one_of, 3, {DIMS(1, 2, 1, 2, 1, 1, 2, 3), DIMS(3, 2), DIMS(2)}, -1, 1},
    {"prelu-one", prelu_of, 2, {MATRIX, DIMS(1)}, -2, 2},
    {"prelu-scalar", prelu_of, 2, {MATRIX, {0}}, -2, 2},
    {"prelu-channels", prelu_of, 2, {DIMS(2, 3, 4), DIMS(3)}, -2, 2},
    {"prelu-columns", prelu_of, 2, {MATRIX, DIMS(5)}, -2, 2},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, gradients, G_N_ELEMENTS(gradients));
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients));
}

/* name, function, inputs, range, forward error and floor, backward error and floor */
static const SdkDeviceCase devices[] = {
    {"sigmoid", sigmoid_of, 1, -12, 12, 3, 0, 4, 1},
    {"tanh", tanh_of, 1, -6, 6, 3, 0, 4, 1},
    {"relu", relu_of, 1, -6, 6, 0, 0, 0, 0},
    {"softplus", softplus_of, 1, -12, 12, 3, 0, 5, 0},
    {"hard-tanh", hard_tanh_of, 1, -3, 3, 0, 0, 0, 0},
    {"relu6", relu6_of, 1, -3, 9, 0, 0, 0, 0},
    {"leaky-relu", leaky_relu_of, 1, -6, 6, 1, 0, 1, 0},
    {"elu", elu_of, 1, -6, 6, 2, 0, 3, 1},
    {"selu", selu_of, 1, -6, 6, 4, 0, 3, 2},
    {"gelu", gelu_of, 1, -6, 6, 5, 0, 4, 1},
    {"gelu-tanh", gelu_tanh_of, 1, -6, 6, 6, 0.1, 17, 1},
    {"swish", swish_of, 1, -12, 12, 4, 0, 6, 1},
    {"mish", mish_of, 1, -12, 12, 5, 0, 5, 1},
    {"softsign", softsign_of, 1, -6, 6, 2, 0, 4, 1},
    {"bent-identity", bent_identity_of, 1, -6, 6, 2, 0, 2, 0},
    {"gaussian", gaussian_of, 1, -3, 3, 3, 0, 4, 0},
    {"tanhshrink", tanhshrink_of, 1, -6, 6, 4, 1, 4, 1},
    {"hard-sigmoid", hard_sigmoid_of, 1, -4, 4, 1, 0.1, 1, 0},
    {"hard-swish", hard_swish_of, 1, -4, 4, 2, 1, 2, 1},
    {"log-sigmoid", log_sigmoid_of, 1, -12, 12, 3, 0, 5, 1},
    {"exponential", exponential_of, 1, -12, 12, 2, 0, 3, 0},
    {"leaky", leaky_of, 1, -6, 6, 1, 0, 1, 0},
    {"elu-by", elu_by_of, 1, -6, 6, 3, 0, 3, 1},
};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
    sdk_compare_devices(&devices[i], (AbShape[]){AB_SHAPE(3001)});
    sdk_compare_devices(&devices[i], (AbShape[]){AB_SHAPE(2, 3, 5)});
  }
  SdkDeviceCase prelu = {"prelu", prelu_of, 2, -3, 3, 1, 0, 3, 10};
  sdk_compare_devices(&prelu, (AbShape[]){AB_SHAPE(7, 5, 3), AB_SHAPE(5)});
  sdk_check_threads(devices, G_N_ELEMENTS(devices), (AbShape[]){AB_SHAPE(70001)});
}

#define GOLDEN(name) \
  { #name, name##_of, 0 }
static const SdkGoldenCase golden[] = {
    GOLDEN(sigmoid),      GOLDEN(tanh),         GOLDEN(relu),          GOLDEN(softplus),
    GOLDEN(hard_tanh),    GOLDEN(relu6),        GOLDEN(leaky_relu),    GOLDEN(elu),
    GOLDEN(selu),         GOLDEN(gelu),         GOLDEN(gelu_tanh),     GOLDEN(swish),
    GOLDEN(mish),         GOLDEN(softsign),     GOLDEN(bent_identity), GOLDEN(gaussian),
    GOLDEN(tanhshrink),   GOLDEN(hard_sigmoid), GOLDEN(hard_swish),    GOLDEN(log_sigmoid),
    GOLDEN(exponential),  GOLDEN(leaky),        GOLDEN(elu_by),        GOLDEN(prelu),
    GOLDEN(linear_three),
};
static void test_golden(void) {
  sdk_check_golden("activations", golden, G_N_ELEMENTS(golden));
}

/* ---- by hand --------------------------------------------------------------------------------- */

/* Values and gradients at kinks. */
static void test_kinks(const void *device) {
  static const struct {
    AbActivation f;
    double x, y, slope;
  } rows[] = {
      {AB_RELU, 0, 0, 0},
      {AB_HARD_TANH, 1, 1, 0},
      {AB_HARD_TANH, -1, -1, 0},
      {AB_RELU6, 0, 0, 0},
      {AB_RELU6, 6, 6, 0},
      {AB_LEAKY_RELU, 0, 0, 0.01},
      {AB_ELU, 0, 0, 1},
      {AB_SELU, 0, 0, 1.7580993408473766},
      {AB_HARD_SIGMOID, 3, 1, 0},
      {AB_HARD_SIGMOID, -3, 0, 0},
      {AB_HARD_SWISH, -3, 0, 0},
      {AB_HARD_SWISH, 3, 3, 1},
      {AB_SOFTSIGN, 0, 0, 1},
      {AB_TANHSHRINK, 0, 0, 0},
      {AB_SIGMOID, 800, 1, 0},
      {AB_LOG_SIGMOID, 800, 0, 0},
      {AB_LOG_SIGMOID, -800, -800, 1},
      {AB_GELU, 50, 50, 1},
      {AB_GELU, -50, 0, 0},
      {AB_MISH, 90, 90, 1},
      {AB_SWISH, -800, 0, 0},
      {AB_GELU_TANH, 50, 50, 1},
      {AB_GAUSSIAN, 50, 0, 0},
      {AB_BENT_IDENTITY, 0, 0, 1},
      {AB_BENT_IDENTITY, 3e18, 4.5e18, 1.5},
  };
  for (AbDtype real = AB_F32; real <= AB_F64; real++) {
    AbContext *ctx = sdk_context(device, real);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
      AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1), &rows[i].x);
      ab_require_grad(x);
      AbTensor *y = ab_activate(rows[i].f, x);
      ab_backward(ab_sum(y));
      double scale = fmax(1, fabs(rows[i].y)), error = real == AB_F32 ? 1e-6 : 1e-12;
      g_test_message("%s at %g", ab_activation_names[rows[i].f], rows[i].x);
      g_assert_cmpfloat_with_epsilon(ab_item(y), rows[i].y, error * scale);
      g_assert_cmpfloat_with_epsilon(ab_item(ab_gradient(x)), rows[i].slope, error);
    }
    sdk_finish(ctx);
  }
}

/* A NaN stays one, but in step and sign; nothing is recorded for those. */
static void test_nan(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(3), (double[]){NAN, -2, 3});
  ab_require_grad(x);
  for (AbActivation f = 0; f < AB_ACTIVATIONS; f++) {
    AbTensor *y = ab_activate(f, x);
    bool none = f == AB_STEP || f == AB_SIGN;
    g_autofree double *values = sdk_values(y);
    g_test_message("%s", ab_activation_names[f]);
    g_assert_cmpint(isnan(values[0]), ==, !none);
    g_assert_cmpint(ab_requires_grad(y), ==, !none);
    g_assert_cmpint(ab_count(ab_activate(f, ab_zeros(ctx, AB_SHAPE(0, 3)))), ==, 0);
  }
  g_autofree double *step = sdk_values(ab_activate(AB_STEP, x));
  g_assert_cmpfloat(step[1], ==, 0);
  g_assert_cmpfloat(step[2], ==, 1);
  sdk_finish(ctx);
}

/* The fused layer is the product, the bias and the activation, for all of them. */
static void test_linear(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  g_autofree double *numbers = sdk_numbers(200, -1, 1, 3);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(6, 7), numbers);
  AbTensor *W = sdk_tensor(ctx, AB_SHAPE(7, 11), numbers + 50);
  AbTensor *b = sdk_tensor(ctx, AB_SHAPE(11), numbers + 150);
  for (AbActivation f = 0; f < AB_ACTIVATIONS; f++) {
    for (int biased = 0; biased < 2; biased++) {
      AbTensor *sum = ab_matmul(x, W);
      g_autofree double *given = sdk_values(ab_linear(x, W, biased ? b : AB_NONE, f));
      g_autofree double *wanted = sdk_values(ab_activate(f, biased ? ab_add(sum, b) : sum));
      for (int i = 0; i < 66; i++) g_assert_cmpfloat_with_epsilon(given[i], wanted[i], 2e-6);
    }
  }
  AbTensor *folded = ab_linear(ab_reshape(x, AB_SHAPE(2, 3, 7)), W, b, AB_GELU);
  g_assert_cmpint(ab_rank(folded), ==, 3);
  g_assert_cmpint(ab_dim(folded, 2), ==, 11);
  g_assert_cmpint(ab_count(ab_linear(ab_zeros(ctx, AB_SHAPE(2, 0, 7)), W, b, AB_TANH)), ==, 0);
  g_assert_null(ab_linear(ab_full(ctx, AB_F32, ab_scalar_shape(), 1), W, b, AB_TANH));
  sdk_assert_error(ctx, AB_CONFIG, "linear", "f32 []", "[..., in]", NULL);
  g_assert_null(ab_linear(x, W, b, AB_ACTIVATIONS));
  sdk_assert_error(ctx, AB_INTERNAL, "no activation 24", NULL);
  sdk_finish(ctx);
}

static void test_drawn(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_full(ctx, AB_F32, AB_SHAPE(100, 200), -1);
  ab_require_grad(x);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  g_autofree double *fixed = sdk_values(ab_rrelu(x, 0.125, 0.375));
  g_assert_cmpfloat(fixed[7], ==, -0.25);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  AbTensor *y = ab_rrelu(x, 0.125, 0.375);
  ab_backward(ab_sum(y));
  g_autofree double *values = sdk_values(y), *slopes = sdk_values(ab_gradient(x));
  double sum = 0;
  for (int i = 0; i < 20000; i++) {
    g_assert_true(values[i] <= -0.125 && values[i] > -0.375);
    g_assert_cmpfloat(slopes[i], ==, -values[i]);
    sum -= values[i];
  }
  g_assert_cmpfloat(fabs(sum / 20000 - 0.25), <, 4 * 0.25 / sqrt(12.0 * 20000));
  AbTensor *p = ab_full(ctx, AB_F32, AB_SHAPE(20000), 0.3);
  ab_require_grad(p);
  AbTensor *bits = ab_stochastic_binary(p);
  ab_backward(ab_sum(ab_affine(bits, 2, 0)));
  g_autofree double *drawn = sdk_values(bits), *passed = sdk_values(ab_gradient(p));
  double ones = 0;
  for (int i = 0; i < 20000; i++) {
    g_assert_true(drawn[i] == 0 || drawn[i] == 1);
    g_assert_cmpfloat(passed[i], ==, 2);
    ones += drawn[i];
  }
  g_assert_cmpfloat(fabs(ones - 6000), <, 4 * sqrt(20000 * 0.21));
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *bytes = ab_full(ctx, AB_U8, AB_SHAPE(2), 1);
  g_assert_null(ab_elu(x, -1));
  sdk_assert_error(ctx, AB_CONFIG, "elu", "-1", NULL);
  g_assert_null(ab_elu(x, NAN));
  sdk_assert_error(ctx, AB_CONFIG, "elu", NULL);
  g_assert_null(ab_rrelu(x, 2, 1));
  sdk_assert_error(ctx, AB_CONFIG, "rrelu", "order", NULL);
  g_assert_null(ab_prelu(x, ab_zeros(ctx, AB_SHAPE(2))));
  sdk_assert_error(ctx, AB_CONFIG, "prelu", "f32 [2]", "f32 [2, 3]", NULL);
  g_assert_null(ab_prelu(x, ab_zeros(other, AB_SHAPE(1))));
  sdk_assert_error(ctx, AB_INTERNAL, "prelu", "two contexts", NULL);
  g_assert_null(ab_leaky_relu(bytes, 1));
  sdk_assert_error(ctx, AB_CONFIG, "leaky_relu", "u8 [2]", NULL);
  g_assert_null(ab_stochastic_binary(bytes));
  sdk_assert_error(ctx, AB_CONFIG, "u8 [2]", NULL);
  g_assert_null(ab_elu(NULL, 1));
  g_assert_null(ab_rrelu(NULL, 0, 1));
  g_assert_null(ab_prelu(NULL, x));
  g_assert_null(ab_prelu(x, NULL));
  g_assert_null(ab_stochastic_binary(NULL));
  sdk_finish(other);
  sdk_finish(ctx);
}

/* The names are words of manifests: one for each, all different. */
static void test_names(void) {
  for (int i = 0; i < AB_ACTIVATIONS; i++)
    for (int j = 0; j < i; j++) g_assert_cmpstr(ab_activation_names[i], !=, ab_activation_names[j]);
  g_assert_null(ab_activation_names[AB_ACTIVATIONS]);
  g_assert_cmpstr(ab_output_activation_names[0], ==, "auto");
  for (int i = 0; i <= AB_ACTIVATIONS; i++) /* NULL too */
    g_assert_cmpstr(ab_output_activation_names[i + 1], ==, ab_activation_names[i]);
  g_assert_cmpstr(ab_activation_names[AB_GELU_TANH], ==, "gelu-tanh");
  g_assert_cmpstr(ab_activation_names[AB_SIGN], ==, "sign");
  g_assert_cmpstr(ab_activation_names[AB_EXPONENTIAL], ==, "exponential");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/activations/gradients", test_gradients);
  sdk_add("/activations/second", test_second);
  g_test_add_func("/activations/devices", test_devices);
  g_test_add_func("/activations/golden", test_golden);
  sdk_add("/activations/kinks", test_kinks);
  sdk_add("/activations/nan", test_nan);
  sdk_add("/activations/linear", test_linear);
  sdk_add("/activations/drawn", test_drawn);
  sdk_add("/activations/errors", test_errors);
  g_test_add_func("/activations/names", test_names);
  return g_test_run();
}
