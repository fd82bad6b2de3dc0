/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of the reference device over REAL (float or double), included once for each by
 * reference.c. NAME(f) is the function's name, M(f) the library's function for the type.        */

static void NAME(reduce)(AbReduce f, int64_t outer, int64_t middle, int64_t inner, REAL *y,
                         const REAL *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      double sum = f == K_SUM ? 0 : -INFINITY;
      for (int64_t m = 0; m < middle; m++) {
        double value = (double)x[(o * middle + m) * inner + i];
        if (f == K_SUM)
          sum += value;
        else if (value > sum || value != value)
          sum = value;
      }
      y[o * inner + i] = (REAL)sum;
    }
  }
}

static void NAME(matmul)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const REAL *a,
                         int64_t lda, const REAL *b, int64_t ldb, double beta, REAL *c,
                         int64_t ldc) {
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum += (double)(ta ? a[l * lda + i] : a[i * lda + l]) *
               (double)(tb ? b[j * ldb + l] : b[l * ldb + j]);
      c[i * ldc + j] = (REAL)(beta != 0 ? sum + (double)c[i * ldc + j] : sum);
    }
  }
}
