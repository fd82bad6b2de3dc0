/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGKILL at random moments after the first checkpoint: what stands always opens and resumes, to
 * the weights of a run that nobody killed. */
#include "cli-test.h"

#include <signal.h>
#include <stdio.h>

#define KILLS 50

/* Little work and many saves, so that a kill often meets one. */
static const char manifest[] = "problem: classify\n"
                               "seed: 5\n"
                               "epochs: 2\n"
                               "data: {plugin: digits, batch: 130}\n"
                               "model: {plugin: mlp, units: [32], dropout: 0.2}\n"
                               "optimizer: {plugin: adam, lr: 1e-2}\n"
                               "checkpoint: {best: accuracy, steps: 1, keep: 2}\n";

static void run_reference(double *seconds) {
  g_autoptr(CliResult) result = cli_run("run", "kill.yaml", "--output", "whole", "-q", NULL);
  cli_assert_status(result, 0);
  *seconds = result->seconds;
}

/* Kills a run or resume up to `seconds` after its first save; FALSE if it was done before that. */
static gboolean kill_late(CliChild *child, GRand *random, double seconds) {
  while (cli_running(child) && !cli_exists("killed/checkpoints/last.h5")) g_usleep(200);
  gint64 until =
      g_get_monotonic_time() + (gint64)(g_rand_double(random) * seconds * G_USEC_PER_SEC);
  while (cli_running(child) && g_get_monotonic_time() < until) g_usleep(200);
  cli_signal(child, SIGKILL);
  g_autoptr(CliResult) result = cli_wait(child);
  if (result->status == -SIGKILL) return TRUE;
  cli_assert_status(result, 0);
  return FALSE;
}

static void assert_resumes(void) {
  cli_assert_opens("killed/checkpoints/last.h5");
  g_autoptr(CliResult) result = cli_run("resume", "killed", "-q", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  cli_assert_no_temporaries("killed");
  g_assert_true(
      cli_same_tensors("killed/checkpoints/last.h5", "whole/checkpoints/last.h5", "/model"));
  g_assert_true(
      cli_same_tensors("killed/checkpoints/last.h5", "whole/checkpoints/last.h5", "/optimizer"));
  g_assert_true(
      cli_same_tensors("killed/checkpoints/best.h5", "whole/checkpoints/best.h5", "/model"));
  g_autofree char *killed = cli_metrics("killed"), *whole = cli_metrics("whole");
  g_assert_cmpstr(killed, ==, whole);
}

static void test_kill(void) {
  GRand *random = g_rand_new_with_seed(20240229);
  double seconds;
  guint killed = 0, finished = 0, twice = 0;
  cli_write("kill.yaml", manifest);
  run_reference(&seconds);
  while (killed < KILLS && finished < 4 * KILLS) {
    cli_remove("killed");
    CliChild *child = cli_start("run", "kill.yaml", "--output", "killed", "-q", NULL);
    gboolean hit = kill_late(child, random, seconds);
    killed += hit;
    finished += !hit;
    if (hit && g_rand_boolean(random)) {
      cli_assert_opens("killed/checkpoints/last.h5");
      hit = kill_late(cli_start("resume", "killed", "-q", NULL), random, seconds);
      killed += hit;
      twice += hit;
    }
    assert_resumes();
  }
  g_rand_free(random);
  g_test_message("%u kills, %u of them of a resume; %u runs ended before theirs", killed, twice,
                 finished);
  g_assert_cmpuint(killed, >=, KILLS);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/kill/any-moment", test_kill);
  return cli_finish();
}
