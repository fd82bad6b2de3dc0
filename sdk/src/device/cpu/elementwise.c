/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise kernels of the cpu device. */
#include "cpu.h"
#include "vector-math.h"
#include <string.h>

#define CHEAP  65536 /* elements from which a second thread pays: memory-bound loops */
#define COSTLY 8192  /* the same for exp and its like */

/* ---- one operand ----------------------------------------------------------------------------- */

typedef struct {
  AbUnary f;
  float *y;
  const float *x;
  float scale, shift;
} UnaryJob;

#define EACH(expression)                \
  for (int64_t i = from; i < to; i++) { \
    float v = x[i];                     \
    y[i] = (expression);                \
  }                                     \
  break

CLONES static void unary_range(int64_t from, int64_t to, void *job) {
  const UnaryJob *j = job;
  float *restrict y = j->y;
  const float *restrict x = j->x;
  switch (j->f) {
  case K_ABS: EACH(fabsf(v));
  case K_SQUARE: EACH(v * v);
  case K_SQRT: EACH(sqrtf(v));
  case K_EXP: EACH(vector_exp(v));
  case K_LOG: EACH(vector_log(v));
  case K_SIGN: EACH((v > 0.f ? 1.f : 0.f) - (v < 0.f ? 1.f : 0.f));
  case K_SIGMOID: EACH(vector_sigmoid(v));
  case K_TANH: EACH(vector_tanh(v));
  case K_RELU: EACH(v < 0.f ? 0.f : v);
  case K_SOFTPLUS: EACH(vector_softplus(v));
  }
}

void cpu_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x) {
  if (dtype != AB_F32) {
    ab_device_reference.unary(f, dtype, n, y, x);
    return;
  }
  UnaryJob job = {.f = f, .y = y, .x = x};
  bool cheap = f == K_ABS || f == K_SQUARE || f == K_SIGN || f == K_RELU;
  cpu_parallel(n, cheap ? CHEAP : COSTLY, unary_range, &job);
}

CLONES static void affine_range(int64_t from, int64_t to, void *job) {
  const UnaryJob *j = job;
  float *restrict y = j->y;
  const float *restrict x = j->x, scale = j->scale, shift = j->shift;
  for (int64_t i = from; i < to; i++) y[i] = scale * x[i] + shift;
}

void cpu_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale, double shift) {
  if (dtype != AB_F32) {
    ab_device_reference.affine(dtype, n, y, x, scale, shift);
    return;
  }
  UnaryJob job = {.y = y, .x = x, .scale = (float)scale, .shift = (float)shift};
  cpu_parallel(n, CHEAP, affine_range, &job);
}

/* ---- two operands ---------------------------------------------------------------------------- */

static inline float bce(float p, float t) {
  float q = p < AB_BCE_EDGE_F32 ? AB_BCE_EDGE_F32 : p;
  q = q > 1.f - AB_BCE_EDGE_F32 ? 1.f - AB_BCE_EDGE_F32 : q;
  return -t * vector_log(q) - (1.f - t) * vector_log(1.f - q);
}

static inline float bce_logits(float x, float t) {
  float a = x < 0.f ? -x : x;
  return (x > 0.f ? x : 0.f) - x * t + vector_log1p(vector_exp(-a));
}

/* 1 - exp(-y): by its series where the difference would lose digits */
static inline float softplus_slope(float y) {
  float series = y * (1.f - y * (0.5f - y * (1.f / 6.f - y * (1.f / 24.f - y * (1.f / 120.f)))));
  return y < 0.1f ? series : 1.f - vector_exp(-y);
}

#define ROW(expression)                       \
  if (sy == 1 && sa == 1 && sb == 1) {        \
    for (int64_t i = 0; i < n; i++) {         \
      float p = a[i], q = b[i];               \
      y[i] = (expression);                    \
    }                                         \
  } else if (sy == 1 && sa == 1 && sb == 0) { \
    float q = b[0];                           \
    for (int64_t i = 0; i < n; i++) {         \
      float p = a[i];                         \
      y[i] = (expression);                    \
    }                                         \
  } else if (sy == 1 && sa == 0 && sb == 1) { \
    float p = a[0];                           \
    for (int64_t i = 0; i < n; i++) {         \
      float q = b[i];                         \
      y[i] = (expression);                    \
    }                                         \
  } else {                                    \
    for (int64_t i = 0; i < n; i++) {         \
      float p = a[i * sa], q = b[i * sb];     \
      y[i * sy] = (expression);               \
    }                                         \
  }                                           \
  break

/* y may be a (a sum in place): no restrict. */
CLONES static void binary_row(AbBinary f, int64_t n, float *y, int64_t sy, const float *a,
                              int64_t sa, const float *b, int64_t sb) {
  switch (f) {
  case K_ADD: ROW(p + q);
  case K_SUB: ROW(p - q);
  case K_MUL: ROW(p * q);
  case K_DIV: ROW(p / q);
  case K_MIN: ROW(q < p ? q : p);
  case K_MAX: ROW(q > p ? q : p);
  case K_EQUAL: ROW(p == q ? 1.f : 0.f);
  case K_GREATER: ROW(p > q ? 1.f : 0.f);
  case K_NOT_GREATER: ROW(p <= q ? 1.f : 0.f);
  case K_SIGMOID_GRAD: ROW(p * q * (1.f - q));
  case K_TANH_GRAD: ROW(p * (1.f - q * q));
  case K_RELU_GRAD: ROW(q > 0.f ? p : 0.f);
  case K_SOFTPLUS_GRAD: ROW(p * softplus_slope(q));
  case K_BCE: ROW(bce(p, q));
  case K_BCE_LOGITS: ROW(bce_logits(p, q));
  }
}

typedef struct {
  AbBinary f;
  const AbLoop *loop;
  float *y;
  const float *a, *b;
  int64_t inner; /* elements of one row */
} BinaryJob;

/* Rows from to `to` of the loop nest without its last axis. */
static void binary_rows(int64_t from, int64_t to, void *job) {
  const BinaryJob *j = job;
  const AbLoop *loop = j->loop;
  int32_t last = loop->rank - 1;
  for (int64_t row = from; row < to; row++) {
    int64_t rest = row, at[AB_OPERANDS] = {0};
    for (int32_t i = last - 1; i >= 0; i--) {
      int64_t index = rest % loop->shape[i];
      rest /= loop->shape[i];
      for (int k = 0; k < AB_OPERANDS; k++) at[k] += index * loop->stride[k][i];
    }
    binary_row(j->f, j->inner, j->y + at[0], loop->stride[0][last], j->a + at[1],
               loop->stride[1][last], j->b + at[2], loop->stride[2][last]);
  }
}

static void binary_flat(int64_t from, int64_t to, void *job) {
  const BinaryJob *j = job;
  const AbLoop *loop = j->loop;
  int64_t sy = loop->stride[0][0], sa = loop->stride[1][0], sb = loop->stride[2][0];
  binary_row(j->f, to - from, j->y + from * sy, sy, j->a + from * sa, sa, j->b + from * sb, sb);
}

void cpu_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                const void *b) {
  if (dtype != AB_F32) {
    ab_device_reference.binary(f, dtype, loop, y, a, b);
    return;
  }
  int64_t rows = 1;
  for (int32_t i = 0; i + 1 < loop->rank; i++) rows *= loop->shape[i];
  int64_t inner = loop->rank > 0 ? loop->shape[loop->rank - 1] : 1;
  bool costly = f == K_BCE || f == K_BCE_LOGITS || f == K_SOFTPLUS_GRAD;
  int64_t grain = costly ? COSTLY : CHEAP;
  BinaryJob job = {f, loop, y, a, b, inner};
  if (loop->rank == 0)
    binary_row(f, 1, y, 1, a, 1, b, 1);
  else if (loop->rank == 1)
    cpu_parallel(inner, grain, binary_flat, &job);
  else if (inner > 0)
    cpu_parallel(rows, grain / inner + 1, binary_rows, &job);
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

CLONES static void bias_rows(int64_t from, int64_t to, void *job) {
  const BiasJob *k = job;
  int64_t cols = k->cols;
  const float *restrict b = k->b;
  for (int64_t row = from; row < to; row++) {
    float *restrict y = k->y + row * cols;
    switch (k->f) {
    case AB_IDENTITY: BIAS(v);
    case AB_SIGMOID: BIAS(vector_sigmoid(v));
    case AB_TANH: BIAS(vector_tanh(v));
    case AB_RELU: BIAS(v < 0.f ? 0.f : v);
    case AB_SOFTPLUS: BIAS(vector_softplus(v));
    }
  }
}

void cpu_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                       const void *b) {
  static const AbUnary unary[] = {
      [AB_SIGMOID] = K_SIGMOID, [AB_TANH] = K_TANH, [AB_RELU] = K_RELU, [AB_SOFTPLUS] = K_SOFTPLUS};
  if (dtype != AB_F32) {
    ab_device_reference.bias_activate(dtype, f, rows, cols, y, b);
  } else if (!b) {
    UnaryJob job = {.f = f == AB_IDENTITY ? K_ABS : unary[f], .y = y, .x = y};
    if (f != AB_IDENTITY) cpu_parallel(rows * cols, COSTLY, unary_range, &job);
  } else if (cols > 0) {
    BiasJob job = {f, cols, y, b};
    int64_t grain = f == AB_IDENTITY || f == AB_RELU ? CHEAP : COSTLY;
    cpu_parallel(rows, grain / cols + 1, bias_rows, &job);
  }
}

/* ---- filling and copying --------------------------------------------------------------------- */

void cpu_fill(AbDtype dtype, int64_t n, void *y, double value) {
  if (value == 0 && n > 0)
    memset(y, 0, (size_t)n * ab_dtype_size(dtype));
  else
    ab_device_reference.fill(dtype, n, y, value);
}

typedef struct {
  float *y;
  const void *x;
} CopyJob;

static void copy_range(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  memcpy(j->y + from, (const float *)j->x + from, (size_t)(to - from) * sizeof *j->y);
}

CLONES static void bytes_to_floats(int64_t n, float *restrict y, const uint8_t *restrict x) {
  for (int64_t i = 0; i < n; i++) y[i] = (float)x[i];
}

/* Blocks of 16 x 16, so that reads and writes of a transposition both stay in few lines. */
CLONES static void transpose(int64_t rows, int64_t cols, float *y, int64_t sy, const float *x,
                             int64_t sx) {
  for (int64_t i0 = 0; i0 < rows; i0 += 16)
    for (int64_t j0 = 0; j0 < cols; j0 += 16)
      for (int64_t i = i0; i < i0 + 16 && i < rows; i++)
        for (int64_t j = j0; j < j0 + 16 && j < cols; j++) y[i * sy + j] = x[i + j * sx];
}

/* The last axis is dense in y, and repeats or is dense in x: row by row. */
static void copy_rows(const AbLoop *loop, float *y, const float *x) {
  int32_t last = loop->rank - 1;
  int64_t n = loop->shape[last], rows = 1;
  for (int32_t i = 0; i < last; i++) rows *= loop->shape[i];
  for (int64_t row = 0; row < rows; row++) {
    int64_t rest = row, at[2] = {0};
    for (int32_t i = last - 1; i >= 0; i--) {
      int64_t index = rest % loop->shape[i];
      rest /= loop->shape[i];
      for (int k = 0; k < 2; k++) at[k] += index * loop->stride[k][i];
    }
    float *to = y + at[0];
    const float *from = x + at[1];
    if (loop->stride[1][last] == 1)
      memcpy(to, from, (size_t)n * sizeof *to);
    else
      for (int64_t i = 0; i < n; i++) to[i] = *from;
  }
}

void cpu_copy(const AbLoop *loop, AbDtype to, void *y, AbDtype from, const void *x) {
  int32_t last = loop->rank - 1;
  bool single = loop->rank == 1 && loop->stride[0][0] == 1 && loop->stride[1][0] == 1;
  if (to == AB_F32 && from == AB_F32 && single) {
    CopyJob job = {y, x};
    cpu_parallel(loop->shape[0], CHEAP, copy_range, &job);
  } else if (to == AB_F32 && from == AB_U8 && single) {
    bytes_to_floats(loop->shape[0], y, x);
  } else if (to == AB_F32 && from == AB_F32 && loop->rank > 0 && loop->stride[0][last] == 1 &&
             (loop->stride[1][last] == 1 || loop->stride[1][last] == 0)) {
    copy_rows(loop, y, x);
  } else if (to == AB_F32 && from == AB_F32 && loop->rank == 2 && loop->stride[0][1] == 1 &&
             loop->stride[1][0] == 1) {
    transpose(loop->shape[0], loop->shape[1], y, loop->stride[0][0], x, loop->stride[1][1]);
  } else {
    ab_device_reference.copy(loop, to, y, from, x);
  }
}
