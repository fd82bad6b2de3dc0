/* SPDX-License-Identifier: Apache-2.0
 *
 * Units [from, to) of one row of one step of a recurrent layer: the pieces of the cpu's kernels. */
#ifndef SDK_DEVICE_CPU_RECURRENT_GATES_H
#define SDK_DEVICE_CPU_RECURRENT_GATES_H

#include "../recurrent.h"

/* What a step of one row reads and writes, each with H numbers (or H for each gate). */
typedef struct {
  float *gates;                     /* sums at first, then gates; backward reads them */
  const float *h_before, *c_before; /* states before the step */
  float *h, *c;                     /* and after it; of a GRU c is h U_n + d */
  float *dh, *dc, *sums;            /* backward only */
} RecurrentRow;

/* h, c and gates from the sums x W + h U in `gates` (of a GRU's n: x W, and h U in c). */
void recurrent_step(const AbRecurrent *f, const RecurrentRow *row, int64_t from, int64_t to);
/* sums, and dh and dc of the state before but for what comes through h U. */
void recurrent_step_back(const AbRecurrent *f, const RecurrentRow *row, int64_t from, int64_t to);

#endif
