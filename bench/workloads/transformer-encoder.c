/* SPDX-License-Identifier: Apache-2.0
 *
 * Transformer encoder, normalised before: width 256, 8 heads, 2 layers, feed-forward 1024 with
 * GELU, 16 sequences of 128 tokens of 1000; the mean over the tokens to 10 classes. */
#include "../lab.h"
#include <stdio.h>

#define BATCH   16
#define TOKENS  128
#define WORDS   1000
#define WIDTH   256
#define HEADS   8
#define INNER   1024
#define LAYERS  2
#define CLASSES 10

typedef struct {
  AbTensor *gain, *bias;
} Norm;

typedef struct {
  Norm before_attention, before_inner;
  AbLinear qkv, out, up, down;
} Layer;

typedef struct {
  AbModel base;
  AbTensor *table, *positions;
  Layer layers[LAYERS];
  Norm last;
  AbLinear head;
} Model;

static Norm norm(AbInstance *self, int64_t number) {
  char gain[32], bias[32];
  snprintf(gain, sizeof gain, "gain%d", (int)number);
  snprintf(bias, sizeof bias, "bias%d", (int)number);
  AbInit one = {.kind = AB_INIT_CONSTANT, .a = 1}, zero = {.kind = AB_INIT_CONSTANT};
  return (Norm){ab_weight(self, gain, AB_SHAPE(WIDTH), one, "feature"),
                ab_weight(self, bias, AB_SHAPE(WIDTH), zero, "feature")};
}

static void build(AbModel *self, const AbSignature *wanted) {
  Model *m = (Model *)self;
  AbContext *ctx = ab_context(self);
  AbInit normal = {.kind = AB_INIT_NORMAL, .a = 1};
  int64_t n = 1;
  (void)wanted;
  m->table = ab_weight(self, "table", AB_SHAPE(WORDS, WIDTH), normal, "token feature");
  m->positions = ab_buffer(self, "positions", AB_F32, AB_SHAPE(TOKENS, WIDTH), "place feature");
  ab_assign(m->positions, ab_sinusoidal_positions(ctx, TOKENS, WIDTH));
  for (int i = 0; i < LAYERS; i++) {
    Layer *l = &m->layers[i];
    l->before_attention = norm(self, n++);
    l->qkv = ab_linear_make(self, n++, WIDTH, 3 * WIDTH, AB_IDENTITY);
    l->out = ab_linear_make(self, n++, WIDTH, WIDTH, AB_IDENTITY);
    l->before_inner = norm(self, n++);
    l->up = ab_linear_make(self, n++, WIDTH, INNER, AB_GELU);
    l->down = ab_linear_make(self, n++, INNER, WIDTH, AB_IDENTITY);
  }
  m->last = norm(self, n++);
  m->head = ab_linear_make(self, n, WIDTH, CLASSES, AB_IDENTITY);
}

static AbTensor *normed(const Norm *norm, AbTensor *h) {
  return ab_layer_norm(h, 1, norm->gain, norm->bias, 1e-5);
}

static AbTensor *through(const Layer *l, AbTensor *h) {
  AbTensor *qkv = ab_linear_apply(&l->qkv, normed(&l->before_attention, h));
  h = ab_add(h, ab_linear_apply(&l->out, ab_self_attention(qkv, HEADS, AB_NONE, false)));
  AbTensor *inner = ab_linear_apply(&l->up, normed(&l->before_inner, h));
  return ab_add(h, ab_linear_apply(&l->down, inner));
}

static AbTensor *classify(AbModel *self, AbTensor *token) {
  Model *m = (Model *)self;
  AbTensor *h = ab_add(ab_embedding(m->table, token, AB_NO_PADDING), m->positions);
  for (int i = 0; i < LAYERS; i++) h = through(&m->layers[i], h);
  return ab_linear_apply(&m->head, ab_mean_axes(normed(&m->last, h), 2, false));
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  AbTensor *y = classify(self, ab_batch_get(batch, "x"));
  return ab_mean(ab_cross_entropy(y, ab_batch_get(batch, "target")));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .classify = classify, .objective = objective};
static const AbComponent component = {.struct_size = sizeof component,
                                      .kind = AB_KIND_MODEL,
                                      .name = "transformer-encoder",
                                      .instance_size = sizeof(Model),
                                      .vtable = &vtable};

static void fill(Lab *lab, AbBatch *batch) {
  AbTensor *tokens = lab_labels(lab, BATCH * TOKENS, WORDS);
  ab_batch_put(batch, "x", ab_reshape(tokens, AB_SHAPE(BATCH, TOKENS)));
  ab_batch_put(batch, "target", lab_labels(lab, BATCH, CLASSES));
}

static void make(Lab *lab) {
  AbSpec x = {.rank = 1, .dtype = AB_I64, .shape = {TOKENS}, .range = AB_RANGE_CLASS};
  AbSpec y = {.rank = 1, .dtype = AB_F32, .shape = {CLASSES}};
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &x, &y);
  lab_train(lab, lab_component(lab, &component, "model"), &wanted,
            (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "adam"), NULL);
  lab_batches(lab, BATCH, fill);
}

#define ROWS (BATCH * TOKENS)
#define THRICE(in, out)                                                          \
  {false, false, ROWS, out, in, LAYERS}, {true, false, in, out, ROWS, LAYERS}, { \
    false, true, ROWS, in, out, LAYERS                                           \
  }
static const Product products[] = {THRICE(WIDTH, 3 * WIDTH),
                                   THRICE(WIDTH, WIDTH),
                                   THRICE(WIDTH, INNER),
                                   THRICE(INNER, WIDTH),
                                   {0}};

/* attention: two products forward, four backward (the fifth, of repeated scores, is ours to save)
 */
static Workload workload = {.name = "transformer-encoder",
                            .order = 9,
                            .make = make,
                            .products = products,
                            .multiply_adds = 6.0 * LAYERS * BATCH * TOKENS * TOKENS * WIDTH};
WORKLOAD(workload)
