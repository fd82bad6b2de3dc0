/* SPDX-License-Identifier: Apache-2.0
 *
 * Powers, remainders and angles of two operands. */
#include "../internal.h"

static AbTensor *number(AbTensor *like, double value) {
  return ab_full(like->ctx, like->dtype, ab_scalar_shape(), value);
}

/* ---- a^b: b a^(b-1) and a^b log(a) -----------------------------------------------------------
 * What would be 0 times infinity is kept from arising, in second derivatives too: the operands are
 * replaced where the gradient is 0 by definition.                                                */

static AbTensor *base_slope(AbTensor *a, AbTensor *b) {
  AbTensor *zero = number(a, 0), *one = number(a, 1);
  AbTensor *both = ab_mul(ab_equal(a, zero), ab_equal(b, zero));
  return ab_mul(b, ab_pow(a, ab_where(both, one, ab_sub(b, one))));
}

static AbTensor *exponent_slope(AbTensor *y, AbTensor *a, AbTensor *b) {
  AbTensor *zero = number(a, 0);
  AbTensor *none = ab_mul(ab_equal(a, zero), ab_greater_equal(b, zero));
  return ab_mul(y, ab_log(ab_where(none, number(a, 1), a)));
}

static void pow_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_give(y, 0, ab_mul(g, base_slope(a, b)));
  if (ab_wants(y, 1)) ab_give(y, 1, ab_mul(g, exponent_slope(y, a, b)));
}
static const AbOp pow_op = {"pow", pow_backward};

AbTensor *ab_pow(AbTensor *a, AbTensor *b) {
  return ab_binary(&pow_op, K_POW, a, b);
}

static void power_backward(AbTensor *y, AbTensor *g) {
  double exponent = y->reals[0];
  AbTensor *slope = exponent == 0 ? ab_affine(y->inputs[0], 0, 0)
                                  : ab_affine(ab_power(y->inputs[0], exponent - 1), exponent, 0);
  ab_accumulate(y, 0, exponent == 1 ? g : ab_mul(g, slope));
}
static const AbOp power_op = {"power", power_backward};

AbTensor *ab_power(AbTensor *x, double exponent) {
  return ab_unary_by(&power_op, K_POWER, x, exponent, 0);
}

/* ---- a - b floor(a / b) ---------------------------------------------------------------------- */

static void remainder_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_wants(y, 0)) ab_give(y, 0, g);
  if (!ab_wants(y, 1)) return;
  AbTensor *whole = ab_round(ab_div(ab_sub(a, ab_detach(y)), b)); /* exact where a / b is not */
  ab_give(y, 1, ab_neg(ab_mul(g, ab_detach(whole))));
}
static const AbOp remainder_op = {"remainder", remainder_backward};

AbTensor *ab_remainder(AbTensor *a, AbTensor *b) {
  return ab_binary(&remainder_op, K_REMAINDER, a, b);
}

/* ---- the angle of (x, y): x / (x^2 + y^2) and -y / (x^2 + y^2) ------------------------------ */

static void atan2_backward(AbTensor *z, AbTensor *g) {
  AbTensor *y = z->inputs[0], *x = z->inputs[1];
  AbTensor *q = ab_div(g, ab_add(ab_square(x), ab_square(y)));
  if (ab_wants(z, 0)) ab_give(z, 0, ab_mul(q, x));
  if (ab_wants(z, 1)) ab_give(z, 1, ab_neg(ab_mul(q, y)));
}
static const AbOp atan2_op = {"atan2", atan2_backward};

AbTensor *ab_atan2(AbTensor *y, AbTensor *x) {
  return ab_binary(&atan2_op, K_ATAN2, y, x);
}
