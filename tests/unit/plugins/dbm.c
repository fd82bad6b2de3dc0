/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep Boltzmann machines so small that all their states can be counted: mean field, the gradient,
 * where the chains go, the bound of the likelihood, the classifier. Draws are seeded.           */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define MOST 3 /* layers */
#define WIDE 4 /* units of a layer at most */

/* A machine in double: widths n[0] (visible) to n[top]; W[l] between layers l - 1 and l. */
typedef struct {
  int top, n[MOST + 1];
  double W[MOST + 1][WIDE][WIDE], b[MOST + 1][WIDE], c[MOST + 1][WIDE];
} Machine;

/* The same as a plugin, and what trains it: sgd at a rate of 1, so that a step is a gradient. */
typedef struct {
  AbContext *ctx;
  AbModel *model, *layers[MOST];
  AbChildren children;
  AbOptimizer *optimizer;
  AbController *controller;
  AbLoss *loss;
  AbStep *step;
} Rig;

typedef double Units[MOST + 1][WIDE];

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static Machine machine(int top, double scale, guint64 seed) {
  Machine m = {.top = top, .n = {4, 3, 2, 2}};

  for (int l = 1; l <= top; l++) {
    g_autofree double *numbers =
        plugin_test_numbers(WIDE * WIDE + 2 * WIDE, -scale, scale, seed + l);

    memcpy(m.W[l], numbers, sizeof m.W[l]);
    memcpy(m.b[l], numbers + WIDE * WIDE, sizeof m.b[l]);
    memcpy(m.c[l], numbers + WIDE * WIDE + WIDE, sizeof m.c[l]);
  }
  return m;
}

/* a_l: the mean of what the two machines of a unit say. */
static double bias(const Machine *m, int l, int i) {
  if (l == 0) return m->b[1][i];
  return l == m->top ? m->c[l][i] : (m->c[l][i] + m->b[l + 1][i]) / 2;
}

static double received(const Machine *m, Units h, int l, int i) {
  double in = bias(m, l, i);

  for (int j = 0; l > 0 && j < m->n[l - 1]; j++) in += h[l - 1][j] * m->W[l][j][i];
  for (int j = 0; l < m->top && j < m->n[l + 1]; j++) in += h[l + 1][j] * m->W[l + 1][i][j];
  return in;
}

static double energy(const Machine *m, Units h) {
  double e = 0;

  for (int l = 0; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++) {
      e -= bias(m, l, i) * h[l][i];
      for (int j = 0; l > 0 && j < m->n[l - 1]; j++) e -= h[l - 1][j] * m->W[l][j][i] * h[l][i];
    }
  return e;
}

/* State number s of the layers from `first` to the top. */
static void bits(const Machine *m, int s, int first, Units h) {
  for (int l = first; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++, s >>= 1) h[l][i] = s & 1;
}

static int count_bits(const Machine *m, int first) {
  int count = 0;

  for (int l = first; l <= m->top; l++) count += m->n[l];
  return count;
}

/* -log sum over h of exp(-E(v, h)) */
static double free_energy(const Machine *m, const double *v) {
  double sum = 0;
  Units h;

  memcpy(h[0], v, sizeof h[0]);
  for (int s = 0; s < 1 << count_bits(m, 1); s++) {
    bits(m, s, 1, h);
    sum += exp(-energy(m, h));
  }
  return -log(sum);
}

static double log_z(const Machine *m) {
  double sum = 0, v[WIDE];

  for (int s = 0; s < 16; s++) {
    for (int i = 0; i < 4; i++) v[i] = s >> i & 1;
    sum += exp(-free_energy(m, v));
  }
  return log(sum);
}

/* mu[0] is given. */
static void mean_field(const Machine *m, Units mu, int sweeps) {
  for (int l = 1; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++) {
      double in = bias(m, l, i);

      for (int j = 0; j < m->n[l - 1]; j++)
        in += (l < m->top ? 2 : 1) * mu[l - 1][j] * m->W[l][j][i];
      mu[l][i] = sigmoid(in);
    }
  for (int s = 0; s < sweeps; s++)
    for (int l = 1; l <= m->top; l++)
      for (int i = 0; i < m->n[l]; i++) mu[l][i] = sigmoid(received(m, mu, l, i));
}

/* ---- the machine as a plugin ----------------------------------------------------------------- */

/* The first n x n of a machine's numbers, as the plugin has them. */
static void fill(AbModel *layer, const char *name, const double *values, int rows, int cols) {
  double packed[WIDE * WIDE];

  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) packed[i * cols + j] = values[i * WIDE + j];
  plugin_test_fill(plugin_test_state(layer, name), packed);
}

static void set_weights(Rig *rig, const Machine *m) {
  for (int l = 1; l <= m->top; l++) {
    fill(rig->layers[l - 1], "W", &m->W[l][0][0], m->n[l - 1], m->n[l]);
    fill(rig->layers[l - 1], "b", m->b[l], 1, m->n[l - 1]);
    fill(rig->layers[l - 1], "c", m->c[l], 1, m->n[l]);
  }
}

static void unpack(AbModel *layer, const char *name, double *values, int rows, int cols) {
  g_autofree double *packed = plugin_test_values(plugin_test_state(layer, name));

  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) values[i * WIDE + j] = packed[i * cols + j];
}

static void get_weights(const Rig *rig, Machine *m) {
  for (int l = 1; l <= m->top; l++) {
    unpack(rig->layers[l - 1], "W", &m->W[l][0][0], m->n[l - 1], m->n[l]);
    unpack(rig->layers[l - 1], "b", m->b[l], 1, m->n[l - 1]);
    unpack(rig->layers[l - 1], "c", m->c[l], 1, m->n[l]);
  }
}

static void set_layers(AbModel *model, AbChildren children) {
  const AbSlot *slot = model->component->slots;

  g_assert_cmpstr(slot->key, ==, "layers");
  memcpy((char *)model + slot->offset, &children, sizeof children);
}

static AbModel *new_layer(AbContext *ctx, int number, int hidden) {
  g_autofree char *path = g_strdup_printf("model/layers/%d", number);
  AbModel *layer = plugin_test_new_at(ctx, AB_KIND_MODEL, "rbm", path);

  plugin_test_set_int(layer, "hidden", hidden);
  return layer;
}

/* Not built. */
static Rig rig_new(const PluginTestCase *at, const Machine *m, gint64 chains) {
  Rig rig = {.ctx = plugin_test_context(at)};

  rig.model = plugin_test_new(rig.ctx, AB_KIND_MODEL, "dbm");
  for (int l = 1; l <= m->top; l++) rig.layers[l - 1] = new_layer(rig.ctx, l, m->n[l]);
  plugin_test_set_int(rig.model, "chains", chains);
  return rig;
}

static void rig_build(Rig *rig, const Machine *m, AbRole role, const char *optimizer, double lr) {
  AbSpec x = plugin_test_spec(rig->ctx, AB_RANGE_BINARY, 2, 2, 0);
  AbSpec y = plugin_test_spec(rig->ctx, AB_RANGE_REAL, 2, 0, 0);
  AbSignature wanted = ab_signature(role, &x, role == AB_ROLE_CLASSIFY ? &y : &x);
  AbStepParts parts = {.role = role};

  set_layers(rig->model, (AbChildren){m->top, rig->layers});
  ab_build(rig->model, &wanted);
  plugin_test_fine(rig->ctx);
  rig->optimizer = plugin_test_new(rig->ctx, AB_KIND_OPTIMIZER, optimizer);
  rig->controller = plugin_test_new(rig->ctx, AB_KIND_CONTROLLER, "trainer");
  rig->loss = plugin_test_new(rig->ctx, AB_KIND_LOSS, "cross-entropy");
  plugin_test_set_real(rig->optimizer, "lr", lr);
  parts.model = rig->model;
  parts.optimizer = rig->optimizer;
  parts.controller = rig->controller;
  parts.loss = rig->loss;
  rig->step = ab_step_new(rig->ctx, &parts);
  ab_step_build(rig->step);
  plugin_test_fine(rig->ctx);
  set_weights(rig, m);
}

static Rig rig_begin(const PluginTestCase *at, const Machine *m, gint64 chains) {
  Rig rig = rig_new(at, m, chains);

  rig_build(&rig, m, AB_ROLE_RECONSTRUCT, "sgd", 1);
  return rig;
}

static void rig_end(Rig *rig) {
  ab_step_free(rig->step);
  ab_instance_free(rig->loss);
  ab_instance_free(rig->controller);
  ab_instance_free(rig->optimizer);
  ab_instance_free(rig->model);
  for (int l = 0; l < MOST; l++)
    if (rig->layers[l]) ab_instance_free(rig->layers[l]);
  plugin_test_finish(rig->ctx);
}

/* The 16 states of the visible units, or the first ones. */
static AbTensor *all_rows(const Rig *rig, int count) {
  double v[16 * 4];

  for (int i = 0; i < 64; i++) v[i] = i / 4 >> i % 4 & 1;
  return plugin_test_tensor(rig->ctx, AB_SHAPE(count, 2, 2), v);
}

static void visible_bits(int s, Units h) {
  for (int i = 0; i < 4; i++) h[0][i] = s >> i & 1;
}

/* ---- mean field ------------------------------------------------------------------------------ */

/* What a few sweeps give, and that many end at the fixed point. */
static void test_mean_field(const PluginTestCase *at) {
  for (int top = 2; top <= 3; top++)
    for (int sweeps = 2; sweeps <= 300; sweeps += 298) {
      Machine m = machine(top, 1.5, 200);
      Rig rig = rig_begin(at, &m, 10);
      double codes[16 * 2], back[16 * 4];
      AbTensor *got;

      plugin_test_set_int(rig.model, "mean_field", sweeps);
      for (int s = 0; s < 16; s++) {
        Units mu;

        visible_bits(s, mu);
        mean_field(&m, mu, sweeps);
        for (int i = 0; i < 2; i++) codes[2 * s + i] = mu[top][i];
        for (int i = 0; i < 4; i++) back[4 * s + i] = sigmoid(received(&m, mu, 0, i));
        for (int l = 1; sweeps == 300 && l <= top; l++)
          for (int i = 0; i < m.n[l]; i++)
            plugin_test_close(mu[l][i], sigmoid(received(&m, mu, l, i)), 1e-9);
      }
      plugin_test_near(ab_encode(rig.model, all_rows(&rig, 16)), codes, 32, at->exact);
      got = ab_reconstruct(rig.model, all_rows(&rig, 16));
      plugin_test_near(got, back, 64, at->exact);
      g_assert_cmpint(ab_rank(got), ==, 3); /* as the samples: [n, 2, 2] */
      rig_end(&rig);
    }
}

/* ---- learning -------------------------------------------------------------------------------- */

/* Adds `part` times the statistics of a state, of units at a distance from o: what goes with W, and
 * with the biases between such units.                                                            */
static void add_statistics(const Machine *m, Units h, Units o, double part, Machine *g, Units a) {
  for (int l = 0; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++) {
      a[l][i] += part * h[l][i];
      for (int j = 0; l > 0 && j < m->n[l - 1]; j++)
        g->W[l][j][i] += part * (h[l - 1][j] - o[l - 1][j]) * (h[l][i] - o[l][i]);
    }
}

/* From biases between units at a distance from o to those of the machine. */
static void uncentre(const Machine *g, Units o, Units a) {
  for (int l = 1; l <= g->top; l++)
    for (int j = 0; j < g->n[l - 1]; j++)
      for (int i = 0; i < g->n[l]; i++) {
        a[l][i] -= o[l - 1][j] * g->W[l][j][i];
        a[l - 1][j] -= g->W[l][j][i] * o[l][i];
      }
}

static double *chain_of(const Rig *rig, int l) {
  g_autofree char *name = g_strdup_printf("chain%d", l);

  return plugin_test_values(plugin_test_state(rig->model, name));
}

/* Row r of the chains, with means in the even layers. */
static void chain_row(const Machine *m, double *const *chains, int r, Units h) {
  for (int l = 0; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++) h[l][i] = chains[l][r * m->n[l] + i];
  for (int l = 0; l <= m->top; l += 2)
    for (int i = 0; i < m->n[l]; i++) h[l][i] = sigmoid(received(m, h, l, i));
}

static void check_group(const double *before, const double *after, const double *g, int rows,
                        int cols, double share, double tolerance) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++)
      plugin_test_close(after[i * WIDE + j] - before[i * WIDE + j], share * g[i * WIDE + j],
                        tolerance);
}

/* Means of the batch. */
static void offsets(const Machine *m, double *const *rows, int count, Units o) {
  for (int l = 0; l <= m->top; l++)
    for (int i = 0; i < m->n[l]; i++) {
      o[l][i] = 0;
      for (int r = 0; r < count; r++) o[l][i] += rows[l][r * WIDE + i] / count;
    }
}

static void check_step(const Machine *m, const Machine *after, const Machine *g, Units a,
                       double share, double tolerance) {
  for (int l = 1; l <= m->top; l++) {
    check_group(&m->W[l][0][0], &after->W[l][0][0], &g->W[l][0][0], m->n[l - 1], m->n[l], 1,
                tolerance);
    check_group(m->b[l], after->b[l], a[l - 1], 1, m->n[l - 1], l == 1 ? 1 : share, tolerance);
    check_group(m->c[l], after->c[l], a[l], 1, m->n[l], l == m->top ? 1 : share, tolerance);
  }
}

#define SEEN 11

/* A step at a rate of 1 adds the statistics of the data less those of the chains after the step;
 * its loss is the difference of their mean energies. A bias that two layers share takes half of
 * them in each; where the units are centred, the whole. */
static void gradient(const PluginTestCase *at, int top, gboolean centred) {
  Machine m = machine(top, 1, 210), after = m, g = {.top = top, .n = {4, 3, 2, 2}};
  Rig rig = rig_new(at, &m, 7);
  AbBatch *batch = plugin_test_batch(rig.ctx, all_rows(&rig, SEEN), NULL);
  double *chains[MOST + 1] = {NULL}, *rows[MOST + 1];
  double seen[MOST + 1][SEEN * WIDE], tolerance = at->real == AB_F32 ? 1e-5 : 1e-12;
  double loss, apart = 0;
  Units a = {{0}}, o = {{0}}, h;

  plugin_test_set_bool(rig.model, "centred", centred);
  rig_build(&rig, &m, AB_ROLE_RECONSTRUCT, "sgd", 1);
  loss = plugin_test_step(rig.ctx, rig.step, batch, 0, 1);
  plugin_test_fine(rig.ctx);
  get_weights(&rig, &after);
  for (int l = 0; l <= top; l++) chains[l] = chain_of(&rig, l);
  for (int s = 0; s < SEEN; s++) {
    visible_bits(s, h);
    mean_field(&m, h, 10);
    for (int l = 0; l <= top; l++) memcpy(seen[l] + s * WIDE, h[l], sizeof h[l]);
  }
  for (int l = 0; l <= top; l++) rows[l] = seen[l];
  if (centred) offsets(&m, rows, SEEN, o);
  for (int s = 0; s < SEEN; s++) {
    for (int l = 0; l <= top; l++) memcpy(h[l], seen[l] + s * WIDE, sizeof h[l]);
    add_statistics(&m, h, o, 1.0 / SEEN, &g, a);
    apart += energy(&m, h) / SEEN;
  }
  for (int r = 0; r < 7; r++) {
    chain_row(&m, chains, r, h);
    add_statistics(&m, h, o, -1 / 7.0, &g, a);
    apart -= energy(&m, h) / 7;
  }
  plugin_test_close(loss, apart, 10 * tolerance);
  uncentre(&g, o, a);
  check_step(&m, &after, &g, a, centred ? 1 : 0.5, tolerance);
  for (int l = 0; l <= top; l++) g_free(chains[l]);
  ab_batch_free(batch);
  rig_end(&rig);
}

static void test_gradient(const PluginTestCase *at) {
  for (int top = 2; top <= 3; top++) {
    gradient(at, top, FALSE);
    gradient(at, top, TRUE);
  }
}

/* Rows of visible units against the machine's distribution: chi-square of 15 degrees of freedom,
 * below 50 but once in 80000 seeds.                                                              */
static double chi_square(const Machine *m, const double *rows, int count) {
  double chi = 0, counts[16] = {0}, z = log_z(m);

  for (int r = 0; r < count; r++) {
    int s = 0;

    for (int i = 0; i < 4; i++) {
      g_assert_true(rows[r * 4 + i] == 0 || rows[r * 4 + i] == 1);
      s |= (int)rows[r * 4 + i] << i;
    }
    counts[s]++;
  }
  for (int s = 0; s < 16; s++) {
    Units h;
    double expected;

    visible_bits(s, h);
    expected = count * exp(-free_energy(m, h[0]) - z);
    chi += (counts[s] - expected) * (counts[s] - expected) / expected;
  }
  return chi;
}

#define CHAINS 3000

/* The chains end where the machine's distribution says, and what is generated from them has its
 * means; an evaluation leaves them alone.                                                        */
static void test_chains(const PluginTestCase *at) {
  for (int top = 2; top <= 3; top++) {
    Machine m = machine(top, 1.5, 220);
    Rig rig = rig_begin(at, &m, CHAINS);
    AbBatch *batch = plugin_test_batch(rig.ctx, all_rows(&rig, 16), NULL);
    double means[4] = {0}, z = log_z(&m);
    g_autofree double *v = NULL, *again = NULL, *generated = NULL;
    AbTensor *x;

    plugin_test_set_int(rig.model, "k", 40);
    plugin_test_step(rig.ctx, rig.step, batch, 0, 1);
    plugin_test_fine(rig.ctx);
    set_weights(&rig, &m);
    v = chain_of(&rig, 0);
    g_assert_cmpfloat(chi_square(&m, v, CHAINS), <, 50);
    ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
    plugin_test_set_int(rig.model, "burn_in", 20);
    x = ab_generate(rig.model, CHAINS + 100);
    g_assert_cmpint(ab_dim(x, 0), ==, CHAINS + 100);
    g_assert_cmpint(ab_rank(x), ==, 3);
    generated = plugin_test_values(x);
    again = chain_of(&rig, 0);
    g_assert_cmpmem(v, CHAINS * 4 * sizeof *v, again, CHAINS * 4 * sizeof *v);
    for (int i = 0; i < (CHAINS + 100) * 4; i++) means[i % 4] += generated[i] / (CHAINS + 100);
    for (int i = 0; i < 4; i++) {
      double expected = 0;
      Units h;

      for (int s = 0; s < 16; s++) {
        visible_bits(s, h);
        expected += h[0][i] * exp(-free_energy(&m, h[0]) - z);
      }
      g_assert_cmpfloat(fabs(means[i] - expected), <, 5 * 0.5 / sqrt(CHAINS));
    }
    ab_batch_free(batch);
    rig_end(&rig);
  }
}

/* Bars and stripes on 2 x 2 pixels: no distribution gives the six images more than log(1/6) =
 * -1.792 on average; one of independent pixels gives log(1/16) = -2.773.                         */
static double log_likelihood(const Machine *m, const int *images) {
  double sum = 0;
  Units h;

  for (int r = 0; r < 6; r++) {
    visible_bits(images[r], h);
    sum -= free_energy(m, h[0]) / 6;
  }
  return sum - log_z(m);
}

static void test_learning(const PluginTestCase *at) {
  const int images[] = {0, 15, 3, 12, 5, 10};
  Machine m = machine(2, 0.5, 230);
  double rows[24], last;
  AbBatch *batch;
  Rig rig;

  m.n[1] = m.n[2] = 4;
  rig = rig_begin(at, &m, 100);

  for (int i = 0; i < 24; i++) rows[i] = images[i / 4] >> i % 4 & 1;
  batch = plugin_test_batch(rig.ctx, plugin_test_tensor(rig.ctx, AB_SHAPE(6, 2, 2), rows), NULL);
  for (int t = 0; t < 1500; t++) {
    plugin_test_set_real(rig.optimizer, "lr", t < 1100 ? 0.3 : 0.05); /* less noise at the end */
    plugin_test_step(rig.ctx, rig.step, batch, t, 1);
  }
  plugin_test_fine(rig.ctx);
  get_weights(&rig, &m);
  last = log_likelihood(&m, images);
  g_test_message("log-likelihood %.4f of at most %.4f", last, -log(6));
  g_assert_cmpfloat(last, >, -2.2);
  ab_batch_free(batch);
  rig_end(&rig);
}

/* ---- the bound ------------------------------------------------------------------------------- */

static double entropy(double p) {
  return -p * log(p) - (1 - p) * log(1 - p);
}

static void test_bound(const PluginTestCase *at) {
  for (int top = 2; top <= 3; top++) {
    Machine m = machine(top, 1.5, 240);
    Rig rig = rig_begin(at, &m, 10);
    double expected[16], got, exact = log_z(&m);

    plugin_test_set_int(rig.model, "mean_field", 30);
    for (int s = 0; s < 16; s++) {
      Units mu;

      visible_bits(s, mu);
      mean_field(&m, mu, 30);
      expected[s] = energy(&m, mu);
      for (int l = 1; l <= top; l++)
        for (int i = 0; i < m.n[l]; i++) expected[s] -= entropy(mu[l][i]);
      g_assert_cmpfloat(expected[s], >, free_energy(&m, mu[0]));
    }
    plugin_test_near(ab_call(rig.model, AB_ROLE_SCORE, all_rows(&rig, 16)), expected, 16,
                     at->exact);
    ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
    got = ab_item(ab_log_partition(rig.model, 200, 1000));
    g_test_message("log Z %.4f, estimated %.4f", exact, got);
    g_assert_cmpfloat(fabs(got - exact), <, 0.05);
    rig_end(&rig);
  }
}

/* ---- classification -------------------------------------------------------------------------- */

/* The logits of the net at its beginning: a pass through the machine. */
static void begun_logits(const Machine *m, const Rig *rig, int s, double *logits) {
  g_autofree double *U = plugin_test_values(plugin_test_state(rig->model, "U"));
  Units mu, x = {{0}};

  visible_bits(s, mu);
  mean_field(m, mu, 10);
  memcpy(x[0], mu[0], sizeof x[0]);
  for (int l = 1; l <= m->top; l++) {
    if (l < m->top) memcpy(x[l + 1], mu[l + 1], sizeof x[l + 1]);
    for (int i = 0; i < m->n[l]; i++) x[l][i] = sigmoid(received(m, x, l, i));
  }
  for (int k = 0; k < 2; k++) {
    logits[k] = 0;
    for (int i = 0; i < m->n[m->top]; i++) logits[k] += x[m->top][i] * U[i * 2 + k];
  }
}

static AbBatch *labelled(const Rig *rig) {
  double labels[16]; /* whether the upper row has a pixel and the lower one has none, or so */

  for (int s = 0; s < 16; s++) labels[s] = (s & 3) != 0 && (s >> 2) != 3;
  return plugin_test_batch(rig->ctx, all_rows(rig, 16),
                           plugin_test_tensor_of(rig->ctx, AB_I64, AB_SHAPE(16), labels));
}

static int right(const Rig *rig) {
  AbTensor *x = all_rows(rig, 16);
  g_autofree double *logits = NULL;
  int count = 0;

  ab_begin(rig->ctx, AB_PURPOSE_EVALUATE, 0);
  logits = plugin_test_values(ab_call(rig->model, AB_ROLE_CLASSIFY, x));
  for (int s = 0; s < 16; s++)
    count += (logits[2 * s + 1] > logits[2 * s]) == ((s & 3) != 0 && (s >> 2) != 3);
  return count;
}

static void test_classify(const PluginTestCase *at) {
  for (int top = 2; top <= 3; top++) {
    Machine m = machine(top, 1, 250), after;
    double expected[32];
    AbBatch *batch;
    Rig rig;

    m.n[1] = m.n[2] = 4;
    after = m;
    rig = rig_new(at, &m, 10);
    rig_build(&rig, &m, AB_ROLE_CLASSIFY, "adam", 0.05);
    for (int s = 0; s < 16; s++) begun_logits(&m, &rig, s, expected + 2 * s);
    ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
    plugin_test_near(ab_call(rig.model, AB_ROLE_CLASSIFY, all_rows(&rig, 16)), expected, 32,
                     at->exact);
    ab_begin(rig.ctx, AB_PURPOSE_TRAIN, 0); /* V, A and d are made from the machine */
    plugin_test_near(ab_call(rig.model, AB_ROLE_CLASSIFY, all_rows(&rig, 16)), expected, 32,
                     at->exact);
    batch = labelled(&rig);
    for (int t = 0; t < 400; t++) plugin_test_step(rig.ctx, rig.step, batch, t, 1);
    plugin_test_fine(rig.ctx);
    g_assert_cmpint(right(&rig), ==, 16);
    get_weights(&rig, &after); /* the machine is as it was */
    for (int l = 1; l <= top; l++)
      check_group(&m.W[l][0][0], &after.W[l][0][0], &m.W[l][0][0], m.n[l - 1], m.n[l], 0, 1e-6);
    ab_batch_free(batch);
    rig_end(&rig);
  }
}

/* The logits with these units left out of both layers of three, and the others doubled. */
static void thinned_logits(const Machine *m, const Rig *rig, int s, int left_out, double *logits) {
  g_autofree double *U = plugin_test_values(plugin_test_state(rig->model, "U"));
  Units mu, x = {{0}};

  visible_bits(s, mu);
  mean_field(m, mu, 10);
  memcpy(x[0], mu[0], sizeof x[0]);
  memcpy(x[2], mu[2], sizeof x[2]);
  for (int l = 1; l <= 2; l++)
    for (int i = 0; i < 3; i++)
      x[l][i] = left_out >> (3 * (l - 1) + i) & 1 ? 0 : 2 * sigmoid(received(m, x, l, i));
  for (int k = 0; k < 2; k++) {
    logits[k] = 0;
    for (int i = 0; i < 3; i++) logits[k] += x[2][i] * U[i * 2 + k];
  }
}

/* The set of units that was left out; fails the test where no set gives these logits. */
static int left_out_of(const Machine *m, const Rig *rig, int s, const double *logits,
                       double tolerance) {
  int best = 0;
  double least = HUGE_VAL;

  for (int set = 0; set < 64; set++) {
    double thinned[2], away;

    thinned_logits(m, rig, s, set, thinned);
    away = fabs(thinned[0] - logits[0]) + fabs(thinned[1] - logits[1]);
    if (away < least) {
      least = away;
      best = set;
    }
  }
  g_assert_cmpfloat(least, <, tolerance);
  return best;
}

/* What training sees is one of the 64 thinned nets, each as likely; an evaluation sees the whole.
 */
static void test_dropout(const PluginTestCase *at) {
  Machine m = machine(2, 1, 270);
  double expected[32];
  int dropped = 0;
  Rig rig;

  m.n[1] = m.n[2] = 3;
  rig = rig_new(at, &m, 10);
  plugin_test_set_real(rig.model, "dropout", 0.5);
  rig_build(&rig, &m, AB_ROLE_CLASSIFY, "adam", 0.05);
  for (int t = 0; t < 10; t++) {
    g_autofree double *logits = NULL;

    ab_begin(rig.ctx, AB_PURPOSE_TRAIN, t);
    logits = plugin_test_values(ab_call(rig.model, AB_ROLE_CLASSIFY, all_rows(&rig, 16)));
    for (int s = 0; s < 16; s++)
      dropped += __builtin_popcount(
          (unsigned)left_out_of(&m, &rig, s, logits + 2 * s, 40 * MAX(at->exact, 1e-9)));
  }
  g_assert_cmpfloat(fabs(dropped / 960.0 - 0.5), <, 0.1); /* where x_2 is 0 all sets look alike */
  for (int s = 0; s < 16; s++) begun_logits(&m, &rig, s, expected + 2 * s);
  ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
  plugin_test_near(ab_call(rig.model, AB_ROLE_CLASSIFY, all_rows(&rig, 16)), expected, 32,
                   at->exact);
  rig_end(&rig);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static AbContext *refused(int count, AbRange range, gboolean mlp) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec x = plugin_test_spec(ctx, range, 2, 2, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "dbm"), *layers[2];

  layers[0] = new_layer(ctx, 1, 3);
  layers[1] =
      mlp ? plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", "model/layers/2") : new_layer(ctx, 2, 3);
  set_layers(model, (AbChildren){count, layers});
  ab_build(model, &wanted);
  ab_instance_free(model);
  for (int i = 0; i < 2; i++) ab_instance_free(layers[i]);
  return ctx;
}

static void test_refused(void) {
  AbContext *ctx = refused(1, AB_RANGE_UNIT, FALSE);

  plugin_test_error(ctx, AB_CONFIG, "model (dbm): it has 1 layers, and is of 2 to 8: *rbm*");
  plugin_test_finish(ctx);
  ctx = refused(2, AB_RANGE_REAL, FALSE);
  plugin_test_error(ctx, AB_CONFIG, "model (dbm): *from 0 to 1*scale*");
  plugin_test_finish(ctx);
  ctx = refused(2, AB_RANGE_UNIT, TRUE);
  plugin_test_error(ctx, AB_CONFIG,
                    "model (dbm): layer model/layers/2 (mlp) has no weights W*rbm*");
  plugin_test_finish(ctx);
}

static void test_not_built_to_classify(const PluginTestCase *at) {
  Machine m = machine(2, 1, 260);
  Rig rig = rig_begin(at, &m, 10);

  g_assert_null(ab_call(rig.model, AB_ROLE_CLASSIFY, all_rows(&rig, 2)));
  plugin_test_error(rig.ctx, AB_CONFIG, "model (dbm): it was not built to classify*");
  rig_end(&rig);
}

static void test_roles(void) {
  const AbComponent *dbm = plugin_test_load(AB_KIND_MODEL, "dbm", NULL);

  g_assert_cmpuint(ab_component_roles(dbm), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) |
                       AB_ROLE_BIT(AB_ROLE_GENERATE) | AB_ROLE_BIT(AB_ROLE_SCORE) |
                       AB_ROLE_BIT(AB_ROLE_CLASSIFY));
}

/* A dry run of every role that it is built for gives the shapes without an error. */
static void test_dry_run(void) {
  const AbRole roles[] = {AB_ROLE_RECONSTRUCT, AB_ROLE_ENCODE, AB_ROLE_GENERATE, AB_ROLE_CLASSIFY,
                          AB_ROLE_SCORE};

  for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
    AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
    AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "dbm");
    AbModel *layers[2] = {new_layer(ctx, 1, 50), new_layer(ctx, 2, 100)};
    AbSpec x = plugin_test_spec(ctx, AB_RANGE_UNIT, 28, 28, 0), nothing = {.rank = -1};
    AbSpec y = plugin_test_spec(ctx, AB_RANGE_REAL, 10, 0, 0), given;
    AbSignature wanted = ab_signature(roles[i], &x, NULL);

    if (roles[i] == AB_ROLE_GENERATE) wanted = ab_signature(roles[i], &nothing, &x);
    if (roles[i] == AB_ROLE_CLASSIFY) wanted = ab_signature(roles[i], &x, &y);
    ab_dry_run(ctx, true);
    set_layers(model, (AbChildren){2, layers});
    given = ab_build(model, &wanted);
    plugin_test_fine(ctx);
    if (roles[i] == AB_ROLE_ENCODE) {
      g_assert_cmpint(given.shape[0], ==, 100);
      g_assert_cmpint(given.range, ==, AB_RANGE_UNIT);
    }
    ab_instance_free(model);
    for (int l = 0; l < 2; l++) ab_instance_free(layers[l]);
    plugin_test_finish(ctx);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/dbm/mean-field", test_mean_field);
  plugin_test_add("/dbm/gradient", test_gradient);
  plugin_test_add("/dbm/chains", test_chains);
  plugin_test_add("/dbm/learning", test_learning);
  plugin_test_add("/dbm/bound", test_bound);
  plugin_test_add("/dbm/classify", test_classify);
  plugin_test_add("/dbm/dropout", test_dropout);
  plugin_test_add("/dbm/not-built-to-classify", test_not_built_to_classify);
  g_test_add_func("/dbm/refused", test_refused);
  g_test_add_func("/dbm/roles", test_roles);
  g_test_add_func("/dbm/dry-run", test_dry_run);
  return g_test_run();
}
