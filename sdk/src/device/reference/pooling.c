/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling. */
#include "../pooling.h"

const AbPoolingKernels reference_pooling = {};
