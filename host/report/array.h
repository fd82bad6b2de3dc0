/* SPDX-License-Identifier: Apache-2.0
 *
 * A dataset in memory, of the rank that is wanted and of no more numbers than a page can show. */
#ifndef HOST_REPORT_ARRAY_H
#define HOST_REPORT_ARRAY_H

#include "../store/store.h"

typedef struct {
  int rank;
  gint64 shape[AB_MAX_RANK];
  gint64 count; /* product of the shape; never 0 */
  double *values;
} Array;

/* AB_DATA where the rank is not from `least` to `most`, an axis is 0 or it is too large. */
gboolean array_read(Array *self, StoreFile *file, const char *dataset, int least, int most,
                    GError **error);
void array_clear(Array *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Array, array_clear)

/* Whether it has `rows` rows; AB_DATA if not. */
gboolean array_check_rows(const Array *self, gint64 rows, const char *dataset, GError **error);

typedef struct {
  double low, high;
} Range;

/* Of the finite numbers, together with `range`; {INFINITY, -INFINITY} is nothing yet. */
Range array_range(const Array *self, Range range);
#define RANGE_NOTHING ((Range){INFINITY, -INFINITY})
/* 0 at range.low, 255 at range.high, and the nearest of them outside; 0 for NaN. */
guint8 range_byte(Range range, double value);

#endif
