/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON. */
#include "jsonout.h"

#include <math.h>
#include <string.h>

/* ---- values ---------------------------------------------------------------------------------- */

static void name(JsonBuilder *json, const char *key) {
  if (key) json_builder_set_member_name(json, key);
}

void jsonout_null(JsonBuilder *json, const char *key) {
  name(json, key);
  json_builder_add_null_value(json);
}

void jsonout_text(JsonBuilder *json, const char *key, const char *text) {
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
  name(json, key);
  if (valid)
    json_builder_add_string_value(json, valid);
  else
    json_builder_add_null_value(json);
}

void jsonout_real(JsonBuilder *json, const char *key, double value) {
  name(json, key);
  if (isfinite(value))
    json_builder_add_double_value(json, value);
  else
    json_builder_add_null_value(json);
}

void jsonout_int(JsonBuilder *json, const char *key, gint64 value) {
  name(json, key);
  json_builder_add_int_value(json, value);
}

void jsonout_known(JsonBuilder *json, const char *key, gint64 value, gboolean known) {
  if (known)
    jsonout_int(json, key, value);
  else
    jsonout_null(json, key);
}

void jsonout_flag(JsonBuilder *json, const char *key, gboolean value) {
  name(json, key);
  json_builder_add_boolean_value(json, value);
}

void jsonout_begin_object(JsonBuilder *json, const char *key) {
  name(json, key);
  json_builder_begin_object(json);
}

void jsonout_begin_array(JsonBuilder *json, const char *key) {
  name(json, key);
  json_builder_begin_array(json);
}

void jsonout_texts(JsonBuilder *json, const char *key, const char *const *texts) {
  jsonout_begin_array(json, key);
  for (; *texts; texts++) jsonout_text(json, NULL, *texts);
  json_builder_end_array(json);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* The ".0" after an exponent is left out; strings are copied as they are. */
char *jsonout_node(JsonNode *root, gboolean pretty) {
  char *text = json_to_string(root, pretty), *to = text;
  gboolean quoted = FALSE, exponent = FALSE;
  for (const char *from = text; *from; from++) {
    if (*from == '"') quoted = !quoted;
    if (quoted && *from == '\\') *to++ = *from++;
    if (*from == 'e' || *from == 'E')
      exponent = !quoted;
    else if (!strchr("+-.0123456789", *from))
      exponent = FALSE;
    if (exponent && *from == '.')
      from++; /* and the 0 */
    else
      *to++ = *from;
  }
  *to = '\0';
  return text;
}

char *jsonout_line(JsonBuilder *json) {
  g_autoptr(JsonNode) root = json_builder_get_root(json);
  return jsonout_node(root, FALSE);
}

char *jsonout_finish(JsonBuilder *json) {
  g_autoptr(JsonNode) root = json_builder_get_root(json);
  g_autofree char *body = jsonout_node(root, TRUE);
  return g_strconcat(body, "\n", NULL);
}
