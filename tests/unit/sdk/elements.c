/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of elements: derivatives, devices, PyTorch's values, edges and errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <float.h>
#include <math.h>

UNARY(rsqrt)
UNARY(reciprocal)
UNARY(expm1)
UNARY(log1p)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(asin)
UNARY(acos)
UNARY(atan)
UNARY(sinh)
UNARY(cosh)
UNARY(erf)
UNARY(floor)
UNARY(ceil)
UNARY(round)
BINARY(pow)
BINARY(remainder)
BINARY(atan2)
BINARY(equal)
BINARY(not_equal)
BINARY(greater)
BINARY(greater_equal)
BINARY(less)
BINARY(less_equal)
FUNCTION(clamp, ab_clamp(x[0], -1.5, 2.25))
FUNCTION(power, ab_power(x[0], 1.75))
FUNCTION(power_cube, ab_power(x[0], 3))
FUNCTION(power_negative, ab_power(x[0], -2))
FUNCTION(where, ab_where(x[0], x[1], x[2]))
FUNCTION(where_sign, ab_where(ab_greater(x[0], x[1]), x[0], ab_mul(x[0], x[1])))

#define MATRIX DIMS(7, 5)
#define ONE(name, low, high)                                        \
  {#name, name##_of, 1, {MATRIX}, low, high},                       \
      {#name "-three", name##_of, 1, {DIMS(3, 1, 4)}, low, high}, { \
#name "-scalar", name##_of, 1, {{0 } }, low, high               \
  }
#define TWO(name, low, high)                                           \
  {#name, name##_of, 2, {MATRIX, MATRIX}, low, high},                  \
      {#name "-row", name##_of, 2, {MATRIX, DIMS(5)}, low, high}, {    \
#name "-outer", name##_of, 2, {DIMS(1, 3), DIMS(7, 1) }, low, high \
  }

static const SdkGradientCase gradients[] = {
    ONE(rsqrt, 0.3, 3),
    ONE(reciprocal, 0.5, 3),
    ONE(expm1, -2, 2),
    ONE(log1p, -0.7, 3),
    ONE(sin, -6, 6),
    ONE(cos, -6, 6),
    ONE(tan, -1, 1),
    ONE(asin, -0.8, 0.8),
    ONE(acos, -0.8, 0.8),
    ONE(atan, -3, 3),
    ONE(sinh, -2, 2),
    ONE(cosh, -2, 2),
    ONE(erf, -2, 2),
    ONE(clamp, -4, 4),
    ONE(power, 0.3, 3),
    ONE(power_cube, -2, 2),
    ONE(power_negative, 0.5, 2),
    TWO(pow, 0.3, 2),
    TWO(remainder, 0.5, 4),
    TWO(atan2, 0.3, 2),
    TWO(where_sign, -2, 2),
    {"where", where_of, 3, {DIMS(4, 1, 5), DIMS(3, 1), DIMS(4, 3, 5)}, -2, 2},
};

/* The condition has no gradient, which a difference cannot tell from 0. */
static AbTensor *where_zero_of(AbTensor *const *x) {
  AbTensor *y = ab_where(x[0], x[1], x[2]);
  return ab_add(y, ab_affine(ab_sum(x[0]), 0, 0));
}

static void test_gradients(const void *device) {
  size_t last = G_N_ELEMENTS(gradients) - 1;
  sdk_check_gradients(device, gradients, last);
  SdkGradientCase where = gradients[last];
  where.f = where_zero_of;
  sdk_check_gradients(device, &where, 1);
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients) - 1);
}

/* name, function, inputs, range, forward error and floor, backward error and floor */
static const SdkDeviceCase devices[] = {
    {"rsqrt", rsqrt_of, 1, 0.1, 9, 2, 0, 4, 0},
    {"reciprocal", reciprocal_of, 1, 0.1, 9, 1, 0, 3, 0},
    {"expm1", expm1_of, 1, -9, 9, 2, 0, 4, 1},
    {"log1p", log1p_of, 1, -0.9, 9, 2, 0, 2, 0},
    {"sin", sin_of, 1, -30, 30, 2, 0, 3, 0},
    {"cos", cos_of, 1, -30, 30, 2, 0, 3, 0},
    {"sin-large", sin_of, 1, -1e7, 1e7, 2, 0, 3, 0},
    {"tan", tan_of, 1, -1.5, 1.5, 1, 0, 4, 0},
    {"asin", asin_of, 1, -1, 1, 1, 0, 4, 0},
    {"acos", acos_of, 1, -1, 1, 1, 0, 4, 0},
    {"atan", atan_of, 1, -9, 9, 1, 0, 3, 0},
    {"sinh", sinh_of, 1, -9, 9, 4, 0, 5, 0},
    {"cosh", cosh_of, 1, -9, 9, 4, 0, 5, 0},
    {"erf", erf_of, 1, -4, 4, 3, 0, 3, 0},
    {"clamp", clamp_of, 1, -4, 4, 0, 0, 0, 0},
    {"power", power_of, 1, 0.01, 9, 1, 0, 3, 0},
    {"power-cube", power_cube_of, 1, -9, 9, 2, 0, 3, 0},
};
static const SdkDeviceCase pairs[] = {
    {"pow", pow_of, 2, 0.1, 4, 1, 0, 200, 10},
    {"atan2", atan2_of, 2, 0.1, 4, 1, 0, 100, 1},
    {"remainder", remainder_of, 2, 0.5, 9, 0, 0, 300, 1},
    {"where", where_sign_of, 2, -4, 4, 1, 0, 300, 1},
};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
    sdk_compare_devices(&devices[i], (AbShape[]){AB_SHAPE(3001)});
    sdk_compare_devices(&devices[i], (AbShape[]){AB_SHAPE(2, 3, 5)});
  }
  for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
    sdk_compare_devices(&pairs[i], (AbShape[]){AB_SHAPE(301, 7), AB_SHAPE(301, 7)});
    sdk_compare_devices(&pairs[i], (AbShape[]){AB_SHAPE(301, 7), AB_SHAPE(7)});
    sdk_compare_devices(&pairs[i], (AbShape[]){AB_SHAPE(7, 1), AB_SHAPE(1, 33)});
  }
  sdk_check_threads(devices, G_N_ELEMENTS(devices), (AbShape[]){AB_SHAPE(70001)});
  sdk_check_threads(pairs, G_N_ELEMENTS(pairs),
                    (AbShape[]){AB_SHAPE(301, 257), AB_SHAPE(301, 257)});
}

#define GOLDEN(name) \
  { #name, name##_of, 0 }
static const SdkGoldenCase golden[] = {
    GOLDEN(rsqrt),
    GOLDEN(reciprocal),
    GOLDEN(expm1),
    GOLDEN(log1p),
    GOLDEN(sin),
    GOLDEN(cos),
    GOLDEN(tan),
    GOLDEN(asin),
    GOLDEN(acos),
    GOLDEN(atan),
    GOLDEN(sinh),
    GOLDEN(cosh),
    GOLDEN(erf),
    GOLDEN(clamp),
    GOLDEN(power),
    GOLDEN(power_cube),
    GOLDEN(pow),
    GOLDEN(remainder),
    GOLDEN(atan2),
    GOLDEN(where),
    {"floor", floor_of, 0},
    {"ceil", ceil_of, 0},
    {"round", round_of, 0},
    {"eq", equal_of, 0},
    {"ne", not_equal_of, 0},
    {"gt", greater_of, 0},
    {"ge", greater_equal_of, 0},
    {"lt", less_of, 0},
    {"le", less_equal_of, 0},
};
static void test_golden(void) {
  sdk_check_golden("elements", golden, G_N_ELEMENTS(golden));
}

/* ---- by hand --------------------------------------------------------------------------------- */

static void assert_values(AbTensor *y, int64_t count, const double *wanted) {
  g_autofree double *values = sdk_values(y);
  g_assert_cmpint(ab_count(y), ==, count);
  for (int64_t i = 0; i < count; i++) {
    if (isnan(wanted[i])) {
      g_assert_true(isnan(values[i]));
    } else if (isinf(wanted[i])) {
      g_assert_cmpfloat(values[i], ==, wanted[i]);
    } else {
      g_assert_cmpfloat_with_epsilon(values[i], wanted[i], 2e-6 * fmax(1, fabs(wanted[i])));
    }
  }
}
#define VALUES(y, ...) \
  assert_values(y, sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})
#define NUMBERS(ctx, ...)                                                                \
  sdk_tensor(ctx, AB_SHAPE((int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))), \
             (double[]){__VA_ARGS__})

static void test_edges(const void *device) {
  for (AbDtype real = AB_F32; real <= AB_F64; real++) {
    AbContext *ctx = sdk_context(device, real);
    AbTensor *x = NUMBERS(ctx, 0, INFINITY, -INFINITY, NAN, -1);
    VALUES(ab_rsqrt(x), INFINITY, 0, NAN, NAN, NAN);
    VALUES(ab_reciprocal(x), INFINITY, 0, 0, NAN, -1);
    VALUES(ab_expm1(x), 0, INFINITY, -1, NAN, -0.632120559);
    VALUES(ab_log1p(x), 0, INFINITY, NAN, NAN, -INFINITY);
    VALUES(ab_sin(x), 0, NAN, NAN, NAN, -0.841470985);
    VALUES(ab_cos(x), 1, NAN, NAN, NAN, 0.540302306);
    VALUES(ab_tan(x), 0, NAN, NAN, NAN, -1.55740772);
    VALUES(ab_asin(x), 0, NAN, NAN, NAN, -M_PI_2);
    VALUES(ab_acos(x), M_PI_2, NAN, NAN, NAN, M_PI);
    VALUES(ab_atan(x), 0, M_PI_2, -M_PI_2, NAN, -M_PI_4);
    VALUES(ab_sinh(x), 0, INFINITY, -INFINITY, NAN, -1.17520119);
    VALUES(ab_cosh(x), 1, INFINITY, INFINITY, NAN, 1.54308063);
    VALUES(ab_erf(x), 0, 1, -1, NAN, -0.842700793);
    VALUES(ab_floor(NUMBERS(ctx, -1.5, 2.7, NAN, -0.2)), -2, 2, NAN, -1);
    VALUES(ab_ceil(NUMBERS(ctx, -1.5, 2.7, NAN, -0.2)), -1, 3, NAN, 0);
    VALUES(ab_round(NUMBERS(ctx, -1.5, 2.5, 3.5, 0.5, NAN)), -2, 2, 4, 0, NAN);
    VALUES(ab_is_nan(x), 0, 0, 0, 1, 0);
    VALUES(ab_is_finite(x), 1, 0, 0, 0, 1);
    VALUES(ab_clamp(x, -2, 3), 0, 3, -2, NAN, -1);
    VALUES(ab_clamp(x, -INFINITY, 0), 0, 0, -INFINITY, NAN, -1);
    VALUES(ab_power(x, 2), 0, INFINITY, INFINITY, NAN, 1);
    VALUES(ab_power(x, 0), 1, 1, 1, 1, 1);
    VALUES(ab_power(x, -1), INFINITY, 0, 0, NAN, -1);
    VALUES(ab_power(x, 0.5), 0, INFINITY, INFINITY, NAN, NAN);
    VALUES(ab_power(x, -3), INFINITY, 0, 0, NAN, -1);
    VALUES(ab_power(x, INFINITY), 0, INFINITY, INFINITY, NAN, 1);
    VALUES(ab_pow(NUMBERS(ctx, -2, -2, 0, 0, 2, 1e-40, 9), NUMBERS(ctx, 3, 0.5, 0, -1, -2, 0, 0.5)),
           -8, NAN, 1, INFINITY, 0.25, 1, 3);
    VALUES(ab_remainder(NUMBERS(ctx, 5, -5, 5, -5, 6, 1, INFINITY),
                        NUMBERS(ctx, 3, 3, -3, -3, 3, 0, 3)),
           2, 1, -1, -2, 0, NAN, NAN);
    VALUES(ab_atan2(NUMBERS(ctx, 0, 1, 0, -1), NUMBERS(ctx, 1, 0, -1, -1)), 0, M_PI_2, M_PI,
           -3 * M_PI_4);
    VALUES(ab_less(x, NUMBERS(ctx, 0)), 0, 0, 1, 0, 1);
    VALUES(ab_less_equal(x, NUMBERS(ctx, 0)), 1, 0, 1, 0, 1);
    VALUES(ab_greater_equal(x, NUMBERS(ctx, 0)), 1, 1, 0, 0, 0);
    VALUES(ab_not_equal(x, x), 0, 0, 0, 1, 0);
    VALUES(ab_sin(NUMBERS(ctx, 1e7, 3e15, -1e30)), sin((double)(float)1e7),
           sin(real == AB_F32 ? (double)(float)3e15 : 3e15),
           sin(real == AB_F32 ? (double)(float)-1e30 : -1e30));
    sdk_finish(ctx);
  }
}

static void test_where(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *a = NUMBERS(ctx, 1, 2, 3), *b = NUMBERS(ctx, -1, NAN, -3);
  ab_require_grad(a);
  ab_require_grad(b);
  const double chosen[] = {1, 1, 0};
  for (AbDtype dtype = AB_F32; dtype <= AB_BOOL; dtype++) {
    AbTensor *y = ab_where(sdk_tensor_of(ctx, dtype, AB_SHAPE(3), chosen), a, b);
    VALUES(y, 1, 2, -3);
  }
  VALUES(ab_where(NUMBERS(ctx, NAN, 0, -0.0), a, b), 1, NAN, -3);
  AbTensor *y = ab_where(sdk_tensor_of(ctx, AB_BOOL, AB_SHAPE(3, 1), chosen), a, b);
  ab_backward(ab_sum(y));
  VALUES(ab_gradient(a), 2, 2, 2);
  VALUES(ab_gradient(b), 1, 1, 1);
  AbTensor *turned = ab_where(ab_zeros(ctx, AB_SHAPE(0, 3)), a, b);
  g_assert_cmpint(ab_count(turned), ==, 0);
  sdk_finish(ctx);
}

/* The gradients of a power where its formula would be 0 times infinity. */
static void test_pow_edges(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *a = NUMBERS(ctx, 0, 0, 0, 2, -2), *b = NUMBERS(ctx, 0, 2, 1, 0, 2);
  ab_require_grad(a);
  ab_require_grad(b);
  ab_backward(ab_sum(ab_pow(a, b)));
  VALUES(ab_gradient(a), 0, 0, 1, 0, -4);
  VALUES(ab_gradient(b), 0, 0, 0, M_LN2, NAN);
  AbTensor *x = NUMBERS(ctx, 0, -1.5), *g[1];
  ab_require_grad(x);
  ab_gradients(ab_sum(ab_power(x, 0)), &x, 1, g, true);
  VALUES(g[0], 0, 0);
  ab_gradients(ab_sum(ab_power(x, 1)), &x, 1, g, true);
  VALUES(g[0], 1, 1);
  ab_gradients(ab_sum(ab_power(x, 2)), &x, 1, g, true);
  VALUES(g[0], 0, -3);
  sdk_finish(ctx);
}

/* Bounds belong to the inside. */
static void test_clamp(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = NUMBERS(ctx, -2, -1, 0, 1, 2);
  ab_require_grad(x);
  ab_backward(ab_sum(ab_clamp(x, -1, 1)));
  VALUES(ab_gradient(x), 0, 1, 1, 1, 0);
  sdk_finish(ctx);
}

static void test_straight_through(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = NUMBERS(ctx, 0.3, -0.4), *w = NUMBERS(ctx, 2, 3);
  ab_require_grad(x);
  AbTensor *y = ab_straight_through(ab_sign(x), ab_square(x));
  VALUES(y, 1, -1);
  ab_backward(ab_sum(ab_mul(y, w)));
  VALUES(ab_gradient(x), 2 * 0.6, -3 * 0.8);
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *bytes = ab_full(ctx, AB_U8, AB_SHAPE(2), 1);
  AbTensor *(*const unary[])(AbTensor *) = {ab_rsqrt, ab_reciprocal, ab_expm1,    ab_log1p, ab_sin,
                                            ab_cos,   ab_tan,        ab_asin,     ab_acos,  ab_atan,
                                            ab_sinh,  ab_cosh,       ab_erf,      ab_floor, ab_ceil,
                                            ab_round, ab_is_nan,     ab_is_finite};
  for (size_t i = 0; i < G_N_ELEMENTS(unary); i++) {
    g_assert_null(unary[i](NULL));
    g_assert_null(unary[i](AB_NONE));
    sdk_assert_ok(ctx);
    g_assert_null(unary[i](bytes));
    sdk_assert_error(ctx, AB_CONFIG, "u8 [2]", "ab_cast", NULL);
    g_assert_cmpint(ab_count(unary[i](ab_zeros(ctx, AB_SHAPE(0, 2)))), ==, 0);
  }
  AbTensor *(*const binary[])(AbTensor *, AbTensor *) = {
      ab_pow, ab_remainder, ab_atan2, ab_not_equal, ab_greater_equal, ab_less, ab_less_equal};
  for (size_t i = 0; i < G_N_ELEMENTS(binary); i++) {
    g_assert_null(binary[i](NULL, x));
    g_assert_null(binary[i](x, NULL));
    sdk_assert_ok(ctx);
    g_assert_null(binary[i](x, ab_zeros(ctx, AB_SHAPE(2))));
    sdk_assert_error(ctx, AB_CONFIG, "f32 [2, 3]", "f32 [2]", NULL);
    g_assert_null(binary[i](x, ab_zeros(other, AB_SHAPE(3))));
    sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
    g_assert_null(binary[i](x, bytes));
    sdk_assert_error(ctx, AB_CONFIG, "u8 [2]", NULL);
    g_assert_null(binary[i](x, ab_full(ctx, AB_F64, AB_SHAPE(3), 1)));
    sdk_assert_error(ctx, AB_CONFIG, "types differ", NULL);
  }
  g_assert_null(ab_clamp(x, 2, 1));
  sdk_assert_error(ctx, AB_CONFIG, "clamp", "2 and 1", NULL);
  g_assert_null(ab_clamp(x, NAN, 1));
  sdk_assert_error(ctx, AB_CONFIG, "clamp", NULL);
  g_assert_null(ab_clamp(NULL, 0, 1));
  g_assert_null(ab_power(NULL, 1));
  g_assert_null(ab_power(bytes, 1));
  sdk_assert_error(ctx, AB_CONFIG, "power", "u8 [2]", NULL);
  g_assert_null(ab_where(NULL, x, x));
  g_assert_null(ab_where(bytes, NULL, x));
  g_assert_null(ab_where(bytes, x, x));
  sdk_assert_error(ctx, AB_CONFIG, "where", "u8 [2]", "f32 [2, 3]", NULL);
  g_assert_null(ab_where(AB_NONE, x, x));
  sdk_assert_error(ctx, AB_INTERNAL, "where", NULL);
  g_assert_null(ab_where(ab_zeros(other, AB_SHAPE(3)), x, x));
  sdk_assert_error(ctx, AB_INTERNAL, "where", "two contexts", NULL);
  g_assert_null(ab_straight_through(x, ab_zeros(ctx, AB_SHAPE(3))));
  sdk_assert_error(ctx, AB_CONFIG, "straight_through", "f32 [3]", NULL);
  g_assert_null(ab_straight_through(NULL, x));
  sdk_finish(other);
  sdk_finish(ctx);
}

/* A dense result from any view, and the order in memory kept where there is no gap. */
static void test_views(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 3), (double[]){0, 1, 2, 3, 4, 5});
  VALUES(ab_expm1(ab_affine(ab_transpose(x, 0, 1), 0, 0)), 0, 0, 0, 0, 0, 0);
  VALUES(ab_power(ab_transpose(x, 0, 1), 2), 0, 9, 1, 16, 4, 25);
  VALUES(ab_clamp(ab_slice(x, 1, 1, 3), 2, 4), 2, 2, 4, 4);
  VALUES(
      ab_where(ab_transpose(x, 0, 1), ab_full(ctx, AB_F32, AB_SHAPE(1), 7), ab_transpose(x, 0, 1)),
      0, 7, 7, 7, 7, 7);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/elements/gradients", test_gradients);
  sdk_add("/elements/second", test_second);
  g_test_add_func("/elements/devices", test_devices);
  g_test_add_func("/elements/golden", test_golden);
  sdk_add("/elements/edges", test_edges);
  sdk_add("/elements/where", test_where);
  sdk_add("/elements/pow-edges", test_pow_edges);
  sdk_add("/elements/clamp", test_clamp);
  sdk_add("/elements/straight-through", test_straight_through);
  sdk_add("/elements/errors", test_errors);
  sdk_add("/elements/views", test_views);
  return g_test_run();
}
