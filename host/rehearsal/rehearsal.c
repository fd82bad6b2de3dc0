/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of training with shapes, and what they hold. */
#include "layers.h"

#include "../assembly/describe.h"
#include "../manifest/param.h"
#include "../run/evaluate.h"
#include <string.h>

static void state_free(gpointer data) {
  OptimizerState *state = data;
  g_free(state->group);
  g_free(state->name);
  g_free(state);
}

void rehearsal_free(Rehearsal *self) {
  if (!self) return;
  g_ptr_array_unref(self->layers);
  g_ptr_array_unref(self->states);
  g_free(self->no_layers);
  g_free(self->no_step);
  g_free(self);
}

/* ---- what is there before any step ----------------------------------------------------------- */

static gint64 bytes_of(const AbTensor *x) {
  return ab_count(x) * (gint64)ab_dtype_size(ab_dtype(x));
}

static void add_state(const AbState *state, void *data) {
  Rehearsal *self = data;
  gint64 bytes = bytes_of(state->tensor), count = ab_count(state->tensor);
  if (!state->weight) {
    self->buffers += bytes;
    return;
  }
  self->weights += bytes;
  self->parameters += count;
  if (state->frozen)
    self->frozen += count;
  else
    self->gradients += bytes;
}

/* Data in a slot of other data is what holds the samples. */
static gboolean has_data(AbInstance *instance) {
  const AbComponent *component = instance->component;
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    if (slot->kind == AB_KIND_DATA && ab_children(instance, slot->key).count > 0) return TRUE;
  }
  return FALSE;
}

static gint64 data_bytes(AbData *data) {
  const AbDataVtable *table = data->component->vtable;
  gint64 sample = 0, samples = 0;
  if (table->flags & AB_DATA_BLOCKING) return 0;
  for (gint i = 0; i < ab_data_field_count(data); i++) {
    AbSpec spec = ab_data_field_at(data, i).spec;
    sample += ab_spec_count(&spec) * (gint64)ab_dtype_size(spec.dtype);
  }
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) samples += ab_data_samples(data, split);
  return sample * samples;
}

static void add_data(Rehearsal *self, const Assembly *assembly) {
  for (guint i = 0; i < assembly->binder.instances->len; i++) {
    AbInstance *instance = assembly->binder.instances->pdata[i];
    if (instance->component->kind == AB_KIND_DATA && !has_data(instance))
      self->data += data_bytes(instance);
  }
}

/* ---- batches --------------------------------------------------------------------------------- */

static gint64 batch_size(const Assembly *assembly) {
  if (assembly->environment) return 1;
  gint64 samples = feed_samples(assembly->feed, AB_TRAIN);
  return MAX(1, MIN(assembly->settings->feed.batch, samples));
}

/* A training batch of shapes; its tensors are of the scope. */
static AbBatch *batch_new(const Assembly *assembly, gint64 count) {
  AbBatch *batch = ab_batch_new(assembly->ctx, count);
  for (gint i = 0; batch && i < feed_field_count(assembly->feed); i++) {
    AbField field = feed_field(assembly->feed, i);
    AbShape shape = {.rank = field.spec.rank + 1, .dims = {count}};
    memcpy(shape.dims + 1, field.spec.shape, (gsize)field.spec.rank * sizeof *shape.dims);
    ab_batch_put(batch, field.name, ab_dry_tensor(assembly->ctx, field.spec.dtype, shape));
  }
  return batch;
}

static gboolean find_layers(Rehearsal *self, Assembly *assembly, GError **error) {
  AbScope scope = ab_scope_begin(assembly->ctx);
  AbBatch *batch = batch_new(assembly, self->batch);
  gboolean done = batch ? layers_find(self, assembly, batch, error) : FALSE;
  ab_batch_free(batch);
  ab_scope_end(assembly->ctx, scope, NULL, 0);
  return done || (batch ? FALSE : assembly_check(assembly, error));
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void add_products(void *data, const AbOperation *operation) {
  *(gint64 *)data += operation->multiply_adds;
}

/* The products of one step; afterwards the context may hold an error. */
static gint64 rehearse_step(const Rehearsal *self, Assembly *assembly, const AbProgress *progress) {
  AbContext *ctx = assembly->ctx;
  gint64 products = 0;
  AbScope scope = ab_scope_begin(ctx);
  AbBatch *batch = batch_new(assembly, self->batch);
  if (batch && prepare_batch(assembly, batch, TRUE, progress->step)) {
    ab_begin(ctx, AB_PURPOSE_TRAIN, progress->step);
    ab_watch(ctx, add_products, &products);
    ab_step_run(assembly->step, batch, progress);
    ab_watch(ctx, NULL, NULL);
  }
  ab_set_recording(ctx, true);
  ab_parts_clear(ctx);
  ab_batch_free(batch);
  ab_scope_end(ctx, scope, NULL, 0);
  return products;
}

/* Step `phase` of `phases` that are spread over the run: the last of them is the run's last. */
static AbProgress progress_at(const Assembly *assembly, gint64 phase, gint64 phases) {
  gint64 epochs = MAX(1, assembly->settings->general.epochs);
  gint64 steps = MAX(1, feed_batches(assembly->feed, AB_TRAIN));
  gboolean last = phase == phases;
  gint64 epoch = last || phases < 2
                     ? epochs - 1
                     : (gint64)((double)(epochs - 1) * (double)phase / (double)(phases - 1));
  if (phase == 0) epoch = 0;
  return (AbProgress){.epoch = epoch,
                      .epochs = epochs,
                      .step = epoch * steps + (last ? steps - 1 : 0),
                      .steps_per_epoch = steps};
}

/* An error of the SDK's own is none of the manifest's: something asked for numbers. */
static gboolean rehearse_steps(Rehearsal *self, Assembly *assembly, gint64 phases, GError **error) {
  phases = CLAMP(phases, 1, MAX(1, assembly->settings->general.epochs));
  for (gint64 phase = 0; phase <= phases && !self->no_step; phase++) {
    AbProgress progress = progress_at(assembly, phase, phases);
    gint64 products = rehearse_step(self, assembly, &progress);
    self->step_multiply_adds = MAX(self->step_multiply_adds, products);
    if (ab_error_code(assembly->ctx) != AB_INTERNAL) {
      if (!assembly_check(assembly, error)) return FALSE;
      continue;
    }
    self->no_step = g_strdup(ab_error_message(assembly->ctx));
    ab_error_clear(assembly->ctx);
  }
  return TRUE;
}

/* ---- what the steps have made ---------------------------------------------------------------- */

static OptimizerState *state_named(GPtrArray *states, const char *group, const char *name) {
  for (guint i = 0; i < states->len; i++) {
    OptimizerState *state = states->pdata[i];
    if (strcmp(state->group, group) == 0 && strcmp(state->name, name) == 0) return state;
  }
  OptimizerState *state = g_new0(OptimizerState, 1);
  *state = (OptimizerState){g_strdup(group), g_strdup(name), 0};
  g_ptr_array_add(states, state);
  return state;
}

static int by_name(gconstpointer a, gconstpointer b) {
  const OptimizerState *x = *(OptimizerState *const *)a, *y = *(OptimizerState *const *)b;
  int groups = strcmp(x->group, y->group);
  return groups ? groups : strcmp(x->name, y->name);
}

static void add_optimizer(Rehearsal *self, const AbStep *step) {
  for (gint64 i = 0; i < ab_step_state_count(step); i++) {
    AbState state = ab_step_state(step, i);
    g_auto(GStrv) parts = g_strsplit(state.name, "/", 3); /* group/state/weight */
    gint64 bytes = bytes_of(state.tensor);
    state_named(self->states, parts[0], parts[1])->bytes += bytes;
    self->optimizer += bytes;
  }
  g_ptr_array_sort(self->states, by_name); /* an optimizer asks for them in any order */
}

static void forget_step(Rehearsal *self) {
  self->step_multiply_adds = self->optimizer = self->activations = 0;
  g_ptr_array_set_size(self->states, 0);
}

Rehearsal *rehearsal_new(Assembly *assembly, gint64 phases, GError **error) {
  g_autoptr(Rehearsal) self = g_new0(Rehearsal, 1);
  self->layers = g_ptr_array_new_with_free_func(layer_free);
  self->states = g_ptr_array_new_with_free_func(state_free);
  self->batch = batch_size(assembly);
  describe_states(assembly, add_state, self);
  add_data(self, assembly);
  self->multiply_adds = ab_model_multiply_adds(assembly->model);
  if (!assembly_check(assembly, error) || !find_layers(self, assembly, error)) return NULL;
  if (!rehearse_steps(self, assembly, phases, error)) return NULL;
  add_optimizer(self, assembly->step);
  self->activations = ab_step_activations(assembly->step);
  if (self->no_step) forget_step(self);
  return g_steal_pointer(&self);
}

gint64 rehearsal_memory(const Rehearsal *self) {
  return self->weights + self->buffers + self->gradients + self->optimizer + self->activations +
         self->data;
}
