/* SPDX-License-Identifier: Apache-2.0
 *
 * The data component of raw files. */
#include "file-data.h"

#include <math.h>

typedef struct {
  AbData base;
  RawFile *file;
  AbSpec x;
  gboolean unit;
  double low, high; /* of the numbers read so far */
} FileData;

static void origin(AbData *data, AbSplit split, int64_t row, char *text, size_t size) {
  (void)split;
  g_snprintf(text, size, "%s, row %" G_GINT64_FORMAT, raw_name(((FileData *)data)->file), row);
}

static void open_file(AbData *data) {
  FileData *self = (FileData *)data;
  ab_data_field(data, "x", &self->x);
  ab_data_length(data, AB_TEST, raw_rows(self->file));
  ab_data_origin(data, origin);
}

#define DEFINE_FINISH(Real, name)                                 \
  static void name(FileData *self, Real *values, gint64 count) {  \
    double low = self->low, high = self->high;                    \
    for (gint64 i = 0; i < count; i++) {                          \
      if (self->unit) values[i] /= 255;                           \
      low = (double)values[i] < low ? (double)values[i] : low;    \
      high = (double)values[i] > high ? (double)values[i] : high; \
    }                                                             \
    self->low = low;                                              \
    self->high = high;                                            \
  }
DEFINE_FINISH(float, finish_f32)
DEFINE_FINISH(double, finish_f64)

static gboolean read_rows(FileData *self, gint64 first, gint64 count, void *values) {
  GError *error = NULL;
  gint64 numbers = count * raw_width(self->file);
  if (!raw_read(self->file, self->x.dtype, first, count, values, &error)) {
    ab_fail(&self->base, (AbCode)error->code, "%s", error->message);
    g_error_free(error);
    return FALSE;
  }
  if (self->x.dtype == AB_F32)
    finish_f32(self, values, numbers);
  else if (self->x.dtype == AB_F64)
    finish_f64(self, values, numbers);
  return TRUE;
}

/* Rows that follow each other are read at once. */
static void fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                  void *const *fields) {
  FileData *self = (FileData *)data;
  gsize row_size = (gsize)raw_width(self->file) * ab_dtype_size(self->x.dtype);
  (void)split;
  for (int64_t done = 0, end; done < count; done = end) {
    for (end = done + 1; end < count && rows[end] == rows[end - 1] + 1;) end++;
    char *to = (char *)fields[0] + (gsize)done * row_size;
    if (!read_rows(self, rows[done], end - done, to)) return;
  }
}

static void close_file(AbData *data) {
  g_clear_pointer(&((FileData *)data)->file, raw_close);
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable), .open = open_file, .fetch = fetch, .close = close_file};

static const AbComponent component = {.struct_size = sizeof(AbComponent),
                                      .kind = AB_KIND_DATA,
                                      .name = "file",
                                      .doc = "A raw file.",
                                      .citation = "",
                                      .instance_size = sizeof(FileData),
                                      .vtable = &vtable};

/* f32 holds every number of the smaller types. */
static AbDtype dtype_of(RawType type) {
  return type == RAW_F64 || type == RAW_I32 || type == RAW_I64 ? AB_F64 : AB_F32;
}

AbData *file_data_new(AbContext *ctx, RawFile *file, gint64 classes, gboolean unit) {
  FileData *self = (FileData *)ab_instance_new(ctx, &component, "input", NULL);
  if (!self) {
    raw_close(file);
    return NULL;
  }
  self->file = file;
  self->x.rank = (int32_t)raw_row_shape(file, self->x.shape);
  if (self->x.rank == 0) self->x.shape[self->x.rank++] = 1; /* of a list of numbers */
  self->x.dtype = classes > 0 ? AB_I64 : dtype_of(raw_type(file));
  self->x.range = classes > 0 ? AB_RANGE_CLASS : AB_RANGE_REAL;
  self->x.classes = classes;
  self->unit = unit && raw_type(file) == RAW_U8;
  self->low = INFINITY;
  self->high = -INFINITY;
  return &self->base;
}

gboolean file_data_extent(const AbData *data, double *low, double *high) {
  const FileData *self = (const FileData *)data;
  *low = self->low;
  *high = self->high;
  return self->low <= self->high;
}
