/* SPDX-License-Identifier: Apache-2.0
 *
 * The places of a manifest that a component is in, or could be. */
#ifndef HOST_EQUIVALENTS_SLOTS_H
#define HOST_EQUIVALENTS_SLOTS_H

#include "../assembly/assembly.h"

typedef struct {
  char *path; /* as --set has it: "model.encoder", "regularizers", "model.layers.0" */
  AbKind kind;
  AbRole role;        /* that a model must offer there; AB_ROLE_NONE: any */
  gboolean required;  /* something must be in it */
  gboolean item;      /* it is one place of a slot for many */
  gboolean list;      /* several may be: a component is tried as the only one */
  GPtrArray *present; /* const AbComponent *; of a list all */
} Slot;

/* Every slot of an assembled manifest (Slot *): those of the manifest itself, each followed by
 * those of what is in it. A loss that the model does not use is left out. Free with
 * g_ptr_array_unref. */
GPtrArray *slots_of(const Assembly *assembly);

#endif
