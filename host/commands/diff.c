/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost diff A B: what is different between two runs. */
#include "../runs/diff.h"
#include "../jsonout.h"
#include "../table.h"
#include "common.h"

#include <math.h>

/* ---- text: sections -------------------------------------------------------------------------- */

enum { WIDEST = 4 }; /* columns of the tables here, at most */

/* Takes the texts; those that the table has no columns for are NULL. */
static void add_row(Table *table, char *a, char *b, char *c, char *d) {
  char *row[WIDEST] = {a, b, c, d};
  table_take(table, row);
}

static char *change(const char *a, const char *b) {
  if (!a) return g_strconcat("only in B: ", b, NULL);
  if (!b) return g_strconcat("only in A: ", a, NULL);
  return g_strconcat(a, " -> ", b, NULL);
}

static void put_table(GString *text, const char *title, const Table *table, gboolean titled) {
  g_string_append_printf(text, "\n%s\n", title);
  table_write(table, text, 2, titled);
}

static void put_texts(GString *text, const char *title, const GPtrArray *texts) {
  if (texts->len == 0) return;
  g_autoptr(Table) table = table_new("ll");
  for (guint i = 0; i < texts->len; i++) {
    const DiffText *one = texts->pdata[i];
    add_row(table, g_strdup(one->key), change(one->a, one->b), NULL, NULL);
  }
  put_table(text, title, table, FALSE);
}

static char *number(gboolean there, double value) {
  return there ? g_strdup_printf("%.7g", value) : g_strdup("-");
}

static void put_metrics(GString *text, const RunDiff *diff) {
  if (diff->no_metrics) g_string_append_printf(text, "\nmetrics: %s\n", diff->no_metrics);
  if (diff->metrics->len == 0) return;
  g_autoptr(Table) table = table_new("lrrr");
  add_row(table, NULL, g_strdup("A"), g_strdup("B"), g_strdup("B - A"));
  for (guint i = 0; i < diff->metrics->len; i++) {
    const DiffMetric *metric = diff->metrics->pdata[i];
    gboolean both = metric->in_a && metric->in_b;
    char *difference = !both ? g_strdup("-")
                       : run_diff_metric_same(metric)
                           ? g_strdup("0")
                           : g_strdup_printf("%+.4g", metric->b - metric->a);
    add_row(table, g_strdup(metric->key), number(metric->in_a, metric->a),
            number(metric->in_b, metric->b), difference);
  }
  put_table(text, "metrics", table, TRUE);
}

/* What follows the name; the rest of the columns is of tensors of one shape. */
static void add_tensor(Table *table, const DiffTensor *tensor) {
  gboolean sizes = tensor->how == TENSOR_CHANGED;
  gboolean one_type = g_strcmp0(tensor->type_a, tensor->type_b) == 0;
  add_row(table, g_strdup(tensor->name),
          one_type ? g_strdup(tensor->type_a) : change(tensor->type_a, tensor->type_b),
          sizes ? g_strdup_printf("%.4g", tensor->largest) : g_strdup("-"),
          sizes ? g_strdup_printf("%.4g", tensor->relative) : g_strdup("-"));
}

/* `each`: with a line for each that differs. */
static void put_tensors(GString *text, const char *title, const GPtrArray *tensors, gboolean each) {
  guint differing = run_diff_tensors(tensors);
  g_autofree char *head = g_strdup_printf("%s: %u of %u have the same bits", title,
                                          tensors->len - differing, tensors->len);
  if (tensors->len == 0) return;
  g_autoptr(Table) table = table_new("llrr");
  add_row(table, NULL, NULL, g_strdup("largest"), g_strdup("relative"));
  for (guint i = 0; i < tensors->len; i++) {
    const DiffTensor *tensor = tensors->pdata[i];
    if (tensor->how != TENSOR_SAME) add_tensor(table, tensor);
  }
  if (differing && each)
    put_table(text, head, table, TRUE);
  else
    g_string_append_printf(text, "\n%s\n", head);
}

static char *plugin_text(gboolean there, const DiffPlugin *plugin) {
  if (!there) return NULL;
  return g_strdup_printf("%s %s (%.12s)", plugin->id ? plugin->id : "?",
                         plugin->version ? plugin->version : "?",
                         plugin->hash ? plugin->hash : "?");
}

static void put_components(GString *text, const GPtrArray *components) {
  if (components->len == 0) return;
  g_autoptr(Table) table = table_new("ll");
  for (guint i = 0; i < components->len; i++) {
    const DiffComponent *one = components->pdata[i];
    g_autofree char *a = plugin_text(one->in_a, &one->a), *b = plugin_text(one->in_b, &one->b);
    add_row(table, g_strdup(one->path), change(a, b), NULL, NULL);
  }
  put_table(text, "plugins (and the first of their SHA-256)", table, FALSE);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* "different: manifest, weights" */
static void put_verdict(GString *text, const RunDiff *diff) {
  const struct {
    const char *name;
    guint count;
  } parts[] = {{"manifest", diff->manifest->len},
               {"progress", diff->progress->len},
               {"metrics", run_diff_metrics(diff)},
               {"weights", run_diff_tensors(diff->weights)},
               {"other states", run_diff_tensors(diff->states)},
               {"plugins", diff->components->len}};
  const char *before = "different: ";
  if (run_diff_same(diff))
    g_string_append(text, diff->no_weights || diff->no_metrics
                              ? "the same, as far as they were compared"
                              : "the same");
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (!parts[i].count) continue;
    g_string_append_printf(text, "%s%s", before, parts[i].name);
    before = ", ";
  }
  g_string_append_c(text, '\n');
}

static char *make_text(const RunDiff *diff) {
  GString *text = g_string_new(NULL);
  g_autofree char *a = table_printable(diff->a.path), *b = table_printable(diff->b.path);
  put_verdict(text, diff);
  g_string_append_printf(text, "A  %s\nB  %s\n", a, b);
  put_texts(text, "manifest", diff->manifest);
  put_texts(text, "progress", diff->progress);
  put_metrics(text, diff);
  if (diff->no_weights)
    g_string_append_printf(text, "\nweights and plugins: %s\n", diff->no_weights);
  put_tensors(text, "weights", diff->weights, TRUE);
  put_tensors(text, "other states (of optimizers and transforms)", diff->states, FALSE);
  put_components(text, diff->components);
  return g_string_free(text, FALSE);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_side(JsonBuilder *json, const char *key, const DiffSide *side) {
  jsonout_begin_object(json, key);
  jsonout_text(json, "path", side->path);
  jsonout_text(json, "checkpoint", side->file);
  json_builder_end_object(json);
}

static void json_texts(JsonBuilder *json, const char *key, const GPtrArray *texts) {
  jsonout_begin_array(json, key);
  for (guint i = 0; i < texts->len; i++) {
    const DiffText *text = texts->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "key", text->key);
    jsonout_text(json, "a", text->a);
    jsonout_text(json, "b", text->b);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void json_metrics(JsonBuilder *json, const GPtrArray *metrics) {
  jsonout_begin_array(json, "metrics");
  for (guint i = 0; i < metrics->len; i++) {
    const DiffMetric *metric = metrics->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "key", metric->key);
    jsonout_real(json, "a", metric->a);
    jsonout_real(json, "b", metric->b);
    jsonout_real(json, "difference", metric->b - metric->a);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void json_tensors(JsonBuilder *json, const char *key, const GPtrArray *tensors) {
  static const char *const cases[] = {[TENSOR_SAME] = "same",
                                      [TENSOR_CHANGED] = "changed",
                                      [TENSOR_SHAPE] = "other shape",
                                      [TENSOR_ONLY_A] = "only in a",
                                      [TENSOR_ONLY_B] = "only in b"};
  jsonout_begin_array(json, key);
  for (guint i = 0; i < tensors->len; i++) {
    const DiffTensor *tensor = tensors->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "name", tensor->name);
    jsonout_text(json, "case", cases[tensor->how]);
    jsonout_text(json, "a", tensor->type_a);
    jsonout_text(json, "b", tensor->type_b);
    if (tensor->how <= TENSOR_CHANGED) {
      jsonout_real(json, "largest_difference", tensor->largest);
      jsonout_real(json, "relative_norm", tensor->relative);
    }
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void json_plugin(JsonBuilder *json, const char *key, gboolean there,
                        const DiffPlugin *plugin) {
  if (!there) {
    jsonout_null(json, key);
    return;
  }
  jsonout_begin_object(json, key);
  jsonout_text(json, "id", plugin->id);
  jsonout_text(json, "version", plugin->version);
  jsonout_text(json, "sha256", plugin->hash);
  json_builder_end_object(json);
}

static void json_components(JsonBuilder *json, const GPtrArray *components) {
  jsonout_begin_array(json, "plugins");
  for (guint i = 0; i < components->len; i++) {
    const DiffComponent *component = components->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "component", component->path);
    json_plugin(json, "a", component->in_a, &component->a);
    json_plugin(json, "b", component->in_b, &component->b);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static char *make_json(const RunDiff *diff) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_flag(json, "same", run_diff_same(diff));
  json_side(json, "a", &diff->a);
  json_side(json, "b", &diff->b);
  json_texts(json, "manifest", diff->manifest);
  json_texts(json, "progress", diff->progress);
  json_metrics(json, diff->metrics);
  json_tensors(json, "weights", diff->weights);
  json_tensors(json, "states", diff->states);
  json_components(json, diff->components);
  jsonout_text(json, "metrics_not_compared", diff->no_metrics);
  jsonout_text(json, "weights_not_compared", diff->no_weights);
  json_builder_end_object(json);
  return jsonout_finish(json);
}

/* ---- command --------------------------------------------------------------------------------- */

static void note_damage(const DiffSide *side) {
  for (guint i = 0; side->info && i < side->info->damage->len; i++)
    command_note("%s: %s", side->path, (char *)side->info->damage->pdata[i]);
}

static int work(const CommandOptions *options) {
  GError *error = NULL;
  g_autoptr(RunDiff) diff = run_diff_new(options->arguments[0], options->arguments[1], &error);
  if (!diff) return command_fail(error);
  note_damage(&diff->a);
  note_damage(&diff->b);
  g_autofree char *text = options->json ? make_json(diff) : make_text(diff);
  int status = command_output(text);
  return diff->damage ? command_fail(g_steal_pointer(&diff->damage)) : status;
}

static int run(int argc, char **argv) {
  const CommandLine line = {
      .command = &command_diff,
      .arguments = "A B",
      .description =
          "A and B are run folders or checkpoints. Of a run folder, the checkpoint that "
          "the run is tested\nwith: best.h5 if it is there, else last.h5. Of weights that "
          "differ: the largest difference of a\nnumber, and the norm of the difference "
          "over that of A.\nExit status: 0, whether they differ or not.",
      .json = TRUE,
      .min_count = 2,
      .max_count = 2};
  CommandOptions options;
  int status;
  if (command_parse(&line, argc, argv, &options, &status)) {
    status = work(&options);
    command_clear(&options);
  }
  return status;
}

const Command command_diff = {"diff", "Show what is different between two runs.", run};
