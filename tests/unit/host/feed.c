/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed, on a toy data component whose samples say which they are: splits, order, resume,
 * transforms, checks, slabs and the prefetch thread. Expectations are counted or worked out by
 * hand.
 */
#include "feed/feed.h"

#include <math.h>
#include <string.h>

/* ---- a data component ------------------------------------------------------------------------ */

typedef enum { FAULT_NONE, FAULT_X, FAULT_Y, FAULT_COMPONENT } Fault;

#define CACHE 8 /* slabs that the toy keeps in memory */

typedef struct Toy Toy;
struct Toy {
  AbData base;
  AbSpec x;
  gint64 lengths[AB_SPLIT_COUNT];
  gint64 slab;
  double (*value)(AbSplit split, gint64 row, gint64 feature);
  Fault fault;
  AbSplit fault_split;
  gint64 fault_row, fault_feature;
  double bad;      /* FAULT_X */
  gint64 label;    /* FAULT_Y */
  gboolean slow;   /* sleeps now and then */
  GThread *thread; /* that fetched last */
  gint64 fetched, slab_loads;
  gint64 cache[CACHE]; /* slab + 1; most recent first */
};

static const AbSpec label_spec = {
    .rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 5};
static const AbSpec id_spec = {.rank = 0, .dtype = AB_F64, .range = AB_RANGE_REAL};

static double plain_value(AbSplit split, gint64 row, gint64 feature) {
  return (double)((split * 7 + row * 3 + feature) % 200);
}

/* What a sample is recognised by. */
static double identity(AbSplit split, gint64 row) {
  return split * 1e6 + (double)row;
}

static void toy_origin(AbData *data, AbSplit split, gint64 row, char *text, size_t size) {
  (void)data;
  g_snprintf(text, size, "%s.csv:%d", ab_split_name(split), (int)row + 2);
}

static void toy_open(AbData *data) {
  Toy *toy = (Toy *)data;
  ab_data_field(data, "x", &toy->x);
  ab_data_field(data, "y", &label_spec);
  ab_data_field(data, "id", &id_spec);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    if (toy->lengths[split]) ab_data_length(data, split, toy->lengths[split]);
  if (toy->slab) ab_data_locality(data, toy->slab);
  ab_data_origin(data, toy_origin);
}

static void toy_put(AbDtype dtype, void *target, gint64 at, double value) {
  switch (dtype) {
  case AB_F32: ((float *)target)[at] = (float)value; break;
  case AB_F64: ((double *)target)[at] = value; break;
  case AB_I32: ((gint32 *)target)[at] = (gint32)value; break;
  case AB_I64: ((gint64 *)target)[at] = (gint64)value; break;
  default: ((guint8 *)target)[at] = (guint8)value;
  }
}

/* Least recently used goes. */
static void toy_touch(Toy *toy, gint64 row) {
  gint64 slab = row / toy->slab + 1;
  gint at = 0;
  while (at < CACHE - 1 && toy->cache[at] != slab) at++;
  if (toy->cache[at] != slab) toy->slab_loads++;
  memmove(toy->cache + 1, toy->cache, (gsize)at * sizeof *toy->cache);
  toy->cache[0] = slab;
}

static void toy_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                      void *const *fields) {
  Toy *toy = (Toy *)data;
  gint64 size = ab_spec_count(&toy->x);
  toy->thread = g_thread_self();
  if (toy->slow && toy->fetched % 3 == 0) g_usleep(200);
  toy->fetched += count;
  for (gint64 k = 0; k < count; k++) {
    gboolean faulty = split == toy->fault_split && rows[k] == toy->fault_row;
    g_assert_cmpint(rows[k], >=, 0);
    g_assert_cmpint(rows[k], <, toy->lengths[split]);
    if (toy->slab) toy_touch(toy, rows[k]);
    for (gint64 i = 0; i < size; i++)
      toy_put(toy->x.dtype, fields[0], k * size + i, toy->value(split, rows[k], i));
    ((gint64 *)fields[1])[k] = rows[k] % 5;
    ((double *)fields[2])[k] = identity(split, rows[k]);
    if (faulty && toy->fault == FAULT_X)
      toy_put(toy->x.dtype, fields[0], k * size + toy->fault_feature, toy->bad);
    if (faulty && toy->fault == FAULT_Y) ((gint64 *)fields[1])[k] = toy->label;
    if (faulty && toy->fault == FAULT_COMPONENT)
      ab_fail(data, AB_IO, "row %d could not be read", (int)rows[k]);
  }
}

static const AbDataVtable inline_vtable = {
    .struct_size = sizeof(AbDataVtable), .open = toy_open, .fetch = toy_fetch};
static const AbDataVtable blocking_vtable = {.struct_size = sizeof(AbDataVtable),
                                             .flags = AB_DATA_BLOCKING,
                                             .open = toy_open,
                                             .fetch = toy_fetch};
static const AbComponent inline_component = {.struct_size = sizeof(AbComponent),
                                             .kind = AB_KIND_DATA,
                                             .name = "toy",
                                             .doc = "Counts.",
                                             .citation = "",
                                             .instance_size = sizeof(Toy),
                                             .param_stride = sizeof(AbParam),
                                             .slot_stride = sizeof(AbSlot),
                                             .vtable = &inline_vtable};
static const AbComponent blocking_component = {.struct_size = sizeof(AbComponent),
                                               .kind = AB_KIND_DATA,
                                               .name = "toy",
                                               .doc = "Counts.",
                                               .citation = "",
                                               .instance_size = sizeof(Toy),
                                               .param_stride = sizeof(AbParam),
                                               .slot_stride = sizeof(AbSlot),
                                               .vtable = &blocking_vtable};

/* ---- set-up ---------------------------------------------------------------------------------- */

static Toy *toy_new(AbDtype real, gboolean blocking, gint64 train, gint64 validation, gint64 test) {
  AbContext *ctx = ab_context_new("cpu", real, 1);
  g_assert_nonnull(ctx);
  Toy *toy = (Toy *)ab_instance_new(ctx, blocking ? &blocking_component : &inline_component, "data",
                                    "toy.so");
  toy->x = (AbSpec){.rank = 1, .dtype = AB_F32, .shape = {2}, .range = AB_RANGE_REAL};
  toy->lengths[AB_TRAIN] = train;
  toy->lengths[AB_VALIDATION] = validation;
  toy->lengths[AB_TEST] = test;
  toy->value = plain_value;
  return toy;
}

static void toy_free(Toy *toy) {
  AbContext *ctx = ab_context(&toy->base);
  ab_data_close(&toy->base);
  ab_instance_free(&toy->base);
  ab_context_free(ctx);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Toy, toy_free)

static FeedTransform no_transform(void) {
  return (FeedTransform){.binarise = NAN};
}

static FeedOptions plain_options(gint64 batch) {
  return (FeedOptions){.fraction = NAN, .batch = batch, .shuffle = true};
}

/* Opens the toy, which is set up by then, and its feed. */
static Feed *feed_make(Toy *toy, const FeedTransform *transform, FeedOptions options,
                       guint64 seed) {
  g_autoptr(GError) error = NULL;
  FeedTransform none = no_transform();
  if (ab_data_field_count(&toy->base) == 0) ab_data_open(&toy->base);
  Feed *feed = feed_new(&toy->base, transform ? transform : &none, &options, seed, &error);
  g_assert_no_error(error);
  g_assert_nonnull(feed);
  g_assert_true(feed_load(feed, &error));
  g_assert_no_error(error);
  return feed;
}

/* All that a pass gave. */
typedef struct {
  GArray *ids, *x; /* double */
  GArray *batches; /* gint64: samples of each */
  GError *error;
} Seen;

static void seen_clear(Seen *seen) {
  g_array_unref(seen->ids);
  g_array_unref(seen->x);
  g_array_unref(seen->batches);
  g_clear_error(&seen->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

static double number_at(const void *values, AbDtype dtype, gint64 i) {
  return dtype == AB_F32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

static void append_reals(GArray *array, AbTensor *tensor) {
  const void *values = ab_map(tensor, false);
  for (gint64 i = 0; i < ab_count(tensor); i++) {
    double value = number_at(values, ab_dtype(tensor), i);
    g_array_append_val(array, value);
  }
  ab_unmap(tensor);
}

static void seen_add(Seen *seen, Feed *feed, AbBatch *batch) {
  gint64 count = ab_batch_count(batch);
  AbTensor *x = ab_batch_get(batch, "x"), *y = ab_batch_get(batch, "y");
  AbTensor *id = ab_batch_get(batch, "id");
  const AbSpec *spec = feed_spec(feed, "x");
  g_assert_cmpint(ab_rank(x), ==, spec->rank + 1);
  g_assert_cmpint(ab_dim(x, 0), ==, count);
  for (gint i = 0; i < spec->rank; i++) g_assert_cmpint(ab_dim(x, i + 1), ==, spec->shape[i]);
  g_assert_cmpint(ab_dtype(x), ==, spec->dtype);
  g_assert_cmpint(ab_dtype(id), ==, spec->dtype);
  g_assert_cmpint(ab_dtype(y), ==, AB_I64);
  g_assert_cmpint(ab_rank(y), ==, 1);

  guint first = seen->ids->len;
  append_reals(seen->x, x);
  append_reals(seen->ids, id);
  const gint64 *labels = ab_map(y, false);
  for (gint64 k = 0; k < count; k++) {
    gint64 row = (gint64)g_array_index(seen->ids, double, first + (guint)k) % 1000000;
    g_assert_cmpint(labels[k], ==, row % 5);
  }
  ab_unmap(y);
  g_array_append_val(seen->batches, count);
}

static Seen pass_seen(Feed *feed, AbContext *ctx, AbSplit split, gint64 epoch, gint64 batch) {
  Seen seen = {g_array_new(FALSE, FALSE, sizeof(double)), g_array_new(FALSE, FALSE, sizeof(double)),
               g_array_new(FALSE, FALSE, sizeof(gint64)), NULL};
  gboolean started = feed_start(feed, split, epoch, batch, &seen.error);
  while (started) {
    AbScope scope = ab_scope_begin(ctx);
    AbBatch *next = feed_next(feed, &seen.error);
    if (next) seen_add(&seen, feed, next);
    ab_batch_free(next);
    ab_scope_end(ctx, scope, NULL, 0);
    if (!next) break;
  }
  return seen;
}

static Seen pass_of(Feed *feed, Toy *toy, AbSplit split, gint64 epoch, gint64 batch) {
  Seen seen = pass_seen(feed, ab_context(&toy->base), split, epoch, batch);
  g_assert_no_error(seen.error);
  return seen;
}

static double id_at(const Seen *seen, guint i) {
  return g_array_index(seen->ids, double, i);
}

static double x_at(const Seen *seen, guint i) {
  return g_array_index(seen->x, double, i);
}

static gboolean same_reals(const GArray *a, guint skip, const GArray *b) {
  if (a->len - skip != b->len) return FALSE;
  return b->len == 0 ||
         memcmp(&g_array_index(a, double, skip), b->data, b->len * sizeof(double)) == 0;
}

/* Each of the identities occurs exactly once, and nothing else does. */
static GHashTable *once_each(const Seen *seen) {
  GHashTable *set = g_hash_table_new_full(g_double_hash, g_double_equal, g_free, NULL);
  for (guint i = 0; i < seen->ids->len; i++) {
    double id = id_at(seen, i);
    g_assert_true(g_hash_table_add(set, g_memdup2(&id, sizeof id)));
  }
  return set;
}

/* ---- splits ---------------------------------------------------------------------------------- */

static void test_split_own(void) {
  g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, 20, 7, 5);
  g_autoptr(Feed) feed = feed_make(toy, NULL, plain_options(4), 3);
  const gint64 lengths[] = {20, 7, 5}, batches[] = {5, 2, 2};
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    g_auto(Seen) seen = pass_of(feed, toy, split, 0, 0);
    g_autoptr(GHashTable) set = once_each(&seen);
    g_assert_cmpint(feed_samples(feed, split), ==, lengths[split]);
    g_assert_cmpint(feed_batches(feed, split), ==, batches[split]);
    g_assert_cmpuint(seen.ids->len, ==, lengths[split]);
    g_assert_cmpuint(seen.batches->len, ==, batches[split]);
    for (guint i = 0; i < seen.ids->len; i++) {
      g_assert_cmpint((int)(id_at(&seen, i) / 1e6), ==, split);
      if (split != AB_TRAIN) g_assert_cmpfloat(id_at(&seen, i), ==, split * 1e6 + i);
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
    g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, cases[c].samples, 0, 0);
    FeedOptions options = plain_options(3);
    options.fraction = cases[c].fraction;
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_assert_cmpint(feed_samples(feed, AB_VALIDATION), ==, cases[c].held);
    g_assert_cmpint(feed_samples(feed, AB_TRAIN), ==, cases[c].samples - cases[c].held);
    g_auto(Seen) held = pass_of(feed, toy, AB_VALIDATION, 0, 0);
    g_assert_cmpuint(held.ids->len, ==, cases[c].held);
    for (guint i = 1; i < held.ids->len; i++)
      g_assert_cmpfloat(id_at(&held, i - 1), <, id_at(&held, i));
    for (gint64 epoch = 0; epoch < 3; epoch++) {
      g_auto(Seen) all = pass_of(feed, toy, AB_TRAIN, epoch, 0);
      g_array_append_vals(all.ids, held.ids->data, held.ids->len);
      g_autoptr(GHashTable) set = once_each(&all);
      g_assert_cmpint(g_hash_table_size(set), ==, cases[c].samples);
    }
  }
}

static Seen held_out(gboolean blocking, gint64 batch, guint64 seed) {
  g_autoptr(Toy) toy = toy_new(AB_F64, blocking, 200, 0, 9);
  toy->slab = blocking ? 6 : 0;
  FeedTransform transform = no_transform();
  transform.standardise = blocking;
  g_autoptr(Feed) feed = feed_make(toy, &transform, plain_options(batch), seed);
  return pass_of(feed, toy, AB_VALIDATION, 0, 0);
}

static void test_split_seed(void) {
  g_auto(Seen) a = held_out(FALSE, 10, 1);
  g_auto(Seen) b = held_out(TRUE, 33, 1);
  g_auto(Seen) c = held_out(FALSE, 10, 2);
  g_assert_true(same_reals(a.ids, 0, b.ids));
  g_assert_false(same_reals(a.ids, 0, c.ids));
}

/* ---- order ----------------------------------------------------------------------------------- */

/* The kinds of data that the feed treats differently. */
static Toy *toy_kind(gint kind, gint64 train) {
  Toy *toy = toy_new(AB_F32, (kind & 1) != 0, train, 0, 11);
  toy->slab = kind & 2 ? 5 : 0;
  return toy;
}

static void test_order(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = toy_kind(kind, 300);
    FeedOptions options = plain_options(16);
    options.fraction = 0; /* else another seed holds out others, too */
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_autoptr(Feed) other = feed_make(toy, NULL, options, 4);
    g_auto(Seen) first = pass_of(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) again = pass_of(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) later = pass_of(feed, toy, AB_TRAIN, 1, 0);
    g_auto(Seen) seed = pass_of(other, toy, AB_TRAIN, 0, 0);
    g_assert_true(same_reals(first.ids, 0, again.ids));
    g_assert_false(same_reals(first.ids, 0, later.ids));
    g_assert_false(same_reals(first.ids, 0, seed.ids));
    g_autoptr(GHashTable) set = once_each(&first);
    g_autoptr(GHashTable) later_set = once_each(&later);
    g_assert_cmpuint(g_hash_table_size(set), ==, 300);
    g_assert_cmpuint(g_hash_table_size(later_set), ==, 300);
    guint ascending = 0;
    for (guint i = 1; i < 300; i++) ascending += id_at(&first, i) > id_at(&first, i - 1);
    g_assert_cmpuint(ascending, >, 110); /* 150 for a random order, deviation 5 */
    g_assert_cmpuint(ascending, <, 190);
  }
}

static void test_order_plain(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = toy_kind(kind, 30);
    FeedOptions options = plain_options(8);
    options.shuffle = false;
    options.fraction = 0;
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 5, 0);
    g_assert_cmpuint(seen.ids->len, ==, 30);
    for (guint i = 0; i < 30; i++) {
      g_assert_cmpfloat(id_at(&seen, i), ==, i);
      for (guint k = 0; k < 2; k++) g_assert_cmpfloat(x_at(&seen, 2 * i + k), ==, 3 * i + k);
    }
  }
}

static void test_batches(void) {
  g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, 30, 9, 0);
  FeedOptions options = plain_options(8);
  for (gint drop = 0; drop < 2; drop++) {
    options.drop_last = drop;
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_auto(Seen) train = pass_of(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) held = pass_of(feed, toy, AB_VALIDATION, 0, 0);
    g_auto(Seen) none = pass_of(feed, toy, AB_TEST, 0, 0);
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
static void test_hash(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = toy_kind(kind, 100);
    FeedOptions options = plain_options(8);
    options.drop_last = true;
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 4, 0);
    g_assert_cmpuint(seen.ids->len, ==, 88);
    guint8 bytes[88 * 8];
    for (guint i = 0; i < 88 * 8; i++)
      bytes[i] = (guint8)((guint64)id_at(&seen, i / 8) >> i % 8 * 8);
    g_autofree char *expected = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, sizeof bytes);
    g_autofree char *hash = feed_order_hash(feed, 4);
    g_autofree char *other = feed_order_hash(feed, 5);
    g_assert_cmpstr(hash, ==, expected);
    g_assert_cmpstr(hash, !=, other);
  }
}

/* ---- resume ---------------------------------------------------------------------------------- */

static FeedTransform image_transform(void) {
  static const gint64 shape[] = {1, 4, -1};
  FeedTransform transform = no_transform();
  transform.reshape = (AbInts){3, shape};
  transform.shift = 1;
  transform.flip = true;
  return transform;
}

static Feed *image_feed(Toy *toy) {
  FeedTransform transform = image_transform();
  toy->x.shape[0] = 16;
  return feed_make(toy, &transform, plain_options(7), 9);
}

/* From any batch on, a pass gives what the whole one gave from there, also when another was left in
 * the middle; and the thread gives what is fetched inline.                                      */
static void test_resume(void) {
  for (gint slabs = 0; slabs < 2; slabs++) {
    g_autoptr(Toy) in = toy_kind(2 * slabs, 60);
    g_autoptr(Toy) ahead = toy_kind(2 * slabs + 1, 60);
    g_autoptr(Feed) feed = image_feed(in);
    g_autoptr(Feed) thread = image_feed(ahead);
    for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
      g_auto(Seen) whole = pass_of(feed, in, split, 2, 0);
      gint64 batches = feed_batches(feed, split);
      for (gint64 batch = 0; batch <= batches; batch++) {
        g_assert_true(feed_start(thread, AB_TRAIN, 1, 0, NULL)); /* left at once */
        g_auto(Seen) rest = pass_of(feed, in, split, 2, batch);
        g_auto(Seen) prefetched = pass_of(thread, ahead, split, 2, batch);
        guint skip = MIN((guint)batch * 7, whole.ids->len);
        g_assert_true(same_reals(whole.ids, skip, rest.ids));
        g_assert_true(same_reals(whole.x, skip * 16, rest.x));
        g_assert_true(same_reals(whole.ids, skip, prefetched.ids));
        g_assert_true(same_reals(whole.x, skip * 16, prefetched.x));
      }
      g_autoptr(GError) error = NULL;
      g_assert_false(feed_start(feed, split, 2, batches + 1, &error));
      g_assert_error(error, HOST_ERROR, AB_CONFIG);
    }
    g_assert_true(in->thread == g_thread_self());
    g_assert_true(ahead->thread != g_thread_self());
  }
}

/* ---- transforms ------------------------------------------------------------------------------ */

/* Two features of four training samples; the other splits must not count. */
static double few_values(AbSplit split, gint64 row, gint64 feature) {
  const double first[] = {1, 2, 3, 6};
  if (split != AB_TRAIN) return split == AB_VALIDATION ? 1000 : -1000;
  return feature == 1 ? 10 : first[row];
}

static Toy *few_toy(AbDtype real, AbDtype dtype, gboolean blocking) {
  Toy *toy = toy_new(real, blocking, 4, 2, 2);
  toy->x.dtype = dtype;
  toy->value = few_values;
  return toy;
}

/* Mean 3 and variance (4 + 1 + 0 + 9) / 4 of the first feature; the second is 10 throughout. */
static void test_standardise(void) {
  const AbDtype types[] = {AB_F32, AB_F64};
  for (gsize t = 0; t < 4 * G_N_ELEMENTS(types); t++) {
    g_autoptr(Toy) toy = few_toy(t & 1 ? AB_F32 : AB_F64, types[t / 4], t & 2);
    FeedTransform transform = no_transform();
    transform.standardise = true;
    FeedOptions options = plain_options(2);
    options.shuffle = false;
    g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
    gint64 count = 0;
    const double *mean = feed_statistic(feed, "mean", &count);
    const double *std = feed_statistic(feed, "std", NULL);
    g_assert_cmpint(count, ==, 2);
    g_assert_cmpfloat_with_epsilon(mean[0], 3, 1e-12);
    g_assert_cmpfloat_with_epsilon(std[0], 1.8708286933869707, 1e-12);
    g_assert_cmpfloat(mean[1], ==, 10);
    g_assert_cmpfloat(std[1], ==, 1);
    g_assert_null(feed_statistic(feed, "scale", NULL));
    g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_REAL);
    g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
    const double expected[] = {-1.0690449676496976, 0, -0.5345224838248488, 0, 0, 0,
                               1.6035674514745464,  0};
    for (guint i = 0; i < 8; i++)
      g_assert_cmpfloat_with_epsilon(x_at(&seen, i), expected[i], t & 1 ? 1e-6 : 1e-12);
    g_auto(Seen) test = pass_of(feed, toy, AB_TEST, 0, 0);
    g_assert_cmpfloat_with_epsilon(x_at(&test, 0), -1003 / 1.8708286933869707, 1e-3);
  }
}

/* Welford against values on which a sum of squares loses every digit. */
static double far_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split;
  return 1e9 + (double)((row + feature) % 2);
}

static void test_standardise_far(void) {
  g_autoptr(Toy) toy = toy_new(AB_F64, FALSE, 1000, 3, 0);
  toy->x.dtype = AB_F64;
  toy->value = far_values;
  FeedTransform transform = no_transform();
  transform.standardise = true;
  g_autoptr(Feed) feed = feed_make(toy, &transform, plain_options(2), 3);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "mean", NULL)[0], 1e9 + 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "std", NULL)[1], 0.5, 1e-9);
}

/* Rows that are held out do not count: the largest values are made theirs. */
static GHashTable *outliers;
static double outlier_values(AbSplit split, gint64 row, gint64 feature) {
  double id = identity(split, row);
  if (outliers && g_hash_table_contains(outliers, &id)) return 1e6;
  return (double)((row + feature) % 2);
}

static void test_statistics_held_out(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = toy_kind(kind, 100);
    toy->value = outlier_values;
    FeedTransform transform = no_transform();
    transform.standardise = true;
    transform.scale = (AbReals){2, (const double[]){0, 1}};
    g_autoptr(Feed) plain = feed_make(toy, NULL, plain_options(10), 3);
    g_auto(Seen) held = pass_of(plain, toy, AB_VALIDATION, 0, 0);
    outliers = once_each(&held);
    g_autoptr(Feed) feed = feed_make(toy, &transform, plain_options(10), 3);
    const double *scale = feed_statistic(feed, "scale", NULL);
    g_assert_cmpfloat(scale[0], ==, 1);
    g_assert_cmpfloat(scale[1], ==, 0);
    g_assert_cmpfloat(fabs(feed_statistic(feed, "mean", NULL)[0] - 0.5), <, 0.1);
    g_assert_cmpfloat(feed_statistic(feed, "std", NULL)[0], <, 0.51);
    g_clear_pointer(&outliers, g_hash_table_unref);
  }
}

/* 1 to 10 goes to [0, 1]; what lies outside in other splits is clipped. */
static void test_scale_unit(void) {
  g_autoptr(Toy) toy = few_toy(AB_F32, AB_F64, FALSE);
  FeedTransform transform = no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 1}};
  FeedOptions options = plain_options(4);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_UNIT);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_F32);
  g_auto(Seen) train = pass_of(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 1.0 / 9, 1, 2.0 / 9, 1, 5.0 / 9, 1};
  for (guint i = 0; i < 8; i++) g_assert_cmpfloat_with_epsilon(x_at(&train, i), expected[i], 1e-6);
  g_assert_cmpfloat(x_at(&train, 1), <=, 1);
  g_auto(Seen) above = pass_of(feed, toy, AB_VALIDATION, 0, 0);
  g_auto(Seen) below = pass_of(feed, toy, AB_TEST, 0, 0);
  g_assert_cmpfloat(x_at(&above, 0), ==, 1);
  g_assert_cmpfloat(x_at(&below, 3), ==, 0);
}

static void test_scale_real(void) {
  g_autoptr(Toy) toy = few_toy(AB_F64, AB_F32, FALSE);
  toy->lengths[AB_VALIDATION] = 0;
  FeedTransform transform = no_transform();
  transform.scale = (AbReals){2, (const double[]){-1, 2}};
  FeedOptions options = plain_options(4);
  options.shuffle = false;
  options.fraction = 0;
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  gint64 count = 0;
  const double *scale = feed_statistic(feed, "scale", &count);
  g_assert_cmpint(count, ==, 2);
  g_assert_cmpfloat_with_epsilon(scale[0], 1.0 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon(scale[1], -4.0 / 3, 1e-12);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_REAL);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_F64);
  g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
  g_assert_cmpfloat_with_epsilon(x_at(&seen, 0), -1, 1e-12);
  g_assert_cmpfloat_with_epsilon(x_at(&seen, 1), 2, 1e-12);
  g_assert_cmpfloat_with_epsilon(x_at(&seen, 6), 2.0 / 3, 1e-12);
}

/* Scaled to [0, 10] first: 0, 10/9, 20/9, 50/9; then about their own mean 20/9. */
static void test_scale_and_standardise(void) {
  g_autoptr(Toy) toy = few_toy(AB_F64, AB_F64, FALSE);
  FeedTransform transform = no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 10}};
  transform.standardise = true;
  transform.binarise = -0.6;
  FeedOptions options = plain_options(4);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "mean", NULL)[0], 20.0 / 9, 1e-12);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "std", NULL)[0], 10 * sqrt(3.5) / 9, 1e-12);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_BINARY);
  g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 1, 1, 1, 1, 1, 1}; /* -1.07, -0.53, 0, 1.6 against -0.6 */
  for (guint i = 0; i < 8; i++) g_assert_cmpfloat(x_at(&seen, i), ==, expected[i]);
}

static void test_binarise(void) {
  g_autoptr(Toy) toy = few_toy(AB_F32, AB_F32, TRUE);
  FeedTransform transform = no_transform();
  transform.binarise = 2;
  FeedOptions options = plain_options(3);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 0, 1, 1, 1, 1, 1};
  for (guint i = 0; i < 8; i++) g_assert_cmpfloat(x_at(&seen, i), ==, expected[i]);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_BINARY);
  g_assert_null(feed_statistic(feed, "mean", NULL));
  g_assert_cmpint(feed_field_count(feed), ==, 3);
  g_assert_cmpstr(feed_field(feed, 0).name, ==, "x");
  g_assert_cmpint(feed_field(feed, 1).spec.dtype, ==, AB_I64);
  g_assert_cmpint(feed_field(feed, 2).spec.dtype, ==, AB_F32);
  g_assert_null(feed_spec(feed, "z"));
}

/* x of bytes and integers becomes real, if the SDK lets data declare it. */
static void test_integers(void) {
  const AbDtype types[] = {AB_U8, AB_I32, AB_I64};
  for (gsize t = 0; t < 4 * G_N_ELEMENTS(types); t++) {
    g_autoptr(Toy) toy = toy_new(t & 1 ? AB_F32 : AB_F64, t & 2, 30, 4, 0);
    toy->x.dtype = types[t / 4];
    ab_data_open(&toy->base);
    if (!ab_ok(ab_context(&toy->base))) {
      g_test_skip("fields of integers cannot be declared");
      return;
    }
    FeedTransform transform = no_transform();
    FeedOptions options = plain_options(8);
    options.shuffle = false;
    g_autoptr(Feed) plain = feed_make(toy, &transform, options, 3);
    g_auto(Seen) seen = pass_of(plain, toy, AB_TRAIN, 0, 0);
    for (guint i = 0; i < 60; i++) g_assert_cmpfloat(x_at(&seen, i), ==, 3 * (i / 2) + i % 2);
    transform.scale = (AbReals){2, (const double[]){0, 176}}; /* 0 to 88, doubled */
    g_autoptr(Feed) scaled = feed_make(toy, &transform, options, 3);
    g_auto(Seen) doubled = pass_of(scaled, toy, AB_TRAIN, 0, 0);
    for (guint i = 0; i < 60; i++) g_assert_cmpfloat(x_at(&doubled, i), ==, 2 * x_at(&seen, i));
  }
}

/* ---- augment --------------------------------------------------------------------------------- */

enum { CHANNELS = 2, HEIGHT = 3, WIDTH = 4, PIXELS = CHANNELS * HEIGHT * WIDTH };

static double pixel_value(AbSplit split, gint64 row, gint64 feature) {
  return (double)(1 + feature + 100 * row + split);
}

/* Pixel by pixel: where would it have come from? */
static gboolean is_moved(const double *x, double row, gint dy, gint dx, gboolean flip) {
  for (gint p = 0; p < PIXELS; p++) {
    gint c = p / (HEIGHT * WIDTH), i = p / WIDTH % HEIGHT, j = p % WIDTH;
    gint from_i = i - dy, from_j = (flip ? WIDTH - 1 - j : j) - dx;
    gboolean inside = from_i >= 0 && from_i < HEIGHT && from_j >= 0 && from_j < WIDTH;
    double expected = inside ? 1 + 100 * row + (c * HEIGHT + from_i) * WIDTH + from_j : 0;
    if (x[p] != expected) return FALSE;
  }
  return TRUE;
}

/* The one way in which a sample was moved, as a number; fails if there is none. */
static gint way_moved(const double *x, double row, gint shift, gboolean may_flip) {
  for (gint flip = 0; flip <= may_flip; flip++)
    for (gint dy = -shift; dy <= shift; dy++)
      for (gint dx = -shift; dx <= shift; dx++)
        if (is_moved(x, row, dy, dx, flip)) return (flip * 5 + dy + 2) * 5 + dx + 2;
  g_assert_not_reached();
}

static void check_augment(AbDtype real, gint64 shift, gboolean flip, guint ways) {
  static const gint64 shape[] = {CHANNELS, HEIGHT, WIDTH};
  g_autoptr(Toy) toy = toy_new(real, FALSE, 500, 3, 0);
  toy->x.shape[0] = PIXELS;
  toy->value = pixel_value;
  FeedTransform transform = no_transform();
  transform.reshape = (AbInts){3, shape};
  transform.shift = shift;
  transform.flip = flip;
  g_autoptr(Feed) feed = feed_make(toy, &transform, plain_options(50), 3);
  guint counts[64] = {0}, different = 0;
  g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
  for (guint s = 0; s < 500; s++) {
    const double *x = (const double *)(void *)seen.x->data + s * PIXELS;
    counts[way_moved(x, id_at(&seen, s), (gint)shift, flip)]++;
  }
  for (guint w = 0; w < G_N_ELEMENTS(counts); w++) {
    different += counts[w] > 0;
    if (counts[w]) g_assert_cmpuint(counts[w], >, 500 / ways / 4);
  }
  g_assert_cmpuint(different, ==, ways);

  g_auto(Seen) validation = pass_of(feed, toy, AB_VALIDATION, 0, 0);
  for (guint i = 0; i < 3 * PIXELS; i++)
    g_assert_cmpfloat(x_at(&validation, i), ==, pixel_value(AB_VALIDATION, i / PIXELS, i % PIXELS));
}

static void test_augment(void) {
  check_augment(AB_F32, 1, FALSE, 9);
  check_augment(AB_F64, 2, FALSE, 25);
  check_augment(AB_F32, 0, TRUE, 2);
  check_augment(AB_F64, 1, TRUE, 18);
}

/* Another epoch or seed moves the same samples otherwise. */
static void test_augment_streams(void) {
  g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, 40, 3, 0);
  toy->x.shape[0] = 16;
  FeedTransform transform = image_transform();
  FeedOptions options = plain_options(20);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  g_autoptr(Feed) other = feed_make(toy, &transform, options, 4);
  g_auto(Seen) first = pass_of(feed, toy, AB_TRAIN, 0, 0);
  g_auto(Seen) later = pass_of(feed, toy, AB_TRAIN, 1, 0);
  g_auto(Seen) seed = pass_of(other, toy, AB_TRAIN, 0, 0);
  g_assert_true(same_reals(first.ids, 0, later.ids) && same_reals(first.ids, 0, seed.ids));
  g_assert_false(same_reals(first.x, 0, later.x));
  g_assert_false(same_reals(first.x, 0, seed.x));
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
  g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, 20, 0, 0);
  toy->x.shape[0] = 12;
  ab_data_open(&toy->base);
  const double fractions[] = {-0.1, 1, 1.5, INFINITY, 0.96};
  for (gsize i = 0; i < G_N_ELEMENTS(fractions); i++) {
    FeedOptions options = plain_options(1);
    options.fraction = fractions[i];
    if (i == 4) options.batch = 2;
    check_refused(toy, no_transform(), options, i == 4 ? "data.batch is 2, *" : "*fraction*");
  }
  check_refused(toy, no_transform(), plain_options(0), "data.batch is 0*");
  check_refused(toy, no_transform(), plain_options(19), "data.batch is 19, more than the 18 *");

  const gint64 shapes[][3] = {{3, 5, 1},
                              {-1, -1, 12},
                              {0, 12, 1},
                              {-1, 5, 1},
                              {24, 1, 1},
                              {-2, -6, 1},
                              {G_MAXINT64, G_MAXINT64, 12},
                              {3, 4, 2}};
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
    FeedTransform transform = no_transform();
    transform.reshape = (AbInts){3, shapes[i]};
    check_refused(toy, transform, plain_options(1), "data.transform.reshape *12 numbers*");
  }
  const gint64 ones[9] = {1, 1, 1, 1, 1, 1, 1, 12, 1};
  FeedTransform transform = no_transform();
  transform.reshape = (AbInts){9, ones};
  check_refused(toy, transform, plain_options(1), "*9 axes*");

  const double scales[][3] = {{1, 0, 0}, {0, 0, 0}, {0, INFINITY, 0}, {NAN, 1, 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(scales); i++) {
    transform = no_transform();
    transform.scale = (AbReals){2, scales[i]};
    check_refused(toy, transform, plain_options(1), "data.transform.scale *");
    transform.scale.count = 1;
    check_refused(toy, transform, plain_options(1), "data.transform.scale *");
  }
  transform = no_transform();
  transform.binarise = INFINITY;
  check_refused(toy, transform, plain_options(1), "*binarise*");
  transform = no_transform();
  transform.flip = true;
  check_refused(toy, transform, plain_options(1), "*the shape [12];*");
  transform = image_transform();
  transform.shift = 3;
  transform.reshape = (AbInts){2, (const gint64[]){3, 4}};
  check_refused(toy, transform, plain_options(1), "*shift is up to 3 pixels, *");
  transform.shift = -1;
  check_refused(toy, transform, plain_options(1), "*shift is -1*");
}

static void test_options_data(void) {
  g_autoptr(Toy) own = toy_new(AB_F32, FALSE, 20, 5, 0);
  ab_data_open(&own->base);
  FeedOptions options = plain_options(4);
  options.fraction = 0.1;
  check_refused(own, no_transform(), options, "the data has a validation split of its own*");
  g_autoptr(Toy) none = toy_new(AB_F32, FALSE, 0, 0, 0);
  ab_data_open(&none->base);
  check_refused(none, no_transform(), plain_options(4), "*no samples*");
  g_autoptr(Toy) single = toy_new(AB_F32, FALSE, 1, 0, 0);
  ab_data_open(&single->base);
  check_refused(single, no_transform(), plain_options(1), "*leaves none to train on*");

  g_autoptr(Toy) tokens = toy_new(AB_F32, FALSE, 20, 0, 0);
  tokens->x =
      (AbSpec){.rank = 1, .dtype = AB_I64, .shape = {4}, .range = AB_RANGE_CLASS, .classes = 300};
  FeedTransform transform = no_transform();
  transform.reshape = (AbInts){2, (const gint64[]){2, -1}};
  g_autoptr(Feed) feed = feed_make(tokens, &transform, plain_options(4), 1);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_I64);
  g_assert_cmpint(feed_spec(feed, "x")->shape[1], ==, 2);
  transform.standardise = true;
  check_refused(tokens, transform, plain_options(4), "x holds classes*");
}

/* Data without training samples can be evaluated, if no statistics are missing. */
static void test_only_test(void) {
  for (gint blocking = 0; blocking < 2; blocking++) {
    g_autoptr(Toy) toy = toy_new(AB_F32, blocking, 0, 0, 6);
    g_autoptr(Feed) feed = feed_make(toy, NULL, plain_options(1000000), 3);
    g_auto(Seen) seen = pass_of(feed, toy, AB_TEST, 0, 0);
    g_assert_cmpuint(seen.ids->len, ==, 6);
    g_auto(Seen) train = pass_seen(feed, ab_context(&toy->base), AB_TRAIN, 0, 0);
    g_assert_error(train.error, HOST_ERROR, AB_CONFIG);
    FeedTransform transform = no_transform();
    transform.standardise = true;
    FeedOptions options = plain_options(2);
    g_autoptr(GError) error = NULL;
    g_autoptr(Feed) other = feed_new(&toy->base, &transform, &options, 3, &error);
    g_assert_no_error(error);
    g_assert_false(feed_load(other, &error));
    g_assert_error(error, HOST_ERROR, AB_CONFIG);
  }
}

/* ---- statistics from a checkpoint ------------------------------------------------------------ */

static void test_set_statistic(void) {
  g_autoptr(Toy) toy = toy_new(AB_F64, FALSE, 0, 0, 4);
  ab_data_open(&toy->base);
  FeedTransform transform = no_transform();
  transform.standardise = true;
  FeedOptions options = plain_options(2);
  g_autoptr(Feed) feed = feed_new(&toy->base, &transform, &options, 3, NULL);
  const double mean[] = {1, 2, 3}, std[] = {2, 0.5}, zero[] = {1, 0}, nan[] = {NAN, 0};
  const struct {
    const char *name;
    const double *values;
    gint64 count;
    AbCode code;
  } bad[] = {{"mean", mean, 3, AB_CONFIG},
             {"scale", mean, 2, AB_CONFIG},
             {"median", mean, 2, AB_CONFIG},
             {"std", zero, 2, AB_DATA},
             {"mean", nan, 2, AB_DATA}};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(feed_set_statistic(feed, bad[i].name, bad[i].values, bad[i].count, &error));
    g_assert_error(error, HOST_ERROR, bad[i].code);
  }
  g_assert_true(feed_set_statistic(feed, "mean", mean, 2, NULL));
  g_assert_true(feed_set_statistic(feed, "mean", mean, 2, NULL));
  g_assert_true(feed_set_statistic(feed, "std", std, 2, NULL));
  g_assert_true(feed_load(feed, NULL));
  g_assert_cmpint(toy->fetched, ==, 0);
  g_auto(Seen) seen = pass_of(feed, toy, AB_TEST, 0, 0);
  g_assert_cmpfloat_with_epsilon(x_at(&seen, 2), ((2 * 7 + 3 + 0) - 1) / 2.0, 1e-12);
  g_assert_cmpfloat_with_epsilon(x_at(&seen, 3), ((2 * 7 + 3 + 1) - 2) / 0.5, 1e-12);
  g_assert_false(feed_set_statistic(feed, "mean", mean, 2, NULL));
}

static double constant_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split, (void)row, (void)feature;
  return 4;
}

static void test_scale_constant(void) {
  g_autoptr(Toy) toy = toy_new(AB_F32, FALSE, 20, 0, 0);
  toy->value = constant_values;
  ab_data_open(&toy->base);
  FeedTransform transform = no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 1}};
  FeedOptions options = plain_options(2);
  g_autoptr(GError) error = NULL;
  g_autoptr(Feed) feed = feed_new(&toy->base, &transform, &options, 3, NULL);
  g_assert_false(feed_load(feed, &error));
  g_assert_error(error, HOST_ERROR, AB_DATA);
  g_assert_nonnull(strstr(error->message, "x is 4 in every training sample"));
}

/* ---- bad values ------------------------------------------------------------------------------ */

/* Without shuffling or holding out, in batches of 4: row 13 is in the fourth. */
static void check_bad(Toy *toy, guint fine, AbCode code, const char *message) {
  FeedOptions options = plain_options(4);
  options.shuffle = false;
  options.fraction = 0;
  g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
  for (gint again = 0; again < 2; again++) {
    g_auto(Seen) seen = pass_seen(feed, ab_context(&toy->base), toy->fault_split, 0, 0);
    g_assert_error(seen.error, HOST_ERROR, code);
    if (!g_str_has_prefix(seen.error->message, message)) g_error("%s", seen.error->message);
    g_assert_nonnull(strchr(seen.error->message, '\n')); /* the way out */
    g_assert_cmpuint(seen.ids->len, ==, fine);
    g_autoptr(GError) error = NULL;
    g_assert_null(feed_next(feed, &error)); /* a failed pass does not look like one that ended */
    g_assert_error(error, HOST_ERROR, AB_INTERNAL);
  }
}

static Toy *bad_toy(gint kind, Fault fault, double bad) {
  Toy *toy = toy_kind(kind, 30);
  if (kind & 2) toy->x.dtype = AB_F64;
  toy->value = outlier_values; /* 0 or 1 */
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
    FeedTransform transform = no_transform();
    transform.standardise = true;
    FeedOptions options = plain_options(2);
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
  FeedTransform transform = no_transform();
  transform.standardise = true;
  FeedOptions options = plain_options(4);
  g_autoptr(Feed) feed = feed_make(toy, &transform, options, 3);
  g_auto(Seen) test = pass_seen(feed, ab_context(&toy->base), AB_TEST, 0, 0);
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
    FeedOptions options = plain_options(4);
    options.shuffle = false;
    options.fraction = 0;
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    g_auto(Seen) seen = pass_seen(feed, ctx, AB_TRAIN, 0, 0);
    g_assert_error(seen.error, HOST_ERROR, AB_IO);
    g_assert_nonnull(strstr(seen.error->message, "row 13 could not be read"));
    g_assert_cmpuint(seen.ids->len, ==, 12);
    g_assert_cmpint(ab_error_code(ctx), ==, AB_IO);
    g_assert_false(feed_start(feed, AB_TRAIN, 0, 0, NULL));

    ab_error_clear(ctx);
    toy->fault = FAULT_NONE;
    g_auto(Seen) whole = pass_of(feed, toy, AB_TRAIN, 0, 0);
    g_assert_cmpuint(whole.ids->len, ==, 30);
  }
}

/* ---- slabs ----------------------------------------------------------------------------------- */

/* 64 slabs of 10 rows, a toy that keeps 8: an epoch loads each slab once, and yet a batch mixes
 * rows of many slabs, and the windows differ between epochs.                                    */
static void test_slabs(void) {
  for (gint blocking = 0; blocking < 2; blocking++) {
    g_autoptr(Toy) toy = toy_new(AB_F32, blocking, 640, 0, 0);
    toy->slab = 10;
    FeedOptions options = plain_options(32);
    g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
    GHashTable *first_window[2];
    for (gint epoch = 0; epoch < 2; epoch++) {
      toy->slab_loads = 0;
      memset(toy->cache, 0, sizeof toy->cache);
      g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, epoch, 0);
      g_assert_cmpint(toy->slab_loads, ==, 64);
      g_autoptr(GHashTable) all = once_each(&seen);
      g_assert_cmpuint(g_hash_table_size(all), ==, 576);
      first_window[epoch] = g_hash_table_new(NULL, NULL);
      for (guint i = 0; i < 32; i++)
        g_hash_table_add(first_window[epoch], GINT_TO_POINTER((gint)id_at(&seen, i) / 10 + 1));
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
  g_autoptr(Toy) toy = toy_new(AB_F32, TRUE, 200, 0, 20);
  AbContext *ctx = ab_context(&toy->base);
  for (gint round = 0; round < 300; round++) {
    toy->slow = round % 2;
    g_autoptr(Feed) feed = feed_make(toy, NULL, plain_options(6), 3);
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
  g_autoptr(Toy) toy = toy_new(AB_F32, TRUE, 40, 3, 0);
  toy->fault = FAULT_X;
  toy->bad = NAN;
  FeedOptions options = plain_options(10);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_make(toy, NULL, options, 3);
  for (gint round = 0; round < 3; round++) {
    g_assert_true(feed_start(feed, AB_TRAIN, 0, 0, NULL));
    g_usleep(10000);
  }
  g_assert_true(feed_start(feed, AB_VALIDATION, 0, 1, NULL)); /* joins: no batches are left */
  toy->fault_split = AB_TEST;
  g_auto(Seen) seen = pass_of(feed, toy, AB_TRAIN, 0, 0);
  g_assert_cmpuint(seen.ids->len, ==, 40);
}

/* The thread stays at most a few batches ahead. */
static void test_ahead(void) {
  g_autoptr(Toy) toy = toy_new(AB_F32, TRUE, 400, 3, 0);
  g_autoptr(Feed) feed = feed_make(toy, NULL, plain_options(10), 3);
  g_assert_true(feed_start(feed, AB_TRAIN, 0, 0, NULL));
  g_usleep(50000);
  g_assert_true(feed_start(feed, AB_VALIDATION, 0, 1, NULL)); /* joins the thread: 0 batches */
  g_assert_cmpint(toy->fetched, <=, 20);
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
  g_test_add_func("/feed/order/slabs", test_slabs);
  g_test_add_func("/feed/transform/standardise", test_standardise);
  g_test_add_func("/feed/transform/standardise-far", test_standardise_far);
  g_test_add_func("/feed/transform/held-out", test_statistics_held_out);
  g_test_add_func("/feed/transform/scale-unit", test_scale_unit);
  g_test_add_func("/feed/transform/scale-real", test_scale_real);
  g_test_add_func("/feed/transform/scale-constant", test_scale_constant);
  g_test_add_func("/feed/transform/scale-and-standardise", test_scale_and_standardise);
  g_test_add_func("/feed/transform/binarise", test_binarise);
  g_test_add_func("/feed/transform/integers", test_integers);
  g_test_add_func("/feed/transform/augment", test_augment);
  g_test_add_func("/feed/transform/augment-streams", test_augment_streams);
  g_test_add_func("/feed/transform/set-statistic", test_set_statistic);
  g_test_add_func("/feed/options/values", test_options);
  g_test_add_func("/feed/options/data", test_options_data);
  g_test_add_func("/feed/options/only-test", test_only_test);
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
