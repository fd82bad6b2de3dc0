/* SPDX-License-Identifier: Apache-2.0
 *
 * activation(x W + b), with what the product, the bias and the activation share:
 *   h = g f'(y);   dW = x' h;   db = sum of the rows of h;   dx = h W'
 * An activation whose derivative needs its argument is an operation of its own after x W + b.    */
#include "../internal.h"

static void linear_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *W = y->inputs[1];
  AbTensor *h = ab_activation_gradient(y->ints[0], g, y);
  if (ab_wants(y, 1)) ab_accumulate_product(y, 1, ab_transpose(x, 0, 1), h);
  if (y->input_count == 3 && ab_wants(y, 2)) ab_accumulate(y, 2, ab_sum_axes(h, 1, false));
  if (ab_wants(y, 0)) ab_accumulate_product(y, 0, h, ab_transpose(W, 0, 1));
}
static const AbOp linear_op = {"linear", linear_backward};

static bool fits(const AbTensor *x, const AbTensor *W, const AbTensor *b) {
  bool biased = b != AB_NONE;
  if (x->rank >= 1 && W->rank == 2 && x->shape[x->rank - 1] == W->shape[0] &&
      x->dtype == W->dtype &&
      (!biased || (b->rank == 1 && b->shape[0] == W->shape[1] && b->dtype == W->dtype)))
    return true;
  char xs[220], Ws[220], bs[220] = "none";
  if (biased) ab_tensor_text(b, bs, sizeof bs);
  ab_error(x->ctx, AB_CONFIG,
           "linear: x of %s, W of %s and b of %s do not fit; wanted are x [..., in], W [in, out], "
           "b [out] of one type",
           ab_tensor_text(x, xs, sizeof xs), ab_tensor_text(W, Ws, sizeof Ws), bs);
  return false;
}

/* Of x [n, in]. */
static AbTensor *linear_of_rows(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation f) {
  bool shape_only = !x->storage || !W->storage || ab_is_shape_only(b);
  AbTensor *y =
      ab_tensor_new(x->ctx, x->dtype, 2, (int64_t[]){x->shape[0], W->shape[1]}, shape_only);
  if (!y) return NULL;
  ab_multiply(y, x, W, 0);
  if (!shape_only)
    y->ctx->device->bias_activate(y->dtype, f, y->shape[0], y->shape[1], ab_data_of(y),
                                  b == AB_NONE ? NULL : ab_data_of(b));
  y->ints[0] = f;
  return ab_record(y, &linear_op, (AbTensor *[]){x, W, b}, b == AB_NONE ? 2 : 3);
}

AbTensor *ab_linear(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation f) {
  if (!b || !ab_belong_together("linear", x, W) || !ab_is_real(x, "linear") ||
      !ab_is_real(W, "linear") || !ab_activation_exists(f, x->ctx))
    return NULL;
  if (b != AB_NONE && !ab_belong_together("linear", x, b)) return NULL;
  if (!fits(x, W, b)) return NULL;
  if (!ab_activation_by_result(f)) return ab_activate(f, ab_linear(x, W, b, AB_IDENTITY));
  if (b != AB_NONE && !(b = ab_dense(b))) return NULL;
  if (x->rank == 2) return linear_of_rows(x, W, b, f);
  AbShape shape = ab_shape(x);
  int64_t rows = 1;
  for (int32_t i = 0; i + 1 < x->rank; i++) rows *= x->shape[i];
  x = ab_reshape(x, AB_SHAPE(rows, x->shape[x->rank - 1]));
  if (!x) return NULL;
  shape.dims[shape.rank - 1] = W->shape[1];
  AbTensor *y = linear_of_rows(x, W, b, f);
  return y ? ab_reshape(y, shape) : NULL;
}
