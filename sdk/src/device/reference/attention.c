/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention. */
#include "../attention.h"

const AbAttentionKernels reference_attention = {};
