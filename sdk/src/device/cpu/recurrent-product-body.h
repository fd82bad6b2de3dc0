/* SPDX-License-Identifier: Apache-2.0
 *
 * recurrent-product.h over vectors of LANES numbers; included once for each level of the machine,
 * after vector.h.
 *
 * A tile is some rows by one vector of units for each gate (a panel), or by two panels where there
 * is one gate; it has 12 sums at most, in registers, while k goes by.                            */

#define TILE static inline __attribute__((always_inline))

/* How panels lie behind each other: vector v of step k is at k step + v next. What is needed after
 * them is fetched meanwhile, `pace` numbers from `ahead` in every step.                          */
TILE void NAME(tile)(const int rows, const int vectors, int64_t depth, const float *a, int64_t lda,
                     const float *panel, int64_t step, int64_t next, float *const *y,
                     const int64_t *ldy, const bool *add, const float *ahead, int64_t pace) {
  Vector sum[12][4];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++)
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) sum[r][v] = add[v] ? LOAD(y[v] + r * ldy[v]) : SPREAD(0);
  for (int64_t k = 0; k < depth; k++, panel += step) {
    Vector b[4];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) b[v] = LOAD(panel + v * next);
    __builtin_prefetch(ahead + k * pace, 0, 2);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      Vector x = SPREAD(a[r * lda + k]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) sum[r][v] = FMA(x, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++)
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) STORE(y[v] + r * ldy[v], sum[r][v]);
}

/* Rows in tiles of 12 / vectors at most, as even as they can be. All of them together fetch the
 * panels that come after these: a thread that takes rows goes through more than its cache holds. */
TILE void NAME(rows_of)(const int vectors, const Packed *m, const PackedProduct *p,
                        const float *panel, int64_t step, int64_t next, float *const *y,
                        const int64_t *ldy, const bool *add, const float *ahead) {
  const int most = 12 / vectors;
  int64_t tiles = (p->rows + most - 1) / most, pace = vectors * LANES / tiles;
  for (int64_t t = 0, row = 0; t < tiles; t++) {
    int64_t rows = p->rows / tiles + (t < p->rows % tiles);
    const float *a = p->a + row * p->lda;
    float *to[4];
    for (int v = 0; v < vectors; v++) to[v] = y[v] + row * ldy[v];
    switch (rows) {
#define ROWS(n)                                                        \
  case n:                                                              \
    if (n <= most) NAME(tile)                                          \
    (n, vectors, m->depth, a, p->lda, panel, step, next, to, ldy, add, \
     ahead + t * m->depth * pace, pace);                               \
    break;
      ROWS(1)
      ROWS(2)
      ROWS(3)
      ROWS(4)
      ROWS(5)
      ROWS(6)
      ROWS(7)
      ROWS(8)
      ROWS(9)
      ROWS(10)
      ROWS(11)
      ROWS(12)
#undef ROWS
    }
    row += rows;
  }
}

/* Fewer units than a vector has: through a copy. */
static void NAME(rest)(const Packed *m, const PackedProduct *p, int64_t from, int64_t to) {
  float whole[4][6 * LANES];
  const float *panel = m->panels + from * m->depth * m->gates;
  for (int64_t row = 0; row < p->rows; row += 3) {
    PackedProduct part = *p;
    part.rows = p->rows - row < 3 ? p->rows - row : 3;
    part.a += row * p->lda;
    for (int64_t g = 0; g < m->gates; g++) {
      part.y[g] = whole[g];
      part.ldy[g] = LANES;
      for (int64_t r = 0; r < part.rows; r++)
        for (int64_t u = 0; u < LANES; u++)
          whole[g][r * LANES + u] =
              u < to - from && p->add[g] ? p->y[g][(row + r) * p->ldy[g] + from + u] : 0;
    }
    int64_t step = m->gates * LANES;
    switch (m->gates) {
    case 1:
      NAME(rows_of)(1, m, &part, panel, step, LANES, part.y, part.ldy, part.add, panel);
      break;
    case 3:
      NAME(rows_of)(3, m, &part, panel, step, LANES, part.y, part.ldy, part.add, panel);
      break;
    default: NAME(rows_of)(4, m, &part, panel, step, LANES, part.y, part.ldy, part.add, panel);
    }
    for (int64_t g = 0; g < m->gates; g++)
      for (int64_t r = 0; r < part.rows; r++)
        memcpy(p->y[g] + (row + r) * p->ldy[g] + from, whole[g] + r * LANES,
               (size_t)(to - from) * sizeof(float));
  }
}

/* Units [from, to): one panel, or two of one gate. */
static void NAME(group)(const Packed *m, const PackedProduct *p, int64_t from, int64_t to) {
  int64_t step = m->gates * LANES, size = m->depth * step;
  if (to - from > LANES && to - from < 2 * LANES) {
    NAME(group)(m, p, from, from + LANES);
    from += LANES;
  }
  if (to - from < LANES) {
    NAME(rest)(m, p, from, to);
    return;
  }
  const float *panel = m->panels + from / LANES * size;
  PackedProduct here = *p;
  for (int64_t g = 0; g < m->gates; g++) here.y[g] += from;
  const float *ahead = panel + (p->from_last ? -1 : 1) * size;
  float **y = here.y;
  const int64_t *ldy = p->ldy;
  const bool *add = p->add;
  if (m->gates == 4) { /* two gates at a time, so that a tile has more rows */
    NAME(rows_of)(2, m, p, panel, step, LANES, y, ldy, add, ahead);
    NAME(rows_of)
    (2, m, p, panel + 2 * LANES, step, LANES, y + 2, ldy + 2, add + 2, ahead + size / 2);
  } else if (m->gates == 3) {
    NAME(rows_of)(3, m, p, panel, step, LANES, y, ldy, add, ahead);
  } else if (to - from == LANES) {
    NAME(rows_of)(1, m, p, panel, LANES, LANES, y, ldy, add, ahead);
  } else {
    float *two[] = {y[0], y[0] + LANES};
    const int64_t strides[] = {ldy[0], ldy[0]};
    const bool both[] = {add[0], add[0]};
    NAME(rows_of)
    (2, m, p, panel, LANES, size, two, strides, both, panel + (p->from_last ? -2 : 2) * size);
  }
}

static void NAME(multiply)(const Packed *m, const PackedProduct *p, int64_t from, int64_t to) {
  int64_t width = m->gates == 1 ? 2 * LANES : LANES, groups = (to - from + width - 1) / width;
  for (int64_t i = 0; i < groups; i++) {
    int64_t u = from + (p->from_last ? groups - 1 - i : i) * width;
    NAME(group)(m, p, u, u + width < to ? u + width : to);
  }
}

static void NAME(pack_transposed)(const Packed *m, int64_t from, int64_t to) {
  float *panel = m->panels + from / LANES * m->depth * LANES;
  for (int64_t u = from; u < to; u += LANES, panel += m->depth * LANES) {
    const float *U = m->U + u * m->depth;
    int64_t k = 0;
    if (to - u >= LANES)
      for (; k + LANES <= m->depth; k += LANES)
        TRANSPOSE(U + k, m->depth, panel + k * LANES, LANES);
    for (; k < m->depth; k++)
      for (int64_t i = 0; i < LANES; i++)
        panel[k * LANES + i] = i < to - u ? U[i * m->depth + k] : 0;
  }
}

static void NAME(pack_panels)(const Packed *m, int64_t from, int64_t to) {
  int64_t width = m->gates * m->units;
  float *panel = m->panels + from / LANES * m->depth * m->gates * LANES;
  if (m->transposed) {
    NAME(pack_transposed)(m, from, to);
    return;
  }
  for (int64_t u = from; u < to; u += LANES) {
    for (int64_t k = 0; k < m->depth; k++) {
      for (int64_t g = 0; g < m->gates; g++, panel += LANES) {
        const float *U = m->U + k * width + g * m->units + u;
        if (to - u >= LANES)
          STORE(panel, LOAD(U));
        else
          for (int64_t i = 0; i < LANES; i++) panel[i] = i < to - u ? U[i] : 0;
      }
    }
  }
}
#undef TILE
