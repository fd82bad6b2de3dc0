/* SPDX-License-Identifier: Apache-2.0
 *
 * The data of a run's page, and what both pages have. */
#include "gather-internal.h"

#include "../files.h"
#include "curves.h"
#include "notes.h"
#include "plots.h"
#include "wiring.h"
#include <absdk/host.h>
#include <string.h>
#include <unistd.h>

#define MAX_JSON   (64 << 20)
#define MAX_TEXT   (256 << 10)
#define MAX_LOG    (32 << 10)
#define MAX_POINTS 2000 /* of a curve */

static gboolean has(const char *folder, const char *name) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

gboolean gather_is_run(const char *folder) {
  return has(folder, "resolved.yaml") || has(folder, "metrics.jsonl") || has(folder, "result.json");
}

gboolean gather_is_compare(const char *folder) {
  return has(folder, "compare.json");
}

JsonNode *gather_object(const char *folder, const char *name, GError **error) {
  return files_read_object(folder, name, MAX_JSON, error);
}

/* ---- what both have -------------------------------------------------------------------------- */

GString *gather_begin(const char *folder, const char *kind) {
  GString *out = g_string_new(NULL);
  g_autofree char *full = g_canonicalize_filename(folder, NULL);
  g_autofree char *name = g_path_get_basename(full);
  g_autofree char *program = g_strdup_printf("abhost %s", ab_version());
  embed_begin(out, NULL, '{');
  embed_int(out, "format", 1);
  embed_text(out, "kind", kind);
  embed_text(out, "program", program);
  embed_text(out, "name", name);
  return out;
}

char *gather_end(GString *out, const GPtrArray *notes) {
  embed_begin(out, "notes", '[');
  for (guint i = 0; i < notes->len; i++) embed_text(out, NULL, notes->pdata[i]);
  embed_end(out, ']');
  embed_end(out, '}');
  return g_string_free(out, FALSE);
}

static char *read_text(const char *folder, const char *name, gboolean *cut, GPtrArray *notes) {
  gboolean log = strcmp(name, "log.txt") == 0;
  GError *error = NULL;
  gint64 size = 0;
  gsize length = 0;
  int fd = files_open(folder, name, &size, &error);
  if (fd >= 0) close(fd);
  *cut = log && size > MAX_LOG;
  char *text = fd < 0 ? NULL
               : log  ? files_read_end(folder, name, MAX_LOG, &length, &error)
                      : files_read(folder, name, MAX_TEXT, &length, &error);
  notes_take_file(notes, folder, error);
  return text;
}

void gather_texts(const char *folder, const char *const *names, GString *out, GPtrArray *notes) {
  embed_begin(out, "texts", '{');
  for (; *names; names++) {
    gboolean cut;
    g_autofree char *text = read_text(folder, *names, &cut, notes);
    if (!text) continue;
    embed_begin(out, *names, '{');
    embed_text(out, "text", text);
    embed_bool(out, "cut", cut);
    embed_end(out, '}');
  }
  embed_end(out, '}');
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void put_result(const char *folder, GString *out, GPtrArray *notes) {
  GError *error = NULL;
  g_autoptr(JsonNode) result = gather_object(folder, "result.json", &error);
  notes_take_file(notes, folder, error);
  embed_node(out, "result", result);
}

static void put_curves(const char *folder, GString *out, GPtrArray *notes) {
  g_autoptr(Curves) curves = curves_read(folder, notes);
  if (!curves) return;
  embed_node(out, "end", curves_end(curves));
  embed_node(out, "last", curves_last(curves));
  embed_begin(out, "curves", '{');
  curves_put(curves, MAX_POINTS, out);
  embed_end(out, '}');
}

/* The problem, the model and so on: a run that has not ended has no result that would say. */
static void put_wiring(const char *folder, GString *out, GPtrArray *notes) {
  g_autoptr(Node) resolved = wiring_read(folder, notes);
  if (!resolved) return;
  embed_text(out, "problem", wiring_setting(resolved, "problem"));
  embed_text(out, "model", wiring_component(resolved, "model"));
  const char *data = wiring_component(resolved, "data");
  embed_text(out, "data", data ? data : wiring_component(resolved, "environment"));
  wiring_write(resolved, folder, "wiring", out, notes);
}

char *gather_run(const char *folder, GPtrArray *notes) {
  static const char *const texts[] = {"manifest.yaml", "resolved.yaml", "log.txt", NULL};
  GString *out = gather_begin(folder, "run");
  put_result(folder, out, notes);
  put_curves(folder, out, notes);
  plots_write(folder, "plots", PLOTS_ALL, out, notes);
  put_wiring(folder, out, notes);
  gather_texts(folder, texts, out, notes);
  return gather_end(out, notes);
}
