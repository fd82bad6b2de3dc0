/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes with x in a batch (ab_given) reaches a model wherever the host calls it: in training
 * steps, in evaluations, and in apply. The model predicts what it is told, and every number would
 * be wrong by far if it were told nothing, or what another sample is told. */
#include "cli-test.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 40 };

static const char manifest[] =
    "problem: predict\nseed: 2\nepochs: 2\ndata: {plugin: hinted, batch: 7}\nmodel: believer\n"
    "loss: mse\noptimizer: {plugin: sgd, lr: 1e-6}\nmetrics: [mse]\n";

static void begin(void) {
  g_autofree char *from = g_build_filename(g_getenv("ABHOST_TEST_FIXTURES"), "hints.so", NULL);
  char *bytes;
  gsize size;
  cli_mkdir("plugins");
  g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  cli_write_bytes("plugins/hints.so", bytes, size);
  g_free(bytes);
  cli_write("g.yaml", manifest);
  if (cli_exists("hinted")) return;
  g_autoptr(CliResult) result = cli_run("run", "g.yaml", "--plugin-path", "plugins", "--output",
                                        "hinted", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  cli_write("hinted.json", result->out);
}

/* As the fixture has it. */
static double y_of(gint64 split, gint64 row) {
  return (double)(split * 100 + row * row % 37) - 11;
}

static void test_run(void) {
  begin();
  g_autofree char *text = cli_read("hinted.json");
  g_autoptr(JsonNode) root = cli_json(text);
  static const char *const paths[] = {"train/loss", "validation/loss", "validation/mse",
                                      "test/loss", "test/mse"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
    g_assert_cmpfloat(cli_json_real(root, paths[i]), ==, 0);
}

static void test_evaluate(void) {
  begin();
  g_autoptr(CliResult) result =
      cli_run("evaluate", "hinted", "--plugin-path", "plugins", "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_cmpfloat(cli_json_real(root, "test/mse"), ==, 0);
}

/* Of data that has hints, sample by sample and in the order of the data; of data that has none,
 * without. */
static void test_apply(void) {
  begin();
  static const char *const inputs[] = {"hinted", "bare"};
  for (guint k = 0; k < 2; k++) {
    g_autofree char *file = g_strdup_printf("%s.h5", inputs[k]);
    g_autoptr(CliResult) result =
        cli_run("apply", "hinted", "--role", "predict", "--input", inputs[k], "--split", "test",
                "--output", file, "--plugin-path", "plugins", NULL);
    cli_assert_status(result, 0);
    gsize count;
    g_autofree double *values = cli_tensor(file, "/predict", &count);
    g_assert_cmpuint(count, ==, SAMPLES);
    for (gint64 i = 0; i < SAMPLES; i++) g_assert_cmpfloat(values[i], ==, k == 0 ? y_of(2, i) : 0);
  }
}

/* Without the field the model is told nothing: the error is the mean square of y. */
static void test_without(void) {
  begin();
  double squares = 0;
  for (gint64 i = 0; i < SAMPLES; i++) squares += pow(y_of(2, i), 2);
  g_autoptr(CliResult) result =
      cli_run("run", "g.yaml", "--set", "data={plugin: bare, batch: 7}", "--plugin-path", "plugins",
              "--output", "bare", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_cmpfloat_with_epsilon(cli_json_real(root, "test/mse"), squares / SAMPLES, 1e-2);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/given/run", test_run);
  g_test_add_func("/given/evaluate", test_evaluate);
  g_test_add_func("/given/apply", test_apply);
  g_test_add_func("/given/without", test_without);
  return cli_finish();
}
