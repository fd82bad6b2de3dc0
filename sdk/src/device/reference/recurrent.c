/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: one row of one step after another. */
#include "../recurrent.h"
#include <math.h>
#include <string.h>

#define LOOPS "recurrent-real.h"
#include "both-types.h"

static void recurrent_forward(AbDtype dtype, const AbRecurrent *f) {
  BY_TYPE(forward, f);
}

static void recurrent_backward(AbDtype dtype, const AbRecurrent *f, const AbRecurrentGradient *b) {
  BY_TYPE(backward, f, b);
}

static void recurrent_weights(AbDtype dtype, int64_t m, int64_t n, int64_t k, const void *x,
                              int64_t ldx, const void *s, int64_t lds, bool add, void *y,
                              int64_t ldy) {
  ab_device_reference.matmul(dtype, true, false, m, n, k, x, ldx, s, lds, add, y, ldy);
}

const AbRecurrentKernels reference_recurrent = {
    .forward = recurrent_forward,
    .backward = recurrent_backward,
    .weights = recurrent_weights,
};
