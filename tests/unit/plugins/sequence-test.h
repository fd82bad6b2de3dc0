/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of recurrent models: one step of a cell as loops in double, with the weights of a
 * plugin's model.                                                                                */
#ifndef SEQUENCE_TEST_H
#define SEQUENCE_TEST_H

#include "plugin-test.h"

#define CELL_UNITS 8 /* of a cell at most */

typedef struct {
  AbCell kind;
  int in, units;
  double *W, *U, *b, *d, *p; /* d, p: NULL where the cell has none */
} Cell;

/* W<number>, U<number>, ... of a model; free with cell_clear. */
Cell cell_read(AbModel *model, int number, AbCell kind, gboolean peepholes);
void cell_clear(Cell *cell);
/* h [units] and, of an LSTM, c [units] after x [in]. */
void cell_step(const Cell *cell, const double *x, double *h, double *c);

#endif
