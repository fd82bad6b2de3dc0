/* SPDX-License-Identifier: Apache-2.0
 *
 * Subset and split of data that is stored in slabs, through the feed: a slab costs as much as a
 * row, so an epoch must be shuffled and yet read each slab about once. */
#include "plugin-test.h"

#include "feed/feed.h"
#include <math.h>
#include <string.h>

enum { SLAB = 10, SLABS = 60, ROWS = SLAB * SLABS, CLASSES = 3, BATCH = 16, KEPT = 12 };

/* ---- rows in slabs --------------------------------------------------------------------------- */

/* Remembers the slabs that it was asked for last, as data that reads a file does. */
typedef struct {
  AbData base;
  gint64 cache[KEPT]; /* slab + 1, the most recent first */
  gint64 loads;
  gboolean numbers; /* x is the split of a sample: 0 train, 1 test, 2 validation; else the row */
} Slabs;

static double split_of(gint64 row) {
  return row % 10 < 6 ? 0 : row % 10 < 8 ? 1 : 2;
}

static void slabs_open(AbData *data) {
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {1}, .range = AB_RANGE_REAL};
  AbSpec y = {.rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = CLASSES};
  ab_data_field(data, "x", &x);
  ab_data_field(data, "y", &y);
  ab_data_length(data, AB_TRAIN, ROWS);
  ab_data_locality(data, SLAB);
}

static void touch(Slabs *self, gint64 slab) {
  gint at = 0;
  while (at < KEPT - 1 && self->cache[at] != slab + 1) at++;
  self->loads += self->cache[at] != slab + 1;
  memmove(self->cache + 1, self->cache, (gsize)at * sizeof *self->cache);
  self->cache[0] = slab + 1;
}

static void slabs_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                        void *const *fields) {
  Slabs *self = (Slabs *)data;
  g_assert_cmpint(split, ==, AB_TRAIN);
  for (gint64 i = 0; i < count; i++) {
    g_assert_cmpint(rows[i], >=, 0);
    g_assert_cmpint(rows[i], <, ROWS);
    touch(self, rows[i] / SLAB);
    ((float *)fields[0])[i] = (float)(self->numbers ? split_of(rows[i]) : (double)rows[i]);
    ((gint64 *)fields[1])[i] = rows[i] % CLASSES;
  }
}

static const AbDataVtable table = {
    .struct_size = sizeof table, .open = slabs_open, .fetch = slabs_fetch};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_DATA,
                                      .name = "slabs",
                                      .doc = "Rows in slabs.",
                                      .citation = "",
                                      .instance_size = sizeof(Slabs),
                                      .vtable = &table};

/* ---- a pass ---------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  Slabs *of, *by;
  AbData *data;
  Feed *feed;
} Fixture;

static void begin(Fixture *f, const char *name) {
  *f = (Fixture){.ctx = ab_context_new("cpu", AB_F32, 1)};
  f->of = (Slabs *)ab_instance_new(f->ctx, &component, "data/of", NULL);
  f->by = (Slabs *)ab_instance_new(f->ctx, &component, "data/by", NULL);
  f->by->numbers = TRUE;
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, name);
  plugin_test_slot(f->data, "of", &f->of->base);
}

static void load(Fixture *f) {
  static const FeedTransform transform = {.binarise = NAN};
  g_autoptr(GError) error = NULL;
  FeedOptions options = {.fraction = NAN, .batch = BATCH, .shuffle = true};
  if (ab_data_samples(f->data, AB_VALIDATION) == 0) options.fraction = 0;
  f->feed = feed_new(f->data, &transform, &options, 3, &error);
  g_assert_no_error(error);
  g_assert_true(feed_load(f->feed, &error));
  g_assert_no_error(error);
  f->of->loads = 0;
  memset(f->of->cache, 0, sizeof f->of->cache);
}

static void end(Fixture *f) {
  feed_free(f->feed);
  ab_instance_free(f->data);
  ab_instance_free(&f->of->base);
  ab_instance_free(&f->by->base);
  plugin_test_finish(f->ctx);
}

/* The rows of a pass in their order; free with g_array_unref. */
static GArray *rows_of(Fixture *f, AbSplit split, gint64 epoch) {
  g_autoptr(GError) error = NULL;
  GArray *rows = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_assert_true(feed_start(f->feed, split, epoch, 0, &error));
  for (AbBatch *batch; (batch = feed_next(f->feed, &error));) {
    g_autofree double *x = plugin_test_values(ab_batch_get(batch, "x"));
    g_autofree double *y = plugin_test_values(ab_batch_get(batch, "y"));
    for (gint64 i = 0; i < ab_batch_count(batch); i++) {
      gint64 row = (gint64)x[i];
      g_assert_cmpint((gint64)y[i], ==, row % CLASSES);
      g_array_append_val(rows, row);
    }
    ab_batch_free(batch);
  }
  g_assert_no_error(error);
  plugin_test_fine(f->ctx);
  return rows;
}

static gint64 row_at(const GArray *rows, guint i) {
  return g_array_index(rows, gint64, i);
}

static void assert_once(const GArray *rows, gboolean (*wanted)(gint64 row)) {
  int seen[ROWS] = {0};
  for (guint i = 0; i < rows->len; i++) seen[row_at(rows, i)]++;
  for (gint64 row = 0; row < ROWS; row++) g_assert_cmpint(seen[row], ==, wanted(row));
}

/* How many stand before one that is smaller than they are. */
static guint falls(const GArray *rows) {
  guint count = 0;
  for (guint i = 1; i < rows->len; i++) count += row_at(rows, i) < row_at(rows, i - 1);
  return count;
}

static void assert_shuffled(Fixture *f, gboolean (*wanted)(gint64 row)) {
  GArray *first = rows_of(f, AB_TRAIN, 0);
  gint64 loads = f->of->loads;
  GArray *second = rows_of(f, AB_TRAIN, 1);
  assert_once(first, wanted);
  assert_once(second, wanted);
  g_assert_cmpuint(falls(first), >, first->len / 4); /* half of them, in a random order */
  g_assert_true(memcmp(first->data, second->data, first->len * sizeof(gint64)) != 0);
  g_assert_cmpint(loads, >=, SLABS);
  g_assert_cmpint(loads, <=, 2 * SLABS);
  g_array_unref(first);
  g_array_unref(second);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static gboolean not_class_1(gint64 row) {
  return row % CLASSES != 1;
}

static gboolean is_train(gint64 row) {
  return split_of(row) == 0;
}

static gboolean is_test(gint64 row) {
  return split_of(row) == 1;
}

static gboolean is_validation(gint64 row) {
  return split_of(row) == 2;
}

/* Two thirds of each slab are left: 6.7 rows of 10. */
static void test_subset(void) {
  const gint64 classes[] = {0, 2};
  Fixture f;
  begin(&f, "subset");
  plugin_test_set_ints(f.data, "classes", 2, classes);
  g_assert_true(plugin_test_open(f.data));
  g_assert_cmpint(ab_data_slab(f.data), ==, 7);
  load(&f);
  assert_shuffled(&f, not_class_1);
  end(&f);
}

/* A subset so small that a slab has less than a row of it keeps to slabs all the same. */
static void test_sparse(void) {
  const char *const names[] = {"test", "test", "train", NULL};
  Fixture f;
  begin(&f, "split");
  plugin_test_slot(f.data, "by", &f.by->base);
  plugin_test_set_texts(f.data, "numbers", names);
  g_assert_true(plugin_test_open(f.data));
  g_assert_cmpint(ab_data_samples(f.data, AB_TRAIN), ==, ROWS / 5);
  g_assert_cmpint(ab_data_slab(f.data), ==, 2);
  end(&f);
}

/* 0, 1 and 2 in the order of the names; every split is read in the order of the rows but one. */
static void test_split(void) {
  const char *const names[] = {"train", "test", "validation", NULL};
  Fixture f;
  begin(&f, "split");
  plugin_test_slot(f.data, "by", &f.by->base);
  plugin_test_set_texts(f.data, "numbers", names);
  g_assert_true(plugin_test_open(f.data));
  g_assert_cmpint(ab_data_slab(f.data), ==, 6);
  load(&f);
  assert_shuffled(&f, is_train);
  GArray *test = rows_of(&f, AB_TEST, 0), *validation = rows_of(&f, AB_VALIDATION, 0);
  assert_once(test, is_test);
  assert_once(validation, is_validation);
  g_assert_cmpuint(falls(test), ==, 0);
  g_assert_cmpuint(falls(validation), ==, 0);
  g_array_unref(test);
  g_array_unref(validation);
  end(&f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plugins/data/slabs/subset", test_subset);
  g_test_add_func("/plugins/data/slabs/sparse", test_sparse);
  g_test_add_func("/plugins/data/slabs/split", test_split);
  return g_test_run();
}
