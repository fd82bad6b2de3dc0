/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing and ordering runs by their facts. */
#ifndef HOST_RUNS_SELECT_H
#define HOST_RUNS_SELECT_H

#include "info.h"

/* Keeps those of `runs` (RunInfo *) that pass every filter: KEY=VALUE (numbers by their value, so
 * that 1e-3 is 0.001), KEY<NUMBER, KEY>NUMBER, KEY<=NUMBER, KEY>=NUMBER; a date is compared as it
 * is written. A run without the key does not pass. `filters` is NULL-terminated, or NULL.
 * AB_USAGE: no filter, a key that no run has (where there are runs).                             */
gboolean runs_filter(GPtrArray *runs, const char *const *filters, GError **error);

/* Orders by a key, "-KEY" from the greatest down; numbers by value, before texts; runs without it
 * are last; equal ones by name. AB_USAGE as above.                                               */
gboolean runs_sort(GPtrArray *runs, const char *key, GError **error);

#endif
