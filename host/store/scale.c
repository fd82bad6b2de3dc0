/* SPDX-License-Identifier: Apache-2.0
 *
 * Dimension scales: datasets that say what lies along an axis of others (the H5DS conventions, by
 * HDF5's high-level library).                                                                   */
#include "store-internal.h"
#include <hdf5_hl.h>

static hid_t open_dataset(StoreWriter *self, const char *name) {
  g_autofree char *leaf = NULL;
  AUTO_HID parent = store_writer_parent(self, name, &leaf);
  hid_t id = H5I_INVALID_HID;

  if (parent < 0) return id;
  id = H5Dopen2(parent, leaf, H5P_DEFAULT);
  if (id < 0) store_writer_fail_hdf5(self, name);
  return id;
}

/* The length of an axis of a dataset of `rank` axes (-1: any); -1 if it has no such axis. */
static gint64 axis_length(hid_t dataset, int rank, int axis) {
  AUTO_HID space = H5Dget_space(dataset);
  hsize_t dims[H5S_MAX_RANK];
  int axes = H5Sget_simple_extent_ndims(space);

  if (axis < 0 || axis >= axes || (rank >= 0 && axes != rank)) return -1;
  if (H5Sget_simple_extent_dims(space, dims, NULL) < 0) return -1;
  return (gint64)dims[axis];
}

/* Makes it a scale that has the name of its dataset. */
static gboolean make_scale(hid_t id, const char *name) {
  g_auto(GStrv) parts = store_name_split(name);
  htri_t already = H5DSis_scale(id);

  if (already != 0) return already > 0;
  return H5DSset_scale(id, parts[g_strv_length(parts) - 1]) >= 0;
}

static void attach_locked(StoreWriter *self, const char *dataset, int axis, const char *scale) {
  AUTO_HID to = open_dataset(self, dataset);
  AUTO_HID from = to >= 0 ? open_dataset(self, scale) : H5I_INVALID_HID;
  gint64 length;

  if (from < 0) return;
  length = axis_length(from, 1, 0);
  if (length < 0 || length != axis_length(to, -1, axis))
    store_writer_fail(self, AB_INTERNAL, "cannot write %s: %s is no scale of axis %d of %s",
                      self->path, scale, axis, dataset);
  else if (!make_scale(from, scale) || H5DSattach_scale(to, from, (unsigned)axis) < 0)
    store_writer_fail_hdf5(self, scale);
}

void store_write_scale(StoreWriter *self, const char *dataset, int axis, const char *scale) {
  if (self->error != NULL) return;
  store_lock();
  attach_locked(self, dataset, axis, scale);
  store_unlock();
}

static void label_locked(StoreWriter *self, const char *dataset, int axis, const char *label) {
  AUTO_HID id = open_dataset(self, dataset);

  if (id < 0) return;
  if (axis_length(id, -1, axis) < 0)
    store_writer_fail(self, AB_INTERNAL, "cannot write %s: %s has no axis %d to be named %s",
                      self->path, dataset, axis, label);
  else if (H5DSset_label(id, (unsigned)axis, label) < 0)
    store_writer_fail_hdf5(self, dataset);
}

void store_write_label(StoreWriter *self, const char *dataset, int axis, const char *label) {
  if (self->error != NULL) return;
  store_lock();
  label_locked(self, dataset, axis, label);
  store_unlock();
}
