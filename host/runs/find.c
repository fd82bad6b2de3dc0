/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking for run folders. */
#include "find.h"

#include <glib/gstdio.h>
#include <string.h>

enum { MAX_DEPTH = 32 }; /* of folders in folders */

typedef struct {
  GPtrArray *runs, *unread;
} Search;

static void free_info(gpointer data) {
  run_info_free(data);
}

static gboolean is_folder(const char *path) {
  GStatBuf info;
  return g_lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static gint compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *entries(const char *folder, GError **error) {
  GDir *dir = g_dir_open(folder, 0, error);
  if (!dir) return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  for (const char *name; (name = g_dir_read_name(dir));)
    if (*name != '.') g_ptr_array_add(names, g_strdup(name));
  g_dir_close(dir);
  g_ptr_array_sort(names, compare_names);
  return names;
}

/* `name` is NULL for the folder that the search began in. */
static void take_run(Search *self, const char *folder, const char *name) {
  if (!run_info_is_run(folder)) return;
  g_autofree char *full = g_canonicalize_filename(folder, NULL);
  g_autofree char *base = g_path_get_basename(full);
  g_ptr_array_add(self->runs, run_info_read(folder, name ? name : base));
}

static gboolean search(Search *self, const char *folder, const char *name, guint depth,
                       GError **error) {
  g_autoptr(GPtrArray) names = entries(folder, error);
  if (!names) return FALSE;
  take_run(self, folder, name);
  for (guint i = 0; depth < MAX_DEPTH && i < names->len; i++) {
    const char *entry = names->pdata[i];
    g_autofree char *path = g_build_filename(folder, entry, NULL);
    g_autofree char *inner = name ? g_build_filename(name, entry, NULL) : g_strdup(entry);
    g_autoptr(GError) cause = NULL;
    if (is_folder(path) && !search(self, path, inner, depth + 1, &cause))
      g_ptr_array_add(self->unread, g_strdup(cause->message));
  }
  return TRUE;
}

GPtrArray *runs_find(const char *folder, GPtrArray *unread, GError **error) {
  Search self = {g_ptr_array_new_with_free_func(free_info), unread};
  g_autoptr(GError) cause = NULL;
  if (search(&self, folder, NULL, 0, &cause)) return self.runs;
  g_ptr_array_unref(self.runs);
  if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    host_fail(error, AB_NO_INPUT,
              "there is no folder %s; `abhost run` makes runs/, others are to be named", folder);
  else if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
    host_fail(error, AB_NO_INPUT, "%s is no folder", folder);
  else
    host_fail(error, AB_IO, "%s", cause->message);
  return NULL;
}
