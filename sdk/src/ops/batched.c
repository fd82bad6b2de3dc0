/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products of a batch: c_i = a_i b_i over batch axes that broadcast. The gradient of an
 * operand that was stretched is summed over what it was stretched along. */
#include "../device/linalg.h"
#include "matrix.h"

/* The batch axes alone; only shape and strides are of use. */
static AbTensor batch_of(const AbTensor *x) {
  AbTensor batch = *x;
  batch.rank -= 2;
  return batch;
}

static bool batch_shape(const AbTensor *a, const AbTensor *b, AbShape *shape) {
  int32_t rank = (a->rank > b->rank ? a->rank : b->rank) - 2;
  *shape = (AbShape){.rank = rank};
  for (int32_t i = 1; i <= rank; i++) {
    int64_t m = i <= a->rank - 2 ? a->shape[a->rank - 2 - i] : 1;
    int64_t n = i <= b->rank - 2 ? b->shape[b->rank - 2 - i] : 1;
    if (m != n && m != 1 && n != 1) return false;
    shape->dims[rank - i] = m == 1 ? n : m;
  }
  return true;
}

/* x, or a dense copy where BLAS cannot read it. */
static AbTensor *readable(AbTensor *x, AbLayout *layout) {
  if (ab_layout(x, layout)) return x;
  x = ab_dense(x);
  if (x) ab_layout(x, layout);
  return x;
}

static void compute(AbTensor *c, AbTensor *a, AbTensor *b) {
  AbLayout la = {0}, lb = {0};
  if (ab_tensor_count(c) == 0 || !(a = readable(a, &la)) || !(b = readable(b, &lb))) return;
  int64_t m = a->shape[a->rank - 2], k = a->shape[a->rank - 1], n = b->shape[b->rank - 1];
  if (k == 0) {
    c->ctx->device->fill(c->dtype, ab_tensor_count(c), ab_data_of(c), 0);
    return;
  }
  AbTensor batch_c = batch_of(c), batch_a = batch_of(a), batch_b = batch_of(b);
  AbLoop batch = ab_loop(&batch_c, &batch_a, &batch_b);
  c->ctx->device->linalg->batched(c->dtype, &batch, la.transposed, lb.transposed, m, n, k,
                                  ab_data_of(a), la.ld, ab_data_of(b), lb.ld, 0, ab_data_of(c), n);
}

static void batched_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_accumulate(y, 0, ab_sum_to(ab_matmul(g, ab_transpose(b, -2, -1)), a));
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_sum_to(ab_matmul(ab_transpose(a, -2, -1), g), b));
}
static const AbOp batched_op = {"matmul", batched_backward};

AbTensor *ab_batched_matmul(AbTensor *a, AbTensor *b) {
  AbShape shape;
  if (!batch_shape(a, b, &shape)) return ab_matmul_misfit(a, b);
  int64_t m = a->shape[a->rank - 2], k = a->shape[a->rank - 1], n = b->shape[b->rank - 1];
  shape.dims[shape.rank++] = m;
  shape.dims[shape.rank++] = n;
  bool shape_only = !a->storage || !b->storage;
  AbTensor *c = ab_tensor_new(a->ctx, a->dtype, shape.rank, shape.dims, shape_only);
  if (!c) return NULL;
  if (shape_only)
    c->ctx->multiply_adds += ab_tensor_count(c) * k;
  else
    compute(c, a, b);
  return ab_record(c, &batched_op, (AbTensor *[]){a, b}, 2);
}
