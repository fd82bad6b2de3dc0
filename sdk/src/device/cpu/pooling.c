/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling of f32: loops over the channels, which lie next to each other.
 * What gathers is cut into lines of windows; what scatters into pieces of an image's channels, so
 * that no two threads write to one place.                                                        */
#include "../pooling.h"
#include "cpu.h"
#include "resample.h"
#include <math.h>
#include <string.h>

#define GRAIN 32768 /* numbers read from which a second thread pays */
#define PIECE 64    /* channels of what scatters */

typedef struct {
  const AbPoolGeometry *at;
  AbPoolDivisor by;
  float *y;
  const float *x, *uniform;
  int32_t *index;
} Job;

static int64_t plane(const int64_t size[3]) {
  return size[0] * size[1] * size[2];
}

static int64_t pieces(int64_t c) {
  return (c + PIECE - 1) / PIECE;
}

/* The window of output o of an image. */
static void window(const AbPoolGeometry *at, int64_t o, AbSpan span[3]) {
  span[2] = ab_pool_span(at, 2, o % at->out[2]);
  span[1] = ab_pool_span(at, 1, o / at->out[2] % at->out[1]);
  span[0] = ab_pool_span(at, 0, o / at->out[2] / at->out[1]);
}

/* Runs `statement` for each tap of `span`, at `i` in its plane. */
#define EACH_TAP(at, span, statement)                                                          \
  for (int64_t k0 = 0; k0 < (span)[0].count; k0++)                                             \
    for (int64_t k1 = 0; k1 < (span)[1].count; k1++) {                                         \
      int64_t line = ((span)[0].first + k0 * (span)[0].step) * (at)->in[1] + (span)[1].first + \
                     k1 * (span)[1].step;                                                      \
      for (int64_t k2 = 0; k2 < (span)[2].count; k2++) {                                       \
        int64_t i = line * (at)->in[2] + (span)[2].first + k2 * (span)[2].step;                \
        statement;                                                                             \
      }                                                                                        \
    }

/* ---- the largest ----------------------------------------------------------------------------- */

CLONES static void first_tap(int64_t c, float *restrict y, int32_t *restrict index,
                             const float *restrict x, int32_t i) {
  for (int64_t j = 0; j < c; j++) {
    y[j] = x[j];
    index[j] = i;
  }
}

CLONES static void larger_tap(int64_t c, float *restrict y, int32_t *restrict index,
                              const float *restrict x, int32_t i) {
  for (int64_t j = 0; j < c; j++) {
    float value = x[j], best = y[j];
    bool better = (value > best) | (value != value);
    y[j] = better ? value : best;
    index[j] = better ? i : index[j];
  }
}

static void max_window(const Job *job, int64_t number) {
  const AbPoolGeometry *at = job->at;
  int64_t outputs = plane(at->out), c = at->c;
  const float *x = job->x + number / outputs * plane(at->in) * c;
  float *y = job->y + number * c;
  int32_t *index = job->index + number * c;
  AbSpan span[3];
  window(at, number % outputs, span);
  bool any = false;
  EACH_TAP(at, span, {
    (any ? larger_tap : first_tap)(c, y, index, x + i * c, (int32_t)i);
    any = true;
  })
  for (int64_t j = 0; !any && j < c; j++) {
    y[j] = -INFINITY;
    index[j] = -1;
  }
}

/* ---- one by probability: the sums are those of the reference device, in f64 ------------------ */

static void sample_channel(const AbPoolGeometry *at, const AbSpan span[3], const float *x,
                           float uniform, float *y, int32_t *index) {
  double total = 0, sum = 0;
  EACH_TAP(at, span, {
    double value = (double)x[i * at->c];
    if (!(value <= 0)) total += value;
  })
  *y = total != total ? NAN : 0;
  *index = -1;
  EACH_TAP(at, span, {
    float value = x[i * at->c];
    if (value <= 0) continue;
    if (total == total) *y = value;
    *index = (int32_t)i;
    sum += (double)value;
    if (value != value || sum >= (double)uniform * total) return;
  })
}

static void sample_window(const Job *job, int64_t number) {
  const AbPoolGeometry *at = job->at;
  int64_t outputs = plane(at->out), first = number * at->c;
  const float *x = job->x + number / outputs * plane(at->in) * at->c;
  AbSpan span[3];
  window(at, number % outputs, span);
  for (int64_t j = 0; j < at->c; j++)
    sample_channel(at, span, x + j, job->uniform[first + j], job->y + first + j,
                   job->index + first + j);
}

/* ---- sums ------------------------------------------------------------------------------------ */

CLONES static void add_row(int64_t c, float *restrict y, const float *restrict x) {
  for (int64_t j = 0; j < c; j++) y[j] += x[j];
}

CLONES static void scale_row(int64_t c, float *restrict y, const float *restrict x, float factor) {
  for (int64_t j = 0; j < c; j++) y[j] = factor * x[j];
}

CLONES static void add_to_wide(int64_t c, double *restrict sum, const float *restrict x) {
  for (int64_t j = 0; j < c; j++) sum[j] += (double)x[j];
}

/* Windows of many taps: sums in f64. */
static void sum_wide(const AbPoolGeometry *at, const AbSpan span[3], float *y, const float *x,
                     double factor) {
  for (int64_t first = 0; first < at->c; first += PIECE) {
    int64_t c = at->c - first < PIECE ? at->c - first : PIECE;
    double sum[PIECE] = {0};
    EACH_TAP(at, span, add_to_wide(c, sum, x + i * at->c + first))
    for (int64_t j = 0; j < c; j++) y[first + j] = (float)(sum[j] * factor);
  }
}

static void sum_window(const Job *job, int64_t number) {
  const AbPoolGeometry *at = job->at;
  int64_t outputs = plane(at->out), c = at->c;
  const float *x = job->x + number / outputs * plane(at->in) * c;
  float *y = job->y + number * c;
  AbSpan span[3];
  window(at, number % outputs, span);
  double factor = ab_pool_factor(at, job->by, span);
  if (span[0].count * span[1].count * span[2].count > 32) {
    sum_wide(at, span, y, x, factor);
    return;
  }
  memset(y, 0, (size_t)c * sizeof *y);
  EACH_TAP(at, span, add_row(c, y, x + i * c))
  if (factor != 1)
    for (int64_t j = 0; j < c; j++) y[j] *= (float)factor;
}

static void clear(float *x, int64_t rows, int64_t c, int64_t width) {
  if (width == c) {
    memset(x, 0, (size_t)(rows * c) * sizeof *x);
    return;
  }
  for (int64_t i = 0; i < rows; i++) memset(x + i * c, 0, (size_t)width * sizeof *x);
}

/* A piece of an image's channels. */
typedef struct {
  int64_t image, first, width;
} Piece;

static Piece piece_of(int64_t c, int64_t number) {
  int64_t first = number % pieces(c) * PIECE;
  return (Piece){number / pieces(c), first, c - first < PIECE ? c - first : PIECE};
}

static void spread_piece(const Job *job, int64_t number) {
  const AbPoolGeometry *at = job->at;
  int64_t c = at->c, outputs = plane(at->out);
  Piece p = piece_of(c, number);
  float *x = job->y + p.image * plane(at->in) * c + p.first, share[PIECE];
  const float *y = job->x + p.image * outputs * c + p.first;
  clear(x, plane(at->in), c, p.width);
  for (int64_t o = 0; o < outputs; o++) {
    AbSpan span[3];
    window(at, o, span);
    scale_row(p.width, share, y + o * c, (float)ab_pool_factor(at, job->by, span));
    EACH_TAP(at, span, add_row(p.width, x + i * c, share))
  }
}

/* ---- the kernels of windows ------------------------------------------------------------------ */

static void run(void (*work)(const Job *job, int64_t number), int64_t count, int64_t size,
                const Job *job) {
#pragma omp parallel for schedule(static) if (size > GRAIN)
  for (int64_t i = 0; i < count; i++) work(job, i);
}

/* What the windows read, about. */
static int64_t reads(const AbPoolGeometry *at) {
  int64_t outputs = at->n * plane(at->out) * at->c;
  return at->adaptive ? at->n * plane(at->in) * at->c : outputs * plane(at->size);
}

static void pool_max(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index,
                     const void *x) {
  if (dtype != AB_F32) {
    reference_pooling.max(dtype, at, y, index, x);
    return;
  }
  Job job = {.at = at, .y = y, .x = x, .index = index};
  run(max_window, at->n * plane(at->out), reads(at), &job);
}

static void pool_sample(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index,
                        const void *x, const float *uniform) {
  if (dtype != AB_F32) {
    reference_pooling.sample(dtype, at, y, index, x, uniform);
    return;
  }
  Job job = {.at = at, .y = y, .x = x, .index = index, .uniform = uniform};
  run(sample_window, at->n * plane(at->out), reads(at), &job);
}

static void pool_sum(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *y,
                     const void *x) {
  if (dtype != AB_F32) {
    reference_pooling.sum(dtype, at, by, y, x);
    return;
  }
  Job job = {.at = at, .by = by, .y = y, .x = x};
  run(sum_window, at->n * plane(at->out), reads(at), &job);
}

static void pool_spread(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *x,
                        const void *y) {
  if (dtype != AB_F32) {
    reference_pooling.spread(dtype, at, by, x, y);
    return;
  }
  Job job = {.at = at, .by = by, .y = x, .x = y};
  run(spread_piece, at->n * pieces(at->c), at->n * plane(at->in) * at->c, &job);
}

/* ---- by index -------------------------------------------------------------------------------- */

static void pool_pick(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *y,
                      const void *x, const int32_t *index) {
  if (dtype != AB_F32) {
    reference_pooling.pick(dtype, n, few, many, c, y, x, index);
    return;
  }
#pragma omp parallel for schedule(static) if (n * few * c > GRAIN)
  for (int64_t row = 0; row < n * few; row++) {
    const float *from = (const float *)x + row / few * many * c;
    for (int64_t j = 0; j < c; j++) {
      int32_t i = index[row * c + j];
      ((float *)y)[row * c + j] = i < 0 ? 0.f : from[i * c + j];
    }
  }
}

static void pool_place(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *x,
                       const void *y, const int32_t *index) {
  if (dtype != AB_F32) {
    reference_pooling.place(dtype, n, few, many, c, x, y, index);
    return;
  }
#pragma omp parallel for schedule(static) if (n * many * c > GRAIN)
  for (int64_t number = 0; number < n * pieces(c); number++) {
    Piece p = piece_of(c, number);
    float *to = (float *)x + p.image * many * c + p.first;
    clear(to, many, c, p.width);
    for (int64_t o = 0; o < few; o++) {
      int64_t row = (p.image * few + o) * c + p.first;
      for (int64_t j = 0; j < p.width; j++) {
        int32_t i = index[row + j];
        if (i >= 0) to[i * c + j] += ((const float *)y)[row + j];
      }
    }
  }
}

const AbPoolingKernels cpu_pooling = {
    .max = pool_max,
    .sample = pool_sample,
    .sum = pool_sum,
    .spread = pool_spread,
    .pick = pool_pick,
    .place = pool_place,
    .resize = cpu_resize,
    .resize_adjoint = cpu_resize_adjoint,
};
