/* SPDX-License-Identifier: Apache-2.0
 *
 * A stack of Transformer blocks (Vaswani et al. 2017, section 3): an encoder or a decoder. */
#ifndef TRANSFORMER_STACK_H
#define TRANSFORMER_STACK_H

#include <absdk/absdk.h>

/* What a block computes of h [n, t, width] goes through a residual branch:
 *
 *   norm first   h := h + dropout(f(norm(h)))        and one more norm after the last block
 *   norm last    h := norm(h + dropout(f(h)))        as in the paper                          */
typedef struct {
  AbLayerNorm norm;
  AbLinear in, out;
} Branch;

/* Attention of h to itself; of h to the memory (in: the queries; memory: keys and values), where
 * there is one; the feed-forward network.                                                       */
typedef struct {
  Branch self, cross, feedforward;
  AbLinear memory;
} Block;

typedef struct {
  int64_t width, heads, layers, feedforward, activation;
  double dropout;
  bool norm_first;
  bool causal; /* a step sees itself and those before */
  bool cross;  /* it has a memory to attend to */
} StackOptions;

typedef struct {
  StackOptions options;
  Block *blocks;    /* NULL after an error */
  AbLayerNorm last; /* of norm first */
} Stack;

/* How many W<i>, b<i> and gain<i>, bias<i> an instance has. */
typedef struct {
  int64_t linear, norm;
} Numbers;

AbLinear make_linear(AbInstance *self, Numbers *numbers, int64_t in, int64_t out,
                     AbActivation activation);
/* To be called from `build`. */
Stack stack_make(AbInstance *self, Numbers *numbers, StackOptions options);

/* h [n, t, width] -> the same shape. mask: of ab_attention, or AB_NONE. memory [n, s, width] and
 * its mask: what a stack with `cross` attends to, else AB_NONE. */
AbTensor *stack_apply(const Stack *stack, AbTensor *h, AbTensor *mask, AbTensor *memory,
                      AbTensor *memory_mask);

/* The same of a causal stack one step at a time: h [n, 1, width], the next step. cache: for each
 * layer the keys and the values of the steps before, [n, i, width] each; NULL before the first.
 * They are replaced, and belong to the scope.                                                   */
AbTensor *stack_step(const Stack *stack, AbTensor *h, AbTensor **cache, AbTensor *memory,
                     AbTensor *memory_mask);

#endif
