/* SPDX-License-Identifier: Apache-2.0
 *
 * A training step of the MNIST perceptron (784-512-256-10, batch 100, Adam) beside its matrix
 * products alone: the 3 of the forward pass, the 3 gradients of weights, the 2 of inputs. The two
 * are timed in turn, A B A B; each product by the faster of oneDNN and OpenBLAS.
 *
 *   build/bench/mlp-step [ROUNDS]                                                                */
#include "manifest/bind.h"
#include <cblas.h>
#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 100
#define STEPS 20 /* of one round */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return values[count / 2];
}

/* ---- the products ---------------------------------------------------------------------------- */

typedef struct {
  bool ta, tb;
  int m, n, k;
} Product;

static const Product products[] = {
    {false, false, BATCH, 512, 784}, {false, false, BATCH, 256, 512},
    {false, false, BATCH, 10, 256},  {true, false, 784, 512, BATCH},
    {true, false, 512, 256, BATCH},  {true, false, 256, 10, BATCH},
    {false, true, BATCH, 256, 10},   {false, true, BATCH, 512, 256},
};
#define PRODUCTS (int)(sizeof products / sizeof *products)

static float *a, *b, *c;

static void multiply(const Product *p, bool blas) {
  int lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
  if (blas)
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                p->m, p->n, p->k, 1, a, lda, b, ldb, 0, c, p->n);
  else
    dnnl_sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1, a, lda, b, ldb, 0, c,
               p->n);
}

static double time_product(const Product *p, bool blas) {
  double start = now();
  for (int i = 0; i < STEPS; i++) multiply(p, blas);
  return (now() - start) / STEPS;
}

/* ---- the step -------------------------------------------------------------------------------- */

static AbInstance *make(Binder *binder, AbKind kind, AbRole role, const char *yaml) {
  g_autoptr(Node) node = node_parse(yaml, strlen(yaml), "bench", binder->diagnostics);
  AbInstance *instance =
      node ? bind_component(binder, kind, role, node, ab_kind_name(kind), NULL) : NULL;
  GError *error = NULL;
  if (instance && diagnostics_check(binder->diagnostics, &error)) return instance;
  fprintf(stderr, "%s\n", error ? error->message : "a component is missing");
  exit(1);
}

typedef struct {
  AbContext *ctx;
  AbStep *step;
  AbBatch *batch;
  int64_t count;
} Training;

static Training prepare(Binder *binder) {
  AbContext *ctx = binder->ctx;
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {784}, .range = AB_RANGE_UNIT};
  AbSpec logits = {.rank = 1, .dtype = AB_F32, .shape = {10}};
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &x, &logits);
  AbStepParts parts = {
      .role = AB_ROLE_CLASSIFY,
      .model = make(binder, AB_KIND_MODEL, AB_ROLE_CLASSIFY, "{plugin: mlp, units: [512, 256]}"),
      .loss = make(binder, AB_KIND_LOSS, 0, "cross-entropy"),
      .optimizer = make(binder, AB_KIND_OPTIMIZER, 0, "adam"),
      .controller = make(binder, AB_KIND_CONTROLLER, 0, "trainer"),
  };
  Training t = {.ctx = ctx, .batch = ab_batch_new(ctx, BATCH)};
  ab_build(parts.model, &wanted);
  t.step = ab_step_new(ctx, &parts);
  ab_step_build(t.step);
  ab_batch_put(t.batch, "x", ab_uniform(ctx, AB_SHAPE(BATCH, 784), 0, 1));
  int64_t labels[BATCH];
  for (int i = 0; i < BATCH; i++) labels[i] = i % 10;
  ab_batch_put(t.batch, "target", ab_from(ctx, AB_I64, AB_SHAPE(BATCH), labels));
  return t;
}

static double time_steps(Training *t) {
  double start = now();
  for (int i = 0; i < STEPS; i++) {
    AbScope scope = ab_scope_begin(t->ctx);
    AbProgress progress = {.epochs = 1, .step = t->count};
    ab_begin(t->ctx, AB_PURPOSE_TRAIN, t->count++);
    ab_step_run(t->step, t->batch, &progress);
    ab_scope_end(t->ctx, scope, NULL, 0);
  }
  if (!ab_ok(t->ctx)) {
    fprintf(stderr, "%s\n", ab_error_message(t->ctx));
    exit(1);
  }
  return (now() - start) / STEPS;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 50;
  if (rounds < 1) rounds = 1;
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new(NULL, &error);
  if (!registry) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  Diagnostics *diagnostics = diagnostics_new();
  Binder binder;
  bind_init(&binder, registry, ab_context_new("cpu", AB_F32, 1), diagnostics);
  Training t = prepare(&binder);
  a = calloc(784 * 512, sizeof *a), b = calloc(784 * 512, sizeof *b),
  c = calloc(784 * 512, sizeof *c);
  for (int i = 0; i < 784 * 512; i++) a[i] = b[i] = (float)(i % 7) * 0.1f;

  double *steps = calloc((size_t)rounds, sizeof *steps);
  double *times = calloc((size_t)(rounds * PRODUCTS * 2), sizeof *times);
  time_steps(&t);
  for (int r = 0; r < rounds; r++) {
    steps[r] = time_steps(&t);
    for (int p = 0; p < PRODUCTS; p++)
      for (int blas = 0; blas < 2; blas++)
        times[(p * 2 + blas) * rounds + r] = time_product(&products[p], blas);
  }
  double total = 0, flops = 0;
  printf("%d threads, %d rounds of %d; medians\n", ab_threads(), rounds, STEPS);
  for (int p = 0; p < PRODUCTS; p++) {
    const Product *q = &products[p];
    double dnnl = median(times + p * 2 * rounds, rounds);
    double blas = median(times + (p * 2 + 1) * rounds, rounds), best = fmin(dnnl, blas);
    total += best;
    flops += 2.0 * q->m * q->n * q->k;
    printf("%c%c %4d %4d %4d  oneDNN %.3f ms  OpenBLAS %.3f ms\n", q->ta ? 'T' : 'N',
           q->tb ? 'T' : 'N', q->m, q->n, q->k, 1e3 * dnnl, 1e3 * blas);
  }
  double step = median(steps, rounds);
  printf(
      "products %.3f ms (%.0f Gflop/s)   step %.3f ms   ratio %.2f   of the products' rate %.0f %%\n",
      1e3 * total, 1e-9 * flops / total, 1e3 * step, step / total, 100 * total / step);
  ab_batch_free(t.batch);
  ab_step_free(t.step);
  AbContext *ctx = binder.ctx;
  bind_clear(&binder);
  ab_context_free(ctx);
  diagnostics_free(diagnostics);
  free(steps), free(times), free(a), free(b), free(c);
  return 0;
}
