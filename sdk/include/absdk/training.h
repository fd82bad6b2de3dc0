/* SPDX-License-Identifier: Apache-2.0
 *
 * Optimizers and controllers: what happens in a training step.
 *
 *   group      the weights of a model (and of what it holds), with the optimizer that moves them
 *   update     backward, NaN guard, clipping, penalties, optimizer, projections: for one group
 *   controller decides what a step is; the host owns the loop around it                          */
#ifndef ABSDK_TRAINING_H
#define ABSDK_TRAINING_H

#include "environment.h"
#include "kinds.h"
#include "model.h"

AB_BEGIN_DECLS

/* ---- optimizers -------------------------------------------------------------------------------
 * The weights of a group lie in one piece of memory, and so do their gradients: an optimizer sees
 * each as one tensor of rank 1 and is called once per step (once per `optimizer.groups` entry).  */
typedef struct AbUpdate AbUpdate;
AB_EXPORT AbTensor *ab_update_weights(AbUpdate *update);
AB_EXPORT AbTensor *ab_update_gradients(AbUpdate *update); /* clipped */
/* The state `name` ("first_moment"), zeros at first; saved weight by weight. */
AB_EXPORT AbTensor *ab_update_state(AbUpdate *update, const char *name);
AB_EXPORT int64_t ab_update_count(const AbUpdate *update); /* of this update, from 1 */
/* lr times the factor of the schedule (NULL: 1) times that of the group's entry. */
AB_EXPORT double ab_update_rate(const AbUpdate *update, double lr, AbSchedule *schedule);
/* The gradients for one of ab_step_* of optimize.h, which clips them as it reads them: that saves a
 * pass over them. To anything else, and to a slice of it, they are as they were before clipping. */
AB_EXPORT AbTensor *ab_update_unclipped(AbUpdate *update);
/* The weights in the piece of memory, one by one, for what goes by layers: elements from .. to - 1
 * are weight `index` of `count`. What lies between them is padding, which is 0.                  */
AB_EXPORT int64_t ab_update_member_count(const AbUpdate *update);
AB_EXPORT void ab_update_member(const AbUpdate *update, int64_t index, int64_t *from, int64_t *to);

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  void (*update)(AbOptimizer *self, AbUpdate *update);
} AbOptimizerVtable;

/* ---- controllers ----------------------------------------------------------------------------- */
typedef struct AbStep AbStep;
typedef struct AbGroup AbGroup;

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  /* Optional: builds the models in the controller's slots and makes groups (ab_group). The
   * manifest's model is built and has its group.                                                */
  void (*build)(AbController *self, AbStep *step);
  /* One training step on ab_step_batch. Returns the scalar that is reported as the loss. */
  AbTensor *(*step)(AbController *self, AbStep *step);
} AbControllerVtable;

AB_EXPORT AbModel *ab_step_model(const AbStep *step);
AB_EXPORT AbRole ab_step_role(const AbStep *step);    /* of the problem */
AB_EXPORT AbGroup *ab_step_group(const AbStep *step); /* of the manifest's model and optimizer */
AB_EXPORT const AbBatch *ab_step_batch(const AbStep *step);
AB_EXPORT const AbProgress *ab_step_progress(const AbStep *step);
/* What the manifest has; NULL where it has none. */
AB_EXPORT AbOptimizer *ab_step_optimizer(const AbStep *step);
AB_EXPORT AbEnvironment *ab_step_environment(const AbStep *step);

/* The objective of a built model on a batch, a scalar: its own, or the manifest's loss of what the
 * role gives for "x" against "target".                                                          */
AB_EXPORT AbTensor *ab_objective(AbStep *step, AbModel *model, AbRole role, const AbBatch *batch);
/* The objective of the manifest's model on the batch of this step. */
AB_EXPORT AbTensor *ab_step_objective(AbStep *step);
/* A step of learning of a model on a batch, by its objective or its own rule, which moves `group`.
 * Returns the scalar to be reported.                                                            */
AB_EXPORT AbTensor *ab_learn(AbStep *step, AbModel *model, AbRole role, const AbBatch *batch,
                             AbGroup *group);
/* The same of the manifest's model on the batch of this step. */
AB_EXPORT AbTensor *ab_step_learn(AbStep *step);

/* A further group, of the weights of a model and what it holds; `name` is unique in the run. Where
 * they are in a group already (a layer of the manifest's model), both look at the same weights, and
 * each has an optimizer with states of its own; then all of them must be, and by one rate. From
 * `build` only.                                                                                 */
AB_EXPORT AbGroup *ab_group(AbStep *step, const char *name, AbModel *model, AbOptimizer *optimizer);
/* Moves the weights of one group down the gradient of `loss`, a scalar. */
AB_EXPORT void ab_update(AbStep *step, AbTensor *loss, AbGroup *group);

/* A second set of a group's weights under a name, saved with the optimizer's states: what a target
 * network or an average is.
 *     kept := fraction kept + (1 - fraction) weights                                            */
AB_EXPORT void ab_group_keep(AbGroup *group, const char *name, double fraction);
/* From now on the models of the group compute with the kept weights; NULL: with their own again.
 * Nothing may be recorded, or moved, meanwhile. Buffers (running statistics) stay as they are. */
AB_EXPORT void ab_group_use(AbGroup *group, const char *name);

AB_END_DECLS

#endif
