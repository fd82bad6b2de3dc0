/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing arrays of numbers. Everything that is stored is covered by a checksum: arrays by the
 * filter fletcher32 of their chunks, scalars by that of the object header that holds them.      */
#include "store-internal.h"
#include <string.h>

hid_t store_untimed(hid_t class_id) {
  hid_t list = H5Pcreate(class_id);

  if (list >= 0 && H5Pset_obj_track_times(list, FALSE) < 0) store_hid_clear(&list);
  return list;
}

hid_t store_link_list(void) {
  hid_t list = H5Pcreate(H5P_LINK_CREATE);

  if (list >= 0 && H5Pset_char_encoding(list, H5T_CSET_UTF8) < 0) store_hid_clear(&list);
  return list;
}

/* ---- names --------------------------------------------------------------------------------- */

/* Into the group `component`, made if need be; closes `group`. */
static hid_t enter(StoreWriter *self, hid_t group, const char *component, const char *name) {
  AUTO_HID from = group;
  AUTO_HID creation = store_untimed(H5P_GROUP_CREATE);
  AUTO_HID link = store_link_list();
  htri_t exists = H5Lexists(from, component, H5P_DEFAULT);
  hid_t next;

  next = exists < 0    ? H5I_INVALID_HID
         : exists == 0 ? H5Gcreate2(from, component, link, creation, H5P_DEFAULT)
                       : H5Gopen2(from, component, H5P_DEFAULT);
  if (next < 0) store_writer_fail_hdf5(self, name);
  return next;
}

hid_t store_writer_parent(StoreWriter *self, const char *name, char **leaf) {
  g_auto(GStrv) parts = store_name_split(name);
  hid_t group;
  guint i;

  *leaf = NULL;
  if (parts == NULL) {
    store_writer_fail(self, AB_INTERNAL, "cannot write %s: \"%s\" is no name for a dataset",
                      self->path, name != NULL ? name : "");
    return H5I_INVALID_HID;
  }
  group = H5Gopen2(self->file, "/", H5P_DEFAULT);
  if (group < 0) store_writer_fail_hdf5(self, name);
  for (i = 0; group >= 0 && parts[i + 1] != NULL; i++) group = enter(self, group, parts[i], name);
  if (group >= 0) *leaf = g_strdup(parts[i]);
  return group;
}

/* ---- shapes -------------------------------------------------------------------------------- */

gboolean store_writer_shape_ok(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                               const gint64 *shape, const void *data) {
  guint64 bytes = ab_dtype_size(dtype);
  gboolean ok = bytes > 0 && rank >= 0 && rank <= AB_MAX_RANK, empty = FALSE;

  for (int i = 0; ok && i < rank; i++) {
    ok = shape[i] >= 0 && g_uint64_checked_mul(&bytes, bytes, MAX((guint64)shape[i], 1));
    if (ok && shape[i] == 0) empty = TRUE;
  }
  ok = ok && bytes <= G_MAXINT64 && (empty || data != NULL);
  if (ok && dtype == AB_BOOL && !empty)
    for (guint64 i = 0; ok && i < bytes; i++) ok = ((const guint8 *)data)[i] <= 1;
  if (!ok)
    store_writer_fail(self, AB_INTERNAL,
                      "cannot write %s: dataset %s has an impossible type, shape or truth value",
                      self->path, dataset);
  return ok;
}

void store_plan_block(int rank, const gint64 *shape, gsize element, guint64 limit, hsize_t *block) {
  guint64 inner = element, fit, pieces;
  int axis = rank - 1;

  for (int i = 0; i < rank; i++) block[i] = 1;
  for (; axis >= 0 && (guint64)MAX(shape[axis], 1) <= limit / inner; axis--) {
    block[axis] = (hsize_t)MAX(shape[axis], 1);
    inner *= block[axis];
  }
  if (axis < 0) return;
  /* Equal pieces: what a last chunk lacks is stored nevertheless. */
  fit = MAX(limit / inner, 1);
  pieces = ((guint64)shape[axis] + fit - 1) / fit;
  block[axis] = ((guint64)shape[axis] + pieces - 1) / pieces;
}

/* ---- data ---------------------------------------------------------------------------------- */

typedef struct {
  hid_t id;
  hid_t type;
  int rank;
  const gint64 *shape;
  gint64 first; /* row of the dataset at which the data begin */
} Target;

static gboolean write_block(const Target *self, const hsize_t *at, const hsize_t *size,
                            const void *data) {
  AUTO_HID space = H5Dget_space(self->id);
  AUTO_HID memory = H5I_INVALID_HID;
  hsize_t start[AB_MAX_RANK], elements = 1;

  if (space < 0) return FALSE;
  for (int i = 0; i < self->rank; i++) {
    start[i] = at[i] + (i == 0 ? (hsize_t)self->first : 0);
    elements *= size[i];
  }
  if (self->rank > 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0)
    return FALSE;
  memory = H5Screate_simple(1, &elements, NULL);
  return memory >= 0 && H5Dwrite(self->id, self->type, memory, space, H5P_DEFAULT, data) >= 0;
}

/* The next block in row-major order; FALSE after the last. */
static gboolean advance(const Target *self, hsize_t *at, const hsize_t *block) {
  for (int i = self->rank - 1; i >= 0; i--) {
    at[i] += block[i];
    if (at[i] < (hsize_t)self->shape[i]) return TRUE;
    at[i] = 0;
  }
  return FALSE;
}

static gboolean write_blocks(StoreWriter *self, const char *name, const Target *target,
                             gsize element, const void *data) {
  hsize_t block[AB_MAX_RANK], at[AB_MAX_RANK] = {0}, size[AB_MAX_RANK];
  const char *from = data;
  gboolean ok;

  store_plan_block(target->rank, target->shape, element, STORE_SLAB, block);
  do {
    gsize bytes = element;

    for (int i = 0; i < target->rank; i++) {
      size[i] = MIN(block[i], (hsize_t)target->shape[i] - at[i]);
      bytes *= size[i];
    }
    store_lock();
    ok = write_block(target, at, size, from);
    if (!ok) store_writer_fail_hdf5(self, name);
    store_unlock();
    from += bytes;
  } while (ok && advance(target, at, block));
  return ok;
}

gboolean store_write_blocks(StoreWriter *self, const char *name, hid_t dataset, AbDtype dtype,
                            int rank, const gint64 *shape, gint64 first, const void *data) {
  Target target = {.id = dataset, .rank = rank, .shape = shape, .first = first};
  gboolean ok;

  for (int i = 0; i < rank; i++)
    if (shape[i] == 0) return TRUE;
  store_lock();
  /* A truth value is converted by nobody: in memory it is the enumeration of the file. */
  target.type = dtype == AB_BOOL ? store_type_file(dtype) : store_type_memory(dtype);
  store_unlock();
  ok = write_blocks(self, name, &target, ab_dtype_size(dtype), data);
  store_lock();
  store_hid_clear(&target.type);
  store_unlock();
  return ok;
}

/* Arrays in chunks with a checksum; a scalar, which knows no chunks, in its object header. */
static hid_t creation_list(AbDtype dtype, int rank, const gint64 *shape) {
  hid_t list = store_untimed(H5P_DATASET_CREATE);
  hsize_t block[AB_MAX_RANK];
  gboolean ok, empty = FALSE;

  for (int i = 0; i < rank; i++)
    if (shape[i] == 0) empty = TRUE;
  if (list < 0 || empty) return list;
  if (rank == 0) {
    ok = H5Pset_layout(list, H5D_COMPACT) >= 0;
  } else {
    store_plan_block(rank, shape, ab_dtype_size(dtype), STORE_SLAB, block);
    ok = H5Pset_chunk(list, rank, block) >= 0 && H5Pset_fletcher32(list) >= 0;
  }
  if (!ok) store_hid_clear(&list);
  return list;
}

static gboolean write_axes(StoreWriter *self, hid_t dataset, const char *axes) {
  AUTO_HID type = store_type_text(strlen(axes));

  return store_write_attr(self, dataset, "axes", type, type, axes);
}

static hid_t create_dataset(StoreWriter *self, const char *name, AbDtype dtype, int rank,
                            const gint64 *shape) {
  g_autofree char *leaf = NULL;
  AUTO_HID parent = store_writer_parent(self, name, &leaf);
  AUTO_HID list = creation_list(dtype, rank, shape);
  AUTO_HID link = store_link_list();
  AUTO_HID type = store_type_file(dtype);
  AUTO_HID space = H5I_INVALID_HID;
  hsize_t dims[AB_MAX_RANK];
  hid_t id;

  if (parent < 0) return H5I_INVALID_HID;
  for (int i = 0; i < rank; i++) dims[i] = (hsize_t)shape[i];
  space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
  id = H5Dcreate2(parent, leaf, type, space, link, list, H5P_DEFAULT);
  if (id < 0) store_writer_fail_hdf5(self, name);
  return id;
}

void store_write(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                 const gint64 *shape, const void *data, const char *axes) {
  hid_t id;

  if (self->error != NULL || !store_writer_shape_ok(self, dataset, dtype, rank, shape, data))
    return;
  store_lock();
  id = create_dataset(self, dataset, dtype, rank, shape);
  if (id >= 0 && axes != NULL) write_axes(self, id, axes);
  store_unlock();
  if (id < 0) return;
  if (self->error == NULL) store_write_blocks(self, dataset, id, dtype, rank, shape, 0, data);
  store_lock();
  /* First the flush: after it fails, the close has the void to write into and succeeds. */
  if (self->error == NULL && H5Dflush(id) < 0) store_writer_fail_hdf5(self, dataset);
  if (H5Dclose(id) < 0) store_writer_fail_hdf5(self, dataset);
  store_unlock();
}
