/* SPDX-License-Identifier: Apache-2.0
 *
 * Which samples belong to which split, and the order of an epoch: functions of the seed, the number
 * of samples and the epoch alone.                                                               */
#include "feed-internal.h"

#include <math.h>

/* ---- held-out samples ------------------------------------------------------------------------ */

/* The first `held` of a seeded permutation are held out; both parts are kept ascending. */
static gboolean split_hold_out(Feed *self, gint64 held, GError **error) {
  gint64 total = self->samples[AB_TRAIN];
  g_autofree gint64 *shuffled = feed_buffer(total, sizeof(gint64), "to choose samples", error);
  if (!shuffled) return FALSE;
  g_autofree guint8 *marks = feed_buffer(total, 1, "to choose samples", error);
  if (!marks) return FALSE;
  if (!(self->held = feed_buffer(held, sizeof(gint64), "to choose samples", error))) return FALSE;
  self->train = feed_buffer(total - held, sizeof(gint64), "to choose samples", error);
  if (!self->train) return FALSE;

  AbStream stream = ab_stream(self->seed, "split");
  ab_stream_permutation(&stream, shuffled, total);
  for (gint64 i = 0; i < total; i++) marks[shuffled[i]] = i < held;
  gint64 kept = 0, out = 0;
  for (gint64 row = 0; row < total; row++)
    if (marks[row])
      self->held[out++] = row;
    else
      self->train[kept++] = row;
  self->samples[AB_TRAIN] = total - held;
  self->samples[AB_VALIDATION] = held;
  self->holds_out = TRUE;
  return TRUE;
}

static gboolean split_validation(Feed *self, GError **error) {
  double fraction = self->options.fraction;
  gint64 total = self->samples[AB_TRAIN];
  if (self->samples[AB_VALIDATION] > 0) {
    if (isnan(fraction)) return TRUE;
    return host_fail(error, AB_CONFIG,
                     "the data has a validation split of its own; leave validation.fraction out");
  }
  if (isnan(fraction)) fraction = 0.1;
  if (!(fraction >= 0 && fraction < 1))
    return host_fail(error, AB_CONFIG,
                     "validation.fraction is %g; it must be 0 or more and less than 1", fraction);
  if (fraction == 0 || total == 0) return TRUE;
  /* So that 0.29 of 100, which is 28.999... in binary, is 29. */
  gint64 held = MAX((gint64)floor(fraction * (double)total + 1e-9), 1);
  if (held >= total)
    return host_fail(error, AB_CONFIG,
                     "validation.fraction %g of %" G_GINT64_FORMAT
                     " training samples leaves none to "
                     "train on; take less, or 0 for no validation",
                     fraction, total);
  return split_hold_out(self, held, error);
}

gboolean split_init(Feed *self, GError **error) {
  gint64 total = 0;
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    self->samples[split] = ab_data_samples(self->data, split);
    total |= self->samples[split];
  }
  if (total <= 0) return host_fail(error, AB_CONFIG, "%s has no samples", ab_path(self->data));
  if (!split_validation(self, error)) return FALSE;
  gint64 batch = self->options.batch, train = self->samples[AB_TRAIN];
  if (batch < 1)
    return host_fail(error, AB_CONFIG, "data.batch is %" G_GINT64_FORMAT "; it must be 1 or more",
                     batch);
  if (train > 0 && batch > train)
    return host_fail(error, AB_CONFIG,
                     "data.batch is %" G_GINT64_FORMAT ", more than the %" G_GINT64_FORMAT
                     " samples to train on; make it smaller",
                     batch, train);
  return TRUE;
}

AbSplit split_source(const Feed *self, AbSplit split) {
  return split == AB_VALIDATION && self->holds_out ? AB_TRAIN : split;
}

gint64 split_row(const Feed *self, AbSplit split, gint64 sample) {
  if (!self->holds_out || split == AB_TEST) return sample;
  return split == AB_TRAIN ? self->train[sample] : self->held[sample];
}

/* ---- the order of an epoch ------------------------------------------------------------------- */

gboolean order_init(const Feed *self, FeedOrder *order, GError **error) {
  gint64 count = self->samples[AB_TRAIN];
  *order = (FeedOrder){0};
  if (!self->options.shuffle) return TRUE;
  order->rows = feed_buffer(count, sizeof(gint64), "to shuffle samples", error);
  if (!order->rows) return FALSE;
  if (self->slab <= 1) return TRUE;
  order->gather = feed_buffer(count, sizeof(gint64), "to shuffle samples", error);
  if (!order->gather) return FALSE;
  order->window_end = feed_buffer(count, sizeof(gint64), "to shuffle samples", error);
  return order->window_end != NULL;
}

void order_clear(FeedOrder *order) {
  g_free(order->rows);
  g_free(order->gather);
  g_free(order->window_end);
  *order = (FeedOrder){0};
}

/* Where each slab begins in the ascending training rows, and their end. Some slabs may have lost
 * rows, or all of them, to the validation.                                                      */
static GArray *slab_starts(const Feed *self) {
  GArray *starts = g_array_new(FALSE, FALSE, sizeof(gint64));
  gint64 before = -1, count = self->samples[AB_TRAIN];
  for (gint64 i = 0; i < count; i++) {
    gint64 slab = split_row(self, AB_TRAIN, i) / self->slab;
    if (slab != before) g_array_append_val(starts, i);
    before = slab;
  }
  g_array_append_val(starts, count);
  return starts;
}

/* Slabs in any order, then rows in any order inside a window of several slabs: a component that
 * keeps a window in memory reads each slab once.                                                */
static void order_shuffle_slabs(const Feed *self, FeedOrder *order, AbStream *stream) {
  g_autoptr(GArray) array = slab_starts(self);
  const gint64 *starts = (const gint64 *)(void *)array->data;
  gint64 slabs = (gint64)array->len - 1, done = 0;
  g_autofree gint64 *shuffled = g_new(gint64, (gsize)MAX(slabs, 1));
  ab_stream_permutation(stream, shuffled, slabs);
  order->window_count = 0;
  for (gint64 first = 0; first < slabs; first += FEED_WINDOW) {
    gint64 size = 0, last = MIN(first + FEED_WINDOW, slabs);
    for (gint64 k = first; k < last; k++)
      for (gint64 i = starts[shuffled[k]]; i < starts[shuffled[k] + 1]; i++)
        order->gather[size++] = split_row(self, AB_TRAIN, i);
    gint64 *rows = order->rows + done;
    ab_stream_permutation(stream, rows, size);
    for (gint64 i = 0; i < size; i++) rows[i] = order->gather[rows[i]];
    done += size;
    order->window_end[order->window_count++] = done;
  }
}

void order_shuffle(const Feed *self, FeedOrder *order, gint64 epoch) {
  if (!order->rows) return;
  char name[64];
  g_snprintf(name, sizeof name, "shuffle/%" G_GINT64_FORMAT, epoch);
  AbStream stream = ab_stream(self->seed, name);
  gint64 count = self->samples[AB_TRAIN];
  if (order->gather) {
    order_shuffle_slabs(self, order, &stream);
    return;
  }
  ab_stream_permutation(&stream, order->rows, count);
  if (!self->holds_out) return;
  for (gint64 i = 0; i < count; i++) order->rows[i] = self->train[order->rows[i]];
}

gint64 order_row(const Feed *self, const FeedOrder *order, gint64 position) {
  return order->rows ? order->rows[position] : split_row(self, AB_TRAIN, position);
}
