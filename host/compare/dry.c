/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying a candidate: does it offer the role, does it fit, how large is it?                      */
#include "compare-internal.h"

#include "../assembly/describe.h"
#include "../child.h"
#include "../jsonin.h"
#include "../jsonout.h"
#include "../manifest/manifest.h"

/* ---- in the child ---------------------------------------------------------------------------- */

static void add_measures(JsonBuilder *json, const Assembly *assembly) {
  jsonout_begin_array(json, "metrics");
  for (guint i = 0; i < assembly->metrics->len; i++) {
    const NamedMetric *metric = assembly->metrics->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "name", metric->name);
    jsonout_int(json, "higher", ab_metric_higher_is_better(metric->metric));
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

/* An environment is evaluated for every split. */
static gboolean has_split(const Assembly *assembly, AbSplit split) {
  return assembly->environment || feed_samples(assembly->feed, split) > 0;
}

static void describe(JsonBuilder *json, Assembly *assembly) {
  const Settings *settings = assembly->settings;
  jsonout_text(json, "problem", ab_role_name(assembly->role));
  jsonout_text(json, "model", assembly->model->component->name);
  jsonout_int(json, "parameters", describe_parameters(assembly));
  jsonout_int(json, "multiply_adds", ab_model_multiply_adds(assembly->model));
  jsonout_int(json, "batch", assembly->environment ? 1 : settings->feed.batch);
  jsonout_int(json, "epochs", settings->general.epochs);
  jsonout_int(json, "test", has_split(assembly, AB_TEST));
  jsonout_int(json, "validation", has_split(assembly, AB_VALIDATION));
  add_measures(json, assembly);
  node_put(assembly->resolved, "seed", node_scalar("0"));
  g_autofree char *resolved = node_emit(assembly->resolved);
  jsonout_text(json, "resolved", resolved);
}

static Assembly *assemble(const Plan *plan, const Registry *registry, const Candidate *candidate,
                          GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  g_auto(GStrv) sets = candidate_sets(plan, candidate);
  ManifestRequest request = {plan->manifest, candidate->candidate, (const char *const *)sets, NULL};
  g_autoptr(Node) root = manifest_read(&request, diagnostics);
  g_autoptr(Assembly) assembly = NULL;
  if (root)
    assembly = assembly_new(registry, root, TRUE, diagnostics, error);
  else
    diagnostics_check(diagnostics, error);
  diagnostics_free(diagnostics);
  if (!assembly || !assembly_build(assembly, error)) return NULL;
  return g_steal_pointer(&assembly);
}

typedef struct {
  const Plan *plan;
  const Registry *registry;
  const Candidate *candidate;
} Question;

static char *answer(gpointer data) {
  const Question *question = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(Assembly) assembly =
      assemble(question->plan, question->registry, question->candidate, &error);
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  if (assembly) {
    describe(json, assembly);
  } else {
    jsonout_int(json, "code", error->code);
    jsonout_text(json, "refusal", error->message);
  }
  json_builder_end_object(json);
  return jsonout_line(json);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void take_measures(Candidate *candidate, JsonArray *measures) {
  for (guint i = 0; i < json_array_get_length(measures); i++) {
    JsonObject *object = json_array_get_object_element(measures, i);
    Measure *measure = g_new0(Measure, 1);
    measure->name = g_strdup(json_object_get_string_member(object, "name"));
    measure->higher = json_object_get_int_member(object, "higher") != 0;
    g_ptr_array_add(candidate->measures, measure);
  }
}

static void take(Candidate *candidate, JsonObject *object) {
  if (json_object_has_member(object, "refusal")) {
    candidate->refusal = g_strdup(json_object_get_string_member(object, "refusal"));
    candidate->code = (AbCode)json_object_get_int_member(object, "code");
    return;
  }
  candidate->problem = g_strdup(json_object_get_string_member(object, "problem"));
  candidate->model = g_strdup(json_object_get_string_member(object, "model"));
  candidate->resolved = g_strdup(json_object_get_string_member(object, "resolved"));
  candidate->parameters = json_object_get_int_member(object, "parameters");
  candidate->multiply_adds = json_object_get_int_member(object, "multiply_adds");
  candidate->batch = json_object_get_int_member(object, "batch");
  candidate->epochs = json_object_get_int_member(object, "epochs");
  candidate->test = json_object_get_int_member(object, "test") != 0;
  candidate->validation = json_object_get_int_member(object, "validation") != 0;
  take_measures(candidate, json_object_get_array_member(object, "metrics"));
}

gboolean dry_run(const Plan *plan, const Registry *registry, Candidate *candidate, GError **error) {
  Question question = {plan, registry, candidate};
  g_autofree char *text = NULL, *crash = NULL;
  if (!child_ask(answer, &question, &text, &crash, error)) {
    g_prefix_error(error, "%s was not tried: ", candidate->name);
    return FALSE;
  }
  if (!text) {
    candidate->crashed = TRUE;
    candidate->code = AB_INTERNAL;
    candidate->refusal = g_strdup_printf("%s while it was built", crash);
    return TRUE;
  }
  g_autoptr(JsonNode) node = jsonin_object(candidate->name, text, -1, error);
  if (node) take(candidate, json_node_get_object(node));
  return node != NULL;
}
