/* SPDX-License-Identifier: Apache-2.0
 *
 * RUN/result.json: how a run ended, for programs. It is written when a run has ended, by success or
 * by an error of its own, and removed when it goes on: where it is absent, the run has not ended
 * (it trains, was stopped, or was killed).
 *   {"format":1,"program":"abhost 0.1.0","status":"done","reason":null, ...}
 * docs/run-folder.md has every key.                                                             */
#ifndef HOST_RUN_RESULT_H
#define HOST_RUN_RESULT_H

#include "train.h"

/* `cause` is the error that ended the run (not AB_STOPPED: such a run can go on), NULL after
 * success. Written atomically; AB_IO.                                                           */
gboolean result_write(const Run *run, const GError *cause, GError **error);

/* SHA-256 over the hashes of the epochs in the metrics.jsonl of a run folder, as hexadecimal digits
 * one after the other; epochs that were broken off included. NULL unless it has a hash for each
 * epoch from 1 to `epochs` at least, in this order: lines may have been taken away. Free with
 * g_free.           */
char *result_batches(const char *folder, gint64 epochs);

#endif
