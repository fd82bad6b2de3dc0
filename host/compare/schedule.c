/* SPDX-License-Identifier: Apache-2.0
 *
 * Running what is left, some at once. */
#include "compare-internal.h"

#include "../child.h"
#include "../run/signals.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define POLL (G_USEC_PER_SEC / 100)

typedef struct {
  Comparison *comparison;
  const GPtrArray *trials;
  guint next;         /* of the trials */
  gint64 until;       /* epoch; 0: the end */
  GPtrArray *running; /* Trial *, parallel to: */
  GPtrArray *spawns;  /* Spawn * */
  gboolean stopping;
  GError *error; /* the first */
} Schedule;

/* ---- one run --------------------------------------------------------------------------------- */

static void add(GPtrArray *arguments, const char *name, const char *value) {
  g_ptr_array_add(arguments, g_strdup(name));
  if (value) g_ptr_array_add(arguments, g_strdup(value));
}

static void add_number(GPtrArray *arguments, const char *name, gint64 value) {
  g_ptr_array_add(arguments, g_strdup(name));
  g_ptr_array_add(arguments, g_strdup_printf("%" G_GINT64_FORMAT, value));
}

static void add_start(GPtrArray *arguments, const Plan *plan, const Trial *trial) {
  const Candidate *candidate = trial->candidate;
  g_auto(GStrv) sets = candidate_sets(plan, candidate);
  add(arguments, "run", plan->manifest);
  if (candidate->candidate) add(arguments, "--candidate", candidate->candidate);
  for (guint i = 0; sets[i]; i++) add(arguments, "--set", sets[i]);
  add_number(arguments, "--seed", trial->seed);
  add(arguments, "--output", trial->folder);
}

/* The command that brings a trial on; NULL-terminated. */
static GPtrArray *arguments_for(const Schedule *self, const Trial *trial, NextStep step) {
  const Plan *plan = self->comparison->plan;
  GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
  add(arguments, "/proc/self/exe", NULL);
  if (step == STEP_BEGIN)
    add_start(arguments, plan, trial);
  else
    add(arguments, "resume", trial->folder);
  if (self->until > 0) add_number(arguments, "--until", self->until);
  for (guint i = 0; plan->folders[i]; i++) add(arguments, "--plugin-path", plan->folders[i]);
  add(arguments, "--quiet", "--json");
  g_ptr_array_add(arguments, NULL);
  return arguments;
}

static void set_reason(Trial *trial, TrialStatus status, char *reason) {
  g_free(trial->reason);
  trial->status = status;
  trial->reason = reason;
}

/* What the program said of its end: the first message of ours since it began, without our name. */
static char *message_in(const char *log, gint64 from) {
  static const char ours[] = "abhost: ";
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents(log, &text, &length, NULL) || from > (gint64)length) return NULL;
  g_auto(GStrv) lines = g_strsplit(text + from, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (g_str_has_prefix(lines[i], ours)) return g_utf8_make_valid(lines[i] + strlen(ours), -1);
  return NULL;
}

/* How a process ended that left no result. */
static void judge(Trial *trial, const Spawn *spawn) {
  if (WIFSIGNALED(spawn->raw)) {
    set_reason(trial, TRIAL_CRASHED,
               g_strdup_printf("%s (see %s)", child_signal_name(WTERMSIG(spawn->raw)), trial->log));
    return;
  }
  int status = WEXITSTATUS(spawn->raw);
  if (status == AB_STOPPED) {
    set_reason(trial, TRIAL_STOPPED, NULL);
    return;
  }
  char *message = message_in(trial->log, spawn->log_from);
  set_reason(trial, TRIAL_FAILED,
             message ? message : g_strdup_printf("exit status %d (see %s)", status, trial->log));
}

/* A result is of a run that has ended, whatever became of the process after it. */
static void finish(Schedule *self, Trial *trial, const Spawn *spawn) {
  state_read(trial);
  gboolean ended = trial->status == TRIAL_DONE || trial->status == TRIAL_DIVERGED ||
                   trial->status == TRIAL_FAILED;
  if (!ended) judge(trial, spawn);
  show_finished(self->comparison->show, self->comparison, trial);
}

/* ---- starting -------------------------------------------------------------------------------- */

static void keep_error(Schedule *self, GError *error) {
  if (self->error)
    g_error_free(error);
  else
    self->error = error;
}

/* A manifest that is edited meanwhile would make runs that are not of one comparison. */
static gboolean check_manifest(const Plan *plan, GError **error) {
  g_autofree char *text = NULL;
  gboolean same =
      g_file_get_contents(plan->manifest, &text, NULL, NULL) && strcmp(text, plan->text) == 0;
  return same || host_fail(error, AB_CONFIG,
                           "%s was changed while its runs were at work; put it back as it was and "
                           "repeat the command, or compare anew what it says now",
                           plan->manifest);
}

/* A failure of before is tried again; how it ends now is what counts. */
static void forget_failure(const Trial *trial) {
  g_autofree char *path = g_build_filename(trial->folder, "result.json", NULL);
  if (trial->status == TRIAL_FAILED) g_unlink(path);
}

/* Starts it, if need be. What hinders that is the trial's failure. */
static void begin(Schedule *self, Trial *trial) {
  g_autoptr(GError) error = NULL;
  NextStep step = state_next(trial, self->until);
  if (step == STEP_NOTHING) return;
  if (step == STEP_BEGIN && !folder_remove_run(trial->folder, trial->log, &error)) {
    set_reason(trial, TRIAL_FAILED, g_strdup(error->message));
    show_finished(self->comparison->show, self->comparison, trial);
    return;
  }
  forget_failure(trial);
  g_autoptr(GPtrArray) arguments = arguments_for(self, trial, step);
  Spawn *spawn = spawn_start((const char *const *)arguments->pdata, self->comparison->plan->jobs,
                             trial->log, &error);
  if (!spawn) {
    keep_error(self, g_steal_pointer(&error));
    self->stopping = TRUE;
    return;
  }
  set_reason(trial, TRIAL_WAITING, NULL);
  g_ptr_array_add(self->running, trial);
  g_ptr_array_add(self->spawns, spawn);
}

static void fill(Schedule *self) {
  while (!self->stopping && self->running->len < (guint)self->comparison->plan->jobs &&
         self->next < self->trials->len) {
    GError *error = NULL;
    if (!check_manifest(self->comparison->plan, &error)) {
      keep_error(self, error);
      self->stopping = TRUE;
      return;
    }
    begin(self, self->trials->pdata[self->next++]);
  }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void stop_all(Schedule *self) {
  for (guint i = 0; i < self->spawns->len; i++) spawn_signal(self->spawns->pdata[i], SIGTERM);
}

/* Takes in those that have ended. */
static gboolean collect(Schedule *self) {
  gboolean any = FALSE;
  for (guint i = self->running->len; i > 0; i--) {
    Spawn *spawn = self->spawns->pdata[i - 1];
    if (!spawn_ended(spawn)) continue;
    finish(self, self->running->pdata[i - 1], spawn);
    g_ptr_array_remove_index(self->running, i - 1);
    g_ptr_array_remove_index(self->spawns, i - 1);
    any = TRUE;
  }
  return any;
}

/* The disk may be full, which the runs have to bear too: they go on, and the error comes last. */
static void save(Schedule *self) {
  GError *error = NULL;
  if (!schedule_save(self->comparison, &error)) keep_error(self, error);
}

static void loop(Schedule *self) {
  gboolean told = FALSE;
  for (;;) {
    fill(self);
    if (self->running->len == 0) return;
    show_running(self->comparison->show, self->running, self->until);
    g_usleep(POLL);
    self->stopping |= signals_stop();
    if (self->stopping && !told) stop_all(self);
    told = self->stopping;
    if (collect(self)) save(self);
  }
}

static guint finished(const GPtrArray *trials, gint64 until) {
  guint count = 0;
  for (guint i = 0; i < trials->len; i++)
    count += state_next(trials->pdata[i], until) == STEP_NOTHING;
  return count;
}

/* Whether a stop has left something undone. */
static gboolean interrupted(const GPtrArray *trials, gint64 until) {
  for (guint i = 0; i < trials->len; i++) {
    const Trial *trial = trials->pdata[i];
    gboolean open = trial->status == TRIAL_WAITING || trial->status == TRIAL_STOPPED;
    if (open && state_next(trial, until) != STEP_NOTHING) return TRUE;
  }
  return FALSE;
}

gboolean schedule_run(Comparison *self, const GPtrArray *trials, gint64 until, GError **error) {
  Schedule schedule = {.comparison = self, .trials = trials, .until = until};
  schedule.running = g_ptr_array_new();
  schedule.spawns = g_ptr_array_new_with_free_func((GDestroyNotify)spawn_free);
  schedule.stopping = signals_stop();
  show_start(self->show, trials->len, finished(trials, until));
  loop(&schedule);
  g_ptr_array_unref(schedule.running);
  g_ptr_array_unref(schedule.spawns);
  if (schedule.error) {
    g_propagate_error(error, schedule.error);
    return FALSE;
  }
  return !signals_stop() || !interrupted(trials, until) ||
         host_fail(error, AB_STOPPED,
                   "stopped; what the runs had is saved, and the same command goes on with them");
}

gboolean schedule_save(Comparison *self, GError **error) {
  summary_update(self);
  g_autofree char *json = compare_json(self);
  g_autofree char *csv = csv_text(self);
  return folder_write(self->folder, "compare.json", json, error) &&
         folder_write(self->folder, "compare.csv", csv, error);
}
