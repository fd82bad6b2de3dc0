/* SPDX-License-Identifier: Apache-2.0
 *
 * report.html: one file that shows a run or a comparison, and needs nothing but a browser. It is
 * made from the files of the folder alone; no plugin is loaded. What a folder does not have is left
 * out of the page; what is damaged is named there, and does not keep the rest from being shown. */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include "../error.h"

/* `output` NULL: report.html in the folder. Written atomically. AB_NO_INPUT where the folder is no
 * run (no comparison), AB_IO where the page cannot be written. */
gboolean report_run(const char *folder, const char *output, GError **error);
gboolean report_compare(const char *folder, const char *output, GError **error);

/* Either, by what the folder has. The name of the page (free with g_free), NULL after an error.
 * What the page says of damaged files is added to `notes` (char *, g_free). */
char *report_write(const char *folder, const char *output, GPtrArray *notes, GError **error);

#endif
