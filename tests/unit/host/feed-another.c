/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields with samples of the same kind as x (ab_data_another_x): they go through every transform of
 * x but its augmentation, by the statistics of x. Expectations are worked out in plain double. */
#include "feed/feed.h"

#include <math.h>
#include <string.h>

enum { TRAIN = 23, TEST = 6, BATCH = 5, SIDE = 4, SIZE = SIDE * SIDE };

/* ---- data with two fields of images ---------------------------------------------------------- */

typedef struct {
  AbData base;
  AbDtype dtype; /* of x */
  gint64 slab;
  gint64 bad_row; /* of `other`, which has a NaN there; -1: none */
  gboolean first; /* `other` is declared before x */
} Pairs;

/* Of x each row has a mean of its own; `other` runs the other way, and beyond what x has. */
static double x_value(gint64 row, gint64 i) {
  return (double)((row * 5 + i * 3) % 100);
}

static double other_value(gint64 row, gint64 i) {
  return (double)(130 - (row * 4 + i * 2) % 120);
}

static void pairs_open(AbData *data) {
  Pairs *self = (Pairs *)data;
  AbSpec x = {.rank = 1, .dtype = self->dtype, .shape = {SIZE}, .range = AB_RANGE_REAL};
  AbSpec row = {.rank = 0, .dtype = AB_F64, .range = AB_RANGE_REAL};
  ab_data_field(data, "x", &x);
  if (self->first) ab_data_another_x(data, "other");
  ab_data_field(data, "row", &row);
  if (!self->first) ab_data_another_x(data, "other");
  ab_data_length(data, AB_TRAIN, TRAIN);
  ab_data_length(data, AB_TEST, TEST);
  if (self->slab) ab_data_locality(data, self->slab);
}

static void put(AbDtype dtype, void *to, gint64 at, double value) {
  if (dtype == AB_F32)
    ((float *)to)[at] = (float)value;
  else if (dtype == AB_F64)
    ((double *)to)[at] = value;
  else
    ((guint8 *)to)[at] = (guint8)value;
}

static void pairs_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                        void *const *fields) {
  const Pairs *self = (const Pairs *)data;
  void *other = fields[self->first ? 1 : 2];
  double *row = fields[self->first ? 2 : 1];
  gint64 base = split == AB_TEST ? 1000 : 0;
  for (gint64 k = 0; k < count; k++) {
    row[k] = (double)(base + rows[k]);
    for (gint64 i = 0; i < SIZE; i++) {
      gboolean bad = split == AB_TRAIN && rows[k] == self->bad_row && i == 3;
      put(self->dtype, fields[0], k * SIZE + i, x_value(base + rows[k], i));
      put(self->dtype, other, k * SIZE + i, bad ? NAN : other_value(base + rows[k], i));
    }
  }
}

static const AbDataVtable plain_table = {
    .struct_size = sizeof plain_table, .open = pairs_open, .fetch = pairs_fetch};
static const AbDataVtable blocking_table = {.struct_size = sizeof blocking_table,
                                            .flags = AB_DATA_BLOCKING,
                                            .open = pairs_open,
                                            .fetch = pairs_fetch};
#define PAIRS(name_of, table_of)                                      \
  static const AbComponent name_of = {.struct_size = sizeof name_of,  \
                                      .kind = AB_KIND_DATA,           \
                                      .name = "pairs",                \
                                      .doc = "Two images.",           \
                                      .citation = "",                 \
                                      .instance_size = sizeof(Pairs), \
                                      .vtable = &table_of}
PAIRS(plain, plain_table);
PAIRS(blocking, blocking_table);

/* Bit 0 blocks, bit 1 has slabs, bit 2 are bytes, bit 3 computes in f64, bit 4 declares first. */
#define KINDS 32
static Pairs *pairs_new(int kind) {
  AbContext *ctx = ab_context_new("cpu", kind & 8 ? AB_F64 : AB_F32, 1);
  Pairs *self = (Pairs *)ab_instance_new(ctx, kind & 1 ? &blocking : &plain, "data", NULL);
  self->slab = kind & 2 ? 4 : 0;
  self->dtype = kind & 4 ? AB_U8 : AB_F32;
  self->first = (kind & 16) != 0;
  self->bad_row = -1;
  return self;
}

static void pairs_free(Pairs *self) {
  AbContext *ctx = ab_context(&self->base);
  ab_data_close(&self->base);
  ab_instance_free(&self->base);
  ab_context_free(ctx);
}

static Feed *feed_of(Pairs *self, FeedTransform transform) {
  g_autoptr(GError) error = NULL;
  FeedOptions options = {.fraction = 0, .batch = BATCH, .shuffle = true};
  ab_data_open(&self->base);
  Feed *feed = feed_new(&self->base, &transform, &options, 9, &error);
  g_assert_no_error(error);
  g_assert_true(feed_load(feed, &error));
  g_assert_no_error(error);
  return feed;
}

/* ---- what is expected ------------------------------------------------------------------------ */

typedef struct {
  double factor, offset, mean[SIZE], std[SIZE];
} Statistics;

/* Of the training samples of x, in the order of the transforms: scale comes first. */
static Statistics statistics_of(gboolean scaled, double low, double high) {
  Statistics s = {.factor = 1};
  double least = INFINITY, most = -INFINITY;
  for (gint64 row = 0; row < TRAIN; row++)
    for (gint64 i = 0; i < SIZE; i++) {
      least = MIN(least, x_value(row, i));
      most = MAX(most, x_value(row, i));
    }
  if (scaled) s.factor = (high - low) / (most - least);
  if (scaled) s.offset = low - least * s.factor;
  for (gint64 i = 0; i < SIZE; i++) {
    double sum = 0, squares = 0;
    for (gint64 row = 0; row < TRAIN; row++) sum += x_value(row, i) * s.factor + s.offset;
    s.mean[i] = sum / TRAIN;
    for (gint64 row = 0; row < TRAIN; row++)
      squares += pow(x_value(row, i) * s.factor + s.offset - s.mean[i], 2);
    s.std[i] = squares > 0 ? sqrt(squares / TRAIN) : 1;
  }
  return s;
}

typedef double (*Expected)(double value, gint64 i, const Statistics *s);

static double as_it_is(double value, gint64 i, const Statistics *s) {
  (void)i, (void)s;
  return value;
}

static double standardised(double value, gint64 i, const Statistics *s) {
  return (value - s->mean[i]) / s->std[i];
}

static double scaled(double value, gint64 i, const Statistics *s) {
  (void)i;
  return value * s->factor + s->offset;
}

static double scaled_within(double value, gint64 i, const Statistics *s) {
  double y = scaled(value, i, s);
  return CLAMP(y, 0, 1);
}

static double binary(double value, gint64 i, const Statistics *s) {
  (void)i, (void)s;
  return value > 40;
}

static double number_at(AbTensor *x, gint64 i) {
  const void *values = ab_map(x, false);
  double value =
      ab_dtype(x) == AB_F32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
  ab_unmap(x);
  return value;
}

/* Every sample of a pass; NULL for x: it is augmented. The number of samples. */
static gint64 check_pass(Feed *feed, Pairs *self, AbSplit split, Expected of_x, Expected of_other,
                         const Statistics *s) {
  g_autoptr(GError) error = NULL;
  AbContext *ctx = ab_context(&self->base);
  gint64 samples = 0;
  g_assert_true(feed_start(feed, split, 1, 0, &error));
  for (;;) {
    AbScope scope = ab_scope_begin(ctx);
    AbBatch *batch = feed_next(feed, &error);
    g_assert_no_error(error);
    for (gint64 k = 0; batch && k < ab_batch_count(batch); k++, samples++) {
      AbTensor *x = ab_batch_get(batch, "x"), *other = ab_batch_get(batch, "other");
      gint64 row = (gint64)number_at(ab_batch_get(batch, "row"), k);
      g_assert_cmpint(ab_rank(other), ==, ab_rank(x));
      for (gint64 i = 0; i < SIZE; i++) {
        double expected = of_other(other_value(row, i), i, s);
        g_assert_cmpfloat_with_epsilon(number_at(other, k * SIZE + i), expected, 1e-4);
        if (!of_x) continue;
        expected = of_x(x_value(row, i), i, s);
        g_assert_cmpfloat_with_epsilon(number_at(x, k * SIZE + i), expected, 1e-4);
      }
    }
    ab_batch_free(batch);
    ab_scope_end(ctx, scope, NULL, 0);
    if (!batch) break;
  }
  return samples;
}

static void check_all(FeedTransform transform, Expected expected, const Statistics *s) {
  for (int kind = 0; kind < KINDS; kind++) {
    Pairs *pairs = pairs_new(kind);
    Feed *feed = feed_of(pairs, transform);
    g_assert_cmpint(check_pass(feed, pairs, AB_TRAIN, expected, expected, s), ==, TRAIN);
    g_assert_cmpint(check_pass(feed, pairs, AB_TEST, expected, expected, s), ==, TEST);
    feed_free(feed);
    pairs_free(pairs);
  }
}

static const FeedTransform nothing = {.binarise = NAN};

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_plain(void) {
  Statistics s = statistics_of(FALSE, 0, 0);
  check_all(nothing, as_it_is, &s);
}

static void test_standardise(void) {
  Statistics s = statistics_of(FALSE, 0, 0);
  FeedTransform transform = nothing;
  transform.standardise = true;
  check_all(transform, standardised, &s);
}

/* What `other` has beyond the range of x goes beyond, but not out of 0 to 1. */
static void test_scale(void) {
  static const double wide[] = {-1, 3}, unit[] = {0, 1};
  FeedTransform transform = nothing;
  transform.scale = (AbReals){2, wide};
  Statistics s = statistics_of(TRUE, -1, 3);
  check_all(transform, scaled, &s);
  transform.scale = (AbReals){2, unit};
  s = statistics_of(TRUE, 0, 1);
  g_assert_cmpfloat(scaled(other_value(0, 0), 0, &s), >, 1); /* else this would show nothing */
  check_all(transform, scaled_within, &s);
}

static void test_binarise(void) {
  Statistics s = statistics_of(FALSE, 0, 0);
  FeedTransform transform = nothing;
  transform.binarise = 40;
  check_all(transform, binary, &s);
}

/* Its spec is that of x, after the transforms. */
static void test_spec(void) {
  static const gint64 shape[] = {1, SIDE, -1};
  static const double unit[] = {0, 1};
  FeedTransform transform = nothing;
  transform.reshape = (AbInts){3, shape};
  transform.scale = (AbReals){2, unit};
  for (int kind = 0; kind < KINDS; kind++) {
    Pairs *pairs = pairs_new(kind);
    Feed *feed = feed_of(pairs, transform);
    const AbSpec *x = feed_spec(feed, "x"), *other = feed_spec(feed, "other");
    g_assert_cmpint(other->rank, ==, 3);
    g_assert_cmpint(other->shape[2], ==, SIDE);
    g_assert_cmpint(other->range, ==, AB_RANGE_UNIT);
    g_assert_cmpint(other->dtype, ==, x->dtype);
    g_assert_cmpint(feed_spec(feed, "row")->range, ==, AB_RANGE_REAL);
    feed_free(feed);
    pairs_free(pairs);
  }
}

/* Images of x are moved and mirrored in training, those of `other` are not. */
static void test_augment(void) {
  static const gint64 shape[] = {SIDE, SIDE};
  Statistics s = statistics_of(FALSE, 0, 0);
  FeedTransform transform = nothing;
  transform.reshape = (AbInts){2, shape};
  transform.shift = 2;
  transform.flip = true;
  for (int kind = 0; kind < KINDS; kind++) {
    Pairs *pairs = pairs_new(kind);
    Feed *feed = feed_of(pairs, transform);
    g_assert_cmpint(check_pass(feed, pairs, AB_TRAIN, NULL, as_it_is, &s), ==, TRAIN);
    g_assert_cmpint(check_pass(feed, pairs, AB_TEST, as_it_is, as_it_is, &s), ==, TEST);
    feed_free(feed);
    pairs_free(pairs);
  }
}

/* It is checked as x is, and named. */
static void test_not_finite(void) {
  for (int kind = 0; kind < 4; kind++) {
    g_autoptr(GError) error = NULL;
    Pairs *pairs = pairs_new(kind);
    pairs->bad_row = 11;
    Feed *feed = feed_of(pairs, nothing);
    g_assert_true(feed_start(feed, AB_TRAIN, 0, 0, &error));
    gint64 batches = 0;
    for (AbBatch *batch; (batch = feed_next(feed, &error)); batches++) ab_batch_free(batch);
    g_assert_error(error, HOST_ERROR, AB_DATA);
    g_assert_cmpint(batches, <, (TRAIN + BATCH - 1) / BATCH);
    g_assert_nonnull(strstr(error->message, "other"));
    g_assert_nonnull(strstr(error->message, "sample 11"));
    feed_free(feed);
    pairs_free(pairs);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/feed/another/plain", test_plain);
  g_test_add_func("/feed/another/standardise", test_standardise);
  g_test_add_func("/feed/another/scale", test_scale);
  g_test_add_func("/feed/another/binarise", test_binarise);
  g_test_add_func("/feed/another/spec", test_spec);
  g_test_add_func("/feed/another/augment", test_augment);
  g_test_add_func("/feed/another/not-finite", test_not_finite);
  return g_test_run();
}
