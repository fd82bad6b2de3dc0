/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups that are parts of others, kept weights, rules of learning without an objective, and what a
 * model can ask about its children and its batch. A tower of two layers y = x w, element by
 * element, against computations in plain double. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

#define ROWS  4
#define WIDTH 3
#define RATE  0.25

static void read_to(AbTensor *x, double *values) {
  g_autofree double *numbers = sdk_values(x);
  memcpy(values, numbers, (size_t)ab_count(x) * sizeof *values);
}

typedef struct {
  AbModel base;
  AbTensor *w;
} Layer;

static void layer_build(AbModel *self, const AbSignature *wanted) {
  Layer *layer = (Layer *)self;
  AbInit init = {AB_INIT_UNIFORM, 0, 1};
  (void)wanted;
  layer->w = ab_weight(self, "w", AB_SHAPE(WIDTH), init, "feature");
  ab_output_range(self, AB_ROLE_ENCODE, AB_RANGE_UNIT);
}

static AbTensor *layer_encode(AbModel *self, AbTensor *x) {
  return ab_mul(x, ((Layer *)self)->w);
}

/* Half of the code, twice. */
static AbTensor *layer_decode(AbModel *self, AbTensor *code) {
  (void)self;
  return ab_affine(ab_concat((AbTensor *[]){code, code}, 2, 1), 0.5, 0);
}

static AbTensor *layer_objective(AbModel *self, const AbBatch *batch) {
  return ab_sum(layer_encode(self, ab_batch_get(batch, "x")));
}

static const AbModelVtable layer_table = {.struct_size = sizeof layer_table,
                                          .build = layer_build,
                                          .encode = layer_encode,
                                          .decode = layer_decode,
                                          .objective = layer_objective};
static const AbComponent layer_component = {
    sizeof(AbComponent),    AB_KIND_MODEL, "layer", "x w.", "", .instance_size = sizeof(Layer),
    .vtable = &layer_table,
};

typedef struct {
  AbModel base;
  AbChildren layers;
  AbModel *friend;
  AbTensor *mirror; /* tied to the first layer's w */
} Tower;

static void tower_build(AbModel *self, const AbSignature *wanted) {
  Tower *tower = (Tower *)self;
  AbInit init = {AB_INIT_CONSTANT, 0, 0};
  for (int64_t i = 0; i < tower->layers.count; i++) ab_build(tower->layers.items[i], wanted);
  ab_tie(self, "mirror", ((Layer *)tower->layers.items[0])->w, false);
  tower->mirror = ab_weight(self, "mirror", AB_SHAPE(WIDTH), init, "feature");
}

static AbTensor *tower_encode(AbModel *self, AbTensor *x) {
  Tower *tower = (Tower *)self;
  for (int64_t i = 0; i < tower->layers.count; i++) x = ab_encode(tower->layers.items[i], x);
  return x;
}

static AbTensor *tower_objective(AbModel *self, const AbBatch *batch) {
  return ab_sum(tower_encode(self, ab_batch_get(batch, "x")));
}

static const AbSlot tower_slots[] = {
    AB_SLOT(Tower, layers, AB_KIND_MODEL, AB_ROLE_ENCODE, AB_MANY, "From below."),
    AB_SLOT(Tower, friend, AB_KIND_MODEL, AB_ROLE_NONE, AB_OPTIONAL, "Another."),
};
static const AbModelVtable tower_table = {.struct_size = sizeof tower_table,
                                          .build = tower_build,
                                          .encode = tower_encode,
                                          .objective = tower_objective};
static const AbComponent tower_component = {sizeof(AbComponent),
                                            AB_KIND_MODEL,
                                            "tower",
                                            "Layers.",
                                            "",
                                            .instance_size = sizeof(Tower),
                                            AB_SLOTS(tower_slots),
                                            .vtable = &tower_table};

static void momentum_update(AbOptimizer *self, AbUpdate *update) {
  (void)self;
  ab_step_sgd(ab_update_weights(update), ab_update_gradients(update),
              ab_update_state(update, "velocity"), RATE, 0.5, false);
}
static const AbOptimizerVtable momentum_table = {.struct_size = sizeof momentum_table,
                                                 .update = momentum_update};
static const AbComponent momentum_component = {sizeof(AbComponent),
                                               AB_KIND_OPTIMIZER,
                                               "momentum",
                                               "Sgd with momentum.",
                                               "",
                                               .instance_size = sizeof(AbOptimizer),
                                               .vtable = &momentum_table};

/* Does in each step what the test says. */
typedef struct {
  AbController base;
  AbModel *first, *second; /* that get groups of their own */
  AbGroup *parts[2];
  enum { ALL, FIRST, SECOND, KEEP, MIX, COMPARE, LAYER, IN_USE } action;
  double kept[WIDTH], mirrored[WIDTH];
} Script;

static void script_build(AbController *self, AbStep *step) {
  Script *script = (Script *)self;
  if (script->first)
    script->parts[0] = ab_group(step, "first", script->first, ab_step_optimizer(step));
  if (script->second)
    script->parts[1] = ab_group(step, "second", script->second, ab_step_optimizer(step));
}

static AbTensor *compare(Script *script, AbStep *step) {
  Tower *tower = (Tower *)ab_step_model(step);
  AbGroup *group = ab_step_group(step);
  ab_group_use(group, "kept");
  read_to(((Layer *)tower->layers.items[0])->w, script->kept);
  read_to(tower->mirror, script->mirrored);
  AbTensor *sum = ab_detach(ab_step_objective(step));
  ab_group_use(group, NULL);
  return sum;
}

static AbTensor *script_step(AbController *self, AbStep *step) {
  Script *script = (Script *)self;
  AbGroup *whole = ab_step_group(step);
  AbTensor *loss = ab_full(ab_context(self), ab_real_dtype(ab_context(self)), ab_scalar_shape(), 0);
  switch (script->action) {
  case ALL: return ab_step_learn(step);
  case FIRST:
  case SECOND:
    loss = ab_step_objective(step);
    ab_update(step, loss, script->parts[script->action == SECOND]);
    break;
  case KEEP: ab_group_keep(whole, "kept", 0); break;
  case MIX: ab_group_keep(whole, "kept", 0.75); break;
  case COMPARE: return compare(script, step);
  case LAYER:
    loss = ab_learn(step, script->second, AB_ROLE_ENCODE, ab_step_batch(step), script->parts[1]);
    break;
  case IN_USE:
    loss = ab_step_objective(step);
    ab_group_use(whole, "kept");
    ab_update(step, loss, whole);
    ab_group_use(whole, NULL);
  }
  return loss;
}
static const AbControllerVtable script_table = {
    .struct_size = sizeof script_table, .build = script_build, .step = script_step};
static const AbComponent script_component = {sizeof(AbComponent),
                                             AB_KIND_CONTROLLER,
                                             "script",
                                             "Steps by name.",
                                             "",
                                             .instance_size = sizeof(Script),
                                             .vtable = &script_table};

/* ---- a run ----------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  Tower *tower;
  Layer *layers[2];
  AbInstance *items[2];
  AbOptimizer *optimizer;
  Script *script;
  AbStep *step;
  AbBatch *batch;
  double x[ROWS * WIDTH], columns[WIDTH];
} Run;

static void *made(Run *run, const AbComponent *component, const char *path) {
  AbInstance *instance = ab_instance_new(run->ctx, component, path, NULL);
  g_assert_nonnull(instance);
  return instance;
}

static void begin(Run *run, const char *device) {
  memset(run, 0, sizeof *run);
  run->ctx = sdk_context(device, AB_F64);
  run->tower = made(run, &tower_component, "model");
  run->layers[0] = made(run, &layer_component, "model/layers/0");
  run->layers[1] = made(run, &layer_component, "model/layers/1");
  run->items[0] = &run->layers[0]->base;
  run->items[1] = &run->layers[1]->base;
  run->tower->layers = (AbChildren){2, run->items};
  run->optimizer = made(run, &momentum_component, "optimizer");
  run->script = made(run, &script_component, "controller");
  g_autofree double *numbers = sdk_numbers(ROWS * WIDTH, -2, 2, 8);
  memcpy(run->x, numbers, sizeof run->x);
  for (int i = 0; i < ROWS * WIDTH; i++) run->columns[i % WIDTH] += run->x[i];
  run->batch = ab_batch_new(run->ctx, ROWS);
  ab_batch_put(run->batch, "x", sdk_tensor(run->ctx, AB_SHAPE(ROWS, WIDTH), run->x));
}

static void build(Run *run) {
  AbSpec in = {1, AB_F64, {WIDTH}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&run->tower->base, &wanted);
  AbStepParts parts = {.role = AB_ROLE_ENCODE,
                       .model = &run->tower->base,
                       .optimizer = run->optimizer,
                       .controller = &run->script->base};
  run->step = ab_step_new(run->ctx, &parts);
  ab_step_build(run->step);
}

static double advance(Run *run, int action) {
  AbProgress progress = {0, 1, 0, 10};
  run->script->action = action;
  AbTensor *loss = ab_step_run(run->step, run->batch, &progress);
  return loss ? ab_item(loss) : NAN;
}

static void end(Run *run) {
  ab_step_free(run->step);
  ab_batch_free(run->batch);
  ab_instance_free(&run->tower->base);
  ab_instance_free(run->items[0]);
  ab_instance_free(run->items[1]);
  ab_instance_free(run->optimizer);
  ab_instance_free(&run->script->base);
  sdk_finish(run->ctx);
}

typedef struct {
  double w[2][WIDTH], whole[2][WIDTH], part[2][WIDTH]; /* weights, velocities of the groups */
} Hand;

static void hand_begin(const Run *run, Hand *hand) {
  memset(hand, 0, sizeof *hand);
  for (int i = 0; i < 2; i++) read_to(run->layers[i]->w, hand->w[i]);
}

/* One step on the sum of x w_0 w_1, of all weights or of one layer's. */
static void hand_step(Hand *hand, const Run *run, int which) {
  double g[2][WIDTH];
  for (int i = 0; i < 2; i++)
    for (int u = 0; u < WIDTH; u++) g[i][u] = run->columns[u] * hand->w[1 - i][u];
  for (int i = 0; i < 2; i++) {
    if (which >= 0 && which != i) continue;
    double *v = which < 0 ? hand->whole[i] : hand->part[i];
    for (int u = 0; u < WIDTH; u++) {
      v[u] = 0.5 * v[u] + g[i][u];
      hand->w[i][u] -= RATE * v[u];
    }
  }
}

static void hand_assert(const Run *run, const Hand *hand) {
  for (int i = 0; i < 2; i++) {
    double w[WIDTH];
    read_to(run->layers[i]->w, w);
    for (int u = 0; u < WIDTH; u++) g_assert_cmpfloat_with_epsilon(w[u], hand->w[i][u], 1e-12);
  }
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Groups of the layers move their layer alone, with velocities of their own, and the whole goes on
 * with its own. */
static void test_parts(gconstpointer device) {
  Run run;
  Hand hand;
  begin(&run, device);
  run.script->first = run.items[0];
  run.script->second = run.items[1];
  build(&run);
  sdk_assert_ok(run.ctx);
  hand_begin(&run, &hand);
  static const int order[] = {ALL, FIRST, FIRST, SECOND, ALL, SECOND, FIRST, ALL};
  for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
    advance(&run, order[i]);
    hand_step(&hand, &run, order[i] - 1);
    sdk_assert_ok(run.ctx);
    hand_assert(&run, &hand);
  }
  g_assert_cmpint(ab_step_updates(run.step, 0), ==, 3);
  g_assert_cmpint(ab_step_updates(run.step, 1), ==, 3);
  g_assert_cmpint(ab_step_updates(run.step, 2), ==, 2);
  g_assert_cmpint(ab_step_state_count(run.step), ==, 4);
  g_assert_cmpstr(ab_step_state(run.step, 2).name, ==, "first/velocity/model/layers/0/w");
  end(&run);
}

/* A layer that learns by its own objective, the sum of x w. */
static void test_layer(gconstpointer device) {
  Run run;
  begin(&run, device);
  run.script->second = run.items[1];
  build(&run);
  double before[2][WIDTH], w[WIDTH], sum = 0;
  for (int i = 0; i < 2; i++) read_to(run.layers[i]->w, before[i]);
  for (int u = 0; u < WIDTH; u++) sum += run.columns[u] * before[1][u];
  g_assert_cmpfloat_with_epsilon(advance(&run, LAYER), sum, 1e-12);
  read_to(run.layers[0]->w, w);
  g_assert_cmpmem(w, sizeof w, before[0], sizeof w);
  read_to(run.layers[1]->w, w);
  for (int u = 0; u < WIDTH; u++)
    g_assert_cmpfloat_with_epsilon(w[u], before[1][u] - RATE * run.columns[u], 1e-12);
  end(&run);
}

static void test_part_errors(gconstpointer device) {
  Run run;
  begin(&run, device);
  run.script->second = run.items[1];
  AbSpec in = {1, AB_F64, {WIDTH}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&run.tower->base, &wanted);
  AbModel *apart = made(&run, &tower_component, "apart"); /* of the second layer and a new one */
  Layer *extra = made(&run, &layer_component, "apart/layers/1");
  AbInstance *mixed[] = {run.items[1], &extra->base};
  ab_build(&extra->base, &wanted);
  ((Tower *)apart)->layers = (AbChildren){2, mixed};
  run.script->second = apart;
  AbStepParts parts = {.role = AB_ROLE_ENCODE,
                       .model = &run.tower->base,
                       .optimizer = run.optimizer,
                       .controller = &run.script->base};
  run.step = ab_step_new(run.ctx, &parts);
  ab_step_build(run.step);
  sdk_assert_error(run.ctx, AB_CONFIG,
                   "group 'second': its weights are part of the group 'optimizer'", NULL);
  ab_instance_free(&extra->base);
  ab_instance_free(apart);
  end(&run);
}

/* The models compute with the kept weights, tied ones too, and afterwards with their own. */
static void test_keep(gconstpointer device) {
  Run run;
  Hand hand;
  begin(&run, device);
  build(&run);
  hand_begin(&run, &hand);
  Hand kept = hand;
  advance(&run, KEEP);
  for (int i = 0; i < 3; i++) {
    advance(&run, ALL);
    hand_step(&hand, &run, -1);
    hand_assert(&run, &hand);
  }
  double sum = 0;
  for (int u = 0; u < WIDTH; u++) sum += run.columns[u] * kept.w[0][u] * kept.w[1][u];
  g_assert_cmpfloat_with_epsilon(advance(&run, COMPARE), sum, 1e-12);
  for (int u = 0; u < WIDTH; u++) {
    g_assert_cmpfloat_with_epsilon(run.script->kept[u], kept.w[0][u], 1e-12);
    g_assert_cmpfloat_with_epsilon(run.script->mirrored[u], kept.w[0][u], 1e-12);
  }
  hand_assert(&run, &hand);
  advance(&run, MIX);
  for (int i = 0; i < 2; i++)
    for (int u = 0; u < WIDTH; u++) kept.w[i][u] = 0.75 * kept.w[i][u] + 0.25 * hand.w[i][u];
  sum = 0;
  for (int u = 0; u < WIDTH; u++) sum += run.columns[u] * kept.w[0][u] * kept.w[1][u];
  g_assert_cmpfloat_with_epsilon(advance(&run, COMPARE), sum, 1e-12);
  hand_assert(&run, &hand);
  advance(&run, ALL);
  hand_step(&hand, &run, -1);
  hand_assert(&run, &hand);
  advance(&run, IN_USE);
  sdk_assert_error(run.ctx, AB_INTERNAL, "kept weights", NULL);
  hand_assert(&run, &hand);
  end(&run);
}

/* ---- a rule of its own ----------------------------------------------------------------------- */

typedef enum { SOUND, NO_WEIGHT, OTHER_SHAPE, NOTHING } Fault;
typedef struct {
  AbModel base;
  AbTensor *w;
  Fault fault;
} Rule;

static void rule_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  ((Rule *)self)->w =
      ab_weight(self, "w", AB_SHAPE(WIDTH), (AbInit){AB_INIT_UNIFORM, 0, 1}, "feature");
}

static AbTensor *rule_encode(AbModel *self, AbTensor *x) {
  return ab_mul(x, ((Rule *)self)->w);
}

/* What is subtracted is the mean of x, given in two halves; with fields that come with x. */
static AbTensor *rule_learn(AbModel *self, const AbBatch *batch) {
  Rule *rule = (Rule *)self;
  AbTensor *x = ab_batch_get(batch, "x"), *half = ab_affine(ab_mean_axes(x, 1, false), 0.5, 0);
  g_assert_true(ab_given(self, "x", ROWS) == x);
  g_assert_true(ab_given(self, "x", ROWS + 1) == AB_NONE);
  g_assert_true(ab_given(self, "length", ROWS) == AB_NONE);
  g_assert_false(ab_requires_grad(ab_mul(x, rule->w)));
  ab_give_gradient(rule->fault == NO_WEIGHT ? x : rule->w, half);
  ab_give_gradient(rule->w, rule->fault == OTHER_SHAPE ? x : half);
  return rule->fault == NOTHING ? NULL : ab_sum(x);
}

static const AbModelVtable rule_table = {.struct_size = sizeof rule_table,
                                         .build = rule_build,
                                         .encode = rule_encode,
                                         .predict = rule_encode,
                                         .learn = rule_learn,
                                         .objective_for = AB_ROLE_BIT(AB_ROLE_ENCODE)};
static const AbComponent rule_component = {
    sizeof(AbComponent),           AB_KIND_MODEL,         "rule", "A rule.", "",
    .instance_size = sizeof(Rule), .vtable = &rule_table,
};

static void test_rule(gconstpointer device) {
  static const struct {
    Fault fault;
    const char *message;
  } rows[] = {{SOUND, NULL},
              {NO_WEIGHT, "no weight that learns"},
              {OTHER_SHAPE, "a gradient of f64 [4, 3] was given to a weight of f64 [3]"},
              {NOTHING, "its rule of learning returned nothing"}};
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    Run run;
    begin(&run, device);
    Rule *rule = made(&run, &rule_component, "rule");
    rule->fault = rows[i].fault;
    AbSpec in = {1, AB_F64, {WIDTH}, 0, 0, 0};
    AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
    ab_build(&rule->base, &wanted);
    g_assert_true(ab_model_has_objective(&rule->base, AB_ROLE_ENCODE));
    g_assert_false(ab_model_has_objective(&rule->base, AB_ROLE_PREDICT));
    AbStepParts parts = {.role = AB_ROLE_ENCODE,
                         .model = &rule->base,
                         .optimizer = run.optimizer,
                         .controller = &run.script->base};
    run.step = ab_step_new(run.ctx, &parts);
    ab_step_build(run.step);
    double before[WIDTH], after[WIDTH], sum = 0;
    read_to(rule->w, before);
    for (int u = 0; u < WIDTH; u++) sum += run.columns[u];
    double value = advance(&run, ALL);
    read_to(rule->w, after);
    for (int u = 0; u < WIDTH; u++) {
      double moved = rows[i].message ? 0 : RATE * run.columns[u] / ROWS;
      g_assert_cmpfloat_with_epsilon(after[u], before[u] - moved, 1e-12);
    }
    if (rows[i].message)
      sdk_assert_error(run.ctx, AB_INTERNAL, rows[i].message, NULL);
    else
      g_assert_cmpfloat_with_epsilon(value, sum, 1e-12);
    g_assert_true(ab_given(&rule->base, "x", ROWS) == AB_NONE);
    ab_instance_free(&rule->base);
    end(&run);
  }
}

/* A controller that needs an objective cannot have a rule. */
static void test_rule_has_no_objective(gconstpointer device) {
  Run run;
  begin(&run, device);
  Rule *rule = made(&run, &rule_component, "rule");
  AbSpec in = {1, AB_F64, {WIDTH}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&rule->base, &wanted);
  AbStepParts parts = {.role = AB_ROLE_ENCODE,
                       .model = &rule->base,
                       .optimizer = run.optimizer,
                       .controller = &run.script->base};
  run.step = ab_step_new(run.ctx, &parts);
  ab_step_build(run.step);
  run.script->parts[0] = ab_step_group(run.step);
  advance(&run, FIRST);
  sdk_assert_error(run.ctx, AB_CONFIG, "learns by a rule of its own", NULL);
  ab_instance_free(&rule->base);
  end(&run);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void test_children(gconstpointer device) {
  Run run;
  begin(&run, device);
  AbChildren layers = ab_children(&run.tower->base, "layers");
  g_assert_cmpint(layers.count, ==, 2);
  g_assert_true(layers.items[1] == run.items[1]);
  g_assert_cmpint(ab_children(&run.tower->base, "friend").count, ==, 0);
  run.tower->friend = run.items[0];
  g_assert_cmpint(ab_children(&run.tower->base, "friend").count, ==, 1);
  g_assert_true(ab_children(&run.tower->base, "friend").items[0] == run.items[0]);
  g_assert_cmpint(ab_children(&run.tower->base, "none").count, ==, 0);
  g_assert_cmpint(ab_children(run.items[0], "layers").count, ==, 0);
  run.tower->friend = NULL;
  end(&run);
}

static void test_output(gconstpointer device) {
  Run run;
  begin(&run, device);
  build(&run);
  AbSpec code = ab_output(run.items[0], AB_ROLE_ENCODE);
  g_assert_cmpint(code.rank, ==, 1);
  g_assert_cmpint(code.shape[0], ==, WIDTH);
  g_assert_cmpint(code.range, ==, AB_RANGE_UNIT);
  AbSpec x = ab_output(run.items[0], AB_ROLE_DECODE);
  g_assert_cmpint(x.rank, ==, 1);
  g_assert_cmpint(x.shape[0], ==, 2 * WIDTH);
  g_assert_cmpint(x.range, ==, AB_RANGE_REAL);
  sdk_assert_ok(run.ctx);
  g_assert_cmpint(ab_output(run.items[0], AB_ROLE_CLASSIFY).rank, ==, -1);
  sdk_assert_error(run.ctx, AB_CONFIG, "does not offer the role classify", NULL);
  g_assert_null(ab_log_partition(run.items[0], 1, 1));
  sdk_assert_error(run.ctx, AB_CONFIG, "no estimate of its partition function", NULL);
  end(&run);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/groups/parts", test_parts);
  sdk_add("/groups/parts/layer", test_layer);
  sdk_add("/groups/parts/errors", test_part_errors);
  sdk_add("/groups/keep", test_keep);
  sdk_add("/groups/rule", test_rule);
  sdk_add("/groups/rule/objective", test_rule_has_no_objective);
  sdk_add("/groups/children", test_children);
  sdk_add("/groups/output", test_output);
  return g_test_run();
}
