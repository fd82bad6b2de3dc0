/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading attributes: one number, one text, or a list of texts.                                  */
#include "store-internal.h"

typedef struct {
  hid_t object;
  hid_t id;
  hid_t type;
  char *what; /* for messages */
} Attr;

static void attr_clear(Attr *self) {
  store_hid_clear(&self->type);
  store_hid_clear(&self->id);
  store_hid_clear(&self->object);
  g_free(self->what);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attr, attr_clear)

static gboolean refuse(const Attr *self, const char *why, GError **error) {
  g_set_error(error, HOST_ERROR, AB_DATA, "%s %s", self->what, why);
  return FALSE;
}

static herr_t visit(hid_t object, const char *name, const H5A_info_t *info, void *data) {
  AUTO_HID id = H5Aopen(object, name, H5P_DEFAULT);
  AUTO_HID type = H5Aget_type(id);
  AUTO_HID space = H5Aget_space(id);

  (void)info;
  (void)data;
  return 0;
}

/* What HDF5 reports as an error the parent will meet again. */
static gboolean visit_all(int fd, gpointer data) {
  hsize_t index = 0;

  (void)fd;
  H5Aiterate2(*(const hid_t *)data, H5_INDEX_NAME, H5_ITER_NATIVE, &index, visit, NULL);
  return TRUE;
}

/* Once per object, a child reads all of its attributes: see child.c. */
static gboolean check_sound(StoreFile *file, const char *name, hid_t object, GError **error) {
  g_autoptr(GByteArray) output = NULL;
  g_autofree char *what = NULL;

  if (g_hash_table_contains(file->sound, name)) return TRUE;
  output = g_byte_array_new();
  what = g_strdup_printf("an attribute of %s in %s", name, file->path);
  if (!store_in_child(visit_all, &object, output, what, error)) return FALSE;
  g_hash_table_add(file->sound, g_strdup(name));
  return TRUE;
}

gboolean store_attr_has(StoreFile *self, const char *object, const char *name, gboolean *has,
                        GError **error) {
  AUTO_HID id = store_walk(self, object, error);
  htri_t exists;

  if (id < 0 || !check_sound(self, object, id, error)) return FALSE;
  exists = H5Aexists(id, name);
  *has = exists > 0;
  return exists >= 0 || store_fail(error, "%s of %s is damaged", object, self->path);
}

/* `values` NULL: there must be one; else how many there are. */
static gboolean attr_open(Attr *self, StoreFile *file, const char *object, const char *name,
                          gsize *values, GError **error) {
  AUTO_HID space = H5I_INVALID_HID;
  hssize_t count;
  htri_t exists;

  self->id = self->type = H5I_INVALID_HID;
  self->what = g_strdup_printf("attribute \"%s\" of %s in %s", name, object, file->path);
  self->object = store_walk(file, object, error);
  if (self->object < 0) return FALSE;
  if (!check_sound(file, object, self->object, error)) return FALSE;
  exists = H5Aexists(self->object, name);
  if (exists < 0) return store_fail(error, "%s is damaged", self->what);
  if (exists == 0) return refuse(self, "is missing", error);
  self->id = H5Aopen(self->object, name, H5P_DEFAULT);
  if (self->id < 0) return store_fail(error, "%s is damaged", self->what);
  self->type = H5Aget_type(self->id);
  space = H5Aget_space(self->id);
  if (self->type < 0 || space < 0) return store_fail(error, "%s is damaged", self->what);
  count = H5Sget_simple_extent_npoints(space);
  if (count < 0) return store_fail(error, "%s is damaged", self->what);
  if (values == NULL && count != 1) return refuse(self, "is not one value", error);
  if (H5Tget_size(self->type) > STORE_MAX_ATTR / (gsize)MAX(count, 1))
    return refuse(self, "is too long", error);
  if (values != NULL) *values = (gsize)count;
  return TRUE;
}

static gboolean read_integer(Attr *self, gint64 *value, GError **error) {
  AbDtype dtype;
  guint64 large;
  StoreKind kind = store_type_kind(self->type, &dtype);

  if (kind != STORE_BOOL && (kind != STORE_NUMBER || H5Tget_class(self->type) != H5T_INTEGER))
    return refuse(self, "is not an integer", error);
  if (H5Aread(self->id, H5T_NATIVE_INT64, value) < 0)
    return store_fail(error, "%s is damaged", self->what);
  /* Attributes know no strict conversion: a too large uint64 would be clamped. */
  if (H5Tget_class(self->type) == H5T_INTEGER && H5Tget_sign(self->type) == H5T_SGN_NONE) {
    if (H5Aread(self->id, H5T_NATIVE_UINT64, &large) < 0)
      return store_fail(error, "%s is damaged", self->what);
    if (large > G_MAXINT64) return refuse(self, "is too large", error);
  }
  return TRUE;
}

static gboolean read_real(Attr *self, double *value, GError **error) {
  AbDtype dtype;
  StoreKind kind = store_type_kind(self->type, &dtype);

  if (kind != STORE_NUMBER) return refuse(self, "is not a number", error);
  if (H5Aread(self->id, H5T_NATIVE_DOUBLE, value) < 0)
    return store_fail(error, "%s is damaged", self->what);
  return TRUE;
}

gboolean store_read_attr_int(StoreFile *self, const char *object, const char *name, gint64 *value,
                             GError **error) {
  gboolean ok;

  store_lock();
  {
    g_auto(Attr) attr;

    ok = attr_open(&attr, self, object, name, NULL, error) && read_integer(&attr, value, error);
  }
  store_unlock();
  return ok;
}

gboolean store_read_attr_real(StoreFile *self, const char *object, const char *name, double *value,
                              GError **error) {
  gboolean ok;

  store_lock();
  {
    g_auto(Attr) attr;

    ok = attr_open(&attr, self, object, name, NULL, error) && read_real(&attr, value, error);
  }
  store_unlock();
  return ok;
}

static herr_t read_attr(hid_t id, hid_t type, void *buffer) {
  return H5Aread(id, type, buffer);
}

char *store_read_attr_text(StoreFile *self, const char *object, const char *name, GError **error) {
  char *text = NULL;

  store_lock();
  {
    g_auto(Attr) attr;

    if (attr_open(&attr, self, object, name, NULL, error))
      text = store_text_read(attr.id, attr.type, read_attr, attr.what, error);
  }
  store_unlock();
  return text;
}

/* ---- lists of texts -------------------------------------------------------------------------- */

/* They lie side by side; a shorter one ends with a zero, or with spaces. */
static char **read_fixed_texts(const Attr *self, gsize count, GError **error) {
  gsize width = H5Tget_size(self->type);
  gboolean spaces = H5Tget_strpad(self->type) == H5T_STR_SPACEPAD;
  g_autofree char *packed = g_malloc0(MAX(count, 1) * width);
  g_auto(GStrv) texts = g_new0(char *, count + 1);

  if (count > 0 && H5Aread(self->id, self->type, packed) < 0) {
    store_fail(error, "%s is damaged", self->what);
    return NULL;
  }
  for (gsize i = 0; i < count; i++) {
    texts[i] = g_strndup(packed + i * width, width);
    if (spaces) g_strchomp(texts[i]);
    if (g_utf8_validate(texts[i], -1, NULL)) continue;
    refuse(self, "is not UTF-8", error);
    return NULL;
  }
  return g_steal_pointer(&texts);
}

static char **read_texts(const Attr *self, gsize count, GError **error) {
  char **texts;

  if (H5Tget_class(self->type) == H5T_STRING && H5Tis_variable_str(self->type) == 0)
    return read_fixed_texts(self, count, error);
  if (count != 1) {
    refuse(self, "is no list of texts of fixed length", error);
    return NULL;
  }
  texts = g_new0(char *, 2);
  texts[0] = store_text_read(self->id, self->type, read_attr, self->what, error);
  if (texts[0] == NULL) g_clear_pointer(&texts, g_strfreev);
  return texts;
}

char **store_read_attr_texts(StoreFile *self, const char *object, const char *name,
                             GError **error) {
  char **texts = NULL;
  gsize count;

  store_lock();
  {
    g_auto(Attr) attr;

    if (attr_open(&attr, self, object, name, &count, error))
      texts = read_texts(&attr, count, error);
  }
  store_unlock();
  return texts;
}
