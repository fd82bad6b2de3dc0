/* SPDX-License-Identifier: Apache-2.0
 *
 * Applying a role of a trained model, batch by batch: what goes in and what comes out may be larger
 * than memory.                                                                                   */
#ifndef HOST_APPLY_H
#define HOST_APPLY_H

#include "output.h"
#include "source.h"
#include "texts.h"

/* Runs the role over all of `source`, or generates `count` samples where that is NULL, `batch` at a
 * time, into `output`, which is left to be committed, and `texts` (either may be NULL). AB_STOPPED
 * after SIGINT or SIGTERM. Tells on stderr how far it is, on a terminal. */
gboolean apply_run(const Trained *trained, AbRole role, Source *source, gint64 count, gint64 batch,
                   Output *output, Texts *texts, GError **error);

#endif
