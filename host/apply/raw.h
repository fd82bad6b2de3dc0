/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw files: one array of numbers whose first axis is samples. HDF5, NPY (NumPy) and IDX (MNIST;
 * plain or gzipped); which one a file is, its first bytes say.
 *
 * Nothing that a header claims is believed: a file that is shorter or longer than its header says
 * is refused, and memory is taken for the rows that are asked for alone.                         */
#ifndef HOST_APPLY_RAW_H
#define HOST_APPLY_RAW_H

#include "../error.h"

typedef enum {
  RAW_U8 = 1,
  RAW_I8,
  RAW_BOOL,
  RAW_U16,
  RAW_I16,
  RAW_I32,
  RAW_I64,
  RAW_F32,
  RAW_F64,
} RawType;
gsize raw_type_size(RawType type);
const char *raw_type_name(RawType type); /* "u8" */

typedef struct RawFile RawFile;

/* `dataset` is for HDF5 alone (AB_USAGE for others); NULL: `x` if it is there, else the one that
 * the root's attribute `signal` names, else the only one of numbers with an axis. NULL and
 * AB_NO_INPUT, AB_IO, or AB_DATA: no such file, damaged, empty, of a type that is not read.      */
RawFile *raw_open(const char *path, const char *dataset, GError **error);
void raw_close(RawFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RawFile, raw_close)

const char *raw_name(const RawFile *self); /* "codes.h5", "codes.h5, dataset encode" */
RawType raw_type(const RawFile *self);
gint64 raw_rows(const RawFile *self);  /* at least 1 */
gint64 raw_width(const RawFile *self); /* numbers of a row, at least 1 */
/* The shape of a row: its rank, from 0, and axes (of length 1 or more). */
gint raw_row_shape(const RawFile *self, gint64 shape[AB_MAX_RANK]);

/* Rows first to first + count - 1, row-major, as AB_F32, AB_F64 or AB_I64 (which is for integers:
 * AB_DATA for others). Reading in order is fast; a gzipped file is unpacked anew for a step back.
 * One thread at a time.                                                                          */
gboolean raw_read(RawFile *self, AbDtype dtype, gint64 first, gint64 count, void *values,
                  GError **error);

#endif
