/* SPDX-License-Identifier: Apache-2.0
 *
 * Ladder networks: the cost and what the roles give against loops in double that follow the paper
 * line by line, gradients against finite differences of these loops, running statistics, the size
 * of the noise, learning from five labels a class, and what is refused. */
#include "plugin-test.h"
#include "store/service.h"
#include "store/store.h"
#include <math.h>
#include <string.h>

#define L_MAX   4 /* layers above x */
#define WIDTH   5 /* at most */
#define ROWS    7
#define WEIGHTS 700
#define EPSILON 1e-5

/* A ladder that is to be built. Its classes are the last width, if it classifies. */
typedef struct {
  AbRole role;
  int activation;
  int top;
  int width[L_MAX + 1];
  int weights; /* that are given */
  double weight[L_MAX + 1];
} Case;

/* Places of its weights in one vector; -1: there is none. */
typedef struct {
  const Case *c;
  int W[L_MAX + 1], beta[L_MAX + 1], gamma[L_MAX + 1], V[L_MAX + 1], a[L_MAX + 1][10];
  int count;
} Places;

typedef double Matrix[ROWS][WIDTH];

typedef struct {
  Matrix q[L_MAX + 1], z[L_MAX + 1], h[L_MAX + 1];
  double mean[L_MAX + 1][WIDTH], variance[L_MAX + 1][WIDTH]; /* of q */
} Path;

static const Case cases[] = {
    {AB_ROLE_CLASSIFY, AB_RELU, 3, {4, 5, 3, 2}, 4, {7, 3, 0.5, 2}},
    {AB_ROLE_CLASSIFY, AB_TANH, 3, {3, 4, 4, 3}, 2, {10, 1}}, /* the last for all further ones */
    {AB_ROLE_CLASSIFY, AB_SIGMOID, 2, {3, 4, 2}, 3, {0, 0, 2}},
    {AB_ROLE_CLASSIFY, AB_RELU, 2, {3, 5, 3}, 3, {0, 4, 0}},
    {AB_ROLE_CLASSIFY, AB_RELU, 1, {3, 2}, 1, {5}},
    {AB_ROLE_CLASSIFY, AB_RELU, 2, {3, 4, 2}, 1, {0}}, /* no decoder */
    {AB_ROLE_ENCODE, AB_RELU, 2, {4, 5, 3}, 3, {7, 3, 0.5}},
    {AB_ROLE_RECONSTRUCT, AB_SOFTPLUS, 1, {4, 3}, 2, {7, 3}},
};

static double weight_of(const Case *c, int l) {
  return c->weight[MIN(l, c->weights - 1)];
}

static int lowest(const Case *c) {
  for (int l = 0; l <= c->top; l++)
    if (weight_of(c, l) > 0) return l;
  return c->top + 1;
}

/* ---- the ladder as loops --------------------------------------------------------------------- */

static double activation(int f, double x) {
  switch (f) {
  case AB_RELU: return x > 0 ? x : 0;
  case AB_TANH: return tanh(x);
  case AB_SIGMOID: return 1 / (1 + exp(-x));
  default: return log1p(exp(x));
  }
}

static void product(Matrix y, Matrix x, const double *W, int n, int in, int out) {
  memset(y, 0, sizeof(Matrix));
  for (int r = 0; r < n; r++)
    for (int i = 0; i < in; i++)
      for (int j = 0; j < out; j++) y[r][j] += x[r][i] * W[i * out + j];
}

static void moments(Matrix x, int n, int width, double *mean, double *variance) {
  for (int j = 0; j < width; j++) {
    mean[j] = variance[j] = 0;
    for (int r = 0; r < n; r++) mean[j] += x[r][j] / n;
    for (int r = 0; r < n; r++) variance[j] += (x[r][j] - mean[j]) * (x[r][j] - mean[j]) / n;
  }
}

static void normalise(Matrix y, Matrix x, int n, int width, const double *mean,
                      const double *variance) {
  for (int r = 0; r < n; r++)
    for (int j = 0; j < width; j++) y[r][j] = (x[r][j] - mean[j]) / sqrt(variance[j] + EPSILON);
}

/* gamma (z + beta) of layer l */
static void received(const Places *p, const double *w, int l, Matrix z, int n, Matrix y) {
  for (int r = 0; r < n; r++)
    for (int j = 0; j < p->c->width[l]; j++)
      y[r][j] = (p->gamma[l] < 0 ? 1 : w[p->gamma[l] + j]) * (z[r][j] + w[p->beta[l] + j]);
}

static void softmax(Matrix x, int n, int width) {
  for (int r = 0; r < n; r++) {
    double sum = 0;

    for (int j = 0; j < width; j++) sum += x[r][j] = exp(x[r][j]);
    for (int j = 0; j < width; j++) x[r][j] /= sum;
  }
}

/* An encoder; with `given`, path->mean and variance are there, else they are those of the rows. */
static void encode(const Places *p, const double *w, const double *x, int n, gboolean given,
                   Path *path) {
  const Case *c = p->c;

  for (int r = 0; r < n; r++)
    for (int j = 0; j < c->width[0]; j++)
      path->q[0][r][j] = path->z[0][r][j] = path->h[0][r][j] = x[r * c->width[0] + j];
  for (int l = 1; l <= c->top; l++) {
    product(path->q[l], path->h[l - 1], w + p->W[l], n, c->width[l - 1], c->width[l]);
    if (!given) moments(path->q[l], n, c->width[l], path->mean[l], path->variance[l]);
    normalise(path->z[l], path->q[l], n, c->width[l], path->mean[l], path->variance[l]);
    received(p, w, l, path->z[l], n, path->h[l]);
    if (l == c->top && c->role == AB_ROLE_CLASSIFY)
      softmax(path->h[l], n, c->width[l]);
    else
      for (int r = 0; r < n; r++)
        for (int j = 0; j < c->width[l]; j++)
          path->h[l][r][j] = activation(c->activation, path->h[l][r][j]);
  }
}

static double combine(const Places *p, const double *w, int l, int j, double z, double u) {
  double a[11];

  for (int k = 1; k <= 10; k++) a[k] = w[p->a[l][k - 1] + j];
  {
    double mu = a[1] * activation(AB_SIGMOID, a[2] * u + a[3]) + a[4] * u + a[5];
    double v = a[6] * activation(AB_SIGMOID, a[7] * u + a[8]) + a[9] * u + a[10];

    return (z - mu) * v + mu;
  }
}

/* z^ of all layers that are denoised; `mean` and `variance` of u, unless NULL. */
static void decode(const Places *p, const double *w, Path *path, int n, double mean[][WIDTH],
                   double variance[][WIDTH], Matrix *estimate) {
  const Case *c = p->c;

  for (int l = c->top; l >= lowest(c); l--) {
    Matrix u, in;
    double own_mean[WIDTH], own_variance[WIDTH];

    if (l == c->top)
      memcpy(in, path->h[l], sizeof in);
    else
      product(in, estimate[l + 1], w + p->V[l], n, c->width[l + 1], c->width[l]);
    moments(in, n, c->width[l], own_mean, own_variance);
    normalise(u, in, n, c->width[l], mean ? mean[l] : own_mean,
              variance ? variance[l] : own_variance);
    for (int r = 0; r < n; r++)
      for (int j = 0; j < c->width[l]; j++)
        estimate[l][r][j] = combine(p, w, l, j, path->z[l][r][j], u[r][j]);
  }
}

/* (z - (z^ - m) / d)^2, weighted, of one row and layer, over the width */
static double distance(const Places *p, const Path *path, int l, int r, Matrix *estimate) {
  double sum = 0;

  for (int j = 0; j < p->c->width[l]; j++) {
    double e = estimate[l][r][j];

    if (l > 0) e = (e - path->mean[l][j]) / sqrt(path->variance[l][j] + EPSILON);
    sum += (path->z[l][r][j] - e) * (path->z[l][r][j] - e);
  }
  return weight_of(p->c, l) * sum / p->c->width[l];
}

typedef struct {
  const Places *places;
  const double *x, *unlabelled;
  const double *labels;
  int labelled, rows;
} Sums;

static double cost(const double *w, gpointer data) {
  const Sums *s = data;
  const Places *p = s->places;
  const Case *c = p->c;
  Path path, labelled;
  Matrix estimate[L_MAX + 1];
  double sum = 0;

  encode(p, w, s->unlabelled, s->rows, FALSE, &path);
  decode(p, w, &path, s->rows, NULL, NULL, estimate);
  for (int l = lowest(c); l <= c->top; l++)
    for (int r = 0; r < s->rows; r++) sum += distance(p, &path, l, r, estimate) / s->rows;
  if (c->role != AB_ROLE_CLASSIFY) return sum;
  encode(p, w, s->x, s->labelled, FALSE, &labelled);
  for (int r = 0; r < s->labelled; r++)
    sum -= log(labelled.h[c->top][r][(int)s->labels[r]]) / s->labelled;
  return sum;
}

/* d cost / d w by central differences, extrapolated from two steps: where a unit hardly varies over
 * the batch, third derivatives are large.                                                        */
static double slope(double *w, int i, gpointer data) {
  double at = w[i], f[4];

  for (int k = 0; k < 4; k++) {
    w[i] = at + (k / 2 + 1) * (k % 2 ? -1e-5 : 1e-5);
    f[k] = cost(w, data);
  }
  w[i] = at;
  return (4 * (f[0] - f[1]) / 2e-5 - (f[2] - f[3]) / 4e-5) / 3;
}

/* ---- the ladder as a plugin ------------------------------------------------------------------ */

static AbModel *make(AbContext *ctx, const Case *c, double noise) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "ladder");
  gboolean classifies = c->role == AB_ROLE_CLASSIFY;
  gint64 units[L_MAX];
  AbSpec x = c->width[0] == 4 ? plugin_test_spec(ctx, AB_RANGE_REAL, 2, 2, 0)
                              : plugin_test_spec(ctx, AB_RANGE_REAL, c->width[0], 0, 0);
  AbSpec y = plugin_test_spec(ctx, AB_RANGE_REAL, c->width[c->top], 0, 0);
  AbSignature wanted = ab_signature(c->role, &x, classifies ? &y : NULL);

  if (c->role == AB_ROLE_RECONSTRUCT) wanted.out = x;
  for (int l = 1; l <= c->top; l++) units[l - 1] = c->width[l];
  plugin_test_set_ints(model, "units", c->top - classifies, units);
  plugin_test_set_reals(model, "weights", c->weights, c->weight);
  plugin_test_set_choice(model, "activation", ab_activation_names[c->activation]);
  plugin_test_set_real(model, "noise", noise);
  ab_build(model, &wanted);
  return model;
}

static int place(AbModel *model, const char *format, int k, int l) {
  g_autofree char *name = k > 0 ? g_strdup_printf("a%d_%d", k, l) : g_strdup_printf(format, l);
  int at = 0;

  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState s = ab_state(model, i);

    if (!s.weight) continue;
    if (strcmp(strrchr(s.name, '/') + 1, name) == 0) return at;
    at += (int)ab_count(s.tensor);
  }
  return -1;
}

static Places places_of(AbModel *model, const Case *c) {
  Places p = {.c = c};

  for (int l = 0; l <= c->top; l++) {
    p.W[l] = place(model, "W%d", 0, l);
    p.beta[l] = place(model, "beta%d", 0, l);
    p.gamma[l] = place(model, "gamma%d", 0, l);
    p.V[l] = place(model, "V%d", 0, l);
    for (int k = 1; k <= 10; k++) p.a[l][k - 1] = place(model, NULL, k, l);
    g_assert_true((p.V[l] >= 0) == (l >= lowest(c) && l < c->top));
    g_assert_true((p.a[l][9] >= 0) == (l >= lowest(c)));
  }
  for (gint64 i = 0; i < ab_state_count(model); i++)
    if (ab_state(model, i).weight) p.count += (int)ab_count(ab_state(model, i).tensor);
  g_assert_cmpint(p.count, <, WEIGHTS);
  return p;
}

static void move(AbModel *model, double *w, gboolean read) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState s = ab_state(model, i);

    if (!s.weight) continue;
    if (read) {
      g_autofree double *values = plugin_test_values(s.tensor);

      memcpy(w, values, (gsize)ab_count(s.tensor) * sizeof *w);
    } else {
      plugin_test_fill(s.tensor, w);
    }
    w += ab_count(s.tensor);
  }
}

/* [n, the shape of a sample] */
static AbTensor *rows_of(AbContext *ctx, const Case *c, const double *x, int n) {
  return plugin_test_tensor(ctx, c->width[0] == 4 ? AB_SHAPE(n, 2, 2) : AB_SHAPE(n, c->width[0]),
                            x);
}

typedef struct {
  AbOptimizer *sgd;
  AbController *trainer;
  AbStep *step;
} Rig;

static Rig rig_begin(AbContext *ctx, AbModel *model, AbRole role, const char *optimizer,
                     double rate) {
  Rig rig = {plugin_test_new(ctx, AB_KIND_OPTIMIZER, optimizer),
             plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer"), NULL};
  AbStepParts parts = {
      .role = role, .model = model, .optimizer = rig.sgd, .controller = rig.trainer};

  plugin_test_set_real(rig.sgd, "lr", rate);
  rig.step = ab_step_new(ctx, &parts);
  ab_step_build(rig.step);
  plugin_test_fine(ctx);
  return rig;
}

static void rig_end(Rig *rig) {
  ab_step_free(rig->step);
  ab_instance_free(rig->trainer);
  ab_instance_free(rig->sgd);
}

/* ---- cost and gradient ----------------------------------------------------------------------- */

/* Four labelled samples and seven others, or the labelled ones alone. */
static void check_cost(const PluginTestCase *at, const Case *c, gboolean alone) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c, 0);
  Places places = places_of(model, c);
  g_autofree double *x = plugin_test_numbers(4 * c->width[0], -1, 1, 30);
  g_autofree double *unlabelled = plugin_test_numbers(ROWS * c->width[0], -1, 1, 31);
  g_autofree double *w = plugin_test_numbers(places.count, -1, 1, 32);
  const double labels[] = {0, 1, 1, 0};
  Sums sums = {&places, x, alone ? x : unlabelled, labels, 4, alone ? 4 : ROWS};
  Rig rig = rig_begin(ctx, model, c->role, "sgd", 1);
  AbBatch *batch = plugin_test_batch(
      ctx, rows_of(ctx, c, x, 4),
      c->role == AB_ROLE_CLASSIFY ? plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(4), labels) : NULL);
  double after[WEIGHTS];

  if (!alone) ab_batch_put(batch, "unlabelled", rows_of(ctx, c, unlabelled, ROWS));
  move(model, w, FALSE);
  plugin_test_close(plugin_test_step(ctx, rig.step, batch, 0, 1), cost(w, &sums),
                    at->real == AB_F32 ? 1e-4 : 1e-10);
  plugin_test_fine(ctx);
  move(model, after, TRUE);
  for (int i = 0; i < places.count; i++)
    plugin_test_close(w[i] - after[i], slope(w, i, &sums), at->real == AB_F32 ? 5e-3 : 1e-6);
  ab_batch_free(batch);
  rig_end(&rig);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_cost(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    check_cost(at, &cases[i], FALSE);
    check_cost(at, &cases[i], TRUE);
  }
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* Numbers for a statistic that is saved as `name`; those of a variance are above 0. */
static void set_statistic(AbModel *model, const char *name, int l, double *values, int seed) {
  g_autofree char *full = g_strdup_printf("%s%d", name, l);
  AbTensor *buffer = plugin_test_state(model, full);
  gboolean mean = strstr(name, "mean") != NULL;
  g_autofree double *numbers =
      plugin_test_numbers(ab_count(buffer), mean ? -1 : 0.3, mean ? 1 : 2, (guint64)(seed + l));

  plugin_test_fill(buffer, numbers);
  memcpy(values, numbers, (gsize)ab_count(buffer) * sizeof *values);
}

static void check_roles(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c, 0.3); /* the noise is for learning */
  Places places = places_of(model, c);
  g_autofree double *x = plugin_test_numbers(ROWS * c->width[0], -1, 1, 40);
  g_autofree double *w = plugin_test_numbers(places.count, -1, 1, 41);
  double mean[L_MAX + 1][WIDTH], variance[L_MAX + 1][WIDTH], expected[ROWS * WIDTH];
  double tolerance = at->real == AB_F32 ? 2e-4 : 1e-10;
  gboolean classifies = c->role == AB_ROLE_CLASSIFY;
  int code = c->top - classifies, width;
  Path path;
  Matrix estimate[L_MAX + 1], logits;
  AbTensor *rows = rows_of(ctx, c, x, ROWS), *got;

  move(model, w, FALSE);
  for (int l = 1; l <= c->top; l++) {
    set_statistic(model, "encoder_mean", l, path.mean[l], 50);
    set_statistic(model, "encoder_variance", l, path.variance[l], 60);
  }
  for (int l = lowest(c); l <= c->top; l++) {
    set_statistic(model, "decoder_mean", l, mean[l], 70);
    set_statistic(model, "decoder_variance", l, variance[l], 80);
  }
  encode(&places, w, x, ROWS, TRUE, &path);
  decode(&places, w, &path, ROWS, mean, variance, estimate);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  width = c->width[code];
  for (int i = 0; i < ROWS * width; i++) expected[i] = path.h[code][i / width][i % width];
  plugin_test_near(ab_encode(model, rows), expected, ROWS * width, tolerance);
  if (classifies) {
    width = c->width[c->top];
    received(&places, w, c->top, path.z[c->top], ROWS, logits);
    for (int i = 0; i < ROWS * width; i++) expected[i] = logits[i / width][i % width];
    plugin_test_near(ab_call(model, AB_ROLE_CLASSIFY, rows), expected, ROWS * width, tolerance);
  }
  if (lowest(c) == 0) {
    width = c->width[0];
    for (int i = 0; i < ROWS * width; i++) expected[i] = estimate[0][i / width][i % width];
    got = ab_reconstruct(model, rows);
    plugin_test_near(got, expected, ROWS * width, tolerance);
    g_assert_cmpint(ab_rank(got), ==, ab_rank(rows));
  }
  if (lowest(c) <= c->top) {
    memset(expected, 0, sizeof expected);
    for (int l = lowest(c); l <= c->top; l++)
      for (int r = 0; r < ROWS; r++) expected[r] += distance(&places, &path, l, r, estimate);
    plugin_test_near(ab_call(model, AB_ROLE_SCORE, rows), expected, ROWS, tolerance * 10);
  }
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_roles(const PluginTestCase *at) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_roles(at, &cases[i]);
}

/* Averages of all batches, then with the momentum; of the clean rows without labels. */
static void test_statistics(const PluginTestCase *at) {
  static const Case c = {AB_ROLE_CLASSIFY, AB_RELU, 2, {3, 4, 2}, 1, {1}};
  const double labels[] = {0, 1, 1, 0}, rate[] = {1, 1 / 2.0, 0.4, 0.4};
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, &c, 0.3);
  Places places = places_of(model, &c);
  Rig rig = rig_begin(ctx, model, c.role, "sgd", 1e-300);
  g_autofree double *w = plugin_test_numbers(places.count, -1, 1, 45);
  g_autofree double *labelled = plugin_test_numbers(4 * 3, -1, 1, 46);
  double mean[2] = {0}, variance[2] = {0};

  plugin_test_set_real(model, "momentum", 0.4);
  move(model, w, FALSE);
  for (int t = 0; t < 4; t++) {
    g_autofree double *x = plugin_test_numbers(ROWS * 3, -1, 1, (guint64)(90 + t));
    AbBatch *batch = plugin_test_batch(ctx, rows_of(ctx, &c, labelled, 4),
                                       plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(4), labels));
    Path path;

    ab_batch_put(batch, "unlabelled", rows_of(ctx, &c, x, ROWS));
    plugin_test_step(ctx, rig.step, batch, t, 1);
    ab_batch_free(batch);
    encode(&places, w, x, ROWS, FALSE, &path);
    for (int j = 0; j < 2; j++) {
      mean[j] += rate[t] * (path.mean[2][j] - mean[j]);
      variance[j] += rate[t] * (path.variance[2][j] * ROWS / (ROWS - 1) - variance[j]);
    }
    plugin_test_near(plugin_test_state(model, "encoder_mean2"), mean, 2, at->exact * 10);
    plugin_test_near(plugin_test_state(model, "encoder_variance2"), variance, 2, at->exact * 10);
  }
  rig_end(&rig);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- noise ----------------------------------------------------------------------------------- */

/* With g that gives back z~ (in the scale of q) the cost is the mean square of the noise, and five
 * standard errors of that are 5 sqrt(2 / numbers) of it. Samples are so large that the noise of x
 * is nothing to the layer above.                                                                 */
static void test_noise(void) {
  enum { MANY = 4000 };
  for (int l = 0; l < 2; l++) {
    AbContext *ctx = ab_context_new("cpu", AB_F64, 3);
    const Case c = {AB_ROLE_ENCODE, AB_RELU, 1, {3, 3}, 2, {1 - l, l}};
    AbModel *model = make(ctx, &c, 0.5);
    g_autofree double *x = plugin_test_numbers(MANY * 3, -1e6, 1e6, 47);
    const double unit[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    double v[3], mu[3], zero[3] = {0};
    Rig rig = rig_begin(ctx, model, c.role, "sgd", 1e-300);
    AbBatch *batch = plugin_test_batch(ctx, rows_of(ctx, &c, x, MANY), NULL);
    g_autofree char *v_name = g_strdup_printf("a10_%d", l);
    g_autofree char *mu_name = g_strdup_printf("a5_%d", l);

    plugin_test_fill(plugin_test_state(model, "W1"), unit);
    for (int j = 0; j < 3; j++) {
      double mean = 0, square = 0;

      for (int r = 0; r < MANY; r++) mean += x[3 * r + j] / MANY;
      for (int r = 0; r < MANY; r++) square += (x[3 * r + j] - mean) * (x[3 * r + j] - mean) / MANY;
      v[j] = l == 0 ? 1 : sqrt(square); /* z^ = z~ v + mu (1 - v) */
      mu[j] = l == 0 ? 0 : mean / (1 - v[j]);
    }
    plugin_test_fill(plugin_test_state(model, v_name), v);
    plugin_test_fill(plugin_test_state(model, mu_name), mu);
    for (int k = 1; k <= 9; k++) {
      g_autofree char *name = g_strdup_printf("a%d_%d", k, l);

      if (k != 5) plugin_test_fill(plugin_test_state(model, name), zero);
    }
    plugin_test_close(plugin_test_step(ctx, rig.step, batch, 0, 1), 0.25,
                      0.25 * 5 * sqrt(2.0 / (MANY * 3)));
    ab_batch_free(batch);
    rig_end(&rig);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

/* ---- learning -------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  AbData *digits, *data;
} Digits;

static AbTensor *field(const Digits *d, const char *name, AbSplit split, const gint64 *rows,
                       gint64 count) {
  g_autofree double *values = plugin_test_fetch(d->data, name, split, rows, count);

  if (strcmp(name, "y") == 0) return plugin_test_tensor_of(d->ctx, AB_I64, AB_SHAPE(count), values);
  return plugin_test_tensor(d->ctx, AB_SHAPE(count, 8, 8), values);
}

static Digits digits_begin(guint64 seed) {
  Digits d = {.ctx = ab_context_new("cpu", AB_F32, seed)};

  ab_set_store(d.ctx, store_service());
  d.digits = plugin_test_new_at(d.ctx, AB_KIND_DATA, "digits", "data/of");
  d.data = plugin_test_new(d.ctx, AB_KIND_DATA, "few-labels");
  plugin_test_slot(d.data, "of", d.digits);
  plugin_test_set_int(d.data, "labelled", 50);
  plugin_test_set_int(d.data, "validation", 0);
  g_assert_true(plugin_test_open(d.data));
  return d;
}

static void digits_end(Digits *d) {
  ab_instance_free(d->data);
  ab_instance_free(d->digits);
  plugin_test_finish(d->ctx);
}

/* Steps with batches of a hundred, at a rate that falls to 0 over the last third. */
static void learn(const Digits *d, AbStep *step, AbOptimizer *adam, int steps) {
  guint64 state = 17;

  for (int t = 0; t < steps; t++) {
    AbScope scope = ab_scope_begin(d->ctx);
    gint64 rows[100];
    AbBatch *batch;

    for (int i = 0; i < 100; i++) rows[i] = (gint64)(1437 * plugin_test_number(&state));
    batch = plugin_test_batch(d->ctx, field(d, "x", AB_TRAIN, rows, 100),
                              field(d, "y", AB_TRAIN, rows, 100));
    ab_batch_put(batch, "unlabelled", field(d, "unlabelled", AB_TRAIN, rows, 100));
    plugin_test_set_real(adam, "lr", 2e-3 * fmin(1, 3 * (1 - (double)t / steps)));
    plugin_test_step(d->ctx, step, batch, t, 1);
    plugin_test_fine(d->ctx);
    ab_batch_free(batch);
    ab_scope_end(d->ctx, scope, NULL, 0);
  }
}

/* Of the 360 digits of the test, the part that is classified rightly. */
static double accuracy(const Digits *d, AbModel *model) {
  gint64 rows[360];
  int right = 0;

  for (int i = 0; i < 360; i++) rows[i] = i;
  ab_begin(d->ctx, AB_PURPOSE_EVALUATE, 0);
  {
    AbTensor *x = field(d, "x", AB_TEST, rows, 360);
    g_autofree double *y = plugin_test_fetch(d->data, "y", AB_TEST, rows, 360);
    g_autofree double *class = plugin_test_values(ab_argmax(ab_call(model, AB_ROLE_CLASSIFY, x)));

    for (int i = 0; i < 360; i++) right += class[i] == y[i];
  }
  return right / 360.0;
}

static double learned(const char *plugin, int steps) {
  Digits d = digits_begin(1);
  AbModel *model = plugin_test_new(d.ctx, AB_KIND_MODEL, plugin);
  AbLoss *loss = plugin_test_new(d.ctx, AB_KIND_LOSS, "cross-entropy");
  AbOptimizer *adam = plugin_test_new(d.ctx, AB_KIND_OPTIMIZER, "adam");
  AbController *trainer = plugin_test_new(d.ctx, AB_KIND_CONTROLLER, "trainer");
  AbSpec in = plugin_test_spec(d.ctx, AB_RANGE_UNIT, 8, 8, 0);
  AbSpec out = plugin_test_spec(d.ctx, AB_RANGE_REAL, 10, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_CLASSIFY, &in, &out);
  AbStepParts parts = {.role = AB_ROLE_CLASSIFY,
                       .model = model,
                       .loss = strcmp(plugin, "mlp") == 0 ? loss : NULL,
                       .optimizer = adam,
                       .controller = trainer};
  const gint64 units[] = {100, 50};
  AbStep *step;
  double result;

  plugin_test_set_ints(model, "units", 2, units);
  ab_build(model, &wanted);
  step = ab_step_new(d.ctx, &parts);
  ab_step_build(step);
  plugin_test_fine(d.ctx);
  learn(&d, step, adam, steps);
  result = accuracy(&d, model);
  ab_step_free(step);
  ab_instance_free(trainer);
  ab_instance_free(adam);
  ab_instance_free(loss);
  ab_instance_free(model);
  digits_end(&d);
  return result;
}

/* Five labelled digits of each class, and 1,387 without a label: what these are worth. */
static void test_learning(void) {
  double ladder = learned("ladder", 400), mlp = learned("mlp", 400);

  g_test_message("ladder %g, mlp %g", ladder, mlp);
  g_assert_cmpfloat(ladder, >, 0.84);
  g_assert_cmpfloat(ladder, >, mlp + 0.05);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void check_error(const Case *c, const char *pattern) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbModel *model = make(ctx, c, 0.3);

  plugin_test_error(ctx, AB_CONFIG, pattern);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_errors(void) {
  check_error(&(Case){AB_ROLE_ENCODE, AB_RELU, 0, {3}, 1, {1}},
              "model (ladder): units has 0*1 to*");
  check_error(&(Case){AB_ROLE_ENCODE, AB_RELU, 1, {3, 2}, 3, {1, 1, 1}},
              "model (ladder): weights has 3 entries*with x there are 2 layers*");
  check_error(&(Case){AB_ROLE_CLASSIFY, AB_RELU, 1, {3, 2}, 0, {1}},
              "model (ladder): weights has 0 entries*x and the classes*2 layers*");
  check_error(&(Case){AB_ROLE_ENCODE, AB_RELU, 1, {3, 2}, 1, {0}},
              "model (ladder): weights are all 0*above 0*");
  check_error(&(Case){AB_ROLE_RECONSTRUCT, AB_RELU, 1, {3, 2}, 2, {0, 1}},
              "model (ladder): reconstruct needs*weights must begin above 0*");
}

static void test_role_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  const Case unsupervised = {AB_ROLE_ENCODE, AB_RELU, 1, {3, 2}, 2, {0, 1}};
  const Case supervised = {AB_ROLE_CLASSIFY, AB_RELU, 1, {3, 2}, 1, {0}};
  AbModel *first = make(ctx, &unsupervised, 0.3), *second = make(ctx, &supervised, 0.3);
  const double numbers[6] = {0}, labels[] = {1};
  AbTensor *x = plugin_test_tensor(ctx, AB_SHAPE(2, 3), numbers);
  Rig rig = rig_begin(ctx, second, AB_ROLE_CLASSIFY, "sgd", 1);
  AbBatch *one = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(1, 3), numbers),
                                   plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(1), labels));

  g_assert_null(ab_call(first, AB_ROLE_CLASSIFY, x));
  plugin_test_error(ctx, AB_CONFIG, "model (ladder): *not built to classify*");
  g_assert_null(ab_reconstruct(first, x));
  plugin_test_error(ctx, AB_CONFIG, "model (ladder): reconstruct needs*");
  g_assert_null(ab_call(second, AB_ROLE_SCORE, x));
  plugin_test_error(ctx, AB_CONFIG, "model (ladder): score is*all 0*");
  plugin_test_step(ctx, rig.step, one, 0, 1);
  plugin_test_error(ctx, AB_CONFIG, "model (ladder): a batch of one sample*data.batch*");
  ab_batch_free(one);
  rig_end(&rig);
  ab_instance_free(second);
  ab_instance_free(first);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/plugins/models/ladder/cost", test_cost);
  plugin_test_add("/plugins/models/ladder/roles", test_roles);
  plugin_test_add("/plugins/models/ladder/statistics", test_statistics);
  g_test_add_func("/plugins/models/ladder/noise", test_noise);
  g_test_add_func("/plugins/models/ladder/learning", test_learning);
  g_test_add_func("/plugins/models/ladder/errors", test_errors);
  g_test_add_func("/plugins/models/ladder/role-errors", test_role_errors);
  return g_test_run();
}
