/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores of samples, and the receiver operating characteristic of telling anomalies by them: with
 * each threshold t, of the p anomalies and the q normal samples
 *
 *   true positive rate = (anomalies with score >= t) / p
 *   false positive rate = (normal samples with score >= t) / q
 *
 * The area below it is the probability that an anomaly has a higher score than a normal sample,
 * ties counted by half. Which classes are normal, a metric of the run says (its parameter
 * `normal`); without one it is class 0 of two.                                                   */
#include "figures-internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCORES      "/entry/scores"
#define ROC         "/entry/roc"
#define MOST_POINTS 1000

/* ---- which classes are normal ---------------------------------------------------------------- */

/* The list of whole numbers that a component has under a key; NULL if it has none. */
static const AbInts *ints_of(const AbInstance *instance, const char *key) {
  const AbComponent *component = instance->component;
  for (guint i = 0; i < component->param_count; i++) {
    const char *rows = (const char *)component->params;
    const AbParam *row = (const AbParam *)(const void *)(rows + (gsize)i * component->param_stride);
    if (row->type == AB_TYPE_INTS && strcmp(row->key, key) == 0)
      return (const AbInts *)(const void *)((const char *)instance + row->offset);
  }
  return NULL;
}

/* Of each class whether it is normal; NULL where nobody says so, or all or none are. */
static gboolean *normal_classes(const Figures *self) {
  static const int64_t zero[] = {0};
  const AbSpec *y = feed_spec(self->assembly->feed, "y");
  const GPtrArray *metrics = self->assembly->metrics;
  AbInts normal = {.count = y->classes == 2, .items = zero};
  for (guint i = 0; i < metrics->len; i++) {
    const AbInts *named = ints_of(((NamedMetric *)metrics->pdata[i])->metric, "normal");
    if (!named) continue;
    normal = *named;
    break;
  }
  gboolean *marks = g_new0(gboolean, (gsize)y->classes);
  gint64 count = 0;
  for (gint64 i = 0; i < normal.count; i++)
    if (normal.items[i] < y->classes) marks[normal.items[i]] = TRUE;
  for (gint64 i = 0; i < y->classes; i++) count += marks[i];
  if (count == 0 || count == y->classes) g_clear_pointer(&marks, g_free);
  return marks;
}

/* ---- the curve ------------------------------------------------------------------------------- */

typedef struct {
  double score;
  gboolean anomaly;
} Detection;

static int compare(const void *a, const void *b) {
  double x = ((const Detection *)a)->score, y = ((const Detection *)b)->score;
  return (x < y) - (x > y);
}

GArray *roc_points(const Rows *rows, const gboolean *normal) {
  g_autofree Detection *all = g_new(Detection, (gsize)rows->count);
  GArray *points = g_array_new(FALSE, FALSE, sizeof(RocPoint));
  RocPoint point = {0, 0, INFINITY};
  for (gint64 i = 0; i < rows->count; i++)
    all[i] = (Detection){rows->values[i], !normal[rows->labels[i]]};
  qsort(all, (gsize)rows->count, sizeof *all, compare);
  g_array_append_val(points, point);
  for (gint64 i = 0; i < rows->count; i++) {
    point.anomalies += all[i].anomaly;
    point.normals += !all[i].anomaly;
    point.threshold = all[i].score;
    if (i + 1 == rows->count || all[i + 1].score != all[i].score) g_array_append_val(points, point);
  }
  return points;
}

double roc_area(const GArray *points) {
  const RocPoint *at = (const RocPoint *)(void *)points->data, *end = &at[points->len - 1];
  double area = 0;
  for (guint i = 1; i < points->len; i++)
    area += (double)(at[i].normals - at[i - 1].normals) *
            (double)(at[i].anomalies + at[i - 1].anomalies) / 2;
  return area / ((double)end->anomalies * (double)end->normals);
}

static gboolean is_corner(const RocPoint *before, const RocPoint *at, const RocPoint *after) {
  return (at->anomalies - before->anomalies) * (after->normals - at->normals) !=
         (after->anomalies - at->anomalies) * (at->normals - before->normals);
}

GArray *roc_thinned(const GArray *points) {
  const RocPoint *at = (const RocPoint *)(void *)points->data;
  g_autoptr(GArray) corners = g_array_new(FALSE, FALSE, sizeof(RocPoint));
  GArray *kept = g_array_new(FALSE, FALSE, sizeof(RocPoint));
  for (guint i = 0; i < points->len; i++) {
    const RocPoint *last =
        corners->len ? &g_array_index(corners, RocPoint, corners->len - 1) : NULL;
    if (i == 0 || i + 1 == points->len || is_corner(last, &at[i], &at[i + 1]))
      g_array_append_val(corners, at[i]);
  }
  guint every = (corners->len + MOST_POINTS - 1) / MOST_POINTS;
  for (guint i = 0; i < corners->len; i++)
    if (i % every == 0 || i + 1 == corners->len)
      g_array_append_val(kept, g_array_index(corners, RocPoint, i));
  return kept;
}

static void write_roc(Figures *self, StoreWriter *writer, const GArray *points, double area) {
  const RocPoint *at = (const RocPoint *)(void *)points->data, *end = &at[points->len - 1];
  const char *const axes[] = {"false_positive_rate", NULL};
  gint64 count = points->len;
  g_autofree double *rows = g_new(double, 3 * points->len);
  for (gint64 i = 0; i < count; i++) {
    rows[i] = (double)at[i].anomalies / (double)end->anomalies;
    rows[count + i] = (double)at[i].normals / (double)end->normals;
    rows[2 * count + i] = at[i].threshold;
  }
  group_put(writer, ROC, "true_positive_rate", AB_F64, 1, &count, rows);
  group_put(writer, ROC, "false_positive_rate", AB_F64, 1, &count, rows + count);
  group_put(writer, ROC, "threshold", AB_F64, 1, &count, rows + 2 * count);
  store_write_attr_real(writer, ROC, "area", area);
  group_data(self, writer,
             &(NexusData){.group = ROC,
                          .title = "Receiver operating characteristic",
                          .signal = "true_positive_rate",
                          .axes = axes});
  nexus_axes(writer, ROC, "threshold", axes);
}

static void roc(Figures *self, StoreWriter *writer, const Rows *rows) {
  g_autofree gboolean *normal = normal_classes(self);
  if (!normal) return;
  g_autoptr(GArray) points = roc_points(rows, normal);
  const RocPoint *end = &g_array_index(points, RocPoint, points->len - 1);
  if (end->anomalies == 0 || end->normals == 0) return;
  g_autoptr(GArray) few = roc_thinned(points);
  write_roc(self, writer, few, roc_area(points));
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* Some of all, from the whole length. */
static void write_scores(Figures *self, StoreWriter *writer, const Rows *rows) {
  const char *const axes[] = {"sample", NULL};
  gint64 count = MIN(rows->count, FIGURES_POINTS);
  g_autofree double *score = g_new(double, (gsize)count);
  g_autofree gint64 *y = g_new(gint64, (gsize)count), *sample = g_new(gint64, (gsize)count);
  for (gint64 i = 0; i < count; i++) {
    sample[i] = i * rows->count / count;
    score[i] = rows->values[sample[i]];
    y[i] = rows->labels ? rows->labels[sample[i]] : 0;
  }
  group_put(writer, SCORES, "sample", AB_I64, 1, &count, sample);
  group_put(writer, SCORES, "score", AB_F64, 1, &count, score);
  if (rows->labels) group_put(writer, SCORES, "y", AB_I64, 1, &count, y);
  group_data(self, writer,
             &(NexusData){.group = SCORES,
                          .title = "Scores of samples; higher: less like the training data",
                          .signal = "score",
                          .axes = axes});
  if (rows->labels) nexus_axes(writer, SCORES, "y", axes);
}

gboolean figure_roc(Figures *self, StoreWriter *writer, GError **error) {
  g_auto(Rows) rows = {0};
  if (!figures_can(self, AB_ROLE_SCORE) || self->assembly->role != AB_ROLE_SCORE) return TRUE;
  if (!rows_collect(self, AB_ROLE_SCORE, NULL, G_MAXINT64, &rows, error)) return FALSE;
  if (rows.count == 0 || rows.width != 1) return TRUE;
  for (gint64 i = 0; i < rows.count; i++)
    if (isnan(rows.values[i]))
      return host_fail(error, AB_DATA, "the score of sample %" G_GINT64_FORMAT " is not a number",
                       i);
  if (rows.labels) roc(self, writer, &rows);
  write_scores(self, writer, &rows);
  return TRUE;
}
