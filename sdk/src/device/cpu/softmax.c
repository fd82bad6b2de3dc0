/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and its relatives on the cpu device. Exponentials are computed once, stored and scaled:
 *
 *   y_i = exp(x_i - top) / sum_j exp(x_j - top)
 *
 * Short rows go through exp several at a time, as one long row; sums are in f64 across pieces of
 * 1,024 numbers.                                                                                 */
#include "cpu.h"
#include "reduce.h"
#include "vector-math.h"

#define COSTLY 8192 /* elements from which a second thread pays */
#define GROUP  512  /* numbers of short rows that go through exp together */
#define STRIP  64   /* columns at a time */

typedef struct {
  bool log;
  AbExtent e;
  float *y;
  const float *x, *g;
} Job;

/* ---- pieces of rows -------------------------------------------------------------------------- */

CLONES static float row_top(int64_t n, const float *x) {
  float lane[8], top = x[0];
  int64_t i = 0;
  if (n >= 8) {
    for (int k = 0; k < 8; k++) lane[k] = x[k];
    for (i = 8; i + 8 <= n; i += 8)
      for (int k = 0; k < 8; k++) lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
    for (int k = 0; k < 8; k++) top = lane[k] > top ? lane[k] : top;
  }
  for (; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

static float finite_top(int64_t n, const float *x) {
  float top = row_top(n, x);
  return isinf(top) ? 0.f : top;
}

CLONES static void exp_all(int64_t n, float *y) {
  for (int64_t i = 0; i < n; i++) y[i] = vector_exp(y[i]);
}

CLONES static void shift_by(int64_t n, float *y, const float *x, float shift) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] - shift;
}

CLONES static void scale_by(int64_t n, float *y, float scale) {
  for (int64_t i = 0; i < n; i++) y[i] *= scale;
}

/* y := exp(x - top) for a few rows; the tops are kept. */
static void exp_rows(int64_t rows, int64_t cols, float *y, const float *x, float *top) {
  for (int64_t r = 0; r < rows; r++) {
    top[r] = finite_top(cols, x + r * cols);
    shift_by(cols, y + r * cols, x + r * cols, top[r]);
  }
  exp_all(rows * cols, y);
}

/* log sum_j exp(x_j - top), through a buffer: x stays */
static float log_sum(int64_t n, const float *x, float top) {
  float buffer[GROUP];
  double sum = 0;
  for (int64_t i = 0; i < n; i += GROUP) {
    int64_t count = n - i < GROUP ? n - i : GROUP;
    shift_by(count, buffer, x + i, top);
    exp_all(count, buffer);
    sum += cpu_row_sum(count, buffer);
  }
  return vector_log((float)sum);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void softmax_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  int64_t n = j->e.middle, group = n < GROUP ? GROUP / n : 1;
  float top[GROUP];
  for (int64_t r = from; r < to; r += group) {
    int64_t rows = to - r < group ? to - r : group;
    float *y = j->y + r * n;
    const float *x = j->x + r * n;
    if (j->log) {
      for (int64_t k = 0; k < rows; k++) {
        float first = finite_top(n, x + k * n), total = log_sum(n, x + k * n, first);
        for (int64_t i = k * n; i < (k + 1) * n; i++) y[i] = x[i] - first - total;
      }
      continue;
    }
    exp_rows(rows, n, y, x, top);
    for (int64_t k = 0; k < rows; k++)
      scale_by(n, y + k * n, (float)(1 / cpu_row_sum(n, y + k * n)));
  }
}

CLONES static void grad_row(bool log, int64_t n, float *dx, const float *g, const float *y) {
  float lane[8] = {0};
  double sum = 0;
  int64_t i = 0;
  if (log) {
    sum = cpu_row_sum(n, g);
    float total = (float)sum;
    for (i = 0; i < n; i++) dx[i] = g[i] - vector_exp(y[i]) * total;
    return;
  }
  while (i + 8 <= n) { /* lanes are emptied after 128 terms each */
    int64_t end = n - i < 1024 ? n : i + 1024;
    for (; i + 8 <= end; i += 8)
      for (int k = 0; k < 8; k++) lane[k] += g[i + k] * y[i + k];
    for (int k = 0; k < 8; k++) {
      sum += (double)lane[k];
      lane[k] = 0;
    }
  }
  for (; i < n; i++) sum += (double)g[i] * (double)y[i];
  float dot = (float)sum;
  for (i = 0; i < n; i++) dx[i] = y[i] * (g[i] - dot);
}

static void grad_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  int64_t n = j->e.middle;
  for (int64_t r = from; r < to; r++) grad_row(j->log, n, j->y + r * n, j->g + r * n, j->x + r * n);
}

static void log_sum_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  int64_t n = j->e.middle;
  for (int64_t r = from; r < to; r++) {
    float top = finite_top(n, j->x + r * n);
    j->y[r] = top + log_sum(n, j->x + r * n, top);
  }
}

/* ---- columns: [middle, inner], a strip of inner at a time ------------------------------------ */

CLONES static void strip_top(AbExtent e, int64_t width, const float *x, float *top) {
  for (int64_t i = 0; i < width; i++) top[i] = x[i];
  for (int64_t m = 1; m < e.middle; m++)
    for (int64_t i = 0; i < width; i++) {
      float v = x[m * e.inner + i];
      top[i] = v > top[i] ? v : top[i];
    }
  for (int64_t i = 0; i < width; i++)
    top[i] = top[i] > 3.4028234e38f || top[i] < -3.4028234e38f ? 0.f : top[i];
}

/* Where the strip with this number begins; its width. */
static int64_t strip_at(AbExtent e, int64_t item, int64_t *column, int64_t *width) {
  int64_t strips = (e.inner + STRIP - 1) / STRIP, o = item / strips, first = item % strips * STRIP;
  *width = e.inner - first < STRIP ? e.inner - first : STRIP;
  *column = o * e.inner + first;
  return o * e.middle * e.inner + first;
}

/* One row of a strip: y := exp(x - top), or x - top where the logarithm is wanted; sum += exp. */
CLONES static void exp_strip(bool log, int64_t width, float *restrict y, const float *restrict x,
                             const float *restrict top, double *restrict sum) {
  float value[STRIP];
  for (int64_t i = 0; i < width; i++) y[i] = x[i] - top[i];
  for (int64_t i = 0; i < width; i++) value[i] = vector_exp(y[i]);
  for (int64_t i = 0; i < width; i++) sum[i] += (double)value[i];
  if (!log)
    for (int64_t i = 0; i < width; i++) y[i] = value[i];
}

CLONES static void softmax_strips(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  AbExtent e = j->e;
  for (int64_t item = from; item < to; item++) {
    int64_t column, width, at = strip_at(e, item, &column, &width);
    float top[STRIP], scale[STRIP];
    double sum[STRIP] = {0};
    const float *x = j->x + at;
    float *y = j->y + at;
    strip_top(e, width, x, top);
    for (int64_t m = 0; m < e.middle; m++)
      exp_strip(j->log, width, y + m * e.inner, x + m * e.inner, top, sum);
    for (int64_t i = 0; i < width; i++)
      scale[i] = j->log ? vector_log((float)sum[i]) : (float)(1 / sum[i]);
    for (int64_t m = 0; m < e.middle; m++) {
      float *row = y + m * e.inner;
      if (j->log)
        for (int64_t i = 0; i < width; i++) row[i] -= scale[i];
      else
        for (int64_t i = 0; i < width; i++) row[i] *= scale[i];
    }
  }
}

CLONES static void grad_strips(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  AbExtent e = j->e;
  for (int64_t item = from; item < to; item++) {
    int64_t column, width, at = strip_at(e, item, &column, &width);
    double sum[STRIP] = {0};
    const float *y = j->x + at, *g = j->g + at;
    float *dx = j->y + at;
    for (int64_t m = 0; m < e.middle; m++)
      for (int64_t i = 0; i < width; i++) {
        double slope = (double)g[m * e.inner + i], value = (double)y[m * e.inner + i];
        sum[i] += j->log ? slope : slope * value;
      }
    for (int64_t m = 0; m < e.middle; m++)
      for (int64_t i = 0; i < width; i++) {
        float slope = g[m * e.inner + i], value = y[m * e.inner + i], s = (float)sum[i];
        dx[m * e.inner + i] = j->log ? slope - vector_exp(value) * s : value * (slope - s);
      }
  }
}

CLONES static void log_sum_strips(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  AbExtent e = j->e;
  for (int64_t item = from; item < to; item++) {
    int64_t column, width, at = strip_at(e, item, &column, &width);
    float top[STRIP];
    double sum[STRIP] = {0};
    const float *x = j->x + at;
    strip_top(e, width, x, top);
    for (int64_t m = 0; m < e.middle; m++)
      for (int64_t i = 0; i < width; i++) sum[i] += (double)vector_exp(x[m * e.inner + i] - top[i]);
    for (int64_t i = 0; i < width; i++) j->y[column + i] = top[i] + vector_log((float)sum[i]);
  }
}

/* ---- kernels --------------------------------------------------------------------------------- */

static int64_t row_grain(int64_t cols) {
  return COSTLY / cols + 1;
}

static void run(Job *job, CpuRange rows, CpuRange strips) {
  AbExtent e = job->e;
  if (e.inner == 1) {
    cpu_parallel(e.outer, row_grain(e.middle), rows, job);
    return;
  }
  int64_t items = e.outer * ((e.inner + STRIP - 1) / STRIP);
  /* threads share strips; cpu_parallel would cut at 64 of them */
#pragma omp parallel for schedule(static) if (e.outer * e.middle * e.inner > COSTLY)
  for (int64_t item = 0; item < items; item++) strips(item, item + 1, job);
}

static void cpu_softmax(AbDtype dtype, bool log, AbExtent e, void *y, const void *x) {
  if (dtype != AB_F32)
    reference_reductions.softmax(dtype, log, e, y, x);
  else
    run(&(Job){.log = log, .e = e, .y = y, .x = x}, softmax_rows, softmax_strips);
}

static void cpu_softmax_grad(AbDtype dtype, bool log, AbExtent e, void *dx, const void *g,
                             const void *y) {
  if (dtype != AB_F32)
    reference_reductions.softmax_grad(dtype, log, e, dx, g, y);
  else
    run(&(Job){.log = log, .e = e, .y = dx, .g = g, .x = y}, grad_rows, grad_strips);
}

static void cpu_log_sum_exp(AbDtype dtype, AbExtent e, void *y, const void *x) {
  if (dtype != AB_F32)
    reference_reductions.log_sum_exp(dtype, e, y, x);
  else
    run(&(Job){.e = e, .y = y, .x = x}, log_sum_rows, log_sum_strips);
}

const AbReductionKernels cpu_reductions = {
    .extreme = cpu_extreme,
    .norm = cpu_norm,
    .variance = cpu_variance,
    .softmax = cpu_softmax,
    .softmax_grad = cpu_softmax_grad,
    .log_sum_exp = cpu_log_sum_exp,
    .cumulative_sum = cpu_cumulative_sum,
};
