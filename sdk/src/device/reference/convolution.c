/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution by its definition: convolution.h has the equations. */
#include "../convolution.h"
#include "../activations.h"

#define LOOPS "convolution-real.h"
#include "both-types.h"

static size_t reference_work(AbDtype dtype, const AbConvolutionShape *s, AbConvolutionPass pass) {
  (void)dtype, (void)s, (void)pass;
  return 0;
}

static void reference_forward(AbDtype dtype, const AbConvolutionShape *s, void *y, const void *x,
                              const void *W, const void *b, AbActivation f, void *work) {
  (void)work;
  BY_TYPE(forward, s, y, x, W);
  ab_device_reference.bias_activate(dtype, f, s->n * volume(s->y), s->out, y, b);
}

static void reference_data(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *y,
                           const void *W, const void *b, AbActivation f, void *work) {
  (void)work;
  BY_TYPE(data, s, x, y, W);
  ab_device_reference.bias_activate(dtype, f, s->n * volume(s->x), s->in, x, b);
}

static void reference_weights(AbDtype dtype, const AbConvolutionShape *s, void *W, const void *x,
                              const void *y, bool add, void *work) {
  (void)work;
  BY_TYPE(weights, s, W, x, y, add);
}

static void reference_unactivate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *h,
                                 const void *g, const void *y, void *db, bool add) {
  AbLoop loop = {.rank = 1, .shape = {rows * cols}, .stride = {{1}, {1}, {1}}};
  if (f != AB_IDENTITY)
    ab_device_reference.binary(ab_activation_kernels(f).gradient, dtype, &loop, h, g, y);
  else if (h && h != g)
    ab_device_reference.copy(&loop, dtype, h, dtype, g);
  if (db) BY_TYPE(column_sums, rows, cols, db, h ? h : g, add);
}

static void reference_unfold(AbDtype dtype, const AbConvolutionShape *s, void *cols,
                             const void *x) {
  BY_TYPE(unfold, s, cols, x);
}

static void reference_fold(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *cols) {
  BY_TYPE(fold, s, x, cols);
}

const AbConvolutionKernels reference_convolution = {
    .work = reference_work,
    .forward = reference_forward,
    .data = reference_data,
    .weights = reference_weights,
    .unactivate = reference_unactivate,
    .unfold = reference_unfold,
    .fold = reference_fold,
};
