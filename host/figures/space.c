/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether samples are images, and how they are stored.
 *
 *   [h, w] with numbers from 0 to 1        grey; of other numbers it is a sequence of steps
 *   [1, h, w], [3, h, w]                   grey; red, green and blue
 *   [n], n = s * s >= 16, from 0 to 1      s rows of s
 *
 * It is what the data declares that counts: a transform may have flattened it. What the data does
 * not say, a reshape to an image does.                                                           */
#include "figures-internal.h"

#include <math.h>
#include <string.h>

static void set_image(Space *self, gint64 height, gint64 width, gint64 channels) {
  self->image = TRUE;
  self->rank = channels == 1 ? 2 : 3;
  self->shape[0] = height;
  self->shape[1] = width;
  self->shape[2] = channels;
}

/* Of two or three axes. */
static gboolean take_image(Space *self, const AbSpec *x) {
  const int64_t *side = x->shape + x->rank - 2;
  gint64 channels = x->rank == 3 ? x->shape[0] : 1;
  gboolean flat = x->rank == 2 && !ab_spec_is_unit(x);
  if (x->rank < 2 || x->rank > 3 || flat || (channels != 1 && channels != 3)) return FALSE;
  if (side[0] < 2 || side[1] < 2) return FALSE;
  set_image(self, side[0], side[1], channels);
  return TRUE;
}

static gboolean take_square(Space *self, const AbSpec *x) {
  gint64 side = (gint64)lround(sqrt((double)self->count));
  if (x->rank != 1 || !ab_spec_is_unit(x) || self->count < 16 || side * side != self->count)
    return FALSE;
  set_image(self, side, side, 1);
  return TRUE;
}

void space_init(Space *self, const AbSpec *declared, const AbSpec *x) {
  *self = (Space){.rank = x->rank, .count = ab_spec_count(x), .unit = ab_spec_is_unit(x)};
  memcpy(self->shape, x->shape, (gsize)MAX(x->rank, 0) * sizeof *self->shape);
  if (x->range == AB_RANGE_CLASS || x->rank < 1) return;
  (void)(take_image(self, declared) || take_image(self, x) || take_square(self, declared));
}

gint64 space_channels(const Space *self) {
  return self->rank == 3 ? self->shape[2] : 1;
}

void space_put(const Space *self, const float *sample, float *to) {
  gint64 channels = self->image ? space_channels(self) : 1, pixels = self->count / channels;
  for (gint64 c = 0; c < channels; c++)
    for (gint64 i = 0; i < pixels; i++) to[i * channels + c] = sample[c * pixels + i];
}
