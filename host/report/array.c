/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets in memory. */
#include "array.h"

#include <math.h>

#define MAX_COUNT (G_GINT64_CONSTANT(1) << 23)

static gboolean check(Array *self, const StoreInfo *info, StoreFile *file, const char *dataset,
                      int least, int most, GError **error) {
  if (info->rank < least || info->rank > most)
    return host_fail(error, AB_DATA, "dataset %s of %s has %d axes, and not %d to %d", dataset,
                     store_path(file), info->rank, least, most);
  self->rank = info->rank;
  self->count = 1;
  for (int i = 0; i < info->rank; i++) {
    self->shape[i] = info->shape[i];
    if (info->shape[i] < 1)
      return host_fail(error, AB_DATA, "dataset %s of %s is empty", dataset, store_path(file));
    if (info->shape[i] > MAX_COUNT / self->count)
      return host_fail(error, AB_DATA, "dataset %s of %s is too large to be shown", dataset,
                       store_path(file));
    self->count *= info->shape[i];
  }
  return TRUE;
}

gboolean array_read(Array *self, StoreFile *file, const char *dataset, int least, int most,
                    GError **error) {
  StoreInfo info;
  *self = (Array){0};
  if (!store_info(file, dataset, &info, error) ||
      !check(self, &info, file, dataset, least, most, error))
    return FALSE;
  self->values = g_new(double, (gsize)self->count);
  return store_read(file, dataset, AB_F64, 0, self->shape[0], self->values, error);
}

void array_clear(Array *self) {
  g_clear_pointer(&self->values, g_free);
}

gboolean array_check_rows(const Array *self, gint64 rows, const char *dataset, GError **error) {
  return self->shape[0] == rows ||
         host_fail(error, AB_DATA,
                   "dataset %s has %" G_GINT64_FORMAT " rows, and what it belongs to has "
                   "%" G_GINT64_FORMAT,
                   dataset, self->shape[0], rows);
}

Range array_range(const Array *self, Range range) {
  for (gint64 i = 0; i < self->count; i++) {
    if (!isfinite(self->values[i])) continue;
    range.low = MIN(range.low, self->values[i]);
    range.high = MAX(range.high, self->values[i]);
  }
  return range;
}

guint8 range_byte(Range range, double value) {
  double wide = range.high / 2 - range.low / 2; /* half of it, which cannot overflow */
  if (isnan(value) || !(wide > 0) || !isfinite(wide)) return 0;
  double part = (CLAMP(value, range.low, range.high) / 2 - range.low / 2) / wide;
  return (guint8)(part * 255 + 0.5);
}
