/* SPDX-License-Identifier: Apache-2.0
 *
 * Where plugins are looked for. */
#include "registry-internal.h"

#include <string.h>

static void folder_free(gpointer data) {
  Folder *folder = data;
  g_free(folder->path);
  g_free(folder);
}

/* Takes `path`; one that is in the list already, or NULL, is left out. */
static void add(GPtrArray *folders, char *path, FolderOrigin origin) {
  gboolean known = path == NULL;
  for (guint i = 0; i < folders->len && !known; i++)
    known = strcmp(((const Folder *)folders->pdata[i])->path, path) == 0;
  if (known) {
    g_free(path);
    return;
  }
  Folder *folder = g_new(Folder, 1);
  *folder = (Folder){path, origin};
  g_ptr_array_add(folders, folder);
}

/* The empty elements of such lists mean the current directory to a shell, and nothing to us. */
static void add_list(GPtrArray *folders, const char *list) {
  char **elements = g_strsplit(list ? list : "", ":", -1);
  for (guint i = 0; elements[i]; i++)
    if (*elements[i]) add(folders, g_canonicalize_filename(elements[i], NULL), FOLDER_NAMED);
  g_strfreev(elements);
}

/* <program>/../lib/abhost/plugins; NULL where the program's own place is not known. */
static char *beside_program(void) {
  char *program = g_file_read_link("/proc/self/exe", NULL);
  if (!program) return NULL;
  char *folder = g_path_get_dirname(program);
  char *plugins = g_canonicalize_filename("../lib/abhost/plugins", folder);
  g_free(folder);
  g_free(program);
  return plugins;
}

GPtrArray *registry_search_path(const char *const *given) {
  GPtrArray *folders = g_ptr_array_new_with_free_func(folder_free);
  for (guint i = 0; given && given[i]; i++)
    add(folders, *given[i] ? g_canonicalize_filename(given[i], NULL) : g_strdup(""), FOLDER_GIVEN);
  add_list(folders, g_getenv("ABHOST_PLUGIN_PATH"));
  add(folders, g_build_filename(g_get_user_data_dir(), "abhost", "plugins", NULL), FOLDER_DEFAULT);
  add(folders, beside_program(), FOLDER_DEFAULT);
  return folders;
}
