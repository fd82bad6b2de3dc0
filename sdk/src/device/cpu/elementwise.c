/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of two and three operands on the cpu device: a loop nest whose last axis is a row. */
#include "../activations.h"
#include "cpu.h"
#include "vector-math.h"

#pragma GCC optimize("fp-contract=fast") /* see unary.c */

#define CHEAP  65536 /* elements from which a second thread pays: memory-bound loops */
#define COSTLY 8192  /* the same for exp and its like */

static inline float hard_swish_slope(float x) {
  return x <= -3.f ? 0.f : x < 3.f ? x / 3.f + 0.5f : 1.f;
}

static float remainder_of(float a, float b) {
  float rest = fmodf(a, b);
  return rest != 0.f && (rest < 0.f) != (b < 0.f) ? rest + b : rest;
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct {
  int64_t n, sy, sa, sb;
  float *y; /* may be a (a sum in place): no restrict */
  const float *a, *b;
  float number, other;
} Row;

#define ROW(expression)                                \
  if (r->sy == 1 && r->sa == 1 && r->sb == 1) {        \
    for (int64_t i = 0; i < n; i++) {                  \
      float p = a[i], q = b[i];                        \
      y[i] = (expression);                             \
    }                                                  \
  } else if (r->sy == 1 && r->sa == 1 && r->sb == 0) { \
    float q = b[0];                                    \
    for (int64_t i = 0; i < n; i++) {                  \
      float p = a[i];                                  \
      y[i] = (expression);                             \
    }                                                  \
  } else if (r->sy == 1 && r->sa == 0 && r->sb == 1) { \
    float p = a[0];                                    \
    for (int64_t i = 0; i < n; i++) {                  \
      float q = b[i];                                  \
      y[i] = (expression);                             \
    }                                                  \
  } else {                                             \
    for (int64_t i = 0; i < n; i++) {                  \
      float p = a[i * r->sa], q = b[i * r->sb];        \
      y[i * r->sy] = (expression);                     \
    }                                                  \
  }                                                    \
  break
#define OPERANDS    \
  int64_t n = r->n; \
  float *y = r->y;  \
  const float *a = r->a, *b = r->b

CLONES static void plain_row(AbBinary f, const Row *r) {
  OPERANDS;
  switch (f) {
  case K_ADD: ROW(p + q);
  case K_SUB: ROW(p - q);
  case K_MUL: ROW(p * q);
  case K_DIV: ROW(p / q);
  case K_MIN: ROW(q < p ? q : p);
  case K_MAX: ROW(q > p ? q : p);
  case K_EQUAL: ROW(p == q ? 1.f : 0.f);
  case K_NOT_EQUAL: ROW(p != q ? 1.f : 0.f);
  case K_GREATER: ROW(p > q ? 1.f : 0.f);
  case K_NOT_GREATER: ROW(p <= q ? 1.f : 0.f);
  case K_PRELU: ROW(p > 0.f ? p : p * q);
  default: break;
  }
}

/* p is the gradient, q the result or the argument. */
CLONES static void gradient_row(AbBinary f, const Row *r) {
  const float scale = (float)AB_SELU_SCALE, full = (float)(AB_SELU_SCALE * AB_SELU_ALPHA);
  float number = r->number, other = r->other;
  OPERANDS;
  switch (f) {
  case K_SIGMOID_GRAD: ROW(p * q * (1.f - q));
  case K_TANH_GRAD: ROW(p * (1.f - q * q));
  case K_RELU_GRAD: ROW(q > 0.f ? p : 0.f);
  case K_SOFTPLUS_GRAD: ROW(-p * vector_expm1(-q));
  case K_LEAKY_RELU_GRAD: ROW(q > 0.f ? p : p * number);
  case K_ELU_GRAD: ROW(p * (q > 0.f ? 1.f : q + number));
  case K_SELU_GRAD: ROW(p * (q > 0.f ? scale : q + full));
  case K_RELU6_GRAD: ROW(q > 0.f && q < 6.f ? p : 0.f);
  case K_HARD_TANH_GRAD: ROW(q > -1.f && q < 1.f ? p : 0.f);
  case K_HARD_SIGMOID_GRAD: ROW(q > 0.f && q < 1.f ? p / 6.f : 0.f);
  case K_SOFTSIGN_GRAD: ROW(p * (1.f - fabsf(q)) * (1.f - fabsf(q)));
  case K_LOG_SIGMOID_GRAD: ROW(-p * vector_expm1(q));
  case K_CLAMP_GRAD: ROW(q >= number && q <= other ? p : 0.f);
  case K_HARD_SWISH_GRAD: ROW(p * hard_swish_slope(q));
  case K_GELU_GRAD: ROW(p * vector_gelu_slope(q));
  case K_GELU_TANH_GRAD: ROW(p * vector_gelu_tanh_slope(q));
  case K_SWISH_GRAD: ROW(p * vector_swish_slope(q));
  case K_MISH_GRAD: ROW(p * vector_mish_slope(q));
  case K_BENT_IDENTITY_GRAD: ROW(p * vector_bent_identity_slope(q));
  case K_GAUSSIAN_GRAD: ROW(p * (-2.f * q * vector_gaussian(q)));
  case K_TANHSHRINK_GRAD: ROW(p * vector_tanh(q) * vector_tanh(q));
  default: break;
  }
}

/* From the library. */
static void library_row(AbBinary f, const Row *r) {
  OPERANDS;
  switch (f) {
  case K_ATAN2: ROW(atan2f(p, q));
  case K_REMAINDER: ROW(remainder_of(p, q));
  default: break;
  }
}

CLONES static void pow_row(const Row *r) {
  OPERANDS;
  switch (0) {
  default: ROW(vector_pow(p, q));
  }
}

/* What vector_pow leaves out. */
static void odd_powers(const Row *r) {
  for (int64_t i = 0; i < r->n; i++) {
    float p = r->a[i * r->sa], q = r->b[i * r->sb];
    if (!(p >= 1.17549435e-38f && p <= 3.4028234e38f && q - q == 0.f)) r->y[i * r->sy] = powf(p, q);
  }
}

static void binary_row(AbBinary f, const Row *r) {
  switch (f) {
  case K_POW:
    pow_row(r);
    odd_powers(r);
    break;
  case K_ATAN2:
  case K_REMAINDER: library_row(f, r); break;
  case K_ADD:
  case K_SUB:
  case K_MUL:
  case K_DIV:
  case K_MIN:
  case K_MAX:
  case K_EQUAL:
  case K_NOT_EQUAL:
  case K_GREATER:
  case K_NOT_GREATER:
  case K_PRELU: plain_row(f, r); break;
  default: gradient_row(f, r);
  }
}

/* ---- loop nests ------------------------------------------------------------------------------ */

static void offsets_of(const AbLoop *loop, int64_t row, int64_t *at) {
  for (int k = 0; k < AB_OPERANDS; k++) at[k] = 0;
  for (int32_t i = loop->rank - 2; i >= 0; i--) {
    int64_t index = row % loop->shape[i];
    row /= loop->shape[i];
    for (int k = 0; k < AB_OPERANDS; k++) at[k] += index * loop->stride[k][i];
  }
}

/* Rows of the nest without its last axis; of a nest of rank 1 and below, elements of the one row.
 */
static void in_rows(const AbLoop *loop, int64_t grain, CpuRange rows, CpuRange flat, void *job) {
  int64_t count = 1;
  for (int32_t i = 0; i + 1 < loop->rank; i++) count *= loop->shape[i];
  int64_t inner = loop->rank > 0 ? loop->shape[loop->rank - 1] : 1;
  if (loop->rank < 2)
    cpu_parallel(inner, grain, flat, job);
  else if (inner > 0)
    cpu_parallel(count, grain / inner + 1, rows, job);
}

typedef struct {
  AbBinary f;
  const AbLoop *loop;
  float *y;
  const float *a, *b;
  float number, other;
} BinaryJob;

static Row row_at(const BinaryJob *j, const int64_t *at, int64_t n) {
  int32_t last = j->loop->rank - 1;
  Row r = {n, 1, 1, 1, j->y + at[0], j->a + at[1], j->b + at[2], j->number, j->other};
  if (last < 0) return r;
  r.sy = j->loop->stride[0][last];
  r.sa = j->loop->stride[1][last];
  r.sb = j->loop->stride[2][last];
  return r;
}

static void binary_rows(int64_t from, int64_t to, void *job) {
  const BinaryJob *j = job;
  for (int64_t row = from; row < to; row++) {
    int64_t at[AB_OPERANDS];
    offsets_of(j->loop, row, at);
    Row r = row_at(j, at, j->loop->shape[j->loop->rank - 1]);
    binary_row(j->f, &r);
  }
}

static void binary_flat(int64_t from, int64_t to, void *job) {
  const BinaryJob *j = job;
  Row r = row_at(j, (int64_t[AB_OPERANDS]){0}, to - from);
  r.y += from * r.sy;
  r.a += from * r.sa;
  r.b += from * r.sb;
  binary_row(j->f, &r);
}

static bool costly(AbBinary f) {
  switch (f) {
  case K_SOFTPLUS_GRAD:
  case K_POW:
  case K_ATAN2:
  case K_REMAINDER: return true;
  default: return f >= K_GELU_GRAD || f == K_LOG_SIGMOID_GRAD;
  }
}

void cpu_binary_by(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                   const void *b, double p, double q) {
  if (dtype != AB_F32) {
    ab_device_reference.binary_by(f, dtype, loop, y, a, b, p, q);
    return;
  }
  BinaryJob job = {f, loop, y, a, b, (float)p, (float)q};
  in_rows(loop, costly(f) ? COSTLY : CHEAP, binary_rows, binary_flat, &job);
}

void cpu_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                const void *b) {
  cpu_binary_by(f, dtype, loop, y, a, b, f == K_LEAKY_RELU_GRAD ? AB_LEAKY_SLOPE : 1, 0);
}

/* ---- choice ---------------------------------------------------------------------------------- */

typedef struct {
  const AbLoop *loop;
  float *y;
  AbDtype any;
  const void *condition;
  const float *a, *b;
} WhereJob;

#define CHOOSE(Type)                                                                              \
  do {                                                                                            \
    const Type *c = (const Type *)j->condition + at[1];                                           \
    if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 1)                                         \
      for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0 ? a[i] : b[i];                             \
    else if (s[0] == 1 && s[1] == 1 && s[2] == 1 && s[3] == 0)                                    \
      for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0 ? a[i] : b[0];                             \
    else if (s[0] == 1 && s[1] == 1 && s[2] == 0 && s[3] == 1)                                    \
      for (int64_t i = 0; i < n; i++) y[i] = c[i] != 0 ? a[0] : b[i];                             \
    else                                                                                          \
      for (int64_t i = 0; i < n; i++) y[i * s[0]] = c[i * s[1]] != 0 ? a[i * s[2]] : b[i * s[3]]; \
  } while (0)

CLONES static void where_row(const WhereJob *j, const int64_t *at, const int64_t *s, int64_t n) {
  float *restrict y = j->y + at[0];
  const float *restrict a = j->a + at[2], *restrict b = j->b + at[3];
  switch (j->any) {
  case AB_F32: CHOOSE(float); break;
  case AB_F64: CHOOSE(double); break;
  case AB_I32: CHOOSE(int32_t); break;
  case AB_I64: CHOOSE(int64_t); break;
  default: CHOOSE(uint8_t);
  }
}

static void strides_of(const AbLoop *loop, int64_t *s) {
  for (int k = 0; k < AB_OPERANDS; k++) s[k] = loop->rank > 0 ? loop->stride[k][loop->rank - 1] : 1;
}

static void where_rows(int64_t from, int64_t to, void *job) {
  const WhereJob *j = job;
  int64_t at[AB_OPERANDS], s[AB_OPERANDS];
  strides_of(j->loop, s);
  for (int64_t row = from; row < to; row++) {
    offsets_of(j->loop, row, at);
    where_row(j, at, s, j->loop->shape[j->loop->rank - 1]);
  }
}

static void where_flat(int64_t from, int64_t to, void *job) {
  const WhereJob *j = job;
  int64_t at[AB_OPERANDS], s[AB_OPERANDS];
  strides_of(j->loop, s);
  for (int k = 0; k < AB_OPERANDS; k++) at[k] = from * s[k];
  where_row(j, at, s, to - from);
}

void cpu_where(AbDtype dtype, const AbLoop *loop, void *y, AbDtype any, const void *condition,
               const void *a, const void *b) {
  WhereJob job = {loop, y, any, condition, a, b};
  if (dtype != AB_F32)
    ab_device_reference.where(dtype, loop, y, any, condition, a, b);
  else
    in_rows(loop, CHEAP, where_rows, where_flat, &job);
}
