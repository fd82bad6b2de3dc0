/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages for docs/, as GitHub shows them. */
#include "page-internal.h"

#include <string.h>

/* Signs of Markdown are escaped, but for those between backticks. A single underscore within a word
 * is none. */
static void add_text(GString *out, const char *text) {
  gboolean code = FALSE;
  for (const char *at = text; *at; at++) {
    if (*at == '`') code = !code;
    if (!code && strchr("\\*<>[]", *at)) g_string_append_c(out, '\\');
    g_string_append_c(out, *at);
  }
}

/* Blocks end in a line break, and are set apart by an empty line; those of a list are not. */
static void open_block(Page *self, gboolean item) {
  if (!(item && self->listed)) g_string_append_c(self->text, '\n');
  self->listed = item;
}

static void heading(Page *self, int level, const char *text) {
  open_block(self, FALSE);
  g_string_append_printf(self->text, "%.*s ", level + 1, "####");
  add_text(self->text, text);
  g_string_append_c(self->text, '\n');
}

static void begin(Page *self, const char *title, int section, const char *heading_text) {
  (void)title;
  (void)section;
  g_string_append(self->text, "<!-- Made by tools/reference from the tables of the program; to be "
                              "changed there. -->\n");
  heading(self, 0, heading_text);
}

static void paragraph(Page *self, const char *text) {
  open_block(self, FALSE);
  add_text(self->text, text);
  g_string_append_c(self->text, '\n');
}

static void item(Page *self, const char *term, const char *note, const char *text) {
  open_block(self, TRUE);
  g_string_append_printf(self->text, "%*s- `%s`", self->depth * 2, "", term);
  if (note) {
    g_string_append(self->text, " (");
    add_text(self->text, note);
    g_string_append_c(self->text, ')');
  }
  g_string_append(self->text, *text ? ": " : "");
  add_text(self->text, text);
  g_string_append_c(self->text, '\n');
}

static void indent(Page *self, int by) {
  (void)self; /* the depth says it */
  (void)by;
}

static void code(Page *self, const char *text) {
  open_block(self, FALSE);
  g_string_append_printf(self->text, "```\n%s%s```\n", text,
                         g_str_has_suffix(text, "\n") ? "" : "\n");
}

static void raw(Page *self, const char *text) {
  open_block(self, FALSE);
  g_string_append_printf(self->text, "%s\n", text);
}

const PageClass page_markdown = {begin, heading, paragraph, item, indent, code, raw};
