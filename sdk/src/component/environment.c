/* SPDX-License-Identifier: Apache-2.0
 *
 * Environments: what they declare, and the bookkeeping of episodes. */
#include "../internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct AbEnvironmentState {
  AbSpec observation;
  int64_t actions, limit;
  bool built;
  AbTensor *episode; /* f64 [FIELDS]: a buffer of the instance */
};

/* What the buffer `episode` holds. */
enum { STEPS, RETURN, ENDED, UNDER_WAY, FIELDS };

static struct AbEnvironmentState *state_of(const AbEnvironment *self) {
  return self->state->environment;
}

static const AbEnvironmentVtable *table(const AbEnvironment *self) {
  return self->component->vtable;
}

/* ---- declaration ----------------------------------------------------------------------------- */

void ab_environment_declare(AbEnvironment *self, const AbSpec *observation, int64_t actions,
                            int64_t limit) {
  struct AbEnvironmentState *state = state_of(self);
  if (!state) return;
  if (ab_spec_count(observation) <= 0 || actions < 1 || limit < 1)
    ab_fail(
        self, AB_INTERNAL,
        "an environment has an observation with numbers in it, at least one action, and a limit "
        "of its episodes");
  state->observation = *observation;
  state->observation.dtype = self->state->ctx->real;
  state->actions = actions;
  state->limit = limit;
}

void ab_environment_build(AbEnvironment *self) {
  AbContext *ctx = self->state->ctx;
  if (!ab_ok(ctx) || state_of(self)) return;
  self->state->environment = calloc(1, sizeof *self->state->environment);
  struct AbEnvironmentState *state = state_of(self);
  if (!state) {
    ab_fail(self, AB_INTERNAL, "out of memory");
    return;
  }
  /* it has its numbers in a dry run too: what happens in it depends on them */
  bool dry = ctx->shape_only;
  ctx->shape_only = false;
  AbInstance *before = ab_enter(self);
  table(self)->build(self);
  if (ab_ok(ctx) && state->actions == 0)
    ab_fail(self, AB_INTERNAL, "it declared neither observation nor actions");
  state->episode = ab_buffer(self, "episode", AB_F64, AB_SHAPE(FIELDS), "field");
  state->built = ab_ok(ctx);
  ab_leave(ctx, before);
  ctx->shape_only = dry;
}

AbSpec ab_environment_observation(const AbEnvironment *self) {
  AbSpec nothing = {.rank = -1};
  return state_of(self) ? state_of(self)->observation : nothing;
}

int64_t ab_environment_actions(const AbEnvironment *self) {
  return state_of(self) ? state_of(self)->actions : 0;
}

int64_t ab_environment_limit(const AbEnvironment *self) {
  return state_of(self) ? state_of(self)->limit : 0;
}

/* ---- episodes -------------------------------------------------------------------------------- */

static double noted(const AbEnvironment *self, int field) {
  const struct AbEnvironmentState *state = state_of(self);
  const double *episode = state && state->built ? ab_map(state->episode, false) : NULL;
  if (!episode) return 0;
  double value = episode[field];
  ab_unmap(state->episode);
  return value;
}

int64_t ab_environment_steps(const AbEnvironment *self) {
  return (int64_t)noted(self, STEPS);
}

double ab_environment_return(const AbEnvironment *self) {
  return noted(self, RETURN);
}

int64_t ab_environment_episodes(const AbEnvironment *self) {
  return (int64_t)noted(self, ENDED);
}

bool ab_environment_over(const AbEnvironment *self) {
  return noted(self, UNDER_WAY) == 0;
}

static bool ready(AbEnvironment *self) {
  if (!ab_ok(self->state->ctx)) return false;
  if (state_of(self) && state_of(self)->built) return true;
  ab_fail(self, AB_INTERNAL, "it was used before it was built");
  return false;
}

void ab_environment_reset(AbEnvironment *self) {
  if (!ready(self)) return;
  AbInstance *before = ab_enter(self);
  table(self)->reset(self);
  ab_leave(self->state->ctx, before);
  double *episode = ab_map(state_of(self)->episode, true);
  if (!episode) return;
  episode[STEPS] = episode[RETURN] = 0;
  episode[UNDER_WAY] = 1;
  ab_unmap(state_of(self)->episode);
}

static bool as_declared(AbEnvironment *self, const AbTensor *x) {
  const AbSpec *spec = &state_of(self)->observation;
  AbShape shape = ab_spec_shape(spec);
  char a[220], b[220];
  if (x->rank == spec->rank &&
      memcmp(x->shape, spec->shape, (size_t)x->rank * sizeof *x->shape) == 0)
    return true;
  ab_fail(self, AB_INTERNAL, "it gave an observation of %s and had declared %s",
          ab_tensor_text(x, a, sizeof a), ab_shape_text(shape, b, sizeof b));
  return false;
}

/* What is a view of a buffer would change with the next step. */
static AbTensor *copy_of(AbTensor *x) {
  if (!x->storage) return x;
  AbTensor *copy = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, false);
  ab_assign(copy, x);
  return copy;
}

AbTensor *ab_environment_observe(AbEnvironment *self) {
  if (!ready(self)) return NULL;
  AbInstance *before = ab_enter(self);
  AbTensor *x = table(self)->observe(self);
  ab_leave(self->state->ctx, before);
  if (!x && ab_ok(self->state->ctx))
    ab_fail(self, AB_INTERNAL, "its observation is missing, without an error");
  return x && as_declared(self, x) ? copy_of(x) : NULL;
}

static bool possible(AbEnvironment *self, int64_t action) {
  if (!ready(self)) return false;
  if (ab_environment_over(self))
    ab_fail(self, AB_INTERNAL,
            "a step was asked for after the end of an episode; reset comes first");
  else if (action < 0 || action >= state_of(self)->actions)
    ab_fail(self, AB_INTERNAL, "there is no action %lld; there are %lld, from 0", (long long)action,
            (long long)state_of(self)->actions);
  else
    return true;
  return false;
}

AbOutcome ab_environment_step(AbEnvironment *self, int64_t action) {
  AbOutcome outcome = {0};
  if (!possible(self, action)) return outcome;
  AbInstance *before = ab_enter(self);
  outcome.reward = table(self)->step(self, action, &outcome.terminal);
  ab_leave(self->state->ctx, before);
  if (ab_ok(self->state->ctx) && !isfinite(outcome.reward))
    ab_fail(self, AB_INTERNAL, "its reward is not finite");
  double *episode = ab_ok(self->state->ctx) ? ab_map(state_of(self)->episode, true) : NULL;
  if (!episode) return outcome;
  episode[STEPS]++;
  episode[RETURN] += outcome.reward;
  int64_t limit = state_of(self)->limit;
  outcome.cut = !outcome.terminal && (int64_t)episode[STEPS] >= limit;
  if (outcome.terminal || outcome.cut) {
    episode[UNDER_WAY] = 0;
    episode[ENDED]++;
  }
  ab_unmap(state_of(self)->episode);
  return outcome;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

/* The action with the highest value. */
static int64_t best_action(AbEnvironment *self, AbModel *model) {
  AbContext *ctx = self->state->ctx;
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *values = ab_call(model, AB_ROLE_ACT, ab_unsqueeze(ab_environment_observe(self), 0));
  AbTensor *best = ab_argmax(values);
  int64_t action = best ? (int64_t)ab_item(best) : 0;
  ab_scope_end(ctx, scope, NULL, 0);
  return action;
}

typedef struct {
  AbScope scope;
  AbStack leaves, copies; /* of the buffers, in turn */
  AbContext *ctx;
} Saved;

static void save(AbInstance *self, void *data) {
  Saved *saved = data;
  for (int64_t i = 0; i < self->state->entries.count; i++) {
    const AbStateEntry *entry = self->state->entries.items[i];
    if (entry->weight) continue;
    AbTensor *copy = ab_tensor_new(saved->ctx, entry->tensor->dtype, entry->tensor->rank,
                                   entry->tensor->shape, false);
    ab_assign(copy, entry->tensor);
    if (copy && ab_stack_push(saved->ctx, &saved->leaves, entry->tensor))
      ab_stack_push(saved->ctx, &saved->copies, copy);
  }
}

static void restore(Saved *saved) {
  for (int64_t i = 0; i < saved->copies.count; i++)
    ab_assign(saved->leaves.items[i], saved->copies.items[i]);
  free(saved->leaves.items);
  free(saved->copies.items);
}

double ab_environment_episode(AbEnvironment *self, AbModel *model) {
  AbContext *ctx = self->state->ctx;
  Saved saved = {.ctx = ctx};
  if (!ready(self)) return 0;
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  ab_walk(self, save, &saved);
  ab_environment_reset(self);
  while (ab_ok(ctx) && !ab_environment_over(self))
    ab_environment_step(self, best_action(self, model));
  double sum = ab_environment_return(self);
  restore(&saved);
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  return sum;
}
