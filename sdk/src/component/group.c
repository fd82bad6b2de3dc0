/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of weights: gathering them, laying them out, the states of their optimizer.
 *
 * Weights move into one block, and their gradients into another of the same layout, so that an
 * optimizer, a norm, a check and later an all-reduce are one pass over dense memory.             */
#include "group.h"
#include <stdlib.h>
#include <string.h>

#define ALIGN 16 /* elements: 64 bytes of f32 */

/* ---- gathering ------------------------------------------------------------------------------- */

typedef struct {
  AbGroup *group;
  double (*rate)(const char *weight, void *data);
  void *data;
  int64_t capacity;
  bool failed;
} Gathering;

static void gather(AbInstance *self, void *data) {
  Gathering *g = data;
  AbGroup *group = g->group;
  for (int64_t i = 0; i < self->state->entries.count && !g->failed; i++) {
    const AbStateEntry *entry = self->state->entries.items[i];
    if (!entry->weight || entry->tied || entry->frozen) continue;
    if (group->member_count == g->capacity) {
      g->capacity = g->capacity ? 2 * g->capacity : 16;
      AbMember *members = realloc(group->members, (size_t)g->capacity * sizeof *members);
      if (!members) {
        g->failed = true;
        return;
      }
      group->members = members;
    }
    group->members[group->member_count++] =
        (AbMember){entry, entry->tensor, g->rate(entry->path, g->data), 0};
  }
}

/* Lays members out, those of one factor together, in the order in which they were made. */
static bool lay_out(AbGroup *group) {
  int64_t n = group->member_count;
  AbMember *sorted = malloc((size_t)(n ? n : 1) * sizeof *sorted);
  group->spans = malloc((size_t)(n ? n : 1) * sizeof *group->spans);
  if (!sorted || !group->spans) {
    free(sorted);
    return false;
  }
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) {
    double factor = group->members[i].factor;
    bool seen = false;
    for (int64_t s = 0; s < group->span_count; s++) seen |= group->spans[s].factor == factor;
    if (seen) continue;
    AbSpan *span = &group->spans[group->span_count++];
    *span = (AbSpan){factor, group->size, 0};
    for (int64_t j = i; j < n; j++) {
      if (group->members[j].factor != factor) continue;
      sorted[at] = group->members[j];
      sorted[at++].offset = group->size;
      group->size += (ab_tensor_count(group->members[j].tensor) + ALIGN - 1) / ALIGN * ALIGN;
    }
    span->to = group->size;
  }
  free(group->members);
  group->members = sorted;
  return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static AbTensor *flat_zeros(AbContext *ctx, int64_t size) {
  AbTensor *flat = ab_tensor_new_unowned(ctx, ctx->real, 1, &size, ctx->shape_only);
  if (flat && flat->storage) ctx->device->fill(ctx->real, size, ab_data_of(flat), 0);
  return flat;
}

/* A view of a flat tensor with the shape of `like`; not owned by a scope. */
static AbTensor *view_like(AbTensor *flat, int64_t offset, const AbTensor *like) {
  AbTensor *view = ab_ref(ab_tensor_view(flat));
  if (!view) return NULL;
  view->offset = flat->offset + offset;
  view->rank = like->rank;
  memcpy(view->shape, like->shape, sizeof view->shape);
  memcpy(view->stride, like->stride, sizeof view->stride);
  return view;
}

/* The group's two tensors; of a shape only in a dry run, in which weights stay where they are. */
static bool outline(AbGroup *group) {
  group->weights = flat_zeros(group->ctx, group->size);
  group->gradients = group->weights ? flat_zeros(group->ctx, group->size) : NULL;
  return group->gradients != NULL;
}

/* Moves a leaf to another storage; its numbers must already be there. */
static void rebind(AbTensor *leaf, AbTensor *flat, int64_t offset) {
  AbStorage *before = leaf->storage;
  leaf->storage = flat->storage;
  leaf->storage->refs++;
  leaf->offset = offset;
  ab_storage_unref(leaf->ctx, before);
}

static bool adopt(AbGroup *group, AbMember *member) {
  AbTensor *weight = member->tensor;
  AbTensor *place = view_like(group->weights, member->offset, weight);
  if (!place) return false;
  ab_assign(place, weight);
  ab_unref(place);
  rebind(weight, group->weights, member->offset);
  weight->grad = view_like(group->gradients, member->offset, weight);
  weight->standing = true;
  return weight->grad != NULL;
}

/* Tied leaves follow the weight that they look at, whichever group it is in. */
static void follow(AbInstance *self, void *data) {
  AbGroup *group = data;
  for (int64_t i = 0; i < self->state->entries.count; i++) {
    const AbStateEntry *entry = self->state->entries.items[i];
    AbTensor *leaf = entry->tensor, *owner = leaf->tied_to;
    if (!entry->tied || leaf->standing) continue;
    if (!owner->standing && owner->needs_grad) {
      ab_fail(self, AB_CONFIG,
              "group '%s': weight %s is tied to one that is in no group yet; its group comes first",
              group->name, entry->name);
      return;
    }
    if (!owner->standing) { /* frozen */
      leaf->needs_grad = false;
      continue;
    }
    rebind(leaf, owner, owner->offset);
    leaf->grad = view_like(owner->grad, 0, leaf);
    leaf->standing = leaf->grad != NULL;
  }
}

/* ---- a part of another group ----------------------------------------------------------------- */

/* Member i of the group is member first + i of the other, for all of them, in one piece. */
static bool lies_in(AbGroup *group, const AbGroup *other, int64_t *first) {
  for (*first = 0; *first + group->member_count <= other->member_count; ++*first) {
    const AbMember *members = other->members + *first;
    int64_t same = 0;
    while (same < group->member_count && members[same].tensor == group->members[same].tensor)
      same++;
    if (same == group->member_count) return true;
  }
  return false;
}

/* The place of the group's weights in the memory of the other. */
static bool share(AbGroup *group, AbGroup *other) {
  int64_t first;
  if (!lies_in(group, other, &first)) {
    ab_error(group->ctx, AB_CONFIG,
             "group '%s': its weights are part of the group '%s', and must lie there in one piece "
             "and all learn at one rate; see optimizer.groups",
             group->name, other->name);
    return false;
  }
  int64_t from = other->members[first].offset;
  for (int64_t i = 0; i < group->member_count; i++)
    group->members[i].offset = other->members[first + i].offset - from;
  if (group->ctx->shape_only) return outline(group);
  group->weights = ab_ref(ab_flat_part(other->weights, from, from + group->size));
  group->gradients = ab_ref(ab_flat_part(other->gradients, from, from + group->size));
  return group->weights && group->gradients;
}

/* The group that has the first weight of this one; NULL if none has. */
static AbGroup *sharing(const AbGroup *group, const AbStack *others) {
  for (int64_t i = 0; group->member_count > 0 && i < others->count; i++) {
    AbGroup *other = others->items[i];
    for (int64_t j = 0; j < other->member_count; j++)
      if (other->members[j].tensor == group->members[0].tensor) return other;
  }
  return NULL;
}

static bool settle(AbGroup *group) {
  bool done = outline(group);
  for (int64_t i = 0; done && i < group->member_count; i++) done = adopt(group, &group->members[i]);
  if (done) ab_walk(group->model, follow, group);
  return done;
}

AbGroup *ab_group_new(AbContext *ctx, const char *name, AbModel *model, AbOptimizer *optimizer,
                      double (*rate)(const char *weight, void *data), void *data,
                      const AbStack *others) {
  AbGroup *group = calloc(1, sizeof *group);
  if (group) group->name = ab_text_copy(name);
  if (!group || !group->name) {
    free(group);
    ab_error(ctx, AB_INTERNAL, "out of memory");
    return NULL;
  }
  group->ctx = ctx;
  group->model = model;
  group->optimizer = optimizer;
  Gathering gathering = {group, rate, data, 0, false};
  ab_walk(model, gather, &gathering);
  if (gathering.failed || !lay_out(group)) {
    ab_error(ctx, AB_INTERNAL, "out of memory");
    ab_group_free(group);
    return NULL;
  }
  AbGroup *other = sharing(group, others);
  if (other ? share(group, other) : ctx->shape_only ? outline(group) : settle(group)) return group;
  ab_group_free(group);
  return NULL;
}

static void state_free(const AbGroup *group, AbGroupState *state) {
  for (int64_t i = 0; i < group->member_count; i++) ab_unref(state->views[i]);
  ab_unref(state->flat);
  free(state->views);
  free(state->name);
  free(state);
}

/* Weights stay where they are: their storage lives as long as any of them. */
void ab_group_free(AbGroup *group) {
  if (!group) return;
  for (int64_t i = 0; i < group->states.count; i++) state_free(group, group->states.items[i]);
  free(group->states.items);
  ab_unref(group->weights);
  ab_unref(group->gradients);
  free(group->members);
  free(group->spans);
  free(group->name);
  free(group);
}

/* ---- gradients and states -------------------------------------------------------------------- */

void ab_group_clear_gradients(AbGroup *group) {
  for (int64_t i = 0; i < group->member_count; i++) ab_clear_gradient(group->members[i].tensor);
}

void ab_group_complete_gradients(AbGroup *group) {
  for (int64_t i = 0; i < group->member_count; i++) {
    AbTensor *weight = group->members[i].tensor;
    if (weight->has_grad) continue;
    group->ctx->device->fill(weight->dtype, ab_tensor_count(weight), ab_data_of(weight->grad), 0);
    weight->has_grad = true;
  }
}

static AbGroupState *state_new(AbGroup *group, const char *name) {
  AbGroupState *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->name = ab_text_copy(name);
  state->views =
      calloc((size_t)(group->member_count ? group->member_count : 1), sizeof *state->views);
  state->flat = state->views && state->name ? flat_zeros(group->ctx, group->size) : NULL;
  bool done = state->flat != NULL;
  for (int64_t i = 0; done && i < group->member_count; i++) {
    state->views[i] = view_like(state->flat, group->members[i].offset, group->members[i].tensor);
    done = state->views[i] != NULL;
  }
  if (done && ab_stack_push(group->ctx, &group->states, state)) return state;
  if (state->views)
    state_free(group, state);
  else
    free(state->name), free(state);
  return NULL;
}

AbGroupState *ab_group_state(AbGroup *group, const char *name) {
  for (int64_t i = 0; i < group->states.count; i++) {
    AbGroupState *state = group->states.items[i];
    if (strcmp(state->name, name) == 0) return state;
  }
  AbGroupState *state = state_new(group, name);
  if (!state) ab_error(group->ctx, AB_INTERNAL, "out of memory");
  return state;
}

AbTensor *ab_flat_part(AbTensor *flat, int64_t from, int64_t to) {
  AbTensor *part = ab_tensor_view(flat);
  if (!part) return NULL;
  part->offset += from;
  part->shape[0] = to - from;
  return part;
}

/* ---- kept weights ---------------------------------------------------------------------------- */

void ab_group_keep(AbGroup *group, const char *name, double fraction) {
  if (!group || !ab_ok(group->ctx)) return;
  AbContext *ctx = group->ctx;
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  AbGroupState *kept = ab_group_state(group, name);
  if (kept && fraction == 0)
    ab_assign(kept->flat, group->weights);
  else if (kept)
    ab_assign(kept->flat, ab_add(ab_affine(kept->flat, fraction, 0),
                                 ab_affine(group->weights, 1 - fraction, 0)));
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
}

/* Tied leaves of the group's models follow the weight that they look at. */
static void follow_owner(AbInstance *self, void *data) {
  const AbGroup *group = data;
  for (int64_t i = 0; i < self->state->entries.count; i++) {
    const AbStateEntry *entry = self->state->entries.items[i];
    AbTensor *leaf = entry->tensor;
    for (int64_t j = 0; entry->tied && j < group->member_count; j++)
      if (leaf->tied_to == group->members[j].tensor) rebind(leaf, leaf->tied_to, leaf->offset);
  }
}

void ab_group_use(AbGroup *group, const char *name) {
  if (!group || group->ctx->shape_only || (name && !ab_ok(group->ctx))) return;
  const AbGroupState *kept = name ? ab_group_state(group, name) : NULL;
  if (name && !kept) return;
  AbTensor *flat = kept ? kept->flat : group->weights;
  for (int64_t i = 0; i < group->member_count; i++)
    rebind(group->members[i].tensor, flat, flat->offset + group->members[i].offset);
  group->used = kept ? kept->name : NULL;
  ab_walk(group->model, follow_owner, group);
}
