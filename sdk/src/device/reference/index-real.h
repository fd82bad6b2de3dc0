/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums by index over REAL (float or double), included once for each by index.c. */

static void NAME(scatter_add)(const AbLoop *loop, int64_t stride, REAL *y, const REAL *x,
                              const int64_t *index) {
  int64_t position[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0};
  do {
    y[at[1] + stride * index[at[2]]] += x[at[0]];
  } while (advance(loop, position, at));
}

static void NAME(add_rows)(int64_t outer, int64_t n, int64_t m, int64_t inner, REAL *y,
                           const REAL *x, const int64_t *index) {
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < inner; j++)
        y[(o * n + index[i]) * inner + j] += x[(o * m + i) * inner + j];
}
