/* SPDX-License-Identifier: Apache-2.0
 *
 * Perplexity of a model of symbols: how many equally probable ones would be as hard to guess.
 *
 *   exp(mean of -log softmax(y)_label)
 *
 * over all samples and, where a sample has a symbol at each of several places (output [n, t,
 * classes], target [n, t]), over these. Its logarithm is the cross-entropy in nats per symbol. */
#include <absdk/absdk.h>
#include <math.h>
#include <string.h>

typedef struct {
  AbMetric base;
  double nats;
  int64_t count;
} Perplexity;

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  bool places =
      output->rank == target->rank + 1 &&
      memcmp(output->shape, target->shape, (size_t)target->rank * sizeof *target->shape) == 0;
  if (target->range != AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is no class; a metric for numbers is mse");
  else if (!places || output->shape[target->rank] != target->classes)
    ab_fail(self, AB_CONFIG,
            "the data has %lld targets of %lld classes and the model gives %lld numbers; it must "
            "give one for each class of each",
            (long long)ab_spec_count(target), (long long)target->classes,
            (long long)ab_spec_count(output));
}

static void reset(AbMetric *self) {
  Perplexity *p = (Perplexity *)self;
  p->nats = 0;
  p->count = 0;
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Perplexity *p = (Perplexity *)self;
  int64_t count = ab_count(target);
  AbTensor *rows = ab_reshape(output, AB_SHAPE(count, ab_dim(output, -1)));
  AbTensor *labels = ab_reshape(target, AB_SHAPE(count));
  if (count == 0) return;
  p->nats += ab_item(ab_mean(ab_cross_entropy(rows, labels))) * (double)count;
  p->count += count;
}

static double value(AbMetric *self) {
  const Perplexity *p = (Perplexity *)self;
  return exp(p->nats / (double)p->count);
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable, .check = check, .reset = reset, .update = update, .value = value};

static const AbComponent perplexity = {
    .struct_size = sizeof perplexity,
    .kind = AB_KIND_METRIC,
    .name = "perplexity",
    .doc = "Perplexity of symbols: exp of the cross-entropy in nats.",
    .citation = "Jelinek et al.: Perplexity - a measure of the difficulty of speech recognition "
                "tasks. JASA 62, 1977.",
    .instance_size = sizeof(Perplexity),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.perplexity", "0.1.0", "Apache-2.0", &perplexity)
