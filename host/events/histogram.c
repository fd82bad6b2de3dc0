/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting numbers into buckets. */
#include "histogram.h"

#include <float.h>
#include <math.h>

static gboolean counts(double value) {
  return fabs(value) <= FLT_MAX; /* FALSE for NaN */
}

static void measure(const double *values, gint64 count, Histogram *self) {
  *self = (Histogram){.min = INFINITY, .max = -INFINITY};
  for (gint64 i = 0; i < count; i++) {
    if (!counts(values[i])) continue;
    self->min = fmin(self->min, values[i]);
    self->max = fmax(self->max, values[i]);
    self->sum += values[i];
    self->sum_squares += values[i] * values[i];
    self->count++;
  }
}

static void set_limits(Histogram *self) {
  double width = self->max - self->min;
  self->buckets = width > 0 ? HISTOGRAM_BUCKETS : 1;
  for (guint i = 0; i + 1 < self->buckets; i++)
    self->limit[i] = self->min + width * (i + 1) / HISTOGRAM_BUCKETS;
  self->limit[self->buckets - 1] = self->max;
}

static guint bucket_of(const Histogram *self, double value) {
  if (self->buckets == 1) return 0;
  double at = (value - self->min) / (self->max - self->min) * self->buckets;
  return at >= self->buckets ? self->buckets - 1 : (guint)at; /* the greatest is in the last */
}

gboolean histogram_make(const double *values, gint64 count, Histogram *self) {
  measure(values, count, self);
  if (self->count == 0) return FALSE;
  set_limits(self);
  for (gint64 i = 0; i < count; i++)
    if (counts(values[i])) self->inside[bucket_of(self, values[i])]++;
  return TRUE;
}
