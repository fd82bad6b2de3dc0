/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways through a file: hard links only.                                                         */
#include "store-internal.h"
#include <string.h>

static const char *link_kind(H5L_type_t type) {
  switch (type) {
  case H5L_TYPE_SOFT: return "a soft link";
  case H5L_TYPE_EXTERNAL: return "a link to another file";
  default: return "a link of an unknown kind";
  }
}

/* -1 damaged (error set), 0 no such link, 1 a hard link, 2 another (error set). */
static int look(StoreFile *self, hid_t group, const char *component, const char *name,
                GError **error) {
  H5L_info_t info;
  htri_t exists = H5Lexists(group, component, H5P_DEFAULT);

  if (exists < 0 || (exists > 0 && H5Lget_info(group, component, &info, H5P_DEFAULT) < 0)) {
    store_fail(error, "%s is damaged on the way to %s", self->path, name);
    return -1;
  }
  if (exists == 0) return 0;
  if (info.type == H5L_TYPE_HARD) return 1;
  g_set_error(error, HOST_ERROR, AB_DATA,
              "%s of %s: \"%s\" is %s; only what the file itself holds is read\n"
              "copy it in: h5repack, or write the values themselves",
              name, self->path, component, link_kind(info.type));
  return 2;
}

static void set_absent(const StoreFile *self, const char *name, GError **error) {
  g_set_error(error, HOST_ERROR, AB_DATA, "%s holds no \"%s\"\n\"h5ls -r %s\" lists what it holds",
              self->path, name, self->path);
}

/* Into the next group or object; closes `group` in any case. */
static hid_t step(StoreFile *self, hid_t group, const char *component, const char *name,
                  GError **error) {
  AUTO_HID from = group;
  hid_t next;
  int found;

  if (H5Iget_type(from) != H5I_GROUP) {
    set_absent(self, name, error);
    return H5I_INVALID_HID;
  }
  found = look(self, from, component, name, error);
  if (found == 0) set_absent(self, name, error);
  if (found != 1) return H5I_INVALID_HID;
  next = H5Oopen(from, component, H5P_DEFAULT);
  if (next < 0)
    store_fail(error, "%s is damaged: \"%s\" of %s cannot be opened", self->path, component, name);
  return next;
}

hid_t store_walk(StoreFile *self, const char *name, GError **error) {
  g_auto(GStrv) parts = store_name_split(name);
  hid_t id;

  if (parts == NULL && g_strcmp0(name, "/") != 0) {
    g_set_error(error, HOST_ERROR, AB_DATA, "\"%s\" is no name of something in %s",
                name != NULL ? name : "", self->path);
    return H5I_INVALID_HID;
  }
  id = H5Gopen2(self->id, "/", H5P_DEFAULT);
  if (id < 0) store_fail(error, "%s is damaged: its root cannot be opened", self->path);
  for (char **part = parts; part != NULL && *part != NULL && id >= 0; part++)
    id = step(self, id, *part, name, error);
  return id;
}

/* What would be refused on use is "there": it must not pass for absent. */
static gboolean has_locked(StoreFile *self, char **parts) {
  hid_t id = H5Gopen2(self->id, "/", H5P_DEFAULT);
  gboolean there = TRUE;

  for (char **part = parts; *part != NULL && id >= 0 && there; part++) {
    int found = H5Iget_type(id) == H5I_GROUP ? look(self, id, *part, "", NULL) : 0;

    if (found == 1) {
      id = step(self, id, *part, "", NULL);
      continue;
    }
    there = found != 0;
    break;
  }
  store_hid_clear(&id);
  return there;
}

gboolean store_has(StoreFile *self, const char *name) {
  g_auto(GStrv) parts = store_name_split(name);
  gboolean there;

  if (parts == NULL) return name != NULL && strcmp(name, "/") == 0;
  store_lock();
  there = has_locked(self, parts);
  store_unlock();
  return there;
}
