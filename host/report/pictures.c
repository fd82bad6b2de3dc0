/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays into the bytes of pictures. */
#include "pictures.h"

#include <math.h>

#define MAX_SIDE     96
#define MAX_FEATURES 512

Pictures pictures_of(const Array *array, int lead) {
  const gint64 *sample = array->shape + lead;
  int rank = array->rank - lead;
  Pictures self = {.rows = lead > 1 ? array->shape[0] : 1, .columns = array->shape[lead - 1]};
  gint64 size = array->count / self.rows / self.columns;
  gint64 channels = rank == 3 ? sample[2] : 1;
  gboolean image = (rank == 2 || rank == 3) && sample[0] > 1 && sample[1] > 1 &&
                   (channels == 1 || channels == 3);
  self.height = image ? sample[0] : 0;
  self.width = image ? sample[1] : size;
  self.channels = image ? channels : 1;
  return self;
}

/* The mean of one block of an image. */
static double block(const double *sample, const Pictures *shape, gint64 factor, gint64 y, gint64 x,
                    gint64 channel) {
  double sum = 0;
  gint64 count = 0;
  for (gint64 i = y * factor; i < MIN((y + 1) * factor, shape->height); i++)
    for (gint64 j = x * factor; j < MIN((x + 1) * factor, shape->width); j++, count++)
      sum += sample[(i * shape->width + j) * shape->channels + channel];
  return sum / (double)count;
}

static guint8 *put_image(guint8 *to, const double *sample, const Pictures *shape, gint64 factor,
                         Range range) {
  gint64 height = (shape->height + factor - 1) / factor;
  gint64 width = (shape->width + factor - 1) / factor;
  for (gint64 y = 0; y < height; y++)
    for (gint64 x = 0; x < width; x++)
      for (gint64 c = 0; c < shape->channels; c++)
        *to++ = range_byte(range, block(sample, shape, factor, y, x, c));
  return to;
}

static guint8 *put_features(guint8 *to, const double *sample, const Pictures *shape, gint64 factor,
                            Range range) {
  for (gint64 i = 0; i < shape->width; i += factor) *to++ = range_byte(range, sample[i]);
  return to;
}

static gint64 shrunk(gint64 side, gint64 factor) {
  return (side + factor - 1) / factor;
}

void pictures_write(GString *out, const char *key, const Array *array, Pictures shape, Range range,
                    gint64 bytes) {
  gboolean image = shape.height > 0;
  gint64 size = array->count / shape.rows / shape.columns;
  gint64 factor =
      image ? shrunk(MAX(shape.height, shape.width), MAX_SIDE) : shrunk(shape.width, MAX_FEATURES);
  gint64 height = shrunk(shape.height, factor), width = shrunk(shape.width, factor);
  gint64 each = MAX(height, 1) * width * shape.channels;
  gint64 columns = CLAMP(bytes / (shape.rows * each), 1, shape.columns);
  g_autofree guint8 *data = g_malloc((gsize)(shape.rows * columns * each));
  guint8 *to = data;
  for (gint64 i = 0; i < shape.rows; i++)
    for (gint64 j = 0; j < columns; j++) {
      const double *sample = array->values + (i * shape.columns + j) * size;
      to = image ? put_image(to, sample, &shape, factor, range)
                 : put_features(to, sample, &shape, factor, range);
    }
  embed_begin(out, key, '{');
  embed_int(out, "rows", shape.rows);
  embed_int(out, "columns", columns);
  embed_int(out, "of", shape.columns);
  embed_int(out, "height", height);
  embed_int(out, "width", width);
  embed_int(out, "channels", shape.channels);
  embed_int(out, "factor", factor);
  embed_real(out, "low", range.low);
  embed_real(out, "high", range.high);
  embed_bytes(out, "data", data, (gsize)(to - data));
  embed_end(out, '}');
}
