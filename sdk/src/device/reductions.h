/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions beyond the sum, and functions along an axis. Kernels of a device: see device.h for
 * what holds for all. x is [outer, middle, inner], dense; what is reduced, or gone along, is
 * `middle`, of at least 1 unless said otherwise; results are [outer, inner] or like x.           */
#ifndef SDK_DEVICE_REDUCTIONS_H
#define SDK_DEVICE_REDUCTIONS_H

#include "device.h"

typedef struct {
  int64_t outer, middle, inner;
} AbExtent;

struct AbReductionKernels {
  /* The largest or smallest number (NULL: not wanted) and where along `middle` the first of its
   * equals is (the same). A NaN is more extreme than any number.                                 */
  void (*extreme)(AbDtype dtype, bool largest, AbExtent e, void *y, int64_t *index, const void *x);
  /* (sum |x|^p)^(1/p) of p >= 1; middle may be 0. */
  void (*norm)(AbDtype dtype, double p, AbExtent e, void *y, const void *x);
  /* y := sum (x - mean)^2 / (middle - correction); the mean too unless it is NULL. In two passes.
   */
  void (*variance)(AbDtype dtype, double correction, AbExtent e, void *y, void *mean,
                   const void *x);
  /* exp(x - top) / sum exp(x - top), or its logarithm */
  void (*softmax)(AbDtype dtype, bool log, AbExtent e, void *y, const void *x);
  /* dx := y (g - sum(g y)), or of the logarithm g - exp(y) sum(g); dx may be g */
  void (*softmax_grad)(AbDtype dtype, bool log, AbExtent e, void *dx, const void *g, const void *y);
  void (*log_sum_exp)(AbDtype dtype, AbExtent e, void *y, const void *x);
  /* y_i = x_0 + ... + x_i, or x_i + ... + x_last */
  void (*cumulative_sum)(AbDtype dtype, bool reverse, AbExtent e, void *y, const void *x);
};

extern const AbReductionKernels reference_reductions, cpu_reductions;

#endif
