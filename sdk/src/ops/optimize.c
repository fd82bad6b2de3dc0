/* SPDX-License-Identifier: Apache-2.0
 *
 * The in-place steps of the optimizers. */
#include "../internal.h"
#include <math.h>

static bool alike(const char *operation, const AbTensor *w, const AbTensor *x) {
  if (!w || !x || w == AB_NONE || x == AB_NONE) return false;
  if (w->dtype == x->dtype && ab_same_shape(w, x) && ab_tensor_dense(w) && ab_tensor_dense(x))
    return w->storage && x->storage;
  char a[220], b[220];
  ab_error(w->ctx, AB_INTERNAL, "%s: weights of %s and a state or gradient of %s differ", operation,
           ab_tensor_text(w, a, sizeof a), ab_tensor_text(x, b, sizeof b));
  return false;
}

void ab_step_sgd(AbTensor *w, AbTensor *g, AbTensor *v, double lr, double momentum, bool nesterov) {
  if (!ab_is_real(w, "step_sgd") || !alike("step_sgd", w, g)) return;
  if (v != AB_NONE && !alike("step_sgd", w, v)) return;
  if (v == AB_NONE && momentum != 0) {
    ab_error(w->ctx, AB_INTERNAL, "step_sgd: a momentum of %g wants a velocity", momentum);
    return;
  }
  w->ctx->device->sgd(w->dtype, ab_tensor_count(w), ab_data_of(w), ab_data_of(g),
                      v == AB_NONE ? NULL : ab_data_of(v), lr, momentum, nesterov);
  w->storage->version++;
}

void ab_step_adam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                  double b2, double epsilon, int64_t t) {
  if (!ab_is_real(w, "step_adam") || !alike("step_adam", w, g) || !alike("step_adam", w, m) ||
      !alike("step_adam", w, s))
    return;
  w->ctx->device->adam(w->dtype, ab_tensor_count(w), ab_data_of(w), ab_data_of(g), ab_data_of(m),
                       ab_data_of(s), lr, b1, b2, epsilon, 1 - pow(b1, (double)t),
                       1 - pow(b2, (double)t));
  w->storage->version++;
}
