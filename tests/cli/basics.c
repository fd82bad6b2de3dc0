/* SPDX-License-Identifier: Apache-2.0
 *
 * The program without a run: help, commands, `list` and `inspect`. */
#include "cli-test.h"

#include <string.h>

/* ---- help ---------------------------------------------------------------------------------- */

static void test_help(void) {
  static const char *const commands[] = {"run",   "resume", "evaluate", "apply",
                                         "check", "list",   "inspect"};
  g_autoptr(GPtrArray) names = cli_commands();
  for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
    g_assert_true(g_ptr_array_find_with_equal_func(names, commands[i], g_str_equal, NULL));
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *start = g_strdup_printf("Usage:\n  abhost %s", (char *)names->pdata[i]);
    g_autoptr(CliResult) result = cli_run(names->pdata[i], "--help", NULL);
    cli_assert_status(result, 0);
    g_assert_cmpstr(result->err, ==, "");
    g_assert_true(g_str_has_prefix(result->out, start));
    g_assert_nonnull(strstr(result->out, "--help"));
  }
}

static void test_version(void) {
  g_autoptr(CliResult) result = cli_run("--version", NULL);
  cli_assert_status(result, 0);
  g_assert_true(g_str_has_prefix(result->out, "abhost 0."));
  g_assert_nonnull(strstr(result->out, "ABI"));
}

static void test_usage(void) {
  g_autoptr(CliResult) none = cli_run(NULL, NULL);
  cli_assert_status(none, AB_USAGE);
  cli_assert_says(none, "command", "abhost --help", NULL);
  g_autoptr(CliResult) slip = cli_run("rnu", "x.yaml", NULL);
  cli_assert_status(slip, AB_USAGE);
  cli_assert_says(slip, "'rnu'", "did you mean 'run'?", NULL);
  g_autoptr(CliResult) far = cli_run("transmogrify", NULL);
  cli_assert_status(far, AB_USAGE);
  cli_assert_says(far, "'transmogrify'", "abhost --help", NULL);
  g_assert_null(strstr(far->err, "did you mean"));
  g_autoptr(GPtrArray) names = cli_commands();
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *see = g_strdup_printf("abhost %s --help", (char *)names->pdata[i]);
    g_autoptr(CliResult) option = cli_run(names->pdata[i], "--nonsense", NULL);
    cli_assert_status(option, AB_USAGE);
    cli_assert_says(option, "--nonsense", see, NULL);
    cli_assert_message(option, 2);
    g_assert_cmpstr(option->out, ==, "");
  }
}

/* ---- list ---------------------------------------------------------------------------------- */

static JsonArray *listed(JsonNode *root) {
  return json_object_get_array_member(json_node_get_object(root), "components");
}

static const char *member(JsonArray *components, guint index, const char *name) {
  return json_object_get_string_member(json_array_get_object_element(components, index), name);
}

/* Whether a component from a file <kind>-<stem>.so is listed. */
static gboolean is_listed(JsonArray *components, const char *stem) {
  for (guint i = 0; i < json_array_get_length(components); i++) {
    g_autofree char *file = g_path_get_basename(member(components, i, "file"));
    g_autofree char *expected = g_strdup_printf("%s-%s.so", member(components, i, "kind"), stem);
    if (strcmp(file, expected) == 0) return TRUE;
  }
  return FALSE;
}

/* Every C file and folder of plugins/KIND is one component, or several that differ in little. */
static guint assert_shipped(const char *folder, JsonArray *components) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  guint count = 0;
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *stem = g_strdup(name);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_str_has_suffix(name, ".c"))
      stem[strlen(stem) - 2] = '\0';
    else if (!g_file_test(path, G_FILE_TEST_IS_DIR))
      continue;
    if (!is_listed(components, stem)) g_error("%s is not listed", path);
    count++;
  }
  if (dir) g_dir_close(dir);
  return count;
}

static void test_list_all(void) {
  g_autoptr(CliResult) result = cli_run("list", "--json", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_autofree char *plugins = g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "plugins", NULL);
  GDir *dir = g_dir_open(plugins, 0, NULL);
  guint count = 0;
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *folder = g_build_filename(plugins, name, NULL);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR)) count += assert_shipped(folder, listed(root));
  }
  if (dir) g_dir_close(dir);
  g_assert_cmpuint(count, >=, 22);
  g_autoptr(CliResult) table = cli_run("list", NULL);
  for (guint i = 0; i < json_array_get_length(listed(root)); i++)
    g_assert_nonnull(strstr(table->out, member(listed(root), i, "name")));
}

static void test_list_some(void) {
  g_autoptr(CliResult) models = cli_run("list", "model", "--role", "classify", NULL);
  cli_assert_status(models, 0);
  g_assert_nonnull(strstr(models->out, "mlp"));
  g_assert_null(strstr(models->out, "rbm"));
  g_autoptr(CliResult) encoders = cli_run("list", "model", "--role", "encode", NULL);
  cli_assert_status(encoders, 0);
  g_assert_nonnull(strstr(encoders->out, "mlp"));
  g_assert_nonnull(strstr(encoders->out, "rbm"));
  g_assert_null(strstr(encoders->out, "adam"));
  g_autoptr(CliResult) none = cli_run("list", "nokind", NULL);
  cli_assert_status(none, AB_USAGE);
  cli_assert_says(none, "'nokind' is no kind", "optimizer", NULL);
  g_autoptr(CliResult) slip = cli_run("list", "modle", NULL);
  cli_assert_says(slip, "did you mean 'model'?", NULL);
  g_autoptr(CliResult) role = cli_run("list", "--role", "encod", NULL);
  cli_assert_status(role, AB_USAGE);
  cli_assert_says(role, "did you mean 'encode'?", NULL);
}

/* ---- inspect ------------------------------------------------------------------------------- */

static void test_inspect(void) {
  g_autoptr(CliResult) rbm = cli_run("inspect", "rbm", NULL);
  cli_assert_status(rbm, 0);
  g_assert_nonnull(strstr(rbm->out, "model/rbm"));
  g_assert_nonnull(strstr(rbm->out, "Hinton"));
  g_assert_nonnull(strstr(rbm->out, "hidden"));
  g_autoptr(CliResult) both = cli_run("inspect", "mse", NULL);
  cli_assert_status(both, 0);
  g_assert_nonnull(strstr(both->out, "loss/mse"));
  g_assert_nonnull(strstr(both->out, "metric/mse"));
  g_autoptr(CliResult) one = cli_run("inspect", "metric/mse", NULL);
  g_assert_null(strstr(one->out, "loss/mse"));
  g_autoptr(CliResult) json = cli_run("inspect", "mse", "--json", NULL);
  g_autoptr(JsonNode) root = cli_json(json->out);
  g_assert_cmpuint(json_array_get_length(listed(root)), ==, 2);
}

/* What libgomp says of itself as it is loaded. */
static gboolean waits_shortly(const char *command) {
  g_autoptr(CliResult) result = cli_run(command, "nowhere", NULL);
  cli_assert_status(result, AB_NO_INPUT);
  return strstr(result->err, "GOMP_SPINCOUNT = '10000'") != NULL;
}

/* Threads that wait leave their core soon, unless the user has said how they are to wait. */
static void test_waiting(void) {
  g_autofree char *before = g_strdup(g_getenv("GOMP_SPINCOUNT"));
  g_unsetenv("GOMP_SPINCOUNT");
  g_setenv("OMP_DISPLAY_ENV", "verbose", TRUE);
  g_assert_true(waits_shortly("run"));
  g_assert_true(waits_shortly("resume"));
  g_assert_false(waits_shortly("check"));
  g_setenv("OMP_WAIT_POLICY", "active", TRUE);
  g_assert_false(waits_shortly("run"));
  g_unsetenv("OMP_WAIT_POLICY");
  g_setenv("GOMP_SPINCOUNT", "77", TRUE);
  g_assert_false(waits_shortly("run"));
  g_unsetenv("OMP_DISPLAY_ENV");
  g_unsetenv("GOMP_SPINCOUNT");
  if (before) g_setenv("GOMP_SPINCOUNT", before, TRUE);
}

/* Manifests that a fragment may go into, in place of the line with its key. For one of them every
 * component has a use.                                                                           */
static const char *const manifests[][8] = {
    {"problem: classify", "data: digits", "model: mlp"},
    {"problem: reconstruct", "data: digits",
     "model: {plugin: auto-encoder, encoder: mlp, decoder: mlp}"},
    {"problem: reconstruct", "data: digits",
     "model: {plugin: stacked-auto-encoder, layers: [rbm, rbm]}", "epochs: 30"},
    {"problem: reconstruct", "data: digits", "model: rbm"},
    {"problem: generate", "data: digits", "model: {plugin: generator, decoder: mlp}",
     "controller: {plugin: gan, discriminator: mlp}"},
    {"problem: score", "data: digits", "model: rbm"},
    {"problem: predict", "data: text", "model: gru", "loss: cross-entropy", "metrics: accuracy"},
    {"problem: act", "environment: cartpole", "model: mlp", "controller: dqn"},
};

/* The key of a line at the top of a manifest, with the colon. */
static char *key_of(const char *line) {
  return g_strndup(line, strcspn(line, ":") + 1);
}

static char *manifest_around(const char *fragment, const char *kind, const char *const *lines) {
  GString *text = g_string_new(NULL);
  g_autofree char *inside = NULL;
  if (strcmp(kind, "schedule") == 0) { /* it has its place in an optimizer */
    g_auto(GStrv) own = g_strsplit(fragment, "\n", -1);
    g_autofree char *indented = g_strjoinv("\n  ", own);
    fragment = inside = g_strdup_printf("optimizer:\n  plugin: sgd\n  %s\n", indented);
  }
  g_autofree char *key = key_of(fragment);
  for (; *lines; lines++)
    if (!g_str_has_prefix(*lines, key)) g_string_append_printf(text, "%s\n", *lines);
  g_string_append(text, fragment);
  return g_string_free(text, FALSE);
}

static void assert_fragment_fits(const char *fragment, const char *kind, const char *name) {
  g_autoptr(GString) said = g_string_new(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(manifests); i++) {
    g_autofree char *manifest = manifest_around(fragment, kind, manifests[i]);
    cli_write("fragment.yaml", manifest);
    g_autoptr(CliResult) result = cli_run("check", "fragment.yaml", NULL);
    if (result->status == 0) return;
    g_string_append_printf(said, "%s\n%s\n", manifest, result->err);
  }
  g_error("%s %s: the fragment is not accepted:\n%s", kind, name, said->str);
}

static void test_fragments(void) {
  g_autoptr(CliResult) result = cli_run("list", "--json", NULL);
  g_autoptr(JsonNode) root = cli_json(result->out);
  guint checked = 0;
  for (guint i = 0; i < json_array_get_length(listed(root)); i++) {
    const char *kind = member(listed(root), i, "kind"), *name = member(listed(root), i, "name");
    g_autofree char *full = g_strdup_printf("%s/%s", kind, name);
    g_autoptr(CliResult) shown = cli_run("inspect", full, NULL);
    g_autoptr(CliResult) json = cli_run("inspect", full, "--json", NULL);
    cli_assert_status(shown, 0);
    g_autoptr(JsonNode) node = cli_json(json->out);
    const char *fragment = member(listed(node), 0, "manifest");
    g_assert_nonnull(strstr(shown->out, fragment));
    if (strstr(fragment, ": FILE")) continue; /* needs one */
    assert_fragment_fits(fragment, kind, name);
    checked++;
  }
  g_assert_cmpuint(checked, >=, 19);
}

/* ---- output that cannot be written --------------------------------------------------------- */

static void test_full_output(void) {
  g_autofree char *line = g_strdup_printf("'%s' list >/dev/full", g_getenv("ABHOST_PROGRAM"));
  const char *const argv[] = {"/bin/sh", "-c", line, NULL};
  g_autoptr(CliResult) result = cli_spawn(NULL, argv);
  cli_assert_status(result, AB_IO);
  cli_assert_says(result, "No space left", NULL);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/basics/help", test_help);
  g_test_add_func("/basics/version", test_version);
  g_test_add_func("/basics/usage", test_usage);
  g_test_add_func("/basics/list/all", test_list_all);
  g_test_add_func("/basics/list/some", test_list_some);
  g_test_add_func("/basics/inspect", test_inspect);
  g_test_add_func("/basics/fragments", test_fragments);
  g_test_add_func("/basics/waiting", test_waiting);
  g_test_add_func("/basics/full-output", test_full_output);
  return cli_finish();
}
