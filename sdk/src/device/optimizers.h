/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers. Kernels of a device: see device.h for what holds for all.
 *
 * Every rule is one pass over weights, gradients and states: each is read once and written once.
 * Below, w is a weight, g its gradient after clipping (scale times what was given, then kept within
 * +-limit), a, b, c its states; all else are fields of the job. Decoupled decay is in `keep`.    */
#ifndef SDK_DEVICE_OPTIMIZERS_H
#define SDK_DEVICE_OPTIMIZERS_H

#include "device.h"

typedef enum {
  K_STEP_SGD,      /* w := w - lr g */
  K_STEP_MOMENTUM, /* a := b1 a + g;  w := w - lr a */
  K_STEP_NESTEROV, /* a := b1 a + g;  w := w - lr (g + b1 a) */
  K_STEP_ADAGRAD,  /* a := a + g^2;  w := w - lr g / (sqrt(a) + epsilon) */
  /* a := b1 a + (1 - b1) g^2;  c := b1 c + (1 - b1) g  (c is NULL: 0);
   * d = g / (sqrt(max(a - c^2, 0)) + epsilon);  b := b2 b + d  (b is NULL: d);  w := w - lr b    */
  K_STEP_RMSPROP,
  /* a := b1 a + (1 - b1) g^2;  d = g sqrt((b + epsilon) / (a + epsilon));
   * b := b1 b + (1 - b1) d^2;  w := w - lr d                                                     */
  K_STEP_ADADELTA,
  /* a := b1 a + (1 - b1) g;  b := b2 b + (1 - b2) g^2;
   * w := keep w - lr a / (sqrt(b) root + epsilon)                                                */
  K_STEP_ADAM,
  K_STEP_ADAMAX,   /* a as for Adam;  b := max(b2 b, |g| + epsilon);  w := w - lr a / b */
  K_STEP_NADAM,    /* a, b as for Adam;  w := w - (lr a + ahead g) / (sqrt(b) root + epsilon) */
  K_STEP_LION,     /* d = b1 a + (1 - b1) g;  a := b2 a + (1 - b2) g;  w := keep w - lr sign(d) */
  K_STEP_NOVOGRAD, /* a := b1 a + root g + decay w;  w := w - lr a */
} AbOptimizerRule;

typedef struct {
  int64_t n;
  void *w;
  const void *g;
  void *a, *b, *c;
  double scale, limit; /* 1 and INFINITY: no clipping */
  double lr, b1, b2, epsilon, root, ahead, keep, decay;
} AbOptimizerJob;

struct AbOptimizerKernels {
  void (*step)(AbOptimizerRule rule, AbDtype dtype, const AbOptimizerJob *job); /* dense */
};

extern const AbOptimizerKernels reference_optimizers, cpu_optimizers;

#endif
