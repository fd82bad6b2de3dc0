/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to host/rehearsal: the layers of a model, from the operations that it does. */
#ifndef HOST_REHEARSAL_LAYERS_H
#define HOST_REHEARSAL_LAYERS_H

#include "rehearsal.h"

/* Calls the role on a batch of shapes, and notes self->layers, self->no_layers and self->unread.
 * FALSE after a mistake. */
gboolean layers_find(Rehearsal *self, Assembly *assembly, const AbBatch *batch, GError **error);
void layer_free(gpointer layer);

#endif
