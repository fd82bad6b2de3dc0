/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of results.h5 that are about scores and returns. */
#include "plots-internal.h"

#include <math.h>
#include <string.h>

#define MAX_CURVE  1000
#define MAX_GROUPS 10
#define BINS       40
#define MAX_BARS   60 /* episodes that are shown one by one */

gboolean plot_roc(StoreFile *file, GString *out, GError **error) {
  g_auto(Array) hit = {0};
  g_auto(Array) alarm = {0};
  g_auto(Array) threshold = {0};
  double area = NAN;
  if (!array_read(&hit, file, "/entry/roc/true_positive_rate", 1, 1, error) ||
      !array_read(&alarm, file, "/entry/roc/false_positive_rate", 1, 1, error) ||
      !array_check_rows(&alarm, hit.shape[0], "/entry/roc/false_positive_rate", error) ||
      !plot_column(&threshold, file, "/entry/roc/threshold", hit.shape[0], error))
    return FALSE;
  gint64 stride = PLOT_STRIDE(hit.count, MAX_CURVE);
  store_read_attr_real(file, "/entry/roc", "area", &area, NULL);
  embed_begin(out, "roc", '{');
  embed_real(out, "area", area);
  plot_write_rows(out, "true_positive", &hit, stride);
  plot_write_rows(out, "false_positive", &alarm, stride);
  if (threshold.values) plot_write_rows(out, "threshold", &threshold, stride);
  embed_end(out, '}');
  return TRUE;
}

/* ---- histograms ------------------------------------------------------------------------------ */

static gint64 bin_of(Range range, double value) {
  double wide = range.high - range.low;
  if (!(wide > 0) || !isfinite(wide)) return 0;
  return CLAMP((gint64)((value - range.low) / wide * BINS), 0, BINS - 1);
}

/* Of the finite values whose label is `label`; of all where there are no labels. */
static void put_histogram(GString *out, const Array *values, const Array *labels, double label,
                          Range range) {
  double counts[BINS] = {0};
  for (gint64 i = 0; i < values->count; i++)
    if (isfinite(values->values[i]) && (!labels->values || labels->values[i] == label))
      counts[bin_of(range, values->values[i])]++;
  embed_begin(out, NULL, '{');
  if (labels->values) embed_real(out, "label", label);
  embed_ints(out, "count", counts, BINS);
  embed_end(out, '}');
}

/* The distinct labels, as far as they are shown; their number. */
static guint distinct(const Array *labels, double *found) {
  guint count = 0;
  for (gint64 i = 0; i < labels->count && count < MAX_GROUPS; i++) {
    guint at = 0;
    while (at < count && found[at] < labels->values[i]) at++;
    if (at < count && found[at] == labels->values[i]) continue;
    memmove(found + at + 1, found + at, (count - at) * sizeof *found);
    found[at] = labels->values[i];
    count++;
  }
  return count;
}

static void put_histograms(GString *out, const char *key, const Array *values,
                           const Array *labels) {
  double found[MAX_GROUPS] = {0};
  guint count = labels->values ? distinct(labels, found) : 1;
  Range range = array_range(values, RANGE_NOTHING);
  embed_begin(out, key, '{');
  embed_int(out, "of", values->count);
  embed_real(out, "low", range.low);
  embed_real(out, "high", range.high);
  embed_begin(out, "groups", '[');
  for (guint i = 0; i < count; i++) put_histogram(out, values, labels, found[i], range);
  embed_end(out, ']');
  embed_end(out, '}');
}

gboolean plot_scores(StoreFile *file, GString *out, GError **error) {
  g_auto(Array) scores = {0};
  g_auto(Array) labels = {0};
  if (!array_read(&scores, file, "/entry/scores/score", 1, 1, error) ||
      !plot_column(&labels, file, "/entry/scores/y", scores.shape[0], error))
    return FALSE;
  put_histograms(out, "scores", &scores, &labels);
  return TRUE;
}

gboolean plot_returns(StoreFile *file, GString *out, GError **error) {
  g_auto(Array) returns = {0};
  Array none = {0};
  double sum = 0;
  if (!array_read(&returns, file, "/entry/returns/return", 1, 1, error)) return FALSE;
  for (gint64 i = 0; i < returns.count; i++) sum += returns.values[i];
  embed_begin(out, "returns", '{');
  embed_real(out, "mean", sum / (double)returns.count);
  if (returns.count <= MAX_BARS)
    embed_reals(out, "episodes", returns.values, returns.count);
  else
    put_histograms(out, "histogram", &returns, &none);
  embed_end(out, '}');
  return TRUE;
}
