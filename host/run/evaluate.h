/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation: the metrics of the model's role on a split. Works in evaluation mode and leaves every
 * training stream where it is.                                                                  */
#ifndef HOST_RUN_EVALUATE_H
#define HOST_RUN_EVALUATE_H

#include "../assembly/assembly.h"

typedef struct {
  char *split, *name;
  double value;
} Result;

/* Results in order; free with g_ptr_array_unref. */
GPtrArray *results_new(void);
void results_add(GPtrArray *results, const char *split, const char *name, double value);
const Result *results_find(const GPtrArray *results, const char *split, const char *name);

/* Numbers of random streams: episode i of a split has split * EVALUATE_EPISODES + i. */
#define EVALUATE_EPISODES 1000000

/* Adds loss (where the model has none of its own) and metrics of a split; nothing if the split is
 * empty or the role has no target. FALSE and AB_STOPPED when a stop was asked for meanwhile. */
gboolean evaluate_split(Assembly *assembly, AbSplit split, GPtrArray *results, GError **error);

/* A batch for the model: "target" is added, that of the loss or, in an evaluation, that of the
 * metrics; in training "x" is corrupted by the noise. FALSE after
 * an error, which the context has.                                                              */
gboolean prepare_batch(Assembly *assembly, AbBatch *batch, gboolean training, gint64 step);

/* The table of results, a row per name and a column per split; free with g_free. */
char *results_table(const GPtrArray *results);

#endif
