/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to host/compare: what is to be compared, the runs, and what each file does with them.  */
#ifndef HOST_COMPARE_INTERNAL_H
#define HOST_COMPARE_INTERNAL_H

#include "../registry/registry.h"
#include "../run/evaluate.h"
#include "compare.h"
#include "statistics.h"
#include "sweep.h"
#include <json-glib/json-glib.h>

/* ---- plan.c: what was asked for -------------------------------------------------------------- */

typedef enum { BUDGET_NONE, BUDGET_STEPS, BUDGET_SECONDS, BUDGET_PARAMETERS } BudgetKind;
extern const char *const budget_names[]; /* by kind; NULL for none and at the end */

typedef struct {
  char *manifest; /* path as it was given */
  char *text;     /* of the manifest */
  char **sets;    /* of the command line */
  gint64 epochs;  /* -1: not given */
  BudgetKind budget;
  double limit;      /* of the budget */
  char *budget_text; /* "1000", or NULL */
  GPtrArray *axes;   /* Axis * */
  gint64 random, halving;
  GArray *seeds;  /* gint64, distinct */
  char **wanted;  /* names of candidates; NULL: all */
  char **folders; /* of plugins */
  gint64 jobs;
  gboolean quiet;
} Plan;

Plan *plan_new(const CompareRequest *request, GError **error);
void plan_free(Plan *self);
/* What makes it this comparison (not: seeds, candidates, jobs), as an object without the program
 * and the manifest's name; free with json_node_unref. */
JsonNode *plan_identity(const Plan *self);
char *plan_hash(const Plan *self); /* 8 hexadecimal digits of it; free with g_free */

/* ---- folder.c: COMPARISON -------------------------------------------------------------------- */

/* Makes the folder or opens it; locks it until *lock is closed. NULL and AB_CONFIG, which names the
 * difference, where it is of another plan. Free with g_free.                                     */
char *folder_open(const Plan *plan, const char *output, int *lock, GError **error);
/* Writes atomically; AB_IO. */
gboolean folder_write(const char *folder, const char *name, const char *text, GError **error);
/* Removes a run folder that `log` shows to be ours and that nobody writes; no link is followed. */
gboolean folder_remove_run(const char *path, const char *log, GError **error);

/* ---- candidates.c ---------------------------------------------------------------------------- */

typedef enum {
  TRIAL_WAITING,
  TRIAL_DONE,
  TRIAL_DIVERGED,
  TRIAL_FAILED,
  TRIAL_CRASHED,
  TRIAL_REFUSED,
  TRIAL_STOPPED,
} TrialStatus;
const char *trial_status_name(TrialStatus status); /* "done" */

typedef struct {
  char *name;
  gboolean higher; /* is better */
} Measure;

typedef struct {
  const char *split, *metric; /* metric is borrowed from a Measure */
  Spread spread;
  gboolean best, constant;
  double p, adjusted;
} Summary;

typedef struct {
  char *name;
  char *candidate; /* its key in the manifest; NULL: the manifest's own model */
  char **sets;     /* of its point; may be empty */
  char *label;     /* the name, fit for files */
  /* what the dry run found */
  char *refusal; /* why it cannot be run, or NULL */
  AbCode code;   /* of the refusal */
  gboolean crashed;
  char *problem, *model, *resolved; /* resolved: the manifest, with seed 0 */
  gint64 parameters, multiply_adds, batch, epochs;
  gboolean test, validation; /* splits that are there */
  GPtrArray *measures;       /* Measure * */
  GPtrArray *trials;         /* Trial *, one for each seed; borrowed */
  GPtrArray *summaries;      /* Summary * */
  gint64 rung;               /* that it is in, from 0; -1: no halving */
} Candidate;

typedef struct {
  Candidate *candidate;
  gint64 seed;
  char *name;   /* "rbm-seed1" */
  char *folder; /* COMPARISON/runs/rbm-seed1 */
  char *log;    /* COMPARISON/logs/rbm-seed1.log */
  TrialStatus status;
  char *reason;
  /* what its folder says */
  gboolean exists, resumable; /* the folder; a checkpoint in it */
  gint64 recorded;            /* the last epoch of metrics.jsonl; 0: none */
  GPtrArray *results;         /* Result * */
  GPtrArray *orders;          /* char *: hash of the batches, by epoch; "" where there is none */
  char *batches, *stopped_by;
  gint64 epochs, steps, peak; /* -1: not known */
  double seconds, cpu;        /* NaN: not known */
} Trial;

/* Candidate *: those of the manifest that are wanted, times the points of the sweep. What a user
 * should know of the choice goes to `notes` (char *).                                            */
GPtrArray *candidates_new(const Plan *plan, GPtrArray *notes, GError **error);
/* Every assignment of its runs but the seed; NULL-terminated, free with g_strfreev. */
char **candidate_sets(const Plan *plan, const Candidate *candidate);
Trial *trial_new(Candidate *candidate, gint64 seed, const char *folder);
void trial_free(gpointer trial);

/* ---- dry.c ----------------------------------------------------------------------------------- */

/* Builds the candidate without data or weights, in a child process: a plugin that crashes there
 * ends that alone. What is found, and why it is refused, is in the candidate; FALSE only where no
 * process can be made, or after a stop. */
gboolean dry_run(const Plan *plan, const Registry *registry, Candidate *candidate, GError **error);

/* ---- state.c: a run, by its folder ----------------------------------------------------------- */

/* Reads result.json and metrics.jsonl. What stood in the trial is replaced. */
void state_read(Trial *trial);
/* Whether resolved.yaml of the folder is what the candidate resolves to; TRUE where there is none.
 */
gboolean state_check(const Trial *trial, GError **error);
/* The last epoch of metrics.jsonl, looked up quickly; 0: none. */
gint64 state_epoch(const Trial *trial);
/* A metric of the validation split after an epoch, or after the last one before it; NaN where there
 * is none.                                                                                       */
double state_validation(const Trial *trial, gint64 epoch, const char *metric);

typedef enum { STEP_NOTHING, STEP_BEGIN, STEP_RESUME } NextStep;
/* What is to be done to bring it to the end of an epoch, 0: to its end. */
NextStep state_next(const Trial *trial, gint64 until);

/* ---- spawn.c: a process ---------------------------------------------------------------------- */

typedef struct {
  int pid;
  gboolean ended;
  int raw;         /* of waitpid */
  gint64 log_from; /* where in the log it began */
} Spawn;

/* Starts this program anew with arguments (NULL-terminated), in a process group of its own, its
 * output appended to `log`; it is killed when we die.                                            */
Spawn *spawn_start(const char *const *arguments, gint64 jobs, const char *log, GError **error);
gboolean spawn_ended(Spawn *self);
void spawn_signal(Spawn *self, int number);
void spawn_free(Spawn *self);

/* ---- schedule.c ------------------------------------------------------------------------------ */

struct Comparison {
  Plan *plan;
  Registry *registry;
  char *folder;
  int lock;
  GPtrArray *candidates; /* Candidate * */
  GPtrArray *trials;     /* Trial *, by seed, then by candidate */
  GPtrArray *measures;   /* Measure *: all metrics */
  GPtrArray *notes;      /* char * */
  char *problem;
  const char *split; /* that the table shows */
  GPtrArray *odd;    /* char *: what saw other batches */
  gint64 rungs;      /* of the halving; 0: none */
  struct Show *show;
};

/* Brings these trials (Trial *) to the end of an epoch, 0: to their end. As compare_run. */
gboolean schedule_run(Comparison *self, const GPtrArray *trials, gint64 until, GError **error);
/* Writes compare.json and compare.csv. */
gboolean schedule_save(Comparison *self, GError **error);

/* ---- halving.c ------------------------------------------------------------------------------- */

/* Number of rungs: as many as leave one candidate and an epoch. */
gint64 halving_rungs(gint64 candidates, gint64 epochs, gint64 factor);
/* Epochs of rung `rung`, the last of which has all. */
gint64 halving_epochs(gint64 epochs, gint64 rung, gint64 rungs, gint64 factor);
/* How many of `candidates` there are in a rung. */
gint64 halving_survivors(gint64 candidates, gint64 rung, gint64 factor);
gboolean halving_check(Comparison *self, GError **error);
gboolean halving_run(Comparison *self, GError **error);

/* ---- summary.c ------------------------------------------------------------------------------- */

/* Summaries of all candidates, and those whose runs saw other batches. */
void summary_update(Comparison *self);
const Summary *summary_find(const Candidate *candidate, const char *split, const char *metric);

/* ---- cost.c: means over the runs that know them ---------------------------------------------- */

Spread candidate_seconds(const Candidate *candidate);
Spread candidate_cpu(const Candidate *candidate);
gint64 candidate_peak(const Candidate *candidate); /* the largest, bytes; -1: not known */

/* ---- show.c: progress ------------------------------------------------------------------------ */

typedef struct Show Show;
Show *show_new(gboolean quiet);
void show_free(Show *self);
/* Of `total` runs, `finished` were already. */
void show_start(Show *self, guint total, guint finished);
/* A line that stays. */
void show_note(Show *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The line that is rewritten; on a terminal alone. `running` are Trial *. */
void show_running(Show *self, const GPtrArray *running, gint64 until);
void show_finished(Show *self, const Comparison *comparison, const Trial *trial);

/* ---- json.c, csv.c, table.c ------------------------------------------------------------------ */

char *csv_text(const Comparison *self);
/* Numbers of runs that are not a success. */
guint compare_failures(const Comparison *self);
/* Whether a run is where it should be: done, or stopped at its rung. */
gboolean trial_succeeded(const Comparison *self, const Trial *trial);

#endif
