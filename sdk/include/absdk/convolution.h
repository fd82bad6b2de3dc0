/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution in one, two and three dimensions, as PyTorch defines it: x [n, c, spatial ...] with 1
 * to 3 spatial axes, f32 or f64. Results lie with their channels next to each other (channels last)
 * in memory, and x is brought into that order if it is not in it. All are differentiable any number
 * of times. Empty batches, no channels and no positions give empty results, or sums over nothing.
 *
 * On the cpu f32 has the same bits on any number of threads. There 3 x 3 convolutions of stride 1
 * over 8 channels and more are computed by minimal filtering, F(2 x 2, 3 x 3) of Lavin & Gray
 * ("Fast algorithms for convolutional neural networks", 2016), in blocks of 2 x 2 results: an
 * infinity or NaN in x makes NaN of all results of the blocks it enters, not only of those whose
 * window holds it.                                                                               */
#ifndef ABSDK_CONVOLUTION_H
#define ABSDK_CONVOLUTION_H

#include "elements.h"

AB_BEGIN_DECLS

/* For each spatial axis; what lies beyond the spatial axes of x must be 0. {0}, all zeros, is the
 * plain convolution.                                                                             */
typedef struct {
  int64_t stride[3];         /* 0: 1 */
  int64_t padding[3];        /* zeros before and after */
  int64_t more_after[3];     /* zeros after that exceed those before; may be negative */
  int64_t dilation[3];       /* 0: 1 */
  int64_t output_padding[3]; /* of the transposed convolution: positions more at the end */
  int64_t groups;            /* 0: 1 */
  AbActivation activation;   /* of the result; see ab_activate */
} AbConvolutionOptions;

/* y[n, o, q] = activation(b[o] + sum over i, p of W[o, i, p] x[n, i, q stride - padding + p
 * dilation]) (a cross-correlation), with W [out, c / groups, k ...], b [out] or AB_NONE: y [n, out,
 * ...] with floor((size + 2 padding + more_after - dilation (k - 1) - 1) / stride) + 1 positions on
 * each axis. Channels fall into `groups` parts; part g of x makes part g of y. Gradients at the
 * kink of a ReLU: 0.                                                            */
AB_EXPORT AbTensor *ab_convolution(AbTensor *x, AbTensor *W, AbTensor *b,
                                   AbConvolutionOptions options);

/* The same matrix transposed (the gradient of a convolution by its x), with W [c, out / groups,
 * k ...], b [out] or AB_NONE: y [n, out, ...] with
 *     (size - 1) stride - 2 padding - more_after + dilation (k - 1) + 1 + output_padding
 * positions; output_padding is below stride or dilation. With the same W and options it leads from
 * the shape of a convolution's result back to that of its x.                                     */
AB_EXPORT AbTensor *ab_transposed_convolution(AbTensor *x, AbTensor *W, AbTensor *b,
                                              AbConvolutionOptions options);

/* The windows of x, of `kernel` positions on each spatial axis, as columns: [n, c k ...,
 * positions], channel and tap in row-major order, positions too (PyTorch's unfold, for 1 to 3
 * axes). Of the options stride, padding, more_after and dilation count; the rest must be 0. */
AB_EXPORT AbTensor *ab_im2col(AbTensor *x, AbShape kernel, AbConvolutionOptions options);

/* Its transpose (PyTorch's fold): each number of cols [n, c k ..., positions] is added to where it
 * came from in an x of the spatial axes `size`: [n, c, size ...].                                */
AB_EXPORT AbTensor *ab_col2im(AbTensor *cols, AbShape size, AbShape kernel,
                              AbConvolutionOptions options);

AB_END_DECLS

#endif
