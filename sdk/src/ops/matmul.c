/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: c = a b;  da = dc b',  db = a' dc. */
#include "../internal.h"

/* A matrix as BLAS wants it: row-major, possibly transposed, with a leading dimension. */
typedef struct {
  bool transposed;
  int64_t ld;
} Layout;

static bool layout_of(const AbTensor *x, Layout *layout) {
  int64_t rows = x->shape[0], cols = x->shape[1];
  if ((x->stride[1] == 1 || cols == 1) && (x->stride[0] >= cols || rows == 1)) {
    *layout = (Layout){false, rows == 1 ? cols : x->stride[0]};
  } else if ((x->stride[0] == 1 || rows == 1) && (x->stride[1] >= rows || cols == 1)) {
    *layout = (Layout){true, cols == 1 ? rows : x->stride[1]};
  } else {
    return false;
  }
  if (layout->ld < 1) layout->ld = 1;
  return true;
}

/* c := a b + beta c. A transposed c is had from c' = b' a'. */
void ab_multiply(AbTensor *c, const AbTensor *a, const AbTensor *b, double beta) {
  AbContext *ctx = c->ctx;
  int64_t m = a->shape[0], k = a->shape[1], n = b->shape[1];
  if (!c->storage || !a->storage || !b->storage) {
    ctx->multiply_adds += m * n * k;
    return;
  }
  Layout la = {0}, lb = {0}, lc = {0};
  if (!layout_of(a, &la)) {
    if (!(a = ab_dense((AbTensor *)a))) return;
    layout_of(a, &la);
  }
  if (!layout_of(b, &lb)) {
    if (!(b = ab_dense((AbTensor *)b))) return;
    layout_of(b, &lb);
  }
  layout_of(c, &lc);
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (beta == 0) ctx->device->fill(c->dtype, ab_tensor_count(c), ab_data_of(c), 0);
    return;
  }
  if (lc.transposed)
    ctx->device->matmul(c->dtype, !lb.transposed, !la.transposed, n, m, k, ab_data_of(b), lb.ld,
                        ab_data_of(a), la.ld, beta, ab_data_of(c), lc.ld);
  else
    ctx->device->matmul(c->dtype, la.transposed, lb.transposed, m, n, k, ab_data_of(a), la.ld,
                        ab_data_of(b), lb.ld, beta, ab_data_of(c), lc.ld);
}

static void matmul_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_accumulate_product(y, 0, g, ab_transpose(b, 0, 1));
  if (ab_wants(y, 1)) ab_accumulate_product(y, 1, ab_transpose(a, 0, 1), g);
}
static const AbOp matmul_op = {"matmul", matmul_backward};

AbTensor *ab_matmul(AbTensor *a, AbTensor *b) {
  if (!ab_belong_together("matmul", a, b) || !ab_is_real(a, "matmul") || !ab_is_real(b, "matmul"))
    return NULL;
  if (a->rank != 2 || b->rank != 2 || a->shape[1] != b->shape[0] || a->dtype != b->dtype) {
    char left[220], right[220];
    ab_error(a->ctx, AB_CONFIG, "matmul: %s and %s do not fit; wanted are [m, k] and [k, n]",
             ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right));
    return NULL;
  }
  AbTensor *c = ab_tensor_new(a->ctx, a->dtype, 2, (int64_t[]){a->shape[0], b->shape[1]},
                              !a->storage || !b->storage);
  if (!c) return NULL;
  ab_multiply(c, a, b, 0);
  return ab_record(c, &matmul_op, (AbTensor *[]){a, b}, 2);
}
