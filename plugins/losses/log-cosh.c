/* SPDX-License-Identifier: Apache-2.0
 *
 * The mean over the batch of  mean_i log cosh(y_i - t_i),  or of the sum over i. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
} LogCosh;

static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(LogCosh, reduction, "mean", reductions, "Over the elements of one sample."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const LogCosh *o = (const LogCosh *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_log_cosh(output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent log_cosh = {
    .struct_size = sizeof log_cosh,
    .kind = AB_KIND_LOSS,
    .name = "log-cosh",
    .doc = "Squared error near 0 and absolute error beyond, smoothly.",
    .citation = "",
    .instance_size = sizeof(LogCosh),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.log-cosh", "0.1.0", "Apache-2.0", &log_cosh)
