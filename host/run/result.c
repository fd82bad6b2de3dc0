/* SPDX-License-Identifier: Apache-2.0
 *
 * How a run ended. */
#include "result.h"

#include "../assembly/describe.h"
#include "../jsonin.h"
#include "../jsonout.h"
#include "metrics.h"
#include "record.h"
#include "usage.h"

/* ---- the hash of all batches ----------------------------------------------------------------- */

char *result_batches(const char *folder, gint64 epochs) {
  g_autoptr(GPtrArray) lines = metrics_epochs(folder, NULL);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  gint64 count = 0;
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *line = json_node_get_object(lines->pdata[i]);
    const char *hash = jsonin_text(line, "batches");
    if (!hash || jsonin_int(line, "epoch", 0) != count + 1) continue;
    g_checksum_update(checksum, (const guchar *)hash, -1);
    count++;
  }
  return count >= epochs ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}

/* ---- the object ------------------------------------------------------------------------------ */

static void add_end(JsonBuilder *json, const Run *run, const GError *cause) {
  jsonout_text(json, "status", !cause ? "done" : run->diverged ? "diverged" : "failed");
  jsonout_text(json, "reason", cause ? cause->message : NULL);
}

static void add_setting(JsonBuilder *json, const Assembly *assembly) {
  const Settings *settings = assembly->settings;
  jsonout_text(json, "problem", ab_role_name(assembly->role));
  jsonout_text(json, "model", assembly->model->component->name);
  jsonout_int(json, "seed", settings->general.seed);
  jsonout_text(json, "device", settings_device(settings));
  jsonout_text(json, "precision", ab_dtype_name(settings_precision(settings)));
  jsonout_int(json, "threads", ab_threads());
}

static void add_progress(JsonBuilder *json, const Run *run) {
  jsonout_int(json, "epochs", run->state->epoch);
  jsonout_int(json, "steps", run->state->step);
  jsonout_text(json, "stopped_by", run->stopped_by);
}

static void add_costs(JsonBuilder *json, const Run *run) {
  jsonout_int(json, "parameters", describe_parameters(run->assembly));
  jsonout_int(json, "multiply_adds", run->multiply_adds);
  jsonout_real(json, "seconds", run->state->seconds);
  jsonout_real(json, "cpu_seconds", run->state->cpu_seconds);
  jsonout_int(json, "peak_memory_bytes", MAX(run->state->peak_memory, usage_peak_memory()));
}

static void add_batches(JsonBuilder *json, const Run *run) {
  g_autofree char *hash =
      run->assembly->environment ? NULL : result_batches(run->folder->path, run->state->epoch);
  jsonout_text(json, "batches", hash);
}

static void add_results(JsonBuilder *json, const Run *run) {
  jsonout_begin_array(json, "metrics");
  for (guint i = 0; i < run->assembly->metrics->len; i++) {
    const NamedMetric *metric = run->assembly->metrics->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "name", metric->name);
    jsonout_flag(json, "higher_is_better", ab_metric_higher_is_better(metric->metric));
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  jsonout_begin_object(json, "results");
  record_splits(json, run->results);
  json_builder_end_object(json);
}

static char *result_text(const Run *run, const GError *cause) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_int(json, "format", 1);
  jsonout_text(json, "program", "abhost " ABSDK_VERSION);
  add_end(json, run, cause);
  add_setting(json, run->assembly);
  add_progress(json, run);
  add_costs(json, run);
  add_batches(json, run);
  add_results(json, run);
  json_builder_end_object(json);
  return jsonout_finish(json);
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
