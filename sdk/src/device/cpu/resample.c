/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling of f32: each output is a weighted sum of the rows of channels around it. The adjoint
 * is cut into pieces of an image's channels, so that no two threads write to one place.          */
#include "resample.h"
#include "cpu.h"
#include <string.h>

#define GRAIN 32768 /* numbers written from which a second thread pays */
#define PIECE 64    /* channels of the adjoint */

typedef struct {
  int64_t place;
  float weight;
} Corner;

static int64_t plane(const int64_t size[3]) {
  return size[0] * size[1] * size[2];
}

/* The corners around output o of a plane whose weight is not 0; how many. */
static int corners(const AbResizeGeometry *at, int64_t o, Corner corner[8]) {
  AbBetween b[3] = {ab_resize_between(at, 0, o / at->out[2] / at->out[1]),
                    ab_resize_between(at, 1, o / at->out[2] % at->out[1]),
                    ab_resize_between(at, 2, o % at->out[2])};
  int count = 0;
  for (int k = 0; k < 8; k++) {
    double weight = 1;
    int64_t place = 0;
    for (int axis = 0; axis < 3; axis++) {
      bool high = k >> (2 - axis) & 1;
      weight *= high ? b[axis].share : 1 - b[axis].share;
      place = place * at->in[axis] + (high ? b[axis].high : b[axis].low);
    }
    if (weight != 0) corner[count++] = (Corner){place, (float)weight};
  }
  return count;
}

CLONES static void scaled_row(int64_t c, float *restrict y, const float *restrict x, float weight) {
  for (int64_t j = 0; j < c; j++) y[j] = weight * x[j];
}

CLONES static void add_scaled_row(int64_t c, float *restrict y, const float *restrict x,
                                  float weight) {
  for (int64_t j = 0; j < c; j++) y[j] += weight * x[j];
}

void cpu_resize(AbDtype dtype, const AbResizeGeometry *at, void *y, const void *x) {
  if (dtype != AB_F32) {
    reference_pooling.resize(dtype, at, y, x);
    return;
  }
  int64_t outputs = plane(at->out), c = at->c, rows = at->n * outputs;
#pragma omp parallel for schedule(static) if (rows * c > GRAIN)
  for (int64_t row = 0; row < rows; row++) {
    const float *from = (const float *)x + row / outputs * plane(at->in) * c;
    float *to = (float *)y + row * c;
    Corner corner[8];
    int count = corners(at, row % outputs, corner);
    scaled_row(c, to, from + corner[0].place * c, corner[0].weight);
    for (int k = 1; k < count; k++)
      add_scaled_row(c, to, from + corner[k].place * c, corner[k].weight);
  }
}

static void adjoint_piece(const AbResizeGeometry *at, float *x, const float *y, int64_t image,
                          int64_t first) {
  int64_t c = at->c, width = c - first < PIECE ? c - first : PIECE;
  float *to = x + image * plane(at->in) * c + first;
  const float *from = y + image * plane(at->out) * c + first;
  for (int64_t i = 0; i < plane(at->in); i++) memset(to + i * c, 0, (size_t)width * sizeof *to);
  for (int64_t o = 0; o < plane(at->out); o++) {
    Corner corner[8];
    int count = corners(at, o, corner);
    for (int k = 0; k < count; k++)
      add_scaled_row(width, to + corner[k].place * c, from + o * c, corner[k].weight);
  }
}

void cpu_resize_adjoint(AbDtype dtype, const AbResizeGeometry *at, void *x, const void *y) {
  if (dtype != AB_F32) {
    reference_pooling.resize_adjoint(dtype, at, x, y);
    return;
  }
  int64_t pieces = (at->c + PIECE - 1) / PIECE;
#pragma omp parallel for schedule(static) if (at->n * plane(at->out) * at->c > GRAIN)
  for (int64_t number = 0; number < at->n * pieces; number++)
    adjoint_piece(at, x, y, number / pieces, number % pieces * PIECE);
}
