/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops along rows of channels that normalization.c is made of. Rows are `width` numbers,
 * `stride` apart or dense; coefficients M, A, C, P, Q, R are one for each number of a row.       */
#ifndef SDK_DEVICE_CPU_CHANNEL_LOOPS_H
#define SDK_DEVICE_CPU_CHANNEL_LOOPS_H

#include "../normalization.h"

enum { M, A, C, P, Q, R };

/* Sums and squares of the distances from the first of `rows` rows. */
void channel_moments(int64_t width, int64_t stride, int64_t rows, const float *restrict x,
                     float *restrict sum, float *restrict square);
/* Joins `before` rows of known moments with a block of `rows`. */
void channel_join(int64_t width, double before, double rows, double *restrict mean,
                  double *restrict squares, const float *restrict shift, const float *restrict sum,
                  const float *restrict square);
/* y = activation(A (x - M) + C) */
void channel_forward(AbNormActivation activation, int64_t width, int64_t rows, float *restrict y,
                     const float *restrict x, float *const *coefficient);
/* Sums of h, which is g where the gradient passes, and of h (x - M). */
void channel_sums_of(AbNormActivation activation, int64_t width, int64_t stride, int64_t rows,
                     const float *restrict g, const float *restrict x, float *const *coefficient,
                     float *restrict sum, float *restrict product);
/* sum += block */
void channel_widen(int64_t width, double *restrict sum, const float *restrict block);
/* dx = P h + Q (x - M) + R */
void channel_backward(AbNormActivation activation, int64_t width, int64_t rows, float *restrict dx,
                      const float *restrict g, const float *restrict x, float *const *coefficient);

#endif
