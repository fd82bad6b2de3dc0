/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers on the reference device. Number i of a draw comes from its counter alone. */
#include "../philox.h"
#include "reference.h"
#include <math.h>

/* Uniform in [0, 1): a block serves four f32 numbers or two f64 numbers. */
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
 * numbers 2j and 2j+1 (Box and Muller 1958).                                                     */
static double normal_at(AbDtype dtype, const AbDraw *draw, int64_t i) {
  double u = uniform_at(dtype, draw, i & ~INT64_C(1));
  double v = uniform_at(dtype, draw, i | 1);
  double radius = sqrt(-2 * log(1 - u)), angle = 2 * 3.14159265358979323846 * v;
  return radius * (i & 1 ? sin(angle) : cos(angle));
}

/* u to [a, b), in the arithmetic of the type, as every device does it: what rounding takes to b
 * becomes the number before b.                                                                   */
static double scaled(AbDtype dtype, double a, double b, double u) {
  if (dtype == AB_F64) {
    double value = a + (b - a) * u, last = nextafter(b, a);
    return value < last ? value : last;
  }
  float low = (float)a, high = (float)b, last = nextafterf(high, low);
  float value = low + (high - low) * (float)u;
  return (double)(value < last ? value : last);
}

/* Of rate 1; and of location 0 and scale 1. There u = 0 would give infinity: half of the smallest
 * other number stands for it.                                                                    */
static double exponential(double u) {
  return -log1p(-u);
}
static double gumbel(AbDtype dtype, double u) {
  double half = dtype == AB_F32 ? 0x1p-25 : 0x1p-54;
  return -log(exponential(u > 0 ? u : half));
}

void reference_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw,
                      double a, double b, const void *p) {
  for (int64_t i = 0; i < n; i++) {
    double u = kind == K_NORMAL ? 0 : uniform_at(dtype, draw, i);
    switch (kind) {
    case K_UNIFORM: save(dtype, y, i, scaled(dtype, a, b, u)); break;
    case K_NORMAL: save(dtype, y, i, a + b * normal_at(dtype, draw, i)); break;
    case K_BERNOULLI: save(dtype, y, i, u < load(dtype, p, i)); break;
    case K_EXPONENTIAL: save(dtype, y, i, a + b * exponential(u)); break;
    case K_GUMBEL: save(dtype, y, i, a + b * gumbel(dtype, u)); break;
    }
  }
}

void reference_dropout(AbDtype dtype, int64_t n, void *y, const void *x, const AbDraw *draw,
                       double keep, double scale) {
  if (dtype == AB_F32) keep = (double)(float)keep, scale = (double)(float)scale;
  for (int64_t i = 0; i < n; i++)
    save(dtype, y, i, uniform_at(dtype, draw, i) < keep ? load(dtype, x, i) * scale : 0);
}

/* Sigmoid as reference_unary computes it. */
void reference_sample_sigmoid(AbDtype dtype, int64_t n, void *y, void *mean, const AbDraw *draw,
                              const void *x) {
  for (int64_t i = 0; i < n; i++) {
    double p = dtype == AB_F32 ? (double)(1 / (1 + expf(-((const float *)x)[i])))
                               : 1 / (1 + exp(-((const double *)x)[i]));
    if (mean) save(dtype, mean, i, p);
    save(dtype, y, i, uniform_at(dtype, draw, i) < p);
  }
}

/* u times the sum of the weights lies in one of the pieces w_j. */
static int64_t category(AbDtype dtype, int64_t cols, const void *weights, int64_t first, double u) {
  double total = 0, sum = 0;
  int64_t found = 0;
  for (int64_t j = 0; j < cols; j++) {
    double w = load(dtype, weights, first + j);
    if (w > 0) total += w;
  }
  for (int64_t j = 0; j < cols; j++) {
    double w = load(dtype, weights, first + j);
    if (!(w > 0)) continue;
    found = j; /* the last of them if rounding leaves the sum below */
    sum += w;
    if (u * total < sum) break;
  }
  return found;
}

void reference_categorical(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y,
                           const AbDraw *draw, const void *weights) {
  for (int64_t i = 0; i < rows; i++)
    y[i] = category(dtype, cols, weights, i * cols, uniform_at(dtype, draw, i));
}
