/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of a comparison: the command line, read. */
#include "compare-internal.h"

#include "../jsonout.h"
#include "../manifest/node.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_SEEDS = 10000, MOST_JOBS = 1024, HASH_DIGITS = 8 };

const char *const budget_names[] = {[BUDGET_STEPS] = "steps",
                                    [BUDGET_SECONDS] = "seconds",
                                    [BUDGET_PARAMETERS] = "parameters",
                                    NULL};

void plan_free(Plan *self) {
  if (!self) return;
  g_free(self->manifest);
  g_free(self->text);
  g_strfreev(self->sets);
  g_free(self->budget_text);
  if (self->axes) g_ptr_array_unref(self->axes);
  if (self->seeds) g_array_unref(self->seeds);
  g_strfreev(self->wanted);
  g_strfreev(self->folders);
  g_free(self);
}

static gboolean read_whole(const char *text, gint64 *value) {
  g_autoptr(Node) node = node_scalar(text);
  return node_read_int(node, value, NULL);
}

/* ---- the manifest ---------------------------------------------------------------------------- */

/* Its runs read it again: a pipe would be empty by then. */
static gboolean read_manifest(Plan *self, GError **error) {
  struct stat info;
  if (stat(self->manifest, &info) == 0 && !S_ISREG(info.st_mode))
    return host_fail(error, AB_USAGE,
                     "%s is no plain file; every run of a comparison reads the manifest again",
                     self->manifest);
  Diagnostics *diagnostics = diagnostics_new();
  Node *root = node_parse_kept(self->manifest, &self->text, diagnostics);
  gboolean done = diagnostics_check(diagnostics, error) && root;
  node_free(root);
  diagnostics_free(diagnostics);
  return done;
}

/* ---- options --------------------------------------------------------------------------------- */

static gboolean refuse_seeds(const char *text, GError **error) {
  return host_fail(error, AB_USAGE,
                   "--seeds takes how many there are to be (5: seeds 1 to 5), or the seeds "
                   "themselves (3,5,8), distinct and from 0; '%s' is neither",
                   text);
}

static gboolean has_seed(const GArray *seeds, gint64 seed) {
  for (guint i = 0; i < seeds->len; i++)
    if (g_array_index(seeds, gint64, i) == seed) return TRUE;
  return FALSE;
}

static gboolean read_seeds(Plan *self, const char *text, GError **error) {
  gint64 seed;
  if (!strchr(text, ',')) {
    gint64 count;
    if (!read_whole(text, &count) || count < 1 || count > MOST_SEEDS)
      return refuse_seeds(text, error);
    for (seed = 1; seed <= count; seed++) g_array_append_val(self->seeds, seed);
    return TRUE;
  }
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  for (guint i = 0; parts[i]; i++) {
    if (!read_whole(g_strstrip(parts[i]), &seed) || seed < 0 || has_seed(self->seeds, seed))
      return refuse_seeds(text, error);
    g_array_append_val(self->seeds, seed);
  }
  return TRUE;
}

static gboolean read_limit(Plan *self, const char *text) {
  g_autoptr(Node) node = node_scalar(text);
  gint64 whole;
  if (self->budget == BUDGET_SECONDS) return node_read_real(node, TRUE, &self->limit, NULL);
  if (!node_read_int(node, &whole, NULL)) return FALSE;
  self->limit = (double)whole;
  return TRUE;
}

static gboolean read_budget(Plan *self, const char *text, GError **error) {
  for (BudgetKind kind = BUDGET_STEPS; text && kind <= BUDGET_PARAMETERS; kind++) {
    gsize length = strlen(budget_names[kind]);
    if (strncmp(text, budget_names[kind], length) != 0 || text[length] != '=') continue;
    self->budget = kind;
    self->budget_text = g_strdup(text + length + 1);
    if (read_limit(self, self->budget_text) && self->limit > 0) return TRUE;
  }
  return !text ||
         host_fail(error, AB_USAGE,
                   "--budget is steps=N, seconds=N or parameters=N, N over 0; '%s' is none "
                   "of these",
                   text);
}

static void free_axis(gpointer axis) {
  axis_free(axis);
}

static gboolean read_axes(Plan *self, const char *const *texts, GError **error) {
  for (guint i = 0; texts && texts[i]; i++) {
    Axis *axis = axis_parse(texts[i], error);
    if (!axis) return FALSE;
    g_ptr_array_add(self->axes, axis);
  }
  return TRUE;
}

static gboolean read_wanted(Plan *self, const char *text, GError **error) {
  if (!text) return TRUE;
  self->wanted = g_strsplit(text, ",", -1);
  for (guint i = 0; self->wanted[i]; i++) {
    if (!*g_strstrip(self->wanted[i]))
      return host_fail(error, AB_USAGE, "--candidates has an empty name; write a,b");
    for (guint j = 0; j < i; j++)
      if (strcmp(self->wanted[i], self->wanted[j]) == 0)
        return host_fail(error, AB_USAGE, "--candidates names '%s' twice", self->wanted[i]);
  }
  return self->wanted[0] || host_fail(error, AB_USAGE, "--candidates names none; write a,b");
}

/* What does not go together. */
static gboolean check(const Plan *self, GError **error) {
  if (self->jobs < 1 || self->jobs > MOST_JOBS)
    return host_fail(error, AB_USAGE, "--jobs takes a number from 1 to %d", MOST_JOBS);
  if (self->epochs < -1) return host_fail(error, AB_USAGE, "--epochs takes a number from 0");
  if (self->random < 0) return host_fail(error, AB_USAGE, "--random takes a number from 1");
  if (self->random > 0 && self->axes->len == 0)
    return host_fail(error, AB_USAGE, "--random draws points of a --sweep, and there is none");
  if (self->halving != 0 && (self->halving < 2 || self->halving > 1000))
    return host_fail(error, AB_USAGE, "--halving takes a factor from 2 to 1000");
  if (self->halving && (self->budget == BUDGET_STEPS || self->budget == BUDGET_SECONDS))
    return host_fail(error, AB_USAGE,
                     "--halving shares out epochs, so that --budget %s does not go with it; "
                     "--epochs limits them",
                     budget_names[self->budget]);
  return TRUE;
}

static char **copy_list(const char *const *list) {
  return list ? g_strdupv((char **)list) : g_new0(char *, 1);
}

Plan *plan_new(const CompareRequest *request, GError **error) {
  Plan *self = g_new0(Plan, 1);
  self->manifest = g_strdup(request->manifest);
  self->sets = copy_list(request->sets);
  self->folders = copy_list(request->folders);
  self->epochs = request->epochs;
  self->axes = g_ptr_array_new_with_free_func(free_axis);
  self->random = request->random;
  self->halving = request->halving;
  self->seeds = g_array_new(FALSE, FALSE, sizeof(gint64));
  self->jobs = request->jobs;
  self->quiet = request->quiet;
  if (read_seeds(self, request->seeds ? request->seeds : "5", error) &&
      read_budget(self, request->budget, error) && read_axes(self, request->sweep, error) &&
      read_wanted(self, request->candidates, error) && check(self, error) &&
      read_manifest(self, error))
    return self;
  plan_free(self);
  return NULL;
}

/* ---- identity -------------------------------------------------------------------------------- */

static void add_axes(JsonBuilder *json, const GPtrArray *axes) {
  g_auto(GStrv) texts = g_new0(char *, axes->len + 1);
  for (guint i = 0; i < axes->len; i++) texts[i] = g_strdup(((const Axis *)axes->pdata[i])->text);
  jsonout_texts(json, "sweep", (const char *const *)texts);
}

JsonNode *plan_identity(const Plan *self) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  g_autofree char *budget =
      self->budget ? g_strdup_printf("%s=%s", budget_names[self->budget], self->budget_text) : NULL;
  json_builder_begin_object(json);
  jsonout_text(json, "text", self->text);
  jsonout_texts(json, "set", (const char *const *)self->sets);
  jsonout_known(json, "epochs", self->epochs, self->epochs >= 0);
  jsonout_text(json, "budget", budget);
  add_axes(json, self->axes);
  jsonout_known(json, "random", self->random, self->random > 0);
  jsonout_known(json, "halving", self->halving, self->halving > 0);
  json_builder_end_object(json);
  return json_builder_get_root(json);
}

char *plan_hash(const Plan *self) {
  g_autoptr(JsonNode) identity = plan_identity(self);
  g_autofree char *text = jsonout_node(identity, FALSE);
  char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  hash[HASH_DIGITS] = 0;
  return hash;
}
