/* SPDX-License-Identifier: Apache-2.0
 *
 * Batched products, sparse products, solves. */
#include "../linalg.h"

const AbLinalgKernels reference_linalg = {};
