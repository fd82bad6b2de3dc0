/* SPDX-License-Identifier: Apache-2.0
 *
 * Auto-encoder (Hinton & Salakhutdinov 2006; Bengio et al. 2007; with noise on its input the
 * denoising auto-encoder of Vincent et al. 2008).
 *
 *   code = encoder(x),   reconstruction = decoder(code)
 *
 * Any two models with the roles encode and decode fit. With `tied`, weight W_i of the decoder is
 * the transpose of weight W_{L+1-i} of the encoder's L (both must number their weights W1, W2,
 * ...): one weight, whose two gradients add. */
#include <absdk/absdk.h>
#include <stdio.h>

typedef struct {
  AbModel base;
  bool tied;
  AbModel *encoder, *decoder;
} AutoEncoder;

static const AbParam params[] = {
    AB_PARAM_BOOL(AutoEncoder, tied, false,
                  "The decoder's weights are the encoder's, transposed and in reverse order."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(AutoEncoder, encoder, AB_KIND_MODEL, AB_ROLE_ENCODE, AB_REQUIRED,
                 "{plugin: mlp, units: [64, 16]}", "From x to the code."),
    AB_SLOT_LIKE(AutoEncoder, decoder, AB_KIND_MODEL, AB_ROLE_DECODE, AB_REQUIRED,
                 "{plugin: mlp, units: [64]}", "From the code to x."),
};

static void name_of(char *name, size_t size, int64_t number) {
  snprintf(name, size, "W%lld", (long long)number);
}

static void tie(AutoEncoder *m) {
  char name[32];
  int64_t layers = 0;
  do {
    name_of(name, sizeof name, layers + 1);
  } while (ab_has_weight(m->encoder, name) && ++layers);
  if (layers == 0)
    ab_fail(&m->base, AB_CONFIG, "tied: the encoder has no weights W1, W2, ... to tie to");
  for (int64_t i = 1; i <= layers; i++) {
    name_of(name, sizeof name, layers + 1 - i);
    AbTensor *weight = ab_find_weight(m->encoder, name);
    name_of(name, sizeof name, i);
    ab_tie(m->decoder, name, weight, true);
  }
}

/* A matrix of the decoder beyond those of the encoder would stay untied in silence. (The opposite,
 * a tie to a weight that is not made, ab_build reports.)                                         */
static void check_ties(AutoEncoder *m) {
  char name[32];
  int64_t i = 0;
  do {
    name_of(name, sizeof name, ++i);
  } while (ab_has_weight(m->encoder, name));
  if (ab_has_weight(m->decoder, name))
    ab_fail(&m->base, AB_CONFIG,
            "tied: the decoder has a weight %s and the encoder none; tied weights need an encoder "
            "and a decoder with as many layers",
            name);
}

static void build(AbModel *self, const AbSignature *wanted) {
  AutoEncoder *m = (AutoEncoder *)self;
  bool decodes = wanted->role == AB_ROLE_DECODE; /* it is then given a code, and gives x */
  const AbSpec *x = decodes ? &wanted->out : &wanted->in;
  if (x->rank < 0) {
    ab_fail(self, AB_CONFIG, "a decoder must be told what to give");
    return;
  }
  AbSignature encode = ab_signature(AB_ROLE_ENCODE, x, decodes ? &wanted->in : NULL);
  if (wanted->role == AB_ROLE_ENCODE) encode.out = wanted->out;
  AbSpec code = ab_build(m->encoder, &encode);
  if (code.rank < 0) return;
  ab_output_range(self, AB_ROLE_ENCODE, code.range);
  if (m->tied) tie(m);
  AbSignature decode = ab_signature(AB_ROLE_DECODE, &code, x);
  ab_build(m->decoder, &decode);
  if (m->tied && ab_ok(ab_context(self))) check_ties(m);
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  return ab_encode(((AutoEncoder *)self)->encoder, x);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  return ab_decode(((AutoEncoder *)self)->decoder, code);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
};

static const AbComponent auto_encoder = {
    .struct_size = sizeof auto_encoder,
    .kind = AB_KIND_MODEL,
    .name = "auto-encoder",
    .doc = "Auto-encoder of any encoder and any decoder.",
    .citation = "Hinton, Salakhutdinov: Reducing the dimensionality of data with neural networks. "
                "Science 313, 2006.",
    .instance_size = sizeof(AutoEncoder),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.auto-encoder", "0.1.0", "Apache-2.0", &auto_encoder)
