/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost runs`, of run folders that are written by hand. */
#include "cli-test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#define RESULT                                                                                 \
  "{\"format\":1,\"program\":\"abhost 0.1.0\",\"status\":\"%s\",\"reason\":%s,"                \
  "\"problem\":\"reconstruct\",\"model\":\"%s\",\"seed\":%d,\"device\":\"cpu\",\"epochs\":%d," \
  "\"steps\":%d,\"stopped_by\":null,\"parameters\":%d,\"seconds\":%s,"                         \
  "\"metrics\":[{\"name\":\"mse\",\"higher_is_better\":false}],"                               \
  "\"results\":{\"train\":{\"loss\":0.5},\"validation\":{\"loss\":0.4,\"mse\":0.3},"           \
  "\"test\":{\"psnr\":9,\"mse\":%s}}}"

/* ---- folders --------------------------------------------------------------------------------- */

static void put(const char *folder, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  cli_write(path, text);
}

/* A run that began at noon on a day of March 2026. */
static void make_run(const char *folder, int day, const char *resolved) {
  g_autofree char *path = g_build_filename(folder, "resolved.yaml", NULL);
  cli_mkdir(folder);
  cli_write(path, resolved);
  g_autoptr(GDateTime) time = g_date_time_new_local(2026, 3, day, 12, 0, 0);
  struct utimbuf times = {g_date_time_to_unix(time), g_date_time_to_unix(time)};
  g_assert_cmpint(g_utime(path, &times), ==, 0);
}

static void make_result(const char *folder, const char *status, const char *reason,
                        const char *model, int seed, int epochs, const char *seconds,
                        const char *mse) {
  g_autofree char *text = g_strdup_printf(RESULT, status, reason, model, seed, epochs, epochs * 10,
                                          1000 * seed, seconds, mse);
  put(folder, "result.json", text);
}

/* Three runs that have ended, one of them in a comparison, and one that has not. */
static void make_all(void) {
  cli_remove("runs");
  make_run("runs/b", 1,
           "problem: reconstruct\nseed: 3\nepochs: 20\n"
           "model: {plugin: rbm, hidden: 64}\noptimizer: {plugin: sgd, lr: 1e-3}\n");
  make_result("runs/b", "done", "null", "rbm", 3, 12, "120.4", "0.03125");
  make_run("runs/a", 2,
           "problem: reconstruct\nseed: 1\nepochs: 20\n"
           "model: {plugin: mlp, units: [8, 2]}\noptimizer: {plugin: sgd, lr: 0.01}\n");
  make_result("runs/a", "done", "null", "mlp", 1, 20, "1.25", "0.125");
  make_run("runs/compare/runs/rbm-seed1", 3,
           "problem: reconstruct\nseed: 1\nepochs: 20\nmodel: {plugin: rbm, hidden: 128}\n");
  make_result("runs/compare/runs/rbm-seed1", "diverged", "\"the loss of step 7\\nis not finite\"",
              "rbm", 1, 0, "0.5", "null");
  make_run("runs/c", 4, "problem: classify\nseed: 5\nepochs: 9\nmodel: {plugin: cnn, hidden: 9}\n");
  put("runs/c", "metrics.jsonl",
      "{\"event\":\"epoch\",\"epoch\":1,\"step\":7,\"seconds\":1,\"train\":{\"loss\":3},"
      "\"validation\":{\"loss\":2,\"accuracy\":0.5}}\n"
      "{\"event\":\"epoch\",\"epoch\":2,\"step\":14,\"seconds\":2.5,\"train\":{\"loss\":1},"
      "\"validation\":{\"loss\":0.75,\"accuracy\":0.625}}\n"
      "{\"event\":\"epoch\",\"epoch\":3,\"st");
  cli_mkdir("runs/.hidden");
  make_run("runs/.hidden/x", 5, "problem: classify\n");
  put("runs", "note.txt", "no run\n");
}

/* ---- what is listed -------------------------------------------------------------------------- */

/* The first words of the rows, with a blank after each. */
static char *names(const CliResult *result) {
  g_auto(GStrv) lines = g_strsplit(result->out, "\n", -1);
  GString *all = g_string_new(NULL);
  for (guint i = 1; lines[0] && lines[i]; i++)
    if (*lines[i]) g_string_append_printf(all, "%.*s ", (int)strcspn(lines[i], " "), lines[i]);
  return g_string_free(all, FALSE);
}

static const char *line_of(const CliResult *result, const char *name) {
  static char line[500];
  g_autofree char *start = g_strdup_printf("\n%s ", name);
  const char *at = strstr(result->out, start);
  if (!at) g_error("no row '%s' in\n%s", name, result->out);
  g_snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
  return line;
}

/* The words of the row, each after the one before. */
static void assert_row(const CliResult *result, const char *name, const char *const *words) {
  const char *at = line_of(result, name);
  for (guint i = 0; words[i]; i++) {
    const char *found = strstr(at, words[i]);
    if (!found) g_error("'%s' is not (or not there) in\n%s", words[i], result->out);
    at = found + strlen(words[i]);
  }
}

static void test_list(void) {
  static const char *const rows[][9] = {
      {"b", "reconstruct", "rbm", "done", "12", "120", "3", "120", "test/mse 0.03125"},
      {"a", "reconstruct", "mlp", "done", "20", "200", "1", "1.25", "test/mse 0.125"},
      {"c", "classify", "cnn", "unfinished", "2/9", "14", "5", "2.5", "validation/accuracy 0.625"}};
  static const char *const dates[] = {"2026-03-01 12:00", "2026-03-02 12:00", "2026-03-04 12:00"};
  make_all();
  g_autoptr(CliResult) result = cli_run("runs", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *words[11] = {0};
    memcpy(words, rows[i], sizeof rows[i]);
    words[9] = dates[i];
    assert_row(result, rows[i][0], words);
  }
  assert_row(result, "compare/runs/rbm-seed1",
             (const char *const[]){"rbm", "diverged", "0/20", "test/mse nan",
                                   "the loss of step 7 is not finite", NULL});
  g_autofree char *order = names(result);
  g_assert_cmpstr(order, ==, "b a compare/runs/rbm-seed1 c ");
}

static void test_one(void) {
  make_all();
  g_autoptr(CliResult) result = cli_run("runs", "runs/a", NULL);
  g_autofree char *name = names(result);
  g_assert_cmpstr(name, ==, "a ");
  cli_mkdir("empty");
  g_autoptr(CliResult) none = cli_run("runs", "empty", "--sort", "x", NULL);
  cli_assert_status(none, 0);
  cli_assert_says(none, "no run", "empty", NULL);
  g_assert_cmpstr(none->out, ==, "");
  g_autoptr(CliResult) absent = cli_run("runs", "absent", NULL);
  cli_assert_status(absent, AB_NO_INPUT);
  cli_assert_says(absent, "absent", NULL);
  g_autoptr(CliResult) file = cli_run("runs", "runs/note.txt", NULL);
  cli_assert_status(file, AB_NO_INPUT);
  cli_assert_message(file, 1);
}

/* Filters, or a sort, and the names that are left. */
static void test_choice(void) {
  static const char *const cases[][4] = {
      {"--filter", "model=rbm", "b compare/runs/rbm-seed1 "},
      {"--filter", "seed=1.0", "a compare/runs/rbm-seed1 "},
      {"--filter", "seed>1", "b c "},
      {"--filter", "seed<3", "a compare/runs/rbm-seed1 "},
      {"--filter", "seed>=3", "b c "},
      {"--filter", "epochs<=2", "compare/runs/rbm-seed1 c "},
      {"--filter", "test/mse<0.1", "b "},
      {"--filter", "test/psnr=9", "b a compare/runs/rbm-seed1 "},
      {"--filter", "metric>0.1", "a c "},
      {"--filter", "parameters>1000", "b "},
      {"--filter", "model.hidden>63", "b compare/runs/rbm-seed1 "},
      {"--filter", "optimizer.lr=0.001", "b "},
      {"--filter", "model.units=[8, 2]", "a "},
      {"--filter", "status=unfinished", "c "},
      {"--filter", "status=neither", ""},
      {"--filter", "date>2026-03-02 13", "compare/runs/rbm-seed1 c "},
      {"--sort", "name", "a b c compare/runs/rbm-seed1 "},
      {"--sort", "-name", "compare/runs/rbm-seed1 c b a "},
      {"--sort", "seed", "a compare/runs/rbm-seed1 b c "},
      {"--sort", "-seconds", "b c a compare/runs/rbm-seed1 "},
      {"--sort", "model.hidden", "c b compare/runs/rbm-seed1 a "},
      {"--sort", "-model.hidden", "compare/runs/rbm-seed1 b c a "},
      {"--sort", "test/mse", "b a compare/runs/rbm-seed1 c "},
      {"--sort", "-test/mse", "a b compare/runs/rbm-seed1 c "},
  };
  make_all();
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(CliResult) result = cli_run("runs", cases[i][0], cases[i][1], NULL);
    cli_assert_status(result, 0);
    g_autofree char *found = names(result);
    if (strcmp(found, cases[i][2]) != 0)
      g_error("%s %s: '%s' instead of '%s'", cases[i][0], cases[i][1], found, cases[i][2]);
  }
  g_autoptr(CliResult) both =
      cli_run("runs", "--filter", "seed<5", "--filter", "model=rbm", "--sort", "-seed", NULL);
  g_autofree char *found = names(both);
  g_assert_cmpstr(found, ==, "b compare/runs/rbm-seed1 ");
}

static void test_bad_choice(void) {
  make_all();
  g_autoptr(CliResult) unknown = cli_run("runs", "--filter", "model.hiden=3", NULL);
  cli_assert_status(unknown, AB_USAGE);
  cli_assert_says(unknown, "'model.hiden'", "did you mean 'model.hidden'?", "seconds", "parameters",
                  "test/psnr", "model.units", "abhost runs --help", NULL);
  g_assert_null(strstr(unknown->err, "optimizer"));
  g_autoptr(CliResult) sort = cli_run("runs", "--sort", "wheels", NULL);
  cli_assert_status(sort, AB_USAGE);
  cli_assert_says(sort, "'wheels'", "model.*", "optimizer.*", NULL);
  g_autoptr(CliResult) text = cli_run("runs", "--filter", "seed<few", NULL);
  cli_assert_status(text, AB_USAGE);
  cli_assert_says(text, "'few'", "no number", NULL);
  static const char *const bad[] = {"seed", "=3", "", "<"};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(CliResult) result = cli_run("runs", "--filter", bad[i], NULL);
    cli_assert_status(result, AB_USAGE);
    cli_assert_says(result, "KEY=VALUE", NULL);
    g_assert_cmpstr(result->out, ==, "");
  }
}

static void test_json(void) {
  make_all();
  g_autoptr(CliResult) result = cli_run("runs", "--json", "--sort", "name", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  JsonArray *runs = json_object_get_array_member(json_node_get_object(root), "runs");
  g_assert_cmpuint(json_array_get_length(runs), ==, 4);
  JsonNode *a = json_array_get_element(runs, 0), *c = json_array_get_element(runs, 2);
  JsonNode *diverged = json_array_get_element(runs, 3);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(a), "folder"), ==, "runs/a");
  g_assert_cmpfloat(cli_json_real(a, "seed"), ==, 1);
  g_assert_cmpfloat(cli_json_real(a, "parameters"), ==, 1000);
  g_assert_cmpfloat(cli_json_real(a, "metric"), ==, 0.125);
  g_assert_cmpfloat(cli_json_real(a, "results/validation/mse"), ==, 0.3);
  g_assert_cmpfloat(cli_json_real(c, "epochs"), ==, 2);
  g_assert_cmpfloat(cli_json_real(c, "wanted_epochs"), ==, 9);
  g_assert_cmpfloat(cli_json_real(c, "results/validation/accuracy"), ==, 0.625);
  g_assert_true(cli_json_has(diverged, "results/test/mse"));
  g_assert_true(isnan(cli_json_real(diverged, "results/test/mse")));
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(diverged), "reason"), ==,
                  "the loss of step 7\nis not finite");
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void make_damaged(const char *name, const char *file, const char *text) {
  g_autofree char *folder = g_build_filename("bad", name, NULL);
  make_run(folder, 1, "problem: classify\nseed: 5\nepochs: 9\nmodel: {plugin: cnn}\n");
  put(folder, file, text);
}

/* Each says what is damaged, and the others are there. */
static void test_damage(void) {
  g_autofree char *deep = g_strnfill(100000, '[');
  g_autofree char *long_text = g_strnfill(2 << 20, ' ');
  const char *const cases[][4] = {
      {"cut", "result.json", "{\"format\":1,\"sta", "result.json is no JSON"},
      {"deep", "result.json", deep, "nested too deeply"},
      {"empty", "result.json", "", "result.json"},
      {"format", "result.json", "{\"format\":7,\"status\":\"done\"}", "format 7"},
      {"list", "result.json", "[]", "no object"},
      {"long", "result.json", long_text, "too much"},
      {"lines", "metrics.jsonl", "{\"event\":\"epoch\",\"epoch\":1}\nrubbish\n", "metrics.jsonl"},
      {"utf8", "result.json", "{\"format\":1,\"status\":\"\xff\"}", "UTF-8"},
      {"yaml", "resolved.yaml", "a: [1\nb: {", "resolved.yaml:"},
  };
  cli_remove("bad");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    make_damaged(cases[i][0], cases[i][1], cases[i][2]);
  make_damaged("types", "result.json",
               "{\"format\":1,\"status\":\"do\\u001bne\",\"seed\":{},\"epochs\":\"x\","
               "\"metrics\":[3],\"results\":{\"test\":[],\"train\":{\"loss\":\"a\"}}}");
  make_damaged("folder", "metrics.jsonl", "");
  cli_remove("bad/folder/metrics.jsonl");
  cli_mkdir("bad/folder/metrics.jsonl");
  make_damaged("pipe", "metrics.jsonl", "");
  g_assert_cmpint(mkfifo("bad/pipe/result.json", 0666), ==, 0);
  g_autoptr(CliResult) result = cli_run("runs", "bad", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    assert_row(
        result, cases[i][0],
        (const char *const[]){g_str_has_prefix(cases[i][1], "result") ? "damaged" : "unfinished",
                              cases[i][3], NULL});
  assert_row(result, "folder", (const char *const[]){"unfinished", "no plain file", NULL});
  assert_row(result, "pipe", (const char *const[]){"damaged", "no plain file", NULL});
  g_assert_null(strchr(result->out, '\033'));
  g_assert_nonnull(line_of(result, "types"));
  g_autoptr(CliResult) json = cli_run("runs", "bad", "--json", NULL);
  cli_assert_status(json, 0);
  json_node_unref(cli_json(json->out));
}

/* A run that goes on holds a lock. */
static void test_running(void) {
  make_all();
  put("runs/c", "log.txt", "begun\n");
  g_autoptr(CliResult) before = cli_run("runs", NULL);
  assert_row(before, "c", (const char *const[]){"unfinished", NULL});
  int fd = open("runs/c/log.txt", O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
  g_autoptr(CliResult) result = cli_run("runs", "--filter", "status=running", NULL);
  close(fd);
  g_autofree char *found = names(result);
  g_assert_cmpstr(found, ==, "c ");
  make_result("runs/c", "done", "null", "cnn", 5, 4, "3", "1");
  g_autofree char *text = cli_read("runs/c/result.json");
  g_auto(GStrv) parts = g_strsplit(text, "\"stopped_by\":null", 2);
  g_autofree char *stopped = g_strjoinv("\"stopped_by\":\"early stopping\"", parts);
  put("runs/c", "result.json", stopped);
  g_autoptr(CliResult) after = cli_run("runs", NULL);
  assert_row(after, "c", (const char *const[]){"done", "4", "ended by early stopping", NULL});
}

/* Folders that cannot be entered, and links that lead around. */
static void test_links(void) {
  make_all();
  g_assert_cmpint(symlink("..", "runs/a/around"), ==, 0);
  cli_mkdir("runs/closed");
  g_assert_cmpint(g_chmod("runs/closed", 0), ==, 0);
  g_autoptr(CliResult) result = cli_run("runs", NULL);
  g_assert_cmpint(g_chmod("runs/closed", 0700), ==, 0);
  cli_assert_status(result, 0);
  if (getuid() != 0) cli_assert_says(result, "runs/closed", NULL);
  g_autofree char *order = names(result);
  g_assert_cmpstr(order, ==, "b a compare/runs/rbm-seed1 c ");
}

/* What the program itself leaves. */
static void test_real(void) {
  g_autofree char *example = cli_example("spiral.yaml");
  g_autoptr(CliResult) run =
      cli_run("run", example, "--output", "real/spiral", "--epochs", "1", "-q", NULL);
  cli_assert_status(run, 0);
  g_autoptr(CliResult) result = cli_run("runs", "real", NULL);
  cli_assert_status(result, 0);
  assert_row(result, "spiral",
             (const char *const[]){"classify", "mlp", "done", "1", "test/accuracy", NULL});
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/runs/list", test_list);
  g_test_add_func("/runs/one", test_one);
  g_test_add_func("/runs/choice", test_choice);
  g_test_add_func("/runs/bad-choice", test_bad_choice);
  g_test_add_func("/runs/json", test_json);
  g_test_add_func("/runs/damage", test_damage);
  g_test_add_func("/runs/running", test_running);
  g_test_add_func("/runs/links", test_links);
  g_test_add_func("/runs/real", test_real);
  return cli_finish();
}
