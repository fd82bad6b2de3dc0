/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON. A key of NULL: an element of the array that is open. */
#ifndef HOST_JSONOUT_H
#define HOST_JSONOUT_H

#include <json-glib/json-glib.h>

/* Bytes that are no UTF-8, of a file's name, become U+FFFD; NULL is null. */
void jsonout_text(JsonBuilder *json, const char *key, const char *text);
void jsonout_real(JsonBuilder *json, const char *key, double value); /* null: not finite */
void jsonout_int(JsonBuilder *json, const char *key, gint64 value);
/* null where it is not known */
void jsonout_known(JsonBuilder *json, const char *key, gint64 value, gboolean known);
void jsonout_flag(JsonBuilder *json, const char *key, gboolean value);
void jsonout_null(JsonBuilder *json, const char *key);
/* An array of texts, `texts` being NULL-terminated. */
void jsonout_texts(JsonBuilder *json, const char *key, const char *const *texts);
/* End them with json_builder_end_object and json_builder_end_array. */
void jsonout_begin_object(JsonBuilder *json, const char *key);
void jsonout_begin_array(JsonBuilder *json, const char *key);

/* The whole as text; free with g_free. */
char *jsonout_finish(JsonBuilder *json); /* indented, with a final line break */
char *jsonout_line(JsonBuilder *json);   /* on one line, without a break */
/* What json_to_string gives, with its numbers put right: json-glib 1.6 writes 1e-08 as 1e-08.0,
 * which is no JSON. */
char *jsonout_node(JsonNode *root, gboolean pretty);

#endif
