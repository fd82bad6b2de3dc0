/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema as a whole: the keys at the top of a manifest, what the problem asks of them, and
 * candidates. */
#include "schema-internal.h"

#include <string.h>

/* ---- pieces ---------------------------------------------------------------------------------- */

void schema_strings(JsonBuilder *json, const char *key, const char *first, ...) {
  va_list rest;
  va_start(rest, first);
  jsonout_begin_array(json, key);
  for (const char *text = first; text; text = va_arg(rest, const char *))
    json_builder_add_string_value(json, text);
  json_builder_end_array(json);
  va_end(rest);
}

static void add_ref(JsonBuilder *json, const char *format, va_list args) {
  g_autofree char *target = g_strdup_vprintf(format, args);
  json_builder_begin_object(json);
  jsonout_text(json, "$ref", target);
  json_builder_end_object(json);
}

void schema_ref(JsonBuilder *json, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_ref(json, format, args);
  va_end(args);
}

void schema_all_of(JsonBuilder *json, const char *format, ...) {
  va_list args;
  va_start(args, format);
  jsonout_begin_array(json, "allOf");
  add_ref(json, format, args);
  json_builder_end_array(json);
  va_end(args);
}

/* ---- settings -------------------------------------------------------------------------------- */

static void add_map(JsonBuilder *json, const SettingsMap *map) {
  jsonout_begin_object(json, map->key);
  jsonout_text(json, "description", map->doc);
  jsonout_text(json, "type", "object");
  json_builder_set_member_name(json, "additionalProperties");
  schema_ref(json, "#/definitions/type.text");
  json_builder_end_object(json);
}

/* settings, settings.clip, settings.data.transform, ... */
static void add_settings(JsonBuilder *json, const SettingsTable *table) {
  g_autofree char *name =
      g_strdup_printf("settings%s%s", *table->section ? "." : "", table->section);
  jsonout_begin_object(json, name);
  jsonout_text(json, "description", table->doc);
  jsonout_text(json, "type", "object");
  jsonout_begin_object(json, "properties");
  schema_rows(json, table->params, table->count, sizeof *table->params);
  for (const SettingsMap *map = settings_maps; map->section; map++)
    if (strcmp(map->section, table->section) == 0) add_map(json, map);
  json_builder_end_object(json);
  jsonout_flag(json, "additionalProperties", FALSE);
  json_builder_end_object(json);
}

/* ---- keys at the top ------------------------------------------------------------------------- */

static void add_section_key(JsonBuilder *json, const Section *section) {
  json_builder_begin_object(json);
  jsonout_text(json, "description", section->doc);
  if (section->kind != AB_KIND_MODEL) schema_all_of(json, "#/definitions/section.%s", section->key);
  json_builder_end_object(json);
}

static void add_top_keys(JsonBuilder *json) {
  g_autofree const char **names = section_names();
  for (guint i = 0; names[i]; i++) {
    const Section *section = section_of_key(names[i]);
    json_builder_set_member_name(json, names[i]);
    if (section)
      add_section_key(json, section);
    else if (settings_table(names[i]))
      schema_ref(json, "#/definitions/settings.%s", names[i]);
    else
      schema_ref(json, "#/definitions/settings/properties/%s", names[i]);
  }
}

/* ---- the problem ----------------------------------------------------------------------------- */

/* Keys that have no meaning for a problem (bind_source). */
static void add_refused(JsonBuilder *json, AbRole role) {
  static const char *const of_data[] = {"data", "noise", "validation", NULL};
  static const char *const of_environment[] = {"environment", NULL};
  for (const char *const *key = role == AB_ROLE_ACT ? of_data : of_environment; *key; key++)
    jsonout_flag(json, *key, FALSE);
}

static void add_problem(JsonBuilder *json, AbRole role) {
  g_autofree char *name = g_strdup_printf("problem.%s", ab_role_name(role));
  jsonout_begin_object(json, name);
  jsonout_begin_object(json, "properties");
  json_builder_set_member_name(json, "model");
  schema_ref(json, "#/definitions/any.model.%s", ab_role_name(role));
  add_refused(json, role);
  json_builder_end_object(json);
  json_builder_end_object(json);
}

/* "if": the problem is this one. */
static void add_condition(JsonBuilder *json, AbRole role) {
  jsonout_begin_object(json, "if");
  schema_strings(json, "required", "problem", NULL);
  jsonout_begin_object(json, "properties");
  jsonout_begin_object(json, "problem");
  jsonout_text(json, "const", ab_role_name(role));
  json_builder_end_object(json);
  json_builder_end_object(json);
  json_builder_end_object(json);
}

/* For the mapping that says which problem it is. */
static void add_problems(JsonBuilder *json) {
  jsonout_begin_object(json, "problems");
  jsonout_begin_array(json, "allOf");
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++) {
    json_builder_begin_object(json);
    add_condition(json, role);
    json_builder_set_member_name(json, "then");
    schema_ref(json, "#/definitions/problem.%s", ab_role_name(role));
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  json_builder_end_object(json);
}

/* ---- candidates ------------------------------------------------------------------------------ */

static void add_candidate(JsonBuilder *json) {
  g_autofree const char **names = section_names();
  jsonout_begin_object(json, "candidate");
  jsonout_text(json, "description",
               "What differs: each key takes the place of the manifest's, as a whole.");
  jsonout_text(json, "type", "object");
  jsonout_begin_object(json, "properties");
  for (guint i = 0; names[i]; i++) {
    json_builder_set_member_name(json, names[i]);
    schema_ref(json, "#/properties/%s", names[i]);
  }
  json_builder_end_object(json);
  jsonout_flag(json, "additionalProperties", FALSE);
  schema_all_of(json, "#/definitions/problems");
  json_builder_end_object(json);
}

static void add_candidates_key(JsonBuilder *json) {
  jsonout_begin_object(json, "candidates");
  jsonout_text(json, "description",
               "What else may answer, by name: `abhost run --candidate NAME`, `abhost compare`.");
  jsonout_text(json, "type", "object");
  json_builder_set_member_name(json, "additionalProperties");
  schema_ref(json, "#/definitions/candidate");
  json_builder_end_object(json);
}

/* Candidates without a problem of their own have that of the manifest. */
static void add_inherited(JsonBuilder *json, AbRole role) {
  json_builder_begin_object(json);
  add_condition(json, role);
  jsonout_begin_object(json, "then");
  jsonout_begin_object(json, "properties");
  jsonout_begin_object(json, "candidates");
  jsonout_begin_object(json, "additionalProperties");
  jsonout_begin_object(json, "if");
  jsonout_begin_object(json, "not");
  schema_strings(json, "required", "problem", NULL);
  json_builder_end_object(json);
  json_builder_end_object(json);
  json_builder_set_member_name(json, "then");
  schema_ref(json, "#/definitions/problem.%s", ab_role_name(role));
  for (guint depth = 0; depth < 5; depth++) json_builder_end_object(json);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A manifest without candidates is whole by itself. */
static void add_whole(JsonBuilder *json) {
  json_builder_begin_object(json);
  jsonout_begin_object(json, "if");
  jsonout_begin_object(json, "not");
  schema_strings(json, "required", "candidates", NULL);
  json_builder_end_object(json);
  json_builder_end_object(json);
  jsonout_begin_object(json, "then");
  schema_strings(json, "required", "model", NULL);
  add_condition(json, AB_ROLE_ACT);
  jsonout_begin_object(json, "then");
  schema_strings(json, "required", "environment", NULL);
  json_builder_end_object(json);
  jsonout_begin_object(json, "else");
  schema_strings(json, "required", "data", NULL);
  json_builder_end_object(json);
  json_builder_end_object(json);
  json_builder_end_object(json);
}

static void add_rules(JsonBuilder *json) {
  jsonout_begin_array(json, "allOf");
  schema_ref(json, "#/definitions/problems");
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++) add_inherited(json, role);
  add_whole(json);
  json_builder_end_array(json);
}

static void add_definitions(JsonBuilder *json, const Registry *registry) {
  jsonout_begin_object(json, "definitions");
  schema_types(json);
  for (const SettingsTable *table = settings_tables; table->section; table++)
    add_settings(json, table);
  add_problems(json);
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++) add_problem(json, role);
  add_candidate(json);
  schema_sections(json, registry);
  schema_components(json, registry);
  json_builder_end_object(json);
}

char *schema_json(const Registry *registry) {
  settings_fill();
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_text(json, "$schema", "http://json-schema.org/draft-07/schema#");
  jsonout_text(json, "title", "Manifest of abhost");
  jsonout_text(json, "description",
               "A problem and what answers it. Made by `abhost schema` from the components that "
               "are installed.");
  jsonout_text(json, "type", "object");
  jsonout_begin_object(json, "properties");
  add_top_keys(json);
  add_candidates_key(json);
  json_builder_end_object(json);
  schema_strings(json, "required", "problem", NULL);
  jsonout_flag(json, "additionalProperties", FALSE);
  add_rules(json);
  add_definitions(json, registry);
  json_builder_end_object(json);
  return jsonout_finish(json);
}
