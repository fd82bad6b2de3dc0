/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions, softmax and cross-entropy of the cpu device. Sums of f32 are carried in 16 lanes over
 * a piece of 4,096 numbers, and pieces in f64, in their order. */
#include "cpu.h"
#include "vector-math.h"

#define PIECE 4096
#define LANES 16

CLONES static double sum_piece(int64_t n, const float *x, bool squares) {
  float lane[LANES] = {0};
  int64_t i = 0;
  if (squares) {
    for (; i + LANES <= n; i += LANES)
      for (int k = 0; k < LANES; k++) lane[k] += x[i + k] * x[i + k];
  } else {
    for (; i + LANES <= n; i += LANES)
      for (int k = 0; k < LANES; k++) lane[k] += x[i + k];
  }
  double sum = 0;
  for (; i < n; i++) sum += squares ? (double)x[i] * (double)x[i] : (double)x[i];
  for (int k = 0; k < LANES; k++) sum += (double)lane[k];
  return sum;
}

static double sum_all(int64_t n, const float *x, bool squares) {
  double total = 0;
  int64_t pieces = (n + PIECE - 1) / PIECE;
  /* partial sums are added in order below, whatever thread made them */
  for (int64_t base = 0; base < pieces; base += 1024) {
    double partial[1024];
    int64_t count = pieces - base < 1024 ? pieces - base : 1024;
#pragma omp parallel for schedule(static) if (count > 16)
    for (int64_t i = 0; i < count; i++) {
      int64_t from = (base + i) * PIECE;
      partial[i] = sum_piece(n - from < PIECE ? n - from : PIECE, x + from, squares);
    }
    for (int64_t i = 0; i < count; i++) total += partial[i];
  }
  return total;
}

double cpu_sum_squares(AbDtype dtype, int64_t n, const void *x) {
  return dtype == AB_F32 ? sum_all(n, x, true) : ab_device_reference.sum_squares(dtype, n, x);
}

/* Columns of x [middle, inner], a strip of 256 at a time. */
typedef struct {
  AbReduce f;
  int64_t middle, inner;
  float *y;
  const float *x;
} ColumnJob;
#define STRIP 256

CLONES static void sum_strips(int64_t from, int64_t to, void *job) {
  const ColumnJob *j = job;
  for (int64_t strip = from; strip < to; strip++) {
    int64_t first = strip * STRIP;
    int64_t width = j->inner - first < STRIP ? j->inner - first : STRIP;
    double sum[STRIP] = {0};
    for (int64_t m = 0; m < j->middle; m++) {
      const float *row = j->x + m * j->inner + first;
      for (int64_t i = 0; i < width; i++) sum[i] += (double)row[i];
    }
    for (int64_t i = 0; i < width; i++) j->y[first + i] = (float)sum[i];
  }
}

void cpu_reduce(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle, int64_t inner, void *y,
                const void *x) {
  if (dtype != AB_F32 || f != K_SUM) {
    ab_device_reference.reduce(f, dtype, outer, middle, inner, y, x);
    return;
  }
  float *to = y;
  const float *from = x;
  for (int64_t o = 0; o < outer; o++, to += inner, from += middle * inner) {
    if (inner == 1) {
      *to = (float)sum_all(middle, from, false);
    } else if (inner > 1) {
      ColumnJob job = {f, middle, inner, to, from};
      int64_t strips = (inner + STRIP - 1) / STRIP;
      /* threads share strips; cpu_parallel would cut at 64 of them */
#pragma omp parallel for schedule(static) if (middle * inner > 65536)
      for (int64_t s = 0; s < strips; s++) sum_strips(s, s + 1, &job);
    }
  }
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct {
  bool log;
  int64_t cols;
  float *y;
  const float *x, *g;
  const int64_t *labels;
} RowJob;

CLONES static float log_sum_exp(int64_t n, const float *x, float *maximum) {
  float top = x[0];
  for (int64_t j = 1; j < n; j++) top = x[j] > top ? x[j] : top;
  float lane[LANES] = {0}, sum = 0;
  int64_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += vector_exp(x[j + k] - top);
  for (; j < n; j++) sum += vector_exp(x[j] - top);
  for (int k = 0; k < LANES; k++) sum += lane[k];
  *maximum = top;
  return vector_log(sum);
}

CLONES static void softmax_row(int64_t n, float *restrict y, const float *restrict x, bool log) {
  float top, total = log_sum_exp(n, x, &top);
  for (int64_t j = 0; j < n; j++) y[j] = x[j] - top - total;
  if (!log)
    for (int64_t j = 0; j < n; j++) y[j] = vector_exp(y[j]);
}

static void softmax_rows(int64_t from, int64_t to, void *job) {
  const RowJob *j = job;
  for (int64_t i = from; i < to; i++)
    softmax_row(j->cols, j->y + i * j->cols, j->x + i * j->cols, j->log);
}

static int64_t row_grain(int64_t cols) {
  return 8192 / cols + 1;
}

void cpu_softmax(AbDtype dtype, bool log, int64_t rows, int64_t cols, void *y, const void *x) {
  if (dtype != AB_F32) {
    ab_device_reference.softmax(dtype, log, rows, cols, y, x);
    return;
  }
  RowJob job = {.log = log, .cols = cols, .y = y, .x = x};
  cpu_parallel(rows, row_grain(cols), softmax_rows, &job);
}

static void cross_entropy_rows(int64_t from, int64_t to, void *job) {
  const RowJob *j = job;
  for (int64_t i = from; i < to; i++) {
    const float *row = j->x + i * j->cols;
    float top, total = log_sum_exp(j->cols, row, &top);
    j->y[i] = total - (row[j->labels[i]] - top);
  }
}

void cpu_cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *logits,
                       const int64_t *labels) {
  if (dtype != AB_F32) {
    ab_device_reference.cross_entropy(dtype, rows, cols, y, logits, labels);
    return;
  }
  RowJob job = {.cols = cols, .y = y, .x = logits, .labels = labels};
  cpu_parallel(rows, row_grain(cols), cross_entropy_rows, &job);
}

static void cross_entropy_grad_rows(int64_t from, int64_t to, void *job) {
  const RowJob *j = job;
  for (int64_t i = from; i < to; i++) {
    float *row = j->y + i * j->cols;
    softmax_row(j->cols, row, j->x + i * j->cols, false);
    row[j->labels[i]] -= 1.f;
    for (int64_t k = 0; k < j->cols; k++) row[k] *= j->g[i];
  }
}

void cpu_cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *g,
                            const void *logits, const int64_t *labels) {
  if (dtype != AB_F32) {
    ab_device_reference.cross_entropy_grad(dtype, rows, cols, y, g, logits, labels);
    return;
  }
  RowJob job = {.cols = cols, .y = y, .x = logits, .g = g, .labels = labels};
  cpu_parallel(rows, row_grain(cols), cross_entropy_grad_rows, &job);
}
