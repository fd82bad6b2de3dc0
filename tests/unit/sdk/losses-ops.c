/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses: derivatives, devices against each other, PyTorch's values, edges and errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

#define FORMS(name, call_of)                            \
  static AbTensor *name##_each_of(AbTensor *const *x) { \
    return call_of(AB_LOSS_EACH);                       \
  }                                                     \
  static AbTensor *name##_mean_of(AbTensor *const *x) { \
    return call_of(AB_LOSS_MEAN);                       \
  }                                                     \
  static AbTensor *name##_sum_of(AbTensor *const *x) {  \
    return call_of(AB_LOSS_SUM);                        \
  }
#define L1(form)            ab_l1_loss(x[0], x[1], form)
#define SQUARED(form)       ab_squared_error(x[0], x[1], form)
#define HUBER(form)         ab_huber(x[0], x[1], 1.3, form)
#define SMOOTH(form)        ab_smooth_l1(x[0], x[1], 0.7, form)
#define TUKEY(form)         ab_tukey_biweight(x[0], x[1], 2, form)
#define LOG_COSH(form)      ab_log_cosh(x[0], x[1], form)
#define HINGE(form)         ab_hinge(x[0], x[1], form)
#define SQUARED_HINGE(form) ab_squared_hinge(x[0], x[1], form)
#define POISSON(form)       ab_poisson_nll(x[0], x[1], form)
#define KL(form)            ab_kl_divergence(x[0], x[1], form)
#define KL_LOG(form)        ab_kl_divergence_log(x[0], x[1], form)
#define KL_NORMAL(form)     ab_kl_normal(x[0], x[1], form)
#define BCE(form)           ab_binary_cross_entropy_reduced(x[0], x[1], form)
#define BCE_LOGITS(form)    ab_binary_cross_entropy_logits(x[0], x[1], form)
FORMS(l1, L1)
FORMS(squared, SQUARED)
FORMS(huber, HUBER)
FORMS(smooth, SMOOTH)
FORMS(tukey, TUKEY)
FORMS(log_cosh, LOG_COSH)
FORMS(hinge, HINGE)
FORMS(squared_hinge, SQUARED_HINGE)
FORMS(poisson, POISSON)
FORMS(kl, KL)
FORMS(kl_log, KL_LOG)
FORMS(kl_normal, KL_NORMAL)
FORMS(bce, BCE)
FORMS(bce_logits, BCE_LOGITS)

/* Labels that depend on the shape alone. */
static AbTensor *labels_for(AbTensor *z) {
  int64_t n = ab_dim(z, 0), classes = ab_dim(z, 1);
  AbTensor *labels = ab_empty(ab_context_of(z), AB_I64, AB_SHAPE(n));
  int64_t *label = ab_map(labels, true);
  for (int64_t i = 0; i < n; i++) label[i] = (5 * i + 2) % classes;
  ab_unmap(labels);
  return labels;
}
static AbTensor *weights_for(AbTensor *z) {
  int64_t classes = ab_dim(z, 1);
  g_autofree double *w = g_new(double, classes);
  for (int64_t c = 0; c < classes; c++) w[c] = (double)(c % 4) * 0.5;
  return sdk_tensor_of(ab_context_of(z), ab_dtype(z), AB_SHAPE(classes), w);
}
FUNCTION(cross_entropy, ab_cross_entropy(x[0], labels_for(x[0])))
FUNCTION(smoothed, ab_cross_entropy_weighted(x[0], labels_for(x[0]), AB_NONE, 0.2))
FUNCTION(weighted, ab_cross_entropy_weighted(x[0], labels_for(x[0]), weights_for(x[0]), 0.1))
FUNCTION(nll, ab_nll(x[0], labels_for(x[0])))
BINARY(cross_entropy_soft)
BINARY(root_mean_square)
BINARY(cosine_similarity)

/* ---- derivatives ----------------------------------------------------------------------------- */

#define MATRIX DIMS(5, 7)
#define PAIR(name, low, high)                                            \
  {#name "-each", name##_each_of, 2, {MATRIX, MATRIX}, low, high},       \
      {#name "-mean", name##_mean_of, 2, {MATRIX, MATRIX}, low, high}, { \
#name "-sum", name##_sum_of, 2, {MATRIX, MATRIX }, low, high         \
  }
static const SdkGradientCase gradients[] = {
    PAIR(l1, -2, 2),
    PAIR(squared, -2, 2),
    PAIR(huber, -2, 2),
    PAIR(smooth, -2, 2),
    PAIR(tukey, -2, 2),
    PAIR(log_cosh, -2, 2),
    PAIR(hinge, -2, 2),
    PAIR(squared_hinge, -2, 2),
    PAIR(poisson, -2, 2),
    PAIR(kl, 0.1, 0.9),
    PAIR(kl_log, 0.1, 0.9),
    PAIR(kl_normal, -2, 2),
    PAIR(bce, 0.1, 0.9),
    PAIR(bce_logits, -2, 2),
    {"cross-entropy", cross_entropy_of, 1, {MATRIX}, -2, 2},
    {"smoothed", smoothed_of, 1, {MATRIX}, -2, 2},
    {"weighted", weighted_of, 1, {MATRIX}, -2, 2},
    {"soft", cross_entropy_soft_of, 2, {MATRIX, MATRIX}, -2, 2},
    {"nll", nll_of, 1, {MATRIX}, -2, 2},
    {"rms", root_mean_square_of, 2, {DIMS(3, 4, 2), DIMS(3, 4, 2)}, -2, 2},
    {"cosine", cosine_similarity_of, 2, {DIMS(3, 2, 4), DIMS(3, 2, 4)}, 0.2, 2},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, gradients, G_N_ELEMENTS(gradients));
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients));
}

/* ---- devices --------------------------------------------------------------------------------- */

static const SdkDeviceCase devices[] = {
    {"l1", l1_each_of, 2, -9, 9, 1, 1, 1, 1},
    {"squared", squared_each_of, 2, -9, 9, 2, 1, 2, 1},
    {"squared-mean", squared_mean_of, 2, -9, 9, 2, 1, 3, 1e-5},
    {"huber", huber_each_of, 2, -9, 9, 2, 1, 2, 1},
    {"tukey", tukey_each_of, 2, -3, 3, 4, 1, 6, 1},
    {"log-cosh", log_cosh_each_of, 2, -9, 9, 4, 1, 4, 1},
    {"hinge", hinge_each_of, 2, -9, 9, 2, 81, 2, 1},
    {"squared-hinge", squared_hinge_each_of, 2, -9, 9, 4, 81, 4, 81},
    {"poisson", poisson_each_of, 2, -9, 9, 3, 81, 3, 9},
    {"kl", kl_each_of, 2, 0.01, 1, 4, 1, 4, 5},
    {"kl-log", kl_log_each_of, 2, 0.01, 1, 4, 1, 4, 5},
    {"kl-normal", kl_normal_each_of, 2, -9, 9, 4, 1, 4, 1},
    {"kl-normal-sum", kl_normal_sum_of, 2, -9, 9, 4, 1, 4, 1},
    {"bce", bce_each_of, 2, 0.01, 0.99, 4, 1, 4, 1},
    {"bce-logits", bce_logits_each_of, 2, -9, 9, 4, 9, 4, 1, 2},
    {"bce-logits-sum", bce_logits_sum_of, 2, -9, 9, 4, 1, 4, 1, 2},
    {"cross-entropy", cross_entropy_of, 1, -9, 9, 3, 1, 4, 1},
    {"smoothed", smoothed_of, 1, -9, 9, 4, 9, 4, 1},
    {"weighted", weighted_of, 1, -9, 9, 4, 9, 4, 1},
    {"soft", cross_entropy_soft_of, 2, -9, 9, 8, 400, 2, 400},
    {"nll", nll_of, 1, -9, 9, 0, 0, 0, 0},
    {"rms", root_mean_square_of, 2, -9, 9, 2, 0, 6, 0.01},
    {"cosine", cosine_similarity_of, 2, -9, 9, 4, 1, 6, 0.1},
};

static void test_devices(void) {
  const AbShape matrices[] = {AB_SHAPE(1, 1), AB_SHAPE(3, 17), AB_SHAPE(37, 61), AB_SHAPE(5, 9001)};
  for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(matrices); k++) {
      const AbShape shapes[] = {matrices[k], matrices[k]};
      /* of one number: the sign of a cosine, whose slope is what rounding leaves of 0 */
      if (devices[i].f == cosine_similarity_of && k == 0) continue;
      sdk_compare_devices(&devices[i], shapes);
    }
  }
}

static void test_threads(void) {
  const AbShape shapes[] = {AB_SHAPE(131, 1003), AB_SHAPE(131, 1003)};
  sdk_check_threads(devices, G_N_ELEMENTS(devices), shapes);
}

/* ---- golden ---------------------------------------------------------------------------------- */

static AbTensor *golden_weights(AbTensor *z) {
  const double w[] = {0.5, 1, 2, 0.25, 1.5, 0, 3};
  return sdk_tensor_of(ab_context_of(z), ab_dtype(z), AB_SHAPE(7), w);
}
FUNCTION(golden_entropy, ab_cross_entropy(x[0], x[1]))
FUNCTION(golden_smoothed, ab_cross_entropy_weighted(x[0], x[1], AB_NONE, 0.2))
FUNCTION(golden_weighted, ab_cross_entropy_weighted(x[0], x[1], golden_weights(x[0]), 0.1))
FUNCTION(golden_nll, ab_nll(x[0], x[1]))

static const SdkGoldenCase golden[] = {
    {"l1-none", l1_each_of},
    {"squared-none", squared_each_of},
    {"squared-mean", squared_mean_of},
    {"squared-sum", squared_sum_of},
    {"huber-none", huber_each_of},
    {"smooth-l1-none", smooth_each_of},
    {"smooth-l1-mean", smooth_mean_of},
    {"tukey-none", tukey_each_of},
    {"log-cosh-none", log_cosh_each_of},
    {"hinge-none", hinge_each_of},
    {"squared-hinge-none", squared_hinge_each_of},
    {"poisson-none", poisson_each_of},
    {"kl-none", kl_each_of},
    {"kl-log-none", kl_log_each_of},
    {"kl-normal-none", kl_normal_each_of},
    {"bce-none", bce_each_of},
    {"bce-logits-none", bce_logits_each_of},
    {"bce-logits-mean", bce_logits_mean_of},
    {"bce-logits-sum", bce_logits_sum_of},
    {"cross-entropy", golden_entropy_of},
    {"smoothed", golden_smoothed_of},
    {"weighted", golden_weighted_of},
    {"soft", cross_entropy_soft_of},
    {"nll", golden_nll_of},
    {"rms", root_mean_square_of},
    {"cosine", cosine_similarity_of},
};

static void test_golden(void) {
  sdk_check_golden("losses", golden, G_N_ELEMENTS(golden));
}

/* ---- edges ----------------------------------------------------------------------------------- */

typedef AbTensor *(*Pair)(AbTensor *a, AbTensor *b, AbLossForm form);

/* f(a, b), and its slopes, by hand. */
static void check_at(AbContext *ctx, SdkFunction f, double a, double b, double value,
                     double slope_a, double slope_b) {
  AbTensor *x[] = {sdk_tensor(ctx, AB_SHAPE(1), &a), sdk_tensor(ctx, AB_SHAPE(1), &b)};
  ab_require_grad(x[0]);
  ab_require_grad(x[1]);
  AbTensor *y = f(x);
  double given = ab_item(y), wanted[] = {slope_a, slope_b};
  ab_backward(ab_sum(y));
  sdk_assert_ok(ctx);
  if (isnan(value)) {
    g_assert_true(isnan(given));
    return;
  }
  if (isinf(value))
    g_assert_cmpfloat(given, ==, value);
  else
    g_assert_cmpfloat_with_epsilon(given, value, 1e-12 * fmax(1, fabs(value)));
  for (int i = 0; i < 2; i++)
    g_assert_cmpfloat_with_epsilon(ab_item(ab_gradient(x[i])), wanted[i],
                                   1e-12 * fmax(1, fabs(wanted[i])));
}

static void test_kinks(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  check_at(ctx, l1_each_of, 2, 2, 0, 0, 0);
  check_at(ctx, huber_each_of, 1.3, 0, 0.845, 1.3, -1.3);
  check_at(ctx, huber_each_of, -10, 0, 1.3 * (10 - 0.65), -1.3, 1.3);
  check_at(ctx, smooth_each_of, 5, 0, 4.65, 1, -1);
  check_at(ctx, tukey_each_of, 2, 0, 4 / 6.0, 0, 0);
  check_at(ctx, tukey_each_of, 1e200, 0, 4 / 6.0, 0, 0);
  check_at(ctx, tukey_each_of, 1, 0, (1 - 27 / 64.0) * 4 / 6, 9 / 16.0, -9 / 16.0);
  check_at(ctx, log_cosh_each_of, 1e3, 0, 1e3 - log(2), 1, -1);
  check_at(ctx, log_cosh_each_of, 1e-9, 0, 5e-19, 1e-9, -1e-9);
  check_at(ctx, hinge_each_of, 1, 1, 0, 0, 0);
  check_at(ctx, hinge_each_of, 0.25, -1, 1.25, 1, -0.25);
  check_at(ctx, squared_hinge_each_of, 3, 1, 0, 0, 0);
  check_at(ctx, kl_each_of, 0.5, 0, 0, 0, 0);
  check_at(ctx, kl_each_of, 0, 0.5, 0.5 * (log(0.5) - log(1e-15)), -0.5e15,
           log(0.5) - log(1e-15) + 1);
  check_at(ctx, kl_log_each_of, -800, 0.5, 0.5 * (log(0.5) + 800), -0.5, log(0.5) + 801);
  check_at(ctx, kl_normal_each_of, 0, 0, 0, 0, 0);
  check_at(ctx, kl_normal_each_of, 0, 1e-8, 2.5e-17, 0, 5e-9);
  check_at(ctx, bce_logits_each_of, 800, 0, 800, 1, -800);
  check_at(ctx, bce_logits_each_of, -800, 0, 0, 0, 800);
  check_at(ctx, bce_each_of, 1.5, 0.5, NAN, 0, 0);
  check_at(ctx, bce_each_of, -0.1, 0.5, NAN, 0, 0);
  SdkFunction every[] = {l1_each_of,        squared_each_of,  huber_each_of,
                         tukey_each_of,     hinge_each_of,    squared_hinge_each_of,
                         poisson_each_of,   log_cosh_each_of, kl_log_each_of,
                         kl_normal_each_of, bce_each_of,      bce_logits_each_of};
  for (size_t i = 0; i < G_N_ELEMENTS(every); i++) check_at(ctx, every[i], NAN, 0.5, NAN, 0, 0);
  sdk_finish(ctx);
}

/* A length of 0 has no direction: nothing, and not NaN. */
static void test_zero_lengths(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *a = ab_zeros(ctx, AB_SHAPE(2, 3)), *b = ab_full(ctx, AB_F64, AB_SHAPE(2, 3), 0);
  ab_require_grad(a);
  ab_backward(ab_sum(ab_root_mean_square(a, b)));
  g_autofree double *slopes = sdk_values(ab_gradient(a));
  for (int i = 0; i < 6; i++) g_assert_cmpfloat(slopes[i], ==, 0);
  ab_clear_gradient(a);
  AbTensor *one = ab_full(ctx, AB_F64, AB_SHAPE(2, 3), 2);
  AbTensor *y = ab_cosine_similarity(a, one);
  ab_backward(ab_sum(y));
  g_autofree double *values = sdk_values(y), *toward = sdk_values(ab_gradient(a));
  g_assert_cmpfloat(values[0], ==, 0);
  for (int i = 0; i < 6; i++)
    g_assert_cmpfloat_with_epsilon(toward[i] * 1e-8, 1 / sqrt(3), 1e-12); /* b / (|b| 1e-8) */
  sdk_finish(ctx);
}

/* ---- errors and shapes ----------------------------------------------------------------------- */

static const struct {
  Pair f;
  const char *name;
} pairs[] = {
    {ab_l1_loss, "l1_loss"},
    {ab_squared_error, "squared_error"},
    {ab_log_cosh, "log_cosh"},
    {ab_hinge, "hinge"},
    {ab_squared_hinge, "squared_hinge"},
    {ab_poisson_nll, "poisson_nll"},
    {ab_kl_divergence, "kl_divergence"},
    {ab_kl_divergence_log, "kl_divergence_log"},
    {ab_kl_normal, "kl_normal"},
    {ab_binary_cross_entropy_reduced, "binary_cross_entropy"},
    {ab_binary_cross_entropy_logits, "binary_cross_entropy"},
};

static void test_pair_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *wide = ab_zeros(ctx, AB_SHAPE(1, 3));
  AbTensor *far = ab_zeros(other, AB_SHAPE(2, 3)), *none = ab_zeros(ctx, AB_SHAPE(0, 3));
  for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
    Pair f = pairs[i].f;
    const char *name = pairs[i].name;
    g_assert_null(f(NULL, x, AB_LOSS_EACH));
    g_assert_null(f(x, NULL, AB_LOSS_EACH));
    sdk_assert_ok(ctx);
    g_assert_null(f(x, AB_NONE, AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_INTERNAL, name, "AB_NONE", NULL);
    g_assert_null(f(x, wide, AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, name, "f64 [2, 3]", "f64 [1, 3]", NULL);
    g_assert_null(f(x, ab_cast(x, AB_F32), AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, name, "f32 [2, 3]", NULL);
    g_assert_null(f(x, ab_cast(x, AB_I64), AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, name, "i64 [2, 3]", NULL);
    g_assert_null(f(x, far, AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_INTERNAL, name, "two contexts", NULL);
    g_assert_null(f(x, x, 3));
    sdk_assert_error(ctx, AB_INTERNAL, name, "form 3", NULL);
    g_assert_null(f(none, none, AB_LOSS_MEAN));
    sdk_assert_error(ctx, AB_CONFIG, name, "nothing to average", "f64 [0, 3]", NULL);
    g_assert_cmpint(ab_count(f(none, none, AB_LOSS_EACH)), ==, 0);
    g_assert_cmpfloat(ab_item(f(none, none, AB_LOSS_SUM)), ==, 0);
    sdk_assert_ok(ctx);
  }
  const double bad[] = {0, -1, NAN, INFINITY};
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_assert_null(ab_huber(x, x, bad[i], AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, "huber", "delta", NULL);
    g_assert_null(ab_smooth_l1(x, x, bad[i], AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, "smooth_l1", "beta", NULL);
    g_assert_null(ab_tukey_biweight(x, x, bad[i], AB_LOSS_EACH));
    sdk_assert_error(ctx, AB_CONFIG, "tukey_biweight", "c must", NULL);
  }
  sdk_finish(other);
  sdk_finish(ctx);
}

/* A sum names what is no probability; a NaN of a run that diverges passes. */
static void test_no_probability(const void *device) {
  const AbDtype reals[] = {AB_F64, AB_F32};
  for (int i = 0; i < 2; i++) {
    AbContext *ctx = sdk_context(device, reals[i]);
    AbTensor *t = ab_zeros(ctx, AB_SHAPE(3));
    AbTensor *p = sdk_tensor(ctx, AB_SHAPE(3), (double[]){0.5, 1.25, 0});
    g_assert_null(ab_binary_cross_entropy_reduced(p, t, AB_LOSS_MEAN));
    sdk_assert_error(ctx, AB_DATA, "binary_cross_entropy", "1.25", "probability", NULL);
    p = sdk_tensor(ctx, AB_SHAPE(3), (double[]){0.5, NAN, 0});
    g_assert_true(isnan(ab_item(ab_binary_cross_entropy_reduced(p, t, AB_LOSS_SUM))));
    sdk_finish(ctx);
  }
}

static void test_class_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *z = ab_zeros(ctx, AB_SHAPE(2, 3)), *labels = ab_full(ctx, AB_I64, AB_SHAPE(2), 1);
  AbTensor *high = ab_full(ctx, AB_I64, AB_SHAPE(2), 3);
  g_assert_null(ab_cross_entropy_weighted(z, labels, AB_NONE, 1.5));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "smoothing", "1.5", NULL);
  g_assert_null(ab_cross_entropy_weighted(z, labels, AB_NONE, NAN));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "smoothing", NULL);
  g_assert_null(ab_cross_entropy_weighted(z, labels, ab_zeros(ctx, AB_SHAPE(2)), 0));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy", "3 classes", "f64 [2]", NULL);
  g_assert_null(ab_cross_entropy_weighted(z, labels, NULL, 0));
  g_assert_null(ab_cross_entropy_weighted(z, high, AB_NONE, 0));
  sdk_assert_error(ctx, AB_DATA, "label 3", "row 0", NULL);
  g_assert_null(ab_cross_entropy_soft(z, ab_zeros(ctx, AB_SHAPE(2, 2))));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy_soft", "[2, 3]", "[2, 2]", NULL);
  g_assert_null(ab_cross_entropy_soft(ab_zeros(ctx, AB_SHAPE(2)), ab_zeros(ctx, AB_SHAPE(2))));
  sdk_assert_error(ctx, AB_CONFIG, "cross_entropy_soft", "f64 [2]", NULL);
  g_assert_null(ab_nll(z, high));
  sdk_assert_error(ctx, AB_DATA, "nll", "label 3", NULL);
  g_assert_null(ab_nll(labels, labels));
  sdk_assert_error(ctx, AB_CONFIG, "nll", "i64 [2]", NULL);
  g_assert_null(ab_nll(z, NULL));
  g_assert_null(ab_cross_entropy_soft(z, NULL));
  g_assert_cmpint(
      ab_count(ab_nll(ab_zeros(ctx, AB_SHAPE(0, 3)), ab_full(ctx, AB_I64, AB_SHAPE(0), 0))), ==, 0);
  /* far out, and a target of no weight at a logit of -inf */
  AbTensor *wide = sdk_tensor(ctx, AB_SHAPE(1, 3), (double[]){1e4, -INFINITY, 0});
  AbTensor *t = sdk_tensor(ctx, AB_SHAPE(1, 3), (double[]){0.75, 0, 0.25});
  g_assert_cmpfloat(ab_item(ab_cross_entropy_soft(wide, t)), ==, 2500);
  sdk_finish(ctx);
}

static void test_row_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *y = ab_zeros(ctx, AB_SHAPE(2, 2));
  AbTensor *scalar = ab_zeros(ctx, ab_scalar_shape()), *thin = ab_zeros(ctx, AB_SHAPE(2, 0));
  AbTensor *(*const rows[])(AbTensor *, AbTensor *) = {ab_root_mean_square, ab_cosine_similarity};
  const char *const names[] = {"root_mean_square", "cosine_similarity"};
  for (int i = 0; i < 2; i++) {
    g_assert_null(rows[i](x, y));
    sdk_assert_error(ctx, AB_CONFIG, names[i], "[2, 3]", "[2, 2]", NULL);
    g_assert_null(rows[i](scalar, scalar));
    sdk_assert_error(ctx, AB_CONFIG, names[i], "axis", NULL);
    g_assert_null(rows[i](x, NULL));
    g_assert_null(rows[i](NULL, x));
    g_assert_cmpint(ab_count(rows[i](ab_zeros(ctx, AB_SHAPE(0, 3)), ab_zeros(ctx, AB_SHAPE(0, 3)))),
                    ==, 0);
    sdk_assert_ok(ctx);
  }
  g_assert_null(ab_root_mean_square(thin, thin));
  sdk_assert_error(ctx, AB_CONFIG, "root_mean_square", "nothing", NULL);
  g_assert_cmpfloat(ab_item(ab_sum(ab_cosine_similarity(thin, thin))), ==, 0);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/losses/gradients", test_gradients);
  sdk_add("/losses/second-derivatives", test_second);
  g_test_add_func("/losses/devices", test_devices);
  g_test_add_func("/losses/threads", test_threads);
  g_test_add_func("/losses/golden", test_golden);
  sdk_add("/losses/kinks", test_kinks);
  sdk_add("/losses/zero-lengths", test_zero_lengths);
  sdk_add("/losses/pair-errors", test_pair_errors);
  sdk_add("/losses/no-probability", test_no_probability);
  sdk_add("/losses/class-errors", test_class_errors);
  sdk_add("/losses/row-errors", test_row_errors);
  return g_test_run();
}
