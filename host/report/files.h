/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the files of a folder: no more of them than was asked for, and never a pipe. */
#ifndef HOST_REPORT_FILES_H
#define HOST_REPORT_FILES_H

#include "../error.h"
#include <json-glib/json-glib.h>
#include <stdio.h>

/* NULL where it is not there (*error unset) or cannot be read. Close with fclose. */
FILE *files_open(const char *folder, const char *name, GError **error);

typedef enum { FILES_HEAD, FILES_TAIL } FilesEnd;

/* At most `limit` bytes, from the beginning or the end, in whole lines where it was cut (*cut).
 * UTF-8 in any case. NULL as files_open. Free with g_free. */
char *files_text(const char *folder, const char *name, gsize limit, FilesEnd end, gboolean *cut,
                 GError **error);

/* JSON text that is an object, of at most 64 levels; `what` is what messages call it. Free with
 * json_node_unref. */
JsonNode *files_parse(const char *text, const char *what, GError **error);
/* The same from a file of at most 64 MiB. NULL as files_open. */
JsonNode *files_json(const char *folder, const char *name, GError **error);

/* Members of an object, of the type that is wanted; the object may be NULL. Borrowed. */
JsonNode *files_member(JsonNode *object, const char *name);
const char *files_member_text(JsonNode *object, const char *name); /* or NULL */
JsonArray *files_member_array(JsonNode *object, const char *name); /* or NULL */
double files_member_real(JsonNode *object, const char *name);      /* or NAN  */

#endif
