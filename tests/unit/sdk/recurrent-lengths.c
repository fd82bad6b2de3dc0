/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: rows of several lengths, edges, errors, and layers on top of each other. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

#define NO AB_NONE

static AbTensor *numbers(AbContext *ctx, AbShape shape, uint64_t seed) {
  g_autofree double *values = sdk_numbers(ab_shape_count(shape), -0.8, 0.8, seed);
  AbTensor *x = sdk_tensor(ctx, shape, values);
  ab_require_grad(x);
  return x;
}

static AbTensor *integers(AbContext *ctx, int64_t count, const int64_t *values) {
  return ab_from(ctx, AB_I64, AB_SHAPE(count), values);
}

static void assert_same(AbTensor *a, AbTensor *b, double error) {
  g_assert_cmpint(ab_count(a), ==, ab_count(b));
  g_autofree double *x = sdk_values(a), *y = sdk_values(b);
  for (int64_t i = 0; i < ab_count(a); i++) g_assert_cmpfloat(fabs(x[i] - y[i]), <=, error);
}

/* ---- lengths --------------------------------------------------------------------------------- */

enum { T = 5, N = 3, IN = 2, H = 4 };
static const int64_t lengths[N] = {3, 5, 0};

typedef struct {
  AbTensor *x, *W, *U, *b, *d, *h0, *c0;
} Inputs;

static Inputs inputs_of(AbContext *ctx, int64_t gates) {
  return (Inputs){numbers(ctx, AB_SHAPE(T, N, IN), 1),
                  numbers(ctx, AB_SHAPE(IN, gates * H), 2),
                  numbers(ctx, AB_SHAPE(H, gates * H), 3),
                  numbers(ctx, AB_SHAPE(gates * H), 4),
                  numbers(ctx, AB_SHAPE(H), 5),
                  numbers(ctx, AB_SHAPE(N, H), 6),
                  numbers(ctx, AB_SHAPE(N, H), 7)};
}

static AbRecurrence apply(int kind, const Inputs *in, AbTensor *x, AbTensor *h0, AbTensor *c0,
                          AbTensor *steps, bool reverse) {
  if (kind == 0) return ab_elman(x, in->W, in->U, in->b, h0, steps, AB_TANH, reverse);
  if (kind == 1) return ab_gru(x, in->W, in->U, in->b, in->d, h0, steps, reverse);
  return ab_lstm(x, in->W, in->U, in->b, NO, h0, c0, steps, reverse);
}

/* Padding of NaN and infinity changes nothing, and each row gives what it gives alone. */
static void check_rows(const char *device, AbDtype real, int kind, bool reverse) {
  AbContext *ctx = sdk_context(device, real);
  double error = real == AB_F64 ? 1e-13 : 2e-6;
  Inputs in = inputs_of(ctx, kind == 0 ? 1 : kind == 1 ? 3 : 4);
  double *x = ab_map(in.x, true);
  float *narrow = (float *)x;
  for (int64_t n = 0; n < N; n++)
    for (int64_t i = lengths[n] * N * IN; i < T * N * IN; i++)
      if (i / IN % N == n) {
        if (real == AB_F64)
          x[i] = i % 2 ? NAN : INFINITY;
        else
          narrow[i] = i % 2 ? NAN : INFINITY;
      }
  ab_unmap(in.x);
  AbRecurrence all = apply(kind, &in, in.x, in.h0, in.c0, integers(ctx, N, lengths), reverse);
  AbTensor *sum = ab_add(ab_sum(ab_square(all.outputs)), ab_sum(all.h));
  if (kind == 2) sum = ab_add(sum, ab_sum(ab_square(all.c)));
  AbTensor *weights[] = {in.W, in.U, in.b, in.h0, in.c0, in.x, in.d}, *given[7], *alone[7];
  ab_gradients(sum, weights, 7, given, false);
  sdk_assert_ok(ctx);
  AbTensor *total = ab_full(ctx, real, ab_scalar_shape(), 0);
  for (int64_t n = 0; n < N; n++) {
    AbTensor *row = ab_slice(ab_slice(in.x, 0, 0, lengths[n]), 1, n, n + 1);
    AbTensor *h0 = ab_slice(in.h0, 0, n, n + 1), *c0 = ab_slice(in.c0, 0, n, n + 1);
    AbRecurrence one = apply(kind, &in, row, h0, c0, NO, reverse);
    assert_same(one.outputs, ab_slice(ab_slice(all.outputs, 0, 0, lengths[n]), 1, n, n + 1), error);
    assert_same(one.h, ab_slice(all.h, 0, n, n + 1), error);
    if (kind == 2) assert_same(one.c, ab_slice(all.c, 0, n, n + 1), error);
    g_autofree double *rest =
        sdk_values(ab_slice(ab_slice(all.outputs, 0, lengths[n], T), 1, n, n + 1));
    for (int64_t i = 0; i < (T - lengths[n]) * H; i++) g_assert_cmpfloat(rest[i], ==, 0);
    total = ab_add(total, ab_add(ab_sum(ab_square(one.outputs)), ab_sum(one.h)));
    if (kind == 2) total = ab_add(total, ab_sum(ab_square(one.c)));
  }
  ab_gradients(total, weights, 7, alone, false);
  sdk_assert_ok(ctx);
  for (int i = 0; i < 7; i++) assert_same(given[i], alone[i], 20 * error);
  sdk_finish(ctx);
}

static void test_rows(const void *device) {
  for (int kind = 0; kind < 3; kind++)
    for (int reverse = 0; reverse < 2; reverse++)
      for (AbDtype real = AB_F32; real <= AB_F64; real++) check_rows(device, real, kind, reverse);
}

/* ---- by hand, and nothing at all ------------------------------------------------------------ */

static void test_by_hand(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 1, 1), (double[]){1, -2});
  AbTensor *one = sdk_tensor(ctx, AB_SHAPE(1, 1), (double[]){1});
  AbTensor *four = sdk_tensor(ctx, AB_SHAPE(1, 4), (double[]){0, 0, 1, 0});
  AbTensor *none = ab_zeros(ctx, AB_SHAPE(1, 4));
  /* relu: 1, then max(0, -2 + 1) = 0; from the other end 0, then 1 */
  AbRecurrence r = ab_elman(x, one, one, NO, NO, NO, AB_RELU, false);
  g_assert_cmpfloat(ab_item(r.h), ==, 0);
  g_assert_cmpfloat(ab_item(ab_slice(r.outputs, 0, 0, 1)), ==, 1);
  g_assert_cmpfloat(ab_item(ab_elman(x, one, one, NO, NO, NO, AB_RELU, true).h), ==, 1);
  /* gates of 1/2: c = tanh(1) / 2, then c / 2 + tanh(-2) / 2; h = tanh(c) / 2 */
  r = ab_lstm(x, four, none, NO, NO, NO, NO, NO, false);
  double c = tanh(1) / 4 + tanh(-2) / 2;
  g_assert_cmpfloat_with_epsilon(ab_item(r.c), c, 1e-15);
  g_assert_cmpfloat_with_epsilon(ab_item(r.h), tanh(c) / 2, 1e-15);
  /* a peephole of the output gate alone */
  AbTensor *p = sdk_tensor(ctx, AB_SHAPE(3, 1), (double[]){0, 0, 3});
  r = ab_lstm(x, four, none, NO, p, NO, NO, NO, false);
  g_assert_cmpfloat_with_epsilon(ab_item(r.h), tanh(c) / (1 + exp(-3 * c)), 1e-15);
  sdk_finish(ctx);
}

/* Axes of 0: states pass through, gradients are 0 or pass through. */
static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  for (int axis = 0; axis < 4; axis++) {
    int64_t t = axis != 0 ? 2 : 0, n = axis != 1 ? 3 : 0, in = axis != 2 ? 2 : 0,
            units = axis != 3 ? 5 : 0;
    AbTensor *x = numbers(ctx, AB_SHAPE(t, n, in), 1);
    AbTensor *h = numbers(ctx, AB_SHAPE(n, units), 2), *c = numbers(ctx, AB_SHAPE(n, units), 3);
    AbTensor *W = numbers(ctx, AB_SHAPE(in, 4 * units), 4);
    AbTensor *U = numbers(ctx, AB_SHAPE(units, 4 * units), 5);
    AbTensor *V = numbers(ctx, AB_SHAPE(in, 3 * units), 4);
    AbTensor *Y = numbers(ctx, AB_SHAPE(units, 3 * units), 5);
    AbRecurrence r = ab_lstm(x, W, U, NO, NO, h, c, NO, false);
    AbRecurrence s = ab_gru(x, V, Y, NO, NO, h, NO, true);
    g_assert_cmpint(ab_count(r.outputs), ==, t * n * units);
    g_assert_cmpint(ab_count(s.outputs), ==, t * n * units);
    AbTensor *sum = ab_add(ab_add(ab_sum(r.outputs), ab_sum(r.h)), ab_sum(s.h));
    ab_backward(ab_add(sum, ab_sum(r.c)));
    sdk_assert_ok(ctx);
    g_autofree double *gradient = sdk_values(ab_gradient(h)), *of_W = sdk_values(ab_gradient(W));
    for (int64_t i = 0; i < n * units && t == 0; i++) g_assert_cmpfloat(gradient[i], ==, 2);
    for (int64_t i = 0; i < in * 4 * units && t == 0; i++) g_assert_cmpfloat(of_W[i], ==, 0);
    if (t == 0) assert_same(r.c, c, 0);
  }
  sdk_finish(ctx);
}

static void test_nan(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Inputs in = inputs_of(ctx, 4);
  ((float *)ab_map(in.x, true))[(1 * N + 1) * IN] = NAN;
  ab_unmap(in.x);
  AbRecurrence r = ab_lstm(in.x, in.W, in.U, in.b, NO, NO, NO, NO, false);
  g_autofree double *y = sdk_values(r.outputs);
  for (int64_t i = 0; i < T * N * H; i++)
    g_assert_cmpint(isnan(y[i]) != 0, ==, i / H % N == 1 && i / (N * H) >= 1);
  sdk_finish(ctx);
}

/* ---- errors and dry runs -------------------------------------------------------------------- */

static void assert_nothing(AbRecurrence r) {
  g_assert_true(!r.outputs && !r.h && !r.c);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  Inputs in = inputs_of(ctx, 4), three = inputs_of(ctx, 3), one = inputs_of(ctx, 1);
  AbTensor *wide = ab_cast(in.W, AB_F64), *foreign = ab_zeros(other, AB_SHAPE(H, 4 * H));
  AbTensor *bad = ab_zeros(ctx, AB_SHAPE(3, H + 1));
#define LSTM(x, W, U, b, p, h, c, l) assert_nothing(ab_lstm(x, W, U, b, p, h, c, l, false))
#define FAILS(code, ...)             sdk_assert_error(ctx, code, "lstm", __VA_ARGS__, NULL)
  LSTM(in.h0, in.W, in.U, NO, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "x f32 [3, 4]", "wanted are x [t, n, in], W [in, 4 H]");
  LSTM(in.x, in.U, in.U, NO, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "W f32 [4, 16]");
  LSTM(in.x, three.W, three.U, NO, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "U f32 [4, 12]");
  LSTM(in.x, in.W, in.b, NO, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "U f32 [16]");
  LSTM(in.x, in.W, in.U, in.d, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "b f32 [4]");
  LSTM(in.x, in.W, in.U, NO, bad, NO, NO, NO);
  FAILS(AB_CONFIG, "p f32 [3, 5]", "p [3, H]");
  LSTM(in.x, in.W, in.U, NO, NO, bad, NO, NO);
  FAILS(AB_CONFIG, "h0 f32 [3, 5]");
  LSTM(in.x, in.W, in.U, NO, NO, NO, bad, NO);
  FAILS(AB_CONFIG, "c0 f32 [3, 5]");
  LSTM(in.x, wide, in.U, NO, NO, NO, NO, NO);
  FAILS(AB_CONFIG, "W f64 [2, 16]", "one type");
  LSTM(in.x, in.W, foreign, NO, NO, NO, NO, NO);
  FAILS(AB_INTERNAL, "two contexts");
  LSTM(in.x, NO, in.U, NO, NO, NO, NO, NO);
  FAILS(AB_INTERNAL, "AB_NONE is no operand");
  LSTM(NO, in.W, in.U, NO, NO, NO, NO, NO);
  FAILS(AB_INTERNAL, "AB_NONE is no operand");
  LSTM(in.x, in.W, in.U, integers(ctx, N, lengths), NO, NO, NO, NO);
  FAILS(AB_CONFIG, "real numbers");
  LSTM(in.x, in.W, in.U, NO, NO, NO, NO, in.d);
  FAILS(AB_CONFIG, "lengths of f32 [4]", "i64 [3]");
  LSTM(in.x, in.W, in.U, NO, NO, NO, NO, integers(ctx, 2, lengths));
  FAILS(AB_CONFIG, "lengths of i64 [2]");
  LSTM(in.x, in.W, in.U, NO, NO, NO, NO, integers(other, 3, lengths));
  FAILS(AB_INTERNAL, "two contexts");
  LSTM(in.x, in.W, in.U, NO, NO, NO, NO, integers(ctx, 3, (int64_t[]){1, 6, 2}));
  FAILS(AB_DATA, "row 1 has a length of 6", "5 steps");
  LSTM(in.x, in.W, in.U, NO, NO, NO, NO, integers(ctx, 3, (int64_t[]){1, 2, -1}));
  FAILS(AB_DATA, "row 2 has a length of -1");
#undef LSTM
#undef FAILS
  assert_nothing(ab_gru(in.x, three.W, three.U, three.b, bad, NO, NO, false));
  sdk_assert_error(ctx, AB_CONFIG, "gru", "d f32 [3, 5]", "b [3 H], d [H]", NULL);
  assert_nothing(ab_elman(in.x, one.W, one.U, one.b, NO, NO, AB_SIGMOID, false));
  sdk_assert_error(ctx, AB_CONFIG, "elman", "AB_TANH or AB_RELU", NULL);
  assert_nothing(ab_lstm_cell(in.x, in.W, in.U, NO, NO, bad, NO));
  sdk_assert_error(ctx, AB_CONFIG, "lstm", "h0", NULL);
  assert_nothing(ab_lstm(NULL, in.W, in.U, NO, NO, NO, NO, NO, false));
  assert_nothing(ab_gru(in.x, three.W, three.U, NULL, NO, NO, NO, false));
  assert_nothing(ab_elman(in.x, one.W, one.U, NO, NO, NULL, AB_TANH, false));
  assert_nothing(ab_gru_cell(NULL, three.W, three.U, NO, NO, NO));
  sdk_finish(ctx);
  sdk_finish(other);
}

/* ---- layers ---------------------------------------------------------------------------------- */

typedef struct {
  AbModel base;
  AbRecurrentLayers layers;
} Net;
static AbRecurrentOptions options;
static int64_t net_units;

static void net_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  ((Net *)self)->layers = ab_recurrent_make(self, 1, IN, net_units, options);
}
static AbTensor *net_encode(AbModel *self, AbTensor *x) {
  x = ab_transpose(x, 0, 1);
  return ab_transpose(ab_recurrent_apply(&((Net *)self)->layers, x, NO, NO, NO).outputs, 0, 1);
}
static const AbModelVtable net_table = {
    .struct_size = sizeof net_table, .build = net_build, .encode = net_encode};
static const AbComponent net = {
    sizeof(AbComponent),          AB_KIND_MODEL,       "net", "Layers.", "",
    .instance_size = sizeof(Net), .vtable = &net_table};

static Net *net_new(AbContext *ctx, AbRecurrentOptions wanted_options, int64_t units) {
  options = wanted_options;
  net_units = units;
  Net *m = (Net *)ab_instance_new(ctx, &net, "model", NULL);
  AbSpec in = {.rank = 2, .dtype = ab_real_dtype(ctx), .shape = {T, IN}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&m->base, &wanted);
  return m;
}

/* Two layers in both directions are four operations and what joins them. */
static void check_stack(AbContext *ctx, AbCell cell, bool peepholes) {
  Net *m = net_new(ctx, (AbRecurrentOptions){cell, 2, true, peepholes, 0.5, 0}, H);
  sdk_assert_ok(ctx);
  AbRecurrentWeights *w = m->layers.weights;
  AbTensor *x = numbers(ctx, AB_SHAPE(T, N, IN), 1), *h0 = numbers(ctx, AB_SHAPE(4, N, H), 2);
  AbTensor *c0 = cell == AB_CELL_LSTM ? numbers(ctx, AB_SHAPE(4, N, H), 3) : NO;
  AbTensor *steps = integers(ctx, N, lengths), *parts[4], *y = x, *h[4];
  for (int i = 0; i < 4; i++) {
    AbTensor *h1 = ab_reshape(ab_slice(h0, 0, i, i + 1), AB_SHAPE(N, H));
    AbTensor *c1 = c0 == NO ? NO : ab_reshape(ab_slice(c0, 0, i, i + 1), AB_SHAPE(N, H));
    g_assert_cmpint(ab_dim(w[i].W, 0), ==, i < 2 ? IN : 2 * H);
    AbRecurrence r =
        cell == AB_CELL_LSTM  ? ab_lstm(y, w[i].W, w[i].U, w[i].b, w[i].p, h1, c1, steps, i % 2)
        : cell == AB_CELL_GRU ? ab_gru(y, w[i].W, w[i].U, w[i].b, w[i].d, h1, steps, i % 2)
                              : ab_elman(y, w[i].W, w[i].U, w[i].b, h1, steps,
                                         cell == AB_CELL_ELMAN ? AB_TANH : AB_RELU, i % 2);
    parts[i] = r.outputs;
    h[i] = r.h;
    if (i == 1) y = ab_concat(parts, 2, 2);
  }
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0); /* no dropout */
  AbRecurrence all = ab_recurrent_apply(&m->layers, x, h0, c0, steps);
  sdk_assert_ok(ctx);
  assert_same(all.outputs, ab_concat(parts + 2, 2, 2), 0);
  assert_same(all.h, ab_stack(h, 4, 0), 0);
  g_assert_true(ab_is_none(all.c) == (cell != AB_CELL_LSTM));
  g_assert_cmpint(ab_state_count(&m->base), ==,
                  4 * (3 + (cell == AB_CELL_GRU) + (peepholes ? 1 : 0)));
  g_assert_true(ab_find_weight(&m->base, "U4") == w[3].U);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  AbRecurrence dropped = ab_recurrent_apply(&m->layers, x, h0, c0, steps);
  g_autofree double *a = sdk_values(dropped.outputs), *b = sdk_values(all.outputs);
  g_assert_cmpint(memcmp(a, b, (size_t)ab_count(all.outputs) * sizeof *a), !=, 0);
  assert_same(ab_slice(dropped.h, 0, 0, 2), ab_slice(all.h, 0, 0, 2), 0);
  ab_instance_free(&m->base);
}

static void test_stack(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  check_stack(ctx, AB_CELL_ELMAN, false);
  check_stack(ctx, AB_CELL_ELMAN_RELU, false);
  check_stack(ctx, AB_CELL_LSTM, true);
  check_stack(ctx, AB_CELL_GRU, false);
  sdk_finish(ctx);
}

/* Weights within +-1 / sqrt(units), with that deviation; the forget gates' biases as they were
 * asked; the shapes and the products of a dry run. */
static void test_make(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Net *m = net_new(ctx, (AbRecurrentOptions){.cell = AB_CELL_LSTM, .forget_bias = 1.5}, 64);
  g_autofree double *U = sdk_values(m->layers.weights[0].U);
  g_autofree double *b = sdk_values(m->layers.weights[0].b);
  double squares = 0;
  for (int i = 0; i < 64 * 256; i++) {
    g_assert_cmpfloat(fabs(U[i]), <=, 0.125);
    squares += U[i] * U[i];
  }
  g_assert_cmpfloat(fabs(sqrt(squares / (64 * 256)) / (0.125 / sqrt(3)) - 1), <, 0.02);
  for (int i = 0; i < 256; i++)
    g_assert_true(i / 64 == 1 ? b[i] == 1.5 : fabs(b[i]) <= 0.125 && b[i] != 0);
  g_assert_cmpint(ab_model_multiply_adds(&m->base), ==, T * (IN + 64) * 256);
  AbSignature signature = ab_model_signature(&m->base);
  g_assert_cmpint(signature.out.rank, ==, 2);
  g_assert_cmpint(signature.out.shape[1], ==, 64);
  AbTensor *x = numbers(ctx, AB_SHAPE(T, N, IN), 1), *state = numbers(ctx, AB_SHAPE(2, N, 64), 2);
  assert_nothing(ab_recurrent_apply(&m->layers, x, state, NO, NO));
  sdk_assert_error(ctx, AB_CONFIG, "recurrent layers: h0 of f64 [2, 3, 64]", "[1, n, 64]", NULL);
  assert_nothing(ab_recurrent_apply(&m->layers, x, NO, state, NO));
  sdk_assert_error(ctx, AB_CONFIG, "recurrent layers: c0", NULL);
  assert_nothing(ab_recurrent_apply(&m->layers, NULL, NO, NO, NO));
  ab_instance_free(&m->base);
  static const struct {
    AbRecurrentOptions options;
    int64_t units;
    const char *text;
  } wrong[] = {
      {{.cell = 4}, 3, "no cell 4"},
      {{.cell = AB_CELL_GRU}, 0, "must be units"},
      {{.cell = AB_CELL_GRU}, INT64_MAX / 2, "must be units"},
      {{.cell = AB_CELL_GRU, .layers = -1}, 3, "-1 of them"},
      {{.cell = AB_CELL_GRU, .dropout = 1.5}, 3, "dropout of 1.5"},
      {{.cell = AB_CELL_GRU, .forget_bias = 1}, 3, "forget_bias of 1 for a cell of gru"},
      {{.cell = AB_CELL_ELMAN, .peepholes = true}, 3, "peepholes for a cell of elman"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    m = net_new(ctx, wrong[i].options, wrong[i].units);
    g_assert_null(m->layers.weights);
    sdk_assert_error(ctx, AB_CONFIG, wrong[i].text, NULL);
    ab_instance_free(&m->base);
  }
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/recurrent/lengths", test_rows);
  sdk_add("/recurrent/by-hand", test_by_hand);
  sdk_add("/recurrent/empty", test_empty);
  sdk_add("/recurrent/nan", test_nan);
  sdk_add("/recurrent/errors", test_errors);
  sdk_add("/recurrent/layers", test_stack);
  sdk_add("/recurrent/make", test_make);
  return g_test_run();
}
