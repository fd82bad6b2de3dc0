/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets of a file that is read: opened, checked once, and a few kept open, so that reading
 * batch after batch neither checks nor unpacks the same chunk again.                            */
#include "store-internal.h"
#include <string.h>

void store_dataset_clear(StoreDataset *dataset) {
  store_hid_clear(&dataset->id);
  g_clear_pointer(&dataset->name, g_free);
  dataset->used = 0;
}

/* HDF5 unpacks a chunk that its cache cannot hold anew for every read: the cache holds one. */
static hid_t reopen_with_cache(StoreFile *self, const char *name, gint64 chunk_bytes) {
  AUTO_HID access = H5Pcreate(H5P_DATASET_ACCESS);
  gsize bytes = (gsize)MAX(chunk_bytes, STORE_CHUNK_CACHE);

  if (access < 0 || H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, bytes,
                                       H5D_CHUNK_CACHE_W0_DEFAULT) < 0)
    return H5I_INVALID_HID;
  return H5Dopen2(self->id, name, access);
}

static gboolean open_checked(StoreFile *self, const char *name, StoreDataset *dataset,
                             GError **error) {
  AUTO_HID id = store_walk(self, name, error);
  gint64 chunk_bytes = 0;

  if (id < 0) return FALSE;
  if (H5Iget_type(id) != H5I_DATASET) {
    g_set_error(error, HOST_ERROR, AB_DATA, "%s of %s is not a dataset", name, self->path);
    return FALSE;
  }
  if (!store_dataset_check(self, name, id, dataset, &chunk_bytes, error)) return FALSE;
  if (chunk_bytes > 0) {
    store_hid_clear(&id); /* an open one would lend the new its cache */
    id = reopen_with_cache(self, name, chunk_bytes);
    if (id < 0) return store_fail_damaged(error, self->path, name);
  }
  dataset->id = id;
  id = H5I_INVALID_HID;
  dataset->name = g_strdup(name);
  return TRUE;
}

StoreDataset *store_dataset(StoreFile *self, const char *name, GError **error) {
  StoreDataset *slot = &self->open[0];

  for (int i = 0; i < STORE_OPEN_DATASETS; i++) {
    StoreDataset *at = &self->open[i];

    if (at->name != NULL && strcmp(at->name, name) == 0) {
      at->used = ++self->clock;
      return at;
    }
    if (at->used < slot->used) slot = at;
  }
  store_dataset_clear(slot);
  if (!open_checked(self, name, slot, error)) return NULL;
  slot->used = ++self->clock;
  return slot;
}

gboolean store_info(StoreFile *self, const char *dataset, StoreInfo *info, GError **error) {
  StoreDataset *found;

  store_lock();
  found = store_dataset(self, dataset, error);
  if (found != NULL) *info = found->info;
  store_unlock();
  return found != NULL;
}
