/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups: the weights that one optimizer moves, in one piece of memory. */
#ifndef SDK_COMPONENT_GROUP_H
#define SDK_COMPONENT_GROUP_H

#include "../internal.h"

/* One weight in the group's memory. */
typedef struct {
  const AbStateEntry *entry;
  AbTensor *tensor; /* borrowed */
  double factor;    /* of the learning rate */
  int64_t offset;   /* elements from the start of the group */
} AbMember;

/* A run of members with one factor: what an optimizer sees at a time. */
typedef struct {
  double factor;
  int64_t from, to; /* elements */
} AbSpan;

typedef struct {
  char *name;
  AbTensor *flat;   /* [size] */
  AbTensor **views; /* one per member, of its shape */
} AbGroupState;

struct AbGroup {
  AbContext *ctx;
  char *name;
  AbModel *model;
  AbOptimizer *optimizer;
  const char *used; /* the kept weights that it computes with; NULL: its own */
  int64_t updates;
  int64_t size; /* elements, each member at a multiple of 16 */
  AbMember *members;
  int64_t member_count;
  AbSpan *spans;
  int64_t span_count;
  AbTensor *weights, *gradients; /* [size] */
  double clip_scale, clip_limit; /* what clipping asks of the gradients and is yet to be done */
  AbStack states;                /* AbGroupState * */
};

/* Gathers the weights below `model`; `rate` gives each its factor. Those that lie in one of
 * `others` already stay there, and the group is a part of that. NULL after an error. */
AbGroup *ab_group_new(AbContext *ctx, const char *name, AbModel *model, AbOptimizer *optimizer,
                      double (*rate)(const char *weight, void *data), void *data,
                      const AbStack *others);
void ab_group_free(AbGroup *group);
void ab_group_clear_gradients(AbGroup *group);
/* Zeros for weights that no gradient reached. */
void ab_group_complete_gradients(AbGroup *group);
AbGroupState *ab_group_state(AbGroup *group, const char *name); /* made when first asked for */
/* Elements from .. to - 1 of a flat tensor, in the scope. */
AbTensor *ab_flat_part(AbTensor *flat, int64_t from, int64_t to);

#endif
