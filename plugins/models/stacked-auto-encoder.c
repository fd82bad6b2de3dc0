/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacked auto-encoder (Bengio, Lamblin, Popovici, Larochelle 2007; of restricted Boltzmann
 * machines Hinton & Salakhutdinov 2006; with noise on each layer's input Vincent et al. 2010).
 *
 *   code = encode_L(... encode_1(x)),   reconstruction = decode_1(... decode_L(code))
 *   y    = code W1 + b1                                    where classes or numbers are asked for
 *
 * Any models that encode and reconstruct fit as layers, each on the code of the one below. The
 * controller greedy learns them one after the other before the whole is learned; any other learns
 * the whole from the start. */
#include "stack.h"

typedef struct {
  AbModel base;
  double dropout;
  AbChildren layers;
  StackHead head;
} Stacked;

static const AbParam params[] = {
    AB_PARAM_REAL(Stacked, dropout, 0, 0, 0.95, "",
                  "Part of every layer's code left out while the whole learns (not while a layer "
                  "does)."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(Stacked, layers, AB_KIND_MODEL, AB_ROLE_RECONSTRUCT, AB_MANY,
                 "[{plugin: rbm}, {plugin: rbm}]",
                 "From the data upwards; each also encodes, and decodes where the whole does."),
};

static void build(AbModel *self, const AbSignature *wanted) {
  Stacked *m = (Stacked *)self;
  AbSpec code = stack_build(self, m->layers, wanted);
  if (code.rank >= 0) m->head = stack_head_make(self, &code, wanted);
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  const Stacked *m = (const Stacked *)self;
  return stack_encode(m->layers, m->dropout, x);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  return stack_decode(((Stacked *)self)->layers, code);
}

static AbTensor *output(AbModel *self, AbTensor *x) {
  return stack_head_apply(self, &((Stacked *)self)->head, encode(self, x));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
    .classify = output,
    .predict = output,
};

static const AbComponent stacked_auto_encoder = {
    .struct_size = sizeof stacked_auto_encoder,
    .kind = AB_KIND_MODEL,
    .name = "stacked-auto-encoder",
    .doc = "Auto-encoders, or other models that encode and reconstruct, on top of each other.",
    .citation = "Bengio, Lamblin, Popovici, Larochelle: Greedy layer-wise training of deep "
                "networks. NIPS 2007.",
    .instance_size = sizeof(Stacked),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.stacked-auto-encoder", "0.1.0", "Apache-2.0", &stacked_auto_encoder)
