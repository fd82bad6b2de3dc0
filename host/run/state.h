/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a run has come: with weights, buffers and optimizer states, all that a resume needs. The
 * order of samples and all random numbers follow from seed, epoch and step.                      */
#ifndef HOST_RUN_STATE_H
#define HOST_RUN_STATE_H

#include "../error.h"

/* The best value of a metric so far. */
typedef struct {
  gboolean any;
  double value;
  gint64 epoch; /* that it was reached in, counted from 1 */
  gint64 step;  /* of the checkpoint that holds it */
  gint64 stale; /* epochs since */
} Best;

typedef struct {
  char *name; /* "loss", or a named part of it */
  double sum;
  gint64 count;
} Sum;

typedef struct {
  gint64 epoch;     /* finished epochs */
  gint64 batch;     /* batches consumed of the epoch at work */
  gint64 step;      /* updates of the whole run */
  GPtrArray *sums;  /* Sum *, of the epoch at work; after its end until the next begins */
  Best best, stop;  /* of checkpoint.best and of stop.metric */
  gint64 log_bytes; /* of metrics.jsonl, up to here */
  /* over all sessions */
  double seconds, cpu_seconds; /* of training */
  gint64 peak_memory;          /* bytes, of the session that took most */
} RunState;

RunState *run_state_new(void);
void run_state_free(RunState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunState, run_state_free)
void run_state_add(RunState *self, const char *name, double value);
double run_state_mean(const Sum *sum); /* NaN of nothing */
void run_state_clear_sums(RunState *self);

#endif
