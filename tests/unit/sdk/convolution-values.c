/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and its transpose: values by hand, what is empty or NaN, errors. */
#include "sdk-test.h"
#include <math.h>

/* ---- values by hand -------------------------------------------------------------------------- */

static void assert_values(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++)
    g_assert_cmpfloat_with_epsilon(values[i], wanted[i], 1e-12);
}

static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double image[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, kernel[4] = {1, 10, 100, 1000};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1, 1, 3, 4), image);
  AbTensor *W = sdk_tensor(ctx, AB_SHAPE(1, 1, 2, 2), kernel);
  AbTensor *b = sdk_tensor(ctx, AB_SHAPE(1), (double[]){0.5});
  assert_values(ab_convolution(x, W, b, (AbConvolutionOptions){0}), AB_SHAPE(1, 1, 2, 3),
                (double[]){6521.5, 7632.5, 8743.5, 10965.5, 12076.5, 13187.5});
  assert_values(
      ab_convolution(x, W, AB_NONE, (AbConvolutionOptions){.stride = {2, 3}, .padding = {1, 1}}),
      AB_SHAPE(1, 1, 2, 2), (double[]){1000, 4300, 9050, 13187});
  sdk_finish(ctx);
}

/* One number in, the kernel out: at stride 2 the copies of it lie apart. */
static void test_transposed_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1, 1, 2), (double[]){1, 10});
  AbTensor *W = sdk_tensor(ctx, AB_SHAPE(1, 1, 3), (double[]){1, 2, 3});
  AbConvolutionOptions options = {.stride = {2}};
  assert_values(ab_transposed_convolution(x, W, AB_NONE, options), AB_SHAPE(1, 1, 5),
                (double[]){1, 2, 13, 20, 30});
  options.output_padding[0] = 1;
  options.padding[0] = 1;
  AbTensor *b = sdk_tensor(ctx, AB_SHAPE(1), (double[]){7});
  assert_values(ab_transposed_convolution(x, W, b, options), AB_SHAPE(1, 1, 4),
                (double[]){9, 20, 27, 37});
  sdk_finish(ctx);
}

/* ---- nothing, NaN, views --------------------------------------------------------------------- */

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbConvolutionOptions same = {.padding = {1, 1}};
  AbTensor *W = ab_full(ctx, AB_F32, AB_SHAPE(3, 2, 3, 3), 1),
           *b = ab_full(ctx, AB_F32, AB_SHAPE(3), 2);
  ab_require_grad(W);
  AbTensor *y = ab_convolution(ab_zeros(ctx, AB_SHAPE(0, 2, 5, 4)), W, b, same);
  g_assert_cmpint(ab_count(y), ==, 0);
  g_assert_cmpint(ab_dim(y, 2), ==, 5);
  ab_backward(ab_sum(y));
  g_autofree double *slopes = sdk_values(ab_gradient(W));
  for (int i = 0; i < 54; i++) g_assert_cmpfloat(slopes[i], ==, 0);
  /* no channels: sums over nothing, and the bias */
  y = ab_convolution(ab_zeros(ctx, AB_SHAPE(2, 0, 5, 4)), ab_zeros(ctx, AB_SHAPE(3, 0, 3, 3)), b,
                     same);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat(values[i], ==, 2);
  y = ab_convolution(ab_zeros(ctx, AB_SHAPE(2, 2, 5, 4)), ab_zeros(ctx, AB_SHAPE(0, 2, 3, 3)),
                     AB_NONE, same);
  g_assert_cmpint(ab_count(y), ==, 0);
  y = ab_transposed_convolution(ab_zeros(ctx, AB_SHAPE(0, 3, 5, 4)), W, AB_NONE, same);
  g_assert_cmpint(ab_dim(y, 1), ==, 2);
  /* all padding: a far tap of a wide kernel */
  AbConvolutionOptions far = {.padding = {0, 1 << 20}, .dilation = {1, 1 << 20}};
  y = ab_convolution(ab_full(ctx, AB_F32, AB_SHAPE(1, 2, 1, 1), 1),
                     ab_full(ctx, AB_F32, AB_SHAPE(1, 2, 1, 3), 1), AB_NONE, far);
  g_assert_cmpfloat(ab_item(y), ==, 2);
  sdk_finish(ctx);
}

/* A NaN stays in the windows that hold it; by minimal filtering in their blocks of 2 x 2. */
static void test_nan(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  for (int64_t channels = 4; channels <= 12; channels += 8) {
    AbTensor *x = ab_full(ctx, AB_F32, AB_SHAPE(2, channels, 8, 8), 1);
    AbTensor *W = ab_full(ctx, AB_F32, AB_SHAPE(channels, channels, 3, 3), 1);
    float *numbers = ab_map(x, true);
    numbers[3 * 8 + 3] = NAN;
    AbTensor *y = ab_convolution(x, W, AB_NONE, (AbConvolutionOptions){.padding = {1, 1}});
    g_autofree double *values = sdk_values(y);
    for (int i = 0; i < 64; i++) {
      bool inside = i / 8 >= 2 && i / 8 <= 4 && i % 8 >= 2 && i % 8 <= 4;
      bool block = i / 8 >= 2 && i / 8 <= 5 && i % 8 >= 2 && i % 8 <= 5;
      if (inside) g_assert_true(isnan(values[i]));
      if (channels < 8 ? !inside : !block) g_assert_false(isnan(values[i]));
      g_assert_false(isnan(values[channels * 64 + i])); /* the other image */
    }
  }
  sdk_finish(ctx);
}

/* A convolution and its transpose with one W: one gradient, the sum of both. */
static void test_tied(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbConvolutionOptions o = {.padding = {1, 1}, .activation = AB_SIGMOID};
  AbShape shape = AB_SHAPE(4, 2, 3, 3);
  g_autofree double *numbers = sdk_numbers(72, -1, 1, 1), *image = sdk_numbers(60, -1, 1, 2);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1, 2, 5, 6), image);
  AbTensor *W = sdk_tensor(ctx, shape, numbers), *V = sdk_tensor(ctx, shape, numbers);
  AbTensor *both = sdk_tensor(ctx, shape, numbers);
  ab_require_grad(W), ab_require_grad(V), ab_require_grad(both);
  ab_backward(ab_sum(ab_transposed_convolution(ab_convolution(x, W, AB_NONE, o), V, AB_NONE, o)));
  ab_backward(
      ab_sum(ab_transposed_convolution(ab_convolution(x, both, AB_NONE, o), both, AB_NONE, o)));
  g_autofree double *a = sdk_values(ab_gradient(W)), *b = sdk_values(ab_gradient(V));
  g_autofree double *sum = sdk_values(ab_gradient(both));
  for (int i = 0; i < 72; i++) g_assert_cmpfloat_with_epsilon(sum[i], a[i] + b[i], 1e-12);
  sdk_finish(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void assert_refused(AbContext *ctx, AbTensor *y, const char *a, const char *b) {
  g_assert_null(y);
  sdk_assert_error(ctx, AB_CONFIG, a, b, NULL);
}

static void test_errors(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32), *other = sdk_context("cpu", AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 4, 5, 6)), *W = ab_zeros(ctx, AB_SHAPE(6, 4, 3, 3));
  AbTensor *b = ab_zeros(ctx, AB_SHAPE(6)), *n = AB_NONE;
  AbConvolutionOptions o = {0};
#define REFUSED(operation, W, b, text, ...)                                                     \
  assert_refused(ctx, ab_##operation(x, W, b, (AbConvolutionOptions){__VA_ARGS__}), #operation, \
                 text)
  g_assert_null(ab_convolution(NULL, W, b, o));
  g_assert_null(ab_convolution(x, NULL, b, o));
  g_assert_null(ab_convolution(x, W, NULL, o));
  sdk_assert_ok(ctx);
  REFUSED(convolution, ab_zeros(ctx, AB_SHAPE(6, 4, 3)), n, "[6, 4, 3]", 0);
  REFUSED(convolution, ab_zeros(ctx, AB_SHAPE(6, 3, 3, 3)), n, "channels of x and W differ", 0);
  REFUSED(convolution, ab_zeros(ctx, AB_SHAPE(6, 4, 6, 3)), n, "larger than the padded", 0);
  REFUSED(convolution, ab_zeros(ctx, AB_SHAPE(6, 4, 0, 3)), n, "[6, 4, 0, 3]", 0);
  REFUSED(convolution, W, ab_zeros(ctx, AB_SHAPE(5)), "[5]", 0);
  REFUSED(convolution, W, ab_zeros(ctx, AB_SHAPE(6, 1)), "wanted is b [out]", 0);
  REFUSED(convolution, W, n, "groups", .groups = 3);
  REFUSED(convolution, W, n, "groups", .groups = -1);
  REFUSED(convolution, W, n, "strides", .stride = {-1});
  REFUSED(convolution, W, n, "dilations", .dilation = {0, -2});
  REFUSED(convolution, W, n, "padding", .padding = {-1});
  REFUSED(convolution, W, n, "padding after", .padding = {1}, .more_after = {-2});
  REFUSED(convolution, W, n, "padding", .padding = {INT64_MAX});
  REFUSED(convolution, W, n, "more axes", .stride = {1, 1, 1});
  REFUSED(convolution, W, n, "output_padding", .output_padding = {1});
  REFUSED(convolution, ab_full(ctx, AB_F64, AB_SHAPE(6, 4, 3, 3), 0), n, "types differ", 0);
  AbTensor *V = ab_zeros(ctx, AB_SHAPE(4, 6, 3, 3));
  REFUSED(transposed_convolution, W, n, "channels of x and W differ", 0);
  REFUSED(transposed_convolution, V, ab_zeros(ctx, AB_SHAPE(5)), "[5]", 0);
  REFUSED(transposed_convolution, V, n, "nothing would be left", .padding = {4, 0});
  REFUSED(transposed_convolution, V, n, "output_padding", .stride = {2, 2},
          .output_padding = {2, 0});
  REFUSED(transposed_convolution, V, n, "groups", .groups = 3);
  g_assert_null(ab_convolution(x, W, n, (AbConvolutionOptions){.activation = -1}));
  ab_error_clear(ctx);
  g_assert_null(ab_convolution(ab_zeros(ctx, AB_SHAPE(2, 3)), ab_zeros(ctx, AB_SHAPE(2, 3)), n, o));
  sdk_assert_error(ctx, AB_CONFIG, "convolution", "[2, 3]", NULL);
  g_assert_null(ab_convolution(x, ab_zeros(other, AB_SHAPE(6, 4, 3, 3)), n, o));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_convolution(ab_empty(ctx, AB_I32, AB_SHAPE(2, 4, 5, 6)), W, n, o));
  sdk_assert_error(ctx, AB_CONFIG, "convolution", "real", NULL);
  sdk_finish(ctx);
  sdk_finish(other);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/convolution/values", test_values);
  sdk_add("/convolution/transposed-values", test_transposed_values);
  sdk_add("/convolution/empty", test_empty);
  g_test_add_func("/convolution/nan", test_nan);
  sdk_add("/convolution/tied", test_tied);
  g_test_add_func("/convolution/errors", test_errors);
  return g_test_run();
}
