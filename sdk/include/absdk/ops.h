/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations. All are recorded for the backward pass unless said otherwise; all take and return
 * borrowed tensors (see "memory" in context.h); all check shapes and types and leave an error that
 * names the operation and the shapes. Real tensors are AB_F32 or AB_F64; two real operands have
 * one type. Shapes of two operands broadcast as in NumPy: aligned at the last axis, an axis of 1
 * stretches.                                                                                    */
#ifndef ABSDK_OPS_H
#define ABSDK_OPS_H

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

/* ---- shape: the same numbers in another order; no copy where strides can say it -------------- */
AB_EXPORT AbTensor *ab_reshape(AbTensor *x, AbShape shape); /* one axis may be -1: what is left */
AB_EXPORT AbTensor *ab_flatten(AbTensor *x);                /* [n, ...] -> [n, product] */
AB_EXPORT AbTensor *ab_transpose(AbTensor *x, int32_t axis_a, int32_t axis_b);
AB_EXPORT AbTensor *ab_slice(AbTensor *x, int32_t axis, int64_t from, int64_t to); /* [from, to) */
AB_EXPORT AbTensor *ab_broadcast_to(AbTensor *x, AbShape shape);
/* To another element type; a gradient flows between real types only. */
AB_EXPORT AbTensor *ab_cast(AbTensor *x, AbDtype dtype);

/* ---- reductions: x real --------------------------------------------------------------------- */
AB_EXPORT AbTensor *ab_sum(AbTensor *x);  /* over everything, a scalar */
AB_EXPORT AbTensor *ab_mean(AbTensor *x); /* of nothing: an error */
/* Over the axes whose bits are set in `axes` (bit 0: the first axis); `keep` leaves them as 1. */
AB_EXPORT AbTensor *ab_sum_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_mean_axes(AbTensor *x, uint32_t axes, bool keep);
AB_EXPORT AbTensor *ab_argmax(AbTensor *x);      /* along the last axis; AB_I64; first of equals */
AB_EXPORT AbTensor *ab_softmax(AbTensor *x);     /* along the last axis */
AB_EXPORT AbTensor *ab_log_softmax(AbTensor *x); /* along the last axis */

/* ---- products ------------------------------------------------------------------------------- */
/* [m, k] x [k, n] -> [m, n]. Transposed views cost nothing. */
AB_EXPORT AbTensor *ab_matmul(AbTensor *a, AbTensor *b);
/* activation(x W + b): x [n, in], W [in, out], b [out] or AB_NONE -> [n, out] */
AB_EXPORT AbTensor *ab_linear(AbTensor *x, AbTensor *W, AbTensor *b, AbActivation activation);

/* ---- losses --------------------------------------------------------------------------------- */
/* -log softmax(logits)[label], one per row: logits [n, classes], labels [n] (AB_I64, AB_I32 or
 * AB_U8) -> [n]. A label outside 0..classes-1 is an error that names its row.                    */
AB_EXPORT AbTensor *ab_cross_entropy(AbTensor *logits, AbTensor *labels);
/* -t log p - (1 - t) log(1 - p), element-wise, for p in (0, 1) and t in [0, 1]. Where p was
 * recorded as a result of ab_sigmoid (perhaps reshaped), the argument of the sigmoid is used, which
 * is exact where p rounds to 0 or 1; else p is kept 1e-7 (f32) or 1e-15 (f64) away from 0 and 1. */
AB_EXPORT AbTensor *ab_binary_cross_entropy(AbTensor *p, AbTensor *t);
/* labels [n] -> [n, classes] of the context's real type; no gradient. */
AB_EXPORT AbTensor *ab_one_hot(AbTensor *labels, int64_t classes);

/* ---- in-place steps of the optimizers, fused; nothing is recorded ----------------------------
 * w, g and the states have one shape and type.                                                  */
/* v := momentum v + g;  w := w - lr v      (v may be AB_NONE where momentum is 0); with `nesterov`
 * w := w - lr (g + momentum v)                                                                   */
AB_EXPORT void ab_step_sgd(AbTensor *w, AbTensor *g, AbTensor *v, double lr, double momentum,
                           bool nesterov);
/* m := b1 m + (1 - b1) g;  s := b2 s + (1 - b2) g^2;
 * w := w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + epsilon),  t counted from 1             */
AB_EXPORT void ab_step_adam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr,
                            double b1, double b2, double epsilon, int64_t t);

AB_END_DECLS

#endif
