/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed on a toy data component: splits, order, batches, resume and options. Expectations are
 * counted or worked out by hand.
 */
#include "feed-test.h"

#include <math.h>

/* ---- splits ---------------------------------------------------------------------------------- */

static void test_split_own(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, 20, 7, 5);
  g_autoptr(Feed) feed = feed_test_make(toy, NULL, feed_test_options(4), 3);
  const gint64 lengths[] = {20, 7, 5}, batches[] = {5, 2, 2};
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    g_auto(Seen) seen = feed_test_pass(feed, toy, split, 0, 0);
    g_autoptr(GHashTable) set = feed_test_once_each(&seen);
    g_assert_cmpint(feed_samples(feed, split), ==, lengths[split]);
    g_assert_cmpint(feed_batches(feed, split), ==, batches[split]);
    g_assert_cmpuint(seen.ids->len, ==, lengths[split]);
    g_assert_cmpuint(seen.batches->len, ==, batches[split]);
    for (guint i = 0; i < seen.ids->len; i++) {
      g_assert_cmpint((int)(feed_test_id(&seen, i) / 1e6), ==, split);
      if (split != AB_TRAIN) g_assert_cmpfloat(feed_test_id(&seen, i), ==, split * 1e6 + i);
    }
  }
}

/* Held out: as many as asked for, the same ones whatever the model sees, others by another seed,
 * never in training, and together with training everything.                                    */
static void test_split_held_out(void) {
  const struct {
    gint64 samples;
    double fraction;
    gint64 held;
  } cases[] = {{50, NAN, 5}, {50, 0.3, 15}, {59, 0.1, 5},
               {7, 0.01, 1}, {50, 0, 0},    {100, 0.29, 29}};
  for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
    g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, cases[c].samples, 0, 0);
    FeedOptions options = feed_test_options(3);
    options.fraction = cases[c].fraction;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_assert_cmpint(feed_samples(feed, AB_VALIDATION), ==, cases[c].held);
    g_assert_cmpint(feed_samples(feed, AB_TRAIN), ==, cases[c].samples - cases[c].held);
    g_auto(Seen) held = feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
    g_assert_cmpuint(held.ids->len, ==, cases[c].held);
    for (guint i = 1; i < held.ids->len; i++)
      g_assert_cmpfloat(feed_test_id(&held, i - 1), <, feed_test_id(&held, i));
    for (gint64 epoch = 0; epoch < 3; epoch++) {
      g_auto(Seen) all = feed_test_pass(feed, toy, AB_TRAIN, epoch, 0);
      g_array_append_vals(all.ids, held.ids->data, held.ids->len);
      g_autoptr(GHashTable) set = feed_test_once_each(&all);
      g_assert_cmpint(g_hash_table_size(set), ==, cases[c].samples);
    }
  }
}

static Seen held_out(gboolean blocking, gint64 batch, guint64 seed) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F64, blocking, 200, 0, 9);
  toy->slab = blocking ? 6 : 0;
  FeedTransform transform = feed_test_no_transform();
  transform.standardise = blocking;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, feed_test_options(batch), seed);
  return feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
}

static void test_split_seed(void) {
  g_auto(Seen) a = held_out(FALSE, 10, 1);
  g_auto(Seen) b = held_out(TRUE, 33, 1);
  g_auto(Seen) c = held_out(FALSE, 10, 2);
  g_assert_true(feed_test_same(a.ids, 0, b.ids));
  g_assert_false(feed_test_same(a.ids, 0, c.ids));
}

/* ---- order ----------------------------------------------------------------------------------- */

static void test_order(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = feed_test_toy_kind(kind, 300);
    FeedOptions options = feed_test_options(16);
    options.fraction = 0; /* else another seed holds out others, too */
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_autoptr(Feed) other = feed_test_make(toy, NULL, options, 4);
    g_auto(Seen) first = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) again = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) later = feed_test_pass(feed, toy, AB_TRAIN, 1, 0);
    g_auto(Seen) seed = feed_test_pass(other, toy, AB_TRAIN, 0, 0);
    g_assert_true(feed_test_same(first.ids, 0, again.ids));
    g_assert_false(feed_test_same(first.ids, 0, later.ids));
    g_assert_false(feed_test_same(first.ids, 0, seed.ids));
    g_autoptr(GHashTable) set = feed_test_once_each(&first);
    g_autoptr(GHashTable) later_set = feed_test_once_each(&later);
    g_assert_cmpuint(g_hash_table_size(set), ==, 300);
    g_assert_cmpuint(g_hash_table_size(later_set), ==, 300);
    guint ascending = 0;
    for (guint i = 1; i < 300; i++)
      ascending += feed_test_id(&first, i) > feed_test_id(&first, i - 1);
    g_assert_cmpuint(ascending, >, 110); /* 150 for a random order, deviation 5 */
    g_assert_cmpuint(ascending, <, 190);
  }
}

static void test_order_plain(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = feed_test_toy_kind(kind, 30);
    FeedOptions options = feed_test_options(8);
    options.shuffle = false;
    options.fraction = 0;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 5, 0);
    g_assert_cmpuint(seen.ids->len, ==, 30);
    for (guint i = 0; i < 30; i++) {
      g_assert_cmpfloat(feed_test_id(&seen, i), ==, i);
      for (guint k = 0; k < 2; k++) g_assert_cmpfloat(feed_test_x(&seen, 2 * i + k), ==, 3 * i + k);
    }
  }
}

static void test_batches(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, 30, 9, 0);
  FeedOptions options = feed_test_options(8);
  for (gint drop = 0; drop < 2; drop++) {
    options.drop_last = drop;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_auto(Seen) train = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) held = feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
    g_auto(Seen) none = feed_test_pass(feed, toy, AB_TEST, 0, 0);
    g_assert_cmpint(feed_batches(feed, AB_TRAIN), ==, drop ? 3 : 4);
    g_assert_cmpuint(train.ids->len, ==, drop ? 24 : 30);
    g_assert_cmpint(g_array_index(train.batches, gint64, 2), ==, 8);
    if (!drop) g_assert_cmpint(g_array_index(train.batches, gint64, 3), ==, 6);
    g_assert_cmpuint(held.ids->len, ==, 9);
    g_assert_cmpint(g_array_index(held.batches, gint64, 1), ==, 1);
    g_assert_cmpuint(none.batches->len, ==, 0);
  }
}

/* The hash is that of what was seen, in order, and of nothing else. */
static void add_number(GByteArray *bytes, guint64 number) {
  for (guint i = 0; i < 8; i++) {
    guint8 byte = (guint8)(number >> i * 8);
    g_byte_array_append(bytes, &byte, 1);
  }
}

static void test_hash(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = feed_test_toy_kind(kind, 100);
    FeedOptions options = feed_test_options(8);
    options.drop_last = true;
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, options, 3);
    g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 4, 0);
    g_assert_cmpuint(seen.ids->len, ==, 88);
    GByteArray *bytes = g_byte_array_new();
    for (guint i = 0; i < 88; i++) {
      if (i % 8 == 0) add_number(bytes, 8); /* the size of a batch before its samples */
      add_number(bytes, (guint64)feed_test_id(&seen, i));
    }
    g_autofree char *expected =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    g_autofree char *hash = feed_order_hash(feed, 4);
    g_autofree char *other = feed_order_hash(feed, 5);
    g_assert_cmpstr(hash, ==, expected);
    g_assert_cmpstr(hash, !=, other);
  }
}

/* ---- resume ---------------------------------------------------------------------------------- */

static Feed *image_feed(Toy *toy) {
  FeedTransform transform = feed_test_image_transform();
  toy->x.shape[0] = 16;
  return feed_test_make(toy, &transform, feed_test_options(7), 9);
}

/* From any batch on, a pass gives what the whole one gave from there, also when another was left in
 * the middle; and the thread gives what is fetched inline.                                      */
static void test_resume(void) {
  for (gint slabs = 0; slabs < 2; slabs++) {
    g_autoptr(Toy) in = feed_test_toy_kind(2 * slabs, 60);
    g_autoptr(Toy) ahead = feed_test_toy_kind(2 * slabs + 1, 60);
    g_autoptr(Feed) feed = image_feed(in);
    g_autoptr(Feed) thread = image_feed(ahead);
    for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
      g_auto(Seen) whole = feed_test_pass(feed, in, split, 2, 0);
      gint64 batches = feed_batches(feed, split);
      for (gint64 batch = 0; batch <= batches; batch++) {
        g_assert_true(feed_start(thread, AB_TRAIN, 1, 0, NULL)); /* left at once */
        g_auto(Seen) rest = feed_test_pass(feed, in, split, 2, batch);
        g_auto(Seen) prefetched = feed_test_pass(thread, ahead, split, 2, batch);
        guint skip = MIN((guint)batch * 7, whole.ids->len);
        g_assert_true(feed_test_same(whole.ids, skip, rest.ids));
        g_assert_true(feed_test_same(whole.x, skip * 16, rest.x));
        g_assert_true(feed_test_same(whole.ids, skip, prefetched.ids));
        g_assert_true(feed_test_same(whole.x, skip * 16, prefetched.x));
      }
      g_autoptr(GError) error = NULL;
      g_assert_false(feed_start(feed, split, 2, batches + 1, &error));
      g_assert_error(error, HOST_ERROR, AB_CONFIG);
    }
    g_assert_true(in->thread == g_thread_self());
    g_assert_true(ahead->thread != g_thread_self());
  }
}

/* ---- options --------------------------------------------------------------------------------- */

static void check_refused(Toy *toy, FeedTransform transform, FeedOptions options,
                          const char *pattern) {
  g_autoptr(GError) error = NULL;
  g_assert_null(feed_new(&toy->base, &transform, &options, 3, &error));
  g_assert_error(error, HOST_ERROR, AB_CONFIG);
  if (!g_pattern_match_simple(pattern, error->message)) g_error("%s", error->message);
}

static void test_options(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, 20, 0, 0);
  toy->x.shape[0] = 12;
  ab_data_open(&toy->base);
  const double fractions[] = {-0.1, 1, 1.5, INFINITY, 0.96};
  for (gsize i = 0; i < G_N_ELEMENTS(fractions); i++) {
    FeedOptions options = feed_test_options(1);
    options.fraction = fractions[i];
    if (i == 4) options.batch = 2;
    check_refused(toy, feed_test_no_transform(), options,
                  i == 4 ? "data.batch is 2, *" : "*fraction*");
  }
  check_refused(toy, feed_test_no_transform(), feed_test_options(0), "data.batch is 0*");
  check_refused(toy, feed_test_no_transform(), feed_test_options(19),
                "data.batch is 19, more than the 18 *");

  const gint64 shapes[][3] = {{3, 5, 1},
                              {-1, -1, 12},
                              {0, 12, 1},
                              {-1, 5, 1},
                              {24, 1, 1},
                              {-2, -6, 1},
                              {G_MAXINT64, G_MAXINT64, 12},
                              {3, 4, 2}};
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
    FeedTransform transform = feed_test_no_transform();
    transform.reshape = (AbInts){3, shapes[i]};
    check_refused(toy, transform, feed_test_options(1), "data.transform.reshape *12 numbers*");
  }
  const gint64 ones[9] = {1, 1, 1, 1, 1, 1, 1, 12, 1};
  FeedTransform transform = feed_test_no_transform();
  transform.reshape = (AbInts){9, ones};
  check_refused(toy, transform, feed_test_options(1), "*9 axes*");

  const double scales[][3] = {{1, 0, 0}, {0, 0, 0}, {0, INFINITY, 0}, {NAN, 1, 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(scales); i++) {
    transform = feed_test_no_transform();
    transform.scale = (AbReals){2, scales[i]};
    check_refused(toy, transform, feed_test_options(1), "data.transform.scale *");
    transform.scale.count = 1;
    check_refused(toy, transform, feed_test_options(1), "data.transform.scale *");
  }
  transform = feed_test_no_transform();
  transform.binarise = INFINITY;
  check_refused(toy, transform, feed_test_options(1), "*binarise*");
  transform.binarise = 1;
  transform.draw = true;
  check_refused(toy, transform, feed_test_options(1), "*draw has nothing to draw*");
  transform.binarise = NAN;
  check_refused(toy, transform, feed_test_options(1), "*draw *not from 0 to 1*scale*");
  transform = feed_test_no_transform();
  transform.flip = true;
  check_refused(toy, transform, feed_test_options(1), "*the shape [12];*");
  transform = feed_test_image_transform();
  transform.shift = 3;
  transform.reshape = (AbInts){2, (const gint64[]){3, 4}};
  check_refused(toy, transform, feed_test_options(1), "*shift is up to 3 pixels, *");
  transform.shift = -1;
  check_refused(toy, transform, feed_test_options(1), "*shift is -1*");
}

static void test_options_data(void) {
  g_autoptr(Toy) own = feed_test_toy_new(AB_F32, FALSE, 20, 5, 0);
  ab_data_open(&own->base);
  FeedOptions options = feed_test_options(4);
  options.fraction = 0.1;
  check_refused(own, feed_test_no_transform(), options,
                "the data has a validation split of its own*");
  g_autoptr(Toy) none = feed_test_toy_new(AB_F32, FALSE, 0, 0, 0);
  ab_data_open(&none->base);
  check_refused(none, feed_test_no_transform(), feed_test_options(4), "*no samples*");
  g_autoptr(Toy) single = feed_test_toy_new(AB_F32, FALSE, 1, 0, 0);
  ab_data_open(&single->base);
  check_refused(single, feed_test_no_transform(), feed_test_options(1),
                "*leaves none to train on*");

  g_autoptr(Toy) tokens = feed_test_toy_new(AB_F32, FALSE, 20, 0, 0);
  tokens->x =
      (AbSpec){.rank = 1, .dtype = AB_I64, .shape = {4}, .range = AB_RANGE_CLASS, .classes = 300};
  FeedTransform transform = feed_test_no_transform();
  transform.reshape = (AbInts){2, (const gint64[]){2, -1}};
  g_autoptr(Feed) feed = feed_test_make(tokens, &transform, feed_test_options(4), 1);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_I64);
  g_assert_cmpint(feed_spec(feed, "x")->shape[1], ==, 2);
  transform.standardise = true;
  check_refused(tokens, transform, feed_test_options(4), "x holds classes*");
}

/* Data without training samples can be evaluated, if no statistics are missing. */
static void test_only_test(void) {
  for (gint blocking = 0; blocking < 2; blocking++) {
    g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, blocking, 0, 0, 6);
    g_autoptr(Feed) feed = feed_test_make(toy, NULL, feed_test_options(1000000), 3);
    g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TEST, 0, 0);
    g_assert_cmpuint(seen.ids->len, ==, 6);
    g_auto(Seen) train = feed_test_pass_seen(feed, ab_context(&toy->base), AB_TRAIN, 0, 0);
    g_assert_error(train.error, HOST_ERROR, AB_CONFIG);
    FeedTransform transform = feed_test_no_transform();
    transform.standardise = true;
    FeedOptions options = feed_test_options(2);
    g_autoptr(GError) error = NULL;
    g_autoptr(Feed) other = feed_new(&toy->base, &transform, &options, 3, &error);
    g_assert_no_error(error);
    g_assert_false(feed_load(other, &error));
    g_assert_error(error, HOST_ERROR, AB_CONFIG);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/feed/split/own", test_split_own);
  g_test_add_func("/feed/split/held-out", test_split_held_out);
  g_test_add_func("/feed/split/seed", test_split_seed);
  g_test_add_func("/feed/order/shuffled", test_order);
  g_test_add_func("/feed/order/plain", test_order_plain);
  g_test_add_func("/feed/order/batches", test_batches);
  g_test_add_func("/feed/order/hash", test_hash);
  g_test_add_func("/feed/order/resume", test_resume);
  g_test_add_func("/feed/options/values", test_options);
  g_test_add_func("/feed/options/data", test_options_data);
  g_test_add_func("/feed/options/only-test", test_only_test);
  return g_test_run();
}
