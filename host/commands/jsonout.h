/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON: the pieces that several commands have.                                          */
#ifndef HOST_COMMANDS_JSONOUT_H
#define HOST_COMMANDS_JSONOUT_H

#include <absdk/host.h>
#include <json-glib/json-glib.h>

/* Members of the object that is open. Bytes of a file's name that are no UTF-8 become U+FFFD. */
void jsonout_text(JsonBuilder *json, const char *key, const char *value);
void jsonout_real(JsonBuilder *json, const char *key,
                  double value); /* ".inf" where JSON has none */
void jsonout_roles(JsonBuilder *json, const AbComponent *component); /* "roles" */
void jsonout_begin_array(JsonBuilder *json, const char *key);

/* The default of a row as a value, of the row's type; null for a text that is absent. Rows of its
 * records lie `stride` bytes apart. */
void jsonout_default(JsonBuilder *json, const AbParam *row, guint stride);

/* The whole as text, indented, with a final line break; free with g_free. */
char *jsonout_finish(JsonBuilder *json);

#endif
