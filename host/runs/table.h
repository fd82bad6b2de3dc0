/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as text. */
#ifndef HOST_RUNS_TABLE_H
#define HOST_RUNS_TABLE_H

#include <glib.h>

/* Rows (char **, each of strlen(align) texts; NULL is an empty one) in columns, 'l' or 'r' in
 * `align`, two blanks between. Columns that are empty but for the first row, if that is a `head`,
 * are left out. What a terminal would not print as it stands is replaced. Free with g_free.      */
char *table_text(const GPtrArray *rows, const char *align, gboolean head, const char *indent);

/* A text on one line as a terminal may have it: UTF-8, without control characters. */
char *table_printable(const char *text);

#endif
