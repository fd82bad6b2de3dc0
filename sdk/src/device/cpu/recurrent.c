/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers.
 *
 * U is packed once for all steps. The threads then take rows each, which never meet, or, where
 * there are few rows, units each: the part of U that makes them stays in the thread's own cache,
 * but after each step the threads wait for one another. Who takes rows goes through U forwards and
 * backwards in turn, so that what its cache still holds comes first. A number is made in one order
 * whoever makes it. */
#include "../recurrent.h"
#include "cpu.h"
#include "product.h"
#include "recurrent-gates.h"
#include "recurrent-product.h"
#include <omp.h>
#include <string.h>

#define SMALL    (1 << 18) /* multiply-adds of a whole sequence that one thread does alone */
#define FEW_ROWS 8         /* of a thread: below, it takes units instead */

typedef struct {
  const AbRecurrent *f;
  const AbRecurrentGradient *b; /* NULL: forward */
  Packed m;
} Job;

/* What one thread does. */
typedef struct {
  int64_t first_row, rows, from, to;
  bool wait; /* for the others, after each step */
} Part;

/* Row i of step s. */
static RecurrentRow row_of(const Job *job, int64_t s, int64_t i) {
  const AbRecurrent *f = job->f;
  const AbRecurrentGradient *b = job->b;
  int64_t H = f->units, row = s * f->rows + i;
  int64_t before = ((s + f->reverse) * f->rows + i) * H;
  int64_t after = ((s + !f->reverse) * f->rows + i) * H;
  float *h = f->h, *c = f->c;
  RecurrentRow r = {.gates = (float *)f->gates + row * recurrent_blocks(f->cell) * H,
                    .h_before = h + before,
                    .h = h + after};
  if (f->cell == K_LSTM) r.c_before = c + before, r.c = c + after;
  if (f->cell == K_GRU) r.c = c + row * H;
  if (b) {
    r.dh = (float *)b->dh + i * H;
    if (b->dc) r.dc = (float *)b->dc + i * H;
    r.sums = (float *)b->sums + row * recurrent_gradient_blocks(f->cell) * H;
  }
  return r;
}

static bool over(const AbRecurrent *f, int64_t s, int64_t i) {
  return f->lengths && s >= f->lengths[i];
}

static void wait(const Part *part) {
  if (part->wait) {
#pragma omp barrier
  }
}

/* ---- forward --------------------------------------------------------------------------------- */

/* gates += h U; of a GRU's last block c := h U */
static void receive(const Job *job, const Part *part, int64_t s, bool nothing) {
  const AbRecurrent *f = job->f;
  RecurrentRow r = row_of(job, s, part->first_row);
  int64_t H = f->units;
  PackedProduct p = {.rows = part->rows, .a = r.h_before, .lda = H, .from_last = s % 2};
  for (int64_t g = 0; g < job->m.gates; g++) {
    p.y[g] = r.gates + g * H;
    p.ldy[g] = job->m.gates * H;
    p.add[g] = true;
  }
  if (f->cell == K_GRU) {
    p.y[2] = r.c;
    p.ldy[2] = H;
    p.add[2] = false;
  }
  if (!nothing) {
    recurrent_multiply(&job->m, &p, part->from, part->to);
  } else if (f->cell == K_GRU) {
    for (int64_t i = 0; i < part->rows; i++)
      memset(r.c + i * H + part->from, 0, (size_t)(part->to - part->from) * sizeof(float));
  }
}

static void stand_still(const AbRecurrent *f, const RecurrentRow *r, const Part *part) {
  size_t size = (size_t)(part->to - part->from) * sizeof(float);
  memcpy(r->h + part->from, r->h_before + part->from, size);
  if (f->cell == K_LSTM) memcpy(r->c + part->from, r->c_before + part->from, size);
}

static void go_forward(const Job *job, const Part *part) {
  const AbRecurrent *f = job->f;
  for (int64_t k = 0; k < f->steps; k++) {
    int64_t s = f->reverse ? f->steps - 1 - k : k;
    receive(job, part, s, k == 0 && f->from_zero);
    for (int64_t i = part->first_row; i < part->first_row + part->rows; i++) {
      RecurrentRow r = row_of(job, s, i);
      if (over(f, s, i))
        stand_still(f, &r, part);
      else
        recurrent_step(f, &r, part->from, part->to);
    }
    wait(part);
  }
}

/* ---- backward -------------------------------------------------------------------------------- */

/* dh += sums U' */
static void send_back(const Job *job, const Part *part, int64_t s) {
  const AbRecurrent *f = job->f;
  int64_t H = f->units;
  RecurrentRow r = row_of(job, s, part->first_row);
  PackedProduct p = {.rows = part->rows,
                     .a = f->cell == K_GRU ? r.sums + H : r.sums,
                     .lda = recurrent_gradient_blocks(f->cell) * H,
                     .y = {r.dh},
                     .ldy = {H},
                     .add = {true},
                     .from_last = s % 2};
  recurrent_multiply(&job->m, &p, part->from, part->to);
}

CLONES static void add_to(float *restrict y, const float *restrict x, int64_t from, int64_t to) {
  for (int64_t u = from; u < to; u++) y[u] += x[u];
}

static void no_sums(const AbRecurrent *f, const RecurrentRow *r, const Part *part) {
  for (int64_t g = 0; g < recurrent_gradient_blocks(f->cell); g++)
    memset(r->sums + g * f->units + part->from, 0, (size_t)(part->to - part->from) * sizeof(float));
}

static void go_back(const Job *job, const Part *part) {
  const AbRecurrent *f = job->f;
  for (int64_t k = f->steps - 1; k >= 0; k--) {
    int64_t s = f->reverse ? f->steps - 1 - k : k;
    const float *g = (const float *)job->b->g + (s + !f->reverse) * f->rows * f->units;
    for (int64_t i = part->first_row; i < part->first_row + part->rows; i++) {
      RecurrentRow r = row_of(job, s, i);
      add_to(r.dh, g + i * f->units, part->from, part->to);
      if (over(f, s, i))
        no_sums(f, &r, part);
      else
        recurrent_step_back(f, &r, part->from, part->to);
    }
    wait(part);
    if (k > 0 || job->b->first) send_back(job, part, s);
  }
}

/* ---- threads --------------------------------------------------------------------------------- */

static void go(const Job *job, const Part *part) {
  if (job->b)
    go_back(job, part);
  else
    go_forward(job, part);
}

/* The units of a thread: whole vectors. */
static void units_of(int64_t units, int64_t threads, int64_t me, int64_t *from, int64_t *to) {
  int64_t lanes = recurrent_lanes(), pieces = (units + lanes - 1) / lanes;
  *from = pieces * me / threads * lanes;
  *to = pieces * (me + 1) / threads * lanes;
  if (*to > units) *to = units;
}

static void run(const Job *job) {
  const AbRecurrent *f = job->f;
  int threads = omp_get_level() > 0 ? 1 : omp_get_max_threads();
  if (f->steps * f->rows * f->units * job->m.depth * job->m.gates < SMALL) threads = 1;
  bool by_rows = f->rows >= FEW_ROWS * threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    int64_t all = omp_get_num_threads(), me = omp_get_thread_num();
    Part part = {.wait = !by_rows};
    units_of(f->units, all, me, &part.from, &part.to);
    recurrent_pack(&job->m, part.from, part.to);
    if (by_rows) {
#pragma omp barrier
      part.first_row = f->rows * me / all;
      part.rows = f->rows * (me + 1) / all - part.first_row;
      part.from = 0;
      part.to = f->units;
    } else {
      part.rows = f->rows;
    }
    go(job, &part);
  }
}

static void recurrent_forward(AbDtype dtype, const AbRecurrent *f) {
  if (dtype != AB_F32) {
    reference_recurrent.forward(dtype, f);
    return;
  }
  Job job = {.f = f,
             .m = {.depth = f->units,
                   .gates = recurrent_blocks(f->cell),
                   .units = f->units,
                   .U = f->U,
                   .panels = f->work}};
  if (f->rows > 0 && f->units > 0) run(&job);
}

static void recurrent_backward(AbDtype dtype, const AbRecurrent *f, const AbRecurrentGradient *b) {
  if (dtype != AB_F32) {
    reference_recurrent.backward(dtype, f, b);
    return;
  }
  Job job = {.f = f,
             .b = b,
             .m = {.transposed = true,
                   .depth = recurrent_blocks(f->cell) * f->units,
                   .gates = 1,
                   .units = f->units,
                   .U = f->U,
                   .panels = f->work}};
  if (f->rows > 0 && f->units > 0) run(&job);
}

/* ---- weights --------------------------------------------------------------------------------- */

#define STRIP 64 /* columns that a thread makes in one piece: four panels of cpu_product */

/* A library gets a third of its rate where k is much more than m and n, and cuts k among threads,
 * so that the bits depend on their number. Here they take columns, whoever is free the next.     */
static void recurrent_weights(AbDtype dtype, int64_t m, int64_t n, int64_t k, const void *x,
                              int64_t ldx, const void *s, int64_t lds, bool add, void *y,
                              int64_t ldy) {
  if (dtype != AB_F32) {
    cpu_matmul(dtype, true, false, m, n, k, x, ldx, s, lds, add, y, ldy);
    return;
  }
  int64_t strips = (n + STRIP - 1) / STRIP;
  int threads = omp_get_level() > 0 || m * n * k < SMALL ? 1 : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
  for (int64_t strip = 0; strip < strips; strip++) {
    int64_t from = strip * STRIP, width = n - from < STRIP ? n - from : STRIP;
    cpu_product(true, false, m, width, k, x, ldx, (const float *)s + from, lds, add,
                (float *)y + from, ldy);
  }
}

const AbRecurrentKernels cpu_recurrent = {
    .forward = recurrent_forward,
    .backward = recurrent_backward,
    .weights = recurrent_weights,
};
