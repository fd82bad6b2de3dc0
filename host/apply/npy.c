/* SPDX-License-Identifier: Apache-2.0
 *
 * NPY, the format of numpy.save: "\x93NUMPY", the version, the length of the header, the header (a
 * Python dictionary: npy-header.c), the numbers. Versions 1 to 3, C and Fortran order.           */
#include "npy-header.h"

#include <string.h>
#include <unistd.h>

#define MAX_HEADER                                                              \
  (64 << 10) /* bytes; NumPy itself writes fewer than 200 for what is read here \
              */

typedef struct {
  int fd;
  gint64 start; /* of the numbers, in bytes */
  gboolean swap, fortran;
} Npy;

static gboolean claims(int fd, const guint8 *bytes, gsize count) {
  (void)fd;
  return count >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

/* ---- header ---------------------------------------------------------------------------------- */

/* Where the header begins and how long it is. */
static gboolean read_prefix(const RawFile *self, int fd, gint64 size, gint64 *start, guint *length,
                            GError **error) {
  guint8 bytes[12] = {0};
  if (!raw_pread(self, fd, bytes, (gsize)MIN(size, 12), 0, error)) return FALSE;
  guint version = bytes[6];
  if (size >= 8 && (version < 1 || version > 3))
    return host_fail(error, AB_DATA, "%s is NPY of version %u; 1 to 3 are read", self->path,
                     version);
  *start = version == 1 ? 10 : 12;
  *length = bytes[8] | (guint)bytes[9] << 8;
  if (version > 1) *length |= (guint)bytes[10] << 16 | (guint)bytes[11] << 24;
  if (size >= *start && *length <= MAX_HEADER && *start + *length <= size) return TRUE;
  return host_fail(
      error, AB_DATA,
      "%s is damaged, or not wholly there: its header would end after byte %" G_GINT64_FORMAT
      " of %" G_GINT64_FORMAT,
      self->path, *start + *length, size);
}

static gboolean check_size(RawFile *self, const Npy *npy, gint64 size, GError **error) {
  gint64 bytes, there = size - npy->start;
  if (!raw_measure(self, &bytes, error)) return FALSE;
  if (there == bytes) return TRUE;
  return host_fail(
      error, AB_DATA,
      "%s is damaged, or not wholly there: by its header the numbers take %" G_GINT64_FORMAT
      " bytes, and it has %" G_GINT64_FORMAT " for them%s",
      self->path, bytes, there,
      there > bytes ? "\n(of several arrays in one file none is read)" : "");
}

static gboolean read_header(RawFile *self, Npy *npy, GError **error) {
  gint64 size, start = 0;
  guint length = 0;
  if (!raw_size(self, npy->fd, &size, error) ||
      !read_prefix(self, npy->fd, size, &start, &length, error))
    return FALSE;
  g_autofree char *text = g_malloc0(length + 1);
  NpyHeader header;
  if (!raw_pread(self, npy->fd, text, length, start, error) ||
      !npy_header_parse(self->path, text, length, &header, error))
    return FALSE;
  self->type = header.type;
  self->rank = header.rank;
  memcpy(self->shape, header.shape, sizeof self->shape);
  npy->start = start + length;
  npy->swap = header.big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN);
  npy->fortran = header.fortran && header.rank > 1;
  return check_size(self, npy, size, error);
}

static gboolean open_npy(RawFile *self, int fd, const char *dataset, GError **error) {
  Npy *npy = self->data = g_new0(Npy, 1);
  (void)dataset;
  npy->fd = fd;
  return read_header(self, npy, error);
}

static void close_npy(void *data) {
  Npy *npy = data;
  if (npy) close(npy->fd);
  g_free(npy);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The place in a row, C order, of the number that is `index` in Fortran order. */
static gint64 place_in_row(const RawFile *self, gint64 index) {
  gint64 place = 0, stride = self->width;
  for (int i = 1; i < self->rank; i++) {
    stride /= self->shape[i];
    place += index % self->shape[i] * stride;
    index /= self->shape[i];
  }
  return place;
}

/* In Fortran order the rows of one place in them lie together. */
static gboolean read_fortran(const RawFile *self, const Npy *npy, gint64 first, gint64 count,
                             void *values, GError **error) {
  gsize size = raw_type_size(self->type);
  g_autofree char *column = g_try_malloc((gsize)count * size);
  if (!column)
    return host_fail(error, AB_DATA, "no memory for a column of %s; take smaller batches",
                     self->path);
  for (gint64 k = 0; k < self->width; k++) {
    gint64 offset = npy->start + (k * self->shape[0] + first) * (gint64)size;
    char *to = (char *)values + (gsize)place_in_row(self, k) * size;
    if (!raw_pread(self, npy->fd, column, (gsize)count * size, offset, error)) return FALSE;
    for (gint64 row = 0; row < count; row++)
      memcpy(to + (gsize)(row * self->width) * size, column + (gsize)row * size, size);
  }
  return TRUE;
}

static gboolean read_npy(RawFile *self, gint64 first, gint64 count, void *values, GError **error) {
  const Npy *npy = self->data;
  gint64 size = (gint64)raw_type_size(self->type), row = self->width * size;
  gboolean done = npy->fortran ? read_fortran(self, npy, first, count, values, error)
                               : raw_pread(self, npy->fd, values, (gsize)(count * row),
                                           npy->start + first * row, error);
  if (done && npy->swap) raw_swap(values, (gsize)size, count * self->width);
  return done;
}

const RawFormat raw_npy = {"NPY", claims, open_npy, read_npy, close_npy};
