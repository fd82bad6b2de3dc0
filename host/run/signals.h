/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGINT and SIGTERM: the first asks the run to stop after its step, the second ends the program.
 */
#ifndef HOST_RUN_SIGNALS_H
#define HOST_RUN_SIGNALS_H

#include <glib.h>

void signals_install(void);
gboolean signals_stop(void); /* whether a stop was asked for */

#endif
