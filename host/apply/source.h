/* SPDX-License-Identifier: Apache-2.0
 *
 * What a role is applied to: a raw file, or a data component as manifests name them. Either goes
 * through a feed, with the transforms of the training and their statistics.                      */
#ifndef HOST_APPLY_SOURCE_H
#define HOST_APPLY_SOURCE_H

#include "trained.h"

typedef struct {
  const char *input;   /* a file; else a component: `digits`, `{plugin: csv, file: x.csv}` */
  const char *dataset; /* of an HDF5 file, or NULL */
  AbSplit split;       /* of a component; -1: test, or train where there is none */
  gboolean raw;        /* bytes of a file stay 0 to 255 */
  gint64 batch;        /* samples at a time, at most */
  AbRole role;
} SourceRequest;

typedef struct Source Source;

/* Reads headers alone. NULL and AB_USAGE (an option that does not go with the input), AB_NO_INPUT,
 * AB_DATA (not what the role takes), AB_CONFIG. `trained` must outlive it.                       */
Source *source_new(const Trained *trained, const SourceRequest *request, GError **error);
void source_free(Source *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

const char *source_name(const Source *self); /* "x.npy", "digits, split test" */
gint64 source_samples(const Source *self);

/* The next batch (ab_batch_free) and its x, in the shape that the role takes; x belongs to the
 * scope. NULL without error at the end.                                                          */
AbBatch *source_next(Source *self, AbTensor **x, GError **error);

/* What a user should know of the numbers that were read; NULL for nothing. Free with g_free. */
char *source_note(const Source *self);

#endif
