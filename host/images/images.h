/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of a run as pictures that other programs show: PNG, by libpng. */
#ifndef HOST_IMAGES_H
#define HOST_IMAGES_H

#include "../error.h"

typedef struct {
  gint64 count, height, width;
  gint64 channels; /* 1: grey, 3: red, green, blue */
  float *pixels;   /* 0 to 1, [count, height, width, channels]; owned */
} Images;

/* Frees the pixels; all is 0 then. */
void images_clear(Images *self);

/* A mosaic of `count` images from `first` on, row by row, `columns` in a row (0: about as many as
 * there are rows), with one grey pixel between. Values beyond 0 to 1 are cut; a pixel with a NaN in
 * it is magenta, and the picture then has colours. NULL and AB_DATA if the picture would be larger
 * than 16384 pixels a side or 64 Mi in all, or memory is out; AB_INTERNAL for images that are not
 * there or have no pixels.                                                                       */
GBytes *images_png(const Images *self, gint64 first, gint64 count, gint64 columns, GError **error);

#endif
