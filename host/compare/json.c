/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.json: docs/comparing.md says what its keys are. */
#include "compare-internal.h"

#include "../jsonout.h"
#include <string.h>

/* What is negative is not known. */
static void add_count(JsonBuilder *json, const char *name, gint64 value) {
  jsonout_known(json, name, value, value >= 0);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static gboolean has_split(const GPtrArray *results, const char *split) {
  for (guint i = 0; i < results->len; i++)
    if (strcmp(((const Result *)results->pdata[i])->split, split) == 0) return TRUE;
  return FALSE;
}

static void add_results(JsonBuilder *json, const GPtrArray *results) {
  jsonout_begin_object(json, "results");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    const char *name = ab_split_name(split);
    if (!has_split(results, name)) continue;
    jsonout_begin_object(json, name);
    for (guint i = 0; i < results->len; i++) {
      const Result *result = results->pdata[i];
      if (strcmp(result->split, name) == 0) jsonout_real(json, result->name, result->value);
    }
    json_builder_end_object(json);
  }
  json_builder_end_object(json);
}

static void add_run(JsonBuilder *json, const Comparison *self, const Trial *trial) {
  g_autofree char *folder = g_build_filename("runs", trial->name, NULL);
  jsonout_begin_object(json, NULL);
  add_count(json, "seed", trial->seed);
  jsonout_text(json, "folder", folder);
  jsonout_text(json, "status", trial_status_name(trial->status));
  jsonout_text(json, "reason", trial->reason);
  add_count(json, "epochs", trial->epochs);
  add_count(json, "steps", trial->steps);
  jsonout_text(json, "stopped_by", trial->stopped_by);
  add_results(json, trial->results);
  jsonout_real(json, "seconds", trial->seconds);
  jsonout_real(json, "cpu_seconds", trial->cpu);
  add_count(json, "peak_memory_bytes", trial->peak);
  jsonout_text(json, "batches", trial->batches);
  add_count(json, "rung", self->rungs > 0 ? trial->candidate->rung : -1);
  json_builder_end_object(json);
}

/* ---- a candidate ----------------------------------------------------------------------------- */

static void add_summary(JsonBuilder *json, const Summary *summary) {
  jsonout_begin_object(json, summary->metric);
  add_count(json, "n", summary->spread.n);
  jsonout_real(json, "mean", summary->spread.mean);
  jsonout_real(json, "sd", summary->spread.sd);
  jsonout_real(json, "low", summary->spread.low);
  jsonout_real(json, "high", summary->spread.high);
  jsonout_flag(json, "best", summary->best);
  jsonout_real(json, "p", summary->p);
  jsonout_real(json, "p_adjusted", summary->adjusted);
  jsonout_flag(json, "constant_difference", summary->constant);
  json_builder_end_object(json);
}

/* Splits that some run has. */
static void add_summaries(JsonBuilder *json, const Candidate *candidate) {
  jsonout_begin_object(json, "summary");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    gboolean any = FALSE;
    for (guint i = 0; i < candidate->summaries->len; i++) {
      const Summary *summary = candidate->summaries->pdata[i];
      if (strcmp(summary->split, ab_split_name(split)) != 0 || summary->spread.n == 0) continue;
      if (!any) jsonout_begin_object(json, summary->split);
      any = TRUE;
      add_summary(json, summary);
    }
    if (any) json_builder_end_object(json);
  }
  json_builder_end_object(json);
}

static void add_cost(JsonBuilder *json, const char *name, Spread spread) {
  jsonout_begin_object(json, name);
  jsonout_real(json, "mean", spread.mean);
  jsonout_real(json, "sd", spread.sd);
  json_builder_end_object(json);
}

static void add_candidate(JsonBuilder *json, const Comparison *self, const Candidate *candidate) {
  jsonout_begin_object(json, NULL);
  jsonout_text(json, "name", candidate->name);
  jsonout_text(json, "model", candidate->model);
  jsonout_texts(json, "sets", (const char *const *)candidate->sets);
  add_count(json, "parameters", candidate->parameters);
  add_count(json, "multiply_adds", candidate->multiply_adds);
  jsonout_begin_array(json, "runs");
  for (guint i = 0; i < candidate->trials->len; i++)
    add_run(json, self, candidate->trials->pdata[i]);
  json_builder_end_array(json);
  add_summaries(json, candidate);
  add_cost(json, "seconds", candidate_seconds(candidate));
  add_cost(json, "cpu_seconds", candidate_cpu(candidate));
  add_count(json, "peak_memory_bytes", candidate_peak(candidate));
  json_builder_end_object(json);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void add_budget(JsonBuilder *json, const Plan *plan) {
  if (plan->budget == BUDGET_NONE) {
    jsonout_null(json, "budget");
    return;
  }
  jsonout_begin_object(json, "budget");
  jsonout_text(json, "kind", budget_names[plan->budget]);
  if (plan->budget == BUDGET_SECONDS)
    jsonout_real(json, "value", plan->limit);
  else
    add_count(json, "value", (gint64)plan->limit);
  json_builder_end_object(json);
}

static void add_plan(JsonBuilder *json, const Comparison *self) {
  add_count(json, "format", 1);
  jsonout_text(json, "program", "abhost " ABSDK_VERSION);
  jsonout_text(json, "manifest", self->plan->manifest);
  jsonout_text(json, "problem", self->problem);
  jsonout_begin_array(json, "seeds");
  for (guint i = 0; i < self->plan->seeds->len; i++)
    jsonout_int(json, NULL, g_array_index(self->plan->seeds, gint64, i));
  json_builder_end_array(json);
  add_budget(json, self->plan);
  add_count(json, "rungs", self->rungs > 0 ? self->rungs : -1);
}

static void add_measures(JsonBuilder *json, const Comparison *self) {
  jsonout_begin_array(json, "metrics");
  for (guint i = 0; i < self->measures->len; i++) {
    const Measure *measure = self->measures->pdata[i];
    jsonout_begin_object(json, NULL);
    jsonout_text(json, "name", measure->name);
    jsonout_flag(json, "higher_is_better", measure->higher);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  jsonout_text(json, "split", self->split);
}

char *compare_json(const Comparison *self) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  add_plan(json, self);
  jsonout_flag(json, "identical_batches", self->odd->len == 0);
  jsonout_begin_array(json, "other_batches");
  for (guint i = 0; i < self->odd->len; i++) jsonout_text(json, NULL, self->odd->pdata[i]);
  json_builder_end_array(json);
  add_measures(json, self);
  jsonout_begin_array(json, "candidates");
  for (guint i = 0; i < self->candidates->len; i++)
    add_candidate(json, self, self->candidates->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
  return jsonout_finish(json);
}
