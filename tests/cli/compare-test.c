/* SPDX-License-Identifier: Apache-2.0
 *
 * See compare-test.h. */
#include "compare-test.h"

#include <math.h>
#include <string.h>

const char compare_manifest[] =
    "problem: classify\n"
    "epochs: 3\n"
    "data: {plugin: spiral, samples: 60, batch: 30}\n"
    "model: {plugin: mlp, units: [8]}\n"
    "optimizer: {plugin: adam, lr: 1e-2}\n"
    "candidates:\n"
    "  wide: {model: {plugin: mlp, units: [32]}}\n"
    "  deep: {model: {plugin: mlp, units: [8, 8]}}\n"
    "  own-batch: {data: {plugin: spiral, samples: 60, batch: 20}}\n"
    "  other-problem: {problem: reconstruct, model: {plugin: rbm, hidden: 4}}\n"
    "  other-role: {model: {plugin: rbm, hidden: 4}}\n"
    "  diverging: {model: {plugin: faulty, fault: nan, after: 7}}\n"
    "  faulty: {model: {plugin: faulty, after: 7}}\n"
    "  unbuildable: {model: {plugin: faulty, fault: build}}\n"
    "  large: {model: {plugin: mlp, units: [2000, 100]}}\n";

JsonNode *compare_read_json(const char *folder) {
  g_autofree char *path = g_build_filename(folder, "compare.json", NULL);
  g_autofree char *text = cli_read(path);
  return cli_json(text);
}

JsonObject *compare_candidate_at(JsonNode *root, guint index) {
  JsonArray *all = json_object_get_array_member(json_node_get_object(root), "candidates");
  g_assert_cmpuint(index, <, json_array_get_length(all));
  return json_array_get_object_element(all, index);
}

JsonObject *compare_run_at(JsonNode *root, guint candidate, guint index) {
  JsonArray *runs = json_object_get_array_member(compare_candidate_at(root, candidate), "runs");
  g_assert_cmpuint(index, <, json_array_get_length(runs));
  return json_array_get_object_element(runs, index);
}

const char *compare_status_at(JsonNode *root, guint candidate, guint index) {
  return json_object_get_string_member(compare_run_at(root, candidate, index), "status");
}

const char *compare_reason_at(JsonNode *root, guint candidate) {
  return json_object_get_string_member(compare_run_at(root, candidate, 0), "reason");
}

double compare_figure_at(JsonNode *root, guint candidate, guint run, const char *split,
                         const char *metric) {
  JsonObject *results =
      json_object_get_object_member(compare_run_at(root, candidate, run), "results");
  return json_object_get_double_member(json_object_get_object_member(results, split), metric);
}

double compare_summary_at(JsonNode *root, guint candidate, const char *split, const char *metric,
                          const char *name) {
  JsonObject *all = json_object_get_object_member(compare_candidate_at(root, candidate), "summary");
  JsonObject *one =
      json_object_get_object_member(json_object_get_object_member(all, split), metric);
  return json_object_get_null_member(one, name) ? NAN : json_object_get_double_member(one, name);
}

void compare_says(const char *text, const char *word) {
  if (!strstr(text, word)) g_error("'%s' is not in:\n%s", word, text);
}

guint compare_starts_of(const char *folder, const char *name) {
  g_autofree char *file = g_strdup_printf("%s/logs/%s.log", folder, name);
  g_autofree char *text = cli_read(file);
  guint count = 0;
  for (const char *at = text; (at = strstr(at, "$ abhost ")); at++) count++;
  return count;
}
void compare_setup(void) {
  cli_remove("runs");
  cli_remove("out");
  cli_write("m.yaml", compare_manifest);
}
