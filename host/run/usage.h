/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process has used of the machine so far. */
#ifndef HOST_RUN_USAGE_H
#define HOST_RUN_USAGE_H

#include <glib.h>

double usage_cpu_seconds(void); /* of all threads, in user and system mode */
gint64 usage_peak_memory(void); /* the most that was resident at once, bytes; 0: not known */

#endif
