/* SPDX-License-Identifier: Apache-2.0
 *
 * Test of host/report: the data of the page, read back by a JSON parser, and what damaged files do.
 * What the page makes of it is seen by a browser, in tests/cli/report.c. */
#include "../../../host/report/report.h"
#include "../../../host/report/array.h"
#include "../../../host/report/curves.h"
#include "../../../host/report/embed.h"
#include "../../../host/report/gather.h"
#include "../../../host/report/pictures.h"
#include "store-test.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* ---- JSON ------------------------------------------------------------------------------------ */

static JsonNode *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  JsonNode *node = json_from_string(text, &error);
  g_assert_no_error(error);
  g_assert_nonnull(node);
  return node;
}

static JsonObject *object_of(JsonNode *node) {
  g_assert_true(JSON_NODE_HOLDS_OBJECT(node));
  return json_node_get_object(node);
}

static void test_embed(void) {
  static const char hostile[] = "</script><!-- \"\\\n\t\x01 \xff Grüße";
  double numbers[] = {0.1, NAN, INFINITY, -1e-300, 12345678};
  g_autoptr(GString) out = g_string_new(NULL);
  embed_begin(out, NULL, '{');
  embed_text(out, "text</script>", hostile);
  embed_text(out, "none", NULL);
  embed_real(out, "infinite", -INFINITY);
  embed_int(out, "large", G_MAXINT64);
  embed_bool(out, "yes", TRUE);
  embed_reals(out, "reals", numbers, G_N_ELEMENTS(numbers));
  embed_bytes(out, "bytes", (const guint8 *)"\0<\xff", 3);
  embed_end(out, '}');
  g_assert_null(strchr(out->str, '<'));
  g_autoptr(JsonNode) root = parse(out->str);
  JsonObject *object = object_of(root);
  g_assert_cmpstr(json_object_get_string_member(object, "text</script>"), ==,
                  "</script><!-- \"\\\n\t\x01 \xef\xbf\xbd Grüße");
  g_assert_true(json_object_get_null_member(object, "none"));
  g_assert_true(json_object_get_null_member(object, "infinite"));
  g_assert_cmpint(json_object_get_int_member(object, "large"), ==, G_MAXINT64);
  JsonArray *reals = json_object_get_array_member(object, "reals");
  g_assert_cmpfloat(json_array_get_double_element(reals, 0), ==, 0.1);
  g_assert_true(json_array_get_null_element(reals, 1));
  g_assert_true(json_array_get_null_element(reals, 2));
  g_assert_cmpfloat(json_array_get_double_element(reals, 3), ==, -1e-300);
  g_assert_cmpstr(json_object_get_string_member(object, "bytes"), ==, "ADz/");
}

/* What was parsed elsewhere may hold numbers that JSON cannot write, and any text as a key. */
static void test_embed_node(void) {
  static const char text[] = "{\"a<b\":[1,2.5,true,null,\"</x>\",1e999,{\"c\":[]}]}";
  g_autoptr(JsonNode) node = parse(text);
  g_autoptr(GString) out = g_string_new(NULL);
  embed_node(out, NULL, node);
  g_assert_cmpstr(out->str, ==, "{\"a\\u003cb\":[1,2.5,true,null,\"\\u003c/x>\",null,{\"c\":[]}]}");
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void test_thin(void) {
  enum { COUNT = 1000, BUCKETS = 10 };
  double values[COUNT], out[2 * BUCKETS + 2];
  for (int i = 0; i < COUNT; i++) values[i] = i;
  values[150] = 5000;                              /* a peak in the second bucket ... */
  values[160] = -5000;                             /* ... and then a pit */
  for (int i = 300; i < 400; i++) values[i] = NAN; /* a bucket without numbers */
  values[410] = NAN;
  curves_thin(values, COUNT, BUCKETS, out);
  g_assert_cmpfloat(out[0], ==, 0);
  g_assert_cmpfloat(out[1], ==, 0);
  g_assert_cmpfloat(out[2], ==, 99);
  g_assert_cmpfloat(out[3], ==, 5000);
  g_assert_cmpfloat(out[4], ==, -5000);
  g_assert_true(isnan(out[7]) && isnan(out[8]));
  g_assert_cmpfloat(out[9], ==, 400);
  g_assert_cmpfloat(out[10], ==, 499);
  g_assert_cmpfloat(out[2 * BUCKETS + 1], ==, 999);
}

static void test_bytes(void) {
  Range range = {-1, 3};
  g_assert_cmpint(range_byte(range, -1), ==, 0);
  g_assert_cmpint(range_byte(range, 3), ==, 255);
  g_assert_cmpint(range_byte(range, 1), ==, 128);
  g_assert_cmpint(range_byte(range, -7), ==, 0);
  g_assert_cmpint(range_byte(range, INFINITY), ==, 255);
  g_assert_cmpint(range_byte(range, NAN), ==, 0);
  g_assert_cmpint(range_byte(RANGE_NOTHING, 1), ==, 0);
  g_assert_cmpint(range_byte((Range){2, 2}, 2), ==, 0);
  g_assert_cmpint(range_byte((Range){-1e308, 1e308}, 1e308), ==, 255);
}

static void test_relative(void) {
  static const struct {
    const char *from, *to, *wanted;
  } rows[] = {{"/a/b", "/a/b/runs/x/report.html", "runs/x/report.html"},
              {"/a/c", "/a/b/report.html", "../b/report.html"},
              {"/a/c/d/", "/b", "../../../b"},
              {"/", "/b/c", "b/c"}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = gather_relative(rows[i].from, rows[i].to);
    g_assert_cmpstr(path, ==, rows[i].wanted);
  }
}

/* ---- pictures -------------------------------------------------------------------------------- */

static JsonObject *write_pictures(Array *array, int lead, gint64 bytes, JsonNode **root) {
  g_autoptr(GString) out = g_string_new(NULL);
  embed_begin(out, NULL, '{');
  pictures_write(out, "set", array, pictures_of(array, lead), (Range){0, 1}, bytes);
  embed_end(out, '}');
  *root = parse(out->str);
  return json_object_get_object_member(object_of(*root), "set");
}

static void assert_shape(JsonObject *set, gint64 columns, gint64 height, gint64 width,
                         gint64 channels, gint64 factor) {
  g_assert_cmpint(json_object_get_int_member(set, "columns"), ==, columns);
  g_assert_cmpint(json_object_get_int_member(set, "height"), ==, height);
  g_assert_cmpint(json_object_get_int_member(set, "width"), ==, width);
  g_assert_cmpint(json_object_get_int_member(set, "channels"), ==, channels);
  g_assert_cmpint(json_object_get_int_member(set, "factor"), ==, factor);
}

/* An image of 193 x 96 is halved and more: three columns of ones, then zeros. */
static void test_shrink(void) {
  g_autoptr(JsonNode) root = NULL;
  Array array = {.rank = 3, .shape = {2, 193, 96}, .count = 2 * 193 * 96};
  gsize size = 0;
  array.values = g_new0(double, (gsize)array.count);
  for (gint64 i = 0; i < array.count; i++) array.values[i] = i % 96 < 4;
  JsonObject *set = write_pictures(&array, 1, 1 << 20, &root);
  assert_shape(set, 2, 65, 32, 1, 3);
  g_autofree guint8 *bytes = g_base64_decode(json_object_get_string_member(set, "data"), &size);
  g_assert_cmpuint(size, ==, 2 * 65 * 32);
  for (gsize i = 0; i < size; i++)
    g_assert_cmpint(bytes[i], ==, i % 32 == 0 ? 255 : i % 32 == 1 ? 85 : 0);
  array_clear(&array);
}

/* Columns are left out where there is no room; what is no image is features. */
static void test_room(void) {
  g_autoptr(JsonNode) image = NULL, features = NULL, thin = NULL;
  Array array = {.rank = 5, .shape = {3, 10, 8, 8, 3}, .count = 3 * 10 * 8 * 8 * 3};
  array.values = g_new0(double, (gsize)array.count);
  assert_shape(write_pictures(&array, 2, 3 * 4 * 192, &image), 4, 8, 8, 3, 1);
  Array lines = {.rank = 2, .shape = {4, 1440}, .count = 4 * 1440, .values = array.values};
  assert_shape(write_pictures(&lines, 1, 1 << 20, &features), 4, 0, 480, 1, 3);
  Array row = {.rank = 3, .shape = {4, 1, 9}, .count = 36, .values = array.values};
  assert_shape(write_pictures(&row, 1, 1, &thin), 1, 0, 9, 1, 1);
  array_clear(&array);
}

/* ---- folders --------------------------------------------------------------------------------- */

static void put(const StoreTest *self, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(self->folder, name, NULL);
  g_autofree char *folder = g_path_get_dirname(path);
  g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *read_page(const StoreTest *self, GPtrArray *notes) {
  g_autoptr(GError) error = NULL;
  char *text = NULL;
  g_autofree char *page = report_write(self->folder, NULL, notes, &error);
  g_assert_no_error(error);
  g_assert_true(g_str_has_suffix(page, "/report.html"));
  g_assert_true(g_file_get_contents(page, &text, NULL, NULL));
  return text;
}

static guint occurrences(const char *text, const char *word) {
  guint count = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) count++;
  return count;
}

/* What stands in the script element of the data. */
static JsonNode *data_of(const char *page) {
  static const char open[] = "<script type=\"application/json\" id=\"data\">";
  const char *from = strstr(page, open);
  g_assert_nonnull(from);
  from += strlen(open);
  g_autofree char *text = g_strndup(from, (gsize)(strstr(from, "</script>") - from));
  return parse(text);
}

static JsonNode *report(const StoreTest *self, GPtrArray **notes) {
  *notes = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *page = read_page(self, *notes);
  return data_of(page);
}

/* The notes of the page are those that are returned; the next of them says all of `words`. */
static void assert_note(JsonNode *root, const GPtrArray *notes, guint index, const char *word,
                        const char *other) {
  JsonArray *shown = json_object_get_array_member(object_of(root), "notes");
  g_assert_cmpuint(json_array_get_length(shown), ==, notes->len);
  g_assert_cmpuint(index, <, notes->len);
  const char *note = json_array_get_string_element(shown, index);
  g_assert_cmpstr(note, ==, notes->pdata[index]);
  if (!strstr(note, word) || !strstr(note, other))
    g_error("\"%s\" does not say '%s' and '%s'", note, word, other);
}

static const char record[] = "{\"event\":\"epoch\",\"epoch\":%d,\"step\":%d,\"seconds\":%g,"
                             "\"train\":{\"loss\":%g},\"validation\":{\"mse\":null}}\n";

static void put_metrics(const StoreTest *self, int count, const char *end) {
  GString *text = g_string_new(NULL);
  for (int i = 1; i <= count; i++)
    g_string_append_printf(text, record, i, 10 * i, i / 8.0, 1.0 / i);
  g_string_append(text, end);
  put(self, "metrics.jsonl", text->str);
  g_string_free(text, TRUE);
}

/* Neither texts nor names of files can end the element that they stand in. */
static void test_escapes(StoreTest *self, gconstpointer data) {
  static const char hostile[] = "# </script><script>alert(1)</script> <!-- {{data}} & \xff\n";
  (void)data;
  put_metrics(self, 1, "");
  put(self, "manifest.yaml", hostile);
  put(self, "log.txt", hostile);
  put(self, "result.json", "{\"status\":\"failed\",\"reason\":\"</script>\"}");
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *page = read_page(self, notes);
  g_autoptr(JsonNode) root = data_of(page);
  g_assert_cmpuint(notes->len, ==, 0);
  g_assert_null(strstr(page, "alert(1)</"));
  g_assert_cmpuint(occurrences(page, "<script"), ==, occurrences(page, "</script>"));
  JsonObject *texts = json_object_get_object_member(object_of(root), "texts");
  JsonObject *manifest = json_object_get_object_member(texts, "manifest.yaml");
  g_assert_cmpstr(json_object_get_string_member(manifest, "text"), ==,
                  "# </script><script>alert(1)</script> <!-- {{data}} & \xef\xbf\xbd\n");
  g_assert_true(g_utf8_validate(page, -1, NULL));
  g_assert_nonnull(strstr(page, "MIT License"));
  g_assert_nonnull(strstr(page, "Chart.js Contributors"));
}

static void test_little(StoreTest *self, gconstpointer data) {
  static const char *const absent[] = {"wiring", "problem", "end"};
  g_autoptr(GPtrArray) notes = NULL;
  (void)data;
  put_metrics(self, 3, "{\"event\":\"epo"); /* being written */
  g_autoptr(JsonNode) root = report(self, &notes);
  JsonObject *object = object_of(root);
  g_assert_cmpuint(notes->len, ==, 0);
  g_assert_true(json_object_get_null_member(object, "result"));
  for (guint i = 0; i < G_N_ELEMENTS(absent); i++)
    g_assert_true(!json_object_has_member(object, absent[i]) ||
                  json_object_get_null_member(object, absent[i]));
  JsonObject *curves = json_object_get_object_member(object, "curves");
  g_assert_cmpint(json_object_get_int_member(curves, "count"), ==, 3);
  g_assert_false(json_object_has_member(curves, "buckets"));
  JsonArray *series = json_object_get_array_member(curves, "series");
  g_assert_cmpuint(json_array_get_length(series), ==, 2);
  JsonObject *loss = json_array_get_object_element(series, 0);
  JsonArray *values = json_object_get_array_member(loss, "value");
  g_assert_cmpfloat(json_array_get_double_element(values, 1), ==, 0.5);
  values = json_object_get_array_member(json_array_get_object_element(series, 1), "value");
  g_assert_cmpuint(json_array_get_length(values), ==, 3);
  g_assert_true(json_array_get_null_element(values, 2));
}

/* A curve of 5000 points keeps its ends and its extremes, and says how it was thinned. */
static void test_long(StoreTest *self, gconstpointer data) {
  g_autoptr(GPtrArray) notes = NULL;
  (void)data;
  put_metrics(self, 5000, "");
  g_autoptr(JsonNode) root = report(self, &notes);
  JsonObject *curves = json_object_get_object_member(object_of(root), "curves");
  g_assert_cmpint(json_object_get_int_member(curves, "count"), ==, 5000);
  gint64 buckets = json_object_get_int_member(curves, "buckets");
  JsonArray *epoch = json_object_get_array_member(curves, "epoch");
  g_assert_cmpint(json_array_get_length(epoch), ==, 2 * buckets + 2);
  g_assert_cmpuint(json_array_get_length(epoch), <=, 2000);
  g_assert_cmpint(json_array_get_int_element(epoch, 0), ==, 1);
  g_assert_cmpint(json_array_get_int_element(epoch, json_array_get_length(epoch) - 1), ==, 5000);
  for (guint i = 1; i < json_array_get_length(epoch); i++)
    g_assert_cmpfloat(json_array_get_double_element(epoch, i), >=,
                      json_array_get_double_element(epoch, i - 1));
}

static void test_damage(StoreTest *self, gconstpointer data) {
  g_autoptr(GPtrArray) notes = NULL;
  (void)data;
  g_autofree char *deep = g_strnfill(200000, '[');
  put_metrics(self, 2,
              "no json\n[]\n\n{\"event\":\"epoch\",\"epoch\":3,\"train\":{\"loss\":1e999}}\n");
  put(self, "result.json", deep);
  put(self, "results.h5", "no HDF5");
  put(self, "resolved.yaml", "a: [\n");
  put(self, "checkpoints/last.h5", "neither");
  g_autoptr(JsonNode) root = report(self, &notes);
  g_assert_cmpuint(notes->len, ==, 4);
  assert_note(root, notes, 0, "result.json", "too deeply");
  assert_note(root, notes, 1, "metrics.jsonl, line 3", "damaged lines: 2");
  assert_note(root, notes, 2, "results.h5", "HDF5");
  assert_note(root, notes, 3, "resolved.yaml:", "");
  JsonObject *curves = json_object_get_object_member(object_of(root), "curves");
  g_assert_cmpint(json_object_get_int_member(curves, "count"), ==, 3);
}

/* A pipe would never end, and a folder is no file. */
static void test_no_files(StoreTest *self, gconstpointer data) {
  g_autoptr(GPtrArray) notes = NULL;
  g_autofree char *pipe = g_build_filename(self->folder, "metrics.jsonl", NULL);
  (void)data;
  g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
  put(self, "log.txt/x", "");
  put(self, "result.json", "{}");
  g_autoptr(JsonNode) root = report(self, &notes);
  g_assert_cmpuint(notes->len, ==, 2);
  assert_note(root, notes, 0, "metrics.jsonl", "no plain file");
  assert_note(root, notes, 1, "log.txt", "no plain file");
}

static const char resolved[] = "problem: reconstruct\nseed: 7\nepochs: 20\ndata: {plugin: digits}\n"
                               "model:\n  plugin: auto-encoder\n  tied: false\n  units: [3, 4]\n"
                               "  encoder: {plugin: mlp, empty: []}\n"
                               "metrics: [{plugin: mse}, {plugin: accuracy}]\n";

static void test_wiring(StoreTest *self, gconstpointer data) {
  g_autoptr(GPtrArray) notes = NULL;
  (void)data;
  put(self, "resolved.yaml", resolved);
  g_autoptr(JsonNode) root = report(self, &notes);
  JsonObject *object = object_of(root);
  g_assert_cmpuint(notes->len, ==, 0);
  g_assert_cmpstr(json_object_get_string_member(object, "problem"), ==, "reconstruct");
  g_assert_cmpstr(json_object_get_string_member(object, "model"), ==, "auto-encoder");
  g_assert_cmpstr(json_object_get_string_member(object, "data"), ==, "digits");
  JsonObject *wiring = json_object_get_object_member(object, "wiring");
  g_assert_cmpint(json_object_get_int_member(wiring, "count"), ==, 5);
  g_autoptr(JsonNode) all = json_node_new(JSON_NODE_OBJECT);
  json_node_set_object(all, wiring);
  g_autofree char *text = json_to_string(all, FALSE);
  g_assert_cmpstr(
      text, ==,
      "{\"settings\":[[\"problem\",\"reconstruct\"],[\"seed\",\"7\"],[\"epochs\",\"20\"]],"
      "\"components\":[{\"slot\":\"data\",\"path\":\"data\",\"plugin\":\"digits\",\"parameters\":[],"
      "\"components\":[]},{\"slot\":\"model\",\"path\":\"model\",\"plugin\":\"auto-encoder\","
      "\"parameters\":[[\"tied\",\"false\"],[\"units\",\"[3, 4]\"]],\"components\":["
      "{\"slot\":\"encoder\",\"path\":\"model/encoder\",\"plugin\":\"mlp\",\"parameters\":[],"
      "\"components\":[]}]},{\"slot\":\"metrics\",\"path\":\"metrics/0\",\"plugin\":\"mse\","
      "\"parameters\":[],\"components\":[]},{\"slot\":\"metrics\",\"path\":\"metrics/1\","
      "\"plugin\":\"accuracy\",\"parameters\":[],\"components\":[]}],\"count\":5}");
}

/* ---- results.h5 ------------------------------------------------------------------------------ */

static void write_real(StoreWriter *writer, const char *name, int rank, gint64 rows, gint64 columns,
                       const double *values) {
  gint64 shape[] = {rows, columns};
  store_write(writer, name, AB_F64, rank, shape, values, NULL);
}

static void test_plots(StoreTest *self, gconstpointer data) {
  static const double points[] = {0, 1, 2, 3, NAN, 5}, labels[] = {1, 0, 1}, two[] = {0.5, 0.25};
  static const double wide[] = {1, 2, 3, 4, 5, 6};
  g_autoptr(GPtrArray) notes = NULL;
  g_autofree char *path = g_build_filename(self->folder, "results.h5", NULL);
  (void)data;
  put(self, "result.json", "{}");
  StoreWriter *writer = store_test_create_ok(path);
  write_real(writer, "/entry/latent/projection", 2, 3, 2, points);
  write_real(writer, "/entry/latent/y", 1, 3, 0, labels);
  write_real(writer, "/entry/latent/explained", 1, 2, 0, two);
  write_real(writer, "/entry/confusion/count", 2, 2, 3, wide);          /* no square */
  write_real(writer, "/entry/roc/true_positive_rate", 1, 3, 0, labels); /* without the other */
  write_real(writer, "/entry/scores/score", 1, 6, 0, wide);
  write_real(writer, "/entry/unheard-of/x", 1, 6, 0, wide);
  store_test_commit_ok(writer);
  g_autoptr(JsonNode) root = report(self, &notes);
  g_assert_cmpuint(notes->len, ==, 2);
  assert_note(root, notes, 0, "/entry/confusion/count", "2 rows and 3");
  assert_note(root, notes, 1, "false_positive_rate", "results.h5");
  JsonObject *plots = json_object_get_object_member(object_of(root), "plots");
  g_assert_cmpuint(json_object_get_size(plots), ==, 2);
  JsonObject *latent = json_object_get_object_member(plots, "latent");
  JsonArray *found = json_object_get_array_member(latent, "points");
  g_assert_cmpuint(json_array_get_length(found), ==, 6);
  g_assert_true(json_array_get_null_element(found, 4));
  g_assert_cmpfloat(json_array_get_double_element(found, 5), ==, 5);
  JsonObject *scores = json_object_get_object_member(plots, "scores");
  JsonArray *groups = json_object_get_array_member(scores, "groups");
  g_assert_cmpuint(json_array_get_length(groups), ==, 1);
  JsonArray *counts =
      json_object_get_array_member(json_array_get_object_element(groups, 0), "count");
  gint64 sum = 0;
  for (guint i = 0; i < json_array_get_length(counts); i++)
    sum += json_array_get_int_element(counts, i);
  g_assert_cmpint(sum, ==, 6);
  g_assert_cmpint(json_array_get_int_element(counts, 0), ==, 1);
  g_assert_cmpint(json_array_get_int_element(counts, json_array_get_length(counts) - 1), ==, 1);
}

/* Names of classes go with the counts where there are as many; a list of others is damage. */
static void test_confusion_names(StoreTest *self, gconstpointer data) {
  static const double counts[] = {5, 1, 0, 7};
  static const char *const names[] = {"[\"cat\", \"</dog>\"]", "[\"cat\"]", "cat"};
  g_autofree char *path = g_build_filename(self->folder, "results.h5", NULL);
  (void)data;
  put(self, "result.json", "{}");
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(GPtrArray) notes = NULL;
    StoreWriter *writer = store_test_create_ok(path);
    write_real(writer, "/entry/confusion/count", 2, 2, 2, counts);
    store_write_text(writer, "/entry/confusion/names", names[i]);
    store_test_commit_ok(writer);
    g_autoptr(JsonNode) root = report(self, &notes);
    JsonObject *plots = json_object_get_object_member(object_of(root), "plots");
    g_assert_cmpuint(notes->len, ==, i > 0);
    g_assert_cmpint(json_object_has_member(plots, "confusion"), ==, i == 0);
    if (i > 0) {
      assert_note(root, notes, 0, "/entry/confusion", "names");
      continue;
    }
    JsonObject *confusion = json_object_get_object_member(plots, "confusion");
    JsonArray *found = json_object_get_array_member(confusion, "names");
    g_assert_cmpuint(json_array_get_length(found), ==, 2);
    g_assert_cmpstr(json_array_get_string_element(found, 1), ==, "</dog>");
  }
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static void test_compare(StoreTest *self, gconstpointer data) {
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  g_autofree char *output = g_build_filename(self->folder, "pages", "all.html", NULL);
  g_autofree char *page = NULL, *text = NULL;
  (void)data;
  put(self, "runs/a b/metrics.jsonl", "{\"event\":\"epoch\",\"epoch\":1,\"train\":{\"loss\":2}}\n");
  put(self, "runs/a b/report.html", "");
  put(self, "pages/x", "");
  put(self, "compare.json",
      "{\"candidates\":[{\"name\":\"</script>\",\"runs\":[{\"seed\":1,\"folder\":\"runs/a b\"},"
      "{\"seed\":2,\"folder\":\"../elsewhere\"},{\"seed\":3,\"folder\":\"/etc\"},"
      "{\"seed\":4,\"folder\":\"runs/none\"},{\"seed\":4,\"folder\":\"runs/a b\"},7,null]},3]}");
  page = report_write(self->folder, output, notes, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(page, ==, output);
  g_assert_true(g_file_get_contents(page, &text, NULL, NULL));
  g_autoptr(JsonNode) root = data_of(text);
  assert_note(root, notes, 0, "'../elsewhere'", "not below");
  assert_note(root, notes, 1, "'/etc'", "not below");
  g_assert_cmpuint(notes->len, ==, 2);
  JsonArray *runs = json_object_get_array_member(object_of(root), "runs");
  g_assert_cmpuint(json_array_get_length(runs), ==, 2);
  JsonObject *run = json_array_get_object_element(runs, 0);
  g_assert_cmpstr(json_object_get_string_member(run, "report"), ==, "../runs/a%20b/report.html");
  g_assert_true(json_object_has_member(run, "curves"));
  g_assert_false(json_object_has_member(json_array_get_object_element(runs, 1), "report"));
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void assert_fails(const char *folder, const char *output, AbCode code, const char *word) {
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  GError *error = NULL;
  g_assert_null(report_write(folder, output, notes, &error));
  store_test_assert_error(error, code, word);
}

static void test_errors(StoreTest *self, gconstpointer data) {
  GError *error = NULL;
  g_autofree char *absent = g_build_filename(self->folder, "absent", NULL);
  g_autofree char *page = g_build_filename(absent, "page.html", NULL);
  (void)data;
  assert_fails(absent, NULL, AB_NO_INPUT, "no such folder");
  assert_fails(self->folder, NULL, AB_NO_INPUT, "neither a run nor a comparison");
  g_assert_false(report_run(self->folder, NULL, &error));
  store_test_assert_error(error, AB_NO_INPUT, "abhost run");
  error = NULL;
  put(self, "result.json", "{}");
  assert_fails(self->folder, page, AB_IO, "page.html");
  assert_fails(self->folder, self->folder, AB_IO, self->folder);
  g_assert_false(report_compare(self->folder, NULL, &error));
  store_test_assert_error(error, AB_NO_INPUT, "compare.json");
  put(self, "compare.json", "{");
  assert_fails(self->folder, NULL, AB_DATA, "compare.json is no JSON");
  put(self, "compare.json", "{\"workloads\":[]}");
  assert_fails(self->folder, NULL, AB_DATA, "compare.json lists no candidates");
  g_assert_cmpuint(store_test_count_entries(self->folder), ==, 2);
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/report/embed", test_embed);
  g_test_add_func("/report/embed/parsed", test_embed_node);
  g_test_add_func("/report/thin", test_thin);
  g_test_add_func("/report/bytes", test_bytes);
  g_test_add_func("/report/relative", test_relative);
  g_test_add_func("/report/pictures/shrink", test_shrink);
  g_test_add_func("/report/pictures/room", test_room);
  STORE_TEST_ADD("/report/escapes", test_escapes);
  STORE_TEST_ADD("/report/little", test_little);
  STORE_TEST_ADD("/report/long", test_long);
  STORE_TEST_ADD("/report/damage", test_damage);
  STORE_TEST_ADD("/report/no-files", test_no_files);
  STORE_TEST_ADD("/report/wiring", test_wiring);
  STORE_TEST_ADD("/report/plots", test_plots);
  STORE_TEST_ADD("/report/confusion-names", test_confusion_names);
  STORE_TEST_ADD("/report/compare", test_compare);
  STORE_TEST_ADD("/report/errors", test_errors);
  return g_test_run();
}
