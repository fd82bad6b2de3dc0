/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as columns and back. PyTorch's values are in convolution.c. */
#include "device-test.h"
#include "gradient-test.h"

#define WINDOWS                                               \
  (AbConvolutionOptions) {                                    \
    .stride = {2, 1}, .padding = {1, 2}, .dilation = { 1, 2 } \
  }
#define UNEVEN                                 \
  (AbConvolutionOptions) {                     \
    .padding = {1, 0}, .more_after = { -1, 3 } \
  }
#define VOLUME                                  \
  (AbConvolutionOptions) {                      \
    .stride = {1, 2, 3}, .padding = { 0, 1, 1 } \
  }
FUNCTION(plane, ab_im2col(x[0], AB_SHAPE(3, 2), WINDOWS))
FUNCTION(uneven, ab_im2col(x[0], AB_SHAPE(2, 3), UNEVEN))
FUNCTION(line, ab_im2col(x[0], AB_SHAPE(3), (AbConvolutionOptions){.stride = {2}}))
FUNCTION(volume, ab_im2col(x[0], AB_SHAPE(2, 1, 3), VOLUME))
FUNCTION(squares, ab_square(ab_im2col(x[0], AB_SHAPE(3, 2), WINDOWS)))
FUNCTION(fold_plane, ab_col2im(x[0], AB_SHAPE(5, 4), AB_SHAPE(3, 2), WINDOWS))
FUNCTION(fold_squares, ab_square(ab_col2im(x[0], AB_SHAPE(5, 4), AB_SHAPE(3, 2), WINDOWS)))
FUNCTION(fold_line,
         ab_col2im(x[0], AB_SHAPE(7), AB_SHAPE(3), (AbConvolutionOptions){.stride = {2}}))

static const SdkGradientCase gradient_cases[] = {
    {"plane", plane_of, 1, {DIMS(2, 2, 5, 4)}, -1, 1},
    {"uneven", uneven_of, 1, {DIMS(1, 2, 3, 2)}, -1, 1},
    {"line", line_of, 1, {DIMS(2, 3, 8)}, -1, 1},
    {"volume", volume_of, 1, {DIMS(1, 2, 3, 2, 4)}, -1, 1},
    {"squares", squares_of, 1, {DIMS(1, 2, 5, 4)}, -1, 1},
    {"fold", fold_plane_of, 1, {DIMS(1, 12, 18)}, -1, 1},
    {"fold-squares", fold_squares_of, 1, {DIMS(1, 6, 18)}, -1, 1},
    {"fold-line", fold_line_of, 1, {DIMS(2, 6, 3)}, -1, 1},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

/* Copies are exact; sums are of at most 6 numbers. */
static const SdkDeviceCase device_cases[] = {
    {"plane", plane_of, 1, -1, 1, 0, 0, 2, 1},
    {"uneven", uneven_of, 1, -1, 1, 0, 0, 2, 1},
};
static const SdkDeviceCase fold_cases[] = {{"fold", fold_plane_of, 1, -1, 1, 2, 1, 0, 0}};

static void test_devices(void) {
  AbShape shapes[] = {AB_SHAPE(3, 5, 5, 4), AB_SHAPE(20, 40, 21, 19)};
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(device_cases); k++)
      sdk_compare_devices(&device_cases[k], &shapes[i]);
    sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), &shapes[i]);
  }
  AbShape cols = AB_SHAPE(700, 36, 18);
  sdk_compare_devices(fold_cases, &cols);
  sdk_check_threads(fold_cases, 1, &cols);
}

static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double image[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  AbConvolutionOptions plain = {0};
  AbTensor *cols = ab_im2col(sdk_tensor(ctx, AB_SHAPE(1, 1, 3, 4), image), AB_SHAPE(2, 2), plain);
  double wanted[4][6] = {
      {1, 2, 3, 5, 6, 7}, {2, 3, 4, 6, 7, 8}, {5, 6, 7, 9, 10, 11}, {6, 7, 8, 10, 11, 12}};
  g_autofree double *given = sdk_values(cols);
  g_assert_cmpint(ab_dim(cols, 1), ==, 4);
  g_assert_cmpmem(given, 24 * sizeof *given, wanted, sizeof wanted);
  /* each number as often as there are windows that hold it */
  AbTensor *back = ab_col2im(cols, AB_SHAPE(3, 4), AB_SHAPE(2, 2), plain);
  double times[12] = {1, 2, 2, 1, 2, 4, 4, 2, 1, 2, 2, 1};
  g_autofree double *sums = sdk_values(back);
  for (int i = 0; i < 12; i++) g_assert_cmpfloat(sums[i], ==, times[i] * image[i]);
  g_assert_cmpint(ab_count(ab_im2col(ab_zeros(ctx, AB_SHAPE(0, 2, 3, 4)), AB_SHAPE(2, 2), plain)),
                  ==, 0);
  g_assert_cmpint(
      ab_count(ab_col2im(ab_zeros(ctx, AB_SHAPE(2, 0, 6)), AB_SHAPE(3, 4), AB_SHAPE(2, 2), plain)),
      ==, 0);
  sdk_finish(ctx);
}

static void test_errors(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 4, 5)), *cols = ab_zeros(ctx, AB_SHAPE(2, 12, 12));
  AbShape two = AB_SHAPE(2, 2), size = AB_SHAPE(4, 5);
  AbConvolutionOptions plain = {0};
#define REFUSED(call, ...)                               \
  do {                                                   \
    g_assert_null(call);                                 \
    sdk_assert_error(ctx, AB_CONFIG, __VA_ARGS__, NULL); \
  } while (0)
  g_assert_null(ab_im2col(NULL, two, plain));
  g_assert_null(ab_col2im(NULL, size, two, plain));
  sdk_assert_ok(ctx);
  g_assert_nonnull(ab_col2im(cols, size, two, plain));
  REFUSED(ab_im2col(ab_zeros(ctx, AB_SHAPE(2, 3)), two, plain), "im2col", "[2, 3]");
  REFUSED(ab_im2col(x, AB_SHAPE(2), plain), "as many of the kernel");
  REFUSED(ab_im2col(x, AB_SHAPE(5, 2), plain), "larger than the padded", "[5, 2]");
  REFUSED(ab_im2col(x, AB_SHAPE(0, 2), plain), "empty");
  REFUSED(ab_im2col(x, two, (AbConvolutionOptions){.groups = 3}), "do not belong here");
  REFUSED(ab_im2col(x, two, (AbConvolutionOptions){.stride = {-1}}), "strides");
  REFUSED(ab_im2col(ab_empty(ctx, AB_I32, AB_SHAPE(1, 1, 4, 4)), two, plain), "real");
  REFUSED(ab_col2im(x, size, two, plain), "wanted is [n, c k ..., positions]");
  REFUSED(ab_col2im(ab_zeros(ctx, AB_SHAPE(2, 11, 12)), size, two, plain), "[2, 11, 12]");
  REFUSED(ab_col2im(cols, AB_SHAPE(4, 4), two, plain), "9 positions");
  REFUSED(ab_col2im(cols, AB_SHAPE(-4, 4), two, (AbConvolutionOptions){.padding = {9}}), "col2im");
  REFUSED(ab_col2im(cols, AB_SHAPE(INT64_MAX / 2, INT64_MAX / 2), two, plain), "col2im");
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/unfold/gradients", test_gradients);
  sdk_add("/unfold/second-derivatives", test_second);
  g_test_add_func("/unfold/devices", test_devices);
  sdk_add("/unfold/values", test_values);
  g_test_add_func("/unfold/errors", test_errors);
  return g_test_run();
}
