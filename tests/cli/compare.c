/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost compare`: equal terms, what is reused, what goes wrong, stops and kills, sweeps. */
#include "cli-test.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char manifest[] =
    "problem: classify\n"
    "epochs: 3\n"
    "data: {plugin: spiral, samples: 60, batch: 30}\n"
    "model: {plugin: mlp, units: [8]}\n"
    "optimizer: {plugin: adam, lr: 1e-2}\n"
    "candidates:\n"
    "  wide: {model: {plugin: mlp, units: [32]}}\n"
    "  deep: {model: {plugin: mlp, units: [8, 8]}}\n"
    "  own-batch: {data: {plugin: spiral, samples: 60, batch: 20}}\n"
    "  other-problem: {problem: reconstruct, model: {plugin: rbm, hidden: 4}}\n"
    "  other-role: {model: {plugin: rbm, hidden: 4}}\n"
    "  diverging: {model: {plugin: faulty, fault: nan, after: 7}}\n"
    "  faulty: {model: {plugin: faulty, after: 7}}\n"
    "  unbuildable: {model: {plugin: faulty, fault: build}}\n"
    "  large: {model: {plugin: mlp, units: [2000, 100]}}\n";

/* ---- looking at what is there ---------------------------------------------------------------- */

static JsonNode *read_json(const char *folder) {
  g_autofree char *path = g_build_filename(folder, "compare.json", NULL);
  g_autofree char *text = cli_read(path);
  return cli_json(text);
}

static JsonObject *candidate_at(JsonNode *root, guint index) {
  JsonArray *all = json_object_get_array_member(json_node_get_object(root), "candidates");
  g_assert_cmpuint(index, <, json_array_get_length(all));
  return json_array_get_object_element(all, index);
}

static JsonObject *run_at(JsonNode *root, guint candidate, guint index) {
  JsonArray *runs = json_object_get_array_member(candidate_at(root, candidate), "runs");
  g_assert_cmpuint(index, <, json_array_get_length(runs));
  return json_array_get_object_element(runs, index);
}

static const char *status_at(JsonNode *root, guint candidate, guint index) {
  return json_object_get_string_member(run_at(root, candidate, index), "status");
}

static const char *reason_at(JsonNode *root, guint candidate) {
  return json_object_get_string_member(run_at(root, candidate, 0), "reason");
}

static double figure_at(JsonNode *root, guint candidate, guint run, const char *split,
                        const char *metric) {
  JsonObject *results = json_object_get_object_member(run_at(root, candidate, run), "results");
  return json_object_get_double_member(json_object_get_object_member(results, split), metric);
}

static double summary_at(JsonNode *root, guint candidate, const char *split, const char *metric,
                         const char *name) {
  JsonObject *all = json_object_get_object_member(candidate_at(root, candidate), "summary");
  JsonObject *one =
      json_object_get_object_member(json_object_get_object_member(all, split), metric);
  return json_object_get_null_member(one, name) ? NAN : json_object_get_double_member(one, name);
}

static void says(const char *text, const char *word) {
  if (!strstr(text, word)) g_error("'%s' is not in:\n%s", word, text);
}

/* How often a run was begun or resumed. */
static guint starts_of(const char *folder, const char *name) {
  g_autofree char *file = g_strdup_printf("%s/logs/%s.log", folder, name);
  g_autofree char *text = cli_read(file);
  guint count = 0;
  for (const char *at = text; (at = strstr(at, "$ abhost ")); at++) count++;
  return count;
}

static void setup(void) {
  cli_remove("runs");
  cli_remove("out");
  cli_write("m.yaml", manifest);
}

/* The plugin that crashes, in a folder of its own: others there must never be loaded. */
static void install_faulty(void) {
  g_autofree char *from = g_strdup_printf("%s/faulty.so", g_getenv("ABHOST_TEST_FIXTURES"));
  char *bytes;
  gsize size;
  g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  cli_mkdir("faulty");
  cli_write_bytes("faulty/faulty.so", bytes, size);
  g_free(bytes);
}

/* ---- the result ------------------------------------------------------------------------------ */

static void check_row_of_run(const char *csv) {
  g_auto(GStrv) rows = g_strsplit(csv, "\r\n", -1);
  g_auto(GStrv) head = g_strsplit(rows[0], ",", -1);
  g_assert_cmpuint(g_strv_length(rows), ==, 1 + 6 + 1);
  g_assert_true(g_strv_contains((const char *const *)head, "test_accuracy"));
  for (guint i = 1; rows[i][0]; i++) {
    g_auto(GStrv) fields = g_strsplit(rows[i], ",", -1);
    g_assert_cmpuint(g_strv_length(fields), ==, g_strv_length(head));
    g_assert_cmpstr(fields[3], ==, "done");
  }
}

/* A run of a comparison is the run that `abhost run` makes. */
static void check_single_run(JsonNode *compared) {
  g_autoptr(CliResult) single = cli_run("run", "m.yaml", "--candidate", "wide", "--seed", "2",
                                        "--output", "single", "--json", "-q", NULL);
  cli_assert_status(single, 0);
  g_autoptr(JsonNode) json = cli_json(single->out);
  g_assert_cmpfloat(cli_json_real(json, "test/accuracy"), ==,
                    figure_at(compared, 1, 1, "test", "accuracy"));
  g_assert_true(cli_same_tensors("single/checkpoints/last.h5",
                                 "out/runs/wide-seed2/checkpoints/last.h5", "/model"));
  cli_remove("single");
}

static void check_statistics(JsonNode *json) {
  for (guint c = 0; c < 2; c++) {
    double v[3], sum = 0, squares = 0;
    for (guint i = 0; i < 3; i++) sum += v[i] = figure_at(json, c, i, "test", "accuracy");
    for (guint i = 0; i < 3; i++) squares += (v[i] - sum / 3) * (v[i] - sum / 3);
    double sd = sqrt(squares / 2), half = 4.302652729749462 * sd / sqrt(3);
    g_assert_cmpfloat_with_epsilon(summary_at(json, c, "test", "accuracy", "mean"), sum / 3, 1e-12);
    g_assert_cmpfloat_with_epsilon(summary_at(json, c, "test", "accuracy", "sd"), sd, 1e-12);
    g_assert_cmpfloat_with_epsilon(summary_at(json, c, "test", "accuracy", "high"), sum / 3 + half,
                                   1e-9);
  }
}

static void test_result(void) {
  setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--candidates", "model,wide",
                                        "--seeds", "3", "--output", "out", NULL);
  cli_assert_status(result, 0);
  says(result->out, "model (mlp)");
  says(result->out, "best");
  says(result->out, "Holm");
  says(result->err, "6/6");
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_true(json_object_get_boolean_member(json_node_get_object(json), "identical_batches"));
  g_assert_cmpfloat(json_object_get_int_member(candidate_at(json, 0), "parameters"), ==,
                    2 * 8 + 8 + 8 * 3 + 3);
  check_statistics(json);
  check_single_run(json);
  g_autofree char *csv = cli_read("out/compare.csv");
  check_row_of_run(csv);
}

/* After test_result: nothing of it is done again. */
static void test_reuse(void) {
  g_autoptr(CliResult) again = cli_run("compare", "m.yaml", "--candidates", "model,wide", "--seeds",
                                       "3", "--output", "out", "--json", "-q", NULL);
  cli_assert_status(again, 0);
  g_assert_cmpstr(again->err, ==, "");
  g_autoptr(JsonNode) same = cli_json(again->out);
  g_assert_cmpstr(status_at(same, 0, 2), ==, "done");
  g_autoptr(CliResult) more = cli_run("compare", "m.yaml", "--candidates", "deep,wide", "--seeds",
                                      "2,4", "--jobs", "2", "--output", "out", "-q", NULL);
  cli_assert_status(more, 0);
  g_assert_cmpuint(starts_of("out", "wide-seed2"), ==, 1);
  g_assert_cmpuint(starts_of("out", "model-seed1"), ==, 1);
  g_assert_cmpuint(starts_of("out", "wide-seed4"), ==, 1);
  g_assert_cmpuint(starts_of("out", "deep-seed2"), ==, 1);
  g_assert_false(cli_exists("out/runs/deep-seed1"));
}

static void test_one_seed(void) {
  setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "wide", "--seeds", "1", "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  g_assert_true(isnan(summary_at(json, 0, "test", "accuracy", "sd")));
  g_assert_true(isnan(summary_at(json, 0, "test", "accuracy", "p")));
  /* the default folder: named after the manifest and what makes it this comparison */
  GDir *dir = g_dir_open("runs", 0, NULL);
  const char *name = g_dir_read_name(dir);
  g_assert_true(g_regex_match_simple("^compare-m-[0-9a-f]{8}$", name, 0, 0));
  g_assert_null(g_dir_read_name(dir));
  g_dir_close(dir);
}

/* A candidate that is the manifest's own model stands for it; one of its name takes its place. */
static void test_own_model(void) {
  setup();
  cli_write("same.yaml",
            "problem: classify\nepochs: 1\ndata: {plugin: spiral, samples: 30, batch: 30}\n"
            "model: &own {plugin: mlp, units: [4]}\n"
            "candidates: {four: {model: *own}, five: {model: {plugin: mlp, units: "
            "[5]}}}\n");
  g_autoptr(CliResult) same = cli_run("compare", "same.yaml", "--seeds", "1", "--json", NULL);
  cli_assert_status(same, 0);
  g_autoptr(JsonNode) json = cli_json(same->out);
  g_assert_cmpstr(json_object_get_string_member(candidate_at(json, 0), "name"), ==, "four");
  g_assert_cmpstr(json_object_get_string_member(candidate_at(json, 1), "name"), ==, "five");
  cli_write("taken.yaml",
            "problem: classify\nepochs: 1\ndata: {plugin: spiral, samples: 30, batch: 30}\n"
            "model: {plugin: mlp, units: [4]}\n"
            "candidates: {model: {model: {plugin: mlp, units: [5]}}}\n");
  g_autoptr(CliResult) taken = cli_run("compare", "taken.yaml", "--seeds", "1", "--json", NULL);
  cli_assert_status(taken, 0);
  cli_assert_says(taken, "named 'model'", "left out", NULL);
}

/* ---- unequal terms, refusals ----------------------------------------------------------------- */

static void test_batches(void) {
  setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--candidates", "model,wide,own-batch",
                                        "--seeds", "1", "--output", "out", NULL);
  cli_assert_status(result, 0);
  says(result->out, "NOT ON EQUAL TERMS");
  says(result->out, ": own-batch seed 1\n");
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_false(json_object_get_boolean_member(json_node_get_object(json), "identical_batches"));
  cli_write("out/runs/wide-seed1/metrics.jsonl", "");
  g_autoptr(CliResult) lost = cli_run("compare", "m.yaml", "--candidates", "model,wide", "--seeds",
                                      "1", "--output", "out", NULL);
  cli_assert_status(lost, 0);
  says(lost->out, ": wide seed 1 (no record of them");
}

static void test_refused(void) {
  setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "model,other-problem,other-role,large",
              "--budget", "parameters=1000", "--seeds", "1", "--output", "out", NULL);
  cli_assert_status(result, AB_DATA);
  says(result->out, "other-problem: refused: its problem is reconstruct");
  says(result->out, "other-role: refused: ");
  says(result->out, "does not offer classify");
  says(result->out, "large: refused: 206403 parameters are more than the budget of 1000");
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_cmpstr(status_at(json, 0, 0), ==, "done");
  g_assert_cmpstr(status_at(json, 2, 0), ==, "refused");
  g_assert_false(cli_exists("out/runs/large-seed1"));
}

static void fails(int status, const char *word, const char *argument, ...) G_GNUC_NULL_TERMINATED;
static void fails(int status, const char *word, const char *argument, ...) {
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  va_list rest;
  va_start(rest, argument);
  g_ptr_array_add(all, (gpointer) "compare");
  for (const char *at = argument; at; at = va_arg(rest, const char *))
    g_ptr_array_add(all, (gpointer)at);
  va_end(rest);
  g_ptr_array_add(all, NULL);
  g_autoptr(CliResult) result = cli_runv((const char *const *)all->pdata);
  cli_assert_status(result, status);
  cli_assert_message(result, 3);
  cli_assert_says(result, word, NULL);
  g_assert_cmpstr(result->out, ==, "");
}

static void test_usage(void) {
  setup();
  fails(AB_USAGE, "--seeds", "m.yaml", "--seeds", "0", NULL);
  fails(AB_USAGE, "--seeds", "m.yaml", "--seeds", "1,1", NULL);
  fails(AB_USAGE, "did you mean 'wide'", "m.yaml", "--candidates", "wid", NULL);
  fails(AB_USAGE, "twice", "m.yaml", "--candidates", "wide,wide", NULL);
  fails(AB_USAGE, "--budget", "m.yaml", "--budget", "stops=3", NULL);
  fails(AB_USAGE, "--budget", "m.yaml", "--budget", "steps=-3", NULL);
  fails(AB_USAGE, "--jobs", "m.yaml", "--jobs", "0", NULL);
  fails(AB_USAGE, "one argument too many", "m.yaml", "model.units=[3]", NULL);
  fails(AB_USAGE, "--random", "m.yaml", "--random", "3", NULL);
  fails(AB_USAGE, "--halving", "m.yaml", "--halving=1", NULL);
  fails(AB_USAGE, "--halving", "m.yaml", "--halving", "--budget", "steps=3", NULL);
  fails(AB_USAGE, "no plain file", "/dev/null", NULL);
  fails(AB_NO_INPUT, "absent.yaml", "absent.yaml", NULL);
  fails(AB_CONFIG, "did you mean 'epochs'", "m.yaml", "--set", "epoch=3", NULL);
  fails(AB_CONFIG, "does not offer classify", "m.yaml", "--candidates", "other-role", NULL);
  g_assert_false(cli_exists("runs"));
  cli_mkdir("out");
  cli_write("out/mine", "");
  fails(AB_IO, "is no comparison", "m.yaml", "--output", "out", NULL);
  g_assert_cmpuint(cli_count_entries("out"), ==, 1);
}

static void test_other_plan(void) {
  setup();
  g_autoptr(CliResult) first = cli_run("compare", "m.yaml", "--candidates", "model", "--seeds", "1",
                                       "--epochs", "1", "--output", "out", "-q", NULL);
  cli_assert_status(first, 0);
  fails(AB_CONFIG, "it was made with --epochs 1, and this is with no --epochs", "m.yaml",
        "--output", "out", NULL);
  fails(AB_CONFIG, "--set", "m.yaml", "--epochs", "1", "--set", "data.samples=50", "--output",
        "out", NULL);
  g_autofree char *edited = g_strconcat(manifest, "# edited\n", NULL);
  cli_write("m.yaml", edited);
  fails(AB_CONFIG, "its manifest has another text", "m.yaml", "--epochs", "1", "--output", "out",
        NULL);
  cli_write("m.yaml", manifest);
  g_autofree char *resolved = cli_read("out/runs/model-seed1/resolved.yaml");
  g_autoptr(GString) changed = g_string_new(resolved);
  g_assert_cmpuint(g_string_replace(changed, "samples: 60", "samples: 61", 1), ==, 1);
  cli_write("out/runs/model-seed1/resolved.yaml", changed->str);
  fails(AB_CONFIG, "'samples: 61' there, 'samples: 60' now", "m.yaml", "--candidates", "model",
        "--seeds", "1", "--epochs", "1", "--output", "out", NULL);
}

/* ---- runs that go wrong ---------------------------------------------------------------------- */

static CliResult *run_faulty(void) {
  return cli_run("compare", "m.yaml", "--candidates", "faulty,diverging,unbuildable,wide",
                 "--seeds", "1", "--output", "out", "--plugin-path", "faulty", NULL);
}

static void test_wrong(void) {
  setup();
  install_faulty();
  g_autoptr(CliResult) result = run_faulty();
  cli_assert_status(result, AB_DATA);
  says(result->out, "faulty seed 1: crashed: SIGSEGV (see out/logs/faulty-seed1.log)");
  says(result->out, "diverging seed 1: diverged: ");
  says(result->out, "unbuildable: crashed: SIGSEGV while it was built");
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_cmpstr(status_at(json, 0, 0), ==, "crashed");
  g_assert_cmpstr(status_at(json, 1, 0), ==, "diverged");
  g_assert_cmpstr(status_at(json, 2, 0), ==, "crashed");
  g_assert_cmpstr(status_at(json, 3, 0), ==, "done");
  /* what crashed is tried once more, what diverged is not */
  g_autoptr(CliResult) again = run_faulty();
  cli_assert_status(again, AB_DATA);
  g_assert_cmpuint(starts_of("out", "faulty-seed1"), ==, 2);
  g_assert_cmpuint(starts_of("out", "diverging-seed1"), ==, 1);
  g_assert_cmpuint(starts_of("out", "wide-seed1"), ==, 1);
}

/* As on a full disk: files of more than 300 kB cannot be written. */
static void test_full_disk(void) {
  setup();
  g_autoptr(CliResult) full =
      cli_run_limited(300 * 1000, "compare", "m.yaml", "--candidates", "large,wide", "--seeds", "1",
                      "--output", "out", NULL);
  cli_assert_status(full, AB_DATA);
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_cmpstr(status_at(json, 0, 0), ==, "failed");
  says(reason_at(json, 0), "cannot write");
  g_assert_cmpstr(status_at(json, 1, 0), ==, "done");
  g_autoptr(CliResult) again = cli_run("compare", "m.yaml", "--candidates", "large,wide", "--seeds",
                                       "1", "--output", "out", NULL);
  cli_assert_status(again, 0);
  g_assert_cmpuint(starts_of("out", "wide-seed1"), ==, 1);
}

/* ---- stops and kills ------------------------------------------------------------------------- */

#define LONG_RUNS "compare", "m.yaml", "--candidates", "model,wide", "--seeds", "2", "--jobs", "2"

static gboolean wait_for(CliChild *child, const char *path) {
  while (cli_running(child) && !cli_exists(path)) g_usleep(1000);
  return cli_exists(path);
}

static void test_stop(void) {
  setup();
  CliChild *child = cli_start(LONG_RUNS, "--set", "checkpoint.every=1000", "--epochs", "100000",
                              "--output", "out", NULL);
  g_assert_true(wait_for(child, "out/runs/model-seed1/checkpoints/last.h5"));
  g_autoptr(CliResult) other = cli_run(LONG_RUNS, "--set", "checkpoint.every=1000", "--epochs",
                                       "100000", "--output", "out", NULL);
  cli_assert_status(other, AB_UNAVAILABLE);
  cli_assert_says(other, "another `abhost compare` works in out", NULL);
  g_usleep(200000);
  cli_signal(child, SIGTERM);
  g_autoptr(CliResult) stopped = cli_wait(child);
  cli_assert_status(stopped, AB_STOPPED);
  cli_assert_says(stopped, "goes on", "out", NULL);
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_cmpstr(status_at(json, 0, 0), ==, "stopped");
  g_assert_cmpstr(status_at(json, 0, 1), ==, "waiting");
}

/* Whether a process writes the run: it holds a lock on the log. */
static gboolean is_written(const char *log) {
  int fd = open(log, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  gboolean locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
  close(fd);
  return locked;
}

/* Where the command is killed, its runs do not go on without it. */
static void test_orphans(void) {
  static const char log[] = "out/runs/model-seed1/log.txt";
  setup();
  CliChild *child =
      cli_start("compare", "m.yaml", "--candidates", "model", "--seeds", "1", "--epochs", "1000000",
                "--set", "checkpoint.every=1000", "--output", "out", "-q", NULL);
  g_assert_true(wait_for(child, "out/runs/model-seed1/checkpoints/last.h5"));
  g_assert_true(is_written(log));
  cli_signal(child, SIGKILL);
  g_autoptr(CliResult) result = cli_wait(child);
  g_assert_cmpint(result->status, ==, -SIGKILL);
  for (int i = 0; i < 1000 && is_written(log); i++) g_usleep(10000);
  g_assert_false(is_written(log));
}

/* Names and times of what has ended. */
static GHashTable *ended_in(const char *folder) {
  GHashTable *ended = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *runs = g_build_filename(folder, "runs", NULL);
  GDir *dir = g_dir_open(runs, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(runs, name, "result.json", NULL);
    struct stat info;
    if (stat(path, &info) == 0)
      g_hash_table_insert(ended, g_strdup(path),
                          g_strdup_printf("%ld %ld.%09ld", (long)info.st_ino,
                                          (long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
  }
  if (dir) g_dir_close(dir);
  return ended;
}

static void assert_untouched(GHashTable *before, GHashTable *after) {
  GHashTableIter iter;
  gpointer path, stamp;
  g_hash_table_iter_init(&iter, before);
  while (g_hash_table_iter_next(&iter, &path, &stamp))
    g_assert_cmpstr(stamp, ==, g_hash_table_lookup(after, path));
}

static double whole(void) {
  g_autoptr(CliResult) result =
      cli_run(LONG_RUNS, "--epochs", "25", "--output", "whole", "-q", NULL);
  cli_assert_status(result, 0);
  return result->seconds;
}

/* SIGKILL at any moment, again and again: what has ended is never begun again, what has not comes
 * to the same numbers.                                                                           */
static void test_kill(void) {
  static const char *const names[] = {"model-seed1", "wide-seed1", "model-seed2", "wide-seed2"};
  setup();
  cli_remove("whole");
  GRand *random = g_rand_new_with_seed(5);
  double seconds = whole();
  guint kills = 0;
  for (guint i = 0; i < 40; i++) {
    g_autoptr(GHashTable) before = ended_in("out");
    CliChild *child = cli_start(LONG_RUNS, "--epochs", "25", "--output", "out", "-q", NULL);
    gint64 until =
        g_get_monotonic_time() + (gint64)(g_rand_double(random) * seconds * 0.3 * G_USEC_PER_SEC);
    while (cli_running(child) && g_get_monotonic_time() < until) g_usleep(500);
    cli_signal(child, SIGKILL);
    g_autoptr(CliResult) result = cli_wait(child);
    g_autoptr(GHashTable) after = ended_in("out");
    assert_untouched(before, after);
    kills += result->status == -SIGKILL;
    if (result->status != -SIGKILL) break;
  }
  g_rand_free(random);
  g_test_message("%u kills", kills);
  g_assert_cmpuint(kills, >=, 3);
  g_autoptr(CliResult) last = cli_run(LONG_RUNS, "--epochs", "25", "--output", "out", "-q", NULL);
  cli_assert_status(last, 0);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *killed = g_strdup_printf("out/runs/%s/checkpoints/last.h5", names[i]);
    g_autofree char *sound = g_strdup_printf("whole/runs/%s/checkpoints/last.h5", names[i]);
    g_assert_true(cli_same_tensors(killed, sound, "/model"));
  }
}

/* What was killed before its first checkpoint is begun anew; what we did not make stays. */
static void test_broken_beginning(void) {
  setup();
  g_autoptr(CliResult) first = cli_run("compare", "m.yaml", "--candidates", "model", "--seeds", "1",
                                       "--output", "out", "-q", NULL);
  cli_assert_status(first, 0);
  cli_remove("out/runs/model-seed1/checkpoints/last.h5");
  cli_remove("out/runs/model-seed1/result.json");
  cli_mkdir("out/runs/wide-seed1");
  cli_write("out/runs/wide-seed1/mine", "");
  g_autoptr(CliResult) second = cli_run("compare", "m.yaml", "--candidates", "model,wide",
                                        "--seeds", "1", "--output", "out", NULL);
  cli_assert_status(second, AB_DATA);
  says(second->out, "wide seed 1: failed: out/runs/wide-seed1 was not made by this comparison");
  g_assert_true(cli_exists("out/runs/wide-seed1/mine"));
  g_assert_true(cli_exists("out/runs/model-seed1/result.json"));
  g_assert_cmpuint(starts_of("out", "model-seed1"), ==, 2);
}

/* ---- budgets and sweeps ---------------------------------------------------------------------- */

static void test_budget(void) {
  setup();
  g_autoptr(CliResult) result =
      cli_run("compare", "m.yaml", "--candidates", "model,own-batch", "--seeds", "1", "--budget",
              "steps=15", "--output", "out", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = read_json("out");
  g_assert_cmpfloat(cli_json_real(json, "budget/value"), ==, 15);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint(json_object_get_int_member(run_at(json, i, 0), "steps"), ==, 15);
  g_autoptr(CliResult) unused = cli_run("compare", "m.yaml", "--candidates", "model", "--seeds",
                                        "1", "--budget", "steps=100000", NULL);
  cli_assert_status(unused, 0);
  says(unused->out, "was not used up by model");
}

static void test_sweep(void) {
  setup();
  g_autoptr(CliResult) result = cli_run("compare", "m.yaml", "--sweep", "model.units=[4],[6]",
                                        "optimizer.lr=log:1e-3..1e-1:2", "--seeds", "1", "--output",
                                        "out", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  JsonObject *last = candidate_at(json, 3);
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
  const char *name = json_object_get_string_member(candidate_at(points, 2), "name");
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
  setup();
  g_autoptr(CliResult) result = cli_runv(arguments);
  cli_assert_status(result, 0);
  says(result->out, "rung");
  g_autoptr(JsonNode) json = read_json("out");
  guint reached[3] = {0}, epochs[3] = {2, 4, 8};
  for (guint i = 0; i < 4; i++) {
    JsonObject *run = run_at(json, i, 1);
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
  g_test_add_func("/compare/result", test_result);
  g_test_add_func("/compare/reuse", test_reuse);
  g_test_add_func("/compare/one-seed", test_one_seed);
  g_test_add_func("/compare/own-model", test_own_model);
  g_test_add_func("/compare/batches", test_batches);
  g_test_add_func("/compare/refused", test_refused);
  g_test_add_func("/compare/usage", test_usage);
  g_test_add_func("/compare/other-plan", test_other_plan);
  g_test_add_func("/compare/wrong", test_wrong);
  g_test_add_func("/compare/full-disk", test_full_disk);
  g_test_add_func("/compare/stop", test_stop);
  g_test_add_func("/compare/orphans", test_orphans);
  g_test_add_func("/compare/kill", test_kill);
  g_test_add_func("/compare/broken-beginning", test_broken_beginning);
  g_test_add_func("/compare/budget", test_budget);
  g_test_add_func("/compare/sweep", test_sweep);
  g_test_add_func("/compare/halving", test_halving);
  return cli_finish();
}
