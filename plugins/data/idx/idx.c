/* SPDX-License-Identifier: Apache-2.0
 *
 * The MNIST family: images and labels in IDX files, plain or gzipped.
 *
 *   x  [the shape of a sample]  u8: unit range (over 255) unless `scale` is off; others: real
 *   y  class, where there are label files
 *
 * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998): Gradient-based learning applied to document
 * recognition, Proceedings of the IEEE 86 (11). The format: http://yann.lecun.com/exdb/mnist/.
 * Others that come so: Fashion-MNIST, KMNIST, EMNIST, USPS.
 *
 * Headers, and the label files (a byte a sample), are read when the data is opened; the images when
 * it is loaded. They stay in memory as they are in the file.                                    */
#include "reader.h"
#include <inttypes.h>
#include <stdlib.h>

enum { MAX_CLASSES = 256 };

typedef struct {
  AbData base;
  const char *folder; /* from the manifest */
  const char *train_images, *train_labels, *test_images, *test_labels;
  bool scale;
  int64_t limit, classes;
  IdxFile images[AB_SPLIT_COUNT], labels[AB_SPLIT_COUNT];
  int64_t used[AB_SPLIT_COUNT]; /* samples */
  int64_t found;                /* classes */
  bool labelled;
} Idx;

static const AbParam params[] = {
    AB_PARAM_PATH_REQUIRED(Idx, folder, "Folder of the files."),
    AB_PARAM_TEXT(Idx, train_images, "train-images-idx3-ubyte",
                  "File in the folder; .gz is tried too, for each of the four."),
    AB_PARAM_TEXT(Idx, train_labels, "train-labels-idx1-ubyte",
                  "File in the folder; empty: no labels, neither for the test."),
    AB_PARAM_TEXT(Idx, test_images, "t10k-images-idx3-ubyte",
                  "File in the folder; empty: no test split."),
    AB_PARAM_TEXT(Idx, test_labels, "t10k-labels-idx1-ubyte", "File in the folder."),
    AB_PARAM_BOOL(Idx, scale, true, "Bring bytes (0 to 255) into 0 to 1."),
    AB_PARAM_INT(Idx, limit, 0, 0, INT64_MAX, "samples",
                 "Use only the first training samples; 0: all."),
    AB_PARAM_INT(Idx, classes, 0, 0, MAX_CLASSES, "",
                 "Number of classes; 0: the highest training label and one."),
};

static bool given(const char *name) {
  return name != NULL && name[0] != '\0';
}

/* ---- open ------------------------------------------------------------------------------------ */

/* Every label an integer from 0, below the number of classes where that is known (not 0). */
static bool check_labels(Idx *self, const IdxFile *file, int64_t classes, int64_t *highest) {
  *highest = 0;
  for (int64_t i = 0; i < file->shape[0]; i++) {
    int64_t label = (int64_t)idx_value(file, i);

    if (label < 0 || label >= (classes > 0 ? classes : MAX_CLASSES)) {
      ab_fail(&self->base, AB_DATA,
              "%s: label %" PRId64 " of sample %" PRId64 " is not in 0 to %" PRId64 " (%s)",
              file->path, label, i, (classes > 0 ? classes : MAX_CLASSES) - 1,
              self->classes > 0 ? "parameter classes"
              : classes > 0     ? "the training labels"
                                : "which a label may be");
      return false;
    }
    if (label > *highest) *highest = label;
  }
  return true;
}

/* The labels of the images of `split`, in memory. `classes` as in check_labels. */
static bool open_labels(Idx *self, AbSplit split, const char *name, int64_t classes,
                        int64_t *highest) {
  IdxFile *file = &self->labels[split];
  const IdxFile *images = &self->images[split];

  if (!idx_open(&self->base, file, self->folder, name)) return false;
  if (file->rank != 1 || file->type == IDX_F32 || file->type == IDX_F64) {
    ab_fail(&self->base, AB_DATA, "%s: expected a list of integer labels, found %s of rank %d",
            file->path, idx_type_name(file->type), (int)file->rank);
    return false;
  }
  if (file->shape[0] != images->shape[0]) {
    ab_fail(&self->base, AB_DATA,
            "%s has %" PRId64 " labels for the %" PRId64 " samples of %s\n"
            "are the two files of the same set and split?",
            file->path, file->shape[0], images->shape[0], images->path);
    return false;
  }
  return idx_read(&self->base, file, file->shape[0]) && check_labels(self, file, classes, highest);
}

/* Test images must be as the training images are. */
static bool check_alike(Idx *self) {
  const IdxFile *train = &self->images[AB_TRAIN], *test = &self->images[AB_TEST];
  bool same = train->type == test->type && train->rank == test->rank;

  for (int32_t i = 1; same && i < train->rank; i++) same = train->shape[i] == test->shape[i];
  if (!same)
    ab_fail(&self->base, AB_DATA, "samples of %s and %s differ in type or shape", train->path,
            test->path);
  return same;
}

static bool open_train(Idx *self) {
  IdxFile *file = &self->images[AB_TRAIN];
  int64_t highest;

  if (!idx_open(&self->base, file, self->folder, self->train_images)) return false;
  self->used[AB_TRAIN] = file->shape[0];
  if (self->limit > 0 && self->limit < file->shape[0]) self->used[AB_TRAIN] = self->limit;
  self->labelled = given(self->train_labels);
  if (!self->labelled) return true;
  if (!open_labels(self, AB_TRAIN, self->train_labels, self->classes, &highest)) return false;
  self->found = self->classes > 0 ? self->classes : highest + 1;
  return true;
}

static bool open_test(Idx *self) {
  IdxFile *file = &self->images[AB_TEST];
  int64_t highest;

  if (!given(self->test_images)) return true;
  if (self->labelled && !given(self->test_labels)) {
    ab_fail(&self->base, AB_CONFIG,
            "test_images has no test_labels, while the training samples have labels\n"
            "name the test_labels, or make test_images or train_labels empty too");
    return false;
  }
  if (!idx_open(&self->base, file, self->folder, self->test_images) || !check_alike(self))
    return false;
  self->used[AB_TEST] = file->shape[0];
  return !self->labelled || open_labels(self, AB_TEST, self->test_labels, self->found, &highest);
}

static bool to_unit(const Idx *self) {
  return self->scale && self->images[AB_TRAIN].type == IDX_U8;
}

/* f32 holds every number of the smaller types. */
static AbDtype field_dtype(const Idx *self) {
  IdxType type = self->images[AB_TRAIN].type;

  return type == IDX_F64 || type == IDX_I32 ? AB_F64 : AB_F32;
}

static void idx_open_data(AbData *data) {
  Idx *self = (Idx *)data;
  const IdxFile *images = &self->images[AB_TRAIN];
  AbSpec x = {0}, y = {.rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS};

  if (!given(self->train_images)) {
    ab_fail(data, AB_CONFIG, "train_images is empty; name a file of %s", self->folder);
    return;
  }
  if (!open_train(self) || !open_test(self)) return;
  x.rank = images->rank > 1 ? images->rank - 1 : 1;
  x.shape[0] = 1; /* of a list of numbers */
  for (int32_t i = 1; i < images->rank; i++) x.shape[i - 1] = images->shape[i];
  x.dtype = field_dtype(self);
  x.range = to_unit(self) ? AB_RANGE_UNIT : AB_RANGE_REAL;
  y.classes = self->found;
  ab_data_field(data, "x", &x);
  if (self->labelled) ab_data_field(data, "y", &y);
  ab_data_length(data, AB_TRAIN, self->used[AB_TRAIN]);
  ab_data_length(data, AB_TEST, self->used[AB_TEST]);
}

/* ---- load, fetch, close ---------------------------------------------------------------------- */

static void idx_load_data(AbData *data) {
  Idx *self = (Idx *)data;

  for (int split = 0; split < AB_SPLIT_COUNT; split++)
    if (self->used[split] > 0 && !idx_read(data, &self->images[split], self->used[split])) return;
}

/* The numbers of one sample into row `to` of the field. */
static void copy_sample(const Idx *self, const IdxFile *file, int64_t row, int64_t to,
                        void *field) {
  int64_t count = file->row_bytes / (int64_t)idx_type_size(file->type);
  float *single = (float *)field + to * count;
  double *wide = (double *)field + to * count;

  if (file->type == IDX_U8) {
    const uint8_t *bytes = file->bytes + row * count;
    float most = to_unit(self) ? 255 : 1;

    for (int64_t i = 0; i < count; i++) single[i] = (float)bytes[i] / most;
  } else if (field_dtype(self) == AB_F32) {
    for (int64_t i = 0; i < count; i++) single[i] = (float)idx_value(file, row * count + i);
  } else {
    for (int64_t i = 0; i < count; i++) wide[i] = idx_value(file, row * count + i);
  }
}

static void idx_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                      void *const *fields) {
  const Idx *self = (const Idx *)data;

  for (int64_t i = 0; i < count; i++) {
    copy_sample(self, &self->images[split], rows[i], i, fields[0]);
    if (self->labelled)
      ((int64_t *)fields[1])[i] = (int64_t)idx_value(&self->labels[split], rows[i]);
  }
}

static void idx_close(AbData *data) {
  Idx *self = (Idx *)data;

  for (int split = 0; split < AB_SPLIT_COUNT; split++) {
    idx_clear(&self->images[split]);
    idx_clear(&self->labels[split]);
    self->used[split] = 0;
  }
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .open = idx_open_data,
    .load = idx_load_data,
    .fetch = idx_fetch,
    .close = idx_close,
};

static const AbComponent idx = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "idx",
    .doc = "Images and labels in IDX files, as of MNIST and its family; plain or gzipped.",
    .citation = "LeCun, Bottou, Bengio & Haffner 1998, Proceedings of the IEEE 86 (11)",
    .instance_size = sizeof(Idx),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.idx", "0.1", "Apache-2.0", &idx)
