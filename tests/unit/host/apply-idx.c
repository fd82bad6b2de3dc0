/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX, plain and gzipped (packed by zlib here), byte by byte; headers that lie. */
#include "raw-test.h"

#include <string.h>
#include <zlib.h>

static const char *write_gzipped(const char *name, const void *bytes, gsize size) {
  g_autofree char *path = raw_test_path(name);
  gzFile file = gzopen(path, "wb");
  g_assert_nonnull(file);
  g_assert_cmpint(gzwrite(file, bytes, (unsigned)size), ==, (int)size);
  g_assert_cmpint(gzclose(file), ==, Z_OK);
  g_autofree char *packed = NULL;
  gsize length;
  g_assert_true(g_file_get_contents(path, &packed, &length, NULL));
  return raw_test_write(name, packed, length);
}

static void assert_values(const char *path, const double *expected, gsize count) {
  for (gint64 step = 1; step <= 3; step++) {
    g_autofree double *values = raw_test_read(path, NULL, step);
    for (gsize i = 0; i < count; i++) g_assert_cmpfloat(values[i], ==, expected[i]);
  }
}

/* u8 [3, 2] */
static const guint8 small[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 250, 4, 5, 6};
static const double small_values[] = {1, 2, 250, 4, 5, 6};

static void test_bytes(void) {
  assert_values(raw_test_write("a.idx", small, sizeof small), small_values, 6);
  assert_values(write_gzipped("a.idx.gz", small, sizeof small), small_values, 6);
}

static void test_types(void) {
  static const struct {
    guint8 bytes[24];
    gsize size;
    double values[2];
  } rows[] = {
      {{0, 0, 0x09, 1, 0, 0, 0, 2, 0xff, 0x7f}, 10, {-1, 127}},
      {{0, 0, 0x0b, 1, 0, 0, 0, 2, 0xff, 0xfe, 0x01, 0x00}, 12, {-2, 256}},
      {{0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff}, 16, {65536, -1}},
      {{0, 0, 0x0d, 1, 0, 0, 0, 2, 0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, 16, {1.5, -2}},
      {{0, 0, 0x0e, 1, 0, 0, 0, 2, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0}, 24, {1.5, -2}},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    assert_values(raw_test_write("t.idx", rows[i].bytes, rows[i].size), rows[i].values, 2);
    assert_values(write_gzipped("t.idx.gz", rows[i].bytes, rows[i].size), rows[i].values, 2);
  }
}

/* Rows in any order, back and forth. */
static void test_order(void) {
  static const gint64 order[] = {2, 0, 1, 1, 2, 0};
  const char *paths[] = {"o.idx", "o.idx.gz"};
  for (guint p = 0; p < 2; p++) {
    const char *path = p ? write_gzipped(paths[p], small, sizeof small)
                         : raw_test_write(paths[p], small, sizeof small);
    g_autoptr(RawFile) file = raw_open(path, NULL, NULL);
    g_assert_nonnull(file);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
      float row[2];
      GError *error = NULL;
      g_assert_true(raw_read(file, AB_F32, order[i], 1, row, &error));
      g_assert_cmpfloat((double)row[0], ==, small_values[2 * order[i]]);
      g_assert_cmpfloat((double)row[1], ==, small_values[2 * order[i] + 1]);
    }
  }
}

static void test_refused(void) {
  static const struct {
    guint8 bytes[16];
    gsize size;
    const char *word;
  } rows[] = {
      {{0, 0, 8, 1, 0, 0, 0, 3, 1, 2}, 10, "bytes"}, /* too short */
      {{0, 0, 8, 1, 0, 0, 0, 1, 1, 2}, 10, ""},      /* too long */
      {{0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 16, "more numbers"},
      {{0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff, 1}, 9, ""},
      {{0, 0, 8, 1, 0, 0, 0, 0}, 8, "empty"},
      {{0, 0, 8, 0, 1}, 5, "single number"},
      {{0, 0, 0x0a, 1, 0, 0, 0, 1, 1}, 9, "no IDX"},
      {{0, 0, 8, 9, 0, 0, 0, 1}, 16, "no IDX"},
      {{0, 0, 8, 3, 0, 0, 0, 1}, 8, "too soon"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    raw_test_refused(raw_test_write("r.idx", rows[i].bytes, rows[i].size), AB_DATA, rows[i].word);
    raw_test_refused(write_gzipped("r.idx.gz", rows[i].bytes, rows[i].size), AB_DATA, NULL);
  }
  raw_test_refused(write_gzipped("text.gz", "hello, world", 12), AB_DATA, "(gzipped)");
}

/* Packed numbers that were changed: the checksum of gzip finds it. */
static void test_spoilt(void) {
  raw_test_spoil("s.idx", small, sizeof small, 12);
  g_autofree char *packed = NULL;
  gsize size;
  const char *path = write_gzipped("s.idx.gz", small, sizeof small);
  g_assert_true(g_file_get_contents(path, &packed, &size, NULL));
  raw_test_spoil("s.idx.gz", (const guint8 *)packed, size, size);
  packed[size - 8] ^= 1; /* of the checksum */
  raw_test_refused(raw_test_write("s.idx.gz", packed, size), AB_DATA, "damaged");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/apply/idx/bytes", test_bytes);
  g_test_add_func("/apply/idx/types", test_types);
  g_test_add_func("/apply/idx/order", test_order);
  g_test_add_func("/apply/idx/refused", test_refused);
  g_test_add_func("/apply/idx/spoilt", test_spoilt);
  int status = g_test_run();
  raw_test_clear();
  return status;
}
