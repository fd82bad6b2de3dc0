/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers, a weight at a time. */
#include "../optimizers.h"
#include <math.h>

/* The numbers of a job in the type of its weights; a1 = 1 - b1, a2 = 1 - b2. */
#define JOB(REAL)                                         \
  struct {                                                \
    REAL lr, b1, b2, a1, a2, epsilon, root, ahead, decay; \
    bool centred;                                         \
  }
typedef JOB(float) Job_f32;
typedef JOB(double) Job_f64;

#define LOOPS "optimizers-real.h"
#include "both-types.h"

static void step(AbOptimizerRule rule, AbDtype dtype, const AbOptimizerJob *job) {
  BY_TYPE(step, rule, job);
}

const AbOptimizerKernels reference_optimizers = {.step = step};
