/* SPDX-License-Identifier: Apache-2.0
 *
 * Parzen-window log-likelihood: against direct loops in double, with a width that is given and one
 * that is chosen; over several blocks; a density that is known; what it refuses.                */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

/* ---- the reference --------------------------------------------------------------------------- */

typedef struct {
  gint64 made, real, width;
  double *s, *t; /* [made, width], [real, width] */
} Sets;

static double distance(const Sets *x, gint64 t, gint64 s) {
  double sum = 0;

  for (gint64 i = 0; i < x->width; i++) {
    double d = x->t[t * x->width + i] - x->s[s * x->width + i];

    sum += d * d;
  }
  return sum;
}

/* The mean log-density of real samples from .. to - 1. */
static double likelihood(const Sets *x, gint64 from, gint64 to, double sigma) {
  double mean = 0;

  for (gint64 t = from; t < to; t++) {
    double most = -INFINITY, sum = 0;

    for (gint64 s = 0; s < x->made; s++)
      most = fmax(most, -distance(x, t, s) / (2 * sigma * sigma));
    for (gint64 s = 0; s < x->made; s++)
      sum += exp(-distance(x, t, s) / (2 * sigma * sigma) - most);
    mean += (most + log(sum / (double)x->made)) / (double)(to - from);
  }
  return mean - (double)x->width * log(sigma * sqrt(2 * G_PI));
}

/* The best of 20 widths on the held samples, then the others. */
static double chosen_likelihood(const Sets *x, gint64 held) {
  double least = 0, sum = 0, low, high, best = -INFINITY, sigma = 0;

  for (gint64 t = 0; t < held; t++) {
    double nearest = INFINITY;

    for (gint64 s = 0; s < x->made; s++) {
      nearest = fmin(nearest, distance(x, t, s));
      sum += distance(x, t, s) / (double)(x->made * held * x->width);
    }
    least += nearest / (double)(held * x->width);
  }
  low = fmax(sqrt(least), 1e-3 * sqrt(sum));
  high = sqrt(sum);
  for (int k = 0; k < 20; k++) {
    double width = low * pow(high / low, k / 19.), value = likelihood(x, 0, held, width);

    if (value <= best) continue;
    best = value;
    sigma = width;
  }
  return likelihood(x, held, x->real, sigma);
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* Sums of four uniform numbers, centre apart. */
static double *cloud(gint64 count, double centre, guint64 seed) {
  double *x = plugin_test_numbers(count, -1, 1, seed);

  for (guint64 more = 1; more < 4; more++) {
    g_autofree double *y = plugin_test_numbers(count, -1, 1, seed + 1000 * more);

    for (gint64 i = 0; i < count; i++) x[i] += y[i];
  }
  for (gint64 i = 0; i < count; i++) x[i] += centre;
  return x;
}

static Sets sets_new(gint64 made, gint64 real, gint64 width) {
  return (Sets){made, real, width, cloud(made * width, 0.2, 3), cloud(real * width, 0, 4)};
}

static void sets_free(Sets *x) {
  g_free(x->s);
  g_free(x->t);
}

/* Hands over samples [2, width / 2] in batches of at most `batch`, and takes the value. */
static double measure(AbMetric *metric, const Sets *x, gint64 batch) {
  AbContext *ctx = ab_context(metric);

  ab_metric_begin(metric, NULL);
  for (gint64 at = 0; at < MAX(x->made, x->real) && ab_ok(ctx); at += batch) {
    AbScope scope = ab_scope_begin(ctx);
    gint64 made = MIN(batch, x->made - at), real = MIN(batch, x->real - at), half = x->width / 2;

    g_assert_cmpint(made, ==, real); /* the host generates as many as there are */
    ab_metric_update(metric, plugin_test_tensor(ctx, AB_SHAPE(made, 2, half), x->s + at * x->width),
                     plugin_test_tensor(ctx, AB_SHAPE(real, 2, half), x->t + at * x->width));
    ab_scope_end(ctx, scope, NULL, 0);
  }
  return ab_metric_value(metric);
}

/* ---- values ---------------------------------------------------------------------------------- */

static AbMetric *make(AbContext *ctx, double sigma, gint64 held) {
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "parzen");

  plugin_test_set_real(metric, "sigma", sigma);
  plugin_test_set_int(metric, "held", held);
  return metric;
}

static double tolerance(const PluginTestCase *at) {
  return at->real == AB_F32 ? 1e-4 : 1e-11;
}

/* Batches of unequal size; a second pass after a reset starts anew. */
static void test_given(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Sets x = sets_new(53, 53, 6);
  AbMetric *metric = make(ctx, 0.7, 0);

  g_assert_true(ab_metric_higher_is_better(metric));
  plugin_test_close(measure(metric, &x, 17), likelihood(&x, 0, 53, 0.7), tolerance(at));
  plugin_test_close(measure(metric, &x, 53), likelihood(&x, 0, 53, 0.7), tolerance(at));
  x.real = x.made = 20;
  plugin_test_close(measure(metric, &x, 7), likelihood(&x, 0, 20, 0.7), tolerance(at));
  plugin_test_set_real(metric, "sigma", 0.01); /* every exponent but one underflows */
  plugin_test_close(measure(metric, &x, 7) / 1e4, likelihood(&x, 0, 20, 0.01) / 1e4, tolerance(at));
  ab_instance_free(metric);
  sets_free(&x);
  plugin_test_finish(ctx);
}

static void test_chosen(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Sets x = sets_new(96, 96, 6);
  AbMetric *tenth = make(ctx, 0, 0), *forty = make(ctx, 0, 40);

  plugin_test_close(measure(tenth, &x, 30), chosen_likelihood(&x, 10), tolerance(at));
  plugin_test_close(measure(forty, &x, 30), chosen_likelihood(&x, 40), tolerance(at));
  memcpy(x.s, x.t, 96 * 6 * sizeof *x.s); /* the nearest of all are at no distance */
  if (at->real == AB_F64)
    plugin_test_close(measure(tenth, &x, 30) / 1e4, chosen_likelihood(&x, 10) / 1e4, 1e-6);
  ab_instance_free(tenth);
  ab_instance_free(forty);
  sets_free(&x);
  plugin_test_finish(ctx);
}

/* More than a block of samples, and held samples that end within one. */
static void test_blocks(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  Sets x = sets_new(1100, 1100, 2);
  AbMetric *given = make(ctx, 0.4, 0), *held = make(ctx, 0, 1010);

  plugin_test_close(measure(given, &x, 300), likelihood(&x, 0, 1100, 0.4), 1e-11);
  plugin_test_close(measure(held, &x, 90), chosen_likelihood(&x, 1010), 1e-11);
  ab_instance_free(given);
  ab_instance_free(held);
  sets_free(&x);
  plugin_test_finish(ctx);
}

/* Far from 0 the squares of f32 would cancel: numbers of which 1000 can be taken exactly. */
static void test_offset(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  Sets x = sets_new(200, 200, 4);
  AbMetric *metric = make(ctx, 0, 0);
  double expected;

  for (int i = 0; i < 800; i++) {
    x.s[i] = 1000 + round(x.s[i] * 64) / 64;
    x.t[i] = 1000 + round(x.t[i] * 64) / 64;
  }
  expected = chosen_likelihood(&x, 20);
  plugin_test_close(measure(metric, &x, 50), expected, 1e-4);
  ab_instance_free(metric);
  sets_free(&x);
  plugin_test_finish(ctx);
}

/* Real and generated samples of one normal distribution: what comes out is near its negative
 * entropy, -log(2 pi e) for two numbers, and a generator beside them is worse. */
static void test_entropy(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbMetric *metric = make(ctx, 0, 0);
  AbStream stream = ab_stream(5, "normal");
  Sets x = {3000, 3000, 2, g_new(double, 6000), g_new(double, 6000)};
  double value;

  for (int i = 0; i < 6000; i++) {
    x.s[i] = ab_stream_normal(&stream);
    x.t[i] = ab_stream_normal(&stream);
  }
  value = measure(metric, &x, 500);
  g_assert_cmpfloat(fabs(value + log(2 * G_PI) + 1), <, 0.1);
  for (int i = 0; i < 6000; i++) x.s[i] += 1;
  g_assert_cmpfloat(measure(metric, &x, 500), <, value - 0.1);
  ab_instance_free(metric);
  sets_free(&x);
  plugin_test_finish(ctx);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbMetric *metric = make(ctx, 0, 0);
  AbSpec three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSpec label = {.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 3};
  Sets one = sets_new(1, 1, 2), twenty = sets_new(20, 20, 2), wide = sets_new(1, 1, 4);

  ab_metric_check(metric, &three, &three);
  plugin_test_fine(ctx);
  ab_metric_check(metric, &three, &label);
  plugin_test_error(ctx, AB_CONFIG, "metric (parzen): the samples are classes*");
  g_assert_true(isnan(measure(metric, &one, 1)));
  plugin_test_error(ctx, AB_CONFIG, "metric (parzen): of 1 samples 1 are to be held*sigma");
  plugin_test_set_int(metric, "held", 20);
  g_assert_true(isnan(measure(metric, &twenty, 20)));
  plugin_test_error(ctx, AB_CONFIG, "metric (parzen): of 20 samples 20 are to be held*less*");
  plugin_test_set_int(metric, "held", 5);
  for (int i = 0; i < 40; i++) twenty.s[i] = twenty.t[i] = 1;
  g_assert_true(isnan(measure(metric, &twenty, 20)));
  plugin_test_error(ctx, AB_DATA, "metric (parzen): the samples leave no width*set sigma");
  measure(metric, &wide, 1);
  plugin_test_error(ctx, AB_CONFIG, "metric (parzen): samples of 4 numbers*samples of 4*of 2*");
  sets_free(&one);
  sets_free(&twenty);
  sets_free(&wide);
  ab_instance_free(metric);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/parzen/given", test_given);
  plugin_test_add("/parzen/chosen", test_chosen);
  g_test_add_func("/parzen/blocks", test_blocks);
  g_test_add_func("/parzen/offset", test_offset);
  g_test_add_func("/parzen/entropy", test_entropy);
  g_test_add_func("/parzen/errors", test_errors);
  return g_test_run();
}
