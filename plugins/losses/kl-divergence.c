/* SPDX-License-Identifier: Apache-2.0
 *
 * Kullback and Leibler's divergence of the output from the target, probabilities both: the mean
 * over the batch of the sum (or mean) over i of  t_i log(t_i / y_i).  The output may be their
 * logarithms instead, or logits (a softmax over the last axis is then taken). */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  int64_t output;
} Kl;

static const char *const reductions[] = {"sum", "mean", NULL};
enum { PROBABILITIES, LOG_PROBABILITIES, LOGITS };
static const char *const outputs[] = {"probabilities", "log-probabilities", "logits", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Kl, reduction, "sum", reductions, "Over the elements of one sample."),
    AB_PARAM_CHOICE(Kl, output, "probabilities", outputs, "What the model gives."),
};

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  if (target->range != AB_RANGE_UNIT && target->range != AB_RANGE_BINARY)
    ab_fail(self, AB_CONFIG, "the target must be probabilities, between 0 and 1");
  else if (((const Kl *)self)->output == LOGITS && output->rank < 1)
    ab_fail(self, AB_CONFIG, "logits of one number are no distribution");
}

static AbTensor *of_output(const Kl *o, AbTensor *output, AbTensor *target, AbLossForm form) {
  if (o->output == PROBABILITIES) return ab_kl_divergence(output, target, form);
  if (o->output == LOGITS) output = ab_log_softmax(output);
  return ab_kl_divergence_log(output, target, form);
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const Kl *o = (const Kl *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_SUM : AB_LOSS_MEAN;
  AbTensor *value = of_output(o, output, target, form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent kl_divergence = {
    .struct_size = sizeof kl_divergence,
    .kind = AB_KIND_LOSS,
    .name = "kl-divergence",
    .doc = "Divergence of probabilities from probabilities.",
    .citation = "Kullback, Leibler: On information and sufficiency. 1951.",
    .instance_size = sizeof(Kl),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.kl-divergence", "0.1.0", "Apache-2.0", &kl_divergence)
