/* SPDX-License-Identifier: Apache-2.0
 *
 * Mean log-likelihood of the samples, in nats, of a model that has a free energy F as its score and
 * estimates its partition function (restricted and deep Boltzmann machines):
 *
 *   log p(x) = -F(x) - log Z
 *
 * log Z is estimated once per evaluation, by annealed importance sampling (Salakhutdinov & Murray
 * 2008): the mean of exp(estimate) is Z, so log Z is too low, and the likelihood too high, by about
 * half the variance of a chain's weight over the chains. Where the score is a bound of the free
 * energy, from above, this is a bound of the likelihood, from below.
 *
 * It costs chains x temperatures Gibbs steps: with 500 hidden units, 784 visible ones and the
 * defaults as much as four million rows through the weights, forward and back. The host evaluates
 * the test split at the end of a run, and the validation split after every epoch: without one
 * (`validation`) there is one estimate in the run; with one, 1000 temperatures are a tenth of it.
 *
 * The samples are the targets of the evaluation: the problem is to be reconstruct (or score).    */
#include <absdk/absdk.h>
#include <stddef.h>

typedef struct {
  AbMetric base;
  int64_t chains, temperatures;
  AbModel *model;
  bool known; /* log_z, of this evaluation */
  double log_z, sum;
  int64_t count;
} LogLikelihood;

static const AbParam params[] = {
    AB_PARAM_INT(LogLikelihood, chains, 100, 1, 1 << 20, "chains", "Of the estimate of log Z."),
    AB_PARAM_INT(LogLikelihood, temperatures, 10000, 1, 1 << 30, "temperatures",
                 "Of each chain, from independent units to the model."),
};

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG,
            "the target is a class, and the likelihood that of x; use it with problem: "
            "reconstruct");
}

static void reset(AbMetric *self) {
  LogLikelihood *l = (LogLikelihood *)self;
  l->known = false;
  l->sum = 0;
  l->count = 0;
}

static bool has_likelihood(const AbModel *model) {
  const AbModelVtable *t = model->component->vtable;
  size_t end = offsetof(AbModelVtable, log_partition) + sizeof t->log_partition;
  return t->struct_size >= end && t->log_partition && t->score;
}

static void begin(AbMetric *self, AbModel *model) {
  ((LogLikelihood *)self)->model = model;
  if (!model || !has_likelihood(model))
    ab_fail(self, AB_CONFIG,
            "model %s has no likelihood: it needs a free energy and an estimate of its partition "
            "function, as rbm, dbn and dbm have",
            model ? model->component->name : "(none)");
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  LogLikelihood *l = (LogLikelihood *)self;
  (void)output;
  if (!l->known) l->log_z = ab_item(ab_log_partition(l->model, l->chains, l->temperatures));
  l->known = true;
  AbTensor *energy = ab_cast(ab_call(l->model, AB_ROLE_SCORE, target), AB_F64);
  l->sum -= ab_item(ab_sum(energy));
  l->count += target ? ab_dim(target, 0) : 0;
}

static double value(AbMetric *self) {
  const LogLikelihood *l = (LogLikelihood *)self;
  return l->sum / (double)l->count - l->log_z;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .check = check,
    .reset = reset,
    .update = update,
    .value = value,
    .begin = begin,
};

static const AbComponent log_likelihood = {
    .struct_size = sizeof log_likelihood,
    .kind = AB_KIND_METRIC,
    .name = "log-likelihood",
    .doc = "Mean log-likelihood of the samples in nats, by annealed importance sampling.",
    .citation = "Salakhutdinov, Murray: On the quantitative analysis of deep belief networks. ICML "
                "2008.",
    .instance_size = sizeof(LogLikelihood),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.log-likelihood", "0.1.0", "Apache-2.0", &log_likelihood)
