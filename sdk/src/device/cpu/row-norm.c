/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation of f32 by rows: a row stays in the first cache while it is summed and scaled. The
 * mean is found in two steps, a rough one and the mean distance from it, so that nothing is lost to
 * a mean that is far from 0. The sums down the columns (dgain, dbias) are cut into PARTS pieces of
 * rows, which are f32 over 32 rows and f64 beyond.                                               */
#include "cpu.h"
#include "normalization.h"
#include <math.h>
#include <string.h>

#define PARTS 16
#define BLOCK 32
#define LANES 8
#define GRAIN 16384

/* Eight numbers side by side: wider ones would go through memory where registers are not so wide.
 */
typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define LOAD(x) (*(const Lanes *)(x))

static inline float lanes_sum(const Lanes *all) {
  float lane[LANES];
  memcpy(lane, all, sizeof lane);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* The sum and the sum of squares of x - shift. */
CLONES static void distances(int64_t n, const float *x, float shift, float *sum, float *squares) {
  Lanes a = {0}, b = {0}, c = {0}, d = {0};
  float rest = 0, rest_squares = 0;
  int64_t j = 0;
  for (; j + 2 * LANES <= n; j += 2 * LANES) {
    Lanes p = LOAD(x + j) - shift, q = LOAD(x + j + LANES) - shift;
    a += p;
    b += p * p;
    c += q;
    d += q * q;
  }
  for (; j < n; j++) {
    float p = x[j] - shift;
    rest += p;
    rest_squares += p * p;
  }
  a += c;
  b += d;
  *sum = lanes_sum(&a) + rest;
  *squares = lanes_sum(&b) + rest_squares;
}

/* Rows longer than this are joined from pieces, in f64. */
#define LONG 4096

static void row_moments(const AbRowNorm *norm, const float *x, double *mean, double *variance) {
  double n = (double)norm->cols, rough = 0, sum = 0, squares = 0;
  float s, q;
  for (int64_t j = 0; norm->centred && j < norm->cols; j += LONG) {
    int64_t count = norm->cols - j < LONG ? norm->cols - j : LONG;
    distances(count, x + j, x[0], &s, &q);
    rough += (double)s;
  }
  float shift = norm->centred ? (float)((double)x[0] + rough / n) : 0.f;
  for (int64_t j = 0; j < norm->cols; j += LONG) {
    int64_t count = norm->cols - j < LONG ? norm->cols - j : LONG;
    distances(count, x + j, shift, &s, &q);
    sum += (double)s;
    squares += (double)q;
  }
  double rest = norm->centred ? sum / n : 0, spread = squares / n - rest * rest;
  *mean = (double)shift + rest;
  *variance = spread < 0 ? 0 : spread;
}

/* x^ = (x - M) a + c */
typedef struct {
  float middle, scale, shift;
} Affine;

static Affine affine_of(const AbRowNorm *norm, double mean, double variance) {
  double inverse = 1 / sqrt(variance + norm->epsilon);
  float middle = (float)mean;
  return (Affine){middle, (float)inverse, (float)(-(mean - (double)middle) * inverse)};
}

CLONES static void forward_row(int64_t n, float *restrict y, const float *restrict x, Affine k,
                               const float *restrict gain, const float *restrict bias) {
  if (gain && bias)
    for (int64_t j = 0; j < n; j++)
      y[j] = ((x[j] - k.middle) * k.scale + k.shift) * gain[j] + bias[j];
  else
    for (int64_t j = 0; j < n; j++)
      y[j] =
          ((x[j] - k.middle) * k.scale + k.shift) * (gain ? gain[j] : 1.f) + (bias ? bias[j] : 0.f);
}

void cpu_norm_rows(AbDtype dtype, const AbRowNorm *norm, void *y, double *mean, double *variance,
                   const void *x, const void *gain, const void *bias) {
  if (dtype != AB_F32) {
    reference_normalization.rows(dtype, norm, y, mean, variance, x, gain, bias);
    return;
  }
  int64_t cols = norm->cols;
#pragma omp parallel for schedule(static) if (norm->rows * cols > GRAIN)
  for (int64_t row = 0; row < norm->rows; row++) {
    const float *from = (const float *)x + row * cols;
    row_moments(norm, from, &mean[row], &variance[row]);
    forward_row(cols, (float *)y + row * cols, from, affine_of(norm, mean[row], variance[row]),
                gain, bias);
  }
}

/* ---- backward -------------------------------------------------------------------------------- */

/* Per part: sums of columns, [cols] each, in f64 and f32. */
typedef struct {
  double *gain, *bias;
  float *gain_block, *bias_block;
} Sums;

int64_t cpu_norm_rows_work(const AbRowNorm *norm) {
  return PARTS * 3 * norm->cols;
}

static Sums sums_of(double *work, int64_t cols, int64_t part) {
  double *at = work + part * 3 * cols;
  float *block = (float *)(at + 2 * cols);
  return (Sums){at, at + cols, block, block + cols};
}

/* Sums along a row of h = g gain and of h x^; adds g x^ and g to the sums of columns. */
CLONES static void row_sums(int64_t n, const float *restrict g, const float *restrict x, Affine k,
                            const float *restrict gain, float *restrict gain_sum,
                            float *restrict bias_sum, float *sum, float *product) {
  Lanes a = {0}, b = {0};
  float rest = 0, rest_product = 0;
  int64_t j = 0;
  for (; j + LANES <= n; j += LANES) {
    Lanes normal = (LOAD(x + j) - k.middle) * k.scale + k.shift, h = LOAD(g + j);
    *(Lanes *)(gain_sum + j) += h * normal;
    *(Lanes *)(bias_sum + j) += h;
    if (gain) h *= LOAD(gain + j);
    a += h;
    b += h * normal;
  }
  for (; j < n; j++) {
    float normal = (x[j] - k.middle) * k.scale + k.shift;
    float h = gain ? g[j] * gain[j] : g[j];
    rest += h;
    rest_product += h * normal;
    gain_sum[j] += g[j] * normal;
    bias_sum[j] += g[j];
  }
  *sum = lanes_sum(&a) + rest;
  *product = lanes_sum(&b) + rest_product;
}

/* scale (h - mean of h - x^ mean of h x^) */
CLONES static void backward_row(int64_t n, float *restrict dx, const float *restrict g,
                                const float *restrict x, Affine k, const float *restrict gain,
                                float mean, float slope) {
  if (gain)
    for (int64_t j = 0; j < n; j++) {
      float normal = (x[j] - k.middle) * k.scale + k.shift;
      dx[j] = k.scale * ((g[j] * gain[j] - mean) - normal * slope);
    }
  else
    for (int64_t j = 0; j < n; j++) {
      float normal = (x[j] - k.middle) * k.scale + k.shift;
      dx[j] = k.scale * ((g[j] - mean) - normal * slope);
    }
}

typedef struct {
  const AbRowNorm *norm;
  float *dx;
  const float *g, *x, *gain;
  const double *mean, *variance;
} Job;

static void one_row(const Job *job, const Sums *s, int64_t row) {
  int64_t cols = job->norm->cols;
  const float *g = job->g + row * cols, *x = job->x + row * cols;
  Affine k = affine_of(job->norm, job->mean[row], job->variance[row]);
  double sum = 0, product = 0;
  for (int64_t j = 0; j < cols; j += LONG) {
    float a, b;
    row_sums(cols - j < LONG ? cols - j : LONG, g + j, x + j, k, job->gain ? job->gain + j : NULL,
             s->gain_block + j, s->bias_block + j, &a, &b);
    sum += (double)a;
    product += (double)b;
  }
  if (!job->dx) return;
  double n = (double)cols;
  backward_row(cols, job->dx + row * cols, g, x, k, job->gain,
               job->norm->centred ? (float)(sum / n) : 0.f, (float)(product / n));
}

static void one_part(const Job *job, const Sums *s, int64_t part) {
  int64_t cols = job->norm->cols, to = job->norm->rows * (part + 1) / PARTS;
  memset(s->gain, 0, (size_t)cols * 2 * sizeof *s->gain); /* and bias */
  for (int64_t row = job->norm->rows * part / PARTS; row < to;) {
    memset(s->gain_block, 0, (size_t)cols * 2 * sizeof *s->gain_block);
    for (int64_t i = 0; i < BLOCK && row < to; i++) one_row(job, s, row++);
    for (int64_t j = 0; j < cols; j++) {
      s->gain[j] += (double)s->gain_block[j];
      s->bias[j] += (double)s->bias_block[j];
    }
  }
}

void cpu_norm_rows_grad(AbDtype dtype, const AbRowNorm *norm, void *dx, void *dgain, void *dbias,
                        const void *g, const double *mean, const double *variance, const void *x,
                        const void *gain, double *work) {
  if (dtype != AB_F32) {
    reference_normalization.rows_grad(dtype, norm, dx, dgain, dbias, g, mean, variance, x, gain,
                                      work);
    return;
  }
  Job job = {norm, dx, g, x, gain, mean, variance};
#pragma omp parallel for schedule(static) if (norm->rows * norm->cols > GRAIN)
  for (int64_t part = 0; part < PARTS; part++) {
    Sums s = sums_of(work, norm->cols, part);
    one_part(&job, &s, part);
  }
  for (int64_t j = 0; j < norm->cols; j++) {
    double gain_sum = 0, bias_sum = 0;
    for (int64_t part = 0; part < PARTS; part++) {
      Sums s = sums_of(work, norm->cols, part);
      gain_sum += s.gain[j];
      bias_sum += s.bias[j];
    }
    if (dgain) ((float *)dgain)[j] = (float)gain_sum;
    if (dbias) ((float *)dbias)[j] = (float)bias_sum;
  }
}
