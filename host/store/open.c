/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way to open a file, and what can be asked of it as a whole.                           */
#include "store-internal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not there, not readable, no file at all: said in the words of the system, before HDF5. */
static gboolean check_readable(const char *path, guint64 *size, GError **error) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0) {
    int code = errno;

    g_set_error(error, HOST_ERROR, code == ENOENT || code == ENOTDIR ? AB_NO_INPUT : AB_IO,
                "cannot open %s: %s", path, g_strerror(code));
    return FALSE;
  }
  if (fstat(fd, &status) != 0) {
    g_set_error(error, HOST_ERROR, AB_IO, "cannot read %s: %s", path, g_strerror(errno));
    close(fd);
    return FALSE;
  }
  close(fd);
  if (!S_ISREG(status.st_mode)) {
    g_set_error(error, HOST_ERROR, AB_IO, "cannot open %s: it is %s, not an HDF5 file", path,
                S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe");
    return FALSE;
  }
  *size = (guint64)status.st_size;
  return TRUE;
}

static hid_t open_hdf5(const char *path) {
  AUTO_HID access = H5Pcreate(H5P_FILE_ACCESS);

  if (access < 0 || H5Pset_fapl_sec2(access) < 0) return H5I_INVALID_HID;
  /* NFS and Lustre without locks. */
  if (H5Pset_file_locking(access, FALSE, TRUE) < 0) return H5I_INVALID_HID;
  /* A close that leaves something open is to be an error, not a delay. */
  if (H5Pset_fclose_degree(access, H5F_CLOSE_SEMI) < 0) return H5I_INVALID_HID;
  return H5Fopen(path, H5F_ACC_RDONLY, access);
}

StoreFile *store_open(const char *path, GError **error) {
  StoreFile *self;
  guint64 size;
  hid_t id;

  if (!check_readable(path, &size, error)) return NULL;
  store_lock();
  id = open_hdf5(path);
  if (id < 0) {
    gboolean io;
    char *reason = store_reason(&io);

    if (io)
      g_set_error(error, HOST_ERROR, AB_IO, "cannot open %s: %s", path, reason);
    else
      g_set_error(error, HOST_ERROR, AB_DATA,
                  "%s (%" G_GUINT64_FORMAT " bytes) is no HDF5 file, or cut short or damaged: %s\n"
                  "restore the file from a copy or make it anew",
                  path, size, reason);
    g_free(reason);
    store_unlock();
    return NULL;
  }
  store_unlock();
  self = g_new0(StoreFile, 1);
  self->path = g_strdup(path);
  self->id = id;
  self->size = size;
  self->sound = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < STORE_OPEN_DATASETS; i++) self->open[i].id = H5I_INVALID_HID;
  return self;
}

void store_close(StoreFile *self) {
  if (self == NULL) return;
  store_lock();
  for (int i = 0; i < STORE_OPEN_DATASETS; i++) store_dataset_clear(&self->open[i]);
  if (H5Fclose(self->id) < 0) {
    char *reason = store_reason(NULL);

    g_warning("%s did not close: %s", self->path, reason);
    g_free(reason);
  }
  store_unlock();
  g_hash_table_unref(self->sound);
  g_free(self->path);
  g_free(self);
}

const char *store_path(const StoreFile *self) {
  return self->path;
}
