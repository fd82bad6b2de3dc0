/* SPDX-License-Identifier: Apache-2.0
 *
 * Root mean square, sample by sample: the mean over the batch of  sqrt(mean_i (y_i - t_i)^2). */
#include <absdk/absdk.h>

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  (void)self;
  return ab_mean(ab_root_mean_square(output, target));
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent l2_norm = {
    .struct_size = sizeof l2_norm,
    .kind = AB_KIND_LOSS,
    .name = "l2-norm",
    .doc = "Length of the error of each sample.",
    .citation = "",
    .instance_size = sizeof(AbLoss),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.l2-norm", "0.1.0", "Apache-2.0", &l2_norm)
