/* SPDX-License-Identifier: Apache-2.0
 *
 * Embeddings and positions (Vaswani et al. 2017, sections 3.4 and 3.5):
 *
 *   token c    sqrt(width) E_c, E normal with deviation 1 / sqrt(width)
 *   numbers x  x W + b
 *   position   added: sines and cosines, or a vector for each, learned                          */
#include "input.h"
#include <math.h>
#include <stdio.h>

void input_make(Input *input, AbInstance *self, Numbers *numbers, const char *prefix,
                int64_t positions) {
  AbContext *ctx = ab_context(self);
  AbInit normal = {.kind = AB_INIT_NORMAL, .a = 1 / sqrt((double)input->width)};
  AbShape shape = AB_SHAPE(input->steps, input->width);
  char table[64], places[64];
  snprintf(table, sizeof table, "%stable", prefix);
  snprintf(places, sizeof places, "%spositions", prefix);
  if (input->classes > 0)
    input->table =
        ab_weight(self, table, AB_SHAPE(input->classes, input->width), normal, "class feature");
  else
    input->line = make_linear(self, numbers, input->features, input->width, AB_IDENTITY);
  input->positions = AB_NONE;
  if (positions == POSITIONS_LEARNED)
    input->positions = ab_weight(self, places, shape, normal, "step feature");
  if (positions == POSITIONS_SINUSOIDAL) {
    input->positions = ab_buffer(self, places, ab_real_dtype(ctx), shape, "step feature");
    ab_assign(input->positions, ab_sinusoidal_positions(ctx, input->steps, input->width));
  }
}

AbTensor *input_embed(const Input *input, AbTensor *x) {
  if (input->classes > 0)
    return ab_affine(ab_embedding(input->table, x, AB_NO_PADDING), sqrt((double)input->width), 0);
  return ab_linear_apply(&input->line,
                         ab_reshape(x, AB_SHAPE(ab_dim(x, 0), ab_dim(x, 1), input->features)));
}

AbTensor *input_place(const Input *input, AbTensor *h, int64_t from) {
  if (input->positions != AB_NONE)
    h = ab_add(h, ab_slice(input->positions, 0, from, from + ab_dim(h, 1)));
  return ab_dropout(h, input->dropout);
}
