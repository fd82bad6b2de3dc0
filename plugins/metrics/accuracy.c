/* SPDX-License-Identifier: Apache-2.0
 *
 * Accuracy: the part of the samples whose most probable class is their label. Where a sample has a
 * label at each of several places (output [n, t, classes], target [n, t]), the part of these.    */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbMetric base;
  int64_t right, count;
} Accuracy;

/* Whether the output has a number for each class at each place of the target. */
static bool one_each(const AbSpec *output, const AbSpec *target) {
  return output->rank == target->rank + 1 && output->shape[target->rank] == target->classes &&
         memcmp(output->shape, target->shape, (size_t)target->rank * sizeof *target->shape) == 0;
}

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  if (target->range != AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG,
            "the target is not one class per sample or place; a metric for numbers is mse");
  else if (!one_each(output, target))
    ab_fail(self, AB_CONFIG, "the data has %lld classes%s and the model gives %lld numbers%s",
            (long long)target->classes, target->rank > 0 ? " at each of several places" : "",
            (long long)ab_spec_count(output),
            target->rank > 0 ? "; it must give one for each class at each place" : "");
}

static void reset(AbMetric *self) {
  Accuracy *a = (Accuracy *)self;
  a->right = a->count = 0;
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Accuracy *a = (Accuracy *)self;
  AbTensor *guess = ab_argmax(output);
  if (guess && (ab_count(guess) != ab_count(target) || ab_dtype(target) != AB_I64)) {
    ab_fail(self, AB_CONFIG, "%lld guesses cannot be compared with %lld targets of %s",
            (long long)ab_count(guess), (long long)ab_count(target),
            ab_dtype_name(ab_dtype(target)));
    return;
  }
  const int64_t *guesses = ab_map(guess, false), *labels = ab_map(target, false);
  if (!guesses || !labels) return;
  for (int64_t i = 0; i < ab_count(target); i++) a->right += guesses[i] == labels[i];
  a->count += ab_count(target);
  ab_unmap(guess);
  ab_unmap(target);
}

static double value(AbMetric *self) {
  const Accuracy *a = (Accuracy *)self;
  return (double)a->right / (double)a->count;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .check = check,
    .reset = reset,
    .update = update,
    .value = value,
};

static const AbComponent accuracy = {
    .struct_size = sizeof accuracy,
    .kind = AB_KIND_METRIC,
    .name = "accuracy",
    .doc = "Part of the samples that are classified rightly.",
    .citation = "",
    .instance_size = sizeof(Accuracy),
    .default_for = AB_ROLE_BIT(AB_ROLE_CLASSIFY),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.accuracy", "0.1.0", "Apache-2.0", &accuracy)
