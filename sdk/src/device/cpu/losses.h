/* SPDX-License-Identifier: Apache-2.0
 *
 * The losses of the cpu device: what its two files share. */
#ifndef SDK_DEVICE_CPU_LOSSES_H
#define SDK_DEVICE_CPU_LOSSES_H

#include "../losses.h"
#include "cpu.h"

void cpu_pair(AbPairLoss f, AbDtype dtype, const AbPairJob *job);
double cpu_pair_sum(AbPairLoss f, AbDtype dtype, const AbPairJob *job);
void cpu_pair_grad(AbPairLoss f, AbDtype dtype, const AbPairJob *job);

#endif
