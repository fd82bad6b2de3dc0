/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest with another component in one of its slots. */
#ifndef HOST_EQUIVALENTS_REPLACE_H
#define HOST_EQUIVALENTS_REPLACE_H

#include "equivalents.h"

/* The manifest's tree with `component` in the slot: its defaults and, for what has none, what
 * `abhost inspect` would put there. Settings that stand in the slot's mapping and are none of the
 * component's (data.batch) stay. Free with node_free.                                            */
Node *replace_component(const Original *original, const Slot *slot, const AbComponent *component);

/* What only a user can give: a path or a text that has no default, of the component or of what
 * `abhost inspect` would put into its slots; NULL if there is none. Its name from the slot on
 * ("of.file") in *name, to be freed. */
const AbParam *replace_wanting(const Registry *registry, const AbComponent *component, char **name);

#endif
