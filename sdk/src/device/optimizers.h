/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_OPTIMIZERS_H
#define SDK_DEVICE_OPTIMIZERS_H

#include "device.h"

struct AbOptimizerKernels {};

extern const AbOptimizerKernels reference_optimizers, cpu_optimizers;

#endif
