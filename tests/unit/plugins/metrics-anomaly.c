/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics of anomaly detection against their definitions: pairs counted one by one, thresholds
 * tried one by one. Scores are coarse, so that many are equal.                                   */
#include "plugin-test.h"
#include <math.h>

#define ROWS    41
#define CLASSES 4

static const gint64 sizes[] = {10, 1, 25, 5}; /* of the batches; ROWS in all */

typedef struct {
  double scores[ROWS], labels[ROWS];
  gboolean anomaly[ROWS];
} Sample;

/* Scores 0 to `levels` - 1; classes 1 and 3 are normal, and lower on average. */
static Sample sample(int levels, guint64 seed) {
  Sample s;
  g_autofree double *u = plugin_test_numbers(2 * ROWS, 0, 1, seed);

  for (int i = 0; i < ROWS; i++) {
    s.labels[i] = floor(u[i] * CLASSES);
    s.anomaly[i] = s.labels[i] == 0 || s.labels[i] == 2;
    s.scores[i] = floor(u[ROWS + i] * levels * (s.anomaly[i] ? 1 : 0.7));
  }
  return s;
}

static double pairs(const Sample *s) {
  double won = 0, count = 0;

  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < ROWS; j++) {
      if (!s->anomaly[i] || s->anomaly[j]) continue;
      won += s->scores[i] > s->scores[j] ? 1 : s->scores[i] == s->scores[j] ? 0.5 : 0;
      count++;
    }
  g_assert_cmpfloat(count, >, 0);
  return won / count;
}

/* F from precision and recall, of samples with a score above a limit. */
static double f_measure(const Sample *s, double limit, double beta) {
  double right = 0, taken = 0, anomalies = 0, precision, recall;

  for (int i = 0; i < ROWS; i++) {
    right += s->scores[i] > limit && s->anomaly[i];
    taken += s->scores[i] > limit;
    anomalies += s->anomaly[i];
  }
  if (right == 0) return 0;
  precision = right / taken;
  recall = right / anomalies;
  return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall);
}

static AbMetric *make(AbContext *ctx, const char *name) {
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, name);
  const gint64 normal[] = {1, 3};

  plugin_test_set_ints(metric, "normal", 2, normal);
  g_assert_true(ab_metric_higher_is_better(metric));
  return metric;
}

static double measured(AbContext *ctx, AbMetric *metric, const Sample *s) {
  AbSpec score = {.dtype = ab_real_dtype(ctx)};
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = CLASSES};
  gint64 row = 0;

  ab_metric_check(metric, &score, &label);
  ab_metric_begin(metric, NULL);
  for (gsize b = 0; b < G_N_ELEMENTS(sizes); row += sizes[b++])
    ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(sizes[b]), s->scores + row),
                     plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(sizes[b]), s->labels + row));
  plugin_test_fine(ctx);
  return ab_metric_value(metric);
}

static void test_auroc(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbMetric *metric = make(ctx, "auroc");

  for (int levels = 1; levels < 200; levels = 3 * levels + 1) {
    Sample s = sample(levels, (guint64)levels);
    double expected = pairs(&s);

    plugin_test_close(measured(ctx, metric, &s), expected, 1e-14);
    for (int i = 0; i < ROWS; i++) s.scores[i] = -s.scores[i];
    plugin_test_close(measured(ctx, metric, &s), 1 - expected, 1e-14);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

static void test_f_beta(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbMetric *metric = make(ctx, "f-beta");
  const double betas[] = {0.1, 1, 2};

  for (gsize b = 0; b < G_N_ELEMENTS(betas); b++) {
    Sample s = sample(9, b + 1);
    double best = 0;

    plugin_test_set_real(metric, "beta", betas[b]);
    for (int limit = -1; limit < 9; limit++) {
      double f = f_measure(&s, limit, betas[b]);

      plugin_test_set_choice(metric, "threshold", "value");
      plugin_test_set_real(metric, "value", limit);
      plugin_test_close(measured(ctx, metric, &s), f, 1e-14);
      best = fmax(best, f);
    }
    plugin_test_set_choice(metric, "threshold", "best");
    plugin_test_close(measured(ctx, metric, &s), best, 1e-14);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

/* The lowest of the scores that at least that part does not exceed. */
static void test_quantile(void) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 1);
  AbMetric *metric = make(ctx, "f-beta");
  Sample s = sample(9, 5);

  plugin_test_set_choice(metric, "threshold", "quantile");
  for (int k = 0; k <= ROWS; k++) {
    double limit = -1;

    for (;; limit++) {
      int below = 0;

      for (int i = 0; i < ROWS; i++) below += s.scores[i] <= limit;
      if (below >= k) break;
    }
    plugin_test_set_real(metric, "quantile", (double)k / ROWS);
    plugin_test_close(measured(ctx, metric, &s), f_measure(&s, limit, 1), 1e-14);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

/* Of two classes the logit of the one that is not normal less that of the other is the score. */
static void test_logits(void) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 1);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "auroc");
  AbSpec two = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 2};
  const double logits[] = {1, 3, 5, 6, 0, 0, 2, -1}, labels[] = {1, 1, 0, 0}; /* 2 1 0 -3 */
  const gint64 other[] = {1};

  for (int normal = 0; normal < 2; normal++) {
    if (normal == 1) plugin_test_set_ints(metric, "normal", 1, other);
    ab_metric_check(metric, &two, &label);
    ab_metric_begin(metric, NULL);
    ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(4, 2), logits),
                     plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(4), labels));
    g_assert_cmpfloat(ab_metric_value(metric), ==, 1);
  }
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

/* A split of normal samples only, as that of training, has no value; that is no error. */
static void test_one_kind(void) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 1);
  AbMetric *auroc = make(ctx, "auroc"), *f = make(ctx, "f-beta");
  Sample s = sample(9, 2);

  for (int i = 0; i < ROWS; i++) s.labels[i] = 1;
  g_assert_true(isnan(measured(ctx, auroc, &s)));
  g_assert_true(isnan(measured(ctx, f, &s)));
  for (int i = 0; i < ROWS; i++) s.labels[i] = 2;
  g_assert_true(isnan(measured(ctx, auroc, &s)));
  g_assert_cmpfloat(measured(ctx, f, &s), ==, 1);
  ab_metric_begin(auroc, NULL);
  g_assert_true(isnan(ab_metric_value(auroc)));
  ab_instance_free(auroc);
  ab_instance_free(f);
  plugin_test_finish(ctx);
}

static void check_errors(const char *name) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = make(ctx, name);
  AbSpec score = {.dtype = AB_F64}, three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  const double bad[] = {1, NAN, 2}, labels[] = {0, 1, 2};
  const gint64 all[] = {0, 1, 2};
  g_autofree char *kind = g_strdup_printf("metric (%s): *not one class per sample*", name);

  ab_metric_check(metric, &score, &score);
  plugin_test_error(ctx, AB_CONFIG, kind);
  ab_metric_check(metric, &score, &label); /* normal is [1, 3] */
  plugin_test_error(ctx, AB_CONFIG, "*names class 3*0 to 2*");
  plugin_test_set_ints(metric, "normal", 3, all);
  ab_metric_check(metric, &score, &label);
  plugin_test_error(ctx, AB_CONFIG, "*every class*");
  plugin_test_set_ints(metric, "normal", 0, all);
  ab_metric_check(metric, &score, &label);
  plugin_test_error(ctx, AB_CONFIG, "*no class*");
  plugin_test_set_ints(metric, "normal", 1, all);
  ab_metric_check(metric, &three, &label);
  plugin_test_error(ctx, AB_CONFIG, "*one score per sample*3 numbers*");

  ab_metric_begin(metric, NULL);
  ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(3), bad),
                   plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(3), labels));
  plugin_test_error(ctx, AB_DATA, "*sample 1 is not a number*");
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

static void test_errors(void) {
  check_errors("auroc");
  check_errors("f-beta");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/metrics-anomaly/auroc", test_auroc);
  plugin_test_add("/metrics-anomaly/f-beta", test_f_beta);
  g_test_add_func("/metrics-anomaly/quantile", test_quantile);
  g_test_add_func("/metrics-anomaly/logits", test_logits);
  g_test_add_func("/metrics-anomaly/one-kind", test_one_kind);
  g_test_add_func("/metrics-anomaly/errors", test_errors);
  return g_test_run();
}
