/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of convolution on the cpu share.
 *
 * Forward and data are one thing here, a sweep: a target, whose positions fall into phases (for
 * data those that are equal modulo the stride; else there is one), takes from a source around it.
 * Position t of a phase takes from source positions t step + e, with one e for each tap of the
 * phase. The work is cut in units of a few target rows; for each the part of the source that it
 * needs is copied with its padding of zeros, so that the loops within know no borders. Units are
 * the same on any number of threads. */
#ifndef SDK_DEVICE_CPU_CONVOLUTION_CPU_H
#define SDK_DEVICE_CPU_CONVOLUTION_CPU_H

#include "../convolution.h"
#include "convolution-tile.h"
#include "cpu.h"

#define AXES       CONVOLUTION_AXES
#define SWEEP_ROWS 16 /* of a unit at most */

typedef enum { TILES, DOTS, DEPTHS } SweepMode;

typedef struct {
  const AbConvolutionShape *s;
  bool data;
  SweepMode mode;
  int64_t source[AXES], target[AXES]; /* sizes */
  int64_t from, to;                   /* channels of source and target */
  int64_t source_step[AXES], target_step[AXES];
  int64_t low[AXES];   /* smallest e of any tap */
  int64_t count[AXES]; /* positions t of the largest phase */
  int64_t rows;        /* of axis 1 in a unit */
  int64_t bands;       /* units along axis 1 */
  int64_t units;
  int64_t window[AXES]; /* sizes of the copy for a unit */
  int64_t phases, taps;
} Sweep;

Sweep cpu_sweep(const AbConvolutionShape *s, bool data);
int64_t cpu_window_size(const Sweep *w); /* floats of the copy, with slack */
/* Copies what unit u needs from the source, with zeros around it. */
void cpu_window(const Sweep *w, int64_t unit, const float *source, float *window);
/* Where a tap is: in W, and among the packed weights (in TILES a step of its phase, in DOTS a
 * number of the padded runs, in DEPTHS a tap). */
typedef struct {
  int64_t index, place;
} CpuTap;
typedef struct {
  CpuRun *runs;
  CpuTap *taps;
  int64_t *first_run, *first_tap; /* of each phase, and one more */
} CpuTaps;
/* The taps of each phase as runs of floats within the window; neighbours are merged. */
void cpu_list_taps(const Sweep *w, CpuTaps *list);

int cpu_convolution_threads(const AbConvolutionShape *s); /* that pay */
size_t cpu_sweep_work(const AbConvolutionShape *s, bool data);
void cpu_sweep_run(const AbConvolutionShape *s, bool data, float *target, const float *source,
                   const float *W, const float *b, AbActivation f, void *work);
size_t cpu_weights_work(const AbConvolutionShape *s);
void cpu_weights_run(const AbConvolutionShape *s, float *W, const float *x, const float *y,
                     bool add, void *work);

bool cpu_winograd_fits(const AbConvolutionShape *s);
size_t cpu_winograd_work(const AbConvolutionShape *s, AbConvolutionPass pass);
void cpu_winograd_run(const AbConvolutionShape *s, bool data, float *target, const float *source,
                      const float *W, const float *b, AbActivation f, void *work);
void cpu_winograd_weights(const AbConvolutionShape *s, float *W, const float *x, const float *y,
                          bool add, void *work);

void cpu_unactivate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *h,
                    const void *g, const void *y, void *db, bool add);
void cpu_unfold(AbDtype dtype, const AbConvolutionShape *s, void *cols, const void *x);
void cpu_fold(AbDtype dtype, const AbConvolutionShape *s, void *x, const void *cols);
void cpu_activate_range(AbActivation f, int64_t n, float *y); /* on this thread */

/* Pieces of `work`; without memory it only counts. */
typedef struct {
  char *memory;
  int64_t used;
} CpuArena;
static inline void *cpu_take(CpuArena *arena, int64_t bytes) {
  char *taken = arena->memory ? arena->memory + arena->used : NULL;
  arena->used += (bytes + 63) / 64 * 64;
  return taken;
}
static inline float *cpu_take_floats(CpuArena *arena, int64_t count) {
  return cpu_take(arena, (count + SLACK) * (int64_t)sizeof(float));
}
void cpu_take_taps(CpuArena *arena, const Sweep *w, CpuTaps *list);

static inline int64_t cpu_volume(const int64_t *sizes) {
  return sizes[0] * sizes[1] * sizes[2];
}

#endif
