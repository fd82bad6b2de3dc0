/* SPDX-License-Identifier: Apache-2.0
 *
 * Return of an agent: the sum of the rewards of an episode, averaged over episodes. */
#include <absdk/absdk.h>

typedef struct {
  AbMetric base;
  double sum;
  int64_t episodes;
} Return;

static void reset(AbMetric *self) {
  Return *m = (Return *)self;
  m->sum = 0;
  m->episodes = 0;
}

/* output: returns [n] */
static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Return *m = (Return *)self;
  (void)target;
  m->sum += ab_item(ab_sum(output));
  m->episodes += ab_count(output);
}

static double value(AbMetric *self) {
  const Return *m = (const Return *)self;
  return m->sum / (double)m->episodes;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .reset = reset,
    .update = update,
    .value = value,
};

static const AbComponent mean_return = {
    .struct_size = sizeof mean_return,
    .kind = AB_KIND_METRIC,
    .name = "return",
    .doc = "Mean sum of rewards of an episode.",
    .citation = "",
    .instance_size = sizeof(Return),
    .default_for = AB_ROLE_BIT(AB_ROLE_ACT),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.return", "0.1.0", "Apache-2.0", &mean_return)
