/* SPDX-License-Identifier: Apache-2.0
 *
 * Draws beyond the plain ones: fused, categorical, Gumbel, exponential, permutations, dropout. */
#include "device-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

#define COUNT 20011

/* Two steps of a context give the same draws. */
static void test_sample_sigmoid(const void *device) {
  for (AbDtype real = AB_F32; real <= AB_F64; real++) {
    AbContext *ctx = sdk_context(device, real);
    g_autofree double *numbers = sdk_numbers(COUNT, -5, 5, 3);
    AbTensor *x = sdk_tensor(ctx, AB_SHAPE(COUNT), numbers), *mean;
    ab_begin(ctx, AB_PURPOSE_TRAIN, 4);
    AbTensor *fused = ab_sample_sigmoid(x, &mean), *p = ab_sigmoid(x);
    g_autofree double *bits = sdk_values(fused), *means = sdk_values(mean), *ps = sdk_values(p);
    double ones = 0, expected = 0, variance = 0;
    for (int i = 0; i < COUNT; i++) {
      g_assert_cmpfloat(means[i], ==, ps[i]);
      g_assert_true(bits[i] == 0 || bits[i] == 1);
      ones += bits[i];
      expected += ps[i];
      variance += ps[i] * (1 - ps[i]);
    }
    g_assert_cmpfloat(fabs(ones - expected), <, 4 * sqrt(variance));
    g_assert_null(ab_sample_sigmoid(NULL, &mean));
    g_assert_null(mean);
    g_assert_cmpint(ab_count(ab_sample_sigmoid(ab_zeros(ctx, AB_SHAPE(0)), NULL)), ==, 0);
    sdk_finish(ctx);
  }
}

/* Below the bound, also where rounding would reach it. */
static void test_uniform(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  g_autofree double *x = sdk_values(ab_uniform(ctx, AB_SHAPE(COUNT), 16777216, 16777218));
  for (int i = 0; i < COUNT; i++) g_assert_cmpfloat(x[i], ==, 16777216);
  g_autofree double *same = sdk_values(ab_uniform(ctx, AB_SHAPE(3), 2, 2));
  g_assert_cmpfloat(same[1], ==, 2);
  g_assert_null(ab_uniform(ctx, AB_SHAPE(3), 2, 1));
  sdk_assert_error(ctx, AB_CONFIG, "uniform", "2 and 1", NULL);
  g_assert_null(ab_uniform(ctx, AB_SHAPE(3), 0, INFINITY));
  sdk_assert_error(ctx, AB_CONFIG, "uniform", "finite", NULL);
  sdk_finish(ctx);
}

static void test_moments(const void *device) {
  for (AbDtype real = AB_F32; real <= AB_F64; real++) {
    AbContext *ctx = sdk_context(device, real);
    g_autofree double *e = sdk_values(ab_exponential(ctx, AB_SHAPE(COUNT), 4));
    g_autofree double *g = sdk_values(ab_gumbel(ctx, AB_SHAPE(COUNT)));
    double sum_e = 0, sum_g = 0, above = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
      g_assert_true(e[i] >= 0 && isfinite(g[i]));
      sum_e += e[i] / COUNT;
      sum_g += g[i] / COUNT;
      squares += g[i] * g[i] / COUNT;
      above += e[i] > 0.5;
    }
    g_assert_cmpfloat(fabs(sum_e - 0.25), <, 4 * 0.25 / sqrt(COUNT));
    g_assert_cmpfloat(fabs(above / COUNT - exp(-2)), <, 4 * sqrt(0.117 / COUNT));
    g_assert_cmpfloat(fabs(sum_g - 0.5772156649), <, 4 * 1.2826 / sqrt(COUNT));
    g_assert_cmpfloat(fabs(squares - sum_g * sum_g - M_PI * M_PI / 6), <, 0.1);
    g_assert_null(ab_exponential(ctx, AB_SHAPE(2), 0));
    sdk_assert_error(ctx, AB_CONFIG, "exponential", NULL);
    sdk_finish(ctx);
  }
}

static void test_categorical(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *weights = sdk_tensor(ctx, AB_SHAPE(1, 4), (double[]){1, 0, 5, 2});
  AbTensor *rows = ab_broadcast_to(weights, AB_SHAPE(COUNT, 4));
  AbTensor *drawn = ab_categorical(rows);
  g_assert_cmpint(ab_dtype(drawn), ==, AB_I64);
  AbTensor *logits = ab_log(rows);
  AbTensor *both[] = {drawn, ab_categorical_logits(logits)};
  for (int k = 0; k < 2; k++) {
    g_autofree double *classes = sdk_values(both[k]);
    double counts[4] = {0};
    for (int i = 0; i < COUNT; i++) counts[(int)classes[i]]++;
    g_assert_cmpfloat(counts[1], ==, 0);
    const double p[] = {0.125, 0, 0.625, 0.25};
    for (int j = 0; j < 4; j++)
      g_assert_cmpfloat(fabs(counts[j] - COUNT * p[j]), <=, 4 * sqrt(COUNT * p[j] * (1 - p[j])));
  }
  AbTensor *odd = sdk_tensor(ctx, AB_SHAPE(3, 2), (double[]){0, 0, NAN, 3, -1, 2});
  g_autofree double *classes = sdk_values(ab_categorical(odd));
  g_assert_cmpfloat(classes[0], ==, 0);
  g_assert_cmpfloat(classes[1], ==, 1);
  g_assert_cmpfloat(classes[2], ==, 1);
  g_assert_null(ab_categorical(ab_zeros(ctx, AB_SHAPE(3))));
  sdk_assert_error(ctx, AB_CONFIG, "categorical", "f32 [3]", NULL);
  g_assert_null(ab_categorical_logits(ab_zeros(ctx, AB_SHAPE(3, 0))));
  sdk_assert_error(ctx, AB_CONFIG, "categorical_logits", "f32 [3, 0]", NULL);
  g_assert_null(ab_categorical(NULL));
  sdk_finish(ctx);
}

static void test_permutation(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  bool moved = false;
  AbTensor *p = ab_permutation(ctx, 1000), *q = ab_permutation(ctx, 1000);
  g_autofree double *first = sdk_values(p), *second = sdk_values(q);
  bool seen[1000] = {false};
  for (int i = 0; i < 1000; i++) {
    g_assert_false(seen[(int)first[i]]);
    seen[(int)first[i]] = true;
    moved |= first[i] != second[i];
  }
  g_assert_true(moved);
  g_assert_cmpint(ab_count(ab_permutation(ctx, 0)), ==, 0);
  g_assert_null(ab_permutation(ctx, -1));
  sdk_assert_error(ctx, AB_CONFIG, "[-1]", NULL);
  sdk_finish(ctx);
}

/* In the arithmetic of a mask; the same elements in both passes, and for a differentiable one. */
static void test_dropout(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  g_autofree double *numbers = sdk_numbers(120, 1, 2, 3);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(4, 5, 6), numbers), *g[1], *h[1];
  ab_require_grad(x);
  AbTensor *last = ab_transpose(x, 0, 2); /* another order in memory */
  AbTensor *of[] = {x, last};
  for (int k = 0; k < 2; k++) {
    AbTensor *y = ab_dropout(of[k], 0.25);
    if (k == 1) y = ab_transpose(y, 0, 2);
    g_autofree double *values = sdk_values(y);
    ab_gradients(ab_sum(ab_square(y)), &x, 1, g, true);
    g_autofree double *slopes = sdk_values(g[0]);
    ab_gradients(ab_sum(g[0]), &x, 1, h, false);
    g_autofree double *second = sdk_values(h[0]);
    for (int i = 0; i < 120; i++) {
      double keep = values[i] != 0 ? 4.0 / 3 : 0;
      g_assert_cmpfloat_with_epsilon(values[i], keep * numbers[i], 1e-12);
      g_assert_cmpfloat_with_epsilon(slopes[i], 2 * keep * keep * numbers[i], 1e-12);
      g_assert_cmpfloat_with_epsilon(second[i], 2 * keep * keep, 1e-12);
    }
  }
  g_autofree double *none = sdk_values(ab_dropout(x, 1));
  for (int i = 0; i < 120; i++) g_assert_cmpfloat(none[i], ==, 0);
  g_assert_null(ab_dropout(x, 1.5));
  sdk_assert_error(ctx, AB_CONFIG, "dropout", "1.5", NULL);
  g_assert_null(ab_dropout(x, NAN));
  sdk_assert_error(ctx, AB_CONFIG, "dropout", NULL);
  sdk_finish(ctx);
}

/* Uniform bits, and what is compared with them, are equal on all devices. */
static void test_devices(void) {
  double *first[4] = {NULL};
  for (const char *const *name = ab_device_names(); *name; name++) {
    AbContext *ctx = sdk_context(*name, AB_F32);
    ab_begin(ctx, AB_PURPOSE_TRAIN, 2);
    AbTensor *p = ab_uniform(ctx, AB_SHAPE(COUNT), -3, 5);
    double *of[] = {sdk_values(p),
                    sdk_values(ab_bernoulli(ab_full(ctx, AB_F32, AB_SHAPE(COUNT), 0.3))),
                    sdk_values(ab_dropout(ab_full(ctx, AB_F32, AB_SHAPE(COUNT), 3), 0.3)),
                    sdk_values(ab_permutation(ctx, COUNT))};
    for (int k = 0; k < 4; k++) {
      if (first[k]) {
        g_assert_cmpmem(of[k], COUNT * sizeof(double), first[k], COUNT * sizeof(double));
        g_free(of[k]);
      } else {
        first[k] = of[k];
      }
    }
    sdk_finish(ctx);
  }
  for (int k = 0; k < 4; k++) g_free(first[k]);
}

static GByteArray *bits_of(void) {
  GByteArray *bits = g_byte_array_new();
  AbContext *ctx = sdk_context("cpu", AB_F32);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  AbShape shape = AB_SHAPE(100003);
  sdk_bits_of(ab_uniform(ctx, shape, 0, 1), bits);
  sdk_bits_of(ab_normal(ctx, shape, 0, 1), bits);
  sdk_bits_of(ab_gumbel(ctx, shape), bits);
  sdk_bits_of(ab_exponential(ctx, shape, 1), bits);
  sdk_bits_of(ab_dropout(ab_full(ctx, AB_F32, shape, 1), 0.5), bits);
  sdk_bits_of(ab_sample_sigmoid(ab_normal(ctx, shape, 0, 2), NULL), bits);
  sdk_finish(ctx);
  return bits;
}
static void test_threads(void) {
  sdk_same_bits("draws", bits_of);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/random-ops/sample-sigmoid", test_sample_sigmoid);
  sdk_add("/random-ops/uniform", test_uniform);
  sdk_add("/random-ops/moments", test_moments);
  sdk_add("/random-ops/categorical", test_categorical);
  sdk_add("/random-ops/permutation", test_permutation);
  sdk_add("/random-ops/dropout", test_dropout);
  g_test_add_func("/random-ops/devices", test_devices);
  g_test_add_func("/random-ops/threads", test_threads);
  return g_test_run();
}
