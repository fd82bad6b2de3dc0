/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost check` for programs. */
#include "../assembly/describe.h"
#include "check.h"
#include "jsonout.h"

static void put_int(JsonBuilder *json, const char *name, gint64 value) {
  json_builder_set_member_name(json, name);
  json_builder_add_int_value(json, value);
}

/* null where it is not known */
static void put_known(JsonBuilder *json, const char *name, gint64 value, gboolean known) {
  json_builder_set_member_name(json, name);
  if (known)
    json_builder_add_int_value(json, value);
  else
    json_builder_add_null_value(json);
}

static void put_text_or_null(JsonBuilder *json, const char *name, const char *text) {
  if (text) {
    jsonout_text(json, name, text);
    return;
  }
  json_builder_set_member_name(json, name);
  json_builder_add_null_value(json);
}

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
  jsonout_begin_array(json, "weights");
  for (char **name = layer->weights; *name; name++) json_builder_add_string_value(json, *name);
  json_builder_end_array(json);
  put_shape(json, layer->output);
  put_int(json, "parameters", layer->parameters);
  put_int(json, "multiply_adds", layer->multiply_adds);
  put_int(json, "times", layer->times);
  json_builder_end_object(json);
}

static void put_layers(JsonBuilder *json, const Rehearsal *self) {
  json_builder_set_member_name(json, "layers");
  if (self->no_layers) {
    json_builder_add_null_value(json);
    return;
  }
  json_builder_begin_array(json);
  for (guint i = 0; i < self->layers->len; i++) put_layer(json, self->layers->pdata[i]);
  json_builder_end_array(json);
}

static void put_state(const AbState *state, void *data) {
  JsonBuilder *json = data;
  json_builder_begin_object(json);
  jsonout_text(json, "name", state->name);
  put_shape(json, ab_shape(state->tensor));
  jsonout_text(json, "axes", state->axes);
  json_builder_set_member_name(json, "buffer");
  json_builder_add_boolean_value(json, !state->weight);
  json_builder_set_member_name(json, "learned");
  json_builder_add_boolean_value(json, state->weight && !state->frozen);
  json_builder_end_object(json);
}

/* ---- what it costs --------------------------------------------------------------------------- */

static void put_memory(JsonBuilder *json, const Rehearsal *self) {
  gboolean known = !self->no_step;
  json_builder_set_member_name(json, "memory");
  json_builder_begin_object(json);
  put_int(json, "weights", self->weights);
  put_int(json, "buffers", self->buffers);
  put_int(json, "gradients", self->gradients);
  put_known(json, "optimizer", self->optimizer, known);
  put_known(json, "activations", self->activations, known);
  put_int(json, "data", self->data);
  put_int(json, "total", rehearsal_memory(self)); /* of what is known */
  json_builder_end_object(json);
  jsonout_begin_array(json, "optimizer_states");
  for (guint i = 0; i < self->states->len; i++) {
    const OptimizerState *state = self->states->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "group", state->group);
    jsonout_text(json, "name", state->name);
    put_int(json, "bytes", state->bytes);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static void put_costs(JsonBuilder *json, const Rehearsal *self) {
  put_int(json, "parameters", self->parameters);
  put_int(json, "learned", self->parameters - self->frozen);
  put_int(json, "frozen", self->frozen);
  put_int(json, "multiply_adds", self->multiply_adds);
  put_int(json, "batch", self->batch);
  put_known(json, "step_multiply_adds", self->step_multiply_adds, !self->no_step);
  put_text_or_null(json, "step_unknown", self->no_step);
  put_memory(json, self);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void put_manifest(JsonBuilder *json, const Assembly *assembly, const Rehearsal *rehearsal) {
  jsonout_text(json, "problem", ab_role_name(assembly->role));
  jsonout_text(json, "model", assembly->model->component->name);
  put_costs(json, rehearsal);
  json_builder_set_member_name(json, "samples");
  json_builder_begin_object(json);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    put_int(json, ab_split_name(split),
            assembly->environment ? 0 : feed_samples(assembly->feed, split));
  json_builder_end_object(json);
  put_int(json, "steps_per_epoch", feed_batches(assembly->feed, AB_TRAIN));
  put_layers(json, rehearsal);
  put_text_or_null(json, "layers_unknown", rehearsal->no_layers);
  put_int(json, "unread", rehearsal->unread);
  jsonout_begin_array(json, "weights");
  describe_states(assembly, put_state, json);
  json_builder_end_array(json);
}

static void put_candidate(JsonBuilder *json, const Candidate *candidate) {
  json_builder_begin_object(json);
  jsonout_text(json, "name", candidate->name);
  json_builder_set_member_name(json, "fits");
  json_builder_add_boolean_value(json, candidate->rehearsal != NULL);
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
