/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions and functions along an axis: gradients, PyTorch's values, f32 against f64, every order
 * in memory, kinks and special values, errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

/* Each function over the first, the middle, the last, and the first and last of three axes. */
#define FOUR(name, f)                                     \
  static AbTensor *name##_first_of(AbTensor *const *x) {  \
    return f(1);                                          \
  }                                                       \
  static AbTensor *name##_middle_of(AbTensor *const *x) { \
    return f(2);                                          \
  }                                                       \
  static AbTensor *name##_last_of(AbTensor *const *x) {   \
    return f(4);                                          \
  }                                                       \
  static AbTensor *name##_outer_of(AbTensor *const *x) {  \
    return f(5);                                          \
  }
#define SUM(axes)      ab_square(ab_sum_axes(x[0], axes, false))
#define MEAN(axes)     ab_square(ab_mean_axes(x[0], axes, true))
#define VARIANCE(axes) ab_square(ab_variance(x[0], axes, 1, false))
#define STD(axes)      ab_mul(ab_std(x[0], axes, 0, true), ab_square(ab_std(x[0], axes, 0, true)))
#define LARGEST(axes)  ab_square(ab_max_axes(x[0], axes, false))
#define SMALLEST(axes) ab_square(ab_min_axes(x[0], axes, true))
#define NORM_1(axes)   ab_square(ab_norm(x[0], 1, axes, false))
#define NORM_2(axes)   ab_square(ab_norm(x[0], 2, axes, false))
#define NORM_3(axes)   ab_square(ab_norm(x[0], 3, axes, false))
#define NORM_INF(axes) ab_square(ab_norm(x[0], INFINITY, axes, false))
FOUR(sum, SUM)
FOUR(mean, MEAN)
FOUR(variance, VARIANCE)
FOUR(std, STD)
FOUR(max, LARGEST)
FOUR(min, SMALLEST)
FOUR(norm_1, NORM_1)
FOUR(norm_2, NORM_2)
FOUR(norm_3, NORM_3)
FOUR(norm_inf, NORM_INF)

#define THREE(name, f)                               \
  static AbTensor *name##_0_of(AbTensor *const *x) { \
    return f(0);                                     \
  }                                                  \
  static AbTensor *name##_1_of(AbTensor *const *x) { \
    return f(1);                                     \
  }                                                  \
  static AbTensor *name##_2_of(AbTensor *const *x) { \
    return f(-1);                                    \
  }
#define SOFTMAX(axis)     ab_square(ab_softmax_axis(x[0], axis))
#define LOG_SOFTMAX(axis) ab_square(ab_log_softmax_axis(x[0], axis))
#define LOGSUMEXP(axis)   ab_square(ab_logsumexp(x[0], axis, false))
#define CUMSUM(axis)      ab_square(ab_cumulative_sum(x[0], axis, false))
#define REVERSE(axis)     ab_square(ab_cumulative_sum(x[0], axis, true))
#define ARGMAX(axis)      ab_argmax_axis(x[0], axis)
#define ARGMIN(axis)      ab_argmin_axis(x[0], axis)
THREE(softmax, SOFTMAX)
THREE(log_softmax, LOG_SOFTMAX)
THREE(logsumexp, LOGSUMEXP)
THREE(cumsum, CUMSUM)
THREE(reverse_cumsum, REVERSE)
THREE(argmax, ARGMAX)
THREE(argmin, ARGMIN)
FUNCTION(logsumexp_kept, ab_square(ab_logsumexp(x[0], 1, true)))
FUNCTION(max_all, ab_square(ab_max(x[0])))
FUNCTION(min_all, ab_square(ab_min(x[0])))
FUNCTION(max_none, ab_square(ab_max_axes(x[0], 0, false)))
FUNCTION(variance_none, ab_add(ab_square(x[0]), ab_variance(x[0], 0, 0, false)))
FUNCTION(sum_scattered, ab_square(ab_sum_axes(x[0], 0x15, true)))
FUNCTION(variance_scattered, ab_square(ab_variance(x[0], 0x15, 1, true)))
FUNCTION(max_scattered, ab_square(ab_max_axes(x[0], 0x15, true)))
FUNCTION(norm_scattered, ab_square(ab_norm(x[0], 2, 0x0a, true)))

#define CUBE DIMS(3, 5, 7)
#define FOUR_CASES(text, name)                              \
  {text "-first", name##_first_of, 1, {CUBE}, -3, 3},       \
      {text "-middle", name##_middle_of, 1, {CUBE}, -3, 3}, \
      {text "-last", name##_last_of, 1, {CUBE}, -3, 3}, {   \
    text "-outer", name##_outer_of, 1, {CUBE}, -3, 3        \
  }
/* so wide that no two numbers are equal */
#define WIDE_CASES(text, name)                                \
  {text "-first", name##_first_of, 1, {CUBE}, -90, 90},       \
      {text "-middle", name##_middle_of, 1, {CUBE}, -90, 90}, \
      {text "-last", name##_last_of, 1, {CUBE}, -90, 90}, {   \
    text "-outer", name##_outer_of, 1, {CUBE}, -90, 90        \
  }
#define THREE_CASES(text, name)                                                             \
  {text "-0", name##_0_of, 1, {CUBE}, -3, 3}, {text "-1", name##_1_of, 1, {CUBE}, -3, 3}, { \
    text "-2", name##_2_of, 1, {CUBE}, -3, 3                                                \
  }

static const SdkGradientCase gradients[] = {
    FOUR_CASES("sum", sum),
    FOUR_CASES("mean", mean),
    FOUR_CASES("variance", variance),
    /* stretched over the axis, the deviation is 0 */
    {"std-middle", std_middle_of, 1, {CUBE}, -3, 3},
    {"std-last", std_last_of, 1, {CUBE}, -3, 3},
    {"std-outer", std_outer_of, 1, {CUBE}, -3, 3},
    {"std-first", std_first_of, 1, {CUBE}, -3, 3, .plain_only = true},
    WIDE_CASES("max", max),
    WIDE_CASES("min", min),
    WIDE_CASES("norm-inf", norm_inf),
    FOUR_CASES("norm-1", norm_1),
    FOUR_CASES("norm-2", norm_2),
    FOUR_CASES("norm-3", norm_3),
    THREE_CASES("softmax", softmax),
    THREE_CASES("log-softmax", log_softmax),
    THREE_CASES("logsumexp", logsumexp),
    THREE_CASES("cumsum", cumsum),
    THREE_CASES("reverse-cumsum", reverse_cumsum),
    {"logsumexp-kept", logsumexp_kept_of, 1, {CUBE}, -3, 3},
    {"max-all", max_all_of, 1, {CUBE}, -90, 90},
    {"min-all", min_all_of, 1, {CUBE}, -90, 90},
    {"max-none", max_none_of, 1, {CUBE}, -3, 3},
    {"variance-none", variance_none_of, 1, {CUBE}, -3, 3},
    {"sum-scattered", sum_scattered_of, 1, {DIMS(2, 3, 2, 1, 4, 2)}, -3, 3},
    {"variance-scattered", variance_scattered_of, 1, {DIMS(2, 3, 2, 1, 4, 2)}, -3, 3},
    {"max-scattered", max_scattered_of, 1, {DIMS(2, 3, 2, 1, 4, 2)}, -90, 90},
    {"norm-scattered", norm_scattered_of, 1, {DIMS(2, 3, 2, 1, 4, 2)}, -3, 3},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradients, G_N_ELEMENTS(gradients));
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients));
}

#define TWO_GOLDEN(text, name)             \
  {text "-middle", name##_middle_of, 0}, { \
    text "-outer", name##_outer_of, 0      \
  }
#define ENDS_GOLDEN(text, name)  \
  {text "-0", name##_0_of, 0}, { \
    text "-2", name##_2_of, 0    \
  }

static void test_golden(void) {
  static const SdkGoldenCase cases[] = {
      TWO_GOLDEN("sum", sum),
      TWO_GOLDEN("mean", mean),
      TWO_GOLDEN("var", variance),
      TWO_GOLDEN("std", std),
      TWO_GOLDEN("max", max),
      TWO_GOLDEN("min", min),
      TWO_GOLDEN("norm-1", norm_1),
      TWO_GOLDEN("norm-2", norm_2),
      TWO_GOLDEN("norm-3", norm_3),
      TWO_GOLDEN("norm-inf", norm_inf),
      ENDS_GOLDEN("softmax", softmax),
      ENDS_GOLDEN("log-softmax", log_softmax),
      ENDS_GOLDEN("logsumexp", logsumexp),
      ENDS_GOLDEN("cumsum", cumsum),
      ENDS_GOLDEN("reverse-cumsum", reverse_cumsum),
      ENDS_GOLDEN("argmax", argmax),
      ENDS_GOLDEN("argmin", argmin),
  };
  sdk_check_golden("reductions", cases, G_N_ELEMENTS(cases));
}

/* ---- f32 on the cpu ------------------------------------------------------------------------- */

FUNCTION(plain_sum_0, ab_sum_axes(x[0], 1, false))
FUNCTION(plain_sum_1, ab_sum_axes(x[0], 2, false))
FUNCTION(plain_sum_2, ab_sum_axes(x[0], 4, true))
FUNCTION(plain_sum_02, ab_sum_axes(x[0], 5, false))
FUNCTION(plain_variance_0, ab_variance(x[0], 1, 1, false))
FUNCTION(plain_variance_1, ab_variance(x[0], 2, 0, false))
FUNCTION(plain_variance_02, ab_variance(x[0], 5, 1, true))
FUNCTION(plain_std_2, ab_std(x[0], 4, 0, false))
FUNCTION(plain_max_1, ab_max_axes(x[0], 2, false))
FUNCTION(plain_min_2, ab_min_axes(x[0], 4, false))
FUNCTION(plain_max_02, ab_max_axes(x[0], 5, false))
FUNCTION(plain_norm_1, ab_norm(x[0], 1, 2, false))
FUNCTION(plain_norm_2, ab_norm(x[0], 2, 4, false))
FUNCTION(plain_norm_02, ab_norm(x[0], 2, 5, false))
FUNCTION(plain_norm_p, ab_norm(x[0], 2.5, 4, false))
FUNCTION(plain_cumsum_1, ab_cumulative_sum(x[0], 1, false))
FUNCTION(plain_cumsum_2, ab_cumulative_sum(x[0], 2, true))
FUNCTION(plain_softmax_0, ab_softmax_axis(x[0], 0))
FUNCTION(plain_softmax_1, ab_softmax_axis(x[0], 1))
FUNCTION(plain_softmax_2, ab_softmax(x[0]))
FUNCTION(plain_log_softmax_1, ab_log_softmax_axis(x[0], 1))
FUNCTION(plain_log_softmax_2, ab_log_softmax(x[0]))
FUNCTION(plain_logsumexp_1, ab_logsumexp(x[0], 1, false))
FUNCTION(plain_logsumexp_2, ab_logsumexp(x[0], 2, false))

/* Softmax: x - top, up to 18 here, is rounded to 2^-20, which are 8 units. */
/* sums of up to 100,000 numbers of [-9, 9): magnitudes of 90,000 and more */
static const SdkDeviceCase device_cases[] = {
    {"sum-0", plain_sum_0_of, 1, -9, 9, 1, 5000, 0, 0},
    {"sum-1", plain_sum_1_of, 1, -9, 9, 1, 5000, 0, 0},
    {"sum-2", plain_sum_2_of, 1, -9, 9, 1, 5000, 0, 0},
    {"sum-02", plain_sum_02_of, 1, -9, 9, 1, 5000, 0, 0},
    {"variance-0", plain_variance_0_of, 1, -9, 9, 1, 0, 2, 18},
    {"variance-1", plain_variance_1_of, 1, -9, 9, 1, 0, 2, 18},
    {"variance-02", plain_variance_02_of, 1, -9, 9, 1, 0, 2, 18},
    /* of three numbers that may be near each other: x - mean cancels */
    {"std-2", plain_std_2_of, 1, -9, 9, 1, 0, 100, 1},
    {"max-1", plain_max_1_of, 1, -9, 9, 0, 0, 0, 0},
    {"min-2", plain_min_2_of, 1, -9, 9, 0, 0, 0, 0},
    {"max-02", plain_max_02_of, 1, -9, 9, 0, 0, 0, 0},
    {"norm-1", plain_norm_1_of, 1, -9, 9, 1, 0, 0, 0},
    {"norm-2", plain_norm_2_of, 1, -9, 9, 1, 0, 2, 0},
    {"norm-02", plain_norm_02_of, 1, -9, 9, 1, 0, 2, 0},
    {"norm-p", plain_norm_p_of, 1, -9, 9, 1, 0, 6, 0.1},
    {"cumsum-1", plain_cumsum_1_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"cumsum-2", plain_cumsum_2_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"softmax-0", plain_softmax_0_of, 1, -9, 9, 10, 0, 4, 1},
    {"softmax-1", plain_softmax_1_of, 1, -9, 9, 10, 0, 4, 1},
    {"softmax-2", plain_softmax_2_of, 1, -9, 9, 10, 0, 4, 1},
    {"log-softmax-1", plain_log_softmax_1_of, 1, -9, 9, 3, 1, 20, 4},
    {"log-softmax-2", plain_log_softmax_2_of, 1, -9, 9, 3, 1, 20, 4},
    {"logsumexp-1", plain_logsumexp_1_of, 1, -9, 9, 2, 1, 10, 0.1},
    {"logsumexp-2", plain_logsumexp_2_of, 1, -9, 9, 2, 1, 10, 0.1},
};

/* x + 4096 in f32 is rounded: numbers that are whole are not. */
static void test_far(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  const int64_t n = 5000;
  g_autofree double *values = sdk_numbers(n * 3, 0, 64, 8);
  for (int64_t i = 0; i < n * 3; i++) values[i] = floor(values[i]) + 4194304;
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(n, 3), values);
  AbTensor *rows = ab_cast(ab_transpose(x, 0, 1), AB_F32);
  g_autofree double *down = sdk_values(ab_variance(x, 1, 1, false));
  g_autofree double *along = sdk_values(ab_variance(rows, 2, 1, false));
  for (int k = 0; k < 3; k++) {
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) mean += values[i * 3 + k] / (double)n;
    for (int64_t i = 0; i < n; i++) squares += pow(values[i * 3 + k] - mean, 2);
    g_assert_cmpfloat_with_epsilon(down[k], squares / (double)(n - 1), 3e-5);
    g_assert_cmpfloat_with_epsilon(along[k], squares / (double)(n - 1), 3e-5);
  }
  sdk_finish(ctx);
}

static const AbShape shapes[] = {DIMS(3, 5, 7),     DIMS(1, 1, 1),     DIMS(2, 3, 1),
                                 DIMS(70, 1, 300),  DIMS(5, 333, 129), DIMS(3, 2, 20000),
                                 DIMS(20000, 2, 3), DIMS(2, 10007, 10)};

static void test_devices(void) {
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++)
    for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++) {
      bool one = (i == 4 && shapes[k].dims[0] == 1) || (i == 6 && ab_shape_count(shapes[k]) == 1);
      if (!one) sdk_compare_devices(&device_cases[i], &shapes[k]);
    }
}

static void test_threads(void) {
  for (size_t k = 4; k < G_N_ELEMENTS(shapes); k++)
    sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), &shapes[k]);
}

/* ---- every order in memory ---------------------------------------------------------------------
 * The result of a tensor must not depend on how it lies: six permutations, plain and sliced. */

static void test_orders(const void *device) {
  static const SdkFunction functions[] = {
      sum_first_of,      sum_middle_of,       sum_last_of,   sum_outer_of,     variance_first_of,
      variance_outer_of, std_middle_of,       max_middle_of, max_outer_of,     norm_2_outer_of,
      norm_1_middle_of,  softmax_0_of,        softmax_1_of,  log_softmax_1_of, logsumexp_1_of,
      cumsum_1_of,       reverse_cumsum_0_of, argmax_0_of,   argmax_1_of,      argmin_1_of};
  static const int32_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (size_t f = 0; f < G_N_ELEMENTS(functions); f++) {
    for (int o = 0; o < 6; o++) {
      for (int sliced = 0; sliced < 2; sliced++) {
        AbContext *ctx = sdk_context(device, AB_F64);
        g_autofree double *values = sdk_numbers(6 * 5 * 9, -3, 3, 4);
        AbTensor *x = sdk_tensor(ctx, AB_SHAPE(6, 5, 9), values);
        if (sliced) x = ab_slice(ab_slice(x, 0, 1, 5), 2, 2, 8);
        /* the same numbers, lying in order o: permuted, made dense, permuted back */
        int32_t back[3];
        for (int i = 0; i < 3; i++) back[orders[o][i]] = i;
        AbTensor *lying = ab_permute(ab_cast(ab_permute(x, 3, orders[o]), AB_F64), 3, back);
        AbTensor *plain = ab_detach(ab_cast(x, AB_F64)), *turned = ab_detach(lying);
        ab_require_grad(plain);
        ab_require_grad(turned);
        AbTensor *a = functions[f](&plain), *b = functions[f](&turned);
        sdk_assert_ok(ctx);
        g_assert_cmpint(ab_rank(a), ==, ab_rank(b));
        g_assert_cmpfloat(sdk_worst_error(b, a, 1), <=, 1e-6);
        if (!ab_requires_grad(a)) {
          sdk_finish(ctx);
          continue;
        }
        ab_backward(ab_sum(ab_square(a)));
        ab_backward(ab_sum(ab_square(b)));
        g_assert_cmpfloat(sdk_worst_error(ab_gradient(turned), ab_gradient(plain), 1), <=, 1e-5);
        sdk_finish(ctx);
      }
    }
  }
}

/* ---- kinks and special values --------------------------------------------------------------- */

static void assert_numbers(AbTensor *x, const double *wanted) {
  g_autofree double *given = sdk_values(x);
  for (int64_t i = 0; i < ab_count(x); i++)
    if (!(given[i] == wanted[i] || (isnan(given[i]) && isnan(wanted[i]))))
      g_error("number %d is %.9g, not %.9g", (int)i, given[i], wanted[i]);
}

static AbTensor *gradient_of(AbTensor *y, AbTensor *x) {
  ab_clear_gradient(x);
  ab_backward(ab_sum(y));
  return ab_gradient(x);
}

static void check_special(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  const double ties[] = {1, 3, 3, 2, 3, 1}, zeros[6] = {0};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 3), ties), *z = sdk_tensor(ctx, AB_SHAPE(2, 3), zeros);
  ab_require_grad(x);
  ab_require_grad(z);
  assert_numbers(gradient_of(ab_max(x), x), (double[]){0, 1, 0, 0, 0, 0});
  assert_numbers(gradient_of(ab_max_axes(x, 2, true), x), (double[]){0, 1, 0, 0, 1, 0});
  assert_numbers(gradient_of(ab_max_axes(x, 1, false), x), (double[]){0, 1, 1, 1, 0, 0});
  assert_numbers(gradient_of(ab_min(x), x), (double[]){1, 0, 0, 0, 0, 0});
  assert_numbers(gradient_of(ab_norm(ab_neg(x), INFINITY, 3, false), x),
                 (double[]){0, 1, 0, 0, 0, 0});
  assert_numbers(gradient_of(ab_norm(z, 2, 2, false), z), zeros);
  assert_numbers(gradient_of(ab_norm(z, 1, 2, false), z), zeros);
  assert_numbers(gradient_of(ab_norm(z, 3, 2, false), z), zeros);
  assert_numbers(gradient_of(ab_std(z, 2, 1, false), z), zeros);
  assert_numbers(ab_argmax(x), (double[]){1, 1});
  assert_numbers(ab_argmax_axis(x, 0), (double[]){1, 0, 0});
  assert_numbers(ab_argmin_axis(x, 0), (double[]){0, 0, 1});
  const double odd[] = {1,         NAN,       3, NAN,      -INFINITY, -INFINITY,
                        -INFINITY, -INFINITY, 2, INFINITY, 1,         0};
  AbTensor *y = sdk_tensor(ctx, AB_SHAPE(3, 4), odd);
  assert_numbers(ab_max_axes(y, 2, false), (double[]){NAN, -INFINITY, INFINITY});
  assert_numbers(ab_min_axes(y, 2, false), (double[]){NAN, -INFINITY, 0});
  assert_numbers(ab_argmax(y), (double[]){1, 0, 1});
  assert_numbers(ab_argmin_axis(y, 1), (double[]){1, 0, 3});
  AbTensor *down = ab_transpose(y, 0, 1); /* the same beside each other */
  AbTensor *columns = ab_cast(down, real);
  assert_numbers(ab_max_axes(columns, 1, false), (double[]){NAN, -INFINITY, INFINITY});
  assert_numbers(ab_argmax_axis(columns, 0), (double[]){1, 0, 1});
  assert_numbers(ab_logsumexp(y, 1, false), (double[]){NAN, -INFINITY, INFINITY});
  assert_numbers(ab_logsumexp(columns, 0, false), (double[]){NAN, -INFINITY, INFINITY});
  assert_numbers(ab_softmax(ab_slice(y, 0, 1, 2)), (double[]){NAN, NAN, NAN, NAN});
  const double masked[] = {-INFINITY, 5, -INFINITY, -INFINITY};
  AbTensor *m = sdk_tensor(ctx, AB_SHAPE(1, 4), masked);
  assert_numbers(ab_softmax(m), (double[]){0, 1, 0, 0});
  assert_numbers(ab_softmax_axis(ab_cast(ab_transpose(m, 0, 1), real), 0), (double[]){0, 1, 0, 0});
  assert_numbers(ab_log_softmax(m), (double[]){-INFINITY, 0, -INFINITY, -INFINITY});
  double far = real == AB_F32 ? 3e38 : 1e308;
  const double wide[] = {far, -far};
  assert_numbers(ab_softmax(sdk_tensor(ctx, AB_SHAPE(1, 2), wide)), (double[]){1, 0});
  if (real == AB_F32) { /* squares are summed in f64 */
    double norm =
        ab_item(ab_norm(sdk_tensor(ctx, AB_SHAPE(2), (double[]){3e30, 4e30}), 2, 1, false));
    g_assert_cmpfloat(fabs(norm / 5e30 - 1), <, 1e-7);
  }
  assert_numbers(ab_cumulative_sum(x, 1, false), (double[]){1, 4, 7, 2, 5, 6});
  assert_numbers(ab_cumulative_sum(x, 0, true), (double[]){3, 6, 4, 2, 3, 1});
  sdk_finish(ctx);
}

static void test_special(const void *device) {
  check_special(device, AB_F32);
  check_special(device, AB_F64);
}

/* ---- empty, errors, dry runs ---------------------------------------------------------------- */

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const double zeros[3] = {0};
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(0, 3));
  ab_require_grad(x);
  assert_numbers(ab_sum_axes(x, 1, false), zeros);
  assert_numbers(ab_norm(x, 2, 1, false), zeros);
  assert_numbers(ab_norm(x, INFINITY, 1, true), zeros);
  g_assert_cmpint(ab_count(ab_max_axes(x, 2, false)), ==, 0);
  g_assert_cmpint(ab_count(ab_variance(x, 2, 1, false)), ==, 0);
  g_assert_cmpint(ab_count(ab_softmax(x)), ==, 0);
  g_assert_cmpint(ab_count(ab_logsumexp(x, 1, true)), ==, 0);
  g_assert_cmpint(ab_count(ab_argmax(x)), ==, 0);
  g_assert_cmpint(ab_count(ab_cumulative_sum(x, 0, false)), ==, 0);
  AbTensor *all = ab_add(ab_sum(ab_softmax(x)), ab_sum(ab_max_axes(x, 2, false)));
  all = ab_add(all, ab_add(ab_sum(ab_variance(x, 2, 1, false)), ab_sum(ab_norm(x, 2, 1, false))));
  ab_backward(ab_add(all, ab_sum(ab_std(x, 2, 1, true))));
  g_assert_cmpint(ab_count(ab_gradient(x)), ==, 0);
  sdk_finish(ctx);
}

static void test_errors(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *empty = ab_zeros(ctx, AB_SHAPE(2, 0));
  AbTensor *whole = ab_full(ctx, AB_I64, AB_SHAPE(2, 3), 1);
#define WRONG(call, ...) \
  g_assert_null(call);   \
  sdk_assert_error(ctx, AB_CONFIG, __VA_ARGS__, NULL)
  WRONG(ab_sum_axes(x, 4, false), "sum", "0x4", "f32 [2, 3]");
  WRONG(ab_max_axes(x, 8, false), "max", "0x8");
  WRONG(ab_min_axes(x, 8, false), "min", "0x8");
  WRONG(ab_variance(x, 4, 1, false), "variance", "0x4");
  WRONG(ab_norm(x, 2, 4, false), "norm", "0x4");
  WRONG(ab_sum(whole), "sum", "i64 [2, 3]");
  WRONG(ab_max(whole), "max", "i64 [2, 3]");
  WRONG(ab_argmin_axis(whole, 0), "argmin", "i64 [2, 3]");
  WRONG(ab_softmax_axis(whole, 0), "softmax", "i64 [2, 3]");
  WRONG(ab_max_axes(empty, 2, false), "max", "nothing", "f32 [2, 0]");
  WRONG(ab_min(empty), "min", "nothing");
  WRONG(ab_argmax(empty), "argmax", "nothing");
  WRONG(ab_mean(empty), "mean", "nothing");
  WRONG(ab_softmax(empty), "softmax", "axis 1", "f32 [2, 0]");
  WRONG(ab_logsumexp(empty, 1, false), "logsumexp", "axis 1");
  WRONG(ab_softmax_axis(x, 2), "softmax", "no such axis");
  WRONG(ab_log_softmax_axis(x, -3), "log_softmax", "no such axis");
  WRONG(ab_logsumexp(x, 2, false), "logsumexp", "no such axis");
  WRONG(ab_cumulative_sum(x, 2, false), "cumulative_sum", "no such axis");
  WRONG(ab_argmax_axis(x, 2), "argmax", "no such axis");
  WRONG(ab_argmax(ab_zeros(ctx, ab_scalar_shape())), "argmax", "no such axis");
  WRONG(ab_variance(x, 1, 2, false), "variance", "2 numbers", "correction of 2");
  WRONG(ab_std(x, 1, -1, false), "std", "correction of -1");
  WRONG(ab_variance(x, 1, NAN, false), "variance");
  WRONG(ab_norm(x, 0.5, 1, false), "norm", "0.5");
  WRONG(ab_norm(x, NAN, 1, false), "norm", "nan");
  g_assert_null(ab_max(NULL));
  g_assert_null(ab_min(AB_NONE));
  g_assert_null(ab_variance(NULL, 1, 1, false));
  g_assert_null(ab_norm(NULL, 2, 1, false));
  g_assert_null(ab_softmax_axis(NULL, 0));
  g_assert_null(ab_logsumexp(NULL, 0, false));
  g_assert_null(ab_cumulative_sum(NULL, 0, false));
  g_assert_null(ab_argmax_axis(NULL, 0));
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/reductions/first", test_first);
  sdk_add("/reductions/second", test_second);
  g_test_add_func("/reductions/golden", test_golden);
  g_test_add_func("/reductions/devices", test_devices);
  g_test_add_func("/reductions/threads", test_threads);
  g_test_add_func("/reductions/far", test_far);
  sdk_add("/reductions/orders", test_orders);
  sdk_add("/reductions/special", test_special);
  sdk_add("/reductions/empty", test_empty);
  g_test_add_func("/reductions/errors", test_errors);
  return g_test_run();
}
