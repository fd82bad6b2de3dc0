/* SPDX-License-Identifier: Apache-2.0
 *
 * Components as JSON. */
#include "component-json.h"

#include "../jsonout.h"
#include "../manifest/param.h"
#include "fit.h"
#include <string.h>

void component_json_roles(JsonBuilder *json, const AbComponent *component) {
  jsonout_begin_array(json, "roles");
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++)
    if (fit_component(component, AB_KIND_MODEL, role))
      json_builder_add_string_value(json, ab_role_name(role));
  json_builder_end_array(json);
}

/* ---- defaults -------------------------------------------------------------------------------- */

static void add_scalar(JsonBuilder *json, const Node *node, AbParamType type) {
  gint64 whole;
  double real;
  gboolean truth;
  if (param_is_whole(type) && node_read_int(node, &whole, NULL))
    json_builder_add_int_value(json, whole);
  else if (param_is_real(type) && node_read_real(node, TRUE, &real, NULL))
    json_builder_add_double_value(json, real);
  else if (type == AB_TYPE_BOOL && node_read_bool(node, &truth, NULL))
    json_builder_add_boolean_value(json, truth);
  else
    json_builder_add_string_value(json, node->text);
}

static const AbParam *record_row(const AbParam *row, guint stride, const char *key) {
  for (guint i = 0; i < row->record_count; i++)
    if (strcmp(param_row(row->record, stride, i)->key, key) == 0)
      return param_row(row->record, stride, i);
  return NULL;
}

/* A default, by the row that it is of (NULL: no row is known). */
static void add_value(JsonBuilder *json, const Node *node, const AbParam *row, guint stride) {
  if (node->kind == NODE_SCALAR) {
    add_scalar(json, node, row ? row->type : AB_TYPE_TEXT);
  } else if (node->kind == NODE_SEQUENCE) {
    json_builder_begin_array(json);
    for (guint i = 0; i < node->items->len; i++)
      add_value(json, node->items->pdata[i], row, stride);
    json_builder_end_array(json);
  } else {
    json_builder_begin_object(json);
    for (guint i = 0; i < node->items->len; i++) {
      const char *key = ((const Node *)node->keys->pdata[i])->text;
      json_builder_set_member_name(json, key);
      add_value(json, node->items->pdata[i], row ? record_row(row, stride, key) : NULL, stride);
    }
    json_builder_end_object(json);
  }
}

void component_json_default(JsonBuilder *json, const AbParam *row, guint stride) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) value = param_default(row, "default", diagnostics);
  diagnostics_free(diagnostics);
  if (value)
    add_value(json, value, row, stride);
  else
    json_builder_add_null_value(json);
}
