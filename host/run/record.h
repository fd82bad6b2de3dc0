/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of metrics.jsonl: one JSON object each.
 *   {"event":"epoch","epoch":1,"step":450,"seconds":1.2,"train":{"loss":0.1},"validation":{...}}
 *   {"event":"end", ...,"test":{...}}
 * A number that is not finite is null.                                                          */
#ifndef HOST_RUN_RECORD_H
#define HOST_RUN_RECORD_H

#include "evaluate.h"
#include "state.h"

/* Free with g_free. */
char *record_epoch(const RunState *state, const GPtrArray *results);
char *record_end(const RunState *state, const GPtrArray *results);
/* The same object with more of the run, for `--json`. */
char *record_run(const RunState *state, const GPtrArray *results, const char *folder,
                 const char *model);

#endif
