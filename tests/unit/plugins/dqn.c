/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep Q-learning: its values against those of a chain that is solved by hand, each update against
 * loops in double, the memory, the target, exploration, what is reported, that a run can be resumed
 * and takes no more memory, a maze walked the shortest way, and what is refused.                 */
#include "agent-test.h"
#include <math.h>
#include <string.h>

#define PLACES  3
#define ACTIONS 2
#define WEIGHTS ((PLACES + 1) * ACTIONS) /* W [PLACES, ACTIONS], then b */

/* ---- a chain of two states -------------------------------------------------------------------
 *   0 -- action 0, reward 0.1 --> 0        1 -- action 0, reward 0 --> 0
 *   0 -- action 1, reward 0   --> 1        1 -- action 1, reward 1 --> 2, the end               */
typedef struct {
  AbEnvironment base;
  AbTensor *place;
} Chain;

static const int chain_next[2][ACTIONS] = {{0, 1}, {0, 2}};
static const double chain_reward[2][ACTIONS] = {{0.1, 0}, {0, 1}};

static void declare(AbEnvironment *self, gint64 limit) {
  AbSpec observation = {.rank = 1, .shape = {PLACES}};

  ab_environment_declare(self, &observation, ACTIONS, limit);
  ((Chain *)self)->place = ab_buffer(self, "place", AB_I64, AB_SHAPE(1), "");
}

static void chain_build(AbEnvironment *self) {
  declare(self, 1000);
}

static void chain_reset(AbEnvironment *self) {
  plugin_test_fill(((Chain *)self)->place, (const double[]){0});
}

static AbTensor *chain_observe(AbEnvironment *self) {
  return ab_reshape(ab_one_hot(((Chain *)self)->place, PLACES), AB_SHAPE(PLACES));
}

static double chain_step(AbEnvironment *self, int64_t action, bool *terminal) {
  int place = (int)ab_item(((Chain *)self)->place);
  double next = chain_next[place][action];

  plugin_test_fill(((Chain *)self)->place, &next);
  *terminal = next == 2;
  return chain_reward[place][action];
}

/* The same place for ever, a reward of 1 for every step, broken off after three. */
static void loop_build(AbEnvironment *self) {
  declare(self, 3);
}

static double loop_step(AbEnvironment *self, int64_t action, bool *terminal) {
  (void)self, (void)action, (void)terminal;
  return 1;
}

static const AbEnvironmentVtable chain_vtable = {
    .struct_size = sizeof chain_vtable,
    .build = chain_build,
    .reset = chain_reset,
    .observe = chain_observe,
    .step = chain_step,
};
static const AbEnvironmentVtable loop_vtable = {
    .struct_size = sizeof loop_vtable,
    .build = loop_build,
    .reset = chain_reset,
    .observe = chain_observe,
    .step = loop_step,
};
static const AbComponent chain = {
    .struct_size = sizeof chain,
    .kind = AB_KIND_ENVIRONMENT,
    .name = "chain",
    .doc = "Two states.",
    .citation = "",
    .instance_size = sizeof(Chain),
    .vtable = &chain_vtable,
};
static const AbComponent loop = {
    .struct_size = sizeof loop,
    .kind = AB_KIND_ENVIRONMENT,
    .name = "loop",
    .doc = "One state.",
    .citation = "",
    .instance_size = sizeof(Chain),
    .vtable = &loop_vtable,
};

static void begin(Agent *agent, const PluginTestCase *at, const AbComponent *environment,
                  const char *optimizer) {
  AbContext *ctx = plugin_test_context(at);

  agent_begin(agent, ctx, ab_instance_new(ctx, environment, "environment", ""), optimizer);
}

static void set_epsilon(Agent *agent, double first, double last, gint64 steps) {
  plugin_test_set_real(agent->dqn, "epsilon_start", first);
  plugin_test_set_real(agent->dqn, "epsilon_end", last);
  plugin_test_set_int(agent->dqn, "epsilon_steps", steps);
}

static void get_weights(const Agent *agent, double *w) {
  g_autofree double *W = plugin_test_values(plugin_test_state(agent->model, "W1"));
  g_autofree double *b = plugin_test_values(plugin_test_state(agent->model, "b1"));

  memcpy(w, W, PLACES * ACTIONS * sizeof *w);
  memcpy(w + PLACES * ACTIONS, b, ACTIONS * sizeof *w);
}

static void get_target(const Agent *agent, double *w) {
  g_autofree double *W = plugin_test_values(agent_kept(agent, "target", "W1"));
  g_autofree double *b = plugin_test_values(agent_kept(agent, "target", "b1"));

  memcpy(w, W, PLACES * ACTIONS * sizeof *w);
  memcpy(w + PLACES * ACTIONS, b, ACTIONS * sizeof *w);
}

/* Q(place, action) */
static double value(const double *w, int place, int action) {
  return w[place * ACTIONS + action] + w[PLACES * ACTIONS + action];
}

static int best_action(const double *w, int place) {
  return value(w, place, 1) > value(w, place, 0);
}

static int place_in(AbTensor *ring, gint64 row) {
  g_autofree double *values = plugin_test_values(ring);

  for (int i = 0; i < PLACES; i++)
    if (values[row * PLACES + i] == 1) return i;
  return -1;
}

static double number_in(const Agent *agent, const char *ring, gint64 row) {
  g_autofree double *values = plugin_test_values(plugin_test_state(agent->dqn, ring));

  return values[row];
}

/* ---- what is learned ------------------------------------------------------------------------- */

/* With gamma = 1/2: V(1) = 1, V(0) = max(1/2, 0.1 + V(0) / 2) = 1/2. */
static void test_chain(const PluginTestCase *at) {
  const double expected[2][ACTIONS] = {{0.35, 0.5}, {0.25, 1}};

  for (int twice = 0; twice < 2; twice++) {
    double w[WEIGHTS];
    Agent agent;

    begin(&agent, at, &chain, "sgd");
    plugin_test_set_real(agent.optimizer, "lr", 0.5);
    plugin_test_set_real(agent.dqn, "gamma", 0.5);
    plugin_test_set_bool(agent.dqn, "double", twice);
    plugin_test_set_int(agent.dqn, "warm_up", 100);
    plugin_test_set_int(agent.dqn, "target_every", 20);
    set_epsilon(&agent, 1, 1, 0);
    agent_build(&agent, 0);
    agent_run(&agent, 1500);
    plugin_test_fine(agent.ctx);
    get_weights(&agent, w);
    for (int place = 0; place < 2; place++)
      for (int action = 0; action < ACTIONS; action++)
        plugin_test_close(value(w, place, action), expected[place][action], 1e-4);
    agent_end(&agent);
  }
}

/* What would come after the limit counts: 1 + 1/2 + 1/4 + ... = 2. */
static void test_cut(const PluginTestCase *at) {
  double w[WEIGHTS];
  Agent agent;

  begin(&agent, at, &loop, "sgd");
  plugin_test_set_real(agent.optimizer, "lr", 0.5);
  plugin_test_set_real(agent.dqn, "gamma", 0.5);
  plugin_test_set_int(agent.dqn, "warm_up", 10);
  plugin_test_set_int(agent.dqn, "target_every", 10);
  plugin_test_set_real(agent.dqn, "tau", 0.2);
  set_epsilon(&agent, 1, 1, 0);
  agent_build(&agent, 0);
  agent_run(&agent, 600);
  g_assert_cmpint(ab_environment_episodes(agent.environment), ==, 200);
  get_weights(&agent, w);
  plugin_test_close(value(w, 0, 0), 2, 1e-4);
  plugin_test_close(value(w, 0, 1), 2, 1e-4);
  agent_end(&agent);
}

/* The shortest way through the maze of Sutton and Barto is 14 steps. */
static void test_maze(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 3);
  Agent agent;

  agent_begin(&agent, ctx, plugin_test_new(ctx, AB_KIND_ENVIRONMENT, "gridworld"), "adam");
  plugin_test_set_ints(agent.model, "units", 1, (const gint64[]){32});
  plugin_test_set_real(agent.optimizer, "lr", 3e-3);
  plugin_test_set_real(agent.dqn, "gamma", 0.95);
  plugin_test_set_int(agent.dqn, "warm_up", 500);
  plugin_test_set_int(agent.dqn, "target_every", 100);
  set_epsilon(&agent, 1, 0.1, 4000);
  agent_build(&agent, 0);
  agent_run(&agent, 8000);
  plugin_test_fine(agent.ctx);
  g_assert_cmpfloat(agent_greedy(&agent), ==, -14);
  agent_end(&agent);
}

/* ---- one update ------------------------------------------------------------------------------ */

typedef struct {
  int terminal, open, inside, outside, disagree;
} Seen;

/* The memory holds one transition, so it is known which one is learned from. */
static void check_update(Agent *agent, gboolean twice, gboolean scaled, guint64 seed, Seen *seen) {
  const double gamma = 0.9, delta = 0.3, lr = 0.125;
  const double offset = scaled ? 0.4 : 0, scale = scaled ? 2.5 : 1;
  g_autofree double *target = plugin_test_numbers(WEIGHTS, -1, 1, 2 * seed);
  g_autofree double *w = plugin_test_numbers(WEIGHTS, -1, 1, 2 * seed + 1);
  double got[WEIGHTS], loss, y, d;
  int before, after, action, best;

  plugin_test_fill(agent_kept(agent, "target", "W1"), target);
  plugin_test_fill(agent_kept(agent, "target", "b1"), target + PLACES * ACTIONS);
  plugin_test_fill(plugin_test_state(agent->model, "W1"), w);
  plugin_test_fill(plugin_test_state(agent->model, "b1"), w + PLACES * ACTIONS);
  loss = agent_run(agent, 1);
  plugin_test_fine(agent->ctx);
  before = place_in(plugin_test_state(agent->dqn, "before"), 0);
  after = place_in(plugin_test_state(agent->dqn, "after"), 0);
  action = (int)number_in(agent, "action", 0);
  best = best_action(twice ? w : target, after);
  y = chain_reward[before][action];
  if (after != 2) y += gamma * (offset + scale * value(target, after, best));
  d = (offset + scale * value(w, before, action) - y) / scale;
  plugin_test_close(loss, fabs(d) <= delta ? d * d / 2 : delta * (fabs(d) - delta / 2), 2e-6);
  w[before * ACTIONS + action] -= lr * CLAMP(d, -delta, delta);
  w[PLACES * ACTIONS + action] -= lr * CLAMP(d, -delta, delta);
  get_weights(agent, got);
  for (int i = 0; i < WEIGHTS; i++) plugin_test_close(got[i], w[i], 2e-6);
  get_target(agent, got);
  for (int i = 0; i < WEIGHTS; i++) plugin_test_close(got[i], target[i], 1e-7);
  seen->terminal += after == 2;
  seen->open += after != 2;
  seen->inside += fabs(d) <= delta;
  seen->outside += fabs(d) > delta;
  seen->disagree += after != 2 && best_action(target, after) != best_action(w, after);
}

static void test_update(const PluginTestCase *at) {
  for (int i = 0; i < 4; i++) {
    gboolean twice = i % 2 == 1, scaled = i >= 2;
    Seen seen = {0};
    Agent agent;

    begin(&agent, at, &chain, "sgd");
    plugin_test_set_real(agent.optimizer, "lr", 0.125);
    plugin_test_set_real(agent.dqn, "gamma", 0.9);
    plugin_test_set_real(agent.dqn, "delta", 0.3);
    if (scaled) {
      plugin_test_set_real(agent.dqn, "offset", 0.4);
      plugin_test_set_real(agent.dqn, "scale", 2.5);
    }
    plugin_test_set_bool(agent.dqn, "double", twice);
    plugin_test_set_int(agent.dqn, "memory", 1);
    plugin_test_set_int(agent.dqn, "batch", 3);
    plugin_test_set_int(agent.dqn, "warm_up", 1);
    plugin_test_set_int(agent.dqn, "target_every", 1000);
    set_epsilon(&agent, 1, 1, 0);
    agent_build(&agent, 0);
    agent_run(&agent, 1);
    for (guint64 seed = 0; seed < 60; seed++) check_update(&agent, twice, scaled, seed, &seen);
    g_assert_cmpint(MIN(seen.terminal, seen.open), >, 5);
    g_assert_cmpint(MIN(seen.inside, seen.outside), >, 5);
    g_assert_cmpint(seen.disagree, >, 5);
    agent_end(&agent);
  }
}

/* Two updates in every third step, the first in step 9; a new target with every fourth. */
static void test_updates(const PluginTestCase *at) {
  double before[WEIGHTS], got[WEIGHTS];
  Agent agent;

  begin(&agent, at, &chain, "adam");
  plugin_test_set_int(agent.dqn, "warm_up", 7);
  plugin_test_set_int(agent.dqn, "train_every", 3);
  plugin_test_set_int(agent.dqn, "updates", 2);
  plugin_test_set_int(agent.dqn, "target_every", 4);
  agent_build(&agent, 0);
  for (int steps = 1; steps <= 33; steps++) {
    double w[WEIGHTS];
    int turn = steps / 3 - 3; /* of two updates; the first is in step 9 */

    get_weights(&agent, w);
    agent_run(&agent, 1);
    g_assert_cmpint(ab_step_updates(agent.step, 0), ==, turn < 0 ? 0 : 2 * (turn + 1));
    if (turn < 0) continue;
    if (steps % 3 == 0 && turn % 2 == 0) memcpy(before, w, sizeof w);
    get_target(&agent, got);
    for (int i = 0; i < WEIGHTS; i++) plugin_test_close(got[i], before[i], 1e-7);
  }
  agent_end(&agent);
}

/* Updates in steps 6, 8, 10, ... (train_every 2 from warm_up 5 on); the target is the weights
 * before updates 1, 4, 7, ..., or an average. */
static void check_target(const PluginTestCase *at, double tau) {
  double w[WEIGHTS], before[WEIGHTS], target[WEIGHTS], got[WEIGHTS];
  Agent agent;
  int update = 0;

  begin(&agent, at, &chain, "adam");
  plugin_test_set_real(agent.optimizer, "lr", 0.05);
  plugin_test_set_int(agent.dqn, "warm_up", 5);
  plugin_test_set_int(agent.dqn, "train_every", 2);
  plugin_test_set_int(agent.dqn, "target_every", 3);
  plugin_test_set_real(agent.dqn, "tau", tau);
  agent_build(&agent, 0);
  get_weights(&agent, w);
  for (int steps = 1; steps <= 40; steps++) {
    gboolean learns = steps >= 5 && steps % 2 == 0;
    double loss = agent_run(&agent, 1);

    memcpy(before, w, sizeof w);
    get_weights(&agent, w);
    g_assert_cmpint(memcmp(before, w, sizeof w) != 0, ==, learns);
    if (steps < 6) g_assert_cmpfloat(loss, ==, 0);
    if (steps >= 6) g_assert_cmpfloat(loss, >, 0);
    update += learns;
    if (update == 0) continue;
    if (learns && (update == 1 || (tau == 0 && update % 3 == 1)))
      memcpy(target, before, sizeof target);
    for (int i = 0; learns && i < WEIGHTS; i++) target[i] += tau * (w[i] - target[i]);
    get_target(&agent, got);
    for (int i = 0; i < WEIGHTS; i++) plugin_test_close(got[i], target[i], 1e-6);
  }
  g_assert_cmpint(update, ==, 18);
  g_assert_cmpint(ab_step_updates(agent.step, 0), ==, update);
  agent_end(&agent);
}

static void test_target(const PluginTestCase *at) {
  check_target(at, 0);
  check_target(at, 0.25);
}

/* ---- the memory ------------------------------------------------------------------------------ */

/* Step i is in row i % 5; the other rows stay. */
static void test_replay(const PluginTestCase *at) {
  static const char *const rings[] = {"before", "after", "action", "reward", "open"};
  int place = 0, ends = 0;
  Agent agent;

  begin(&agent, at, &chain, "sgd");
  plugin_test_set_int(agent.dqn, "memory", 5);
  set_epsilon(&agent, 1, 1, 0);
  agent_build(&agent, 0);
  for (int step = 0; step < 40; step++) {
    int row = step % 5, action, next;
    double *old[5];

    for (int i = 0; i < 5; i++) old[i] = plugin_test_values(plugin_test_state(agent.dqn, rings[i]));
    agent_run(&agent, 1);
    action = (int)number_in(&agent, "action", row);
    next = chain_next[place][action];
    g_assert_cmpint(place_in(plugin_test_state(agent.dqn, "before"), row), ==, place);
    g_assert_cmpint(place_in(plugin_test_state(agent.dqn, "after"), row), ==, next);
    plugin_test_close(number_in(&agent, "reward", row), chain_reward[place][action], 1e-7);
    g_assert_cmpfloat(number_in(&agent, "open", row), ==, next == 2 ? 0 : 1);
    for (int i = 0; i < 5; i++) {
      AbTensor *ring = plugin_test_state(agent.dqn, rings[i]);
      g_autofree double *now = plugin_test_values(ring);
      gint64 width = ab_count(ring) / 5;

      for (gint64 j = 0; j < ab_count(ring); j++)
        if (j / width != row) g_assert_cmpfloat(now[j], ==, old[i][j]);
      g_free(old[i]);
    }
    ends += next == 2;
    place = next == 2 ? 0 : next;
  }
  g_assert_cmpint(ends, >, 3);
  g_assert_cmpint(ab_environment_episodes(agent.environment), ==, ends);
  agent_end(&agent);
}

/* ---- exploration ----------------------------------------------------------------------------- */

/* How often the model's choice was not taken in so many steps. */
static int count_others(Agent *agent, int steps) {
  int others = 0;

  for (int i = 0; i < steps; i++) {
    gint64 row = agent->steps;

    agent_run(agent, 1);
    others += number_in(agent, "action", row) == 0;
  }
  return others;
}

/* The model wants action 1 always; another is taken with a probability of epsilon / 2. */
static void test_epsilon(const PluginTestCase *at) {
  Agent agent;
  int first, second;

  begin(&agent, at, &loop, "sgd");
  plugin_test_set_int(agent.dqn, "warm_up", 1 << 20);
  plugin_test_set_int(agent.dqn, "memory", 4000);
  set_epsilon(&agent, 0.8, 0.2, 2000);
  agent_build(&agent, 0);
  plugin_test_fill(plugin_test_state(agent.model, "b1"), (const double[]){-9, 9});
  first = count_others(&agent, 2000); /* epsilon falls: 0.5 in the mean */
  second = count_others(&agent, 2000);
  g_assert_cmpfloat(fabs(first - 2000 * 0.25), <, 4 * sqrt(2000 * 0.25 * 0.75));
  g_assert_cmpfloat(fabs(second - 2000 * 0.1), <, 4 * sqrt(2000 * 0.1 * 0.9));
  agent_end(&agent);
}

/* Without exploration every action is the model's. */
static void test_greedy(const PluginTestCase *at) {
  Agent agent;

  begin(&agent, at, &loop, "sgd");
  set_epsilon(&agent, 1, 0, 0);
  agent_build(&agent, 0);
  plugin_test_fill(plugin_test_state(agent.model, "b1"), (const double[]){-9, 9});
  g_assert_cmpint(count_others(&agent, 200), ==, 0);
  agent_end(&agent);
}

/* ---- what is reported ------------------------------------------------------------------------ */

static void test_parts(const PluginTestCase *at) {
  double returns[200], mean;
  gint64 episodes = 0, solved = 0;
  Agent agent;

  begin(&agent, at, &chain, "sgd");
  plugin_test_set_int(agent.dqn, "window", 4);
  plugin_test_set_real(agent.dqn, "solved", 1.3);
  plugin_test_set_int(agent.dqn, "memory", 1000);
  set_epsilon(&agent, 1, 1, 0);
  agent_build(&agent, 0);
  while (episodes < 60) {
    ab_parts_clear(agent.ctx);
    agent_run(&agent, 1);
    if (!ab_environment_over(agent.environment)) {
      g_assert_cmpint(ab_part_count(agent.ctx), ==, 0);
      continue;
    }
    returns[episodes++] = ab_environment_return(agent.environment);
    g_assert_cmpfloat(agent_part(&agent, "return"), ==, returns[episodes - 1]);
    mean = 0;
    for (gint64 i = MAX(0, episodes - 4); i < episodes; i++)
      mean += returns[i] / (double)MIN(4, episodes);
    plugin_test_close(agent_part(&agent, "mean_return"), mean, 1e-6);
    if (solved == 0 && episodes >= 4 && mean >= 1.3) solved = episodes;
    if (solved > 0)
      g_assert_cmpfloat(agent_part(&agent, "solved_at"), ==, (double)solved);
    else
      g_assert_true(isnan(agent_part(&agent, "solved_at")));
  }
  g_assert_cmpint(solved, >, 4);
  agent_end(&agent);
}

/* ---- resuming, and memory -------------------------------------------------------------------- */

static void begin_cartpole(Agent *agent, const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);

  agent_begin(agent, ctx, plugin_test_new(ctx, AB_KIND_ENVIRONMENT, "cartpole"), "adam");
  plugin_test_set_ints(agent->model, "units", 1, (const gint64[]){8});
  plugin_test_set_int(agent->dqn, "memory", 150);
  plugin_test_set_int(agent->dqn, "warm_up", 50);
  plugin_test_set_int(agent->dqn, "target_every", 30);
  plugin_test_set_int(agent->dqn, "train_every", 3);
  set_epsilon(agent, 1, 0.1, 300);
  agent_build(agent, 0);
  plugin_test_fine(agent->ctx);
}

static void same_or_copy(AbState from, AbState to, gboolean copies) {
  g_autofree double *expected = plugin_test_values(from.tensor);
  g_autofree double *got = NULL;

  g_assert_cmpstr(from.name, ==, to.name);
  if (copies) plugin_test_fill(to.tensor, expected);
  got = plugin_test_values(to.tensor);
  g_assert_cmpmem(got, (gsize)ab_count(to.tensor) * sizeof *got, expected,
                  (gsize)ab_count(from.tensor) * sizeof *expected);
}

/* All that a checkpoint holds: copies it, or checks that it is the same. */
static void each_state(const Agent *from, const Agent *to, gboolean copies) {
  AbInstance *const sources[] = {from->environment, from->model, from->dqn};
  AbInstance *const targets[] = {to->environment, to->model, to->dqn};

  for (int i = 0; i < 3; i++)
    for (gint64 j = 0; j < ab_state_count(sources[i]); j++)
      same_or_copy(ab_state(sources[i], j), ab_state(targets[i], j), copies);
  for (gint64 i = 0; i < ab_step_state_count(from->step); i++) {
    AbState state = ab_step_state(from->step, i);
    g_auto(GStrv) parts = g_strsplit(state.name, "/", 3);

    if (copies) ab_step_state_make(to->step, parts[0], parts[1]);
    same_or_copy(state, ab_step_state(to->step, i), copies);
  }
  if (copies) ab_step_set_updates(to->step, 0, ab_step_updates(from->step, 0));
  g_assert_cmpint(ab_step_updates(from->step, 0), ==, ab_step_updates(to->step, 0));
}

/* From a checkpoint in the middle of an episode, between two updates, and before the first. */
static void test_resume(const PluginTestCase *at) {
  const gint64 stops[] = {7, 238};

  for (gsize i = 0; i < G_N_ELEMENTS(stops); i++) {
    Agent whole, rest;

    begin_cartpole(&whole, at);
    begin_cartpole(&rest, at);
    agent_run(&whole, stops[i]);
    g_assert_false(ab_environment_over(whole.environment));
    each_state(&whole, &rest, TRUE);
    rest.steps = whole.steps;
    agent_run(&whole, 200);
    agent_run(&rest, 200);
    each_state(&whole, &rest, FALSE);
    agent_end(&whole);
    agent_end(&rest);
  }
}

/* An evaluation changes nothing. */
static void test_evaluation(const PluginTestCase *at) {
  Agent plain, watched;

  begin_cartpole(&plain, at);
  begin_cartpole(&watched, at);
  for (int i = 0; i < 10; i++) {
    agent_run(&plain, 20);
    agent_run(&watched, 20);
    agent_greedy(&watched);
  }
  each_state(&plain, &watched, FALSE);
  agent_end(&plain);
  agent_end(&watched);
}

#ifndef __SANITIZE_ADDRESS__ /* where freed blocks go back to the system, which is not counted */
static void test_memory(const PluginTestCase *at) {
  int64_t before, after, allocations;
  Agent agent;

  begin_cartpole(&agent, at);
  agent_run(&agent, 400);
  ab_memory_use(agent.ctx, &before, &allocations);
  agent_run(&agent, 600);
  ab_memory_use(agent.ctx, &after, &allocations);
  g_assert_cmpint(after, ==, before);
  agent_end(&agent);
}
#endif

/* ---- what is refused ------------------------------------------------------------------------- */

static const PluginTestCase plain = {"cpu", AB_F32, 0, NULL};

static void test_other_actions(void) {
  Agent agent;

  begin(&agent, &plain, &chain, "sgd");
  agent_build(&agent, 3);
  plugin_test_error(agent.ctx, AB_CONFIG,
                    "controller (dqn): model mlp gives ?3? for an observation; wanted is ?2?, one "
                    "value for each action of environment chain");
  agent_end(&agent);
}

static void build_step(Agent *agent, AbEnvironment *environment) {
  AbStepParts parts = {.role = AB_ROLE_RECONSTRUCT,
                       .model = agent->model,
                       .environment = environment,
                       .optimizer = agent->optimizer,
                       .controller = agent->dqn};
  AbSpec x = plugin_test_spec(agent->ctx, AB_RANGE_UNIT, PLACES, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  ab_instance_free(agent->model);
  agent->model = parts.model = plugin_test_new(agent->ctx, AB_KIND_MODEL, "rbm");
  ab_begin(agent->ctx, AB_PURPOSE_INIT, 0);
  ab_environment_build(agent->environment);
  ab_build(agent->model, &wanted);
  plugin_test_fine(agent->ctx);
  agent->step = ab_step_new(agent->ctx, &parts);
  ab_step_build(agent->step);
}

static void test_no_actor(void) {
  Agent agent;

  begin(&agent, &plain, &chain, "sgd");
  build_step(&agent, agent.environment);
  plugin_test_error(agent.ctx, AB_CONFIG,
                    "controller (dqn): model rbm does not act; one that does is mlp");
  agent_end(&agent);
}

static void test_no_environment(void) {
  Agent agent;

  begin(&agent, &plain, &chain, "sgd");
  build_step(&agent, NULL);
  plugin_test_error(agent.ctx, AB_CONFIG, "controller (dqn): it needs an environment: *cartpole*");
  agent_end(&agent);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/dqn/chain", test_chain);
  plugin_test_add("/dqn/cut", test_cut);
  g_test_add_func("/dqn/maze", test_maze);
  plugin_test_add("/dqn/update", test_update);
  plugin_test_add("/dqn/target", test_target);
  plugin_test_add("/dqn/updates", test_updates);
  plugin_test_add("/dqn/replay", test_replay);
  plugin_test_add("/dqn/epsilon", test_epsilon);
  plugin_test_add("/dqn/greedy", test_greedy);
  plugin_test_add("/dqn/parts", test_parts);
  plugin_test_add("/dqn/resume", test_resume);
  plugin_test_add("/dqn/evaluation", test_evaluation);
#ifndef __SANITIZE_ADDRESS__
  plugin_test_add("/dqn/memory", test_memory);
#endif
  g_test_add_func("/dqn/other-actions", test_other_actions);
  g_test_add_func("/dqn/no-actor", test_no_actor);
  g_test_add_func("/dqn/no-environment", test_no_environment);
  return g_test_run();
}
