/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost diff`: of checkpoints that are written by hand, whose differences are known, and of runs.
 */
#include "cli-test.h"

#include <math.h>
#include <string.h>

/* ---- checkpoints by hand --------------------------------------------------------------------- */

static const gint64 pair[] = {2}, square[] = {2, 2};

static void put_plugin(StoreWriter *w, const char *path, const char *id, const char *version,
                       const char *hash) {
  g_autofree char *object = g_strdup_printf("/plugins/%s", path);
  store_write_attr_text(w, object, "component", "any");
  store_write_attr_text(w, object, "id", id);
  store_write_attr_text(w, object, "version", version);
  store_write_attr_text(w, object, "sha256", hash);
}

static StoreWriter *begin_checkpoint(const char *path, const char *resolved) {
  GError *error = NULL;
  StoreWriter *w = store_create(path, &error);
  g_assert_no_error(error);
  store_write_attr_int(w, "/", "format", 1);
  store_write_attr_int(w, "/", "epoch", 3);
  store_write_attr_int(w, "/", "step", 30);
  store_write_attr_int(w, "/optimizer", "updates", 30);
  store_write_text(w, "/manifest", "problem: reconstruct\n");
  store_write_text(w, "/resolved", resolved);
  put_plugin(w, "model", "org.example.model", "1.0", "aaaa");
  return w;
}

static void finish_checkpoint(StoreWriter *w) {
  GError *error = NULL;
  store_commit(w, &error);
  g_assert_no_error(error);
}

/* A and B: W changes by (0, 1, 0, 0) of (3, 4, 0, 0), so by 1 / 5; b is the same; c is there once;
 * d has another shape, e another type; the state of the optimizer is another. */
static void make_two(void) {
  const double a[] = {3, 4, 0, 0}, b[] = {3, 5, 0, 0}, same[] = {0.5, NAN};
  const float single[] = {0.5f, 0.25f};
  const double wide[] = {0.5, 0.25};
  StoreWriter *w = begin_checkpoint("a.h5", "seed: 1\nmodel: {plugin: rbm, hidden: 64, old: x}\n");
  store_write(w, "/model/W", AB_F64, 2, square, a, NULL);
  store_write(w, "/model/b", AB_F64, 1, pair, same, NULL);
  store_write(w, "/model/c", AB_F64, 1, pair, same, NULL);
  store_write(w, "/model/d", AB_F64, 1, pair, a, NULL);
  store_write(w, "/model/e", AB_F32, 1, pair, single, NULL);
  store_write(w, "/optimizer/first_moment/model/W", AB_F64, 2, square, a, NULL);
  put_plugin(w, "model/encoder", "org.example.encoder", "1.0", "bbbb");
  finish_checkpoint(w);
  w = begin_checkpoint("b.h5", "seed: 1\nmodel: {plugin: rbm, hidden: 128, new: [1, 2], encoder: "
                               "{plugin: mlp}}\n");
  store_write(w, "/model/W", AB_F64, 2, square, b, NULL);
  store_write(w, "/model/b", AB_F64, 1, pair, same, NULL);
  store_write(w, "/model/d", AB_F64, 2, square, a, NULL);
  store_write(w, "/model/e", AB_F64, 1, pair, wide, NULL);
  store_write(w, "/optimizer/first_moment/model/W", AB_F64, 2, square, b, NULL);
  put_plugin(w, "model/encoder", "org.example.encoder", "1.0", "cccc");
  finish_checkpoint(w);
}

/* ---- what is said ---------------------------------------------------------------------------- */

static JsonObject *find(JsonNode *root, const char *list, const char *key, const char *value) {
  JsonArray *all = json_object_get_array_member(json_node_get_object(root), list);
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *object = json_array_get_object_element(all, i);
    if (strcmp(json_object_get_string_member(object, key), value) == 0) return object;
  }
  g_error("%s: no '%s'", list, value);
}

static void assert_text(JsonObject *object, const char *key, const char *expected) {
  if (expected)
    g_assert_cmpstr(json_object_get_string_member(object, key), ==, expected);
  else
    g_assert_true(json_object_get_null_member(object, key));
}

static guint length_of(JsonNode *root, const char *list) {
  return json_array_get_length(json_object_get_array_member(json_node_get_object(root), list));
}

static JsonNode *diff(const char *a, const char *b) {
  g_autoptr(CliResult) result = cli_run("diff", a, b, "--json", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  return cli_json(result->out);
}

static gboolean is_same(JsonNode *root) {
  return json_object_get_boolean_member(json_node_get_object(root), "same");
}

static void assert_tensor(JsonNode *root, const char *list, const char *name, const char *how,
                          double largest, double relative) {
  JsonObject *tensor = find(root, list, "name", name);
  assert_text(tensor, "case", how);
  if (!isnan(largest)) {
    g_assert_cmpfloat(json_object_get_double_member(tensor, "largest_difference"), ==, largest);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(tensor, "relative_norm"), relative,
                                   1e-15);
  }
}

/* ---- two checkpoints ------------------------------------------------------------------------- */

static void test_weights(void) {
  make_two();
  g_autoptr(JsonNode) root = diff("a.h5", "b.h5");
  g_assert_false(is_same(root));
  g_assert_cmpuint(length_of(root, "weights"), ==, 5);
  assert_tensor(root, "weights", "model/W", "changed", 1, 0.2);
  assert_tensor(root, "weights", "model/b", "same", 0, 0);
  assert_tensor(root, "weights", "model/c", "only in a", NAN, NAN);
  assert_tensor(root, "weights", "model/d", "other shape", NAN, NAN);
  assert_tensor(root, "weights", "model/e", "changed", 0, 0);
  g_assert_cmpuint(length_of(root, "states"), ==, 1);
  assert_tensor(root, "states", "optimizer/first_moment/model/W", "changed", 1, 0.2);
  g_autoptr(JsonNode) back = diff("b.h5", "a.h5");
  assert_tensor(back, "weights", "model/W", "changed", 1, 1 / sqrt(34));
  assert_tensor(back, "weights", "model/c", "only in b", NAN, NAN);
}

static void test_manifest(void) {
  make_two();
  g_autoptr(JsonNode) root = diff("a.h5", "b.h5");
  static const char *const expected[][3] = {{"model.hidden", "64", "128"},
                                            {"model.old", "x", NULL},
                                            {"model.new", NULL, "[1, 2]"},
                                            {"model.encoder.plugin", NULL, "mlp"}};
  g_assert_cmpuint(length_of(root, "manifest"), ==, G_N_ELEMENTS(expected));
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    JsonObject *row = find(root, "manifest", "key", expected[i][0]);
    assert_text(row, "a", expected[i][1]);
    assert_text(row, "b", expected[i][2]);
  }
  g_assert_cmpuint(length_of(root, "plugins"), ==, 1);
  JsonObject *plugin = find(root, "plugins", "component", "model/encoder");
  assert_text(json_object_get_object_member(plugin, "a"), "sha256", "bbbb");
  assert_text(json_object_get_object_member(plugin, "b"), "sha256", "cccc");
}

/* Each of these is in a line of its own. */
static void assert_lines(const char *text, const char *const (*words)[3], guint count) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; i < count; i++) {
    gboolean found = FALSE;
    for (guint j = 0; lines[j] && !found; j++)
      found = strstr(lines[j], words[i][0]) && strstr(lines[j], words[i][1]) &&
              (!words[i][2] || strstr(lines[j], words[i][2]));
    if (!found) g_error("no line with '%s' and '%s' in\n%s", words[i][0], words[i][1], text);
  }
}

static void test_text(void) {
  static const char *const words[][3] = {
      {"model.hidden", "64 -> 128", NULL},
      {"model.old", "only in A: x", NULL},
      {"model.new", "only in B: [1, 2]", NULL},
      {"weights", "1 of 5", NULL},
      {"model/W", "1", "0.2"},
      {"model/c", "only in A: f64 [2]", NULL},
      {"model/d", "f64 [2] -> f64 [2, 2]", NULL},
      {"model/e", "f32 [2] -> f64 [2]", "0"},
      {"model/encoder", "org.example.encoder 1.0 (bbbb)", "(cccc)"},
      {"other states", "0 of 1", NULL},
      {"metrics", "checkpoint", NULL},
  };
  make_two();
  g_autoptr(CliResult) result = cli_run("diff", "a.h5", "b.h5", NULL);
  cli_assert_status(result, 0);
  g_assert_true(
      g_str_has_prefix(result->out, "different: manifest, weights, other states, plugins\n"));
  assert_lines(result->out, words, G_N_ELEMENTS(words));
  g_autoptr(CliResult) same = cli_run("diff", "a.h5", "a.h5", NULL);
  cli_assert_status(same, 0);
  g_assert_true(g_str_has_prefix(same->out, "the same"));
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void train(const char *folder, const char *seed) {
  g_autofree char *example = cli_example("spiral.yaml");
  cli_remove(folder);
  g_autoptr(CliResult) run = cli_run("run", example, "--output", folder, "--epochs", "2", "--seed",
                                     seed, "--set", "model.units=[5]", "-q", NULL);
  cli_assert_status(run, 0);
}

/* Equal seeds give equal bits; another seed and layer does not. */
static void test_runs(void) {
  train("one", "1");
  train("again", "1");
  train("two", "2");
  g_autoptr(CliResult) text = cli_run("diff", "one", "again", NULL);
  cli_assert_status(text, 0);
  g_assert_true(g_str_has_prefix(text->out, "the same\n"));
  g_autoptr(JsonNode) same = diff("one", "again");
  g_assert_true(is_same(same));
  g_assert_cmpuint(length_of(same, "manifest"), ==, 0);
  g_assert_cmpuint(length_of(same, "metrics"), >, 0);
  g_assert_cmpuint(length_of(same, "weights"), ==, 4);
  g_autoptr(JsonNode) other = diff("one", "two");
  g_assert_false(is_same(other));
  g_assert_cmpuint(length_of(other, "manifest"), ==, 1);
  assert_text(find(other, "manifest", "key", "seed"), "b", "2");
  JsonObject *weight = find(other, "weights", "name", "model/W1");
  g_assert_cmpfloat_with_epsilon(
      json_object_get_double_member(weight, "largest_difference"),
      cli_difference("one/checkpoints/last.h5", "two/checkpoints/last.h5", "/model/W1"), 1e-15);
  JsonObject *metric = find(other, "metrics", "key", "test/accuracy");
  g_assert_cmpfloat(json_object_get_double_member(metric, "difference"), ==,
                    json_object_get_double_member(metric, "b") -
                        json_object_get_double_member(metric, "a"));
  g_autoptr(JsonNode) mixed = diff("one", "again/checkpoints/last.h5");
  g_assert_true(is_same(mixed));
  g_assert_true(JSON_NODE_HOLDS_VALUE(
      json_object_get_member(json_node_get_object(mixed), "metrics_not_compared")));
}

static void write_in(const char *folder, const char *file, const char *text) {
  g_autofree char *path = g_build_filename(folder, file, NULL);
  cli_write(path, text);
}

/* Runs without checkpoints: what else there is. */
static void test_results(void) {
  static const char *const results[] = {"{\"loss\":0.5,\"mse\":null,\"psnr\":2}",
                                        "{\"loss\":0.75,\"mse\":null,\"ssim\":1}"};
  for (guint i = 0; i < 2; i++) {
    const char *folder = i ? "without-b" : "without-a";
    cli_mkdir(folder);
    write_in(folder, "resolved.yaml", "problem: reconstruct\nmodel: {plugin: rbm}\n");
    g_autofree char *text = g_strdup_printf(
        "{\"format\":1,\"status\":\"%s\",\"epochs\":4,\"steps\":40,\"results\":{\"test\":%s}}",
        i ? "failed" : "done", results[i]);
    write_in(folder, "result.json", text);
  }
  g_autoptr(JsonNode) root = diff("without-a", "without-b");
  JsonObject *loss = find(root, "metrics", "key", "test/loss");
  g_assert_cmpfloat(json_object_get_double_member(loss, "difference"), ==, 0.25);
  assert_text(find(root, "metrics", "key", "test/psnr"), "b", NULL);
  assert_text(find(root, "metrics", "key", "test/ssim"), "a", NULL);
  assert_text(find(root, "progress", "key", "status"), "b", "failed");
  g_assert_cmpuint(length_of(root, "progress"), ==, 1);
  g_autoptr(CliResult) text = cli_run("diff", "without-a", "without-b", NULL);
  g_assert_true(g_str_has_prefix(text->out, "different: progress, metrics\n"));
  g_assert_nonnull(strstr(text->out, "without-a has no checkpoint"));
  g_autoptr(CliResult) same = cli_run("diff", "without-a", "without-a", NULL);
  g_assert_true(g_str_has_prefix(same->out, "the same, as far as"));
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void test_bad(void) {
  make_two();
  cli_write("text.h5", "no checkpoint\n");
  cli_mkdir("nothing");
  const struct {
    const char *a, *b, *word;
    int status;
  } cases[] = {{"a.h5", "absent", "absent", AB_NO_INPUT},
               {"nothing", "a.h5", "nothing", AB_NO_INPUT},
               {"a.h5", "text.h5", "text.h5", AB_DATA}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(CliResult) result = cli_run("diff", cases[i].a, cases[i].b, NULL);
    cli_assert_status(result, cases[i].status);
    cli_assert_says(result, cases[i].word, NULL);
    cli_assert_message(result, 3);
    g_assert_cmpstr(result->out, ==, "");
  }
  g_autoptr(CliResult) one = cli_run("diff", "a.h5", NULL);
  cli_assert_status(one, AB_USAGE);
}

/* A run whose checkpoint is damaged: what can be said is said, and the status tells. */
static void test_damaged(void) {
  make_two();
  cli_mkdir("hurt/checkpoints");
  write_in("hurt", "resolved.yaml", "seed: 2\nmodel: {plugin: rbm, hidden: 64, old: x}\n");
  write_in("hurt/checkpoints", "last.h5", "rubbish\n");
  g_autoptr(CliResult) result = cli_run("diff", "a.h5", "hurt", NULL);
  cli_assert_status(result, AB_DATA);
  cli_assert_says(result, "last.h5", NULL);
  g_assert_true(g_str_has_prefix(result->out, "different: manifest\n"));
  g_assert_nonnull(strstr(result->out, "damaged"));
  write_in("hurt", "resolved.yaml", "a: [");
  g_autoptr(CliResult) both = cli_run("diff", "a.h5", "hurt", NULL);
  cli_assert_status(both, AB_DATA);
  cli_assert_message(both, 3);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/diff/weights", test_weights);
  g_test_add_func("/diff/manifest", test_manifest);
  g_test_add_func("/diff/text", test_text);
  g_test_add_func("/diff/runs", test_runs);
  g_test_add_func("/diff/results", test_results);
  g_test_add_func("/diff/bad", test_bad);
  g_test_add_func("/diff/damaged", test_damaged);
  return cli_finish();
}
