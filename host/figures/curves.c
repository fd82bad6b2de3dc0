/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning curves, from metrics.jsonl: losses and metrics by epoch. What an epoch has not is NaN.
 */
#include "figures-internal.h"

#include "../jsonin.h"
#include "../run/metrics.h"
#include "../run/series.h"

#define GROUP "/entry/curves"

typedef struct {
  GArray *epochs, *steps; /* gint64 */
  SeriesTable series;
} Table;

static void table_clear(Table *self) {
  g_array_unref(self->epochs);
  g_array_unref(self->steps);
  series_clear(&self->series);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

static void table_init(Table *self) {
  self->epochs = g_array_new(FALSE, FALSE, sizeof(gint64));
  self->steps = g_array_new(FALSE, FALSE, sizeof(gint64));
  series_init(&self->series, G_MAXUINT);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void add_epoch(Table *self, JsonObject *line) {
  gint64 epoch = jsonin_int(line, "epoch", 0), step = jsonin_int(line, "step", 0);
  g_array_append_val(self->epochs, epoch);
  g_array_append_val(self->steps, step);
  series_add(&self->series, line);
}

/* Nothing where there is no such file. */
static gboolean table_read(Table *self, const Figures *figures, GError **error) {
  GError *cause = NULL;
  g_autoptr(GPtrArray) lines = metrics_epochs(figures->folder, &cause);
  if (cause) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  for (guint i = 0; i < lines->len; i++) add_epoch(self, json_node_get_object(lines->pdata[i]));
  series_finish(&self->series);
  return TRUE;
}

gint64 figure_last_epoch(const Figures *self) {
  g_auto(Table) table;
  table_init(&table);
  if (!table_read(&table, self, NULL) || table.epochs->len == 0) return 0;
  return g_array_index(table.epochs, gint64, table.epochs->len - 1);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The first column is the signal, usually the loss of training; the others go with it. */
static void write_group(Figures *self, StoreWriter *writer, const Table *table) {
  const gint64 epochs = table->epochs->len;
  const char *const axes[] = {"epoch", NULL};
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  group_put(writer, GROUP, "epoch", AB_I64, 1, &epochs, table->epochs->data);
  group_put(writer, GROUP, "step", AB_I64, 1, &epochs, table->steps->data);
  for (guint i = 0; i < table->series.all->len; i++) {
    const Series *series = table->series.all->pdata[i];
    char *name = g_strdelimit(g_strdup_printf("%s_%s", series->split, series->metric), "/", '.');
    g_ptr_array_add(names, name);
    group_put(writer, GROUP, name, AB_F64, 1, &epochs, series->values->data);
  }
  g_ptr_array_add(names, NULL);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = "Losses and metrics by epoch",
                          .signal = names->pdata[0],
                          .more = (const char *const *)names->pdata + 1,
                          .axes = axes});
  store_write_attr_int(writer, GROUP, "epoch_indices", 0);
  store_write_attr_int(writer, GROUP, "step_indices", 0);
  for (guint i = 0; names->pdata[i]; i++) {
    g_autofree char *path = g_strconcat(GROUP "/", names->pdata[i], NULL);
    store_write_scale(writer, path, 0, GROUP "/step");
  }
}

gboolean figure_curves(Figures *self, StoreWriter *writer, GError **error) {
  g_auto(Table) table;
  table_init(&table);
  if (!table_read(&table, self, error)) return FALSE;
  if (table.series.all->len > 0) write_group(self, writer, &table);
  return TRUE;
}
