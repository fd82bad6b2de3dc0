/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading numbers, row by row of the first axis, in slabs, so that the lock is free in between. */
#include "store-internal.h"
#include <math.h>
#include <string.h>

typedef struct {
  StoreFile *file;
  const char *name;
  hid_t id;
  StoreInfo info;
  gboolean summed;
  hsize_t chunk[AB_MAX_RANK];
  AbDtype dtype;
  GError **error;
} Read;

static gint64 row_elements(const StoreInfo *info) {
  gint64 elements = 1;

  for (int i = 1; i < info->rank; i++) elements *= info->shape[i];
  return elements;
}

/* Rows from `first` in one go: whole chunks, if possible. */
static gint64 slab_rows(const Read *self, gint64 first, gint64 left) {
  gint64 bytes = row_elements(&self->info) * (gint64)ab_dtype_size(self->dtype);
  gint64 rows = MAX(1, STORE_SLAB / MAX(bytes, 1)), chunk = self->info.chunk_rows;

  if (chunk > 0) rows = MAX(rows / chunk * chunk, chunk) - first % chunk;
  return MIN(rows, left);
}

static hid_t select_rows(const Read *self, gint64 first, gint64 count) {
  hsize_t start[AB_MAX_RANK] = {0}, size[AB_MAX_RANK];
  hid_t space = H5Dget_space(self->id);

  if (space < 0 || self->info.rank == 0) return space;
  for (int i = 0; i < self->info.rank; i++) size[i] = (hsize_t)self->info.shape[i];
  start[0] = (hsize_t)first;
  size[0] = (hsize_t)count;
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0)
    store_hid_clear(&space);
  return space;
}

static gboolean fail_misfit(const Read *self) {
  g_set_error(self->error, HOST_ERROR, AB_DATA,
              "dataset %s of %s holds values that do not fit type %s\nask for a wider type",
              self->name, self->file->path, ab_dtype_name(self->dtype));
  return FALSE;
}

/* After a failure: was it a value that does not fit? HDF5 names the conversion's callback. */
static gboolean fail_read(const Read *self) {
  gboolean io;
  g_autofree char *reason = store_reason(&io);

  if (g_strstr_len(reason, -1, "exception") != NULL) return fail_misfit(self);
  if (io)
    g_set_error(self->error, HOST_ERROR, AB_IO, "cannot read dataset %s of %s: %s", self->name,
                self->file->path, reason);
  else
    g_set_error(self->error, HOST_ERROR, AB_DATA,
                "dataset %s of %s is damaged: %s\nrestore the file from a copy or make it anew",
                self->name, self->file->path, reason);
  return FALSE;
}

static gboolean check_bools(const Read *self, const guint8 *values, gint64 count) {
  for (gint64 i = 0; i < count; i++)
    if (values[i] > 1) {
      g_set_error(self->error, HOST_ERROR, AB_DATA,
                  "dataset %s of %s holds %d where 0 or 1 is wanted", self->name, self->file->path,
                  values[i]);
      return FALSE;
    }
  return TRUE;
}

static gboolean read_as(const Read *self, AbDtype dtype, gint64 first, gint64 count, void *buffer) {
  AUTO_HID type = store_type_memory(dtype);
  AUTO_HID from = select_rows(self, first, count);
  AUTO_HID transfer = store_strict_transfer();
  hsize_t elements = (hsize_t)(count * row_elements(&self->info));
  AUTO_HID to = H5Screate_simple(1, &elements, NULL);

  if (type < 0 || from < 0 || transfer < 0 || to < 0) return fail_read(self);
  return H5Dread(self->id, type, to, from, transfer, buffer) >= 0 || fail_read(self);
}

/* FALSE if a value is no integer of the type. */
static gboolean narrow(AbDtype dtype, const double *from, gint64 count, void *to) {
  double least = dtype == AB_I64 ? -0x1p63 : dtype == AB_I32 ? -0x1p31 : 0;
  double above = dtype == AB_I64 ? 0x1p63 : dtype == AB_I32 ? 0x1p31 : 0x1p8;

  for (gint64 i = 0; i < count; i++) {
    if (!(from[i] >= least && from[i] < above) || from[i] != trunc(from[i])) return FALSE;
    switch (dtype) {
    case AB_I64: ((gint64 *)to)[i] = (gint64)from[i]; break;
    case AB_I32: ((gint32 *)to)[i] = (gint32)from[i]; break;
    default: ((guint8 *)to)[i] = (guint8)from[i]; break;
    }
  }
  return TRUE;
}

/* Reals as integers by way of doubles: HDF5's own conversion of, say, 16-bit reals reports
 * fractions where there are none.                                                               */
static gboolean read_narrowed(const Read *self, gint64 first, gint64 count, void *buffer) {
  gint64 elements = count * row_elements(&self->info);
  g_autofree double *values = g_try_malloc_n((gsize)elements, sizeof *values);

  if (values == NULL) {
    g_set_error(self->error, HOST_ERROR, AB_DATA, "dataset %s of %s does not fit into memory",
                self->name, self->file->path);
    return FALSE;
  }
  return read_as(self, AB_F64, first, count, values) &&
         (narrow(self->dtype, values, elements, buffer) || fail_misfit(self));
}

/* The index of chunks has no checksum in the format of 1.8, and of a chunk that is not found HDF5
 * makes zeros. So where chunks carry checksums, all must be there.                              */
static gboolean check_complete(const Read *self, gint64 first, gint64 count) {
  hsize_t at[AB_MAX_RANK] = {0}, bytes;
  hsize_t begin = (hsize_t)first - (hsize_t)first % self->chunk[0];
  int axis;

  at[0] = begin;
  do {
    if (H5Dget_chunk_storage_size(self->id, at, &bytes) < 0) return fail_read(self);
    if (bytes == 0) {
      g_set_error(self->error, HOST_ERROR, AB_DATA,
                  "dataset %s of %s is damaged: rows from %" G_GUINT64_FORMAT
                  " on are missing\nrestore the file from a copy or make it anew",
                  self->name, self->file->path, (guint64)at[0]);
      return FALSE;
    }
    for (axis = self->info.rank - 1; axis >= 0; axis--) {
      at[axis] += self->chunk[axis];
      if (at[axis] < (hsize_t)(axis == 0 ? first + count : self->info.shape[axis])) break;
      at[axis] = axis == 0 ? begin : 0;
    }
  } while (axis >= 0);
  return TRUE;
}

static gboolean read_slab(const Read *self, gint64 first, gint64 count, void *buffer) {
  gboolean from_real = self->info.dtype == AB_F32 || self->info.dtype == AB_F64;
  gboolean to_real = self->dtype == AB_F32 || self->dtype == AB_F64;
  gboolean ok;

  if (self->summed && self->info.chunk_rows > 0 && !check_complete(self, first, count))
    return FALSE;
  ok = from_real && !to_real ? read_narrowed(self, first, count, buffer)
                             : read_as(self, self->dtype, first, count, buffer);

  return ok &&
         (self->dtype != AB_BOOL || check_bools(self, buffer, count * row_elements(&self->info)));
}

static gboolean check_request(const Read *self, StoreKind kind, gint64 first, gint64 count) {
  gint64 rows = self->info.rank > 0 ? self->info.shape[0] : 1;

  if (kind != STORE_NUMBER && kind != STORE_BOOL) {
    AUTO_HID type = H5Dget_type(self->id);

    g_set_error(self->error, HOST_ERROR, AB_DATA,
                "dataset %s of %s is %s, not numbers\nstore it as an array of numbers", self->name,
                self->file->path, store_type_describe(type));
    return FALSE;
  }
  if (ab_dtype_size(self->dtype) == 0 || first < 0 || count < 0 || first > rows ||
      count > rows - first) {
    g_set_error(self->error, HOST_ERROR, AB_INTERNAL,
                "dataset %s of %s: %" G_GINT64_FORMAT " rows from %" G_GINT64_FORMAT
                " as type %d asked of %" G_GINT64_FORMAT,
                self->name, self->file->path, count, first, self->dtype, rows);
    return FALSE;
  }
  return TRUE;
}

static gboolean begin(Read *self, gint64 first, gint64 count) {
  StoreDataset *dataset;
  gboolean ok = FALSE;

  store_lock();
  dataset = store_dataset(self->file, self->name, self->error);
  if (dataset != NULL) {
    self->id = dataset->id;
    self->info = dataset->info;
    self->summed = dataset->summed;
    memcpy(self->chunk, dataset->chunk, sizeof self->chunk);
    ok = check_request(self, dataset->kind, first, count);
    if (ok) H5Iinc_ref(self->id); /* another thread may replace the slot between slabs */
  }
  store_unlock();
  return ok;
}

gboolean store_read(StoreFile *self, const char *dataset, AbDtype dtype, gint64 first, gint64 count,
                    void *buffer, GError **error) {
  Read read = {.file = self, .name = dataset, .dtype = dtype, .error = error};
  gint64 row_bytes, rows;
  gboolean ok = TRUE;
  char *to = buffer;

  if (!begin(&read, first, count)) return FALSE;
  row_bytes = row_elements(&read.info) * (gint64)ab_dtype_size(dtype);
  for (; ok && count > 0 && row_bytes > 0; first += rows, count -= rows) {
    rows = slab_rows(&read, first, count);
    store_lock();
    ok = read_slab(&read, first, rows, to);
    store_unlock();
    to += rows * row_bytes;
  }
  store_lock();
  store_hid_clear(&read.id);
  store_unlock();
  return ok;
}
