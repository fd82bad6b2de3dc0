/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index on the cpu device. Threads share the places that are written, so every number is
 * the sum of the same terms in the same order on any number of them.                             */
#include "../index.h"
#include "cpu.h"
#include <string.h>

#define CHEAP 65536 /* elements from which a second thread pays */

/* ---- element by element ---------------------------------------------------------------------- */

#define GATHER_ROW(T)                                                               \
  {                                                                                 \
    T *to = (T *)y + at[0];                                                         \
    const T *from = (const T *)x + at[1];                                           \
    for (int64_t i = 0; i < n; i++) to[i * s0] = from[i * s1 + stride * k[i * s2]]; \
  }

/* Row `row` of the loop without its last axis. */
static void gather_row(AbDtype dtype, const AbLoop *loop, int64_t row, int64_t stride, void *y,
                       const void *x, const int64_t *index) {
  int32_t last = loop->rank - 1;
  int64_t n = loop->shape[last], at[3] = {0};
  int64_t s0 = loop->stride[0][last], s1 = loop->stride[1][last], s2 = loop->stride[2][last];
  for (int32_t i = last - 1; i >= 0; i--) {
    for (int k = 0; k < 3; k++) at[k] += row % loop->shape[i] * loop->stride[k][i];
    row /= loop->shape[i];
  }
  const int64_t *k = index + at[2];
  switch (ab_dtype_size(dtype)) {
  case 1: GATHER_ROW(uint8_t) break;
  case 4: GATHER_ROW(uint32_t) break;
  default: GATHER_ROW(uint64_t)
  }
}

static void cpu_gather(AbDtype dtype, const AbLoop *loop, int64_t stride, void *y, const void *x,
                       const int64_t *index) {
  if (loop->rank == 0) {
    reference_index.gather(dtype, loop, stride, y, x, index);
    return;
  }
  int64_t rows = 1;
  for (int32_t i = 0; i + 1 < loop->rank; i++) rows *= loop->shape[i];
#pragma omp parallel for schedule(static) if (rows * loop->shape[loop->rank - 1] > CHEAP)
  for (int64_t r = 0; r < rows; r++) gather_row(dtype, loop, r, stride, y, x, index);
}

/* Two terms may meet in one place: one thread. */
static void cpu_scatter_add(AbDtype dtype, const AbLoop *loop, int64_t stride, void *y,
                            const void *x, const int64_t *index) {
  reference_index.scatter_add(dtype, loop, stride, y, x, index);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void cpu_take_rows(AbDtype dtype, int64_t outer, int64_t n, int64_t m, int64_t inner,
                          void *y, const void *x, const int64_t *index) {
  size_t size = (size_t)inner * ab_dtype_size(dtype);
#pragma omp parallel for schedule(static) if (outer * m * inner > CHEAP)
  for (int64_t r = 0; r < outer * m; r++)
    memcpy((char *)y + (size_t)r * size,
           (const char *)x + (size_t)(r / m * n + index[r % m]) * size, size);
}

#define STRIP 64

/* Columns [from, to) of all rows, in the order of the rows. */
CLONES static void add_strip(int64_t from, int64_t to, int64_t m, int64_t inner, float *y,
                             const float *x, const int64_t *index) {
  for (int64_t i = 0; i < m; i++) {
    float *restrict sum = y + index[i] * inner;
    const float *restrict row = x + i * inner;
    for (int64_t j = from; j < to; j++) sum[j] += row[j];
  }
}

static void cpu_add_rows(AbDtype dtype, int64_t outer, int64_t n, int64_t m, int64_t inner, void *y,
                         const void *x, const int64_t *index) {
  if (dtype != AB_F32) {
    reference_index.add_rows(dtype, outer, n, m, inner, y, x, index);
    return;
  }
  int64_t strips = (inner + STRIP - 1) / STRIP;
#pragma omp parallel for schedule(static) if (outer * m * inner > CHEAP)
  for (int64_t item = 0; item < outer * strips; item++) {
    int64_t o = item / strips, from = item % strips * STRIP;
    add_strip(from, from + STRIP < inner ? from + STRIP : inner, m, inner,
              (float *)y + o * n * inner, (const float *)x + o * m * inner, index);
  }
}

const AbIndexKernels cpu_index = {
    .gather = cpu_gather,
    .scatter_add = cpu_scatter_add,
    .take_rows = cpu_take_rows,
    .add_rows = cpu_add_rows,
};
