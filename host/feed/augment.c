/* SPDX-License-Identifier: Apache-2.0
 *
 * Random shifts and mirror images of the training images, and draws of ones and zeros by their
 * probabilities. The random numbers are those of (seed, epoch, batch), so that a batch is the same
 * whoever asks for it, and when.                                                                */
#include "feed-internal.h"

#include <string.h>

typedef struct {
  gint64 channels, height, width;
  gsize pixel; /* bytes */
} Image;

/* One channel by dy down and dx right; what comes in is zero. Rows are taken from the side towards
 * which the image moves, so that none is overwritten before it was moved.                       */
static void shift_channel(const Image *image, char *plane, gint64 dy, gint64 dx) {
  gsize row = (gsize)image->width * image->pixel, gap = (gsize)ABS(dx) * image->pixel;
  for (gint64 k = 0; k < image->height; k++) {
    gint64 y = dy > 0 ? image->height - 1 - k : k, from = y - dy;
    char *to = plane + (gsize)y * row;
    if (from < 0 || from >= image->height) {
      memset(to, 0, row);
      continue;
    }
    const char *source = plane + (gsize)from * row;
    memmove(to + (dx > 0 ? gap : 0), source + (dx > 0 ? 0 : gap), row - gap);
    memset(dx > 0 ? to : to + row - gap, 0, gap);
  }
}

#define DEFINE_MIRROR(Real, name)              \
  static void name(Real *line, gint64 width) { \
    for (gint64 i = 0; i < width / 2; i++) {   \
      Real swap = line[i];                     \
      line[i] = line[width - 1 - i];           \
      line[width - 1 - i] = swap;              \
    }                                          \
  }
DEFINE_MIRROR(float, f32_mirror)
DEFINE_MIRROR(double, f64_mirror)

static void flip_image(const Image *image, void *pixels) {
  for (gint64 line = 0; line < image->channels * image->height; line++)
    if (image->pixel == sizeof(float))
      f32_mirror((float *)pixels + line * image->width, image->width);
    else
      f64_mirror((double *)pixels + line * image->width, image->width);
}

void augment_apply(const Feed *self, void *x, gint64 count, gint64 epoch, gint64 batch) {
  gint64 shift = self->plan.shift;
  if (shift == 0 && !self->plan.flip) return;
  const FeedField *field = &self->fields[self->x];
  const int64_t *last = field->out.shape + field->out.rank - 2;
  Image image = {field->count / (last[0] * last[1]), last[0], last[1], ab_dtype_size(self->real)};
  char name[80];
  g_snprintf(name, sizeof name, "augment/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, epoch, batch);
  AbStream stream = ab_stream(self->seed, name);
  for (gint64 s = 0; s < count; s++) {
    char *sample = (char *)x + (gsize)s * field->out_size;
    if (shift > 0) {
      gint64 dy = ab_stream_below(&stream, 2 * shift + 1) - shift;
      gint64 dx = ab_stream_below(&stream, 2 * shift + 1) - shift;
      gsize plane = (gsize)(image.height * image.width) * image.pixel;
      for (gint64 c = 0; c < image.channels; c++)
        shift_channel(&image, sample + (gsize)c * plane, dy, dx);
    }
    if (self->plan.flip && ab_stream_uniform(&stream) < 0.5) flip_image(&image, sample);
  }
}

#define DEFINE_DRAW(Real, name)                                                  \
  static void name(AbStream *stream, Real *x, gint64 count) {                    \
    for (gint64 i = 0; i < count; i++)                                           \
      if (x[i] > 0 && x[i] < 1) x[i] = ab_stream_uniform(stream) < (double)x[i]; \
  }
DEFINE_DRAW(float, f32_draw)
DEFINE_DRAW(double, f64_draw)

void augment_draw(const Feed *self, const FeedField *field, void *x, gint64 count,
                  const FeedPass *pass, gint64 batch) {
  if (!self->plan.draw) return;
  gint64 epoch = pass->split == AB_TRAIN ? pass->epoch : 0;
  g_autofree char *name = g_strdup_printf("draw/%s/%d/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                          field->name, (int)pass->split, epoch, batch);
  AbStream stream = ab_stream(self->seed, name);
  if (self->real == AB_F32)
    f32_draw(&stream, x, count * field->count);
  else
    f64_draw(&stream, x, count * field->count);
}
