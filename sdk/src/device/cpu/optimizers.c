/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers. */
#include "../optimizers.h"
#include "cpu.h"

const AbOptimizerKernels cpu_optimizers = {};
