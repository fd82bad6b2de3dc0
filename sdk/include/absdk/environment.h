/* SPDX-License-Identifier: Apache-2.0
 *
 * Environments: what an agent acts in. A problem with the role act has one instead of data.
 *
 * The state of an environment is buffers (ab_buffer), so that a run resumes in the middle of an
 * episode, and its random numbers are those of random.h.                                        */
#ifndef ABSDK_ENVIRONMENT_H
#define ABSDK_ENVIRONMENT_H

#include "model.h"

AB_BEGIN_DECLS

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  /* Declares what it is (ab_environment_declare) and makes buffers. Called once. */
  void (*build)(AbEnvironment *self);
  /* Begins an episode. */
  void (*reset)(AbEnvironment *self);
  /* What the agent sees: one sample, without a batch axis. It may be a buffer, or a view of one:
   * who asks gets a copy. */
  AbTensor *(*observe)(AbEnvironment *self);
  /* Action 0 .. actions - 1 -> the reward; *terminal where the episode ends by it. */
  double (*step)(AbEnvironment *self, int64_t action, bool *terminal);
} AbEnvironmentVtable;

/* From `build`: one observation, the number of actions, and after how many steps, at least 1, an
 * episode is broken off.                                                                        */
AB_EXPORT void ab_environment_declare(AbEnvironment *self, const AbSpec *observation,
                                      int64_t actions, int64_t limit);

/* For an environment that has another in a slot, from `build`: that one is built. */
AB_EXPORT void ab_environment_build(AbEnvironment *self);

/* ---- for controllers ------------------------------------------------------------------------- */

typedef struct {
  double reward;
  bool terminal; /* nothing comes after this */
  bool cut;      /* broken off by the limit: what would come after still counts */
} AbOutcome;

AB_EXPORT AbSpec ab_environment_observation(const AbEnvironment *self);
AB_EXPORT int64_t ab_environment_actions(const AbEnvironment *self);
AB_EXPORT int64_t ab_environment_limit(const AbEnvironment *self); /* steps of an episode */
AB_EXPORT void ab_environment_reset(AbEnvironment *self);
/* Of the scope, and what it is now whatever the environment does after. */
AB_EXPORT AbTensor *ab_environment_observe(AbEnvironment *self);
/* Whether the episode has ended, or none has begun: the next call must be a reset. */
AB_EXPORT bool ab_environment_over(const AbEnvironment *self);
/* An action that is none is an error. */
AB_EXPORT AbOutcome ab_environment_step(AbEnvironment *self, int64_t action);
/* Of the episode that runs, or has just ended: its steps and the sum of its rewards; and how many
 * have ended since the run began.                                                                */
AB_EXPORT int64_t ab_environment_steps(const AbEnvironment *self);
AB_EXPORT double ab_environment_return(const AbEnvironment *self);
AB_EXPORT int64_t ab_environment_episodes(const AbEnvironment *self);

AB_END_DECLS

#endif
