/* SPDX-License-Identifier: Apache-2.0
 *
 * Additive Gaussian noise:  x~ = x + N(mean, std^2). */
#include <absdk/absdk.h>

typedef struct {
  AbNoise base;
  double mean, std;
} Gaussian;

static const AbParam params[] = {
    AB_PARAM_REAL(Gaussian, mean, 0, -1e6, 1e6, "", "Mean."),
    AB_PARAM_REAL(Gaussian, std, 0.1, 0, 1e6, "", "Standard deviation."),
};

static AbTensor *corrupt(AbNoise *self, AbTensor *x) {
  const Gaussian *g = (Gaussian *)self;
  return ab_add(x, ab_normal(ab_context(self), ab_shape(x), g->mean, g->std));
}

static const AbNoiseVtable vtable = {.struct_size = sizeof vtable, .corrupt = corrupt};

static const AbComponent gaussian = {
    .struct_size = sizeof gaussian,
    .kind = AB_KIND_NOISE,
    .name = "gaussian",
    .doc = "Additive Gaussian noise.",
    .citation = "Vincent et al.: Stacked denoising autoencoders. JMLR 11, 2010, section 3.3.",
    .instance_size = sizeof(Gaussian),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.noise.gaussian", "0.1.0", "Apache-2.0", &gaussian)
