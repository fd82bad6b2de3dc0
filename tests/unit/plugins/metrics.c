/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: over batches of unequal size they give what plain loops over the whole set give; what
 * they refuse.                                                                                  */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define ROWS    23
#define CLASSES 5
#define WIDTH   6 /* of a sample [2, 3] */

static const gint64 sizes[] = {10, 1, 7, 5}; /* of the batches; ROWS in all */

/* ---- accuracy -------------------------------------------------------------------------------- */

/* The part of the rows whose first greatest number is at their label. */
static double accuracy(const double *logits, const double *labels) {
  gint64 right = 0;

  for (gint64 i = 0; i < ROWS; i++) {
    gint64 best = 0;

    for (gint64 j = 1; j < CLASSES; j++)
      if (logits[i * CLASSES + j] > logits[i * CLASSES + best]) best = j;
    right += best == (gint64)labels[i];
  }
  return (double)right / ROWS;
}

static void feed_accuracy(AbContext *ctx, AbMetric *metric, const double *logits,
                          const double *labels) {
  gint64 row = 0;

  for (gsize b = 0; b < G_N_ELEMENTS(sizes); b++) {
    AbTensor *output = plugin_test_tensor(ctx, AB_SHAPE(sizes[b], CLASSES), logits + row * CLASSES);
    AbTensor *target = plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(sizes[b]), labels + row);

    ab_metric_update(metric, output, target);
    row += sizes[b];
  }
  g_assert_cmpint(row, ==, ROWS);
}

static void test_accuracy(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "accuracy");
  g_autofree double *logits = plugin_test_numbers(ROWS * CLASSES, -3, 3, 4);
  g_autofree double *labels = plugin_test_numbers(ROWS, 0, CLASSES, 5);
  double expected;

  for (gint64 i = 0; i < ROWS; i++) labels[i] = (double)(gint64)labels[i];
  for (gint64 i = 0; i < 8; i++) { /* so that some are right: make the label's number greatest */
    gint64 label = (gint64)labels[2 * i];

    logits[2 * i * CLASSES + label] = 4;
    if (i < 2) logits[2 * i * CLASSES + (label + 1) % CLASSES] = 4; /* a tie: the first counts */
  }
  expected = accuracy(logits, labels);
  g_assert_cmpfloat(expected, >, 0.2);
  g_assert_cmpfloat(expected, <, 0.9);
  g_assert_true(ab_metric_higher_is_better(metric));
  for (int pass = 0; pass < 2; pass++) { /* the second, after a reset, starts anew */
    ab_metric_begin(metric, NULL);
    feed_accuracy(ctx, metric, logits, labels);
    plugin_test_close(ab_metric_value(metric), expected, 1e-15);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

static void test_accuracy_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "accuracy");
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  AbSpec many = label, four = label;
  const double zeros[12] = {0};

  ab_metric_check(metric, &three, &label);
  plugin_test_fine(ctx);
  ab_metric_check(metric, &three, &three);
  plugin_test_error(ctx, AB_CONFIG, "metric (accuracy): *not one class per sample*mse*");
  many.rank = 1;
  many.shape[0] = 3;
  ab_metric_check(metric, &three, &many); /* a class for each of three places */
  plugin_test_error(ctx, AB_CONFIG,
                    "metric (accuracy): *3 classes at each of several places*3 numbers*");
  AbSpec places = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 3, 0);
  ab_metric_check(metric, &places, &many);
  plugin_test_fine(ctx);
  four.classes = 4;
  ab_metric_check(metric, &three, &four);
  plugin_test_error(ctx, AB_CONFIG, "metric (accuracy): *4 classes*3 numbers*");

  ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(2, 3), zeros),
                   plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(3), zeros));
  plugin_test_error(ctx, AB_CONFIG, "metric (accuracy): 2 guesses*3 targets*");
  ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(2, 3), zeros),
                   plugin_test_tensor(ctx, AB_SHAPE(2), zeros));
  plugin_test_error(ctx, AB_CONFIG,
                    "metric (accuracy): *an output of [2, 3] and a target of [2] differ in shape*");
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

/* ---- symbols: a class at each of several places of a sample ---------------------------------- */

#define PLACES 4

/* exp of the mean of -log softmax at the label, over all places of all rows */
static double perplexity(const double *logits, const double *labels) {
  double nats = 0;

  for (gint64 i = 0; i < ROWS * PLACES; i++) {
    double sum = 0;

    for (gint64 j = 0; j < CLASSES; j++) sum += exp(logits[i * CLASSES + j]);
    nats += log(sum) - logits[i * CLASSES + (gint64)labels[i]];
  }
  return exp(nats / (ROWS * PLACES));
}

static void test_symbols(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbMetric *metrics[] = {plugin_test_new(ctx, AB_KIND_METRIC, "accuracy"),
                         plugin_test_new(ctx, AB_KIND_METRIC, "perplexity")};
  g_autofree double *logits = plugin_test_numbers(ROWS * PLACES * CLASSES, -3, 3, 14);
  g_autofree double *labels = plugin_test_numbers(ROWS * PLACES, 0, CLASSES, 15);
  gint64 row = 0, right = 0;

  for (gint64 i = 0; i < ROWS * PLACES; i++) {
    gint64 best = 0;

    labels[i] = (double)(gint64)labels[i];
    for (gint64 j = 1; j < CLASSES; j++)
      if (logits[i * CLASSES + j] > logits[i * CLASSES + best]) best = j;
    right += best == (gint64)labels[i];
  }
  for (gsize m = 0; m < G_N_ELEMENTS(metrics); m++) ab_metric_begin(metrics[m], NULL);
  for (gsize b = 0; b < G_N_ELEMENTS(sizes); b++, row += sizes[b - 1]) {
    AbTensor *output = plugin_test_tensor(ctx, AB_SHAPE(sizes[b], PLACES, CLASSES),
                                          logits + row * PLACES * CLASSES);
    AbTensor *target =
        plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(sizes[b], PLACES), labels + row * PLACES);

    for (gsize m = 0; m < G_N_ELEMENTS(metrics); m++) ab_metric_update(metrics[m], output, target);
  }
  plugin_test_close(ab_metric_value(metrics[0]), (double)right / (ROWS * PLACES), 1e-15);
  plugin_test_close(ab_metric_value(metrics[1]), perplexity(logits, labels), at->exact);
  g_assert_false(ab_metric_higher_is_better(metrics[1]));
  for (gsize m = 0; m < G_N_ELEMENTS(metrics); m++) ab_instance_free(metrics[m]);
  plugin_test_finish(ctx);
}

static void test_perplexity_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "perplexity");
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};

  ab_metric_check(metric, &three, &label);
  plugin_test_fine(ctx);
  ab_metric_check(metric, &three, &three);
  plugin_test_error(ctx, AB_CONFIG, "metric (perplexity): *no class*mse*");
  label.classes = 4;
  ab_metric_check(metric, &three, &label);
  plugin_test_error(ctx, AB_CONFIG, "metric (perplexity): *1 targets of 4 classes*3 numbers*");
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

/* ---- mean squared error ---------------------------------------------------------------------- */

static void test_mse(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "mse");
  g_autofree double *outputs = plugin_test_numbers(ROWS * WIDTH, -2, 2, 8);
  g_autofree double *targets = plugin_test_numbers(ROWS * WIDTH, -2, 2, 9);
  double expected = 0;

  for (gint64 i = 0; i < WIDTH; i++) targets[i] += 10; /* batches must not weigh the same */
  for (gint64 i = 0; i < ROWS * WIDTH; i++)
    expected += (outputs[i] - targets[i]) * (outputs[i] - targets[i]) / (ROWS * WIDTH);
  g_assert_false(ab_metric_higher_is_better(metric));
  for (int pass = 0; pass < 2; pass++) {
    gint64 row = 0;

    ab_metric_begin(metric, NULL);
    for (gsize b = 0; b < G_N_ELEMENTS(sizes); b++, row += sizes[b - 1])
      ab_metric_update(metric,
                       plugin_test_tensor(ctx, AB_SHAPE(sizes[b], 2, 3), outputs + row * WIDTH),
                       plugin_test_tensor(ctx, AB_SHAPE(sizes[b], 2, 3), targets + row * WIDTH));
    plugin_test_close(ab_metric_value(metric), expected, at->exact);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

static void test_mse_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "mse");
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  const double zeros[12] = {0};

  ab_metric_check(metric, &three, &three);
  plugin_test_fine(ctx);
  ab_metric_check(metric, &three, &label);
  plugin_test_error(ctx, AB_CONFIG, "metric (mse): *class*accuracy*");
  ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(3, 1), zeros), /* would broadcast */
                   plugin_test_tensor(ctx, AB_SHAPE(3), zeros));
  plugin_test_error(ctx, AB_CONFIG, "metric (mse): *[3, 1]*[3]*");
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/metrics/accuracy", test_accuracy);
  g_test_add_func("/metrics/accuracy/errors", test_accuracy_errors);
  plugin_test_add("/metrics/symbols", test_symbols);
  g_test_add_func("/metrics/perplexity/errors", test_perplexity_errors);
  plugin_test_add("/metrics/mse", test_mse);
  g_test_add_func("/metrics/mse/errors", test_mse_errors);
  return g_test_run();
}
