/* SPDX-License-Identifier: Apache-2.0
 *
 * The squared hinge: the mean over the batch of the mean (or sum) over i of  max(0, 1 - t_i y_i)^2,
 * t -1 or 1. A target of classes is taken as one against the rest. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  int64_t target;
} SquaredHinge;

enum { ZERO_ONE, SIGNS };
static const char *const targets[] = {"zero-one", "signs", NULL};
static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(SquaredHinge, reduction, "mean", reductions,
                    "Over the elements of one sample."),
    AB_PARAM_CHOICE(SquaredHinge, target, "zero-one", targets, "What the two values are."),
};

/* Targets of -1 and 1: of a class, 1 for it and -1 for each other one. */
static AbTensor *signs(const SquaredHinge *o, AbTensor *output, AbTensor *target) {
  bool classes = target && ab_dtype(target) != ab_dtype(output);
  if (classes) target = ab_one_hot(target, ab_dim(output, -1));
  return classes || o->target == ZERO_ONE ? ab_affine(target, 2, -1) : target;
}

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  bool bits = ((const SquaredHinge *)self)->target == ZERO_ONE;
  if (target->range == AB_RANGE_CLASS) {
    if (target->rank != 0 || output->rank != 1 || output->shape[0] != target->classes)
      ab_fail(self, AB_CONFIG, "the data has %lld classes and the model gives %lld numbers",
              (long long)target->classes, (long long)ab_spec_count(output));
  } else if (bits && target->range != AB_RANGE_BINARY) {
    ab_fail(self, AB_CONFIG, "the target must be 0 or 1, a class, or -1 or 1 (target: signs)");
  }
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  const SquaredHinge *o = (const SquaredHinge *)self;
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *value = ab_squared_hinge(output, signs(o, output, target), form);
  if (!value || form == AB_LOSS_MEAN) return value;
  return ab_affine(value, 1.0 / (double)ab_dim(output, 0), 0);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent squared_hinge = {
    .struct_size = sizeof squared_hinge,
    .kind = AB_KIND_LOSS,
    .name = "squared-hinge",
    .doc = "Squared hinge: no loss beyond a margin of 1.",
    .citation = "Cortes, Vapnik: Support-vector networks. Machine learning 20, 1995.",
    .instance_size = sizeof(SquaredHinge),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.squared-hinge", "0.1.0", "Apache-2.0", &squared_hinge)
