/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets whose first axis grows. They stay open until the commit: a chunk that is half full
 * waits in HDF5's cache for its other half.                                                     */
#include "store-internal.h"

typedef struct {
  hid_t id;
  AbDtype dtype;
  int rank;
  gint64 shape[AB_MAX_RANK]; /* shape[0]: rows so far */
} Growing;

static hid_t creation_list(AbDtype dtype, int rank, const gint64 *shape) {
  hid_t list = store_untimed(H5P_DATASET_CREATE);
  hsize_t chunk[AB_MAX_RANK];
  guint64 row = ab_dtype_size(dtype);

  store_plan_block(rank - 1, shape + 1, row, STORE_SLAB, chunk + 1);
  for (int i = 1; i < rank; i++) row *= (guint64)MAX(shape[i], 1);
  chunk[0] = MAX(STORE_APPEND_CHUNK / row, 1);
  if (list >= 0 && (H5Pset_chunk(list, rank, chunk) < 0 || H5Pset_fletcher32(list) < 0))
    store_hid_clear(&list);
  return list;
}

static hid_t access_list(void) {
  hid_t list = H5Pcreate(H5P_DATASET_ACCESS);

  if (list >= 0 && H5Pset_chunk_cache(list, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, STORE_CHUNK_CACHE,
                                      H5D_CHUNK_CACHE_W0_DEFAULT) < 0)
    store_hid_clear(&list);
  return list;
}

static hid_t create(StoreWriter *self, const char *name, AbDtype dtype, int rank,
                    const gint64 *shape) {
  g_autofree char *leaf = NULL;
  AUTO_HID parent = store_writer_parent(self, name, &leaf);
  AUTO_HID list = creation_list(dtype, rank, shape);
  AUTO_HID access = access_list();
  AUTO_HID link = store_link_list();
  AUTO_HID type = store_type_file(dtype);
  AUTO_HID space = H5I_INVALID_HID;
  hsize_t dims[AB_MAX_RANK], most[AB_MAX_RANK];
  hid_t id;

  if (parent < 0) return H5I_INVALID_HID;
  for (int i = 0; i < rank; i++) {
    dims[i] = i == 0 ? 0 : (hsize_t)shape[i];
    most[i] = i == 0 ? H5S_UNLIMITED : MAX(dims[i], 1); /* a chunk has at least one element */
  }
  space = H5Screate_simple(rank, dims, most);
  id = H5Dcreate2(parent, leaf, type, space, link, list, access);
  if (id < 0) store_writer_fail_hdf5(self, name);
  return id;
}

static Growing *begin(StoreWriter *self, const char *name, AbDtype dtype, int rank,
                      const gint64 *shape) {
  Growing *growing;
  hid_t id;

  store_lock();
  id = create(self, name, dtype, rank, shape);
  store_unlock();
  if (id < 0) return NULL;
  growing = g_new0(Growing, 1);
  growing->id = id;
  growing->dtype = dtype;
  growing->rank = rank;
  for (int i = 1; i < rank; i++) growing->shape[i] = shape[i];
  g_hash_table_insert(self->growing, g_strdup(name), growing);
  return growing;
}

static gboolean fits(const Growing *self, AbDtype dtype, int rank, const gint64 *shape) {
  gboolean same = self->dtype == dtype && self->rank == rank;

  for (int i = 1; same && i < rank; i++) same = self->shape[i] == shape[i];
  return same && shape[0] <= G_MAXINT64 - self->shape[0];
}

static gboolean extend(StoreWriter *self, const char *name, const Growing *growing, gint64 rows) {
  hsize_t dims[AB_MAX_RANK];
  gboolean ok;

  for (int i = 0; i < growing->rank; i++) dims[i] = (hsize_t)growing->shape[i];
  dims[0] += (hsize_t)rows;
  store_lock();
  ok = H5Dset_extent(growing->id, dims) >= 0;
  if (!ok) store_writer_fail_hdf5(self, name);
  store_unlock();
  return ok;
}

void store_append(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                  const gint64 *shape, const void *data) {
  Growing *growing;

  if (self->error != NULL || !store_writer_shape_ok(self, dataset, dtype, rank, shape, data))
    return;
  growing = g_hash_table_lookup(self->growing, dataset);
  if (rank == 0 || (growing != NULL && !fits(growing, dtype, rank, shape))) {
    store_writer_fail(self, AB_INTERNAL,
                      "cannot write %s: what is appended to dataset %s does not fit it", self->path,
                      dataset);
    return;
  }
  if (growing == NULL) growing = begin(self, dataset, dtype, rank, shape);
  if (growing == NULL || shape[0] == 0 || !extend(self, dataset, growing, shape[0])) return;
  if (store_write_blocks(self, dataset, growing->id, dtype, rank, shape, growing->shape[0], data))
    growing->shape[0] += shape[0];
}

void store_growing_close(StoreWriter *self) {
  GHashTableIter iter;
  gpointer name, value;

  /* All flushes first: the first that fails opens the void for all closes. */
  g_hash_table_iter_init(&iter, self->growing);
  while (self->error == NULL && g_hash_table_iter_next(&iter, &name, &value))
    if (H5Dflush(((Growing *)value)->id) < 0) store_writer_fail_hdf5(self, name);
  g_hash_table_iter_init(&iter, self->growing);
  while (g_hash_table_iter_next(&iter, &name, &value))
    if (H5Dclose(((Growing *)value)->id) < 0) store_writer_fail_hdf5(self, name);
  g_hash_table_remove_all(self->growing);
}
