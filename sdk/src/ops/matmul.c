/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: c = a b;  da = dc b',  db = a' dc. */
#include "matrix.h"
#include <string.h>

bool ab_layout(const AbTensor *x, AbLayout *layout) {
  int32_t row = x->rank - 2, col = x->rank - 1;
  int64_t rows = x->shape[row], cols = x->shape[col];
  if ((x->stride[col] == 1 || cols == 1) && (x->stride[row] >= cols || rows == 1)) {
    *layout = (AbLayout){false, rows == 1 ? cols : x->stride[row]};
  } else if ((x->stride[row] == 1 || rows == 1) && (x->stride[col] >= rows || cols == 1)) {
    *layout = (AbLayout){true, cols == 1 ? rows : x->stride[col]};
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
  AbLayout la = {0}, lb = {0}, lc = {0};
  if (!ab_layout(a, &la)) {
    if (!(a = ab_dense((AbTensor *)a))) return;
    ab_layout(a, &la);
  }
  if (!ab_layout(b, &lb)) {
    if (!(b = ab_dense((AbTensor *)b))) return;
    ab_layout(b, &lb);
  }
  ab_layout(c, &lc);
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

AbTensor *ab_matmul_misfit(const AbTensor *a, const AbTensor *b) {
  char left[220], right[220];
  ab_error(a->ctx, AB_CONFIG,
           "matmul: %s and %s do not fit; wanted are [m, k] and [k, n] of one type, with batch "
           "axes in front that broadcast",
           ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right));
  return NULL;
}

static AbTensor *product(AbTensor *a, AbTensor *b) {
  AbTensor *c = ab_tensor_new(a->ctx, a->dtype, 2, (int64_t[]){a->shape[0], b->shape[1]},
                              !a->storage || !b->storage);
  if (!c) return NULL;
  ab_multiply(c, a, b, 0);
  return ab_record(c, &matmul_op, (AbTensor *[]){a, b}, 2);
}

static AbTensor *matmul(AbTensor *a, AbTensor *b);

/* x with an axis of 1 put in (+1) or taken out (-1) at `at`. */
static AbTensor *with_axis(AbTensor *x, int32_t at, int32_t change) {
  if (!x) return NULL;
  AbShape shape = ab_shape(x);
  int64_t *place = &shape.dims[at];
  size_t behind = (size_t)(x->rank - at) * sizeof *place;
  if (change > 0) {
    memmove(place + 1, place, behind);
    *place = 1;
  } else {
    memmove(place, place + 1, behind - sizeof *place);
  }
  shape.rank += change;
  return ab_reshape(x, shape);
}

/* The batch of a is rows of one product: the gradient of b then is one product too. */
static AbTensor *fold(AbTensor *a, AbTensor *b) {
  AbShape shape = ab_shape(a);
  int64_t width = a->shape[a->rank - 1], rows = 1;
  for (int32_t i = 0; i + 1 < a->rank; i++) rows *= a->shape[i];
  shape.dims[shape.rank - 1] = b->shape[1];
  AbTensor *flat = ab_reshape(a, AB_SHAPE(rows, width));
  AbTensor *c = flat ? product(flat, b) : NULL;
  return c ? ab_reshape(c, shape) : NULL;
}

static AbTensor *matmul(AbTensor *a, AbTensor *b) {
  if (a->rank == 1) {
    AbTensor *row = with_axis(a, 0, 1), *c = row ? matmul(row, b) : NULL;
    return c ? with_axis(c, b->rank == 1 ? 0 : c->rank - 2, -1) : NULL;
  }
  if (b->rank == 1) {
    AbTensor *column = with_axis(b, 1, 1), *c = column ? matmul(a, column) : NULL;
    return c ? with_axis(c, c->rank - 1, -1) : NULL;
  }
  if (a->rank == 2 && b->rank == 2) return product(a, b);
  return b->rank == 2 ? fold(a, b) : ab_batched_matmul(a, b);
}

AbTensor *ab_matmul(AbTensor *a, AbTensor *b) {
  if (!ab_belong_together("matmul", a, b) || !ab_is_real(a, "matmul") || !ab_is_real(b, "matmul"))
    return NULL;
  bool fits = a->rank >= 1 && b->rank >= 1 && a->dtype == b->dtype;
  if (!fits || a->shape[a->rank - 1] != b->shape[b->rank == 1 ? 0 : b->rank - 2])
    return ab_matmul_misfit(a, b);
  return matmul(a, b);
}
