/* SPDX-License-Identifier: Apache-2.0
 *
 * Variance, standard deviation and norms.
 *
 *   v = sum (x - mean)^2 / (n - c);         dv/dx = 2 (x - mean) / (n - c)
 *   s = sqrt v;                             ds/dx = (x - mean) / ((n - c) s)
 *   y = (sum |x|^p)^(1/p);                  dy/dx = sign(x) (|x| / y)^(p - 1)                   */
#include "along.h"
#include <math.h>

/* y, or 1 where it is 0: what divides a gradient that is 0 there. */
static AbTensor *not_zero(AbTensor *y) {
  AbTensor *zero = ab_full(y->ctx, y->dtype, ab_scalar_shape(), 0);
  return ab_add(y, ab_equal(y, zero));
}

static AbTensor *kept_of(AbTensor *z, const AbTensor *y) {
  return y->ints[1] ? z : ab_with_axes(z, y->inputs[0], (uint32_t)y->ints[0]);
}

/* ---- variance -------------------------------------------------------------------------------- */

/* g, of the reduced shape, times (x - mean) / (n - c) */
static void spread(AbTensor *y, AbTensor *g, double scale) {
  AbTensor *x = y->inputs[0];
  uint32_t axes = (uint32_t)y->ints[0];
  AbTensor *mean = x->ctx->differentiable ? ab_mean_axes(x, axes, true) : y->saved[0];
  double degrees = (double)ab_axes_count(x, axes) - y->reals[0];
  g = kept_of(ab_affine(g, scale / degrees, 0), y);
  ab_accumulate(y, 0, ab_mul(ab_sub(x, mean), g));
}

static void variance_backward(AbTensor *y, AbTensor *g) {
  spread(y, g, 2);
}
static const AbOp variance_op = {"variance", variance_backward};

static void deviation_backward(AbTensor *y, AbTensor *g) {
  spread(y, ab_div(g, not_zero(y)), 1);
}
static const AbOp deviation_op = {"std", deviation_backward};

static AbTensor *spread_of(const AbOp *op, AbTensor *x, uint32_t axes, double correction,
                           bool keep) {
  if (!ab_is_real(x, op->name) || !ab_axes_fit(op->name, x, axes)) return NULL;
  if (!(correction >= 0) || !((double)ab_axes_count(x, axes) > correction)) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG,
             "%s of %lld numbers (of %s) with a correction of %g: nothing is left to divide by",
             op->name, (long long)ab_axes_count(x, axes), ab_tensor_text(x, text, sizeof text),
             correction);
    return NULL;
  }
  AbTensor *y = ab_reduced_new(x, x->dtype, axes, keep);
  AbTensor *mean = ab_reduced_new(x, x->dtype, axes, true);
  if (!y || !mean) return NULL;
  if (x->storage && ab_tensor_count(y) > 0) {
    AbExtent extent;
    AbTensor *moved = ab_together(x, axes, &extent);
    if (!moved) return NULL;
    x->ctx->device->reductions->variance(x->dtype, correction, extent, ab_data_of(y),
                                         ab_data_of(mean), ab_data_of(moved));
    if (op == &deviation_op)
      x->ctx->device->unary(K_SQRT, y->dtype, ab_tensor_count(y), ab_data_of(y), ab_data_of(y));
  }
  y->ints[0] = axes;
  y->ints[1] = keep;
  y->reals[0] = correction;
  ab_record(y, op, &x, 1);
  ab_save(y, 0, mean);
  return y;
}

AbTensor *ab_variance(AbTensor *x, uint32_t axes, double correction, bool keep) {
  return spread_of(&variance_op, x, axes, correction, keep);
}

AbTensor *ab_std(AbTensor *x, uint32_t axes, double correction, bool keep) {
  return spread_of(&deviation_op, x, axes, correction, keep);
}

/* ---- norms ----------------------------------------------------------------------------------- */

static void norm_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  double p = y->reals[0];
  if (p == 1) {
    ab_accumulate(y, 0, ab_mul(ab_sign(x), kept_of(g, y)));
  } else if (p == 2) {
    ab_accumulate(y, 0, ab_mul(x, kept_of(ab_div(g, not_zero(y)), y)));
  } else {
    AbTensor *part = ab_div(ab_abs(x), kept_of(not_zero(y), y)); /* in [0, 1] */
    AbTensor *power = ab_exp(ab_affine(ab_log(part), p - 1, 0));
    ab_accumulate(y, 0, ab_mul(ab_mul(ab_sign(x), power), kept_of(g, y)));
  }
}
static const AbOp norm_op = {"norm", norm_backward};

AbTensor *ab_norm(AbTensor *x, double p, uint32_t axes, bool keep) {
  if (!ab_is_real(x, "norm") || !ab_axes_fit("norm", x, axes)) return NULL;
  if (!(p >= 1)) {
    ab_error(x->ctx, AB_CONFIG, "norm wants p of at least 1, not %g", p);
    return NULL;
  }
  if (isinf(p) && ab_axes_count(x, axes) > 0) return ab_max_axes(ab_abs(x), axes, keep);
  AbTensor *y = ab_reduced_new(x, x->dtype, axes, keep);
  if (!y) return NULL;
  if (x->storage && ab_tensor_count(x) > 0) {
    AbExtent extent;
    AbTensor *moved = ab_together(x, axes, &extent);
    if (!moved) return NULL;
    x->ctx->device->reductions->norm(x->dtype, p, extent, ab_data_of(y), ab_data_of(moved));
  } else if (x->storage) {
    x->ctx->device->fill(y->dtype, ab_tensor_count(y), ab_data_of(y), 0);
  }
  y->ints[0] = axes;
  y->ints[1] = keep;
  y->reals[0] = p;
  return ab_record(y, &norm_op, &x, 1);
}
