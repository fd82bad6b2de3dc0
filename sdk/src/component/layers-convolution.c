/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of convolution: layers.h says what they are. */
#include "../internal.h"
#include <absdk/layers.h>
#include <stdio.h>
#include <string.h>

static AbTensor *bias(AbInstance *self, int64_t number, int64_t count) {
  char name[32];
  snprintf(name, sizeof name, "b%lld", (long long)number);
  AbInit zero = {.kind = AB_INIT_CONSTANT, .a = 0};
  return ab_weight(self, name, AB_SHAPE(count), zero, "output");
}

/* W [out, in / groups, kernel ...], or [in, out / groups, kernel ...] if transposed; b [out]. */
static AbConvolution make(AbInstance *self, int64_t number, int64_t in, int64_t out, AbShape kernel,
                          AbConvolutionOptions options, bool transposed, bool biased) {
  static const char *const spaces[] = {" width", " height width", " depth height width"};
  AbConvolution layer = {.options = options};
  int64_t first = transposed ? in : out, second = transposed ? out : in;
  int64_t groups = options.groups ? options.groups : 1;
  if (kernel.rank < 1 || kernel.rank > 3 || groups < 1 || first % groups != 0 ||
      second % groups != 0) {
    char text[220];
    ab_fail(self, AB_CONFIG,
            "convolution %lld: channels %lld and %lld, %lld groups, a kernel of %s; wanted are "
            "channels that the groups divide and 1 to 3 axes",
            (long long)number, (long long)first, (long long)second, (long long)groups,
            ab_shape_text(kernel, text, sizeof text));
    return layer;
  }
  AbShape shape = {.rank = kernel.rank + 2, .dims = {first, second / groups}};
  memcpy(shape.dims + 2, kernel.dims, (size_t)kernel.rank * sizeof *kernel.dims);
  char W[32], axes[64];
  snprintf(W, sizeof W, "W%lld", (long long)number);
  snprintf(axes, sizeof axes, "%s%s", transposed ? "input output" : "output input",
           spaces[kernel.rank - 1]);
  layer.W = ab_weight(self, W, shape, ab_init_for(options.activation), axes);
  layer.b = biased ? bias(self, number, out) : AB_NONE;
  return layer;
}

AbConvolution ab_convolution_make(AbInstance *self, int64_t number, int64_t in, int64_t out,
                                  AbShape kernel, AbConvolutionOptions options) {
  return make(self, number, in, out, kernel, options, false, true);
}

AbConvolution ab_convolution_make_unbiased(AbInstance *self, int64_t number, int64_t in,
                                           int64_t out, AbShape kernel,
                                           AbConvolutionOptions options) {
  return make(self, number, in, out, kernel, options, false, false);
}

AbConvolution ab_transposed_convolution_make(AbInstance *self, int64_t number, int64_t in,
                                             int64_t out, AbShape kernel,
                                             AbConvolutionOptions options) {
  return make(self, number, in, out, kernel, options, true, true);
}

AbConvolution ab_transposed_convolution_make_unbiased(AbInstance *self, int64_t number, int64_t in,
                                                      int64_t out, AbShape kernel,
                                                      AbConvolutionOptions options) {
  return make(self, number, in, out, kernel, options, true, false);
}

typedef AbTensor *(*Operation)(AbTensor *x, AbTensor *W, AbTensor *b, AbConvolutionOptions options);

/* A sigmoid on its own keeps its argument, which binary cross-entropy is exact with. */
static AbTensor *apply(Operation f, const AbConvolution *layer, AbTensor *x) {
  AbConvolutionOptions options = layer->options;
  if (options.activation != AB_SIGMOID) return f(x, layer->W, layer->b, options);
  options.activation = AB_IDENTITY;
  return ab_sigmoid(f(x, layer->W, layer->b, options));
}

AbTensor *ab_convolution_apply(const AbConvolution *layer, AbTensor *x) {
  return apply(ab_convolution, layer, x);
}

AbTensor *ab_transposed_convolution_apply(const AbConvolution *layer, AbTensor *x) {
  return apply(ab_transposed_convolution, layer, x);
}
