/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the feed share: a toy data component whose samples say which they are, and
 * what a pass over it gave.
 */
#ifndef FEED_TEST_H
#define FEED_TEST_H

#include "feed/feed.h"

typedef enum { FAULT_NONE, FAULT_X, FAULT_Y, FAULT_COMPONENT } Fault;

#define FEED_TEST_CACHE 8 /* slabs that the toy keeps in memory */

typedef struct Toy Toy;
struct Toy {
  AbData base;
  AbSpec x;
  gint64 lengths[AB_SPLIT_COUNT];
  gint64 slab;
  double (*value)(AbSplit split, gint64 row, gint64 feature);
  Fault fault;
  AbSplit fault_split;
  gint64 fault_row, fault_feature;
  double bad;      /* FAULT_X */
  gint64 label;    /* FAULT_Y */
  gboolean slow;   /* sleeps now and then */
  GThread *thread; /* that fetched last */
  gint64 fetched, slab_loads;
  gint64 cache[FEED_TEST_CACHE]; /* slab + 1; most recent first */
};

/* What a sample is recognised by: its field `id`. */
double feed_test_identity(AbSplit split, gint64 row);

/* A toy of samples of two features, which blocks or does not, with samples in each split; its
 * members can be changed until it is opened. */
Toy *feed_test_toy_new(AbDtype real, gboolean blocking, gint64 train, gint64 validation,
                       gint64 test);
/* The kinds of data that the feed treats differently: bit 0 blocks, bit 1 has slabs. */
Toy *feed_test_toy_kind(gint kind, gint64 train);
void feed_test_toy_free(Toy *toy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Toy, feed_test_toy_free)

FeedTransform feed_test_no_transform(void);
/* Images of 4 x 4 from 16 features, shifted and flipped. */
FeedTransform feed_test_image_transform(void);
FeedOptions feed_test_options(gint64 batch);
/* Opens the toy, which is set up by then, and its feed. */
Feed *feed_test_make(Toy *toy, const FeedTransform *transform, FeedOptions options, guint64 seed);

/* All that a pass gave. */
typedef struct {
  GArray *ids, *x; /* double */
  GArray *batches; /* gint64: samples of each */
  GError *error;
} Seen;

void feed_test_seen_clear(Seen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, feed_test_seen_clear)

/* A pass from a batch on, to its end or its error; and one that must not fail. */
Seen feed_test_pass_seen(Feed *feed, AbContext *ctx, AbSplit split, gint64 epoch, gint64 batch);
Seen feed_test_pass(Feed *feed, Toy *toy, AbSplit split, gint64 epoch, gint64 batch);
double feed_test_id(const Seen *seen, guint i);
double feed_test_x(const Seen *seen, guint i);
/* Whether `b` is what `a` has after its first `skip` numbers. */
gboolean feed_test_same(const GArray *a, guint skip, const GArray *b);
/* The identities, each of which must occur exactly once. */
GHashTable *feed_test_once_each(const Seen *seen);

#endif
