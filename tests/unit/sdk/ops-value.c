/* SPDX-License-Identifier: Apache-2.0
 *
 * Values, shapes and errors of every operation in f64, against formulas written out here. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

#define NEAR 4e-15 /* relative to the larger of the value and 1 */

static void assert_shape(AbTensor *x, AbShape wanted) {
  char a[200], b[200];
  g_assert_nonnull(x);
  g_assert_cmpstr(ab_shape_text(ab_shape(x), a, sizeof a), ==, ab_shape_text(wanted, b, sizeof b));
}

static void assert_values(AbTensor *x, AbShape shape, const double *wanted) {
  assert_shape(x, shape);
  g_autofree double *values = sdk_values(x);
  for (int64_t i = 0; i < ab_count(x); i++)
    if (!(values[i] == wanted[i] || (isnan(values[i]) && isnan(wanted[i])) ||
          fabs(values[i] - wanted[i]) <= NEAR * fmax(1, fabs(wanted[i]))))
      g_error("number %d is %.17g, not %.17g", (int)i, values[i], wanted[i]);
}

/* ---- one operand ----------------------------------------------------------------------------- */

static double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
static double square(double x) {
  return x * x;
}
static double negative(double x) {
  return -x;
}
static double sigmoid(double x) {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}
static double relu(double x) {
  return x > 0 ? x : 0;
}
static double softplus(double x) {
  return x > 40 ? x : log1p(exp(x));
}
static double affine(double x) {
  return -2.5 * x + 0.75;
}
static AbTensor *ab_affine_fixed(AbTensor *x) {
  return ab_affine(x, -2.5, 0.75);
}
static AbTensor *activate_identity(AbTensor *x) {
  return ab_activate(AB_IDENTITY, x);
}
static AbTensor *activate_sigmoid(AbTensor *x) {
  return ab_activate(AB_SIGMOID, x);
}
static double same(double x) {
  return x;
}

static const struct {
  AbTensor *(*f)(AbTensor *x);
  double (*wanted)(double x);
  double low, high;
} unary[] = {
    {ab_neg, negative, -3, 3},
    {ab_abs, fabs, -3, 3},
    {ab_square, square, -3, 3},
    {ab_sqrt, sqrt, 0, 9},
    {ab_exp, exp, -20, 5},
    {ab_log, log, 1e-9, 9},
    {ab_sign, sign, -3, 3},
    {ab_sigmoid, sigmoid, -50, 50},
    {ab_tanh, tanh, -30, 30},
    {ab_relu, relu, -3, 3},
    {ab_softplus, softplus, -80, 80},
    {ab_affine_fixed, affine, -3, 3},
    {activate_identity, same, -3, 3},
    {activate_sigmoid, sigmoid, -50, 50},
};

static void test_unary(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbShape shapes[] = {AB_SHAPE(7, 5), ab_scalar_shape(), AB_SHAPE(1, 2, 1, 2, 1, 2, 1, 2),
                            AB_SHAPE(3, 0, 2)};
  for (size_t i = 0; i < G_N_ELEMENTS(unary); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
      int64_t n = ab_shape_count(shapes[k]);
      g_autofree double *values = sdk_numbers(n, unary[i].low, unary[i].high, i + 1);
      g_autofree double *wanted = g_new(double, n + 1);
      for (int64_t j = 0; j < n; j++) wanted[j] = unary[i].wanted(values[j]);
      assert_values(unary[i].f(sdk_tensor(ctx, shapes[k], values)), shapes[k], wanted);
    }
    /* a transposed view */
    g_autofree double *values = sdk_numbers(6, unary[i].low, unary[i].high, i + 1);
    double wanted[6];
    for (int r = 0; r < 3; r++)
      for (int c = 0; c < 2; c++) wanted[2 * r + c] = unary[i].wanted(values[3 * c + r]);
    AbTensor *x = ab_transpose(sdk_tensor(ctx, AB_SHAPE(2, 3), values), 0, 1);
    assert_values(unary[i].f(x), AB_SHAPE(3, 2), wanted);
  }
  sdk_finish(ctx);
}

static void test_extremes(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double x[7] = {INFINITY, -INFINITY, 1000, -1000, 0, 1e-300, -1e-300};
  const double wanted[][7] = {{1, 0, 1, 0, 0.5, 0.5, 0.5},
                              {1, -1, 1, -1, 0, 1e-300, -1e-300},
                              {INFINITY, 0, 1000, 0, log(2), log(2), log(2)},
                              {INFINITY, 0, 1000, 0, 0, 1e-300, 0},
                              {INFINITY, 0, INFINITY, 0, 1, 1, 1}};
  AbTensor *(*const f[])(AbTensor *) = {ab_sigmoid, ab_tanh, ab_softplus, ab_relu, ab_exp};
  for (size_t i = 0; i < G_N_ELEMENTS(f); i++) {
    assert_values(f[i](sdk_tensor(ctx, AB_SHAPE(7), x)), AB_SHAPE(7), wanted[i]);
    g_assert_true(isnan(ab_item(f[i](ab_full(ctx, AB_F64, ab_scalar_shape(), NAN)))));
  }
  sdk_finish(ctx);
}

/* ---- two operands ---------------------------------------------------------------------------- */

/* Element number i of the result of a broadcast to `shape`, in an operand of shape `of`. */
static int64_t behind(int64_t i, AbShape shape, AbShape of) {
  int64_t index[AB_MAX_RANK], at = 0;
  for (int32_t k = shape.rank - 1; k >= 0; k--) {
    index[k] = i % shape.dims[k];
    i /= shape.dims[k];
  }
  for (int32_t k = 0; k < of.rank; k++)
    at = at * of.dims[k] + (of.dims[k] == 1 ? 0 : index[shape.rank - of.rank + k]);
  return at;
}

static double add(double a, double b) {
  return a + b;
}
static double sub(double a, double b) {
  return a - b;
}
static double mul(double a, double b) {
  return a * b;
}
static double divide(double a, double b) {
  return a / b;
}
static double smaller(double a, double b) {
  return a < b ? a : b;
}
static double larger(double a, double b) {
  return a > b ? a : b;
}
static double equal(double a, double b) {
  return a == b;
}
static double greater(double a, double b) {
  return a > b;
}

static const struct {
  const char *name;
  AbTensor *(*f)(AbTensor *a, AbTensor *b);
  double (*wanted)(double a, double b);
} binary[] = {
    {"add", ab_add, add},
    {"sub", ab_sub, sub},
    {"mul", ab_mul, mul},
    {"div", ab_div, divide},
    {"minimum", ab_minimum, smaller},
    {"maximum", ab_maximum, larger},
    {"equal", ab_equal, equal},
    {"greater", ab_greater, greater},
};

static void test_binary(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbShape shapes[][3] = {
      {AB_SHAPE(7, 5), AB_SHAPE(7, 5), AB_SHAPE(7, 5)},
      {AB_SHAPE(7, 5), AB_SHAPE(5), AB_SHAPE(7, 5)},
      {AB_SHAPE(7, 1), AB_SHAPE(1, 3), AB_SHAPE(7, 3)},
      {ab_scalar_shape(), AB_SHAPE(2, 2), AB_SHAPE(2, 2)},
      {ab_scalar_shape(), ab_scalar_shape(), ab_scalar_shape()},
      {AB_SHAPE(3, 1, 4), AB_SHAPE(2, 1), AB_SHAPE(3, 2, 4)},
      {AB_SHAPE(2, 1, 2, 1, 2, 1, 2, 1), AB_SHAPE(2, 2, 1, 1), AB_SHAPE(2, 1, 2, 1, 2, 2, 2, 1)},
      {AB_SHAPE(0, 3), AB_SHAPE(1, 3), AB_SHAPE(0, 3)},
      {AB_SHAPE(2, 1), AB_SHAPE(0), AB_SHAPE(2, 0)},
  };
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
    AbShape sa = shapes[k][0], sb = shapes[k][1], sy = shapes[k][2];
    int64_t na = ab_shape_count(sa), nb = ab_shape_count(sb), n = ab_shape_count(sy);
    g_autofree double *a = sdk_numbers(na, -3, 3, k + 1), *b = sdk_numbers(nb, -3, 3, k + 50);
    for (int64_t j = 0; j < na; j++) a[j] = rint(a[j]); /* so that some are equal */
    for (int64_t j = 0; j < nb; j++) b[j] = rint(b[j]);
    for (size_t i = 0; i < G_N_ELEMENTS(binary); i++) {
      g_autofree double *wanted = g_new(double, n + 1);
      for (int64_t j = 0; j < n; j++)
        wanted[j] = binary[i].wanted(a[behind(j, sy, sa)], b[behind(j, sy, sb)]);
      AbTensor *ta = sdk_tensor(ctx, sa, a), *tb = sdk_tensor(ctx, sb, b);
      assert_values(binary[i].f(ta, tb), sy, wanted);
      for (int64_t j = 0; j < n; j++)
        wanted[j] = binary[i].wanted(b[behind(j, sy, sb)], a[behind(j, sy, sa)]);
      assert_values(binary[i].f(tb, ta), sy, wanted);
    }
  }
  sdk_finish(ctx);
}

static void test_binary_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  AbTensor *a = ab_zeros(ctx, AB_SHAPE(2, 3)), *b = ab_zeros(ctx, AB_SHAPE(4));
  AbTensor *narrow = ab_full(ctx, AB_F32, AB_SHAPE(2, 3), 0);
  AbTensor *integer = ab_full(ctx, AB_I64, AB_SHAPE(2, 3), 0);
  for (size_t i = 0; i < G_N_ELEMENTS(binary); i++) {
    g_assert_null(binary[i].f(a, b));
    sdk_assert_error(ctx, AB_CONFIG, binary[i].name, "f64 [2, 3]", "f64 [4]", NULL);
    g_assert_null(binary[i].f(a, narrow));
    sdk_assert_error(ctx, AB_CONFIG, binary[i].name, "f64 [2, 3]", "f32 [2, 3]", "ab_cast", NULL);
    g_assert_null(binary[i].f(integer, a));
    sdk_assert_error(ctx, AB_CONFIG, binary[i].name, "i64 [2, 3]", NULL);
    g_assert_null(binary[i].f(a, integer));
    sdk_assert_error(ctx, AB_CONFIG, binary[i].name, "i64 [2, 3]", NULL);
    g_assert_null(binary[i].f(a, ab_zeros(other, AB_SHAPE(2, 3))));
    sdk_assert_error(ctx, AB_INTERNAL, binary[i].name, "contexts", NULL);
    g_assert_null(binary[i].f(a, NULL));
    g_assert_null(binary[i].f(NULL, a));
    sdk_assert_ok(ctx);
    g_assert_null(binary[i].f(a, AB_NONE));
    sdk_assert_error(ctx, AB_INTERNAL, binary[i].name, "AB_NONE", NULL);
    g_assert_null(binary[i].f(AB_NONE, a));
    sdk_assert_error(ctx, AB_INTERNAL, binary[i].name, "AB_NONE", NULL);
    g_assert_null(binary[i].f(AB_NONE, AB_NONE));
  }
  sdk_finish(other);
  sdk_finish(ctx);
}

static void test_unary_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *integer = ab_full(ctx, AB_U8, AB_SHAPE(2, 3), 0);
  for (size_t i = 0; i < G_N_ELEMENTS(unary); i++) {
    g_assert_null(unary[i].f(NULL));
    sdk_assert_ok(ctx);
    if (unary[i].wanted == same) continue; /* the identity takes anything */
    g_assert_null(unary[i].f(AB_NONE));
    sdk_assert_ok(ctx);
    g_assert_null(unary[i].f(integer));
    sdk_assert_error(ctx, AB_CONFIG, "u8 [2, 3]", "ab_cast", NULL);
  }
  g_assert_null(ab_activate(AB_ACTIVATIONS, ab_zeros(ctx, AB_SHAPE(1))));
  sdk_assert_error(ctx, AB_INTERNAL, "activation 24", NULL);
  g_assert_null(ab_activate(-1, ab_zeros(ctx, AB_SHAPE(1))));
  sdk_assert_error(ctx, AB_INTERNAL, "activation -1", NULL);
  int32_t names = 0;
  while (ab_activation_names[names]) names++;
  g_assert_cmpint(names, ==, AB_ACTIVATIONS);
  sdk_finish(ctx);
}

/* ---- shape ----------------------------------------------------------------------------------- */

static void test_reshape(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[12];
  for (int i = 0; i < 12; i++) x[i] = i;
  AbTensor *t = sdk_tensor(ctx, AB_SHAPE(3, 4), x);
  assert_values(ab_reshape(t, AB_SHAPE(2, 6)), AB_SHAPE(2, 6), x);
  assert_values(ab_reshape(t, AB_SHAPE(-1)), AB_SHAPE(12), x);
  assert_values(ab_reshape(t, AB_SHAPE(2, -1, 3)), AB_SHAPE(2, 2, 3), x);
  assert_values(ab_reshape(t, AB_SHAPE(1, 2, 1, 3, 1, 2, 1, -1)), AB_SHAPE(1, 2, 1, 3, 1, 2, 1, 1),
                x);
  assert_values(ab_reshape(ab_full(ctx, AB_F64, AB_SHAPE(1, 1), 7), ab_scalar_shape()),
                ab_scalar_shape(), (double[]){7});
  assert_shape(ab_reshape(ab_zeros(ctx, AB_SHAPE(0, 3)), AB_SHAPE(5, 0)), AB_SHAPE(5, 0));
  assert_shape(ab_reshape(ab_zeros(ctx, AB_SHAPE(0, 3)), AB_SHAPE(-1, 3)), AB_SHAPE(0, 3));
  /* of a view: in the order that the view shows */
  const double turned[12] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11};
  assert_values(ab_reshape(ab_transpose(t, 0, 1), AB_SHAPE(6, 2)), AB_SHAPE(6, 2), turned);
  sdk_assert_ok(ctx);
  const AbShape wrong[] = {
      AB_SHAPE(5, 2),  AB_SHAPE(5, -1), AB_SHAPE(-1, -1),  AB_SHAPE(-2, -6),
      AB_SHAPE(0, -1), AB_SHAPE(12, 0), ab_scalar_shape(), AB_SHAPE(INT64_C(1) << 62, 8)};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    char text[200];
    g_assert_null(ab_reshape(t, wrong[i]));
    ab_shape_text(wrong[i], text, sizeof text);
    sdk_assert_error(ctx, AB_CONFIG, "reshape", "f64 [3, 4]", "12", text, NULL);
  }
  AbShape ranks = {.rank = 9};
  g_assert_null(ab_reshape(t, ranks));
  sdk_assert_error(ctx, AB_CONFIG, "reshape", NULL);
  ranks.rank = -1;
  g_assert_null(ab_reshape(t, ranks));
  sdk_assert_error(ctx, AB_CONFIG, "reshape", NULL);
  g_assert_null(ab_reshape(NULL, AB_SHAPE(1)));
  g_assert_null(ab_reshape(AB_NONE, AB_SHAPE(1)));
  sdk_finish(ctx);
}

static void test_flatten(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(5))), AB_SHAPE(5, 1));
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(5, 3))), AB_SHAPE(5, 3));
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(5, 3, 2))), AB_SHAPE(5, 6));
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(5, 3, 0))), AB_SHAPE(5, 0));
  /* a batch of nothing keeps the width of a sample */
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(0, 3))), AB_SHAPE(0, 3));
  assert_shape(ab_flatten(ab_zeros(ctx, AB_SHAPE(0, 3, 2))), AB_SHAPE(0, 6));
  g_assert_null(ab_flatten(ab_zeros(ctx, ab_scalar_shape())));
  sdk_assert_error(ctx, AB_CONFIG, "flatten", NULL);
  g_assert_null(ab_flatten(NULL));
  sdk_finish(ctx);
}

static void test_transpose(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[24], wanted[24];
  for (int i = 0; i < 24; i++) x[i] = i;
  AbTensor *t = sdk_tensor(ctx, AB_SHAPE(2, 3, 4), x);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 4; k++) wanted[(k * 3 + j) * 2 + i] = x[(i * 3 + j) * 4 + k];
  assert_values(ab_transpose(t, 0, 2), AB_SHAPE(4, 3, 2), wanted);
  assert_values(ab_transpose(t, -1, 0), AB_SHAPE(4, 3, 2), wanted);
  assert_values(ab_transpose(ab_transpose(t, 0, 2), 0, 2), AB_SHAPE(2, 3, 4), x);
  assert_values(ab_transpose(t, 1, 1), AB_SHAPE(2, 3, 4), x);
  assert_shape(ab_transpose(ab_zeros(ctx, AB_SHAPE(0, 2)), 0, 1), AB_SHAPE(2, 0));
  g_assert_null(ab_transpose(t, 0, 3));
  sdk_assert_error(ctx, AB_CONFIG, "transpose", "f64 [2, 3, 4]", NULL);
  g_assert_null(ab_transpose(t, -4, 0));
  sdk_assert_error(ctx, AB_CONFIG, "transpose", NULL);
  g_assert_null(ab_transpose(NULL, 0, 1));
  sdk_finish(ctx);
}

static void test_slice(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[24], wanted[24];
  for (int i = 0; i < 24; i++) x[i] = i;
  AbTensor *t = sdk_tensor(ctx, AB_SHAPE(2, 3, 4), x);
  for (int i = 0; i < 2; i++)
    for (int j = 1; j < 3; j++)
      for (int k = 0; k < 4; k++) wanted[(i * 2 + j - 1) * 4 + k] = x[(i * 3 + j) * 4 + k];
  assert_values(ab_slice(t, 1, 1, 3), AB_SHAPE(2, 2, 4), wanted);
  assert_values(ab_slice(ab_slice(t, -2, 0, 3), -2, 1, 3), AB_SHAPE(2, 2, 4), wanted);
  assert_values(ab_slice(t, 0, 1, 2), AB_SHAPE(1, 3, 4), x + 12);
  assert_shape(ab_slice(t, 2, 4, 4), AB_SHAPE(2, 3, 0));
  const int64_t wrong[][2] = {{-1, 2}, {2, 1}, {0, 5}};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_assert_null(ab_slice(t, 2, wrong[i][0], wrong[i][1]));
    sdk_assert_error(ctx, AB_CONFIG, "slice", "f64 [2, 3, 4]", "axis 2", NULL);
  }
  g_assert_null(ab_slice(t, 3, 0, 1));
  sdk_assert_error(ctx, AB_CONFIG, "slice", NULL);
  g_assert_null(ab_slice(NULL, 0, 0, 1));
  sdk_finish(ctx);
}

static void test_broadcast(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double x[3] = {1, 2, 3}, wanted[12] = {1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3};
  AbTensor *t = sdk_tensor(ctx, AB_SHAPE(3, 1), x);
  assert_values(ab_broadcast_to(t, AB_SHAPE(2, 3, 2)), AB_SHAPE(2, 3, 2), wanted);
  assert_shape(ab_broadcast_to(t, AB_SHAPE(3, 0)), AB_SHAPE(3, 0));
  assert_shape(ab_broadcast_to(t, AB_SHAPE(1, 1, 1, 1, 1, 1, 3, 1)),
               AB_SHAPE(1, 1, 1, 1, 1, 1, 3, 1));
  const AbShape wrong[] = {AB_SHAPE(3), AB_SHAPE(2, 2), AB_SHAPE(3, -1), ab_scalar_shape()};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    char text[200];
    g_assert_null(ab_broadcast_to(t, wrong[i]));
    sdk_assert_error(ctx, AB_CONFIG, "broadcast_to", "f64 [3, 1]",
                     ab_shape_text(wrong[i], text, sizeof text), NULL);
  }
  g_assert_null(ab_broadcast_to(NULL, AB_SHAPE(1)));
  sdk_finish(ctx);
}

static void test_cast(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbDtype dtypes[] = {AB_F32, AB_F64, AB_U8, AB_I32, AB_I64, AB_BOOL};
  const double x[6] = {0, 1, 2, 3, 100, 255}, bools[6] = {0, 1, 1, 1, 1, 1};
  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 6; j++) {
      AbTensor *from =
          sdk_tensor_of(ctx, dtypes[i], AB_SHAPE(2, 3), dtypes[i] == AB_BOOL ? bools : x);
      AbTensor *to = ab_cast(from, dtypes[j]);
      g_assert_cmpint(ab_dtype(to), ==, dtypes[j]);
      assert_values(to, AB_SHAPE(2, 3), dtypes[i] == AB_BOOL || dtypes[j] == AB_BOOL ? bools : x);
    }
  }
  const int64_t exact = (INT64_C(1) << 62) + 1; /* no double holds it */
  AbTensor *pair = ab_from(ctx, AB_I64, AB_SHAPE(1, 1), &exact);
  AbTensor *copy = ab_cast(ab_broadcast_to(pair, AB_SHAPE(2, 2)), AB_I64);
  g_assert_cmpint(((int64_t *)ab_map(copy, false))[3], ==, exact);
  g_assert_null(ab_cast(pair, 7));
  sdk_assert_error(ctx, AB_INTERNAL, "cast", NULL);
  g_assert_null(ab_cast(NULL, AB_F32));
  sdk_finish(ctx);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static void check_sum(AbContext *ctx, AbTensor *x, const double *values, uint32_t axes) {
  AbShape from = ab_shape(x), kept = from, reduced = {0};
  int64_t over = 1;
  for (int32_t i = 0; i < from.rank; i++) {
    if (axes >> i & 1) {
      over *= from.dims[i];
      kept.dims[i] = 1;
    } else {
      reduced.dims[reduced.rank++] = from.dims[i];
    }
  }
  g_autofree double *sum = g_new0(double, ab_shape_count(kept) + 1);
  for (int64_t i = 0; i < ab_shape_count(from); i++) sum[behind(i, from, kept)] += values[i];
  assert_values(ab_sum_axes(x, axes, true), kept, sum);
  assert_values(ab_sum_axes(x, axes, false), reduced, sum);
  if (over == 0) return;
  for (int64_t i = 0; i < ab_shape_count(kept); i++) sum[i] /= (double)over;
  assert_values(ab_mean_axes(x, axes, true), kept, sum);
  assert_values(ab_mean_axes(x, axes, false), reduced, sum);
  sdk_assert_ok(ctx);
}

static void test_sums(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbShape shapes[] = {ab_scalar_shape(), AB_SHAPE(5),          AB_SHAPE(7, 5),
                            AB_SHAPE(3, 1, 4), AB_SHAPE(2, 3, 2, 3), AB_SHAPE(3, 0, 2),
                            AB_SHAPE(0)};
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
    g_autofree double *x = sdk_numbers(ab_shape_count(shapes[k]), -1, 1, k + 1);
    AbTensor *t = sdk_tensor(ctx, shapes[k], x);
    for (uint32_t axes = 0; axes < 1u << shapes[k].rank; axes++) check_sum(ctx, t, x, axes);
    double total = 0;
    for (int64_t i = 0; i < ab_count(t); i++) total += x[i];
    assert_values(ab_sum(t), ab_scalar_shape(), &total);
  }
  AbShape eight = AB_SHAPE(2, 1, 3, 2, 1, 2, 2, 2);
  g_autofree double *x = sdk_numbers(ab_shape_count(eight), -1, 1, 99);
  AbTensor *t = sdk_tensor(ctx, eight, x);
  for (uint32_t axes = 0; axes < 256; axes += 3) check_sum(ctx, t, x, axes);
  /* of views */
  g_autofree double *turned = sdk_values(ab_transpose(t, 0, 7));
  check_sum(ctx, ab_transpose(t, 0, 7), turned, 0x81);
  check_sum(ctx, ab_transpose(t, 0, 7), turned, 1);
  AbTensor *wide = ab_broadcast_to(ab_full(ctx, AB_F64, AB_SHAPE(2, 1), 3), AB_SHAPE(2, 5));
  assert_values(ab_sum_axes(wide, 2, false), AB_SHAPE(2), (double[]){15, 15});
  sdk_finish(ctx);
}

static void test_sum_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *nothing = ab_zeros(ctx, AB_SHAPE(0, 3));
  g_assert_null(ab_sum_axes(x, 4, false));
  sdk_assert_error(ctx, AB_CONFIG, "sum", "0x4", "f64 [2, 3]", NULL);
  g_assert_null(ab_mean(nothing));
  sdk_assert_error(ctx, AB_CONFIG, "mean", "f64 [0, 3]", NULL);
  g_assert_null(ab_mean_axes(nothing, 1, true));
  sdk_assert_error(ctx, AB_CONFIG, "mean", "f64 [0, 3]", NULL);
  AbTensor *(*const f[])(AbTensor *) = {ab_sum, ab_mean, ab_argmax, ab_softmax, ab_log_softmax};
  for (size_t i = 0; i < G_N_ELEMENTS(f); i++) {
    g_assert_null(f[i](NULL));
    g_assert_null(f[i](AB_NONE));
    sdk_assert_ok(ctx);
    g_assert_null(f[i](ab_full(ctx, AB_I32, AB_SHAPE(2, 3), 0)));
    sdk_assert_error(ctx, AB_CONFIG, "i32 [2, 3]", NULL);
  }
  for (size_t i = 2; i < G_N_ELEMENTS(f); i++) {
    g_assert_null(f[i](ab_zeros(ctx, ab_scalar_shape())));
    sdk_assert_error(ctx, AB_CONFIG, "max", "f64 []", NULL);
    g_assert_null(f[i](ab_zeros(ctx, AB_SHAPE(3, 0))));
    sdk_assert_error(ctx, AB_CONFIG, "max", "f64 [3, 0]", NULL);
    g_assert_nonnull(f[i](nothing));
    sdk_assert_ok(ctx);
  }
  sdk_finish(ctx);
}

static void test_rows(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const AbShape shapes[] = {AB_SHAPE(1), AB_SHAPE(7, 5), AB_SHAPE(3, 1, 4), AB_SHAPE(2, 2, 2, 9)};
  for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
    int64_t n = ab_shape_count(shapes[s]), cols = shapes[s].dims[shapes[s].rank - 1];
    g_autofree double *x = sdk_numbers(n, -3, 3, s + 5);
    g_autofree double *p = g_new(double, n), *log_p = g_new(double, n), *best = g_new0(double, n);
    for (int64_t i = 0; i < n / cols; i++) {
      long double sum = 0;
      for (int64_t j = 0; j < cols; j++) sum += expl((long double)x[i * cols + j]);
      for (int64_t j = 0; j < cols; j++) {
        p[i * cols + j] = (double)(expl((long double)x[i * cols + j]) / sum);
        log_p[i * cols + j] = (double)((long double)x[i * cols + j] - logl(sum));
        if (x[i * cols + j] > x[i * cols + (int64_t)best[i]]) best[i] = (double)j;
      }
    }
    AbShape without = shapes[s];
    without.dims[--without.rank] = 0;
    AbTensor *t = sdk_tensor(ctx, shapes[s], x);
    assert_values(ab_softmax(t), shapes[s], p);
    assert_values(ab_log_softmax(t), shapes[s], log_p);
    assert_values(ab_argmax(t), without, best);
    g_assert_cmpint(ab_dtype(ab_argmax(t)), ==, AB_I64);
  }
  /* the first of equals; no overflow */
  const double ties[6] = {1, 3, 3, -1, -1, -2}, large[3] = {1000, 999, -1000};
  assert_values(ab_argmax(sdk_tensor(ctx, AB_SHAPE(2, 3), ties)), AB_SHAPE(2), (double[]){1, 0});
  double top = 1 / (1 + exp(-1));
  assert_values(ab_softmax(sdk_tensor(ctx, AB_SHAPE(3), large)), AB_SHAPE(3),
                (double[]){top, 1 - top, 0});
  sdk_finish(ctx);
}

/* ---- products -------------------------------------------------------------------------------- */

static void product(int64_t m, int64_t k, int64_t n, const double *a, const double *b, double *c) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      c[i * n + j] = 0;
      for (int64_t l = 0; l < k; l++) c[i * n + j] += a[i * k + l] * b[l * n + j];
    }
}

static void test_matmul(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const int64_t sizes[][3] = {{7, 5, 3}, {1, 1, 1}, {1, 6, 1}, {6, 1, 6}, {1, 3, 5},
                              {5, 3, 1}, {0, 3, 2}, {2, 0, 3}, {2, 3, 0}, {33, 17, 65}};
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
    int64_t m = sizes[s][0], k = sizes[s][1], n = sizes[s][2];
    g_autofree double *a = sdk_numbers(m * k, -1, 1, s + 1), *b = sdk_numbers(k * n, -1, 1, s + 9);
    g_autofree double *c = g_new(double, m *n + 1);
    product(m, k, n, a, b, c);
    AbTensor *ta = sdk_tensor(ctx, AB_SHAPE(m, k), a), *tb = sdk_tensor(ctx, AB_SHAPE(k, n), b);
    assert_values(ab_matmul(ta, tb), AB_SHAPE(m, n), c);
    assert_values(ab_linear(ta, tb, AB_NONE, AB_IDENTITY), AB_SHAPE(m, n), c);
    g_autofree double *bias = sdk_numbers(n, -1, 1, s + 20);
    for (int64_t i = 0; i < m * n; i++) c[i] = tanh(c[i] + bias[i % n]);
    AbTensor *bias_view =
        ab_slice(ab_reshape(sdk_tensor(ctx, AB_SHAPE(n), bias), AB_SHAPE(n, 1)), 1, 0, 1);
    assert_values(ab_linear(ta, tb, ab_reshape(bias_view, AB_SHAPE(n)), AB_TANH), AB_SHAPE(m, n),
                  c);
  }
  /* views that no BLAS takes: stretched, and a slice of every second row of a stack */
  AbTensor *ones = ab_broadcast_to(ab_full(ctx, AB_F64, AB_SHAPE(1, 1), 2), AB_SHAPE(3, 4));
  assert_values(ab_matmul(ones, ab_transpose(ones, 0, 1)), AB_SHAPE(3, 3),
                (double[]){16, 16, 16, 16, 16, 16, 16, 16, 16});
  double x[24];
  for (int i = 0; i < 24; i++) x[i] = i;
  AbTensor *stack = ab_transpose(sdk_tensor(ctx, AB_SHAPE(2, 3, 4), x), 1, 2); /* [2, 4, 3] */
  AbTensor *plane = ab_reshape(ab_slice(stack, 0, 1, 2), AB_SHAPE(4, 3));
  double wanted[4];
  for (int i = 0; i < 4; i++) wanted[i] = x[12 + i] + 10 * x[16 + i] + 100 * x[20 + i];
  assert_values(ab_matmul(plane, sdk_tensor(ctx, AB_SHAPE(3, 1), (double[]){1, 10, 100})),
                AB_SHAPE(4, 1), wanted);
  sdk_finish(ctx);
}

static void test_product_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *W = ab_zeros(ctx, AB_SHAPE(4, 5));
  AbTensor *fits = ab_zeros(ctx, AB_SHAPE(3, 5)), *b = ab_zeros(ctx, AB_SHAPE(5));
  AbTensor *narrow = ab_full(ctx, AB_F32, AB_SHAPE(3, 5), 0);
  g_assert_null(ab_matmul(x, W));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f64 [2, 3]", "f64 [4, 5]", NULL);
  g_assert_null(ab_matmul(x, b));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f64 [2, 3]", "f64 [5]", NULL);
  g_assert_null(ab_matmul(x, narrow));
  sdk_assert_error(ctx, AB_CONFIG, "matmul", "f64 [2, 3]", "f32 [3, 5]", NULL);
  g_assert_null(ab_matmul(x, ab_zeros(other, AB_SHAPE(3, 5))));
  sdk_assert_error(ctx, AB_INTERNAL, "matmul", "contexts", NULL);
  g_assert_null(ab_matmul(x, AB_NONE));
  sdk_assert_error(ctx, AB_INTERNAL, "matmul", "AB_NONE", NULL);
  g_assert_null(ab_linear(x, W, AB_NONE, AB_RELU));
  sdk_assert_error(ctx, AB_CONFIG, "linear", "f64 [2, 3]", "f64 [4, 5]", "none", NULL);
  g_assert_null(ab_linear(x, fits, ab_zeros(ctx, AB_SHAPE(4)), AB_RELU));
  sdk_assert_error(ctx, AB_CONFIG, "linear", "f64 [2, 3]", "f64 [3, 5]", "f64 [4]", NULL);
  g_assert_null(ab_linear(x, narrow, AB_NONE, AB_RELU));
  sdk_assert_error(ctx, AB_CONFIG, "linear", "f32 [3, 5]", NULL);
  g_assert_null(ab_linear(x, ab_zeros(other, AB_SHAPE(3, 5)), AB_NONE, AB_RELU));
  sdk_assert_error(ctx, AB_INTERNAL, "linear", "contexts", NULL);
  g_assert_null(ab_linear(x, fits, ab_zeros(other, AB_SHAPE(5)), AB_RELU));
  sdk_assert_error(ctx, AB_INTERNAL, "linear", "contexts", NULL);
  g_assert_null(ab_linear(x, fits, b, AB_ACTIVATIONS));
  sdk_assert_error(ctx, AB_INTERNAL, "activation 24", NULL);
  g_assert_null(ab_linear(x, AB_NONE, b, AB_RELU));
  sdk_assert_error(ctx, AB_INTERNAL, "linear", "AB_NONE", NULL);
  g_assert_null(ab_linear(NULL, fits, b, AB_RELU));
  g_assert_null(ab_linear(x, NULL, b, AB_RELU));
  g_assert_null(ab_linear(x, fits, NULL, AB_RELU));
  g_assert_null(ab_matmul(NULL, x));
  g_assert_null(ab_matmul(x, NULL));
  sdk_finish(other);
  sdk_finish(ctx);
}

/* ---- losses ---------------------------------------------------------------------------------- */

static void test_cross_entropy(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *z = sdk_numbers(35, -3, 3, 4);
  const double labels[7] = {4, 0, 2, 2, 1, 3, 0};
  double wanted[7];
  for (int i = 0; i < 7; i++) {
    double sum = 0;
    for (int j = 0; j < 5; j++) sum += exp(z[5 * i + j]);
    wanted[i] = log(sum) - z[5 * i + (int)labels[i]];
  }
  AbTensor *logits = sdk_tensor(ctx, AB_SHAPE(7, 5), z);
  const AbDtype dtypes[] = {AB_I64, AB_I32, AB_U8};
  for (int i = 0; i < 3; i++) {
    AbTensor *t = sdk_tensor_of(ctx, dtypes[i], AB_SHAPE(7), labels);
    assert_values(ab_cross_entropy(logits, t), AB_SHAPE(7), wanted);
  }
  /* far out, and nothing */
  AbTensor *far = sdk_tensor(ctx, AB_SHAPE(1, 2), (double[]){1e4, -1e4});
  AbTensor *one = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(1), (double[]){1});
  assert_values(ab_cross_entropy(far, one), AB_SHAPE(1), (double[]){2e4});
  assert_shape(
      ab_cross_entropy(ab_zeros(ctx, AB_SHAPE(0, 5)), ab_full(ctx, AB_I64, AB_SHAPE(0), 0)),
      AB_SHAPE(0));
  /* errors */
  AbTensor *good = sdk_tensor_of(ctx, AB_I64, AB_SHAPE(7), labels);
  const double high[7] = {0, 0, 0, 5, 0, 0, 0}, low[7] = {0, 0, 0, 0, 0, -1, 9};
  g_assert_null(ab_cross_entropy(logits, sdk_tensor_of(ctx, AB_I64, AB_SHAPE(7), high)));
  sdk_assert_error(ctx, AB_DATA, "cross_entropy", "label 5", "row 3", "0 to 4", NULL);
  g_assert_null(ab_cross_entropy(logits, sdk_tensor_of(ctx, AB_I32, AB_SHAPE(7), low)));
  sdk_assert_error(ctx, AB_DATA, "cross_entropy", "label -1", "row 5", "0 to 4", NULL);
  g_assert_null(ab_cross_entropy(logits, ab_slice(good, 0, 0, 6)));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "i64 [6]", "7", NULL);
  g_assert_null(ab_cross_entropy(logits, ab_zeros(ctx, AB_SHAPE(7))));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "f64 [7]", NULL);
  g_assert_null(ab_cross_entropy(ab_zeros(ctx, AB_SHAPE(7)), good));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "f64 [7]", NULL);
  g_assert_null(ab_cross_entropy(ab_zeros(ctx, AB_SHAPE(7, 0)), good));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "f64 [7, 0]", NULL);
  g_assert_null(ab_cross_entropy(NULL, good));
  g_assert_null(ab_cross_entropy(logits, NULL));
  sdk_assert_ok(ctx);
  g_assert_null(ab_cross_entropy(logits, AB_NONE));
  sdk_assert_error(ctx, AB_INTERNAL, "cross_entropy", "AB_NONE", NULL);
  sdk_finish(ctx);
}

/* Two labels that a float cannot tell apart. */
static void test_one_hot_far(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const int64_t far = (INT64_C(1) << 24) + 1;
  AbTensor *hot = ab_one_hot(ab_from(ctx, AB_I64, AB_SHAPE(1), &far), far + 1);
  g_autofree double *last = sdk_values(ab_slice(hot, 1, far - 1, far + 1));
  g_assert_cmpfloat(last[0], ==, 0);
  g_assert_cmpfloat(last[1], ==, 1);
  sdk_finish(ctx);
}

static void test_one_hot(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *labels = sdk_tensor_of(ctx, AB_U8, AB_SHAPE(3), (double[]){2, 0, 1});
  const double wanted[12] = {0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0};
  assert_values(ab_one_hot(labels, 4), AB_SHAPE(3, 4), wanted);
  assert_shape(ab_one_hot(ab_slice(labels, 0, 0, 0), 4), AB_SHAPE(0, 4));
  assert_shape(ab_one_hot(ab_slice(labels, 0, 0, 0), 0), AB_SHAPE(0, 0));
  g_assert_null(ab_one_hot(labels, 2));
  sdk_assert_error(ctx, AB_DATA, "one_hot", "label 2", "row 0", "0 to 1", NULL);
  g_assert_null(ab_one_hot(ab_slice(labels, 0, 0, 0), -1));
  sdk_assert_error(ctx, AB_CONFIG, NULL);
  g_assert_null(ab_one_hot(ab_zeros(ctx, AB_SHAPE(2)), 2));
  sdk_assert_error(ctx, AB_CONFIG, "one_hot", "f64 [2]", NULL);
  g_assert_null(ab_one_hot(NULL, 2));
  sdk_finish(ctx);
}

static void test_binary_cross_entropy(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *p = sdk_numbers(35, 0.01, 0.99, 4), *t = sdk_numbers(35, 0, 1, 5);
  double wanted[35];
  for (int i = 0; i < 35; i++) wanted[i] = -t[i] * log(p[i]) - (1 - t[i]) * log(1 - p[i]);
  AbShape shape = AB_SHAPE(7, 5);
  AbTensor *tp = sdk_tensor(ctx, shape, p), *tt = sdk_tensor(ctx, shape, t);
  assert_values(ab_binary_cross_entropy(tp, tt), shape, wanted);
  /* the way round by the argument of the sigmoid */
  double x[35];
  for (int i = 0; i < 35; i++) x[i] = log(p[i] / (1 - p[i]));
  AbTensor *logits = sdk_tensor(ctx, shape, x);
  ab_require_grad(logits);
  assert_values(ab_binary_cross_entropy(ab_sigmoid(logits), tt), shape, wanted);
  /* p at the edges is kept off them */
  AbTensor *edges = sdk_tensor(ctx, AB_SHAPE(4), (double[]){0, 1, 0, 1});
  AbTensor *truth = sdk_tensor(ctx, AB_SHAPE(4), (double[]){0, 1, 1, 0});
  g_autofree double *losses = sdk_values(ab_binary_cross_entropy(edges, truth));
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat_with_epsilon(losses[i], i < 2 ? 0 : -log(1e-15), 0.2);
  assert_shape(
      ab_binary_cross_entropy(ab_zeros(ctx, AB_SHAPE(0, 2)), ab_zeros(ctx, AB_SHAPE(0, 2))),
      AB_SHAPE(0, 2));
  g_assert_null(ab_binary_cross_entropy(tp, edges));
  sdk_assert_error(ctx, AB_CONFIG, "binary_cross_entropy", "f64 [7, 5]", "f64 [4]", NULL);
  g_assert_null(ab_binary_cross_entropy(tp, ab_cast(tt, AB_F32)));
  sdk_assert_error(ctx, AB_CONFIG, "binary_cross_entropy", "f32 [7, 5]", NULL);
  g_assert_null(ab_binary_cross_entropy(tp, ab_cast(tt, AB_I64)));
  sdk_assert_error(ctx, AB_CONFIG, "binary_cross_entropy", "i64 [7, 5]", NULL);
  g_assert_null(ab_binary_cross_entropy(NULL, tt));
  g_assert_null(ab_binary_cross_entropy(tp, NULL));
  sdk_finish(ctx);
}

/* ---- tensors --------------------------------------------------------------------------------- */

static void test_shapes(void) {
  char text[200];
  g_assert_cmpstr(ab_shape_text(ab_scalar_shape(), text, sizeof text), ==, "[]");
  g_assert_cmpstr(ab_shape_text(AB_SHAPE(100, 784), text, sizeof text), ==, "[100, 784]");
  g_assert_cmpstr(ab_shape_text(AB_SHAPE(100, 784), text, 6), ==, "[100,");
  AbShape widest = {.rank = 8};
  for (int i = 0; i < 8; i++) widest.dims[i] = INT64_MIN;
  ab_shape_text(widest, text, sizeof text);
  g_assert_cmpint(text[strlen(text) - 1], ==, ']');
  g_assert_cmpint(ab_shape_count(ab_scalar_shape()), ==, 1);
  g_assert_cmpint(ab_shape_count(AB_SHAPE(3, 0, 5)), ==, 0);
  g_assert_cmpint(ab_shape_count(AB_SHAPE(3, -1)), ==, -1);
  g_assert_cmpint(ab_shape_count(AB_SHAPE(INT64_C(1) << 32, INT64_C(1) << 31)), ==, -1);
  g_assert_cmpint(ab_shape_count(AB_SHAPE(0, INT64_C(1) << 62, 4)), ==, -1);
  g_assert_cmpint(ab_shape_count((AbShape){.rank = 9}), ==, -1);
  g_assert_cmpint(ab_shape_count((AbShape){.rank = -1}), ==, -1);
  const char *const names[] = {"?", "f32", "f64", "u8", "i32", "i64", "bool", "?"};
  const size_t sizes[] = {0, 4, 8, 1, 4, 8, 1, 0};
  for (int i = 0; i < 8; i++) {
    g_assert_cmpstr(ab_dtype_name(i), ==, names[i]);
    g_assert_cmpuint(ab_dtype_size(i), ==, sizes[i]);
  }
  g_assert_cmpstr(ab_dtype_name(-1), ==, "?");
}

static void test_making(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const AbDtype dtypes[] = {AB_F32, AB_F64, AB_U8, AB_I32, AB_I64, AB_BOOL};
  for (int i = 0; i < 6; i++) {
    AbTensor *x = ab_full(ctx, dtypes[i], AB_SHAPE(2, 3), 1);
    assert_values(x, AB_SHAPE(2, 3), (double[]){1, 1, 1, 1, 1, 1});
    g_assert_cmpint(ab_dtype(x), ==, dtypes[i]);
    g_assert_cmpfloat(ab_item(ab_full(ctx, dtypes[i], AB_SHAPE(1, 1, 1), 1)), ==, 1);
  }
  g_assert_cmpint(ab_dtype(ab_zeros(ctx, AB_SHAPE(2))), ==, AB_F32);
  AbTensor *x = ab_from(ctx, AB_I32, AB_SHAPE(2, 2), (int32_t[]){1, 2, 3, 4});
  g_assert_cmpint(ab_dim(x, -1), ==, 2);
  g_assert_cmpint(ab_rank(x), ==, 2);
  g_assert_cmpint(ab_count(x), ==, 4);
  g_assert_true(ab_context_of(x) == ctx);
  g_assert_cmpint(ab_dim(x, 2), ==, 0);
  sdk_assert_error(ctx, AB_CONFIG, "axis 2", "i32 [2, 2]", NULL);
  g_assert_cmpint(ab_dim(x, -3), ==, 0);
  sdk_assert_error(ctx, AB_CONFIG, "axis", NULL);
  g_assert_true(isnan(ab_item(x)));
  sdk_assert_error(ctx, AB_INTERNAL, "ab_item", "i32 [2, 2]", NULL);
  g_assert_null(ab_map(ab_transpose(x, 0, 1), true));
  sdk_assert_error(ctx, AB_INTERNAL, "i32 [2, 2]", NULL);
  assert_shape(ab_from(ctx, AB_F32, AB_SHAPE(0, 2), NULL), AB_SHAPE(0, 2));
  /* what cannot be */
  const AbShape wrong[] = {AB_SHAPE(2, -1),
                           AB_SHAPE(INT64_MAX, 2),
                           AB_SHAPE(INT64_C(1) << 60),
                           {.rank = 9},
                           {.rank = -1}};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_assert_null(ab_full(ctx, AB_F64, wrong[i], 0));
    sdk_assert_error(ctx, i == 2 ? AB_INTERNAL : AB_CONFIG, NULL);
    g_assert_null(ab_empty(ctx, AB_F64, wrong[i]));
    sdk_assert_error(ctx, i == 2 ? AB_INTERNAL : AB_CONFIG, NULL);
  }
  g_assert_null(ab_full(ctx, 0, AB_SHAPE(1), 0));
  sdk_assert_error(ctx, AB_CONFIG, NULL);
  g_assert_null(ab_context_of(NULL));
  g_assert_true(isnan(ab_item(NULL)));
  g_assert_null(ab_map(NULL, true));
  g_assert_true(ab_is_none(AB_NONE));
  g_assert_false(ab_is_none(x));
  g_assert_false(ab_is_shape_only(AB_NONE));
  ab_unref(NULL);
  ab_unref(AB_NONE);
  sdk_finish(ctx);
}

static void test_assign(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x[6] = {1, 2, 3, 4, 5, 6};
  AbTensor *target = ab_full(ctx, AB_F32, AB_SHAPE(3, 2), 0),
           *value = sdk_tensor(ctx, AB_SHAPE(2, 3), x);
  ab_assign(target, ab_transpose(value, 0, 1));
  assert_values(target, AB_SHAPE(3, 2), (double[]){1, 4, 2, 5, 3, 6});
  ab_assign(ab_slice(target, 1, 0, 1), ab_zeros(ctx, AB_SHAPE(3, 1)));
  assert_values(target, AB_SHAPE(3, 2), (double[]){0, 4, 0, 5, 0, 6});
  ab_assign(target, value);
  sdk_assert_error(ctx, AB_INTERNAL, "f64 [2, 3]", "f32 [3, 2]", NULL);
  ab_assign(NULL, value);
  ab_assign(target, NULL);
  ab_assign(ab_zeros(ctx, AB_SHAPE(0)), ab_zeros(ctx, AB_SHAPE(0)));
  sdk_finish(ctx);
}

/* ---- errors of a context --------------------------------------------------------------------- */

static void test_sticky(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_assert_true(ab_ok(ctx));
  g_assert_cmpint(ab_error_code(ctx), ==, AB_OK);
  g_assert_cmpstr(ab_error_message(ctx), ==, "");
  AbTensor *wrong = ab_add(ab_zeros(ctx, AB_SHAPE(2)), ab_zeros(ctx, AB_SHAPE(3)));
  g_autofree char *first = g_strdup(ab_error_message(ctx));
  g_assert_null(ab_mean(ab_softmax(ab_matmul(wrong, ab_exp(wrong))))); /* passes through */
  ab_error(ctx, AB_IO, "later, and kept out");
  g_assert_cmpint(ab_error_code(ctx), ==, AB_CONFIG);
  g_assert_cmpstr(ab_error_message(ctx), ==, first);
  ab_error_clear(ctx);
  g_assert_true(ab_ok(ctx));
  g_autofree char *text = g_strnfill(5000, 'x');
  ab_error(ctx, AB_IO, "%s", text); /* longer than a message can be */
  g_assert_cmpint(ab_error_code(ctx), ==, AB_IO);
  g_assert_cmpuint(strlen(ab_error_message(ctx)), <, 5000);
  ab_error_clear(ctx);
  ab_error(NULL, AB_IO, "nowhere");
  sdk_finish(ctx);
}

static void test_contexts(void) {
  g_assert_null(ab_context_new("abacus", AB_F32, 0));
  g_assert_null(ab_context_new("cpu", AB_I32, 0));
  ab_context_free(NULL);
  AbContext *ctx = sdk_context("cpu", AB_F64);
  g_assert_cmpint(ab_real_dtype(ctx), ==, AB_F64);
  g_assert_false(ab_training(ctx));
  const AbPurpose purposes[] = {AB_PURPOSE_TRAIN, AB_PURPOSE_EVALUATE, AB_PURPOSE_NOISE,
                                AB_PURPOSE_INIT, AB_PURPOSE_DATA};
  for (int i = 0; i < 5; i++) {
    ab_begin(ctx, purposes[i], 3);
    g_assert_cmpint(ab_training(ctx), ==, i == 0 || i == 2);
  }
  g_assert_cmpstr(ab_fingerprint(), ==, AB_FINGERPRINT);
  g_assert_cmpstr(ab_version(), ==, ABSDK_VERSION);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/ops-value/unary", test_unary);
  sdk_add("/ops-value/extremes", test_extremes);
  sdk_add("/ops-value/unary-errors", test_unary_errors);
  sdk_add("/ops-value/binary", test_binary);
  sdk_add("/ops-value/binary-errors", test_binary_errors);
  sdk_add("/ops-value/reshape", test_reshape);
  sdk_add("/ops-value/flatten", test_flatten);
  sdk_add("/ops-value/transpose", test_transpose);
  sdk_add("/ops-value/slice", test_slice);
  sdk_add("/ops-value/broadcast", test_broadcast);
  sdk_add("/ops-value/cast", test_cast);
  sdk_add("/ops-value/sums", test_sums);
  sdk_add("/ops-value/sum-errors", test_sum_errors);
  sdk_add("/ops-value/rows", test_rows);
  sdk_add("/ops-value/matmul", test_matmul);
  sdk_add("/ops-value/product-errors", test_product_errors);
  sdk_add("/ops-value/cross-entropy", test_cross_entropy);
  sdk_add("/ops-value/one-hot", test_one_hot);
  sdk_add("/ops-value/one-hot/far", test_one_hot_far);
  sdk_add("/ops-value/binary-cross-entropy", test_binary_cross_entropy);
  sdk_add("/ops-value/making", test_making);
  sdk_add("/ops-value/assign", test_assign);
  sdk_add("/ops-value/sticky", test_sticky);
  g_test_add_func("/ops-value/shapes", test_shapes);
  g_test_add_func("/ops-value/contexts", test_contexts);
  return g_test_run();
}
