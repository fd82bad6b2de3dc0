/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV: tables that the test writes itself, read back; every error by its message; files cut short
 * at every length and with bytes changed; and the small digits' table where it is there.        */
#include "plugin-test.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

typedef struct {
  AbContext *ctx;
  AbData *data;
  char *folder;
} Fixture;

static void renew(Fixture *f) {
  ab_instance_free(f->data);
  f->data = plugin_test_new(f->ctx, AB_KIND_DATA, "csv");
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

/* Writes FOLDER/NAME and has the parameter name it. */
static void table(Fixture *f, const char *key, const char *name, const char *text) {
  g_autofree char *path = plugin_test_write(f->folder, name, text, strlen(text));

  plugin_test_set_text(f->data, key, path);
}

static void text_of(Fixture *f, const char *text) {
  table(f, "file", "t.csv", text);
}

static void set(Fixture *f, const char *key, const char *value) {
  plugin_test_set_text(f->data, key, value);
}

static void set_choice(Fixture *f, const char *key, const char *value) {
  plugin_test_set_choice(f->data, key, value);
}

/* Opens, if nobody has; x and y of the training split are these (y NULL: there is none); renews. */
static void gives(Fixture *f, gint64 count, const double *x, const double *y) {
  if (ab_data_field_count(f->data) == 0) plugin_test_open(f->data);
  plugin_test_fine(f->ctx);
  g_assert_cmpint(ab_data_field_count(f->data), ==, y != NULL ? 2 : 1);
  plugin_test_rows(f->data, "x", AB_TRAIN, count, x);
  if (y != NULL) plugin_test_rows(f->data, "y", AB_TRAIN, count, y);
  renew(f);
}
#define D(...) ((const double[]){__VA_ARGS__})

static void fails(Fixture *f, AbCode code, const char *pattern) {
  g_assert_false(plugin_test_open(f->data));
  plugin_test_error(f->ctx, code, pattern);
  renew(f);
}

/* ---- the format ------------------------------------------------------------------------------ */

static void test_plain(Fixture *f, gconstpointer unused) {
  AbField x;

  (void)unused;
  text_of(f, "a,b,c\n1,2,3\n-4.5,5e-1,+6\n");
  plugin_test_open(f->data);
  x = ab_data_field_at(f->data, 0);
  g_assert_cmpint(x.spec.rank, ==, 1);
  g_assert_cmpint(x.spec.shape[0], ==, 3);
  g_assert_cmpint(x.spec.range, ==, AB_RANGE_REAL);
  g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 0);
  gives(f, 2, D(1, 2, 3, -4.5, 0.5, 6), NULL);
}

/* The same table in every dress. */
static void test_dresses(Fixture *f, gconstpointer unused) {
  static const char *const texts[] = {
      "a,b\n1,2\n3,4",         /* no end of the last line */
      "a,b\r\n1,2\r\n3,4\r\n", /* CRLF                    */
      "a,b\r1,2\r3,4\r",       /* CR                      */
      "\xEF\xBB\xBF"
      "a,b\n1,2\n3,4\n",                           /* byte order mark         */
      "\n\n a , b \n\n1 ,\t2\n   \n 3,4  \n\r\n",  /* blanks and blank lines  */
      "\"a\",\"b\"\n\"1\",2\n3, \"4\" \n",         /* quotes                  */
      "\"a\r\nb\",\"say \"\"c\"\", d\"\n1,2\n3,4", /* newline, quote, comma   */
      "1,2\n3,4\n",                                /* no header               */
  };

  (void)unused;
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    text_of(f, texts[i]);
    gives(f, 2, D(1, 2, 3, 4), NULL);
  }
}

static void test_delimiters(Fixture *f, gconstpointer unused) {
  (void)unused;
  text_of(f, "1;2\n3;4\n");
  set_choice(f, "delimiter", "semicolon");
  gives(f, 2, D(1, 2, 3, 4), NULL);
  text_of(f, "1\t2\n3\t4\n");
  set_choice(f, "delimiter", "tab");
  gives(f, 2, D(1, 2, 3, 4), NULL);
  text_of(f, "1\t \t2\n");
  set_choice(f, "delimiter", "tab");
  set_choice(f, "missing", "zero");
  gives(f, 1, D(1, 0, 2), NULL);
  text_of(f, "  a   \"b c\"\n 1  2  \n3 \t 4\n");
  set_choice(f, "delimiter", "space");
  gives(f, 2, D(1, 2, 3, 4), NULL);
}

static void test_header(Fixture *f, gconstpointer unused) {
  (void)unused;
  text_of(f, "2019,2020\n1,2\n");
  set_choice(f, "header", "yes");
  gives(f, 1, D(1, 2), NULL);
  text_of(f, "?,NA\n1,2\n");
  set_choice(f, "header", "no");
  set_choice(f, "missing", "zero");
  gives(f, 2, D(0, 0, 1, 2), NULL);
}

/* Numbers of all lengths against the C library, whose rounding is correct. */
static void test_numbers(Fixture *f, gconstpointer unused) {
  g_autoptr(GString) text = g_string_new("-0\n.5\n5.\n000000000000000000001\n0.000000000000001\n"
                                         "123456789012345\n1234567890123456789\n-9.99999999999999\n"
                                         "-1e-400\n");
  GRand *random = g_rand_new_with_seed(3);
  g_auto(GStrv) lines = NULL;
  g_autofree double *x = NULL;

  (void)unused;
  for (int i = 0; i < 3000; i++) {
    int whole = g_rand_int_range(random, 0, 12), decimals = g_rand_int_range(random, 0, 12);

    g_string_append(text, g_rand_boolean(random) ? "-" : "");
    for (int j = -1; j < whole; j++)
      g_string_append_c(text, (char)g_rand_int_range(random, '0', '9' + 1));
    g_string_append(text, decimals > 0 ? "." : "");
    for (int j = 0; j < decimals; j++)
      g_string_append_c(text, (char)g_rand_int_range(random, '0', '9' + 1));
    g_string_append_c(text, '\n');
  }
  g_rand_free(random);
  lines = g_strsplit(text->str, "\n", -1);
  text_of(f, text->str);
  g_assert_true(plugin_test_open(f->data));
  x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 3009);
  for (int i = 0; i < 3009; i++) {
    double expected = g_ascii_strtod(lines[i], NULL);

    g_assert_cmpmem(&x[i], sizeof x[i], &expected, sizeof expected);
  }
}

/* Numbers have points where the user's language writes commas, too. */
static void test_locale(Fixture *f, gconstpointer unused) {
  (void)unused;
  if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL &&
      setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL) {
    g_test_skip("no locale that writes commas (de_DE.UTF-8, fr_FR.UTF-8) is installed");
    return;
  }
  text_of(f, "1.5,-2.25\n");
  gives(f, 1, D(1.5, -2.25), NULL);
  setlocale(LC_NUMERIC, "C");
}

/* ---- columns --------------------------------------------------------------------------------- */

static void test_labels(Fixture *f, gconstpointer unused) {
  (void)unused;
  text_of(f, "a,class\n1,0\n2,2\n3,1\n"); /* 0 to k - 1: as they are */
  set(f, "label", "class");
  plugin_test_open(f->data);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 3);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.rank, ==, 0);
  gives(f, 3, D(1, 2, 3), D(0, 2, 1));
  text_of(f, "a,class\n1,cat\n2,\"Dog, big\"\n3,ant\n4,cat\n");
  set(f, "label", "2");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpstr(ab_data_field_at(f->data, 1).classes[0], ==, "Dog, big");
  g_assert_cmpstr(ab_data_field_at(f->data, 1).classes[2], ==, "cat");
  gives(f, 4, D(1, 2, 3, 4), D(2, 0, 1, 2)); /* "Dog, big" < ant < cat */
  text_of(f, "10,5\n2,6\n1,7\n2,8\n");
  set(f, "label", "1");
  gives(f, 4, D(5, 6, 7, 8), D(2, 1, 0, 1)); /* as numbers, not as text */
  text_of(f, "5,1.0\n6,0\n7,1\n");
  set(f, "label", "-1");
  gives(f, 3, D(5, 6, 7), D(1, 0, 1));
  text_of(f, "2,1\n0,5\n1,6\n"); /* a name comes before a number */
  set(f, "label", "1");
  set_choice(f, "header", "yes");
  gives(f, 2, D(0, 1), D(0, 1));
}

static void test_targets(Fixture *f, gconstpointer unused) {
  AbField y;

  (void)unused;
  text_of(f, "a,b,c,d\n1,2,3,4\n5,6,7,8\n");
  set(f, "target", "d, b");
  plugin_test_open(f->data);
  y = ab_data_field_at(f->data, 1);
  g_assert_cmpint(y.spec.rank, ==, 1);
  g_assert_cmpint(y.spec.shape[0], ==, 2);
  g_assert_cmpint(y.spec.range, ==, AB_RANGE_REAL);
  gives(f, 2, D(1, 3, 5, 7), D(2, 4, 6, 8));
  text_of(f, "a,\"b,c\"\n1,2\n");
  set(f, "target", "b,c");
  gives(f, 1, D(1), D(2));
  text_of(f, "a,b,c,d\n1,text,3,4\n5,,7,8\n");
  plugin_test_set_texts(f->data, "ignore", (const char *const[]){"b", "-1", NULL});
  set(f, "target", "c");
  gives(f, 2, D(1, 5), D(3, 7));
}

static void test_missing(Fixture *f, gconstpointer unused) {
  static const char text[] = "a,b\n1,?\nNA,2\nnan,6\n6,\n";

  (void)unused;
  text_of(f, text);
  set_choice(f, "missing", "zero");
  gives(f, 4, D(1, 0, 0, 2, 0, 6, 6, 0), NULL);
  text_of(f, text);
  set_choice(f, "missing", "mean");
  gives(f, 4, D(1, 4, 3.5, 2, 3.5, 6, 6, 4), NULL);
  text_of(f, "a\n1\n3\n");
  table(f, "test_file", "test.csv", "a\n?\n100\n");
  set_choice(f, "missing", "mean"); /* of the training rows, in both */
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TEST, 2, D(2, 100));
}

/* ---- splits ---------------------------------------------------------------------------------- */

static void test_file(Fixture *f, gconstpointer unused) {
  char place[64];

  (void)unused;
  text_of(f, "a,c\n1,x\n\n2,y\n");
  table(f, "test_file", "test.csv", "a,c\n\"3\",\"y\"\n\n\n4,x\n");
  set(f, "label", "c");
  g_assert_true(plugin_test_open(f->data));
  plugin_test_rows(f->data, "x", AB_TRAIN, 2, D(1, 2));
  plugin_test_rows(f->data, "x", AB_TEST, 2, D(3, 4));
  plugin_test_rows(f->data, "y", AB_TEST, 2, D(1, 0));
  ab_data_place(f->data, AB_TRAIN, 1, place, sizeof place);
  g_assert_cmpstr(place, ==, "t.csv:4");
  ab_data_place(f->data, AB_TEST, 1, place, sizeof place);
  g_assert_cmpstr(place, ==, "test.csv:5");
}

/* 100 rows of their own number: a fifth is drawn, in order, the rest remains, in order. */
static void test_fraction(Fixture *f, gconstpointer unused) {
  g_autoptr(GString) text = g_string_new("n\n");
  double drawn[3][20];

  (void)unused;
  for (int i = 0; i < 100; i++) g_string_append_printf(text, "%d\n", i);
  for (int draw = 0; draw < 3; draw++) {
    g_autofree double *train = NULL, *test = NULL;
    gboolean seen[100] = {FALSE};
    char place[64];

    text_of(f, text->str);
    plugin_test_set_real(f->data, "test_fraction", 0.2);
    plugin_test_set_int(f->data, "seed", draw / 2); /* twice 0, then 1 */
    g_assert_true(plugin_test_open(f->data));
    g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 80);
    g_assert_cmpint(ab_data_samples(f->data, AB_TEST), ==, 20);
    train = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
    test = plugin_test_fetch_all(f->data, "x", AB_TEST);
    for (int i = 0; i < 80; i++) seen[(int)train[i]] = TRUE;
    for (int i = 0; i < 20; i++) {
      g_assert_false(seen[(int)test[i]]);
      seen[(int)test[i]] = TRUE;
    }
    for (int i = 0; i < 100; i++) g_assert_true(seen[i]);
    for (int i = 1; i < 80; i++) g_assert_cmpfloat(train[i], >, train[i - 1]);
    for (int i = 1; i < 20; i++) g_assert_cmpfloat(test[i], >, test[i - 1]);
    ab_data_place(f->data, AB_TEST, 3, place, sizeof place);
    g_assert_cmpint(g_ascii_strtoll(strchr(place, ':') + 1, NULL, 10), ==, (int)test[3] + 2);
    memcpy(drawn[draw], test, sizeof drawn[draw]);
    renew(f);
  }
  g_assert_cmpmem(drawn[0], sizeof drawn[0], drawn[1], sizeof drawn[1]);
  g_assert_cmpint(memcmp(drawn[0], drawn[2], sizeof drawn[0]), !=, 0);
  g_assert_cmpfloat(drawn[0][19], >, 50); /* not the first rows */
  g_assert_cmpfloat(drawn[0][0], <, 50);  /* nor the last       */
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void fails_text(Fixture *f, const char *text, const char *pattern) {
  text_of(f, text);
  fails(f, AB_DATA, pattern);
}

static void test_bad_files(Fixture *f, gconstpointer unused) {
  g_autofree char *nul = plugin_test_write(f->folder, "nul.csv", "1,2\n3,\0\n", 8);

  (void)unused;
  set(f, "file", "/nowhere/t.csv");
  fails(f, AB_NO_INPUT, "*cannot open /nowhere/t.csv: No such file*");
  set(f, "file", f->folder);
  fails(f, AB_IO, "*it is a folder or device*");
  set(f, "file", nul);
  fails(f, AB_DATA, "*nul.csv:2: a NUL byte*UTF-8*");
  fails_text(f, "", "*t.csv has no rows: the file is empty or blank");
  fails_text(f, " \n\r\n \t \n", "*t.csv has no rows*");
  fails_text(f, "a,b\n", "*t.csv has a header and no rows below it");
}

static void test_too_large(Fixture *f, gconstpointer unused) {
  g_autofree char *path = g_build_filename(f->folder, "huge.csv", NULL);
  int fd = g_open(path, O_CREAT | O_WRONLY, 0666);
  gboolean made = ftruncate(fd, (off_t)8 << 40) == 0; /* a hole of 8 TiB */

  (void)unused;
  close(fd);
  if (!made) {
    g_test_skip("the file system has no files of 8 TiB");
    return;
  }
  set(f, "file", path);
  fails(f, AB_DATA, "*huge.csv (8192.0 GiB) does not fit into memory*HDF5*");
}

static void test_bad_records(Fixture *f, gconstpointer unused) {
  (void)unused;
  fails_text(f, "a,b\n1,2\n3\n",
             "*t.csv:3: expected 2 cells as in the first row of the file, "
             "found 1");
  fails_text(f, "a,b\n1,2\n3,4,5\n", "*t.csv:3: expected 2 cells*found 3\nquote cells*");
  fails_text(f, "a,b\n1,\"2\n3,4\n", "*t.csv:2: this quote (cell 2) is never closed");
  fails_text(f, "a,b\n1,\"2\"3\n", "*t.csv:2: text after the closing quote of cell 2*");
  fails_text(f, "\"a\n\n\",b\n1,\"2\"3\n", "*t.csv:4: text after*"); /* newlines in quotes count */
  fails_text(f, "a,a\n1,2\n", "*t.csv:1: the header names two columns 'a'*header: no*");
}

static void test_bad_cells(Fixture *f, gconstpointer unused) {
  (void)unused;
  fails_text(f, "a,b\n1,2\n1,two\n", "*t.csv:3: column 'b': 'two' is no number\n*ignore*");
  fails_text(f, "1,2\n1,0x10\n", "*t.csv:2: column 2: '0x10' is no number*");
  fails_text(f, "1,2\n1,-\n", "*'-' is no number*");
  fails_text(f, "1,2\n1,1e5e\n", "*'1e5e' is no number*");
  fails_text(f, "1,2\n1,1 000\n", "*t.csv:2: column 2: '1 000' is no number*");
  fails_text(f, "1;2\n3;4\n",
             "*'3;4' is no number\nonly one column was found: is the delimiter right?");
  fails_text(f, "a,b\n1,inf\n", "*t.csv:2: column 'b': 'inf' is not finite*");
  fails_text(f, "a,b\n1,-Infinity\n", "*'-Infinity' is not finite*");
  fails_text(f, "a,b\n1,1e39\n", "*t.csv:2: column 'b': '1e39' is too large*");
  fails_text(f, "a,b\n1,-1e999\n", "*'-1e999' is too large*");
  fails_text(f, "a,b\n1,\n", "*t.csv:2: column 'b': the value is missing ('')\n*missing: mean*");
  fails_text(f, "a,b\n1,?\n", "*the value is missing ('?')*");
  fails_text(f, "a,b\n1,\x01\xff\xc3\xa4\xc3\n", "*column 'b': '??\xc3\xa4?' is no number*");
  fails_text(f, "a,b\n1,0123456789012345678901234567890123456789012345678901234567890123456789x\n",
             "*column 'b': '0123456789012345678901234567890123456789012345678901...' is no*");
}

static void test_bad_columns(Fixture *f, gconstpointer unused) {
  static const char text[] = "age,weight,class\n1,2,x\n";

  (void)unused;
  text_of(f, text);
  set(f, "label", "clas");
  fails(f, AB_CONFIG,
        "*label: there is no column 'clas' in *t.csv; it has 'age', 'weight', "
        "'class'\na number*");
  text_of(f, "1,2\n");
  set(f, "label", "3");
  fails(f, AB_CONFIG, "*label: there is no column '3' in *; it has 2 columns*");
  text_of(f, "1,2\n");
  set(f, "target", "1,-3");
  fails(f, AB_CONFIG, "*target: there is no column '-3'*");
  text_of(f, "1,2\n");
  plugin_test_set_texts(f->data, "ignore", (const char *const[]){"0", NULL});
  fails(f, AB_CONFIG, "*ignore: there is no column '0'*");
  text_of(f, text);
  plugin_test_set_texts(f->data, "ignore", (const char *const[]){"class", NULL});
  set(f, "label", "-1");
  fails(f, AB_CONFIG, "*label: column '-1' is already given as ignore*");
  text_of(f, text);
  set(f, "label", "class");
  set(f, "target", "age");
  fails(f, AB_CONFIG, "*label and target are both given*");
  text_of(f, text);
  set(f, "target", "1,2,3");
  fails(f, AB_CONFIG, "*3 columns and none is left for x*");
}

static void test_bad_labels(Fixture *f, gconstpointer unused) {
  g_autoptr(GString) many = g_string_new("a,b\n");

  (void)unused;
  text_of(f, "a,b\n1,x\n2,NA\n");
  set(f, "label", "b");
  set_choice(f, "missing", "zero");
  fails(f, AB_DATA, "*t.csv:3: column 'b': the value is missing ('NA')\nleave the row out*");
  text_of(f, "a,b\n1,2\n2,\n");
  set(f, "target", "b");
  set_choice(f, "missing", "mean");
  fails(f, AB_DATA, "*t.csv:3: column 'b': the value is missing*never made up*");
  text_of(f, "a,b\n1,x\n2,y\n");
  table(f, "test_file", "test.csv", "a,b\n1,y\n1,z\n");
  set(f, "label", "b");
  fails(f, AB_DATA, "*test.csv:3: label 'z' does not occur in *t.csv\nwhich has 'x', 'y'");
  text_of(f, "a,b\n1,1\n2,2\n");
  table(f, "test_file", "test.csv", "a,b\n1,1\n1,z\n");
  set(f, "label", "b");
  fails(f, AB_DATA, "*test.csv:3: label 'z' does not occur*has '1', '2'");
  for (int i = 0; i < 10001; i++) g_string_append_printf(many, "1,%d.5\n", i);
  text_of(f, many->str);
  set(f, "label", "b");
  fails(f, AB_CONFIG, "*t.csv:10002: more than 10000 different labels*target*");
}

static void test_bad_splits(Fixture *f, gconstpointer unused) {
  (void)unused;
  text_of(f, "a,b\n1,2\n");
  table(f, "test_file", "test.csv", "a,c\n1,2\n");
  fails(f, AB_DATA, "*test.csv:1: column 2 is 'c'; in *t.csv it is 'b'*");
  text_of(f, "a,b\n1,2\n");
  table(f, "test_file", "test.csv", "a\n1\n");
  fails(f, AB_DATA, "*test.csv:2: expected 2 cells as in the first row of *t.csv, found 1");
  text_of(f, "a,b\n1,2\n");
  table(f, "test_file", "test.csv", "");
  fails(f, AB_DATA, "*test.csv has no rows*");
  text_of(f, "a,b\n1,2\n");
  table(f, "test_file", "test.csv", "a,b\n1,2\n");
  plugin_test_set_real(f->data, "test_fraction", 0.5);
  fails(f, AB_CONFIG, "*test_file and test_fraction are both given*");
  text_of(f, "1,2\n3,4\n");
  plugin_test_set_real(f->data, "test_fraction", 0.2);
  fails(f, AB_CONFIG, "*test_fraction 0.2 of the 2 rows of *t.csv leaves none for testing");
  text_of(f, "1,2\n3,4\n");
  plugin_test_set_real(f->data, "test_fraction", 0.9);
  fails(f, AB_CONFIG, "*leaves none for training");
  text_of(f, "a,b\n1,?\n3,NA\n");
  set_choice(f, "missing", "mean");
  fails(f, AB_DATA, "*t.csv: column 'b' has no number in any training row*");
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void survives(Fixture *f, const char *bytes, gsize length, int way) {
  g_autofree char *path = plugin_test_write(f->folder, "t.csv", bytes, length);

  plugin_test_set_text(f->data, "file", path);
  if (way & 1) set(f, "label", "-1");
  if (way & 2) set_choice(f, "missing", "mean");
  if (way & 4) set_choice(f, "delimiter", "space");
  if (way & 8) plugin_test_set_real(f->data, "test_fraction", 0.3);
  if (plugin_test_open(f->data))
    for (int split = 0; split < AB_SPLIT_COUNT; split++)
      if (ab_data_samples(f->data, split) > 0) g_free(plugin_test_fetch_all(f->data, "x", split));
  if (!ab_ok(f->ctx)) {
    g_assert_cmpuint(strlen(ab_error_message(f->ctx)), >, 20);
    g_assert_true(g_utf8_validate(ab_error_message(f->ctx), -1, NULL));
  }
  ab_error_clear(f->ctx);
  renew(f);
}

static void test_damage(Fixture *f, gconstpointer unused) {
  static const char text[] = "\xEF\xBB\xBF"
                             "age,\"the \"\"size\"\"\",kind\r\n1,2.5,cat\r\n\"2\",?,\"dog\n\"\r\n"
                             " 3 ,1e3,\xC3\xA4\n4,,cat";
  static const char odd[] = "\",\n\r\t -1e?";
  GRand *random = g_rand_new_with_seed(7);

  (void)unused;
  for (int way = 0; way < 16; way++)
    for (gsize length = 0; length < sizeof text; length++) survives(f, text, length, way);
  for (int i = 0; i < 600; i++) {
    char copy[sizeof text - 1];

    memcpy(copy, text, sizeof copy);
    for (int j = g_rand_int_range(random, 1, 5); j > 0; j--)
      copy[g_rand_int_range(random, 0, sizeof copy)] =
          i % 2 ? (char)g_rand_int(random) : odd[g_rand_int_range(random, 0, sizeof odd - 1)];
    survives(f, copy, sizeof copy, i % 16);
  }
  g_rand_free(random);
}

/* ---- a real one ------------------------------------------------------------------------------ */

/* The small digits as scikit-learn has them; the sum is that of Python's csv module. */
static void test_digits(Fixture *f, gconstpointer unused) {
  g_autofree char *path = plugin_test_data("digits8x8/digits.csv.gz");
  g_autofree char *text = g_malloc0(1 << 20);
  g_autofree double *x = NULL, *y = NULL;
  double sum = 0;
  gzFile file;

  (void)unused;
  if (path == NULL) return;
  file = gzopen(path, "rb");
  g_assert_cmpint(gzread(file, text, (1 << 20) - 1), >, 200000);
  gzclose(file);
  text_of(f, text);
  set(f, "label", "65");
  g_assert_true(plugin_test_open(f->data));
  g_assert_cmpint(ab_data_samples(f->data, AB_TRAIN), ==, 1797);
  g_assert_cmpint(ab_data_field_at(f->data, 0).spec.shape[0], ==, 64);
  g_assert_cmpint(ab_data_field_at(f->data, 1).spec.classes, ==, 10);
  x = plugin_test_fetch_all(f->data, "x", AB_TRAIN);
  y = plugin_test_fetch_all(f->data, "y", AB_TRAIN);
  for (int i = 0; i < 1797 * 64; i++) sum += x[i];
  g_assert_cmpfloat(sum, ==, 561718);
  for (int i = 0; i < 10; i++) g_assert_cmpfloat(y[i], ==, i);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define TEST_CASE(name, function) \
  g_test_add("/plugins/data/csv/" name, Fixture, NULL, set_up, function, tear_down)
  TEST_CASE("plain", test_plain);
  TEST_CASE("dresses", test_dresses);
  TEST_CASE("delimiters", test_delimiters);
  TEST_CASE("header", test_header);
  TEST_CASE("numbers", test_numbers);
  TEST_CASE("locale", test_locale);
  TEST_CASE("labels", test_labels);
  TEST_CASE("targets", test_targets);
  TEST_CASE("missing", test_missing);
  TEST_CASE("test-file", test_file);
  TEST_CASE("fraction", test_fraction);
  TEST_CASE("bad-files", test_bad_files);
  TEST_CASE("too-large", test_too_large);
  TEST_CASE("bad-records", test_bad_records);
  TEST_CASE("bad-cells", test_bad_cells);
  TEST_CASE("bad-columns", test_bad_columns);
  TEST_CASE("bad-labels", test_bad_labels);
  TEST_CASE("bad-splits", test_bad_splits);
  TEST_CASE("damage", test_damage);
  TEST_CASE("digits", test_digits);
  return g_test_run();
}
