/* SPDX-License-Identifier: Apache-2.0
 *
 * What a comparison says while it works, on stderr: on a terminal one line that is rewritten and
 * lines for what went wrong; elsewhere a line for each finished run. */
#include "compare-internal.h"

#include "../amounts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EVERY (G_USEC_PER_SEC / 4)

struct Show {
  gboolean quiet, terminal, open;
  guint total, finished, already;
  gint64 started, shown; /* microseconds */
};

Show *show_new(gboolean quiet) {
  const char *kind = g_getenv("TERM");
  Show *self = g_new0(Show, 1);
  self->quiet = quiet;
  self->terminal = isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
  return self;
}

static void wipe(Show *self) {
  if (self->open) fputs("\r\033[K", stderr);
  self->open = FALSE;
}

void show_free(Show *self) {
  if (!self) return;
  wipe(self);
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
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  wipe(self);
  fprintf(stderr, "%s\n", text);
}

/* Cut at the width of the terminal, which is asked for each time: a line that wraps cannot be
 * rewritten.                                                                                     */
static void rewrite(Show *self, const char *line) {
  struct winsize size = {0};
  gboolean known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  g_autofree char *cut =
      g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), known ? size.ws_col - 1 : 79));
  wipe(self);
  fputs(cut, stderr);
  fflush(stderr);
  self->open = TRUE;
}

/* By the runs, and parts of runs, of this session. */
static char *left(const Show *self, double parts) {
  double done = self->finished - self->already + parts;
  double elapsed = (double)(g_get_monotonic_time() - self->started) / (double)G_USEC_PER_SEC;
  if (!(done > 0.02) || elapsed < 1) return g_strdup("");
  g_autofree char *text =
      amounts_duration(elapsed / done * fmax((double)(self->total - self->finished) - parts, 0));
  return g_strdup_printf("  %s left", text);
}

void show_running(Show *self, const Comparison *comparison, const GPtrArray *running,
                  gint64 until) {
  gint64 now = g_get_monotonic_time();
  (void)comparison;
  if (self->quiet || !self->terminal || now - self->shown < EVERY) return;
  self->shown = now;
  g_autoptr(GString) text = g_string_new(NULL);
  double parts = 0;
  g_string_printf(text, "%u/%u runs", self->finished, self->total);
  for (guint i = 0; i < running->len; i++) {
    const Trial *trial = running->pdata[i];
    gint64 epochs = until > 0 ? until : trial->candidate->epochs, epoch = state_epoch(trial);
    parts += epochs > 0 ? fmin((double)epoch / (double)epochs, 1) : 0;
    g_string_append_printf(
        text, "  %s seed %" G_GINT64_FORMAT " epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
        trial->candidate->name, trial->seed, epoch, epochs);
  }
  g_autofree char *rest = left(self, parts);
  /* at the front, so that a narrow terminal cuts the names and not this */
  g_string_insert(text, (gssize)strcspn(text->str, " ") + 5, rest);
  g_autofree char *valid = g_utf8_make_valid(text->str, -1);
  rewrite(self, valid);
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
  if (self->terminal && well) return;
  g_autofree char *number = figure(comparison, trial);
  g_autofree char *first =
      trial->reason ? g_strndup(trial->reason, strcspn(trial->reason, "\n")) : NULL;
  g_autofree char *seconds =
      isfinite(trial->seconds) ? g_strdup_printf("  %.1f s", trial->seconds) : g_strdup("");
  show_note(self, "%u/%u  %s seed %" G_GINT64_FORMAT ": %s%s%s%s%s", self->finished, self->total,
            trial->candidate->name, trial->seed, trial_status_name(trial->status),
            first ? ": " : "", first ? first : "", well ? number : "", well ? seconds : "");
}
