/* SPDX-License-Identifier: Apache-2.0
 *
 * GRU classifier: 28 steps of 28, 128 units, the last state to 10 classes; batch 100. */
#include "../lab.h"
#include <math.h>

#define BATCH   100
#define STEPS   28
#define IN      28
#define UNITS   128
#define CLASSES 10

typedef struct {
  AbModel base;
  AbTensor *W, *U, *b, *d;
  AbLinear out;
} Model;

static void build(AbModel *self, const AbSignature *wanted) {
  Model *m = (Model *)self;
  double bound = 1 / sqrt(UNITS);
  AbInit init = {.kind = AB_INIT_UNIFORM, .a = bound};
  (void)wanted;
  m->W = ab_weight(self, "W1", AB_SHAPE(IN, 3 * UNITS), init, "input gate");
  m->U = ab_weight(self, "U1", AB_SHAPE(UNITS, 3 * UNITS), init, "unit gate");
  m->b = ab_weight(self, "b1", AB_SHAPE(3 * UNITS), init, "gate");
  m->d = ab_weight(self, "d1", AB_SHAPE(UNITS), init, "unit");
  m->out = ab_linear_make(self, 2, UNITS, CLASSES, AB_IDENTITY);
}

/* x [steps, batch, in] */
static AbTensor *logits(const Model *m, AbTensor *x) {
  AbRecurrence run = ab_gru(x, m->W, m->U, m->b, m->d, AB_NONE, AB_NONE, false);
  return ab_linear_apply(&m->out, run.h);
}

static AbTensor *classify(AbModel *self, AbTensor *x) {
  return logits((Model *)self, ab_transpose(x, 0, 1));
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  AbTensor *y = logits((Model *)self, ab_batch_get(batch, "x"));
  return ab_mean(ab_cross_entropy(y, ab_batch_get(batch, "target")));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .classify = classify, .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "gru-classifier",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_uniform(lab->ctx, AB_SHAPE(STEPS, BATCH, IN), 0, 1));
  ab_batch_put(batch, "target", lab_labels(lab, BATCH, CLASSES));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 2, .dtype = AB_F32, .shape = {STEPS, IN}};
  AbSpec y = {.rank = 1, .dtype = AB_F32, .shape = {CLASSES}};
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &x, &y);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
  lab_batches(lab, BATCH, fill);
}

#define ROWS          ((double)STEPS * BATCH)
#define MULTIPLY_ADDS (ROWS * 3 * UNITS * (2 * IN + 3 * UNITS) + 3.0 * BATCH * UNITS * CLASSES)

static Workload workload = {
    .name = "gru-classifier", .order = 4, .make = make, .multiply_adds = MULTIPLY_ADDS};
WORKLOAD(workload)
