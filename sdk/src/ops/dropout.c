/* SPDX-License-Identifier: Apache-2.0
 *
 * Dropout. Whether an element is kept comes from the counter of its random number, so the backward
 * pass draws the numbers again and nothing is kept.                                              */
#include "../internal.h"
#include <absdk/layers.h>
#include <string.h>

static AbTensor *dropped(AbTensor *x, const AbDraw *draw, double rate);

/* ---- a copy of x with the order in memory of another tensor of its shape -------------------- */

static void arranged_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, g);
}
static const AbOp arranged_op = {"arranged", arranged_backward};

static bool same_order(const AbTensor *x, const int64_t *stride) {
  for (int32_t i = 0; i < x->rank; i++)
    if (x->shape[i] > 1 && x->stride[i] != stride[i]) return false;
  return true;
}

static AbTensor *arranged(AbTensor *x, const AbTensor *like) {
  if (!x || same_order(x, like->stride)) return x;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  memcpy(y->stride, like->stride, sizeof y->stride);
  if (x->storage) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return ab_record(y, &arranged_op, &x, 1);
}

/* ---- the operation --------------------------------------------------------------------------- */

static void dropout_backward(AbTensor *y, AbTensor *g) {
  AbDraw draw = {(uint64_t)y->ints[0], (uint32_t)y->ints[1], (uint64_t)y->ints[2]};
  g = arranged(g, y);
  if (g) ab_accumulate(y, 0, dropped(g, &draw, y->reals[0]));
}
static const AbOp dropout_op = {"dropout", dropout_backward};

/* Of a packed x: numbers are drawn in its order in memory. */
static AbTensor *dropped(AbTensor *x, const AbDraw *draw, double rate) {
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  double scale = rate < 1 ? 1 / (1 - rate) : 0;
  if (x->storage)
    x->ctx->device->dropout(x->dtype, ab_tensor_count(x), ab_data_of(y), ab_data_of(x), draw,
                            1 - rate, scale);
  y->ints[0] = (int64_t)draw->key;
  y->ints[1] = draw->call;
  y->ints[2] = (int64_t)draw->step;
  y->reals[0] = rate;
  return ab_record(y, &dropout_op, &x, 1);
}

AbTensor *ab_dropout(AbTensor *x, double rate) {
  if (!ab_is_real(x, "dropout")) return NULL;
  if (!(rate >= 0 && rate <= 1)) {
    ab_error(x->ctx, AB_CONFIG, "dropout: a rate of %g; wanted is one from 0 to 1", rate);
    return NULL;
  }
  if (rate == 0 || !ab_training(x->ctx)) return x;
  if (!(x = ab_packed(x))) return NULL;
  AbDraw draw = {0};
  if (x->storage) draw = ab_next_draw(x->ctx);
  return dropped(x, &draw, rate);
}
