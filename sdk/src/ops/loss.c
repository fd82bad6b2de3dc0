/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses that are fused because that is faster or more accurate. */
#include "../internal.h"
#include <stdio.h>

/* ---- cross-entropy ------------------------------------------------------------------------------
 *   l = log sum_j exp(z_j) - z_label;   dl/dz = softmax(z) - one_hot(label) */

static void cross_entropy_backward(AbTensor *y, AbTensor *g) {
  AbTensor *z = y->inputs[0], *labels = y->saved[0];
  AbContext *ctx = y->ctx;
  int64_t rows = z->shape[0], cols = z->shape[1];
  if (ctx->differentiable) { /* in operations that are recorded in turn */
    AbTensor *wide = ab_reshape(g, AB_SHAPE(rows, 1));
    AbTensor *hot = ab_cast(ab_one_hot(labels, cols), z->dtype);
    ab_accumulate(y, 0, ab_mul(wide, ab_sub(ab_softmax(z), hot)));
    return;
  }
  AbTensor *dz = ab_tensor_new(ctx, z->dtype, 2, z->shape, false);
  if (!(g = ab_dense(g)) || !dz) return;
  ctx->device->cross_entropy_grad(z->dtype, rows, cols, ab_data_of(dz), ab_data_of(g),
                                  ab_data_of(z), ab_data_of(labels));
  ab_accumulate(y, 0, dz);
}
static const AbOp cross_entropy_op = {"cross_entropy", cross_entropy_backward};

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

AbTensor *ab_cross_entropy(AbTensor *logits, AbTensor *labels) {
  if (!ab_belong_together("cross_entropy", logits, labels) || !ab_is_real(logits, "cross_entropy"))
    return NULL;
  if (logits->rank != 2 || logits->shape[1] < 1) {
    char text[220];
    ab_error(logits->ctx, AB_CONFIG, "cross_entropy wants logits [n, classes], not %s",
             ab_tensor_text(logits, text, sizeof text));
    return NULL;
  }
  if (!(labels = labels_of("cross_entropy", labels, logits->shape[0], logits->shape[1])))
    return NULL;
  if (!(logits = ab_dense(logits))) return NULL;
  bool shape_only = !logits->storage || !labels->storage;
  AbTensor *y = ab_tensor_new(logits->ctx, logits->dtype, 1, logits->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only)
    y->ctx->device->cross_entropy(y->dtype, logits->shape[0], logits->shape[1], ab_data_of(y),
                                  ab_data_of(logits), ab_data_of(labels));
  ab_record(y, &cross_entropy_op, &logits, 1);
  ab_save(y, 0, labels);
  return y;
}

AbTensor *ab_one_hot(AbTensor *labels, int64_t classes) {
  if (!(labels = labels_of("one_hot", labels, -1, classes))) return NULL;
  AbContext *ctx = labels->ctx;
  int64_t rows = labels->shape[0];
  if (!labels->storage) return ab_tensor_new(ctx, ctx->real, 2, (int64_t[]){rows, classes}, true);
  /* compare each label with 0, 1, 2, ...: no kernel of its own is needed */
  AbTensor *numbers = ab_empty(ctx, AB_I64, AB_SHAPE(1, classes));
  int64_t *number = ab_map(numbers, true);
  if (!number) return NULL;
  for (int64_t j = 0; j < classes; j++) number[j] = j;
  ab_unmap(numbers);
  AbTensor *column = ab_reshape(ab_cast(labels, ctx->real), AB_SHAPE(rows, 1));
  return ab_equal(column, ab_cast(numbers, ctx->real));
}

/* ---- binary cross-entropy -------------------------------------------------------------------- */

/* d/dp of -t log p - (1 - t) log(1 - p) = (p - t) / (p (1 - p)), with p kept off the edges */
static void bce_backward(AbTensor *y, AbTensor *g) {
  AbTensor *p = y->inputs[0], *t = y->inputs[1];
  double edge = p->dtype == AB_F32 ? (double)AB_BCE_EDGE_F32 : AB_BCE_EDGE_F64;
  AbTensor *low = ab_full(p->ctx, p->dtype, ab_scalar_shape(), edge);
  AbTensor *high = ab_full(p->ctx, p->dtype, ab_scalar_shape(), 1 - edge);
  AbTensor *q = ab_minimum(ab_maximum(p, low), high);
  if (ab_wants(y, 0)) {
    AbTensor *slope = ab_div(ab_sub(q, t), ab_mul(q, ab_affine(q, -1, 1)));
    ab_accumulate(y, 0, ab_mul(g, slope));
  }
  if (ab_wants(y, 1))
    ab_accumulate(y, 1, ab_mul(g, ab_sub(ab_log(ab_affine(q, -1, 1)), ab_log(q))));
}
static const AbOp bce_op = {"binary_cross_entropy", bce_backward};

/* d/dx of max(x, 0) - x t + log(1 + exp(-|x|)) = sigmoid(x) - t */
static void bce_logits_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *t = y->inputs[1];
  if (ab_wants(y, 0)) ab_accumulate(y, 0, ab_mul(g, ab_sub(ab_sigmoid(x), t)));
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_neg(ab_mul(g, x)));
}
static const AbOp bce_logits_op = {"binary_cross_entropy", bce_logits_backward};

AbTensor *ab_binary_cross_entropy(AbTensor *p, AbTensor *t) {
  if (!ab_belong_together("binary_cross_entropy", p, t)) return NULL;
  if (!ab_is_real(p, "binary_cross_entropy") || !ab_is_real(t, "binary_cross_entropy")) return NULL;
  if (!ab_same_shape(p, t)) {
    char left[220], right[220];
    ab_error(p->ctx, AB_CONFIG, "binary_cross_entropy: p of %s and t of %s differ in shape",
             ab_tensor_text(p, left, sizeof left), ab_tensor_text(t, right, sizeof right));
    return NULL;
  }
  AbTensor *x = ab_sigmoid_argument(p);
  return x ? ab_binary(&bce_logits_op, K_BCE_LOGITS, x, t) : ab_binary(&bce_op, K_BCE, p, t);
}
