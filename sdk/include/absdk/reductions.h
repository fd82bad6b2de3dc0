/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions, and functions along an axis. */
#ifndef ABSDK_REDUCTIONS_H
#define ABSDK_REDUCTIONS_H

#include "tensor.h"

AB_BEGIN_DECLS

/* All of real x. Bit 0 of a mask of axes is the first axis; `keep` leaves the axes as 1. A function
 * without a mask reduces everything to a scalar. An axis below 0 counts from the end. Sums are
 * carried in pieces whose cut depends on the shape alone: the bits are the same on any number of
 * threads.                                                                                       */

/* ---- sums ------------------------------------------------------------------------------------ */
AB_EXPORT AbTensor *ab_sum(AbTensor *x);  /* of nothing: 0 */
AB_EXPORT AbTensor *ab_mean(AbTensor *x); /* of nothing: an error */
AB_EXPORT AbTensor *ab_sum_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_mean_axes(AbTensor *x, uint32_t axes, bool keep);
/* y_i = x_0 + ... + x_i along the axis, or with `reverse` x_i + ... + x_last. */
AB_EXPORT AbTensor *ab_cumulative_sum(AbTensor *x, int32_t axis, bool reverse);

/* ---- spread ------------------------------------------------------------------------------------
 * sum (x - mean)^2 / (n - correction), in two passes; correction 1 (Bessel's) makes it unbiased. An
 * error unless n > correction >= 0. std is its root, whose gradient is taken as 0 where it is 0. */
AB_EXPORT AbTensor *ab_variance(AbTensor *x, uint32_t axes, double correction, bool keep);
AB_EXPORT AbTensor *ab_std(AbTensor *x, uint32_t axes, double correction, bool keep);
/* (sum |x|^p)^(1/p), 1 <= p; p = INFINITY is max |x|. The gradient by a number that is 0 is 0, and
 * so is that where the norm is 0; that of p = INFINITY goes to the first of equals. For p other
 * than 1, 2 and INFINITY second derivatives want x without zeros.                                */
AB_EXPORT AbTensor *ab_norm(AbTensor *x, double p, uint32_t axes, bool keep);

/* ---- extremes ----------------------------------------------------------------------------------
 * The gradient goes to the first of equals, in the order of the axes. A NaN counts as more extreme
 * than any number: the result is NaN, its place that of the first. Of nothing: an error.         */
AB_EXPORT AbTensor *ab_max(AbTensor *x);
AB_EXPORT AbTensor *ab_min(AbTensor *x);
AB_EXPORT AbTensor *ab_max_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_min_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_argmax(AbTensor *x); /* along the last axis; AB_I64; first of equals */
AB_EXPORT AbTensor *ab_argmax_axis(AbTensor *x, int32_t axis);
AB_EXPORT AbTensor *ab_argmin_axis(AbTensor *x, int32_t axis);

/* ---- softmax -----------------------------------------------------------------------------------
 * exp(x_i) / sum_j exp(x_j), its logarithm, and log sum_j exp(x_j); the largest number is taken out
 * first, so nothing overflows. softmax of nothing but -inf is NaN, logsumexp is -inf.            */
AB_EXPORT AbTensor *ab_softmax(AbTensor *x);     /* along the last axis */
AB_EXPORT AbTensor *ab_log_softmax(AbTensor *x); /* along the last axis */
AB_EXPORT AbTensor *ab_softmax_axis(AbTensor *x, int32_t axis);
AB_EXPORT AbTensor *ab_log_softmax_axis(AbTensor *x, int32_t axis);
AB_EXPORT AbTensor *ab_logsumexp(AbTensor *x, int32_t axis, bool keep);

AB_END_DECLS

#endif
