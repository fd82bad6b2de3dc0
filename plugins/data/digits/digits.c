/* SPDX-License-Identifier: Apache-2.0
 *
 * The small digits: 1,797 handwritten digits of 13 writers, 8x8 pixels, brought along (digits.h5,
 * beside this plugin).
 *
 *   x  [8, 8]  unit range: each pixel counts the dark ones among 4x4 (0 to 16), over 16
 *   y  class 0 to 9
 *
 * E. Alpaydin, C. Kaynak (1998): Optical Recognition of Handwritten Digits (the test set), UCI
 * Machine Learning Repository, https://doi.org/10.24432/C50P49; CC BY 4.0.
 *
 * The set comes without a split. Here the first 1,437 samples (80 %) are for training and the last
 * 360 for testing, in the order of the file, so that results need no seed to be repeated. */
#include <absdk/absdk.h>

enum { SAMPLES = 1797, TRAIN = 1437, SIDE = 8, PIXELS = SIDE * SIDE, DARKEST = 16, CLASSES = 10 };

typedef struct {
  AbData base;
  AbStoreFile *file; /* closed with the instance */
  uint8_t *x;        /* [SAMPLES, PIXELS] */
  uint8_t *y;        /* [SAMPLES] */
} Digits;

static bool has(Digits *self, const char *dataset, AbShape expected) {
  AbShape shape;
  AbDtype dtype;
  int64_t chunk_rows;
  bool found = ab_store_info(self->file, dataset, &shape, &dtype, &chunk_rows);
  bool same = found && dtype == AB_U8 && shape.rank == expected.rank;

  for (int32_t i = 0; same && i < shape.rank; i++) same = shape.dims[i] == expected.dims[i];
  if (!same)
    ab_fail(&self->base, AB_DATA,
            "digits.h5 beside the plugin is not the one that came with it (dataset %s)\n"
            "install the plugin again",
            dataset);
  return same;
}

static void digits_open(AbData *data) {
  Digits *self = (Digits *)data;
  AbSpec x = {
      .rank = 2, .dtype = AB_F32, .shape = {SIDE, SIDE}, .range = AB_RANGE_UNIT, .classes = 0};
  AbSpec y = {.rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = CLASSES};
  const char *path = ab_plugin_file(data, "digits.h5");

  if (path == NULL) return;
  self->file = ab_store_open(data, path);
  if (self->file == NULL) return;
  if (!has(self, "x", AB_SHAPE(SAMPLES, SIDE, SIDE)) || !has(self, "y", AB_SHAPE(SAMPLES))) return;
  ab_data_field(data, "x", &x);
  ab_data_field(data, "y", &y);
  ab_data_length(data, AB_TRAIN, TRAIN);
  ab_data_length(data, AB_TEST, SAMPLES - TRAIN);
}

static void check_values(Digits *self) {
  bool good = true;

  for (int64_t i = 0; i < SAMPLES * PIXELS; i++) good = good && self->x[i] <= DARKEST;
  for (int64_t i = 0; i < SAMPLES; i++) good = good && self->y[i] < CLASSES;
  if (!good)
    ab_fail(&self->base, AB_DATA,
            "digits.h5 beside the plugin has pixels above 16 or labels above 9\n"
            "install the plugin again");
}

static void digits_load(AbData *data) {
  Digits *self = (Digits *)data;

  if (self->x == NULL) self->x = ab_alloc(data, SAMPLES * (PIXELS + 1));
  if (self->x == NULL) return;
  self->y = self->x + SAMPLES * PIXELS;
  if (ab_store_read(self->file, "x", AB_U8, 0, SAMPLES, self->x) &&
      ab_store_read(self->file, "y", AB_U8, 0, SAMPLES, self->y))
    check_values(self);
}

static void digits_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                         void *const *fields) {
  const Digits *self = (const Digits *)data;
  int64_t first = split == AB_TEST ? TRAIN : 0;
  float *x = fields[0];
  int64_t *y = fields[1];

  for (int64_t i = 0; i < count; i++) {
    const uint8_t *pixels = self->x + (first + rows[i]) * PIXELS;

    for (int j = 0; j < PIXELS; j++) x[i * PIXELS + j] = (float)pixels[j] / DARKEST;
    y[i] = self->y[first + rows[i]];
  }
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .open = digits_open,
    .load = digits_load,
    .fetch = digits_fetch,
};

static const AbComponent digits = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "digits",
    .doc = "1,797 handwritten digits of 8x8 pixels, brought along; 1,437 train, 360 test.",
    .citation = "Alpaydin & Kaynak 1998, https://doi.org/10.24432/C50P49",
    .instance_size = sizeof(Digits),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.digits", "0.1", "Apache-2.0", &digits)
