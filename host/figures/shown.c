/* SPDX-License-Identifier: Apache-2.0
 *
 * The samples that are shown one by one: what a generator makes, else what the model reconstructs
 * of the first samples of the split. Whenever they are made, inputs, noise and random numbers are
 * the same, so that nothing but the model has changed in between.                                */
#include "figures-internal.h"

#include "../run/evaluate.h"

static gboolean generates(const Figures *self) {
  return self->assembly->role == AB_ROLE_GENERATE;
}

static gint64 count_of(const Figures *self, gint64 available) {
  gint64 fits = MAX(FIGURES_NUMBERS / MAX(self->space.count, 1), 1);
  return MIN(MIN(FIGURES_SHOWN, fits), available);
}

/* The first samples of the split as a batch of their own, with all of their fields. */
static AbBatch *first_samples(const Figures *self, GError **error) {
  Feed *feed = self->assembly->feed;
  if (!feed_start(feed, figures_split(self), 0, 0, error)) return NULL;
  AbBatch *whole = feed_next(feed, error);
  if (!whole) return NULL;
  gint64 count = count_of(self, ab_batch_count(whole));
  AbBatch *batch = ab_batch_new(self->assembly->ctx, count);
  for (gint i = 0; batch && i < feed_field_count(feed); i++) {
    const char *name = feed_field(feed, i).name;
    ab_batch_put(batch, name, ab_slice(ab_batch_get(whole, name), 0, 0, count));
  }
  ab_batch_free(whole);
  if (batch && prepare_batch(self->assembly, batch, FALSE, 0)) return batch;
  ab_batch_free(batch);
  assembly_check(self->assembly, error);
  return NULL;
}

/* As stored; NULL where it is not what samples of the data are. */
static float *stored(const Figures *self, AbTensor *y, gint64 count, GError **error) {
  const Space *space = &self->space;
  y = ab_cast(y, AB_F32);
  const float *from = y ? ab_map(y, false) : NULL;
  if (!from) {
    assembly_check(self->assembly, error);
    return NULL;
  }
  float *to = NULL;
  if (ab_count(y) != count * space->count)
    host_fail(error, AB_CONFIG,
              "the model gives %" G_GINT64_FORMAT " numbers for %" G_GINT64_FORMAT
              " samples of %" G_GINT64_FORMAT,
              ab_count(y), count, space->count);
  else if (!(to = g_try_malloc_n((gsize)ab_count(y), sizeof *to)))
    host_fail(error, AB_CONFIG, "no memory for what is shown");
  for (gint64 i = 0; to && i < count; i++)
    space_put(space, from + i * space->count, to + i * space->count);
  ab_unmap(y);
  return to;
}

static gboolean generate(const Figures *self, AbBatch *batch, Shown *shown, GError **error) {
  AbContext *ctx = self->assembly->ctx;
  gint64 count = batch ? ab_batch_count(batch) : count_of(self, FIGURES_SHOWN);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  const AbBatch *outer = ab_set_batch(ctx, batch);
  AbTensor *y = ab_generate(self->assembly->model, count);
  ab_set_batch(ctx, outer);
  shown->output = stored(self, y, count, error);
  shown->count = count;
  return shown->output != NULL;
}

/* The noise draws from the evaluation's stream: that of training stays out of it. */
static gboolean reconstruct(const Figures *self, AbBatch *batch, Shown *shown, GError **error) {
  AbContext *ctx = self->assembly->ctx;
  gint64 count = ab_batch_count(batch);
  AbTensor *clean = ab_batch_get(batch, "x"), *x = clean;
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  if (self->assembly->noise) {
    x = ab_noise_corrupt(self->assembly->noise, clean);
    ab_batch_put(batch, "x", x);
    shown->clean = stored(self, clean, count, error);
    if (!shown->clean) return FALSE;
  }
  shown->input = stored(self, x, count, error);
  if (!shown->input) return FALSE;
  const AbBatch *outer = ab_set_batch(ctx, batch);
  AbTensor *y = ab_call(self->assembly->model, AB_ROLE_RECONSTRUCT, x);
  ab_set_batch(ctx, outer);
  shown->output = stored(self, y, count, error);
  shown->count = count;
  return shown->output != NULL;
}

static gboolean make(const Figures *self, Shown *shown, GError **error) {
  gboolean data = figures_split(self) >= 0;
  AbBatch *batch = data ? first_samples(self, error) : NULL;
  if (data && !batch) return FALSE;
  gboolean done = generates(self) ? generate(self, batch, shown, error)
                                  : reconstruct(self, batch, shown, error);
  ab_batch_free(batch);
  return done;
}

/* A model that is built for another problem may have the role and give something else by it. What
 * fails here fails again where it is used, and is said there.                                    */
static gboolean gives_x(const Figures *self) {
  AbContext *ctx = self->assembly->ctx;
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  AbSpec given = ab_output(self->assembly->model, AB_ROLE_RECONSTRUCT);
  return !ab_ok(ctx) || ab_spec_count(&given) == self->space.count;
}

static gboolean applies(const Figures *self) {
  if (self->space.rank < 0) return FALSE;
  if (generates(self)) return TRUE;
  const AbSpec *x = feed_spec(self->assembly->feed, "x");
  return figures_can(self, AB_ROLE_RECONSTRUCT) && x->range != AB_RANGE_CLASS && gives_x(self);
}

gboolean shown_make(Figures *self, Shown *shown, GError **error) {
  AbContext *ctx = self->assembly->ctx;
  *shown = (Shown){0};
  if (!applies(self)) return TRUE;
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  gboolean done = make(self, shown, error);
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  if (!done) shown_clear(shown);
  return done;
}

void shown_clear(Shown *shown) {
  g_free(shown->input);
  g_free(shown->clean);
  g_free(shown->output);
  *shown = (Shown){0};
}
