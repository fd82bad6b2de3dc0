/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that others wrote: a value may be absent, or of another type than it should be. */
#ifndef HOST_JSONIN_H
#define HOST_JSONIN_H

#include "error.h"
#include <json-glib/json-glib.h>

/* An object; json_node_unref. NULL and AB_DATA: damaged, nested too deeply, no object. The message
 * begins with `name`; a length of -1: up to the 0.                                               */
JsonNode *jsonin_object(const char *name, const char *text, gssize length, GError **error);

/* Members of an object, if they are there and of that type. */
const char *jsonin_text(JsonObject *object, const char *key); /* else NULL */
gboolean jsonin_number(JsonObject *object, const char *key, double *value);
double jsonin_real(JsonObject *object, const char *key);                  /* else NaN */
gint64 jsonin_int(JsonObject *object, const char *key, gint64 otherwise); /* 3.5: 3 */
JsonObject *jsonin_inner(JsonObject *object, const char *key);            /* else NULL */
JsonArray *jsonin_array(JsonObject *object, const char *key);             /* else NULL */

#endif
