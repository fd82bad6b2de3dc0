/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused losses. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_LOSSES_H
#define SDK_DEVICE_LOSSES_H

#include "device.h"

struct AbLossKernels {};

extern const AbLossKernels reference_losses, cpu_losses;

#endif
