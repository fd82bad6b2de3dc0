/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of linalg.c over REAL, included once for float and once for double. */

static void NAME(sparse)(const AbPattern *s, int64_t n, const REAL *values, const REAL *x,
                         REAL *y) {
  for (int64_t r = 0; r < s->rows; r++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t e = s->starts[r]; e < s->starts[r + 1]; e++)
        sum += (double)values[s->order ? s->order[e] : e] * (double)x[s->columns[e] * n + j];
      y[r * n + j] = (REAL)sum;
    }
  }
}

static void NAME(sparse_dots)(const AbPattern *s, int64_t n, const REAL *a, const REAL *b,
                              REAL *y) {
  for (int64_t r = 0; r < s->rows; r++) {
    for (int64_t e = s->starts[r]; e < s->starts[r + 1]; e++) {
      double sum = 0;
      for (int64_t j = 0; j < n; j++)
        sum += (double)a[r * n + j] * (double)b[s->columns[e] * n + j];
      y[e] = (REAL)sum;
    }
  }
}

/* l_jj = sqrt(x_jj - sum_k l_jk^2);   l_ij = (x_ij - sum_k l_ik l_jk) / l_jj, i > j */
static int64_t NAME(factor)(int64_t n, REAL *x) {
  int64_t bad = -1;
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = 0; i < j; i++) x[i * n + j] = 0;
    for (int64_t i = j; i < n; i++) {
      double sum = (double)x[i * n + j];
      for (int64_t k = 0; k < j; k++) sum -= (double)x[i * n + k] * (double)x[j * n + k];
      if (i == j && !(sum > 0) && bad < 0) bad = j;
      x[i * n + j] = (REAL)(i == j ? sqrt(sum) : sum / (double)x[j * n + j]);
    }
  }
  return bad;
}

static void NAME(cholesky)(int64_t batch, int64_t n, REAL *x, int64_t *pivot) {
  for (int64_t b = 0; b < batch; b++) pivot[b] = NAME(factor)(n, x + b * n * n);
}

/* Forward through the rows of a lower triangle, backward through those of an upper one. */
static void NAME(solve)(bool lower, bool transposed, int64_t batch, int64_t n, int64_t k,
                        const REAL *l, REAL *x) {
  bool forward = lower != transposed;
  for (int64_t b = 0; b < batch; b++, l += n * n, x += n * k) {
    for (int64_t row = 0; row < n; row++) {
      int64_t i = forward ? row : n - 1 - row;
      for (int64_t c = 0; c < k; c++) {
        double sum = (double)x[i * k + c];
        for (int64_t j = forward ? 0 : i + 1; j < (forward ? i : n); j++)
          sum -= (double)(transposed ? l[j * n + i] : l[i * n + j]) * (double)x[j * k + c];
        x[i * k + c] = (REAL)(sum / (double)l[i * n + i]);
      }
    }
  }
}
