/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors: making them, looking at them, reading them. Rank 0 to AB_MAX_RANK, any axis may be 0.
 * Functions that return a tensor return NULL after an error, which the context keeps.           */
#ifndef ABSDK_TENSOR_H
#define ABSDK_TENSOR_H

#include "context.h"

AB_BEGIN_DECLS

/* A shape, passed by value. AB_SHAPE(2, 3) is a matrix; ab_scalar_shape() a scalar. */
typedef struct {
  int32_t rank;
  int32_t reserved;
  int64_t dims[AB_MAX_RANK];
} AbShape;
#define AB_SHAPE(...) \
  ((AbShape){(int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), 0, {__VA_ARGS__}})
AB_EXPORT AbShape ab_scalar_shape(void);

/* "[100, 784]" into `buffer`; returns `buffer`. 200 bytes hold any shape. */
AB_EXPORT const char *ab_shape_text(AbShape shape, char *buffer, size_t size);
AB_EXPORT int64_t ab_shape_count(AbShape shape); /* elements; -1 on overflow or a negative axis */

/* What stands for an absent optional argument (a bias, say). Never NULL: NULL is an error that
 * passes through.                                                                               */
AB_EXPORT extern AbTensor *const AB_NONE;

/* ---- making; the result belongs to the scope; NULL without an error for a context of NULL ---- */
AB_EXPORT AbTensor *ab_full(AbContext *ctx, AbDtype dtype, AbShape shape, double value);
AB_EXPORT AbTensor *ab_zeros(AbContext *ctx, AbShape shape); /* of the context's real type */
/* Copies `data`, row-major, in the type of `dtype`. */
AB_EXPORT AbTensor *ab_from(AbContext *ctx, AbDtype dtype, AbShape shape, const void *data);
/* Uninitialised memory to be filled through ab_map: for those who read data. */
AB_EXPORT AbTensor *ab_empty(AbContext *ctx, AbDtype dtype, AbShape shape);

/* ---- keeping -------------------------------------------------------------------------------- */
AB_EXPORT AbTensor *ab_ref(AbTensor *x); /* x outlives its scope until ab_unref; returns x */
AB_EXPORT void ab_unref(AbTensor *x);    /* NULL and AB_NONE are ignored */

/* ---- looking -------------------------------------------------------------------------------- */
AB_EXPORT AbContext *ab_context_of(const AbTensor *x); /* NULL for NULL */
AB_EXPORT AbDtype ab_dtype(const AbTensor *x);
AB_EXPORT AbShape ab_shape(const AbTensor *x);
AB_EXPORT int32_t ab_rank(const AbTensor *x);
AB_EXPORT int64_t ab_dim(const AbTensor *x, int32_t axis); /* negative axes count from the end */
AB_EXPORT int64_t ab_count(const AbTensor *x);             /* elements */
AB_EXPORT bool ab_is_none(const AbTensor *x);
/* A tensor of a dry run: it has a shape and no numbers (see ab_dry_run in host.h). */
AB_EXPORT bool ab_is_shape_only(const AbTensor *x);

/* ---- reading and writing: waits for the device ---------------------------------------------- */
/* The elements, row-major and contiguous, until ab_unmap. Of a tensor that does not lie so in
 * memory (a transposed view, a channels-last result that others share) these are a copy, made by
 * each ab_map: to be read only. Writing is allowed where `write`, which is an error for such a
 * tensor (ab_assign writes to views). NULL after an error, and for a tensor of a dry run.        */
AB_EXPORT void *ab_map(AbTensor *x, bool write);
AB_EXPORT void ab_unmap(AbTensor *x);
/* The only element of a tensor of one element, as a double; NaN after an error. */
AB_EXPORT double ab_item(AbTensor *x);
/* target := value (same shape; converted to the type of target). For weights and buffers; not
 * recorded. An assignment between a use and the backward pass of that use is an error there.    */
AB_EXPORT void ab_assign(AbTensor *target, AbTensor *value);

AB_END_DECLS

#endif
