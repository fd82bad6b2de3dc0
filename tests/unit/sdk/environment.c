/* SPDX-License-Identifier: Apache-2.0
 *
 * Environments: a counter that goes up or stays; its episode ends at `goal`, or is cut. */
#include "sdk-test.h"
#include <math.h>

#define LIMIT 6

typedef enum { SOUND, SILENT, NO_LIMIT, OTHER_SHAPE, NAN_REWARD } Fault;
typedef struct {
  AbEnvironment base;
  double goal;
  Fault fault;
  AbTensor *count; /* f64 [1] */
} Counter;

static void build(AbEnvironment *self) {
  Counter *c = (Counter *)self;
  AbSpec seen = {.rank = 1, .dtype = AB_F64, .shape = {2}};
  c->count = ab_buffer(self, "count", AB_F64, AB_SHAPE(1), "number");
  if (c->fault != SILENT) ab_environment_declare(self, &seen, 2, c->fault == NO_LIMIT ? 0 : LIMIT);
}

static void set(Counter *c, double value) {
  ab_assign(c->count, ab_full(ab_context(&c->base), AB_F64, AB_SHAPE(1), value));
}

static void reset(AbEnvironment *self) {
  set((Counter *)self, 0);
}

static AbTensor *observe(AbEnvironment *self) {
  Counter *c = (Counter *)self;
  AbTensor *x = ab_cast(c->count, ab_real_dtype(ab_context(self)));
  return c->fault == OTHER_SHAPE ? x : ab_concat((AbTensor *[]){x, ab_affine(x, -1, 0)}, 2, 0);
}

static double step(AbEnvironment *self, int64_t action, bool *terminal) {
  Counter *c = (Counter *)self;
  double count = ab_item(c->count) + (double)action;
  set(c, count);
  *terminal = count == c->goal;
  return c->fault == NAN_REWARD ? NAN : 10 + count;
}

static const AbEnvironmentVtable table = {
    .struct_size = sizeof table, .build = build, .reset = reset, .observe = observe, .step = step};
static const AbComponent component = {sizeof(AbComponent),
                                      AB_KIND_ENVIRONMENT,
                                      "counter",
                                      "Counts.",
                                      "",
                                      .instance_size = sizeof(Counter),
                                      .vtable = &table};

/* Always the action `best`. */
typedef struct {
  AbModel base;
  double first, second;
} Agent;
static void agent_build(AbModel *self, const AbSignature *wanted) {
  (void)self, (void)wanted;
}
static AbTensor *agent_act(AbModel *self, AbTensor *x) {
  const Agent *agent = (const Agent *)self;
  double values[] = {agent->first, agent->second};
  return ab_add(ab_affine(x, 0, 0), sdk_tensor(ab_context(self), AB_SHAPE(2), values));
}
static const AbModelVtable agent_table = {
    .struct_size = sizeof agent_table, .build = agent_build, .act = agent_act};
static const AbComponent agent_component = {sizeof(AbComponent),
                                            AB_KIND_MODEL,
                                            "agent",
                                            "One action.",
                                            "",
                                            .instance_size = sizeof(Agent),
                                            .vtable = &agent_table};

static Counter *made(AbContext *ctx, Fault fault, double goal) {
  Counter *c = (Counter *)ab_instance_new(ctx, &component, "environment", NULL);
  c->fault = fault;
  c->goal = goal;
  ab_environment_build(&c->base);
  return c;
}

static void test_episode(gconstpointer device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Counter *c = made(ctx, SOUND, 3);
  AbEnvironment *e = &c->base;
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_environment_actions(e), ==, 2);
  g_assert_cmpint(ab_environment_observation(e).shape[0], ==, 2);
  g_assert_cmpint(ab_environment_observation(e).dtype, ==, AB_F32);
  g_assert_true(ab_environment_over(e));
  ab_environment_reset(e);
  g_assert_false(ab_environment_over(e));
  static const int64_t actions[] = {1, 0, 1, 1};
  static const double rewards[] = {11, 11, 12, 13};
  double sum = 0;
  for (int i = 0; i < 4; i++) {
    AbOutcome outcome = ab_environment_step(e, actions[i]);
    g_assert_cmpfloat(outcome.reward, ==, rewards[i]);
    g_assert_true(outcome.terminal == (i == 3));
    g_assert_false(outcome.cut);
    sum += outcome.reward;
    g_assert_cmpint(ab_environment_steps(e), ==, i + 1);
    g_assert_cmpfloat(ab_environment_return(e), ==, sum);
  }
  g_assert_true(ab_environment_over(e));
  g_assert_cmpint(ab_environment_episodes(e), ==, 1);
  ab_environment_step(e, 0);
  sdk_assert_error(ctx, AB_INTERNAL, "after the end of an episode", NULL);
  ab_environment_reset(e);
  for (int i = 0; i < LIMIT; i++) {
    AbOutcome outcome = ab_environment_step(e, 0);
    g_assert_false(outcome.terminal);
    g_assert_true(outcome.cut == (i == LIMIT - 1));
  }
  g_assert_cmpint(ab_environment_episodes(e), ==, 2);
  ab_environment_reset(e);
  ab_environment_step(e, 2);
  sdk_assert_error(ctx, AB_INTERNAL, "no action 2; there are 2", NULL);
  ab_environment_step(e, -1);
  sdk_assert_error(ctx, AB_INTERNAL, "no action -1", NULL);
  ab_instance_free(e);
  sdk_finish(ctx);
}

/* An evaluation in the middle of an episode leaves it as it was. */
static void test_evaluation(gconstpointer device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Counter *c = made(ctx, SOUND, 3);
  Agent *agent = (Agent *)ab_instance_new(ctx, &agent_component, "model", NULL);
  AbSpec seen = ab_environment_observation(&c->base);
  AbSignature wanted = ab_signature(AB_ROLE_ACT, &seen, &seen);
  ab_build(&agent->base, &wanted);
  ab_environment_reset(&c->base);
  ab_environment_step(&c->base, 1);
  ab_environment_step(&c->base, 1);
  agent->second = 1;
  g_assert_cmpfloat(ab_environment_episode(&c->base, &agent->base), ==, 11 + 12 + 13);
  agent->second = -1;
  g_assert_cmpfloat(ab_environment_episode(&c->base, &agent->base), ==, LIMIT * 10);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_environment_steps(&c->base), ==, 2);
  g_assert_cmpint(ab_environment_episodes(&c->base), ==, 0);
  g_assert_cmpfloat(ab_environment_return(&c->base), ==, 23);
  g_assert_cmpfloat(ab_item(c->count), ==, 2);
  ab_instance_free(&agent->base);
  ab_instance_free(&c->base);
  sdk_finish(ctx);
}

static void test_faults(gconstpointer device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Counter *c = made(ctx, SILENT, 3);
  sdk_assert_error(ctx, AB_INTERNAL, "declared neither observation nor actions", NULL);
  ab_environment_reset(&c->base);
  sdk_assert_error(ctx, AB_INTERNAL, "before it was built", NULL);
  ab_instance_free(&c->base);
  c = made(ctx, NO_LIMIT, 3);
  sdk_assert_error(ctx, AB_INTERNAL, "a limit of its episodes", NULL);
  ab_instance_free(&c->base);
  c = made(ctx, OTHER_SHAPE, 3);
  ab_environment_reset(&c->base);
  g_assert_null(ab_environment_observe(&c->base));
  sdk_assert_error(ctx, AB_INTERNAL, "f32 [1]", "declared [2]", NULL);
  ab_instance_free(&c->base);
  c = made(ctx, NAN_REWARD, 3);
  ab_environment_reset(&c->base);
  ab_environment_step(&c->base, 1);
  sdk_assert_error(ctx, AB_INTERNAL, "its reward is not finite", NULL);
  ab_instance_free(&c->base);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/environment/episode", test_episode);
  sdk_add("/environment/evaluation", test_evaluation);
  sdk_add("/environment/faults", test_faults);
  return g_test_run();
}
