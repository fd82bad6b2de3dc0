/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking on. */
#include "onlooker.h"

#include "../events/events.h"
#include "../figures/figures.h"

struct Onlooker {
  Assembly *assembly;
  RunFolder *folder;
  const RunState *state;
  Events *events;
  Figures *figures;
};

static void log_notes(Onlooker *self) {
  g_autofree char *notes = figures_notes(self->figures);
  if (notes) run_folder_log(self->folder, "%s", notes);
}

/* Samples that were made just now, for TensorBoard too. */
static void show_samples(Onlooker *self) {
  Images images;
  log_notes(self);
  if (!figures_images(self->figures, &images)) return;
  events_images(self->events, "samples", self->state->step, &images);
  images_clear(&images);
}

static void write_manifest(Onlooker *self) {
  g_autofree char *resolved = node_emit(self->assembly->resolved);
  g_auto(GStrv) lines = g_strsplit(resolved, "\n", -1);
  g_autofree char *body = g_strjoinv("\n    ", lines); /* a block of code in Markdown */
  g_autofree char *text = g_strconcat("    ", body, NULL);
  events_text(self->events, "manifest", 0, text);
}

Onlooker *onlooker_new(Assembly *assembly, RunFolder *folder, const RunState *state,
                       GError **error) {
  g_autoptr(Onlooker) self = g_new0(Onlooker, 1);
  self->assembly = assembly;
  self->folder = folder;
  self->state = state;
  self->figures = figures_new(assembly, folder->path);
  self->events = events_open(folder->path, state->step, error);
  if (!self->events) return NULL;
  if (state->step == 0) write_manifest(self);
  if (state->batch == 0) { /* between two epochs */
    if (!figures_epoch(self->figures, state->epoch, error)) return NULL;
    show_samples(self);
  }
  return events_flush(self->events, error) ? g_steal_pointer(&self) : NULL;
}

void onlooker_free(Onlooker *self) {
  if (!self) return;
  events_free(self->events);
  figures_free(self->figures);
  g_free(self);
}

static void write_scalars(Onlooker *self, const GPtrArray *results) {
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    g_autofree char *tag = g_strdup_printf("%s/%s", result->split, result->name);
    events_scalar(self->events, tag, self->state->step, result->value);
  }
}

static void write_histogram(Onlooker *self, const AbState *weight) {
  gint64 count = ab_count(weight->tensor);
  g_autofree double *values = g_try_malloc_n((gsize)count, sizeof *values);
  const void *numbers = values ? ab_map(weight->tensor, false) : NULL;
  if (!numbers) return; /* no memory for a picture is no reason to end a run */
  for (gint64 i = 0; i < count; i++)
    values[i] = ab_dtype(weight->tensor) == AB_F64 ? ((const double *)numbers)[i]
                                                   : (double)((const float *)numbers)[i];
  ab_unmap(weight->tensor);
  events_histogram(self->events, weight->name, self->state->step, values, count);
}

static void write_histograms(Onlooker *self) {
  const GPtrArray *instances = self->assembly->binder.instances;
  for (guint i = 0; i < instances->len; i++)
    for (gint64 j = 0; j < ab_state_count(instances->pdata[i]); j++) {
      AbState state = ab_state(instances->pdata[i], j);
      if (state.weight && !state.tied && !state.frozen) write_histogram(self, &state);
    }
}

gboolean onlooker_epoch(Onlooker *self, const GPtrArray *results, GError **error) {
  write_scalars(self, results);
  write_histograms(self);
  if (self->state->batch == 0) {
    if (!figures_epoch(self->figures, self->state->epoch, error)) return FALSE;
    show_samples(self);
  }
  return events_flush(self->events, error);
}

gboolean onlooker_last(Onlooker *self, GError **error) {
  if (!figures_last(self->figures, self->state->epoch + (self->state->batch > 0), error))
    return FALSE;
  show_samples(self);
  return events_flush(self->events, error);
}

gboolean onlooker_end(Onlooker *self, const GPtrArray *results, GError **error) {
  write_scalars(self, results);
  gboolean done = events_flush(self->events, error) && figures_write(self->figures, error);
  log_notes(self);
  return done;
}
