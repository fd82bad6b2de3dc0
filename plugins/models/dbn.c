/* SPDX-License-Identifier: Apache-2.0
 *
 * Deep belief network (Hinton, Osindero, Teh 2006): a restricted Boltzmann machine on top of
 * directed layers, each of which is learned as a restricted Boltzmann machine by the controller
 * greedy. h_0 = x.
 *
 *   p(x, h_1 .. h_L) = p(x | h_1) ... p(h_{L-2} | h_{L-1}) p(h_{L-1}, h_L)
 *     p(h_{l-1} | h_l)  units that are independent, with the means decode_l(h_l)
 *     p(h_{L-1}, h_L)   the machine on top, with the free energy F = score_L and its Z
 *   q(h_l | h_{l-1})    units that are independent, with the means encode_l(h_{l-1})
 *
 * Encoding, decoding and classifying pass on means:
 *   code = encode_L(... encode_1(x)),   reconstruction = decode_1(... decode_L(code))
 *   y    = code W1 + b1                                    where classes or numbers are asked for
 *
 * Generating draws h_{L-1} from the machine on top (by its own role generate, or a Gibbs chain here
 * where it has none), then h_{L-2} and so on by p; x itself are means.
 *
 * Score, less log Z of the machine on top, bounds -log p(x) from above (their equation 8, for any
 * number of layers); H is the entropy of q. The mean over h ~ q is that of `draws` draws.
 *
 *   -log p(x) <= E_q[ sum_{l<L} (-log p(h_{l-1} | h_l) - H(q(h_l | h_{l-1}))) + F(h_{L-1}) ]
 *                + log Z
 *
 * x from 0 to 1 are Bernoulli units, others Gaussian ones of variance 1. Of one layer the score is
 * its own. */
#include "stack.h"
#include <math.h>
#include <string.h>

typedef struct {
  AbModel base;
  double dropout;
  int64_t gibbs, draws;
  AbChildren layers;
  AbSpec x, code;
  StackHead head;
} Dbn;

static const AbParam params[] = {
    AB_PARAM_REAL(Dbn, dropout, 0, 0, 0.95, "",
                  "Part of every layer's code left out while the whole learns (not while a layer "
                  "does)."),
    AB_PARAM_INT(Dbn, gibbs, 1000, 1, 1 << 30, "Gibbs steps",
                 "Of the chain that generates, where the layer on top has none of its own."),
    AB_PARAM_INT(Dbn, draws, 1, 1, 1 << 20, "draws",
                 "Of the hidden units, that a score is the mean of."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(
        Dbn, layers, AB_KIND_MODEL, AB_ROLE_DECODE, AB_MANY, "[{plugin: rbm}, {plugin: rbm}]",
        "From the data upwards: restricted Boltzmann machines, which encode, decode and score "
        "and whose codes are probabilities."),
};

static AbModel *top_of(const Dbn *d) {
  return d->layers.items[d->layers.count - 1];
}

static bool offers(const AbModel *model, AbRole role) {
  return ab_component_roles(model->component) & AB_ROLE_BIT(role);
}

/* What is no restricted Boltzmann machine has no states to draw, or no energy. */
static void check_layers(Dbn *d) {
  const AbRole roles[] = {AB_ROLE_ENCODE, AB_ROLE_DECODE, AB_ROLE_SCORE};
  for (int64_t l = 0; l < d->layers.count; l++)
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
      if (!offers(d->layers.items[l], roles[i]))
        ab_fail(d->layers.items[l], AB_CONFIG,
                "a layer of a deep belief network encodes, decodes and scores, as a restricted "
                "Boltzmann machine does; this one does not offer %s",
                ab_role_name(roles[i]));
}

static void check_codes(Dbn *d) {
  for (int64_t l = 0; l < d->layers.count && ab_ok(ab_context(&d->base)); l++) {
    AbSpec code = ab_output(d->layers.items[l], AB_ROLE_ENCODE);
    if (code.rank < 0 || ab_spec_is_unit(&code)) continue;
    ab_fail(d->layers.items[l], AB_CONFIG,
            "the code of a layer of a deep belief network are probabilities of binary units, and "
            "this one's are any numbers; a stacked-auto-encoder takes it");
  }
}

static void build(AbModel *self, const AbSignature *wanted) {
  Dbn *d = (Dbn *)self;
  check_layers(d);
  if (!ab_ok(ab_context(self))) return;
  d->code = stack_build(self, d->layers, wanted);
  if (d->code.rank < 0) return;
  d->x = *stack_data(self, wanted);
  check_codes(d);
  d->head = stack_head_make(self, &d->code, wanted);
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  const Dbn *d = (const Dbn *)self;
  return stack_encode(d->layers, d->dropout, x);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  return stack_decode(((Dbn *)self)->layers, code);
}

static AbTensor *output(AbModel *self, AbTensor *x) {
  return stack_head_apply(self, &((Dbn *)self)->head, encode(self, x));
}

/* ---- generating ------------------------------------------------------------------------------ */

/* The means of h_{L-1} at the end of a Gibbs chain in the machine on top that starts anywhere.
 * Gaussian units, which only x can be, pass on their means.                                      */
static AbTensor *gibbs(const Dbn *d, int64_t count) {
  AbContext *ctx = ab_context(&d->base);
  bool binary = d->layers.count > 1 || ab_spec_is_unit(&d->x);
  AbShape shape = {.rank = d->code.rank + 1, .dims = {count}};
  memcpy(shape.dims + 1, d->code.shape, (size_t)d->code.rank * sizeof *shape.dims);
  AbTensor *h = ab_bernoulli(ab_full(ctx, ab_real_dtype(ctx), shape, 0.5));
  for (int64_t i = 1; i < d->gibbs; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *below = ab_decode(top_of(d), h);
    AbTensor *next = ab_bernoulli(ab_encode(top_of(d), binary ? ab_bernoulli(below) : below));
    ab_scope_end(ctx, scope, &next, 1);
    ab_drop(h);
    h = next;
  }
  return ab_decode(top_of(d), h);
}

static AbTensor *generate(AbModel *self, int64_t count) {
  const Dbn *d = (const Dbn *)self;
  bool recording = ab_set_recording(ab_context(self), false);
  AbTensor *h =
      offers(top_of(d), AB_ROLE_GENERATE) ? ab_generate(top_of(d), count) : gibbs(d, count);
  for (int64_t l = d->layers.count - 1; l > 0; l--)
    h = ab_decode(d->layers.items[l - 1], ab_bernoulli(h));
  ab_set_recording(ab_context(self), recording);
  return h;
}

/* ---- scoring --------------------------------------------------------------------------------- */

/* The sum over the units of a sample. */
static AbTensor *row_sum(AbTensor *each) {
  return ab_sum_axes(ab_flatten(each), 2, false);
}

/* -log p of units, given their means. */
static AbTensor *surprise(bool binary, AbTensor *mean, AbTensor *units) {
  if (binary) return row_sum(ab_binary_cross_entropy(mean, units));
  AbTensor *energy = ab_squared_error(mean, units, AB_LOSS_EACH);
  return row_sum(ab_affine(energy, 0.5, 0.5 * log(2 * acos(-1))));
}

/* What is under the mean over h ~ q, for one draw. */
static AbTensor *draw(const Dbn *d, AbTensor *x) {
  AbTensor *below = x, *sum = NULL;
  for (int64_t l = 0; l + 1 < d->layers.count; l++) {
    AbTensor *q = ab_encode(d->layers.items[l], below), *h = ab_bernoulli(q);
    AbTensor *down =
        surprise(l > 0 || ab_spec_is_unit(&d->x), ab_decode(d->layers.items[l], h), below);
    AbTensor *term = ab_sub(down, surprise(true, q, q));
    sum = l > 0 ? ab_add(sum, term) : term;
    below = h;
  }
  AbTensor *energy = ab_call(top_of(d), AB_ROLE_SCORE, below);
  return d->layers.count > 1 ? ab_add(sum, energy) : energy;
}

static AbTensor *score(AbModel *self, AbTensor *x) {
  const Dbn *d = (const Dbn *)self;
  int64_t draws = d->layers.count > 1 ? d->draws : 1;
  AbTensor *sum = draw(d, x);
  for (int64_t i = 1; i < draws; i++) sum = ab_add(sum, draw(d, x));
  return draws > 1 ? ab_affine(sum, 1.0 / (double)draws, 0) : sum;
}

static AbTensor *log_partition(AbModel *self, int64_t chains, int64_t steps) {
  return ab_log_partition(top_of((Dbn *)self), chains, steps);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
    .generate = generate,
    .classify = output,
    .predict = output,
    .score = score,
    .log_partition = log_partition,
};

static const AbComponent dbn = {
    .struct_size = sizeof dbn,
    .kind = AB_KIND_MODEL,
    .name = "dbn",
    .doc = "Deep belief network of restricted Boltzmann machines.",
    .citation = "Hinton, Osindero, Teh: A fast learning algorithm for deep belief nets. Neural "
                "Computation 18, 2006.",
    .instance_size = sizeof(Dbn),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.dbn", "0.1.0", "Apache-2.0", &dbn)
