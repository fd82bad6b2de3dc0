/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as columns (im2col) and their sums back (col2im): each the transpose, and so the
 * gradient, of the other. Which sizes belong to a result is kept with it. */
#include "convolution.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  AbConvolutionShape c;
  int32_t rank;               /* of x */
  int64_t shape[AB_MAX_RANK]; /* of x */
} Windows;

static AbTensor *unfold(const Windows *w, AbTensor *x);
static AbTensor *fold(const Windows *w, AbTensor *cols);

static bool keep(AbTensor *y, const Windows *w) {
  if (!y || !y->op) return y;
  y->kept = ab_host_storage_new(y->ctx, sizeof *w);
  if (y->kept) memcpy(y->kept->data, w, sizeof *w);
  return y->kept;
}

static void unfold_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, fold(y->kept->data, g));
}
static const AbOp unfold_op = {"im2col", unfold_backward};

static void fold_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, unfold(y->kept->data, g));
}
static const AbOp fold_op = {"col2im", fold_backward};

static int64_t volume(const int64_t *sizes) {
  return sizes[0] * sizes[1] * sizes[2];
}

static AbTensor *unfold(const Windows *w, AbTensor *x) {
  if (!(x = ab_dense(x))) return NULL;
  const AbConvolutionShape *c = &w->c;
  int64_t shape[] = {c->n, 0, volume(c->y)};
  if (__builtin_mul_overflow(c->in, volume(c->k), &shape[1])) shape[1] = INT64_MAX;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, 3, shape, !x->storage);
  if (!y) return NULL;
  if (y->storage && ab_tensor_count(y) > 0)
    x->ctx->device->convolution->unfold(x->dtype, c, ab_data_of(y), ab_data_of(x));
  y = ab_record(y, &unfold_op, &x, 1);
  return keep(y, w) ? y : NULL;
}

static AbTensor *fold(const Windows *w, AbTensor *cols) {
  if (!(cols = ab_dense(cols))) return NULL;
  AbTensor *y = ab_tensor_new(cols->ctx, cols->dtype, w->rank, w->shape, !cols->storage);
  if (!y) return NULL;
  if (y->storage && ab_tensor_count(y) > 0)
    y->ctx->device->convolution->fold(y->dtype, &w->c, ab_data_of(y), ab_data_of(cols));
  y = ab_record(y, &fold_op, &cols, 1);
  return keep(y, w) ? y : NULL;
}

/* ---- public ---------------------------------------------------------------------------------- */

static void fault(const char *operation, const AbTensor *x, AbShape kernel, const char *why) {
  char text[220], size[220];
  ab_error(x->ctx, AB_CONFIG, "%s: of %s and a kernel of %s: %s", operation,
           ab_tensor_text(x, text, sizeof text), ab_shape_text(kernel, size, sizeof size), why);
}

/* The windows over an x of n samples of `in` channels with the spatial axes `size`. */
static bool windows(const char *operation, const AbTensor *x, int64_t n, int64_t in, AbShape size,
                    AbShape kernel, const AbConvolutionOptions *options, Windows *w) {
  Settings s;
  if (size.rank < 1 || size.rank > CONVOLUTION_AXES || kernel.rank != size.rank) {
    fault(operation, x, kernel, "wanted are 1 to 3 spatial axes, and as many of the kernel");
    return false;
  }
  if (!ab_convolution_settings(operation, x, size.rank, options, &s)) return false;
  if (s.groups != 1 || s.f != AB_IDENTITY || s.more[0] || s.more[1] || s.more[2]) {
    fault(operation, x, kernel, "groups, activation and output_padding do not belong here");
    return false;
  }
  *w = (Windows){.c = {.n = n, .in = in, .groups = 1}, .rank = size.rank + 2, .shape = {n, in}};
  ab_convolution_axes(w->c.x, size.dims, size.rank);
  ab_convolution_axes(w->c.k, kernel.dims, size.rank);
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    w->c.stride[i] = s.stride[i];
    w->c.dilation[i] = s.dilation[i];
    w->c.before[i] = s.before[i];
    if (i < size.rank) w->shape[2 + i] = size.dims[i];
  }
  bool fits = ab_shape_count(size) >= 0 && ab_convolution_sizes(&s, w->c.x, w->c.k, w->c.y);
  AbShape places = {.rank = CONVOLUTION_AXES, .dims = {w->c.y[0], w->c.y[1], w->c.y[2]}};
  if (fits && ab_shape_count(places) >= 0) return true;
  fault(operation, x, kernel, "the kernel is empty, or larger than the padded input");
  return false;
}

AbTensor *ab_im2col(AbTensor *x, AbShape kernel, AbConvolutionOptions options) {
  if (!ab_is_real(x, "im2col")) return NULL;
  if (x->rank < 3 || x->rank > 5) {
    fault("im2col", x, kernel, "wanted is x [n, c, 1 to 3 spatial axes]");
    return NULL;
  }
  AbShape size = {.rank = x->rank - 2};
  memcpy(size.dims, x->shape + 2, (size_t)size.rank * sizeof *size.dims);
  Windows w;
  if (!windows("im2col", x, x->shape[0], x->shape[1], size, kernel, &options, &w)) return NULL;
  return unfold(&w, x);
}

AbTensor *ab_col2im(AbTensor *cols, AbShape size, AbShape kernel, AbConvolutionOptions options) {
  if (!ab_is_real(cols, "col2im")) return NULL;
  int64_t taps = ab_shape_count(kernel), rows = cols->rank == 3 ? cols->shape[1] : 0;
  Windows w;
  if (cols->rank != 3 || taps < 1 || rows % taps != 0) {
    fault("col2im", cols, kernel, "wanted is [n, c k ..., positions]");
    return NULL;
  }
  if (!windows("col2im", cols, cols->shape[0], rows / taps, size, kernel, &options, &w))
    return NULL;
  if (volume(w.c.y) != cols->shape[2]) {
    char text[120];
    snprintf(text, sizeof text, "the image has %lld positions", (long long)volume(w.c.y));
    fault("col2im", cols, kernel, text);
    return NULL;
  }
  return fold(&w, cols);
}
