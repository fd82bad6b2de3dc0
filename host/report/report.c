/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports. */
#include "report.h"

#include "gather.h"
#include "page.h"

static char *title_of(const char *folder) {
  g_autofree char *full = g_canonicalize_filename(folder, NULL);
  g_autofree char *name = g_path_get_basename(full);
  return g_strdup_printf("%s - abhost", name);
}

/* Writes what was gathered, and frees it; the page's name. */
static char *finish(const char *folder, char *data, char *page, GError **error) {
  g_autofree char *title = title_of(folder);
  gboolean done = data && page_write(page, title, data, error);
  g_free(data);
  if (done) return page;
  g_free(page);
  return NULL;
}

static char *page_of(const char *folder, const char *output) {
  return output ? g_strdup(output) : g_build_filename(folder, "report.html", NULL);
}

static char *write_run(const char *folder, const char *output, GPtrArray *notes, GError **error) {
  if (gather_is_run(folder))
    return finish(folder, gather_run(folder, notes), page_of(folder, output), error);
  host_fail(error, AB_NO_INPUT,
            "%s is no run folder: it has no resolved.yaml, metrics.jsonl or result.json; one is "
            "made by `abhost run`",
            folder);
  return NULL;
}

static char *write_compare(const char *folder, const char *output, GPtrArray *notes,
                           GError **error) {
  char *page = page_of(folder, output);
  if (gather_is_compare(folder))
    return finish(folder, gather_compare(folder, page, notes, error), page, error);
  g_free(page);
  host_fail(error, AB_NO_INPUT, "%s is no comparison: it has no compare.json", folder);
  return NULL;
}

char *report_write(const char *folder, const char *output, GPtrArray *notes, GError **error) {
  if (gather_is_compare(folder)) return write_compare(folder, output, notes, error);
  if (gather_is_run(folder)) return write_run(folder, output, notes, error);
  if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
    host_fail(error, AB_NO_INPUT, "%s: there is no such folder", folder);
  else
    host_fail(error, AB_NO_INPUT,
              "%s is neither a run nor a comparison: it has no resolved.yaml, metrics.jsonl, "
              "result.json or compare.json",
              folder);
  return NULL;
}

gboolean report_run(const char *folder, const char *output, GError **error) {
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *page = write_run(folder, output, notes, error);
  return page != NULL;
}

gboolean report_compare(const char *folder, const char *output, GError **error) {
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *page = write_compare(folder, output, notes, error);
  return page != NULL;
}
