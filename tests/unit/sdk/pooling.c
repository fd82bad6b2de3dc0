/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling and un-pooling: derivatives, PyTorch's values, devices against each other, windows by
 * hand, errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

#define POOL(...) ((AbPool){__VA_ARGS__})

FUNCTION(max_1, ab_max_pool(x[0], POOL({3}, {2}, {1}), NULL))
FUNCTION(max_2, ab_max_pool(x[0], POOL({3, 2}, {2, 1}, {1, 0}), NULL))
FUNCTION(max_dilated, ab_max_pool(x[0], POOL({2, 3}, {1, 2}, {1, 1}, {3, 2}), NULL))
FUNCTION(max_3, ab_max_pool(x[0], POOL({2, 2, 2}, {1, 1, 1}), NULL))
FUNCTION(max_square, ab_square(ab_max_pool(x[0], POOL({3, 3}, {1, 1}, {1, 1}), NULL)))
FUNCTION(average_1, ab_average_pool(x[0], POOL({3}, {2}, {1})))
FUNCTION(average_2, ab_average_pool(x[0], POOL({3, 2}, {2, 1}, {1, 1})))
FUNCTION(average_excluding,
         ab_average_pool(x[0], POOL({3, 2}, {2, 1}, {1, 1}, .exclude_padding = true)))
FUNCTION(average_3, ab_average_pool(x[0], POOL({2, 3, 2}, {2, 2, 2}, {1, 1, 1})))
FUNCTION(average_square, ab_square(ab_average_pool(x[0], POOL({2, 2}))))
FUNCTION(sum, ab_sum_pool(x[0], POOL({3, 2}, {2, 1})))
FUNCTION(sum_dilated, ab_square(ab_sum_pool(x[0], POOL({2, 2}, {1, 1}, {1, 1}, {2, 2}))))
FUNCTION(adaptive, ab_adaptive_average_pool(x[0], AB_SHAPE(3, 8)))
FUNCTION(adaptive_square, ab_square(ab_adaptive_average_pool(x[0], AB_SHAPE(2, 3))))
FUNCTION(global_max, ab_global_max_pool(x[0]))
FUNCTION(global_average, ab_global_average_pool(x[0]))
FUNCTION(global_sum, ab_square(ab_global_sum_pool(x[0])))
FUNCTION(unpool, ab_max_unpool(x[0], x[1], AB_SHAPE(7, 6)))
FUNCTION(stochastic, ab_stochastic_pool(x[0], POOL({3, 2}, {2, 2}), NULL))
FUNCTION(spread, ab_square(ab_average_unpool(x[0], POOL({3, 2}, {2, 1}, {1, 0}), AB_SHAPE(5, 4))))

/* Pools, and puts back where it came from. */
static AbTensor *there_and_back_of(AbTensor *const *x) {
  AbTensor *indices, *y = ab_max_pool(x[0], POOL({3, 2}, {2, 2}), &indices);
  AbShape shape = ab_shape(x[0]);
  return ab_square(ab_max_unpool(y, indices, AB_SHAPE(shape.dims[2], shape.dims[3])));
}

#define IMAGE DIMS(2, 3, 5, 4)
/* the largest: of numbers that are far enough apart */
static const SdkGradientCase cases[] = {
    {"max-1", max_1_of, 1, {DIMS(2, 3, 7)}, -60, 60},
    {"max-2", max_2_of, 1, {IMAGE}, -60, 60},
    {"max-3", max_3_of, 1, {DIMS(1, 2, 3, 2, 4)}, -60, 60},
    {"max-dilated", max_dilated_of, 1, {IMAGE}, -60, 60},
    {"max-square", max_square_of, 1, {IMAGE}, -60, 60},
    {"average-1", average_1_of, 1, {DIMS(2, 3, 7)}, -2, 2},
    {"average-2", average_2_of, 1, {IMAGE}, -2, 2},
    {"average-3", average_3_of, 1, {DIMS(1, 2, 3, 2, 4)}, -2, 2},
    {"average-excluding", average_excluding_of, 1, {IMAGE}, -2, 2},
    {"average-square", average_square_of, 1, {IMAGE}, -2, 2},
    {"sum", sum_of, 1, {IMAGE}, -2, 2},
    {"sum-dilated", sum_dilated_of, 1, {IMAGE}, -2, 2},
    {"adaptive", adaptive_of, 1, {IMAGE}, -2, 2},
    {"adaptive-square", adaptive_square_of, 1, {IMAGE}, -2, 2},
    {"global-max", global_max_of, 1, {IMAGE}, -60, 60},
    {"global-average", global_average_of, 1, {DIMS(2, 3, 2, 2, 3)}, -2, 2},
    {"global-sum", global_sum_of, 1, {IMAGE}, -2, 2},
    {"stochastic", stochastic_of, 1, {IMAGE}, 0.5, 2},
    {"spread", spread_of, 1, {DIMS(2, 3, 3, 3)}, -2, 2},
    {"there-and-back", there_and_back_of, 1, {IMAGE}, -60, 60},
};

/* A stretched view of those has equals where images are stretched alone; they stay plain. */
static SdkGradientCase prepared(size_t i) {
  SdkGradientCase c = cases[i];
  c.plain_only = c.high > 2;
  return c;
}

static void test_first(const void *device) {
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    SdkGradientCase c = prepared(i);
    sdk_check_gradients(device, &c, 1);
  }
}

static void test_second(const void *device) {
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    SdkGradientCase c = prepared(i);
    sdk_check_second(device, &c, 1);
  }
}

/* resampling, whose other tests are in resample.c */
FUNCTION(nearest_1, ab_resize(x[0], AB_SHAPE(22), AB_RESIZE_NEAREST))
FUNCTION(nearest_2, ab_resize(x[0], AB_SHAPE(14, 9), AB_RESIZE_NEAREST))
FUNCTION(nearest_3, ab_resize(x[0], AB_SHAPE(8, 5, 9), AB_RESIZE_NEAREST))
FUNCTION(nearest_down, ab_resize(x[0], AB_SHAPE(3, 4), AB_RESIZE_NEAREST))
FUNCTION(nearest_twice, ab_upsample(x[0], 3, AB_RESIZE_NEAREST))
FUNCTION(linear_1, ab_resize(x[0], AB_SHAPE(22), AB_RESIZE_LINEAR))
FUNCTION(linear_2, ab_resize(x[0], AB_SHAPE(14, 9), AB_RESIZE_LINEAR))
FUNCTION(linear_3, ab_resize(x[0], AB_SHAPE(8, 5, 9), AB_RESIZE_LINEAR))
FUNCTION(linear_down, ab_resize(x[0], AB_SHAPE(3, 4), AB_RESIZE_LINEAR))
FUNCTION(linear_twice, ab_upsample(x[0], 3, AB_RESIZE_LINEAR))

static const SdkGoldenCase golden[] = {
    {"max-1", max_1_of},
    {"max-2", max_2_of},
    {"max-3", max_3_of},
    {"max-dilated", max_dilated_of},
    {"average-1", average_1_of},
    {"average-2", average_2_of},
    {"average-3", average_3_of},
    {"average-excluding", average_excluding_of},
    {"sum", sum_of},
    {"adaptive", adaptive_of},
    {"global-max", global_max_of},
    {"global-average", global_average_of},
    {"unpool", unpool_of},
    {"stochastic-evaluated", stochastic_of},
    {"nearest-1", nearest_1_of},
    {"nearest-2", nearest_2_of},
    {"nearest-3", nearest_3_of},
    {"nearest-down", nearest_down_of},
    {"nearest-twice", nearest_twice_of},
    {"linear-1", linear_1_of},
    {"linear-2", linear_2_of},
    {"linear-3", linear_3_of},
    {"linear-down", linear_down_of},
    {"linear-twice", linear_twice_of},
};

static void test_golden(void) {
  sdk_check_golden("pooling", golden, G_N_ELEMENTS(golden));
}

/* ---- devices and threads --------------------------------------------------------------------- */

static const SdkDeviceCase device_cases[] = {
    {"max", max_2_of, 1, -9, 9, 0, 0, 2.5, 1},
    {"max-dilated", max_dilated_of, 1, -9, 9, 0, 0, 2.5, 1},
    {"average", average_2_of, 1, -9, 9, 2, 9, 2.5, 1},
    {"average-excluding", average_excluding_of, 1, -9, 9, 2, 9, 2.5, 1},
    {"sum", sum_of, 1, -9, 9, 2, 20, 2.5, 1},
    {"adaptive", adaptive_of, 1, -9, 9, 2, 9, 2.5, 1},
    {"global-average", global_average_of, 1, -9, 9, 1, 9, 1, 0},
    {"global-max", global_max_of, 1, -9, 9, 0, 0, 1, 0},
    {"there-and-back", there_and_back_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"stochastic", stochastic_of, 1, 0.1, 9, 2, 9, 2.5, 1},
};

static void test_devices(void) {
  const AbShape shapes[] = {AB_SHAPE(5, 3, 13, 11), AB_SHAPE(3, 70, 17, 16),
                            AB_SHAPE(1, 200, 9, 9)};
  for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++)
      sdk_compare_devices(&device_cases[i], &shapes[k]);
}

static void test_threads(void) {
  AbShape shape = AB_SHAPE(5, 70, 17, 16);
  sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), &shape);
}

/* ---- by hand --------------------------------------------------------------------------------- */

static void assert_values(AbTensor *x, const double *wanted) {
  g_autofree double *values = sdk_values(x);
  for (int64_t i = 0; i < ab_count(x); i++) {
    if (isnan(wanted[i]))
      g_assert_true(isnan(values[i]));
    else
      g_assert_cmpfloat(values[i], ==, wanted[i]);
  }
}

/* First of equals, NaN, windows without a tap. */
static void test_edges(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double values[8] = {2, 2, 1, 3, NAN, 5, -1, -1};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(1, 1, 8), values), *indices;
  ab_require_grad(x);
  AbTensor *y = ab_max_pool(x, POOL({2}), &indices);
  assert_values(y, (double[]){2, 3, NAN, -1});
  assert_values(indices, (double[]){0, 3, 4, 6});
  ab_backward(ab_sum(y));
  assert_values(ab_gradient(x), (double[]){1, 0, 0, 1, 1, 0, 1, 0});
  /* taps at -2 and 2 of one number */
  AbTensor *one = ab_full(ctx, AB_F32, AB_SHAPE(1, 1, 1), 7);
  AbPool far = POOL({2}, {1}, {2}, {4});
  assert_values(ab_max_pool(one, far, &indices), (double[]){-INFINITY});
  assert_values(indices, (double[]){-1});
  assert_values(ab_sum_pool(one, far), (double[]){0});
  assert_values(ab_average_pool(one, POOL({2}, {1}, {2}, {4}, .exclude_padding = true)),
                (double[]){0});
  sdk_finish(ctx);
}

static void test_unpool_sums(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double values[3] = {1, 2, 4}, at[3] = {2, 2, -1};
  AbTensor *y = sdk_tensor(ctx, AB_SHAPE(1, 1, 3), values);
  for (AbDtype type = AB_I32; type <= AB_I64; type++) {
    AbTensor *index = sdk_tensor_of(ctx, type, AB_SHAPE(1, 1, 3), at);
    assert_values(ab_max_unpool(y, index, AB_SHAPE(4)), (double[]){0, 0, 3, 0});
  }
  assert_values(ab_average_unpool(y, POOL({2}), AB_SHAPE(6)), (double[]){.5, .5, 1, 1, 2, 2});
  sdk_finish(ctx);
}

/* Draws with probability a_i / sum a; what is drawn gets the gradient. */
static void test_stochastic(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  int n = 40000, chosen[4] = {0};
  const double wanted[4] = {0.1, 0, 0.3, 0.6}, levels[4] = {1, -2, 3, 6};
  AbTensor *x = ab_empty(ctx, AB_F32, AB_SHAPE(1, n, 4)), *indices;
  float *a = ab_map(x, true);
  for (int i = 0; i < 4 * n; i++) a[i] = (float)levels[i % 4];
  ab_unmap(x);
  ab_require_grad(x);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  AbTensor *y = ab_stochastic_pool(x, POOL({4}), &indices);
  ab_backward(ab_sum(y));
  g_autofree double *index = sdk_values(indices), *value = sdk_values(y);
  g_autofree double *slope = sdk_values(ab_gradient(x));
  for (int i = 0; i < n; i++) {
    int k = (int)index[i];
    chosen[k]++;
    g_assert_cmpfloat(value[i], ==, levels[k]);
    for (int j = 0; j < 4; j++) g_assert_cmpfloat(slope[4 * i + j], ==, j == k);
  }
  for (int k = 0; k < 4; k++)
    g_assert_cmpfloat(fabs(chosen[k] - n * wanted[k]), <=,
                      4 * sqrt(n * wanted[k] * (1 - wanted[k])));
  /* nothing above 0; NaN */
  AbTensor *none = ab_full(ctx, AB_F32, AB_SHAPE(1, 1, 2), -1);
  AbTensor *bad = ab_full(ctx, AB_F32, AB_SHAPE(1, 1, 2), NAN);
  assert_values(ab_stochastic_pool(none, POOL({2}), &indices), (double[]){0});
  assert_values(indices, (double[]){-1});
  assert_values(ab_stochastic_pool(bad, POOL({2}), NULL), (double[]){NAN});
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 1);
  AbTensor *zero = ab_zeros(ctx, AB_SHAPE(1, 1, 2));
  ab_require_grad(zero);
  y = ab_stochastic_pool(zero, POOL({2}), &indices);
  g_assert_true(indices == AB_NONE);
  ab_backward(ab_sum(y));
  assert_values(y, (double[]){0});
  assert_values(ab_gradient(zero), (double[]){0, 0});
  sdk_finish(ctx);
}

/* The same draws on every device, in f32 and f64, and on any number of threads. */
static GByteArray *draws_on(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  g_autofree double *a = sdk_numbers(5 * 70 * 90, 0, 1, 3);
  for (int i = 0; i < 5 * 70 * 90; i++) a[i] = (double)(float)a[i];
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(5, 70, 9, 10), a), *indices;
  ab_stochastic_pool(x, POOL({3, 2}, {2, 2}, {1, 1}), &indices);
  GByteArray *bits = sdk_bits_of(indices, g_byte_array_new());
  sdk_finish(ctx);
  return bits;
}

static GByteArray *draws(void) {
  return draws_on("cpu", AB_F32);
}

static void test_draws(void) {
  g_autoptr(GByteArray) cpu = draws(), wide = draws_on("reference", AB_F64);
  g_assert_cmpmem(cpu->data, cpu->len, wide->data, wide->len);
  sdk_same_bits("stochastic_pool", draws);
}

/* ---- errors, empty tensors, shapes alone ----------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 5, 4)), *flat = ab_zeros(ctx, AB_SHAPE(2, 3));
  AbTensor *whole = ab_full(ctx, AB_I32, AB_SHAPE(2, 3, 5, 4), 20);
  const AbPool bad[] = {POOL({0, 2}),
                        POOL({2}),
                        POOL({2, 2, 2}),
                        POOL({2, 2}, {-1, 1}),
                        POOL({2, 2}, {1, 1}, {2, 0}),
                        POOL({6, 2}),
                        POOL({2, 2}, {1, 1}, {0, 0}, {-1, 1}),
                        POOL({2, 2}, {1, 1}, {-1, 0}),
                        POOL({INT64_MAX, 2}, {1, 1}, {0, 0}, {INT64_MAX, 1}),
                        POOL({2, 2}, .dilation = {INT64_MAX, 1})};
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_assert_null(ab_max_pool(x, bad[i], NULL));
    sdk_assert_error(ctx, AB_CONFIG, "max_pool: windows of [", "f32 [2, 3, 5, 4]", NULL);
  }
  g_assert_null(ab_average_pool(flat, POOL({2})));
  sdk_assert_error(ctx, AB_CONFIG, "average_pool: x of f32 [2, 3]", "spatial", NULL);
  g_assert_null(ab_sum_pool(whole, POOL({2, 2})));
  sdk_assert_error(ctx, AB_CONFIG, "sum_pool wants real numbers", "i32", NULL);
  g_assert_null(ab_global_max_pool(ab_zeros(ctx, AB_SHAPE(2, 3, 0))));
  sdk_assert_error(ctx, AB_CONFIG, "global_max_pool: x of f32 [2, 3, 0]", NULL);
  g_assert_null(ab_stochastic_pool(flat, POOL({2}), NULL));
  sdk_assert_error(ctx, AB_CONFIG, "stochastic_pool", NULL);
  g_assert_null(ab_adaptive_average_pool(x, AB_SHAPE(3, 0)));
  sdk_assert_error(ctx, AB_CONFIG, "adaptive_average_pool", "[3, 0]", NULL);
  g_assert_null(ab_max_unpool(x, whole, AB_SHAPE(5, 4)));
  sdk_assert_error(ctx, AB_CONFIG, "max_unpool: an index of 20 in planes of 20", NULL);
  g_assert_null(ab_max_unpool(x, flat, AB_SHAPE(5, 4)));
  sdk_assert_error(ctx, AB_CONFIG, "max_unpool: y of f32 [2, 3, 5, 4]", "f32 [2, 3]", NULL);
  g_assert_null(ab_max_unpool(x, whole, AB_SHAPE(INT32_MAX, 4)));
  sdk_assert_error(ctx, AB_CONFIG, "max_unpool: planes of more than 2^31", NULL);
  g_assert_null(ab_max_unpool(x, ab_full(other, AB_I32, AB_SHAPE(2, 3, 5, 4), 0), AB_SHAPE(5, 4)));
  sdk_assert_error(ctx, AB_INTERNAL, "max_unpool: its operands belong to two contexts", NULL);
  g_assert_null(ab_average_unpool(x, POOL({2, 2}), AB_SHAPE(9, 8)));
  sdk_assert_error(ctx, AB_CONFIG, "average_unpool", "pool planes of [9, 8] to [4, 4]", NULL);
  g_assert_null(ab_max_pool(NULL, POOL({2, 2}), NULL));
  g_assert_null(ab_max_pool(AB_NONE, POOL({2, 2}), NULL));
  g_assert_null(ab_max_unpool(x, NULL, AB_SHAPE(5, 4)));
  sdk_finish(other);
  sdk_finish(ctx);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const AbShape shapes[] = {AB_SHAPE(0, 3, 5, 4), AB_SHAPE(2, 0, 5, 4)};
  for (int i = 0; i < 2; i++) {
    AbTensor *x = ab_zeros(ctx, shapes[i]), *indices;
    ab_require_grad(x);
    AbTensor *y = ab_max_pool(x, POOL({2, 2}), &indices);
    y = ab_max_unpool(y, indices, AB_SHAPE(5, 4));
    y = ab_average_unpool(ab_average_pool(y, POOL({2, 2})), POOL({2, 2}), AB_SHAPE(5, 4));
    y = ab_resize(ab_stochastic_pool(y, POOL({1, 1}), NULL), AB_SHAPE(3, 9), AB_RESIZE_LINEAR);
    ab_backward(ab_sum(ab_global_average_pool(y)));
    sdk_assert_ok(ctx);
    g_assert_cmpint(ab_count(ab_gradient(x)), ==, 0);
  }
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/pooling/first", test_first);
  sdk_add("/pooling/second", test_second);
  g_test_add_func("/pooling/golden", test_golden);
  g_test_add_func("/pooling/devices", test_devices);
  g_test_add_func("/pooling/threads", test_threads);
  sdk_add("/pooling/edges", test_edges);
  sdk_add("/pooling/unpool-sums", test_unpool_sums);
  sdk_add("/pooling/stochastic", test_stochastic);
  g_test_add_func("/pooling/draws", test_draws);
  sdk_add("/pooling/errors", test_errors);
  sdk_add("/pooling/empty", test_empty);
  return g_test_run();
}
