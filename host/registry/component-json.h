/* SPDX-License-Identifier: Apache-2.0
 *
 * What a component says of itself, as JSON. */
#ifndef HOST_REGISTRY_COMPONENT_JSON_H
#define HOST_REGISTRY_COMPONENT_JSON_H

#include <absdk/host.h>
#include <json-glib/json-glib.h>

/* The member "roles" of the object that is open: those that a model offers. */
void component_json_roles(JsonBuilder *json, const AbComponent *component);
/* The default of a row as a value, of the row's type; null for a text that is absent. Rows of its
 * records lie `stride` bytes apart. */
void component_json_default(JsonBuilder *json, const AbParam *row, guint stride);

#endif
