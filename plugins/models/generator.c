/* SPDX-License-Identifier: Apache-2.0
 *
 * Generator: any decoder, fed with codes drawn from a prior (Goodfellow et al. 2014; with a
 * condition, Mirza & Osindero 2014).
 *
 *   z ~ N(0, I)  or  U(-1, 1)^code        x = decoder(z)
 *   x = decoder([z, one-hot of the class y])                   where it is conditional
 *
 * The classes are those of the batch at hand; outside of one they are drawn, all equally often. It
 * has no objective of its own: a controller (gan) says what it learns from. Built as a decoder, it
 * takes codes of the width that it is told, and draws such codes where it is to generate.        */
#include <absdk/absdk.h>

typedef struct {
  AbModel base;
  int64_t code;
  int64_t prior;
  bool conditional;
  int64_t classes;
  AbModel *decoder;
} Generator;

enum { NORMAL = 0, UNIFORM = 1 };
static const char *const prior_names[] = {"normal", "uniform", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(Generator, code, 100, 1, 1 << 20, "numbers", "Width of the code z."),
    AB_PARAM_CHOICE(Generator, prior, "normal", prior_names,
                    "What z is drawn from: N(0, 1) or U(-1, 1), each number by itself."),
    AB_PARAM_BOOL(Generator, conditional, false,
                  "Give the decoder the class, y of the data, beside the code."),
    AB_PARAM_INT(Generator, classes, 0, 0, 1 << 20, "classes",
                 "How many there are, where it is conditional."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(Generator, decoder, AB_KIND_MODEL, AB_ROLE_DECODE, AB_REQUIRED, "{plugin: mlp}",
                 "From the code to x."),
};

static void build(AbModel *self, const AbSignature *wanted) {
  Generator *g = (Generator *)self;
  if (wanted->out.rank < 0) {
    ab_fail(self, AB_CONFIG, "a generator must be told what to give");
    return;
  }
  if (g->conditional && g->classes < 2) {
    ab_fail(self, AB_CONFIG, "conditional: set classes to the number of classes of y, 2 or more");
    return;
  }
  if (wanted->role == AB_ROLE_DECODE) g->code = ab_spec_count(&wanted->in);
  AbSpec code = {.rank = 1,
                 .dtype = ab_real_dtype(ab_context(self)),
                 .shape = {g->code + (g->conditional ? g->classes : 0)}};
  AbSignature decode = ab_signature(AB_ROLE_DECODE, &code, &wanted->out);
  ab_build(g->decoder, &decode);
}

/* One-hot [count, classes] of the classes that are given, else of drawn ones. */
static AbTensor *condition(Generator *g, int64_t count) {
  AbContext *ctx = ab_context(&g->base);
  AbTensor *y = ab_given(&g->base, "y", count);
  if (ab_is_none(y)) {
    AbTensor *equal = ab_full(ctx, ab_real_dtype(ctx), AB_SHAPE(count, g->classes), 1);
    return ab_one_hot(ab_categorical(equal), g->classes);
  }
  if (y && (ab_rank(y) != 1 || ab_dtype(y) != AB_I64)) {
    ab_fail(&g->base, AB_CONFIG, "conditional: y of the data is not one class per sample");
    return NULL;
  }
  return ab_one_hot(y, g->classes);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  Generator *g = (Generator *)self;
  AbTensor *z = ab_flatten(code);
  if (g->conditional && z) {
    AbTensor *both[] = {z, condition(g, ab_dim(z, 0))};
    z = ab_concat(both, 2, 1);
  }
  return ab_decode(g->decoder, z);
}

static AbTensor *generate(AbModel *self, int64_t count) {
  const Generator *g = (Generator *)self;
  AbContext *ctx = ab_context(self);
  AbShape shape = AB_SHAPE(count, g->code);
  return decode(self,
                g->prior == UNIFORM ? ab_uniform(ctx, shape, -1, 1) : ab_normal(ctx, shape, 0, 1));
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .decode = decode,
    .generate = generate,
};

static const AbComponent generator = {
    .struct_size = sizeof generator,
    .kind = AB_KIND_MODEL,
    .name = "generator",
    .doc = "Any decoder, fed with codes drawn from a prior.",
    .citation = "Goodfellow et al.: Generative adversarial nets. NIPS 2014.",
    .instance_size = sizeof(Generator),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.generator", "0.1.0", "Apache-2.0", &generator)
