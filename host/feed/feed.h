/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed: from a data component to batches. Splits, transforms, shuffling, batching, prefetching
 * and the checks that no component needs to repeat (NaN, labels out of range).
 *
 * What comes out depends on nothing but the data, the seed, the epoch and the batch number: that is
 * what a resume and a fair comparison rest on.                                                  */
#ifndef HOST_FEED_H
#define HOST_FEED_H

#include "../error.h"
#include <absdk/host.h>

/* data.transform: applied in this order; statistics come from the training split alone. */
typedef struct {
  AbInts reshape;   /* new shape of one sample of x; count 0: as it is           */
  AbReals scale;    /* [low, high]: the training minimum and maximum go there    */
  bool standardise; /* per feature: minus mean, over standard deviation (0: 1)   */
  double binarise;  /* threshold: x > binarise; NaN: off                         */
  bool draw;        /* each value is the probability of a 1; else 0              */
  int64_t shift;    /* augment, training only: up to that many pixels each way   */
  bool flip;        /* augment, training only: left and right, by chance 1/2     */
} FeedTransform;

/* validation: where the data has a validation split, that is used and `fraction` must be absent. */
typedef struct {
  double fraction; /* of the training samples, held out; NaN: not given, 0.1    */
  int64_t batch;   /* samples of a training batch                               */
  bool drop_last;  /* leave out the last batch of an epoch when it is short     */
  bool shuffle;
} FeedOptions;

typedef struct Feed Feed;

/* `data` is open (ab_data_open). Checks that the options fit (AB_CONFIG): an `x` there, reshape of
 * the same count, ranges, enough samples. Reads no samples. `data` must outlive the feed.        */
Feed *feed_new(AbData *data, const FeedTransform *transform, const FeedOptions *options,
               guint64 seed, GError **error);
/* A feed without data, for a problem that has an environment: `steps` empty batches of one sample.
 */
Feed *feed_new_idle(AbContext *ctx, gint64 steps);
void feed_free(Feed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Feed, feed_free)

/* Fields as batches have them, after the transforms. */
gint feed_field_count(const Feed *self);
AbField feed_field(const Feed *self, gint index);
/* NULL if there is no such field. */
const AbSpec *feed_spec(const Feed *self, const char *name);
gint64 feed_samples(const Feed *self, AbSplit split);
gint64 feed_batches(const Feed *self, AbSplit split); /* of one epoch */

/* Loads the data and computes the statistics that the transforms need. */
gboolean feed_load(Feed *self, GError **error);

/* Starts an epoch of a split at a batch. Training is shuffled by (seed, epoch); the others are in
 * order, and not augmented. One pass at a time: a new start ends the one before.                 */
gboolean feed_start(Feed *self, AbSplit split, gint64 epoch, gint64 batch, GError **error);
/* The next batch, owned by the caller (ab_batch_free), its tensors of the context of the data; NULL
 * without error at the end. `ctx` errors are left to the caller.                                */
AbBatch *feed_next(Feed *self, GError **error);
/* SHA-256 over the batches of an epoch, of each its size and its samples' numbers (64 bits, little
 * endian), hexadecimal: what a comparison asserts. NULL where there is no memory. */
char *feed_order_hash(Feed *self, gint64 epoch);

/* The statistics, to be saved with a checkpoint and used by `apply` (name, rank 1, f64): "scale" =
 * [factor, offset], "mean" and "std" per feature. NULL where a transform is off. Borrowed. */
const double *feed_statistic(const Feed *self, const char *name, gint64 *count);
/* Uses these instead of computing them. Before feed_load. */
gboolean feed_set_statistic(Feed *self, const char *name, const double *values, gint64 count,
                            GError **error);

#endif
