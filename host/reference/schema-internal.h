/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the schema. Each function adds members or values to what is open in the builder.
 *
 * Definitions:  type.integer        what a row of that type takes
 *               settings.clip       a section of settings ("settings": the top level)
 *               model.rbm           a component as a mapping
 *               any.model.encode    any component that fits there: a mapping, or a bare name
 *               section.data        the same at the top of a manifest, where keys of settings
 * belong to it as well (section.data.csv: one component there) problem.act         what a problem
 * asks of the other keys candidate           what differs */
#ifndef HOST_REFERENCE_SCHEMA_INTERNAL_H
#define HOST_REFERENCE_SCHEMA_INTERNAL_H

#include "../jsonout.h"
#include "../manifest/sections.h"
#include "../manifest/settings.h"
#include "../registry/fit.h"
#include "schema.h"

void schema_strings(JsonBuilder *json, const char *key, const char *first,
                    ...) G_GNUC_NULL_TERMINATED; /* an array of texts */

/* {"$ref": "#/definitions/..."} as a value, and as the only one of an "allOf", beside which other
 * members count. */
void schema_ref(JsonBuilder *json, const char *format, ...) G_GNUC_PRINTF(2, 3);
void schema_all_of(JsonBuilder *json, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* schema-row.c: the definitions of types; rows as members; "required" where there is one. */
void schema_types(JsonBuilder *json);
void schema_rows(JsonBuilder *json, const AbParam *params, guint count, guint stride);
/* The keys of the rows that must be given, appended to an array that is open. */
void schema_required_rows(JsonBuilder *json, const AbParam *params, guint count, guint stride);

/* schema-component.c: the definitions of every component, and of what fits every slot. */
void schema_components(JsonBuilder *json, const Registry *registry);
/* section.KEY and its components, for every key that holds components. */
void schema_sections(JsonBuilder *json, const Registry *registry);

#endif
