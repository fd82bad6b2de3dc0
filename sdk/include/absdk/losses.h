/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses as single operations: one pass over the operands for the value, one for the gradient, and
 * no temporary tensors. All have second derivatives.                                            */
#ifndef ABSDK_LOSSES_H
#define ABSDK_LOSSES_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- losses of two numbers --------------------------------------------------------------------
 * Real tensors of one shape (nothing stretches: a loss that broadcasts hides a mistake), d = a - b.
 * AB_LOSS_EACH gives a loss for each element, in their shape; the others a scalar: the sum, or the
 * mean over all elements (of nothing: an error).                                                */
typedef int32_t AbLossForm;
enum {
  AB_LOSS_EACH = 0,
  AB_LOSS_MEAN = 1,
  AB_LOSS_SUM = 2,
};

AB_EXPORT AbTensor *ab_l1_loss(AbTensor *a, AbTensor *b, AbLossForm form); /* |d|; slope at 0: 0 */
AB_EXPORT AbTensor *ab_squared_error(AbTensor *a, AbTensor *b, AbLossForm form); /* d^2 */
/* d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); delta > 0.  Huber 1964 */
AB_EXPORT AbTensor *ab_huber(AbTensor *a, AbTensor *b, double delta, AbLossForm form);
/* d^2 / (2 beta) where |d| <= beta, else |d| - beta / 2: Huber's over beta > 0.  Girshick 2015 */
AB_EXPORT AbTensor *ab_smooth_l1(AbTensor *a, AbTensor *b, double beta, AbLossForm form);
/* (1 - (1 - (d / c)^2)^3) c^2 / 6 where |d| < c, else c^2 / 6; c > 0.  Beaton & Tukey 1974 */
AB_EXPORT AbTensor *ab_tukey_biweight(AbTensor *a, AbTensor *b, double c, AbLossForm form);
AB_EXPORT AbTensor *ab_log_cosh(AbTensor *a, AbTensor *b, AbLossForm form); /* log cosh d */
/* max(0, 1 - t x) and its square, t = -1 or 1; slope at the kink: 0.  Cortes & Vapnik 1995 */
AB_EXPORT AbTensor *ab_hinge(AbTensor *x, AbTensor *t, AbLossForm form);
AB_EXPORT AbTensor *ab_squared_hinge(AbTensor *x, AbTensor *t, AbLossForm form);
/* exp(x) - t x: counts t, x the logarithm of their rate; log t! is left out */
AB_EXPORT AbTensor *ab_poisson_nll(AbTensor *x, AbTensor *t, AbLossForm form);
/* t log(t / p), 0 where t is 0, of probabilities; p is kept 1e-7 (f32) or 1e-15 (f64) above 0. Over
 * all classes the sum is the divergence of p from t.  Kullback & Leibler 1951. The slope by t where
 * t is 0 is given as 0 (it has none). A t below 0 gives NaN.                                    */
AB_EXPORT AbTensor *ab_kl_divergence(AbTensor *p, AbTensor *t, AbLossForm form);
/* The same of log p (ab_log_softmax), exact where p underflows. */
AB_EXPORT AbTensor *ab_kl_divergence_log(AbTensor *log_p, AbTensor *t, AbLossForm form);
/* (mean^2 + exp(v) - 1 - v) / 2, v the logarithm of a variance: the divergence of a normal number
 * from one of mean 0 and variance 1. Summed over its axes, that of a code of a variational
 * auto-encoder.  Kingma & Welling 2014, appendix B                                              */
AB_EXPORT AbTensor *ab_kl_normal(AbTensor *mean, AbTensor *log_variance, AbLossForm form);

/* -t log p - (1 - t) log(1 - p), element by element, t in [0, 1]. Where p was recorded as a result
 * of ab_sigmoid (perhaps reshaped), the argument of the sigmoid is used, which is exact where p
 * rounds to 0 or 1; else p is kept 1e-7 (f32) or 1e-15 (f64) away from 0 and 1. A p outside [0, 1]
 * is no probability: NaN, or with a form that sums an error that names it.                      */
AB_EXPORT AbTensor *ab_binary_cross_entropy(AbTensor *p, AbTensor *t);
AB_EXPORT AbTensor *ab_binary_cross_entropy_reduced(AbTensor *p, AbTensor *t, AbLossForm form);
/* The same of p = sigmoid(x): max(x, 0) - x t + log(1 + exp(-|x|)) */
AB_EXPORT AbTensor *ab_binary_cross_entropy_logits(AbTensor *x, AbTensor *t, AbLossForm form);

/* ---- losses of classes ------------------------------------------------------------------------
 * One per row: logits [n, classes], labels [n] (AB_I64, AB_I32 or AB_U8) -> [n]. A label outside
 * 0..classes-1 is an error that names its row.                                                  */
/* -log softmax(logits)[label] */
AB_EXPORT AbTensor *ab_cross_entropy(AbTensor *logits, AbTensor *labels);
/* sum_c t_c (-log softmax(logits)_c) with t_c = w_c (smoothing / classes + (1 - smoothing)
 * [c = label]).  weights w [classes] (constants: no gradient) or AB_NONE; smoothing in [0, 1]:
 * Szegedy et al. 2016. As in PyTorch, whose mean divides by the sum of the labels' weights.      */
AB_EXPORT AbTensor *ab_cross_entropy_weighted(AbTensor *logits, AbTensor *labels, AbTensor *weights,
                                              double smoothing);
/* sum_c t_c (-log softmax(logits)_c) for targets t [n, classes], which may have a gradient. */
AB_EXPORT AbTensor *ab_cross_entropy_soft(AbTensor *logits, AbTensor *targets);
/* -log_p[label], of log-probabilities [n, classes] */
AB_EXPORT AbTensor *ab_nll(AbTensor *log_p, AbTensor *labels);

/* ---- losses of samples ----------------------------------------------------------------------- */
/* sqrt(mean over a sample of (a - b)^2), one per sample: [n, ...] -> [n]. The slope at 0 is 0. */
AB_EXPORT AbTensor *ab_root_mean_square(AbTensor *a, AbTensor *b);
/* a b / (|a| |b|) along the last axis: [..., d] -> [...]; each length is at least 1e-8, below which
 * it is a constant to the gradient.                                                             */
AB_EXPORT AbTensor *ab_cosine_similarity(AbTensor *a, AbTensor *b);

AB_END_DECLS

#endif
