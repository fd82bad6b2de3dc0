/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading checkpoints. */
#include "checkpoint.h"

#include "../jsonin.h"
#include "../registry/fit.h"
#include <string.h>

#define MAX_SAMPLE (G_GINT64_CONSTANT(1) << 40) /* numbers of one sample; the feed's limit too */

Checkpoint *checkpoint_open(const char *path, GError **error) {
  Checkpoint *self = g_new0(Checkpoint, 1);
  gint64 format = 0;
  self->file = store_open(path, error);
  if (self->file && !store_read_attr_int(self->file, "/", "format", &format, NULL)) {
    g_set_error(error, HOST_ERROR, AB_DATA,
                "%s is no checkpoint of abhost; one is made by `abhost run`, below checkpoints/",
                path);
  } else if (self->file && format != 1) {
    g_set_error(error, HOST_ERROR, AB_DATA,
                "%s is a checkpoint of format %" G_GINT64_FORMAT
                "; this abhost (%s) knows format 1",
                path, format, ab_version());
  } else if (self->file && (self->manifest = store_read_text(self->file, "/manifest", error)) &&
             (self->resolved = store_read_text(self->file, "/resolved", error)) &&
             (self->model =
                  store_read_attr_text(self->file, "/plugins/model", "component", error))) {
    return self;
  }
  checkpoint_close(self);
  return NULL;
}

void checkpoint_close(Checkpoint *self) {
  if (!self) return;
  if (self->file) store_close(self->file);
  g_free(self->manifest);
  g_free(self->resolved);
  g_free(self->model);
  g_free(self);
}

/* ---- what the model was built for ------------------------------------------------------------ */

static gboolean read_spec(const Checkpoint *self, const char *dataset, AbSpec *spec,
                          GError **error) {
  StoreInfo info;
  gint64 range, classes;
  if (!store_info(self->file, dataset, &info, error) ||
      !store_read_attr_int(self->file, dataset, "range", &range, error) ||
      !store_read_attr_int(self->file, dataset, "classes", &classes, error))
    return FALSE;
  if (info.rank != 1 || info.shape[0] < 0 || info.shape[0] > AB_MAX_RANK - 1 || range < 0 ||
      range > AB_RANGE_CLASS) {
    g_set_error(error, HOST_ERROR, AB_DATA, "%s of %s is damaged", dataset, store_path(self->file));
    return FALSE;
  }
  *spec = (AbSpec){.rank = (int32_t)info.shape[0],
                   .dtype = range == AB_RANGE_CLASS ? AB_I64 : AB_F32,
                   .range = (AbRange)range,
                   .classes = classes};
  if (info.shape[0] > 0 &&
      !store_read(self->file, dataset, AB_I64, 0, info.shape[0], spec->shape, error))
    return FALSE;
  gint64 count = 1;
  for (int i = 0; i < spec->rank; i++) {
    if (spec->shape[i] < 1 || spec->shape[i] > MAX_SAMPLE / count) {
      g_set_error(error, HOST_ERROR, AB_DATA, "%s of %s is damaged: no sample has that shape",
                  dataset, store_path(self->file));
      return FALSE;
    }
    count *= spec->shape[i];
  }
  return TRUE;
}

/* What an encoder gives, the model decides: it was not asked for, nor is it now. So with what a
 * generator is given.                                                                            */
gboolean checkpoint_signature(const Checkpoint *self, AbSignature *signature, GError **error) {
  *signature = (AbSignature){0};
  char *role = store_read_attr_text(self->file, "/", "problem", error);
  if (!role) return FALSE;
  signature->role = fit_role(role);
  g_free(role);
  signature->in.rank = signature->out.rank = -1;
  if (signature->role != AB_ROLE_GENERATE &&
      !read_spec(self, "/signature/in", &signature->in, error))
    return FALSE;
  return signature->role == AB_ROLE_ENCODE ||
         read_spec(self, "/signature/out", &signature->out, error);
}

gboolean checkpoint_data_spec(const Checkpoint *self, AbSpec *x, GError **error) {
  return read_spec(self, "/signature/data", x, error);
}

char **checkpoint_class_names(const Checkpoint *self, const char *field, GError **error) {
  static const char dataset[] = "/signature/names";
  if (!store_has(self->file, dataset)) return NULL;
  g_autofree char *text = store_read_text(self->file, dataset, error);
  g_autofree char *what = g_strdup_printf("%s of %s", dataset, store_path(self->file));
  g_autoptr(JsonNode) root = text ? jsonin_object(what, text, -1, error) : NULL;
  JsonArray *given = root ? jsonin_array(json_node_get_object(root), field) : NULL;
  if (!given) return NULL;
  guint count = json_array_get_length(given);
  g_auto(GStrv) names = g_new0(char *, count + 1);
  for (guint i = 0; i < count; i++) {
    JsonNode *name = json_array_get_element(given, i);
    if (!JSON_NODE_HOLDS_VALUE(name) || json_node_get_value_type(name) != G_TYPE_STRING) {
      host_fail(error, AB_DATA, "%s is damaged: name %u of %s is no text", what, i, field);
      return NULL;
    }
    names[i] = json_node_dup_string(name);
  }
  return g_steal_pointer(&names);
}

gboolean checkpoint_statistics(const Checkpoint *self, Feed *feed, GError **error) {
  static const char *const names[] = {"scale", "mean", "std"};
  gboolean done = TRUE;
  for (guint i = 0; done && i < G_N_ELEMENTS(names); i++) {
    char *dataset = g_strdup_printf("/transform/%s", names[i]);
    StoreInfo info;
    if (store_has(self->file, dataset) && store_info(self->file, dataset, &info, NULL) &&
        info.rank == 1 && info.shape[0] > 0) {
      double *values = g_new(double, (gsize)info.shape[0]);
      done = store_read(self->file, dataset, AB_F64, 0, info.shape[0], values, error) &&
             feed_set_statistic(feed, names[i], values, info.shape[0], error);
      g_free(values);
    }
    g_free(dataset);
  }
  return done;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static gboolean same_shape(const StoreInfo *info, AbShape shape) {
  if (info->rank != shape.rank) return FALSE;
  for (int i = 0; i < info->rank; i++)
    if (info->shape[i] != shape.dims[i]) return FALSE;
  return TRUE;
}

static gboolean refuse_shape(const Checkpoint *self, const char *dataset, const StoreInfo *info,
                             const char *name, AbShape wanted, GError **error) {
  char have[200], want[200];
  AbShape shape = {.rank = info->rank};
  for (int i = 0; i < info->rank; i++) shape.dims[i] = info->shape[i];
  g_set_error(error, HOST_ERROR, AB_DATA,
              "%s of %s is %s and %s is %s: the checkpoint is of another model (it was made with "
              "model %s)",
              dataset, store_path(self->file), ab_shape_text(shape, have, sizeof have), name,
              ab_shape_text(wanted, want, sizeof want), self->model);
  return FALSE;
}

/* Reads a dataset into a tensor of the same shape. */
static gboolean read_tensor(const Checkpoint *self, const char *dataset, const char *name,
                            AbTensor *tensor, GError **error) {
  StoreInfo info;
  if (!store_has(self->file, dataset)) {
    g_set_error(error, HOST_ERROR, AB_DATA,
                "%s has no %s: the checkpoint is of another model (it was made with model %s)",
                store_path(self->file), dataset, self->model);
    return FALSE;
  }
  if (!store_info(self->file, dataset, &info, error)) return FALSE;
  AbShape shape = ab_shape(tensor);
  if (!same_shape(&info, shape)) return refuse_shape(self, dataset, &info, name, shape, error);
  if (ab_count(tensor) == 0) return TRUE;
  void *buffer = ab_map(tensor, true);
  gboolean done = store_read(self->file, dataset, ab_dtype(tensor), 0,
                             shape.rank ? shape.dims[0] : 1, buffer, error);
  ab_unmap(tensor);
  return done;
}

gboolean checkpoint_weights(const Checkpoint *self, Assembly *assembly, GError **error) {
  const GPtrArray *instances = assembly->binder.instances;
  gboolean done = TRUE;
  for (guint i = 0; done && i < instances->len; i++) {
    for (gint64 j = 0; done && j < ab_state_count(instances->pdata[i]); j++) {
      AbState state = ab_state(instances->pdata[i], j);
      if (state.tied) continue;
      char *dataset = g_strdup_printf("/%s", state.name);
      done = read_tensor(self, dataset, state.name, state.tensor, error);
      g_free(dataset);
    }
  }
  return done;
}

/* "/model/W1" for "model/encoder/W1" with the pair (model/encoder, model). */
static char *mapped(const char *name, const GPtrArray *map) {
  for (guint i = 0; i + 1 < map->len; i += 2) {
    const char *here = map->pdata[i], *there = map->pdata[i + 1];
    gsize length = strlen(here);
    if (strncmp(name, here, length) == 0 && (name[length] == '/' || name[length] == 0))
      return g_strdup_printf("/%s%s", there, name + length);
  }
  return g_strdup_printf("/%s", name);
}

gint64 checkpoint_init(const Checkpoint *self, Assembly *assembly, const GPtrArray *map,
                       GError **error) {
  const GPtrArray *instances = assembly->binder.instances;
  gint64 found = 0;
  for (guint i = 0; i < instances->len; i++) {
    for (gint64 j = 0; j < ab_state_count(instances->pdata[i]); j++) {
      AbState state = ab_state(instances->pdata[i], j);
      if (state.tied || !state.weight) continue;
      char *dataset = mapped(state.name, map);
      gboolean there = store_has(self->file, dataset);
      gboolean done = !there || read_tensor(self, dataset, state.name, state.tensor, error);
      g_free(dataset);
      if (!done) return -1;
      found += there;
    }
  }
  if (found > 0) return found;
  g_set_error(error, HOST_ERROR, AB_DATA,
              "init: %s has no weight of this model's names (it was made with model %s); init.map "
              "translates names, such as {model/encoder: model}",
              store_path(self->file), self->model);
  return -1;
}

/* ---- how far the run had come ---------------------------------------------------------------- */

static gboolean read_best(const Checkpoint *self, const char *object, Best *best, GError **error) {
  gint64 any;
  if (!store_read_attr_int(self->file, object, "any", &any, error) ||
      !store_read_attr_real(self->file, object, "value", &best->value, error) ||
      !store_read_attr_int(self->file, object, "epoch", &best->epoch, error) ||
      !store_read_attr_int(self->file, object, "step", &best->step, error) ||
      !store_read_attr_int(self->file, object, "stale", &best->stale, error))
    return FALSE;
  best->any = any != 0;
  return TRUE;
}

static gboolean read_sums(const Checkpoint *self, RunState *state, GError **error) {
  gint64 count;
  if (!store_read_attr_int(self->file, "/run/sums", "count", &count, error)) return FALSE;
  gboolean done = TRUE;
  for (gint64 i = 0; done && i < count && i < 1000; i++) {
    char *object = g_strdup_printf("/run/sums/%" G_GINT64_FORMAT, i);
    Sum *sum = g_new0(Sum, 1);
    sum->name = store_read_attr_text(self->file, object, "name", error);
    done = sum->name && store_read_attr_real(self->file, object, "sum", &sum->sum, error) &&
           store_read_attr_int(self->file, object, "count", &sum->count, error);
    g_ptr_array_add(state->sums, sum);
    g_free(object);
  }
  return done;
}

/* Earlier builds did not count these: that is no reason to refuse their checkpoints. */
static void read_use(const Checkpoint *self, RunState *state) {
  double seconds = 0;
  gint64 bytes = 0;
  gboolean counted = store_read_attr_real(self->file, "/run", "cpu_seconds", &seconds, NULL) &&
                     store_read_attr_int(self->file, "/run", "peak_memory", &bytes, NULL);
  state->cpu_seconds = counted && seconds > 0 ? seconds : 0;
  state->peak_memory = counted ? MAX(bytes, 0) : 0;
}

static gboolean check_run(const Checkpoint *self, const RunState *state, GError **error) {
  if (state->epoch >= 0 && state->batch >= 0 && state->step >= 0 && state->log_bytes >= 0)
    return TRUE;
  g_set_error(error, HOST_ERROR, AB_DATA, "/run of %s is damaged: a count in it is negative",
              store_path(self->file));
  return FALSE;
}

static gboolean read_run(const Checkpoint *self, RunState *state, GError **error) {
  run_state_clear_sums(state);
  read_use(self, state);
  return store_read_attr_int(self->file, "/run", "epoch", &state->epoch, error) &&
         store_read_attr_int(self->file, "/run", "batch", &state->batch, error) &&
         store_read_attr_int(self->file, "/run", "step", &state->step, error) &&
         store_read_attr_int(self->file, "/run", "log_bytes", &state->log_bytes, error) &&
         store_read_attr_real(self->file, "/run", "seconds", &state->seconds, error) &&
         read_best(self, "/run/best", &state->best, error) &&
         read_best(self, "/run/stop", &state->stop, error) && read_sums(self, state, error) &&
         check_run(self, state, error);
}

/* Makes the states that the file has for a group: "/optimizer/first_moment/..." has the second
 * element of its name as their name.                                                             */
static gboolean make_states(const Checkpoint *self, Assembly *assembly, const char *group,
                            GError **error) {
  char *prefix = g_strdup_printf("/%s", group);
  GPtrArray *names = store_list(self->file, prefix, error);
  for (guint i = 0; names && i < names->len; i++) {
    const char *rest = (const char *)names->pdata[i] + strlen(prefix) + 1;
    char *state = g_strndup(rest, strcspn(rest, "/"));
    ab_step_state_make(assembly->step, group, state);
    g_free(state);
  }
  g_free(prefix);
  if (!names) return FALSE;
  g_ptr_array_unref(names);
  return TRUE;
}

static gboolean read_groups(const Checkpoint *self, Assembly *assembly, GError **error) {
  for (gint64 i = 0; i < ab_step_group_count(assembly->step); i++) {
    const char *group = ab_step_group_name(assembly->step, i);
    char *object = g_strdup_printf("/%s", group);
    gint64 updates = 0;
    gboolean done = store_read_attr_int(self->file, object, "updates", &updates, error) &&
                    make_states(self, assembly, group, error);
    g_free(object);
    if (!done) return FALSE;
    ab_step_set_updates(assembly->step, i, updates);
  }
  gboolean done = assembly_check(assembly, error);
  for (gint64 i = 0; done && i < ab_step_state_count(assembly->step); i++) {
    AbState state = ab_step_state(assembly->step, i);
    char *dataset = g_strdup_printf("/%s", state.name);
    done = read_tensor(self, dataset, state.name, state.tensor, error);
    g_free(dataset);
  }
  return done;
}

gboolean checkpoint_progress(const Checkpoint *self, Assembly *assembly, RunState *state,
                             GError **error) {
  AbScope scope = ab_scope_begin(assembly->ctx);
  gboolean done = read_run(self, state, error) && read_groups(self, assembly, error);
  ab_scope_end(assembly->ctx, scope, NULL, 0);
  return done;
}

char *checkpoint_differences(const Checkpoint *self, const Assembly *assembly) {
  GString *text = g_string_new(NULL);
  const GPtrArray *instances = assembly->binder.instances;
  for (guint i = 0; i < instances->len; i++) {
    const AbInstance *instance = instances->pdata[i];
    const Entry *entry = g_hash_table_lookup(assembly->binder.entries, instance);
    char *object = g_strdup_printf("/plugins/%s", ab_path(instance));
    char *then = store_read_attr_text(self->file, object, "sha256", NULL);
    char *version = store_read_attr_text(self->file, object, "version", NULL);
    char *now = registry_hash(entry, NULL);
    if (then && now && strcmp(then, now) != 0)
      g_string_append_printf(
          text, "%s: %s %s is not the build that made the checkpoint (then %s)\n",
          ab_path(instance), entry->plugin->id, entry->plugin->version, version ? version : "?");
    g_free(now);
    g_free(version);
    g_free(then);
    g_free(object);
  }
  return g_string_free(text, FALSE);
}
