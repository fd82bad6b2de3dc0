/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference device: plain loops on one thread, without libraries. It is what to read to learn
 * what a kernel means, and what the other devices are tested against.                            */
#include "../attention.h"
#include "../convolution.h"
#include "../index.h"
#include "../linalg.h"
#include "../losses.h"
#include "../normalization.h"
#include "../optimizers.h"
#include "../philox.h"
#include "../pooling.h"
#include "../recurrent.h"
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

static double load(AbDtype dtype, const void *x, int64_t i) {
  switch (dtype) {
  case AB_F32: return (double)((const float *)x)[i];
  case AB_F64: return ((const double *)x)[i];
  case AB_I32: return ((const int32_t *)x)[i];
  case AB_I64: return (double)((const int64_t *)x)[i];
  default: return ((const uint8_t *)x)[i];
  }
}

static void save(AbDtype dtype, void *y, int64_t i, double value) {
  switch (dtype) {
  case AB_F32: ((float *)y)[i] = (float)value; break;
  case AB_F64: ((double *)y)[i] = value; break;
  case AB_I32: ((int32_t *)y)[i] = (int32_t)value; break;
  case AB_I64: ((int64_t *)y)[i] = (int64_t)value; break;
  case AB_BOOL: ((uint8_t *)y)[i] = value != 0; break;
  default: ((uint8_t *)y)[i] = (uint8_t)value;
  }
}

static void reference_fill(AbDtype dtype, int64_t n, void *y, double value) {
  for (int64_t i = 0; i < n; i++) save(dtype, y, i, value);
}

/* Counts through the shape of a loop: the offsets of its operands. False after the last. */
static bool advance(const AbLoop *loop, int64_t *index, int64_t *at) {
  for (int32_t i = loop->rank - 1; i >= 0; i--) {
    for (int k = 0; k < AB_OPERANDS; k++) at[k] += loop->stride[k][i];
    if (++index[i] < loop->shape[i]) return true;
    for (int k = 0; k < AB_OPERANDS; k++) at[k] -= loop->stride[k][i] * loop->shape[i];
    index[i] = 0;
  }
  return false;
}

static bool nothing(const AbLoop *loop) {
  for (int32_t i = 0; i < loop->rank; i++)
    if (loop->shape[i] == 0) return true;
  return false;
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

#define REAL    float
#define NAME(f) reference_##f##_f32
#define M(name) name##f
#define EDGE    AB_BCE_EDGE_F32
#include "real.h"
#undef REAL
#undef NAME
#undef M
#undef EDGE
#define REAL    double
#define NAME(f) reference_##f##_f64
#define M(name) name
#define EDGE    AB_BCE_EDGE_F64
#include "real.h"
#undef REAL
#undef NAME
#undef M
#undef EDGE

/* Chooses by type. */
#define BY_TYPE(f, ...)                 \
  do {                                  \
    if (dtype == AB_F32)                \
      reference_##f##_f32(__VA_ARGS__); \
    else                                \
      reference_##f##_f64(__VA_ARGS__); \
  } while (0)

static void reference_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x) {
  BY_TYPE(unary, f, n, y, x);
}

static void reference_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale,
                             double shift) {
  BY_TYPE(affine, n, y, x, scale, shift);
}

static void reference_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                             const void *b) {
  BY_TYPE(binary, f, loop, y, a, b);
}

static void reference_reduce(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle,
                             int64_t inner, void *y, const void *x) {
  BY_TYPE(reduce, f, outer, middle, inner, y, x);
}

static void reference_softmax(AbDtype dtype, bool log, int64_t rows, int64_t cols, void *y,
                              const void *x) {
  BY_TYPE(softmax, log, rows, cols, y, x);
}

static void reference_argmax(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y, const void *x) {
  BY_TYPE(argmax, rows, cols, y, x);
}

static void reference_matmul(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                             const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
                             void *c, int64_t ldc) {
  BY_TYPE(matmul, ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

static void reference_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols,
                                    void *y, const void *b) {
  BY_TYPE(bias_activate, f, rows, cols, y, b);
}

static void reference_cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y,
                                    const void *logits, const int64_t *labels) {
  BY_TYPE(cross_entropy, rows, cols, y, logits, labels);
}

static void reference_cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *y,
                                         const void *g, const void *logits, const int64_t *labels) {
  BY_TYPE(cross_entropy_grad, rows, cols, y, g, logits, labels);
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

static void reference_sgd(AbDtype dtype, int64_t n, void *w, const void *g, void *v, double lr,
                          double momentum, bool nesterov) {
  BY_TYPE(sgd, n, w, g, v, lr, momentum, nesterov);
}

static void reference_adam(AbDtype dtype, int64_t n, void *w, const void *g, void *m, void *s,
                           double lr, double b1, double b2, double epsilon, double correction1,
                           double correction2) {
  BY_TYPE(adam, n, w, g, m, s, lr, b1, b2, epsilon, correction1, correction2);
}

/* ---- random numbers -------------------------------------------------------------------------- */

/* Number i of a draw: u uniform in [0, 1), and v for the second of Box and Muller. A block serves
 * four f32 numbers or two f64 numbers; normals take them in pairs.                               */
static double uniform_at(AbDtype dtype, const AbDraw *draw, int64_t i) {
  uint32_t word[4];
  if (dtype == AB_F32) {
    philox_block(draw->key, draw->step, draw->call, (uint64_t)i / 4, word);
    return (double)unit_f32(word[i % 4]);
  }
  philox_block(draw->key, draw->step, draw->call, (uint64_t)i / 2, word);
  return unit_f64(word[i % 2 * 2], word[i % 2 * 2 + 1]);
}

/* Numbers 2j and 2j+1 are sqrt(-2 log(1 - u)) times cos and sin of 2 pi v, with u and v the uniform
 * numbers 2j and 2j+1.                                                                           */
static double normal_at(AbDtype dtype, const AbDraw *draw, int64_t i) {
  double u = uniform_at(dtype, draw, i & ~INT64_C(1));
  double v = uniform_at(dtype, draw, i | 1);
  double radius = sqrt(-2 * log(1 - u)), angle = 2 * 3.14159265358979323846 * v;
  return radius * (i & 1 ? sin(angle) : cos(angle));
}

/* u to [a, b), in the arithmetic of the type, as every device does it. */
static double scaled(AbDtype dtype, double a, double b, double u) {
  if (dtype == AB_F64) return a + (b - a) * u;
  float low = (float)a, high = (float)b;
  return (double)(low + (high - low) * (float)u);
}

static void reference_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y,
                             const AbDraw *draw, double a, double b, const void *p) {
  for (int64_t i = 0; i < n; i++) {
    switch (kind) {
    case K_UNIFORM: save(dtype, y, i, scaled(dtype, a, b, uniform_at(dtype, draw, i))); break;
    case K_NORMAL: save(dtype, y, i, a + b * normal_at(dtype, draw, i)); break;
    case K_BERNOULLI: save(dtype, y, i, uniform_at(dtype, draw, i) < load(dtype, p, i)); break;
    }
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
    .softmax = reference_softmax,
    .argmax = reference_argmax,
    .matmul = reference_matmul,
    .bias_activate = reference_bias_activate,
    .cross_entropy = reference_cross_entropy,
    .cross_entropy_grad = reference_cross_entropy_grad,
    .random = reference_random,
    .sum_squares = reference_sum_squares,
    .clamp = reference_clamp,
    .sgd = reference_sgd,
    .adam = reference_adam,
    .index = &reference_index,
    .linalg = &reference_linalg,
    .convolution = &reference_convolution,
    .pooling = &reference_pooling,
    .normalization = &reference_normalization,
    .recurrent = &reference_recurrent,
    .attention = &reference_attention,
    .losses = &reference_losses,
    .optimizers = &reference_optimizers,
};
