/* SPDX-License-Identifier: Apache-2.0
 *
 * Cross-entropy of classes: the mean over the batch of  -log softmax(y)_label. */
#include <absdk/absdk.h>

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  if (target->range != AB_RANGE_CLASS || target->rank != 0)
    ab_fail(self, AB_CONFIG,
            "the target is not one class per sample; losses for numbers are mse and "
            "binary-cross-entropy");
  else if (output->rank != 1 || output->shape[0] != target->classes)
    ab_fail(self, AB_CONFIG, "the data has %lld classes and the model gives %lld numbers",
            (long long)target->classes, (long long)ab_spec_count(output));
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  (void)self;
  return ab_mean(ab_cross_entropy(output, target));
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent cross_entropy = {
    .struct_size = sizeof cross_entropy,
    .kind = AB_KIND_LOSS,
    .name = "cross-entropy",
    .doc = "Cross-entropy of a class.",
    .citation = "",
    .instance_size = sizeof(AbLoss),
    .default_for = AB_ROLE_BIT(AB_ROLE_CLASSIFY),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.cross-entropy", "0.1.0", "Apache-2.0", &cross_entropy)
