/* SPDX-License-Identifier: Apache-2.0
 *
 * Auto-encoder 784-512-256-64-256-512-784: ReLU, a sigmoid at the end, mean squared error, Adam. */
#include "../lab.h"

#define BATCH  100
#define LAYERS 6

typedef struct {
  AbModel base;
  AbLinear layers[LAYERS];
} Model;

static void build(AbModel *self, const AbSignature *wanted) {
  static const int64_t widths[] = {784, 512, 256, 64, 256, 512, 784};
  (void)wanted;
  for (int i = 0; i < LAYERS; i++)
    ((Model *)self)->layers[i] = ab_linear_make(self, i + 1, widths[i], widths[i + 1],
                                                i + 1 < LAYERS ? AB_RELU : AB_SIGMOID);
}

static AbTensor *reconstruct(AbModel *self, AbTensor *x) {
  for (int i = 0; i < LAYERS; i++) x = ab_linear_apply(&((Model *)self)->layers[i], x);
  return x;
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  AbTensor *x = ab_batch_get(batch, "x");
  return ab_squared_error(reconstruct(self, x), x, AB_LOSS_MEAN);
}

static const AbModelVtable vtable = {.struct_size = sizeof vtable,
                                     .build = build,
                                     .reconstruct = reconstruct,
                                     .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "mlp-auto-encoder",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_uniform(lab->ctx, AB_SHAPE(BATCH, 784), 0, 1));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {784}, .range = AB_RANGE_UNIT};
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
  lab_batches(lab, BATCH, fill);
}

/* forward, gradients of weights, gradients of inputs (not of the first) */
static const Product products[] = {
    {false, false, BATCH, 512, 784, 1}, {false, false, BATCH, 256, 512, 1},
    {false, false, BATCH, 64, 256, 1},  {false, false, BATCH, 256, 64, 1},
    {false, false, BATCH, 512, 256, 1}, {false, false, BATCH, 784, 512, 1},
    {true, false, 784, 512, BATCH, 1},  {true, false, 512, 256, BATCH, 1},
    {true, false, 256, 64, BATCH, 1},   {true, false, 64, 256, BATCH, 1},
    {true, false, 256, 512, BATCH, 1},  {true, false, 512, 784, BATCH, 1},
    {false, true, BATCH, 512, 256, 1},  {false, true, BATCH, 256, 64, 1},
    {false, true, BATCH, 64, 256, 1},   {false, true, BATCH, 256, 512, 1},
    {false, true, BATCH, 512, 784, 1},  {0}};

static Workload workload = {
    .name = "mlp-auto-encoder", .order = 1, .make = make, .products = products};
WORKLOAD(workload)
