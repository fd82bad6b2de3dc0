/* SPDX-License-Identifier: Apache-2.0
 *
 * A pass over a split: from plain numbers to batches of tensors.                                */
#include "feed-internal.h"

#include <string.h>

gboolean feed_start(Feed *self, AbSplit split, gint64 epoch, gint64 batch, GError **error) {
  if (self->prefetch) prefetch_stop(self->prefetch);
  self->pass.active = FALSE;
  if (!self->loaded || split < 0 || split >= AB_SPLIT_COUNT || epoch < 0)
    return host_fail(error, AB_INTERNAL, "a pass over data that are not loaded, or not there");
  gint64 batches = feed_batches(self, split);
  if (split == AB_TRAIN && batches == 0)
    return host_fail(error, AB_CONFIG, "%s has no training samples", ab_path(self->data));
  if (batch < 0 || batch > batches)
    return host_fail(error, AB_CONFIG,
                     "there is no batch %" G_GINT64_FORMAT " in an epoch of %" G_GINT64_FORMAT
                     " batches of %s;\nresume with the data and data.batch of the start",
                     batch, batches, ab_split_name(split));
  if (!feed_context_ok(self, error)) return FALSE;
  if (split == AB_TRAIN) order_shuffle(self, &self->order, epoch);
  self->pass = (FeedPass){TRUE, split, epoch, batch, batches};
  self->pass.active = !self->prefetch || prefetch_start(self->prefetch, error);
  return self->pass.active;
}

/* ---- batches --------------------------------------------------------------------------------- */

static AbShape batch_shape(const AbSpec *spec, gint64 count) {
  AbShape shape = {.rank = spec->rank + 1};
  shape.dims[0] = count;
  for (int32_t i = 0; i < spec->rank; i++) shape.dims[i + 1] = spec->shape[i];
  return shape;
}

/* The tensors of a batch and, in outputs, their memory. */
static gboolean tensors_map(Feed *self, gint64 count, GError **error) {
  for (gint i = 0; i < self->field_count; i++) {
    const AbSpec *spec = &self->fields[i].out;
    self->tensors[i] = ab_empty(self->ctx, spec->dtype, batch_shape(spec, count));
    self->outputs[i] = self->tensors[i] ? ab_map(self->tensors[i], true) : NULL;
    if (self->outputs[i] || self->fields[i].count == 0) continue;
    for (gint k = 0; k < i; k++) ab_unmap(self->tensors[k]);
    return feed_context_ok(self, error) &&
           host_fail(error, AB_INTERNAL, "no memory to write a batch of %s to",
                     self->fields[i].name);
  }
  return TRUE;
}

static gboolean tensors_fill(Feed *self, gint64 count, GError **error) {
  if (!self->data) return TRUE;
  if (!self->prefetch)
    return feed_produce(self, &self->work, &self->pass, self->pass.next, self->outputs, error);
  void *const *ready = prefetch_next(self->prefetch, error);
  if (!ready) return FALSE;
  for (gint i = 0; i < self->field_count; i++)
    if (self->fields[i].out_size > 0)
      memcpy(self->outputs[i], ready[i], (gsize)count * self->fields[i].out_size);
  prefetch_release(self->prefetch);
  return TRUE;
}

static AbBatch *batch_make(Feed *self, GError **error) {
  gint64 count = feed_batch_size(self, self->pass.split, self->pass.next);
  if (!tensors_map(self, count, error)) return NULL;
  gboolean fine = tensors_fill(self, count, error);
  for (gint i = 0; i < self->field_count; i++) ab_unmap(self->tensors[i]);
  AbBatch *batch = fine ? ab_batch_new(self->ctx, count) : NULL;
  if (fine && !batch && feed_context_ok(self, error))
    host_fail(error, AB_INTERNAL, "no memory for a batch");
  for (gint i = 0; batch && i < self->field_count; i++)
    ab_batch_put(batch, self->fields[i].name, self->tensors[i]);
  return batch;
}

/* A pass that failed is over: going on would skip a batch. */
AbBatch *feed_next(Feed *self, GError **error) {
  if (!self->pass.active) {
    host_fail(error, AB_INTERNAL, "a batch was asked for before a pass was started");
    return NULL;
  }
  if (self->pass.next == self->pass.batches) return NULL;
  AbBatch *batch = batch_make(self, error);
  if (batch) {
    self->pass.next++;
    return batch;
  }
  if (self->prefetch) prefetch_stop(self->prefetch);
  self->pass.active = FALSE;
  return NULL;
}

/* ---- what was seen --------------------------------------------------------------------------- */

static void add_number(GChecksum *checksum, gint64 number) {
  gint64 bytes = GINT64_TO_LE(number);
  g_checksum_update(checksum, (const guchar *)&bytes, sizeof bytes);
}

/* The sizes too: the same order in larger batches is another training. */
char *feed_order_hash(Feed *self, gint64 epoch) {
  FeedOrder order;
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  gboolean fine = order_init(self, &order, NULL);
  gint64 batches = feed_batches(self, AB_TRAIN), sample = 0;
  if (fine) order_shuffle(self, &order, epoch);
  for (gint64 batch = 0; fine && batch < batches; batch++) {
    gint64 count = feed_batch_size(self, AB_TRAIN, batch);
    add_number(checksum, count);
    for (gint64 i = 0; i < count; i++) add_number(checksum, order_row(self, &order, sample++));
  }
  order_clear(&order);
  return fine ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}
