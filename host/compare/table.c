/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of a comparison. */
#include "compare-internal.h"

#include "../amounts.h"
#include "../table.h"
#include <math.h>
#include <string.h>

static void add(GPtrArray *row, char *text) {
  g_ptr_array_add(row, text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Decimals that show so many digits of a number; within what %f is good for. */
static int decimals_of(double value, int digits) {
  return value == 0 ? 0 : CLAMP(digits - 1 - (int)floor(log10(fabs(value))), -20, 20);
}

/* The half interval to two digits, the mean to as many decimals, and at least three digits. */
static char *interval_text(const Spread *spread) {
  double half = (spread->high - spread->low) / 2;
  if (spread->n == 0 || isnan(spread->mean)) return g_strdup("");
  if (!isfinite(half)) return g_strdup_printf("%.5g", spread->mean);
  if (half == 0) return g_strdup_printf("%.5g +- 0", spread->mean);
  int decimals = decimals_of(half, 2), more = MAX(decimals, decimals_of(spread->mean, 3));
  if (decimals < 0 || more > 9) return g_strdup_printf("%.4g +- %.2g", spread->mean, half);
  return g_strdup_printf("%.*f +- %.*f", more, spread->mean, decimals, half);
}

static char *p_text(const Summary *summary) {
  if (summary->best) return g_strdup("best");
  if (summary->constant) return g_strdup("const");
  if (isnan(summary->adjusted)) return g_strdup("");
  if (summary->adjusted < 0.0001) return g_strdup("<0.0001");
  return g_strdup_printf(summary->adjusted < 0.01 ? "%.4f" : "%.3f", summary->adjusted);
}

static char *count_text(gint64 value) {
  return value >= 0 ? amounts_count(value) : NULL;
}

static char *seconds_text(double seconds) {
  if (!isfinite(seconds)) return g_strdup("");
  return g_strdup_printf(seconds < 9.95 ? "%.2f s" : "%.1f s", seconds);
}

static char *memory_text(gint64 bytes) {
  return bytes >= 0 ? amounts_bytes(bytes) : NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The splits whose figures are shown: those of a rung are of validation alone. */
static guint splits_of(const Comparison *self, const char *splits[2]) {
  guint count = 0;
  if (self->rungs > 0 && strcmp(self->split, "validation") != 0) splits[count++] = "validation";
  splits[count++] = self->split;
  return count;
}

/* The texts of the first row, and with it the number of columns. */
static GPtrArray *make_head(const Comparison *self) {
  static const char *const costs[] = {"parameters", "multiply-adds", "wall", "CPU", "memory"};
  const char *splits[2];
  guint count = splits_of(self, splits);
  GPtrArray *row = g_ptr_array_new();
  add(row, g_strdup("candidate"));
  add(row, g_strdup("runs"));
  if (self->rungs > 0) add(row, g_strdup("rung"));
  for (guint s = 0; s < count; s++)
    for (guint i = 0; i < self->measures->len; i++) {
      const char *name = ((const Measure *)self->measures->pdata[i])->name;
      add(row, g_strdup_printf("%s %s", splits[s], name));
      add(row, g_strdup("p"));
    }
  for (guint i = 0; i < G_N_ELEMENTS(costs); i++) add(row, g_strdup(costs[i]));
  return row;
}

static guint successes(const Comparison *self, const Candidate *candidate) {
  guint count = 0;
  for (guint i = 0; i < candidate->trials->len; i++)
    count += trial_succeeded(self, candidate->trials->pdata[i]);
  return count;
}

static void add_figures(const Comparison *self, const Candidate *candidate, GPtrArray *row) {
  const char *splits[2];
  guint count = splits_of(self, splits);
  for (guint s = 0; s < count; s++)
    for (guint i = 0; i < self->measures->len; i++) {
      const Measure *measure = self->measures->pdata[i];
      const Summary *summary = summary_find(candidate, splits[s], measure->name);
      add(row, summary ? interval_text(&summary->spread) : g_strdup(""));
      add(row, summary ? p_text(summary) : g_strdup(""));
    }
}

/* "model (auto-encoder)": the manifest's own model has no name that says what it is. */
static char *name_of(const Candidate *candidate) {
  g_autofree char *valid = g_utf8_make_valid(candidate->name, -1);
  gboolean own = !candidate->candidate && !*candidate->sets && candidate->model;
  return own ? g_strdup_printf("%s (%s)", valid, candidate->model) : g_steal_pointer(&valid);
}

static void add_candidate(const Comparison *self, const Candidate *candidate, Table *table) {
  g_autoptr(GPtrArray) row = g_ptr_array_new();
  add(row, name_of(candidate));
  add(row, g_strdup_printf("%u/%u", successes(self, candidate), candidate->trials->len));
  if (self->rungs > 0)
    add(row, candidate->rung >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                                    candidate->rung + 1, self->rungs)
                                  : g_strdup(""));
  add_figures(self, candidate, row);
  add(row, count_text(candidate->parameters));
  add(row, count_text(candidate->multiply_adds));
  add(row, seconds_text(candidate_seconds(candidate).mean));
  add(row, seconds_text(candidate_cpu(candidate).mean));
  add(row, memory_text(candidate_peak(candidate)));
  table_take(table, (char *const *)row->pdata);
}

/* The first column begins at the left, numbers end at the right. */
static void add_table(const Comparison *self, GString *text) {
  g_autoptr(GPtrArray) head = make_head(self);
  g_autofree char *alignment = g_strnfill(head->len, 'r');
  alignment[0] = 'l';
  g_autoptr(Table) table = table_new(alignment);
  table_take(table, (char *const *)head->pdata);
  for (guint i = 0; i < self->candidates->len; i++)
    add_candidate(self, self->candidates->pdata[i], table);
  table_write(table, text, 0, TRUE);
}

/* ---- lines below the table ------------------------------------------------------------------- */

static char *first_line(const char *text) {
  g_autofree char *line = g_strndup(text, strcspn(text, "\n"));
  return g_utf8_make_valid(line, -1);
}

static void add_reason(GString *text, const char *name, const char *seed, const Trial *trial) {
  g_autofree char *reason = trial->reason ? first_line(trial->reason) : NULL;
  g_autofree char *valid = g_utf8_make_valid(name, -1);
  g_string_append_printf(text, "%s%s: %s%s%s\n", valid, seed, trial_status_name(trial->status),
                         reason ? ": " : "", reason ? reason : "");
}

/* One line for a candidate that cannot be run, else one for each run that did not succeed. */
static void add_reasons(const Comparison *self, GString *text) {
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    for (guint j = 0; j < candidate->trials->len; j++) {
      const Trial *trial = candidate->trials->pdata[j];
      g_autofree char *seed = candidate->refusal
                                  ? g_strdup("")
                                  : g_strdup_printf(" seed %" G_GINT64_FORMAT, trial->seed);
      if (!trial_succeeded(self, trial)) add_reason(text, candidate->name, seed, trial);
      if (candidate->refusal) break;
    }
  }
}

/* Candidates whose runs ended for want of epochs and not by the budget. */
static void add_budget(const Comparison *self, GString *text) {
  g_autoptr(GString) names = g_string_new(NULL);
  BudgetKind kind = self->plan->budget;
  if (kind != BUDGET_STEPS && kind != BUDGET_SECONDS) return;
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    gboolean any = FALSE;
    for (guint j = 0; j < candidate->trials->len; j++) {
      const Trial *trial = candidate->trials->pdata[j];
      any |= trial->status == TRIAL_DONE && g_strcmp0(trial->stopped_by, budget_names[kind]) != 0;
    }
    if (any) g_string_append_printf(names, "%s%s", names->len ? ", " : "", candidate->name);
  }
  if (names->len > 0)
    g_string_append_printf(text,
                           "the budget of %s %s was not used up by %s: the epochs came first; "
                           "--epochs gives more\n",
                           self->plan->budget_text, budget_names[kind], names->str);
}

static void add_odd(const Comparison *self, GString *text) {
  if (self->odd->len == 0) return;
  g_ptr_array_add(self->odd, NULL);
  g_autofree char *names = g_strjoinv(", ", (char **)self->odd->pdata);
  g_ptr_array_set_size(self->odd, (gint)self->odd->len - 1);
  g_string_append_printf(text,
                         "NOT ON EQUAL TERMS: these saw other batches than the rest of their seed: "
                         "%s\n",
                         names);
}

static gboolean any_constant(const Comparison *self) {
  for (guint i = 0; i < self->candidates->len; i++) {
    const GPtrArray *all = ((const Candidate *)self->candidates->pdata[i])->summaries;
    for (guint j = 0; j < all->len; j++)
      if (((const Summary *)all->pdata[j])->constant) return TRUE;
  }
  return FALSE;
}

static void add_legend(const Comparison *self, GString *text) {
  guint seeds = self->plan->seeds->len;
  if (self->measures->len == 0)
    g_string_append(text,
                    "no metric applies to this problem; the manifest's `metrics` names some\n");
  else if (seeds == 1)
    g_string_append(text, "one seed: no interval and no test; --seeds 5 gives them\n");
  else
    g_string_append_printf(
        text,
        "mean +- half of the 95 %% interval of the mean over %u seeds "
        "(Student's t)%s\n",
        seeds,
        self->candidates->len > 1 ? "; p: paired t-test against the best, corrected by Holm" : "");
  if (self->rungs > 0)
    g_string_append(text, "each rung trains further than the one before; only the highest is "
                          "compared\n");
  if (any_constant(self))
    g_string_append(text, "const: the same difference with every seed, which leaves nothing to "
                          "test\n");
}

char *compare_table(const Comparison *self) {
  GString *text = g_string_new(NULL);
  add_table(self, text);
  g_string_append_c(text, '\n');
  add_odd(self, text);
  add_reasons(self, text);
  add_budget(self, text);
  add_legend(self, text);
  g_string_append_printf(text, "%s\n", self->folder);
  return g_string_free(text, FALSE);
}
