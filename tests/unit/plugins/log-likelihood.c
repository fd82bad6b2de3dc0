/* SPDX-License-Identifier: Apache-2.0
 *
 * The metric log-likelihood, against the likelihood of a small machine by enumeration. */
#include "plugin-test.h"
#include <math.h>

#define WIDE 8
#define DEEP 5

static double sum_of(const double *W, const double *v, const double *c, int j) {
  double in = c[j];

  for (int i = 0; i < WIDE; i++) in += v[i] * W[i * DEEP + j];
  return in;
}

/* -F(v), the hidden units summed out. */
static double log_mass(const double *W, const double *b, const double *c, const double *v) {
  double sum = 0;

  for (int i = 0; i < WIDE; i++) sum += v[i] * b[i];
  for (int j = 0; j < DEEP; j++) sum += log1p(exp(sum_of(W, v, c, j)));
  return sum;
}

static void bits(int s, double *v) {
  for (int i = 0; i < WIDE; i++) v[i] = s >> i & 1;
}

static AbModel *machine(AbContext *ctx, const double *W, const double *b, const double *c) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_BINARY, WIDE, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  plugin_test_set_int(model, "hidden", DEEP);
  ab_build(model, &wanted);
  plugin_test_fine(ctx);
  plugin_test_fill(plugin_test_state(model, "W"), W);
  plugin_test_fill(plugin_test_state(model, "b"), b);
  plugin_test_fill(plugin_test_state(model, "c"), c);
  return model;
}

/* In batches of unlike sizes; twice, as after the next epoch. */
static void test_exact(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  g_autofree double *W = plugin_test_numbers(WIDE * DEEP, -1.5, 1.5, 300);
  g_autofree double *b = plugin_test_numbers(WIDE, -2, 1, 301);
  g_autofree double *c = plugin_test_numbers(DEEP, -1, 1, 302);
  AbModel *model = machine(ctx, W, b, c);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "log-likelihood");
  double rows[20 * WIDE], z = 0, expected = 0;

  for (int s = 0; s < 1 << WIDE; s++) {
    double v[WIDE];

    bits(s, v);
    z += exp(log_mass(W, b, c, v));
  }
  for (int r = 0; r < 20; r++) {
    bits(11 * r, rows + r * WIDE);
    expected += (log_mass(W, b, c, rows + r * WIDE) - log(z)) / 20;
  }
  plugin_test_set_int(metric, "chains", 200);
  plugin_test_set_int(metric, "temperatures", 1000);
  for (int again = 0; again < 2; again++) {
    ab_begin(ctx, AB_PURPOSE_EVALUATE, again);
    ab_metric_begin(metric, model);
    for (int from = 0; from < 20; from += 15) {
      AbTensor *x = plugin_test_tensor(ctx, AB_SHAPE(from ? 5 : 15, WIDE), rows + from * WIDE);

      ab_metric_update(metric, x, x);
    }
    g_test_message("%.4f of %.4f", ab_metric_value(metric), expected);
    g_assert_cmpfloat(fabs(ab_metric_value(metric) - expected), <, 0.05);
  }
  ab_instance_free(metric);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_refused(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "log-likelihood");
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "mlp");
  AbSpec output = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec target = {.rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};

  ab_metric_begin(metric, model);
  plugin_test_error(ctx, AB_CONFIG,
                    "metric (log-likelihood): model mlp has no likelihood*rbm, dbn and dbm*");
  ab_metric_check(metric, &output, &target);
  plugin_test_error(ctx, AB_CONFIG, "metric (log-likelihood): the target is a class*reconstruct");
  ab_instance_free(model);
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/log-likelihood/exact", test_exact);
  g_test_add_func("/log-likelihood/refused", test_refused);
  return g_test_run();
}
