/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of tensors: ab_matmul with batch axes, outer, bilinear, diagonal, trace. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

BINARY(matmul)
BINARY(outer)
UNARY(diagonal)
UNARY(trace)
/* [b, t, h, d] x [b, s, h, d] as heads */
FUNCTION(heads, ab_matmul(ab_transpose(x[0], 1, 2), ab_transpose(ab_transpose(x[1], 1, 2), 2, 3)))
FUNCTION(bilinear, ab_bilinear(x[0], x[1], x[2], x[3]))
FUNCTION(bilinear_plain, ab_bilinear(x[0], x[1], x[2], AB_NONE))
FUNCTION(bilinear_torch, ab_bilinear(x[0], x[2], x[1], x[3]))
FUNCTION(trace_square, ab_square(ab_trace(x[0])))
FUNCTION(diagonal_square, ab_square(ab_diagonal(x[0])))
FUNCTION(matmul_square, ab_square(ab_matmul(x[0], x[1])))

/* ---- derivatives ----------------------------------------------------------------------------- */

static const SdkGradientCase gradient_cases[] = {
    {"batched", matmul_of, 2, {DIMS(2, 3, 2, 3), DIMS(2, 3, 3, 2)}, -1, 1},
    {"stretched", matmul_square_of, 2, {DIMS(2, 1, 2, 3), DIMS(3, 3, 2)}, -1, 1},
    {"stretched-left", matmul_square_of, 2, {DIMS(2, 3), DIMS(3, 3, 2)}, -1, 1},
    {"folded", matmul_square_of, 2, {DIMS(2, 2, 2, 3), DIMS(3, 2)}, -1, 1},
    {"left-vector", matmul_square_of, 2, {DIMS(3), DIMS(2, 3, 2)}, -1, 1},
    {"right-vector", matmul_square_of, 2, {DIMS(2, 2, 3), DIMS(3)}, -1, 1},
    {"inner", matmul_square_of, 2, {DIMS(3), DIMS(3)}, -1, 1},
    {"heads", heads_of, 2, {DIMS(2, 3, 2, 2), DIMS(2, 4, 2, 2)}, -1, 1},
    {"outer", outer_of, 2, {DIMS(2, 1, 3), DIMS(3, 2)}, -1, 1},
    {"bilinear", bilinear_of, 4, {DIMS(3, 2), DIMS(2, 2, 4), DIMS(3, 4), DIMS(2)}, -1, 1},
    {"bilinear-plain", bilinear_plain_of, 3, {DIMS(3, 2), DIMS(2, 2, 4), DIMS(3, 4)}, -1, 1},
    {"diagonal", diagonal_square_of, 1, {DIMS(2, 3, 4)}, -1, 1},
    {"trace", trace_square_of, 1, {DIMS(4, 3)}, -1, 1},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static const SdkGoldenCase golden_cases[] = {
    {"batched", matmul_of},     {"stretched", matmul_of},
    {"folded", matmul_of},      {"left-matrix", matmul_of},
    {"left-vector", matmul_of}, {"right-vector", matmul_of},
    {"inner", matmul_of},       {"heads", heads_of},
    {"outer", outer_of},        {"bilinear", bilinear_torch_of},
    {"diagonal", diagonal_of},  {"trace", trace_of},
};

static void test_golden(void) {
  sdk_check_golden("linalg", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* ---- f32 on the cpu ------------------------------------------------------------------------- */

/* Sums of up to 300 products below 1: an error of a few 2^-23 of 30. */
static const SdkDeviceCase device_cases[] = {
    {"matmul", matmul_of, 2, -1, 1, 4, 30, 4, 60},
};

static const AbShape product_shapes[][2] = {
    {DIMS(6, 128, 32), DIMS(6, 32, 128)},    {DIMS(2, 3, 17, 33), DIMS(2, 3, 33, 9)},
    {DIMS(3, 1, 1, 1), DIMS(4, 1, 1)},       {DIMS(7, 5, 300), DIMS(7, 300, 23)},
    {DIMS(40, 31), DIMS(9, 31, 15)},         {DIMS(9, 40, 31), DIMS(31, 15)},
    {DIMS(2, 150, 130), DIMS(2, 130, 140)},  {DIMS(17, 70, 70), DIMS(17, 70, 70)},
    {DIMS(2, 1, 8, 16), DIMS(1, 5, 16, 32)}, {DIMS(3, 64, 6), DIMS(3, 6, 16)},
};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(product_shapes); i++)
    sdk_compare_devices(device_cases, product_shapes[i]);
}

static void test_threads(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(product_shapes); i++)
    if (i != 6) /* products of a library */
      sdk_check_threads(device_cases, 1, product_shapes[i]);
}

/* Every transposition, leading dimensions, depths beyond a panel, on whole and cut tiles. */
static void test_layouts(const void *device) {
  const int64_t sizes[][3] = {{6, 16, 8},  {1, 1, 1},     {7, 17, 9},   {13, 31, 40},
                              {5, 48, 16}, {12, 15, 300}, {130, 33, 3}, {2, 16, 257}};
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
    AbContext *ctx = sdk_context(device, AB_F32);
    int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    for (int layout = 0; layout < 8; layout++) {
      bool ta = layout & 1, tb = layout & 2, sliced = layout & 4;
      int64_t more = sliced ? 3 : 0;
      AbShape sa = ta ? AB_SHAPE(2, k, m + more) : AB_SHAPE(2, m, k + more);
      AbShape sb = tb ? AB_SHAPE(2, n, k + more) : AB_SHAPE(2, k, n + more);
      g_autofree double *va = sdk_numbers(ab_shape_count(sa), -1, 1, s + 1);
      g_autofree double *vb = sdk_numbers(ab_shape_count(sb), -1, 1, s + 2);
      AbTensor *a = sdk_tensor(ctx, sa, va), *b = sdk_tensor(ctx, sb, vb);
      if (sliced) a = ab_slice(a, 2, 1, sa.dims[2] - 2), b = ab_slice(b, 2, 2, sb.dims[2] - 1);
      if (ta) a = ab_transpose(a, 1, 2);
      if (tb) b = ab_transpose(b, 1, 2);
      g_autofree double *x = sdk_values(a), *y = sdk_values(b), *z = sdk_values(ab_matmul(a, b));
      for (int64_t p = 0; p < 2; p++)
        for (int64_t i = 0; i < m; i++)
          for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) sum += x[(p * m + i) * k + l] * y[(p * k + l) * n + j];
            g_assert_cmpfloat_with_epsilon(z[(p * m + i) * n + j], sum, 2e-7 * sqrt((double)k) * 4);
          }
    }
    sdk_finish(ctx);
  }
}

/* ---- values by hand ------------------------------------------------------------------------- */

static void assert_is(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat(values[i], ==, wanted[i]);
}

static void test_values(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, v[2] = {10, 1};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 2, 2), a), *u = sdk_tensor(ctx, AB_SHAPE(2), v);
  assert_is(ab_matmul(x, x), AB_SHAPE(2, 2, 2), (double[]){7, 10, 15, 22, 67, 78, 91, 106});
  assert_is(ab_matmul(x, u), AB_SHAPE(2, 2), (double[]){12, 34, 56, 78});
  assert_is(ab_matmul(u, x), AB_SHAPE(2, 2), (double[]){13, 24, 57, 68});
  assert_is(ab_matmul(u, u), ab_scalar_shape(), (double[]){101});
  assert_is(ab_outer(u, u), AB_SHAPE(2, 2), (double[]){100, 10, 10, 1});
  assert_is(ab_diagonal(x), AB_SHAPE(2, 2), (double[]){1, 4, 5, 8});
  assert_is(ab_trace(x), AB_SHAPE(2), (double[]){5, 13});
  AbTensor *one = ab_reshape(u, AB_SHAPE(1, 2)), *W = ab_reshape(x, AB_SHAPE(2, 2, 2));
  assert_is(ab_bilinear(one, W, one, u), AB_SHAPE(1, 2), (double[]){164, 639});
  sdk_finish(ctx);
}

/* Nothing to multiply: empty, or zeros where only the inner axis is empty. */
static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const struct {
    AbShape a, b, y;
  } cases[] = {
      {DIMS(0, 2, 3), DIMS(3, 4), DIMS(0, 2, 4)},
      {DIMS(0, 2, 3), DIMS(0, 3, 4), DIMS(0, 2, 4)},
      {DIMS(1, 2, 3), DIMS(0, 3, 4), DIMS(0, 2, 4)},
      {DIMS(2, 0, 3), DIMS(2, 3, 4), DIMS(2, 0, 4)},
      {DIMS(2, 3, 0), DIMS(2, 0, 4), DIMS(2, 3, 4)},
      {DIMS(2, 3, 4), DIMS(2, 4, 0), DIMS(2, 3, 0)},
      {DIMS(0), DIMS(0, 4), DIMS(4)},
      {DIMS(2, 3, 0), DIMS(0), DIMS(2, 3)},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    AbTensor *a = ab_full(ctx, AB_F32, cases[i].a, 1), *b = ab_full(ctx, AB_F32, cases[i].b, 1);
    ab_require_grad(a);
    ab_require_grad(b);
    AbTensor *y = ab_matmul(a, b);
    double zeros[24] = {0};
    assert_is(y, cases[i].y, zeros);
    ab_backward(ab_sum(y));
    sdk_assert_ok(ctx);
    assert_is(ab_gradient(a), cases[i].a, zeros);
    assert_is(ab_gradient(b), cases[i].b, zeros);
  }
  assert_is(ab_diagonal(ab_zeros(ctx, AB_SHAPE(2, 0, 3))), AB_SHAPE(2, 0), NULL);
  assert_is(ab_trace(ab_zeros(ctx, AB_SHAPE(1, 0, 3))), AB_SHAPE(1), (double[]){0});
  sdk_finish(ctx);
}

static void test_nan(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double values[12] = {1, NAN, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 2, 3), values);
  g_autofree double *y = sdk_values(ab_matmul(x, ab_full(ctx, AB_F32, AB_SHAPE(2, 3, 1), 0)));
  g_assert_true(isnan(y[0]));
  for (int i = 1; i < 4; i++) g_assert_cmpfloat(y[i], ==, 0);
  sdk_finish(ctx);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 4)), *y = ab_zeros(ctx, AB_SHAPE(3, 4, 2));
  g_assert_null(ab_matmul(x, y));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f32 [2, 3, 4]", "f32 [3, 4, 2]", "batch", NULL);
  g_assert_null(ab_matmul(x, x));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "[m, k] and [k, n]", NULL);
  g_assert_null(ab_matmul(x, ab_zeros(ctx, ab_scalar_shape())));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f32 []", NULL);
  g_assert_null(ab_matmul(x, ab_full(ctx, AB_F64, AB_SHAPE(4, 2), 0)));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f64 [4, 2]", NULL);
  g_assert_null(ab_matmul(x, ab_full(ctx, AB_I64, AB_SHAPE(4, 2), 0)));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "real", NULL);
  g_assert_null(ab_matmul(x, ab_zeros(other, AB_SHAPE(4, 2))));
  sdk_assert_error(ctx, AB_INTERNAL, "matmul", "two contexts", NULL);
  g_assert_null(ab_matmul(x, NULL));
  g_assert_null(ab_matmul(NULL, x));
  g_assert_null(ab_outer(NULL, x));
  g_assert_null(ab_outer(x, ab_zeros(ctx, ab_scalar_shape())));
  sdk_assert_error(ctx, AB_CONFIG, "outer", "[..., m]", NULL);
  g_assert_null(ab_bilinear(x, x, x, AB_NONE));
  sdk_assert_error(ctx, AB_CONFIG, "bilinear", "x1 of f32 [2, 3, 4]", "[o, i, j]", NULL);
  g_assert_null(ab_bilinear(ab_zeros(ctx, AB_SHAPE(5, 3)), x, ab_zeros(ctx, AB_SHAPE(5, 4)),
                            ab_zeros(ctx, AB_SHAPE(3))));
  sdk_assert_error(ctx, AB_CONFIG, "bilinear", "b of f32 [3]", NULL);
  g_assert_null(ab_bilinear(x, x, x, NULL));
  g_assert_null(ab_diagonal(ab_zeros(ctx, AB_SHAPE(3))));
  sdk_assert_error(ctx, AB_CONFIG, "diagonal", "f32 [3]", NULL);
  g_assert_null(ab_trace(NULL));
  ab_context_free(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/linalg/first", test_first);
  sdk_add("/linalg/second", test_second);
  g_test_add_func("/linalg/golden", test_golden);
  g_test_add_func("/linalg/devices", test_devices);
  g_test_add_func("/linalg/threads", test_threads);
  sdk_add("/linalg/layouts", test_layouts);
  sdk_add("/linalg/values", test_values);
  sdk_add("/linalg/empty", test_empty);
  sdk_add("/linalg/nan", test_nan);
  sdk_add("/linalg/errors", test_errors);
  return g_test_run();
}
