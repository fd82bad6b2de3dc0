/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers. */
#include "../recurrent.h"

const AbRecurrentKernels reference_recurrent = {};
