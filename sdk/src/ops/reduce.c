/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums and means. A sum never moves its operand: axes that lie apart in memory are summed one after
 * another, the innermost first. */
#include "along.h"

typedef struct {
  int64_t size;
  bool chosen;
} Run;

/* Neighbours in memory that are both summed or both kept, merged: outermost first. */
static int32_t runs_of(const AbTensor *x, uint32_t axes, Run *runs) {
  int32_t axis[AB_MAX_RANK], count = ab_memory_order(x, axis), n = 0;
  for (int32_t i = 0; i < count; i++) {
    bool chosen = axes >> axis[i] & 1;
    if (n == 0 || runs[n - 1].chosen != chosen) runs[n++] = (Run){1, chosen};
    runs[n - 1].size *= x->shape[axis[i]];
  }
  return n;
}

static int64_t product(const Run *runs, int32_t from, int32_t to) {
  int64_t size = 1;
  for (int32_t i = from; i < to; i++) size *= runs[i].size;
  return size;
}

/* Takes out run i; its neighbours become one. */
static int32_t take_out(Run *runs, int32_t count, int32_t i) {
  int32_t gap = i > 0 && i + 1 < count ? 2 : 1;
  if (gap == 2) runs[i - 1].size *= runs[i + 1].size;
  for (int32_t k = i; k + gap < count; k++) runs[k] = runs[k + gap];
  return count - gap;
}

/* y := the sums of packed x, which is not empty. */
static bool sum_into(AbTensor *y, const AbTensor *x, uint32_t axes) {
  Run runs[AB_MAX_RANK];
  int32_t count = runs_of(x, axes, runs);
  const void *from = ab_data_of(x);
  for (;;) {
    int32_t at = count - 1, more = 0;
    while (at >= 0 && !runs[at].chosen) at--;
    for (int32_t i = 0; i < at; i++) more += runs[i].chosen;
    int64_t outer = product(runs, 0, at), inner = product(runs, at + 1, count);
    int64_t middle = at < 0 ? 1 : runs[at].size;
    if (at < 0) outer = 1;
    AbTensor *partial = NULL;
    if (more > 0) {
      int64_t left = outer * inner;
      if (!(partial = ab_tensor_new(x->ctx, x->dtype, 1, &left, false))) return false;
    }
    void *to = ab_data_of(partial ? partial : y);
    x->ctx->device->reduce(K_SUM, x->dtype, outer, middle, inner, to, from);
    if (!partial) return true;
    from = to;
    count = take_out(runs, count, at);
  }
}

static void sum_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  AbTensor *kept = y->ints[1] ? g : ab_with_axes(g, x, (uint32_t)y->ints[0]);
  ab_accumulate(y, 0, ab_copy_like(ab_broadcast_to(kept, ab_shape(x)), x));
}
static const AbOp sum_op = {"sum", sum_backward};

AbTensor *ab_sum_axes(AbTensor *x, uint32_t axes, bool keep) {
  if (!ab_is_real(x, "sum") || !ab_axes_fit("sum", x, axes)) return NULL;
  AbTensor *y = ab_reduced_new(x, x->dtype, axes, keep);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    bool recording = ab_set_recording(x->ctx, false);
    AbTensor *packed = ab_packed(x);
    ab_set_recording(x->ctx, recording);
    if (!packed || !sum_into(y, packed, axes)) return NULL;
  } else if (x->storage) {
    x->ctx->device->fill(y->dtype, ab_tensor_count(y), ab_data_of(y), 0);
  }
  y->ints[0] = axes;
  y->ints[1] = keep;
  return ab_record(y, &sum_op, &x, 1);
}

AbTensor *ab_sum(AbTensor *x) {
  return x && x != AB_NONE ? ab_sum_axes(x, AB_ALL_AXES(x), false) : NULL;
}

AbTensor *ab_mean_axes(AbTensor *x, uint32_t axes, bool keep) {
  AbTensor *sum = ab_sum_axes(x, axes, keep);
  if (!sum) return NULL;
  int64_t over = ab_axes_count(x, axes);
  if (over == 0) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "mean: there is nothing to average in %s",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  return ab_affine(sum, 1.0 / (double)over, 0);
}

AbTensor *ab_mean(AbTensor *x) {
  return x && x != AB_NONE ? ab_mean_axes(x, AB_ALL_AXES(x), false) : NULL;
}
