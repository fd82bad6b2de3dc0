/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions beyond the sum, and functions along an axis: plain loops. */
#include "../reductions.h"
#include <math.h>

#define LOOPS "reductions-real.h"
#include "both-types.h"

static void reference_extreme(AbDtype dtype, bool largest, AbExtent e, void *y, int64_t *index,
                              const void *x) {
  BY_TYPE(extreme, largest, e, y, index, x);
}

static void reference_norm(AbDtype dtype, double p, AbExtent e, void *y, const void *x) {
  BY_TYPE(norm, p, e, y, x);
}

static void reference_variance(AbDtype dtype, double correction, AbExtent e, void *y, void *mean,
                               const void *x) {
  BY_TYPE(variance, correction, e, y, mean, x);
}

static void reference_softmax(AbDtype dtype, bool log, AbExtent e, void *y, const void *x) {
  BY_TYPE(softmax, log, e, y, x);
}

static void reference_softmax_grad(AbDtype dtype, bool log, AbExtent e, void *dx, const void *g,
                                   const void *y) {
  BY_TYPE(softmax_grad, log, e, dx, g, y);
}

static void reference_log_sum_exp(AbDtype dtype, AbExtent e, void *y, const void *x) {
  BY_TYPE(log_sum_exp, e, y, x);
}

static void reference_cumulative_sum(AbDtype dtype, bool reverse, AbExtent e, void *y,
                                     const void *x) {
  BY_TYPE(cumulative_sum, reverse, e, y, x);
}

const AbReductionKernels reference_reductions = {
    .extreme = reference_extreme,
    .norm = reference_norm,
    .variance = reference_variance,
    .softmax = reference_softmax,
    .softmax_grad = reference_softmax_grad,
    .log_sum_exp = reference_log_sum_exp,
    .cumulative_sum = reference_cumulative_sum,
};
