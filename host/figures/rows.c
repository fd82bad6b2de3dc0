/* SPDX-License-Identifier: Apache-2.0
 *
 * Passes over a split in evaluation mode, as host/run/evaluate.c does them. */
#include "figures-internal.h"

#include "../run/evaluate.h"
#include "../run/signals.h"
#include <string.h>

#define MOST_NUMBERS (G_GINT64_CONSTANT(1) << 24) /* of points of more than one number */

typedef struct {
  Figures *figures;
  AbRole role;
  AbTensor *(*reduce)(AbTensor *y);
  AbSplit split;
  gint64 wanted;
  gboolean labelled;
  Rows *rows;
} Pass;

void rows_clear(Rows *rows) {
  g_free(rows->values);
  g_free(rows->labels);
  *rows = (Rows){0};
}

static AbTensor *answer(const Pass *self, AbBatch *batch, gint64 number) {
  Assembly *assembly = self->figures->assembly;
  if (!prepare_batch(assembly, batch, FALSE, number)) return NULL;
  AbTensor *x = ab_batch_get(batch, "x");
  if (self->role == AB_ROLE_NONE) return x;
  ab_begin(assembly->ctx, AB_PURPOSE_EVALUATE, number);
  const AbBatch *outer = ab_set_batch(assembly->ctx, batch);
  AbTensor *y = ab_call(assembly->model, self->role, x);
  ab_set_batch(assembly->ctx, outer);
  return self->reduce ? self->reduce(y) : y;
}

/* Room for all that is wanted, or for as many as are bearable. */
static gboolean reserve(Pass *self, gint64 width, GError **error) {
  Rows *rows = self->rows;
  rows->width = width;
  if (width > 1) self->wanted = MIN(self->wanted, MAX(MOST_NUMBERS / width, 1));
  rows->values = g_try_malloc_n((gsize)self->wanted, (gsize)MAX(width, 1) * sizeof *rows->values);
  if (self->labelled) rows->labels = g_try_malloc_n((gsize)self->wanted, sizeof *rows->labels);
  return (rows->values && (rows->labels || !self->labelled)) ||
         host_fail(error, AB_CONFIG, "no memory for %" G_GINT64_FORMAT " samples", self->wanted);
}

static void keep_labels(const Pass *self, AbBatch *batch, gint64 count) {
  AbTensor *y = self->labelled ? ab_batch_get(batch, "y") : NULL;
  const gint64 *from = y ? ab_map(y, false) : NULL;
  if (!from) return;
  memcpy(self->rows->labels + self->rows->count, from, (gsize)count * sizeof *from);
  ab_unmap(y);
}

static gboolean keep(Pass *self, AbBatch *batch, AbTensor *y, GError **error) {
  Rows *rows = self->rows;
  gint64 given = ab_batch_count(batch);
  y = ab_cast(y, AB_F64);
  if (!y) return assembly_check(self->figures->assembly, error);
  gint64 width = ab_count(y) / given;
  if (ab_rank(y) < 1 || ab_dim(y, 0) != given || (rows->values && width != rows->width))
    return host_fail(error, AB_INTERNAL, "%s of %" G_GINT64_FORMAT " samples did not give as many",
                     ab_role_name(self->role), given);
  if (!rows->values && !reserve(self, width, error)) return FALSE;
  gint64 count = MIN(given, self->wanted - rows->count);
  const double *from = ab_map(y, false);
  if (from) memcpy(rows->values + rows->count * width, from, (gsize)(count * width) * sizeof *from);
  if (from) ab_unmap(y);
  keep_labels(self, batch, count);
  rows->count += count;
  return assembly_check(self->figures->assembly, error);
}

static gboolean one_batch(Pass *self, gint64 number, GError **error) {
  Assembly *assembly = self->figures->assembly;
  AbScope scope = ab_scope_begin(assembly->ctx);
  AbBatch *batch = feed_next(assembly->feed, error);
  gboolean done = batch && keep(self, batch, answer(self, batch, number), error);
  ab_batch_free(batch);
  ab_scope_end(assembly->ctx, scope, NULL, 0);
  if (done && signals_stop()) return host_fail(error, AB_STOPPED, "stopped on request");
  return done;
}

/* As many batches as are needed, from the whole length of the split: it may be sorted. */
static gboolean all_batches(Pass *self, GError **error) {
  Feed *feed = self->figures->assembly->feed;
  gint64 batches = feed_batches(feed, self->split), samples = feed_samples(feed, self->split);
  gint64 each = (samples + batches - 1) / batches, next = -1;
  gint64 needed = self->wanted == samples ? batches : (self->wanted + each - 1) / each;
  for (gint64 i = 0; i < needed && (i == 0 || self->rows->count < self->wanted); i++) {
    gint64 number = i * batches / needed;
    if (number != next && !feed_start(feed, self->split, 0, number, error)) return FALSE;
    if (!one_batch(self, number, error)) return FALSE;
    next = number + 1;
  }
  return TRUE;
}

gboolean rows_collect(Figures *self, AbRole role, AbTensor *(*reduce)(AbTensor *y), gint64 limit,
                      Rows *rows, GError **error) {
  Assembly *assembly = self->assembly;
  const AbSpec *y = feed_spec(assembly->feed, "y");
  Pass pass = {.figures = self,
               .role = role,
               .reduce = reduce,
               .split = figures_split(self),
               .labelled = y && y->range == AB_RANGE_CLASS && y->rank == 0,
               .rows = rows};
  *rows = (Rows){0};
  if (pass.split < 0) return TRUE;
  pass.wanted = MIN(limit, feed_samples(assembly->feed, pass.split));
  bool recording = ab_set_recording(assembly->ctx, false);
  gboolean done = all_batches(&pass, error);
  ab_set_recording(assembly->ctx, recording);
  return done;
}
