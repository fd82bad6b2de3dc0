/* SPDX-License-Identifier: Apache-2.0
 *
 * What is compared: candidates of the manifest, points of a sweep. */
#include "compare-internal.h"

#include "../manifest/manifest.h"
#include <math.h>
#include <string.h>

#define OWN "model" /* what the manifest's own model is named */

enum { LABEL_CHARACTERS = 80, MOST_CANDIDATES = 1000 };

static void measure_free(gpointer data) {
  Measure *measure = data;
  g_free(measure->name);
  g_free(measure);
}

static void candidate_free(gpointer data) {
  Candidate *self = data;
  g_free(self->name);
  g_free(self->candidate);
  g_strfreev(self->sets);
  g_free(self->label);
  g_free(self->refusal);
  g_free(self->problem);
  g_free(self->model);
  g_free(self->resolved);
  g_ptr_array_unref(self->measures);
  g_ptr_array_unref(self->trials);
  g_ptr_array_unref(self->summaries);
  g_free(self);
}

static Candidate *candidate_new(const char *name, const char *key, char **sets) {
  Candidate *self = g_new0(Candidate, 1);
  self->name = g_strdup(name);
  self->candidate = g_strdup(key);
  self->sets = sets ? g_strdupv(sets) : g_new0(char *, 1);
  self->measures = g_ptr_array_new_with_free_func(measure_free);
  self->trials = g_ptr_array_new();
  self->summaries = g_ptr_array_new_with_free_func(g_free);
  self->parameters = self->multiply_adds = self->rung = -1;
  return self;
}

char **candidate_sets(const Plan *plan, const Candidate *candidate) {
  g_autoptr(GStrvBuilder) all = g_strv_builder_new();
  g_strv_builder_addv(all, (const char **)plan->sets);
  if (plan->epochs >= 0) {
    g_autofree char *epochs = g_strdup_printf("epochs=%" G_GINT64_FORMAT, plan->epochs);
    g_strv_builder_add(all, epochs);
  }
  if (plan->budget == BUDGET_STEPS || plan->budget == BUDGET_SECONDS) {
    g_autofree char *stop =
        g_strdup_printf("stop.%s=%s", budget_names[plan->budget], plan->budget_text);
    g_strv_builder_add(all, stop);
  }
  g_strv_builder_addv(all, (const char **)candidate->sets);
  return g_strv_builder_end(all);
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* The name where it is a plain file name; else what is left of it, and a hash that keeps it apart
 * from others.                                                                                   */
static char *label_of(const char *name) {
  GString *text = g_string_new(NULL);
  for (const char *at = name; *at && text->len < LABEL_CHARACTERS; at++) {
    gboolean plain = g_ascii_isalnum(*at) || strchr("_=+,-", *at) || (*at == '.' && text->len);
    g_string_append_c(text, plain ? *at : '_');
  }
  if (*text->str == '-') *text->str = '_';
  if (strcmp(text->str, name) != 0) {
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    g_string_append_printf(text, "-%.8s", hash);
  }
  return g_string_free(text, FALSE);
}

/* ---- those of the manifest ------------------------------------------------------------------- */

/* The manifest as a candidate has it, as text that can be compared; NULL where it has a mistake. */
static char *laid_over(const Plan *plan, const char *key, gboolean *has_model) {
  Diagnostics *diagnostics = diagnostics_new();
  ManifestRequest request = {plan->manifest, key, (const char *const *)plan->sets, NULL};
  g_autoptr(Node) root = manifest_read(&request, diagnostics);
  char *text = root && diagnostics_check(diagnostics, NULL) ? node_emit(root) : NULL;
  if (has_model) *has_model = node_get(root, "model") != NULL;
  diagnostics_free(diagnostics);
  return text;
}

static GPtrArray *keys_of(const Node *candidates) {
  GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; candidates && candidates->kind == NODE_MAPPING && i < candidates->keys->len;
       i++)
    g_ptr_array_add(keys, g_strdup(((const Node *)candidates->keys->pdata[i])->text));
  return keys;
}

/* Mistakes of a whole manifest are told before any of a candidate's. */
static GPtrArray *read_keys(const Plan *plan, GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) root =
      node_parse(plan->text, strlen(plan->text), g_intern_string(plan->manifest), diagnostics);
  GPtrArray *keys = NULL;
  const Node *candidates = node_get(root, "candidates");
  if (candidates && candidates->kind != NODE_MAPPING) {
    g_autofree char *place = node_place(candidates);
    diagnostics_add(diagnostics, AB_CONFIG, place,
                    "candidates is a mapping from names to what differs, such as {rbm: {model: "
                    "{plugin: rbm}}}");
  }
  if (diagnostics_check(diagnostics, error)) keys = keys_of(candidates);
  diagnostics_free(diagnostics);
  return keys;
}

static gboolean has_key(const GPtrArray *keys, const char *name) {
  for (guint i = 0; i < keys->len; i++)
    if (strcmp(keys->pdata[i], name) == 0) return TRUE;
  return FALSE;
}

static void note(GPtrArray *notes, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(GPtrArray *notes, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(notes, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

/* All candidates by name; the manifest's own model first, unless it is one of them, or its name is
 * taken. *own is its name, or NULL.                                                              */
static GPtrArray *list_all(const Plan *plan, const GPtrArray *keys, const char **own,
                           GPtrArray *notes) {
  GPtrArray *all = g_ptr_array_new_with_free_func(candidate_free);
  gboolean has_model = FALSE;
  g_autofree char *text = laid_over(plan, NULL, &has_model);
  *own = NULL;
  for (guint i = 0; i < keys->len; i++) {
    g_autofree char *other = laid_over(plan, keys->pdata[i], NULL);
    if (has_model && !*own && text && other && strcmp(text, other) == 0) *own = keys->pdata[i];
    g_ptr_array_add(all, candidate_new(keys->pdata[i], keys->pdata[i], NULL));
  }
  if (!has_model || *own) return all;
  if (has_key(keys, OWN)) {
    note(notes,
         "a candidate of %s is named '" OWN "', so that the manifest's own model is left out; "
         "another name for the candidate brings it in",
         plan->manifest);
    return all;
  }
  g_ptr_array_insert(all, 0, candidate_new(OWN, NULL, NULL));
  *own = OWN;
  return all;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static Candidate *find(const GPtrArray *all, const char *name) {
  for (guint i = 0; i < all->len; i++) {
    Candidate *candidate = all->pdata[i];
    if (strcmp(candidate->name, name) == 0) return candidate;
  }
  return NULL;
}

static gboolean refuse_name(const Plan *plan, const GPtrArray *all, const char *name,
                            GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add(names, ((const Candidate *)all->pdata[i])->name);
  g_ptr_array_add(names, NULL);
  const char *nearest = nearest_name(name, (const char *const *)names->pdata);
  g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
  return host_fail(error, AB_USAGE, "%s has no candidate '%s'%s%s%s (it has: %s)", plan->manifest,
                   name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "", *list ? list : "none");
}

static Candidate *copy(const Candidate *from) {
  return candidate_new(from->name, from->candidate, from->sets);
}

/* Those that were asked for, in that order; a sweep without names is of the manifest's own model.
 */
static GPtrArray *choose(const Plan *plan, const GPtrArray *all, const char *own, GError **error) {
  g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func(candidate_free);
  if (plan->axes->len > 0 && !plan->wanted) {
    if (!own) {
      host_fail(error, AB_USAGE, "%s has no model of its own to sweep; name some with --candidates",
                plan->manifest);
      return NULL;
    }
    g_ptr_array_add(chosen, copy(find(all, own)));
  }
  for (guint i = 0; plan->wanted && plan->wanted[i]; i++) {
    const Candidate *found = find(all, plan->wanted[i]);
    if (!found) {
      refuse_name(plan, all, plan->wanted[i], error);
      return NULL;
    }
    g_ptr_array_add(chosen, copy(found));
  }
  for (guint i = 0; !plan->axes->len && !plan->wanted && i < all->len; i++)
    g_ptr_array_add(chosen, copy(all->pdata[i]));
  if (chosen->len > 0) return g_steal_pointer(&chosen);
  host_fail(error, AB_CONFIG, "%s has neither a model nor candidates: there is nothing to compare",
            plan->manifest);
  return NULL;
}

/* Every candidate with every point. */
static GPtrArray *spread(const Plan *plan, const GPtrArray *chosen, GError **error) {
  g_autoptr(GPtrArray) points = sweep_points(plan->axes, plan->random, error);
  if (!points) return NULL;
  if ((guint64)points->len * chosen->len > MOST_CANDIDATES) {
    host_fail(error, AB_USAGE, "the sweep of %u candidates has more than %d points", chosen->len,
              MOST_CANDIDATES);
    return NULL;
  }
  GPtrArray *all = g_ptr_array_new_with_free_func(candidate_free);
  for (guint i = 0; i < chosen->len; i++) {
    const Candidate *candidate = chosen->pdata[i];
    for (guint j = 0; j < points->len; j++) {
      const Point *point = points->pdata[j];
      g_autofree char *name = plan->wanted ? g_strdup_printf("%s,%s", candidate->name, point->name)
                                           : g_strdup(point->name);
      g_ptr_array_add(all, candidate_new(name, candidate->candidate, point->sets));
    }
  }
  return all;
}

GPtrArray *candidates_new(const Plan *plan, GPtrArray *notes, GError **error) {
  g_autoptr(GPtrArray) keys = read_keys(plan, error);
  if (!keys) return NULL;
  const char *own;
  g_autoptr(GPtrArray) all = list_all(plan, keys, &own, notes);
  GPtrArray *chosen = choose(plan, all, own, error);
  if (chosen && plan->axes->len > 0) {
    GPtrArray *points = spread(plan, chosen, error);
    g_ptr_array_unref(chosen);
    chosen = points;
  }
  for (guint i = 0; chosen && i < chosen->len; i++) {
    Candidate *candidate = chosen->pdata[i];
    candidate->label = label_of(candidate->name);
  }
  return chosen;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static const char *const status_names[] = {
    [TRIAL_WAITING] = "waiting", [TRIAL_DONE] = "done",       [TRIAL_DIVERGED] = "diverged",
    [TRIAL_FAILED] = "failed",   [TRIAL_CRASHED] = "crashed", [TRIAL_REFUSED] = "refused",
    [TRIAL_STOPPED] = "stopped"};

const char *trial_status_name(TrialStatus status) {
  return status_names[status];
}

Trial *trial_new(Candidate *candidate, gint64 seed, const char *folder) {
  Trial *self = g_new0(Trial, 1);
  self->candidate = candidate;
  self->seed = seed;
  self->name = g_strdup_printf("%s-seed%" G_GINT64_FORMAT, candidate->label, seed);
  self->folder = g_build_filename(folder, "runs", self->name, NULL);
  g_autofree char *file = g_strconcat(self->name, ".log", NULL);
  self->log = g_build_filename(folder, "logs", file, NULL);
  self->results = results_new();
  self->orders = g_ptr_array_new_with_free_func(g_free);
  self->epochs = self->steps = self->peak = -1;
  self->seconds = self->cpu = NAN;
  if (candidate->refusal) {
    self->status = candidate->crashed ? TRIAL_CRASHED : TRIAL_REFUSED;
    self->reason = g_strdup(candidate->refusal);
  }
  g_ptr_array_add(candidate->trials, self);
  return self;
}

void trial_free(gpointer data) {
  Trial *self = data;
  g_free(self->name);
  g_free(self->folder);
  g_free(self->log);
  g_free(self->reason);
  g_free(self->batches);
  g_free(self->stopped_by);
  g_ptr_array_unref(self->results);
  g_ptr_array_unref(self->orders);
  g_free(self);
}

/* Done, or stopped where its rung ends. */
gboolean trial_succeeded(const Comparison *self, const Trial *trial) {
  if (trial->status == TRIAL_DONE) return TRUE;
  return trial->status == TRIAL_STOPPED && self->rungs > 0 && trial->candidate->rung >= 0 &&
         trial->candidate->rung + 1 < self->rungs &&
         trial->recorded >= halving_epochs(trial->candidate->epochs, trial->candidate->rung,
                                           self->rungs, self->plan->halving);
}

guint compare_failures(const Comparison *self) {
  guint count = 0;
  for (guint i = 0; i < self->trials->len; i++)
    count += !trial_succeeded(self, self->trials->pdata[i]);
  return count;
}
