/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent networks that read a sequence: three components that differ in their cell.
 *
 *   elman  h' = f(x W + h U + b)                                      Elman 1990
 *   lstm   [i f g o] = x W + h U + b,  c' = s(f) c + s(i) tanh(g),    Hochreiter, Schmidhuber 1997;
 *          h' = s(o) tanh(c')                                         Gers et al. 2000
 *   gru    h' = (1 - z) n' + z h                                      Cho et al. 2014
 *
 * (absdk/recurrent.h has them in full.) A sample x [t, ...] is t steps of all the rest; [t] is t
 * steps of one number. Classes are shown as one-hot vectors. Layers lie on each other; with
 * `bidirectional` each reads the sequence both ways (Schuster & Paliwal 1997).
 *
 *   summary  last: the last state of the last layer (of each direction: after its last step)
 *            mean: the mean of its outputs over the steps of the sequence
 *   y        head(summary), or head(output) of each step, where y [t, ...] is to be predicted whose
 *            t is that of x
 *
 * The code is the summary; a classifier gives logits, an actor one value per action, a score one
 * number. What has a range from 0 to 1 comes through a sigmoid. Where the data has a field `length`
 * (1 to t), steps beyond it are not looked at, and outputs there are 0, through which nothing is
 * learned: where y is 0 there too, only its share in the mean of the loss remains.               */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbModel base;
  int64_t units, layers, summary;
  bool bidirectional;
  double dropout;
  bool peepholes; /* of lstm */
  double forget_bias;
  int64_t activation; /* of elman: tanh, relu */
  int64_t steps, features, classes;
  AbRecurrentLayers stack;
  AbLinear head; /* W is NULL for an encoder */
  bool each;     /* an output for each step */
  AbShape sample;
} Recurrent;

enum { LAST, MEAN };
static const char *const summary_names[] = {"last", "mean", NULL};
static const char *const activation_names[] = {"tanh", "relu", NULL};

#define COMMON                                                                             \
  AB_PARAM_INT(Recurrent, units, 128, 1, 1 << 16, "units", "Width of a layer's state."),   \
      AB_PARAM_INT(Recurrent, layers, 1, 1, 100, "layers", "How many lie on each other."), \
      AB_PARAM_BOOL(Recurrent, bidirectional, false, "Each layer reads both ways."),       \
      AB_PARAM_REAL(Recurrent, dropout, 0, 0, 0.95, "",                                    \
                    "Part of the outputs left out in training, between layers and before " \
                    "the head."),                                                          \
      AB_PARAM_CHOICE(Recurrent, summary, "last", summary_names,                           \
                      "What stands for a sequence: the last state, or the mean of all.")

static const AbParam elman_params[] = {
    COMMON,
    AB_PARAM_CHOICE(Recurrent, activation, "tanh", activation_names, "f."),
};
static const AbParam lstm_params[] = {
    COMMON,
    AB_PARAM_BOOL(Recurrent, peepholes, false, "Gates see the cell (Gers & Schmidhuber 2000)."),
    AB_PARAM_REAL(Recurrent, forget_bias, 1, -100, 100, "",
                  "What the forget gates' biases start with (Jozefowicz et al. 2015); 0: drawn as "
                  "the others."),
};
static const AbParam gru_params[] = {COMMON};

/* ---- building -------------------------------------------------------------------------------- */

/* Whether out is [t, ...]: then it has an entry for each step. */
static bool one_per_step(const Recurrent *m, const AbSignature *wanted) {
  return wanted->role == AB_ROLE_PREDICT && wanted->out.rank > 0 &&
         wanted->out.shape[0] == m->steps;
}

static void make_head(Recurrent *m, const AbSignature *wanted) {
  const AbSpec *out = &wanted->out;
  int64_t width = m->stack.directions * m->units, count = ab_spec_count(out);
  m->each = one_per_step(m, wanted);
  m->sample = ab_spec_shape(out);
  m->head = ab_linear_make(
      &m->base, m->layers * m->stack.directions + 1, width, m->each ? count / m->steps : count,
      ab_spec_is_unit(out) && wanted->role == AB_ROLE_PREDICT ? AB_SIGMOID : AB_IDENTITY);
}

static void build(AbModel *self, const AbSignature *wanted, AbCell cell) {
  Recurrent *m = (Recurrent *)self;
  const AbSpec *x = &wanted->in;
  if (x->rank < 1) {
    ab_fail(self, AB_CONFIG,
            "a sample is one number and no sequence; it reads [steps, features] (see "
            "data.transform.reshape)");
    return;
  }
  m->steps = x->shape[0];
  m->classes = x->range == AB_RANGE_CLASS ? x->classes : 0;
  m->features = ab_spec_count(x) / m->steps * (m->classes > 0 ? m->classes : 1);
  m->stack = ab_recurrent_make(self, 1, m->features, m->units,
                               (AbRecurrentOptions){.cell = cell,
                                                    .layers = m->layers,
                                                    .bidirectional = m->bidirectional,
                                                    .peepholes = m->peepholes,
                                                    .dropout = m->dropout,
                                                    .forget_bias = m->forget_bias});
  if (wanted->role != AB_ROLE_ENCODE && wanted->out.rank >= 0) make_head(m, wanted);
}

static void build_elman(AbModel *self, const AbSignature *wanted) {
  build(self, wanted, ((Recurrent *)self)->activation == 0 ? AB_CELL_ELMAN : AB_CELL_ELMAN_RELU);
}

static void build_lstm(AbModel *self, const AbSignature *wanted) {
  build(self, wanted, AB_CELL_LSTM);
}

static void build_gru(AbModel *self, const AbSignature *wanted) {
  build(self, wanted, AB_CELL_GRU);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* x [n, t, ...] -> [t, n, features] */
static AbTensor *shown(const Recurrent *m, AbTensor *x) {
  int64_t n = ab_dim(x, 0);
  if (m->classes > 0) x = ab_one_hot(ab_reshape(x, AB_SHAPE(ab_count(x))), m->classes);
  return ab_transpose(ab_reshape(x, AB_SHAPE(n, m->steps, m->features)), 0, 1);
}

/* i64 [n], or AB_NONE where all sequences are full. */
static AbTensor *lengths_of(const Recurrent *m, int64_t n) {
  AbTensor *given = ab_given(&m->base, "length", n);
  if (given == AB_NONE) return given;
  return ab_cast(ab_reshape(given, AB_SHAPE(n)), AB_I64);
}

static AbRecurrence read_all(const Recurrent *m, AbTensor *x, AbTensor *lengths) {
  return ab_recurrent_apply(&m->stack, shown(m, x), AB_NONE, AB_NONE, lengths);
}

/* The last states of the last layer, its directions beside each other: [n, directions units]. */
static AbTensor *last_state(const Recurrent *m, AbTensor *h) {
  int64_t all = m->layers * m->stack.directions;
  return ab_flatten(ab_transpose(ab_slice(h, 0, all - m->stack.directions, all), 0, 1));
}

/* Outputs beyond the end are 0, so their sum is that of the sequence. */
static AbTensor *mean_output(AbTensor *outputs, AbTensor *lengths) {
  if (lengths == AB_NONE) return ab_mean_axes(outputs, 1, false);
  AbTensor *count = ab_clamp(ab_cast(lengths, ab_dtype(outputs)), 1, INT64_MAX);
  return ab_div(ab_sum_axes(outputs, 1, false), ab_unsqueeze(count, 1));
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  const Recurrent *m = (Recurrent *)self;
  AbTensor *lengths = lengths_of(m, ab_dim(x, 0));
  AbRecurrence r = read_all(m, x, lengths);
  if (!r.outputs) return NULL;
  return m->summary == MEAN ? mean_output(r.outputs, lengths) : last_state(m, r.h);
}

/* ---- answering ------------------------------------------------------------------------------- */

/* Before the activation of the head: what makes it 0 beyond the end of a sequence. */
static AbTensor *ended(const Recurrent *m, AbTensor *in, AbTensor *lengths) {
  if (lengths == AB_NONE || !in) return in;
  AbTensor *inside =
      ab_reshape(ab_length_mask(lengths, m->steps), AB_SHAPE(ab_dim(in, 0), m->steps, 1));
  double nothing = m->head.activation == AB_SIGMOID ? -100 : 0;
  return ab_where(inside, in, ab_full(ab_context_of(in), ab_dtype(in), AB_SHAPE(1), nothing));
}

/* [n, t, outputs of a step] */
static AbTensor *each_step(const Recurrent *m, AbTensor *x) {
  AbTensor *lengths = lengths_of(m, ab_dim(x, 0));
  AbTensor *h = ab_dropout(read_all(m, x, lengths).outputs, m->dropout);
  AbTensor *in = ab_linear(ab_transpose(h, 0, 1), m->head.W, m->head.b, AB_IDENTITY);
  return ab_activate(m->head.activation, ended(m, in, lengths));
}

static AbTensor *answer(AbModel *self, AbTensor *x) {
  const Recurrent *m = (Recurrent *)self;
  if (!m->head.W) {
    ab_fail(self, AB_CONFIG, "it was built as an encoder and has no output layer");
    return NULL;
  }
  AbTensor *y = m->each ? each_step(m, x)
                        : ab_linear_apply(&m->head, ab_dropout(encode(self, x), m->dropout));
  return ab_reshape_samples(y, m->sample);
}

/* ---- the three ------------------------------------------------------------------------------- */

#define VTABLE(table, build_function)                              \
  static const AbModelVtable table = {.struct_size = sizeof table, \
                                      .flags = AB_ONE_ROLE,        \
                                      .build = build_function,     \
                                      .encode = encode,            \
                                      .classify = answer,          \
                                      .predict = answer,           \
                                      .score = answer,             \
                                      .act = answer}
VTABLE(elman_table, build_elman);
VTABLE(lstm_table, build_lstm);
VTABLE(gru_table, build_gru);

static const AbComponent elman = {
    .struct_size = sizeof elman,
    .kind = AB_KIND_MODEL,
    .name = "elman",
    .doc = "Simple recurrent network over a sequence.",
    .citation = "Elman: Finding structure in time. Cognitive Science 14, 1990.",
    .instance_size = sizeof(Recurrent),
    AB_PARAMS(elman_params),
    .vtable = &elman_table,
};

static const AbComponent lstm = {
    .struct_size = sizeof lstm,
    .kind = AB_KIND_MODEL,
    .name = "lstm",
    .doc = "Long short-term memory over a sequence.",
    .citation =
        "Hochreiter, Schmidhuber: Long short-term memory. Neural Computation 9, 1997. Gers, "
        "Schmidhuber, Cummins: Learning to forget. Neural Computation 12, 2000.",
    .instance_size = sizeof(Recurrent),
    AB_PARAMS(lstm_params),
    .vtable = &lstm_table,
};

static const AbComponent gru = {
    .struct_size = sizeof gru,
    .kind = AB_KIND_MODEL,
    .name = "gru",
    .doc = "Gated recurrent units over a sequence.",
    .citation = "Cho et al.: Learning phrase representations using RNN encoder-decoder for "
                "statistical machine translation. EMNLP 2014.",
    .instance_size = sizeof(Recurrent),
    AB_PARAMS(gru_params),
    .vtable = &gru_table,
};

AB_PLUGIN("abhost.model.recurrent", "0.1.0", "Apache-2.0", &elman, &lstm, &gru)
