/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep Q-network 4-32-32-2, tanh throughout, with a target network; Adadelta; replay batches of 80.
 */
#include "../lab.h"

#define BATCH   80
#define IN      4
#define ACTIONS 2
#define DEEP    3

typedef struct Network {
  AbModel base;
  AbLinear layers[DEEP];
  struct Network *target;
} Network;

static void build(AbModel *self, const AbSignature *wanted) {
  static const int64_t widths[] = {IN, 32, 32, ACTIONS};
  Network *q = (Network *)self;
  for (int i = 0; i < DEEP; i++)
    q->layers[i] = ab_linear_make(self, i + 1, widths[i], widths[i + 1], AB_TANH);
  if (q->target) ab_build(&q->target->base, wanted);
}

static AbTensor *act(AbModel *self, AbTensor *x) {
  for (int i = 0; i < DEEP; i++) x = ab_linear_apply(&((Network *)self)->layers[i], x);
  return x;
}

/* r + 0.99 (1 - done) max_a Q'(s', a) */
static AbTensor *aim(Network *q, const AbBatch *batch) {
  AbContext *ctx = ab_context(&q->base);
  bool recording = ab_set_recording(ctx, false);
  AbTensor *next = ab_call(&q->target->base, AB_ROLE_ACT, ab_batch_get(batch, "next"));
  AbTensor *going_on = ab_affine(ab_batch_get(batch, "done"), -0.99, 0.99);
  AbTensor *y =
      ab_add(ab_batch_get(batch, "reward"), ab_mul(going_on, ab_max_axes(next, 2, false)));
  ab_set_recording(ctx, recording);
  return y;
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  AbTensor *q = act(self, ab_batch_get(batch, "state"));
  AbTensor *chosen = ab_gather(q, 1, ab_batch_get(batch, "action"));
  AbTensor *y = aim((Network *)self, batch);
  return ab_squared_error(ab_reshape(chosen, AB_SHAPE(BATCH)), y, AB_LOSS_MEAN);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .act = act, .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "q-network",
                                      .instance_size = sizeof(Network),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  AbContext *ctx = lab->ctx;
  AbTensor *often = ab_full(ctx, AB_F32, AB_SHAPE(BATCH), 0.1);
  ab_batch_put(batch, "state", ab_normal(ctx, AB_SHAPE(BATCH, IN), 0, 1));
  ab_batch_put(batch, "action", ab_reshape(lab_labels(lab, BATCH, ACTIONS), AB_SHAPE(BATCH, 1)));
  ab_batch_put(batch, "reward", ab_uniform(ctx, AB_SHAPE(BATCH), 0, 1));
  ab_batch_put(batch, "next", ab_normal(ctx, AB_SHAPE(BATCH, IN), 0, 1));
  ab_batch_put(batch, "done", ab_bernoulli(often));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {IN}}, q = x;
  q.shape[0] = ACTIONS;
  AbSignature wanted = ab_signature(AB_ROLE_ACT, &x, &q);
  Network *online = lab_component(lab, &component, "model");
  online->target = lab_component(lab, &component, "target");
  lab_train(lab, &online->base, &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0,
                                      "{plugin: adadelta, lr: 1, rho: 0.9, epsilon: 1e-6}"),
            NULL);
  lab_batches(lab, BATCH, fill);
}

/* Q forward and its two gradients, but for that of the state; the target forward. */
#define FORWARD (IN * 32 + 32 * 32 + 32.0 * ACTIONS)

static Workload workload = {
    .name = "dqn", .order = 7, .make = make, .multiply_adds = BATCH * (4 * FORWARD - IN * 32)};
WORKLOAD(workload)
