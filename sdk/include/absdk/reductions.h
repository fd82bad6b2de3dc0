/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions, and functions along an axis. */
#ifndef ABSDK_REDUCTIONS_H
#define ABSDK_REDUCTIONS_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- reductions: x real --------------------------------------------------------------------- */
AB_EXPORT AbTensor *ab_sum(AbTensor *x);  /* over everything, a scalar */
AB_EXPORT AbTensor *ab_mean(AbTensor *x); /* of nothing: an error */
/* Over the axes whose bits are set in `axes` (bit 0: the first axis); `keep` leaves them as 1. */
AB_EXPORT AbTensor *ab_sum_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_mean_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_argmax(AbTensor *x);      /* along the last axis; AB_I64; first of equals */
AB_EXPORT AbTensor *ab_softmax(AbTensor *x);     /* along the last axis */
AB_EXPORT AbTensor *ab_log_softmax(AbTensor *x); /* along the last axis */

AB_END_DECLS

#endif
