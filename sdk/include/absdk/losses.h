/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses as single operations, where that is faster or more accurate. */
#ifndef ABSDK_LOSSES_H
#define ABSDK_LOSSES_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- losses --------------------------------------------------------------------------------- */
/* -log softmax(logits)[label], one per row: logits [n, classes], labels [n] (AB_I64, AB_I32 or
 * AB_U8) -> [n]. A label outside 0..classes-1 is an error that names its row.                    */
AB_EXPORT AbTensor *ab_cross_entropy(AbTensor *logits, AbTensor *labels);
/* -t log p - (1 - t) log(1 - p), element-wise, for p in (0, 1) and t in [0, 1]. Where p was
 * recorded as a result of ab_sigmoid (perhaps reshaped), the argument of the sigmoid is used, which
 * is exact where p rounds to 0 or 1; else p is kept 1e-7 (f32) or 1e-15 (f64) away from 0 and 1. */
AB_EXPORT AbTensor *ab_binary_cross_entropy(AbTensor *p, AbTensor *t);

AB_END_DECLS

#endif
