/* SPDX-License-Identifier: Apache-2.0
 *
 * One batch from the component to checked and transformed numbers in plain memory. Runs on the
 * thread of the caller or on the prefetch thread.                                               */
#include "feed-internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- buffers --------------------------------------------------------------------------------- */

static gboolean work_fill(const Feed *self, FeedWork *work, GError **error) {
  const char *what = "for a batch";
  gboolean sorts = self->blocking || self->slab > 1;
  if (!(work->rows = feed_buffer(work->capacity, sizeof(gint64), what, error))) return FALSE;
  if (sorts) {
    if (!(work->items = feed_buffer(work->capacity, sizeof(FeedItem), what, error))) return FALSE;
    if (!(work->sorted = feed_buffer(work->capacity, sizeof(gint64), what, error))) return FALSE;
  }
  for (gint i = 0; i < self->field_count; i++) {
    const FeedField *field = &self->fields[i];
    if (!sorts && field->in.dtype == field->out.dtype) continue;
    if (!(work->raw[i] = feed_buffer(work->capacity, field->in_size, what, error))) return FALSE;
  }
  return TRUE;
}

gboolean work_init(const Feed *self, FeedWork *work, gint64 capacity, GError **error) {
  *work = (FeedWork){.capacity = capacity};
  work->raw = g_new0(void *, (gsize)self->field_count);
  work->targets = g_new0(void *, (gsize)self->field_count);
  if (work_fill(self, work, error)) return TRUE;
  work_clear(self, work);
  return FALSE;
}

void work_clear(const Feed *self, FeedWork *work) {
  for (gint i = 0; work->raw && i < self->field_count; i++) g_free(work->raw[i]);
  g_free(work->raw);
  g_free(work->targets);
  g_free(work->rows);
  g_free(work->items);
  g_free(work->sorted);
  *work = (FeedWork){0};
}

/* ---- conversion ------------------------------------------------------------------------------ */

#define CONVERT_FROM(From, To)                                                    \
  for (gint64 i = 0; i < count; i++) ((To *)to)[i] = (To)((const From *)from)[i]; \
  break
#define CONVERT_TO(To)                   \
  switch (type) {                        \
  case AB_F32: CONVERT_FROM(float, To);  \
  case AB_F64: CONVERT_FROM(double, To); \
  case AB_I32: CONVERT_FROM(gint32, To); \
  case AB_I64: CONVERT_FROM(gint64, To); \
  default: CONVERT_FROM(guint8, To);     \
  }

/* Numbers of `type` into the real type of the feed; classes stay as they are. */
static void convert(const FeedField *field, AbDtype type, const void *from, void *to,
                    gint64 count) {
  if (type == field->out.dtype)
    memcpy(to, from, (gsize)count * ab_dtype_size(type));
  else if (field->out.dtype == AB_F32)
    CONVERT_TO(float)
  else
    CONVERT_TO(double)
}

/* What was read in the order of items goes back to the order of the batch. */
static void scatter(const FeedField *field, const FeedItem *items, const void *raw, void *output,
                    gint64 count) {
  for (gint64 k = 0; k < count; k++)
    convert(field, field->in.dtype, (const char *)raw + (gsize)k * field->in_size,
            (char *)output + (gsize)items[k].place * field->out_size, field->count);
}

/* ---- reading --------------------------------------------------------------------------------- */

gboolean feed_fetch(const Feed *self, FeedWork *work, AbSplit source, gint64 count,
                    void *const *outputs, GError **error) {
  for (gint i = 0; i < self->field_count; i++)
    work->targets[i] = work->raw[i] ? work->raw[i] : outputs[i];
  for (gint64 k = 0; work->items && k < count; k++) work->sorted[k] = work->items[k].row;
  ab_data_fetch(self->data, source, work->items ? work->sorted : work->rows, count, work->targets);
  if (!feed_context_ok(self, error)) return FALSE;
  for (gint i = 0; i < self->field_count; i++) {
    const FeedField *field = &self->fields[i];
    if (work->items)
      scatter(field, work->items, work->raw[i], outputs[i], count);
    else if (work->raw[i])
      convert(field, field->in.dtype, work->raw[i], outputs[i], count * field->count);
    if (!check_values(self, field, outputs[i], source, work->rows, count, error)) return FALSE;
  }
  return TRUE;
}

/* ---- batches --------------------------------------------------------------------------------- */

gint64 feed_batch_capacity(const Feed *self) {
  gint64 most = MAX(self->samples[AB_TRAIN], self->samples[AB_VALIDATION]);
  return MIN(self->options.batch, MAX(most, self->samples[AB_TEST]));
}

gint64 feed_batch_size(const Feed *self, AbSplit split, gint64 batch) {
  return MIN(self->options.batch, self->samples[split] - batch * self->options.batch);
}

static int item_compare(const void *a, const void *b) {
  const FeedItem *x = a, *y = b;
  if (x->window != y->window) return x->window < y->window ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* The rows of a batch, and the order in which to read them: ascending, as a disk likes it, but
 * first those of the window that ends in this batch, whose slabs are already in memory.         */
static gint64 work_rows(const Feed *self, FeedWork *work, const FeedPass *pass, gint64 batch) {
  gint64 first = batch * self->options.batch, count = feed_batch_size(self, pass->split, batch);
  const FeedOrder *order = pass->split == AB_TRAIN ? &self->order : NULL;
  gint64 window = 0;
  for (gint64 k = 0; k < count; k++) {
    gint64 position = first + k;
    work->rows[k] =
        order ? order_row(self, order, position) : split_row(self, pass->split, position);
    if (!work->items) continue;
    while (order && window < order->window_count && order->window_end[window] <= position) window++;
    work->items[k] = (FeedItem){work->rows[k], window, k};
  }
  if (work->items) qsort(work->items, (gsize)count, sizeof(FeedItem), item_compare);
  return count;
}

gboolean feed_produce(const Feed *self, FeedWork *work, const FeedPass *pass, gint64 batch,
                      void *const *outputs, GError **error) {
  gint64 count = work_rows(self, work, pass, batch);
  AbSplit source = split_source(self, pass->split);
  if (!feed_fetch(self, work, source, count, outputs, error)) return FALSE;
  for (gint i = 0; i < self->field_count; i++) {
    if (!self->fields[i].as_x) continue;
    transform_apply(self, outputs[i], count);
    if (!check_transformed(self, outputs[i], source, work->rows, count, error)) return FALSE;
  }
  if (pass->split == AB_TRAIN) augment_apply(self, outputs[self->x], count, pass->epoch, batch);
  for (gint i = 0; i < self->field_count; i++)
    if (self->fields[i].as_x) augment_draw(self, &self->fields[i], outputs[i], count, pass, batch);
  return TRUE;
}
