/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of convolutions: their defaults, what is wrong with them, and the sizes of results. */
#include "convolution.h"

#define LIMIT ((int64_t)1 << 30) /* of any option: what is computed from them cannot overflow */

static bool in_range(int64_t value, int64_t low) {
  return value >= low && value <= LIMIT;
}

static const char *fault_of(const AbConvolutionOptions *o, int32_t axes) {
  for (int32_t a = 0; a < CONVOLUTION_AXES; a++) {
    if (!in_range(o->stride[a], 0)) return "strides must be positive";
    if (!in_range(o->dilation[a], 0)) return "dilations must be positive";
    if (!in_range(o->padding[a], 0)) return "padding must not be negative";
    if (!in_range(o->more_after[a], -o->padding[a]))
      return "padding after the input must not be negative";
    if (!in_range(o->output_padding[a], 0)) return "output_padding must not be negative";
    if (a >= axes && (o->stride[a] || o->dilation[a] || o->padding[a] || o->more_after[a] ||
                      o->output_padding[a]))
      return "options of more axes than it has spatial axes";
  }
  if (!in_range(o->groups, 0)) return "groups must be positive";
  return NULL;
}

bool ab_convolution_settings(const char *operation, const AbTensor *x, int32_t axes,
                             const AbConvolutionOptions *options, Settings *s) {
  const char *fault = fault_of(options, axes);
  if (!ab_activation_exists(options->activation, x->ctx)) return false;
  if (fault) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "%s: of %s: %s", operation, ab_tensor_text(x, text, sizeof text),
             fault);
    return false;
  }
  *s = (Settings){.groups = options->groups ? options->groups : 1, .f = options->activation};
  for (int32_t i = 0; i < CONVOLUTION_AXES; i++) {
    int32_t a = i - (CONVOLUTION_AXES - axes);
    s->stride[i] = a >= 0 && options->stride[a] ? options->stride[a] : 1;
    s->dilation[i] = a >= 0 && options->dilation[a] ? options->dilation[a] : 1;
    if (a < 0) continue;
    s->before[i] = options->padding[a];
    s->after[i] = options->padding[a] + options->more_after[a];
    s->more[i] = options->output_padding[a];
  }
  return true;
}

void ab_convolution_axes(int64_t to[CONVOLUTION_AXES], const int64_t *from, int32_t axes) {
  for (int32_t i = 0; i < CONVOLUTION_AXES; i++) {
    int32_t a = i - (CONVOLUTION_AXES - axes);
    to[i] = a >= 0 ? from[a] : 1;
  }
}

/* dilation (k - 1) + 1 */
static bool span(int64_t dilation, int64_t k, int64_t *extent) {
  return k >= 1 && !__builtin_mul_overflow(dilation, k - 1, extent) &&
         !__builtin_add_overflow(*extent, 1, extent);
}

bool ab_convolution_sizes(const Settings *s, const int64_t *x, const int64_t *k, int64_t *y) {
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    int64_t extent, padded;
    if (!span(s->dilation[i], k[i], &extent) ||
        __builtin_add_overflow(x[i], s->before[i] + s->after[i], &padded) || extent > padded)
      return false;
    y[i] = (padded - extent) / s->stride[i] + 1;
  }
  return true;
}

bool ab_convolution_transposed_sizes(const Settings *s, const int64_t *y, const int64_t *k,
                                     int64_t *x) {
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    int64_t extent;
    if (!span(s->dilation[i], k[i], &extent) || y[i] < 1 ||
        __builtin_mul_overflow(y[i] - 1, s->stride[i], &x[i]) ||
        __builtin_add_overflow(x[i], extent, &x[i]) ||
        __builtin_add_overflow(x[i], s->more[i] - s->before[i] - s->after[i], &x[i]) || x[i] < 1)
      return false;
    if (s->more[i] >= s->stride[i] && s->more[i] >= s->dilation[i]) return false;
  }
  return true;
}

void ab_convolution_keep(AbTensor *y, const Settings *s) {
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    y->ints[i] = s->stride[i];
    y->ints[3 + i] = s->dilation[i];
    y->ints[6 + i] = s->before[i];
  }
  y->ints[9] = s->groups;
  y->ints[10] = s->f;
}

Settings ab_convolution_kept(const AbTensor *y) {
  Settings s = {.groups = y->ints[9], .f = y->ints[10]};
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    s.stride[i] = y->ints[i];
    s.dilation[i] = y->ints[3 + i];
    s.before[i] = y->ints[6 + i];
  }
  return s;
}
