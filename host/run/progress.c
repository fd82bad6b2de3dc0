/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress line. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND         G_USEC_PER_SEC
#define TERMINAL_EVERY (SECOND / 10)
#define EPOCH_EVERY    (2 * SECOND)
#define PLAIN_EVERY    (10 * SECOND)

void progress_start(Progress *self, gboolean quiet, gint64 step) {
  const char *kind = g_getenv("TERM");
  *self = (Progress){.quiet = quiet, .steps_at_start = step};
  self->terminal = isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
  self->started = self->shown = g_get_monotonic_time();
}

/* Wipes the line that stands, so that what follows begins on a clean one. */
static void wipe(Progress *self) {
  if (self->open) fputs("\r\033[K", stderr);
  self->open = FALSE;
}

/* A line that would wrap could not be rewritten: cut at the width, asked for each time. */
static void rewrite(Progress *self, const char *line) {
  struct winsize size = {0};
  int width =
      ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
  wipe(self);
  fprintf(stderr, "%.*s", width, line);
  fflush(stderr);
  self->open = TRUE;
}

static char *duration(double seconds) {
  gint64 s = (gint64)(seconds + 0.5);
  if (s < 60) return g_strdup_printf("%ds", (int)s);
  if (s < 3600) return g_strdup_printf("%dm%02ds", (int)(s / 60), (int)(s % 60));
  return g_strdup_printf("%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
}

static double elapsed(const Progress *self) {
  return (double)(g_get_monotonic_time() - self->started) / (double)SECOND;
}

static char *rate_and_rest(const Progress *self, const ProgressState *state) {
  double seconds = elapsed(self);
  gint64 done = state->step - self->steps_at_start;
  gint64 left = (state->epochs - state->epoch) * state->batches + state->batches - state->batch;
  if (seconds <= 0 || done <= 0) return g_strdup("");
  char *rest = duration(seconds / (double)done * (double)left);
  char *text = g_strdup_printf("%.0f samples/s  %s left", (double)self->samples / seconds, rest);
  g_free(rest);
  return text;
}

static char *epoch_of(const ProgressState *state) {
  return g_strdup_printf("epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, state->epoch,
                         state->epochs);
}

void progress_step(Progress *self, const ProgressState *state, gint64 samples) {
  self->samples += samples;
  if (self->quiet) return;
  gint64 now = g_get_monotonic_time();
  if (now - self->shown < (self->terminal ? TERMINAL_EVERY : PLAIN_EVERY)) return;
  self->shown = now;
  char *epoch = epoch_of(state), *rate = rate_and_rest(self, state);
  char *line = g_strdup_printf("%s  step %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT "  loss %.5g  %s",
                               epoch, state->batch, state->batches, state->loss, rate);
  if (self->terminal)
    rewrite(self, line);
  else
    fprintf(stderr, "%s\n", line);
  g_free(line);
  g_free(rate);
  g_free(epoch);
}

void progress_epoch(Progress *self, const ProgressState *state, const char *metrics) {
  gint64 now = g_get_monotonic_time();
  gboolean due = self->terminal || now - self->shown >= EPOCH_EVERY;
  if (self->quiet || !(due || state->epoch == state->epochs)) return;
  self->shown = now;
  char *epoch = epoch_of(state), *rate = rate_and_rest(self, state);
  char *line = g_strdup_printf("%s  loss %.5g%s  %s", epoch, state->loss, metrics, rate);
  if (self->terminal)
    rewrite(self, line);
  else
    fprintf(stderr, "%s\n", line);
  g_free(line);
  g_free(rate);
  g_free(epoch);
}

void progress_note(Progress *self, const char *format, ...) {
  if (self->quiet) return;
  va_list arguments;
  va_start(arguments, format);
  char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  wipe(self);
  fprintf(stderr, "%s\n", message);
  g_free(message);
}

void progress_end(Progress *self) {
  wipe(self);
}
