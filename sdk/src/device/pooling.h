/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling. Kernels of a device: see device.h for what holds for all.
 *
 * Tensors are dense in the order [n, spatial, c] with three spatial axes, of which the first may be
 * 1. An index counts row-major over the spatial axes of the larger side; -1 is none.             */
#ifndef SDK_DEVICE_POOLING_H
#define SDK_DEVICE_POOLING_H

#include "device.h"

typedef struct {
  int64_t n, c;
  int64_t in[3], out[3];
  int64_t size[3], stride[3], padding[3], dilation[3];
  bool adaptive; /* windows from floor(o in / out) to below ceil((o + 1) in / out) */
} AbPoolGeometry;

/* What the sum of a window is divided by. */
typedef enum { K_POOL_SUM, K_POOL_ALL_TAPS, K_POOL_REAL_TAPS } AbPoolDivisor;

typedef struct {
  int64_t n, c;
  int64_t in[3], out[3];
  bool linear;
} AbResizeGeometry;

struct AbPoolingKernels {
  /* y, index [n, out, c] of x [n, in, c] */
  void (*max)(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index, const void *x);
  /* One of each window by probability, from a uniform number in [0, 1) for each. */
  void (*sample)(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index, const void *x,
                 const float *uniform);
  void (*sum)(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *y, const void *x);
  /* The adjoint of sum: x [n, in, c] from y [n, out, c]. */
  void (*spread)(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *x, const void *y);
  /* y [n, few, c] := x [n, many, c] at index [n, few, c]; 0 where that is below 0 */
  void (*pick)(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *y,
               const void *x, const int32_t *index);
  /* The adjoint of pick: x := 0, then adds y at its indices. */
  void (*place)(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *x,
                const void *y, const int32_t *index);
  /* y [n, out, c] of x [n, in, c], and the adjoint */
  void (*resize)(AbDtype dtype, const AbResizeGeometry *at, void *y, const void *x);
  void (*resize_adjoint)(AbDtype dtype, const AbResizeGeometry *at, void *x, const void *y);
};

extern const AbPoolingKernels reference_pooling, cpu_pooling;

/* ---- where windows lie: for all devices ------------------------------------------------------ */

/* The taps of a window along an axis that are on it: first, first + step, ... */
typedef struct {
  int64_t first, count, step;
} AbSpan;

static inline AbSpan ab_pool_span(const AbPoolGeometry *at, int axis, int64_t o) {
  int64_t in = at->in[axis], out = at->out[axis];
  if (at->adaptive) {
    int64_t from = o * in / out, to = ((o + 1) * in + out - 1) / out;
    return (AbSpan){from, to - from, 1};
  }
  int64_t step = at->dilation[axis], first = o * at->stride[axis] - at->padding[axis];
  int64_t skipped = first < 0 ? (-first + step - 1) / step : 0;
  first += skipped * step;
  int64_t fit = first < in ? (in - 1 - first) / step + 1 : 0, left = at->size[axis] - skipped;
  int64_t count = left < fit ? left : fit;
  return (AbSpan){first, count > 0 ? count : 0, step};
}

/* What the sum of a window is multiplied by. */
static inline double ab_pool_factor(const AbPoolGeometry *at, AbPoolDivisor by,
                                    const AbSpan span[3]) {
  int64_t real = span[0].count * span[1].count * span[2].count;
  if (by == K_POOL_SUM || real == 0) return 1;
  if (by == K_POOL_REAL_TAPS) return 1.0 / (double)real;
  return 1.0 / ((double)at->size[0] * (double)at->size[1] * (double)at->size[2]);
}

/* Where output o of an axis lies between inputs low and high: y = low + share (high - low). */
typedef struct {
  int64_t low, high;
  double share;
} AbBetween;

static inline AbBetween ab_resize_between(const AbResizeGeometry *at, int axis, int64_t o) {
  int64_t in = at->in[axis], out = at->out[axis];
  if (!at->linear) {
    int64_t i = o * in / out;
    return (AbBetween){i, i, 0};
  }
  double place = ((double)o + 0.5) * ((double)in / (double)out) - 0.5;
  if (place < 0) place = 0;
  int64_t low = (int64_t)place;
  if (low >= in - 1) return (AbBetween){in - 1, in - 1, 0};
  return (AbBetween){low, low + 1, place - (double)low};
}

#endif
