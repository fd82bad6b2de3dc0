/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling, up-sampling. A window is looked at for one channel at a time. */
#include "../pooling.h"
#include <math.h>
#include <string.h>

static int64_t plane(const int64_t size[3]) {
  return size[0] * size[1] * size[2];
}

/* ---- windows --------------------------------------------------------------------------------- */

typedef struct {
  int64_t number; /* of the window: its place in the output */
  int64_t image, channel;
  AbSpan span[3];
} Window;

/* Sets the window by its number; false beyond the last. */
static bool set_window(const AbPoolGeometry *at, Window *w) {
  int64_t outputs = plane(at->out);
  if (w->number >= at->n * outputs * at->c) return false;
  w->channel = w->number % at->c;
  w->image = w->number / at->c / outputs;
  int64_t o = w->number / at->c % outputs;
  for (int axis = 2; axis >= 0; axis--) {
    w->span[axis] = ab_pool_span(at, axis, o % at->out[axis]);
    o /= at->out[axis];
  }
  return true;
}

static bool first_window(const AbPoolGeometry *at, Window *w) {
  w->number = 0;
  return set_window(at, w);
}

static bool next_window(const AbPoolGeometry *at, Window *w) {
  w->number++;
  return set_window(at, w);
}

static int64_t taps(const Window *w) {
  return w->span[0].count * w->span[1].count * w->span[2].count;
}

/* Where tap t of a window is in its plane. */
static int64_t tap(const AbPoolGeometry *at, const Window *w, int64_t t) {
  int64_t index[3];
  for (int axis = 2; axis >= 0; axis--) {
    index[axis] = w->span[axis].first + t % w->span[axis].count * w->span[axis].step;
    t /= w->span[axis].count;
  }
  return (index[0] * at->in[1] + index[1]) * at->in[2] + index[2];
}

/* ---- resampling ------------------------------------------------------------------------------ */

typedef struct {
  int64_t place;
  double weight;
} Corner;

/* The eight corners around output o of a plane. */
static void corners(const AbResizeGeometry *at, int64_t o, Corner corner[8]) {
  AbBetween between[3];
  for (int axis = 2; axis >= 0; axis--) {
    between[axis] = ab_resize_between(at, axis, o % at->out[axis]);
    o /= at->out[axis];
  }
  for (int k = 0; k < 8; k++) {
    corner[k] = (Corner){0, 1};
    for (int axis = 0; axis < 3; axis++) {
      bool high = k >> (2 - axis) & 1;
      const AbBetween *b = &between[axis];
      corner[k].place = corner[k].place * at->in[axis] + (high ? b->high : b->low);
      corner[k].weight *= high ? b->share : 1 - b->share;
    }
  }
}

/* ---- the kernels ----------------------------------------------------------------------------- */

#define LOOPS "pooling-real.h"
#include "both-types.h"

static void pool_max(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index,
                     const void *x) {
  BY_TYPE(max, at, y, index, x);
}

static void pool_sample(AbDtype dtype, const AbPoolGeometry *at, void *y, int32_t *index,
                        const void *x, const float *uniform) {
  BY_TYPE(sample, at, y, index, x, uniform);
}

static void pool_sum(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *y,
                     const void *x) {
  BY_TYPE(sum, at, by, y, x);
}

static void pool_spread(AbDtype dtype, const AbPoolGeometry *at, AbPoolDivisor by, void *x,
                        const void *y) {
  BY_TYPE(spread, at, by, x, y);
}

static void pool_pick(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *y,
                      const void *x, const int32_t *index) {
  BY_TYPE(pick, n, few, many, c, y, x, index);
}

static void pool_place(AbDtype dtype, int64_t n, int64_t few, int64_t many, int64_t c, void *x,
                       const void *y, const int32_t *index) {
  BY_TYPE(place, n, few, many, c, x, y, index);
}

static void pool_resize(AbDtype dtype, const AbResizeGeometry *at, void *y, const void *x) {
  BY_TYPE(resize, at, y, x);
}

static void pool_resize_adjoint(AbDtype dtype, const AbResizeGeometry *at, void *x, const void *y) {
  BY_TYPE(resize_adjoint, at, x, y);
}

const AbPoolingKernels reference_pooling = {
    .max = pool_max,
    .sample = pool_sample,
    .sum = pool_sum,
    .spread = pool_spread,
    .pick = pool_pick,
    .place = pool_place,
    .resize = pool_resize,
    .resize_adjoint = pool_resize_adjoint,
};
