/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention and embeddings. Kernels of a device: see device.h for what holds for all.
 *
 * For each head of each example, with q [t, d], k [s, d], v [s, e]:
 *   x = scale q k' + mask;   p = softmax(x) along the keys;   y = p v
 *   lse = log sum_j exp(x_j)
 * and backward, with dy [t, e]:
 *   dv = p' dy;   dp = dy v';   dx = p (dp - sum_j p_j dp_j) = p (dp - dy . y)
 *   dq = scale dx k;   dk = scale dx' q
 * p is 0 where the mask forbids, and in a row where it forbids all; there lse is infinite. */
#ifndef SDK_DEVICE_ATTENTION_H
#define SDK_DEVICE_ATTENTION_H

#include "device.h"

/* A matrix for each head of each example; strides count elements, columns lie together. */
typedef struct {
  void *data;
  int64_t example, head, row;
} AbHeads;

typedef struct {
  int64_t examples, heads, rows, keys, width, depth; /* b, h, t, s, d, e */
  double scale;
  bool causal; /* row i sees the keys 0 to i */
  AbHeads q, k, v, y;
  void *lse; /* [b, h, t] */
  /* NULL, or added numbers, or AB_BOOL: 1 allows; strides of b, h, t, s */
  const void *mask;
  AbDtype mask_type;
  int64_t mask_stride[4];
} AbAttention;

struct AbAttentionKernels {
  void (*attend)(AbDtype dtype, const AbAttention *job); /* y and lse */
  /* dq, dk, dv are written */
  void (*attend_grad)(AbDtype dtype, const AbAttention *job, AbHeads dy, AbHeads dq, AbHeads dk,
                      AbHeads dv);
  /* y [count, width] := table[index]; zeros where the index is `padding` */
  void (*embed)(AbDtype dtype, int64_t count, int64_t width, const int64_t *index, int64_t padding,
                const void *table, void *y);
  /* table[index] += g [count, width], in the order of the index, but for `padding` */
  void (*embed_grad)(AbDtype dtype, int64_t count, int64_t width, const int64_t *index,
                     int64_t padding, const void *g, void *table);
};

extern const AbAttentionKernels reference_attention, cpu_attention;

#endif
