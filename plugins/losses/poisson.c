/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts t whose rate is exp(y): the mean over the batch of the mean (or sum) over i of
 *   exp(y_i) - t_i y_i,   which is -log of Poisson's probability but for log t_i! */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
} Poisson;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Poisson, reduction, "mean", reductions, "Over the elements of one sample."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class, not a count; see cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Poisson *o = (const Poisson *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_poisson_nll(output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent poisson = {
    .struct_size = sizeof poisson,
    .kind = AB_KIND_LOSS,
    .name = "poisson",
    .doc = "Likelihood of counts, given the logarithm of their rate.",
    .citation = "",
    .instance_size = sizeof(Poisson),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.poisson", "0.1.0", "Apache-2.0", &poisson)
