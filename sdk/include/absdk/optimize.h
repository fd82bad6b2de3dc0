/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers, in place. */
#ifndef ABSDK_OPTIMIZE_H
#define ABSDK_OPTIMIZE_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- in-place steps of the optimizers, fused; nothing is recorded ----------------------------
 * w, g and the states have one shape and type.                                                  */
/* v := momentum v + g;  w := w - lr v      (v may be AB_NONE where momentum is 0); with `nesterov`
 * w := w - lr (g + momentum v)                                                                   */
AB_EXPORT void ab_step_sgd(AbTensor *w, AbTensor *g, AbTensor *v, double lr, double momentum,
                           bool nesterov);
/* m := b1 m + (1 - b1) g;  s := b2 s + (1 - b2) g^2;
 * w := w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon),  t counted from 1             */
AB_EXPORT void ab_step_adam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                            double b1, double b2, double epsilon, int64_t t);

AB_END_DECLS

#endif
