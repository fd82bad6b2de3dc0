/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a run folder say of the run: resolved.yaml, result.json and, where that is
 * absent (the run has not ended), the last epoch in metrics.jsonl. No plugin is loaded, and a
 * damaged file is something to be said of the run, no error.                                     */
#ifndef HOST_RUNS_INFO_H
#define HOST_RUNS_INFO_H

#include "../run/evaluate.h"
#include "flat.h"

typedef enum { FACT_RUN, FACT_METRIC, FACT_MANIFEST } FactKind;

typedef struct {
  FactKind kind;
  gboolean numeric; /* is a number in JSON */
  char *key, *text;
} Fact;

typedef struct {
  char *folder;
  GPtrArray *manifest; /* FlatValue *: resolved.yaml; empty where it could not be read */
  GPtrArray *results;  /* Result *: of the end, else of the last epoch */
  char *metric;        /* key of the first metric, of the test if there is one; or NULL */
  gint64 wanted;       /* epochs that the manifest asks for; -1: not known */
  GPtrArray *damage;   /* char *: what is wrong with which file */
  GPtrArray *facts;    /* Fact *: see run_info_get */
  GHashTable *index;   /* key -> the first Fact of that key */
} RunInfo;

/* Whether a folder is that of a run: it has a resolved.yaml. */
gboolean run_info_is_run(const char *folder);
/* `name` is what lists call it. Never NULL. */
RunInfo *run_info_read(const char *folder, const char *name);
void run_info_free(RunInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunInfo, run_info_free)

/* A fact by its key, NULL if the run has none of that key. Borrowed. Where there is no result.json,
 * the status is "running" or "unfinished", where it is not to be read "damaged". Keys:
 *   name, date, status, metric, problem, model, seed, epochs, steps, seconds, and what else
 *   result.json has (parameters, peak_memory_bytes, reason, ...)
 *   test/mse, validation/loss, ...   the metrics
 *   model.hidden, optimizer.lr, ...  the manifest                                                */
const char *run_info_get(const RunInfo *self, const char *key);
/* The same as a number; FALSE if it is none. */
gboolean run_info_number(const RunInfo *self, const char *key, double *value);

/* A text as a number, by the rules of manifests. */
gboolean run_info_parse(const char *text, double *value);

#endif
