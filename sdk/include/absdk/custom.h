/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of a plugin, and pieces of the graph that are computed twice to save memory. */
#ifndef ABSDK_CUSTOM_H
#define ABSDK_CUSTOM_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- an operation that the SDK does not have -------------------------------------------------
 * `x` are the `count` operands in their order, all but the first of which may be AB_NONE;
 * `attributes` is what was handed to ab_custom. Functions report errors by ab_error.             */
typedef struct {
  uint32_t struct_size;
  uint32_t flags; /* AB_CUSTOM_* */
  const char *name;
  /* The shape of the result; false after an error. Called in dry runs too: no numbers are there. */
  bool (*shape)(AbTensor *const *x, int32_t count, const void *attributes, AbShape *shape);
  /* Fills y, which is dense and of the type of the first operand, by ab_map or ab_assign. The
   * operands can be mapped for reading, views too.                                              */
  void (*forward)(AbTensor *y, AbTensor *const *x, int32_t count, const void *attributes);
  /* gradients[i] := the gradient of operand i, of its shape and type, given that of y; NULL where
   * there is none. Made by operations of ops.h, or filled by ab_map. NULL: no gradient.         */
  void (*backward)(AbTensor *g, AbTensor *y, AbTensor *const *x, int32_t count,
                   const void *attributes, AbTensor **gradients);
} AbCustomOp;

/* `backward` is made of operations alone: it can be differentiated again. */
#define AB_CUSTOM_TWICE 1u

/* y := op(x). `op` stays where it is (a static table); `size` bytes of `attributes` are copied.
 * NULL, as for an operand of NULL, where `count` is below 1 or every operand is AB_NONE: nothing
 * names the context then, so nothing can keep an error. The first alone being AB_NONE is one.    */
AB_EXPORT AbTensor *ab_custom(const AbCustomOp *op, AbTensor *const *x, int32_t count,
                              const void *attributes, size_t size);

/* ---- gradient checkpointing (Chen, Xu, Zhang, Guestrin 2016) ---------------------------------
 * y := f(data, x), without keeping what lies between: the backward pass runs f again, on the same
 * random numbers, and differentiates that. f must do the same both times: it may use weights and
 * random numbers, and assign nothing (no running statistics). `data` must live until the backward
 * pass. No second derivatives.                                                                   */
AB_EXPORT AbTensor *ab_checkpoint(AbTensor *(*f)(void *data, AbTensor *const *x, int32_t count),
                                  void *data, AbTensor *const *x, int32_t count);

AB_END_DECLS

#endif
