/* SPDX-License-Identifier: Apache-2.0
 *
 * Regularizers: on matrices alone, and in training steps, against loops in double. Biases are left
 * alone; max-norm limits the columns, not the matrix as a whole.                                */
#include "line-test.h"
#include <math.h>
#include <string.h>

static void add(Line *line, const char *name, const char *key, double value) {
  g_autofree char *path = g_strdup_printf("regularizers/%d", (int)line->regularizer_count);
  AbRegularizer *made = plugin_test_new_at(line->ctx, AB_KIND_REGULARIZER, name, path);

  plugin_test_set_real(made, key, value);
  line->regularizers[line->regularizer_count++] = made;
}

/* w - lr (g + decay w), decay for the matrix only; then columns longer than `limit` shortened. */
static void move(const Line *line, double *w, double lr, double decay, double limit) {
  double g[LINE_WEIGHTS];

  line_gradient(line, w, g);
  for (int i = 0; i < LINE_WEIGHTS; i++) w[i] -= lr * (g[i] + (i < LINE_MATRIX ? decay * w[i] : 0));
  for (int j = 0; j < LINE_OUT; j++) {
    double squares = 0;

    for (int i = 0; i < LINE_IN; i++) squares += w[i * LINE_OUT + j] * w[i * LINE_OUT + j];
    for (int i = 0; i < LINE_IN && sqrt(squares) > limit; i++)
      w[i * LINE_OUT + j] *= limit / sqrt(squares);
  }
}

/* Ten steps of a run with up to two regularizers. */
static void compare(Line *line, double lr, double decay, double limit, double tolerance) {
  double w[LINE_WEIGHTS];

  plugin_test_set_real(line->optimizer, "lr", lr);
  line_make(line);
  line_build(line);
  line_get(line, w);
  for (int t = 0; t < 10; t++) {
    plugin_test_step(line->ctx, line->step, line->batch, t, 3);
    plugin_test_fine(line->ctx);
    move(line, w, lr, decay, limit);
    line_check(line, w, tolerance);
  }
}

/* ---- weight decay ---------------------------------------------------------------------------- */

/* lambda / 2 sum w^2 and its gradient lambda w, for any rank. */
static void test_decay_penalty(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbRegularizer *decay = plugin_test_new(ctx, AB_KIND_REGULARIZER, "weight-decay");
  const AbRegularizerVtable *table = decay->component->vtable;
  g_autofree double *w = plugin_test_numbers(24, -3, 3, 12);
  AbTensor *weights[2], *penalty;
  double value = 0, slope[24];

  plugin_test_set_real(decay, "rate", 0.3);
  for (int i = 0; i < 24; i++) {
    value += 0.3 / 2 * w[i] * w[i];
    slope[i] = 0.3 * w[i];
  }
  weights[0] = plugin_test_tensor(ctx, AB_SHAPE(6, 4), w);
  weights[1] = plugin_test_tensor(ctx, AB_SHAPE(3, 2, 4), w);
  for (int i = 0; i < 2; i++) {
    ab_require_grad(weights[i]);
    penalty = table->penalty(decay, weights[i]);
    plugin_test_fine(ctx);
    plugin_test_close(ab_item(penalty), value, at->exact);
    ab_backward(penalty);
    plugin_test_near(ab_gradient(weights[i]), slope, 24, at->exact);
  }
  ab_instance_free(decay);
  plugin_test_finish(ctx);
}

static void test_decay_steps(const PluginTestCase *at) {
  Line line;

  line_begin(&line, at, "sgd");
  add(&line, "weight-decay", "rate", 0.7);
  compare(&line, 0.05, 0.7, INFINITY, at->exact);
  line_end(&line);
  line_begin(&line, at, "sgd");
  add(&line, "weight-decay", "rate", 0);
  compare(&line, 0.05, 0, INFINITY, at->exact);
  line_end(&line);
}

/* ---- max-norm -------------------------------------------------------------------------------- */

enum { SOME = -1 };

/* Columns (of the last axis) longer than the limit get its length, the others stay bit for bit.
 * `expected` of them are too long, or SOME but not all. */
static void check_project(const PluginTestCase *at, AbShape shape, double scale, double limit,
                          int expected) {
  AbContext *ctx = plugin_test_context(at);
  AbRegularizer *max_norm = plugin_test_new(ctx, AB_KIND_REGULARIZER, "max-norm");
  const AbRegularizerVtable *table = max_norm->component->vtable;
  gint64 count = ab_shape_count(shape), columns = shape.dims[shape.rank - 1];
  g_autofree double *numbers = plugin_test_numbers(count, -scale, scale, 13);
  AbTensor *weight = plugin_test_tensor(ctx, shape, numbers);
  g_autofree double *before = plugin_test_values(weight), *after = NULL; /* rounded to f32 */
  int too_long = 0;

  plugin_test_set_real(max_norm, "limit", limit);
  ab_set_recording(ctx, false);
  table->project(max_norm, weight);
  plugin_test_fine(ctx);
  after = plugin_test_values(weight);
  for (gint64 j = 0; j < columns; j++) {
    double squares = 0;

    for (gint64 i = j; i < count; i += columns) squares += before[i] * before[i];
    too_long += sqrt(squares) > limit;
    for (gint64 i = j; i < count; i += columns)
      if (sqrt(squares) > limit)
        plugin_test_close(after[i], before[i] * limit / sqrt(squares), at->exact);
      else
        g_assert_cmpfloat(after[i], ==, before[i]);
  }
  g_assert_true(expected == SOME ? too_long > 0 && too_long < columns : too_long == expected);
  ab_instance_free(max_norm);
  plugin_test_finish(ctx);
}

static void test_project(const PluginTestCase *at) {
  check_project(at, AB_SHAPE(5, 8), 1, 1.3, SOME);
  check_project(at, AB_SHAPE(5, 8), 100, 0.5, 8);
  check_project(at, AB_SHAPE(5, 8), 1e-6, 1e-3, 0);
  check_project(at, AB_SHAPE(3, 4, 6), 1, 2, SOME); /* two input axes */
}

/* The norm of the matrix is far above the limit, that of no column is: nothing changes. */
static void test_project_columns(const PluginTestCase *at) {
  check_project(at, AB_SHAPE(4, 200), 1, 2.1, 0);
}

/* No gradient step (a rate of 0): only the limit acts. Biases, however large, stay bit for bit. */
static void test_max_norm_biases(const PluginTestCase *at) {
  Line line;
  const double w[LINE_WEIGHTS] = {3, 0.125, -4, 0.25, 12, -0.5, 1e4, -2e4};
  const double expected[LINE_WEIGHTS] = {3 / 13.0,  0.125, -4 / 13.0, 0.25,
                                         12 / 13.0, -0.5,  1e4,       -2e4};
  double after[LINE_WEIGHTS];

  line_begin(&line, at, "sgd");
  add(&line, "max-norm", "limit", 1);
  plugin_test_set_real(line.optimizer, "lr", 0);
  line_set(&line, w);
  line_make(&line);
  line_build(&line);
  plugin_test_step(line.ctx, line.step, line.batch, 0, 1);
  line_check(&line, expected, at->exact);
  line_get(&line, after);
  for (int i = 0; i < LINE_WEIGHTS; i++)
    if (i >= LINE_MATRIX || i % LINE_OUT == 1) g_assert_cmpfloat(after[i], ==, w[i]);
  line_end(&line);
}

static void test_max_norm_steps(const PluginTestCase *at) {
  Line line;

  line_begin(&line, at, "sgd");
  add(&line, "max-norm", "limit", 1);
  compare(&line, 0.05, 0, 1, at->exact);
  line_end(&line);
}

/* Both: the penalty enters the gradient, the limit holds after the step, in any order. */
static void test_both(const PluginTestCase *at) {
  for (int swapped = 0; swapped < 2; swapped++) {
    Line line;

    line_begin(&line, at, "sgd");
    if (swapped) add(&line, "max-norm", "limit", 1.2);
    add(&line, "weight-decay", "rate", 0.2);
    if (!swapped) add(&line, "max-norm", "limit", 1.2);
    compare(&line, 0.05, 0.2, 1.2, at->exact);
    line_end(&line);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/regularizers/weight-decay/penalty", test_decay_penalty);
  plugin_test_add("/regularizers/weight-decay/steps", test_decay_steps);
  plugin_test_add("/regularizers/max-norm/project", test_project);
  plugin_test_add("/regularizers/max-norm/columns", test_project_columns);
  plugin_test_add("/regularizers/max-norm/biases", test_max_norm_biases);
  plugin_test_add("/regularizers/max-norm/steps", test_max_norm_steps);
  plugin_test_add("/regularizers/both", test_both);
  return g_test_run();
}
