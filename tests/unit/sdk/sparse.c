/* SPDX-License-Identifier: Apache-2.0
 *
 * Sparse matrices times dense ones. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

/* 4 x 6: an empty row, an empty column, columns out of order */
static const int64_t starts[] = {0, 2, 2, 5, 7}, columns[] = {4, 0, 1, 5, 2, 0, 4};

/* values [7], x [6, n]; the matrix is let go before the backward pass */
static AbTensor *sparse_of(AbTensor *const *x) {
  AbSparse *s = ab_sparse_new(ab_context_of(x[0]), 4, 6, starts, columns, x[0]);
  AbTensor *y = ab_sparse_matmul(s, x[1]);
  ab_sparse_unref(s);
  return y;
}

/* other values than its own */
static AbTensor *values_of(AbTensor *const *x) {
  AbContext *ctx = ab_context_of(x[0]);
  AbSparse *s = ab_sparse_new(ctx, 4, 6, starts, columns, AB_NONE);
  AbTensor *y = ab_sparse_matmul_values(s, ab_square(x[0]), ab_square(x[1]));
  ab_sparse_unref(s);
  return y;
}

static const SdkGradientCase gradient_cases[] = {
    {"sparse", sparse_of, 2, {DIMS(7), DIMS(6, 3)}, -1, 1},
    {"values", values_of, 2, {DIMS(7), DIMS(6, 2)}, -1, 1},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static const SdkGoldenCase golden_cases[] = {{"sparse", sparse_of}};

static void test_golden(void) {
  sdk_check_golden("sparse", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* ---- a graph -------------------------------------------------------------------------------- */

#define NODES 700
#define EDGES (5 * NODES)

/* Row r has r % 11 numbers, in places that repeat now and then. */
static AbTensor *graph_of(AbTensor *const *x) {
  g_autofree int64_t *first = g_new(int64_t, NODES + 1), *column = g_new(int64_t, 11 * NODES);
  first[0] = 0;
  for (int64_t r = 0; r < NODES; r++) {
    first[r + 1] = first[r] + r % 11;
    for (int64_t e = first[r]; e < first[r + 1]; e++) column[e] = (e * 7919 + r) % NODES;
  }
  AbTensor *values = ab_slice(x[0], 0, 0, first[NODES]);
  AbSparse *s = ab_sparse_new(ab_context_of(x[0]), NODES, NODES, first, column, values);
  AbTensor *y = ab_sparse_matmul(s, ab_sparse_matmul(s, x[1]));
  ab_sparse_unref(s);
  return y;
}

static const SdkDeviceCase graph_case = {"graph", graph_of, 2, -1, 1, 1, 30, 2, 30};

static void test_devices(void) {
  for (int64_t n = 1; n <= 33; n += 16)
    sdk_compare_devices(&graph_case, (AbShape[]){DIMS(EDGES), AB_SHAPE(NODES, n)});
}

static void test_threads(void) {
  sdk_check_threads(&graph_case, 1, (AbShape[]){DIMS(EDGES), DIMS(NODES, 33)});
}

/* ---- values by hand ------------------------------------------------------------------------- */

static void assert_is(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat(values[i], ==, wanted[i]);
}

/* [[0, 5], [0, 0], [3, 0]]: the 5 as 2 and 3 in one place */
static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const int64_t rows[] = {0, 2, 2, 3}, cols[] = {1, 1, 0};
  const double v[] = {2, 3, 3}, m[] = {1, 2, 10, 20};
  AbTensor *values = sdk_tensor(ctx, AB_SHAPE(3), v), *x = sdk_tensor(ctx, AB_SHAPE(2, 2), m);
  AbSparse *s = ab_sparse_new(ctx, 3, 2, rows, cols, values);
  AbShape shape = ab_sparse_shape(s);
  g_assert_cmpint(shape.dims[0], ==, 3);
  g_assert_cmpint(shape.dims[1], ==, 2);
  g_assert_true(ab_sparse_values(s) == values);
  assert_is(ab_sparse_matmul(s, x), AB_SHAPE(3, 2), (double[]){50, 100, 0, 0, 3, 6});
  assert_is(ab_sparse_matmul(s, ab_transpose(x, 0, 1)), AB_SHAPE(3, 2),
            (double[]){10, 100, 0, 0, 3, 30});
  ab_require_grad(values);
  ab_require_grad(x);
  ab_backward(ab_sum(ab_sparse_matmul(s, x)));
  assert_is(ab_gradient(values), AB_SHAPE(3), (double[]){30, 30, 3});
  assert_is(ab_gradient(x), AB_SHAPE(2, 2), (double[]){3, 3, 5, 5});
  g_assert_true(ab_sparse_ref(s) == s);
  ab_sparse_unref(s);
  ab_sparse_unref(s);
  ab_sparse_unref(NULL);
  s = ab_sparse_new(ctx, 3, 2, rows, cols, AB_NONE);
  assert_is(ab_sparse_matmul(s, x), AB_SHAPE(3, 2), (double[]){20, 40, 0, 0, 1, 2});
  ab_sparse_unref(s);
  sdk_finish(ctx);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const int64_t none[] = {0, 0, 0}, one[] = {0, 1};
  AbSparse *s = ab_sparse_new(ctx, 2, 3, none, NULL, AB_NONE);
  AbTensor *x = ab_full(ctx, AB_F32, AB_SHAPE(3, 2), NAN);
  ab_require_grad(x);
  AbTensor *y = ab_sparse_matmul(s, x);
  assert_is(y, AB_SHAPE(2, 2), (double[]){0, 0, 0, 0}); /* no number meets the NaN */
  ab_backward(ab_sum(y));
  assert_is(ab_gradient(x), AB_SHAPE(3, 2), (double[]){0, 0, 0, 0, 0, 0});
  ab_sparse_unref(s);
  s = ab_sparse_new(ctx, 0, 0, none, NULL, AB_NONE);
  assert_is(ab_sparse_matmul(s, ab_zeros(ctx, AB_SHAPE(0, 4))), AB_SHAPE(0, 4), NULL);
  ab_sparse_unref(s);
  s = ab_sparse_new(ctx, 1, 1, one, none, AB_NONE);
  assert_is(ab_sparse_matmul(s, ab_zeros(ctx, AB_SHAPE(1, 0))), AB_SHAPE(1, 0), NULL);
  g_assert_true(isnan(ab_item(ab_sparse_matmul(s, ab_full(ctx, AB_F32, AB_SHAPE(1, 1), NAN)))));
  ab_sparse_unref(s);
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  g_assert_null(ab_sparse_new(ctx, -1, 2, starts, columns, AB_NONE));
  sdk_assert_error(ctx, AB_CONFIG, "sparse", "-1 rows", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 5, starts, columns, AB_NONE));
  sdk_assert_error(ctx, AB_DATA, "column 5 of row 2", "0 to 4", NULL);
  g_assert_null(ab_sparse_new(ctx, 1, 6, (int64_t[]){0, 1}, (int64_t[]){-1}, AB_NONE));
  sdk_assert_error(ctx, AB_DATA, "column -1 of row 0", NULL);
  g_assert_null(ab_sparse_new(ctx, 2, 6, (int64_t[]){0, 2, 1}, columns, AB_NONE));
  sdk_assert_error(ctx, AB_DATA, "row 1", "ends at 1", NULL);
  g_assert_null(ab_sparse_new(ctx, 2, 6, (int64_t[]){1, 1, 2}, columns, AB_NONE));
  sdk_assert_error(ctx, AB_DATA, "start at number 1", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 6, starts, columns, ab_zeros(ctx, AB_SHAPE(6))));
  sdk_assert_error(ctx, AB_CONFIG, "values of f32 [6]", "[7]", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 6, starts, columns, ab_zeros(other, AB_SHAPE(7))));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 6, starts, columns, ab_full(ctx, AB_I64, AB_SHAPE(7), 1)));
  sdk_assert_error(ctx, AB_CONFIG, "sparse", "real", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 6, starts, columns, NULL));
  g_assert_null(ab_sparse_new(ctx, 4, 6, NULL, columns, AB_NONE));
  sdk_assert_error(ctx, AB_INTERNAL, "sparse", "NULL", NULL);
  g_assert_null(ab_sparse_new(ctx, 4, 6, starts, NULL, AB_NONE));
  sdk_assert_error(ctx, AB_INTERNAL, "sparse", "NULL", NULL);
  AbSparse *s = ab_sparse_new(ctx, 4, 6, starts, columns, AB_NONE);
  g_assert_null(ab_sparse_matmul(s, ab_zeros(ctx, AB_SHAPE(4, 2))));
  sdk_assert_error(ctx, AB_CONFIG, "sparse_matmul", "[4, 6]", "f32 [4, 2]", "[6, n]", NULL);
  g_assert_null(ab_sparse_matmul(s, ab_zeros(ctx, AB_SHAPE(6))));
  sdk_assert_error(ctx, AB_CONFIG, "sparse_matmul", NULL);
  g_assert_null(ab_sparse_matmul(s, ab_full(ctx, AB_F64, AB_SHAPE(6, 1), 1)));
  sdk_assert_error(ctx, AB_CONFIG, "types differ", NULL);
  g_assert_null(ab_sparse_matmul(s, ab_zeros(other, AB_SHAPE(6, 2))));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_sparse_matmul(s, NULL));
  g_assert_null(ab_sparse_matmul(NULL, AB_NONE));
  ab_sparse_unref(s);
  ab_context_free(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/sparse/first", test_first);
  sdk_add("/sparse/second", test_second);
  g_test_add_func("/sparse/golden", test_golden);
  g_test_add_func("/sparse/devices", test_devices);
  g_test_add_func("/sparse/threads", test_threads);
  sdk_add("/sparse/values", test_values);
  sdk_add("/sparse/empty", test_empty);
  sdk_add("/sparse/errors", test_errors);
  return g_test_run();
}
