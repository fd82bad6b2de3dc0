/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop: epochs, steps, evaluation, checkpoints, early stopping, stops on request. */
#ifndef HOST_RUN_TRAIN_H
#define HOST_RUN_TRAIN_H

#include "checkpoint.h"
#include "evaluate.h"
#include "folder.h"
#include "onlooker.h"
#include "progress.h"

typedef struct {
  Assembly *assembly;
  RunFolder *folder;
  RunState *state;
  Progress progress;
  const char *manifest; /* as written: kept in every checkpoint */
  GPtrArray *results;   /* of the end: train, validation, test */
  gint64 until;         /* stop after this epoch, as a signal would; from 1 */

  Onlooker *onlooker;     /* while it trains */
  gboolean saved;         /* the last checkpoint is of this state; FALSE of a run that is new */
  gint64 counted;         /* monotonic time up to which state->seconds counts; 0: not training */
  double cpu_counted;     /* CPU time of the process, the same for state->cpu_seconds */
  gint64 multiply_adds;   /* of the model, for one sample */
  const char *stopped_by; /* "early stopping", "steps", "seconds"; NULL: all epochs, or no end */
  gboolean diverged;      /* what ended the run is a loss or a gradient that is not finite */
} Run;

/* Trains from `state` to the end; one that is new is saved first. FALSE and AB_STOPPED after a stop
 * on request, with everything saved; FALSE and another code after an error, with every earlier
 * checkpoint intact.                                                                            */
gboolean run_train(Run *self, GError **error);

#endif
