/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages for man: macros of man(7), plain ASCII. */
#include "page-internal.h"

#include <absdk/host.h>
#include <string.h>

/* Signs that roff would take for its own, or turn into typographic ones. */
static const struct {
  char sign;
  const char *escaped;
} escapes[] = {
    {'\\', "\\(rs"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"},
};

static void add_sign(GString *out, gunichar sign) {
  for (guint i = 0; i < G_N_ELEMENTS(escapes); i++)
    if (sign == (gunichar)escapes[i].sign) {
      g_string_append(out, escapes[i].escaped);
      return;
    }
  if (sign < 0x80)
    g_string_append_c(out, (char)sign);
  else
    g_string_append_printf(out, "\\[u%04X]", sign);
}

/* Code, between backticks, becomes bold; a line that begins like a request gets a sign of no width
 * before it. */
static void add_text(GString *out, const char *text) {
  gboolean code = FALSE, first = TRUE;
  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    if (first && (*at == '.' || *at == '\'')) g_string_append(out, "\\&");
    first = *at == '\n';
    if (*at == '`') {
      code = !code;
      g_string_append(out, code ? "\\fB" : "\\fR");
    } else {
      add_sign(out, g_utf8_get_char(at));
    }
  }
  if (code) g_string_append(out, "\\fR");
  g_string_append_c(out, '\n');
}

static void begin(Page *self, const char *title, int section, const char *heading_text) {
  (void)heading_text;
  g_autofree char *upper = g_ascii_strup(title, -1);
  g_string_append_printf(self->text, ".TH %s %d \"\" \"abhost %s\" \"abhost\"\n", upper, section,
                         ab_version());
}

static void heading(Page *self, int level, const char *text) {
  g_autofree char *upper = level == 1 ? g_utf8_strup(text, -1) : g_strdup(text);
  g_string_append(self->text, level == 1 ? ".SH " : ".SS ");
  add_text(self->text, upper);
}

static void paragraph(Page *self, const char *text) {
  g_string_append(self->text, ".PP\n");
  add_text(self->text, text);
}

static void item(Page *self, const char *term, const char *note, const char *text) {
  g_string_append(self->text, ".TP\n\\fB");
  add_text(self->text, term);
  g_string_truncate(self->text, self->text->len - 1);
  g_string_append(self->text, "\\fR");
  if (note) {
    g_autofree char *aside = g_strdup_printf(" (%s)", note);
    add_text(self->text, aside);
  } else {
    g_string_append_c(self->text, '\n');
  }
  if (*text) add_text(self->text, text);
}

static void indent(Page *self, int by) {
  g_string_append(self->text, by > 0 ? ".RS\n" : ".RE\n");
}

static void code(Page *self, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_string_append(self->text, ".PP\n.nf\n.RS\n");
  for (guint i = 0; lines[i] && (*lines[i] || lines[i + 1]); i++) {
    g_autoptr(GString) literal = g_string_new(NULL); /* backticks are themselves here */
    for (const char *at = lines[i]; *at; at = g_utf8_next_char(at))
      if (*at == '`')
        g_string_append(literal, "\\(ga");
      else
        add_sign(literal, g_utf8_get_char(at));
    const char *guard = *lines[i] == '.' || *lines[i] == '\'' ? "\\&" : "";
    g_string_append_printf(self->text, "%s%s\n", guard, literal->str);
  }
  g_string_append(self->text, ".RE\n.fi\n");
}

static void raw(Page *self, const char *text) {
  g_string_append_printf(self->text, "%s\n", text);
}

const PageClass page_roff = {begin, heading, paragraph, item, indent, code, raw};
