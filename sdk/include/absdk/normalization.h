/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation of activations and of weights; f32 or f64. All are differentiable any number of
 * times. With statistics of a set of m numbers,
 *     z = gain (x - mean) / sqrt(variance + epsilon) + bias,   variance = sum (x - mean)^2 / m.
 * gain and bias are vectors in the type of x, or AB_NONE for 1 and 0. epsilon is above 0.
 * Statistics are computed so that a mean far from 0 costs no digits. The bits are the same on any
 * number of threads. An empty x gives an empty result and gradients of 0 for gain and bias. */
#ifndef ABSDK_NORMALIZATION_H
#define ABSDK_NORMALIZATION_H

#include "elements.h"

AB_BEGIN_DECLS

/* ---- by channels: x [n, c, spatial ...], up to 3 spatial axes; gain, bias [c] ---------------- */

/* Batch normalisation (Ioffe & Szegedy 2015) of x [n, c] or [n, c, spatial ...], then `activation`
 * (identity, ReLU and ReLU6 cost no pass of their own).
 *   In training the statistics are those of each channel over the batch and the spatial axes, which
 * must be more than one number, and the running statistics [c], unless AB_NONE, follow by
 * assignment: running := (1 - momentum) running + momentum value, the variance by its unbiased
 * estimate, sum (x - mean)^2 / (m - 1). No gradient flows to them. Else z is made of the running
 * statistics; without them, of the batch's as in training. Both are given, or neither. momentum is
 * from 0 to 1.                                                    */
AB_EXPORT AbTensor *ab_batch_norm(AbTensor *x, AbTensor *gain, AbTensor *bias,
                                  AbTensor *running_mean, AbTensor *running_variance,
                                  double momentum, double epsilon, AbActivation activation);
/* Instance normalisation (Ulyanov, Vedaldi, Lempitsky 2016): over the spatial axes of each channel
 * of each image, which must be more than one number. */
AB_EXPORT AbTensor *ab_instance_norm(AbTensor *x, AbTensor *gain, AbTensor *bias, double epsilon);
/* Group normalisation (Wu & He 2018): over the spatial axes and c / groups channels of each image,
 * more than one number. `groups` divides c. x may be [n, c]. */
AB_EXPORT AbTensor *ab_group_norm(AbTensor *x, int64_t groups, AbTensor *gain, AbTensor *bias,
                                  double epsilon);

/* ---- by rows: over the last `axes` axes of x; gain, bias of the shape of these axes ---------- */

/* Layer normalisation (Ba, Kiros, Hinton 2016). */
AB_EXPORT AbTensor *ab_layer_norm(AbTensor *x, int32_t axes, AbTensor *gain, AbTensor *bias,
                                  double epsilon);
/* gain x / sqrt(mean of x^2 + epsilon) (Zhang & Sennrich 2019). */
AB_EXPORT AbTensor *ab_rms_norm(AbTensor *x, int32_t axes, AbTensor *gain, double epsilon);

/* ---- weights --------------------------------------------------------------------------------- */

/* Weight normalisation (Salimans & Kingma 2016): gain v / |v|, |v| the Euclidean norm over all axes
 * of v but `axis`, the axis of output units, gain [units]. A unit of zeros gives NaN.            */
AB_EXPORT AbTensor *ab_weight_norm(AbTensor *v, AbTensor *gain, int32_t axis);

AB_END_DECLS

#endif
