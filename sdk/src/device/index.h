/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index. Kernels of a device: see device.h for what holds for all. Indices have been
 * checked.                                                                                       */
#ifndef SDK_DEVICE_INDEX_H
#define SDK_DEVICE_INDEX_H

#include "device.h"

struct AbIndexKernels {
  /* y[...] := x[... + stride * index[...]] over a loop of [0] y, [1] x, [2] index. */
  void (*gather)(AbDtype any, const AbLoop *loop, int64_t stride, void *y, const void *x,
                 const int64_t *index);
  /* y[... + stride * index[...]] += x[...] over a loop of [0] x, [1] y, [2] index, in its order. */
  void (*scatter_add)(AbDtype dtype, const AbLoop *loop, int64_t stride, void *y, const void *x,
                      const int64_t *index);
  /* y [outer, m, inner] := rows index[0 to m) of x [outer, n, inner], dense */
  void (*take_rows)(AbDtype any, int64_t outer, int64_t n, int64_t m, int64_t inner, void *y,
                    const void *x, const int64_t *index);
  /* y [outer, n, inner] += x [outer, m, inner] at rows index[0 to m), one after another */
  void (*add_rows)(AbDtype dtype, int64_t outer, int64_t n, int64_t m, int64_t inner, void *y,
                   const void *x, const int64_t *index);
};

extern const AbIndexKernels reference_index, cpu_index;

#endif
