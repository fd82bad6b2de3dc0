/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 data through the host's store. Files are written by HDF5 itself, not by the store, so that
 * chunks, compression and types are the test's choice.                                          */
#include "plugin-test.h"
#include "store/service.h"
#include "store/store.h"
#include <hdf5.h>
#include <string.h>

typedef struct {
  AbContext *ctx;
  AbData *data;
  char *folder, *path;
  hid_t file;
} Fixture;

static AbStoreService counting; /* the host's, but for `read` */
static int reads;

static bool counting_read(void *file, const char *dataset, AbDtype dtype, int64_t first,
                          int64_t count, void *buffer, AbCode *code, char **message) {
  reads++;
  return store_service()->read(file, dataset, dtype, first, count, buffer, code, message);
}

static void renew(Fixture *f) {
  ab_instance_free(f->data);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "hdf5");
  plugin_test_set_text(f->data, "file", f->path);
}

static void begin(Fixture *f) {
  f->file = H5Fcreate(f->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  g_assert_cmpint(f->file, >=, 0);
}

static void end(Fixture *f) {
  g_assert_cmpint(H5Fclose(f->file), >=, 0);
}

static void set_up(Fixture *f, gconstpointer unused) {
  (void)unused;
  counting = *store_service();
  counting.read = counting_read;
  f->ctx = ab_context_new("reference", AB_F32, 1);
  ab_set_store(f->ctx, &counting);
  f->folder = plugin_test_folder();
  f->path = g_build_filename(f->folder, "data.h5", NULL);
  renew(f);
  begin(f);
}

static void tear_down(Fixture *f, gconstpointer unused) {
  (void)unused;
  ab_instance_free(f->data);
  ab_context_free(f->ctx);
  g_free(f->path);
  plugin_test_drop_folder(f->folder);
}

/* A dataset of `type`, whose shape is given as "4 2"; chunk_rows 0: contiguous, else compressed. */
static void put(Fixture *f, const char *name, hid_t type, const char *shape, hsize_t chunk_rows,
                const void *values) {
  g_auto(GStrv) texts = g_strsplit(shape, " ", -1);
  int rank = shape[0] == '\0' ? 0 : (int)g_strv_length(texts);
  hsize_t dims[8] = {0}, chunk[8];
  hid_t space, list = H5Pcreate(H5P_DATASET_CREATE), set;

  for (int i = 0; i < rank; i++) dims[i] = g_ascii_strtoull(texts[i], NULL, 10);
  memcpy(chunk, dims, sizeof chunk);
  space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
  if (chunk_rows > 0) {
    chunk[0] = chunk_rows;
    H5Pset_chunk(list, rank, chunk);
    H5Pset_deflate(list, 1);
  }
  set = H5Dcreate2(f->file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  g_assert_cmpint(set, >=, 0);
  if (values != NULL) g_assert_cmpint(H5Dwrite(set, type, H5S_ALL, H5S_ALL, 0, values), >=, 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(list);
}

static void set(Fixture *f, const char *key, const char *value) {
  plugin_test_set_text(f->data, key, value);
}

static void fails(Fixture *f, AbCode code, const char *pattern) {
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, code, pattern);
  renew(f);
}

static AbSpec spec(Fixture *f, int field) {
  g_assert_cmpint(field, <, ab_data_field_count(f->data));
  return ab_data_field_at(f->data, field).spec;
}
#define D(...) ((const double[]){__VA_ARGS__})

static const float floats[] = {0, 0.25f, -1.5f, 3e8f, 4, 5, 6, 7};
static const guint8 bytes[] = {0, 51, 102, 255, 1, 2, 3, 4};
static const gint32 labels[] = {2, 0, 1, 2};

/* ---- what is right --------------------------------------------------------------------------- */

static void test_floats(Fixture *f, gconstpointer unused) {
  static const double expected[] = {0, 0.25, -1.5, 3e8, 4, 5, 6, 7};

  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "y", H5T_NATIVE_INT, "4", 0, labels);
  end(f);
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 4, expected);
  plugin_test_rows(f->data, "y", AB_TRAIN, 4, D(2, 0, 1, 2));
  g_assert_cmpint(spec(f, 0).rank, ==, 1);
  g_assert_cmpint(spec(f, 0).shape[0], ==, 2);
  g_assert_cmpint(spec(f, 0).dtype, ==, AB_F32);
  g_assert_cmpint(spec(f, 0).range, ==, AB_RANGE_REAL);
  g_assert_cmpint(spec(f, 1).range, ==, AB_RANGE_CLASS);
  g_assert_cmpint(spec(f, 1).rank, ==, 0);
  g_assert_cmpint(spec(f, 1).classes, ==, 3);
  g_assert_cmpint(ab_data_slab(f->data), ==, 0);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 0);
}

static void test_bytes(Fixture *f, gconstpointer unused) {
  double unit[8], real[8];

  (void)unused;
  put(f, "x", H5T_NATIVE_UINT8, "2 2 2", 0, bytes);
  end(f);
  for (int i = 0; i < 8; i++) {
    unit[i] = (double)((float)bytes[i] / 255.0f);
    real[i] = bytes[i];
  }
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 0).range, ==, AB_RANGE_UNIT);
  g_assert_cmpint(spec(f, 0).rank, ==, 2);
  g_assert_cmpint(ab_data_field_count(f->data), ==, 1);
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, unit);
  renew(f);
  plugin_test_set_choice(f->data, "range", "real");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 0).range, ==, AB_RANGE_REAL);
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, real);
}

/* Every type of number, as a list, so that a sample is [1]. */
static void test_types(Fixture *f, gconstpointer unused) {
  static const gint64 longs[] = {-5, G_GINT64_CONSTANT(1) << 40};
  static const guint16 shorts[] = {0, 65535};
  static const double doubles[] = {0.1, -1e300};

  (void)unused;
  put(f, "longs", H5T_NATIVE_INT64, "2", 0, longs);
  put(f, "shorts", H5T_NATIVE_UINT16, "2", 0, shorts);
  put(f, "doubles", H5T_IEEE_F64BE, "2", 0, NULL);
  put(f, "group", H5T_NATIVE_DOUBLE, "2", 0, doubles);
  end(f);
  set(f, "x", "/longs");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 0).dtype, ==, AB_F64);
  g_assert_cmpint(spec(f, 0).rank, ==, 1);
  g_assert_cmpint(spec(f, 0).shape[0], ==, 1);
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, D(-5, 1099511627776.0));
  renew(f);
  set(f, "x", "shorts");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, D(0, 65535));
  renew(f);
  set(f, "x", "doubles");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, D(0, 0));
  renew(f);
  set(f, "x", "group");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, doubles);
}

static void test_targets(Fixture *f, gconstpointer unused) {
  static const guint8 masks[] = {0, 1, 200, 3, 0, 0, 0, 1};

  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "one", H5T_NATIVE_FLOAT, "4", 0, floats);
  put(f, "two", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "mask", H5T_NATIVE_UINT8, "4 2", 0, masks);
  put(f, "column", H5T_NATIVE_INT, "4 1", 0, labels);
  end(f);
  set(f, "y", "one");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 1).range, ==, AB_RANGE_REAL);
  g_assert_cmpint(spec(f, 1).rank, ==, 1);
  plugin_test_rows(f->data, "y", AB_TRAIN, 4, D(0, 0.25, -1.5, 3e8));
  renew(f);
  set(f, "y", "two");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "y", AB_TRAIN, 4, D(0, 0.25, -1.5, 3e8, 4, 5, 6, 7));
  renew(f);
  set(f, "y", "mask");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 1).range, ==, AB_RANGE_REAL);
  plugin_test_rows(f->data, "y", AB_TRAIN, 4, D(0, 1, 200, 3, 0, 0, 0, 1));
  renew(f);
  set(f, "y", "column");
  plugin_test_set_int(f->data, "label_classes", 7);
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(spec(f, 1).classes, ==, 7);
  plugin_test_rows(f->data, "y", AB_TRAIN, 4, D(2, 0, 1, 2));
}

static void test_splits(Fixture *f, gconstpointer unused) {
  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "y", H5T_NATIVE_INT, "4", 0, labels);
  put(f, "xt", H5T_NATIVE_FLOAT, "2 2", 0, floats + 4);
  put(f, "yt", H5T_NATIVE_INT, "2", 0, labels + 2);
  put(f, "xv", H5T_NATIVE_FLOAT, "1 2", 0, floats + 2);
  put(f, "yv", H5T_NATIVE_INT, "1", 0, labels + 1);
  end(f);
  set(f, "test_x", "xt");
  set(f, "test_y", "yt");
  set(f, "validation_x", "xv");
  set(f, "validation_y", "yv");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TEST, 2, D(4, 5, 6, 7));
  plugin_test_rows(f->data, "y", AB_TEST, 2, D(1, 2));
  plugin_test_rows(f->data, "x", AB_VALIDATION, 1, D(-1.5, 3e8));
  plugin_test_rows(f->data, "y", AB_VALIDATION, 1, D(0));
  renew(f);
  set(f, "y", "");
  set(f, "test_x", "xt");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_field_count(f->data), ==, 1);
}

/* ---- slabs ----------------------------------------------------------------------------------- */

enum { ROWS = 1000, WIDTH = 1024, CHUNK = 50 };

static float value_at(gint64 row, gint64 column) {
  return (float)((row * 7919 + column * 31) % 100003);
}

/* 4 MiB in chunks of 200 KiB. */
static void put_large(Fixture *f, hsize_t chunk_rows) {
  g_autofree float *values = g_new(float, ROWS *WIDTH);
  g_autofree guint8 *y = g_malloc(ROWS);

  for (int i = 0; i < ROWS * WIDTH; i++) values[i] = value_at(i / WIDTH, i % WIDTH);
  for (int i = 0; i < ROWS; i++) y[i] = (guint8)(i % 11);
  put(f, "x", H5T_NATIVE_FLOAT, "1000 1024", chunk_rows, values);
  put(f, "y", H5T_NATIVE_UINT8, "1000", 0, y);
  end(f);
}

static void check_large(Fixture *f, const gint64 *rows, gint64 count) {
  g_autofree double *x = plugin_test_fetch(f->data, "x", AB_TRAIN, rows, count);
  g_autofree double *y = plugin_test_fetch(f->data, "y", AB_TRAIN, rows, count);

  plugin_test_fine(f->ctx);
  for (gint64 i = 0; i < count; i++) {
    g_assert_cmpfloat(y[i], ==, rows[i] % 11);
    for (gint64 j = 0; j < WIDTH; j += 37)
      g_assert_cmpfloat(x[i * WIDTH + j], ==, value_at(rows[i], j));
  }
}

/* Rows in any order come out of slabs that come and go: the cache holds 5 of 20. */
static void test_random(Fixture *f, gconstpointer chunked) {
  GRand *random = g_rand_new_with_seed(5);

  put_large(f, GPOINTER_TO_UINT(chunked));
  plugin_test_set_int(f->data, "cache", 1);
  g_assert_true(plugin_test_open(f->data));
  if (GPOINTER_TO_UINT(chunked) == 0) g_assert_cmpint(ab_data_slab(f->data), ==, 0);
  if (GPOINTER_TO_UINT(chunked) == CHUNK) g_assert_cmpint(ab_data_slab(f->data), ==, CHUNK);
  for (int i = 0; i < 8; i++) {
    gint64 rows[25];

    for (int j = 0; j < 25; j++) rows[j] = g_rand_int_range(random, 0, ROWS);
    if (i == 0) rows[0] = ROWS - 1;
    check_large(f, rows, 25);
  }
  g_rand_free(random);
}

/* In order, each chunk is read once, and labels in one piece; then again, from memory. */
static void test_reads(Fixture *f, gconstpointer unused) {
  gint64 rows[ROWS];

  (void)unused;
  for (int i = 0; i < ROWS; i++) rows[i] = i;
  put_large(f, CHUNK);
  plugin_test_set_int(f->data, "cache", 8);
  plugin_test_set_int(f->data, "label_classes", 11);
  reads = 0;
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(reads, ==, 0);
  check_large(f, rows, ROWS);
  g_assert_cmpint(reads, ==, ROWS / CHUNK + 1);
  check_large(f, rows, ROWS);
  g_assert_cmpint(reads, ==, ROWS / CHUNK + 1);
}

/* With room for five slabs the ones used last stay: of 0 1 2 3 0 4 5 6, slab 0 is read once. */
static void test_recent(Fixture *f, gconstpointer unused) {
  static const int order[] = {0, 1, 2, 3, 0, 4, 5, 6, 0};

  (void)unused;
  put_large(f, CHUNK);
  plugin_test_set_int(f->data, "cache", 1);
  set(f, "y", "");
  g_assert_true(plugin_test_open(f->data));
  reads = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
    gint64 row = order[i] * CHUNK + 3;

    g_free(plugin_test_fetch(f->data, "x", AB_TRAIN, &row, 1));
  }
  g_assert_cmpint(reads, ==, 7);
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void test_missing(Fixture *f, gconstpointer unused) {
  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  end(f);
  set(f, "x", "nothing");
  fails(f, AB_DATA, "*there is no dataset 'nothing' in *data.h5; `h5ls -r`*");
  set(f, "y", "y");
  fails(f, AB_DATA, "*there is no dataset 'y' in *");
  set(f, "test_x", "xt");
  fails(f, AB_DATA, "*there is no dataset 'xt' in *");
  set(f, "x", "");
  fails(f, AB_CONFIG, "*x is empty*");
  set(f, "file", "/nowhere/data.h5");
  fails(f, AB_NO_INPUT, "data (hdf5): *cannot open /nowhere/data.h5*");
  g_free(plugin_test_write(f->folder, "data.h5", "x,y\n1,2\n", 8));
  fails(f, AB_DATA, "*data.h5*no HDF5 file*");
}

static void test_shapes(Fixture *f, gconstpointer unused) {
  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "scalar", H5T_NATIVE_FLOAT, "", 0, floats);
  put(f, "empty", H5T_NATIVE_FLOAT, "0 2", 0, NULL);
  put(f, "narrow", H5T_NATIVE_FLOAT, "4 1", 0, floats);
  put(f, "wide", H5T_NATIVE_DOUBLE, "4 2", 0, NULL);
  put(f, "three", H5T_NATIVE_FLOAT, "3", 0, floats);
  end(f);
  set(f, "x", "scalar");
  fails(f, AB_DATA, "*dataset scalar is a single number*");
  set(f, "x", "empty");
  fails(f, AB_DATA, "*dataset empty ?0, 2] is empty*");
  set(f, "test_x", "narrow");
  fails(f, AB_DATA, "*samples of dataset x, f32 ?4, 2], and of narrow, f32 ?4, 1], differ*");
  set(f, "test_x", "wide");
  fails(f, AB_DATA, "*samples of dataset x, f32 *wide, f64 *differ in type or shape*");
  set(f, "y", "three");
  fails(f, AB_DATA, "*dataset three has 3 rows, its samples x have 4");
}

static void test_pairs(Fixture *f, gconstpointer unused) {
  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "y", H5T_NATIVE_INT, "4", 0, labels);
  end(f);
  set(f, "test_x", "x");
  fails(f, AB_CONFIG, "*test_x is given without test_y*y: \"\"*");
  set(f, "validation_y", "y");
  fails(f, AB_CONFIG, "*validation_y is given without validation_x*");
  set(f, "y", "");
  set(f, "test_x", "x");
  set(f, "test_y", "y");
  fails(f, AB_CONFIG, "*test_y is given and there are no training labels*");
}

static void test_bad_labels(Fixture *f, gconstpointer unused) {
  static const gint32 negative[] = {0, 1, -1, 0}, high[] = {0, 3, 0, 0},
                      huge[] = {0, 1 << 20, 0, 0};
  g_autofree double *x = NULL;

  (void)unused;
  put(f, "x", H5T_NATIVE_FLOAT, "4 2", 0, floats);
  put(f, "y", H5T_NATIVE_INT, "4", 0, labels);
  put(f, "negative", H5T_NATIVE_INT, "4", 0, negative);
  put(f, "high", H5T_NATIVE_INT, "4", 0, high);
  put(f, "huge", H5T_NATIVE_INT, "4", 0, huge);
  end(f);
  set(f, "y", "negative");
  fails(f, AB_DATA, "*dataset negative has the label -1 in row 2; expected 0 to *");
  set(f, "y", "huge");
  fails(f, AB_DATA, "*dataset huge has the label 1048576 in row 1; expected 0 to 1048575*");
  set(f, "test_x", "x");
  set(f, "test_y", "high");
  fails(f, AB_DATA, "*dataset high has the label 3 in row 1; expected 0 to 2 (the training*");
  plugin_test_set_int(f->data, "label_classes", 2);
  g_assert_true(plugin_test_open(f->data));
  x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
  g_assert_null(x);
  plugin_test_error(f->ctx, AB_DATA, "*label 2 in row 0; expected 0 to 1 (label_classes)*");
}

static void test_ranges(Fixture *f, gconstpointer unused) {
  static const float unit[] = {0, 1, 0.5f, 1, 0, 1}, odd[] = {0, 1, 1, 0, 1, 1.5f};
  static const struct {
    const char *x, *range, *pattern;
  } cases[] = {
      {"unit", "unit", NULL},
      {"unit", "binary", "*dataset unit has 0.5 in row 1, which is not 0 or 1\n*range: real"},
      {"odd", "unit", "*dataset odd has 1.5 in row 2, which is not from 0 to 1*"},
      {"odd", "real", NULL},
      {"bytes", "binary", "*dataset bytes has 51 in row 0*"},
  };

  (void)unused;
  put(f, "unit", H5T_NATIVE_FLOAT, "3 2", 0, unit);
  put(f, "odd", H5T_NATIVE_FLOAT, "3 2", 0, odd);
  put(f, "bytes", H5T_NATIVE_UINT8, "4 2", 0, bytes);
  end(f);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    set(f, "x", cases[i].x);
    plugin_test_set_choice(f->data, "range", cases[i].range);
    g_assert_true(plugin_test_open(f->data));
    g_free(plugin_test_fetch_all(f->data, "x", AB_TRAIN));
    if (cases[i].pattern == NULL)
      plugin_test_fine(f->ctx);
    else
      plugin_test_error(f->ctx, AB_DATA, cases[i].pattern);
    renew(f);
  }
}

static void test_text(Fixture *f, gconstpointer unused) {
  hid_t type = H5Tcopy(H5T_C_S1);

  (void)unused;
  H5Tset_size(type, 4);
  put(f, "x", type, "2", 0, "abc\0def");
  H5Tclose(type);
  end(f);
  fails(f, AB_DATA, "*dataset x of *data.h5 does not hold numbers");
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
#define TEST_WITH(name, argument, function) \
  g_test_add("/plugins/data/hdf5/" name, Fixture, argument, set_up, function, tear_down)
#define TEST_CASE(name, function) TEST_WITH(name, NULL, function)
  TEST_CASE("floats", test_floats);
  TEST_CASE("bytes", test_bytes);
  TEST_CASE("types", test_types);
  TEST_CASE("targets", test_targets);
  TEST_CASE("splits", test_splits);
  TEST_WITH("random/contiguous", GUINT_TO_POINTER(0), test_random);
  TEST_WITH("random/chunks", GUINT_TO_POINTER(CHUNK), test_random);
  TEST_WITH("random/small-chunks", GUINT_TO_POINTER(3), test_random);
  TEST_WITH("random/one-chunk", GUINT_TO_POINTER(ROWS), test_random);
  TEST_CASE("reads", test_reads);
  TEST_CASE("recent", test_recent);
  TEST_CASE("missing", test_missing);
  TEST_CASE("shapes", test_shapes);
  TEST_CASE("pairs", test_pairs);
  TEST_CASE("bad-labels", test_bad_labels);
  TEST_CASE("ranges", test_ranges);
  TEST_CASE("text", test_text);
  return g_test_run();
}
