/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products, solves. */
#include "../linalg.h"
#include "cpu.h"

const AbLinalgKernels cpu_linalg = {};
