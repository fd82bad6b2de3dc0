/* SPDX-License-Identifier: Apache-2.0
 *
 * Masking noise: each element is set to 0 with probability `fraction`. */
#include <absdk/absdk.h>

typedef struct {
  AbNoise base;
  double fraction;
} Masking;

static const AbParam params[] = {
    AB_PARAM_REAL(Masking, fraction, 0.3, 0, 1, "", "Probability of an element to be masked."),
};

static AbTensor *corrupt(AbNoise *self, AbTensor *x) {
  AbTensor *keep =
      ab_full(ab_context(self), ab_dtype(x), ab_shape(x), 1 - ((Masking *)self)->fraction);
  return ab_mul(x, ab_bernoulli(keep));
}

static const AbNoiseVtable vtable = {.struct_size = sizeof vtable, .corrupt = corrupt};

static const AbComponent masking = {
    .struct_size = sizeof masking,
    .kind = AB_KIND_NOISE,
    .name = "masking",
    .doc = "Sets elements to 0 by chance.",
    .citation = "Vincent et al.: Stacked denoising autoencoders. JMLR 11, 2010, section 3.3.",
    .instance_size = sizeof(Masking),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.noise.masking", "0.1.0", "Apache-2.0", &masking)
