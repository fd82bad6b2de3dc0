/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling: a linear operation and its adjoint, each the gradient of the other. */
#include "planes.h"

static AbTensor *resized(AbTensor *x, AbShape size, AbResampling how);
static AbTensor *adjoint(AbTensor *y, AbShape size, AbResampling how);

static AbResizeGeometry geometry(const AbTensor *x, const AbTensor *y, AbResampling how) {
  AbResizeGeometry at = {.n = x->shape[0], .c = x->shape[1], .linear = how == AB_RESIZE_LINEAR};
  ab_plane_axes(x, at.in);
  ab_plane_axes(y, at.out);
  return at;
}

static void resize_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, adjoint(g, ab_spatial_shape(y->inputs[0]), (AbResampling)y->ints[0]));
}
static const AbOp resize_op = {"resize", resize_backward};

static void adjoint_backward(AbTensor *x, AbTensor *g) {
  ab_accumulate(x, 0, resized(g, ab_spatial_shape(x->inputs[0]), (AbResampling)x->ints[0]));
}
static const AbOp adjoint_op = {"resize_gradient", adjoint_backward};

static AbTensor *resized(AbTensor *x, AbShape size, AbResampling how) {
  if (!(x = ab_channels_last(x))) return NULL;
  AbTensor *y = ab_planes_new(x, x->dtype, size);
  if (!y) return NULL;
  AbResizeGeometry at = geometry(x, y, how);
  if (ab_planes_filled(x, y))
    x->ctx->device->pooling->resize(x->dtype, &at, ab_data_of(y), ab_data_of(x));
  y->ints[0] = how;
  return ab_record(y, &resize_op, &x, 1);
}

static AbTensor *adjoint(AbTensor *y, AbShape size, AbResampling how) {
  if (!(y = ab_channels_last(y))) return NULL;
  AbTensor *x = ab_planes_new(y, y->dtype, size);
  if (!x) return NULL;
  AbResizeGeometry at = geometry(x, y, how);
  if (ab_planes_filled(x, y))
    y->ctx->device->pooling->resize_adjoint(y->dtype, &at, ab_data_of(x), ab_data_of(y));
  x->ints[0] = how;
  return ab_record(x, &adjoint_op, &y, 1);
}

static bool known(AbContext *ctx, const char *operation, AbResampling how) {
  if (how == AB_RESIZE_NEAREST || how == AB_RESIZE_LINEAR) return true;
  ab_error(ctx, AB_CONFIG, "%s: there is no resampling %d", operation, how);
  return false;
}

AbTensor *ab_resize(AbTensor *x, AbShape size, AbResampling how) {
  if (!ab_has_planes("resize", x) || !known(x->ctx, "resize", how) ||
      !ab_plane_size("resize", x, size))
    return NULL;
  return resized(x, size, how);
}

AbTensor *ab_upsample(AbTensor *x, int64_t factor, AbResampling how) {
  if (!ab_has_planes("upsample", x) || !known(x->ctx, "upsample", how)) return NULL;
  AbShape size = ab_spatial_shape(x);
  bool fits = factor > 0;
  for (int32_t i = 0; i < size.rank; i++)
    fits &= !__builtin_mul_overflow(size.dims[i], factor, &size.dims[i]);
  if (fits) return resized(x, size, how);
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "upsample: x of %s by a factor of %lld; wanted is one above 0",
           ab_tensor_text(x, text, sizeof text), (long long)factor);
  return NULL;
}
