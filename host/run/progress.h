/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run says while it trains, on stderr: one line that is rewritten, on a terminal; elsewhere
 * a line for each epoch, and one every ten seconds within long ones. */
#ifndef HOST_RUN_PROGRESS_H
#define HOST_RUN_PROGRESS_H

#include <glib.h>

typedef struct {
  gboolean quiet, terminal;
  gint64 shown;   /* monotonic time of the last line, microseconds */
  gint64 started; /* of this session */
  gint64 samples; /* since then */
  gint64 steps_at_start;
  gboolean open; /* a rewritten line stands */
} Progress;

typedef struct {
  gint64 epoch, epochs; /* epoch from 1 */
  gint64 batch, batches;
  gint64 step; /* of the run */
  double loss; /* mean of the epoch so far */
} ProgressState;

void progress_start(Progress *self, gboolean quiet, gint64 step);
void progress_step(Progress *self, const ProgressState *state, gint64 samples);
/* The line of a finished epoch: `metrics` is "mse 0.0123  ..." */
void progress_epoch(Progress *self, const ProgressState *state, const char *metrics);
void progress_note(Progress *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
void progress_end(Progress *self);

#endif
