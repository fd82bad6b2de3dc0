/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.csv: a row for each run (RFC 4180). What is not known is an empty field. */
#include "compare-internal.h"

#include "../manifest/param.h"
#include <math.h>
#include <string.h>

static void add(GString *row, const char *text) {
  if (row->len) g_string_append_c(row, ',');
  if (!text) return;
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  if (*valid && !strpbrk(valid, ",\"\r\n")) {
    g_string_append(row, valid);
    return;
  }
  g_string_append_c(row, '"');
  for (const char *at = valid; *at; at++) {
    if (*at == '"') g_string_append_c(row, '"');
    g_string_append_c(row, *at);
  }
  g_string_append_c(row, '"');
}

static void add_count(GString *row, gint64 value) {
  g_autofree char *text = value >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT, value) : NULL;
  add(row, text);
}

static void add_real(GString *row, double value) {
  g_autofree char *text = isfinite(value) ? param_real(value) : NULL;
  add(row, text);
}

/* "test_mse" for each result that some run has, split by split: char *. */
static GPtrArray *columns_of(const Comparison *self) {
  GPtrArray *columns = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    for (guint i = 0; i < self->trials->len; i++) {
      const Trial *trial = self->trials->pdata[i];
      for (guint j = 0; j < trial->results->len; j++) {
        const Result *result = trial->results->pdata[j];
        g_autofree char *name = g_strdup_printf("%s_%s", result->split, result->name);
        if (strcmp(result->split, ab_split_name(split)) != 0 || g_hash_table_contains(seen, name))
          continue;
        g_ptr_array_add(columns, name);
        g_hash_table_add(seen, g_steal_pointer(&name));
      }
    }
  return columns;
}

static double value_of(const Trial *trial, const char *column) {
  for (guint i = 0; i < trial->results->len; i++) {
    const Result *result = trial->results->pdata[i];
    gsize length = strlen(result->split);
    if (strncmp(column, result->split, length) == 0 && column[length] == '_' &&
        strcmp(column + length + 1, result->name) == 0)
      return result->value;
  }
  return NAN;
}

static void add_row(GString *text, const Comparison *self, const Trial *trial,
                    const GPtrArray *columns) {
  const Candidate *candidate = trial->candidate;
  g_autofree char *folder = g_build_filename("runs", trial->name, NULL);
  g_autoptr(GString) row = g_string_new(NULL);
  add(row, candidate->name);
  add(row, candidate->model);
  add_count(row, trial->seed);
  add(row, trial_status_name(trial->status));
  add(row, trial->reason);
  add_count(row, self->rungs > 0 ? candidate->rung : -1);
  add_count(row, trial->epochs);
  add_count(row, trial->steps);
  add(row, trial->stopped_by);
  add_count(row, candidate->parameters);
  add_count(row, candidate->multiply_adds);
  add_real(row, trial->seconds);
  add_real(row, trial->cpu);
  add_count(row, trial->peak);
  add(row, folder);
  for (guint i = 0; i < columns->len; i++) add_real(row, value_of(trial, columns->pdata[i]));
  g_string_append_printf(text, "%s\r\n", row->str);
}

char *csv_text(const Comparison *self) {
  static const char *const fixed[] = {"candidate",     "model",
                                      "seed",          "status",
                                      "reason",        "rung",
                                      "epochs",        "steps",
                                      "stopped_by",    "parameters",
                                      "multiply_adds", "seconds",
                                      "cpu_seconds",   "peak_memory_bytes",
                                      "folder"};
  g_autoptr(GPtrArray) columns = columns_of(self);
  g_autoptr(GString) head = g_string_new(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(fixed); i++) add(head, fixed[i]);
  for (guint i = 0; i < columns->len; i++) add(head, columns->pdata[i]);
  GString *text = g_string_new(head->str);
  g_string_append(text, "\r\n");
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    for (guint j = 0; j < candidate->trials->len; j++)
      add_row(text, self, candidate->trials->pdata[j], columns);
  }
  return g_string_free(text, FALSE);
}
