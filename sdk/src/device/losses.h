/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused losses. Kernels of a device: see device.h for what holds for all.                        */
#ifndef SDK_DEVICE_LOSSES_H
#define SDK_DEVICE_LOSSES_H

#include "device.h"

/* Losses of two numbers a and b, d = a - b; p is a parameter. absdk/losses.h has the equations. */
typedef enum {
  K_LOSS_L1,
  K_LOSS_SQUARED,
  K_LOSS_HUBER, /* p = delta */
  K_LOSS_TUKEY, /* p = c */
  K_LOSS_LOG_COSH,
  K_LOSS_HINGE,
  K_LOSS_SQUARED_HINGE,
  K_LOSS_POISSON,
  K_LOSS_KL,         /* a = p, b = t */
  K_LOSS_KL_LOG,     /* a = log p, b = t */
  K_LOSS_KL_NORMAL,  /* a = mean, b = log variance */
  K_LOSS_BCE,        /* a = p, b = t; NaN for a p outside [0, 1] */
  K_LOSS_BCE_LOGITS, /* a = x, b = t */
  K_LOSS_COUNT,
} AbPairLoss;

/* A job of two vectors; y is what is written, where something is. */
typedef struct {
  int64_t n;
  const void *a, *b;
  double p;
  void *y;
  /* of gradients: y := scale g f', g one number or (`each`) one for each; f' by a, or by b */
  const void *g;
  double scale;
  bool each, by_b;
} AbPairJob;

struct AbLossKernels {
  void (*pair)(AbPairLoss f, AbDtype dtype, const AbPairJob *job);
  double (*pair_sum)(AbPairLoss f, AbDtype dtype, const AbPairJob *job); /* in f64 */
  void (*pair_grad)(AbPairLoss f, AbDtype dtype, const AbPairJob *job);

  /* y [rows] := sum_c t_c (-log softmax(logits)_c) of logits [rows, cols], where t_c = weights[c]
   * (smoothing / cols + (1 - smoothing) [c = label]) (weights NULL: 1). `norm` [rows, 2]: the
   * largest logit of each row, and the logarithm of the sum of exp(logit - largest).             */
  void (*cross_entropy)(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                        const void *logits, const int64_t *labels, const void *weights,
                        double smoothing);
  /* dz [rows, cols] := g[row] (softmax(logits) sum_c t_c - t) */
  void (*cross_entropy_grad)(AbDtype dtype, int64_t rows, int64_t cols, void *dz, const void *g,
                             const void *norm, const void *logits, const int64_t *labels,
                             const void *weights, double smoothing);
  /* The same for targets t [rows, cols] that are given. */
  void (*soft_cross_entropy)(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                             const void *logits, const void *t);
  /* dt [rows, cols] := -g[row] log softmax(logits); either of dz and dt may be NULL */
  void (*soft_cross_entropy_grad)(AbDtype dtype, int64_t rows, int64_t cols, void *dz, void *dt,
                                  const void *g, const void *norm, const void *logits,
                                  const void *t);
  /* y [rows] := -log_p[row, label];  d [rows, cols] := -g[row] at the label, else 0 */
  void (*nll)(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *log_p,
              const int64_t *labels);
  void (*nll_grad)(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                   const int64_t *labels);

  /* y [rows] := sqrt(mean over cols of (a - b)^2);  d := g[row] (a - b) / (cols y[row]), 0 where
   * y is 0                                                                                       */
  void (*root_mean_square)(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *a,
                           const void *b);
  void (*root_mean_square_grad)(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                                const void *y, const void *a, const void *b);
  /* y [rows] := a b / (|a| |b|), norms [rows, 2] := 1 / |a|, 1 / |b|, each |x| at least epsilon */
  void (*cosine)(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, void *y, void *norms,
                 const void *a, const void *b);
  /* d := g[row] (b / (|a| |b|) - y[row] a / |a|^2), the last only where |a| > epsilon; `by_b`: the
   * same with a and b, and their norms, exchanged                                                */
  void (*cosine_grad)(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, bool by_b, void *d,
                      const void *g, const void *y, const void *norms, const void *a,
                      const void *b);
};

extern const AbLossKernels reference_losses, cpu_losses;

#endif
