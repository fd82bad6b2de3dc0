/* SPDX-License-Identifier: Apache-2.0
 *
 * Hebbian learning: each rule's steps against loops in double; principal components of samples
 * whose covariance is known, and of MNIST against a principal component analysis done here.     */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

enum { HEBB, OJA, SUBSPACE, SANGER, RULES };
static const char *const rules[] = {"hebb", "oja", "subspace", "sanger"};

typedef struct {
  AbContext *ctx;
  AbModel *model;
  AbOptimizer *optimizer;
  AbController *controller;
  AbStep *step;
  gint64 steps;
} Rig;

static Rig rig_begin(AbContext *ctx, const char *rule, gint64 units, gboolean centre, double lr) {
  Rig rig = {.ctx = ctx};

  rig.model = plugin_test_new(ctx, AB_KIND_MODEL, "hebbian");
  rig.optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "sgd");
  rig.controller = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_choice(rig.model, "rule", rule);
  plugin_test_set_int(rig.model, "units", units);
  plugin_test_set_bool(rig.model, "centre", centre);
  plugin_test_set_real(rig.optimizer, "lr", lr);
  return rig;
}

static void rig_build(Rig *rig, gint64 a, gint64 b) {
  AbSpec x = plugin_test_spec(rig->ctx, AB_RANGE_REAL, a, b, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  AbStepParts parts = {.role = AB_ROLE_RECONSTRUCT,
                       .model = rig->model,
                       .optimizer = rig->optimizer,
                       .controller = rig->controller};

  ab_build(rig->model, &wanted);
  plugin_test_fine(rig->ctx);
  rig->step = ab_step_new(rig->ctx, &parts);
  ab_step_build(rig->step);
  plugin_test_fine(rig->ctx);
}

static void rig_end(Rig *rig) {
  ab_step_free(rig->step);
  ab_instance_free(rig->controller);
  ab_instance_free(rig->optimizer);
  ab_instance_free(rig->model);
  plugin_test_finish(rig->ctx);
}

static double rig_step(Rig *rig, AbTensor *x) {
  AbBatch *batch = plugin_test_batch(rig->ctx, x, NULL);
  double loss = plugin_test_step(rig->ctx, rig->step, batch, rig->steps++, 1000);

  plugin_test_fine(rig->ctx);
  ab_batch_free(batch);
  return loss;
}

/* ---- the rules as loops ---------------------------------------------------------------------- */

#define N  5 /* samples of a batch */
#define D  4
#define K  3
#define LR 0.3

typedef struct {
  int rule;
  gboolean centre;
  double W[D][K], mean[D], count;
} Net;

static void normalise(Net *net) {
  for (int j = 0; j < K; j++) {
    double length = 0;

    for (int i = 0; i < D; i++) length += net->W[i][j] * net->W[i][j];
    for (int i = 0; i < D; i++) net->W[i][j] /= sqrt(length);
  }
}

static void net_code(const Net *net, const double *x, double *y) {
  for (int j = 0; j < K; j++) {
    y[j] = 0;
    for (int i = 0; i < D; i++) y[j] += (x[i] - net->mean[i]) * net->W[i][j];
  }
}

static void net_decode(const Net *net, const double *y, double *x) {
  double share = net->rule == HEBB || net->rule == OJA ? 1.0 / K : 1;

  for (int i = 0; i < D; i++) {
    x[i] = net->mean[i];
    for (int j = 0; j < K; j++) x[i] += share * y[j] * net->W[i][j];
  }
}

/* What unit j takes from x before it learns, at place i. */
static double explained(const Net *net, const double *y, int i, int j) {
  double sum = 0;

  for (int k = 0; k < K; k++)
    if ((net->rule == OJA && k == j) || net->rule == SUBSPACE || (net->rule == SANGER && k <= j))
      sum += y[k] * net->W[i][k];
  return sum;
}

/* One step over a batch; returns the mean squared error of what was decoded with the old weights.
 */
static double net_learn(Net *net, const double *x) {
  double d[D][K] = {{0}}, sum[D] = {0}, y[K], back[D], loss = 0;

  if (net->rule == HEBB) normalise(net);
  for (int r = 0; r < N; r++)
    for (int i = 0; i < D; i++) sum[i] += x[r * D + i];
  for (int i = 0; net->centre && i < D; i++)
    net->mean[i] = (net->count * net->mean[i] + sum[i]) / (net->count + N);
  net->count += N;
  for (int r = 0; r < N; r++) {
    net_code(net, x + r * D, y);
    net_decode(net, y, back);
    for (int i = 0; i < D; i++) {
      loss += (back[i] - x[r * D + i]) * (back[i] - x[r * D + i]) / (N * D);
      for (int j = 0; j < K; j++)
        d[i][j] += y[j] * (x[r * D + i] - net->mean[i] - explained(net, y, i, j)) / N;
    }
  }
  for (int i = 0; i < D; i++)
    for (int j = 0; j < K; j++) net->W[i][j] += LR * d[i][j];
  return loss;
}

/* Three steps on different batches; then the roles. Samples are [2, 2]. */
static void check_rule(const PluginTestCase *at, int rule, gboolean centre) {
  Rig rig = rig_begin(plugin_test_context(at), rules[rule], K, centre, LR);
  g_autofree double *x = plugin_test_numbers(3 * N * D, -1, 2, 5);
  g_autofree double *w = plugin_test_numbers(D * K, -1, 1, 6);
  Net net = {.rule = rule, .centre = centre};
  double y[N * K], back[N * D];
  AbTensor *rows, *code;

  rig_build(&rig, 2, 2);
  memcpy(net.W, w, sizeof net.W);
  plugin_test_fill(plugin_test_state(rig.model, "W"), w);
  for (int s = 0; s < 3; s++) {
    rows = plugin_test_tensor(rig.ctx, AB_SHAPE(N, 2, 2), x + s * N * D);
    plugin_test_close(rig_step(&rig, rows), net_learn(&net, x + s * N * D), at->exact);
    plugin_test_near(plugin_test_state(rig.model, "W"), &net.W[0][0], D * K, at->exact);
    plugin_test_near(plugin_test_state(rig.model, "mean"), net.mean, D, at->exact);
  }
  if (rule == HEBB) normalise(&net);
  for (int r = 0; r < N; r++) {
    net_code(&net, x + r * D, y + r * K);
    net_decode(&net, y + r * K, back + r * D);
  }
  rows = plugin_test_tensor(rig.ctx, AB_SHAPE(N, 2, 2), x);
  code = ab_encode(rig.model, rows);
  plugin_test_near(code, y, N * K, at->exact);
  plugin_test_near(ab_decode(rig.model, code), back, N * D, at->exact);
  plugin_test_near(ab_reconstruct(rig.model, rows), back, N * D, at->exact);
  g_assert_cmpint(ab_rank(ab_reconstruct(rig.model, rows)), ==, 3);
  rig_end(&rig);
}

static void test_rules(const PluginTestCase *at) {
  for (int rule = 0; rule < RULES; rule++)
    for (int centre = 0; centre < 2; centre++) check_rule(at, rule, centre);
}

/* ---- eigenvectors in double ------------------------------------------------------------------ */

/* Jacobi's method: a [n, n], symmetric, becomes diagonal; the columns of v are its eigenvectors. */
static void jacobi(double *a, double *v, int n) {
  for (int i = 0; i < n * n; i++) v[i] = i % (n + 1) == 0;
  for (int sweep = 0; sweep < 60; sweep++)
    for (int p = 0; p < n; p++)
      for (int q = p + 1; q < n; q++) {
        double apq = a[p * n + q], theta, t, c, s;

        if (fabs(apq) < 1e-300) continue;
        theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
        c = 1 / sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < n; k++) {
          double x = a[k * n + p], y = a[k * n + q];

          a[k * n + p] = c * x - s * y, a[k * n + q] = s * x + c * y;
        }
        for (int k = 0; k < n; k++) {
          double x = a[p * n + k], y = a[q * n + k];

          a[p * n + k] = c * x - s * y, a[q * n + k] = s * x + c * y;
        }
        for (int k = 0; k < n; k++) {
          double x = v[k * n + p], y = v[k * n + q];

          v[k * n + p] = c * x - s * y, v[k * n + q] = s * x + c * y;
        }
      }
}

/* Makes the columns of a [rows, columns] orthonormal (Gram and Schmidt, twice). */
static void orthonormal(double *a, int rows, int columns) {
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < columns; j++) {
      double length = 0;

      for (int k = 0; k < j; k++) {
        double dot = 0;

        for (int i = 0; i < rows; i++) dot += a[i * columns + k] * a[i * columns + j];
        for (int i = 0; i < rows; i++) a[i * columns + j] -= dot * a[i * columns + k];
      }
      for (int i = 0; i < rows; i++) length += a[i * columns + j] * a[i * columns + j];
      for (int i = 0; i < rows; i++) a[i * columns + j] /= sqrt(length);
    }
}

/* The largest angle, in degrees, between the spaces that the columns of a and b span; both become
 * orthonormal. Its cosine is the smallest singular value of a' b.                               */
static double principal_angle(double *a, double *b, int rows, int columns) {
  double m[16 * 16], g[16 * 16], v[16 * 16], least = 1;

  g_assert_cmpint(columns, <=, 16);
  orthonormal(a, rows, columns);
  orthonormal(b, rows, columns);
  for (int i = 0; i < columns; i++)
    for (int j = 0; j < columns; j++) {
      m[i * columns + j] = 0;
      for (int r = 0; r < rows; r++) m[i * columns + j] += a[r * columns + i] * b[r * columns + j];
    }
  for (int i = 0; i < columns; i++)
    for (int j = 0; j < columns; j++) {
      g[i * columns + j] = 0;
      for (int k = 0; k < columns; k++)
        g[i * columns + j] += m[k * columns + i] * m[k * columns + j];
    }
  jacobi(g, v, columns);
  for (int i = 0; i < columns; i++) least = fmin(least, g[i * columns + i]);
  return asin(sqrt(fmax(0, 1 - least))) * 180 / G_PI;
}

/* ---- samples of known covariance ------------------------------------------------------------- */

#define WIDE 8

/* Direction c of eight that are orthonormal: Hadamard's. */
static double direction(int i, int c) {
  return (__builtin_popcount((unsigned)(i & c)) % 2 ? -1 : 1) / sqrt(WIDE);
}

/* mean + and - a_c times each direction: the covariance has these eigenvectors, and as variances
 * a_c^2 / 8 in descending order.                                                                */
static AbTensor *known_samples(AbContext *ctx) {
  double x[2 * WIDE * WIDE];

  for (int r = 0; r < 2 * WIDE; r++)
    for (int i = 0; i < WIDE; i++) {
      int c = r / 2;

      x[r * WIDE + i] = 0.5 * i - 1 + (r % 2 ? -1 : 1) * sqrt(8.0 - c) * direction(i, c);
    }
  return plugin_test_tensor(ctx, AB_SHAPE(2 * WIDE, WIDE), x);
}

/* After 600 steps: sanger has each component in its place, subspace their space, hebb and oja the
 * first in each unit.                                                                           */
static void test_known(const PluginTestCase *at) {
  for (int rule = 0; rule < RULES; rule++) {
    AbContext *ctx = plugin_test_context(at);
    Rig rig = rig_begin(ctx, rules[rule], K, TRUE, 0.5);
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *x = known_samples(ctx);
    g_autofree double *w = NULL;
    double expected[WIDE * K];

    rig_build(&rig, WIDE, 0);
    for (int s = 0; s < 600; s++) rig_step(&rig, x);
    w = plugin_test_values(plugin_test_state(rig.model, "W"));
    for (int i = 0; i < WIDE * K; i++) expected[i] = direction(i / K, rule <= OJA ? 0 : i % K);
    if (rule == SUBSPACE) g_assert_cmpfloat(principal_angle(w, expected, WIDE, K), <, 0.1);
    for (int j = 0; j < K && rule != SUBSPACE; j++) {
      double a[WIDE], b[WIDE], length = 0;

      for (int i = 0; i < WIDE; i++) {
        a[i] = w[i * K + j], b[i] = expected[i * K + j];
        length += a[i] * a[i];
      }
      if (rule != HEBB) plugin_test_close(length, 1, 1e-3); /* hebb's are made so in use */
      g_assert_cmpfloat(principal_angle(a, b, WIDE, 1), <, 0.1);
    }
    ab_scope_end(ctx, scope, NULL, 0);
    rig_end(&rig);
  }
}

/* Without the mean taken off, the first direction is that of the second moment: here the mean's. */
static void test_not_centred(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Rig rig = rig_begin(ctx, "oja", 1, FALSE, 0.01);
  AbScope scope = ab_scope_begin(ctx);
  double rows[6] = {10, 0.5, 10, 0, 10, -0.5}, mean[2] = {1, 0};
  AbTensor *x = plugin_test_tensor(ctx, AB_SHAPE(3, 2), rows);
  g_autofree double *w = NULL;

  rig_build(&rig, 2, 0);
  for (int s = 0; s < 200; s++) rig_step(&rig, x);
  w = plugin_test_values(plugin_test_state(rig.model, "W"));
  g_assert_cmpfloat(principal_angle(w, mean, 2, 1), <, 1e-2);
  ab_scope_end(ctx, scope, NULL, 0);
  rig_end(&rig);
}

/* ---- MNIST ----------------------------------------------------------------------------------- */

#define IMAGES     20000
#define PIXELS     784
#define COMPONENTS 16
#define BLOCK      32
#define EPOCHS     30
#define BATCH      100

/* The covariance of images; most pixels are 0. */
static double *covariance(const double *images) {
  double *c = g_new0(double, PIXELS *PIXELS), mean[PIXELS] = {0};

  for (int r = 0; r < IMAGES; r++) {
    const double *x = images + (gsize)r * PIXELS;
    int lit[PIXELS], count = 0;

    for (int i = 0; i < PIXELS; i++)
      if (x[i] != 0) lit[count++] = i;
    for (int a = 0; a < count; a++) {
      mean[lit[a]] += x[lit[a]] / IMAGES;
      for (int b = 0; b < count; b++) c[lit[a] * PIXELS + lit[b]] += x[lit[a]] * x[lit[b]] / IMAGES;
    }
  }
  for (int i = 0; i < PIXELS; i++)
    for (int j = 0; j < PIXELS; j++) c[i * PIXELS + j] -= mean[i] * mean[j];
  return c;
}

/* The first components as columns [PIXELS, COMPONENTS]: powers of the covariance on a block of
 * vectors, then its eigenvectors within what they span (Rayleigh and Ritz).                     */
static double *components(const double *c) {
  double *q = plugin_test_numbers(PIXELS * BLOCK, -1, 1, 3);
  double *found = g_new0(double, PIXELS *COMPONENTS), small[BLOCK * BLOCK] = {0}, v[BLOCK * BLOCK];
  g_autofree double *next = g_new(double, PIXELS *BLOCK);
  int order[BLOCK];

  for (int round = 0; round < 30; round++) {
    orthonormal(q, PIXELS, BLOCK);
    memset(next, 0, PIXELS * BLOCK * sizeof *next);
    for (int i = 0; i < PIXELS; i++)
      for (int k = 0; k < PIXELS; k++)
        for (int j = 0; j < BLOCK; j++) next[i * BLOCK + j] += c[i * PIXELS + k] * q[k * BLOCK + j];
    memset(small, 0, sizeof small);
    for (int i = 0; i < PIXELS; i++)
      for (int a = 0; a < BLOCK; a++)
        for (int b = 0; b < BLOCK; b++)
          small[a * BLOCK + b] += q[i * BLOCK + a] * next[i * BLOCK + b];
    if (round < 29) memcpy(q, next, PIXELS * BLOCK * sizeof *q);
  }
  jacobi(small, v, BLOCK);
  for (int j = 0; j < BLOCK; j++) {
    int place = j;

    while (place > 0 && small[order[place - 1] * (BLOCK + 1)] < small[j * (BLOCK + 1)])
      order[place] = order[place - 1], place--;
    order[place] = j;
  }
  for (int i = 0; i < PIXELS; i++)
    for (int j = 0; j < COMPONENTS; j++)
      for (int k = 0; k < BLOCK; k++)
        found[i * COMPONENTS + j] += q[i * BLOCK + k] * v[k * BLOCK + order[j]];
  g_free(q);
  return found;
}

/* The first images, from 0 to 1; NULL if there are none. */
static double *mnist(AbContext *ctx) {
  g_autofree char *folder = plugin_test_data("mnist");
  g_autofree gint64 *rows = g_new(gint64, IMAGES);
  AbData *data;
  double *images;

  if (folder == NULL) return NULL;
  data = plugin_test_new(ctx, AB_KIND_DATA, "idx");
  plugin_test_set_text(data, "folder", folder);
  g_assert_true(plugin_test_open(data));
  for (gint64 i = 0; i < IMAGES; i++) rows[i] = i;
  images = plugin_test_fetch(data, "x", AB_TRAIN, rows, IMAGES);
  ab_data_close(data);
  ab_instance_free(data);
  return images;
}

/* As examples/mnist-hebbian.yaml, but for fewer images and more epochs of them. */
static void learn_mnist(Rig *rig, const double *images) {
  int batches = IMAGES / BATCH;
  AbTensor *all = plugin_test_tensor(rig->ctx, AB_SHAPE(IMAGES, PIXELS), images);

  for (int epoch = 0; epoch < EPOCHS; epoch++)
    for (int b = 0; b < batches; b++) {
      AbScope scope = ab_scope_begin(rig->ctx);
      int from = (b * 7 + epoch * 3) % batches * BATCH; /* each batch once, in another order */
      AbBatch *batch = plugin_test_batch(rig->ctx, ab_slice(all, 0, from, from + BATCH), NULL);
      AbProgress progress = {epoch, EPOCHS, rig->steps++, batches};

      ab_begin(rig->ctx, AB_PURPOSE_TRAIN, progress.step);
      g_assert_nonnull(ab_step_run(rig->step, batch, &progress));
      ab_batch_free(batch);
      ab_scope_end(rig->ctx, scope, NULL, 0);
    }
}

static void test_mnist(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbScope scope = ab_scope_begin(ctx);
  g_autofree double *images = mnist(ctx), *c = NULL, *expected = NULL, *w = NULL;
  AbInstance *schedule;
  double angle;
  Rig rig;

  if (images == NULL) {
    ab_scope_end(ctx, scope, NULL, 0);
    ab_context_free(ctx);
    return;
  }
  rig = rig_begin(ctx, "sanger", COMPONENTS, TRUE, 0.1);
  schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, "polynomial");
  plugin_test_set_real(schedule, "power", 2);
  plugin_test_slot(rig.optimizer, "schedule", schedule);
  rig_build(&rig, PIXELS, 0);
  learn_mnist(&rig, images);
  c = covariance(images);
  expected = components(c);
  w = plugin_test_values(plugin_test_state(rig.model, "W"));
  angle = principal_angle(w, expected, PIXELS, COMPONENTS);
  g_test_message("largest principal angle: %.3f degrees", angle);
  g_assert_cmpfloat(angle, <, 1);
  ab_instance_free(schedule);
  ab_scope_end(ctx, scope, NULL, 0);
  rig_end(&rig);
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void test_errors(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, 4, 0, 0);
  AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 0, 0);
  AbSignature reconstruct = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  AbSignature decode = ab_signature(AB_ROLE_DECODE, &code, &x);

  for (int i = 0; i < 2; i++) {
    AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "hebbian");

    plugin_test_set_int(model, "units", i == 0 ? 5 : 3);
    ab_build(model, i == 0 ? &reconstruct : &decode);
    plugin_test_error(ctx, AB_CONFIG,
                      i == 0 ? "model (hebbian): units: there are 4 components in samples of 4 *5"
                             : "model (hebbian): as a decoder *as wide as units (3)");
    ab_instance_free(model);
  }
  plugin_test_finish(ctx);
}

/* Built as a decoder it takes its code and gives x. */
static void test_decoder(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 2, 0);
  AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, K, 0, 0);
  AbSignature decode = ab_signature(AB_ROLE_DECODE, &code, &x);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "hebbian");
  g_autofree double *y = plugin_test_numbers(2 * K, -1, 1, 9);
  g_autofree double *w = plugin_test_numbers(D * K, -1, 1, 10);
  Net net = {.rule = SANGER};
  double back[2 * D];

  plugin_test_set_int(model, "units", K);
  ab_build(model, &decode);
  plugin_test_fine(ctx);
  plugin_test_fill(plugin_test_state(model, "W"), w);
  memcpy(net.W, w, sizeof net.W);
  for (int r = 0; r < 2; r++) net_decode(&net, y + r * K, back + r * D);
  plugin_test_near(ab_decode(model, plugin_test_tensor(ctx, AB_SHAPE(2, K), y)), back, 2 * D,
                   at->exact);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/hebbian/rules", test_rules);
  plugin_test_add("/hebbian/known-covariance", test_known);
  plugin_test_add("/hebbian/not-centred", test_not_centred);
  plugin_test_add("/hebbian/decoder", test_decoder);
  plugin_test_add("/hebbian/errors", test_errors);
  g_test_add_func("/hebbian/mnist", test_mnist);
  return g_test_run();
}
