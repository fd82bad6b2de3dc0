/* SPDX-License-Identifier: Apache-2.0
 *
 * F-measure of the anomalies that a threshold on the score finds (van Rijsbergen 1979):
 *
 *   F = (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)
 *
 * beta = 1 weighs precision and recall alike; below 1 false alarms count for more (EncDec-AD takes
 * 0.1). A sample is an anomaly where its class is none of `normal`. The threshold, above which a
 * sample is taken for an anomaly:
 *
 *   best      of all thresholds the one that gives the highest F on the very samples that are
 *             evaluated: what the score could give, and an optimistic figure
 *   quantile  what a part `quantile` of the scores of these samples does not exceed; looks at no
 *             label, and says which part of the samples is normal
 *   value     `value`: 0 where a classifier of two classes decides, whose score is the difference
 *             of its logits
 *
 * Not a number where a split has no anomaly.                                                     */
#include "detections.h"

typedef struct {
  AbMetric base;
  AbInts normal;
  double beta, quantile, value;
  int64_t threshold;
  Detections all;
} FBeta;

enum { BEST, QUANTILE, VALUE };
static const char *const thresholds[] = {"best", "quantile", "value", NULL};

static const AbParam params[] = {
    AB_PARAM_REAL(FBeta, beta, 1, 1e-3, 1e3, "", "How much recall weighs against precision."),
    AB_PARAM_CHOICE(FBeta, threshold, "best", thresholds, "How the threshold is found."),
    AB_PARAM_REAL(FBeta, quantile, 0.95, 0, 1, "", "For threshold quantile."),
    AB_PARAM_REAL(FBeta, value, 0, -1e300, 1e300, "", "For threshold value."),
    AB_PARAM_INTS(FBeta, normal, "[0]", 0, INT64_MAX, "", "The classes that are no anomaly."),
};

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  detections_check(self, &((FBeta *)self)->normal, output, target);
}

static void reset(AbMetric *self) {
  ((FBeta *)self)->all.count = 0;
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  FBeta *f = (FBeta *)self;
  detections_add(self, &f->all, &f->normal, output, target);
}

/* `found` of `taken` samples that were taken for anomalies are some, of `anomalies` in all. */
static double measure(const FBeta *f, int64_t found, int64_t taken, int64_t anomalies) {
  double squared = f->beta * f->beta;
  return (1 + squared) * (double)found / (squared * (double)anomalies + (double)taken);
}

static double best(const FBeta *f, int64_t anomalies) {
  const Detection *items = f->all.items;
  double highest = 0;
  int64_t found = 0, count = f->all.count;
  for (int64_t i = count - 1; i >= 0; i--) {
    found += items[i].anomaly;
    if (i > 0 && items[i - 1].score == items[i].score) continue; /* no threshold between them */
    highest = fmax(highest, measure(f, found, count - i, anomalies));
  }
  return highest;
}

static double above(const FBeta *f, double limit, int64_t anomalies) {
  int64_t found = 0, taken = 0;
  for (int64_t i = f->all.count - 1; i >= 0 && f->all.items[i].score > limit; i--, taken++)
    found += f->all.items[i].anomaly;
  return measure(f, found, taken, anomalies);
}

/* The lowest score that is not exceeded by that part of all; -infinity for none of them. */
static double quantile(const FBeta *f) {
  int64_t rank = (int64_t)ceil(f->quantile * (double)f->all.count - 1e-9);
  return rank > 0 ? f->all.items[rank - 1].score : -INFINITY;
}

static double value(AbMetric *self) {
  FBeta *f = (FBeta *)self;
  int64_t anomalies = detections_sort(&f->all);
  if (anomalies == 0) return NAN;
  if (f->threshold == BEST) return best(f, anomalies);
  return above(f, f->threshold == QUANTILE ? quantile(f) : f->value, anomalies);
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .check = check,
    .reset = reset,
    .update = update,
    .value = value,
};

static const AbComponent f_beta = {
    .struct_size = sizeof f_beta,
    .kind = AB_KIND_METRIC,
    .name = "f-beta",
    .doc = "F-measure of the anomalies that a threshold on the score finds.",
    .citation = "van Rijsbergen: Information retrieval. Butterworths, 1979.",
    .instance_size = sizeof(FBeta),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.f-beta", "0.1.0", "Apache-2.0", &f_beta)
