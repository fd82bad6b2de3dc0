/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused losses. */
#include "../losses.h"
#include "cpu.h"

const AbLossKernels cpu_losses = {};
