/* SPDX-License-Identifier: Apache-2.0
 *
 * What a comparison says while it works, on stderr: on a terminal one line that is rewritten and
 * lines for what went wrong; elsewhere a line for each finished run. */
#include "compare-internal.h"

#include "../amounts.h"
#include "../line.h"
#include <math.h>
#include <string.h>

#define EVERY (G_USEC_PER_SEC / 4)

struct Show {
  gboolean quiet;
  Line line;
  guint total, finished, already;
  gint64 started, shown; /* microseconds */
};

Show *show_new(gboolean quiet) {
  Show *self = g_new0(Show, 1);
  self->quiet = quiet;
  line_init(&self->line);
  return self;
}

void show_free(Show *self) {
  if (!self) return;
  line_clear(&self->line);
  g_free(self);
}

void show_start(Show *self, guint total, guint finished) {
  self->total = total;
  self->finished = self->already = finished;
  self->started = g_get_monotonic_time();
}

void show_note(Show *self, const char *format, ...) {
  if (self->quiet) return;
  va_list arguments;
  va_start(arguments, format);
  line_note(&self->line, format, arguments);
  va_end(arguments);
}

/* By the runs, and parts of runs, of this session. */
static void add_left(Show *self, double parts) {
  double done = self->finished - self->already + parts;
  double elapsed = (double)(g_get_monotonic_time() - self->started) / (double)G_USEC_PER_SEC;
  if (!(done > 0.02) || elapsed < 1) return;
  g_autofree char *text =
      amounts_duration(elapsed / done * fmax((double)(self->total - self->finished) - parts, 0));
  line_add(&self->line, NULL, "%s left", text);
}

static gint64 epochs_of(const Trial *trial, gint64 until) {
  return until > 0 ? until : trial->candidate->epochs;
}

/* Of runs that are not finished, how many whole ones they have done together. */
static double parts_done(const GPtrArray *running, gint64 until) {
  double parts = 0;
  for (guint i = 0; i < running->len; i++) {
    gint64 epochs = epochs_of(running->pdata[i], until);
    if (epochs > 0) parts += fmin((double)state_epoch(running->pdata[i]) / (double)epochs, 1);
  }
  return parts;
}

void show_running(Show *self, const GPtrArray *running, gint64 until) {
  gint64 now = g_get_monotonic_time();
  if (self->quiet || !self->line.terminal || now - self->shown < EVERY) return;
  self->shown = now;
  line_begin(&self->line);
  line_add(&self->line, NULL, "%u/%u runs", self->finished, self->total);
  add_left(self, parts_done(running, until)); /* before the names: a narrow terminal cuts these */
  for (guint i = 0; i < running->len; i++) {
    const Trial *trial = running->pdata[i];
    line_add(&self->line, NULL,
             "%s seed %" G_GINT64_FORMAT " epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
             trial->candidate->name, trial->seed, state_epoch(trial), epochs_of(trial, until));
  }
  line_show(&self->line);
}

/* "  mse 0.0123": the first metric of the split that the table shows, or of validation. */
static char *figure(const Comparison *comparison, const Trial *trial) {
  if (comparison->measures->len == 0) return g_strdup("");
  const char *name = ((const Measure *)comparison->measures->pdata[0])->name;
  const Result *result = results_find(trial->results, comparison->split, name);
  if (!result) result = results_find(trial->results, "validation", name);
  return result ? g_strdup_printf("  %s %s %.5g", result->split, name, result->value)
                : g_strdup("");
}

void show_finished(Show *self, const Comparison *comparison, const Trial *trial) {
  gboolean well = trial->status == TRIAL_DONE || trial->status == TRIAL_STOPPED;
  self->finished++;
  if (self->line.terminal && well) return;
  g_autofree char *number = figure(comparison, trial);
  g_autofree char *first =
      trial->reason ? g_strndup(trial->reason, strcspn(trial->reason, "\n")) : NULL;
  g_autofree char *seconds =
      isfinite(trial->seconds) ? g_strdup_printf("  %.1f s", trial->seconds) : g_strdup("");
  show_note(self, "%u/%u  %s seed %" G_GINT64_FORMAT ": %s%s%s%s%s", self->finished, self->total,
            trial->candidate->name, trial->seed, trial_status_name(trial->status),
            first ? ": " : "", first ? first : "", well ? number : "", well ? seconds : "");
}
