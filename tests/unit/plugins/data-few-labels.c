/* SPDX-License-Identifier: Apache-2.0
 *
 * Few labels, made from the digits and from spirals: which samples come where, how often, with
 * which label, and what is refused. */
#include "plugin-test.h"
#include "store/service.h"
#include "store/store.h"
#include <string.h>

typedef struct {
  AbContext *ctx;
  AbData *of, *data;
} Fixture;

static void begin(Fixture *f, const char *of) {
  f->ctx = ab_context_new("reference", AB_F32, 1);
  ab_set_store(f->ctx, store_service());
  f->of = plugin_test_new_at(f->ctx, AB_KIND_DATA, of, "data/of");
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "few-labels");
  plugin_test_slot(f->data, "of", f->of);
}

static void set(Fixture *f, gint64 labelled, gint64 validation) {
  plugin_test_set_int(f->data, "labelled", labelled);
  plugin_test_set_int(f->data, "validation", validation);
}

static void end(Fixture *f) {
  ab_instance_free(f->data);
  ab_instance_free(f->of);
  plugin_test_finish(f->ctx);
}

/* Row `row` of `all` [n, width] is this sample. */
static gboolean same(const double *sample, const double *all, gint64 row, gint64 width) {
  return memcmp(sample, all + row * width, (gsize)width * sizeof *all) == 0;
}

/* The first row of `all` with that sample; -1. */
static gint64 find(const double *sample, const double *all, gint64 count, gint64 width) {
  for (gint64 i = 0; i < count; i++)
    if (same(sample, all, i, width)) return i;
  return -1;
}

/* What training gives of the digits, with its place in `of`. */
typedef struct {
  gint64 count;
  double *x, *y, *unlabelled, *all, *classes; /* all and classes: of `of` */
} Training;

static Training training_of(Fixture *f) {
  Training t = {.count = ab_data_samples(f->data, AB_TRAIN)};

  t.x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
  t.y = plugin_test_fetch_all(f->data, "y", AB_TRAIN);
  t.unlabelled = plugin_test_fetch_all(f->data, "unlabelled", AB_TRAIN);
  t.all = plugin_test_fetch_all(f->of, "x", AB_TRAIN);
  t.classes = plugin_test_fetch_all(f->of, "y", AB_TRAIN);
  plugin_test_fine(f->ctx);
  return t;
}

static void training_clear(Training *t) {
  g_free(t->x);
  g_free(t->y);
  g_free(t->unlabelled);
  g_free(t->all);
  g_free(t->classes);
}

static void test_fields(void) {
  Fixture f;

  begin(&f, "digits");
  g_assert_true(plugin_test_open(f.data));
  g_assert_cmpint(ab_data_field_count(f.data), ==, 3);
  g_assert_cmpstr(ab_data_field_at(f.data, 2).name, ==, "unlabelled");
  for (int i = 0; i < 3; i += 2) {
    AbSpec spec = ab_data_field_at(f.data, i).spec;

    g_assert_cmpint(spec.rank, ==, 2);
    g_assert_cmpint(spec.shape[1], ==, 8);
    g_assert_cmpint(spec.range, ==, AB_RANGE_UNIT);
    g_assert_true(ab_data_is_another_x(f.data, i) == (i == 2));
  }
  /* by default a tenth is for validation */
  g_assert_cmpint(ab_data_samples(f.data, AB_TRAIN), ==, 1437 - 143);
  g_assert_cmpint(ab_data_samples(f.data, AB_VALIDATION), ==, 143);
  g_assert_cmpint(ab_data_samples(f.data, AB_TEST), ==, 360);
  end(&f);
}

/* Every training sample once as `unlabelled`; as x fifty, five of each class, equally often. */
static void test_training(void) {
  Fixture f;
  Training t;
  int seen[1437] = {0}, shown[1437] = {0}, of_class[10] = {0}, chosen = 0;

  begin(&f, "digits");
  set(&f, 50, 137);
  g_assert_true(plugin_test_open(f.data));
  t = training_of(&f);
  g_assert_cmpint(t.count, ==, 1300);
  for (gint64 i = 0; i < t.count; i++) {
    gint64 sample = find(t.unlabelled + 64 * i, t.all, 1437, 64);
    gint64 labelled = find(t.x + 64 * i, t.all, 1437, 64);

    g_assert_true(sample >= 0 && labelled >= 0);
    seen[sample]++;
    shown[labelled]++;
    g_assert_cmpfloat(t.y[i], ==, t.classes[labelled]);
  }
  for (int i = 0; i < 1437; i++) {
    g_assert_cmpint(seen[i], <=, 1);
    if (shown[i] == 0) continue;
    g_assert_cmpint(shown[i], ==, 26); /* 1300 / 50 */
    g_assert_cmpint(seen[i], ==, 1);   /* nothing that is held out */
    of_class[(int)t.classes[i]]++;
    chosen++;
  }
  g_assert_cmpint(chosen, ==, 50);
  for (int c = 0; c < 10; c++) g_assert_cmpint(of_class[c], ==, 5);
  training_clear(&t);
  end(&f);
}

/* Validation is what training does not have, and test is that of the data, both with labels. */
static void test_others(void) {
  Fixture f;
  Training t;
  int held = 0;

  begin(&f, "digits");
  set(&f, 10, 200);
  g_assert_true(plugin_test_open(f.data));
  t = training_of(&f);
  for (int k = 0; k < 2; k++) {
    AbSplit split = k == 0 ? AB_VALIDATION : AB_TEST;
    gint64 count = ab_data_samples(f.data, split);
    g_autofree double *x = plugin_test_fetch_all(f.data, "x", split);
    g_autofree double *y = plugin_test_fetch_all(f.data, "y", split);
    g_autofree double *again = plugin_test_fetch_all(f.data, "unlabelled", split);

    g_assert_cmpmem(x, (gsize)(count * 64) * sizeof *x, again, (gsize)(count * 64) * sizeof *x);
    if (split == AB_TEST) {
      plugin_test_rows(f.of, "x", AB_TEST, count, x);
      plugin_test_rows(f.of, "y", AB_TEST, count, y);
      continue;
    }
    g_assert_cmpint(count, ==, 200);
    for (gint64 i = 0; i < count; i++) {
      gint64 sample = find(x + 64 * i, t.all, 1437, 64);

      g_assert_cmpint(sample, >=, 0);
      g_assert_cmpfloat(y[i], ==, t.classes[sample]);
      held += find(x + 64 * i, t.unlabelled, t.count, 64) < 0;
    }
  }
  g_assert_cmpint(held, ==, 200);
  training_clear(&t);
  end(&f);
}

/* The same seed chooses the same samples, whatever that of the run; another others. */
static void test_seed(void) {
  double *x[3];

  for (int i = 0; i < 3; i++) {
    Fixture f;
    gint64 rows[20];

    begin(&f, "digits");
    set(&f, 20, 0);
    plugin_test_set_int(f.data, "seed", i == 2 ? 5 : 4);
    for (int r = 0; r < 20; r++) rows[r] = r;
    g_assert_true(plugin_test_open(f.data));
    x[i] = plugin_test_fetch(f.data, "x", AB_TRAIN, rows, 20);
    end(&f);
  }
  g_assert_cmpmem(x[0], 20 * 64 * sizeof(double), x[1], 20 * 64 * sizeof(double));
  g_assert_true(memcmp(x[0], x[2], 20 * 64 * sizeof(double)) != 0);
  for (int i = 0; i < 3; i++) g_free(x[i]);
}

/* Rows in any order and number, also more than before. */
static void test_rows(void) {
  Fixture f;
  const gint64 few[] = {7, 3}, more[] = {1, 1000, 7, 3, 12};

  begin(&f, "digits");
  set(&f, 10, 0);
  g_assert_true(plugin_test_open(f.data));
  {
    g_autofree double *a = plugin_test_fetch(f.data, "unlabelled", AB_TRAIN, few, 2);
    g_autofree double *b = plugin_test_fetch(f.data, "unlabelled", AB_TRAIN, more, 5);
    g_autofree double *expected = plugin_test_fetch(f.of, "x", AB_TRAIN, more, 5);

    g_assert_cmpmem(a, 128 * sizeof *a, b + 128, 128 * sizeof *b);
    g_assert_cmpmem(b, 5 * 64 * sizeof *b, expected, 5 * 64 * sizeof *b);
  }
  end(&f);
}

static void test_place(void) {
  Fixture f;
  char text[600];

  begin(&f, "digits");
  set(&f, 10, 0);
  g_assert_true(plugin_test_open(f.data));
  ab_data_place(f.data, AB_TEST, 3, text, sizeof text);
  g_assert_cmpstr(text, ==, "sample 3 of test");
  ab_data_place(f.data, AB_TRAIN, 3, text, sizeof text);
  g_assert_true(g_str_has_prefix(text, "sample 3 of train as unlabelled, sample "));
  g_assert_true(g_str_has_suffix(text, " of train as x"));
  end(&f);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void check_error(const char *of, gint64 labelled, gint64 validation, const char *pattern) {
  Fixture f;

  begin(&f, of);
  set(&f, labelled, validation);
  g_assert_false(plugin_test_open(f.data));
  plugin_test_error(f.ctx, AB_CONFIG, pattern);
  end(&f);
}

static void test_errors(void) {
  check_error("digits", 95, 0, "data (few-labels): labelled: 95 is not*10 classes; 90 or 100 is");
  check_error("digits", 7, 0, "data (few-labels): labelled: 7 is less*10 or more");
  check_error("digits", 1000, 600,
              "data (few-labels): data/of has 1437 training samples*take less");
  /* 141 eights */
  check_error("digits", 1420, 0,
              "*labelled: 1420*142 samples of each*class 8 has 141*at most 1410*");
}

static void test_children(void) {
  char *folder = plugin_test_folder();
  const char numbers[] = "a,y\n1,0.5\n2,0.25\n3,0.75\n4,0.5\n5,1.5\n6,2.5\n7,3.25\n8,1.75\n";
  char *path = plugin_test_write(folder, "numbers.csv", numbers, strlen(numbers));
  Fixture f, outer;

  begin(&f, "csv");
  plugin_test_set_text(f.of, "file", path);
  plugin_test_set_text(f.of, "target", "y");
  set(&f, 2, 0);
  g_assert_false(plugin_test_open(f.data));
  plugin_test_error(f.ctx, AB_CONFIG, "data (few-labels): data/of must have*as y one class*");
  end(&f);

  begin(&f, "spiral"); /* of itself */
  set(&f, 3, 0);
  outer = f;
  outer.data = plugin_test_new_at(f.ctx, AB_KIND_DATA, "few-labels", "data/outer");
  plugin_test_slot(outer.data, "of", f.data);
  set(&outer, 3, 0);
  g_assert_false(plugin_test_open(outer.data));
  plugin_test_error(f.ctx, AB_CONFIG, "data/outer (few-labels): data has a field unlabelled*");
  ab_instance_free(outer.data);
  end(&f);
  g_free(path);
  plugin_test_drop_folder(folder);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plugins/data/few-labels/fields", test_fields);
  g_test_add_func("/plugins/data/few-labels/training", test_training);
  g_test_add_func("/plugins/data/few-labels/others", test_others);
  g_test_add_func("/plugins/data/few-labels/seed", test_seed);
  g_test_add_func("/plugins/data/few-labels/rows", test_rows);
  g_test_add_func("/plugins/data/few-labels/place", test_place);
  g_test_add_func("/plugins/data/few-labels/errors", test_errors);
  g_test_add_func("/plugins/data/few-labels/children", test_children);
  return g_test_run();
}
