/* SPDX-License-Identifier: Apache-2.0
 *
 * The elementwise part of a step of a recurrent layer, over vectors of units. */
#include "recurrent-gates.h"
#include "cpu.h"

#pragma GCC optimize("fp-contract=fast") /* multiply and add in one: shorter and no less exact */
#include "vector-math.h"

/* Each loop is made for with and without biases and peepholes. */
#define INLINE static inline __attribute__((always_inline))

/* ---- forward --------------------------------------------------------------------------------- */

INLINE void elman_units(bool relu, const float *restrict b, int64_t from, int64_t to,
                        const float *restrict gates, float *restrict h) {
  for (int64_t u = from; u < to; u++) {
    float a = gates[u] + (b ? b[u] : 0);
    h[u] = relu ? (a > 0 || a != a ? a : 0) : vector_tanh(a);
  }
}

CLONES static void elman(bool relu, const float *b, int64_t from, int64_t to,
                         const RecurrentRow *row) {
  if (relu)
    elman_units(true, b, from, to, row->gates, row->h);
  else
    elman_units(false, b, from, to, row->gates, row->h);
}

INLINE void lstm_units(bool biased, bool peeping, int64_t H, const float *restrict b,
                       const float *restrict p, int64_t from, int64_t to, float *restrict gates,
                       const float *restrict before, float *restrict h, float *restrict c) {
  for (int64_t u = from; u < to; u++) {
    float i = gates[u], f = gates[H + u], g = gates[2 * H + u], o = gates[3 * H + u];
    if (biased) i += b[u], f += b[H + u], g += b[2 * H + u], o += b[3 * H + u];
    if (peeping) i += p[u] * before[u], f += p[H + u] * before[u];
    i = vector_sigmoid(i);
    f = vector_sigmoid(f);
    g = vector_tanh(g);
    float cell = f * before[u] + i * g;
    if (peeping) o += p[2 * H + u] * cell;
    o = vector_sigmoid(o);
    gates[u] = i;
    gates[H + u] = f;
    gates[2 * H + u] = g;
    gates[3 * H + u] = o;
    c[u] = cell;
    h[u] = o * vector_tanh(cell);
  }
}

CLONES static void lstm(int64_t H, const float *b, const float *p, int64_t from, int64_t to,
                        const RecurrentRow *row) {
  if (p && b)
    lstm_units(true, true, H, b, p, from, to, row->gates, row->c_before, row->h, row->c);
  else if (p)
    lstm_units(false, true, H, b, p, from, to, row->gates, row->c_before, row->h, row->c);
  else if (b)
    lstm_units(true, false, H, b, p, from, to, row->gates, row->c_before, row->h, row->c);
  else
    lstm_units(false, false, H, b, p, from, to, row->gates, row->c_before, row->h, row->c);
}

INLINE void gru_units(bool biased, bool new_biased, int64_t H, const float *restrict b,
                      const float *restrict d, int64_t from, int64_t to, float *restrict gates,
                      const float *restrict before, float *restrict h, float *restrict kept) {
  for (int64_t u = from; u < to; u++) {
    float r = gates[u], z = gates[H + u], n = gates[2 * H + u], received = kept[u];
    if (biased) r += b[u], z += b[H + u], n += b[2 * H + u];
    if (new_biased) received += d[u];
    r = vector_sigmoid(r);
    z = vector_sigmoid(z);
    n = vector_tanh(n + r * received);
    gates[u] = r;
    gates[H + u] = z;
    gates[2 * H + u] = n;
    kept[u] = received;
    h[u] = (1 - z) * n + z * before[u];
  }
}

CLONES static void gru(int64_t H, const float *b, const float *d, int64_t from, int64_t to,
                       const RecurrentRow *row) {
  if (b && d)
    gru_units(true, true, H, b, d, from, to, row->gates, row->h_before, row->h, row->c);
  else if (b)
    gru_units(true, false, H, b, d, from, to, row->gates, row->h_before, row->h, row->c);
  else if (d)
    gru_units(false, true, H, b, d, from, to, row->gates, row->h_before, row->h, row->c);
  else
    gru_units(false, false, H, b, d, from, to, row->gates, row->h_before, row->h, row->c);
}

void recurrent_step(const AbRecurrent *f, const RecurrentRow *row, int64_t from, int64_t to) {
  switch (f->cell) {
  case K_LSTM: lstm(f->units, f->b, f->p, from, to, row); break;
  case K_GRU: gru(f->units, f->b, f->d, from, to, row); break;
  default: elman(f->cell == K_ELMAN_RELU, f->b, from, to, row);
  }
}

/* ---- backward -------------------------------------------------------------------------------- */

CLONES static void elman_back(bool relu, int64_t from, int64_t to, const RecurrentRow *row) {
  const float *restrict h = row->h;
  float *restrict dh = row->dh, *restrict sums = row->sums;
  for (int64_t u = from; u < to; u++) {
    sums[u] = relu ? (h[u] > 0 ? dh[u] : 0) : dh[u] * (1 - h[u] * h[u]);
    dh[u] = 0;
  }
}

INLINE void lstm_units_back(bool peeping, int64_t H, const float *restrict p, int64_t from,
                            int64_t to, const float *restrict gates, const float *restrict before,
                            const float *restrict c, float *restrict dh, float *restrict dc,
                            float *restrict sums) {
  for (int64_t u = from; u < to; u++) {
    float i = gates[u], f = gates[H + u], g = gates[2 * H + u], o = gates[3 * H + u];
    float squashed = vector_tanh(c[u]);
    float d_o = dh[u] * squashed * o * (1 - o);
    float d = dc[u] + dh[u] * o * (1 - squashed * squashed);
    if (peeping) d += d_o * p[2 * H + u];
    float d_i = d * g * i * (1 - i), d_f = d * before[u] * f * (1 - f);
    float next = d * f;
    if (peeping) next += d_i * p[u] + d_f * p[H + u];
    sums[u] = d_i;
    sums[H + u] = d_f;
    sums[2 * H + u] = d * i * (1 - g * g);
    sums[3 * H + u] = d_o;
    dc[u] = next;
    dh[u] = 0;
  }
}

CLONES static void lstm_back(int64_t H, const float *p, int64_t from, int64_t to,
                             const RecurrentRow *row) {
  if (p)
    lstm_units_back(true, H, p, from, to, row->gates, row->c_before, row->c, row->dh, row->dc,
                    row->sums);
  else
    lstm_units_back(false, H, p, from, to, row->gates, row->c_before, row->c, row->dh, row->dc,
                    row->sums);
}

CLONES static void gru_back(int64_t H, int64_t from, int64_t to, const RecurrentRow *row) {
  const float *restrict gates = row->gates, *restrict before = row->h_before;
  const float *restrict received = row->c;
  float *restrict dh = row->dh, *restrict sums = row->sums;
  for (int64_t u = from; u < to; u++) {
    float r = gates[u], z = gates[H + u], n = gates[2 * H + u];
    float d_n = dh[u] * (1 - z) * (1 - n * n);
    sums[u] = d_n;
    sums[H + u] = d_n * received[u] * r * (1 - r);
    sums[2 * H + u] = dh[u] * (before[u] - n) * z * (1 - z);
    sums[3 * H + u] = d_n * r;
    dh[u] *= z;
  }
}

void recurrent_step_back(const AbRecurrent *f, const RecurrentRow *row, int64_t from, int64_t to) {
  switch (f->cell) {
  case K_LSTM: lstm_back(f->units, f->p, from, to, row); break;
  case K_GRU: gru_back(f->units, from, to, row); break;
  default: elman_back(f->cell == K_ELMAN_RELU, from, to, row);
  }
}
