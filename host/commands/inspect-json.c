/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost inspect` for programs. */
#include "../jsonout.h"
#include "../manifest/param.h"
#include "../registry/component-json.h"
#include "../registry/fit.h"
#include "inspect.h"

#include <math.h>

static const char *const types[] = {
    [AB_TYPE_INT] = "integer",     [AB_TYPE_REAL] = "number",   [AB_TYPE_BOOL] = "boolean",
    [AB_TYPE_CHOICE] = "choice",   [AB_TYPE_TEXT] = "text",     [AB_TYPE_PATH] = "path",
    [AB_TYPE_INTS] = "integers",   [AB_TYPE_REALS] = "numbers", [AB_TYPE_TEXTS] = "texts",
    [AB_TYPE_RECORDS] = "records",
};

/* ".inf" where JSON has no such number: what a manifest would have */
static void put_bound(JsonBuilder *json, const char *key, double value) {
  g_autofree char *text = isfinite(value) ? NULL : param_real(value);
  if (text)
    jsonout_text(json, key, text);
  else
    jsonout_real(json, key, value);
}

static void add_bounds(JsonBuilder *json, const AbParam *row) {
  if (param_is_whole(row->type)) {
    jsonout_int(json, "minimum", row->int_min);
    jsonout_int(json, "maximum", row->int_max);
  } else if (param_is_real(row->type)) {
    put_bound(json, "minimum", row->real_min);
    put_bound(json, "maximum", row->real_max);
  } else if (row->type == AB_TYPE_CHOICE) {
    jsonout_texts(json, "choices", row->choices);
  }
}

static void add_params(JsonBuilder *json, const AbParam *params, guint count, guint stride) {
  jsonout_begin_array(json, "parameters");
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    gboolean required = (row->flags & AB_PARAM_REQUIRED) != 0;
    json_builder_begin_object(json);
    jsonout_text(json, "key", row->key);
    jsonout_text(json, "type", types[row->type]);
    jsonout_flag(json, "required", required);
    if (!required) {
      json_builder_set_member_name(json, "default");
      component_json_default(json, row, stride);
    }
    add_bounds(json, row);
    jsonout_text(json, "unit", row->unit);
    jsonout_text(json, "doc", row->doc);
    jsonout_text(json, "since", row->since);
    if (row->type == AB_TYPE_RECORDS) add_params(json, row->record, row->record_count, stride);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void add_slot(JsonBuilder *json, const Registry *registry, const AbSlot *slot) {
  json_builder_begin_object(json);
  jsonout_text(json, "key", slot->key);
  jsonout_text(json, "kind", ab_kind_name(slot->kind));
  if (slot->role != AB_ROLE_NONE) jsonout_text(json, "role", ab_role_name(slot->role));
  jsonout_text(json, "arity", inspect_arity(slot->arity));
  jsonout_text(json, "doc", slot->doc);
  jsonout_begin_array(json, "fits");
  GPtrArray *fitting = fit_entries(registry, slot->kind, slot->role);
  for (guint i = 0; i < fitting->len; i++)
    json_builder_add_string_value(json, ((const Entry *)fitting->pdata[i])->component->name);
  g_ptr_array_unref(fitting);
  json_builder_end_array(json);
  json_builder_end_object(json);
}

static void add_entry(JsonBuilder *json, const Registry *registry, const Entry *entry) {
  const AbComponent *component = entry->component;
  json_builder_begin_object(json);
  jsonout_text(json, "kind", ab_kind_name(component->kind));
  jsonout_text(json, "name", component->name);
  jsonout_text(json, "doc", component->doc);
  jsonout_text(json, "citation", component->citation);
  component_json_roles(json, component);
  add_params(json, component->params, component->param_count, component->param_stride);
  jsonout_begin_array(json, "slots");
  for (guint i = 0; i < component->slot_count; i++)
    add_slot(json, registry, slot_row(component, i));
  json_builder_end_array(json);
  jsonout_text(json, "plugin", entry->plugin->id);
  jsonout_text(json, "version", entry->plugin->version);
  jsonout_text(json, "licence", entry->plugin->licence);
  jsonout_text(json, "file", entry->file);
  g_autoptr(Node) fragment = inspect_fragment(registry, component);
  char *manifest = node_emit(fragment);
  jsonout_text(json, "manifest", manifest);
  g_free(manifest);
  json_builder_end_object(json);
}

char *inspect_json(const Registry *registry, const GPtrArray *entries) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_begin_array(json, "components");
  for (guint i = 0; i < entries->len; i++) add_entry(json, registry, entries->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
  return jsonout_finish(json);
}
