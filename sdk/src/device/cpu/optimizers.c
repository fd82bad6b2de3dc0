/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers on the cpu device: one pass over weights, gradients and states. */
#include "../optimizers.h"
#include "cpu.h"
#include <math.h>

#define GRAIN 32768

/* The numbers of a job in f32; a1 = 1 - b1, a2 = 1 - b2. */
typedef struct {
  float *w, *a, *b, *c;
  const float *g;
  float scale, limit, lr, b1, b2, a1, a2, epsilon, root, ahead, keep, decay;
} Job;

/* A rule: the loop over [from, to) with every number of the job at hand. */
#define RULE(name, ...)                                                               \
  CLONES static void name(int64_t from, int64_t to, void *job) {                      \
    const Job *j = job;                                                               \
    float *restrict w = j->w, *restrict a = j->a, *restrict b = j->b;                 \
    float *restrict c = j->c;                                                         \
    const float *restrict given = j->g;                                               \
    const float scale = j->scale, limit = j->limit, lr = j->lr, epsilon = j->epsilon; \
    const float b1 = j->b1, b2 = j->b2, a1 = j->a1, a2 = j->a2, keep = j->keep;       \
    const float root = j->root, ahead = j->ahead, decay = j->decay;                   \
    (void)a, (void)b, (void)c, (void)b1, (void)b2, (void)a1, (void)a2;                \
    (void)epsilon, (void)keep, (void)root, (void)ahead, (void)decay;                  \
    for (int64_t i = from; i < to; i++) {                                             \
      float g = given[i] * scale;                                                     \
      g = g > limit ? limit : g;                                                      \
      g = g < -limit ? -limit : g;                                                    \
      __VA_ARGS__                                                                     \
    }                                                                                 \
  }

RULE(sgd, { w[i] -= lr * g; })
RULE(momentum, {
  a[i] = b1 * a[i] + g;
  w[i] -= lr * a[i];
})
RULE(nesterov, {
  a[i] = b1 * a[i] + g;
  w[i] -= lr * (g + b1 * a[i]);
})
RULE(adagrad, {
  a[i] += g * g;
  w[i] -= lr * g / (sqrtf(a[i]) + epsilon);
})
RULE(rmsprop, {
  a[i] = b1 * a[i] + a1 * g * g;
  w[i] -= lr * g / (sqrtf(a[i]) + epsilon);
})
RULE(rmsprop_momentum, {
  a[i] = b1 * a[i] + a1 * g * g;
  b[i] = b2 * b[i] + g / (sqrtf(a[i]) + epsilon);
  w[i] -= lr * b[i];
})
RULE(rmsprop_centred, {
  a[i] = b1 * a[i] + a1 * g * g;
  c[i] = b1 * c[i] + a1 * g;
  float variance = a[i] - c[i] * c[i];
  w[i] -= lr * g / (sqrtf(variance > 0 ? variance : 0) + epsilon);
})
RULE(rmsprop_both, {
  a[i] = b1 * a[i] + a1 * g * g;
  c[i] = b1 * c[i] + a1 * g;
  float variance = a[i] - c[i] * c[i];
  b[i] = b2 * b[i] + g / (sqrtf(variance > 0 ? variance : 0) + epsilon);
  w[i] -= lr * b[i];
})
RULE(adadelta, {
  a[i] = b1 * a[i] + a1 * g * g;
  float d = g * sqrtf((b[i] + epsilon) / (a[i] + epsilon));
  b[i] = b1 * b[i] + a1 * d * d;
  w[i] -= lr * d;
})
RULE(adam, {
  a[i] = b1 * a[i] + a1 * g;
  b[i] = b2 * b[i] + a2 * g * g;
  w[i] = keep * w[i] - lr * a[i] / (sqrtf(b[i]) * root + epsilon);
})
RULE(adamax, {
  a[i] = b1 * a[i] + a1 * g;
  float size = fabsf(g) + epsilon;
  float before = b2 * b[i];
  b[i] = before > size ? before : size;
  w[i] -= lr * a[i] / b[i];
})
RULE(nadam, {
  a[i] = b1 * a[i] + a1 * g;
  b[i] = b2 * b[i] + a2 * g * g;
  w[i] -= (lr * a[i] + ahead * g) / (sqrtf(b[i]) * root + epsilon);
})
RULE(lion, {
  float d = b1 * a[i] + a1 * g;
  a[i] = b2 * a[i] + a2 * g;
  float sign = d > 0 ? lr : d < 0 ? -lr : 0;
  w[i] = keep * w[i] - sign;
})
RULE(novograd, {
  a[i] = b1 * a[i] + root * g + decay * w[i];
  w[i] -= lr * a[i];
})

static CpuRange range_of(AbOptimizerRule rule, const AbOptimizerJob *job) {
  switch (rule) {
  case K_STEP_SGD: return sgd;
  case K_STEP_MOMENTUM: return momentum;
  case K_STEP_NESTEROV: return nesterov;
  case K_STEP_ADAGRAD: return adagrad;
  case K_STEP_RMSPROP:
    if (job->c) return job->b ? rmsprop_both : rmsprop_centred;
    return job->b ? rmsprop_momentum : rmsprop;
  case K_STEP_ADADELTA: return adadelta;
  case K_STEP_ADAM: return adam;
  case K_STEP_ADAMAX: return adamax;
  case K_STEP_NADAM: return nadam;
  case K_STEP_LION: return lion;
  default: return novograd;
  }
}

static void step(AbOptimizerRule rule, AbDtype dtype, const AbOptimizerJob *job) {
  if (dtype != AB_F32) {
    reference_optimizers.step(rule, dtype, job);
    return;
  }
  Job j = {.w = job->w,
           .a = job->a,
           .b = job->b,
           .c = job->c,
           .g = job->g,
           .scale = (float)job->scale,
           .limit = (float)job->limit,
           .lr = (float)job->lr,
           .b1 = (float)job->b1,
           .b2 = (float)job->b2,
           .a1 = (float)(1 - job->b1),
           .a2 = (float)(1 - job->b2),
           .epsilon = (float)job->epsilon,
           .root = (float)job->root,
           .ahead = (float)job->ahead,
           .keep = (float)job->keep,
           .decay = (float)job->decay};
  cpu_parallel(job->n, GRAIN, range_of(rule, job), &j);
}

const AbOptimizerKernels cpu_optimizers = {.step = step};
