/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean squared error over all elements of all samples. */
#include <absdk/absdk.h>

typedef struct {
  AbMetric base;
  double sum;
  int64_t count;
} Mse;

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a metric for classes is accuracy");
}

static void reset(AbMetric *self) {
  Mse *m = (Mse *)self;
  m->sum = 0;
  m->count = 0;
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Mse *m = (Mse *)self;
  m->sum += ab_item(ab_sum(ab_square(ab_sub(output, target))));
  m->count += ab_count(target);
}

static double value(AbMetric *self) {
  const Mse *m = (Mse *)self;
  return m->sum / (double)m->count;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable, .check = check, .reset = reset, .update = update, .value = value};

static const AbComponent mse = {
    .struct_size = sizeof mse,
    .kind = AB_KIND_METRIC,
    .name = "mse",
    .doc = "Mean squared error.",
    .citation = "",
    .instance_size = sizeof(Mse),
    .default_for = AB_ROLE_BIT(AB_ROLE_RECONSTRUCT) | AB_ROLE_BIT(AB_ROLE_PREDICT),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.mse", "0.1.0", "Apache-2.0", &mse)
