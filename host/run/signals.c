/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that ask for a stop. */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop;

static void ask(int number) {
  (void)number;
  stop = 1;
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
  /* SA_RESETHAND: the second signal has its usual effect */
  struct sigaction action = {.sa_handler = ask, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  ignore(SIGPIPE);
}

gboolean signals_stop(void) {
  return stop != 0;
}
