/* SPDX-License-Identifier: Apache-2.0
 *
 * The losses, a number at a time. */
#include "../losses.h"
#include <math.h>

#define LOOPS "losses-real.h"
#include "both-types.h"

static void pair(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  BY_TYPE(pair, f, job);
}

static double pair_sum(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  return dtype == AB_F32 ? pair_sum_f32(f, job) : pair_sum_f64(f, job);
}

static void pair_grad(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  BY_TYPE(pair_grad, f, job);
}

static void cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                          const void *z, const int64_t *labels, const void *weights,
                          double smoothing) {
  BY_TYPE(cross_entropy, rows, cols, y, norm, z, labels, weights, smoothing);
}

static void cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *dz, const void *g,
                               const void *norm, const void *z, const int64_t *labels,
                               const void *weights, double smoothing) {
  BY_TYPE(cross_entropy_grad, rows, cols, dz, g, norm, z, labels, weights, smoothing);
}

static void soft_cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                               const void *z, const void *t) {
  BY_TYPE(soft_cross_entropy, rows, cols, y, norm, z, t);
}

static void soft_cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *dz, void *dt,
                                    const void *g, const void *norm, const void *z, const void *t) {
  BY_TYPE(soft_cross_entropy_grad, rows, cols, dz, dt, g, norm, z, t);
}

static void nll(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *log_p,
                const int64_t *labels) {
  BY_TYPE(nll, rows, cols, y, log_p, labels);
}

static void nll_grad(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                     const int64_t *labels) {
  BY_TYPE(nll_grad, rows, cols, d, g, labels);
}

static void root_mean_square(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *a,
                             const void *b) {
  BY_TYPE(root_mean_square, rows, cols, y, a, b);
}

static void root_mean_square_grad(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                                  const void *y, const void *a, const void *b) {
  BY_TYPE(root_mean_square_grad, rows, cols, d, g, y, a, b);
}

static void cosine(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, void *y, void *norms,
                   const void *a, const void *b) {
  BY_TYPE(cosine, rows, cols, epsilon, y, norms, a, b);
}

static void cosine_grad(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, bool by_b,
                        void *d, const void *g, const void *y, const void *norms, const void *a,
                        const void *b) {
  BY_TYPE(cosine_grad, rows, cols, epsilon, by_b, d, g, y, norms, a, b);
}

const AbLossKernels reference_losses = {
    .pair = pair,
    .pair_sum = pair_sum,
    .pair_grad = pair_grad,
    .cross_entropy = cross_entropy,
    .cross_entropy_grad = cross_entropy_grad,
    .soft_cross_entropy = soft_cross_entropy,
    .soft_cross_entropy_grad = soft_cross_entropy_grad,
    .nll = nll,
    .nll_grad = nll_grad,
    .root_mean_square = root_mean_square,
    .root_mean_square_grad = root_mean_square_grad,
    .cosine = cosine,
    .cosine_grad = cosine_grad,
};
