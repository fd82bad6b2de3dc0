/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on elements: arithmetic, functions, choices. See ops.h for what holds for all, and
 * activations.h for activations.                                                                */
#ifndef ABSDK_ELEMENTS_H
#define ABSDK_ELEMENTS_H

#include "activations.h"

AB_BEGIN_DECLS

/* ---- arithmetic: a, b real, broadcast ------------------------------------------------------- */
AB_EXPORT AbTensor *ab_add(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_sub(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_mul(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_div(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_minimum(AbTensor *a, AbTensor *b); /* where equal, the gradient goes to a */
AB_EXPORT AbTensor *ab_maximum(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_affine(AbTensor *x, double scale, double shift); /* scale * x + shift */

/* a^b as C's pow has it: NaN for a negative a and a b that is no integer. Gradient of a: b a^(b-1),
 * 0 where a and b are 0; of b: a^b log(a), 0 where a is 0 and b is not negative, NaN where a is
 * negative.                                                                                      */
AB_EXPORT AbTensor *ab_pow(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_power(AbTensor *x, double exponent); /* the same with one number */
/* a - b floor(a / b), computed exactly: it has the sign of b. Gradient of a: 1; of b: -floor(a /
 * b). NaN where b is 0. */
AB_EXPORT AbTensor *ab_remainder(AbTensor *a, AbTensor *b);
/* The angle of the point (x, y), from -pi to pi. The gradient is NaN at (0, 0). */
AB_EXPORT AbTensor *ab_atan2(AbTensor *y, AbTensor *x);

/* ---- comparisons: 1 or 0 in the type of the operands, broadcast; no gradient ----------------
 * NaN is not equal to anything, and neither less nor greater.                                   */
AB_EXPORT AbTensor *ab_equal(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_not_equal(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_greater(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_greater_equal(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_less(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_less_equal(AbTensor *a, AbTensor *b);
AB_EXPORT AbTensor *ab_is_nan(AbTensor *x);
AB_EXPORT AbTensor *ab_is_finite(AbTensor *x); /* neither NaN nor infinite */

/* ---- choices -------------------------------------------------------------------------------- */
/* a where the condition is not 0 (NaN is not), else b; all three broadcast. The condition is of any
 * type and has no gradient; a and b are real, of one type, and each gets the gradient of the
 * elements that were taken from it.                                                              */
AB_EXPORT AbTensor *ab_where(AbTensor *condition, AbTensor *a, AbTensor *b);
/* x, but not below low nor above high (which may be infinite); low <= high. NaN stays NaN. The
 * gradient passes where low <= x <= high, both bounds among it, else it is 0.                    */
AB_EXPORT AbTensor *ab_clamp(AbTensor *x, double low, double high);
/* The value of the first, with the gradient of x: d y / d x = 1. Both of one shape and type. */
AB_EXPORT AbTensor *ab_straight_through(AbTensor *forward_value, AbTensor *x);

/* ---- functions of one element: x real, any shape --------------------------------------------
 * Outside its domain a function is NaN, and so is its gradient.                                 */
AB_EXPORT AbTensor *ab_neg(AbTensor *x);
AB_EXPORT AbTensor *ab_abs(AbTensor *x); /* gradient at 0: 0 */
AB_EXPORT AbTensor *ab_square(AbTensor *x);
AB_EXPORT AbTensor *ab_sqrt(AbTensor *x);
AB_EXPORT AbTensor *ab_rsqrt(AbTensor *x);      /* 1 / sqrt(x) */
AB_EXPORT AbTensor *ab_reciprocal(AbTensor *x); /* 1 / x */
AB_EXPORT AbTensor *ab_exp(AbTensor *x);
AB_EXPORT AbTensor *ab_expm1(AbTensor *x); /* exp(x) - 1, exact near 0 */
AB_EXPORT AbTensor *ab_log(AbTensor *x);
AB_EXPORT AbTensor *ab_log1p(AbTensor *x); /* log(1 + x), exact near 0 */
AB_EXPORT AbTensor *ab_sin(AbTensor *x);
AB_EXPORT AbTensor *ab_cos(AbTensor *x);
AB_EXPORT AbTensor *ab_tan(AbTensor *x);
AB_EXPORT AbTensor *ab_asin(AbTensor *x);
AB_EXPORT AbTensor *ab_acos(AbTensor *x);
AB_EXPORT AbTensor *ab_atan(AbTensor *x);
AB_EXPORT AbTensor *ab_sinh(AbTensor *x);
AB_EXPORT AbTensor *ab_cosh(AbTensor *x);
AB_EXPORT AbTensor *ab_erf(AbTensor *x);   /* 2 / sqrt(pi) times the integral of exp(-t^2) to x */
AB_EXPORT AbTensor *ab_sign(AbTensor *x);  /* -1, 0 or 1 (0 for NaN); no gradient */
AB_EXPORT AbTensor *ab_floor(AbTensor *x); /* no gradient, as with the next two */
AB_EXPORT AbTensor *ab_ceil(AbTensor *x);
AB_EXPORT AbTensor *ab_round(AbTensor *x); /* halves to the even number */

AB_END_DECLS

#endif
