/* SPDX-License-Identifier: Apache-2.0
 *
 * What pooling, un-pooling and resampling share: tensors [n, c, spatial ...] with 1 to 3 spatial
 * axes, which kernels see as three.                                                             */
#ifndef SDK_OPS_PLANES_H
#define SDK_OPS_PLANES_H

#include "../device/pooling.h"
#include "../internal.h"

/* Whether x is [n, c, spatial ...], real, without an empty spatial axis; else an error. */
bool ab_has_planes(const char *operation, const AbTensor *x);
/* The spatial axes of x, as three: the first are 1 where x has fewer. */
void ab_plane_axes(const AbTensor *x, int64_t axes[3]);
/* Checks that `size` gives each spatial axis of x something; else an error. */
bool ab_plane_size(const char *operation, const AbTensor *x, AbShape size);
/* A tensor [n, c, size ...] in the type of x, channels last, with memory if x has some. */
AbTensor *ab_planes_new(AbTensor *x, AbDtype dtype, AbShape size);
/* Whether there is anything to compute. */
bool ab_planes_filled(const AbTensor *x, const AbTensor *y);

/* Windows over x, checked and completed; n, c, in and out are of x. The shape of the result's
 * spatial axes goes to `size`.                                                                  */
bool ab_pool_geometry(const char *operation, const AbTensor *x, const AbPool *pool,
                      AbPoolGeometry *at, AbShape *size);

/* Sums over windows and the adjoint: a pair of operations, each the gradient of the other. */
AbTensor *ab_pool_sum(AbTensor *x, const AbPoolGeometry *at, AbPoolDivisor by, AbShape size);
AbTensor *ab_pool_spread(AbTensor *y, const AbPoolGeometry *at, AbPoolDivisor by, AbShape size);

/* y [n, c, size ...] with y's numbers from x at their indices (i32, channels last), and the
 * adjoint: a pair likewise. */
AbTensor *ab_pool_pick(AbTensor *x, AbTensor *indices);
AbTensor *ab_pool_place(AbTensor *y, AbTensor *indices, AbShape size);
/* Whether an index of i32 reaches everywhere in planes of x; else an error. */
bool ab_plane_indexable(const char *operation, const AbTensor *x, AbShape size);

AbShape ab_spatial_shape(const AbTensor *x);

#endif
