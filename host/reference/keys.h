/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys that --set can reach in a manifest: those that it has, and those that it could have, by
 * the components that it names.                                                                 */
#ifndef HOST_REFERENCE_KEYS_H
#define HOST_REFERENCE_KEYS_H

#include "../manifest/node.h"
#include "../registry/registry.h"

typedef struct {
  char *path;         /* "model.encoder.units" */
  const AbParam *row; /* NULL where the value is no parameter */
  AbKind kind;        /* where the value is a component or its name, else 0 */
  AbRole role;        /* that the component must offer */
} Key;

/* Key *, in the order of the tables; free with g_ptr_array_unref. `root` is any tree: what is not
 * understood is left out. */
GPtrArray *keys_of(const Registry *registry, const Node *root);

#endif
