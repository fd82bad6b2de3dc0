/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses: values against double loops, gradients against closed forms, and what they refuse.    */
#include "plugin-test.h"
#include <math.h>

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
  plugin_test_error(ctx, AB_CONFIG, "loss (cross-entropy): *not one class per sample*");

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

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/losses/mse", test_mse);
  g_test_add_func("/losses/mse/errors", test_mse_errors);
  plugin_test_add("/losses/binary-cross-entropy", test_bce);
  plugin_test_add("/losses/binary-cross-entropy/sigmoid", test_bce_of_sigmoid);
  g_test_add_func("/losses/binary-cross-entropy/errors", test_bce_errors);
  plugin_test_add("/losses/cross-entropy", test_cross_entropy);
  g_test_add_func("/losses/cross-entropy/errors", test_cross_entropy_errors);
  return g_test_run();
}
