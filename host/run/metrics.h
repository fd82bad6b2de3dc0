/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading metrics.jsonl, whose lines record.h describes. */
#ifndef HOST_RUN_METRICS_H
#define HOST_RUN_METRICS_H

#include "../error.h"
#include <json-glib/json-glib.h>

typedef void (*MetricsTake)(JsonNode *line, gpointer data); /* an object */

/* Gives every line that is sound, one after the other. A last line without an end that is not sound
 * is being written, and no damage. FALSE and AB_NO_INPUT (there is no such file), AB_IO, or, after
 * all that is sound was given, AB_DATA: the first line that is damaged, and how many are. Messages
 * do not name the folder.                                                                        */
gboolean metrics_read(const char *folder, MetricsTake take, gpointer data, GError **error);

/* The lines of epochs, JsonNode *; never NULL. An error as above, but where there is no file. */
GPtrArray *metrics_epochs(const char *folder, GError **error);

#endif
