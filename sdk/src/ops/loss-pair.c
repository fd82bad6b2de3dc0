/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of two numbers, with a mean or a sum where that is asked for. The gradient is a kernel;
 * where it is to be differentiated in turn, it is written in operations (slope_of).             */
#include "../device/losses.h"
#include "../internal.h"
#include <math.h>
#include <string.h>

/* ---- slopes in operations -------------------------------------------------------------------- */

static AbTensor *constant(const AbTensor *like, double value) {
  return ab_full(like->ctx, like->dtype, ab_scalar_shape(), value);
}

static AbTensor *within(AbTensor *d, double p) {
  return ab_minimum(ab_maximum(d, constant(d, -p)), constant(d, p));
}

/* f at t > 0, and 0 at t = 0 */
static AbTensor *where_positive(AbTensor *t, AbTensor *f) {
  return ab_mul(f, ab_sub(constant(t, 1), ab_equal(t, constant(t, 0))));
}

static double edge_of(const AbTensor *p) {
  return p->dtype == AB_F32 ? (double)AB_BCE_EDGE_F32 : AB_BCE_EDGE_F64;
}

/* log t, and something finite at 0 */
static AbTensor *safe_log(AbTensor *t) {
  return ab_log(ab_add(t, ab_equal(t, constant(t, 0))));
}

static AbTensor *kl_slope(AbTensor *p, AbTensor *t, bool by_t) {
  AbTensor *q = ab_maximum(p, constant(p, edge_of(p)));
  if (!by_t) return ab_neg(ab_div(t, q));
  return where_positive(t, ab_affine(ab_sub(safe_log(t), ab_log(q)), 1, 1));
}

static AbTensor *bce_slope(AbTensor *p, AbTensor *t, bool by_t) {
  double edge = edge_of(p);
  AbTensor *q = ab_minimum(ab_maximum(p, constant(p, edge)), constant(p, 1 - edge));
  AbTensor *rest = ab_affine(q, -1, 1);
  if (by_t) return ab_sub(ab_log(rest), ab_log(q));
  return ab_div(ab_sub(q, t), ab_mul(q, rest));
}

static AbTensor *hinge_slope(AbTensor *x, AbTensor *t, bool by_t, bool squared) {
  AbTensor *margin = ab_affine(ab_mul(x, t), -1, 1);
  AbTensor *factor =
      squared ? ab_affine(ab_relu(margin), -2, 0) : ab_neg(ab_greater(margin, constant(x, 0)));
  return ab_mul(factor, by_t ? x : t);
}

/* Of losses of d = a - b alone, by a. */
static AbTensor *distance_slope(AbPairLoss f, AbTensor *d, double p) {
  switch (f) {
  case K_LOSS_L1: return ab_sign(d);
  case K_LOSS_SQUARED: return ab_affine(d, 2, 0);
  case K_LOSS_HUBER: return within(d, p);
  case K_LOSS_TUKEY:
    return ab_mul(d, ab_square(ab_relu(ab_affine(ab_square(ab_affine(d, 1 / p, 0)), -1, 1))));
  default: return ab_tanh(d); /* log cosh */
  }
}

static AbTensor *slope_of(AbPairLoss f, AbTensor *a, AbTensor *b, double p, bool by_b) {
  switch (f) {
  case K_LOSS_HINGE: return hinge_slope(a, b, by_b, false);
  case K_LOSS_SQUARED_HINGE: return hinge_slope(a, b, by_b, true);
  case K_LOSS_POISSON: return by_b ? ab_neg(a) : ab_sub(ab_exp(a), b);
  case K_LOSS_KL: return kl_slope(a, b, by_b);
  case K_LOSS_KL_LOG:
    return by_b ? where_positive(b, ab_affine(ab_sub(safe_log(b), a), 1, 1)) : ab_neg(b);
  case K_LOSS_KL_NORMAL: return by_b ? ab_affine(ab_exp(b), 0.5, -0.5) : a;
  case K_LOSS_BCE: return bce_slope(a, b, by_b);
  case K_LOSS_BCE_LOGITS: return by_b ? ab_neg(a) : ab_sub(ab_sigmoid(a), b);
  default: {
    AbTensor *slope = distance_slope(f, ab_sub(a, b), p);
    return by_b ? ab_neg(slope) : slope;
  }
  }
}

/* ---- backward -------------------------------------------------------------------------------- */

enum { LOSS, FORM };       /* ints */
enum { PARAMETER, SCALE }; /* reals */

static bool same_order(const AbTensor *a, const AbTensor *b) {
  for (int32_t i = 0; i < a->rank; i++)
    if (a->shape[i] != 1 && a->stride[i] != b->stride[i]) return false;
  return true;
}

/* Both in one order in memory without gaps; recorded. */
static bool in_one_order(AbTensor **a, AbTensor **b) {
  if (*a && *b && ab_tensor_packed(*a) && same_order(*a, *b)) return true;
  *a = ab_dense(*a);
  *b = ab_dense(*b);
  return *a && *b;
}

static void by_kernel(AbTensor *y, AbTensor *g, int32_t i) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  bool each = y->ints[FORM] == AB_LOSS_EACH;
  if (each && !same_order(a, g)) {
    a = ab_dense(a);
    b = ab_dense(b);
    g = ab_dense(g);
  }
  if (!a || !b || !g) return;
  AbTensor *slope = ab_tensor_like(a, a->dtype, false);
  if (!slope) return;
  AbPairJob job = {.n = ab_tensor_count(a),
                   .a = ab_data_of(a),
                   .b = ab_data_of(b),
                   .p = y->reals[PARAMETER],
                   .y = ab_data_of(slope),
                   .g = ab_data_of(g),
                   .scale = y->reals[SCALE],
                   .each = each,
                   .by_b = i == 1};
  if (job.n > 0) y->ctx->device->losses->pair_grad((AbPairLoss)y->ints[LOSS], a->dtype, &job);
  ab_accumulate(y, i, slope);
}

static void pair_backward(AbTensor *y, AbTensor *g) {
  for (int32_t i = 0; i < 2; i++) {
    if (!ab_wants(y, i)) continue;
    if (!y->ctx->differentiable) {
      by_kernel(y, g, i);
      continue;
    }
    AbTensor *slope = slope_of((AbPairLoss)y->ints[LOSS], y->inputs[0], y->inputs[1],
                               y->reals[PARAMETER], i == 1);
    ab_accumulate(y, i, ab_mul(ab_affine(g, y->reals[SCALE], 0), slope));
  }
}

static const AbOp ops[K_LOSS_COUNT] = {
    [K_LOSS_L1] = {"l1_loss", pair_backward},
    [K_LOSS_SQUARED] = {"squared_error", pair_backward},
    [K_LOSS_HUBER] = {"huber", pair_backward},
    [K_LOSS_TUKEY] = {"tukey_biweight", pair_backward},
    [K_LOSS_LOG_COSH] = {"log_cosh", pair_backward},
    [K_LOSS_HINGE] = {"hinge", pair_backward},
    [K_LOSS_SQUARED_HINGE] = {"squared_hinge", pair_backward},
    [K_LOSS_POISSON] = {"poisson_nll", pair_backward},
    [K_LOSS_KL] = {"kl_divergence", pair_backward},
    [K_LOSS_KL_LOG] = {"kl_divergence_log", pair_backward},
    [K_LOSS_KL_NORMAL] = {"kl_normal", pair_backward},
    [K_LOSS_BCE] = {"binary_cross_entropy", pair_backward},
    [K_LOSS_BCE_LOGITS] = {"binary_cross_entropy", pair_backward},
};

/* ---- forward --------------------------------------------------------------------------------- */

static bool pair_fits(const char *operation, const AbTensor *a, const AbTensor *b,
                      AbLossForm form) {
  char left[220], right[220];
  if (!ab_fit(operation, a, b)) return false;
  if (!ab_same_shape(a, b)) {
    ab_error(a->ctx, AB_CONFIG, "%s: operands of %s and of %s differ in shape", operation,
             ab_tensor_text(a, left, sizeof left), ab_tensor_text(b, right, sizeof right));
    return false;
  }
  if (form < AB_LOSS_EACH || form > AB_LOSS_SUM) {
    ab_error(a->ctx, AB_INTERNAL, "%s: there is no form %d of a loss", operation, (int)form);
    return false;
  }
  if (form != AB_LOSS_MEAN || ab_tensor_count(a) > 0) return true;
  ab_error(a->ctx, AB_CONFIG, "%s: there is nothing to average in %s", operation,
           ab_tensor_text(a, left, sizeof left));
  return false;
}

/* The value that a sum could not be made of; a NaN that was there before is left to the guard. */
static bool all_probabilities(const AbTensor *p) {
  for (int64_t i = 0; i < ab_tensor_count(p); i++) {
    double value = p->dtype == AB_F32 ? (double)((const float *)ab_data_of(p))[i]
                                      : ((const double *)ab_data_of(p))[i];
    if (!(value < 0 || value > 1)) continue;
    ab_error(p->ctx, AB_DATA,
             "binary_cross_entropy: p holds %g, which is no probability: wanted 0 "
             "to 1 (a sigmoid, or binary_cross_entropy_logits)",
             value);
    return false;
  }
  return true;
}

static bool compute(AbTensor *y, AbPairLoss f, const AbTensor *a, const AbTensor *b, double p,
                    double scale, AbLossForm form) {
  const AbDevice *device = y->ctx->device;
  AbPairJob job = {.n = ab_tensor_count(a), .a = ab_data_of(a), .b = ab_data_of(b), .p = p};
  if (form == AB_LOSS_EACH) {
    job.y = ab_data_of(y);
    if (job.n > 0) device->losses->pair(f, a->dtype, &job);
    if (scale != 1 && job.n > 0) device->affine(a->dtype, job.n, job.y, job.y, scale, 0);
    return true;
  }
  double sum = job.n > 0 ? device->losses->pair_sum(f, a->dtype, &job) : 0;
  device->fill(y->dtype, 1, ab_data_of(y), scale * sum);
  return f != K_LOSS_BCE || !isnan(sum) || all_probabilities(a);
}

static AbTensor *pair(AbPairLoss f, AbTensor *a, AbTensor *b, double p, double scale,
                      AbLossForm form) {
  const AbOp *op = &ops[f];
  if (!pair_fits(op->name, a, b, form) || !in_one_order(&a, &b)) return NULL;
  bool shape_only = !a->storage || !b->storage;
  AbTensor *y = form == AB_LOSS_EACH
                    ? ab_tensor_like(a, a->dtype, shape_only)
                    : ab_tensor_new(a->ctx, a->dtype, 0, ab_scalar_shape().dims, shape_only);
  if (!y) return NULL;
  if (form == AB_LOSS_MEAN) scale /= (double)ab_tensor_count(a);
  if (!shape_only && !compute(y, f, a, b, p, scale, form)) return NULL;
  y->ints[LOSS] = f;
  y->ints[FORM] = form;
  y->reals[PARAMETER] = p;
  y->reals[SCALE] = scale;
  return ab_record(y, op, (AbTensor *[]){a, b}, 2);
}

/* ---- the operations -------------------------------------------------------------------------- */

AbTensor *ab_l1_loss(AbTensor *a, AbTensor *b, AbLossForm form) {
  return pair(K_LOSS_L1, a, b, 0, 1, form);
}

AbTensor *ab_squared_error(AbTensor *a, AbTensor *b, AbLossForm form) {
  return pair(K_LOSS_SQUARED, a, b, 0, 1, form);
}

/* A bound must be a positive number that the type can hold. */
static bool bounded(const char *operation, const AbTensor *a, const char *name, double bound) {
  if (!a || a == AB_NONE) return false;
  double most = a->dtype == AB_F32 ? 1e18 : 1e150, least = a->dtype == AB_F32 ? 1e-18 : 1e-150;
  if (bound >= least && bound <= most) return true;
  ab_error(a->ctx, AB_CONFIG, "%s: %s must be %g to %g, not %g", operation, name, least, most,
           bound);
  return false;
}

AbTensor *ab_huber(AbTensor *a, AbTensor *b, double delta, AbLossForm form) {
  return bounded("huber", a, "delta", delta) ? pair(K_LOSS_HUBER, a, b, delta, 1, form) : NULL;
}

AbTensor *ab_smooth_l1(AbTensor *a, AbTensor *b, double beta, AbLossForm form) {
  return bounded("smooth_l1", a, "beta", beta) ? pair(K_LOSS_HUBER, a, b, beta, 1 / beta, form)
                                               : NULL;
}

AbTensor *ab_tukey_biweight(AbTensor *a, AbTensor *b, double c, AbLossForm form) {
  return bounded("tukey_biweight", a, "c", c) ? pair(K_LOSS_TUKEY, a, b, c, 1, form) : NULL;
}

AbTensor *ab_log_cosh(AbTensor *a, AbTensor *b, AbLossForm form) {
  return pair(K_LOSS_LOG_COSH, a, b, 0, 1, form);
}

AbTensor *ab_hinge(AbTensor *x, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_HINGE, x, t, 0, 1, form);
}

AbTensor *ab_squared_hinge(AbTensor *x, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_SQUARED_HINGE, x, t, 0, 1, form);
}

AbTensor *ab_poisson_nll(AbTensor *x, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_POISSON, x, t, 0, 1, form);
}

AbTensor *ab_kl_divergence(AbTensor *p, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_KL, p, t, 0, 1, form);
}

AbTensor *ab_kl_divergence_log(AbTensor *log_p, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_KL_LOG, log_p, t, 0, 1, form);
}

AbTensor *ab_kl_normal(AbTensor *mean, AbTensor *log_variance, AbLossForm form) {
  return pair(K_LOSS_KL_NORMAL, mean, log_variance, 0, 1, form);
}

AbTensor *ab_binary_cross_entropy_logits(AbTensor *x, AbTensor *t, AbLossForm form) {
  return pair(K_LOSS_BCE_LOGITS, x, t, 0, 1, form);
}

AbTensor *ab_binary_cross_entropy_reduced(AbTensor *p, AbTensor *t, AbLossForm form) {
  if (!pair_fits(ops[K_LOSS_BCE].name, p, t, form)) return NULL;
  AbTensor *x = ab_sigmoid_argument(p);
  return x ? pair(K_LOSS_BCE_LOGITS, x, t, 0, 1, form) : pair(K_LOSS_BCE, p, t, 0, 1, form);
}

AbTensor *ab_binary_cross_entropy(AbTensor *p, AbTensor *t) {
  return ab_binary_cross_entropy_reduced(p, t, AB_LOSS_EACH);
}
