/* SPDX-License-Identifier: Apache-2.0
 *
 * Embeddings and positions. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

static AbTensor *index_of(AbContext *ctx, AbShape shape, const int64_t *values) {
  return ab_from(ctx, AB_I64, shape, values);
}

/* Rows 4, 0, 2, 2, 1, 4 of five: one twice, one never. */
static AbTensor *pick(AbTensor *table, int64_t padding) {
  const int64_t index[6] = {4, 0, 2, 2, 1, 4};
  return ab_embedding(table, index_of(ab_context_of(table), AB_SHAPE(2, 3), index), padding);
}

FUNCTION(rows, pick(x[0], AB_NO_PADDING))
FUNCTION(square, ab_square(pick(x[0], AB_NO_PADDING)))
FUNCTION(padded, ab_square(pick(ab_square(x[0]), 2)))
/* a table that is used in two ways: its gradient is there before the rows are added */
FUNCTION(twice, ab_add(ab_sum(ab_square(x[0])), ab_add(pick(x[0], -1), pick(x[0], -5))))
FUNCTION(golden, ab_embedding(x[0], x[1], AB_NO_PADDING))
FUNCTION(golden_padded, ab_embedding(x[0], x[1], 2))
FUNCTION(positions, ab_sinusoidal_positions(ab_context_of(x[0]), ab_dim(x[0], 0), ab_dim(x[0], 1)))

static const SdkGradientCase gradient_cases[] = {
    {"rows", rows_of, 1, {DIMS(5, 3)}, -1, 1},
    {"square", square_of, 1, {DIMS(5, 3)}, -1, 1},
    {"padded", padded_of, 1, {DIMS(5, 3)}, -1, 1},
    {"twice", twice_of, 1, {DIMS(5, 3)}, -1, 1},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static const SdkGoldenCase golden_cases[] = {
    {"embedding", golden_of}, {"padding", golden_padded_of}, {"positions", positions_of}};

static void test_golden(void) {
  sdk_check_golden("embedding", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* 3,000 of the rows of a table: each some times. */
static AbTensor *many_of(AbTensor *const *x) {
  int64_t rows = ab_dim(x[0], 0);
  AbTensor *index = ab_empty(ab_context_of(x[0]), AB_I64, AB_SHAPE(30, 100));
  int64_t *to = ab_map(index, true);
  for (int64_t i = 0; i < 3000; i++) to[i] = i * 7919 % 1009 % rows;
  ab_unmap(index);
  return ab_embedding(x[0], index, 3);
}

/* sums of some 40 numbers about 1 */
static const SdkDeviceCase device_case = {"many", many_of, 1, -1, 1, 0, 0, 4, 40};

static void test_devices(void) {
  sdk_compare_devices(&device_case, (AbShape[]){DIMS(71, 200)});
  sdk_compare_devices(&device_case, (AbShape[]){DIMS(71, 1)});
}

static void test_threads(void) {
  sdk_check_threads(&device_case, 1, (AbShape[]){DIMS(71, 200)});
  sdk_check_threads(&device_case, 1, (AbShape[]){DIMS(71, 13)});
}

static void assert_is(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat(values[i], ==, wanted[i]);
}

static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const double numbers[6] = {1, 2, 3, 4, 5, 6};
  const int64_t at[4] = {2, 0, 7, 2};
  AbTensor *table = sdk_tensor(ctx, AB_SHAPE(3, 2), numbers);
  ab_require_grad(table);
  AbTensor *index = index_of(ctx, AB_SHAPE(2, 2), at);
  AbTensor *y = ab_embedding(table, index, 7); /* padding beyond the table */
  assert_is(y, AB_SHAPE(2, 2, 2), (double[]){5, 6, 1, 2, 0, 0, 5, 6});
  ab_backward(ab_sum(y));
  assert_is(ab_gradient(table), AB_SHAPE(3, 2), (double[]){1, 1, 0, 0, 2, 2});
  ab_clear_gradient(table);
  y = ab_embedding(table, index_of(ctx, ab_scalar_shape(), at), 2);
  assert_is(y, AB_SHAPE(2), (double[]){0, 0});
  assert_is(ab_embedding(table, index_of(ctx, ab_scalar_shape(), at), AB_NO_PADDING), AB_SHAPE(2),
            (double[]){5, 6});
  assert_is(ab_embedding(table, ab_transpose(index, 0, 1), 7), AB_SHAPE(2, 2, 2),
            (double[]){5, 6, 0, 0, 1, 2, 5, 6});
  assert_is(ab_embedding(table, index_of(ctx, AB_SHAPE(0, 3), at), -1), AB_SHAPE(0, 3, 2), NULL);
  AbTensor *thin = ab_zeros(ctx, AB_SHAPE(3, 0));
  ab_require_grad(thin);
  ab_backward(ab_sum(ab_embedding(thin, index, 7)));
  assert_is(ab_gradient(thin), AB_SHAPE(3, 0), NULL);
  AbTensor *p = ab_sinusoidal_positions(ctx, 2, 3);
  assert_is(p, AB_SHAPE(2, 3),
            (double[]){0, 1, 0, (double)(float)sin(1), (double)(float)cos(1),
                       (double)(float)sin(pow(10000, -2.0 / 3))});
  assert_is(ab_sinusoidal_positions(ctx, 0, 3), AB_SHAPE(0, 3), NULL);
  sdk_finish(ctx);
}

/* Whatever the type of the index, the rows are the same and so are their gradients. */
static void test_types(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbDtype types[] = {AB_I64, AB_I32, AB_U8};
  for (int i = 0; i < 3; i++) {
    AbTensor *table = ab_from(ctx, AB_F64, AB_SHAPE(3, 2), (double[]){1, 2, 3, 4, 5, 6});
    AbTensor *index = sdk_tensor_of(ctx, types[i], AB_SHAPE(2, 2), (double[]){2, 0, 7, 2});
    ab_require_grad(table);
    AbTensor *y = ab_embedding(table, ab_transpose(index, 0, 1), 7);
    assert_is(y, AB_SHAPE(2, 2, 2), (double[]){5, 6, 0, 0, 1, 2, 5, 6});
    ab_backward(ab_sum(y));
    assert_is(ab_gradient(table), AB_SHAPE(3, 2), (double[]){1, 1, 0, 0, 2, 2});
    g_assert_null(ab_embedding(table, index, AB_NO_PADDING));
    sdk_assert_error(ctx, AB_DATA, "index 7 at [1, 0]", NULL);
  }
  AbTensor *table = ab_zeros(ctx, AB_SHAPE(3, 2));
  g_assert_null(ab_embedding(table, sdk_tensor_of(ctx, AB_BOOL, AB_SHAPE(1), (double[]){1}), -1));
  sdk_assert_error(ctx, AB_CONFIG, "embedding", "bool [1]", "i64, i32 or u8", NULL);
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  const int64_t at[6] = {0, 1, 2, 3, 0, -1};
  AbTensor *table = ab_zeros(ctx, AB_SHAPE(3, 2)), *index = index_of(ctx, AB_SHAPE(2, 3), at);
  g_assert_null(ab_embedding(table, index, AB_NO_PADDING));
  sdk_assert_error(ctx, AB_DATA, "embedding", "index 3 at [1, 0]", "0 to 2", NULL);
  g_assert_null(ab_embedding(table, index, 3));
  sdk_assert_error(ctx, AB_DATA, "index -1 at [1, 2]", NULL);
  g_assert_null(ab_embedding(table, index, -1)); /* no padding, so -1 is no index either */
  sdk_assert_error(ctx, AB_DATA, "index 3", NULL);
  g_assert_null(ab_embedding(table, table, -1));
  sdk_assert_error(ctx, AB_CONFIG, "embedding", "f32 [3, 2]", "i64", NULL);
  g_assert_null(ab_embedding(ab_zeros(ctx, AB_SHAPE(3)), index, -1));
  sdk_assert_error(ctx, AB_CONFIG, "a table of f32 [3]", NULL);
  g_assert_null(ab_embedding(index, index, -1));
  sdk_assert_error(ctx, AB_CONFIG, "embedding", "real", NULL);
  g_assert_null(ab_embedding(table, index_of(other, AB_SHAPE(1), at), -1));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_embedding(table, ab_full(ctx, AB_I64, AB_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), 0), -1));
  sdk_assert_error(ctx, AB_CONFIG, "rank 0 to 7", NULL);
  g_assert_null(ab_embedding(NULL, index, -1));
  g_assert_null(ab_embedding(table, NULL, -1));
  g_assert_null(ab_sinusoidal_positions(ctx, -1, 2));
  sdk_assert_error(ctx, AB_CONFIG, "[-1, 2]", NULL);
  ab_context_free(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/embedding/first", test_first);
  sdk_add("/embedding/types", test_types);
  sdk_add("/embedding/second", test_second);
  g_test_add_func("/embedding/golden", test_golden);
  g_test_add_func("/embedding/devices", test_devices);
  g_test_add_func("/embedding/threads", test_threads);
  sdk_add("/embedding/values", test_values);
  sdk_add("/embedding/errors", test_errors);
  return g_test_run();
}
