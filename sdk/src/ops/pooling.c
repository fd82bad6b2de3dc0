/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling. The sum over windows is linear, and so is its adjoint, which spreads what a window has:
 * each is the gradient of the other. The maximum and the draw of stochastic pooling keep where
 * their results came from, and are a choice at these indices from then on (unpool.c).
 *
 *   stochastic pooling (Zeiler & Fergus 2013), evaluated: sum p_i a_i with p_i = a_i / sum a,
 *   in operations: sum a_i^2 / sum a_i.                                                         */
#include "planes.h"
#include <string.h>

/* ---- sums ------------------------------------------------------------------------------------ */

static void keep_geometry(AbTensor *y, const AbPoolGeometry *at, AbPoolDivisor by) {
  for (int i = 0; i < 3; i++) {
    y->ints[i] = at->size[i];
    y->ints[3 + i] = at->stride[i];
    y->ints[6 + i] = at->padding[i];
    y->ints[9 + i] = at->dilation[i];
  }
  y->ints[12] = at->adaptive;
  y->ints[13] = by;
}

/* The geometry that y keeps, between tensors of shapes `in` and `out`. */
static AbPoolGeometry geometry_of(const AbTensor *y, const AbTensor *in, const AbTensor *out) {
  AbPoolGeometry at = {.n = in->shape[0], .c = in->shape[1], .adaptive = y->ints[12]};
  ab_plane_axes(in, at.in);
  ab_plane_axes(out, at.out);
  for (int i = 0; i < 3; i++) {
    at.size[i] = y->ints[i];
    at.stride[i] = y->ints[3 + i];
    at.padding[i] = y->ints[6 + i];
    at.dilation[i] = y->ints[9 + i];
  }
  return at;
}

static void sum_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0];
  AbPoolGeometry at = geometry_of(y, x, y);
  ab_accumulate(y, 0, ab_pool_spread(g, &at, (AbPoolDivisor)y->ints[13], ab_spatial_shape(x)));
}
static const AbOp sum_op = {"sum_pool", sum_backward};

AbTensor *ab_pool_sum(AbTensor *x, const AbPoolGeometry *at, AbPoolDivisor by, AbShape size) {
  if (!(x = ab_channels_last(x))) return NULL;
  AbTensor *y = ab_planes_new(x, x->dtype, size);
  if (!y) return NULL;
  if (ab_planes_filled(x, y))
    x->ctx->device->pooling->sum(x->dtype, at, by, ab_data_of(y), ab_data_of(x));
  keep_geometry(y, at, by);
  return ab_record(y, &sum_op, &x, 1);
}

static void spread_backward(AbTensor *x, AbTensor *g) {
  AbTensor *y = x->inputs[0];
  AbPoolGeometry at = geometry_of(x, x, y);
  ab_accumulate(x, 0, ab_pool_sum(g, &at, (AbPoolDivisor)x->ints[13], ab_spatial_shape(y)));
}
static const AbOp spread_op = {"average_unpool", spread_backward};

AbTensor *ab_pool_spread(AbTensor *y, const AbPoolGeometry *at, AbPoolDivisor by, AbShape size) {
  if (!(y = ab_channels_last(y))) return NULL;
  AbTensor *x = ab_planes_new(y, y->dtype, size);
  if (!x) return NULL;
  if (ab_planes_filled(x, y))
    y->ctx->device->pooling->spread(y->dtype, at, by, ab_data_of(x), ab_data_of(y));
  keep_geometry(x, at, by);
  return ab_record(x, &spread_op, &y, 1);
}

static AbTensor *summed(const char *operation, AbTensor *x, const AbPool *pool, AbPoolDivisor by) {
  AbPoolGeometry at;
  AbShape size;
  if (!ab_has_planes(operation, x) || !ab_pool_geometry(operation, x, pool, &at, &size))
    return NULL;
  return ab_pool_sum(x, &at, by, size);
}

static AbPoolDivisor divisor(const AbPool *pool) {
  return pool->exclude_padding ? K_POOL_REAL_TAPS : K_POOL_ALL_TAPS;
}

AbTensor *ab_average_pool(AbTensor *x, AbPool pool) {
  return summed("average_pool", x, &pool, divisor(&pool));
}

AbTensor *ab_sum_pool(AbTensor *x, AbPool pool) {
  return summed("sum_pool", x, &pool, K_POOL_SUM);
}

AbTensor *ab_average_unpool(AbTensor *y, AbPool pool, AbShape size) {
  AbPoolGeometry at;
  AbShape pooled;
  if (!ab_has_planes("average_unpool", y) || !ab_plane_size("average_unpool", y, size)) return NULL;
  AbTensor planes = *y;
  for (int32_t i = 0; i < size.rank; i++) planes.shape[i + 2] = size.dims[i];
  if (!ab_pool_geometry("average_unpool", &planes, &pool, &at, &pooled)) return NULL;
  AbShape given = ab_spatial_shape(y);
  if (memcmp(given.dims, pooled.dims, sizeof given.dims) != 0) {
    char a[220], b[220], c[220];
    ab_error(y->ctx, AB_CONFIG, "average_unpool: y of %s; these windows pool planes of %s to %s",
             ab_tensor_text(y, a, sizeof a), ab_shape_text(size, b, sizeof b),
             ab_shape_text(pooled, c, sizeof c));
    return NULL;
  }
  return ab_pool_spread(y, &at, divisor(&pool), size);
}

AbTensor *ab_adaptive_average_pool(AbTensor *x, AbShape size) {
  if (!ab_has_planes("adaptive_average_pool", x) ||
      !ab_plane_size("adaptive_average_pool", x, size))
    return NULL;
  AbPoolGeometry at = {.n = x->shape[0], .c = x->shape[1], .out = {1, 1, 1}, .adaptive = true};
  ab_plane_axes(x, at.in);
  for (int32_t i = 0; i < size.rank; i++) at.out[i + 3 - size.rank] = size.dims[i];
  return ab_pool_sum(x, &at, K_POOL_REAL_TAPS, size);
}

/* ---- choices --------------------------------------------------------------------------------- */

static void chosen_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_pool_place(g, y->saved[0], ab_spatial_shape(y->inputs[0])));
}
static const AbOp max_op = {"max_pool", chosen_backward};
static const AbOp stochastic_op = {"stochastic_pool", chosen_backward};

/* One number in [0, 1) for each window. */
static const float *uniforms(AbTensor *like) {
  AbContext *ctx = like->ctx;
  AbTensor *u = ab_tensor_new(ctx, AB_F32, like->rank, like->shape, false);
  if (!u) return NULL;
  AbDraw draw = ab_next_draw(ctx);
  ctx->device->random(K_UNIFORM, AB_F32, ab_tensor_count(u), ab_data_of(u), &draw, 0, 1, NULL);
  return ab_data_of(u);
}

static bool choose(const AbOp *op, const AbPoolGeometry *at, AbTensor *y, AbTensor *index,
                   AbTensor *x) {
  const AbPoolingKernels *kernels = x->ctx->device->pooling;
  const float *uniform = NULL;
  if (op == &stochastic_op && !(uniform = uniforms(y))) return false;
  if (uniform)
    kernels->sample(x->dtype, at, ab_data_of(y), ab_data_of(index), ab_data_of(x), uniform);
  else
    kernels->max(x->dtype, at, ab_data_of(y), ab_data_of(index), ab_data_of(x));
  return true;
}

static AbTensor *chosen(const AbOp *op, AbTensor *x, const AbPool *pool, AbTensor **indices) {
  AbPoolGeometry at;
  AbShape size;
  if (indices) *indices = NULL;
  if (!ab_has_planes(op->name, x) || !ab_plane_indexable(op->name, x, ab_spatial_shape(x)) ||
      !ab_pool_geometry(op->name, x, pool, &at, &size) || !(x = ab_channels_last(x)))
    return NULL;
  AbTensor *y = ab_planes_new(x, x->dtype, size), *index = ab_planes_new(x, AB_I32, size);
  if (!y || !index || (ab_planes_filled(x, y) && !choose(op, &at, y, index, x))) return NULL;
  if (!ab_record(y, op, &x, 1)) return NULL;
  ab_save(y, 0, index);
  if (indices) *indices = index;
  return y;
}

AbTensor *ab_max_pool(AbTensor *x, AbPool pool, AbTensor **indices) {
  return chosen(&max_op, x, &pool, indices);
}

/* Windows of zeros: 0 / 1. */
static AbTensor *mean_by_probability(AbTensor *x, const AbPool *pool) {
  AbTensor *a = ab_relu(x);
  AbTensor *sum = summed("stochastic_pool", a, pool, K_POOL_SUM);
  if (!sum) return NULL;
  AbTensor *zero = ab_full(x->ctx, x->dtype, ab_scalar_shape(), 0);
  AbTensor *squares = summed("stochastic_pool", ab_square(a), pool, K_POOL_SUM);
  return ab_div(squares, ab_add(sum, ab_equal(sum, zero)));
}

AbTensor *ab_stochastic_pool(AbTensor *x, AbPool pool, AbTensor **indices) {
  if (indices) *indices = NULL;
  if (!ab_has_planes("stochastic_pool", x)) return NULL;
  if (ab_training(x->ctx)) return chosen(&stochastic_op, x, &pool, indices);
  AbTensor *y = mean_by_probability(x, &pool);
  if (indices && y) *indices = AB_NONE;
  return y;
}

/* ---- everything ------------------------------------------------------------------------------ */

static AbTensor *as_matrix(AbTensor *y) {
  return y ? ab_reshape(y, AB_SHAPE(y->shape[0], y->shape[1])) : NULL;
}

/* One window that is all of the plane. */
static AbPool whole(const AbTensor *x) {
  AbPool pool = {0};
  for (int32_t i = 2; i < x->rank; i++) pool.size[i - 2] = x->shape[i];
  return pool;
}

AbTensor *ab_global_max_pool(AbTensor *x) {
  if (!ab_has_planes("global_max_pool", x)) return NULL;
  return as_matrix(ab_max_pool(x, whole(x), NULL));
}

AbTensor *ab_global_average_pool(AbTensor *x) {
  if (!ab_has_planes("global_average_pool", x)) return NULL;
  return as_matrix(ab_average_pool(x, whole(x)));
}

AbTensor *ab_global_sum_pool(AbTensor *x) {
  if (!ab_has_planes("global_sum_pool", x)) return NULL;
  return as_matrix(ab_sum_pool(x, whole(x)));
}
