/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest as a list of keys and values: model.encoder.units, [256, 32]. The keys are those that
 * `--set` takes: elements are names, or numbers of the items of a list.                          */
#ifndef HOST_RUNS_FLAT_H
#define HOST_RUNS_FLAT_H

#include "../manifest/node.h"

typedef struct {
  char *key, *text;
} FlatValue;

/* FlatValue *, in the order of the document; a list of scalars is one value. Free with
 * g_ptr_array_unref.                                                                             */
GPtrArray *flat_values(const Node *root);
/* The text of a key, NULL if it is not there. Borrowed. */
const char *flat_get(const GPtrArray *values, const char *key);

#endif
