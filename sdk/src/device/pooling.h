/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_POOLING_H
#define SDK_DEVICE_POOLING_H

#include "device.h"

struct AbPoolingKernels {};

extern const AbPoolingKernels reference_pooling, cpu_pooling;

#endif
