/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution on the cpu: which way a pass of f32 takes. f64 goes to the reference device. */
#include "../convolution.h"
#include "convolution-cpu.h"

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

static size_t cpu_convolution_work(AbDtype dtype, const AbConvolutionShape *s,
                                   AbConvolutionPass pass) {
  Way way = way_of(dtype, s);
  if (way == WINOGRAD) return cpu_winograd_work(s, pass);
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
    cpu_matmul(dtype, false, true, s->n * cpu_volume(s->y), s->out, s->in, x, s->in, W, s->in, 0, y,
               s->out);
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
    cpu_matmul(dtype, false, false, s->n * cpu_volume(s->x), s->in, s->out, y, s->out, W, s->in, 0,
               x, s->in);
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
    cpu_matmul(dtype, true, false, s->out, s->in, s->n * cpu_volume(s->x), y, s->out, x, s->in, add,
               W, s->in);
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
