/* SPDX-License-Identifier: Apache-2.0
 *
 * A TensorBoard event file in a run folder: scalars, texts, images and histograms.
 *
 * Nothing is reported before events_flush: the first error is kept, and later calls do nothing.
 * What was flushed is seen by a TensorBoard that is running; nothing is brought to the disk by
 * force, as a resume writes anew what a power cut may have taken. One thread at a time.          */
#ifndef HOST_EVENTS_H
#define HOST_EVENTS_H

#include "../images/images.h"

typedef struct Events Events;

/* A new file, `folder`/events.out.tfevents.<seconds>.<host>.<process>, for a run that stands at
 * `step`. Where the folder has event files already (a resume), the name ends with
 * .resumed-<step>, sorts after those, and TensorBoard is told to drop what they have after `step`;
 * all of it if that is 0. So whatever belongs to a step is to be flushed before the checkpoint of
 * that step is saved. NULL and AB_IO.                                                            */
Events *events_open(const char *folder, gint64 step, GError **error);

/* Tags are paths, "validation/mse": TensorBoard groups by their first part. */
void events_scalar(Events *self, const char *tag, gint64 step, double value);
void events_text(Events *self, const char *tag, gint64 step, const char *markdown);
/* As one picture, a mosaic of them all; nothing where there are none. */
void events_images(Events *self, const char *tag, gint64 step, const Images *images);
/* Of all values that are finite; nothing where none is. */
void events_histogram(Events *self, const char *tag, gint64 step, const double *values,
                      gint64 count);

/* Hands everything over to the system; FALSE and the first error since events_open, each time. */
gboolean events_flush(Events *self, GError **error);
/* Closes; what was not flushed may be lost without a word. */
void events_free(Events *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Events, events_free)

#endif
