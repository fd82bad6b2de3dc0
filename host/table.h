/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for people: columns as wide as what is in them. What a terminal would not print as it
 * stands is replaced. */
#ifndef HOST_TABLE_H
#define HOST_TABLE_H

#include <glib.h>

typedef struct Table Table;

/* One letter for each column: l(eft) or r(ight). */
Table *table_new(const char *alignment);
void table_free(Table *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
/* As many texts as there are columns; NULL is an empty one. */
void table_add(Table *self, ...);
/* The same with texts in an array, which are freed. */
void table_take(Table *self, char *const *texts);
/* Appends all rows, each after `indent` spaces. A column that is empty but for its title, the text
 * of the first row, is left out where `titled`; one that is empty always.                        */
void table_write(const Table *self, GString *out, guint indent, gboolean titled);

/* A text on one line as a terminal may have it: UTF-8, without control characters. Free with
 * g_free.                                                                                        */
char *table_printable(const char *text);

#endif
