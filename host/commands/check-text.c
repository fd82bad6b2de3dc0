/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost check` for people. */
#include "../amounts.h"
#include "../assembly/describe.h"
#include "../table.h"
#include "check.h"

/* ---- the parts ------------------------------------------------------------------------------- */

static void add_environment(GString *text, const Assembly *self) {
  AbField seen = {"observation", ab_environment_observation(self->environment)};
  g_autofree char *spec = describe_field(&seen);
  g_string_append_printf(
      text, "%-10s %s: %s, %" G_GINT64_FORMAT " actions; %" G_GINT64_FORMAT " steps an epoch\n",
      "environment", self->environment->component->name, spec,
      ab_environment_actions(self->environment), feed_batches(self->feed, AB_TRAIN));
}

static void add_data(GString *text, const Assembly *self) {
  g_string_append_printf(text, "data       %s:", self->data->component->name);
  for (gint i = 0; i < feed_field_count(self->feed); i++) {
    AbField field = feed_field(self->feed, i);
    g_autofree char *spec = describe_field(&field);
    g_string_append_printf(text, "%s %s", i ? "," : "", spec);
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

static void add_parts(GString *text, const Assembly *self) {
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
  add_name(text, "model", self->model);
}

/* ---- layers ---------------------------------------------------------------------------------- */

static void add_layer(Table *table, const Layer *layer, gint64 batch) {
  char shape[200];
  g_autofree char *weights = g_strjoinv(", ", layer->weights);
  g_autofree char *operation = layer->times > 1 ? g_strdup_printf("%s, %" G_GINT64_FORMAT " times",
                                                                  layer->operation, layer->times)
                                                : g_strdup(layer->operation);
  g_autofree char *parameters = amounts_count(layer->parameters);
  g_autofree char *products = amounts_count(layer->multiply_adds / batch);
  const char *known = layer->parameters ? parameters : *layer->weights ? "shared" : "";
  table_add(table, layer->component, operation, weights,
            ab_shape_text(layer->output, shape, sizeof shape), known,
            layer->multiply_adds ? products : "");
}

static void add_layers(GString *text, const Assembly *assembly, const Rehearsal *self) {
  const char *role = ab_role_name(assembly->role);
  if (self->no_layers) {
    g_string_append_printf(text, "\nlayers     not known without numbers: %s\n", self->no_layers);
    return;
  }
  g_autoptr(Table) table = table_new("llllrr");
  table_add(table, "layer", "operation", "weights", "output", "parameters", "multiply-adds");
  for (guint i = 0; i < self->layers->len; i++)
    add_layer(table, self->layers->pdata[i], self->batch);
  g_autofree char *unread = amounts_count(self->unread);
  g_autofree char *parameters = amounts_count(self->parameters);
  g_autofree char *products = amounts_count(self->multiply_adds);
  if (self->unread) table_add(table, "not read by this role", "", "", "", unread, "");
  table_add(table, "in all", "", "", "", parameters, products);
  g_string_append_printf(text,
                         "\nThe role %s, for a batch of %" G_GINT64_FORMAT
                         "; multiply-adds of products, for one sample\n\n",
                         role, self->batch);
  table_write(table, text, 0, TRUE);
}

/* ---- what it costs --------------------------------------------------------------------------- */

static void add_size(Table *table, const char *name, gint64 bytes, const char *what) {
  g_autofree char *size = amounts_bytes(bytes);
  if (bytes > 0) table_add(table, name, size, what);
}

/* "first_moment, second_moment; discriminator: velocity" */
static char *states_text(const Rehearsal *self) {
  GString *names = g_string_new(NULL);
  const char *group = NULL;
  for (guint i = 0; i < self->states->len; i++) {
    const OptimizerState *state = self->states->pdata[i];
    gboolean same = g_strcmp0(state->group, group) == 0;
    if (group) g_string_append(names, same ? ", " : "; ");
    if (!same) g_string_append_printf(names, "%s: ", state->group);
    g_string_append(names, state->name);
    group = state->group;
  }
  return g_string_free(names, FALSE);
}

static void add_step(GString *text, const Rehearsal *self) {
  g_autofree char *products = amounts_count(self->step_multiply_adds);
  if (self->no_step)
    g_string_append_printf(text,
                           "\nstep       not known without numbers, nor what optimizer and "
                           "activations take: %s\n",
                           self->no_step);
  else
    g_string_append_printf(
        text,
        "\nstep       %s multiply-adds of products in a training step of %" G_GINT64_FORMAT
        ", backward passes left out\n",
        products, self->batch);
}

static void add_memory(GString *text, const Rehearsal *self) {
  g_autoptr(Table) table = table_new("lrl");
  g_autofree char *states = states_text(self), *frozen = amounts_count(self->frozen);
  g_autofree char *learned = amounts_count(self->parameters - self->frozen);
  g_autofree char *of_weights =
      self->frozen ? g_strdup_printf("%s numbers that learn, %s frozen", learned, frozen)
                   : g_strdup_printf("%s numbers", learned);
  add_size(table, "weights", self->weights, of_weights);
  add_size(table, "buffers", self->buffers, "what is kept and not learned");
  add_size(table, "gradients", self->gradients, "");
  add_size(table, "optimizer", self->optimizer, states);
  add_size(table, "activations", self->activations,
           "what an update keeps for its backward pass, with its batch");
  add_size(table, "data", self->data, "all samples, as the data declares them");
  add_size(table, "in all", rehearsal_memory(self),
           self->no_step ? "of what is known" : "without the work space of operations");
  g_string_append(text, "\nMemory, estimated\n\n");
  table_write(table, text, 0, FALSE);
}

/* ---- weights --------------------------------------------------------------------------------- */

static void add_weight(const AbState *state, void *table) {
  char shape[200];
  table_add(table, state->name, ab_shape_text(ab_shape(state->tensor), shape, sizeof shape),
            state->axes,
            !state->weight  ? "(buffer)"
            : state->frozen ? "(frozen)"
                            : "");
}

static void add_weights(GString *text, const Assembly *assembly) {
  g_autoptr(Table) table = table_new("llll");
  describe_states(assembly, add_weight, table);
  g_string_append(text, "\nWeights and buffers\n\n");
  table_write(table, text, 0, FALSE);
}

/* ---- candidates ------------------------------------------------------------------------------ */

static void add_candidate(Table *table, const Candidate *candidate) {
  const Rehearsal *r = candidate->rehearsal;
  if (!r) {
    table_add(table, candidate->name, "wrong: see above", "", "", "");
    return;
  }
  g_autofree char *parameters = amounts_count(r->parameters);
  g_autofree char *products = amounts_count(r->multiply_adds);
  g_autofree char *memory = amounts_bytes(rehearsal_memory(r));
  table_add(table, candidate->name, candidate->model, parameters, products, memory);
}

static void add_candidates(GString *text, const Checked *self) {
  if (self->candidates->len == 0) return;
  g_autoptr(Table) table = table_new("llrrr");
  table_add(table, "candidate", "model", "parameters", "multiply-adds", "memory");
  for (guint i = 0; i < self->candidates->len; i++)
    add_candidate(table, self->candidates->pdata[i]);
  if (text->len) g_string_append_c(text, '\n');
  table_write(table, text, 0, TRUE);
}

char *checked_text(const Checked *self) {
  GString *text = g_string_new(NULL);
  if (self->assembly) {
    add_parts(text, self->assembly);
    add_layers(text, self->assembly, self->rehearsal);
    add_step(text, self->rehearsal);
    add_memory(text, self->rehearsal);
    add_weights(text, self->assembly);
  }
  add_candidates(text, self);
  return g_string_free(text, FALSE);
}
