/* SPDX-License-Identifier: Apache-2.0
 *
 * Restricted Boltzmann machines so small that everything is known by enumeration: free energy,
 * conditionals, what contrastive divergence and persistent chains give on average, the likelihood
 * that learning reaches, what is generated, the partition function. Draws are seeded; bounds are
 * five standard errors where not said.                                                          */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define V      4 /* visible units at most */
#define H      4
#define STATS  (V * H + V + H) /* W row by row, b, c; or what goes with them: v h, v, h */
#define STATES 16              /* of the hidden units */

/* The machine in double: E(v, h) = -v.b - h.c - v.W.h, with |v - b|^2 / 2 for -v.b if Gaussian. */
typedef struct {
  int visible;
  gboolean gaussian;
  double W[V][H], b[V], c[H];
} Machine;

/* The machine as a plugin, and what trains it: sgd at a rate of 1, so that a step is a gradient. */
typedef struct {
  AbContext *ctx;
  AbModel *model;
  AbOptimizer *optimizer;
  AbController *controller;
  AbStep *step;
  gint64 steps;
} Rig;

/* ---- the machine by enumeration -------------------------------------------------------------- */

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static Machine machine(int visible, gboolean gaussian, double scale, guint64 seed) {
  g_autofree double *numbers = plugin_test_numbers(STATS, -scale, scale, seed);
  Machine m = {.visible = visible, .gaussian = gaussian};

  memcpy(m.W, numbers, sizeof m.W);
  memcpy(m.b, numbers + V * H, sizeof m.b);
  memcpy(m.c, numbers + V * H + V, sizeof m.c);
  return m;
}

/* State number s as units: bit i is unit i. */
static void bits(int s, int count, double *units) {
  for (int i = 0; i < count; i++) units[i] = s >> i & 1;
}

static double energy(const Machine *m, const double *v, const double *h) {
  double e = 0;

  for (int i = 0; i < m->visible; i++) {
    e += m->gaussian ? (v[i] - m->b[i]) * (v[i] - m->b[i]) / 2 : -v[i] * m->b[i];
    for (int j = 0; j < H; j++) e -= v[i] * m->W[i][j] * h[j];
  }
  for (int j = 0; j < H; j++) e -= h[j] * m->c[j];
  return e;
}

/* -log sum_h exp(-E(v, h)) */
static double free_energy(const Machine *m, const double *v) {
  double sum = 0, h[H];

  for (int s = 0; s < STATES; s++) {
    bits(s, H, h);
    sum += exp(-energy(m, v, h));
  }
  return -log(sum);
}

/* p(h_j = 1 | v) by the sum over all h */
static void hidden_given(const Machine *m, const double *v, double *p) {
  double sum = 0, h[H];

  memset(p, 0, H * sizeof *p);
  for (int s = 0; s < STATES; s++) {
    double weight;

    bits(s, H, h);
    sum += weight = exp(-energy(m, v, h));
    for (int j = 0; j < H; j++) p[j] += weight * h[j];
  }
  for (int j = 0; j < H; j++) p[j] /= sum;
}

/* E[v | h]: by the sum over all v; for Gaussian units b + W h. */
static void visible_given(const Machine *m, const double *h, double *mean) {
  double sum = 0, v[V] = {0};

  memset(mean, 0, V * sizeof *mean);
  for (int i = 0; m->gaussian && i < m->visible; i++) {
    mean[i] = m->b[i];
    for (int j = 0; j < H; j++) mean[i] += m->W[i][j] * h[j];
  }
  for (int s = 0; !m->gaussian && s < 1 << m->visible; s++) {
    double weight;

    bits(s, m->visible, v);
    sum += weight = exp(-energy(m, v, h));
    for (int i = 0; i < m->visible; i++) mean[i] += weight * v[i];
  }
  for (int i = 0; !m->gaussian && i < m->visible; i++) mean[i] /= sum;
}

/* log of the integral of exp(-E(v, h)) over v (a sum if Bernoulli) */
static double log_mass(const Machine *m, const double *h) {
  double log_sum = 0;

  for (int j = 0; j < H; j++) log_sum += h[j] * m->c[j];
  for (int i = 0; i < m->visible; i++) {
    double in = 0;

    for (int j = 0; j < H; j++) in += m->W[i][j] * h[j];
    if (m->gaussian)
      log_sum += log(2 * G_PI) / 2 + m->b[i] * in + in * in / 2;
    else
      log_sum += log1p(exp(m->b[i] + in));
  }
  return log_sum;
}

static double log_z(const Machine *m) {
  double sum = 0, h[H];

  for (int s = 0; s < STATES; s++) {
    bits(s, H, h);
    sum += exp(log_mass(m, h));
  }
  return log(sum);
}

/* v p(h|v)', v, p(h|v): minus the gradient of F at v, but for what does not depend on v. */
static void statistics(const Machine *m, const double *v, double *stats) {
  double p[H];

  memset(stats, 0, STATS * sizeof *stats);
  hidden_given(m, v, p);
  for (int i = 0; i < m->visible; i++) {
    for (int j = 0; j < H; j++) stats[i * H + j] = v[i] * p[j];
    stats[V * H + i] = v[i];
  }
  memcpy(stats + V * H + V, p, sizeof p);
}

static void mean_statistics(const Machine *m, const double *rows, int count, double *mean) {
  double stats[STATS];

  memset(mean, 0, STATS * sizeof *mean);
  for (int r = 0; r < count; r++) {
    statistics(m, rows + r * m->visible, stats);
    for (int i = 0; i < STATS; i++) mean[i] += stats[i] / count;
  }
}

/* The mean under the machine, and the variance of one sample: by the sum over all v, for Gaussian
 * units over all h of what v ~ N(b + W h, 1) gives, on a grid in two dimensions at most.        */
static void model_statistics(const Machine *m, double *mean, double *variance) {
  double lz = log_z(m), v[V], stats[STATS];
  int grid = 161, points = 1;

  memset(mean, 0, STATS * sizeof *mean);
  memset(variance, 0, STATS * sizeof *variance);
  g_assert_true(!m->gaussian || m->visible <= 2);
  for (int i = 0; i < m->visible; i++) points *= m->gaussian ? grid : 2;
  for (int s = 0; s < points; s++) {
    double p;

    if (m->gaussian)
      for (int i = 0, rest = s; i < m->visible; i++, rest /= grid) v[i] = -8 + 0.1 * (rest % grid);
    else
      bits(s, m->visible, v);
    p = exp(-free_energy(m, v) - lz) * (m->gaussian ? pow(0.1, m->visible) : 1);
    statistics(m, v, stats);
    for (int i = 0; i < STATS; i++) {
      mean[i] += p * stats[i];
      variance[i] += p * stats[i] * stats[i];
    }
  }
  for (int i = 0; i < STATS; i++) variance[i] -= mean[i] * mean[i];
}

/* ---- the machine as a plugin ----------------------------------------------------------------- */

static void set_weights(Rig *rig, const Machine *m) {
  plugin_test_fill(plugin_test_state(rig->model, "W"), &m->W[0][0]);
  plugin_test_fill(plugin_test_state(rig->model, "b"), m->b);
  plugin_test_fill(plugin_test_state(rig->model, "c"), m->c);
}

/* In the order of STATS; what units beyond the visible ones have is 0. */
static void get_weights(const Rig *rig, double *w) {
  const char *const names[] = {"W", "b", "c"};
  const int offsets[] = {0, V * H, V * H + V};

  memset(w, 0, STATS * sizeof *w);
  for (int k = 0; k < 3; k++) {
    AbTensor *weight = plugin_test_state(rig->model, names[k]);
    g_autofree double *values = plugin_test_values(weight);

    memcpy(w + offsets[k], values, (gsize)ab_count(weight) * sizeof *w);
  }
}

/* `chains` of 0: contrastive divergence. Four visible units are samples of [2, 2]. */
static Rig rig_begin(const PluginTestCase *at, const Machine *m, gint64 k, gint64 chains) {
  Rig rig = {.ctx = plugin_test_context(at)};
  AbStepParts parts = {.role = AB_ROLE_RECONSTRUCT};
  AbSpec x = plugin_test_spec(rig.ctx, m->gaussian ? AB_RANGE_REAL : AB_RANGE_BINARY,
                              m->visible == 4 ? 2 : m->visible, m->visible == 4 ? 2 : 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  rig.model = plugin_test_new(rig.ctx, AB_KIND_MODEL, "rbm");
  rig.optimizer = plugin_test_new(rig.ctx, AB_KIND_OPTIMIZER, "sgd");
  rig.controller = plugin_test_new(rig.ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_int(rig.model, "hidden", H);
  plugin_test_set_int(rig.model, "k", k);
  plugin_test_set_bool(rig.model, "persistent", chains > 0);
  if (chains > 0) plugin_test_set_int(rig.model, "chains", chains);
  plugin_test_set_real(rig.optimizer, "lr", 1);
  ab_build(rig.model, &wanted);
  plugin_test_fine(rig.ctx);
  parts.model = rig.model;
  parts.optimizer = rig.optimizer;
  parts.controller = rig.controller;
  rig.step = ab_step_new(rig.ctx, &parts);
  ab_step_build(rig.step);
  plugin_test_fine(rig.ctx);
  set_weights(&rig, m);
  return rig;
}

static void rig_end(Rig *rig) {
  ab_step_free(rig->step);
  ab_instance_free(rig->controller);
  ab_instance_free(rig->optimizer);
  ab_instance_free(rig->model);
  plugin_test_finish(rig->ctx);
}

/* `count` rows in the shape of the samples. */
static AbTensor *rows_of(const Rig *rig, int visible, const double *values, int count) {
  return plugin_test_tensor(
      rig->ctx, visible == 4 ? AB_SHAPE(count, 2, 2) : AB_SHAPE(count, visible), values);
}

/* The gradient of the objective on a batch, by a step from the machine's weights. Returns the
 * objective. */
static double gradient(Rig *rig, const Machine *m, const double *values, int count, double *g) {
  AbScope scope = ab_scope_begin(rig->ctx);
  AbBatch *batch = plugin_test_batch(rig->ctx, rows_of(rig, m->visible, values, count), NULL);
  double before[STATS], after[STATS], loss;

  set_weights(rig, m);
  get_weights(rig, before);
  loss = plugin_test_step(rig->ctx, rig->step, batch, rig->steps++, 1);
  plugin_test_fine(rig->ctx);
  get_weights(rig, after);
  for (int i = 0; i < STATS; i++) g[i] = before[i] - after[i];
  ab_batch_free(batch);
  ab_scope_end(rig->ctx, scope, NULL, 0);
  return loss;
}

/* Binary rows, each of the 16 states about as often as its number is large. */
static double *binary_rows(int count) {
  double *rows = g_new(double, (gsize)count *V);
  guint64 state = 5;

  for (int r = 0; r < count; r++) {
    double u = plugin_test_number(&state);

    bits((int)(16 * sqrt(u)), V, rows + r * V);
  }
  return rows;
}

/* ---- free energy and conditionals ------------------------------------------------------------ */

static void test_free_energy(const PluginTestCase *at) {
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    Machine m = machine(4, gaussian, 2, 100);
    Rig rig = rig_begin(at, &m, 1, 0);
    g_autofree double *v = plugin_test_numbers(16 * V, -2, 2, 101);
    double expected[16];

    for (int s = 0; s < 16; s++) {
      if (!gaussian) bits(s, V, v + s * V);
      expected[s] = free_energy(&m, v + s * V);
    }
    plugin_test_near(ab_call(rig.model, AB_ROLE_SCORE, rows_of(&rig, 4, v, 16)), expected, 16,
                     at->exact);
    rig_end(&rig);
  }
}

static void test_conditionals(const PluginTestCase *at) {
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    Machine m = machine(4, gaussian, 2, 102);
    Rig rig = rig_begin(at, &m, 1, 0);
    g_autofree double *v = plugin_test_numbers(16 * V, 0, 1, 103);
    double h[STATES * H], code[16 * H], mean[STATES * V], back[16 * V];
    AbTensor *x, *got;

    for (int s = 0; s < 8; s++) bits(2 * s, V, v + s * V); /* the other half between 0 and 1 */
    for (int s = 0; s < 16; s++) hidden_given(&m, v + s * V, code + s * H);
    for (int s = 0; s < 16; s++) visible_given(&m, code + s * H, back + s * V);
    for (int s = 0; s < STATES; s++) {
      bits(s, H, h + s * H);
      visible_given(&m, h + s * H, mean + s * V);
    }
    x = rows_of(&rig, 4, v, 16);
    plugin_test_near(ab_encode(rig.model, x), code, 16 * H, at->exact);
    got = ab_decode(rig.model, plugin_test_tensor(rig.ctx, AB_SHAPE(STATES, H), h));
    plugin_test_near(got, mean, STATES * V, at->exact);
    g_assert_cmpint(ab_rank(got), ==, 3); /* as the samples: [n, 2, 2] */
    got = ab_reconstruct(rig.model, x);
    plugin_test_near(got, back, 16 * V, at->exact);
    g_assert_cmpint(ab_rank(got), ==, 3);
    g_assert_cmpint(ab_dim(got, 2), ==, 2);
    rig_end(&rig);
  }
}

/* Gaussian units: what exp(-F) integrates to on a grid, and the mean of v, against the sum over
 * the hidden states in closed form.                                                             */
static void test_quadrature(const PluginTestCase *at) {
  for (int visible = 1; visible <= 2; visible++) {
    Machine m = machine(visible, TRUE, 1, 104);
    Rig rig = rig_begin(at, &m, 1, 0);
    int grid = visible == 1 ? 2001 : 301, count = visible == 1 ? grid : grid * grid;
    double width = 20.0 / (grid - 1), sum = 0, means[2] = {0}, expected[2] = {0};
    g_autofree double *v = g_new(double, (gsize)(count * visible)), *f = NULL, *decoded = NULL;
    double h[STATES * H], z = log_z(&m);

    for (int s = 0; s < count; s++)
      for (int i = 0, rest = s; i < visible; i++, rest /= grid)
        v[s * visible + i] = -10 + width * (rest % grid);
    f = plugin_test_values(ab_call(rig.model, AB_ROLE_SCORE, rows_of(&rig, visible, v, count)));
    for (int s = 0; s < count; s++) {
      double mass = exp(-f[s]) * pow(width, visible);

      sum += mass;
      for (int i = 0; i < visible; i++) means[i] += mass * v[s * visible + i];
    }
    for (int s = 0; s < STATES; s++) bits(s, H, h + s * H);
    decoded = plugin_test_values(
        ab_decode(rig.model, plugin_test_tensor(rig.ctx, AB_SHAPE(STATES, H), h)));
    for (int s = 0; s < STATES; s++)
      for (int i = 0; i < visible; i++)
        expected[i] += exp(log_mass(&m, h + s * H) - z) * decoded[s * visible + i];
    plugin_test_close(log(sum), z, at->real == AB_F32 ? 1e-5 : 1e-9);
    for (int i = 0; i < visible; i++)
      plugin_test_close(means[i] / sum, expected[i], at->real == AB_F32 ? 1e-5 : 1e-9);
    rig_end(&rig);
  }
}

/* ---- contrastive divergence ------------------------------------------------------------------ */

/* What hidden unit j receives. */
static double received(const Machine *m, const double *v, int j) {
  double in = m->c[j];

  for (int i = 0; i < m->visible; i++) in += v[i] * m->W[i][j];
  return in;
}

/* What the objective is by definition: the mean of E(v, h) over the data, h the means of its hidden
 * units, less that over v_k; without terms in v alone, which no weight acts on. */
static double difference(const Machine *m, const double *v, int count, const double *vk, int ends) {
  double sum = 0;

  for (int r = 0; r < count + ends; r++) {
    const double *row = r < count ? v + r * m->visible : vk + (r - count) * m->visible;
    double energy = 0;

    for (int i = 0; i < m->visible; i++) energy -= row[i] * m->b[i];
    for (int j = 0; j < H; j++) energy -= received(m, row, j) * sigmoid(received(m, row, j));
    sum += r < count ? energy / count : -energy / ends;
  }
  return sum;
}

/* The end of CD-1 from v, where the hidden sample is certain; whether a visible unit is not. */
static gboolean certain_end(const Machine *m, const double *v, double *end) {
  gboolean open = FALSE;

  for (int i = 0; i < V; i++) {
    double in = m->b[i];

    for (int j = 0; j < H; j++) {
      g_assert_cmpfloat(fabs(received(m, v, j)), >=, 20);
      if (received(m, v, j) > 0) in += m->W[i][j];
    }
    end[i] = m->gaussian ? in : sigmoid(in);
    open |= fabs(in) < 1;
  }
  return open;
}

/* <v h>, <v>, <h>, with h_j = s(c_j + (v W)_j): a sum over states would overflow here. */
static void classical(const Machine *m, const double *rows, int count, double *mean) {
  memset(mean, 0, STATS * sizeof *mean);
  for (int r = 0; r < count; r++)
    for (int i = 0; i < V; i++) {
      const double *v = rows + r * V;

      mean[V * H + i] += v[i] / count;
      for (int j = 0; j < H; j++) {
        mean[i * H + j] += v[i] * sigmoid(received(m, v, j)) / count;
        if (i == 0) mean[V * H + V + j] += sigmoid(received(m, v, j)) / count;
      }
    }
}

/* Weights so large that the hidden sample is certain (20 or more from the edge), and biases that
 * take visible units back to the middle: the gradient is <v h>_recon - <v h>_data by hand.       */
static void test_cd_by_hand(const PluginTestCase *at) {
  const double v[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1};

  for (int gaussian = 0; gaussian < 2; gaussian++) {
    Machine m = {.visible = 4,
                 .gaussian = gaussian,
                 .W = {{40, -40, 40, -40}, {-40, 40, 40, -40}, {40, 40, -40, 40}, {40, 40, 40, 40}},
                 .b = {-40.5, 0.25, -79, -39.75},
                 .c = {-60, -20, 20, 20}};
    Rig rig = rig_begin(at, &m, 1, 0);
    double ends[6 * V], data[STATS], recon[STATS], g[STATS], loss;
    gboolean open = FALSE;

    for (int r = 0; r < 6; r++) open |= certain_end(&m, v + r * V, ends + r * V);
    g_assert_true(open);
    classical(&m, v, 6, data);
    classical(&m, ends, 6, recon);
    loss = gradient(&rig, &m, v, 6, g);
    if (!gaussian) plugin_test_close(loss, difference(&m, v, 6, ends, 6), at->exact);
    for (int i = 0; i < STATS; i++)
      plugin_test_close(g[i], recon[i] - data[i], at->real == AB_F32 ? 1e-4 : 1e-11);
    rig_end(&rig);
  }
}

/* The mean and variance of the statistics of v_k over all chains from v, whose hidden states are
 * sampled and whose visible units are means: by the powers of their transitions.                */
static void chain_statistics(const Machine *m, const double *v, int k, double *mean,
                             double *square) {
  double p[STATES], stats[STATS], h[H], on[H], vk[V];

  hidden_given(m, v, on);
  for (int s = 0; s < STATES; s++) {
    bits(s, H, h);
    p[s] = 1;
    for (int j = 0; j < H; j++) p[s] *= h[j] > 0 ? on[j] : 1 - on[j];
  }
  for (int i = 1; i < k; i++) {
    double next[STATES] = {0};

    for (int s = 0; s < STATES; s++) {
      bits(s, H, h);
      visible_given(m, h, vk);
      hidden_given(m, vk, on);
      for (int t = 0; t < STATES; t++) {
        double q = p[s];

        bits(t, H, h);
        for (int j = 0; j < H; j++) q *= h[j] > 0 ? on[j] : 1 - on[j];
        next[t] += q;
      }
    }
    memcpy(p, next, sizeof p);
  }
  for (int s = 0; s < STATES; s++) {
    bits(s, H, h);
    visible_given(m, h, vk);
    statistics(m, vk, stats);
    for (int i = 0; i < STATS; i++) {
      mean[i] += p[s] * stats[i];
      square[i] += p[s] * stats[i] * stats[i];
    }
  }
}

/* Each g[i] is `expected[i]` within five standard errors of `samples` of variance[i]. */
static void check_mean(const double *g, const double *expected, const double *variance,
                       double samples, double exact) {
  for (int i = 0; i < STATS; i++) {
    double bound = 5 * sqrt(fmax(variance[i], 0) / samples) + 10 * exact;

    if (fabs(g[i] - expected[i]) > bound)
      g_error("statistic %d: %g is not within %g of %g", i, g[i], bound, expected[i]);
  }
}

#define DRAWS 30000

/* The gradient of CD-k over many rows, against its expectation. */
static void test_cd_mean(const PluginTestCase *at) {
  for (int gaussian = 0; gaussian < 2; gaussian++)
    for (int k = 1; k <= 4; k += 3) {
      Machine m = machine(4, gaussian, gaussian ? 0.7 : 2, 105);
      Rig rig = rig_begin(at, &m, k, 0);
      g_autofree double *v = binary_rows(DRAWS);
      double g[STATS], data[STATS], mean[STATS] = {0}, variance[STATS] = {0}, parts[16] = {0};

      for (int r = 0; r < DRAWS; r++) {
        int s = 0;

        for (int i = 0; i < V; i++) s |= (int)v[r * V + i] << i;
        parts[s] += 1.0 / DRAWS;
      }
      for (int s = 0; s < 16; s++) {
        double from[V], one[STATS] = {0}, square[STATS] = {0};

        bits(s, V, from);
        chain_statistics(&m, from, k, one, square);
        for (int i = 0; i < STATS; i++) {
          mean[i] += parts[s] * one[i];
          variance[i] += parts[s] * (square[i] - one[i] * one[i]);
        }
      }
      mean_statistics(&m, v, DRAWS, data);
      gradient(&rig, &m, v, DRAWS, g);
      for (int i = 0; i < STATS; i++) mean[i] -= data[i];
      check_mean(g, mean, variance, DRAWS, at->exact);
      rig_end(&rig);
    }
}

/* ---- persistent chains ----------------------------------------------------------------------- */

#define CHAINS 5000
#define STEPS  4

/* After a step the chains' ends are in the buffer: the gradient is exactly the statistics of the
 * data less those of the buffer. Averaged over steps, it is the gradient of the log-likelihood.  */
static void test_pcd_mean(const PluginTestCase *at) {
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    Machine m = machine(gaussian ? 2 : 4, gaussian, gaussian ? 1.5 : 2, 106);
    Rig rig = rig_begin(at, &m, 30, CHAINS);
    g_autofree double *v = binary_rows(50); /* for two visible units: 100 rows of them */
    int count = gaussian ? 100 : 50;
    double g[STATS], sum[STATS] = {0}, data[STATS], ends[STATS], model[STATS], variance[STATS];

    mean_statistics(&m, v, count, data);
    for (int t = 0; t < STEPS; t++) {
      double loss = gradient(&rig, &m, v, count, g);
      g_autofree double *chain = plugin_test_values(plugin_test_state(rig.model, "chain"));

      mean_statistics(&m, chain, CHAINS, ends);
      for (int i = 0; i < STATS; i++) {
        plugin_test_close(g[i], ends[i] - data[i], at->exact);
        sum[i] += g[i] / STEPS;
      }
      plugin_test_close(loss, difference(&m, v, count, chain, CHAINS), at->exact);
    }
    model_statistics(&m, model, variance);
    for (int i = 0; i < STATS; i++) model[i] -= data[i];
    check_mean(sum, model, variance, (double)CHAINS * STEPS, at->exact);
    rig_end(&rig);
  }
}

/* Chi-square of binary rows against the machine's distribution, of 15 degrees of freedom. */
static double chi_square(const Machine *m, const double *rows, int count) {
  double chi = 0, counts[16] = {0};

  for (int r = 0; r < count; r++) {
    int s = 0;

    for (int i = 0; i < V; i++) {
      g_assert_true(rows[r * V + i] == 0 || rows[r * V + i] == 1);
      s |= (int)rows[r * V + i] << i;
    }
    counts[s]++;
  }
  for (int s = 0; s < 16; s++) {
    double from[V], expected;

    bits(s, V, from);
    expected = count * exp(-free_energy(m, from) - log_z(m));
    chi += (counts[s] - expected) * (counts[s] - expected) / expected;
  }
  return chi;
}

/* The visible states of the chains have the machine's distribution: chi-square of 15 degrees of
 * freedom, below 50 but once in 80000 seeds.                                                     */
static void test_pcd_states(const PluginTestCase *at) {
  Machine m = machine(4, FALSE, 2, 107);
  Rig rig = rig_begin(at, &m, 30, CHAINS);
  g_autofree double *v = binary_rows(8), *chain = NULL;
  double g[STATS];

  gradient(&rig, &m, v, 8, g);
  chain = plugin_test_values(plugin_test_state(rig.model, "chain"));
  g_assert_cmpfloat(chi_square(&m, chain, CHAINS), <, 50);
  rig_end(&rig);
}

/* The chains start at random, move with every step, whatever the size of the batch, and not in an
 * evaluation.                                                                                   */
static void test_pcd_buffer(const PluginTestCase *at) {
  Machine m = machine(4, FALSE, 1, 108);
  Rig a = rig_begin(at, &m, 2, 300), b = rig_begin(at, &m, 2, 300);
  AbTensor *chain = plugin_test_state(a.model, "chain");
  g_autofree double *v = binary_rows(50), *first = plugin_test_values(chain), *last = NULL;
  double g[STATS], mean = 0;
  gsize bytes = 300 * V * sizeof(double);

  g_assert_cmpint(ab_dim(chain, 0), ==, 300);
  for (int i = 0; i < 300 * V; i++) mean += first[i] / (300 * V);
  g_assert_cmpfloat(fabs(mean - 0.5), <, 5 * 0.5 / sqrt(300 * V));
  for (int t = 0; t < 3; t++) {
    g_autofree double *before = plugin_test_values(chain), *one = NULL, *other = NULL;

    gradient(&a, &m, v, 1, g);
    gradient(&b, &m, v, 50, g);
    one = plugin_test_values(chain);
    other = plugin_test_values(plugin_test_state(b.model, "chain"));
    g_assert_cmpmem(one, bytes, other, bytes);
    g_assert_cmpint(memcmp(before, one, bytes), !=, 0);
    last = g_renew(double, last, 300 * V);
    memcpy(last, one, bytes);
  }
  ab_begin(a.ctx, AB_PURPOSE_EVALUATE, 0);
  ab_reconstruct(a.model, rows_of(&a, 4, v, 50));
  ab_call(a.model, AB_ROLE_SCORE, rows_of(&a, 4, v, 50));
  g_free(first);
  first = plugin_test_values(chain);
  g_assert_cmpmem(first, bytes, last, bytes);
  rig_end(&a);
  rig_end(&b);
}

/* ---- doubled weights, and samples instead of means ------------------------------------------- */

/* The chain's states v by the powers of its transitions: the mean and the square of the statistics
 * of v_k over all chains from v, all of whose units are sampled. */
static void sampled_statistics(const Machine *m, const double *v, int k, double *mean,
                               double *square) {
  double p[16] = {0}, on[H], back[V], state[V], h[H], stats[STATS];
  int from = 0;

  for (int i = 0; i < V; i++) from |= (int)v[i] << i;
  p[from] = 1;
  for (int step = 0; step < k; step++) {
    double next[16] = {0};

    for (int s = 0; s < 16; s++)
      for (int t = 0; t < STATES; t++) {
        double q = p[s];

        bits(s, V, state);
        bits(t, H, h);
        hidden_given(m, state, on);
        visible_given(m, h, back);
        for (int j = 0; j < H; j++) q *= h[j] > 0 ? on[j] : 1 - on[j];
        for (int u = 0; u < 16; u++) {
          double r = q;

          for (int i = 0; i < V; i++) r *= u >> i & 1 ? back[i] : 1 - back[i];
          next[u] += r;
        }
      }
    memcpy(p, next, sizeof p);
  }
  for (int s = 0; s < 16; s++) {
    bits(s, V, state);
    statistics(m, state, stats);
    for (int i = 0; i < STATS; i++) {
      mean[i] += p[s] * stats[i];
      square[i] += p[s] * stats[i] * stats[i];
    }
  }
}

/* All rows are one state, so that samples and means part clearly. */
static void test_sampled(const PluginTestCase *at) {
  for (int k = 1; k <= 3; k += 2) {
    Machine m = machine(4, FALSE, 3, 109);
    Rig rig = rig_begin(at, &m, k, 0);
    g_autofree double *v = g_new0(double, DRAWS *V);
    double g[STATS], data[STATS], mean[STATS] = {0}, square[STATS] = {0}, variance[STATS];
    double means[STATS] = {0}, unused[STATS] = {0}, apart = 0;

    for (int r = 0; r < DRAWS; r++) bits(5, V, v + r * V);
    plugin_test_set_bool(rig.model, "sampled", TRUE);
    mean_statistics(&m, v, 1, data);
    sampled_statistics(&m, v, k, mean, square);
    chain_statistics(&m, v, k, means, unused);
    for (int i = 0; i < STATS; i++) {
      variance[i] = square[i] - mean[i] * mean[i];
      apart = fmax(apart, fabs(mean[i] - means[i]) / sqrt(variance[i] / DRAWS));
      mean[i] -= data[i];
    }
    g_assert_cmpfloat(apart, >, 20); /* what means would give is refused */
    gradient(&rig, &m, v, DRAWS, g);
    check_mean(g, mean, variance, DRAWS, at->exact);
    rig_end(&rig);
  }
}

/* The machine with weights times `scale`. */
static Machine scaled(const Machine *m, double scale) {
  Machine twice = *m;

  for (int i = 0; i < V; i++)
    for (int j = 0; j < H; j++) twice.W[i][j] *= scale;
  return twice;
}

/* CD-1 with doubled weights: mean and variance of its statistics over one sample h. */
static void doubled_statistics(const Machine *up, const Machine *down, const double *v,
                               double *mean, double *square) {
  double on[H], h[H], vk[V], stats[STATS];

  hidden_given(up, v, on);
  for (int s = 0; s < STATES; s++) {
    double p = 1;

    bits(s, H, h);
    for (int j = 0; j < H; j++) p *= h[j] > 0 ? on[j] : 1 - on[j];
    visible_given(down, h, vk);
    statistics(up, vk, stats);
    for (int i = 0; i < STATS; i++) {
      mean[i] += p * stats[i];
      square[i] += p * stats[i] * stats[i];
    }
  }
}

static void check_doubled(const PluginTestCase *at, const char *doubled, double up, double down) {
  Machine m = machine(4, FALSE, 1, 110), above = scaled(&m, up), below = scaled(&m, down);
  Rig rig = rig_begin(at, &m, 1, 0);
  g_autofree double *v = g_new0(double, DRAWS *V);
  double code[H], back[V], h[H], g[STATS], data[STATS], mean[STATS] = {0}, square[STATS] = {0};
  double energy[1];

  for (int r = 0; r < DRAWS; r++) bits(6, V, v + r * V);
  bits(11, H, h);
  plugin_test_set_choice(rig.model, "doubled", doubled);
  hidden_given(&above, v, code);
  visible_given(&below, h, back);
  plugin_test_near(ab_encode(rig.model, rows_of(&rig, 4, v, 1)), code, H, at->exact);
  plugin_test_near(ab_decode(rig.model, plugin_test_tensor(rig.ctx, AB_SHAPE(1, H), h)), back, V,
                   at->exact);
  mean_statistics(&above, v, 1, data);
  doubled_statistics(&above, &below, v, mean, square);
  for (int i = 0; i < STATS; i++) {
    square[i] -= mean[i] * mean[i];
    mean[i] -= data[i];
  }
  gradient(&rig, &m, v, DRAWS, g);
  check_mean(g, mean, square, DRAWS, at->exact);
  set_weights(&rig, &m);
  ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
  if (up == down) {
    energy[0] = free_energy(&above, v);
    plugin_test_near(ab_call(rig.model, AB_ROLE_SCORE, rows_of(&rig, 4, v, 1)), energy, 1,
                     at->exact);
    plugin_test_close(ab_item(ab_log_partition(rig.model, 200, 500)), log_z(&above), 0.05);
  } else {
    g_assert_null(ab_call(rig.model, AB_ROLE_SCORE, rows_of(&rig, 4, v, 1)));
    plugin_test_error(rig.ctx, AB_CONFIG, "model (rbm): with doubled: *no energy*none or both");
    g_assert_null(ab_log_partition(rig.model, 10, 10));
    plugin_test_error(rig.ctx, AB_CONFIG, "model (rbm): with doubled: *no energy*");
  }
  rig_end(&rig);
}

static void test_doubled(const PluginTestCase *at) {
  check_doubled(at, "none", 1, 1);
  check_doubled(at, "input", 2, 1);
  check_doubled(at, "output", 1, 2);
  check_doubled(at, "both", 2, 2);
}

/* ---- generating ------------------------------------------------------------------------------ */

#define GENERATED 2000

/* Samples have the machine's distribution (chi-square below 50 but once in 80000 seeds), whether
 * from random or from 7 persistent chains, over and over; means have its mean. Chains stay.     */
static void test_generate(const PluginTestCase *at) {
  for (int chains = 0; chains < 8; chains += 7) {
    Machine m = machine(4, FALSE, 2, 111);
    Rig rig = rig_begin(at, &m, 1, chains);
    g_autofree double *rows = NULL, *means = NULL, *before = NULL, *after = NULL;
    double stats[STATS], variance[STATS], sum[V] = {0};
    AbTensor *x;

    ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
    plugin_test_set_int(rig.model, "burn_in", 30);
    plugin_test_set_choice(rig.model, "generated", "samples");
    if (chains) before = plugin_test_values(plugin_test_state(rig.model, "chain"));
    x = ab_generate(rig.model, GENERATED);
    g_assert_cmpint(ab_rank(x), ==, 3); /* as the samples: [n, 2, 2] */
    rows = plugin_test_values(x);
    g_assert_cmpfloat(chi_square(&m, rows, GENERATED), <, 50);
    plugin_test_set_choice(rig.model, "generated", "means");
    means = plugin_test_values(ab_generate(rig.model, GENERATED));
    model_statistics(&m, stats, variance);
    for (int r = 0; r < GENERATED * V; r++) {
      g_assert_true(means[r] > 0 && means[r] < 1);
      sum[r % V] += means[r] / GENERATED;
    }
    for (int i = 0; i < V; i++) /* the variance of a mean is below that of a sample */
      g_assert_cmpfloat(fabs(sum[i] - stats[V * H + i]), <,
                        5 * sqrt(variance[V * H + i] / GENERATED));
    if (chains) {
      after = plugin_test_values(plugin_test_state(rig.model, "chain"));
      g_assert_cmpmem(before, 7 * V * sizeof *before, after, 7 * V * sizeof *after);
    }
    rig_end(&rig);
  }
}

/* As a generator it is built from what it must give alone. */
static void test_generator(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbSpec x = plugin_test_spec(ctx, AB_RANGE_BINARY, 3, 5, 0), nothing = {.rank = -1};
  AbSignature wanted = ab_signature(AB_ROLE_GENERATE, &nothing, &x);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
  AbSpec given = ab_build(model, &wanted);

  plugin_test_fine(ctx);
  g_assert_cmpint(given.rank, ==, 2);
  g_assert_cmpint(given.shape[1], ==, 5);
  ab_instance_free(model);
  model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
  wanted = ab_signature(AB_ROLE_GENERATE, &nothing, NULL);
  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (rbm): as a generator it must be told what to give");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- log Z ----------------------------------------------------------------------------------- */

#define WIDE 10
#define DEEP 6

/* log Z of 10 visible and 6 hidden units by the sum over the hidden ones. */
static double exact_log_z(const double *W, const double *b, const double *c, gboolean gaussian) {
  double terms[1 << DEEP], most = -INFINITY, sum = 0;

  for (int s = 0; s < 1 << DEEP; s++) {
    terms[s] = 0;
    for (int j = 0; j < DEEP; j++) terms[s] += (s >> j & 1) * c[j];
    for (int i = 0; i < WIDE; i++) {
      double in = 0;

      for (int j = 0; j < DEEP; j++) in += (s >> j & 1) * W[i * DEEP + j];
      terms[s] += gaussian ? log(2 * G_PI) / 2 + b[i] * in + in * in / 2 : log1p(exp(b[i] + in));
    }
    most = fmax(most, terms[s]);
  }
  for (int s = 0; s < 1 << DEEP; s++) sum += exp(terms[s] - most);
  return most + log(sum);
}

/* Wherever the independent units start, the estimate is the same; the bound is 0.05 nats. */
static void test_log_partition(const PluginTestCase *at) {
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    AbContext *ctx = plugin_test_context(at);
    AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
    AbSpec x = plugin_test_spec(ctx, gaussian ? AB_RANGE_REAL : AB_RANGE_BINARY, WIDE, 0, 0);
    AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);
    double size = gaussian ? 0.35 : 1, exact;
    g_autofree double *W = plugin_test_numbers(WIDE * DEEP, -size, size, 112);
    g_autofree double *b = plugin_test_numbers(WIDE, -2, 1, 113);
    g_autofree double *c = plugin_test_numbers(DEEP, -2, 2, 114);
    g_autofree double *mean = plugin_test_numbers(WIDE, 0, 1, 115);

    plugin_test_set_int(model, "hidden", DEEP);
    ab_build(model, &wanted);
    plugin_test_fine(ctx);
    plugin_test_fill(plugin_test_state(model, "W"), W);
    plugin_test_fill(plugin_test_state(model, "b"), b);
    plugin_test_fill(plugin_test_state(model, "c"), c);
    exact = exact_log_z(W, b, c, gaussian);
    for (int again = 0; again < 2; again++) {
      double got = ab_item(ab_log_partition(model, 200, 800));

      g_test_message("log Z %.4f, estimated %.4f", exact, got);
      g_assert_cmpfloat(fabs(got - exact), <, 0.05);
      plugin_test_fill(plugin_test_state(model, "mean"), mean);
    }
    plugin_test_fine(ctx);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

/* The mean that it starts from is that of the data, once there were many batches. */
static void test_data_mean(const PluginTestCase *at) {
  Machine m = machine(4, FALSE, 1, 116);
  Rig rig = rig_begin(at, &m, 1, 0);
  const double v[] = {1, 0, 0, 1, 1, 0, 1, 0}, half = 0.5 * pow(0.99, 400);
  double g[STATS];
  g_autofree double *mean = NULL;

  for (int t = 0; t < 400; t++) gradient(&rig, &m, v, 2, g);
  mean = plugin_test_values(plugin_test_state(rig.model, "mean"));
  plugin_test_close(mean[0], 1 - half, 1e-5);
  plugin_test_close(mean[1], half, 1e-5);
  plugin_test_close(mean[2], 0.5, 1e-5);
  rig_end(&rig);
}

/* ---- learning -------------------------------------------------------------------------------- */

static void learned(const Rig *rig, Machine *m) {
  double w[STATS];

  get_weights(rig, w);
  memcpy(m->W, w, sizeof m->W);
  memcpy(m->b, w + V * H, sizeof m->b);
  memcpy(m->c, w + V * H + V, sizeof m->c);
}

/* Bars and stripes on 2 x 2 pixels: the six images whose rows, or whose columns, are one colour.
 * No distribution gives them more than log(1/6) = -1.792 per image on average; one that knows
 * nothing gives log(1/16) = -2.773, and so does the best one of independent pixels.             */
static void test_learning(const PluginTestCase *at) {
  const int images[] = {0, 15, 3, 12, 5, 10};
  Machine m = machine(4, FALSE, 1, 1);
  Rig rig = rig_begin(at, &m, 10, 200);
  double v[6 * V], first = 0, last = 0;
  AbBatch *batch;

  for (int r = 0; r < 6; r++) bits(images[r], V, v + r * V);
  batch = plugin_test_batch(rig.ctx, rows_of(&rig, 4, v, 6), NULL);
  for (int r = 0; r < 6; r++) first += (-free_energy(&m, v + r * V) - log_z(&m)) / 6;
  for (int t = 0; t < 800; t++) {
    if (t == 600) plugin_test_set_real(rig.optimizer, "lr", 0.2); /* less noise at the end */
    plugin_test_step(rig.ctx, rig.step, batch, t, 1);
  }
  plugin_test_fine(rig.ctx);
  learned(&rig, &m);
  for (int r = 0; r < 6; r++) last += (-free_energy(&m, v + r * V) - log_z(&m)) / 6;
  g_test_message("log-likelihood %.4f to %.4f of at most %.4f", first, last, -log(6));
  g_assert_cmpfloat(first, <, -2.7);
  g_assert_cmpfloat(last, >, -log(6) - 0.15);
  ab_batch_free(batch);
  rig_end(&rig);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static AbModel *built(AbContext *ctx, AbRange range, const char *visible) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
  AbSpec x = plugin_test_spec(ctx, range, 2, 2, 0);
  AbSignature wanted = ab_signature(AB_ROLE_RECONSTRUCT, &x, &x);

  plugin_test_set_choice(model, "visible", visible);
  ab_build(model, &wanted);
  return model;
}

/* Which units `visible` gives for a range: Gaussian ones decode to b + W h, without bounds. */
static void test_visible(void) {
  const struct {
    AbRange range;
    const char *visible;
    gboolean fine, gaussian;
  } cases[] = {
      {AB_RANGE_REAL, "auto", TRUE, TRUE},         {AB_RANGE_UNIT, "auto", TRUE, FALSE},
      {AB_RANGE_BINARY, "auto", TRUE, FALSE},      {AB_RANGE_REAL, "gaussian", TRUE, TRUE},
      {AB_RANGE_UNIT, "gaussian", TRUE, TRUE},     {AB_RANGE_UNIT, "bernoulli", TRUE, FALSE},
      {AB_RANGE_BINARY, "bernoulli", TRUE, FALSE}, {AB_RANGE_REAL, "bernoulli", FALSE, FALSE},
  };
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    AbModel *model = built(ctx, cases[i].range, cases[i].visible);

    if (!cases[i].fine) {
      plugin_test_error(ctx, AB_CONFIG, "model (rbm): Bernoulli*from 0 to 1*scale*gaussian*");
    } else {
      const double zeros[128] = {0}, biases[4] = {3, 3, 3, 3}, p = sigmoid(3);
      const double bernoulli[4] = {p, p, p, p};
      AbTensor *code = plugin_test_tensor(ctx, AB_SHAPE(1, 128), zeros);

      plugin_test_fine(ctx);
      plugin_test_fill(plugin_test_state(model, "b"), biases);
      plugin_test_near(ab_decode(model, code), cases[i].gaussian ? biases : bernoulli, 4, 1e-12);
    }
    ab_instance_free(model);
  }
  plugin_test_finish(ctx);
}

/* A dry run gives the shapes without an error, persistent chains or not. */
static void test_dry_run(void) {
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
    AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "rbm");
    AbSpec x = plugin_test_spec(ctx, gaussian ? AB_RANGE_REAL : AB_RANGE_UNIT, 28, 28, 0);
    AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &x, NULL);
    AbSpec code;

    ab_dry_run(ctx, true);
    plugin_test_set_bool(model, "persistent", TRUE);
    code = ab_build(model, &wanted);
    plugin_test_fine(ctx);
    g_assert_cmpint(code.rank, ==, 1);
    g_assert_cmpint(code.shape[0], ==, 128);
    g_assert_cmpint(ab_model_multiply_adds(model), ==, 784 * 128);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

static void test_roles(void) {
  const AbComponent *rbm = plugin_test_load(AB_KIND_MODEL, "rbm", NULL);

  g_assert_cmpuint(ab_component_roles(rbm), ==,
                   AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_DECODE) |
                       AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_SCORE) |
                       AB_ROLE_BIT(AB_ROLE_GENERATE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/rbm/free-energy", test_free_energy);
  plugin_test_add("/rbm/conditionals", test_conditionals);
  plugin_test_add("/rbm/quadrature", test_quadrature);
  plugin_test_add("/rbm/cd/by-hand", test_cd_by_hand);
  plugin_test_add("/rbm/cd/mean", test_cd_mean);
  plugin_test_add("/rbm/pcd/mean", test_pcd_mean);
  plugin_test_add("/rbm/pcd/states", test_pcd_states);
  plugin_test_add("/rbm/pcd/buffer", test_pcd_buffer);
  plugin_test_add("/rbm/sampled", test_sampled);
  plugin_test_add("/rbm/doubled", test_doubled);
  plugin_test_add("/rbm/generate", test_generate);
  plugin_test_add("/rbm/log-partition", test_log_partition);
  plugin_test_add("/rbm/data-mean", test_data_mean);
  plugin_test_add("/rbm/learning", test_learning);
  g_test_add_func("/rbm/generator", test_generator);
  g_test_add_func("/rbm/visible", test_visible);
  g_test_add_func("/rbm/dry-run", test_dry_run);
  g_test_add_func("/rbm/roles", test_roles);
  return g_test_run();
}
