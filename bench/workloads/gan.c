/* SPDX-License-Identifier: Apache-2.0
 *
 * GAN (Goodfellow et al. 2014), non-saturating: generator 50-128-256-512-784, discriminator
 * 784-512-256-128-1, tanh, two Adams. One update of each per step; the discriminator sees the real
 * and the false samples as one batch. */
#include "../lab.h"

#define BATCH 100
#define NOISE 50
#define DATA  784
#define DEEP  4

/* ---- both networks -------------------------------------------------------------------------- */

typedef struct {
  AbModel base;
  AbLinear layers[DEEP];
} Network;

static void build_layers(AbModel *self, const int64_t *widths, AbActivation last) {
  for (int i = 0; i < DEEP; i++)
    ((Network *)self)->layers[i] =
        ab_linear_make(self, i + 1, widths[i], widths[i + 1], i + 1 < DEEP ? AB_TANH : last);
}

static AbTensor *through(AbModel *self, AbTensor *x) {
  for (int i = 0; i < DEEP; i++) x = ab_linear_apply(&((Network *)self)->layers[i], x);
  return x;
}

static void build_generator(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  build_layers(self, (const int64_t[]){NOISE, 128, 256, 512, DATA}, AB_TANH);
}

static void build_discriminator(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  build_layers(self, (const int64_t[]){DATA, 512, 256, 128, 1}, AB_IDENTITY);
}

static const AbModelVtable generator_table = {
    .struct_size = sizeof generator_table, .build = build_generator, .decode = through};
static const AbComponent generator = {.struct_size = sizeof generator,
                                      .kind = AB_KIND_MODEL,
                                      .name = "generator",
                                      .instance_size = sizeof(Network),
                                      .vtable = &generator_table};

static const AbModelVtable discriminator_table = {
    .struct_size = sizeof discriminator_table, .build = build_discriminator, .predict = through};
static const AbComponent discriminator = {.struct_size = sizeof discriminator,
                                          .kind = AB_KIND_MODEL,
                                          .name = "discriminator",
                                          .instance_size = sizeof(Network),
                                          .vtable = &discriminator_table};

/* ---- what a step is ------------------------------------------------------------------------- */

typedef struct {
  AbController base;
  AbModel *generator;
  AbOptimizer *optimizer; /* of the generator */
  AbGroup *group;
  AbTensor *labels, *ones; /* [2 BATCH, 1]: 1 for the real half; [BATCH, 1] */
} Adversary;

static void build(AbController *self, AbStep *step) {
  Adversary *a = (Adversary *)self;
  AbSpec noise = {.rank = 1, .dtype = AB_F32, .shape = {NOISE}};
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {DATA}};
  AbSignature wanted = ab_signature(AB_ROLE_DECODE, &noise, &x);
  ab_build(a->generator, &wanted);
  a->group = ab_group(step, "generator", a->generator, a->optimizer);
  AbContext *ctx = ab_context(self);
  a->ones = ab_buffer(self, "ones", AB_F32, AB_SHAPE(BATCH, 1), "sample one");
  a->labels = ab_buffer(self, "labels", AB_F32, AB_SHAPE(2 * BATCH, 1), "sample one");
  AbTensor *ones = ab_full(ctx, AB_F32, AB_SHAPE(BATCH, 1), 1);
  ab_assign(a->ones, ones);
  ab_assign(ab_slice(a->labels, 0, 0, BATCH), ones);
}

static AbTensor *step(AbController *self, AbStep *s) {
  Adversary *a = (Adversary *)self;
  AbTensor *real = ab_batch_get(ab_step_batch(s), "x");
  AbTensor *z = ab_normal(ab_context(self), AB_SHAPE(BATCH, NOISE), 0, 1);
  AbTensor *fake = ab_decode(a->generator, z);
  AbTensor *both = ab_concat((AbTensor *[]){real, ab_detach(fake)}, 2, 0);
  AbTensor *logits = ab_call(ab_step_model(s), AB_ROLE_PREDICT, both);
  /* a mean over both halves, so twice it is the sum of their means */
  AbTensor *loss = ab_affine(ab_binary_cross_entropy_logits(logits, a->labels, AB_LOSS_MEAN), 2, 0);
  ab_update(s, loss, ab_step_group(s));
  AbTensor *judged = ab_call(ab_step_model(s), AB_ROLE_PREDICT, fake);
  ab_update(s, ab_binary_cross_entropy_logits(judged, a->ones, AB_LOSS_MEAN), a->group);
  return loss;
}

static const AbControllerVtable table = {.struct_size = sizeof table, .build = build, .step = step};
static const AbComponent adversary = {.struct_size = sizeof adversary,
                                      .kind = AB_KIND_CONTROLLER,
                                      .name = "adversary",
                                      .instance_size = sizeof(Adversary),
                                      .vtable = &table};

static void fill(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_uniform(lab->ctx, AB_SHAPE(BATCH, DATA), -1, 1));
}

static void make(Lab *lab) {
  Adversary *a = lab_component(lab, &adversary, "controller");
  a->generator = lab_component(lab, &generator, "generator");
  a->optimizer = (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam");
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {DATA}}, one = x;
  one.shape[0] = 1;
  AbSignature wanted = ab_signature(AB_ROLE_PREDICT, &x, &one);
  lab_train(lab, lab_component(lab, &discriminator, "discriminator"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), &a->base);
  lab_batches(lab, BATCH, fill);
}

#define N (2 * BATCH)
static const Product products[] = {
    /* the generator: forward, gradients of weights, of inputs */
    {false, false, BATCH, 128, 50, 1},
    {false, false, BATCH, 256, 128, 1},
    {false, false, BATCH, 512, 256, 1},
    {false, false, BATCH, 784, 512, 1},
    {true, false, 50, 128, BATCH, 1},
    {true, false, 128, 256, BATCH, 1},
    {true, false, 256, 512, BATCH, 1},
    {true, false, 512, 784, BATCH, 1},
    {false, true, BATCH, 128, 256, 1},
    {false, true, BATCH, 256, 512, 1},
    {false, true, BATCH, 512, 784, 1},
    /* the discriminator's update */
    {false, false, N, 512, 784, 1},
    {false, false, N, 256, 512, 1},
    {false, false, N, 128, 256, 1},
    {false, false, N, 1, 128, 1},
    {true, false, 784, 512, N, 1},
    {true, false, 512, 256, N, 1},
    {true, false, 256, 128, N, 1},
    {true, false, 128, 1, N, 1},
    {false, true, N, 512, 256, 1},
    {false, true, N, 256, 128, 1},
    {false, true, N, 128, 1, 1},
    /* the generator's, through the discriminator */
    {false, false, BATCH, 512, 784, 1},
    {false, false, BATCH, 256, 512, 1},
    {false, false, BATCH, 128, 256, 1},
    {false, false, BATCH, 1, 128, 1},
    {false, true, BATCH, 784, 512, 1},
    {false, true, BATCH, 512, 256, 1},
    {false, true, BATCH, 256, 128, 1},
    {false, true, BATCH, 128, 1, 1},
    {0}};

static Workload workload = {.name = "gan", .order = 5, .make = make, .products = products};
WORKLOAD(workload)
