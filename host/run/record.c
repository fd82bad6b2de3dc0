/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as JSON. */
#include "record.h"

#include "../json.h"
#include <math.h>
#include <string.h>

void record_number(JsonBuilder *builder, const char *name, double value) {
  json_builder_set_member_name(builder, name);
  if (isfinite(value))
    json_builder_add_double_value(builder, value);
  else
    json_builder_add_null_value(builder);
}

void record_count(JsonBuilder *builder, const char *name, gint64 value) {
  json_builder_set_member_name(builder, name);
  json_builder_add_int_value(builder, value);
}

void record_text(JsonBuilder *builder, const char *name, const char *text) {
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL; /* JSON knows no others */
  json_builder_set_member_name(builder, name);
  if (valid)
    json_builder_add_string_value(builder, valid);
  else
    json_builder_add_null_value(builder);
}

static void add_split(JsonBuilder *builder, const GPtrArray *results, const char *split) {
  json_builder_set_member_name(builder, split);
  json_builder_begin_object(builder);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, split) == 0) record_number(builder, result->name, result->value);
  }
  json_builder_end_object(builder);
}

void record_splits(JsonBuilder *builder, const GPtrArray *results) {
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (g_hash_table_add(seen, result->split)) add_split(builder, results, result->split);
  }
  g_hash_table_unref(seen);
}

static JsonBuilder *begin(const char *event, gint64 epoch, const RunState *state) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  record_text(builder, "event", event);
  record_count(builder, "epoch", epoch);
  record_count(builder, "step", state->step);
  record_number(builder, "seconds", state->seconds);
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

char *record_epoch(const RunState *state, const EpochRecord *epoch, const GPtrArray *results) {
  JsonBuilder *builder = begin("epoch", epoch->epoch, state);
  if (epoch->consumed > 0) record_count(builder, "consumed", epoch->consumed);
  record_text(builder, "batches", epoch->batches);
  record_splits(builder, results);
  return end(builder, FALSE);
}

char *record_end(const RunState *state, const GPtrArray *results) {
  JsonBuilder *builder = begin("end", state->epoch, state);
  record_splits(builder, results);
  return end(builder, FALSE);
}

char *record_run(const RunState *state, const GPtrArray *results, const char *folder,
                 const char *model) {
  JsonBuilder *builder = begin("end", state->epoch, state);
  record_text(builder, "run", folder);
  record_text(builder, "model", model);
  record_splits(builder, results);
  return end(builder, TRUE);
}
