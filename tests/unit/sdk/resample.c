/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling: derivatives, devices against each other, values by hand, errors. PyTorch's values are
 * checked in pooling.c. */
#include "device-test.h"
#include "gradient-test.h"
#include <math.h>

FUNCTION(nearest, ab_square(ab_resize(x[0], AB_SHAPE(7, 9), AB_RESIZE_NEAREST)))
FUNCTION(linear, ab_square(ab_resize(x[0], AB_SHAPE(7, 9), AB_RESIZE_LINEAR)))
FUNCTION(linear_down, ab_resize(x[0], AB_SHAPE(3, 2), AB_RESIZE_LINEAR))
FUNCTION(line, ab_upsample(x[0], 3, AB_RESIZE_LINEAR))
FUNCTION(volume, ab_resize(x[0], AB_SHAPE(3, 5, 4), AB_RESIZE_LINEAR))
FUNCTION(twice, ab_upsample(x[0], 2, AB_RESIZE_NEAREST))

#define IMAGE DIMS(2, 3, 4, 5)
static const SdkGradientCase cases[] = {
    {"nearest", nearest_of, 1, {IMAGE}, -2, 2},
    {"linear", linear_of, 1, {IMAGE}, -2, 2},
    {"linear-down", linear_down_of, 1, {IMAGE}, -2, 2},
    {"line", line_of, 1, {DIMS(2, 3, 4)}, -2, 2},
    {"volume", volume_of, 1, {DIMS(1, 2, 2, 3, 2)}, -2, 2},
    {"twice", twice_of, 1, {IMAGE}, -2, 2},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, cases, G_N_ELEMENTS(cases));
}

static const SdkDeviceCase device_cases[] = {
    {"nearest", nearest_of, 1, -9, 9, 0.5, 0, 4, 9},
    {"linear", linear_of, 1, -9, 9, 4, 20, 6, 20},
    {"twice", twice_of, 1, -9, 9, 0, 0, 2, 1},
};

static void test_devices(void) {
  const AbShape shapes[] = {AB_SHAPE(5, 3, 6, 4), AB_SHAPE(3, 70, 5, 6), AB_SHAPE(1, 200, 12, 11)};
  for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++)
      sdk_compare_devices(&device_cases[i], &shapes[k]);
}

static void test_threads(void) {
  AbShape shape = AB_SHAPE(5, 140, 9, 7);
  sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), &shape);
}

static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double values[2] = {1, 5};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1, 1, 2), values);
  g_autofree double *linear = sdk_values(ab_upsample(x, 2, AB_RESIZE_LINEAR));
  g_autofree double *nearest = sdk_values(ab_resize(x, AB_SHAPE(3), AB_RESIZE_NEAREST));
  const double lines[4] = {1, 2, 4, 5}, near[3] = {1, 1, 5};
  for (int i = 0; i < 4; i++) g_assert_cmpfloat(linear[i], ==, lines[i]);
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(nearest[i], ==, near[i]);
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 5, 4));
  g_assert_null(ab_resize(x, AB_SHAPE(3), AB_RESIZE_LINEAR));
  sdk_assert_error(ctx, AB_CONFIG, "resize: x of f32 [2, 3, 5, 4] to the size [3]", NULL);
  g_assert_null(ab_resize(x, AB_SHAPE(3, -1), AB_RESIZE_LINEAR));
  sdk_assert_error(ctx, AB_CONFIG, "[3, -1]", NULL);
  g_assert_null(ab_resize(x, AB_SHAPE(3, 3), 2));
  sdk_assert_error(ctx, AB_CONFIG, "resize: there is no resampling 2", NULL);
  g_assert_null(ab_resize(ab_zeros(ctx, AB_SHAPE(2, 3)), ab_scalar_shape(), AB_RESIZE_LINEAR));
  sdk_assert_error(ctx, AB_CONFIG, "resize: x of f32 [2, 3]", NULL);
  const int64_t factors[] = {0, -2, INT64_MAX};
  for (int i = 0; i < 3; i++) {
    g_assert_null(ab_upsample(x, factors[i], AB_RESIZE_NEAREST));
    sdk_assert_error(ctx, AB_CONFIG, "upsample: x of f32 [2, 3, 5, 4] by a factor of", NULL);
  }
  g_assert_null(ab_resize(x, AB_SHAPE(INT64_MAX, INT64_MAX), AB_RESIZE_LINEAR));
  sdk_assert_error(ctx, AB_CONFIG, "cannot be made", NULL);
  g_assert_null(ab_upsample(NULL, 2, AB_RESIZE_NEAREST));
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/resample/first", test_first);
  sdk_add("/resample/second", test_second);
  g_test_add_func("/resample/devices", test_devices);
  g_test_add_func("/resample/threads", test_threads);
  sdk_add("/resample/values", test_values);
  sdk_add("/resample/errors", test_errors);
  return g_test_run();
}
