/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a feed, and errors.                                                               */
#include "feed-internal.h"

#include <string.h>

/* ---- errors ---------------------------------------------------------------------------------- */

gboolean feed_context_ok(const Feed *self, GError **error) {
  AbCode code = ab_error_code(self->ctx);
  if (code == AB_OK) return TRUE;
  g_set_error_literal(error, HOST_ERROR, code, ab_error_message(self->ctx));
  return FALSE;
}

void *feed_buffer(gint64 count, gsize size, const char *what, GError **error) {
  gsize bytes = 0;
  void *buffer = NULL;
  if (g_size_checked_mul(&bytes, (gsize)count, size)) buffer = g_try_malloc(MAX(bytes, 1));
  if (!buffer)
    host_fail(error, AB_CONFIG,
              "no memory %s (%" G_GINT64_FORMAT " times %" G_GSIZE_FORMAT
              " bytes);\ntake smaller batches or less data",
              what, count, size);
  return buffer;
}

/* ---- life ------------------------------------------------------------------------------------ */

Feed *feed_new(AbData *data, const FeedTransform *transform, const FeedOptions *options,
               guint64 seed, GError **error) {
  g_autoptr(Feed) self = g_new0(Feed, 1);
  const AbDataVtable *vtable = data->component->vtable;
  self->data = data;
  self->ctx = ab_context(data);
  self->real = ab_real_dtype(self->ctx);
  self->seed = seed;
  self->blocking = (vtable->flags & AB_DATA_BLOCKING) != 0;
  self->slab = ab_data_slab(data);
  self->options = *options;
  if (!feed_context_ok(self, error)) return NULL;
  if (!fields_init(self, transform, error)) return NULL;
  if (!split_init(self, error)) return NULL;
  self->outputs = g_new0(void *, (gsize)self->field_count);
  self->tensors = g_new0(AbTensor *, (gsize)self->field_count);
  return g_steal_pointer(&self);
}

Feed *feed_new_idle(AbContext *ctx, gint64 steps) {
  Feed *self = g_new0(Feed, 1);
  self->ctx = ctx;
  self->real = ab_real_dtype(ctx);
  self->options.batch = 1;
  self->samples[AB_TRAIN] = steps;
  self->x = -1;
  return self;
}

void feed_free(Feed *self) {
  if (!self) return;
  prefetch_free(self->prefetch);
  work_clear(self, &self->work);
  order_clear(&self->order);
  g_free(self->outputs);
  g_free(self->tensors);
  g_free(self->scale);
  g_free(self->mean);
  g_free(self->std);
  g_free(self->train);
  g_free(self->held);
  fields_clear(self);
  g_free(self);
}

/* Statistics come first: they need buffers of their own, which are gone when these are made. */
gboolean feed_load(Feed *self, GError **error) {
  if (self->loaded) return TRUE;
  if (!self->data) return self->loaded = TRUE;
  ab_data_load(self->data);
  if (!feed_context_ok(self, error)) return FALSE;
  if (!statistics_compute(self, error)) return FALSE;
  order_clear(&self->order);
  if (!order_init(self, &self->order, error)) return FALSE;
  if (self->blocking)
    self->prefetch = prefetch_new(self, error);
  else if (!work_init(self, &self->work, feed_batch_capacity(self), error))
    return FALSE;
  self->loaded = !self->blocking || self->prefetch;
  return self->loaded;
}

/* ---- what comes out -------------------------------------------------------------------------- */

gint feed_field_count(const Feed *self) {
  return self->field_count;
}

AbField feed_field(const Feed *self, gint index) {
  const FeedField *field = &self->fields[index];
  return (AbField){field->name, field->out};
}

const AbSpec *feed_spec(const Feed *self, const char *name) {
  for (gint i = 0; i < self->field_count; i++)
    if (strcmp(self->fields[i].name, name) == 0) return &self->fields[i].out;
  return NULL;
}

gint64 feed_samples(const Feed *self, AbSplit split) {
  return split >= 0 && split < AB_SPLIT_COUNT ? self->samples[split] : 0;
}

gint64 feed_batches(const Feed *self, AbSplit split) {
  gint64 samples = feed_samples(self, split), batch = self->options.batch;
  gboolean short_one = samples % batch != 0 && !(split == AB_TRAIN && self->options.drop_last);
  return samples / batch + short_one;
}
