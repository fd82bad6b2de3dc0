/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention. Kernels of a device: see device.h for what holds for all. */
#ifndef SDK_DEVICE_ATTENTION_H
#define SDK_DEVICE_ATTENTION_H

#include "device.h"

struct AbAttentionKernels {};

extern const AbAttentionKernels reference_attention, cpu_attention;

#endif
