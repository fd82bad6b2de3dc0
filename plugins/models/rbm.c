/* SPDX-License-Identifier: Apache-2.0
 *
 * Restricted Boltzmann machine (Smolensky 1986), learned by contrastive divergence (Hinton 2002) or
 * with persistent chains (Tieleman 2008).
 *
 *   E(v,h) = -v.b - h.c - v.W.h                           Bernoulli visible units
 *          = |v - b|^2 / 2 - h.c - v.W.h                  Gaussian visible units, variance 1
 *   p(h_j = 1 | v) = s(c_j + (v W)_j)
 *   p(v_i = 1 | h) = s(b_i + (h W')_i)                    or v_i ~ N(b_i + (h W')_i, 1)
 *   F(v) = -v.b - sum_j softplus(c_j + (v W)_j)           with |v - b|^2 / 2 for -v.b
 *
 * The gradient of F(v) - F(v_k), where v_k, the end of k Gibbs steps, is held fixed, is the update
 * of CD-k. Without persistence the chain starts at the data and passes on the means of the visible
 * units (Hinton 2010, section 3) unless they are to be sampled; persistent chains sample them. The
 * loss that is reported is the difference of mean energies that has this gradient.
 *
 * `doubled` is for layers that will be those of a deep Boltzmann machine (Salakhutdinov & Hinton
 * 2009), whose units also hear from the layer that is not there yet: the first has p(h | v) =
 * s(c + 2 v W), the last p(v | h) = s(b + 2 h W'), one in between both. The statistics stay those
 * above. With one direction doubled there is no energy, so no score and no log Z; with both it is
 * the machine of 2 W.
 *
 * log Z is estimated by annealed importance sampling (Neal 2001) as in Salakhutdinov & Murray 2008:
 * from the machine without W, whose visible units have the mean of the training data, through
 *   -log p_t(v) = -(1 - t) v.a - t v.b - sum_j softplus(t (c_j + (v W)_j))     0 <= t <= 1
 * with (1 - t) |v - a|^2 / 2 + t |v - b|^2 / 2 for Gaussian units.                              */
#include "annealing.h"
#include <absdk/absdk.h>
#include <math.h>
#include <string.h>

typedef struct {
  AbModel base;
  int64_t hidden, k;
  int64_t visible;
  bool persistent, sampled;
  int64_t chains;
  int64_t doubled, burn_in, generated;
  bool gaussian;
  AbShape sample;      /* of one x */
  AbTensor *W, *b, *c; /* [v, h], [v], [h] */
  AbTensor *mean;      /* [v], of the training data, the older the less */
  AbTensor *chain;     /* [chains, v] */
} Rbm;

static const char *const visible_names[] = {"auto", "bernoulli", "gaussian", NULL};
static const char *const doubled_names[] = {"none", "input", "output", "both", NULL};
static const char *const generated_names[] = {"means", "samples", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(Rbm, hidden, 128, 1, 1 << 20, "units", "Width of the hidden layer."),
    AB_PARAM_INT(Rbm, k, 1, 1, 1000, "Gibbs steps", "Length of the chain."),
    AB_PARAM_CHOICE(Rbm, visible, "auto", visible_names,
                    "Visible units; auto: Bernoulli for data from 0 to 1, else Gaussian."),
    AB_PARAM_BOOL(Rbm, sampled, false,
                  "Let a chain from the data pass on samples of the visible units, not means."),
    AB_PARAM_BOOL(Rbm, persistent, false, "Keep the chains from step to step (PCD)."),
    AB_PARAM_INT(Rbm, chains, 100, 1, 1 << 20, "chains", "How many, where they are persistent."),
    AB_PARAM_CHOICE(
        Rbm, doubled, "none", doubled_names,
        "Weights that count twice, in a layer to be of a deep Boltzmann machine: those "
        "to the hidden units (input: its first), to the visible ones (output: its last) "
        "or both."),
    AB_PARAM_INT(Rbm, burn_in, 1000, 1, 1 << 30, "Gibbs steps",
                 "Before what is generated is taken."),
    AB_PARAM_CHOICE(Rbm, generated, "means", generated_names,
                    "What is generated: means of the visible units in the last step, or samples."),
};

/* What x is: as a decoder or generator it gives it, else it is given it. */
static const AbSpec *data_spec(Rbm *r, const AbSignature *wanted) {
  bool decodes = wanted->role == AB_ROLE_DECODE;
  if (!decodes && wanted->role != AB_ROLE_GENERATE) return &wanted->in;
  bool told = wanted->out.rank >= 0;
  if (told && (!decodes || ab_spec_count(&wanted->in) == r->hidden)) return &wanted->out;
  if (decodes)
    ab_fail(&r->base, AB_CONFIG,
            "as a decoder it must be told what to give, and take a code as wide as hidden (%lld), "
            "not %lld numbers",
            (long long)r->hidden, (long long)ab_spec_count(&wanted->in));
  else
    ab_fail(&r->base, AB_CONFIG, "as a generator it must be told what to give");
  return NULL;
}

static void build(AbModel *self, const AbSignature *wanted) {
  Rbm *r = (Rbm *)self;
  const AbSpec *x = data_spec(r, wanted);
  if (!x) return;
  int64_t v = ab_spec_count(x), h = r->hidden;
  r->sample = ab_spec_shape(x);
  bool unit = ab_spec_is_unit(x);
  r->gaussian = r->visible == 2 || (r->visible == 0 && !unit);
  if (!r->gaussian && !unit) {
    ab_fail(self, AB_CONFIG,
            "Bernoulli visible units need data from 0 to 1; see data.transform.scale, or use "
            "visible: gaussian");
    return;
  }
  AbInit small = {.kind = AB_INIT_NORMAL, .a = 0.01}, zero = {.kind = AB_INIT_CONSTANT, .a = 0};
  r->W = ab_weight(self, "W", AB_SHAPE(v, h), small, "visible hidden");
  r->b = ab_weight(self, "b", AB_SHAPE(v), zero, "visible");
  r->c = ab_weight(self, "c", AB_SHAPE(h), zero, "hidden");
  AbContext *ctx = ab_context(self);
  r->mean = ab_buffer(self, "mean", ab_real_dtype(ctx), AB_SHAPE(v), "visible");
  ab_assign(r->mean, ab_full(ctx, ab_real_dtype(ctx), AB_SHAPE(v), r->gaussian ? 0 : 0.5));
  ab_output_range(self, AB_ROLE_ENCODE, AB_RANGE_UNIT);
  if (!r->persistent) return;
  AbShape shape = AB_SHAPE(r->chains, v);
  r->chain = ab_buffer(self, "chain", ab_real_dtype(ctx), shape, "chain visible");
  AbTensor *half = ab_full(ctx, ab_real_dtype(ctx), shape, 0.5);
  ab_assign(r->chain, r->gaussian ? ab_normal(ctx, shape, 0, 1) : ab_bernoulli(half));
}

static double up(const Rbm *r) {
  return r->doubled & 1 ? 2 : 1;
}

static double down(const Rbm *r) {
  return r->doubled & 2 ? 2 : 1;
}

static AbTensor *scaled(AbTensor *x, double scale) {
  return scale == 1 ? x : ab_affine(x, scale, 0);
}

/* What units receive. */
static AbTensor *hidden_input(Rbm *r, AbTensor *v) {
  return ab_linear(scaled(v, up(r)), r->W, r->c, AB_IDENTITY);
}

static AbTensor *visible_input(Rbm *r, AbTensor *h) {
  return ab_linear(scaled(h, down(r)), ab_transpose(r->W, 0, 1), r->b, AB_IDENTITY);
}

static AbTensor *hidden_mean(Rbm *r, AbTensor *v) {
  return ab_linear(scaled(v, up(r)), r->W, r->c, AB_SIGMOID);
}

/* Means of the visible units, given what they receive, and samples. */
static AbTensor *visible_mean(Rbm *r, AbTensor *in) {
  return r->gaussian ? in : ab_sigmoid(in);
}

static AbTensor *visible_sample(Rbm *r, AbTensor *in) {
  if (!in || !r->gaussian) return ab_sample_sigmoid(in, NULL);
  return ab_add(in, ab_normal(ab_context(&r->base), ab_shape(in), 0, 1));
}

/* One Gibbs step, from samples of the hidden units. */
static AbTensor *visible_of(Rbm *r, AbTensor *h, bool sampled) {
  AbTensor *in = visible_input(r, h);
  return sampled ? visible_sample(r, in) : visible_mean(r, in);
}

/* `steps` Gibbs steps from v, given the means of its hidden units (or AB_NONE); the last one gives
 * samples of the visible units or their means, and `sampled` says which the others pass on.      */
static AbTensor *gibbs(Rbm *r, int64_t steps, AbTensor *v, AbTensor *h, bool sampled, bool last) {
  AbContext *ctx = ab_context(&r->base);
  for (int64_t i = 0; i < steps; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *sample =
        i == 0 && !ab_is_none(h) ? ab_bernoulli(h) : ab_sample_sigmoid(hidden_input(r, v), NULL);
    AbTensor *next = visible_of(r, sample, i + 1 < steps ? sampled : last);
    ab_scope_end(ctx, scope, &next, 1);
    if (i > 0) ab_drop(v);
    v = next;
  }
  return v;
}

/* F(v), one number per row, given what the hidden units receive. */
static AbTensor *free_energy(Rbm *r, AbTensor *v, AbTensor *in) {
  AbTensor *bias =
      r->gaussian ? ab_affine(ab_square(ab_sub(v, r->b)), 0.5, 0) : ab_neg(ab_mul(v, r->b));
  return ab_sub(ab_sum_axes(bias, 2, false), ab_sum_axes(ab_softplus(in), 2, false));
}

/* The mean rows of v and of vk, one less the other. */
static AbTensor *mean_difference(AbTensor *v, AbTensor *vk) {
  return ab_sub(ab_mean_axes(v, 1, false), ab_mean_axes(vk, 1, false));
}

/* A mean of batches, each of which counts 1 % less than the next. */
static void keep_mean(Rbm *r, AbTensor *v) {
  if (!ab_training(ab_context(&r->base))) return;
  AbTensor *batch = ab_affine(ab_mean_axes(v, 1, false), 0.01, 0);
  ab_assign(r->mean, ab_add(ab_affine(r->mean, 0.99, 0), batch));
}

/* mean E(v, h) - mean E(vk, hk), as far as it has a gradient: with h and hk, the means of the
 * hidden units, held fixed its gradient is that of the mean of F(v) - F(vk). The (v^2 + b^2) / 2 of
 * Gaussian units is left out.                                                                    */
static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  Rbm *r = (Rbm *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *v = ab_flatten(ab_batch_get(batch, "x"));
  if (!v) return NULL;
  bool recording = ab_set_recording(ctx, false);
  AbTensor *h = hidden_mean(r, v), *from = r->persistent ? r->chain : v;
  bool sampled = r->persistent || r->sampled;
  AbTensor *vk = gibbs(r, r->k, from, r->persistent ? AB_NONE : h, sampled, sampled);
  AbTensor *hk = hidden_mean(r, vk);
  keep_mean(r, v);
  if (r->persistent) ab_assign(r->chain, vk);
  AbTensor *db = mean_difference(v, vk), *dc = mean_difference(h, hk);
  ab_set_recording(ctx, recording);
  AbTensor *biases = ab_add(ab_sum(ab_mul(r->b, db)), ab_sum(ab_mul(r->c, dc)));
  return ab_neg(ab_add(ab_contrast(r->W, v, h, vk, hk), biases));
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *encode(AbModel *self, AbTensor *x) {
  return hidden_mean((Rbm *)self, ab_flatten(x));
}

/* Rows of visible units in the shape of the data. */
static AbTensor *in_shape(const Rbm *r, AbTensor *v) {
  return ab_reshape_samples(v, r->sample);
}

/* The sigmoid is an operation of its own: binary cross-entropy is exact with its argument. */
static AbTensor *decode(AbModel *self, AbTensor *code) {
  Rbm *r = (Rbm *)self;
  return in_shape(r, visible_mean(r, visible_input(r, ab_flatten(code))));
}

static bool has_energy(Rbm *r) {
  if (up(r) == down(r)) return true;
  ab_fail(&r->base, AB_CONFIG,
          "with doubled: %s it has no energy, and so neither score nor log Z; use none or both",
          doubled_names[r->doubled]);
  return false;
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  Rbm *r = (Rbm *)self;
  if (!has_energy(r)) return NULL;
  AbTensor *v = ab_flatten(x);
  return free_energy(r, v, hidden_input(r, v));
}

/* `count` rows to start from: the persistent chains, over and over, or units that are independent
 * and have the mean of the data.                                                                 */
static AbTensor *start(Rbm *r, int64_t count) {
  AbContext *ctx = ab_context(&r->base);
  if (r->persistent) {
    AbTensor *rows = ab_repeat(r->chain, AB_SHAPE((count + r->chains - 1) / r->chains, 1));
    return ab_slice(rows, 0, 0, count);
  }
  AbTensor *mean = ab_broadcast_to(r->mean, AB_SHAPE(count, ab_dim(r->mean, 0)));
  if (!mean || !r->gaussian) return ab_bernoulli(mean);
  return ab_add(mean, ab_normal(ctx, ab_shape(mean), 0, 1));
}

static AbTensor *generate(AbModel *self, int64_t count) {
  Rbm *r = (Rbm *)self;
  AbContext *ctx = ab_context(self);
  bool recording = ab_set_recording(ctx, false);
  AbTensor *v = gibbs(r, r->burn_in, start(r, count), AB_NONE, true, r->generated == 1);
  ab_set_recording(ctx, recording);
  return in_shape(r, v);
}

/* ---- log Z ----------------------------------------------------------------------------------- */

/* Where the units without W have their mean: a in the equations. */
static AbTensor *base_bias(Rbm *r) {
  if (r->gaussian) return ab_affine(r->mean, 1, 0);
  AbTensor *p = ab_clamp(r->mean, 0.001, 0.999);
  return ab_sub(ab_log(p), ab_log(ab_affine(p, -1, 1)));
}

/* log p_t(v) - log p_s(v), in f64, one per chain. The difference of each unit is taken before the
 * sum, which is large.                                                                           */
static AbTensor *gain(Rbm *r, AbTensor *a, AbTensor *v, AbTensor *in, double s, double t) {
  AbTensor *bias = ab_mul(v, ab_sub(r->b, a));
  if (r->gaussian) bias = ab_add(bias, ab_affine(ab_sub(ab_square(a), ab_square(r->b)), 0.5, 0));
  AbTensor *hidden = ab_sub(ab_softplus(ab_affine(in, t, 0)), ab_softplus(ab_affine(in, s, 0)));
  AbTensor *units = ab_sum_axes(ab_cast(ab_affine(bias, t - s, 0), AB_F64), 2, false);
  return ab_add(units, ab_sum_axes(ab_cast(hidden, AB_F64), 2, false));
}

/* A Gibbs step of p_t, from what the hidden units receive at t = 1. */
static AbTensor *anneal(Rbm *r, AbTensor *a, AbTensor *in, double t) {
  AbTensor *bias = ab_add(ab_affine(a, 1 - t, 0), ab_affine(r->b, t, 0));
  AbTensor *h = ab_sample_sigmoid(ab_affine(in, t, 0), NULL);
  return visible_sample(
      r, ab_linear(scaled(h, t * down(r)), ab_transpose(r->W, 0, 1), bias, AB_IDENTITY));
}

/* log Z of the machine without W. */
static AbTensor *base_log_z(Rbm *r, AbTensor *a) {
  double hidden = (double)r->hidden * log(2);
  if (r->gaussian)
    return ab_full(ab_context(&r->base), AB_F64, ab_scalar_shape(),
                   hidden + (double)ab_count(a) * log(2 * acos(-1)) / 2);
  return ab_affine(ab_sum(ab_softplus(ab_cast(a, AB_F64))), 1, hidden);
}

/* The start is a sample of p_0; each step adds to the chain's log weight what the next temperature
 * gives its v, and moves v by it. Z / Z_0 is the mean of the weights.                            */
static AbTensor *annealed(Rbm *r, int64_t chains, int64_t steps) {
  AbContext *ctx = ab_context(&r->base);
  AbTensor *a = base_bias(r), *rows = ab_broadcast_to(a, AB_SHAPE(chains, ab_dim(a, 0)));
  AbTensor *state[2] = {visible_sample(r, rows), ab_full(ctx, AB_F64, AB_SHAPE(chains), 0)};
  for (int64_t i = 1; i <= steps && ab_ok(ctx); i++) {
    double s = temperature(i - 1, steps), t = temperature(i, steps);
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *in = hidden_input(r, state[0]);
    AbTensor *weight = ab_add(state[1], gain(r, a, state[0], in, s, t));
    AbTensor *next[2] = {anneal(r, a, in, t), weight};
    ab_scope_end(ctx, scope, next, 2);
    ab_drop(state[0]);
    ab_drop(state[1]);
    memcpy(state, next, sizeof state);
  }
  AbTensor *ratio = ab_affine(ab_logsumexp(state[1], 0, false), 1, -log((double)chains));
  return ab_add(base_log_z(r, a), ratio);
}

static AbTensor *log_partition(AbModel *self, int64_t chains, int64_t steps) {
  Rbm *r = (Rbm *)self;
  if (!has_energy(r)) return NULL;
  AbContext *ctx = ab_context(self);
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *log_z = annealed(r, chains, steps);
  ab_scope_end(ctx, scope, &log_z, 1);
  ab_set_recording(ctx, recording);
  return log_z;
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
    .generate = generate,
    .score = score,
    .objective = objective,
    .log_partition = log_partition,
};

static const AbComponent rbm = {
    .struct_size = sizeof rbm,
    .kind = AB_KIND_MODEL,
    .name = "rbm",
    .doc = "Restricted Boltzmann machine, by contrastive divergence or persistent chains.",
    .citation = "Hinton: Training products of experts by minimizing contrastive divergence. Neural "
                "Computation 14, 2002.",
    .instance_size = sizeof(Rbm),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.rbm", "0.1.0", "Apache-2.0", &rbm)
