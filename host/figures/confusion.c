/* SPDX-License-Identifier: Apache-2.0
 *
 * Confusion matrix: count_ij is how many samples of class i the model takes for class j, over the
 * whole split.                                                                                   */
#include "figures-internal.h"

#define GROUP        "/entry/confusion"
#define MOST_CLASSES 1000

static void write_group(Figures *self, StoreWriter *writer, const Rows *rows, gint64 classes) {
  const gint64 shape[] = {classes, classes};
  const char *const axes[] = {"true", "predicted", NULL};
  g_autofree gint64 *count = g_new0(gint64, (gsize)(classes * classes));
  for (gint64 i = 0; i < rows->count; i++)
    count[rows->labels[i] * classes + (gint64)rows->values[i]]++;
  group_numbers(writer, GROUP, "true", classes);
  group_numbers(writer, GROUP, "predicted", classes);
  group_put(writer, GROUP, "count", AB_I64, 2, shape, count);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = "Samples by their class and the one that the model gives",
                          .signal = "count",
                          .axes = axes});
}

gboolean figure_confusion(Figures *self, StoreWriter *writer, GError **error) {
  g_auto(Rows) rows = {0};
  if (self->assembly->role != AB_ROLE_CLASSIFY) return TRUE;
  AbSpec logits = ab_model_signature(self->assembly->model).out;
  gint64 classes = logits.shape[0];
  if (logits.rank != 1 || classes < 1 || classes > MOST_CLASSES) return TRUE;
  if (!rows_collect(self, AB_ROLE_CLASSIFY, ab_argmax, G_MAXINT64, &rows, error)) return FALSE;
  if (rows.count > 0 && rows.width == 1 && rows.labels) write_group(self, writer, &rows, classes);
  return TRUE;
}
