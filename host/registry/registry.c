/* SPDX-License-Identifier: Apache-2.0
 *
 * The scan, and what it found. */
#include "registry-internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int compare_entries(gconstpointer a, gconstpointer b) {
  const AbComponent *left = (*(const Entry *const *)a)->component;
  const AbComponent *right = (*(const Entry *const *)b)->component;
  if (left->kind != right->kind) return left->kind < right->kind ? -1 : 1;
  return strcmp(left->name, right->name);
}

static int compare_refusals(gconstpointer a, gconstpointer b) {
  return strcmp((*(const Refusal *const *)a)->file, (*(const Refusal *const *)b)->file);
}

static int compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void registry_refuse(Registry *self, const char *file, const char *reason) {
  char *line = g_strdelimit(g_strdup(reason), "\r\n", ' ');
  Refusal *refusal = g_new(Refusal, 1);
  refusal->file = g_string_chunk_insert_const(self->strings, file);
  refusal->reason = g_string_chunk_insert(self->strings, line);
  g_ptr_array_add(self->refusals, refusal);
  g_free(line);
}

const Entry *registry_lookup(const Registry *self, AbKind kind, const char *name) {
  char *key = g_strdup_printf("%s/%s", ab_kind_name(kind), name);
  const Entry *entry = g_hash_table_lookup(self->by_name, key);
  g_free(key);
  return entry;
}

/* Files of a folder that are called like plugins, sorted; NULL with errno. */
static GPtrArray *list_plugins(const char *folder) {
  errno = 0;
  GDir *handle = g_dir_open(folder, 0, NULL);
  if (!handle) return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  for (const char *name; (name = g_dir_read_name(handle));)
    if (*name != '.' && g_str_has_suffix(name, ".so")) g_ptr_array_add(names, g_strdup(name));
  g_dir_close(handle);
  g_ptr_array_sort(names, compare_names);
  return names;
}

/* A folder that cannot be read: an error, a refusal or nothing, by who named it. */
static gboolean miss_folder(Registry *self, const Folder *folder, int failure, GError **error) {
  if (folder->origin == FOLDER_GIVEN) {
    g_set_error(error, HOST_ERROR, AB_UNAVAILABLE,
                "the plugin folder '%s' cannot be read: %s; correct --plugin-path", folder->path,
                g_strerror(failure));
    return FALSE;
  }
  if (folder->origin == FOLDER_NAMED || failure != ENOENT) {
    char *why = g_strdup_printf("the folder cannot be read: %s", g_strerror(failure));
    registry_refuse(self, folder->path, why);
    g_free(why);
  }
  return TRUE;
}

static gboolean scan_folder(Registry *self, const Folder *folder, GError **error) {
  struct stat status;
  if (stat(folder->path, &status) != 0) return miss_folder(self, folder, errno, error);
  if (!S_ISDIR(status.st_mode)) return miss_folder(self, folder, ENOTDIR, error);
  if (status.st_mode & S_IWOTH) {
    registry_refuse(self, folder->path, "all may write to this folder; chmod o-w it");
    return TRUE;
  }
  GPtrArray *names = list_plugins(folder->path);
  if (!names) return miss_folder(self, folder, errno ? errno : EIO, error);
  g_ptr_array_add(self->folders, g_strdup(folder->path));
  for (guint i = 0; i < names->len; i++) {
    char *file = g_build_filename(folder->path, names->pdata[i], NULL);
    registry_load(self, file);
    g_free(file);
  }
  g_ptr_array_unref(names);
  return TRUE;
}

Registry *registry_new(const char *const *folders, GError **error) {
  Registry *self = g_new0(Registry, 1);
  self->entries = g_ptr_array_new_with_free_func(g_free);
  self->refusals = g_ptr_array_new_with_free_func(g_free);
  self->folders = g_ptr_array_new_with_free_func(g_free);
  self->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  self->strings = g_string_chunk_new(1024);
  GPtrArray *search = registry_search_path(folders);
  gboolean done = TRUE;
  for (guint i = 0; i < search->len && done; i++) done = scan_folder(self, search->pdata[i], error);
  g_ptr_array_unref(search);
  g_ptr_array_add(self->folders, NULL);
  g_ptr_array_sort(self->entries, compare_entries);
  g_ptr_array_sort(self->refusals, compare_refusals);
  if (done) return self;
  registry_free(self);
  return NULL;
}

void registry_free(Registry *self) {
  if (!self) return;
  g_ptr_array_unref(self->entries);
  g_ptr_array_unref(self->refusals);
  g_ptr_array_unref(self->folders);
  g_hash_table_unref(self->by_name);
  g_string_chunk_free(self->strings);
  g_free(self);
}

const GPtrArray *registry_entries(const Registry *self) {
  return self->entries;
}

const GPtrArray *registry_refusals(const Registry *self) {
  return self->refusals;
}

const char *const *registry_folders(const Registry *self) {
  return (const char *const *)self->folders->pdata;
}
