/* SPDX-License-Identifier: Apache-2.0
 *
 * Environments: the cart and pole against the equations of motion solved as a linear system, the
 * grid against value iteration, what is drawn against its distribution, and what is refused.     */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

static AbEnvironment *make(AbContext *ctx, const char *name) {
  return plugin_test_new(ctx, AB_KIND_ENVIRONMENT, name);
}

static void build(AbEnvironment *environment) {
  ab_begin(ab_context(environment), AB_PURPOSE_TRAIN, 0);
  ab_environment_build(environment);
  plugin_test_fine(ab_context(environment));
}

static void end(AbEnvironment *environment) {
  AbContext *ctx = ab_context(environment);

  ab_instance_free(environment);
  plugin_test_finish(ctx);
}

/* ---- cartpole -------------------------------------------------------------------------------- */

static double *state(AbEnvironment *environment) {
  return plugin_test_values(plugin_test_state(environment, "state"));
}

/* The Lagrange equations of a uniform rod of half-length l on a cart,
 *   (M + m) x'' + m l cos(p) p'' = F + m l p'^2 sin(p)
 *   cos(p) x'' + 4/3 l p''       = g sin(p)
 * by Cramer's rule, and one Euler step of s = (x, x', p, p').                                    */
static void reference_step(double *s, double force) {
  const double M = 1, m = 0.1, l = 0.5, g = 9.8, dt = 0.02;
  double a11 = M + m, a12 = m * l * cos(s[2]), b1 = force + m * l * s[3] * s[3] * sin(s[2]);
  double a21 = cos(s[2]), a22 = 4.0 / 3 * l, b2 = g * sin(s[2]);
  double det = a11 * a22 - a12 * a21;
  double next[] = {s[0] + dt * s[1], s[1] + dt * (b1 * a22 - b2 * a12) / det, s[2] + dt * s[3],
                   s[3] + dt * (a11 * b2 - a21 * b1) / det};

  memcpy(s, next, sizeof next);
}

/* Towards where the pole falls, with a blow to the wrong side every now and then. */
static gint64 push(const double *s, int step) {
  return (s[2] + 0.5 * s[3] > 0) != (step % 7 == 3);
}

static void test_motion(const PluginTestCase *at) {
  AbEnvironment *environment = make(plugin_test_context(at), "cartpole");
  g_autofree double *s = NULL;
  int steps;

  build(environment);
  g_assert_cmpint(ab_environment_actions(environment), ==, 2);
  ab_environment_reset(environment);
  s = state(environment);
  for (steps = 0; !ab_environment_over(environment); steps++) {
    gint64 action = steps < 100 ? push(s, steps) : 0;
    AbScope scope = ab_scope_begin(ab_context(environment));
    AbOutcome outcome = ab_environment_step(environment, action);

    reference_step(s, action ? 10 : -10);
    plugin_test_near(plugin_test_state(environment, "state"), s, 4, 1e-11);
    plugin_test_near(ab_environment_observe(environment), s, 4, at->exact);
    g_assert_cmpfloat(outcome.reward, ==, 1);
    g_assert_cmpint(outcome.terminal, ==, fabs(s[0]) > 2.4 || fabs(s[2]) > 12 * G_PI / 180);
    g_assert_false(outcome.cut);
    ab_scope_end(ab_context(environment), scope, NULL, 0);
  }
  g_assert_cmpint(steps, >, 100);
  g_assert_cmpint(ab_environment_steps(environment), ==, steps);
  end(environment);
}

/* The same motion, over the bounds. */
static void test_scaled(const PluginTestCase *at) {
  AbEnvironment *environment = make(plugin_test_context(at), "cartpole");
  const double tilt = 12 * G_PI / 180;

  plugin_test_set_bool(environment, "scaled", TRUE);
  build(environment);
  ab_environment_reset(environment);
  for (int step = 0; step < 5; step++) {
    g_autofree double *s = state(environment);
    const double seen[] = {s[0] / 2.4, s[1] / 2.4, s[2] / tilt, s[3] / tilt};

    plugin_test_near(ab_environment_observe(environment), seen, 4, at->exact);
    reference_step(s, 10);
    ab_environment_step(environment, 1);
    plugin_test_near(plugin_test_state(environment, "state"), s, 4, 1e-11);
  }
  end(environment);
}

/* Both ends of the track, and both sides of the pole. */
static void test_bounds(const PluginTestCase *at) {
  const double inside[][4] = {{2.39, 0.1, 0, 0}, {-2.39, -0.1, 0, 0}, {0, 0, 0.209, 0}};
  const double outside[][4] = {
      {2.39, 0.6, 0, 0}, {-2.39, -0.6, 0, 0}, {0, 0, 0.209, 0.03}, {0, 0, -0.209, -0.03}};
  AbEnvironment *environment = make(plugin_test_context(at), "cartpole");

  build(environment);
  for (gsize i = 0; i < G_N_ELEMENTS(inside) + G_N_ELEMENTS(outside); i++) {
    gboolean out = i >= G_N_ELEMENTS(inside);
    AbOutcome outcome;

    ab_environment_reset(environment);
    plugin_test_fill(plugin_test_state(environment, "state"),
                     out ? outside[i - G_N_ELEMENTS(inside)] : inside[i]);
    outcome = ab_environment_step(environment, 1);
    g_assert_cmpint(outcome.terminal, ==, out);
  }
  end(environment);
}

/* Each of the four uniform in +-0.05: their mean is 0, their variance 0.05^2 / 3. */
static void test_starts(const PluginTestCase *at) {
  AbEnvironment *environment = make(plugin_test_context(at), "cartpole");
  double sum[4] = {0}, squares[4] = {0};
  const int count = 4000;

  build(environment);
  for (int i = 0; i < count; i++) {
    g_autofree double *s = NULL;
    AbScope scope = ab_scope_begin(ab_context(environment));

    ab_environment_reset(environment);
    s = state(environment);
    for (int j = 0; j < 4; j++) {
      g_assert_cmpfloat(fabs(s[j]), <=, 0.0500001);
      sum[j] += s[j] / count;
      squares[j] += s[j] * s[j] / count;
    }
    ab_scope_end(ab_context(environment), scope, NULL, 0);
  }
  for (int j = 0; j < 4; j++) {
    g_assert_cmpfloat(fabs(sum[j]), <, 5 * 0.05 / sqrt(3.0 * count));
    g_assert_cmpfloat(fabs(squares[j] - 0.0025 / 3), <, 0.05 * 0.0025 / 3);
  }
  end(environment);
}

static void test_limit(const PluginTestCase *at) {
  AbEnvironment *environment = make(plugin_test_context(at), "cartpole");
  AbOutcome outcome = {0};

  plugin_test_set_int(environment, "limit", 60);
  build(environment);
  ab_environment_reset(environment);
  while (!ab_environment_over(environment)) {
    g_autofree double *s = state(environment);

    g_assert_false(outcome.cut);
    outcome = ab_environment_step(environment, push(s, 0));
    g_assert_false(outcome.terminal);
  }
  g_assert_true(outcome.cut);
  g_assert_cmpfloat(ab_environment_return(environment), ==, 60);
  g_assert_cmpint(ab_environment_episodes(environment), ==, 1);
  end(environment);
}

/* ---- gridworld ------------------------------------------------------------------------------- */

#define CELLS 64

typedef struct {
  const char *const *rows;
  int height, width;
  double step, goal, pit, slip;
} Grid;

static char cell(const Grid *grid, int place) {
  return grid->rows[place / grid->width][place % grid->width];
}

static int moved(const Grid *grid, int place, int action) {
  int row = place / grid->width, column = place % grid->width;

  if (action == 0) row--;
  if (action == 1) column++;
  if (action == 2) row++;
  if (action == 3) column--;
  if (row < 0 || column < 0 || row == grid->height || column == grid->width) return place;
  return cell(grid, row * grid->width + column) == '#' ? place : row * grid->width + column;
}

/* The expected return from a cell by an action, given what cells are worth. */
static double worth(const Grid *grid, const double *values, int place, int action) {
  double sum = 0;

  for (int a = 0; a < 4; a++) {
    double p = grid->slip / 4 + (a == action ? 1 - grid->slip : 0);
    int there = moved(grid, place, a);
    char kind = cell(grid, there);

    sum += p * grid->step;
    if (kind == 'G') sum += p * grid->goal;
    if (kind == 'X') sum += p * grid->pit;
    if (kind != 'G' && kind != 'X') sum += p * values[there];
  }
  return sum;
}

/* Value iteration: what cells are worth, and the best action in each. */
static void solve(const Grid *grid, double *values, int *actions) {
  for (int i = 0; i < CELLS; i++) values[i] = actions[i] = 0;
  for (int sweep = 0; sweep < 2000; sweep++)
    for (int i = 0; i < grid->height * grid->width; i++) {
      if (cell(grid, i) == '#') continue;
      for (int a = 0; a < 4; a++)
        if (worth(grid, values, i, a) > worth(grid, values, i, actions[i]) + 1e-12) actions[i] = a;
      values[i] = worth(grid, values, i, actions[i]);
    }
}

static int place_of(AbEnvironment *environment) {
  g_autofree double *place = plugin_test_values(plugin_test_state(environment, "place"));

  return (int)place[0];
}

static double walk(AbEnvironment *environment, const int *actions) {
  AbScope scope = ab_scope_begin(ab_context(environment));

  ab_environment_reset(environment);
  while (!ab_environment_over(environment))
    ab_environment_step(environment, actions[place_of(environment)]);
  ab_scope_end(ab_context(environment), scope, NULL, 0);
  return ab_environment_return(environment);
}

/* The maze of Sutton and Barto, whose shortest way is 14 steps. */
static void test_maze(const PluginTestCase *at) {
  static const char *const rows[] = {".......#G", "..#....#.", "S.#....#.",
                                     "..#......", ".....#...", "........."};
  const Grid grid = {rows, 6, 9, -1, 0, -10, 0};
  AbEnvironment *environment = make(plugin_test_context(at), "gridworld");
  double values[CELLS];
  int actions[CELLS];

  build(environment);
  g_assert_cmpint(ab_environment_actions(environment), ==, 4);
  solve(&grid, values, actions);
  g_assert_cmpfloat(values[18], ==, -14);
  g_assert_cmpfloat(walk(environment, actions), ==, values[18]);
  end(environment);
}

/* Every move from every cell, what is seen there, and what it is worth. */
static void test_moves(const PluginTestCase *at) {
  static const char *const rows[] = {"S.X", ".#.", "..G", "...", NULL};
  const Grid grid = {rows, 4, 3, -0.5, 7, -3, 0};
  AbEnvironment *environment = make(plugin_test_context(at), "gridworld");
  double plane[12];

  plugin_test_set_texts(environment, "rows", rows);
  plugin_test_set_real(environment, "step", grid.step);
  plugin_test_set_real(environment, "goal", grid.goal);
  plugin_test_set_real(environment, "pit", grid.pit);
  build(environment);
  for (int place = 0; place < 12; place++)
    for (int action = 0; action < 4 && strchr("S.", cell(&grid, place)); action++) {
      double here = place;
      int there = moved(&grid, place, action);
      char kind = cell(&grid, there);
      AbOutcome outcome;

      ab_environment_reset(environment);
      g_assert_cmpint(place_of(environment), ==, 0);
      plugin_test_fill(plugin_test_state(environment, "place"), &here);
      memset(plane, 0, sizeof plane);
      plane[place] = 1;
      plugin_test_near(ab_environment_observe(environment), plane, 12, 0);
      outcome = ab_environment_step(environment, action);
      g_assert_cmpint(place_of(environment), ==, there);
      g_assert_cmpint(outcome.terminal, ==, kind == 'G' || kind == 'X');
      g_assert_cmpfloat(outcome.reward, ==, -0.5 + (kind == 'G' ? 7 : kind == 'X' ? -3 : 0));
    }
  end(environment);
}

/* With slipping: the mean return of the best policy is what value iteration says of it, which is
 * less than without, and the starts are as likely as each other. */
static void test_slip(const PluginTestCase *at) {
  static const char *const rows[] = {"S..S", ".#..", ".X.G", NULL};
  const Grid grid = {rows, 3, 4, -1, 5, -20, 0.3};
  AbEnvironment *environment = make(plugin_test_context(at), "gridworld");
  double values[CELLS], sum = 0, squares = 0, left = 0;
  const int count = 3000;
  int actions[CELLS];

  plugin_test_set_texts(environment, "rows", rows);
  plugin_test_set_real(environment, "goal", grid.goal);
  plugin_test_set_real(environment, "pit", grid.pit);
  plugin_test_set_real(environment, "slip", grid.slip);
  plugin_test_set_int(environment, "limit", 100000);
  build(environment);
  solve(&grid, values, actions);
  for (int i = 0; i < count; i++) {
    double got;

    ab_begin(ab_context(environment), AB_PURPOSE_TRAIN, i);
    got = walk(environment, actions);
    sum += got / count;
    squares += got * got / count;
    ab_environment_reset(environment);
    left += place_of(environment) == 0;
    g_assert_true(place_of(environment) == 0 || place_of(environment) == 3);
  }
  g_assert_cmpfloat(fabs(sum - (values[0] + values[3]) / 2), <,
                    4 * sqrt((squares - sum * sum) / count));
  g_assert_cmpfloat(fabs(left / count - 0.5), <, 4 * 0.5 / sqrt(count));
  end(environment);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_bad_grids(void) {
  static const struct {
    const char *rows[4];
    const char *message;
  } cases[] = {
      {{"S.", ".g"},
       "environment (gridworld): row 2 of the grid, \".g\", has a 'g'; a cell is one "
       "of S (start), G (goal), X (pit), . (free) and # (wall)"},
      {{"S.G", ".."}, "*row 2 of the grid, \"..\", has 2 cells, and the first 3"},
      {{"..", ".G"}, "*the grid has no S, where to begin"},
      {{"S.", ".X"}, "*the grid has no G, which is the goal"},
      {{""}, "*rows has no cell; a grid is for example *"},
      {{NULL}, "*rows has no cell; a grid is for example *"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
    AbEnvironment *environment = make(ctx, "gridworld");

    plugin_test_set_texts(environment, "rows", cases[i].rows);
    ab_environment_build(environment);
    plugin_test_error(ctx, AB_CONFIG, cases[i].message);
    end(environment);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/environments/cartpole/motion", test_motion);
  plugin_test_add("/environments/cartpole/bounds", test_bounds);
  plugin_test_add("/environments/cartpole/scaled", test_scaled);
  plugin_test_add("/environments/cartpole/starts", test_starts);
  plugin_test_add("/environments/cartpole/limit", test_limit);
  plugin_test_add("/environments/gridworld/maze", test_maze);
  plugin_test_add("/environments/gridworld/moves", test_moves);
  plugin_test_add("/environments/gridworld/slip", test_slip);
  g_test_add_func("/environments/gridworld/bad-grids", test_bad_grids);
  return g_test_run();
}
