/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one element on the cpu device, and the bias with its activation. */
#include "unary.h"
#include "../activations.h"
#include "vector-math.h"

/* Sums of products are taken with one rounding where the machine can: the polynomials are faster
 * so, and no less exact.                                                                         */
#pragma GCC optimize("fp-contract=fast")

#define CHEAP  65536 /* elements from which a second thread pays: memory-bound loops */
#define COSTLY 8192  /* the same for exp and its like */

#define EACH(expression)            \
  for (int64_t i = 0; i < n; i++) { \
    float v = x[i];                 \
    y[i] = (expression);            \
  }                                 \
  break

static inline float between(float x, float low, float high) {
  float y = x < low ? low : x;
  return y > high ? high : y;
}

/* Functions without a version of their own in vectors, from the library. */
static void library(AbUnary f, int64_t n, float *y, const float *x) {
  switch (f) {
  case K_TAN: EACH(tanf(v));
  case K_ASIN: EACH(asinf(v));
  case K_ACOS: EACH(acosf(v));
  case K_ATAN: EACH(atanf(v));
  default: break;
  }
}

/* Whether an element is outside [low, high], or NaN. */
CLONES static bool outside(int64_t n, const float *x, float low, float high) {
  int32_t count = 0;
  for (int64_t i = 0; i < n; i++) count |= !(x[i] >= low && x[i] <= high);
  return count != 0;
}

/* Angles that are too large for vector_sin and vector_cos. */
static void large_angles(AbUnary f, int64_t n, float *y, const float *x) {
  if (!outside(n, x, -VECTOR_ANGLE, VECTOR_ANGLE)) return;
  for (int64_t i = 0; i < n; i++)
    if (!(fabsf(x[i]) <= VECTOR_ANGLE)) y[i] = f == K_SIN ? sinf(x[i]) : cosf(x[i]);
}

/* What vector_pow leaves out. */
static void odd_powers(int64_t n, float *y, const float *x, float exponent) {
  if (!outside(n, x, 1.17549435e-38f, 3.4028234e38f)) return;
  for (int64_t i = 0; i < n; i++)
    if (!(x[i] >= 1.17549435e-38f && x[i] <= 3.4028234e38f)) y[i] = powf(x[i], exponent);
}

CLONES static void powers(int64_t n, float *restrict y, const float *restrict x, float exponent) {
  for (int64_t i = 0; i < n; i++) y[i] = vector_pow(x[i], exponent);
}

CLONES static void whole_powers(int64_t n, float *restrict y, const float *restrict x,
                                int exponent) {
  switch (exponent) {
  case -2: EACH(1.f / (v * v));
  case -1: EACH(1.f / v);
  case 0:
    for (int64_t i = 0; i < n; i++) y[i] = 1.f;
    break;
  case 1: EACH(v);
  case 2: EACH(v * v);
  default: EACH(v * v * v);
  }
}

static void power(int64_t n, float *y, const float *x, float exponent) {
  if (exponent >= -2 && exponent <= 3 && exponent == truncf(exponent)) {
    whole_powers(n, y, x, (int)exponent);
  } else if (exponent - exponent == 0) {
    powers(n, y, x, exponent);
    odd_powers(n, y, x, exponent);
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = powf(x[i], exponent);
  }
}

CLONES static void activations(AbUnary f, int64_t n, float *restrict y, const float *restrict x,
                               float a) {
  const float scale = (float)AB_SELU_SCALE, alpha = (float)AB_SELU_ALPHA;
  switch (f) {
  case K_SIGMOID: EACH(vector_sigmoid(v));
  case K_TANH: EACH(vector_tanh(v));
  case K_RELU: EACH(v < 0.f ? 0.f : v);
  case K_SOFTPLUS: EACH(vector_softplus(v));
  case K_LEAKY_RELU: EACH(v > 0.f ? v : a * v);
  case K_ELU: EACH(vector_elu(v, a));
  case K_SELU: EACH(scale * vector_elu(v, alpha));
  case K_RELU6: EACH(between(v, 0.f, 6.f));
  case K_HARD_TANH: EACH(between(v, -1.f, 1.f));
  case K_HARD_SIGMOID: EACH(between(v / 6.f + 0.5f, 0.f, 1.f));
  case K_HARD_SWISH: EACH(v * between(v / 6.f + 0.5f, 0.f, 1.f));
  case K_GELU: EACH(vector_gelu(v));
  case K_GELU_TANH: EACH(vector_gelu_tanh(v));
  case K_SWISH: EACH(vector_swish(v));
  case K_MISH: EACH(vector_mish(v));
  case K_SOFTSIGN: EACH(v / (1.f + fabsf(v)));
  case K_BENT_IDENTITY: EACH(vector_bent_identity(v));
  case K_GAUSSIAN: EACH(vector_gaussian(v));
  case K_STEP: EACH(v > 0.f ? 1.f : 0.f);
  case K_TANHSHRINK: EACH(v - vector_tanh(v));
  case K_LOG_SIGMOID: EACH(-vector_softplus(-v));
  default: break;
  }
}

CLONES static void functions(AbUnary f, int64_t n, float *restrict y, const float *restrict x,
                             float a, float b) {
  switch (f) {
  case K_ABS: EACH(fabsf(v));
  case K_SQUARE: EACH(v * v);
  case K_SQRT: EACH(sqrtf(v));
  case K_RSQRT: EACH(1.f / sqrtf(v));
  case K_RECIPROCAL: EACH(1.f / v);
  case K_EXP: EACH(vector_exp(v));
  case K_EXPM1: EACH(vector_expm1(v));
  case K_LOG: EACH(vector_log(v));
  case K_LOG1P: EACH(vector_log1p(v));
  case K_SIGN: EACH((v > 0.f ? 1.f : 0.f) - (v < 0.f ? 1.f : 0.f));
  case K_SIN: EACH(vector_sin(v));
  case K_COS: EACH(vector_cos(v));
  case K_SINH: EACH(vector_sinh(v));
  case K_COSH: EACH(vector_cosh(v));
  case K_ERF: EACH(vector_erf(v));
  case K_FLOOR: EACH(floorf(v));
  case K_CEIL: EACH(ceilf(v));
  case K_ROUND: EACH(rintf(v));
  case K_IS_NAN: EACH(v != v ? 1.f : 0.f);
  case K_IS_FINITE: EACH(v - v == 0.f ? 1.f : 0.f);
  case K_CLAMP: EACH(between(v, a, b));
  default: break;
  }
}

void cpu_elements(AbUnary f, int64_t n, float *y, const float *x, float a, float b) {
  switch (f) {
  case K_TAN:
  case K_ASIN:
  case K_ACOS:
  case K_ATAN: library(f, n, y, x); break;
  case K_POWER: power(n, y, x, a); break;
  case K_SIGMOID:
  case K_TANH:
  case K_RELU:
  case K_SOFTPLUS: activations(f, n, y, x, a); break;
  default:
    if (f >= K_LEAKY_RELU)
      activations(f, n, y, x, a);
    else
      functions(f, n, y, x, a, b);
    if (f == K_SIN || f == K_COS) large_angles(f, n, y, x);
  }
}

typedef struct {
  AbUnary f;
  float *y;
  const float *x;
  float a, b;
} UnaryJob;

static void unary_range(int64_t from, int64_t to, void *job) {
  const UnaryJob *j = job;
  cpu_elements(j->f, to - from, j->y + from, j->x + from, j->a, j->b);
}

/* Whether a loop over f is bound by memory. */
static bool cheap(AbUnary f) {
  switch (f) {
  case K_ABS:
  case K_SQUARE:
  case K_SIGN:
  case K_FLOOR:
  case K_CEIL:
  case K_ROUND:
  case K_IS_NAN:
  case K_IS_FINITE:
  case K_CLAMP:
  case K_RELU:
  case K_LEAKY_RELU:
  case K_RELU6:
  case K_HARD_TANH:
  case K_STEP: return true;
  default: return false;
  }
}

static float preset(AbUnary f) {
  return f == K_LEAKY_RELU ? (float)AB_LEAKY_SLOPE : 1.f;
}

void cpu_unary_by(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x, double a, double b) {
  if (dtype != AB_F32) {
    ab_device_reference.unary_by(f, dtype, n, y, x, a, b);
    return;
  }
  UnaryJob job = {f, y, x, (float)a, (float)b};
  cpu_parallel(n, cheap(f) ? CHEAP : COSTLY, unary_range, &job);
}

void cpu_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x) {
  if (dtype != AB_F32)
    ab_device_reference.unary(f, dtype, n, y, x);
  else
    cpu_unary_by(f, dtype, n, y, x, (double)preset(f), 0);
}

CLONES static void affine_range(int64_t from, int64_t to, void *job) {
  const UnaryJob *j = job;
  float *restrict y = j->y;
  const float *restrict x = j->x, scale = j->a, shift = j->b;
  for (int64_t i = from; i < to; i++) y[i] = scale * x[i] + shift;
}

void cpu_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale, double shift) {
  if (dtype != AB_F32) {
    ab_device_reference.affine(dtype, n, y, x, scale, shift);
    return;
  }
  UnaryJob job = {.y = y, .x = x, .a = (float)scale, .b = (float)shift};
  cpu_parallel(n, CHEAP, affine_range, &job);
}

/* ---- bias and activation --------------------------------------------------------------------- */

typedef struct {
  AbActivation f;
  int64_t cols;
  float *y;
  const float *b;
} BiasJob;

#define BIAS(expression)               \
  for (int64_t j = 0; j < cols; j++) { \
    float v = y[j] + b[j];             \
    y[j] = (expression);               \
  }                                    \
  break

/* y [cols] := f(y + b); false where there is only y + b yet */
CLONES static bool bias_row(AbActivation f, int64_t cols, float *restrict y,
                            const float *restrict b) {
  switch (f) {
  case AB_SIGMOID: BIAS(vector_sigmoid(v));
  case AB_TANH: BIAS(vector_tanh(v));
  case AB_RELU: BIAS(v < 0.f ? 0.f : v);
  case AB_SOFTPLUS: BIAS(vector_softplus(v));
  default:
    for (int64_t j = 0; j < cols; j++) y[j] += b[j];
    return f == AB_IDENTITY;
  }
  return true;
}

static void bias_rows(int64_t from, int64_t to, void *job) {
  const BiasJob *k = job;
  AbUnary unary = ab_activation_kernels(k->f).f;
  float number = preset(unary);
  for (int64_t row = from; row < to; row++) {
    float *y = k->y + row * k->cols;
    if (!bias_row(k->f, k->cols, y, k->b)) cpu_elements(unary, k->cols, y, y, number, 0);
  }
}

void cpu_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                       const void *b) {
  if (dtype != AB_F32) {
    ab_device_reference.bias_activate(dtype, f, rows, cols, y, b);
  } else if (!b) {
    if (f != AB_IDENTITY) cpu_unary(ab_activation_kernels(f).f, dtype, rows * cols, y, y);
  } else if (cols > 0) {
    BiasJob job = {f, cols, y, b};
    int64_t grain = f == AB_IDENTITY || cheap(ab_activation_kernels(f).f) ? CHEAP : COSTLY;
    cpu_parallel(rows, grain / cols + 1, bias_rows, &job);
  }
}
