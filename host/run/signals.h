/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGINT and SIGTERM while a model trains: the first asks the run to stop after its step; one that
 * comes more than a second later ends the program.                                              */
#ifndef HOST_RUN_SIGNALS_H
#define HOST_RUN_SIGNALS_H

#include <glib.h>

/* For the whole program: a limit on file sizes is an error of write, like a full disk. */
void signals_prepare(void);
/* From here on, stops are requests; and a reader of our output that has gone does not end a run. */
void signals_install(void);
gboolean signals_stop(void); /* whether a stop was asked for */

#endif
