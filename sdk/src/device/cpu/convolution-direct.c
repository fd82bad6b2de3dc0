/* SPDX-License-Identifier: Apache-2.0
 *
 * Forward and data of convolution by their sums: weights are packed in panels, and each unit of a
 * sweep is done from the copy of what it needs. */
#include "convolution-cpu.h"
#include <omp.h>
#include <string.h>

#define SMALL 65536 /* multiply-adds below which one thread does all */

typedef struct {
  Sweep w;
  CpuTaps taps;
  int64_t from, to; /* channels of a group */
  int64_t wide;     /* `to`, padded */
  float *packed, *bias, *windows;
  int64_t window; /* floats from one thread's to the next */
  int threads;
} Plan;

int cpu_convolution_threads(const AbConvolutionShape *s) {
  double work = (double)s->n * (double)cpu_volume(s->y) * (double)s->out *
                (double)(s->in / s->groups * cpu_volume(s->k));
  return work < SMALL || omp_get_level() > 0 ? 1 : omp_get_max_threads();
}

static int64_t packed_size(const Plan *p) {
  int64_t taps = p->w.taps;
  switch (p->w.mode) {
  case DOTS: return p->to * taps * padded(p->from);
  case DEPTHS: return taps * padded(p->w.to);
  default: return p->w.s->groups * p->wide * taps * p->from;
  }
}

static Plan plan_of(const AbConvolutionShape *s, bool data, bool biased, void *work,
                    int64_t *bytes) {
  Plan p = {.w = cpu_sweep(s, data), .threads = cpu_convolution_threads(s)};
  CpuArena arena = {work, 0};
  p.from = p.w.from / s->groups;
  p.to = p.w.to / s->groups;
  p.wide = padded(p.to);
  cpu_take_taps(&arena, &p.w, &p.taps);
  p.packed = cpu_take_floats(&arena, packed_size(&p));
  p.bias = cpu_take_floats(&arena, s->groups * p.wide + padded(p.w.to));
  if (!biased) p.bias = NULL;
  p.window = (cpu_window_size(&p.w) + SLACK + 15) / 16 * 16;
  p.windows = cpu_take_floats(&arena, p.window * p.threads);
  if (bytes) *bytes = arena.used;
  return p;
}

size_t cpu_sweep_work(const AbConvolutionShape *s, bool data) {
  int64_t bytes;
  plan_of(s, data, true, NULL, &bytes);
  return (size_t)bytes;
}

/* ---- packing --------------------------------------------------------------------------------- */

/* W of channel `c` of the source's group and `j` of the target's. */
static inline float weight_at(const Plan *p, const float *W, int64_t group, int64_t c, int64_t j,
                              int64_t tap) {
  int64_t row = p->w.data ? (group * p->from + c) * p->to + j : (group * p->to + j) * p->from + c;
  return W[row * p->w.taps + tap];
}

/* Columns from `col` on of one phase and group: [step][columns of the panel]. */
static void pack_panel(const Plan *p, const float *W, int64_t phase, int64_t group, int64_t col,
                       float *to) {
  int64_t width = at_most(TILE_COLS, p->wide - col);
  for (int64_t t = p->taps.first_tap[phase]; t < p->taps.first_tap[phase + 1]; t++) {
    float *at = to + p->taps.taps[t].place * width;
    for (int64_t c = 0; c < p->from; c++, at += width)
      for (int64_t j = 0; j < width; j++)
        at[j] = col + j < p->to ? weight_at(p, W, group, c, col + j, p->taps.taps[t].index) : 0;
  }
}

static float *panel_of(const Plan *p, int64_t phase, int64_t group, int64_t col) {
  int64_t first = p->taps.first_tap[phase], taps = p->taps.first_tap[phase + 1] - first;
  return p->packed + first * p->from * p->w.s->groups * p->wide +
         (group * p->wide + col) * taps * p->from;
}

static void pack_tiles(const Plan *p, const float *W) {
  int64_t groups = p->w.s->groups, panels = (p->wide + TILE_COLS - 1) / TILE_COLS;
#pragma omp parallel for num_threads(p->threads) if (p->threads > 1)
  for (int64_t i = 0; i < p->w.phases * groups * panels; i++) {
    int64_t col = i % panels * TILE_COLS, group = i / panels % groups, phase = i / panels / groups;
    pack_panel(p, W, phase, group, col, panel_of(p, phase, group, col));
  }
}

static void pack_dots(const Plan *p, const float *W) {
  int64_t total = p->w.taps * padded(p->from);
  memset(p->packed, 0, (size_t)(p->to * total) * sizeof *p->packed);
  for (int64_t j = 0; j < p->to; j++)
    for (int64_t t = 0; t < p->taps.first_tap[p->w.phases]; t++)
      for (int64_t c = 0; c < p->from; c++)
        p->packed[j * total + p->taps.taps[t].place + c] =
            weight_at(p, W, 0, c, j, p->taps.taps[t].index);
}

static void pack_depths(const Plan *p, const float *W) {
  int64_t wide = padded(p->w.to);
  for (int64_t t = 0; t < p->taps.first_tap[p->w.phases]; t++)
    for (int64_t c = 0; c < p->w.to; c++)
      p->packed[p->taps.taps[t].place * wide + c] = W[c * p->w.taps + p->taps.taps[t].index];
}

static void pack(const Plan *p, const float *W, const float *b) {
  if (p->w.mode == TILES) pack_tiles(p, W);
  if (p->w.mode == DOTS) pack_dots(p, W);
  if (p->w.mode == DEPTHS) pack_depths(p, W);
  if (!b) return;
  int64_t groups = p->w.mode == TILES ? p->w.s->groups : 1, width = p->w.to / groups;
  for (int64_t g = 0; g < groups; g++)
    memcpy(p->bias + g * p->wide, b + g * width, (size_t)width * sizeof *b);
}

/* ---- units ----------------------------------------------------------------------------------- */

typedef struct {
  const Plan *p;
  const CpuTileKernels *kernels;
  int64_t phase;
  const CpuRun *runs;
  int64_t run_count;
  const float *window;
  float *target; /* at the first position of the phase in the unit */
  int64_t rows, columns;
  int64_t line;      /* floats from one row of the target to the next */
  int64_t from_line; /* the same of the window */
} Piece;

static void tiles(const Piece *q) {
  const Plan *p = q->p;
  CpuTile tile = {.rows = q->columns,
                  .a_row = p->w.source_step[2] * p->w.from,
                  .a_step = 1,
                  .runs = q->runs,
                  .run_count = q->run_count,
                  .c_row = p->w.target_step[2] * p->w.to};
  for (int64_t group = 0; group < p->w.s->groups; group++) {
    for (int64_t col = 0; col < p->to; col += TILE_COLS) {
      tile.b = panel_of(p, q->phase, group, col);
      tile.b_step = at_most(TILE_COLS, p->wide - col);
      tile.cols = at_most(TILE_COLS, p->to - col);
      tile.init = p->bias ? p->bias + group * p->wide + col : NULL;
      for (int64_t row = 0; row < q->rows; row++) {
        tile.a = q->window + row * q->from_line + group * p->from;
        tile.c = q->target + row * q->line + group * p->to + col;
        q->kernels->tile(&tile);
      }
    }
  }
}

static void dots(const Piece *q) {
  const Plan *p = q->p;
  int64_t total = p->w.taps * padded(p->from);
  for (int64_t j = 0; j < p->to; j++)
    for (int64_t row = 0; row < q->rows; row++)
      q->kernels->dot(q->columns, q->window + row * q->from_line, p->w.source_step[2] * p->w.from,
                      p->packed + j * total, q->runs, q->run_count, p->bias ? p->bias[j] : 0,
                      q->target + row * q->line + j, p->w.target_step[2] * p->w.to);
}

static void depths(const Piece *q) {
  const Plan *p = q->p;
  for (int64_t row = 0; row < q->rows; row++)
    q->kernels->depth(q->columns, p->w.to, q->window + row * q->from_line,
                      p->w.source_step[2] * p->w.from, p->packed, q->runs, q->run_count, p->bias,
                      q->target + row * q->line, p->w.target_step[2] * p->w.to);
}

/* Positions of a phase on an axis. */
static int64_t positions(const Sweep *w, int axis, int64_t phase) {
  return (w->target[axis] - phase + w->target_step[axis] - 1) / w->target_step[axis];
}

static void run_phase(const Plan *p, const CpuTileKernels *kernels, int64_t unit, int64_t phase,
                      const float *window, float *target) {
  const Sweep *w = &p->w;
  int64_t at[AXES] = {phase / w->target_step[2] / w->target_step[1],
                      phase / w->target_step[2] % w->target_step[1], phase % w->target_step[2]};
  int64_t row = unit % w->bands * w->rows, t0 = unit / w->bands % w->count[0];
  int64_t n = unit / w->bands / w->count[0];
  int64_t rows = at_most(w->rows, positions(w, 1, at[1]) - row);
  if (t0 >= positions(w, 0, at[0]) || rows <= 0) return;
  int64_t line = w->target[2] * w->to;
  int64_t z = t0 * w->target_step[0] + at[0], y = row * w->target_step[1] + at[1];
  Piece q = {.p = p,
             .kernels = kernels,
             .phase = phase,
             .runs = p->taps.runs + p->taps.first_run[phase],
             .run_count = p->taps.first_run[phase + 1] - p->taps.first_run[phase],
             .window = window,
             .target = target + ((n * w->target[0] + z) * w->target[1] + y) * line + at[2] * w->to,
             .rows = rows,
             .columns = positions(w, 2, at[2]),
             .line = line * w->target_step[1],
             .from_line = w->window[2] * w->from * w->source_step[1]};
  if (w->mode == TILES) tiles(&q);
  if (w->mode == DOTS) dots(&q);
  if (w->mode == DEPTHS) depths(&q);
}

/* All that the phases of a unit have written: whole rows. */
static void activate(const Sweep *w, int64_t unit, AbActivation f, float *target) {
  int64_t t0 = unit / w->bands % w->count[0], n = unit / w->bands / w->count[0];
  int64_t line = w->target[2] * w->to, row = unit % w->bands * w->rows * w->target_step[1];
  int64_t rows = at_most(w->rows * w->target_step[1], w->target[1] - row);
  int64_t end = at_most((t0 + 1) * w->target_step[0], w->target[0]);
  for (int64_t z = t0 * w->target_step[0]; z < end; z++)
    cpu_activate_range(f, rows * line,
                       target + ((n * w->target[0] + z) * w->target[1] + row) * line);
}

void cpu_sweep_run(const AbConvolutionShape *s, bool data, float *target, const float *source,
                   const float *W, const float *b, AbActivation f, void *work) {
  Plan p = plan_of(s, data, b, work, NULL);
  const CpuTileKernels *kernels = cpu_tile_kernels();
  cpu_list_taps(&p.w, &p.taps);
  pack(&p, W, b);
#pragma omp parallel num_threads(p.threads) if (p.threads > 1)
  {
    float *window = p.windows + p.window * omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (int64_t unit = 0; unit < p.w.units; unit++) {
      cpu_window(&p.w, unit, source, window);
      for (int64_t phase = 0; phase < p.w.phases; phase++)
        run_phase(&p, kernels, unit, phase, window, target);
      activate(&p.w, unit, f, target);
    }
  }
}
