/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation of rows on the cpu: the kernels that normalization.c puts in its table. */
#ifndef SDK_DEVICE_CPU_NORMALIZATION_H
#define SDK_DEVICE_CPU_NORMALIZATION_H

#include "../normalization.h"

int64_t cpu_norm_rows_work(const AbRowNorm *norm);
void cpu_norm_rows(AbDtype dtype, const AbRowNorm *norm, void *y, double *mean, double *variance,
                   const void *x, const void *gain, const void *bias);
void cpu_norm_rows_grad(AbDtype dtype, const AbRowNorm *norm, void *dx, void *dgain, void *dbias,
                        const void *g, const double *mean, const double *variance, const void *x,
                        const void *gain, double *work);

#endif
