/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index: gather, scatter, cumulative sums. */
#include "../index.h"
#include "cpu.h"

const AbIndexKernels cpu_index = {};
