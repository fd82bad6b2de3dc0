/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run can be looked at by: RUN/results.h5, made at its end from the model as it is then and
 * from metrics.jsonl, with NeXus attributes and dimension scales. One group below /entry for each
 * figure that makes sense for the problem, the model and the data; docs/run-folder.md lists them.
 *
 * A figure that does not apply is absent. One that fails (a role that needs what is not there) is
 * left out too, and figures_notes says why: it ends no run. All of it works in evaluation mode and
 * leaves weights, buffers and the random streams of training alone.                             */
#ifndef HOST_FIGURES_H
#define HOST_FIGURES_H

#include "../assembly/assembly.h"
#include "../images/images.h"

typedef struct Figures Figures;

/* For a run whose folder is `folder`; `assembly` is loaded and outlives it. Samples over time are
 * kept below folder/samples/, so that a resume goes on with them.                                */
Figures *figures_new(Assembly *assembly, const char *folder);
void figures_free(Figures *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figures, figures_free)

/* After `epoch` epochs, 0 being before the first step: samples over time, where it is 0, 1, 2, 4,
 * 8, ... or the last that the manifest asks for; else nothing is done. The first call of a session
 * takes away what an earlier one, which had come further, made of this epoch and later ones. FALSE
 * and AB_IO where they cannot be written. Not in the middle of a pass of the feed.               */
gboolean figures_epoch(Figures *self, gint64 epoch, GError **error);
/* The same whatever the epoch: of the last of a run that ends before its time. Nothing is done
 * where the call before made samples of this epoch. */
gboolean figures_last(Figures *self, gint64 epoch, GError **error);
/* Samples of the figures_epoch before this call; FALSE if it made none, or they are no images. To
 * be cleared after TRUE (images_clear).                                                          */
gboolean figures_images(const Figures *self, Images *images);

/* Writes folder/results.h5, whole or not at all. FALSE and AB_IO, or AB_STOPPED after SIGINT or
 * SIGTERM. Not in the middle of a pass of the feed.                                              */
gboolean figures_write(Figures *self, GError **error);

/* What was left out since the last call, and why: a line for each; NULL for nothing. What failed
 * before in the same way is not said again. Free with g_free.                                    */
char *figures_notes(Figures *self);

#endif
