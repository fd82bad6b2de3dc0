/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep Boltzmann machine (Salakhutdinov & Hinton 2009), of layers that are restricted Boltzmann
 * machines (weights W_l, visible biases b_l, hidden biases c_l), l = 1 to L, L at least 2:
 *
 *   E(v, h) = -sum_l h_{l-1} W_l h_l' - sum_l h_l . a_l               h_0 = v
 *   a_0 = b_1,   a_l = (c_l + b_{l+1}) / 2,   a_L = c_L
 *   p(h_l = 1 | rest) = s(a_l + h_{l-1} W_l + h_{l+1} W_{l+1}')
 *
 * Positive phase: mean field, m_l = s(a_l + m_{l-1} W_l + m_{l+1} W_{l+1}') with m_0 = v, from a
 * pass upwards with doubled weights, layer by layer, `mean_field` times. Negative phase: persistent
 * chains, which begin at the first batch, odd layers given the even ones and back, `k` times. The
 * objective is the difference of mean energies between the two, whose gradient is that of the bound
 * of the likelihood; the even layers of the chains count with their means given the odd ones.
 *
 * `centred` (Montavon & Mueller 2012; Melchior, Fischer, Wiskott 2016): the same machine with
 * weights between z_l = h_l - o_l, where o_l are means over the data, and other biases
 *   b_l = a_l + o_{l-1} W_l + o_{l+1} W_{l+1}'
 * so W_l moves by the difference of the mean z_{l-1}' z_l, b_l by that of h_l, and a_l by what then
 * follows. The gradient is another one, the machine and the numbers that are kept are the same.
 * Without it layers above the first fall silent: of MNIST's 1000 units 85 % after 40 epochs.
 *
 * The layers are trained before, one by one, each on the codes of the one below (controller
 * greedy), with doubled: input in the first, output in the last, both in between. A unit that both
 * of its machines then give 2 h_{l-1} W_l + c_l and 2 h_{l+1} W_{l+1}' + b_{l+1} receives their
 * mean here: that is why a_l is a mean.
 *
 *   score     E_m[E(v, h)] - entropy(m): a bound of the free energy, from above. With log Z
 *             (annealed importance sampling, from the machine without W) it bounds the likelihood
 *             from below: section 4.1 of the paper.
 *   classify  a feed-forward net that begins as a pass through the machine (section 3.3), with what
 *             mean field finds above as a further input:
 *               x_l = s(d_l + x_{l-1} V_l + m_{l+1} A_l),   logits = x_L U + e
 *             V_l, A_l, d_l start as W_l, W_{l+1}', a_l when training begins, and move apart from
 *             them; the machine stays as it is, and m with it. What the loss is, the manifest says.
 *             With `dropout` (Srivastava et al. 2014, section 6.1.1) the x_l, while it learns.
 */
#include "annealing.h"
#include <absdk/absdk.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 8 }; /* layers */

typedef struct {
  AbModel base;
  AbChildren layers;
  int64_t mean_field, k, chains, burn_in;
  double dropout;
  bool centred;
  int64_t top;                                       /* L */
  AbShape sample;                                    /* of one x */
  AbTensor *W[MOST + 1], *b[MOST + 1], *c[MOST + 1]; /* from 1; of the layers */
  AbTensor *chain[MOST + 1];                         /* of h_l: [chains, units] */
  AbTensor *o[MOST + 1];                             /* of h_l: [1, units]; NULL: not centred */
  AbTensor *seen;                                    /* batches that were learned, a scalar */
  AbTensor *V[MOST + 1], *A[MOST + 1], *d[MOST + 1]; /* from 1; of the classifier */
  AbTensor *U, *e, *begun;                           /* begun: 1 once V, A, d were set */
} Dbm;

static const AbParam params[] = {
    AB_PARAM_INT(Dbm, mean_field, 10, 1, 10000, "sweeps", "Of mean field through all layers."),
    AB_PARAM_INT(Dbm, k, 5, 1, 1000, "Gibbs steps", "Of the persistent chains in one step."),
    AB_PARAM_INT(Dbm, chains, 100, 1, 1 << 20, "chains", "That are persistent."),
    AB_PARAM_INT(Dbm, burn_in, 1000, 1, 1 << 30, "Gibbs steps",
                 "From the persistent chains to what is generated."),
    AB_PARAM_BOOL(Dbm, centred, true,
                  "Learn weights between the units' distances from their means."),
    AB_PARAM_REAL(Dbm, dropout, 0, 0, 0.95, "",
                  "Part of the units of every layer that the classifying net leaves out while it "
                  "learns."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(Dbm, layers, AB_KIND_MODEL, AB_ROLE_ENCODE, AB_MANY,
                 "[{plugin: rbm, doubled: input}, {plugin: rbm, doubled: output}]",
                 "Restricted Boltzmann machines, from the data upwards; two or more."),
};

/* ---- building -------------------------------------------------------------------------------- */

static bool fits(Dbm *m, const AbSpec *x) {
  int64_t count = m->layers.count;
  bool unit = ab_spec_is_unit(x);
  if (count < 2 || count > MOST)
    ab_fail(&m->base, AB_CONFIG,
            "it has %lld layers, and is of 2 to %d: layers: [{plugin: rbm, ...}, {plugin: rbm, "
            "...}]; with one it is an rbm",
            (long long)count, MOST);
  else if (x->rank < 0)
    ab_fail(&m->base, AB_CONFIG, "as a generator it must be told what to give");
  else if (!unit)
    ab_fail(&m->base, AB_CONFIG,
            "its units need data from 0 to 1; see data.transform.scale and binarise");
  return ab_ok(ab_context(&m->base));
}

static bool is_machine(Dbm *m, AbModel *layer) {
  if (ab_has_weight(layer, "W") && ab_has_weight(layer, "b") && ab_has_weight(layer, "c"))
    return true;
  ab_fail(&m->base, AB_CONFIG,
          "layer %s (%s) has no weights W, b and c; a layer is a restricted Boltzmann machine, as "
          "rbm is",
          ab_path(layer), layer->component->name);
  return false;
}

/* Each layer takes the code of the one below, which are probabilities. */
static void build_layers(Dbm *m, const AbSpec *x) {
  AbSpec below = *x;
  for (int64_t l = 1; l <= m->layers.count; l++) {
    AbModel *layer = m->layers.items[l - 1];
    AbSignature encode = ab_signature(AB_ROLE_ENCODE, &below, NULL);
    below = ab_build(layer, &encode);
    if (below.rank < 0 || !is_machine(m, layer)) return;
    below.range = AB_RANGE_UNIT;
    m->W[l] = ab_find_weight(layer, "W");
    m->b[l] = ab_find_weight(layer, "b");
    m->c[l] = ab_find_weight(layer, "c");
  }
  m->top = m->layers.count;
}

static int64_t units(const Dbm *m, int64_t l) {
  return l == 0 ? ab_dim(m->W[1], 0) : ab_dim(m->W[l], 1);
}

static void make_chains(Dbm *m) {
  AbContext *ctx = ab_context(&m->base);
  AbDtype real = ab_real_dtype(ctx);
  for (int64_t l = 0; l <= m->top; l++) {
    char name[32];
    snprintf(name, sizeof name, "chain%lld", (long long)l);
    AbShape shape = AB_SHAPE(m->chains, units(m, l));
    m->chain[l] = ab_buffer(&m->base, name, real, shape, "chain unit");
    ab_assign(m->chain[l], ab_bernoulli(ab_full(ctx, real, shape, 0.5)));
  }
}

static void make_offsets(Dbm *m) {
  AbDtype real = ab_real_dtype(ab_context(&m->base));
  for (int64_t l = 0; m->centred && l <= m->top; l++) {
    char name[32];
    snprintf(name, sizeof name, "mean%lld", (long long)l);
    m->o[l] = ab_buffer(&m->base, name, real, AB_SHAPE(1, units(m, l)), "row unit");
  }
}

static AbTensor *net_weight(Dbm *m, char letter, int64_t l, AbShape shape, const char *axes) {
  char name[32];
  snprintf(name, sizeof name, "%c%lld", letter, (long long)l);
  AbInit zero = {.kind = AB_INIT_CONSTANT, .a = 0};
  return ab_weight(&m->base, name, shape, zero, axes);
}

static void make_net(Dbm *m, int64_t classes) {
  AbInit start = {.kind = AB_INIT_XAVIER_UNIFORM, .a = 1}, zero = {.kind = AB_INIT_CONSTANT};
  for (int64_t l = 1; l <= m->top; l++) {
    m->V[l] = net_weight(m, 'V', l, AB_SHAPE(units(m, l - 1), units(m, l)), "below unit");
    m->d[l] = net_weight(m, 'd', l, AB_SHAPE(units(m, l)), "unit");
    if (l < m->top)
      m->A[l] = net_weight(m, 'A', l, AB_SHAPE(units(m, l + 1), units(m, l)), "above unit");
  }
  m->U = ab_weight(&m->base, "U", AB_SHAPE(units(m, m->top), classes), start, "unit class");
  m->e = ab_weight(&m->base, "e", AB_SHAPE(classes), zero, "class");
  AbDtype real = ab_real_dtype(ab_context(&m->base));
  m->begun = ab_buffer(&m->base, "begun", real, ab_scalar_shape(), "");
}

static void build(AbModel *self, const AbSignature *wanted) {
  Dbm *m = (Dbm *)self;
  const AbSpec *x = wanted->role == AB_ROLE_GENERATE ? &wanted->out : &wanted->in;
  if (!fits(m, x)) return;
  m->sample = ab_spec_shape(x);
  build_layers(m, x);
  if (!m->top) return;
  make_chains(m);
  make_offsets(m);
  m->seen = ab_buffer(self, "seen", AB_F64, ab_scalar_shape(), "");
  if (wanted->role == AB_ROLE_CLASSIFY) make_net(m, ab_spec_count(&wanted->out));
  ab_output_range(self, AB_ROLE_ENCODE, AB_RANGE_UNIT);
}

/* ---- the machine ----------------------------------------------------------------------------- */

/* a_l */
static AbTensor *bias(Dbm *m, int64_t l) {
  if (l == 0) return m->b[1];
  return l == m->top ? m->c[l] : ab_affine(ab_add(m->c[l], m->b[l + 1]), 0.5, 0);
}

static AbTensor *from_above(Dbm *m, AbTensor *above, int64_t l, AbTensor *a) {
  return ab_linear(above, ab_transpose(m->W[l + 1], 0, 1), a, AB_IDENTITY);
}

/* What layer l receives from its neighbours, and a_l. */
static AbTensor *received(Dbm *m, AbTensor *const *h, int64_t l) {
  if (l == 0) return from_above(m, h[1], 0, bias(m, 0));
  AbTensor *in = ab_linear(h[l - 1], m->W[l], bias(m, l), AB_IDENTITY);
  return l < m->top ? ab_add(in, from_above(m, h[l + 1], l, AB_NONE)) : in;
}

/* Ends a scope of which some states are kept, in place of those before. */
static void keep(Dbm *m, AbScope scope, AbTensor **before, AbTensor *const *now, int64_t first) {
  ab_scope_end(ab_context(&m->base), scope, now + first, (int32_t)(m->top + 1 - first));
  for (int64_t l = first; l <= m->top; l++) ab_drop(before[l]);
  for (int64_t l = first; l <= m->top; l++) before[l] = now[l];
}

/* mu[0] = v, then the means of each layer. What the data gives the first one is the same in all
 * sweeps.                                                                                        */
static void mean_field(Dbm *m, AbTensor *v, AbTensor **mu) {
  AbContext *ctx = ab_context(&m->base);
  AbTensor *data = ab_linear(v, m->W[1], bias(m, 1), AB_IDENTITY);
  mu[0] = v;
  for (int64_t l = 1; l <= m->top; l++) {
    double twice = l < m->top ? 2 : 1; /* for the layer above, which is not known yet */
    mu[l] = ab_linear(ab_affine(mu[l - 1], twice, 0), m->W[l], bias(m, l), AB_SIGMOID);
  }
  for (int64_t i = 0; i < m->mean_field; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *next[MOST + 1];
    memcpy(next, mu, sizeof next);
    next[1] = ab_sigmoid(ab_add(data, from_above(m, mu[2], 1, AB_NONE)));
    for (int64_t l = 2; l <= m->top; l++) next[l] = ab_sigmoid(received(m, next, l));
    keep(m, scope, mu, next, 1);
  }
}

/* Gibbs steps of the states h[0] to h[top]: the odd layers, then the even ones. */
static void gibbs(Dbm *m, AbTensor **h, int64_t steps) {
  AbContext *ctx = ab_context(&m->base);
  for (int64_t i = 0; i < steps; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *next[MOST + 1];
    memcpy(next, h, sizeof next);
    for (int64_t l = 1; l <= m->top; l += 2)
      next[l] = ab_sample_sigmoid(received(m, next, l), NULL);
    for (int64_t l = 0; l <= m->top; l += 2)
      next[l] = ab_sample_sigmoid(received(m, next, l), NULL);
    keep(m, scope, h, next, 0);
  }
}

/* ---- learning -------------------------------------------------------------------------------- */

/* The chains move on; h: their states, with means in the even layers. */
static void negative(Dbm *m, AbTensor **h) {
  memcpy(h, m->chain, sizeof m->chain);
  gibbs(m, h, m->k);
  for (int64_t l = 0; l <= m->top; l++) ab_assign(m->chain[l], h[l]);
  for (int64_t l = 0; l <= m->top; l += 2) h[l] = ab_sigmoid(received(m, h, l));
}

/* Of h_l, from the batch: `count` rows, over and over where it has fewer. */
static AbTensor *rows_of(AbTensor *h, int64_t count) {
  if (!h) return NULL; /* an error of the context */
  AbShape times = AB_SHAPE((count + ab_dim(h, 0) - 1) / ab_dim(h, 0), 1);
  return ab_slice(ab_repeat(h, times), 0, 0, count);
}

/* The first batch is where the chains begin. */
static void begin_chains(Dbm *m, AbTensor *const *mu) {
  for (int64_t l = 0; l <= m->top; l++)
    ab_assign(m->chain[l], ab_bernoulli(rows_of(mu[l], m->chains)));
}

/* A mean of all batches; after a hundred each counts 1 % less than the next. */
static void keep_offsets(Dbm *m, AbTensor *const *mu, double seen) {
  double rate = fmax(0.01, 1 / (seen + 1));
  for (int64_t l = 0; m->centred && l <= m->top; l++) {
    AbTensor *batch = ab_affine(ab_mean_axes(mu[l], 1, true), rate, 0);
    ab_assign(m->o[l], ab_add(ab_affine(m->o[l], 1 - rate, 0), batch));
  }
}

/* What the data says: the means of the units, and with them where chains begin and offsets are. */
static void positive(Dbm *m, AbTensor *v, AbTensor **mu) {
  mean_field(m, v, mu);
  double seen = ab_is_shape_only(m->seen) ? 0 : ab_item(m->seen);
  if (seen == 0) begin_chains(m, mu);
  keep_offsets(m, mu, seen);
  ab_assign(m->seen, ab_affine(m->seen, 1, 1));
}

/* z_l = h_l - o_l */
static void centre(Dbm *m, AbTensor *const *h, AbTensor **z) {
  for (int64_t l = 0; l <= m->top; l++) z[l] = m->centred ? ab_sub(h[l], m->o[l]) : h[l];
}

/* The mean of h_l less what a_l must give back as the weights move: of o_{l-1} W_l the mean of
 * (z_{l-1} . o_{l-1}) z_l, and the same of the layer above.                                      */
static AbTensor *bias_statistic(Dbm *m, AbTensor *const *h, AbTensor *const *z, int64_t l) {
  AbTensor *mean = ab_mean_axes(h[l], 1, true);
  for (int64_t k = l - 1; m->centred && k <= l + 1; k += 2) {
    if (k < 0 || k > m->top) continue;
    AbTensor *along = ab_matmul(m->o[k], ab_transpose(z[k], 0, 1)); /* [1, rows] */
    mean = ab_sub(mean, ab_affine(ab_matmul(along, z[l]), 1 / (double)ab_dim(z[l], 0), 0));
  }
  return mean;
}

/* What goes with a_l: its value is of the energies, its gradient of the step. */
static AbTensor *bias_part(Dbm *m, AbTensor *energy, AbTensor *step, int64_t l) {
  /* a_l is the mean of two biases: where both take the whole step it takes the whole step, too. */
  double share = m->centred && l > 0 && l < m->top ? 2 : 1;
  AbTensor *along = ab_affine(ab_sum(ab_mul(bias(m, l), step)), share, 0);
  return ab_add(energy, ab_sub(along, ab_detach(along)));
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  Dbm *m = (Dbm *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *v = ab_flatten(ab_batch_get(batch, "x")), *sum = NULL;
  AbTensor *mu[MOST + 1], *h[MOST + 1], *z[MOST + 1], *zh[MOST + 1];
  AbTensor *energy[MOST + 1], *step[MOST + 1];
  bool recording = ab_set_recording(ctx, false);
  positive(m, v, mu);
  negative(m, h);
  centre(m, mu, z);
  centre(m, h, zh);
  for (int64_t l = 0; l <= m->top; l++) {
    AbTensor *b = m->centred ? received(m, m->o, l) : bias(m, l);
    AbTensor *apart = ab_sub(ab_mean_axes(mu[l], 1, true), ab_mean_axes(h[l], 1, true));
    energy[l] = ab_sum(ab_mul(b, apart));
    step[l] = ab_sub(bias_statistic(m, mu, z, l), bias_statistic(m, h, zh, l));
  }
  ab_set_recording(ctx, recording);
  for (int64_t l = 0; l <= m->top; l++) {
    AbTensor *part = bias_part(m, energy[l], step[l], l);
    sum = sum ? ab_add(sum, part) : part;
    if (l > 0) sum = ab_add(sum, ab_contrast(m->W[l], z[l - 1], z[l], zh[l - 1], zh[l]));
  }
  return ab_neg(sum);
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *encode(AbModel *self, AbTensor *x) {
  Dbm *m = (Dbm *)self;
  AbTensor *mu[MOST + 1];
  mean_field(m, ab_flatten(x), mu);
  return mu[m->top];
}

/* The means of the visible units, in the shape of the data. */
static AbTensor *visible(Dbm *m, AbTensor *const *h) {
  return ab_reshape_samples(ab_sigmoid(received(m, h, 0)), m->sample);
}

static AbTensor *reconstruct(AbModel *self, AbTensor *x) {
  Dbm *m = (Dbm *)self;
  AbTensor *mu[MOST + 1];
  mean_field(m, ab_flatten(x), mu);
  return visible(m, mu);
}

/* From the chains, over and over where more are wanted. */
static AbTensor *generate(AbModel *self, int64_t count) {
  Dbm *m = (Dbm *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *h[MOST + 1] = {NULL};
  bool recording = ab_set_recording(ctx, false);
  for (int64_t l = 0; l <= m->top; l++) h[l] = rows_of(m->chain[l], count);
  gibbs(m, h, m->burn_in);
  AbTensor *v = visible(m, h);
  ab_set_recording(ctx, recording);
  return v;
}

/* The binary cross-entropy of a number with itself is its entropy. */
static AbTensor *score(AbModel *self, AbTensor *x) {
  Dbm *m = (Dbm *)self;
  AbTensor *mu[MOST + 1];
  mean_field(m, ab_flatten(x), mu);
  AbTensor *sum = ab_sum_axes(ab_mul(mu[0], bias(m, 0)), 2, false);
  for (int64_t l = 1; l <= m->top; l++) {
    AbTensor *in = ab_linear(mu[l - 1], m->W[l], bias(m, l), AB_IDENTITY);
    AbTensor *entropy = ab_binary_cross_entropy(mu[l], mu[l]);
    sum = ab_add(sum, ab_sum_axes(ab_add(ab_mul(mu[l], in), entropy), 2, false));
  }
  return ab_neg(sum);
}

/* ---- classification -------------------------------------------------------------------------- */

/* V, A and d become the machine's weights when training begins. */
static void begin_net(Dbm *m) {
  AbContext *ctx = ab_context(&m->base);
  bool recording = ab_set_recording(ctx, false);
  for (int64_t l = 1; l <= m->top; l++) {
    ab_assign(m->V[l], m->W[l]);
    ab_assign(m->d[l], bias(m, l));
    if (l < m->top) ab_assign(m->A[l], ab_transpose(m->W[l + 1], 0, 1));
  }
  ab_assign(m->begun, ab_full(ctx, ab_real_dtype(ctx), ab_scalar_shape(), 1));
  ab_set_recording(ctx, recording);
}

/* Whether the net has weights of its own; before, it is a pass through the machine. */
static bool has_begun(Dbm *m) {
  if (ab_is_shape_only(m->begun) || ab_item(m->begun) > 0) return true;
  if (!ab_training(ab_context(&m->base))) return false;
  begin_net(m);
  return true;
}

static AbTensor *net(Dbm *m, AbTensor *const *mu) {
  bool own = has_begun(m);
  AbTensor *x = mu[0];
  for (int64_t l = 1; l <= m->top; l++) {
    AbTensor *in = ab_linear(x, own ? m->V[l] : m->W[l], own ? m->d[l] : bias(m, l), AB_IDENTITY);
    if (l < m->top)
      in = ab_add(in, own ? ab_matmul(mu[l + 1], m->A[l]) : from_above(m, mu[l + 1], l, AB_NONE));
    x = ab_dropout(ab_sigmoid(in), m->dropout);
  }
  return ab_linear(x, m->U, m->e, AB_IDENTITY);
}

static AbTensor *classify(AbModel *self, AbTensor *x) {
  Dbm *m = (Dbm *)self;
  AbContext *ctx = ab_context(self);
  if (!m->U) {
    ab_fail(self, AB_CONFIG, "it was not built to classify, and has no weights for classes");
    return NULL;
  }
  AbTensor *mu[MOST + 1];
  bool recording = ab_set_recording(ctx, false);
  mean_field(m, ab_flatten(x), mu);
  ab_set_recording(ctx, recording);
  return net(m, mu);
}

/* ---- log Z ----------------------------------------------------------------------------------- */

/* a_l and t times what layer l receives from its neighbours. */
static AbTensor *annealed(Dbm *m, AbTensor *const *h, int64_t l, double t) {
  return ab_add(ab_affine(received(m, h, l), t, 0), ab_affine(bias(m, l), 1 - t, 0));
}

/* The logarithm of what the odd layers weigh at t less that at s, the even ones summed out: in f64,
 * one per chain.                                                                                 */
static AbTensor *gain(Dbm *m, AbTensor *const *h, double s, double t) {
  AbTensor *sum = NULL;
  for (int64_t l = 0; l <= m->top; l += 2) {
    AbTensor *more = ab_sub(ab_softplus(annealed(m, h, l, t)), ab_softplus(annealed(m, h, l, s)));
    AbTensor *here = ab_sum_axes(ab_cast(more, AB_F64), 2, false);
    sum = sum ? ab_add(sum, here) : here;
  }
  return sum;
}

/* A Gibbs step at t, from the odd layers to the even ones and back. */
static void anneal(Dbm *m, AbTensor **h, double t) {
  for (int64_t l = 0; l <= m->top; l += 2) h[l] = ab_sample_sigmoid(annealed(m, h, l, t), NULL);
  for (int64_t l = 1; l <= m->top; l += 2) h[l] = ab_sample_sigmoid(annealed(m, h, l, t), NULL);
}

/* Without W all units are independent: their states, and log Z. */
static AbTensor *independent(Dbm *m, int64_t chains, AbTensor **h) {
  AbTensor *log_z = NULL;
  for (int64_t l = 0; l <= m->top; l++) {
    AbTensor *a = bias(m, l), *here = ab_sum(ab_softplus(ab_cast(a, AB_F64)));
    h[l] = ab_sample_sigmoid(ab_broadcast_to(a, AB_SHAPE(chains, units(m, l))), NULL);
    log_z = log_z ? ab_add(log_z, here) : here;
  }
  return log_z;
}

static AbTensor *log_ratio(Dbm *m, AbTensor **h, int64_t chains, int64_t steps) {
  AbContext *ctx = ab_context(&m->base);
  AbTensor *weight = ab_full(ctx, AB_F64, AB_SHAPE(chains), 0);
  for (int64_t i = 1; i <= steps && ab_ok(ctx); i++) {
    double s = temperature(i - 1, steps), t = temperature(i, steps);
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *next[MOST + 2], *before = weight;
    memcpy(next, h, (MOST + 1) * sizeof *h);
    weight = next[m->top + 1] = ab_add(weight, gain(m, h, s, t));
    anneal(m, next, t);
    ab_scope_end(ctx, scope, next, (int32_t)m->top + 2);
    ab_drop(before);
    for (int64_t l = 0; l <= m->top; l++) ab_drop(h[l]);
    memcpy(h, next, (MOST + 1) * sizeof *h);
  }
  return ab_affine(ab_logsumexp(weight, 0, false), 1, -log((double)chains));
}

static AbTensor *log_partition(AbModel *self, int64_t chains, int64_t steps) {
  Dbm *m = (Dbm *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *h[MOST + 1] = {NULL};
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *log_z = independent(m, chains, h);
  log_z = ab_add(log_z, log_ratio(m, h, chains, steps));
  ab_scope_end(ctx, scope, &log_z, 1);
  ab_set_recording(ctx, recording);
  return log_z;
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reconstruct = reconstruct,
    .encode = encode,
    .generate = generate,
    .classify = classify,
    .score = score,
    .objective = objective,
    .log_partition = log_partition,
    .objective_for = AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_ENCODE) |
                     AB_ROLE_BIT(AB_ROLE_GENERATE) | AB_ROLE_BIT(AB_ROLE_SCORE),
};

static const AbComponent dbm = {
    .struct_size = sizeof dbm,
    .kind = AB_KIND_MODEL,
    .name = "dbm",
    .doc = "Deep Boltzmann machine, by mean field and persistent chains.",
    .citation = "Salakhutdinov, Hinton: Deep Boltzmann machines. AISTATS 2009. Montavon, Mueller: "
                "Deep Boltzmann machines and the centering trick. Neural Networks: Tricks of the "
                "Trade, 2012.",
    .instance_size = sizeof(Dbm),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.dbm", "0.1.0", "Apache-2.0", &dbm)
