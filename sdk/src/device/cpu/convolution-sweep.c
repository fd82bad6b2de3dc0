/* SPDX-License-Identifier: Apache-2.0
 *
 * The geometry of a sweep: convolution-cpu.h says what that is. */
#include "convolution-cpu.h"
#include <string.h>

#define WINDOW 12288 /* floats of a unit's copy, about: it is to stay in the first cache */

/* e of tap p in phase `phase`; false if that phase does not have the tap. */
static bool tap_at(const Sweep *w, int axis, int64_t phase, int64_t p, int64_t *e) {
  const AbConvolutionShape *s = w->s;
  *e = p * s->dilation[axis] - s->before[axis];
  if (!w->data) return true;
  int64_t from = phase - *e;
  *e = from / s->stride[axis];
  return from % s->stride[axis] == 0;
}

/* The smallest and the largest e of all phases. */
static void bounds_of(const Sweep *w, int axis, int64_t *low, int64_t *high) {
  bool any = false;
  *low = *high = 0;
  for (int64_t phase = 0; phase < w->target_step[axis]; phase++) {
    for (int64_t p = 0; p < w->s->k[axis]; p++) {
      int64_t e;
      if (!tap_at(w, axis, phase, p, &e)) continue;
      *low = !any || e < *low ? e : *low;
      *high = !any || e > *high ? e : *high;
      any = true;
    }
  }
}

static SweepMode mode_of(const Sweep *w) {
  int64_t from = w->from / w->s->groups, to = w->to / w->s->groups;
  if (w->s->groups > 1 && from == 1 && to == 1) return DEPTHS;
  return w->s->groups == 1 && to <= 2 && from >= TILE_PAD ? DOTS : TILES;
}

/* Rows of a unit: few enough for the cache, and for units enough for threads. */
static void cut(Sweep *w, int64_t high) {
  int64_t line = w->window[0] * w->window[2] * w->from, step = w->source_step[1];
  int64_t most = at_most((w->s->n * w->count[0] * w->count[1] + 31) / 32, w->count[1]);
  w->rows = 1;
  while (w->rows < at_most(most, SWEEP_ROWS) &&
         (w->rows * step + high - w->low[1] + 1) * line <= WINDOW)
    w->rows++;
  w->bands = (w->count[1] + w->rows - 1) / w->rows;
  w->units = w->s->n * w->count[0] * w->bands;
  w->window[1] = (w->rows - 1) * step + high - w->low[1] + 1;
}

Sweep cpu_sweep(const AbConvolutionShape *s, bool data) {
  Sweep w = {.s = s, .data = data, .phases = 1, .taps = cpu_volume(s->k)};
  w.from = data ? s->out : s->in;
  w.to = data ? s->in : s->out;
  int64_t high[AXES];
  for (int a = 0; a < AXES; a++) {
    w.source[a] = data ? s->y[a] : s->x[a];
    w.target[a] = data ? s->x[a] : s->y[a];
    w.source_step[a] = data ? 1 : s->stride[a];
    w.target_step[a] = data ? at_most(s->stride[a], w.target[a]) : 1;
    w.count[a] = (w.target[a] + w.target_step[a] - 1) / w.target_step[a];
    w.phases *= w.target_step[a];
    bounds_of(&w, a, &w.low[a], &high[a]);
  }
  w.mode = mode_of(&w);
  w.window[0] = high[0] - w.low[0] + 1;
  w.window[2] = (w.count[2] - 1) * w.source_step[2] + high[2] - w.low[2] + 1;
  cut(&w, high[1]);
  return w;
}

int64_t cpu_window_size(const Sweep *w) {
  return cpu_volume(w->window) * w->from;
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void copy_line(const Sweep *w, int64_t start, const float *source, float *to) {
  size_t bytes = sizeof(float) * (size_t)w->from;
  int64_t width = w->window[2], left = at_most(start < 0 ? -start : 0, width);
  int64_t from = start < 0 ? 0 : start, middle = at_most(w->source[2] - from, width - left);
  if (middle < 0) middle = 0;
  memset(to, 0, (size_t)left * bytes);
  if (middle > 0) memcpy(to + left * w->from, source + from * w->from, (size_t)middle * bytes);
  memset(to + (left + middle) * w->from, 0, (size_t)(width - left - middle) * bytes);
}

void cpu_window(const Sweep *w, int64_t unit, const float *source, float *window) {
  int64_t band = unit % w->bands, t0 = unit / w->bands % w->count[0];
  int64_t n = unit / w->bands / w->count[0], line = w->window[2] * w->from;
  int64_t z = t0 * w->source_step[0] + w->low[0];
  int64_t y = band * w->rows * w->source_step[1] + w->low[1];
  for (int64_t i = 0; i < w->window[0]; i++) {
    for (int64_t j = 0; j < w->window[1]; j++, window += line) {
      bool inside = z + i >= 0 && z + i < w->source[0] && y + j >= 0 && y + j < w->source[1];
      int64_t at = ((n * w->source[0] + z + i) * w->source[1] + y + j) * w->source[2];
      if (inside)
        copy_line(w, w->low[2], source + at * w->from, window);
      else
        memset(window, 0, (size_t)line * sizeof *window);
    }
  }
}

/* ---- taps ------------------------------------------------------------------------------------ */

void cpu_take_taps(CpuArena *arena, const Sweep *w, CpuTaps *list) {
  list->runs = cpu_take(arena, w->taps * (int64_t)sizeof(CpuRun));
  list->taps = cpu_take(arena, w->taps * (int64_t)sizeof(CpuTap));
  list->first_run = cpu_take(arena, (w->phases + 1) * (int64_t)sizeof(int64_t));
  list->first_tap = cpu_take(arena, (w->phases + 1) * (int64_t)sizeof(int64_t));
}

typedef struct {
  const Sweep *w;
  CpuTaps *list;
  int64_t run_count, tap_count, place; /* so far; place: of the next tap */
  int64_t last[AXES];                  /* e of the last tap of the last run */
  bool open;                           /* a run of this phase can be continued */
} Lister;

static void list_tap(Lister *l, const int64_t *e, int64_t index) {
  const Sweep *w = l->w;
  int64_t length = w->from / w->s->groups;
  bool next = l->open && w->s->groups == 1 && e[0] == l->last[0] && e[1] == l->last[1] &&
              e[2] == l->last[2] + 1;
  if (!next) {
    if (w->mode == DOTS) l->place = padded(l->place);
    int64_t a =
        ((e[0] - w->low[0]) * w->window[1] + e[1] - w->low[1]) * w->window[2] + e[2] - w->low[2];
    l->list->runs[l->run_count++] = (CpuRun){a * w->from, l->place, 0};
  }
  l->list->runs[l->run_count - 1].length += length;
  l->list->taps[l->tap_count++] = (CpuTap){index, l->place};
  l->place += length;
  for (int a = 0; a < AXES; a++) l->last[a] = e[a];
  l->open = true;
}

/* e grows with p, but for data it falls: taps are taken so that it grows. */
static int64_t tap_in_order(const Sweep *w, int axis, int64_t i) {
  return w->data ? w->s->k[axis] - 1 - i : i;
}

static void list_phase(Lister *l, const int64_t *phase) {
  const Sweep *w = l->w;
  const int64_t *k = w->s->k;
  int64_t e[AXES];
  l->open = false;
  for (int64_t i = 0; i < k[0]; i++) {
    int64_t p0 = tap_in_order(w, 0, i);
    if (!tap_at(w, 0, phase[0], p0, &e[0])) continue;
    for (int64_t j = 0; j < k[1]; j++) {
      int64_t p1 = tap_in_order(w, 1, j);
      if (!tap_at(w, 1, phase[1], p1, &e[1])) continue;
      for (int64_t m = 0; m < k[2]; m++) {
        int64_t p2 = tap_in_order(w, 2, m);
        if (tap_at(w, 2, phase[2], p2, &e[2])) list_tap(l, e, (p0 * k[1] + p1) * k[2] + p2);
      }
    }
  }
}

void cpu_list_taps(const Sweep *w, CpuTaps *list) {
  Lister l = {.w = w, .list = list};
  for (int64_t i = 0; i < w->phases; i++) {
    int64_t phase[AXES] = {i / w->target_step[2] / w->target_step[1],
                           i / w->target_step[2] % w->target_step[1], i % w->target_step[2]};
    list->first_run[i] = l.run_count;
    list->first_tap[i] = l.tap_count;
    if (w->mode == TILES) l.place = 0;
    list_phase(&l, phase);
  }
  list->first_run[w->phases] = l.run_count;
  list->first_tap[w->phases] = l.tap_count;
}
