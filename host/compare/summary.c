/* SPDX-License-Identifier: Apache-2.0
 *
 * From runs to statistics; and whether all saw the same batches. */
#include "compare-internal.h"

#include <math.h>
#include <string.h>

#define LEVEL 0.95

/* ---- numbers of one candidate ---------------------------------------------------------------- */

/* By seed; NaN where the run has none. A run that is not where it should be gives none. */
static double *values_of(const Comparison *self, const Candidate *candidate, const char *split,
                         const char *metric) {
  double *values = g_new(double, MAX(candidate->trials->len, 1));
  for (guint i = 0; i < candidate->trials->len; i++) {
    const Trial *trial = candidate->trials->pdata[i];
    const Result *result =
        trial_succeeded(self, trial) ? results_find(trial->results, split, metric) : NULL;
    values[i] = result ? result->value : NAN;
  }
  return values;
}

static Spread spread_of(const double *values, guint count) {
  g_autofree double *finite = g_new(double, MAX(count, 1));
  gsize found = 0;
  for (guint i = 0; i < count; i++)
    if (isfinite(values[i])) finite[found++] = values[i];
  return statistics_spread(finite, found, LEVEL);
}

/* Over the seeds that both have. */
static Paired pairs_of(const double *a, const double *b, guint count) {
  g_autofree double *left = g_new(double, MAX(count, 1));
  g_autofree double *right = g_new(double, MAX(count, 1));
  gsize found = 0;
  for (guint i = 0; i < count; i++)
    if (isfinite(a[i]) && isfinite(b[i])) {
      left[found] = a[i];
      right[found++] = b[i];
    }
  return statistics_paired(left, right, found);
}

/* ---- one metric, all candidates -------------------------------------------------------------- */

typedef struct {
  const Comparison *comparison;
  const char *split;
  const Measure *measure;
  GPtrArray *values;    /* double *, by candidate */
  GPtrArray *summaries; /* Summary * */
} Table;

/* Whether it trained as long as any: of a halving, only the highest rung can be compared. */
static gboolean is_comparable(const Table *table, guint index) {
  const GPtrArray *candidates = table->comparison->candidates;
  gint64 rung = ((const Candidate *)candidates->pdata[index])->rung, highest = -1;
  for (guint i = 0; i < candidates->len; i++)
    highest = MAX(highest, ((const Candidate *)candidates->pdata[i])->rung);
  return rung == highest;
}

/* The best mean among those with the most runs: fewer would be a choice of the luckiest seeds. */
static guint find_best(const Table *table) {
  guint best = table->summaries->len;
  gint64 most = 1;
  for (guint i = 0; i < table->summaries->len; i++)
    if (is_comparable(table, i))
      most = MAX(most, ((const Summary *)table->summaries->pdata[i])->spread.n);
  for (guint i = 0; i < table->summaries->len; i++) {
    const Spread *spread = &((const Summary *)table->summaries->pdata[i])->spread;
    if (spread->n < most || !is_comparable(table, i)) continue;
    const Spread *leader = best < table->summaries->len
                               ? &((const Summary *)table->summaries->pdata[best])->spread
                               : NULL;
    gboolean better = leader && (table->measure->higher ? spread->mean > leader->mean
                                                        : spread->mean < leader->mean);
    if (!leader || better) best = i;
  }
  return best;
}

static void test_against(const Table *table, guint best) {
  guint count = table->summaries->len;
  g_autofree double *p = g_new(double, count);
  g_autofree double *adjusted = g_new(double, count);
  for (guint i = 0; i < count; i++) {
    const Candidate *candidate = table->comparison->candidates->pdata[i];
    Summary *summary = table->summaries->pdata[i];
    Paired paired = {0, NAN, FALSE};
    if (i != best && is_comparable(table, i))
      paired =
          pairs_of(table->values->pdata[i], table->values->pdata[best], candidate->trials->len);
    summary->best = i == best;
    summary->constant = paired.constant;
    summary->p = p[i] = paired.p;
  }
  statistics_holm(p, count, adjusted);
  for (guint i = 0; i < count; i++) ((Summary *)table->summaries->pdata[i])->adjusted = adjusted[i];
}

static void summarise(Comparison *self, const char *split, const Measure *measure) {
  Table table = {self, split, measure, g_ptr_array_new_with_free_func(g_free), g_ptr_array_new()};
  for (guint i = 0; i < self->candidates->len; i++) {
    Candidate *candidate = self->candidates->pdata[i];
    Summary *summary = g_new0(Summary, 1);
    double *values = values_of(self, candidate, split, measure->name);
    *summary = (Summary){.split = split,
                         .metric = measure->name,
                         .spread = spread_of(values, candidate->trials->len),
                         .p = NAN,
                         .adjusted = NAN};
    g_ptr_array_add(table.values, values);
    g_ptr_array_add(table.summaries, summary);
    g_ptr_array_add(candidate->summaries, summary);
  }
  guint best = find_best(&table);
  if (best < table.summaries->len) test_against(&table, best);
  g_ptr_array_unref(table.values);
  g_ptr_array_unref(table.summaries);
}

const Summary *summary_find(const Candidate *candidate, const char *split, const char *metric) {
  for (guint i = 0; i < candidate->summaries->len; i++) {
    const Summary *summary = candidate->summaries->pdata[i];
    if (strcmp(summary->split, split) == 0 && strcmp(summary->metric, metric) == 0) return summary;
  }
  return NULL;
}

/* ---- the same batches ------------------------------------------------------------------------ */

/* One may have been stopped earlier than the other: what counts is the epochs that both have. */
static gboolean same_batches(const Trial *a, const Trial *b) {
  if (a->candidate->batch != b->candidate->batch) return FALSE;
  for (guint i = 0; i < a->orders->len && i < b->orders->len; i++)
    if (strcmp(a->orders->pdata[i], b->orders->pdata[i]) != 0) return FALSE;
  return TRUE;
}

static gboolean has_begun(const Trial *trial) {
  return !trial->candidate->refusal && trial->orders->len > 0;
}

/* What most runs of a seed began with is what they should all have seen. */
static char *beginning(const Trial *trial) {
  return g_strdup_printf("%" G_GINT64_FORMAT " %s", trial->candidate->batch,
                         (const char *)trial->orders->pdata[0]);
}

/* Of runs of one seed, the longest of those that begin as most do; NULL: none has begun. */
static const Trial *common(Trial *const *trials, guint count) {
  g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  const Trial *found = NULL;
  guint most = 0;
  for (guint i = 0; i < count; i++) {
    if (!has_begun(trials[i])) continue;
    char *key = beginning(trials[i]);
    guint so_far = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1;
    g_hash_table_replace(counts, key, GUINT_TO_POINTER(so_far));
    most = MAX(most, so_far);
  }
  for (guint i = 0; i < count; i++) {
    if (!has_begun(trials[i])) continue;
    g_autofree char *key = beginning(trials[i]);
    if (GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) == most &&
        (!found || trials[i]->orders->len > found->orders->len))
      found = trials[i];
  }
  return found;
}

/* A run that has ended without a record of its batches: nothing can be said of them. */
static gboolean has_no_record(const Trial *trial) {
  return trial->status == TRIAL_DONE && trial->epochs > 0 && trial->orders->len == 0;
}

static void add_odd(Comparison *self, const Trial *trial, const char *remark) {
  g_ptr_array_add(self->odd, g_strdup_printf("%s seed %" G_GINT64_FORMAT "%s",
                                             trial->candidate->name, trial->seed, remark));
}

/* The trials lie seed by seed. */
static void find_odd(Comparison *self) {
  guint count = self->candidates->len;
  g_ptr_array_set_size(self->odd, 0);
  for (guint s = 0; s < self->plan->seeds->len; s++) {
    Trial *const *trials = (Trial *const *)self->trials->pdata + (gsize)s * count;
    const Trial *most = common(trials, count);
    for (guint i = 0; i < count; i++)
      if (has_no_record(trials[i]))
        add_odd(self, trials[i], " (no record of them in metrics.jsonl)");
      else if (most && has_begun(trials[i]) && !same_batches(trials[i], most))
        add_odd(self, trials[i], "");
  }
}

/* ---- all ------------------------------------------------------------------------------------- */

void summary_update(Comparison *self) {
  static const char *const splits[] = {"validation", "test"};
  for (guint i = 0; i < self->candidates->len; i++)
    g_ptr_array_set_size(((Candidate *)self->candidates->pdata[i])->summaries, 0);
  for (guint s = 0; s < G_N_ELEMENTS(splits); s++)
    for (guint i = 0; i < self->measures->len; i++)
      summarise(self, splits[s], self->measures->pdata[i]);
  find_odd(self);
}
