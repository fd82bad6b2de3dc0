/* SPDX-License-Identifier: Apache-2.0
 *
 * Generative adversarial nets: steps of both sides against finite differences of losses written as
 * loops in double, gradient penalty and conditions among them; who moves when; distributions that
 * must be matched; other discriminators; what is refused.                                       */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

typedef struct {
  AbContext *ctx;
  AbModel *generator, *decoder, *discriminator;
  AbOptimizer *optimizer, *other; /* other: in the controller's slot, or NULL */
  AbController *gan;
  AbStep *step;
} Game;

/* A generator of a line of `code` numbers, and a discriminator, yet to be built. */
static void game_begin(Game *game, AbContext *ctx, gint64 code, const char *discriminator) {
  *game = (Game){.ctx = ctx};
  game->generator = plugin_test_new(ctx, AB_KIND_MODEL, "generator");
  game->decoder = plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", "model/decoder");
  game->discriminator =
      plugin_test_new_at(ctx, AB_KIND_MODEL, discriminator, "controller/discriminator");
  game->optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "sgd");
  game->gan = plugin_test_new(ctx, AB_KIND_CONTROLLER, "gan");
  plugin_test_slot(game->generator, "decoder", game->decoder);
  plugin_test_slot(game->gan, "discriminator", game->discriminator);
  plugin_test_set_int(game->generator, "code", code);
  plugin_test_set_ints(game->decoder, "units", 0, NULL);
  if (strcmp(discriminator, "mlp") == 0)
    plugin_test_set_ints(game->discriminator, "units", 0, NULL);
}

static void game_build(Game *game, AbRole role, AbSpec x) {
  AbSpec nothing = {.rank = -1};
  AbSignature wanted = ab_signature(AB_ROLE_GENERATE, &nothing, &x);
  AbStepParts parts = {.role = role,
                       .model = game->generator,
                       .optimizer = game->optimizer,
                       .controller = game->gan};

  ab_begin(game->ctx, AB_PURPOSE_INIT, 0);
  ab_build(game->generator, &wanted);
  plugin_test_fine(game->ctx);
  game->step = ab_step_new(game->ctx, &parts);
  ab_step_build(game->step);
}

static void game_end(Game *game) {
  ab_step_free(game->step);
  ab_instance_free(game->gan);
  ab_instance_free(game->optimizer);
  if (game->other) ab_instance_free(game->other);
  ab_instance_free(game->discriminator);
  ab_instance_free(game->decoder);
  ab_instance_free(game->generator);
}

static double part(AbContext *ctx, const char *name) {
  for (gint64 i = 0; i < ab_part_count(ctx); i++)
    if (strcmp(ab_part_name(ctx, i), name) == 0) return ab_part_value(ctx, i);
  g_error("there is no part %s", name);
}

static gboolean has_part(AbContext *ctx, const char *name) {
  for (gint64 i = 0; i < ab_part_count(ctx); i++)
    if (strcmp(ab_part_name(ctx, i), name) == 0) return TRUE;
  return FALSE;
}

/* ---- steps against loops --------------------------------------------------------------------- */

#define ROWS   6
#define WIDTH  2
#define HIDDEN 3
#define RATE   0.05
/* G: x = z W + b, W [WIDTH, WIDTH];  D: score = tanh(x V + c) u + d, V [WIDTH, HIDDEN] */
#define G_COUNT (WIDTH * WIDTH + WIDTH)
#define D_COUNT (WIDTH * HIDDEN + HIDDEN + HIDDEN + 1)

typedef struct {
  const char *loss;
  double smooth, margin, penalty; /* penalty as it is to be in force */
  double x[ROWS * WIDTH], z[ROWS * WIDTH];
  double g[G_COUNT], d[D_COUNT];
} Round;

static void made_of(const double *g, const double *z, double *x) {
  for (int r = 0; r < ROWS; r++)
    for (int j = 0; j < WIDTH; j++) {
      x[r * WIDTH + j] = g[WIDTH * WIDTH + j];
      for (int i = 0; i < WIDTH; i++) x[r * WIDTH + j] += z[r * WIDTH + i] * g[i * WIDTH + j];
    }
}

/* a = -score, and the length of its slope by x */
static double logit(const double *d, const double *x, double *length) {
  const double *V = d, *c = V + WIDTH * HIDDEN, *u = c + HIDDEN;
  double a = -u[HIDDEN], slope[WIDTH] = {0}, squares = 0;

  for (int j = 0; j < HIDDEN; j++) {
    double in = c[j], h;

    for (int i = 0; i < WIDTH; i++) in += x[i] * V[i * HIDDEN + j];
    h = tanh(in);
    a -= u[j] * h;
    for (int i = 0; i < WIDTH; i++) slope[i] -= u[j] * (1 - h * h) * V[i * HIDDEN + j];
  }
  for (int i = 0; i < WIDTH; i++) squares += slope[i] * slope[i];
  if (length != NULL) *length = sqrt(squares);
  return a;
}

static double softplus(double x) {
  return log1p(exp(x));
}

/* L_D of one real and one generated sample, by the equations. */
static double d_loss(const Round *round, double real, double made) {
  double t = 1 - round->smooth, m = round->margin;

  if (strcmp(round->loss, "least-squares") == 0) return ((real - t) * (real - t) + made * made) / 2;
  if (strcmp(round->loss, "hinge") == 0) return fmax(0, m - real) + fmax(0, m + made);
  if (strcmp(round->loss, "wasserstein") == 0) return made - real;
  return t * softplus(-real) + (1 - t) * softplus(real) + softplus(made);
}

static double g_loss(const Round *round, double made) {
  if (strcmp(round->loss, "non-saturating") == 0) return softplus(-made);
  if (strcmp(round->loss, "minimax") == 0) return -softplus(made);
  if (strcmp(round->loss, "least-squares") == 0) return (made - 1) * (made - 1) / 2;
  return -made;
}

/* The points of the penalty lie on the generated samples: the test makes the real ones equal. */
static double whole_d_loss(const double *d, gpointer data) {
  const Round *round = data;
  double loss = 0, made[ROWS * WIDTH];

  made_of(round->g, round->z, made);
  for (int r = 0; r < ROWS; r++) {
    double length, fake = logit(d, made + r * WIDTH, &length);

    loss += d_loss(round, logit(d, round->x + r * WIDTH, NULL), fake) / ROWS;
    loss += round->penalty * (length - 1) * (length - 1) / ROWS;
  }
  return loss;
}

static double whole_g_loss(const double *g, gpointer data) {
  const Round *round = data;
  double loss = 0, made[ROWS * WIDTH];

  made_of(g, round->z, made);
  for (int r = 0; r < ROWS; r++)
    loss += g_loss(round, logit(round->d, made + r * WIDTH, NULL)) / ROWS;
  return loss;
}

static double mean_score(const double *d, const double *x) {
  double sum = 0;

  for (int r = 0; r < ROWS; r++) sum -= logit(d, x + r * WIDTH, NULL) / ROWS;
  return sum;
}

static void fill_all(const Game *game, const Round *round) {
  const double *d = round->d;

  plugin_test_fill(plugin_test_state(game->decoder, "W1"), round->g);
  plugin_test_fill(plugin_test_state(game->decoder, "b1"), round->g + WIDTH * WIDTH);
  plugin_test_fill(plugin_test_state(game->discriminator, "W1"), d);
  plugin_test_fill(plugin_test_state(game->discriminator, "b1"), d + WIDTH * HIDDEN);
  plugin_test_fill(plugin_test_state(game->discriminator, "W2"), d + WIDTH * HIDDEN + HIDDEN);
  plugin_test_fill(plugin_test_state(game->discriminator, "b2"), d + D_COUNT - 1);
}

static void near_all(const Game *game, const double *g, const double *d, double tolerance) {
  plugin_test_near(plugin_test_state(game->decoder, "W1"), g, WIDTH * WIDTH, tolerance);
  plugin_test_near(plugin_test_state(game->decoder, "b1"), g + WIDTH * WIDTH, WIDTH, tolerance);
  plugin_test_near(plugin_test_state(game->discriminator, "W1"), d, WIDTH * HIDDEN, tolerance);
  plugin_test_near(plugin_test_state(game->discriminator, "b1"), d + WIDTH * HIDDEN, HIDDEN,
                   tolerance);
  plugin_test_near(plugin_test_state(game->discriminator, "W2"), d + WIDTH * HIDDEN + HIDDEN,
                   HIDDEN, tolerance);
  plugin_test_near(plugin_test_state(game->discriminator, "b2"), d + D_COUNT - 1, 1, tolerance);
}

/* What the generator draws in training step `number`, seen through an identity. */
static void see_codes(const Game *game, gint64 number, double *z) {
  const double identity[WIDTH * WIDTH] = {1, 0, 0, 1}, zeros[WIDTH] = {0};
  AbScope scope = ab_scope_begin(game->ctx);
  double *seen;

  plugin_test_fill(plugin_test_state(game->decoder, "W1"), identity);
  plugin_test_fill(plugin_test_state(game->decoder, "b1"), zeros);
  ab_begin(game->ctx, AB_PURPOSE_TRAIN, number);
  seen = plugin_test_values(ab_generate(game->generator, ROWS));
  memcpy(z, seen, ROWS * WIDTH * sizeof *z);
  g_free(seen);
  ab_scope_end(game->ctx, scope, NULL, 0);
}

static void round_begin(Game *game, Round *round, AbContext *ctx) {
  const gint64 hidden = HIDDEN;
  g_autofree double *g = plugin_test_numbers(G_COUNT, -1, 1, 11);
  g_autofree double *d = plugin_test_numbers(D_COUNT, -1, 1, 12);

  game_begin(game, ctx, WIDTH, "mlp");
  plugin_test_set_ints(game->discriminator, "units", 1, &hidden);
  plugin_test_set_choice(game->discriminator, "activation", "tanh");
  plugin_test_set_real(game->optimizer, "lr", RATE);
  plugin_test_set_choice(game->gan, "loss", round->loss);
  plugin_test_set_real(game->gan, "smooth", round->smooth);
  plugin_test_set_real(game->gan, "margin", round->margin);
  memcpy(round->g, g, sizeof round->g);
  memcpy(round->d, d, sizeof round->d);
}

/* One step: the discriminator down its slope, then the generator down its own, through the
 * discriminator as it is then.                                                                  */
static void check_round(const PluginTestCase *at, Round *round, gboolean penalty_set) {
  AbContext *ctx = plugin_test_context(at);
  double made[ROWS * WIDTH], d_before, g_after, real_score, made_score;
  double tolerance = at->real == AB_F32 ? 2e-5 : 1e-8, *slopes;
  AbBatch *batch;
  Game game;

  round_begin(&game, round, ctx);
  if (penalty_set) plugin_test_set_real(game.gan, "penalty", round->penalty);
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, WIDTH, 0, 0));
  plugin_test_fine(ctx);
  see_codes(&game, 0, round->z);
  fill_all(&game, round);
  made_of(round->g, round->z, made);
  if (round->penalty > 0) {
    memcpy(round->x, made, sizeof made);
  } else {
    g_autofree double *x = plugin_test_numbers(ROWS * WIDTH, 0, 2, 13);

    memcpy(round->x, x, sizeof round->x);
  }
  batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(ROWS, WIDTH), round->x), NULL);
  d_before = whole_d_loss(round->d, round);
  real_score = mean_score(round->d, round->x);
  made_score = mean_score(round->d, made);
  plugin_test_close(plugin_test_step(ctx, game.step, batch, 0, 10), d_before, tolerance);
  plugin_test_fine(ctx);
  slopes = plugin_test_slopes(whole_d_loss, round->d, D_COUNT, round);
  for (int i = 0; i < D_COUNT; i++) round->d[i] -= RATE * slopes[i];
  g_free(slopes);
  g_after = whole_g_loss(round->g, round);
  slopes = plugin_test_slopes(whole_g_loss, round->g, G_COUNT, round);
  for (int i = 0; i < G_COUNT; i++) round->g[i] -= RATE * slopes[i];
  g_free(slopes);
  near_all(&game, round->g, round->d, tolerance);
  plugin_test_close(part(ctx, "controller/discriminator"), d_before, tolerance);
  plugin_test_close(part(ctx, "controller/generator"), g_after, tolerance);
  plugin_test_close(part(ctx, "controller/real_score"), real_score, tolerance);
  plugin_test_close(part(ctx, "controller/generated_score"), made_score, tolerance);
  g_assert_cmpint(has_part(ctx, "controller/penalty"), ==, round->penalty > 0);
  ab_batch_free(batch);
  game_end(&game);
  plugin_test_finish(ctx);
}

static void test_losses(const PluginTestCase *at) {
  Round rounds[] = {
      {.loss = "non-saturating", .margin = 1},
      {.loss = "non-saturating", .smooth = 0.1, .margin = 1},
      {.loss = "minimax", .smooth = 0.2, .margin = 1},
      {.loss = "least-squares", .smooth = 0.1, .margin = 1},
      {.loss = "hinge", .margin = 1},
      {.loss = "hinge", .margin = 0.05},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(rounds); i++) check_round(at, &rounds[i], FALSE);
}

/* 10 is the default for wasserstein; others have a penalty where it is asked for, and it may be
 * left out there.                                                                               */
static void test_penalty(const PluginTestCase *at) {
  Round rounds[] = {
      {.loss = "wasserstein", .margin = 1, .penalty = 10},
      {.loss = "wasserstein", .margin = 1, .penalty = 3},
      {.loss = "non-saturating", .margin = 1, .penalty = 2},
      {.loss = "wasserstein", .margin = 1, .penalty = 0},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(rounds); i++) check_round(at, &rounds[i], i > 0);
}

/* The points lie evenly between the samples: with real ones at 0, generated ones at 1 and a slope
 * of 3 above 1/2 and 0 below, the penalty is (4 + 1) / 2 on average, and its deviation 3/2. */
static void test_between(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  const gint64 hidden = 1;
  const double zero = 0, one = 1, three = 3, kink = -0.5;
  g_autofree double *zeros = g_new0(double, 4000);
  AbBatch *batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(4000, 1), zeros), NULL);
  Game game;

  game_begin(&game, ctx, 1, "mlp");
  plugin_test_set_ints(game.discriminator, "units", 1, &hidden);
  plugin_test_set_choice(game.gan, "loss", "wasserstein");
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, 1, 0, 0));
  plugin_test_fill(plugin_test_state(game.decoder, "W1"), &zero);
  plugin_test_fill(plugin_test_state(game.decoder, "b1"), &one);
  plugin_test_fill(plugin_test_state(game.discriminator, "W1"), &one);
  plugin_test_fill(plugin_test_state(game.discriminator, "b1"), &kink);
  plugin_test_fill(plugin_test_state(game.discriminator, "W2"), &three);
  plugin_test_step(ctx, game.step, batch, 0, 10);
  g_assert_cmpfloat(fabs(part(ctx, "controller/penalty") - 2.5), <, 5 * 1.5 / sqrt(4000));
  ab_batch_free(batch);
  game_end(&game);
  plugin_test_finish(ctx);
}

/* ---- who moves ------------------------------------------------------------------------------- */

static gboolean differs(AbTensor *x, double *before, gint64 count) {
  g_autofree double *now = plugin_test_values(x);
  gboolean different = memcmp(now, before, (gsize)count * sizeof *now) != 0;

  memcpy(before, now, (gsize)count * sizeof *now);
  return different;
}

/* The generator moves in every third step, the discriminator in all, each with an optimizer of its
 * own: with a rate of 0 in one of them that side stays.                                         */
static void check_turns(const PluginTestCase *at, double generator_rate, double other_rate) {
  AbContext *ctx = plugin_test_context(at);
  Round round = {.loss = "non-saturating", .margin = 1};
  double g[WIDTH * WIDTH] = {0}, d[WIDTH * HIDDEN] = {0};
  AbBatch *batch;
  Game game;

  round_begin(&game, &round, ctx);
  game.other = plugin_test_new_at(ctx, AB_KIND_OPTIMIZER, "sgd", "controller/optimizer");
  plugin_test_set_real(game.optimizer, "lr", generator_rate);
  plugin_test_set_real(game.other, "lr", other_rate);
  plugin_test_slot(game.gan, "optimizer", game.other);
  plugin_test_set_int(game.gan, "steps", 3);
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, WIDTH, 0, 0));
  plugin_test_fine(ctx);
  batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(ROWS, WIDTH), round.d), NULL);
  differs(plugin_test_state(game.decoder, "W1"), g, WIDTH * WIDTH);
  differs(plugin_test_state(game.discriminator, "W1"), d, WIDTH * HIDDEN);
  for (int i = 0; i < 6; i++) {
    gboolean turn = i % 3 == 2;

    ab_parts_clear(ctx);
    plugin_test_step(ctx, game.step, batch, i, 10);
    plugin_test_fine(ctx);
    g_assert_cmpint(differs(plugin_test_state(game.decoder, "W1"), g, WIDTH * WIDTH), ==,
                    turn && generator_rate > 0);
    g_assert_cmpint(differs(plugin_test_state(game.discriminator, "W1"), d, WIDTH * HIDDEN), ==,
                    other_rate > 0);
    g_assert_cmpint(has_part(ctx, "controller/generator"), ==, turn);
  }
  g_assert_cmpint(ab_step_group_count(game.step), ==, 2);
  g_assert_cmpint(ab_step_updates(game.step, 0), ==, 2);
  g_assert_cmpint(ab_step_updates(game.step, 1), ==, 6);
  g_assert_cmpstr(ab_step_group_name(game.step, 1), ==, "discriminator");
  ab_batch_free(batch);
  game_end(&game);
  plugin_test_finish(ctx);
}

static void test_turns(const PluginTestCase *at) {
  check_turns(at, 0.1, 0.2);
  check_turns(at, 0, 0.2);
  check_turns(at, 0.1, 0);
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* A line over what it sees scores the place of every number: x, and the class as it lies beside. */
static void check_condition(const PluginTestCase *at, int rank, const gint64 *shape) {
  AbContext *ctx = plugin_test_context(at);
  const double labels[] = {1, 0, 2};
  AbShape full = {.rank = rank + 1, .dims = {3, shape[0], shape[1], shape[2]}};
  AbSpec spec = plugin_test_spec(ctx, AB_RANGE_UNIT, shape[0], shape[1], shape[2]);
  gint64 inner = 1, count = 1, wide;
  double expected = 0;
  AbBatch *batch;
  Game game;

  for (int i = 0; i < rank; i++) count *= shape[i];
  for (int i = rank == 3 ? 1 : rank; i < rank; i++) inner *= shape[i]; /* after the class axis */
  {
    gint64 axis = rank == 3 ? shape[0] : shape[rank - 1], outer = count / axis / inner;
    g_autofree double *w = NULL, *x = plugin_test_numbers(3 * count, 0, 1, 8);

    wide = outer * (axis + 3) * inner;
    w = plugin_test_numbers(wide, -1, 1, 9);
    for (int r = 0; r < 3; r++)
      for (gint64 o = 0; o < outer; o++)
        for (gint64 a = 0; a < axis + 3; a++)
          for (gint64 i = 0; i < inner; i++) {
            double seen = a < axis ? x[r * count + (o * axis + a) * inner + i]
                                   : a - axis == (gint64)labels[r];

            expected += seen * w[(o * (axis + 3) + a) * inner + i] / 3;
          }
    game_begin(&game, ctx, 2, "mlp");
    plugin_test_set_bool(game.gan, "conditional", TRUE);
    plugin_test_set_int(game.gan, "classes", 3);
    game_build(&game, AB_ROLE_GENERATE, spec);
    plugin_test_fine(ctx);
    plugin_test_fill(plugin_test_state(game.discriminator, "W1"), w);
    batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, full, x),
                              plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(3), labels));
  }
  plugin_test_step(ctx, game.step, batch, 0, 10);
  plugin_test_close(part(ctx, "controller/real_score"), expected, at->exact);
  ab_batch_free(batch);
  game_end(&game);
  plugin_test_finish(ctx);
}

static void test_condition(const PluginTestCase *at) {
  check_condition(at, 1, (gint64[]){4, 0, 0});
  check_condition(at, 2, (gint64[]){2, 3, 0});
  check_condition(at, 3, (gint64[]){2, 3, 2});
}

/* ---- learning -------------------------------------------------------------------------------- */

#define BATCH 200

static AbBatch *draw_batch(AbContext *ctx, AbStream *stream, gboolean labelled) {
  double x[BATCH * 2], y[BATCH];
  AbTensor *label = NULL;

  for (int i = 0; i < BATCH; i++) {
    y[i] = (double)ab_stream_below(stream, 2);
    x[2 * i] = labelled ? 2 * y[i] - 1 : 1;
    x[2 * i] += 0.5 * ab_stream_normal(stream);
    x[2 * i + 1] = -0.5 + 0.25 * ab_stream_normal(stream);
  }
  if (labelled) label = plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(BATCH), y);
  return plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(BATCH, 2), x), label);
}

static void moments(AbTensor *x, double *mean, double *std) {
  g_autofree double *values = plugin_test_values(x);
  gint64 n = ab_dim(x, 0);

  for (int i = 0; i < 2; i++) {
    mean[i] = std[i] = 0;
    for (gint64 r = 0; r < n; r++) mean[i] += values[2 * r + i] / (double)n;
    for (gint64 r = 0; r < n; r++)
      std[i] += (values[2 * r + i] - mean[i]) * (values[2 * r + i] - mean[i]) / (double)n;
    std[i] = sqrt(std[i]);
  }
}

/* Steps from .. to - 1 */
static void game_train(Game *game, AbStream *stream, int from, int to, gboolean labelled) {
  for (int i = from; i < to; i++) {
    AbScope scope = ab_scope_begin(game->ctx);
    AbBatch *batch = draw_batch(game->ctx, stream, labelled);

    plugin_test_step(game->ctx, game->step, batch, i, 100);
    plugin_test_fine(game->ctx);
    ab_parts_clear(game->ctx);
    ab_batch_free(batch);
    ab_scope_end(game->ctx, scope, NULL, 0);
  }
}

static void use_adam(Game *game, double rate) {
  ab_instance_free(game->optimizer);
  game->optimizer = plugin_test_new(game->ctx, AB_KIND_OPTIMIZER, "adam");
  plugin_test_set_real(game->optimizer, "lr", rate);
  plugin_test_set_real(game->optimizer, "beta1", 0.5);
}

/* A normal distribution in the plane, mean (1, -1/2), deviations 1/2 and 1/4. The two players
 * circle around it: what counts is the mean of what is made over the last 20 times 50 steps. */
static void check_learning(const char *loss, int per_generator, int steps) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  const gint64 hidden = 32;
  double mean[2] = {0}, std[2] = {0};
  AbStream stream = ab_stream(3, "data");
  Game game;

  game_begin(&game, ctx, 2, "mlp");
  use_adam(&game, 2e-3);
  plugin_test_set_ints(game.discriminator, "units", 1, &hidden);
  plugin_test_set_choice(game.discriminator, "activation", "leaky-relu");
  plugin_test_set_choice(game.gan, "loss", loss);
  plugin_test_set_int(game.gan, "steps", per_generator);
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0));
  for (int i = 0; i < 20; i++) {
    AbScope scope = ab_scope_begin(ctx);
    double now[2], spread[2];

    game_train(&game, &stream, i ? steps + 50 * i - 50 : 0, steps + 50 * i, FALSE);
    ab_begin(ctx, AB_PURPOSE_EVALUATE, i);
    moments(ab_generate(game.generator, 1000), now, spread);
    for (int j = 0; j < 2; j++) mean[j] += now[j] / 20, std[j] += spread[j] / 20;
    ab_scope_end(ctx, scope, NULL, 0);
  }
  g_test_message("%s: mean %.3f %.3f, deviation %.3f %.3f", loss, mean[0], mean[1], std[0], std[1]);
  g_assert_cmpfloat(fabs(mean[0] - 1), <, 0.1);
  g_assert_cmpfloat(fabs(mean[1] + 0.5), <, 0.1);
  g_assert_cmpfloat(fabs(std[0] - 0.5), <, 0.12);
  g_assert_cmpfloat(fabs(std[1] - 0.25), <, 0.1);
  game_end(&game);
  plugin_test_finish(ctx);
}

static void test_learning(void) {
  check_learning("non-saturating", 1, 1000);
  check_learning("least-squares", 1, 1000);
  check_learning("hinge", 1, 1000);
  check_learning("wasserstein", 3, 3000);
}

/* Two classes apart: what is made for a class lies where the class does. */
static void test_learning_classes(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  const gint64 hidden = 32;
  AbStream stream = ab_stream(3, "data");
  Game game;

  game_begin(&game, ctx, 2, "mlp");
  use_adam(&game, 2e-3);
  plugin_test_set_ints(game.discriminator, "units", 1, &hidden);
  plugin_test_set_choice(game.discriminator, "activation", "leaky-relu");
  for (int i = 0; i < 2; i++) {
    AbInstance *side = i == 0 ? game.generator : game.gan;

    plugin_test_set_bool(side, "conditional", TRUE);
    plugin_test_set_int(side, "classes", 2);
  }
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0));
  game_train(&game, &stream, 0, 1500, TRUE);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  for (int c = 0; c < 2; c++) {
    AbTensor *y = ab_full(ctx, AB_I64, AB_SHAPE(2000), c);
    AbBatch *batch = plugin_test_batch(ctx, ab_zeros(ctx, AB_SHAPE(2000, 2)), y);
    double mean[2], std[2];

    ab_set_batch(ctx, batch);
    moments(ab_generate(game.generator, 2000), mean, std);
    ab_set_batch(ctx, NULL);
    g_test_message("class %d: mean %.3f, deviation %.3f", c, mean[0], std[0]);
    g_assert_cmpfloat(fabs(mean[0] - (2 * c - 1)), <, 0.2);
    g_assert_cmpfloat(fabs(std[0] - 0.5), <, 0.2);
    ab_batch_free(batch);
  }
  game_end(&game);
  plugin_test_finish(ctx);
}

/* ---- other discriminators -------------------------------------------------------------------- */

/* An rbm scores by its free energy, an auto-encoder by its error: both learn that what is made is
 * not like the data.                                                                            */
static void check_discriminator(const char *name) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbModel *encoder = NULL, *decoder = NULL;
  double first = 0, last = 0;
  Game game;

  game_begin(&game, ctx, 2, name);
  use_adam(&game, 1e-2);
  plugin_test_set_real(game.optimizer, "lr", 1e-2);
  if (strcmp(name, "auto-encoder") == 0) {
    encoder = plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", "controller/discriminator/encoder");
    decoder = plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", "controller/discriminator/decoder");
    plugin_test_slot(game.discriminator, "encoder", encoder);
    plugin_test_slot(game.discriminator, "decoder", decoder);
    plugin_test_set_choice(game.gan, "loss", "hinge");
  }
  plugin_test_set_int(game.gan, "steps", 1000); /* the generator stands still */
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0));
  plugin_test_fine(ctx);
  for (int turn = 0; turn < 2; turn++) {
    AbStream stream = ab_stream(3, "data");
    AbScope scope = ab_scope_begin(ctx);
    AbBatch *batch = draw_batch(ctx, &stream, FALSE);

    if (turn == 1) game_train(&game, &stream, 0, 200, FALSE);
    plugin_test_step(ctx, game.step, batch, 500, 100);
    plugin_test_fine(ctx);
    *(turn ? &last : &first) = part(ctx, "controller/discriminator");
    g_assert_true(turn == 0 ||
                  part(ctx, "controller/generated_score") > part(ctx, "controller/real_score"));
    ab_parts_clear(ctx);
    ab_batch_free(batch);
    ab_scope_end(ctx, scope, NULL, 0);
  }
  g_test_message("%s: %.3f, then %.3f", name, first, last);
  g_assert_cmpfloat(last, <, 0.9 * first);
  game_end(&game);
  if (encoder) ab_instance_free(encoder);
  if (decoder) ab_instance_free(decoder);
  plugin_test_finish(ctx);
}

static void test_discriminators(void) {
  check_discriminator("rbm");
  check_discriminator("auto-encoder");
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refuse_build(AbRole role, const char *discriminator, gint64 classes, AbSpec x,
                         const char *pattern) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  Game game;

  game_begin(&game, ctx, 2, discriminator);
  plugin_test_set_bool(game.gan, "conditional", classes >= 0);
  plugin_test_set_int(game.gan, "classes", MAX(classes, 0));
  x.dtype = AB_F64;
  game_build(&game, role, x);
  plugin_test_error(ctx, AB_CONFIG, pattern);
  game_end(&game);
  plugin_test_finish(ctx);
}

static void test_build_errors(void) {
  AbSpec line = {.rank = 1, .shape = {2}}, number = {.rank = 0};
  AbSpec four = {.rank = 4, .shape = {1, 2, 2, 2}};

  refuse_build(AB_ROLE_RECONSTRUCT, "mlp", -1, line,
               "controller (gan): *problem must be generate, not reconstruct*");
  refuse_build(AB_ROLE_GENERATE, "mlp", 0, line, "controller (gan): conditional: set classes*");
  refuse_build(AB_ROLE_GENERATE, "mlp", 3, number, "controller (gan): *x has 0 axes*reshape*");
  refuse_build(AB_ROLE_GENERATE, "mlp", 3, four, "controller (gan): *x has 4 axes*reshape*");
  refuse_build(AB_ROLE_GENERATE, "generator", -1, line,
               "controller/discriminator (generator): *does not offer the role score*");
}

static void refuse_batch(AbTensor *(*label)(AbContext *ctx), const char *pattern) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbScope scope = ab_scope_begin(ctx);
  AbBatch *batch = plugin_test_batch(ctx, ab_zeros(ctx, AB_SHAPE(3, 2)), label(ctx));
  Game game;

  game_begin(&game, ctx, 2, "mlp");
  plugin_test_set_bool(game.gan, "conditional", TRUE);
  plugin_test_set_int(game.gan, "classes", 3);
  game_build(&game, AB_ROLE_GENERATE, plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0));
  g_assert_true(isnan(plugin_test_step(ctx, game.step, batch, 0, 10)));
  plugin_test_error(ctx, ab_error_code(ctx), pattern);
  ab_batch_free(batch);
  ab_scope_end(ctx, scope, NULL, 0);
  game_end(&game);
  plugin_test_finish(ctx);
}

static AbTensor *no_label(AbContext *ctx) {
  (void)ctx;
  return NULL;
}

static AbTensor *number_label(AbContext *ctx) {
  return ab_zeros(ctx, AB_SHAPE(3));
}

static AbTensor *high_label(AbContext *ctx) {
  return ab_full(ctx, AB_I64, AB_SHAPE(3), 3);
}

static void test_batch_errors(void) {
  refuse_batch(no_label, "controller (gan): conditional: the data has no y*");
  refuse_batch(number_label, "controller (gan): conditional: y of the data is not one class*");
  refuse_batch(high_label, "*3*");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/gan/losses", test_losses);
  plugin_test_add("/gan/penalty", test_penalty);
  plugin_test_add("/gan/between", test_between);
  plugin_test_add("/gan/turns", test_turns);
  plugin_test_add("/gan/condition", test_condition);
  g_test_add_func("/gan/learning", test_learning);
  g_test_add_func("/gan/learning/classes", test_learning_classes);
  g_test_add_func("/gan/discriminators", test_discriminators);
  g_test_add_func("/gan/errors/build", test_build_errors);
  g_test_add_func("/gan/errors/batch", test_batch_errors);
  return g_test_run();
}
