/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of a comparison's page: compare.json, and of the runs below it what is laid side by
 * side. */
#include "gather-internal.h"

#include "../jsonin.h"
#include "curves.h"
#include "notes.h"
#include "plots.h"
#include <math.h>
#include <string.h>

#define MAX_RUNS   300   /* whose curves are shown */
#define MAX_PLOTS  24    /* candidates whose pictures are */
#define ALL_POINTS 24000 /* of all curves of a metric together */

/* ---- names ----------------------------------------------------------------------------------- */

char *gather_relative(const char *from, const char *to) {
  g_autofree char *base = g_canonicalize_filename(from, NULL);
  g_autofree char *target = g_canonicalize_filename(to, NULL);
  g_auto(GStrv) left = g_strsplit(base + 1, "/", -1), right = g_strsplit(target + 1, "/", -1);
  guint same = 0;
  while (left[same] && right[same] && strcmp(left[same], right[same]) == 0) same++;
  GString *path = g_string_new(NULL);
  for (char **up = left + same; *up && **up; up++) g_string_append(path, "../");
  for (char **down = right + same; *down && **down; down++)
    g_string_append_printf(path, "%s%s", *down, down[1] ? "/" : "");
  return g_string_free(path, FALSE);
}

/* Whether a name leads below the folder, and nowhere else. */
static gboolean below(const char *name) {
  g_auto(GStrv) parts = g_strsplit(name, "/", -1);
  if (!*name || g_path_is_absolute(name)) return FALSE;
  for (char **part = parts; *part; part++)
    if (strcmp(*part, "..") == 0) return FALSE;
  return TRUE;
}

/* ---- compare.json ---------------------------------------------------------------------------- */

static JsonObject *object_of(JsonNode *node) {
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* NULL also where the node is no object. */
static JsonArray *array_of(JsonNode *node, const char *key) {
  JsonObject *object = object_of(node);
  return object ? jsonin_array(object, key) : NULL;
}

/* ---- runs ------------------------------------------------------------------------------------ */

typedef struct {
  const char *folder;
  char *page_folder;
  GHashTable *seen; /* folders of runs */
  gint64 points;    /* of a curve */
  guint runs, plots;
  GString *out;
  GPtrArray *notes;
} Compare;

static void put_link(const Compare *self, const char *run) {
  g_autofree char *report = g_build_filename(run, "report.html", NULL);
  if (!g_file_test(report, G_FILE_TEST_EXISTS)) return;
  g_autofree char *path = gather_relative(self->page_folder, report);
  g_autofree char *link = g_uri_escape_string(path, "/", FALSE);
  embed_text(self->out, "report", link);
}

/* Pictures are those of the first run of a candidate that has some. */
static gboolean put_pictures(Compare *self, const char *run) {
  g_autofree char *file = g_build_filename(run, "results.h5", NULL);
  if (!g_file_test(file, G_FILE_TEST_EXISTS)) return FALSE;
  if (self->plots++ < MAX_PLOTS) plots_write(run, "plots", PLOTS_COMPARED, self->out, self->notes);
  return TRUE;
}

static gboolean put_run(Compare *self, gint64 candidate, JsonObject *object, const char *name,
                        gboolean pictures) {
  g_autofree char *run = g_build_filename(self->folder, name, NULL);
  gboolean shown = FALSE;
  double seed;
  embed_begin(self->out, NULL, '{');
  embed_int(self->out, "candidate", candidate);
  embed_text(self->out, "folder", name);
  if (jsonin_number(object, "seed", &seed)) embed_real(self->out, "seed", seed);
  put_link(self, run);
  g_autoptr(Curves) curves = self->runs++ < MAX_RUNS ? curves_read(run, self->notes) : NULL;
  if (curves) {
    embed_begin(self->out, "curves", '{');
    curves_put(curves, self->points, self->out);
    embed_end(self->out, '}');
  }
  if (pictures) shown = put_pictures(self, run);
  embed_end(self->out, '}');
  return shown;
}

static void put_candidate(Compare *self, gint64 index, JsonNode *candidate) {
  JsonArray *runs = array_of(candidate, "runs");
  gboolean shown = FALSE;
  for (guint i = 0; runs && i < json_array_get_length(runs); i++) {
    JsonObject *run = object_of(json_array_get_element(runs, i));
    const char *name = run ? jsonin_text(run, "folder") : NULL;
    if (!name || !g_hash_table_add(self->seen, g_strdup(name))) continue;
    if (below(name))
      shown |= put_run(self, index, run, name, !shown);
    else
      notes_add(self->notes, "%s/compare.json names the run folder '%s', which is not below it",
                self->folder, name);
  }
}

static gint64 count_runs(JsonArray *candidates) {
  gint64 count = 0;
  for (guint i = 0; candidates && i < json_array_get_length(candidates); i++) {
    JsonArray *runs = array_of(json_array_get_element(candidates, i), "runs");
    count += runs ? json_array_get_length(runs) : 0;
  }
  return count;
}

static void put_runs(Compare *self, JsonArray *candidates) {
  self->points = CLAMP(ALL_POINTS / MAX(count_runs(candidates), 1), 100, 2000);
  embed_begin(self->out, "runs", '[');
  for (guint i = 0; candidates && i < json_array_get_length(candidates); i++)
    put_candidate(self, i, json_array_get_element(candidates, i));
  embed_end(self->out, ']');
  if (self->runs > MAX_RUNS)
    notes_add(self->notes, "of %u runs the curves of %d are shown", self->runs, MAX_RUNS);
  if (self->plots > MAX_PLOTS)
    notes_add(self->notes, "of %u candidates the pictures of %d are shown", self->plots, MAX_PLOTS);
}

char *gather_compare(const char *folder, const char *page, GPtrArray *notes, GError **error) {
  static const char *const texts[] = {"manifest.yaml", "log.txt", NULL};
  g_autoptr(JsonNode) compare = gather_object(folder, "compare.json", error);
  if (!compare) {
    g_prefix_error(error, "%s/", folder);
    return NULL;
  }
  if (!array_of(compare, "candidates")) { /* another program's file of that name */
    host_fail(error, AB_DATA,
              "%s/compare.json lists no candidates: it is not of `abhost compare`; name the folder "
              "that a comparison printed last",
              folder);
    return NULL;
  }
  g_autofree char *page_folder = g_path_get_dirname(page);
  Compare self = {.folder = folder, .page_folder = page_folder, .notes = notes};
  self.out = gather_begin(folder, "compare");
  self.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  embed_node(self.out, "compare", compare);
  put_runs(&self, array_of(compare, "candidates"));
  gather_texts(folder, texts, self.out, notes);
  g_hash_table_unref(self.seen);
  return gather_end(self.out, notes);
}
