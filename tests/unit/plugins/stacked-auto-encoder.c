/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacked auto-encoder: every role against loops in double, stacks of other models, learning, and
 * what is refused.                                                                              */
#include "stack-test.h"
#include <math.h>
#include <string.h>

#define ROWS 5
#define X    4
#define TOP  2
#define OUT  3

static const Net encoders[] = {{1, {X, 3}, {0, AB_SIGMOID}}, {1, {3, TOP}, {0, AB_TANH}}};
static const Net decoders[] = {{1, {3, X}, {0, AB_SIGMOID}}, {1, {TOP, 3}, {0, AB_SIGMOID}}};

/* x [2, 2] from 0 to 1 -> 3, sigmoid -> 2, tanh. */
static void begin_two(Stack *stack, AbContext *ctx) {
  stack_begin(stack, ctx, "stacked-auto-encoder");
  stack_add_auto_encoder(stack, 3, "sigmoid");
  stack_add_auto_encoder(stack, TOP, "tanh");
}

/* The codes and reconstructions of rows, by the weights as they are. */
static void by_loops(Stack *stack, const double *x, double *code, double *back) {
  double w[4][NET_WEIGHTS], h[NET_WIDTH];

  for (int l = 0; l < 2; l++) {
    net_read(stack_encoder(stack, l), &encoders[l], w[l]);
    net_read(stack_decoder(stack, l), &decoders[l], w[2 + l]);
  }
  for (int r = 0; r < ROWS; r++) {
    net_forward(&encoders[0], 1, w[0], x + r * X, h);
    net_forward(&encoders[1], 1, w[1], h, code + r * TOP);
    net_forward(&decoders[1], 1, w[3], code + r * TOP, h);
    net_forward(&decoders[0], 1, w[2], h, back + r * X);
  }
}

static void test_roles(const PluginTestCase *at) {
  Stack stack;
  g_autofree double *numbers = plugin_test_numbers(ROWS * X, 0, 1, 1);
  double code[ROWS * TOP], back[ROWS * X], score[ROWS] = {0};
  AbSpec x;
  AbTensor *rows, *got;

  begin_two(&stack, plugin_test_context(at));
  x = plugin_test_spec(stack.ctx, AB_RANGE_UNIT, 2, 2, 0);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  plugin_test_fine(stack.ctx);
  stack_shake(stack.model, 2);
  by_loops(&stack, numbers, code, back);
  for (int i = 0; i < ROWS * X; i++)
    score[i / X] += (back[i] - numbers[i]) * (back[i] - numbers[i]) / X;
  rows = plugin_test_tensor(stack.ctx, AB_SHAPE(ROWS, 2, 2), numbers);
  got = ab_encode(stack.model, rows);
  plugin_test_near(got, code, ROWS * TOP, at->exact);
  plugin_test_near(ab_decode(stack.model, got), back, ROWS * X, at->exact);
  got = ab_reconstruct(stack.model, rows);
  plugin_test_near(got, back, ROWS * X, at->exact);
  g_assert_cmpint(ab_rank(got), ==, 3);
  plugin_test_near(ab_call(stack.model, AB_ROLE_SCORE, rows), score, ROWS, at->exact);
  g_assert_null(ab_call(stack.model, AB_ROLE_CLASSIFY, rows));
  plugin_test_error(stack.ctx, AB_CONFIG, "*(stacked-auto-encoder): *not built to classify*");
  stack_end(&stack);
}

/* As a decoder it is given what it would give as an encoder. */
static void test_decoder(const PluginTestCase *at) {
  Stack stack;
  g_autofree double *numbers = plugin_test_numbers(ROWS * X, 0, 1, 1);
  double code[ROWS * TOP], back[ROWS * X];
  AbSpec x, given;

  begin_two(&stack, plugin_test_context(at));
  x = plugin_test_spec(stack.ctx, AB_RANGE_UNIT, 2, 2, 0);
  given = plugin_test_spec(stack.ctx, AB_RANGE_REAL, TOP, 0, 0);
  stack_make(&stack, AB_ROLE_DECODE, given, &x);
  plugin_test_fine(stack.ctx);
  stack_shake(stack.model, 2);
  by_loops(&stack, numbers, code, back);
  plugin_test_near(ab_decode(stack.model, plugin_test_tensor(stack.ctx, AB_SHAPE(ROWS, TOP), code)),
                   back, ROWS * X, at->exact);
  stack_end(&stack);
}

/* With a head: logits, numbers, numbers from 0 to 1. */
static void test_head(const PluginTestCase *at) {
  for (int k = 0; k < 3; k++) {
    AbRole role = k == 0 ? AB_ROLE_CLASSIFY : AB_ROLE_PREDICT;
    int head = k == 2 ? AB_SIGMOID : AB_IDENTITY;
    Net net = {1, {TOP, OUT}, {0, head}};
    g_autofree double *numbers = plugin_test_numbers(ROWS * X, 0, 1, 1);
    double code[ROWS * TOP], back[ROWS * X], w[NET_WEIGHTS], y[ROWS * OUT];
    AbTensor *rows, *got;
    AbSpec x, out;
    Stack stack;

    begin_two(&stack, plugin_test_context(at));
    x = plugin_test_spec(stack.ctx, AB_RANGE_UNIT, 2, 2, 0);
    out = plugin_test_spec(stack.ctx, k == 2 ? AB_RANGE_UNIT : AB_RANGE_REAL, OUT, k > 0, 0);
    stack_make(&stack, role, x, &out);
    plugin_test_fine(stack.ctx);
    stack_shake(stack.model, 2);
    by_loops(&stack, numbers, code, back);
    net_read(stack.model, &net, w);
    for (int r = 0; r < ROWS; r++) net_forward(&net, 1, w, code + r * TOP, y + r * OUT);
    rows = plugin_test_tensor(stack.ctx, AB_SHAPE(ROWS, 2, 2), numbers);
    got = ab_call(stack.model, role, rows);
    plugin_test_near(got, y, ROWS * OUT, at->exact);
    g_assert_cmpint(ab_rank(got), ==, 2 + (k > 0));
    plugin_test_near(ab_reconstruct(stack.model, rows), back, ROWS * X, at->exact);
    stack_end(&stack);
  }
}

/* Codes of layers are left out in training, and in training only. */
static void test_dropout(const PluginTestCase *at) {
  Stack stack;
  AbSpec x;
  AbTensor *rows, *code;
  g_autofree double *whole = NULL, *thinned = NULL;
  int zeros = 0, count = 4000;

  stack_begin(&stack, plugin_test_context(at), "stacked-auto-encoder");
  stack_add_auto_encoder(&stack, 4, "sigmoid");
  plugin_test_set_real(stack.model, "dropout", 0.25);
  x = plugin_test_spec(stack.ctx, AB_RANGE_UNIT, 1, 0, 0);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  plugin_test_fine(stack.ctx);
  rows = ab_full(stack.ctx, ab_real_dtype(stack.ctx), AB_SHAPE(count / 4, 1), 0.5);
  ab_begin(stack.ctx, AB_PURPOSE_EVALUATE, 0);
  whole = plugin_test_values(ab_encode(stack.model, rows));
  ab_begin(stack.ctx, AB_PURPOSE_TRAIN, 0);
  code = ab_encode(stack.model, rows);
  thinned = plugin_test_values(code);
  for (int i = 0; i < count; i++) {
    zeros += thinned[i] == 0;
    g_assert_cmpfloat(whole[i], >, 0);
    if (thinned[i] != 0) plugin_test_close(thinned[i], whole[i] / 0.75, at->exact);
  }
  g_assert_cmpfloat(fabs(zeros - 0.25 * count), <, 5 * sqrt(count * 0.25 * 0.75));
  stack_end(&stack);
}

/* Any models that encode, decode and reconstruct, among them another stack. */
static void test_mixed(const PluginTestCase *at) {
  Stack stack, inner;
  AbSpec x, code;
  AbTensor *rows;
  AbContext *ctx = plugin_test_context(at);

  stack_begin(&stack, ctx, "stacked-auto-encoder");
  stack_begin(&inner, ctx, "stacked-auto-encoder");
  stack_add_rbm(&stack, 6);
  plugin_test_set_int(stack_add(&stack, "hebbian"), "units", 5);
  stack_add_auto_encoder(&inner, 4, "relu");
  stack_add_auto_encoder(&inner, 3, "sigmoid");
  plugin_test_slot_many(inner.model, "layers", inner.count, inner.layers);
  stack.layers[stack.count++] = inner.model;
  x = plugin_test_spec(ctx, AB_RANGE_BINARY, 3, 3, 0);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  plugin_test_fine(ctx);
  code = ab_output(stack.model, AB_ROLE_ENCODE);
  g_assert_cmpint(code.rank, ==, 1);
  g_assert_cmpint(code.shape[0], ==, 3);
  g_assert_cmpint(code.range, ==, AB_RANGE_UNIT);
  rows = ab_full(ctx, ab_real_dtype(ctx), AB_SHAPE(2, 3, 3), 1);
  g_assert_cmpint(ab_count(ab_reconstruct(stack.model, rows)), ==, 18);
  plugin_test_fine(ctx);
  g_ptr_array_unref(inner.parts);
  stack_end(&stack);
}

/* Without pre-training, all at once: four patterns of eight bits through a code of two. */
static void test_learning(const PluginTestCase *at) {
  Stack stack;
  AbSpec x;
  AbScope scope;
  AbTensor *rows;
  double bits[32], loss = 1;

  for (int i = 0; i < 32; i++) bits[i] = i % 8 / 2 == i / 8;
  stack_begin(&stack, plugin_test_context(at), "stacked-auto-encoder");
  stack_add_auto_encoder(&stack, 6, "tanh");
  stack_add_auto_encoder(&stack, 2, "tanh");
  x = plugin_test_spec(stack.ctx, AB_RANGE_BINARY, 8, 0, 0);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  stack_train(&stack, AB_ROLE_RECONSTRUCT,
              stack_part(&stack, AB_KIND_CONTROLLER, "trainer", "controller"),
              stack_part(&stack, AB_KIND_LOSS, "mse", "loss"), 2);
  plugin_test_fine(stack.ctx);
  scope = ab_scope_begin(stack.ctx);
  rows = plugin_test_tensor(stack.ctx, AB_SHAPE(4, 8), bits);
  for (int s = 0; s < 1500; s++) loss = stack_step(&stack, rows, rows, s, 10000);
  g_assert_cmpfloat(loss, <, 0.01);
  ab_scope_end(stack.ctx, scope, NULL, 0);
  stack_end(&stack);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void refused(AbContext *ctx, const char *layer, AbRole role, gint64 given,
                    const char *message) {
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_UNIT, 4, 0, 0), none = {.rank = -1};
  AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, given, 0, 0);
  Stack stack;

  stack_begin(&stack, ctx, "stacked-auto-encoder");
  if (layer != NULL) stack_add(&stack, layer);
  if (role == AB_ROLE_DECODE)
    stack_make(&stack, role, code, &x);
  else
    stack_make(&stack, role, given < 0 ? none : x, NULL);
  plugin_test_error(ctx, AB_CONFIG, message);
  g_ptr_array_unref(stack.parts);
}

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);

  refused(ctx, NULL, AB_ROLE_ENCODE, 1, "model (stacked-auto-encoder): layers: *at least one");
  refused(ctx, "mlp", AB_ROLE_ENCODE, 1, "model/layers/0 (mlp): *does not offer*reconstruct");
  refused(ctx, "rbm", AB_ROLE_CLASSIFY, 1, "model (stacked-auto-encoder): *classify*told*");
  refused(ctx, "rbm", AB_ROLE_GENERATE, 1, "model (stacked-auto-encoder): *not offer*generate");
  refused(ctx, "rbm", AB_ROLE_DECODE, 5, "model (stacked-auto-encoder): *128 numbers*given 5");
  refused(ctx, "rbm", AB_ROLE_ENCODE, -1, "model (stacked-auto-encoder): *encode*told*");
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/stacked-auto-encoder/roles", test_roles);
  plugin_test_add("/stacked-auto-encoder/decoder", test_decoder);
  plugin_test_add("/stacked-auto-encoder/head", test_head);
  plugin_test_add("/stacked-auto-encoder/dropout", test_dropout);
  plugin_test_add("/stacked-auto-encoder/mixed", test_mixed);
  plugin_test_add("/stacked-auto-encoder/learning", test_learning);
  g_test_add_func("/stacked-auto-encoder/errors", test_errors);
  return g_test_run();
}
