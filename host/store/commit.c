/* SPDX-License-Identifier: Apache-2.0
 *
 * A new file appears whole or not at all: a temporary beside its final name, a checked close,
 * fsync, rename, fsync of the folder.                                                           */
#include "store-internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void writer_free(StoreWriter *self) {
  if (self->fd >= 0) close(self->fd);
  g_hash_table_unref(self->growing);
  g_clear_error(&self->error);
  g_free(self->path);
  g_free(self->target);
  g_free(self->folder);
  g_free(self->temp);
  g_free(self);
}

/* ---- creation ------------------------------------------------------------------------------ */

/* Made with open and not mkstemp, so that the umask of the process applies. */
static gboolean make_temp(StoreWriter *self, GError **error) {
  g_autofree char *name = g_path_get_basename(self->target);
  int code;

  for (int tries = 0; tries < 100; tries++) {
    g_autofree char *base = g_strdup_printf(".%s.%08x.tmp", name, g_random_int());

    self->temp = g_build_filename(self->folder, base, NULL);
    self->fd = open(self->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (self->fd >= 0) return TRUE;
    code = errno;
    g_clear_pointer(&self->temp, g_free);
    if (code != EEXIST) break;
  }
  g_set_error(error, HOST_ERROR, AB_IO, "cannot create %s in folder %s: %s", self->path,
              self->folder, g_strerror(code));
  return FALSE;
}

static hid_t create_hdf5(const char *path) {
  AUTO_HID access = H5Pcreate(H5P_FILE_ACCESS);
  AUTO_HID creation = store_untimed(H5P_FILE_CREATE);

  if (access < 0 || creation < 0 || H5Pset_fapl_sec2(access) < 0) return H5I_INVALID_HID;
  if (H5Pset_file_locking(access, FALSE, TRUE) < 0) return H5I_INVALID_HID;
  if (H5Pset_fclose_degree(access, H5F_CLOSE_SEMI) < 0) return H5I_INVALID_HID;
  /* The format of 1.8: every header carries a checksum, and readers of 2008 still read it. */
  if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0) return H5I_INVALID_HID;
  return H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
}

static gboolean open_temp(StoreWriter *self, GError **error) {
  if (g_file_test(self->target, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, HOST_ERROR, AB_IO, "cannot write %s: it is a folder", self->path);
    return FALSE;
  }
  if (!make_temp(self, error)) return FALSE;
  store_lock();
  self->file = create_hdf5(self->temp);
  if (self->file < 0) {
    g_autofree char *reason = store_reason(NULL);

    g_set_error(error, HOST_ERROR, AB_IO, "cannot create %s: %s", self->path, reason);
    unlink(self->temp);
  }
  store_unlock();
  return self->file >= 0;
}

StoreWriter *store_create(const char *path, GError **error) {
  StoreWriter *self = g_new0(StoreWriter, 1);

  self->path = g_strdup(path);
  self->target = g_canonicalize_filename(path, NULL);
  self->folder = g_path_get_dirname(self->target);
  self->fd = -1;
  self->file = H5I_INVALID_HID;
  self->growing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (open_temp(self, error)) return self;
  writer_free(self);
  return NULL;
}

/* ---- errors -------------------------------------------------------------------------------- */

/* A file that cannot be written (disk full) cannot be closed either, and HDF5 then keeps dead
 * ids about and an open descriptor that pins the blocks. So what it still wants to write goes
 * into anonymous memory: only what it holds in its caches.                                      */
static void write_into_void(StoreWriter *self) {
  void *descriptor = NULL;
  int sink;

  if (self->file < 0 || H5Fget_vfd_handle(self->file, H5P_DEFAULT, &descriptor) < 0) return;
  sink = memfd_create("discarded", MFD_CLOEXEC);
  if (sink < 0) return;
  dup3(sink, *(int *)descriptor, O_CLOEXEC);
  close(sink);
}

static void keep_error(StoreWriter *self, GError *error) {
  if (self->error != NULL) {
    g_error_free(error);
    return;
  }
  self->error = error;
  store_lock();
  write_into_void(self);
  store_unlock();
}

void store_writer_fail(StoreWriter *self, AbCode code, const char *format, ...) {
  va_list args;

  va_start(args, format);
  keep_error(self, g_error_new_valist(HOST_ERROR, code, format, args));
  va_end(args);
}

void store_writer_fail_hdf5(StoreWriter *self, const char *what) {
  gboolean io;
  g_autofree char *reason = store_reason(&io);

  store_writer_fail(self, io ? AB_IO : AB_INTERNAL,
                    "cannot write %s: %s (%s)\nwhat stood there before still stands%s", self->path,
                    reason, what, io ? "; make room or choose another place" : "");
}

static void fail_errno(StoreWriter *self, const char *what, int code) {
  store_writer_fail(self, AB_IO,
                    "cannot %s %s: %s\nwhat stood there before still stands; make room or choose "
                    "another place",
                    what, self->path, g_strerror(code));
}

/* ---- the end ------------------------------------------------------------------------------- */

static void close_hdf5(StoreWriter *self) {
  store_lock();
  store_growing_close(self);
  if (self->error == NULL && H5Fflush(self->file, H5F_SCOPE_GLOBAL) < 0)
    store_writer_fail_hdf5(self, "flush");
  if (H5Fclose(self->file) < 0) store_writer_fail_hdf5(self, "close");
  self->file = H5I_INVALID_HID;
  store_unlock();
}

/* The folder is opened before the rename, so that as little as possible can fail after it. */
static void put_in_place(StoreWriter *self) {
  int folder = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (folder < 0) {
    fail_errno(self, "open the folder of", errno);
    return;
  }
  if (rename(self->temp, self->target) != 0)
    fail_errno(self, "put in place", errno);
  else if (fsync(folder) != 0 && errno != EINVAL && errno != ENOTSUP) /* not known there */
    store_writer_fail(self, AB_IO,
                      "%s is written, but its folder cannot be synchronised: %s\n"
                      "the file may not survive a power failure",
                      self->path, g_strerror(errno));
  close(folder);
}

gboolean store_commit(StoreWriter *self, GError **error) {
  gboolean ok;

  close_hdf5(self);
  if (self->error == NULL && fsync(self->fd) != 0) fail_errno(self, "write", errno);
  if (self->error == NULL) put_in_place(self);
  ok = self->error == NULL;
  if (!ok) unlink(self->temp); /* gone already, if it was the folder that failed */
  if (!ok) g_propagate_error(error, g_steal_pointer(&self->error));
  writer_free(self);
  return ok;
}

void store_abandon(StoreWriter *self) {
  if (self == NULL) return;
  if (self->error == NULL) store_writer_fail(self, AB_STOPPED, "%s is abandoned", self->path);
  close_hdf5(self);
  unlink(self->temp);
  writer_free(self);
}
