/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing results. */
#include "output.h"

#include "../store/nexus.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

struct Output {
  StoreWriter *writer;
  AbRole role;
  char *dataset; /* "/encode" */
  OutputInfo info;
};

/* ---- where it goes --------------------------------------------------------------------------- */

static gboolean same_file(const char *a, const char *b) {
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

gboolean output_may_write(const char *path, gboolean force, const char *const *sources,
                          GError **error) {
  for (guint i = 0; sources[i]; i++) {
    if (!same_file(path, sources[i])) continue;
    g_set_error(error, HOST_ERROR, AB_IO, "%s is what is read; name another file with --output",
                path);
    return FALSE;
  }
  if (force || !g_file_test(path, G_FILE_TEST_EXISTS)) return TRUE;
  g_set_error(error, HOST_ERROR, AB_IO, "%s is there already; --force overwrites it", path);
  return FALSE;
}

Output *output_new(const char *path, AbRole role, gboolean force, const char *const *sources,
                   GError **error) {
  StoreWriter *writer =
      output_may_write(path, force, sources, error) ? store_create(path, error) : NULL;
  if (!writer) return NULL;
  Output *self = g_new0(Output, 1);
  self->writer = writer;
  self->role = role;
  self->dataset = g_strdup_printf("/%s", ab_role_name(role));
  return self;
}

void output_free(Output *self) {
  if (!self) return;
  if (self->writer) store_abandon(self->writer);
  g_free(self->dataset);
  g_free(self);
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* What the axes of a sample's result are. */
static const char *axes_of(AbRole role, gint rank) {
  switch (role) {
  case AB_ROLE_ENCODE:
    if (rank == 2) return "sample code";
    break;
  case AB_ROLE_CLASSIFY: return "sample class";
  case AB_ROLE_CLUSTER: return "sample cluster";
  case AB_ROLE_ACT: return "sample action";
  default: break;
  }
  static const char *const names[] = {"",
                                      "sample",
                                      "sample feature",
                                      "sample row column",
                                      "sample channel row column",
                                      "sample channel depth row column"};
  return rank < (gint)G_N_ELEMENTS(names) ? names[rank] : "sample";
}

/* What is plotted, with the names of its axes. */
static void write_plot(Output *self) {
  g_auto(GStrv) words = g_strsplit(axes_of(self->role, self->info.rank), " ", -1);
  g_autoptr(GPtrArray) axes = g_ptr_array_new_with_free_func(g_free);
  guint named = g_strv_length(words);
  for (gint i = 0; i < self->info.rank; i++)
    g_ptr_array_add(axes, g_strconcat(".", (guint)i < named ? words[i] : "", NULL));
  g_ptr_array_add(axes, NULL);
  nexus_data(self->writer, &(NexusData){.group = "/",
                                        .signal = ab_role_name(self->role),
                                        .axes = (const char *const *)axes->pdata});
}

static void write_attributes(Output *self) {
  const OutputInfo *info = &self->info;
  const char *role = ab_role_name(self->role);
  store_write_attr_text(self->writer, self->dataset, "axes", axes_of(self->role, info->rank));
  if (info->rank > 1)
    store_write_attr_text(self->writer, self->dataset, "interpretation",
                          info->rank > 2 ? "image" : "spectrum");
  if (info->classes) store_write_attr_text(self->writer, "/class", "axes", "sample");
  if (info->labels) store_write_attr_text(self->writer, "/y", "axes", "sample");
  write_plot(self);
  store_write_attr_text(self->writer, "/", "default", role);
  store_write_attr_text(self->writer, "/", "role", role);
  store_write_attr_text(self->writer, "/", "program", "abhost " ABSDK_VERSION);
}

void output_attribute(Output *self, const char *name, const char *value) {
  g_autofree char *text = g_utf8_make_valid(value, -1);
  store_write_attr_text(self->writer, "/", name, text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void append(Output *self, const char *dataset, AbTensor *tensor) {
  AbShape shape = ab_shape(tensor);
  gint64 dims[AB_MAX_RANK];
  const void *values = ab_map(tensor, false);
  if (!values) return; /* an error of the context */
  for (int i = 0; i < shape.rank; i++) dims[i] = shape.dims[i];
  store_append(self->writer, dataset, ab_dtype(tensor), shape.rank, dims, values);
  ab_unmap(tensor);
}

static gint64 count_odd(AbTensor *y) {
  gint64 rows = ab_dim(y, 0), width = ab_count(y) / MAX(rows, 1), odd = 0;
  gboolean wide = ab_dtype(y) == AB_F64;
  const void *values = wide || ab_dtype(y) == AB_F32 ? ab_map(y, false) : NULL;
  for (gint64 row = 0; values && row < rows; row++) {
    gboolean finite = TRUE;
    for (gint64 i = row * width; i < (row + 1) * width; i++)
      finite &= wide ? isfinite(((const double *)values)[i]) != 0
                     : isfinite(((const float *)values)[i]) != 0;
    odd += !finite;
  }
  if (values) ab_unmap(y);
  return odd;
}

static void note_shape(Output *self, AbTensor *y) {
  OutputInfo *info = &self->info;
  AbShape shape = ab_shape(y);
  gint64 before = info->shape[0];
  info->dtype = ab_dtype(y);
  info->rank = shape.rank;
  for (int i = 0; i < shape.rank; i++) info->shape[i] = shape.dims[i];
  info->shape[0] += before;
}

void output_add(Output *self, AbTensor *y, AbTensor *labels) {
  gboolean classify = self->role == AB_ROLE_CLASSIFY;
  AbTensor *chosen = classify ? ab_argmax(y) : NULL;
  if (classify) y = ab_softmax(y);
  if (!y || (classify && !chosen)) return; /* an error of the context */
  append(self, self->dataset, y);
  if (chosen) append(self, "/class", chosen);
  if (labels) append(self, "/y", labels);
  note_shape(self, y);
  self->info.odd += count_odd(y);
  self->info.classes = chosen != NULL;
  self->info.labels = labels != NULL;
}

const OutputInfo *output_info(const Output *self) {
  return &self->info;
}

gboolean output_commit(Output *self, GError **error) {
  write_attributes(self);
  return store_commit(g_steal_pointer(&self->writer), error);
}
