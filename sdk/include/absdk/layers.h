/* SPDX-License-Identifier: Apache-2.0
 *
 * Common layers, so that models do not each paste them. A layer makes its weights in the instance
 * that holds it, numbered from 1: "W1", "b1", ... Layers of all kinds share these names, so no two
 * layers of an instance that make a name in common can have one number: linear, convolution and
 * recurrent layers share W and b; batch and layer normalisation share gain and bias. The second to
 * make a name is an error. The functions that make layers are to be called from `build`.         */
#ifndef ABSDK_LAYERS_H
#define ABSDK_LAYERS_H

#include "component.h"
#include "ops.h"

AB_BEGIN_DECLS

/* activation(x W + b): W [in, out], b [out]. */
typedef struct {
  AbTensor *W, *b;
  AbActivation activation;
} AbLinear;

/* Makes W<number> (by ab_init_for) and b<number> (zeros).
 * To be called from `build`; after an error the tensors are NULL.                                */
AB_EXPORT AbLinear ab_linear_make(AbInstance *self, int64_t number, int64_t in, int64_t out,
                                  AbActivation activation);
AB_EXPORT AbTensor *ab_linear_apply(const AbLinear *layer,
                                    AbTensor *x); /* [..., in] -> [..., out] */
/* The activation of an output, by a parameter with ab_output_activation_names; auto: sigmoid where
 * values from 0 to 1 are wanted, else identity.                                                  */
AB_EXPORT AbActivation ab_output_activation(int64_t choice, const AbSpec *wanted);

/* Zeroes each element with probability `rate`, from 0 to 1, in training and scales the rest by
 * 1 / (1 - rate); else x itself. (Srivastava et al. 2014, in its inverted form.)                 */
AB_EXPORT AbTensor *ab_dropout(AbTensor *x, double rate);

/* activation(batch normalisation) of x [n, c] or [n, c, spatial ...]: ab_batch_norm. */
typedef struct {
  AbTensor *gain, *bias, *running_mean, *running_variance;
  double momentum, epsilon;
  AbActivation activation;
} AbBatchNorm;

/* Makes the weights gain<number> (ones) and bias<number> (zeros) and the buffers
 * running_mean<number> (zeros) and running_variance<number> (ones); momentum 0.1, epsilon 1e-5, to
 * be changed in the struct. To be called from `build`; after an error the tensors are NULL. Its
 * number cannot be that of a layer normalisation of the instance.                                */
AB_EXPORT AbBatchNorm ab_batch_norm_make(AbInstance *self, int64_t number, int64_t channels,
                                         AbActivation activation);
AB_EXPORT AbTensor *ab_batch_norm_apply(const AbBatchNorm *layer, AbTensor *x);

/* Layer normalisation over the last axes of x: ab_layer_norm. */
typedef struct {
  AbTensor *gain, *bias;
  int32_t axes;
  double epsilon;
} AbLayerNorm;

/* Makes gain<number> (ones) and bias<number> (zeros) of `shape`, that of the last axes (mostly one:
 * AB_SHAPE(width)); epsilon 1e-5. These are the names of a batch normalisation too: give the two
 * kinds different numbers. To be called from `build`; after an error the tensors are NULL.       */
AB_EXPORT AbLayerNorm ab_layer_norm_make(AbInstance *self, int64_t number, AbShape shape);
AB_EXPORT AbTensor *ab_layer_norm_apply(const AbLayerNorm *layer, AbTensor *x);

/* ab_convolution of x [n, in, spatial ...], or its transpose. A sigmoid is an operation of its own
 * here, as it is for AbLinear; built into ab_convolution it is faster.                           */
typedef struct {
  AbTensor *W, *b; /* b: AB_NONE where it was made without */
  AbConvolutionOptions options;
} AbConvolution;

/* Makes W<number> [out, in / groups, kernel ...] (by ab_init_for) and b<number> [out] (zeros). The
 * rank of `kernel` is that of the space. To be called from `build`; after an error the tensors are
 * NULL.                                                                                          */
AB_EXPORT AbConvolution ab_convolution_make(AbInstance *self, int64_t number, int64_t in,
                                            int64_t out, AbShape kernel,
                                            AbConvolutionOptions options);
/* The same without b<number>: for a convolution before a normalisation, which has a bias. */
AB_EXPORT AbConvolution ab_convolution_make_unbiased(AbInstance *self, int64_t number, int64_t in,
                                                     int64_t out, AbShape kernel,
                                                     AbConvolutionOptions options);
AB_EXPORT AbTensor *ab_convolution_apply(const AbConvolution *layer, AbTensor *x);

/* The same for ab_transposed_convolution, W<number> [in, out / groups, kernel ...]: `in` are the
 * channels of the x that it is applied to, `out` those of its result. So it undoes the shape of
 * a convolution that was made with (out, in). To be called from `build`.                         */
AB_EXPORT AbConvolution ab_transposed_convolution_make(AbInstance *self, int64_t number, int64_t in,
                                                       int64_t out, AbShape kernel,
                                                       AbConvolutionOptions options);
AB_EXPORT AbConvolution ab_transposed_convolution_make_unbiased(AbInstance *self, int64_t number,
                                                                int64_t in, int64_t out,
                                                                AbShape kernel,
                                                                AbConvolutionOptions options);
AB_EXPORT AbTensor *ab_transposed_convolution_apply(const AbConvolution *layer, AbTensor *x);

/* ---- recurrent layers: recurrent.h has their equations -------------------------------------- */

/* Cells by name, for a parameter of the manifest:
 *     AB_PARAM_CHOICE(Model, cell, "lstm", ab_cell_names, "...")                                 */
typedef int64_t AbCell; /* an index into ab_cell_names */
enum {
  AB_CELL_ELMAN = 0, /* with tanh */
  AB_CELL_ELMAN_RELU = 1,
  AB_CELL_LSTM = 2,
  AB_CELL_GRU = 3,
};
AB_EXPORT extern const char *const ab_cell_names[]; /* NULL-terminated */

typedef struct {
  AbCell cell;
  int64_t layers;     /* on top of each other; 0 is 1 */
  bool bidirectional; /* each layer in both directions, outputs beside each other: [forward back] */
  bool peepholes;     /* of an LSTM */
  double dropout;     /* of the outputs of all layers but the last: ab_dropout */
  double forget_bias; /* where not 0: what the forget gates' biases of an LSTM start with */
} AbRecurrentOptions;

/* One direction of one layer. */
typedef struct {
  AbTensor *W, *U, *b;
  AbTensor *d; /* of a GRU; else AB_NONE */
  AbTensor *p; /* of an LSTM with peepholes; else AB_NONE */
} AbRecurrentWeights;

typedef struct {
  AbRecurrentOptions options;
  int64_t units, directions;
  AbRecurrentWeights *weights; /* [layers, directions]; NULL after an error */
} AbRecurrentLayers;

/* Makes W<number>, U<number>, b<number> and, where the cell has them, d<number> and p<number>, all
 * uniform in +-1 / sqrt(units), for the first layer's forward direction; `number` counts on through
 * the directions and then the layers. To be called from `build`; after an error weights is NULL. */
AB_EXPORT AbRecurrentLayers ab_recurrent_make(AbInstance *self, int64_t number, int64_t in,
                                              int64_t units, AbRecurrentOptions options);
/* x [t, n, in]; h0, c0 [layers directions, n, units] or AB_NONE (c0: of an LSTM only); lengths i64
 * [n] or AB_NONE. -> outputs [t, n, directions units] of the last layer, and the last states of all
 * in the shape of h0.                                                                            */
AB_EXPORT AbRecurrence ab_recurrent_apply(const AbRecurrentLayers *layers, AbTensor *x,
                                          AbTensor *h0, AbTensor *c0, AbTensor *lengths);

AB_END_DECLS

#endif
