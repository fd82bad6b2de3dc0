/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of parameters in JSON Schema. */
#include "schema-internal.h"

#include "../manifest/param.h"
#include "../registry/component-json.h"
#include <math.h>

/* ---- types ----------------------------------------------------------------------------------- */

/* As node_read_int and node_read_real read them: no leading 0, single underscores between digits.
 */
#define DIGITS   "[0-9]+(_[0-9]+)*"
#define WHOLE    "(0|[1-9][0-9]*(_[0-9]+)*)"
#define INTEGER  "^[-+]?" WHOLE "([eE][+]?" DIGITS ")?$"
#define NUMBER   "[-+]?(" WHOLE "([.](" DIGITS ")?)?|[.]" DIGITS ")([eE][-+]?" DIGITS ")?"
#define INFINITE "[-+]?[.]?inf"

/* Types in the language of JSON, and what a text must look like to be read as one. A text may be
 * written without quotes, and is then anything else to YAML. */
static const struct {
  const char *name, *types[5], *pattern, *message;
} types[] = {
    {"integer", {"integer", "string"}, INTEGER, "an integer, such as 64 or 1e3"},
    {"number", {"number", "string"}, "^" NUMBER "$", "a number, such as 0.1 or 1e-4"},
    {"any-number",
     {"number", "string"},
     "^(" NUMBER "|" INFINITE ")$",
     "a number, such as 0.1, 1e-4 or .inf"},
    {"boolean", {"boolean", "string"}, "^(true|false)$", "true or false"},
    {"text", {"string", "number", "boolean"}, NULL, NULL},
    {"optional-text", {"string", "number", "boolean", "null"}, NULL, NULL},
    {"path", {"string", "number", "boolean"}, ".", "a path"},
    {"optional-path", {"string", "number", "boolean", "null"}, ".", "a path"},
};

void schema_types(JsonBuilder *json) {
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree char *name = g_strdup_printf("type.%s", types[i].name);
    jsonout_begin_object(json, name);
    jsonout_begin_array(json, "type");
    for (guint j = 0; types[i].types[j]; j++)
      json_builder_add_string_value(json, types[i].types[j]);
    json_builder_end_array(json);
    if (types[i].pattern) {
      jsonout_text(json, "pattern", types[i].pattern);
      jsonout_text(json, "patternErrorMessage", types[i].message);
    }
    json_builder_end_object(json);
  }
}

/* The type of the row, or of each item of it. */
static const char *type_of(const AbParam *row) {
  gboolean absent = !row->text_default && !(row->flags & AB_PARAM_REQUIRED);
  if (param_is_whole(row->type)) return "integer";
  if (param_is_real(row->type))
    return isfinite(row->real_min) && isfinite(row->real_max) ? "number" : "any-number";
  if (row->type == AB_TYPE_BOOL) return "boolean";
  if (row->type == AB_TYPE_PATH) return absent ? "optional-path" : "path";
  return row->type == AB_TYPE_TEXT && absent ? "optional-text" : "text";
}

/* ---- values ---------------------------------------------------------------------------------- */

static void add_bounds(JsonBuilder *json, const AbParam *row) {
  gboolean whole = param_is_whole(row->type), real = param_is_real(row->type);
  if (whole && row->int_min != G_MININT64) {
    jsonout_int(json, "minimum", row->int_min);
  }
  if (whole && row->int_max != G_MAXINT64) {
    jsonout_int(json, "maximum", row->int_max);
  }
  if (real && isfinite(row->real_min)) jsonout_real(json, "minimum", row->real_min);
  if (real && isfinite(row->real_max)) jsonout_real(json, "maximum", row->real_max);
}

/* A choice without quotes may be no text to YAML: 2, true, null. */
static void add_choice(JsonBuilder *json, const char *choice) {
  g_autoptr(Node) node = node_scalar(choice);
  gint64 whole;
  double real;
  gboolean truth;
  json_builder_add_string_value(json, choice);
  if (node_read_int(node, &whole, NULL))
    json_builder_add_int_value(json, whole);
  else if (node_read_real(node, TRUE, &real, NULL))
    json_builder_add_double_value(json, real);
  else if (node_read_bool(node, &truth, NULL))
    json_builder_add_boolean_value(json, truth);
  else if (param_is_null(node))
    json_builder_add_null_value(json);
}

static void add_choices(JsonBuilder *json, const AbParam *row) {
  jsonout_begin_array(json, "enum");
  for (guint i = 0; row->choices[i]; i++) add_choice(json, row->choices[i]);
  json_builder_end_array(json);
}

static void add_record(JsonBuilder *json, const AbParam *row, guint stride) {
  jsonout_text(json, "type", "object");
  jsonout_begin_object(json, "properties");
  schema_rows(json, row->record, row->record_count, stride);
  json_builder_end_object(json);
  jsonout_begin_array(json, "required");
  schema_required_rows(json, row->record, row->record_count, stride);
  json_builder_end_array(json);
  jsonout_flag(json, "additionalProperties", FALSE);
}

static void add_scalar(JsonBuilder *json, const AbParam *row) {
  schema_all_of(json, "#/definitions/type.%s", type_of(row));
  add_bounds(json, row);
}

static void add_value(JsonBuilder *json, const AbParam *row, guint stride) {
  if (row->type == AB_TYPE_CHOICE) {
    add_choices(json, row);
  } else if (!param_is_list(row->type)) {
    add_scalar(json, row);
  } else {
    jsonout_text(json, "type", "array");
    jsonout_begin_object(json, "items");
    if (row->type == AB_TYPE_RECORDS)
      add_record(json, row, stride);
    else
      add_scalar(json, row);
    json_builder_end_object(json);
  }
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void add_words(JsonBuilder *json, const AbParam *row) {
  g_autofree char *summary = param_summary(row);
  g_autofree char *text =
      g_strdup_printf("%s%s(%s; since %s)", row->doc, *row->doc ? " " : "", summary, row->since);
  jsonout_text(json, "description", text);
}

static gboolean has_default(const AbParam *row) {
  gboolean textual = row->type == AB_TYPE_TEXT || row->type == AB_TYPE_PATH;
  if (row->flags & (AB_PARAM_REQUIRED | PARAM_OFF)) return FALSE;
  return !textual || row->text_default;
}

void schema_rows(JsonBuilder *json, const AbParam *params, guint count, guint stride) {
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    jsonout_begin_object(json, row->key);
    add_words(json, row);
    if (has_default(row)) {
      json_builder_set_member_name(json, "default");
      component_json_default(json, row, stride);
    }
    add_value(json, row, stride);
    json_builder_end_object(json);
  }
}

void schema_required_rows(JsonBuilder *json, const AbParam *params, guint count, guint stride) {
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    if (row->flags & AB_PARAM_REQUIRED) json_builder_add_string_value(json, row->key);
  }
}
