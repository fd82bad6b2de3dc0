/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a run ends, and what it says of it: --until, stop.steps, stop.seconds, result.json, the
 * lock of a run folder, the hashes of batches. */
#include "cli-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* 1,294 samples to train on: 13 steps an epoch. The schedule sees how long the run will be, and
 * checkpoints are rarer than stops. */
static const char base[] =
    "problem: classify\nseed: 4\nepochs: 5\n"
    "data: {plugin: digits, batch: 100}\nnoise: {plugin: gaussian, std: 0.1}\n"
    "model: {plugin: mlp, units: [24], dropout: 0.2}\n"
    "optimizer: {plugin: adam, lr: 1e-2, schedule: {plugin: cosine, minimum: 0.01}}\n"
    "checkpoint: {best: accuracy, every: 3, keep: 99}\n";

/* Endless, for what happens meanwhile. */
static const char endless[] = "problem: classify\nseed: 4\nepochs: 1000000\n"
                              "data: {plugin: digits, batch: 100}\n"
                              "model: {plugin: mlp, units: [24]}\n"
                              "checkpoint: {every: 100}\n";

/* `abhost run base.yaml --output OUTPUT -q`, with two more arguments. */
static CliResult *run_base(const char *output, const char *option, const char *value) {
  cli_write("base.yaml", base);
  cli_remove(output);
  return cli_run("run", "base.yaml", "--output", output, "-q", option, value, NULL);
}

static void run_done(const char *output, const char *option, const char *value) {
  g_autoptr(CliResult) result = run_base(output, option, value);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
}

static JsonNode *result_of(const char *run) {
  g_autofree char *path = g_build_filename(run, "result.json", NULL);
  g_autofree char *text = cli_read(path);
  return cli_json(text);
}

static const char *text_of(JsonNode *node, const char *key) {
  JsonObject *object = json_node_get_object(node);
  g_assert_true(json_object_has_member(object, key));
  return json_object_get_string_member_with_default(object, key, NULL);
}

static gboolean has_result(const char *run) {
  g_autofree char *path = g_build_filename(run, "result.json", NULL);
  return cli_exists(path);
}

static char *last_of(const char *run) {
  g_autofree char *link = g_build_filename(run, "checkpoints", "last.h5", NULL);
  return g_file_read_link(link, NULL);
}

/* Weights, states and metrics bit by bit, and what the results say of them. */
static void assert_same_runs(const char *left, const char *right) {
  g_autofree char *a = g_build_filename(left, "checkpoints", "last.h5", NULL);
  g_autofree char *b = g_build_filename(right, "checkpoints", "last.h5", NULL);
  g_assert_true(cli_same_tensors(a, b, "/model"));
  g_assert_true(cli_same_tensors(a, b, "/optimizer"));
  g_autofree char *metrics = cli_metrics(left), *others = cli_metrics(right);
  g_assert_cmpstr(metrics, ==, others);
  g_autoptr(JsonNode) one = result_of(left);
  g_autoptr(JsonNode) two = result_of(right);
  g_assert_true(json_node_equal(json_object_get_member(json_node_get_object(one), "results"),
                                json_object_get_member(json_node_get_object(two), "results")));
  g_assert_cmpstr(text_of(one, "batches"), ==, text_of(two, "batches"));
  g_assert_cmpstr(text_of(one, "stopped_by"), ==, text_of(two, "stopped_by"));
  g_assert_cmpfloat(cli_json_real(one, "steps"), ==, cli_json_real(two, "steps"));
  g_assert_cmpfloat(cli_json_real(one, "epochs"), ==, cli_json_real(two, "epochs"));
}

/* ---- --until -------------------------------------------------------------------------------- */

static void assert_paused(CliResult *result, const char *run, guint epochs, const char *last) {
  cli_assert_status(result, AB_STOPPED);
  cli_assert_says(result, "--until", "abhost resume", run, NULL);
  cli_assert_message(result, 1);
  g_assert_cmpstr(result->out, ==, "");
  g_assert_false(has_result(run));
  g_autofree char *target = last_of(run);
  g_assert_cmpstr(target, ==, last);
  g_autoptr(GPtrArray) lines = cli_lines(run);
  g_assert_cmpuint(lines->len, ==, epochs);
  g_assert_true(isfinite(cli_json_real(lines->pdata[epochs - 1], "validation/accuracy")));
  cli_free(result);
}

static void test_until(void) {
  run_done("whole", NULL, NULL);
  assert_paused(run_base("rungs", "--until", "1"), "rungs", 1, "step-13.h5");
  assert_paused(cli_run("resume", "rungs", "-q", "--until", "2", NULL), "rungs", 2, "step-26.h5");
  /* the same again, as after a crash of who asked for it, and less */
  assert_paused(cli_run("resume", "rungs", "-q", "--until", "2", NULL), "rungs", 2, "step-26.h5");
  assert_paused(cli_run("resume", "rungs", "-q", "--until", "1", NULL), "rungs", 2, "step-26.h5");
  assert_paused(cli_run("resume", "rungs", "-q", "--until", "4", NULL), "rungs", 4, "step-52.h5");
  g_autoptr(CliResult) rest = cli_run("resume", "rungs", "-q", NULL);
  cli_assert_status(rest, 0);
  assert_same_runs("whole", "rungs");
  g_autofree char *log = cli_read("rungs/log.txt");
  g_assert_nonnull(strstr(log, "stopped after epoch 4"));
}

/* Nothing is left to stop: the run ends as without it. */
static void test_until_the_end(void) {
  run_done("five", "--until", "5");
  run_done("more", "--until", "6000");
  assert_same_runs("five", "more");
  g_autoptr(CliResult) again = cli_run("resume", "five", "-q", "--until", "3", NULL);
  cli_assert_status(again, 0);
  assert_same_runs("five", "more");
}

static void test_until_refused(void) {
  static const char *const values[] = {"0", "-1", "-7", "x"};
  cli_write("base.yaml", base);
  cli_mkdir("none");
  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    g_autofree char *option = g_strconcat("--until=", values[i], NULL);
    g_autoptr(CliResult) run = cli_run("run", "base.yaml", "--output", "never", option, NULL);
    g_autoptr(CliResult) resume = cli_run("resume", "none", option, NULL);
    cli_assert_status(run, AB_USAGE);
    cli_assert_status(resume, AB_USAGE);
    cli_assert_says(run, "--until", NULL);
    cli_assert_says(resume, "--until", NULL);
    g_assert_false(cli_exists("never"));
  }
}

/* ---- stop.steps ----------------------------------------------------------------------------- */

static void assert_part(JsonNode *line, double epoch, double step, double consumed) {
  g_assert_cmpstr(text_of(line, "event"), ==, "epoch");
  g_assert_cmpfloat(cli_json_real(line, "epoch"), ==, epoch);
  g_assert_cmpfloat(cli_json_real(line, "step"), ==, step);
  g_assert_cmpfloat(cli_json_real(line, "consumed"), ==, consumed);
  g_assert_true(isfinite(cli_json_real(line, "train/loss")));
  g_assert_true(isfinite(cli_json_real(line, "validation/accuracy")));
}

/* 20 steps: an epoch, and 7 of the 13 of the next. */
static void test_steps(void) {
  run_done("twenty", "--set", "stop.steps=20");
  run_done("through", "--set", "checkpoint={best: accuracy, steps: 20, keep: 99}");
  g_autofree char *last = last_of("twenty");
  g_assert_cmpstr(last, ==, "step-20.h5");
  g_assert_true(cli_same_tensors("twenty/checkpoints/step-20.h5", "through/checkpoints/step-20.h5",
                                 "/model"));
  g_autoptr(GPtrArray) lines = cli_lines("twenty");
  g_autoptr(GPtrArray) others = cli_lines("through");
  g_assert_cmpuint(lines->len, ==, 3);
  g_assert_false(cli_json_has(lines->pdata[0], "consumed"));
  assert_part(lines->pdata[1], 2, 20, 7);
  for (guint i = 0; i < 2; i++) /* of the whole epoch, although not all of it was seen */
    g_assert_cmpstr(text_of(lines->pdata[i], "batches"), ==, text_of(others->pdata[i], "batches"));
  g_assert_true(isfinite(cli_json_real(lines->pdata[2], "test/accuracy")));
  g_autoptr(JsonNode) result = result_of("twenty");
  g_assert_cmpstr(text_of(result, "status"), ==, "done");
  g_assert_cmpstr(text_of(result, "stopped_by"), ==, "steps");
  g_assert_cmpfloat(cli_json_real(result, "steps"), ==, 20);
  g_assert_cmpfloat(cli_json_real(result, "epochs"), ==, 1);
  g_assert_cmpfloat(cli_json_real(result, "results/test/accuracy"), ==,
                    cli_json_real(lines->pdata[2], "test/accuracy"));
}

/* What has ended stays as it is, and what was stopped before ends alike. */
static void test_steps_resumed(void) {
  run_done("twenty", "--set", "stop.steps=20");
  run_done("again", "--set", "stop.steps=20");
  for (int i = 0; i < 2; i++) {
    g_autoptr(CliResult) again = cli_run("resume", "again", "-q", "--epochs", "9", NULL);
    cli_assert_status(again, 0);
    assert_same_runs("twenty", "again");
  }
  cli_write("base.yaml", base);
  cli_remove("parts");
  assert_paused(cli_run("run", "base.yaml", "--output", "parts", "-q", "--set", "stop.steps=20",
                        "--until", "1", NULL),
                "parts", 1, "step-13.h5");
  g_autoptr(CliResult) rest = cli_run("resume", "parts", "-q", NULL);
  cli_assert_status(rest, 0);
  assert_same_runs("twenty", "parts");
}

/* From any checkpoint, within the epoch that will be broken off or within the one before. */
static void test_steps_from_the_middle(void) {
  static const char *const names[] = {"step-5.h5", "step-15.h5", "step-20.h5"};
  const char *link = "middle/checkpoints/last.h5";
  run_done("twenty", "--set", "stop.steps=20");
  cli_remove("middle");
  g_autoptr(CliResult) run = cli_run("run", "base.yaml", "--output", "middle", "-q", "--set",
                                     "stop.steps=20", "--set", "checkpoint.steps=5", NULL);
  cli_assert_status(run, 0);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_assert_cmpint(g_unlink(link), ==, 0);
    g_assert_cmpint(symlink(names[i], link), ==, 0);
    g_autoptr(CliResult) rest = cli_run("resume", "middle", "-q", NULL);
    cli_assert_status(rest, 0);
    assert_same_runs("twenty", "middle");
  }
}

static void test_steps_at_epochs(void) {
  run_done("even", "--set", "stop.steps=26");
  g_autoptr(GPtrArray) lines = cli_lines("even");
  g_assert_cmpuint(lines->len, ==, 3);
  g_assert_false(cli_json_has(lines->pdata[1], "consumed"));
  g_autoptr(JsonNode) even = result_of("even");
  g_assert_cmpstr(text_of(even, "stopped_by"), ==, "steps");
  g_assert_cmpfloat(cli_json_real(even, "epochs"), ==, 2);
  static const char *const sets[] = {"stop.steps=65", "stop.steps=70"};
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) { /* the epochs end before, or with it */
    run_done("all", "--set", sets[i]);
    g_autoptr(JsonNode) all = result_of("all");
    g_assert_cmpstr(text_of(all, "stopped_by"), ==, NULL);
    g_assert_cmpfloat(cli_json_real(all, "steps"), ==, 65);
  }
}

/* ---- stop.seconds --------------------------------------------------------------------------- */

static void test_seconds(void) {
  cli_write("endless.yaml", endless);
  cli_remove("short");
  g_autoptr(CliResult) run =
      cli_run("run", "endless.yaml", "--output", "short", "-q", "--set", "stop.seconds=0.05", NULL);
  cli_assert_status(run, 0);
  g_autoptr(JsonNode) before = result_of("short");
  g_assert_cmpstr(text_of(before, "status"), ==, "done");
  g_assert_cmpstr(text_of(before, "stopped_by"), ==, "seconds");
  g_assert_cmpfloat(cli_json_real(before, "seconds"), >=, 0.05);
  g_assert_cmpfloat(cli_json_real(before, "cpu_seconds"), >, 0);
  g_assert_cmpfloat(cli_json_real(before, "steps"), >=, 1);
  g_autofree char *metrics = cli_metrics("short");
  /* its time is over, also for another session */
  g_autoptr(CliResult) again = cli_run("resume", "short", "-q", NULL);
  cli_assert_status(again, 0);
  g_autoptr(JsonNode) after = result_of("short");
  g_autofree char *others = cli_metrics("short");
  g_assert_cmpfloat(cli_json_real(after, "steps"), ==, cli_json_real(before, "steps"));
  g_assert_cmpstr(text_of(after, "stopped_by"), ==, "seconds");
  g_assert_cmpstr(others, ==, metrics);
}

static void test_patience(void) {
  run_done("still", "--set", "optimizer={plugin: adam, lr: 0}");
  g_autoptr(JsonNode) all = result_of("still");
  g_assert_cmpstr(text_of(all, "stopped_by"), ==, NULL);
  cli_write("base.yaml", base);
  cli_remove("early");
  g_autoptr(CliResult) run =
      cli_run("run", "base.yaml", "--output", "early", "-q", "--set",
              "optimizer={plugin: adam, lr: 0}", "--set", "stop.patience=2", NULL);
  cli_assert_status(run, 0);
  g_autoptr(JsonNode) early = result_of("early");
  g_assert_cmpstr(text_of(early, "stopped_by"), ==, "early stopping");
  g_assert_cmpfloat(cli_json_real(early, "epochs"), ==, 3);
}

/* ---- result.json ---------------------------------------------------------------------------- */

static void test_result(void) {
  run_done("whole", NULL, NULL);
  g_autoptr(JsonNode) result = result_of("whole");
  g_assert_cmpstr(text_of(result, "status"), ==, "done");
  g_assert_cmpstr(text_of(result, "reason"), ==, NULL);
  g_assert_cmpstr(text_of(result, "model"), ==, "mlp");
  g_assert_cmpfloat(cli_json_real(result, "epochs"), ==, 5);
  g_assert_cmpfloat(cli_json_real(result, "parameters"), ==, 64 * 24 + 24 + 24 * 10 + 10);
  g_assert_cmpfloat(cli_json_real(result, "multiply_adds"), ==, 64 * 24 + 24 * 10);
  g_assert_cmpfloat(cli_json_real(result, "peak_memory_bytes"), >, 1 << 20);
  /* one session more: what it took is added, not taken for the whole */
  g_autoptr(CliResult) longer = cli_run("resume", "whole", "-q", "--epochs", "6", NULL);
  cli_assert_status(longer, 0);
  g_autoptr(JsonNode) later = result_of("whole");
  g_assert_cmpfloat(cli_json_real(later, "seconds"), >, cli_json_real(result, "seconds"));
  g_assert_cmpfloat(cli_json_real(later, "cpu_seconds"), >, cli_json_real(result, "cpu_seconds"));
  g_assert_cmpfloat(cli_json_real(later, "peak_memory_bytes"), >, 1 << 20);
}

/* A run that a large program starts is as small as any. */
static void test_memory(void) {
  if (cli_sanitized()) {
    g_test_skip("sanitizers take memory of their own");
    return;
  }
  gsize size = (gsize)400 << 20;
  char *large = g_malloc(size);
  for (gsize i = 0; i < size; i += 1024) large[i] = 1;
  run_done("small", "--epochs", "1");
  g_assert_cmpint(large[size / 2], ==, 1);
  g_free(large);
  g_autoptr(JsonNode) result = result_of("small");
  g_assert_cmpfloat(cli_json_real(result, "peak_memory_bytes"), <, (double)size / 2);
}

/* The hash of a run, from its lines, by another program. */
static void test_result_batches(void) {
  run_done("whole", NULL, NULL);
  static const char *const argv[] = {
      "/bin/sh", "-c",
      "sed -nE 's/.*\"event\":\"epoch\".*\"batches\":\"([0-9a-f]{64})\".*/\\1/p' "
      "whole/metrics.jsonl | tr -d '\\n' | sha256sum | cut -c1-64",
      NULL};
  g_autoptr(CliResult) sum = cli_spawn(NULL, argv);
  cli_assert_status(sum, 0);
  g_autoptr(JsonNode) result = result_of("whole");
  g_assert_cmpstr(g_strchomp(sum->out), ==, text_of(result, "batches"));
}

static void test_diverged(void) {
  cli_write("wild.yaml",
            "problem: reconstruct\ndata: {plugin: digits, transform: {standardise: true}}\n"
            "model: {plugin: auto-encoder, encoder: {plugin: mlp, activation: identity}, decoder: "
            "mlp}\noptimizer: {plugin: sgd, lr: 1e6}\n");
  g_autoptr(CliResult) run = cli_run("run", "wild.yaml", "--output", "wild", "-q", NULL);
  cli_assert_status(run, AB_DATA);
  g_autoptr(JsonNode) result = result_of("wild");
  g_assert_cmpstr(text_of(result, "status"), ==, "diverged");
  const char *reason = text_of(result, "reason");
  g_assert_nonnull(strstr(reason, "is not finite"));
  g_assert_nonnull(strstr(run->err, reason));
}

/* Another error of data, in the middle of training: that is no divergence. */
static void test_failed(void) {
  g_autoptr(GError) error = NULL;
  static float rows[4000 * 8];
  gint64 shape[2] = {4000, 8};
  for (int i = 0; i < 4000 * 8; i++) rows[i] = (float)(i % 7) / 7;
  rows[3999 * 8] = __builtin_nanf("");
  StoreWriter *writer = store_create("nan.h5", &error);
  g_assert_no_error(error);
  store_write(writer, "/x", AB_F32, 2, shape, rows, NULL);
  g_assert_true(store_commit(writer, &error));
  cli_write("nan.yaml", "problem: reconstruct\nseed: 1\nepochs: 2\n"
                        "data: {plugin: hdf5, file: nan.h5, batch: 20}\n"
                        "validation: {fraction: 0}\nmodel: {plugin: rbm, hidden: 4}\n");
  g_autoptr(CliResult) run = cli_run("run", "nan.yaml", "--output", "nan", "-q", NULL);
  cli_assert_status(run, AB_DATA);
  g_autoptr(JsonNode) result = result_of("nan");
  g_assert_cmpstr(text_of(result, "status"), ==, "failed");
  g_assert_nonnull(strstr(run->err, text_of(result, "reason")));
}

/* Nor is what a component finds wrong within a step. */
static void test_failed_in_step(void) {
  cli_write("greedy.yaml", "problem: classify\nepochs: 3\ndata: {plugin: digits, batch: 100}\n"
                           "model: {plugin: dbn, layers: [{plugin: rbm, hidden: 8}]}\n"
                           "controller: {plugin: greedy, epochs: [5]}\n");
  g_autoptr(CliResult) run = cli_run("run", "greedy.yaml", "--output", "greedy", "-q", NULL);
  cli_assert_status(run, AB_CONFIG);
  g_autoptr(JsonNode) result = result_of("greedy");
  g_assert_cmpstr(text_of(result, "status"), ==, "failed");
  g_assert_cmpfloat(cli_json_real(result, "steps"), ==, 0);
}

/* A full disk is a failure, and is gone once there is room. */
static void test_full(void) {
  cli_write("growing.yaml", "problem: classify\ndata: digits\nepochs: 3\n"
                            "model: {plugin: mlp, units: [400]}\noptimizer: adam\n");
  cli_remove("limited");
  g_autoptr(CliResult) run =
      cli_run_limited(250000, "run", "growing.yaml", "--output", "limited", "-q", NULL);
  cli_assert_status(run, AB_IO);
  g_autoptr(JsonNode) result = result_of("limited");
  g_assert_cmpstr(text_of(result, "status"), ==, "failed");
  g_assert_nonnull(strstr(run->err, text_of(result, "reason")));
  g_autoptr(CliResult) rest = cli_run("resume", "limited", "-q", NULL);
  cli_assert_status(rest, 0);
  g_autoptr(JsonNode) done = result_of("limited");
  g_assert_cmpstr(text_of(done, "status"), ==, "done");
}

/* ---- while another one is at it ------------------------------------------------------------- */

static CliChild *start_endless(void) {
  cli_write("endless.yaml", endless);
  cli_remove("busy");
  CliChild *child = cli_start("run", "endless.yaml", "--output", "busy", "-q", NULL);
  while (cli_running(child) && !cli_exists("busy/checkpoints/last.h5")) g_usleep(1000);
  return child;
}

static void stop(CliChild *child) {
  cli_signal(child, SIGTERM);
  g_autoptr(CliResult) result = cli_wait(child);
  cli_assert_status(result, AB_STOPPED);
}

/* Whether somebody has the lock that the header of the run folder speaks of. */
static gboolean locked(const char *run) {
  g_autofree char *path = g_build_filename(run, "log.txt", NULL);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  gboolean taken = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return taken;
}

static void test_lock(void) {
  CliChild *child = start_endless();
  g_assert_true(locked("busy"));
  g_autoptr(CliResult) second = cli_run("resume", "busy", NULL);
  cli_assert_status(second, AB_IO);
  cli_assert_says(second, "busy", "in use by another process", NULL);
  cli_assert_message(second, 2);
  g_assert_true(cli_running(child));
  stop(child);
  g_assert_false(locked("busy"));
  child = cli_start("resume", "busy", "-q", NULL);
  while (cli_running(child) && !locked("busy")) g_usleep(1000);
  g_autoptr(CliResult) third = cli_run("resume", "busy", NULL);
  cli_assert_status(third, AB_IO);
  stop(child);
  /* no line was lost or written twice */
  g_autoptr(GPtrArray) lines = cli_lines("busy");
  for (guint i = 0; i < lines->len; i++)
    g_assert_cmpfloat(cli_json_real(lines->pdata[i], "epoch"), ==, i + 1);
}

/* Who comes second to an empty folder. */
static void test_lock_of_new(void) {
  cli_write("base.yaml", base);
  cli_remove("fresh");
  cli_mkdir("fresh");
  g_autofree char *path = g_build_filename("fresh", "log.txt", NULL);
  g_autoptr(CliResult) first =
      cli_run("run", "base.yaml", "--output", "fresh", "-q", "--epochs", "1", NULL);
  cli_assert_status(first, 0);
  g_autoptr(CliResult) second = cli_run("run", "base.yaml", "--output", "fresh", "-q", NULL);
  cli_assert_status(second, AB_IO);
  cli_assert_says(second, "fresh", "not empty", NULL);
}

/* It is there when a run has ended, and only then. */
static void test_result_absent(void) {
  CliChild *child = start_endless();
  g_assert_false(has_result("busy"));
  stop(child);
  g_assert_false(has_result("busy"));
  run_done("whole", NULL, NULL);
  g_assert_true(has_result("whole"));
  child = cli_start("resume", "whole", "-q", "--epochs", "1000000", NULL);
  while (cli_running(child) && has_result("whole")) g_usleep(1000);
  g_assert_true(cli_running(child));
  stop(child);
  g_assert_false(has_result("whole"));
}

/* A resume that does not begin leaves what stands. */
static void test_result_kept(void) {
  run_done("whole", NULL, NULL);
  g_autofree char *before = cli_read("whole/result.json");
  g_autofree char *manifest = cli_read("whole/manifest.yaml");
  cli_write("whole/manifest.yaml", "problem: classify\n");
  g_autoptr(CliResult) mixed = cli_run("resume", "whole", NULL);
  cli_assert_status(mixed, AB_DATA);
  cli_write("whole/manifest.yaml", manifest);
  cli_write("whole/metrics.jsonl", "{}\n");
  g_autoptr(CliResult) other = cli_run("resume", "whole", NULL);
  cli_assert_status(other, AB_DATA);
  g_autofree char *after = cli_read("whole/result.json");
  g_assert_cmpstr(after, ==, before);
}

/* ---- hashes of batches ---------------------------------------------------------------------- */

static char *batches(const char *set) {
  run_done("hashed", "--set", set);
  g_autoptr(JsonNode) result = result_of("hashed");
  return g_strdup(text_of(result, "batches"));
}

/* The model has no part in it; the seed, the size of batches and the number of epochs do. */
static void test_batches(void) {
  g_autofree char *plain = batches("epochs=2");
  static const char *const same[] = {"model={plugin: mlp, units: [7]}", "noise.std=0.5",
                                     "checkpoint.steps=3"};
  static const char *const others[] = {"seed=5", "data.batch=50", "data.shuffle=false",
                                       "validation.fraction=0.2"};
  g_autofree char *five = batches("epochs=5");
  g_assert_cmpuint(strlen(plain), ==, 64);
  g_assert_cmpstr(five, !=, plain);
  for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
    g_autofree char *hash = batches(same[i]);
    g_assert_cmpstr(hash, ==, five);
  }
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autofree char *hash = batches(others[i]);
    g_assert_cmpstr(hash, !=, five);
  }
  g_autoptr(GPtrArray) lines = cli_lines("hashed");
  g_assert_cmpstr(text_of(lines->pdata[0], "batches"), !=, text_of(lines->pdata[1], "batches"));
}

/* Lines that were taken away are not made up for. */
static void test_batches_lost(void) {
  assert_paused(run_base("lost", "--until", "2"), "lost", 2, "step-26.h5");
  cli_remove("lost/metrics.jsonl");
  g_autoptr(CliResult) rest = cli_run("resume", "lost", "-q", NULL);
  cli_assert_status(rest, 0);
  g_autoptr(JsonNode) result = result_of("lost");
  g_assert_cmpstr(text_of(result, "batches"), ==, NULL);
}

static void test_batches_of_agent(void) {
  g_autofree char *path = cli_example("gridworld.yaml");
  g_autoptr(CliResult) run = cli_run("run", path, "--epochs", "1", "--output", "agent", "-q", NULL);
  cli_assert_status(run, 0);
  g_autoptr(JsonNode) result = result_of("agent");
  g_autoptr(GPtrArray) lines = cli_lines("agent");
  g_assert_cmpstr(text_of(result, "batches"), ==, NULL);
  g_assert_cmpstr(text_of(lines->pdata[0], "batches"), ==, NULL);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/until/epoch", test_until);
  g_test_add_func("/until/the-end", test_until_the_end);
  g_test_add_func("/until/refused", test_until_refused);
  g_test_add_func("/until/steps", test_steps);
  g_test_add_func("/until/steps-resumed", test_steps_resumed);
  g_test_add_func("/until/steps-from-the-middle", test_steps_from_the_middle);
  g_test_add_func("/until/steps-at-epochs", test_steps_at_epochs);
  g_test_add_func("/until/seconds", test_seconds);
  g_test_add_func("/until/patience", test_patience);
  g_test_add_func("/result/done", test_result);
  g_test_add_func("/result/memory", test_memory);
  g_test_add_func("/result/batches", test_result_batches);
  g_test_add_func("/result/diverged", test_diverged);
  g_test_add_func("/result/failed", test_failed);
  g_test_add_func("/result/failed-in-step", test_failed_in_step);
  g_test_add_func("/result/full-disk", test_full);
  g_test_add_func("/result/absent", test_result_absent);
  g_test_add_func("/result/kept", test_result_kept);
  g_test_add_func("/lock/running", test_lock);
  g_test_add_func("/lock/new", test_lock_of_new);
  g_test_add_func("/batches/what-they-are-of", test_batches);
  g_test_add_func("/batches/lost", test_batches_lost);
  g_test_add_func("/batches/agent", test_batches_of_agent);
  return cli_finish();
}
