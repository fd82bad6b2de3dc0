/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation: the mean first, then the mean square of the distances from it. */
#include "../normalization.h"
#include <math.h>

static double activated(AbNormActivation f, double z) {
  if (f != K_NORM_IDENTITY && z < 0) return 0;
  return f == K_NORM_RELU6 && z > 6 ? 6 : z;
}

/* Whether the gradient passes: not at the kinks. */
static bool passes(AbNormActivation f, double z) {
  if (f == K_NORM_IDENTITY) return true;
  return z > 0 && (f == K_NORM_RELU || z < 6);
}

#define LOOPS "normalization-real.h"
#include "both-types.h"

static int64_t channels_work(const AbChannelNorm *norm) {
  (void)norm;
  return 0;
}

static int64_t rows_work(const AbRowNorm *norm) {
  (void)norm;
  return 0;
}

static void norm_channels(AbDtype dtype, const AbChannelNorm *norm, void *y, double *mean,
                          double *variance, const void *x, const void *gain, const void *bias,
                          double *work) {
  (void)work;
  BY_TYPE(channels, norm, y, mean, variance, x, gain, bias);
}

static void norm_channels_grad(AbDtype dtype, const AbChannelNorm *norm, void *dx, void *dgain,
                               void *dbias, const void *g, const double *mean,
                               const double *variance, const void *x, const void *gain,
                               const void *bias, double *work) {
  (void)work;
  BY_TYPE(channels_grad, norm, dx, dgain, dbias, g, mean, variance, x, gain, bias);
}

static void norm_rows(AbDtype dtype, const AbRowNorm *norm, void *y, double *mean, double *variance,
                      const void *x, const void *gain, const void *bias) {
  BY_TYPE(rows, norm, y, mean, variance, x, gain, bias);
}

static void norm_rows_grad(AbDtype dtype, const AbRowNorm *norm, void *dx, void *dgain, void *dbias,
                           const void *g, const double *mean, const double *variance, const void *x,
                           const void *gain, double *work) {
  (void)work;
  BY_TYPE(rows_grad, norm, dx, dgain, dbias, g, mean, variance, x, gain);
}

const AbNormalizationKernels reference_normalization = {
    .channels_work = channels_work,
    .rows_work = rows_work,
    .channels = norm_channels,
    .channels_grad = norm_channels_grad,
    .rows = norm_rows,
    .rows_grad = norm_rows_grad,
};
