/* SPDX-License-Identifier: Apache-2.0
 *
 * Salt and pepper: each element becomes `low` or `high`, with probability fraction / 2 each. */
#include <absdk/absdk.h>

typedef struct {
  AbNoise base;
  double fraction, low, high;
} SaltAndPepper;

static const AbParam params[] = {
    AB_PARAM_REAL(SaltAndPepper, fraction, 0.3, 0, 1, "",
                  "Probability of an element to be replaced."),
    AB_PARAM_REAL(SaltAndPepper, low, 0, -1e6, 1e6, "", "Pepper."),
    AB_PARAM_REAL(SaltAndPepper, high, 1, -1e6, 1e6, "", "Salt."),
};

static AbTensor *corrupt(AbNoise *self, AbTensor *x) {
  const SaltAndPepper *s = (SaltAndPepper *)self;
  AbContext *ctx = ab_context(self);
  AbTensor *u = ab_uniform(ctx, ab_shape(x), 0, 1);
  /* u below f / 2: pepper; from 1 - f / 2 on: salt, the edge included, or x would come through */
  AbTensor *pepper = ab_greater(ab_full(ctx, ab_dtype(x), ab_scalar_shape(), s->fraction / 2), u);
  AbTensor *below =
      ab_greater(ab_full(ctx, ab_dtype(x), ab_scalar_shape(), 1 - s->fraction / 2), u);
  AbTensor *salt = ab_affine(below, -1, 1), *keep = ab_sub(below, pepper);
  AbTensor *grains = ab_add(ab_affine(pepper, s->low, 0), ab_affine(salt, s->high, 0));
  return ab_add(ab_mul(x, keep), grains);
}

static const AbNoiseVtable vtable = {.struct_size = sizeof vtable, .corrupt = corrupt};

static const AbComponent salt_and_pepper = {
    .struct_size = sizeof salt_and_pepper,
    .kind = AB_KIND_NOISE,
    .name = "salt-and-pepper",
    .doc = "Sets elements to their extremes by chance.",
    .citation = "Vincent et al.: Stacked denoising autoencoders. JMLR 11, 2010, section 3.3.",
    .instance_size = sizeof(SaltAndPepper),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.noise.salt-and-pepper", "0.1.0", "Apache-2.0", &salt_and_pepper)
