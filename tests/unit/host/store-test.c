/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of host/store share; see store-test.h. */
#include "store-test.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"

const AbDtype store_test_dtypes[6] = {AB_F32, AB_F64, AB_U8, AB_I32, AB_I64, AB_BOOL};
static const char *const dtype_names[] = {"f32", "f64", "u8", "i32", "i64", "bool"};
const char store_test_text[] = "Grüße, 世界 \U0001f9e0\n";

/* ---- a folder per test ----------------------------------------------------------------------- */

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

void store_test_set_up(StoreTest *self, gconstpointer data) {
  (void)data;
  self->folder = g_dir_make_tmp("store-test-XXXXXX", NULL);
  g_assert_nonnull(self->folder);
  self->file = g_build_filename(self->folder, "run.h5", NULL);
}

void store_test_tear_down(StoreTest *self, gconstpointer data) {
  (void)data;
  remove_folder(self->folder);
  g_free(self->folder);
  g_free(self->file);
}

guint store_test_count_entries(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  guint count = 0;

  g_assert_nonnull(dir);
  while (g_dir_read_name(dir) != NULL) count++;
  g_dir_close(dir);
  return count;
}

void store_test_put(const char *path, const char *bytes, gsize length) {
  int fd = g_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

  g_assert_cmpint(write(fd, bytes, length), ==, (gssize)length);
  close(fd);
}

/* ---- small helpers --------------------------------------------------------------------------- */

StoreFile *store_test_open_ok(const char *path) {
  g_autoptr(GError) error = NULL;
  StoreFile *file = store_open(path, &error);

  g_assert_no_error(error);
  g_assert_nonnull(file);
  return file;
}

StoreWriter *store_test_create_ok(const char *path) {
  g_autoptr(GError) error = NULL;
  StoreWriter *writer = store_create(path, &error);

  g_assert_no_error(error);
  g_assert_nonnull(writer);
  return writer;
}

void store_test_commit_ok(StoreWriter *writer) {
  g_autoptr(GError) error = NULL;
  gboolean ok = store_commit(writer, &error);

  g_assert_no_error(error);
  g_assert_true(ok);
}

void store_test_assert_error(GError *error, AbCode code, const char *part) {
  g_assert_nonnull(error);
  if (g_strstr_len(error->message, -1, part) == NULL)
    g_error("\"%s\" does not say \"%s\"", error->message, part);
  g_assert_error(error, HOST_ERROR, code);
  g_assert_nonnull(error->message);
  g_error_free(error);
}

void store_test_read_ok(StoreFile *file, const char *name, AbDtype dtype, gint64 first,
                        gint64 count, void *buffer) {
  g_autoptr(GError) error = NULL;
  gboolean ok = store_read(file, name, dtype, first, count, buffer, &error);

  g_assert_no_error(error);
  g_assert_true(ok);
}

void store_test_assert_text(char *found, const char *wanted) {
  g_assert_cmpstr(found, ==, wanted);
  g_free(found);
}

void store_test_assert_texts(char **found, const char *wanted) {
  g_assert_nonnull(found);
  store_test_assert_text(g_strjoinv("|", found), wanted);
  g_strfreev(found);
}

double store_test_number_at(const void *data, AbDtype dtype, gsize i) {
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

/* ---- all that the store can write ------------------------------------------------------------ */

static gint64 shape_of_rank(int rank, gint64 *shape) {
  gint64 elements = 1;

  for (int i = 0; i < rank; i++) elements *= shape[i] = 1 + i % 3;
  return elements;
}

static void write_every_dtype(StoreWriter *writer) {
  double buffer[512];
  gint64 shape[AB_MAX_RANK];

  for (gsize d = 0; d < G_N_ELEMENTS(store_test_dtypes); d++)
    for (int rank = 0; rank <= AB_MAX_RANK; rank++) {
      gint64 elements = shape_of_rank(rank, shape);
      g_autofree char *name = g_strdup_printf("/%s/rank%d", dtype_names[d], rank);

      g_assert_cmpint(elements, <=, 512);
      for (int i = 0; i < elements; i++)
        set_number(buffer, store_test_dtypes[d], (gsize)i,
                   i % (store_test_dtypes[d] == AB_BOOL ? 2 : 100));
      store_write(writer, name, store_test_dtypes[d], rank, shape, buffer,
                  rank == 2 ? "rows columns" : NULL);
    }
}

float *store_test_make_ramp(gsize count) {
  float *ramp = g_new(float, count);

  for (gsize i = 0; i < count; i++) ramp[i] = (float)i;
  return ramp;
}

char *store_test_make_long_text(void) {
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

static void write_scales(StoreWriter *writer) {
  static const char *const axes[] = {"row", "Größe", "", NULL};
  const gint64 shape[] = {3, 4};
  g_autofree float *ramp = store_test_make_ramp(12);
  const gint32 rows[] = {10, 20, 30};

  store_write(writer, "/scaled/y", AB_F32, 2, shape, ramp, NULL);
  store_write(writer, "/scaled/z", AB_F32, 2, shape, ramp, NULL);
  store_write(writer, "/scaled/row", AB_I32, 1, shape, rows, NULL);
  store_write(writer, "/scaled/time", AB_F32, 1, shape, ramp, NULL);
  store_write(writer, "/scaled/column", AB_F32, 1, shape + 1, ramp, NULL);
  store_write_label(writer, "/scaled/y", 1, "columns");
  store_write_scale(writer, "/scaled/y", 0, "/scaled/row");
  store_write_scale(writer, "/scaled/y", 0, "/scaled/time");
  store_write_scale(writer, "/scaled/y", 1, "/scaled/column");
  store_write_scale(writer, "/scaled/z", 1, "/scaled/column");
  store_write_attr_texts(writer, "/scaled", "axes", axes + 1);
  store_write_attr_texts(writer, "/scaled", "axes", axes);
}

void store_test_write_everything(const char *path, gboolean big) {
  const gint64 empty[] = {3, 0, 2}, big_shape[] = {5, 1 << 20}, none[] = {2, 0};
  StoreWriter *writer = store_test_create_ok(path);
  g_autofree char *long_text = store_test_make_long_text();
  g_autofree float *ramp = big ? store_test_make_ramp(5 << 20) : NULL;

  write_every_dtype(writer);
  store_write(writer, "/empty", AB_F32, 3, empty, NULL, "a b c");
  if (big) store_write(writer, "/big", AB_F32, 2, big_shape, ramp, NULL);
  store_write_text(writer, "/text", store_test_text);
  store_write_text(writer, "/no_text", "");
  if (big) store_write_text(writer, "/long_text", long_text);
  store_write_attr_text(writer, "/group", "text", "first");
  store_write_attr_text(writer, "/group", "text", "Größe");
  store_write_attr_text(writer, "/group", "empty", "");
  store_write_attr_int(writer, "/group", "int", G_MININT64);
  store_write_attr_real(writer, "/group", "real", 0.1);
  store_write_attr_int(writer, "/", "root", 42);
  write_scales(writer);
  append_ramp(writer, "/grown", big ? 1000 : 20, 33);
  store_append(writer, "/grown_empty", AB_F64, 2, none, NULL);
  store_test_commit_ok(writer);
}

void store_test_check_every_dtype(StoreFile *file) {
  double buffer[512];
  gint64 shape[AB_MAX_RANK];
  StoreInfo info;

  for (gsize d = 0; d < G_N_ELEMENTS(store_test_dtypes); d++)
    for (int rank = 0; rank <= AB_MAX_RANK; rank++) {
      gint64 elements = shape_of_rank(rank, shape);
      g_autofree char *name = g_strdup_printf("/%s/rank%d", dtype_names[d], rank);

      g_assert_true(store_info(file, name, &info, NULL));
      g_assert_cmpint(info.dtype, ==, store_test_dtypes[d]);
      g_assert_cmpint(info.rank, ==, rank);
      for (int i = 0; i < rank; i++) g_assert_cmpint(info.shape[i], ==, shape[i]);
      for (gsize to = 0; to < G_N_ELEMENTS(store_test_dtypes); to++) {
        if (store_test_dtypes[to] == AB_BOOL && store_test_dtypes[d] != AB_BOOL)
          continue; /* 2 is no truth value */
        store_test_read_ok(file, name, store_test_dtypes[to], 0, rank > 0 ? shape[0] : 1, buffer);
        for (gsize i = 0; i < (gsize)elements; i++)
          g_assert_cmpfloat(store_test_number_at(buffer, store_test_dtypes[to], i), ==,
                            i % (store_test_dtypes[d] == AB_BOOL ? 2 : 100));
      }
    }
}

void store_test_check_attrs(StoreFile *file) {
  gint64 integer;
  double real;

  store_test_assert_text(store_read_attr_text(file, "/group", "text", NULL), "Größe");
  store_test_assert_text(store_read_attr_text(file, "/group", "empty", NULL), "");
  store_test_assert_text(store_read_attr_text(file, "/f32/rank2", "axes", NULL), "rows columns");
  g_assert_true(store_read_attr_int(file, "/group", "int", &integer, NULL));
  g_assert_cmpint(integer, ==, G_MININT64);
  g_assert_true(store_read_attr_int(file, "/", "root", &integer, NULL));
  g_assert_cmpint(integer, ==, 42);
  g_assert_true(store_read_attr_real(file, "/group", "real", &real, NULL));
  g_assert_cmpfloat(real, ==, 0.1);
  store_test_assert_texts(store_read_attr_texts(file, "/scaled", "axes", NULL), "row|Größe|");
  store_test_assert_texts(store_read_attr_texts(file, "/group", "text", NULL), "Größe");
}

/* ---- h5py ------------------------------------------------------------------------------------ */

static char *script_path(void) {
  const char *folder = g_getenv("G_TEST_SRCDIR");
  g_autofree char *here = g_path_get_dirname(__FILE__);
  char *path = g_build_filename(folder != NULL ? folder : here, "store_h5py.py", NULL);

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) g_clear_pointer(&path, g_free);
  return path;
}

gboolean store_test_run_script(const char *action, const char *argument) {
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

gboolean store_test_have_h5py(void) {
  if (store_test_run_script("probe", NULL)) return TRUE;
  g_test_skip("no " PYTHON
              " with h5py (Debian: python3-h5py), or store_h5py.py not beside the test "
              "(G_TEST_SRCDIR)");
  return FALSE;
}
