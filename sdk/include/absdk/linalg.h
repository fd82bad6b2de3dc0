/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of matrices, and what is built on them. */
#ifndef ABSDK_LINALG_H
#define ABSDK_LINALG_H

#include "elements.h"

AB_BEGIN_DECLS

/* ---- products ------------------------------------------------------------------------------- */
/* [m, k] x [k, n] -> [m, n]. Transposed views cost nothing. */
AB_EXPORT AbTensor *ab_matmul(AbTensor *a, AbTensor *b);
/* activation(x W + b): x [n, in], W [in, out], b [out] or AB_NONE -> [n, out] */
AB_EXPORT AbTensor *ab_linear(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation activation);

AB_END_DECLS

#endif
