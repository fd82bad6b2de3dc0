/* SPDX-License-Identifier: Apache-2.0
 *
 * A comparison from its plan to its result. */
#include "compare-internal.h"

#include "../run/signals.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- before anything is run ------------------------------------------------------------------ */

/* Without this, every component of every candidate would be missing. */
static Registry *open_registry(const Plan *plan, GError **error) {
  g_autoptr(Registry) registry = registry_new((const char *const *)plan->folders, error);
  if (registry && registry_entries(registry)->len == 0) {
    host_fail(error, AB_UNAVAILABLE,
              "no plugin is installed; --plugin-path or ABHOST_PLUGIN_PATH names their folder");
    return NULL;
  }
  return g_steal_pointer(&registry);
}

static void refuse(Candidate *candidate, char *why) {
  candidate->refusal = why;
  candidate->code = AB_CONFIG;
}

/* Candidates are equivalents: they answer the problem that the manifest states, or that of the
 * first where each states its own.                                                               */
static const char *problem_of(const Comparison *self) {
  const char *first = NULL;
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    if (!first && candidate->problem) first = candidate->problem;
    if (!candidate->candidate && candidate->problem) return candidate->problem;
  }
  return first;
}

static void check_terms(Comparison *self) {
  const char *problem = problem_of(self);
  const Plan *plan = self->plan;
  self->problem = g_strdup(problem);
  for (guint i = 0; i < self->candidates->len; i++) {
    Candidate *candidate = self->candidates->pdata[i];
    if (candidate->refusal) continue;
    if (strcmp(candidate->problem, problem) != 0)
      refuse(candidate, g_strdup_printf("its problem is %s, and that of the others %s",
                                        candidate->problem, problem));
    else if (plan->budget == BUDGET_PARAMETERS && (double)candidate->parameters > plan->limit)
      refuse(candidate,
             g_strdup_printf("%" G_GINT64_FORMAT " parameters are more than the budget of %s",
                             candidate->parameters, plan->budget_text));
  }
}

static gboolean has_measure(const Comparison *self, const char *name) {
  for (guint i = 0; i < self->measures->len; i++)
    if (strcmp(((const Measure *)self->measures->pdata[i])->name, name) == 0) return TRUE;
  return FALSE;
}

/* Metrics of all, and the split that they are compared on. */
static void collect_measures(Comparison *self) {
  gboolean test = FALSE, validation = FALSE;
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    if (candidate->refusal) continue;
    test |= candidate->test;
    validation |= candidate->validation;
    for (guint j = 0; j < candidate->measures->len; j++) {
      Measure *measure = candidate->measures->pdata[j];
      if (!has_measure(self, measure->name)) g_ptr_array_add(self->measures, measure);
    }
  }
  self->split = test ? "test" : validation ? "validation" : "train";
}

/* Where none can be run there is nothing to show: the first reason, and its code. */
static gboolean check_any(const Comparison *self, GError **error) {
  guint count = self->candidates->len;
  for (guint i = 0; i < count; i++)
    if (!((const Candidate *)self->candidates->pdata[i])->refusal) return TRUE;
  const Candidate *first = self->candidates->pdata[0];
  if (count == 1) return host_fail(error, first->code, "%s: %s", first->name, first->refusal);
  return host_fail(error, first->code, "none of %u candidates can be run; the first, %s: %s", count,
                   first->name, first->refusal);
}

static gboolean try_candidates(Comparison *self, GError **error) {
  for (guint i = 0; i < self->candidates->len; i++)
    if (!dry_run(self->plan, self->registry, self->candidates->pdata[i], error)) return FALSE;
  check_terms(self);
  collect_measures(self);
  return check_any(self, error) && (!self->plan->halving || halving_check(self, error));
}

/* Seed by seed, so that what is there after a stop has pairs. */
static gboolean make_trials(Comparison *self, GError **error) {
  for (guint s = 0; s < self->plan->seeds->len; s++)
    for (guint i = 0; i < self->candidates->len; i++) {
      Candidate *candidate = self->candidates->pdata[i];
      Trial *trial =
          trial_new(candidate, g_array_index(self->plan->seeds, gint64, s), self->folder);
      g_ptr_array_add(self->trials, trial);
      if (candidate->refusal) continue;
      if (!state_check(trial, error)) return FALSE;
      state_read(trial);
    }
  return TRUE;
}

/* A terminal that is closed is a stop like others; nohup stays what it is. */
static void hang_up(int number) {
  (void)number;
  raise(SIGTERM);
}

static void install_signals(void) {
  struct sigaction before, action = {.sa_handler = hang_up, .sa_flags = SA_RESTART};
  signals_install();
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, NULL);
}

static gboolean prepare(Comparison *self, const CompareRequest *request, GError **error) {
  if (!(self->plan = plan_new(request, error)) ||
      !(self->candidates = candidates_new(self->plan, self->notes, error)) ||
      !(self->registry = open_registry(self->plan, error)))
    return FALSE;
  install_signals();
  if (!try_candidates(self, error) ||
      !(self->folder = folder_open(self->plan, request->output, &self->lock, error)))
    return FALSE;
  return make_trials(self, error);
}

Comparison *compare_new(const CompareRequest *request, GError **error) {
  Comparison *self = g_new0(Comparison, 1);
  self->lock = -1;
  self->notes = g_ptr_array_new_with_free_func(g_free);
  self->odd = g_ptr_array_new_with_free_func(g_free);
  self->measures = g_ptr_array_new();
  self->trials = g_ptr_array_new_with_free_func(trial_free);
  self->show = show_new(request->quiet);
  if (prepare(self, request, error)) return self;
  compare_free(self);
  return NULL;
}

void compare_free(Comparison *self) {
  if (!self) return;
  show_free(self->show);
  g_ptr_array_unref(self->trials);
  g_ptr_array_unref(self->measures);
  if (self->candidates) g_ptr_array_unref(self->candidates);
  g_ptr_array_unref(self->odd);
  g_ptr_array_unref(self->notes);
  if (self->registry) registry_free(self->registry);
  if (self->lock >= 0) close(self->lock);
  plan_free(self->plan);
  g_free(self->folder);
  g_free(self->problem);
  g_free(self);
}

/* ---- the runs -------------------------------------------------------------------------------- */

static gboolean run_all(Comparison *self, GError **error) {
  g_autoptr(GPtrArray) trials = g_ptr_array_new();
  for (guint i = 0; i < self->trials->len; i++) {
    const Trial *trial = self->trials->pdata[i];
    if (!trial->candidate->refusal) g_ptr_array_add(trials, self->trials->pdata[i]);
  }
  return schedule_run(self, trials, 0, error);
}

gboolean compare_run(Comparison *self, GError **error) {
  GError *cause = NULL;
  for (guint i = 0; i < self->notes->len; i++)
    show_note(self->show, "%s", (const char *)self->notes->pdata[i]);
  gboolean done = self->rungs > 0 ? halving_run(self, &cause) : run_all(self, &cause);
  gboolean saved = schedule_save(self, cause ? NULL : &cause);
  g_clear_pointer(&self->show, show_free);
  if (done && saved) return TRUE;
  g_propagate_error(error, cause);
  return FALSE;
}

gboolean compare_complete(const Comparison *self) {
  return compare_failures(self) == 0;
}

const char *compare_folder(const Comparison *self) {
  return self->folder;
}
