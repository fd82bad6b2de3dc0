/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets of an HDF5 file, read as they are needed: they may be larger than memory.
 *
 *   x  [rows, ...]  a sample is a row; a list of numbers gives samples [1]
 *   y  integers [rows] or [rows, 1]: class; other numbers: real, a list gives [1]
 *
 * Range of x (`range`):
 *   auto    bytes: as unit; booleans: as binary; all others: as real
 *   real    the numbers as they are
 *   unit    bytes over 255; others as they are, and they must be from 0 to 1
 *   binary  they must be 0 or 1
 *
 * Rows are read in slabs (the chunks of a compressed dataset), of which those used last are kept.
 * So shuffling across a compressed file costs a slab a row, unless it keeps to the slabs that were
 * declared by ab_data_locality.                                                                 */
#include "cache.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE_AUTO, RANGE_REAL, RANGE_UNIT, RANGE_BINARY };
enum { MAX_CLASSES = 1 << 20, LABELS_AT_ONCE = 1 << 16 };

typedef struct {
  AbData base;
  const char *file, *x, *y; /* from the manifest */
  const char *test_x, *test_y, *validation_x, *validation_y;
  int64_t range, label_classes, cache;

  Cache slabs;
  Source xs[AB_SPLIT_COUNT], ys[AB_SPLIT_COUNT]; /* rows 0: the split is not there */
  AbSpec x_spec, y_spec;                         /* y_spec.rank -1: no y */
} Hdf5;

static const char *const ranges[] = {"auto", "real", "unit", "binary", NULL};

static const AbParam params[] = {
    AB_PARAM_PATH_REQUIRED(Hdf5, file, "The HDF5 file."),
    AB_PARAM_TEXT(Hdf5, x, "x", "Dataset of the samples."),
    AB_PARAM_TEXT(Hdf5, y, NULL,
                  "Dataset of labels or targets; absent: `y` if there is one; empty: none."),
    AB_PARAM_TEXT(Hdf5, test_x, NULL, "Dataset of the test samples."),
    AB_PARAM_TEXT(Hdf5, test_y, NULL, "Their labels or targets."),
    AB_PARAM_TEXT(Hdf5, validation_x, NULL, "Dataset of the validation samples."),
    AB_PARAM_TEXT(Hdf5, validation_y, NULL, "Their labels or targets."),
    AB_PARAM_CHOICE(Hdf5, range, "auto", ranges,
                    "Range of x; auto: bytes are brought into 0 to 1, booleans binary, else real."),
    AB_PARAM_INT(Hdf5, label_classes, 0, 0, MAX_CLASSES, "",
                 "Number of classes; 0: the highest training label and one."),
    AB_PARAM_INT(Hdf5, cache, 256, 1, 1 << 20, "MiB", "Memory for rows that were read."),
};

static bool given(const char *text) {
  return text != NULL && text[0] != '\0';
}

static bool failed(const Hdf5 *self) {
  return !ab_ok(ab_context(&self->base));
}

static double number(AbDtype dtype, const void *values, int64_t index) {
  switch (dtype) {
  case AB_F32: return (double)((const float *)values)[index];
  case AB_F64: return ((const double *)values)[index];
  case AB_I32: return (double)((const int32_t *)values)[index];
  case AB_I64: return (double)((const int64_t *)values)[index];
  default: return (double)((const uint8_t *)values)[index];
  }
}

/* ---- checks of what was read ----------------------------------------------------------------- */

/* Row of the first number that is not in range, else -1. */
static int64_t first_outside(const Source *source, int64_t count, const void *values, bool binary) {
  for (int64_t i = 0; i < count * source->width; i++) {
    double value = number(source->dtype, values, i);

    if (binary ? value != 0 && value != 1 : !(value >= 0 && value <= 1)) return i;
  }
  return -1;
}

static bool check_x(AbData *data, const Source *source, int64_t first, int64_t count,
                    const void *values) {
  const Hdf5 *self = (const Hdf5 *)data;
  bool binary = self->x_spec.range == AB_RANGE_BINARY;
  int64_t at = first_outside(source, count, values, binary);

  if (at >= 0)
    ab_fail(data, AB_DATA,
            "%s: dataset %s has %g in row %" PRId64 ", which is not %s\n"
            "correct the file or set range: real",
            self->file, source->name, number(source->dtype, values, at), first + at / source->width,
            binary ? "0 or 1" : "from 0 to 1");
  return at < 0;
}

static int64_t label_at(const Source *source, const void *values, int64_t index) {
  if (source->dtype == AB_I64) return ((const int64_t *)values)[index];
  return (int64_t)number(source->dtype, values, index);
}

static bool check_labels(AbData *data, const Source *source, int64_t first, int64_t count,
                         const void *values) {
  const Hdf5 *self = (const Hdf5 *)data;
  int64_t classes = self->y_spec.classes > 0 ? self->y_spec.classes : MAX_CLASSES;

  for (int64_t i = 0; i < count; i++) {
    int64_t label = label_at(source, values, i);

    if (label >= 0 && label < classes) continue;
    ab_fail(data, AB_DATA,
            "%s: dataset %s has the label %" PRId64 " in row %" PRId64 "; expected 0 to %" PRId64
            " (%s)\nstore numbers to be predicted as floating point",
            self->file, source->name, label, first + i, classes - 1,
            self->label_classes > 0     ? "label_classes"
            : self->y_spec.classes == 0 ? "which a label may be"
                                        : "the training labels");
    return false;
  }
  return true;
}

/* ---- open ------------------------------------------------------------------------------------ */

/* Finds a dataset that must be there. */
static bool open_source(Hdf5 *self, Source *source, const char *name) {
  source->name = name;
  if (cache_source(&self->slabs, source)) return true;
  if (!failed(self))
    ab_fail(&self->base, AB_DATA, "there is no dataset '%s' in %s; `h5ls -r` lists what it has",
            name, self->file);
  return false;
}

/* The shape and type of a row as a field. */
static AbSpec row_spec(const Source *source) {
  bool wide = source->dtype == AB_F64 || source->dtype == AB_I32 || source->dtype == AB_I64;
  AbSpec spec = {.rank = source->shape.rank - 1, .dtype = wide ? AB_F64 : AB_F32};

  for (int32_t i = 0; i < spec.rank; i++) spec.shape[i] = source->shape.dims[i + 1];
  if (spec.rank == 0) spec.shape[spec.rank++] = 1;
  return spec;
}

static AbRange x_range(const Hdf5 *self) {
  AbDtype dtype = self->xs[AB_TRAIN].dtype;

  switch (self->range) {
  case RANGE_UNIT: return AB_RANGE_UNIT;
  case RANGE_BINARY: return AB_RANGE_BINARY;
  case RANGE_REAL: return AB_RANGE_REAL;
  default:
    return dtype == AB_U8 ? AB_RANGE_UNIT : dtype == AB_BOOL ? AB_RANGE_BINARY : AB_RANGE_REAL;
  }
}

/* Bytes over 255. */
static bool is_scaled(const Hdf5 *self) {
  return self->x_spec.range == AB_RANGE_UNIT && self->xs[AB_TRAIN].dtype == AB_U8;
}

/* Samples of `other` must be as those of `train`. */
static bool check_alike(Hdf5 *self, const Source *train, const Source *other) {
  bool same = train->dtype == other->dtype && train->shape.rank == other->shape.rank;
  char text[200], other_text[200];

  for (int32_t i = 1; same && i < train->shape.rank; i++)
    same = train->shape.dims[i] == other->shape.dims[i];
  if (!same)
    ab_fail(&self->base, AB_DATA,
            "%s: samples of dataset %s, %s %s, and of %s, %s %s, differ in type or shape",
            self->file, train->name, ab_dtype_name(train->dtype),
            ab_shape_text(train->shape, text, sizeof text), other->name,
            ab_dtype_name(other->dtype),
            ab_shape_text(other->shape, other_text, sizeof other_text));
  return same;
}

static bool open_xs(Hdf5 *self) {
  const char *names[] = {self->x, self->validation_x, self->test_x};

  for (int split = 0; split < AB_SPLIT_COUNT; split++) {
    Source *source = &self->xs[split];

    if (!given(names[split])) continue;
    if (!open_source(self, source, names[split]) || !check_alike(self, &self->xs[AB_TRAIN], source))
      return false;
  }
  self->x_spec = row_spec(&self->xs[AB_TRAIN]);
  self->x_spec.range = x_range(self);
  if (self->x_spec.range != AB_RANGE_REAL && !is_scaled(self))
    for (int split = 0; split < AB_SPLIT_COUNT; split++) self->xs[split].check = check_x;
  return true;
}

/* Every split has targets, or none has. */
static bool open_y(Hdf5 *self, AbSplit split, const char *name) {
  Source *x = &self->xs[split], *y = &self->ys[split];

  if (x->rows == 0 || !given(name)) {
    if (x->rows == 0 && !given(name)) return true;
    ab_fail(&self->base, AB_CONFIG, "%s_%c is given without %s_%c; give both%s",
            ab_split_name(split), x->rows > 0 ? 'x' : 'y', ab_split_name(split),
            x->rows > 0 ? 'y' : 'x', x->rows > 0 ? ", or y: \"\" to use no labels" : "");
    return false;
  }
  if (!open_source(self, y, name) || !check_alike(self, &self->ys[AB_TRAIN], y)) return false;
  if (y->rows != x->rows)
    ab_fail(&self->base, AB_DATA,
            "%s: dataset %s has %" PRId64 " rows, its samples %s have %" PRId64, self->file,
            y->name, y->rows, x->name, x->rows);
  return y->rows == x->rows;
}

/* Looks at all labels of a split; the highest, -1 after an error. */
static int64_t scan_labels(Hdf5 *self, const Source *source) {
  int64_t *labels = malloc(LABELS_AT_ONCE * sizeof(int64_t)), highest = 0;
  Source wide = *source;

  wide.dtype = AB_I64;
  if (labels == NULL) {
    ab_fail(&self->base, AB_INTERNAL, "no memory for labels");
    return -1;
  }
  for (int64_t first = 0; first < source->rows && highest >= 0; first += LABELS_AT_ONCE) {
    int64_t left = source->rows - first;
    int64_t count = left < LABELS_AT_ONCE ? left : LABELS_AT_ONCE;
    bool good = ab_store_read(self->slabs.file, source->name, AB_I64, first, count, labels) &&
                check_labels(&self->base, &wide, first, count, labels);

    for (int64_t i = 0; good && i < count; i++)
      if (labels[i] > highest) highest = labels[i];
    if (!good) highest = -1;
  }
  free(labels);
  return highest;
}

/* y of integers, one a row: labels. */
static bool open_labels(Hdf5 *self) {
  self->y_spec = (AbSpec){.dtype = AB_I64, .range = AB_RANGE_CLASS};
  self->y_spec.classes = self->label_classes;
  for (int split = 0; split < AB_SPLIT_COUNT; split++) {
    Source *source = &self->ys[split];
    int64_t highest;

    source->check = check_labels;
    if (source->rows == 0 || self->label_classes > 0) continue;
    highest = scan_labels(self, source);
    if (highest < 0) return false;
    if (split == AB_TRAIN) self->y_spec.classes = highest + 1;
  }
  return true;
}

/* The dataset of the training labels; NULL if there are none (or after an error). */
static const char *find_y(Hdf5 *self) {
  AbShape shape;
  AbDtype dtype;
  int64_t chunk_rows;

  if (self->y != NULL) return given(self->y) ? self->y : NULL;
  return ab_store_info(self->slabs.file, "y", &shape, &dtype, &chunk_rows) ? "y" : NULL;
}

static bool open_ys(Hdf5 *self) {
  const Source *train = &self->ys[AB_TRAIN];
  const char *names[] = {find_y(self), self->validation_y, self->test_y};

  self->y_spec.rank = -1;
  if (failed(self)) return false;
  if (names[AB_TRAIN] == NULL) {
    if (!given(self->test_y) && !given(self->validation_y)) return true;
    ab_fail(&self->base, AB_CONFIG,
            "%s is given and there are no training labels (y); name y, or leave it out",
            given(self->test_y) ? "test_y" : "validation_y");
    return false;
  }
  for (int split = 0; split < AB_SPLIT_COUNT; split++)
    if (!open_y(self, split, names[split])) return false;
  if (train->dtype != AB_F32 && train->dtype != AB_F64 && train->width == 1)
    return open_labels(self);
  self->y_spec = row_spec(train);
  return true;
}

static void hdf5_open(AbData *data) {
  Hdf5 *self = (Hdf5 *)data;

  self->slabs = (Cache){.self = data, .limit = self->cache << 20};
  self->slabs.file = ab_store_open(data, self->file);
  if (self->slabs.file == NULL) return;
  if (!given(self->x)) {
    ab_fail(data, AB_CONFIG, "x is empty; name a dataset of %s", self->file);
    return;
  }
  if (!open_xs(self) || !open_ys(self)) return;
  ab_data_field(data, "x", &self->x_spec);
  if (self->y_spec.rank >= 0) ab_data_field(data, "y", &self->y_spec);
  for (int split = 0; split < AB_SPLIT_COUNT; split++)
    if (self->xs[split].rows > 0) ab_data_length(data, split, self->xs[split].rows);
  if (self->xs[AB_TRAIN].compressed) ab_data_locality(data, self->xs[AB_TRAIN].slab_rows);
}

/* ---- fetch and close ------------------------------------------------------------------------- */

/* A row into row `to` of a field. */
static void copy_row(const Source *source, const void *values, AbDtype field, bool scaled,
                     int64_t to, void *out) {
  int64_t width = source->width;
  float *single = (float *)out + to * width;
  double *wide = (double *)out + to * width;

  if (source->dtype == field) {
    memcpy((char *)out + to * source->row_bytes, values, (size_t)source->row_bytes);
  } else if (field == AB_I64) {
    ((int64_t *)out)[to] = label_at(source, values, 0);
  } else if (field == AB_F64) {
    for (int64_t i = 0; i < width; i++) wide[i] = number(source->dtype, values, i);
  } else { /* bytes */
    float most = scaled ? 255 : 1;

    for (int64_t i = 0; i < width; i++) single[i] = (float)((const uint8_t *)values)[i] / most;
  }
}

static void hdf5_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                       void *const *fields) {
  Hdf5 *self = (Hdf5 *)data;

  for (int64_t i = 0; i < count; i++) {
    const void *x = cache_row(&self->slabs, &self->xs[split], rows[i]), *y;

    if (x == NULL) return;
    copy_row(&self->xs[split], x, self->x_spec.dtype, is_scaled(self), i, fields[0]);
    if (self->y_spec.rank < 0) continue;
    y = cache_row(&self->slabs, &self->ys[split], rows[i]);
    if (y == NULL) return;
    copy_row(&self->ys[split], y, self->y_spec.dtype, false, i, fields[1]);
  }
}

static void hdf5_close(AbData *data) {
  Hdf5 *self = (Hdf5 *)data;

  for (int split = 0; split < AB_SPLIT_COUNT; split++) {
    cache_drop(&self->slabs, &self->xs[split]);
    cache_drop(&self->slabs, &self->ys[split]);
    self->xs[split] = self->ys[split] = (Source){0};
  }
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .flags = AB_DATA_BLOCKING,
    .open = hdf5_open,
    .fetch = hdf5_fetch,
    .close = hdf5_close,
};

static const AbComponent hdf5 = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "hdf5",
    .doc = "Datasets of an HDF5 file, which may be larger than memory.",
    .citation = "",
    .instance_size = sizeof(Hdf5),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.hdf5", "0.1", "Apache-2.0", &hdf5)
