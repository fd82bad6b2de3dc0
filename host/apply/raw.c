/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw files: what all formats share. */
#include "raw-internal.h"

#include <absdk/host.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const RawFormat *const formats[] = {&raw_hdf5, &raw_npy, &raw_idx};

static const struct {
  gsize size;
  const char *name;
} types[] = {
    [RAW_U8] = {1, "u8"},   [RAW_I8] = {1, "i8"},   [RAW_BOOL] = {1, "bool"},
    [RAW_U16] = {2, "u16"}, [RAW_I16] = {2, "i16"}, [RAW_I32] = {4, "i32"},
    [RAW_I64] = {8, "i64"}, [RAW_F32] = {4, "f32"}, [RAW_F64] = {8, "f64"},
};

gsize raw_type_size(RawType type) {
  return types[type].size;
}

const char *raw_type_name(RawType type) {
  return types[type].name;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

gboolean raw_size(const RawFile *self, int fd, gint64 *size, GError **error) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    return host_fail(error, AB_IO, "cannot read %s: %s", self->path, g_strerror(errno));
  *size = (gint64)status.st_size;
  return TRUE;
}

gboolean raw_pread(const RawFile *self, int fd, void *buffer, gsize size, gint64 offset,
                   GError **error) {
  gsize done = 0;
  while (done < size) {
    ssize_t got = pread(fd, (char *)buffer + done, size - done, (off_t)(offset + (gint64)done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return host_fail(error, AB_IO, "cannot read %s: %s", self->path, g_strerror(errno));
    if (got == 0)
      return host_fail(error, AB_DATA, "%s was cut short while it was read", self->path);
    done += (gsize)got;
  }
  return TRUE;
}

gboolean raw_measure(RawFile *self, gint64 *bytes, GError **error) {
  guint64 total = raw_type_size(self->type);
  if (self->rank == 0)
    return host_fail(error, AB_DATA, "%s is a single number; its first axis is to be samples",
                     self->name);
  for (int i = 0; i < self->rank; i++) {
    if (self->shape[i] == 0)
      return host_fail(error, AB_DATA, "%s is empty: axis %d of %d has the length 0", self->name,
                       i + 1, self->rank);
    if (self->shape[i] < 0 || !g_uint64_checked_mul(&total, total, (guint64)self->shape[i]) ||
        total > G_MAXINT64 / 16)
      return host_fail(error, AB_DATA,
                       "%s is damaged: by its header it has more numbers than any file could hold",
                       self->name);
  }
  *bytes = (gint64)total;
  self->width = *bytes / (gint64)raw_type_size(self->type) / self->shape[0];
  return TRUE;
}

void raw_swap(void *values, gsize size, gint64 count) {
  guint8 *bytes = values;
  for (gint64 i = 0; size > 1 && i < count; i++, bytes += size)
    for (gsize k = 0; k < size / 2; k++) {
      guint8 other = bytes[k];
      bytes[k] = bytes[size - 1 - k];
      bytes[size - 1 - k] = other;
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_regular(const char *path, GError **error) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    host_fail(error, errno == ENOENT || errno == ENOTDIR ? AB_NO_INPUT : AB_IO,
              "cannot open %s: %s", path, g_strerror(errno));
    return -1;
  }
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  host_fail(error, AB_IO, "cannot read %s: it is a folder, device or pipe, and no file", path);
  close(fd);
  return -1;
}

static const RawFormat *find_format(int fd, const char *path, GError **error) {
  guint8 bytes[8] = {0};
  ssize_t got = pread(fd, bytes, sizeof bytes, 0);
  for (guint i = 0; got >= 0 && i < G_N_ELEMENTS(formats); i++)
    if (formats[i]->claims(fd, bytes, (gsize)got)) return formats[i];
  if (got < 0)
    host_fail(error, AB_IO, "cannot read %s: %s", path, g_strerror(errno));
  else
    host_fail(
        error, AB_DATA,
        "%s is neither HDF5 nor NPY nor IDX, plain or gzipped;\nfor other formats give a data "
        "component instead of the file: '{plugin: NAME, ...}', see `abhost list data`",
        path);
  return NULL;
}

RawFile *raw_open(const char *path, const char *dataset, GError **error) {
  int fd = open_regular(path, error);
  const RawFormat *format = fd >= 0 ? find_format(fd, path, error) : NULL;
  if (!format) {
    if (fd >= 0) close(fd);
    return NULL;
  }
  if (dataset && format != &raw_hdf5) {
    host_fail(error, AB_USAGE, "--dataset is for HDF5, and %s is %s: it holds one array", path,
              format->name);
    close(fd);
    return NULL;
  }
  g_autoptr(RawFile) self = g_new0(RawFile, 1);
  self->format = format;
  self->path = g_strdup(path);
  self->name = g_strdup(path);
  return format->open(self, fd, dataset, error) ? g_steal_pointer(&self) : NULL;
}

void raw_close(RawFile *self) {
  if (!self) return;
  self->format->close(self->data);
  g_free(self->native);
  g_free(self->name);
  g_free(self->path);
  g_free(self);
}

/* ---- what it is ------------------------------------------------------------------------------ */

const char *raw_name(const RawFile *self) {
  return self->name;
}

RawType raw_type(const RawFile *self) {
  return self->type;
}

gint64 raw_rows(const RawFile *self) {
  return self->shape[0];
}

gint64 raw_width(const RawFile *self) {
  return self->width;
}

gint raw_row_shape(const RawFile *self, gint64 shape[AB_MAX_RANK]) {
  for (int i = 1; i < self->rank; i++) shape[i - 1] = self->shape[i];
  return self->rank - 1;
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean is_real(RawType type) {
  return type == RAW_F32 || type == RAW_F64;
}

static gboolean reserve(RawFile *self, gint64 count, GError **error) {
  gsize size = (gsize)(count * self->width) * raw_type_size(self->type);
  if (size <= self->native_size) return TRUE;
  g_free(self->native);
  self->native = g_try_malloc(size);
  self->native_size = self->native ? size : 0;
  return self->native ||
         host_fail(error, AB_DATA,
                   "no memory for %" G_GINT64_FORMAT " samples of %s; take smaller batches", count,
                   self->name);
}

gboolean raw_read(RawFile *self, AbDtype dtype, gint64 first, gint64 count, void *values,
                  GError **error) {
  if (first < 0 || count < 0 || first > self->shape[0] || count > self->shape[0] - first)
    return host_fail(error, AB_INTERNAL, "rows of %s that are not there were asked for",
                     self->name);
  if (dtype == AB_I64 && is_real(self->type))
    return host_fail(error, AB_DATA, "%s holds numbers of type %s where integers are wanted",
                     self->name, raw_type_name(self->type));
  if (count == 0) return TRUE;
  if (!reserve(self, count, error) || !self->format->read(self, first, count, self->native, error))
    return FALSE;
  raw_convert(self->type, self->native, dtype, values, count * self->width);
  return TRUE;
}
