/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a dry run: what they tell of operations, states of optimizers and memory, against what
 * is counted by hand. */
#include "sdk-test.h"
#include <string.h>

#define ROWS  6
#define IN    5
#define UNITS 3

/* ---- components ------------------------------------------------------------------------------ */

typedef struct {
  AbModel base;
  AbTensor *W, *b;
  bool asks;      /* for numbers */
  double penalty; /* on the gradient of its input; 0: none */
} Line;

static void line_build(AbModel *self, const AbSignature *wanted) {
  Line *line = (Line *)self;
  AbInit init = {AB_INIT_NORMAL, 0, 0.5};
  (void)wanted;
  line->W = ab_weight(self, "W", AB_SHAPE(IN, UNITS), init, "in unit");
  line->b = ab_weight(self, "b", AB_SHAPE(UNITS), init, "unit");
}

static AbTensor *line_predict(AbModel *self, AbTensor *x) {
  Line *line = (Line *)self;
  return ab_linear(x, line->W, line->b, AB_TANH);
}

static AbTensor *slope(Line *line, AbTensor *x) {
  AbTensor *gradient = NULL, *point = ab_detach(x);
  ab_require_grad(point);
  ab_gradients(ab_sum(line_predict(&line->base, point)), &point, 1, &gradient, true);
  g_assert_true(ab_is_shape_only(gradient));
  g_assert_cmpint(ab_count(gradient), ==, ROWS * IN);
  return ab_mean(ab_square(gradient));
}

/* mean (tanh(x W + b) - y)^2 */
static AbTensor *line_objective(AbModel *self, const AbBatch *batch) {
  Line *line = (Line *)self;
  AbTensor *x = ab_batch_get(batch, "x"), *y = line_predict(self, x);
  if (line->asks) ab_map(y, false);
  AbTensor *loss = ab_mean(ab_square(ab_sub(y, ab_batch_get(batch, "y"))));
  return line->penalty > 0 ? ab_add(loss, ab_affine(slope(line, x), line->penalty, 0)) : loss;
}

static const AbModelVtable line_table = {.struct_size = sizeof line_table,
                                         .build = line_build,
                                         .predict = line_predict,
                                         .objective = line_objective};
static const AbComponent line_component = {
    sizeof(AbComponent),           AB_KIND_MODEL,        "line", "A line.", "",
    .instance_size = sizeof(Line), .vtable = &line_table};

static void adam_update(AbOptimizer *self, AbUpdate *update) {
  (void)self;
  g_assert_cmpint(ab_update_count(update), >=, 1);
  AbTensor *m = ab_update_state(update, "m"), *v = ab_update_state(update, "s");
  ab_step_adam(ab_update_weights(update), ab_update_gradients(update), m, v, 0.1, 0.9, 0.99, 1e-8,
               ab_update_count(update));
}
static const AbOptimizerVtable adam_table = {.struct_size = sizeof adam_table,
                                             .update = adam_update};
static const AbComponent adam_component = {sizeof(AbComponent),
                                           AB_KIND_OPTIMIZER,
                                           "adam",
                                           "Adam.",
                                           "",
                                           .instance_size = sizeof(AbOptimizer),
                                           .vtable = &adam_table};

static AbTensor *decay_penalty(AbRegularizer *self, AbTensor *weight) {
  (void)self;
  return ab_sum(ab_square(weight));
}
static void decay_project(AbRegularizer *self, AbTensor *weight) {
  (void)self;
  ab_assign(weight, ab_affine(weight, 0.5, 0));
}
static const AbRegularizerVtable decay_table = {
    .struct_size = sizeof decay_table, .penalty = decay_penalty, .project = decay_project};
static const AbComponent decay_component = {sizeof(AbComponent),
                                            AB_KIND_REGULARIZER,
                                            "decay",
                                            "Decay.",
                                            "",
                                            .instance_size = sizeof(AbRegularizer),
                                            .vtable = &decay_table};

static AbTensor *keeper_step(AbController *self, AbStep *step) {
  (void)self;
  ab_group_keep(ab_step_group(step), "average", 0.9);
  ab_group_use(ab_step_group(step), "average");
  ab_group_use(ab_step_group(step), NULL);
  return ab_step_learn(step);
}
static const AbControllerVtable keeper_table = {.struct_size = sizeof keeper_table,
                                                .step = keeper_step};
static const AbComponent keeper_component = {sizeof(AbComponent),
                                             AB_KIND_CONTROLLER,
                                             "keeper",
                                             "Keeps an average.",
                                             "",
                                             .instance_size = sizeof(AbController),
                                             .vtable = &keeper_table};

typedef struct {
  AbContext *ctx;
  Line *line;
  AbOptimizer *optimizer;
  AbRegularizer *regularizers[1];
  AbController *controller;
  AbStep *step;
} Machine;

static Machine *machine_new(const void *device, double clip) {
  Machine *m = g_new0(Machine, 1);
  m->ctx = sdk_context(device, AB_F32);
  ab_dry_run(m->ctx, true);
  m->line = (Line *)ab_instance_new(m->ctx, &line_component, "model", NULL);
  m->optimizer = ab_instance_new(m->ctx, &adam_component, "optimizer", NULL);
  m->regularizers[0] = ab_instance_new(m->ctx, &decay_component, "regularizers/0", NULL);
  m->controller = ab_instance_new(m->ctx, &keeper_component, "controller", NULL);
  AbSpec in = {.rank = 1, .dtype = AB_F32, .shape = {IN}};
  AbSpec out = {.rank = 1, .dtype = AB_F32, .shape = {UNITS}};
  AbSignature wanted = ab_signature(AB_ROLE_PREDICT, &in, &out);
  ab_build(&m->line->base, &wanted);
  AbStepParts parts = {.role = AB_ROLE_PREDICT,
                       .model = &m->line->base,
                       .optimizer = m->optimizer,
                       .controller = m->controller,
                       .regularizers = m->regularizers,
                       .regularizer_count = 1,
                       .clip_norm = clip,
                       .clip_value = clip};
  m->step = ab_step_new(m->ctx, &parts);
  ab_step_build(m->step);
  sdk_assert_ok(m->ctx);
  return m;
}

static void machine_free(Machine *m) {
  ab_step_free(m->step);
  ab_instance_free(m->controller);
  ab_instance_free(m->regularizers[0]);
  ab_instance_free(m->optimizer);
  ab_instance_free(&m->line->base);
  sdk_finish(m->ctx);
  g_free(m);
}

static void take_step(Machine *m) {
  AbProgress progress = {.epochs = 1, .steps_per_epoch = 1};
  AbScope scope = ab_scope_begin(m->ctx);
  AbBatch *batch = ab_batch_new(m->ctx, ROWS);
  ab_batch_put(batch, "x", ab_dry_tensor(m->ctx, AB_F32, AB_SHAPE(ROWS, IN)));
  ab_batch_put(batch, "y", ab_dry_tensor(m->ctx, AB_F32, AB_SHAPE(ROWS, UNITS)));
  ab_begin(m->ctx, AB_PURPOSE_TRAIN, 0);
  ab_step_run(m->step, batch, &progress);
  ab_batch_free(batch);
  ab_scope_end(m->ctx, scope, NULL, 0);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Two moments and an average of each of two weights, by their shapes. */
static void test_states(const void *device) {
  Machine *m = machine_new(device, 1);
  g_assert_cmpint(ab_step_state_count(m->step), ==, 0);
  take_step(m);
  take_step(m);
  sdk_assert_ok(m->ctx);
  g_assert_cmpint(ab_step_state_count(m->step), ==, 6);
  static const char *const names[] = {"optimizer/average/model/W", "optimizer/average/model/b",
                                      "optimizer/m/model/W",       "optimizer/m/model/b",
                                      "optimizer/s/model/W",       "optimizer/s/model/b"};
  for (int64_t i = 0; i < 6; i++) {
    AbState state = ab_step_state(m->step, i);
    g_assert_cmpstr(state.name, ==, names[i]);
    g_assert_true(ab_is_shape_only(state.tensor));
    g_assert_cmpint(ab_count(state.tensor), ==, i % 2 ? UNITS : IN * UNITS);
  }
  machine_free(m);
}

/* x, y, tanh(..), the difference and its square; the mean is one number, its sum another. */
static void test_activations(const void *device) {
  Machine *m = machine_new(device, 0);
  take_step(m);
  sdk_assert_ok(m->ctx);
  int64_t numbers = ROWS * IN + 4 * ROWS * UNITS;
  g_assert_cmpint(ab_step_activations(m->step), >=, 4 * (numbers + 1));
  g_assert_cmpint(ab_step_activations(m->step), <=, 4 * (numbers + 2));
  machine_free(m);
}

/* A penalty on a gradient needs one, which is then a shape. */
static void test_gradients(const void *device) {
  Machine *m = machine_new(device, 0);
  m->line->penalty = 2;
  take_step(m);
  sdk_assert_ok(m->ctx);
  g_assert_cmpint(ab_step_state_count(m->step), ==, 6);
  machine_free(m);
}

/* It is an error as ever, and of the kind that says whose it is. */
static void test_numbers(const void *device) {
  Machine *m = machine_new(device, 0);
  m->line->asks = true;
  take_step(m);
  sdk_assert_error(m->ctx, AB_INTERNAL, "model (line)", "dry run", "f32 [6, 3]", NULL);
  machine_free(m);
}

/* ---- looking on ------------------------------------------------------------------------------ */

typedef struct {
  GString *text;
  int64_t products;
  const AbTensor *W;
  gboolean read; /* W */
} Seen;

static void note(void *data, const AbOperation *operation) {
  Seen *seen = data;
  char shape[200];
  g_string_append_printf(seen->text, "%s %s %s\n", operation->component, operation->name,
                         ab_shape_text(ab_shape(operation->output), shape, sizeof shape));
  seen->products += operation->multiply_adds;
  for (int32_t i = 0; i < operation->input_count; i++)
    seen->read |= operation->inputs[i] == seen->W;
}

static void test_watch(const void *device) {
  Machine *m = machine_new(device, 0);
  Seen seen = {.text = g_string_new(NULL), .W = m->line->W};
  AbScope scope = ab_scope_begin(m->ctx);
  AbTensor *x = ab_dry_tensor(m->ctx, AB_F32, AB_SHAPE(ROWS, 1, IN));
  bool recording = ab_set_recording(m->ctx, false); /* it makes no difference */
  ab_watch(m->ctx, note, &seen);
  line_predict(&m->line->base, x);
  ab_call(&m->line->base, AB_ROLE_PREDICT, ab_dry_tensor(m->ctx, AB_F32, AB_SHAPE(ROWS, IN)));
  ab_watch(m->ctx, NULL, NULL);
  ab_call(&m->line->base, AB_ROLE_PREDICT, ab_dry_tensor(m->ctx, AB_F32, AB_SHAPE(ROWS, IN)));
  ab_set_recording(m->ctx, recording);
  ab_scope_end(m->ctx, scope, NULL, 0);
  g_assert_cmpstr(seen.text->str, ==,
                  " reshape [6, 5]\n linear [6, 3]\n reshape [6, 1, 3]\n"
                  "model linear [6, 3]\n");
  g_assert_cmpint(seen.products, ==, 2 * ROWS * IN * UNITS);
  g_assert_true(seen.read);
  g_string_free(seen.text, TRUE);
  machine_free(m);
}

static void test_memory(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  for (int dry = 0; dry < 2; dry++) {
    AbTensor *x = dry ? ab_dry_tensor(ctx, AB_F64, AB_SHAPE(4, 3)) : ab_zeros(ctx, AB_SHAPE(4, 3));
    AbTensor *row = ab_slice(x, 0, 1, 2), *turned = ab_transpose(row, 0, 1);
    g_assert_cmpint(ab_is_shape_only(x), ==, dry);
    g_assert_cmpuint(ab_tensor_memory(turned), ==, ab_tensor_memory(x));
    g_assert_cmpuint(ab_tensor_memory(ab_detach(x)), ==, ab_tensor_memory(x));
    g_assert_cmpuint(ab_tensor_memory(ab_square(x)), !=, ab_tensor_memory(x));
    uint64_t before = ab_tensor_memory(x);
    g_assert_cmpuint(ab_tensor_memory(ab_zeros(ctx, AB_SHAPE(4, 3))), !=, before);
  }
  g_assert_cmpuint(ab_tensor_memory(NULL), ==, 0);
  sdk_finish(ctx);
}

/* What an LSTM keeps: its states and, for the backward pass, its gates and cells. */
static void test_lstm(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  ab_dry_run(ctx, true);
  AbTensor *x = ab_dry_tensor(ctx, AB_F64, AB_SHAPE(7, 2, 3));
  AbTensor *W = ab_dry_tensor(ctx, AB_F64, AB_SHAPE(3, 16));
  AbTensor *U = ab_dry_tensor(ctx, AB_F64, AB_SHAPE(4, 16));
  ab_require_grad(W);
  Seen seen = {.text = g_string_new(NULL), .W = U};
  ab_watch(ctx, note, &seen);
  AbRecurrence r = ab_lstm(x, W, U, AB_NONE, AB_NONE, AB_NONE, AB_NONE, AB_NONE, false);
  ab_watch(ctx, NULL, NULL);
  g_assert_true(ab_requires_grad(r.outputs));
  g_assert_nonnull(strstr(seen.text->str, "lstm"));
  g_assert_true(seen.read);
  g_assert_cmpint(seen.products, ==, 7 * 2 * 16 * (3 + 4));
  g_string_free(seen.text, TRUE);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/dry-step/states", test_states);
  sdk_add("/dry-step/activations", test_activations);
  sdk_add("/dry-step/gradients", test_gradients);
  sdk_add("/dry-step/numbers", test_numbers);
  sdk_add("/dry-step/watch", test_watch);
  sdk_add("/dry-step/memory", test_memory);
  sdk_add("/dry-step/lstm", test_lstm);
  return g_test_run();
}
