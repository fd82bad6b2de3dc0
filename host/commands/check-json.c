/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost check` for programs. */
#include "../assembly/describe.h"
#include "../jsonout.h"
#include "check.h"

static void put_shape(JsonBuilder *json, AbShape shape) {
  jsonout_begin_array(json, "shape");
  for (int i = 0; i < shape.rank; i++) json_builder_add_int_value(json, shape.dims[i]);
  json_builder_end_array(json);
}

/* ---- layers and weights ---------------------------------------------------------------------- */

static void put_layer(JsonBuilder *json, const Layer *layer) {
  json_builder_begin_object(json);
  jsonout_text(json, "component", layer->component);
  jsonout_text(json, "operation", layer->operation);
  jsonout_texts(json, "weights", (const char *const *)layer->weights);
  put_shape(json, layer->output);
  jsonout_int(json, "parameters", layer->parameters);
  jsonout_int(json, "multiply_adds", layer->multiply_adds);
  jsonout_int(json, "times", layer->times);
  json_builder_end_object(json);
}

static void put_layers(JsonBuilder *json, const Rehearsal *self) {
  if (self->no_layers) {
    jsonout_null(json, "layers");
    return;
  }
  jsonout_begin_array(json, "layers");
  for (guint i = 0; i < self->layers->len; i++) put_layer(json, self->layers->pdata[i]);
  json_builder_end_array(json);
}

static void put_state(const AbState *state, void *data) {
  JsonBuilder *json = data;
  json_builder_begin_object(json);
  jsonout_text(json, "name", state->name);
  put_shape(json, ab_shape(state->tensor));
  jsonout_text(json, "axes", state->axes);
  jsonout_flag(json, "buffer", !state->weight);
  jsonout_flag(json, "learned", state->weight && !state->frozen);
  json_builder_end_object(json);
}

/* ---- what it costs --------------------------------------------------------------------------- */

static void put_memory(JsonBuilder *json, const Rehearsal *self) {
  gboolean known = !self->no_step;
  jsonout_begin_object(json, "memory");
  jsonout_int(json, "weights", self->weights);
  jsonout_int(json, "buffers", self->buffers);
  jsonout_int(json, "gradients", self->gradients);
  jsonout_known(json, "optimizer", self->optimizer, known);
  jsonout_known(json, "activations", self->activations, known);
  jsonout_int(json, "data", self->data);
  jsonout_int(json, "total", rehearsal_memory(self)); /* of what is known */
  json_builder_end_object(json);
  jsonout_begin_array(json, "optimizer_states");
  for (guint i = 0; i < self->states->len; i++) {
    const OptimizerState *state = self->states->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "group", state->group);
    jsonout_text(json, "name", state->name);
    jsonout_int(json, "bytes", state->bytes);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void put_costs(JsonBuilder *json, const Rehearsal *self) {
  jsonout_int(json, "parameters", self->parameters);
  jsonout_int(json, "learned", self->parameters - self->frozen);
  jsonout_int(json, "frozen", self->frozen);
  jsonout_int(json, "multiply_adds", self->multiply_adds);
  jsonout_int(json, "batch", self->batch);
  jsonout_known(json, "step_multiply_adds", self->step_multiply_adds, !self->no_step);
  jsonout_text(json, "step_unknown", self->no_step);
  put_memory(json, self);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void put_manifest(JsonBuilder *json, const Assembly *assembly, const Rehearsal *rehearsal) {
  jsonout_text(json, "problem", ab_role_name(assembly->role));
  jsonout_text(json, "model", assembly->model->component->name);
  put_costs(json, rehearsal);
  jsonout_begin_object(json, "samples");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    jsonout_int(json, ab_split_name(split),
                assembly->environment ? 0 : feed_samples(assembly->feed, split));
  json_builder_end_object(json);
  jsonout_int(json, "steps_per_epoch", feed_batches(assembly->feed, AB_TRAIN));
  put_layers(json, rehearsal);
  jsonout_text(json, "layers_unknown", rehearsal->no_layers);
  jsonout_int(json, "unread", rehearsal->unread);
  jsonout_begin_array(json, "weights");
  describe_states(assembly, put_state, json);
  json_builder_end_array(json);
}

static void put_candidate(JsonBuilder *json, const Candidate *candidate) {
  json_builder_begin_object(json);
  jsonout_text(json, "name", candidate->name);
  jsonout_flag(json, "fits", candidate->rehearsal != NULL);
  if (candidate->rehearsal) {
    jsonout_text(json, "model", candidate->model);
    put_costs(json, candidate->rehearsal);
  } else {
    jsonout_text(json, "error", candidate->error->message);
  }
  json_builder_end_object(json);
}

char *checked_json(const Checked *self) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  if (self->assembly) put_manifest(json, self->assembly, self->rehearsal);
  jsonout_begin_array(json, "candidates");
  for (guint i = 0; i < self->candidates->len; i++) put_candidate(json, self->candidates->pdata[i]);
  json_builder_end_array(json);
  json_builder_end_object(json);
  return jsonout_finish(json);
}
