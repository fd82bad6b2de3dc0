/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX: files that the test writes itself, read back; every error; files cut short at every length
 * and with bytes changed; and MNIST where it is there.                                          */
#include "plugin-test.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

typedef struct {
  AbContext *ctx;
  AbData *data;
  char *folder;
} Fixture;

static void renew(Fixture *f) {
  ab_instance_free(f->data);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "idx");
  plugin_test_set_text(f->data, "folder", f->folder);
}

static void set_up(Fixture *f, gconstpointer unused) {
  (void)unused;
  f->ctx = ab_context_new("reference", AB_F32, 1);
  f->folder = plugin_test_folder();
  renew(f);
}

static void tear_down(Fixture *f, gconstpointer unused) {
  (void)unused;
  ab_instance_free(f->data);
  ab_context_free(f->ctx);
  plugin_test_drop_folder(f->folder);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(GByteArray *bytes, guint64 value, int size) {
  for (int i = size - 1; i >= 0; i--) {
    guint8 byte = (guint8)(value >> (8 * i));

    g_byte_array_append(bytes, &byte, 1);
  }
}

static void put_number(GByteArray *bytes, int type, double value) {
  float single = (float)value;
  guint32 single_bits;
  guint64 bits;

  memcpy(&single_bits, &single, 4);
  memcpy(&bits, &value, 8);
  switch (type) {
  case 0x08: put(bytes, (guint64)value, 1); break;
  case 0x09: put(bytes, (guint64)(gint64)value, 1); break;
  case 0x0B: put(bytes, (guint64)(gint64)value, 2); break;
  case 0x0C: put(bytes, (guint64)(gint64)value, 4); break;
  case 0x0D: put(bytes, single_bits, 4); break;
  case 0x0E: put(bytes, bits, 8); break;
  }
}

static GByteArray *make(int type, const char *shape, const double *values, gsize count) {
  GByteArray *bytes = g_byte_array_new();
  g_auto(GStrv) dims = g_strsplit(shape, " ", -1);

  put(bytes, (guint64)type << 8 | g_strv_length(dims), 4);
  for (char **d = dims; *d != NULL; d++) put(bytes, g_ascii_strtoull(*d, NULL, 10), 4);
  for (gsize i = 0; i < count; i++) put_number(bytes, type, values[i]);
  return bytes;
}

static GByteArray *zip(GByteArray *bytes) {
  uLong room = compressBound(bytes->len) + 64;
  GByteArray *zipped = g_byte_array_sized_new((guint)room);
  z_stream stream = {.next_in = bytes->data, .avail_in = bytes->len};

  g_byte_array_set_size(zipped, (guint)room);
  stream.next_out = zipped->data;
  stream.avail_out = zipped->len;
  g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), ==, Z_OK);
  g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
  g_byte_array_set_size(zipped, (guint)stream.total_out);
  deflateEnd(&stream);
  g_byte_array_unref(bytes);
  return zipped;
}

/* Takes `bytes`. */
static void save(Fixture *f, const char *name, GByteArray *bytes) {
  g_free(plugin_test_write(f->folder, name, bytes->data, bytes->len));
  g_byte_array_unref(bytes);
}

static void drop(Fixture *f, const char *name) {
  g_autofree char *path = g_build_filename(f->folder, name, NULL);

  g_assert_cmpint(g_unlink(path), ==, 0);
}

static const double pixels[] = {0, 1, 2, 3, 128, 255, 7, 8, 9, 10, 11, 12};
static const double tests[] = {255, 254, 253, 252};
static const double labels[] = {2, 0, 1};
static const double test_labels[] = {1};

#define TRAIN        "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST         "t10k-images-idx3-ubyte"
#define TEST_LABELS  "t10k-labels-idx1-ubyte"

/* Three images of 2x2 and one for the test, under the usual names. */
static void save_set(Fixture *f) {
  save(f, TRAIN, make(8, "3 2 2", pixels, 12));
  save(f, TRAIN_LABELS ".gz", zip(make(8, "3", labels, 3)));
  save(f, TEST ".gz", zip(make(8, "1 2 2", tests, 4)));
  save(f, TEST_LABELS, make(8, "1", test_labels, 1));
}

/* ---- what is right --------------------------------------------------------------------------- */

static void test_set(Fixture *f, gconstpointer unused) {
  double unit[12], unit_test[4];
  AbField x, y;

  (void)unused;
  save_set(f);
  g_assert_true(plugin_test_open(f->data));
  for (int i = 0; i < 12; i++) unit[i] = (double)((float)pixels[i] / 255.0f);
  for (int i = 0; i < 4; i++) unit_test[i] = (double)((float)tests[i] / 255.0f);
  plugin_test_rows(f->data, "x", AB_TRAIN, 3, unit);
  plugin_test_rows(f->data, "y", AB_TRAIN, 3, labels);
  plugin_test_rows(f->data, "x", AB_TEST, 1, unit_test);
  plugin_test_rows(f->data, "y", AB_TEST, 1, test_labels);
  g_assert_cmpint(ab_data_samples(f->data, AB_VALIDATION), ==, 0);
  x = ab_data_field_at(f->data, 0);
  y = ab_data_field_at(f->data, 1);
  g_assert_cmpint(x.spec.range, ==, AB_RANGE_UNIT);
  g_assert_cmpint(x.spec.rank, ==, 2);
  g_assert_cmpint(x.spec.shape[0], ==, 2);
  g_assert_cmpint(x.spec.shape[1], ==, 2);
  g_assert_cmpint(y.spec.rank, ==, 0);
  g_assert_cmpint(y.spec.classes, ==, 3);
}

static void test_any_order(Fixture *f, gconstpointer unused) {
  static const gint64 rows[] = {2, 0, 2};
  g_autofree double *y = NULL, *x = NULL;

  (void)unused;
  save_set(f);
  plugin_test_set_bool(f->data, "scale", FALSE);
  g_assert_true(plugin_test_open(f->data));
  x = plugin_test_fetch(f->data, "x", AB_TRAIN, rows, 3);
  y = plugin_test_fetch(f->data, "y", AB_TRAIN, rows, 3);
  for (int i = 0; i < 12; i++) g_assert_cmpfloat(x[i], ==, pixels[rows[i / 4] * 4 + i % 4]);
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(y[i], ==, labels[rows[i]]);
}

/* Each type, each rank, plain and gzipped, without labels and test. */
static void test_types(Fixture *f, gconstpointer unused) {
  static const struct {
    int type;
    double values[4];
    AbDtype dtype;
  } cases[] = {
      {0x08, {0, 1, 254, 255}, AB_F32},
      {0x09, {-128, -1, 0, 127}, AB_F32},
      {0x0B, {-32768, -2, 258, 32767}, AB_F32},
      {0x0C, {-2147483648.0, -3, 16777217, 2147483647}, AB_F64},
      {0x0D, {-1.5, 0.25, 3e38, 1e-30}, AB_F32},
      {0x0E, {-1.5, 0.1, 1e300, -1e-300}, AB_F64},
  };
  static const char *const shapes[] = {"4", "2 2", "2 1 2", "1 2 1 2", "2 1 1 1 1 1 1 2"};

  (void)unused;
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    for (gsize j = 0; j < 2 * G_N_ELEMENTS(shapes); j++) {
      const char *shape = shapes[j / 2];
      GByteArray *bytes = make(cases[i].type, shape, cases[i].values, 4);
      double expected[4];

      save(f, "a", j % 2 ? zip(bytes) : bytes);
      renew(f);
      plugin_test_set_text(f->data, "train_images", "a");
      plugin_test_set_text(f->data, "train_labels", "");
      plugin_test_set_text(f->data, "test_images", "");
      plugin_test_set_bool(f->data, "scale", FALSE);
      plugin_test_open(f->data);
      plugin_test_fine(f->ctx);
      g_assert_cmpint(ab_data_field_count(f->data), ==, 1);
      g_assert_cmpint(ab_data_field_at(f->data, 0).spec.dtype, ==, cases[i].dtype);
      g_assert_cmpint(ab_data_field_at(f->data, 0).spec.range, ==, AB_RANGE_REAL);
      for (int k = 0; k < 4; k++)
        expected[k] =
            cases[i].type == 0x0D ? (double)(float)cases[i].values[k] : cases[i].values[k];
      plugin_test_rows(f->data, "x", AB_TRAIN, shape[0] - '0', expected);
      g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 0);
    }
}

static void test_options(Fixture *f, gconstpointer unused) {
  static const double wide[] = {2, 0, 1};

  (void)unused;
  save_set(f);
  plugin_test_set_text(f->data, "train_images", TRAIN ".gz"); /* is there without it */
  plugin_test_set_text(f->data, "test_labels", TEST_LABELS);
  plugin_test_set_int(f->data, "limit", 2);
  plugin_test_set_int(f->data, "classes", 10);
  plugin_test_set_bool(f->data, "scale", FALSE);
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, pixels);
  plugin_test_rows(f->data, "y", AB_TRAIN, 2, labels);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 10);
  renew(f);
  save(f, TRAIN_LABELS ".gz", zip(make(0x0C, "3", wide, 3))); /* i32 labels */
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "y", AB_TRAIN, 3, wide);
}

/* Open reads no bulk: a set whose images end early opens, if gzipped, and does not load. */
static void test_lazy(Fixture *f, gconstpointer unused) {
  (void)unused;
  save_set(f);
  drop(f, TRAIN);
  save(f, TRAIN ".gz", zip(make(8, "3 2 2", pixels, 11)));
  ab_data_open(f->data);
  plugin_test_fine(f->ctx);
  ab_data_load(f->data);
  plugin_test_error(f->ctx, AB_DATA,
                    "*" TRAIN ".gz: u8 ?3, 2, 2] by its header, which makes 28 bytes; found 27*");
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void fails(Fixture *f, AbCode code, const char *pattern) {
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, code, pattern);
  renew(f);
}

static void test_missing(Fixture *f, gconstpointer unused) {
  (void)unused;
  fails(f, AB_NO_INPUT,
        "*no file train-images-idx3-ubyte (plain or .gz) in *"
        "https://ossci-datasets.s3.amazonaws.com/mnist/*dataset-fashion-mnist*"
        "--set data.folder=FOLDER");
  save_set(f);
  drop(f, TEST ".gz");
  fails(f, AB_NO_INPUT, "*no file t10k-images-idx3-ubyte (plain*");
  plugin_test_set_text(f->data, "folder", "/nowhere/at/all");
  fails(f, AB_NO_INPUT, "*no folder for train-images* in /nowhere/at/all*");
  plugin_test_set_text(f->data, "train_images", ".");
  fails(f, AB_IO, "*it is a folder or device*");
  plugin_test_set_text(f->data, "train_images", "");
  fails(f, AB_CONFIG, "*train_images is empty*");
  plugin_test_set_text(f->data, "test_labels", "");
  fails(f, AB_CONFIG, "*test_images has no test_labels*");
}

/* A file instead of the training images. */
static void fails_images(Fixture *f, GByteArray *bytes, const char *pattern) {
  save(f, TRAIN, bytes);
  fails(f, AB_DATA, pattern);
}

static void test_headers(Fixture *f, gconstpointer unused) {
  static const char huge[] = "4294967295 4294967295 4294967295 4294967295 4294967295";
  GByteArray *bytes;

  (void)unused;
  save_set(f);
  fails_images(f, g_byte_array_new(), "*" TRAIN " is no IDX file*found 0 bytes*");
  bytes = make(8, "3 2 2", pixels, 12);
  bytes->data[0] = 1;
  fails_images(f, bytes, "*is no IDX file*TYPE 08 09 0B 0C 0D or 0E*found 4 bytes 01 00 08 03*");
  fails_images(f, make(0x0A, "3", NULL, 0), "*is no IDX file*00 00 0a 01*");
  fails_images(f, zip(make(0x07, "3", NULL, 0)), "*is no IDX file (gzipped)*");
  fails_images(f, make(8, "1 1 1 1 1 1 1 1 1", pixels, 1), "*has rank 9; expected 1 to 8*");
  bytes = make(8, "1", NULL, 0);
  bytes->data[3] = 0;
  fails_images(f, bytes, "*has rank 0*");
  bytes = make(8, "3 2 2", NULL, 0);
  g_byte_array_set_size(bytes, 10);
  fails_images(f, bytes, "*ends in its header: expected 16 bytes, found 10*");
  fails_images(f, make(8, "0 2 2", NULL, 0), "*axis 1 of 3 the length 0*");
  fails_images(f, make(8, "3 2 0", NULL, 0), "*axis 3 of 3 the length 0*");
  fails_images(f, make(8, huge, NULL, 0), "*axis * of 5 the length 4294967295*");
  fails_images(f, make(0x0E, "4294967295 4294967295 3", NULL, 0), "*axis 1 of 3 the length*");
}

static void test_lengths(Fixture *f, gconstpointer unused) {
  GByteArray *bytes;

  (void)unused;
  save_set(f);
  fails_images(f, make(8, "3 2 2", pixels, 11), "*u8 ?3, 2, 2]*makes 28 bytes; found 27*");
  bytes = make(8, "3 2 2", pixels, 12);
  g_byte_array_append(bytes, (const guint8 *)"x", 1);
  fails_images(f, g_byte_array_ref(bytes), "*makes 28 bytes; found 29*");
  fails_images(f, zip(bytes), "*makes 28 bytes; found more*");
  fails_images(f, make(8, "65535 65535 4", pixels, 12), "*makes 17179344916 bytes; found 28*");
  /* The same in gzip: refused without reading, as nothing packs so well. */
  fails_images(f, zip(make(8, "65535 65535 4", pixels, 12)), "*found * gzipped*");
  /* Within what deflate could do, so it is the reading that finds out. */
  plugin_test_set_text(f->data, "test_images", "");
  fails_images(f, zip(make(8, "3 50 50", pixels, 12)), "*makes 7516 bytes; found 28*");
}

static void test_gzip(Fixture *f, gconstpointer unused) {
  GByteArray *bytes;

  (void)unused;
  save_set(f);
  bytes = zip(make(8, "3 2 2", pixels, 12));
  bytes->data[bytes->len - 5] ^= 1; /* the checksum */
  fails_images(f, bytes, "*" TRAIN " is damaged*incorrect data check*");
  bytes = zip(make(8, "3 2 2", pixels, 12));
  bytes->data[bytes->len - 1] ^= 1; /* the length */
  fails_images(f, bytes, "*is damaged*incorrect length check*");
  bytes = zip(make(8, "3 2 2", pixels, 12));
  g_byte_array_set_size(bytes, bytes->len - 9);
  fails_images(f, bytes, "*is damaged*unexpected end of file*");
}

static void test_bad_labels(Fixture *f, gconstpointer unused) {
  static const double many[] = {0, 1, 2, 3}, wrong[] = {0, -1, 2}, high[] = {0, 256, 1};
  static const double unknown[] = {3};

  (void)unused;
  save_set(f);
  save(f, TRAIN_LABELS ".gz", make(8, "4", many, 4)); /* the name proves nothing */
  fails(f, AB_DATA, "*has 4 labels for the 3 samples of *" TRAIN "*");
  save(f, TRAIN_LABELS ".gz", make(9, "3", wrong, 3));
  fails(f, AB_DATA, "*label -1 of sample 1 is not in 0 to 255*");
  save(f, TRAIN_LABELS ".gz", make(0x0B, "3", high, 3));
  fails(f, AB_DATA, "*label 256 of sample 1 is not in 0 to 255*");
  save(f, TRAIN_LABELS ".gz", make(0x0D, "3", labels, 3));
  fails(f, AB_DATA, "*expected a list of integer labels, found f32 of rank 1*");
  save(f, TRAIN_LABELS ".gz", make(8, "3 1", labels, 3));
  fails(f, AB_DATA, "*expected a list of integer labels, found u8 of rank 2*");
  save_set(f);
  plugin_test_set_int(f->data, "classes", 2);
  fails(f, AB_DATA, "*label 2 of sample 0 is not in 0 to 1 (parameter classes)*");
  save(f, TEST_LABELS, make(8, "1", unknown, 1));
  fails(f, AB_DATA, "*label 3 of sample 0 is not in 0 to 2 (the training labels)*");
  save_set(f);
  save(f, TEST ".gz", make(8, "1 4", tests, 4));
  fails(f, AB_DATA, "*samples of *" TRAIN " and *" TEST ".gz differ in type or shape*");
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Whatever becomes of it: either it is read, or there is a message. */
static void survives(Fixture *f, const char *name, const guint8 *bytes, gsize length) {
  g_free(plugin_test_write(f->folder, name, bytes, length));
  renew(f);
  plugin_test_set_text(f->data, "train_images", "images");
  plugin_test_set_text(f->data, "train_labels", "labels");
  plugin_test_set_text(f->data, "test_images", "");
  if (plugin_test_open(f->data)) g_free(plugin_test_fetch_all(f->data, "x", AB_TRAIN));
  if (!ab_ok(f->ctx)) g_assert_cmpuint(strlen(ab_error_message(f->ctx)), >, 20);
}

static void damage(Fixture *f, const char *name, GByteArray *bytes) {
  GRand *random = g_rand_new_with_seed(bytes->len);

  for (gsize length = 0; length < bytes->len; length++) {
    survives(f, name, bytes->data, length);
    g_assert_cmpint(ab_error_code(f->ctx), ==, AB_DATA);
    ab_error_clear(f->ctx);
  }
  for (int i = 0; i < 300; i++) {
    g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);

    for (int j = g_rand_int_range(random, 1, 4); j > 0; j--)
      copy[g_rand_int_range(random, 0, (gint32)bytes->len)] ^=
          (guint8)g_rand_int_range(random, 1, 256);
    survives(f, name, copy, bytes->len);
    ab_error_clear(f->ctx);
  }
  survives(f, name, bytes->data, bytes->len);
  plugin_test_fine(f->ctx);
  g_byte_array_unref(bytes);
  g_rand_free(random);
}

static void test_damage(Fixture *f, gconstpointer unused) {
  (void)unused;
  save(f, "images", make(8, "3 2 2", pixels, 12));
  save(f, "labels", make(8, "3", labels, 3));
  damage(f, "images", make(8, "3 2 2", pixels, 12));
  damage(f, "images", zip(make(8, "3 2 2", pixels, 12)));
  damage(f, "images", zip(make(0x0E, "3 4", pixels, 12)));
  damage(f, "labels", make(8, "3", labels, 3));
  damage(f, "labels", zip(make(0x0C, "3", labels, 3)));
}

/* ---- the real thing -------------------------------------------------------------------------- */

/* The first labels are those shown in every tutorial, the means those of numpy over the files. */
static void test_mnist(Fixture *f, gconstpointer unused) {
  static const double first[] = {5, 0, 4, 1, 9}, first_test[] = {7, 2, 1, 0, 4};
  g_autofree char *folder = plugin_test_data("mnist");

  (void)unused;
  if (folder == NULL) return;
  plugin_test_set_text(f->data, "folder", folder);
  plugin_test_set_bool(f->data, "scale", FALSE);
  plugin_test_open(f->data);
  plugin_test_fine(f->ctx);
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 60000);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 10000);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 10);
  for (int split = 0; split < AB_SPLIT_COUNT; split += AB_TEST) {
    g_autofree double *x = plugin_test_fetch_all(f->data, "x", split);
    g_autofree double *y = plugin_test_fetch_all(f->data, "y", split);
    gint64 count = ab_data_samples(f->data, split) * 784;
    double sum = 0;

    for (gint64 i = 0; i < count; i++) sum += x[i];
    g_assert_cmpfloat_with_epsilon(sum / (double)count, split == AB_TEST ? 33.791224 : 33.318421,
                                   1e-6);
    for (int i = 0; i < 5; i++) g_assert_cmpfloat(y[i], ==, (split ? first_test : first)[i]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define TEST_CASE(name, function) \
  g_test_add("/plugins/data/idx/" name, Fixture, NULL, set_up, function, tear_down)
  TEST_CASE("set", test_set);
  TEST_CASE("any-order", test_any_order);
  TEST_CASE("types", test_types);
  TEST_CASE("options", test_options);
  TEST_CASE("lazy", test_lazy);
  TEST_CASE("missing", test_missing);
  TEST_CASE("headers", test_headers);
  TEST_CASE("lengths", test_lengths);
  TEST_CASE("gzip", test_gzip);
  TEST_CASE("labels", test_bad_labels);
  TEST_CASE("damage", test_damage);
  TEST_CASE("mnist", test_mnist);
  return g_test_run();
}
