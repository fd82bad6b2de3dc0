/* SPDX-License-Identifier: Apache-2.0
 *
 * Training steps of two recurrent models, the workloads `lstm-encoder-decoder` and `gru-classifier`
 * of bench/peer: forward, backward and Adam, by direct calls of the SDK. Beside them the rate of a
 * large product of matrices, which bounds what a step can reach.
 *
 *   build/bench/recurrent-step [ROUNDS [lstm|gru]]                                               */
#include <absdk/host.h>
#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEPS   20 /* of one round */
#define WEIGHTS 8

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- the models ------------------------------------------------------------------------------ */

typedef struct {
  AbTensor *value, *m, *s;
} Weight;

typedef struct {
  AbContext *ctx;
  Weight weights[WEIGHTS];
  int count;
  AbTensor *x, *shifted, *target;
  int64_t updates;
} Model;

static AbTensor *weight(Model *model, AbShape shape, double range) {
  Weight *w = &model->weights[model->count++];
  w->value = ab_uniform(model->ctx, shape, -range, range);
  w->m = ab_zeros(model->ctx, shape);
  w->s = ab_zeros(model->ctx, shape);
  ab_require_grad(w->value);
  return w->value;
}

static AbTensor *reversed(AbContext *ctx, AbTensor *x, int64_t shift) {
  int64_t steps = ab_dim(x, 0), size = ab_count(x) / steps;
  AbTensor *y = ab_zeros(ctx, ab_shape(x));
  const float *from = ab_map(x, false);
  float *to = ab_map(y, true);
  for (int64_t s = shift; s < steps; s++)
    memcpy(to + s * size, from + (steps - 1 - s + shift) * size, (size_t)size * sizeof *to);
  ab_unmap(x);
  ab_unmap(y);
  return y;
}

static void lstm_make(Model *model) {
  double range = 1 / sqrt(200);
  for (int i = 0; i < 2; i++) {
    weight(model, AB_SHAPE(10, 800), range);
    weight(model, AB_SHAPE(200, 800), range);
    weight(model, AB_SHAPE(800), range);
  }
  weight(model, AB_SHAPE(200, 10), range);
  weight(model, AB_SHAPE(10), range);
  model->x = ab_normal(model->ctx, AB_SHAPE(30, 20, 10), 0, 1);
  model->target = reversed(model->ctx, model->x, 0);
  model->shifted = reversed(model->ctx, model->x, 1);
}

static AbTensor *lstm_loss(Model *model) {
  AbTensor *w[WEIGHTS];
  for (int i = 0; i < WEIGHTS; i++) w[i] = model->weights[i].value;
  AbRecurrence e = ab_lstm(model->x, w[0], w[1], w[2], AB_NONE, AB_NONE, AB_NONE, AB_NONE, false);
  AbRecurrence d = ab_lstm(model->shifted, w[3], w[4], w[5], AB_NONE, e.h, e.c, AB_NONE, false);
  AbTensor *y = ab_linear(ab_reshape(d.outputs, AB_SHAPE(600, 200)), w[6], w[7], AB_IDENTITY);
  return ab_mean(ab_square(ab_sub(y, ab_reshape(model->target, AB_SHAPE(600, 10)))));
}

static void gru_make(Model *model) {
  double range = 1 / sqrt(128);
  weight(model, AB_SHAPE(28, 384), range);
  weight(model, AB_SHAPE(128, 384), range);
  weight(model, AB_SHAPE(384), range);
  weight(model, AB_SHAPE(128), range);
  weight(model, AB_SHAPE(128, 10), range);
  weight(model, AB_SHAPE(10), range);
  int64_t labels[100];
  for (int i = 0; i < 100; i++) labels[i] = i % 10;
  model->x = ab_uniform(model->ctx, AB_SHAPE(28, 100, 28), 0, 1);
  model->target = ab_from(model->ctx, AB_I64, AB_SHAPE(100), labels);
}

static AbTensor *gru_loss(Model *model) {
  AbTensor *w[WEIGHTS];
  for (int i = 0; i < WEIGHTS; i++) w[i] = model->weights[i].value;
  AbRecurrence r = ab_gru(model->x, w[0], w[1], w[2], w[3], AB_NONE, AB_NONE, false);
  return ab_mean(ab_cross_entropy(ab_linear(r.h, w[4], w[5], AB_IDENTITY), model->target));
}

/* Multiply-adds of a step: those of a forward pass, as often again for the weights, and for what
 * lies below them. */
static double lstm_flops(void) {
  double in = 600.0 * 10 * 800, state = 600.0 * 200 * 800, out = 600.0 * 200 * 10;
  return 2 * (2 * (2 * in + 3 * state) + 3 * out);
}
static double gru_flops(void) {
  double in = 2800.0 * 28 * 384, state = 2800.0 * 128 * 384, out = 100.0 * 128 * 10;
  return 2 * (2 * in + 3 * state + 3 * out);
}

static const struct {
  const char *name;
  void (*make)(Model *);
  AbTensor *(*loss)(Model *);
  double (*flops)(void);
} models[] = {{"lstm", lstm_make, lstm_loss, lstm_flops}, {"gru", gru_make, gru_loss, gru_flops}};

/* ---- timing ---------------------------------------------------------------------------------- */

static double step(Model *model, AbTensor *(*loss_of)(Model *), double *forward) {
  AbScope scope = ab_scope_begin(model->ctx);
  double start = now();
  ab_begin(model->ctx, AB_PURPOSE_TRAIN, model->updates++);
  AbTensor *loss = loss_of(model);
  *forward += now() - start;
  ab_backward(loss);
  for (int i = 0; i < model->count; i++) {
    Weight *w = &model->weights[i];
    ab_step_adam(w->value, ab_gradient(w->value), w->m, w->s, 1e-3, 0.9, 0.999, 1e-8,
                 model->updates);
    ab_clear_gradient(w->value);
  }
  double value = ab_item(loss);
  ab_scope_end(model->ctx, scope, NULL, 0);
  return value;
}

/* Of dnnl_sgemm on 960 cubed, in flop/s. */
static double product_rate(void) {
  static float a[960 * 960], b[960 * 960], c[960 * 960];
  double best = INFINITY;
  for (int i = 0; i < 960 * 960; i++) a[i] = b[i] = (float)(i % 7) * 0.1f;
  for (int i = 0; i < 20; i++) {
    double start = now();
    dnnl_sgemm('N', 'N', 960, 960, 960, 1, a, 960, b, 960, 0, c, 960);
    best = fmin(best, now() - start);
  }
  return 2 * 960.0 * 960 * 960 / best;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 30;
  if (rounds < 1) rounds = 1;
  double *times = calloc((size_t)rounds, sizeof *times), rate = product_rate();
  if (!times) return 1;
  printf("%d threads, %d rounds of %d; product %.0f Gflop/s\n", ab_threads(), rounds, STEPS,
         1e-9 * rate);
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    if (argc > 2 && strcmp(argv[2], models[i].name) != 0) continue;
    AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
    Model model = {.ctx = ctx};
    double loss = 0, first = 0, forward = INFINITY, least = INFINITY;
    models[i].make(&model);
    for (int r = -1; r < rounds; r++) { /* round -1 warms up */
      double start = now();
      for (int k = 0; k < STEPS; k++) {
        double before = now(), ahead = 0;
        loss = step(&model, models[i].loss, &ahead);
        least = fmin(least, now() - before);
        forward = fmin(forward, ahead);
      }
      if (r < 0) first = loss;
      if (r >= 0) times[r] = (now() - start) / STEPS;
    }
    if (!ab_ok(ctx)) {
      fprintf(stderr, "%s\n", ab_error_message(ctx));
      return 1;
    }
    qsort(times, (size_t)rounds, sizeof *times, ascending);
    double flops = models[i].flops();
    printf(
        "%-5s best step %.3f ms (forward %.3f), median %.3f; %.0f Gflop/s, %.0f %% of the product; "
        "loss %.5f to %.5f\n",
        models[i].name, 1e3 * least, 1e3 * forward, 1e3 * times[rounds / 2], 1e-9 * flops / least,
        100 * flops / least / rate, first, loss);
    ab_context_free(ctx);
  }
  free(times);
  return 0;
}
