/* SPDX-License-Identifier: Apache-2.0
 *
 * Products that are written in other operations, and the diagonal. */
#include "../internal.h"

AbTensor *ab_outer(AbTensor *a, AbTensor *b) {
  if (!ab_fit("outer", a, b)) return NULL;
  if (a->rank < 1 || b->rank < 1 || a->rank == AB_MAX_RANK || b->rank == AB_MAX_RANK) {
    char left[220], right[220];
    ab_error(a->ctx, AB_CONFIG,
             "outer: %s and %s; wanted are [..., m] and [..., n] of rank 1 to %d",
             ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right),
             AB_MAX_RANK - 1);
    return NULL;
  }
  AbShape rows = ab_shape(a), cols = ab_shape(b);
  rows.dims[rows.rank++] = 1;
  cols.dims[cols.rank] = cols.dims[cols.rank - 1];
  cols.dims[cols.rank - 1] = 1;
  cols.rank++;
  AbTensor *left = ab_reshape(a, rows), *right = ab_reshape(b, cols);
  return left && right ? ab_mul(left, right) : NULL;
}

/* t [o, n, j] = x1 W_o;   y [n, o] = sum_j t x2 + b */
AbTensor *ab_bilinear(AbTensor *x1, AbTensor *W, AbTensor *x2, AbTensor *b) {
  if (!ab_fit("bilinear", x1, W) || !ab_fit("bilinear", W, x2) || !b) return NULL;
  if (b != AB_NONE && !ab_fit("bilinear", W, b)) return NULL;
  bool fits = x1->rank == 2 && W->rank == 3 && x2->rank == 2 && x1->shape[1] == W->shape[1] &&
              x2->shape[1] == W->shape[2] && x1->shape[0] == x2->shape[0];
  if (b != AB_NONE) fits = fits && b->rank == 1 && b->shape[0] == W->shape[0];
  if (!fits) {
    char text[4][220] = {"", "", "", "none"};
    if (b != AB_NONE) ab_tensor_text(b, text[3], sizeof text[3]);
    ab_error(x1->ctx, AB_CONFIG,
             "bilinear: x1 of %s, W of %s, x2 of %s, b of %s; wanted are [n, i], [o, i, j], [n, j] "
             "and [o] or none",
             ab_tensor_text(x1, text[0], sizeof text[0]),
             ab_tensor_text(W, text[1], sizeof text[1]),
             ab_tensor_text(x2, text[2], sizeof text[2]), text[3]);
    return NULL;
  }
  AbTensor *t = ab_matmul(ab_reshape(x1, AB_SHAPE(1, x1->shape[0], x1->shape[1])), W);
  AbTensor *y = ab_transpose(ab_sum_axes(ab_mul(t, x2), 4, false), 0, 1);
  return b == AB_NONE ? y : ab_add(y, b);
}

/* ---- the diagonal --------------------------------------------------------------------------- */

static AbTensor *matrix_from_diagonal(AbTensor *x, AbShape shape);

/* The diagonal of the last two axes as an axis of its own. */
static AbTensor *diagonal_view(AbTensor *x) {
  AbTensor *y = ab_tensor_view(x);
  if (!y) return NULL;
  int32_t last = x->rank - 2;
  if (y->shape[last] > x->shape[last + 1]) y->shape[last] = x->shape[last + 1];
  y->stride[last] += x->stride[last + 1];
  y->rank--;
  return y;
}

static void diagonal_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, matrix_from_diagonal(g, ab_shape(y->inputs[0])));
}
static const AbOp diagonal_op = {"diagonal", diagonal_backward};

static void embedded_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_diagonal(g));
}
static const AbOp embedded_op = {"diagonal", embedded_backward};

static AbTensor *matrix_from_diagonal(AbTensor *x, AbShape shape) {
  if (!x) return NULL;
  AbTensor *y = ab_full(x->ctx, x->dtype, shape, 0);
  AbTensor *to = y ? diagonal_view(y) : NULL;
  if (!to) return NULL;
  if (ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(to, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(to), x->dtype, ab_data_of(x));
  }
  return ab_record(y, &embedded_op, &x, 1);
}

AbTensor *ab_diagonal(AbTensor *x) {
  if (!ab_is_real(x, "diagonal")) return NULL;
  if (x->rank < 2) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "diagonal wants matrices [..., m, n], not %s",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  return ab_record(diagonal_view(x), &diagonal_op, &x, 1);
}

AbTensor *ab_trace(AbTensor *x) {
  AbTensor *diagonal = ab_diagonal(x);
  return diagonal ? ab_sum_axes(diagonal, 1u << (diagonal->rank - 1), false) : NULL;
}
