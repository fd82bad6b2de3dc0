/* SPDX-License-Identifier: Apache-2.0
 *
 * Test of host/store: the writer and its mistakes, bad paths, a full disk and threads. */
#include "store-test.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

STORE_TEST_SANITIZERS

static void commit_fails(StoreWriter *writer, AbCode code, const char *part) {
  GError *error = NULL;

  g_assert_false(store_commit(writer, &error));
  store_test_assert_error(error, code, part);
}

static void test_same_bytes(StoreTest *self, gconstpointer data) {
  g_autofree char *first = NULL, *second = NULL;
  gsize first_length, second_length;
  struct stat status;
  mode_t mask = umask(027);

  (void)data;
  store_test_write_everything(self->file, FALSE);
  g_assert_true(g_file_get_contents(self->file, &first, &first_length, NULL));
  g_usleep(1100000); /* time stamps of HDF5 count seconds */
  store_test_write_everything(self->file, FALSE);
  g_assert_true(g_file_get_contents(self->file, &second, &second_length, NULL));
  g_assert_cmpmem(first, first_length, second, second_length);
  g_assert_cmpint(stat(self->file, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 0777, ==, 0640);
  umask(mask);
}

/* ---- mistakes of callers --------------------------------------------------------------------- */

static void test_writer_mistakes(StoreTest *self, gconstpointer data) {
  const gint64 one[] = {1}, two[] = {2}, vast[] = {G_MAXINT64, 2};
  const guint8 bytes[] = {0, 2};
  g_autofree char *long_text = store_test_make_long_text();
  StoreWriter *writer;

  (void)data;
  for (int mistake = 0; mistake < 10; mistake++) {
    writer = store_test_create_ok(self->file);
    switch (mistake) {
    case 0: store_write(writer, "/b", AB_BOOL, 1, two, bytes, NULL); break;
    case 1: store_write(writer, "/v", AB_U8, 2, vast, bytes, NULL); break;
    case 2: store_write(writer, "/", AB_U8, 1, two, bytes, NULL); break;
    case 3: store_write(writer, "/a//b", AB_U8, 1, two, bytes, NULL); break;
    case 4: store_write(writer, "/t", 99, 1, two, bytes, NULL); break;
    case 5: store_append(writer, "/s", AB_U8, 0, NULL, bytes); break;
    case 6:
      store_append(writer, "/s", AB_U8, 1, one, bytes);
      store_append(writer, "/s", AB_I32, 1, one, bytes);
      break;
    case 7:
      store_write(writer, "/a", AB_U8, 1, two, bytes, NULL);
      store_write(writer, "/a", AB_U8, 1, one, bytes, NULL);
      break;
    case 8:
      store_write(writer, "/a", AB_U8, 1, two, bytes, NULL);
      store_write(writer, "/a/b", AB_U8, 1, two, bytes, NULL);
      break;
    default: store_write(writer, "/r", AB_U8, 9, two, bytes, NULL); break;
    }
    store_write_attr_int(writer, "/", "after", 1); /* does nothing */
    commit_fails(writer, AB_INTERNAL, self->file);
    g_assert_cmpuint(store_test_count_entries(self->folder), ==, 0);
  }
  writer = store_test_create_ok(self->file);
  store_write_attr_text(writer, "/", "long", long_text);
  commit_fails(writer, AB_DATA, "60 KiB");
  writer = store_test_create_ok(self->file);
  store_write_text(writer, "/t", "\xff");
  commit_fails(writer, AB_DATA, "UTF-8");
  store_abandon(store_test_create_ok(self->file));
  store_abandon(NULL);
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 0);
}

/* What is no scale of an axis, and lists that are none. */
static void test_scale_mistakes(StoreTest *self, gconstpointer data) {
  static const char *const none[] = {NULL}, *const odd[] = {"\xff", NULL};
  g_autofree char *long_text = store_test_make_long_text();
  const char *const large[] = {"a", long_text, NULL};
  const gint64 shape[] = {2, 3};
  const guint8 bytes[6] = {0};

  (void)data;
  for (int mistake = 0; mistake < 9; mistake++) {
    StoreWriter *writer = store_test_create_ok(self->file);

    store_write(writer, "/y", AB_U8, 2, shape, bytes, NULL);
    store_write(writer, "/x", AB_U8, 1, shape, bytes, NULL);
    store_write_attr_int(writer, "/group", "a", 1);
    switch (mistake) {
    case 0: store_write_scale(writer, "/y", 1, "/x"); break; /* 3 long, not 2 */
    case 1: store_write_scale(writer, "/y", 2, "/x"); break;
    case 2: store_write_scale(writer, "/y", -1, "/x"); break;
    case 3: store_write_scale(writer, "/y", 0, "/absent"); break;
    case 4: store_write_scale(writer, "/group", 0, "/x"); break;
    case 5: store_write_scale(writer, "/x", 0, "/y"); break; /* of two axes */
    case 6: store_write_label(writer, "/y", 2, "third"); break;
    case 7: store_write_label(writer, "/absent", 0, "first"); break;
    default: store_write_scale(writer, "/x", 0, "/x"); break; /* of itself */
    }
    commit_fails(writer, AB_INTERNAL, self->file);
  }
  for (int i = 0; i < 3; i++) {
    StoreWriter *writer = store_test_create_ok(self->file);

    store_write_attr_texts(writer, "/", "list", i == 0 ? none : i == 1 ? odd : large);
    commit_fails(writer, AB_DATA, i == 1 ? "UTF-8" : "longer than 60 KiB");
  }
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 0);
}

static void test_paths(StoreTest *self, gconstpointer data) {
  g_autofree char *below = g_build_filename(self->file, "x.h5", NULL);
  g_autofree char *missing = g_build_filename(self->folder, "no", "x.h5", NULL);
  g_autofree char *inside = g_build_filename(self->file, "y", NULL);
  StoreWriter *writer;
  GError *error = NULL;

  (void)data;
  g_assert_null(store_open(self->file, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_NO_INPUT, g_strerror(ENOENT));
  g_assert_null(store_open(self->folder, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_IO, "a folder");
  g_assert_null(store_open("/dev/null", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_IO, "a device");
  g_assert_null(store_create(missing, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_IO, g_strerror(ENOENT));
  g_assert_null(store_create(self->folder, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_IO, "a folder");
  g_assert_true(g_file_set_contents(self->file, "text", 4, NULL));
  g_assert_null(store_create(below, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_IO, g_strerror(ENOTDIR));
  g_assert_null(store_open(below, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_NO_INPUT, g_strerror(ENOTDIR));
  g_assert_null(store_open(self->file, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "file signature not found");
  /* The rename fails. */
  writer = store_test_create_ok(self->file);
  g_assert_cmpint(g_unlink(self->file), ==, 0);
  g_assert_cmpint(g_mkdir(self->file, 0755), ==, 0);
  g_assert_true(g_file_set_contents(inside, "", 0, NULL));
  commit_fails(writer, AB_IO, g_strerror(EISDIR));
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 1);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

static int full = ENOSPC; /* what the system says */

static void write_one(const char *path, gint64 count, gboolean append, gboolean expect) {
  g_autofree guint8 *data = g_malloc0((gsize)count);
  gint64 shape[] = {count}, piece[] = {count / 10};
  StoreWriter *writer;
  GError *error = NULL;

  writer = store_create(path, &error);
  if (writer == NULL) {
    g_assert_false(expect);
    store_test_assert_error(error, AB_IO, path);
    return;
  }
  if (append)
    for (int i = 0; i < 10; i++) store_append(writer, "/x/y", AB_U8, 1, piece, data);
  else
    store_write(writer, "/x/y", AB_U8, 1, shape, data, NULL);
  store_write_text(writer, "/text", store_test_text);
  if (expect) {
    store_test_commit_ok(writer);
    return;
  }
  g_assert_false(store_commit(writer, &error));
  g_assert_nonnull(strstr(error->message, g_strerror(full)));
  store_test_assert_error(error, AB_IO, "still stands");
}

static void assert_first_stands(const char *folder, const char *path, guint entries) {
  g_autoptr(StoreFile) file = store_test_open_ok(path);
  gint64 value;

  g_assert_cmpuint(store_test_count_entries(folder), ==, entries);
  g_assert_true(store_read_attr_int(file, "/", "first", &value, NULL) && value == 1);
}

static void write_first(const char *path) {
  StoreWriter *writer = store_test_create_ok(path);

  store_write_attr_int(writer, "/", "first", 1);
  store_test_commit_ok(writer);
}

static void fill(const char *path) {
  char block[4096] = {0};
  int fd = g_open(path, O_WRONLY | O_CREAT, 0644);

  while (write(fd, block, sizeof block) > 0) continue;
  close(fd);
}

static void full_tmpfs(StoreTest *self, gconstpointer data) {
  g_autofree char *mount_point = g_build_filename(self->folder, "disk", NULL);
  g_autofree char *path = g_build_filename(mount_point, "run.h5", NULL);
  g_autofree char *filler = g_build_filename(mount_point, "filler", NULL);
  guint descriptors;

  (void)data;
  g_assert_cmpint(g_mkdir(mount_point, 0755), ==, 0);
  g_assert_cmpint(unshare(CLONE_NEWNS), ==, 0);
  g_assert_cmpint(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), ==, 0);
  g_assert_cmpint(mount("none", mount_point, "tmpfs", 0, "size=1m"), ==, 0);
  write_first(path);
  descriptors = store_test_count_entries("/proc/self/fd");
  for (gint64 count = 1030 << 10; count < 12 << 20; count += 700001) {
    write_one(path, count, FALSE, FALSE);
    write_one(path, count, TRUE, FALSE);
    assert_first_stands(mount_point, path, 1);
  }
  fill(filler);
  for (gint64 count = 1; count < 100000; count *= 10) {
    write_one(path, count, FALSE, FALSE);
    assert_first_stands(mount_point, path, 2);
  }
  g_assert_cmpuint(store_test_count_entries("/proc/self/fd"), ==, descriptors);
  g_assert_cmpint(g_unlink(filler), ==, 0);
  write_one(path, 500000, FALSE, TRUE); /* the room is there again: nothing pins it */
  g_assert_cmpuint(store_test_count_entries(mount_point), ==, 1);
  g_assert_cmpint(umount2(mount_point, MNT_DETACH), ==, 0);
}

static void full_limit(StoreTest *self, gconstpointer data) {
  struct rlimit limit;

  (void)data;
  write_first(self->file);
  full = EFBIG;
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = 8192;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  for (gint64 count = 8192; count < 12 << 20; count *= 3) {
    write_one(self->file, count, FALSE, FALSE);
    write_one(self->file, count, TRUE, FALSE);
    assert_first_stands(self->folder, self->file, 1);
  }
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  write_one(self->file, 500000, TRUE, TRUE);
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 1);
}

static gboolean can_mount(void) {
  int status;
  pid_t child = fork();

  if (child == 0)
    _exit(unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
                  mount("none", "/tmp", "tmpfs", 0, "size=1m") == 0
              ? 0
              : 1);
  return waitpid(child, &status, 0) == child && status == 0;
}

/* In a process of their own, whose exit is part of the test. */
static void test_full_tmpfs(void) {
  if (!can_mount()) {
    g_test_skip("cannot mount a small tmpfs here; /store/full/limit still runs");
    return;
  }
  g_test_trap_subprocess("/store/full/tmpfs/subprocess", 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed();
}

static void test_full_limit(void) {
  g_test_trap_subprocess("/store/full/limit/subprocess", 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed();
}

/* ---- threads and silence --------------------------------------------------------------------- */

static gpointer work(gpointer data) {
  const char *folder = data;
  g_autofree char *base = g_strdup_printf("%p.h5", (void *)g_thread_self());
  g_autofree char *path = g_build_filename(folder, base, NULL);

  for (int i = 0; i < 5; i++) {
    g_autoptr(StoreFile) file = NULL;
    StoreInfo info;

    store_test_write_everything(path, FALSE);
    file = store_test_open_ok(path);
    store_test_check_every_dtype(file);
    g_assert_false(store_info(file, "/absent/x", &info, NULL));
    g_assert_null(store_open(folder, NULL));
  }
  store_test_put(path, "\211HDF\r\n\032\n damaged", 16);
  g_assert_null(store_open(path, NULL)); /* HDF5 would print its error stack */
  return NULL;
}

static void threads(StoreTest *self, gconstpointer data) {
  GThread *threads_of[4];

  (void)data;
  for (int i = 0; i < 4; i++) threads_of[i] = g_thread_new("store", work, self->folder);
  for (int i = 0; i < 4; i++) g_thread_join(threads_of[i]);
}

static gpointer read_shared(gpointer data) {
  StoreFile *file = data;

  for (int i = 0; i < 3; i++) {
    store_test_check_every_dtype(file);
    store_test_check_attrs(file);
  }
  return NULL;
}

static void test_threads_one_file(StoreTest *self, gconstpointer data) {
  GThread *readers[4];
  g_autoptr(StoreFile) file = NULL;

  (void)data;
  store_test_write_everything(self->file, FALSE);
  file = store_test_open_ok(self->file);
  for (int i = 0; i < 4; i++) readers[i] = g_thread_new("reader", read_shared, file);
  for (int i = 0; i < 4; i++) g_thread_join(readers[i]);
}

static void test_threads(void) {
  g_test_trap_subprocess("/store/threads/subprocess", 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr_unmatched("*HDF5-DIAG*");
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  alarm(600); /* a hang is a failure */
  STORE_TEST_ADD("/store/same-bytes", test_same_bytes);
  STORE_TEST_ADD("/store/writer-mistakes", test_writer_mistakes);
  STORE_TEST_ADD("/store/scale-mistakes", test_scale_mistakes);
  STORE_TEST_ADD("/store/paths", test_paths);
  g_test_add_func("/store/full/tmpfs", test_full_tmpfs);
  STORE_TEST_ADD("/store/full/tmpfs/subprocess", full_tmpfs);
  g_test_add_func("/store/full/limit", test_full_limit);
  STORE_TEST_ADD("/store/full/limit/subprocess", full_limit);
  g_test_add_func("/store/threads", test_threads);
  STORE_TEST_ADD("/store/threads/subprocess", threads);
  STORE_TEST_ADD("/store/threads-one-file", test_threads_one_file);
  return g_test_run();
}
