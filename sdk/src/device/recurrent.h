/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_RECURRENT_H
#define SDK_DEVICE_RECURRENT_H

#include "device.h"

struct AbRecurrentKernels {};

extern const AbRecurrentKernels reference_recurrent, cpu_recurrent;

#endif
