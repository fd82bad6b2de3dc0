/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables. */
#include "table.h"

#include <string.h>

char *table_printable(const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *clean = g_string_new(NULL);
  for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
    gunichar c = g_utf8_get_char(at);
    if (c == '\n' || c == '\t')
      g_string_append_c(clean, ' ');
    else
      g_string_append_unichar(clean, g_unichar_isprint(c) ? c : 0xFFFD);
  }
  return g_string_free(clean, FALSE);
}

static const char *cell(const GPtrArray *rows, guint row, gsize column) {
  const char *text = ((char *const *)rows->pdata[row])[column];
  return text ? text : "";
}

/* 0 for a column that is to be left out. */
static glong column_width(const GPtrArray *rows, gsize column, gboolean head) {
  glong width = 0;
  gboolean filled = FALSE;
  for (guint i = 0; i < rows->len; i++) {
    g_autofree char *text = table_printable(cell(rows, i, column));
    width = MAX(width, g_utf8_strlen(text, -1));
    filled = filled || (*text && !(head && i == 0));
  }
  return filled ? width : 0;
}

static void put(GString *line, const char *text, glong width, gboolean right) {
  g_autofree char *clean = table_printable(text);
  glong blanks = width - g_utf8_strlen(clean, -1);
  if (!right) g_string_append(line, clean);
  for (; blanks > 0; blanks--) g_string_append_c(line, ' ');
  if (right) g_string_append(line, clean);
}

char *table_text(const GPtrArray *rows, const char *align, gboolean head, const char *indent) {
  gsize columns = strlen(align);
  g_autofree glong *width = g_new0(glong, columns);
  for (gsize j = 0; j < columns; j++) width[j] = column_width(rows, j, head);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < rows->len; i++) {
    g_autoptr(GString) line = g_string_new(indent);
    gsize start = line->len;
    for (gsize j = 0; j < columns; j++) {
      if (width[j] == 0) continue;
      if (line->len > start) g_string_append(line, "  ");
      put(line, cell(rows, i, j), width[j], align[j] == 'r');
    }
    g_strchomp(line->str);
    g_string_append_printf(text, "%s\n", line->str);
  }
  return g_string_free(text, FALSE);
}
