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

/* A parameter of the component, or of what must be in its slots, that only a user can give: a path
 * or a text without a default; NULL if there is none. */
const AbParam *replace_wanting(const AbComponent *component);

#endif
