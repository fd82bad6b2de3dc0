/* SPDX-License-Identifier: Apache-2.0
 *
 * Smooth absolute error: the mean over the batch of the mean (or sum) over i of
 *   d^2 / (2 beta) where |d| <= beta, else |d| - beta / 2,   d = y_i - t_i:   Huber's over beta */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  double beta;
} SmoothL1;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(SmoothL1, reduction, "mean", reductions, "Over the elements of one sample."),
    AB_PARAM_REAL(SmoothL1, beta, 1, 1e-18, 1e18, "", "Where the square ends."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const SmoothL1 *o = (const SmoothL1 *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_smooth_l1(output, target, o->beta, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent smooth_l1 = {
    .struct_size = sizeof smooth_l1,
    .kind = AB_KIND_LOSS,
    .name = "smooth-l1",
    .doc = "Absolute error without its kink.",
    .citation = "Girshick: Fast R-CNN. ICCV 2015.",
    .instance_size = sizeof(SmoothL1),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.smooth-l1", "0.1.0", "Apache-2.0", &smooth_l1)
