/* SPDX-License-Identifier: Apache-2.0
 *
 * NPY: every type, order and version, as NumPy writes them (apply_numpy.py, where NumPy is there)
 * and as they stand here byte by byte; headers that lie. */
#include "raw-test.h"

#include <string.h>

#define PYTHON "/usr/bin/python3"

/* ---- files by hand --------------------------------------------------------------------------- */

/* "\x93NUMPY", version, length, header, numbers. */
static GByteArray *npy(guint8 version, const char *header, const void *numbers, gsize size) {
  GByteArray *all = g_byte_array_new();
  guint length = (guint)strlen(header);
  const guint8 prefix[] = {
      0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, (guint8)length, (guint8)(length >> 8), 0, 0};
  g_byte_array_append(all, prefix, version == 1 ? 10 : 12);
  g_byte_array_append(all, (const guint8 *)header, length);
  g_byte_array_append(all, numbers, (guint)size);
  return all;
}

static const char *write_npy(guint8 version, const char *header, const void *numbers, gsize size) {
  GByteArray *all = npy(version, header, numbers, size);
  const char *path = raw_test_write("a.npy", all->data, all->len);
  g_byte_array_unref(all);
  return path;
}

static void assert_values(const char *path, const double *expected, gsize count) {
  g_autofree double *values = raw_test_read(path, NULL, 2);
  for (gsize i = 0; i < count; i++) g_assert_cmpfloat(values[i], ==, expected[i]);
}

static void test_by_hand(void) {
  /* 1.5 and -2 as f4, big-endian: 3f c0 00 00, c0 00 00 00 */
  const guint8 big[] = {0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0};
  const guint8 little[] = {0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0};
  const double reals[] = {1.5, -2};
  assert_values(write_npy(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }\n", big, 8),
                reals, 2);
  assert_values(write_npy(2, "{'shape':(1L, 2L),'fortran_order':False,\"descr\":'<f4'}", little, 8),
                reals, 2);
  const guint8 words[] = {0xff, 0xfe, 0x00, 0x01}; /* as >i2: -2, 1; as <u2: 65279, 256 */
  const double signed_words[] = {-2, 1}, unsigned_words[] = {65279, 256};
  assert_values(write_npy(1, "{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}", words, 4),
                signed_words, 2);
  assert_values(write_npy(3, "{'descr': '<u2', 'fortran_order': False, 'shape': (2,)}", words, 4),
                unsigned_words, 2);
  /* Fortran: the first axis runs fastest */
  const guint8 bytes[] = {1, 4, 2, 5, 3, 6};
  const double rows[] = {1, 2, 3, 4, 5, 6};
  assert_values(write_npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", bytes, 6),
                rows, 6);
}

static void test_shape(void) {
  guint8 zeros[48] = {0};
  gint64 shape[AB_MAX_RANK];
  const char *path =
      write_npy(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3, 2)}", zeros, 48);
  g_autoptr(RawFile) file = raw_open(path, NULL, NULL);
  g_assert_nonnull(file);
  g_assert_cmpstr(raw_name(file), ==, path);
  g_assert_cmpint(raw_type(file), ==, RAW_I32);
  g_assert_cmpint(raw_rows(file), ==, 2);
  g_assert_cmpint(raw_width(file), ==, 6);
  g_assert_cmpint(raw_row_shape(file, shape), ==, 2);
  g_assert_cmpint(shape[0], ==, 3);
  g_assert_cmpint(shape[1], ==, 2);
}

/* Integers are exact; real numbers are none. */
static void test_integers(void) {
  const gint64 large = GINT64_TO_LE((G_GINT64_CONSTANT(1) << 53) + 1);
  gint64 value = 0;
  GError *error = NULL;
  g_autoptr(RawFile) whole =
      raw_open(write_npy(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", &large, 8),
               NULL, NULL);
  g_assert_true(raw_read(whole, AB_I64, 0, 1, &value, &error));
  g_assert_cmpint(value, ==, (G_GINT64_CONSTANT(1) << 53) + 1);
  g_autoptr(RawFile) real =
      raw_open(write_npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", &large, 8),
               NULL, NULL);
  g_assert_false(raw_read(real, AB_I64, 0, 1, &value, &error));
  g_assert_error(error, HOST_ERROR, AB_DATA);
  g_clear_error(&error);
  g_assert_false(raw_read(real, AB_F64, 1, 1, &value, &error));
  g_assert_error(error, HOST_ERROR, AB_INTERNAL);
  g_error_free(error);
}

/* ---- files that are refused ------------------------------------------------------------------ */

#define HEADER(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

static void test_refused(void) {
  static const struct {
    const char *header, *word;
  } rows[] = {
      {HEADER("<f2", "(4,)"), "'<f2'"},
      {HEADER("<c8", "(1,)"), "'<c8'"},
      {HEADER("|O", "(1,)"), "'|O'"},
      {HEADER("|S8", "(1,)"), "'|S8'"},
      {HEADER("", "(1,)"), "''"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "fields"},
      {HEADER("<f4", "()"), "single number"},
      {HEADER("<f4", "(0, 2)"), "empty"},
      {HEADER("<f4", "(2, 0)"), "empty"},
      {HEADER("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 2)"), "axes"},
      {HEADER("<f4", "(4294967296, 4294967296)"), "more numbers"},
      {HEADER("<f4", "(9223372036854775807,)"), "more numbers"},
      {HEADER("<f4", "(99999999999999999999999,)"), "shape"},
      {HEADER("<f4", "(-2,)"), "shape"},
      {HEADER("<f4", "(2"), "shape"},
      {HEADER("<f4", "2"), "shape"},
      {HEADER("<f4", "(1099511627776,)"), "bytes"},
      {HEADER("<f4", "(3,)"), "bytes"},
      {HEADER("<f4", "(1,)"), "several arrays"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "fortran_order"},
      {"{'descr': '<f4', 'shape': (2,)}", "missing"},
      {"{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}", "twice"},
      {"{'descr': '<f4', 'evil': __import__('os'), 'shape': (2,)}", "not known"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "end"},
      {"[1, 2]", "dictionary"},
      {"", "dictionary"},
  };
  const guint8 numbers[8] = {0};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    raw_test_refused(write_npy(1, rows[i].header, numbers, 8), AB_DATA, rows[i].word);
  raw_test_refused(write_npy(9, rows[0].header, numbers, 8), AB_DATA, "version 9");
  g_autofree char *missing = raw_test_path("missing.npy");
  raw_test_refused(missing, AB_NO_INPUT, "No such file");
  raw_test_refused(raw_test_write("text.npy", "1,2,3\n", 6), AB_DATA, "neither");
  raw_test_refused(raw_test_write("empty.npy", "", 0), AB_DATA, "neither");
}

static void test_folder(void) {
  g_autofree char *path = raw_test_path("text.npy");
  g_autofree char *folder = g_path_get_dirname(path);
  raw_test_refused(folder, AB_IO, "folder");
}

static void test_dataset(void) {
  const guint8 numbers[8] = {0};
  GError *error = NULL;
  g_assert_null(raw_open(write_npy(1, HEADER("<f4", "(2,)"), numbers, 8), "x", &error));
  g_assert_error(error, HOST_ERROR, AB_USAGE);
  g_error_free(error);
}

static void test_spoilt(void) {
  const guint8 numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (guint8 version = 1; version <= 2; version++) {
    GByteArray *all = npy(version, HEADER("<i2", "(3, 2)"), numbers, sizeof numbers);
    raw_test_spoil("spoilt.npy", all->data, all->len, all->len);
    g_byte_array_unref(all);
  }
}

/* ---- files of NumPy -------------------------------------------------------------------------- */

static gboolean run_numpy(char *folder) {
  const char *given = g_getenv("G_TEST_SRCDIR");
  g_autofree char *here = g_path_get_dirname(__FILE__);
  g_autofree char *script = g_build_filename(given ? given : here, "apply_numpy.py", NULL);
  char *argv[] = {(char *)PYTHON, (char *)"-B", script, folder, NULL};
  int status;
  return g_file_test(script, G_FILE_TEST_EXISTS) &&
         g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status,
                      NULL) &&
         g_spawn_check_wait_status(status, NULL);
}

/* Each holds i % 100, or (i % 100) % 2 for bool, for i from 0 in C order; shape [7, 3, 5]. */
static void test_numpy(void) {
  static const char *const types[] = {"lt_f4", "gt_f4", "lt_f8", "gt_f8", "u1",
                                      "i1",    "b1",    "lt_u2", "gt_u2", "lt_i2",
                                      "gt_i2", "lt_i4", "gt_i4", "lt_i8", "gt_i8"};
  static const char *const kinds[] = {"c", "f", "v2", "v3"};
  g_autofree char *any = raw_test_path("any"), *folder = g_path_get_dirname(any);
  if (!run_numpy(folder)) {
    g_test_skip("no NumPy");
    return;
  }
  for (guint t = 0; t < G_N_ELEMENTS(types); t++)
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
      g_autofree char *name = g_strdup_printf("%s_%s.npy", types[t], kinds[k]);
      g_autofree char *path = raw_test_path(name);
      g_autofree double *values = raw_test_read(path, NULL, 1 + (gint64)k);
      for (int i = 0; i < 105; i++)
        g_assert_cmpfloat(values[i], ==, strcmp(types[t], "b1") == 0 ? i % 100 % 2 : i % 100);
    }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/apply/npy/by-hand", test_by_hand);
  g_test_add_func("/apply/npy/shape", test_shape);
  g_test_add_func("/apply/npy/integers", test_integers);
  g_test_add_func("/apply/npy/refused", test_refused);
  g_test_add_func("/apply/npy/folder", test_folder);
  g_test_add_func("/apply/npy/dataset", test_dataset);
  g_test_add_func("/apply/npy/spoilt", test_spoilt);
  g_test_add_func("/apply/npy/numpy", test_numpy);
  int status = g_test_run();
  raw_test_clear();
  return status;
}
