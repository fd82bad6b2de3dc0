/* SPDX-License-Identifier: Apache-2.0
 *
 * Cholesky factors and triangular solves. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

/* ones on the diagonal, times `value` */
static AbTensor *diagonal_of(AbTensor *like, double value) {
  int64_t n = ab_dim(like, -1);
  AbTensor *y = ab_empty(ab_context_of(like), AB_F64, AB_SHAPE(n, n));
  double *to = ab_map(y, true);
  for (int64_t i = 0; i < n * n; i++) to[i] = i % (n + 1) == 0 ? value : 0;
  ab_unmap(y);
  return ab_cast(y, ab_dtype(like));
}

static AbTensor *definite(AbTensor *x, double more) {
  return ab_add(ab_matmul(x, ab_transpose(x, -2, -1)), diagonal_of(x, more));
}

static AbTensor *regular(AbTensor *x) {
  return ab_add(x, diagonal_of(x, 2));
}

FUNCTION(cholesky, ab_cholesky(definite(x[0], 2)))
FUNCTION(large_cholesky, ab_cholesky(definite(x[0], 100)))
FUNCTION(cholesky_solve, ab_cholesky_solve(ab_cholesky(definite(x[0], 2)), x[1]))
FUNCTION(large_solve, ab_cholesky_solve(ab_cholesky(definite(x[0], 100)), x[1]))
FUNCTION(lower, ab_triangular_solve(regular(x[0]), x[1], true, false))
FUNCTION(lower_transposed, ab_triangular_solve(regular(x[0]), x[1], true, true))
FUNCTION(upper, ab_triangular_solve(regular(x[0]), x[1], false, false))
FUNCTION(upper_transposed, ab_triangular_solve(regular(x[0]), x[1], false, true))

static const SdkGradientCase gradient_cases[] = {
    {"cholesky", cholesky_of, 1, {DIMS(3, 3)}, -1, 1},
    {"cholesky-batch", cholesky_of, 1, {DIMS(2, 2, 2)}, -1, 1},
    {"cholesky-solve", cholesky_solve_of, 2, {DIMS(2, 2), DIMS(2, 3)}, -1, 1},
    {"lower", lower_of, 2, {DIMS(3, 3), DIMS(3, 2)}, -1, 1},
    {"lower-transposed", lower_transposed_of, 2, {DIMS(3, 3), DIMS(3, 2)}, -1, 1},
    {"upper", upper_of, 2, {DIMS(2, 3, 3), DIMS(3, 2)}, -1, 1},
    {"upper-transposed", upper_transposed_of, 2, {DIMS(3, 3), DIMS(2, 3, 2)}, -1, 1},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static const SdkGoldenCase golden_cases[] = {
    {"cholesky", cholesky_of}, {"cholesky-solve", cholesky_solve_of},
    {"solve-lower", lower_of}, {"solve-lower-transposed", lower_transposed_of},
    {"solve-upper", upper_of}, {"solve-upper-transposed", upper_transposed_of},
};

static void test_golden(void) {
  sdk_check_golden("solve", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* Well conditioned, so that errors stay near those of the arithmetic. */
static const SdkDeviceCase device_cases[] = {
    {"cholesky", large_cholesky_of, 1, -1, 1, 8, 10, 100, 1},
    {"cholesky-solve", large_solve_of, 2, -1, 1, 8, 0.01, 100, 0.1},
};

static void test_devices(void) {
  sdk_compare_devices(&device_cases[0], (AbShape[]){DIMS(3, 65, 65)});
  sdk_compare_devices(&device_cases[0], (AbShape[]){DIMS(150, 150)});
  sdk_compare_devices(&device_cases[1], (AbShape[]){DIMS(3, 65, 65), DIMS(3, 65, 7)});
}

static void test_threads(void) {
  sdk_check_threads(&device_cases[0], 1, (AbShape[]){DIMS(5, 65, 65)});
  sdk_check_threads(&device_cases[1], 1, (AbShape[]){DIMS(5, 65, 65), DIMS(5, 65, 70)});
}

static void assert_near(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++)
    g_assert_cmpfloat_with_epsilon(values[i], wanted[i], 1e-15);
}

/* The triangle that is not named may hold anything. */
static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double a[4] = {4, NAN, 2, 10}, lower[4] = {2, NAN, 1, 3}, upper[4] = {2, 1, NAN, 3};
  const double b[2] = {2, 10};
  AbTensor *B = sdk_tensor(ctx, AB_SHAPE(2, 1), b);
  AbTensor *L = ab_cholesky(sdk_tensor(ctx, AB_SHAPE(2, 2), a));
  assert_near(L, AB_SHAPE(2, 2), (double[]){2, 0, 1, 3});
  AbTensor *l = sdk_tensor(ctx, AB_SHAPE(2, 2), lower), *u = sdk_tensor(ctx, AB_SHAPE(2, 2), upper);
  assert_near(ab_triangular_solve(l, B, true, false), AB_SHAPE(2, 1), (double[]){1, 3});
  assert_near(ab_triangular_solve(u, B, false, true), AB_SHAPE(2, 1), (double[]){1, 3});
  assert_near(ab_triangular_solve(l, B, true, true), AB_SHAPE(2, 1),
              (double[]){(2 - 10.0 / 3) / 2, 10.0 / 3});
  assert_near(ab_triangular_solve(u, B, false, false), AB_SHAPE(2, 1),
              (double[]){(2 - 10.0 / 3) / 2, 10.0 / 3});
  assert_near(ab_cholesky_solve(L, B), AB_SHAPE(2, 1), (double[]){0, 1});
  AbTensor *singular = ab_full(ctx, AB_F64, AB_SHAPE(1, 1), 0);
  g_assert_true(isinf(ab_item(
      ab_triangular_solve(singular, ab_full(ctx, AB_F64, AB_SHAPE(1, 1), 1), true, false))));
  sdk_finish(ctx);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbShape shapes[][2] = {
      {DIMS(0, 0), DIMS(0, 3)}, {DIMS(0, 2, 2), DIMS(0, 2, 1)}, {DIMS(2, 2), DIMS(2, 0)}};
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
    AbTensor *A = ab_zeros(ctx, shapes[i][0]), *B = ab_zeros(ctx, shapes[i][1]);
    ab_require_grad(A);
    ab_require_grad(B);
    AbTensor *L = ab_cholesky(definite(A, 1)), *X = ab_cholesky_solve(L, B);
    sdk_assert_ok(ctx);
    g_assert_cmpint(ab_count(X), ==, 0);
    ab_backward(ab_sum(X));
    sdk_assert_ok(ctx);
    g_assert_cmpint(ab_count(ab_gradient(B)), ==, 0);
  }
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  double a[27] = {2, 0, 0, 0, 2, 0, 0, 0, 2, /* the second: pivot 2 */ 1, 0, 0, 0, 1, 0, 0, 1, 1,
                  0, 0, 0, 0, 0, 0, 0, 0, 0};
  AbTensor *A = sdk_tensor(ctx, AB_SHAPE(3, 3, 3), a), *B = ab_zeros(ctx, AB_SHAPE(3, 2));
  g_assert_null(ab_cholesky(A));
  sdk_assert_error(ctx, AB_DATA, "cholesky", "matrix 1", "[3, 3, 3]", "pivot 2", NULL);
  a[0] = NAN;
  g_assert_null(ab_cholesky(sdk_tensor(ctx, AB_SHAPE(3, 3, 3), a)));
  sdk_assert_error(ctx, AB_DATA, "matrix 0", "pivot 0", NULL);
  g_assert_null(ab_cholesky(B));
  sdk_assert_error(ctx, AB_CONFIG, "cholesky", "square", "f64 [3, 2]", NULL);
  g_assert_null(ab_cholesky(ab_full(ctx, AB_I32, AB_SHAPE(1, 1), 1)));
  sdk_assert_error(ctx, AB_CONFIG, "cholesky", "real", NULL);
  g_assert_null(ab_triangular_solve(A, ab_zeros(ctx, AB_SHAPE(4, 2)), true, false));
  sdk_assert_error(ctx, AB_CONFIG, "triangular_solve", "f64 [3, 3, 3]", "f64 [4, 2]", NULL);
  g_assert_null(ab_triangular_solve(A, ab_zeros(ctx, AB_SHAPE(2, 3, 2)), true, false));
  sdk_assert_error(ctx, AB_CONFIG, "triangular_solve", "[..., n, k]", NULL);
  g_assert_null(ab_triangular_solve(A, ab_zeros(other, AB_SHAPE(3, 2)), true, false));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_triangular_solve(A, ab_full(ctx, AB_F32, AB_SHAPE(3, 2), 0), true, false));
  sdk_assert_error(ctx, AB_CONFIG, "types differ", NULL);
  g_assert_null(ab_triangular_solve(A, NULL, true, false));
  g_assert_null(ab_cholesky(NULL));
  g_assert_null(ab_cholesky_solve(NULL, B));
  ab_context_free(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/solve/first", test_first);
  sdk_add("/solve/second", test_second);
  g_test_add_func("/solve/golden", test_golden);
  g_test_add_func("/solve/devices", test_devices);
  g_test_add_func("/solve/threads", test_threads);
  sdk_add("/solve/values", test_values);
  sdk_add("/solve/empty", test_empty);
  sdk_add("/solve/errors", test_errors);
  return g_test_run();
}
