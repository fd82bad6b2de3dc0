/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost runs [FOLDER]: the runs in and below a folder. */
#include "../jsonout.h"
#include "../runs/find.h"
#include "../runs/select.h"
#include "../table.h"
#include "common.h"

#include <math.h>
#include <string.h>

/* ---- table ----------------------------------------------------------------------------------- */

static char *show_text(const RunInfo *run, const char *key) {
  return g_strdup(run_info_get(run, key));
}

/* Of a run that has not ended: 3/20. */
static char *show_epochs(const RunInfo *run, const char *key) {
  const char *epochs = run_info_get(run, key), *status = run_info_get(run, "status");
  if (!epochs || run->wanted < 0 || strcmp(status, "done") == 0) return g_strdup(epochs);
  return g_strdup_printf("%s/%" G_GINT64_FORMAT, epochs, run->wanted);
}

static char *show_seconds(const RunInfo *run, const char *key) {
  double seconds;
  if (!run_info_number(run, key, &seconds)) return show_text(run, key);
  return g_strdup_printf(seconds < 100 ? "%.3g" : "%.0f", seconds);
}

static char *show_metric(const RunInfo *run, const char *key) {
  double value;
  if (!run_info_number(run, key, &value)) return NULL;
  return g_strdup_printf("%s %.5g", run->metric, value);
}

static char *show_date(const RunInfo *run, const char *key) {
  const char *date = run_info_get(run, key), *seconds = date ? strrchr(date, ':') : NULL;
  return seconds ? g_strndup(date, (gsize)(seconds - date)) : g_strdup(date);
}

/* Why it failed, what ended it before its last epoch, and damage. */
static char *show_note(const RunInfo *run, const char *key) {
  const char *reason = run_info_get(run, key), *stop = run_info_get(run, "stopped_by");
  GString *note = g_string_new(reason);
  if (stop) g_string_append_printf(note, "%sended by %s", note->len ? "; " : "", stop);
  for (guint i = 0; i < run->damage->len; i++)
    g_string_append_printf(note, "%s%s", note->len ? "; " : "", (char *)run->damage->pdata[i]);
  return g_string_free(note, FALSE);
}

static const struct {
  const char *head, *key;
  char align;
  char *(*show)(const RunInfo *run, const char *key);
} columns[] = {
    {"name", "name", 'l', show_text},       {"problem", "problem", 'l', show_text},
    {"model", "model", 'l', show_text},     {"status", "status", 'l', show_text},
    {"epochs", "epochs", 'r', show_epochs}, {"steps", "steps", 'r', show_text},
    {"seed", "seed", 'r', show_text},       {"seconds", "seconds", 'r', show_seconds},
    {"metric", "metric", 'l', show_metric}, {"date", "date", 'l', show_date},
    {"remark", "reason", 'l', show_note},
};
enum { COLUMNS = G_N_ELEMENTS(columns) };

static char *make_table(const GPtrArray *runs) {
  char alignment[COLUMNS + 1] = {0};
  char *row[COLUMNS];
  GString *text = g_string_new(NULL);
  for (guint j = 0; j < COLUMNS; j++) alignment[j] = columns[j].align;
  g_autoptr(Table) table = table_new(alignment);
  for (guint j = 0; j < COLUMNS; j++) row[j] = g_strdup(columns[j].head);
  table_take(table, row);
  for (guint i = 0; i < runs->len; i++) {
    for (guint j = 0; j < COLUMNS; j++) row[j] = columns[j].show(runs->pdata[i], columns[j].key);
    table_take(table, row);
  }
  if (runs->len) table_write(table, text, 0, TRUE);
  return g_string_free(text, FALSE);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_fact(JsonBuilder *json, const Fact *fact) {
  g_autoptr(Node) node = node_scalar(fact->text);
  gint64 whole;
  double value = NAN;
  if (!fact->numeric) {
    jsonout_text(json, fact->key, fact->text);
  } else if (node_read_int(node, &whole, NULL)) {
    jsonout_int(json, fact->key, whole);
  } else {
    run_info_parse(fact->text, &value);
    jsonout_real(json, fact->key, value);
  }
}

static void put_results(JsonBuilder *json, const GPtrArray *results) {
  const char *split = NULL; /* those of one split stand together */
  jsonout_begin_object(json, "results");
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (!split || strcmp(split, result->split) != 0) {
      if (split) json_builder_end_object(json);
      jsonout_begin_object(json, result->split);
    }
    jsonout_real(json, result->name, result->value);
    split = result->split;
  }
  if (split) json_builder_end_object(json);
  json_builder_end_object(json);
}

static void put_run(JsonBuilder *json, const RunInfo *run) {
  json_builder_begin_object(json);
  jsonout_text(json, "folder", run->folder);
  for (guint i = 0; i < run->facts->len; i++) {
    const Fact *fact = run->facts->pdata[i];
    if (fact->kind == FACT_RUN) put_fact(json, fact);
  }
  if (run->wanted >= 0) jsonout_int(json, "wanted_epochs", run->wanted);
  if (run->metric) jsonout_text(json, "metric_name", run->metric);
  put_results(json, run->results);
  jsonout_begin_array(json, "damage");
  for (guint i = 0; i < run->damage->len; i++) jsonout_text(json, NULL, run->damage->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
}

static char *make_json(const GPtrArray *runs) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_begin_array(json, "runs");
  for (guint i = 0; i < runs->len; i++) put_run(json, runs->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
  return jsonout_finish(json);
}

/* ---- command --------------------------------------------------------------------------------- */

static int fail(GError *error) {
  if (error->code != AB_USAGE) return command_fail(error);
  int status = command_usage(&command_runs, "%s", error->message);
  g_error_free(error);
  return status;
}

static int list(const CommandOptions *options, char **filters, const char *sort) {
  const char *folder = options->count ? options->arguments[0] : "runs";
  GError *error = NULL;
  g_autoptr(GPtrArray) unread = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) runs = runs_find(folder, unread, &error);
  for (guint i = 0; i < unread->len; i++) command_note("%s", (char *)unread->pdata[i]);
  if (!runs) return fail(error);
  if (runs->len == 0) command_note("there is no run in or below %s", folder);
  /* sorted first: a key that all runs with it are filtered out of is none that is unknown */
  if (!runs_sort(runs, "date", &error) || (sort && !runs_sort(runs, sort, &error)) ||
      !runs_filter(runs, (const char *const *)filters, &error))
    return fail(error);
  g_autofree char *text = options->json ? make_json(runs) : make_table(runs);
  return command_output(text);
}

static int run(int argc, char **argv) {
  char **filters = NULL, *sort = NULL;
  const GOptionEntry own[] = {
      {"filter", 0, 0, G_OPTION_ARG_STRING_ARRAY, &filters,
       "Only runs of which this is true: KEY=VALUE, 'KEY<NUMBER', 'KEY>NUMBER' (may be given "
       "several times)",
       "TEST"},
      {"sort", 0, 0, G_OPTION_ARG_STRING, &sort,
       "Order by this; -KEY: from the greatest down (default: date)", "KEY"},
      {0}};
  const CommandLine line = {
      .command = &command_runs,
      .arguments = "[FOLDER]",
      .description = "FOLDER is runs, if it is not given. A KEY is a column (status, epochs, "
                     "metric, ...),\nanother member of result.json (parameters), a metric "
                     "(test/mse), or a key of the manifest\n(model.hidden). A run that has not "
                     "ended shows its last epoch.",
      .own = own,
      .json = TRUE,
      .max_count = 1};
  CommandOptions options;
  int status;
  if (command_parse(&line, argc, argv, &options, &status)) {
    status = list(&options, filters, sort);
    command_clear(&options);
  }
  g_strfreev(filters);
  g_free(sort);
  return status;
}

const Command command_runs = {"runs", "List runs: filtered, sorted.", run};
