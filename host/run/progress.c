/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress line. */
#include "progress.h"

#include "../amounts.h"
#include <math.h>
#include <string.h>

#define SECOND         G_USEC_PER_SEC
#define TERMINAL_EVERY (SECOND / 10)
#define EPOCH_EVERY    (2 * SECOND)
#define PLAIN_EVERY    (10 * SECOND)

void progress_start(Progress *self, gboolean quiet, gint64 step) {
  *self = (Progress){.quiet = quiet, .steps_at_start = step};
  line_init(&self->line);
  self->started = self->shown = g_get_monotonic_time();
}

/* ---- what is said ---------------------------------------------------------------------------- */

static double elapsed(const Progress *self) {
  return (double)(g_get_monotonic_time() - self->started) / (double)SECOND;
}

static void add_epoch(Line *line, const ProgressState *state) {
  line_add(line, NULL, "epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, state->epoch, state->epochs);
}

static void add_rate(Line *line, const Progress *self, const ProgressState *state) {
  double seconds = elapsed(self);
  gint64 done = state->step - self->steps_at_start;
  if (seconds <= 0 || done <= 0) return;
  double left = seconds / (double)done * (double)state->steps_left;
  g_autofree char *rest = amounts_duration(MIN(left, state->seconds_left));
  line_add(line, LINE_DIM, "%.0f samples/s", (double)self->samples / seconds);
  line_add(line, LINE_DIM, "%s left", rest);
}

/* The whole of it, as a terminal has it all the time. */
static void show_step(Progress *self, const ProgressState *state) {
  Line *line = &self->line;
  line_begin(line);
  add_epoch(line, state);
  line_add(line, NULL, "step %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, state->batch, state->batches);
  line_add(line, NULL, "loss %.5g", state->loss);
  if (self->metric) line_add(line, LINE_BOLD, "%s", self->metric);
  add_rate(line, self, state);
  line_show(line);
}

void progress_step(Progress *self, const ProgressState *state, gint64 samples) {
  self->samples += samples;
  if (self->quiet) return;
  gint64 now = g_get_monotonic_time();
  if (now - self->shown < (self->line.terminal ? TERMINAL_EVERY : PLAIN_EVERY)) return;
  self->shown = now;
  show_step(self, state);
}

/* "validation loss 0.2": that of the training is there too. */
static char *result_text(const Result *result) {
  return g_strdup_printf("%s%s %.5g", strcmp(result->name, "loss") == 0 ? "validation " : "",
                         result->name, result->value);
}

/* The first metric of the validation split; its loss, where it has no other. */
static char *first_metric(const GPtrArray *results) {
  const Result *first = NULL;
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, "validation") != 0) continue;
    if (!first || strcmp(first->name, "loss") == 0) first = result;
  }
  return first ? result_text(first) : NULL;
}

static void show_epoch(Progress *self, const ProgressState *state, const GPtrArray *results) {
  Line *line = &self->line;
  line_begin(line);
  add_epoch(line, state);
  line_add(line, NULL, "loss %.5g", state->loss);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    g_autofree char *text = result_text(result);
    if (strcmp(result->split, "validation") == 0) line_add(line, NULL, "%s", text);
  }
  add_rate(line, self, state);
  line_show(line);
}

void progress_epoch(Progress *self, const ProgressState *state, const GPtrArray *results) {
  gint64 now = g_get_monotonic_time();
  gboolean due = now - self->shown >= (self->line.terminal ? TERMINAL_EVERY : EPOCH_EVERY);
  g_free(self->metric);
  self->metric = first_metric(results);
  if (self->quiet || !(due || state->epoch == state->epochs)) return;
  self->shown = now;
  if (self->line.terminal)
    show_step(self, state);
  else
    show_epoch(self, state, results);
}

void progress_note(Progress *self, const char *format, ...) {
  if (self->quiet) return;
  va_list arguments;
  va_start(arguments, format);
  line_note(&self->line, format, arguments);
  va_end(arguments);
}

void progress_end(Progress *self) {
  line_clear(&self->line);
  g_clear_pointer(&self->metric, g_free);
}
