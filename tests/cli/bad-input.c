/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with manifests, data, plugins, folders, disks and checkpoints gets the exit status
 * it should have and a message that names the thing, the place and the way out. Nothing is lost. */
#include "cli-test.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define WORDS 8

/* ---- manifests ----------------------------------------------------------------------------- */

typedef struct {
  const char *name, *manifest;
  int status;
  guint errors; /* each gets 1 to 3 lines */
  const char *words[WORDS];
} Bad;

#define DIGITS   "data: {plugin: digits}\n"
#define CLASSIFY "problem: classify\n" DIGITS "model: {plugin: mlp}\n"
#define ENCODER  "model: {plugin: auto-encoder, encoder: mlp, decoder: mlp}\n"

static const Bad manifests[] = {
    {"syntax", "problem: classify\ndata: {plugin: digits\nmodel: x\n", 78, 1, {"bad.yaml:3:6"}},
    {"tab", "problem: classify\n\tdata: x\n", 78, 1, {"bad.yaml:2:1", "tab"}},
    {"empty", "", 78, 3, {"bad.yaml:1:1", "problem is missing", "no data", "no model"}},
    {"scalar", "hello\n", 78, 1, {"bad.yaml:1:1", "mapping", "problem"}},
    {"sequence", "[a, b]\n", 78, 1, {"bad.yaml:1:1", "mapping"}},
    {"no-text", "problem: classify\n\001\n", 78, 1, {"bad.yaml"}},
    {"two-documents", CLASSIFY "---\nproblem: encode\n", 78, 1, {"bad.yaml:"}},
    {"duplicate", CLASSIFY "problem: encode\n", 78, 1, {"bad.yaml:4:1", "duplicate", "line 1"}},
    {"duplicate-below",
     "problem: classify\ndata: {plugin: digits, batch: 5, batch: 6}\nmodel: mlp\n",
     78,
     1,
     {"bad.yaml:2:34", "duplicate", "'batch'"}},
    {"key",
     CLASSIFY "optimiser: {plugin: adam}\n",
     78,
     1,
     {"bad.yaml:4:1", "did you mean 'optimizer'?"}},
    {"plugin",
     "problem: classify\n" DIGITS "model: {plugin: mpl}\n",
     69,
     1,
     {"bad.yaml:3:17", "no model 'mpl'", "did you mean 'mlp'?"}},
    {"plugin-far",
     "problem: classify\n" DIGITS "model: {plugin: automaton}\n",
     69,
     1,
     {"bad.yaml:3:17", "no model 'automaton'", "installed: ", "mlp"}},
    {"other-kind",
     "problem: classify\ndata: mlp\nmodel: mlp\n",
     69,
     1,
     {"bad.yaml:2:7", "no data 'mlp'", "kind model"}},
    {"no-plugin",
     "problem: classify\n" DIGITS "model: {units: [3]}\n",
     78,
     1,
     {"bad.yaml:3:8", "no plugin", "mlp"}},
    {"parameter",
     "problem: classify\n" DIGITS "model: {plugin: mlp, unit: [3]}\n",
     78,
     1,
     {"bad.yaml:3:22", "model mlp", "'unit'", "did you mean 'units'?"}},
    {"problem",
     "problem: clasify\n" DIGITS "model: mlp\n",
     78,
     1,
     {"bad.yaml:1:10", "did you mean 'classify'?", "reconstruct"}},
    {"no-problem", DIGITS "model: mlp\n", 78, 1, {"bad.yaml:1:1", "problem is missing"}},
    {"no-data",
     "problem: classify\nmodel: mlp\n",
     78,
     1,
     {"bad.yaml:1:1", "no data", "abhost list data"}},
    {"no-model",
     "problem: classify\n" DIGITS,
     78,
     1,
     {"bad.yaml:1:1", "no model", "abhost list model"}},
    {"choice",
     "problem: classify\n" DIGITS "model: {plugin: mlp, activation: rleu}\n",
     78,
     1,
     {"bad.yaml:3:34", "activation", "did you mean 'relu'?", "softplus"}},
    {"range",
     CLASSIFY "optimizer: {plugin: adam, lr: -1}\n",
     78,
     1,
     {"bad.yaml:4:31", "optimizer adam", "lr is -1", "0 to 1000000"}},
    {"huge-rate",
     CLASSIFY "optimizer: {lr: 1e30}\n",
     78,
     1,
     {"bad.yaml:4:17", "1e+30", "0 to 1000000"}},
    {"nan", CLASSIFY "optimizer: {lr: .nan}\n", 78, 1, {"bad.yaml:4:17", "'.nan'", "finite"}},
    {"seed", CLASSIFY "seed: -4\n", 78, 1, {"bad.yaml:4:7", "seed is -4", "at least 0"}},
    {"overflow", CLASSIFY "seed: 99999999999999999999\n", 78, 1, {"bad.yaml:4:7", "out of range"}},
    {"integer",
     CLASSIFY "epochs: many\n",
     78,
     1,
     {"bad.yaml:4:9", "epochs", "'many' is no integer"}},
    {"list",
     "problem: classify\n" DIGITS "model: {plugin: mlp, units: 3}\n",
     78,
     1,
     {"bad.yaml:3:29", "units", "[ ... ]"}},
    {"list-item",
     "problem: classify\n" DIGITS "model: {plugin: mlp, units: [4, b]}\n",
     78,
     1,
     {"bad.yaml:3:33", "units[1]", "'b' is no integer"}},
    {"section", CLASSIFY "checkpoint: 5\n", 78, 1, {"bad.yaml:4:13", "checkpoint", "mapping"}},
    {"required",
     "problem: classify\ndata: {plugin: idx}\nmodel: mlp\n",
     78,
     1,
     {"bad.yaml:2:7", "data idx", "folder is missing"}},
    {"several",
     "problem: clasify\ndata: {plugin: digit}\nmodel: {plugin: mlp, units: [0], activation: "
     "rleu}\nepochs: -1\nsead: 4\n",
     78,
     6,
     {"bad.yaml:1:10", "bad.yaml:2:16", "bad.yaml:3:30", "bad.yaml:3:46", "bad.yaml:4:9",
      "bad.yaml:5:1"}},
    {"role",
     "problem: classify\n" DIGITS "model: {plugin: rbm}\n",
     78,
     1,
     {"bad.yaml:3:17", "rbm does not offer classify", "mlp"}},
    {"slot",
     "problem: reconstruct\n" DIGITS
     "model: {plugin: auto-encoder, encoder: mlp, decoder: {plugin: auto-encoder, encoder: mlp, "
     "decoder: mse}}\n",
     69,
     1,
     {"bad.yaml:3:100", "no model 'mse'", "kind loss"}},
    {"slot-missing",
     "problem: reconstruct\n" DIGITS "model: {plugin: auto-encoder, encoder: mlp}\n",
     78,
     1,
     {"bad.yaml:3:8", "decoder is missing", "installed: ", "mlp"}},
    {"loss", CLASSIFY "loss: mse\n", 78, 1, {"loss (mse)", "class", "cross-entropy"}},
    {"loss-of-numbers",
     "problem: reconstruct\n" DIGITS ENCODER "loss: cross-entropy\n",
     78,
     1,
     {"loss (cross-entropy)", "mse"}},
    {"loss-range",
     "problem: reconstruct\ndata: {plugin: digits, transform: {standardise: true}}\n" ENCODER
     "loss: binary-cross-entropy\n",
     78,
     1,
     {"binary-cross-entropy", "between 0 and 1", "data.transform"}},
    {"metric",
     "problem: reconstruct\n" DIGITS ENCODER "metrics: [accuracy]\n",
     78,
     1,
     {"metrics/0 (accuracy)", "mse"}},
    {"metric-name",
     CLASSIFY "metrics: [acuracy]\n",
     69,
     1,
     {"bad.yaml:4:11", "did you mean 'accuracy'?"}},
    {"best",
     CLASSIFY "checkpoint: {best: mse}\n",
     78,
     1,
     {"bad.yaml:4:20", "no metric 'mse'", "accuracy"}},
    {"no-target",
     "problem: encode\n" DIGITS "model: mlp\n",
     78,
     1,
     {"bad.yaml:3:8", "mlp", "encode", "--role"}},
    {"no-labels",
     "problem: classify\ndata: {plugin: csv, file: numbers.csv, batch: 2}\nmodel: mlp\n",
     78,
     1,
     {"data csv", "no y", "classify"}},
    {"classes",
     "problem: predict\n" DIGITS "model: mlp\n",
     78,
     1,
     {"data digits", "class", "classify"}},
    {"batch",
     "problem: classify\ndata: {plugin: digits, batch: 5000}\nmodel: mlp\n",
     78,
     1,
     {"data.batch is 5000", "1294", "smaller"}},
    {"fraction",
     CLASSIFY "validation: {fraction: 0}\nstop: {patience: 3}\n",
     78,
     1,
     {"stop.patience", "validation.fraction"}},
    {"freeze", CLASSIFY "freeze: [model/W9]\n", 78, 1, {"freeze", "'model/W9'", "abhost check"}},
    {"groups",
     CLASSIFY "optimizer: {plugin: adam, groups: [{match: model/W9, rate: 0}]}\n",
     78,
     1,
     {"optimizer.groups", "'model/W9'", "abhost check"}},
    {"groups-match",
     CLASSIFY "optimizer: {plugin: adam, groups: [{rate: 0}]}\n",
     78,
     1,
     {"bad.yaml:4:36", "groups[0]", "match is missing"}},
    {"reshape",
     "problem: classify\ndata: {plugin: digits, transform: {reshape: [5, 5]}}\nmodel: mlp\n",
     78,
     1,
     {"data.transform.reshape", "[5, 5]", "64"}},
    {"scale",
     "problem: classify\ndata: {plugin: digits, transform: {scale: [1]}}\nmodel: mlp\n",
     78,
     1,
     {"data.transform.scale", "[0, 1]"}},
    {"flip",
     "problem: classify\ndata: {plugin: spiral, transform: {flip: true}}\nmodel: mlp\n",
     78,
     1,
     {"data.transform", "images", "[2]"}},
    {"binary-data",
     "problem: reconstruct\ndata: {plugin: digits, transform: {standardise: true}}\nmodel: "
     "{plugin: rbm, visible: bernoulli}\n",
     78,
     1,
     {"model (rbm)", "0 to 1", "gaussian"}},
    {"tied",
     "problem: reconstruct\n" DIGITS
     "model: {plugin: auto-encoder, tied: true, encoder: {plugin: mlp, units: [7]}, decoder: "
     "{plugin: mlp, units: [5]}}\n",
     78,
     1,
     {"model/decoder", "W1", "tied", "mirror"}},
    {"device", CLASSIFY "device: cuda\n", 78, 1, {"bad.yaml:4:9", "'cuda'", "cpu", "reference"}},
    {"map",
     CLASSIFY "init: {from: x.h5, map: 3}\n",
     78,
     1,
     {"bad.yaml:4:25", "init.map", "{model/encoder: model}"}},
};

static void assert_bad(const Bad *self, const CliResult *result) {
  cli_assert_status(result, self->status);
  for (guint i = 0; i < WORDS && self->words[i]; i++) cli_assert_says(result, self->words[i], NULL);
  cli_assert_message(result, 3 * self->errors);
  g_assert_cmpstr(result->out, ==, "");
}

/* `check` and `run` say the same, and nothing is made. */
static void test_manifest(gconstpointer data) {
  const Bad *self = data;
  cli_write("numbers.csv", "a,b\n1,2\n3,4\n5,6\n7,8\n");
  cli_write("bad.yaml", self->manifest);
  g_autoptr(CliResult) checked = cli_run("check", "bad.yaml", NULL);
  g_autoptr(CliResult) result = cli_run("run", "bad.yaml", "--output", "out", NULL);
  assert_bad(self, checked);
  assert_bad(self, result);
  g_assert_cmpstr(checked->err, ==, result->err);
  g_assert_false(cli_exists("out"));
}

/* ---- arguments ----------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *arguments[7];
  int status;
  const char *words[WORDS];
} BadArguments;

static const BadArguments arguments[] = {
    {"no-manifest", {"run", "nope.yaml"}, 66, {"nope.yaml", "No such file"}},
    {"folder", {"run", "."}, 66, {".", "directory"}},
    {"set-key",
     {"run", "good.yaml", "--set", "model.unitz=[3]"},
     78,
     {"--set model.unitz", "did you mean 'units'?"}},
    {"set-scalar", {"run", "good.yaml", "--set", "seed.x=3"}, 78, {"--set seed.x", "seed"}},
    {"set-no-value", {"run", "good.yaml", "--set", "model"}, 64, {"--set", "key.path=value"}},
    {"set-syntax", {"run", "good.yaml", "--set", "model={"}, 78, {"--set model"}},
    {"set-range", {"run", "good.yaml", "--set", "epochs=-1"}, 78, {"--set epochs", "0 to"}},
    {"candidate",
     {"run", "good.yaml", "--candidate", "widr"},
     64,
     {"good.yaml", "'widr'", "did you mean 'wide'?"}},
    {"epochs", {"run", "good.yaml", "--epochs", "x"}, 64, {"--epochs", "abhost run --help"}},
    {"negative", {"run", "good.yaml", "--seed", "-3"}, 64, {"--seed"}},
    {"two", {"run", "good.yaml", "good.yaml"}, 64, {"good.yaml", "too many"}},
    {"none", {"run"}, 64, {"MANIFEST", "abhost run --help"}},
    {"output-is-file",
     {"run", "good.yaml", "--output", "good.yaml"},
     74,
     {"good.yaml", "--output"}},
    {"output-below-file",
     {"run", "good.yaml", "--output", "good.yaml/x"},
     74,
     {"good.yaml/x", "--output"}},
    {"output-unwritable",
     {"run", "good.yaml", "--output", "/proc/abhost"},
     74,
     {"/proc/abhost", "--output"}},
    {"plugin-path",
     {"run", "good.yaml", "--plugin-path", "nowhere"},
     69,
     {"nowhere", "--plugin-path"}},
    {"plugin-path-list", {"list", "--plugin-path", "nowhere"}, 69, {"nowhere", "--plugin-path"}},
    {"plugin-path-file",
     {"list", "--plugin-path", "good.yaml"},
     69,
     {"good.yaml", "--plugin-path"}},
    {"resume-nothing", {"resume", "nowhere"}, 66, {"nowhere", "run folder"}},
    {"resume-file", {"resume", "good.yaml"}, 66, {"good.yaml", "run folder"}},
    {"resume-folder", {"resume", "."}, 66, {"run folder", "checkpoints/last.h5"}},
    {"evaluate-nothing", {"evaluate", "nowhere"}, 66, {"nowhere"}},
    {"evaluate-folder", {"evaluate", "."}, 66, {"run folder", "checkpoints/last.h5"}},
    {"evaluate-garbage", {"evaluate", "good.yaml"}, 65, {"good.yaml", "no HDF5 file"}},
    {"evaluate-empty", {"evaluate", "empty.h5"}, 65, {"empty.h5", "0 bytes"}},
    {"inspect", {"inspect", "mpl"}, 69, {"'mpl'", "did you mean 'mlp'?"}},
};

static const char good[] = CLASSIFY "epochs: 1\ncandidates: {wide: {model: {plugin: mlp, units: "
                                    "[256]}}}\n";

static void test_arguments(gconstpointer data) {
  const BadArguments *self = data;
  cli_write("good.yaml", good);
  cli_write("empty.h5", "");
  g_autoptr(CliResult) result = cli_runv(self->arguments);
  cli_assert_status(result, self->status);
  for (guint i = 0; i < WORDS && self->words[i]; i++) cli_assert_says(result, self->words[i], NULL);
  cli_assert_message(result, 3);
  g_assert_cmpstr(result->out, ==, "");
  g_autofree char *kept = cli_read("good.yaml");
  g_assert_cmpstr(kept, ==, good);
  g_assert_false(cli_exists("runs"));
}

/* ---- files of data ------------------------------------------------------------------------- */

typedef struct {
  const char *name, *file, *content;
  gsize size; /* 0: a text */
  const char *set;
  int status;
  const char *words[WORDS];
} BadFile;

#define CSV \
  "problem: classify\nmodel: {plugin: mlp, units: [4]}\ndata: {plugin: csv, file: t.csv, label: c, batch: 2}\n"
#define IDX \
  "problem: classify\nmodel: {plugin: mlp, units: [4]}\ndata: {plugin: idx, folder: idx, batch: 2, test_images: ''}\n"
#define HDF5 \
  "problem: reconstruct\nmodel: {plugin: rbm, hidden: 4}\ndata: {plugin: hdf5, file: t.h5, batch: 2}\n"
#define BYTES(text) text, sizeof text - 1

static const BadFile csv_files[] = {
    {"label",
     "t.csv",
     "a,b,c\n1,2,x\n3,4,y\n",
     0,
     "data.label=d",
     78,
     {"t.csv", "'d'", "'a', 'b', 'c'"}},
    {"ragged",
     "t.csv",
     "a,b,c\n1,2,x\n3,4\n1,2,x\n",
     0,
     "seed=0",
     65,
     {"t.csv:3", "3 cells", "found 2"}},
    {"nan",
     "t.csv",
     "a,b,c\n1,2,x\n3,nan,y\n1,2,x\n",
     0,
     "seed=0",
     65,
     {"t.csv:3", "'b'", "'nan'", "missing: mean"}},
    {"missing",
     "t.csv",
     "a,b,c\n1,2,x\n3,,y\n1,2,x\n",
     0,
     "seed=0",
     65,
     {"t.csv:3", "'b'", "missing: mean"}},
    {"infinite", "t.csv", "a,b,c\n1,2,x\n3,inf,y\n1,2,x\n", 0, "seed=0", 65, {"t.csv:3", "inf"}},
    {"text",
     "t.csv",
     "a,b,c\n1,2,x\n3,foo,y\n1,2,x\n",
     0,
     "seed=0",
     65,
     {"t.csv:3", "'b'", "'foo' is no number"}},
    {"empty", "t.csv", "", 0, "seed=0", 65, {"t.csv", "empty"}},
    {"quote", "t.csv", "a,b,c\n1,2,\"x\n3,4,y\n", 0, "seed=0", 65, {"t.csv:2", "quote"}},
    {"binary", "t.csv", BYTES("a,b,c\n1,\0002,x\n"), "seed=0", 65, {"t.csv:2", "NUL"}},
    {"gone", "other.csv", "a\n", 0, "seed=0", 66, {"t.csv", "No such file"}},
};
static const BadFile idx_files[] = {
    {"images-truncated",
     "idx/train-images-idx3-ubyte",
     BYTES("\0\0\10\3\0\0\0\4\0\0\0\2\0\0\0\2abcd"),
     "seed=0",
     65,
     {"train-images-idx3-ubyte", "32 bytes", "found 20"}},
    {"magic",
     "idx/train-images-idx3-ubyte",
     "garbage garbage",
     0,
     "seed=0",
     65,
     {"train-images-idx3-ubyte", "no IDX file"}},
    {"huge",
     "idx/train-images-idx3-ubyte",
     BYTES("\0\0\10\3\377\377\377\377\0\0\0\2\0\0\0\2abcd"),
     "seed=0",
     65,
     {"train-images-idx3-ubyte", "4294967295"}},
    {"labels-short",
     "idx/train-labels-idx1-ubyte",
     BYTES("\0\0\10\1\0\0\0\3\0\1\0"),
     "seed=0",
     65,
     {"train-labels-idx1-ubyte", "3 labels", "4 samples"}},
    {"label",
     "idx/train-labels-idx1-ubyte",
     BYTES("\0\0\10\1\0\0\0\4\0\1\0\11"),
     "data.classes=2",
     65,
     {"train-labels-idx1-ubyte", "label 9", "sample 3", "classes"}},
    {"zipped",
     "idx/train-images-idx3-ubyte",
     BYTES("\37\213\10\0garbage"),
     "seed=0",
     65,
     {"train-images-idx3-ubyte", "damaged"}},
    {"folder",
     "idx/train-images-idx3-ubyte",
     "",
     0,
     "data.folder=elsewhere",
     66,
     {"elsewhere", "data.folder"}},
};
static const BadFile hdf5_files[] = {
    {"garbage",
     "t.h5",
     "no HDF5 at all, but a line of text",
     0,
     "seed=0",
     65,
     {"t.h5", "no HDF5 file"}},
    {"dataset", "other.h5", "x", 0, "data.x=nope", 65, {"'nope'", "t.h5", "h5ls"}},
    {"gone", "other.h5", "x", 0, "data.file=gone.h5", 66, {"gone.h5", "No such file"}},
};

static void run_bad(const BadFile *self, const char *manifest) {
  cli_write("data.yaml", manifest);
  g_autoptr(CliResult) result =
      cli_run("run", "data.yaml", "--set", self->set, "--output", "out", NULL);
  cli_assert_status(result, self->status);
  for (guint i = 0; i < WORDS && self->words[i]; i++) cli_assert_says(result, self->words[i], NULL);
  cli_assert_message(result, 3);
  g_assert_false(cli_exists("out"));
}

static void place(const BadFile *self) {
  cli_write_bytes(self->file, self->content, self->size ? self->size : strlen(self->content));
}

static void test_csv(gconstpointer data) {
  g_unlink("t.csv");
  place(data);
  run_bad(data, CSV);
}

static void test_idx(gconstpointer data) {
  cli_mkdir("idx");
  cli_write_bytes("idx/train-images-idx3-ubyte",
                  BYTES("\0\0\10\3\0\0\0\4\0\0\0\2\0\0\0\2abcdabcdabcdabcd"));
  cli_write_bytes("idx/train-labels-idx1-ubyte", BYTES("\0\0\10\1\0\0\0\4\0\1\0\1"));
  place(data);
  run_bad(data, IDX);
}

/* The digits that are shipped, from the sources. */
static char *digits_file(gsize *size) {
  g_autofree char *path =
      g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "plugins/data/digits/digits.h5", NULL);
  char *bytes;
  g_assert_true(g_file_get_contents(path, &bytes, size, NULL));
  return bytes;
}

static void test_hdf5(gconstpointer data) {
  gsize size;
  g_autofree char *bytes = digits_file(&size);
  cli_write_bytes("t.h5", bytes, size);
  place(data);
  run_bad(data, HDF5);
}

static void test_hdf5_truncated(void) {
  gsize size;
  g_autofree char *bytes = digits_file(&size);
  const BadFile cut = {"", "", "", 0, "seed=0", 65, {"t.h5", "cut short"}};
  cli_write_bytes("t.h5", bytes, size / 3);
  run_bad(&cut, HDF5);
}

/* Found only when its rows are read, in the first epoch: the checkpoint of step 0 stands. */
static void test_hdf5_corrupt(void) {
  gsize size;
  g_autofree char *bytes = digits_file(&size);
  bytes[size / 2] ^= 0x55;
  cli_write_bytes("t.h5", bytes, size);
  cli_write("data.yaml", HDF5);
  g_autoptr(CliResult) result = cli_run("run", "data.yaml", "--output", "corrupt", "-q", NULL);
  cli_assert_status(result, AB_DATA);
  cli_assert_says(result, "t.h5", "damaged", "corrupt/checkpoints/last.h5", NULL);
  cli_assert_message(result, 3);
  cli_assert_opens("corrupt/checkpoints/last.h5");
}

static void test_hdf5_nan(void) {
  g_autoptr(GError) error = NULL;
  float rows[12] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11};
  const gint64 shape[2] = {6, 2};
  rows[8] = __builtin_nanf("");
  StoreWriter *writer = store_create("t.h5", &error);
  store_write(writer, "/x", AB_F32, 2, shape, rows, NULL);
  g_assert_true(store_commit(writer, &error));
  cli_write("data.yaml", HDF5);
  g_autoptr(CliResult) result = cli_run("run", "data.yaml", "--output", "nan", "-q", NULL);
  cli_assert_status(result, AB_DATA);
  cli_assert_says(result, "NaN", "x of", "t.h5", "feature 0", NULL);
  cli_assert_message(result, 4);
}

/* ---- plugins ------------------------------------------------------------------------------- */

static void test_no_plugin(void) {
  cli_mkdir("plugged");
  cli_write("plugged/model-thing.so", "no shared object");
  g_assert_cmpint(symlink("nowhere", "plugged/dangling.so"), ==, 0);
  g_autoptr(CliResult) listed = cli_run("list", "--plugin-path", "plugged", NULL);
  cli_assert_status(listed, 0);
  cli_assert_says(listed, "plugged/model-thing.so: refused", "plugged/dangling.so: refused", NULL);
  cli_assert_message(listed, 2);
  g_assert_nonnull(strstr(listed->out, "auto-encoder"));
  cli_write("thing.yaml", "problem: classify\n" DIGITS "model: thing\n");
  g_autoptr(CliResult) named = cli_run("run", "thing.yaml", "--plugin-path", "plugged", NULL);
  cli_assert_status(named, AB_UNAVAILABLE);
  cli_assert_says(named, "thing.yaml:3:8", "no model 'thing'", "model-thing.so", NULL);
  /* what does not name it does not care */
  cli_write("good.yaml", good);
  g_autoptr(CliResult) other =
      cli_run("run", "good.yaml", "--plugin-path", "plugged", "--output", "unplugged", "-q", NULL);
  cli_assert_status(other, 0);
  g_assert_cmpstr(other->err, ==, "");
}

static void test_no_plugins_at_all(void) {
  cli_mkdir("nothing");
  cli_write("good.yaml", good);
  g_autofree char *path = g_strdup(g_getenv("ABHOST_PLUGIN_PATH"));
  g_setenv("ABHOST_PLUGIN_PATH", "", TRUE);
  g_autoptr(CliResult) result = cli_run("run", "good.yaml", "--plugin-path", "nothing", NULL);
  g_setenv("ABHOST_PLUGIN_PATH", path, TRUE);
  cli_assert_status(result, AB_UNAVAILABLE);
  cli_assert_says(result, "no plugin is installed", "nothing", "--plugin-path", NULL);
}

/* ---- a full disk --------------------------------------------------------------------------- */

/* Later checkpoints are larger than the first, as the optimizer then has its moments. */
static const char growing[] = "problem: classify\n" DIGITS "model: {plugin: mlp, units: [400]}\n"
                              "epochs: 3\noptimizer: adam\n";

static void assert_full(const CliResult *result, const char *run) {
  g_autofree char *last = g_build_filename(run, "checkpoints", "last.h5", NULL);
  cli_assert_status(result, AB_IO);
  cli_assert_says(result, run, "last.h5", NULL);
  cli_assert_message(result, 4);
  cli_assert_opens(last);
  cli_assert_no_temporaries(run);
}

static void test_file_limit(void) {
  cli_write("growing.yaml", growing);
  g_autoptr(CliResult) result =
      cli_run_limited(250000, "run", "growing.yaml", "--output", "limited", "-q", NULL);
  assert_full(result, "limited");
  g_autoptr(CliResult) again = cli_run("resume", "limited", "-q", NULL);
  cli_assert_status(again, 0);
  g_autoptr(CliResult) whole = cli_run("run", "growing.yaml", "--output", "roomy", "-q", NULL);
  cli_assert_status(whole, 0);
  g_assert_true(
      cli_same_tensors("limited/checkpoints/last.h5", "roomy/checkpoints/last.h5", "/model"));
  g_autofree char *metrics = cli_metrics("limited"), *others = cli_metrics("roomy");
  g_assert_cmpstr(metrics, ==, others);
}

/* Not even the first checkpoint finds room. */
static void test_no_room(void) {
  cli_write("growing.yaml", growing);
  g_autoptr(CliResult) result =
      cli_run_limited(20000, "run", "growing.yaml", "--output", "tiny", "-q", NULL);
  cli_assert_status(result, AB_IO);
  cli_assert_says(result, "tiny/checkpoints/step-0.h5", NULL);
  cli_assert_message(result, 3);
  cli_assert_no_temporaries("tiny");
  g_assert_false(cli_exists("tiny/checkpoints/last.h5"));
}

/* A file system of our own, in a mount namespace of our own: gone with this process. */
static gboolean mount_small(const char *folder) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("small", folder, "tmpfs", 0, "size=400k") == 0;
}

static void test_full_disk(void) {
  cli_mkdir("disk");
  if (!mount_small("disk")) {
    g_test_skip("a small tmpfs cannot be mounted (not root); a limit on file sizes stands in");
    return;
  }
  cli_write("growing.yaml", growing);
  g_autoptr(CliResult) result = cli_run("run", "growing.yaml", "--output", "disk/run", "-q", NULL);
  assert_full(result, "disk/run");
  g_assert_cmpint(umount("disk"), ==, 0);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static const char rbm[] =
    "problem: reconstruct\n" DIGITS "model: {plugin: rbm, hidden: 5}\nepochs: 1\n";

static void make_run(const char *manifest, const char *name) {
  g_autofree char *file = g_strconcat(name, ".yaml", NULL);
  cli_write(file, manifest);
  cli_remove(name);
  g_autoptr(CliResult) result = cli_run("run", file, "--output", name, "-q", NULL);
  cli_assert_status(result, 0);
}

static void test_init(void) {
  static const struct {
    const char *set;
    int status;
    const char *words[4];
  } tries[] = {
      {"init.from=classifier/checkpoints/last.h5",
       65,
       {"init", "classifier/checkpoints/last.h5", "model mlp", "init.map"}},
      {"init.from=narrow/checkpoints/last.h5",
       65,
       {"model/W", "[64, 5]", "[64, 7]", "another model"}},
      {"init.from=nowhere.h5", 66, {"nowhere.h5"}},
      {"init.from=wide.yaml", 65, {"wide.yaml", "no HDF5 file"}},
      {"init.from=digits.h5", 65, {"digits.h5", "no checkpoint"}},
      {"init.from=cut.h5", 65, {"cut.h5", "cut short"}},
  };
  gsize size;
  g_autofree char *digits = digits_file(&size);
  cli_write_bytes("digits.h5", digits, size);
  make_run(CLASSIFY "epochs: 1\n", "classifier");
  make_run(rbm, "narrow");
  g_autofree char *bytes = NULL;
  g_assert_true(g_file_get_contents("narrow/checkpoints/last.h5", &bytes, &size, NULL));
  cli_write_bytes("cut.h5", bytes, size / 2);
  cli_write("wide.yaml", "problem: reconstruct\n" DIGITS "model: {plugin: rbm, hidden: 7}\n");
  for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
    g_autoptr(CliResult) result =
        cli_run("run", "wide.yaml", "--set", tries[i].set, "--output", "out", NULL);
    cli_assert_status(result, tries[i].status);
    for (guint j = 0; j < 4 && tries[i].words[j]; j++)
      cli_assert_says(result, tries[i].words[j], NULL);
    cli_assert_message(result, 3);
    g_assert_false(cli_exists("out"));
  }
}

static void assert_refuses(const char *run, const char *word, const char *other) {
  g_autofree char *path = g_build_filename(run, "metrics.jsonl", NULL);
  g_autofree char *before = cli_read(path);
  g_autoptr(CliResult) result = cli_run("resume", run, NULL);
  cli_assert_status(result, AB_DATA);
  cli_assert_says(result, word, other, NULL);
  cli_assert_message(result, 3);
  g_autofree char *after = cli_read(path);
  g_assert_cmpstr(after, ==, before);
}

static void test_resume_altered(void) {
  make_run(rbm, "narrow");
  make_run(CLASSIFY "epochs: 2\n", "mixed");
  cli_copy("mixed/checkpoints/last.h5", "mine.h5");
  cli_copy("narrow/checkpoints/last.h5", "mixed/checkpoints/last.h5");
  assert_refuses("mixed", "mixed/manifest.yaml", "init.from");
  cli_copy("mine.h5", "mixed/checkpoints/last.h5");
  cli_copy("mixed/metrics.jsonl", "lines");
  cli_write("mixed/metrics.jsonl", "{\"event\":\"epoch\"}\n");
  assert_refuses("mixed", "mixed/metrics.jsonl", "take it away");
  cli_copy("lines", "mixed/metrics.jsonl");
  g_autoptr(CliResult) result = cli_run("resume", "mixed", "-q", NULL);
  cli_assert_status(result, 0);
  g_unlink("mixed/metrics.jsonl");
  for (int i = 0; i < 2; i++) { /* twice: the new file is what the next one goes on from */
    g_autofree char *epochs = g_strdup_printf("%d", 3 + i);
    g_autoptr(CliResult) again = cli_run("resume", "mixed", "--epochs", epochs, "-q", NULL);
    cli_assert_status(again, 0);
  }
}

static void test_truncated(void) {
  gsize size;
  g_autofree char *bytes = NULL;
  make_run(rbm, "narrow");
  g_assert_true(g_file_get_contents("narrow/checkpoints/last.h5", &bytes, &size, NULL));
  g_unlink("narrow/checkpoints/last.h5");
  for (gsize part = 0; part < 8; part++) {
    cli_write_bytes("narrow/checkpoints/last.h5", bytes, size * part / 8);
    g_autoptr(CliResult) resumed = cli_run("resume", "narrow", NULL);
    g_autoptr(CliResult) evaluated = cli_run("evaluate", "narrow/checkpoints/last.h5", NULL);
    cli_assert_status(resumed, AB_DATA);
    cli_assert_status(evaluated, AB_DATA);
    cli_assert_says(resumed, "narrow/checkpoints/last.h5", NULL);
    cli_assert_message(resumed, 3);
  }
}

/* Bytes that are changed anywhere are noticed, or did no harm. */
static void test_flipped(void) {
  gsize size;
  g_autofree char *bytes = NULL;
  GRand *random = g_rand_new_with_seed(3);
  guint refused = 0;
  make_run(rbm, "narrow");
  g_assert_true(g_file_get_contents("narrow/checkpoints/last.h5", &bytes, &size, NULL));
  for (int i = 0; i < 40; i++) {
    g_autofree char *copy = g_memdup2(bytes, size);
    for (int j = g_rand_int_range(random, 1, 6); j > 0; j--)
      copy[g_rand_int_range(random, 0, (gint32)size)] = (char)g_rand_int_range(random, 0, 256);
    cli_write_bytes("flipped.h5", copy, size);
    g_autoptr(CliResult) result = cli_run("evaluate", "flipped.h5", NULL);
    if (result->status != 0) {
      cli_assert_status(result, AB_DATA);
      cli_assert_says(result, "flipped.h5", NULL);
      cli_assert_message(result, 3);
      refused++;
    }
  }
  g_rand_free(random);
  g_test_message("%u of 40 refused", refused);
  g_assert_cmpuint(refused, >, 10);
}

static void test_diverging(void) {
  cli_write("wild.yaml",
            "problem: reconstruct\ndata: {plugin: digits, transform: {standardise: true}}\n"
            "model: {plugin: auto-encoder, encoder: {plugin: mlp, activation: identity}, decoder: "
            "mlp}\noptimizer: {plugin: sgd, lr: 1e6}\n");
  g_autoptr(CliResult) result = cli_run("run", "wild.yaml", "--output", "wild", "-q", NULL);
  cli_assert_status(result, AB_DATA);
  cli_assert_says(result, "diverged", "step", "learning rate", "wild/checkpoints/last.h5", NULL);
  cli_assert_message(result, 3);
  cli_assert_opens("wild/checkpoints/last.h5");
  g_autoptr(CliResult) evaluated = cli_run("evaluate", "wild", NULL);
  cli_assert_status(evaluated, 0);
}

static void add_all(void) {
#define ADD(prefix, table, function)                                                    \
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {                                     \
    g_autofree char *path = g_strdup_printf("/bad-input/" prefix "/%s", table[i].name); \
    g_test_add_data_func(path, &table[i], function);                                    \
  }
  ADD("manifest", manifests, test_manifest)
  ADD("arguments", arguments, test_arguments)
  ADD("csv", csv_files, test_csv)
  ADD("idx", idx_files, test_idx)
  ADD("hdf5", hdf5_files, test_hdf5)
#undef ADD
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  add_all();
  g_test_add_func("/bad-input/hdf5/truncated", test_hdf5_truncated);
  g_test_add_func("/bad-input/hdf5/corrupt", test_hdf5_corrupt);
  g_test_add_func("/bad-input/hdf5/nan", test_hdf5_nan);
  g_test_add_func("/bad-input/plugins/no-plugin", test_no_plugin);
  g_test_add_func("/bad-input/plugins/none", test_no_plugins_at_all);
  g_test_add_func("/bad-input/disk/file-limit", test_file_limit);
  g_test_add_func("/bad-input/disk/no-room", test_no_room);
  g_test_add_func("/bad-input/disk/full", test_full_disk);
  g_test_add_func("/bad-input/checkpoint/init", test_init);
  g_test_add_func("/bad-input/checkpoint/resume-altered", test_resume_altered);
  g_test_add_func("/bad-input/checkpoint/truncated", test_truncated);
  g_test_add_func("/bad-input/checkpoint/flipped", test_flipped);
  g_test_add_func("/bad-input/diverging", test_diverging);
  return cli_finish();
}
