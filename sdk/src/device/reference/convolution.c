/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution. */
#include "../convolution.h"

const AbConvolutionKernels reference_convolution = {};
