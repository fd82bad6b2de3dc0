/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention. */
#include "../attention.h"
#include "cpu.h"

const AbAttentionKernels cpu_attention = {};
