/* SPDX-License-Identifier: Apache-2.0
 *
 * Sweeps and the rungs of a halving, against points worked out by hand. */
#include "compare/compare-internal.h"

#include <math.h>
#include <string.h>

static GPtrArray *axes_of(const char *const *texts) {
  GPtrArray *axes = g_ptr_array_new_with_free_func((GDestroyNotify)axis_free);
  for (guint i = 0; texts[i]; i++) {
    g_autoptr(GError) error = NULL;
    Axis *axis = axis_parse(texts[i], &error);
    g_assert_no_error(error);
    g_ptr_array_add(axes, axis);
  }
  return axes;
}

static char *values_of(const char *text) {
  const char *const texts[] = {text, NULL};
  g_autoptr(GPtrArray) axes = axes_of(texts);
  const Axis *axis = axes->pdata[0];
  GString *all = g_string_new(NULL);
  for (guint i = 0; axis->values && i < axis->values->len; i++)
    g_string_append_printf(all, "%s%s", i ? "|" : "", (const char *)axis->values->pdata[i]);
  return g_string_free(all, FALSE);
}

static void values_are(const char *text, const char *expected) {
  g_autofree char *values = values_of(text);
  g_assert_cmpstr(values, ==, expected);
}

static void test_values(void) {
  values_are("model.hidden=64,128, 256", "64|128|256");
  values_are("model.units=[64, 16],[128,32]", "[64, 16]|[128,32]");
  values_are("a='x,y',\"z\",{b: 1, c: [2, 3]}", "'x,y'|\"z\"|{b: 1, c: [2, 3]}");
  values_are("lr=lin:0.0..1:5", "0|0.25|0.5|0.75|1");
  values_are("lr=log:1e-4..1e-2:5", "0.0001|0.000316228|0.001|0.00316228|0.01");
  values_are("hidden=lin:64..256:4", "64|128|192|256");
  values_are("hidden=log:16..1024:4", "16|64|256|1024");
  values_are("hidden=lin:-1..1:3", "-1|0|1");
}

static void test_grid(void) {
  static const char *const texts[] = {"model.hidden=8,16", "optimizer.lr=log:0.1..1e1:3", NULL};
  static const char *const names[] = {"hidden=8,lr=0.1",  "hidden=8,lr=1",  "hidden=8,lr=10",
                                      "hidden=16,lr=0.1", "hidden=16,lr=1", "hidden=16,lr=10"};
  g_autoptr(GPtrArray) axes = axes_of(texts);
  g_autoptr(GPtrArray) points = sweep_points(axes, 0, NULL);
  g_assert_cmpuint(points->len, ==, 6);
  for (guint i = 0; i < 6; i++) g_assert_cmpstr(((Point *)points->pdata[i])->name, ==, names[i]);
  const Point *last = points->pdata[5];
  g_assert_cmpstr(last->sets[0], ==, "model.hidden=16");
  g_assert_cmpstr(last->sets[1], ==, "optimizer.lr=10");
  g_assert_null(last->sets[2]);
}

/* Names are as short as they can be told apart. */
static void test_names(void) {
  static const char *const texts[] = {"model.encoder.units=1", "model.decoder.units=2", "units=3",
                                      "model.k=4", NULL};
  g_autoptr(GPtrArray) axes = axes_of(texts);
  g_autoptr(GPtrArray) points = sweep_points(axes, 0, NULL);
  g_assert_cmpstr(((Point *)points->pdata[0])->name, ==,
                  "encoder.units=1,decoder.units=2,units=3,k=4");
}

static double number_in(const Point *point, guint axis) {
  return g_ascii_strtod(strchr(point->sets[axis], '=') + 1, NULL);
}

static void test_random(void) {
  static const char *const texts[] = {"lr=log:1e-4..1e-1", "hidden=lin:1..8", "rate=lin:0.0..0.5",
                                      "kind=a,b", NULL};
  g_autoptr(GPtrArray) axes = axes_of(texts);
  g_autoptr(GPtrArray) few = sweep_points(axes, 100, NULL);
  g_autoptr(GPtrArray) many = sweep_points(axes, 400, NULL);
  guint below = 0, low = 0, ones = 0;
  for (guint i = 0; i < few->len; i++)
    g_assert_cmpstr(((Point *)few->pdata[i])->name, ==, ((Point *)many->pdata[i])->name);
  for (guint i = 0; i < many->len; i++) {
    double lr = number_in(many->pdata[i], 0), hidden = number_in(many->pdata[i], 1);
    double rate = number_in(many->pdata[i], 2);
    g_assert_true(lr >= 1e-4 && lr <= 0.1 && rate >= 0 && rate <= 0.5);
    g_assert_true(hidden >= 1 && hidden <= 8 && hidden == floor(hidden));
    below += lr < sqrt(1e-5); /* half of the logarithms */
    low += rate < 0.25;
    ones += hidden == 1;
  }
  /* 400 draws of a half have a deviation of 10, of an eighth 6.6: five of them */
  g_assert_true(below > 150 && below < 250 && low > 150 && low < 250);
  g_assert_true(ones > 17 && ones < 83);
}

static void refused(const char *text, const char *why) {
  g_autoptr(GError) error = NULL;
  Axis *axis = axis_parse(text, &error);
  g_assert_null(axis);
  g_assert_error(error, HOST_ERROR, AB_USAGE);
  if (!strstr(error->message, why)) g_error("'%s' is not in: %s", why, error->message);
}

static void test_refused(void) {
  refused("model.hidden", "no key before");
  refused("=1,2", "no key before");
  refused(".a=1", "empty element");
  refused("a..b=1", "empty element");
  refused("a=1,,2", "empty value");
  refused("a=", "empty value");
  refused("a=1,1", "twice");
  refused("a=log:0..1:3", "logarithm");
  refused("a=lin:2..1:3", "not below");
  refused("a=lin:1..x:3", "no number");
  refused("a=lin:1", "no LOW..HIGH");
  refused("a=lin:1..2:1", "COUNT");
  refused("a=lin:1..2:1e9", "COUNT");
  refused("a=lin:0..1:5", "distinct");
  refused("a=lin:-1e308..1e308:3", "too long");
  refused("a=\xff,1", "no UTF-8");
}

static void no_points(const char *const *texts, gint64 random, const char *why) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) axes = axes_of(texts);
  g_assert_null(sweep_points(axes, random, &error));
  g_assert_error(error, HOST_ERROR, AB_USAGE);
  if (!strstr(error->message, why)) g_error("'%s' is not in: %s", why, error->message);
}

static void test_no_points(void) {
  no_points((const char *const[]){"a=1", "a=2", NULL}, 0, "two axes");
  no_points((const char *const[]){"a=lin:1..2", NULL}, 0, "how many");
  no_points((const char *const[]){"a=1,2", NULL}, 3, "distinct");
  no_points((const char *const[]){"a=1,2", NULL}, 100000, "at most");
  no_points((const char *const[]){"a=lin:0..99:100", "b=lin:0..99:100", NULL}, 0, "more than");
}

/* Nine candidates, 27 epochs, a third each time: 9 to epoch 3, 3 to 9, 1 to 27. */
static void test_halving(void) {
  g_assert_cmpint(halving_rungs(9, 27, 3), ==, 3);
  g_assert_cmpint(halving_rungs(9, 2, 3), ==, 1); /* there are no epochs to share out */
  g_assert_cmpint(halving_rungs(1, 100, 3), ==, 1);
  g_assert_cmpint(halving_rungs(8, 100, 2), ==, 4);
  for (gint64 rung = 0, epochs = 3, left = 9; rung < 3; rung++, epochs *= 3, left /= 3) {
    g_assert_cmpint(halving_epochs(27, rung, 3, 3), ==, epochs);
    g_assert_cmpint(halving_survivors(9, rung, 3), ==, left);
  }
  g_assert_cmpint(halving_survivors(5, 2, 2), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/compare/sweep/values", test_values);
  g_test_add_func("/compare/sweep/grid", test_grid);
  g_test_add_func("/compare/sweep/names", test_names);
  g_test_add_func("/compare/sweep/random", test_random);
  g_test_add_func("/compare/sweep/refused", test_refused);
  g_test_add_func("/compare/sweep/no-points", test_no_points);
  g_test_add_func("/compare/sweep/halving", test_halving);
  return g_test_run();
}
