/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.json: docs/comparing.md says what its keys are. */
#include "compare-internal.h"

#include "../json.h"
#include <math.h>
#include <string.h>

static void add_text(JsonBuilder *json, const char *name, const char *text) {
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
  json_builder_set_member_name(json, name);
  if (valid)
    json_builder_add_string_value(json, valid);
  else
    json_builder_add_null_value(json);
}

static void add_real(JsonBuilder *json, const char *name, double value) {
  json_builder_set_member_name(json, name);
  if (isfinite(value))
    json_builder_add_double_value(json, value);
  else
    json_builder_add_null_value(json);
}

/* What is negative is not known. */
static void add_count(JsonBuilder *json, const char *name, gint64 value) {
  json_builder_set_member_name(json, name);
  if (value >= 0)
    json_builder_add_int_value(json, value);
  else
    json_builder_add_null_value(json);
}

static void add_bool(JsonBuilder *json, const char *name, gboolean value) {
  json_builder_set_member_name(json, name);
  json_builder_add_boolean_value(json, value);
}

static void begin_object(JsonBuilder *json, const char *name) {
  if (name) json_builder_set_member_name(json, name);
  json_builder_begin_object(json);
}

static void begin_array(JsonBuilder *json, const char *name) {
  json_builder_set_member_name(json, name);
  json_builder_begin_array(json);
}

/* ---- a run ----------------------------------------------------------------------------------- */

static gboolean has_split(const GPtrArray *results, const char *split) {
  for (guint i = 0; i < results->len; i++)
    if (strcmp(((const Result *)results->pdata[i])->split, split) == 0) return TRUE;
  return FALSE;
}

static void add_results(JsonBuilder *json, const GPtrArray *results) {
  begin_object(json, "results");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    const char *name = ab_split_name(split);
    if (!has_split(results, name)) continue;
    begin_object(json, name);
    for (guint i = 0; i < results->len; i++) {
      const Result *result = results->pdata[i];
      if (strcmp(result->split, name) == 0) add_real(json, result->name, result->value);
    }
    json_builder_end_object(json);
  }
  json_builder_end_object(json);
}

static void add_run(JsonBuilder *json, const Comparison *self, const Trial *trial) {
  g_autofree char *folder = g_build_filename("runs", trial->name, NULL);
  begin_object(json, NULL);
  add_count(json, "seed", trial->seed);
  add_text(json, "folder", folder);
  add_text(json, "status", trial_status_name(trial->status));
  add_text(json, "reason", trial->reason);
  add_count(json, "epochs", trial->epochs);
  add_count(json, "steps", trial->steps);
  add_text(json, "stopped_by", trial->stopped_by);
  add_results(json, trial->results);
  add_real(json, "seconds", trial->seconds);
  add_real(json, "cpu_seconds", trial->cpu);
  add_count(json, "peak_memory_bytes", trial->peak);
  add_text(json, "batches", trial->batches);
  add_count(json, "rung", self->rungs > 0 ? trial->candidate->rung : -1);
  json_builder_end_object(json);
}

/* ---- a candidate ----------------------------------------------------------------------------- */

static void add_summary(JsonBuilder *json, const Summary *summary) {
  begin_object(json, summary->metric);
  add_count(json, "n", summary->spread.n);
  add_real(json, "mean", summary->spread.mean);
  add_real(json, "sd", summary->spread.sd);
  add_real(json, "low", summary->spread.low);
  add_real(json, "high", summary->spread.high);
  add_bool(json, "best", summary->best);
  add_real(json, "p", summary->p);
  add_real(json, "p_adjusted", summary->adjusted);
  add_bool(json, "constant_difference", summary->constant);
  json_builder_end_object(json);
}

/* Splits that some run has. */
static void add_summaries(JsonBuilder *json, const Candidate *candidate) {
  begin_object(json, "summary");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    gboolean any = FALSE;
    for (guint i = 0; i < candidate->summaries->len; i++) {
      const Summary *summary = candidate->summaries->pdata[i];
      if (strcmp(summary->split, ab_split_name(split)) != 0 || summary->spread.n == 0) continue;
      if (!any) begin_object(json, summary->split);
      any = TRUE;
      add_summary(json, summary);
    }
    if (any) json_builder_end_object(json);
  }
  json_builder_end_object(json);
}

static void add_cost(JsonBuilder *json, const char *name, Spread spread) {
  begin_object(json, name);
  add_real(json, "mean", spread.mean);
  add_real(json, "sd", spread.sd);
  json_builder_end_object(json);
}

static void add_candidate(JsonBuilder *json, const Comparison *self, const Candidate *candidate) {
  begin_object(json, NULL);
  add_text(json, "name", candidate->name);
  add_text(json, "model", candidate->model);
  begin_array(json, "sets");
  for (guint i = 0; candidate->sets[i]; i++) {
    g_autofree char *valid = g_utf8_make_valid(candidate->sets[i], -1);
    json_builder_add_string_value(json, valid);
  }
  json_builder_end_array(json);
  add_count(json, "parameters", candidate->parameters);
  add_count(json, "multiply_adds", candidate->multiply_adds);
  begin_array(json, "runs");
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
  json_builder_set_member_name(json, "budget");
  if (plan->budget == BUDGET_NONE) {
    json_builder_add_null_value(json);
    return;
  }
  json_builder_begin_object(json);
  add_text(json, "kind", budget_names[plan->budget]);
  if (plan->budget == BUDGET_SECONDS)
    add_real(json, "value", plan->limit);
  else
    add_count(json, "value", (gint64)plan->limit);
  json_builder_end_object(json);
}

static void add_plan(JsonBuilder *json, const Comparison *self) {
  add_count(json, "format", 1);
  add_text(json, "program", "abhost " ABSDK_VERSION);
  add_text(json, "manifest", self->plan->manifest);
  add_text(json, "problem", self->problem);
  begin_array(json, "seeds");
  for (guint i = 0; i < self->plan->seeds->len; i++)
    json_builder_add_int_value(json, g_array_index(self->plan->seeds, gint64, i));
  json_builder_end_array(json);
  add_budget(json, self->plan);
  add_count(json, "rungs", self->rungs > 0 ? self->rungs : -1);
}

static void add_measures(JsonBuilder *json, const Comparison *self) {
  begin_array(json, "metrics");
  for (guint i = 0; i < self->measures->len; i++) {
    const Measure *measure = self->measures->pdata[i];
    begin_object(json, NULL);
    add_text(json, "name", measure->name);
    add_bool(json, "higher_is_better", measure->higher);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
  add_text(json, "split", self->split);
}

char *compare_json(const Comparison *self) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  add_plan(json, self);
  add_bool(json, "identical_batches", self->odd->len == 0);
  begin_array(json, "other_batches");
  for (guint i = 0; i < self->odd->len; i++) {
    g_autofree char *valid = g_utf8_make_valid(self->odd->pdata[i], -1);
    json_builder_add_string_value(json, valid);
  }
  json_builder_end_array(json);
  add_measures(json, self);
  begin_array(json, "candidates");
  for (guint i = 0; i < self->candidates->len; i++)
    add_candidate(json, self, self->candidates->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
  g_autoptr(JsonNode) root = json_builder_get_root(json);
  g_autofree char *text = json_text(root, TRUE);
  return g_strconcat(text, "\n", NULL);
}
