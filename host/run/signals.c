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

void signals_install(void) {
  /* SA_RESETHAND: the second signal has its usual effect */
  struct sigaction action = {.sa_handler = ask, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  /* a limit on file sizes is then an error of write, like a full disk */
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigemptyset(&ignore.sa_mask);
  sigaction(SIGXFSZ, &ignore, NULL);
  sigaction(SIGPIPE, &ignore, NULL);
}

gboolean signals_stop(void) {
  return stop != 0;
}
