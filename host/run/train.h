/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop: epochs, steps, evaluation, checkpoints, early stopping, stops on request. */
#ifndef HOST_RUN_TRAIN_H
#define HOST_RUN_TRAIN_H

#include "checkpoint.h"
#include "evaluate.h"
#include "folder.h"
#include "progress.h"

typedef struct {
  Assembly *assembly;
  RunFolder *folder;
  RunState *state;
  Progress progress;
  const char *manifest; /* as written: kept in every checkpoint */
  GPtrArray *results;   /* of the end: train, validation, test */
  gint64 counted;       /* monotonic time up to which state->seconds counts; 0: not training yet */
} Run;

/* Trains from `state` to the end. FALSE and AB_STOPPED after a stop on request, with everything
 * saved; FALSE and another code after an error, with every earlier checkpoint intact.            */
gboolean run_train(Run *self, GError **error);
/* Saves now, as step-N.h5 and last.h5. */
gboolean run_save(Run *self, GError **error);

#endif
