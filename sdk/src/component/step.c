/* SPDX-License-Identifier: Apache-2.0
 *
 * A training step: objective, backward, clipping, penalties, NaN guard, optimizer, projections. */
#include "step.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *pattern;
  double factor;
} Rate;

AbStep *ab_step_new(AbContext *ctx, const AbStepParts *parts) {
  AbStep *step = calloc(1, sizeof *step);
  if (!step) {
    ab_error(ctx, AB_INTERNAL, "out of memory");
    return NULL;
  }
  step->ctx = ctx;
  step->parts = *parts;
  return step;
}

void ab_step_free(AbStep *step) {
  if (!step) return;
  for (int64_t i = 0; i < step->groups.count; i++) ab_group_free(step->groups.items[i]);
  for (int64_t i = 0; i < step->rates.count; i++) {
    Rate *rate = step->rates.items[i];
    free(rate->pattern);
    free(rate);
  }
  free(step->groups.items);
  free(step->rates.items);
  free(step);
}

void ab_step_rate(AbStep *step, const char *pattern, double factor) {
  Rate *rate = calloc(1, sizeof *rate);
  if (rate) *rate = (Rate){ab_text_copy(pattern), factor};
  if (rate && rate->pattern && ab_stack_push(step->ctx, &step->rates, rate)) return;
  if (rate) free(rate->pattern);
  free(rate);
  ab_error(step->ctx, AB_INTERNAL, "out of memory");
}

static double rate_of(const char *weight, void *data) {
  const AbStep *step = data;
  for (int64_t i = 0; i < step->rates.count; i++) {
    const Rate *rate = step->rates.items[i];
    if (fnmatch(rate->pattern, weight, 0) == 0) return rate->factor;
  }
  return 1;
}

AbGroup *ab_group(AbStep *step, const char *name, AbModel *model, AbOptimizer *optimizer) {
  for (int64_t i = 0; i < step->groups.count; i++) {
    const AbGroup *other = step->groups.items[i];
    if (strcmp(other->name, name) != 0) continue;
    ab_error(step->ctx, AB_INTERNAL, "there are two groups '%s'", name);
    return NULL;
  }
  AbGroup *group = ab_group_new(step->ctx, name, model, optimizer, rate_of, step, &step->groups);
  if (group && ab_stack_push(step->ctx, &step->groups, group)) return group;
  ab_group_free(group);
  return NULL;
}

void ab_step_build(AbStep *step) {
  AbController *controller = step->parts.controller;
  const AbControllerVtable *t = controller->component->vtable;
  if (!ab_group(step, "optimizer", step->parts.model, step->parts.optimizer)) return;
  if (!AB_OFFERS(t, AbControllerVtable, build)) return;
  AbInstance *before = ab_enter(controller);
  t->build(controller, step);
  ab_leave(step->ctx, before);
}

/* ---- what a controller sees ------------------------------------------------------------------ */

AbModel *ab_step_model(const AbStep *step) {
  return step->parts.model;
}

AbGroup *ab_step_group(const AbStep *step) {
  return step->groups.count ? step->groups.items[0] : NULL;
}

const AbBatch *ab_step_batch(const AbStep *step) {
  return step->batch;
}

AbRole ab_step_role(const AbStep *step) {
  return step->parts.role;
}

const AbProgress *ab_step_progress(const AbStep *step) {
  return &step->progress;
}

AbOptimizer *ab_step_optimizer(const AbStep *step) {
  return step->parts.optimizer;
}

AbEnvironment *ab_step_environment(const AbStep *step) {
  return step->parts.environment;
}

static AbTensor *default_objective(AbStep *step, AbModel *model, AbRole role,
                                   const AbBatch *batch) {
  if (!step->parts.loss) {
    ab_fail(model, AB_CONFIG, "the model has no objective of its own and the manifest no loss");
    return NULL;
  }
  AbTensor *output = ab_call(model, role, ab_batch_get(batch, "x"));
  return ab_loss_value(step->parts.loss, output, ab_batch_get(batch, "target"));
}

static AbTensor *scalar(AbModel *model, AbTensor *value, const char *what) {
  if (value && value->rank == 0) return value;
  AbContext *ctx = model->state->ctx;
  if (ab_ok(ctx))
    ab_fail(model, AB_INTERNAL, "%s %s", what,
            value ? "is no scalar" : "returned nothing, and no error");
  return NULL;
}

AbTensor *ab_objective(AbStep *step, AbModel *model, AbRole role, const AbBatch *batch) {
  const AbModelVtable *t = model->component->vtable;
  if (!batch || !ab_ok(step->ctx)) return NULL;
  const AbBatch *outer = ab_set_batch(step->ctx, batch);
  AbTensor *objective = NULL;
  if (!ab_model_has_objective(model, role)) {
    objective = default_objective(step, model, role, batch);
  } else if (!AB_OFFERS(t, AbModelVtable, objective)) {
    ab_fail(model, AB_CONFIG,
            "it learns by a rule of its own and has no objective; take a controller that lets it, "
            "such as trainer");
  } else {
    AbInstance *before = ab_enter(model);
    objective = t->objective(model, batch);
    ab_leave(step->ctx, before);
    objective = scalar(model, objective, "its objective");
  }
  ab_set_batch(step->ctx, outer);
  return objective;
}

AbTensor *ab_step_objective(AbStep *step) {
  return ab_objective(step, step->parts.model, step->parts.role, step->batch);
}

/* ---- the update ------------------------------------------------------------------------------ */

/* The sum of all penalties; NULL without an error if there is none. */
static AbTensor *penalties(AbStep *step, const AbGroup *group) {
  AbTensor *sum = NULL;
  for (int64_t i = 0; i < step->parts.regularizer_count; i++) {
    AbRegularizer *regularizer = step->parts.regularizers[i];
    const AbRegularizerVtable *t = regularizer->component->vtable;
    if (!AB_OFFERS(t, AbRegularizerVtable, penalty)) continue;
    AbInstance *before = ab_enter(regularizer);
    for (int64_t j = 0; j < group->member_count && ab_ok(step->ctx); j++) {
      if (group->members[j].tensor->rank < 2) continue;
      AbTensor *penalty = t->penalty(regularizer, group->members[j].tensor);
      if (!penalty && ab_ok(step->ctx))
        ab_fail(regularizer, AB_INTERNAL, "its penalty returned nothing, and no error");
      sum = sum ? ab_add(sum, penalty) : penalty;
    }
    ab_leave(step->ctx, before);
  }
  return sum;
}

static void project(AbStep *step, const AbGroup *group) {
  bool recording = ab_set_recording(step->ctx, false);
  for (int64_t i = 0; i < step->parts.regularizer_count; i++) {
    AbRegularizer *regularizer = step->parts.regularizers[i];
    const AbRegularizerVtable *t = regularizer->component->vtable;
    if (!AB_OFFERS(t, AbRegularizerVtable, project)) continue;
    AbInstance *before = ab_enter(regularizer);
    for (int64_t j = 0; j < group->member_count; j++)
      if (group->members[j].tensor->rank >= 2) t->project(regularizer, group->members[j].tensor);
    ab_leave(step->ctx, before);
  }
  ab_set_recording(step->ctx, recording);
}

/* A norm that is no number tells the host of a divergence from other errors. */
static void diverged(AbStep *step, const char *what) {
  step->norm = NAN;
  ab_error(step->ctx, AB_DATA,
           "training diverged in step %lld: %s is not finite; try a smaller learning rate, "
           "clip.norm, or data.transform.standardise",
           (long long)step->progress.step + 1, what);
}

/* The norm of all gradients of the group; an error that names the weight if one is not finite. */
static double checked_norm(AbStep *step, AbGroup *group) {
  const AbDevice *device = step->ctx->device;
  AbDtype real = step->ctx->real;
  double squares = device->sum_squares(real, group->size, ab_data_of(group->gradients));
  if (isfinite(squares)) return sqrt(squares);
  for (int64_t i = 0; i < group->member_count; i++) {
    const AbTensor *weight = group->members[i].tensor;
    if (isfinite(device->sum_squares(real, ab_tensor_count(weight), ab_data_of(weight->grad))))
      continue;
    char what[300];
    snprintf(what, sizeof what, "the gradient of %s", group->members[i].entry->path);
    diverged(step, what);
    return NAN;
  }
  diverged(step, "the norm of all gradients");
  return NAN;
}

/* Clipping is left to the optimizer's own pass over the gradients (ab_update_unclipped); whoever
 * wants to see them before has it done (ab_group_clip). */
static void clip(AbStep *step, AbGroup *group) {
  double norm = step->parts.clip_norm, limit = step->parts.clip_value;
  group->clip_scale = norm > 0 && step->norm > norm ? norm / step->norm : 1;
  group->clip_limit = limit > 0 ? limit : INFINITY;
}

/* After clipping: what a penalty asks of a weight does not depend on the size of the loss. */
static void add_penalties(AbStep *step, AbGroup *group) {
  AbTensor *penalty = penalties(step, group);
  if (!penalty || !ab_ok(step->ctx)) return;
  ab_group_clip(group);
  ab_backward(penalty);
  if (ab_ok(step->ctx)) checked_norm(step, group);
}

static void optimize(AbStep *step, AbGroup *group) {
  AbOptimizer *optimizer = group->optimizer;
  const AbOptimizerVtable *t = optimizer->component->vtable;
  AbInstance *before = ab_enter(optimizer);
  for (int64_t i = 0; i < group->span_count && ab_ok(step->ctx); i++) {
    AbUpdate update = {step, group, &group->spans[i]};
    t->update(optimizer, &update);
  }
  ab_leave(step->ctx, before);
}

static void members_want(const AbGroup *group, bool wanted) {
  for (int64_t i = 0; i < group->member_count; i++) group->members[i].tensor->needs_grad = wanted;
}

/* Whether the weights that are in other groups only get gradients: a step that moves one of two
 * adversaries need not compute those of the other.                                              */
static void want_gradients(AbStep *step, const AbGroup *but, bool wanted) {
  for (int64_t i = 0; i < step->groups.count; i++) members_want(step->groups.items[i], wanted);
  members_want(but, true);
}

/* Whether a group can be moved by what `loss` says. */
static bool movable(AbStep *step, AbTensor *loss, const AbGroup *group) {
  AbContext *ctx = step->ctx;
  if (!ab_ok(ctx)) return false;
  if (!loss || !group)
    ab_error(ctx, AB_INTERNAL, "an update was asked for without a loss or a group");
  else if (group->used)
    ab_error(ctx, AB_INTERNAL,
             "an update was asked for while the group computes with kept weights");
  else if (!ab_is_shape_only(loss) && !isfinite(ab_item(loss)))
    diverged(step, "the loss");
  else
    return !ctx->shape_only && !ab_is_shape_only(loss);
  return false;
}

/* All that comes after the gradients. */
static void move(AbStep *step, AbGroup *group) {
  AbContext *ctx = step->ctx;
  if (!ab_ok(ctx)) return;
  ab_group_complete_gradients(group);
  step->norm = checked_norm(step, group);
  if (!ab_ok(ctx)) return;
  clip(step, group);
  add_penalties(step, group);
  if (!ab_ok(ctx)) return;
  group->updates++;
  optimize(step, group);
  project(step, group);
}

/* What can be done of an update in a dry run: penalties, optimizer and projections work on shapes.
 */
static void rehearse(AbStep *step, AbTensor *loss, AbGroup *group) {
  if (!ab_ok(step->ctx) || !step->ctx->shape_only) return;
  int64_t bytes = ab_graph_bytes(loss);
  if (bytes > step->activations) step->activations = bytes;
  penalties(step, group);
  group->updates++;
  optimize(step, group);
  project(step, group);
}

void ab_update(AbStep *step, AbTensor *loss, AbGroup *group) {
  if (!movable(step, loss, group)) {
    rehearse(step, loss, group);
    return;
  }
  ab_group_clear_gradients(group);
  want_gradients(step, group, false);
  ab_backward(loss);
  want_gradients(step, group, true);
  move(step, group);
}

/* The model gives gradients by its own rule. */
static AbTensor *learn(AbStep *step, AbModel *model, const AbBatch *batch, AbGroup *group) {
  const AbModelVtable *t = model->component->vtable;
  const AbBatch *outer = ab_set_batch(step->ctx, batch);
  AbInstance *before = ab_enter(model);
  bool recording = ab_set_recording(step->ctx, false);
  ab_group_clear_gradients(group);
  AbTensor *value = t->learn(model, batch);
  ab_set_recording(step->ctx, recording);
  ab_leave(step->ctx, before);
  ab_set_batch(step->ctx, outer);
  value = scalar(model, value, "its rule of learning");
  if (movable(step, value, group))
    move(step, group);
  else
    rehearse(step, value, group);
  return value;
}

AbTensor *ab_learn(AbStep *step, AbModel *model, AbRole role, const AbBatch *batch,
                   AbGroup *group) {
  const AbModelVtable *t = model->component->vtable;
  if (!batch || !group || !ab_ok(step->ctx)) return NULL;
  if (ab_model_has_objective(model, role) && AB_OFFERS(t, AbModelVtable, learn))
    return learn(step, model, batch, group);
  AbTensor *loss = ab_objective(step, model, role, batch);
  ab_update(step, loss, group);
  return loss;
}

AbTensor *ab_step_learn(AbStep *step) {
  return ab_learn(step, step->parts.model, step->parts.role, step->batch, ab_step_group(step));
}

AbTensor *ab_step_run(AbStep *step, const AbBatch *batch, const AbProgress *progress) {
  AbController *controller = step->parts.controller;
  const AbControllerVtable *t = controller->component->vtable;
  step->batch = batch;
  step->progress = *progress;
  const AbBatch *outer = ab_set_batch(step->ctx, batch);
  AbInstance *before = ab_enter(controller);
  AbTensor *loss = t->step(controller, step);
  ab_leave(step->ctx, before);
  ab_set_batch(step->ctx, outer);
  step->batch = NULL;
  if (!loss && ab_ok(step->ctx))
    ab_fail(controller, AB_INTERNAL, "its step returned nothing, and no error");
  return ab_ok(step->ctx) ? loss : NULL;
}

double ab_step_gradient_norm(const AbStep *step) {
  return step->norm;
}

int64_t ab_step_activations(const AbStep *step) {
  return step->activations;
}

/* ---- what a checkpoint sees ------------------------------------------------------------------ */

int64_t ab_step_state_count(const AbStep *step) {
  int64_t count = 0;
  for (int64_t i = 0; i < step->groups.count; i++) {
    const AbGroup *group = step->groups.items[i];
    count += group->states.count * group->member_count;
  }
  return count;
}

/* The name is good until the next call. */
AbState ab_step_state(const AbStep *step, int64_t index) {
  char *name = ((AbStep *)step)->state_name;
  for (int64_t i = 0; i < step->groups.count; i++) {
    const AbGroup *group = step->groups.items[i];
    int64_t here = group->states.count * group->member_count;
    if (index >= here) {
      index -= here;
      continue;
    }
    const AbGroupState *state = group->states.items[index / group->member_count];
    int64_t member = index % group->member_count;
    const AbStateEntry *entry = group->members[member].entry;
    snprintf(name, sizeof step->state_name, "%s/%s/%s", group->name, state->name, entry->path);
    return (AbState){name, entry->axes, state->views[member], false, false, false};
  }
  return (AbState){0};
}

void ab_step_state_make(AbStep *step, const char *group, const char *name) {
  for (int64_t i = 0; i < step->groups.count; i++) {
    AbGroup *candidate = step->groups.items[i];
    if (strcmp(candidate->name, group) == 0) ab_group_state(candidate, name);
  }
}

int64_t ab_step_group_count(const AbStep *step) {
  return step->groups.count;
}

const char *ab_step_group_name(const AbStep *step, int64_t index) {
  return ((const AbGroup *)step->groups.items[index])->name;
}

int64_t ab_step_updates(const AbStep *step, int64_t index) {
  return ((const AbGroup *)step->groups.items[index])->updates;
}

void ab_step_set_updates(AbStep *step, int64_t index, int64_t updates) {
  ((AbGroup *)step->groups.items[index])->updates = updates;
}
