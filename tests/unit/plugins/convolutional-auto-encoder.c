/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutional auto-encoder: outputs against loops in double, gradients (of tied weights through
 * both of their uses) against finite differences of those loops, as half of another auto-encoder,
 * learning on the digits, and what is refused.                                                  */
#include "image-test.h"
#include "net-test.h"
#include <math.h>
#include <string.h>

#define ROWS 3
#define NAME "convolutional-auto-encoder"

enum { SAME, VALID };

/* A model that is to be built, and the activation that its output must have. */
typedef struct {
  gint64 in[4]; /* an axis of 0 ends the shape */
  AbRange range;
  gint64 channels[3]; /* 0 ends them */
  gint64 kernel, stride, code;
  int padding, activation, output, head;
  gboolean tied, norm;
} Case;

static int count_of(const gint64 *list, int most) {
  int count = 0;

  while (count < most && list[count] > 0) count++;
  return count;
}

static AbSpec spec_of(AbContext *ctx, const Case *c) {
  AbSpec spec = {.rank = count_of(c->in, 4), .dtype = ab_real_dtype(ctx), .range = c->range};

  memcpy(spec.shape, c->in, (gsize)spec.rank * sizeof *c->in);
  return spec;
}

static AbModel *unbuilt(AbContext *ctx, const Case *c, const char *path) {
  AbModel *model = plugin_test_new_at(ctx, AB_KIND_MODEL, NAME, path);

  plugin_test_set_ints(model, "channels", count_of(c->channels, 3), c->channels);
  plugin_test_set_int(model, "kernel", c->kernel);
  plugin_test_set_int(model, "stride", c->stride);
  plugin_test_set_int(model, "code", c->code);
  plugin_test_set_choice(model, "padding", c->padding == SAME ? "same" : "valid");
  plugin_test_set_choice(model, "activation", ab_activation_names[c->activation]);
  plugin_test_set_choice(model, "output_activation",
                         c->output ? ab_activation_names[c->output - 1] : "auto");
  plugin_test_set_bool(model, "tied", c->tied);
  plugin_test_set_bool(model, "norm", c->norm);
  return model;
}

static AbModel *make(AbContext *ctx, const Case *c) {
  AbModel *model = unbuilt(ctx, c, "model");
  AbSpec x = spec_of(ctx, c);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  ab_build(model, &wanted);
  return model;
}

/* ---- the same as loops ----------------------------------------------------------------------- */

/* Where in its lists of weights and statistics a model's pass is; `running` is NULL in training. */
typedef struct {
  const Case *c;
  const double *w, *running;
  const double *W[4]; /* of the encoder's convolutions and of the layer to the code, if tied */
  int sizes[4][3], layers, axes;
} Pass;

static const double *take(Pass *p, gint64 count) {
  const double *w = p->w;

  p->w += count;
  return w;
}

/* What follows the filters. */
static void finish(Pass *p, Images *h, gboolean norm, int activation) {
  if (norm) {
    const double *gain = take(p, h->channels), *bias = take(p, h->channels);

    images_batch_norm(h, gain, bias, p->running);
    if (p->running != NULL) p->running += 2 * h->channels;
  }
  images_activate(h, activation);
}

static gint64 filters(const Pass *p, gint64 in, gint64 out) {
  gint64 count = in * out;

  for (int a = 0; a < p->axes; a++) count *= p->c->kernel;
  return count;
}

/* h [ROWS, in] by W [in, out], or by the transpose of W [out, in]; frees h. */
static double *product(double *h, int in, int out, const double *W, gboolean transposed,
                       const double *b) {
  double *y = g_new0(double, (gsize)(ROWS * out));

  for (int r = 0; r < ROWS; r++)
    for (int j = 0; j < out; j++) {
      y[r * out + j] = b[j];
      for (int i = 0; i < in; i++)
        y[r * out + j] += h[r * in + i] * (transposed ? W[j * in + i] : W[i * out + j]);
    }
  g_free(h);
  return y;
}

static Images encode(Pass *p, Images h) {
  const Case *c = p->c;
  Windows windows = {p->axes, (int)c->kernel, (int)c->stride, c->padding == SAME};

  for (int l = 0; l < p->layers; l++) {
    int out = (int)c->channels[l];
    const double *W = p->W[l] = take(p, filters(p, h.channels, out));

    memcpy(p->sizes[l], h.size, sizeof h.size);
    h = images_convolution(h, &windows, out, W, c->norm ? NULL : take(p, out));
    finish(p, &h, c->norm, c->activation);
  }
  return h;
}

/* Through the code, of which `code` gets the numbers. */
static void narrow(Pass *p, Images *h, double *code) {
  int width = (int)images_count(h) / ROWS, units = (int)p->c->code;
  const double *W = take(p, width * units), *b = take(p, units), *V;

  h->v = product(h->v, width, units, W, FALSE, b);
  memcpy(code, h->v, (gsize)(ROWS * units) * sizeof *code);
  V = p->c->tied ? W : take(p, width * units);
  h->v = product(h->v, units, width, V, p->c->tied, take(p, width));
  images_activate(h, p->c->activation);
}

static Images decode(Pass *p, Images h, int channels) {
  const Case *c = p->c;
  Windows windows = {p->axes, (int)c->kernel, (int)c->stride, c->padding == SAME};

  for (int l = p->layers - 1; l >= 0; l--) {
    int out = l > 0 ? (int)c->channels[l - 1] : channels;
    gboolean norm = c->norm && l > 0;
    const double *W = c->tied ? p->W[l] : take(p, filters(p, h.channels, out));

    h = images_transposed(h, &windows, out, p->sizes[l], W, norm ? NULL : take(p, out));
    finish(p, &h, norm, l > 0 ? c->activation : c->head);
  }
  return h;
}

static int input_count(const Case *c) {
  int count = ROWS;

  for (int i = 0; i < count_of(c->in, 4); i++) count *= (int)c->in[i];
  return count;
}

/* Reconstructions y; returns how many numbers the codes have in all. */
static int forward(const Case *c, const double *w, const double *running, const double *x,
                   double *code, double *y) {
  int rank = count_of(c->in, 4), size[3] = {1, 1, 1}, coded, channels;
  Pass p = {.c = c, .w = w, .running = running, .layers = count_of(c->channels, 3)};
  Images h;

  p.axes = rank == 4 ? 3 : 2;
  channels = rank == 2 ? 1 : (int)c->in[0];
  for (int a = 0; a < p.axes; a++) size[2 - a] = (int)c->in[rank - 1 - a];
  h = images_new(ROWS, channels, size);
  memcpy(h.v, x, (gsize)input_count(c) * sizeof *x);
  h = encode(&p, h);
  coded = c->code > 0 ? ROWS * (int)c->code : (int)images_count(&h);
  if (c->code > 0)
    narrow(&p, &h, code);
  else
    memcpy(code, h.v, (gsize)coded * sizeof *code);
  h = decode(&p, h, channels);
  g_assert_cmpint(images_count(&h), ==, input_count(c));
  memcpy(y, h.v, (gsize)input_count(c) * sizeof *y);
  g_free(h.v);
  return coded;
}

/* ---- forward --------------------------------------------------------------------------------- */

#define NUMBERS 600 /* of samples or codes at most */

static const Case cases[] = {
    {{6, 7}, AB_RANGE_UNIT, {3}, 3, 2, 0, SAME, AB_TANH, 0, AB_SIGMOID, TRUE, FALSE},
    {{2, 7, 8}, AB_RANGE_REAL, {3, 4}, 3, 2, 0, SAME, AB_SIGMOID, 0, AB_IDENTITY, TRUE, TRUE},
    {{2, 12, 8}, AB_RANGE_REAL, {3, 4}, 3, 2, 0, VALID, AB_SOFTPLUS, 0, AB_IDENTITY, FALSE, TRUE},
    {{1, 8, 5}, AB_RANGE_BINARY, {2, 3}, 4, 3, 5, SAME, AB_TANH, 0, AB_SIGMOID, TRUE, FALSE},
    {{8, 5}, AB_RANGE_UNIT, {2, 3}, 2, 1, 4, VALID, AB_TANH, 1 + AB_TANH, AB_TANH, FALSE, FALSE},
    {{1, 9, 9}, AB_RANGE_REAL, {2, 2, 3}, 2, 2, 3, SAME, AB_TANH, 0, AB_IDENTITY, TRUE, TRUE},
    {{1, 4, 5, 3}, AB_RANGE_REAL, {2, 3}, 3, 2, 0, SAME, AB_TANH, 0, AB_IDENTITY, TRUE, FALSE},
};

static AbTensor *rows(AbContext *ctx, const Case *c, const double *values) {
  AbShape full = {.rank = 1 + count_of(c->in, 4), .dims = {ROWS}};

  memcpy(full.dims + 1, c->in, (gsize)(full.rank - 1) * sizeof *c->in);
  return plugin_test_tensor(ctx, full, values);
}

static void check_forward(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  int numbers = input_count(c), coded;
  g_autofree double *x = plugin_test_numbers(numbers, 0, 1, 20), *w = NULL;
  double code[NUMBERS], y[NUMBERS], running[100], score[ROWS] = {0};
  AbTensor *got, *input;
  gint64 count;

  plugin_test_fine(ctx);
  image_shake(model, running);
  w = image_weights(model, &count);
  coded = forward(c, w, running, x, code, y);
  for (int i = 0; i < numbers; i++)
    score[i / (numbers / ROWS)] += (y[i] - x[i]) * (y[i] - x[i]) * ROWS / numbers;
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  input = rows(ctx, c, x);
  got = ab_encode(model, input);
  plugin_test_near(got, code, coded, at->exact);
  if (c->code > 0) g_assert_cmpint(ab_rank(got), ==, 2);
  plugin_test_near(ab_decode(model, got), y, numbers, at->exact);
  got = ab_reconstruct(model, input);
  plugin_test_near(got, y, numbers, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 1 + count_of(c->in, 4));
  for (int i = 1; i < ab_rank(got); i++) g_assert_cmpint(ab_dim(got, i), ==, c->in[i - 1]);
  plugin_test_near(ab_call(model, AB_ROLE_SCORE, input), score, ROWS, at->exact);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_forward(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_forward(at, &cases[i]);
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct {
  const Case *c;
  const double *x;
} Fit;

/* The mean squared error of the reconstruction in training: by the statistics of the batch. */
static double fit_loss(const double *w, gpointer data) {
  const Fit *fit = data;
  int numbers = input_count(fit->c);
  double loss = 0, code[NUMBERS], y[NUMBERS];

  forward(fit->c, w, NULL, fit->x, code, y);
  for (int i = 0; i < numbers; i++) loss += (y[i] - fit->x[i]) * (y[i] - fit->x[i]) / numbers;
  return loss;
}

static void check_gradient(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  g_autofree double *x = plugin_test_numbers(input_count(c), 0, 1, 21), *w = NULL, *slopes = NULL;
  double running[100];
  Fit fit = {c, x};
  AbTensor *value;
  gint64 count;

  plugin_test_fine(ctx);
  image_shake(model, running);
  w = image_weights(model, &count);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  value = ab_loss_value(loss, ab_reconstruct(model, rows(ctx, c, x)), rows(ctx, c, x));
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

/* Of tied weights the decoder has the biases only. x [1, 8, 8], maps [4, 4, 4], [6, 2, 2], code 5.
 */
static void test_tied(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  Case c = {{1, 8, 8}, AB_RANGE_UNIT, {4, 6}, 3, 2, 5, SAME, AB_RELU, 0, 0, TRUE, FALSE};
  const gint64 matrices = 4 * 9 + 6 * 4 * 9 + 24 * 5, biases = 4 + 6 + 5 + 24 + 4 + 1;

  for (int tied = 0; tied < 2; tied++) {
    AbModel *model;
    gint64 count;

    c.tied = tied;
    model = make(ctx, &c);
    plugin_test_fine(ctx);
    g_free(image_weights(model, &count));
    g_assert_cmpint(count, ==, (tied ? 1 : 2) * matrices + biases);
    g_assert_true(ab_has_weight(model, "W3"));
    for (int i = 4; i <= 6; i++) {
      const char names[2][3] = {{'W', (char)('0' + i)}, {'b', (char)('0' + i)}};

      g_assert_true(ab_has_weight(model, names[0]) == !tied);
      g_assert_true(ab_has_weight(model, names[1]));
    }
    ab_instance_free(model);
  }
  plugin_test_finish(ctx);
}

/* ---- as a part ------------------------------------------------------------------------------- */

/* As encoder or decoder of an auto-encoder, with an MLP on the other side. */
static void test_half(const PluginTestCase *at) {
  for (int decodes = 0; decodes < 2; decodes++) {
    const Case c = {{6, 5}, AB_RANGE_UNIT, {3, 2}, 3,          2,    4,
                    SAME,   AB_TANH,       0,      AB_SIGMOID, TRUE, FALSE};
    AbContext *ctx = plugin_test_context(at);
    AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "auto-encoder");
    AbModel *half = unbuilt(ctx, &c, decodes ? "model/decoder" : "model/encoder");
    AbModel *mlp =
        plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", decodes ? "model/encoder" : "model/decoder");
    AbSpec x = spec_of(ctx, &c);
    AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
    g_autofree double *numbers = plugin_test_numbers(ROWS * 30, 0, 1, 30), *parts = NULL;
    AbTensor *images, *by_parts;

    plugin_test_set_ints(mlp, "units", 1, (const gint64[]){4});
    plugin_test_slot(model, "encoder", decodes ? mlp : half);
    plugin_test_slot(model, "decoder", decodes ? half : mlp);
    ab_build(model, &wanted);
    plugin_test_fine(ctx);
    ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
    images = rows(ctx, &c, numbers);
    by_parts = ab_decode(decodes ? half : mlp, ab_encode(decodes ? mlp : half, images));
    parts = plugin_test_values(by_parts);
    plugin_test_near(ab_reconstruct(model, images), parts, ROWS * 30, 0);
    ab_instance_free(model);
    ab_instance_free(half);
    ab_instance_free(mlp);
    plugin_test_finish(ctx);
  }
}

/* What the code is, and its range. */
static void test_code(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  Case c = {{7, 5}, AB_RANGE_UNIT, {3, 2}, 3, 2, 0, SAME, AB_SIGMOID, 0, 0, TRUE, FALSE};

  for (int dense = 0; dense < 2; dense++) {
    AbSpec x, code;
    AbSignature wanted;
    AbModel *model;

    c.code = dense ? 6 : 0;
    model = unbuilt(ctx, &c, "model");
    x = spec_of(ctx, &c);
    wanted = ab_signature(AB_ROLE_ENCODE, &x, NULL);
    code = ab_build(model, &wanted);
    plugin_test_fine(ctx);
    g_assert_cmpint(code.rank, ==, dense ? 1 : 3);
    g_assert_cmpint(ab_spec_count(&code), ==, dense ? 6 : 2 * 2 * 2);
    g_assert_cmpint(code.range, ==, dense ? AB_RANGE_REAL : AB_RANGE_UNIT);
    ab_instance_free(model);
  }
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

/* The digits through a code of 16: far below what is left when each pixel's mean is given. */
static void test_learning(void) {
  for (int tied = 0; tied < 2; tied++) {
    AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
    const Case c = {{8, 8}, AB_RANGE_UNIT, {16, 32}, 3, 2, 16, SAME, AB_RELU, 0, 0, tied, FALSE};
    AbModel *model = make(ctx, &c);
    g_autofree double *x = NULL, *labels = NULL, *y = NULL;
    double error = 0, variance = 0;

    plugin_test_fine(ctx);
    y = image_learn_digits(model, AB_ROLE_RECONSTRUCT, "mse", 3e-3, 24, &x, &labels);
    for (int j = 0; j < 64; j++) {
      double mean = 0;

      for (int i = 0; i < IMAGE_TESTED; i++) mean += x[i * 64 + j] / IMAGE_TESTED;
      for (int i = 0; i < IMAGE_TESTED; i++) {
        variance += pow(x[i * 64 + j] - mean, 2) / (IMAGE_TESTED * 64);
        error += pow(x[i * 64 + j] - y[i * 64 + j], 2) / (IMAGE_TESTED * 64);
      }
    }
    g_test_message("variance %g, error %g", variance, error);
    g_assert_cmpfloat(error, <, 0.22 * variance);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void refused(AbContext *ctx, const Case *c, const char *pattern) {
  AbModel *model = make(ctx, c);

  plugin_test_error(ctx, AB_CONFIG, pattern);
  ab_instance_free(model);
}

/* A decoder is given `code`. */
static void refused_code(AbContext *ctx, const Case *c, AbSpec code, const char *pattern) {
  AbModel *model = unbuilt(ctx, c, "model");
  AbSpec x = spec_of(ctx, c);
  AbSignature wanted = ab_signature(AB_ROLE_DECODE, &code, &x);

  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, pattern);
  ab_instance_free(model);
}

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  const Case good = {{8, 8}, AB_RANGE_UNIT, {3, 2}, 3, 2, 0, VALID, AB_RELU, 0, 0, TRUE, FALSE};
  Case c = good; /* [8, 8] -> [3, 3] -> [1, 1] */
  AbSpec vector = plugin_test_spec(ctx, AB_RANGE_REAL, 8, 0, 0), nothing = {.rank = -1};
  AbSignature blind = ab_signature(AB_ROLE_DECODE, &vector, NULL);
  AbModel *model = make(ctx, &c);

  plugin_test_fine(ctx);
  ab_instance_free(model);
  c.channels[0] = 0;
  refused(ctx, &c, "model (" NAME "): channels has no entry*");
  c = good;
  c.channels[2] = 4;
  refused(ctx, &c, "model (" NAME "): convolution 3: a kernel of 3 *[2, 1, 1]*padding: same");
  c = good;
  c.in[1] = 0;
  refused(ctx, &c, "model (" NAME "): samples of x are [8]*[channels, height, width]*reshape*");
  refused_code(ctx, &good, vector, "model (" NAME "): *code of [8]*[2, 1, 1]*`code`*");
  refused_code(ctx, &good, nothing, "model (" NAME "): *code of no shape*[2, 1, 1]*");
  c = good;
  c.code = 5;
  refused_code(ctx, &c, vector, "model (" NAME "): *code of [8]*[5]*");

  model = unbuilt(ctx, &good, "model");
  ab_build(model, &blind);
  plugin_test_error(ctx, AB_CONFIG, "model (" NAME "): samples of x are not given*");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_roles(void) {
  const AbComponent *component = plugin_test_load(AB_KIND_MODEL, NAME, NULL);

  g_assert_cmpuint(ab_component_roles(component), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_DECODE) |
                       AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_SCORE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/convolutional-auto-encoder/forward", test_forward);
  plugin_test_add("/convolutional-auto-encoder/gradient", test_gradient);
  g_test_add_func("/convolutional-auto-encoder/tied", test_tied);
  plugin_test_add("/convolutional-auto-encoder/half", test_half);
  g_test_add_func("/convolutional-auto-encoder/code", test_code);
  g_test_add_func("/convolutional-auto-encoder/learning", test_learning);
  g_test_add_func("/convolutional-auto-encoder/errors", test_errors);
  g_test_add_func("/convolutional-auto-encoder/roles", test_roles);
  return g_test_run();
}
