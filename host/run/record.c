/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as JSON. */
#include "record.h"

#include "../json.h"
#include <math.h>
#include <string.h>

static void add_number(JsonBuilder *builder, const char *name, double value) {
  json_builder_set_member_name(builder, name);
  if (isfinite(value))
    json_builder_add_double_value(builder, value);
  else
    json_builder_add_null_value(builder);
}

static void add_split(JsonBuilder *builder, const GPtrArray *results, const char *split) {
  json_builder_set_member_name(builder, split);
  json_builder_begin_object(builder);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, split) == 0) add_number(builder, result->name, result->value);
  }
  json_builder_end_object(builder);
}

static void add_splits(JsonBuilder *builder, const GPtrArray *results) {
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (g_hash_table_add(seen, result->split)) add_split(builder, results, result->split);
  }
  g_hash_table_unref(seen);
}

static JsonBuilder *begin(const char *event, const RunState *state) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "event");
  json_builder_add_string_value(builder, event);
  json_builder_set_member_name(builder, "epoch");
  json_builder_add_int_value(builder, state->epoch);
  json_builder_set_member_name(builder, "step");
  json_builder_add_int_value(builder, state->step);
  add_number(builder, "seconds", state->seconds);
  return builder;
}

static char *end(JsonBuilder *builder, gboolean pretty) {
  json_builder_end_object(builder);
  JsonNode *root = json_builder_get_root(builder);
  char *text = json_text(root, pretty);
  json_node_unref(root);
  g_object_unref(builder);
  return text;
}

char *record_epoch(const RunState *state, const GPtrArray *results) {
  JsonBuilder *builder = begin("epoch", state);
  add_splits(builder, results);
  return end(builder, FALSE);
}

char *record_end(const RunState *state, const GPtrArray *results) {
  JsonBuilder *builder = begin("end", state);
  add_splits(builder, results);
  return end(builder, FALSE);
}

char *record_run(const RunState *state, const GPtrArray *results, const char *folder,
                 const char *model) {
  JsonBuilder *builder = begin("end", state);
  char *valid = g_utf8_make_valid(folder, -1); /* JSON knows no other bytes */
  json_builder_set_member_name(builder, "run");
  json_builder_add_string_value(builder, valid);
  g_free(valid);
  json_builder_set_member_name(builder, "model");
  json_builder_add_string_value(builder, model);
  add_splits(builder, results);
  return end(builder, TRUE);
}
