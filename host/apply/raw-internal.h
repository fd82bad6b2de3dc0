/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the readers of raw files. */
#ifndef HOST_APPLY_RAW_INTERNAL_H
#define HOST_APPLY_RAW_INTERNAL_H

#include "raw.h"

typedef struct {
  const char *name; /* "NPY" */
  /* Whether a file with these first bytes (`count` of them, up to 8) is one. `fd` is open. */
  gboolean (*claims)(int fd, const guint8 *bytes, gsize count);
  /* Reads the header: sets type, rank, shape and data. Takes `fd`, also where it fails. */
  gboolean (*open)(RawFile *self, int fd, const char *dataset, GError **error);
  /* Rows as they are in the file, in the byte order of this machine. */
  gboolean (*read)(RawFile *self, gint64 first, gint64 count, void *values, GError **error);
  void (*close)(void *data); /* data may be NULL */
} RawFormat;
extern const RawFormat raw_hdf5, raw_npy, raw_idx;

struct RawFile {
  const RawFormat *format;
  char *path, *name;
  RawType type;
  gint rank; /* of the whole array */
  gint64 shape[AB_MAX_RANK];
  gint64 width; /* numbers of a row */
  void *data;   /* of the format */
  void *native; /* room for rows before they are converted */
  gsize native_size;
};

/* Bytes of the file. */
gboolean raw_size(const RawFile *self, int fd, gint64 *size, GError **error);
/* `size` bytes at `offset`; a file that ends before is AB_DATA. */
gboolean raw_pread(const RawFile *self, int fd, void *buffer, gsize size, gint64 offset,
                   GError **error);
/* Sets width and *bytes (of all numbers) from type, rank and shape; refuses an array without axes,
 * without numbers, or with more than can be counted.                                            */
gboolean raw_measure(RawFile *self, gint64 *bytes, GError **error);
/* Turns the byte order of each of `count` numbers around. */
void raw_swap(void *values, gsize size, gint64 count);
/* `count` numbers of one type as AB_F32, AB_F64 or AB_I64. */
void raw_convert(RawType type, const void *from, AbDtype dtype, void *to, gint64 count);

#endif
