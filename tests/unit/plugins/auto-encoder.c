/* SPDX-License-Identifier: Apache-2.0
 *
 * Auto-encoder: outputs against loops in double, tied weights against finite differences through
 * both of their uses, all pairs of models, learning, and what is refused.                       */
#include "net-test.h"
#include <math.h>
#include <string.h>

#define ROWS 6

typedef struct {
  AbContext *ctx;
  AbModel *model, *encoder, *decoder;
} Pair;

static void pair_begin(Pair *pair, AbContext *ctx, const char *encoder, const char *decoder) {
  pair->ctx = ctx;
  pair->model = plugin_test_new(ctx, AB_KIND_MODEL, "auto-encoder");
  pair->encoder = plugin_test_new_at(ctx, AB_KIND_MODEL, encoder, "model/encoder");
  pair->decoder = plugin_test_new_at(ctx, AB_KIND_MODEL, decoder, "model/decoder");
  plugin_test_slot(pair->model, "encoder", pair->encoder);
  plugin_test_slot(pair->model, "decoder", pair->decoder);
}

static void pair_end(Pair *pair) {
  ab_instance_free(pair->model);
  ab_instance_free(pair->encoder);
  ab_instance_free(pair->decoder);
}

/* Units up to the first 0. */
static void units(AbModel *mlp, gint64 a, gint64 b) {
  const gint64 widths[] = {a, b};

  plugin_test_set_ints(mlp, "units", (a > 0) + (b > 0), widths);
}

/* For samples [a, b]; the range of x decides on the activation of the output. */
static AbSpec pair_build(Pair *pair, AbRange range, gint64 a, gint64 b) {
  AbSpec x = plugin_test_spec(pair->ctx, range, a, b, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  return ab_build(pair->model, &wanted);
}

static void shake(AbModel *model, guint64 seed) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbTensor *w = ab_state(model, i).tensor;
    g_autofree double *values = plugin_test_numbers(ab_count(w), -1, 1, seed + (guint64)i);

    plugin_test_fill(w, values);
  }
}

/* An MLP each way: x [a, b] -> 5 -> 3 -> 5 -> [a, b]. */
static void build_mlps(Pair *pair, gboolean tied, AbRange range, gint64 a, gint64 b) {
  units(pair->encoder, 5, 3);
  units(pair->decoder, 5, 0);
  plugin_test_set_choice(pair->encoder, "activation", "tanh");
  plugin_test_set_choice(pair->decoder, "activation", "softplus");
  plugin_test_set_bool(pair->model, "tied", tied);
  pair_build(pair, range, a, b);
  plugin_test_fine(pair->ctx);
  if (!tied) shake(pair->decoder, 70);
  shake(pair->encoder, 60);
  if (tied)
    for (gint64 i = 0; i < ab_state_count(pair->decoder); i++) {
      AbState state = ab_state(pair->decoder, i);
      const double numbers[] = {.3,  -.4, .5,  -.6, .7,  -.8, .1,  .2,
                                -.3, .4,  -.5, .6,  -.7, .8,  -.1, .2};

      g_assert_true(state.tied == (ab_rank(state.tensor) == 2));
      if (!state.tied) plugin_test_fill(state.tensor, numbers);
    }
}

static Net encoder_net(int x) {
  return (Net){2, {x, 5, 3}, {0, AB_TANH, AB_TANH}};
}

static Net decoder_net(int x, int head) {
  return (Net){2, {3, 5, x}, {0, AB_SOFTPLUS, head}};
}

/* ---- forward --------------------------------------------------------------------------------- */

/* Samples [8, 8] come back as [8, 8]; reconstruct is decode after encode; the score of a sample is
 * its mean squared error.                                                                       */
static void test_forward(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  Net encoder = encoder_net(64), decoder = decoder_net(64, AB_SIGMOID);
  g_autofree double *numbers = plugin_test_numbers(ROWS * 64, 0, 1, 30);
  g_autofree double *w = g_new(double, 1000), *u = g_new(double, 1000), *both = NULL,
                    *direct = NULL;
  double code[ROWS * 3], y[ROWS * 64], score[ROWS] = {0};
  AbTensor *x, *got, *coded;

  pair_begin(&pair, ctx, "mlp", "mlp");
  build_mlps(&pair, FALSE, AB_RANGE_UNIT, 8, 8);
  net_read(pair.encoder, &encoder, w);
  net_read(pair.decoder, &decoder, u);
  for (int r = 0; r < ROWS; r++) {
    net_forward(&encoder, 2, w, numbers + r * 64, code + r * 3);
    net_forward(&decoder, 2, u, code + r * 3, y + r * 64);
    for (int i = 0; i < 64; i++)
      score[r] +=
          (y[r * 64 + i] - numbers[r * 64 + i]) * (y[r * 64 + i] - numbers[r * 64 + i]) / 64;
  }
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  x = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 8, 8), numbers);
  got = ab_reconstruct(pair.model, x);
  plugin_test_near(got, y, ROWS * 64, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 3);
  g_assert_cmpint(ab_dim(got, 1), ==, 8);
  g_assert_cmpint(ab_dim(got, 2), ==, 8);
  coded = ab_encode(pair.model, x);
  plugin_test_near(coded, code, ROWS * 3, at->exact);
  direct = plugin_test_values(got);
  both = plugin_test_values(ab_decode(pair.model, coded));
  g_assert_cmpmem(direct, sizeof y, both, sizeof y);
  got = ab_call(pair.model, AB_ROLE_SCORE, x);
  g_assert_cmpint(ab_rank(got), ==, 1);
  plugin_test_near(got, score, ROWS, at->exact);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void test_roles(void) {
  const AbComponent *component = plugin_test_load(AB_KIND_MODEL, "auto-encoder", NULL);

  g_assert_cmpuint(ab_component_roles(component), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_DECODE) |
                       AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_SCORE));
}

/* ---- tied weights ---------------------------------------------------------------------------- */

#define X     4 /* of a sample [2, 2] */
#define W1    (X * 5)
#define W2    (5 * 3)
#define COUNT (W1 + 5 + W2 + 3 + 5 + X) /* W1, b1, W2, b2 of the encoder, b1, b2 of the decoder */

/* The decoder's weights, of which the matrices are the encoder's transposed. */
static void decoder_weights(const double *w, double *u) {
  const double *first = w, *second = w + W1 + 5, *biases = second + W2 + 3;

  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 5; j++) u[i * 5 + j] = second[j * 3 + i];
  memcpy(u + W2, biases, 5 * sizeof *u);
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < X; j++) u[W2 + 5 + i * X + j] = first[j * 5 + i];
  memcpy(u + W2 + 5 + W1, biases + 5, X * sizeof *u);
}

/* The mean squared error of the reconstruction. */
static double tied_loss(const double *w, gpointer data) {
  const double *x = data;
  Net encoder = encoder_net(X), decoder = decoder_net(X, AB_IDENTITY);
  double loss = 0, code[3], y[X], u[COUNT];

  decoder_weights(w, u);
  for (int r = 0; r < ROWS; r++) {
    net_forward(&encoder, 2, w, x + r * X, code);
    net_forward(&decoder, 2, u, code, y);
    for (int i = 0; i < X; i++) loss += (y[i] - x[r * X + i]) * (y[i] - x[r * X + i]) / (ROWS * X);
  }
  return loss;
}

/* What is learned, in the order of COUNT; the tensors it is in. */
static void tied_tensors(const Pair *pair, AbTensor **tensors) {
  const char *const names[] = {"W1", "b1", "W2", "b2"};

  for (int i = 0; i < 4; i++) tensors[i] = plugin_test_state(pair->encoder, names[i]);
  tensors[4] = plugin_test_state(pair->decoder, "b1");
  tensors[5] = plugin_test_state(pair->decoder, "b2");
}

static void tied_read(const Pair *pair, double *w) {
  AbTensor *tensors[6];

  tied_tensors(pair, tensors);
  for (int i = 0; i < 6; i++) {
    g_autofree double *values = plugin_test_values(tensors[i]);

    memcpy(w, values, (gsize)ab_count(tensors[i]) * sizeof *w);
    w += ab_count(tensors[i]);
  }
}

/* One weight with two users: its gradient is the sum of theirs, and a step of sgd moves both. */
static void test_tied(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  AbTensor *x;
  AbLoss *mse = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  AbOptimizer *sgd = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "sgd");
  AbController *trainer = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
  g_autofree double *numbers = plugin_test_numbers(ROWS * X, -1, 1, 31);
  double w[COUNT], u[COUNT], moved[COUNT];
  AbStepParts parts = {.role = AB_ROLE_RECONSTRUCT};
  AbStep *step;
  AbBatch *batch;
  gint64 learnt = 0;

  pair_begin(&pair, ctx, "mlp", "mlp");
  build_mlps(&pair, TRUE, AB_RANGE_REAL, 2, 2);
  x = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 2), numbers);
  for (int m = 0; m < 2; m++)
    for (gint64 i = 0; i < ab_state_count(m ? pair.decoder : pair.encoder); i++) {
      AbState state = ab_state(m ? pair.decoder : pair.encoder, i);

      if (!state.tied) learnt += ab_count(state.tensor);
    }
  g_assert_cmpint(learnt, ==, COUNT);

  tied_read(&pair, w);
  parts.model = pair.model;
  parts.loss = mse;
  parts.optimizer = sgd;
  parts.controller = trainer;
  plugin_test_set_real(sgd, "lr", 0.1);
  step = ab_step_new(ctx, &parts);
  ab_step_build(step);
  batch = plugin_test_batch(ctx, x, x);
  for (int t = 0; t < 5; t++) {
    g_autofree double *here = plugin_test_slopes(tied_loss, w, COUNT, numbers);

    plugin_test_close(plugin_test_step(ctx, step, batch, t, 1), tied_loss(w, numbers), at->exact);
    for (int i = 0; i < COUNT; i++) w[i] -= 0.1 * here[i];
    tied_read(&pair, moved);
    for (int i = 0; i < COUNT; i++) plugin_test_close(moved[i], w[i], at->exact + 1e-8);
    decoder_weights(moved, u);
    plugin_test_near(plugin_test_state(pair.decoder, "W1"), u, W2, 0);
    plugin_test_near(plugin_test_state(pair.decoder, "W2"), u + W2 + 5, W1, 0);
  }
  ab_step_free(step);
  ab_batch_free(batch);
  ab_instance_free(trainer);
  ab_instance_free(sgd);
  ab_instance_free(mse);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void check_tie_error(AbContext *ctx, const char *encoder, const char *decoder, gint64 a,
                            gint64 b, gint64 c, gint64 d, const char *pattern) {
  Pair pair;

  pair_begin(&pair, ctx, encoder, decoder);
  if (strcmp(encoder, "mlp") == 0) units(pair.encoder, a, b);
  if (strcmp(decoder, "mlp") == 0) units(pair.decoder, c, d);
  if (strcmp(decoder, "rbm") == 0) plugin_test_set_int(pair.decoder, "hidden", b);
  plugin_test_set_bool(pair.model, "tied", TRUE);
  pair_build(&pair, AB_RANGE_UNIT, 3, 2);
  plugin_test_error(ctx, AB_CONFIG, pattern);
  pair_end(&pair);
}

/* A tie that cannot be is an error, never a decoder with weights of its own. */
static void test_tie_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);

  check_tie_error(ctx, "mlp", "mlp", 5, 3, 4, 0, "model/decoder (mlp): weight W1*mirror*");
  check_tie_error(ctx, "mlp", "mlp", 5, 3, 5, 4, "model/decoder (mlp): weight W2*mirror*");
  check_tie_error(ctx, "mlp", "mlp", 3, 0, 6, 0,
                  "model (auto-encoder): tied: *decoder*W2*as many layers*");
  check_tie_error(ctx, "mlp", "mlp", 6, 4, 0, 0, "model/decoder (mlp): weight W2*tied*");
  check_tie_error(ctx, "mlp", "rbm", 5, 3, 0, 0, "model/decoder (rbm): weight W1*tied*");
  check_tie_error(ctx, "rbm", "mlp", 0, 0, 5, 0, "model (auto-encoder): tied: *no weights W1*");
  plugin_test_finish(ctx);
}

/* ---- other models ---------------------------------------------------------------------------- */

/* s(x W + b) of one row; W is [rows, columns], read transposed where `back`. */
static void rbm_pass(AbModel *rbm, gboolean back, const double *x, double *y) {
  AbTensor *weight = plugin_test_state(rbm, "W");
  g_autofree double *W = plugin_test_values(weight);
  g_autofree double *b = plugin_test_values(plugin_test_state(rbm, back ? "b" : "c"));
  gint64 visible = ab_dim(weight, 0), hidden = ab_dim(weight, 1);

  for (gint64 j = 0; j < (back ? visible : hidden); j++) {
    double sum = b[j];

    for (gint64 i = 0; i < (back ? hidden : visible); i++)
      sum += x[i] * (back ? W[j * hidden + i] : W[i * hidden + j]);
    y[j] = 1 / (1 + exp(-sum));
  }
}

/* An MLP or an RBM on either side, with a code of 3, against loops. */
static void check_pair(const PluginTestCase *at, const char *first, const char *second) {
  AbContext *ctx = plugin_test_context(at);
  gboolean rbm_encodes = strcmp(first, "rbm") == 0, rbm_decodes = strcmp(second, "rbm") == 0;
  Net encoder = {2, {6, 5, 3}, {0, AB_TANH, AB_TANH}};
  Net decoder = {2, {3, 5, 6}, {0, AB_TANH, AB_SIGMOID}};
  g_autofree double *numbers = plugin_test_numbers(ROWS * 6, 0, 1, 33);
  double w[NET_WEIGHTS], code[ROWS * 3], y[ROWS * 6];
  AbTensor *x, *got;
  AbSpec given;
  Pair pair;

  pair_begin(&pair, ctx, first, second);
  if (rbm_encodes) plugin_test_set_int(pair.encoder, "hidden", 3);
  if (rbm_decodes) plugin_test_set_int(pair.decoder, "hidden", 3);
  if (!rbm_encodes) units(pair.encoder, 5, 3);
  if (!rbm_decodes) units(pair.decoder, 5, 0);
  if (!rbm_encodes) plugin_test_set_choice(pair.encoder, "activation", "tanh");
  if (!rbm_decodes) plugin_test_set_choice(pair.decoder, "activation", "tanh");
  given = pair_build(&pair, AB_RANGE_UNIT, 3, 2);
  plugin_test_fine(ctx);
  g_assert_cmpint(given.rank, ==, 2);
  shake(pair.encoder, 80);
  shake(pair.decoder, 90);
  for (int r = 0; r < ROWS; r++) {
    if (!rbm_encodes) net_read(pair.encoder, &encoder, w);
    if (rbm_encodes)
      rbm_pass(pair.encoder, FALSE, numbers + r * 6, code + r * 3);
    else
      net_forward(&encoder, 2, w, numbers + r * 6, code + r * 3);
    if (!rbm_decodes) net_read(pair.decoder, &decoder, w);
    if (rbm_decodes)
      rbm_pass(pair.decoder, TRUE, code + r * 3, y + r * 6);
    else
      net_forward(&decoder, 2, w, code + r * 3, y + r * 6);
  }
  x = plugin_test_tensor(ctx, AB_SHAPE(ROWS, 3, 2), numbers);
  plugin_test_near(ab_encode(pair.model, x), code, ROWS * 3, at->exact);
  got = ab_reconstruct(pair.model, x);
  plugin_test_near(got, y, ROWS * 6, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 3);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void test_pairs(const PluginTestCase *at) {
  check_pair(at, "mlp", "mlp");
  check_pair(at, "mlp", "rbm");
  check_pair(at, "rbm", "mlp");
  check_pair(at, "rbm", "rbm");
}

/* An auto-encoder on either side of another: the outer encoder or decoder is the inner one's. */
static void test_nested(const PluginTestCase *at) {
  for (int decodes = 0; decodes < 2; decodes++) {
    AbContext *ctx = plugin_test_context(at);
    Pair outer, inner;
    const char *side = decodes ? "decoder" : "encoder";
    g_autofree char *path = g_strdup_printf("model/%s", side);
    Net encoder = encoder_net(X), decoder = decoder_net(X, AB_IDENTITY);
    g_autofree double *numbers = plugin_test_numbers(ROWS * X, -1, 1, 34);
    double w[NET_WEIGHTS], u[NET_WEIGHTS], y[ROWS * X];
    AbModel *mlp;

    pair_begin(&inner, ctx, "mlp", "mlp");
    pair_begin(&outer, ctx, "mlp", "mlp");
    units(inner.encoder, 5, 3), units(inner.decoder, 5, 0);
    units(outer.encoder, 5, 3), units(outer.decoder, 5, 0);
    plugin_test_set_choice(inner.encoder, "activation", "tanh");
    plugin_test_set_choice(outer.encoder, "activation", "tanh");
    plugin_test_set_choice(inner.decoder, "activation", "softplus");
    plugin_test_set_choice(outer.decoder, "activation", "softplus");
    plugin_test_slot(outer.model, side, inner.model);
    pair_build(&outer, AB_RANGE_REAL, 2, 2);
    plugin_test_fine(ctx);
    mlp = decodes ? outer.encoder : inner.encoder;
    shake(mlp, 10);
    net_read(mlp, &encoder, w);
    mlp = decodes ? inner.decoder : outer.decoder;
    shake(mlp, 11);
    net_read(mlp, &decoder, u);
    for (int r = 0; r < ROWS; r++) {
      double code[3];

      net_forward(&encoder, 2, w, numbers + r * X, code);
      net_forward(&decoder, 2, u, code, y + r * X);
    }
    plugin_test_near(
        ab_reconstruct(outer.model, plugin_test_tensor(ctx, AB_SHAPE(ROWS, 2, 2), numbers)), y,
        ROWS * X, at->exact);
    pair_end(&outer);
    pair_end(&inner);
    plugin_test_finish(ctx);
  }
}

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  Pair pair;
  AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_DECODE, &code, NULL);

  /* a code that does not fit an RBM as decoder */
  pair_begin(&pair, ctx, "mlp", "rbm");
  units(pair.encoder, 5, 0);
  plugin_test_set_int(pair.decoder, "hidden", 4);
  pair_build(&pair, AB_RANGE_UNIT, 3, 2);
  plugin_test_error(ctx, AB_CONFIG, "model/decoder (rbm): *hidden (4)*5 numbers*");
  pair_end(&pair);
  /* a decoder that is not told what x is */
  pair_begin(&pair, ctx, "mlp", "mlp");
  ab_build(pair.model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (auto-encoder): *what to give*");
  pair_end(&pair);
  /* an encoder without a code */
  pair_begin(&pair, ctx, "mlp", "mlp");
  units(pair.encoder, 0, 0);
  pair_build(&pair, AB_RANGE_UNIT, 3, 2);
  plugin_test_error(ctx, AB_CONFIG, "model/encoder (mlp): *units*");
  pair_end(&pair);
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

#define SAMPLES 64

/* Images [4, 4] that are sums of two fixed ones: a code of 2 holds them. */
static void test_learning(const PluginTestCase *at) {
  for (int tied = 0; tied < 2; tied++) {
    AbContext *ctx = plugin_test_context(at);
    AbLoss *mse = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
    AbOptimizer *adam = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "adam");
    AbController *trainer = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
    g_autofree double *parts_of = plugin_test_numbers(2 * 16, -1, 1, 40);
    g_autofree double *amounts = plugin_test_numbers(SAMPLES * 2, -1, 1, 41);
    double images[SAMPLES * 16], first = 0, last = 0, power = 0;
    AbStepParts parts = {.role = AB_ROLE_RECONSTRUCT};
    AbStep *step;
    AbBatch *batch;
    AbTensor *x;
    Pair pair;

    for (int i = 0; i < SAMPLES * 16; i++) {
      images[i] =
          amounts[i / 16 * 2] * parts_of[i % 16] + amounts[i / 16 * 2 + 1] * parts_of[16 + i % 16];
      power += images[i] * images[i] / (SAMPLES * 16);
    }
    x = plugin_test_tensor(ctx, AB_SHAPE(SAMPLES, 4, 4), images);
    pair_begin(&pair, ctx, "mlp", "mlp");
    units(pair.encoder, 8, 2);
    units(pair.decoder, 8, 0);
    plugin_test_set_choice(pair.encoder, "activation", "tanh");
    plugin_test_set_choice(pair.decoder, "activation", "tanh");
    plugin_test_set_bool(pair.model, "tied", tied);
    pair_build(&pair, AB_RANGE_REAL, 4, 4);
    plugin_test_set_real(adam, "lr", 0.02);
    parts.model = pair.model;
    parts.loss = mse;
    parts.optimizer = adam;
    parts.controller = trainer;
    step = ab_step_new(ctx, &parts);
    ab_step_build(step);
    batch = plugin_test_batch(ctx, x, x);
    for (int t = 0; t < 400; t++) {
      last = plugin_test_step(ctx, step, batch, t, 1);
      if (t == 0) first = last;
    }
    plugin_test_fine(ctx);
    g_test_message("power %g, loss %g to %g", power, first, last);
    g_assert_cmpfloat(first, >, 0.5 * power);
    g_assert_cmpfloat(last, <, 0.05 * power); /* one number per image cannot do that */
    ab_step_free(step);
    ab_batch_free(batch);
    ab_instance_free(trainer);
    ab_instance_free(adam);
    ab_instance_free(mse);
    pair_end(&pair);
    plugin_test_finish(ctx);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/auto-encoder/forward", test_forward);
  g_test_add_func("/auto-encoder/roles", test_roles);
  plugin_test_add("/auto-encoder/tied", test_tied);
  g_test_add_func("/auto-encoder/tied/errors", test_tie_errors);
  plugin_test_add("/auto-encoder/pairs", test_pairs);
  plugin_test_add("/auto-encoder/nested", test_nested);
  g_test_add_func("/auto-encoder/errors", test_errors);
  plugin_test_add("/auto-encoder/learning", test_learning);
  return g_test_run();
}
