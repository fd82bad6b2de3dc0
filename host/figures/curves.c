/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning curves, from metrics.jsonl: losses and metrics by epoch. What an epoch has not is NaN.
 */
#include "figures-internal.h"

#include "../jsonin.h"
#include "../run/metrics.h"
#include <math.h>
#include <string.h>

#define GROUP "/entry/curves"

typedef struct {
  char *name;     /* "validation_mse" */
  GArray *values; /* double */
} Column;

typedef struct {
  GArray *epochs, *steps; /* gint64 */
  GPtrArray *columns;     /* Column * */
} Table;

static void column_free(gpointer data) {
  Column *column = data;
  g_free(column->name);
  g_array_unref(column->values);
  g_free(column);
}

static void table_clear(Table *self) {
  g_array_unref(self->epochs);
  g_array_unref(self->steps);
  g_ptr_array_unref(self->columns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

static void table_init(Table *self) {
  self->epochs = g_array_new(FALSE, FALSE, sizeof(gint64));
  self->steps = g_array_new(FALSE, FALSE, sizeof(gint64));
  self->columns = g_ptr_array_new_with_free_func(column_free);
}

/* ---- reading --------------------------------------------------------------------------------- */

static Column *column_of(Table *self, const char *name) {
  for (guint i = 0; i < self->columns->len; i++) {
    Column *column = self->columns->pdata[i];
    if (strcmp(column->name, name) == 0) return column;
  }
  Column *column = g_new0(Column, 1);
  column->name = g_strdup(name);
  column->values = g_array_new(FALSE, FALSE, sizeof(double));
  g_ptr_array_add(self->columns, column);
  return column;
}

/* With NaN for the rows before that it has nothing for. */
static void set(Table *self, const char *split, const char *metric, double value) {
  g_autofree char *name = g_strdelimit(g_strdup_printf("%s_%s", split, metric), "/", '.');
  Column *column = column_of(self, name);
  double nothing = NAN;
  while (column->values->len + 1 < self->epochs->len) g_array_append_val(column->values, nothing);
  if (column->values->len < self->epochs->len) g_array_append_val(column->values, value);
}

static void add_split(Table *self, const char *split, JsonObject *values) {
  g_autoptr(GList) names = json_object_get_members(values);
  double value;
  for (GList *at = names; at; at = at->next)
    if (jsonin_number(values, at->data, &value)) set(self, split, at->data, value);
}

static void add_epoch(Table *self, JsonObject *line) {
  gint64 epoch = jsonin_int(line, "epoch", 0);
  gint64 step = jsonin_int(line, "step", 0);
  g_autoptr(GList) names = json_object_get_members(line);
  g_array_append_val(self->epochs, epoch);
  g_array_append_val(self->steps, step);
  for (GList *at = names; at; at = at->next) {
    JsonObject *values = jsonin_inner(line, at->data);
    if (values) add_split(self, at->data, values);
  }
}

/* Nothing where there is no such file. */
static gboolean table_read(Table *self, const Figures *figures, GError **error) {
  GError *cause = NULL;
  double nothing = NAN;
  g_autoptr(GPtrArray) lines = metrics_epochs(figures->folder, &cause);
  if (cause) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  for (guint i = 0; i < lines->len; i++) add_epoch(self, json_node_get_object(lines->pdata[i]));
  for (guint i = 0; i < self->columns->len; i++) {
    GArray *values = ((Column *)self->columns->pdata[i])->values;
    while (values->len < self->epochs->len) g_array_append_val(values, nothing);
  }
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
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  group_put(writer, GROUP, "epoch", AB_I64, 1, &epochs, table->epochs->data);
  group_put(writer, GROUP, "step", AB_I64, 1, &epochs, table->steps->data);
  for (guint i = 0; i < table->columns->len; i++) {
    const Column *column = table->columns->pdata[i];
    group_put(writer, GROUP, column->name, AB_F64, 1, &epochs, column->values->data);
    g_ptr_array_add(names, column->name);
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
  if (table.columns->len > 0) write_group(self, writer, &table);
  return TRUE;
}
