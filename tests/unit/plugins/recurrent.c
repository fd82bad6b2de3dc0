/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent networks against loops over their equations: every cell, layers on each other, both
 * directions, sequences that end early, summaries and outputs for each step. And that they learn
 * what only a memory can: which number came first.                                               */
#include "sequence-test.h"
#include <math.h>
#include <string.h>

#define N     3
#define T     5
#define F     2
#define H     4
#define OUT   3
#define WIDTH (2 * H) /* of the outputs of a layer at most */

static const double ends[N] = {5, 2, 3};

typedef struct {
  const char *name;
  AbCell cell;
  int layers;
  gboolean both, peepholes, lengths;
} Shape;

static const Shape shapes[] = {
    {"elman", AB_CELL_ELMAN, 1, FALSE, FALSE, FALSE},
    {"elman", AB_CELL_ELMAN_RELU, 2, FALSE, FALSE, TRUE},
    {"gru", AB_CELL_GRU, 1, FALSE, FALSE, FALSE},
    {"gru", AB_CELL_GRU, 2, TRUE, FALSE, TRUE},
    {"lstm", AB_CELL_LSTM, 1, FALSE, FALSE, FALSE},
    {"lstm", AB_CELL_LSTM, 2, TRUE, TRUE, TRUE},
};

/* ---- the network as loops -------------------------------------------------------------------- */

/* One direction of a layer over one sequence: out[t * stride + j]; `last` is where it ends. */
static void run_direction(const Cell *cell, gboolean back, int end, const double *x, int in,
                          double *out, double *last) {
  double h[CELL_UNITS] = {0}, c[CELL_UNITS] = {0};

  for (int k = 0; k < end; k++) {
    int t = back ? end - 1 - k : k;

    cell_step(cell, x + t * in, h, c);
    memcpy(out + t * WIDTH, h, H * sizeof *h);
  }
  memcpy(last, h, H * sizeof *h);
}

/* x [T, in] of one sequence -> outputs [T, WIDTH] of the last layer, 0 beyond its end, and the last
 * states of its directions [WIDTH]; the width of both.                                           */
static int run_stack(AbModel *model, const Shape *s, int end, const double *x, int in,
                     double *outputs, double *last) {
  int directions = s->both ? 2 : 1, width = directions * H;
  double from[T * WIDTH] = {0};

  memcpy(from, x, (gsize)(T * in) * sizeof *x);
  for (int l = 0; l < s->layers; l++) {
    memset(outputs, 0, T * WIDTH * sizeof *outputs);
    for (int d = 0; d < directions; d++) {
      Cell cell = cell_read(model, l * directions + d + 1, s->cell, s->peepholes);

      g_assert_cmpint(cell.in, ==, l == 0 ? in : width);
      run_direction(&cell, d == 1, end, from, l == 0 ? in : width, outputs + d * H, last + d * H);
      cell_clear(&cell);
    }
    for (int t = 0; t < T; t++)
      memcpy(from + t * width, outputs + t * WIDTH, (gsize)width * sizeof *from);
  }
  return width;
}

/* y [OUT] := v W + b with the head's weights. */
static void head(AbModel *model, const Shape *s, const double *v, int width, double *y) {
  int number = s->layers * (s->both ? 2 : 1) + 1;
  g_autofree char *W_name = g_strdup_printf("W%d", number);
  g_autofree char *b_name = g_strdup_printf("b%d", number);
  g_autofree double *W = plugin_test_values(plugin_test_state(model, W_name));
  g_autofree double *b = plugin_test_values(plugin_test_state(model, b_name));

  for (int o = 0; o < OUT; o++) {
    y[o] = b[o];
    for (int i = 0; i < width; i++) y[o] += v[i] * W[i * OUT + o];
  }
}

/* ---- the network as a plugin ----------------------------------------------------------------- */

static AbModel *make(AbContext *ctx, const Shape *s, AbRole role, const AbSpec *x,
                     const AbSpec *out, const char *summary) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, s->name);
  AbSignature wanted = ab_signature(role, x, out);

  plugin_test_set_int(model, "units", H);
  plugin_test_set_int(model, "layers", s->layers);
  plugin_test_set_bool(model, "bidirectional", s->both);
  plugin_test_set_choice(model, "summary", summary);
  plugin_test_set_real(model, "dropout", 0.5); /* nothing outside training */
  if (s->peepholes) plugin_test_set_bool(model, "peepholes", TRUE);
  if (s->cell == AB_CELL_ELMAN_RELU) plugin_test_set_choice(model, "activation", "relu");
  ab_build(model, &wanted);
  plugin_test_fine(ctx);
  return model;
}

/* The batch at hand, with lengths where the shape has some; free with ab_batch_free. */
static AbBatch *begin(AbContext *ctx, const Shape *s, AbTensor *x) {
  AbBatch *batch = plugin_test_batch(ctx, x, NULL);

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

/* What a model that was built to classify gives: logits, and the code. */
static void check_summary(const PluginTestCase *at, const Shape *s, gboolean mean) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, T, F, 0);
  AbSpec y = plugin_test_spec(ctx, AB_RANGE_REAL, OUT, 0, 0);
  AbModel *model = make(ctx, s, AB_ROLE_CLASSIFY, &x, &y, mean ? "mean" : "last");
  g_autofree double *numbers = plugin_test_numbers(N * T * F, -2, 2, 3);
  double codes[N * WIDTH], logits[N * OUT], outputs[T * WIDTH], code[WIDTH];
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), numbers);
  AbBatch *batch = begin(ctx, s, input);
  int width = 0;

  for (int n = 0; n < N; n++) {
    int last = s->lengths ? (int)ends[n] : T;

    width = run_stack(model, s, last, numbers + n * T * F, F, outputs, code);
    for (int i = 0; mean && i < width; i++) {
      code[i] = 0;
      for (int t = 0; t < last; t++) code[i] += outputs[t * WIDTH + i] / last;
    }
    memcpy(codes + n * width, code, (gsize)width * sizeof *code);
    head(model, s, code, width, logits + n * OUT);
  }
  plugin_test_near(ab_encode(model, input), codes, N * width, at->exact);
  plugin_test_near(ab_call(model, AB_ROLE_CLASSIFY, input), logits, N * OUT, at->exact);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_summary(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++)
    for (int mean = 0; mean < 2; mean++) check_summary(at, &shapes[i], mean);
}

/* An output for each step; binary ones come through a sigmoid; 0 beyond the end. */
static void check_steps(const PluginTestCase *at, const Shape *s, AbRange range) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, T, F, 0);
  AbSpec y = plugin_test_spec(ctx, range, T, OUT, 0);
  AbModel *model = make(ctx, s, AB_ROLE_PREDICT, &x, &y, "last");
  g_autofree double *numbers = plugin_test_numbers(N * T * F, -2, 2, 4);
  double expected[N * T * OUT] = {0}, outputs[T * WIDTH], last[WIDTH];
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), numbers), *got;
  AbBatch *batch = begin(ctx, s, input);

  for (int n = 0; n < N; n++) {
    int steps = s->lengths ? (int)ends[n] : T;
    int width = run_stack(model, s, steps, numbers + n * T * F, F, outputs, last);

    for (int t = 0; t < steps; t++) {
      double *to = expected + (n * T + t) * OUT;

      head(model, s, outputs + t * WIDTH, width, to);
      for (int o = 0; range == AB_RANGE_BINARY && o < OUT; o++) to[o] = 1 / (1 + exp(-to[o]));
    }
  }
  got = ab_call(model, AB_ROLE_PREDICT, input);
  g_assert_cmpint(ab_rank(got), ==, 3);
  plugin_test_near(got, expected, N * T * OUT, at->exact);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_steps(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
    check_steps(at, &shapes[i], AB_RANGE_REAL);
    check_steps(at, &shapes[i], AB_RANGE_BINARY);
  }
}

/* A field of lengths of another type and shape, as a data file may have it, says the same. */
static void test_real_lengths(void) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 3);
  const Shape *s = &shapes[3];
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, T, F, 0);
  AbModel *model = make(ctx, s, AB_ROLE_ENCODE, &x, NULL, "last");
  g_autofree double *numbers = plugin_test_numbers(N * T * F, -2, 2, 5), *expected = NULL;
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), numbers);
  AbBatch *batch = begin(ctx, s, input);

  expected = plugin_test_values(ab_encode(model, input));
  ab_batch_put(batch, "length", plugin_test_tensor(ctx, AB_SHAPE(N, 1), ends));
  plugin_test_near(ab_encode(model, input), expected, N * WIDTH, 0);
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* Classes are one-hot vectors; a sample [T] has one number a step. */
static void test_classes(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = {.rank = 1, .dtype = AB_I64, .shape = {T}, .range = AB_RANGE_CLASS, .classes = OUT};
  const Shape *s = &shapes[2];
  AbModel *model = make(ctx, s, AB_ROLE_ENCODE, &x, NULL, "last");
  double labels[N * T], one_hot[T * OUT], outputs[T * WIDTH], codes[N * H];

  for (int i = 0; i < N * T; i++) labels[i] = (i * 7) % OUT;
  for (int n = 0; n < N; n++) {
    memset(one_hot, 0, sizeof one_hot);
    for (int t = 0; t < T; t++) one_hot[t * OUT + (int)labels[n * T + t]] = 1;
    run_stack(model, s, T, one_hot, OUT, outputs, codes + n * H);
  }
  plugin_test_near(ab_encode(model, plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N, T), labels)),
                   codes, N * H, at->exact);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

#define BATCH  64
#define LENGTH 12

/* Noise with a number of -1 or 1 in front, which is the class. */
static AbBatch *first_number(AbContext *ctx, guint64 *state) {
  double x[BATCH * LENGTH], y[BATCH];

  for (int i = 0; i < BATCH; i++) {
    y[i] = plugin_test_number(state) < 0.5;
    x[i * LENGTH] = 2 * y[i] - 1;
    for (int t = 1; t < LENGTH; t++) x[i * LENGTH + t] = 2 * plugin_test_number(state) - 1;
  }
  return plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(BATCH, LENGTH), x),
                           plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(BATCH), y));
}

static double accuracy(AbContext *ctx, AbModel *model, guint64 state) {
  AbScope scope = ab_scope_begin(ctx);
  AbMetric *metric = plugin_test_new(ctx, AB_KIND_METRIC, "accuracy");
  double value;

  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  ab_metric_begin(metric, model);
  for (int i = 0; i < 4; i++) {
    AbBatch *batch = first_number(ctx, &state);

    ab_metric_update(metric, ab_call(model, AB_ROLE_CLASSIFY, ab_batch_get(batch, "x")),
                     ab_batch_get(batch, "y"));
    ab_batch_free(batch);
  }
  value = ab_metric_value(metric);
  ab_instance_free(metric);
  ab_scope_end(ctx, scope, NULL, 0);
  return value;
}

/* Before learning about half are right; after, nearly all. */
static void test_memory(gconstpointer name) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 5);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, name);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, LENGTH, 0, 0);
  AbSpec y = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &x, &y);
  AbStepParts parts = {.role = AB_ROLE_CLASSIFY, .model = model, .clip_norm = 1};
  guint64 state = 11;
  AbStep *step;

  plugin_test_set_int(model, "units", 16);
  ab_build(model, &wanted);
  parts.loss = plugin_test_new(ctx, AB_KIND_LOSS, "cross-entropy");
  parts.optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "adam");
  parts.controller = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_real(parts.optimizer, "lr", 1e-2);
  step = ab_step_new(ctx, &parts);
  ab_step_build(step);
  plugin_test_fine(ctx);
  g_assert_cmpfloat(accuracy(ctx, model, 99), <, 0.8);
  for (int i = 0; i < 300; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbBatch *batch = first_number(ctx, &state);

    plugin_test_step(ctx, step, batch, i, 100);
    ab_batch_free(batch);
    ab_scope_end(ctx, scope, NULL, 0);
  }
  g_assert_cmpfloat(accuracy(ctx, model, 99), >, 0.97);
  ab_step_free(step);
  ab_instance_free(parts.loss);
  ab_instance_free(parts.optimizer);
  ab_instance_free(parts.controller);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, T, F, 0), number = {.dtype = AB_F64};
  AbSpec y = plugin_test_spec(ctx, AB_RANGE_REAL, OUT, 0, 0);
  AbSignature scalar = ab_signature(AB_ROLE_CLASSIFY, &number, &y);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "gru");
  const double zeros[N * T * F] = {0}, long_ends[N] = {5, 6, 3};
  AbTensor *input = plugin_test_tensor(ctx, AB_SHAPE(N, T, F), zeros);
  AbBatch *batch;

  ab_build(model, &scalar);
  plugin_test_error(ctx, AB_CONFIG, "model (gru): *one number and no sequence*reshape*");
  ab_instance_free(model);

  model = make(ctx, &shapes[2], AB_ROLE_ENCODE, &x, NULL, "last");
  ab_call(model, AB_ROLE_CLASSIFY, input);
  plugin_test_error(ctx, AB_CONFIG, "model (gru): *built for the role encode*");
  batch = begin(ctx, &shapes[3], input);
  ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), long_ends));
  ab_encode(model, input);
  plugin_test_error(ctx, AB_DATA, "*length*6*");
  end(ctx, batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/recurrent/summary", test_summary);
  plugin_test_add("/recurrent/steps", test_steps);
  plugin_test_add("/recurrent/classes", test_classes);
  g_test_add_func("/recurrent/lengths", test_real_lengths);
  g_test_add_data_func("/recurrent/memory/elman", "elman", test_memory);
  g_test_add_data_func("/recurrent/memory/gru", "gru", test_memory);
  g_test_add_data_func("/recurrent/memory/lstm", "lstm", test_memory);
  g_test_add_func("/recurrent/errors", test_errors);
  return g_test_run();
}
