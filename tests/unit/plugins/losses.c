/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses: values against double loops, gradients against closed forms, and what they refuse.    */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define ROWS  5
#define WIDTH 6 /* of a sample [2, 3] */

static AbTensor *leaf(AbContext *ctx, AbShape shape, const double *values) {
  AbTensor *x = plugin_test_tensor(ctx, shape, values);

  ab_require_grad(x);
  return x;
}

/* The loss of `output`, its value and its gradient with respect to `x`, a leaf. */
static void check_loss(AbLoss *loss, AbTensor *output, AbTensor *target, double value, AbTensor *x,
                       const double *gradient, double tolerance) {
  AbTensor *got = ab_loss_value(loss, output, target);

  plugin_test_fine(ab_context(loss));
  g_assert_nonnull(got);
  g_assert_cmpint(ab_rank(got), ==, 0);
  plugin_test_close(ab_item(got), value, tolerance);
  ab_clear_gradient(x);
  ab_backward(got);
  plugin_test_near(ab_gradient(x), gradient, ab_count(x), tolerance);
}

/* ---- squared error --------------------------------------------------------------------------- */

static void test_mse(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  g_autofree double *y = plugin_test_numbers(ROWS * WIDTH, -2, 2, 1);
  g_autofree double *t = plugin_test_numbers(ROWS * WIDTH, -2, 2, 2);
  AbTensor *output = leaf(ctx, AB_SHAPE(ROWS, 2, 3), y);
  AbTensor *target = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 3), t);

  for (int sum = 0; sum < 2; sum++) {
    double value = 0, slope[ROWS * WIDTH], per = sum ? ROWS : ROWS * WIDTH;

    for (gint64 i = 0; i < ROWS * WIDTH; i++) {
      value += (y[i] - t[i]) * (y[i] - t[i]) / per;
      slope[i] = 2 * (y[i] - t[i]) / per;
    }
    plugin_test_set_choice(loss, "reduction", sum ? "sum" : "mean");
    check_loss(loss, output, target, value, output, slope, at->exact);
  }
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

static void test_mse_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  const double zeros[9] = {0};

  ab_loss_check(loss, &three, &three);
  plugin_test_fine(ctx);
  ab_loss_check(loss, &three, &label);
  plugin_test_error(ctx, AB_CONFIG, "loss (mse): *class*cross-entropy*");
  g_assert_null(ab_loss_value(loss, plugin_test_tensor(ctx, AB_SHAPE(3, 1), zeros),
                              plugin_test_tensor(ctx, AB_SHAPE(3), zeros))); /* would broadcast */
  plugin_test_error(ctx, AB_CONFIG, "loss (mse): *[3, 1]*[3]*");
  g_assert_null(ab_loss_value(loss, plugin_test_tensor(ctx, AB_SHAPE(3, 3), zeros),
                              plugin_test_tensor(ctx, AB_SHAPE(3, 2), zeros)));
  plugin_test_error(ctx, AB_CONFIG, "loss (mse): *");
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* ---- cross-entropy of bits ------------------------------------------------------------------- */

/* Of probabilities that no sigmoid gave. */
static void test_bce(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "binary-cross-entropy");
  g_autofree double *y = plugin_test_numbers(ROWS * WIDTH, 0.05, 0.95, 3);
  g_autofree double *t = plugin_test_numbers(ROWS * WIDTH, 0, 1, 4);
  AbTensor *output, *target;

  t[0] = 0; /* the edges of the target's range, and a target in the middle */
  t[1] = 1;
  output = leaf(ctx, AB_SHAPE(ROWS, 2, 3), y);
  target = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 3), t);
  for (int sum = 0; sum < 2; sum++) {
    double value = 0, slope[ROWS * WIDTH], per = sum ? ROWS : ROWS * WIDTH;

    for (gint64 i = 0; i < ROWS * WIDTH; i++) {
      value -= (t[i] * log(y[i]) + (1 - t[i]) * log(1 - y[i])) / per;
      slope[i] = -(t[i] / y[i] - (1 - t[i]) / (1 - y[i])) / per;
    }
    plugin_test_set_choice(loss, "reduction", sum ? "sum" : "mean");
    check_loss(loss, output, target, value, output, slope, 10 * at->exact);
  }
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* log(1 + exp(x)) for the test's own use. */
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* Of a sigmoid, reshaped as an MLP does it: exact far out, where the sigmoid rounds to 0 or 1. */
static void test_bce_of_sigmoid(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "binary-cross-entropy");
  const double x[6] = {-200, -50, -1, 0.5, 60, 300}, t[6] = {1, 0.25, 0, 0.75, 0, 1};
  AbTensor *z = leaf(ctx, AB_SHAPE(2, 3), x);
  AbTensor *output = ab_reshape(ab_sigmoid(z), AB_SHAPE(2, 3, 1));
  double value = 0, slope[6];

  for (gint64 i = 0; i < 6; i++) {
    value += (t[i] * softplus(-x[i]) + (1 - t[i]) * softplus(x[i])) / 6;
    slope[i] = (1 / (1 + exp(-x[i])) - t[i]) / 6;
  }
  check_loss(loss, output, plugin_test_tensor(ctx, AB_SHAPE(2, 3, 1), t), value, z, slope,
             at->exact);
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

static void test_bce_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "binary-cross-entropy");
  AbSpec unit = plugin_test_spec(ctx, AB_RANGE_UNIT, 3, 0, 0);
  AbSpec bits = plugin_test_spec(ctx, AB_RANGE_BINARY, 3, 0, 0);
  AbSpec real = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  const double zeros[9] = {0};

  ab_loss_check(loss, &unit, &unit);
  ab_loss_check(loss, &unit, &bits);
  plugin_test_fine(ctx);
  ab_loss_check(loss, &unit, &real);
  plugin_test_error(ctx, AB_CONFIG, "loss (binary-cross-entropy): *between 0 and 1*scale*mse*");
  ab_loss_check(loss, &unit, &label);
  plugin_test_error(ctx, AB_CONFIG, "loss (binary-cross-entropy): *between 0 and 1*");
  g_assert_null(ab_loss_value(loss, plugin_test_tensor(ctx, AB_SHAPE(3, 1), zeros),
                              plugin_test_tensor(ctx, AB_SHAPE(3), zeros)));
  plugin_test_error(ctx, AB_CONFIG, "loss (binary-cross-entropy): *");
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* ---- cross-entropy of classes ---------------------------------------------------------------- */

#define CLASSES 4

static void test_cross_entropy(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "cross-entropy");
  g_autofree double *z = plugin_test_numbers(ROWS * CLASSES, -3, 3, 6);
  const double labels[ROWS] = {0, 3, 1, 3, 2};
  double value = 0, slope[ROWS * CLASSES];
  AbTensor *logits;

  for (gint64 j = 0; j < CLASSES; j++) z[CLASSES + j] = 256 * z[CLASSES + j]; /* exp overflows */
  z[CLASSES] = 700;
  for (gint64 i = 0; i < ROWS; i++) {
    const double *row = z + i * CLASSES;
    double most = row[0], sum = 0;

    for (gint64 j = 1; j < CLASSES; j++) most = fmax(most, row[j]);
    for (gint64 j = 0; j < CLASSES; j++) sum += exp(row[j] - most);
    value += (most + log(sum) - row[(gint64)labels[i]]) / ROWS;
    for (gint64 j = 0; j < CLASSES; j++)
      slope[i * CLASSES + j] = (exp(row[j] - most) / sum - (j == (gint64)labels[i])) / ROWS;
  }
  logits = leaf(ctx, AB_SHAPE(ROWS, CLASSES), z);
  check_loss(loss, logits, plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(ROWS), labels), value,
             logits, slope, at->exact);
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* A class at each of several places of a sample: as if the places were samples. */
static void test_cross_entropy_places(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "cross-entropy");
  enum { N = 3, T = 2, U = 2, PLACES = N * T * U };
  g_autofree double *z = plugin_test_numbers(PLACES * CLASSES, -3, 3, 61);
  const double labels[PLACES] = {0, 3, 1, 3, 2, 2, 0, 1, 1, 3, 0, 2}, weights[] = {1, 0.5, 2, 3};
  double value = 0, weighted = 0, total = 0, slope[PLACES * CLASSES];
  AbTensor *logits, *target;

  for (gint64 i = 0; i < PLACES; i++) {
    const double *row = z + i * CLASSES;
    gint64 label = (gint64)labels[i];
    double sum = 0;

    for (gint64 j = 0; j < CLASSES; j++) sum += exp(row[j]);
    value += (log(sum) - row[label]) / PLACES;
    weighted += weights[label] * (log(sum) - row[label]);
    total += weights[label];
    for (gint64 j = 0; j < CLASSES; j++)
      slope[i * CLASSES + j] = (exp(row[j]) / sum - (j == label)) / PLACES;
  }
  logits = leaf(ctx, AB_SHAPE(N, T, U, CLASSES), z);
  target = plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N, T, U), labels);
  check_loss(loss, logits, target, value, logits, slope, at->exact);
  plugin_test_set_reals(loss, "weights", CLASSES, weights);
  plugin_test_close(ab_item(ab_loss_value(loss, logits, target)), weighted / total, at->exact);
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

static void test_cross_entropy_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "cross-entropy");
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec matrix = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 1, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  AbSpec four = label, many = label;
  const double zeros[9] = {0}, wild[3] = {0, 3, 1}, negative[3] = {0, 1, -1};

  ab_loss_check(loss, &three, &label);
  plugin_test_fine(ctx);
  ab_loss_check(loss, &three, &three);
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *not one class per sample*mse*");
  four.classes = 4;
  ab_loss_check(loss, &three, &four);
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *4 classes*3 numbers*");
  ab_loss_check(loss, &matrix, &label);
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *");
  many.rank = 1;
  many.shape[0] = 3;
  ab_loss_check(loss, &three, &many); /* a class for each of three places */
  plugin_test_error(ctx, AB_CONFIG,
                    "loss (cross-entropy): *3 classes at each place of [3]*gives [3]*");
  AbSpec places = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 3, 0);
  ab_loss_check(loss, &places, &many);
  plugin_test_fine(ctx);
  many.shape[0] = 2;
  ab_loss_check(loss, &places, &many);
  plugin_test_error(ctx, AB_CONFIG,
                    "loss (cross-entropy): *3 classes at each place of [2]*gives [3, 3]*");

  /* what a target of probabilities would not heed */
  AbSpec soft = plugin_test_spec(ctx, AB_RANGE_UNIT, 3, 0, 0);
  ab_loss_check(loss, &three, &soft);
  plugin_test_fine(ctx);
  plugin_test_set_real(loss, "smoothing", 0.1);
  ab_loss_check(loss, &three, &label);
  plugin_test_fine(ctx);
  ab_loss_check(loss, &three, &soft);
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *smoothing and weights*classes*");
  plugin_test_set_real(loss, "smoothing", 0);
  plugin_test_set_reals(loss, "weights", 3, (double[]){1, 2, 3});
  ab_loss_check(loss, &three, &soft);
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *smoothing and weights*classes*");
  plugin_test_set_reals(loss, "weights", 0, (double[]){0});

  /* labels that are none, at run time: the row is named */
  g_assert_null(ab_loss_value(loss, plugin_test_tensor(ctx, AB_SHAPE(3, 3), zeros),
                              plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(3), wild)));
  plugin_test_error(ctx, AB_DATA, "loss (cross-entropy): *label 3 of row 1*");
  g_assert_null(ab_loss_value(loss, plugin_test_tensor(ctx, AB_SHAPE(3, 3), zeros),
                              plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(3), negative)));
  plugin_test_error(ctx, AB_DATA, "loss (cross-entropy): *label -1 of row 2*");
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* ---- what every loss of numbers does --------------------------------------------------------- */

typedef double (*ByHand)(double y, double t);

static double by_l1(double y, double t) {
  return fabs(y - t);
}
static double by_huber(double y, double t) {
  double d = fabs(y - t);
  return d <= 0.5 ? d * d / 2 : 0.5 * (d - 0.25);
}
static double by_smooth_l1(double y, double t) {
  return by_huber(y, t) / 0.5;
}
static double by_tukey(double y, double t) {
  double d = (y - t) / 1.5;
  return fabs(d) < 1 ? (1 - pow(1 - d * d, 3)) * 2.25 / 6 : 2.25 / 6;
}
static double by_log_cosh(double y, double t) {
  return log(cosh(y - t));
}
static double by_poisson(double y, double t) {
  return exp(y) - t * y;
}
static double by_hinge(double y, double t) {
  return fmax(0, 1 - (2 * (t > 0.5) - 1) * y);
}
static double by_squared_hinge(double y, double t) {
  return by_hinge(y, t) * by_hinge(y, t);
}
static double by_kl(double y, double t) {
  return t > 0 ? t * log(t / y) : 0;
}
static double by_bce_logits(double y, double t) {
  return t * softplus(-y) + (1 - t) * softplus(y);
}

static const struct {
  const char *name, *parameter; /* of the loss, and a real of it */
  double value;
  ByHand by_hand;
  double low, high; /* of the output */
  gboolean bits;    /* the target is 0 or 1, else in [0.1, 0.9) */
} elementwise[] = {
    {"l1", NULL, 0, by_l1, -2, 2},
    {"huber", "delta", 0.5, by_huber, -2, 2},
    {"smooth-l1", "beta", 0.5, by_smooth_l1, -2, 2},
    {"tukey-biweight", "c", 1.5, by_tukey, -2, 2},
    {"log-cosh", NULL, 0, by_log_cosh, -2, 2},
    {"poisson", NULL, 0, by_poisson, -2, 2},
    {"hinge", NULL, 0, by_hinge, -2, 2, TRUE},
    {"squared-hinge", NULL, 0, by_squared_hinge, -2, 2, TRUE},
    {"kl-divergence", NULL, 0, by_kl, 0.1, 0.9},
    {"binary-cross-entropy", NULL, 0, by_bce_logits, -2, 2},
};

static void check_elementwise(const PluginTestCase *at, gsize which) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, elementwise[which].name);
  ByHand f = elementwise[which].by_hand;
  g_autofree double *y =
      plugin_test_numbers(ROWS * WIDTH, elementwise[which].low, elementwise[which].high, 21);
  g_autofree double *t = plugin_test_numbers(ROWS * WIDTH, 0.1, 0.9, 22);
  AbTensor *output, *target;

  for (gint64 i = 0; elementwise[which].bits && i < ROWS * WIDTH; i++) t[i] = t[i] > 0.5;
  if (elementwise[which].parameter)
    plugin_test_set_real(loss, elementwise[which].parameter, elementwise[which].value);
  if (f == by_bce_logits) plugin_test_set_bool(loss, "logits", TRUE);
  output = leaf(ctx, AB_SHAPE(ROWS, 2, 3), y);
  target = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 3), t);
  for (int sum = 0; sum < 2; sum++) {
    double value = 0, slope[ROWS * WIDTH], per = sum ? ROWS : ROWS * WIDTH;

    for (gint64 i = 0; i < ROWS * WIDTH; i++) {
      value += f(y[i], t[i]) / per;
      slope[i] = (f(y[i] + 1e-6, t[i]) - f(y[i] - 1e-6, t[i])) / 2e-6 / per;
    }
    plugin_test_set_choice(loss, "reduction", sum ? "sum" : "mean");
    check_loss(loss, output, target, value, output, slope, fmax(20 * at->exact, 1e-8));
  }
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

static void test_elementwise(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(elementwise); i++) check_elementwise(at, i);
}

/* Of samples as a whole. */
static void test_samples(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *norm = plugin_test_new(ctx, AB_KIND_LOSS, "l2-norm");
  AbLoss *cosine = plugin_test_new(ctx, AB_KIND_LOSS, "cosine");
  g_autofree double *y = plugin_test_numbers(ROWS * WIDTH, -2, 2, 31);
  g_autofree double *t = plugin_test_numbers(ROWS * WIDTH, -2, 2, 32);
  AbTensor *output = leaf(ctx, AB_SHAPE(ROWS, 2, 3), y);
  AbTensor *target = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 3), t);
  double value[2] = {0, 0}, slope[2][ROWS * WIDTH];

  for (int r = 0; r < ROWS; r++) {
    const double *a = y + r * WIDTH, *b = t + r * WIDTH;
    double squares = 0, ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < WIDTH; i++) {
      squares += (a[i] - b[i]) * (a[i] - b[i]) / WIDTH;
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    value[0] += sqrt(squares) / ROWS;
    value[1] += (1 - ab / sqrt(aa * bb)) / ROWS;
    for (int i = 0; i < WIDTH; i++) {
      slope[0][r * WIDTH + i] = (a[i] - b[i]) / WIDTH / sqrt(squares) / ROWS;
      slope[1][r * WIDTH + i] = (ab * a[i] / aa - b[i]) / sqrt(aa * bb) / ROWS;
    }
  }
  check_loss(norm, output, target, value[0], output, slope[0], 5 * at->exact);
  check_loss(cosine, output, target, value[1], output, slope[1], 5 * at->exact);
  ab_instance_free(cosine);
  ab_instance_free(norm);
  plugin_test_finish(ctx);
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Smoothing, weights, probabilities for a target; nll of log-softmax is cross-entropy. */
static void test_classes(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "cross-entropy");
  AbLoss *nll = plugin_test_new(ctx, AB_KIND_LOSS, "nll");
  AbLoss *hinge = plugin_test_new(ctx, AB_KIND_LOSS, "hinge");
  const double z[6] = {1, -0.5, 0.25, 2, 0.5, -1}, labels[2] = {2, 0}, weights[3] = {0.5, 1, 2};
  const double targets[6] = {0.5, 0.25, 0.25, 0, 1, 0};
  double log_p[6], plain = 0, spread = 0, weighted = 0, soft = 0, margin = 0;
  AbTensor *logits = plugin_test_tensor(ctx, AB_SHAPE(2, 3), z);
  AbTensor *classes = plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(2), labels);

  for (int r = 0; r < 2; r++) {
    double sum = exp(z[3 * r]) + exp(z[3 * r + 1]) + exp(z[3 * r + 2]);

    for (int c = 0; c < 3; c++) {
      log_p[3 * r + c] = z[3 * r + c] - log(sum);
      spread -= log_p[3 * r + c] / 3 / 2;
      soft -= targets[3 * r + c] * log_p[3 * r + c] / 2;
      margin += fmax(0, 1 - (c == (int)labels[r] ? 1 : -1) * z[3 * r + c]) / 6;
    }
    plain -= log_p[3 * r + (int)labels[r]] / 2;
    weighted -= weights[(int)labels[r]] * log_p[3 * r + (int)labels[r]] / 2.5;
  }
  plugin_test_close(ab_item(ab_loss_value(hinge, logits, classes)), margin, at->exact);
  plugin_test_close(
      ab_item(ab_loss_value(nll, plugin_test_tensor(ctx, AB_SHAPE(2, 3), log_p), classes)), plain,
      at->exact);
  plugin_test_close(
      ab_item(ab_loss_value(loss, logits, plugin_test_tensor(ctx, AB_SHAPE(2, 3), targets))), soft,
      at->exact);
  plugin_test_set_real(loss, "smoothing", 0.3);
  plugin_test_close(ab_item(ab_loss_value(loss, logits, classes)), 0.7 * plain + 0.3 * spread,
                    at->exact);
  plugin_test_set_real(loss, "smoothing", 0);
  plugin_test_set_reals(loss, "weights", 3, weights);
  plugin_test_close(ab_item(ab_loss_value(loss, logits, classes)), weighted, at->exact);
  plugin_test_fine(ctx);
  g_assert_null(ab_loss_value(loss, logits, plugin_test_tensor(ctx, AB_SHAPE(2, 3), targets)));
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *smoothing and weights*");
  ab_instance_free(hinge);
  ab_instance_free(nll);
  ab_instance_free(loss);
  plugin_test_finish(ctx);
}

/* Every loss that is installed takes one of these targets, and says what is wrong with another. */
static void test_all(void) {
  g_autoptr(GDir) folder = g_dir_open(g_getenv("ABHOST_PLUGIN_PATH"), 0, NULL);
  const char *file;
  int count = 0;

  while ((file = g_dir_read_name(folder))) {
    if (!g_str_has_prefix(file, "loss-") || !g_str_has_suffix(file, ".so")) continue;
    g_autofree char *name = g_strndup(file + 5, strlen(file) - 8);
    AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
    AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, name);
    AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0), targets[3];
    int taken = 0, refused = 0;

    targets[0] = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
    targets[1] = plugin_test_spec(ctx, AB_RANGE_BINARY, 3, 0, 0);
    targets[2] = (AbSpec){.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
    for (int i = 0; i < 3; i++) {
      ab_loss_check(loss, &three, &targets[i]);
      if (ab_error_code(ctx) == AB_OK) {
        taken++;
        continue;
      }
      g_assert_cmpint(ab_error_code(ctx), ==, AB_CONFIG);
      ab_error_clear(ctx);
      refused++;
    }
    g_assert_cmpint(taken, >, 0);
    g_assert_cmpint(refused, >, 0);
    ab_instance_free(loss);
    plugin_test_finish(ctx);
    count++;
  }
  g_assert_cmpint(count, >=, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/losses/mse", test_mse);
  g_test_add_func("/losses/mse/errors", test_mse_errors);
  plugin_test_add("/losses/binary-cross-entropy", test_bce);
  plugin_test_add("/losses/binary-cross-entropy/sigmoid", test_bce_of_sigmoid);
  g_test_add_func("/losses/binary-cross-entropy/errors", test_bce_errors);
  plugin_test_add("/losses/cross-entropy", test_cross_entropy);
  plugin_test_add("/losses/cross-entropy/places", test_cross_entropy_places);
  g_test_add_func("/losses/cross-entropy/errors", test_cross_entropy_errors);
  plugin_test_add("/losses/elementwise", test_elementwise);
  plugin_test_add("/losses/samples", test_samples);
  plugin_test_add("/losses/classes", test_classes);
  g_test_add_func("/losses/all", test_all);
  return g_test_run();
}
