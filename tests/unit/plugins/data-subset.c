/* SPDX-License-Identifier: Apache-2.0
 *
 * Data made from other data: a subset by class of points on spirals, of which sample i is of class
 * i mod 3, and a table divided by a list of numbers.                                             */
#include "plugin-test.h"
#include <string.h>

#define SAMPLES 900 /* of the spirals: more than are read at once */

typedef struct {
  AbContext *ctx;
  AbData *spiral, *subset, *split, *by;
  char *folder;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused) {
  (void)unused;
  f->ctx = ab_context_new("reference", AB_F32, 1);
  f->spiral = plugin_test_new_at(f->ctx, AB_KIND_DATA, "spiral", "data/of");
  f->subset = plugin_test_new(f->ctx, AB_KIND_DATA, "subset");
  plugin_test_set_int(f->spiral, "samples", SAMPLES / 3);
  plugin_test_slot(f->subset, "of", f->spiral);
  f->split = plugin_test_new(f->ctx, AB_KIND_DATA, "split");
  f->by = plugin_test_new_at(f->ctx, AB_KIND_DATA, "csv", "data/by");
  f->folder = plugin_test_folder();
}

static void tear_down(Fixture *f, gconstpointer unused) {
  (void)unused;
  ab_instance_free(f->subset);
  ab_instance_free(f->split);
  ab_instance_free(f->by);
  ab_instance_free(f->spiral);
  plugin_test_drop_folder(f->folder);
  plugin_test_finish(f->ctx);
}

static void choose(Fixture *f, gint64 count, const gint64 *classes, const char *const *splits) {
  plugin_test_set_ints(f->subset, "classes", count, classes);
  plugin_test_set_texts(f->subset, "splits", splits);
}

/* ---- subset ---------------------------------------------------------------------------------- */

/* The rows of a split of the subset are those of the spirals that are not of class 1, in order. */
static void check_rows(Fixture *f, AbSplit split, const char *field, int width) {
  g_autofree double *all = plugin_test_fetch_all(f->spiral, field, split);
  g_autofree double *kept = plugin_test_fetch_all(f->subset, field, split);
  gint64 row = 0;

  for (gint64 i = 0; i < ab_data_samples(f->spiral, split); i++)
    if (i % 3 != 1)
      g_assert_cmpmem(kept + row++ * width, (gsize)width * sizeof *all, all + i * width,
                      (gsize)width * sizeof *all);
  g_assert_cmpint(row, ==, ab_data_samples(f->subset, split));
}

static void test_classes(Fixture *f, gconstpointer unused) {
  const gint64 classes[] = {2, 0};
  const char *const splits[] = {"train", "test", "train", NULL};
  AbField y;

  (void)unused;
  choose(f, 2, classes, splits);
  g_assert_true(plugin_test_open(f->subset));
  g_assert_cmpint(ab_data_samples(f->subset, AB_TRAIN), ==, 600);
  check_rows(f, AB_TRAIN, "x", 2);
  check_rows(f, AB_TRAIN, "y", 1);
  check_rows(f, AB_TEST, "x", 2);
  y = ab_data_field_at(f->subset, 1);
  g_assert_cmpstr(y.name, ==, "y");
  g_assert_cmpint(y.spec.classes, ==, 3);
}

/* By default only training is without the others; rows may be asked for in any order. */
static void test_train_only(Fixture *f, gconstpointer unused) {
  const gint64 classes[] = {1}, rows[] = {299, 0, 7, 7};
  g_autofree double *some = NULL, *all = NULL;
  char place[100];

  (void)unused;
  plugin_test_set_ints(f->subset, "classes", 1, classes);
  g_assert_true(plugin_test_open(f->subset));
  g_assert_cmpint(ab_data_samples(f->subset, AB_TRAIN), ==, 300);
  g_assert_cmpint(ab_data_samples(f->subset, AB_VALIDATION), ==, 0);
  g_assert_cmpint(ab_data_samples(f->subset, AB_TEST), ==, 300);
  some = plugin_test_fetch(f->subset, "x", AB_TRAIN, rows, 4);
  all = plugin_test_fetch_all(f->spiral, "x", AB_TRAIN);
  for (int i = 0; i < 4; i++)
    g_assert_cmpmem(some + 2 * i, 2 * sizeof *all, all + 2 * (3 * rows[i] + 1), 2 * sizeof *all);
  ab_data_place(f->subset, AB_TRAIN, 7, place, sizeof place);
  g_assert_cmpstr(place, ==, "sample 22 of train");
  ab_data_place(f->subset, AB_TEST, 7, place, sizeof place);
  g_assert_cmpstr(place, ==, "sample 7 of test");
}

/* Opens the subset, which must fail. */
static void refused(Fixture *f, AbCode code, const char *pattern) {
  g_assert_false(plugin_test_open(f->subset));
  plugin_test_error(f->ctx, code, pattern);
  ab_instance_free(f->subset);
  ab_instance_free(f->spiral);
  f->spiral = plugin_test_new_at(f->ctx, AB_KIND_DATA, "spiral", "data/of");
  f->subset = plugin_test_new(f->ctx, AB_KIND_DATA, "subset");
  plugin_test_slot(f->subset, "of", f->spiral);
}

static void test_subset_errors(Fixture *f, gconstpointer unused) {
  const gint64 one[] = {1}, third[] = {0, 3};
  const char *const wrong[] = {"train", "testing", NULL}, *const none[] = {"validation", NULL};
  g_autofree char *table = plugin_test_write(f->folder, "t.csv", "1,2,0\n3,4,2\n", 12);
  AbData *csv;

  (void)unused;
  refused(f, AB_CONFIG, "data (subset): classes is empty*0 to 2 of spiral*");
  plugin_test_set_ints(f->subset, "classes", 2, third);
  refused(f, AB_CONFIG, "data (subset): classes names 3*spiral*0 to 2*");
  choose(f, 1, one, wrong);
  refused(f, AB_CONFIG, "data (subset): *'testing'*train, validation and test*");
  choose(f, 1, one, none);
  refused(f, AB_CONFIG, "data (subset): *validation*has none*");
  for (int labelled = 0; labelled < 2; labelled++) {
    csv = plugin_test_new_at(f->ctx, AB_KIND_DATA, "csv", "data/of");
    plugin_test_set_text(csv, "file", table);
    if (labelled) plugin_test_set_text(csv, "target", "3");
    plugin_test_slot(f->subset, "of", csv);
    plugin_test_set_ints(f->subset, "classes", 1, one);
    refused(f, AB_CONFIG,
            labelled ? "data (subset): csv has a y that is no class*" : "*csv has no y*");
    ab_instance_free(csv);
  }
}

/* A class that no sample of the split has. */
static void test_absent(Fixture *f, gconstpointer unused) {
  const gint64 classes[] = {1};
  g_autofree char *train = plugin_test_write(f->folder, "a.csv", "1,0\n2,1\n", 8);
  g_autofree char *test = plugin_test_write(f->folder, "b.csv", "1,0\n2,0\n", 8);
  const char *const splits[] = {"test", NULL};
  AbData *csv = plugin_test_new_at(f->ctx, AB_KIND_DATA, "csv", "data/of");

  (void)unused;
  plugin_test_set_text(csv, "file", train);
  plugin_test_set_text(csv, "test_file", test);
  plugin_test_set_text(csv, "label", "2");
  plugin_test_slot(f->subset, "of", csv);
  choose(f, 1, classes, splits);
  refused(f, AB_DATA, "data (subset): csv has no sample of class 1 in its test split");
  ab_instance_free(csv);
}

/* ---- split ----------------------------------------------------------------------------------- */

/* Nine points, numbered by a table. */
static void divide(Fixture *f, const char *numbers, const char *const *names) {
  g_autofree char *table = plugin_test_write(f->folder, "by.csv", numbers, strlen(numbers));

  ab_instance_free(f->split);
  ab_instance_free(f->by);
  ab_instance_free(f->spiral);
  f->split = plugin_test_new(f->ctx, AB_KIND_DATA, "split");
  f->by = plugin_test_new_at(f->ctx, AB_KIND_DATA, "csv", "data/by");
  f->spiral = plugin_test_new_at(f->ctx, AB_KIND_DATA, "spiral", "data/of");
  plugin_test_set_int(f->spiral, "samples", 3);
  plugin_test_set_int(f->spiral, "test_samples", 0);
  plugin_test_set_text(f->by, "file", table);
  plugin_test_set_choice(f->by, "header", "no");
  plugin_test_slot(f->split, "of", f->spiral);
  plugin_test_slot(f->split, "by", f->by);
  if (names != NULL) plugin_test_set_texts(f->split, "numbers", names);
}

static void check_part(Fixture *f, AbSplit split, gint64 count, const gint64 *rows) {
  g_autofree double *x = plugin_test_fetch(f->spiral, "x", AB_TRAIN, rows, count);

  plugin_test_rows(f->split, "x", split, count, x);
}

static void test_split(Fixture *f, gconstpointer unused) {
  const gint64 train[] = {0, 2, 3, 5}, test[] = {1, 6, 8}, validation[] = {4};
  const char *const names[] = {"train", "none", "test", "validation", NULL};
  char place[100];

  (void)unused;
  divide(f, "0\n2\n0\n0\n3\n0\n2\n1\n2\n", names);
  g_assert_true(plugin_test_open(f->split));
  check_part(f, AB_TRAIN, 4, train);
  check_part(f, AB_TEST, 3, test);
  check_part(f, AB_VALIDATION, 1, validation);
  ab_data_place(f->split, AB_TEST, 2, place, sizeof place);
  g_assert_cmpstr(place, ==, "sample 8 of train");
}

static void split_refused(Fixture *f, AbCode code, const char *pattern) {
  g_assert_false(plugin_test_open(f->split));
  plugin_test_error(f->ctx, code, pattern);
}

static void test_split_errors(Fixture *f, gconstpointer unused) {
  const char *const wrong[] = {"train", "tests", NULL};

  (void)unused;
  divide(f, "0\n1\n0\n0\n2\n0\n1\n1\n1\n", NULL);
  split_refused(f, AB_DATA, "data (split): csv has 2 for sample 4*0 to 1 stand for");
  divide(f, "0\n1\n0\n0.5\n0\n0\n1\n1\n1\n", NULL);
  split_refused(f, AB_DATA, "data (split): csv, in `by`, has no integer for sample 3*scale: false");
  divide(f, "0\n1\n0\n0\n0\n0\n1\n1\n1\n", wrong);
  split_refused(f, AB_CONFIG, "data (split): *'tests'*train, validation, test or none");
  divide(f, "0\n1\n0\n", NULL);
  split_refused(f, AB_DATA, "data (split): *3 numbers for the 9 samples*");
  divide(f, "0,1\n1,0\n", NULL);
  split_refused(f, AB_CONFIG, "data (split): x of csv*not one number a sample");
  divide(f, "0\n1\n0\n0\n1\n0\n1\n1\n1\n", NULL);
  plugin_test_set_int(f->spiral, "test_samples", 5);
  split_refused(f, AB_CONFIG, "data (split): spiral has a validation or test split of its own*");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define TEST_CASE(name, function) \
  g_test_add("/plugins/data/subset/" name, Fixture, NULL, set_up, function, tear_down)
  TEST_CASE("classes", test_classes);
  TEST_CASE("train-only", test_train_only);
  TEST_CASE("errors", test_subset_errors);
  TEST_CASE("absent", test_absent);
  TEST_CASE("split", test_split);
  TEST_CASE("split-errors", test_split_errors);
  return g_test_run();
}
