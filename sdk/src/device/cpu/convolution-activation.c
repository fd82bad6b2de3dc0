/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations on what a convolution has just written, and the way back through activation and bias.
 */
#include "../activations.h"
#include "convolution-cpu.h"
#include <string.h>

void cpu_activate_range(AbActivation f, int64_t n, float *y) {
  if (f == AB_SIGMOID)
    cpu_tile_kernels()->sigmoids(n, y);
  else if (f != AB_IDENTITY)
    cpu_unary(ab_activation_kernels(f).f, AB_F32, n, y, y); /* on this thread in a parallel part */
}

CLONES static void sigmoid_slopes(int64_t n, float *h, const float *g, const float *y) {
  for (int64_t i = 0; i < n; i++) h[i] = g[i] * (y[i] * (1.f - y[i]));
}

static void slope_range(AbActivation f, int64_t n, float *h, const float *g, const float *y) {
  AbLoop loop = {.rank = 1, .shape = {n}, .stride = {{1}, {1}, {1}}};
  if (f == AB_SIGMOID)
    sigmoid_slopes(n, h, g, y);
  else if (f != AB_IDENTITY)
    cpu_binary(ab_activation_kernels(f).gradient, AB_F32, &loop, h, g, y);
  else if (h != g)
    memcpy(h, g, (size_t)n * sizeof *h);
}

/* ---- sums of columns -------------------------------------------------------------------------
 * Rows are cut in blocks whose number depends on the rows alone. Within one, as many rows as fit
 * into WIDTH are one wide row; sums of PIECE wide rows are carried in f32, their sums in f64.    */
#define WIDTH  160
#define PIECE  16
#define BLOCKS 64

typedef struct {
  AbActivation f;
  int64_t rows, cols, block; /* rows of a block */
  float *h;
  const float *g, *y;
} Job;

/* Adds rows of `width` numbers, `step` apart, to sum. */
CLONES static void add_rows(int64_t rows, int64_t width, int64_t step, const float *h,
                            double *restrict sum) {
  for (int64_t row = 0; row < rows; row += PIECE) {
    float part[WIDTH] = {0};
    for (int64_t r = row; r < at_most(row + PIECE, rows); r++)
      for (int64_t j = 0; j < width; j++) part[j] += h[r * step + j];
    for (int64_t j = 0; j < width; j++) sum[j] += (double)part[j];
  }
}

/* Sums of columns [first, first + width) of rows [from, to); narrow rows several at once. */
static void sum_block(const Job *j, int64_t from, int64_t to, int64_t first, int64_t width,
                      double *sum) {
  const float *h = (j->h ? j->h : j->g) + from * j->cols + first;
  int64_t together = width == j->cols ? WIDTH / width : 1, rows = (to - from) / together;
  double wide[WIDTH] = {0};
  add_rows(rows, together * width, together * j->cols, h, wide);
  add_rows(to - from - rows * together, width, j->cols, h + rows * together * j->cols, wide);
  for (int64_t i = 0; i < width; i++) sum[i] = 0;
  for (int64_t i = 0; i < together * width; i++) sum[i % width] += wide[i];
}

static void run_block(const Job *j, int64_t block, bool first, int64_t col, int64_t width,
                      double *sum) {
  int64_t from = block * j->block, to = at_most(from + j->block, j->rows);
  if (to <= from) return;
  if (first && j->h)
    slope_range(j->f, (to - from) * j->cols, j->h + from * j->cols, j->g + from * j->cols,
                j->y + from * j->cols);
  if (sum) sum_block(j, from, to, col, width, sum);
}

void cpu_unactivate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *h,
                    const void *g, const void *y, void *db, bool add) {
  if (dtype != AB_F32) {
    reference_convolution.unactivate(dtype, f, rows, cols, h, g, y, db, add);
    return;
  }
  int64_t blocks = at_most((rows * cols + 16383) / 16384, BLOCKS);
  if (blocks < 1) blocks = 1;
  Job job = {f, rows, cols, (rows + blocks - 1) / blocks, h, g, y};
  float *to = db;
  for (int64_t col = 0; col < cols; col += WIDTH) {
    int64_t width = at_most(WIDTH, cols - col);
    double sums[BLOCKS][WIDTH], (*all)[WIDTH] = sums; /* 80 kB, of the calling thread */
#pragma omp parallel for schedule(static) if (blocks > 4)
    for (int64_t i = 0; i < blocks; i++)
      run_block(&job, i, col == 0, col, width, db ? all[i] : NULL);
    for (int64_t k = 0; db && k < width; k++) {
      double sum = add ? (double)to[col + k] : 0;
      for (int64_t i = 0; i < blocks && i * job.block < rows; i++) sum += all[i][k];
      to[col + k] = (float)sum;
    }
    if (!db) break;
  }
}
