/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of recurrent layers over REAL (float or double), included once for each by recurrent.c.
 * M(f) is the library's function for the type. Sums are carried in double.                       */

static REAL NAME(sigmoid)(REAL x) {
  return 1 / (1 + M(exp)(-x));
}

/* sum_k h_k U_kj */
static double NAME(received)(const AbRecurrent *f, const REAL *h, int64_t j) {
  int64_t width = recurrent_blocks(f->cell) * f->units;
  const REAL *U = f->U;
  double sum = 0;
  for (int64_t k = 0; k < f->units; k++) sum += (double)h[k] * (double)U[k * width + j];
  return sum;
}

/* x W + h U + b for column j, where x W is in `gates` */
static REAL NAME(total)(const AbRecurrent *f, const REAL *gates, const REAL *h, int64_t j) {
  const REAL *b = f->b;
  return (REAL)((double)gates[j] + NAME(received)(f, h, j) + (b ? (double)b[j] : 0));
}

/* ---- one row of one step: the next state from the one before --------------------------------- */

static void NAME(elman)(const AbRecurrent *f, const REAL *gates, const REAL *before, REAL *h) {
  for (int64_t u = 0; u < f->units; u++) {
    REAL a = NAME(total)(f, gates, before, u);
    h[u] = f->cell == K_ELMAN_TANH ? M(tanh)(a) : a > 0 ? a : a != a ? a : 0;
  }
}

static void NAME(lstm)(const AbRecurrent *f, REAL *gates, const REAL *before, const REAL *c_before,
                       REAL *h, REAL *c) {
  int64_t H = f->units;
  const REAL *p = f->p;
  for (int64_t u = 0; u < H; u++) {
    REAL *i = gates + u, *forget = i + H, *g = forget + H, *o = g + H;
    REAL pi = p ? p[u] * c_before[u] : 0, pf = p ? p[H + u] * c_before[u] : 0;
    *i = NAME(sigmoid)(NAME(total)(f, gates, before, u) + pi);
    *forget = NAME(sigmoid)(NAME(total)(f, gates, before, H + u) + pf);
    *g = M(tanh)(NAME(total)(f, gates, before, 2 * H + u));
    c[u] = *forget * c_before[u] + *i * *g;
    *o = NAME(sigmoid)(NAME(total)(f, gates, before, 3 * H + u) + (p ? p[2 * H + u] * c[u] : 0));
    h[u] = *o * M(tanh)(c[u]);
  }
}

static void NAME(gru)(const AbRecurrent *f, REAL *gates, const REAL *before, REAL *h, REAL *kept) {
  int64_t H = f->units;
  const REAL *b = f->b, *d = f->d;
  for (int64_t u = 0; u < H; u++) {
    REAL *r = gates + u, *z = r + H, *n = z + H;
    *r = NAME(sigmoid)(NAME(total)(f, gates, before, u));
    *z = NAME(sigmoid)(NAME(total)(f, gates, before, H + u));
    kept[u] = (REAL)(NAME(received)(f, before, 2 * H + u) + (d ? (double)d[u] : 0));
    *n = M(tanh)(*n + (b ? b[2 * H + u] : 0) + *r * kept[u]);
    h[u] = (1 - *z) * *n + *z * before[u];
  }
}

static void NAME(forward)(const AbRecurrent *f) {
  int64_t H = f->units, width = recurrent_blocks(f->cell) * H;
  for (int64_t k = 0; k < f->steps; k++) {
    int64_t s = f->reverse ? f->steps - 1 - k : k;
    for (int64_t i = 0; i < f->rows; i++) {
      int64_t from = ((s + f->reverse) * f->rows + i) * H,
              to = ((s + !f->reverse) * f->rows + i) * H;
      REAL *gates = (REAL *)f->gates + (s * f->rows + i) * width;
      REAL *h = f->h, *c = f->c;
      if (f->lengths && s >= f->lengths[i]) {
        memcpy(h + to, h + from, (size_t)H * sizeof *h);
        if (f->cell == K_LSTM) memcpy(c + to, c + from, (size_t)H * sizeof *c);
      } else if (f->cell == K_LSTM) {
        NAME(lstm)(f, gates, h + from, c + from, h + to, c + to);
      } else if (f->cell == K_GRU) {
        NAME(gru)(f, gates, h + from, h + to, c + (s * f->rows + i) * H);
      } else {
        NAME(elman)(f, gates, h + from, h + to);
      }
    }
  }
}

/* ---- backward: dh and dc of the next state become those of the one before, but for h U ------ */

static void NAME(elman_gradient)(const AbRecurrent *f, const REAL *h, REAL *dh, REAL *sums) {
  for (int64_t u = 0; u < f->units; u++) {
    sums[u] = f->cell == K_ELMAN_TANH ? dh[u] * (1 - h[u] * h[u]) : h[u] > 0 ? dh[u] : 0;
    dh[u] = 0;
  }
}

static void NAME(lstm_gradient)(const AbRecurrent *f, const REAL *gates, const REAL *c_before,
                                const REAL *c, REAL *dh, REAL *dc, REAL *sums) {
  int64_t H = f->units;
  const REAL *p = f->p;
  for (int64_t u = 0; u < H; u++) {
    REAL i = gates[u], forget = gates[H + u], g = gates[2 * H + u], o = gates[3 * H + u];
    REAL squashed = M(tanh)(c[u]);
    REAL d_o = dh[u] * squashed * o * (1 - o);
    REAL d = dc[u] + dh[u] * o * (1 - squashed * squashed) + (p ? d_o * p[2 * H + u] : 0);
    REAL d_i = d * g * i * (1 - i), d_f = d * c_before[u] * forget * (1 - forget);
    sums[u] = d_i;
    sums[H + u] = d_f;
    sums[2 * H + u] = d * i * (1 - g * g);
    sums[3 * H + u] = d_o;
    dc[u] = d * forget + (p ? d_i * p[u] + d_f * p[H + u] : 0);
    dh[u] = 0;
  }
}

static void NAME(gru_gradient)(const AbRecurrent *f, const REAL *gates, const REAL *before,
                               const REAL *kept, REAL *dh, REAL *sums) {
  int64_t H = f->units;
  for (int64_t u = 0; u < H; u++) {
    REAL r = gates[u], z = gates[H + u], n = gates[2 * H + u];
    REAL d_n = dh[u] * (1 - z) * (1 - n * n);
    sums[u] = d_n;
    sums[H + u] = d_n * kept[u] * r * (1 - r);
    sums[2 * H + u] = dh[u] * (before[u] - n) * z * (1 - z);
    sums[3 * H + u] = d_n * r;
    dh[u] = dh[u] * z;
  }
}

/* dh += sums U' */
static void NAME(send_back)(const AbRecurrent *f, const REAL *sums, REAL *dh) {
  int64_t H = f->units, width = recurrent_blocks(f->cell) * H;
  const REAL *U = f->U;
  if (f->cell == K_GRU) sums += H;
  for (int64_t k = 0; k < H; k++) {
    double sum = 0;
    for (int64_t j = 0; j < width; j++) sum += (double)sums[j] * (double)U[k * width + j];
    dh[k] += (REAL)sum;
  }
}

static void NAME(backward)(const AbRecurrent *f, const AbRecurrentGradient *b) {
  int64_t H = f->units, width = recurrent_blocks(f->cell) * H;
  int64_t sum_width = recurrent_gradient_blocks(f->cell) * H;
  for (int64_t k = f->steps - 1; k >= 0; k--) {
    int64_t s = f->reverse ? f->steps - 1 - k : k;
    for (int64_t i = 0; i < f->rows; i++) {
      int64_t from = ((s + f->reverse) * f->rows + i) * H,
              to = ((s + !f->reverse) * f->rows + i) * H;
      int64_t row = s * f->rows + i;
      const REAL *gates = (const REAL *)f->gates + row * width, *h = f->h, *c = f->c, *g = b->g;
      REAL *sums = (REAL *)b->sums + row * sum_width;
      REAL *dh = (REAL *)b->dh + i * H, *dc = (REAL *)b->dc + i * H;
      for (int64_t u = 0; u < H; u++) dh[u] += g[to + u];
      if (f->lengths && s >= f->lengths[i]) {
        memset(sums, 0, (size_t)sum_width * sizeof *sums);
        continue;
      }
      if (f->cell == K_LSTM)
        NAME(lstm_gradient)(f, gates, c + from, c + to, dh, dc, sums);
      else if (f->cell == K_GRU)
        NAME(gru_gradient)(f, gates, h + from, c + row * H, dh, sums);
      else
        NAME(elman_gradient)(f, h + to, dh, sums);
      NAME(send_back)(f, sums, dh);
    }
  }
}
