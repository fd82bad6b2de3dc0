/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation. */
#include "../normalization.h"
#include "cpu.h"

const AbNormalizationKernels cpu_normalization = {};
