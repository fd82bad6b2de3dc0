/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing texts and attributes. Texts are of fixed length: those of varying length lie in a heap
 * without checksum.                                                                             */
#include "store-internal.h"
#include <string.h>
#include <zlib.h>

static gboolean check_text(StoreWriter *self, const char *what, const char *text) {
  if (text != NULL && g_utf8_validate(text, -1, NULL)) return TRUE;
  store_writer_fail(self, AB_DATA, "cannot write %s: the text of %s is not UTF-8", self->path,
                    what);
  return FALSE;
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* `count` 0: a scalar. */
static hid_t create_attr(hid_t object, const char *name, hid_t type, hsize_t count) {
  AUTO_HID list = H5Pcreate(H5P_ATTRIBUTE_CREATE);
  AUTO_HID space = count > 0 ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
  htri_t exists = H5Aexists(object, name);

  if (list < 0 || space < 0 || exists < 0) return H5I_INVALID_HID;
  if (H5Pset_char_encoding(list, H5T_CSET_UTF8) < 0) return H5I_INVALID_HID;
  if (exists > 0 && H5Adelete(object, name) < 0) return H5I_INVALID_HID;
  return H5Acreate2(object, name, type, space, list, H5P_DEFAULT);
}

static gboolean write_attr(StoreWriter *self, hid_t object, const char *name, hid_t file_type,
                           hid_t memory_type, hsize_t count, const void *value) {
  AUTO_HID attr = H5I_INVALID_HID;
  gsize limit = STORE_MAX_ATTR / (gsize)MAX(count, 1);

  if (!store_name_component_ok(name) || H5Tget_size(file_type) > limit) {
    store_writer_fail(self, AB_DATA,
                      "cannot write %s: attribute \"%.64s\" is longer than 60 KiB or its name is "
                      "none\nuse a dataset",
                      self->path, name);
    return FALSE;
  }
  attr = create_attr(object, name, file_type, count);
  if (attr >= 0 && H5Awrite(attr, memory_type, value) >= 0) return TRUE;
  store_writer_fail_hdf5(self, name);
  return FALSE;
}

gboolean store_write_attr(StoreWriter *self, hid_t object, const char *name, hid_t file_type,
                          hid_t memory_type, const void *value) {
  return write_attr(self, object, name, file_type, memory_type, 0, value);
}

/* The object, made as a group if it names nothing yet. */
static hid_t open_or_make(StoreWriter *self, const char *name) {
  g_autofree char *leaf = NULL;
  AUTO_HID parent = H5I_INVALID_HID;
  AUTO_HID creation = H5I_INVALID_HID;
  AUTO_HID link = H5I_INVALID_HID;
  htri_t exists;
  hid_t object;

  if (name != NULL && strcmp(name, "/") == 0) {
    object = H5Gopen2(self->file, "/", H5P_DEFAULT);
  } else {
    parent = store_writer_parent(self, name, &leaf);
    if (parent < 0) return H5I_INVALID_HID;
    creation = store_untimed(H5P_GROUP_CREATE);
    link = store_link_list();
    exists = H5Lexists(parent, leaf, H5P_DEFAULT);
    object = exists < 0    ? H5I_INVALID_HID
             : exists == 0 ? H5Gcreate2(parent, leaf, link, creation, H5P_DEFAULT)
                           : H5Oopen(parent, leaf, H5P_DEFAULT);
  }
  if (object < 0) store_writer_fail_hdf5(self, name);
  return object;
}

static void write_attr_of(StoreWriter *self, const char *object, const char *name, hid_t file_type,
                          hid_t memory_type, const void *value) {
  AUTO_HID id = open_or_make(self, object);

  if (id >= 0) store_write_attr(self, id, name, file_type, memory_type, value);
}

void store_write_attr_int(StoreWriter *self, const char *object, const char *name, gint64 value) {
  if (self->error != NULL) return;
  store_lock();
  write_attr_of(self, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
  store_unlock();
}

void store_write_attr_real(StoreWriter *self, const char *object, const char *name, double value) {
  if (self->error != NULL) return;
  store_lock();
  write_attr_of(self, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
  store_unlock();
}

void store_write_attr_text(StoreWriter *self, const char *object, const char *name,
                           const char *value) {
  hid_t type;

  if (self->error != NULL || !check_text(self, name, value)) return;
  store_lock();
  type = store_type_text(strlen(value));
  write_attr_of(self, object, name, type, type, value);
  store_hid_clear(&type);
  store_unlock();
}

/* ---- lists of texts ------------------------------------------------------------------------ */

/* Side by side, each as long as the longest; NULL where that is too long. */
static char *pack_texts(const char *const *values, gsize count, gsize *width) {
  char *packed;

  *width = 1;
  for (gsize i = 0; i < count; i++) *width = MAX(*width, strlen(values[i]));
  if (count > STORE_MAX_ATTR / *width) return NULL;
  packed = g_malloc0(count * *width);
  for (gsize i = 0; i < count; i++) memcpy(packed + i * *width, values[i], strlen(values[i]));
  return packed;
}

static void write_texts_locked(StoreWriter *self, const char *object, const char *name,
                               const char *packed, gsize count, gsize width) {
  AUTO_HID id = open_or_make(self, object);
  AUTO_HID type = store_type_text(width);

  if (id >= 0) write_attr(self, id, name, type, type, count, packed);
}

void store_write_attr_texts(StoreWriter *self, const char *object, const char *name,
                            const char *const *values) {
  g_autofree char *packed = NULL;
  gsize count = 0, width;

  if (self->error != NULL) return;
  for (; values[count] != NULL; count++)
    if (!check_text(self, name, values[count])) return;
  if (count > 0) packed = pack_texts(values, count, &width);
  if (packed == NULL) {
    store_writer_fail(self, AB_DATA,
                      "cannot write %s: the list of texts \"%.64s\" is empty or longer than 60 KiB",
                      self->path, name);
    return;
  }
  store_lock();
  write_texts_locked(self, object, name, packed, count, width);
  store_unlock();
}

/* ---- text datasets ------------------------------------------------------------------------- */

static hid_t create_text(StoreWriter *self, const char *name, hid_t type, gboolean compact) {
  g_autofree char *leaf = NULL;
  AUTO_HID parent = store_writer_parent(self, name, &leaf);
  AUTO_HID list = store_untimed(H5P_DATASET_CREATE);
  AUTO_HID link = store_link_list();
  AUTO_HID space = H5Screate(H5S_SCALAR);
  hid_t id;

  if (parent < 0) return H5I_INVALID_HID;
  if (compact) H5Pset_layout(list, H5D_COMPACT);
  id = H5Dcreate2(parent, leaf, type, space, link, list, H5P_DEFAULT);
  if (id < 0) store_writer_fail_hdf5(self, name);
  return id;
}

/* A short text lies in the object header, under its checksum; a long one brings its own. */
static void write_text_locked(StoreWriter *self, const char *name, const char *text) {
  gsize length = strlen(text);
  gboolean compact = length <= STORE_MAX_ATTR;
  AUTO_HID type = store_type_text(length);
  hid_t id = create_text(self, name, type, compact);

  if (id < 0) return;
  if (!compact) {
    gint64 sum = (gint64)crc32_z(0, (const Bytef *)text, length);

    store_write_attr(self, id, STORE_TEXT_CHECKSUM, H5T_STD_I64LE, H5T_NATIVE_INT64, &sum);
  }
  if (self->error == NULL &&
      (H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0 || H5Dflush(id) < 0))
    store_writer_fail_hdf5(self, name);
  if (H5Dclose(id) < 0) store_writer_fail_hdf5(self, name);
}

void store_write_text(StoreWriter *self, const char *dataset, const char *text) {
  if (self->error != NULL || !check_text(self, dataset, text)) return;
  if (strlen(text) > STORE_MAX_TEXT) {
    store_writer_fail(self, AB_DATA, "cannot write %s: text %s is longer than 64 MiB", self->path,
                      dataset);
    return;
  }
  store_lock();
  write_text_locked(self, dataset, text);
  store_unlock();
}
