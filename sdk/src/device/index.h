/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index: gather, scatter, cumulative sums. Kernels of a device: see device.h for what
 * holds for all. */
#ifndef SDK_DEVICE_INDEX_H
#define SDK_DEVICE_INDEX_H

#include "device.h"

struct AbIndexKernels {};

extern const AbIndexKernels reference_index, cpu_index;

#endif
