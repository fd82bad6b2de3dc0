/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers: operations that read weights or multiply, in the order of computation. */
#include "layers.h"

#include <string.h>

/* A weight, and whether a layer has read it. */
typedef struct {
  AbState state;
  gboolean read;
} Weight;

typedef struct {
  Rehearsal *self;
  GPtrArray *weights;    /* Weight * */
  GHashTable *by_tensor; /* AbTensor * -> Weight * */
  GHashTable *by_memory; /* gint64 * -> Weight *: for views */
  GHashTable *known;     /* text of a layer -> Layer * */
  guint weighted;        /* layers with weights so far */
} Watcher;

void layer_free(gpointer data) {
  Layer *self = data;
  g_free(self->component);
  g_free(self->operation);
  g_strfreev(self->weights);
  g_free(self);
}

/* ---- weights --------------------------------------------------------------------------------- */

static void note_weight(Watcher *watcher, const AbState *state) {
  Weight *weight = g_new0(Weight, 1);
  weight->state = *state;
  weight->read = state->tied; /* it is counted where it belongs */
  g_ptr_array_add(watcher->weights, weight);
  g_hash_table_insert(watcher->by_tensor, state->tensor, weight);
  if (state->tied) return;
  gint64 *memory = g_new(gint64, 1);
  *memory = (gint64)ab_tensor_memory(state->tensor);
  g_hash_table_insert(watcher->by_memory, memory, weight);
}

static void note_weights(Watcher *watcher, const Assembly *assembly) {
  for (guint i = 0; i < assembly->binder.instances->len; i++) {
    const AbInstance *instance = assembly->binder.instances->pdata[i];
    for (gint64 j = 0; j < ab_state_count(instance); j++) {
      AbState state = ab_state(instance, j);
      if (state.weight) note_weight(watcher, &state);
    }
  }
}

/* The weight that x is, or is another look at; NULL if it is none. */
static Weight *weight_of(const Watcher *watcher, const AbTensor *x) {
  Weight *weight = g_hash_table_lookup(watcher->by_tensor, x);
  gint64 memory = (gint64)ab_tensor_memory(x);
  return weight ? weight : g_hash_table_lookup(watcher->by_memory, &memory);
}

/* A tied weight is read where it is; so is the one that it is tied to. */
static gint64 count_unread(Watcher *watcher, Weight *weight) {
  gint64 memory = (gint64)ab_tensor_memory(weight->state.tensor);
  Weight *owner = g_hash_table_lookup(watcher->by_memory, &memory);
  if (!owner || owner->read) return 0;
  owner->read = TRUE;
  return ab_count(owner->state.tensor);
}

/* ---- operations ------------------------------------------------------------------------------ */

static gboolean is_view(const AbOperation *operation) {
  uint64_t memory = ab_tensor_memory(operation->output);
  for (int32_t i = 0; i < operation->input_count; i++)
    if (ab_tensor_memory(operation->inputs[i]) == memory) return TRUE;
  return FALSE;
}

/* "W1" of the component at work, else the full name. */
static char *name_of(const Weight *weight, const char *component) {
  const char *name = weight->state.name;
  gsize length = strlen(component);
  gboolean own = strncmp(name, component, length) == 0 && name[length] == '/' &&
                 !strchr(name + length + 1, '/');
  return g_strdup(own ? name + length + 1 : name);
}

static Layer *layer_new(const Watcher *watcher, const AbOperation *operation) {
  Layer *layer = g_new0(Layer, 1);
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (int32_t i = 0; i < operation->input_count; i++) {
    Weight *weight = weight_of(watcher, operation->inputs[i]);
    if (weight) g_ptr_array_add(names, name_of(weight, operation->component));
  }
  g_ptr_array_add(names, NULL);
  layer->component = g_strdup(operation->component);
  layer->operation = g_strdup(operation->name);
  layer->weights = g_strdupv((char **)names->pdata);
  g_ptr_array_set_free_func(names, g_free);
  layer->output = ab_shape(operation->output);
  return layer;
}

/* What a layer is known by. One without weights is not the same again behind layers that have some
 * and were not there before. */
static char *text_of(const Watcher *watcher, const Layer *layer) {
  char shape[200], *names = g_strjoinv(",", layer->weights);
  char *text = g_strdup_printf("%s %s %s %s %u", layer->component, layer->operation, names,
                               ab_shape_text(layer->output, shape, sizeof shape),
                               *layer->weights ? 0 : watcher->weighted);
  g_free(names);
  return text;
}

/* The layer that this one repeats, or itself, which is then kept. */
static Layer *keep(Watcher *watcher, Layer *layer) {
  char *text = text_of(watcher, layer);
  Layer *known = g_hash_table_lookup(watcher->known, text);
  if (known) {
    g_free(text);
    layer_free(layer);
    return known;
  }
  g_hash_table_insert(watcher->known, text, layer);
  g_ptr_array_add(watcher->self->layers, layer);
  watcher->weighted += *layer->weights != NULL;
  return layer;
}

static void note_operation(void *data, const AbOperation *operation) {
  Watcher *watcher = data;
  if (is_view(operation)) return;
  Layer *layer = layer_new(watcher, operation);
  if (!*layer->weights && operation->multiply_adds == 0) {
    layer_free(layer);
    return;
  }
  layer = keep(watcher, layer);
  layer->times++;
  layer->multiply_adds += operation->multiply_adds;
  for (int32_t i = 0; i < operation->input_count; i++) {
    Weight *weight = weight_of(watcher, operation->inputs[i]);
    if (weight) layer->parameters += count_unread(watcher, weight);
  }
}

/* ---- the role -------------------------------------------------------------------------------- */

static void call_role(Assembly *assembly, gint64 samples, AbTensor *x) {
  if (assembly->role == AB_ROLE_GENERATE)
    ab_generate(assembly->model, samples);
  else
    ab_call(assembly->model, assembly->role, x);
}

/* What the role is given: x of the batch, or observations. */
static AbTensor *input_of(Assembly *assembly, const AbBatch *batch) {
  AbSpec in = ab_model_signature(assembly->model).in;
  if (assembly->role == AB_ROLE_GENERATE) return NULL;
  if (!assembly->environment) return ab_batch_get(batch, "x");
  AbShape shape = {.rank = in.rank + 1, .dims = {ab_batch_count(batch)}};
  memcpy(shape.dims + 1, in.shape, (gsize)in.rank * sizeof *in.shape);
  return ab_dry_tensor(assembly->ctx, ab_real_dtype(assembly->ctx), shape);
}

static void watch_role(Watcher *watcher, Assembly *assembly, const AbBatch *batch) {
  AbContext *ctx = assembly->ctx;
  AbScope scope = ab_scope_begin(ctx);
  const AbBatch *outer = ab_set_batch(ctx, batch);
  gboolean recording = ab_set_recording(ctx, false);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  AbTensor *x = input_of(assembly, batch);
  ab_watch(ctx, note_operation, watcher);
  call_role(assembly, ab_batch_count(batch), x);
  ab_watch(ctx, NULL, NULL);
  ab_set_recording(ctx, recording);
  ab_set_batch(ctx, outer);
  ab_scope_end(ctx, scope, NULL, 0);
}

static void add_unread(Watcher *watcher) {
  for (guint i = 0; i < watcher->weights->len; i++) {
    const Weight *weight = watcher->weights->pdata[i];
    if (!weight->read) watcher->self->unread += ab_count(weight->state.tensor);
  }
}

gboolean layers_find(Rehearsal *self, Assembly *assembly, const AbBatch *batch, GError **error) {
  Watcher watcher = {
      .self = self,
      .weights = g_ptr_array_new_with_free_func(g_free),
      .by_tensor = g_hash_table_new(NULL, NULL),
      .by_memory = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
      .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
  };
  note_weights(&watcher, assembly);
  watch_role(&watcher, assembly, batch);
  if (ab_error_code(assembly->ctx) == AB_INTERNAL) {
    self->no_layers = g_strdup(ab_error_message(assembly->ctx));
    ab_error_clear(assembly->ctx);
    g_ptr_array_set_size(self->layers, 0);
  } else {
    add_unread(&watcher);
  }
  g_hash_table_unref(watcher.known);
  g_hash_table_unref(watcher.by_memory);
  g_hash_table_unref(watcher.by_tensor);
  g_ptr_array_unref(watcher.weights);
  return assembly_check(assembly, error);
}
