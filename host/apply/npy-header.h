/* SPDX-License-Identifier: Apache-2.0
 *
 * The header of NPY: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
#ifndef HOST_APPLY_NPY_HEADER_H
#define HOST_APPLY_NPY_HEADER_H

#include "raw-internal.h"

typedef struct {
  RawType type;
  gboolean big_endian, fortran;
  gint rank;
  gint64 shape[AB_MAX_RANK];
} NpyHeader;

/* `text` ends with a 0 beyond `length`; `path` is for messages. */
gboolean npy_header_parse(const char *path, const char *text, gsize length, NpyHeader *header,
                          GError **error);

#endif
