/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of the cpu device, and what is made of them: norms and variances. Sums are cut in pieces
 * whose size depends on shapes alone, and pieces are added in f64, in their order; so the bits are
 * the same on any number of threads. */
#include "reduce.h"
#include "../reductions.h"
#include "cpu.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define CHEAP  65536 /* elements from which a second thread pays */
#define PIECE  1024  /* numbers of a row that are summed in f32 */
#define LANES  16
#define STRIP  256 /* columns at a time */
#define AHEAD  32  /* pieces of columns before they are added up */
#define NARROW 32  /* fewer columns than this are folded */

/* EXACT: plain, in f64 throughout, for the mean that deviations are taken from */
typedef enum { PLAIN, EXACT, SIZE, SQUARE, DEVIATION } Term;

/* ---- rows ------------------------------------------------------------------------------------ */

#define LANE_SUM(Real, expression)                          \
  {                                                         \
    Real lane[LANES] = {0};                                 \
    int64_t i = 0;                                          \
    double sum = 0;                                         \
    for (; i + LANES <= n; i += LANES)                      \
      for (int k = 0; k < LANES; k++) {                     \
        Real v = (Real)x[i + k];                            \
        lane[k] += (expression);                            \
      }                                                     \
    for (; i < n; i++) {                                    \
      double v = (double)x[i];                              \
      sum += (double)(expression);                          \
    }                                                       \
    for (int k = 0; k < LANES; k++) sum += (double)lane[k]; \
    return sum;                                             \
  }

CLONES static double sum_piece(Term term, int64_t n, const float *x, double shift) {
  switch (term) {
  case PLAIN: LANE_SUM(float, v)
  case EXACT: LANE_SUM(double, v)
  case SIZE: LANE_SUM(float, v < 0 ? -v : v)
  case SQUARE: LANE_SUM(double, v *v)
  default: LANE_SUM(double, (v - shift) * (v - shift))
  }
}

static double sum_row(Term term, int64_t n, const float *x, double shift) {
  if (n <= PIECE) return sum_piece(term, n, x, shift);
  double total = 0;
  int64_t pieces = (n + PIECE - 1) / PIECE;
  for (int64_t base = 0; base < pieces; base += 1024) {
    double partial[1024];
    int64_t count = pieces - base < 1024 ? pieces - base : 1024;
#pragma omp parallel for schedule(static) if (count > 64 && omp_get_level() == 0)
    for (int64_t i = 0; i < count; i++) {
      int64_t from = (base + i) * PIECE;
      partial[i] = sum_piece(term, n - from < PIECE ? n - from : PIECE, x + from, shift);
    }
    for (int64_t i = 0; i < count; i++) total += partial[i];
  }
  return total;
}

double cpu_row_sum(int64_t n, const float *x) {
  return sum_row(PLAIN, n, x, 0);
}

double cpu_sum_squares(AbDtype dtype, int64_t n, const void *x) {
  return dtype == AB_F32 ? sum_row(SQUARE, n, x, 0) : ab_device_reference.sum_squares(dtype, n, x);
}

/* ---- columns --------------------------------------------------------------------------------- */

#define COLUMNS(expression)                   \
  for (int64_t m = 0; m < rows; m++, x += ld) \
    for (int64_t i = 0; i < width; i++) {     \
      double v = (double)x[i];                \
      sum[i] += (expression);                 \
    }                                         \
  break

/* sum[i] += terms of column i of x [rows, width], rows apart by ld. Plain sums take eight rows at
 * once, pair by pair in f32.                                                                     */
CLONES static void add_columns(Term term, int64_t rows, int64_t width, int64_t ld,
                               const float *restrict x, const double *restrict shift,
                               double *restrict sum) {
  if (term == PLAIN) {
    for (; rows >= 8; rows -= 8, x += 8 * ld) {
      const float *a = x, *b = x + ld, *c = b + ld, *d = c + ld;
      const float *e = d + ld, *f = e + ld, *g = f + ld, *h = g + ld;
      for (int64_t i = 0; i < width; i++)
        sum[i] += (double)(((a[i] + b[i]) + (c[i] + d[i])) + ((e[i] + f[i]) + (g[i] + h[i])));
    }
  }
  switch (term) {
  case PLAIN:
  case EXACT: COLUMNS(v);
  case SIZE: COLUMNS(v < 0 ? -v : v);
  case SQUARE: COLUMNS(v * v);
  case DEVIATION: COLUMNS((v - shift[i]) * (v - shift[i]));
  }
}

/* sum[i] := terms of column i of x [rows, width], width at most STRIP. */
static void sum_columns(Term term, int64_t rows, int64_t width, int64_t ld, const float *x,
                        const double *shift, double *sum) {
  memset(sum, 0, (size_t)width * sizeof *sum);
  int64_t each = 16384 / width / 8 * 8, pieces = (rows + each - 1) / each;
  if (pieces <= 1) {
    add_columns(term, rows, width, ld, x, shift, sum);
    return;
  }
  for (int64_t base = 0; base < pieces; base += AHEAD) {
    double partial[AHEAD][STRIP];
    int64_t count = pieces - base < AHEAD ? pieces - base : AHEAD;
#pragma omp parallel for schedule(static) if (count > 4 && omp_get_level() == 0)
    for (int64_t k = 0; k < count; k++) {
      int64_t from = (base + k) * each, left = rows - from;
      memset(partial[k], 0, (size_t)width * sizeof **partial);
      add_columns(term, left < each ? left : each, width, ld, x + from * ld, shift, partial[k]);
    }
    for (int64_t k = 0; k < count; k++)
      for (int64_t i = 0; i < width; i++) sum[i] += partial[k][i];
  }
}

/* The same for few columns that lie side by side: several rows as one wide row. */
static void sum_folded(Term term, int64_t rows, int64_t width, const float *x, const double *shift,
                       double *sum) {
  int64_t fold = STRIP / 2 / width, whole = rows / fold;
  double wide[STRIP], shifts[STRIP] = {0};
  for (int64_t i = 0; shift && i < fold * width; i++) shifts[i] = shift[i % width];
  sum_columns(term, whole, fold * width, fold * width, x, shifts, wide);
  memset(sum, 0, (size_t)width * sizeof *sum);
  add_columns(term, rows - whole * fold, width, width, x + whole * fold * width, shift, sum);
  for (int64_t i = 0; i < fold * width; i++) sum[i % width] += wide[i];
}

static void sum_strip(Term term, int64_t rows, int64_t width, int64_t ld, const float *x,
                      const double *shift, double *sum) {
  if (width == ld && width < NARROW && rows > 2 * STRIP / width)
    sum_folded(term, rows, width, x, shift, sum);
  else
    sum_columns(term, rows, width, ld, x, shift, sum);
}

/* ---- kernels --------------------------------------------------------------------------------- */

typedef struct {
  Term term;
  bool root;
  double degrees; /* of freedom */
  AbExtent e;
  float *y, *mean;
  const float *x;
} Job;

static float finished(const Job *job, double sum) {
  return (float)(job->root ? sqrt(sum) : sum);
}

static void reduce_row(const Job *job, int64_t row) {
  int64_t n = job->e.middle;
  const float *x = job->x + row * n;
  if (job->term != DEVIATION) {
    job->y[row] = finished(job, sum_row(job->term, n, x, 0));
    return;
  }
  double mean = sum_row(EXACT, n, x, 0) / (double)n;
  job->y[row] = (float)(sum_row(DEVIATION, n, x, mean) / job->degrees);
  if (job->mean) job->mean[row] = (float)mean;
}

static void reduce_strip(const Job *job, int64_t item, int64_t strips) {
  AbExtent e = job->e;
  int64_t o = item / strips, first = item % strips * STRIP;
  int64_t width = e.inner - first < STRIP ? e.inner - first : STRIP, at = o * e.inner + first;
  const float *x = job->x + o * e.middle * e.inner + first;
  double sum[STRIP], mean[STRIP];
  if (job->term != DEVIATION) {
    sum_strip(job->term, e.middle, width, e.inner, x, NULL, sum);
    for (int64_t i = 0; i < width; i++) job->y[at + i] = finished(job, sum[i]);
    return;
  }
  sum_strip(EXACT, e.middle, width, e.inner, x, NULL, mean);
  for (int64_t i = 0; i < width; i++) mean[i] /= (double)e.middle;
  sum_strip(DEVIATION, e.middle, width, e.inner, x, mean, sum);
  for (int64_t i = 0; i < width; i++) job->y[at + i] = (float)(sum[i] / job->degrees);
  for (int64_t i = 0; job->mean && i < width; i++) job->mean[at + i] = (float)mean[i];
}

static void reduce_item(const Job *job, int64_t item, int64_t strips) {
  if (job->e.inner == 1)
    reduce_row(job, item);
  else
    reduce_strip(job, item, strips);
}

/* Threads share the results where there are several, else the pieces of a result. The two must not
 * be nested: even in a region of one thread another region makes its threads anew each time.     */
static void run(const Job *job) {
  AbExtent e = job->e;
  int64_t strips = e.inner == 1 ? 1 : (e.inner + STRIP - 1) / STRIP, items = e.outer * strips;
  bool share = items >= 4 && e.outer * e.middle * e.inner > CHEAP && omp_get_level() == 0;
  if (!share) {
    for (int64_t item = 0; item < items; item++) reduce_item(job, item, strips);
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t item = 0; item < items; item++) reduce_item(job, item, strips);
}

void cpu_reduce(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle, int64_t inner, void *y,
                const void *x) {
  if (dtype != AB_F32 || f != K_SUM)
    ab_device_reference.reduce(f, dtype, outer, middle, inner, y, x);
  else
    run(&(Job){.term = PLAIN, .e = {outer, middle, inner}, .y = y, .x = x});
}

void cpu_norm(AbDtype dtype, double p, AbExtent e, void *y, const void *x) {
  if (dtype != AB_F32 || (p != 1 && p != 2))
    reference_reductions.norm(dtype, p, e, y, x);
  else
    run(&(Job){.term = p == 1 ? SIZE : SQUARE, .root = p == 2, .e = e, .y = y, .x = x});
}

void cpu_variance(AbDtype dtype, double correction, AbExtent e, void *y, void *mean,
                  const void *x) {
  double degrees = (double)e.middle - correction;
  if (dtype != AB_F32)
    reference_reductions.variance(dtype, correction, e, y, mean, x);
  else
    run(&(Job){.term = DEVIATION, .degrees = degrees, .e = e, .y = y, .mean = mean, .x = x});
}
