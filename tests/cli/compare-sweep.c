/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost compare`: budgets, sweeps, successive halving. */
#include "compare-test.h"

#include <string.h>

/* ---- budgets and sweeps ---------------------------------------------------------------------- */

static void test_budget(void) {
  compare_setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "model,own-batch", "--seeds", "1", "--budget",
              "steps=15", "--output", "out", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_cmpfloat(cli_json_real(json, "budget/value"), ==, 15);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint(json_object_get_int_member(compare_run_at(json, i, 0), "steps"), ==, 15);
  g_autoptr(CliResult) unused = cli_run("compare", "m.yaml", "--candidates", "model", "--seeds",
                                        "1", "--budget", "steps=100000", NULL);
  cli_assert_status(unused, 0);
  compare_says(unused->out, "was not used up by model");
}

static void test_sweep(void) {
  compare_setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--sweep", "model.units=[4],[6]",
                                        "optimizer.lr=log:1e-3..1e-1:2", "--seeds", "1", "--output",
                                        "out", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  JsonObject *last = compare_candidate_at(json, 3);
  g_assert_cmpstr(json_object_get_string_member(last, "name"), ==, "units=[6],lr=0.1");
  JsonArray *sets = json_object_get_array_member(last, "sets");
  g_assert_cmpstr(json_array_get_string_element(sets, 0), ==, "model.units=[6]");
  g_assert_cmpint(json_object_get_int_member(last, "parameters"), ==, 2 * 6 + 6 + 6 * 3 + 3);
  g_autoptr(CliResult) both = cli_run("compare", "m.yaml", "--candidates", "wide,deep", "--sweep",
                                      "optimizer.lr=1e-3..1", "--random", "2", NULL);
  cli_assert_status(both, AB_USAGE); /* a list of one value has no two points */
  g_autoptr(CliResult) drawn =
      cli_run("compare", "m.yaml", "--candidates", "wide,deep", "--sweep",
              "optimizer.lr=log:1e-3..1e-1", "--random", "2", "--seeds", "1", "--json", "-q", NULL);
  cli_assert_status(drawn, 0);
  g_autoptr(JsonNode) points = cli_json(drawn->out);
  const char *name = json_object_get_string_member(compare_candidate_at(points, 2), "name");
  g_assert_true(g_str_has_prefix(name, "deep,lr=0.0"));
}

/* Epochs of metrics.jsonl: 1, 2, 3, ... each once. */
static guint epochs_once(const char *run) {
  g_autofree char *path = g_build_filename(run, "metrics.jsonl", NULL);
  g_autofree char *text = cli_read(path);
  guint count = 0;
  for (const char *at = text; (at = strstr(at, "\"event\":\"epoch\",\"epoch\":")); at++)
    g_assert_cmpint(g_ascii_strtoll(at + strlen("\"event\":\"epoch\",\"epoch\":"), NULL, 10), ==,
                    ++count);
  return count;
}

/* Four points to epoch 2, two to 4, one to 8; a repetition does nothing. */
static void test_halving(void) {
  const char *const arguments[] = {
      "compare",     "m.yaml",   "--sweep", "optimizer.lr=1e-5,1e-4,1e-3,1e-2",
      "--halving=2", "--seeds",  "2",       "--epochs",
      "8",           "--output", "out",     NULL};
  compare_setup();
  g_autoptr(CliResult) result = cli_runv(arguments);
  cli_assert_status(result, 0);
  compare_says(result->out, "rung");
  g_autoptr(JsonNode) json = compare_read_json("out");
  guint reached[3] = {0}, epochs[3] = {2, 4, 8};
  for (guint i = 0; i < 4; i++) {
    JsonObject *run = compare_run_at(json, i, 1);
    gint64 rung = json_object_get_int_member(run, "rung");
    g_autofree char *folder =
        g_build_filename("out", json_object_get_string_member(run, "folder"), NULL);
    g_assert_cmpuint(epochs_once(folder), ==, epochs[rung]);
    g_assert_cmpstr(json_object_get_string_member(run, "status"), ==,
                    rung == 2 ? "done" : "stopped");
    reached[rung]++;
  }
  g_assert_true(reached[0] == 2 && reached[1] == 1 && reached[2] == 1);
  g_autofree char *before = cli_read("out/compare.json");
  g_autoptr(CliResult) again = cli_runv(arguments);
  cli_assert_status(again, 0);
  g_autofree char *after = cli_read("out/compare.json");
  g_assert_cmpstr(before, ==, after);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/compare/budget", test_budget);
  g_test_add_func("/compare/sweep", test_sweep);
  g_test_add_func("/compare/halving", test_halving);
  return cli_finish();
}
