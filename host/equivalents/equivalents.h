/* SPDX-License-Identifier: Apache-2.0
 *
 * Functional equivalents: for a slot of a manifest, every installed component of its kind, tried in
 * its place. A try is a rehearsal of the whole manifest, in a context of its own; it reads nothing
 * but headers of data files. A component that fails in it does not fit, and its message is the
 * reason; so with one that crashes, for each is tried in a process of its own.                   */
#ifndef HOST_EQUIVALENTS_H
#define HOST_EQUIVALENTS_H

#include "../rehearsal/rehearsal.h"
#include "slots.h"

/* What a manifest comes to with something else in one of its slots. */
typedef struct {
  gint64 parameters, multiply_adds; /* of the role for one sample */
  gint64 memory;                    /* bytes: rehearsal_memory */
} Costs;
Costs costs_of(const Rehearsal *rehearsal);

typedef struct {
  const AbComponent *component;
  gboolean present; /* it is what the manifest has there; of a list one of those */
  Costs costs;      /* where it fits */
  char *reason;     /* why it does not, on one line; NULL: it fits */
} Equivalent;

/* What is tried, and where. */
typedef struct {
  const Registry *registry;
  const Node *root;         /* the manifest */
  const Assembly *assembly; /* of it, built */
  Costs costs;              /* of it */
} Original;

/* Every component of the slot's kind (Equivalent *): what is present, those that fit by their
 * names, then those that do not. Free with g_ptr_array_unref. NULL and AB_STOPPED after SIGINT or
 * SIGTERM, AB_IO where no process can be made.                                                   */
GPtrArray *equivalents_find(const Original *original, const Slot *slot, GError **error);

#endif
