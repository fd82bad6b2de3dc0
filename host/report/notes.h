/* SPDX-License-Identifier: Apache-2.0
 *
 * What could not be read, for the page to say (char *, freed with g_free). */
#ifndef HOST_REPORT_NOTES_H
#define HOST_REPORT_NOTES_H

#include "../error.h"

void notes_add(GPtrArray *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Both take the error, which may be NULL. One of host/files.h says nothing of the folder, and
 * nothing at all is said of a file that is not there. */
void notes_take(GPtrArray *self, GError *error);
void notes_take_file(GPtrArray *self, const char *folder, GError *error);

#endif
