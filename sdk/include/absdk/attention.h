/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention, embeddings and positions. */
#ifndef ABSDK_ATTENTION_H
#define ABSDK_ATTENTION_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- attention ------------------------------------------------------------------------------ */
/* softmax(scale q k' + mask) v for each head of each example (Vaswani et al., "Attention is all you
 * need", 2017): q [b, h, t, d], k [b, h, s, d], v [b, h, s, e] -> [b, h, t, e].
 *
 * scale 0 stands for 1 / sqrt(d). With `causal` row i sees the keys 0 to i. The mask stretches to
 * [b, h, t, s]: numbers of q's type are added to the scores (-inf forbids), AB_BOOL allows where it
 * is 1; AB_NONE: there is none. It gets no gradient: asking for one is an error. A row that sees no
 * key gives zeros, and no gradient. What stands in keys and values that are masked must be finite.
 *
 * The scores are never kept as a whole (Dao et al., "FlashAttention", 2022). q, k and v may be
 * views with any strides whose last axis is dense: transposed slices of one projection. The result
 * is [b, t, h, e] in memory, so that ab_reshape(ab_transpose(y, 1, 2), [b, t, h e]) costs nothing.
 * A derivative of the gradient repeats the forward pass in ab_matmul and ab_softmax, which keep all
 * scores. */
AB_EXPORT AbTensor *ab_attention(AbTensor *q, AbTensor *k, AbTensor *v, AbTensor *mask, bool causal,
                                 double scale);
/* The same for q, k and v side by side, as one projection makes them: qkv [b, t, 3 h d], of which
 * the first h d numbers are q, head by head -> [b, t, h d]. The gradient is one tensor. */
AB_EXPORT AbTensor *ab_self_attention(AbTensor *qkv, int64_t heads, AbTensor *mask, bool causal);
/* lengths [b] (AB_I64) -> AB_BOOL [b, 1, 1, keys]: whether a key is one of the first lengths[b]. */
AB_EXPORT AbTensor *ab_length_mask(AbTensor *lengths, int64_t keys);

/* ---- embeddings and positions --------------------------------------------------------------- */
#define AB_NO_PADDING ((int64_t)-1)
/* Row index_i of the table [v, d] for each number of the index [...] (i64, i32 or u8) -> [..., d].
 * Where the index is `padding` (AB_NO_PADDING or any negative number: nowhere) the result is 0 and
 * the table gets no gradient; `padding` may be beyond the table. Any other index outside 0 to v - 1
 * is an error that names its place. The gradient is added row by row, in the order of the index:
 * the same bits on any number of threads. */
AB_EXPORT AbTensor *ab_embedding(AbTensor *table, AbTensor *index, int64_t padding);
/* [length, width] of the context's real type: sin(p / 10000^(2i / width)) at [p, 2i], cos of the
 * same at [p, 2i + 1] (Vaswani et al., 2017). */
AB_EXPORT AbTensor *ab_sinusoidal_positions(AbContext *ctx, int64_t length, int64_t width);

AB_END_DECLS

#endif
