/* SPDX-License-Identifier: Apache-2.0
 *
 * Test of host/store: damaged files, and files of h5py (store_h5py.py) with what is refused. */
#include "store-test.h"
#include <string.h>
#include <unistd.h>

STORE_TEST_SANITIZERS

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_refuses(StoreTest *self, gconstpointer data) {
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
  if (!store_test_have_h5py()) return;
  g_assert_true(store_test_run_script("make", self->folder));
  file = store_test_open_ok(path);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    gint64 rows = strcmp(cases[i].name, "/special") == 0 ? 5 : 1;

    g_assert_true(store_has(file, cases[i].name));
    g_assert_false(store_read(file, cases[i].name, cases[i].dtype, 0, rows, buffer, &error));
    g_assert_nonnull(strstr(error->message, path));
    store_test_assert_error(g_steal_pointer(&error), AB_DATA, cases[i].says);
  }
  g_assert_null(store_list(file, "/", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "two ways");
  g_assert_null(store_read_text(file, "/texts", &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "an array, not one text");
  g_assert_false(store_read_attr_int(file, "/", "list", &integer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "not one value");
  g_assert_false(store_read_attr_int(file, "/", "big", &integer, &error));
  store_test_assert_error(g_steal_pointer(&error), AB_DATA, "too large");
}

/* ---- damage ---------------------------------------------------------------------------------- */

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

static void digest_texts(char **texts, GChecksum *sum, guint *errors) {
  if (texts == NULL) ++*errors;
  for (char **text = texts; text != NULL && *text != NULL; text++)
    g_checksum_update(sum, (const guchar *)*text, -1);
  g_strfreev(texts);
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
      digest_texts(store_read_attr_texts(file, objects[o], names[n], NULL), sum, errors);
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
  StoreWriter *writer = store_test_create_ok(path);
  const gint64 shape[] = {40, 5};
  g_autofree float *ramp = store_test_make_ramp(200);

  store_write(writer, "/f32/rank2", AB_F32, 2, shape, ramp, "rows columns");
  store_write(writer, "/f32/rank0", AB_F32, 0, NULL, ramp, NULL);
  store_write(writer, "/columns", AB_F32, 1, shape + 1, ramp, NULL);
  store_write_scale(writer, "/f32/rank2", 1, "/columns");
  store_write_label(writer, "/f32/rank2", 0, "rows");
  store_write_attr_texts(writer, "/group", "axes", (const char *const[]){"a", "bcd", NULL});
  store_write_text(writer, "/text", store_test_text);
  store_write_attr_text(writer, "/group", "text", "Größe");
  store_write_attr_int(writer, "/group", "int", 5);
  store_test_commit_ok(writer);
}

static void test_truncated(StoreTest *self, gconstpointer data) {
  g_autofree char *bytes = NULL;
  gsize length;

  (void)data;
  write_small(self->file);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (gsize cut = 0; cut < length; cut += cut < 300 ? 1 : 1 + length / 200) {
    GError *error = NULL;

    store_test_put(self->file, bytes, cut);
    g_assert_null(store_open(self->file, &error));
    g_assert_nonnull(strstr(error->message, self->file));
    g_assert_null(strstr(error->message, "no reason"));
    store_test_assert_error(error, AB_DATA, "restore the file");
  }
}

/* Every flipped byte of our own files is noticed or does not matter. */
static void test_flipped(StoreTest *self, gconstpointer data) {
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
    store_test_put(self->file, bytes, length);
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
static void test_flipped_foreign(StoreTest *self, gconstpointer data) {
  g_autofree char *path = g_build_filename(self->folder, "foreign.h5", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr(GRand) random = g_rand_new_with_seed(9);
  gsize length;

  (void)data;
  if (!store_test_have_h5py()) return;
  g_assert_true(store_test_run_script("make", self->folder));
  g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
  for (int i = 0; i < 150; i++) {
    gsize at = (gsize)g_rand_int_range(random, 0, (gint32)length);
    char flip = (char)g_rand_int_range(random, 1, 256);
    guint errors;

    bytes[at] ^= flip;
    store_test_put(path, bytes, length);
    bytes[at] ^= flip;
    g_free(digest(path, &errors));
  }
}

static void test_bit_in_chunk(StoreTest *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  g_autofree char *bytes = NULL;
  g_autofree char *says = g_strdup_printf("dataset /x of %s is damaged", self->file);
  const gint64 shape[] = {100};
  g_autofree float *ramp = store_test_make_ramp(100);
  StoreWriter *writer = store_test_create_ok(self->file);
  GError *error = NULL;
  gsize length, at;

  (void)data;
  store_write(writer, "/x", AB_F32, 1, shape, ramp, NULL);
  store_test_commit_ok(writer);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (at = 0; memcmp(bytes + at, ramp, 400) != 0; at++) g_assert_cmpuint(at + 400, <, length);
  bytes[at + 123] ^= 4;
  store_test_put(self->file, bytes, length);
  file = store_test_open_ok(self->file);
  g_assert_false(store_read(file, "/x", AB_F32, 0, 100, ramp, &error));
  store_test_assert_error(error, AB_DATA, says);
}

static void test_bit_in_long_text(StoreTest *self, gconstpointer data) {
  g_autoptr(StoreFile) file = NULL;
  g_autofree char *bytes = NULL, *long_text = store_test_make_long_text();
  StoreWriter *writer = store_test_create_ok(self->file);
  GError *error = NULL;
  gsize length, at;

  (void)data;
  store_write_text(writer, "/x", long_text);
  store_test_commit_ok(writer);
  g_assert_true(g_file_get_contents(self->file, &bytes, &length, NULL));
  for (at = 0; memcmp(bytes + at, long_text, 1000) != 0; at++) g_assert_cmpuint(at, <, length);
  bytes[at + 500] ^= 1;
  store_test_put(self->file, bytes, length);
  file = store_test_open_ok(self->file);
  g_assert_null(store_read_text(file, "/x", &error));
  store_test_assert_error(error, AB_DATA, "is damaged");
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  alarm(600); /* a hang is a failure */
  STORE_TEST_ADD("/store/h5py/refused", test_refuses);
  STORE_TEST_ADD("/store/damage/truncated", test_truncated);
  STORE_TEST_ADD("/store/damage/flipped", test_flipped);
  STORE_TEST_ADD("/store/damage/flipped-foreign", test_flipped_foreign);
  STORE_TEST_ADD("/store/damage/bit-in-chunk", test_bit_in_chunk);
  STORE_TEST_ADD("/store/damage/bit-in-long-text", test_bit_in_long_text);
  return g_test_run();
}
