/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: the backward pass. The kernel of the device goes through the steps from the
 * last and leaves the gradient of the sums x W + h U + b of each; what W, U and x receive are then
 * products over all steps at once:
 *     dW = x' ds,  dU = h' ds,  db = sum of the rows of ds,  dx = ds W'
 * with h the states before each step. A GRU's ds is [n, r, z, n h] (device/recurrent.h): W has
 * received [r, z, n] and U [r, z, n h].                                                          */
#include "recurrent.h"
#include <string.h>

/* Columns [from, to) of what a matrix has received, in order. */
typedef struct {
  int64_t from, to;
} Columns;

/* of ds, for W and for U */
static int columns_of_W(const Attributes *a, Columns *columns) {
  int64_t H = a->units;
  if (a->cell != K_GRU) {
    columns[0] = (Columns){0, recurrent_blocks(a->cell) * H};
    return 1;
  }
  columns[0] = (Columns){H, 3 * H};
  columns[1] = (Columns){0, H};
  return 2;
}

static Columns columns_of_U(const Attributes *a) {
  int64_t H = a->units, from = a->cell == K_GRU ? H : 0;
  return (Columns){from, from + recurrent_blocks(a->cell) * H};
}

static AbTensor *cut(AbTensor *x, int32_t axis, Columns c) {
  return ab_slice(x, axis, c.from, c.to);
}

/* ---- matrices -------------------------------------------------------------------------------- */

/* Columns from `at` of the gradient of a weight := or += x' columns c of ds. */
static void receive(AbTensor *target, int64_t at, bool add, const AbTensor *x, const AbTensor *ds,
                    Columns c) {
  size_t size = ab_dtype_size(ds->dtype);
  int64_t m = x->shape[1], n = c.to - c.from, k = ds->shape[0];
  if (m == 0 || n == 0) return;
  target->ctx->device->recurrent->weights(
      ds->dtype, m, n, k, ab_data_of(x), m, (char *)ab_data_of(ds) + (size_t)c.from * size,
      ds->shape[1], add, (char *)ab_data_of(target) + (size_t)at * size, target->shape[1]);
}

static void gradient_of_W(AbTensor *y, const Attributes *a, AbTensor *ds) {
  bool add;
  AbTensor *target = ab_wants(y, IN_W) ? ab_gradient_target(y, IN_W, &add) : NULL;
  if (!target) return;
  Columns columns[2];
  int count = columns_of_W(a, columns);
  int64_t at = 0;
  for (int i = 0; i < count; i++) {
    receive(target, at, add, y->inputs[IN_X], ds, columns[i]);
    at += columns[i].to - columns[i].from;
  }
  ab_accumulated(y, IN_W, target);
}

static void gradient_of_x(AbTensor *y, const Attributes *a, AbTensor *ds) {
  bool add;
  AbTensor *target = ab_wants(y, IN_X) ? ab_gradient_target(y, IN_X, &add) : NULL;
  if (!target) return;
  Columns columns[2];
  int count = columns_of_W(a, columns);
  int64_t at = 0;
  for (int i = 0; i < count; i++) {
    int64_t width = columns[i].to - columns[i].from;
    AbTensor *W = ab_transpose(ab_slice(y->inputs[IN_W], 1, at, at + width), 0, 1);
    AbTensor *some = cut(ds, 1, columns[i]);
    if (!W || !some) return;
    ab_multiply(target, some, W, add || i > 0);
    at += width;
  }
  ab_accumulated(y, IN_X, target);
}

/* The states before each step as [t n, H]. */
static AbTensor *states_before(AbTensor *y, const Attributes *a) {
  int64_t from = a->reverse ? 1 : 0;
  AbTensor *states = ab_slice(ab_detach(y), 0, from, from + a->steps);
  return ab_reshape(states, AB_SHAPE(a->steps * a->rows, a->units));
}

static void gradient_of_U(AbTensor *y, const Attributes *a, AbTensor *ds) {
  bool add;
  AbTensor *h = states_before(y, a);
  AbTensor *target = h && ab_wants(y, IN_U) ? ab_gradient_target(y, IN_U, &add) : NULL;
  if (!target) return;
  receive(target, 0, add, h, ds, columns_of_U(a));
  ab_accumulated(y, IN_U, target);
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void gradient_of_biases(AbTensor *y, const Attributes *a, AbTensor *ds) {
  if (!ab_wants(y, IN_B) && !ab_wants(y, IN_D)) return;
  AbTensor *sums = ab_sum_axes(ds, 1, false);
  int64_t H = a->units;
  if (!sums) return;
  if (ab_wants(y, IN_D)) ab_accumulate(y, IN_D, ab_slice(sums, 0, 3 * H, 4 * H));
  if (!ab_wants(y, IN_B)) return;
  if (a->cell != K_GRU) {
    ab_accumulate(y, IN_B, sums);
    return;
  }
  AbTensor *ordered = ab_empty(y->ctx, y->dtype, AB_SHAPE(3 * H));
  if (!ordered) return;
  ab_assign(ab_slice(ordered, 0, 0, 2 * H), ab_slice(sums, 0, H, 3 * H));
  ab_assign(ab_slice(ordered, 0, 2 * H, 3 * H), ab_slice(sums, 0, 0, H));
  ab_accumulate(y, IN_B, ordered);
}

/* of p_i and p_f from the cells before each step, of p_o from those after it */
static void gradient_of_peepholes(AbTensor *y, const Attributes *a, AbTensor *ds) {
  if (!ab_wants(y, IN_P)) return;
  static const int block[] = {0, 1, 3};
  int64_t H = a->units;
  AbTensor *all = ab_empty(y->ctx, y->dtype, AB_SHAPE(3, H));
  for (int i = 0; all && i < 3; i++) {
    int64_t from = (i == 2) != a->reverse;
    AbTensor *c = ab_reshape(ab_slice(y->saved[KEPT_C], 0, from, from + a->steps),
                             AB_SHAPE(a->steps * a->rows, H));
    AbTensor *d = ab_slice(ds, 1, block[i] * H, (block[i] + 1) * H);
    ab_assign(ab_slice(all, 0, i, i + 1), ab_sum_axes(ab_mul(c, d), 1, true));
  }
  ab_accumulate(y, IN_P, all);
}

/* ---- the rule -------------------------------------------------------------------------------- */

static void gradient_of_first(AbTensor *y, const Attributes *a, AbTensor *g, AbTensor *dh,
                              AbTensor *dc) {
  int64_t first = a->reverse ? a->steps : 0;
  AbShape shape = AB_SHAPE(a->rows, a->units);
  if (ab_wants(y, IN_H0))
    ab_accumulate(y, IN_H0, ab_add(dh, ab_reshape(ab_slice(g, 0, first, first + 1), shape)));
  if (ab_wants(y, IN_C0)) ab_accumulate(y, IN_C0, dc);
}

/* A copy, to be changed. */
static AbTensor *last_cells(AbTensor *g, const Attributes *a) {
  AbTensor *dc = ab_empty(g->ctx, g->dtype, AB_SHAPE(1, a->rows, a->units));
  if (!dc) return NULL;
  ab_assign(dc, ab_slice(g, 0, a->steps + 1, a->steps + 2));
  return ab_reshape(dc, AB_SHAPE(a->rows, a->units));
}

void ab_recurrent_backward(AbTensor *y, AbTensor *g) {
  AbContext *ctx = y->ctx;
  Attributes a = {(AbCellKind)y->ints[0], y->ints[1], y->ints[2], y->ints[3], y->ints[4] != 0};
  int64_t width = recurrent_gradient_blocks(a.cell) * a.units;
  AbTensor *ds = ab_empty(ctx, y->dtype, AB_SHAPE(a.steps * a.rows, width));
  AbTensor *dh = ab_full(ctx, y->dtype, AB_SHAPE(a.rows, a.units), 0);
  AbTensor *dc = a.cell == K_LSTM ? last_cells(g, &a) : AB_NONE;
  AbTensor *work = ab_recurrent_work(ctx, y->dtype, &a);
  if (!(g = ab_dense(g)) || !ds || !dh || !dc || !work) return;
  AbTensor *gates = y->saved[KEPT_GATES] == AB_NONE ? ds : y->saved[KEPT_GATES]; /* not looked at */
  AbRecurrent job =
      ab_recurrent_job(&a, y->inputs, y, gates, y->saved[KEPT_C], y->saved[KEPT_LENGTHS], work);
  AbRecurrentGradient gradient = {.g = ab_data_of(g),
                                  .sums = ab_data_of(ds),
                                  .dh = ab_data_of(dh),
                                  .dc = dc == AB_NONE ? NULL : ab_data_of(dc),
                                  .first = ab_wants(y, IN_H0)};
  ctx->device->recurrent->backward(y->dtype, &job, &gradient);
  gradient_of_W(y, &a, ds);
  gradient_of_U(y, &a, ds);
  gradient_of_x(y, &a, ds);
  gradient_of_biases(y, &a, ds);
  gradient_of_peepholes(y, &a, ds);
  gradient_of_first(y, &a, g, dh, dc);
}
