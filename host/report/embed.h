/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of the page: JSON, written as it comes, in a form that may stand in a script element
 * (no "<" is in it). Numbers that are not finite are null. A key of NULL: an element of an array.
 */
#ifndef HOST_REPORT_EMBED_H
#define HOST_REPORT_EMBED_H

#include <json-glib/json-glib.h>

void embed_begin(GString *out, const char *key, char bracket); /* { or [ */
void embed_end(GString *out, char bracket);                    /* } or ] */
void embed_null(GString *out, const char *key);
void embed_bool(GString *out, const char *key, gboolean value);
void embed_int(GString *out, const char *key, gint64 value);
void embed_real(GString *out, const char *key, double value);
/* Any bytes: what is no UTF-8 becomes U+FFFD. NULL is null. */
void embed_text(GString *out, const char *key, const char *text);
/* With as many digits as a picture needs. */
void embed_reals(GString *out, const char *key, const double *values, gint64 count);
void embed_ints(GString *out, const char *key, const double *values, gint64 count);
void embed_bytes(GString *out, const char *key, const guint8 *bytes, gsize count); /* base64 */
/* What was parsed elsewhere; NULL is null. Its depth is that of the parser: see jsonin_object. */
void embed_node(GString *out, const char *key, JsonNode *node);

#endif
