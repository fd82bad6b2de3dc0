/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the page's data. */
#include "embed.h"

#include <math.h>
#include <string.h>

static void quote(GString *out, const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_string_append_c(out, '"');
  for (const char *at = valid; *at; at++) {
    guchar byte = (guchar)*at;
    if (byte == '"' || byte == '\\')
      g_string_append_printf(out, "\\%c", byte);
    else if (byte == '\n')
      g_string_append(out, "\\n");
    else if (byte < 0x20 || byte == '<' || byte == 0x7f)
      g_string_append_printf(out, "\\u%04x", byte);
    else
      g_string_append_c(out, *at);
  }
  g_string_append_c(out, '"');
}

/* The comma before all but the first, and the key. */
static void put_key(GString *out, const char *key) {
  char before = out->len ? out->str[out->len - 1] : '[';
  if (before != '[' && before != '{') g_string_append_c(out, ',');
  if (!key) return;
  quote(out, key);
  g_string_append_c(out, ':');
}

void embed_begin(GString *out, const char *key, char bracket) {
  put_key(out, key);
  g_string_append_c(out, bracket);
}

void embed_end(GString *out, char bracket) {
  g_string_append_c(out, bracket);
}

void embed_null(GString *out, const char *key) {
  put_key(out, key);
  g_string_append(out, "null");
}

void embed_bool(GString *out, const char *key, gboolean value) {
  put_key(out, key);
  g_string_append(out, value ? "true" : "false");
}

void embed_int(GString *out, const char *key, gint64 value) {
  put_key(out, key);
  g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

static void put_real(GString *out, const char *format, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite(value))
    g_string_append(out, g_ascii_formatd(text, sizeof text, format, value));
  else
    g_string_append(out, "null");
}

void embed_real(GString *out, const char *key, double value) {
  put_key(out, key);
  put_real(out, "%.12g", value);
}

void embed_text(GString *out, const char *key, const char *text) {
  put_key(out, key);
  if (text)
    quote(out, text);
  else
    g_string_append(out, "null");
}

static void put_numbers(GString *out, const char *key, const char *format, const double *values,
                        gint64 count) {
  embed_begin(out, key, '[');
  for (gint64 i = 0; i < count; i++) {
    if (i) g_string_append_c(out, ',');
    put_real(out, format, values[i]);
  }
  embed_end(out, ']');
}

void embed_reals(GString *out, const char *key, const double *values, gint64 count) {
  put_numbers(out, key, "%.7g", values, count);
}

void embed_ints(GString *out, const char *key, const double *values, gint64 count) {
  put_numbers(out, key, "%.0f", values, count);
}

void embed_bytes(GString *out, const char *key, const guint8 *bytes, gsize count) {
  g_autofree char *text = g_base64_encode(bytes, count);
  put_key(out, key);
  g_string_append_printf(out, "\"%s\"", text);
}

/* ---- what was parsed ------------------------------------------------------------------------- */

static void put_value(GString *out, const char *key, JsonNode *node) {
  GType type = json_node_get_value_type(node);
  if (type == G_TYPE_STRING)
    embed_text(out, key, json_node_get_string(node));
  else if (type == G_TYPE_BOOLEAN)
    embed_bool(out, key, json_node_get_boolean(node));
  else if (type == G_TYPE_INT64)
    embed_int(out, key, json_node_get_int(node));
  else
    embed_real(out, key, json_node_get_double(node));
}

static void put_object(GString *out, const char *key, JsonObject *object) {
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;
  embed_begin(out, key, '{');
  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &member)) embed_node(out, name, member);
  embed_end(out, '}');
}

static void put_array(GString *out, const char *key, JsonArray *array) {
  embed_begin(out, key, '[');
  for (guint i = 0; i < json_array_get_length(array); i++)
    embed_node(out, NULL, json_array_get_element(array, i));
  embed_end(out, ']');
}

void embed_node(GString *out, const char *key, JsonNode *node) {
  if (!node || JSON_NODE_HOLDS_NULL(node))
    embed_null(out, key);
  else if (JSON_NODE_HOLDS_OBJECT(node))
    put_object(out, key, json_node_get_object(node));
  else if (JSON_NODE_HOLDS_ARRAY(node))
    put_array(out, key, json_node_get_array(node));
  else
    put_value(out, key, node);
}
