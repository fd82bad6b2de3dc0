/* SPDX-License-Identifier: Apache-2.0
 *
 * Common layers, so that models do not each paste them. A layer makes its weights in the instance
 * that holds it, numbered from 1: "W1", "b1", ...                                                */
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

/* Makes W<number> (Kaiming et al. normal before a ReLU, else Xavier uniform) and b<number> (zeros).
 * To be called from `build`; after an error the tensors are NULL.                                */
AB_EXPORT AbLinear ab_linear_make(AbInstance *self, int64_t number, int64_t in, int64_t out,
                                  AbActivation activation);
AB_EXPORT AbTensor *ab_linear_apply(const AbLinear *layer, AbTensor *x); /* x [n, in] -> [n, out] */

/* Zeroes each element with probability `rate` in training and scales the rest by 1 / (1 - rate);
 * else x itself. (Srivastava et al. 2014, in its inverted form.)                                 */
AB_EXPORT AbTensor *ab_dropout(AbTensor *x, double rate);

AB_END_DECLS

#endif
