/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages: what both forms have in common. */
#include "page-internal.h"

#include <string.h>

Page *page_new(PageForm form, const char *title, int section, const char *heading) {
  Page *self = g_new0(Page, 1);
  self->form = form;
  self->class = form == PAGE_ROFF ? &page_roff : &page_markdown;
  self->text = g_string_new(NULL);
  self->class->begin(self, title, section, heading);
  return self;
}

char *page_finish(Page *self) {
  char *text = g_string_free(self->text, FALSE);
  g_free(self);
  return text;
}

PageForm page_form(const Page *self) {
  return self->form;
}

void page_heading(Page *self, int level, const char *text) {
  self->class->heading(self, level, text);
}

void page_paragraph(Page *self, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  self->class->paragraph(self, text);
}

void page_item(Page *self, const char *term, const char *note, const char *text) {
  self->class->item(self, term, note, text);
}

void page_indent(Page *self) {
  self->class->indent(self, 1);
  self->depth++;
}

void page_outdent(Page *self) {
  self->depth--;
  self->class->indent(self, -1);
}

void page_code(Page *self, const char *text) {
  self->class->code(self, text);
}

void page_raw(Page *self, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  self->class->raw(self, text);
}

/* ---- prose ----------------------------------------------------------------------------------- */

/* Lines of one sort that are gathered. */
typedef struct {
  Page *page;
  GString *lines;
  gboolean code;
} Prose;

static void flush(Prose *self) {
  if (self->lines->len && self->code)
    page_code(self->page, self->lines->str);
  else if (self->lines->len)
    page_paragraph(self->page, "%s", self->lines->str);
  g_string_truncate(self->lines, 0);
}

static void add_line(Prose *self, const char *line) {
  gboolean code = *line == ' ';
  if (!*line || code != self->code) flush(self);
  self->code = code;
  if (code)
    g_string_append_printf(self->lines, "%s\n", line + strspn(line, " "));
  else if (*line)
    g_string_append_printf(self->lines, "%s%s", self->lines->len ? " " : "", line);
}

void page_prose(Page *self, const char *text) {
  Prose prose = {self, g_string_new(NULL), FALSE};
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++) add_line(&prose, lines[i]);
  flush(&prose);
  g_string_free(prose.lines, TRUE);
}
