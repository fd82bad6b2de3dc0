/* SPDX-License-Identifier: Apache-2.0
 *
 * The recurrent encoder/decoder against loops over its equations, with every way of feeding it,
 * with attention and with sequences that end early; its gradients against differences of the loops;
 * and that it tells waves it has seen from others. */
#include "sequence-test.h"
#include <math.h>
#include <string.h>

#define N 3
#define T 5
#define F 2
#define H 3
#define L 2 /* layers at most */

static const double ends[N] = {5, 2, 3};

typedef struct {
  const char *cell, *feed;
  int layers;
  gboolean attention, lengths, unit;
} Shape;

static const Shape shapes[] = {
    {"lstm", "target", 1, FALSE, FALSE, FALSE}, {"lstm", "target", 2, FALSE, TRUE, FALSE},
    {"gru", "target", 2, FALSE, TRUE, TRUE},    {"lstm", "output", 2, FALSE, TRUE, FALSE},
    {"gru", "output", 1, FALSE, FALSE, TRUE},   {"lstm", "none", 1, FALSE, TRUE, FALSE},
    {"gru", "target", 2, TRUE, TRUE, FALSE},    {"lstm", "output", 1, TRUE, FALSE, FALSE},
};

/* ---- the model as loops ---------------------------------------------------------------------- */

typedef struct {
  Shape shape;
  int fed, read; /* widths of what the decoder's first layer and the head are given */
  Cell encoder[L], decoder[L];
  double *V, *a, *query, *key, *energy;
} Net;

static double *state_of(AbModel *model, const char *name) {
  return plugin_test_values(plugin_test_state(model, name));
}

static Net net_new(AbModel *model, const Shape *s) {
  Net net = {.shape = *s, .fed = F, .read = H};
  AbCell kind = s->cell[0] == 'l' ? AB_CELL_LSTM : AB_CELL_GRU;
  g_autofree char *W = g_strdup_printf("W%d", 2 * s->layers + 1);
  g_autofree char *b = g_strdup_printf("b%d", 2 * s->layers + 1);

  for (int l = 0; l < s->layers; l++) {
    net.encoder[l] = cell_read(model, l + 1, kind, FALSE);
    net.decoder[l] = cell_read(model, s->layers + l + 1, kind, FALSE);
  }
  net.V = state_of(model, W);
  net.a = state_of(model, b);
  if (!s->attention) return net;
  net.fed = F + H;
  net.read = 2 * H;
  net.query = state_of(model, "attention_W");
  net.key = state_of(model, "attention_U");
  net.energy = state_of(model, "attention_v");
  return net;
}

static void net_clear(Net *net) {
  for (int l = 0; l < net->shape.layers; l++) {
    cell_clear(&net->encoder[l]);
    cell_clear(&net->decoder[l]);
  }
  g_free(net->V);
  g_free(net->a);
  g_free(net->query);
  g_free(net->key);
  g_free(net->energy);
}

typedef struct {
  double h[L][CELL_UNITS], c[L][CELL_UNITS];
} State;

static void step(const Net *net, const Cell *cells, const double *in, State *s) {
  for (int l = 0; l < net->shape.layers; l++) {
    cell_step(&cells[l], in, s->h[l], s->c[l]);
    in = s->h[l];
  }
}

static const double *top_of(const Net *net, const State *s) {
  return s->h[net->shape.layers == 1 ? 0 : L - 1];
}

/* The states after `end` steps of x; memory [T, H]: those of the last layer. */
static State encode(const Net *net, int end, const double *x, double *memory) {
  State s = {0};

  for (int t = 0; t < end; t++) {
    step(net, net->encoder, x + t * F, &s);
    memcpy(memory + t * H, top_of(net, &s), H * sizeof *memory);
  }
  return s;
}

static void attend(const Net *net, int end, const double *memory, const double *s, double *c) {
  double e[T], sum = 0;

  memset(c, 0, H * sizeof *c);
  for (int t = 0; t < end; t++) {
    e[t] = 0;
    for (int k = 0; k < H; k++) {
      double in = 0;

      for (int i = 0; i < H; i++)
        in += s[i] * net->query[i * H + k] + memory[t * H + i] * net->key[i * H + k];
      e[t] += net->energy[k] * tanh(in);
    }
    sum += e[t] = exp(e[t]);
  }
  for (int t = 0; t < end; t++)
    for (int k = 0; k < H; k++) c[k] += e[t] / sum * memory[t * H + k];
}

static void read_out(const Net *net, const double *s, double *y) {
  for (int f = 0; f < F; f++) {
    y[f] = net->a[f];
    for (int i = 0; i < net->read; i++) y[f] += s[i] * net->V[i * F + f];
    if (net->shape.unit) y[f] = 1 / (1 + exp(-y[f]));
  }
}

/* One sequence: y [T, F], 0 beyond its end. */
static void run(const Net *net, int end, const double *x, gboolean training, double *y) {
  double memory[T * H], in[F + H], top[2 * H];
  gboolean none = net->shape.feed[0] == 'n';
  const double *fed = training && net->shape.feed[0] == 't' ? x : y;
  State s = encode(net, end, x, memory);

  memset(y, 0, T * F * sizeof *y);
  for (int t = end - 1; t >= 0; t--) {
    for (int f = 0; f < F; f++) in[f] = none || t == end - 1 ? 0 : fed[(t + 1) * F + f];
    if (net->shape.attention) attend(net, end, memory, top_of(net, &s), in + F);
    step(net, net->decoder, in, &s);
    memcpy(top, top_of(net, &s), H * sizeof *top);
    if (net->shape.attention) memcpy(top + H, in + F, H * sizeof *top);
    read_out(net, top, y + t * F);
  }
}

static int end_of(const Shape *s, int n) {
  return s->lengths ? (int)ends[n] : T;
}

/* The objective, and the scores [N] where they are wanted, which are of another pass. */
static double errors(const Net *net, const double *x, gboolean training, double *scores) {
  double sum = 0, y[T * F];
  int count = 0;

  for (int n = 0; n < N; n++) {
    int end = end_of(&net->shape, n);
    double squares = 0;

    run(net, end, x + n * T * F, training, y);
    for (int i = 0; i < end * F; i++)
      squares += (y[i] - x[n * T * F + i]) * (y[i] - x[n * T * F + i]);
    if (scores != NULL) scores[n] = squares / (end * F);
    sum += squares;
    count += end * F;
  }
  return sum / count;
}

/* ---- the model as a plugin ------------------------------------------------------------------- */

static AbModel *make(AbContext *ctx, const Shape *s, AbRole role) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  AbSpec x = plugin_test_spec(ctx, s->unit ? AB_RANGE_UNIT : AB_RANGE_REAL, T, F, 0);
  AbSignature wanted = ab_signature(role, &x, role == AB_ROLE_RECONSTRUCT ? &x : NULL);

  plugin_test_set_int(model, "units", H);
  plugin_test_set_int(model, "layers", s->layers);
  plugin_test_set_choice(model, "cell", s->cell);
  plugin_test_set_choice(model, "feed", s->feed);
  plugin_test_set_bool(model, "attention", s->attention);
  ab_build(model, &wanted);
  plugin_test_fine(ctx);
  return model;
}

static AbBatch *begin(AbContext *ctx, const Shape *s, AbTensor *x) {
  AbBatch *batch = plugin_test_batch(ctx, x, x);

  if (s->lengths)
    ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), ends));
  ab_set_batch(ctx, batch);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  return batch;
}

static void end(AbContext *ctx, AbBatch *batch) {
  ab_set_batch(ctx, NULL);
  ab_batch_free(batch);
}

static double *inputs(void) {
  return plugin_test_numbers(N * T * F, 0.1, 0.9, 3); /* beyond the ends too: must not matter */
}

static void check_roles(const PluginTestCase *at, const Shape *s) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, s, AB_ROLE_RECONSTRUCT);
  Net net = net_new(model, s);
  g_autofree double *x = inputs();
  double y[N * T * F], scores[N];
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), x), *code;
  AbBatch *batch = begin(ctx, s, input);

  for (int n = 0; n < N; n++) run(&net, end_of(s, n), x + n * T * F, FALSE, y + n * T * F);
  errors(&net, x, FALSE, scores);
  plugin_test_near(ab_reconstruct(model, input), y, N * T * F, at->exact);
  plugin_test_near(ab_call(model, AB_ROLE_SCORE, input), scores, N, at->exact);
  code = ab_encode(model, input);
  g_assert_cmpint(ab_dim(code, 1), ==, s->layers * H * (s->cell[0] == 'l' ? 2 : 1));
  if (!s->attention) plugin_test_near(ab_decode(model, code), y, N * T * F, at->exact);
  net_clear(&net);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_roles(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) check_roles(at, &shapes[i]);
}

/* ---- gradients ------------------------------------------------------------------------------- */

static const AbModelVtable *table(const AbModel *model) {
  return model->component->vtable;
}

/* The objective as loops, after weights changed. */
typedef struct {
  AbModel *model;
  AbTensor *weight;
  const Shape *shape;
  const double *x;
} Slope;

static double loops(const double *values, gpointer data) {
  const Slope *s = data;
  double value;
  Net net;

  plugin_test_fill(s->weight, values);
  net = net_new(s->model, s->shape);
  value = errors(&net, s->x, TRUE, NULL);
  net_clear(&net);
  return value;
}

static void check_gradients(const Shape *s) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 7);
  AbModel *model = make(ctx, s, AB_ROLE_SCORE);
  g_autofree double *x = inputs();
  AbBatch *batch = begin(ctx, s, plugin_test_tensor(ctx, AB_SHAPE(N, T, F), x));
  Net net = net_new(model, s);
  AbTensor *loss;

  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  loss = table(model)->objective(model, batch);
  plugin_test_fine(ctx);
  plugin_test_close(ab_item(loss), errors(&net, x, TRUE, NULL), 1e-12);
  ab_backward(loss);
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    Slope slope = {model, ab_state(model, i).tensor, s, x};
    gint64 count = ab_count(slope.weight);
    g_autofree double *values = plugin_test_values(slope.weight);
    g_autofree double *slopes = plugin_test_slopes(loops, values, count, &slope);

    plugin_test_fill(slope.weight, values);
    plugin_test_near(ab_gradient(slope.weight), slopes, count, 1e-8);
  }
  net_clear(&net);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_gradients(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) check_gradients(&shapes[i]);
}

/* To reconstruct is to give back the clean x: what is fed in training is that too. */
static void test_clean(void) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 7);
  const Shape *s = &shapes[3];
  AbModel *model = make(ctx, s, AB_ROLE_RECONSTRUCT);
  g_autofree double *x = inputs(), *clean = plugin_test_numbers(N * T * F, 0, 1, 9);
  Net net = net_new(model, s);
  AbBatch *batch = begin(ctx, s, plugin_test_tensor(ctx, AB_SHAPE(N, T, F), x));
  double sum = 0, count = 0, y[T * F];

  for (int n = 0; n < N; n++) {
    run(&net, end_of(s, n), x + n * T * F, TRUE, y);
    for (int i = 0; i < end_of(s, n) * F; i++, count++)
      sum += (y[i] - clean[n * T * F + i]) * (y[i] - clean[n * T * F + i]);
  }
  ab_batch_put(batch, "target", plugin_test_tensor(ctx, AB_SHAPE(N, T, F), clean));
  plugin_test_close(ab_item(table(model)->objective(model, batch)), sum / count, 1e-12);
  net_clear(&net);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

#define BATCH  32
#define LENGTH 16

/* Sines of any phase, of a period of 8 steps; the anomalies have one of 4. */
static AbTensor *waves(AbContext *ctx, double period, guint64 *state) {
  double x[BATCH * LENGTH];

  for (int i = 0; i < BATCH; i++) {
    double phase = 2 * G_PI * plugin_test_number(state);

    for (int t = 0; t < LENGTH; t++)
      x[i * LENGTH + t] = sin(phase + 2 * G_PI * t / period) + 0.1 * plugin_test_number(state);
  }
  return plugin_test_tensor(ctx, AB_SHAPE(BATCH, LENGTH, 1), x);
}

/* The highest score of normal waves and the lowest of others. */
static void extremes(AbContext *ctx, AbModel *model, double *highest, double *lowest) {
  guint64 state = 77;
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);

  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  *highest = ab_item(ab_max(ab_call(model, AB_ROLE_SCORE, waves(ctx, 8, &state))));
  *lowest = ab_item(ab_min(ab_call(model, AB_ROLE_SCORE, waves(ctx, 4, &state))));
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
}

static void test_waves(gconstpointer feed) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 5);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, LENGTH, 1, 0);
  AbSignature wanted = ab_signature(AB_ROLE_SCORE, &x, NULL);
  AbStepParts parts = {.role = AB_ROLE_SCORE, .model = model, .clip_norm = 1};
  double highest, lowest;
  guint64 state = 13;
  AbStep *s;

  plugin_test_set_choice(model, "feed", feed);
  plugin_test_set_int(model, "units", 32);
  ab_build(model, &wanted);
  parts.optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "adam");
  parts.controller = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_real(parts.optimizer, "lr", 1e-2);
  s = ab_step_new(ctx, &parts);
  ab_step_build(s);
  plugin_test_fine(ctx);
  extremes(ctx, model, &highest, &lowest);
  g_assert_cmpfloat(lowest, <, highest);
  for (int i = 0; i < 500; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbBatch *batch = plugin_test_batch(ctx, waves(ctx, 8, &state), NULL);

    plugin_test_step(ctx, s, batch, i, 100);
    ab_batch_free(batch);
    ab_scope_end(ctx, scope, NULL, 0);
  }
  extremes(ctx, model, &highest, &lowest);
  g_assert_cmpfloat(highest, <, 0.1); /* of a variance of 0.5 */
  g_assert_cmpfloat(lowest, >, 2 * highest);
  ab_step_free(s);
  ab_instance_free(parts.optimizer);
  ab_instance_free(parts.controller);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- decoders and bad input ------------------------------------------------------------------ */

/* As the decoder of another model it takes a code of its width only. */
static void test_decoder(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, 2 * H, 0, 0);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, T, F, 0), wide = code;
  AbSignature wanted = ab_signature(AB_ROLE_DECODE, &code, &x);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  g_autofree double *numbers = plugin_test_numbers(N * 2 * H, -1, 1, 2);
  double y[T * F];
  Net net;

  plugin_test_set_int(model, "units", H);
  ab_build(model, &wanted);
  net = net_new(model, &shapes[0]);
  {
    State s = {0};
    const double *first = numbers;

    memcpy(s.h[0], first, H * sizeof *first);
    memcpy(s.c[0], first + H, H * sizeof *first);
    for (int t = T - 1; t >= 0; t--) {
      const double zeros[F] = {0};

      step(&net, net.decoder, t == T - 1 ? zeros : y + (t + 1) * F, &s);
      read_out(&net, s.h[0], y + t * F);
    }
  }
  plugin_test_near(
      ab_slice(ab_decode(model, plugin_test_tensor(ctx, AB_SHAPE(N, 2 * H), numbers)), 0, 0, 1), y,
      T * F, 1e-12);
  net_clear(&net);
  ab_instance_free(model);

  wide.shape[0] = H;
  wanted = ab_signature(AB_ROLE_DECODE, &wide, &x);
  model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  plugin_test_set_int(model, "units", H);
  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (lstm-encoder-decoder): *code of 6 numbers, not 3*");
  ab_instance_free(model);
  model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  wanted = ab_signature(AB_ROLE_DECODE, &wide, NULL);
  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (lstm-encoder-decoder): *must know the sequences*");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec labels = {.rank = 1, .dtype = AB_I64, .shape = {T}, .range = AB_RANGE_CLASS, .classes = 4};
  AbSignature wanted = ab_signature(AB_ROLE_SCORE, &labels, NULL);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "lstm-encoder-decoder");
  const double zeros[N * T * F] = {0}, long_ends[N] = {5, 6, 3};
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), zeros);
  AbBatch *batch;

  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (lstm-encoder-decoder): x holds classes*predict*");
  ab_instance_free(model);

  model = make(ctx, &shapes[6], AB_ROLE_RECONSTRUCT);
  ab_decode(model, ab_encode(model, input));
  plugin_test_error(ctx, AB_CONFIG, "model (lstm-encoder-decoder): *attention*cannot decode*");
  ab_instance_free(model);

  model = make(ctx, &shapes[1], AB_ROLE_RECONSTRUCT);
  batch = begin(ctx, &shapes[1], input);
  ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), long_ends));
  ab_reconstruct(model, input);
  plugin_test_error(ctx, AB_DATA, "*6*");
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/lstm-encoder-decoder/roles", test_roles);
  g_test_add_func("/lstm-encoder-decoder/gradients", test_gradients);
  g_test_add_func("/lstm-encoder-decoder/clean", test_clean);
  g_test_add_func("/lstm-encoder-decoder/decoder", test_decoder);
  g_test_add_data_func("/lstm-encoder-decoder/waves/target", "target", test_waves);
  g_test_add_data_func("/lstm-encoder-decoder/waves/output", "output", test_waves);
  g_test_add_func("/lstm-encoder-decoder/errors", test_errors);
  return g_test_run();
}
