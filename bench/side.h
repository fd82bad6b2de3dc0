/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that does a workload on demand: peer/README.md says how it is spoken to. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H

#include <gio/gio.h>
#include <stdbool.h>

typedef struct Side Side;

/* Starts the program with OMP_NUM_THREADS and waits until it is ready; NULL if it does not get
 * there: its own messages are on standard error. */
Side *side_start(const char *const *arguments, const char *threads);
/* Does `steps` steps: seconds of one. */
bool side_time(Side *side, int steps, double *seconds);
/* Ends the program (NULL: nothing to do); its peak memory in MB where that is asked for. */
void side_stop(Side *side, double *memory);

#endif
