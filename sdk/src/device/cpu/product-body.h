/* SPDX-License-Identifier: Apache-2.0
 *
 * The product of product.h over vectors of LANES numbers; included once for each level of the
 * machine, after vector.h.
 *
 * A panel of b (2 LANES columns) is packed row by row, so that it stays in the first cache; tiles
 * of 6 rows of c by 2 vectors stay in registers while k goes by (Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008). */

#define SOME_ROWS NAME(some_rows)
#define STRIP     NAME(strip)
#define PACK      NAME(pack)

#define TILE_ROWS 6
#define PANEL     (2 * LANES)
#define DEPTH     256 /* of a panel: 16 kB */

/* c [rows, PANEL] := a b + c or a b; panel [k, PANEL] dense */
static inline __attribute__((always_inline)) void NAME(tile)(const int rows, int64_t k,
                                                             const float *a, int64_t row,
                                                             int64_t column, const float *panel,
                                                             bool add, float *c, int64_t ldc) {
  Vector sum[TILE_ROWS][2];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    sum[r][0] = add ? LOAD(c + r * ldc) : SPREAD(0);
    sum[r][1] = add ? LOAD(c + r * ldc + LANES) : SPREAD(0);
  }
  for (int64_t l = 0; l < k; l++, a += column, panel += PANEL) {
    Vector left = LOAD(panel), right = LOAD(panel + LANES);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      Vector x = SPREAD(a[r * row]);
      sum[r][0] = FMA(x, left, sum[r][0]);
      sum[r][1] = FMA(x, right, sum[r][1]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    STORE(c + r * ldc, sum[r][0]);
    STORE(c + r * ldc + LANES, sum[r][1]);
  }
}

static inline __attribute__((always_inline)) void
NAME(some_rows)(int64_t rows, int64_t k, const float *a, int64_t row, int64_t column,
                const float *panel, bool add, float *c, int64_t ldc) {
  switch (rows) {
  case 1: NAME(tile)(1, k, a, row, column, panel, add, c, ldc); break;
  case 2: NAME(tile)(2, k, a, row, column, panel, add, c, ldc); break;
  case 3: NAME(tile)(3, k, a, row, column, panel, add, c, ldc); break;
  case 4: NAME(tile)(4, k, a, row, column, panel, add, c, ldc); break;
  case 5: NAME(tile)(5, k, a, row, column, panel, add, c, ldc); break;
  default: NAME(tile)(6, k, a, row, column, panel, add, c, ldc);
  }
}

/* c [m, PANEL] from a panel; `cols` of them are there. */
static inline __attribute__((always_inline)) void NAME(strip)(int64_t m, int64_t cols, int64_t k,
                                                              const float *a, int64_t row,
                                                              int64_t column, const float *panel,
                                                              bool add, float *c, int64_t ldc) {
  for (int64_t i = 0; i < m; i += TILE_ROWS) {
    int64_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
    const float *from = a + i * row;
    float *to = c + i * ldc;
    if (cols == PANEL) {
      SOME_ROWS(rows, k, from, row, column, panel, add, to, ldc);
      continue;
    }
    float whole[TILE_ROWS * PANEL];
    SOME_ROWS(rows, k, from, row, column, panel, false, whole, PANEL);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t j = 0; j < cols; j++)
        to[r * ldc + j] = whole[r * PANEL + j] + (add ? to[r * ldc + j] : 0);
  }
}

static void NAME(pack)(bool transposed, int64_t k, int64_t cols, const float *b, int64_t ldb,
                       float *panel) {
  if (!transposed && cols == PANEL) {
    for (int64_t l = 0; l < k; l++, b += ldb, panel += PANEL) {
      STORE(panel, LOAD(b));
      STORE(panel + LANES, LOAD(b + LANES));
    }
    return;
  }
  int64_t done = 0;
  if (transposed && cols == PANEL)
    for (; done + LANES <= k; done += LANES) {
      TRANSPOSE(b + done, ldb, panel + done * PANEL, PANEL);
      TRANSPOSE(b + done + LANES * ldb, ldb, panel + done * PANEL + LANES, PANEL);
    }
  for (int64_t l = done; l < k; l++)
    for (int64_t j = 0; j < PANEL; j++)
      panel[l * PANEL + j] = j >= cols ? 0 : transposed ? b[j * ldb + l] : b[l * ldb + j];
}

static void NAME(product)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a,
                          int64_t lda, const float *b, int64_t ldb, bool add, float *c,
                          int64_t ldc) {
  float panel[DEPTH * PANEL] __attribute__((aligned(64)));
  for (int64_t l = 0; l < k; l += DEPTH) {
    int64_t depth = k - l < DEPTH ? k - l : DEPTH;
    const float *from = ta ? a + l * lda : a + l;
    bool more = add || l > 0;
    for (int64_t j = 0; j < n; j += PANEL) {
      int64_t cols = n - j < PANEL ? n - j : PANEL;
      PACK(tb, depth, cols, tb ? b + j * ldb + l : b + l * ldb + j, ldb, panel);
      if (ta)
        STRIP(m, cols, depth, from, 1, lda, panel, more, c + j, ldc);
      else
        STRIP(m, cols, depth, from, lda, 1, panel, more, c + j, ldc);
    }
  }
}

#undef TILE_ROWS
#undef PANEL
#undef DEPTH
#undef SOME_ROWS
#undef STRIP
#undef PACK
