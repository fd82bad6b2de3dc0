/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the groups of results.h5. */
#include "figures-internal.h"

#include <math.h>
#include <string.h>

void group_put(StoreWriter *writer, const char *group, const char *name, AbDtype dtype, int rank,
               const gint64 *shape, const void *data) {
  g_autofree char *path = g_strconcat(group, "/", name, NULL);
  store_write(writer, path, dtype, rank, shape, data, NULL);
}

void group_numbers(StoreWriter *writer, const char *group, const char *name, gint64 count) {
  g_autofree gint64 *numbers = g_new(gint64, (gsize)MAX(count, 1));
  for (gint64 i = 0; i < count; i++) numbers[i] = i;
  group_put(writer, group, name, AB_I64, 1, &count, numbers);
}

void group_data(Figures *self, StoreWriter *writer, const NexusData *data) {
  nexus_data(writer, data);
  if (!self->preset) self->preset = g_path_get_basename(data->group);
}

/* ---- samples --------------------------------------------------------------------------------- */

Extent extent_add(Extent self, const float *values, gint64 count) {
  for (gint64 i = 0; values && i < count; i++) {
    if (!isfinite(values[i])) continue;
    self.low = MIN(self.low, (double)values[i]);
    self.high = MAX(self.high, (double)values[i]);
  }
  return self;
}

Extent extent_of(const Space *space, Extent found) {
  if (space->unit || !(found.low <= found.high)) return (Extent){0, 1};
  return found.low < found.high ? found : (Extent){found.low, found.low + 1};
}

void group_samples(const Space *space, StoreWriter *writer, const char *group, const char *name,
                   int lead, const gint64 *leading, const float *values, Extent extent) {
  g_autofree char *path = g_strconcat(group, "/", name, NULL);
  gint64 shape[AB_MAX_RANK + 2];
  memcpy(shape, leading, (gsize)lead * sizeof *shape);
  memcpy(shape + lead, space->shape, (gsize)space->rank * sizeof *shape);
  store_write(writer, path, AB_F32, lead + space->rank, shape, values, NULL);
  store_write_attr_real(writer, path, "low", extent.low);
  store_write_attr_real(writer, path, "high", extent.high);
  if (space->image)
    store_write_attr_text(writer, path, "interpretation",
                          space_channels(space) == 3 ? "rgb-image" : "image");
}

char **group_axes(const Space *space, const char *first, const char *second) {
  static const char *const image[] = {".row", ".column", ".channel"};
  g_autoptr(GPtrArray) axes = g_ptr_array_new();
  g_ptr_array_add(axes, g_strdup(first));
  if (second) g_ptr_array_add(axes, g_strdup(second));
  for (gint i = 0; i < space->rank; i++)
    g_ptr_array_add(axes, g_strdup(space->image                 ? image[i]
                                   : i == space->rank - 1       ? ".feature"
                                   : i == 0 && space->rank == 2 ? ".step"
                                                                : "."));
  g_ptr_array_add(axes, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&axes), FALSE);
}
