/* SPDX-License-Identifier: Apache-2.0
 *
 * Transformer (Vaswani et al. 2017): an encoder that sees all steps; a causal one, that sees at
 * each step only those before (Radford et al. 2018); an encoder with a decoder.
 *
 *   h = embed(x) + positions                      [t, width]; x: tokens [t], or numbers [t, ...]
 *   h := blocks(h)                                attention and feed-forward networks: stack.h
 *   y_i = h_i W + b                               for each step, or of a summary of all:
 *   summary                                       the mean of the h_i, the first, or the last
 *
 * classify, act and encode use the summary. predict and reconstruct give a y for each step where
 * what is wanted has as many steps as x, else they use the summary too. Where the data has a field
 * "length", the steps beyond it are not attended to and are not in the summary.
 *
 * A causal model of tokens that gives a logit for each class at each step knows the sequences:
 *
 *   p(x) = p(x_1) prod_i softmax(y_{i-1})_{x_i}
 *   score     the mean of -log softmax(y_{i-1})_{x_i} over i > 1: nats per token
 *   generate  x_1 by how often each token began a sequence in training (and once more), then token
 *             by token from softmax(y / temperature); keys and values of the steps before are kept
 *
 * To learn for score and generate it minimises this mean. For predict it is given the tokens x and
 * asked for the tokens y, each the next of x (data text), by the loss cross-entropy.
 *
 * With a decoder, predict reads x with the encoder and gives y step by step: in training it is fed
 * the steps of y before (teacher forcing), else those that it has given (of classes the most
 * probable). The loss of an evaluation is therefore one without teacher forcing.                */
#include "input.h"
#include <math.h>
#include <string.h>

enum { NORM_FIRST = 0 };
enum { SUMMARY_AUTO = 0, SUMMARY_MEAN = 1, SUMMARY_FIRST = 2, SUMMARY_LAST = 3 };

typedef struct {
  AbModel base;
  int64_t width, heads, layers, feedforward, decoder_layers, activation, norm, positions, summary;
  double dropout, temperature;
  bool causal;

  Input input;
  Stack encoder;
  Input given; /* of the decoder: y */
  AbTensor *start;
  Stack decoder;
  AbLinear head; /* W is NULL for an encoder */
  AbShape out;   /* of one output */
  bool stepwise; /* the head is for each step */
  bool language; /* it knows p(x) */
  bool reconstructs;
  AbTensor *begun;         /* [classes]: how often each token began a sequence in training */
  AbTensor **cache, **old; /* [2 layers + 1]: keys and values, while it gives step by step */
  AbTensor **spoken;       /* [steps]: what it has given */
} Transformer;

static const char *const norms[] = {"first", "last", NULL};
static const char *const position_names[] = {"sinusoidal", "learned", "none", NULL};
static const char *const summaries[] = {"auto", "mean", "first", "last", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(Transformer, width, 128, 1, 1 << 16, "units", "Of the vector of a step."),
    AB_PARAM_INT(Transformer, heads, 4, 1, 1 << 10, "", "Of the attention; they divide the width."),
    AB_PARAM_INT(Transformer, layers, 2, 1, 1000, "", "Blocks of the encoder."),
    AB_PARAM_INT(Transformer, feedforward, 0, 0, 1 << 18, "units",
                 "Width of the hidden layer of a block; 0: 4 times width."),
    {.key = "decoder",
     .type = AB_TYPE_INT,
     .offset = AB_FIELD(Transformer, decoder_layers, int64_t),
     .int_max = 1000,
     .unit = "",
     .doc = "Blocks of a decoder, for predict; 0: there is none.",
     .since = "0.1"},
    AB_PARAM_BOOL(Transformer, causal, false, "A step sees none that comes after it."),
    AB_PARAM_REAL(Transformer, dropout, 0.1, 0, 0.95, "",
                  "Part left out in training of embeddings and of what a branch adds."),
    AB_PARAM_CHOICE(Transformer, positions, "sinusoidal", position_names,
                    "What tells steps apart."),
    AB_PARAM_CHOICE(Transformer, norm, "first", norms,
                    "Where a branch has its layer normalisation; last: as in the paper."),
    AB_PARAM_CHOICE(Transformer, activation, "gelu", ab_activation_names,
                    "Of the hidden layer of a block; the paper has relu."),
    AB_PARAM_CHOICE(Transformer, summary, "auto", summaries,
                    "What stands for all steps; auto: the last of a causal model, else the mean."),
    AB_PARAM_REAL(Transformer, temperature, 1, 0, 100, "",
                  "Of what is generated; 0: always the most probable."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* [t] tokens or numbers, [t, ...] numbers. */
static bool set_input(Transformer *m, Input *input, const AbSpec *x) {
  bool tokens = x->range == AB_RANGE_CLASS;
  if (x->rank < 1 || (tokens && x->rank > 1) || ab_spec_count(x) < 1) {
    ab_fail(&m->base, AB_CONFIG,
            "it takes a sequence: tokens (classes) of shape [steps], or numbers of shape [steps] "
            "or [steps, ...]");
    return false;
  }
  *input = (Input){.steps = x->shape[0],
                   .classes = tokens ? x->classes : 0,
                   .features = ab_spec_count(x) / x->shape[0],
                   .width = m->width,
                   .dropout = m->dropout};
  return true;
}

/* Whether the parameters go together, and with the role. */
static bool fits(Transformer *m, const AbSignature *wanted) {
  if (m->width % m->heads != 0) {
    ab_fail(&m->base, AB_CONFIG, "a width of %lld cannot be divided among %lld heads",
            (long long)m->width, (long long)m->heads);
    return false;
  }
  if (m->decoder_layers == 0) return true;
  if (wanted->role != AB_ROLE_PREDICT) {
    ab_fail(&m->base, AB_CONFIG, "a decoder is for the role predict; leave it out");
    return false;
  }
  if (m->causal)
    ab_fail(&m->base, AB_CONFIG,
            "causal is of a model without a decoder, whose encoder sees all of x; leave one out");
  return !m->causal;
}

static Stack make_stack(Transformer *m, Numbers *numbers, bool decodes) {
  StackOptions options = {
      .width = m->width,
      .heads = m->heads,
      .layers = decodes ? m->decoder_layers : m->layers,
      .feedforward = m->feedforward > 0 ? m->feedforward : 4 * m->width,
      .activation = m->activation,
      .dropout = m->dropout,
      .norm_first = m->norm == NORM_FIRST,
      .causal = decodes || m->causal,
      .cross = decodes,
  };
  return stack_make(&m->base, numbers, options);
}

/* y is tokens where logits of classes are wanted for each of its steps. */
static void make_decoder(Transformer *m, Numbers *numbers, const AbSpec *out) {
  AbSpec y = *out;
  if (out->classes > 0 && out->rank == 2 && out->shape[1] == out->classes) {
    y.rank = 1;
    y.range = AB_RANGE_CLASS;
  }
  if (!set_input(m, &m->given, &y)) return;
  AbInit normal = {.kind = AB_INIT_NORMAL, .a = 1};
  m->start = ab_weight(&m->base, "start", AB_SHAPE(m->width), normal, "feature");
  input_make(&m->given, &m->base, numbers, "decoder_", m->positions);
  m->decoder = make_stack(m, numbers, true);
}

static void make_head(Transformer *m, Numbers *numbers, const AbSpec *out) {
  int64_t count = ab_spec_count(out), steps = m->decoder_layers ? m->given.steps : m->input.steps;
  m->out = ab_spec_shape(out);
  m->head = make_linear(&m->base, numbers, m->width, m->stepwise ? count / steps : count,
                        ab_output_activation(0, out));
}

/* The role score or generate: a logit for each class at each step. */
static AbSpec logits_of(Transformer *m) {
  AbSpec out = {.rank = 2, .dtype = ab_real_dtype(ab_context(&m->base))};
  out.shape[0] = m->input.steps;
  out.shape[1] = m->input.classes;
  return out;
}

static void make_language(Transformer *m, bool asked) {
  m->language = m->causal && m->input.classes > 0 && m->stepwise && m->out.rank == 2 &&
                m->out.dims[1] == m->input.classes && m->input.steps > 1;
  if (asked && !m->language)
    ab_fail(&m->base, AB_CONFIG,
            "score and generate are of a model with causal: true, for at least two tokens "
            "(classes) of shape [steps]");
  if (!m->language || !ab_ok(ab_context(&m->base))) return;
  AbDtype real = ab_real_dtype(ab_context(&m->base));
  m->begun = ab_buffer(&m->base, "begun", real, AB_SHAPE(m->input.classes), "class");
}

static void build(AbModel *self, const AbSignature *wanted) {
  Transformer *m = (Transformer *)self;
  AbRole role = wanted->role;
  bool asked = role == AB_ROLE_SCORE || role == AB_ROLE_GENERATE;
  const AbSpec *x = role == AB_ROLE_GENERATE ? &wanted->out : &wanted->in;
  Numbers numbers = {0};
  if (!fits(m, wanted) || !set_input(m, &m->input, x)) return;
  AbSpec out = asked ? logits_of(m) : wanted->out;
  if (role == AB_ROLE_RECONSTRUCT) {
    out = *x;
    if (m->input.classes > 0)
      ab_fail(self, AB_CONFIG,
              "reconstruct is of numbers; for tokens there are score and generate");
  }
  if (role != AB_ROLE_ENCODE && out.rank < 0)
    ab_fail(self, AB_CONFIG, "it must be told what to give");
  if (!ab_ok(ab_context(self))) return;
  input_make(&m->input, self, &numbers, "", m->positions);
  m->encoder = make_stack(m, &numbers, false);
  if (m->decoder_layers > 0) make_decoder(m, &numbers, &out);
  if (role == AB_ROLE_ENCODE || !ab_ok(ab_context(self))) return;
  bool summed = role == AB_ROLE_CLASSIFY || role == AB_ROLE_ACT;
  m->reconstructs = role == AB_ROLE_RECONSTRUCT;
  m->stepwise =
      m->decoder_layers > 0 || (!summed && out.rank > 0 && out.shape[0] == m->input.steps);
  make_head(m, &numbers, &out);
  if (m->decoder_layers == 0) make_language(m, asked);
  size_t kept = (size_t)(2 * (m->layers + m->decoder_layers) + 1) * sizeof *m->cache;
  m->cache = ab_alloc(self, kept);
  m->old = ab_alloc(self, kept);
  m->spoken = ab_alloc(self, (size_t)(m->input.steps + m->given.steps) * sizeof *m->spoken);
}

/* ---- the encoder ----------------------------------------------------------------------------- */

/* Of the steps of x that count, the mask; AB_NONE where all do. */
static AbTensor *mask_of(Transformer *m, AbTensor *x) {
  AbTensor *lengths = x ? ab_given(&m->base, "length", ab_dim(x, 0)) : NULL;
  return lengths == AB_NONE ? AB_NONE : ab_length_mask(lengths, ab_dim(x, 1));
}

/* [n, t, width] */
static AbTensor *encoded(Transformer *m, AbTensor *x) {
  AbTensor *h = input_place(&m->input, input_embed(&m->input, x), 0);
  return stack_apply(&m->encoder, h, mask_of(m, x), AB_NONE, AB_NONE);
}

/* 1 for each step of x that counts, else 0: [n, t]; AB_NONE where all do. */
static AbTensor *counting(Transformer *m, AbTensor *x) {
  AbTensor *mask = mask_of(m, x);
  if (mask == AB_NONE) return AB_NONE;
  return ab_reshape(ab_cast(mask, ab_real_dtype(ab_context(&m->base))),
                    AB_SHAPE(ab_dim(x, 0), ab_dim(x, 1)));
}

/* Weights of the steps in the mean, or a 1 at the last: [n, t], from those that count. */
static AbTensor *weighed(AbTensor *counts, bool last) {
  if (!last) {
    AbTensor *sum = ab_sum_axes(counts, 2, true);
    return ab_div(counts, ab_clamp(sum, 1, INFINITY));
  }
  AbTensor *rest = ab_slice(counts, 1, 1, ab_dim(counts, 1));
  int64_t before[2] = {0, 0}, after[2] = {0, 1};
  return ab_sub(counts, ab_pad(rest, before, after, AB_PAD_CONSTANT, 0));
}

/* h [n, t, width] -> [n, width] */
static AbTensor *summary_of(Transformer *m, AbTensor *x, AbTensor *h) {
  int64_t steps = ab_dim(h, 1);
  bool last = m->summary == SUMMARY_LAST || (m->summary == SUMMARY_AUTO && m->causal);
  if (m->summary == SUMMARY_FIRST) return ab_squeeze(ab_slice(h, 1, 0, 1), 1);
  AbTensor *counts = counting(m, x);
  if (counts != AB_NONE)
    return ab_sum_axes(ab_mul(h, ab_unsqueeze(weighed(counts, last), 2)), 2, false);
  return last ? ab_squeeze(ab_slice(h, 1, steps - 1, steps), 1) : ab_mean_axes(h, 2, false);
}

/* ---- the decoder ----------------------------------------------------------------------------- */

/* What the decoder begins with: [n, 1, width] */
static AbTensor *started(Transformer *m, int64_t samples) {
  return ab_broadcast_to(m->start, AB_SHAPE(samples, 1, m->width));
}

/* All steps at once, each fed the y before it. */
static AbTensor *taught(Transformer *m, AbTensor *y, AbTensor *memory, AbTensor *mask) {
  AbTensor *h = started(m, ab_dim(y, 0));
  int64_t steps = m->given.steps;
  if (steps > 1) {
    AbTensor *before = input_embed(&m->given, ab_slice(y, 1, 0, steps - 1));
    h = ab_concat((AbTensor *[]){h, before}, 2, 1);
  }
  h = stack_apply(&m->decoder, input_place(&m->given, h, 0), AB_NONE, memory, mask);
  return ab_linear_apply(&m->head, h);
}

/* Step by step, each fed what the one before gave. */
static AbTensor *spoken(Transformer *m, AbTensor *memory, AbTensor *mask) {
  AbTensor *h = started(m, ab_dim(memory, 0));
  memset(m->cache, 0, (size_t)(2 * m->decoder_layers) * sizeof *m->cache);
  for (int64_t i = 0; i < m->given.steps; i++) {
    h = stack_step(&m->decoder, input_place(&m->given, h, i), m->cache, memory, mask);
    AbTensor *y = m->spoken[i] = ab_linear_apply(&m->head, h);
    h = input_embed(&m->given, m->given.classes > 0 ? ab_argmax(y) : y);
  }
  return ab_concat(m->spoken, (int32_t)m->given.steps, 1);
}

static AbTensor *decoded(Transformer *m, AbTensor *x) {
  AbTensor *memory = encoded(m, x), *mask = mask_of(m, x);
  if (!memory) return NULL;
  AbTensor *y = ab_training(ab_context(&m->base)) ? ab_given(&m->base, "y", ab_dim(x, 0)) : AB_NONE;
  return y == AB_NONE ? spoken(m, memory, mask) : taught(m, y, memory, mask);
}

/* ---- roles ----------------------------------------------------------------------------------- */

/* Counts the tokens that sequences begin with. */
static void count_begun(Transformer *m, AbTensor *x) {
  if (!m->language || !x || !ab_training(ab_context(&m->base)) || ab_is_shape_only(x)) return;
  AbTensor *first = ab_reshape(ab_slice(x, 1, 0, 1), AB_SHAPE(ab_dim(x, 0)));
  AbTensor *hot = ab_one_hot(first, m->input.classes);
  ab_assign(m->begun, ab_add(m->begun, ab_sum_axes(hot, 1, false)));
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  Transformer *m = (Transformer *)self;
  return summary_of(m, x, encoded(m, x));
}

/* classify, act, predict, reconstruct: what the head was made for. */
static AbTensor *output(AbModel *self, AbTensor *x) {
  Transformer *m = (Transformer *)self;
  if (!m->head.W) {
    ab_fail(self, AB_CONFIG, "it was built as an encoder and has no output layer");
    return NULL;
  }
  if (m->decoder_layers > 0) return ab_reshape_samples(decoded(m, x), m->out);
  count_begun(m, x);
  AbTensor *h = encoded(m, x);
  return ab_reshape_samples(ab_linear_apply(&m->head, m->stepwise ? h : summary_of(m, x, h)),
                            m->out);
}

static bool knows_language(Transformer *m, const char *role) {
  if (!m->language)
    ab_fail(&m->base, AB_CONFIG,
            "%s is of a causal model of tokens that was built to predict the next, to score or to "
            "generate",
            role);
  return m->language;
}

/* -log p of each token but the first, given those before: [n, t - 1] */
static AbTensor *surprise(Transformer *m, AbTensor *x) {
  int64_t n = ab_dim(x, 0), rest = m->input.steps - 1;
  AbTensor *y = ab_linear_apply(&m->head, encoded(m, ab_slice(x, 1, 0, rest)));
  AbTensor *next = ab_reshape(ab_slice(x, 1, 1, rest + 1), AB_SHAPE(n * rest));
  AbTensor *nats = ab_cross_entropy(ab_reshape(y, AB_SHAPE(n * rest, m->input.classes)), next);
  return ab_reshape(nats, AB_SHAPE(n, rest));
}

/* The mean over some axes of [n, t - 1], of the tokens that count. */
static AbTensor *mean_surprise(Transformer *m, AbTensor *x, uint32_t axes) {
  AbTensor *nats = surprise(m, x), *counts = counting(m, x);
  if (counts == AB_NONE) return ab_mean_axes(nats, axes, false);
  counts = ab_slice(counts, 1, 1, m->input.steps);
  AbTensor *sum = ab_sum_axes(counts, axes, false);
  return ab_div(ab_sum_axes(ab_mul(nats, counts), axes, false), ab_clamp(sum, 1, INFINITY));
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  Transformer *m = (Transformer *)self;
  if (m->reconstructs)
    return ab_mean_axes(ab_flatten(ab_square(ab_sub(output(self, x), x))), 2, false);
  return knows_language(m, "score") ? mean_surprise(m, x, 2) : NULL;
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  Transformer *m = (Transformer *)self;
  AbTensor *x = ab_batch_get(batch, "x");
  count_begun(m, x);
  return mean_surprise(m, x, 3);
}

/* y [n, 1, classes] -> [n] */
static AbTensor *draw(const Transformer *m, AbTensor *y) {
  AbTensor *logits = ab_reshape(y, AB_SHAPE(ab_dim(y, 0), m->input.classes));
  if (m->temperature == 0) return ab_argmax(logits);
  return ab_categorical_logits(ab_affine(logits, 1 / m->temperature, 0));
}

/* The token after `token` [n], which is that of step i. Of the scope in it nothing is left but this
 * and the new cache; the old one goes.                                                          */
static AbTensor *next_token(Transformer *m, AbTensor *token, int64_t i) {
  AbContext *ctx = ab_context(&m->base);
  int64_t kept = 2 * m->layers;
  memcpy(m->old, m->cache, (size_t)kept * sizeof *m->old);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *h = input_place(&m->input, input_embed(&m->input, ab_unsqueeze(token, 1)), i);
  h = stack_step(&m->encoder, h, m->cache, AB_NONE, AB_NONE);
  m->cache[kept] = draw(m, ab_linear_apply(&m->head, h));
  ab_scope_end(ctx, scope, m->cache, (int32_t)kept + 1);
  for (int64_t j = 0; j < kept; j++) ab_drop(m->old[j]);
  return m->cache[kept];
}

static AbTensor *generate(AbModel *self, int64_t count) {
  Transformer *m = (Transformer *)self;
  if (!knows_language(m, "generate")) return NULL;
  AbContext *ctx = ab_context(self);
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *weights = ab_broadcast_to(ab_affine(m->begun, 1, 1), AB_SHAPE(count, m->input.classes));
  AbTensor *token = ab_categorical(weights);
  memset(m->cache, 0, (size_t)(2 * m->layers) * sizeof *m->cache);
  for (int64_t i = 0; i < m->input.steps; i++) {
    m->spoken[i] = token;
    if (i + 1 < m->input.steps) token = next_token(m, token, i);
  }
  AbTensor *x = ab_stack(m->spoken, (int32_t)m->input.steps, 1);
  ab_scope_end(ctx, scope, &x, 1);
  ab_set_recording(ctx, recording);
  return x;
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reconstruct = output,
    .encode = encode,
    .generate = generate,
    .classify = output,
    .predict = output,
    .score = score,
    .act = output,
    .objective = objective,
    .objective_for = AB_ROLE_BIT(AB_ROLE_SCORE) | AB_ROLE_BIT(AB_ROLE_GENERATE),
};

static const AbComponent transformer = {
    .struct_size = sizeof transformer,
    .kind = AB_KIND_MODEL,
    .name = "transformer",
    .doc = "Transformer: an encoder, a causal model of tokens, or an encoder with a decoder.",
    .citation = "Vaswani et al.: Attention is all you need. NeurIPS 2017.",
    .instance_size = sizeof(Transformer),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.transformer", "0.1.0", "Apache-2.0", &transformer)
