/* SPDX-License-Identifier: Apache-2.0
 *
 * Multi-layer perceptron: outputs against loops in double, gradients against finite differences of
 * those loops, dropout against its moments, and what is refused.                                */
#include "net-test.h"
#include <math.h>
#include <string.h>

#define ROWS 7

/* An MLP that is to be built: units, activations, role, shapes. */
typedef struct {
  AbRole role;
  gint64 in[2], out[2]; /* an axis of 0 ends the shape */
  AbRange range;        /* of the output */
  gint64 units[3];      /* 0 ends them */
  int activation;
  int output; /* index of output_activation: 0 is auto */
  int head;   /* the activation that the output must have */
} Case;

static int unit_count(const Case *c) {
  int count = 0;

  while (count < 3 && c->units[count] > 0) count++;
  return count;
}

static AbModel *make(AbContext *ctx, const Case *c) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "mlp");
  AbSpec in = plugin_test_spec(ctx, AB_RANGE_REAL, c->in[0], c->in[1], 0);
  AbSpec out = plugin_test_spec(ctx, c->range, c->out[0], c->out[1], 0);
  AbSignature wanted = ab_signature(c->role, &in, c->role == AB_ROLE_ENCODE ? NULL : &out);

  plugin_test_set_ints(model, "units", unit_count(c), c->units);
  plugin_test_set_choice(model, "activation", ab_activation_names[c->activation]);
  plugin_test_set_choice(model, "output_activation",
                         c->output ? ab_activation_names[c->output - 1] : "auto");
  ab_build(model, &wanted);
  return model;
}

static int numbers_of(const gint64 *shape) {
  return (int)((shape[0] > 0 ? shape[0] : 1) * (shape[1] > 0 ? shape[1] : 1));
}

/* The layers that must come of it. */
static Net net_of(const Case *c) {
  Net net = {.layers = unit_count(c), .width = {numbers_of(c->in)}};

  for (int l = 1; l <= net.layers; l++) {
    net.width[l] = (int)c->units[l - 1];
    net.activation[l] = c->activation;
  }
  if (c->role == AB_ROLE_ENCODE) return net;
  net.layers++;
  net.width[net.layers] = numbers_of(c->out);
  net.activation[net.layers] = c->head;
  return net;
}

/* [ROWS, a, b] */
static AbTensor *rows(AbContext *ctx, const gint64 *shape, const double *values) {
  AbShape full = {.rank = 1, .dims = {ROWS, shape[0], shape[1]}};

  while (full.rank < 3 && full.dims[full.rank] > 0) full.rank++;
  return plugin_test_tensor(ctx, full, values);
}

/* Biases too get numbers: they begin as zeros. */
static void shake(AbModel *model) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbTensor *w = ab_state(model, i).tensor;
    g_autofree double *values = plugin_test_numbers(ab_count(w), -1, 1, (guint64)i + 50);

    plugin_test_fill(w, values);
  }
}

/* ---- forward --------------------------------------------------------------------------------- */

static void check_forward(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  Net net = net_of(c);
  int in = net.width[0], out = net.width[net.layers], hidden = unit_count(c);
  g_autofree double *x = plugin_test_numbers(ROWS * in, -1, 1, 20);
  double w[NET_WEIGHTS], y[ROWS * NET_WIDTH], code[ROWS * NET_WIDTH];
  AbTensor *got;
  gint64 products = 0;

  plugin_test_fine(ctx);
  shake(model);
  g_assert_cmpint(ab_state_count(model), ==, 2 * net.layers);
  net_read(model, &net, w);
  for (int r = 0; r < ROWS; r++) {
    net_forward(&net, net.layers, w, x + r * in, y + r * out);
    net_forward(&net, hidden, w, x + r * in, code + r * net.width[hidden]);
  }
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  got = ab_call(model, c->role, rows(ctx, c->in, x));
  plugin_test_near(got, y, ROWS * out, at->exact);
  g_assert_cmpint(ab_dim(got, 0), ==, ROWS);
  if (c->role != AB_ROLE_ENCODE) {
    g_assert_cmpint(ab_rank(got), ==, 1 + (c->out[0] > 0) + (c->out[1] > 0));
    for (int i = 1; i < ab_rank(got); i++) g_assert_cmpint(ab_dim(got, i), ==, c->out[i - 1]);
  }
  /* what was learned for another role can be read as a code */
  if (hidden > 0)
    plugin_test_near(ab_encode(model, rows(ctx, c->in, x)), code, ROWS * net.width[hidden],
                     at->exact);
  for (int l = 1; l <= net.layers; l++) products += net.width[l - 1] * net.width[l];
  g_assert_cmpint(ab_model_multiply_adds(model), ==, products);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_forward(const PluginTestCase *at) {
  const Case cases[] = {
      {AB_ROLE_CLASSIFY, {2, 3}, {4}, AB_RANGE_REAL, {5, 4}, AB_RELU, 0, AB_IDENTITY},
      {AB_ROLE_PREDICT, {3}, {2, 2}, AB_RANGE_REAL, {6}, AB_TANH, 3, AB_TANH},
      {AB_ROLE_PREDICT, {4}, {0}, AB_RANGE_REAL, {3}, AB_TANH, 0, AB_IDENTITY},    /* one number */
      {AB_ROLE_PREDICT, {2, 2}, {3}, AB_RANGE_REAL, {0}, AB_TANH, 0, AB_IDENTITY}, /* a line */
      {AB_ROLE_DECODE, {3}, {2, 4}, AB_RANGE_UNIT, {5, 6, 4}, AB_SIGMOID, 0, AB_SIGMOID},
      {AB_ROLE_ENCODE, {2, 3}, {0}, AB_RANGE_REAL, {5, 3}, AB_SOFTPLUS, 0, AB_IDENTITY},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_forward(at, &cases[i]);
}

static void test_activations(const PluginTestCase *at) {
  for (int f = AB_IDENTITY; f <= AB_SOFTPLUS; f++)
    for (int g = AB_IDENTITY; g <= AB_SOFTPLUS; g++) {
      Case c = {AB_ROLE_PREDICT, {3}, {2}, AB_RANGE_UNIT, {4}, f, 1 + g, g};

      check_forward(at, &c);
    }
}

/* auto: a sigmoid where values from 0 to 1 are wanted. */
static void test_auto(const PluginTestCase *at) {
  const struct {
    AbRange range;
    int head;
  } ranges[] = {
      {AB_RANGE_REAL, AB_IDENTITY}, {AB_RANGE_UNIT, AB_SIGMOID}, {AB_RANGE_BINARY, AB_SIGMOID}};

  for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
    Case c = {AB_ROLE_DECODE, {3}, {2}, ranges[i].range, {4}, AB_TANH, 0, ranges[i].head};

    check_forward(at, &c);
  }
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct {
  Net net;
  const double *x, *t;
} Fit;

/* mean (y - t)^2 over the rows */
static double fit_loss(const double *w, gpointer data) {
  const Fit *fit = data;
  int in = fit->net.width[0], out = fit->net.width[fit->net.layers];
  double loss = 0, y[NET_WIDTH];

  for (int r = 0; r < ROWS; r++) {
    net_forward(&fit->net, fit->net.layers, w, fit->x + r * in, y);
    for (int j = 0; j < out; j++)
      loss += (y[j] - fit->t[r * out + j]) * (y[j] - fit->t[r * out + j]) / (ROWS * out);
  }
  return loss;
}

static void check_gradient(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  AbLoss *loss = plugin_test_new(ctx, AB_KIND_LOSS, "mse");
  Fit fit = {.net = net_of(c)};
  int in = fit.net.width[0], out = fit.net.width[fit.net.layers];
  g_autofree double *x = plugin_test_numbers(ROWS * in, -1, 1, 21), *slopes = NULL;
  g_autofree double *t = plugin_test_numbers(ROWS * out, 0, 1, 22);
  double w[NET_WEIGHTS], *slope;
  AbTensor *value;

  plugin_test_fine(ctx);
  shake(model);
  net_read(model, &fit.net, w);
  fit.x = x;
  fit.t = t;
  slope = slopes = plugin_test_slopes(fit_loss, w, net_count(&fit.net), &fit);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  value = ab_loss_value(loss, ab_call(model, c->role, rows(ctx, c->in, x)), rows(ctx, c->out, t));
  plugin_test_close(ab_item(value), fit_loss(w, &fit), at->exact);
  ab_backward(value);
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbTensor *weight = ab_state(model, i).tensor;

    plugin_test_near(ab_gradient(weight), slope, ab_count(weight), at->exact + 1e-8);
    slope += ab_count(weight);
  }
  ab_instance_free(loss);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_gradient(const PluginTestCase *at) {
  const Case cases[] = {
      {AB_ROLE_CLASSIFY, {2, 3}, {4}, AB_RANGE_REAL, {5, 4}, AB_RELU, 0, AB_IDENTITY},
      {AB_ROLE_PREDICT, {3}, {2, 2}, AB_RANGE_REAL, {6}, AB_TANH, 5, AB_SOFTPLUS},
      {AB_ROLE_DECODE, {3}, {2, 4}, AB_RANGE_UNIT, {5, 6, 4}, AB_SIGMOID, 0, AB_SIGMOID},
      {AB_ROLE_PREDICT, {2, 2}, {3}, AB_RANGE_REAL, {0}, AB_TANH, 3, AB_TANH},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_gradient(at, &cases[i]);
}

/* ---- dropout --------------------------------------------------------------------------------- */

#define DRAWS 40000

/* The same row DRAWS times. */
static AbTensor *copies(AbContext *ctx, const double *x, int in) {
  g_autofree double *many = g_new(double, (gsize)(DRAWS * in));

  for (int i = 0; i < DRAWS * in; i++) many[i] = x[i % in];
  return plugin_test_tensor(ctx, AB_SHAPE(DRAWS, in), many);
}

static AbModel *dropping(AbContext *ctx, const Case *c, double rate) {
  AbModel *model = make(ctx, c); /* the rate is read when the model is used */

  plugin_test_set_real(model, "dropout", rate);
  shake(model);
  plugin_test_fine(ctx);
  return model;
}

/* A linear net: the mean over the draws is the output without dropout; after one hidden layer the
 * variance is rate / (1 - rate) sum_j (h_j w_j)^2.                                              */
static void test_dropout_mean(const PluginTestCase *at) {
  const double x[3] = {0.5, -1, 2}, rate = 0.3;

  for (int deep = 0; deep < 2; deep++) {
    Case c = {AB_ROLE_PREDICT,   {3},         {1}, AB_RANGE_REAL,
              {5, deep ? 4 : 0}, AB_IDENTITY, 0,   AB_IDENTITY};
    AbContext *ctx = plugin_test_context(at);
    AbModel *model = dropping(ctx, &c, rate);
    Net net = net_of(&c);
    double w[NET_WEIGHTS], h[NET_WIDTH], y, mean = 0, square = 0, variance = 0;
    g_autofree double *draws = NULL;

    net_read(model, &net, w);
    net_forward(&net, net.layers, w, x, &y);
    ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
    draws = plugin_test_values(ab_call(model, AB_ROLE_PREDICT, copies(ctx, x, 3)));
    for (int i = 0; i < DRAWS; i++) mean += draws[i] / DRAWS;
    for (int i = 0; i < DRAWS; i++) square += (draws[i] - mean) * (draws[i] - mean) / DRAWS;
    g_assert_cmpfloat(square, >, 0.01);
    g_assert_cmpfloat(fabs(mean - y), <, 5 * sqrt(square / DRAWS));
    net_forward(&net, 1, w, x, h);
    for (int j = 0; j < 5; j++) variance += h[j] * h[j] * w[20 + j] * w[20 + j];
    variance *= rate / (1 - rate);
    if (!deep) g_assert_cmpfloat_with_epsilon(square / variance, 1, 0.05);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

/* Every hidden unit is out with the rate, else scaled up; evaluation has none of it. */
static void test_dropout_units(const PluginTestCase *at) {
  const double x[3] = {0.5, -1, 2}, rate = 0.25;
  Case c = {AB_ROLE_ENCODE, {3}, {0}, AB_RANGE_REAL, {6}, AB_TANH, 0, AB_IDENTITY};
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = dropping(ctx, &c, rate);
  Net net = net_of(&c);
  double w[NET_WEIGHTS], h[NET_WIDTH];
  AbTensor *input = copies(ctx, x, 3);
  g_autofree double *step0 = NULL, *step1 = NULL, *again = NULL, *even = NULL, *later = NULL;
  gsize bytes = DRAWS * 6 * sizeof(double);
  int out = 0;

  net_read(model, &net, w);
  net_forward(&net, 1, w, x, h);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  step0 = plugin_test_values(ab_encode(model, input));
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  step1 = plugin_test_values(ab_encode(model, input));
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  even = plugin_test_values(ab_encode(model, input));
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 1);
  later = plugin_test_values(ab_encode(model, input));
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  again = plugin_test_values(ab_encode(model, input));
  for (int i = 0; i < DRAWS * 6; i++) {
    out += step0[i] == 0;
    if (step0[i] != 0) plugin_test_close(step0[i], h[i % 6] / (1 - rate), at->exact);
    plugin_test_close(even[i], h[i % 6], at->exact);
  }
  g_assert_cmpfloat(fabs(out / (DRAWS * 6.0) - rate), <, 5 * sqrt(rate * (1 - rate) / DRAWS / 6));
  g_assert_cmpmem(even, bytes, later, bytes);
  g_assert_cmpmem(step0, bytes, again, bytes);
  g_assert_cmpint(memcmp(step0, step1, bytes), !=, 0);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  const double zeros[12] = {0};
  Case c = {AB_ROLE_ENCODE, {3}, {0}, AB_RANGE_REAL, {0}, AB_RELU, 0, AB_IDENTITY};
  AbSpec three, five;
  AbSignature wanted;
  AbModel *model = make(ctx, &c);

  plugin_test_error(ctx, AB_CONFIG, "model (mlp): an encoder needs*units*");
  ab_instance_free(model);

  c.units[0] = 4;
  model = make(ctx, &c);
  plugin_test_fine(ctx);
  g_assert_null(ab_decode(model, plugin_test_tensor(ctx, AB_SHAPE(2, 3), zeros)));
  plugin_test_error(ctx, AB_CONFIG, "model (mlp): *built for the role encode*decode*");
  g_assert_null(ab_encode(model, plugin_test_tensor(ctx, AB_SHAPE(2, 4), zeros)));
  plugin_test_error(ctx, AB_CONFIG, "model (mlp): *[2, 4]*[3]*");
  ab_instance_free(model);

  three = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
  wanted = ab_signature(AB_ROLE_CLASSIFY, &three, NULL);
  model = plugin_test_new(ctx, AB_KIND_MODEL, "mlp");
  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (mlp): the role classify must be told what to give");
  ab_instance_free(model);

  /* a code of another width than was asked for; of that width it has no layer beyond the code */
  five = plugin_test_spec(ctx, AB_RANGE_REAL, 5, 0, 0);
  wanted = ab_signature(AB_ROLE_ENCODE, &three, &five);
  for (gint64 width = 4; width <= 5; width++) {
    model = plugin_test_new(ctx, AB_KIND_MODEL, "mlp");
    plugin_test_set_ints(model, "units", 1, &width);
    ab_build(model, &wanted);
    if (width == 4) plugin_test_error(ctx, AB_CONFIG, "model (mlp): *[4]*[5]*");
    plugin_test_fine(ctx);
    g_assert_cmpint(ab_state_count(model), ==, 2);
    ab_instance_free(model);
  }
  plugin_test_finish(ctx);
}

/* One role at a time: none that combines encode and decode is derived. */
static void test_roles(void) {
  const AbComponent *mlp = plugin_test_load(AB_KIND_MODEL, "mlp", NULL);

  g_assert_cmpuint(ab_component_roles(mlp), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_DECODE) |
                       AB_ROLE_BIT(AB_ROLE_CLASSIFY) | AB_ROLE_BIT(AB_ROLE_PREDICT) |
                       AB_ROLE_BIT(AB_ROLE_SCORE) | AB_ROLE_BIT(AB_ROLE_ACT));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/mlp/forward", test_forward);
  plugin_test_add("/mlp/activations", test_activations);
  plugin_test_add("/mlp/auto", test_auto);
  plugin_test_add("/mlp/gradient", test_gradient);
  plugin_test_add("/mlp/dropout/mean", test_dropout_mean);
  plugin_test_add("/mlp/dropout/units", test_dropout_units);
  g_test_add_func("/mlp/errors", test_errors);
  g_test_add_func("/mlp/roles", test_roles);
  return g_test_run();
}
