/* SPDX-License-Identifier: Apache-2.0
 *
 * Least squares; see line-test.h.                                                               */
#include "line-test.h"
#include <string.h>

void line_begin(Line *line, const PluginTestCase *at, const char *optimizer) {
  g_autofree double *numbers = plugin_test_numbers(LINE_ROWS * (LINE_IN + LINE_OUT), -2, 2, 8);
  g_autofree double *weights = plugin_test_numbers(LINE_WEIGHTS, 0.5, 1.5, 9);
  AbSpec in, out;
  AbSignature wanted;

  memset(line, 0, sizeof *line);
  line->ctx = plugin_test_context(at);
  line->model = plugin_test_new(line->ctx, AB_KIND_MODEL, "mlp");
  line->loss = plugin_test_new(line->ctx, AB_KIND_LOSS, "mse");
  line->optimizer = plugin_test_new(line->ctx, AB_KIND_OPTIMIZER, optimizer);
  line->controller = plugin_test_new(line->ctx, AB_KIND_CONTROLLER, "trainer");
  memcpy(line->x, numbers, sizeof line->x);
  memcpy(line->y, numbers + LINE_ROWS * LINE_IN, sizeof line->y);
  line->batch = plugin_test_batch(
      line->ctx, plugin_test_tensor(line->ctx, AB_SHAPE(LINE_ROWS, LINE_IN), line->x),
      plugin_test_tensor(line->ctx, AB_SHAPE(LINE_ROWS, LINE_OUT), line->y));
  plugin_test_set_ints(line->model, "units", 0, NULL);
  in = plugin_test_spec(line->ctx, AB_RANGE_REAL, LINE_IN, 0, 0);
  out = plugin_test_spec(line->ctx, AB_RANGE_REAL, LINE_OUT, 0, 0);
  wanted = ab_signature(AB_ROLE_PREDICT, &in, &out);
  ab_build(line->model, &wanted);
  line_set(line, weights);
}

void line_make(Line *line) {
  AbStepParts parts = {.role = AB_ROLE_PREDICT,
                       .model = line->model,
                       .loss = line->loss,
                       .optimizer = line->optimizer,
                       .controller = line->controller,
                       .regularizers = line->regularizers,
                       .regularizer_count = line->regularizer_count};

  plugin_test_fine(line->ctx);
  line->step = ab_step_new(line->ctx, &parts);
  g_assert_nonnull(line->step);
}

void line_build(Line *line) {
  ab_step_build(line->step);
  plugin_test_fine(line->ctx);
}

void line_end(Line *line) {
  ab_step_free(line->step);
  ab_batch_free(line->batch);
  for (gint64 i = 0; i < line->regularizer_count; i++) ab_instance_free(line->regularizers[i]);
  ab_instance_free(line->controller);
  ab_instance_free(line->optimizer);
  ab_instance_free(line->loss);
  ab_instance_free(line->model);
  plugin_test_finish(line->ctx);
}

void line_get(const Line *line, double *w) {
  g_autofree double *W = plugin_test_values(plugin_test_state(line->model, "W1"));
  g_autofree double *b = plugin_test_values(plugin_test_state(line->model, "b1"));

  memcpy(w, W, LINE_MATRIX * sizeof *w);
  memcpy(w + LINE_MATRIX, b, LINE_OUT * sizeof *w);
}

void line_set(Line *line, const double *w) {
  plugin_test_fill(plugin_test_state(line->model, "W1"), w);
  plugin_test_fill(plugin_test_state(line->model, "b1"), w + LINE_MATRIX);
}

/* L = mean e^2, e = x W + b - y;  dL/dW = 2 x' e / n,  dL/db = 2 sum e / n */
double line_gradient(const Line *line, const double *w, double *g) {
  double loss = 0, n = LINE_ROWS * LINE_OUT;

  memset(g, 0, LINE_WEIGHTS * sizeof *g);
  for (int r = 0; r < LINE_ROWS; r++)
    for (int j = 0; j < LINE_OUT; j++) {
      double e = w[LINE_MATRIX + j] - line->y[r * LINE_OUT + j];

      for (int i = 0; i < LINE_IN; i++) e += line->x[r * LINE_IN + i] * w[i * LINE_OUT + j];
      loss += e * e / n;
      for (int i = 0; i < LINE_IN; i++) g[i * LINE_OUT + j] += 2 * e * line->x[r * LINE_IN + i] / n;
      g[LINE_MATRIX + j] += 2 * e / n;
    }
  return loss;
}

void line_check(const Line *line, const double *w, double tolerance) {
  double got[LINE_WEIGHTS];

  line_get(line, got);
  for (int i = 0; i < LINE_WEIGHTS; i++) plugin_test_close(got[i], w[i], tolerance);
}
