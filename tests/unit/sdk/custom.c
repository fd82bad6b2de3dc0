/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of a plugin: values, first and second derivatives, and what a wrong one is told. */
#include "device-test.h"
#include "gradient-test.h"
#include <math.h>

/* ---- x^n, number by number: no second derivative -------------------------------------------- */

static bool same_shape(AbTensor *const *x, int32_t count, const void *attributes, AbShape *shape) {
  (void)attributes;
  if (count != 1) return false;
  *shape = ab_shape(x[0]);
  return true;
}

static double number(const void *data, AbDtype dtype, int64_t i) {
  return dtype == AB_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void set_number(void *data, AbDtype dtype, int64_t i, double value) {
  if (dtype == AB_F32)
    ((float *)data)[i] = (float)value;
  else
    ((double *)data)[i] = value;
}

/* y := scale x^power, or g times that */
static void powers(AbTensor *y, AbTensor *x, AbTensor *g, double scale, int power) {
  const void *from = ab_map(x, false), *slope = g ? ab_map(g, false) : NULL;
  void *to = ab_map(y, true);
  for (int64_t i = 0; to && i < ab_count(y); i++) {
    double value = scale * pow(number(from, ab_dtype(x), i), power);
    set_number(to, ab_dtype(y), i, slope ? value * number(slope, ab_dtype(g), i) : value);
  }
}

static void power_forward(AbTensor *y, AbTensor *const *x, int32_t count, const void *attributes) {
  (void)count;
  powers(y, x[0], NULL, 1, *(const int *)attributes);
}

static void power_backward(AbTensor *g, AbTensor *y, AbTensor *const *x, int32_t count,
                           const void *attributes, AbTensor **gradients) {
  (void)count, (void)y;
  int n = *(const int *)attributes;
  gradients[0] = ab_empty(ab_context_of(g), ab_dtype(g), ab_shape(g));
  powers(gradients[0], x[0], g, n, n - 1);
}

static const AbCustomOp power = {sizeof power,  0, "power", same_shape, power_forward,
                                 power_backward};

static AbTensor *cube_of(AbTensor *const *x) {
  return ab_custom(&power, x, 1, &(int){3}, sizeof(int));
}

/* ---- sum of any number of products of pairs: with second derivatives ------------------------ */

static bool pairs_shape(AbTensor *const *x, int32_t count, const void *attributes, AbShape *shape) {
  (void)attributes;
  *shape = ab_shape(x[0]);
  for (int32_t i = 1; i < count; i++) {
    if (ab_count(x[i]) == ab_count(x[0])) continue;
    ab_error(ab_context_of(x[0]), AB_CONFIG, "pairs: operand %d has %d elements", i,
             (int)ab_count(x[i]));
    return false;
  }
  return true;
}

static void pairs_forward(AbTensor *y, AbTensor *const *x, int32_t count, const void *attributes) {
  (void)attributes;
  AbTensor *sum = ab_mul(x[0], x[1]);
  for (int32_t i = 2; i < count; i += 2) sum = ab_add(sum, ab_mul(x[i], x[i + 1]));
  ab_assign(y, sum);
}

static void pairs_backward(AbTensor *g, AbTensor *y, AbTensor *const *x, int32_t count,
                           const void *attributes, AbTensor **gradients) {
  (void)y, (void)attributes;
  for (int32_t i = 0; i < count; i++) gradients[i] = ab_mul(g, x[i ^ 1]);
}

static const AbCustomOp pairs = {sizeof pairs, AB_CUSTOM_TWICE, "pairs",
                                 pairs_shape,  pairs_forward,   pairs_backward};

static AbTensor *pairs_of(AbTensor *const *x) {
  return ab_custom(&pairs, x, 6, NULL, 0);
}

static const SdkGradientCase cases[] = {
    {"power", cube_of, 1, {DIMS(7, 5)}, -2, 2, .once = true},
    {"pairs",
     pairs_of,
     6,
     {DIMS(3, 5), DIMS(3, 5), DIMS(3, 5), DIMS(3, 5), DIMS(3, 5), DIMS(3, 5)},
     -2,
     2},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
  sdk_check_second(device, cases, G_N_ELEMENTS(cases));
}

static void test_devices(void) {
  const SdkDeviceCase c = {"power", cube_of, 1, -2, 2, 1, 0, 1, 0};
  sdk_compare_devices(&c, (AbShape[]){AB_SHAPE(1000)});
}

/* An operand and a gradient that are views are read in the order of their axes. */
static void test_views(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_from(ctx, AB_F64, AB_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6});
  AbTensor *weights = ab_from(ctx, AB_F64, AB_SHAPE(2, 3), (double[]){1, 10, 100, 2, 20, 200});
  ab_require_grad(x);
  AbTensor *turned = ab_transpose(x, 0, 1), *y = cube_of(&turned);
  const double cubes[6] = {1, 64, 8, 125, 27, 216}, slopes[6] = {3, 120, 2700, 96, 1500, 21600};
  g_assert_cmpmem(ab_map(y, false), sizeof cubes, cubes, sizeof cubes);
  ab_backward(ab_sum(ab_mul(ab_transpose(y, 0, 1), weights)));
  g_autofree double *given = sdk_values(ab_gradient(x));
  for (int i = 0; i < 6; i++) g_assert_cmpfloat_with_epsilon(given[i], slopes[i], 1e-9);
  sdk_finish(ctx);
}

static void test_second(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(3), 2), *g;
  ab_require_grad(x);
  ab_gradients(ab_sum(cube_of(&x)), &x, 1, &g, true);
  sdk_assert_error(ctx, AB_CONFIG, "custom", "no derivative of its own", NULL);
  sdk_finish(ctx);
}

static bool refuse(AbTensor *const *x, int32_t count, const void *attributes, AbShape *shape) {
  (void)x, (void)count, (void)attributes, (void)shape;
  return false;
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  const AbCustomOp refusing = {sizeof refusing, 0, "refusing", refuse, power_forward, NULL};
  const AbCustomOp old = {8, 0, "old", same_shape, power_forward, NULL};
  AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(3), 2), *y = ab_full(other, AB_F64, AB_SHAPE(3), 2);
  g_assert_null(ab_custom(&refusing, &x, 1, NULL, 0));
  sdk_assert_error(ctx, AB_INTERNAL, "refusing", "do not fit", NULL);
  g_assert_null(ab_custom(&old, &x, 1, &(int){2}, sizeof(int)));
  sdk_assert_error(ctx, AB_INTERNAL, "old", "compile the plugin anew", NULL);
  g_assert_null(ab_custom(&pairs, (AbTensor *[]){x, y}, 2, NULL, 0));
  sdk_assert_error(ctx, AB_INTERNAL, "pairs", "two contexts", NULL);
  g_assert_null(ab_custom(&pairs, (AbTensor *[]){x, ab_zeros(ctx, AB_SHAPE(4))}, 2, NULL, 0));
  sdk_assert_error(ctx, AB_CONFIG, "operand 1 has 4", NULL);
  g_assert_null(ab_custom(&pairs, (AbTensor *[]){AB_NONE, x}, 2, NULL, 0));
  sdk_assert_error(ctx, AB_INTERNAL, "first operand", NULL);
  g_assert_null(ab_custom(&pairs, (AbTensor *[]){x, NULL}, 2, NULL, 0));
  g_assert_null(ab_custom(&pairs, NULL, 0, NULL, 0)); /* no context: NULL says it all */
  g_assert_null(ab_custom(&pairs, (AbTensor *[]){AB_NONE, AB_NONE}, 2, NULL, 0));
  sdk_finish(ctx);
  sdk_finish(other);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/custom/views", test_views);
  sdk_add("/custom/gradients", test_gradients);
  g_test_add_func("/custom/devices", test_devices);
  sdk_add("/custom/second", test_second);
  sdk_add("/custom/errors", test_errors);
  return g_test_run();
}
