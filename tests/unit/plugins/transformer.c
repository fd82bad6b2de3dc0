/* SPDX-License-Identifier: Apache-2.0
 *
 * Transformers so small that loops in double say what they give: encoders, causal models and
 * decoders, with norms first and last, tokens and numbers, lengths. What causality and lengths
 * mean, gradients by finite differences, sequences whose rule is known, what is refused. */
#include "plugin-test.h"
#include <math.h>
#include <string.h>

#define N     3 /* sequences */
#define T     5 /* steps */
#define S     4 /* of a decoder */
#define WIDTH 6
#define HEADS 2
#define DEPTH (WIDTH / HEADS)
#define INNER 10
#define WORDS 7  /* classes of tokens */
#define WIDE  32 /* numbers of a step at most, anywhere */

/* ---- the loops --------------------------------------------------------------------------------
 */

/* The weights of a model, taken in the order of their numbers. */
typedef struct {
  AbModel *model;
  int linear, norm;
  gboolean norm_first, relu;
} Loops;

static double *weight(const Loops *l, const char *name, int number) {
  g_autofree char *full = number > 0 ? g_strdup_printf("%s%d", name, number) : g_strdup(name);

  return plugin_test_values(plugin_test_state(l->model, full));
}

/* y [rows, out] = x [rows, in] W + b */
static void line(const Loops *l, int number, const double *x, int rows, int in, int out,
                 double *y) {
  g_autofree double *W = weight(l, "W", number), *b = weight(l, "b", number);

  for (int r = 0; r < rows; r++)
    for (int j = 0; j < out; j++) {
      double sum = b[j];

      for (int i = 0; i < in; i++) sum += x[r * in + i] * W[i * out + j];
      y[r * out + j] = sum;
    }
}

static void normalise(const Loops *l, int number, const double *x, int rows, double *y) {
  g_autofree double *gain = weight(l, "gain", number), *bias = weight(l, "bias", number);

  for (int r = 0; r < rows; r++) {
    double mean = 0, variance = 0;

    for (int i = 0; i < WIDTH; i++) mean += x[r * WIDTH + i] / WIDTH;
    for (int i = 0; i < WIDTH; i++) variance += pow(x[r * WIDTH + i] - mean, 2) / WIDTH;
    for (int i = 0; i < WIDTH; i++)
      y[r * WIDTH + i] = gain[i] * (x[r * WIDTH + i] - mean) / sqrt(variance + 1e-5) + bias[i];
  }
}

/* Head by head: row i of `to` sees the keys 0 .. i if causal, and none from `length` on. The rows
 * of q, k and v are `stride` numbers apart (q_stride for q). */
static void look(const double *q, int q_stride, const double *k, const double *v, int stride,
                 int rows, int keys, gboolean causal, int length, double *to) {
  for (int h = 0; h < HEADS; h++)
    for (int i = 0; i < rows; i++) {
      double p[WIDE] = {0}, sum = 0, *y = to + i * WIDTH + h * DEPTH;

      for (int j = 0; j < keys; j++) {
        double dot = 0;

        if ((causal && j > i) || j >= length) continue;
        for (int d = 0; d < DEPTH; d++)
          dot += q[i * q_stride + h * DEPTH + d] * k[j * stride + h * DEPTH + d];
        sum += p[j] = exp(dot / sqrt(DEPTH));
      }
      for (int d = 0; d < DEPTH; d++) {
        y[d] = 0;
        for (int j = 0; j < keys; j++) y[d] += p[j] / sum * v[j * stride + h * DEPTH + d];
      }
    }
}

/* h := h + f, and the norm behind it if it is last */
static void join(Loops *l, int norm, double *h, const double *f, int rows) {
  for (int i = 0; i < rows * WIDTH; i++) h[i] += f[i];
  if (!l->norm_first) normalise(l, norm, h, rows, h);
}

static void before(Loops *l, int norm, const double *h, int rows, double *x) {
  if (l->norm_first)
    normalise(l, norm, h, rows, x);
  else
    memcpy(x, h, (gsize)(rows * WIDTH) * sizeof *x);
}

/* One sequence h [rows, WIDTH] through a block; memory [keys, WIDTH] or NULL. */
static void block(Loops *l, double *h, int rows, gboolean causal, int length, const double *memory,
                  int keys, int memory_length) {
  double x[T * WIDTH], inner[T * WIDE], f[T * WIDTH], kv[T * WIDE];
  int norm = ++l->norm;

  before(l, norm, h, rows, x);
  line(l, ++l->linear, x, rows, WIDTH, 3 * WIDTH, inner);
  look(inner, 3 * WIDTH, inner + WIDTH, inner + 2 * WIDTH, 3 * WIDTH, rows, rows, causal, length,
       x);
  line(l, ++l->linear, x, rows, WIDTH, WIDTH, f);
  join(l, norm, h, f, rows);
  if (memory != NULL) {
    int from = l->linear;

    norm = ++l->norm;
    before(l, norm, h, rows, x);
    line(l, from + 1, x, rows, WIDTH, WIDTH, inner);
    line(l, from + 3, memory, keys, WIDTH, 2 * WIDTH, kv);
    look(inner, WIDTH, kv, kv + WIDTH, 2 * WIDTH, rows, keys, FALSE, memory_length, x);
    line(l, from + 2, x, rows, WIDTH, WIDTH, f);
    join(l, norm, h, f, rows);
    l->linear += 3;
  }
  norm = ++l->norm;
  before(l, norm, h, rows, x);
  line(l, ++l->linear, x, rows, WIDTH, INNER, inner);
  for (int i = 0; i < rows * INNER; i++)
    inner[i] = l->relu ? fmax(inner[i], 0) : inner[i] * (1 + erf(inner[i] * M_SQRT1_2)) / 2;
  line(l, ++l->linear, inner, rows, INNER, WIDTH, f);
  join(l, norm, h, f, rows);
}

/* Two blocks and, where norms are first, the last norm. */
static void stack(Loops *l, double *h, int rows, gboolean causal, int length, const double *memory,
                  int keys, int memory_length) {
  for (int i = 0; i < 2; i++) block(l, h, rows, causal, length, memory, keys, memory_length);
  if (l->norm_first) normalise(l, ++l->norm, h, rows, h);
}

/* Tokens (features 0) or numbers of `rows` steps as vectors, without positions. `number`: of the
 * line.                                                                                         */
static void embed(const Loops *l, const char *table, int number, const double *x, int features,
                  int rows, double *h) {
  if (features > 0) {
    line(l, number, x, rows, features, WIDTH, h);
    return;
  }
  g_autofree double *rows_of = weight(l, table, 0);

  for (int t = 0; t < rows; t++)
    for (int i = 0; i < WIDTH; i++) h[t * WIDTH + i] = sqrt(WIDTH) * rows_of[(int)x[t] * WIDTH + i];
}

static void place(const Loops *l, const char *learned, int rows, double *h) {
  g_autofree double *table = learned != NULL ? weight(l, learned, 0) : NULL;

  for (int t = 0; t < rows; t++)
    for (int i = 0; i < WIDTH; i++) {
      double angle = t / pow(10000, (i / 2 * 2) / (double)WIDTH);

      h[t * WIDTH + i] += table != NULL ? table[t * WIDTH + i] : i % 2 ? cos(angle) : sin(angle);
    }
}

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct {
  AbRole role;
  gint64 in[2], out[2]; /* an axis of 0 ends the shape */
  gboolean tokens, causal, norm_last, relu, learned;
  gint64 decoder;
  gboolean spoken_tokens; /* of the decoder */
  const char *summary;
  gboolean lengths;
} Case;

static AbSpec spec_in(AbContext *ctx, const Case *c) {
  AbSpec in =
      plugin_test_spec(ctx, c->tokens ? AB_RANGE_CLASS : AB_RANGE_REAL, c->in[0], c->in[1], 0);
  if (c->tokens) {
    in.classes = WORDS;
    in.dtype = AB_I64;
  }
  return in;
}

static AbModel *make(AbContext *ctx, const Case *c) {
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "transformer");
  AbSpec in = spec_in(ctx, c), out = plugin_test_spec(ctx, AB_RANGE_REAL, c->out[0], c->out[1], 0);
  AbSignature wanted = ab_signature(c->role, &in, out.rank > 0 ? &out : NULL);

  if (c->spoken_tokens) wanted.out.classes = WORDS;
  if (c->role == AB_ROLE_SCORE) wanted.out = (AbSpec){.dtype = ab_real_dtype(ctx)};
  if (c->role == AB_ROLE_GENERATE) {
    wanted.in = (AbSpec){.rank = -1};
    wanted.out = in;
  }
  plugin_test_set_int(model, "width", WIDTH);
  plugin_test_set_int(model, "heads", HEADS);
  plugin_test_set_int(model, "feedforward", INNER);
  plugin_test_set_int(model, "decoder", c->decoder);
  plugin_test_set_bool(model, "causal", c->causal);
  plugin_test_set_real(model, "dropout", 0);
  plugin_test_set_choice(model, "norm", c->norm_last ? "last" : "first");
  plugin_test_set_choice(model, "activation", c->relu ? "relu" : "gelu");
  plugin_test_set_choice(model, "positions", c->learned ? "learned" : "sinusoidal");
  plugin_test_set_choice(model, "summary", c->summary != NULL ? c->summary : "auto");
  ab_begin(ctx, AB_PURPOSE_INIT, 0);
  ab_build(model, &wanted);
  return model;
}

/* Gains and biases too get numbers: they begin as ones and zeros. */
static void shake(AbModel *model) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState state = ab_state(model, i);
    g_autofree double *values = plugin_test_numbers(ab_count(state.tensor), -1, 1, (guint64)i + 9);

    if (state.weight) plugin_test_fill(state.tensor, values);
  }
}

static double *sequences(gboolean tokens, gint64 count, guint64 seed) {
  double *x = plugin_test_numbers(count, tokens ? 0 : -1, tokens ? WORDS : 1, seed);

  for (gint64 i = 0; tokens && i < count; i++) x[i] = floor(x[i]);
  return x;
}

static AbTensor *tensor(AbContext *ctx, gboolean tokens, gint64 steps, gint64 features,
                        const double *x) {
  AbShape shape = features > 0 ? AB_SHAPE(N, steps, features) : AB_SHAPE(N, steps);

  return plugin_test_tensor_of(ctx, tokens ? AB_I64 : ab_real_dtype(ctx), shape, x);
}

static const double lengths[N] = {3, T, 1};

static gint64 features_of(const Case *c) {
  return c->tokens ? 0 : c->in[1] > 0 ? c->in[1] : 1;
}

/* What the encoder makes of sequence n: [T, WIDTH]. Returns how many steps count. */
static int encode_by_hand(Loops *l, const Case *c, const double *x, int n, double *h) {
  int features = (int)features_of(c), length = c->lengths ? (int)lengths[n] : T;

  *l = (Loops){l->model, features > 0, 0, !c->norm_last, c->relu};
  embed(l, "table", 1, x + n * T * MAX(features, 1), features, T, h);
  place(l, c->learned ? "positions" : NULL, T, h);
  stack(l, h, T, c->causal, length, NULL, 0, 0);
  return length;
}

static void summarise(const Case *c, const double *h, int length, double *summary) {
  gboolean first = g_strcmp0(c->summary, "first") == 0;
  gboolean last = g_strcmp0(c->summary, "last") == 0 || (c->summary == NULL && c->causal);

  for (int i = 0; i < WIDTH; i++) {
    summary[i] = first ? h[i] : last ? h[(length - 1) * WIDTH + i] : 0;
    for (int t = 0; !first && !last && t < length; t++) summary[i] += h[t * WIDTH + i] / length;
  }
}

/* ---- encoders -------------------------------------------------------------------------------- */

static void check_encoder(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  gint64 features = features_of(c), count = c->out[0] * MAX(c->out[1], 1);
  gboolean stepwise = c->out[0] == T;
  g_autofree double *x = sequences(c->tokens, N * T * MAX(features, 1), 33);
  double expected[N * T * WIDE], codes[N * WIDTH];
  AbTensor *given = tensor(ctx, c->tokens, T, c->in[1], x);
  AbBatch *batch = plugin_test_batch(ctx, given, NULL);

  plugin_test_fine(ctx);
  shake(model);
  if (c->lengths)
    ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), lengths));
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  ab_set_batch(ctx, batch);
  for (int n = 0; n < N; n++) {
    Loops l = {model, 0, 0, FALSE, FALSE};
    double h[T * WIDTH];
    int length = encode_by_hand(&l, c, x, n, h);

    summarise(c, h, length, codes + n * WIDTH);
    if (count > 0)
      line(&l, ++l.linear, stepwise ? h : codes + n * WIDTH, stepwise ? T : 1, WIDTH,
           (int)(stepwise ? count / T : count), expected + n * count);
  }
  if (c->role != AB_ROLE_ENCODE)
    plugin_test_near(ab_call(model, c->role, given), expected, N * count, 20 * at->exact);
  plugin_test_near(ab_encode(model, given), codes, N * WIDTH, 20 * at->exact);
  ab_set_batch(ctx, NULL);
  ab_batch_free(batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_encoder(const PluginTestCase *at) {
  static const Case cases[] = {
      {.role = AB_ROLE_CLASSIFY, .in = {T}, .out = {3}, .tokens = TRUE},
      {.role = AB_ROLE_CLASSIFY, .in = {T, 2}, .out = {3}, .lengths = TRUE},
      {.role = AB_ROLE_ACT, .in = {T}, .out = {3}, .relu = TRUE, .summary = "first"},
      {.role = AB_ROLE_CLASSIFY, .in = {T, 2}, .out = {4}, .norm_last = TRUE, .causal = TRUE},
      {.role = AB_ROLE_CLASSIFY,
       .in = {T},
       .out = {3},
       .tokens = TRUE,
       .causal = TRUE,
       .lengths = TRUE,
       .learned = TRUE},
      {.role = AB_ROLE_PREDICT, .in = {T}, .out = {T, WORDS}, .tokens = TRUE, .causal = TRUE},
      {.role = AB_ROLE_PREDICT, .in = {T, 2}, .out = {T, 2}, .norm_last = TRUE, .relu = TRUE},
      {.role = AB_ROLE_PREDICT, .in = {T, 2}, .out = {3, 2}, .summary = "last"},
      {.role = AB_ROLE_RECONSTRUCT, .in = {T, 2}, .out = {T, 2}, .learned = TRUE},
      {.role = AB_ROLE_ENCODE, .in = {T}, .tokens = TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_encoder(at, &cases[i]);
}

/* ---- decoders -------------------------------------------------------------------------------- */

/* In training each step is fed the y before; else what the step before gave. */
static void check_decoder(const PluginTestCase *at, const Case *c, gboolean training) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  int features = c->spoken_tokens ? 0 : 2, out = (int)c->out[1];
  g_autofree double *x = sequences(c->tokens, N * T * MAX(features_of(c), 1), 35);
  g_autofree double *y = sequences(c->spoken_tokens, N * S * MAX(features, 1), 36);
  double expected[N * S * WIDE];
  AbTensor *given = tensor(ctx, c->tokens, T, c->in[1], x);
  AbBatch *batch = plugin_test_batch(ctx, given, tensor(ctx, c->spoken_tokens, S, features, y));

  plugin_test_fine(ctx);
  shake(model);
  if (c->lengths)
    ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), lengths));
  for (int n = 0; n < N; n++) {
    Loops l = {model, 0, 0, FALSE, FALSE}, from;
    double memory[T * WIDTH], said[S * WIDE], logits[S * WIDE];
    int length = encode_by_hand(&l, c, x, n, memory);
    g_autofree double *start = weight(&l, "start", 0);

    if (features > 0) l.linear++;
    from = l;
    memcpy(said, y + n * S * MAX(features, 1), sizeof(double) * (gsize)(S * MAX(features, 1)));
    for (int i = training ? S - 1 : 0; i < S; i++) { /* all steps up to i, again each time */
      double h[T * WIDTH];

      l = from;
      memcpy(h, start, WIDTH * sizeof *h);
      embed(&l, "decoder_table", from.linear, said, features, i, h + WIDTH);
      place(&l, c->learned ? "decoder_positions" : NULL, i + 1, h);
      stack(&l, h, i + 1, TRUE, S, memory, T, length);
      line(&l, ++l.linear, h, i + 1, WIDTH, out, logits);
      if (training) continue;
      if (features > 0) {
        memcpy(said + i * features, logits + i * out, (gsize)features * sizeof *said);
      } else {
        int best = 0;

        for (int j = 1; j < out; j++)
          if (logits[i * out + j] > logits[i * out + best]) best = j;
        said[i] = best;
      }
    }
    memcpy(expected + n * S * out, logits, (gsize)(S * out) * sizeof *logits);
  }
  ab_begin(ctx, training ? AB_PURPOSE_TRAIN : AB_PURPOSE_EVALUATE, 0);
  ab_set_batch(ctx, batch);
  plugin_test_near(ab_call(model, AB_ROLE_PREDICT, given), expected, N * S * out, 50 * at->exact);
  ab_set_batch(ctx, NULL);
  ab_batch_free(batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_decoder(const PluginTestCase *at) {
  static const Case cases[] = {
      {.in = {T}, .out = {S, WORDS}, .tokens = TRUE, .spoken_tokens = TRUE},
      {.in = {T, 2}, .out = {S, WORDS}, .spoken_tokens = TRUE, .lengths = TRUE, .norm_last = TRUE},
      {.in = {T, 2}, .out = {S, 2}, .learned = TRUE, .relu = TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    for (int training = 0; training < 2; training++) {
      Case c = cases[i];

      c.role = AB_ROLE_PREDICT;
      c.decoder = 2;
      check_decoder(at, &c, training);
    }
}

/* ---- causality, lengths -----------------------------------------------------------------------
 */

/* A change of token j changes what is said from step j on, and not a bit of what was said before.
 */
static void test_causality(const PluginTestCase *at) {
  static const Case c = {
      .role = AB_ROLE_PREDICT, .in = {T}, .out = {T, WORDS}, .tokens = TRUE, .causal = TRUE};
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, &c);
  g_autofree double *x = sequences(TRUE, N * T, 40), *plain = NULL;

  shake(model);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  plain = plugin_test_values(ab_call(model, c.role, tensor(ctx, TRUE, T, 0, x)));
  for (int j = 0; j < T; j++) {
    g_autofree double *changed = NULL;
    double kept = x[j];

    x[j] = (double)(((int)kept + 1) % WORDS);
    changed = plugin_test_values(ab_call(model, c.role, tensor(ctx, TRUE, T, 0, x)));
    x[j] = kept;
    for (int n = 0; n < N; n++)
      for (int t = 0; t < T; t++) {
        const gsize row = (gsize)((n * T + t) * WORDS), size = WORDS * sizeof(double);

        g_assert_cmpint(memcmp(plain + row, changed + row, size) != 0, ==, n == 0 && t >= j);
      }
  }
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* What stands beyond the length of a sequence changes nothing. */
static void check_lengths(const PluginTestCase *at, const Case *c) {
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, c);
  g_autofree double *x = sequences(TRUE, N * T, 41);
  double y[2][N * 3];

  shake(model);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  for (int k = 0; k < 2; k++) {
    AbTensor *given = tensor(ctx, TRUE, T, 0, x);
    AbBatch *batch = plugin_test_batch(ctx, given, NULL);
    g_autofree double *values = NULL;

    ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), lengths));
    ab_set_batch(ctx, batch);
    values = plugin_test_values(ab_call(model, c->role, given));
    memcpy(y[k], values, (gsize)(N * MAX(c->out[0], 1)) * sizeof *values);
    ab_set_batch(ctx, NULL);
    ab_batch_free(batch);
    for (int n = 0; n < N; n++)
      for (int t = (int)lengths[n]; t < T; t++)
        x[n * T + t] = (double)(((int)x[n * T + t] + 3) % WORDS);
  }
  for (gint64 i = 0; i < N * MAX(c->out[0], 1); i++) g_assert_cmpfloat(y[0][i], ==, y[1][i]);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_lengths(const PluginTestCase *at) {
  static const Case cases[] = {
      {.role = AB_ROLE_CLASSIFY, .in = {T}, .out = {3}, .tokens = TRUE},
      {.role = AB_ROLE_SCORE, .in = {T}, .tokens = TRUE, .causal = TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_lengths(at, &cases[i]);
}

/* ---- score and objective ----------------------------------------------------------------------
 */

/* The mean of -log softmax at the next token, over the steps of a sequence or of all. */
static void test_score(const PluginTestCase *at) {
  for (int with_lengths = 0; with_lengths < 2; with_lengths++) {
    Case c = {.role = AB_ROLE_SCORE, .in = {T}, .tokens = TRUE, .causal = TRUE};
    AbContext *ctx = plugin_test_context(at);
    AbModel *model = make(ctx, &c);
    g_autofree double *x = sequences(TRUE, N * T, 42);
    double scores[N] = {0}, all = 0, count = 0;
    AbTensor *given = tensor(ctx, TRUE, T, 0, x);
    AbBatch *batch = plugin_test_batch(ctx, given, NULL);

    plugin_test_fine(ctx);
    shake(model);
    c.lengths = with_lengths;
    if (c.lengths)
      ab_batch_put(batch, "length", plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(N), lengths));
    for (int n = 0; n < N; n++) {
      Loops l = {model, 0, 0, FALSE, FALSE};
      double h[T * WIDTH], y[T * WORDS];
      int length = encode_by_hand(&l, &c, x, n, h);

      line(&l, ++l.linear, h, T, WIDTH, WORDS, y);
      for (int t = 1; t < length; t++) {
        double sum = 0, nats;

        for (int j = 0; j < WORDS; j++) sum += exp(y[(t - 1) * WORDS + j]);
        nats = log(sum) - y[(t - 1) * WORDS + (int)x[n * T + t]];
        scores[n] += nats / (length - 1);
        all += nats;
        count++;
      }
    }
    ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
    ab_set_batch(ctx, batch);
    plugin_test_near(ab_call(model, AB_ROLE_SCORE, given), scores, N, 50 * at->exact);
    {
      const AbModelVtable *table = model->component->vtable;

      plugin_test_close(ab_item(table->objective(model, batch)), all / count, 50 * at->exact);
    }
    ab_set_batch(ctx, NULL);
    ab_batch_free(batch);
    ab_instance_free(model);
    plugin_test_finish(ctx);
  }
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct {
  AbModel *model;
  AbBatch *batch;
  const double *along;
  gint64 count;
  AbTensor *weight;
} Slope;

/* sum_i along_i y_i, y what the model gives for x */
static AbTensor *projected(const Slope *s) {
  AbContext *ctx = ab_context(s->model);
  AbTensor *y, *sum;
  const AbBatch *outer;

  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  outer = ab_set_batch(ctx, s->batch);
  y = ab_call(s->model, ab_model_signature(s->model).role, ab_batch_get(s->batch, "x"));
  ab_set_batch(ctx, outer);
  sum = ab_sum(ab_mul(y, plugin_test_tensor(ctx, ab_shape(y), s->along)));
  return sum;
}

static double at_weights(const double *values, gpointer data) {
  const Slope *s = data;
  AbContext *ctx = ab_context(s->model);
  AbScope scope = ab_scope_begin(ctx);
  gboolean recording = ab_set_recording(ctx, false);
  double value;

  plugin_test_fill(s->weight, values);
  value = ab_item(projected(s));
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  return value;
}

static void check_gradient(const Case *c) {
  AbContext *ctx = ab_context_new("reference", AB_F64, 7);
  AbModel *model = make(ctx, c);
  gint64 features = features_of(c);
  g_autofree double *x = sequences(c->tokens, N * T * MAX(features, 1), 43);
  g_autofree double *y = sequences(c->spoken_tokens, N * S * 2, 44);
  g_autofree double *along = plugin_test_numbers(N * c->out[0] * MAX(c->out[1], 1), -1, 1, 45);
  Slope s = {.model = model, .along = along};
  AbTensor *target =
      c->decoder > 0 ? tensor(ctx, c->spoken_tokens, S, c->spoken_tokens ? 0 : 2, y) : NULL;

  plugin_test_fine(ctx);
  shake(model);
  s.batch = plugin_test_batch(ctx, tensor(ctx, c->tokens, T, c->in[1], x), target);
  ab_backward(projected(&s));
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState state = ab_state(model, i);
    g_autofree double *values = plugin_test_values(state.tensor), *slopes = NULL;

    if (!state.weight) continue;
    s.weight = state.tensor;
    slopes = plugin_test_slopes(at_weights, values, MIN(ab_count(state.tensor), 12), &s);
    plugin_test_fill(state.tensor, values);
    {
      g_autofree double *got = plugin_test_gradient(state.tensor);

      for (gint64 j = 0; j < MIN(ab_count(state.tensor), 12); j++)
        plugin_test_close(got[j], slopes[j], 1e-6);
    }
  }
  ab_batch_free(s.batch);
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

static void test_gradient(void) {
  static const Case cases[] = {
      {.role = AB_ROLE_CLASSIFY, .in = {T}, .out = {3}, .tokens = TRUE},
      {.role = AB_ROLE_PREDICT, .in = {T, 2}, .out = {T, 2}, .causal = TRUE, .norm_last = TRUE},
      {.role = AB_ROLE_PREDICT, .in = {T, 2}, .out = {S, 2}, .decoder = 1, .learned = TRUE},
      {.role = AB_ROLE_PREDICT,
       .in = {T},
       .out = {S, WORDS},
       .tokens = TRUE,
       .decoder = 2,
       .spoken_tokens = TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_gradient(&cases[i]);
}

/* ---- what is generated ----------------------------------------------------------------------- */

/* At temperature 0 every token is the most probable after those before it, found by computing all
 * anew; and a step of the random streams gives the same again, another step something else.     */
static void test_generate(const PluginTestCase *at) {
  static const Case c = {.role = AB_ROLE_GENERATE, .in = {T}, .tokens = TRUE, .causal = TRUE};
  enum { COUNT = 20 };
  AbContext *ctx = plugin_test_context(at);
  AbModel *model = make(ctx, &c);
  g_autofree double *first = NULL, *again = NULL, *other = NULL, *greedy = NULL, *y = NULL;
  const gsize size = COUNT * T * sizeof(double);
  AbTensor *x;

  plugin_test_fine(ctx);
  shake(model);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 3);
  x = ab_generate(model, COUNT);
  plugin_test_fine(ctx);
  g_assert_cmpint(ab_rank(x), ==, 2);
  g_assert_cmpint(ab_dim(x, 1), ==, T);
  g_assert_cmpint(ab_dtype(x), ==, AB_I64);
  first = plugin_test_values(x);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 3);
  again = plugin_test_values(ab_generate(model, COUNT));
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 4);
  other = plugin_test_values(ab_generate(model, COUNT));
  g_assert_cmpmem(first, size, again, size);
  g_assert_cmpint(memcmp(first, other, size), !=, 0);

  plugin_test_set_real(model, "temperature", 0);
  x = ab_generate(model, COUNT);
  greedy = plugin_test_values(x);
  y = plugin_test_values(ab_call(model, AB_ROLE_PREDICT, x));
  for (int i = 0; i < COUNT * T; i++) {
    int best = 0;

    if (i % T == T - 1) continue;
    for (int j = 1; j < WORDS; j++)
      if (y[i * WORDS + j] > y[i * WORDS + best]) best = j;
    g_assert_cmpfloat(greedy[i + 1], ==, best);
  }
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* The first token by the counts of training (and one each), the second by softmax(y / 2): each
 * within five standard errors.                                                                  */
static void test_temperature(void) {
  static const Case c = {.role = AB_ROLE_GENERATE, .in = {2}, .tokens = TRUE, .causal = TRUE};
  enum { COUNT = 20000 };
  const double counts[WORDS] = {0, 4, 1, 0, 2, 0, 6},
               heads[2 * WORDS] = {0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
  AbModel *model = make(ctx, &c);
  double firsts[WORDS] = {0}, pairs[WORDS][WORDS] = {{0}};
  g_autofree double *x = NULL, *y = NULL;

  shake(model);
  plugin_test_fill(plugin_test_state(model, "begun"), counts);
  plugin_test_set_real(model, "temperature", 2);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  x = plugin_test_values(ab_generate(model, COUNT));
  y = plugin_test_values(ab_call(model, AB_ROLE_PREDICT,
                                 plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(WORDS, 2), heads)));
  for (int i = 0; i < COUNT; i++) {
    firsts[(int)x[2 * i]]++;
    pairs[(int)x[2 * i]][(int)x[2 * i + 1]]++;
  }
  for (int a = 0; a < WORDS; a++) {
    double p = (counts[a] + 1) / (13 + WORDS), sum = 0;

    g_assert_cmpfloat(fabs(firsts[a] / COUNT - p), <, 5 * sqrt(p * (1 - p) / COUNT));
    for (int b = 0; b < WORDS; b++) sum += exp(y[2 * a * WORDS + b] / 2);
    for (int b = 0; b < WORDS; b++) {
      double q = exp(y[2 * a * WORDS + b] / 2) / sum;

      g_assert_cmpfloat(fabs(pairs[a][b] / firsts[a] - q), <, 5 * sqrt(q * (1 - q) / firsts[a]));
    }
  }
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* ---- learning -------------------------------------------------------------------------------- */

#define ROWS 16 /* of a batch */

typedef struct {
  AbContext *ctx;
  AbModel *model;
  AbLoss *loss;
  AbOptimizer *optimizer;
  AbController *controller;
  AbStep *step;
} Rig;

static Rig rig_begin(const Case *c) {
  Rig rig = {.ctx = ab_context_new("cpu", AB_F32, 7)};
  AbSpec in = spec_in(rig.ctx, c);
  AbSpec out = plugin_test_spec(rig.ctx, AB_RANGE_REAL, c->out[0], c->out[1], 0),
         none = {.rank = -1};
  AbSignature wanted = c->role == AB_ROLE_GENERATE ? ab_signature(c->role, &none, &in)
                                                   : ab_signature(c->role, &in, &out);
  AbStepParts parts = {.role = c->role};

  if (c->spoken_tokens) wanted.out.classes = WORDS;
  rig.model = plugin_test_new(rig.ctx, AB_KIND_MODEL, "transformer");
  rig.loss = plugin_test_new(rig.ctx, AB_KIND_LOSS, "cross-entropy");
  rig.optimizer = plugin_test_new(rig.ctx, AB_KIND_OPTIMIZER, "adam");
  rig.controller = plugin_test_new(rig.ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_int(rig.model, "width", 32);
  plugin_test_set_int(rig.model, "layers", 1);
  plugin_test_set_int(rig.model, "decoder", c->decoder);
  plugin_test_set_bool(rig.model, "causal", c->causal);
  plugin_test_set_real(rig.model, "dropout", 0);
  plugin_test_set_real(rig.optimizer, "lr", 5e-3);
  ab_begin(rig.ctx, AB_PURPOSE_INIT, 0);
  ab_build(rig.model, &wanted);
  plugin_test_fine(rig.ctx);
  parts.model = rig.model;
  parts.loss = c->role == AB_ROLE_PREDICT ? rig.loss : NULL;
  parts.optimizer = rig.optimizer;
  parts.controller = rig.controller;
  rig.step = ab_step_new(rig.ctx, &parts);
  ab_step_build(rig.step);
  plugin_test_fine(rig.ctx);
  return rig;
}

static void rig_end(Rig *rig) {
  ab_step_free(rig->step);
  ab_instance_free(rig->controller);
  ab_instance_free(rig->optimizer);
  ab_instance_free(rig->loss);
  ab_instance_free(rig->model);
  plugin_test_finish(rig->ctx);
}

/* `rule` makes y [ROWS, says] of random x [ROWS, T]. Returns the share of y that is guessed rightly
 * after `steps` steps, of sequences that were not seen.                                         */
static double learn(Rig *rig, int steps, int says, double (*rule)(const double *x, int t)) {
  double right = 0;

  for (int s = 0; s <= steps; s++) {
    AbScope scope = ab_scope_begin(rig->ctx);
    g_autofree double *x = sequences(TRUE, ROWS * T, (guint64)(1000 + s)), *guesses = NULL;
    double y[ROWS * T];
    AbTensor *given = plugin_test_tensor_of(rig->ctx, AB_I64, AB_SHAPE(ROWS, T), x);
    AbBatch *batch;

    for (int i = 0; i < ROWS * says; i++) y[i] = rule(x + i / says * T, i % says);
    batch = plugin_test_batch(rig->ctx, given,
                              plugin_test_tensor_of(rig->ctx, AB_I64, AB_SHAPE(ROWS, says), y));
    if (s < steps) {
      plugin_test_step(rig->ctx, rig->step, batch, s, steps);
    } else {
      ab_begin(rig->ctx, AB_PURPOSE_EVALUATE, 0);
      ab_set_batch(rig->ctx, batch);
      guesses = plugin_test_values(ab_argmax(ab_call(rig->model, AB_ROLE_PREDICT, given)));
      ab_set_batch(rig->ctx, NULL);
      for (int i = 0; i < ROWS * says; i++) right += guesses[i] == y[i];
    }
    ab_batch_free(batch);
    ab_scope_end(rig->ctx, scope, NULL, 0);
  }
  return right / (ROWS * says);
}

/* The token before: what only attention can know. */
static double token_before(const double *x, int t) {
  return x[t > 0 ? t - 1 : 0];
}

static void test_shift(void) {
  static const Case c = {
      .role = AB_ROLE_PREDICT, .in = {T}, .out = {T, WORDS}, .tokens = TRUE, .causal = TRUE};
  Rig rig = rig_begin(&c);

  g_assert_cmpfloat(learn(&rig, 250, T, token_before), >, 0.97);
  rig_end(&rig);
}

/* What was read, from its end; at last without being fed y. */
static double from_behind(const double *x, int t) {
  return x[T - 1 - t];
}

static void test_reversal(void) {
  static const Case c = {.role = AB_ROLE_PREDICT,
                         .in = {T},
                         .out = {S, WORDS},
                         .tokens = TRUE,
                         .decoder = 1,
                         .spoken_tokens = TRUE};
  Rig rig = rig_begin(&c);

  g_assert_cmpfloat(learn(&rig, 400, S, from_behind), >, 0.95);
  rig_end(&rig);
}

/* Sequences that count on from 0 or 3: what is generated does so too, and other sequences get a
 * higher score.                                                                                 */
static void test_counting(void) {
  static const Case c = {.role = AB_ROLE_GENERATE, .in = {T}, .tokens = TRUE, .causal = TRUE};
  enum { STEPS = 200, COUNT = 200 };
  Rig rig = rig_begin(&c);
  double x[ROWS * T], loss = 0;
  gint64 right = 0, threes = 0;
  g_autofree double *made = NULL, *begun = NULL;

  for (int s = 0; s < STEPS; s++) {
    AbScope scope = ab_scope_begin(rig.ctx);
    AbBatch *batch;

    for (int i = 0; i < ROWS * T; i++) x[i] = (i / T % 4 == 0 ? 3 + i % T : i % T) % WORDS;
    batch = plugin_test_batch(rig.ctx, plugin_test_tensor_of(rig.ctx, AB_I64, AB_SHAPE(ROWS, T), x),
                              NULL);
    loss = plugin_test_step(rig.ctx, rig.step, batch, s, STEPS);
    ab_batch_free(batch);
    ab_scope_end(rig.ctx, scope, NULL, 0);
  }
  g_assert_cmpfloat(loss, <, 0.02);
  begun = plugin_test_values(plugin_test_state(rig.model, "begun"));
  g_assert_cmpfloat(begun[0], ==, STEPS * ROWS * 3 / 4);
  g_assert_cmpfloat(begun[3], ==, STEPS * ROWS / 4);
  ab_begin(rig.ctx, AB_PURPOSE_EVALUATE, 0);
  made = plugin_test_values(ab_generate(rig.model, COUNT));
  for (int i = 0; i < COUNT * T; i++) {
    threes += i % T == 0 && made[i] == 3;
    right += i % T > 0 && made[i] == (double)(((int)made[i - 1] + 1) % WORDS);
  }
  g_assert_cmpint(right, >, COUNT * (T - 1) * 97 / 100);
  g_assert_cmpint(llabs(threes - COUNT / 4), <, 31); /* five standard errors */
  {
    double other[2 * T] = {0, 1, 2, 3, 4, 0, 1, 5, 3, 4};
    g_autofree double *scores = plugin_test_values(ab_call(
        rig.model, AB_ROLE_SCORE, plugin_test_tensor_of(rig.ctx, AB_I64, AB_SHAPE(2, T), other)));

    g_assert_cmpfloat(scores[0], <, 0.1);
    g_assert_cmpfloat(scores[1], >, 0.5);
  }
  rig_end(&rig);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void fails(const Case *c, const char *pattern) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);

  ab_instance_free(make(ctx, c));
  plugin_test_error(ctx, AB_CONFIG, pattern);
  ab_context_free(ctx);
}

static void test_errors(void) {
  static const struct {
    Case c;
    const char *pattern;
  } cases[] = {
      {{.role = AB_ROLE_CLASSIFY, .in = {0}, .out = {3}}, "*takes a sequence*tokens*numbers*"},
      {{.role = AB_ROLE_CLASSIFY, .in = {T, 2}, .out = {3}, .tokens = TRUE}, "*takes a sequence*"},
      {{.role = AB_ROLE_CLASSIFY, .in = {T}, .out = {3}, .decoder = 1}, "*decoder is for*predict*"},
      {{.role = AB_ROLE_PREDICT, .in = {T}, .out = {S}, .decoder = 1, .causal = TRUE},
       "*causal*without a decoder*"},
      {{.role = AB_ROLE_GENERATE, .in = {T}, .tokens = TRUE}, "*score and generate*causal: true*"},
      {{.role = AB_ROLE_GENERATE, .in = {T}, .causal = TRUE}, "*score and generate*tokens*"},
      {{.role = AB_ROLE_SCORE, .in = {1}, .tokens = TRUE, .causal = TRUE}, "*at least two tokens*"},
      {{.role = AB_ROLE_RECONSTRUCT, .in = {T}, .tokens = TRUE}, "*reconstruct is of numbers*"},
      {{.role = AB_ROLE_PREDICT, .in = {T}}, "*must be told what to give*"},
  };
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "transformer");
  AbSpec in = plugin_test_spec(ctx, AB_RANGE_REAL, T, 0, 0);
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *pattern = g_strconcat("model (transformer): ", cases[i].pattern, NULL);

    fails(&cases[i].c, pattern);
  }
  plugin_test_set_int(model, "heads", 3);
  ab_build(model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (transformer): a width of 128*3 heads");
  ab_instance_free(model);

  /* roles of a model that was built for another */
  model = plugin_test_new(ctx, AB_KIND_MODEL, "transformer");
  ab_build(model, &wanted);
  g_assert_null(ab_generate(model, 2));
  plugin_test_error(ctx, AB_CONFIG, "model (transformer): generate is of a causal model*");
  g_assert_null(ab_call(model, AB_ROLE_CLASSIFY, ab_zeros(ctx, AB_SHAPE(2, T))));
  plugin_test_error(ctx, AB_CONFIG, "model (transformer): *built as an encoder*");
  g_assert_null(ab_call(model, AB_ROLE_SCORE, ab_zeros(ctx, AB_SHAPE(2, T))));
  plugin_test_error(ctx, AB_CONFIG, "model (transformer): score is of a causal model*");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

/* A token beyond the classes is an error that names its place. */
static void test_wild_token(void) {
  static const Case c = {.role = AB_ROLE_CLASSIFY, .in = {T}, .out = {3}, .tokens = TRUE};
  AbContext *ctx = ab_context_new("cpu", AB_F32, 7);
  AbModel *model = make(ctx, &c);
  g_autofree double *x = sequences(TRUE, N * T, 50);

  x[T + 2] = WORDS;
  g_assert_null(ab_call(model, c.role, tensor(ctx, TRUE, T, 0, x)));
  plugin_test_error(ctx, AB_DATA, "model (transformer): *index 7 at [1, 2]*0 to 6*");
  ab_instance_free(model);
  plugin_test_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/transformer/encoder", test_encoder);
  plugin_test_add("/transformer/decoder", test_decoder);
  plugin_test_add("/transformer/causality", test_causality);
  plugin_test_add("/transformer/lengths", test_lengths);
  plugin_test_add("/transformer/score", test_score);
  g_test_add_func("/transformer/gradient", test_gradient);
  plugin_test_add("/transformer/generate", test_generate);
  g_test_add_func("/transformer/generate/temperature", test_temperature);
  g_test_add_func("/transformer/learning/shift", test_shift);
  g_test_add_func("/transformer/learning/reversal", test_reversal);
  g_test_add_func("/transformer/learning/counting", test_counting);
  g_test_add_func("/transformer/errors", test_errors);
  g_test_add_func("/transformer/errors/token", test_wild_token);
  return g_test_run();
}
