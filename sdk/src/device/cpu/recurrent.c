/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers. */
#include "../recurrent.h"
#include "cpu.h"

const AbRecurrentKernels cpu_recurrent = {};
