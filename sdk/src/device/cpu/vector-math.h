/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementary functions of f32 without branches, so that loops over them are vectorised. Reduction
 * and polynomials as in Cephes (Moshier, "Methods and programs for mathematical functions", 1989).
 * Errors against f64, measured by tests/unit/sdk/vector-math.c over their whole range: exp, log
 * below 1 ulp, log1p 1.2, tanh 1.4, softplus 1.9, sigmoid 2.4 (but 0 where it should be denormal,
 * from x = -88 down); cos and sin of a turn 1e-7.                                                */
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

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2. In two steps of 2^(n/2), so that
 * denormal results come out.                                                                     */
static inline float vector_exp(float x) {
  float t = x > 88.8f ? 88.8f : x;
  t = t < -104.f ? -104.f : t;
  float n = t * 1.44269504088896341f + 12582912.f; /* 1.5 * 2^23: rounds to an integer */
  int32_t k = float_to_bits(n) - 0x4B400000;
  n -= 12582912.f;
  float r = t - n * 0.693359375f;
  r -= n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  int32_t half = k >> 1;
  float y = p * power_of_two(half) * power_of_two(k - half);
  return x != x ? x : y;
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

/* log(1 + u), u in [0, 1]: the rounding of 1 + u is made good. */
static inline float vector_log1p(float u) {
  float y = 1.f + u;
  return vector_log(y) - ((y - 1.f) - u) / y;
}

static inline float vector_sigmoid(float x) {
  return 1.f / (1.f + vector_exp(-x));
}

static inline float vector_tanh(float x) {
  float a = x < 0.f ? -x : x, z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  float small = p * z * x + x;
  float large = 1.f - 2.f / (vector_exp(a + a) + 1.f);
  large = x < 0.f ? -large : large;
  return a < 0.625f ? small : large;
}

static inline float vector_softplus(float x) {
  float a = x < 0.f ? -x : x;
  return (x > 0.f ? x : 0.f) + vector_log1p(vector_exp(-a));
}

/* cos and sin of 2 pi v for v in [0, 1): the nearest quarter turn is taken out; polynomials on
 * [-pi/4, pi/4].                                                                                 */
static inline void vector_cos_sin_turn(float v, float *cosine, float *sine) {
  float quarter = v * 4.f + 12582912.f;
  int32_t k = float_to_bits(quarter) & 3;
  quarter -= 12582912.f;
  float r = (v - quarter * 0.25f) * 6.28318530717958648f, z = r * r;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * r + r;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.f;
  float cs = k & 1 ? s : c, sn = k & 1 ? c : s;
  *cosine = k == 1 || k == 2 ? -cs : cs;
  *sine = k & 2 ? -sn : sn;
}

#endif
