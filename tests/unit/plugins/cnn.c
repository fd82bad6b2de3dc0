/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutional network: outputs against loops in double, gradients against finite differences of
 * those loops, dropout, learning on the digits, and what is refused.                            */
#include "image-test.h"
#include "net-test.h"
#include <math.h>
#include <string.h>

#define ROWS 3

enum { SAME, VALID };
/* As the plugin has it: an entry of `blocks`. */
typedef struct {
  gint64 channels, kernel, stride, padding, activation, pool;
  bool norm;
} Block;

/* A network that is to be built, and the activation that its head must have. */
typedef struct {
  AbRole role;
  gint64 in[4], out[2]; /* an axis of 0 ends the shape */
  AbRange range;        /* of the output */
  Block blocks[3];      /* 0 channels end them */
  gint64 units[2];      /* 0 ends them */
  int activation, output, head;
} Case;

static int count_of(const gint64 *list, int most) {
  int count = 0;

  while (count < most && list[count] > 0) count++;
  return count;
}

static int block_count(const Case *c) {
  int count = 0;

  while (count < 3 && c->blocks[count].channels > 0) count++;
  return count;
}

static AbSpec spec_of(AbContext *ctx, const gint64 *shape, int most, AbRange range) {
  AbSpec spec = {.rank = count_of(shape, most), .dtype = ab_real_dtype(ctx), .range = range};

  memcpy(spec.shape, shape, (gsize)spec.rank * sizeof *shape);
  return spec;
}

static AbModel *make(AbContext *ctx, const Case *c) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "cnn");
  AbSpec in = spec_of(ctx, c->in, 4, AB_RANGE_REAL), out = spec_of(ctx, c->out, 2, c->range);
  AbSignature wanted = ab_signature(c->role, &in, c->role == AB_ROLE_ENCODE ? NULL : &out);

  g_assert_cmpint(model->component->params[0].record_size, ==, sizeof(Block));
  plugin_test_set_records(model, "blocks", block_count(c), c->blocks);
  plugin_test_set_ints(model, "units", count_of(c->units, 2), c->units);
  plugin_test_set_choice(model, "activation", ab_activation_names[c->activation]);
  plugin_test_set_choice(model, "output_activation",
                         c->output ? ab_activation_names[c->output - 1] : "auto");
  ab_build(model, &wanted);
  return model;
}

/* ---- the same as loops ----------------------------------------------------------------------- */

static int output_count(const Case *c) {
  return (int)((c->out[0] > 0 ? c->out[0] : 1) * (c->out[1] > 0 ? c->out[1] : 1));
}

static Images images_of(const Case *c, const double *x) {
  int rank = count_of(c->in, 4), size[3] = {1, 1, 1};
  Images images;

  for (int i = 0; i < 3 && i < rank; i++) size[2 - i] = (int)c->in[rank - 1 - i];
  if (rank == 3) size[0] = 1; /* these are the channels */
  images = images_new(ROWS, rank == 2 ? 1 : (int)c->in[0], size);
  memcpy(images.v, x, (gsize)images_count(&images) * sizeof *x);
  return images;
}

/* A block: reads its weights from *w and, unless *running is NULL, its statistics from there. */
static Images block(const Block *b, int axes, Images x, const double **w, const double **running) {
  Windows windows = {axes, (int)b->kernel, (int)b->stride, b->padding == SAME};
  int channels = (int)b->channels, filters = channels * x.channels;
  const double *W = *w;

  for (int a = 0; a < axes; a++) filters *= (int)b->kernel;
  x = images_convolution(x, &windows, channels, W, b->norm ? NULL : W + filters);
  *w += filters + channels;
  if (b->norm) {
    images_batch_norm(&x, *w - channels, *w, *running);
    *w += channels;
    if (*running != NULL) *running += 2 * channels;
  }
  images_activate(&x, (int)b->activation);
  return b->pool > 0 ? images_max_pool(x, axes, (int)b->pool) : x;
}

/* Outputs y [ROWS, out] and, unless NULL, codes. Returns the width of a code. `running` is NULL in
 * training.                                                                                     */
static int forward(const Case *c, const double *w, const double *running, const double *x,
                   double *code, double *y) {
  int axes = count_of(c->in, 4) == 4 ? 3 : 2, width, out = output_count(c);
  Images h = images_of(c, x);
  Net dense = {.layers = count_of(c->units, 2)};

  for (int i = 0; i < block_count(c); i++) h = block(&c->blocks[i], axes, h, &w, &running);
  dense.width[0] = width = (int)images_count(&h) / ROWS;
  for (int l = 1; l <= dense.layers; l++) {
    dense.width[l] = (int)c->units[l - 1];
    dense.activation[l] = c->activation;
  }
  dense.width[dense.layers + 1] = out;
  dense.activation[dense.layers + 1] = c->head;
  for (int r = 0; r < ROWS; r++) {
    if (y != NULL) net_forward(&dense, dense.layers + 1, w, h.v + r * width, y + r * out);
    if (code != NULL)
      net_forward(&dense, dense.layers, w, h.v + r * width, code + r * dense.width[dense.layers]);
  }
  g_free(h.v);
  return dense.width[dense.layers];
}

/* ---- forward --------------------------------------------------------------------------------- */

static const Case cases[] = {
    /* [height, width], one channel */
    {AB_ROLE_CLASSIFY,
     {6, 7},
     {4},
     AB_RANGE_REAL,
     {{3, 3, 1, SAME, AB_TANH, 2, false}},
     {5},
     AB_SOFTPLUS,
     0,
     AB_IDENTITY},
    /* channels; strides, even kernels, batch normalisation, windows that leave out an edge */
    {AB_ROLE_CLASSIFY,
     {2, 9, 8},
     {3},
     AB_RANGE_REAL,
     {{4, 4, 2, SAME, AB_SOFTPLUS, 0, true}, {3, 2, 1, VALID, AB_TANH, 2, true}},
     {4, 3},
     AB_TANH,
     0,
     AB_IDENTITY},
    /* no dense layer; an output of two axes */
    {AB_ROLE_PREDICT,
     {1, 5, 5},
     {2, 3},
     AB_RANGE_UNIT,
     {{2, 5, 3, SAME, AB_SIGMOID, 1, false}, {3, 1, 1, VALID, AB_IDENTITY, 0, false}},
     {0},
     AB_RELU,
     0,
     AB_SIGMOID},
    /* volumes */
    {AB_ROLE_PREDICT,
     {2, 4, 5, 4},
     {0},
     AB_RANGE_REAL,
     {{3, 3, 1, SAME, AB_TANH, 2, true}, {2, 2, 1, VALID, AB_TANH, 0, false}},
     {3},
     AB_TANH,
     1 + AB_TANH,
     AB_TANH},
    {AB_ROLE_SCORE,
     {6, 6},
     {0},
     AB_RANGE_REAL,
     {{2, 3, 2, VALID, AB_SOFTPLUS, 0, true}},
     {3},
     AB_TANH,
     0,
     AB_IDENTITY},
    {AB_ROLE_ACT,
     {4, 4},
     {2},
     AB_RANGE_REAL,
     {{2, 3, 1, SAME, AB_SOFTPLUS, 2, false}},
     {0},
     AB_TANH,
     0,
     AB_IDENTITY},
};

static AbTensor *rows(AbContext *ctx, const gint64 *shape, int most, const double *values) {
  AbShape full = {.rank = 1 + count_of(shape, most), .dims = {ROWS}};

  memcpy(full.dims + 1, shape, (gsize)(full.rank - 1) * sizeof *shape);
  return plugin_test_tensor(ctx, full, values);
}

static int input_count(const Case *c) {
  int count = ROWS;

  for (int i = 0; i < count_of(c->in, 4); i++) count *= (int)c->in[i];
  return count;
}

static void check_forward(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  int out = output_count(c), width;
  g_autofree double *x = plugin_test_numbers(input_count(c), -1, 1, 20), *w = NULL;
  double y[ROWS * NET_WIDTH], code[ROWS * NET_WIDTH], running[100] = {0};
  AbTensor *got;
  gint64 count;

  plugin_test_fine(ctx);
  image_shake(model, running);
  w = image_weights(model, &count);
  width = forward(c, w, running, x, code, y);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  got = ab_call(model, c->role, rows(ctx, c->in, 4, x));
  plugin_test_near(got, y, ROWS * out, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 1 + count_of(c->out, 2));
  for (int i = 1; i < ab_rank(got); i++) g_assert_cmpint(ab_dim(got, i), ==, c->out[i - 1]);
  got = ab_encode(model, rows(ctx, c->in, 4, x));
  plugin_test_near(got, code, ROWS * width, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 2);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_forward(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_forward(at, &cases[i]);
}

/* As an encoder it has no head. */
static void test_encode(const PluginTestCase *at) {
  Case c = cases[1];
  AbContext *ctx = plugin_test_context(at);
  g_autofree double *x = plugin_test_numbers(input_count(&c), -1, 1, 20), *w = NULL;
  double code[ROWS * NET_WIDTH], running[100];
  AbModel *model;
  gint64 count;

  c.role = AB_ROLE_ENCODE;
  model = make(ctx, &c);
  image_shake(model, running);
  w = image_weights(model, &count);
  forward(&c, w, running, x, code, NULL);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  plugin_test_near(ab_encode(model, rows(ctx, c.in, 4, x)), code, ROWS * 3, at->exact);
  g_assert_false(ab_has_weight(model, "W5"));
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct {
  const Case *c;
  const double *x, *t;
} Fit;

/* mean (y - t)^2, in training: by the statistics of the batch */
static double fit_loss(const double *w, gpointer data) {
  const Fit *fit = data;
  int count = ROWS * output_count(fit->c);
  double loss = 0, y[ROWS * NET_WIDTH];

  forward(fit->c, w, NULL, fit->x, NULL, y);
  for (int i = 0; i < count; i++) loss += (y[i] - fit->t[i]) * (y[i] - fit->t[i]) / count;
  return loss;
}

static void check_gradient(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  g_autofree double *x = plugin_test_numbers(input_count(c), -1, 1, 21), *w = NULL;
  g_autofree double *t = plugin_test_numbers(ROWS * output_count(c), 0, 1, 22), *slopes = NULL;
  double running[100];
  Fit fit = {c, x, t};
  AbTensor *value;
  gint64 count;

  plugin_test_fine(ctx);
  image_shake(model, running);
  w = image_weights(model, &count);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  value =
      ab_loss_value(loss, ab_call(model, c->role, rows(ctx, c->in, 4, x)), rows(ctx, c->out, 2, t));
  plugin_test_close(ab_item(value), fit_loss(w, &fit), 10 * at->exact);
  ab_backward(value);
  slopes = plugin_test_slopes(fit_loss, w, count, &fit);
  image_check_gradients(model, slopes, 10 * at->exact + 1e-8);
  ab_instance_free(loss);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_gradient(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_gradient(at, &cases[i]);
}

/* ---- dropout --------------------------------------------------------------------------------- */

#define DRAWS 20000

/* A linear network without dense layers: in training the head's inputs are left out, so the mean
 * over draws is the output, and the variance rate / (1 - rate) sum_j (h_j w_j)^2. The code has no
 * dropout.                                                                                      */
static void test_dropout(const PluginTestCase *at) {
  const double rate = 0.3;
  Case c = {AB_ROLE_PREDICT,
            {2, 2},
            {1},
            AB_RANGE_REAL,
            {{2, 1, 1, SAME, AB_IDENTITY, 0, false}},
            {0},
            AB_IDENTITY,
            0,
            AB_IDENTITY};
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, &c);
  g_autofree double *x = g_new(double, DRAWS * 4), *draws = NULL, *w = NULL;
  double code[ROWS * 8], y[ROWS], mean = 0, square = 0, variance = 0;
  AbTensor *input;
  gint64 count;

  plugin_test_set_real(model, "dropout", rate);
  image_shake(model, NULL);
  w = image_weights(model, &count);
  for (int i = 0; i < DRAWS * 4; i++) x[i] = 0.4 + i % 4;
  forward(&c, w, NULL, x, code, y);
  input = plugin_test_tensor(ctx, AB_SHAPE(DRAWS, 2, 2), x);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  plugin_test_near(ab_encode(model, ab_slice(input, 0, 0, 1)), code, 8, at->exact);
  draws = plugin_test_values(ab_call(model, AB_ROLE_PREDICT, input));
  for (int i = 0; i < DRAWS; i++) mean += draws[i] / DRAWS;
  for (int i = 0; i < DRAWS; i++) square += (draws[i] - mean) * (draws[i] - mean) / DRAWS;
  for (int j = 0; j < 8; j++) variance += code[j] * code[j] * w[4 + j] * w[4 + j];
  variance *= rate / (1 - rate);
  g_assert_cmpfloat(fabs(mean - y[0]), <, 5 * sqrt(square / DRAWS));
  g_assert_cmpfloat_with_epsilon(square / variance, 1, 0.05);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

/* More of the test digits than an MLP gets right after any training (91 %). */
static void test_learning(void) {
  static const Block blocks[] = {{16, 3, 1, SAME, AB_RELU, 0, true},
                                 {32, 3, 1, SAME, AB_RELU, 2, true}};
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "cnn");
  AbSpec in = plugin_test_spec(ctx, AB_RANGE_UNIT, 8, 8, 0);
  AbSpec out = plugin_test_spec(ctx, AB_RANGE_REAL, 10, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &in, &out);
  g_autofree double *x = NULL, *y = NULL, *logits = NULL;
  int right = 0;

  plugin_test_set_records(model, "blocks", G_N_ELEMENTS(blocks), blocks);
  plugin_test_set_ints(model, "units", 1, (const gint64[]){64});
  plugin_test_set_real(model, "dropout", 0.3);
  ab_build(model, &wanted);
  plugin_test_fine(ctx);
  logits = image_learn_digits(model, AB_ROLE_CLASSIFY, "cross-entropy", 2e-3, 8, &x, &y);
  for (int i = 0; i < IMAGE_TESTED; i++) {
    int best = 0;

    for (int j = 1; j < 10; j++)
      if (logits[i * 10 + j] > logits[i * 10 + best]) best = j;
    right += best == (int)y[i];
  }
  g_test_message("%d of %d right", right, IMAGE_TESTED);
  g_assert_cmpint(right, >=, IMAGE_TESTED * 93 / 100);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void refused(AbContext *ctx, const Case *c, const char *pattern) {
  AbModel *model = make(ctx, c);

  plugin_test_error(ctx, AB_CONFIG, pattern);
  ab_instance_free(model);
}

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  const Case good = cases[0];
  Case c = good;
  AbSpec in = plugin_test_spec(ctx, AB_RANGE_REAL, 6, 7, 0);
  AbSignature blind = ab_signature(AB_ROLE_CLASSIFY, &in, NULL);
  AbModel *model;

  c.blocks[0].channels = 0;
  refused(ctx, &c, "model (cnn): blocks has no entry*mlp");
  c = good;
  c.in[1] = 0;
  refused(ctx, &c, "model (cnn): samples of x are [6]*[channels, height, width]*reshape*");
  c = good; /* [6, 7] -> pool [3, 3] -> 5 */
  c.blocks[1] = (Block){2, 5, 1, VALID, AB_RELU, 0, false};
  refused(ctx, &c, "model (cnn): blocks[1]: a kernel of 5 *[3, 3]*padding: same");
  c.blocks[1] = (Block){2, 3, 1, VALID, AB_RELU, 2, false}; /* [1, 1] */
  refused(ctx, &c, "model (cnn): blocks[1]: a pool of 2 *[1, 1]*");
  c.blocks[1] = (Block){2, 5, 1, SAME, AB_RELU, 3, false}; /* fits */
  model = make(ctx, &c);
  plugin_test_fine(ctx);
  g_assert_null(ab_encode(model, ab_zeros(ctx, AB_SHAPE(2, 7, 6))));
  plugin_test_error(ctx, AB_CONFIG, "model (cnn): *[2, 7, 6]*[6, 7]*");
  g_assert_null(ab_call(model, AB_ROLE_PREDICT, ab_zeros(ctx, AB_SHAPE(2, 6, 7))));
  plugin_test_error(ctx, AB_CONFIG, "model (cnn): *classify*predict*");
  ab_instance_free(model);

  model = plugin_test_new(ctx, AB_KIND_MODEL, "cnn");
  plugin_test_set_records(model, "blocks", 1, good.blocks);
  ab_build(model, &blind);
  plugin_test_error(ctx, AB_CONFIG, "model (cnn): it must be told what classify is to give");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* A score needs not be told: it is one number. */
static void test_score(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec in = plugin_test_spec(ctx, AB_RANGE_REAL, 6, 7, 0), out;
  AbSignature wanted = ab_signature(AB_ROLE_SCORE, &in, NULL);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "cnn");

  plugin_test_set_records(model, "blocks", 1, cases[0].blocks);
  out = ab_build(model, &wanted);
  plugin_test_fine(ctx);
  g_assert_cmpint(out.rank, ==, 0);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_roles(void) {
  const AbComponent *cnn = plugin_test_load(AB_KIND_MODEL, "cnn", NULL);

  g_assert_cmpuint(ab_component_roles(cnn), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_CLASSIFY) |
                       AB_ROLE_BIT(AB_ROLE_PREDICT) | AB_ROLE_BIT(AB_ROLE_SCORE) |
                       AB_ROLE_BIT(AB_ROLE_ACT));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/cnn/forward", test_forward);
  plugin_test_add("/cnn/encode", test_encode);
  plugin_test_add("/cnn/gradient", test_gradient);
  plugin_test_add("/cnn/dropout", test_dropout);
  g_test_add_func("/cnn/learning", test_learning);
  g_test_add_func("/cnn/errors", test_errors);
  g_test_add_func("/cnn/score", test_score);
  g_test_add_func("/cnn/roles", test_roles);
  return g_test_run();
}
