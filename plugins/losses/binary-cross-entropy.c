/* SPDX-License-Identifier: Apache-2.0
 *
 * Cross-entropy of independent bits: the mean over the batch of
 *   mean_i -t_i log y_i - (1 - t_i) log(1 - y_i),   or of the sum over i (nats per sample).
 * With `logits` the output is x and y = sigmoid(x).                                              */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  bool logits;
} Bce;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Bce, reduction, "mean", reductions, "Over the elements of one sample."),
    AB_PARAM_BOOL(Bce, logits, false, "The output is before the sigmoid."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range != AB_RANGE_UNIT && target->range != AB_RANGE_BINARY)
    ab_fail(self, AB_CONFIG,
            "the target must lie between 0 and 1; see data.transform.scale or "
            "data.transform.binarise, or use mse");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Bce *o = (const Bce *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = o->logits ? ab_binary_cross_entropy_logits(output, target, form)
                              : ab_binary_cross_entropy_reduced(output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent binary_cross_entropy = {
    .struct_size = sizeof binary_cross_entropy,
    .kind = AB_KIND_LOSS,
    .name = "binary-cross-entropy",
    .doc = "Cross-entropy of values between 0 and 1.",
    .citation = "",
    .instance_size = sizeof(Bce),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.binary-cross-entropy", "0.1.0", "Apache-2.0", &binary_cross_entropy)
