/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent encoder/decoder (Cho et al. 2014; Sutskever, Vinyals, Le 2014), here one that gives a
 * sequence back in reverse order (Srivastava et al. 2015; for anomalies Malhotra et al. 2016,
 * EncDec-AD). Its cell is an LSTM, or a GRU.
 *
 *   h_j = encoder(x_1 ... x_j)                     code = the last states of all its layers
 *   s_T+1 = code,  s_i = cell([y_i+1, c_i], s_i+1)               i = T ... 1, with y_T+1 = 0
 *   y_i = g(V [s_i, c_i] + a)
 *   c_i = sum_j softmax_j(v . tanh(W s_i+1 + U h_j)) h_j         with `attention` (Bahdanau, Cho,
 *                                                                Bengio 2015); else there is no c
 *
 * g is a sigmoid for data from 0 to 1, else the identity. (Malhotra et al. read y_T off the code
 * itself; here a first step without input comes before it.) A sample x [T, ...] is T steps of all
 * the rest.
 *
 *   feed  target: y_i+1 is the true x_i+1 while training (teacher forcing) and the model's own
 *                 output otherwise, as in EncDec-AD: a decoder that saw the true values would have
 *                 to predict one step only, and would follow an anomaly along
 *         output: its own output always. It learns what it will do, through all of its steps
 *         none:   nothing, ever: all of the sequence must be in the code
 *
 * The objective is the mean of (x - y)^2, x clean where the problem is to reconstruct; the score is
 * that of one sample. The code has all that a decoder starts from, so decode(code) is the
 * reconstruction; with attention a code is not enough and there is no decode. Where the data has a
 * field `length` (1 to T), a sequence ends there: beyond it x is not looked at and y is 0.       */
#include <absdk/absdk.h>
#include <math.h>
#include <string.h>

#define MAX_LAYERS 16

typedef struct {
  AbModel base;
  int64_t units, layers, cell, feed;
  bool attention;
  bool clean; /* the batch has a clean x as its target */
  int64_t steps, features;
  AbShape sample;
  AbRecurrentLayers encoder, decoder;
  AbLinear head;
  AbTensor *query, *key, *energy; /* W, U, v of the attention */
  AbTensor **outputs;             /* [steps], while a decoder goes step by step */
} EncoderDecoder;

/* Of each layer; c of an LSTM. */
typedef struct {
  AbTensor *h[MAX_LAYERS], *c[MAX_LAYERS];
} State;

/* What the decoder attends to: h [t, n, units], U h, and where there is something [t, n, 1]. */
typedef struct {
  AbTensor *h, *keys;
} Memory;

enum { LSTM, GRU };
enum { FEED_TARGET, FEED_OUTPUT, FEED_NONE };
static const char *const cell_names[] = {"lstm", "gru", NULL};
static const char *const feed_names[] = {"target", "output", "none", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(EncoderDecoder, units, 64, 1, 1 << 16, "units", "Width of a layer's state."),
    AB_PARAM_CHOICE(EncoderDecoder, cell, "lstm", cell_names, "Of encoder and decoder."),
    AB_PARAM_INT(EncoderDecoder, layers, 1, 1, MAX_LAYERS, "layers",
                 "Of the encoder, and of the decoder."),
    AB_PARAM_BOOL(EncoderDecoder, attention, false,
                  "The decoder looks at all states of the encoder's last layer."),
    AB_PARAM_CHOICE(EncoderDecoder, feed, "target", feed_names,
                    "What the decoder is fed: the true values in training, its own output, "
                    "nothing."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* The code: h of each layer, then c of each. */
static int64_t code_width(const EncoderDecoder *m) {
  return m->layers * m->units * (m->cell == LSTM ? 2 : 1);
}

static bool fits(EncoderDecoder *m, const AbSignature *wanted, const AbSpec *x) {
  if (x->rank < 1)
    ab_fail(&m->base, AB_CONFIG,
            "it must know the sequences that it gives back, [steps, features] (see "
            "data.transform.reshape)");
  else if (x->range == AB_RANGE_CLASS)
    ab_fail(&m->base, AB_CONFIG,
            "x holds classes, and a squared error compares numbers; for classes see gru, lstm or "
            "transformer with the problem predict");
  else if (wanted->role == AB_ROLE_DECODE && m->attention)
    ab_fail(&m->base, AB_CONFIG,
            "with attention it cannot decode a code alone; leave attention out");
  else if (wanted->role == AB_ROLE_DECODE && ab_spec_count(&wanted->in) != code_width(m))
    ab_fail(&m->base, AB_CONFIG, "as a decoder it takes a code of %lld numbers, not %lld",
            (long long)code_width(m), (long long)ab_spec_count(&wanted->in));
  else
    return true;
  return false;
}

static void make_attention(EncoderDecoder *m) {
  AbInit init = {.kind = AB_INIT_UNIFORM, .a = 1 / sqrt((double)m->units)};
  AbShape square = AB_SHAPE(m->units, m->units);
  m->query = ab_weight(&m->base, "attention_W", square, init, "unit unit");
  m->key = ab_weight(&m->base, "attention_U", square, init, "unit unit");
  m->energy = ab_weight(&m->base, "attention_v", AB_SHAPE(m->units, 1), init, "unit one");
}

static void build(AbModel *self, const AbSignature *wanted) {
  EncoderDecoder *m = (EncoderDecoder *)self;
  const AbSpec *x = wanted->role == AB_ROLE_DECODE ? &wanted->out : &wanted->in;
  if (!fits(m, wanted, x)) return;
  m->clean = wanted->role == AB_ROLE_RECONSTRUCT;
  m->steps = x->shape[0];
  m->features = ab_spec_count(x) / m->steps;
  m->sample = ab_spec_shape(x);
  AbRecurrentOptions options = {.cell = m->cell == LSTM ? AB_CELL_LSTM : AB_CELL_GRU,
                                .layers = m->layers,
                                .forget_bias = m->cell == LSTM ? 1 : 0};
  int64_t context = m->attention ? m->units : 0;
  m->encoder = ab_recurrent_make(self, 1, m->features, m->units, options);
  m->decoder = ab_recurrent_make(self, m->layers + 1, m->features + context, m->units, options);
  m->head = ab_linear_make(self, 2 * m->layers + 1, m->units + context, m->features,
                           ab_output_activation(0, x));
  if (m->attention) make_attention(m);
  m->outputs = ab_alloc(self, (size_t)m->steps * sizeof(AbTensor *));
}

/* ---- sequences: [t, n, features], and 0 beyond their end ------------------------------------- */

/* i64 [n], or AB_NONE where all sequences are full. */
static AbTensor *lengths_of(const EncoderDecoder *m, int64_t n) {
  AbTensor *given = ab_given(&m->base, "length", n);
  if (given == AB_NONE) return given;
  return ab_cast(ab_reshape(given, AB_SHAPE(n)), AB_I64);
}

/* Whether a step is one of the sequence: [t, n, 1]. */
static AbTensor *inside(const EncoderDecoder *m, AbTensor *lengths) {
  if (lengths == AB_NONE) return AB_NONE;
  AbTensor *mask = ab_length_mask(lengths, m->steps);
  return ab_unsqueeze(ab_transpose(ab_reshape(mask, AB_SHAPE(ab_dim(lengths, 0), m->steps)), 0, 1),
                      2);
}

/* a where there is a step, else b; b AB_NONE: 0. */
static AbTensor *where(AbTensor *mask, AbTensor *a, AbTensor *b) {
  if (mask == AB_NONE || !a) return a;
  return ab_where(mask, a, b == AB_NONE ? ab_zeros(ab_context_of(a), AB_SHAPE(1)) : b);
}

static AbTensor *shown(const EncoderDecoder *m, AbTensor *x, AbTensor *mask) {
  AbTensor *rows = ab_reshape(x, AB_SHAPE(ab_dim(x, 0), m->steps, m->features));
  return where(mask, ab_transpose(rows, 0, 1), AB_NONE);
}

/* y [t, n, features] as samples. */
static AbTensor *sample(const EncoderDecoder *m, AbTensor *y) {
  return ab_reshape_samples(ab_transpose(y, 0, 1), m->sample);
}

/* ---- encoder --------------------------------------------------------------------------------- */

/* [layers, n, units] -> [n, layers units] */
static AbTensor *beside(AbTensor *states) {
  return ab_flatten(ab_transpose(states, 0, 1));
}

/* Of a sequence [t, n, features]; the memory only where there is attention. */
static AbTensor *encoded(const EncoderDecoder *m, AbTensor *x, AbTensor *lengths, Memory *memory) {
  AbRecurrence r = ab_recurrent_apply(&m->encoder, x, AB_NONE, AB_NONE, lengths);
  if (!r.outputs) return NULL;
  if (m->attention)
    *memory = (Memory){r.outputs, ab_linear(r.outputs, m->key, AB_NONE, AB_IDENTITY)};
  AbTensor *h = beside(r.h);
  return m->cell == LSTM ? ab_concat((AbTensor *[]){h, beside(r.c)}, 2, 1) : h;
}

static State state_of(const EncoderDecoder *m, AbTensor *code) {
  State s = {{0}, {0}};
  int64_t u = m->units, all = m->layers * u;
  for (int64_t l = 0; l < m->layers; l++) {
    s.h[l] = ab_slice(code, 1, l * u, (l + 1) * u);
    s.c[l] = m->cell == LSTM ? ab_slice(code, 1, all + l * u, all + (l + 1) * u) : AB_NONE;
  }
  return s;
}

/* ---- decoder, the whole sequence at once ----------------------------------------------------- */

/* Where all inputs are known. It goes from the last step to the first: `reverse`. */
static AbTensor *decoded_at_once(const EncoderDecoder *m, AbTensor *code, AbTensor *inputs,
                                 AbTensor *lengths) {
  State s = state_of(m, code);
  for (int64_t l = 0; l < m->layers; l++) {
    const AbRecurrentWeights *w = &m->decoder.weights[l];
    inputs = m->cell == LSTM
                 ? ab_lstm(inputs, w->W, w->U, w->b, w->p, s.h[l], s.c[l], lengths, true).outputs
                 : ab_gru(inputs, w->W, w->U, w->b, w->d, s.h[l], lengths, true).outputs;
  }
  return where(inside(m, lengths), ab_linear_apply(&m->head, inputs), AB_NONE);
}

/* ---- decoder, step by step ------------------------------------------------------------------- */

/* c_i for the last state of the decoder's last layer. */
static AbTensor *context(const EncoderDecoder *m, const Memory *memory, AbTensor *s,
                         AbTensor *mask) {
  AbTensor *asked = ab_linear(s, m->query, AB_NONE, AB_IDENTITY);
  AbTensor *e = ab_matmul(ab_tanh(ab_add(memory->keys, asked)), m->energy); /* [t, n, 1] */
  if (mask != AB_NONE)
    e = where(mask, e, ab_full(ab_context_of(s), ab_dtype(s), AB_SHAPE(1), -1e30));
  return ab_sum_axes(ab_mul(ab_softmax_axis(e, 0), memory->h), 1, false);
}

/* One step of all layers; rows whose sequence has not begun stay as they are. */
static void advance(const EncoderDecoder *m, State *s, AbTensor *in, AbTensor *mask) {
  for (int64_t l = 0; l < m->layers; l++) {
    const AbRecurrentWeights *w = &m->decoder.weights[l];
    AbRecurrence r = m->cell == LSTM ? ab_lstm_cell(in, w->W, w->U, w->b, w->p, s->h[l], s->c[l])
                                     : ab_gru_cell(in, w->W, w->U, w->b, w->d, s->h[l]);
    s->h[l] = where(mask, r.h, s->h[l]);
    if (m->cell == LSTM) s->c[l] = where(mask, r.c, s->c[l]);
    in = s->h[l];
  }
}

static AbTensor *step_at(AbTensor *sequence, int64_t i) {
  if (sequence == AB_NONE) return sequence;
  return ab_squeeze(ab_slice(sequence, 0, i, i + 1), 0);
}

/* `inputs` AB_NONE: what it is fed is its own output. */
static AbTensor *decoded_by_steps(const EncoderDecoder *m, AbTensor *code, const Memory *memory,
                                  AbTensor *inputs, AbTensor *lengths) {
  AbTensor *mask = inside(m, lengths);
  State s = state_of(m, code);
  AbTensor *y = ab_zeros(ab_context_of(code), AB_SHAPE(ab_dim(code, 0), m->features));
  for (int64_t i = m->steps - 1; i >= 0; i--) {
    AbTensor *in = inputs == AB_NONE ? y : step_at(inputs, i), *c = NULL, *now = step_at(mask, i);
    if (m->attention) {
      c = context(m, memory, s.h[m->layers - 1], mask);
      in = ab_concat((AbTensor *[]){in, c}, 2, 1);
    }
    advance(m, &s, in, now);
    AbTensor *top = s.h[m->layers - 1];
    if (m->attention) top = ab_concat((AbTensor *[]){top, c}, 2, 1);
    y = m->outputs[i] = where(now, ab_linear_apply(&m->head, top), AB_NONE);
    if (!y) return NULL;
  }
  return ab_stack(m->outputs, (int32_t)m->steps, 0);
}

/* ---- decoder --------------------------------------------------------------------------------- */

/* What the decoder is fed at each step, or AB_NONE: its own output. `truth` [t, n, features], or
 * AB_NONE where there is none to be fed.                                                         */
static AbTensor *fed(const EncoderDecoder *m, AbTensor *code, AbTensor *truth) {
  int64_t n = ab_dim(code, 0);
  AbContext *ctx = ab_context_of(code);
  if (m->feed == FEED_NONE) return ab_zeros(ctx, AB_SHAPE(m->steps, n, m->features));
  if (m->feed == FEED_OUTPUT || truth == AB_NONE) return AB_NONE;
  AbTensor *first = ab_zeros(ctx, AB_SHAPE(1, n, m->features));
  return ab_concat((AbTensor *[]){ab_slice(truth, 0, 1, m->steps), first}, 2, 0);
}

static AbTensor *decoded(const EncoderDecoder *m, AbTensor *code, const Memory *memory,
                         AbTensor *truth, AbTensor *lengths) {
  if (!code || !truth || !lengths) return NULL;
  AbTensor *inputs = fed(m, code, truth);
  if (m->attention || inputs == AB_NONE) return decoded_by_steps(m, code, memory, inputs, lengths);
  return decoded_at_once(m, code, inputs, lengths);
}

/* x and what comes back, both [t, n, features]. */
static AbTensor *through(const EncoderDecoder *m, AbTensor *x, AbTensor *truth, AbTensor *lengths) {
  Memory memory = {0};
  AbTensor *code = encoded(m, x, lengths, &memory);
  return decoded(m, code, &memory, truth, lengths);
}

static AbTensor *objective(AbModel *self, const AbBatch *batch) {
  const EncoderDecoder *m = (EncoderDecoder *)self;
  AbTensor *lengths = lengths_of(m, ab_batch_count(batch)), *mask = inside(m, lengths);
  AbTensor *x = shown(m, ab_batch_get(batch, "x"), mask);
  AbTensor *truth = m->clean ? shown(m, ab_batch_get(batch, "target"), mask) : x;
  AbTensor *y = through(m, x, truth, lengths);
  if (lengths == AB_NONE) return ab_squared_error(y, truth, AB_LOSS_MEAN);
  AbTensor *count = ab_sum(ab_cast(lengths, ab_dtype(y)));
  return ab_div(ab_squared_error(y, truth, AB_LOSS_SUM), ab_affine(count, (double)m->features, 0));
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *reconstruct(AbModel *self, AbTensor *x) {
  const EncoderDecoder *m = (EncoderDecoder *)self;
  AbTensor *lengths = lengths_of(m, ab_dim(x, 0));
  return sample(m, through(m, shown(m, x, inside(m, lengths)), AB_NONE, lengths));
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  const EncoderDecoder *m = (EncoderDecoder *)self;
  AbTensor *lengths = lengths_of(m, ab_dim(x, 0));
  Memory memory;
  return encoded(m, shown(m, x, inside(m, lengths)), lengths, &memory);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  const EncoderDecoder *m = (EncoderDecoder *)self;
  if (m->attention) {
    ab_fail(self, AB_CONFIG,
            "with attention it cannot decode a code alone; leave attention out, "
            "or reconstruct");
    return NULL;
  }
  code = ab_flatten(code);
  return sample(m, decoded(m, code, NULL, AB_NONE, lengths_of(m, ab_dim(code, 0))));
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  const EncoderDecoder *m = (EncoderDecoder *)self;
  AbTensor *lengths = lengths_of(m, ab_dim(x, 0)), *truth = shown(m, x, inside(m, lengths));
  AbTensor *y = through(m, truth, AB_NONE, lengths);
  AbTensor *errors = ab_squared_error(y, truth, AB_LOSS_EACH);
  if (lengths == AB_NONE) return ab_mean_axes(errors, 5, false);
  AbTensor *count = ab_clamp(ab_cast(lengths, ab_dtype(errors)), 1, INT64_MAX);
  return ab_div(ab_sum_axes(errors, 5, false), ab_affine(count, (double)m->features, 0));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reconstruct = reconstruct,
    .encode = encode,
    .decode = decode,
    .score = score,
    .objective = objective,
};

static const AbComponent lstm_encoder_decoder = {
    .struct_size = sizeof lstm_encoder_decoder,
    .kind = AB_KIND_MODEL,
    .name = "lstm-encoder-decoder",
    .doc = "Recurrent encoder/decoder that gives a sequence back, in reverse order.",
    .citation = "Malhotra et al.: LSTM-based encoder-decoder for multi-sensor anomaly detection. "
                "ICML Anomaly Detection Workshop, 2016. Sutskever, Vinyals, Le: Sequence to "
                "sequence learning with neural networks. NIPS 2014.",
    .instance_size = sizeof(EncoderDecoder),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.lstm-encoder-decoder", "0.1.0", "Apache-2.0", &lstm_encoder_decoder)
