/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of normalisation: layers.h says what they are. */
#include "../internal.h"
#include <absdk/layers.h>
#include <stdio.h>

#define NAME_SIZE 48

static const char *numbered(char *buffer, const char *name, int64_t number) {
  snprintf(buffer, NAME_SIZE, "%s%lld", name, (long long)number);
  return buffer;
}

static AbTensor *vector(AbInstance *self, const char *name, int64_t number, AbShape shape,
                        double value, const char *axes) {
  char text[NAME_SIZE];
  AbInit init = {.kind = AB_INIT_CONSTANT, .a = value};
  return ab_weight(self, numbered(text, name, number), shape, init, axes);
}

static AbTensor *statistics(AbInstance *self, const char *name, int64_t number, int64_t channels,
                            double value) {
  char text[NAME_SIZE];
  AbContext *ctx = ab_context(self);
  AbTensor *buffer = ab_buffer(self, numbered(text, name, number), ab_real_dtype(ctx),
                               AB_SHAPE(channels), "channel");
  if (buffer && buffer->storage && value != 0)
    ctx->device->fill(buffer->dtype, ab_tensor_count(buffer), ab_data_of(buffer), value);
  return buffer;
}

AbBatchNorm ab_batch_norm_make(AbInstance *self, int64_t number, int64_t channels,
                               AbActivation activation) {
  return (AbBatchNorm){.gain = vector(self, "gain", number, AB_SHAPE(channels), 1, "channel"),
                       .bias = vector(self, "bias", number, AB_SHAPE(channels), 0, "channel"),
                       .running_mean = statistics(self, "running_mean", number, channels, 0),
                       .running_variance =
                           statistics(self, "running_variance", number, channels, 1),
                       .momentum = 0.1,
                       .epsilon = 1e-5,
                       .activation = activation};
}

AbTensor *ab_batch_norm_apply(const AbBatchNorm *layer, AbTensor *x) {
  return ab_batch_norm(x, layer->gain, layer->bias, layer->running_mean, layer->running_variance,
                       layer->momentum, layer->epsilon, layer->activation);
}

AbLayerNorm ab_layer_norm_make(AbInstance *self, int64_t number, AbShape shape) {
  return (AbLayerNorm){.gain = vector(self, "gain", number, shape, 1, "unit"),
                       .bias = vector(self, "bias", number, shape, 0, "unit"),
                       .axes = shape.rank,
                       .epsilon = 1e-5};
}

AbTensor *ab_layer_norm_apply(const AbLayerNorm *layer, AbTensor *x) {
  return ab_layer_norm(x, layer->axes, layer->gain, layer->bias, layer->epsilon);
}
