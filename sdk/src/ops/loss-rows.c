/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of samples: the length of a difference, and the angle between two vectors. */
#include "../device/losses.h"
#include "../internal.h"

#define COSINE_EPSILON 1e-8

/* Two real tensors of one shape with rows of something; dense. */
static bool rows_fit(const char *operation, AbTensor **a, AbTensor **b) {
  char left[220], right[220];
  if (!ab_fit(operation, *a, *b)) return false;
  if (!ab_same_shape(*a, *b)) {
    ab_error((*a)->ctx, AB_CONFIG, "%s: operands of %s and of %s differ in shape", operation,
             ab_tensor_text(*a, left, sizeof left), ab_tensor_text(*b, right, sizeof right));
    return false;
  }
  if ((*a)->rank < 1) {
    ab_error((*a)->ctx, AB_CONFIG, "%s wants an axis to go along, not %s", operation,
             ab_tensor_text(*a, left, sizeof left));
    return false;
  }
  *a = ab_dense(*a);
  *b = ab_dense(*b);
  return *a && *b;
}

/* g [...] to the shape [..., 1, ...] that stretches over `like`. */
static AbTensor *widened(AbTensor *g, const AbTensor *like, int32_t kept) {
  AbShape shape = ab_shape(like);
  for (int32_t i = kept; i < shape.rank; i++) shape.dims[i] = 1;
  return ab_reshape(g, shape);
}

/* ---- root mean square ------------------------------------------------------------------------ */

/* y is itself recorded, so its own derivative comes in through this rule again. */
static void rms_slopes(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  double cols = (double)(ab_tensor_count(a) / y->shape[0]),
         tiny = a->dtype == AB_F32 ? 1e-30 : 1e-150;
  AbTensor *length = ab_maximum(y, ab_full(y->ctx, y->dtype, ab_scalar_shape(), tiny));
  AbTensor *factor = ab_div(ab_affine(g, 1 / cols, 0), length);
  AbTensor *slope = ab_mul(widened(factor, a, 1), ab_sub(a, b));
  if (ab_wants(y, 0)) ab_accumulate(y, 0, slope);
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_neg(slope));
}

static void rms_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (ab_tensor_count(a) == 0) return;
  if (y->ctx->differentiable) {
    rms_slopes(y, g);
    return;
  }
  AbTensor *slope = ab_tensor_new(y->ctx, a->dtype, a->rank, a->shape, false);
  if (!(g = ab_dense(g)) || !slope) return;
  y->ctx->device->losses->root_mean_square_grad(
      a->dtype, y->shape[0], ab_tensor_count(a) / y->shape[0], ab_data_of(slope), ab_data_of(g),
      ab_data_of(y), ab_data_of(a), ab_data_of(b));
  if (ab_wants(y, 0)) ab_accumulate(y, 0, slope);
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_neg(slope));
}
static const AbOp rms_op = {"root_mean_square", rms_backward};

AbTensor *ab_root_mean_square(AbTensor *a, AbTensor *b) {
  if (!rows_fit("root_mean_square", &a, &b)) return NULL;
  int64_t cols = 1;
  for (int32_t i = 1; i < a->rank; i++) cols *= a->shape[i];
  if (cols == 0) {
    char text[220];
    ab_error(a->ctx, AB_CONFIG, "root_mean_square: there is nothing to average in a sample of %s",
             ab_tensor_text(a, text, sizeof text));
    return NULL;
  }
  bool shape_only = !a->storage || !b->storage;
  AbTensor *y = ab_tensor_new(a->ctx, a->dtype, 1, a->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only)
    y->ctx->device->losses->root_mean_square(a->dtype, a->shape[0], cols, ab_data_of(y),
                                             ab_data_of(a), ab_data_of(b));
  return ab_record(y, &rms_op, (AbTensor *[]){a, b}, 2);
}

/* ---- cosine ---------------------------------------------------------------------------------- */

/* |x| along the last axis, at least epsilon; where it is more: 1. */
static AbTensor *length_of(AbTensor *x, AbTensor **free_length) {
  AbTensor *epsilon = ab_full(x->ctx, x->dtype, ab_scalar_shape(), COSINE_EPSILON);
  AbTensor *squares = ab_sum_axes(ab_square(x), 1u << (x->rank - 1), true);
  AbTensor *length = ab_sqrt(ab_maximum(squares, ab_square(epsilon)));
  *free_length = ab_greater(length, epsilon);
  return length;
}

static void cosine_slopes(AbTensor *y, AbTensor *g) {
  AbTensor *free_length[2];
  AbTensor *length[] = {length_of(y->inputs[0], &free_length[0]),
                        length_of(y->inputs[1], &free_length[1])};
  AbTensor *wide_g = widened(g, y->inputs[0], y->rank);
  AbTensor *wide_y = widened(y, y->inputs[0], y->rank);
  for (int32_t i = 0; i < 2; i++) {
    if (!ab_wants(y, i)) continue;
    AbTensor *toward = ab_div(y->inputs[1 - i], ab_mul(length[0], length[1]));
    AbTensor *shrink = ab_div(ab_mul(wide_y, free_length[i]), ab_square(length[i]));
    ab_accumulate(y, i, ab_mul(wide_g, ab_sub(toward, ab_mul(shrink, y->inputs[i]))));
  }
}

static void cosine_backward(AbTensor *y, AbTensor *g) {
  AbTensor *a = y->inputs[0], *b = y->inputs[1];
  if (y->ctx->differentiable) {
    cosine_slopes(y, g);
    return;
  }
  if (!(g = ab_dense(g))) return;
  for (int32_t i = 0; i < 2; i++) {
    if (!ab_wants(y, i)) continue;
    AbTensor *slope = ab_tensor_new(y->ctx, a->dtype, a->rank, a->shape, false);
    if (!slope) return;
    y->ctx->device->losses->cosine_grad(a->dtype, ab_tensor_count(y), a->shape[a->rank - 1],
                                        COSINE_EPSILON, i == 1, ab_data_of(slope), ab_data_of(g),
                                        ab_data_of(y), ab_data_of(y->saved[0]), ab_data_of(a),
                                        ab_data_of(b));
    ab_accumulate(y, i, slope);
  }
}
static const AbOp cosine_op = {"cosine_similarity", cosine_backward};

AbTensor *ab_cosine_similarity(AbTensor *a, AbTensor *b) {
  if (!rows_fit("cosine_similarity", &a, &b)) return NULL;
  bool shape_only = !a->storage || !b->storage;
  AbTensor *y = ab_tensor_new(a->ctx, a->dtype, a->rank - 1, a->shape, shape_only);
  if (!y) return NULL;
  int64_t rows = ab_tensor_count(y);
  AbTensor *norms = ab_tensor_new(a->ctx, a->dtype, 2, (int64_t[]){rows, 2}, shape_only);
  if (!norms) return NULL;
  if (!shape_only)
    y->ctx->device->losses->cosine(a->dtype, rows, a->shape[a->rank - 1], COSINE_EPSILON,
                                   ab_data_of(y), ab_data_of(norms), ab_data_of(a), ab_data_of(b));
  ab_record(y, &cosine_op, (AbTensor *[]){a, b}, 2);
  ab_save(y, 0, norms);
  return y;
}
