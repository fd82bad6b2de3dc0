/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations that move numbers about: shape, order, pieces, places, types. */
#ifndef ABSDK_MOVEMENT_H
#define ABSDK_MOVEMENT_H

#include "tensor.h"

AB_BEGIN_DECLS

/* Everything here takes tensors of any element type unless it says otherwise; gradients flow
 * between real ones. An axis below 0 counts from the end. Bit 0 of a mask of axes is the first. */

/* ---- shape: the same numbers in another order; no copy where strides can say it -------------- */
AB_EXPORT AbTensor *ab_reshape(AbTensor *x, AbShape shape); /* one axis may be -1: what is left */
AB_EXPORT AbTensor *ab_flatten(AbTensor *x);                /* [n, ...] -> [n, product] */
AB_EXPORT AbTensor *ab_reshape_samples(AbTensor *x, AbShape sample); /* -> [n, sample ...] */
AB_EXPORT AbTensor *ab_transpose(AbTensor *x, int32_t axis_a, int32_t axis_b);
/* Axis i of the result is axis axes[i] of x; `count` is the rank. Permutation is a view. */
AB_EXPORT AbTensor *ab_permute(AbTensor *x, int32_t count, const int32_t *axes);
AB_EXPORT AbTensor *ab_squeeze(AbTensor *x, int32_t axis);   /* an axis of 1 goes; a view */
AB_EXPORT AbTensor *ab_unsqueeze(AbTensor *x, int32_t axis); /* an axis of 1 comes, there; a view */
AB_EXPORT AbTensor *ab_broadcast_to(AbTensor *x, AbShape shape);

/* ---- parts: views ---------------------------------------------------------------------------- */
AB_EXPORT AbTensor *ab_slice(AbTensor *x, int32_t axis, int64_t from, int64_t to); /* [from, to) */
/* from, from + step, ... below `to`; step is at least 1 */
AB_EXPORT AbTensor *ab_slice_step(AbTensor *x, int32_t axis, int64_t from, int64_t to,
                                  int64_t step);
/* parts[i] := the next sizes[i] of the axis; they must add up to it. All NULL after an error. */
AB_EXPORT void ab_split(AbTensor *x, int32_t axis, int32_t count, const int64_t *sizes,
                        AbTensor **parts);

/* ---- joining: `count` of at least 1, all of one type ----------------------------------------- */
AB_EXPORT AbTensor *ab_concat(AbTensor *const *xs, int32_t count, int32_t axis);
/* The same shape each; the result has a new axis of `count` there. */
AB_EXPORT AbTensor *ab_stack(AbTensor *const *xs, int32_t count, int32_t axis);

/* What stands beyond the ends of an axis a b c d, two before and after. The values are frozen. */
typedef int32_t AbPadding;
enum {
  AB_PAD_CONSTANT = 0,  /* v v a b c d v v */
  AB_PAD_REFLECT = 1,   /* c b a b c d c b; less than the axis has */
  AB_PAD_REPLICATE = 2, /* a a a b c d d d */
  AB_PAD_CIRCULAR = 3,  /* c d a b c d a b; no more than the axis has */
};
/* before[i] and after[i] for each axis of x, 0 or more; `value` for AB_PAD_CONSTANT. */
AB_EXPORT AbTensor *ab_pad(AbTensor *x, const int64_t *before, const int64_t *after, AbPadding mode,
                           double value);

/* ---- turning and repeating: copies ----------------------------------------------------------- */
AB_EXPORT AbTensor *ab_flip(AbTensor *x, uint32_t axes); /* from the other end along these axes */
/* Quarter turns from axis a towards axis b (any number, also below 0), as numpy.rot90. */
AB_EXPORT AbTensor *ab_rot90(AbTensor *x, int32_t turns, int32_t axis_a, int32_t axis_b);
/* Number i goes to i + shift, in a circle. */
AB_EXPORT AbTensor *ab_roll(AbTensor *x, int32_t axis, int64_t shift);
/* x so many times along each axis, as numpy.tile: [a, b] by [3, p, q] is [3, a p, b q]. */
AB_EXPORT AbTensor *ab_repeat(AbTensor *x, AbShape times);

/* ---- by index: i64 (or i32, u8), each in 0 to the axis - 1, else AB_DATA that says which --------
 * As torch.gather, scatter_add, index_select and index_add. The index gets no gradient. Where
 * several terms meet in one place they are added in the order of the axes, on any number of
 * threads: the bits are the same. */
/* y[i][j]... := x[index[i][j]...][j]... (axis 0). The index has the rank of x and is no longer than
 * x along the other axes; the result has its shape.                                              */
AB_EXPORT AbTensor *ab_gather(AbTensor *x, int32_t axis, AbTensor *index);
/* x, and source[i][j]... added at [index[i][j]...][j]... (axis 0), for every [i][j]... of the
 * index, which is no longer than `source`. Real. */
AB_EXPORT AbTensor *ab_scatter_add(AbTensor *x, int32_t axis, AbTensor *index, AbTensor *source);
/* x [..., n] by an index [...] -> [...]: one number of each row, as that of its label. */
AB_EXPORT AbTensor *ab_pick(AbTensor *x, AbTensor *index);
/* The places index [m] of the axis: [..., n, ...] -> [..., m, ...]. */
AB_EXPORT AbTensor *ab_index_select(AbTensor *x, int32_t axis, AbTensor *index);
/* x, and source [..., m, ...] added at the places index [m] of the axis. Real. */
AB_EXPORT AbTensor *ab_index_add(AbTensor *x, int32_t axis, AbTensor *index, AbTensor *source);

/* ---- types ----------------------------------------------------------------------------------- */
/* To another element type; a gradient flows between real types only. */
AB_EXPORT AbTensor *ab_cast(AbTensor *x, AbDtype dtype);
/* labels [n] (i64, i32 or u8), each in 0 to classes - 1, else AB_DATA that says which -> [n,
 * classes] of the context's real type: 1 at the label, 0 elsewhere; no gradient.                */
AB_EXPORT AbTensor *ab_one_hot(AbTensor *labels, int64_t classes);

AB_END_DECLS

#endif
