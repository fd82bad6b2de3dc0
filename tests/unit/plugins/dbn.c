/* SPDX-License-Identifier: Apache-2.0
 *
 * A deep belief network so small that everything is known by enumeration: the bound that scores
 * are, what it generates, log Z; each against sums over all states of the hidden units. Draws are
 * seeded; bounds are five standard errors.                                                      */
#include "stack-test.h"
#include <math.h>
#include <string.h>

#define X  4
#define H1 3
#define H2 2

/* The machine below, and that on top, which pair by E = -v.b - h.c - v.W.h; W row by row. */
typedef struct {
  gboolean gaussian; /* x */
  double W[X * H1], b[X], c[H1], U[H1 * H2], a[H1], d[H2];
} Net2;

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static void bits(int s, int count, double *units) {
  for (int i = 0; i < count; i++) units[i] = s >> i & 1;
}

static Net2 net_of(gboolean gaussian) {
  g_autofree double *numbers = plugin_test_numbers(100, -1.5, 1.5, 4);
  Net2 net = {.gaussian = gaussian};

  memcpy(net.W, numbers, sizeof net.W);
  memcpy(net.b, numbers + 20, sizeof net.b);
  memcpy(net.c, numbers + 30, sizeof net.c);
  memcpy(net.U, numbers + 40, sizeof net.U);
  memcpy(net.a, numbers + 60, sizeof net.a);
  memcpy(net.d, numbers + 70, sizeof net.d);
  return net;
}

/* c + v W of one layer, and the other way b + W h. */
static void up(const double *W, const double *c, int v, int h, const double *from, double *to) {
  for (int j = 0; j < h; j++) {
    to[j] = c[j];
    for (int i = 0; i < v; i++) to[j] += from[i] * W[i * h + j];
  }
}

static void down(const double *W, const double *b, int v, int h, const double *from, double *to) {
  for (int i = 0; i < v; i++) {
    to[i] = b[i];
    for (int j = 0; j < h; j++) to[i] += W[i * h + j] * from[j];
  }
}

/* F of the machine on top: -log sum_h2 exp(-E(h1, h2)) */
static double free_energy(const Net2 *net, const double *h1) {
  double in[H2], f = 0;

  up(net->U, net->d, H1, H2, h1, in);
  for (int i = 0; i < H1; i++) f -= h1[i] * net->a[i];
  for (int j = 0; j < H2; j++) f -= log1p(exp(in[j]));
  return f;
}

static double log_z(const Net2 *net) {
  double sum = 0, h1[H1];

  for (int s = 0; s < 1 << H1; s++) {
    bits(s, H1, h1);
    sum += exp(-free_energy(net, h1));
  }
  return log(sum);
}

/* log p(x | h1) */
static double log_below(const Net2 *net, const double *x, const double *h1) {
  double in[X], sum = 0;

  down(net->W, net->b, X, H1, h1, in);
  for (int i = 0; i < X; i++)
    sum += net->gaussian ? -(x[i] - in[i]) * (x[i] - in[i]) / 2 - log(2 * G_PI) / 2
                         : x[i] * in[i] - log1p(exp(in[i]));
  return sum;
}

/* q(h1 | x) */
static double probability(const Net2 *net, const double *x, const double *h1) {
  double in[H1], p = 1;

  up(net->W, net->c, X, H1, x, in);
  for (int j = 0; j < H1; j++) p *= sigmoid(h1[j] != 0 ? in[j] : -in[j]);
  return p;
}

/* The mean over h1 ~ q of F(h1) - log p(x | h1), its variance, and less the entropy of q. */
static double bound(const Net2 *net, const double *x, double *variance) {
  double mean = 0, square = 0, entropy = 0, h1[H1];

  for (int s = 0; s < 1 << H1; s++) {
    double q, e;

    bits(s, H1, h1);
    q = probability(net, x, h1);
    e = free_energy(net, h1) - log_below(net, x, h1);
    mean += q * e;
    square += q * e * e;
    entropy -= q * log(q);
  }
  *variance = square - mean * mean;
  return mean - entropy;
}

/* log p(x) */
static double log_likelihood(const Net2 *net, const double *x) {
  double sum = 0, h1[H1];

  for (int s = 0; s < 1 << H1; s++) {
    bits(s, H1, h1);
    sum += exp(log_below(net, x, h1) - free_energy(net, h1));
  }
  return log(sum) - log_z(net);
}

/* ---- the network as a plugin ----------------------------------------------------------------- */

static void set(AbModel *model, const char *name, const double *values) {
  plugin_test_fill(plugin_test_state(model, name), values);
}

static void set_rbm(AbModel *rbm, const double *W, const double *b, const double *c) {
  set(rbm, "W", W);
  set(rbm, "b", b);
  set(rbm, "c", c);
}

/* The machine on top as an auto-encoder with the same conditionals, which has no energy, and does
 * not generate by itself.                                                                       */
static void set_auto_encoder(Stack *stack, const Net2 *net) {
  double turned[H2 * H1];

  for (int i = 0; i < H1; i++)
    for (int j = 0; j < H2; j++) turned[j * H1 + i] = net->U[i * H2 + j];
  set(stack_encoder(stack, 1), "W1", net->U);
  set(stack_encoder(stack, 1), "b1", net->d);
  set(stack_decoder(stack, 1), "W1", turned);
  set(stack_decoder(stack, 1), "b1", net->a);
}

static void begin(Stack *stack, const PluginTestCase *at, gboolean plain_top) {
  stack_begin(stack, plugin_test_context(at), "dbn");
  stack_add_rbm(stack, H1);
  if (plain_top)
    stack_add_auto_encoder(stack, H2, "sigmoid");
  else
    plugin_test_set_int(stack_add_rbm(stack, H2), "burn_in", 40);
  plugin_test_set_int(stack->model, "gibbs", 40);
}

static void build(Stack *stack, AbRole role, const Net2 *net, const AbSpec *out) {
  AbSpec x = plugin_test_spec(stack->ctx, net->gaussian ? AB_RANGE_REAL : AB_RANGE_BINARY, X, 0, 0);
  AbSpec nothing = {.rank = -1};

  stack_make(stack, role, role == AB_ROLE_GENERATE ? nothing : x,
             role == AB_ROLE_GENERATE ? &x : out);
  plugin_test_fine(stack->ctx);
  set_rbm(stack->layers[0], net->W, net->b, net->c);
  if (strcmp(stack->layers[1]->component->name, "rbm") == 0)
    set_rbm(stack->layers[1], net->U, net->a, net->d);
  else
    set_auto_encoder(stack, net);
}

/* ---- scores ---------------------------------------------------------------------------------- */

#define REPEATS 3000

/* The mean score of one x, repeated. */
static double mean_score(Stack *stack, const double *x) {
  g_autofree double *rows = g_new(double, REPEATS *X), *scores = NULL;
  AbScope scope = ab_scope_begin(stack->ctx);
  double mean = 0;

  for (int i = 0; i < REPEATS * X; i++) rows[i] = x[i % X];
  scores = plugin_test_values(ab_call(stack->model, AB_ROLE_SCORE,
                                      plugin_test_tensor(stack->ctx, AB_SHAPE(REPEATS, X), rows)));
  for (int r = 0; r < REPEATS; r++) mean += scores[r] / REPEATS;
  ab_scope_end(stack->ctx, scope, NULL, 0);
  return mean;
}

/* The score is the bound, which with log Z is above -log p(x); more draws, less variance. */
static void test_score(const PluginTestCase *at) {
  for (int k = 0; k < 4; k++) {
    Net2 net = net_of(k & 1);
    int draws = k < 2 ? 1 : 4;
    g_autofree double *numbers = plugin_test_numbers(16 * X, -2, 2, 8);
    Stack stack;

    begin(&stack, at, FALSE);
    plugin_test_set_int(stack.model, "draws", draws);
    build(&stack, AB_ROLE_RECONSTRUCT, &net, NULL);
    ab_begin(stack.ctx, AB_PURPOSE_EVALUATE, k);
    for (int s = 0; s < 16; s++) {
      double *x = numbers + s * X, variance, expected;

      if (!net.gaussian) bits(s, X, x);
      expected = bound(&net, x, &variance);
      g_assert_cmpfloat(expected + log_z(&net), >, -log_likelihood(&net, x));
      g_assert_cmpfloat(fabs(mean_score(&stack, x) - expected), <,
                        5 * sqrt(variance / (REPEATS * draws)) + 1e-4);
    }
    stack_end(&stack);
  }
}

/* log Z is that of the machine on top. */
static void test_log_partition(const PluginTestCase *at) {
  Net2 net = net_of(FALSE);
  Stack stack;

  begin(&stack, at, FALSE);
  build(&stack, AB_ROLE_RECONSTRUCT, &net, NULL);
  ab_begin(stack.ctx, AB_PURPOSE_EVALUATE, 0);
  plugin_test_close(ab_item(ab_log_partition(stack.model, 200, 200)), log_z(&net), 0.02);
  stack_end(&stack);
}

/* Of one layer the score is its own. */
static void test_one_layer(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_BINARY, X, 0, 0);
  g_autofree double *expected = NULL;
  AbTensor *rows, *made;
  Stack stack;

  stack_begin(&stack, ctx, "dbn");
  stack_add_rbm(&stack, H1);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  plugin_test_fine(ctx);
  stack_shake(stack.model, 3);
  rows = ab_full(ctx, ab_real_dtype(ctx), AB_SHAPE(2, X), 1);
  expected = plugin_test_values(ab_call(stack.layers[0], AB_ROLE_SCORE, rows));
  plugin_test_near(ab_call(stack.model, AB_ROLE_SCORE, rows), expected, 2, 0);
  made = ab_generate(stack.model, 3);
  plugin_test_fine(ctx);
  g_assert_cmpint(ab_count(made), ==, 3 * X);
  stack_end(&stack);
}

/* ---- generating ------------------------------------------------------------------------------ */

/* The means of x given h1, and their products: on average over what is generated as by the sum over
 * p(h1); from the machine's own chain, and from the network's.                                   */
static void test_generate(const PluginTestCase *at) {
  for (int k = 0; k < 4; k++) {
    Net2 net = net_of(k & 1);
    double mean[X][X] = {{0}}, square[X][X] = {{0}}, got[X][X] = {{0}}, lz = log_z(&net), h1[H1];
    g_autofree double *values = NULL;
    int count = 4000;
    Stack stack;

    for (int s = 0; s < 1 << H1; s++) {
      double x[X], p;

      bits(s, H1, h1);
      p = exp(-free_energy(&net, h1) - lz);
      down(net.W, net.b, X, H1, h1, x);
      for (int i = 0; i < X && !net.gaussian; i++) x[i] = sigmoid(x[i]);
      for (int i = 0; i < X; i++)
        for (int j = 0; j < X; j++) {
          double y = i == j ? x[i] : x[i] * x[j];

          mean[i][j] += p * y, square[i][j] += p * y * y;
        }
    }
    begin(&stack, at, k >= 2);
    build(&stack, AB_ROLE_GENERATE, &net, NULL);
    ab_begin(stack.ctx, AB_PURPOSE_EVALUATE, 0);
    values = plugin_test_values(ab_generate(stack.model, count));
    for (int r = 0; r < count; r++)
      for (int i = 0; i < X; i++)
        for (int j = 0; j < X; j++)
          got[i][j] += (i == j ? 1 : values[r * X + j]) * values[r * X + i] / count;
    for (int i = 0; i < X; i++)
      for (int j = 0; j < X; j++)
        g_assert_cmpfloat(fabs(got[i][j] - mean[i][j]), <,
                          5 * sqrt((square[i][j] - mean[i][j] * mean[i][j]) / count) + 1e-3);
    stack_end(&stack);
  }
}

/* ---- means ----------------------------------------------------------------------------------- */

static void test_means(const PluginTestCase *at) {
  Net2 net = net_of(FALSE);
  g_autofree double *x = plugin_test_numbers(3 * X, 0, 1, 9);
  g_autofree double *head = plugin_test_numbers(H2 * 5, -1, 1, 10);
  double h1[H1], code[3 * H2], back[3 * X], logits[3 * 5];
  AbTensor *rows;
  AbSpec five;
  Stack stack;

  begin(&stack, at, FALSE);
  five = plugin_test_spec(stack.ctx, AB_RANGE_REAL, 5, 0, 0);
  build(&stack, AB_ROLE_CLASSIFY, &net, &five);
  set(stack.model, "W1", head);
  for (int r = 0; r < 3; r++) {
    up(net.W, net.c, X, H1, x + r * X, h1);
    for (int j = 0; j < H1; j++) h1[j] = sigmoid(h1[j]);
    up(net.U, net.d, H1, H2, h1, code + r * H2);
    for (int j = 0; j < H2; j++) code[r * H2 + j] = sigmoid(code[r * H2 + j]);
    for (int c = 0; c < 5; c++)
      logits[r * 5 + c] = code[r * H2] * head[c] + code[r * H2 + 1] * head[5 + c];
    down(net.U, net.a, H1, H2, code + r * H2, h1);
    for (int j = 0; j < H1; j++) h1[j] = sigmoid(h1[j]);
    down(net.W, net.b, X, H1, h1, back + r * X);
    for (int i = 0; i < X; i++) back[r * X + i] = sigmoid(back[r * X + i]);
  }
  rows = plugin_test_tensor(stack.ctx, AB_SHAPE(3, X), x);
  plugin_test_near(ab_encode(stack.model, rows), code, 3 * H2, at->exact);
  plugin_test_near(ab_reconstruct(stack.model, rows), back, 3 * X, at->exact);
  plugin_test_near(ab_call(stack.model, AB_ROLE_CLASSIFY, rows), logits, 15, at->exact);
  stack_end(&stack);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void refused(const char *layer, AbRole role, const char *message) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_UNIT, 4, 0, 0);
  Stack stack;

  stack_begin(&stack, ctx, "dbn");
  if (layer != NULL) stack_add(&stack, layer);
  if (layer != NULL && strcmp(layer, "hebbian") == 0)
    plugin_test_set_int(stack.layers[0], "units", 2);
  stack_make(&stack, role, x, NULL);
  plugin_test_error(ctx, AB_CONFIG, message);
  stack_end(&stack);
}

static void test_errors(void) {
  refused(NULL, AB_ROLE_ENCODE, "model (dbn): layers: *at least one");
  refused("hebbian", AB_ROLE_ENCODE,
          "model/layers/0 (hebbian): *probabilities of binary units*stacked-auto-encoder*");
  refused("generator", AB_ROLE_ENCODE,
          "model/layers/0 (generator): *encodes, decodes and scores*does not offer encode");
  refused("rbm", AB_ROLE_GENERATE, "model (dbn): *generate*told what x is");
}

/* A top that has no estimate of log Z says so. */
static void test_no_partition(const PluginTestCase *at) {
  Net2 net = net_of(FALSE);
  Stack stack;

  begin(&stack, at, TRUE);
  build(&stack, AB_ROLE_RECONSTRUCT, &net, NULL);
  g_assert_null(ab_log_partition(stack.model, 10, 10));
  plugin_test_error(stack.ctx, AB_CONFIG, "model/layers/1 (auto-encoder): *no estimate*");
  stack_end(&stack);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/dbn/score", test_score);
  plugin_test_add("/dbn/log-partition", test_log_partition);
  plugin_test_add("/dbn/one-layer", test_one_layer);
  plugin_test_add("/dbn/generate", test_generate);
  plugin_test_add("/dbn/means", test_means);
  plugin_test_add("/dbn/no-partition", test_no_partition);
  g_test_add_func("/dbn/errors", test_errors);
  return g_test_run();
}
