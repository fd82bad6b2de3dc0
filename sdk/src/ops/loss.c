/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of classes. */
#include "../device/losses.h"
#include "../internal.h"
#include <stdio.h>

/* ---- labels ---------------------------------------------------------------------------------- */

static bool labels_fit(AbContext *ctx, const char *operation, const AbTensor *labels,
                       int64_t classes) {
  const int64_t *label = ab_data_of(labels);
  for (int64_t i = 0; i < labels->shape[0]; i++) {
    if (label[i] >= 0 && label[i] < classes) continue;
    ab_error(ctx, AB_DATA, "%s: label %lld of row %lld of the batch is not within 0 to %lld",
             operation, (long long)label[i], (long long)i, (long long)classes - 1);
    return false;
  }
  return true;
}

/* Labels as a dense AB_I64 tensor of rank 1, their values checked. */
static AbTensor *labels_of(const char *operation, AbTensor *labels, int64_t rows, int64_t classes) {
  if (!labels || labels == AB_NONE) return NULL;
  bool integer = labels->dtype == AB_I64 || labels->dtype == AB_I32 || labels->dtype == AB_U8;
  if (!integer || labels->rank != 1 || (rows >= 0 && labels->shape[0] != rows)) {
    char text[220], wanted[40] = "n";
    if (rows >= 0) snprintf(wanted, sizeof wanted, "%lld", (long long)rows);
    ab_error(labels->ctx, AB_CONFIG, "%s wants integer labels [%s], one per row, not %s", operation,
             wanted, ab_tensor_text(labels, text, sizeof text));
    return NULL;
  }
  labels = ab_cast(labels, AB_I64);
  if (!labels || !labels->storage) return labels;
  return labels_fit(labels->ctx, operation, labels, classes) ? labels : NULL;
}

AbTensor *ab_one_hot(AbTensor *labels, int64_t classes) {
  if (!(labels = labels_of("one_hot", labels, -1, classes))) return NULL;
  AbContext *ctx = labels->ctx;
  int64_t rows = labels->shape[0];
  if (!labels->storage) return ab_tensor_new(ctx, ctx->real, 2, (int64_t[]){rows, classes}, true);
  AbTensor *y = ab_full(ctx, ctx->real, AB_SHAPE(rows, classes), 0);
  const int64_t *label = ab_map(labels, false);
  void *to = ab_map(y, true);
  if (!label || !to) return NULL;
  for (int64_t i = 0; i < rows; i++) {
    if (ctx->real == AB_F32)
      ((float *)to)[i * classes + label[i]] = 1;
    else
      ((double *)to)[i * classes + label[i]] = 1;
  }
  ab_unmap(labels);
  ab_unmap(y);
  return y;
}

/* Logits as dense rows of at least one class. */
static AbTensor *classes_of(const char *operation, AbTensor *logits) {
  char text[220];
  if (!ab_is_real(logits, operation)) return NULL;
  if (logits->rank == 2 && logits->shape[1] >= 1) return ab_dense(logits);
  ab_error(logits->ctx, AB_CONFIG, "%s wants logits [n, classes], not %s", operation,
           ab_tensor_text(logits, text, sizeof text));
  return NULL;
}

/* ---- cross-entropy of labels --------------------------------------------------------------------
 *   l = sum_c t_c (log sum_j exp(z_j) - z_c);   dl/dz = softmax(z) sum_c t_c - t
 * saved: labels, weights or NULL, the parts of log sum exp; reals[0]: smoothing                  */

/* t [n, classes] as a tensor, for a gradient that is differentiated in turn. */
static AbTensor *targets_of(const AbTensor *y) {
  const AbTensor *z = y->inputs[0];
  double smoothing = y->reals[0], classes = (double)z->shape[1];
  AbTensor *hot = ab_cast(ab_one_hot(y->saved[0], z->shape[1]), z->dtype);
  AbTensor *t = ab_affine(hot, 1 - smoothing, smoothing / classes);
  return y->saved[1] ? ab_mul(t, y->saved[1]) : t;
}

/* g (softmax(z) sum_c t_c - t), recorded */
static AbTensor *soft_slope(AbTensor *g, AbTensor *z, AbTensor *t) {
  AbTensor *wide = ab_reshape(g, AB_SHAPE(z->shape[0], 1));
  AbTensor *expected = ab_mul(ab_softmax(z), ab_sum_axes(t, 2, true));
  return ab_mul(wide, ab_sub(expected, t));
}

static void cross_entropy_backward(AbTensor *y, AbTensor *g) {
  AbTensor *z = y->inputs[0];
  if (y->ctx->differentiable) {
    ab_accumulate(y, 0, soft_slope(g, z, targets_of(y)));
    return;
  }
  AbTensor *dz = ab_tensor_new(y->ctx, z->dtype, 2, z->shape, false);
  if (!(g = ab_dense(g)) || !dz) return;
  y->ctx->device->losses->cross_entropy_grad(
      z->dtype, z->shape[0], z->shape[1], ab_data_of(dz), ab_data_of(g), ab_data_of(y->saved[2]),
      ab_data_of(z), ab_data_of(y->saved[0]), y->saved[1] ? ab_data_of(y->saved[1]) : NULL,
      y->reals[0]);
  ab_accumulate(y, 0, dz);
}
static const AbOp cross_entropy_op = {"cross_entropy", cross_entropy_backward};

/* Weights of the classes, dense; NULL after an error. */
static AbTensor *weights_of(AbTensor *weights, const AbTensor *logits) {
  char text[220];
  if (!ab_fit("cross_entropy", logits, weights)) return NULL;
  if (weights->rank == 1 && weights->shape[0] == logits->shape[1])
    return ab_dense(ab_detach(weights));
  ab_error(logits->ctx, AB_CONFIG, "cross_entropy wants a weight for each of %lld classes, not %s",
           (long long)logits->shape[1], ab_tensor_text(weights, text, sizeof text));
  return NULL;
}

AbTensor *ab_cross_entropy_weighted(AbTensor *logits, AbTensor *labels, AbTensor *weights,
                                    double smoothing) {
  if (!weights || !ab_belong_together("cross_entropy", logits, labels) ||
      !(logits = classes_of("cross_entropy", logits)) ||
      !(labels = labels_of("cross_entropy", labels, logits->shape[0], logits->shape[1])))
    return NULL;
  if (weights != AB_NONE && !(weights = weights_of(weights, logits))) return NULL;
  AbContext *ctx = logits->ctx;
  if (!(smoothing >= 0 && smoothing <= 1)) {
    ab_error(ctx, AB_CONFIG, "cross_entropy: smoothing must be 0 to 1, not %g", smoothing);
    return NULL;
  }
  bool weighted = weights != AB_NONE;
  bool shape_only = !logits->storage || !labels->storage || (weighted && !weights->storage);
  int64_t rows = logits->shape[0], cols = logits->shape[1];
  AbTensor *y = ab_tensor_new(ctx, logits->dtype, 1, &rows, shape_only);
  AbTensor *norm = ab_tensor_new(ctx, logits->dtype, 2, (int64_t[]){rows, 2}, shape_only);
  if (!y || !norm) return NULL;
  if (!shape_only)
    ctx->device->losses->cross_entropy(y->dtype, rows, cols, ab_data_of(y), ab_data_of(norm),
                                       ab_data_of(logits), ab_data_of(labels),
                                       weighted ? ab_data_of(weights) : NULL, smoothing);
  y->reals[0] = smoothing;
  ab_record(y, &cross_entropy_op, &logits, 1);
  ab_save(y, 0, labels);
  if (weighted) ab_save(y, 1, weights);
  ab_save(y, 2, norm);
  return y;
}

AbTensor *ab_cross_entropy(AbTensor *logits, AbTensor *labels) {
  return ab_cross_entropy_weighted(logits, labels, AB_NONE, 0);
}

/* ---- cross-entropy of targets --------------------------------------------------------------- */

static void soft_slopes(AbTensor *y, AbTensor *g) {
  AbTensor *z = y->inputs[0], *t = y->inputs[1];
  if (ab_wants(y, 0)) ab_accumulate(y, 0, soft_slope(g, z, t));
  AbTensor *wide = ab_reshape(g, AB_SHAPE(z->shape[0], 1));
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_neg(ab_mul(wide, ab_log_softmax(z))));
}

static void soft_backward(AbTensor *y, AbTensor *g) {
  AbTensor *z = y->inputs[0], *t = y->inputs[1], *slope[2] = {NULL};
  if (y->ctx->differentiable) {
    soft_slopes(y, g);
    return;
  }
  for (int32_t i = 0; i < 2; i++) {
    if (!ab_wants(y, i)) continue;
    if (!(slope[i] = ab_tensor_new(y->ctx, z->dtype, 2, z->shape, false))) return;
  }
  if (!(g = ab_dense(g))) return;
  y->ctx->device->losses->soft_cross_entropy_grad(
      z->dtype, z->shape[0], z->shape[1], slope[0] ? ab_data_of(slope[0]) : NULL,
      slope[1] ? ab_data_of(slope[1]) : NULL, ab_data_of(g), ab_data_of(y->saved[0]), ab_data_of(z),
      ab_data_of(t));
  for (int32_t i = 0; i < 2; i++)
    if (slope[i]) ab_accumulate(y, i, slope[i]);
}
static const AbOp soft_op = {"cross_entropy_soft", soft_backward};

AbTensor *ab_cross_entropy_soft(AbTensor *logits, AbTensor *targets) {
  char a[220], b[220];
  if (!ab_fit("cross_entropy_soft", logits, targets)) return NULL;
  if (!ab_same_shape(logits, targets)) {
    ab_error(logits->ctx, AB_CONFIG, "cross_entropy_soft: logits of %s and targets of %s differ",
             ab_tensor_text(logits, a, sizeof a), ab_tensor_text(targets, b, sizeof b));
    return NULL;
  }
  if (!(logits = classes_of("cross_entropy_soft", logits)) || !(targets = ab_dense(targets)))
    return NULL;
  AbContext *ctx = logits->ctx;
  bool shape_only = !logits->storage || !targets->storage;
  int64_t rows = logits->shape[0], cols = logits->shape[1];
  AbTensor *y = ab_tensor_new(ctx, logits->dtype, 1, &rows, shape_only);
  AbTensor *norm = ab_tensor_new(ctx, logits->dtype, 2, (int64_t[]){rows, 2}, shape_only);
  if (!y || !norm) return NULL;
  if (!shape_only)
    ctx->device->losses->soft_cross_entropy(y->dtype, rows, cols, ab_data_of(y), ab_data_of(norm),
                                            ab_data_of(logits), ab_data_of(targets));
  ab_record(y, &soft_op, (AbTensor *[]){logits, targets}, 2);
  ab_save(y, 0, norm);
  return y;
}

/* ---- negative log-likelihood ---------------------------------------------------------------- */

static void nll_backward(AbTensor *y, AbTensor *g) {
  AbTensor *log_p = y->inputs[0];
  if (y->ctx->differentiable) {
    AbTensor *hot = ab_cast(ab_one_hot(y->saved[0], log_p->shape[1]), log_p->dtype);
    ab_accumulate(y, 0, ab_neg(ab_mul(ab_reshape(g, AB_SHAPE(log_p->shape[0], 1)), hot)));
    return;
  }
  AbTensor *slope = ab_tensor_new(y->ctx, log_p->dtype, 2, log_p->shape, false);
  if (!(g = ab_dense(g)) || !slope) return;
  y->ctx->device->losses->nll_grad(log_p->dtype, log_p->shape[0], log_p->shape[1],
                                   ab_data_of(slope), ab_data_of(g), ab_data_of(y->saved[0]));
  ab_accumulate(y, 0, slope);
}
static const AbOp nll_op = {"nll", nll_backward};

AbTensor *ab_nll(AbTensor *log_p, AbTensor *labels) {
  if (!ab_belong_together("nll", log_p, labels) || !(log_p = classes_of("nll", log_p)) ||
      !(labels = labels_of("nll", labels, log_p->shape[0], log_p->shape[1])))
    return NULL;
  bool shape_only = !log_p->storage || !labels->storage;
  AbTensor *y = ab_tensor_new(log_p->ctx, log_p->dtype, 1, log_p->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only)
    y->ctx->device->losses->nll(y->dtype, log_p->shape[0], log_p->shape[1], ab_data_of(y),
                                ab_data_of(log_p), ab_data_of(labels));
  ab_record(y, &nll_op, &log_p, 1);
  ab_save(y, 0, labels);
  return y;
}
