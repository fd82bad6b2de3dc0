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

/* The gradient of the weights of a product is a sum over all positions, which a library cuts among
 * its threads as it likes. So it is cut here, in parts whose number does not depend on them; each
 * is a product on one thread. */
#define LEAST_ROWS  256
#define MOST_PARTS  16
#define MOST_FLOATS ((int64_t)8 << 20)

static int64_t parts_of(const AbConvolutionShape *s) {
  int64_t parts = at_most(s->n * cpu_volume(s->x) / LEAST_ROWS, MOST_FLOATS / (s->in * s->out));
  return parts < 1 ? 1 : at_most(parts, MOST_PARTS);
}

static void add_parts(int64_t parts, int64_t size, float *W, const float *sums, bool add) {
  for (int64_t i = 0; i < size; i++) {
    float sum = add ? W[i] : 0;
    for (int64_t k = 0; k < parts; k++) sum += sums[k * size + i];
    W[i] = sum;
  }
}

static void product_weights(const AbConvolutionShape *s, float *W, const float *x, const float *y,
                            bool add, float *sums) {
  int64_t rows = s->n * cpu_volume(s->x), parts = parts_of(s), size = s->in * s->out;
  int threads = omp_get_max_threads();
  if (parts == 1) omp_set_num_threads(1);
#pragma omp parallel for schedule(dynamic, 1) if (parts > 1)
  for (int64_t i = 0; i < parts; i++) {
    int64_t from = i * rows / parts, to = (i + 1) * rows / parts;
    cpu_matmul(AB_F32, true, false, s->out, s->in, to - from, y + from * s->out, s->out,
               x + from * s->in, s->in, 0, sums + i * size, s->in);
  }
  if (parts == 1) omp_set_num_threads(threads);
  add_parts(parts, size, W, sums, add);
}

/* c [rows, n] := a [rows, k] op(b), in parts for the same reason. */
static void product(bool tb, int64_t rows, int64_t n, int64_t k, const float *a, const float *b,
                    int64_t ldb, float *c) {
  int64_t parts = at_most(rows / LEAST_ROWS, MOST_PARTS);
  int threads = omp_get_max_threads();
  if (parts < 1) parts = 1;
  if (parts == 1) omp_set_num_threads(1);
#pragma omp parallel for schedule(dynamic, 1) if (parts > 1)
  for (int64_t i = 0; i < parts; i++) {
    int64_t from = i * rows / parts, to = (i + 1) * rows / parts;
    cpu_matmul(AB_F32, false, tb, to - from, n, k, a + from * k, k, b, ldb, 0, c + from * n, n);
  }
  if (parts == 1) omp_set_num_threads(threads);
}

static size_t cpu_convolution_work(AbDtype dtype, const AbConvolutionShape *s,
                                   AbConvolutionPass pass) {
  Way way = way_of(dtype, s);
  if (way == WINOGRAD) return cpu_winograd_work(s, pass);
  if (way == PRODUCT && pass == K_CONVOLUTION_WEIGHTS)
    return (size_t)(parts_of(s) * s->in * s->out) * sizeof(float);
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
    product(true, s->n * cpu_volume(s->y), s->out, s->in, x, W, s->in, y);
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
    product(false, s->n * cpu_volume(s->x), s->in, s->out, y, W, s->in, x);
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
  case PRODUCT: product_weights(s, W, x, y, add, work); break;
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
