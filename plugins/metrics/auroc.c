/* SPDX-License-Identifier: Apache-2.0
 *
 * Area under the curve of the receiver operating characteristic: the probability that an anomaly
 * has a higher score than a normal sample, ties counted by half (Hanley & McNeil 1982). With the
 * ranks r of all scores, equal ones sharing their mean rank, it is Mann and Whitney's statistic:
 *
 *   (sum of r over the p anomalies - p (p + 1) / 2) / (p q)          q normal samples
 *
 * A sample is an anomaly where its class is none of `normal`. Not a number where a split has only
 * one of the two. Of a classifier of two classes the score is the difference of its logits.     */
#include "detections.h"

typedef struct {
  AbMetric base;
  AbInts normal;
  Detections all;
} Auroc;

static const AbParam params[] = {
    AB_PARAM_INTS(Auroc, normal, "[0]", 0, INT64_MAX, "", "The classes that are no anomaly."),
};

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  detections_check(self, &((Auroc *)self)->normal, output, target);
}

static void reset(AbMetric *self) {
  ((Auroc *)self)->all.count = 0;
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Auroc *a = (Auroc *)self;
  detections_add(self, &a->all, &a->normal, output, target);
}

/* The sum of the anomalies' ranks, from 1. */
static double rank_sum(const Detections *all) {
  double sum = 0;
  for (int64_t i = 0, end; i < all->count; i = end) {
    int64_t anomalies = 0;
    for (end = i; end < all->count && all->items[end].score == all->items[i].score; end++)
      anomalies += all->items[end].anomaly;
    sum += (double)anomalies * (double)(i + 1 + end) / 2; /* ranks i + 1 to end */
  }
  return sum;
}

static double value(AbMetric *self) {
  Detections *all = &((Auroc *)self)->all;
  double p = (double)detections_sort(all), q = (double)all->count - p;
  return p > 0 && q > 0 ? (rank_sum(all) - p * (p + 1) / 2) / (p * q) : NAN;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .check = check,
    .reset = reset,
    .update = update,
    .value = value,
};

static const AbComponent auroc = {
    .struct_size = sizeof auroc,
    .kind = AB_KIND_METRIC,
    .name = "auroc",
    .doc = "Area under the ROC curve of a score against what is normal.",
    .citation = "Hanley, McNeil: The meaning and use of the area under a receiver operating "
                "characteristic (ROC) curve. Radiology 143, 1982.",
    .instance_size = sizeof(Auroc),
    AB_PARAMS(params),
    .default_for = AB_ROLE_BIT(AB_ROLE_SCORE),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.auroc", "0.1.0", "Apache-2.0", &auroc)
