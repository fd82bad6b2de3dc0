/* SPDX-License-Identifier: Apache-2.0
 *
 * Components, and what fits where, in JSON Schema. */
#include "schema-internal.h"

#include "../commands/inspect.h"
#include "../manifest/param.h"
#include <string.h>

/* ---- one component --------------------------------------------------------------------------- */

/* "any.model.encode" */
static char *fit_definition(AbKind kind, AbRole role) {
  return role == AB_ROLE_NONE
             ? g_strdup_printf("any.%s", ab_kind_name(kind))
             : g_strdup_printf("any.%s.%s", ab_kind_name(kind), ab_role_name(role));
}

/* Members that take a component of a definition, or several, or null. */
static void add_children(JsonBuilder *json, const char *definition, gboolean many, gboolean null) {
  jsonout_begin_array(json, "anyOf");
  schema_ref(json, "#/definitions/%s", definition);
  if (many) {
    json_builder_begin_object(json);
    jsonout_text(json, "type", "array");
    json_builder_set_member_name(json, "items");
    schema_ref(json, "#/definitions/%s", definition);
    json_builder_end_object(json);
  }
  if (null) {
    json_builder_begin_object(json);
    jsonout_text(json, "type", "null");
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void add_slot(JsonBuilder *json, const AbSlot *slot) {
  g_autofree char *wanted = fit_wanted(slot->kind, slot->role);
  g_autofree char *text = g_strdup_printf("%s%s(%s, %s)", slot->doc, *slot->doc ? " " : "", wanted,
                                          inspect_arity(slot->arity));
  g_autofree char *definition = fit_definition(slot->kind, slot->role);
  jsonout_begin_object(json, slot->key);
  jsonout_text(json, "description", text);
  if (slot->arity == AB_REQUIRED)
    schema_all_of(json, "#/definitions/%s", definition);
  else
    add_children(json, definition, slot->arity == AB_MANY, TRUE);
  json_builder_end_object(json);
}

static void add_required(JsonBuilder *json, const AbComponent *component) {
  jsonout_begin_array(json, "required");
  schema_required_rows(json, component->params, component->param_count, component->param_stride);
  for (guint i = 0; i < component->slot_count; i++)
    if (slot_row(component, i)->arity == AB_REQUIRED)
      json_builder_add_string_value(json, slot_row(component, i)->key);
  json_builder_end_array(json);
}

static char *words(const AbComponent *component) {
  gboolean cited = *component->citation != '\0';
  return g_strdup_printf("%s%s%s", component->doc, cited ? "\n\n" : "", component->citation);
}

static void add_component(JsonBuilder *json, const AbComponent *component) {
  g_autofree char *name = g_strdup_printf("%s.%s", ab_kind_name(component->kind), component->name);
  g_autofree char *text = words(component);
  jsonout_begin_object(json, name);
  jsonout_text(json, "description", text);
  jsonout_begin_object(json, "properties");
  jsonout_begin_object(json, "plugin");
  jsonout_text(json, "description", text);
  jsonout_text(json, "const", component->name);
  json_builder_end_object(json);
  schema_rows(json, component->params, component->param_count, component->param_stride);
  for (guint i = 0; i < component->slot_count; i++) add_slot(json, slot_row(component, i));
  json_builder_end_object(json);
  add_required(json, component);
  jsonout_flag(json, "additionalProperties", FALSE);
  json_builder_end_object(json);
}

/* ---- what fits ------------------------------------------------------------------------------- */

/* What may stand for a component without its parameters. */
static gboolean needs_nothing(const AbComponent *component) {
  for (guint i = 0; i < component->param_count; i++)
    if (param_row(component->params, component->param_stride, i)->flags & AB_PARAM_REQUIRED)
      return FALSE;
  for (guint i = 0; i < component->slot_count; i++)
    if (slot_row(component, i)->arity == AB_REQUIRED) return FALSE;
  return TRUE;
}

static void add_names(JsonBuilder *json, const GPtrArray *entries, gboolean bare) {
  jsonout_begin_array(json, "enum");
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    if (!bare || needs_nothing(component)) json_builder_add_string_value(json, component->name);
  }
  json_builder_end_array(json);
  jsonout_begin_array(json, "enumDescriptions"); /* which VS Code shows */
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    if (!bare || needs_nothing(component)) json_builder_add_string_value(json, component->doc);
  }
  json_builder_end_array(json);
}

/* Where `plugin` has this name, the component says what else there is. */
static void add_case(JsonBuilder *json, const char *prefix, const AbComponent *component) {
  json_builder_begin_object(json);
  jsonout_begin_object(json, "if");
  schema_strings(json, "required", "plugin", NULL);
  jsonout_begin_object(json, "properties");
  jsonout_begin_object(json, "plugin");
  jsonout_text(json, "const", component->name);
  json_builder_end_object(json);
  json_builder_end_object(json);
  json_builder_end_object(json);
  json_builder_set_member_name(json, "then");
  schema_ref(json, "#/definitions/%s%s.%s", prefix, ab_kind_name(component->kind), component->name);
  json_builder_end_object(json);
}

/* Without `plugin` it is the default of the problem: {lr: 0.1}. */
static void add_default_case(JsonBuilder *json, const char *prefix, const GPtrArray *entries) {
  json_builder_begin_object(json);
  jsonout_begin_object(json, "if");
  jsonout_begin_object(json, "not");
  schema_strings(json, "required", "plugin", NULL);
  json_builder_end_object(json);
  json_builder_end_object(json);
  jsonout_begin_object(json, "then");
  jsonout_begin_array(json, "anyOf");
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    if (component->default_for)
      schema_ref(json, "#/definitions/%s%s.%s", prefix, ab_kind_name(component->kind),
                 component->name);
  }
  json_builder_end_array(json);
  json_builder_end_object(json);
  json_builder_end_object(json);
}

static gboolean some_default(const GPtrArray *entries) {
  for (guint i = 0; i < entries->len; i++)
    if (((const Entry *)entries->pdata[i])->component->default_for) return TRUE;
  return FALSE;
}

static void add_mapping(JsonBuilder *json, const GPtrArray *entries, const char *prefix,
                        gboolean defaults) {
  json_builder_begin_object(json);
  jsonout_text(json, "type", "object");
  jsonout_begin_object(json, "properties");
  jsonout_begin_object(json, "plugin");
  jsonout_text(json, "description", "Which component it is.");
  add_names(json, entries, FALSE);
  json_builder_end_object(json);
  json_builder_end_object(json);
  if (!defaults) schema_strings(json, "required", "plugin", NULL);
  jsonout_begin_array(json, "allOf");
  for (guint i = 0; i < entries->len; i++)
    add_case(json, prefix, ((const Entry *)entries->pdata[i])->component);
  if (defaults) add_default_case(json, prefix, entries);
  json_builder_end_array(json);
  json_builder_end_object(json);
}

/* The definition `name`. `prefix` is that of its components; `defaults`: `plugin` may be left out
 * where a component is the default. */
static void add_fit(JsonBuilder *json, const char *name, const GPtrArray *entries,
                    const char *prefix, gboolean defaults) {
  jsonout_begin_object(json, name);
  if (entries->len == 0) {
    jsonout_text(json, "description", "Nothing that is installed fits here.");
    jsonout_begin_object(json, "not");
    json_builder_end_object(json);
  } else {
    jsonout_begin_array(json, "anyOf");
    add_mapping(json, entries, prefix, defaults && some_default(entries));
    json_builder_begin_object(json);
    add_names(json, entries, TRUE);
    json_builder_end_object(json);
    json_builder_end_array(json);
  }
  json_builder_end_object(json);
}

void schema_components(JsonBuilder *json, const Registry *registry) {
  const GPtrArray *all = registry_entries(registry);
  for (guint i = 0; i < all->len; i++)
    add_component(json, ((const Entry *)all->pdata[i])->component);
  for (AbKind kind = 1; kind < AB_KIND_COUNT; kind++) {
    AbRole last = kind == AB_KIND_MODEL ? AB_ROLE_COUNT - 1 : AB_ROLE_NONE;
    for (AbRole role = AB_ROLE_NONE; role <= last; role++) {
      g_autofree char *name = fit_definition(kind, role);
      g_autoptr(GPtrArray) entries = fit_entries(registry, kind, role);
      add_fit(json, name, entries, "", FALSE);
    }
  }
}

/* ---- sections -------------------------------------------------------------------------------- */

static void add_property_ref(JsonBuilder *json, const char *definition, const char *key) {
  json_builder_set_member_name(json, key);
  schema_ref(json, "#/definitions/%s/properties/%s", definition, key);
}

/* What the settings of that name add: their rows, and sections within. */
static void add_settings(JsonBuilder *json, const char *section) {
  const SettingsTable *own = settings_table(section);
  g_autofree char *definition = g_strdup_printf("settings.%s", section);
  g_autofree char *below = g_strdup_printf("%s.", section);
  for (guint i = 0; own && i < own->count; i++)
    add_property_ref(json, definition, own->params[i].key);
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    if (!g_str_has_prefix(table->section, below)) continue;
    json_builder_set_member_name(json, table->section + strlen(below));
    schema_ref(json, "#/definitions/settings.%s", table->section);
  }
}

/* The component at the top of the manifest: its own keys and those of the settings. */
static void add_section_component(JsonBuilder *json, const Section *section,
                                  const AbComponent *component) {
  g_autofree char *plain = g_strdup_printf("%s.%s", ab_kind_name(component->kind), component->name);
  g_autofree char *name = g_strdup_printf("section.%s", plain);
  jsonout_begin_object(json, name);
  jsonout_begin_object(json, "properties");
  add_property_ref(json, plain, "plugin");
  for (guint i = 0; i < component->param_count; i++)
    add_property_ref(json, plain, param_row(component->params, component->param_stride, i)->key);
  for (guint i = 0; i < component->slot_count; i++)
    add_property_ref(json, plain, slot_row(component, i)->key);
  add_settings(json, section->key);
  json_builder_end_object(json);
  add_required(json, component);
  jsonout_flag(json, "additionalProperties", FALSE);
  json_builder_end_object(json);
}

static void add_section(JsonBuilder *json, const Registry *registry, const Section *section) {
  g_autoptr(GPtrArray) entries = fit_entries(registry, section->kind, AB_ROLE_NONE);
  gboolean more = settings_table(section->key) != NULL;
  g_autofree char *name = g_strdup_printf("section.%s", section->key);
  if (section->many) { /* of which none is the default of a mapping without a name */
    g_autofree char *definition = fit_definition(section->kind, AB_ROLE_NONE);
    jsonout_begin_object(json, name);
    add_children(json, definition, TRUE, FALSE);
    json_builder_end_object(json);
    return;
  }
  for (guint i = 0; more && i < entries->len; i++)
    add_section_component(json, section, ((const Entry *)entries->pdata[i])->component);
  add_fit(json, name, entries, more ? "section." : "", !section->chosen);
}

/* Which models there are depends on the problem: see problem.ROLE. */
void schema_sections(JsonBuilder *json, const Registry *registry) {
  for (const Section *section = sections; section->key; section++)
    if (section->kind != AB_KIND_MODEL) add_section(json, registry, section);
}
