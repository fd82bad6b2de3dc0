/* SPDX-License-Identifier: Apache-2.0
 *
 * A terminal; see screen-test.h. */
#include "screen-test.h"

#include <string.h>

typedef struct {
  GString *text;
  gboolean wrapped; /* goes on with the row above */
} Row;

static void row_free(gpointer data) {
  Row *row = data;
  g_string_free(row->text, TRUE);
  g_free(row);
}

static Row *row_at(const Screen *self, guint index) {
  return self->rows->pdata[index];
}

static void insert_row(Screen *self, guint index, gboolean wrapped) {
  Row *row = g_new0(Row, 1);
  *row = (Row){g_string_new(NULL), wrapped};
  g_ptr_array_insert(self->rows, (gint)index, row);
}

Screen *screen_new(guint columns) {
  Screen *self = g_new0(Screen, 1);
  self->rows = g_ptr_array_new_with_free_func(row_free);
  self->columns = columns;
  insert_row(self, 0, FALSE);
  return self;
}

void screen_free(Screen *self) {
  g_ptr_array_unref(self->rows);
  if (self->code) g_string_free(self->code, TRUE);
  g_free(self);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put(Screen *self, char c) {
  if (self->column == self->columns) {
    self->row++;
    self->column = 0;
    if (self->row == self->rows->len) insert_row(self, self->row, TRUE);
    row_at(self, self->row)->wrapped = TRUE;
  }
  GString *text = row_at(self, self->row)->text;
  while (text->len <= self->column) g_string_append_c(text, ' ');
  text->str[self->column++] = c;
}

static void clear_below(Screen *self) {
  Row *row = row_at(self, self->row);
  g_string_truncate(row->text, MIN(self->column, row->text->len));
  if (self->row + 1 < self->rows->len)
    g_ptr_array_remove_range(self->rows, self->row + 1, self->rows->len - self->row - 1);
  self->clears++;
}

/* "\033[" numbers letter */
static void obey(Screen *self) {
  const char *code = self->code->str;
  guint number = (guint)g_ascii_strtoull(code + 2, NULL, 10);
  switch (code[self->code->len - 1]) {
  case 'A': self->row -= MIN(MAX(number, 1), self->row); break;
  case 'J':
    g_assert_cmpuint(number, ==, 0);
    clear_below(self);
    break;
  case 'm': self->colours++; break;
  default: g_error("a control code that is not known: ESC%s", code + 1);
  }
  g_string_free(self->code, TRUE);
  self->code = NULL;
}

static void next(Screen *self, char c) {
  if (self->code) {
    g_string_append_c(self->code, c);
    if (self->code->len == 2) g_assert_cmpint(c, ==, '[');
    if (self->code->len > 2 && g_ascii_isalpha(c)) obey(self);
  } else if (c == '\033') {
    self->code = g_string_new("\033");
  } else if (c == '\r') {
    self->column = 0;
  } else if (c == '\n') {
    if (++self->row == self->rows->len) insert_row(self, self->row, FALSE);
  } else {
    g_assert_true(g_ascii_isprint(c));
    put(self, c);
  }
}

void screen_write(Screen *self, const char *bytes, gsize length) {
  for (gsize i = 0; i < length; i++) next(self, bytes[i]);
}

/* ---- another width -------------------------------------------------------------------------- */

/* The line that a row belongs to, from its first row on. */
static guint first_of(const Screen *self, guint row) {
  while (row > 0 && row_at(self, row)->wrapped) row--;
  return row;
}

static void join(Screen *self) {
  for (guint i = self->rows->len - 1; i > 0; i--) {
    if (!row_at(self, i)->wrapped) continue;
    g_string_append(row_at(self, i - 1)->text, row_at(self, i)->text->str);
    g_ptr_array_remove_index(self->rows, i);
  }
}

static void split(Screen *self) {
  for (guint i = 0; i < self->rows->len; i++) {
    GString *text = row_at(self, i)->text;
    if (text->len <= self->columns) continue;
    insert_row(self, i + 1, TRUE);
    g_string_append(row_at(self, i + 1)->text, text->str + self->columns);
    g_string_truncate(text, self->columns);
  }
}

void screen_resize(Screen *self, guint columns) {
  guint first = first_of(self, self->row);
  guint offset = (self->row - first) * self->columns + self->column, line = 0;
  for (guint i = 0; i <= first; i++) line += !row_at(self, i)->wrapped;
  join(self);
  self->columns = columns;
  split(self);
  guint row = 0;
  for (guint seen = 0; seen < line; row++) seen += !row_at(self, row)->wrapped;
  row--; /* the first of the line that has the cursor */
  guint further = offset > 0 ? (offset - 1) / columns : 0;
  self->row = row + further;
  self->column = offset - further * columns;
}

/* ---- what is on it -------------------------------------------------------------------------- */

char **screen_lines(const Screen *self) {
  GPtrArray *lines = g_ptr_array_new();
  g_autoptr(GString) line = g_string_new(NULL);
  for (guint i = 0; i < screen_height(self); i++) {
    if (i > 0 && !row_at(self, i)->wrapped) {
      g_ptr_array_add(lines, g_strdup(line->str));
      g_string_truncate(line, 0);
    }
    g_string_append(line, row_at(self, i)->text->str);
  }
  if (line->len) g_ptr_array_add(lines, g_strdup(line->str));
  g_ptr_array_add(lines, NULL);
  return (char **)g_ptr_array_free(lines, FALSE);
}

guint screen_height(const Screen *self) {
  guint height = self->rows->len;
  while (height > 0 && row_at(self, height - 1)->text->len == 0) height--;
  return height;
}
