/* SPDX-License-Identifier: Apache-2.0
 *
 * From records to columns. */
#include "series.h"

#include "../jsonin.h"
#include <math.h>

static void series_free(gpointer data) {
  Series *self = data;
  g_free(self->split);
  g_free(self->metric);
  g_array_unref(self->values);
  g_free(self);
}

void series_init(SeriesTable *self, guint most) {
  *self = (SeriesTable){.all = g_ptr_array_new_with_free_func(series_free),
                        .by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                        .most = most};
}

void series_clear(SeriesTable *self) {
  g_clear_pointer(&self->by_name, g_hash_table_unref);
  g_clear_pointer(&self->all, g_ptr_array_unref);
}

static Series *series_of(SeriesTable *self, const char *split, const char *metric) {
  g_autofree char *name = g_strdup_printf("%s/%s", split, metric);
  Series *series = g_hash_table_lookup(self->by_name, name);
  if (series) return series;
  if (self->all->len == self->most) {
    self->left_out++;
    return NULL;
  }
  series = g_new0(Series, 1);
  *series = (Series){g_strdup(split), g_strdup(metric), g_array_new(FALSE, FALSE, sizeof(double))};
  g_ptr_array_add(self->all, series);
  g_hash_table_insert(self->by_name, g_steal_pointer(&name), series);
  return series;
}

static void fill(GArray *values, guint length) {
  double none = NAN;
  while (values->len < length) g_array_append_val(values, none);
}

static void add_split(SeriesTable *self, const char *split, JsonObject *numbers) {
  JsonObjectIter iter;
  const char *metric;
  JsonNode *member;
  json_object_iter_init_ordered(&iter, numbers);
  while (json_object_iter_next_ordered(&iter, &metric, &member)) {
    double value = jsonin_real(numbers, metric);
    Series *series = series_of(self, split, metric);
    if (!series) continue;
    fill(series->values, self->records - 1);
    if (series->values->len < self->records) g_array_append_val(series->values, value);
  }
}

void series_add(SeriesTable *self, JsonObject *line) {
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;
  self->records++;
  json_object_iter_init_ordered(&iter, line);
  while (json_object_iter_next_ordered(&iter, &name, &member))
    if (JSON_NODE_HOLDS_OBJECT(member)) add_split(self, name, json_node_get_object(member));
}

void series_finish(SeriesTable *self) {
  for (guint i = 0; i < self->all->len; i++)
    fill(((Series *)self->all->pdata[i])->values, self->records);
}
