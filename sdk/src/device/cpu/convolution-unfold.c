/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows as columns and back, a plane of x at a time. */
#include "convolution-cpu.h"
#include <string.h>

/* Positions q in [*from, *to) of a row whose r = q stride + e is within x. */
static void inside(int64_t e, int64_t stride, int64_t x, int64_t y, int64_t *from, int64_t *to) {
  *from = e < 0 ? at_most((-e + stride - 1) / stride, y) : 0;
  *to = e >= x ? 0 : at_most((x - e + stride - 1) / stride, y);
  if (*to < *from) *to = *from;
}

/* Row (p, q[0], q[1]) of the columns of a plane: where it is in x, and which part of it. */
typedef struct {
  int64_t at, from, to;
} Row;

static Row row_of(const AbConvolutionShape *s, const int64_t *p, const int64_t *q) {
  int64_t e[AXES], line = 0;
  for (int a = 0; a < AXES; a++) {
    e[a] = p[a] * s->dilation[a] - s->before[a];
    if (a == 2) break;
    int64_t r = q[a] * s->stride[a] + e[a];
    if (r < 0 || r >= s->x[a]) return (Row){0, 0, 0};
    line = line * s->x[a] + r;
  }
  Row row = {line * s->x[2] + e[2], 0, 0};
  inside(e[2], s->stride[2], s->x[2], s->y[2], &row.from, &row.to);
  return row;
}

static void unfold_row(const AbConvolutionShape *s, const Row *row, float *to, const float *x) {
  int64_t stride = s->stride[2], count = row->to - row->from;
  if (count <= 0) {
    memset(to, 0, (size_t)s->y[2] * sizeof *to);
    return;
  }
  memset(to, 0, (size_t)row->from * sizeof *to);
  const float *from = x + (row->at + row->from * stride);
  if (stride == 1)
    memcpy(to + row->from, from, (size_t)count * sizeof *to);
  else
    for (int64_t i = 0; i < count; i++) to[row->from + i] = from[i * stride];
  memset(to + row->to, 0, (size_t)(s->y[2] - row->to) * sizeof *to);
}

CLONES static void fold_row(const AbConvolutionShape *s, const Row *row, float *x,
                            const float *from) {
  int64_t stride = s->stride[2];
  if (row->to <= row->from) return;
  float *restrict to = x + (row->at + row->from * stride);
  const float *restrict part = from + row->from;
  if (stride == 1)
    for (int64_t i = 0; i < row->to - row->from; i++) to[i] += part[i];
  else
    for (int64_t i = 0; i < row->to - row->from; i++) to[i * stride] += part[i];
}

/* All rows of the columns of one plane. */
static void each_row(const AbConvolutionShape *s, float *x, float *cols, bool fold) {
  int64_t p[AXES], q[AXES] = {0};
  for (p[0] = 0; p[0] < s->k[0]; p[0]++)
    for (p[1] = 0; p[1] < s->k[1]; p[1]++)
      for (p[2] = 0; p[2] < s->k[2]; p[2]++)
        for (q[0] = 0; q[0] < s->y[0]; q[0]++)
          for (q[1] = 0; q[1] < s->y[1]; q[1]++, cols += s->y[2]) {
            Row row = row_of(s, p, q);
            if (fold)
              fold_row(s, &row, x, cols);
            else
              unfold_row(s, &row, cols, x);
          }
}

void cpu_unfold(AbDtype dtype, const AbConvolutionShape *s, void *cols, const void *x) {
  if (dtype != AB_F32) {
    reference_convolution.unfold(dtype, s, cols, x);
    return;
  }
  int64_t plane = cpu_volume(s->x), size = cpu_volume(s->k) * cpu_volume(s->y);
#pragma omp parallel for schedule(static) if (s->n * s->in * size > 65536)
  for (int64_t i = 0; i < s->n * s->in; i++)
    each_row(s, (float *)x + i * plane, (float *)cols + i * size, false);
}

void cpu_fold(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *cols) {
  if (dtype != AB_F32) {
    reference_convolution.fold(dtype, s, x, cols);
    return;
  }
  int64_t plane = cpu_volume(s->x), size = cpu_volume(s->k) * cpu_volume(s->y);
#pragma omp parallel for schedule(static) if (s->n * s->in * size > 65536)
  for (int64_t i = 0; i < s->n * s->in; i++) {
    memset((float *)x + i * plane, 0, (size_t)plane * sizeof(float));
    each_row(s, (float *)x + i * plane, (float *)cols + i * size, true);
  }
}
