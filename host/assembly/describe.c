/* SPDX-License-Identifier: Apache-2.0
 *
 * What `abhost check` shows. */
#include "describe.h"

#include "../json.h"
#include <string.h>

static const char *const ranges[] = {"real", "unit", "binary", "class"};

static char *spec_text(const AbField *field) {
  AbShape shape = {.rank = field->spec.rank};
  memcpy(shape.dims, field->spec.shape, sizeof shape.dims);
  char text[200];
  if (field->spec.range == AB_RANGE_CLASS)
    return g_strdup_printf("%s class of %" G_GINT64_FORMAT, field->name, field->spec.classes);
  return g_strdup_printf("%s %s %s", field->name, ab_shape_text(shape, text, sizeof text),
                         ranges[field->spec.range]);
}

/* Calls `visit` for every weight and buffer that is not tied. */
static void each_state(const Assembly *self, void (*visit)(const AbState *state, void *data),
                       void *data) {
  for (guint i = 0; i < self->binder.instances->len; i++) {
    const AbInstance *instance = self->binder.instances->pdata[i];
    for (gint64 j = 0; j < ab_state_count(instance); j++) {
      AbState state = ab_state(instance, j);
      if (!state.tied) visit(&state, data);
    }
  }
}

static void add_parameters(const AbState *state, void *data) {
  if (state->weight) *(gint64 *)data += ab_count(state->tensor);
}

gint64 describe_parameters(const Assembly *self) {
  gint64 count = 0;
  each_state(self, add_parameters, &count);
  return count;
}

static void add_line(const AbState *state, void *data) {
  char shape[200];
  g_string_append_printf(data, "  %-32s %-16s %s%s\n", state->name,
                         ab_shape_text(ab_shape(state->tensor), shape, sizeof shape), state->axes,
                         !state->weight  ? "  (buffer)"
                         : state->frozen ? "  (frozen)"
                                         : "");
}

static void add_environment(GString *text, const Assembly *self) {
  AbField seen = {"observation", ab_environment_observation(self->environment)};
  char *spec = spec_text(&seen);
  g_string_append_printf(
      text, "%-10s %s: %s, %" G_GINT64_FORMAT " actions; %" G_GINT64_FORMAT " steps an epoch\n",
      "environment", self->environment->component->name, spec,
      ab_environment_actions(self->environment), feed_batches(self->feed, AB_TRAIN));
  g_free(spec);
}

static void add_data(GString *text, const Assembly *self) {
  g_string_append_printf(text, "data       %s:", self->data->component->name);
  for (gint i = 0; i < feed_field_count(self->feed); i++) {
    AbField field = feed_field(self->feed, i);
    char *spec = spec_text(&field);
    g_string_append_printf(text, "%s %s", i ? "," : "", spec);
    g_free(spec);
  }
  g_string_append(text, "\nsamples   ");
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    if (feed_samples(self->feed, split) > 0)
      g_string_append_printf(text, " %s %" G_GINT64_FORMAT, ab_split_name(split),
                             feed_samples(self->feed, split));
  g_string_append_printf(text, "; %" G_GINT64_FORMAT " steps an epoch\n",
                         feed_batches(self->feed, AB_TRAIN));
}

static void add_name(GString *text, const char *key, const AbInstance *instance) {
  if (instance) g_string_append_printf(text, "%-10s %s\n", key, instance->component->name);
}

char *describe_text(Assembly *self) {
  GString *text = g_string_new(NULL);
  gint64 parameters = describe_parameters(self);
  g_string_append_printf(text, "problem    %s\n", ab_role_name(self->role));
  if (self->environment)
    add_environment(text, self);
  else
    add_data(text, self);
  add_name(text, "noise", self->noise);
  if (self->own_objective)
    g_string_append(text, "loss       the model's own objective\n");
  else
    add_name(text, "loss", self->loss);
  add_name(text, "optimizer", self->optimizer);
  add_name(text, "controller", self->controller);
  g_string_append_printf(text,
                         "model      %s: %" G_GINT64_FORMAT
                         " parameters (%.1f KB), %" G_GINT64_FORMAT " multiply-adds a sample\n",
                         self->model->component->name, parameters,
                         (double)parameters * (double)ab_dtype_size(ab_real_dtype(self->ctx)) / 1e3,
                         ab_model_multiply_adds(self->model));
  each_state(self, add_line, text);
  return g_string_free(text, FALSE);
}

static void add_member(const AbState *state, void *data) {
  JsonBuilder *json = data;
  AbShape shape = ab_shape(state->tensor);
  json_builder_begin_object(json);
  json_builder_set_member_name(json, "name");
  json_builder_add_string_value(json, state->name);
  json_builder_set_member_name(json, "shape");
  json_builder_begin_array(json);
  for (int i = 0; i < shape.rank; i++) json_builder_add_int_value(json, shape.dims[i]);
  json_builder_end_array(json);
  json_builder_set_member_name(json, "learned");
  json_builder_add_boolean_value(json, state->weight && !state->frozen);
  json_builder_end_object(json);
}

static void add_int(JsonBuilder *json, const char *name, gint64 value) {
  json_builder_set_member_name(json, name);
  json_builder_add_int_value(json, value);
}

char *describe_json(Assembly *self) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  json_builder_set_member_name(json, "problem");
  json_builder_add_string_value(json, ab_role_name(self->role));
  json_builder_set_member_name(json, "model");
  json_builder_add_string_value(json, self->model->component->name);
  add_int(json, "parameters", describe_parameters(self));
  add_int(json, "multiply_adds", ab_model_multiply_adds(self->model));
  json_builder_set_member_name(json, "samples");
  json_builder_begin_object(json);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    add_int(json, ab_split_name(split), feed_samples(self->feed, split));
  json_builder_end_object(json);
  json_builder_set_member_name(json, "weights");
  json_builder_begin_array(json);
  each_state(self, add_member, json);
  json_builder_end_array(json);
  json_builder_end_object(json);
  JsonNode *root = json_builder_get_root(json);
  char *line = json_text(root, TRUE), *text = g_strconcat(line, "\n", NULL);
  g_free(line);
  json_node_unref(root);
  return text;
}
