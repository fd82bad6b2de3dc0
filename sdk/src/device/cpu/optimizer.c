/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers on the cpu device: one pass over weights, gradients and states. */
#include "cpu.h"
#include <math.h>

#define GRAIN 32768

typedef struct {
  float *w, *m, *s;
  const float *g;
  float lr, b1, b2, a1, a2, epsilon, root;
  bool nesterov;
} Job;

CLONES static void sgd_range(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  float *restrict w = j->w, *restrict v = j->m;
  const float *restrict g = j->g;
  float lr = j->lr, momentum = j->b1;
  if (!v) {
    for (int64_t i = from; i < to; i++) w[i] -= lr * g[i];
  } else if (!j->nesterov) {
    for (int64_t i = from; i < to; i++) {
      v[i] = momentum * v[i] + g[i];
      w[i] -= lr * v[i];
    }
  } else {
    for (int64_t i = from; i < to; i++) {
      v[i] = momentum * v[i] + g[i];
      w[i] -= lr * (g[i] + momentum * v[i]);
    }
  }
}

void cpu_sgd(AbDtype dtype, int64_t n, void *w, const void *g, void *v, double lr, double momentum,
             bool nesterov) {
  if (dtype != AB_F32) {
    ab_device_reference.sgd(dtype, n, w, g, v, lr, momentum, nesterov);
    return;
  }
  Job job = {.w = w, .m = v, .g = g, .lr = (float)lr, .b1 = (float)momentum, .nesterov = nesterov};
  cpu_parallel(n, GRAIN, sgd_range, &job);
}

CLONES static void adam_range(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  float *restrict w = j->w, *restrict m = j->m, *restrict s = j->s;
  const float *restrict g = j->g;
  float rate = j->lr, b1 = j->b1, b2 = j->b2, epsilon = j->epsilon, root = j->root;
  float a1 = j->a1, a2 = j->a2;
  for (int64_t i = from; i < to; i++) {
    m[i] = b1 * m[i] + a1 * g[i];
    s[i] = b2 * s[i] + a2 * g[i] * g[i];
    w[i] -= rate * m[i] / (sqrtf(s[i]) * root + epsilon);
  }
}

void cpu_adam(AbDtype dtype, int64_t n, void *w, const void *g, void *m, void *s, double lr,
              double b1, double b2, double epsilon, double correction1, double correction2) {
  if (dtype != AB_F32) {
    ab_device_reference.adam(dtype, n, w, g, m, s, lr, b1, b2, epsilon, correction1, correction2);
    return;
  }
  Job job = {.w = w,
             .m = m,
             .s = s,
             .g = g,
             .lr = (float)(lr / correction1),
             .b1 = (float)b1,
             .b2 = (float)b2,
             .a1 = (float)(1 - b1),
             .a2 = (float)(1 - b2),
             .epsilon = (float)epsilon,
             .root = (float)(1 / sqrt(correction2))};
  cpu_parallel(n, GRAIN, adam_range, &job);
}
