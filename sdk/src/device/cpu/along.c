/* SPDX-License-Identifier: Apache-2.0
 *
 * Extremes and cumulative sums of the cpu device: lanes along the middle axis; where lanes lie side
 * by side (inner > 1), 64 of them at a time. */
#include "cpu.h"
#include "reduce.h"
#include <math.h>

#define CHEAP 65536 /* elements from which a second thread pays */
#define STRIP 64

typedef struct {
  bool flag; /* largest; reverse */
  AbExtent e;
  float *y;
  int64_t *index;
  const float *x;
} Job;

typedef void (*Strip)(const Job *job, int64_t o, int64_t first, int64_t width);

static void run(const Job *job, Strip strip) {
  AbExtent e = job->e;
  int64_t strips = (e.inner + STRIP - 1) / STRIP;
#pragma omp parallel for schedule(static) if (e.outer * e.middle * e.inner > CHEAP)
  for (int64_t item = 0; item < e.outer * strips; item++) {
    int64_t first = item % strips * STRIP;
    strip(job, item / strips, first, e.inner - first < STRIP ? e.inner - first : STRIP);
  }
}

/* ---- extremes -------------------------------------------------------------------------------- */

/* The largest number of a row in 16 lanes; whether there is a NaN. */
CLONES static float row_top(int64_t n, const float *x, float sign, bool *nan) {
  float lane[16], top = -INFINITY;
  int32_t bad[16] = {0}, any = 0;
  for (int k = 0; k < 16; k++) lane[k] = -INFINITY;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < 16; k++) {
      float v = sign * x[i + k];
      lane[k] = v > lane[k] ? v : lane[k];
      bad[k] |= v != v;
    }
  for (; i < n; i++) {
    top = sign * x[i] > top ? sign * x[i] : top;
    any |= x[i] != x[i];
  }
  for (int k = 0; k < 16; k++) {
    top = lane[k] > top ? lane[k] : top;
    any |= bad[k];
  }
  *nan = any;
  return sign * top;
}

static void extreme_row(const Job *job, int64_t o) {
  int64_t n = job->e.middle, at = 0;
  const float *x = job->x + o * n;
  bool nan;
  float top = row_top(n, x, job->flag ? 1.f : -1.f, &nan);
  if (nan)
    while (x[at] == x[at]) at++;
  else
    while (x[at] != top) at++;
  if (job->y) job->y[o] = x[at];
  if (job->index) job->index[o] = at;
}

CLONES static void extreme_strip(const Job *job, int64_t o, int64_t first, int64_t width) {
  AbExtent e = job->e;
  if (e.inner == 1) {
    extreme_row(job, o);
    return;
  }
  const float *x = job->x + o * e.middle * e.inner + first;
  float top[STRIP], sign = job->flag ? 1.f : -1.f;
  int32_t at[STRIP] = {0}; /* the middle is shorter than 2^31, or memory would not hold it */
  for (int64_t i = 0; i < width; i++) top[i] = sign * x[i];
  for (int64_t m = 1; m < e.middle; m++) {
    const float *row = x + m * e.inner;
    for (int64_t i = 0; i < width; i++) {
      float v = sign * row[i];
      bool better = (v > top[i]) | ((v != v) & (top[i] == top[i]));
      top[i] = better ? v : top[i];
      at[i] = better ? (int32_t)m : at[i];
    }
  }
  for (int64_t i = 0; i < width; i++) {
    int64_t to = o * e.inner + first + i;
    if (job->y) job->y[to] = sign * top[i];
    if (job->index) job->index[to] = at[i];
  }
}

void cpu_extreme(AbDtype dtype, bool largest, AbExtent e, void *y, int64_t *index, const void *x) {
  if (dtype != AB_F32 || e.middle > INT32_MAX)
    reference_reductions.extreme(dtype, largest, e, y, index, x);
  else
    run(&(Job){largest, e, y, index, x}, extreme_strip);
}

/* ---- cumulative sums: in f64 ----------------------------------------------------------------- */

CLONES static void scan_strip(const Job *job, int64_t o, int64_t first, int64_t width) {
  AbExtent e = job->e;
  int64_t begin = o * e.middle * e.inner + first, step = e.inner;
  if (job->flag) {
    begin += (e.middle - 1) * e.inner;
    step = -step;
  }
  const float *x = job->x + begin;
  float *y = job->y + begin;
  double sum[STRIP] = {0};
  for (int64_t m = 0; m < e.middle; m++, x += step, y += step)
    for (int64_t i = 0; i < width; i++) {
      sum[i] += (double)x[i];
      y[i] = (float)sum[i];
    }
}

void cpu_cumulative_sum(AbDtype dtype, bool reverse, AbExtent e, void *y, const void *x) {
  if (dtype != AB_F32)
    reference_reductions.cumulative_sum(dtype, reverse, e, y, x);
  else
    run(&(Job){.flag = reverse, .e = e, .y = y, .x = x}, scan_strip);
}
