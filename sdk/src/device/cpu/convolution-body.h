/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loops of convolution, included once for each kind of vector (vector.h). */

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
#define TWICE  _Pragma("GCC unroll 2")

/* The first `count` of a vector's numbers; the others are 0. */
INLINE Vector NAME(load_part)(const float *p, int64_t count) {
#if AVX2
  static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return (Vector)_mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *)(mask + 8 - count)));
#else
  Vector v = {0};
  memcpy(&v, p, (size_t)count * sizeof *p);
  return v;
#endif
}

INLINE void NAME(store_part)(float *p, Vector v, int64_t count) {
  if (count >= LANES) {
    STORE(p, v);
    return;
  }
#if AVX2
  __m128 part = _mm256_castps256_ps128(v);
  if (count >= 4) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(v, 1);
    p += 4, count -= 4;
  }
  if (count >= 2) {
    _mm_storel_pi((__m64 *)p, part);
    part = _mm_movehl_ps(part, part);
    p += 2, count -= 2;
  }
  if (count >= 1) _mm_store_ss(p, part);
#else
  if (count > 0) memcpy(p, &v, (size_t)count * sizeof *p);
#endif
}

/* ---- tiles ----------------------------------------------------------------------------------- */

/* R rows of WIDTH columns from `row` on: all sums stay in registers. */
INLINE void NAME(rows)(const CpuTile *t, int64_t row, const int R, const int WIDTH) {
  const int V = WIDTH / LANES;
  Vector sum[8][TILE_COLS / LANES];
  UNROLL for (int r = 0; r < R; r++) {
    UNROLL for (int v = 0; v < V; v++) {
      sum[r][v] = t->init ? LOAD(t->init + (row + r) * t->init_row + v * LANES) : (Vector){0};
    }
  }
  const int64_t a_row = t->a_row, a_step = t->a_step, b_step = t->b_step;
  for (int64_t k = 0; k < t->run_count; k++) {
    const float *a = t->a + t->runs[k].a + row * a_row, *b = t->b + t->runs[k].b * b_step;
    TWICE for (int64_t l = t->runs[k].length; l > 0; l--, a += a_step, b += b_step) {
      Vector right[TILE_COLS / LANES];
      UNROLL for (int v = 0; v < V; v++) right[v] = LOAD(b + v * LANES);
      UNROLL for (int r = 0; r < R; r++) {
        Vector left = SPREAD(a[r * a_row]);
        UNROLL for (int v = 0; v < V; v++) sum[r][v] = FMA(left, right[v], sum[r][v]);
      }
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    float *c = t->c + (row + r) * t->c_row;
    UNROLL for (int v = 0; v < V; v++) {
      if (t->cols == WIDTH)
        STORE(c + v * LANES, sum[r][v]);
      else
        NAME(store_part)(c + v * LANES, sum[r][v], t->cols - v * LANES);
    }
  }
}

#if AVX2
/* 2 P rows of 17 to 20 columns: the last 4 of two rows share a vector. */
INLINE void rows_of_20(const CpuTile *t, int64_t row, const int P) {
  const int64_t a_row = t->a_row, a_step = t->a_step, b_step = t->b_step;
  Vector sum[4][2], tail[2];
  UNROLL for (int p = 0; p < P; p++) {
    const float *first = t->init ? t->init + (row + 2 * p) * t->init_row : NULL;
    UNROLL for (int v = 0; v < 2; v++) {
      sum[2 * p][v] = first ? LOAD(first + 8 * v) : (Vector){0};
      sum[2 * p + 1][v] = first ? LOAD(first + t->init_row + 8 * v) : (Vector){0};
    }
    tail[p] = first ? (Vector)_mm256_set_m128(_mm_loadu_ps(first + t->init_row + 16),
                                              _mm_loadu_ps(first + 16))
                    : (Vector){0};
  }
  for (int64_t k = 0; k < t->run_count; k++) {
    const float *a = t->a + t->runs[k].a + row * a_row, *b = t->b + t->runs[k].b * b_step;
    TWICE for (int64_t l = t->runs[k].length; l > 0; l--, a += a_step, b += b_step) {
      Vector b0 = LOAD(b), b1 = LOAD(b + 8);
      Vector b2 = (Vector)_mm256_broadcast_ps((const __m128 *)(b + 16));
      UNROLL for (int p = 0; p < P; p++) {
        Vector even = SPREAD(a[2 * p * a_row]), odd = SPREAD(a[(2 * p + 1) * a_row]);
        sum[2 * p][0] = FMA(even, b0, sum[2 * p][0]);
        sum[2 * p][1] = FMA(even, b1, sum[2 * p][1]);
        sum[2 * p + 1][0] = FMA(odd, b0, sum[2 * p + 1][0]);
        sum[2 * p + 1][1] = FMA(odd, b1, sum[2 * p + 1][1]);
        tail[p] = FMA((Vector)_mm256_blend_ps(even, odd, 0xf0), b2, tail[p]);
      }
    }
  }
  UNROLL for (int p = 0; p < P; p++) {
    float *c = t->c + (row + 2 * p) * t->c_row, *d = c + t->c_row;
    UNROLL for (int v = 0; v < 2; v++) {
      STORE(c + 8 * v, sum[2 * p][v]);
      STORE(d + 8 * v, sum[2 * p + 1][v]);
    }
    if (t->cols == 20) {
      _mm_storeu_ps(c + 16, _mm256_castps256_ps128(tail[p]));
      _mm_storeu_ps(d + 16, _mm256_extractf128_ps(tail[p], 1));
      continue;
    }
    NAME(store_part)(c + 16, tail[p], t->cols - 16);
    Vector upper = (Vector)_mm256_permute2f128_ps(tail[p], tail[p], 0x11);
    NAME(store_part)(d + 16, upper, t->cols - 16);
  }
}

static void tile_of_20(const CpuTile *t) {
  int64_t row = 0;
  for (; row + 4 <= t->rows; row += 4) rows_of_20(t, row, 2);
  if (row + 2 <= t->rows) rows_of_20(t, row, 1), row += 2;
  if (row < t->rows) NAME(rows)(t, row, 1, 24);
}
#endif

static void NAME(tile)(const CpuTile *t) {
#if AVX2
  if (t->cols > 16 && t->cols <= 20) {
    tile_of_20(t);
    return;
  }
#endif

  int64_t row = 0, n = t->rows;
  if (t->cols > 16) {
    for (; row + 4 <= n; row += 4) NAME(rows)(t, row, 4, 24);
    if (row + 2 <= n) NAME(rows)(t, row, 2, 24), row += 2;
    if (row < n) NAME(rows)(t, row, 1, 24);
  } else if (t->cols > 8) {
    for (; row + 6 <= n; row += 6) NAME(rows)(t, row, 6, 16);
    if (row + 4 <= n) NAME(rows)(t, row, 4, 16), row += 4;
    if (row + 2 <= n) NAME(rows)(t, row, 2, 16), row += 2;
    if (row < n) NAME(rows)(t, row, 1, 16);
  } else {
    for (; row + 8 <= n; row += 8) NAME(rows)(t, row, 8, 8);
    if (row + 4 <= n) NAME(rows)(t, row, 4, 8), row += 4;
    if (row + 2 <= n) NAME(rows)(t, row, 2, 8), row += 2;
    if (row < n) NAME(rows)(t, row, 1, 8);
  }
}

/* ---- one result per position ----------------------------------------------------------------- */

INLINE float NAME(total)(Vector v) {
  float sum[LANES];
  memcpy(sum, &v, sizeof sum);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) sum[i] += sum[i + half];
  return sum[0];
}

INLINE void NAME(dots)(const int R, const float *a, int64_t a_row, const float *b,
                       const CpuRun *runs, int64_t run_count, float init, float *c, int64_t c_row) {
  Vector sum[4];
  UNROLL for (int r = 0; r < R; r++) sum[r] = (Vector){0};
  for (int64_t k = 0; k < run_count; k++) {
    const float *from = a + runs[k].a, *with = b + runs[k].b;
    int64_t l = 0, length = runs[k].length;
    for (; l + LANES <= length; l += LANES) {
      Vector right = LOAD(with + l);
      UNROLL for (int r = 0; r < R; r++) sum[r] = FMA(LOAD(from + r * a_row + l), right, sum[r]);
    }
    if (l == length) continue;
    Vector right = LOAD(with + l);
    UNROLL for (int r = 0; r < R; r++) sum[r] =
        FMA(NAME(load_part)(from + r * a_row + l, length - l), right, sum[r]);
  }
  UNROLL for (int r = 0; r < R; r++) c[r * c_row] = init + NAME(total)(sum[r]);
}

static void NAME(dot)(int64_t rows, const float *a, int64_t a_row, const float *b,
                      const CpuRun *runs, int64_t run_count, float init, float *c, int64_t c_row) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    NAME(dots)(4, a + r * a_row, a_row, b, runs, run_count, init, c + r * c_row, c_row);
  for (; r < rows; r++)
    NAME(dots)(1, a + r * a_row, a_row, b, runs, run_count, init, c + r * c_row, c_row);
}

/* ---- channel by channel ---------------------------------------------------------------------- */

INLINE void NAME(depths)(const int R, int64_t cols, const float *a, int64_t a_row, const float *b,
                         const CpuRun *runs, int64_t run_count, const float *init, float *c,
                         int64_t c_row) {
  int64_t wide = padded(cols);
  for (int64_t j = 0; j < cols; j += LANES) {
    Vector sum[4], first = init ? LOAD(init + j) : (Vector){0};
    UNROLL for (int r = 0; r < R; r++) sum[r] = first;
    for (int64_t k = 0; k < run_count; k++) {
      Vector right = LOAD(b + runs[k].b * wide + j);
      const float *from = a + runs[k].a + j;
      UNROLL for (int r = 0; r < R; r++) sum[r] = FMA(LOAD(from + r * a_row), right, sum[r]);
    }
    UNROLL for (int r = 0; r < R; r++) NAME(store_part)(c + r * c_row + j, sum[r], cols - j);
  }
}

static void NAME(depth)(int64_t rows, int64_t cols, const float *a, int64_t a_row, const float *b,
                        const CpuRun *runs, int64_t run_count, const float *init, float *c,
                        int64_t c_row) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    NAME(depths)(4, cols, a + r * a_row, a_row, b, runs, run_count, init, c + r * c_row, c_row);
  for (; r < rows; r++)
    NAME(depths)(1, cols, a + r * a_row, a_row, b, runs, run_count, init, c + r * c_row, c_row);
}

/* T taps at once. */
INLINE void NAME(depth_taps)(const int T, int64_t lines, int64_t rows, int64_t cols, const float *a,
                             int64_t a_line, int64_t a_row, const float *g, int64_t g_line,
                             const CpuRun *runs, float *w) {
  int64_t wide = padded(cols);
  for (int64_t j = 0; j < cols; j += LANES) {
    Vector sum[8];
    UNROLL for (int k = 0; k < T; k++) sum[k] = LOAD(w + runs[k].b * wide + j);
    for (int64_t l = 0; l < lines; l++) {
      for (int64_t r = 0; r < rows; r++) {
        Vector right = LOAD(g + l * g_line + r * cols + j);
        const float *from = a + l * a_line + r * a_row + j;
        UNROLL for (int k = 0; k < T; k++) sum[k] = FMA(LOAD(from + runs[k].a), right, sum[k]);
      }
    }
    UNROLL for (int k = 0; k < T; k++) STORE(w + runs[k].b * wide + j, sum[k]);
  }
}

static void NAME(depth_weights)(int64_t lines, int64_t rows, int64_t cols, const float *a,
                                int64_t a_line, int64_t a_row, const float *g, int64_t g_line,
                                const CpuRun *runs, int64_t run_count, float *w) {
  int64_t k = 0;
  for (; k + 3 <= run_count; k += 3)
    NAME(depth_taps)(3, lines, rows, cols, a, a_line, a_row, g, g_line, runs + k, w);
  for (; k < run_count; k++)
    NAME(depth_taps)(1, lines, rows, cols, a, a_line, a_row, g, g_line, runs + k, w);
}

/* ---- minimal filtering ----------------------------------------------------------------------- */

/* Two columns of x through the first stage, B' x */
INLINE void NAME(input_columns)(const float *x, int64_t line, int64_t channels, Vector *t) {
  UNROLL for (int j = 0; j < 2; j++) {
    const float *p = x + j * channels;
    Vector a = LOAD(p), b = LOAD(p + line), c = LOAD(p + 2 * line), d = LOAD(p + 3 * line);
    t[j] = a - c;
    t[2 + j] = b + c;
    t[4 + j] = c - b;
    t[6 + j] = b - d;
  }
}

static void NAME(winograd_input)(int64_t tiles, int64_t channels, const float *x, int64_t line,
                                 float *v, int64_t stride) {
  int64_t wide = padded(channels), plane = stride * wide;
  for (int64_t j = 0; j < channels; j += LANES) {
    Vector left[8], right[8];
    NAME(input_columns)(x + j, line, channels, left);
    for (int64_t tile = 0; tile < tiles; tile++) {
      NAME(input_columns)(x + (2 * tile + 2) * channels + j, line, channels, right);
      float *to = v + tile * wide + j;
      UNROLL for (int i = 0; i < 4; i++) {
        Vector a = left[2 * i], b = left[2 * i + 1], c = right[2 * i], d = right[2 * i + 1];
        STORE(to + (4 * i) * plane, a - c);
        STORE(to + (4 * i + 1) * plane, b + c);
        STORE(to + (4 * i + 2) * plane, c - b);
        STORE(to + (4 * i + 3) * plane, b - d);
      }
      UNROLL for (int i = 0; i < 8; i++) left[i] = right[i];
    }
  }
}

static void NAME(winograd_output)(int64_t lines, int64_t columns, int64_t channels, const float *m,
                                  int64_t stride, const float *bias, float *y, int64_t line) {
  int64_t wide = padded(channels), plane = stride * wide;
  for (int64_t column = 0; column < columns; column += 2, m += wide, y += 2 * channels) {
    for (int64_t j = 0; j < channels; j += LANES) {
      Vector top[4], low[4], first = bias ? LOAD(bias + j) : (Vector){0};
      UNROLL for (int i = 0; i < 4; i++) {
        const float *p = m + i * plane + j;
        Vector a = LOAD(p), b = LOAD(p + 4 * plane), c = LOAD(p + 8 * plane);
        Vector d = LOAD(p + 12 * plane);
        top[i] = a + (b + c);
        low[i] = (b - c) - d;
      }
      Vector y00 = top[0] + (top[1] + top[2]) + first, y01 = (top[1] - top[2]) - top[3] + first;
      Vector y10 = low[0] + (low[1] + low[2]) + first, y11 = (low[1] - low[2]) - low[3] + first;
      int64_t count = channels - j;
      NAME(store_part)(y + j, y00, count);
      if (column + 1 < columns) NAME(store_part)(y + channels + j, y01, count);
      if (lines < 2) continue;
      NAME(store_part)(y + line + j, y10, count);
      if (column + 1 < columns) NAME(store_part)(y + line + channels + j, y11, count);
    }
  }
}

static void NAME(winograd_gradient)(int64_t tiles, int64_t channels, const float *g, int64_t line,
                                    float *v, int64_t stride) {
  int64_t wide = padded(channels), plane = stride * wide;
  for (int64_t tile = 0; tile < tiles; tile++, g += 2 * channels, v += wide) {
    for (int64_t j = 0; j < channels; j += LANES) {
      const float *p = g + j;
      Vector a = LOAD(p), b = LOAD(p + channels), c = LOAD(p + line), d = LOAD(p + line + channels);
      Vector left[4] = {a, a + c, a - c, -c}, right[4] = {b, b + d, b - d, -d};
      UNROLL for (int i = 0; i < 4; i++) {
        float *to = v + 4 * i * plane + j;
        STORE(to, left[i]);
        STORE(to + plane, left[i] + right[i]);
        STORE(to + 2 * plane, left[i] - right[i]);
        STORE(to + 3 * plane, -right[i]);
      }
    }
  }
}

/* ---- sigmoid --------------------------------------------------------------------------------- */

#define SELECT(mask, a, b) ((Vector)(((mask) & (Integers)(a)) | (~(mask) & (Integers)(b))))

/* 1 / (1 + exp(-x)), exp as in vector-math.h; below -88 it stays at exp(-88). */
INLINE Vector NAME(sigmoid)(Vector x) {
  const Vector low = SPREAD(-87.f), high = SPREAD(88.f), magic = SPREAD(12582912.f);
  Vector t = -x;
  t = SELECT(t > high, high, t);
  t = SELECT(t < low, low, t);
  Vector n = FMA(t, SPREAD(1.44269504088896341f), magic);
  Integers k = (Integers)n - 0x4B400000;
  n -= magic;
  Vector r = FMA(n, SPREAD(-0.693359375f), t);
  r = FMA(n, SPREAD(2.12194440e-4f), r);
  Vector p = SPREAD(1.9875691500e-4f);
  p = FMA(p, r, SPREAD(1.3981999507e-3f));
  p = FMA(p, r, SPREAD(8.3334519073e-3f));
  p = FMA(p, r, SPREAD(4.1665795894e-2f));
  p = FMA(p, r, SPREAD(1.6666665459e-1f));
  p = FMA(p, r, SPREAD(5.0000001201e-1f));
  p = FMA(p, r * r, r) + 1.f;
  return 1.f / FMA(p, (Vector)((k + 127) << 23), SPREAD(1.f));
}

static void NAME(sigmoids)(int64_t n, float *y) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) STORE(y + i, NAME(sigmoid)(LOAD(y + i)));
  if (i < n) NAME(store_part)(y + i, NAME(sigmoid)(NAME(load_part)(y + i, n - i)), n - i);
}

static const CpuTileKernels NAME(tile_kernels) = {
    .sigmoids = NAME(sigmoids),
    .tile = NAME(tile),
    .dot = NAME(dot),
    .depth = NAME(depth),
    .depth_weights = NAME(depth_weights),
    .winograd_input = NAME(winograd_input),
    .winograd_output = NAME(winograd_output),
    .winograd_gradient = NAME(winograd_gradient),
};

#undef SELECT
#undef INLINE
#undef UNROLL
#undef TWICE
