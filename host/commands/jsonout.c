/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON. */
#include "jsonout.h"

#include "../json.h"
#include "../manifest/param.h"
#include "../registry/fit.h"

#include <math.h>

void jsonout_text(JsonBuilder *json, const char *key, const char *value) {
  char *text = g_utf8_make_valid(value, -1);
  json_builder_set_member_name(json, key);
  json_builder_add_string_value(json, text);
  g_free(text);
}

void jsonout_real(JsonBuilder *json, const char *key, double value) {
  json_builder_set_member_name(json, key);
  if (isfinite(value)) {
    json_builder_add_double_value(json, value);
    return;
  }
  char *text = param_real(value);
  json_builder_add_string_value(json, text);
  g_free(text);
}

void jsonout_begin_array(JsonBuilder *json, const char *key) {
  json_builder_set_member_name(json, key);
  json_builder_begin_array(json);
}

void jsonout_roles(JsonBuilder *json, const AbComponent *component) {
  jsonout_begin_array(json, "roles");
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++)
    if (fit_component(component, AB_KIND_MODEL, role))
      json_builder_add_string_value(json, ab_role_name(role));
  json_builder_end_array(json);
}

char *jsonout_finish(JsonBuilder *json) {
  JsonNode *root = json_builder_get_root(json);
  char *body = json_text(root, TRUE);
  char *text = g_strconcat(body, "\n", NULL);
  g_free(body);
  json_node_unref(root);
  return text;
}
