/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 as a raw file: which dataset is meant, and what of it is read. What the store refuses is
 * tested with the store.                                                                         */
#include "raw-test.h"
#include "store/store.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  const char *name;
  AbDtype dtype;
} Part;

/* Datasets [2, 2] with 1, 2, 3, 4 (bool: 1, 0, 1, 0), and the attribute signal. */
static char *write_file(const Part *parts, guint count, const char *signal) {
  static const float f32[] = {1, 2, 3, 4};
  static const double f64[] = {1, 2, 3, 4};
  static const guint8 u8[] = {1, 2, 3, 4}, boolean[] = {1, 0, 1, 0};
  static const gint32 i32[] = {1, 2, 3, 4};
  static const gint64 i64[] = {1, 2, 3, 4}, shape[] = {2, 2};
  const void *values[] = {[AB_F32] = f32, [AB_F64] = f64, [AB_U8] = u8,
                          [AB_I32] = i32, [AB_I64] = i64, [AB_BOOL] = boolean};
  char *path = raw_test_path("a.h5");
  StoreWriter *writer = store_create(path, NULL);
  g_assert_nonnull(writer);
  for (guint i = 0; i < count; i++)
    store_write(writer, parts[i].name, parts[i].dtype, 2, shape, values[parts[i].dtype], NULL);
  if (signal) store_write_attr_text(writer, "/", "signal", signal);
  store_write_text(writer, "/title", "none of numbers");
  store_write(writer, "/scalar", AB_F32, 0, NULL, f32, NULL);
  g_assert_true(store_commit(writer, NULL));
  return path;
}

static void test_types(void) {
  static const AbDtype dtypes[] = {AB_F32, AB_F64, AB_U8, AB_I32, AB_I64, AB_BOOL};
  static const RawType types[] = {RAW_F32, RAW_F64, RAW_U8, RAW_I32, RAW_I64, RAW_BOOL};
  for (guint i = 0; i < G_N_ELEMENTS(dtypes); i++) {
    const Part part = {"/a", dtypes[i]};
    g_autofree char *path = write_file(&part, 1, NULL);
    g_autoptr(RawFile) file = raw_open(path, NULL, NULL);
    g_assert_nonnull(file);
    g_assert_cmpint(raw_type(file), ==, types[i]);
    g_autofree double *values = raw_test_read(path, NULL, 1);
    for (int k = 0; k < 4; k++)
      g_assert_cmpfloat(values[k], ==, dtypes[i] == AB_BOOL ? (k + 1) % 2 : k + 1);
  }
}

static void assert_chosen(const char *path, const char *dataset, const char *expected) {
  GError *error = NULL;
  g_autoptr(RawFile) file = raw_open(path, dataset, &error);
  g_assert_no_error(error);
  g_autofree char *name = g_strdup_printf("%s, dataset %s", path, expected);
  g_assert_cmpstr(raw_name(file), ==, name);
}

static void test_choice(void) {
  static const Part parts[] = {{"/g/b", AB_F32}, {"/a", AB_F64}, {"/x", AB_U8}};
  g_autofree char *only = write_file(parts, 1, NULL);
  assert_chosen(only, NULL, "g/b");
  assert_chosen(only, "/g/b", "/g/b");
  g_autofree char *named = write_file(parts, 2, "a");
  assert_chosen(named, NULL, "a");
  assert_chosen(named, "g/b", "g/b");
  g_autofree char *usual = write_file(parts, 3, "a");
  assert_chosen(usual, NULL, "x");
}

static void test_refused(void) {
  static const Part parts[] = {{"/b", AB_F32}, {"/a", AB_F64}};
  GError *error = NULL;
  g_autofree char *path = write_file(parts, 2, NULL);
  raw_test_refused(path, AB_DATA, "(a, b)");
  g_assert_null(raw_open(path, "c", &error));
  g_assert_error(error, HOST_ERROR, AB_DATA);
  g_assert_nonnull(strstr(error->message, "a, b"));
  g_clear_error(&error);
  static const char *const others[] = {"title", "scalar", "", "..", "/"};
  for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
    g_assert_null(raw_open(path, others[i], &error));
    g_assert_error(error, HOST_ERROR, AB_DATA);
    g_clear_error(&error);
  }
  g_autofree char *none = write_file(parts, 0, NULL);
  raw_test_refused(none, AB_DATA, "no dataset of numbers");
  g_autofree char *lost = write_file(parts, 0, "gone");
  raw_test_refused(lost, AB_DATA, "no dataset of numbers");
}

static void test_cut(void) {
  static const Part part = {"/a", AB_F64};
  g_autofree char *path = write_file(&part, 1, NULL), *bytes = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
  for (gsize length = 8; length < size; length += 97)
    raw_test_refused(raw_test_write("cut.h5", bytes, length), AB_DATA, NULL);
}

/* A block of the user's before the file, as Matlab writes it. */
static void test_block(void) {
  static const Part part = {"/a", AB_F64};
  g_autofree char *path = write_file(&part, 1, NULL), *bytes = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
  g_autofree char *moved = g_malloc0(size + 512);
  memcpy(moved + 512, bytes, size);
  AbCode code = raw_test_code(raw_test_write("block.h5", moved, size + 512));
  g_assert_true(code == AB_OK || code == AB_DATA); /* its addresses count from 0 or from 512 */
  const char *text = raw_test_write("zeros.h5", moved, 512);
  raw_test_refused(text, AB_DATA, "neither");
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/apply/hdf5/types", test_types);
  g_test_add_func("/apply/hdf5/choice", test_choice);
  g_test_add_func("/apply/hdf5/refused", test_refused);
  g_test_add_func("/apply/hdf5/cut", test_cut);
  g_test_add_func("/apply/hdf5/block", test_block);
  int status = g_test_run();
  raw_test_clear();
  return status;
}
