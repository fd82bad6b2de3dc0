/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers, in place: each one pass over the weights, their gradients and the
 * states. Nothing is recorded. w, g and the states are dense and have one shape and type; t is the
 * number of the step, from 1. Where PyTorch departs from the paper, the equations here are
 * PyTorch's, and say so. g may be that of ab_update_unclipped: the steps read it clipped.        */
#ifndef ABSDK_OPTIMIZE_H
#define ABSDK_OPTIMIZE_H

#include "tensor.h"

AB_BEGIN_DECLS

/* v := momentum v + g;  w := w - lr v      (v may be AB_NONE where momentum is 0); with `nesterov`
 * w := w - lr (g + momentum v).  Polyak 1964; Nesterov 1983, in the form of Sutskever et al. 2013
 * as in PyTorch.                                                                                 */
AB_EXPORT void ab_step_sgd(AbTensor *w, AbTensor *g, AbTensor *v, double lr, double momentum,
                           bool nesterov);
/* m := b1 m + (1 - b1) g;  s := b2 s + (1 - b2) g^2;
 * w := w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon).  Kingma & Ba 2015             */
AB_EXPORT void ab_step_adam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                            double b1, double b2, double epsilon, int64_t t);
/* The same after w := (1 - lr decay) w: decay that the moments do not see. Loshchilov & Hutter
 * 2019.                                                                                          */
AB_EXPORT void ab_step_adamw(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                             double b1, double b2, double epsilon, double decay, int64_t t);
/* s := s + g^2;  w := w - lr g / (sqrt(s) + epsilon).  Duchi et al. 2011 */
AB_EXPORT void ab_step_adagrad(AbTensor *w, AbTensor *g, AbTensor *s, double lr, double epsilon);
/* s := alpha s + (1 - alpha) g^2;  d = g / (sqrt(s) + epsilon);  w := w - lr d.  Hinton 2012.
 * With a velocity v:  v := momentum v + d;  w := w - lr v.  With a mean (centred; Graves 2013):
 * mean := alpha mean + (1 - alpha) g, and s - mean^2 (0 where rounding makes it less) for s in the
 * root. v and mean may be AB_NONE, v only where momentum is 0.                                   */
AB_EXPORT void ab_step_rmsprop(AbTensor *w, AbTensor *g, AbTensor *s, AbTensor *v, AbTensor *mean,
                               double lr, double alpha, double epsilon, double momentum);
/* s := rho s + (1 - rho) g^2;  d = g sqrt((u + epsilon) / (s + epsilon));
 * u := rho u + (1 - rho) d^2;  w := w - lr d.  Zeiler 2012, whose lr is 1                        */
AB_EXPORT void ab_step_adadelta(AbTensor *w, AbTensor *g, AbTensor *s, AbTensor *u, double lr,
                                double rho, double epsilon);
/* m as for Adam;  u := max(b2 u, |g| + epsilon);  w := w - lr (m / (1 - b1^t)) / u.  Kingma & Ba
 * 2015, without epsilon; with it in this place, PyTorch.                                        */
AB_EXPORT void ab_step_adamax(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *u, double lr,
                              double b1, double b2, double epsilon, int64_t t);
/* m, s as for Adam;  c_t = b1 (1 - 0.96^(0.004 t) / 2),  C_t = c_1 c_2 ... c_t;
 * w := w - lr ((1 - c_t) g / (1 - C_t) + c_(t+1) m / (1 - C_(t+1))) / (sqrt(s / (1 - b2^t)) +
 * epsilon).  Dozat 2016                                                                          */
AB_EXPORT void ab_step_nadam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                             double b1, double b2, double epsilon, int64_t t);
/* m, s as for Adam;  R = 2 / (1 - b2) - 1,  r = R - 2 t b2^t / (1 - b2^t),  M = m / (1 - b1^t);
 * where r > 5:  w := w - lr M sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r)) sqrt(1 - b2^t) /
 * (sqrt(s) + epsilon), else  w := w - lr M.  Liu et al. 2020 (whose bound is 4; 5 is PyTorch's)  */
AB_EXPORT void ab_step_radam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                             double b1, double b2, double epsilon, int64_t t);
/* c = b1 m + (1 - b1) g;  m := b2 m + (1 - b2) g;  w := (1 - lr decay) w - lr sign(c).  Chen et al.
 * 2023                                                                                           */
AB_EXPORT void ab_step_lion(AbTensor *w, AbTensor *g, AbTensor *m, double lr, double b1, double b2,
                            double decay);
/* One weight of a group (ab_update_member), s of one element:
 * s := |g|^2 at t = 1, then b2 s + (1 - b2) |g|^2;  m := b1 m + g / (sqrt(s) + epsilon) + decay w;
 * w := w - lr m.  Ginsburg et al. 2019                                                           */
AB_EXPORT void ab_step_novograd(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                                double b1, double b2, double epsilon, double decay, int64_t t);

AB_END_DECLS

#endif
