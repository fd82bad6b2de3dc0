/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of elements on the reference device. */
#include "../activations.h"
#include "reference.h"
#include <math.h>

/* The number of a function where none is given. */
static double preset(AbUnary f) {
  return f == K_LEAKY_RELU ? AB_LEAKY_SLOPE : 1;
}

#define LOOPS "elements-real.h"
#include "both-types.h"

void reference_unary_by(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x, double a,
                        double b) {
  BY_TYPE(unary_by, f, n, y, x, a, b);
}

void reference_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x) {
  reference_unary_by(f, dtype, n, y, x, preset(f), 0);
}

void reference_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale,
                      double shift) {
  BY_TYPE(affine, n, y, x, scale, shift);
}

void reference_binary_by(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                         const void *b, double p, double q) {
  BY_TYPE(binary_by, f, loop, y, a, b, p, q);
}

void reference_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                      const void *b) {
  double p = preset(f == K_LEAKY_RELU_GRAD ? K_LEAKY_RELU : K_ELU);
  reference_binary_by(f, dtype, loop, y, a, b, p, 0);
}

void reference_where(AbDtype dtype, const AbLoop *loop, void *y, AbDtype any, const void *condition,
                     const void *a, const void *b) {
  BY_TYPE(where, loop, y, any, condition, a, b);
}

void reference_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                             const void *b) {
  BY_TYPE(bias_activate, f, rows, cols, y, b);
}
