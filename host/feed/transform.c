/* SPDX-License-Identifier: Apache-2.0
 *
 * Scale, standardise, binarise: x in place, computed in f64.                                    */
#include "feed-internal.h"

#define DEFINE_TRANSFORM(Real, name)                                                       \
  static void name##_scale(const Feed *self, Real *x, gint64 count) {                      \
    const double factor = self->scale[0], offset = self->scale[1];                         \
    for (gint64 i = 0; i < count; i++) x[i] = (Real)((double)x[i] * factor + offset);      \
    if (!self->plan.clip) return;                                                          \
    for (gint64 i = 0; i < count; i++) x[i] = x[i] < 0 ? 0 : x[i] > 1 ? 1 : x[i];          \
  }                                                                                        \
  static void name##_standardise(const Feed *self, Real *x, gint64 samples, gint64 size) { \
    const double *mean = self->mean, *std = self->std;                                     \
    for (gint64 s = 0; s < samples; s++, x += size)                                        \
      for (gint64 i = 0; i < size; i++) x[i] = (Real)(((double)x[i] - mean[i]) / std[i]);  \
  }                                                                                        \
  static void name##_binarise(const Feed *self, Real *x, gint64 count) {                   \
    const Real threshold = (Real)self->plan.threshold;                                     \
    for (gint64 i = 0; i < count; i++) x[i] = x[i] > threshold;                            \
  }                                                                                        \
  static void name(const Feed *self, Real *x, gint64 samples, gint64 size) {               \
    if (self->plan.scale) name##_scale(self, x, samples *size);                            \
    if (self->plan.standardise) name##_standardise(self, x, samples, size);                \
    if (self->plan.binarise) name##_binarise(self, x, samples *size);                      \
  }
DEFINE_TRANSFORM(float, f32_apply)
DEFINE_TRANSFORM(double, f64_apply)

void transform_apply(const Feed *self, void *x, gint64 count) {
  gint64 size = self->fields[self->x].count;
  if (self->fields[self->x].out.range == AB_RANGE_CLASS) return;
  if (self->real == AB_F32)
    f32_apply(self, x, count, size);
  else
    f64_apply(self, x, count, size);
}
