/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of two numbers on the cpu device: one pass that gives each or the sum, one that gives the
 * gradient. A sum is carried in 16 lanes over a piece of 4,096 numbers, and pieces in f64, in their
 * order. The meaning of each loss is in reference/losses-real.h.                                 */
#include "losses.h"
#include "vector-math.h"

#define GRAIN 32768
#define PIECE 4096
#define LANES 16

/* ---- the losses: NAME_value, and its slopes NAME_a and NAME_b -------------------------------- */

static inline float inside(float p) {
  float q = p < AB_BCE_EDGE_F32 ? AB_BCE_EDGE_F32 : p;
  q = q > 1.f - AB_BCE_EDGE_F32 ? 1.f - AB_BCE_EDGE_F32 : q;
  return p >= 0.f && p <= 1.f ? q : NAN;
}
static inline float above(float p) {
  return p < AB_BCE_EDGE_F32 ? AB_BCE_EDGE_F32 : p;
}
static inline float positive(float x) { /* and NaN stays */
  return x > 0.f ? x : x != x ? x : 0.f;
}

#define VALUE(name, ...)                                        \
  static inline float name##_value(float a, float b, float p) { \
    (void)p;                                                    \
    __VA_ARGS__                                                 \
  }
#define SLOPES(name, by_a, by_b)                            \
  static inline float name##_a(float a, float b, float p) { \
    (void)a, (void)b, (void)p;                              \
    return by_a;                                            \
  }                                                         \
  static inline float name##_b(float a, float b, float p) { \
    (void)a, (void)b, (void)p;                              \
    return by_b;                                            \
  }

static inline float sign_of(float d) {
  float sign = d > 0.f ? 1.f : d < 0.f ? -1.f : 0.f;
  return d != d ? d : sign;
}
VALUE(l1, return fabsf(a - b);)
SLOPES(l1, sign_of(a - b), sign_of(b - a))

VALUE(squared, float d = a - b; return d * d;)
SLOPES(squared, 2.f * (a - b), 2.f * (b - a))

static inline float within(float d, float p) {
  return d > p ? p : d < -p ? -p : d;
}
/* c (d - c / 2) with c = d within +-p: both pieces at once */
VALUE(huber, float d = a - b, c = within(d, p); return c * (d - 0.5f * c);)
SLOPES(huber, within(a - b, p), within(b - a, p))

static inline float tukey_slope(float d, float p) {
  float r = d / p, rest = positive(1.f - r * r);
  return d * rest * rest;
}
VALUE(tukey, float r = (a - b) / p; r = r * r; float most = p * p * (1.f / 6.f);
      return r < 1.f  ? most * r * (3.f - r * (3.f - r))
             : r != r ? r
                      : most;)
/* far out d may be infinite, and infinity times 0 is no number */
SLOPES(tukey, fabsf(a - b) < p || a != a || b != b ? tukey_slope(a - b, p) : 0.f,
       fabsf(a - b) < p || a != a || b != b ? tukey_slope(b - a, p) : 0.f)

static inline float log_cosh(float d) {
  float size = fabsf(d), t = vector_tanh(d);
  float small = -0.5f * vector_log1p(-t * t);
  float large = size + vector_log1p(vector_exp(-2.f * size)) - 0.693147180559945309f;
  return size < 0.625f ? small : large;
}
VALUE(log_cosh, return log_cosh(a - b);)
SLOPES(log_cosh, vector_tanh(a - b), vector_tanh(b - a))

VALUE(hinge, return positive(1.f - a * b);)
SLOPES(hinge, 1.f - a * b > 0.f ? -b : 0.f, 1.f - a * b > 0.f ? -a : 0.f)

VALUE(squared_hinge, float q = positive(1.f - a * b); return q * q;)
SLOPES(squared_hinge, -2.f * b * positive(1.f - a * b), -2.f * a * positive(1.f - a * b))

VALUE(poisson, return vector_exp(a) - b * a;)
SLOPES(poisson, vector_exp(a) - b, -a)

VALUE(kl, float y = b * (vector_log(b) - vector_log(above(a))); return b == 0.f ? 0.f : y;)
SLOPES(kl, -b / above(a), b == 0.f ? 0.f : vector_log(b) - vector_log(above(a)) + 1.f)

VALUE(kl_log, float y = b * (vector_log(b) - a); return b == 0.f ? 0.f : y;)
SLOPES(kl_log, -b, b == 0.f ? 0.f : vector_log(b) - a + 1.f)

/* exp(x) - 1 - x, near 0 by its series */
static inline float exp_beyond_line(float x) {
  float s = 1.f / 40320.f;
  s = s * x + 1.f / 5040.f;
  s = s * x + 1.f / 720.f;
  s = s * x + 1.f / 120.f;
  s = s * x + 1.f / 24.f;
  s = s * x + 1.f / 6.f;
  s = s * x + 0.5f;
  float far = vector_exp(x) - 1.f - x;
  return fabsf(x) < 0.5f ? s * x * x : far;
}
VALUE(kl_normal, return 0.5f * (a * a + exp_beyond_line(b));)
SLOPES(kl_normal, a, 0.5f * (exp_beyond_line(b) + b))

/* log1p(-q) for q below 1: the rounding of 1 - q is made good by vector_log1p */
VALUE(bce, float q = inside(a); return -b * vector_log(q) - (1.f - b) * vector_log1p(-q);)
SLOPES(bce, (inside(a) - b) / (inside(a) * (1.f - inside(a))),
       vector_log1p(-inside(a)) - vector_log(inside(a)))

VALUE(bce_logits, return (a > 0.f ? a : 0.f) - a * b + vector_log1p(vector_exp(-fabsf(a)));)
SLOPES(bce_logits, vector_sigmoid(a) - b, -a)

/* ---- the passes over them -------------------------------------------------------------------- */

#define PASSES(name)                                                                             \
  CLONES static void name##_each(int64_t from, int64_t to, void *job) {                          \
    const AbPairJob *j = job;                                                                    \
    const float *restrict a = j->a, *restrict b = j->b, p = (float)j->p;                         \
    float *restrict y = j->y;                                                                    \
    for (int64_t i = from; i < to; i++) y[i] = name##_value(a[i], b[i], p);                      \
  }                                                                                              \
  CLONES static double name##_piece(int64_t n, const float *restrict a, const float *restrict b, \
                                    float p) {                                                   \
    float lane[LANES] = {0};                                                                     \
    double sum = 0;                                                                              \
    int64_t i = 0;                                                                               \
    for (; i + LANES <= n; i += LANES)                                                           \
      for (int k = 0; k < LANES; k++) lane[k] += name##_value(a[i + k], b[i + k], p);            \
    for (; i < n; i++) sum += (double)name##_value(a[i], b[i], p);                               \
    for (int k = 0; k < LANES; k++) sum += (double)lane[k];                                      \
    return sum;                                                                                  \
  }                                                                                              \
  CLONES static void name##_grad_a(int64_t from, int64_t to, void *job) {                        \
    const AbPairJob *j = job;                                                                    \
    const float *restrict a = j->a, *restrict b = j->b, *restrict g = j->g;                      \
    const float p = (float)j->p, scale = (float)j->scale, one = g[0] * scale;                    \
    float *restrict y = j->y;                                                                    \
    if (j->each)                                                                                 \
      for (int64_t i = from; i < to; i++) y[i] = scale * g[i] * name##_a(a[i], b[i], p);         \
    else                                                                                         \
      for (int64_t i = from; i < to; i++) y[i] = one * name##_a(a[i], b[i], p);                  \
  }                                                                                              \
  CLONES static void name##_grad_b(int64_t from, int64_t to, void *job) {                        \
    const AbPairJob *j = job;                                                                    \
    const float *restrict a = j->a, *restrict b = j->b, *restrict g = j->g;                      \
    const float p = (float)j->p, scale = (float)j->scale, one = g[0] * scale;                    \
    float *restrict y = j->y;                                                                    \
    if (j->each)                                                                                 \
      for (int64_t i = from; i < to; i++) y[i] = scale * g[i] * name##_b(a[i], b[i], p);         \
    else                                                                                         \
      for (int64_t i = from; i < to; i++) y[i] = one * name##_b(a[i], b[i], p);                  \
  }

PASSES(l1)
PASSES(squared)
PASSES(huber)
PASSES(tukey)
PASSES(log_cosh)
PASSES(hinge)
PASSES(squared_hinge)
PASSES(poisson)
PASSES(kl)
PASSES(kl_log)
PASSES(kl_normal)
PASSES(bce)
PASSES(bce_logits)

typedef struct {
  CpuRange each, grad_a, grad_b;
  double (*piece)(int64_t n, const float *a, const float *b, float p);
} Passes;

#define OF(name) \
  { name##_each, name##_grad_a, name##_grad_b, name##_piece }
/* Filled at run time by a function, as the address of a clone is no constant. */
static Passes passes_of(AbPairLoss f) {
  switch (f) {
  case K_LOSS_L1: return (Passes)OF(l1);
  case K_LOSS_SQUARED: return (Passes)OF(squared);
  case K_LOSS_HUBER: return (Passes)OF(huber);
  case K_LOSS_TUKEY: return (Passes)OF(tukey);
  case K_LOSS_LOG_COSH: return (Passes)OF(log_cosh);
  case K_LOSS_HINGE: return (Passes)OF(hinge);
  case K_LOSS_SQUARED_HINGE: return (Passes)OF(squared_hinge);
  case K_LOSS_POISSON: return (Passes)OF(poisson);
  case K_LOSS_KL: return (Passes)OF(kl);
  case K_LOSS_KL_LOG: return (Passes)OF(kl_log);
  case K_LOSS_KL_NORMAL: return (Passes)OF(kl_normal);
  case K_LOSS_BCE: return (Passes)OF(bce);
  default: return (Passes)OF(bce_logits);
  }
}

void cpu_pair(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  if (dtype != AB_F32)
    reference_losses.pair(f, dtype, job);
  else
    cpu_parallel(job->n, GRAIN, passes_of(f).each, (void *)job);
}

double cpu_pair_sum(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  if (dtype != AB_F32) return reference_losses.pair_sum(f, dtype, job);
  Passes passes = passes_of(f);
  const float *a = job->a, *b = job->b, p = (float)job->p;
  int64_t n = job->n, pieces = (n + PIECE - 1) / PIECE;
  double total = 0;
  /* partial sums are added in order below, whatever thread made them */
  for (int64_t base = 0; base < pieces; base += 1024) {
    double partial[1024];
    int64_t count = pieces - base < 1024 ? pieces - base : 1024;
#pragma omp parallel for schedule(static) if (count > 8)
    for (int64_t i = 0; i < count; i++) {
      int64_t from = (base + i) * PIECE;
      partial[i] = passes.piece(n - from < PIECE ? n - from : PIECE, a + from, b + from, p);
    }
    for (int64_t i = 0; i < count; i++) total += partial[i];
  }
  return total;
}

void cpu_pair_grad(AbPairLoss f, AbDtype dtype, const AbPairJob *job) {
  if (dtype != AB_F32) {
    reference_losses.pair_grad(f, dtype, job);
    return;
  }
  Passes passes = passes_of(f);
  cpu_parallel(job->n, GRAIN, job->by_b ? passes.grad_b : passes.grad_a, (void *)job);
}
