/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples over time: what the model generated, or reconstructed of the same inputs, after 0, 1, 2,
 * 4, 8, ... epochs and the last. Each is kept in a small file as soon as it is made,
 * folder/samples/epoch-N.h5, so that a run may end and go on in between.                         */
#include "figures-internal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define GROUP "/entry/samples"

/* ---- files ----------------------------------------------------------------------------------- */

/* N of "epoch-N.h5"; -1 for other names */
static gint64 epoch_of(const char *name) {
  gint64 epoch;
  int end = 0;
  if (sscanf(name, "epoch-%" G_GINT64_FORMAT ".h5%n", &epoch, &end) != 1 || end == 0 || name[end])
    return -1;
  return epoch;
}

static char *path_of(const Figures *self, gint64 epoch) {
  g_autofree char *name = g_strdup_printf("epoch-%" G_GINT64_FORMAT ".h5", epoch);
  return g_build_filename(self->samples, name, NULL);
}

static int compare(gconstpointer a, gconstpointer b) {
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

/* The epochs that there are, in order. */
static GArray *epochs_of(const Figures *self) {
  GArray *epochs = g_array_new(FALSE, FALSE, sizeof(gint64));
  GDir *dir = g_dir_open(self->samples, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    gint64 epoch = epoch_of(name);
    if (epoch >= 0) g_array_append_val(epochs, epoch);
  }
  if (dir) g_dir_close(dir);
  g_array_sort(epochs, compare);
  return epochs;
}

static void remove_temporaries(const char *folder, const char *prefix) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    if (!g_str_has_prefix(name, prefix) || !g_str_has_suffix(name, ".tmp")) continue;
    g_autofree char *left = g_build_filename(folder, name, NULL);
    g_unlink(left);
  }
  if (dir) g_dir_close(dir);
}

void samples_forget(const Figures *self, gint64 epoch) {
  g_autoptr(GArray) epochs = epochs_of(self);
  for (guint i = 0; i < epochs->len; i++) {
    g_autofree char *path = path_of(self, g_array_index(epochs, gint64, i));
    if (g_array_index(epochs, gint64, i) >= epoch) g_unlink(path);
  }
  remove_temporaries(self->samples, ".epoch-");
  remove_temporaries(self->folder, ".results.h5.");
}

gboolean samples_keep(const Figures *self, gint64 epoch, GError **error) {
  const Shown *shown = &self->shown;
  const Space *space = &self->space;
  g_auto(GStrv) axes = group_axes(space, "sample", NULL);
  if (g_mkdir_with_parents(self->samples, 0777) != 0)
    return host_fail(error, AB_IO, "%s cannot be made: %s", self->samples, g_strerror(errno));
  g_autofree char *path = path_of(self, epoch);
  StoreWriter *writer = store_create(path, error);
  if (!writer) return FALSE;
  Extent found = extent_add(EXTENT_NOTHING, shown->output, shown->count * space->count);
  group_numbers(writer, "", "sample", shown->count);
  group_samples(space, writer, "", "value", 1, &shown->count, shown->output,
                extent_of(space, found));
  store_write_attr_int(writer, "/", "epoch", epoch);
  nexus_data(writer,
             &(NexusData){.group = "/", .signal = "value", .axes = (const char *const *)axes});
  return store_commit(writer, error);
}

/* ---- the figure ------------------------------------------------------------------------------ */

typedef struct {
  gint64 count; /* samples of each time */
  GArray *epochs;
  GArray *values; /* float */
} Series;

static void series_clear(Series *self) {
  g_array_unref(self->epochs);
  g_array_unref(self->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Series, series_clear)

static gboolean fits(const Series *self, const Space *space, const StoreInfo *info) {
  if (info->rank != space->rank + 1 || info->shape[0] < 1 || info->shape[0] > FIGURES_SHOWN)
    return FALSE;
  for (gint i = 0; i < space->rank; i++)
    if (info->shape[i + 1] != space->shape[i]) return FALSE;
  return self->count == 0 || self->count == info->shape[0];
}

static gboolean add(Series *self, const Figures *figures, gint64 epoch, GError **error) {
  g_autofree char *path = path_of(figures, epoch);
  g_autoptr(StoreFile) file = store_open(path, error);
  StoreInfo info;
  if (!file || !store_info(file, "/value", &info, error)) return FALSE;
  if (!fits(self, &figures->space, &info))
    return host_fail(error, AB_DATA, "%s holds no samples of this run", path);
  guint before = self->values->len;
  self->count = info.shape[0];
  g_array_set_size(self->values, before + (guint)(self->count * figures->space.count));
  if (!store_read(file, "/value", AB_F32, 0, self->count,
                  &g_array_index(self->values, float, before), error))
    return FALSE;
  g_array_append_val(self->epochs, epoch);
  return TRUE;
}

static void write_group(Figures *self, StoreWriter *writer, const Series *series) {
  const Space *space = &self->space;
  gint64 leading[] = {series->epochs->len, series->count};
  const float *values = (const float *)(void *)series->values->data;
  Extent found = extent_add(EXTENT_NOTHING, values, series->values->len);
  g_auto(GStrv) axes = group_axes(space, "epoch", "sample");
  group_put(writer, GROUP, "epoch", AB_I64, 1, leading, series->epochs->data);
  group_numbers(writer, GROUP, "sample", series->count);
  group_samples(space, writer, GROUP, "value", 2, leading, values, extent_of(space, found));
  gboolean generated = self->assembly->role == AB_ROLE_GENERATE;
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = generated ? "Generated samples, by epoch"
                                             : "Reconstructions of the same samples, by epoch",
                          .signal = "value",
                          .axes = (const char *const *)axes});
}

gboolean figure_samples(Figures *self, StoreWriter *writer, GError **error) {
  g_autoptr(GArray) epochs = epochs_of(self);
  g_auto(Series) series = {.epochs = g_array_new(FALSE, FALSE, sizeof(gint64)),
                           .values = g_array_new(FALSE, FALSE, sizeof(float))};
  gint64 last = MAX(figure_last_epoch(self), self->epoch);
  if (self->space.rank < 0 || self->space.rank + 2 > AB_MAX_RANK) return TRUE;
  for (guint i = 0; i < epochs->len && g_array_index(epochs, gint64, i) <= last; i++)
    if (!add(&series, self, g_array_index(epochs, gint64, i), error)) return FALSE;
  if (series.epochs->len > 0) write_group(self, writer, &series);
  return TRUE;
}
