/* SPDX-License-Identifier: Apache-2.0
 *
 * Reconstructions beside what they were made from: input, the same without its noise, output. */
#include "figures-internal.h"

#include <math.h>

#define GROUP "/entry/reconstruction"

static Extent extent(const Space *space, const Shown *shown) {
  gint64 numbers = shown->count * space->count;
  Extent found = extent_add(EXTENT_NOTHING, shown->input, numbers);
  found = extent_add(found, shown->clean, numbers);
  return extent_of(space, extent_add(found, shown->output, numbers));
}

static void write_group(Figures *self, StoreWriter *writer, const Shown *shown) {
  const Space *space = &self->space;
  const char *const plain[] = {"input", NULL}, *const noisy[] = {"input", "clean", NULL};
  g_auto(GStrv) axes = group_axes(space, "sample", NULL);
  Extent range = extent(space, shown);
  group_numbers(writer, GROUP, "sample", shown->count);
  group_samples(space, writer, GROUP, "input", 1, &shown->count, shown->input, range);
  if (shown->clean)
    group_samples(space, writer, GROUP, "clean", 1, &shown->count, shown->clean, range);
  group_samples(space, writer, GROUP, "output", 1, &shown->count, shown->output, range);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = "Reconstructions of the first samples",
                          .signal = "output",
                          .more = shown->clean ? noisy : plain,
                          .axes = (const char *const *)axes});
}

gboolean figure_reconstruction(Figures *self, StoreWriter *writer, GError **error) {
  Shown shown;
  if (self->assembly->role == AB_ROLE_GENERATE) return TRUE;
  if (!shown_make(self, &shown, error)) return FALSE;
  if (shown.count > 0) write_group(self, writer, &shown);
  shown_clear(&shown);
  return TRUE;
}
