/* SPDX-License-Identifier: Apache-2.0
 *
 * Reverse-mode differentiation.
 *
 * An operation's result has a higher id than its inputs. So the backward pass needs no sort of the
 * graph: it takes the highest id that has a gradient, runs its rule, which adds to the gradients of
 * the inputs, and goes on; whatever uses a tensor has then been done before it.                  */
#include "internal.h"
#include <stdio.h>
#include <string.h>

static bool many_inputs(AbTensor *y, int32_t count) {
  y->block = ab_host_storage_new(y->ctx, (size_t)count * (sizeof(AbTensor *) + sizeof(uint32_t)));
  if (!y->block) return false;
  y->inputs = y->block->data;
  y->versions = (uint32_t *)(y->inputs + count);
  return true;
}

void ab_save(AbTensor *y, int32_t i, AbTensor *x) {
  if (y && y->op) y->saved[i] = ab_ref(x);
}

/* Tells whoever looks on. */
static void tell(AbTensor *y, const AbOp *op, AbTensor *const *inputs, int32_t count) {
  AbContext *ctx = y->ctx;
  int64_t products = ctx->multiply_adds - ctx->watched;
  AbOperation operation = {
      .name = ctx->custom_name ? ctx->custom_name : op->name,
      .component = ctx->current ? ctx->current->state->path : "",
      .output = y,
      .inputs = inputs,
      .input_count = count,
      .multiply_adds = products,
  };
  ctx->watched = ctx->multiply_adds;
  ctx->watch(ctx->watch_data, &operation);
}

AbTensor *ab_record(AbTensor *y, const AbOp *op, AbTensor *const *inputs, int32_t count) {
  bool needed = false;
  for (int32_t i = 0; i < count; i++) needed |= inputs[i]->needs_grad;
  AbTensor *recorded = needed ? ab_record_always(y, op, inputs, count) : y;
  if (recorded && recorded->ctx->watch) tell(recorded, op, inputs, count);
  return recorded;
}

AbTensor *ab_record_always(AbTensor *y, const AbOp *op, AbTensor *const *inputs, int32_t count) {
  if (!y || !y->ctx->recording) return y;
  y->op = op;
  y->needs_grad = true;
  y->inputs = y->few;
  y->versions = y->few_versions;
  if (count > AB_FEW_INPUTS && !many_inputs(y, count)) return NULL;
  y->input_count = count;
  for (int32_t i = 0; i < count; i++) {
    y->inputs[i] = ab_ref(inputs[i]);
    y->versions[i] = inputs[i]->storage ? inputs[i]->storage->version : 0;
  }
  return y;
}

bool ab_wants(const AbTensor *y, int32_t i) {
  return y->inputs[i]->needs_grad;
}

void ab_require_grad(AbTensor *x) {
  if (x && x != AB_NONE && !x->op && ab_is_real(x, "require_grad")) x->needs_grad = true;
}

bool ab_requires_grad(const AbTensor *x) {
  return x && x->needs_grad;
}

AbTensor *ab_detach(AbTensor *x) {
  if (!x || x == AB_NONE) return x;
  return ab_tensor_view(x); /* a view has no history */
}

/* ---- the queue: a heap by id ----------------------------------------------------------------- */

static uint64_t id_at(const AbStack *heap, int64_t i) {
  return ((AbTensor *)heap->items[i])->id;
}

static void swap(AbStack *heap, int64_t i, int64_t j) {
  void *item = heap->items[i];
  heap->items[i] = heap->items[j];
  heap->items[j] = item;
}

static void queue_push(AbContext *ctx, AbTensor *x) {
  AbStack *heap = &ctx->heap;
  if (!ab_stack_push(ctx, heap, ab_ref(x))) {
    ab_unref(x);
    return;
  }
  for (int64_t i = heap->count - 1; i > 0 && id_at(heap, i) > id_at(heap, (i - 1) / 2);
       i = (i - 1) / 2)
    swap(heap, i, (i - 1) / 2);
}

static AbTensor *queue_pop(AbStack *heap) {
  AbTensor *top = heap->items[0];
  heap->items[0] = heap->items[--heap->count];
  for (int64_t i = 0;;) {
    int64_t child = 2 * i + 1;
    if (child >= heap->count) break;
    if (child + 1 < heap->count && id_at(heap, child + 1) > id_at(heap, child)) child++;
    if (id_at(heap, i) >= id_at(heap, child)) break;
    swap(heap, i, child);
    i = child;
  }
  return top;
}

/* ---- gradients of leaves ----------------------------------------------------------------------
 * A weight of a group has a gradient that stays: a piece of the group's memory. The first addition
 * of a step overwrites it. Other leaves get a tensor of their own.                               */

static AbTensor *owner_of(AbTensor *leaf) {
  return leaf->tied_to ? leaf->tied_to : leaf;
}

static bool is_target(const AbContext *ctx, const AbTensor *x) {
  for (int32_t i = 0; i < ctx->target_count; i++)
    if (ctx->targets[i] == x) return true;
  return false;
}

static void add_to(AbTensor *sum, AbTensor *g) {
  AbLoop loop = ab_loop(sum, sum, g);
  sum->ctx->device->binary(K_ADD, sum->dtype, &loop, ab_data_of(sum), ab_data_of(sum),
                           ab_data_of(g));
}

static void add_to_standing(AbTensor *leaf, AbTensor *g) {
  AbTensor *owner = owner_of(leaf);
  if (owner->has_grad) {
    add_to(leaf->grad, g);
  } else {
    AbLoop loop = ab_loop(leaf->grad, g, NULL);
    g->ctx->device->copy(&loop, leaf->dtype, ab_data_of(leaf->grad), g->dtype, ab_data_of(g));
    owner->has_grad = true;
  }
}

static bool stands(const AbContext *ctx, const AbTensor *x) {
  return !ctx->targets && !x->op && x->grad && x->standing;
}

/* Adds g to what x has so far: in place where nobody else holds that sum. */
static void add_gradient(AbTensor *x, AbTensor *g) {
  AbContext *ctx = x->ctx;
  if (!x->grad) {
    x->grad = ab_ref(x->op ? g : ab_dense(g)); /* that of a leaf can be mapped */
    if (x->op) queue_push(ctx, x);
  } else if (!ctx->differentiable && x->grad->refs == 1 && ab_tensor_dense(x->grad) &&
             x->grad->storage->refs == 1) {
    add_to(x->grad, g);
  } else {
    AbTensor *sum = ab_ref(ab_add(x->grad, g));
    ab_unref(x->grad);
    x->grad = sum;
  }
}

/* Leaves that a pass for some targets leaves alone. */
static bool left_out(const AbTensor *x) {
  const AbContext *ctx = x->ctx;
  bool inner = ctx->nested_from && x->id >= ctx->nested_from;
  return !x->op && ctx->targets && !inner && !is_target(ctx, x);
}

static void receive(AbTensor *x, AbTensor *g) {
  if (left_out(x)) return;
  if (stands(x->ctx, x))
    add_to_standing(x, g);
  else
    add_gradient(x, g);
}

void ab_accumulate(AbTensor *y, int32_t i, AbTensor *g) {
  AbTensor *x = y->inputs[i];
  if (!g || !x->needs_grad) return;
  AbContext *ctx = x->ctx;
  if (!ab_same_shape(x, g) || x->dtype != g->dtype) {
    char a[220], b[220];
    ab_error(ctx, AB_INTERNAL, "%s: a gradient of %s for an input of %s", y->op->name,
             ab_tensor_text(g, a, sizeof a), ab_tensor_text(x, b, sizeof b));
    return;
  }
  receive(x, g);
}

void ab_accumulate_product(AbTensor *y, int32_t i, AbTensor *a, AbTensor *b) {
  AbTensor *x = y->inputs[i];
  if (!a || !b || !x->needs_grad || left_out(x)) return;
  if (!stands(x->ctx, x) || x->ctx->differentiable) {
    ab_accumulate(y, i, ab_matmul(a, b));
    return;
  }
  AbTensor *owner = owner_of(x);
  ab_multiply(x->grad, a, b, owner->has_grad ? 1 : 0);
  owner->has_grad = true;
}

AbTensor *ab_gradient_target(AbTensor *y, int32_t i, bool *add) {
  AbTensor *x = y->inputs[i];
  *add = false;
  if (!x->needs_grad || left_out(x)) return NULL;
  if (!stands(x->ctx, x) || !ab_tensor_dense(x->grad))
    return ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, false);
  *add = owner_of(x)->has_grad;
  return x->grad;
}

void ab_accumulated(AbTensor *y, int32_t i, AbTensor *target) {
  AbTensor *x = y->inputs[i];
  if (target && target == x->grad && stands(x->ctx, x))
    owner_of(x)->has_grad = true;
  else
    ab_accumulate(y, i, target);
}

static AbTensor *zeros_like(AbTensor *x) {
  AbTensor *y = ab_tensor_new_unowned(x->ctx, x->dtype, x->rank, x->shape, false);
  if (!y) return NULL;
  if (ab_tensor_packed(x)) memcpy(y->stride, x->stride, sizeof y->stride);
  x->ctx->device->fill(y->dtype, ab_tensor_count(y), ab_data_of(y), 0);
  return y;
}

/* A gradient that is somebody else's too is not to be changed: x gets a copy. */
static bool own_gradient(AbTensor *x) {
  if (x->grad->refs == 1 && x->grad->storage->refs == 1 && ab_tensor_packed(x->grad)) return true;
  AbTensor *sum = zeros_like(x);
  if (!sum) return false;
  add_to(sum, x->grad);
  ab_unref(x->grad);
  x->grad = sum;
  return true;
}

AbTensor *ab_gradient_in_place(AbTensor *y, int32_t i) {
  AbTensor *x = y->inputs[i];
  if (!x->needs_grad || left_out(x)) return NULL;
  if (stands(x->ctx, x)) {
    AbTensor *zero = owner_of(x)->has_grad ? NULL : ab_full(x->ctx, x->dtype, ab_shape(x), 0);
    if (zero) add_to_standing(x, zero);
    return x->grad;
  }
  if (x->grad) return own_gradient(x) ? x->grad : NULL;
  if (!(x->grad = zeros_like(x))) return NULL;
  if (x->op) queue_push(x->ctx, x);
  return x->grad;
}

void ab_give_gradient(AbTensor *weight, AbTensor *gradient) {
  if (!weight || !gradient) return;
  if (weight == AB_NONE || weight->op || !weight->needs_grad) {
    ab_error(gradient->ctx, AB_INTERNAL, "a gradient was given to what is no weight that learns");
  } else if (!ab_same_shape(weight, gradient) || weight->dtype != gradient->dtype) {
    char a[220], b[220];
    ab_error(weight->ctx, AB_INTERNAL, "a gradient of %s was given to a weight of %s",
             ab_tensor_text(gradient, a, sizeof a), ab_tensor_text(weight, b, sizeof b));
  } else if (!ab_is_shape_only(gradient)) {
    receive(weight, gradient);
  }
}

AbTensor *ab_gradient(AbTensor *leaf) {
  if (!leaf || leaf == AB_NONE) return NULL;
  return leaf->standing && !owner_of(leaf)->has_grad ? NULL : leaf->grad;
}

void ab_clear_gradient(AbTensor *leaf) {
  if (!leaf || leaf == AB_NONE) return;
  if (leaf->standing) {
    owner_of(leaf)->has_grad = false;
  } else {
    ab_unref(leaf->grad);
    leaf->grad = NULL;
  }
}

/* ---- the pass -------------------------------------------------------------------------------- */

static bool unchanged(AbTensor *y) {
  for (int32_t i = 0; i < y->input_count; i++) {
    const AbTensor *x = y->inputs[i];
    if (!x->storage || x->storage->version == y->versions[i]) continue;
    char text[220];
    ab_error(y->ctx, AB_INTERNAL,
             "%s: its input of %s was assigned after the operation and before its backward pass",
             y->op->name, ab_tensor_text(x, text, sizeof text));
    return false;
  }
  return true;
}

static bool can_run(AbTensor *y) {
  if (!ab_ok(y->ctx) || !unchanged(y)) return false;
  if (!y->ctx->differentiable || !y->op->once) return true;
  ab_error(y->ctx, AB_CONFIG, "%s: its gradient has no derivative of its own in this version",
           y->op->name);
  return false;
}

/* Runs all rules from the highest id down to `first_id`. */
static void run_rules(AbContext *ctx, uint64_t first_id) {
  while (ctx->heap.count > 0 && id_at(&ctx->heap, 0) >= first_id) {
    AbTensor *x = queue_pop(&ctx->heap);
    AbTensor *g = x->grad;
    bool keep = ctx->targets && is_target(ctx, x);
    if (can_run(x)) {
      AbScope scope = ab_scope_begin(ctx);
      x->op->backward(x, g);
      if (!ctx->differentiable) ab_scope_end(ctx, scope, NULL, 0);
    }
    if (!keep) {
      x->grad = NULL;
      ab_unref(g);
    }
    ab_unref(x);
  }
}

/* Gives y the gradient 1 and runs all rules from there down. */
static void run(AbContext *ctx, AbTensor *y) {
  AbTensor *one = ab_full(ctx, y->dtype, ab_scalar_shape(), 1);
  if (one) receive(y, one);
  run_rules(ctx, 0);
}

void ab_backward_from(AbTensor *y, AbTensor *g, uint64_t first_id) {
  if (!y || !g || !y->op) return;
  AbContext *ctx = y->ctx;
  uint64_t before = ctx->nested_from;
  ctx->nested_from = first_id;
  receive(y, g);
  run_rules(ctx, first_id);
  ctx->nested_from = before;
}

static bool can_begin(AbTensor *y, const char *what) {
  if (!ab_is_real(y, what) || !ab_ok(y->ctx)) return false;
  char text[220];
  if (ab_tensor_count(y) != 1 || y->rank != 0) {
    ab_error(y->ctx, AB_CONFIG, "%s wants a scalar, not %s", what,
             ab_tensor_text(y, text, sizeof text));
    return false;
  }
  return y->storage; /* else a dry run */
}

void ab_backward(AbTensor *loss) {
  if (!can_begin(loss, "backward")) return;
  AbContext *ctx = loss->ctx;
  if (!loss->needs_grad) {
    ab_error(ctx, AB_CONFIG,
             "backward: the loss does not depend on anything that needs a gradient");
    return;
  }
  bool recording = ab_set_recording(ctx, false);
  run(ctx, loss);
  ab_set_recording(ctx, recording);
}

/* Where xs[i] is in xs before i; else -1. */
static int32_t earlier(AbTensor *const *xs, int32_t i) {
  for (int32_t j = 0; j < i; j++)
    if (xs[j] == xs[i]) return j;
  return -1;
}

/* What a pass has left in x goes to the scope; zeros if that is nothing, NULL after an error. */
static AbTensor *take_gradient(AbTensor *x) {
  AbContext *ctx = x->ctx;
  AbTensor *g = x->grad;
  x->grad = NULL;
  if (!ab_ok(ctx)) {
    ab_unref(g);
    return NULL;
  }
  if (!g) return ab_full(ctx, x->dtype, ab_shape(x), 0);
  if (ab_stack_push(ctx, &ctx->owned, g)) return g;
  ab_unref(g);
  return NULL;
}

/* In a dry run the gradients are shapes too. */
static void outline(const AbTensor *y, AbTensor *const *xs, int32_t count, AbTensor **gradients) {
  if (!y || y == AB_NONE || y->storage || !ab_ok(y->ctx)) return;
  for (int32_t i = 0; i < count; i++)
    gradients[i] = ab_tensor_new(y->ctx, xs[i]->dtype, xs[i]->rank, xs[i]->shape, true);
}

/* The leaves among xs may hold gradients of a backward pass: set aside meanwhile. */
void ab_gradients(AbTensor *y, AbTensor *const *xs, int32_t count, AbTensor **gradients,
                  bool differentiable) {
  for (int32_t i = 0; i < count; i++) gradients[i] = NULL;
  if (count > 64) {
    ab_error(ab_context_of(y), AB_INTERNAL, "gradients: at most 64 tensors at once, not %d", count);
    return;
  }
  AbTensor *aside[64];
  for (int32_t i = 0; i < count; i++)
    if (!xs[i] || xs[i] == AB_NONE) return;
  if (!can_begin(y, "gradients")) {
    outline(y, xs, count, gradients);
    return;
  }
  AbContext *ctx = y->ctx;
  for (int32_t i = 0; i < count; i++) {
    aside[i] = xs[i]->grad;
    xs[i]->grad = NULL;
  }
  bool recording = ab_set_recording(ctx, differentiable);
  ctx->targets = xs;
  ctx->target_count = count;
  ctx->differentiable = differentiable;
  if (y->needs_grad) run(ctx, y);
  ctx->targets = NULL;
  ctx->target_count = 0;
  ctx->differentiable = false;
  ab_set_recording(ctx, recording);
  for (int32_t i = 0; i < count; i++) {
    int32_t j = earlier(xs, i);
    gradients[i] = j < 0 ? take_gradient(xs[i]) : gradients[j];
    if (j < 0) xs[i]->grad = aside[i];
  }
}
