/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost evaluate`: of a run and of its checkpoints, what the run itself said at its end. */
#include "cli-test.h"

#include <string.h>

static const char classifier[] =
    "problem: classify\nseed: 2\nepochs: 8\n"
    "data: {plugin: digits, batch: 60, transform: {standardise: true}}\n"
    "noise: {plugin: gaussian, std: 0.3}\n"
    "model: {plugin: mlp, units: [24], dropout: 0.3}\n"
    "optimizer: {plugin: sgd, lr: 1, momentum: 0.9}\n";
static const char rbm[] = "problem: reconstruct\nseed: 2\nepochs: 2\n"
                          "data: {plugin: digits, transform: {binarise: 0.5}}\n"
                          "model: {plugin: rbm, hidden: 16, persistent: true}\n";

static CliResult *run_of(const char *manifest, const char *output, const char *set) {
  cli_write("m.yaml", manifest);
  cli_remove(output);
  CliResult *result =
      cli_run("run", "m.yaml", "--output", output, "--json", "-q", "--set", set, NULL);
  cli_assert_status(result, 0);
  return result;
}

static void assert_same(JsonNode *run, const CliResult *evaluated) {
  static const char *const splits[] = {"validation", "test"};
  cli_assert_status(evaluated, 0);
  g_assert_cmpstr(evaluated->err, ==, "");
  g_autoptr(JsonNode) other = cli_json(evaluated->out);
  for (guint i = 0; i < G_N_ELEMENTS(splits); i++) {
    JsonNode *left = json_object_get_member(json_node_get_object(run), splits[i]);
    JsonNode *right = json_object_get_member(json_node_get_object(other), splits[i]);
    g_assert_nonnull(left);
    g_assert_true(json_node_equal(left, right));
  }
}

static void test_equal(void) {
  static const char *const manifests[] = {classifier, rbm};
  for (guint i = 0; i < G_N_ELEMENTS(manifests); i++) {
    g_autoptr(CliResult) result = run_of(manifests[i], "run", "seed=2");
    g_autoptr(JsonNode) run = cli_json(result->out);
    g_autoptr(CliResult) folder = cli_run("evaluate", "run", "--json", NULL);
    g_autoptr(CliResult) file = cli_run("evaluate", "run/checkpoints/last.h5", "--json", NULL);
    assert_same(run, folder);
    assert_same(run, file);
  }
}

/* A run that keeps its best weights is tested with these. */
static void test_best(void) {
  g_autoptr(CliResult) result = run_of(classifier, "best", "checkpoint={best: accuracy, keep: 9}");
  g_autoptr(JsonNode) run = cli_json(result->out);
  g_autoptr(CliResult) folder = cli_run("evaluate", "best", "--json", NULL);
  g_autoptr(CliResult) file = cli_run("evaluate", "best/checkpoints/best.h5", "--json", NULL);
  assert_same(run, folder);
  assert_same(run, file);
}

/* An earlier checkpoint has the values of its epoch. */
static void test_earlier(void) {
  cli_free(run_of(classifier, "earlier", "checkpoint={keep: 99}"));
  g_autofree char *text = cli_read("earlier/metrics.jsonl");
  *strchr(text, '\n') = '\0';
  g_autoptr(JsonNode) line = cli_json(text);
  g_autofree char *name =
      g_strdup_printf("earlier/checkpoints/step-%d.h5", (int)cli_json_real(line, "step"));
  g_autoptr(CliResult) result = cli_run("evaluate", name, "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  g_assert_cmpfloat(cli_json_real(json, "validation/accuracy"), ==,
                    cli_json_real(line, "validation/accuracy"));
  g_assert_cmpfloat(cli_json_real(json, "validation/loss"), ==,
                    cli_json_real(line, "validation/loss"));
}

/* The columns of the two tables that both have. */
static void test_table(void) {
  cli_write("m.yaml", rbm);
  g_autoptr(CliResult) run = cli_run("run", "m.yaml", "--output", "table", "-q", NULL);
  g_autoptr(CliResult) result = cli_run("evaluate", "table", NULL);
  cli_assert_status(result, 0);
  const char *row = strstr(result->out, "mse"), *other = strstr(run->out, "mse");
  g_assert_nonnull(row);
  g_assert_nonnull(other);
  g_auto(GStrv) words = g_strsplit_set(row, " \n", -1);
  guint found = 0;
  for (guint i = 1; words[i] && found < 2; i++) {
    if (!*words[i]) continue;
    g_assert_nonnull(strstr(other, words[i]));
    found++;
  }
  g_assert_cmpuint(found, ==, 2);
}

/* Nothing of the run changes. */
static void test_untouched(void) {
  cli_free(run_of(rbm, "still", "seed=2"));
  g_autofree char *before = cli_read("still/metrics.jsonl");
  guint count = cli_count_entries("still/checkpoints");
  g_autoptr(CliResult) result = cli_run("evaluate", "still", NULL);
  cli_assert_status(result, 0);
  g_autofree char *after = cli_read("still/metrics.jsonl");
  g_assert_cmpstr(after, ==, before);
  g_assert_cmpuint(cli_count_entries("still/checkpoints"), ==, count);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/evaluate/equal", test_equal);
  g_test_add_func("/evaluate/best", test_best);
  g_test_add_func("/evaluate/earlier", test_earlier);
  g_test_add_func("/evaluate/table", test_table);
  g_test_add_func("/evaluate/untouched", test_untouched);
  return cli_finish();
}
