/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations that move numbers about: shape, order, pieces, places, types. */
#ifndef ABSDK_MOVEMENT_H
#define ABSDK_MOVEMENT_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- shape: the same numbers in another order; no copy where strides can say it -------------- */
AB_EXPORT AbTensor *ab_reshape(AbTensor *x, AbShape shape); /* one axis may be -1: what is left */
AB_EXPORT AbTensor *ab_flatten(AbTensor *x);                /* [n, ...] -> [n, product] */
AB_EXPORT AbTensor *ab_transpose(AbTensor *x, int32_t axis_a, int32_t axis_b);
AB_EXPORT AbTensor *ab_slice(AbTensor *x, int32_t axis, int64_t from, int64_t to); /* [from, to) */
AB_EXPORT AbTensor *ab_broadcast_to(AbTensor *x, AbShape shape);
/* To another element type; a gradient flows between real types only. */
AB_EXPORT AbTensor *ab_cast(AbTensor *x, AbDtype dtype);
/* labels [n] -> [n, classes] of the context's real type; no gradient. */
AB_EXPORT AbTensor *ab_one_hot(AbTensor *labels, int64_t classes);

AB_END_DECLS

#endif
