/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index: gather, scatter, cumulative sums. */
#include "../index.h"

const AbIndexKernels reference_index = {};
