/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading texts, of fixed or of varying length, from a dataset or an attribute.                 */
#include "store-internal.h"
#include <string.h>
#include <zlib.h>

static char *refuse(const char *what, const char *why, GError **error) {
  g_set_error(error, HOST_ERROR, AB_DATA, "%s %s", what, why);
  return NULL;
}

typedef struct {
  hid_t id;
  hid_t type;
  StoreReadFunc read;
} Varying;

static gboolean send_varying(int fd, gpointer data) {
  const Varying *self = data;
  char *text = NULL;

  if (self->read(self->id, self->type, &text) < 0) return FALSE;
  return text == NULL || store_child_write(fd, text, strlen(text));
}

static char *read_varying(hid_t id, hid_t type, StoreReadFunc read, const char *what,
                          GError **error) {
  AUTO_HID memory = H5Tcopy(H5T_C_S1);
  Varying varying = {.id = id, .type = memory, .read = read};
  GByteArray *output;

  /* HDF5 converts between character sets for nobody: ask for the one of the file. */
  if (memory < 0 || H5Tset_size(memory, H5T_VARIABLE) < 0 ||
      H5Tset_cset(memory, H5Tget_cset(type)) < 0) {
    store_fail(error, "%s is damaged", what);
    return NULL;
  }
  output = g_byte_array_new();
  if (store_in_child(send_varying, &varying, output, what, error))
    return (char *)g_byte_array_free(output, FALSE);
  g_byte_array_unref(output);
  return NULL;
}

static char *read_fixed(hid_t id, hid_t type, StoreReadFunc read, const char *what,
                        GError **error) {
  gsize size = H5Tget_size(type);
  char *text;

  if (size > STORE_MAX_TEXT) return refuse(what, "is longer than 64 MiB", error);
  text = g_try_malloc0(size + 1);
  if (text == NULL) return refuse(what, "does not fit into memory", error);
  if (read(id, type, text) < 0) {
    store_fail(error, "%s is damaged", what);
    g_free(text);
    return NULL;
  }
  if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
    while (size > 0 && text[size - 1] == ' ') text[--size] = '\0';
  return text;
}

char *store_text_read(hid_t id, hid_t type, StoreReadFunc read, const char *what, GError **error) {
  htri_t varying;
  char *text;

  if (H5Tget_class(type) != H5T_STRING) {
    g_set_error(error, HOST_ERROR, AB_DATA, "%s is %s, not a text", what,
                store_type_describe(type));
    return NULL;
  }
  varying = H5Tis_variable_str(type);
  text = varying > 0 ? read_varying(id, type, read, what, error)
                     : read_fixed(id, type, read, what, error);
  if (text != NULL && !g_utf8_validate(text, -1, NULL)) {
    g_free(text);
    return refuse(what, "is not UTF-8", error);
  }
  return text;
}

static herr_t read_dataset(hid_t id, hid_t type, void *buffer) {
  return H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
}

static gboolean one_element(const StoreInfo *info) {
  for (int i = 0; i < info->rank; i++)
    if (info->shape[i] != 1) return FALSE;
  return TRUE;
}

/* Texts too long for an object header, whose checksum would cover them, carry their own. */
static gboolean check_sum(StoreFile *self, const char *name, hid_t type, const char *text,
                          GError **error) {
  gboolean has;
  gint64 sum;

  if (H5Tis_variable_str(type) > 0 || H5Tget_size(type) <= STORE_MAX_ATTR) return TRUE;
  if (!store_attr_has(self, name, STORE_TEXT_CHECKSUM, &has, error)) return FALSE;
  if (!has) return TRUE;
  if (!store_read_attr_int(self, name, STORE_TEXT_CHECKSUM, &sum, error)) return FALSE;
  if ((gint64)crc32_z(0, (const Bytef *)text, strlen(text)) == sum) return TRUE;
  g_set_error(error, HOST_ERROR, AB_DATA,
              "dataset %s of %s is damaged: its checksum differs\n"
              "restore the file from a copy or make it anew",
              name, self->path);
  return FALSE;
}

static char *read_text_locked(StoreFile *self, const char *name, GError **error) {
  g_autofree char *what = g_strdup_printf("dataset %s of %s", name, self->path);
  StoreDataset *dataset = store_dataset(self, name, error);
  AUTO_HID type = H5I_INVALID_HID;
  char *text;

  if (dataset == NULL) return NULL;
  if (!one_element(&dataset->info)) return refuse(what, "is an array, not one text", error);
  type = H5Dget_type(dataset->id);
  if (type < 0) {
    store_fail_damaged(error, self->path, name);
    return NULL;
  }
  text = store_text_read(dataset->id, type, read_dataset, what, error);
  if (text != NULL && !check_sum(self, name, type, text, error)) g_clear_pointer(&text, g_free);
  return text;
}

char *store_read_text(StoreFile *self, const char *dataset, GError **error) {
  char *text;

  store_lock();
  text = read_text_locked(self, dataset, error);
  store_unlock();
  return text;
}
