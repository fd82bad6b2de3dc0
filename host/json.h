/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as text. */
#ifndef HOST_JSON_H
#define HOST_JSON_H

#include <json-glib/json-glib.h>

/* What json_to_string gives, with its numbers put right: json-glib 1.6 writes 1e-08 as 1e-08.0,
 * which is no JSON. Free with g_free.                                                            */
char *json_text(JsonNode *root, gboolean pretty);

#endif
