/* SPDX-License-Identifier: Apache-2.0
 *
 * From nodes to instances: reads `{plugin: rbm, hidden: 64}` by the tables of the component that it
 * names, into a new instance, and the same for its slots. Every mistake is noted with its place:
 * unknown keys (with the nearest name), wrong types, values out of range or off the list, absent
 * required keys, components that do not fit a slot (with those installed that would).            */
#ifndef HOST_MANIFEST_BIND_H
#define HOST_MANIFEST_BIND_H

#include "../registry/registry.h"
#include "node.h"

/* Memory for what bound fields point to (texts, lists): lives as long as its owner. */
typedef void *(*BindAlloc)(void *owner, gsize size);

/* Binds a mapping by a table to a plain struct. Keys of the mapping that are in `ignore`
 * (NULL-terminated, may be NULL) are left to the caller. Relative paths are taken relative to the
 * folder of the node's file, or to the current directory where its place is "--set". `resolved` (a
 * mapping) receives every key of the table with its value. `what` names the thing in messages
 * ("model rbm"). `node` may be NULL: all defaults.                                              */
void bind_params(const Node *node, const AbParam *params, guint count, guint stride, void *target,
                 BindAlloc alloc, void *owner, const char *const *ignore, const char *what,
                 Node *resolved, Diagnostics *diagnostics);

/* All instances of a run, in the order in which they were made (parents before children). */
typedef struct {
  const Registry *registry;
  AbContext *ctx;
  GPtrArray *instances; /* AbInstance *, owned: bind_clear frees them, children first */
  GHashTable *entries;  /* AbInstance * -> const Entry * */
  GHashTable *places;   /* path of an instance, or of a key -> where the manifest has it */
  Diagnostics *diagnostics;
  /* Keys of the next component's mapping that are no parameters of it, but its user's; or NULL. Not
   * those of its children: cleared when it is begun.                                            */
  const char *const *extra;
} Binder;
void bind_init(Binder *self, const Registry *registry, AbContext *ctx, Diagnostics *diagnostics);
void bind_clear(Binder *self);

/* A component of `kind`; a model must offer `role` (AB_ROLE_NONE: any). A scalar node `adam` stands
 * for `{plugin: adam}`. NULL after a mistake. `resolved` receives {plugin: ..., every parameter,
 * every slot}. `path` is the instance's path ("model", "regularizers/0").                        */
AbInstance *bind_component(Binder *self, AbKind kind, AbRole role, const Node *node,
                           const char *path, Node **resolved);

#endif
