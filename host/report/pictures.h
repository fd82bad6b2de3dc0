/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples as pictures: images in bytes, or features in bytes that are drawn as lines. */
#ifndef HOST_REPORT_PICTURES_H
#define HOST_REPORT_PICTURES_H

#include "array.h"
#include "embed.h"

/* Samples of an array: its first axes count them (rows, where there are two, and columns). */
typedef struct {
  gint64 rows, columns;
  gint64 height, width, channels; /* height 0: features, `width` of them */
} Pictures;

/* [n,...] with `lead` 1, [t,n,...] with 2. A sample of one axis, or of one that counts, is
 * features; one of two or three is an image, where the third has 1 or 3 channels. */
Pictures pictures_of(const Array *array, int lead);

/* {"rows":t,"columns":n,"of":N,"height":H,"width":W,"channels":C,"factor":f,"low":l,"high":h,
 *  "data":base64}
 * Images larger than a page shows are made smaller by whole factors (the mean of f x f), features
 * are every f-th; columns are left out where the whole would be larger than `bytes`. */
void pictures_write(GString *out, const char *key, const Array *array, Pictures shape, Range range,
                    gint64 bytes);

#endif
