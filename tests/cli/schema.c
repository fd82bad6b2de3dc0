/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost schema`, by a validator that is not ours: jsonschema for Python. What it takes and what
 * it refuses is compared with what `abhost check` says. */
#include "cli-test.h"

#include <string.h>

#define PYTHON "/usr/bin/python3"

/* ---- the validator --------------------------------------------------------------------------- */

static char *script(void) {
  return g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "tests/cli/schema_validate.py", NULL);
}

static void write_schema(void) {
  g_autoptr(CliResult) made = cli_run("schema", "--output", "schema.json", NULL);
  cli_assert_status(made, 0);
  g_assert_cmpstr(made->out, ==, "");
}

/* One answer for each path ("yes", "no", ...), NULL where there is no validator: the test is then
 * skipped. */
static char **validate(const GPtrArray *paths) {
  g_autofree char *program = script();
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (gpointer)PYTHON);
  g_ptr_array_add(argv, program);
  g_ptr_array_add(argv, (gpointer) "schema.json");
  for (guint i = 0; i < paths->len; i++) g_ptr_array_add(argv, paths->pdata[i]);
  g_ptr_array_add(argv, NULL);
  g_autoptr(CliResult) result = cli_spawn(NULL, (const char *const *)argv->pdata);
  if (result->status == 77 || result->status == 127) {
    g_test_skip(PYTHON " with jsonschema and yaml (Debian: python3-jsonschema python3-yaml)");
    return NULL;
  }
  cli_assert_status(result, 0);
  char **lines = g_strsplit(g_strchomp(result->out), "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, paths->len);
  return lines;
}

/* ---- manifests that are right ---------------------------------------------------------------- */

static GPtrArray *examples(void) {
  g_autofree char *folder = g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "examples", NULL);
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  GDir *dir = g_dir_open(folder, 0, NULL);
  g_assert_nonnull(dir);
  for (const char *name; (name = g_dir_read_name(dir));)
    if (g_str_has_suffix(name, ".yaml"))
      g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  g_dir_close(dir);
  return paths;
}

static void test_examples(void) {
  g_autoptr(GPtrArray) paths = examples();
  g_assert_cmpuint(paths->len, >=, 20);
  write_schema();
  g_auto(GStrv) answers = validate(paths);
  for (guint i = 0; answers && i < paths->len; i++)
    if (strcmp(answers[i], "yes") != 0)
      g_error("%s: the schema says %s", (char *)paths->pdata[i], answers[i]);
}

/* What `abhost inspect` shows of a component is a manifest's part. */
static void test_resolved(void) {
  g_autofree char *manifest = cli_example("spiral.yaml");
  g_autoptr(CliResult) ran =
      cli_run("run", manifest, "--epochs", "1", "--quiet", "--output", "resolved", NULL);
  cli_assert_status(ran, 0);
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  g_ptr_array_add(paths, (gpointer) "resolved/resolved.yaml");
  write_schema();
  g_auto(GStrv) answers = validate(paths);
  if (answers) g_assert_cmpstr(answers[0], ==, "yes");
}

/* ---- one difference each --------------------------------------------------------------------- */

#define SPIRAL "problem: classify\ndata: {plugin: spiral, samples: 20}\n"
#define DIGITS "problem: reconstruct\ndata: digits\n"
#define AUTO   "model: {plugin: auto-encoder, encoder: mlp, decoder: mlp}\n"

/* The first is right and the second wrong, to the schema as to `abhost check`. */
static const struct {
  const char *right, *wrong;
} pairs[] = {
    /* unknown keys: at the top, of a component, of a section, of a record, of a child */
    {SPIRAL "model: mlp\nseed: 1\n", SPIRAL "model: mlp\nsede: 1\n"},
    {SPIRAL "model: {plugin: mlp, units: [4]}\n", SPIRAL "model: {plugin: mlp, unit: [4]}\n"},
    {SPIRAL "model: mlp\nclip: {norm: 1}\n", SPIRAL "model: mlp\nclip: {normal: 1}\n"},
    {SPIRAL "model: mlp\noptimizer: {lr: 0.1, groups: [{match: '*', rate: 2}]}\n",
     SPIRAL "model: mlp\noptimizer: {lr: 0.1, groups: [{match: '*', lr: 2}]}\n"},
    {DIGITS "model: {plugin: auto-encoder, encoder: {plugin: mlp, units: [9]}, decoder: mlp}\n",
     DIGITS "model: {plugin: auto-encoder, encoder: {plugin: mlp, hidden: 9}, decoder: mlp}\n"},
    /* keys of settings belong to the data at the top, not to data within data */
    {"problem: classify\nmodel: mlp\ndata: {plugin: few-labels, of: digits, batch: 9}\n",
     "problem: classify\nmodel: mlp\ndata: {plugin: few-labels, of: {plugin: digits, batch: 9}}\n"},
    {SPIRAL "model: mlp\n",
     "problem: classify\nmodel: mlp\ndata: {plugin: spiral, transform: {rescale: [0, 1]}}\n"},
    /* types */
    {SPIRAL "model: mlp\nepochs: 3\n", SPIRAL "model: mlp\nepochs: many\n"},
    {SPIRAL "model: mlp\nepochs: 1e1\n", SPIRAL "model: mlp\nepochs: 2.5\n"},
    {SPIRAL "model: mlp\nepochs: 1_0\n", SPIRAL "model: mlp\nepochs: [1]\n"},
    {SPIRAL "model: mlp\noptimizer: {lr: 1e-2}\n", SPIRAL "model: mlp\noptimizer: {lr: fast}\n"},
    {SPIRAL "model: mlp\noptimizer: {lr: '0.01'}\n", SPIRAL "model: mlp\noptimizer: {lr: true}\n"},
    {SPIRAL "model: {plugin: mlp, units: [4, 4]}\n", SPIRAL "model: {plugin: mlp, units: 4}\n"},
    {"problem: classify\nmodel: mlp\ndata: {plugin: spiral, shuffle: false}\n",
     "problem: classify\nmodel: mlp\ndata: {plugin: spiral, shuffle: maybe}\n"},
    /* ranges and choices */
    {SPIRAL "model: {plugin: mlp, dropout: 0.5}\n", SPIRAL "model: {plugin: mlp, dropout: 1.5}\n"},
    {SPIRAL "model: {plugin: mlp, units: [4]}\n", SPIRAL "model: {plugin: mlp, units: [0]}\n"},
    {SPIRAL "model: {plugin: mlp, activation: tanh}\n",
     SPIRAL "model: {plugin: mlp, activation: tahn}\n"},
    {SPIRAL "model: mlp\nprecision: f64\n", SPIRAL "model: mlp\nprecision: f16\n"},
    /* components: unknown, of another kind, without the role, without a name, without a child */
    {SPIRAL "model: mlp\n", SPIRAL "model: mpl\n"},
    {SPIRAL "model: mlp\noptimizer: sgd\n", SPIRAL "model: mlp\noptimizer: rbm\n"},
    {DIGITS "model: rbm\n", SPIRAL "model: rbm\n"},
    {DIGITS "model: {plugin: auto-encoder, encoder: rbm, decoder: mlp}\n",
     DIGITS "model: {plugin: auto-encoder, encoder: auto-encoder, decoder: mlp}\n"},
    {DIGITS AUTO "noise: {plugin: gaussian, std: 0.1}\n", DIGITS AUTO "noise: {std: 0.1}\n"},
    {DIGITS AUTO "optimizer: {lr: 0.1}\n", DIGITS AUTO "optimizer: {hidden: 0.1}\n"},
    {DIGITS AUTO, DIGITS "model: {plugin: auto-encoder, encoder: mlp}\n"},
    {DIGITS AUTO, DIGITS "model: auto-encoder\n"},
    {DIGITS AUTO "regularizers: [{plugin: max-norm, limit: 3}]\n",
     DIGITS AUTO "regularizers: [{plugin: max-norm, limit: big}]\n"},
    {DIGITS AUTO "metrics: mse\n", DIGITS AUTO "metrics: adam\n"},
    /* what the problem asks for */
    {SPIRAL "model: mlp\n", "data: spiral\nmodel: mlp\n"},
    {SPIRAL "model: mlp\n", SPIRAL},
    {SPIRAL "model: mlp\n", "problem: classify\nmodel: mlp\n"},
    {"problem: act\nenvironment: {plugin: gridworld, steps: 9}\nmodel: mlp\ncontroller: dqn\n",
     "problem: act\ndata: spiral\nmodel: mlp\ncontroller: dqn\n"},
};

static gboolean accepts(const char *path) {
  g_autoptr(CliResult) checked = cli_run("check", path, NULL);
  return checked->status == 0;
}

static void test_pairs(void) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  write_schema();
  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
    g_ptr_array_add(paths, g_strdup_printf("right-%u.yaml", i));
    cli_write(paths->pdata[2 * i], pairs[i].right);
    g_ptr_array_add(paths, g_strdup_printf("wrong-%u.yaml", i));
    cli_write(paths->pdata[2 * i + 1], pairs[i].wrong);
  }
  g_auto(GStrv) answers = validate(paths);
  for (guint i = 0; answers && i < paths->len; i++) {
    gboolean right = i % 2 == 0;
    const char *text = right ? pairs[i / 2].right : pairs[i / 2].wrong;
    if (strcmp(answers[i], right ? "yes" : "no") != 0)
      g_error("the schema says %s to this manifest:\n%s", answers[i], text);
    if (!right && accepts(paths->pdata[i])) g_error("abhost check accepts this:\n%s", text);
  }
}

/* ---- candidates ------------------------------------------------------------------------------ */

static const struct {
  const char *text, *answer;
} candidates[] = {
    {DIGITS "candidates: {a: {model: rbm}, b: {"
            "model: {plugin: rbm, hidden: 4}, epochs: 2}}\n",
     "yes"},
    {DIGITS "candidates: {a: {model: rbm, epcohs: 2}}\n", "no"},
    {DIGITS "candidates: {a: {model: {plugin: rbm, hidden: none}}}\n", "no"},
    /* the role is that of the manifest, or the candidate's own */
    {DIGITS AUTO "candidates: {a: {problem: classify, model: mlp}}\n", "yes"},
    {DIGITS AUTO "candidates: {a: {problem: classify, model: rbm}}\n", "no"},
    {SPIRAL "model: mlp\ncandidates: {a: {model: rbm}}\n", "no"},
    {DIGITS AUTO "candidates: [rbm]\n", "no"},
};

static void test_candidates(void) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  write_schema();
  for (guint i = 0; i < G_N_ELEMENTS(candidates); i++) {
    g_ptr_array_add(paths, g_strdup_printf("candidates-%u.yaml", i));
    cli_write(paths->pdata[i], candidates[i].text);
  }
  g_auto(GStrv) answers = validate(paths);
  for (guint i = 0; answers && i < paths->len; i++)
    if (strcmp(answers[i], candidates[i].answer) != 0)
      g_error("the schema says %s to this manifest:\n%s", answers[i], candidates[i].text);
}

/* ---- the file -------------------------------------------------------------------------------- */

static JsonObject *definition(JsonNode *root, const char *name) {
  JsonObject *all = json_object_get_object_member(json_node_get_object(root), "definitions");
  if (!json_object_has_member(all, name)) g_error("there is no definition %s", name);
  return json_object_get_object_member(all, name);
}

/* Every component that is installed has its definition, with its parameters; an editor shows what
 * they are. */
static void test_complete(void) {
  g_autoptr(CliResult) made = cli_run("schema", NULL);
  g_autoptr(CliResult) list = cli_run("list", "--json", NULL);
  cli_assert_status(made, 0);
  g_autoptr(JsonNode) root = cli_json(made->out);
  g_autoptr(JsonNode) listed = cli_json(list->out);
  JsonArray *all = json_object_get_array_member(json_node_get_object(listed), "components");
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *one = json_array_get_object_element(all, i);
    g_autofree char *name = g_strdup_printf("%s.%s", json_object_get_string_member(one, "kind"),
                                            json_object_get_string_member(one, "name"));
    const char *text = json_object_get_string_member(definition(root, name), "description");
    g_assert_true(g_str_has_prefix(text, json_object_get_string_member(one, "doc")));
  }
  JsonObject *rbm = json_object_get_object_member(definition(root, "model.rbm"), "properties");
  JsonObject *hidden = json_object_get_object_member(rbm, "hidden");
  g_assert_cmpint(json_object_get_int_member(hidden, "default"), ==, 128);
  g_assert_cmpint(json_object_get_int_member(hidden, "minimum"), ==, 1);
  g_assert_nonnull(strstr(json_object_get_string_member(hidden, "description"), "units"));
}

static void test_same(void) {
  g_autoptr(CliResult) one = cli_run("schema", NULL);
  g_autoptr(CliResult) other = cli_run("schema", NULL);
  g_assert_cmpstr(one->out, ==, other->out);
  g_assert_null(strstr(one->out, g_getenv("ABHOST_SOURCE_ROOT")));
  g_assert_null(strstr(one->out, g_getenv("ABHOST_PLUGIN_PATH")));
  write_schema();
  g_autofree char *file = cli_read("schema.json");
  g_assert_cmpstr(file, ==, one->out);
}

static void test_output(void) {
  cli_write("file", "");
  g_autoptr(CliResult) within = cli_run("schema", "--output", "file/schema.json", NULL);
  cli_assert_status(within, AB_IO);
  cli_assert_says(within, "file", NULL);
  cli_mkdir("folder");
  g_autoptr(CliResult) folder = cli_run("schema", "--output", "folder", NULL);
  cli_assert_status(folder, AB_IO);
  cli_assert_says(folder, "folder", NULL);
  g_assert_cmpuint(cli_count_entries("folder"), ==, 0);
  cli_write("kept.json", "before");
  g_autoptr(CliResult) full = cli_run_limited(1000, "schema", "--output", "kept.json", NULL);
  g_assert_cmpint(full->status, !=, 0);
  g_autofree char *kept = cli_read("kept.json");
  g_assert_cmpstr(kept, ==, "before");
}

/* A schema of nothing would refuse everything. */
static void test_nothing_installed(void) {
  g_autofree char *before = g_strdup(g_getenv("ABHOST_PLUGIN_PATH"));
  g_setenv("ABHOST_PLUGIN_PATH", "", TRUE);
  g_setenv("XDG_DATA_HOME", "/nonexistent", TRUE);
  g_autoptr(CliResult) none = cli_run("schema", "--output", "none.json", NULL);
  g_setenv("ABHOST_PLUGIN_PATH", before, TRUE);
  cli_assert_status(none, AB_UNAVAILABLE);
  cli_assert_says(none, "no plugin is installed", NULL);
  g_assert_false(cli_exists("none.json"));
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/schema/examples", test_examples);
  g_test_add_func("/schema/resolved", test_resolved);
  g_test_add_func("/schema/pairs", test_pairs);
  g_test_add_func("/schema/candidates", test_candidates);
  g_test_add_func("/schema/complete", test_complete);
  g_test_add_func("/schema/same", test_same);
  g_test_add_func("/schema/output", test_output);
  g_test_add_func("/schema/nothing-installed", test_nothing_installed);
  return cli_finish();
}
