/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of agents: an environment, an MLP that acts in it, an optimizer, and the controller
 * dqn.
 */
#ifndef AGENT_TEST_H
#define AGENT_TEST_H

#include "plugin-test.h"

typedef struct {
  AbContext *ctx;
  AbEnvironment *environment;
  AbModel *model;
  AbOptimizer *optimizer;
  AbController *dqn;
  AbStep *step; /* once it is built */
  gint64 steps; /* done */
} Agent;

/* Makes the parts, with their default parameters but for the MLP, which is of one layer. The agent
 * owns the environment, which agent_build builds.                                               */
void agent_begin(Agent *agent, AbContext *ctx, AbEnvironment *environment, const char *optimizer);
/* Builds the environment, the model for `actions` (0: those of the environment), and the step. */
void agent_build(Agent *agent, gint64 actions);
/* So many steps; returns what the last reported as the loss. */
double agent_run(Agent *agent, gint64 steps);
/* The value of a part since the last call of ab_parts_clear; NAN if there is none. */
double agent_part(const Agent *agent, const char *name);
/* The return of an episode in which the model is followed. */
double agent_greedy(Agent *agent);
/* A state of the optimizer ("target") of a weight of the model; it must exist. */
AbTensor *agent_kept(const Agent *agent, const char *state, const char *weight);
/* Frees all, also the context, which must have no error. */
void agent_end(Agent *agent);

#endif
