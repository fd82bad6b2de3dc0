/* SPDX-License-Identifier: Apache-2.0
 *
 * Reverse-mode differentiation. Every operation of ops.h on tensors that need a gradient is
 * recorded. Backward rules are operations again where ab_gradients is asked for a `differentiable`
 * result, so second derivatives work. They do not for the recurrent layers (recurrent.h),
 * ab_checkpoint, and custom operations without AB_CUSTOM_TWICE: a clear error there.             */
#ifndef ABSDK_AUTOGRAD_H
#define ABSDK_AUTOGRAD_H

#include "tensor.h"

AB_BEGIN_DECLS

/* Marks a tensor that no operation made (a weight, an input) as one that needs a gradient. */
AB_EXPORT void ab_require_grad(AbTensor *x);
AB_EXPORT bool ab_requires_grad(const AbTensor *x);

/* d loss / d leaf is added to the gradient of every leaf that `loss`, a scalar, depends on. */
AB_EXPORT void ab_backward(AbTensor *loss);
/* The gradient of a leaf so far; NULL (no error) if nothing has reached it. Borrowed. */
AB_EXPORT AbTensor *ab_gradient(AbTensor *leaf);
AB_EXPORT void ab_clear_gradient(AbTensor *leaf);

/* gradients[i] = d y / d xs[i] for a scalar y and any recorded or leaf tensors xs. Does not touch
 * the gradients of leaves. With `differentiable`, the results are themselves recorded. An x that
 * y does not depend on gets zeros. At most 64 tensors at once; more are an error.               */
AB_EXPORT void ab_gradients(AbTensor *y, AbTensor *const *xs, int32_t count, AbTensor **gradients,
                            bool differentiable);

/* The same numbers, cut off from the graph. */
AB_EXPORT AbTensor *ab_detach(AbTensor *x);

AB_END_DECLS

#endif
