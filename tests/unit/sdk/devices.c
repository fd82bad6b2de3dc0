/* SPDX-License-Identifier: Apache-2.0
 *
 * f32 on the cpu against f64 on the reference device, forward and backward, and the same bits on
 * any number of threads.
 *
 * Errors are in units of 2^-23 times the larger of the exact value and a floor that the case
 * states: 0 where every value is to be good to so many ulp, more where the operation cancels. A
 * gradient is that of sum_i c_i y_i, c in [0.5, 1.5). Run with --verbose to see what is measured.
 */
#include "device-test.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define ULP 0x1p-23

/* ---- elements -------------------------------------------------------------------------------- */

UNARY(neg)
UNARY(abs)
UNARY(square)
UNARY(sqrt)
UNARY(exp)
UNARY(log)
UNARY(sign)
UNARY(sigmoid)
UNARY(tanh)
UNARY(relu)
UNARY(softplus)
UNARY(sum)
UNARY(mean)
UNARY(softmax)
UNARY(log_softmax)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(minimum)
BINARY(maximum)
BINARY(equal)
BINARY(greater)
BINARY(binary_cross_entropy)
FUNCTION(affine, ab_affine(x[0], -2.5, 0.75))
FUNCTION(bce_sigmoid, ab_binary_cross_entropy(ab_sigmoid(x[0]), x[1]))
FUNCTION(sum_rows, ab_sum_axes(x[0], 1, false))
FUNCTION(sum_columns, ab_sum_axes(x[0], 2, true))
FUNCTION(mean_rows, ab_mean_axes(x[0], 1, true))
FUNCTION(transpose, ab_square(ab_transpose(x[0], 0, 1)))
FUNCTION(slice, ab_square(ab_slice(x[0], 1, 0, ab_dim(x[0], 1) / 2 + 1)))
/* no product in it: bias and activation alone */
FUNCTION(bias, ab_linear(ab_zeros(ab_context_of(x[0]), AB_SHAPE(200, 0)),
                         ab_zeros(ab_context_of(x[0]), AB_SHAPE(0, 331)), x[0], AB_IDENTITY))
FUNCTION(bias_sigmoid, ab_linear(ab_zeros(ab_context_of(x[0]), AB_SHAPE(200, 0)),
                                 ab_zeros(ab_context_of(x[0]), AB_SHAPE(0, 331)), x[0], AB_SIGMOID))
FUNCTION(bias_tanh, ab_linear(ab_zeros(ab_context_of(x[0]), AB_SHAPE(200, 0)),
                              ab_zeros(ab_context_of(x[0]), AB_SHAPE(0, 331)), x[0], AB_TANH))
FUNCTION(bias_relu, ab_linear(ab_zeros(ab_context_of(x[0]), AB_SHAPE(200, 0)),
                              ab_zeros(ab_context_of(x[0]), AB_SHAPE(0, 331)), x[0], AB_RELU))
FUNCTION(bias_softplus,
         ab_linear(ab_zeros(ab_context_of(x[0]), AB_SHAPE(200, 0)),
                   ab_zeros(ab_context_of(x[0]), AB_SHAPE(0, 331)), x[0], AB_SOFTPLUS))

/* Labels 0, 1, 2, ... modulo the classes. */
static AbTensor *cross_entropy_of(AbTensor *const *x) {
  int64_t rows = ab_dim(x[0], 0), classes = ab_dim(x[0], 1);
  AbTensor *labels = ab_empty(ab_context_of(x[0]), AB_I32, AB_SHAPE(rows));
  int32_t *label = ab_map(labels, true);
  for (int64_t i = 0; i < rows; i++) label[i] = (int32_t)(i % classes);
  return ab_cross_entropy(x[0], labels);
}

/* of any shape */
static const SdkDeviceCase element_cases[] = {
    {"neg", neg_of, 1, -9, 9, 0, 0, 0, 0},
    {"abs", abs_of, 1, -9, 9, 0, 0, 0, 0},
    {"affine", affine_of, 1, -9, 9, 1, 0.75, 0.5, 0},
    {"square", square_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"sqrt", sqrt_of, 1, 1e-3, 9, 0.5, 0, 1.5, 0},
    {"exp", exp_of, 1, -80, 80, 1, 0, 2, 0},
    {"log", log_of, 1, 1e-6, 90, 1, 0, 0.5, 0},
    {"sign", sign_of, 1, -9, 9, 0, 0, 0, 0},
    {"sigmoid", sigmoid_of, 1, -60, 60, 2, 0, 2, 1},
    {"tanh", tanh_of, 1, -9, 9, 2, 0, 2.5, 1},
    {"relu", relu_of, 1, -9, 9, 0, 0, 0, 0},
    {"softplus", softplus_of, 1, -60, 60, 2, 0, 4, 0},
    {"add", add_of, 2, -9, 9, 0.5, 0, 0, 0},
    {"sub", sub_of, 2, -9, 9, 0.5, 0, 0, 0},
    {"mul", mul_of, 2, -9, 9, 0.5, 0, 0.5, 0},
    {"div", div_of, 2, 0.1, 9, 0.5, 0, 2, 0},
    {"minimum", minimum_of, 2, -9, 9, 0, 0, 0, 0},
    {"maximum", maximum_of, 2, -9, 9, 0, 0, 0, 0},
    {"equal", equal_of, 2, -9, 9, 0, 0, 0, 0},
    {"greater", greater_of, 2, -9, 9, 0, 0, 0, 0},
    {"bce", binary_cross_entropy_of, 2, 0.01, 0.99, 2, 1, 3, 1},
    {"bce-sigmoid", bce_sigmoid_of, 2, -30, 30, 1, 30, 3, 1, .unit = 2},
    {"sum", sum_of, 1, -1, 1, 1, 300, 0, 0},
    {"mean", mean_of, 1, -1, 1, 1, 1, 1, 0},
};

/* of matrices; softmax is exp of log-softmax, whose rounding grows with its size, here to 27 */
static const SdkDeviceCase matrix_cases[] = {
    {"softmax", softmax_of, 1, -9, 9, 24, 0, 4, 1},
    {"log-softmax", log_softmax_of, 1, -9, 9, 3, 1, 30, 1},
    {"cross-entropy", cross_entropy_of, 1, -9, 9, 3, 1, 4, 1},
    {"sum-rows", sum_rows_of, 1, -1, 1, 1, 100, 0, 0},
    {"sum-columns", sum_columns_of, 1, -1, 1, 1, 300, 0, 0},
    {"mean-rows", mean_rows_of, 1, -1, 1, 1, 1, 1, 0},
    {"transpose", transpose_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"slice", slice_of, 1, -9, 9, 0.5, 0, 0.5, 0},
};

/* of 331 numbers; the gradient is a sum of 200 */
static const SdkDeviceCase bias_cases[] = {
    {"bias", bias_of, 1, -9, 9, 0, 0, 1, 0},
    {"bias-sigmoid", bias_sigmoid_of, 1, -60, 60, 3, 0, 3, 200},
    {"bias-tanh", bias_tanh_of, 1, -9, 9, 3, 0, 3, 200},
    {"bias-relu", bias_relu_of, 1, -9, 9, 0, 0, 1, 0},
    {"bias-softplus", bias_softplus_of, 1, -60, 60, 2, 0, 4, 0},
};

/* ---- comparing ------------------------------------------------------------------------------- */

static const int64_t lengths[] = {1, 7, 64, 1000, 100003};
static const int64_t matrices[][2] = {{1, 1},  {7, 5},    {64, 10},    {1000, 7},
                                      {3, 65}, {37, 333}, {10007, 10}, {11, 9091}};

static void test_elements(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(element_cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(lengths); k++)
      sdk_compare_devices(&element_cases[i],
                          (AbShape[]){AB_SHAPE(lengths[k]), AB_SHAPE(lengths[k])});
}

/* Shapes that stretch: each path of the kernel for two operands. The gradient of a stretched
 * operand is a sum, so only the result is compared. */
static void test_stretched(void) {
  const AbShape shapes[][2] = {
      {AB_SHAPE(333, 301), AB_SHAPE(301)},         {AB_SHAPE(333, 301), AB_SHAPE(333, 1)},
      {AB_SHAPE(333, 1), AB_SHAPE(301)},           {ab_scalar_shape(), AB_SHAPE(1000)},
      {AB_SHAPE(1000), ab_scalar_shape()},         {AB_SHAPE(5, 1, 30, 7), AB_SHAPE(9, 1, 7)},
      {AB_SHAPE(3, 2, 1, 4), AB_SHAPE(3, 1, 5, 4)}};
  for (size_t i = 0; i < G_N_ELEMENTS(element_cases); i++) {
    const SdkDeviceCase *c = &element_cases[i];
    if (c->count != 2 || strncmp(c->name, "bce", 3) == 0) continue; /* wants one shape */
    for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
      sdk_compare_results(c, shapes[k]);
    }
  }
}

static void test_matrices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(matrix_cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(matrices); k++)
      sdk_compare_devices(&matrix_cases[i], (AbShape[]){AB_SHAPE(matrices[k][0], matrices[k][1])});
}

static void test_bias(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(bias_cases); i++)
    sdk_compare_devices(&bias_cases[i], (AbShape[]){AB_SHAPE(331)});
}

/* ---- copies: exact --------------------------------------------------------------------------- */

static AbTensor *copy(AbContext *ctx, int which, AbDtype dtype) {
  g_autofree double *values = sdk_numbers(60 * 41 * 7, 0, 200, 3);
  for (int i = 0; i < 60 * 41 * 7; i++) values[i] = floor(values[i]);
  AbTensor *x = sdk_tensor_of(ctx, dtype, AB_SHAPE(60, 41, 7), values);
  AbTensor *flat = ab_reshape(x, AB_SHAPE(60 * 41, 7)), *row = ab_slice(flat, 0, 3, 4);
  switch (which) {
  case 0: return x;
  case 1: return ab_transpose(x, 0, 2);
  case 2: return ab_transpose(x, 1, 2);
  case 3: return ab_transpose(x, 0, 1);
  case 4: return ab_transpose(flat, 0, 1);
  case 5: return ab_slice(x, 1, 5, 40);
  case 6: return ab_slice(flat, 1, 2, 5);
  case 7: return ab_broadcast_to(row, AB_SHAPE(33, 7));
  case 8: return ab_broadcast_to(ab_slice(flat, 1, 2, 3), AB_SHAPE(60 * 41, 21));
  case 9: return ab_transpose(ab_slice(flat, 1, 1, 6), 0, 1);
  default: return ab_transpose(ab_broadcast_to(row, AB_SHAPE(2, 17, 7)), 0, 2);
  }
}

static void test_copies(void) {
  const AbDtype dtypes[] = {AB_F32, AB_U8, AB_I32, AB_I64, AB_F64};
  for (int which = 0; which <= 10; which++) {
    for (int from = 0; from < 5; from++) {
      for (int to = 0; to < 5; to++) {
        AbContext *cpu = sdk_context("cpu", AB_F32), *exact = sdk_context("reference", AB_F64);
        AbTensor *given = ab_cast(copy(cpu, which, dtypes[from]), dtypes[to]);
        AbTensor *wanted = ab_cast(copy(exact, which, dtypes[from]), dtypes[to]);
        g_assert_cmpfloat(sdk_worst_error(given, wanted, 1), ==, 0);
        sdk_finish(cpu);
        sdk_finish(exact);
      }
    }
  }
}

/* ---- products ---------------------------------------------------------------------------------
 * |error| of an element is at most 2 sqrt(k) + 2 roundings of sum_l |a_il b_lj|.                 */

static AbTensor *operand(AbContext *ctx, int64_t rows, int64_t cols, bool transposed,
                         const double *x) {
  if (!transposed) return sdk_tensor(ctx, AB_SHAPE(rows, cols), x);
  g_autofree double *turned = g_new(double, rows *cols);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) turned[j * rows + i] = x[i * cols + j];
  return ab_transpose(sdk_tensor(ctx, AB_SHAPE(cols, rows), turned), 0, 1);
}

static void assert_product(AbTensor *c, int64_t m, int64_t k, int64_t n, const double *a,
                           int64_t ia, int64_t la, const double *b, int64_t lb, int64_t jb,
                           double unit) {
  g_autofree double *given = sdk_values(c);
  g_assert_cmpint(ab_count(c), ==, m * n);
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0, size = 0;
      for (int64_t l = 0; l < k; l++) {
        double term = a[i * ia + l * la] * b[l * lb + j * jb];
        sum += term;
        size += fabs(term);
      }
      double bound = (2 * sqrt((double)k) + 2) * unit * size;
      if (!(fabs(given[i * n + j] - sum) <= bound))
        g_error("[%d, %d] x [%d, %d]: %.9g at (%d, %d), not %.9g", (int)m, (int)k, (int)k, (int)n,
                given[i * n + j], (int)i, (int)j, sum);
    }
  }
}

static void check_products(const char *device, AbDtype real) {
  const int64_t sizes[][3] = {{1, 1, 1},      {7, 5, 3},     {1, 100, 9},     {9, 100, 1},
                              {5, 1, 6},      {65, 33, 17},  {127, 129, 131}, {301, 64, 100},
                              {257, 128, 65}, {100, 401, 33}};
  double unit = real == AB_F32 ? 0x1p-24 : 0x1p-53;
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
    int64_t m = sizes[s][0], k = sizes[s][1], n = sizes[s][2];
    g_autofree double *a = sdk_numbers(m * k, -1, 1, s + 1), *b = sdk_numbers(k * n, -1, 1, s + 2);
    g_autofree double *w = sdk_numbers(m * n, -1, 1, s + 3);
    for (int64_t i = 0; i < m * k; i++) a[i] = (double)(float)a[i];
    for (int64_t i = 0; i < k * n; i++) b[i] = (double)(float)b[i];
    for (int64_t i = 0; i < m * n; i++) w[i] = (double)(float)w[i];
    for (int both = 0; both < 4; both++) {
      AbContext *ctx = sdk_context(device, real);
      AbTensor *ta = operand(ctx, m, k, both & 1, a), *tb = operand(ctx, k, n, both & 2, b);
      AbTensor *va = ab_detach(ta), *vb = ab_detach(tb); /* leaves with these strides */
      ab_require_grad(va);
      ab_require_grad(vb);
      AbTensor *c = ab_matmul(va, vb);
      assert_product(c, m, k, n, a, k, 1, b, n, 1, unit);
      ab_backward(ab_sum(ab_mul(c, sdk_tensor(ctx, AB_SHAPE(m, n), w))));
      sdk_assert_ok(ctx);
      assert_product(ab_gradient(va), m, n, k, w, n, 1, b, 1, n, unit);
      assert_product(ab_gradient(vb), k, m, n, a, 1, k, w, n, 1, unit);
      sdk_finish(ctx);
    }
  }
}

static void test_products(const void *device) {
  check_products(device, AB_F64);
  check_products(device, AB_F32);
}

/* ---- threads ----------------------------------------------------------------------------------
 * Products are left out: how OpenBLAS and oneDNN cut theirs depends on the number of threads.    */

static GByteArray *bits_of_others(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  GByteArray *bits = g_byte_array_new();
  AbTensor *w = ab_normal(ctx, AB_SHAPE(100003), 0, 1),
           *g = ab_uniform(ctx, AB_SHAPE(100003), -1, 1);
  AbTensor *m = ab_zeros(ctx, AB_SHAPE(100003)), *s = ab_zeros(ctx, AB_SHAPE(100003));
  sdk_bits_of(w, bits);
  sdk_bits_of(g, bits);
  sdk_bits_of(ab_bernoulli(ab_sigmoid(w)), bits);
  sdk_bits_of(ab_argmax(ab_reshape(ab_slice(w, 0, 0, 100000), AB_SHAPE(1000, 100))), bits);
  for (int64_t t = 1; t < 4; t++) {
    ab_step_adam(w, g, m, s, 0.1, 0.9, 0.99, 1e-8, t);
    ab_step_sgd(w, g, m, 0.1, 0.9, t == 2);
  }
  sdk_bits_of(w, bits);
  sdk_bits_of(ab_cast(ab_cast(w, AB_U8), AB_F32), bits);
  sdk_bits_of(
      ab_cast(ab_transpose(ab_reshape(ab_slice(w, 0, 0, 100000), AB_SHAPE(1000, 100)), 0, 1),
              AB_F32),
      bits);
  sdk_finish(ctx);
  return bits;
}

static void test_threads(void) {
  int before = omp_get_max_threads();
  AbShape vector = AB_SHAPE(100003), wide = AB_SHAPE(11, 9091), tall = AB_SHAPE(10007, 10);
  sdk_check_threads(element_cases, G_N_ELEMENTS(element_cases), (AbShape[]){vector, vector});
  sdk_check_threads(element_cases + 12, 8, (AbShape[]){wide, AB_SHAPE(11, 1)});
  sdk_check_threads(element_cases + 12, 8, (AbShape[]){tall, AB_SHAPE(10)});
  sdk_check_threads(matrix_cases, G_N_ELEMENTS(matrix_cases), &wide);
  sdk_check_threads(matrix_cases, G_N_ELEMENTS(matrix_cases), &tall);
  sdk_check_threads(bias_cases, G_N_ELEMENTS(bias_cases), (AbShape[]){AB_SHAPE(331)});
  sdk_same_bits("random numbers and optimizers", bits_of_others);
  omp_set_num_threads(before);
}

/* The fused steps of f32 against the formulas of ops.h. */
static void test_steps(void) {
  const int64_t n = 100003;
  AbContext *ctx = sdk_context("cpu", AB_F32);
  g_autofree double *w = sdk_numbers(n, -1, 1, 1), *g = sdk_numbers(n, -1, 1, 2);
  g_autofree double *m = sdk_numbers(n, -1, 1, 3), *s = sdk_numbers(n, 0.01, 1, 4);
  AbTensor *tw = sdk_tensor(ctx, AB_SHAPE(n), w), *tg = sdk_tensor(ctx, AB_SHAPE(n), g);
  AbTensor *tm = sdk_tensor(ctx, AB_SHAPE(n), m), *ts = sdk_tensor(ctx, AB_SHAPE(n), s);
  ab_step_adam(tw, tg, tm, ts, 0.1, 0.9, 0.99, 1e-8, 3);
  ab_step_sgd(tw, tg, tm, 0.1, 0.9, true);
  ab_step_sgd(tw, tg, tm, 0.1, 0.5, false);
  ab_step_sgd(tw, tg, AB_NONE, 0.1, 0, false);
  g_autofree double *given = sdk_values(tw), *moment = sdk_values(tm);
  for (int64_t i = 0; i < n; i++) {
    m[i] = 0.9 * m[i] + 0.1 * g[i];
    s[i] = 0.99 * s[i] + 0.01 * g[i] * g[i];
    w[i] -= 0.1 * (m[i] / (1 - pow(0.9, 3))) / (sqrt(s[i] / (1 - pow(0.99, 3))) + 1e-8);
    m[i] = 0.9 * m[i] + g[i];
    w[i] -= 0.1 * (g[i] + 0.9 * m[i]);
    m[i] = 0.5 * m[i] + g[i];
    w[i] -= 0.1 * m[i];
    w[i] -= 0.1 * g[i];
    g_assert_cmpfloat_with_epsilon(moment[i], m[i], 4 * ULP);
    g_assert_cmpfloat_with_epsilon(given[i], w[i], 10 * ULP);
  }
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/devices/elements", test_elements);
  g_test_add_func("/devices/stretched", test_stretched);
  g_test_add_func("/devices/matrices", test_matrices);
  g_test_add_func("/devices/bias", test_bias);
  g_test_add_func("/devices/copies", test_copies);
  sdk_add("/devices/products", test_products);
  g_test_add_func("/devices/threads", test_threads);
  g_test_add_func("/devices/steps", test_steps);
  return g_test_run();
}
