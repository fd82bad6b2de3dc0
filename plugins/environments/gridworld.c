/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk through a maze of cells (Sutton & Barto 2018, chapters 3, 6 and 8).
 *
 *   S  where it begins; of several, each is as likely       .  a free cell
 *   G  the goal, which ends it                              #  a wall
 *   X  a pit, which ends it too
 *
 * The actions are up, right, down, left (0 to 3). With the probability `slip` the direction is
 * drawn instead, each of the four as likely. A move into a wall or off the grid leaves the agent
 * where it is. Every step is rewarded with `step`, one to a goal with `goal` more, one into a pit
 * with `pit` more. What is seen is the grid as one plane [1, rows, columns]: 1 at the cell of the
 * agent, 0 elsewhere. The default grid is that of the book's example 8.1, whose shortest way is 14
 * steps. */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbEnvironment base;
  AbTexts rows;
  double step, goal, pit, slip;
  int64_t limit;
  int64_t height, width;
  int64_t start_count;
  int64_t *starts;
  AbTensor *place; /* row * width + column */
} Gridworld;

static const AbParam params[] = {
    AB_PARAM_TEXTS(Gridworld, rows,
                   "[.......#G, ..#....#., S.#....#., ..#......, .....#..., .........]",
                   "The grid, row by row, of the characters S G X . and #."),
    AB_PARAM_REAL(Gridworld, step, -1, -1e6, 1e6, "", "Reward of every step."),
    AB_PARAM_REAL(Gridworld, goal, 0, -1e6, 1e6, "", "Reward of reaching a goal, in addition."),
    AB_PARAM_REAL(Gridworld, pit, -10, -1e6, 1e6, "", "Reward of falling into a pit, in addition."),
    AB_PARAM_REAL(Gridworld, slip, 0, 0, 1, "", "Probability of a direction that is drawn."),
    AB_PARAM_INT(Gridworld, limit, 100, 1, 1 << 30, "steps",
                 "After how many an episode is broken off."),
};

static char cell(const Gridworld *g, int64_t place) {
  return g->rows.items[place / g->width][place % g->width];
}

/* ---- the grid -------------------------------------------------------------------------------- */

static bool check_row(Gridworld *g, int64_t row) {
  const char *text = g->rows.items[row];
  size_t length = strlen(text), known = strspn(text, "SGX.#");
  if (known < length) {
    ab_fail(&g->base, AB_CONFIG,
            "row %lld of the grid, \"%s\", has a '%c'; a cell is one of S (start), G (goal), X "
            "(pit), . (free) and # (wall)",
            (long long)row + 1, text, text[known]);
    return false;
  }
  if ((int64_t)length == g->width) return true;
  ab_fail(&g->base, AB_CONFIG, "row %lld of the grid, \"%s\", has %lld cells, and the first %lld",
          (long long)row + 1, text, (long long)length, (long long)g->width);
  return false;
}

/* Reads the grid; false after an error. */
static bool read_grid(Gridworld *g) {
  g->height = g->rows.count;
  g->width = g->height > 0 ? (int64_t)strlen(g->rows.items[0]) : 0;
  if (g->width == 0) {
    ab_fail(&g->base, AB_CONFIG, "rows has no cell; a grid is for example [\"S..\", \".#G\"]");
    return false;
  }
  for (int64_t i = 0; i < g->height; i++)
    if (!check_row(g, i)) return false;
  int64_t cells = g->height * g->width, goals = 0;
  g->starts = ab_alloc(&g->base, (size_t)cells * sizeof *g->starts);
  if (!g->starts) return false;
  for (int64_t i = 0; i < cells; i++) {
    if (cell(g, i) == 'S') g->starts[g->start_count++] = i;
    goals += cell(g, i) == 'G';
  }
  if (g->start_count > 0 && goals > 0) return true;
  ab_fail(&g->base, AB_CONFIG, "the grid has no %s",
          goals > 0 ? "S, where to begin" : "G, which is the goal");
  return false;
}

static void build(AbEnvironment *self) {
  Gridworld *g = (Gridworld *)self;
  if (!read_grid(g)) return;
  AbSpec observation = {.rank = 3,
                        .dtype = ab_real_dtype(ab_context(self)),
                        .shape = {1, g->height, g->width},
                        .range = AB_RANGE_BINARY};
  ab_environment_declare(self, &observation, 4, g->limit);
  g->place = ab_buffer(self, "place", AB_I64, ab_scalar_shape(), "");
}

/* ---- walking --------------------------------------------------------------------------------- */

/* One number in [0, 1); 0 after an error. */
static double draw(Gridworld *g) {
  double u = ab_item(ab_uniform(ab_context(&g->base), ab_scalar_shape(), 0, 1));
  return u < 1 ? u : 0;
}

static void go_to(Gridworld *g, int64_t place) {
  int64_t *here = ab_map(g->place, true);
  if (!here) return;
  *here = place;
  ab_unmap(g->place);
}

static void reset(AbEnvironment *self) {
  Gridworld *g = (Gridworld *)self;
  int64_t first = g->start_count > 1 ? (int64_t)(draw(g) * (double)g->start_count) : 0;
  go_to(g, g->starts[first]);
}

static AbTensor *observe(AbEnvironment *self) {
  Gridworld *g = (Gridworld *)self;
  AbTensor *plane = ab_one_hot(ab_reshape(g->place, AB_SHAPE(1)), g->height * g->width);
  return ab_reshape(plane, AB_SHAPE(1, g->height, g->width));
}

/* Where a move from a cell leads. */
static int64_t neighbour(const Gridworld *g, int64_t place, int64_t direction) {
  static const int64_t down[] = {-1, 0, 1, 0}, right[] = {0, 1, 0, -1};
  int64_t row = place / g->width + down[direction], column = place % g->width + right[direction];
  if (row < 0 || row >= g->height || column < 0 || column >= g->width) return place;
  int64_t there = row * g->width + column;
  return cell(g, there) == '#' ? place : there;
}

static double step(AbEnvironment *self, int64_t action, bool *terminal) {
  Gridworld *g = (Gridworld *)self;
  double place = ab_item(g->place);
  if (!(place >= 0)) return 0;
  if (g->slip > 0 && draw(g) < g->slip) action = (int64_t)(4 * draw(g));
  int64_t there = neighbour(g, (int64_t)place, action);
  char kind = cell(g, there);
  go_to(g, there);
  *terminal = kind == 'G' || kind == 'X';
  return g->step + (kind == 'G' ? g->goal : kind == 'X' ? g->pit : 0);
}

static const AbEnvironmentVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reset = reset,
    .observe = observe,
    .step = step,
};

static const AbComponent gridworld = {
    .struct_size = sizeof gridworld,
    .kind = AB_KIND_ENVIRONMENT,
    .name = "gridworld",
    .doc = "A maze of cells with goals and pits.",
    .citation =
        "Sutton, Barto: Reinforcement learning: an introduction. Second edition, MIT Press, "
        "2018.",
    .instance_size = sizeof(Gridworld),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.environment.gridworld", "0.1.0", "Apache-2.0", &gridworld)
