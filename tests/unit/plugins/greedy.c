/* SPDX-License-Identifier: Apache-2.0
 *
 * Greedy pre-training: what moves in which epoch, what a layer is given and by what it learns
 * against loops in double, restricted Boltzmann machines against one that learns alone, and what is
 * refused. tests/cli/resume.c stops and resumes such a run.                                     */
#include "stack-test.h"
#include <math.h>
#include <string.h>

#define ROWS 6
#define X    5

static const Net encoders[] = {{1, {X, 4}, {0, AB_SIGMOID}}, {1, {4, 3}, {0, AB_SIGMOID}}};
static const Net decoders[] = {{1, {4, X}, {0, AB_SIGMOID}}, {1, {3, 4}, {0, AB_SIGMOID}}};

/* Auto-encoders x [5] -> 4 -> 3, and a controller that gives them 2 epochs and 1. */
static AbController *begin(Stack *stack, AbContext *ctx) {
  const gint64 epochs[] = {2, 1};
  AbController *greedy;

  stack_begin(stack, ctx, "stacked-auto-encoder");
  stack_add_auto_encoder(stack, 4, "sigmoid");
  stack_add_auto_encoder(stack, 3, "sigmoid");
  greedy = stack_part(stack, AB_KIND_CONTROLLER, "greedy", "controller");
  plugin_test_set_ints(greedy, "epochs", 2, epochs);
  return greedy;
}

static void build(Stack *stack, AbController *greedy, double rate) {
  AbSpec x = plugin_test_spec(stack->ctx, AB_RANGE_UNIT, X, 0, 0);

  stack_make(stack, AB_ROLE_RECONSTRUCT, x, &x);
  plugin_test_fine(stack->ctx);
  stack_shake(stack->model, 20);
  stack_train(stack, AB_ROLE_RECONSTRUCT, greedy, stack_part(stack, AB_KIND_LOSS, "mse", "loss"),
              rate);
  plugin_test_fine(stack->ctx);
}

static AbTensor *rows_of(Stack *stack) {
  g_autofree double *x = plugin_test_numbers(ROWS * X, 0, 1, 21);

  return plugin_test_tensor(stack->ctx, AB_SHAPE(ROWS, X), x);
}

/* ---- what a layer learns --------------------------------------------------------------------- */

/* The mean of |d| or d^2 between what layer `l` makes of its input (0 where it is masked) and its
 * input, which is the code of the layers below; of the whole model for l = 2.                    */
static double loss_by_loops(Stack *stack, const double *x, int l, gboolean masked, gboolean l1) {
  double w[4][NET_WEIGHTS], h[NET_WIDTH], sum = 0;
  int width = l == 1 ? 4 : X;

  for (int k = 0; k < 2; k++) {
    net_read(stack_encoder(stack, k), &encoders[k], w[k]);
    net_read(stack_decoder(stack, k), &decoders[k], w[2 + k]);
  }
  for (int r = 0; r < ROWS; r++) {
    double target[NET_WIDTH];

    memcpy(h, x + r * X, X * sizeof *h);
    if (l == 1) net_forward(&encoders[0], 1, w[0], h, h);
    memcpy(target, h, sizeof target);
    if (masked) memset(h, 0, sizeof h);
    if (l != 1) net_forward(&encoders[0], 1, w[0], h, h);
    if (l != 0) net_forward(&encoders[1], 1, w[1], h, h);
    if (l != 0) net_forward(&decoders[1], 1, w[3], h, h);
    if (l != 1) net_forward(&decoders[0], 1, w[2], h, h);
    for (int i = 0; i < width; i++) {
      double d = h[i] - target[i];

      sum += (l1 ? fabs(d) : d * d) / (ROWS * width);
    }
  }
  return sum;
}

/* Epochs 0 and 1: layer 1 on x; epoch 2: layer 2 on the codes of layer 1; from 3 on all. Only what
 * learns moves, and the loss is that of what learns.                                            */
static void check_turns(const PluginTestCase *at, gboolean masked, gboolean l1) {
  g_autofree double *x = plugin_test_numbers(ROWS * X, 0, 1, 21);
  Stack stack;
  AbController *greedy = begin(&stack, plugin_test_context(at));
  AbInstance *noise = stack_part(&stack, AB_KIND_NOISE, "masking", "controller/corrupt");

  plugin_test_set_real(noise, "fraction", 1);
  if (masked) plugin_test_slot(greedy, "corrupt", noise);
  if (l1)
    plugin_test_slot(greedy, "loss", stack_part(&stack, AB_KIND_LOSS, "l1", "controller/loss"));
  build(&stack, greedy, 0.5);
  for (int epoch = 0; epoch < 5; epoch++) {
    int turn = epoch < 2 ? 0 : epoch < 3 ? 1 : 2;
    gint64 count;
    g_autofree double *below = stack_numbers(stack.layers[0], &count);
    g_autofree double *above = stack_numbers(stack.layers[1], &count);
    const double *before[] = {below, above};
    double expected = loss_by_loops(&stack, x, turn, masked && turn < 2, l1 && turn < 2);

    plugin_test_close(stack_step(&stack, rows_of(&stack), rows_of(&stack), epoch, 5), expected,
                      at->exact);
    for (int l = 0; l < 2; l++) {
      g_autofree double *after = stack_numbers(stack.layers[l], &count);
      gboolean moved = memcmp(before[l], after, (gsize)count * sizeof *after) != 0;

      g_assert_cmpint(moved, ==, turn == l || turn == 2);
    }
  }
  stack_end(&stack);
}

static void test_turns(const PluginTestCase *at) {
  check_turns(at, FALSE, FALSE);
  check_turns(at, TRUE, FALSE);
  check_turns(at, FALSE, TRUE);
}

/* The step of a layer is a step down the gradient of its loss: by central differences. */
typedef struct {
  Stack *stack;
  AbTensor *weight;
  const double *x;
  int layer;
} Slope;

static double loss_at(const double *values, gpointer data) {
  Slope *slope = data;

  plugin_test_fill(slope->weight, values);
  return loss_by_loops(slope->stack, slope->x, slope->layer, FALSE, FALSE);
}

static void test_gradient(const PluginTestCase *at) {
  g_autofree double *x = plugin_test_numbers(ROWS * X, 0, 1, 21);
  Stack stack;
  AbController *greedy;

  if (at->real != AB_F64) return;
  greedy = begin(&stack, plugin_test_context(at));
  build(&stack, greedy, 1);
  for (int l = 0; l < 2; l++) {
    Slope slope = {&stack, plugin_test_state(stack_encoder(&stack, l), "W1"), x, l};
    g_autofree double *before = plugin_test_values(slope.weight), *after = NULL, *g = NULL;
    gint64 count = ab_count(slope.weight);

    g = plugin_test_slopes(loss_at, before, count, &slope);
    plugin_test_fill(slope.weight, before);
    stack_step(&stack, rows_of(&stack), rows_of(&stack), l == 0 ? 0 : 2, 9);
    after = plugin_test_values(slope.weight);
    for (gint64 i = 0; i < count; i++) plugin_test_close(before[i] - after[i], g[i], 1e-8);
  }
  stack_end(&stack);
}

/* The layers have an optimizer of their own where there is one: here the manifest's does nothing.
 */
static void test_optimizer(const PluginTestCase *at) {
  for (int own = 0; own < 2; own++) {
    Stack stack;
    AbController *greedy = begin(&stack, plugin_test_context(at));
    AbInstance *sgd = stack_part(&stack, AB_KIND_OPTIMIZER, "sgd", "controller/optimizer");

    plugin_test_set_real(sgd, "lr", 0.5);
    if (own) plugin_test_slot(greedy, "optimizer", sgd);
    build(&stack, greedy, 0);
    for (int epoch = 0; epoch < 4; epoch++) {
      gint64 count;
      g_autofree double *before = stack_numbers(stack.model, &count), *after = NULL;

      stack_step(&stack, rows_of(&stack), rows_of(&stack), epoch, 4);
      after = stack_numbers(stack.model, &count);
      g_assert_cmpint(memcmp(before, after, (gsize)count * sizeof *after) != 0, ==,
                      own && epoch < 3);
    }
    stack_end(&stack);
  }
}

/* ---- layers with objectives, or rules, of their own ------------------------------------------ */

/* A restricted Boltzmann machine as layer 1 learns as one alone does, to the bit, and one as layer
 * 2 as one that is given the codes of the first.                                                */
static void test_machines(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_UNIT, X, 0, 0);
  AbSpec ten = plugin_test_spec(ctx, AB_RANGE_REAL, 10, 0, 0);
  const gint64 epochs[] = {3};
  AbController *greedy;
  Stack stack;

  stack_begin(&stack, ctx, "dbn");
  stack_add_rbm(&stack, 4);
  stack_add_rbm(&stack, 3);
  greedy = stack_part(&stack, AB_KIND_CONTROLLER, "greedy", "controller");
  plugin_test_set_ints(greedy, "epochs", 1, epochs);
  stack_make(&stack, AB_ROLE_CLASSIFY, x, &ten);
  plugin_test_fine(ctx);
  stack_train(&stack, AB_ROLE_CLASSIFY, greedy,
              stack_part(&stack, AB_KIND_LOSS, "cross-entropy", "loss"), 0.5);
  plugin_test_fine(ctx);
  for (int l = 0; l < 2; l++) {
    AbContext *other = plugin_test_context(at);
    g_autofree char *path = g_strdup_printf("model/layers/%d", l);
    g_autofree double *expected = NULL, *got = NULL;
    gint64 count;
    Stack alone;

    stack_begin(&alone, other, "rbm");
    alone.model = stack_part(&alone, AB_KIND_MODEL, "rbm", g_intern_string(path));
    plugin_test_set_int(alone.model, "hidden", 4 - l);
    x.shape[0] = X - l;
    AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
    ab_build(alone.model, &wanted);
    stack_train(&alone, AB_ROLE_RECONSTRUCT,
                stack_part(&alone, AB_KIND_CONTROLLER, "trainer", "controller"), NULL, 0.5);
    alone.steps = stack.steps;
    for (int s = 0; s < 3; s++) {
      AbScope scope = ab_scope_begin(ctx), beside = ab_scope_begin(other);
      AbTensor *rows = rows_of(&stack);
      g_autofree double *h = plugin_test_values(l == 0 ? rows : ab_encode(stack.layers[0], rows));

      plugin_test_close(
          stack_step(&alone, plugin_test_tensor(other, AB_SHAPE(ROWS, X - l), h), NULL, 0, 9),
          stack_step(&stack, rows, rows, 3 * l + s, 9), 0);
      ab_scope_end(other, beside, NULL, 0);
      ab_scope_end(ctx, scope, NULL, 0);
    }
    expected = stack_numbers(alone.model, &count);
    got = stack_numbers(stack.layers[l], &count);
    for (gint64 i = 0; i < count; i++) g_assert_cmpfloat(got[i], ==, expected[i]);
    stack_end(&alone);
  }
  stack_end(&stack);
}

/* A layer with a rule instead of an objective, hebbian, finds the direction in which x varies. */
static void test_rule(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0);
  double rows[] = {1, 2, -1, -2, 3, 6, -3, -6};
  g_autofree double *w = NULL;
  AbScope scope;
  AbTensor *batch;
  Stack stack;

  stack_begin(&stack, ctx, "stacked-auto-encoder");
  plugin_test_set_int(stack_add(&stack, "hebbian"), "units", 1);
  stack_make(&stack, AB_ROLE_RECONSTRUCT, x, &x);
  stack_train(&stack, AB_ROLE_RECONSTRUCT,
              stack_part(&stack, AB_KIND_CONTROLLER, "greedy", "controller"),
              stack_part(&stack, AB_KIND_LOSS, "mse", "loss"), 0.02);
  plugin_test_fine(ctx);
  scope = ab_scope_begin(ctx);
  batch = plugin_test_tensor(ctx, AB_SHAPE(4, 2), rows);
  for (int s = 0; s < 100; s++) stack_step(&stack, batch, batch, 0, 99);
  w = plugin_test_values(plugin_test_state(stack.layers[0], "W"));
  plugin_test_close(w[1] / w[0], 2, 1e-4);
  ab_scope_end(ctx, scope, NULL, 0);
  stack_end(&stack);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void test_epochs(void) {
  for (int k = 0; k < 3; k++) {
    AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
    AbScope scope = ab_scope_begin(ctx);
    Stack stack;
    AbController *greedy = begin(&stack, ctx);
    AbTensor *x;

    build(&stack, greedy, 0.1);
    x = rows_of(&stack);
    stack_step(&stack, x, k == 2 ? NULL : x, 0, k == 0 ? 3 : 4);
    if (k == 0)
      plugin_test_error(ctx, AB_CONFIG,
                        "controller (greedy): pre-training of 2 layers takes 3 epochs and leaves "
                        "none of the run's 3 *more than 3*controller.epochs*");
    if (k == 1) plugin_test_fine(ctx);
    if (k == 2)
      plugin_test_error(ctx, AB_CONFIG,
                        "controller (greedy): *takes 3 epochs and the run has 4; *no objective*set "
                        "epochs to 3*adds up to 4");
    ab_scope_end(ctx, scope, NULL, 0);
    stack_end(&stack);
  }
}

/* Without anything to train the whole by, the pre-training is the run. */
static void test_untuned(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_UNIT, X, 0, 0), nothing = {.rank = -1};
  const gint64 epochs[] = {1};
  AbController *greedy;
  AbScope scope;
  Stack stack;

  stack_begin(&stack, ctx, "dbn");
  stack_add_rbm(&stack, 3);
  greedy = stack_part(&stack, AB_KIND_CONTROLLER, "greedy", "controller");
  plugin_test_set_ints(greedy, "epochs", 1, epochs);
  stack_make(&stack, AB_ROLE_GENERATE, nothing, &x);
  stack_train(&stack, AB_ROLE_GENERATE, greedy, NULL, 0.1);
  scope = ab_scope_begin(ctx);
  g_assert_true(isfinite(stack_step(&stack, rows_of(&stack), NULL, 0, 1)));
  ab_scope_end(ctx, scope, NULL, 0);
  plugin_test_fine(ctx);
  stack_end(&stack);
}

static void refused(const char *model, const char *layer, gint64 epochs, const char *message) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbController *greedy;
  const gint64 ten[] = {10};
  Stack stack;

  stack_begin(&stack, ctx, model);
  greedy = stack_part(&stack, AB_KIND_CONTROLLER, "greedy", "controller");
  plugin_test_set_ints(greedy, "epochs", epochs, ten);
  if (layer != NULL) {
    stack_add(&stack, layer);
    plugin_test_slot_many(stack.model, "layers", stack.count, stack.layers);
  }
  stack_train(&stack, AB_ROLE_RECONSTRUCT, greedy, NULL, 0.1);
  plugin_test_error(ctx, AB_CONFIG, message);
  stack_end(&stack);
}

static void test_errors(void) {
  refused("rbm", NULL, 1, "controller (greedy): *slot `layers`; rbm has none");
  refused("stacked-auto-encoder", NULL, 1, "controller (greedy): *slot `layers`; stacked-*none");
  refused("stacked-auto-encoder", "mlp", 1,
          "model/layers/0 (mlp): greedy pre-training needs *does not offer reconstruct");
  refused("dbn", "rbm", 0, "controller (greedy): epochs: there must be at least one number");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/greedy/turns", test_turns);
  plugin_test_add("/greedy/gradient", test_gradient);
  plugin_test_add("/greedy/optimizer", test_optimizer);
  plugin_test_add("/greedy/machines", test_machines);
  plugin_test_add("/greedy/rule", test_rule);
  g_test_add_func("/greedy/epochs", test_epochs);
  g_test_add_func("/greedy/untuned", test_untuned);
  g_test_add_func("/greedy/errors", test_errors);
  return g_test_run();
}
