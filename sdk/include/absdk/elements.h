/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on elements: arithmetic, functions, activations. See ops.h for what holds for all. */
#ifndef ABSDK_ELEMENTS_H
#define ABSDK_ELEMENTS_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- arithmetic: a, b real, broadcast ------------------------------------------------------- */
AB_EXPORT AbTensor *ab_add(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_sub(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_mul(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_div(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_minimum(AbTensor *a, AbTensor *b); /* where equal, the gradient goes to a */
AB_EXPORT AbTensor *ab_maximum(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_affine(AbTensor *x, double scale, double shift); /* scale * x + shift */

/* Comparisons give 1 or 0 in the type of the operands and have no gradient. */
AB_EXPORT AbTensor *ab_equal(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_greater(AbTensor *a, AbTensor *b);

/* ---- functions of one element: x real, any shape -------------------------------------------- */
AB_EXPORT AbTensor *ab_neg(AbTensor *x);
AB_EXPORT AbTensor *ab_abs(AbTensor *x); /* gradient at 0: 0 */
AB_EXPORT AbTensor *ab_square(AbTensor *x);
AB_EXPORT AbTensor *ab_sqrt(AbTensor *x);
AB_EXPORT AbTensor *ab_exp(AbTensor *x);
AB_EXPORT AbTensor *ab_log(AbTensor *x);
AB_EXPORT AbTensor *ab_sign(AbTensor *x); /* no gradient */
AB_EXPORT AbTensor *ab_sigmoid(AbTensor *x);
AB_EXPORT AbTensor *ab_tanh(AbTensor *x);
AB_EXPORT AbTensor *ab_relu(AbTensor *x);     /* gradient at 0: 0 */
AB_EXPORT AbTensor *ab_softplus(AbTensor *x); /* log(1 + exp(x)), without overflow */

/* Activations by name, for a parameter of the manifest:
 *     AB_PARAM_CHOICE(Mlp, activation, "relu", ab_activation_names, "...")                      */
typedef int64_t AbActivation; /* an index into ab_activation_names */
enum {
  AB_IDENTITY = 0,
  AB_SIGMOID = 1,
  AB_TANH = 2,
  AB_RELU = 3,
  AB_SOFTPLUS = 4,
};
AB_EXPORT extern const char *const ab_activation_names[]; /* NULL-terminated */
AB_EXPORT AbTensor *ab_activate(AbActivation activation, AbTensor *x);

AB_END_DECLS

#endif
