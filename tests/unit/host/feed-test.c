/* SPDX-License-Identifier: Apache-2.0
 *
 * The toy of the tests of the feed; see feed-test.h. */
#include "feed-test.h"

#include <math.h>
#include <string.h>

static const AbSpec label_spec = {
    .rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = 5};
static const AbSpec id_spec = {.rank = 0, .dtype = AB_F64, .range = AB_RANGE_REAL};

static double plain_value(AbSplit split, gint64 row, gint64 feature) {
  return (double)((split * 7 + row * 3 + feature) % 200);
}

/* What a sample is recognised by. */
double feed_test_identity(AbSplit split, gint64 row) {
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
  while (at < FEED_TEST_CACHE - 1 && toy->cache[at] != slab) at++;
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
    ((double *)fields[2])[k] = feed_test_identity(split, rows[k]);
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

Toy *feed_test_toy_new(AbDtype real, gboolean blocking, gint64 train, gint64 validation,
                       gint64 test) {
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

/* The kinds of data that the feed treats differently. */
Toy *feed_test_toy_kind(gint kind, gint64 train) {
  Toy *toy = feed_test_toy_new(AB_F32, (kind & 1) != 0, train, 0, 11);
  toy->slab = kind & 2 ? 5 : 0;
  return toy;
}

void feed_test_toy_free(Toy *toy) {
  AbContext *ctx = ab_context(&toy->base);
  ab_data_close(&toy->base);
  ab_instance_free(&toy->base);
  ab_context_free(ctx);
}

FeedTransform feed_test_no_transform(void) {
  return (FeedTransform){.binarise = NAN};
}

FeedTransform feed_test_image_transform(void) {
  static const gint64 shape[] = {1, 4, -1};
  FeedTransform transform = feed_test_no_transform();
  transform.reshape = (AbInts){3, shape};
  transform.shift = 1;
  transform.flip = true;
  return transform;
}

FeedOptions feed_test_options(gint64 batch) {
  return (FeedOptions){.fraction = NAN, .batch = batch, .shuffle = true};
}

/* Opens the toy, which is set up by then, and its feed. */
Feed *feed_test_make(Toy *toy, const FeedTransform *transform, FeedOptions options, guint64 seed) {
  g_autoptr(GError) error = NULL;
  FeedTransform none = feed_test_no_transform();
  if (ab_data_field_count(&toy->base) == 0) ab_data_open(&toy->base);
  Feed *feed = feed_new(&toy->base, transform ? transform : &none, &options, seed, &error);
  g_assert_no_error(error);
  g_assert_nonnull(feed);
  g_assert_true(feed_load(feed, &error));
  g_assert_no_error(error);
  return feed;
}

void feed_test_seen_clear(Seen *seen) {
  g_array_unref(seen->ids);
  g_array_unref(seen->x);
  g_array_unref(seen->batches);
  g_clear_error(&seen->error);
}

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

Seen feed_test_pass_seen(Feed *feed, AbContext *ctx, AbSplit split, gint64 epoch, gint64 batch) {
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

Seen feed_test_pass(Feed *feed, Toy *toy, AbSplit split, gint64 epoch, gint64 batch) {
  Seen seen = feed_test_pass_seen(feed, ab_context(&toy->base), split, epoch, batch);
  g_assert_no_error(seen.error);
  return seen;
}

double feed_test_id(const Seen *seen, guint i) {
  return g_array_index(seen->ids, double, i);
}

double feed_test_x(const Seen *seen, guint i) {
  return g_array_index(seen->x, double, i);
}

gboolean feed_test_same(const GArray *a, guint skip, const GArray *b) {
  if (a->len - skip != b->len) return FALSE;
  return b->len == 0 ||
         memcmp(&g_array_index(a, double, skip), b->data, b->len * sizeof(double)) == 0;
}

/* Each of the identities occurs exactly once, and nothing else does. */
GHashTable *feed_test_once_each(const Seen *seen) {
  GHashTable *set = g_hash_table_new_full(g_double_hash, g_double_equal, g_free, NULL);
  for (guint i = 0; i < seen->ids->len; i++) {
    double id = feed_test_id(seen, i);
    g_assert_true(g_hash_table_add(set, g_memdup2(&id, sizeof id)));
  }
  return set;
}
