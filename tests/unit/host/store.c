/* SPDX-License-Identifier: Apache-2.0
 *
 * Test of host/store: what is written is read back, by us and by h5py (store_h5py.py). */
#include "store-test.h"
#include <string.h>
#include <unistd.h>

/* ---- round trips ----------------------------------------------------------------------------- */

static void check_big(StoreFile *file) {
  g_autofree float *whole = g_new0(float, 5 << 20);
  g_autofree gint32 *grown = g_new0(gint32, 7000);
  g_autofree char *long_text = store_test_make_long_text();
  StoreInfo info;

  store_test_read_ok(file, "/big", AB_F32, 0, 5, whole);
  for (int i = 0; i < 5 << 20; i++) g_assert_true(whole[i] == (float)i);
  store_test_read_ok(file, "big", AB_F32, 3, 1, whole);
  g_assert_cmpfloat(whole[17], ==, (3 << 20) + 17);
  store_test_assert_text(store_read_text(file, "/long_text", NULL), long_text);
  store_test_read_ok(file, "/grown", AB_I32, 0, 1000, grown);
  for (int i = 0; i < 7000; i++) g_assert_cmpint(grown[i], ==, i);
  store_test_read_ok(file, "/grown", AB_I32, 998, 2, grown);
  g_assert_cmpint(grown[0], ==, 998 * 7);
  g_assert_true(store_info(file, "/grown", &info, NULL));
  g_assert_cmpint(info.chunk_rows * 28, >, 1000000);
  g_assert_cmpint(info.chunk_rows * 28, <=, 1 << 20);
}

static void test_round_trip(StoreTest *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  StoreInfo info;

  (void)data;
  store_test_write_everything(self->file, TRUE);
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 1);
  file = store_test_open_ok(self->file);
  g_assert_cmpstr(store_path(file), ==, self->file);
  store_test_check_every_dtype(file);
  store_test_check_attrs(file);
  check_big(file);
  store_test_assert_text(store_read_text(file, "/text", NULL), store_test_text);
  store_test_assert_text(store_read_text(file, "/no_text", NULL), "");
  g_assert_true(store_info(file, "/empty", &info, NULL));
  g_assert_cmpint(info.rank, ==, 3);
  g_assert_cmpint(info.shape[1], ==, 0);
  store_test_read_ok(file, "/empty", AB_F32, 0, 3, NULL);
  g_assert_true(store_has(file, "/group") && store_has(file, "/f32/rank0"));
  g_assert_false(store_has(file, "/grou") || store_has(file, "/text/x") || store_has(file, "//"));
}

/* Rows longer than a slab are divided on the inner axes. */
static void test_long_rows(StoreTest *self, gconstpointer data) {
  const gint64 shape[] = {2, 3, 1000003}, one[] = {1, 3000009};
  gsize count = 2 * 3 * 1000003;
  g_autofree float *ramp = store_test_make_ramp(count), *back = g_new0(float, count);
  g_autoptr(StoreFile) file = NULL;
  StoreWriter *writer = store_test_create_ok(self->file);

  (void)data;
  store_write(writer, "/x", AB_F32, 3, shape, ramp, NULL);
  store_append(writer, "/y", AB_F32, 2, one, ramp);
  store_append(writer, "/y", AB_F32, 2, one, ramp + 3000009);
  store_test_commit_ok(writer);
  file = store_test_open_ok(self->file);
  store_test_read_ok(file, "/x", AB_F32, 0, 2, back);
  g_assert_cmpmem(back, count * sizeof(float), ramp, count * sizeof(float));
  memset(back, 0, count * sizeof(float));
  store_test_read_ok(file, "/y", AB_F32, 0, 2, back);
  g_assert_cmpmem(back, count * sizeof(float), ramp, count * sizeof(float));
}

static void test_reader_mistakes(StoreTest *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  GPtrArray *names;
  GError *error = NULL;
  double buffer[64];
  gint64 integer;

  (void)data;
  store_test_write_everything(self->file, FALSE);
  file = store_test_open_ok(self->file);
  g_assert_false(store_read(file, "/f32/rank3", AB_F32, 0, 2, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_INTERNAL, "2 rows from 0");
  g_assert_false(store_read(file, "/f32/rank0", AB_F32, 1, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_INTERNAL, "rows");
  g_assert_false(store_read(file, "/f32/rank0", 77, 0, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_INTERNAL, "type 77");
  g_assert_false(store_read(file, "/absent", AB_F32, 0, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "holds no \"/absent\"");
  g_assert_false(store_read(file, "/group", AB_F32, 0, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "not a dataset");
  g_assert_false(store_read(file, "/text", AB_U8, 0, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "a text, not numbers");
  g_assert_false(store_read(file, "/f32/rank3", AB_BOOL, 0, 1, buffer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "0 or 1");
  g_assert_null(store_read_text(file, "/f32/rank0", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "not a text");
  g_assert_false(store_read_attr_int(file, "/group", "absent", &integer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "is missing");
  g_assert_false(store_read_attr_int(file, "/group", "text", &integer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "not an integer");
  g_assert_false(store_read_attr_int(file, "/group", "real", &integer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "not an integer");
  names = store_list(file, "/nowhere", NULL);
  g_assert_cmpuint(names->len, ==, 0);
  g_ptr_array_unref(names);
}

/* ---- h5py ------------------------------------------------------------------------------------ */

static void test_h5py_reads(StoreTest *self, gconstpointer data) {
  (void)data;
  if (!store_test_have_h5py()) return;
  store_test_write_everything(self->file, TRUE);
  g_assert_true(store_test_run_script("check", self->file));
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
    for (gsize to = 0; to < G_N_ELEMENTS(store_test_dtypes) - 1; to++) {
      if (store_test_dtypes[to] == AB_U8 && least < 0) continue;
      store_test_read_ok(file, name, store_test_dtypes[to], 0, 12, buffer);
      for (gsize i = 0; i < 12; i++)
        g_assert_cmpfloat(store_test_number_at(buffer, store_test_dtypes[to], i), ==,
                          (int)i + least);
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

  store_test_read_ok(file, "/gzip", AB_F64, 0, 100, unpacked);
  for (int i = 0; i < 3000; i++) g_assert_cmpfloat(unpacked[i], ==, i);
  g_assert_true(store_info(file, "/gzip", &info, NULL));
  g_assert_true(info.compressed && info.chunk_rows == 7);
  g_assert_true(store_info(file, "/bools", &info, NULL));
  g_assert_cmpint(info.dtype, ==, AB_BOOL);
  store_test_read_ok(file, "/bools", AB_BOOL, 0, 3, bools);
  g_assert_cmpmem(bools, 3, "\1\0\1", 3);
  store_test_read_ok(file, "/special", AB_F64, 0, 5, special);
  store_test_read_ok(file, "/special", AB_F32, 0, 5, narrow);
  g_assert_true(special[0] > 1e308 && special[1] < -1e308 && special[2] != special[2]);
  g_assert_true(narrow[0] > 3.5e38 && narrow[1] < -3.5e38 && narrow[2] != narrow[2]);
  store_test_assert_text(store_read_text(file, "/vtext", NULL), "Grüße, 世界");
  store_test_assert_text(store_read_text(file, "/ftext", NULL), "fixed");
  store_test_assert_text(store_read_text(file, "/empty_text", NULL), "");
  store_test_assert_text(store_read_attr_text(file, "/", "text", NULL), "Wörter");
  store_test_assert_text(store_read_attr_text(file, "/", "ftext", NULL), "bytes");
  g_assert_true(store_read_attr_int(file, "/", "int", &integer, NULL) && integer == 7);
  g_assert_true(store_read_attr_int(file, "/", "yes", &integer, NULL) && integer == 1);
  g_assert_true(store_read_attr_real(file, "/", "real", &real, NULL) && real == 0.5);
}

static void test_reads_h5py(StoreTest *self, gconstpointer data) {
  g_autofree char *path = g_build_filename(self->folder, "foreign.h5", NULL);
  g_autofree char *deep = g_build_filename(self->folder, "deep.h5", NULL);
  g_autoptr(StoreFile) file = NULL, nested = NULL;
  g_autoptr(GPtrArray) names = NULL;

  (void)data;
  if (!store_test_have_h5py()) return;
  g_assert_true(store_test_run_script("make", self->folder));
  file = store_test_open_ok(path);
  check_foreign_numbers(file);
  check_foreign_rest(file);
  nested = store_test_open_ok(deep);
  names = store_list(nested, "/", NULL);
  g_assert_cmpuint(names->len, ==, 3);
  g_assert_cmpstr(g_ptr_array_index(names, 0), ==, "/a/b/c/x");
  g_assert_cmpstr(g_ptr_array_index(names, 1), ==, "/a/y");
  g_assert_cmpstr(g_ptr_array_index(names, 2), ==, "/again");
}

/* Scales are attributes that refer to other datasets: nothing here follows them. */
static void test_foreign_scales(StoreTest *self, gconstpointer data) {
  g_autofree char *path = g_build_filename(self->folder, "scales.h5", NULL);
  g_autoptr(StoreFile) file = NULL;
  g_autoptr(GPtrArray) names = NULL;
  GError *error = NULL;
  double y[6];

  (void)data;
  if (!store_test_have_h5py()) return;
  g_assert_true(store_test_run_script("make", self->folder));
  file = store_test_open_ok(path);
  names = store_list(file, "/", NULL);
  g_assert_cmpuint(names->len, ==, 2);
  store_test_read_ok(file, "/y", AB_F64, 0, 2, y);
  g_assert_cmpfloat(y[5], ==, 5);
  g_assert_null(store_read_attr_texts(file, "/y", "DIMENSION_LIST", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "DIMENSION_LIST");
  g_assert_null(store_read_attr_text(file, "/t", "REFERENCE_LIST", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "a compound, not a text");
  store_test_assert_text(store_read_attr_text(file, "/t", "NAME", NULL), "time");
  store_test_assert_texts(store_read_attr_texts(file, "/", "fixed", NULL), "a|bcd|");
  store_test_assert_texts(store_read_attr_texts(file, "/", "one", NULL), "Wort");
  g_assert_null(store_read_attr_texts(file, "/", "varying", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "no list of texts of fixed length");
  g_assert_null(store_read_attr_texts(file, "/", "numbers", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "no list of texts");
  g_assert_null(store_read_attr_texts(file, "/", "absent", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "is missing");
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  alarm(600); /* a hang is a failure */
  STORE_TEST_ADD("/store/round-trip", test_round_trip);
  STORE_TEST_ADD("/store/long-rows", test_long_rows);
  STORE_TEST_ADD("/store/reader-mistakes", test_reader_mistakes);
  STORE_TEST_ADD("/store/h5py/reads-ours", test_h5py_reads);
  STORE_TEST_ADD("/store/h5py/ours-reads", test_reads_h5py);
  STORE_TEST_ADD("/store/h5py/scales", test_foreign_scales);
  return g_test_run();
}
