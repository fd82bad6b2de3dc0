/* SPDX-License-Identifier: Apache-2.0
 *
 * Absolute error: the mean over the batch of  mean_i |y_i - t_i|,  or of the sum over i. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
} L1;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(L1, reduction, "mean", reductions, "Over the elements of one sample."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const L1 *o = (const L1 *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_l1_loss(output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent l1 = {
    .struct_size = sizeof l1,
    .kind = AB_KIND_LOSS,
    .name = "l1",
    .doc = "Absolute error.",
    .citation = "",
    .instance_size = sizeof(L1),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.l1", "0.1.0", "Apache-2.0", &l1)
