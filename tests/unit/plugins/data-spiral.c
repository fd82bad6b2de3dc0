/* SPDX-License-Identifier: Apache-2.0
 *
 * Spirals: points without noise lie where the formula says, points with noise at the radius that it
 * says and at angles that scatter as asked; the same seed gives the same points.                */
#include "plugin-test.h"
#include <math.h>

typedef struct {
  AbContext *ctx;
  AbData *data;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused) {
  (void)unused;
  f->ctx = ab_context_new("reference", AB_F32, 1);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "spiral");
}

static void tear_down(Fixture *f, gconstpointer unused) {
  (void)unused;
  ab_instance_free(f->data);
  ab_context_free(f->ctx);
}

static void test_defaults(Fixture *f, gconstpointer unused) {
  (void)unused;
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 300);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 300);
  g_assert_cmpint(ab_data_samples(f->data, AB_VALIDATION), ==, 0);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 3);
}

/* Half a turn in four points: worked out by hand. */
static void test_formula(Fixture *f, gconstpointer unused) {
  static const double s = 0.38268343236508977, c = 0.92387953251128674;
  const double expected[] = {0.125 * s, 0.125 * c,  -0.125 * s, -0.125 * c, /* 1/8 of pi */
                             0.375 * c, 0.375 * s,  -0.375 * c, -0.375 * s, /* 3/8       */
                             0.625 * c, -0.625 * s, -0.625 * c, 0.625 * s,  /* 5/8       */
                             0.875 * s, -0.875 * c, -0.875 * s, 0.875 * c}; /* 7/8       */
  g_autofree double *x = NULL, *y = NULL;

  (void)unused;
  plugin_test_set_int(f->data, "classes", 2);
  plugin_test_set_int(f->data, "samples", 4);
  plugin_test_set_int(f->data, "test_samples", 0);
  plugin_test_set_real(f->data, "noise", 0);
  plugin_test_set_real(f->data, "turns", 0.5);
  g_assert_true(plugin_test_open(f->data));
  x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
  y = plugin_test_fetch_all(f->data, "y", AB_TRAIN);
  for (int i = 0; i < 16; i++) g_assert_cmpfloat_with_epsilon(x[i], expected[i], 1e-7);
  for (int i = 0; i < 8; i++) g_assert_cmpfloat(y[i], ==, i % 2);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 0);
}

/* Of 30,000 points: the angle around the arm has mean 0 and the standard deviation asked for, each
 * within five standard errors (0.3 / 173 and 0.3 / 245).                                        */
static void test_noise(Fixture *f, gconstpointer unused) {
  double sum = 0, squares = 0;

  (void)unused;
  plugin_test_set_int(f->data, "samples", 10000);
  plugin_test_set_real(f->data, "noise", 0.3);
  plugin_test_set_real(f->data, "turns", 1);
  g_assert_true(plugin_test_open(f->data));
  {
    g_autofree double *x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);

    for (int i = 0; i < 30000; i++) {
      double t = (i / 3 + 0.5) / 10000, arm = 2 * G_PI * (i % 3 / 3.0 + t);
      double off = remainder(atan2(x[2 * i], x[2 * i + 1]) - arm, 2 * G_PI);

      g_assert_cmpfloat_with_epsilon(hypot(x[2 * i], x[2 * i + 1]), t, 1e-6);
      sum += off;
      squares += off * off;
    }
  }
  g_assert_cmpfloat_with_epsilon(sum / 30000, 0, 5 * 0.3 / 173);
  g_assert_cmpfloat_with_epsilon(sqrt(squares / 30000), 0.3, 5 * 0.3 / 245);
}

static double *points(AbContext *ctx, gint64 seed, AbSplit split) {
  AbData *data = plugin_test_new(ctx, AB_KIND_DATA, "spiral");
  double *x;

  plugin_test_set_int(data, "seed", seed);
  g_assert_true(plugin_test_open(data));
  x = plugin_test_fetch_all(data, "x", split);
  ab_instance_free(data);
  return x;
}

static void test_seed(Fixture *f, gconstpointer unused) {
  g_autofree double *a = points(f->ctx, 3, AB_TRAIN), *b = points(f->ctx, 3, AB_TRAIN);
  g_autofree double *other = points(f->ctx, 4, AB_TRAIN), *test = points(f->ctx, 3, AB_TEST);
  AbContext *run = ab_context_new("reference", AB_F32, 99); /* another seed of the run */
  g_autofree double *c = points(run, 3, AB_TRAIN);
  int same_other = 0, same_test = 0;

  (void)unused;
  g_assert_cmpmem(a, 600 * sizeof(double), b, 600 * sizeof(double));
  g_assert_cmpmem(a, 600 * sizeof(double), c, 600 * sizeof(double));
  for (int i = 0; i < 600; i++) {
    same_other += a[i] == other[i];
    same_test += a[i] == test[i];
  }
  g_assert_cmpint(same_other, <, 5);
  g_assert_cmpint(same_test, <, 5);
  ab_context_free(run);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define TEST_CASE(name, function) \
  g_test_add("/plugins/data/spiral/" name, Fixture, NULL, set_up, function, tear_down)
  TEST_CASE("defaults", test_defaults);
  TEST_CASE("formula", test_formula);
  TEST_CASE("noise", test_noise);
  TEST_CASE("seed", test_seed);
  return g_test_run();
}
