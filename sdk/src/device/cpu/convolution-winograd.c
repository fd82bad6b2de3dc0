/* SPDX-License-Identifier: Apache-2.0
 *
 * 3 x 3 convolutions of stride 1 by minimal filtering, F(2 x 2, 3 x 3): Winograd, "Arithmetic
 * complexity of computations" (1980); Lavin & Gray, "Fast algorithms for convolutional neural
 * networks" (CVPR 2016). With w the 3 x 3 weights and x a tile of 4 x 4,
 *     y = A' [ sum over channels (G w G') * (B' x B) ] A        (* by element)
 *
 *     B' = 1  0 -1  0     G = 1    0    0      A' = 1  1  1  0
 *          0  1  1  0         1/2  1/2  1/2         0  1 -1 -1
 *          0 -1  1  0         1/2 -1/2  1/2
 *          0  1  0 -1         0    0    1
 * gives 2 x 2 results with 16 products where the sums take 36. Its derivative by w is
 *     G' [ sum over tiles (A dy A') * (B' x B) ] G.
 * The products of a band of tiles are 16 products of matrices. Errors are not larger than those of
 * the plain sums (Lavin & Gray, table 6; tests/unit/sdk/convolution.c).                          */
#include "convolution-cpu.h"
#include <omp.h>
#include <string.h>

#define LEAST_CHANNELS 8
#define BAND           24 /* tiles of a unit, at least where there are so many */
#define CHUNKS         32
#define LEAST_CHUNKS   4
#define MOST_FLOATS    ((int64_t)8 << 20)
#define POINTS         16

typedef struct {
  const AbConvolutionShape *s;
  bool data;
  int64_t from, to, from_wide, to_wide;                 /* channels, and padded */
  int64_t source_lines, source_columns, lines, columns; /* of the source and the target */
  int64_t low[2];                                       /* of the source at tile 0 */
  int64_t down, across;                                 /* tiles */
  int64_t rows, images;                                 /* of tiles, of images in a unit */
  int64_t bands, units, tiles;                          /* tiles of a unit at most */
  int64_t window;                                       /* floats of a copy */
  int64_t chunks, sum;                                  /* of the weights' gradient */
  float *packed, *bias, *sums, *scratch;
  int64_t each; /* floats of scratch of a thread */
  int threads;
} Plan;

bool cpu_winograd_fits(const AbConvolutionShape *s) {
  for (int a = 1; a < AXES; a++)
    if (s->k[a] != 3 || s->stride[a] != 1 || s->dilation[a] != 1) return false;
  return s->x[0] == 1 && s->y[0] == 1 && s->k[0] == 1 && s->before[0] == 0 && s->groups == 1 &&
         s->in >= LEAST_CHANNELS && s->out >= LEAST_CHANNELS && s->y[1] * s->y[2] >= 4;
}

static void cut(Plan *p) {
  p->down = (p->lines + 1) / 2;
  p->across = (p->columns + 1) / 2;
  p->rows = at_most((BAND + p->across - 1) / p->across, p->down);
  p->images = p->rows < p->down ? 1 : (BAND + p->down * p->across - 1) / (p->down * p->across);
  p->images = at_most(p->images, p->s->n);
  p->bands = (p->down + p->rows - 1) / p->rows;
  p->units = (p->s->n + p->images - 1) / p->images * p->bands;
  p->tiles = p->rows * p->across * p->images;
}

static Plan plan_of(const AbConvolutionShape *s, AbConvolutionPass pass, void *work,
                    int64_t *bytes) {
  bool data = pass == K_CONVOLUTION_DATA, weights = pass == K_CONVOLUTION_WEIGHTS;
  const int64_t *source = data ? s->y : s->x, *target = data ? s->x : s->y;
  Plan p = {.s = s,
            .data = data,
            .from = data ? s->out : s->in,
            .to = data ? s->in : s->out,
            .source_lines = source[1],
            .source_columns = source[2],
            .lines = target[1],
            .columns = target[2],
            .threads = cpu_convolution_threads(s)};
  for (int a = 0; a < 2; a++) p.low[a] = data ? s->before[a + 1] - 2 : -s->before[a + 1];
  p.from_wide = padded(p.from);
  p.to_wide = padded(p.to);
  cut(&p);
  /* the lines of a row of tiles, of x or of the gradient */
  int64_t channels = weights && p.to > p.from ? p.to : p.from;
  p.window = (4 * (2 * p.across + 2) * channels + SLACK + 15) / 16 * 16;
  p.each = p.window + POINTS * p.tiles * (p.from_wide + p.to_wide);
  p.sum = POINTS * (weights ? p.to * p.from_wide : 0);
  p.chunks = MOST_FLOATS / (p.sum + 1);
  if (p.chunks < LEAST_CHUNKS) p.chunks = LEAST_CHUNKS;
  p.chunks = at_most(at_most(p.chunks, CHUNKS), p.units);
  CpuArena arena = {work, 0};
  p.packed = cpu_take_floats(&arena, weights ? 0 : POINTS * p.from * p.to_wide);
  p.bias = cpu_take_floats(&arena, p.to_wide);
  p.sums = cpu_take_floats(&arena, p.sum * p.chunks);
  p.scratch = cpu_take_floats(&arena, p.each * p.threads);
  if (bytes) *bytes = arena.used;
  return p;
}

size_t cpu_winograd_work(const AbConvolutionShape *s, AbConvolutionPass pass) {
  int64_t bytes;
  plan_of(s, pass, NULL, &bytes);
  return (size_t)bytes;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* G w G' of 9 numbers, `step` apart */
static void transform(const float *w, int64_t step, float *u) {
  float half[4][3];
  for (int j = 0; j < 3; j++) {
    float a = w[j * step], b = w[(3 + j) * step], c = w[(6 + j) * step];
    half[0][j] = a;
    half[1][j] = 0.5f * (a + b + c);
    half[2][j] = 0.5f * (a - b + c);
    half[3][j] = c;
  }
  for (int i = 0; i < 4; i++) {
    float a = half[i][0], b = half[i][1], c = half[i][2];
    u[4 * i] = a;
    u[4 * i + 1] = 0.5f * (a + b + c);
    u[4 * i + 2] = 0.5f * (a - b + c);
    u[4 * i + 3] = c;
  }
}

/* Of each point the panels [from][columns of the panel], one behind the other. For data the weights
 * are turned by half a turn and their channels change places.                                    */
static void pack_column(const Plan *p, const float *W, int64_t j) {
  int64_t col = j / TILE_COLS * TILE_COLS, width = at_most(TILE_COLS, p->to_wide - col);
  for (int64_t c = 0; c < p->from; c++) {
    float u[POINTS] = {0}, turned[9];
    if (j < p->to) {
      const float *w = W + (p->data ? c * p->to + j : j * p->from + c) * 9;
      for (int i = 0; i < 9; i++) turned[i] = p->data ? w[8 - i] : w[i];
      transform(turned, 1, u);
    }
    for (int i = 0; i < POINTS; i++)
      p->packed[(i * p->to_wide + col) * p->from + c * width + j - col] = u[i];
  }
}

/* G' m G of 16 numbers, `step` apart */
static void untransform(const float *m, int64_t step, float *w) {
  float half[3][4];
  for (int j = 0; j < 4; j++) {
    float a = m[j * step], b = m[(4 + j) * step], c = m[(8 + j) * step], d = m[(12 + j) * step];
    half[0][j] = a + 0.5f * (b + c);
    half[1][j] = 0.5f * (b - c);
    half[2][j] = 0.5f * (b + c) + d;
  }
  for (int i = 0; i < 3; i++) {
    float a = half[i][0], b = half[i][1], c = half[i][2], d = half[i][3];
    w[3 * i] = a + 0.5f * (b + c);
    w[3 * i + 1] = 0.5f * (b - c);
    w[3 * i + 2] = 0.5f * (b + c) + d;
  }
}

/* ---- tiles of a unit ------------------------------------------------------------------------- */

/* Lines and columns of an image [lines, columns, channels], with zeros around it. */
static void copy_window(const float *image, int64_t lines, int64_t columns, int64_t channels,
                        int64_t top, int64_t left, int64_t height, int64_t width, float *to) {
  int64_t before = at_most(left < 0 ? -left : 0, width), first = left < 0 ? 0 : left;
  int64_t inside = at_most(columns - first, width - before);
  if (inside < 0) inside = 0;
  size_t size = (size_t)channels * sizeof *to;
  for (int64_t i = top; i < top + height; i++, to += width * channels) {
    int64_t middle = i < 0 || i >= lines ? 0 : inside;
    int64_t zeros = middle > 0 ? before : width;
    memset(to, 0, (size_t)zeros * size);
    if (middle == 0) continue;
    memcpy(to + zeros * channels, image + (i * columns + first) * channels, (size_t)middle * size);
    memset(to + (zeros + middle) * channels, 0, (size_t)(width - zeros - middle) * size);
  }
}

typedef struct {
  int64_t image, end; /* images of the unit */
  int64_t row, rows;  /* of tiles */
  int64_t tiles;
} Unit;

static Unit unit_of(const Plan *p, int64_t unit) {
  Unit u = {.image = unit / p->bands * p->images, .row = unit % p->bands * p->rows};
  u.end = at_most(u.image + p->images, p->s->n);
  u.rows = at_most(p->rows, p->down - u.row);
  u.tiles = (u.end - u.image) * u.rows * p->across;
  return u;
}

/* Tiles [from, to) of a row of tiles whose corner is at line `top`, from a copy of their lines. */
static void transform_copy(const Plan *p, const CpuTileKernels *kernels, const float *image,
                           int64_t top, int64_t from, int64_t to, float *window, float *v,
                           int64_t stride) {
  int64_t columns = 2 * (to - from) + 2;
  if (to <= from) return;
  copy_window(image, p->source_lines, p->source_columns, p->from, top, 2 * from + p->low[1], 4,
              columns, window);
  kernels->winograd_input(to - from, p->from, window, columns * p->from, v + from * p->from_wide,
                          stride);
}

/* A row of tiles: those that lie within the image are read where they are (but for the last pixel
 * of a line, behind which there may be no memory). */
static void transform_row(const Plan *p, const CpuTileKernels *kernels, const float *image,
                          int64_t top, float *window, float *v, int64_t stride) {
  int64_t left = p->low[1], from = left < 0 ? (1 - left) / 2 : 0;
  int64_t last = p->source_columns - 5 - left, to = last < 0 ? 0 : at_most(last / 2 + 1, p->across);
  if (top < 0 || top + 4 > p->source_lines || to <= from) from = to = 0;
  transform_copy(p, kernels, image, top, 0, from, window, v, stride);
  if (to > from) {
    int64_t line = p->source_columns * p->from;
    kernels->winograd_input(to - from, p->from, image + top * line + (2 * from + left) * p->from,
                            line, v + from * p->from_wide, stride);
  }
  transform_copy(p, kernels, image, top, to, p->across, window, v, stride);
}

static void transform_input(const Plan *p, const CpuTileKernels *kernels, const Unit *u,
                            const float *source, float *window, float *v) {
  for (int64_t n = u->image; n < u->end; n++) {
    const float *image = source + n * p->source_lines * p->source_columns * p->from;
    for (int64_t r = 0; r < u->rows; r++, v += p->across * p->from_wide)
      transform_row(p, kernels, image, 2 * (u->row + r) + p->low[0], window, v, u->tiles);
  }
}

static void multiply(const Plan *p, const CpuTileKernels *kernels, const Unit *u, const float *v,
                     float *m) {
  CpuRun run = {0, 0, p->from};
  CpuTile tile = {.rows = u->tiles,
                  .a_row = p->from_wide,
                  .a_step = 1,
                  .runs = &run,
                  .run_count = 1,
                  .c_row = p->to_wide};
  for (int64_t i = 0; i < POINTS; i++) {
    tile.a = v + i * u->tiles * p->from_wide;
    for (int64_t col = 0; col < p->to_wide; col += TILE_COLS) {
      tile.cols = at_most(TILE_COLS, p->to - col);
      tile.b_step = at_most(TILE_COLS, p->to_wide - col);
      tile.b = p->packed + (i * p->to_wide + col) * p->from;
      tile.c = m + i * u->tiles * p->to_wide + col;
      kernels->tile(&tile);
    }
  }
}

static void transform_output(const Plan *p, const CpuTileKernels *kernels, const Unit *u,
                             const float *m, AbActivation f, float *target) {
  int64_t line = p->columns * p->to;
  for (int64_t n = u->image; n < u->end; n++) {
    float *from = target + (n * p->lines + 2 * u->row) * line, *y = from;
    for (int64_t r = 0; r < u->rows; r++, m += p->across * p->to_wide, y += 2 * line) {
      int64_t left = p->lines - 2 * (u->row + r);
      kernels->winograd_output(at_most(left, 2), p->columns, p->to, m, u->tiles, p->bias, y, line);
    }
    cpu_activate_range(f, at_most(2 * u->rows, p->lines - 2 * u->row) * line, from);
  }
}

void cpu_winograd_run(const AbConvolutionShape *s, bool data, float *target, const float *source,
                      const float *W, const float *b, AbActivation f, void *work) {
  Plan p = plan_of(s, data ? K_CONVOLUTION_DATA : K_CONVOLUTION_FORWARD, work, NULL);
  const CpuTileKernels *kernels = cpu_tile_kernels();
  if (b)
    memcpy(p.bias, b, (size_t)p.to * sizeof *b);
  else
    p.bias = NULL;
#pragma omp parallel num_threads(p.threads) if (p.threads > 1)
  {
    float *window = p.scratch + p.each * omp_get_thread_num(), *v = window + p.window;
#pragma omp for schedule(static)
    for (int64_t j = 0; j < p.to_wide; j++) pack_column(&p, W, j);
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < p.units; i++) {
      Unit u = unit_of(&p, i);
      float *m = v + POINTS * u.tiles * p.from_wide;
      transform_input(&p, kernels, &u, source, window, v);
      multiply(&p, kernels, &u, v, m);
      transform_output(&p, kernels, &u, m, f, target);
    }
  }
}

/* ---- gradient of the weights ----------------------------------------------------------------- */

/* The tiles of y. Rows of whole tiles are read where they are, but for the very last. */
static void transform_gradient(const Plan *p, const CpuTileKernels *kernels, const Unit *u,
                               const float *y, float *window, float *v) {
  int64_t width = 2 * p->across, line = width * p->to;
  for (int64_t n = u->image; n < u->end; n++) {
    const float *image = y + n * p->lines * p->columns * p->to;
    for (int64_t r = u->row; r < u->row + u->rows; r++, v += p->across * p->to_wide) {
      bool last = n + 1 == p->s->n && r + 1 == p->down;
      bool whole = p->columns == width && 2 * r + 2 <= p->lines && !last;
      const float *from = whole ? image + 2 * r * line : window;
      if (!whole) copy_window(image, p->lines, p->columns, p->to, 2 * r, 0, 2, width, window);
      kernels->winograd_gradient(p->across, p->to, from, line, v, u->tiles);
    }
  }
}

/* sum [point][to][from] += h' v */
static void add_products(const Plan *p, const CpuTileKernels *kernels, const Unit *u,
                         const float *h, const float *v, float *sum) {
  CpuRun run = {0, 0, u->tiles};
  CpuTile tile = {.rows = p->to,
                  .a_row = 1,
                  .a_step = p->to_wide,
                  .b_step = p->from_wide,
                  .runs = &run,
                  .run_count = 1,
                  .init_row = p->from_wide,
                  .c_row = p->from_wide};
  for (int64_t i = 0; i < POINTS; i++) {
    tile.a = h + i * u->tiles * p->to_wide;
    for (int64_t col = 0; col < p->from_wide; col += TILE_COLS) {
      tile.cols = at_most(TILE_COLS, p->from - col);
      tile.b = v + i * u->tiles * p->from_wide + col;
      tile.init = tile.c = sum + i * p->to * p->from_wide + col;
      kernels->tile(&tile);
    }
  }
}

/* The weights of output j from the sums of all chunks, added in their order. */
CLONES static void finish(const Plan *p, int64_t j, float *W, bool add) {
  int64_t plane = p->to * p->from_wide;
  for (int i = 0; i < POINTS; i++) {
    float *restrict total = p->sums + i * plane + j * p->from_wide;
    for (int64_t c = 1; c < p->chunks; c++) {
      const float *restrict part = total + c * p->sum;
      for (int64_t k = 0; k < p->from_wide; k++) total[k] += part[k];
    }
  }
  for (int64_t c = 0; c < p->from; c++) {
    float w[9], *to = W + (j * p->from + c) * 9;
    untransform(p->sums + j * p->from_wide + c, plane, w);
    for (int i = 0; i < 9; i++) to[i] = add ? to[i] + w[i] : w[i];
  }
}

void cpu_winograd_weights(const AbConvolutionShape *s, float *W, const float *x, const float *y,
                          bool add, void *work) {
  Plan p = plan_of(s, K_CONVOLUTION_WEIGHTS, work, NULL);
  const CpuTileKernels *kernels = cpu_tile_kernels();
#pragma omp parallel num_threads(p.threads) if (p.threads > 1)
  {
    float *window = p.scratch + p.each * omp_get_thread_num(), *v = window + p.window;
#pragma omp for schedule(dynamic, 1)
    for (int64_t c = 0; c < p.chunks; c++) {
      float *sum = p.sums + c * p.sum;
      memset(sum, 0, (size_t)p.sum * sizeof *sum);
      for (int64_t i = c * p.units / p.chunks; i < (c + 1) * p.units / p.chunks; i++) {
        Unit u = unit_of(&p, i);
        float *h = v + POINTS * u.tiles * p.from_wide;
        transform_input(&p, kernels, &u, x, window, v);
        transform_gradient(&p, kernels, &u, y, window, h);
        add_products(&p, kernels, &u, h, v, sum);
      }
    }
#pragma omp for schedule(static)
    for (int64_t j = 0; j < p.to; j++) finish(&p, j, W, add);
  }
}
