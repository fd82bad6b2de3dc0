/* SPDX-License-Identifier: Apache-2.0
 *
 * What a stack is given: tokens or numbers as vectors of its width, with their positions. */
#ifndef TRANSFORMER_INPUT_H
#define TRANSFORMER_INPUT_H

#include "stack.h"

enum { POSITIONS_SINUSOIDAL = 0, POSITIONS_LEARNED = 1, POSITIONS_NONE = 2 };

typedef struct {
  int64_t steps;    /* at most */
  int64_t classes;  /* of tokens; 0: numbers */
  int64_t features; /* numbers at each step */
  int64_t width;
  double dropout;
  AbTensor *table;     /* [classes, width] */
  AbLinear line;       /* features to width */
  AbTensor *positions; /* [steps, width], or AB_NONE */
} Input;

/* Makes the weights and buffers of an input whose numbers are set; `prefix` is before their names.
 * To be called from `build`.                                                                    */
void input_make(Input *input, AbInstance *self, Numbers *numbers, const char *prefix,
                int64_t positions);
/* x [n, t] tokens, or [n, t, ...] numbers -> [n, t, width], without positions. */
AbTensor *input_embed(const Input *input, AbTensor *x);
/* h [n, t, width] with the positions of steps from, from + 1, ..., and dropout. */
AbTensor *input_place(const Input *input, AbTensor *h, int64_t from);

#endif
