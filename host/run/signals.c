/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that ask for a stop. */
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t stop;
static struct timespec asked;

/* A second signal within a second is taken for the same one: timeout(1) sends it to the process and
 * then to its group.                                                                            */
static void ask(int number) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (!stop) {
    asked = now;
    stop = 1;
  } else if (now.tv_sec > asked.tv_sec + 1) {
    signal(number, SIG_DFL);
    raise(number);
  }
}

static void ignore(int number) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

void signals_prepare(void) {
  ignore(SIGXFSZ);
}

void signals_install(void) {
  struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  ignore(SIGPIPE);
}

gboolean signals_stop(void) {
  return stop != 0;
}
