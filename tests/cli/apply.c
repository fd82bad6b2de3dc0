/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost apply: what comes out is what the weights of the checkpoint make of the input, computed
 * here anew; whatever is wrong, nothing is left.                                                 */
#include "cli-test.h"

#include <absdk/host.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 30, PIXELS = 64 };

/* ---- what is applied, and to what ------------------------------------------------------------ */

static void train(const char *run, const char *manifest) {
  if (cli_exists(run)) return;
  cli_write("train.yaml", manifest);
  g_autoptr(CliResult) result = cli_run("run", "train.yaml", "--output", run, "-q", NULL);
  cli_assert_status(result, 0);
}

static void train_auto_encoder(void) {
  train("ae", "problem: reconstruct\nseed: 5\nepochs: 2\ndata: {plugin: digits, batch: 50}\n"
              "model: {plugin: auto-encoder, encoder: {plugin: mlp, units: [20, 6]}, decoder: "
              "{plugin: mlp, units: [20]}}\nloss: {plugin: mse}\noptimizer: {plugin: adam}\n");
}

static void train_classifier(void) {
  train("mlp", "problem: classify\nseed: 6\nepochs: 4\ndata: {plugin: digits, batch: 50}\n"
               "model: {plugin: mlp, units: [30], dropout: 0.5}\noptimizer: {plugin: adam}\n");
}

/* Numbers from 0 to 255, the same for all tests. */
static guint8 byte_at(int i) {
  return (guint8)((i * 37 + i / PIXELS * 11) % 256);
}

static double sample_at(int i) {
  return byte_at(i) / 255.0;
}

/* An NPY file of `count` numbers; `put` writes number i. */
static void write_npy(const char *path, const char *descr, gboolean fortran, const char *shape,
                      gsize size, void (*put)(int i, void *to)) {
  g_autofree char *header = g_strdup_printf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
                                            descr, fortran ? "True" : "False", shape);
  gsize length = strlen(header), total = 10 + length + ROWS * PIXELS * size;
  g_autofree guint8 *bytes = g_malloc0(total);
  memcpy(bytes, "\x93NUMPY\x01\x00", 8);
  bytes[8] = (guint8)length;
  memcpy(bytes + 10, header, length);
  for (int i = 0; i < ROWS * PIXELS; i++) {
    int at = fortran ? i % PIXELS * ROWS + i / PIXELS : i;
    put(i, bytes + 10 + length + (gsize)at * size);
  }
  cli_write_bytes(path, bytes, total);
}

static void put_f8(int i, void *to) {
  double value = sample_at(i);
  memcpy(to, &value, sizeof value);
}

static void put_f4_255(int i, void *to) {
  float value = byte_at(i);
  memcpy(to, &value, sizeof value);
}

static void put_u1(int i, void *to) {
  *(guint8 *)to = byte_at(i);
}

static void put_nan(int i, void *to) {
  double value = i == 17 * PIXELS + 3 ? NAN : 0.5;
  memcpy(to, &value, sizeof value);
}

static void write_samples(void) {
  write_npy("x.npy", "<f8", FALSE, "(30, 8, 8)", 8, put_f8);
}

/* ---- the reference --------------------------------------------------------------------------- */

static const double identity_above = -INFINITY; /* of relu: nothing is cut */

/* y = max(least, x W + b) of `rows` rows; free with g_free. */
static double *linear(const char *checkpoint, const char *W, const char *b, const double *x,
                      gsize rows, double least) {
  gsize in_out, out;
  g_autofree double *weight = cli_tensor(checkpoint, W, &in_out);
  g_autofree double *bias = cli_tensor(checkpoint, b, &out);
  gsize in = in_out / out;
  double *y = g_new(double, rows *out);
  for (gsize r = 0; r < rows; r++)
    for (gsize j = 0; j < out; j++) {
      double sum = bias[j];
      for (gsize i = 0; i < in; i++) sum += x[r * in + i] * weight[i * out + j];
      y[r * out + j] = MAX(sum, least);
    }
  return y;
}

static double *reference_codes(const double *x) {
  const char *file = "ae/checkpoints/last.h5";
  g_autofree double *h = linear(file, "/model/encoder/W1", "/model/encoder/b1", x, ROWS, 0);
  return linear(file, "/model/encoder/W2", "/model/encoder/b2", h, ROWS, 0);
}

static double *samples(void) {
  double *x = g_new(double, ROWS *PIXELS);
  for (int i = 0; i < ROWS * PIXELS; i++) x[i] = sample_at(i);
  return x;
}

/* To 1e-5 of the largest: sums in f32 lose what cancels out. */
static void assert_near(const char *file, const char *dataset, const double *expected,
                        gsize count) {
  gsize found;
  g_autofree double *values = cli_tensor(file, dataset, &found);
  g_assert_cmpuint(found, ==, count);
  double largest = 1;
  for (gsize i = 0; i < count; i++) largest = MAX(largest, fabs(expected[i]));
  for (gsize i = 0; i < count; i++)
    g_assert_cmpfloat_with_epsilon(values[i], expected[i], 1e-5 * largest);
}

static void assert_shape(const char *file, const char *dataset, int rank, const gint64 *shape,
                         const char *axes) {
  StoreInfo info;
  g_autoptr(StoreFile) store = store_open(file, NULL);
  g_assert_nonnull(store);
  g_assert_true(store_info(store, dataset, &info, NULL));
  g_assert_cmpint(info.rank, ==, rank);
  for (int i = 0; i < rank; i++) g_assert_cmpint(info.shape[i], ==, shape[i]);
  g_autofree char *found = store_read_attr_text(store, dataset, "axes", NULL);
  g_assert_cmpstr(found, ==, axes);
}

static void assert_attribute(const char *file, const char *name, const char *value) {
  g_autoptr(StoreFile) store = store_open(file, NULL);
  g_autofree char *found = store ? store_read_attr_text(store, "/", name, NULL) : NULL;
  g_assert_cmpstr(found, ==, value);
}

/* ---- running it ------------------------------------------------------------------------------ */

static void assert_nothing_hidden(void) {
  GDir *dir = g_dir_open(".", 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir));)
    if (name[0] == '.') g_error("%s was left", name);
  g_dir_close(dir);
}

/* Applies, to o.h5, which was not there; the arguments are separated by blanks. */
static CliResult *apply(const char *arguments) {
  g_autofree char *line = g_strdup_printf("apply %s -o o.h5", arguments);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  cli_remove("o.h5");
  CliResult *result = cli_runv((const char *const *)argv);
  assert_nothing_hidden();
  return result;
}

static void apply_ok(const char *arguments) {
  g_autoptr(CliResult) result = apply(arguments);
  cli_assert_status(result, 0);
}

static void apply_fails(const char *arguments, int status, const char *word) {
  g_autoptr(CliResult) result = apply(arguments);
  cli_assert_status(result, status);
  cli_assert_message(result, 3);
  cli_assert_says(result, word, NULL);
  g_assert_cmpstr(result->out, ==, "");
  g_assert_false(cli_exists("o.h5"));
}

/* ---- roles ----------------------------------------------------------------------------------- */

static void test_encode(void) {
  train_auto_encoder();
  write_samples();
  g_autofree double *x = samples(), *codes = reference_codes(x);
  g_autoptr(CliResult) result = apply("ae --role encode -i x.npy --batch 7");
  cli_assert_status(result, 0);
  g_assert_nonnull(strstr(result->out, "[30, 6]"));
  g_assert_cmpstr(result->err, ==, "");
  assert_near("o.h5", "/encode", codes, ROWS * 6);
  assert_shape("o.h5", "/encode", 2, (gint64[]){ROWS, 6}, "sample code");
  assert_attribute("o.h5", "signal", "encode");
  assert_attribute("o.h5", "default", "encode");
  assert_attribute("o.h5", "role", "encode");
  assert_attribute("o.h5", "model", "auto-encoder");
  assert_attribute("o.h5", "checkpoint", "ae/checkpoints/last.h5");
  assert_attribute("o.h5", "input", "x.npy");
}

/* decode(encode(x)) is reconstruct(x); the codes are read from what encode wrote. */
static void test_decode(void) {
  train_auto_encoder();
  write_samples();
  apply_ok("ae --role encode -i x.npy");
  g_assert_cmpint(g_rename("o.h5", "codes.h5"), ==, 0);
  apply_ok("ae --role decode -i codes.h5");
  g_assert_cmpint(g_rename("o.h5", "decoded.h5"), ==, 0);
  apply_ok("ae -i x.npy");
  gsize count;
  g_autofree double *decoded = cli_tensor("decoded.h5", "/decode", &count);
  assert_near("o.h5", "/reconstruct", decoded, ROWS * PIXELS);
  assert_shape("o.h5", "/reconstruct", 3, (gint64[]){ROWS, 8, 8}, "sample row column");
  assert_shape("decoded.h5", "/decode", 3, (gint64[]){ROWS, 8, 8}, "sample row column");
}

/* The mean squared error of each sample. */
static void test_score(void) {
  train_auto_encoder();
  write_samples();
  apply_ok("ae -i x.npy");
  gsize count;
  g_autofree double *x = samples(), *y = cli_tensor("o.h5", "/reconstruct", &count);
  double expected[ROWS] = {0};
  for (int i = 0; i < ROWS * PIXELS; i++)
    expected[i / PIXELS] += (x[i] - y[i]) * (x[i] - y[i]) / PIXELS;
  apply_ok("ae --role score -i x.npy");
  assert_near("o.h5", "/score", expected, ROWS);
  assert_shape("o.h5", "/score", 1, (gint64[]){ROWS}, "sample");
}

/* Rows of logits to probabilities, in place. */
static void softmax(double *z, gsize rows, gsize classes) {
  for (gsize r = 0; r < rows; r++, z += classes) {
    double sum = 0, most = -INFINITY;
    for (gsize c = 0; c < classes; c++) most = MAX(most, z[c]);
    for (gsize c = 0; c < classes; c++) sum += z[c] = exp(z[c] - most);
    for (gsize c = 0; c < classes; c++) z[c] /= sum;
  }
}

static void test_classify(void) {
  train_classifier();
  write_samples();
  const char *file = "mlp/checkpoints/last.h5";
  g_autofree double *x = samples(), *h = linear(file, "/model/W1", "/model/b1", x, ROWS, 0);
  g_autofree double *p = linear(file, "/model/W2", "/model/b2", h, ROWS, identity_above);
  softmax(p, ROWS, 10);
  apply_ok("mlp -i x.npy");
  assert_near("o.h5", "/classify", p, ROWS * 10);
  gsize count;
  g_autofree double *chosen = cli_tensor("o.h5", "/class", &count);
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < 10; c++)
      g_assert_cmpfloat(p[r * 10 + c], <=, p[r * 10 + (int)chosen[r]] + 1e-6);
}

/* The part of right classes on the test split is the accuracy that evaluate finds. */
static void test_component(void) {
  train_classifier();
  apply_ok("mlp -i digits");
  assert_attribute("o.h5", "input", "digits, split test");
  gsize count;
  g_autofree double *chosen = cli_tensor("o.h5", "/class", &count);
  g_autofree double *labels = cli_tensor("o.h5", "/y", &count);
  double right = 0;
  g_assert_cmpuint(count, ==, 360);
  for (gsize i = 0; i < count; i++) right += chosen[i] == labels[i];
  g_autoptr(CliResult) result = cli_run("evaluate", "mlp", "--json", NULL);
  cli_assert_status(result, 0);
  JsonNode *root = cli_json(result->out);
  double accuracy = cli_json_real(root, "test/accuracy");
  json_node_unref(root);
  g_assert_cmpfloat_with_epsilon(right / (double)count, accuracy, 1e-6);
  apply_ok("mlp -i digits --split train");
  assert_shape("o.h5", "/class", 1, (gint64[]){1437}, "sample");
}

/* The same samples in the same order, whatever the batch; no dropout. */
static void test_batches(void) {
  train_classifier();
  gsize count;
  apply_ok("mlp -i digits --split train --batch 1000000");
  g_autofree double *all = cli_tensor("o.h5", "/classify", &count);
  apply_ok("mlp -i digits --split train --batch 13");
  assert_near("o.h5", "/classify", all, 14370);
}

static void test_json(void) {
  train_auto_encoder();
  write_samples();
  g_autoptr(CliResult) result = apply("ae --role encode -i x.npy --json");
  cli_assert_status(result, 0);
  JsonNode *root = cli_json(result->out);
  JsonObject *object = json_node_get_object(root);
  g_assert_cmpstr(json_object_get_string_member(object, "output"), ==, "o.h5");
  g_assert_cmpstr(json_object_get_string_member(object, "dataset"), ==, "/encode");
  JsonArray *shape = json_object_get_array_member(object, "shape");
  g_assert_cmpint(json_array_get_int_element(shape, 0), ==, ROWS);
  g_assert_cmpint(json_array_get_int_element(shape, 1), ==, 6);
  json_node_unref(root);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* The same numbers in every format give the same codes. */
static void test_formats(void) {
  static const guint8 head[] = {0, 0, 8, 2, 0, 0, 0, ROWS, 0, 0, 0, PIXELS};
  guint8 idx[sizeof head + ROWS * PIXELS];
  train_auto_encoder();
  g_autofree double *x = samples(), *codes = reference_codes(x);
  memcpy(idx, head, sizeof head);
  for (int i = 0; i < ROWS * PIXELS; i++) idx[sizeof head + (gsize)i] = byte_at(i);
  cli_write_bytes("x.idx", idx, sizeof idx);
  write_npy("u1.npy", "|u1", FALSE, "(30, 8, 8)", 1, put_u1);
  write_npy("flat.npy", "<f8", FALSE, "(30, 64)", 8, put_f8);
  write_npy("channel.npy", "<f8", FALSE, "(30, 1, 8, 8)", 8, put_f8);
  write_npy("fortran.npy", "<f8", TRUE, "(30, 64)", 8, put_f8);
  StoreWriter *writer = store_create("x.h5", NULL);
  store_write(writer, "/other", AB_F64, 1, (gint64[]){5}, x, NULL);
  store_write(writer, "/x", AB_F64, 2, (gint64[]){ROWS, PIXELS}, x, NULL);
  g_assert_true(store_commit(writer, NULL));
  static const char *const inputs[] = {"x.idx",       "u1.npy",      "flat.npy",
                                       "channel.npy", "fortran.npy", "x.h5"};
  for (guint i = 0; i < G_N_ELEMENTS(inputs); i++) {
    g_autofree char *line = g_strdup_printf("ae --role encode --batch 8 -i %s", inputs[i]);
    apply_ok(line);
    assert_near("o.h5", "/encode", codes, ROWS * 6);
  }
}

/* --raw leaves bytes as they are, which is said, as it is of a file of such numbers. */
static void test_raw(void) {
  train_auto_encoder();
  write_npy("u1.npy", "|u1", FALSE, "(30, 64)", 1, put_u1);
  write_npy("wide.npy", "<f4", FALSE, "(30, 64)", 4, put_f4_255);
  g_autofree double *x = samples();
  for (int i = 0; i < ROWS * PIXELS; i++) x[i] *= 255;
  g_autofree double *codes = reference_codes(x);
  static const char *const lines[] = {"ae --role encode -i u1.npy --raw",
                                      "ae --role encode -i wide.npy"};
  for (guint i = 0; i < 2; i++) {
    g_autoptr(CliResult) result = apply(lines[i]);
    cli_assert_status(result, 0);
    cli_assert_says(result, "from 0 to 255", NULL);
    assert_near("o.h5", "/encode", codes, ROWS * 6);
  }
}

/* The training data is gone, and its statistics are used. */
static void test_statistics(void) {
  double rows[ROWS * 4];
  for (int i = 0; i < ROWS * 4; i++) rows[i] = 100 * sin(i * 0.7) + 10 * (i % 4);
  cli_mkdir("gone");
  StoreWriter *writer = store_create("gone/x.h5", NULL);
  store_write(writer, "/x", AB_F64, 2, (gint64[]){ROWS, 4}, rows, NULL);
  g_assert_true(store_commit(writer, NULL));
  train("standard",
        "problem: reconstruct\nseed: 5\nepochs: 2\nvalidation: {fraction: 0}\n"
        "data: {plugin: hdf5, file: gone/x.h5, batch: 10, transform: {standardise: true}}\n"
        "model: {plugin: auto-encoder, encoder: {plugin: mlp, units: [3]}, decoder: {plugin: mlp, "
        "units: [3]}}\nloss: {plugin: mse}\noptimizer: {plugin: adam}\n");
  cli_remove("gone");
  double input[8] = {1, 2, 3, 4, -50, 60, -70, 80}, x[8];
  for (int k = 0; k < 4; k++) {
    double mean = 0, square = 0;
    for (int r = 0; r < ROWS; r++) mean += rows[r * 4 + k] / ROWS;
    for (int r = 0; r < ROWS; r++) square += pow(rows[r * 4 + k] - mean, 2) / ROWS;
    for (int r = 0; r < 2; r++) x[r * 4 + k] = (input[r * 4 + k] - mean) / sqrt(square);
  }
  g_autofree double *codes =
      linear("standard/checkpoints/last.h5", "/model/encoder/W1", "/model/encoder/b1", x, 2, 0);
  writer = store_create("two.h5", NULL);
  store_write(writer, "/rows", AB_F64, 2, (gint64[]){2, 4}, input, NULL);
  g_assert_true(store_commit(writer, NULL));
  apply_ok("standard --role encode -i two.h5");
  assert_near("o.h5", "/encode", codes, 6);
  g_autoptr(CliResult) component =
      cli_run("apply", "standard", "--role", "encode", "-i",
              "{plugin: hdf5, file: two.h5, x: rows}", "-o", "o.h5", "--force", NULL);
  cli_assert_status(component, 0);
  assert_near("o.h5", "/encode", codes, 6);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_refused(void) {
  train_auto_encoder();
  train_classifier();
  write_samples();
  write_npy("wrong.npy", "|u1", FALSE, "(30, 2, 32)", 1, put_u1);
  write_npy("single.npy", "|u1", FALSE, "(1920,)", 1, put_u1);
  write_npy("nan.npy", "<f8", FALSE, "(30, 64)", 8, put_nan);
  cli_write("x.csv", "1,2\n");
  cli_write("short.npy", "\x93NUMPY");
  static const struct {
    const char *arguments;
    int status;
    const char *word;
  } rows[] = {
      {"ae -i x.npy --role recontruct", AB_USAGE, "reconstruct"},
      {"ae -i x.npy --role classify", AB_CONFIG, "encode"},
      {"mlp -i x.npy --role decode", AB_CONFIG, "classify"},
      {"ae", AB_USAGE, "--input"},
      {"ae -i x.npy --batch 0", AB_USAGE, "--batch"},
      {"ae -i x.npy --count 3", AB_USAGE, "--count"},
      {"ae -i x.npy --split test", AB_USAGE, "--split"},
      {"ae -i x.npy --dataset x", AB_USAGE, "--dataset"},
      {"ae -i digits --raw", AB_USAGE, "--raw"},
      {"ae -i digits --split tset", AB_USAGE, "test"},
      {"ae -i digits --split validation", AB_CONFIG, "validation"},
      {"ae --role generate --count 3", AB_CONFIG, "generate"},
      {"ae --role generate", AB_USAGE, "--count"},
      {"nowhere -i x.npy", AB_NO_INPUT, "nowhere"},
      {"x.npy -i x.npy", AB_DATA, "x.npy"},
      {"ae -i missing.npy", AB_NO_INPUT, "missing.npy"},
      {"ae -i digitz", AB_UNAVAILABLE, "digits"},
      {"ae -i {plugin:", AB_CONFIG, "--input"},
      {"ae -i x.csv", AB_DATA, "x.csv"},
      {"ae -i short.npy", AB_DATA, "short.npy"},
      {"ae -i ./", AB_IO, "folder"},
      {"ae -i wrong.npy", AB_DATA, "[2, 32]"},
      {"ae -i wrong.npy", AB_DATA, "[8, 8]"},
      {"ae -i single.npy", AB_DATA, "[1]"},
      {"ae --role decode -i x.npy", AB_DATA, "[6]"},
      {"ae -i nan.npy --batch 5", AB_DATA, "row 17"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    apply_fails(rows[i].arguments, rows[i].status, rows[i].word);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void train_text(void) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (int i = 0; i < 400; i++) g_string_append(text, i % 2 ? "ab\n" : "c\xC3\xA9");
  cli_write("a.txt", text->str);
  train(
      "text",
      "problem: predict\nseed: 3\nepochs: 2\ndata: {plugin: text, file: a.txt, length: 9, batch: 20}\n"
      "model: {plugin: transformer, causal: true, width: 8, heads: 2, layers: 1}\n"
      "loss: {plugin: cross-entropy}\noptimizer: {plugin: adam}\nmetrics: [accuracy]\n");
}

/* The characters are those of the classes in the file beside; samples are a line apart. */
static void test_text(void) {
  static const char *const names[] = {"\n", "a", "b", "c", "\xC3\xA9"};
  train_text();
  g_autoptr(CliResult) result = cli_run("apply", "text", "--role", "generate", "--count", "3", "-o",
                                        "text.h5", "--text", "generated.txt", NULL);
  cli_assert_status(result, 0);
  g_assert_nonnull(strstr(result->out, "text  generated.txt"));
  gsize count;
  g_autofree double *classes = cli_tensor("text.h5", "/generate", &count);
  g_assert_cmpuint(count, ==, 3 * 9);
  g_autoptr(GString) expected = g_string_new(NULL);
  for (gsize i = 0; i < count; i++) {
    if (i % 9 == 0 && i > 0) g_string_append_c(expected, '\n');
    g_string_append(expected, names[(int)classes[i]]);
    if (i % 9 == 8) g_string_append_c(expected, '\n');
  }
  g_autofree char *text = cli_read("generated.txt");
  g_assert_cmpstr(text, ==, expected->str);
  g_autoptr(CliResult) printed =
      cli_run("apply", "text", "--role", "generate", "--count", "3", "--text", "-", NULL);
  cli_assert_status(printed, 0);
  g_assert_cmpstr(printed->out, ==, expected->str);
  g_autoptr(CliResult) again = cli_run("apply", "text", "--role", "generate", "--count", "3",
                                       "--text", "generated.txt", NULL);
  cli_assert_status(again, AB_IO);
  cli_assert_says(again, "--force", NULL);
}

/* Labels of a table, a line each; a report knows them too. */
static void test_text_labels(void) {
  cli_write("pets.csv", "weight,pet\n4,cat\n30,dog\n5,cat\n28,dog\n3,cat\n33,dog\n");
  static const char pets[] =
      "problem: classify\nseed: 1\nepochs: 60\nvalidation: {fraction: 0}\n"
      "data: {plugin: csv, file: pets.csv, label: pet, batch: 3, transform: {standardise: true}}\n"
      "model: {plugin: mlp, units: [4]}\noptimizer: {plugin: adam, lr: 0.1}\n";
  train("pets", pets);
  g_autoptr(CliResult) result =
      cli_run("apply", "pets", "-i", "{plugin: csv, file: pets.csv, label: pet}", "--split",
              "train", "--text", "-", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->out, ==, "cat\ndog\ncat\ndog\ncat\ndog\n");
  cli_write("train.yaml", pets);
  g_autoptr(CliResult) tested = cli_run("run", "train.yaml", "--set", "data.test_fraction=0.34",
                                        "--output", "tested", "-q", NULL);
  cli_assert_status(tested, 0);
  g_autoptr(CliResult) made = cli_run("report", "tested", "--output", "pets.html", NULL);
  cli_assert_status(made, 0);
  g_autofree char *page = cli_read("pets.html");
  g_assert_nonnull(strstr(page, "\"names\":[\"cat\",\"dog\"]"));
}

static void test_text_refused(void) {
  train_text();
  train_auto_encoder();
  write_samples();
  static const struct {
    const char *arguments;
    int status;
    const char *word;
  } rows[] = {
      {"ae -i x.npy --text t.txt", AB_CONFIG, "no names"},
      {"text -i '{plugin: text, file: a.txt, length: 9}' --split train --role predict --text t.txt",
       AB_CONFIG, "numbers"},
      {"text --role generate --count 1 --text - --json", AB_USAGE, "--json"},
      {"text --role generate --count 1", AB_USAGE, "--text"},
      {"text --role generate --count 1 -o t.txt --text t.txt", AB_USAGE, "same file"},
      {"text --role generate --count 1 --text nowhere/t.txt", AB_IO, "nowhere"},
      {"text --role generate --count 1 --text text/checkpoints/last.h5 --force", AB_IO, "last.h5"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *line = g_strdup_printf("apply %s", rows[i].arguments);
    g_auto(GStrv) words = NULL;
    g_assert_true(g_shell_parse_argv(line, NULL, &words, NULL));
    g_autoptr(CliResult) result = cli_runv((const char *const *)words);
    cli_assert_status(result, rows[i].status);
    cli_assert_says(result, rows[i].word, NULL);
    g_assert_false(cli_exists("t.txt"));
  }
}

/* ---- the output ------------------------------------------------------------------------------ */

static void test_overwrite(void) {
  train_auto_encoder();
  write_samples();
  write_npy("nan.npy", "<f8", FALSE, "(30, 64)", 8, put_nan);
  cli_write("o.h5", "precious");
  static const char *const inputs[] = {"x.npy", "nan.npy"};
  for (guint i = 0; i < 2; i++) { /* it is there; the input is bad */
    g_autoptr(CliResult) result =
        cli_run("apply", "ae", "-i", inputs[i], "-o", "o.h5", i ? "--force" : NULL, NULL);
    cli_assert_status(result, i ? AB_DATA : AB_IO);
    g_autofree char *text = cli_read("o.h5");
    g_assert_cmpstr(text, ==, "precious");
    assert_nothing_hidden();
  }
  g_autoptr(CliResult) forced =
      cli_run("apply", "ae", "-i", "x.npy", "-o", "o.h5", "--force", NULL);
  cli_assert_status(forced, 0);
  assert_shape("o.h5", "/reconstruct", 3, (gint64[]){ROWS, 8, 8}, "sample row column");
}

/* Not even by force. */
static void test_own_files(void) {
  train_auto_encoder();
  write_samples();
  static const char *const outputs[] = {"x.npy", "ae/checkpoints/last.h5"};
  for (guint i = 0; i < 2; i++) {
    g_autoptr(CliResult) result =
        cli_run("apply", "ae", "-i", "x.npy", "-o", outputs[i], "--force", NULL);
    cli_assert_status(result, AB_IO);
    cli_assert_says(result, outputs[i], NULL);
  }
  cli_assert_opens("ae/checkpoints/last.h5");
}

/* A file of zeros with holes: it takes no room. */
static void write_large(gint64 rows) {
  g_autofree char *header = g_strdup_printf(
      "{'descr': '|u1', 'fortran_order': False, 'shape': (%" G_GINT64_FORMAT ", 64), }", rows);
  g_autofree char *text = g_strdup_printf("\x93NUMPY\x01 %c %s", (int)strlen(header), header);
  gsize size = 10 + strlen(header);
  text[7] = text[9] = 0;
  cli_write_bytes("large.npy", text, size);
  g_assert_cmpint(truncate("large.npy", (off_t)((gint64)size + rows * 64)), ==, 0);
}

static void test_stopped(void) {
  train_auto_encoder();
  write_large(4000000);
  cli_remove("o.h5");
  CliChild *child = cli_start("apply", "ae", "-i", "large.npy", "-o", "o.h5", "--batch", "4", NULL);
  g_usleep(cli_sanitized() ? 5 * G_USEC_PER_SEC : G_USEC_PER_SEC);
  cli_signal(child, SIGTERM);
  g_autoptr(CliResult) result = cli_wait(child);
  cli_assert_status(result, AB_STOPPED);
  cli_assert_message(result, 2);
  g_assert_false(cli_exists("o.h5"));
  assert_nothing_hidden();
}

static void test_disk_full(void) {
  train_auto_encoder();
  write_large(100000);
  cli_remove("o.h5");
  g_autoptr(CliResult) result =
      cli_run_limited(1 << 20, "apply", "ae", "-i", "large.npy", "-o", "o.h5", NULL);
  cli_assert_status(result, AB_IO);
  cli_assert_message(result, 3);
  g_assert_false(cli_exists("o.h5"));
  assert_nothing_hidden();
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/cli/apply/encode", test_encode);
  g_test_add_func("/cli/apply/decode", test_decode);
  g_test_add_func("/cli/apply/score", test_score);
  g_test_add_func("/cli/apply/classify", test_classify);
  g_test_add_func("/cli/apply/component", test_component);
  g_test_add_func("/cli/apply/batches", test_batches);
  g_test_add_func("/cli/apply/json", test_json);
  g_test_add_func("/cli/apply/formats", test_formats);
  g_test_add_func("/cli/apply/raw", test_raw);
  g_test_add_func("/cli/apply/statistics", test_statistics);
  g_test_add_func("/cli/apply/refused", test_refused);
  g_test_add_func("/cli/apply/text", test_text);
  g_test_add_func("/cli/apply/text-labels", test_text_labels);
  g_test_add_func("/cli/apply/text-refused", test_text_refused);
  g_test_add_func("/cli/apply/overwrite", test_overwrite);
  g_test_add_func("/cli/apply/own-files", test_own_files);
  g_test_add_func("/cli/apply/stopped", test_stopped);
  g_test_add_func("/cli/apply/disk-full", test_disk_full);
  return cli_finish();
}
