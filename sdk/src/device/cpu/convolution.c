/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution. */
#include "../convolution.h"
#include "cpu.h"

const AbConvolutionKernels cpu_convolution = {};
