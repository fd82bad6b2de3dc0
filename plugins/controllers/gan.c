/* SPDX-License-Identifier: Apache-2.0
 *
 * Generative adversarial nets (Goodfellow et al. 2014). The manifest's model is the generator G;
 * the discriminator, any model with the role score, learns to score what G makes higher than the
 * data, and G learns to be scored like the data. With the logit a = -score, a_r of real samples x
 * and a_f of samples G(z), D minimises L_D and G minimises L_G, means over the batch:
 *
 *   non-saturating  L_D = softplus(-a_r) + softplus(a_f)                 L_G = softplus(-a_f)
 *   minimax         L_D the same                                         L_G = -softplus(a_f)
 *   least-squares   L_D = (a_r - 1)^2 / 2 + a_f^2 / 2                    L_G = (a_f - 1)^2 / 2
 *                   (Mao et al. 2017)
 *   hinge           L_D = max(0, m - a_r) + max(0, m + a_f)              L_G = -a_f
 *                   (Lim & Ye 2017)
 *   wasserstein     L_D = a_f - a_r                                      L_G = -a_f
 *                   (Arjovsky, Chintala, Bottou 2017)
 *
 * With `smooth` s the real target 1 of the first three is 1 - s for D (one-sided label smoothing,
 * Salimans et al. 2016). With an auto-encoder as discriminator, whose score is its error of
 * reconstruction, hinge is the energy-based GAN with margin m (Zhao, Mathieu, LeCun 2017).
 *
 * The gradient penalty (Gulrajani et al. 2017) adds to L_D
 *
 *   penalty (|d a(x^) / d x^| - 1)^2,     x^ = e x + (1 - e) G(z),  e ~ U(0, 1) per sample
 *
 * Conditional (Mirza & Osindero 2014), the discriminator sees the class y of a sample as a one-hot
 * code beside it: `classes` more numbers in the last axis of x [d] or [t, d] (at every t), that
 * many constant planes of x [c, h, w]. The generator takes part in this if it is conditional
 * itself.
 *
 * Every step moves the discriminator, on data of its own; every `steps`-th then moves the
 * generator, through the discriminator as it has become. */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbController base;
  int64_t loss;
  int64_t steps;
  double smooth, margin, penalty;
  bool conditional;
  int64_t classes;
  AbModel *discriminator;
  AbOptimizer *optimizer;
  AbGroup *group; /* of the discriminator */
} Gan;

enum { NON_SATURATING = 0, MINIMAX = 1, LEAST_SQUARES = 2, HINGE = 3, WASSERSTEIN = 4 };
static const char *const loss_names[] = {"non-saturating", "minimax",     "least-squares",
                                         "hinge",          "wasserstein", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Gan, loss, "non-saturating", loss_names, "What the two minimise."),
    AB_PARAM_INT(Gan, steps, 1, 1, 1000, "steps",
                 "Steps of the discriminator for each of the generator."),
    AB_PARAM_REAL(Gan, smooth, 0, 0, 0.5, "",
                  "How far below 1 the target of real samples is (non-saturating, minimax, "
                  "least-squares)."),
    AB_PARAM_REAL(Gan, margin, 1, 0, 1e6, "scores", "m, of the hinge loss."),
    AB_PARAM_REAL(Gan, penalty, -1, -1, 1e6, "",
                  "Weight of the gradient penalty, with any loss; -1: 10 for wasserstein, else 0."),
    AB_PARAM_BOOL(Gan, conditional, false, "Show the discriminator the class, y of the data."),
    AB_PARAM_INT(Gan, classes, 0, 0, 1 << 20, "classes",
                 "How many there are, where it is conditional."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(Gan, discriminator, AB_KIND_MODEL, AB_ROLE_SCORE, AB_REQUIRED, "{plugin: mlp}",
                 "Scores samples: higher = less like the data."),
    AB_SLOT(Gan, optimizer, AB_KIND_OPTIMIZER, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the discriminator; without it, the manifest's."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* The axis of a batch in which the class is appended: the channels of images, else the last. */
static int32_t class_axis(int32_t rank) {
  return rank == 4 ? 1 : rank - 1;
}

/* What the discriminator sees, of one sample. */
static AbSpec seen(Gan *g, AbSpec x) {
  if (!g->conditional) return x;
  if (g->classes < 2)
    ab_fail(&g->base, AB_CONFIG,
            "conditional: set classes to the number of classes of y, 2 or more");
  else if (x.rank < 1 || x.rank > 3)
    ab_fail(&g->base, AB_CONFIG,
            "conditional: x has %d axes; a class can be put beside x of 1 to 3, as [d], [t, d] or "
            "[c, h, w] (data.transform.reshape)",
            x.rank);
  else
    x.shape[class_axis(x.rank + 1) - 1] += g->classes;
  if (x.range == AB_RANGE_BINARY) x.range = AB_RANGE_UNIT;
  return x;
}

static void build(AbController *self, AbStep *step) {
  Gan *g = (Gan *)self;
  AbModel *generator = ab_step_model(step);
  if (ab_step_role(step) != AB_ROLE_GENERATE) {
    ab_fail(self, AB_CONFIG, "it trains a generator: the problem must be generate, not %s",
            ab_role_name(ab_step_role(step)));
    return;
  }
  AbSpec x = ab_output(generator, AB_ROLE_GENERATE);
  if (x.rank < 0) return;
  AbSpec in = seen(g, x), number = {.dtype = x.dtype};
  AbSignature score = ab_signature(AB_ROLE_SCORE, &in, &number);
  if (ab_build(g->discriminator, &score).rank < 0) return;
  AbOptimizer *optimizer = g->optimizer ? g->optimizer : ab_step_optimizer(step);
  g->group = ab_group(step, "discriminator", g->discriminator, optimizer);
}

/* ---- what the discriminator says ------------------------------------------------------------- */

/* The one-hot classes of the batch in the shape of x, but for the axis of the classes. */
static AbTensor *planes(Gan *g, const AbBatch *batch, AbTensor *x) {
  AbTensor *y = ab_batch_get(batch, "y");
  if (!x || !y) return NULL;
  if (ab_rank(y) != 1 || ab_dtype(y) != AB_I64) {
    ab_fail(&g->base, AB_CONFIG, "conditional: y of the data is not one class per sample");
    return NULL;
  }
  int32_t rank = ab_rank(x), axis = class_axis(rank);
  AbShape one = {.rank = rank, .dims = {ab_dim(x, 0), 1, 1, 1}}, whole = ab_shape(x);
  one.dims[axis] = whole.dims[axis] = g->classes;
  return ab_broadcast_to(ab_reshape(ab_one_hot(y, g->classes), one), whole);
}

/* a = -score of x [n, ...] -> [n] */
static AbTensor *logit(Gan *g, const AbBatch *batch, AbTensor *x) {
  if (g->conditional && x) {
    AbTensor *both[] = {x, planes(g, batch, x)};
    x = ab_concat(both, 2, class_axis(ab_rank(x)));
  }
  return ab_neg(ab_call(g->discriminator, AB_ROLE_SCORE, x));
}

/* The mean of `form(a, target)` with one target for all. */
static AbTensor *towards(AbTensor *(*form)(AbTensor *, AbTensor *, AbLossForm), AbTensor *a,
                         double target) {
  if (!a) return NULL;
  return form(a, ab_full(ab_context_of(a), ab_dtype(a), ab_shape(a), target), AB_LOSS_MEAN);
}

static AbTensor *cross_entropy(AbTensor *a, double target) {
  return towards(ab_binary_cross_entropy_logits, a, target);
}

static AbTensor *half_square(AbTensor *a, double target) {
  return ab_affine(towards(ab_squared_error, a, target), 0.5, 0);
}

/* mean max(0, m - sign a) */
static AbTensor *hinge(AbTensor *a, double sign, double m) {
  return ab_mean(ab_relu(ab_affine(a, -sign, m)));
}

static AbTensor *discriminator_loss(const Gan *g, AbTensor *real, AbTensor *fake) {
  switch (g->loss) {
  case LEAST_SQUARES: return ab_add(half_square(real, 1 - g->smooth), half_square(fake, 0));
  case HINGE: return ab_add(hinge(real, 1, g->margin), hinge(fake, -1, g->margin));
  case WASSERSTEIN: return ab_sub(ab_mean(fake), ab_mean(real));
  default: return ab_add(cross_entropy(real, 1 - g->smooth), cross_entropy(fake, 0));
  }
}

static AbTensor *generator_loss(const Gan *g, AbTensor *fake) {
  switch (g->loss) {
  case NON_SATURATING: return cross_entropy(fake, 1);
  case MINIMAX: return ab_neg(cross_entropy(fake, 0));
  case LEAST_SQUARES: return half_square(fake, 1);
  default: return ab_neg(ab_mean(fake));
  }
}

/* (|d a / d x^| - 1)^2, a mean over points between the real and the generated samples. */
static AbTensor *gradient_penalty(Gan *g, const AbBatch *batch, AbTensor *x, AbTensor *made) {
  if (!x || !made) return NULL;
  AbShape per_sample = {.rank = ab_rank(x), .dims = {ab_dim(x, 0), 1, 1, 1, 1, 1, 1, 1}};
  AbTensor *e = ab_uniform(ab_context(&g->base), per_sample, 0, 1), *slope = NULL;
  AbTensor *between = ab_detach(ab_add(made, ab_mul(e, ab_sub(x, made))));
  if (!between) return NULL;
  ab_require_grad(between);
  ab_gradients(ab_sum(logit(g, batch, between)), &between, 1, &slope, true);
  AbTensor *length = ab_norm(ab_flatten(slope), 2, 2, false);
  return ab_mean(ab_square(ab_affine(length, 1, -1)));
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* x of the batch, if there is what else is needed. */
static AbTensor *real_samples(Gan *g, const AbBatch *batch) {
  AbTensor *x = ab_batch_get(batch, "x");
  if (!x || !g->conditional || ab_batch_has(batch, "y")) return x;
  ab_fail(&g->base, AB_CONFIG, "conditional: the data has no y, the class of each sample");
  return NULL;
}

static AbTensor *train_discriminator(Gan *g, AbStep *step, AbTensor *x, AbTensor *made) {
  const AbBatch *batch = ab_step_batch(step);
  AbTensor *real = logit(g, batch, x), *fake = logit(g, batch, made);
  AbTensor *loss = discriminator_loss(g, real, fake);
  double weight = g->penalty >= 0 ? g->penalty : g->loss == WASSERSTEIN ? 10 : 0;
  ab_part(&g->base, "real_score", ab_neg(ab_mean(real)));
  ab_part(&g->base, "generated_score", ab_neg(ab_mean(fake)));
  if (weight > 0) {
    AbTensor *penalty = gradient_penalty(g, batch, x, made);
    ab_part(&g->base, "penalty", penalty);
    loss = ab_add(loss, ab_affine(penalty, weight, 0));
  }
  ab_part(&g->base, "discriminator", loss);
  ab_update(step, loss, g->group);
  return loss;
}

static AbTensor *train_generator(Gan *g, AbStep *step, AbTensor *made) {
  AbTensor *loss = generator_loss(g, logit(g, ab_step_batch(step), made));
  ab_part(&g->base, "generator", loss);
  ab_update(step, loss, ab_step_group(step));
  return loss;
}

/* What was made for the discriminator is what the generator is judged by. */
static AbTensor *step(AbController *self, AbStep *s) {
  Gan *g = (Gan *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *x = real_samples(g, ab_step_batch(s));
  if (!x) return NULL;
  bool turn = (ab_step_progress(s)->step + 1) % g->steps == 0;
  bool recording = ab_set_recording(ctx, turn);
  AbTensor *made = ab_generate(ab_step_model(s), ab_dim(x, 0));
  ab_set_recording(ctx, recording);
  AbTensor *loss = train_discriminator(g, s, x, ab_detach(made));
  if (turn) train_generator(g, s, made);
  return loss;
}

static const AbControllerVtable vtable = {
    .struct_size = sizeof vtable, .build = build, .step = step};

static const AbComponent gan = {
    .struct_size = sizeof gan,
    .kind = AB_KIND_CONTROLLER,
    .name = "gan",
    .doc = "Generative adversarial nets: a generator against a discriminator.",
    .citation = "Goodfellow et al.: Generative adversarial nets. NIPS 2014.",
    .instance_size = sizeof(Gan),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.controller.gan", "0.1.0", "Apache-2.0", &gan)
