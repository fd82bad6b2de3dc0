/* SPDX-License-Identifier: Apache-2.0
 *
 * Common layers: layers.h says what they are. */
#include "../internal.h"
#include <absdk/layers.h>
#include <stdio.h>

AbLinear ab_linear_make(AbInstance *self, int64_t number, int64_t in, int64_t out,
                        AbActivation activation) {
  char W[32], b[32];
  snprintf(W, sizeof W, "W%lld", (long long)number);
  snprintf(b, sizeof b, "b%lld", (long long)number);
  AbInit init = ab_init_for(activation);
  AbInit zero = {.kind = AB_INIT_CONSTANT, .a = 0};
  return (AbLinear){ab_weight(self, W, AB_SHAPE(in, out), init, "input unit"),
                    ab_weight(self, b, AB_SHAPE(out), zero, "unit"), activation};
}

AbActivation ab_output_activation(int64_t choice, const AbSpec *wanted) {
  if (choice > 0) return choice - 1; /* after "auto" */
  return ab_spec_is_unit(wanted) ? AB_SIGMOID : AB_IDENTITY;
}

AbTensor *ab_linear_apply(const AbLinear *layer, AbTensor *x) {
  /* a sigmoid on its own keeps its argument, which binary cross-entropy is exact with */
  if (layer->activation == AB_SIGMOID)
    return ab_sigmoid(ab_linear(x, layer->W, layer->b, AB_IDENTITY));
  return ab_linear(x, layer->W, layer->b, layer->activation);
}
