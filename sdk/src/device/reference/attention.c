/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention (Vaswani et al., "Attention is all you need", 2017; equations in ../attention.h) and
 * embeddings. */
#include "../attention.h"
#include <math.h>

typedef enum { DQ, DK, DV } Part;

#define CHUNK 64
#define LOOPS "attention-real.h"
#include "both-types.h"

static void attend(AbDtype dtype, const AbAttention *job) {
  BY_TYPE(attend, job);
}

static void attend_grad(AbDtype dtype, const AbAttention *job, AbHeads dy, AbHeads dq, AbHeads dk,
                        AbHeads dv) {
  BY_TYPE(attend_grad, job, &dy, &dq, &dk, &dv);
}

static void embed(AbDtype dtype, int64_t count, int64_t width, const int64_t *index,
                  int64_t padding, const void *table, void *y) {
  BY_TYPE(embed, count, width, index, padding, table, y);
}

static void embed_grad(AbDtype dtype, int64_t count, int64_t width, const int64_t *index,
                       int64_t padding, const void *g, void *table) {
  BY_TYPE(embed_grad, count, width, index, padding, g, table);
}

const AbAttentionKernels reference_attention = {
    .attend = attend,
    .attend_grad = attend_grad,
    .embed = embed,
    .embed_grad = embed_grad,
};
