/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables. */
#include "table.h"

#include <string.h>

#define GAP 2 /* between columns */

struct Table {
  char *alignment;
  guint columns;
  GPtrArray *rows; /* char **, of `columns` texts */
};

static void row_free(gpointer row) {
  g_strfreev(row);
}

Table *table_new(const char *alignment) {
  Table *self = g_new0(Table, 1);
  self->alignment = g_strdup(alignment);
  self->columns = (guint)strlen(alignment);
  self->rows = g_ptr_array_new_with_free_func(row_free);
  return self;
}

void table_free(Table *self) {
  if (!self) return;
  g_ptr_array_unref(self->rows);
  g_free(self->alignment);
  g_free(self);
}

char *table_printable(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *clean = g_string_new(NULL);
  for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
    gunichar c = g_utf8_get_char(at);
    if (c == '\n' || c == '\r' || c == '\t')
      g_string_append_c(clean, ' ');
    else
      g_string_append_unichar(clean, g_unichar_isprint(c) ? c : 0xFFFD);
  }
  return g_string_free(clean, FALSE);
}

void table_add(Table *self, ...) {
  va_list texts;
  char **row = g_new0(char *, self->columns + 1);
  va_start(texts, self);
  for (guint i = 0; i < self->columns; i++) {
    const char *text = va_arg(texts, const char *);
    row[i] = table_printable(text ? text : "");
  }
  va_end(texts);
  g_ptr_array_add(self->rows, row);
}

void table_take(Table *self, char *const *texts) {
  char **row = g_new0(char *, self->columns + 1);
  for (guint i = 0; i < self->columns; i++) {
    row[i] = table_printable(texts[i] ? texts[i] : "");
    g_free(texts[i]);
  }
  g_ptr_array_add(self->rows, row);
}

static const char *cell(const Table *self, guint row, guint column) {
  return ((char *const *)self->rows->pdata[row])[column];
}

static glong width_of(const Table *self, guint column, gboolean titled) {
  glong width = 0;
  gboolean empty = TRUE;
  for (guint i = 0; i < self->rows->len; i++) {
    const char *text = cell(self, i, column);
    width = MAX(width, g_utf8_strlen(text, -1));
    if (*text && !(titled && i == 0)) empty = FALSE;
  }
  return empty ? 0 : width;
}

static void pad(GString *out, glong count) {
  for (glong i = 0; i < count; i++) g_string_append_c(out, ' ');
}

static void write_cell(GString *out, const char *text, glong width, gboolean right) {
  glong gap = width - g_utf8_strlen(text, -1);
  if (right) pad(out, gap);
  g_string_append(out, text);
  if (!right) pad(out, gap);
}

static void write_row(const Table *self, GString *out, guint row, const glong *widths) {
  gboolean any = FALSE;
  for (guint i = 0; i < self->columns; i++) {
    if (widths[i] == 0) continue;
    if (any) pad(out, GAP);
    write_cell(out, cell(self, row, i), widths[i], self->alignment[i] == 'r');
    any = TRUE;
  }
  while (out->len && out->str[out->len - 1] == ' ') g_string_truncate(out, out->len - 1);
  g_string_append_c(out, '\n');
}

void table_write(const Table *self, GString *out, guint indent, gboolean titled) {
  g_autofree glong *widths = g_new0(glong, self->columns);
  for (guint i = 0; i < self->columns; i++) widths[i] = width_of(self, i, titled);
  for (guint i = 0; i < self->rows->len; i++) {
    pad(out, indent);
    write_row(self, out, i, widths);
  }
}
