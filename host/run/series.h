/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of metrics.jsonl as columns: a number for each record, split and metric. */
#ifndef HOST_RUN_SERIES_H
#define HOST_RUN_SERIES_H

#include <json-glib/json-glib.h>

typedef struct {
  char *split, *metric;
  GArray *values; /* double, one for each record: NaN where it has no number of that */
} Series;

typedef struct {
  GPtrArray *all; /* Series *, in the order of appearance */
  GHashTable *by_name;
  guint records, most, left_out; /* left_out: numbers of series beyond `most` */
} SeriesTable;

void series_init(SeriesTable *self, guint most);
void series_clear(SeriesTable *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SeriesTable, series_clear)

/* A record, the line of an epoch: its members that are objects are splits. */
void series_add(SeriesTable *self, JsonObject *line);
/* After the last record: all series become as long as there are records. */
void series_finish(SeriesTable *self);

#endif
