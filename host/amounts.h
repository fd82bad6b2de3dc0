/* SPDX-License-Identifier: Apache-2.0
 *
 * Amounts as people read them. All texts are to be freed with g_free. */
#ifndef HOST_AMOUNTS_H
#define HOST_AMOUNTS_H

#include <glib.h>

char *amounts_count(gint64 count);      /* "1,234,567" */
char *amounts_difference(gint64 count); /* "+1,234", "-5"; "" for 0 */
char *amounts_bytes(gint64 bytes);      /* "512 B", "42.0 KB", "1.3 MB": powers of 1000 */
char *amounts_duration(double seconds); /* "42s", "3m05s", "2h10m"; 0 or more */

#endif
