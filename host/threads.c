/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread of libgomp that waits for another tries some hundred thousand times before it gives its
 * core away. Alone on a machine that costs nothing. Beside another program the one that is waited
 * for may have no core, and gets none while it is waited for: a run of 2.5 s took 4 to 18 s.
 * libgomp reads its setting when it is loaded, which is before main; hence a second start. */
#include "threads.h"

#include <glib.h>
#include <unistd.h>

#define VARIABLE "GOMP_SPINCOUNT"
#define TRIES    "10000" /* some 100 microseconds: longer than the threads of one operation differ */

void threads_settle(char **argv) {
  if (g_getenv(VARIABLE) || g_getenv("OMP_WAIT_POLICY")) return;
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  if (!program || !g_setenv(VARIABLE, TRIES, TRUE)) return;
  execv(program, argv); /* comes back where that cannot be: then as it is */
}
