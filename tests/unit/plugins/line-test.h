/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of optimizers and regularizers: least squares, y = x W + b, whose loss is a quadratic
 * of the weights, as a run of plugins and as loops in double.                                   */
#ifndef LINE_TEST_H
#define LINE_TEST_H

#include "plugin-test.h"

#define LINE_ROWS    4
#define LINE_IN      3
#define LINE_OUT     2
#define LINE_MATRIX  (LINE_IN * LINE_OUT)
#define LINE_WEIGHTS (LINE_MATRIX + LINE_OUT) /* W row by row, then b */

typedef struct {
  AbContext *ctx;
  AbModel *model; /* mlp without hidden layers */
  AbLoss *loss;   /* mse */
  AbOptimizer *optimizer;
  AbController *controller;
  AbRegularizer *regularizers[2]; /* freed by line_end */
  gint64 regularizer_count;
  AbStep *step;
  AbBatch *batch;
  double x[LINE_ROWS * LINE_IN], y[LINE_ROWS * LINE_OUT];
} Line;

/* The model is built, with weights around 1; parameters of the optimizer can then be set,
 * regularizers added, weights frozen. */
void line_begin(Line *line, const PluginTestCase *at, const char *optimizer);
/* Makes the step; rates can then be set. */
void line_make(Line *line);
/* Builds the step. */
void line_build(Line *line);
void line_end(Line *line);

void line_get(const Line *line, double *w);
void line_set(Line *line, const double *w);
/* The loss at w; g: its gradient. */
double line_gradient(const Line *line, const double *w, double *g);
/* The weights of the run are these. */
void line_check(const Line *line, const double *w, double tolerance);

#endif
