/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling and up-sampling of x [n, c, spatial ...] with 1 to 3 spatial axes; f32 or
 * f64. Results lie with their channels next to each other (channels last) in memory. All are
 * differentiable any number of times. Empty batches and no channels give empty results; a spatial
 * axis of 0 is an error. A NaN in a window makes the window's result NaN.                        */
#ifndef ABSDK_POOLING_H
#define ABSDK_POOLING_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- windows ---------------------------------------------------------------------------------
 * For each spatial axis; what lies beyond the spatial axes of x must be 0. Along an axis of `in`
 * numbers the windows are
 *     out = floor((in + 2 padding - dilation (size - 1) - 1) / stride) + 1,
 * and the taps of window o are at o stride - padding + k dilation, k = 0 .. size - 1. Taps in the
 * padding hold nothing: they are skipped. Padding is at most half of what a window spans, as in
 * PyTorch; there is no ceil mode.                                                                */
typedef struct {
  int64_t size[3];
  int64_t stride[3];   /* 0: the size, so that windows touch */
  int64_t padding[3];  /* on both sides */
  int64_t dilation[3]; /* 0: 1 */
  /* The average divides by the taps that are not in the padding. Else by all, as PyTorch does
   * unless told otherwise (count_include_pad). */
  bool exclude_padding;
} AbPool;

/* The largest of each window. The gradient goes to the first of equals. `indices`, unless NULL,
 * becomes an i32 tensor of the shape of the result: where in its plane each came from, counted
 * row-major over the spatial axes. A window without taps (far dilation) gives -inf and index -1. */
AB_EXPORT AbTensor *ab_max_pool(AbTensor *x, AbPool pool, AbTensor **indices);
AB_EXPORT AbTensor *ab_average_pool(AbTensor *x, AbPool pool);
AB_EXPORT AbTensor *ab_sum_pool(AbTensor *x, AbPool pool);

/* Stochastic pooling (Zeiler & Fergus 2013) of activations a >= 0 with p_i = a_i / sum a:
 *   in training one of each window, drawn with probability p_i, which gets all of the gradient;
 *   else the mean by probability, sum p_i a_i = sum a_i^2 / sum a_i.
 * What is below 0 counts as 0. A window without anything above 0 gives 0 and has no gradient. The
 * random numbers are those of the component at work (random.h). `indices` as for ab_max_pool, in
 * training only (else AB_NONE).                                                                  */
AB_EXPORT AbTensor *ab_stochastic_pool(AbTensor *x, AbPool pool, AbTensor **indices);

/* ---- over all of the spatial axes: [n, c, ...] -> [n, c] ------------------------------------- */
AB_EXPORT AbTensor *ab_global_max_pool(AbTensor *x);
AB_EXPORT AbTensor *ab_global_average_pool(AbTensor *x);
AB_EXPORT AbTensor *ab_global_sum_pool(AbTensor *x);

/* Averages to the spatial axes `size`: output o averages floor(o in / out) up to below
 * ceil((o + 1) in / out).                                                                        */
AB_EXPORT AbTensor *ab_adaptive_average_pool(AbTensor *x, AbShape size);

/* ---- un-pooling ------------------------------------------------------------------------------ */
/* Puts each number of y [n, c, pooled ...] at its index (i32 or i64, of the shape of y, as given by
 * ab_max_pool) in planes of the spatial axes `size`; zeros elsewhere. Numbers with one index add
 * up; an index of -1 drops its number. (Zeiler et al. 2011)                                      */
AB_EXPORT AbTensor *ab_max_unpool(AbTensor *y, AbTensor *indices, AbShape size);
/* Divides each number of y equally among the taps of its window, in planes of the spatial axes
 * `size`, which the windows must pool to the shape of y: the adjoint of ab_average_pool.         */
AB_EXPORT AbTensor *ab_average_unpool(AbTensor *y, AbPool pool, AbShape size);

/* ---- resampling ------------------------------------------------------------------------------
 * Along an axis of `in` numbers that becomes `out`, as PyTorch's interpolate with align_corners
 * off: nearest: y_o = x_i with i = floor(o in / out), in whole numbers; linear (bilinear,
 * trilinear): y_o lies at (o + 1/2) in / out - 1/2, not below 0, between the two numbers around it;
 * beyond the last it is the last. Axes may shrink too (without a filter against aliasing). */
typedef int32_t AbResampling;
enum {
  AB_RESIZE_NEAREST = 0,
  AB_RESIZE_LINEAR = 1,
};
AB_EXPORT AbTensor *ab_resize(AbTensor *x, AbShape size, AbResampling how);     /* spatial axes */
AB_EXPORT AbTensor *ab_upsample(AbTensor *x, int64_t factor, AbResampling how); /* of each axis */

AB_END_DECLS

#endif
