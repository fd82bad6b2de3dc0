/* SPDX-License-Identifier: Apache-2.0
 *
 * Squared error: the mean over the batch of  mean_i (y_i - t_i)^2,  or of the sum over i. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
} Mse;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Mse, reduction, "mean", reductions, "Over the elements of one sample."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Mse *o = (const Mse *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_squared_error(output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent mse = {
    .struct_size = sizeof mse,
    .kind = AB_KIND_LOSS,
    .name = "mse",
    .doc = "Squared error.",
    .citation = "",
    .instance_size = sizeof(Mse),
    AB_PARAMS(params),
    .default_for = AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_PREDICT),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.mse", "0.1.0", "Apache-2.0", &mse)
