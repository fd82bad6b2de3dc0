/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to host/feed. What runs on the prefetch thread is a function of the feed, which does not
 * change during a pass, and of the buffers that it is given: no tensors, no context but its error.
 */
#ifndef HOST_FEED_INTERNAL_H
#define HOST_FEED_INTERNAL_H

#include "feed.h"

#define FEED_WINDOW 8 /* slabs that are shuffled together               */
#define FEED_AHEAD  2 /* batches that the prefetch thread keeps ready   */
#define FEED_CHUNK  (G_GINT64_CONSTANT(16) << 20) /* bytes of one read for the statistics      */

typedef struct {
  char *name;
  AbSpec in, out;          /* as the data declares it, and as batches have it */
  gint64 count;            /* elements of one sample */
  gboolean as_x;           /* x itself, and what goes through the same transforms */
  gsize in_size, out_size; /* bytes of one sample */
} FeedField;

/* What FeedTransform asks for, checked. */
typedef struct {
  gboolean scale, clip, standardise, binarise, draw;
  double low, high, threshold;
  gint64 shift;
  gboolean flip;
} FeedPlan;

/* The rows of the training samples in the order of one epoch. */
typedef struct {
  gint64 *rows;       /* NULL: the rows as they are stored */
  gint64 *gather;     /* scratch */
  gint64 *window_end; /* positions; inside a window rows of several slabs are mixed */
  gint64 window_count;
} FeedOrder;

typedef struct {
  gint64 row, window, place;
} FeedItem;

/* The buffers of one caller of feed_fetch. */
typedef struct {
  gint64 capacity;
  gint64 *rows;    /* of the batch, in its order                             */
  FeedItem *items; /* the same in the order of reading; NULL: read as it is  */
  gint64 *sorted;
  void **raw;     /* per field; NULL where the data writes in place         */
  void **targets; /* per field: what the data writes to                     */
} FeedWork;

typedef struct {
  gboolean active;
  AbSplit split;
  gint64 epoch, next, batches;
} FeedPass;

typedef struct Prefetch Prefetch;

struct Feed {
  AbData *data;
  AbContext *ctx;
  AbDtype real;
  guint64 seed;
  gboolean blocking;
  gint64 slab;
  FeedOptions options;
  FeedPlan plan;
  gint field_count, x; /* x: its index */
  FeedField *fields;

  gint64 samples[AB_SPLIT_COUNT];
  gboolean holds_out;
  gint64 *train, *held; /* rows of the training split, ascending, where some are held out */

  gboolean loaded;
  double *scale, *mean, *std; /* NULL: not known, or not needed */

  FeedOrder order;
  FeedPass pass;
  FeedWork work;
  void **outputs;     /* of the tensors of a batch, per field */
  AbTensor **tensors; /* of a batch, per field */
  Prefetch *prefetch; /* of data that blocks, else NULL */
};

/* ---- errors ---------------------------------------------------------------------------------- */

/* FALSE, with the code and message of the context's error, if it has one. Any thread. */
gboolean feed_context_ok(const Feed *self, GError **error);
/* count * size bytes, NULL and AB_CONFIG where there is no memory; free with g_free. */
void *feed_buffer(gint64 count, gsize size, const char *what, GError **error);

/* ---- fields.c: what comes in, what goes out -------------------------------------------------- */

gboolean fields_init(Feed *self, const FeedTransform *transform, GError **error);
void fields_clear(Feed *self);

/* ---- split.c: which samples, in which order -------------------------------------------------- */

/* Number of samples per split, and the rows that are held out. */
gboolean split_init(Feed *self, GError **error);
/* The split that the data knows the samples of `split` under. */
AbSplit split_source(const Feed *self, AbSplit split);
/* The row of a sample of a split, unshuffled. */
gint64 split_row(const Feed *self, AbSplit split, gint64 sample);
gboolean order_init(const Feed *self, FeedOrder *order, GError **error);
void order_clear(FeedOrder *order);
/* Brings the training rows into the order of that epoch. */
void order_shuffle(const Feed *self, FeedOrder *order, gint64 epoch);
gint64 order_row(const Feed *self, const FeedOrder *order, gint64 position);

/* ---- fetch.c: from the component to checked numbers ------------------------------------------ */

gboolean work_init(const Feed *self, FeedWork *work, gint64 capacity, GError **error);
void work_clear(const Feed *self, FeedWork *work);
/* Reads the rows work->rows[0..count-1] of the data's split `source` into outputs (per field, in
 * the type of the batch), checked, not transformed. Where work->items is there, it says the order
 * of reading.                                                                                   */
gboolean feed_fetch(const Feed *self, FeedWork *work, AbSplit source, gint64 count,
                    void *const *outputs, GError **error);
/* Samples of the largest batch of any pass. */
gint64 feed_batch_capacity(const Feed *self);
/* Samples of a batch of a pass. */
gint64 feed_batch_size(const Feed *self, AbSplit split, gint64 batch);
/* A whole batch: rows, feed_fetch, transforms. */
gboolean feed_produce(const Feed *self, FeedWork *work, const FeedPass *pass, gint64 batch,
                      void *const *outputs, GError **error);

/* ---- check.c --------------------------------------------------------------------------------- */

/* Values as they came, in the type of the batch; sample i is row rows[i] of `source`. */
gboolean check_values(const Feed *self, const FeedField *field, const void *values, AbSplit source,
                      const gint64 *rows, gint64 count, GError **error);
/* x after the transforms: is it still finite? */
gboolean check_transformed(const Feed *self, const void *values, AbSplit source, const gint64 *rows,
                           gint64 count, GError **error);

/* ---- transform.c, augment.c, statistics.c ---------------------------------------------------- */

/* scale, standardise, binarise: `count` samples of x, or of a field like it, in place. */
void transform_apply(const Feed *self, void *x, gint64 count);
/* shift and flip, by the random numbers of that batch. */
void augment_apply(const Feed *self, void *x, gint64 count, gint64 epoch, gint64 batch);
/* draw: a field like x, by random numbers of that batch; the same in all epochs but of training. */
void augment_draw(const Feed *self, const FeedField *field, void *x, gint64 count,
                  const FeedPass *pass, gint64 batch);
/* Computes what the transforms need and nobody has set. */
gboolean statistics_compute(Feed *self, GError **error);

/* ---- prefetch.c ------------------------------------------------------------------------------ */

Prefetch *prefetch_new(const Feed *self, GError **error);
void prefetch_free(Prefetch *prefetch);
/* Starts the thread on self->pass, which is stopped. */
gboolean prefetch_start(Prefetch *prefetch, GError **error);
/* Waits for a fetch at work, no longer. May be called when stopped. */
void prefetch_stop(Prefetch *prefetch);
/* The buffers of the next batch, per field, until prefetch_release; NULL after an error. */
void *const *prefetch_next(Prefetch *prefetch, GError **error);
void prefetch_release(Prefetch *prefetch);

#endif
