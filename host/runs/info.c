/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading run folders. */
#include "info.h"

#include "../files.h"
#include "../jsonin.h"
#include "../manifest/param.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_MANIFEST = 4 << 20, MAX_RESULT = 1 << 20, MAX_LINES = 1 << 20 }; /* bytes */

/* ---- facts ----------------------------------------------------------------------------------- */

static void fact_free(gpointer data) {
  Fact *fact = data;
  g_free(fact->key);
  g_free(fact->text);
  g_free(fact);
}

/* Of several of one key the first counts: what a run has reached stands before what was asked of
 * it. Nothing for a text of NULL.                                                                */
static void add(RunInfo *self, FactKind kind, const char *key, const char *text, gboolean numeric) {
  if (!text || g_hash_table_contains(self->index, key)) return;
  Fact *fact = g_new0(Fact, 1);
  fact->kind = kind;
  fact->key = g_strdup(key);
  fact->text = g_strdup(text);
  fact->numeric = numeric;
  g_ptr_array_add(self->facts, fact);
  g_hash_table_insert(self->index, fact->key, fact);
}

static void add_text(RunInfo *self, const char *key, const char *text) {
  add(self, FACT_RUN, key, text, FALSE);
}

static void add_number(RunInfo *self, FactKind kind, const char *key, double value) {
  g_autofree char *text = param_real(value);
  add(self, kind, key, text, TRUE);
}

const char *run_info_get(const RunInfo *self, const char *key) {
  const Fact *fact = g_hash_table_lookup(self->index, key);
  return fact ? fact->text : NULL;
}

gboolean run_info_parse(const char *text, double *value) {
  g_autoptr(Node) node = node_scalar(text);
  return node_read_real(node, FALSE, value, NULL);
}

gboolean run_info_number(const RunInfo *self, const char *key, double *value) {
  const char *text = run_info_get(self, key);
  return text && run_info_parse(text, value);
}

/* Takes the error. */
static void note_damage(RunInfo *self, GError *error) {
  g_ptr_array_add(self->damage, g_strdup(error->message));
  g_error_free(error);
}

/* ---- resolved.yaml --------------------------------------------------------------------------- */

gboolean run_info_is_run(const char *folder) {
  g_autofree char *path = g_build_filename(folder, "resolved.yaml", NULL);
  return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* The first line is enough to know that it is damaged, and where. */
static void note_first(RunInfo *self, const Diagnostics *diagnostics) {
  GError *error = NULL;
  if (diagnostics_check(diagnostics, &error)) return;
  char *end = strchr(error->message, '\n');
  if (end) *end = '\0';
  note_damage(self, error);
}

static void read_manifest(RunInfo *self) {
  GError *error = NULL;
  gsize length = 0;
  g_autofree char *text = files_read(self->folder, "resolved.yaml", MAX_MANIFEST, &length, &error);
  if (!text) {
    note_damage(self, error);
    return;
  }
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) root = node_parse(text, length, "resolved.yaml", diagnostics);
  note_first(self, diagnostics);
  diagnostics_free(diagnostics);
  if (!root) return;
  g_ptr_array_unref(self->manifest);
  self->manifest = flat_values(root);
}

static void add_manifest(RunInfo *self) {
  for (guint i = 0; i < self->manifest->len; i++) {
    const FlatValue *value = self->manifest->pdata[i];
    add(self, FACT_MANIFEST, value->key, value->text, FALSE);
  }
}

/* ---- results --------------------------------------------------------------------------------- */

/* "train": {"loss": 0.1}; null stands for what is not finite. */
static void take_split(RunInfo *self, const char *split, JsonObject *values) {
  g_autoptr(GList) names = json_object_get_members(values);
  for (GList *at = names; at; at = at->next) {
    double value = NAN;
    JsonNode *node = json_object_get_member(values, at->data);
    if (jsonin_number(values, at->data, &value) || JSON_NODE_HOLDS_NULL(node))
      results_add(self->results, split, at->data, value);
  }
}

static void take_splits(RunInfo *self, JsonObject *object) {
  static const char *const splits[] = {"train", "validation", "test"};
  for (guint i = 0; object && i < G_N_ELEMENTS(splits); i++) {
    JsonObject *values = jsonin_inner(object, splits[i]);
    if (values) take_split(self, splits[i], values);
  }
}

static gboolean take_metric(RunInfo *self, const char *split, const char *name) {
  if (!results_find(self->results, split, name)) return FALSE;
  self->metric = g_strdup_printf("%s/%s", split, name);
  return TRUE;
}

/* The first of the metrics, else the first result that is no loss, else the loss. */
static void choose_metric(RunInfo *self, const char *first) {
  static const char *const splits[] = {"test", "validation", "train"};
  for (guint i = 0; first && i < G_N_ELEMENTS(splits); i++)
    if (take_metric(self, splits[i], first)) return;
  for (guint i = 0; i + 1 < G_N_ELEMENTS(splits); i++) /* parts of a loss are those of training */
    for (guint j = 0; j < self->results->len; j++) {
      const Result *result = self->results->pdata[j];
      if (strcmp(result->split, splits[i]) == 0 && strcmp(result->name, "loss") != 0 &&
          take_metric(self, splits[i], result->name))
        return;
    }
  for (guint i = 0; i < G_N_ELEMENTS(splits); i++)
    if (take_metric(self, splits[i], "loss")) return;
}

static void add_results(RunInfo *self) {
  if (self->metric) {
    const char *slash = strchr(self->metric, '/');
    g_autofree char *split = g_strndup(self->metric, (gsize)(slash - self->metric));
    add_number(self, FACT_RUN, "metric", results_find(self->results, split, slash + 1)->value);
  }
  for (guint i = 0; i < self->results->len; i++) {
    const Result *result = self->results->pdata[i];
    g_autofree char *key = g_strdup_printf("%s/%s", result->split, result->name);
    add_number(self, FACT_METRIC, key, result->value);
  }
}

/* ---- result.json ----------------------------------------------------------------------------- */

static char *scalar_text(JsonNode *node) {
  if (!JSON_NODE_HOLDS_VALUE(node)) return NULL;
  GType type = json_node_get_value_type(node);
  if (type == G_TYPE_STRING) return g_strdup(json_node_get_string(node));
  if (type == G_TYPE_INT64) return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
  if (type == G_TYPE_DOUBLE) return param_real(json_node_get_double(node));
  return g_strdup(json_node_get_boolean(node) ? "true" : "false");
}

/* Every value that is no list is a fact of its name. */
static void take_scalars(RunInfo *self, JsonObject *result) {
  g_autoptr(GList) names = json_object_get_members(result);
  for (GList *at = names; at; at = at->next) {
    double value;
    g_autofree char *text = scalar_text(json_object_get_member(result, at->data));
    gboolean numeric = jsonin_number(result, at->data, &value);
    if (strcmp(at->data, "format") != 0) add(self, FACT_RUN, at->data, text, numeric);
  }
}

static const char *first_metric(JsonObject *result) {
  JsonArray *metrics = jsonin_array(result, "metrics");
  if (!metrics || json_array_get_length(metrics) == 0) return NULL;
  JsonNode *first = json_array_get_element(metrics, 0);
  return JSON_NODE_HOLDS_OBJECT(first) ? jsonin_text(json_node_get_object(first), "name") : NULL;
}

static gboolean check_result(JsonObject *result, GError **error) {
  double format;
  if (!jsonin_number(result, "format", &format) || !jsonin_text(result, "status"))
    return host_fail(error, AB_DATA, "result.json has no format or no status");
  return format == 1 ||
         host_fail(error, AB_DATA, "result.json is of format %g; this abhost (%s) knows format 1",
                   format, ab_version());
}

/* A process that writes a run folder holds a lock on its log (run/folder.h). To ask for it takes it
 * for a moment, which a run that begins waits for.                                               */
static gboolean is_running(const RunInfo *self) {
  g_autofree char *path = g_build_filename(self->folder, "log.txt", NULL);
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return FALSE;
  gboolean held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

/* FALSE if there is no result that can be used. */
static gboolean read_result(RunInfo *self) {
  GError *error = NULL;
  g_autoptr(JsonNode) root = files_read_object(self->folder, "result.json", MAX_RESULT, &error);
  if (!root && error->code == AB_NO_INPUT) {
    g_error_free(error);
    add_text(self, "status", is_running(self) ? "running" : "unfinished");
    return FALSE;
  }
  if (!root || !check_result(json_node_get_object(root), &error)) {
    note_damage(self, error);
    add_text(self, "status", "damaged");
    return FALSE;
  }
  JsonObject *result = json_node_get_object(root);
  take_scalars(self, result);
  take_splits(self, jsonin_inner(result, "results"));
  choose_metric(self, first_metric(result));
  return TRUE;
}

/* ---- metrics.jsonl --------------------------------------------------------------------------- */

/* The last line that is whole: one that has no end yet, or never got one, is being written. */
static char *last_line(char *text, gsize length) {
  char *end = length > 0 ? memrchr(text, '\n', length) : NULL;
  if (!end) return NULL;
  *end = '\0';
  char *before = end > text ? memrchr(text, '\n', (gsize)(end - text)) : NULL;
  return before ? before + 1 : text;
}

static void take_line(RunInfo *self, JsonObject *line) {
  static const struct {
    const char *member, *key;
  } counts[] = {{"epoch", "epochs"}, {"step", "steps"}, {"seconds", "seconds"}};
  for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
    double value;
    if (jsonin_number(line, counts[i].member, &value))
      add_number(self, FACT_RUN, counts[i].key, value);
  }
  take_splits(self, line);
  choose_metric(self, NULL);
}

static void read_metrics(RunInfo *self) {
  GError *error = NULL;
  gsize length = 0;
  g_autofree char *text = files_read_end(self->folder, "metrics.jsonl", MAX_LINES, &length, &error);
  const char *line = text ? last_line(text, length) : NULL;
  g_autoptr(JsonNode) root =
      line ? jsonin_object("the last line of metrics.jsonl", line, -1, &error) : NULL;
  if (root)
    take_line(self, json_node_get_object(root));
  else if (error && error->code != AB_NO_INPUT)
    note_damage(self, error);
  else
    g_clear_error(&error);
  add_number(self, FACT_RUN, "epochs", 0);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A run's manifest is written when it begins, and never again. */
static void add_date(RunInfo *self) {
  g_autofree char *path = g_build_filename(self->folder, "resolved.yaml", NULL);
  GStatBuf info;
  if (g_stat(path, &info) != 0) return;
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(info.st_mtime);
  g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
  add_text(self, "date", text);
}

static void add_from_manifest(RunInfo *self) {
  const char *model = flat_get(self->manifest, "model.plugin");
  const char *epochs = flat_get(self->manifest, "epochs");
  const char *seed = flat_get(self->manifest, "seed");
  double wanted;
  add_text(self, "problem", flat_get(self->manifest, "problem"));
  add_text(self, "model", model ? model : flat_get(self->manifest, "model"));
  add(self, FACT_RUN, "seed", seed, seed && run_info_parse(seed, &wanted));
  if (epochs && run_info_parse(epochs, &wanted) && wanted >= 0 && wanted < 1e15)
    self->wanted = (gint64)wanted;
}

RunInfo *run_info_read(const char *folder, const char *name) {
  RunInfo *self = g_new0(RunInfo, 1);
  self->folder = g_strdup(folder);
  self->wanted = -1;
  self->manifest = g_ptr_array_new();
  self->results = results_new();
  self->damage = g_ptr_array_new_with_free_func(g_free);
  self->facts = g_ptr_array_new_with_free_func(fact_free);
  self->index = g_hash_table_new(g_str_hash, g_str_equal);
  add_text(self, "name", name);
  add_date(self);
  read_manifest(self);
  if (!read_result(self)) read_metrics(self);
  add_from_manifest(self);
  add_results(self);
  add_manifest(self);
  return self;
}

void run_info_free(RunInfo *self) {
  if (!self) return;
  g_hash_table_unref(self->index);
  g_ptr_array_unref(self->facts);
  g_ptr_array_unref(self->damage);
  g_ptr_array_unref(self->results);
  g_ptr_array_unref(self->manifest);
  g_free(self->metric);
  g_free(self->folder);
  g_free(self);
}
