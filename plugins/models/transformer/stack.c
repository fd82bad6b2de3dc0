/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of attention and feed-forward networks; stack.h has the equations. */
#include "stack.h"

/* ---- weights --------------------------------------------------------------------------------- */

AbLinear make_linear(AbInstance *self, Numbers *numbers, int64_t in, int64_t out,
                     AbActivation activation) {
  return ab_linear_make(self, ++numbers->linear, in, out, activation);
}

static Branch make_branch(AbInstance *self, Numbers *numbers, int64_t width, int64_t inner,
                          int64_t back, AbActivation activation) {
  Branch branch;
  branch.norm = ab_layer_norm_make(self, ++numbers->norm, AB_SHAPE(width));
  branch.in = make_linear(self, numbers, width, inner, activation);
  branch.out = make_linear(self, numbers, back, width, AB_IDENTITY);
  return branch;
}

static Block make_block(AbInstance *self, Numbers *numbers, const StackOptions *o) {
  int64_t width = o->width;
  Block block = {.self = make_branch(self, numbers, width, 3 * width, width, AB_IDENTITY)};
  if (o->cross) {
    block.cross = make_branch(self, numbers, width, width, width, AB_IDENTITY);
    block.memory = make_linear(self, numbers, width, 2 * width, AB_IDENTITY);
  }
  block.feedforward =
      make_branch(self, numbers, width, o->feedforward, o->feedforward, o->activation);
  return block;
}

Stack stack_make(AbInstance *self, Numbers *numbers, StackOptions options) {
  Stack stack = {.options = options};
  stack.blocks = ab_alloc(self, (size_t)options.layers * sizeof *stack.blocks);
  if (!stack.blocks) return stack;
  for (int64_t i = 0; i < options.layers; i++)
    stack.blocks[i] = make_block(self, numbers, &options);
  if (options.norm_first)
    stack.last = ab_layer_norm_make(self, ++numbers->norm, AB_SHAPE(options.width));
  return stack;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* What goes into a branch: of its first linear layer. */
static AbTensor *enter(const Stack *s, const Branch *branch, AbTensor *h) {
  return ab_linear_apply(&branch->in,
                         s->options.norm_first ? ab_layer_norm_apply(&branch->norm, h) : h);
}

/* h and what comes out of the branch. */
static AbTensor *leave(const Stack *s, const Branch *branch, AbTensor *h, AbTensor *y) {
  h = ab_add(h, ab_dropout(ab_linear_apply(&branch->out, y), s->options.dropout));
  return s->options.norm_first ? h : ab_layer_norm_apply(&branch->norm, h);
}

/* [n, t, width] -> [n, heads, t, width / heads], a view */
static AbTensor *heads_of(const Stack *s, AbTensor *x) {
  int64_t heads = s->options.heads, depth = s->options.width / heads;
  return ab_transpose(ab_reshape(x, AB_SHAPE(ab_dim(x, 0), ab_dim(x, 1), heads, depth)), 1, 2);
}

/* q [n, t, width], k and v [n, s, width] -> [n, t, width] */
static AbTensor *attend(const Stack *s, AbTensor *q, AbTensor *k, AbTensor *v, AbTensor *mask) {
  AbTensor *y = ab_attention(heads_of(s, q), heads_of(s, k), heads_of(s, v), mask, false, 0);
  return ab_reshape(ab_transpose(y, 1, 2), AB_SHAPE(ab_dim(q, 0), ab_dim(q, 1), s->options.width));
}

static AbTensor *through_memory(const Stack *s, const Block *block, AbTensor *h, AbTensor *memory,
                                AbTensor *mask) {
  int64_t width = s->options.width;
  AbTensor *q = enter(s, &block->cross, h), *kv = ab_linear_apply(&block->memory, memory);
  AbTensor *k = ab_slice(kv, 2, 0, width), *v = ab_slice(kv, 2, width, 2 * width);
  return leave(s, &block->cross, h, attend(s, q, k, v, mask));
}

static AbTensor *through_feedforward(const Stack *s, const Block *block, AbTensor *h) {
  return leave(s, &block->feedforward, h, enter(s, &block->feedforward, h));
}

static AbTensor *ended(const Stack *s, AbTensor *h) {
  return s->options.norm_first ? ab_layer_norm_apply(&s->last, h) : h;
}

/* ---- all steps at once, and one at a time ---------------------------------------------------- */

AbTensor *stack_apply(const Stack *s, AbTensor *h, AbTensor *mask, AbTensor *memory,
                      AbTensor *memory_mask) {
  const StackOptions *o = &s->options;
  for (int64_t i = 0; i < o->layers; i++) {
    const Block *block = &s->blocks[i];
    AbTensor *qkv = enter(s, &block->self, h);
    h = leave(s, &block->self, h, ab_self_attention(qkv, o->heads, mask, o->causal));
    if (o->cross) h = through_memory(s, block, h, memory, memory_mask);
    h = through_feedforward(s, block, h);
  }
  return ended(s, h);
}

static AbTensor *longer(AbTensor *before, AbTensor *next) {
  return before ? ab_concat((AbTensor *[]){before, next}, 2, 1) : next;
}

AbTensor *stack_step(const Stack *s, AbTensor *h, AbTensor **cache, AbTensor *memory,
                     AbTensor *memory_mask) {
  int64_t width = s->options.width;
  for (int64_t i = 0; i < s->options.layers; i++, cache += 2) {
    const Block *block = &s->blocks[i];
    AbTensor *qkv = enter(s, &block->self, h), *q = ab_slice(qkv, 2, 0, width);
    cache[0] = longer(cache[0], ab_slice(qkv, 2, width, 2 * width));
    cache[1] = longer(cache[1], ab_slice(qkv, 2, 2 * width, 3 * width));
    h = leave(s, &block->self, h, attend(s, q, cache[0], cache[1], AB_NONE));
    if (s->options.cross) h = through_memory(s, block, h, memory, memory_mask);
    h = through_feedforward(s, block, h);
  }
  return ended(s, h);
}
