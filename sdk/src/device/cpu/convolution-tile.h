/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loops of convolution in f32, on the calling thread; convolution-body.h has them.
 * Wherever a vector is read whole vectors are: what is behind the last number read must be memory.
 */
#ifndef SDK_DEVICE_CPU_CONVOLUTION_TILE_H
#define SDK_DEVICE_CPU_CONVOLUTION_TILE_H

#include <stdbool.h>
#include <stdint.h>

#define TILE_COLS 24 /* at most; memory of panels is padded to multiples of TILE_PAD */
#define TILE_PAD  8
#define SLACK     16 /* floats behind whatever is read by whole vectors */

static inline int64_t padded(int64_t n) {
  return (n + TILE_PAD - 1) / TILE_PAD * TILE_PAD;
}
static inline int64_t at_most(int64_t n, int64_t limit) {
  return n < limit ? n : limit;
}

/* A run of steps of a sum: offsets of a in floats, of b in steps. */
typedef struct {
  int64_t a, b, length;
} CpuRun;

/* c[r, j] := init[r, j] + sum over runs and their steps l of
 *            a[run.a + r a_row + l a_step] b[(run.b + l) b_step + j]                             */
typedef struct {
  int64_t rows, cols; /* cols <= TILE_COLS */
  const float *a;
  int64_t a_row, a_step;
  const float *b;
  int64_t b_step;
  const CpuRun *runs;
  int64_t run_count;
  const float *init; /* NULL: zeros */
  int64_t init_row;
  float *c;
  int64_t c_row;
} CpuTile;

typedef struct {
  void (*tile)(const CpuTile *t);
  /* c[r c_row] := init + sum over runs and l of a[run.a + r a_row + l] b[run.b + l], b padded with
   * zeros                                                                                        */
  void (*dot)(int64_t rows, const float *a, int64_t a_row, const float *b, const CpuRun *runs,
              int64_t run_count, float init, float *c, int64_t c_row);
  /* c[r c_row + j] := init[j] + sum over runs of a[run.a + r a_row + j] b[run.b cols' + j], j in
   * [0, cols), cols' padded                                                                      */
  void (*depth)(int64_t rows, int64_t cols, const float *a, int64_t a_row, const float *b,
                const CpuRun *runs, int64_t run_count, const float *init, float *c, int64_t c_row);
  /* w[run.b cols' + j] += sum over lines l and r of a[run.a + l a_line + r a_row + j] g[l g_line +
   * r cols + j] */
  void (*depth_weights)(int64_t lines, int64_t rows, int64_t cols, const float *a, int64_t a_line,
                        int64_t a_row, const float *g, int64_t g_line, const CpuRun *runs,
                        int64_t run_count, float *w);
  /* Minimal filtering; see convolution-winograd.c. A row of tiles: x at the first tile's corner,
   * with lines of `line` floats; v [16][stride][channels'] at the first tile. */
  void (*winograd_input)(int64_t tiles, int64_t channels, const float *x, int64_t line, float *v,
                         int64_t stride);
  /* y at the first tile's corner, `lines` (1 or 2) and `columns` of results; y's own line length */
  void (*winograd_output)(int64_t lines, int64_t columns, int64_t channels, const float *m,
                          int64_t stride, const float *bias, float *y, int64_t line);
  void (*winograd_gradient)(int64_t tiles, int64_t channels, const float *g, int64_t line, float *v,
                            int64_t stride);
  void (*sigmoids)(int64_t n, float *y); /* in place */
} CpuTileKernels;

const CpuTileKernels *cpu_tile_kernels(void);

#endif
