/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation by channels: batch (Ioffe & Szegedy 2015), instance (Ulyanov, Vedaldi, Lempitsky
 * 2016) and group normalisation (Wu & He 2018). One kernel does them all: device/normalization.h.
 */
#include "norms.h"

/* How x is cut; kept in ints[] and reals[] of the result. */
typedef struct {
  const AbOp *op;
  bool batch; /* one image, of all rows; else each image has statistics of its own */
  bool given;
  int64_t groups;
  double epsilon;
  AbNormActivation activation;
} Form;

static int64_t spatial(const AbTensor *x) {
  int64_t count = 1;
  for (int32_t i = 2; i < x->rank; i++) count *= x->shape[i];
  return count;
}

static AbChannelNorm norm_of(const AbTensor *x, const Form *form) {
  return (AbChannelNorm){.images = form->batch ? 1 : x->shape[0],
                         .rows = form->batch ? x->shape[0] * spatial(x) : spatial(x),
                         .channels = x->shape[1],
                         .groups = form->groups,
                         .epsilon = form->epsilon,
                         .activation = form->activation,
                         .given = form->given};
}

static void keep(AbTensor *y, const Form *form) {
  y->ints[0] = form->batch;
  y->ints[1] = form->given;
  y->ints[2] = form->groups;
  y->ints[3] = form->activation;
  y->reals[0] = form->epsilon;
}

static Form form_of(const AbTensor *y) {
  return (Form){y->op, y->ints[0], y->ints[1], y->ints[2], y->reals[0], y->ints[3]};
}

/* ---- backward -------------------------------------------------------------------------------- */

/* [c] so that it stretches over x [n, c, spatial ...] */
static AbTensor *along_channels(AbTensor *v, const AbTensor *x) {
  AbShape shape = {.rank = x->rank - 1};
  for (int32_t i = 0; i < shape.rank; i++) shape.dims[i] = i == 0 ? x->shape[1] : 1;
  return ab_reshape(v, shape);
}

static AbTensor *plain(AbTensor *y, AbTensor *x, const Form *form) {
  if (form->given) {
    AbTensor *mean = along_channels(ab_cast(y->saved[0], x->dtype), x);
    AbTensor *variance = along_channels(ab_cast(y->saved[1], x->dtype), x);
    return ab_div(ab_sub(x, mean), ab_sqrt(ab_affine(variance, 1, form->epsilon)));
  }
  uint32_t batch = ((1u << x->rank) - 1) & ~2u;
  if (form->batch) return ab_norm_plain(x, batch, true, form->epsilon);
  AbShape shape = AB_SHAPE(x->shape[0], form->groups, x->shape[1] / form->groups * spatial(x));
  return ab_reshape(ab_norm_plain(ab_reshape(x, shape), 4, true, form->epsilon), ab_shape(x));
}

/* Repeats y in operations and passes g through them. */
static void again(AbTensor *y, AbTensor *g, const Form *form) {
  static const AbActivation activations[] = {
      [K_NORM_IDENTITY] = AB_IDENTITY, [K_NORM_RELU] = AB_RELU, [K_NORM_RELU6] = AB_RELU6};
  uint64_t first = y->ctx->next_id;
  AbTensor *x = y->inputs[0], *gain = ab_norm_gain(y), *bias = ab_norm_bias(y);
  AbTensor *z = plain(y, x, form);
  if (gain != AB_NONE) z = ab_mul(z, along_channels(gain, x));
  if (bias != AB_NONE) z = ab_add(z, along_channels(bias, x));
  ab_backward_from(ab_activate(activations[form->activation], z), g, first);
}

static void fill_zero(AbTensor *x) {
  if (x) x->ctx->device->fill(x->dtype, ab_tensor_count(x), ab_data_of(x), 0);
}

static void backward(AbTensor *y, AbTensor *g) {
  Form form = form_of(y);
  AbTensor *x = y->inputs[0], *gain = ab_norm_gain(y), *bias = ab_norm_bias(y);
  if (y->ctx->differentiable && ab_tensor_count(x) > 0) {
    again(y, g, &form);
    return;
  }
  AbChannelNorm norm = norm_of(x, &form);
  const AbNormalizationKernels *kernels = x->ctx->device->normalization;
  g = ab_channels_last(g);
  AbTensor *dx = ab_wants(y, 0) ? ab_tensor_like(x, x->dtype, false) : NULL;
  AbTensor *dgain = gain == AB_NONE ? NULL : ab_norm_target(y, 1);
  AbTensor *dbias = bias == AB_NONE ? NULL : ab_norm_target(y, y->input_count - 1);
  if (ab_tensor_count(x) == 0) {
    fill_zero(dgain);
    fill_zero(dbias);
  } else {
    AbTensor *work = ab_norm_doubles(x->ctx, kernels->channels_work(&norm), false);
    if (!g || !work || !ab_ok(y->ctx)) return;
    kernels->channels_grad(x->dtype, &norm, ab_norm_data(dx), ab_norm_data(dgain),
                           ab_norm_data(dbias), ab_data_of(g), ab_data_of(y->saved[0]),
                           ab_data_of(y->saved[1]), ab_data_of(x), ab_norm_data(gain),
                           ab_norm_data(bias), ab_data_of(work));
  }
  ab_accumulate(y, 0, dx);
  if (dgain) ab_accumulate(y, 1, dgain);
  if (dbias) ab_accumulate(y, y->input_count - 1, dbias);
}
static const AbOp batch_op = {"batch_norm", backward};
static const AbOp instance_op = {"instance_norm", backward};
static const AbOp group_op = {"group_norm", backward};

/* ---- forward --------------------------------------------------------------------------------- */

/* mean and variance: given, or to be filled. x, gain and bias fit. */
static AbTensor *normalized(const Form *form, AbTensor *x, AbTensor *gain, AbTensor *bias,
                            AbTensor *mean, AbTensor *variance) {
  x = ab_channels_last(x);
  if (gain != AB_NONE) gain = ab_dense(gain);
  if (bias != AB_NONE) bias = ab_dense(bias);
  if (!x || !gain || !bias || !mean || !variance) return NULL;
  AbChannelNorm norm = norm_of(x, form);
  bool shape_only =
      !x->storage || !mean->storage || ab_is_shape_only(gain) || ab_is_shape_only(bias);
  AbTensor *y = ab_channels_last_new(x->ctx, x->dtype, x->rank, x->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(x) > 0) {
    const AbNormalizationKernels *kernels = x->ctx->device->normalization;
    AbTensor *work = ab_norm_doubles(x->ctx, kernels->channels_work(&norm), false);
    if (!work) return NULL;
    kernels->channels(x->dtype, &norm, ab_data_of(y), ab_data_of(mean), ab_data_of(variance),
                      ab_data_of(x), ab_norm_data(gain), ab_norm_data(bias), ab_data_of(work));
    ab_drop(work);
  }
  keep(y, form);
  y->ints[AB_NORM_HAS] =
      (gain == AB_NONE ? 0 : AB_NORM_HAS_GAIN) | (bias == AB_NONE ? 0 : AB_NORM_HAS_BIAS);
  AbNormInputs inputs = ab_norm_inputs(x, gain, bias);
  if (!ab_record(y, form->op, inputs.list, inputs.count)) return NULL;
  ab_save(y, 0, mean);
  ab_save(y, 1, variance);
  return y;
}

static bool image_fits(const char *operation, const AbTensor *x, int32_t least_rank) {
  if (!ab_is_real(x, operation)) return false;
  if (x->rank >= least_rank && x->rank <= 5) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s: x of %s; wanted is %s with at most three spatial axes",
           operation, ab_tensor_text(x, text, sizeof text),
           least_rank == 2 ? "[n, c] or [n, c, spatial ...]" : "[n, c, spatial ...]");
  return false;
}

/* One number has no spread. */
static bool enough(const char *operation, const AbTensor *x, int64_t values) {
  if (values > 1 || ab_tensor_count(x) == 0) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG,
           "%s: x of %s has one value for each mean and variance; wanted are more than one",
           operation, ab_tensor_text(x, text, sizeof text));
  return false;
}

/* ---- batch normalisation --------------------------------------------------------------------- */

static bool running_fits(const AbTensor *x, const AbTensor *mean, const AbTensor *variance) {
  if (!mean || !variance) return false;
  if (mean == AB_NONE && variance == AB_NONE) return true;
  if (!ab_belong_together("batch_norm", x, mean) || !ab_belong_together("batch_norm", x, variance))
    return false;
  if (!ab_is_real(mean, "batch_norm") || !ab_is_real(variance, "batch_norm")) return false;
  if (mean->rank == 1 && mean->shape[0] == x->shape[1] && ab_same_shape(mean, variance))
    return true;
  char a[220], b[220], c[220];
  ab_error(x->ctx, AB_CONFIG,
           "batch_norm: x of %s with a running mean of %s and a running variance of %s; wanted is "
           "a number of each for each channel",
           ab_tensor_text(x, a, sizeof a), ab_tensor_text(mean, b, sizeof b),
           ab_tensor_text(variance, c, sizeof c));
  return false;
}

/* running := (1 - momentum) running + momentum factor value */
static void follow(AbTensor *running, AbTensor *value, double momentum, double factor) {
  AbTensor *old = ab_affine(ab_cast(running, AB_F64), 1 - momentum, 0);
  ab_assign(running, ab_add(old, ab_affine(value, momentum * factor, 0)));
}

static void follow_both(AbTensor *x, AbTensor *running_mean, AbTensor *running_variance,
                        AbTensor *mean, AbTensor *variance, double momentum) {
  double count = (double)(x->shape[0] * spatial(x));
  bool recording = ab_set_recording(x->ctx, false);
  follow(running_mean, mean, momentum, 1);
  follow(running_variance, variance, momentum, count / (count - 1));
  ab_set_recording(x->ctx, recording);
}

/* A copy: assignments after this do not reach it. */
static AbTensor *copied(AbTensor *running) {
  bool recording = ab_set_recording(running->ctx, false);
  AbTensor *copy = ab_affine(ab_cast(running, AB_F64), 1, 0);
  ab_set_recording(running->ctx, recording);
  return copy;
}

static bool batch_fits(const AbTensor *x, const AbTensor *gain, const AbTensor *bias,
                       const AbTensor *mean, const AbTensor *variance, double momentum,
                       double epsilon) {
  if (!image_fits("batch_norm", x, 2) ||
      !ab_norm_affine("batch_norm", x, gain, bias, AB_SHAPE(x->shape[1])) ||
      !running_fits(x, mean, variance) || !ab_norm_epsilon("batch_norm", x, epsilon))
    return false;
  if (momentum >= 0 && momentum <= 1) return true;
  ab_error(x->ctx, AB_CONFIG, "batch_norm: a momentum of %g; wanted is one from 0 to 1", momentum);
  return false;
}

static AbTensor *by_batch(Form *form, AbTensor *x, AbTensor *gain, AbTensor *bias,
                          AbTensor *running_mean, AbTensor *running_variance, double momentum) {
  bool follows = running_mean != AB_NONE, training = ab_training(x->ctx);
  form->given = follows && !training;
  if (form->given)
    return normalized(form, x, gain, bias, copied(running_mean), copied(running_variance));
  if (!enough("batch_norm", x, x->shape[0] * spatial(x))) return NULL;
  AbTensor *mean = ab_norm_doubles(x->ctx, x->shape[1], !x->storage);
  AbTensor *variance = ab_norm_doubles(x->ctx, x->shape[1], !x->storage);
  AbTensor *y = normalized(form, x, gain, bias, mean, variance);
  if (y && y->storage && follows && ab_tensor_count(x) > 0)
    follow_both(x, running_mean, running_variance, mean, variance, momentum);
  return y;
}

AbTensor *ab_batch_norm(AbTensor *x, AbTensor *gain, AbTensor *bias, AbTensor *running_mean,
                        AbTensor *running_variance, double momentum, double epsilon,
                        AbActivation activation) {
  if (!batch_fits(x, gain, bias, running_mean, running_variance, momentum, epsilon)) return NULL;
  bool fused = activation == AB_RELU || activation == AB_RELU6;
  Form form = {.op = &batch_op, .batch = true, .groups = x->shape[1], .epsilon = epsilon};
  if (fused) form.activation = activation == AB_RELU ? K_NORM_RELU : K_NORM_RELU6;
  AbTensor *y = by_batch(&form, x, gain, bias, running_mean, running_variance, momentum);
  return fused ? y : ab_activate(activation, y);
}

/* ---- each image on its own ------------------------------------------------------------------- */

static AbTensor *by_image(const AbOp *op, AbTensor *x, int64_t groups, AbTensor *gain,
                          AbTensor *bias, double epsilon) {
  if (!ab_norm_affine(op->name, x, gain, bias, AB_SHAPE(x->shape[1])) ||
      !ab_norm_epsilon(op->name, x, epsilon) ||
      !enough(op->name, x, groups > 0 ? x->shape[1] / groups * spatial(x) : 0))
    return NULL;
  Form form = {.op = op, .groups = groups, .epsilon = epsilon};
  int64_t count = x->shape[0] * groups;
  return normalized(&form, x, gain, bias, ab_norm_doubles(x->ctx, count, !x->storage),
                    ab_norm_doubles(x->ctx, count, !x->storage));
}

AbTensor *ab_instance_norm(AbTensor *x, AbTensor *gain, AbTensor *bias, double epsilon) {
  if (!image_fits("instance_norm", x, 3)) return NULL;
  return by_image(&instance_op, x, x->shape[1], gain, bias, epsilon);
}

AbTensor *ab_group_norm(AbTensor *x, int64_t groups, AbTensor *gain, AbTensor *bias,
                        double epsilon) {
  if (!image_fits("group_norm", x, 2)) return NULL;
  if (groups < 1 || x->shape[1] % groups != 0) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG,
             "group_norm: %lld groups of the channels of %s; wanted is a divisor",
             (long long)groups, ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  return by_image(&group_op, x, groups, gain, bias, epsilon);
}
