/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run says while it trains, on stderr: one line that is rewritten, on a terminal; elsewhere
 * a line for each epoch, and one every ten seconds within long ones. */
#ifndef HOST_RUN_PROGRESS_H
#define HOST_RUN_PROGRESS_H

#include "../line.h"
#include "evaluate.h"

typedef struct {
  gboolean quiet;
  Line line;
  gint64 shown;   /* monotonic time of the last line, microseconds */
  gint64 started; /* of this session */
  gint64 samples; /* since then */
  gint64 steps_at_start;
  char *metric; /* of the last epoch, "mse 0.0123"; NULL: none yet */
} Progress;

typedef struct {
  gint64 epoch, epochs; /* epoch from 1 */
  gint64 batch, batches;
  gint64 step; /* of the run */
  gint64 steps_left;
  double seconds_left; /* that the run may take; infinite: any */
  double loss;         /* mean of the epoch so far */
} ProgressState;

void progress_start(Progress *self, gboolean quiet, gint64 step);
void progress_step(Progress *self, const ProgressState *state, gint64 samples);
/* The line of a finished epoch, with the results of the validation split. */
void progress_epoch(Progress *self, const ProgressState *state, const GPtrArray *results);
void progress_note(Progress *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Leaves a clean line, and frees what is held. */
void progress_end(Progress *self);

#endif
