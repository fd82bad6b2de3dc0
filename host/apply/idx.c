/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX, the format of MNIST: 00 00 TYPE RANK, the axes as 32 bits each, the numbers; all big-endian.
 * Plain or gzipped (zlib reads both alike).                                                      */
#include "raw-internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MAX_RATIO 1032 /* deflate cannot do better */

typedef struct {
  gzFile stream;
  gint64 start; /* of the numbers, in bytes */
  gint64 at;    /* row that comes next in the stream */
} Idx;

static gboolean claims(int fd, const guint8 *bytes, gsize count) {
  (void)fd;
  gboolean zipped = count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  return zipped || (count >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8);
}

static RawType type_of(guint8 code) {
  switch (code) {
  case 0x08: return RAW_U8;
  case 0x09: return RAW_I8;
  case 0x0b: return RAW_I16;
  case 0x0c: return RAW_I32;
  case 0x0d: return RAW_F32;
  case 0x0e: return RAW_F64;
  default: return 0;
  }
}

/* ---- the stream ------------------------------------------------------------------------------ */

static gboolean fail_stream(const RawFile *self, gzFile stream, GError **error) {
  int code = Z_OK;
  const char *reason = gzerror(stream, &code), *named = strstr(reason, ">: ");
  if (named) reason = named + 3; /* zlib calls the stream "<fd:3>" */
  if (code == Z_ERRNO)
    return host_fail(error, AB_IO, "cannot read %s: %s", self->path, g_strerror(errno));
  return host_fail(error, AB_DATA, "%s is damaged, or not wholly there: %s", self->path,
                   code == Z_OK || code == Z_BUF_ERROR ? "it ends too soon" : reason);
}

/* Exactly `size` bytes. */
static gboolean take(const RawFile *self, gzFile stream, void *buffer, gsize size, GError **error) {
  gsize done = 0;
  while (done < size) {
    int got = gzread(stream, (char *)buffer + done, (unsigned)MIN(size - done, 1u << 30));
    int code = Z_OK;
    gzerror(stream, &code);
    if (got <= 0 || code != Z_OK) return fail_stream(self, stream, error);
    done += (gsize)got;
  }
  return TRUE;
}

/* The end is where the header says, and the checksum is right: zlib looks at it there. */
static gboolean check_end(const RawFile *self, gzFile stream, GError **error) {
  guint8 byte;
  int got = gzread(stream, &byte, 1), code = Z_OK;
  gzerror(stream, &code);
  if (got < 0 || code != Z_OK) return fail_stream(self, stream, error);
  return got == 0 || host_fail(error, AB_DATA,
                               "%s is damaged: it goes on beyond the %" G_GINT64_FORMAT
                               " samples of its header",
                               self->path, self->shape[0]);
}

/* ---- header ---------------------------------------------------------------------------------- */

/* Plain files have the length that the header says; packed ones could not be shorter. */
static gboolean check_length(const RawFile *self, const Idx *idx, gint64 bytes, gint64 size,
                             GError **error) {
  gint64 total = idx->start + bytes;
  gboolean plain = gzdirect(idx->stream) != 0;
  if (plain ? size == total : total / MAX_RATIO <= size) return TRUE;
  return host_fail(error, AB_DATA,
                   "%s is damaged, or not wholly there: by its header it has %" G_GINT64_FORMAT
                   " bytes, and it has %" G_GINT64_FORMAT "%s",
                   self->path, total, size, plain ? "" : ", gzipped");
}

static gboolean read_header(RawFile *self, Idx *idx, gint64 size, GError **error) {
  guint8 head[4], axes[4 * AB_MAX_RANK];
  gint64 bytes;
  if (!take(self, idx->stream, head, sizeof head, error)) return FALSE;
  self->type = head[0] == 0 && head[1] == 0 ? type_of(head[2]) : 0;
  self->rank = head[3];
  if (!self->type || self->rank > AB_MAX_RANK)
    return host_fail(error, AB_DATA,
                     "%s is no IDX%s: it begins with %02x %02x %02x %02x, and IDX with 00 00 TYPE "
                     "RANK, TYPE 08 09 0b 0c 0d or 0e, RANK up to %d",
                     self->path, gzdirect(idx->stream) ? "" : " (gzipped)", head[0], head[1],
                     head[2], head[3], AB_MAX_RANK);
  if (!take(self, idx->stream, axes, 4 * (gsize)self->rank, error)) return FALSE;
  for (int i = 0; i < self->rank; i++) {
    guint32 axis;
    memcpy(&axis, axes + 4 * i, sizeof axis);
    self->shape[i] = GUINT32_FROM_BE(axis);
  }
  idx->start = 4 + 4 * self->rank;
  return raw_measure(self, &bytes, error) && check_length(self, idx, bytes, size, error);
}

static gboolean open_idx(RawFile *self, int fd, const char *dataset, GError **error) {
  Idx *idx = self->data = g_new0(Idx, 1);
  gint64 size;
  (void)dataset;
  gboolean sized = raw_size(self, fd, &size, error);
  idx->stream = sized ? gzdopen(fd, "rb") : NULL;
  if (!idx->stream) {
    close(fd);
    return sized ? host_fail(error, AB_INTERNAL, "no memory to read %s", self->path) : FALSE;
  }
  gzbuffer(idx->stream, 1 << 17);
  return read_header(self, idx, size, error);
}

static void close_idx(void *data) {
  Idx *idx = data;
  if (idx && idx->stream) gzclose(idx->stream);
  g_free(idx);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static gboolean read_idx(RawFile *self, gint64 first, gint64 count, void *values, GError **error) {
  Idx *idx = self->data;
  gint64 size = (gint64)raw_type_size(self->type), row = self->width * size;
  if (first != idx->at && gzseek(idx->stream, (z_off_t)(idx->start + first * row), SEEK_SET) < 0)
    return fail_stream(self, idx->stream, error);
  idx->at = -1; /* unknown, should this fail */
  if (!take(self, idx->stream, values, (gsize)(count * row), error)) return FALSE;
  if (first + count == self->shape[0] && !check_end(self, idx->stream, error)) return FALSE;
  idx->at = first + count;
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN) raw_swap(values, (gsize)size, count * self->width);
  return TRUE;
}

const RawFormat raw_idx = {"IDX", claims, open_idx, read_idx, close_idx};
