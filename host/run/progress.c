/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress line. */
#include "progress.h"

#include "../amounts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND         G_USEC_PER_SEC
#define TERMINAL_EVERY (SECOND / 10)
#define EPOCH_EVERY    (2 * SECOND)
#define PLAIN_EVERY    (10 * SECOND)

#define BOLD "\033[1m"
#define DIM  "\033[2m"

void progress_start(Progress *self, gboolean quiet, gint64 step) {
  const char *kind = g_getenv("TERM"), *plain = g_getenv("NO_COLOR");
  *self = (Progress){.quiet = quiet, .steps_at_start = step};
  self->terminal = isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
  self->colours = self->terminal && !(plain && *plain);
  self->started = self->shown = g_get_monotonic_time();
}

/* ---- columns --------------------------------------------------------------------------------- */

static int terminal_columns(void) {
  struct winsize size = {0};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static int columns_of(gunichar character) {
  return g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
}

/* Rows that a text takes where a row has `columns`. */
static int rows_of(const char *text, int columns) {
  int rows = 1, column = 0;
  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    int width = columns_of(g_utf8_get_char(at));
    if (column + width > columns) {
      rows++;
      column = 0;
    }
    column += width;
  }
  return rows;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* A line that is put together of parts, up to a number of columns. */
typedef struct {
  GString *text, *coloured;
  int left; /* columns */
  gboolean colours;
} Line;

static Line line_begin(int columns, gboolean colours) {
  return (Line){g_string_new(NULL), g_string_new(NULL), columns, colours};
}

static void line_clear(Line *self) {
  g_string_free(self->text, TRUE);
  g_string_free(self->coloured, TRUE);
}

/* As much of `text` as there is room for; what would move the cursor elsewhere is left out. */
static void append(Line *self, const char *text) {
  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    gunichar character = g_utf8_get_char(at);
    int width = columns_of(character);
    if (g_unichar_iscntrl(character)) continue;
    if (width > self->left) {
      self->left = 0; /* nothing narrower after what was too wide */
      return;
    }
    g_string_append_unichar(self->text, character);
    g_string_append_unichar(self->coloured, character);
    self->left -= width;
  }
}

static void add(Line *self, const char *colour, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void add(Line *self, const char *colour, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *made = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *part = g_utf8_make_valid(made, -1);
  if (!*part) return;
  if (self->text->len) append(self, "  ");
  gboolean colours = self->colours && colour && self->left > 0;
  if (colours) g_string_append(self->coloured, colour);
  append(self, part);
  if (colours) g_string_append(self->coloured, "\033[0m");
}

/* What takes away the line that stands, so that what follows begins on a clean one. Where the
 * terminal has become narrower, the line lies on several rows now, with the cursor on the last. */
static void add_wipe(Progress *self, GString *out) {
  if (!self->line) return;
  int rows = rows_of(self->line, terminal_columns());
  g_string_append_c(out, '\r');
  if (rows > 1) g_string_append_printf(out, "\033[%dA", rows - 1);
  g_string_append(out, "\033[J");
  g_clear_pointer(&self->line, g_free);
}

static void wipe(Progress *self) {
  g_autoptr(GString) out = g_string_new(NULL);
  add_wipe(self, out);
  fputs(out->str, stderr);
  fflush(stderr);
}

/* In one piece: nobody sees the moment without a line. */
static void show(Progress *self, Line *line) {
  g_autoptr(GString) out = g_string_new(NULL);
  if (self->terminal) add_wipe(self, out);
  g_string_append(out, line->coloured->str);
  if (self->terminal)
    self->line = g_strdup(line->text->str);
  else
    g_string_append_c(out, '\n');
  fputs(out->str, stderr);
  fflush(stderr);
}

/* One that filled its row, or more, might wrap: the last column stays free. */
static Line begin(const Progress *self) {
  return line_begin(self->terminal ? MAX(terminal_columns() - 1, 1) : G_MAXINT, self->colours);
}

/* ---- what is said ---------------------------------------------------------------------------- */

static double elapsed(const Progress *self) {
  return (double)(g_get_monotonic_time() - self->started) / (double)SECOND;
}

static void add_epoch(Line *line, const ProgressState *state) {
  add(line, NULL, "epoch %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, state->epoch, state->epochs);
}

static void add_rate(Line *line, const Progress *self, const ProgressState *state) {
  double seconds = elapsed(self);
  gint64 done = state->step - self->steps_at_start;
  if (seconds <= 0 || done <= 0) return;
  double left = seconds / (double)done * (double)state->steps_left;
  g_autofree char *rest = amounts_duration(MIN(left, state->seconds_left));
  add(line, DIM, "%.0f samples/s", (double)self->samples / seconds);
  add(line, DIM, "%s left", rest);
}

/* The whole of it, as a terminal has it all the time. */
static void show_step(Progress *self, const ProgressState *state) {
  Line line = begin(self);
  add_epoch(&line, state);
  add(&line, NULL, "step %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, state->batch, state->batches);
  add(&line, NULL, "loss %.5g", state->loss);
  if (self->metric) add(&line, BOLD, "%s", self->metric);
  add_rate(&line, self, state);
  show(self, &line);
  line_clear(&line);
}

void progress_step(Progress *self, const ProgressState *state, gint64 samples) {
  self->samples += samples;
  if (self->quiet) return;
  gint64 now = g_get_monotonic_time();
  if (now - self->shown < (self->terminal ? TERMINAL_EVERY : PLAIN_EVERY)) return;
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
  Line line = begin(self);
  add_epoch(&line, state);
  add(&line, NULL, "loss %.5g", state->loss);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    g_autofree char *text = result_text(result);
    if (strcmp(result->split, "validation") == 0) add(&line, NULL, "%s", text);
  }
  add_rate(&line, self, state);
  show(self, &line);
  line_clear(&line);
}

void progress_epoch(Progress *self, const ProgressState *state, const GPtrArray *results) {
  gint64 now = g_get_monotonic_time();
  gboolean due = now - self->shown >= (self->terminal ? TERMINAL_EVERY : EPOCH_EVERY);
  g_free(self->metric);
  self->metric = first_metric(results);
  if (self->quiet || !(due || state->epoch == state->epochs)) return;
  self->shown = now;
  if (self->terminal)
    show_step(self, state);
  else
    show_epoch(self, state, results);
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
  g_clear_pointer(&self->metric, g_free);
}
