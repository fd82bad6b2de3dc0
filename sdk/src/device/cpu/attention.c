/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention, a head of an example per task, and embeddings. The products of a task run on its own
 * thread: see attention-body.h. */
#include "../attention.h"
#include "cpu.h"
#include "product.h"
#include <math.h>
#include <string.h>

#define ROWS 128
#define KEYS 128
#define WIDTH \
  (KEYS + 16) /* of a row in memory: one that is no power of two spreads over the cache */

typedef struct {
  float top, sum; /* the largest score; the sum of exp(score - top) */
} RowState;

typedef struct {
  const float *q, *k, *v;
  float *y, *lse;
  const char *mask;
} Head;

typedef struct {
  const float *dy;
  float *dq, *dk, *dv;
  int64_t dy_row, dq_row, dk_row, dv_row;
} HeadGrad;

/* How many keys the rows below `row` see. */
static inline int64_t keys_seen(const AbAttention *job, int64_t row) {
  return job->causal && row < job->keys ? row : job->keys;
}

/* How many of the keys from `at` on row i sees. */
static inline int64_t span_of(const AbAttention *job, int64_t i, int64_t at, int64_t keys) {
  int64_t span = keys_seen(job, i + 1) - at;
  return span < 0 ? 0 : span < keys ? span : keys;
}

/* Where later rows see more keys, shorter blocks leave out more of what they do not see. */
static inline int64_t row_step(const AbAttention *job) {
  return job->causal ? ROWS / 2 : ROWS;
}

/* x := scale x + mask; the scale that is left to be applied: 1 */
static float add_mask(const AbAttention *job, const Head *head, int64_t i, int64_t at, int64_t keys,
                      float *x) {
  int64_t step = job->mask_stride[3], from = i * job->mask_stride[2] + at * step;
  float scale = (float)job->scale;
  if (job->mask_type == AB_BOOL) {
    const uint8_t *mask = (const uint8_t *)head->mask + from;
    for (int64_t j = 0; j < keys; j++) x[j] = mask[j * step] ? scale * x[j] : -INFINITY;
  } else {
    const float *mask = (const float *)(const void *)head->mask + from;
    for (int64_t j = 0; j < keys; j++) {
      float m = mask[j * step];
      x[j] = m == -INFINITY ? m : scale * x[j] + m;
    }
  }
  return 1;
}

static void clear_rows(int64_t rows, int64_t width, float *y, int64_t row) {
  for (int64_t i = 0; i < rows; i++) memset(y + i * row, 0, (size_t)width * sizeof *y);
}

#define AVX2 0
#include "vector.h"

#include "product-body.h"

#include "attention-body.h"

#include "end-vector.h"
#ifdef __x86_64__
#define AVX2 1
#include "vector.h"

#include "product-body.h"

#include "attention-body.h"

#include "end-vector.h"
#endif

static float *head_of(const AbHeads *x, int64_t example, int64_t head) {
  return (float *)x->data + example * x->example + head * x->head;
}

static Head head_at(const AbAttention *job, int64_t at) {
  int64_t b = at / job->heads, h = at % job->heads;
  int64_t size = (int64_t)ab_dtype_size(job->mask_type);
  return (Head){
      .q = head_of(&job->q, b, h),
      .k = head_of(&job->k, b, h),
      .v = head_of(&job->v, b, h),
      .y = head_of(&job->y, b, h),
      .lse = (float *)job->lse + at * job->rows,
      .mask = job->mask ? (const char *)job->mask +
                              (b * job->mask_stride[0] + h * job->mask_stride[1]) * size
                        : NULL,
  };
}

static bool worth_threads(const AbAttention *job) {
  return job->examples * job->heads * job->rows * job->keys * (job->width + job->depth + 16) >
         1 << 18;
}

static void attend(AbDtype dtype, const AbAttention *job) {
  if (dtype != AB_F32) {
    reference_attention.attend(dtype, job);
    return;
  }
#pragma omp parallel for schedule(dynamic) if (worth_threads(job))
  for (int64_t at = 0; at < job->examples * job->heads; at++) {
    Head head = head_at(job, at);
#ifdef __x86_64__
    if (cpu_has_avx2()) {
      attend_head_avx2(job, &head);
      continue;
    }
#endif
    attend_head_portable(job, &head);
  }
}

static void attend_grad(AbDtype dtype, const AbAttention *job, AbHeads dy, AbHeads dq, AbHeads dk,
                        AbHeads dv) {
  if (dtype != AB_F32) {
    reference_attention.attend_grad(dtype, job, dy, dq, dk, dv);
    return;
  }
#pragma omp parallel for schedule(dynamic) if (worth_threads(job))
  for (int64_t at = 0; at < job->examples * job->heads; at++) {
    int64_t b = at / job->heads, h = at % job->heads;
    Head head = head_at(job, at);
    HeadGrad grad = {head_of(&dy, b, h),
                     head_of(&dq, b, h),
                     head_of(&dk, b, h),
                     head_of(&dv, b, h),
                     dy.row,
                     dq.row,
                     dk.row,
                     dv.row};
#ifdef __x86_64__
    if (cpu_has_avx2()) {
      grad_head_avx2(job, &head, &grad);
      continue;
    }
#endif
    grad_head_portable(job, &head, &grad);
  }
}

/* ---- embeddings ------------------------------------------------------------------------------ */

typedef struct {
  int64_t count, width, padding;
  const int64_t *index;
  const float *from;
  float *to;
} EmbedJob;

static void embed_rows(int64_t from, int64_t to, void *job) {
  const EmbedJob *j = job;
  size_t bytes = (size_t)j->width * sizeof(float);
  for (int64_t i = from; i < to; i++) {
    if (j->index[i] == j->padding)
      memset(j->to + i * j->width, 0, bytes);
    else
      memcpy(j->to + i * j->width, j->from + j->index[i] * j->width, bytes);
  }
}

static void embed(AbDtype dtype, int64_t count, int64_t width, const int64_t *index,
                  int64_t padding, const void *table, void *y) {
  if (dtype != AB_F32) {
    reference_attention.embed(dtype, count, width, index, padding, table, y);
    return;
  }
  EmbedJob job = {count, width, padding, index, table, y};
  cpu_parallel(count, 32768 / (width + 1) + 1, embed_rows, &job);
}

/* Some columns of all rows, so that a row of the table is added to in the order of the index. */
CLONES static void add_columns(int64_t from, int64_t to, void *job) {
  const EmbedJob *j = job;
  for (int64_t i = 0; i < j->count; i++) {
    if (j->index[i] == j->padding) continue;
    float *row = j->to + j->index[i] * j->width;
    const float *g = j->from + i * j->width;
    for (int64_t c = from; c < to; c++) row[c] += g[c];
  }
}

static void embed_grad(AbDtype dtype, int64_t count, int64_t width, const int64_t *index,
                       int64_t padding, const void *g, void *table) {
  if (dtype != AB_F32) {
    reference_attention.embed_grad(dtype, count, width, index, padding, g, table);
    return;
  }
  EmbedJob job = {count, width, padding, index, g, table};
  cpu_parallel(width, 65536 / (count + 1) + 1, add_columns, &job);
}

const AbAttentionKernels cpu_attention = {
    .attend = attend,
    .attend_grad = attend_grad,
    .embed = embed,
    .embed_grad = embed_grad,
};
