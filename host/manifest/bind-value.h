/* SPDX-License-Identifier: Apache-2.0
 *
 * One value into one field. Inside of bind only.                                                */
#ifndef HOST_MANIFEST_BIND_VALUE_H
#define HOST_MANIFEST_BIND_VALUE_H

#include "bind.h"
#include "param.h"

/* What a table is bound with; the same for all of its rows. */
typedef struct {
  guint stride;
  void *target; /* the struct that has the fields */
  BindAlloc alloc;
  void *owner;
  const char *what;
  Diagnostics *diagnostics;
} BindTable;

/* "what: message" at the place of `at`, which may be NULL. */
void bind_note(const BindTable *self, AbCode code, const Node *at, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Reads `node` into the row's field. The value in canonical form: what binds the same bits again;
 * NULL after a mistake, which is noted, and for the absence of a text.                          */
Node *bind_value(const BindTable *self, const AbParam *row, const Node *node);

#endif
