/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation by rows, and what the forms of normalisation share. The rules call kernels; where
 * their gradient is to be differentiated again they repeat the forward pass in operations and
 * differentiate that. */
#include "norms.h"
#include <math.h>

/* ---- shared ---------------------------------------------------------------------------------- */

bool ab_norm_epsilon(const char *operation, const AbTensor *x, double epsilon) {
  if (epsilon > 0 && isfinite(epsilon)) return true;
  ab_error(x->ctx, AB_CONFIG, "%s: an epsilon of %g; wanted is one above 0", operation, epsilon);
  return false;
}

static bool affine_fits(const AbTensor *x, const AbTensor *v, AbShape wanted) {
  if (v == AB_NONE) return true;
  if (v->dtype != x->dtype || v->rank != wanted.rank) return false;
  for (int32_t i = 0; i < wanted.rank; i++)
    if (v->shape[i] != wanted.dims[i]) return false;
  return true;
}

bool ab_norm_affine(const char *operation, const AbTensor *x, const AbTensor *gain,
                    const AbTensor *bias, AbShape wanted) {
  if (!gain || !bias) return false;
  if ((gain != AB_NONE && !ab_belong_together(operation, x, gain)) ||
      (bias != AB_NONE && !ab_belong_together(operation, x, bias)))
    return false;
  if (affine_fits(x, gain, wanted) && affine_fits(x, bias, wanted)) return true;
  char text[220], gains[220] = "none", biases[220] = "none", shape[220];
  if (gain != AB_NONE) ab_tensor_text(gain, gains, sizeof gains);
  if (bias != AB_NONE) ab_tensor_text(bias, biases, sizeof biases);
  ab_error(x->ctx, AB_CONFIG,
           "%s: x of %s, gain of %s and bias of %s do not fit; wanted are gain and bias of %s in "
           "the type of x",
           operation, ab_tensor_text(x, text, sizeof text), gains, biases,
           ab_shape_text(wanted, shape, sizeof shape));
  return false;
}

AbTensor *ab_norm_doubles(AbContext *ctx, int64_t count, bool shape_only) {
  return ab_tensor_new(ctx, AB_F64, 1, (int64_t[]){count > 0 ? count : 1}, shape_only);
}

AbTensor *ab_norm_target(AbTensor *y, int32_t i) {
  if (i >= y->input_count || !ab_wants(y, i)) return NULL;
  const AbTensor *x = y->inputs[i];
  return ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, false);
}

void *ab_norm_data(AbTensor *x) {
  return x && x != AB_NONE ? ab_data_of(x) : NULL;
}

AbTensor *ab_norm_plain(AbTensor *x, uint32_t axes, bool centred, double epsilon) {
  AbTensor *distance = centred ? ab_sub(x, ab_mean_axes(x, axes, true)) : x;
  AbTensor *variance = ab_mean_axes(ab_square(distance), axes, true);
  return ab_div(distance, ab_sqrt(ab_affine(variance, 1, epsilon)));
}

AbNormInputs ab_norm_inputs(AbTensor *x, AbTensor *gain, AbTensor *bias) {
  AbNormInputs inputs = {{x}, 1};
  if (gain != AB_NONE) inputs.list[inputs.count++] = gain;
  if (bias != AB_NONE) inputs.list[inputs.count++] = bias;
  return inputs;
}

AbTensor *ab_norm_gain(AbTensor *y) {
  return y->ints[AB_NORM_HAS] & AB_NORM_HAS_GAIN ? y->inputs[1] : AB_NONE;
}

AbTensor *ab_norm_bias(AbTensor *y) {
  return y->ints[AB_NORM_HAS] & AB_NORM_HAS_BIAS ? y->inputs[y->input_count - 1] : AB_NONE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* ints: the axes, whether centred; reals: epsilon; saved: mean and variance. */
static AbRowNorm norm_of(const AbTensor *x, int64_t axes, bool centred, double epsilon) {
  AbRowNorm norm = {.rows = 1, .cols = 1, .epsilon = epsilon, .centred = centred};
  for (int32_t i = 0; i < x->rank; i++)
    *(i < x->rank - axes ? &norm.rows : &norm.cols) *= x->shape[i];
  return norm;
}

/* Repeats y in operations and passes g through them. */
static void rows_again(AbTensor *y, AbTensor *g) {
  AbContext *ctx = y->ctx;
  uint64_t first = ctx->next_id;
  AbTensor *x = y->inputs[0], *gain = ab_norm_gain(y), *bias = ab_norm_bias(y);
  uint32_t axes = ((1u << y->ints[0]) - 1) << (x->rank - y->ints[0]);
  AbTensor *z = ab_norm_plain(x, axes, y->ints[1], y->reals[0]);
  if (gain != AB_NONE) z = ab_mul(z, gain);
  if (bias != AB_NONE) z = ab_add(z, bias);
  ab_backward_from(z, g, first);
}

static void rows_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *gain = ab_norm_gain(y), *bias = ab_norm_bias(y);
  if (y->ctx->differentiable) {
    rows_again(y, g);
    return;
  }
  AbRowNorm norm = norm_of(x, y->ints[0], y->ints[1], y->reals[0]);
  const AbNormalizationKernels *kernels = x->ctx->device->normalization;
  g = ab_dense(g);
  AbTensor *work = ab_norm_doubles(x->ctx, kernels->rows_work(&norm), false);
  AbTensor *dx = ab_norm_target(y, 0);
  AbTensor *dgain = gain == AB_NONE ? NULL : ab_norm_target(y, 1);
  AbTensor *dbias = bias == AB_NONE ? NULL : ab_norm_target(y, y->input_count - 1);
  if (!g || !work || !ab_ok(y->ctx)) return;
  kernels->rows_grad(x->dtype, &norm, ab_norm_data(dx), ab_norm_data(dgain), ab_norm_data(dbias),
                     ab_data_of(g), ab_data_of(y->saved[0]), ab_data_of(y->saved[1]), ab_data_of(x),
                     ab_norm_data(gain), ab_data_of(work));
  ab_accumulate(y, 0, dx);
  if (dgain) ab_accumulate(y, 1, dgain);
  if (dbias) ab_accumulate(y, y->input_count - 1, dbias);
}
static const AbOp layer_op = {"layer_norm", rows_backward};
static const AbOp rms_op = {"rms_norm", rows_backward};

static bool rows_fit(const char *operation, const AbTensor *x, int32_t axes, AbShape *wanted) {
  bool fits = axes >= 1 && axes <= x->rank;
  *wanted = (AbShape){.rank = fits ? axes : 0};
  for (int32_t i = 0; fits && i < axes; i++) {
    wanted->dims[i] = x->shape[x->rank - axes + i];
    if (wanted->dims[i] < 1) fits = false;
  }
  if (fits) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG,
           "%s: over the last %d axes of %s; wanted is 1 to its rank, with something on each",
           operation, axes, ab_tensor_text(x, text, sizeof text));
  return false;
}

static AbTensor *by_rows(const AbOp *op, AbTensor *x, int32_t axes, AbTensor *gain, AbTensor *bias,
                         double epsilon) {
  AbShape wanted;
  if (!ab_is_real(x, op->name) || !rows_fit(op->name, x, axes, &wanted) ||
      !ab_norm_affine(op->name, x, gain, bias, wanted) || !ab_norm_epsilon(op->name, x, epsilon))
    return NULL;
  x = ab_dense(x);
  if (gain != AB_NONE) gain = ab_dense(gain);
  if (bias != AB_NONE) bias = ab_dense(bias);
  if (!x || !gain || !bias) return NULL;
  AbRowNorm norm = norm_of(x, axes, op == &layer_op, epsilon);
  bool shape_only = !x->storage || ab_is_shape_only(gain) || ab_is_shape_only(bias);
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, shape_only);
  AbTensor *mean = ab_norm_doubles(x->ctx, norm.rows, shape_only);
  AbTensor *variance = ab_norm_doubles(x->ctx, norm.rows, shape_only);
  if (!y || !mean || !variance) return NULL;
  if (!shape_only)
    x->ctx->device->normalization->rows(x->dtype, &norm, ab_data_of(y), ab_data_of(mean),
                                        ab_data_of(variance), ab_data_of(x), ab_norm_data(gain),
                                        ab_norm_data(bias));
  y->ints[0] = axes;
  y->ints[1] = norm.centred;
  y->ints[AB_NORM_HAS] =
      (gain == AB_NONE ? 0 : AB_NORM_HAS_GAIN) | (bias == AB_NONE ? 0 : AB_NORM_HAS_BIAS);
  y->reals[0] = epsilon;
  AbNormInputs inputs = ab_norm_inputs(x, gain, bias);
  if (!ab_record(y, op, inputs.list, inputs.count)) return NULL;
  ab_save(y, 0, mean);
  ab_save(y, 1, variance);
  return y;
}

AbTensor *ab_layer_norm(AbTensor *x, int32_t axes, AbTensor *gain, AbTensor *bias, double epsilon) {
  return by_rows(&layer_op, x, axes, gain, bias, epsilon);
}

AbTensor *ab_rms_norm(AbTensor *x, int32_t axes, AbTensor *gain, double epsilon) {
  return by_rows(&rms_op, x, axes, gain, AB_NONE, epsilon);
}
