/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep Q-learning (Mnih et al. 2015) with any model that acts: Q(o, .) = offset + scale f(o), f
 * what it gives for an observation o, one number per action.
 *
 *   a  = argmax Q(o, .)            but with the probability epsilon any action
 *   D  := D and (o, a, r, o')      the replay memory: of the last `memory` steps
 *   y  = r + gamma Q*(o', b)       for a minibatch of D; y = r where the episode ended by itself
 *   L  = mean huber((Q(o, a) - y) / scale)   moved down by the optimizer
 *
 * Q* is the model with target weights: the model's own of every `target_every` updates ago, or with
 * tau > 0 an average, target := (1 - tau) target + tau weights after each update (Lillicrap et al.
 * 2016). b = argmax Q(o', .) with `double` (van Hasselt, Guez, Silver 2016), else argmax Q*(o', .).
 * An episode that is broken off by its limit has not ended by itself: o' still counts. Offset and
 * scale are for values far from what a new model gives, or large beside delta (van Hasselt, Guez,
 * Hessel, Mnih, Silver 2016 adapt them; here they are fixed).
 *
 * A step of training is one step in the environment, with `updates` updates in every
 * `train_every`-th once `warm_up` steps are in the memory. Parts: `return` of an episode;
 * `mean_return` of the last `window` episodes; `solved_at`, the number of the episode with which
 * that mean first was at least `solved`. */
#include <absdk/absdk.h>
#include <math.h>
#include <string.h>

typedef struct {
  AbController base;
  double gamma, offset, scale;
  int64_t memory, batch, warm_up, train_every, updates, target_every;
  double tau;
  bool two; /* `double` */
  double epsilon_start, epsilon_end;
  int64_t epsilon_steps;
  double delta, solved;
  int64_t window;
  /* D, a ring: the transition of step i is in row i % memory */
  AbTensor *before, *after;  /* o, o' [memory, ...] */
  AbTensor *action, *reward; /* a, r [memory] */
  AbTensor *open;            /* 1, or 0 where the episode ended by itself [memory] */
  AbTensor *loss;            /* of the last update */
  AbTensor *returns;         /* of the last episodes, a ring [window] */
  AbTensor *solved_at;       /* 0: not yet */
} Dqn;

static const AbParam params[] = {
    AB_PARAM_REAL(Dqn, gamma, 0.99, 0, 1, "", "What a reward is worth one step later."),
    AB_PARAM_REAL(Dqn, offset, 0, -1e9, 1e9, "", "Value of an action for which the model gives 0."),
    AB_PARAM_REAL(Dqn, scale, 1, 1e-9, 1e9, "", "And how much more one is for which it gives 1."),
    AB_PARAM_INT(Dqn, memory, 10000, 1, 1 << 24, "steps", "Length of the replay memory."),
    AB_PARAM_INT(Dqn, batch, 32, 1, 1 << 20, "transitions", "Size of a minibatch."),
    AB_PARAM_INT(Dqn, warm_up, 1000, 1, 1 << 30, "steps", "Before the first update."),
    AB_PARAM_INT(Dqn, train_every, 1, 1, 1 << 20, "steps", "From update to update."),
    AB_PARAM_INT(Dqn, updates, 1, 1, 1 << 10, "updates", "At each such step."),
    AB_PARAM_INT(Dqn, target_every, 500, 1, 1 << 30, "updates", "From copy to copy of the target."),
    AB_PARAM_REAL(Dqn, tau, 0, 0, 1, "", "Where above 0: rate of a target that is an average."),
    {.key = "double",
     .type = AB_TYPE_BOOL,
     .offset = AB_FIELD(Dqn, two, bool),
     .int_default = 1,
     .int_max = 1,
     .unit = "",
     .doc = "The model chooses the next action, the target says its value.",
     .since = "0.1"},
    AB_PARAM_REAL(Dqn, epsilon_start, 1, 0, 1, "", "Probability of any action, at first."),
    AB_PARAM_REAL(Dqn, epsilon_end, 0.05, 0, 1, "", "And at last."),
    AB_PARAM_INT(Dqn, epsilon_steps, 10000, 0, 1 << 30, "steps", "In which it falls linearly."),
    AB_PARAM_REAL(Dqn, delta, 1, 1e-18, 1e18, "", "Where the square of the Huber loss ends."),
    AB_PARAM_REAL(Dqn, solved, INFINITY, -INFINITY, INFINITY, "",
                  "Mean return that is to be reached."),
    AB_PARAM_INT(Dqn, window, 100, 1, 1 << 20, "episodes", "Over which returns are averaged."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* Whether what the model gives is one value per action; an error where it is not. */
static bool check_model(Dqn *d, AbStep *s, int64_t actions) {
  AbModel *model = ab_step_model(s);
  char shape[200];
  if (!(ab_component_roles(model->component) & AB_ROLE_BIT(AB_ROLE_ACT))) {
    ab_fail(&d->base, AB_CONFIG, "model %s does not act; one that does is mlp",
            model->component->name);
    return false;
  }
  AbSpec out = ab_output(model, AB_ROLE_ACT);
  if (out.rank < 0) return false;
  if (out.rank == 1 && out.shape[0] == actions) return true;
  AbShape got = {.rank = out.rank};
  memcpy(got.dims, out.shape, sizeof got.dims);
  ab_fail(&d->base, AB_CONFIG,
          "model %s gives %s for an observation; wanted is [%lld], one value for each action of "
          "environment %s",
          model->component->name, ab_shape_text(got, shape, sizeof shape), (long long)actions,
          ab_step_environment(s)->component->name);
  return false;
}

/* [rows, ...] of observations */
static AbShape rows_of(const AbSpec *observation, int64_t rows) {
  AbShape shape = {.rank = observation->rank + 1, .dims = {rows}};
  memcpy(shape.dims + 1, observation->shape, (size_t)observation->rank * sizeof *shape.dims);
  return shape;
}

static void build(AbController *self, AbStep *s) {
  Dqn *d = (Dqn *)self;
  AbEnvironment *environment = ab_step_environment(s);
  if (!environment) {
    ab_fail(self, AB_CONFIG,
            "it needs an environment: problem: act, and for example environment: {plugin: "
            "cartpole}");
    return;
  }
  if (!check_model(d, s, ab_environment_actions(environment))) return;
  AbSpec observation = ab_environment_observation(environment);
  if (observation.rank == AB_MAX_RANK) {
    ab_fail(self, AB_CONFIG, "an observation of %d axes leaves none for the batch", AB_MAX_RANK);
    return;
  }
  AbDtype real = ab_real_dtype(ab_context(self));
  AbShape rows = rows_of(&observation, d->memory);
  d->before = ab_buffer(self, "before", real, rows, "row");
  d->after = ab_buffer(self, "after", real, rows, "row");
  d->action = ab_buffer(self, "action", AB_I64, AB_SHAPE(d->memory), "row");
  d->reward = ab_buffer(self, "reward", real, AB_SHAPE(d->memory), "row");
  d->open = ab_buffer(self, "open", real, AB_SHAPE(d->memory), "row");
  d->loss = ab_buffer(self, "loss", real, ab_scalar_shape(), "");
  d->returns = ab_buffer(self, "returns", AB_F64, AB_SHAPE(d->window), "episode");
  d->solved_at = ab_buffer(self, "solved_at", AB_I64, ab_scalar_shape(), "");
}

/* ---- acting ---------------------------------------------------------------------------------- */

static double epsilon(const Dqn *d, int64_t step) {
  if (step >= d->epsilon_steps) return d->epsilon_end;
  double part = (double)step / (double)d->epsilon_steps;
  return d->epsilon_start + part * (d->epsilon_end - d->epsilon_start);
}

/* The action with the highest value, or with the probability epsilon any. */
static int64_t choose(Dqn *d, AbStep *s, AbTensor *observation) {
  AbContext *ctx = ab_context(&d->base);
  double any = ab_item(ab_uniform(ctx, ab_scalar_shape(), 0, 1));
  double which = ab_item(ab_uniform(ctx, ab_scalar_shape(), 0, 1));
  if (!ab_ok(ctx)) return 0;
  if (any < epsilon(d, ab_step_progress(s)->step))
    return (int64_t)(which * (double)ab_environment_actions(ab_step_environment(s)));
  bool recording = ab_set_recording(ctx, false);
  AbTensor *values = ab_call(ab_step_model(s), AB_ROLE_ACT, ab_unsqueeze(observation, 0));
  double best = ab_item(ab_argmax(values));
  ab_set_recording(ctx, recording);
  return ab_ok(ctx) ? (int64_t)best : 0;
}

/* row `at` of a ring := the only row of the value, or a number */
static void put(AbTensor *ring, int64_t at, AbTensor *value) {
  ab_assign(ab_slice(ring, 0, at, at + 1), ab_unsqueeze(value, 0));
}

static void put_number(AbTensor *ring, int64_t at, double value) {
  put(ring, at, ab_full(ab_context_of(ring), AB_F64, ab_scalar_shape(), value));
}

static void report(Dqn *d, const char *part, double value) {
  ab_part(&d->base, part, ab_full(ab_context(&d->base), AB_F64, ab_scalar_shape(), value));
}

static void end_episode(Dqn *d, const AbEnvironment *environment) {
  int64_t episodes = ab_environment_episodes(environment);
  int64_t known = episodes < d->window ? episodes : d->window;
  if (episodes < 1) return; /* after an error */
  report(d, "return", ab_environment_return(environment));
  put_number(d->returns, (episodes - 1) % d->window, ab_environment_return(environment));
  double mean = ab_item(ab_mean(ab_slice(d->returns, 0, 0, known)));
  report(d, "mean_return", mean);
  if (ab_item(d->solved_at) == 0 && known == d->window && mean >= d->solved)
    ab_assign(d->solved_at,
              ab_full(ab_context(&d->base), AB_I64, ab_scalar_shape(), (double)episodes));
  if (ab_item(d->solved_at) > 0) report(d, "solved_at", ab_item(d->solved_at));
}

/* One step in the environment, into the memory. */
static void act(Dqn *d, AbStep *s) {
  AbEnvironment *environment = ab_step_environment(s);
  if (ab_environment_over(environment)) ab_environment_reset(environment);
  int64_t row = ab_step_progress(s)->step % d->memory;
  AbTensor *before = ab_environment_observe(environment);
  int64_t action = choose(d, s, before);
  AbOutcome outcome = ab_environment_step(environment, action);
  put(d->before, row, before);
  put(d->after, row, ab_environment_observe(environment));
  put_number(d->action, row, (double)action);
  put_number(d->reward, row, outcome.reward);
  put_number(d->open, row, outcome.terminal ? 0 : 1);
  if (outcome.terminal || outcome.cut) end_episode(d, environment);
}

/* ---- learning -------------------------------------------------------------------------------- */

/* `batch` rows of the first `known`, each as likely. */
static AbTensor *draw_rows(const Dqn *d, AbContext *ctx, int64_t known) {
  AbTensor *u = ab_cast(ab_uniform(ctx, AB_SHAPE(d->batch), 0, 1), AB_F64);
  return ab_cast(ab_affine(u, (double)known, 0), AB_I64); /* down to whole numbers */
}

/* What the model should give for the actions of the rows. */
static AbTensor *targets(Dqn *d, AbStep *s, AbTensor *rows) {
  AbModel *model = ab_step_model(s);
  AbGroup *group = ab_step_group(s);
  bool recording = ab_set_recording(ab_context(&d->base), false);
  AbTensor *after = ab_index_select(d->after, 0, rows);
  AbTensor *best = d->two ? ab_argmax(ab_call(model, AB_ROLE_ACT, after)) : NULL;
  ab_group_use(group, "target");
  AbTensor *values = ab_call(model, AB_ROLE_ACT, after);
  ab_group_use(group, NULL);
  AbTensor *next = ab_affine(ab_pick(values, d->two ? best : ab_argmax(values)),
                             d->gamma * d->scale, d->gamma * d->offset);
  AbTensor *y =
      ab_add(ab_index_select(d->reward, 0, rows), ab_mul(ab_index_select(d->open, 0, rows), next));
  y = ab_affine(y, 1 / d->scale, -d->offset / d->scale);
  ab_set_recording(ab_context(&d->base), recording);
  return y;
}

/* Update number `update`, from 1, with `known` transitions in the memory. */
static void learn(Dqn *d, AbStep *s, int64_t update, int64_t known) {
  AbContext *ctx = ab_context(&d->base);
  AbScope scope = ab_scope_begin(ctx);
  AbGroup *group = ab_step_group(s);
  bool copies = d->tau == 0 && (update - 1) % d->target_every == 0;
  if (update == 1 || copies) ab_group_keep(group, "target", 0);
  AbTensor *rows = draw_rows(d, ctx, known);
  AbTensor *y = targets(d, s, rows);
  AbTensor *values = ab_call(ab_step_model(s), AB_ROLE_ACT, ab_index_select(d->before, 0, rows));
  AbTensor *chosen = ab_pick(values, ab_index_select(d->action, 0, rows));
  AbTensor *loss = ab_huber(chosen, y, d->delta, AB_LOSS_MEAN);
  ab_update(s, loss, group);
  if (d->tau > 0) ab_group_keep(group, "target", 1 - d->tau);
  ab_assign(d->loss, loss);
  ab_scope_end(ctx, scope, NULL, 0);
}

static AbTensor *step(AbController *self, AbStep *s) {
  Dqn *d = (Dqn *)self;
  act(d, s);
  int64_t steps = ab_step_progress(s)->step + 1;
  if (steps < d->warm_up || steps % d->train_every != 0) return d->loss;
  int64_t before = steps / d->train_every - (d->warm_up - 1) / d->train_every - 1;
  for (int64_t i = 1; i <= d->updates; i++)
    learn(d, s, before * d->updates + i, steps < d->memory ? steps : d->memory);
  return d->loss;
}

static const AbControllerVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .step = step};

static const AbComponent dqn = {
    .struct_size = sizeof dqn,
    .kind = AB_KIND_CONTROLLER,
    .name = "dqn",
    .doc = "Deep Q-learning with replay and a target network, single or double.",
    .citation = "Mnih et al.: Human-level control through deep reinforcement learning. Nature 518, "
                "2015.",
    .instance_size = sizeof(Dqn),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.controller.dqn", "0.1.0", "Apache-2.0", &dqn)
