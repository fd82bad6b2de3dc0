/* SPDX-License-Identifier: Apache-2.0
 *
 * Cross-entropy of classes: the mean over the batch of  -log softmax(y)_label,  or of
 * -sum_c t_c log softmax(y)_c  where the target gives a probability for each class. Where a sample
 * has a class at each of several places (the next character at each step: output [n, t, classes],
 * target [n, t]), it is the mean over these too: nats per symbol.
 *
 * With label smoothing (Szegedy et al. 2016) and weights of the classes (the mean is then over the
 * weights of the batch's labels), as in PyTorch. Smoothing and weights are of labels only: with
 * probabilities for a target they are an error.                                                  */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbLoss base;
  double smoothing;
  AbReals weights;
} CrossEntropy;

static const AbParam params[] = {
    AB_PARAM_REAL(CrossEntropy, smoothing, 0, 0, 1, "",
                  "Share of the target that is spread over all classes."),
    AB_PARAM_REALS(CrossEntropy, weights, "[]", 0, 1e30, "", "Of the classes; []: all alike."),
};

static bool soft(const AbSpec *output, const AbSpec *target) {
  return (target->range == AB_RANGE_UNIT || target->range == AB_RANGE_BINARY) &&
         target->rank == 1 && output->rank == 1 && output->shape[0] == target->shape[0];
}

/* Whether nothing is asked for that a target of probabilities would not get; else an error. */
static bool plain(CrossEntropy *o) {
  if (o->smoothing == 0 && o->weights.count == 0) return true;
  ab_fail(&o->base, AB_CONFIG,
          "smoothing and weights are for targets that are classes; here the target gives a "
          "probability for each class");
  return false;
}

/* Whether the output has a number for each class at each place of the target. */
static bool one_each(const AbSpec *output, const AbSpec *target) {
  return output->rank == target->rank + 1 && output->shape[target->rank] == target->classes &&
         memcmp(output->shape, target->shape, (size_t)target->rank * sizeof *target->shape) == 0;
}

static void misfit(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  AbShape given = {.rank = output->rank}, places = {.rank = target->rank};
  char a[200], b[200];
  memcpy(given.dims, output->shape, sizeof given.dims);
  memcpy(places.dims, target->shape, sizeof places.dims);
  if (target->rank == 0)
    ab_fail(self, AB_CONFIG, "the data has %lld classes and the model gives %lld numbers",
            (long long)target->classes, (long long)ab_spec_count(output));
  else
    ab_fail(
        self, AB_CONFIG,
        "the target is one of %lld classes at each place of %s, and the model gives %s; it must "
        "give a number for each class at each place",
        (long long)target->classes, ab_shape_text(places, b, sizeof b),
        ab_shape_text(given, a, sizeof a));
}

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  CrossEntropy *o = (CrossEntropy *)self;
  if (soft(output, target)) {
    plain(o);
    return;
  }
  if (target->range != AB_RANGE_CLASS)
    ab_fail(
        self, AB_CONFIG,
        "the target is not one class per sample or place, nor a probability of each; losses for "
        "numbers are mse and binary-cross-entropy");
  else if (!one_each(output, target))
    misfit(self, output, target);
  else if (o->weights.count && o->weights.count != target->classes)
    ab_fail(self, AB_CONFIG, "there are %lld weights for %lld classes", (long long)o->weights.count,
            (long long)target->classes);
}

/* sum_rows l / sum_rows weight of the label */
static AbTensor *weighted(const CrossEntropy *o, AbTensor *output, AbTensor *target) {
  AbContext *ctx = ab_context_of(output);
  AbTensor *given = ab_from(ctx, AB_F64, AB_SHAPE(o->weights.count), o->weights.items);
  AbTensor *weights = ab_cast(given, ab_dtype(output));
  AbTensor *sum = ab_sum(ab_cross_entropy_weighted(output, target, weights, o->smoothing));
  AbTensor *hot = ab_cast(ab_one_hot(target, o->weights.count), ab_dtype(output));
  return ab_div(sum, ab_sum(ab_mul(hot, weights)));
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  CrossEntropy *o = (CrossEntropy *)self;
  if (ab_dtype(target) == ab_dtype(output))
    return plain(o) ? ab_mean(ab_cross_entropy_soft(output, target)) : NULL;
  if (ab_rank(target) > 1) { /* the places of a sample are rows as samples are */
    output = ab_reshape(output, AB_SHAPE(ab_count(target), ab_dim(output, -1)));
    target = ab_reshape(target, AB_SHAPE(ab_count(target)));
  }
  if (o->weights.count) return weighted(o, output, target);
  return ab_mean(ab_cross_entropy_weighted(output, target, AB_NONE, o->smoothing));
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent cross_entropy = {
    .struct_size = sizeof cross_entropy,
    .kind = AB_KIND_LOSS,
    .name = "cross-entropy",
    .doc = "Cross-entropy of a class.",
    .citation = "Szegedy et al.: Rethinking the inception architecture. CVPR 2016 (smoothing).",
    .instance_size = sizeof(CrossEntropy),
    AB_PARAMS(params),
    .default_for = AB_ROLE_BIT(AB_ROLE_CLASSIFY),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.cross-entropy", "0.1.0", "Apache-2.0", &cross_entropy)
