/* SPDX-License-Identifier: Apache-2.0
 *
 * Mosaics of images, as PNG. */
#include "images.h"

#include <math.h>
#include <png.h>
#include <string.h>

enum { MAX_SIDE = 16384, MAX_PIXELS = 1 << 26, GAP = 1, GREY = 128 };

typedef struct {
  gint64 columns, width, height; /* of the mosaic: in images, in pixels */
  gint64 depth;                  /* bytes of a pixel: 1 or 3 */
} Mosaic;

void images_clear(Images *self) {
  g_free(self->pixels);
  *self = (Images){0};
}

/* ---- plan ------------------------------------------------------------------------------------ */

static gint64 image_values(const Images *self) {
  return self->height * self->width * self->channels;
}

static gboolean check(const Images *self, gint64 first, gint64 count, GError **error) {
  if (count < 1 || first < 0 || first > self->count - count)
    return host_fail(error, AB_INTERNAL,
                     "%" G_GINT64_FORMAT " images from %" G_GINT64_FORMAT
                     " on were asked for, and there are %" G_GINT64_FORMAT,
                     count, first, self->count);
  if (self->height < 1 || self->width < 1 || (self->channels != 1 && self->channels != 3))
    return host_fail(error, AB_INTERNAL,
                     "%" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " pixels of %" G_GINT64_FORMAT
                     " channels are no image",
                     self->height, self->width, self->channels);
  return TRUE;
}

/* The least number of columns whose square holds all. */
static gint64 square_columns(gint64 count) {
  gint64 columns = 1;
  while (columns * columns < count && columns < MAX_SIDE) columns++;
  return columns;
}

static gboolean plan(const Images *self, gint64 count, gint64 columns, Mosaic *mosaic,
                     GError **error) {
  gboolean fits = self->width <= MAX_SIDE && self->height <= MAX_SIDE && count <= MAX_PIXELS;
  if (columns < 1) columns = square_columns(count);
  mosaic->columns = MIN(columns, count);
  if (fits) {
    gint64 rows = (count + mosaic->columns - 1) / mosaic->columns;
    mosaic->width = mosaic->columns * (self->width + GAP) - GAP;
    mosaic->height = rows * (self->height + GAP) - GAP;
    fits = mosaic->width <= MAX_SIDE && mosaic->height <= MAX_SIDE &&
           mosaic->width * mosaic->height <= MAX_PIXELS;
  }
  return fits || host_fail(error, AB_DATA,
                           "%" G_GINT64_FORMAT " images of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                           " pixels are too large for one picture, which "
                           "has at most %d pixels a side and %d in all; show fewer",
                           count, self->height, self->width, MAX_SIDE, MAX_PIXELS);
}

static gboolean has_nan(const float *values, gint64 count) {
  for (gint64 i = 0; i < count; i++)
    if (isnan(values[i])) return TRUE;
  return FALSE;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static guint8 level(float value) {
  return value >= 1 ? 255 : value > 0 ? (guint8)(value * 255 + 0.5f) : 0;
}

static void draw_pixel(const float *values, gint64 channels, gint64 depth, guint8 *to) {
  static const guint8 magenta[] = {255, 0, 255};
  if (depth == 3 && has_nan(values, channels)) {
    memcpy(to, magenta, sizeof magenta);
    return;
  }
  for (gint64 i = 0; i < depth; i++) to[i] = level(values[channels == depth ? i : 0]);
}

static void draw_image(const Images *self, gint64 index, const Mosaic *mosaic, guint8 *corner) {
  const float *from = self->pixels + index * image_values(self);
  for (gint64 y = 0; y < self->height; y++) {
    guint8 *to = corner + y * mosaic->width * mosaic->depth;
    for (gint64 x = 0; x < self->width; x++, from += self->channels, to += mosaic->depth)
      draw_pixel(from, self->channels, mosaic->depth, to);
  }
}

/* NULL if there is no memory. */
static guint8 *draw(const Images *self, gint64 first, gint64 count, const Mosaic *mosaic) {
  gsize size = (gsize)(mosaic->width * mosaic->height * mosaic->depth);
  guint8 *canvas = g_try_malloc(size);
  if (!canvas) return NULL;
  memset(canvas, GREY, size);
  for (gint64 i = 0; i < count; i++) {
    gint64 top = i / mosaic->columns * (self->height + GAP);
    gint64 left = i % mosaic->columns * (self->width + GAP);
    draw_image(self, first + i, mosaic, canvas + (top * mosaic->width + left) * mosaic->depth);
  }
  return canvas;
}

/* ---- PNG ------------------------------------------------------------------------------------- */

static GBytes *encode(const Mosaic *mosaic, const guint8 *canvas, GError **error) {
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)mosaic->width,
                     .height = (png_uint_32)mosaic->height,
                     .format = mosaic->depth == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  guint8 *bytes = g_try_malloc(size);
  if (!bytes) {
    host_fail(error, AB_DATA, "no memory for a picture of %u x %u pixels", image.height,
              image.width);
    return NULL;
  }
  if (!png_image_write_to_memory(&image, bytes, &size, 0, canvas, 0, NULL)) {
    host_fail(error, AB_DATA, "a picture of %u x %u pixels cannot be made: %s", image.height,
              image.width, image.message);
    png_image_free(&image);
    g_free(bytes);
    return NULL;
  }
  GBytes *png = g_bytes_new(bytes, size); /* the bound is far above what it takes */
  g_free(bytes);
  return png;
}

GBytes *images_png(const Images *self, gint64 first, gint64 count, gint64 columns, GError **error) {
  Mosaic mosaic = {0};
  if (!check(self, first, count, error) || !plan(self, count, columns, &mosaic, error)) return NULL;
  gint64 values = image_values(self);
  gboolean odd = has_nan(self->pixels + first * values, count * values);
  mosaic.depth = self->channels == 3 || odd ? 3 : 1;
  guint8 *canvas = draw(self, first, count, &mosaic);
  if (!canvas) {
    host_fail(error, AB_DATA,
              "no memory for a picture of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " pixels",
              mosaic.height, mosaic.width);
    return NULL;
  }
  GBytes *png = encode(&mosaic, canvas, error);
  g_free(canvas);
  return png;
}
