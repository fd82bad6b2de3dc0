/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost compare`: runs that crash, diverge or cannot write; stops and kills. */
#include "compare-test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- runs that go wrong ---------------------------------------------------------------------- */

static CliResult *run_faulty(void) {
  return cli_run("compare", "m.yaml", "--candidates", "faulty,diverging,unbuildable,wide",
                 "--seeds", "1", "--output", "out", "--plugin-path", "faulty", NULL);
}

static void test_wrong(void) {
  compare_setup();
  install_faulty();
  g_autoptr(CliResult) result = run_faulty();
  cli_assert_status(result, AB_DATA);
  compare_says(result->out, "faulty seed 1: crashed: SIGSEGV (see out/logs/faulty-seed1.log)");
  compare_says(result->out, "diverging seed 1: diverged: ");
  compare_says(result->out, "unbuildable: crashed: SIGSEGV while it was built");
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_cmpstr(compare_status_at(json, 0, 0), ==, "crashed");
  g_assert_cmpstr(compare_status_at(json, 1, 0), ==, "diverged");
  g_assert_cmpstr(compare_status_at(json, 2, 0), ==, "crashed");
  g_assert_cmpstr(compare_status_at(json, 3, 0), ==, "done");
  /* what crashed is tried once more, what diverged is not */
  g_autoptr(CliResult) again = run_faulty();
  cli_assert_status(again, AB_DATA);
  g_assert_cmpuint(compare_starts_of("out", "faulty-seed1"), ==, 2);
  g_assert_cmpuint(compare_starts_of("out", "diverging-seed1"), ==, 1);
  g_assert_cmpuint(compare_starts_of("out", "wide-seed1"), ==, 1);
}

/* As on a full disk: files of more than 300 kB cannot be written. */
static void test_full_disk(void) {
  compare_setup();
  g_autoptr(CliResult) full =
      cli_run_limited(300 * 1000, "compare", "m.yaml", "--candidates", "large,wide", "--seeds", "1",
                      "--output", "out", NULL);
  cli_assert_status(full, AB_DATA);
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_cmpstr(compare_status_at(json, 0, 0), ==, "failed");
  compare_says(compare_reason_at(json, 0), "cannot write");
  g_assert_cmpstr(compare_status_at(json, 1, 0), ==, "done");
  g_autoptr(CliResult) again = cli_run("compare", "m.yaml", "--candidates", "large,wide", "--seeds",
                                       "1", "--output", "out", NULL);
  cli_assert_status(again, 0);
  g_assert_cmpuint(compare_starts_of("out", "wide-seed1"), ==, 1);
}

/* ---- stops and kills ------------------------------------------------------------------------- */

#define LONG_RUNS "compare", "m.yaml", "--candidates", "model,wide", "--seeds", "2", "--jobs", "2"

static gboolean wait_for(CliChild *child, const char *path) {
  while (cli_running(child) && !cli_exists(path)) g_usleep(1000);
  return cli_exists(path);
}

static void test_stop(void) {
  compare_setup();
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
  g_autoptr(JsonNode) json = compare_read_json("out");
  g_assert_cmpstr(compare_status_at(json, 0, 0), ==, "stopped");
  g_assert_cmpstr(compare_status_at(json, 0, 1), ==, "waiting");
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
  compare_setup();
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
  compare_setup();
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
  compare_setup();
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
  compare_says(second->out,
               "wide seed 1: failed: out/runs/wide-seed1 was not made by this comparison");
  g_assert_true(cli_exists("out/runs/wide-seed1/mine"));
  g_assert_true(cli_exists("out/runs/model-seed1/result.json"));
  g_assert_cmpuint(compare_starts_of("out", "model-seed1"), ==, 2);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/compare/wrong", test_wrong);
  g_test_add_func("/compare/full-disk", test_full_disk);
  g_test_add_func("/compare/stop", test_stop);
  g_test_add_func("/compare/orphans", test_orphans);
  g_test_add_func("/compare/kill", test_kill);
  g_test_add_func("/compare/broken-beginning", test_broken_beginning);
  return cli_finish();
}
