/* SPDX-License-Identifier: Apache-2.0
 *
 * Negative log-likelihood of a class: the mean over the batch of  -y_label,  y being
 * log-probabilities. Of logits, cross-entropy is the same in one. */
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
  return ab_mean(ab_nll(output, target));
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent nll = {
    .struct_size = sizeof nll,
    .kind = AB_KIND_LOSS,
    .name = "nll",
    .doc = "Negative log-likelihood of a class, of log-probabilities.",
    .citation = "",
    .instance_size = sizeof(AbLoss),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.nll", "0.1.0", "Apache-2.0", &nll)
