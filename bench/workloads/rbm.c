/* SPDX-License-Identifier: Apache-2.0
 *
 * Restricted Boltzmann machine 784x500: the plugin, CD-1 by steepest descent. */
#include "../lab.h"

#define BATCH 100

static void fill(Lab *lab, AbBatch *batch) {
  AbTensor *half = ab_full(lab->ctx, AB_F32, AB_SHAPE(BATCH, 784), 0.5);
  ab_batch_put(batch, "x", ab_bernoulli(half));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {784}, .range = AB_RANGE_BINARY};
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  lab_train(lab,
            (AbModel *)lab_plugin(lab, AB_KIND_MODEL, AB_ROLE_RECONSTRUCT,
                                  "{plugin: rbm, hidden: 500, k: 1}"),
            &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "{plugin: sgd, lr: 0.05}"), NULL);
  lab_batches(lab, BATCH, fill);
}

/* up, down, up again; the two statistics */
static const Product products[] = {{false, false, BATCH, 500, 784, 2},
                                   {false, true, BATCH, 784, 500, 1},
                                   {true, false, 784, 500, BATCH, 2},
                                   {0}};

static Workload workload = {.name = "rbm-cd1", .order = 6, .make = make, .products = products};
WORKLOAD(workload)
