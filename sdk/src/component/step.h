/* SPDX-License-Identifier: Apache-2.0
 *
 * A training step and an update within it: what step.c and update.c share. */
#ifndef SDK_COMPONENT_STEP_H
#define SDK_COMPONENT_STEP_H

#include "group.h"

struct AbStep {
  AbContext *ctx;
  AbStepParts parts;
  AbStack rates;  /* Rate * */
  AbStack groups; /* AbGroup *; the first is that of the manifest's model */
  const AbBatch *batch;
  AbProgress progress;
  double norm;
  int64_t activations; /* bytes: see ab_step_activations */
  char state_name[512];
};

struct AbUpdate {
  AbStep *step;
  AbGroup *group;
  const AbSpan *span;
};

/* Does what clipping asks of the gradients of a group, unless that has been done. */
void ab_group_clip(AbGroup *group);

#endif
