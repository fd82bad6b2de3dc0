/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers. */
#include "../optimizers.h"

const AbOptimizerKernels reference_optimizers = {};
