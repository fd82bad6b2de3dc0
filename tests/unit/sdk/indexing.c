/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index: gradients, PyTorch's values, values written out here, every element type, the
 * same bits on any number of threads, errors that say where. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

/* Indices that repeat: (7 i + 3) modulo `below`. */
static AbTensor *index_of(AbTensor *x, AbShape shape, int64_t below) {
  int64_t n = ab_shape_count(shape);
  g_autofree double *values = g_new(double, n + 1);
  for (int64_t i = 0; i < n; i++) values[i] = (double)((7 * i + 3) % below);
  return sdk_tensor_of(ab_context_of(x), AB_I64, shape, values);
}

#define I(x, axis, ...) index_of(x, AB_SHAPE(__VA_ARGS__), ab_dim(x, axis))
FUNCTION(gather, ab_square(ab_gather(x[0], 1, I(x[0], 1, 2, 6, 4))))
FUNCTION(gather_first, ab_square(ab_gather(x[0], 0, I(x[0], 0, 5, 5, 3))))
FUNCTION(gather_last, ab_square(ab_gather(x[0], -1, I(x[0], 2, 3, 1, 7))))
FUNCTION(gather_turned, ab_square(ab_gather(x[0], 1, ab_transpose(I(x[0], 1, 4, 6, 2), 0, 2))))
FUNCTION(scatter, ab_square(ab_scatter_add(x[0], 1, I(x[0], 1, 2, 6, 4), x[1])))
FUNCTION(scatter_last, ab_square(ab_scatter_add(x[0], 2, I(x[0], 2, 3, 5, 2), x[1])))
FUNCTION(select, ab_square(ab_index_select(x[0], 1, I(x[0], 1, 7))))
FUNCTION(select_first, ab_square(ab_index_select(x[0], 0, I(x[0], 0, 4))))
FUNCTION(select_last, ab_square(ab_index_select(x[0], -1, I(x[0], 2, 9))))
FUNCTION(index_add, ab_square(ab_index_add(x[0], 1, I(x[0], 1, 7), x[1])))
FUNCTION(pick, ab_square(ab_pick(x[0], I(x[0], 2, 3, 5))))

#define CUBE DIMS(3, 5, 4)
static const SdkGradientCase gradients[] = {
    {"gather", gather_of, 1, {CUBE}, -2, 2},
    {"gather-first", gather_first_of, 1, {CUBE}, -2, 2},
    {"gather-last", gather_last_of, 1, {CUBE}, -2, 2},
    {"gather-turned", gather_turned_of, 1, {CUBE}, -2, 2},
    {"scatter-add", scatter_of, 2, {CUBE, DIMS(3, 6, 4)}, -2, 2},
    {"scatter-add-last", scatter_last_of, 2, {CUBE, CUBE}, -2, 2},
    {"index-select", select_of, 1, {CUBE}, -2, 2},
    {"index-select-first", select_first_of, 1, {CUBE}, -2, 2},
    {"index-select-last", select_last_of, 1, {CUBE}, -2, 2},
    {"index-add", index_add_of, 2, {CUBE, DIMS(3, 7, 4)}, -2, 2},
    {"pick", pick_of, 1, {CUBE}, -2, 2},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradients, G_N_ELEMENTS(gradients));
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients));
}

FUNCTION(golden_gather, ab_square(ab_gather(x[0], 1, x[1])))
FUNCTION(golden_scatter, ab_square(ab_scatter_add(x[0], 1, x[2], x[1])))
FUNCTION(golden_select, ab_square(ab_index_select(x[0], 1, x[1])))
FUNCTION(golden_add, ab_square(ab_index_add(x[0], 1, x[2], x[1])))
FUNCTION(golden_pick, ab_square(ab_pick(x[0], x[1])))

static void test_golden(void) {
  static const SdkGoldenCase cases[] = {
      {"gather", golden_gather_of, 0},       {"scatter-add", golden_scatter_of, 0},
      {"index-select", golden_select_of, 0}, {"index-add", golden_add_of, 0},
      {"pick", golden_pick_of, 0},
  };
  sdk_check_golden("indexing", cases, G_N_ELEMENTS(cases));
}

/* ---- f32 on the cpu, and threads ------------------------------------------------------------ */

FUNCTION(rows, ab_index_select(x[0], 0, I(x[0], 0, 1000)))
FUNCTION(inner_rows, ab_index_select(x[0], 1, I(x[0], 1, 300)))
FUNCTION(entries, ab_gather(x[0], 1, index_of(x[0], ab_shape(x[0]), ab_dim(x[0], 1))))
FUNCTION(labelled, ab_pick(x[0], index_of(x[0], AB_SHAPE(ab_dim(x[0], 0)), ab_dim(x[0], 1))))
FUNCTION(rows_added, ab_index_add(x[0], 0, I(x[0], 0, 700), x[1]))
/* sums of a few terms each, of at most 1.5 */
static const SdkDeviceCase device_cases[] = {
    {"index-select", rows_of, 1, -9, 9, 0, 0, 8, 50},
    {"index-select-inner", inner_rows_of, 1, -9, 9, 0, 0, 8, 50},
    {"gather", entries_of, 1, -9, 9, 0, 0, 8, 50},
    {"pick", labelled_of, 1, -9, 9, 0, 0, 0, 0},
};
static const SdkDeviceCase add_cases[] = {
    {"index-add", rows_added_of, 2, -9, 9, 8, 50, 0, 0},
};

static void test_devices(void) {
  const AbShape shapes[] = {AB_SHAPE(37, 333), AB_SHAPE(400, 128), AB_SHAPE(1000, 65)};
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
    AbShape both[2] = {shapes[k], shapes[k]};
    both[1].dims[0] = 700;
    for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++)
      sdk_compare_devices(&device_cases[i], both);
    sdk_compare_devices(add_cases, both);
    sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), both);
    sdk_check_threads(add_cases, 1, both);
  }
}

/* ---- every type ----------------------------------------------------------------------------- */

static void test_types(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  g_autofree double *values = sdk_numbers(7 * 11 * 5, 0, 250, 4);
  for (AbDtype dtype = AB_F32; dtype <= AB_BOOL; dtype++) {
    g_autofree double *whole = g_new(double, 7 * 11 * 5);
    for (int i = 0; i < 7 * 11 * 5; i++)
      whole[i] = dtype == AB_BOOL ? values[i] > 125 : floor(values[i]);
    AbTensor *x = sdk_tensor_of(ctx, dtype, AB_SHAPE(7, 11, 5), whole);
    const AbDtype kinds[] = {AB_I64, AB_I32, AB_U8};
    for (int k = 0; k < 3; k++) {
      AbTensor *index = ab_cast(index_of(x, AB_SHAPE(6, 13, 5), 11), kinds[k]);
      g_autofree double *place = sdk_values(index);
      AbTensor *taken = ab_gather(x, 1, index);
      AbTensor *rows = ab_index_select(
          x, 1, ab_reshape(ab_slice(ab_slice(index, 0, 0, 1), 2, 0, 1), AB_SHAPE(13)));
      sdk_assert_ok(ctx);
      g_assert_cmpint(ab_dtype(taken), ==, dtype);
      g_autofree double *given = sdk_values(taken), *selected = sdk_values(rows);
      for (int a = 0; a < 6; a++)
        for (int b = 0; b < 13; b++)
          for (int c = 0; c < 5; c++) {
            int at = (a * 13 + b) * 5 + c;
            g_assert_cmpfloat(given[at], ==, whole[(a * 11 + (int)place[at]) * 5 + c]);
            g_assert_cmpfloat(selected[at], ==, whole[(a * 11 + (int)place[b * 5]) * 5 + c]);
          }
    }
  }
  sdk_finish(ctx);
}

/* Terms that meet in one place; an index shorter than x and source. */
static void test_small(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double zeros[8] = {0}, ramp[] = {1, 2, 3, 4, 5, 6, 7, 8}, place[] = {1, 1, 0, 1};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 4), zeros), *s = sdk_tensor(ctx, AB_SHAPE(2, 4), ramp);
  AbTensor *index = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(2, 2), place);
  g_autofree double *y = sdk_values(ab_scatter_add(x, 1, index, s));
  const double wanted[] = {0, 3, 0, 0, 5, 6, 0, 0};
  for (int i = 0; i < 8; i++) g_assert_cmpfloat(y[i], ==, wanted[i]);
  AbTensor *rows = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(2), place);
  g_autofree double *z = sdk_values(ab_index_add(x, 0, rows, s));
  const double sums[] = {0, 0, 0, 0, 6, 8, 10, 12};
  for (int i = 0; i < 8; i++) g_assert_cmpfloat(z[i], ==, sums[i]);
  g_assert_cmpint(ab_count(ab_gather(x, 1, ab_empty(ctx, AB_I64, AB_SHAPE(2, 0)))), ==, 0);
  g_assert_cmpint(ab_count(ab_index_select(x, 1, ab_empty(ctx, AB_I64, AB_SHAPE(0)))), ==, 0);
  g_assert_cmpint(ab_rank(ab_pick(ab_reshape(ab_slice(x, 0, 0, 1), AB_SHAPE(4)),
                                  ab_full(ctx, AB_I64, ab_scalar_shape(), 2))),
                  ==, 0);
  sdk_finish(ctx);
}

/* The gradient of an index_select of a channels-last tensor keeps its order in memory. */
static void test_order(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *values = sdk_numbers(2 * 3 * 4, -1, 1, 2);
  AbTensor *leaf = sdk_tensor(ctx, AB_SHAPE(2, 4, 3), values);
  ab_require_grad(leaf);
  AbTensor *x = ab_square(ab_transpose(leaf, 1, 2)); /* packed, not row-major */
  AbTensor *y = ab_index_select(x, 1, index_of(x, AB_SHAPE(5), 3));
  ab_backward(ab_add(ab_sum(y), ab_sum(ab_index_select(x, 1, index_of(x, AB_SHAPE(2), 3)))));
  const int counts[] = {2 + 1, 2 + 1, 1}; /* 0, 1, 2, 0, 1 and 0, 1 */
  g_autofree double *g = sdk_values(ab_gradient(leaf));
  for (int i = 0; i < 24; i++) g_assert_cmpfloat(g[i], ==, 2 * values[i] * counts[i % 3]);
  sdk_finish(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context("cpu", AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *s = ab_zeros(ctx, AB_SHAPE(2, 2));
  const double bad[] = {0, 1, 2, 3}, low[] = {0, 0, -1, 0};
  AbTensor *index = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(2, 2), bad);
  AbTensor *below = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(2, 2), low);
  AbTensor *flat = sdk_tensor_of(ctx, AB_I32, AB_SHAPE(4), bad);
  AbTensor *real = ab_zeros(ctx, AB_SHAPE(2, 2));
#define WRONG(call, code, ...) \
  g_assert_null(call);         \
  sdk_assert_error(ctx, code, __VA_ARGS__, NULL)
  WRONG(ab_gather(x, 1, index), AB_DATA, "gather", "index 3 at [1, 1]", "0 to 2");
  WRONG(ab_gather(x, 1, below), AB_DATA, "index -1 at [1, 0]");
  WRONG(ab_scatter_add(x, 1, index, s), AB_DATA, "scatter_add", "index 3 at [1, 1]");
  WRONG(ab_index_select(x, 1, flat), AB_DATA, "index_select", "index 3 at [3]");
  WRONG(ab_index_add(x, 1, flat, ab_zeros(ctx, AB_SHAPE(2, 4))), AB_DATA, "index_add", "at [3]");
  WRONG(ab_pick(x, ab_slice(flat, 0, 2, 4)), AB_DATA, "gather", "index 3 at [1, 0]");
  WRONG(ab_gather(x, 1, real), AB_CONFIG, "gather", "f32 [2, 2]", "i64");
  WRONG(ab_gather(x, 1, flat), AB_CONFIG, "gather", "i32 [4]", "same rank");
  WRONG(ab_gather(x, 2, index), AB_CONFIG, "gather", "no such axis");
  WRONG(ab_gather(s, 1, ab_full(ctx, AB_I64, AB_SHAPE(3, 1), 0)), AB_CONFIG, "i64 [3, 1]");
  WRONG(ab_scatter_add(x, 1, ab_full(ctx, AB_I64, AB_SHAPE(2, 3), 0), s), AB_CONFIG, "source");
  WRONG(ab_scatter_add(ab_cast(x, AB_I64), 1, index, s), AB_CONFIG, "scatter_add", "real");
  WRONG(ab_scatter_add(x, 1, index, ab_cast(s, AB_F64)), AB_CONFIG, "scatter_add", "types");
  WRONG(ab_index_select(x, 1, index), AB_CONFIG, "index_select", "rank 1");
  WRONG(ab_index_add(x, 1, flat, s), AB_CONFIG, "index_add", "f32 [2, 2]", "f32 [2, 3]");
  WRONG(ab_pick(x, flat), AB_CONFIG, "pick", "i32 [4]");
  WRONG(ab_gather(x, 1, ab_full(other, AB_I64, AB_SHAPE(2, 2), 0)), AB_INTERNAL, "two contexts");
  g_assert_null(ab_gather(NULL, 0, index));
  g_assert_null(ab_gather(x, 0, NULL));
  g_assert_null(ab_pick(NULL, index));
  g_assert_null(ab_index_add(x, 0, NULL, s));
  sdk_finish(ctx);
  sdk_finish(other);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/indexing/first", test_first);
  sdk_add("/indexing/second", test_second);
  g_test_add_func("/indexing/golden", test_golden);
  g_test_add_func("/indexing/devices", test_devices);
  sdk_add("/indexing/types", test_types);
  sdk_add("/indexing/small", test_small);
  sdk_add("/indexing/order", test_order);
  sdk_add("/indexing/errors", test_errors);
  return g_test_run();
}
