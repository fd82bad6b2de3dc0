/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of metrics.jsonl: one JSON object each.
 *   {"event":"epoch","epoch":1,"step":450,"seconds":1.2,"batches":"<sha256>","train":{"loss":0.1},
 *    "validation":{...}}
 *   {"event":"end", ...,"test":{...}}
 * `batches` is feed_order_hash of the epoch, null in an environment. An epoch that stop.steps or
 * stop.seconds broke off has "consumed", the number of its batches that were trained on; its hash
 * is that of the whole epoch all the same, of which they are the first.
 * A number that is not finite is null.                                                          */
#ifndef HOST_RUN_RECORD_H
#define HOST_RUN_RECORD_H

#include "evaluate.h"
#include "state.h"
#include <json-glib/json-glib.h>

/* What the line of an epoch says beside how far the run is, and its results. */
typedef struct {
  gint64 epoch;        /* from 1 */
  gint64 consumed;     /* batches, of an epoch that was broken off; else 0 */
  const char *batches; /* feed_order_hash, or NULL */
} EpochRecord;

/* Free with g_free. */
char *record_epoch(const RunState *state, const EpochRecord *epoch, const GPtrArray *results);
char *record_end(const RunState *state, const GPtrArray *results);
/* The same object with more of the run, for `--json`: indented, with a final line break. */
char *record_run(const RunState *state, const GPtrArray *results, const char *folder,
                 const char *model);

/* Into the object that is open, here and in result.json: an object for each split, in it its
 * results by name.                                                                               */
void record_splits(JsonBuilder *builder, const GPtrArray *results);

#endif
