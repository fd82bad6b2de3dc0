/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_CONVOLUTION_H
#define SDK_DEVICE_CONVOLUTION_H

#include "device.h"

struct AbConvolutionKernels {};

extern const AbConvolutionKernels reference_convolution, cpu_convolution;

#endif
