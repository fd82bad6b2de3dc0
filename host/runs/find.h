/* SPDX-License-Identifier: Apache-2.0
 *
 * Run folders below a folder. */
#ifndef HOST_RUNS_FIND_H
#define HOST_RUNS_FIND_H

#include "info.h"

/* Reads all run folders in and below `folder` (RunInfo *, free with g_ptr_array_unref), in the
 * order of their names, which are relative to it. Hidden folders and symbolic links are left out.
 * What could not be entered is told in `unread` (char *). NULL and AB_NO_INPUT if there is no such
 * folder, AB_IO if it cannot be read.                                                            */
GPtrArray *runs_find(const char *folder, GPtrArray *unread, GError **error);

#endif
