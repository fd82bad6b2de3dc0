/* SPDX-License-Identifier: Apache-2.0
 *
 * A training step of a convolutional auto-encoder with tied weights: 3 x 3 convolutions 1 -> 20 ->
 * 20, sigmoids, and back by the same weights transposed; mean squared error, Adam. By calls of
 * operations alone; and each pass of single layers.
 *
 *   build/bench/conv-step [ROUNDS [BATCH SIDE]]
 *
 * With CPU_TIME set in the environment times are those of the processor, all threads together: for
 * a machine that others use too. */
#include <absdk/host.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEPS    5 /* of one round */
#define CHANNELS 20
#define WEIGHTS  6

static double now(void) {
  struct timespec t;
  clock_gettime(getenv("CPU_TIME") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(AbContext *ctx) {
  if (ab_ok(ctx)) return;
  fprintf(stderr, "%s\n", ab_error_message(ctx));
  exit(1);
}

static AbTensor *leaf(AbContext *ctx, AbShape shape, double bound) {
  AbTensor *w = ab_ref(ab_uniform(ctx, shape, -bound, bound));
  ab_require_grad(w);
  return w;
}

/* ---- the step -------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  AbTensor *x, *w[WEIGHTS], *m[WEIGHTS], *s[WEIGHTS]; /* W1 W2 b1 b2 c2 c1 */
  int64_t step;
} Training;

static AbTensor *loss_of(const Training *t) {
  AbConvolutionOptions o = {.padding = {1, 1}, .activation = AB_SIGMOID};
  AbTensor *h = ab_convolution(t->x, t->w[0], t->w[2], o);
  h = ab_convolution(h, t->w[1], t->w[3], o);
  h = ab_transposed_convolution(h, t->w[1], t->w[4], o);
  h = ab_transposed_convolution(h, t->w[0], t->w[5], o);
  return ab_mean(ab_square(ab_sub(h, t->x)));
}

static double run_steps(Training *t, int count) {
  double loss = 0, start = now();
  for (int i = 0; i < count; i++) {
    AbScope scope = ab_scope_begin(t->ctx);
    AbTensor *value = loss_of(t);
    ab_backward(value);
    t->step++;
    for (int k = 0; k < WEIGHTS; k++) {
      ab_step_adam(t->w[k], ab_gradient(t->w[k]), t->m[k], t->s[k], 1e-3, 0.9, 0.999, 1e-8,
                   t->step);
      ab_clear_gradient(t->w[k]);
    }
    loss = ab_item(value);
    ab_scope_end(t->ctx, scope, NULL, 0);
  }
  must(t->ctx);
  t->step += loss != loss; /* used */
  return (now() - start) / count;
}

static Training prepare(AbContext *ctx, int64_t batch, int64_t side) {
  AbShape shapes[WEIGHTS] = {AB_SHAPE(CHANNELS, 1, 3, 3), AB_SHAPE(CHANNELS, CHANNELS, 3, 3),
                             AB_SHAPE(CHANNELS),          AB_SHAPE(CHANNELS),
                             AB_SHAPE(CHANNELS),          AB_SHAPE(1)};
  Training t = {.ctx = ctx};
  t.x = ab_ref(ab_uniform(ctx, AB_SHAPE(batch, 1, side, side), 0, 1));
  for (int i = 0; i < WEIGHTS; i++) {
    t.w[i] = leaf(ctx, shapes[i], 0.1);
    t.m[i] = ab_ref(ab_zeros(ctx, shapes[i]));
    t.s[i] = ab_ref(ab_zeros(ctx, shapes[i]));
  }
  return t;
}

/* ---- single layers --------------------------------------------------------------------------- */

typedef struct {
  int64_t n, in, side, out, k, stride, groups;
} Layer;

static const Layer layers[] = {
    {100, 1, 28, 20, 3, 1, 1},    {100, 20, 28, 20, 3, 1, 1}, {100, 20, 28, 1, 3, 1, 1},
    {20, 20, 96, 20, 3, 1, 1},    {32, 64, 28, 64, 3, 1, 1},  {32, 3, 32, 32, 3, 2, 1},
    {32, 32, 16, 32, 3, 1, 32},   {32, 16, 16, 96, 1, 1, 1},  {32, 96, 16, 96, 3, 2, 96},
    {32, 144, 8, 144, 3, 1, 144}, {32, 576, 2, 160, 1, 1, 1}, {32, 16, 28, 32, 5, 1, 1},
};

/* Uniform numbers, channels last. */
static AbTensor *image(AbContext *ctx, int64_t n, int64_t c, int64_t side) {
  AbTensor *x = ab_uniform(ctx, AB_SHAPE(n, side, side, c), -1, 1);
  return ab_detach(ab_transpose(ab_transpose(x, 1, 3), 2, 3));
}

/* Seconds of a convolution, of its transpose (the gradient by x), or of a backward pass that makes
 * the gradient by W from a constant.                                                             */
static double time_pass(AbContext *ctx, const Layer *l, int pass) {
  AbScope scope = ab_scope_begin(ctx);
  AbConvolutionOptions o = {.padding = {l->k / 2, l->k / 2},
                            .more_after = {1 - l->stride, 1 - l->stride},
                            .stride = {l->stride, l->stride},
                            .groups = l->groups};
  AbTensor *W = ab_uniform(ctx, AB_SHAPE(l->out, l->in / l->groups, l->k, l->k), -1, 1);
  AbTensor *x = image(ctx, l->n, pass == 1 ? l->out : l->in, l->side / (pass == 1 ? l->stride : 1));
  if (pass == 2) ab_require_grad(W);
  AbTensor *c = image(ctx, l->n, l->out, l->side / l->stride);
  AbTensor *loss = pass == 2 ? ab_sum(ab_mul(ab_convolution(x, W, AB_NONE, o), c)) : NULL;
  double start = now();
  if (pass == 0) ab_convolution(x, W, AB_NONE, o);
  if (pass == 1) ab_transposed_convolution(x, W, AB_NONE, o);
  if (pass == 2) ab_backward(loss);
  double took = now() - start;
  ab_scope_end(ctx, scope, NULL, 0);
  must(ctx);
  return took;
}

static void time_layers(AbContext *ctx, int rounds) {
  printf(
      "  n   in side  out k s groups   forward       dx       dW   (ms; multiply-adds, Gflop/s)\n");
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    const Layer *l = &layers[i];
    double best[3] = {INFINITY, INFINITY, INFINITY};
    for (int r = 0; r < rounds; r++)
      for (int pass = 0; pass < 3; pass++) best[pass] = fmin(best[pass], time_pass(ctx, l, pass));
    int64_t places = l->n * l->out * (l->side / l->stride) * (l->side / l->stride);
    double products = (double)(places * (l->in / l->groups) * l->k * l->k);
    printf("%3lld %4lld %4lld %4lld %lld %lld %6lld  %8.3f %8.3f %8.3f   %.1f M, %.0f %.0f %.0f\n",
           (long long)l->n, (long long)l->in, (long long)l->side, (long long)l->out,
           (long long)l->k, (long long)l->stride, (long long)l->groups, 1e3 * best[0],
           1e3 * best[1], 1e3 * best[2], 1e-6 * products, 2e-9 * products / best[0],
           2e-9 * products / best[1], 2e-9 * products / best[2]);
  }
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 20;
  int64_t batch = argc > 3 ? atoi(argv[2]) : 100, side = argc > 3 ? atoi(argv[3]) : 28;
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  Training t = prepare(ctx, batch, side);
  double least = INFINITY;
  run_steps(&t, 2);
  for (int r = 0; r < rounds; r++) least = fmin(least, run_steps(&t, STEPS));
  printf("%d threads, %lld of %lld x %lld: a step %.2f ms (least of %d rounds of %d)\n",
         ab_threads(), (long long)batch, (long long)side, (long long)side, 1e3 * least, rounds,
         STEPS);
  ab_unref(t.x);
  for (int i = 0; i < WEIGHTS; i++) ab_unref(t.w[i]), ab_unref(t.m[i]), ab_unref(t.s[i]);
  if (argc <= 3) time_layers(ctx, rounds);
  ab_context_free(ctx);
  return 0;
}
