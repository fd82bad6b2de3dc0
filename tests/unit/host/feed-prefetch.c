/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed inline and on its thread: bad values and errors in order, slabs, and a thread that is
 * left at work.
 */
#include "feed-test.h"

#include <math.h>
#include <string.h>

/* ---- bad values ------------------------------------------------------------------------------ */

/* Without shuffling or holding out, in batches of 4: row 13 is in the fourth. */
static void check_bad(Toy *toy, guint fine, AbCode code, const char *message) {
  FeedOptions options = feed_test_options(4);
  options.shuffle = false;
  options.fraction = 0;
  g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
  for (gint again = 0; again < 2; again++) {
    g_auto(Seen) seen = feed_test_pass_seen(feed, ab_context(&toy->base), toy->fault_split, 0, 0);
    g_assert_error(seen.error, HOST_ERROR, code);
    if (!g_str_has_prefix(seen.error->message, message)) g_error("%s", seen.error->message);
    g_assert_nonnull(strchr(seen.error->message, '\n')); /* the way out */
    g_assert_cmpuint(seen.ids->len, ==, fine);
    g_autoptr(GError) error = NULL;
    g_assert_null(feed_next(feed, &error)); /* a failed pass does not look like one that ended */
    g_assert_error(error, HOST_ERROR, AB_INTERNAL);
  }
}

static double binary_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split;
  return (double)((row + feature) % 2);
}

static Toy *bad_toy(gint kind, Fault fault, double bad) {
  Toy *toy = feed_test_toy_kind(kind, 30);
  if (kind & 2) toy->x.dtype = AB_F64;
  toy->value = binary_values;
  toy->x.shape[0] = 6;
  toy->fault = fault;
  toy->fault_row = 13;
  toy->fault_feature = 3;
  toy->bad = bad;
  return toy;
}

static void test_bad_values(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) nan = bad_toy(kind, FAULT_X, NAN);
    check_bad(nan, 12, AB_DATA, "x of train.csv:15 is NaN (feature 3); ");
    g_autoptr(Toy) inf = bad_toy(kind, FAULT_X, -INFINITY);
    inf->fault_feature = 5;
    check_bad(inf, 12, AB_DATA, "x of train.csv:15 is -Inf (feature 5)");
    g_autoptr(Toy) test = bad_toy(kind, FAULT_X, INFINITY);
    test->fault_split = AB_TEST;
    test->fault_row = 0;
    check_bad(test, 0, AB_DATA, "x of test.csv:2 is Inf (feature 3)");
    g_autoptr(Toy) unit = bad_toy(kind, FAULT_X, 1.0000001192092896);
    unit->x.range = AB_RANGE_UNIT;
    check_bad(unit, 12, AB_DATA,
              "x of train.csv:15 is 1.00000012 (feature 3), but the data "
              "declares values from 0 to 1;");
    g_autoptr(Toy) minus = bad_toy(kind, FAULT_X, -0.25);
    minus->x.range = AB_RANGE_UNIT;
    minus->fault_row = 29;
    check_bad(minus, 28, AB_DATA, "x of train.csv:31 is -0.25 (feature 3), ");
    g_autoptr(Toy) binary = bad_toy(kind, FAULT_X, 0.5);
    binary->x.range = AB_RANGE_BINARY;
    check_bad(binary, 12, AB_DATA,
              "x of train.csv:15 is 0.5 (feature 3), but the data declares "
              "values 0 or 1;");
  }
}

static void test_bad_labels(void) {
  const gint64 labels[] = {5, -1, G_MAXINT64, G_MININT64};
  for (gsize i = 0; i < 4 * G_N_ELEMENTS(labels); i++) {
    g_autoptr(Toy) toy = bad_toy((gint)i / 4, FAULT_Y, 0);
    toy->label = labels[i % 4];
    g_autofree char *message = g_strdup_printf(
        "y of train.csv:15 is %" G_GINT64_FORMAT ", outside 0..4 (5 classes);", toy->label);
    check_bad(toy, 12, AB_DATA, message);
  }
}

/* 1e300 is a number in the data, and none in f32. */
static void test_bad_narrow(void) {
  g_autoptr(Toy) toy = bad_toy(2, FAULT_X, 1e300);
  check_bad(toy, 12, AB_DATA, "x of train.csv:15 is Inf (feature 3), or too large for f32;");
}

/* The pass for the statistics checks as well, and names held-out rows by their place. */
static void test_bad_statistics(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = bad_toy(kind, FAULT_X, NAN);
    ab_data_open(&toy->base);
    FeedTransform transform = feed_test_no_transform();
    transform.standardise = true;
    FeedOptions options = feed_test_options(2);
    options.fraction = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(Feed) feed = feed_new(&toy->base, &transform, &options, 3, NULL);
    g_assert_false(feed_load(feed, &error));
    g_assert_error(error, HOST_ERROR, AB_DATA);
    g_assert_true(g_str_has_prefix(error->message, "x of train.csv:15 is NaN (feature 3)"));
    g_assert_false(feed_start(feed, AB_TRAIN, 0, 0, NULL));
  }
}

/* A test value so far out that standardising it overflows. */
static void test_bad_transformed(void) {
  g_autoptr(Toy) toy = bad_toy(0, FAULT_X, 3e38);
  toy->fault_split = AB_TEST;
  toy->fault_row = 5;
  ab_data_open(&toy->base);
  FeedTransform transform = feed_test_no_transform();
  transform.standardise = true;
  FeedOptions options = feed_test_options(4);
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  g_auto(Seen) test = feed_test_pass_seen(feed, ab_context(&toy->base), AB_TEST, 0, 0);
  if (test.error) g_assert_error(test.error, HOST_ERROR, AB_DATA);
  g_assert_nonnull(test.error);
  g_assert_true(g_str_has_prefix(test.error->message, "x of test.csv:7 lies so far"));
  g_assert_cmpuint(test.ids->len, ==, 4);
}

/* An error of the component: its code and message, and it stays in the context. */
static void test_component_error(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = bad_toy(kind, FAULT_COMPONENT, 0);
    AbContext *ctx = ab_context(&toy->base);
    FeedOptions options = feed_test_options(4);
    options.shuffle = false;
    options.fraction = 0;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_auto(Seen) seen = feed_test_pass_seen(feed, ctx, AB_TRAIN, 0, 0);
    g_assert_error(seen.error, HOST_ERROR, AB_IO);
    g_assert_nonnull(strstr(seen.error->message, "row 13 could not be read"));
    g_assert_cmpuint(seen.ids->len, ==, 12);
    g_assert_cmpint(ab_error_code(ctx), ==, AB_IO);
    g_assert_false(feed_start(feed, AB_TRAIN, 0, 0, NULL));

    ab_error_clear(ctx);
    toy->fault = FAULT_NONE;
    g_auto(Seen) whole = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_assert_cmpuint(whole.ids->len, ==, 30);
  }
}

/* ---- slabs ----------------------------------------------------------------------------------- */

/* 64 slabs of 10 rows, a toy that keeps 8: an epoch loads each slab once, and yet a batch mixes
 * rows of many slabs, and the windows differ between epochs.                                    */
static void test_slabs(void) {
  for (gint blocking = 0; blocking < 2; blocking++) {
    g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, blocking, 640, 0, 0);
    toy->slab = 10;
    FeedOptions options = feed_test_options(32);
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    GHashTable *first_window[2];
    for (gint epoch = 0; epoch < 2; epoch++) {
      toy->slab_loads = 0;
      memset(toy->cache, 0, sizeof toy->cache);
      g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, epoch, 0);
      g_assert_cmpint(toy->slab_loads, ==, 64);
      g_autoptr(GHashTable) all = feed_test_once_each(&seen);
      g_assert_cmpuint(g_hash_table_size(all), ==, 576);
      first_window[epoch] = g_hash_table_new(NULL, NULL);
      for (guint i = 0; i < 32; i++)
        g_hash_table_add(first_window[epoch],
                         GINT_TO_POINTER((gint)feed_test_id(&seen, i) / 10 + 1));
      g_assert_cmpuint(g_hash_table_size(first_window[epoch]), >=, 5);
      g_assert_cmpuint(g_hash_table_size(first_window[epoch]), <=, 8);
    }
    GHashTableIter iter;
    gpointer slab;
    guint shared = 0;
    g_hash_table_iter_init(&iter, first_window[0]);
    while (g_hash_table_iter_next(&iter, &slab, NULL))
      shared += g_hash_table_contains(first_window[1], slab);
    g_assert_cmpuint(shared, <, 6);
    g_hash_table_unref(first_window[0]);
    g_hash_table_unref(first_window[1]);
  }
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Left in the middle, started again, freed while the thread is at work. */
static void test_leave(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, TRUE, 200, 0, 20);
  AbContext *ctx = ab_context(&toy->base);
  for (gint round = 0; round < 300; round++) {
    toy->slow = round % 2;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, feed_test_options(6), 3);
    for (gint start = 0; start < round % 3 + 1; start++) {
      g_assert_true(feed_start(feed, start == 1 ? AB_TEST : AB_TRAIN, round, round % 3, NULL));
      for (gint k = 0; k < round % 5; k++) {
        AbScope scope = ab_scope_begin(ctx);
        AbBatch *batch = feed_next(feed, NULL);
        g_assert_true(batch || start == 1);
        ab_batch_free(batch);
        ab_scope_end(ctx, scope, NULL, 0);
      }
    }
    if (round % 7 == 0) g_usleep(300);
  }
}

/* An error that nobody asked for is forgotten (and freed). */
static void test_leave_error(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, TRUE, 40, 3, 0);
  toy->fault = FAULT_X;
  toy->bad = NAN;
  FeedOptions options = feed_test_options(10);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
  for (gint round = 0; round < 3; round++) {
    g_assert_true(feed_start(feed, AB_TRAIN, 0, 0, NULL));
    g_usleep(10000);
  }
  g_assert_true(feed_start(feed, AB_VALIDATION, 0, 1, NULL)); /* joins: no batches are left */
  toy->fault_split = AB_TEST;
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  g_assert_cmpuint(seen.ids->len, ==, 40);
}

/* The thread stays at most a few batches ahead. */
static void test_ahead(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, TRUE, 400, 3, 0);
  g_autoptr(Feed) feed = feed_test_make(toy, NULL, feed_test_options(10), 3);
  g_assert_true(feed_start(feed, AB_TRAIN, 0, 0, NULL));
  g_usleep(50000);
  g_assert_true(feed_start(feed, AB_VALIDATION, 0, 1, NULL)); /* joins the thread: 0 batches */
  g_assert_cmpint(toy->fetched, <=, 20);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/feed/order/slabs", test_slabs);
  g_test_add_func("/feed/bad/values", test_bad_values);
  g_test_add_func("/feed/bad/labels", test_bad_labels);
  g_test_add_func("/feed/bad/narrow", test_bad_narrow);
  g_test_add_func("/feed/bad/statistics", test_bad_statistics);
  g_test_add_func("/feed/bad/transformed", test_bad_transformed);
  g_test_add_func("/feed/bad/component", test_component_error);
  g_test_add_func("/feed/thread/leave", test_leave);
  g_test_add_func("/feed/thread/leave-error", test_leave_error);
  g_test_add_func("/feed/thread/ahead", test_ahead);
  return g_test_run();
}
