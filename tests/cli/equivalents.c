/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost equivalents`: the slots of a manifest, what fits them, and why the rest does not. That
 * something fits is checked against `abhost check` with it in that place. */
#include "cli-test.h"

#include <string.h>

static const char manifest[] =
    "problem: reconstruct\nepochs: 2\ndata: {plugin: digits, batch: 50}\n"
    "model:\n  plugin: auto-encoder\n  encoder: {plugin: mlp, units: [16]}\n"
    "  decoder: {plugin: mlp, units: []}\noptimizer: {lr: 1e-2}\n";

/* ---- the JSON -------------------------------------------------------------------------------- */

static JsonNode *found(const char *text, const char *slot, const char *plugins) {
  cli_write("e.yaml", text);
  GPtrArray *arguments = g_ptr_array_new();
  g_ptr_array_add(arguments, (gpointer) "equivalents");
  g_ptr_array_add(arguments, (gpointer) "e.yaml");
  g_ptr_array_add(arguments, (gpointer) "--json");
  if (slot) g_ptr_array_add(arguments, (gpointer) "--slot");
  if (slot) g_ptr_array_add(arguments, (gpointer)slot);
  if (plugins) g_ptr_array_add(arguments, (gpointer) "--plugin-path");
  if (plugins) g_ptr_array_add(arguments, (gpointer)plugins);
  g_ptr_array_add(arguments, NULL);
  g_autoptr(CliResult) result = cli_runv((const char *const *)arguments->pdata);
  g_ptr_array_unref(arguments);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  return cli_json(result->out);
}

static JsonArray *slots_of(JsonNode *root) {
  return json_object_get_array_member(json_node_get_object(root), "slots");
}

static JsonObject *slot_named(JsonNode *root, const char *path) {
  for (guint i = 0; i < json_array_get_length(slots_of(root)); i++) {
    JsonObject *slot = json_array_get_object_element(slots_of(root), i);
    if (strcmp(json_object_get_string_member(slot, "slot"), path) == 0) return slot;
  }
  g_error("there is no slot %s", path);
}

static JsonObject *component(JsonNode *root, const char *path, const char *name) {
  JsonArray *all = json_object_get_array_member(slot_named(root, path), "components");
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *one = json_array_get_object_element(all, i);
    if (strcmp(json_object_get_string_member(one, "name"), name) == 0) return one;
  }
  g_error("%s was not tried in %s", name, path);
}

static gboolean fits(JsonNode *root, const char *path, const char *name) {
  return json_object_get_boolean_member(component(root, path, name), "fits");
}

static void assert_misfit(JsonNode *root, const char *path, const char *name, const char *why) {
  JsonObject *one = component(root, path, name);
  g_assert_false(json_object_get_boolean_member(one, "fits"));
  const char *reason = json_object_get_string_member(one, "reason");
  if (!strstr(reason, why)) g_error("%s in %s: '%s' is not in: %s", name, path, why, reason);
  g_assert_null(strchr(reason, '\n'));
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void test_slots(void) {
  g_autoptr(JsonNode) root = found(manifest, NULL, NULL);
  static const char *const paths[] = {"data",          "noise",         "model",
                                      "model.encoder", "model.decoder", "loss",
                                      "regularizers",  "optimizer",     "optimizer.schedule",
                                      "controller",    "metrics"};
  g_assert_cmpuint(json_array_get_length(slots_of(root)), ==, G_N_ELEMENTS(paths));
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
    g_assert_cmpstr(
        json_object_get_string_member(json_array_get_object_element(slots_of(root), i), "slot"), ==,
        paths[i]);
  JsonObject *decoder = slot_named(root, "model.decoder");
  g_assert_cmpstr(json_object_get_string_member(decoder, "kind"), ==, "model");
  g_assert_cmpstr(json_object_get_string_member(decoder, "role"), ==, "decode");
  g_assert_true(json_object_get_boolean_member(decoder, "required"));
  g_assert_false(json_object_get_boolean_member(slot_named(root, "noise"), "required"));
  g_assert_true(json_object_get_boolean_member(slot_named(root, "metrics"), "list"));
  JsonArray *present = json_object_get_array_member(slot_named(root, "optimizer"), "present");
  g_assert_cmpstr(json_array_get_string_element(present, 0), ==, "adam"); /* the default */
}

/* A slot for many has a place for each; lists of the manifest are one slot. */
static void test_many(void) {
  g_autoptr(JsonNode) root =
      found("problem: classify\nepochs: 9\ndata: {plugin: digits, batch: 50}\n"
            "model: {plugin: dbn, layers: [{plugin: rbm, hidden: 8}, {plugin: rbm, hidden: 6}]}\n"
            "controller: {plugin: greedy, epochs: [1]}\noptimizer: adam\n"
            "regularizers: [{plugin: max-norm}, weight-decay]\n",
            NULL, NULL);
  static const char *const paths[] = {"model.layers.0", "model.layers.1", "controller.optimizer",
                                      "controller.corrupt"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) slot_named(root, paths[i]);
  g_assert_true(fits(root, "model.layers.1", "dbn"));
  assert_misfit(root, "model.layers.1", "auto-encoder", "the code of a layer of a deep belief");
  g_assert_true(fits(root, "controller.optimizer", "lion"));
  JsonArray *present = json_object_get_array_member(slot_named(root, "regularizers"), "present");
  g_assert_cmpuint(json_array_get_length(present), ==, 2);
  g_assert_true(
      json_object_get_boolean_member(component(root, "regularizers", "max-norm"), "present"));
}

static void test_agent(void) {
  g_autoptr(JsonNode) root =
      found("problem: act\nepochs: 1\nenvironment: {plugin: gridworld, steps: 50}\n"
            "model: {plugin: mlp, units: [8]}\ncontroller: {plugin: dqn}\noptimizer: adam\n",
            NULL, NULL);
  g_assert_true(fits(root, "environment", "cartpole"));
  g_assert_true(fits(root, "model", "mlp"));
  assert_misfit(root, "model", "rbm", "does not offer act");
  for (guint i = 0; i < json_array_get_length(slots_of(root)); i++)
    g_assert_cmpstr(
        json_object_get_string_member(json_array_get_object_element(slots_of(root), i), "slot"), !=,
        "data");
}

/* ---- what fits ------------------------------------------------------------------------------- */

/* What was tried is what a manifest with that component is. */
static void assert_as_checked(JsonNode *root, const char *path, const char *name) {
  JsonObject *one = component(root, path, name);
  g_assert_true(json_object_get_boolean_member(one, "fits"));
  g_autofree char *set = g_strdup_printf("%s={plugin: %s}", path, name);
  g_autoptr(CliResult) result = cli_run("check", "e.yaml", "--json", "--set", set, NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) checked = cli_json(result->out);
  g_assert_cmpfloat((double)json_object_get_int_member(one, "parameters"), ==,
                    cli_json_real(checked, "parameters"));
  g_assert_cmpfloat((double)json_object_get_int_member(one, "multiply_adds"), ==,
                    cli_json_real(checked, "multiply_adds"));
  g_assert_cmpfloat((double)json_object_get_int_member(one, "memory"), ==,
                    cli_json_real(checked, "memory/total"));
}

static void test_fits(void) {
  enum { OWN = 64 * 16 + 16 + 16 * 64 + 64 };
  g_autoptr(JsonNode) root = found(manifest, NULL, NULL);
  JsonObject *present = component(root, "model", "auto-encoder");
  g_assert_true(json_object_get_boolean_member(present, "present"));
  g_assert_cmpint(json_object_get_int_member(present, "parameters"), ==, OWN);
  g_assert_cmpint(json_object_get_int_member(present, "parameters_difference"), ==, 0);
  JsonObject *rbm = component(root, "model", "rbm"); /* 128 hidden units by default */
  g_assert_false(json_object_get_boolean_member(rbm, "present"));
  g_assert_cmpint(json_object_get_int_member(rbm, "parameters"), ==, 64 * 128 + 64 + 128);
  g_assert_cmpint(json_object_get_int_member(rbm, "parameters_difference"), ==,
                  64 * 128 + 64 + 128 - OWN);
  g_assert_cmpint(json_object_get_int_member(rbm, "multiply_adds_difference"), ==,
                  2 * 64 * 128 - 2 * 64 * 16);
  assert_as_checked(root, "model", "rbm");
  assert_as_checked(root, "model", "lstm-encoder-decoder");
  assert_as_checked(root, "optimizer", "sgd");
  assert_as_checked(root, "noise", "masking");
  assert_as_checked(root, "loss", "binary-cross-entropy");
  assert_as_checked(root, "optimizer.schedule", "cosine");
  assert_as_checked(root, "model.encoder", "rbm");
  /* a batch of other data is as large: data.batch is no parameter of it, and stays */
  JsonObject *labels = component(root, "data", "few-labels");
  g_assert_true(json_object_get_boolean_member(labels, "fits"));
}

static void test_misfits(void) {
  g_autoptr(JsonNode) root = found(manifest, NULL, NULL);
  assert_misfit(root, "model", "cnn", "does not offer reconstruct (it offers: encode");
  assert_misfit(root, "model.encoder", "generator", "does not offer encode");
  assert_misfit(root, "model.decoder", "rbm", "as wide as hidden (128), not 16");
  assert_misfit(root, "data", "csv", "needs file, which has no default (path)");
  assert_misfit(root, "data", "split", "needs of.file");
  assert_misfit(root, "controller", "greedy", "needs a model with layers");
  assert_misfit(root, "loss", "cross-entropy", "the target is not one class");
  assert_misfit(root, "metrics", "accuracy", "the target is not one class");
}

/* Everything of a slot's kind that is installed is told of, once. */
static void test_all(void) {
  g_autoptr(JsonNode) root = found(manifest, NULL, NULL);
  g_autoptr(CliResult) list = cli_run("list", "--json", NULL);
  g_autoptr(JsonNode) installed = cli_json(list->out);
  JsonArray *all = json_object_get_array_member(json_node_get_object(installed), "components");
  guint models = 0;
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *one = json_array_get_object_element(all, i);
    if (strcmp(json_object_get_string_member(one, "kind"), "model") != 0) continue;
    component(root, "model.encoder", json_object_get_string_member(one, "name"));
    models++;
  }
  JsonArray *tried = json_object_get_array_member(slot_named(root, "model.encoder"), "components");
  g_assert_cmpuint(json_array_get_length(tried), ==, models);
  gboolean misfits = FALSE; /* those that fit come first */
  for (guint i = 0; i < models; i++) {
    JsonObject *one = json_array_get_object_element(tried, i);
    gboolean fit = json_object_get_boolean_member(one, "fits");
    g_assert_false(fit && misfits);
    misfits |= !fit;
    g_assert_cmpint(json_object_get_boolean_member(one, "present"), ==, i == 0);
  }
}

/* ---- components that fail -------------------------------------------------------------------- */

/* A reason each, and what is tried after them is as without them. */
static void test_failing(void) {
  static const char spiral[] = "problem: classify\ndata: {plugin: spiral, batch: 20}\n"
                               "model: {plugin: mlp, units: [5]}\noptimizer: adam\n";
  cli_install("failing.so", "plugins");
  g_autoptr(JsonNode) root = found(spiral, NULL, "plugins"), plain = found(spiral, NULL, NULL);
  assert_misfit(root, "model", "a-refused", "it cannot be built here; take another");
  assert_misfit(root, "model", "a-silent", "classify returned nothing, and no error");
  assert_misfit(root, "model", "a-numbers", "a dry run asked for the numbers");
  assert_misfit(root, "optimizer", "a-still", "it moves nothing");
  g_assert_true(fits(root, "optimizer", "a-opaque"));
  JsonArray *all = json_object_get_array_member(slot_named(plain, "model"), "components");
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *without = json_array_get_object_element(all, i);
    const char *name = json_object_get_string_member(without, "name");
    g_assert_true(json_object_equal(without, component(root, "model", name)));
  }
}

/* One that crashes is a misfit like another, and all that come after it are tried. */
static void test_crashing(void) {
  static const char spiral[] = "problem: classify\ndata: {plugin: spiral, batch: 20}\n"
                               "model: {plugin: mlp, units: [5]}\noptimizer: adam\n";
  cli_install("faulty.so", "crashing");
  g_autoptr(JsonNode) root = found(spiral, "model", "crashing");
  assert_misfit(root, "model", "faulty", "crashes: SIGSEGV");
  g_assert_true(fits(root, "model", "mlp") && fits(root, "model", "stacked-auto-encoder"));
}

/* ---- the command ----------------------------------------------------------------------------- */

static void test_text(void) {
  cli_write("e.yaml", manifest);
  g_autoptr(CliResult) result =
      cli_run("equivalents", "e.yaml", "--slot", "model", "--set", "model.encoder.units=[8]", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  static const char *const parts[] = {"model: model that offers reconstruct, required\n",
                                      "parameters",
                                      "  *  auto-encoder",
                                      "1,096 ",
                                      "     rbm",
                                      "8,384 (+7,288)",
                                      "  would not fit\n",
                                      "    cnn "};
  const char *at = result->out;
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    const char *next = strstr(at, parts[i]);
    if (!next) g_error("'%s' is not behind what was found before in\n%s", parts[i], result->out);
    at = next;
  }
  g_assert_null(strstr(result->out, "optimizer:"));
  g_autoptr(CliResult) alike =
      cli_run("equivalents", "e.yaml", "--slot", "optimizer.schedule", NULL);
  cli_assert_status(alike, 0);
  g_assert_nonnull(strstr(alike->out, "; nothing is there\n"));
  g_assert_nonnull(strstr(alike->out, "learning rate"));
}

static void test_candidate(void) {
  g_autofree char *text =
      g_strconcat(manifest, "candidates: {rbm: {model: {plugin: rbm}}}\n", NULL);
  cli_write("e.yaml", text);
  g_autoptr(CliResult) result =
      cli_run("equivalents", "e.yaml", "--candidate", "rbm", "--slot", "model", "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_true(json_object_get_boolean_member(component(root, "model", "rbm"), "present"));
  g_assert_true(fits(root, "model", "auto-encoder"));
}

static void test_wrong(void) {
  cli_write("e.yaml", manifest);
  g_autoptr(CliResult) slot = cli_run("equivalents", "e.yaml", "--slot", "model.encodr", NULL);
  cli_assert_status(slot, AB_USAGE);
  cli_assert_says(slot, "'model.encodr' is no slot", "did you mean 'model.encoder'?", NULL);
  g_autoptr(CliResult) none = cli_run("equivalents", "nope.yaml", NULL);
  cli_assert_status(none, AB_NO_INPUT);
  cli_assert_says(none, "nope.yaml", "No such file", NULL);
  g_autoptr(CliResult) bad =
      cli_run("equivalents", "e.yaml", "--set", "model.encoder.unitz=3", NULL);
  g_autoptr(CliResult) check = cli_run("check", "e.yaml", "--set", "model.encoder.unitz=3", NULL);
  cli_assert_status(bad, AB_CONFIG);
  g_assert_cmpstr(bad->err, ==, check->err);
  g_assert_cmpstr(bad->out, ==, "");
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/equivalents/slots", test_slots);
  g_test_add_func("/equivalents/many", test_many);
  g_test_add_func("/equivalents/agent", test_agent);
  g_test_add_func("/equivalents/fits", test_fits);
  g_test_add_func("/equivalents/misfits", test_misfits);
  g_test_add_func("/equivalents/all", test_all);
  g_test_add_func("/equivalents/failing", test_failing);
  g_test_add_func("/equivalents/crashing", test_crashing);
  g_test_add_func("/equivalents/text", test_text);
  g_test_add_func("/equivalents/candidate", test_candidate);
  g_test_add_func("/equivalents/wrong", test_wrong);
  return cli_finish();
}
