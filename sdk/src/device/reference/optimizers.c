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

#define REAL    float
#define NAME(f) f##_f32
#define M(name) name##f
#include "optimizers-real.h"
#undef REAL
#undef NAME
#undef M
#define REAL    double
#define NAME(f) f##_f64
#define M(name) name
#include "optimizers-real.h"
#undef REAL
#undef NAME
#undef M

static void step(AbOptimizerRule rule, AbDtype dtype, const AbOptimizerJob *job) {
  if (dtype == AB_F32)
    step_f32(rule, job);
  else
    step_f64(rule, job);
}

const AbOptimizerKernels reference_optimizers = {.step = step};
