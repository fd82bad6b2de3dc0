/* SPDX-License-Identifier: Apache-2.0
 *
 * Confusion matrix: count_ij is how many samples of class i the model takes for class j, over the
 * whole split.                                                                                   */
#include "figures-internal.h"

#include "../jsonout.h"
#include <string.h>

#define GROUP        "/entry/confusion"
#define MOST_CLASSES 1000

/* What the data calls its classes, as a list of JSON; nothing where it does not say. */
static void write_names(Figures *self, StoreWriter *writer, gint64 classes) {
  const AbData *data = self->assembly->data;
  for (int32_t i = 0; data && i < ab_data_field_count(data); i++) {
    AbField field = ab_data_field_at(data, i);
    if (strcmp(field.name, "y") != 0 || !field.classes || field.spec.classes != classes) continue;
    g_autoptr(JsonBuilder) json = json_builder_new();
    jsonout_begin_array(json, NULL);
    for (gint64 k = 0; k < classes; k++) jsonout_text(json, NULL, field.classes[k]);
    json_builder_end_array(json);
    g_autofree char *text = jsonout_line(json);
    store_write_text(writer, GROUP "/names", text);
  }
}

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
  write_names(self, writer, classes);
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
