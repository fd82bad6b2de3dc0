/* SPDX-License-Identifier: Apache-2.0
 *
 * The two forms of what `abhost inspect` shows. Texts are to be freed with g_free.               */
#ifndef HOST_COMMANDS_INSPECT_H
#define HOST_COMMANDS_INSPECT_H

#include "../manifest/node.h"
#include "../registry/registry.h"

/* `entries` are const Entry *. */
char *inspect_text(const Registry *registry, const GPtrArray *entries);
char *inspect_json(const Registry *registry, const GPtrArray *entries);

/* A fragment of a manifest with every key of the component and its default. What has none gets a
 * word in capitals, or the first component that fits.                                           */
Node *inspect_fragment(const Registry *registry, const AbComponent *component);

const char *inspect_arity(AbArity arity);

#endif
