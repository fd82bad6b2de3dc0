/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing numbers of a plane by their indices, and putting numbers at theirs: two linear
 * operations, each the gradient of the other. Un-pooling by the places of the maxima: Zeiler,
 * Taylor, Fergus 2011.                                                                           */
#include "planes.h"

static void pick_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_pool_place(g, y->saved[0], ab_spatial_shape(y->inputs[0])));
}
static const AbOp pick_op = {"max_pool_gradient", pick_backward};

static void place_backward(AbTensor *x, AbTensor *g) {
  ab_accumulate(x, 0, ab_pool_pick(g, x->saved[0]));
}
static const AbOp place_op = {"max_unpool", place_backward};

AbTensor *ab_pool_pick(AbTensor *x, AbTensor *indices) {
  AbShape size = ab_spatial_shape(indices);
  if (!(x = ab_channels_last(x))) return NULL;
  AbTensor *y = ab_planes_new(x, x->dtype, size);
  if (!y) return NULL;
  if (ab_planes_filled(x, y))
    x->ctx->device->pooling->pick(x->dtype, x->shape[0], ab_shape_count(size),
                                  ab_shape_count(ab_spatial_shape(x)), x->shape[1], ab_data_of(y),
                                  ab_data_of(x), ab_data_of(indices));
  if (!ab_record(y, &pick_op, &x, 1)) return NULL;
  ab_save(y, 0, indices);
  return y;
}

AbTensor *ab_pool_place(AbTensor *y, AbTensor *indices, AbShape size) {
  if (!(y = ab_channels_last(y))) return NULL;
  AbTensor *x = ab_planes_new(y, y->dtype, size);
  if (!x) return NULL;
  if (ab_planes_filled(x, y))
    y->ctx->device->pooling->place(y->dtype, y->shape[0], ab_shape_count(ab_spatial_shape(y)),
                                   ab_shape_count(size), y->shape[1], ab_data_of(x), ab_data_of(y),
                                   ab_data_of(indices));
  if (!ab_record(x, &place_op, &y, 1)) return NULL;
  ab_save(x, 0, indices);
  return x;
}

static bool indices_fit(AbTensor *y, const AbTensor *indices) {
  if (!ab_belong_together("max_unpool", y, indices)) return false;
  if ((indices->dtype == AB_I32 || indices->dtype == AB_I64) && ab_same_shape(y, indices))
    return true;
  char a[220], b[220];
  ab_error(y->ctx, AB_CONFIG,
           "max_unpool: y of %s with indices of %s; wanted are indices of i32 or i64 in the shape "
           "of y",
           ab_tensor_text(y, a, sizeof a), ab_tensor_text(indices, b, sizeof b));
  return false;
}

static bool within(AbContext *ctx, const AbTensor *packed, int64_t plane) {
  const void *data = ab_data_of(packed);
  int64_t count = ab_tensor_count(packed);
  for (int64_t i = 0; i < count; i++) {
    int64_t index =
        packed->dtype == AB_I32 ? ((const int32_t *)data)[i] : ((const int64_t *)data)[i];
    if (index >= -1 && index < plane) continue;
    ab_error(ctx, AB_CONFIG, "max_unpool: an index of %lld in planes of %lld numbers",
             (long long)index, (long long)plane);
    return false;
  }
  return true;
}

/* As i32, channels last. NULL after an error. */
static AbTensor *checked_indices(AbTensor *indices, int64_t plane) {
  if (!(indices = ab_packed(indices))) return NULL;
  if (indices->storage && !within(indices->ctx, indices, plane)) return NULL;
  if (indices->dtype == AB_I32) return ab_channels_last(indices);
  AbTensor *narrow = ab_planes_new(indices, AB_I32, ab_spatial_shape(indices));
  if (!narrow || !ab_planes_filled(indices, narrow)) return narrow;
  AbLoop loop = ab_loop(narrow, indices, NULL);
  indices->ctx->device->copy(&loop, AB_I32, ab_data_of(narrow), AB_I64, ab_data_of(indices));
  return narrow;
}

AbTensor *ab_max_unpool(AbTensor *y, AbTensor *indices, AbShape size) {
  if (!ab_has_planes("max_unpool", y) || !indices_fit(y, indices) ||
      !ab_plane_size("max_unpool", y, size) || !ab_plane_indexable("max_unpool", y, size) ||
      !(indices = checked_indices(indices, ab_shape_count(size))))
    return NULL;
  if (indices->storage || !y->storage) return ab_pool_place(y, indices, size);
  return ab_planes_new(indices, y->dtype, size); /* a dry run of the indices alone */
}
