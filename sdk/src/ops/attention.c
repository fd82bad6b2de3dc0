/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention (Vaswani et al., 2017), fused: see device/attention.h for the equations. What is kept
 * for the backward pass is the result and the logarithm of each row's sum; the probabilities are
 * made again (Dao et al., 2022). A pass that is differentiable itself repeats the forward pass in
 * operations that are recorded. */
#include "../device/attention.h"
#include "../internal.h"
#include <math.h>

/* What both entry points have in common; the inputs of the record are q, k, v or one tensor. */
typedef struct {
  const char *name;
  AbTensor *q, *k, *v, *mask;
  bool causal;
  double scale;
} Call;

/* ---- the kernel's view ---------------------------------------------------------------------- */

static AbHeads heads_of(const AbTensor *x) {
  return (AbHeads){ab_data_of(x), x->stride[0], x->stride[1], x->stride[2]};
}

/* x [b, h, t, d] with its columns side by side. */
static AbTensor *with_columns(AbTensor *x) {
  if (!x) return NULL;
  return x->shape[3] <= 1 || x->stride[3] == 1 ? x : ab_dense(x);
}

/* A new [b, h, t, d] whose memory is [b, t, h, d]. */
static AbTensor *heads_new(const AbTensor *like, int64_t rows, int64_t width, bool shape_only) {
  int64_t heads = like->shape[1];
  AbTensor *y = ab_tensor_new(like->ctx, like->dtype, 4,
                              (int64_t[]){like->shape[0], heads, rows, width}, shape_only);
  if (!y || ab_tensor_count(y) == 0) return y;
  y->stride[1] = width;
  y->stride[2] = heads * width;
  return y;
}

static void set_mask(AbAttention *job, const AbTensor *mask) {
  if (!mask || mask == AB_NONE) return;
  job->mask = ab_data_of(mask);
  job->mask_type = mask->dtype;
  for (int32_t i = 0; i < 4; i++) {
    int32_t axis = i - (4 - mask->rank);
    job->mask_stride[i] = axis < 0 || mask->shape[axis] == 1 ? 0 : mask->stride[axis];
  }
}

static AbAttention job_of(const Call *c, const AbTensor *y, const AbTensor *lse) {
  AbAttention job = {
      .examples = c->q->shape[0],
      .heads = c->q->shape[1],
      .rows = c->q->shape[2],
      .keys = c->k->shape[2],
      .width = c->q->shape[3],
      .depth = c->v->shape[3],
      .scale = c->scale,
      .causal = c->causal,
      .q = heads_of(c->q),
      .k = heads_of(c->k),
      .v = heads_of(c->v),
      .y = heads_of(y),
      .lse = ab_data_of(lse),
      .mask_type = AB_F32,
  };
  set_mask(&job, c->mask);
  return job;
}

/* ---- checks --------------------------------------------------------------------------------- */

static bool mask_fits(const Call *c) {
  const AbTensor *mask = c->mask, *q = c->q;
  if (mask == AB_NONE) return true;
  if (mask->ctx != q->ctx) {
    ab_error(q->ctx, AB_INTERNAL, "%s: its operands belong to two contexts", c->name);
    return false;
  }
  int64_t wanted[4] = {q->shape[0], q->shape[1], q->shape[2], c->k->shape[2]};
  bool fits = mask->rank <= 4 && (mask->dtype == AB_BOOL || mask->dtype == q->dtype);
  for (int32_t i = 0; fits && i < mask->rank; i++)
    fits = mask->shape[i] == 1 || mask->shape[i] == wanted[4 - mask->rank + i];
  char text[220];
  if (!fits) {
    ab_error(q->ctx, AB_CONFIG,
             "%s: a mask of %s; wanted is bool or %s, stretching to [%lld, %lld, %lld, %lld]",
             c->name, ab_tensor_text(mask, text, sizeof text), ab_dtype_name(q->dtype),
             (long long)wanted[0], (long long)wanted[1], (long long)wanted[2],
             (long long)wanted[3]);
    return false;
  }
  if (!mask->needs_grad) return true;
  ab_error(q->ctx, AB_CONFIG,
           "%s gives its mask no gradient; ab_softmax(ab_add(ab_matmul(q, k'), mask)) does",
           c->name);
  return false;
}

static bool shapes_fit(const AbTensor *q, const AbTensor *k, const AbTensor *v) {
  if (q->rank != 4 || k->rank != 4 || v->rank != 4) return false;
  for (int32_t i = 0; i < 2; i++)
    if (q->shape[i] != k->shape[i] || q->shape[i] != v->shape[i]) return false;
  return q->shape[3] == k->shape[3] && k->shape[2] == v->shape[2];
}

/* scale 0: 1 / sqrt(d) */
static bool set_scale(Call *c, double scale) {
  int64_t width = c->q->shape[3];
  if (scale == 0) scale = width > 0 ? 1 / sqrt((double)width) : 1;
  c->scale = scale;
  if (scale > 0 && isfinite(scale)) return true;
  ab_error(c->q->ctx, AB_CONFIG,
           "%s: a scale of %g; wanted is a number above 0, or 0 for 1/sqrt(d)", c->name, scale);
  return false;
}

/* ---- forward -------------------------------------------------------------------------------- */

static bool shape_only(const Call *c) {
  return !c->q->storage || !c->k->storage || !c->v->storage ||
         (c->mask != AB_NONE && !c->mask->storage);
}

/* y, and what the backward pass wants of it; the attributes are set. */
static AbTensor *attend(const Call *c, AbTensor **lse) {
  const AbTensor *q = c->q;
  bool dry = shape_only(c);
  AbTensor *y = heads_new(q, q->shape[2], c->v->shape[3], dry);
  *lse = y ? ab_tensor_new(q->ctx, q->dtype, 3, q->shape, dry) : NULL;
  if (!*lse) return NULL;
  if (dry) {
    q->ctx->multiply_adds +=
        ab_tensor_count(*lse) * c->k->shape[2] * (q->shape[3] + c->v->shape[3]);
  } else if (ab_tensor_count(*lse) > 0) {
    AbAttention job = job_of(c, y, *lse);
    q->ctx->device->attention->attend(q->dtype, &job);
  }
  return y;
}

static void keep(AbTensor *y, const Call *c, AbTensor *lse) {
  y->ints[0] = c->causal;
  y->reals[0] = c->scale;
  ab_save(y, 0, lse);
  ab_save(y, 1, c->mask == AB_NONE ? NULL : c->mask);
}

/* ---- in operations that are recorded -------------------------------------------------------- */

/* What is added to the scores (-1e30 forbids, and exp makes it 0) and what is multiplied with the
 * probabilities: 0 where something is forbidden, for rows in which everything is.                */
static void forbid(const Call *c, AbTensor **add, AbTensor **allow) {
  AbContext *ctx = c->q->ctx;
  AbTensor *floor = ab_full(ctx, c->q->dtype, ab_scalar_shape(), -1e30);
  *add = ab_full(ctx, c->q->dtype, ab_scalar_shape(), 0);
  if (c->mask != AB_NONE && c->mask->dtype == AB_BOOL)
    *add = ab_affine(ab_cast(c->mask, c->q->dtype), 1e30, -1e30);
  else if (c->mask != AB_NONE)
    *add = ab_maximum(c->mask, floor);
  if (c->causal) {
    int64_t t = c->q->shape[2], s = c->k->shape[2];
    AbTensor *later = ab_empty(ctx, AB_F64, AB_SHAPE(t, s));
    double *to = ab_map(later, true);
    if (!to) return;
    for (int64_t i = 0; i < t; i++)
      for (int64_t j = 0; j < s; j++) to[i * s + j] = j > i ? -1e30 : 0;
    ab_unmap(later);
    *add = ab_maximum(ab_add(*add, ab_cast(later, c->q->dtype)), floor);
  }
  *allow = ab_greater(*add, floor);
}

static AbTensor *unfused(const Call *c) {
  if (c->k->shape[2] == 0) return ab_matmul(ab_matmul(c->q, ab_transpose(c->k, 2, 3)), c->v);
  AbTensor *add = NULL, *allow = NULL;
  forbid(c, &add, &allow);
  AbTensor *scores = ab_affine(ab_matmul(c->q, ab_transpose(c->k, 2, 3)), c->scale, 0);
  AbTensor *p = ab_softmax(ab_add(scores, add));
  return ab_matmul(ab_mul(p, allow), c->v);
}

/* ---- backward ------------------------------------------------------------------------------- */

static Call call_of(AbTensor *y, AbTensor *q, AbTensor *k, AbTensor *v) {
  AbTensor *mask = y->saved[1] ? y->saved[1] : AB_NONE;
  return (Call){y->op->name, q, k, v, mask, y->ints[0], y->reals[0]};
}

static void attend_grad(const Call *c, AbTensor *y, AbTensor *g, AbTensor *lse, AbHeads dq,
                        AbHeads dk, AbHeads dv) {
  if (!(g = with_columns(g))) return;
  AbAttention job = job_of(c, y, lse);
  if (job.examples * job.heads > 0)
    y->ctx->device->attention->attend_grad(y->dtype, &job, heads_of(g), dq, dk, dv);
}

static void attention_backward(AbTensor *y, AbTensor *g) {
  Call c = call_of(y, y->inputs[0], y->inputs[1], y->inputs[2]);
  if (y->ctx->differentiable) {
    uint64_t first = y->ctx->next_id;
    ab_backward_from(unfused(&c), g, first);
    return;
  }
  AbTensor *dq = heads_new(c.q, c.q->shape[2], c.q->shape[3], false);
  AbTensor *dk = heads_new(c.k, c.k->shape[2], c.k->shape[3], false);
  AbTensor *dv = heads_new(c.v, c.v->shape[2], c.v->shape[3], false);
  if (!dq || !dk || !dv) return;
  attend_grad(&c, y, g, y->saved[0], heads_of(dq), heads_of(dk), heads_of(dv));
  ab_accumulate(y, 0, dq);
  ab_accumulate(y, 1, dk);
  ab_accumulate(y, 2, dv);
}
static const AbOp attention_op = {"attention", attention_backward};

AbTensor *ab_attention(AbTensor *q, AbTensor *k, AbTensor *v, AbTensor *mask, bool causal,
                       double scale) {
  if (!mask || !ab_fit("attention", q, k) || !ab_fit("attention", q, v)) return NULL;
  if (!shapes_fit(q, k, v)) {
    char text[3][220];
    ab_error(q->ctx, AB_CONFIG,
             "attention: q of %s, k of %s, v of %s; wanted are [b, h, t, d], [b, h, s, d] and "
             "[b, h, s, e]",
             ab_tensor_text(q, text[0], sizeof text[0]), ab_tensor_text(k, text[1], sizeof text[1]),
             ab_tensor_text(v, text[2], sizeof text[2]));
    return NULL;
  }
  Call c = {"attention", with_columns(q), with_columns(k), with_columns(v), mask, causal, 0};
  if (!c.q || !c.k || !c.v || !set_scale(&c, scale) || !mask_fits(&c)) return NULL;
  AbTensor *lse, *y = attend(&c, &lse);
  if (!y) return NULL;
  ab_record(y, &attention_op, (AbTensor *[]){c.q, c.k, c.v}, 3);
  keep(y, &c, lse);
  return y;
}

/* ---- q, k and v of one projection ----------------------------------------------------------- */

/* Part 0, 1 or 2 of x [b, t, 3 h d] as [b, h, t, d]; not recorded. */
static AbTensor part_of(const AbTensor *x, int64_t heads, int64_t part) {
  AbTensor y = *x;
  int64_t width = x->shape[2] / 3, depth = width / heads;
  y.rank = 4;
  y.shape[1] = heads;
  y.shape[2] = x->shape[1];
  y.shape[3] = depth;
  y.stride[1] = depth;
  y.stride[2] = x->stride[1];
  y.stride[3] = 1;
  y.offset += part * width;
  return y;
}

/* The same by recorded operations. */
static AbTensor *recorded_part(AbTensor *x, int64_t heads, int64_t part) {
  int64_t width = x->shape[2] / 3;
  AbTensor *slice = ab_slice(x, 2, part * width, (part + 1) * width);
  AbShape shape = AB_SHAPE(x->shape[0], x->shape[1], heads, width / heads);
  return ab_transpose(ab_reshape(slice, shape), 1, 2);
}

/* [b, h, t, d] of memory [b, t, h, d] as [b, t, h d], and back. */
static void merge_heads(AbTensor *y) {
  int64_t b = y->shape[0], h = y->shape[1], t = y->shape[2], d = y->shape[3];
  y->rank = 3;
  y->shape[0] = b;
  y->shape[1] = t;
  y->shape[2] = h * d;
  y->stride[0] = t * h * d;
  y->stride[1] = h * d;
  y->stride[2] = 1;
}

static AbTensor split_heads(const AbTensor *x, int64_t heads) {
  AbTensor y = *x;
  int64_t depth = x->shape[2] / heads;
  y.rank = 4;
  y.shape[1] = heads;
  y.shape[2] = x->shape[1];
  y.shape[3] = depth;
  y.stride[1] = depth;
  y.stride[2] = x->stride[1];
  y.stride[3] = 1;
  return y;
}

static void self_twice(AbTensor *y, AbTensor *g, int64_t heads) {
  uint64_t first = y->ctx->next_id;
  AbTensor *x = y->inputs[0], *part[3];
  for (int i = 0; i < 3; i++)
    if (!(part[i] = recorded_part(x, heads, i))) return;
  Call c = call_of(y, part[0], part[1], part[2]);
  AbTensor *again = unfused(&c);
  if (again) ab_backward_from(ab_reshape(ab_transpose(again, 1, 2), ab_shape(y)), g, first);
}

static void self_backward(AbTensor *y, AbTensor *g) {
  int64_t heads = y->ints[1];
  if (y->ctx->differentiable) {
    self_twice(y, g, heads);
    return;
  }
  AbTensor *x = y->inputs[0];
  AbTensor *dx = ab_tensor_new(x->ctx, x->dtype, 3, x->shape, false);
  if (!dx || !(g = ab_dense(g))) return;
  AbTensor q = part_of(x, heads, 0), k = part_of(x, heads, 1), v = part_of(x, heads, 2);
  AbTensor dq = part_of(dx, heads, 0), dk = part_of(dx, heads, 1), dv = part_of(dx, heads, 2);
  AbTensor whole = split_heads(y, heads), slope = split_heads(g, heads);
  Call c = call_of(y, &q, &k, &v);
  attend_grad(&c, &whole, &slope, y->saved[0], heads_of(&dq), heads_of(&dk), heads_of(&dv));
  ab_accumulate(y, 0, dx);
}
static const AbOp self_op = {"self_attention", self_backward};

AbTensor *ab_self_attention(AbTensor *qkv, int64_t heads, AbTensor *mask, bool causal) {
  if (!mask || !ab_is_real(qkv, "self_attention")) return NULL;
  if (qkv->rank != 3 || heads < 1 || qkv->shape[2] % 3 != 0 || qkv->shape[2] / 3 % heads != 0) {
    char text[220];
    ab_error(qkv->ctx, AB_CONFIG,
             "self_attention: %s with %lld heads; wanted is [b, t, 3 h d], h the number of heads",
             ab_tensor_text(qkv, text, sizeof text), (long long)heads);
    return NULL;
  }
  if (qkv->stride[2] != 1 && !(qkv = ab_dense(qkv))) return NULL;
  AbTensor q = part_of(qkv, heads, 0), k = part_of(qkv, heads, 1), v = part_of(qkv, heads, 2);
  Call c = {"self_attention", &q, &k, &v, mask, causal, 0};
  if (!set_scale(&c, 0) || !mask_fits(&c)) return NULL;
  AbTensor *lse, *y = attend(&c, &lse);
  if (!y) return NULL;
  merge_heads(y);
  ab_record(y, &self_op, &qkv, 1);
  y->ints[1] = heads;
  keep(y, &c, lse);
  return y;
}

/* ---- masks ---------------------------------------------------------------------------------- */

AbTensor *ab_length_mask(AbTensor *lengths, int64_t keys) {
  if (!lengths || lengths == AB_NONE) return NULL;
  if (lengths->rank != 1 || lengths->dtype != AB_I64 || keys < 0) {
    char text[220];
    ab_error(lengths->ctx, AB_CONFIG,
             "length_mask: lengths of %s for %lld keys; wanted are i64 [b] and at least 0",
             ab_tensor_text(lengths, text, sizeof text), (long long)keys);
    return NULL;
  }
  int64_t examples = lengths->shape[0], shape[4] = {examples, 1, 1, keys};
  AbTensor *y = ab_tensor_new(lengths->ctx, AB_BOOL, 4, shape, !lengths->storage);
  if (!y || !y->storage || !(lengths = ab_dense(lengths))) return y;
  const int64_t *length = ab_data_of(lengths);
  uint8_t *to = ab_data_of(y);
  for (int64_t b = 0; b < examples; b++)
    for (int64_t j = 0; j < keys; j++) to[b * keys + j] = j < length[b];
  return y;
}
