/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradients of the weights. Units of the forward sweep are gathered in chunks, whose number does
 * not depend on the threads; each chunk has a sum of its own, and these are added in their order.
 *
 * A chunk's sum is, by group, [step][out] or, where that wastes less of the vectors, [out][step]: a
 * step is a tap and a channel of x. Channel by channel (depthwise) it is [tap][channel]. */
#include "convolution-cpu.h"
#include <omp.h>
#include <string.h>

#define CHUNKS      64
#define LEAST       4                  /* chunks, however large */
#define MOST_FLOATS ((int64_t)4 << 20) /* of all chunks, above LEAST */

typedef struct {
  Sweep w;
  CpuTaps taps;
  bool turned;          /* [out][step] */
  int64_t in, out;      /* channels of a group */
  int64_t steps, width; /* of a group; floats of a row of its sum */
  int64_t size;         /* floats of a chunk's sum */
  int64_t chunks;
  float *sums, *windows, *ends;
  int64_t window;
  int threads;
} Plan;

/* Floats of a row [step] when every run is padded. */
static int64_t turned_width(const Sweep *w) {
  int64_t merges = w->s->groups == 1 && w->s->dilation[2] == 1;
  int64_t run = w->from / w->s->groups * (merges ? w->s->k[2] : 1);
  return padded(run) * (w->taps / (merges ? w->s->k[2] : 1));
}

static void shape_sum(Plan *p) {
  int64_t turned = turned_width(&p->w);
  p->steps = p->w.taps * p->in;
  p->turned = p->w.mode == TILES && p->out * turned < p->steps * padded(p->out);
  p->width = p->w.mode == DEPTHS ? padded(p->w.to) : p->turned ? turned : padded(p->out);
  int64_t rows = p->w.mode == DEPTHS ? p->w.taps : p->turned ? p->out : p->steps;
  p->size = rows * p->width * (p->w.mode == DEPTHS ? 1 : p->w.s->groups);
  p->chunks = MOST_FLOATS / (p->size + 1);
  if (p->chunks < LEAST) p->chunks = LEAST;
  p->chunks = at_most(at_most(p->chunks, CHUNKS), p->w.units);
}

static Plan plan_of(const AbConvolutionShape *s, void *work, int64_t *bytes) {
  Plan p = {.w = cpu_sweep(s, false), .in = s->in / s->groups, .out = s->out / s->groups};
  CpuArena arena = {work, 0};
  if (p.w.mode == DOTS) p.w.mode = TILES;
  shape_sum(&p);
  p.threads = (int)at_most(cpu_convolution_threads(s), p.chunks);
  cpu_take_taps(&arena, &p.w, &p.taps);
  p.sums = cpu_take_floats(&arena, p.size * p.chunks);
  p.ends = cpu_take_floats(&arena, p.w.rows * s->y[2] * s->out);
  p.window = (cpu_window_size(&p.w) + SLACK + 15) / 16 * 16;
  p.windows = cpu_take_floats(&arena, p.window * p.threads);
  if (bytes) *bytes = arena.used;
  return p;
}

size_t cpu_weights_work(const AbConvolutionShape *s) {
  int64_t bytes;
  plan_of(s, NULL, &bytes);
  return (size_t)bytes;
}

/* ---- units ----------------------------------------------------------------------------------- */

static void straight(const Plan *p, const CpuTileKernels *kernels, const float *window,
                     const float *y, int64_t rows, float *sum) {
  CpuRun lines[SWEEP_ROWS]; /* of the window, and of y */
  int64_t line = p->w.source_step[1] * p->w.window[2] * p->w.from, columns = p->w.target[2];
  for (int64_t r = 0; r < rows; r++) lines[r] = (CpuRun){r * line, r * columns, columns};
  CpuTile tile = {.runs = lines,
                  .run_count = rows,
                  .a_row = 1,
                  .a_step = p->w.source_step[2] * p->w.from,
                  .b_step = p->w.to,
                  .init_row = p->width,
                  .c_row = p->width};
  for (int64_t group = 0; group < p->w.s->groups; group++, sum += p->steps * p->width) {
    for (int64_t i = 0; i < p->taps.first_run[1]; i++) {
      const CpuRun *run = &p->taps.runs[i];
      tile.rows = run->length;
      tile.a = window + run->a + group * p->in;
      for (int64_t col = 0; col < p->out; col += TILE_COLS) {
        tile.cols = at_most(TILE_COLS, p->out - col);
        tile.b = y + group * p->out + col;
        tile.init = tile.c = sum + run->b * p->width + col;
        kernels->tile(&tile);
      }
    }
  }
}

/* Rows of a unit one by one: in the window they are not a whole number of steps apart. */
static void turned(const Plan *p, const CpuTileKernels *kernels, const float *window,
                   const float *y, int64_t rows, float *sum) {
  int64_t step = p->w.source_step[2] * p->w.from, line = p->w.window[2] * p->w.from;
  CpuRun one = {0, 0, p->w.target[2]};
  CpuTile tile = {.rows = p->out,
                  .a_row = 1,
                  .a_step = p->w.to,
                  .b_step = step,
                  .runs = &one,
                  .run_count = 1,
                  .init_row = p->width,
                  .c_row = p->width};
  for (int64_t group = 0; group < p->w.s->groups; group++, sum += p->out * p->width) {
    for (int64_t i = 0, at = 0; i < p->taps.first_run[1]; i++) {
      const CpuRun *run = &p->taps.runs[i];
      for (int64_t col = 0; col < run->length; col += TILE_COLS) {
        tile.cols = at_most(TILE_COLS, run->length - col);
        tile.init = tile.c = sum + at + col;
        for (int64_t r = 0; r < rows; r++) {
          tile.a = y + r * p->w.target[2] * p->w.to + group * p->out;
          tile.b = window + run->a + group * p->in + col + r * p->w.source_step[1] * line;
          kernels->tile(&tile);
        }
      }
      at += padded(run->length);
    }
  }
}

static void run_unit(const Plan *p, const CpuTileKernels *kernels, int64_t unit, const float *x,
                     const float *y, float *window, float *sum) {
  const Sweep *w = &p->w;
  int64_t band = unit % w->bands, line = w->target[2] * w->to;
  int64_t rows = at_most(w->rows, w->target[1] - band * w->rows);
  const float *from = y + (unit / w->bands * w->target[1] + band * w->rows) * line;
  if (unit + 1 == w->units) /* behind it there is no memory */
    from = memcpy(p->ends, from, (size_t)(rows * line) * sizeof *from);
  cpu_window(w, unit, x, window);
  int64_t a_line = w->source_step[1] * w->window[2] * w->from;
  if (w->mode == DEPTHS)
    kernels->depth_weights(rows, w->target[2], w->to, window, a_line, w->source_step[2] * w->from,
                           from, line, p->taps.runs, w->taps, sum);
  else
    (p->turned ? turned : straight)(p, kernels, window, from, rows, sum);
}

/* ---- sums of chunks -------------------------------------------------------------------------- */

/* Adds the chunks to the first, from `from` up to `to`. */
CLONES static void add_chunks(const Plan *p, int64_t from, int64_t to) {
  float *restrict total = p->sums;
  for (int64_t c = 1; c < p->chunks; c++) {
    const float *restrict sum = p->sums + c * p->size;
    for (int64_t i = from; i < to; i++) total[i] += sum[i];
  }
}

static void unpack_tap(const Plan *p, int64_t tap, int64_t turned_at, float *W, bool add) {
  int64_t groups = p->w.s->groups, index = p->taps.taps[tap].index, at = p->taps.taps[tap].place;
  for (int64_t o = 0; o < groups * p->out; o++) {
    for (int64_t i = 0; i < p->in; i++) {
      int64_t group = o / p->out, j = o % p->out;
      float value;
      if (p->w.mode == DEPTHS)
        value = p->sums[at * p->width + o];
      else if (p->turned)
        value = p->sums[o * p->width + turned_at + i];
      else
        value = p->sums[(group * p->steps + at + i) * p->width + j];
      float *to = &W[(o * p->in + i) * p->w.taps + index];
      *to = add ? *to + value : value;
    }
  }
}

static void unpack(const Plan *p, float *W, bool add) {
  int64_t at = 0, tap = 0;
  for (int64_t r = 0; r < p->taps.first_run[1]; r++) {
    const CpuRun *run = &p->taps.runs[r];
    for (int64_t i = 0; i < run->length; i += p->in) unpack_tap(p, tap++, at + i, W, add);
    at += padded(run->length);
  }
}

void cpu_weights_run(const AbConvolutionShape *s, float *W, const float *x, const float *y,
                     bool add, void *work) {
  Plan p = plan_of(s, work, NULL);
  const CpuTileKernels *kernels = cpu_tile_kernels();
  cpu_list_taps(&p.w, &p.taps);
#pragma omp parallel num_threads(p.threads) if (p.threads > 1)
  {
    float *window = p.windows + p.window * omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (int64_t c = 0; c < p.chunks; c++) {
      float *sum = p.sums + c * p.size;
      memset(sum, 0, (size_t)p.size * sizeof *sum);
      for (int64_t unit = c * p.w.units / p.chunks; unit < (c + 1) * p.w.units / p.chunks; unit++)
        run_unit(&p, kernels, unit, x, y, window, sum);
    }
#pragma omp for schedule(static)
    for (int64_t from = 0; from < p.size; from += 1024)
      add_chunks(&p, from, at_most(from + 1024, p.size));
  }
  unpack(&p, W, add);
}
