/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution on the cpu: which way a pass of f32 takes. f64 goes to the reference device. */
#include "../convolution.h"
#include "convolution-cpu.h"
#include <omp.h>

/* Shapes that are all padding or have nothing in them are not worth a way of their own. */
#define MOST_WINDOW 1e8 /* floats */

typedef enum { REFERENCE, PRODUCT, WINOGRAD, DIRECT } Way;

/* Each position on its own: a product of matrices. */
static bool is_product(const AbConvolutionShape *s) {
  for (int a = 0; a < CONVOLUTION_AXES; a++)
    if (s->k[a] != 1 || s->stride[a] != 1 || s->before[a] != 0 || s->x[a] != s->y[a]) return false;
  return s->groups == 1;
}

static bool is_odd(const AbConvolutionShape *s) {
  double window = (double)(s->in > s->out ? s->in : s->out);
  for (int a = 0; a < CONVOLUTION_AXES; a++) {
    double y = (double)s->y[a] * (double)s->stride[a];
    double extent = (double)s->dilation[a] * (double)s->k[a];
    window *= a == 1 ? extent + 16 * (double)s->stride[a] : (a == 2 ? y : 1) + extent;
  }
  return window > MOST_WINDOW || s->n == 0 || s->in == 0 || s->out == 0 || cpu_volume(s->x) == 0 ||
         cpu_volume(s->y) == 0 || cpu_volume(s->k) == 0;
}

static Way way_of(AbDtype dtype, const AbConvolutionShape *s) {
  if (dtype != AB_F32 || is_odd(s)) return REFERENCE;
  if (is_product(s)) return PRODUCT;
  return cpu_winograd_fits(s) ? WINOGRAD : DIRECT;
}

/* Products are cut here, in parts whose number does not depend on the threads, each a product on
 * one of them: a library cuts as it likes, and sums would depend on it. Rows are cut where there
 * are many. Else the columns of the result are: of the weights' gradient those need no sums. */
#define LEAST_ROWS    256
#define LEAST_COLUMNS 32
#define MOST_PARTS    16
#define FEW_PARTS     4 /* of rows: the columns are cut instead, where they are many enough */
#define SMALL         ((int64_t)1 << 18)

typedef struct {
  bool by_rows;
  int64_t parts;
} Cut;

static Cut cut_of(int64_t rows, int64_t columns, int64_t inner) {
  Cut cut = {true, at_most(rows / LEAST_ROWS, MOST_PARTS)};
  int64_t parts = at_most(columns / LEAST_COLUMNS, MOST_PARTS);
  if (cut.parts < FEW_PARTS && parts > cut.parts) cut = (Cut){false, parts};
  if (cut.parts <= 1 || rows * columns * inner < SMALL) cut = (Cut){false, 1};
  return cut;
}

/* Part i of n numbers. */
static int64_t start_of(int64_t i, int64_t parts, int64_t n) {
  return i * n / parts;
}

typedef void (*Part)(const void *job, int64_t i, int64_t parts);

static void run_parts(const void *job, int64_t parts, Part part) {
  if (parts == 1) {
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    part(job, 0, 1);
    omp_set_num_threads(threads);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < parts; i++) part(job, i, parts);
}

/* c [rows, n] := a [rows, k] op(b) */
typedef struct {
  bool tb;
  int64_t rows, n, k;
  const float *a, *b;
  int64_t ldb;
  float *c;
} Product;

static void row_part(const void *job, int64_t i, int64_t parts) {
  const Product *p = job;
  int64_t from = start_of(i, parts, p->rows), to = start_of(i + 1, parts, p->rows);
  cpu_matmul(AB_F32, false, p->tb, to - from, p->n, p->k, p->a + from * p->k, p->k, p->b, p->ldb, 0,
             p->c + from * p->n, p->n);
}

static void column_part(const void *job, int64_t i, int64_t parts) {
  const Product *p = job;
  int64_t from = start_of(i, parts, p->n), to = start_of(i + 1, parts, p->n);
  cpu_matmul(AB_F32, false, p->tb, p->rows, to - from, p->k, p->a, p->k,
             p->b + from * (p->tb ? p->ldb : 1), p->ldb, 0, p->c + from, p->n);
}

static void product(const Product *p) {
  Cut cut = cut_of(p->rows, p->n, p->k);
  run_parts(p, cut.parts, cut.by_rows ? row_part : column_part);
}

/* W [out, in] := y' x, or W += y' x; in parts of rows each has a sum of its own. */
typedef struct {
  int64_t rows, in, out;
  const float *x, *y;
  float *W, *sums;
  bool add;
} Weights;

static void summed_part(const void *job, int64_t i, int64_t parts) {
  const Weights *w = job;
  int64_t from = start_of(i, parts, w->rows), to = start_of(i + 1, parts, w->rows);
  cpu_matmul(AB_F32, true, false, w->out, w->in, to - from, w->y + from * w->out, w->out,
             w->x + from * w->in, w->in, 0, w->sums + i * w->in * w->out, w->in);
}

static void output_part(const void *job, int64_t i, int64_t parts) {
  const Weights *w = job;
  int64_t from = start_of(i, parts, w->out), to = start_of(i + 1, parts, w->out);
  cpu_matmul(AB_F32, true, false, to - from, w->in, w->rows, w->y + from, w->out, w->x, w->in,
             w->add, w->W + from * w->in, w->in);
}

CLONES static void add_parts(int64_t parts, int64_t size, float *W, const float *sums, bool add) {
  for (int64_t i = 0; i < size; i++) W[i] = (add ? W[i] : 0) + sums[i];
  for (int64_t k = 1; k < parts; k++)
    for (int64_t i = 0; i < size; i++) W[i] += sums[k * size + i];
}

static void product_weights(const Weights *w) {
  Cut cut = cut_of(w->rows, w->out, w->in);
  run_parts(w, cut.parts, cut.by_rows ? summed_part : output_part);
  if (cut.by_rows) add_parts(cut.parts, w->in * w->out, w->W, w->sums, w->add);
}

/* Floats of the sums of parts. */
static int64_t sums_of(const AbConvolutionShape *s) {
  Cut cut = cut_of(s->n * cpu_volume(s->x), s->out, s->in);
  return cut.by_rows ? cut.parts * s->in * s->out : 0;
}

static size_t cpu_convolution_work(AbDtype dtype, const AbConvolutionShape *s,
                                   AbConvolutionPass pass) {
  Way way = way_of(dtype, s);
  if (way == WINOGRAD) return cpu_winograd_work(s, pass);
  if (way == PRODUCT && pass == K_CONVOLUTION_WEIGHTS) return (size_t)sums_of(s) * sizeof(float);
  if (way != DIRECT) return 0;
  return pass == K_CONVOLUTION_WEIGHTS ? cpu_weights_work(s)
                                       : cpu_sweep_work(s, pass == K_CONVOLUTION_DATA);
}

static void cpu_forward(AbDtype dtype, const AbConvolutionShape *s, void *y, const void *x,
                        const void *W, const void *b, AbActivation f, void *work) {
  switch (way_of(dtype, s)) {
  case REFERENCE: reference_convolution.forward(dtype, s, y, x, W, b, f, work); break;
  case WINOGRAD: cpu_winograd_run(s, false, y, x, W, b, f, work); break;
  case DIRECT: cpu_sweep_run(s, false, y, x, W, b, f, work); break;
  case PRODUCT:
    product(&(Product){true, s->n * cpu_volume(s->y), s->out, s->in, x, W, s->in, y});
    cpu_bias_activate(dtype, f, s->n * cpu_volume(s->y), s->out, y, b);
    break;
  }
}

static void cpu_data(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *y,
                     const void *W, const void *b, AbActivation f, void *work) {
  switch (way_of(dtype, s)) {
  case REFERENCE: reference_convolution.data(dtype, s, x, y, W, b, f, work); break;
  case WINOGRAD: cpu_winograd_run(s, true, x, y, W, b, f, work); break;
  case DIRECT: cpu_sweep_run(s, true, x, y, W, b, f, work); break;
  case PRODUCT:
    product(&(Product){false, s->n * cpu_volume(s->x), s->in, s->out, y, W, s->in, x});
    cpu_bias_activate(dtype, f, s->n * cpu_volume(s->x), s->in, x, b);
    break;
  }
}

static void cpu_weights(AbDtype dtype, const AbConvolutionShape *s, void *W, const void *x,
                        const void *y, bool add, void *work) {
  switch (way_of(dtype, s)) {
  case REFERENCE: reference_convolution.weights(dtype, s, W, x, y, add, work); break;
  case WINOGRAD: cpu_winograd_weights(s, W, x, y, add, work); break;
  case DIRECT: cpu_weights_run(s, W, x, y, add, work); break;
  case PRODUCT:
    product_weights(&(Weights){s->n * cpu_volume(s->x), s->in, s->out, x, y, W, work, add});
    break;
  }
}

const AbConvolutionKernels cpu_convolution = {
    .work = cpu_convolution_work,
    .forward = cpu_forward,
    .data = cpu_data,
    .weights = cpu_weights,
    .unactivate = cpu_unactivate,
    .unfold = cpu_unfold,
    .fold = cpu_fold,
};
