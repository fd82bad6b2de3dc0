/* SPDX-License-Identifier: Apache-2.0
 *
 * All datasets below a group. Hard links can form circles: every group is entered once.         */
#include "store-internal.h"
#include <string.h>

typedef struct {
  StoreFile *file;
  GHashTable *entered; /* addresses of groups */
  GPtrArray *names;    /* the result          */
  guint links;         /* seen so far         */
  GError **error;
} Listing;

typedef struct {
  Listing *listing;
  GPtrArray *links; /* names of the hard links of one group */
  gboolean refused;
} Collect;

static herr_t collect_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
  Collect *self = data;

  (void)group;
  if (++self->listing->links > STORE_MAX_COUNT || !store_name_component_ok(name)) {
    self->refused = TRUE;
    return -1;
  }
  if (info->type == H5L_TYPE_HARD) g_ptr_array_add(self->links, g_strdup(name));
  return 0;
}

static gboolean list_group(Listing *self, hid_t group, const char *prefix, int depth);

static gboolean list_link(Listing *self, hid_t group, const char *prefix, const char *link,
                          int depth) {
  g_autofree char *name = g_strconcat(prefix, "/", link, NULL);
  AUTO_HID child = H5I_INVALID_HID;
  H5O_info_t info;
  gint64 address;

  if (H5Oget_info_by_name2(group, link, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return store_fail(self->error, "%s of %s is damaged", name, self->file->path);
  if (info.type == H5O_TYPE_DATASET) {
    g_ptr_array_add(self->names, g_steal_pointer(&name));
    return TRUE;
  }
  if (info.type != H5O_TYPE_GROUP) return TRUE; /* a named type */
  address = (gint64)info.addr;
  if (depth >= STORE_MAX_DEPTH || strlen(name) > STORE_MAX_PATH ||
      !g_hash_table_add(self->entered, g_memdup2(&address, sizeof address))) {
    g_set_error(self->error, HOST_ERROR, AB_DATA,
                "group %s of %s is nested too deeply or reached on two ways", name,
                self->file->path);
    return FALSE;
  }
  child = H5Gopen2(group, link, H5P_DEFAULT);
  if (child < 0)
    return store_fail(self->error, "group %s of %s is damaged", name, self->file->path);
  return list_group(self, child, name, depth + 1);
}

static gboolean list_group(Listing *self, hid_t group, const char *prefix, int depth) {
  g_autoptr(GPtrArray) links = g_ptr_array_new_with_free_func(g_free);
  Collect collect = {.listing = self, .links = links};
  hsize_t index = 0;

  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &index, collect_link, &collect) < 0) {
    if (!collect.refused)
      return store_fail(self->error, "group %s of %s is damaged", prefix[0] != '\0' ? prefix : "/",
                        self->file->path);
    g_set_error(self->error, HOST_ERROR, AB_DATA,
                "group %s of %s holds more than %d names, or one that is too long or not UTF-8",
                prefix[0] != '\0' ? prefix : "/", self->file->path, STORE_MAX_COUNT);
    return FALSE;
  }
  for (guint i = 0; i < links->len; i++)
    if (!list_link(self, group, prefix, g_ptr_array_index(links, i), depth)) return FALSE;
  return TRUE;
}

static int compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean list_locked(Listing *self, const char *group) {
  g_autofree char *prefix = NULL;
  AUTO_HID id = store_walk(self->file, group, self->error);

  if (id < 0) return FALSE;
  if (H5Iget_type(id) != H5I_GROUP) {
    g_set_error(self->error, HOST_ERROR, AB_DATA, "%s of %s is not a group", group,
                self->file->path);
    return FALSE;
  }
  prefix = g_strconcat(group[0] == '/' ? "" : "/", group, NULL);
  if (strcmp(prefix, "/") == 0) prefix[0] = '\0';
  return list_group(self, id, prefix, 0);
}

GPtrArray *store_list(StoreFile *self, const char *group, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  Listing listing = {.file = self, .names = names, .error = error};
  gboolean listed;

  if (!store_has(self, group)) return g_steal_pointer(&names);
  listing.entered = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  store_lock();
  listed = list_locked(&listing, group);
  store_unlock();
  g_hash_table_unref(listing.entered);
  if (!listed) return NULL;
  g_ptr_array_sort(names, compare_names);
  return g_steal_pointer(&names);
}
