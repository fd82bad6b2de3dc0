/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused losses. */
#include "../losses.h"

const AbLossKernels reference_losses = {};
