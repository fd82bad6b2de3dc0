/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of a run: manifest.yaml, resolved.yaml, metrics.jsonl, result.json, log.txt,
 * checkpoints/. Plain files; metrics.jsonl is a JSON object a line, one for each finished epoch.
 *
 * One process at a time writes a run folder: it holds a lock on log.txt (flock) until it ends,
 * however it ends. A file system that knows no such locks is used without one.                  */
#ifndef HOST_RUN_FOLDER_H
#define HOST_RUN_FOLDER_H

#include "state.h"
#include <stdio.h>

typedef struct {
  char *path;          /* as messages show it */
  char *checkpoints;   /* path/checkpoints */
  FILE *metrics, *log; /* metrics: NULL until the run begins or goes on */
} RunFolder;

/* Makes the folder `output`, or below runs/ one that is named after the manifest and the time, and
 * locks it. A folder that is there and not empty is refused.                                    */
RunFolder *run_folder_new(const char *output, const char *manifest_path, const char *manifest,
                          const char *resolved, GError **error);
/* Opens and locks the folder of a run that is to go on; changes nothing in it yet. AB_IO where
 * another process has it.                                                                       */
RunFolder *run_folder_open(const char *path, GError **error);
/* From here on it goes on: removes result.json and cuts metrics.jsonl to *log_bytes, which becomes
 * 0 where it was taken away. AB_DATA where files of another run are there.                      */
gboolean run_folder_go_on(RunFolder *self, const char *manifest, gint64 *log_bytes, GError **error);
void run_folder_free(RunFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunFolder, run_folder_free)

/* Appends a line to metrics.jsonl and brings it to the disk; its length is added to `bytes`. */
gboolean run_folder_record(RunFolder *self, const char *line, gint64 *bytes, GError **error);
/* Appends a line with the time to log.txt. */
void run_folder_log(RunFolder *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* checkpoints/step-N.h5; free with g_free */
char *run_folder_checkpoint(const RunFolder *self, gint64 step);
/* Points checkpoints/NAME ("last.h5", "best.h5") to step-N.h5, atomically. */
gboolean run_folder_point(const RunFolder *self, const char *name, gint64 step, GError **error);
/* Removes all but the newest `keep` checkpoints and those that last.h5 and best.h5 point to, and
 * what an interrupted save may have left.                                                       */
void run_folder_prune(const RunFolder *self, gint64 keep);

/* The checkpoint that a user means: a file, or the last one of a run folder. NULL and AB_NO_INPUT
 * if there is neither. Free with g_free.                                                        */
char *run_folder_find_checkpoint(const char *path, GError **error);
/* The same, but of a run folder that keeps a best checkpoint that one: what a run is tested with.
 */
char *run_folder_find_tested(const char *path, GError **error);

#endif
