/* SPDX-License-Identifier: Apache-2.0
 *
 * LSTM encoder/decoder: 10 features, 200 units, 30 steps, batch 20. The decoder starts from the
 * encoder's last state and is fed the reversed sequence, one step late. */
#include "../lab.h"
#include <math.h>

#define BATCH    20
#define STEPS    30
#define FEATURES 10
#define UNITS    200

typedef struct {
  AbTensor *W, *U, *b;
} Lstm;

typedef struct {
  AbModel base;
  Lstm encoder, decoder;
  AbLinear out;
} Model;

static Lstm lstm(AbInstance *self, const char *const *names) {
  double bound = 1 / sqrt(UNITS);
  AbInit init = {.kind = AB_INIT_UNIFORM, .a = bound};
  return (Lstm){ab_weight(self, names[0], AB_SHAPE(FEATURES, 4 * UNITS), init, "input gate"),
                ab_weight(self, names[1], AB_SHAPE(UNITS, 4 * UNITS), init, "unit gate"),
                ab_weight(self, names[2], AB_SHAPE(4 * UNITS), init, "gate")};
}

static void build(AbModel *self, const AbSignature *wanted) {
  Model *m = (Model *)self;
  (void)wanted;
  m->encoder = lstm(self, (const char *[]){"W1", "U1", "b1"});
  m->decoder = lstm(self, (const char *[]){"W2", "U2", "b2"});
  m->out = ab_linear_make(self, 3, UNITS, FEATURES, AB_IDENTITY);
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  const Lstm *e = &((Model *)self)->encoder;
  return ab_lstm(ab_transpose(x, 0, 1), e->W, e->U, e->b, AB_NONE, AB_NONE, AB_NONE, AB_NONE, false)
      .h;
}

/* x, the same shifted and the target are [steps, batch, features]. */
static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  Model *m = (Model *)self;
  const Lstm *e = &m->encoder, *d = &m->decoder;
  AbRecurrence code = ab_lstm(ab_batch_get(batch, "x"), e->W, e->U, e->b, AB_NONE, AB_NONE, AB_NONE,
                              AB_NONE, false);
  AbRecurrence run = ab_lstm(ab_batch_get(batch, "shifted"), d->W, d->U, d->b, AB_NONE, code.h,
                             code.c, AB_NONE, false);
  AbTensor *y = ab_linear_apply(&m->out, ab_reshape(run.outputs, AB_SHAPE(STEPS * BATCH, UNITS)));
  AbTensor *target = ab_reshape(ab_batch_get(batch, "target"), AB_SHAPE(STEPS * BATCH, FEATURES));
  return ab_squared_error(y, target, AB_LOSS_MEAN);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .encode = encode, .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "lstm-encoder-decoder",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  AbShape shape = AB_SHAPE(STEPS, BATCH, FEATURES);
  AbTensor *target = ab_normal(lab->ctx, shape, 0, 1), *x = ab_zeros(lab->ctx, shape),
           *shifted = ab_zeros(lab->ctx, shape);
  for (int64_t t = 0; t < STEPS; t++) {
    ab_assign(ab_slice(x, 0, STEPS - 1 - t, STEPS - t), ab_slice(target, 0, t, t + 1));
    if (t > 0) ab_assign(ab_slice(shifted, 0, t, t + 1), ab_slice(target, 0, t - 1, t));
  }
  ab_batch_put(batch, "x", x);
  ab_batch_put(batch, "shifted", shifted);
  ab_batch_put(batch, "target", target);
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 2, .dtype = AB_F32, .shape = {STEPS, FEATURES}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &x, NULL);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
  lab_batches(lab, BATCH, fill);
}

/* Two layers: what they receive and pass on, three times but for the gradient of x; the output. */
#define ROWS          ((double)STEPS * BATCH)
#define LAYER         (ROWS * 4 * UNITS * (2 * FEATURES + 3 * UNITS))
#define MULTIPLY_ADDS (2 * LAYER + 3 * ROWS * UNITS * FEATURES)

static Workload workload = {
    .name = "lstm-encoder-decoder", .order = 3, .make = make, .multiply_adds = MULTIPLY_ADDS};
WORKLOAD(workload)
