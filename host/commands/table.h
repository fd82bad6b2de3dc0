/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for people: columns as wide as what is in them, numbers that can be read. */
#ifndef HOST_COMMANDS_TABLE_H
#define HOST_COMMANDS_TABLE_H

#include <glib.h>

typedef struct Table Table;

/* One letter for each column: l(eft) or r(ight). */
Table *table_new(const char *alignment);
void table_free(Table *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
/* As many texts as there are columns; NULL is an empty one. */
void table_add(Table *self, ...);
/* Appends all rows, each after `indent` spaces. A column that is empty but for its title, the text
 * of the first row, is left out where `titled`.                                                  */
void table_write(const Table *self, GString *out, guint indent, gboolean titled);

/* To be freed with g_free. */
char *table_count(gint64 count);      /* "1,234,567" */
char *table_difference(gint64 count); /* "+1,234", "-5"; "" for 0 */
char *table_bytes(gint64 bytes);      /* "512 B", "42.0 KB", "1.3 MB": powers of 1000 */

#endif
