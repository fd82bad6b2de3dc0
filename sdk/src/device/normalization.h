/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_NORMALIZATION_H
#define SDK_DEVICE_NORMALIZATION_H

#include "device.h"

struct AbNormalizationKernels {};

extern const AbNormalizationKernels reference_normalization, cpu_normalization;

#endif
