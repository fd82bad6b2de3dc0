/* SPDX-License-Identifier: Apache-2.0
 *
 * Noise: moments and fractions over many elements, what is left alone, and that the numbers are
 * those of (seed, step). Bounds are five standard errors; the draws are seeded.                 */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define ROWS  128
#define COUNT (ROWS * 28 * 28)

/* x [ROWS, 28, 28] in [low, high). */
static AbTensor *images(AbContext *ctx, double low, double high) {
  g_autofree double *numbers = plugin_test_numbers(COUNT, low, high, 31);

  return plugin_test_tensor(ctx, AB_SHAPE(ROWS, 28, 28), numbers);
}

static double *corrupted(AbNoise *noise, AbTensor *x, gint64 step) {
  AbTensor *y;

  ab_begin(ab_context(noise), AB_PURPOSE_NOISE, step);
  y = ab_noise_corrupt(noise, x);
  plugin_test_fine(ab_context(noise));
  g_assert_nonnull(y);
  g_assert_cmpint(ab_rank(y), ==, 3);
  g_assert_cmpint(ab_dim(y, 0), ==, ROWS);
  g_assert_cmpint(ab_dim(y, 1), ==, 28);
  g_assert_cmpint(ab_dtype(y), ==, ab_dtype(x));
  g_assert_true(y != x);
  return plugin_test_values(y);
}

/* `part` of COUNT independent elements, where `p` is expected. */
static void check_part(gint64 part, double p) {
  double error = 5 * sqrt(p * (1 - p) / COUNT);

  if (fabs((double)part / COUNT - p) > error)
    g_error("%g where %g is expected", (double)part / COUNT, p);
}

/* ---- what all of them share ------------------------------------------------------------------ */

/* The same (seed, step): the same numbers; another step or seed: others. The input, which is the
 * target of a denoising model, stays clean.                                                     */
static void check_streams(const PluginTestCase *at, const char *name) {
  AbContext *ctx = plugin_test_context(at), *twin = plugin_test_context(at);
  AbContext *other = ab_context_new(at->device, at->real, 8);
  AbNoise *a = plugin_test_new(ctx, AB_KIND_NOISE, name);
  AbNoise *b = plugin_test_new(twin, AB_KIND_NOISE, name);
  AbNoise *c = plugin_test_new(other, AB_KIND_NOISE, name);
  AbTensor *x = images(ctx, 0.2, 0.8);
  g_autofree double *clean = plugin_test_values(x), *step3 = corrupted(a, x, 3);
  g_autofree double *step4 = corrupted(a, x, 4), *again = corrupted(a, x, 3);
  g_autofree double *resumed = corrupted(b, images(twin, 0.2, 0.8), 3);
  g_autofree double *reseeded = corrupted(c, images(other, 0.2, 0.8), 3);
  g_autofree double *after = plugin_test_values(x);
  gsize bytes = COUNT * sizeof(double);

  g_assert_cmpmem(clean, bytes, after, bytes);
  g_assert_cmpmem(step3, bytes, again, bytes);
  g_assert_cmpmem(step3, bytes, resumed, bytes);
  g_assert_cmpint(memcmp(step3, step4, bytes), !=, 0);
  g_assert_cmpint(memcmp(step3, reseeded, bytes), !=, 0);
  g_assert_cmpint(memcmp(step3, clean, bytes), !=, 0);
  ab_instance_free(a);
  ab_instance_free(b);
  ab_instance_free(c);
  plugin_test_finish(ctx);
  plugin_test_finish(twin);
  plugin_test_finish(other);
}

static void test_streams(const PluginTestCase *at) {
  check_streams(at, "gaussian");
  check_streams(at, "masking");
  check_streams(at, "salt-and-pepper");
}

/* ---- Gaussian -------------------------------------------------------------------------------- */

static void test_gaussian(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbNoise *noise = plugin_test_new(ctx, AB_KIND_NOISE, "gaussian");
  AbTensor *x = images(ctx, -1, 1);
  g_autofree double *clean = plugin_test_values(x), *noisy = NULL, *none = NULL;
  double n = COUNT, sum = 0, squares = 0, cubes = 0, fourths = 0, with_x = 0, neighbours = 0;

  plugin_test_set_real(noise, "mean", 0.25);
  plugin_test_set_real(noise, "std", 0.5);
  noisy = corrupted(noise, x, 0);
  for (gint64 i = 0; i < COUNT; i++) {
    double e = (noisy[i] - clean[i] - 0.25) / 0.5,
           before = i > 0 ? (noisy[i - 1] - clean[i - 1] - 0.25) / 0.5 : 0;

    sum += e;
    squares += e * e;
    cubes += e * e * e;
    fourths += e * e * e * e;
    with_x += e * clean[i];
    neighbours += e * before;
  }
  g_assert_cmpfloat(fabs(sum / n), <, 5 / sqrt(n));
  g_assert_cmpfloat(fabs(squares / n - 1), <, 5 * sqrt(2 / n));
  g_assert_cmpfloat(fabs(cubes / n), <, 5 * sqrt(15 / n));
  g_assert_cmpfloat(fabs(fourths / n - 3), <, 5 * sqrt(96 / n));
  g_assert_cmpfloat(fabs(with_x / n), <, 5 * sqrt(1 / 3.0 / n));
  g_assert_cmpfloat(fabs(neighbours / n), <, 5 / sqrt(n));

  plugin_test_set_real(noise, "std", 0);
  none = corrupted(noise, x, 0);
  for (gint64 i = 0; i < COUNT; i++) plugin_test_close(none[i], clean[i] + 0.25, 1e-6);
  ab_instance_free(noise);
  plugin_test_finish(ctx);
}

/* ---- masking --------------------------------------------------------------------------------- */

static void check_masking(AbContext *ctx, double fraction) {
  AbNoise *noise = plugin_test_new(ctx, AB_KIND_NOISE, "masking");
  AbTensor *x = images(ctx, 0.5, 1);
  g_autofree double *clean = plugin_test_values(x), *noisy = NULL;
  gint64 masked = 0, pairs = 0;

  plugin_test_set_real(noise, "fraction", fraction);
  noisy = corrupted(noise, x, 1);
  for (gint64 i = 0; i < COUNT; i++) {
    if (noisy[i] != 0) g_assert_cmpfloat(noisy[i], ==, clean[i]);
    masked += noisy[i] == 0;
    pairs += noisy[i] == 0 && noisy[(i + 1) % COUNT] == 0; /* neighbours are independent */
  }
  check_part(masked, fraction);
  g_assert_cmpfloat(fabs((double)pairs / COUNT - fraction * fraction), <, 8 / sqrt(COUNT));
  ab_instance_free(noise);
}

static void test_masking(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);

  check_masking(ctx, 0); /* exactly none */
  check_masking(ctx, 0.3);
  check_masking(ctx, 0.9);
  check_masking(ctx, 1); /* exactly all */
  plugin_test_finish(ctx);
}

/* ---- salt and pepper ------------------------------------------------------------------------- */

static void check_salt(AbContext *ctx, double fraction, double low, double high) {
  AbNoise *noise = plugin_test_new(ctx, AB_KIND_NOISE, "salt-and-pepper");
  AbTensor *x = images(ctx, 0.2, 0.8);
  g_autofree double *clean = plugin_test_values(x), *noisy = NULL;
  gint64 lows = 0, highs = 0;

  plugin_test_set_real(noise, "fraction", fraction);
  plugin_test_set_real(noise, "low", low);
  plugin_test_set_real(noise, "high", high);
  noisy = corrupted(noise, x, 2);
  for (gint64 i = 0; i < COUNT; i++) {
    lows += noisy[i] == low;
    highs += noisy[i] == high;
    if (noisy[i] != low && noisy[i] != high) g_assert_cmpfloat(noisy[i], ==, clean[i]);
  }
  check_part(lows, fraction / 2);
  check_part(highs, fraction / 2);
  check_part(lows + highs, fraction);
  ab_instance_free(noise);
}

static void test_salt_and_pepper(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);

  check_salt(ctx, 0, 0, 1);
  check_salt(ctx, 0.3, 0, 1);
  check_salt(ctx, 0.5, -2, 3);
  check_salt(ctx, 1, 0, 1);
  plugin_test_finish(ctx);
}

/* With a fraction of 1 nothing is kept, not even where the number drawn is exactly at the edge of
 * the two halves: in f32 once in 2^24 elements, for this seed in this step.                      */
static void test_edge(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
  AbNoise *noise = plugin_test_new(ctx, AB_KIND_NOISE, "salt-and-pepper");
  g_autofree double *noisy = NULL;

  plugin_test_set_real(noise, "fraction", 1);
  noisy = corrupted(noise, images(ctx, 0.2, 0.8), 97);
  for (gint64 i = 0; i < COUNT; i++) g_assert_true(noisy[i] == 0 || noisy[i] == 1);
  ab_instance_free(noise);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/noise/streams", test_streams);
  plugin_test_add("/noise/gaussian", test_gaussian);
  plugin_test_add("/noise/masking", test_masking);
  plugin_test_add("/noise/salt-and-pepper", test_salt_and_pepper);
  g_test_add_func("/noise/salt-and-pepper/edge", test_edge);
  return g_test_run();
}
