/* SPDX-License-Identifier: Apache-2.0
 *
 * Optimizers: twenty steps on a quadratic against the update rules written out in double (those of
 * PyTorch: v := m v + g), with schedules, rates of groups and frozen weights.                   */
#include "line-test.h"
#include <math.h>
#include <string.h>

#define STEPS 20

/* The same optimizer in double. `rate` is the factor of each weight. */
typedef struct {
  double lr, momentum;
  gboolean nesterov, adam;
  double b1, b2, epsilon;
  double rate[LINE_WEIGHTS], v[LINE_WEIGHTS], s[LINE_WEIGHTS];
} Hand;

static Hand hand(double lr) {
  Hand hand = {.lr = lr};

  for (int i = 0; i < LINE_WEIGHTS; i++) hand.rate[i] = 1;
  return hand;
}

/* Step t, from 1, with the schedule's factor. */
static void move(Hand *o, double *w, const double *g, int t, double factor) {
  for (int i = 0; i < LINE_WEIGHTS; i++) {
    double lr = o->lr * factor * o->rate[i];

    if (o->adam) {
      o->v[i] = o->b1 * o->v[i] + (1 - o->b1) * g[i];
      o->s[i] = o->b2 * o->s[i] + (1 - o->b2) * g[i] * g[i];
      w[i] -=
          lr * (o->v[i] / (1 - pow(o->b1, t))) / (sqrt(o->s[i] / (1 - pow(o->b2, t))) + o->epsilon);
    } else {
      o->v[i] = o->momentum * o->v[i] + g[i];
      w[i] -= lr * (o->nesterov ? g[i] + o->momentum * o->v[i] : o->v[i]);
    }
  }
}

/* Runs both; the schedule is `decay` after every two epochs of three steps. The run must get
 * somewhere: else nothing is compared.                                                          */
static void compare(Line *line, Hand *o, double decay, double tolerance) {
  double w[LINE_WEIGHTS], g[LINE_WEIGHTS], first = 0, last = 0;

  line_get(line, w);
  for (int t = 1; t <= STEPS; t++) {
    double loss = line_gradient(line, w, g);

    if (t == 1) first = loss;
    last = loss;
    plugin_test_close(plugin_test_step(line->ctx, line->step, line->batch, t - 1, 3), loss,
                      tolerance);
    move(o, w, g, t, pow(decay, (t - 1) / 3 / 2));
    line_check(line, w, tolerance);
  }
  g_assert_cmpfloat(last, <, 0.9 * first);
  g_assert_cmpint(ab_step_updates(line->step, 0), ==, STEPS);
}

/* The state `name` of the run is what the hand has. */
static void check_state(const Line *line, const char *name, const double *expected,
                        double tolerance) {
  g_autofree char *W = g_strdup_printf("optimizer/%s/model/W1", name);
  g_autofree char *b = g_strdup_printf("optimizer/%s/model/b1", name);
  int found = 0;

  for (gint64 i = 0; i < ab_step_state_count(line->step); i++) {
    AbState state = ab_step_state(line->step, i);

    if (strcmp(state.name, W) == 0)
      found++, plugin_test_near(state.tensor, expected, LINE_MATRIX, tolerance);
    if (strcmp(state.name, b) == 0)
      found++, plugin_test_near(state.tensor, expected + LINE_MATRIX, LINE_OUT, tolerance);
  }
  g_assert_cmpint(found, ==, 2);
}

/* ---- sgd ------------------------------------------------------------------------------------- */

static void run_sgd(const PluginTestCase *at, double momentum, gboolean nesterov) {
  Line line;
  Hand o = hand(0.05);

  line_begin(&line, at, "sgd");
  plugin_test_set_real(line.optimizer, "lr", o.lr);
  plugin_test_set_real(line.optimizer, "momentum", o.momentum = momentum);
  plugin_test_set_bool(line.optimizer, "nesterov", o.nesterov = nesterov);
  line_make(&line);
  line_build(&line);
  compare(&line, &o, 1, at->exact);
  if (momentum > 0)
    check_state(&line, "velocity", o.v, 5 * at->exact);
  else
    g_assert_cmpint(ab_step_state_count(line.step), ==, 0);
  line_end(&line);
}

static void test_sgd(const PluginTestCase *at) {
  run_sgd(at, 0, FALSE);
}

static void test_momentum(const PluginTestCase *at) {
  run_sgd(at, 0.9, FALSE);
  run_sgd(at, 0.5, FALSE);
}

static void test_nesterov(const PluginTestCase *at) {
  run_sgd(at, 0.9, TRUE);
  run_sgd(at, 0, TRUE); /* nothing to look ahead with: plain */
}

/* ---- adam ------------------------------------------------------------------------------------ */

static void run_adam(const PluginTestCase *at, double lr, double b1, double b2, double epsilon) {
  Line line;
  Hand o = hand(lr);

  o.adam = TRUE;
  line_begin(&line, at, "adam");
  plugin_test_set_real(line.optimizer, "lr", lr);
  plugin_test_set_real(line.optimizer, "beta1", o.b1 = b1);
  plugin_test_set_real(line.optimizer, "beta2", o.b2 = b2);
  plugin_test_set_real(line.optimizer, "epsilon", o.epsilon = epsilon);
  line_make(&line);
  line_build(&line);
  compare(&line, &o, 1, 5 * at->exact);
  check_state(&line, "first_moment", o.v, 5 * at->exact);
  check_state(&line, "second_moment", o.s, 5 * at->exact);
  line_end(&line);
}

static void test_adam(const PluginTestCase *at) {
  run_adam(at, 0.05, 0.9, 0.999, 1e-8);
  run_adam(at, 0.1, 0.5, 0.7, 0.1);
  run_adam(at, 0.05, 0, 0, 1e-8); /* the sign of the gradient */
}

/* The defaults are those of the paper. */
static void test_adam_defaults(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  const AbComponent *adam = plugin_test_load(AB_KIND_OPTIMIZER, "adam", NULL);
  const struct {
    const char *key;
    double value;
  } expected[] = {{"lr", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}};

  g_assert_cmpuint(adam->param_count, ==, G_N_ELEMENTS(expected));
  for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_assert_cmpstr(adam->params[i].key, ==, expected[i].key);
    g_assert_cmpfloat(adam->params[i].real_default, ==, expected[i].value);
  }
  plugin_test_finish(ctx);
}

/* ---- rates ----------------------------------------------------------------------------------- */

/* Both optimizers with a schedule that halves the rate every two epochs. */
static void test_schedule(const PluginTestCase *at) {
  for (int adam = 0; adam < 2; adam++) {
    Line line;
    AbSchedule *schedule;
    Hand o = hand(0.08);

    line_begin(&line, at, adam ? "adam" : "sgd");
    schedule = plugin_test_new_at(line.ctx, AB_KIND_SCHEDULE, "step", "optimizer/schedule");
    plugin_test_set_real(schedule, "factor", 0.5);
    plugin_test_set_int(schedule, "every", 2);
    plugin_test_slot(line.optimizer, "schedule", schedule);
    plugin_test_set_real(line.optimizer, "lr", o.lr);
    if (adam) o.adam = TRUE, o.b1 = 0.9, o.b2 = 0.999, o.epsilon = 1e-8;
    if (!adam) plugin_test_set_real(line.optimizer, "momentum", o.momentum = 0.8);
    line_make(&line);
    line_build(&line);
    compare(&line, &o, 0.5, 5 * at->exact);
    ab_instance_free(schedule);
    line_end(&line);
  }
}

/* Weights of a group at a rate of their own; the first match counts. */
static void test_group_rates(const PluginTestCase *at) {
  for (int adam = 0; adam < 2; adam++) {
    Line line;
    Hand o = hand(0.05);

    line_begin(&line, at, adam ? "adam" : "sgd");
    plugin_test_set_real(line.optimizer, "lr", o.lr);
    if (adam) o.adam = TRUE, o.b1 = 0.9, o.b2 = 0.999, o.epsilon = 1e-8;
    if (!adam) plugin_test_set_real(line.optimizer, "momentum", o.momentum = 0.8);
    for (int i = 0; i < LINE_WEIGHTS; i++) o.rate[i] = i < LINE_MATRIX ? 1 : 0.1;
    line_make(&line);
    ab_step_rate(line.step, "model/b?", 0.1);
    ab_step_rate(line.step, "model/b1", 7);
    line_build(&line);
    compare(&line, &o, 1, 5 * at->exact);
    line_end(&line);
  }
}

/* A frozen weight stays bit for bit; the others move as if it were a constant. */
static void test_frozen(const PluginTestCase *at) {
  for (int adam = 0; adam < 2; adam++) {
    Line line;
    Hand o = hand(0.05);
    double before[LINE_WEIGHTS], after[LINE_WEIGHTS];

    line_begin(&line, at, adam ? "adam" : "sgd");
    plugin_test_set_real(line.optimizer, "lr", o.lr);
    if (adam) o.adam = TRUE, o.b1 = 0.9, o.b2 = 0.999, o.epsilon = 1e-8;
    for (int i = LINE_MATRIX; i < LINE_WEIGHTS; i++) o.rate[i] = 0;
    for (gint64 i = 0; i < ab_state_count(line.model); i++)
      if (g_str_has_suffix(ab_state(line.model, i).name, "/b1")) ab_state_freeze(line.model, i);
    line_get(&line, before);
    line_make(&line);
    line_build(&line);
    compare(&line, &o, 1, 5 * at->exact);
    line_get(&line, after);
    g_assert_cmpmem(before + LINE_MATRIX, LINE_OUT * sizeof *before, after + LINE_MATRIX,
                    LINE_OUT * sizeof *after);
    line_end(&line);
  }
}

/* A rate of 0 moves nothing. */
static void test_zero_rate(const PluginTestCase *at) {
  for (int adam = 0; adam < 2; adam++) {
    Line line;
    double before[LINE_WEIGHTS], after[LINE_WEIGHTS];

    line_begin(&line, at, adam ? "adam" : "sgd");
    plugin_test_set_real(line.optimizer, "lr", 0);
    line_make(&line);
    line_build(&line);
    line_get(&line, before);
    for (int t = 0; t < 3; t++) plugin_test_step(line.ctx, line.step, line.batch, t, 3);
    line_get(&line, after);
    g_assert_cmpmem(before, sizeof before, after, sizeof after);
    line_end(&line);
  }
}

/* ---- every optimizer that is installed ------------------------------------------------------- */

static void check_one(const PluginTestCase *at, const char *name) {
  double fused[LINE_WEIGHTS], g[LINE_WEIGHTS], w[LINE_WEIGHTS], first, last;
  Line line;

  /* it gets somewhere */
  line_begin(&line, at, name);
  if (strcmp(name, "adadelta") != 0) plugin_test_set_real(line.optimizer, "lr", 0.03);
  line_make(&line);
  line_build(&line);
  line_get(&line, w);
  first = line_gradient(&line, w, g);
  for (int t = 0; t < STEPS; t++) plugin_test_step(line.ctx, line.step, line.batch, t, STEPS);
  plugin_test_fine(line.ctx);
  line_get(&line, fused);
  last = line_gradient(&line, fused, g);
  g_assert_cmpfloat(last, <, 0.999 * first);
  line_end(&line);
  /* and not at all at a rate of 0 */
  line_begin(&line, at, name);
  plugin_test_set_real(line.optimizer, "lr", 0);
  line_make(&line);
  line_build(&line);
  line_get(&line, w);
  for (int t = 0; t < 3; t++) plugin_test_step(line.ctx, line.step, line.batch, t, 3);
  line_get(&line, fused);
  g_assert_cmpmem(fused, sizeof fused, w, sizeof w);
  line_end(&line);
}

static void test_all(const PluginTestCase *at) {
  g_autoptr(GDir) folder = g_dir_open(g_getenv("ABHOST_PLUGIN_PATH"), 0, NULL);
  const char *file;
  int count = 0;

  while ((file = g_dir_read_name(folder))) {
    if (!g_str_has_prefix(file, "optimizer-") || !g_str_has_suffix(file, ".so")) continue;
    g_autofree char *name = g_strndup(file + 10, strlen(file) - 13);
    check_one(at, name);
    count++;
  }
  g_assert_cmpint(count, >=, 2);
}

/* ---- novograd: one second moment for a matrix, another for its bias -------------------------- */

static void test_novograd(const PluginTestCase *at) {
  const int from[] = {0, LINE_MATRIX, LINE_WEIGHTS};
  double w[LINE_WEIGHTS], g[LINE_WEIGHTS], m[LINE_WEIGHTS] = {0}, s[2] = {0};
  Line line;

  line_begin(&line, at, "novograd");
  plugin_test_set_real(line.optimizer, "decay", 0.01);
  line_make(&line);
  line_build(&line);
  line_get(&line, w);
  for (int t = 1; t <= STEPS; t++) {
    line_gradient(&line, w, g);
    plugin_test_step(line.ctx, line.step, line.batch, t - 1, STEPS);
    for (int k = 0; k < 2; k++) {
      double squares = 0;

      for (int i = from[k]; i < from[k + 1]; i++) squares += g[i] * g[i];
      s[k] = t == 1 ? squares : 0.98 * s[k] + 0.02 * squares;
      for (int i = from[k]; i < from[k + 1]; i++) {
        m[i] = 0.95 * m[i] + g[i] / (sqrt(s[k]) + 1e-8) + 0.01 * w[i];
        w[i] -= 0.01 * m[i];
      }
    }
    line_check(&line, w, 5 * at->exact);
  }
  line_end(&line);
}

/* ---- clipping, which the optimizer does on its way ------------------------------------------- */

static void test_clipping(const PluginTestCase *at) {
  for (int which = 0; which < 3; which++) {
    double norm = which != 1 ? 0.5 : 0, limit = which != 0 ? 0.1 : 0;
    double w[LINE_WEIGHTS], g[LINE_WEIGHTS];
    gboolean cut = FALSE;
    Line line;

    line_begin(&line, at, "sgd");
    AbStepParts parts = {.role = AB_ROLE_PREDICT,
                         .model = line.model,
                         .loss = line.loss,
                         .optimizer = line.optimizer,
                         .controller = line.controller,
                         .clip_norm = norm,
                         .clip_value = limit};
    plugin_test_set_real(line.optimizer, "lr", 0.3);
    line.step = ab_step_new(line.ctx, &parts);
    line_build(&line);
    line_get(&line, w);
    for (int t = 0; t < STEPS; t++) {
      double squares = 0;

      line_gradient(&line, w, g);
      plugin_test_step(line.ctx, line.step, line.batch, t, STEPS);
      for (int i = 0; i < LINE_WEIGHTS; i++) squares += g[i] * g[i];
      plugin_test_close(ab_step_gradient_norm(line.step), sqrt(squares), 5 * at->exact);
      for (int i = 0; i < LINE_WEIGHTS; i++) {
        double scaled = norm > 0 && sqrt(squares) > norm ? g[i] * norm / sqrt(squares) : g[i];

        if (limit > 0) scaled = fmax(-limit, fmin(limit, scaled));
        cut |= scaled != g[i];
        w[i] -= 0.3 * scaled;
      }
      line_check(&line, w, 5 * at->exact);
    }
    g_assert_true(cut);
    line_end(&line);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/optimizers/sgd/plain", test_sgd);
  plugin_test_add("/optimizers/sgd/momentum", test_momentum);
  plugin_test_add("/optimizers/sgd/nesterov", test_nesterov);
  plugin_test_add("/optimizers/adam/steps", test_adam);
  g_test_add_func("/optimizers/adam/defaults", test_adam_defaults);
  plugin_test_add("/optimizers/schedule", test_schedule);
  plugin_test_add("/optimizers/group-rates", test_group_rates);
  plugin_test_add("/optimizers/frozen", test_frozen);
  plugin_test_add("/optimizers/zero-rate", test_zero_rate);
  plugin_test_add("/optimizers/all", test_all);
  plugin_test_add("/optimizers/novograd", test_novograd);
  plugin_test_add("/optimizers/clipping", test_clipping);
  return g_test_run();
}
