/* SPDX-License-Identifier: Apache-2.0
 *
 * Test of host/store: against h5py (store_h5py.py), damaged files, a full disk and threads.     */
#include "../../../host/store/store.h"
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

#define PYTHON "/usr/bin/python3"

#ifdef __SANITIZE_ADDRESS__
/* A damaged file may make HDF5 ask for absurd amounts, which malloc is to deny, not to die of. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1:max_allocation_size_mb=2048";
}
/* Where a header turns out damaged or cannot be written, HDF5 itself loses small buffers. What the
 * store leaves open is found otherwise: the close of the file fails and warns.                  */
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5";
}
#endif

static const AbDtype dtypes[] = {AB_F32, AB_F64, AB_U8, AB_I32, AB_I64, AB_BOOL};
static const char *const dtype_names[] = {"f32", "f64", "u8", "i32", "i64", "bool"};
static const char text[] = "Grüße, 世界 \U0001f9e0\n";

/* ---- a folder per test --------------------------------------------------------------------- */

typedef struct {
  char *folder;
  char *file; /* in it; not there yet */
} Fixture;

static void remove_folder(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  const char *name;

  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
      remove_folder(path);
    else
      g_assert_cmpint(g_unlink(path), ==, 0);
  }
  g_dir_close(dir);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void set_up(Fixture *self, gconstpointer data) {
  (void)data;
  self->folder = g_dir_make_tmp("store-test-XXXXXX", NULL);
  g_assert_nonnull(self->folder);
  self->file = g_build_filename(self->folder, "run.h5", NULL);
}

static void tear_down(Fixture *self, gconstpointer data) {
  (void)data;
  remove_folder(self->folder);
  g_free(self->folder);
  g_free(self->file);
}

static guint count_entries(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  guint count = 0;

  g_assert_nonnull(dir);
  while (g_dir_read_name(dir) != NULL) count++;
  g_dir_close(dir);
  return count;
}

/* ---- small helpers ------------------------------------------------------------------------- */

static StoreFile *open_ok(const char *path) {
  g_autoptr(GError) error = NULL;
  StoreFile *file = store_open(path, &error);

  g_assert_no_error(error);
  g_assert_nonnull(file);
  return file;
}

static StoreWriter *create_ok(const char *path) {
  g_autoptr(GError) error = NULL;
  StoreWriter *writer = store_create(path, &error);

  g_assert_no_error(error);
  g_assert_nonnull(writer);
  return writer;
}

static void commit_ok(StoreWriter *writer) {
  g_autoptr(GError) error = NULL;
  gboolean ok = store_commit(writer, &error);

  g_assert_no_error(error);
  g_assert_true(ok);
}

/* The message says `part`; takes the error. */
static void assert_error(GError *error, AbCode code, const char *part) {
  g_assert_nonnull(error);
  if (g_strstr_len(error->message, -1, part) == NULL)
    g_error("\"%s\" does not say \"%s\"", error->message, part);
  g_assert_error(error, HOST_ERROR, code);
  g_assert_nonnull(error->message);
  g_error_free(error);
}

static void commit_fails(StoreWriter *writer, AbCode code, const char *part) {
  GError *error = NULL;

  g_assert_false(store_commit(writer, &error));
  assert_error(error, code, part);
}

static void read_ok(StoreFile *file, const char *name, AbDtype dtype, gint64 first, gint64 count,
                    void *buffer) {
  g_autoptr(GError) error = NULL;
  gboolean ok = store_read(file, name, dtype, first, count, buffer, &error);

  g_assert_no_error(error);
  g_assert_true(ok);
}

static void assert_text(char *found, const char *wanted) {
  g_assert_cmpstr(found, ==, wanted);
  g_free(found);
}

static double number_at(const void *data, AbDtype dtype, gsize i) {
  switch (dtype) {
  case AB_F32: return (double)((const float *)data)[i];
  case AB_F64: return ((const double *)data)[i];
  case AB_U8:
  case AB_BOOL: return ((const guint8 *)data)[i];
  case AB_I32: return ((const gint32 *)data)[i];
  case AB_I64: return (double)((const gint64 *)data)[i];
  default: g_assert_not_reached();
  }
}

static void set_number(void *data, AbDtype dtype, gsize i, int value) {
  switch (dtype) {
  case AB_F32: ((float *)data)[i] = (float)value; break;
  case AB_F64: ((double *)data)[i] = value; break;
  case AB_U8:
  case AB_BOOL: ((guint8 *)data)[i] = (guint8)value; break;
  case AB_I32: ((gint32 *)data)[i] = value; break;
  case AB_I64: ((gint64 *)data)[i] = value; break;
  default: g_assert_not_reached();
  }
}

/* ---- round trips --------------------------------------------------------------------------- */

static gint64 shape_of_rank(int rank, gint64 *shape) {
  gint64 elements = 1;

  for (int i = 0; i < rank; i++) elements *= shape[i] = 1 + i % 3;
  return elements;
}

static void write_every_dtype(StoreWriter *writer) {
  double buffer[512];
  gint64 shape[AB_MAX_RANK];

  for (gsize d = 0; d < G_N_ELEMENTS(dtypes); d++)
    for (int rank = 0; rank <= AB_MAX_RANK; rank++) {
      gint64 elements = shape_of_rank(rank, shape);
      g_autofree char *name = g_strdup_printf("/%s/rank%d", dtype_names[d], rank);

      g_assert_cmpint(elements, <=, 512);
      for (int i = 0; i < elements; i++)
        set_number(buffer, dtypes[d], (gsize)i, i % (dtypes[d] == AB_BOOL ? 2 : 100));
      store_write(writer, name, dtypes[d], rank, shape, buffer, rank == 2 ? "rows columns" : NULL);
    }
}

static float *make_ramp(gsize count) {
  float *ramp = g_new(float, count);

  for (gsize i = 0; i < count; i++) ramp[i] = (float)i;
  return ramp;
}

static char *make_long_text(void) {
  GString *string = g_string_new(NULL);

  for (int i = 0; i < 10000; i++) g_string_append(string, "0123456789");
  return g_string_free(string, FALSE);
}

static void append_ramp(StoreWriter *writer, const char *name, gint64 rows, gint64 step) {
  gint32 buffer[7 * 128];

  for (gint64 row = 0; row < rows; row += step) {
    gint64 shape[] = {MIN(step, rows - row), 7};

    for (int i = 0; i < 7 * shape[0]; i++) buffer[i] = (gint32)(row * 7 + i);
    store_append(writer, name, AB_I32, 2, shape, buffer);
  }
}

/* All that the store can write; also what h5py checks. */
static void write_everything(const char *path, gboolean big) {
  const gint64 empty[] = {3, 0, 2}, big_shape[] = {5, 1 << 20}, none[] = {2, 0};
  StoreWriter *writer = create_ok(path);
  g_autofree char *long_text = make_long_text();
  g_autofree float *ramp = big ? make_ramp(5 << 20) : NULL;

  write_every_dtype(writer);
  store_write(writer, "/empty", AB_F32, 3, empty, NULL, "a b c");
  if (big) store_write(writer, "/big", AB_F32, 2, big_shape, ramp, NULL);
  store_write_text(writer, "/text", text);
  store_write_text(writer, "/no_text", "");
  if (big) store_write_text(writer, "/long_text", long_text);
  store_write_attr_text(writer, "/group", "text", "first");
  store_write_attr_text(writer, "/group", "text", "Größe");
  store_write_attr_text(writer, "/group", "empty", "");
  store_write_attr_int(writer, "/group", "int", G_MININT64);
  store_write_attr_real(writer, "/group", "real", 0.1);
  store_write_attr_int(writer, "/", "root", 42);
  append_ramp(writer, "/grown", big ? 1000 : 20, 33);
  store_append(writer, "/grown_empty", AB_F64, 2, none, NULL);
  commit_ok(writer);
}

static void check_every_dtype(StoreFile *file) {
  double buffer[512];
  gint64 shape[AB_MAX_RANK];
  StoreInfo info;

  for (gsize d = 0; d < G_N_ELEMENTS(dtypes); d++)
    for (int rank = 0; rank <= AB_MAX_RANK; rank++) {
      gint64 elements = shape_of_rank(rank, shape);
      g_autofree char *name = g_strdup_printf("/%s/rank%d", dtype_names[d], rank);

      g_assert_true(store_info(file, name, &info, NULL));
      g_assert_cmpint(info.dtype, ==, dtypes[d]);
      g_assert_cmpint(info.rank, ==, rank);
      for (int i = 0; i < rank; i++) g_assert_cmpint(info.shape[i], ==, shape[i]);
      for (gsize to = 0; to < G_N_ELEMENTS(dtypes); to++) {
        if (dtypes[to] == AB_BOOL && dtypes[d] != AB_BOOL) continue; /* 2 is no truth value */
        read_ok(file, name, dtypes[to], 0, rank > 0 ? shape[0] : 1, buffer);
        for (gsize i = 0; i < (gsize)elements; i++)
          g_assert_cmpfloat(number_at(buffer, dtypes[to], i), ==,
                            i % (dtypes[d] == AB_BOOL ? 2 : 100));
      }
    }
}

static void check_attrs(StoreFile *file) {
  gint64 integer;
  double real;

  assert_text(store_read_attr_text(file, "/group", "text", NULL), "Größe");
  assert_text(store_read_attr_text(file, "/group", "empty", NULL), "");
  assert_text(store_read_attr_text(file, "/f32/rank2", "axes", NULL), "rows columns");
  g_assert_true(store_read_attr_int(file, "/group", "int", &integer, NULL));
  g_assert_cmpint(integer, ==, G_MININT64);
  g_assert_true(store_read_attr_int(file, "/", "root", &integer, NULL));
  g_assert_cmpint(integer, ==, 42);
  g_assert_true(store_read_attr_real(file, "/group", "real", &real, NULL));
  g_assert_cmpfloat(real, ==, 0.1);
}

static void check_big(StoreFile *file) {
  g_autofree float *whole = g_new0(float, 5 << 20);
  g_autofree gint32 *grown = g_new0(gint32, 7000);
  g_autofree char *long_text = make_long_text();
  StoreInfo info;

  read_ok(file, "/big", AB_F32, 0, 5, whole);
  for (int i = 0; i < 5 << 20; i++) g_assert_true(whole[i] == (float)i);
  read_ok(file, "big", AB_F32, 3, 1, whole);
  g_assert_cmpfloat(whole[17], ==, (3 << 20) + 17);
  assert_text(store_read_text(file, "/long_text", NULL), long_text);
  read_ok(file, "/grown", AB_I32, 0, 1000, grown);
  for (int i = 0; i < 7000; i++) g_assert_cmpint(grown[i], ==, i);
  read_ok(file, "/grown", AB_I32, 998, 2, grown);
  g_assert_cmpint(grown[0], ==, 998 * 7);
  g_assert_true(store_info(file, "/grown", &info, NULL));
  g_assert_cmpint(info.chunk_rows * 28, >, 1000000);
  g_assert_cmpint(info.chunk_rows * 28, <=, 1 << 20);
}

static void test_round_trip(Fixture *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  StoreInfo info;

  (void)data;
  write_everything(self->file, TRUE);
  g_assert_cmpuint(count_entries(self->folder), ==, 1);
  file = open_ok(self->file);
  g_assert_cmpstr(store_path(file), ==, self->file);
  check_every_dtype(file);
  check_attrs(file);
  check_big(file);
  assert_text(store_read_text(file, "/text", NULL), text);
  assert_text(store_read_text(file, "/no_text", NULL), "");
  g_assert_true(store_info(file, "/empty", &info, NULL));
  g_assert_cmpint(info.rank, ==, 3);
  g_assert_cmpint(info.shape[1], ==, 0);
  read_ok(file, "/empty", AB_F32, 0, 3, NULL);
  g_assert_true(store_has(file, "/group") && store_has(file, "/f32/rank0"));
  g_assert_false(store_has(file, "/grou") || store_has(file, "/text/x") || store_has(file, "//"));
}

/* Rows longer than a slab are divided on the inner axes. */
static void test_long_rows(Fixture *self, gconstpointer data) {
  const gint64 shape[] = {2, 3, 1000003}, one[] = {1, 3000009};
  gsize count = 2 * 3 * 1000003;
  g_autofree float *ramp = make_ramp(count), *back = g_new0(float, count);
  g_autoptr(StoreFile) file = NULL;
  StoreWriter *writer = create_ok(self->file);

  (void)data;
  store_write(writer, "/x", AB_F32, 3, shape, ramp, NULL);
  store_append(writer, "/y", AB_F32, 2, one, ramp);
  store_append(writer, "/y", AB_F32, 2, one, ramp + 3000009);
  commit_ok(writer);
  file = open_ok(self->file);
  read_ok(file, "/x", AB_F32, 0, 2, back);
  g_assert_cmpmem(back, count * sizeof(float), ramp, count * sizeof(float));
  memset(back, 0, count * sizeof(float));
  read_ok(file, "/y", AB_F32, 0, 2, back);
  g_assert_cmpmem(back, count * sizeof(float), ramp, count * sizeof(float));
}

static void test_same_bytes(Fixture *self, gconstpointer data) {
  g_autofree char *first = NULL, *second = NULL;
  gsize first_length, second_length;
  struct stat status;
  mode_t mask = umask(027);

  (void)data;
  write_everything(self->file, FALSE);
  g_assert_true(g_file_get_contents(self->file, &first, &first_length, NULL));
  g_usleep(1100000); /* time stamps of HDF5 count seconds */
  write_everything(self->file, FALSE);
  g_assert_true(g_file_get_contents(self->file, &second, &second_length, NULL));
  g_assert_cmpmem(first, first_length, second, second_length);
  g_assert_cmpint(stat(self->file, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 0777, ==, 0640);
  umask(mask);
}

/* ---- mistakes of callers -------------------------------------------------------------------- */

static void test_writer_mistakes(Fixture *self, gconstpointer data) {
  const gint64 one[] = {1}, two[] = {2}, vast[] = {G_MAXINT64, 2};
  const guint8 bytes[] = {0, 2};
  g_autofree char *long_text = make_long_text();
  StoreWriter *writer;

  (void)data;
  for (int mistake = 0; mistake < 10; mistake++) {
    writer = create_ok(self->file);
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
    g_assert_cmpuint(count_entries(self->folder), ==, 0);
  }
  writer = create_ok(self->file);
  store_write_attr_text(writer, "/", "long", long_text);
  commit_fails(writer, AB_DATA, "60 KiB");
  writer = create_ok(self->file);
  store_write_text(writer, "/t", "\xff");
  commit_fails(writer, AB_DATA, "UTF-8");
  store_abandon(create_ok(self->file));
  store_abandon(NULL);
  g_assert_cmpuint(count_entries(self->folder), ==, 0);
}

static void test_reader_mistakes(Fixture *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  GPtrArray *names;
  GError *error = NULL;
  double buffer[64];
  gint64 integer;

  (void)data;
  write_everything(self->file, FALSE);
  file = open_ok(self->file);
  g_assert_false(store_read(file, "/f32/rank3", AB_F32, 0, 2, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_INTERNAL, "2 rows from 0");
  g_assert_false(store_read(file, "/f32/rank0", AB_F32, 1, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_INTERNAL, "rows");
  g_assert_false(store_read(file, "/f32/rank0", 77, 0, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_INTERNAL, "type 77");
  g_assert_false(store_read(file, "/absent", AB_F32, 0, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "holds no \"/absent\"");
  g_assert_false(store_read(file, "/group", AB_F32, 0, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "not a dataset");
  g_assert_false(store_read(file, "/text", AB_U8, 0, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "a text, not numbers");
  g_assert_false(store_read(file, "/f32/rank3", AB_BOOL, 0, 1, buffer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "0 or 1");
  g_assert_null(store_read_text(file, "/f32/rank0", &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "not a text");
  g_assert_false(store_read_attr_int(file, "/group", "absent", &integer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "is missing");
  g_assert_false(store_read_attr_int(file, "/group", "text", &integer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "not an integer");
  g_assert_false(store_read_attr_int(file, "/group", "real", &integer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "not an integer");
  names = store_list(file, "/nowhere", NULL);
  g_assert_cmpuint(names->len, ==, 0);
  g_ptr_array_unref(names);
}

static void test_paths(Fixture *self, gconstpointer data) {
  g_autofree char *below = g_build_filename(self->file, "x.h5", NULL);
  g_autofree char *missing = g_build_filename(self->folder, "no", "x.h5", NULL);
  g_autofree char *inside = g_build_filename(self->file, "y", NULL);
  StoreWriter *writer;
  GError *error = NULL;

  (void)data;
  g_assert_null(store_open(self->file, &error));
  assert_error(g_steal_pointer(&error), AB_NO_INPUT, g_strerror(ENOENT));
  g_assert_null(store_open(self->folder, &error));
  assert_error(g_steal_pointer(&error), AB_IO, "a folder");
  g_assert_null(store_open("/dev/null", &error));
  assert_error(g_steal_pointer(&error), AB_IO, "a device");
  g_assert_null(store_create(missing, &error));
  assert_error(g_steal_pointer(&error), AB_IO, g_strerror(ENOENT));
  g_assert_null(store_create(self->folder, &error));
  assert_error(g_steal_pointer(&error), AB_IO, "a folder");
  g_assert_true(g_file_set_contents(self->file, "text", 4, NULL));
  g_assert_null(store_create(below, &error));
  assert_error(g_steal_pointer(&error), AB_IO, g_strerror(ENOTDIR));
  g_assert_null(store_open(below, &error));
  assert_error(g_steal_pointer(&error), AB_NO_INPUT, g_strerror(ENOTDIR));
  g_assert_null(store_open(self->file, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "file signature not found");
  /* The rename fails. */
  writer = create_ok(self->file);
  g_assert_cmpint(g_unlink(self->file), ==, 0);
  g_assert_cmpint(g_mkdir(self->file, 0755), ==, 0);
  g_assert_true(g_file_set_contents(inside, "", 0, NULL));
  commit_fails(writer, AB_IO, g_strerror(EISDIR));
  g_assert_cmpuint(count_entries(self->folder), ==, 1);
}

/* ---- h5py ---------------------------------------------------------------------------------- */

static char *script_path(void) {
  const char *folder = g_getenv("G_TEST_SRCDIR");
  g_autofree char *here = g_path_get_dirname(__FILE__);
  char *path = g_build_filename(folder != NULL ? folder : here, "store_h5py.py", NULL);

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) g_clear_pointer(&path, g_free);
  return path;
}

static gboolean run_script(const char *action, const char *argument) {
  g_autofree char *script = script_path();
  char *argv[] = {(char *)PYTHON, (char *)"-B", script, (char *)action, (char *)argument, NULL};
  g_autofree char *said = NULL;
  g_auto(GStrv) environment = g_environ_unsetenv(g_get_environ(), "LD_PRELOAD");
  int status = 1;

  if (script == NULL) return FALSE;
  if (!g_spawn_sync(NULL, argv, environment, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
                    &status, NULL))
    return FALSE;
  if (status != 0 && strcmp(action, "probe") != 0) g_test_message("%s", said);
  return status == 0;
}

static gboolean have_h5py(void) {
  if (run_script("probe", NULL)) return TRUE;
  g_test_skip("no " PYTHON
              " with h5py (Debian: python3-h5py), or store_h5py.py not beside the test "
              "(G_TEST_SRCDIR)");
  return FALSE;
}

static void test_h5py_reads(Fixture *self, gconstpointer data) {
  (void)data;
  if (!have_h5py()) return;
  write_everything(self->file, TRUE);
  g_assert_true(run_script("check", self->file));
}

static void check_foreign_numbers(StoreFile *file) {
  g_autoptr(GPtrArray) names = store_list(file, "/numbers", NULL);
  StoreInfo info;

  g_assert_cmpuint(names->len, ==, 15);
  for (guint n = 0; n < names->len; n++) {
    const char *name = g_ptr_array_index(names, n);
    int least = strstr(name, "un_") != NULL ? 0 : -6;
    double buffer[12];

    g_assert_true(store_info(file, name, &info, NULL));
    g_assert_cmpint(info.dtype, !=, 0);
    for (gsize to = 0; to < G_N_ELEMENTS(dtypes) - 1; to++) {
      if (dtypes[to] == AB_U8 && least < 0) continue;
      read_ok(file, name, dtypes[to], 0, 12, buffer);
      for (gsize i = 0; i < 12; i++)
        g_assert_cmpfloat(number_at(buffer, dtypes[to], i), ==, (int)i + least);
    }
  }
}

static void check_foreign_rest(StoreFile *file) {
  g_autofree double *unpacked = g_new0(double, 3000);
  StoreInfo info;
  double special[5];
  float narrow[5];
  gint64 integer;
  guint8 bools[3];
  double real;

  read_ok(file, "/gzip", AB_F64, 0, 100, unpacked);
  for (int i = 0; i < 3000; i++) g_assert_cmpfloat(unpacked[i], ==, i);
  g_assert_true(store_info(file, "/gzip", &info, NULL));
  g_assert_true(info.compressed && info.chunk_rows == 7);
  g_assert_true(store_info(file, "/bools", &info, NULL));
  g_assert_cmpint(info.dtype, ==, AB_BOOL);
  read_ok(file, "/bools", AB_BOOL, 0, 3, bools);
  g_assert_cmpmem(bools, 3, "\1\0\1", 3);
  read_ok(file, "/special", AB_F64, 0, 5, special);
  read_ok(file, "/special", AB_F32, 0, 5, narrow);
  g_assert_true(special[0] > 1e308 && special[1] < -1e308 && special[2] != special[2]);
  g_assert_true(narrow[0] > 3.5e38 && narrow[1] < -3.5e38 && narrow[2] != narrow[2]);
  assert_text(store_read_text(file, "/vtext", NULL), "Grüße, 世界");
  assert_text(store_read_text(file, "/ftext", NULL), "fixed");
  assert_text(store_read_text(file, "/empty_text", NULL), "");
  assert_text(store_read_attr_text(file, "/", "text", NULL), "Wörter");
  assert_text(store_read_attr_text(file, "/", "ftext", NULL), "bytes");
  g_assert_true(store_read_attr_int(file, "/", "int", &integer, NULL) && integer == 7);
  g_assert_true(store_read_attr_int(file, "/", "yes", &integer, NULL) && integer == 1);
  g_assert_true(store_read_attr_real(file, "/", "real", &real, NULL) && real == 0.5);
}

static void test_reads_h5py(Fixture *self, gconstpointer data) {
  g_autofree char *path = g_build_filename(self->folder, "foreign.h5", NULL);
  g_autofree char *deep = g_build_filename(self->folder, "deep.h5", NULL);
  g_autoptr(StoreFile) file = NULL, nested = NULL;
  g_autoptr(GPtrArray) names = NULL;

  (void)data;
  if (!have_h5py()) return;
  g_assert_true(run_script("make", self->folder));
  file = open_ok(path);
  check_foreign_numbers(file);
  check_foreign_rest(file);
  nested = open_ok(deep);
  names = store_list(nested, "/", NULL);
  g_assert_cmpuint(names->len, ==, 3);
  g_assert_cmpstr(g_ptr_array_index(names, 0), ==, "/a/b/c/x");
  g_assert_cmpstr(g_ptr_array_index(names, 1), ==, "/a/y");
  g_assert_cmpstr(g_ptr_array_index(names, 2), ==, "/again");
}

static void test_refuses(Fixture *self, gconstpointer data) {
  static const struct {
    const char *name;
    AbDtype dtype;
    const char *says;
  } cases[] = {
      {"/soft", AB_U8, "is a soft link"},
      {"/outside", AB_F64, "is a link to another file"},
      {"/softgroup/le_i4", AB_I32, "is a soft link"},
      {"/external", AB_U8, "in another file"},
      {"/virtual", AB_F64, "is virtual"},
      {"/huge", AB_F64, "it declares 8796093022208 bytes where 0 are stored"},
      {"/overflow", AB_F64, "absurd number of values"},
      {"/wide_rank", AB_F64, "has 9 axes"},
      {"/great_chunk", AB_F64, "chunks are larger"},
      {"/lzf", AB_F64, "filter 32000"},
      {"/scaled", AB_I64, "filter 6"},
      {"/empty", AB_F32, "no values at all"},
      {"/compound", AB_F32, "is a compound"},
      {"/complex", AB_F32, "is a compound"},
      {"/ref", AB_I64, "is a reference"},
      {"/enum", AB_I64, "is an enumeration"},
      {"/type", AB_F64, "not a dataset"},
      {"/too_big", AB_I64, "do not fit type"},
      {"/big", AB_I32, "do not fit type"},
      {"/wide", AB_U8, "do not fit type"},
      {"/fraction", AB_I32, "do not fit type"},
      {"/over", AB_F32, "do not fit type"},
      {"/special", AB_I64, "do not fit type"},
      {"/vtext", AB_U8, "a text, not numbers"},
  };
  g_autofree char *path = g_build_filename(self->folder, "foreign.h5", NULL);
  g_autoptr(StoreFile) file = NULL;
  g_autofree char *buffer = g_malloc0(4096);
  GError *error = NULL;
  gint64 integer;

  (void)data;
  if (!have_h5py()) return;
  g_assert_true(run_script("make", self->folder));
  file = open_ok(path);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    gint64 rows = strcmp(cases[i].name, "/special") == 0 ? 5 : 1;

    g_assert_true(store_has(file, cases[i].name));
    g_assert_false(store_read(file, cases[i].name, cases[i].dtype, 0, rows, buffer, &error));
    g_assert_nonnull(strstr(error->message, path));
    assert_error(g_steal_pointer(&error), AB_DATA, cases[i].says);
  }
  g_assert_null(store_list(file, "/", &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "two ways");
  g_assert_null(store_read_text(file, "/texts", &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "an array, not one text");
  g_assert_false(store_read_attr_int(file, "/", "list", &integer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "not one value");
  g_assert_false(store_read_attr_int(file, "/", "big", &integer, &error));
  assert_error(g_steal_pointer(&error), AB_DATA, "too large");
}

/* ---- damage -------------------------------------------------------------------------------- */

static gboolean digest_dataset(StoreFile *file, const char *name, GChecksum *sum, GError **error) {
  StoreInfo info;
  g_autofree char *buffer = NULL;
  gsize bytes;

  if (!store_info(file, name, &info, error)) return FALSE;
  g_checksum_update(sum, (const guchar *)&info, sizeof info);
  if (info.dtype == 0) {
    buffer = store_read_text(file, name, error);
    if (buffer == NULL) return FALSE;
    g_checksum_update(sum, (const guchar *)buffer, -1);
    return TRUE;
  }
  bytes = ab_dtype_size(info.dtype);
  for (int i = 0; i < info.rank; i++)
    if (!g_size_checked_mul(&bytes, bytes, (gsize)info.shape[i])) return TRUE;
  if (bytes > 64 << 20) return TRUE;
  buffer = g_malloc0(bytes);
  if (!store_read(file, name, info.dtype, 0, info.rank > 0 ? info.shape[0] : 1, buffer, error))
    return FALSE;
  g_checksum_update(sum, (const guchar *)buffer, (gssize)bytes);
  return TRUE;
}

static void digest_attrs(StoreFile *file, GChecksum *sum, guint *errors) {
  static const char *const objects[] = {"/", "/group", "/f32/rank2"};
  static const char *const names[] = {"text", "ftext", "axes", "empty"};
  static const char *const numbers[] = {"int", "big", "root", "real", "yes"};
  gint64 integer = 0;
  double real = 0;

  for (gsize o = 0; o < G_N_ELEMENTS(objects); o++) {
    for (gsize n = 0; n < G_N_ELEMENTS(names); n++) {
      g_autofree char *value = store_read_attr_text(file, objects[o], names[n], NULL);

      if (value == NULL) ++*errors;
      if (value != NULL) g_checksum_update(sum, (const guchar *)value, -1);
    }
    for (gsize n = 0; n < G_N_ELEMENTS(numbers); n++) {
      if (!store_read_attr_int(file, objects[o], numbers[n], &integer, NULL)) ++*errors;
      if (!store_read_attr_real(file, objects[o], numbers[n], &real, NULL)) ++*errors;
      g_checksum_update(sum, (const guchar *)&integer, sizeof integer);
      g_checksum_update(sum, (const guchar *)&real, sizeof real);
    }
  }
}

static void note(GError **error, guint *errors) {
  g_assert_nonnull(*error);
  g_assert_cmpint((*error)->code, ==, AB_DATA);
  g_assert_cmpuint(strlen((*error)->message), >, 10);
  g_assert_true(g_utf8_validate((*error)->message, -1, NULL));
  g_clear_error(error);
  ++*errors;
}

/* Reads all there is. A digest of it; `errors` counts what failed. */
static char *digest(const char *path, guint *errors) {
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_autoptr(GPtrArray) names = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreFile) file = store_open(path, &error);

  *errors = 0;
  if (file == NULL) {
    note(&error, errors);
    *errors = G_MAXUINT;
    return NULL;
  }
  names = store_list(file, "/", &error);
  if (names == NULL) note(&error, errors);
  for (guint i = 0; names != NULL && i < names->len; i++) {
    g_checksum_update(sum, g_ptr_array_index(names, i), -1);
    if (!digest_dataset(file, g_ptr_array_index(names, i), sum, &error)) note(&error, errors);
  }
  digest_attrs(file, sum, errors);
  return g_strdup(g_checksum_get_string(sum));
}

static void write_small(const char *path) {
  StoreWriter *writer = create_ok(path);
  const gint64 shape[] = {40, 5};
  g_autofree float *ramp = make_ramp(200);

  store_write(writer, "/f32/rank2", AB_F32, 2, shape, ramp, "rows columns");
  store_write(writer, "/f32/rank0", AB_F32, 0, NULL, ramp, NULL);
  store_write_text(writer, "/text", text);
  store_write_attr_text(writer, "/group", "text", "Größe");
  store_write_attr_int(writer, "/group", "int", 5);
  commit_ok(writer);
}

static void put(const char *path, const char *bytes, gsize length) {
  int fd = g_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

  g_assert_cmpint(write(fd, bytes, length), ==, (gssize)length);
  close(fd);
}

static void test_truncated(Fixture *self, gconstpointer data) {
  g_autofree char *bytes = NULL;
  gsize length;

  (void)data;
  write_small(self->file);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (gsize cut = 0; cut < length; cut += cut < 300 ? 1 : 1 + length / 200) {
    GError *error = NULL;

    put(self->file, bytes, cut);
    g_assert_null(store_open(self->file, &error));
    g_assert_nonnull(strstr(error->message, self->file));
    g_assert_null(strstr(error->message, "no reason"));
    assert_error(error, AB_DATA, "restore the file");
  }
}

/* Every flipped byte of our own files is noticed or does not matter. */
static void test_flipped(Fixture *self, gconstpointer data) {
  g_autofree char *bytes = NULL, *sound = NULL;
  g_autoptr(GRand) random = g_rand_new_with_seed(8);
  guint base, silent = 0, noticed = 0;
  gsize length;

  (void)data;
  write_small(self->file);
  sound = digest(self->file, &base);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (int i = 0; i < 300; i++) {
    gsize at = (gsize)g_rand_int_range(random, 0, (gint32)length);
    char flip = (char)g_rand_int_range(random, 1, 256);
    g_autofree char *found = NULL;
    guint errors;

    bytes[at] ^= flip;
    put(self->file, bytes, length);
    bytes[at] ^= flip;
    found = digest(self->file, &errors);
    if (errors > base)
      noticed++;
    else if (strcmp(found, sound) != 0) {
      g_test_message("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT, at, length);
      silent++;
    }
  }
  g_test_message("%u noticed, %u silent", noticed, silent);
  g_assert_cmpuint(noticed, >, 10);
  g_assert_cmpuint(silent, ==, 0);
}

/* The old format of h5py has no checksums: here it is enough to survive. */
static void test_flipped_foreign(Fixture *self, gconstpointer data) {
  g_autofree char *path = g_build_filename(self->folder, "foreign.h5", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr(GRand) random = g_rand_new_with_seed(9);
  gsize length;

  (void)data;
  if (!have_h5py()) return;
  g_assert_true(run_script("make", self->folder));
  g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
  for (int i = 0; i < 150; i++) {
    gsize at = (gsize)g_rand_int_range(random, 0, (gint32)length);
    char flip = (char)g_rand_int_range(random, 1, 256);
    guint errors;

    bytes[at] ^= flip;
    put(path, bytes, length);
    bytes[at] ^= flip;
    g_free(digest(path, &errors));
  }
}

static void test_bit_in_chunk(Fixture *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  g_autofree char *bytes = NULL;
  g_autofree char *says = g_strdup_printf("dataset /x of %s is damaged", self->file);
  const gint64 shape[] = {100};
  g_autofree float *ramp = make_ramp(100);
  StoreWriter *writer = create_ok(self->file);
  GError *error = NULL;
  gsize length, at;

  (void)data;
  store_write(writer, "/x", AB_F32, 1, shape, ramp, NULL);
  commit_ok(writer);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (at = 0; memcmp(bytes + at, ramp, 400) != 0; at++) g_assert_cmpuint(at + 400, <, length);
  bytes[at + 123] ^= 4;
  put(self->file, bytes, length);
  file = open_ok(self->file);
  g_assert_false(store_read(file, "/x", AB_F32, 0, 100, ramp, &error));
  assert_error(error, AB_DATA, says);
}

static void test_bit_in_long_text(Fixture *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  g_autofree char *bytes = NULL, *long_text = make_long_text();
  StoreWriter *writer = create_ok(self->file);
  GError *error = NULL;
  gsize length, at;

  (void)data;
  store_write_text(writer, "/x", long_text);
  commit_ok(writer);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (at = 0; memcmp(bytes + at, long_text, 1000) != 0; at++) g_assert_cmpuint(at, <, length);
  bytes[at + 500] ^= 1;
  put(self->file, bytes, length);
  file = open_ok(self->file);
  g_assert_null(store_read_text(file, "/x", &error));
  assert_error(error, AB_DATA, "is damaged");
}

/* ---- a full disk ---------------------------------------------------------------------------- */

static int full = ENOSPC; /* what the system says */

static void write_one(const char *path, gint64 count, gboolean append, gboolean expect) {
  g_autofree guint8 *data = g_malloc0((gsize)count);
  gint64 shape[] = {count}, piece[] = {count / 10};
  StoreWriter *writer;
  GError *error = NULL;

  writer = store_create(path, &error);
  if (writer == NULL) {
    g_assert_false(expect);
    assert_error(error, AB_IO, path);
    return;
  }
  if (append)
    for (int i = 0; i < 10; i++) store_append(writer, "/x/y", AB_U8, 1, piece, data);
  else
    store_write(writer, "/x/y", AB_U8, 1, shape, data, NULL);
  store_write_text(writer, "/text", text);
  if (expect) {
    commit_ok(writer);
    return;
  }
  g_assert_false(store_commit(writer, &error));
  g_assert_nonnull(strstr(error->message, g_strerror(full)));
  assert_error(error, AB_IO, "still stands");
}

static void assert_first_stands(const char *folder, const char *path, guint entries) {
  g_autoptr(StoreFile) file = open_ok(path);
  gint64 value;

  g_assert_cmpuint(count_entries(folder), ==, entries);
  g_assert_true(store_read_attr_int(file, "/", "first", &value, NULL) && value == 1);
}

static void write_first(const char *path) {
  StoreWriter *writer = create_ok(path);

  store_write_attr_int(writer, "/", "first", 1);
  commit_ok(writer);
}

static void fill(const char *path) {
  char block[4096] = {0};
  int fd = g_open(path, O_WRONLY | O_CREAT, 0644);

  while (write(fd, block, sizeof block) > 0) continue;
  close(fd);
}

static void full_tmpfs(Fixture *self, gconstpointer data) {
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
  descriptors = count_entries("/proc/self/fd");
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
  g_assert_cmpuint(count_entries("/proc/self/fd"), ==, descriptors);
  g_assert_cmpint(g_unlink(filler), ==, 0);
  write_one(path, 500000, FALSE, TRUE); /* the room is there again: nothing pins it */
  g_assert_cmpuint(count_entries(mount_point), ==, 1);
  g_assert_cmpint(umount2(mount_point, MNT_DETACH), ==, 0);
}

static void full_limit(Fixture *self, gconstpointer data) {
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
  g_assert_cmpuint(count_entries(self->folder), ==, 1);
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

/* ---- threads and silence -------------------------------------------------------------------- */

static gpointer work(gpointer data) {
  const char *folder = data;
  g_autofree char *base = g_strdup_printf("%p.h5", (void *)g_thread_self());
  g_autofree char *path = g_build_filename(folder, base, NULL);

  for (int i = 0; i < 5; i++) {
    g_autoptr(StoreFile) file = NULL;
    StoreInfo info;

    write_everything(path, FALSE);
    file = open_ok(path);
    check_every_dtype(file);
    g_assert_false(store_info(file, "/absent/x", &info, NULL));
    g_assert_null(store_open(folder, NULL));
  }
  put(path, "\211HDF\r\n\032\n damaged", 16);
  g_assert_null(store_open(path, NULL)); /* HDF5 would print its error stack */
  return NULL;
}

static void threads(Fixture *self, gconstpointer data) {
  GThread *threads_of[4];

  (void)data;
  for (int i = 0; i < 4; i++) threads_of[i] = g_thread_new("store", work, self->folder);
  for (int i = 0; i < 4; i++) g_thread_join(threads_of[i]);
}

static gpointer read_shared(gpointer data) {
  StoreFile *file = data;

  for (int i = 0; i < 3; i++) {
    check_every_dtype(file);
    check_attrs(file);
  }
  return NULL;
}

static void test_threads_one_file(Fixture *self, gconstpointer data) {
  GThread *readers[4];
  g_autoptr(StoreFile) file = NULL;

  (void)data;
  write_everything(self->file, FALSE);
  file = open_ok(self->file);
  for (int i = 0; i < 4; i++) readers[i] = g_thread_new("reader", read_shared, file);
  for (int i = 0; i < 4; i++) g_thread_join(readers[i]);
}

static void test_threads(void) {
  g_test_trap_subprocess("/store/threads/subprocess", 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr_unmatched("*HDF5-DIAG*");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  alarm(600); /* a hang is a failure */
  ADD("/store/round-trip", test_round_trip);
  ADD("/store/long-rows", test_long_rows);
  ADD("/store/same-bytes", test_same_bytes);
  ADD("/store/writer-mistakes", test_writer_mistakes);
  ADD("/store/reader-mistakes", test_reader_mistakes);
  ADD("/store/paths", test_paths);
  ADD("/store/h5py/reads-ours", test_h5py_reads);
  ADD("/store/h5py/ours-reads", test_reads_h5py);
  ADD("/store/h5py/refused", test_refuses);
  ADD("/store/damage/truncated", test_truncated);
  ADD("/store/damage/flipped", test_flipped);
  ADD("/store/damage/flipped-foreign", test_flipped_foreign);
  ADD("/store/damage/bit-in-chunk", test_bit_in_chunk);
  ADD("/store/damage/bit-in-long-text", test_bit_in_long_text);
  g_test_add_func("/store/full/tmpfs", test_full_tmpfs);
  ADD("/store/full/tmpfs/subprocess", full_tmpfs);
  g_test_add_func("/store/full/limit", test_full_limit);
  ADD("/store/full/limit/subprocess", full_limit);
  g_test_add_func("/store/threads", test_threads);
  ADD("/store/threads/subprocess", threads);
  ADD("/store/threads-one-file", test_threads_one_file);
  return g_test_run();
}
