/* SPDX-License-Identifier: Apache-2.0
 *
 * What an optimizer sees of an update: weights, gradients and states of a run of weights. */
#include "step.h"
#include <math.h>

void ab_group_clip(AbGroup *group) {
  if (!group->gradients->storage) return; /* a dry run */
  const AbDevice *device = group->ctx->device;
  AbDtype real = group->ctx->real;
  void *g = ab_data_of(group->gradients);
  double scale = group->clip_scale, limit = group->clip_limit;
  if (scale != 1) device->affine(real, group->size, g, g, scale, 0);
  if (isfinite(limit)) device->clamp(real, group->size, g, -limit, limit);
  group->clip_scale = 1;
  group->clip_limit = INFINITY;
}

/* Whether a weight lies in the run that is updated. */
static bool within(const AbUpdate *u, const AbMember *member) {
  return member->offset >= u->span->from && member->offset < u->span->to;
}

AbTensor *ab_update_weights(AbUpdate *u) {
  return ab_flat_part(u->group->weights, u->span->from, u->span->to);
}

int64_t ab_update_member_count(const AbUpdate *u) {
  int64_t count = 0;
  for (int64_t i = 0; i < u->group->member_count; i++) count += within(u, &u->group->members[i]);
  return count;
}

void ab_update_member(const AbUpdate *u, int64_t index, int64_t *from, int64_t *to) {
  *from = *to = 0;
  for (int64_t i = 0; i < u->group->member_count; i++) {
    const AbMember *member = &u->group->members[i];
    if (!within(u, member) || index-- > 0) continue;
    *from = member->offset - u->span->from;
    *to = *from + ab_tensor_count(member->tensor);
    return;
  }
}

AbTensor *ab_update_gradients(AbUpdate *u) {
  ab_group_clip(u->group);
  return ab_flat_part(u->group->gradients, u->span->from, u->span->to);
}

AbTensor *ab_update_unclipped(AbUpdate *u) {
  AbTensor *g = ab_flat_part(u->group->gradients, u->span->from, u->span->to);
  if (!g) return NULL;
  g->ints[AB_CLIP_PENDING] = 1;
  g->reals[0] = u->group->clip_scale;
  g->reals[1] = u->group->clip_limit;
  return g;
}

AbTensor *ab_update_state(AbUpdate *u, const char *name) {
  AbGroupState *state = ab_group_state(u->group, name);
  return state ? ab_flat_part(state->flat, u->span->from, u->span->to) : NULL;
}

int64_t ab_update_count(const AbUpdate *u) {
  return u->group->updates;
}

double ab_update_rate(const AbUpdate *u, double lr, AbSchedule *schedule) {
  return lr * ab_schedule_factor(schedule, &u->step->progress) * u->span->factor;
}

double ab_schedule_factor(AbSchedule *schedule, const AbProgress *progress) {
  if (!schedule) return 1;
  return ((const AbScheduleVtable *)schedule->component->vtable)->factor(schedule, progress);
}
