/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pages of runs and of comparisons have in common. */
#ifndef HOST_REPORT_GATHER_INTERNAL_H
#define HOST_REPORT_GATHER_INTERNAL_H

#include "embed.h"
#include "gather.h"

/* The object's beginning, and its end with the notes. */
GString *gather_begin(const char *folder, const char *kind);
char *gather_end(GString *out, const GPtrArray *notes);
/* An object "texts" with a member for each of `names` (NULL-terminated) that is there:
 * {"manifest.yaml":{"text":"...","cut":false}}, of log.txt its end */
void gather_texts(const char *folder, const char *const *names, GString *out, GPtrArray *notes);
/* NULL where it is not there or damaged. */
JsonNode *gather_object(const char *folder, const char *name, GError **error);

#endif
