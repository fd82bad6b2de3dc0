/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning curves from metrics.jsonl. */
#ifndef HOST_REPORT_CURVES_H
#define HOST_REPORT_CURVES_H

#include "embed.h"

typedef struct Curves Curves;

/* NULL where there is no metrics.jsonl. What is damaged is noted (char *), and left out. A last
 * line without its end is being written, and no damage. */
Curves *curves_read(const char *folder, GPtrArray *notes);
void curves_free(Curves *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Curves, curves_free)

/* The line of the end; NULL if the run has none. Borrowed. */
JsonNode *curves_end(const Curves *self);
/* The last line, whatever it is; NULL if there is none. Borrowed. */
JsonNode *curves_last(const Curves *self);

/* {"count":N,"epoch":[...],"step":[...],"seconds":[...],
 *  "series":[{"split":"train","metric":"loss","value":[...]}]}
 * of at most `points` numbers each; where there are more, "buckets" says into how many they were
 * thinned (curves_thin). */
void curves_put(const Curves *self, gint64 points, GString *out);

/* Each of `buckets` runs of `values` becomes its least and its largest, in the order in which they
 * came; NAN for both where it has none. Before them the first value, after them the last: `out`
 * holds 2 * buckets + 2 numbers. */
void curves_thin(const double *values, gint64 count, gint64 buckets, double *out);

#endif
