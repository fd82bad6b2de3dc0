/* SPDX-License-Identifier: Apache-2.0
 *
 * Ladder network (Valpola 2015; Rasmus, Berglund, Honkala, Valpola, Raiko 2015), fully connected,
 * with the Gaussian combinator. Layer 0 is x, those of `units` follow, and a classifier has its
 * classes on top: layers 0 .. L. N normalises each unit by its mean and deviation over the batch; e
 * is a normal number of deviation `noise`, a new one wherever it stands.
 *
 *   clean       h_0 = x             q_l = h_{l-1} W_l   z_l = N(q_l)       h_l = f(z_l + beta_l)
 *   corrupted   z~_0 = h~_0 = x + e                     z~_l = N(h~_{l-1} W_l) + e
 *                                                       h~_l = f(z~_l + beta_l)
 *   decoder     u_L = N(h~_L),      u_l = N(z^_{l+1} V_l),   z^_l = g(z~_l, u_l), for each unit
 *               g(z~, u) = (z~ - mu(u)) v(u) + mu(u)
 *               mu(u) = a1 s(a2 u + a3) + a4 u + a5,   v(u) = a6 s(a7 u + a8) + a9 u + a10
 *   cost        -log p(y | h~_L) + sum_l weights_l mean (z_l - (z^_l - m_l) / d_l)^2
 *
 * m_l and d_l are the mean and deviation that q_l is normalised by (0 and 1 for l = 0); gradients
 * go through them, too. The squared difference is (q_l - z^_l)^2 / d_l^2, and is computed so. The
 * means are over samples and units: weights_l is the paper's lambda_l (for MNIST 1000, 10, 0.1, ...
 * with 100 labels; 2000, 20, 0.1, ... with 50 or 1000; 1000, 1, 0.01, ... with all).
 *
 * On top of a classifier h_L = softmax(gamma (z_L + beta_L)); below, there is a gamma only where f
 * depends on the scale in more than scale (not for ReLU). The cost of the classes is that of x, all
 * others are those of the field `unlabelled` where the data has it (few-labels), else of x.
 * Labelled, unlabelled and clean rows share one product a layer and are normalised apart, as in the
 * authors' program. A model that is asked for something else than classes has no first cost.
 *
 * Roles take the clean path, normalised by running statistics of the clean rows: averages of all
 * steps so far, and when these are many, of the last 1 / momentum. encode gives the last of
 * `units`. reconstruct is z^_0, and score the cost of a sample without that of its class, both of a
 * decoder that is given the clean path, and normalised by its own running statistics. */
#include <absdk/absdk.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32, CURVES = 10 };
#define EPSILON 1e-5 /* added to variances */

/* A normalisation's running statistics. */
typedef struct {
  AbTensor *mean, *variance;
} Statistics;

typedef struct {
  int64_t width;
  double weight;               /* of the cost */
  AbTensor *W, *beta, *gamma;  /* from below, unless layer 0; gamma may be AB_NONE */
  AbTensor *V;                 /* from above, unless layer L; this and a: where denoised */
  AbTensor *a[CURVES];         /* a1 .. a10 */
  Statistics encoder, decoder; /* of q and u */
} Layer;

typedef struct {
  AbModel base;
  AbInts units;
  AbReals weights;
  double noise, momentum;
  int64_t activation;
  bool classifies;
  int64_t top, lowest;          /* L; the first layer that is denoised, L + 1 if none is */
  Layer layers[MAX_LAYERS + 1]; /* 0 .. L */
  AbShape sample;               /* of x */
  AbTensor *steps;              /* [1]: that the statistics have seen */
} Ladder;

static const AbParam params[] = {
    AB_PARAM_INTS(Ladder, units, "[1000, 500, 250, 250, 250]", 1, 1 << 20, "units",
                  "Widths of the layers between x and the classes."),
    AB_PARAM_REAL(Ladder, noise, 0.3, 0, 10, "", "Standard deviation of e."),
    AB_PARAM_REALS(Ladder, weights, "[1000, 10, 0.1]", 0, 1e9, "",
                   "Of the reconstruction costs of x and the layers above; the last holds for all "
                   "further ones."),
    AB_PARAM_CHOICE(Ladder, activation, "relu", ab_activation_names, "f."),
    AB_PARAM_REAL(Ladder, momentum, 0.01, 1e-6, 1, "",
                  "Least part of a new batch in the running statistics."),
};

/* ---- building -------------------------------------------------------------------------------- */

static AbTensor *vector(Ladder *m, const char *name, int64_t layer, double value) {
  char text[48];
  snprintf(text, sizeof text, "%s%lld", name, (long long)layer);
  AbInit init = {.kind = AB_INIT_CONSTANT, .a = value};
  return ab_weight(&m->base, text, AB_SHAPE(m->layers[layer].width), init, "unit");
}

static AbTensor *matrix(Ladder *m, const char *name, int64_t layer, int64_t in, int64_t out) {
  char text[48];
  snprintf(text, sizeof text, "%s%lld", name, (long long)layer);
  AbInit init = {.kind = AB_INIT_LECUN_NORMAL, .a = 1};
  return ab_weight(&m->base, text, AB_SHAPE(in, out), init, "in out");
}

static Statistics statistics(Ladder *m, const char *path, int64_t layer) {
  AbContext *ctx = ab_context(&m->base);
  AbShape shape = AB_SHAPE(m->layers[layer].width);
  Statistics s;
  char text[48];
  snprintf(text, sizeof text, "%s_mean%lld", path, (long long)layer);
  s.mean = ab_buffer(&m->base, text, ab_real_dtype(ctx), shape, "unit");
  snprintf(text, sizeof text, "%s_variance%lld", path, (long long)layer);
  s.variance = ab_buffer(&m->base, text, ab_real_dtype(ctx), shape, "unit");
  ab_assign(s.variance, ab_full(ctx, ab_real_dtype(ctx), shape, 1));
  return s;
}

/* Whether f(c x) is not c f(x). */
static bool scale_matters(const Ladder *m, int64_t layer) {
  if (m->classifies && layer == m->top) return true; /* softmax */
  return m->activation != AB_IDENTITY && m->activation != AB_RELU && m->activation != AB_LEAKY_RELU;
}

static void make_encoder(Ladder *m, int64_t l) {
  Layer *layer = &m->layers[l];
  layer->W = matrix(m, "W", l, m->layers[l - 1].width, layer->width);
  layer->beta = vector(m, "beta", l, 0);
  layer->gamma = scale_matters(m, l) ? vector(m, "gamma", l, 1) : AB_NONE;
  layer->encoder = statistics(m, "encoder", l);
}

static void make_decoder(Ladder *m, int64_t l) {
  Layer *layer = &m->layers[l];
  char name[16];
  if (l < m->top) layer->V = matrix(m, "V", l, m->layers[l + 1].width, layer->width);
  for (int k = 1; k <= CURVES; k++) {
    snprintf(name, sizeof name, "a%d_", k);
    layer->a[k - 1] = vector(m, name, l, k == 2 || k == 7);
  }
  layer->decoder = statistics(m, "decoder", l);
}

/* Widths and weights of the layers; false after an error. */
static bool plan(Ladder *m, const AbSignature *wanted) {
  int64_t count = m->units.count, given = m->weights.count;
  m->classifies = wanted->role == AB_ROLE_CLASSIFY;
  m->top = count + m->classifies;
  if (m->top < 1 || m->top > MAX_LAYERS) {
    ab_fail(&m->base, AB_CONFIG, "units has %lld entries; 1 to %d fit%s", (long long)count,
            MAX_LAYERS - m->classifies, m->classifies ? " (or none)" : "");
    return false;
  }
  if (given < 1 || given > m->top + 1) {
    ab_fail(&m->base, AB_CONFIG,
            "weights has %lld entries; with x%s there are %lld layers, and 1 to so many fit",
            (long long)given, m->classifies ? " and the classes" : "", (long long)m->top + 1);
    return false;
  }
  m->lowest = m->top + 1;
  for (int64_t l = m->top; l >= 0; l--) {
    Layer *layer = &m->layers[l];
    layer->width = ab_spec_count(l == 0 ? &wanted->in : &wanted->out);
    if (l > 0 && l <= count) layer->width = m->units.items[l - 1];
    layer->weight = m->weights.items[l < given ? l : given - 1];
    if (layer->weight > 0) m->lowest = l;
  }
  return true;
}

static bool denoises_x(Ladder *m, const char *what) {
  if (m->lowest == 0) return true;
  ab_fail(&m->base, AB_CONFIG, "%s needs a decoder down to x: weights must begin above 0", what);
  return false;
}

static void build(AbModel *self, const AbSignature *wanted) {
  Ladder *m = (Ladder *)self;
  AbContext *ctx = ab_context(self);
  if (!plan(m, wanted)) return;
  if (wanted->role == AB_ROLE_RECONSTRUCT && !denoises_x(m, "reconstruct")) return;
  if (!m->classifies && m->lowest > m->top) {
    ab_fail(self, AB_CONFIG,
            "weights are all 0, and without classes nothing else is to be learned; one must be "
            "above 0");
    return;
  }
  m->sample = ab_spec_shape(&wanted->in);
  for (int64_t l = 1; l <= m->top; l++) make_encoder(m, l);
  for (int64_t l = m->top; l >= m->lowest; l--) make_decoder(m, l);
  m->steps = ab_buffer(self, "steps", ab_real_dtype(ctx), AB_SHAPE(1), "count");
}

/* ---- the parts of a layer -------------------------------------------------------------------- */

static AbTensor *with_noise(Ladder *m, AbTensor *x) {
  if (m->noise <= 0) return x;
  return ab_add(x, ab_normal(ab_context(&m->base), ab_shape(x), 0, m->noise));
}

/* N by the batch. */
static AbTensor *normalised(AbTensor *x) {
  return ab_batch_norm(x, AB_NONE, AB_NONE, AB_NONE, AB_NONE, 0, EPSILON, AB_IDENTITY);
}

/* N by running statistics; in training by the batch, and they follow. */
static AbTensor *settled(const Ladder *m, const Statistics *s, AbTensor *x) {
  return ab_batch_norm(x, AB_NONE, AB_NONE, s->mean, s->variance, m->momentum, EPSILON,
                       AB_IDENTITY);
}

/* gamma (z + beta) */
static AbTensor *received(const Layer *layer, AbTensor *z) {
  AbTensor *sum = ab_add(z, layer->beta);
  return ab_is_none(layer->gamma) ? sum : ab_mul(sum, layer->gamma);
}

/* h of z */
static AbTensor *activated(const Ladder *m, int64_t l, AbTensor *z) {
  AbTensor *in = received(&m->layers[l], z);
  return m->classifies && l == m->top ? ab_softmax(in) : ab_activate(m->activation, in);
}

/* a1 s(a2 u + a3) + a4 u + a5 */
static AbTensor *curve(AbTensor *const *a, AbTensor *u) {
  AbTensor *bent = ab_mul(a[0], ab_sigmoid(ab_add(ab_mul(a[1], u), a[2])));
  return ab_add(bent, ab_add(ab_mul(a[3], u), a[4]));
}

/* g */
static AbTensor *combined(const Layer *layer, AbTensor *z, AbTensor *u) {
  AbTensor *mu = curve(layer->a, u), *v = curve(layer->a + 5, u);
  return ab_add(ab_mul(ab_sub(z, mu), v), mu);
}

/* ---- learning -------------------------------------------------------------------------------- */

/* The rows of a step, in this order; without a field `unlabelled` there are no labelled ones, and
 * the noisy ones have labels.                                                                    */
enum { CLEAN, NOISY, LABELLED, PARTS };

typedef struct {
  AbTensor *q[MAX_LAYERS + 1]; /* clean; q[0] is x */
  AbTensor *z[MAX_LAYERS + 1]; /* z~ of the noisy rows */
  AbTensor *h;                 /* h~_L of them */
  AbTensor *labelled;          /* z~_L of those with labels */
} Pass;

/* Both encoders. `x` is AB_NONE where the labelled rows are the others. */
static Pass encoded(Ladder *m, AbTensor *x, AbTensor *unlabelled) {
  AbTensor *part[PARTS] = {unlabelled, with_noise(m, unlabelled)};
  int32_t count = ab_is_none(x) ? LABELLED : PARTS;
  if (count == PARTS) part[LABELLED] = with_noise(m, x);
  int64_t rows[PARTS];
  for (int32_t i = 0; i < count; i++) rows[i] = ab_dim(part[i], 0);
  Pass pass = {.q = {part[CLEAN]}, .z = {part[NOISY]}};
  for (int64_t l = 1; l <= m->top; l++) {
    AbTensor *h = ab_concat(part, count, 0);
    if (l > 1) h = activated(m, l - 1, h);
    ab_split(ab_matmul(h, m->layers[l].W), 0, count, rows, part);
    pass.q[l] = part[CLEAN];
    for (int32_t i = 0; i < count; i++) part[i] = normalised(part[i]);
    for (int32_t i = NOISY; i < count; i++) part[i] = with_noise(m, part[i]);
    pass.z[l] = part[NOISY];
  }
  pass.h = activated(m, m->top, part[NOISY]);
  pass.labelled = part[count - 1];
  return pass;
}

/* A running average. */
static void follow(AbTensor *average, AbTensor *value, AbTensor *rate) {
  ab_assign(average, ab_add(average, ab_mul(rate, ab_sub(value, average))));
}

static void follow_both(const Statistics *s, AbTensor *x, AbTensor *rate) {
  follow(s->mean, ab_mean_axes(x, 1, false), rate);
  follow(s->variance, ab_variance(x, 1, 1, false), rate);
}

/* The running statistics follow q of the encoder and what the decoder gets from above. */
static void follow_all(Ladder *m, AbTensor *const *q, AbTensor *const *from_above) {
  AbContext *ctx = ab_context(&m->base);
  if (!ab_training(ctx)) return;
  bool recording = ab_set_recording(ctx, false);
  ab_assign(m->steps, ab_affine(m->steps, 1, 1));
  AbTensor *least = ab_full(ctx, ab_real_dtype(ctx), AB_SHAPE(1), m->momentum);
  AbTensor *rate = ab_maximum(ab_reciprocal(m->steps), least);
  for (int64_t l = 1; l <= m->top; l++) follow_both(&m->layers[l].encoder, q[l], rate);
  for (int64_t l = m->lowest; l <= m->top; l++)
    follow_both(&m->layers[l].decoder, from_above[l], rate);
  ab_set_recording(ctx, recording);
}

/* weights_l mean (q - z^)^2 / d^2 */
static AbTensor *layer_cost(const Layer *layer, bool bottom, AbTensor *q, AbTensor *estimate) {
  if (bottom) return ab_affine(ab_squared_error(q, estimate, AB_LOSS_MEAN), layer->weight, 0);
  AbTensor *variance = ab_affine(ab_variance(q, 1, 0, false), 1, EPSILON);
  AbTensor *error = ab_mean_axes(ab_squared_error(q, estimate, AB_LOSS_EACH), 1, false);
  return ab_affine(ab_mean(ab_div(error, variance)), layer->weight, 0);
}

/* The decoder, and the sum of its costs; AB_NONE where it has none. */
static AbTensor *reconstruction_cost(Ladder *m, const Pass *pass) {
  AbTensor *cost = AB_NONE, *estimate = pass->h, *from_above[MAX_LAYERS + 1];
  for (int64_t l = m->top; l >= m->lowest; l--) {
    const Layer *layer = &m->layers[l];
    from_above[l] = l == m->top ? pass->h : ab_matmul(estimate, layer->V);
    estimate = combined(layer, pass->z[l], normalised(from_above[l]));
    if (layer->weight <= 0) continue;
    AbTensor *own = layer_cost(layer, l == 0, pass->q[l], estimate);
    cost = ab_is_none(cost) ? own : ab_add(cost, own);
  }
  follow_all(m, pass->q, from_above);
  return cost;
}

/* Batch statistics of one row say nothing. */
static bool enough_rows(Ladder *m, AbTensor *x) {
  if (!x || ab_dim(x, 0) > 1) return true;
  ab_fail(&m->base, AB_CONFIG,
          "a batch of one sample has no deviation to normalise by; change data.batch so that none "
          "is left over");
  return false;
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  Ladder *m = (Ladder *)self;
  AbTensor *x = ab_flatten(ab_batch_get(batch, "x")), *rows = x;
  if (ab_batch_has(batch, "unlabelled")) rows = ab_flatten(ab_batch_get(batch, "unlabelled"));
  if (!enough_rows(m, rows) || !enough_rows(m, x)) return NULL;
  Pass pass = encoded(m, m->classifies && rows != x ? x : AB_NONE, rows);
  AbTensor *reconstruction = reconstruction_cost(m, &pass);
  if (!ab_is_none(reconstruction)) ab_part(self, "reconstruction", reconstruction);
  if (!m->classifies) return reconstruction;
  AbTensor *logits = received(&m->layers[m->top], pass.labelled);
  AbTensor *class = ab_mean(ab_cross_entropy(logits, ab_batch_get(batch, "target")));
  ab_part(self, "class", class);
  return ab_is_none(reconstruction) ? class : ab_add(class, reconstruction);
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* Normalised z_1 .. z_to of clean rows into z, where that is not NULL; returns that of `to`. */
static AbTensor *clean(Ladder *m, AbTensor *x, int64_t to, AbTensor **q, AbTensor **z) {
  AbTensor *h = ab_flatten(x), *last = h;
  if (z) q[0] = z[0] = h;
  for (int64_t l = 1; l <= to; l++) {
    AbTensor *in = ab_matmul(h, m->layers[l].W);
    last = settled(m, &m->layers[l].encoder, in);
    if (l < to) h = activated(m, l, last);
    if (!z) continue;
    q[l] = in;
    z[l] = last;
  }
  return last;
}

static AbTensor *classify(AbModel *self, AbTensor *x) {
  Ladder *m = (Ladder *)self;
  if (!m->classifies) {
    ab_fail(self, AB_CONFIG, "it was not built to classify and has no classes on top");
    return NULL;
  }
  return received(&m->layers[m->top], clean(m, x, m->top, NULL, NULL));
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  Ladder *m = (Ladder *)self;
  if (m->units.count == 0) return ab_flatten(x);
  return activated(m, m->units.count, clean(m, x, m->units.count, NULL, NULL));
}

/* z^_lowest of the decoder on the clean path; its cost for each sample is put into *cost, if that
 * is not NULL.                                                                                   */
static AbTensor *estimated(Ladder *m, AbTensor *x, AbTensor **cost) {
  AbTensor *q[MAX_LAYERS + 1], *z[MAX_LAYERS + 1];
  AbTensor *top = clean(m, x, m->top, q, z), *estimate = activated(m, m->top, top);
  for (int64_t l = m->top; l >= m->lowest; l--) {
    const Layer *layer = &m->layers[l];
    AbTensor *from_above = l == m->top ? estimate : ab_matmul(estimate, layer->V);
    estimate = combined(layer, z[l], settled(m, &layer->decoder, from_above));
    if (!cost) continue;
    AbTensor *error = ab_squared_error(q[l], estimate, AB_LOSS_EACH);
    if (l > 0) error = ab_div(error, ab_affine(layer->encoder.variance, 1, EPSILON));
    error = ab_affine(ab_mean_axes(error, 2, false), layer->weight, 0);
    *cost = ab_is_none(*cost) ? error : ab_add(*cost, error);
  }
  return estimate;
}

static AbTensor *reconstruct(AbModel *self, AbTensor *x) {
  Ladder *m = (Ladder *)self;
  if (!denoises_x(m, "reconstruct")) return NULL;
  return ab_reshape_samples(estimated(m, x, NULL), m->sample);
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  Ladder *m = (Ladder *)self;
  AbTensor *cost = AB_NONE;
  if (m->lowest > m->top) {
    ab_fail(self, AB_CONFIG, "score is the reconstruction cost, but weights are all 0");
    return NULL;
  }
  estimated(m, x, &cost);
  return cost;
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reconstruct = reconstruct,
    .encode = encode,
    .classify = classify,
    .score = score,
    .objective = objective,
};

static const AbComponent ladder = {
    .struct_size = sizeof ladder,
    .kind = AB_KIND_MODEL,
    .name = "ladder",
    .doc = "Ladder network: a denoising encoder and decoder that learn from few labels.",
    .citation = "Rasmus, Berglund, Honkala, Valpola, Raiko: Semi-supervised learning with ladder "
                "networks. NIPS 2015.",
    .instance_size = sizeof(Ladder),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.ladder", "0.1.0", "Apache-2.0", &ladder)
