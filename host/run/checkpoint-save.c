/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing checkpoints. */
#include "checkpoint.h"

#include "../jsonout.h"
#include <string.h>

static void write_tensor(StoreWriter *w, const char *name, AbTensor *tensor, const char *axes) {
  char *dataset = g_strdup_printf("/%s", name);
  AbShape shape = ab_shape(tensor);
  gint64 dims[AB_MAX_RANK];
  for (int i = 0; i < shape.rank; i++) dims[i] = shape.dims[i];
  store_write(w, dataset, ab_dtype(tensor), shape.rank, dims, ab_map(tensor, false), axes);
  ab_unmap(tensor);
  g_free(dataset);
}

static void write_weights(StoreWriter *w, const Assembly *assembly) {
  const GPtrArray *instances = assembly->binder.instances;
  for (guint i = 0; i < instances->len; i++) {
    for (gint64 j = 0; j < ab_state_count(instances->pdata[i]); j++) {
      AbState state = ab_state(instances->pdata[i], j);
      if (!state.tied) write_tensor(w, state.name, state.tensor, state.axes);
    }
  }
}

static void write_optimizer(StoreWriter *w, const AbStep *step) {
  for (gint64 i = 0; i < ab_step_state_count(step); i++) {
    AbState state = ab_step_state(step, i);
    write_tensor(w, state.name, state.tensor, state.axes);
  }
  for (gint64 i = 0; i < ab_step_group_count(step); i++) {
    char *group = g_strdup_printf("/%s", ab_step_group_name(step, i));
    store_write_attr_int(w, group, "updates", ab_step_updates(step, i));
    g_free(group);
  }
}

static void write_spec(StoreWriter *w, const char *dataset, const AbSpec *spec) {
  gint64 rank = spec->rank, dims[AB_MAX_RANK] = {0};
  if (rank < 0) return; /* not given */
  for (gint64 i = 0; i < rank; i++) dims[i] = spec->shape[i];
  store_write(w, dataset, AB_I64, 1, &rank, dims, "axis");
  store_write_attr_int(w, dataset, "range", spec->range);
  store_write_attr_int(w, dataset, "classes", spec->classes);
}

static void write_signature(StoreWriter *w, const Assembly *assembly) {
  AbSignature signature = ab_model_signature(assembly->model);
  write_spec(w, "/signature/in", &signature.in);
  write_spec(w, "/signature/out", &signature.out);
}

/* x as the data declares it, before the transforms, or what an agent sees: `apply` reads other
 * files as the data read its own. */
static void write_data_spec(StoreWriter *w, const Assembly *assembly) {
  const AbData *data = assembly->data;
  if (assembly->environment) {
    AbSpec seen = ab_environment_observation(assembly->environment);
    write_spec(w, "/signature/data", &seen);
  }
  for (int32_t i = 0; data && i < ab_data_field_count(data); i++) {
    AbField field = ab_data_field_at(data, i);
    if (strcmp(field.name, "x") == 0) write_spec(w, "/signature/data", &field.spec);
  }
}

/* {"x": ["a", "b", ...]}: how the classes of the data's fields are called. */
static void write_names(StoreWriter *w, const AbData *data) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  gboolean any = FALSE;
  json_builder_begin_object(json);
  for (int32_t i = 0; data && i < ab_data_field_count(data); i++) {
    AbField field = ab_data_field_at(data, i);
    if (!field.classes) continue;
    any = TRUE;
    jsonout_begin_array(json, field.name);
    for (gint64 k = 0; k < field.spec.classes; k++) jsonout_text(json, NULL, field.classes[k]);
    json_builder_end_array(json);
  }
  json_builder_end_object(json);
  g_autofree char *text = any ? jsonout_line(json) : NULL;
  if (any) store_write_text(w, "/signature/names", text);
}

static void write_statistics(StoreWriter *w, const Feed *feed) {
  static const char *const names[] = {"scale", "mean", "std"};
  for (guint i = 0; feed && i < G_N_ELEMENTS(names); i++) {
    gint64 count;
    const double *values = feed_statistic(feed, names[i], &count);
    char *dataset = g_strdup_printf("/transform/%s", names[i]);
    if (values) store_write(w, dataset, AB_F64, 1, &count, values, "feature");
    g_free(dataset);
  }
}

static void write_plugins(StoreWriter *w, const Assembly *assembly) {
  const GPtrArray *instances = assembly->binder.instances;
  for (guint i = 0; i < instances->len; i++) {
    const AbInstance *instance = instances->pdata[i];
    const Entry *entry = g_hash_table_lookup(assembly->binder.entries, instance);
    char *object = g_strdup_printf("/plugins/%s", ab_path(instance));
    char *hash = registry_hash(entry, NULL);
    store_write_attr_text(w, object, "component", entry->component->name);
    store_write_attr_text(w, object, "kind", ab_kind_name(entry->component->kind));
    store_write_attr_text(w, object, "id", entry->plugin->id);
    store_write_attr_text(w, object, "version", entry->plugin->version);
    if (hash) store_write_attr_text(w, object, "sha256", hash);
    g_free(hash);
    g_free(object);
  }
}

static void write_best(StoreWriter *w, const char *object, const Best *best) {
  store_write_attr_int(w, object, "any", best->any);
  store_write_attr_real(w, object, "value", best->value);
  store_write_attr_int(w, object, "epoch", best->epoch);
  store_write_attr_int(w, object, "step", best->step);
  store_write_attr_int(w, object, "stale", best->stale);
}

static void write_run(StoreWriter *w, const RunState *state) {
  store_write_attr_int(w, "/run", "epoch", state->epoch);
  store_write_attr_int(w, "/run", "batch", state->batch);
  store_write_attr_int(w, "/run", "step", state->step);
  store_write_attr_int(w, "/run", "log_bytes", state->log_bytes);
  store_write_attr_real(w, "/run", "seconds", state->seconds);
  store_write_attr_real(w, "/run", "cpu_seconds", state->cpu_seconds);
  store_write_attr_int(w, "/run", "peak_memory", state->peak_memory);
  write_best(w, "/run/best", &state->best);
  write_best(w, "/run/stop", &state->stop);
  store_write_attr_int(w, "/run/sums", "count", state->sums->len);
  for (guint i = 0; i < state->sums->len; i++) {
    const Sum *sum = state->sums->pdata[i];
    char *object = g_strdup_printf("/run/sums/%u", i);
    store_write_attr_text(w, object, "name", sum->name);
    store_write_attr_real(w, object, "sum", sum->sum);
    store_write_attr_int(w, object, "count", sum->count);
    g_free(object);
  }
}

gboolean checkpoint_save(const char *path, const Assembly *assembly, const RunState *state,
                         const char *manifest, GError **error) {
  StoreWriter *w = store_create(path, error);
  if (!w) return FALSE;
  char *resolved = node_emit(assembly->resolved);
  store_write_attr_int(w, "/", "format", 1);
  store_write_attr_text(w, "/", "program", "abhost " ABSDK_VERSION);
  store_write_attr_text(w, "/", "problem", ab_role_name(assembly->role));
  store_write_attr_int(w, "/", "seed", assembly->settings->general.seed);
  store_write_attr_int(w, "/", "epoch", state->epoch);
  store_write_attr_int(w, "/", "step", state->step);
  store_write_attr_int(w, "/", "threads", ab_threads());
  store_write_text(w, "/manifest", manifest);
  store_write_text(w, "/resolved", resolved);
  write_weights(w, assembly);
  write_optimizer(w, assembly->step);
  write_signature(w, assembly);
  write_data_spec(w, assembly);
  write_names(w, assembly->data);
  write_statistics(w, assembly->feed);
  write_plugins(w, assembly);
  write_run(w, state);
  g_free(resolved);
  return store_commit(w, error);
}
