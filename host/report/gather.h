/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of a page, from the files of a folder. */
#ifndef HOST_REPORT_GATHER_H
#define HOST_REPORT_GATHER_H

#include "../error.h"

/* Whether the folder has a file that a run (a comparison) has. */
gboolean gather_is_run(const char *folder);
gboolean gather_is_compare(const char *folder);

/* A JSON object (embed.h); what is damaged is noted (char *), in the page and in `notes`. */
char *gather_run(const char *folder, GPtrArray *notes);
/* The same; links lead from where `page` will be. NULL where compare.json cannot be read. */
char *gather_compare(const char *folder, const char *page, GPtrArray *notes, GError **error);

/* "runs/x" of the folder or file `to`, seen from the folder `from`; free with g_free. */
char *gather_relative(const char *from, const char *to);

#endif
