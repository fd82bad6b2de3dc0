/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution. Kernels of a device: see device.h for what holds for all.
 *
 * With spatial positions q of y, p of the kernel and r = q stride - before + p dilation of x
 * (positions outside x count as zeros), of each group:
 *     forward   y[n, o, q]  = sum over i, p of W[o, i, p] x[n, i, r]
 *     data      x[n, i, r]  = sum over o, p of W[o, i, p] y[n, o, q]
 *     weights   W[o, i, p]  = sum over n, q of x[n, i, r] y[n, o, q]
 * Each is the derivative of the others' scalar product, so the three are all that is needed for
 * gradients of any order.
 *
 * x and y are channels-last, [n, d, h, w, c] and dense; W is dense [out, in / groups, d, h, w].
 * Spaces of fewer axes have leading axes of 1.                                                   */
#ifndef SDK_DEVICE_CONVOLUTION_H
#define SDK_DEVICE_CONVOLUTION_H

#include "device.h"

#define CONVOLUTION_AXES 3

typedef struct {
  int64_t n, in, out, groups;
  int64_t x[CONVOLUTION_AXES], y[CONVOLUTION_AXES], k[CONVOLUTION_AXES];
  int64_t stride[CONVOLUTION_AXES], dilation[CONVOLUTION_AXES], before[CONVOLUTION_AXES];
} AbConvolutionShape;

typedef enum { K_CONVOLUTION_FORWARD, K_CONVOLUTION_DATA, K_CONVOLUTION_WEIGHTS } AbConvolutionPass;

struct AbConvolutionKernels {
  /* Bytes of `work` that a pass wants, 64-byte aligned, on as many threads as there are now. */
  size_t (*work)(AbDtype dtype, const AbConvolutionShape *s, AbConvolutionPass pass);
  /* y := activation(forward + b); b [out] or NULL. */
  void (*forward)(AbDtype dtype, const AbConvolutionShape *s, void *y, const void *x, const void *W,
                  const void *b, AbActivation f, void *work);
  /* x := activation(data + b); b [in] or NULL */
  void (*data)(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *y, const void *W,
               const void *b, AbActivation f, void *work);
  /* W := weights, or W += weights */
  void (*weights)(AbDtype dtype, const AbConvolutionShape *s, void *W, const void *x, const void *y,
                  bool add, void *work);
  /* The gradient through y = activation(z + b), all [rows, cols]: h := g f'(z) as y gives it, db
   * [cols] := (or +=) the sums of the columns of h. db may be NULL, and h too where f is the
   * identity; h may be g. The slope of f is one of its result.                                   */
  void (*unactivate)(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *h,
                     const void *g, const void *y, void *db, bool add);
  /* cols [n, (in, k), y] dense, of x [n, in, x] dense; and the sums back into x. groups is 1. */
  void (*unfold)(AbDtype dtype, const AbConvolutionShape *s, void *cols, const void *x);
  void (*fold)(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *cols);
};

extern const AbConvolutionKernels reference_convolution, cpu_convolution;

#endif
