/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementary functions of f32 without branches, so that loops over them are vectorised. Reduction
 * and polynomials as in Cephes (Moshier, "Methods and programs for mathematical functions", 1989).
 * Errors against f64 without fused multiplication, measured by tests/unit/sdk/vector-math.c over
 * their whole range, in ulp: exp, log, pow, gaussian 1.2, log1p 1.5, sin, cos 1.5, expm1 1.7, log1p
 * of [0, 1] 1.9, tanh, sigmoid, softplus 2.4, erf 2.5, swish 2.7, mish 3.8, sinh, cosh 4, gelu 6.3;
 * but 0 where sigmoid, gaussian, gelu and swish should be denormal (sigmoid from x = -88 down); cos
 * and sin of a turn 1e-7. Polynomials without a source were fitted to the least relative error.  */
#ifndef SDK_DEVICE_CPU_VECTOR_MATH_H
#define SDK_DEVICE_CPU_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float bits_to_float(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static inline int32_t float_to_bits(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* 2^k for -127 < k < 128; any k is defined, as that of a NaN is anything. */
static inline float power_of_two(int32_t k) {
  return bits_to_float((int32_t)(((uint32_t)k + 127) << 23));
}

static inline float magnitude(float x) {
  return bits_to_float(float_to_bits(x) & 0x7fffffff);
}
/* x with the sign of `of`, for an x that is not negative */
static inline float signed_as(float x, float of) {
  return bits_to_float(float_to_bits(x) | (float_to_bits(of) & INT32_MIN));
}

/* x + low = n ln 2 + r, n = round((x + low) / ln 2), |r| <= ln 2 / 2; low is a small part that x
 * has no digits for. Returns exp(r) - 1, and n as it lies in the last bits of *shifted = n + 1.5 *
 * 2^23. A NaN comes back.                                                                        */
static inline float reduced_expm1(float x, float low, float *shifted) {
  *shifted = (x + low) * 1.44269504088896341f + 12582912.f; /* rounds to an integer */
  float n = *shifted - 12582912.f;
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f + low;
  float p = 1.3882261701e-3f;
  p = p * r + 8.3678551018e-3f;
  p = p * r + 4.1667245328e-2f;
  p = p * r + 1.6666533053e-1f;
  p = p * r + 4.9999997020e-01f;
  return p * (r * r) + r;
}
/* 2^n of it: 0 for n = -127, infinity for n = 128 */
static inline float shifted_power(float shifted) {
  return bits_to_float((int32_t)(((uint32_t)float_to_bits(shifted) << 23) + 0x3f800000u));
}

/* In two steps of 2^(n/2), so that denormal results come out. */
static inline float vector_exp(float x) {
  float t = x > 88.8f ? 88.8f : x, shifted;
  t = t < -104.f ? -104.f : t;
  float p = reduced_expm1(t, 0.f, &shifted) + 1.f;
  int32_t k = float_to_bits(shifted) - 0x4B400000, half = k >> 1;
  return p * power_of_two(half) * power_of_two(k - half);
}

/* exp(-(a + b)) for a >= 0; 0 where it should be denormal */
static inline float vector_exp_minus(float a, float b) {
  float t = a > 87.5f ? 87.5f : a, shifted;
  float p = reduced_expm1(-t, -b, &shifted) + 1.f, y = p * shifted_power(shifted);
  return a > 87.f ? 0.f : y;
}

/* exp(-x^2): the square in two parts, the first exact; 0 where it should be denormal */
static inline float vector_gaussian(float x) {
  float a = magnitude(x), first = bits_to_float(float_to_bits(a) & (int32_t)0xfffff000);
  float rest = (a - first) * (a + first);
  return vector_exp_minus(first * first, a > 1e3f ? 0.f : rest);
}

/* exp(x) - 1 = 2 (2^(n-1) (exp(r) - 1) + (2^(n-1) - 1/2)) */
static inline float vector_expm1(float x) {
  float t = x > 88.8f ? 88.8f : x, shifted;
  t = t < -18.f ? -18.f : t;
  float p = reduced_expm1(t, 0.f, &shifted), half = shifted_power(shifted - 1.f);
  return 2.f * (half * p + (half - 0.5f));
}

/* log(x) = e ln 2 + log(m), m in [sqrt(1/2), sqrt 2) */
static inline float vector_log(float x) {
  float scaled = x < 1.17549435e-38f ? x * 8388608.f : x; /* denormal */
  int32_t bits = float_to_bits(scaled);
  int32_t e = ((bits >> 23) & 0xff) - 126;
  float m = bits_to_float((bits & 0x007fffff) | 0x3f000000); /* [1/2, 1) */
  int32_t low = m < 0.707106781186547524f;
  e -= low;
  m = (low ? m + m : m) - 1.f;
  float exponent = (float)e - (x < 1.17549435e-38f ? 23.f : 0.f);
  float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = p * m * z + exponent * -2.12194440e-4f - 0.5f * z;
  y = m + y + exponent * 0.693359375f;
  y = x == 0.f ? -INFINITY : y;
  y = x > 3.4028234e38f ? x : y;
  return x < 0.f || x != x ? NAN : y;
}

/* log(1 + u) = 2 artanh(s), s = u / (2 + u), for u in [0, 1]. The polynomial, like others without
 * a source here, was fitted to the least relative error.                                         */
static inline float vector_log1p_unit(float u) {
  float s = u / (2.f + u), z = s * s;
  float p = 2.4301010370e-1f;
  p = p * z + 2.1427638829e-1f;
  p = p * z + 2.8616887331e-1f;
  p = p * z + 3.9998877048e-1f;
  p = p * z + 6.6666674614e-1f;
  return p * z * s + (s + s);
}

/* log(1 + x): the rounding of 1 + x is made good. */
static inline float vector_log1p(float x) {
  float y = 1.f + x, lost = (y - 1.f) - x;
  float correction = lost / y;
  correction = y > 0.f && x < 1e30f ? correction : 0.f;
  return vector_log(y) - correction;
}

/* 0 for x < -88.4, where it should be denormal */
static inline float vector_sigmoid(float x) {
  float t = -x, shifted;
  t = t > 88.8f ? 88.8f : t;
  t = t < -87.f ? -87.f : t;
  float p = reduced_expm1(t, 0.f, &shifted) + 1.f;
  return 1.f / (1.f + p * shifted_power(shifted));
}

/* (exp(2x) - 1) / (exp(2x) + 1) */
static inline float vector_tanh(float x) {
  float a = magnitude(x), t = a + a, shifted;
  t = t > 20.f ? 20.f : t;
  float p = reduced_expm1(t, 0.f, &shifted), scale = shifted_power(shifted);
  float e = scale * p + (scale - 1.f);
  return signed_as(e / (e + 2.f), x);
}

static inline float vector_softplus(float x) {
  return (x > 0.f ? x : 0.f) + vector_log1p_unit(vector_exp(-magnitude(x)));
}

/* ---- the error function ---------------------------------------------------------------------- */

/* erfc(a) exp(a^2) for a >= 0: a polynomial in t = 1 / (1 + 0.4 a), relative error 6e-8 */
static inline float scaled_erfc(float a) {
  float t = 1.f / (1.f + 0.4f * a);
  float p = 4.1613295674e-2f;
  p = p * t - 1.4208374918e-1f;
  p = p * t + 8.7661221623e-2f;
  p = p * t + 8.3728328347e-2f;
  p = p * t + 8.2706280053e-2f;
  p = p * t + 1.9212649763e-1f;
  p = p * t + 2.0221424103e-1f;
  p = p * t + 2.2639697790e-1f;
  p = p * t + 2.2563695908e-1f;
  return p * t;
}

static inline float vector_erf(float x) {
  float a = magnitude(x), z = x * x;
  float p = 7.8538527305e-5f;
  p = p * z - 8.0101907952e-4f;
  p = p * z + 5.1883272827e-3f;
  p = p * z - 2.6853810996e-2f;
  p = p * z + 1.1283585429e-1f;
  p = p * z - 3.7612625957e-1f;
  p = p * z + 1.1283791065f;
  float large = signed_as(1.f - scaled_erfc(a > 10.f ? 10.f : a) * vector_gaussian(x), x);
  return a < 1.f ? p * x : large;
}

/* Phi(x) and exp(-x^2 / 2), with the square in two parts as above */
static inline float vector_normal_below(float x, float *gaussian) {
  float a = magnitude(x), first = bits_to_float(float_to_bits(a) & (int32_t)0xfffff000);
  float rest = (a - first) * (a + first);
  *gaussian = vector_exp_minus(0.5f * first * first, a > 1e3f ? 0.f : 0.5f * rest);
  float b = a > 15.f ? 15.f : a;
  float tail = 0.5f * scaled_erfc(b * 0.70710678118654752440f) * *gaussian;
  return x > 0.f ? 1.f - tail : tail;
}

/* ---- activations ----------------------------------------------------------------------------- */

static inline float vector_gelu(float x) {
  float gaussian;
  return x * vector_normal_below(x, &gaussian);
}

static inline float vector_gelu_slope(float x) {
  float gaussian, below = vector_normal_below(x, &gaussian);
  float t = magnitude(x) > 20.f ? 20.f : x; /* not infinity times 0 */
  return below + t * gaussian * 0.39894228040143267794f;
}

/* x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3) */
static inline float vector_gelu_tanh(float x) {
  return x * vector_sigmoid(x * (1.5957691216057308f + 0.07135481282636f * (x * x)));
}

static inline float vector_gelu_tanh_slope(float x) {
  float t = x > 1e4f ? 1e4f : x;
  t = t < -1e4f ? -1e4f : t;
  float z = t * t, s = vector_sigmoid(t * (1.5957691216057308f + 0.07135481282636f * z));
  return s + t * (s * (1.f - s)) * (1.5957691216057308f + 0.21406443847908f * z);
}

static inline float vector_swish(float x) {
  return x * vector_sigmoid(x);
}

static inline float vector_swish_slope(float x) {
  float t = x > 100.f ? 100.f : x;
  t = t < -100.f ? -100.f : t;
  float s = vector_sigmoid(t);
  return s + s * (1.f - s) * t;
}

/* tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2), e = exp(x) */
static inline float vector_mish(float x) {
  float e = vector_exp(x > 20.f ? 20.f : x), n = e * (e + 2.f);
  return x * (n / (n + 2.f));
}

/* With these n and e, and d = n + 2: n / d + 4 x e (1 + e) / d^2. */
static inline float vector_mish_slope(float x) {
  float t = x > 20.f ? 20.f : x;
  t = t < -100.f ? -100.f : t;
  float e = vector_exp(t), n = e * (e + 2.f), r = 1.f / (n + 2.f);
  return r * (n + 4.f * t * e * (1.f + e) * r);
}

static inline float vector_elu(float x, float alpha) {
  float e = vector_expm1(x);
  return x > 0.f ? x : alpha * e;
}

static inline float vector_bent_identity(float x) {
  float a = magnitude(x), b = a > 1e15f ? 1e15f : a;
  return 0.5f * a * (b / (sqrtf(b * b + 1.f) + 1.f)) + x;
}

static inline float vector_bent_identity_slope(float x) {
  float t = x > 1e15f ? 1e15f : x;
  t = t < -1e15f ? -1e15f : t;
  return 0.5f * t / sqrtf(t * t + 1.f) + 1.f;
}

/* With e = exp(|x|) - 1: (e + e / (e + 1)) / 2. Past 88 the exponential is made of its halves. */
static inline float vector_sinh(float x) {
  float a = magnitude(x), e = vector_expm1(a > 88.f ? 88.f : a);
  float h = vector_exp(0.5f * a), large = 0.5f * h * h;
  float y = a > 88.f ? large : 0.5f * (e + e / (e + 1.f));
  return x != x ? x : signed_as(y, x);
}

static inline float vector_cosh(float x) {
  float h = vector_exp(0.5f * magnitude(x)), e = h * h;
  return 0.5f * h * h + 0.5f / e;
}

/* ---- angles ---------------------------------------------------------------------------------- */

/* Polynomials on [-pi/4, pi/4]. */
static inline float small_sine(float r) {
  float z = r * r, s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  return s * z * r + r;
}
static inline float small_cosine(float r) {
  float z = r * r, c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  return c * z * z - 0.5f * z + 1.f;
}

/* cos and sin of 2 pi v for v in [0, 1): the nearest quarter turn is taken out. */
static inline void vector_cos_sin_turn(float v, float *cosine, float *sine) {
  float quarter = v * 4.f + 12582912.f;
  int32_t k = float_to_bits(quarter) & 3;
  quarter -= 12582912.f;
  float r = (v - quarter * 0.25f) * 6.28318530717958648f;
  float s = small_sine(r), c = small_cosine(r);
  float cs = k & 1 ? s : c, sn = k & 1 ? c : s;
  *cosine = k == 1 || k == 2 ? -cs : cs;
  *sine = k & 2 ? -sn : sn;
}

/* cos and sin of x for |x| <= VECTOR_ANGLE: the quarter turns are taken out in f64, pi/2 in two
 * parts, so that the multiple of the first is exact.                                             */
#define VECTOR_ANGLE 1e6f
static inline float vector_sin_of_quarters(float x, int32_t shift) {
  double n = (double)x * 0.63661977236758134308 + 6755399441055744.0;
  n -= 6755399441055744.0;
  int32_t k = (int32_t)n + shift;
  float r = (float)(((double)x - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11);
  float s = small_sine(r), c = small_cosine(r), y = k & 1 ? c : s;
  return k & 2 ? -y : y;
}
static inline float vector_sin(float x) {
  return vector_sin_of_quarters(x, 0);
}
static inline float vector_cos(float x) {
  return vector_sin_of_quarters(x, 1);
}

/* ---- powers ---------------------------------------------------------------------------------- */

/* x^y for finite x > 0 that is not denormal, and finite y: 2^(y log2 x) in f64, log2(m) by the
 * series of artanh and 2^f by that of exp.                                                       */
static inline float vector_pow(float x, float y) {
  int32_t bits = float_to_bits(x) - 0x3f3504f3; /* the mantissa to [sqrt(1/2), sqrt 2) */
  int32_t e = bits >> 23;
  double m = (double)bits_to_float((bits & 0x007fffff) + 0x3f3504f3);
  double s = (m - 1) / (m + 1), z = s * s;
  double p = 0.22195308321;
  p = p * z + 0.26230818925;
  p = p * z + 0.32059889797;
  p = p * z + 0.41219858311;
  p = p * z + 0.57707801635551;
  p = p * z + 0.96179669392597;
  p = p * z + 2.88539008177793;
  double t = (double)y * ((double)e + p * s);
  t = t > 129 ? 129 : t < -151 ? -151 : t;
  double n = t + 6755399441055744.0;
  n -= 6755399441055744.0;
  double f = (t - n) * 0.69314718055994530942;
  double q = 1.0 / 40320;
  q = q * f + 1.0 / 5040;
  q = q * f + 1.0 / 720;
  q = q * f + 1.0 / 120;
  q = q * f + 1.0 / 24;
  q = q * f + 1.0 / 6;
  q = q * f + 0.5;
  q = q * f + 1;
  q = q * f + 1;
  int64_t scale = ((int64_t)(int32_t)n + 1023) << 52;
  double power;
  memcpy(&power, &scale, sizeof power);
  return (float)(q * power);
}

#endif
