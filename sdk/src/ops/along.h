/* SPDX-License-Identifier: Apache-2.0
 *
 * What reductions and functions along an axis share: how a tensor lies in memory around the axes at
 * hand. */
#ifndef SDK_OPS_ALONG_H
#define SDK_OPS_ALONG_H

#include "../device/reductions.h"
#include "../internal.h"

#define AB_ALL_AXES(x) ((1u << (x)->rank) - 1)

/* The axes of x that are not 1 (it has none of 0), from the widest stride to the narrowest. */
int32_t ab_memory_order(const AbTensor *x, int32_t *axis);
/* Gives y, dense memory of the shape of x with any axes made 1 or another length, the order in
 * memory of x.                                                                                   */
void ab_order_like(AbTensor *y, const AbTensor *x);
/* x in the order in memory of `like`, which is packed and of its shape: x itself or a copy; not
 * recorded.                                                                                      */
AbTensor *ab_ordered_as(AbTensor *x, const AbTensor *like);
/* A copy of x in the order in memory of `like` where that is packed; recorded. For stretched x. */
AbTensor *ab_copy_like(AbTensor *x, const AbTensor *like);

/* Whether the mask names only axes of x; else an error. */
bool ab_axes_fit(const char *operation, const AbTensor *x, uint32_t axes);
int64_t ab_axes_count(const AbTensor *x, uint32_t axes); /* the product of these axes */
/* A tensor for the reduction of packed x over these axes, in its order in memory. */
AbTensor *ab_reduced_new(const AbTensor *x, AbDtype dtype, uint32_t axes, bool keep);
/* x, or an unrecorded copy, in whose memory the axes lie side by side: [outer, middle, inner]. */
AbTensor *ab_together(AbTensor *x, uint32_t axes, AbExtent *extent);
/* y, reduced over these axes without keeping them, with the shape as if they had been kept; a view,
 * recorded.                                                                                      */
AbTensor *ab_with_axes(AbTensor *y, const AbTensor *x, uint32_t axes);

#endif
