/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation. */
#include "../normalization.h"

const AbNormalizationKernels reference_normalization = {};
