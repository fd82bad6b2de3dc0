/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights and buffers: the named state of an instance. */
#include "../internal.h"
#include "initialize.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AbStateEntry *entry_named(const AbInstance *self, const char *name) {
  for (int64_t i = 0; i < self->state->entries.count; i++) {
    AbStateEntry *entry = self->state->entries.items[i];
    if (strcmp(entry->name, name) == 0) return entry;
  }
  return NULL;
}

/* Takes the tensor's reference; NULL after an error. */
static AbStateEntry *entry_new(AbInstance *self, const char *name, const char *axes,
                               AbTensor *tensor, bool weight) {
  AbContext *ctx = self->state->ctx;
  AbStateEntry *entry = calloc(1, sizeof *entry);
  size_t size = strlen(self->state->path) + strlen(name) + 2;
  if (entry) {
    *entry = (AbStateEntry){
        ab_text_copy(name), malloc(size), ab_text_copy(axes), tensor, weight, false, false};
    if (entry->name && entry->path && entry->axes) {
      snprintf(entry->path, size, "%s/%s", self->state->path, name);
      tensor->state = true;
      if (ab_stack_push(ctx, &self->state->entries, entry)) return entry;
    }
    free(entry->name);
    free(entry->path);
    free(entry->axes);
    free(entry);
  }
  ab_unref(tensor);
  ab_fail(self, AB_INTERNAL, "out of memory");
  return NULL;
}

static bool name_is_free(AbInstance *self, const char *name) {
  bool plain = *name != 0;
  for (const char *c = name; *c; c++) plain &= *c > ' ' && *c < 127 && *c != '/';
  if (plain && !entry_named(self, name)) return true;
  ab_fail(self, AB_INTERNAL, "'%s' cannot be the name of a weight or buffer: %s", name,
          plain ? "there is one of that name" : "it has characters other than visible ASCII, or /");
  return false;
}

/* ---- ties ------------------------------------------------------------------------------------ */

void ab_tie(AbInstance *child, const char *name, AbTensor *weight, bool transposed) {
  if (!weight) return;
  struct AbInstanceState *state = child->state;
  if (weight == AB_NONE || weight->op || (transposed && weight->rank != 2)) {
    ab_fail(child, AB_INTERNAL, "%s can be tied to a weight only, transposed only one of rank 2",
            name);
    return;
  }
  AbTie *tie = calloc(1, sizeof *tie);
  if (tie) *tie = (AbTie){ab_text_copy(name), ab_ref(weight), transposed};
  if (tie && tie->name && ab_stack_push(state->ctx, &state->ties, tie)) return;
  if (tie) {
    ab_unref(tie->weight);
    free(tie->name);
  }
  free(tie);
  ab_fail(child, AB_INTERNAL, "out of memory");
}

static AbTie *tie_named(const AbInstance *self, const char *name) {
  for (int64_t i = 0; i < self->state->ties.count; i++) {
    AbTie *tie = self->state->ties.items[i];
    if (strcmp(tie->name, name) == 0) return tie;
  }
  return NULL;
}

static void swap_axes(AbTensor *x) {
  int64_t shape = x->shape[0], stride = x->stride[0];
  x->shape[0] = x->shape[1];
  x->stride[0] = x->stride[1];
  x->shape[1] = shape;
  x->stride[1] = stride;
}

/* A leaf that looks at the memory of the weight it is tied to. */
static AbTensor *tied_weight(AbInstance *self, const AbTie *tie, AbShape shape) {
  AbTensor *owner = tie->weight->tied_to ? tie->weight->tied_to : tie->weight;
  AbTensor *leaf = ab_ref(ab_tensor_view(tie->weight));
  if (!leaf) return NULL;
  if (tie->transposed) swap_axes(leaf);
  if (leaf->rank != shape.rank ||
      memcmp(leaf->shape, shape.dims, (size_t)shape.rank * sizeof *shape.dims) != 0) {
    char a[220], b[220];
    ab_fail(self, AB_CONFIG,
            "weight %s wants the shape %s and is tied to one that gives %s; tied weights need an "
            "encoder and a decoder that mirror each other",
            tie->name, ab_shape_text(shape, a, sizeof a), ab_tensor_text(leaf, b, sizeof b));
    ab_unref(leaf);
    return NULL;
  }
  leaf->tied_to = ab_ref(owner);
  leaf->needs_grad = true;
  return leaf;
}

/* ---- making ---------------------------------------------------------------------------------- */

AbTensor *ab_weight(AbInstance *self, const char *name, AbShape shape, AbInit init,
                    const char *axes) {
  AbContext *ctx = self->state->ctx;
  if (!ab_ok(ctx) || !name_is_free(self, name)) return NULL;
  const AbTie *tie = tie_named(self, name);
  AbTensor *tensor =
      tie ? tied_weight(self, tie, shape)
          : ab_tensor_new_unowned(ctx, ctx->real, shape.rank, shape.dims, ctx->shape_only);
  if (!tensor) return NULL;
  AbStateEntry *entry = entry_new(self, name, axes, tensor, true);
  if (!entry) return NULL;
  entry->tied = tie != NULL;
  tensor->needs_grad = true;
  if (!tie && tensor->storage) ab_initialize(self, entry->name, tensor, entry->path, init);
  return ab_ok(ctx) ? tensor : NULL;
}

AbTensor *ab_buffer(AbInstance *self, const char *name, AbDtype dtype, AbShape shape,
                    const char *axes) {
  AbContext *ctx = self->state->ctx;
  if (!ab_ok(ctx) || !name_is_free(self, name)) return NULL;
  AbTensor *tensor = ab_tensor_new_unowned(ctx, dtype, shape.rank, shape.dims, ctx->shape_only);
  if (!tensor) return NULL;
  if (tensor->storage) ctx->device->fill(dtype, ab_tensor_count(tensor), ab_data_of(tensor), 0);
  AbStateEntry *entry = entry_new(self, name, axes, tensor, false);
  return entry ? tensor : NULL;
}

AbTensor *ab_find_weight(AbInstance *self, const char *name) {
  AbStateEntry *entry = entry_named(self, name);
  if (entry && entry->weight) return entry->tensor;
  ab_fail(self, AB_INTERNAL, "there is no weight %s here", name);
  return NULL;
}

bool ab_has_weight(const AbInstance *self, const char *name) {
  const AbStateEntry *entry = entry_named(self, name);
  return entry && entry->weight;
}

int64_t ab_state_count(const AbInstance *self) {
  return self->state->entries.count;
}

AbState ab_state(const AbInstance *self, int64_t index) {
  const AbStateEntry *entry = self->state->entries.items[index];
  return (AbState){entry->path,   entry->axes, entry->tensor,
                   entry->weight, entry->tied, entry->frozen};
}

void ab_state_freeze(AbInstance *self, int64_t index) {
  AbStateEntry *entry = self->state->entries.items[index];
  entry->frozen = true;
  entry->tensor->needs_grad = false;
}
