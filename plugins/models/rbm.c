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
 * loss that is reported is the difference of mean energies that has this gradient.               */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbModel base;
  int64_t hidden, k;
  int64_t visible;
  bool persistent, sampled;
  int64_t chains;
  bool gaussian;
  AbShape sample;      /* of one x */
  AbTensor *W, *b, *c; /* [v, h], [v], [h] */
  AbTensor *chain;     /* [chains, v] */
} Rbm;

static const char *const visible_names[] = {"auto", "bernoulli", "gaussian", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(Rbm, hidden, 128, 1, 1 << 20, "units", "Width of the hidden layer."),
    AB_PARAM_INT(Rbm, k, 1, 1, 1000, "Gibbs steps", "Length of the chain."),
    AB_PARAM_CHOICE(Rbm, visible, "auto", visible_names,
                    "Visible units; auto: Bernoulli for data from 0 to 1, else Gaussian."),
    AB_PARAM_BOOL(Rbm, sampled, false,
                  "Let a chain from the data pass on samples of the visible units, not means."),
    AB_PARAM_BOOL(Rbm, persistent, false, "Keep the chains from step to step (PCD)."),
    AB_PARAM_INT(Rbm, chains, 100, 1, 1 << 20, "chains", "How many, where they are persistent."),
};

static void build(AbModel *self, const AbSignature *wanted) {
  Rbm *r = (Rbm *)self;
  bool decodes = wanted->role == AB_ROLE_DECODE; /* it is then given a code, and gives x */
  const AbSpec *x = decodes ? &wanted->out : &wanted->in;
  int64_t v = ab_spec_count(x), h = r->hidden;
  if (decodes && (x->rank < 0 || ab_spec_count(&wanted->in) != h)) {
    ab_fail(self, AB_CONFIG,
            "as a decoder it must be told what to give, and take a code as wide as hidden (%lld), "
            "not %lld numbers",
            (long long)h, (long long)ab_spec_count(&wanted->in));
    return;
  }
  r->sample.rank = x->rank;
  memcpy(r->sample.dims, x->shape, sizeof r->sample.dims);
  bool unit = x->range == AB_RANGE_UNIT || x->range == AB_RANGE_BINARY;
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
  if (!r->persistent) return;
  AbContext *ctx = ab_context(self);
  AbShape shape = AB_SHAPE(r->chains, v);
  r->chain = ab_buffer(self, "chain", ab_real_dtype(ctx), shape, "chain visible");
  AbTensor *half = ab_full(ctx, ab_real_dtype(ctx), shape, 0.5);
  ab_assign(r->chain, r->gaussian ? ab_normal(ctx, shape, 0, 1) : ab_bernoulli(half));
}

/* c + v W: what the hidden units receive. */
static AbTensor *received(Rbm *r, AbTensor *v) {
  return ab_linear(v, r->W, r->c, AB_IDENTITY);
}

static AbTensor *hidden_mean(Rbm *r, AbTensor *v) {
  return ab_linear(v, r->W, r->c, AB_SIGMOID);
}

static AbTensor *visible_mean(Rbm *r, AbTensor *h) {
  return ab_linear(h, ab_transpose(r->W, 0, 1), r->b, r->gaussian ? AB_IDENTITY : AB_SIGMOID);
}

static AbTensor *visible_sample(Rbm *r, AbTensor *h) {
  AbTensor *mean = visible_mean(r, h);
  if (!mean || !r->gaussian) return ab_bernoulli(mean);
  return ab_add(mean, ab_normal(ab_context(&r->base), ab_shape(mean), 0, 1));
}

/* k Gibbs steps from v, given the means of its hidden units. */
static AbTensor *gibbs(Rbm *r, AbTensor *v, AbTensor *h) {
  AbContext *ctx = ab_context(&r->base);
  for (int64_t i = 0; i < r->k; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *sample = ab_bernoulli(i == 0 ? h : hidden_mean(r, v));
    AbTensor *next =
        r->persistent || r->sampled ? visible_sample(r, sample) : visible_mean(r, sample);
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
  AbTensor *vk = gibbs(r, from, r->persistent ? hidden_mean(r, from) : h);
  AbTensor *hk = hidden_mean(r, vk);
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

static AbTensor *decode(AbModel *self, AbTensor *code) {
  const Rbm *r = (Rbm *)self;
  /* a sigmoid on its own keeps its argument, which binary cross-entropy is exact with */
  AbTensor *in = ab_linear(ab_flatten(code), ab_transpose(r->W, 0, 1), r->b, AB_IDENTITY);
  AbTensor *v = r->gaussian ? in : ab_sigmoid(in);
  AbShape shape = {.rank = r->sample.rank + 1, .dims = {ab_dim(code, 0)}};
  memcpy(shape.dims + 1, r->sample.dims, (size_t)r->sample.rank * sizeof *shape.dims);
  return ab_reshape(v, shape);
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  Rbm *r = (Rbm *)self;
  AbTensor *v = ab_flatten(x);
  return free_energy(r, v, received(r, v));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
    .score = score,
    .objective = objective,
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
