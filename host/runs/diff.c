/* SPDX-License-Identifier: Apache-2.0
 *
 * Two runs, compared. */
#include "diff.h"

#include "../run/folder.h"

#include <math.h>
#include <string.h>

/* ---- the two --------------------------------------------------------------------------------- */

static GPtrArray *resolved_of(const Checkpoint *checkpoint, const char *file, GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autofree char *name = g_strdup_printf("/resolved of %s", file);
  g_autoptr(Node) root =
      node_parse(checkpoint->resolved, strlen(checkpoint->resolved), name, diagnostics);
  gboolean good = diagnostics_check(diagnostics, error) && root;
  diagnostics_free(diagnostics);
  return good ? flat_values(root) : NULL;
}

/* A run may have no checkpoint any more; one that is there and cannot be read is *damage. */
static void open_tested(DiffSide *self, GError **damage) {
  self->file = run_folder_find_tested(self->path, NULL);
  if (self->file) self->checkpoint = checkpoint_open(self->file, damage);
}

static gboolean open_checkpoint(DiffSide *self, GError **error) {
  self->file = run_folder_find_tested(self->path, error);
  if (self->file) self->checkpoint = checkpoint_open(self->file, error);
  if (self->checkpoint) self->manifest = resolved_of(self->checkpoint, self->file, error);
  return self->manifest != NULL;
}

/* The checkpoint says what a resolved.yaml that is damaged does not. */
static gboolean open_side(DiffSide *self, const char *path, GError **damage, GError **error) {
  self->path = path;
  if (!run_info_is_run(path)) return open_checkpoint(self, error);
  self->info = run_info_read(path, path);
  open_tested(self, *damage ? NULL : damage);
  if (self->info->manifest->len)
    self->manifest = g_ptr_array_ref(self->info->manifest);
  else if (self->checkpoint)
    self->manifest = resolved_of(self->checkpoint, self->file, error);
  else
    host_fail(error, AB_DATA, "%s: %s", path,
              self->info->damage->len ? (char *)self->info->damage->pdata[0]
                                      : "resolved.yaml is empty");
  return self->manifest != NULL;
}

static void close_side(DiffSide *self) {
  run_info_free(self->info);
  checkpoint_close(self->checkpoint);
  if (self->manifest) g_ptr_array_unref(self->manifest);
  g_free(self->file);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void text_free(gpointer data) {
  DiffText *text = data;
  g_free(text->key);
  g_free(text->a);
  g_free(text->b);
  g_free(text);
}

static void add_text(GPtrArray *texts, const char *key, const char *a, const char *b) {
  if (g_strcmp0(a, b) == 0) return;
  DiffText *text = g_new0(DiffText, 1);
  text->key = g_strdup(key);
  text->a = g_strdup(a);
  text->b = g_strdup(b);
  g_ptr_array_add(texts, text);
}

/* Key -> text, borrowed. */
static GHashTable *index_values(const GPtrArray *values) {
  GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < values->len; i++) {
    const FlatValue *value = values->pdata[i];
    g_hash_table_insert(index, value->key, value->text);
  }
  return index;
}

/* In the order of A; what only B has comes after. */
static void compare_manifests(RunDiff *self) {
  const GPtrArray *a = self->a.manifest, *b = self->b.manifest;
  g_autoptr(GHashTable) in_a = index_values(a), in_b = index_values(b);
  for (guint i = 0; i < a->len; i++) {
    const FlatValue *value = a->pdata[i];
    add_text(self->manifest, value->key, value->text, g_hash_table_lookup(in_b, value->key));
  }
  for (guint i = 0; i < b->len; i++) {
    const FlatValue *value = b->pdata[i];
    if (!g_hash_table_contains(in_a, value->key))
      add_text(self->manifest, value->key, NULL, value->text);
  }
}

static char *checkpoint_count(const DiffSide *side, const char *name) {
  gint64 value;
  if (!store_read_attr_int(side->checkpoint->file, "/", name, &value, NULL)) return NULL;
  return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

/* How far: of the checkpoints, where both are there; else of the runs. */
static void compare_progress(RunDiff *self) {
  static const char *const counts[][2] = {{"epoch", "epochs"}, {"step", "steps"}};
  const RunInfo *a = self->a.info, *b = self->b.info;
  gboolean saved = self->a.checkpoint && self->b.checkpoint;
  if (a && b)
    add_text(self->progress, "status", run_info_get(a, "status"), run_info_get(b, "status"));
  for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
    if (saved) {
      g_autofree char *left = checkpoint_count(&self->a, counts[i][0]);
      g_autofree char *right = checkpoint_count(&self->b, counts[i][0]);
      add_text(self->progress, counts[i][1], left, right);
    } else if (a && b) {
      add_text(self->progress, counts[i][1], run_info_get(a, counts[i][1]),
               run_info_get(b, counts[i][1]));
    }
  }
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void metric_free(gpointer data) {
  g_free(((DiffMetric *)data)->key);
  g_free(data);
}

static void add_metric(RunDiff *self, const Result *a, const Result *b) {
  const Result *any = a ? a : b;
  DiffMetric *metric = g_new0(DiffMetric, 1);
  metric->key = g_strdup_printf("%s/%s", any->split, any->name);
  metric->in_a = a != NULL;
  metric->in_b = b != NULL;
  metric->a = a ? a->value : NAN;
  metric->b = b ? b->value : NAN;
  g_ptr_array_add(self->metrics, metric);
}

static void compare_metrics(RunDiff *self) {
  const DiffSide *without = !self->a.info ? &self->a : !self->b.info ? &self->b : NULL;
  if (without) {
    self->no_metrics = g_strdup_printf("%s is a checkpoint, which has none", without->path);
    return;
  }
  const GPtrArray *a = self->a.info->results, *b = self->b.info->results;
  for (guint i = 0; i < a->len; i++) {
    const Result *result = a->pdata[i];
    add_metric(self, result, results_find(b, result->split, result->name));
  }
  for (guint i = 0; i < b->len; i++) {
    const Result *result = b->pdata[i];
    if (!results_find(a, result->split, result->name)) add_metric(self, NULL, result);
  }
}

/* ---- plugins --------------------------------------------------------------------------------- */

static void plugin_clear(DiffPlugin *self) {
  g_free(self->id);
  g_free(self->version);
  g_free(self->hash);
}

static void component_free(gpointer data) {
  DiffComponent *component = data;
  g_free(component->path);
  plugin_clear(&component->a);
  plugin_clear(&component->b);
  g_free(component);
}

/* FALSE if the checkpoint has no such component. */
static gboolean read_plugin(StoreFile *file, const char *path, DiffPlugin *plugin) {
  g_autofree char *object = g_strdup_printf("/plugins/%s", path);
  if (!store_has(file, object)) return FALSE;
  plugin->id = store_read_attr_text(file, object, "id", NULL);
  plugin->version = store_read_attr_text(file, object, "version", NULL);
  plugin->hash = store_read_attr_text(file, object, "sha256", NULL);
  return TRUE;
}

static gboolean same_plugin(const DiffPlugin *a, const DiffPlugin *b) {
  return g_strcmp0(a->id, b->id) == 0 && g_strcmp0(a->version, b->version) == 0 &&
         g_strcmp0(a->hash, b->hash) == 0;
}

static void add_component(RunDiff *self, const char *path) {
  DiffComponent *component = g_new0(DiffComponent, 1);
  component->path = g_strdup(path);
  component->in_a = read_plugin(self->a.checkpoint->file, path, &component->a);
  component->in_b = read_plugin(self->b.checkpoint->file, path, &component->b);
  if (component->in_a == component->in_b && same_plugin(&component->a, &component->b))
    component_free(component);
  else
    g_ptr_array_add(self->components, component);
}

/* "model.encoder.plugin" of a manifest is the component "model/encoder" of a checkpoint. */
static void compare_plugins(RunDiff *self, const GPtrArray *manifest, GHashTable *seen) {
  static const char suffix[] = ".plugin";
  for (guint i = 0; i < manifest->len; i++) {
    const FlatValue *value = manifest->pdata[i];
    if (!g_str_has_suffix(value->key, suffix)) continue;
    char *path = g_strndup(value->key, strlen(value->key) - strlen(suffix));
    g_strdelimit(path, ".", '/');
    if (g_hash_table_add(seen, path)) add_component(self, path);
  }
}

/* ---- weights --------------------------------------------------------------------------------- */

static void tensor_free(gpointer data) {
  DiffTensor *tensor = data;
  g_free(tensor->name);
  g_free(tensor->type_a);
  g_free(tensor->type_b);
  g_free(tensor);
}

static void compare_checkpoints(RunDiff *self) {
  const DiffSide *without = !self->a.file ? &self->a : !self->b.file ? &self->b : NULL;
  if (without)
    self->no_weights = g_strdup_printf("%s has no checkpoint", without->path);
  else if (!self->damage &&
           run_diff_compare_tensors(self->a.checkpoint->file, self->b.checkpoint->file,
                                    self->weights, self->states, &self->damage)) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    compare_plugins(self, self->a.manifest, seen);
    compare_plugins(self, self->b.manifest, seen);
  }
  if (self->damage) self->no_weights = g_strdup("a checkpoint is damaged");
}

/* ---- all ------------------------------------------------------------------------------------- */

RunDiff *run_diff_new(const char *a, const char *b, GError **error) {
  RunDiff *self = g_new0(RunDiff, 1);
  self->manifest = g_ptr_array_new_with_free_func(text_free);
  self->progress = g_ptr_array_new_with_free_func(text_free);
  self->metrics = g_ptr_array_new_with_free_func(metric_free);
  self->weights = g_ptr_array_new_with_free_func(tensor_free);
  self->states = g_ptr_array_new_with_free_func(tensor_free);
  self->components = g_ptr_array_new_with_free_func(component_free);
  if (!open_side(&self->a, a, &self->damage, error) ||
      !open_side(&self->b, b, &self->damage, error)) {
    run_diff_free(self);
    return NULL;
  }
  compare_manifests(self);
  compare_progress(self);
  compare_metrics(self);
  compare_checkpoints(self);
  return self;
}

void run_diff_free(RunDiff *self) {
  if (!self) return;
  close_side(&self->a);
  close_side(&self->b);
  g_ptr_array_unref(self->manifest);
  g_ptr_array_unref(self->progress);
  g_ptr_array_unref(self->metrics);
  g_ptr_array_unref(self->weights);
  g_ptr_array_unref(self->states);
  g_ptr_array_unref(self->components);
  g_free(self->no_metrics);
  g_free(self->no_weights);
  g_clear_error(&self->damage);
  g_free(self);
}

gboolean run_diff_metric_same(const DiffMetric *metric) {
  return metric->in_a == metric->in_b &&
         (metric->a == metric->b || (isnan(metric->a) && isnan(metric->b)));
}

guint run_diff_metrics(const RunDiff *self) {
  guint count = 0;
  for (guint i = 0; i < self->metrics->len; i++)
    count += !run_diff_metric_same(self->metrics->pdata[i]);
  return count;
}

guint run_diff_tensors(const GPtrArray *tensors) {
  guint count = 0;
  for (guint i = 0; i < tensors->len; i++)
    count += ((const DiffTensor *)tensors->pdata[i])->how != TENSOR_SAME;
  return count;
}

gboolean run_diff_same(const RunDiff *self) {
  return self->manifest->len == 0 && self->progress->len == 0 && self->components->len == 0 &&
         run_diff_metrics(self) == 0 && run_diff_tensors(self->weights) == 0 &&
         run_diff_tensors(self->states) == 0;
}
