/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop over the batches. */
#include "apply.h"

#include "../line.h"
#include "../run/signals.h"

#define SHOW_AFTER (2 * G_USEC_PER_SEC) /* short runs say nothing */

typedef struct {
  const Trained *trained;
  AbRole role;
  Source *source;
  Output *output;
  Texts *texts;
  gint64 total, done, number; /* samples, samples, batches */
  gint64 batch;
  gint64 shown; /* when, of the monotonic clock */
  Line line;
} Pass;

static void show(Pass *self) {
  gint64 now = g_get_monotonic_time();
  if (!self->line.terminal ||
      now - self->shown < (self->line.stands ? G_USEC_PER_SEC / 4 : SHOW_AFTER))
    return;
  line_begin(&self->line);
  line_add(&self->line, NULL, "%s", ab_role_name(self->role));
  line_add(&self->line, NULL, "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " samples", self->done,
           self->total);
  line_show(&self->line);
  self->shown = now;
}

static gboolean call(Pass *self, AbBatch *batch, AbTensor *x, GError **error) {
  AbContext *ctx = self->trained->assembly->ctx;
  gint64 count = batch ? ab_batch_count(batch) : MIN(self->batch, self->total - self->done);
  AbTensor *labels = batch && ab_batch_has(batch, "y") ? ab_batch_get(batch, "y") : NULL;
  ab_begin(ctx, AB_PURPOSE_EVALUATE, self->number++);
  const AbBatch *outer = ab_set_batch(ctx, batch);
  AbTensor *y = trained_call(self->trained, self->role, x, count, error);
  ab_set_batch(ctx, outer);
  if (!y) return FALSE;
  if (self->output) output_add(self->output, y, labels);
  if (self->texts && !texts_add(self->texts, y, error)) return FALSE;
  self->done += count;
  return assembly_check(self->trained->assembly, error);
}

/* One batch; what it took goes with its scope. */
static gboolean step(Pass *self, GError **error) {
  AbContext *ctx = self->trained->assembly->ctx;
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *x = NULL;
  AbBatch *batch = self->source ? source_next(self->source, &x, error) : NULL;
  gboolean done = (batch || !self->source) && call(self, batch, x, error);
  ab_batch_free(batch);
  ab_scope_end(ctx, scope, NULL, 0);
  return done;
}

gboolean apply_run(const Trained *trained, AbRole role, Source *source, gint64 count, gint64 batch,
                   Output *output, Texts *texts, GError **error) {
  Pass self = {.trained = trained,
               .role = role,
               .source = source,
               .output = output,
               .texts = texts,
               .total = source ? source_samples(source) : count,
               .batch = batch,
               .shown = g_get_monotonic_time()};
  line_init(&self.line);
  bool recording = ab_set_recording(trained->assembly->ctx, false);
  gboolean done = TRUE;
  while (done && self.done < self.total) {
    done = step(&self, error);
    show(&self);
    if (done && signals_stop()) {
      g_set_error(error, HOST_ERROR, AB_STOPPED, "stopped on request; nothing was written");
      done = FALSE;
    }
  }
  line_clear(&self.line);
  ab_set_recording(trained->assembly->ctx, recording);
  return done;
}
