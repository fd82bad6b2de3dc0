/* SPDX-License-Identifier: Apache-2.0
 *
 * Successive halving (Jamieson & Talwalkar 2016): all candidates begin, the best of them go on.
 * With factor F and R rungs, rung r = 0 ... R - 1 trains to epochs / F^(R - 1 - r), and has one of
 * F^r of the candidates. What is trained is not trained again: a run stops, and is resumed.      */
#include "compare-internal.h"

#include <math.h>

gint64 halving_survivors(gint64 candidates, gint64 rung, gint64 factor) {
  for (; rung > 0; rung--) candidates = MAX(candidates / factor, 1);
  return candidates;
}

gint64 halving_epochs(gint64 epochs, gint64 rung, gint64 rungs, gint64 factor) {
  for (; rung + 1 < rungs; rung++) epochs = MAX(epochs / factor, 1);
  return epochs;
}

gint64 halving_rungs(gint64 candidates, gint64 epochs, gint64 factor) {
  gint64 rungs = 1;
  while (candidates >= factor && epochs >= factor) {
    candidates /= factor;
    epochs /= factor;
    rungs++;
  }
  return rungs;
}

/* ---- what it needs --------------------------------------------------------------------------- */

static gboolean check_candidate(const Comparison *self, const Candidate *candidate, gint64 epochs,
                                GError **error) {
  if (candidate->epochs != epochs)
    return host_fail(error, AB_CONFIG,
                     "--halving: %s trains %" G_GINT64_FORMAT " epochs, others %" G_GINT64_FORMAT
                     "; --epochs gives all the same",
                     candidate->name, candidate->epochs, epochs);
  if (!candidate->validation)
    return host_fail(error, AB_CONFIG,
                     "--halving chooses by the validation split, and %s has none; see "
                     "validation.fraction",
                     self->plan->manifest);
  return self->measures->len > 0 ||
         host_fail(error, AB_CONFIG, "--halving chooses by the first metric, and %s has none",
                   self->plan->manifest);
}

gboolean halving_check(Comparison *self, GError **error) {
  gint64 epochs = -1, count = 0;
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    if (candidate->refusal) continue;
    if (epochs < 0) epochs = candidate->epochs;
    if (!check_candidate(self, candidate, epochs, error)) return FALSE;
    count++;
  }
  self->rungs = halving_rungs(count, epochs, self->plan->halving);
  return TRUE;
}

/* ---- rungs ----------------------------------------------------------------------------------- */

typedef struct {
  Candidate *candidate;
  double value; /* mean over the seeds; NaN where one failed */
  guint place;  /* in the order of the candidates */
  gboolean higher;
} Ranked;

static double value_of(const Candidate *candidate, gint64 epoch, const char *metric) {
  double sum = 0;
  for (guint i = 0; i < candidate->trials->len; i++) {
    const Trial *trial = candidate->trials->pdata[i];
    gboolean there = trial->status == TRIAL_DONE || trial->status == TRIAL_STOPPED;
    sum += there ? state_validation(trial, epoch, metric) : NAN;
  }
  return sum / (double)candidate->trials->len;
}

/* What has no value comes last; of equal ones the first comes first. */
static gint compare_ranked(gconstpointer a, gconstpointer b) {
  const Ranked *left = a, *right = b;
  if (isfinite(left->value) != isfinite(right->value)) return isfinite(left->value) ? -1 : 1;
  if (isfinite(left->value) && left->value != right->value)
    return (left->value > right->value) == left->higher ? -1 : 1;
  return left->place < right->place ? -1 : 1;
}

/* Candidate *, those that go on; one without a value never does. */
static GPtrArray *best(const Comparison *self, const GPtrArray *candidates, gint64 epoch,
                       gint64 count) {
  const Measure *measure = self->measures->pdata[0];
  GArray *ranked = g_array_new(FALSE, FALSE, sizeof(Ranked));
  for (guint i = 0; i < candidates->len; i++) {
    Ranked one = {candidates->pdata[i], value_of(candidates->pdata[i], epoch, measure->name), i,
                  measure->higher};
    g_array_append_val(ranked, one);
  }
  g_array_sort(ranked, compare_ranked);
  GPtrArray *chosen = g_ptr_array_new();
  for (guint i = 0; i < ranked->len && i < count; i++) {
    const Ranked *one = &g_array_index(ranked, Ranked, i);
    if (isfinite(one->value)) g_ptr_array_add(chosen, one->candidate);
  }
  g_array_unref(ranked);
  return chosen;
}

/* Their runs, seed by seed. */
static GPtrArray *trials_of(const Comparison *self, GPtrArray *candidates) {
  GPtrArray *trials = g_ptr_array_new();
  for (guint i = 0; i < self->trials->len; i++) {
    const Trial *trial = self->trials->pdata[i];
    if (g_ptr_array_find(candidates, trial->candidate, NULL))
      g_ptr_array_add(trials, self->trials->pdata[i]);
  }
  return trials;
}

static GPtrArray *accepted(const Comparison *self) {
  GPtrArray *candidates = g_ptr_array_new();
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    if (!candidate->refusal) g_ptr_array_add(candidates, self->candidates->pdata[i]);
  }
  return candidates;
}

gboolean halving_run(Comparison *self, GError **error) {
  g_autoptr(GPtrArray) candidates = accepted(self);
  gint64 count = candidates->len, factor = self->plan->halving;
  gint64 epochs = ((const Candidate *)candidates->pdata[0])->epochs;
  for (gint64 rung = 0; rung < self->rungs && candidates->len > 0; rung++) {
    gint64 until = halving_epochs(epochs, rung, self->rungs, factor);
    gboolean last = rung + 1 == self->rungs;
    for (guint i = 0; i < candidates->len; i++) ((Candidate *)candidates->pdata[i])->rung = rung;
    g_autoptr(GPtrArray) trials = trials_of(self, candidates);
    show_note(self->show,
              "rung %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT ": %u to epoch %" G_GINT64_FORMAT,
              rung + 1, self->rungs, candidates->len, until);
    if (!schedule_run(self, trials, last ? 0 : until, error)) return FALSE;
    if (last) break;
    GPtrArray *chosen = best(self, candidates, until, halving_survivors(count, rung + 1, factor));
    g_ptr_array_unref(candidates);
    candidates = chosen;
  }
  return TRUE;
}
