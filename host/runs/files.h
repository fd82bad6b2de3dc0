/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files of a run folder, read with care: whoever sent the folder may have put anything there.
 */
#ifndef HOST_RUNS_FILES_H
#define HOST_RUNS_FILES_H

#include "../error.h"
#include <json-glib/json-glib.h>

/* The descriptor of a plain file; -1 and an error as below. */
int files_open(const char *folder, const char *name, gint64 *size, GError **error);
/* The whole file, with a 0 behind it (free with g_free). NULL and AB_NO_INPUT (it is not there),
 * AB_IO, or AB_DATA (no plain file, over `limit` bytes). Messages begin with the file's name
 * without its folder.                                                                            */
char *files_read(const char *folder, const char *name, gsize limit, gsize *length, GError **error);
/* Of a file that is larger than `limit`, the lines at its end that fit. */
char *files_read_end(const char *folder, const char *name, gsize limit, gsize *length,
                     GError **error);

/* An object of JSON; json_node_unref. NULL and AB_DATA: damaged, nested too deeply, no object. */
JsonNode *files_object(const char *name, const char *text, gssize length, GError **error);

/* Members of an object, if they are there and of that type. */
const char *files_json_text(JsonObject *object, const char *key); /* else NULL */
gboolean files_json_number(JsonObject *object, const char *key, double *value);
JsonObject *files_json_object(JsonObject *object, const char *key); /* else NULL */

#endif
