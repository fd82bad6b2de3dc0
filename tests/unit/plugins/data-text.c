/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: windows, parts and classes as worked out by hand; characters of several bytes; what is no
 * text, with its place; the text that comes along.                                              */
#include "plugin-test.h"
#include <string.h>

typedef struct {
  AbContext *ctx;
  AbData *data;
  char *folder;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused) {
  (void)unused;
  f->ctx = ab_context_new("reference", AB_F32, 1);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "text");
  f->folder = plugin_test_folder();
  plugin_test_set_real(f->data, "validation", 0);
}

static void tear_down(Fixture *f, gconstpointer unused) {
  (void)unused;
  ab_instance_free(f->data);
  ab_context_free(f->ctx);
  plugin_test_drop_folder(f->folder);
}

static void give(Fixture *f, const char *bytes, gint64 length) {
  g_autofree char *path = plugin_test_write(f->folder, "a.txt", bytes, strlen(bytes));

  plugin_test_set_text(f->data, "file", path);
  plugin_test_set_int(f->data, "length", length);
}

/* Seven characters, of which c a b are classes 2 0 1; the last window ends with the text. */
static void test_windows(Fixture *f, gconstpointer unused) {
  const double x[] = {2, 0, 1, 2, 0, 0}, y[] = {0, 1, 2, 0, 0, 1};
  const double strided[] = {2, 0, 1, 1, 2, 0}; /* at 0 and 2; 4 would need a seventh */

  (void)unused;
  give(f, "cabcaab", 3);
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_field_at(f->data, 0).spec.classes, ==, 3);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 3);
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, x);
  plugin_test_rows(f->data, "y", AB_TRAIN, 2, y);
  g_assert_cmpint(ab_data_samples(f->data, AB_VALIDATION), ==, 0);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 0);

  ab_instance_free(f->data);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "text");
  plugin_test_set_real(f->data, "validation", 0);
  plugin_test_set_int(f->data, "stride", 2);
  give(f, "cabcaa", 3);
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, strided);
}

/* 20 characters: 10 to train, 6 to validate, 4 to test; no window reaches into the next part, and
 * the stride is of training alone.                                                              */
static void test_parts(Fixture *f, gconstpointer unused) {
  const double validation[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; /* a b, c d: of abcdef */
  const double test_x[] = {0, 1}, test_y[] = {1, 2};

  (void)unused;
  give(f, "abcdefghijabcdefabcd", 2);
  plugin_test_set_int(f->data, "stride", 1);
  plugin_test_set_real(f->data, "validation", 0.3);
  plugin_test_set_real(f->data, "test", 0.2);
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 8);
  plugin_test_rows(f->data, "x", AB_VALIDATION, 2, validation);
  plugin_test_rows(f->data, "y", AB_VALIDATION, 2, validation + 1);
  plugin_test_rows(f->data, "x", AB_TEST, 1, test_x);
  plugin_test_rows(f->data, "y", AB_TEST, 1, test_y);
}

/* One to four bytes each, after a byte order mark; classes in the order of code points. */
static void test_utf8(Fixture *f, gconstpointer unused) {
  const double x[] = {3, 1, 2, 0}, y[] = {1, 2, 0, 0};
  const char *const names[] = {".", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9D\x84\x9E"};

  (void)unused;
  give(f, "\xEF\xBB\xBF\xF0\x9D\x84\x9E\xC3\xA9\xE2\x82\xAC.." /* G clef, e acute, euro, dots */,
       4);
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 1, x);
  plugin_test_rows(f->data, "y", AB_TRAIN, 1, y);
  for (int field = 0; field < 2; field++)
    for (int i = 0; i < 4; i++)
      g_assert_cmpstr(ab_data_field_at(f->data, field).classes[i], ==, names[i]);
}

static void test_origin(Fixture *f, gconstpointer unused) {
  char text[400];

  (void)unused;
  give(f,
       "ab\nc\xC3\xA9"
       "abc\nb\xC3\xA9",
       2);
  plugin_test_set_real(f->data, "validation", 0.3);
  g_assert_true(plugin_test_open(f->data));
  ab_data_place(f->data, AB_TRAIN, 2, text, sizeof text); /* the fifth character */
  g_assert_true(g_str_has_suffix(text, "a.txt:2:2"));
  ab_data_place(f->data, AB_VALIDATION, 0, text, sizeof text); /* the ninth */
  g_assert_true(g_str_has_suffix(text, "a.txt:2:6"));
}

static void test_unknown(Fixture *f, gconstpointer unused) {
  const double x[] = {1, 3, 2}, y[] = {3, 2, 0};

  (void)unused;
  give(f, "ab\nab\nab\naxb\na", 3);
  plugin_test_set_real(f->data, "validation", 0.357);
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, AB_DATA, "data (text): *a.txt:4:2: 'x' does not occur*unknown*");

  ab_instance_free(f->data);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "text");
  give(f, "ab\nab\nab\naxb\na", 3);
  plugin_test_set_real(f->data, "validation", 0.357);
  plugin_test_set_text(f->data, "unknown", "\xC3\xA9"); /* a class of its own: the last */
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_field_at(f->data, 0).spec.classes, ==, 4);
  plugin_test_rows(f->data, "x", AB_VALIDATION, 1, x);
  plugin_test_rows(f->data, "y", AB_VALIDATION, 1, y);
}

/* What comes along: plain text with a vocabulary of a typewriter. */
static void test_shipped(Fixture *f, gconstpointer unused) {
  (void)unused;
  plugin_test_set_real(f->data, "validation", 0.1);
  plugin_test_set_real(f->data, "test", 0.1);
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), >, 40);
  g_assert_cmpint(ab_data_samples(f->data, AB_VALIDATION), >=, 5);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), >=, 5);
  g_assert_cmpint(ab_data_field_at(f->data, 0).spec.classes, >, 26);
  g_assert_cmpint(ab_data_field_at(f->data, 0).spec.classes, <, 96);
}

static void fails(Fixture *f, const char *bytes, AbCode code, const char *pattern) {
  AbData *data = plugin_test_new(f->ctx, AB_KIND_DATA, "text");
  g_autofree char *path = plugin_test_write(f->folder, "bad.txt", bytes, strlen(bytes));

  plugin_test_set_text(data, "file", path);
  plugin_test_set_int(data, "length", 3);
  g_assert_false(plugin_test_open(data));
  plugin_test_error(f->ctx, code, pattern);
  ab_instance_free(data);
}

static void test_errors(Fixture *f, gconstpointer unused) {
  static const char *const broken[] = {"\x80",
                                       "\xC3(",
                                       "\xE2\x82",
                                       "\xC0\x80",
                                       "\xED\xA0\x80",
                                       "\xF4\x90\x80\x80",
                                       "\xF8\x88\x80\x80\x80",
                                       "\xFF"};

  (void)unused;
  for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
    g_autofree char *bytes = g_strconcat("abc\nd\xC3\xA9", broken[i], NULL);

    fails(f, bytes, AB_DATA, "data (text): *bad.txt:2:3: byte * is no UTF-8 text*");
  }
  fails(f, "", AB_CONFIG, "data (text): *bad.txt has 0 characters*for train*at least 4*");
  fails(f, "abc", AB_CONFIG, "data (text): *3 of them for train*at least 4*");
  fails(f, "aaaaaaaaaaaa", AB_CONFIG, "data (text): *1 of them for validation*at least 4*");

  give(f, "aaaaaaaaaaaa", 2);
  plugin_test_set_text(f->data, "unknown", "ab");
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, AB_CONFIG, "data (text): unknown must be one character");
}

static void test_files(Fixture *f, gconstpointer unused) {
  g_autofree char *missing = g_build_filename(f->folder, "none.txt", NULL);
  const struct {
    const char *file;
    AbCode code;
    const char *pattern;
  } files[] = {
      {missing, AB_NO_INPUT, "data (text): *none.txt*https://*--set data.file=FILE"},
      {f->folder, AB_IO, "data (text): *folder or device*"},
  };

  (void)unused;
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    AbData *data = plugin_test_new(f->ctx, AB_KIND_DATA, "text");

    plugin_test_set_text(data, "file", files[i].file);
    g_assert_false(plugin_test_open(data));
    plugin_test_error(f->ctx, files[i].code, files[i].pattern);
    ab_instance_free(data);
  }
  plugin_test_set_real(f->data, "validation", 0.6);
  plugin_test_set_real(f->data, "test", 0.4);
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, AB_CONFIG, "data (text): *nothing to train on*");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define TEST_CASE(name, function) \
  g_test_add("/plugins/data/text/" name, Fixture, NULL, set_up, function, tear_down)
  TEST_CASE("windows", test_windows);
  TEST_CASE("parts", test_parts);
  TEST_CASE("utf-8", test_utf8);
  TEST_CASE("origin", test_origin);
  TEST_CASE("unknown", test_unknown);
  TEST_CASE("shipped", test_shipped);
  TEST_CASE("errors", test_errors);
  TEST_CASE("files", test_files);
  return g_test_run();
}
