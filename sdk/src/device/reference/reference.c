/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference device: plain loops on one thread, without libraries. It is what to read to learn
 * what a kernel means, and what the other devices are tested against.                            */
#include "reference.h"
#include "../attention.h"
#include "../convolution.h"
#include "../index.h"
#include "../linalg.h"
#include "../losses.h"
#include "../normalization.h"
#include "../optimizers.h"
#include "../pooling.h"
#include "../recurrent.h"
#include "../reductions.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *reference_alloc(size_t bytes) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void reference_release(void *data, size_t bytes) {
  (void)bytes;
  free(data);
}

/* ---- any type -------------------------------------------------------------------------------- */

static void reference_fill(AbDtype dtype, int64_t n, void *y, double value) {
  for (int64_t i = 0; i < n; i++) save(dtype, y, i, value);
}

static void reference_copy(const AbLoop *loop, AbDtype to, void *y, AbDtype from, const void *x) {
  if (nothing(loop)) return;
  int64_t index[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0};
  do {
    if (from == AB_I64 && to == AB_I64) /* not through a double */
      ((int64_t *)y)[at[0]] = ((const int64_t *)x)[at[1]];
    else
      save(to, y, at[0], load(from, x, at[1]));
  } while (advance(loop, index, at));
}

/* ---- real types: each loop once, for float and for double ------------------------------------ */

#define LOOPS "real.h"
#include "both-types.h"

static void reference_reduce(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle,
                             int64_t inner, void *y, const void *x) {
  BY_TYPE(reduce, f, outer, middle, inner, y, x);
}

static void reference_matmul(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                             const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
                             void *c, int64_t ldc) {
  BY_TYPE(matmul, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

static double reference_sum_squares(AbDtype dtype, int64_t n, const void *x) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += load(dtype, x, i) * load(dtype, x, i);
  return sum;
}

static void reference_clamp(AbDtype dtype, int64_t n, void *x, double low, double high) {
  for (int64_t i = 0; i < n; i++) {
    double value = load(dtype, x, i);
    save(dtype, x, i, value < low ? low : value > high ? high : value);
  }
}

const AbDevice ab_device_reference = {
    .name = "reference",
    .alloc = reference_alloc,
    .release = reference_release,
    .fill = reference_fill,
    .copy = reference_copy,
    .unary = reference_unary,
    .affine = reference_affine,
    .binary = reference_binary,
    .reduce = reference_reduce,
    .matmul = reference_matmul,
    .bias_activate = reference_bias_activate,
    .random = reference_random,
    .sum_squares = reference_sum_squares,
    .clamp = reference_clamp,
    .index = &reference_index,
    .linalg = &reference_linalg,
    .convolution = &reference_convolution,
    .pooling = &reference_pooling,
    .normalization = &reference_normalization,
    .recurrent = &reference_recurrent,
    .attention = &reference_attention,
    .losses = &reference_losses,
    .optimizers = &reference_optimizers,
    .reductions = &reference_reductions,
    .unary_by = reference_unary_by,
    .binary_by = reference_binary_by,
    .where = reference_where,
    .dropout = reference_dropout,
    .sample_sigmoid = reference_sample_sigmoid,
    .categorical = reference_categorical,
};
