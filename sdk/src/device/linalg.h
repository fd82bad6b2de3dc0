/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products, solves. Kernels of a device: see device.h for what holds for
 * all. */
#ifndef SDK_DEVICE_LINALG_H
#define SDK_DEVICE_LINALG_H

#include "device.h"

struct AbLinalgKernels {};

extern const AbLinalgKernels reference_linalg, cpu_linalg;

#endif
