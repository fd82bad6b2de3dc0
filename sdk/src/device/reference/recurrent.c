/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: one row of one step after another. */
#include "../recurrent.h"
#include <math.h>
#include <string.h>

#define REAL    float
#define NAME(f) recurrent_##f##_f32
#define M(name) name##f
#include "recurrent-real.h"
#undef REAL
#undef NAME
#undef M
#define REAL    double
#define NAME(f) recurrent_##f##_f64
#define M(name) name
#include "recurrent-real.h"
#undef REAL
#undef NAME
#undef M

static void recurrent_forward(AbDtype dtype, const AbRecurrent *f) {
  if (dtype == AB_F32)
    recurrent_forward_f32(f);
  else
    recurrent_forward_f64(f);
}

static void recurrent_backward(AbDtype dtype, const AbRecurrent *f, const AbRecurrentGradient *b) {
  if (dtype == AB_F32)
    recurrent_backward_f32(f, b);
  else
    recurrent_backward_f64(f, b);
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
