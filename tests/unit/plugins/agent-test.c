/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents for tests; see agent-test.h.                                                            */
#include "agent-test.h"
#include <math.h>
#include <string.h>

void agent_begin(Agent *agent, AbContext *ctx, AbEnvironment *environment, const char *optimizer) {
  memset(agent, 0, sizeof *agent);
  agent->ctx = ctx;
  agent->environment = environment;
  agent->model = plugin_test_new(ctx, AB_KIND_MODEL, "mlp");
  agent->optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, optimizer);
  agent->dqn = plugin_test_new(ctx, AB_KIND_CONTROLLER, "dqn");
  plugin_test_set_ints(agent->model, "units", 0, NULL);
}

void agent_build(Agent *agent, gint64 actions) {
  AbSpec in, out;
  AbSignature wanted;
  AbStepParts parts = {.role = AB_ROLE_ACT,
                       .model = agent->model,
                       .environment = agent->environment,
                       .optimizer = agent->optimizer,
                       .controller = agent->dqn};

  ab_begin(agent->ctx, AB_PURPOSE_INIT, 0);
  ab_environment_build(agent->environment);
  plugin_test_fine(agent->ctx);
  if (actions == 0) actions = ab_environment_actions(agent->environment);
  in = ab_environment_observation(agent->environment);
  out = plugin_test_spec(agent->ctx, AB_RANGE_REAL, actions, 0, 0);
  wanted = ab_signature(AB_ROLE_ACT, &in, &out);
  ab_build(agent->model, &wanted);
  plugin_test_fine(agent->ctx);
  agent->step = ab_step_new(agent->ctx, &parts);
  g_assert_nonnull(agent->step);
  ab_step_build(agent->step);
}

double agent_run(Agent *agent, gint64 steps) {
  double loss = NAN;

  for (gint64 i = 0; i < steps && ab_ok(agent->ctx); i++)
    loss = plugin_test_step(agent->ctx, agent->step, NULL, agent->steps++, 1000);
  return loss;
}

double agent_part(const Agent *agent, const char *name) {
  g_autofree char *full = g_strdup_printf("%s/%s", ab_path(agent->dqn), name);

  for (gint64 i = 0; i < ab_part_count(agent->ctx); i++)
    if (strcmp(ab_part_name(agent->ctx, i), full) == 0) return ab_part_value(agent->ctx, i);
  return NAN;
}

double agent_greedy(Agent *agent) {
  double sum;

  ab_begin(agent->ctx, AB_PURPOSE_EVALUATE, 0);
  sum = ab_environment_episode(agent->environment, agent->model);
  plugin_test_fine(agent->ctx);
  return sum;
}

AbTensor *agent_kept(const Agent *agent, const char *state, const char *weight) {
  g_autofree char *name = g_strdup_printf("optimizer/%s/model/%s", state, weight);

  for (gint64 i = 0; i < ab_step_state_count(agent->step); i++) {
    AbState at = ab_step_state(agent->step, i);

    if (strcmp(at.name, name) == 0) return at.tensor;
  }
  g_error("there is no %s", name);
}

void agent_end(Agent *agent) {
  ab_step_free(agent->step);
  ab_instance_free(agent->dqn);
  ab_instance_free(agent->optimizer);
  ab_instance_free(agent->model);
  ab_instance_free(agent->environment);
  plugin_test_finish(agent->ctx);
}
