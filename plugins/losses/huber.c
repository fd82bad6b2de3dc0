/* SPDX-License-Identifier: Apache-2.0
 *
 * Huber's loss: the mean over the batch of the mean (or sum) over i of
 *   d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2),   d = y_i - t_i */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  double delta;
} Huber;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Huber, reduction, "mean", reductions, "Over the elements of one sample."),
    AB_PARAM_REAL(Huber, delta, 1, 1e-18, 1e18, "", "Where the square ends."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Huber *o = (const Huber *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_huber(output, target, o->delta, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent huber = {
    .struct_size = sizeof huber,
    .kind = AB_KIND_LOSS,
    .name = "huber",
    .doc = "Squared error near 0 and absolute error beyond.",
    .citation = "Huber: Robust estimation of a location parameter. 1964.",
    .instance_size = sizeof(Huber),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.huber", "0.1.0", "Apache-2.0", &huber)
