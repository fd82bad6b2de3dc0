/* SPDX-License-Identifier: Apache-2.0
 *
 * Histograms of many numbers. */
#ifndef HOST_EVENTS_HISTOGRAM_H
#define HOST_EVENTS_HISTOGRAM_H

#include <glib.h>

enum { HISTOGRAM_BUCKETS = 30 };

typedef struct {
  double min, max, count, sum, sum_squares;
  guint buckets;                   /* 1 where all numbers are equal */
  double limit[HISTOGRAM_BUCKETS]; /* where each ends; the last is max */
  double inside[HISTOGRAM_BUCKETS];
} Histogram;

/* Buckets of equal width from the least to the greatest number. What is not finite as a float,
 * which is what TensorBoard computes with, is left out. FALSE if nothing is left.                */
gboolean histogram_make(const double *values, gint64 count, Histogram *self);

#endif
