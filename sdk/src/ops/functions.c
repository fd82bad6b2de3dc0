/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one element. A backward rule is written in operations, from the argument x or, where
 * it can be, from the result y.                                                                  */
#include "../internal.h"

static void affine_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_affine(g, y->reals[0], 0));
}
static const AbOp affine_op = {"affine", affine_backward};

AbTensor *ab_affine(AbTensor *x, double scale, double shift) {
  if (!ab_is_real(x, "affine") || !(x = ab_packed(x))) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage)
    x->ctx->device->affine(x->dtype, ab_tensor_count(x), ab_data_of(y), ab_data_of(x), scale,
                           shift);
  y->reals[0] = scale;
  return ab_record(y, &affine_op, &x, 1);
}

AbTensor *ab_neg(AbTensor *x) {
  return ab_affine(x, -1, 0);
}

AbTensor *ab_unary(const AbOp *op, AbUnary f, AbTensor *x) {
  if (!ab_is_real(x, op->name) || !(x = ab_packed(x))) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage)
    x->ctx->device->unary(f, x->dtype, ab_tensor_count(x), ab_data_of(y), ab_data_of(x));
  if (!op->backward) return y;
  return ab_record(y, op, &x, 1);
}

AbTensor *ab_unary_by(const AbOp *op, AbUnary f, AbTensor *x, double a, double b) {
  if (!ab_is_real(x, op->name) || !(x = ab_packed(x))) return NULL;
  AbTensor *y = ab_tensor_like(x, x->dtype, !x->storage);
  if (!y) return NULL;
  if (x->storage)
    x->ctx->device->unary_by(f, x->dtype, ab_tensor_count(x), ab_data_of(y), ab_data_of(x), a, b);
  y->reals[0] = a;
  y->reals[1] = b;
  return ab_record(y, op, &x, 1);
}

static const AbOp sign_op = {"sign", NULL};

AbTensor *ab_sign(AbTensor *x) {
  return ab_unary(&sign_op, K_SIGN, x);
}

static void abs_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_sign(y->inputs[0])));
}
static const AbOp abs_op = {"abs", abs_backward};

AbTensor *ab_abs(AbTensor *x) {
  return ab_unary(&abs_op, K_ABS, x);
}

static void square_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(ab_affine(g, 2, 0), y->inputs[0]));
}
static const AbOp square_op = {"square", square_backward};

AbTensor *ab_square(AbTensor *x) {
  return ab_unary(&square_op, K_SQUARE, x);
}

static void sqrt_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_div(ab_affine(g, 0.5, 0), y));
}
static const AbOp sqrt_op = {"sqrt", sqrt_backward};

AbTensor *ab_sqrt(AbTensor *x) {
  return ab_unary(&sqrt_op, K_SQRT, x);
}

static void exp_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, y));
}
static const AbOp exp_op = {"exp", exp_backward};

AbTensor *ab_exp(AbTensor *x) {
  return ab_unary(&exp_op, K_EXP, x);
}

static void log_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_div(g, y->inputs[0]));
}
static const AbOp log_op = {"log", log_backward};

AbTensor *ab_log(AbTensor *x) {
  return ab_unary(&log_op, K_LOG, x);
}

static void rsqrt_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(ab_affine(g, -0.5, 0), ab_mul(y, ab_square(y))));
}
static const AbOp rsqrt_op = {"rsqrt", rsqrt_backward};

AbTensor *ab_rsqrt(AbTensor *x) {
  return ab_unary(&rsqrt_op, K_RSQRT, x);
}

static void reciprocal_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_neg(ab_mul(g, ab_square(y))));
}
static const AbOp reciprocal_op = {"reciprocal", reciprocal_backward};

AbTensor *ab_reciprocal(AbTensor *x) {
  return ab_unary(&reciprocal_op, K_RECIPROCAL, x);
}

static void expm1_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_affine(y, 1, 1)));
}
static const AbOp expm1_op = {"expm1", expm1_backward};

AbTensor *ab_expm1(AbTensor *x) {
  return ab_unary(&expm1_op, K_EXPM1, x);
}

static void log1p_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_div(g, ab_affine(y->inputs[0], 1, 1)));
}
static const AbOp log1p_op = {"log1p", log1p_backward};

AbTensor *ab_log1p(AbTensor *x) {
  return ab_unary(&log1p_op, K_LOG1P, x);
}

/* ---- angles ---------------------------------------------------------------------------------- */

static void sin_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_cos(y->inputs[0])));
}
static const AbOp sin_op = {"sin", sin_backward};

AbTensor *ab_sin(AbTensor *x) {
  return ab_unary(&sin_op, K_SIN, x);
}

static void cos_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_neg(ab_mul(g, ab_sin(y->inputs[0]))));
}
static const AbOp cos_op = {"cos", cos_backward};

AbTensor *ab_cos(AbTensor *x) {
  return ab_unary(&cos_op, K_COS, x);
}

static void tan_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_affine(ab_square(y), 1, 1)));
}
static const AbOp tan_op = {"tan", tan_backward};

AbTensor *ab_tan(AbTensor *x) {
  return ab_unary(&tan_op, K_TAN, x);
}

/* 1 / sqrt(1 - x^2), as a product so that little is lost near 1 */
static AbTensor *arc_slope(AbTensor *x) {
  return ab_rsqrt(ab_mul(ab_affine(x, -1, 1), ab_affine(x, 1, 1)));
}

static void asin_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, arc_slope(y->inputs[0])));
}
static const AbOp asin_op = {"asin", asin_backward};

AbTensor *ab_asin(AbTensor *x) {
  return ab_unary(&asin_op, K_ASIN, x);
}

static void acos_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_neg(ab_mul(g, arc_slope(y->inputs[0]))));
}
static const AbOp acos_op = {"acos", acos_backward};

AbTensor *ab_acos(AbTensor *x) {
  return ab_unary(&acos_op, K_ACOS, x);
}

static void atan_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_div(g, ab_affine(ab_square(y->inputs[0]), 1, 1)));
}
static const AbOp atan_op = {"atan", atan_backward};

AbTensor *ab_atan(AbTensor *x) {
  return ab_unary(&atan_op, K_ATAN, x);
}

static void sinh_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_cosh(y->inputs[0])));
}
static const AbOp sinh_op = {"sinh", sinh_backward};

AbTensor *ab_sinh(AbTensor *x) {
  return ab_unary(&sinh_op, K_SINH, x);
}

static void cosh_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mul(g, ab_sinh(y->inputs[0])));
}
static const AbOp cosh_op = {"cosh", cosh_backward};

AbTensor *ab_cosh(AbTensor *x) {
  return ab_unary(&cosh_op, K_COSH, x);
}

/* ---- others ---------------------------------------------------------------------------------- */

/* 2 / sqrt(pi) exp(-x^2) */
static void erf_backward(AbTensor *y, AbTensor *g) {
  AbTensor *slope = ab_activate(AB_GAUSSIAN, y->inputs[0]);
  ab_accumulate(y, 0, ab_mul(ab_affine(g, 1.12837916709551257390, 0), slope));
}
static const AbOp erf_op = {"erf", erf_backward};

AbTensor *ab_erf(AbTensor *x) {
  return ab_unary(&erf_op, K_ERF, x);
}

static const AbOp floor_op = {"floor", NULL};

AbTensor *ab_floor(AbTensor *x) {
  return ab_unary(&floor_op, K_FLOOR, x);
}

static const AbOp ceil_op = {"ceil", NULL};

AbTensor *ab_ceil(AbTensor *x) {
  return ab_unary(&ceil_op, K_CEIL, x);
}

static const AbOp round_op = {"round", NULL};

AbTensor *ab_round(AbTensor *x) {
  return ab_unary(&round_op, K_ROUND, x);
}

static const AbOp is_nan_op = {"is_nan", NULL};

AbTensor *ab_is_nan(AbTensor *x) {
  return ab_unary(&is_nan_op, K_IS_NAN, x);
}

static const AbOp is_finite_op = {"is_finite", NULL};

AbTensor *ab_is_finite(AbTensor *x) {
  return ab_unary(&is_finite_op, K_IS_FINITE, x);
}
