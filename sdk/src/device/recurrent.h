/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers. Kernels of a device: see device.h for what holds for all.
 *
 * One layer in one direction over a whole sequence of t steps, n rows and H units;
 * absdk/recurrent.h has the equations. A state that has t + 1 places lies in the order of time:
 * step s makes place s + 1 from place s, or, reversed, place s from place s + 1. A row whose length
 * is reached leaves its state as it is, and nothing of that step has a gradient. */
#ifndef SDK_DEVICE_RECURRENT_H
#define SDK_DEVICE_RECURRENT_H

#include "device.h"

typedef enum { K_ELMAN_TANH, K_ELMAN_RELU, K_LSTM, K_GRU } AbCellKind;

/* Blocks of H columns in U, and in the gradient of the sums: a GRU's is [n, r, z, n h], the last
 * being that of h U_n + d, so that the last three are the gradient of h U.                       */
static inline int64_t recurrent_blocks(AbCellKind cell) {
  return cell == K_LSTM ? 4 : cell == K_GRU ? 3 : 1;
}
static inline int64_t recurrent_gradient_blocks(AbCellKind cell) {
  return cell == K_LSTM || cell == K_GRU ? 4 : 1;
}
/* Numbers in `work`. */
static inline int64_t recurrent_work(AbCellKind cell, int64_t units) {
  return recurrent_blocks(cell) * units * (units + 15);
}

/* All dense; b, d, p, lengths are NULL where there are none. */
typedef struct {
  AbCellKind cell;
  int64_t steps, rows, units;
  bool reverse;
  bool from_zero;         /* the first h is 0: its h U may be left out */
  const int64_t *lengths; /* [n], 0 to t */
  const void *U;          /* [H, blocks H] */
  const void *b, *d, *p;  /* [blocks H]; of a GRU [H]; peepholes of an LSTM [3, H]: i, f, o */
  void *gates;            /* [t, n, blocks H]: x W at first, then i f g o or r z n */
  void *h;                /* [t + 1, n, H], the first state in its place */
  void *c;                /* the same of an LSTM's cells; of a GRU h U_n + d, [t, n, H] */
  void *work;
} AbRecurrent;

/* What else the gradient takes and gives. */
typedef struct {
  const void *g; /* [t + 1, n, H]: of h, in its places */
  void *sums;    /* [t, n, gradient blocks H] := of x W and h U */
  void *dh, *dc; /* [n, H]: of the last state beyond g; := of the first but for its place in g */
  bool first;    /* whether that of the first h is wanted; else dh is anything */
} AbRecurrentGradient;

struct AbRecurrentKernels {
  void (*forward)(AbDtype dtype, const AbRecurrent *f);
  void (*backward)(AbDtype dtype, const AbRecurrent *f, const AbRecurrentGradient *b);
  /* y [m, n] := x' s, or that added to y; x [k, m], s [k, n], row-major with leading dimensions; k
   * is all rows of all steps. */
  void (*weights)(AbDtype dtype, int64_t m, int64_t n, int64_t k, const void *x, int64_t ldx,
                  const void *s, int64_t lds, bool add, void *y, int64_t ldy);
};

extern const AbRecurrentKernels reference_recurrent, cpu_recurrent;

#endif
