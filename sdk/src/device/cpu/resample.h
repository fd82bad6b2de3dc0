/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling on the cpu: the kernels that pooling.c puts in its table. */
#ifndef SDK_DEVICE_CPU_RESAMPLE_H
#define SDK_DEVICE_CPU_RESAMPLE_H

#include "../pooling.h"

void cpu_resize(AbDtype dtype, const AbResizeGeometry *at, void *y, const void *x);
void cpu_resize_adjoint(AbDtype dtype, const AbResizeGeometry *at, void *x, const void *y);

#endif
