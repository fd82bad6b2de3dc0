/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost compare`: its result, what is reused, equal terms, refusals. */
#include "compare-test.h"

#include <math.h>
#include <string.h>

/* ---- the result ------------------------------------------------------------------------------ */

static void check_row_of_run(const char *csv) {
  g_auto(GStrv) rows = g_strsplit(csv, "\r\n", -1);
  g_auto(GStrv) head = g_strsplit(rows[0], ",", -1);
  g_assert_cmpuint(g_strv_length(rows), ==, 1 + 6 + 1);
  g_assert_true(g_strv_contains((const char *const *)head, "test_accuracy"));
  for (guint i = 1; rows[i][0]; i++) {
    g_auto(GStrv) fields = g_strsplit(rows[i], ",", -1);
    g_assert_cmpuint(g_strv_length(fields), ==, g_strv_length(head));
    g_assert_cmpstr(fields[3], ==, "done");
  }
}

/* A run of a comparison is the run that `abhost run` makes. */
static void check_single_run(JsonNode *compared) {
  g_autoptr(CliResult) single = cli_run("run", "m.yaml", "--candidate", "wide", "--seed", "2",
                                        "--output", "single", "--json", "-q", NULL);
  cli_assert_status(single, 0);
  g_autoptr(JsonNode) json = cli_json(single->out);
  g_assert_cmpfloat(cli_json_real(json, "test/accuracy"), ==,
                    compare_figure_at(compared, 1, 1, "test", "accuracy"));
  g_assert_true(cli_same_tensors("single/checkpoints/last.h5",
                                 "out/runs/wide-seed2/checkpoints/last.h5", "/model"));
  cli_remove("single");
}

static void check_statistics(JsonNode *json) {
  for (guint c = 0; c < 2; c++) {
    double v[3], sum = 0, squares = 0;
    for (guint i = 0; i < 3; i++) sum += v[i] = compare_figure_at(json, c, i, "test", "accuracy");
    for (guint i = 0; i < 3; i++) squares += (v[i] - sum / 3) * (v[i] - sum / 3);
    double sd = sqrt(squares / 2), half = 4.302652729749462 * sd / sqrt(3);
    g_assert_cmpfloat_with_epsilon(compare_summary_at(json, c, "test", "accuracy", "mean"), sum / 3,
                                   1e-12);
    g_assert_cmpfloat_with_epsilon(compare_summary_at(json, c, "test", "accuracy", "sd"), sd,
                                   1e-12);
    g_assert_cmpfloat_with_epsilon(compare_summary_at(json, c, "test", "accuracy", "high"),
                                   sum / 3 + half, 1e-9);
  }
}

static void test_result(void) {
  compare_setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--candidates", "model,wide",
                                        "--seeds", "3", "--output", "out", NULL);
  cli_assert_status(result, 0);
  compare_says(result->out, "model (mlp)");
  compare_says(result->out, "best");
  compare_says(result->out, "Holm");
  compare_says(result->err, "6/6");
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_true(json_object_get_boolean_member(json_node_get_object(json), "identical_batches"));
  g_assert_cmpfloat(json_object_get_int_member(compare_candidate_at(json, 0), "parameters"), ==,
                    2 * 8 + 8 + 8 * 3 + 3);
  check_statistics(json);
  check_single_run(json);
  g_autofree char *csv = cli_read("out/compare.csv");
  check_row_of_run(csv);
}

/* After test_result: nothing of it is done again. */
static void test_reuse(void) {
  g_autoptr(CliResult) again = cli_run("compare", "m.yaml", "--candidates", "model,wide", "--seeds",
                                       "3", "--output", "out", "--json", "-q", NULL);
  cli_assert_status(again, 0);
  g_assert_cmpstr(again->err, ==, "");
  g_autoptr(JsonNode) same = cli_json(again->out);
  g_assert_cmpstr(compare_status_at(same, 0, 2), ==, "done");
  g_autoptr(CliResult) more = cli_run("compare", "m.yaml", "--candidates", "deep,wide", "--seeds",
                                      "2,4", "--jobs", "2", "--output", "out", "-q", NULL);
  cli_assert_status(more, 0);
  g_assert_cmpuint(compare_starts_of("out", "wide-seed2"), ==, 1);
  g_assert_cmpuint(compare_starts_of("out", "model-seed1"), ==, 1);
  g_assert_cmpuint(compare_starts_of("out", "wide-seed4"), ==, 1);
  g_assert_cmpuint(compare_starts_of("out", "deep-seed2"), ==, 1);
  g_assert_false(cli_exists("out/runs/deep-seed1"));
}

static void test_one_seed(void) {
  compare_setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "wide", "--seeds", "1", "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  g_assert_true(isnan(compare_summary_at(json, 0, "test", "accuracy", "sd")));
  g_assert_true(isnan(compare_summary_at(json, 0, "test", "accuracy", "p")));
  /* the default folder: named after the manifest and what makes it this comparison */
  GDir *dir = g_dir_open("runs", 0, NULL);
  const char *name = g_dir_read_name(dir);
  g_assert_true(g_regex_match_simple("^compare-m-[0-9a-f]{8}$", name, 0, 0));
  g_assert_null(g_dir_read_name(dir));
  g_dir_close(dir);
}

/* A candidate that is the manifest's own model stands for it; one of its name takes its place. */
static void test_own_model(void) {
  compare_setup();
  cli_write("same.yaml",
            "problem: classify\nepochs: 1\ndata: {plugin: spiral, samples: 30, batch: 30}\n"
            "model: &own {plugin: mlp, units: [4]}\n"
            "candidates: {four: {model: *own}, five: {model: {plugin: mlp, units: "
            "[5]}}}\n");
  g_autoptr(CliResult) same = cli_run("compare", "same.yaml", "--seeds", "1", "--json", NULL);
  cli_assert_status(same, 0);
  g_autoptr(JsonNode) json = cli_json(same->out);
  g_assert_cmpstr(json_object_get_string_member(compare_candidate_at(json, 0), "name"), ==, "four");
  g_assert_cmpstr(json_object_get_string_member(compare_candidate_at(json, 1), "name"), ==, "five");
  cli_write("taken.yaml",
            "problem: classify\nepochs: 1\ndata: {plugin: spiral, samples: 30, batch: 30}\n"
            "model: {plugin: mlp, units: [4]}\n"
            "candidates: {model: {model: {plugin: mlp, units: [5]}}}\n");
  g_autoptr(CliResult) taken = cli_run("compare", "taken.yaml", "--seeds", "1", "--json", NULL);
  cli_assert_status(taken, 0);
  cli_assert_says(taken, "named 'model'", "left out", NULL);
}

/* Six families on one problem: all of them fit, and see the same batches. */
static void test_six(void) {
  g_autofree char *path = cli_example("digits-six.yaml");
  compare_setup();
  g_autoptr(CliResult) result = cli_run("compare", path, "--seeds", "1", "--epochs", "21", "--set",
                                        "data.batch=300", "--jobs", "2", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  JsonObject *root = json_node_get_object(json);
  g_assert_true(json_object_get_boolean_member(root, "identical_batches"));
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(root, "candidates")), ==, 6);
  const char *batches = json_object_get_string_member(compare_run_at(json, 0, 0), "batches");
  for (guint i = 0; i < 6; i++) {
    JsonObject *run = compare_run_at(json, i, 0);
    g_assert_cmpstr(json_object_get_string_member(run, "status"), ==, "done");
    g_assert_cmpstr(json_object_get_string_member(run, "batches"), ==, batches);
  }
}

/* ---- unequal terms, refusals ----------------------------------------------------------------- */

static void test_batches(void) {
  compare_setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--candidates", "model,wide,own-batch",
                                        "--seeds", "1", "--output", "out", NULL);
  cli_assert_status(result, 0);
  compare_says(result->out, "NOT ON EQUAL TERMS");
  compare_says(result->out, ": own-batch seed 1\n");
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_false(json_object_get_boolean_member(json_node_get_object(json), "identical_batches"));
  cli_write("out/runs/wide-seed1/metrics.jsonl", "");
  g_autoptr(CliResult) lost = cli_run("compare", "m.yaml", "--candidates", "model,wide", "--seeds",
                                      "1", "--output", "out", NULL);
  cli_assert_status(lost, 0);
  compare_says(lost->out, ": wide seed 1 (no record of them");
}

static void test_refused(void) {
  compare_setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "model,other-problem,other-role,large",
              "--budget", "parameters=1000", "--seeds", "1", "--output", "out", NULL);
  cli_assert_status(result, AB_DATA);
  compare_says(result->out, "other-problem: refused: its problem is reconstruct");
  compare_says(result->out, "other-role: refused: ");
  compare_says(result->out, "does not offer classify");
  compare_says(result->out, "large: refused: 206403 parameters are more than the budget of 1000");
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_cmpstr(compare_status_at(json, 0, 0), ==, "done");
  g_assert_cmpstr(compare_status_at(json, 2, 0), ==, "refused");
  g_assert_false(cli_exists("out/runs/large-seed1"));
}

static void fails(int status, const char *word, const char *argument, ...) G_GNUC_NULL_TERMINATED;
static void fails(int status, const char *word, const char *argument, ...) {
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  va_list rest;
  va_start(rest, argument);
  g_ptr_array_add(all, (gpointer) "compare");
  for (const char *at = argument; at; at = va_arg(rest, const char *))
    g_ptr_array_add(all, (gpointer)at);
  va_end(rest);
  g_ptr_array_add(all, NULL);
  g_autoptr(CliResult) result = cli_runv((const char *const *)all->pdata);
  cli_assert_status(result, status);
  cli_assert_message(result, 3);
  cli_assert_says(result, word, NULL);
  g_assert_cmpstr(result->out, ==, "");
}

static void test_usage(void) {
  compare_setup();
  fails(AB_USAGE, "--seeds", "m.yaml", "--seeds", "0", NULL);
  fails(AB_USAGE, "--seeds", "m.yaml", "--seeds", "1,1", NULL);
  fails(AB_USAGE, "did you mean 'wide'", "m.yaml", "--candidates", "wid", NULL);
  fails(AB_USAGE, "twice", "m.yaml", "--candidates", "wide,wide", NULL);
  fails(AB_USAGE, "--budget", "m.yaml", "--budget", "stops=3", NULL);
  fails(AB_USAGE, "--budget", "m.yaml", "--budget", "steps=-3", NULL);
  fails(AB_USAGE, "--jobs", "m.yaml", "--jobs", "0", NULL);
  fails(AB_USAGE, "one argument too many", "m.yaml", "model.units=[3]", NULL);
  fails(AB_USAGE, "--random", "m.yaml", "--random", "3", NULL);
  fails(AB_USAGE, "--halving", "m.yaml", "--halving=1", NULL);
  fails(AB_USAGE, "--halving", "m.yaml", "--halving", "--budget", "steps=3", NULL);
  fails(AB_USAGE, "no plain file", "/dev/null", NULL);
  fails(AB_NO_INPUT, "absent.yaml", "absent.yaml", NULL);
  cli_write("empty.yaml", "");
  fails(AB_CONFIG, "nothing to compare", "empty.yaml", NULL);
  fails(AB_CONFIG, "did you mean 'epochs'", "m.yaml", "--set", "epoch=3", NULL);
  fails(AB_CONFIG, "does not offer classify", "m.yaml", "--candidates", "other-role", NULL);
  g_assert_false(cli_exists("runs"));
  cli_mkdir("out");
  cli_write("out/mine", "");
  fails(AB_IO, "is no comparison", "m.yaml", "--output", "out", NULL);
  g_assert_cmpuint(cli_count_entries("out"), ==, 1);
}

static void test_other_plan(void) {
  compare_setup();
  g_autoptr(CliResult) first = cli_run("compare", "m.yaml", "--candidates", "model", "--seeds", "1",
                                       "--epochs", "1", "--output", "out", "-q", NULL);
  cli_assert_status(first, 0);
  fails(AB_CONFIG, "it was made with --epochs 1, and this is with no --epochs", "m.yaml",
        "--output", "out", NULL);
  fails(AB_CONFIG, "--set", "m.yaml", "--epochs", "1", "--set", "data.samples=50", "--output",
        "out", NULL);
  g_autofree char *edited = g_strconcat(compare_manifest, "# edited\n", NULL);
  cli_write("m.yaml", edited);
  fails(AB_CONFIG, "its manifest has another text", "m.yaml", "--epochs", "1", "--output", "out",
        NULL);
  cli_write("m.yaml", compare_manifest);
  g_autofree char *resolved = cli_read("out/runs/model-seed1/resolved.yaml");
  g_autoptr(GString) changed = g_string_new(resolved);
  g_assert_cmpuint(g_string_replace(changed, "samples: 60", "samples: 61", 1), ==, 1);
  cli_write("out/runs/model-seed1/resolved.yaml", changed->str);
  fails(AB_CONFIG, "'samples: 61' there, 'samples: 60' now", "m.yaml", "--candidates", "model",
        "--seeds", "1", "--epochs", "1", "--output", "out", NULL);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/compare/result", test_result);
  g_test_add_func("/compare/reuse", test_reuse);
  g_test_add_func("/compare/one-seed", test_one_seed);
  g_test_add_func("/compare/own-model", test_own_model);
  g_test_add_func("/compare/six", test_six);
  g_test_add_func("/compare/batches", test_batches);
  g_test_add_func("/compare/refused", test_refused);
  g_test_add_func("/compare/usage", test_usage);
  g_test_add_func("/compare/other-plan", test_other_plan);
  return cli_finish();
}
