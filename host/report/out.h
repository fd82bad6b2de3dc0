/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of the page: JSON, written as it comes, in a form that may stand in a script element
 * (no "<" is in it). Numbers that are not finite are null. A key of NULL: an element of an array.
 */
#ifndef HOST_REPORT_OUT_H
#define HOST_REPORT_OUT_H

#include <json-glib/json-glib.h>

void out_begin(GString *out, const char *key, char bracket); /* { or [ */
void out_end(GString *out, char bracket);                    /* } or ] */
void out_null(GString *out, const char *key);
void out_bool(GString *out, const char *key, gboolean value);
void out_int(GString *out, const char *key, gint64 value);
void out_real(GString *out, const char *key, double value);
/* Any bytes: what is no UTF-8 becomes U+FFFD. NULL is null. */
void out_text(GString *out, const char *key, const char *text);
/* With as many digits as a picture needs. */
void out_reals(GString *out, const char *key, const double *values, gint64 count);
void out_ints(GString *out, const char *key, const double *values, gint64 count);
void out_bytes(GString *out, const char *key, const guint8 *bytes, gsize count); /* base64 */
/* What was parsed elsewhere; NULL is null. Its depth is that of the parser: see files_parse. */
void out_node(GString *out, const char *key, JsonNode *node);

#endif
