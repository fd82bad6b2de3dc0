/* SPDX-License-Identifier: Apache-2.0
 *
 * result.json: its keys by a reader of JSON, its hash by one over text that is put together here.
 */
#include "run/result.h"
#include "manifest/manifest.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static char *folder;

/* ---- a run that has ended ------------------------------------------------------------------- */

typedef struct {
  Registry *registry;
  Assembly *assembly;
  RunFolder place;
  Run run;
} Ended;

static const char classifier[] = "problem: classify\nseed: 3\nprecision: f64\nepochs: 2\n"
                                 "data: {plugin: digits, batch: 100}\n"
                                 "model: {plugin: mlp, units: [4]}\nmetrics: [accuracy]\n";
static const char agent[] = "problem: act\nenvironment: {plugin: gridworld}\n"
                            "model: {plugin: mlp, units: [4]}\ncontroller: {plugin: dqn}\n";

static void begin(Ended *self, const char *manifest) {
  g_autoptr(GError) error = NULL;
  Diagnostics *diagnostics = diagnostics_new();
  self->registry = registry_new(NULL, &error);
  g_assert_no_error(error);
  g_autoptr(Node) root = manifest_parse(manifest, "m.yaml", NULL, diagnostics);
  g_assert_nonnull(root);
  self->assembly = assembly_new(self->registry, root, TRUE, diagnostics, &error);
  g_assert_no_error(error);
  assembly_build(self->assembly, &error);
  g_assert_no_error(error);
  diagnostics_free(diagnostics);
  self->place = (RunFolder){.path = folder};
  self->run = (Run){.assembly = self->assembly,
                    .folder = &self->place,
                    .state = run_state_new(),
                    .results = results_new(),
                    .multiply_adds = 296};
}

static void end(Ended *self) {
  g_ptr_array_unref(self->run.results);
  run_state_free(self->run.state);
  assembly_free(self->assembly);
  registry_free(self->registry);
}

static JsonObject *write_and_read(const Ended *self, const GError *cause, JsonParser *parser) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder, "result.json", NULL);
  result_write(&self->run, cause, &error);
  g_assert_no_error(error);
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return json_node_get_object(json_parser_get_root(parser));
}

static void write_metrics(const char *text) {
  g_autofree char *path = g_build_filename(folder, "metrics.jsonl", NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* The line of an epoch whose hash is 64 times one letter. */
static void add_epoch(GString *text, int epoch, char letter) {
  g_autofree char *hash = g_strnfill(64, letter);
  g_string_append_printf(text, "{\"event\":\"epoch\",\"epoch\":%d,\"batches\":\"%s\"}\n", epoch,
                         hash);
}

static char *hash_of(const char *letters) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (const char *at = letters; *at; at++) {
    g_autofree char *hash = g_strnfill(64, *at);
    g_string_append(text, hash);
  }
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void check_settings(JsonObject *object) {
  static const char *const texts[][2] = {{"status", "done"},   {"problem", "classify"},
                                         {"model", "mlp"},     {"device", "cpu"},
                                         {"precision", "f64"}, {"stopped_by", "steps"}};
  static const struct {
    const char *key;
    gint64 value;
  } counts[] = {{"format", 1},
                {"seed", 3},
                {"epochs", 2},
                {"steps", 27},
                {"parameters", 64 * 4 + 4 + 4 * 10 + 10},
                {"multiply_adds", 296}};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_assert_cmpstr(json_object_get_string_member(object, texts[i][0]), ==, texts[i][1]);
  for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
    g_assert_cmpint(json_object_get_int_member(object, counts[i].key), ==, counts[i].value);
  g_assert_true(
      g_str_has_prefix(json_object_get_string_member(object, "program"), "abhost " ABSDK_VERSION));
  g_assert_true(json_object_get_null_member(object, "reason"));
  g_assert_cmpint(json_object_get_int_member(object, "threads"), ==, ab_threads());
  g_assert_cmpfloat(json_object_get_double_member(object, "seconds"), ==, 1.5);
  g_assert_cmpfloat(json_object_get_double_member(object, "cpu_seconds"), ==, 2.25);
}

static void test_done(void) {
  Ended ended;
  begin(&ended, classifier);
  GString *lines = g_string_new(NULL);
  add_epoch(lines, 1, 'a');
  add_epoch(lines, 2, 'b');
  g_string_append(lines, "{\"event\":\"end\",\"epoch\":2}\n");
  write_metrics(lines->str);
  g_string_free(lines, TRUE);
  RunState *state = ended.run.state;
  state->epoch = 2;
  state->step = 27;
  state->seconds = 1.5;
  state->cpu_seconds = 2.25;
  state->peak_memory = G_GINT64_CONSTANT(1) << 50; /* of a session before this one */
  ended.run.stopped_by = "steps";
  results_add(ended.run.results, "train", "loss", 0.5);
  results_add(ended.run.results, "validation", "accuracy", 1e-8);
  results_add(ended.run.results, "test", "accuracy", NAN);
  g_autoptr(JsonParser) parser = json_parser_new();
  JsonObject *object = write_and_read(&ended, NULL, parser);
  check_settings(object);
  g_assert_cmpint(json_object_get_int_member(object, "peak_memory_bytes"), ==, state->peak_memory);
  g_autofree char *expected = hash_of("ab");
  g_assert_cmpstr(json_object_get_string_member(object, "batches"), ==, expected);
  JsonArray *metrics = json_object_get_array_member(object, "metrics");
  g_assert_cmpuint(json_array_get_length(metrics), ==, 1);
  JsonObject *metric = json_array_get_object_element(metrics, 0);
  g_assert_cmpstr(json_object_get_string_member(metric, "name"), ==, "accuracy");
  g_assert_true(json_object_get_boolean_member(metric, "higher_is_better"));
  JsonObject *results = json_object_get_object_member(object, "results");
  JsonObject *train = json_object_get_object_member(results, "train");
  JsonObject *validation = json_object_get_object_member(results, "validation");
  JsonObject *test = json_object_get_object_member(results, "test");
  g_assert_cmpfloat(json_object_get_double_member(train, "loss"), ==, 0.5);
  g_assert_cmpfloat(json_object_get_double_member(validation, "accuracy"), ==, 1e-8);
  g_assert_true(json_object_get_null_member(test, "accuracy"));
  end(&ended);
}

/* Whatever the message is, the file is JSON. */
static void test_failed(void) {
  Ended ended;
  begin(&ended, classifier);
  g_autoptr(GError) cause =
      g_error_new(HOST_ERROR, AB_DATA, "\"a\\b\"\n\xff of %s", "\xc3\xa9t\xc3\xa9");
  for (int diverged = 0; diverged < 2; diverged++) {
    ended.run.diverged = diverged;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = write_and_read(&ended, cause, parser);
    g_assert_cmpstr(json_object_get_string_member(object, "status"), ==,
                    diverged ? "diverged" : "failed");
    g_assert_cmpstr(json_object_get_string_member(object, "reason"), ==,
                    "\"a\\b\"\n\xef\xbf\xbd of \xc3\xa9t\xc3\xa9");
    g_assert_true(json_object_get_null_member(object, "stopped_by"));
    JsonObject *results = json_object_get_object_member(object, "results");
    g_assert_cmpuint(json_object_get_size(results), ==, 0);
  }
  end(&ended);
}

static void test_environment(void) {
  Ended ended;
  begin(&ended, agent);
  write_metrics("");
  g_autoptr(JsonParser) parser = json_parser_new();
  JsonObject *object = write_and_read(&ended, NULL, parser);
  g_assert_cmpstr(json_object_get_string_member(object, "problem"), ==, "act");
  g_assert_true(json_object_get_null_member(object, "batches"));
  end(&ended);
}

static void test_nowhere(void) {
  Ended ended;
  g_autoptr(GError) error = NULL;
  begin(&ended, classifier);
  ended.place.path = (char *)"/nowhere/at/all";
  g_assert_false(result_write(&ended.run, NULL, &error));
  g_assert_error(error, HOST_ERROR, AB_IO);
  g_assert_nonnull(strstr(error->message, "/nowhere/at/all/result.json"));
  end(&ended);
}

/* ---- the hash ------------------------------------------------------------------------------- */

static void check_batches(const char *text, gint64 epochs, const char *letters) {
  g_autofree char *path = g_build_filename(folder, "metrics.jsonl", NULL);
  g_autofree char *expected = letters ? hash_of(letters) : NULL;
  write_metrics(text);
  g_autofree char *hash = result_batches(folder, epochs);
  g_assert_cmpstr(hash, ==, expected);
}

static void test_batches(void) {
  GString *text = g_string_new(NULL);
  check_batches("", 0, "");
  check_batches("", 1, NULL);
  add_epoch(text, 1, 'a');
  add_epoch(text, 2, 'b');
  check_batches(text->str, 2, "ab");
  check_batches(text->str, 1, "ab"); /* the second was broken off */
  check_batches(text->str, 3, NULL); /* one was taken away */
  g_string_append(text, "{\"event\":\"epoch\",\"epoch\":3,\"batches\":nu"); /* a torn line */
  check_batches(text->str, 2, "ab");
  check_batches(text->str, 3, NULL);
  g_string_assign(text, "");
  add_epoch(text, 3, 'c');
  add_epoch(text, 4, 'd');
  check_batches(text->str, 4, NULL); /* those before are gone */
  check_batches("[1]\n\"epoch\"\n{\"event\":7,\"epoch\":1,\"batches\":\"a\"}\n"
                "{\"event\":\"epoch\",\"epoch\":1,\"batches\":5}\n\xff\n",
                1, NULL);
  g_string_free(text, TRUE);
  g_assert_null(result_batches("/nowhere", 1));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_init();
  folder = g_dir_make_tmp("abhost-result-XXXXXX", NULL);
  g_assert_nonnull(folder);
  g_test_add_func("/result/done", test_done);
  g_test_add_func("/result/failed", test_failed);
  g_test_add_func("/result/environment", test_environment);
  g_test_add_func("/result/nowhere", test_nowhere);
  g_test_add_func("/result/batches", test_batches);
  int status = g_test_run();
  static const char *const files[] = {"result.json", "metrics.jsonl"};
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_build_filename(folder, files[i], NULL);
    g_unlink(path);
  }
  g_assert_cmpint(g_rmdir(folder), ==, 0); /* and no temporary is left */
  g_free(folder);
  return status;
}
