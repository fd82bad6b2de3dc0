/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops along rows of channels that normalization.c is made of. */
#include "channel-loops.h"
#include "cpu.h"
#include <string.h>

/* ---- moments --------------------------------------------------------------------------------- */

/* Sums and squares of the distances from the first of `rows` rows. */
CLONES void channel_moments(int64_t width, int64_t stride, int64_t rows, const float *restrict x,
                            float *restrict sum, float *restrict square) {
  memset(sum, 0, (size_t)width * sizeof *sum);
  memset(square, 0, (size_t)width * sizeof *square);
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const float *a = x + i * stride, *b = a + stride, *c = b + stride, *d = c + stride;
    for (int64_t j = 0; j < width; j++) {
      float shift = x[j];
      float p = a[j] - shift, q = b[j] - shift, r = c[j] - shift, s = d[j] - shift;
      sum[j] += (p + q) + (r + s);
      square[j] += (p * p + q * q) + (r * r + s * s);
    }
  }
  for (; i < rows; i++)
    for (int64_t j = 0; j < width; j++) {
      float p = x[i * stride + j] - x[j];
      sum[j] += p;
      square[j] += p * p;
    }
}

/* Chan, Golub, LeVeque 1983: joins `before` rows of known moments and a block of `rows`. */
CLONES void channel_join(int64_t width, double before, double rows, double *restrict mean,
                         double *restrict squares, const float *restrict shift,
                         const float *restrict sum, const float *restrict square) {
  double share = rows / (before + rows), both = before * share, inverse = 1 / rows;
  for (int64_t j = 0; j < width; j++) {
    double s = (double)sum[j], distance = (double)shift[j] + s * inverse - mean[j];
    mean[j] += distance * share;
    squares[j] += (double)square[j] - s * s * inverse + distance * distance * both;
  }
}

static inline float activated(AbNormActivation f, float z) {
  if (f == K_NORM_IDENTITY) return z;
  float positive = z < 0.f ? 0.f : z;
  return f == K_NORM_RELU6 && positive > 6.f ? 6.f : positive;
}

/* g where the gradient passes. */
static inline float passed(AbNormActivation f, float z, float g) {
  if (f == K_NORM_IDENTITY) return g;
  if (f == K_NORM_RELU) return z > 0.f ? g : 0.f;
  return (z > 0.f) & (z < 6.f) ? g : 0.f;
}

/* The statement with a constant f, for the compiler. */
#define BY_ACTIVATION(activation, ...)          \
  switch (activation) {                         \
  case K_NORM_IDENTITY: {                       \
    const AbNormActivation f = K_NORM_IDENTITY; \
    __VA_ARGS__;                                \
  } break;                                      \
  case K_NORM_RELU: {                           \
    const AbNormActivation f = K_NORM_RELU;     \
    __VA_ARGS__;                                \
  } break;                                      \
  case K_NORM_RELU6: {                          \
    const AbNormActivation f = K_NORM_RELU6;    \
    __VA_ARGS__;                                \
  } break;                                      \
  }

CLONES void channel_forward(AbNormActivation activation, int64_t width, int64_t rows,
                            float *restrict y, const float *restrict x, float *const *coefficient) {
  const float *restrict m = coefficient[M], *restrict a = coefficient[A],
                        *restrict c = coefficient[C];
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
    BY_ACTIVATION(activation, for (int64_t j = 0; j < width; j++) y[j] =
                                  activated(f, a[j] * (x[j] - m[j]) + c[j]))
  }
}

CLONES void channel_sums_of(AbNormActivation activation, int64_t width, int64_t stride,
                            int64_t rows, const float *restrict g, const float *restrict x,
                            float *const *coefficient, float *restrict sum,
                            float *restrict product) {
  const float *restrict m = coefficient[M], *restrict a = coefficient[A],
                        *restrict c = coefficient[C];
  memset(sum, 0, (size_t)width * sizeof *sum);
  memset(product, 0, (size_t)width * sizeof *product);
  int64_t i = 0;
  for (; i + 2 <= rows; i += 2, g += 2 * stride, x += 2 * stride) {
    const float *g2 = g + stride, *x2 = x + stride;
    BY_ACTIVATION(
        activation, for (int64_t j = 0; j < width; j++) {
          float d = x[j] - m[j], e = x2[j] - m[j];
          float h = passed(f, a[j] * d + c[j], g[j]), k = passed(f, a[j] * e + c[j], g2[j]);
          sum[j] += h + k;
          product[j] += h * d + k * e;
        })
  }
  if (i < rows) {
    BY_ACTIVATION(
        activation, for (int64_t j = 0; j < width; j++) {
          float d = x[j] - m[j], h = passed(f, a[j] * d + c[j], g[j]);
          sum[j] += h;
          product[j] += h * d;
        })
  }
}

CLONES void channel_widen(int64_t width, double *restrict sum, const float *restrict block) {
  for (int64_t j = 0; j < width; j++) sum[j] += (double)block[j];
}

CLONES void channel_backward(AbNormActivation activation, int64_t width, int64_t rows,
                             float *restrict dx, const float *restrict g, const float *restrict x,
                             float *const *coefficient) {
  const float *restrict m = coefficient[M], *restrict a = coefficient[A],
                        *restrict c = coefficient[C], *restrict p = coefficient[P],
                        *restrict q = coefficient[Q], *restrict r = coefficient[R];
  for (int64_t row = 0; row < rows; row++, x += width, g += width, dx += width) {
    BY_ACTIVATION(
        activation, for (int64_t j = 0; j < width; j++) {
          float d = x[j] - m[j], h = passed(f, a[j] * d + c[j], g[j]);
          dx[j] = p[j] * h + (q[j] * d + r[j]);
        })
  }
}
