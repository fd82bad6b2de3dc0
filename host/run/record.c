/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as JSON. */
#include "record.h"

#include "../jsonout.h"
#include <string.h>

static void add_split(JsonBuilder *builder, const GPtrArray *results, const char *split) {
  jsonout_begin_object(builder, split);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, split) == 0) jsonout_real(builder, result->name, result->value);
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
  jsonout_text(builder, "event", event);
  jsonout_int(builder, "epoch", epoch);
  jsonout_int(builder, "step", state->step);
  jsonout_real(builder, "seconds", state->seconds);
  return builder;
}

char *record_epoch(const RunState *state, const EpochRecord *epoch, const GPtrArray *results) {
  g_autoptr(JsonBuilder) builder = begin("epoch", epoch->epoch, state);
  if (epoch->consumed > 0) jsonout_int(builder, "consumed", epoch->consumed);
  jsonout_text(builder, "batches", epoch->batches);
  record_splits(builder, results);
  json_builder_end_object(builder);
  return jsonout_line(builder);
}

char *record_end(const RunState *state, const GPtrArray *results) {
  g_autoptr(JsonBuilder) builder = begin("end", state->epoch, state);
  record_splits(builder, results);
  json_builder_end_object(builder);
  return jsonout_line(builder);
}

char *record_run(const RunState *state, const GPtrArray *results, const char *folder,
                 const char *model) {
  g_autoptr(JsonBuilder) builder = begin("end", state->epoch, state);
  jsonout_text(builder, "run", folder);
  jsonout_text(builder, "model", model);
  record_splits(builder, results);
  json_builder_end_object(builder);
  return jsonout_finish(builder);
}
