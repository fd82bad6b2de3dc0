/* SPDX-License-Identifier: Apache-2.0
 *
 * Tree to YAML text, by libyaml, which knows when a plain scalar would be read otherwise.       */
#include "node.h"

#include <string.h>
#include <yaml.h>

enum { FLOW_BYTES = 72 }; /* a sequence of scalars longer than this goes into block style */

typedef enum { AT_ROOT, AT_KEY, AT_VALUE } Position;

static int append_output(void *data, unsigned char *buffer, size_t size) {
  g_string_append_len(data, (const char *)buffer, (gssize)size);
  return 1;
}

/* `made` is whether the event was. Writing to memory fails only for want of memory, where GLib ends
 * the program as well.                                                                          */
static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int made) {
  if (!made || !yaml_emitter_emit(emitter, event))
    g_error("libyaml cannot emit: %s", emitter->problem ? emitter->problem : "no memory");
}

/* Whether a text of several lines can stand as it is, in a literal block. libyaml's blocks with
 * leading blanks or several final line breaks depend on indentation hints; quotes are safer.    */
static gboolean fits_block(const char *text) {
  if (*text == ' ' || *text == '\n' || g_str_has_suffix(text, "\n\n")) return FALSE;
  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    gunichar c = g_utf8_get_char(at);
    if (c != '\n' && (!g_unichar_isprint(c) || c == 0x2028 || c == 0x2029)) return FALSE;
  }
  return TRUE;
}

/* libyaml puts quotes where the style asked for would not give the text back. */
static yaml_scalar_style_t scalar_style(const Node *self, const char *text, Position position) {
  if (strchr(text, '\n'))
    return position == AT_VALUE && fits_block(text) ? YAML_LITERAL_SCALAR_STYLE
                                                    : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
  /* an empty document is a mapping, so that an empty text needs its quotes there */
  gboolean quoted = self->quoted || (position == AT_ROOT && !*text);
  return quoted ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

static void emit_scalar(yaml_emitter_t *emitter, const Node *self, Position position) {
  yaml_event_t event;
  char *text = g_utf8_make_valid(self->text, -1);
  int made =
      yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text),
                                   1, 1, scalar_style(self, text, position));
  emit(emitter, &event, made);
  g_free(text);
}

static gboolean fits_flow(const Node *sequence) {
  gsize bytes = 0;
  for (guint i = 0; i < sequence->items->len; i++) {
    const Node *item = sequence->items->pdata[i];
    if (item->kind != NODE_SCALAR || strchr(item->text, '\n')) return FALSE;
    if (!*item->text && !item->quoted) return FALSE; /* has no plain form in flow style */
    bytes += strlen(item->text) + 2;
    if (bytes > FLOW_BYTES) return FALSE;
  }
  return TRUE;
}

static void emit_node(yaml_emitter_t *emitter, const Node *self, Position position) {
  yaml_event_t event;
  if (self->kind == NODE_SCALAR) {
    emit_scalar(emitter, self, position);
  } else if (self->kind == NODE_SEQUENCE) {
    yaml_sequence_style_t style =
        fits_flow(self) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    emit(emitter, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
    for (guint i = 0; i < self->items->len; i++)
      emit_node(emitter, self->items->pdata[i], AT_VALUE);
    emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
  } else {
    emit(emitter, &event,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    for (guint i = 0; i < self->items->len; i++) {
      emit_node(emitter, self->keys->pdata[i], AT_KEY);
      emit_node(emitter, self->items->pdata[i], AT_VALUE);
    }
    emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
  }
}

char *node_emit(const Node *self) {
  yaml_emitter_t emitter;
  yaml_event_t event;
  GString *text = g_string_new(NULL);
  if (!yaml_emitter_initialize(&emitter)) g_error("libyaml cannot emit: no memory");
  yaml_emitter_set_output(&emitter, append_output, text);
  yaml_emitter_set_unicode(&emitter, 1);
  yaml_emitter_set_width(&emitter, -1);
  emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
  emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
  emit_node(&emitter, self, AT_ROOT);
  emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
  emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
  yaml_emitter_delete(&emitter);
  return g_string_free(text, FALSE);
}
