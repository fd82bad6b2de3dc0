/* SPDX-License-Identifier: Apache-2.0
 *
 * Training steps against computations in plain double: a linear model, mean squared error, and an
 * optimizer, a regularizer, a schedule and controllers that are defined here. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

#define ROWS 4
#define IN   3
#define OUT  2

/* ---- components ------------------------------------------------------------------------------ */

typedef enum { SOUND, NAN_LOSS, NAN_GRADIENT, NO_SCALAR, NOTHING } Fault;
typedef struct {
  AbModel base;
  AbTensor *W, *b, *idle;
  Fault fault;
} Line;

static void line_build(AbModel *self, const AbSignature *wanted) {
  Line *line = (Line *)self;
  (void)wanted;
  AbInit init = {AB_INIT_NORMAL, 0, 0.5};
  line->W = ab_weight(self, "W", AB_SHAPE(IN, OUT), init, "in out");
  line->b = ab_weight(self, "b", AB_SHAPE(OUT), init, "out");
  line->idle = ab_weight(self, "idle", AB_SHAPE(2, 2), init, "a b");
}

static AbTensor *line_predict(AbModel *self, AbTensor *x) {
  Line *line = (Line *)self;
  return ab_linear(x, line->W, line->b, AB_IDENTITY);
}

static AbTensor *line_objective(AbModel *self, const AbBatch *batch) {
  Line *line = (Line *)self;
  AbTensor *error = ab_sub(line_predict(self, ab_batch_get(batch, "x")), ab_batch_get(batch, "y"));
  AbTensor *loss = ab_mean(ab_square(error));
  ab_part(self, "mse", loss);
  switch (line->fault) {
  case NAN_LOSS: return ab_log(ab_affine(ab_square(loss), -1, -1));
  case NAN_GRADIENT: /* 0 / 0 in the slope of the root of 0, and only of one weight */
    return ab_add(loss, ab_sum(ab_sqrt(ab_mul(line->b, ab_affine(line->b, 0, 0)))));
  case NO_SCALAR: return error;
  case NOTHING: return NULL;
  default: return loss;
  }
}

static const AbModelVtable line_table = {
    .struct_size = sizeof line_table,
    .build = line_build,
    .predict = line_predict,
    .objective = line_objective,
};
static const AbComponent line_component = {
    sizeof(AbComponent),           AB_KIND_MODEL,        "line", "A line.", "",
    .instance_size = sizeof(Line), .vtable = &line_table};

/* The same without an objective: the loss of the manifest is used. */
static const AbModelVtable bare_table = {
    .struct_size = sizeof bare_table, .build = line_build, .predict = line_predict};
static const AbComponent bare_component = {
    sizeof(AbComponent),           AB_KIND_MODEL,        "bare", "A line.", "",
    .instance_size = sizeof(Line), .vtable = &bare_table};

static AbTensor *mse_loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  (void)self;
  return ab_mean(ab_square(ab_sub(output, target)));
}
static const AbLossVtable mse_table = {.struct_size = sizeof mse_table, .loss = mse_loss};
static const AbComponent mse_component = {
    sizeof(AbComponent),   AB_KIND_LOSS, "mse",
    "Mean squared error.", "",           .instance_size = sizeof(AbLoss),
    .vtable = &mse_table};

/* lr halves with each epoch */
static double halving_factor(AbSchedule *self, const AbProgress *progress) {
  (void)self;
  return pow(0.5, (double)progress->epoch);
}
static const AbScheduleVtable halving_table = {.struct_size = sizeof halving_table,
                                               .factor = halving_factor};
static const AbComponent halving_component = {sizeof(AbComponent),
                                              AB_KIND_SCHEDULE,
                                              "halving",
                                              "Half per epoch.",
                                              "",
                                              .instance_size = sizeof(AbSchedule),
                                              .vtable = &halving_table};

typedef struct {
  AbOptimizer base;
  AbSchedule *schedule;
  double lr, momentum;
  bool nesterov, adam;
  int64_t calls, elements, count;
} Optimizer;

static void optimizer_update(AbOptimizer *self, AbUpdate *update) {
  Optimizer *o = (Optimizer *)self;
  AbTensor *w = ab_update_weights(update), *g = ab_update_gradients(update);
  double rate = ab_update_rate(update, o->lr, o->schedule);
  o->calls++;
  o->elements += ab_count(w);
  o->count = ab_update_count(update);
  if (o->adam) {
    AbTensor *m = ab_update_state(update, "m"), *v = ab_update_state(update, "s");
    ab_step_adam(w, g, m, v, rate, 0.9, 0.99, 1e-8, o->count);
  } else {
    ab_step_sgd(w, g, o->momentum > 0 ? ab_update_state(update, "velocity") : AB_NONE, rate,
                o->momentum, o->nesterov);
  }
}
static const AbOptimizerVtable optimizer_table = {.struct_size = sizeof optimizer_table,
                                                  .update = optimizer_update};
static const AbComponent optimizer_component = {sizeof(AbComponent),
                                                AB_KIND_OPTIMIZER,
                                                "optimizer",
                                                "Sgd or Adam.",
                                                "",
                                                .instance_size = sizeof(Optimizer),
                                                .vtable = &optimizer_table};

/* lambda / 2 sum w^2, and no weight above `bound` */
typedef struct {
  AbRegularizer base;
  double lambda, bound;
  bool broken;
} Regularizer;

static AbTensor *regularizer_penalty(AbRegularizer *self, AbTensor *weight) {
  Regularizer *r = (Regularizer *)self;
  g_assert_cmpint(ab_rank(weight), >=, 2);
  return r->broken ? NULL : ab_affine(ab_sum(ab_square(weight)), r->lambda / 2, 0);
}
static void regularizer_project(AbRegularizer *self, AbTensor *weight) {
  Regularizer *r = (Regularizer *)self;
  AbTensor *bound = ab_full(ab_context(self), ab_dtype(weight), ab_scalar_shape(), r->bound);
  ab_assign(weight, ab_minimum(weight, bound));
}
static const AbRegularizerVtable regularizer_table = {.struct_size = sizeof regularizer_table,
                                                      .penalty = regularizer_penalty,
                                                      .project = regularizer_project};
static const AbComponent regularizer_component = {sizeof(AbComponent),
                                                  AB_KIND_REGULARIZER,
                                                  "regularizer",
                                                  "Two at once.",
                                                  "",
                                                  .instance_size = sizeof(Regularizer),
                                                  .vtable = &regularizer_table};

static AbTensor *trainer_step(AbController *self, AbStep *step) {
  (void)self;
  AbTensor *loss = ab_step_objective(step);
  ab_update(step, loss, ab_step_group(step));
  return loss;
}
static const AbControllerVtable trainer_table = {.struct_size = sizeof trainer_table,
                                                 .step = trainer_step};
static const AbComponent trainer_component = {sizeof(AbComponent),
                                              AB_KIND_CONTROLLER,
                                              "trainer",
                                              "One update.",
                                              "",
                                              .instance_size = sizeof(AbController),
                                              .vtable = &trainer_table};

/* A second model in a slot of the controller, with a group and an optimizer of its own; even steps
 * move the first, odd ones the second, always by the sum of both objectives. */
typedef struct {
  AbController base;
  AbModel *critic;
  AbOptimizer *optimizer;
  AbGroup *group;
  bool twice;
  int64_t steps;
} Duel;

static void duel_build(AbController *self, AbStep *step) {
  Duel *duel = (Duel *)self;
  AbSignature wanted = ab_model_signature(ab_step_model(step));
  ab_build(duel->critic, &wanted);
  duel->group = ab_group(step, "critic", duel->critic, duel->optimizer);
  if (duel->twice) ab_group(step, "critic", duel->critic, duel->optimizer);
}
static AbTensor *duel_step(AbController *self, AbStep *step) {
  Duel *duel = (Duel *)self;
  AbTensor *loss = ab_step_objective(step);
  AbTensor *other = line_objective(duel->critic, ab_step_batch(step));
  /* the first step moves the first group: nothing is computed for the second, and it wants a
   * gradient again afterwards */
  bool first = duel->steps++ % 2 == 0;
  ab_update(step, ab_add(loss, other), first ? ab_step_group(step) : duel->group);
  AbTensor *W = ((Line *)duel->critic)->W;
  if (duel->steps == 1) g_assert_null(ab_gradient(W));
  if (duel->steps == 2) g_assert_nonnull(ab_gradient(W));
  g_assert_true(ab_requires_grad(W));
  return loss;
}
static const AbControllerVtable duel_table = {
    .struct_size = sizeof duel_table, .build = duel_build, .step = duel_step};
static const AbSlot duel_slots[] = {
    AB_SLOT(Duel, critic, AB_KIND_MODEL, AB_ROLE_NONE, AB_REQUIRED, "The other."),
    AB_SLOT(Duel, optimizer, AB_KIND_OPTIMIZER, AB_ROLE_NONE, AB_REQUIRED, "Its optimizer."),
};
static const AbComponent duel_component = {sizeof(AbComponent),
                                           AB_KIND_CONTROLLER,
                                           "duel",
                                           "Two groups.",
                                           "",
                                           .instance_size = sizeof(Duel),
                                           AB_SLOTS(duel_slots),
                                           .vtable = &duel_table};

/* ---- a run ----------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  Line *line;
  Optimizer *optimizer;
  Regularizer *regularizer;
  AbLoss *loss;
  AbController *controller;
  AbSchedule *schedule;
  AbStep *step;
  AbBatch *batch;
  double x[ROWS * IN], y[ROWS * OUT];
} Run;

static void *made(Run *run, const AbComponent *component, const char *path) {
  AbInstance *instance = ab_instance_new(run->ctx, component, path, NULL);
  g_assert_nonnull(instance);
  return instance;
}

static void begin(Run *run, const char *device, AbDtype real) {
  memset(run, 0, sizeof *run);
  run->ctx = sdk_context(device, real);
  run->line = made(run, &line_component, "model");
  run->optimizer = made(run, &optimizer_component, "optimizer");
  run->optimizer->lr = 0.1;
  run->regularizer = made(run, &regularizer_component, "regularizers/0");
  run->loss = made(run, &mse_component, "loss");
  run->schedule = made(run, &halving_component, "optimizer/schedule");
  run->controller = made(run, &trainer_component, "controller");
  g_autofree double *numbers = sdk_numbers(ROWS * (IN + OUT), -2, 2, 8);
  memcpy(run->x, numbers, sizeof run->x);
  memcpy(run->y, numbers + ROWS * IN, sizeof run->y);
  run->batch = ab_batch_new(run->ctx, ROWS);
  ab_batch_put(run->batch, "x", sdk_tensor(run->ctx, AB_SHAPE(ROWS, IN), run->x));
  ab_batch_put(run->batch, "y", sdk_tensor(run->ctx, AB_SHAPE(ROWS, OUT), run->y));
  ab_batch_put(run->batch, "target", sdk_tensor(run->ctx, AB_SHAPE(ROWS, OUT), run->y));
}

static void build_model(Run *run, Line *line) {
  AbSpec in = {1, ab_real_dtype(run->ctx), {IN}, 0, 0, 0}, out = {1, in.dtype, {OUT}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_PREDICT, &in, &out);
  ab_build(&line->base, &wanted);
  sdk_assert_ok(run->ctx);
}

/* What the step is made of may be changed between `begin` and this. */
static void make_step(Run *run, bool regularized, double clip_norm, double clip_value) {
  build_model(run, run->line);
  static AbRegularizer *regularizers[1];
  regularizers[0] = &run->regularizer->base;
  AbStepParts parts = {.role = AB_ROLE_PREDICT,
                       .model = &run->line->base,
                       .loss = run->loss,
                       .optimizer = &run->optimizer->base,
                       .controller = run->controller,
                       .regularizers = regularizers,
                       .regularizer_count = regularized,
                       .clip_norm = clip_norm,
                       .clip_value = clip_value};
  run->step = ab_step_new(run->ctx, &parts);
}

static void build(Run *run) {
  ab_step_build(run->step);
}

/* The loss, or NAN after an error. */
static double advance(Run *run, int64_t step) {
  AbProgress progress = {step / 2, 10, step, 2};
  AbScope scope = ab_scope_begin(run->ctx);
  ab_begin(run->ctx, AB_PURPOSE_TRAIN, step);
  AbTensor *loss = ab_step_run(run->step, run->batch, &progress);
  g_assert_cmpint(loss != NULL, ==, ab_ok(run->ctx));
  double value = loss ? ab_item(loss) : NAN;
  ab_scope_end(run->ctx, scope, NULL, 0);
  return value;
}

static void end(Run *run) {
  ab_step_free(run->step);
  ab_batch_free(run->batch);
  ab_instance_free(run->controller);
  ab_instance_free(run->schedule);
  ab_instance_free(run->loss);
  ab_instance_free(&run->regularizer->base);
  ab_instance_free(&run->optimizer->base);
  ab_instance_free(&run->line->base);
  sdk_finish(run->ctx);
}

/* ---- the same in plain double -----------------------------------------------------------------
 * Numbers 0..5 are W, 6..7 b, 8..11 the weight that nothing uses.                                */

#define NUMBERS (IN * OUT + OUT + 4)

static void numbers_of(const Line *line, double *w) {
  g_autofree double *W = sdk_values(line->W), *b = sdk_values(line->b);
  g_autofree double *idle = sdk_values(line->idle);
  memcpy(w, W, IN * OUT * sizeof *w);
  memcpy(w + IN * OUT, b, OUT * sizeof *w);
  memcpy(w + IN * OUT + OUT, idle, 4 * sizeof *w);
}

static double gradient_by_hand(const Run *run, const double *w, double *g) {
  double loss = 0;
  memset(g, 0, NUMBERS * sizeof *g);
  for (int r = 0; r < ROWS; r++) {
    for (int o = 0; o < OUT; o++) {
      double p = w[IN * OUT + o];
      for (int i = 0; i < IN; i++) p += run->x[r * IN + i] * w[i * OUT + o];
      double error = p - run->y[r * OUT + o], slope = 2 * error / (ROWS * OUT);
      loss += error * error / (ROWS * OUT);
      for (int i = 0; i < IN; i++) g[i * OUT + o] += run->x[r * IN + i] * slope;
      g[IN * OUT + o] += slope;
    }
  }
  return loss;
}

static double norm_of(const double *g) {
  double squares = 0;
  for (int i = 0; i < NUMBERS; i++) squares += g[i] * g[i];
  return sqrt(squares);
}

static void assert_numbers(const double *given, const double *wanted, AbDtype real) {
  for (int i = 0; i < NUMBERS; i++)
    g_assert_cmpfloat_with_epsilon(given[i], wanted[i], real == AB_F64 ? 1e-13 : 3e-6);
}

static void assert_weights(Run *run, const double *wanted) {
  double w[NUMBERS];
  numbers_of(run->line, w);
  assert_numbers(w, wanted, ab_real_dtype(run->ctx));
}

/* ---- optimizers ------------------------------------------------------------------------------ */

static void sgd_by_hand(double *w, const double *g, double *v, double lr, double momentum,
                        bool nesterov) {
  for (int i = 0; i < NUMBERS; i++) {
    v[i] = momentum * v[i] + g[i];
    w[i] -= lr * (nesterov ? g[i] + momentum * v[i] : v[i]);
  }
}

static void check_sgd(const char *device, AbDtype real, double momentum, bool nesterov) {
  Run run;
  begin(&run, device, real);
  run.optimizer->momentum = momentum;
  run.optimizer->nesterov = nesterov;
  make_step(&run, false, 0, 0);
  build(&run);
  double w[NUMBERS], g[NUMBERS], v[NUMBERS] = {0};
  numbers_of(run.line, w);
  for (int t = 0; t < 5; t++) {
    double loss = gradient_by_hand(&run, w, g);
    g_assert_cmpfloat_with_epsilon(advance(&run, t), loss, real == AB_F64 ? 1e-13 : 1e-5);
    sdk_assert_ok(run.ctx);
    g_assert_cmpfloat_with_epsilon(ab_step_gradient_norm(run.step), norm_of(g),
                                   real == AB_F64 ? 1e-13 : 1e-5);
    sgd_by_hand(w, g, v, 0.1, momentum, nesterov);
    assert_weights(&run, w);
  }
  g_assert_cmpint(run.optimizer->calls, ==, 5);
  g_assert_cmpint(run.optimizer->count, ==, 5);
  end(&run);
}

static void test_sgd(const void *device) {
  const AbDtype reals[] = {AB_F64, AB_F32};
  for (int i = 0; i < 2; i++) {
    check_sgd(device, reals[i], 0, false);
    check_sgd(device, reals[i], 0.9, false);
    check_sgd(device, reals[i], 0.9, true);
  }
}

static void check_adam(const char *device, AbDtype real) {
  Run run;
  begin(&run, device, real);
  run.optimizer->adam = true;
  make_step(&run, false, 0, 0);
  build(&run);
  double w[NUMBERS], g[NUMBERS], m[NUMBERS] = {0}, s[NUMBERS] = {0};
  numbers_of(run.line, w);
  for (int t = 1; t <= 5; t++) {
    gradient_by_hand(&run, w, g);
    advance(&run, t - 1);
    for (int i = 0; i < NUMBERS; i++) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      s[i] = 0.99 * s[i] + 0.01 * g[i] * g[i];
      w[i] -= 0.1 * (m[i] / (1 - pow(0.9, t))) / (sqrt(s[i] / (1 - pow(0.99, t))) + 1e-8);
    }
    assert_weights(&run, w);
  }
  end(&run);
}

static void test_adam(const void *device) {
  check_adam(device, AB_F64);
  check_adam(device, AB_F32);
}

static void test_step_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *w = ab_full(ctx, AB_F64, AB_SHAPE(3), 1), *g = ab_zeros(ctx, AB_SHAPE(4));
  AbTensor *good = ab_zeros(ctx, AB_SHAPE(3));
  ab_step_sgd(w, g, AB_NONE, 1, 0, false);
  sdk_assert_error(ctx, AB_INTERNAL, "step_sgd", "[3]", "[4]", NULL);
  ab_step_sgd(w, good, g, 1, 0.5, false);
  sdk_assert_error(ctx, AB_INTERNAL, "step_sgd", "[4]", NULL);
  ab_step_sgd(w, good, AB_NONE, 1, 0.5, false); /* momentum has nowhere to be kept */
  sdk_assert_error(ctx, AB_INTERNAL, "step_sgd", "momentum", NULL);
  ab_step_adam(w, good, g, good, 1, 0.9, 0.9, 1, 1);
  sdk_assert_error(ctx, AB_INTERNAL, "step_adam", "[4]", NULL);
  ab_step_adam(w, ab_cast(good, AB_F32), good, good, 1, 0.9, 0.9, 1, 1);
  sdk_assert_error(ctx, AB_INTERNAL, "step_adam", "f32 [3]", NULL);
  ab_step_sgd(NULL, good, AB_NONE, 1, 0, false);
  ab_step_sgd(w, NULL, AB_NONE, 1, 0, false);
  ab_step_sgd(w, good, NULL, 1, 0, false);
  ab_step_adam(w, good, NULL, good, 1, 0.9, 0.9, 1, 1);
  g_autofree double *values = sdk_values(w);
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(values[i], ==, 1);
  sdk_finish(ctx);
}

/* ---- the order of a step --------------------------------------------------------------------- */

/* Backward, clip by norm, then by value, penalty, optimizer, projection: each changes what the next
 * one makes, so the weights tell the order. */
static void test_order(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  run.optimizer->lr = 1;
  run.regularizer->lambda = 0.3;
  run.regularizer->bound = 0.4;
  make_step(&run, true, 0.5, 0.2);
  build(&run);
  double w[NUMBERS], g[NUMBERS];
  numbers_of(run.line, w);
  bool cut_by_value = false, cut_by_bound = false;
  for (int t = 0; t < 4; t++) {
    gradient_by_hand(&run, w, g);
    double norm = norm_of(g);
    if (t == 0) g_assert_cmpfloat(norm, >, 0.5);
    for (int i = 0; i < NUMBERS; i++) {
      bool bias = i >= IN * OUT && i < IN * OUT + OUT;
      if (norm > 0.5) g[i] *= 0.5 / norm;
      cut_by_value |= fabs(g[i]) > 0.2;
      g[i] = fmax(-0.2, fmin(0.2, g[i]));
      if (!bias) g[i] += 0.3 * w[i];
      w[i] -= g[i];
      cut_by_bound |= !bias && w[i] > 0.4;
      if (!bias) w[i] = fmin(w[i], 0.4);
    }
    advance(&run, t);
    sdk_assert_ok(run.ctx);
    assert_weights(&run, w);
    g_assert_cmpfloat_with_epsilon(ab_step_gradient_norm(run.step), norm, 1e-13);
  }
  g_assert_true(cut_by_value && cut_by_bound);
  end(&run);
}

static void test_default_objective(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  ab_instance_free(&run.line->base);
  run.line = made(&run, &bare_component, "model");
  make_step(&run, false, 0, 0);
  build(&run);
  double w[NUMBERS], g[NUMBERS], v[NUMBERS] = {0};
  numbers_of(run.line, w);
  g_assert_cmpfloat_with_epsilon(advance(&run, 0), gradient_by_hand(&run, w, g), 1e-13);
  sgd_by_hand(w, g, v, 0.1, 0, false);
  assert_weights(&run, w);
  g_assert_false(ab_model_has_objective(&run.line->base, AB_ROLE_RECONSTRUCT));
  end(&run);
}

/* ---- what can go wrong ----------------------------------------------------------------------- */

static void check_fault(const char *device, AbDtype real, Fault fault, AbCode code,
                        const char *text, const char *other) {
  Run run;
  begin(&run, device, real);
  run.optimizer->momentum = 0.9;
  make_step(&run, false, 1, 0);
  build(&run);
  advance(&run, 0);
  double w[NUMBERS], after[NUMBERS];
  numbers_of(run.line, w);
  run.line->fault = fault;
  advance(&run, 6);
  sdk_assert_error(run.ctx, code, text, other, NULL);
  numbers_of(run.line, after);
  g_assert_cmpmem(after, sizeof after, w, sizeof w);
  g_assert_cmpint(run.optimizer->calls, ==, 1);
  g_assert_cmpint(ab_step_updates(run.step, 0), ==, 1);
  /* and on it goes, as if it had not been */
  run.line->fault = SOUND;
  g_assert_true(isfinite(advance(&run, 7)));
  end(&run);
}

static void test_faults(const void *device) {
  const AbDtype reals[] = {AB_F64, AB_F32};
  for (int i = 0; i < 2; i++) {
    check_fault(device, reals[i], NAN_LOSS, AB_DATA, "step 7", "the loss");
    check_fault(device, reals[i], NAN_GRADIENT, AB_DATA, "step 7", "gradient of model/b");
    check_fault(device, reals[i], NO_SCALAR, AB_INTERNAL, "model (line)", "scalar");
    check_fault(device, reals[i], NOTHING, AB_INTERNAL, "model (line)", "nothing");
  }
}

static void test_broken_regularizer(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  run.regularizer->broken = true;
  make_step(&run, true, 0, 0);
  build(&run);
  double w[NUMBERS];
  numbers_of(run.line, w);
  advance(&run, 0);
  sdk_assert_error(run.ctx, AB_INTERNAL, "regularizers/0 (regularizer)", "penalty", NULL);
  assert_weights(&run, w);
  /* one that is not finite is found like a gradient that is not */
  run.regularizer->broken = false;
  run.regularizer->lambda = INFINITY;
  advance(&run, 0);
  sdk_assert_error(run.ctx, AB_DATA, "not finite", NULL);
  assert_weights(&run, w);
  end(&run);
}

/* ---- rates and schedules --------------------------------------------------------------------- */

static void test_rates(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  run.optimizer->schedule = run.schedule;
  run.optimizer->momentum = 0.5;
  make_step(&run, false, 0, 0);
  ab_step_rate(run.step, "model/b", 0);
  ab_step_rate(run.step, "mod?l/*", 0.5);
  ab_step_rate(run.step, "model/W", 100); /* the first match counts */
  build(&run);
  double w[NUMBERS], g[NUMBERS], v[NUMBERS] = {0}, before[NUMBERS];
  numbers_of(run.line, w);
  for (int t = 0; t < 6; t++) {
    memcpy(before, w, sizeof w);
    gradient_by_hand(&run, w, g);
    advance(&run, t);
    sgd_by_hand(w, g, v, 0.1 * pow(0.5, t / 2) * 0.5, 0.5, false);
    memcpy(w + IN * OUT, before + IN * OUT, OUT * sizeof *w);
    assert_weights(&run, w);
  }
  g_assert_cmpint(run.optimizer->calls, ==, 12); /* once per factor */
  g_assert_cmpint(run.optimizer->elements, ==, 6 * 48);
  end(&run);
}

static void test_frozen(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  make_step(&run, false, 0, 0);
  ab_state_freeze(&run.line->base, 0);
  g_assert_true(ab_state(&run.line->base, 0).frozen);
  build(&run);
  double w[NUMBERS], g[NUMBERS], v[NUMBERS] = {0};
  numbers_of(run.line, w);
  for (int t = 0; t < 3; t++) {
    gradient_by_hand(&run, w, g);
    advance(&run, t);
    for (int i = 0; i < IN * OUT; i++) g[i] = 0;
    g_assert_cmpfloat_with_epsilon(ab_step_gradient_norm(run.step), norm_of(g), 1e-13);
    sgd_by_hand(w, g, v, 0.1, 0, false);
    assert_weights(&run, w);
  }
  g_assert_cmpint(run.optimizer->elements, ==, 3 * 32);
  end(&run);
}

/* ---- state ----------------------------------------------------------------------------------- */

static void test_state(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  run.optimizer->momentum = 0.9;
  make_step(&run, false, 0, 0);
  build(&run);
  g_assert_cmpint(ab_step_state_count(run.step), ==, 0);
  double w[NUMBERS], g[NUMBERS], v[NUMBERS] = {0}, kept[NUMBERS];
  numbers_of(run.line, w);
  for (int t = 0; t < 2; t++) {
    gradient_by_hand(&run, w, g);
    advance(&run, t);
    sgd_by_hand(w, g, v, 0.1, 0.9, false);
  }
  const char *const names[] = {"optimizer/velocity/model/W", "optimizer/velocity/model/b",
                               "optimizer/velocity/model/idle"};
  const char *const axes[] = {"in out", "out", "a b"};
  g_assert_cmpint(ab_step_state_count(run.step), ==, 3);
  for (int i = 0, at = 0; i < 3; i++) {
    AbState state = ab_step_state(run.step, i);
    g_assert_cmpstr(state.name, ==, names[i]);
    g_assert_cmpstr(state.axes, ==, axes[i]);
    g_assert_false(state.weight);
    AbShape shape = ab_shape(state.tensor), wanted = ab_shape(ab_state(&run.line->base, i).tensor);
    g_assert_cmpmem(&shape, sizeof shape, &wanted, sizeof wanted);
    g_autofree double *values = sdk_values(state.tensor);
    memcpy(kept + at, values, (size_t)ab_count(state.tensor) * sizeof *kept);
    at += (int)ab_count(state.tensor);
  }
  assert_numbers(kept, v, AB_F64);
  g_assert_cmpint(ab_step_group_count(run.step), ==, 1);
  g_assert_cmpstr(ab_step_group_name(run.step, 0), ==, "optimizer");
  g_assert_cmpint(ab_step_updates(run.step, 0), ==, 2);
  end(&run);
}

/* Five steps at once, or two, a copy of the whole state into a new run, and three. */
static void test_resume(const void *device) {
  Run first, second;
  Run *runs[2] = {&first, &second};
  for (int i = 0; i < 2; i++) {
    begin(runs[i], device, AB_F64);
    runs[i]->optimizer->adam = true;
    make_step(runs[i], false, 0, 0);
    build(runs[i]);
  }
  for (int t = 0; t < 2; t++) advance(&first, t);
  for (int i = 0; i < 3; i++) {
    g_autofree double *values = sdk_values(ab_state(&first.line->base, i).tensor);
    AbTensor *to = ab_state(&second.line->base, i).tensor;
    ab_assign(to, sdk_tensor(second.ctx, ab_shape(to), values));
  }
  ab_step_state_make(second.step, "optimizer", "m");
  ab_step_state_make(second.step, "optimizer", "s");
  ab_step_state_make(second.step, "nobody", "s");
  g_assert_cmpint(ab_step_state_count(second.step), ==, 6);
  for (int i = 0; i < 6; i++) {
    g_autofree double *values = sdk_values(ab_step_state(first.step, i).tensor);
    g_autofree char *name = g_strdup(ab_step_state(first.step, i).name);
    AbState to = ab_step_state(second.step, i);
    g_assert_cmpstr(to.name, ==, name);
    ab_assign(to.tensor, sdk_tensor(second.ctx, ab_shape(to.tensor), values));
  }
  ab_step_set_updates(second.step, 0, ab_step_updates(first.step, 0));
  for (int t = 2; t < 5; t++) g_assert_cmpfloat(advance(&first, t), ==, advance(&second, t));
  double a[NUMBERS], b[NUMBERS];
  numbers_of(first.line, a);
  numbers_of(second.line, b);
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
  end(&first);
  end(&second);
}

/* ---- two groups ------------------------------------------------------------------------------ */

static void check_groups(const char *device, bool twice) {
  Run run;
  begin(&run, device, AB_F64);
  ab_instance_free(run.controller);
  run.controller = made(&run, &duel_component, "controller");
  Duel *duel = (Duel *)run.controller;
  Line *critic = made(&run, &line_component, "controller/critic");
  Optimizer *optimizer = made(&run, &optimizer_component, "controller/optimizer");
  optimizer->lr = 0.01;
  optimizer->momentum = 0.5;
  duel->critic = &critic->base;
  duel->optimizer = &optimizer->base;
  duel->twice = twice;
  make_step(&run, false, 0, 0);
  build(&run);
  if (twice) {
    sdk_assert_error(run.ctx, AB_INTERNAL, "critic", "two groups", NULL);
  } else {
    double w[2][NUMBERS], g[NUMBERS], v[2][NUMBERS] = {{0}}, given[NUMBERS];
    numbers_of(run.line, w[0]);
    numbers_of(critic, w[1]);
    g_assert_cmpfloat(w[0][0], !=, w[1][0]); /* by path */
    for (int t = 0; t < 6; t++) {
      int who = t % 2;
      gradient_by_hand(&run, w[who], g);
      advance(&run, t);
      sdk_assert_ok(run.ctx);
      g_assert_cmpfloat_with_epsilon(ab_step_gradient_norm(run.step), norm_of(g), 1e-13);
      sgd_by_hand(w[who], g, v[who], who ? 0.01 : 0.1, who ? 0.5 : 0, false);
      assert_weights(&run, w[0]);
      numbers_of(critic, given);
      assert_numbers(given, w[1], AB_F64);
    }
    g_assert_cmpint(ab_step_group_count(run.step), ==, 2);
    g_assert_cmpstr(ab_step_group_name(run.step, 1), ==, "critic");
    for (int i = 0; i < 2; i++) g_assert_cmpint(ab_step_updates(run.step, i), ==, 3);
    g_assert_cmpint(ab_step_state_count(run.step), ==, 3);
    g_assert_cmpstr(ab_step_state(run.step, 2).name, ==, "critic/velocity/controller/critic/idle");
  }
  ab_step_free(run.step);
  run.step = NULL;
  ab_instance_free(&critic->base);
  ab_instance_free(&optimizer->base);
  end(&run);
}

static void test_groups(const void *device) {
  check_groups(device, false);
  check_groups(device, true);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void test_parts(const void *device) {
  Run run;
  begin(&run, device, AB_F64);
  make_step(&run, false, 0, 0);
  build(&run);
  for (int round = 0; round < 2; round++) {
    double sum = 0;
    for (int t = 0; t < 3; t++) sum += advance(&run, t);
    g_assert_cmpint(ab_part_count(run.ctx), ==, 1);
    g_assert_cmpstr(ab_part_name(run.ctx, 0), ==, "model/mse");
    g_assert_cmpfloat_with_epsilon(ab_part_value(run.ctx, 0), sum / 3, 1e-13);
    ab_parts_clear(run.ctx);
    g_assert_cmpint(ab_part_count(run.ctx), ==, 0);
  }
  ab_part(&run.line->base, "other", ab_full(run.ctx, AB_F64, ab_scalar_shape(), 4));
  ab_part(&run.line->base, "none", NULL);
  g_assert_cmpint(ab_part_count(run.ctx), ==, 1);
  g_assert_cmpfloat(ab_part_value(run.ctx, 0), ==, 4);
  end(&run);
}

static void test_batch(void) {
  AbContext *ctx = sdk_context("cpu", AB_F64);
  AbBatch *batch = ab_batch_new(ctx, 7);
  g_assert_cmpint(ab_batch_count(batch), ==, 7);
  g_assert_null(ab_batch_get(batch, "x"));
  sdk_assert_error(ctx, AB_CONFIG, "'x'", "nothing", NULL);
  AbScope scope = ab_scope_begin(ctx);
  ab_batch_put(batch, "x", ab_full(ctx, AB_F64, AB_SHAPE(7), 1));
  ab_batch_put(batch, "y", ab_full(ctx, AB_F64, AB_SHAPE(7), 2));
  ab_batch_put(batch, "x", ab_full(ctx, AB_F64, AB_SHAPE(1), 3)); /* in the place of the first */
  ab_batch_put(batch, "z", NULL);
  ab_scope_end(ctx, scope, NULL, 0);
  g_assert_cmpfloat(ab_item(ab_batch_get(batch, "x")), ==, 3);
  g_assert_true(ab_batch_has(batch, "y"));
  g_assert_false(ab_batch_has(batch, "z"));
  g_assert_null(ab_batch_get(batch, "mask"));
  sdk_assert_error(ctx, AB_CONFIG, "'mask'", "x, y", NULL);
  for (int i = 0; i < 18; i++) {
    g_autofree char *name = g_strdup_printf("a%0*d", i == 0 ? 200 : 1, i);
    ab_batch_put(batch, name, ab_zeros(ctx, AB_SHAPE(1)));
  }
  sdk_assert_ok(ctx);
  ab_batch_put(batch, "too-many", ab_zeros(ctx, AB_SHAPE(1)));
  sdk_assert_error(ctx, AB_INTERNAL, "20", NULL);
  ab_batch_free(batch);
  ab_batch_free(NULL);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/step/sgd", test_sgd);
  sdk_add("/step/adam", test_adam);
  sdk_add("/step/step-errors", test_step_errors);
  sdk_add("/step/order", test_order);
  sdk_add("/step/default-objective", test_default_objective);
  sdk_add("/step/faults", test_faults);
  sdk_add("/step/broken-regularizer", test_broken_regularizer);
  sdk_add("/step/rates", test_rates);
  sdk_add("/step/frozen", test_frozen);
  sdk_add("/step/state", test_state);
  sdk_add("/step/resume", test_resume);
  sdk_add("/step/groups", test_groups);
  sdk_add("/step/parts", test_parts);
  g_test_add_func("/step/batch", test_batch);
  return g_test_run();
}
