/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight decay (Krogh & Hertz 1991) as a penalty:  lambda / 2 sum w^2  over weights of rank 2 and
 * more; its gradient is lambda w.                                                                */
#include <absdk/absdk.h>

typedef struct {
  AbRegularizer base;
  double rate;
} WeightDecay;

static const AbParam params[] = {
    AB_PARAM_REAL(WeightDecay, rate, 1e-4, 0, 1e3, "", "lambda"),
};

static AbTensor *penalty(AbRegularizer *self, AbTensor *weight) {
  return ab_affine(ab_sum(ab_square(weight)), ((WeightDecay *)self)->rate / 2, 0);
}

static const AbRegularizerVtable vtable = {.struct_size = sizeof vtable, .penalty = penalty};

static const AbComponent weight_decay = {
    .struct_size = sizeof weight_decay,
    .kind = AB_KIND_REGULARIZER,
    .name = "weight-decay",
    .doc = "Penalty on the squares of the weights.",
    .citation = "Krogh, Hertz: A simple weight decay can improve generalization. NIPS 1991.",
    .instance_size = sizeof(WeightDecay),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.regularizer.weight-decay", "0.1.0", "Apache-2.0", &weight_decay)
