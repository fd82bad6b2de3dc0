/* SPDX-License-Identifier: Apache-2.0
 *
 * Who looks on while a run trains: the event file for TensorBoard, samples over time, and at the
 * end results.h5. Training does not depend on it: evaluation mode, no weight is moved. */
#ifndef HOST_RUN_ONLOOKER_H
#define HOST_RUN_ONLOOKER_H

#include "evaluate.h"
#include "folder.h"

typedef struct Onlooker Onlooker;

/* Of a run that stands at `state`, new or to be gone on with. All three outlive it. NULL and AB_IO.
 */
Onlooker *onlooker_new(Assembly *assembly, RunFolder *folder, const RunState *state,
                       GError **error);
void onlooker_free(Onlooker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Onlooker, onlooker_free)

/* An epoch, or a part of one, has ended with these results; before its checkpoint is saved, so that
 * a resume from there finds it. FALSE and AB_IO.                                                 */
gboolean onlooker_epoch(Onlooker *self, const GPtrArray *results, GError **error);
/* Training has ended, perhaps before its time: samples of the weights as they are now. */
gboolean onlooker_last(Onlooker *self, GError **error);
/* The run has ended: results of all splits, and results.h5 of the weights that were tested. FALSE
 * and AB_IO, or AB_STOPPED.                                                                      */
gboolean onlooker_end(Onlooker *self, const GPtrArray *results, GError **error);

#endif
