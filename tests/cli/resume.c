/* SPDX-License-Identifier: Apache-2.0
 *
 * Stopping by SIGTERM and SIGINT, and going on: as if nothing had been. */
#include "cli-test.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOPS 4

/* A manifest, and how long an interrupted part of it lasts at most. */
typedef struct {
  const char *name, *manifest;
  int signal;
} Case;

static const Case cases[] = {
    {"mlp-dropout-noise",
     "problem: classify\nseed: 11\nepochs: 40\n"
     "data: {plugin: digits, batch: 30, transform: {standardise: true, shift: 1}}\n"
     "noise: {plugin: gaussian, std: 0.2}\n"
     "model: {plugin: mlp, units: [64], dropout: 0.3}\n"
     "regularizers: [{plugin: weight-decay, rate: 1e-4}, {plugin: max-norm, limit: 2}]\n"
     "optimizer: {plugin: adam, lr: 1e-3, schedule: {plugin: step, factor: 0.9, every: 2}}\n"
     "checkpoint: {best: accuracy}\nstop: {metric: accuracy, patience: 1000}\n",
     SIGTERM},
    {"auto-encoder",
     "problem: reconstruct\nseed: 12\nepochs: 60\n"
     "data: {plugin: digits, batch: 50}\n"
     "noise: {plugin: masking, fraction: 0.2}\n"
     "model: {plugin: auto-encoder, tied: true, encoder: {plugin: mlp, units: [48, 12]}, decoder: "
     "{plugin: mlp, units: [48]}}\n"
     "optimizer: {plugin: sgd, lr: 0.1, momentum: 0.9}\nclip: {norm: 1}\n",
     SIGINT},
    {"rbm-persistent",
     "problem: reconstruct\nseed: 13\nepochs: 40\n"
     "data: {plugin: digits, batch: 50}\n"
     "model: {plugin: rbm, hidden: 48, k: 2, persistent: true, chains: 50}\n"
     "optimizer: {plugin: sgd, lr: 0.05, momentum: 0.5}\n",
     SIGTERM},
    {"greedy-dbn",
     "problem: classify\nseed: 17\nepochs: 50\n"
     "data: {plugin: digits, batch: 50}\n"
     "model: {plugin: dbn, dropout: 0.1, layers: [{plugin: rbm, hidden: 48}, {plugin: rbm, "
     "hidden: 32}]}\n"
     "controller: {plugin: greedy, epochs: [16], optimizer: {plugin: sgd, lr: 0.1, momentum: 0.5}, "
     "corrupt: {plugin: masking, fraction: 0.1}}\n"
     "optimizer: {plugin: adam, lr: 1e-3}\n",
     SIGTERM},
    {"spiral-f64",
     "problem: classify\nseed: 14\nepochs: 200\nprecision: f64\n"
     "data: {plugin: spiral, samples: 200, batch: 25, drop_last: true}\n"
     "model: {plugin: mlp, units: [15, 15], activation: tanh}\n"
     "optimizer: {plugin: adam, lr: 1e-2}\ncheckpoint: {every: 7, keep: 1}\n",
     SIGTERM},
    {"csv",
     "problem: predict\nseed: 15\nepochs: 150\n"
     "data: {plugin: csv, file: line.csv, target: t, test_fraction: 0.2, batch: 16}\n"
     "model: {plugin: mlp, units: [8], activation: tanh}\n"
     "optimizer: {plugin: adam, lr: 1e-2}\n",
     SIGINT},
    {"hdf5",
     "problem: reconstruct\nseed: 16\nepochs: 120\n"
     "data: {plugin: hdf5, file: rows.h5, test_x: test, batch: 32, transform: {scale: [0, 1]}}\n"
     "model: {plugin: rbm, hidden: 16}\n",
     SIGTERM},
};

/* ---- data ---------------------------------------------------------------------------------- */

static void write_csv(void) {
  GString *text = g_string_new("a,b,t\n");
  for (int i = 0; i < 400; i++) {
    double a = sin(i * 0.7), b = cos(i * 1.3);
    g_string_append_printf(text, "%.6f,%.6f,%.6f\n", a, b, a * b + 0.5 * a);
  }
  cli_write("line.csv", text->str);
  g_string_free(text, TRUE);
}

static void write_hdf5(void) {
  g_autoptr(GError) error = NULL;
  static float rows[600 * 20];
  gint64 shape[2] = {600, 20};
  for (int i = 0; i < 600 * 20; i++) rows[i] = (float)(sin(i * 0.37) * cos(i / 20 * 0.11));
  StoreWriter *writer = store_create("rows.h5", &error);
  g_assert_no_error(error);
  store_write(writer, "/x", AB_F32, 2, shape, rows, NULL);
  shape[0] = 100;
  store_write(writer, "/test", AB_F32, 2, shape, rows, NULL);
  g_assert_true(store_commit(writer, &error));
}

/* ---- interrupted and not ------------------------------------------------------------------- */

static guint count_words(const char *path, const char *word) {
  if (!cli_exists(path)) return 0;
  g_autofree char *text = cli_read(path);
  guint count = 0;
  for (const char *at = text; (at = strstr(at, word)); at++) count++;
  return count;
}

/* Until it trains: signals before that find a program that is just starting. */
static void wait_for_training(CliChild *child, guint resumes) {
  while (cli_running(child) && (!cli_exists("parts/checkpoints/last.h5") ||
                                count_words("parts/log.txt", "resumed at") < resumes))
    g_usleep(500);
}

/* TRUE if it was stopped, FALSE if it had finished. */
static gboolean interrupt(CliChild *child, int number, gint64 microseconds) {
  g_usleep((gulong)microseconds);
  cli_signal(child, number);
  g_autoptr(CliResult) result = cli_wait(child);
  if (result->status == 0) return FALSE;
  cli_assert_status(result, AB_STOPPED);
  cli_assert_says(result, "abhost resume parts", NULL);
  cli_assert_message(result, 3);
  g_assert_cmpstr(result->out, ==, "");
  return TRUE;
}

static guint run_in_parts(const Case *self, const char *manifest, double seconds, GRand *random) {
  gint64 longest = (gint64)(seconds * G_USEC_PER_SEC / (STOPS + 1));
  guint stops = 0;
  cli_remove("parts");
  CliChild *child = cli_start("run", manifest, "--output", "parts", "-q", NULL);
  for (gboolean stopped = TRUE; stopped;) {
    wait_for_training(child, stops);
    if (stops == STOPS) break;
    stopped = interrupt(child, self->signal, (gint64)(g_rand_double(random) * (double)longest));
    if (!stopped) return stops;
    cli_assert_no_temporaries("parts");
    child = cli_start("resume", "parts", "-q", NULL);
    stops++;
  }
  g_autoptr(CliResult) result = cli_wait(child);
  cli_assert_status(result, 0);
  return stops;
}

static void test_interrupted(gconstpointer data) {
  const Case *self = data;
  GRand *random = g_rand_new_with_seed(self->manifest[20]);
  write_csv();
  write_hdf5();
  g_autofree char *manifest = g_strdup_printf("%s.yaml", self->name);
  cli_write(manifest, self->manifest);
  cli_remove("whole");
  g_autoptr(CliResult) whole = cli_run("run", manifest, "--output", "whole", "-q", NULL);
  cli_assert_status(whole, 0);
  guint stops = run_in_parts(self, manifest, whole->seconds, random);
  g_test_message("%u stops of a run of %.1f s", stops, whole->seconds);
  g_assert_cmpuint(stops, >=, 2);
  const char *left = "whole/checkpoints/last.h5", *right = "parts/checkpoints/last.h5";
  g_assert_true(cli_same_tensors(left, right, "/model"));
  g_assert_true(cli_same_tensors(left, right, "/optimizer"));
  g_autofree char *metrics = cli_metrics("whole"), *others = cli_metrics("parts");
  g_assert_cmpstr(others, ==, metrics);
  g_rand_free(random);
}

/* ---- resume of what is done ---------------------------------------------------------------- */

static const char small[] = "problem: classify\nseed: 1\nepochs: 3\n"
                            "data: {plugin: digits, batch: 100}\n"
                            "model: {plugin: mlp, units: [16]}\n"
                            "optimizer: {plugin: adam, lr: 1e-2}\n";

static void run_small(const char *output, const char *epochs) {
  cli_write("small.yaml", small);
  cli_remove(output);
  g_autoptr(CliResult) result =
      cli_run("run", "small.yaml", "--output", output, "--epochs", epochs, "-q", NULL);
  cli_assert_status(result, 0);
}

/* The table alone: times differ. */
static char *table_of(const char *text) {
  const char *end = strstr(text, "\nmodel ");
  g_assert_nonnull(end);
  return g_strndup(text, (gsize)(end - text));
}

static void test_finished(void) {
  cli_write("small.yaml", small);
  g_autoptr(CliResult) first = cli_run("run", "small.yaml", "--output", "done", "-q", NULL);
  cli_assert_status(first, 0);
  g_autofree char *before = cli_metrics("done");
  g_autofree char *target = g_file_read_link("done/checkpoints/last.h5", NULL);
  for (int i = 0; i < 2; i++) {
    g_autoptr(CliResult) again = cli_run("resume", "done", "-q", NULL);
    cli_assert_status(again, 0);
    g_autofree char *table = table_of(first->out), *other = table_of(again->out);
    g_autofree char *after = cli_metrics("done");
    g_autofree char *now = g_file_read_link("done/checkpoints/last.h5", NULL);
    g_assert_cmpstr(other, ==, table);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpstr(now, ==, target);
  }
}

static void test_more_epochs(void) {
  run_small("five", "5");
  run_small("grown", "3");
  g_autoptr(CliResult) result = cli_run("resume", "grown", "--epochs", "5", "-q", NULL);
  cli_assert_status(result, 0);
  g_assert_true(
      cli_same_tensors("five/checkpoints/last.h5", "grown/checkpoints/last.h5", "/model"));
  g_autofree char *five = cli_metrics("five"), *grown = cli_metrics("grown");
  g_assert_cmpstr(grown, ==, five);
  /* what was asked for stays with the run */
  g_autoptr(CliResult) again = cli_run("resume", "grown", "--json", "-q", NULL);
  cli_assert_status(again, 0);
  g_autoptr(JsonNode) json = cli_json(again->out);
  g_assert_cmpfloat(cli_json_real(json, "epoch"), ==, 5);
}

static void test_refused(void) {
  run_small("kept", "1");
  g_autofree char *before = cli_metrics("kept");
  static const char *const sets[] = {"model.units=[8]", "optimizer.lr=1", "seed=3", "data.batch=7",
                                     "epochsx=3"};
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
    g_autoptr(CliResult) result = cli_run("resume", "kept", "--set", sets[i], NULL);
    cli_assert_status(result, AB_USAGE);
    cli_assert_says(result, sets[i], "init.from", NULL);
    cli_assert_message(result, 3);
  }
  g_autofree char *after = cli_metrics("kept");
  g_assert_cmpstr(after, ==, before);
}

/* ---- resume after the data moved ----------------------------------------------------------- */

static const guint8 idx_images[] = {0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2};
static const guint8 idx_labels[] = {0, 0, 8, 1, 0, 0, 0, 40};

static void write_idx(const char *folder) {
  guint8 images[sizeof idx_images + 160], labels[sizeof idx_labels + 40];
  memcpy(images, idx_images, sizeof idx_images);
  memcpy(labels, idx_labels, sizeof idx_labels);
  for (int i = 0; i < 40; i++) {
    labels[sizeof idx_labels + i] = (guint8)(i % 2);
    for (int j = 0; j < 4; j++)
      images[sizeof idx_images + 4 * i + j] = (guint8)(i % 2 ? 20 * j + i : 200 - i);
  }
  static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                      "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
  cli_mkdir(folder);
  for (int i = 0; i < 4; i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    if (i % 2)
      cli_write_bytes(path, labels, sizeof labels);
    else
      cli_write_bytes(path, images, sizeof images);
  }
}

static void test_moved_data(void) {
  write_idx("here");
  cli_write("moved.yaml", "problem: classify\nepochs: 2\ndata: {plugin: idx, folder: here, batch: "
                          "10}\nmodel: {plugin: mlp, units: [4]}\n");
  g_autoptr(CliResult) first = cli_run("run", "moved.yaml", "--output", "moved", "-q", NULL);
  cli_assert_status(first, 0);
  cli_remove("here");
  write_idx("there");
  g_autoptr(CliResult) lost = cli_run("resume", "moved", "--epochs", "4", NULL);
  cli_assert_status(lost, AB_NO_INPUT);
  cli_assert_says(lost, "here", "data.folder", NULL);
  g_autoptr(CliResult) found =
      cli_run("resume", "moved", "--epochs", "4", "--set", "data.folder=there", "-q", NULL);
  cli_assert_status(found, 0);
  g_autoptr(CliResult) whole = cli_run("run", "moved.yaml", "--set", "data.folder=there",
                                       "--epochs", "4", "--output", "moved-whole", "-q", NULL);
  cli_assert_status(whole, 0);
  g_assert_true(
      cli_same_tensors("moved/checkpoints/last.h5", "moved-whole/checkpoints/last.h5", "/model"));
}

/* A kill between a checkpoint and its links leaves a best.h5 that its state does not mean. */
static void test_best_link(void) {
  cli_write("links.yaml", "problem: classify\nseed: 4\nepochs: 3\n"
                          "data: {plugin: digits, batch: 100}\nmodel: {plugin: mlp, units: [16]}\n"
                          "checkpoint: {best: accuracy, keep: 9}\n");
  g_autoptr(CliResult) whole = cli_run("run", "links.yaml", "--output", "links", "-q", NULL);
  cli_assert_status(whole, 0);
  const char *link = "links/checkpoints/best.h5";
  g_autofree char *meant = g_file_read_link(link, NULL);
  g_assert_nonnull(meant);
  g_assert_cmpstr(meant, !=, "step-0.h5");
  g_assert_cmpint(g_unlink(link), ==, 0);
  g_assert_cmpint(symlink("step-0.h5", link), ==, 0);
  g_autoptr(CliResult) resumed = cli_run("resume", "links", "-q", NULL);
  cli_assert_status(resumed, 0);
  g_autofree char *mended = g_file_read_link(link, NULL);
  g_assert_cmpstr(mended, ==, meant);
  g_assert_cmpstr(resumed->out, ==, whole->out);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/resume/interrupted/%s", cases[i].name);
    g_test_add_data_func(path, &cases[i], test_interrupted);
  }
  g_test_add_func("/resume/finished", test_finished);
  g_test_add_func("/resume/more-epochs", test_more_epochs);
  g_test_add_func("/resume/refused", test_refused);
  g_test_add_func("/resume/moved-data", test_moved_data);
  g_test_add_func("/resume/best-link", test_best_link);
  return cli_finish();
}
