/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index: plain loops. */
#include "../index.h"
#include "reference.h"
#include <string.h>

static void reference_gather(AbDtype dtype, const AbLoop *loop, int64_t stride, void *y,
                             const void *x, const int64_t *index) {
  int64_t position[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0}, size = (int64_t)ab_dtype_size(dtype);
  do {
    int64_t from = at[1] + stride * index[at[2]];
    memcpy((char *)y + at[0] * size, (const char *)x + from * size, (size_t)size);
  } while (advance(loop, position, at));
}

static void reference_take_rows(AbDtype dtype, int64_t outer, int64_t n, int64_t m, int64_t inner,
                                void *y, const void *x, const int64_t *index) {
  size_t size = (size_t)inner * ab_dtype_size(dtype);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < m; i++)
      memcpy((char *)y + (size_t)(o * m + i) * size,
             (const char *)x + (size_t)(o * n + index[i]) * size, size);
}

#define LOOPS "index-real.h"
#include "both-types.h"

static void reference_scatter_add(AbDtype dtype, const AbLoop *loop, int64_t stride, void *y,
                                  const void *x, const int64_t *index) {
  BY_TYPE(scatter_add, loop, stride, y, x, index);
}

static void reference_add_rows(AbDtype dtype, int64_t outer, int64_t n, int64_t m, int64_t inner,
                               void *y, const void *x, const int64_t *index) {
  BY_TYPE(add_rows, outer, n, m, inner, y, x, index);
}

const AbIndexKernels reference_index = {
    .gather = reference_gather,
    .scatter_add = reference_scatter_add,
    .take_rows = reference_take_rows,
    .add_rows = reference_add_rows,
};
