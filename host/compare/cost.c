/* SPDX-License-Identifier: Apache-2.0
 *
 * What the runs of a candidate cost. */
#include "compare-internal.h"

#include <math.h>

static Spread spread(const Candidate *candidate, gboolean cpu) {
  g_autofree double *values = g_new(double, MAX(candidate->trials->len, 1));
  gsize count = 0;
  for (guint i = 0; i < candidate->trials->len; i++) {
    const Trial *trial = candidate->trials->pdata[i];
    double value = cpu ? trial->cpu : trial->seconds;
    if (isfinite(value)) values[count++] = value;
  }
  return statistics_spread(values, count, 0.95);
}

Spread candidate_seconds(const Candidate *candidate) {
  return spread(candidate, FALSE);
}

Spread candidate_cpu(const Candidate *candidate) {
  return spread(candidate, TRUE);
}

gint64 candidate_peak(const Candidate *candidate) {
  gint64 peak = -1;
  for (guint i = 0; i < candidate->trials->len; i++)
    peak = MAX(peak, ((const Trial *)candidate->trials->pdata[i])->peak);
  return peak;
}
