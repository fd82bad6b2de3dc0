/* SPDX-License-Identifier: Apache-2.0
 *
 * MobileNetV2 (Sandler et al. 2018) with its own table, on 32 images of 3x32x32 and 10 classes. */
#include "../lab.h"
#include <stdio.h>

#define BATCH   32
#define SIZE    32
#define CLASSES 10
#define HEAD    1280
#define MOST    60 /* convolutions */

/* A convolution without bias, batch normalisation, perhaps ReLU6. */
typedef struct {
  AbTensor *W, *gain, *bias, *mean, *variance;
  AbConvolutionOptions options;
  AbActivation activation;
} Unit;

typedef struct {
  AbModel base;
  Unit units[MOST];
  bool starts[MOST], adds[MOST]; /* a block starts here; what it started from is added here */
  int count;
  AbLinear out;
} Model;

static const struct {
  int64_t expansion, channels, repeats, stride;
} table[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

static Unit *add_unit(Model *m, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                      int64_t groups, AbActivation activation) {
  AbInstance *self = &m->base;
  Unit *u = &m->units[m->count++];
  AbInit kaiming = {.kind = AB_INIT_KAIMING_NORMAL, .a = 1}, zero = {.kind = AB_INIT_CONSTANT},
         one = {.kind = AB_INIT_CONSTANT, .a = 1};
  char name[5][24];
  const char *const names[] = {"W", "gain", "bias", "mean", "variance"};
  for (int i = 0; i < 5; i++) snprintf(name[i], sizeof name[i], "%s%d", names[i], m->count);
  *u = (Unit){.W = ab_weight(self, name[0], AB_SHAPE(out, in / groups, kernel, kernel), kaiming,
                             "out in height width"),
              .gain = ab_weight(self, name[1], AB_SHAPE(out), one, "channel"),
              .bias = ab_weight(self, name[2], AB_SHAPE(out), zero, "channel"),
              .mean = ab_buffer(self, name[3], AB_F32, AB_SHAPE(out), "channel"),
              .variance = ab_buffer(self, name[4], AB_F32, AB_SHAPE(out), "channel"),
              .options = {.stride = {stride, stride},
                          .padding = {kernel / 2, kernel / 2},
                          .groups = groups},
              .activation = activation};
  ab_assign(u->variance, ab_full(ab_context(self), AB_F32, AB_SHAPE(out), 1));
  return u;
}

static void add_block(Model *m, int64_t in, int64_t out, int64_t expansion, int64_t stride) {
  int64_t inner = in * expansion;
  m->starts[m->count] = true;
  if (expansion > 1) add_unit(m, in, inner, 1, 1, 1, AB_RELU6);
  add_unit(m, inner, inner, 3, stride, inner, AB_RELU6);
  m->adds[m->count] = stride == 1 && in == out;
  add_unit(m, inner, out, 1, 1, 1, AB_IDENTITY);
}

static void build(AbModel *self, const AbSignature *wanted) {
  Model *m = (Model *)self;
  int64_t channels = 32;
  (void)wanted;
  add_unit(m, 3, channels, 3, 2, 1, AB_RELU6);
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    for (int64_t r = 0; r < table[i].repeats; r++) {
      add_block(m, channels, table[i].channels, table[i].expansion, r == 0 ? table[i].stride : 1);
      channels = table[i].channels;
    }
  }
  add_unit(m, channels, HEAD, 1, 1, 1, AB_RELU6);
  m->out = ab_linear_make(self, 100, HEAD, CLASSES, AB_IDENTITY);
}

static AbTensor *classify(AbModel *self, AbTensor *x) {
  Model *m = (Model *)self;
  AbTensor *start = NULL;
  for (int i = 0; i < m->count; i++) {
    const Unit *u = &m->units[i];
    if (m->starts[i]) start = x;
    x = ab_convolution(x, u->W, AB_NONE, u->options);
    x = ab_batch_norm(x, u->gain, u->bias, u->mean, u->variance, 0.1, 1e-5, u->activation);
    if (m->adds[i]) x = ab_add(x, start);
  }
  return ab_linear_apply(&m->out, ab_global_average_pool(x));
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  AbTensor *y = classify(self, ab_batch_get(batch, "x"));
  return ab_mean(ab_cross_entropy(y, ab_batch_get(batch, "target")));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .classify = classify, .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "mobilenet-v2",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  ab_batch_put(batch, "x", ab_normal(lab->ctx, AB_SHAPE(BATCH, 3, SIZE, SIZE), 0, 1));
  ab_batch_put(batch, "target", lab_labels(lab, BATCH, CLASSES));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 3, .dtype = AB_F32, .shape = {3, SIZE, SIZE}};
  AbSpec y = {.rank = 1, .dtype = AB_F32, .shape = {CLASSES}};
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &x, &y);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
  lab_batches(lab, BATCH, fill);
}

/* Multiply-adds of one image forward, by the table: a convolution of out channels at `places`. */
static double forward(void) {
  double sum = 16 * 16 * 32 * 27.0;
  int64_t channels = 32, side = 16;
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    for (int64_t r = 0; r < table[i].repeats; r++) {
      int64_t stride = r == 0 ? table[i].stride : 1, inner = channels * table[i].expansion;
      double before = (double)(side * side);
      if (table[i].expansion > 1) sum += before * (double)(channels * inner);
      side = (side + stride - 1) / stride;
      sum += (double)(side * side * inner * (9 + table[i].channels));
      channels = table[i].channels;
    }
  }
  return sum + (double)(side * side * channels * HEAD) + HEAD * CLASSES;
}

/* Three times forward, but for the gradient of the images. */
static double multiply_adds(void) {
  return BATCH * (3 * forward() - 16 * 16 * 32 * 27.0);
}

static Workload workload = {
    .name = "mobilenet-v2", .order = 8, .make = make, .count = multiply_adds};
WORKLOAD(workload)
