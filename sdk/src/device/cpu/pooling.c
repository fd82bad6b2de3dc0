/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling. */
#include "../pooling.h"
#include "cpu.h"

const AbPoolingKernels cpu_pooling = {};
