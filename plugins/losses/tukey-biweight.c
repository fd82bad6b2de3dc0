/* SPDX-License-Identifier: Apache-2.0
 *
 * Tukey's biweight: the mean over the batch of the mean (or sum) over i of
 *   (1 - (1 - (d / c)^2)^3) c^2 / 6 where |d| < c, else c^2 / 6,   d = y_i - t_i
 * What is farther off than c has no gradient at all. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  double c;
} Tukey;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Tukey, reduction, "mean", reductions, "Over the elements of one sample."),
    AB_PARAM_REAL(Tukey, c, 4.685, 1e-18, 1e18, "", "Beyond it, an outlier."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Tukey *o = (const Tukey *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_tukey_biweight(output, target, o->c, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent tukey_biweight = {
    .struct_size = sizeof tukey_biweight,
    .kind = AB_KIND_LOSS,
    .name = "tukey-biweight",
    .doc = "Squared error that disregards outliers.",
    .citation = "Beaton, Tukey: The fitting of power series. Technometrics 16, 1974.",
    .instance_size = sizeof(Tukey),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.tukey-biweight", "0.1.0", "Apache-2.0", &tukey_biweight)
