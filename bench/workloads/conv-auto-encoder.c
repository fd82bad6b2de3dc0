/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutional auto-encoder 1-20-20, 3x3, sigmoid, its decoder the transposed convolutions by the
 * same weights; 100 images of 28x28, or 20 of 96x96. */
#include "../lab.h"

#define CHANNELS 20

typedef struct {
  AbModel base;
  AbTensor *W1, *W2, *b[4];
} Model;

static void build(AbModel *self, const AbSignature *wanted) {
  Model *m = (Model *)self;
  AbInit xavier = {.kind = AB_INIT_XAVIER_UNIFORM, .a = 1};
  AbInit zero = {.kind = AB_INIT_CONSTANT};
  (void)wanted;
  m->W1 = ab_weight(self, "W1", AB_SHAPE(CHANNELS, 1, 3, 3), xavier, "out in height width");
  m->W2 = ab_weight(self, "W2", AB_SHAPE(CHANNELS, CHANNELS, 3, 3), xavier, "out in height width");
  for (int i = 0; i < 4; i++) {
    char name[] = {'b', (char)('1' + i), 0};
    m->b[i] = ab_weight(self, name, AB_SHAPE(i < 3 ? CHANNELS : 1), zero, "out");
  }
}

static AbTensor *reconstruct(AbModel *self, AbTensor *x) {
  Model *m = (Model *)self;
  AbConvolutionOptions same = {.padding = {1, 1}, .activation = AB_SIGMOID};
  x = ab_convolution(x, m->W1, m->b[0], same);
  x = ab_convolution(x, m->W2, m->b[1], same);
  x = ab_transposed_convolution(x, m->W2, m->b[2], same);
  return ab_transposed_convolution(x, m->W1, m->b[3], same);
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
                                      .name = "conv-auto-encoder",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void prepare(Lab *lab, int64_t size) {
  AbSpec x = {.rank = 3, .dtype = AB_F32, .shape = {1, size, size}, .range = AB_RANGE_UNIT};
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
}

static void fill_28(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_uniform(lab->ctx, AB_SHAPE(100, 1, 28, 28), 0, 1));
}

static void make_28(Lab *lab) {
  prepare(lab, 28);
  lab_batches(lab, 100, fill_28);
}

static void fill_96(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_uniform(lab->ctx, AB_SHAPE(20, 1, 96, 96), 0, 1));
}

static void make_96(Lab *lab) {
  prepare(lab, 96);
  lab_batches(lab, 20, fill_96);
}

/* Per pixel, both ways: 1 -> 20 and 20 -> 1 (forward, by the weights; by the input for the second
 * only), 20 -> 20 twice (all three). */
#define PER_PIXEL (9.0 * CHANNELS * (2 + 3) + 2 * 3 * 9.0 * CHANNELS * CHANNELS)

static Workload small = {.name = "conv-auto-encoder-28",
                         .order = 2,
                         .make = make_28,
                         .multiply_adds = PER_PIXEL * 100 * 28 * 28};
WORKLOAD(small)
static Workload large = {.name = "conv-auto-encoder-96",
                         .order = 2,
                         .make = make_96,
                         .multiply_adds = PER_PIXEL * 20 * 96 * 96};
WORKLOAD(large)
