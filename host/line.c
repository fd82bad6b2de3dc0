/* SPDX-License-Identifier: Apache-2.0
 *
 * A line that is rewritten. */
#include "line.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void line_init(Line *self) {
  const char *kind = g_getenv("TERM"), *plain = g_getenv("NO_COLOR");
  gboolean terminal = isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
  *self = (Line){.terminal = terminal,
                 .colours = terminal && !(plain && *plain),
                 .text = g_string_new(NULL),
                 .coloured = g_string_new(NULL)};
}

void line_clear(Line *self) {
  if (!self->text) return;
  line_wipe(self);
  g_string_free(self->text, TRUE);
  g_string_free(self->coloured, TRUE);
  *self = (Line){0};
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

/* ---- putting together ------------------------------------------------------------------------ */

/* One that filled its row, or more, might wrap: the last column stays free. */
void line_begin(Line *self) {
  g_string_truncate(self->text, 0);
  g_string_truncate(self->coloured, 0);
  self->left = self->terminal ? MAX(terminal_columns() - 1, 1) : G_MAXINT;
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

void line_add(Line *self, const char *colour, const char *format, ...) {
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

/* ---- showing --------------------------------------------------------------------------------- */

/* What takes away the line that stands, so that what follows begins on a clean one. Where the
 * terminal has become narrower, the line lies on several rows now, with the cursor on the last. */
static void add_wipe(Line *self, GString *out) {
  if (!self->stands) return;
  int rows = rows_of(self->stands, terminal_columns());
  g_string_append_c(out, '\r');
  if (rows > 1) g_string_append_printf(out, "\033[%dA", rows - 1);
  g_string_append(out, "\033[J");
  g_clear_pointer(&self->stands, g_free);
}

void line_wipe(Line *self) {
  g_autoptr(GString) out = g_string_new(NULL);
  add_wipe(self, out);
  fputs(out->str, stderr);
  fflush(stderr);
}

/* In one piece: nobody sees the moment without a line. */
void line_show(Line *self) {
  g_autoptr(GString) out = g_string_new(NULL);
  if (self->terminal) add_wipe(self, out);
  g_string_append(out, self->coloured->str);
  if (self->terminal)
    self->stands = g_strdup(self->text->str);
  else
    g_string_append_c(out, '\n');
  fputs(out->str, stderr);
  fflush(stderr);
}

void line_note(Line *self, const char *format, va_list arguments) {
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  line_wipe(self);
  fprintf(stderr, "%s\n", message);
}
