/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion as bash does it: the script is sourced, its function called with the words that
 * readline would give, and COMPREPLY looked at. */
#include "cli-test.h"

#include <string.h>

/* Prints what COMPREPLY is for the words after the first, which is the script. */
static const char asking[] = "source \"$1\"\n"
                             "shift\n"
                             "COMP_WORDS=(\"$@\")\n"
                             "COMP_CWORD=$(($# - 1))\n"
                             "_abhost abhost \"${COMP_WORDS[COMP_CWORD]}\" \"\"\n"
                             "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"\n"
                             "exit 0\n";

static gboolean have_bash(void) {
  const char *const argv[] = {"bash", "-c", "((BASH_VERSINFO[0] > 4))", NULL};
  g_autoptr(CliResult) result = cli_spawn(NULL, argv);
  if (result->status == 0) return TRUE;
  g_test_skip("there is no bash of version 5");
  return FALSE;
}

static void write_script(void) {
  g_autoptr(CliResult) script = cli_run("completion", "bash", NULL);
  cli_assert_status(script, 0);
  cli_write("abhost.bash", script->out);
  cli_write("ask.bash", asking);
}

/* The words as readline breaks them: "a=b" is three. Each line is a word that was offered. */
static char **complete(const char *const *words) {
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (gpointer) "bash");
  g_ptr_array_add(argv, (gpointer) "ask.bash");
  g_ptr_array_add(argv, (gpointer) "abhost.bash");
  g_ptr_array_add(argv, (gpointer)g_getenv("ABHOST_PROGRAM"));
  for (; *words; words++) g_ptr_array_add(argv, (gpointer)*words);
  g_ptr_array_add(argv, NULL);
  g_autoptr(CliResult) result = cli_spawn(NULL, (const char *const *)argv->pdata);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  return g_strsplit(g_strchomp(result->out), "\n", -1);
}

/* Fails unless `offered` is among the words, or, with a leading '!', is not. */
static void assert_offers(const char *const *words, const char *const *offered) {
  g_auto(GStrv) all = complete(words);
  g_autofree char *line = g_strjoinv(" ", (char **)words);
  g_autofree char *said = g_strjoinv(" ", all);
  for (; *offered; offered++) {
    gboolean wanted = **offered != '!';
    const char *word = *offered + !wanted;
    if (g_strv_contains((const char *const *)all, word) != wanted)
      g_error("'abhost %s': %s is %s among: %s", line, word, wanted ? "not" : "", said);
  }
}

#define WORDS(...)   ((const char *const[]){__VA_ARGS__, NULL})
#define OFFERED(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- commands and options -------------------------------------------------------------------- */

static void test_commands(void) {
  if (!have_bash()) return;
  write_script();
  assert_offers(WORDS("r"), OFFERED("run", "resume", "!list"));
  assert_offers(WORDS(""), OFFERED("list", "inspect", "!--help"));
  assert_offers(WORDS("--"), OFFERED("--help", "--version", "!run"));
  assert_offers(WORDS("nonsense", ""), OFFERED("!run", "!list"));
}

/* The options of a command are those of its help. */
static void test_options(void) {
  if (!have_bash()) return;
  write_script();
  g_autoptr(CliResult) help = cli_run("run", "--help", NULL);
  g_auto(GStrv) all = complete(WORDS("run", "--"));
  g_assert_cmpuint(g_strv_length(all), >=, 8);
  for (guint i = 0; all[i]; i++) g_assert_nonnull(strstr(help->out, all[i]));
  assert_offers(WORDS("run", "m.yaml", "--se"), OFFERED("--set", "--seed", "!--epochs"));
  assert_offers(WORDS("completion", "--"), OFFERED("--help", "!--words"));
}

/* ---- values ---------------------------------------------------------------------------------- */

static void test_installed(void) {
  if (!have_bash()) return;
  write_script();
  assert_offers(WORDS("list", ""), OFFERED("model", "optimizer"));
  assert_offers(WORDS("list", "--role", "re"), OFFERED("reconstruct", "!encode"));
  assert_offers(WORDS("list", "--role", "=", "enc"), OFFERED("encode", "!--role=encode"));
  assert_offers(WORDS("inspect", "m"), OFFERED("mlp", "mse", "!rbm"));
  assert_offers(WORDS("inspect", "model/r"), OFFERED("model/rbm", "!loss/mse"));
  assert_offers(WORDS("inspect", "mlp", ""), OFFERED("!rbm", "!mlp")); /* takes one */
  assert_offers(WORDS("apply", "run", "--split", ""), OFFERED("train", "validation", "test"));
  assert_offers(WORDS("apply", "run", "-i", "dig"), OFFERED("digits"));
  assert_offers(WORDS("man", "comp"), OFFERED("components", "completion", "!run"));
  assert_offers(WORDS("completion", ""), OFFERED("bash"));
}

static void test_files(void) {
  if (!have_bash()) return;
  write_script();
  cli_mkdir("here");
  cli_mkdir("here/below");
  cli_write("here/my manifest.yaml", "problem: classify\n");
  assert_offers(WORDS("run", "here/"), OFFERED("here/my manifest.yaml", "here/below"));
  assert_offers(WORDS("run", "m.yaml", "--output", "here/"),
                OFFERED("here/below", "!here/my manifest.yaml"));
  assert_offers(WORDS("run", "--output", "=", "here/b"), OFFERED("here/below"));
  assert_offers(WORDS("schema", "-o", "here/m"), OFFERED("here/my manifest.yaml"));
  assert_offers(WORDS("run", "--", "here/"), OFFERED("here/my manifest.yaml"));
}

/* ---- what the manifest says ------------------------------------------------------------------ */

static const char manifest[] = "problem: reconstruct\n"
                               "data: {plugin: digits, transform: {scale: [0, 1]}}\n"
                               "model:\n"
                               "  plugin: auto-encoder\n"
                               "  encoder: {plugin: mlp, units: [4]}\n"
                               "  decoder: mlp\n"
                               "regularizers: [{plugin: max-norm, limit: 3}]\n"
                               "candidates:\n"
                               "  small: {model: {plugin: rbm, hidden: 4}}\n"
                               "  other: {model: rbm}\n";

static void test_manifest(void) {
  if (!have_bash()) return;
  write_script();
  cli_write("m.yaml", manifest);
  assert_offers(WORDS("run", "m.yaml", "--candidate", ""), OFFERED("small", "other"));
  assert_offers(WORDS("run", "m.yaml", "--set", ""),
                OFFERED("seed=", "data.batch=", "data.transform.flip=", "model.encoder.units=",
                        "optimizer.lr=", "regularizers.0.limit=", "clip.norm=",
                        "!model.decoder.units=", "!model.hidden=", "!data.transform.batch="));
  assert_offers(WORDS("run", "m.yaml", "--candidate", "small", "--set", "model."),
                OFFERED("model.hidden=", "!model.encoder.units="));
  assert_offers(WORDS("run", "--set", "m", "nowhere.yaml"), OFFERED("!model="));
}

static void test_other_commands(void) {
  if (!have_bash()) return;
  write_script();
  cli_write("m.yaml", manifest);
  assert_offers(WORDS("compare", "m.yaml", "--candidates", "small,o"), OFFERED("small,other"));
  assert_offers(WORDS("compare", "m.yaml", "--candidates", "=", "small,o"), OFFERED("small,other"));
  assert_offers(WORDS("compare", "m.yaml", "optimizer.l"), OFFERED("optimizer.lr="));
  assert_offers(WORDS("equivalents", "m.yaml", "--slot", "model"),
                OFFERED("model", "model.encoder", "!model.plugin"));
}

/* After "=" readline begins a new word, and what is offered is that word alone. */
static void test_values(void) {
  if (!have_bash()) return;
  write_script();
  cli_write("m.yaml", manifest);
  assert_offers(WORDS("run", "m.yaml", "--set", "precision", "="), OFFERED("f32", "f64"));
  assert_offers(WORDS("run", "m.yaml", "--set", "model", "=", "r"), OFFERED("rbm", "!mlp"));
  assert_offers(WORDS("run", "m.yaml", "--set", "model.encoder.plugin", "=", ""),
                OFFERED("mlp", "rbm", "!generator"));
  assert_offers(WORDS("run", "m.yaml", "--set", "data.shuffle", "=", ""), OFFERED("true", "false"));
  assert_offers(WORDS("run", "m.yaml", "--set=model.tied", "=", "t"), OFFERED("!false"));
  assert_offers(WORDS("run", "m.yaml", "--set", "model.encoder.activation=re"),
                OFFERED("model.encoder.activation=relu")); /* where = breaks no words */
}

/* A manifest that is no YAML, and one that is not there, are no reason to say anything. */
static void test_broken(void) {
  if (!have_bash()) return;
  write_script();
  cli_write("broken.yaml", "problem: [reconstruct\n");
  assert_offers(WORDS("run", "broken.yaml", "--set", ""), OFFERED("!seed="));
  assert_offers(WORDS("run", "nowhere.yaml", "--candidate", ""), OFFERED("!small"));
  cli_write("odd.yaml", "problem: {a: b}\nmodel: [x]\ndata: 3\ncandidates: x\nclip: 7\n");
  assert_offers(WORDS("run", "odd.yaml", "--set", ""), OFFERED("seed=", "!clip.norm="));
  assert_offers(WORDS("run", "odd.yaml", "--candidate", ""), OFFERED("!x"));
}

static void test_usage(void) {
  g_autoptr(CliResult) other = cli_run("completion", "fish", NULL);
  cli_assert_status(other, AB_USAGE);
  cli_assert_says(other, "'fish' is no shell", "bash", NULL);
  g_autoptr(CliResult) many = cli_run("completion", "bash", "bash", NULL);
  cli_assert_status(many, AB_USAGE);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/completion/commands", test_commands);
  g_test_add_func("/completion/options", test_options);
  g_test_add_func("/completion/installed", test_installed);
  g_test_add_func("/completion/files", test_files);
  g_test_add_func("/completion/manifest", test_manifest);
  g_test_add_func("/completion/other-commands", test_other_commands);
  g_test_add_func("/completion/values", test_values);
  g_test_add_func("/completion/broken", test_broken);
  g_test_add_func("/completion/usage", test_usage);
  return cli_finish();
}
