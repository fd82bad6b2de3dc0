/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files of a run folder, read with care: whoever sent the folder may have put anything there.
 * Messages begin with the file's name without its folder.                                        */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include "error.h"
#include <json-glib/json-glib.h>
#include <stdio.h>

/* The descriptor of a plain file; -1 and AB_NO_INPUT (it is not there), AB_IO, or AB_DATA (no plain
 * file).                                                                                         */
int files_open(const char *folder, const char *name, gint64 *size, GError **error);
/* The whole file, with a 0 behind it (free with g_free); length may be NULL. NULL and an error as
 * above, AB_DATA also over `limit` bytes.                                                        */
char *files_read(const char *folder, const char *name, gsize limit, gsize *length, GError **error);
/* Of a file that is larger than `limit`, the lines at its end that fit. */
char *files_read_end(const char *folder, const char *name, gsize limit, gsize *length,
                     GError **error);
/* A file that is an object of JSON: files_read, then jsonin_object. */
JsonNode *files_read_object(const char *folder, const char *name, gsize limit, GError **error);

/* For files_line; close with fclose. NULL and an error as above. */
FILE *files_open_lines(const char *folder, const char *name, GError **error);
/* A line without its end: FILES_BROKEN, of a file that was cut; FILES_LONG, over `limit` bytes,
 * which are those that are given. */
typedef enum { FILES_END, FILES_WHOLE, FILES_BROKEN, FILES_LONG } FilesLine;
FilesLine files_line(FILE *file, GString *line, gsize limit);

#endif
