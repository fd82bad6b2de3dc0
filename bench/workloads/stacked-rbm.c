/* SPDX-License-Identifier: Apache-2.0
 *
 * Two RBMs, 10000x10 and 10x10000, on 10,000 x 10,000 numbers of normal(0.5, 0.2): CD-1, all units
 * sampled, one epoch of batches of 100 for each, the second on the hidden means of the first. One
 * step is all of that. */
#include "../lab.h"
#include <stdlib.h>

#define ROWS   10000
#define WIDE   10000
#define NARROW 10
#define BATCH  100

typedef struct {
  float *data; /* [ROWS, WIDE] */
} Own;

typedef struct {
  AbModel *model;
  AbStep *step;
  int64_t steps;
} Machine;

static Machine machine(Lab *lab, int64_t visible, const char *yaml) {
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {visible}, .range = AB_RANGE_UNIT};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &x, NULL);
  AbStepParts parts = {
      .role = AB_ROLE_ENCODE,
      .model = (AbModel *)lab_plugin(lab, AB_KIND_MODEL, AB_ROLE_ENCODE, yaml),
      .optimizer = (AbOptimizer *)lab_plugin(lab, AB_KIND_OPTIMIZER, 0, "{plugin: sgd, lr: 0.05}"),
      .controller = lab_plugin(lab, AB_KIND_CONTROLLER, 0, "trainer")};
  ab_build(parts.model, &wanted);
  lab_check(lab);
  Machine m = {parts.model, ab_step_new(lab->ctx, &parts)};
  ab_step_build(m.step);
  lab_check(lab);
  return m;
}

static void learn(Lab *lab, Machine *m, AbTensor *v) {
  AbBatch *batch = ab_batch_new(lab->ctx, BATCH);
  AbProgress progress = {.epochs = 1, .step = m->steps};
  ab_batch_put(batch, "x", v);
  ab_begin(lab->ctx, AB_PURPOSE_TRAIN, m->steps++);
  lab->loss = ab_item(ab_step_run(m->step, batch, &progress));
  ab_batch_free(batch);
  lab_check(lab);
}

/* As the host feeds a batch: a copy of its rows. */
static AbTensor *rows(Lab *lab, int64_t from) {
  const float *data = ((Own *)lab->own)->data;
  return ab_from(lab->ctx, AB_F32, AB_SHAPE(BATCH, WIDE), data + from * WIDE);
}

static void run(Lab *lab) {
  Machine first = machine(lab, WIDE, "{plugin: rbm, hidden: 10, sampled: true}");
  Machine second = machine(lab, NARROW, "{plugin: rbm, hidden: 10000, sampled: true}");
  for (int64_t from = 0; from < ROWS; from += BATCH) {
    AbScope scope = ab_scope_begin(lab->ctx);
    learn(lab, &first, rows(lab, from));
    ab_scope_end(lab->ctx, scope, NULL, 0);
  }
  bool recording = ab_set_recording(lab->ctx, false);
  for (int64_t from = 0; from < ROWS; from += BATCH) {
    AbScope scope = ab_scope_begin(lab->ctx);
    AbTensor *code = ab_encode(first.model, rows(lab, from));
    ab_set_recording(lab->ctx, true);
    learn(lab, &second, code);
    ab_set_recording(lab->ctx, false);
    ab_scope_end(lab->ctx, scope, NULL, 0);
  }
  ab_set_recording(lab->ctx, recording);
  ab_step_free(first.step);
  ab_step_free(second.step);
}

static void make(Lab *lab) {
  static Own own;
  own.data = malloc((size_t)ROWS * WIDE * sizeof *own.data);
  if (!own.data) abort();
  lab->own = &own;
  for (int64_t from = 0; from < ROWS; from += BATCH) {
    AbScope scope = ab_scope_begin(lab->ctx);
    ab_begin(lab->ctx, AB_PURPOSE_DATA, from);
    AbTensor *x = ab_normal(lab->ctx, AB_SHAPE(BATCH, WIDE), 0.5, 0.2);
    const float *numbers = ab_map(x, false);
    for (int64_t i = 0; i < BATCH * WIDE; i++) own.data[from * WIDE + i] = numbers[i];
    ab_unmap(x);
    ab_scope_end(lab->ctx, scope, NULL, 0);
  }
}

/* Five products of either machine for each row, and the code of the first. */
static Workload workload = {.name = "stacked-rbm",
                            .order = 10,
                            .make = make,
                            .run = run,
                            .multiply_adds = 11.0 * ROWS * WIDE * NARROW};
WORKLOAD(workload)
