/* SPDX-License-Identifier: Apache-2.0
 *
 * The hinge and its square: the mean over the batch of the mean (or sum) over i of
 *
 *   hinge           max(0, 1 - t_i y_i)
 *   squared-hinge   max(0, 1 - t_i y_i)^2
 *
 * with t -1 or 1. A target of classes is taken as one against the rest. */
#include <absdk/absdk.h>

typedef struct {
  AbLoss base;
  int64_t reduction;
  int64_t target;
} Hinge;

enum { ZERO_ONE, SIGNS };
static const char *const targets[] = {"zero-one", "signs", NULL};
static const char *const reductions[] = {"mean", "sum", NULL};

static const AbParam params[] = {
    AB_PARAM_CHOICE(Hinge, reduction, "mean", reductions, "Over the elements of one sample."),
    AB_PARAM_CHOICE(Hinge, target, "zero-one", targets, "What the two values are."),
};

/* Targets of -1 and 1: of a class, 1 for it and -1 for each other one. */
static AbTensor *signs(const Hinge *o, AbTensor *output, AbTensor *target) {
  bool classes = target && ab_dtype(target) != ab_dtype(output);
  if (classes) target = ab_one_hot(target, ab_dim(output, -1));
  return classes || o->target == ZERO_ONE ? ab_affine(target, 2, -1) : target;
}

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  bool bits = ((const Hinge *)self)->target == ZERO_ONE;
  if (target->range == AB_RANGE_CLASS) {
    if (target->rank != 0 || output->rank != 1 || output->shape[0] != target->classes)
      ab_fail(self, AB_CONFIG, "the data has %lld classes and the model gives %lld numbers",
              (long long)target->classes, (long long)ab_spec_count(output));
  } else if (bits && target->range != AB_RANGE_BINARY) {
    ab_fail(self, AB_CONFIG, "the target must be 0 or 1, a class, or -1 or 1 (target: signs)");
  }
}

typedef AbTensor *(*Operation)(AbTensor *y, AbTensor *t, AbLossForm form);

static AbTensor *value(const Hinge *o, Operation operation, AbTensor *output, AbTensor *target) {
  AbLossForm form = o->reduction == 0 ? AB_LOSS_MEAN : AB_LOSS_SUM;
  AbTensor *sum = operation(output, signs(o, output, target), form);
  if (!sum || form == AB_LOSS_MEAN) return sum;
  return ab_affine(sum, 1.0 / (double)ab_dim(output, 0), 0);
}

static AbTensor *plain(AbLoss *self, AbTensor *output, AbTensor *target) {
  return value((const Hinge *)self, ab_hinge, output, target);
}

static AbTensor *squared(AbLoss *self, AbTensor *output, AbTensor *target) {
  return value((const Hinge *)self, ab_squared_hinge, output, target);
}

static const AbLossVtable plain_vtable = {
    .struct_size = sizeof plain_vtable, .check = check, .loss = plain};
static const AbLossVtable squared_vtable = {
    .struct_size = sizeof squared_vtable, .check = check, .loss = squared};

static const AbComponent hinge = {
    .struct_size = sizeof hinge,
    .kind = AB_KIND_LOSS,
    .name = "hinge",
    .doc = "Hinge: no loss beyond a margin of 1.",
    .citation = "Cortes, Vapnik: Support-vector networks. Machine learning 20, 1995.",
    .instance_size = sizeof(Hinge),
    AB_PARAMS(params),
    .vtable = &plain_vtable,
};

static const AbComponent squared_hinge = {
    .struct_size = sizeof squared_hinge,
    .kind = AB_KIND_LOSS,
    .name = "squared-hinge",
    .doc = "Squared hinge: no loss beyond a margin of 1.",
    .citation = "Cortes, Vapnik: Support-vector networks. Machine learning 20, 1995.",
    .instance_size = sizeof(Hinge),
    AB_PARAMS(params),
    .vtable = &squared_vtable,
};

AB_PLUGIN("abhost.loss.hinge", "0.1.0", "Apache-2.0", &hinge, &squared_hinge)
