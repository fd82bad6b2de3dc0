/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON. */
#include "jsonin.h"

#include <math.h>
#include <string.h>

enum { MAX_NESTING = 64 }; /* json-glib reads nested values by recursion, without a limit */

/* ---- text ------------------------------------------------------------------------------------ */

static gboolean nested_too_deeply(const char *text, gsize length) {
  guint depth = 0;
  gboolean quoted = FALSE;
  for (gsize i = 0; i < length; i++) {
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > MAX_NESTING)
      return TRUE;
    else if (!quoted && (text[i] == ']' || text[i] == '}') && depth > 0)
      depth--;
  }
  return FALSE;
}

JsonNode *jsonin_object(const char *name, const char *text, gssize length, GError **error) {
  gsize size = length < 0 ? strlen(text) : (gsize)length;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) cause = NULL;
  if (nested_too_deeply(text, size)) {
    host_fail(error, AB_DATA, "%s is nested too deeply", name);
    return NULL;
  }
  if (!g_utf8_validate(text, (gssize)size, NULL)) {
    host_fail(error, AB_DATA, "%s is no JSON: it is no UTF-8", name);
    return NULL;
  }
  if (!json_parser_load_from_data(parser, text, (gssize)size, &cause)) {
    host_fail(error, AB_DATA, "%s is no JSON: %s", name, cause->message);
    return NULL;
  }
  JsonNode *root = json_parser_steal_root(parser);
  if (root && JSON_NODE_HOLDS_OBJECT(root)) return root;
  if (root) json_node_unref(root);
  host_fail(error, AB_DATA, "%s is no object of JSON", name);
  return NULL;
}

/* ---- members --------------------------------------------------------------------------------- */

const char *jsonin_text(JsonObject *object, const char *key) {
  JsonNode *node = json_object_get_member(object, key);
  gboolean text =
      node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
  return text ? json_node_get_string(node) : NULL;
}

gboolean jsonin_number(JsonObject *object, const char *key, double *value) {
  JsonNode *node = json_object_get_member(object, key);
  if (!node || !JSON_NODE_HOLDS_VALUE(node)) return FALSE;
  GType type = json_node_get_value_type(node);
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) return FALSE;
  *value = json_node_get_double(node);
  return TRUE;
}

double jsonin_real(JsonObject *object, const char *key) {
  double value = NAN;
  jsonin_number(object, key, &value);
  return value;
}

gint64 jsonin_int(JsonObject *object, const char *key, gint64 otherwise) {
  JsonNode *node = json_object_get_member(object, key);
  double value;
  if (!jsonin_number(object, key, &value)) return otherwise;
  if (json_node_get_value_type(node) == G_TYPE_INT64) return json_node_get_int(node);
  return fabs(value) < 9e18 ? (gint64)value : otherwise;
}

JsonObject *jsonin_inner(JsonObject *object, const char *key) {
  JsonNode *node = json_object_get_member(object, key);
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *jsonin_array(JsonObject *object, const char *key) {
  JsonNode *node = json_object_get_member(object, key);
  return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}
