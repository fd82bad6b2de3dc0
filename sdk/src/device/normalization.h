/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation. Kernels of a device: see device.h for what holds for all.
 *
 * Two forms, with z = gain (x - mean) / sqrt(variance + epsilon) + bias:
 *   channels: x [images, rows, channels]; the channels are cut into `groups`, and each group of
 * each image has a mean and a variance (batch: one image of n x spatial rows, a group for each
 *     channel; instance: n images; group: n images, fewer groups). y = activation(z).
 *   rows: x [rows, cols]; each row has a mean and a variance, each column a gain and a bias.
 * Statistics are f64, variances biased: mean and variance [images, groups], or [rows]. gain, bias
 * and their gradients are [channels] or [cols], in the type of x; NULL: none.                    */
#ifndef SDK_DEVICE_NORMALIZATION_H
#define SDK_DEVICE_NORMALIZATION_H

#include "device.h"

typedef enum { K_NORM_IDENTITY, K_NORM_RELU, K_NORM_RELU6 } AbNormActivation;

typedef struct {
  int64_t images, rows, channels, groups;
  double epsilon;
  AbNormActivation activation;
  bool given; /* the statistics are constants that the caller has, not those of x */
} AbChannelNorm;

typedef struct {
  int64_t rows, cols;
  double epsilon;
  bool centred; /* else the mean is 0 and the variance the mean square: RMS norm */
} AbRowNorm;

struct AbNormalizationKernels {
  /* How many doubles the kernels below want in `work`. */
  int64_t (*channels_work)(const AbChannelNorm *norm);
  int64_t (*rows_work)(const AbRowNorm *norm);
  /* Fills mean and variance, unless they are given, and y. */
  void (*channels)(AbDtype dtype, const AbChannelNorm *norm, void *y, double *mean,
                   double *variance, const void *x, const void *gain, const void *bias,
                   double *work);
  /* dx, dgain and dbias, each unless NULL, from the gradient g of y */
  void (*channels_grad)(AbDtype dtype, const AbChannelNorm *norm, void *dx, void *dgain,
                        void *dbias, const void *g, const double *mean, const double *variance,
                        const void *x, const void *gain, const void *bias, double *work);
  void (*rows)(AbDtype dtype, const AbRowNorm *norm, void *y, double *mean, double *variance,
               const void *x, const void *gain, const void *bias);
  void (*rows_grad)(AbDtype dtype, const AbRowNorm *norm, void *dx, void *dgain, void *dbias,
                    const void *g, const double *mean, const double *variance, const void *x,
                    const void *gain, double *work);
};

extern const AbNormalizationKernels reference_normalization, cpu_normalization;

#endif
