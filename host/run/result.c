/* SPDX-License-Identifier: Apache-2.0
 *
 * How a run ended. */
#include "result.h"

#include "../assembly/describe.h"
#include "../json.h"
#include "record.h"
#include "usage.h"

/* ---- the hash of all batches ----------------------------------------------------------------- */

/* The hash in the line of epoch `number`; NULL if it is another line, or has none. */
static const char *hash_of(JsonNode *line, gint64 number) {
  if (!line || !JSON_NODE_HOLDS_OBJECT(line)) return NULL;
  JsonObject *object = json_node_get_object(line);
  const char *event = json_object_get_string_member_with_default(object, "event", NULL);
  if (g_strcmp0(event, "epoch") != 0 ||
      json_object_get_int_member_with_default(object, "epoch", 0) != number)
    return NULL;
  return json_object_get_string_member_with_default(object, "batches", NULL);
}

char *result_batches(const char *metrics, gint64 epochs) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(metrics, &text, NULL, NULL)) return NULL;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  gint64 count = 0;
  for (guint i = 0; lines[i]; i++) {
    g_autoptr(JsonNode) line = json_from_string(lines[i], NULL);
    const char *hash = hash_of(line, count + 1);
    if (!hash) continue;
    g_checksum_update(checksum, (const guchar *)hash, -1);
    count++;
  }
  return count >= epochs ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}

/* ---- the object ------------------------------------------------------------------------------ */

static void add_end(JsonBuilder *json, const Run *run, const GError *cause) {
  record_text(json, "status", !cause ? "done" : run->diverged ? "diverged" : "failed");
  record_text(json, "reason", cause ? cause->message : NULL);
}

static void add_setting(JsonBuilder *json, const Assembly *assembly) {
  const Settings *settings = assembly->settings;
  record_text(json, "problem", ab_role_name(assembly->role));
  record_text(json, "model", assembly->model->component->name);
  record_count(json, "seed", settings->general.seed);
  record_text(json, "device", settings_device(settings));
  record_text(json, "precision", ab_dtype_name(settings_precision(settings)));
  record_count(json, "threads", ab_threads());
}

static void add_progress(JsonBuilder *json, const Run *run) {
  record_count(json, "epochs", run->state->epoch);
  record_count(json, "steps", run->state->step);
  record_text(json, "stopped_by", run->stopped_by);
}

static void add_costs(JsonBuilder *json, const Run *run) {
  record_count(json, "parameters", describe_parameters(run->assembly));
  record_count(json, "multiply_adds", run->multiply_adds);
  record_number(json, "seconds", run->state->seconds);
  record_number(json, "cpu_seconds", run->state->cpu_seconds);
  record_count(json, "peak_memory_bytes", MAX(run->state->peak_memory, usage_peak_memory()));
}

static void add_batches(JsonBuilder *json, const Run *run) {
  g_autofree char *path = g_build_filename(run->folder->path, "metrics.jsonl", NULL);
  g_autofree char *hash =
      run->assembly->environment ? NULL : result_batches(path, run->state->epoch);
  record_text(json, "batches", hash);
}

static void add_results(JsonBuilder *json, const Run *run) {
  json_builder_set_member_name(json, "metrics");
  json_builder_begin_array(json);
  for (guint i = 0; i < run->assembly->metrics->len; i++) {
    const NamedMetric *metric = run->assembly->metrics->pdata[i];
    json_builder_begin_object(json);
    record_text(json, "name", metric->name);
    json_builder_set_member_name(json, "higher_is_better");
    json_builder_add_boolean_value(json, ab_metric_higher_is_better(metric->metric));
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  json_builder_set_member_name(json, "results");
  json_builder_begin_object(json);
  record_splits(json, run->results);
  json_builder_end_object(json);
}

static char *result_text(const Run *run, const GError *cause) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  record_count(json, "format", 1);
  record_text(json, "program", "abhost " ABSDK_VERSION);
  add_end(json, run, cause);
  add_setting(json, run->assembly);
  add_progress(json, run);
  add_costs(json, run);
  add_batches(json, run);
  add_results(json, run);
  json_builder_end_object(json);
  g_autoptr(JsonNode) root = json_builder_get_root(json);
  g_autofree char *body = json_text(root, TRUE);
  return g_strconcat(body, "\n", NULL);
}

gboolean result_write(const Run *run, const GError *cause, GError **error) {
  g_autofree char *text = result_text(run, cause);
  g_autofree char *path = g_build_filename(run->folder->path, "result.json", NULL);
  g_autoptr(GError) why = NULL;
  return g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0666, &why) ||
         host_fail(error, AB_IO, "%s cannot be written: %s", path, why->message);
}
