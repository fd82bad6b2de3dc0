/* SPDX-License-Identifier: Apache-2.0
 *
 * A workload of bench/compare on this side: components of abhost, driven as `abhost run` drives
 * them, on synthetic batches in memory. peer/workloads.py says what each workload is.            */
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include "manifest/bind.h"
#include <absdk/host.h>

#define LAB_POOL 4 /* batches, used in turn */

/* One kind of matrix product of a step: op(a) op(b), [m, k] x [k, n], `count` times. */
typedef struct {
  bool ta, tb;
  int64_t m, n, k, count;
} Product;

typedef struct {
  AbContext *ctx;
  Registry *registry;
  Diagnostics *diagnostics;
  Binder binder;
  AbStep *step;
  AbBatch *batches[LAB_POOL];
  int64_t steps; /* done */
  double loss;   /* of the last */
  void *own;     /* of the workload */
} Lab;

typedef struct Workload {
  const char *name;
  int order; /* in the table */
  void (*make)(Lab *lab);
  void (*run)(Lab *lab); /* one step; NULL: a training step on the next batch */
  /* What bounds the workload: products, up to one of count 0, each timed as such; or multiply-adds
   * at the rate of a large product.                                                             */
  const Product *products;
  double multiply_adds;
  double (*count)(void); /* of them, where that is long */
  struct Workload *next;
} Workload;

/* All workloads, in their order. */
const Workload *workloads(void);
void workload_add(Workload *workload);
#define WORKLOAD(w)                                                  \
  __attribute__((constructor)) static void w##_is_a_workload(void) { \
    workload_add(&w);                                                \
  }

/* Everything below ends the program with a message where it fails. */
void lab_open(Lab *lab);
void lab_close(Lab *lab);
/* A component as a manifest would write it: "{plugin: sgd, lr: 0.05}". */
AbInstance *lab_plugin(Lab *lab, AbKind kind, AbRole role, const char *yaml);
/* A component that is defined in the workload. */
void *lab_component(Lab *lab, const AbComponent *component, const char *path);
/* Builds the model for a role, and with it the step; a controller of NULL is the trainer. */
void lab_train(Lab *lab, AbModel *model, const AbSignature *wanted, AbOptimizer *optimizer,
               AbController *controller);
/* Makes the batches, by a function that fills one. */
void lab_batches(Lab *lab, int64_t count, void (*fill)(Lab *lab, AbBatch *batch));
void lab_step(Lab *lab); /* one training step on the next batch */
void lab_check(Lab *lab);
double lab_now(void); /* seconds */

/* Labels uniform in 0..below-1, [count]. */
AbTensor *lab_labels(Lab *lab, int64_t count, int64_t below);

#endif
