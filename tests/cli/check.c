/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost check`: what it says of layers, parameters and memory against what is counted by hand;
 * candidates; wrong manifests; every manifest of examples/. */
#include "cli-test.h"

#include <math.h>
#include <string.h>

enum { DIGITS = 1797, PIXELS = 64, CLASSES = 10, BATCH = 50 };
#define F32 4.0

/* ---- the JSON -------------------------------------------------------------------------------- */

static JsonNode *checked(const char *manifest, const char *set) {
  cli_write("check.yaml", manifest);
  g_autoptr(CliResult) result = set ? cli_run("check", "check.yaml", "--json", "--set", set, NULL)
                                    : cli_run("check", "check.yaml", "--json", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  return cli_json(result->out);
}

static JsonObject *layer(JsonNode *root, guint index) {
  JsonArray *layers = json_object_get_array_member(json_node_get_object(root), "layers");
  g_assert_cmpuint(index, <, json_array_get_length(layers));
  return json_array_get_object_element(layers, index);
}

static guint layer_count(JsonNode *root) {
  return json_array_get_length(json_object_get_array_member(json_node_get_object(root), "layers"));
}

typedef struct {
  const char *component, *operation, *weights; /* "W1 b1" */
  gint64 shape[5];                             /* -1 ends */
  gint64 parameters, multiply_adds, times;     /* multiply-adds of a batch */
} Expected;

static char *joined(JsonArray *texts) {
  GString *all = g_string_new(NULL);
  for (guint i = 0; i < json_array_get_length(texts); i++)
    g_string_append_printf(all, "%s%s", i ? " " : "", json_array_get_string_element(texts, i));
  return g_string_free(all, FALSE);
}

static void assert_layer(JsonNode *root, guint index, const Expected *e) {
  JsonObject *found = layer(root, index);
  JsonArray *shape = json_object_get_array_member(found, "shape");
  g_autofree char *weights = joined(json_object_get_array_member(found, "weights"));
  g_assert_cmpstr(json_object_get_string_member(found, "component"), ==, e->component);
  g_assert_cmpstr(json_object_get_string_member(found, "operation"), ==, e->operation);
  g_assert_cmpstr(weights, ==, e->weights);
  guint rank = 0;
  for (; e->shape[rank] >= 0; rank++)
    g_assert_cmpint(json_array_get_int_element(shape, rank), ==, e->shape[rank]);
  g_assert_cmpuint(json_array_get_length(shape), ==, rank);
  g_assert_cmpint(json_object_get_int_member(found, "parameters"), ==, e->parameters);
  g_assert_cmpint(json_object_get_int_member(found, "multiply_adds"), ==, e->multiply_adds);
  g_assert_cmpint(json_object_get_int_member(found, "times"), ==, e->times);
}

static void assert_layers(JsonNode *root, const Expected *expected, guint count) {
  g_assert_cmpuint(layer_count(root), ==, count);
  for (guint i = 0; i < count; i++) assert_layer(root, i, &expected[i]);
}

/* Bytes of what is known from the numbers of weights alone: Adam has two states of each. */
static void assert_memory(JsonNode *root, double parameters, double frozen, double buffers) {
  double learned = parameters - frozen;
  g_assert_cmpfloat(cli_json_real(root, "parameters"), ==, parameters);
  g_assert_cmpfloat(cli_json_real(root, "learned"), ==, learned);
  g_assert_cmpfloat(cli_json_real(root, "frozen"), ==, frozen);
  g_assert_cmpfloat(cli_json_real(root, "memory/weights"), ==, F32 * parameters);
  g_assert_cmpfloat(cli_json_real(root, "memory/gradients"), ==, F32 * learned);
  g_assert_cmpfloat(cli_json_real(root, "memory/optimizer"), ==, 2 * F32 * learned);
  g_assert_cmpfloat(cli_json_real(root, "memory/buffers"), ==, buffers);
  double sum = 0;
  static const char *const parts[] = {"weights", "gradients",   "optimizer",
                                      "buffers", "activations", "data"};
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *path = g_strconcat("memory/", parts[i], NULL);
    sum += cli_json_real(root, path);
  }
  g_assert_cmpfloat(cli_json_real(root, "memory/total"), ==, sum);
}

/* Numbers of f32 that are certainly kept, and a bound on the few that are kept beside them. */
static void assert_activations(JsonNode *root, double numbers, double more) {
  double bytes = cli_json_real(root, "memory/activations");
  g_assert_cmpfloat(bytes, >=, F32 * numbers);
  g_assert_cmpfloat(bytes, <=, F32 * (numbers + more));
}

/* ---- counted by hand ------------------------------------------------------------------------- */

#define CLASSIFY(model)                                               \
  "problem: classify\nepochs: 3\ndata: {plugin: digits, batch: 50}\n" \
  "model: " model "\noptimizer: adam\n"

/* x, one hidden layer, logits, the loss of each sample; and classes (i64) and norms (two each). */
static void test_mlp(void) {
  enum { H = 24 };
  g_autoptr(JsonNode) root = checked(CLASSIFY("{plugin: mlp, units: [24]}"), NULL);
  const Expected layers[] = {
      {"model", "linear", "W1 b1", {BATCH, H, -1}, PIXELS * H + H, BATCH * PIXELS * H, 1},
      {"model",
       "linear",
       "W2 b2",
       {BATCH, CLASSES, -1},
       H * CLASSES + CLASSES,
       BATCH * H * CLASSES,
       1},
  };
  assert_layers(root, layers, G_N_ELEMENTS(layers));
  assert_memory(root, PIXELS * H + H + H * CLASSES + CLASSES, 0, 0);
  assert_activations(root, BATCH * (PIXELS + H + CLASSES), BATCH * (1 + 2 + 2) + 4);
  g_assert_cmpfloat(cli_json_real(root, "batch"), ==, BATCH);
  g_assert_cmpfloat(cli_json_real(root, "multiply_adds"), ==, PIXELS * H + H * CLASSES);
  g_assert_cmpfloat(cli_json_real(root, "step_multiply_adds"), ==,
                    BATCH * (PIXELS * H + H * CLASSES));
  g_assert_cmpfloat(cli_json_real(root, "memory/data"), ==, DIGITS * (PIXELS * F32 + 8));
  g_assert_cmpfloat(cli_json_real(root, "unread"), ==, 0);
}

/* Twice the bytes, but for those of classes. */
static void test_precision(void) {
  g_autoptr(JsonNode) single = checked(CLASSIFY("{plugin: mlp, units: [24]}"), NULL);
  g_autoptr(JsonNode) twice = checked(CLASSIFY("{plugin: mlp, units: [24]}"), "precision=f64");
  static const char *const parts[] = {"weights", "gradients", "optimizer"};
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *path = g_strconcat("memory/", parts[i], NULL);
    g_assert_cmpfloat(cli_json_real(twice, path), ==, 2 * cli_json_real(single, path));
  }
  g_assert_cmpfloat(cli_json_real(twice, "memory/activations"), ==,
                    2 * cli_json_real(single, "memory/activations") - BATCH * 8);
}

static void test_frozen(void) {
  enum { H = 24, W1 = PIXELS * H };
  g_autoptr(JsonNode) root = checked(CLASSIFY("{plugin: mlp, units: [24]}"), "freeze=[model/W1]");
  assert_memory(root, W1 + H + H * CLASSES + CLASSES, W1, 0);
  g_assert_cmpint(json_object_get_int_member(layer(root, 0), "parameters"), ==, W1 + H);
}

/* A convolution of nine taps without bias, batch normalisation, pooling of 2 x 2, two layers. */
static void test_cnn(void) {
  enum { C = 4, U = 6, SMALL = PIXELS / 4 };
  g_autoptr(JsonNode) root = checked(
      CLASSIFY("{plugin: cnn, blocks: [{channels: 4, norm: true, pool: 2}], units: [6]}"), NULL);
  const Expected layers[] = {
      {"model", "convolution", "W1", {BATCH, C, 8, 8, -1}, C * 9, BATCH * PIXELS * C * 9, 1},
      {"model", "batch_norm", "gain1 bias1", {BATCH, C, 8, 8, -1}, 2 * C, 0, 1},
      {"model", "linear", "W2 b2", {BATCH, U, -1}, C * SMALL * U + U, BATCH * C * SMALL * U, 1},
      {"model",
       "linear",
       "W3 b3",
       {BATCH, CLASSES, -1},
       U * CLASSES + CLASSES,
       BATCH * U * CLASSES,
       1},
  };
  assert_layers(root, layers, G_N_ELEMENTS(layers));
  double parameters = C * 9 + 2 * C + C * SMALL * U + U + U * CLASSES + CLASSES;
  assert_memory(root, parameters, 0, 2 * C * F32);
  /* x, two images of C channels, what is pooled with its places, the dense layers */
  double kept = BATCH * (PIXELS + 2 * C * PIXELS + 2 * C * SMALL + U + CLASSES);
  assert_activations(root, kept, BATCH * (PIXELS + C * SMALL + 5) + 4 * C + 4);
}

/* Eight steps of eight numbers; [i f g o] side by side. Kept are the states with the first and the
 * last cell, the gates, and the cells with the first. */
static void test_lstm(void) {
  enum { U = 5, T = 8, IN = 8, GATES = 4 * U };
  g_autoptr(JsonNode) root =
      checked(CLASSIFY("{plugin: lstm, units: 5}"), "data.transform.reshape=[8, 8]");
  const Expected layers[] = {
      {"model",
       "lstm",
       "W1 U1 b1",
       {T + 2, BATCH, U, -1},
       IN * GATES + U * GATES + GATES,
       BATCH * T * GATES * (IN + U),
       1},
      {"model",
       "linear",
       "W2 b2",
       {BATCH, CLASSES, -1},
       U * CLASSES + CLASSES,
       BATCH * U * CLASSES,
       1},
  };
  assert_layers(root, layers, G_N_ELEMENTS(layers));
  assert_memory(root, IN * GATES + U * GATES + GATES + U * CLASSES + CLASSES, 0, 0);
  double kept = BATCH * (T * IN + (T + 2) * U + T * GATES + (T + 1) * U + CLASSES);
  assert_activations(root, kept, BATCH * (T * IN + U + 5) + 4); /* x may be kept in two orders */
}

/* Weights of an encoder that its decoder has transposed: one parameter, read twice. */
static void test_tied(void) {
  g_autoptr(JsonNode) root =
      checked("problem: reconstruct\ndata: {plugin: digits, batch: 50}\n"
              "model: {plugin: auto-encoder, tied: true, encoder: {plugin: mlp, units: [16]}, "
              "decoder: {plugin: mlp, units: []}}\noptimizer: adam\n",
              NULL);
  const Expected layers[] = {
      {"model/encoder",
       "linear",
       "W1 b1",
       {BATCH, 16, -1},
       PIXELS * 16 + 16,
       BATCH * PIXELS * 16,
       1},
      {"model/decoder", "linear", "W1 b1", {BATCH, PIXELS, -1}, PIXELS, BATCH * PIXELS * 16, 1},
  };
  assert_layers(root, layers, G_N_ELEMENTS(layers));
  assert_memory(root, PIXELS * 16 + 16 + PIXELS, 0, 0);
}

/* An objective of its own: CD-3 multiplies up and down four times, once for the last mean, and for
 * the statistics of two pairs; the role once up, once down. Sgd without momentum keeps nothing. */
static void test_rbm(void) {
  enum { H = 20, PRODUCT = BATCH * PIXELS * H };
  g_autoptr(JsonNode) root = checked("problem: reconstruct\ndata: {plugin: digits, batch: 50}\n"
                                     "model: {plugin: rbm, hidden: 20, k: 3}\noptimizer: sgd\n",
                                     NULL);
  const Expected layers[] = {
      {"model", "linear", "W c", {BATCH, H, -1}, PIXELS * H + H, PRODUCT, 1},
      {"model", "linear", "W b", {BATCH, PIXELS, -1}, PIXELS, PRODUCT, 1},
  };
  assert_layers(root, layers, G_N_ELEMENTS(layers));
  /* up; (down, up) twice and down; up: 7, and the statistics of both ends: 2 */
  g_assert_cmpfloat(cli_json_real(root, "step_multiply_adds"), ==, 9 * PRODUCT);
  g_assert_cmpfloat(cli_json_real(root, "memory/optimizer"), ==, 0);
}

/* A rule without a gradient keeps no graph. */
static void test_hebbian(void) {
  g_autoptr(JsonNode) root =
      checked("problem: reconstruct\ndata: {plugin: digits, batch: 50}\n"
              "model: {plugin: hebbian, units: 6}\noptimizer: {plugin: sgd, momentum: 0.5}\n",
              NULL);
  g_assert_cmpfloat(cli_json_real(root, "parameters"), ==, PIXELS * 6);
  g_assert_cmpfloat(cli_json_real(root, "memory/activations"), ==, 0);
  g_assert_cmpfloat(cli_json_real(root, "memory/optimizer"), ==, F32 * PIXELS * 6);
  g_assert_cmpfloat(cli_json_real(root, "step_multiply_adds"), >, 0);
}

/* Two groups; the role of the generator reads nothing of its adversary. */
static void test_gan(void) {
  g_autoptr(JsonNode) root =
      checked("problem: generate\ndata: {plugin: digits, batch: 50}\n"
              "model: {plugin: generator, code: 4, decoder: {plugin: mlp, units: [7]}}\n"
              "controller: {plugin: gan, discriminator: {plugin: mlp, units: [9]}}\n"
              "optimizer: adam\n",
              NULL);
  enum { G = 4 * 7 + 7 + 7 * PIXELS + PIXELS, D = PIXELS * 9 + 9 + 9 + 1 };
  assert_memory(root, G + D, 0, 0);
  g_assert_cmpfloat(cli_json_real(root, "unread"), ==, D);
  JsonArray *states = json_object_get_array_member(json_node_get_object(root), "optimizer_states");
  g_assert_cmpuint(json_array_get_length(states), ==, 4);
  JsonObject *first = json_array_get_object_element(states, 0);
  g_assert_cmpstr(json_object_get_string_member(first, "group"), ==, "discriminator");
  g_assert_cmpstr(json_object_get_string_member(first, "name"), ==, "first_moment");
  g_assert_cmpint(json_object_get_int_member(first, "bytes"), ==, D * 4);
}

/* The machines of a stack learn in epochs of their own, with states of their own. */
static void test_greedy(void) {
  g_autoptr(JsonNode) root =
      checked("problem: classify\nepochs: 9\ndata: {plugin: digits, batch: 50}\n"
              "model: {plugin: dbn, layers: [{plugin: rbm, hidden: 8}, {plugin: rbm, hidden: 6}]}\n"
              "controller: {plugin: greedy, epochs: [3], optimizer: {plugin: sgd, momentum: 0.5}}\n"
              "optimizer: adam\n",
              NULL);
  enum { FIRST = PIXELS * 8 + PIXELS + 8, SECOND = 8 * 6 + 8 + 6, HEAD = 6 * CLASSES + CLASSES };
  g_assert_cmpfloat(cli_json_real(root, "parameters"), ==, FIRST + SECOND + HEAD);
  g_assert_cmpfloat(cli_json_real(root, "memory/optimizer"), ==,
                    F32 * (2 * (FIRST + SECOND + HEAD) + FIRST + SECOND));
}

/* The memory is a buffer; a copy of the weights is kept beside the two moments. */
static void test_agent(void) {
  g_autoptr(JsonNode) root =
      checked("problem: act\nepochs: 2\nenvironment: {plugin: cartpole, steps: 300}\n"
              "model: {plugin: mlp, units: [8]}\n"
              "controller: {plugin: dqn, memory: 700, batch: 16, warm_up: 100}\noptimizer: adam\n",
              NULL);
  double weights = 4 * 8 + 8 + 8 * 2 + 2;
  g_assert_cmpfloat(cli_json_real(root, "memory/optimizer"), ==, 3 * F32 * weights);
  g_assert_cmpfloat(cli_json_real(root, "memory/buffers"), >=, 700 * (2 * 4 * F32 + 8 + 2 * F32));
  g_assert_cmpfloat(cli_json_real(root, "memory/activations"), >=, F32 * 16 * (4 + 8 + 2));
}

/* ---- the table ------------------------------------------------------------------------------- */

static void test_text(void) {
  cli_write("check.yaml", CLASSIFY("{plugin: mlp, units: [24]}"));
  g_autoptr(CliResult) result = cli_run("check", "check.yaml", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  static const char *const parts[] = {
      "problem    classify\n",
      "data       digits: x [8, 8] unit, y class of 10\n",
      "layer   operation  weights  output    parameters  multiply-adds\n",
      "model   linear     W1, b1   [50, 24]       1,560          1,536\n",
      "model   linear     W2, b2   [50, 10]         250            240\n",
      "in all                                     1,810          1,776\n",
      "step       88,800 multiply-adds",
      "weights        7.2 KB  1,810 numbers\n",
      "optimizer     14.5 KB  optimizer: first_moment, second_moment\n",
      "model/W1  [64, 24]  input unit\n",
  };
  const char *at = result->out;
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) { /* in this order */
    const char *found = strstr(at, parts[i]);
    if (!found) g_error("'%s' is not behind what was found before in\n%s", parts[i], result->out);
    at = found;
  }
}

/* ---- candidates ------------------------------------------------------------------------------ */

#define CANDIDATES(rest) \
  "problem: classify\nepochs: 3\ndata: {plugin: digits, batch: 50}\noptimizer: adam\n" rest

static JsonObject *candidate(JsonNode *root, guint index, const char *name) {
  JsonArray *all = json_object_get_array_member(json_node_get_object(root), "candidates");
  JsonObject *found = json_array_get_object_element(all, index);
  g_assert_cmpstr(json_object_get_string_member(found, "name"), ==, name);
  return found;
}

static void test_candidates(void) {
  cli_write("c.yaml", CANDIDATES("model: {plugin: mlp, units: [8]}\ncandidates:\n"
                                 "  wide: {model: {plugin: mlp, units: [33]}}\n"
                                 "  read: {model: {plugin: gru, units: 4}}\n"));
  g_autoptr(CliResult) result = cli_run("check", "c.yaml", "--json", NULL);
  g_autoptr(CliResult) text = cli_run("check", "c.yaml", NULL);
  g_autoptr(CliResult) one = cli_run("check", "c.yaml", "--candidate", "wide", "--json", NULL);
  cli_assert_status(result, 0);
  cli_assert_status(text, 0);
  cli_assert_status(one, 0);
  g_autoptr(JsonNode) root = cli_json(result->out), alone = cli_json(one->out);
  double wide = PIXELS * 33 + 33 + 33 * CLASSES + CLASSES;
  g_assert_cmpfloat(cli_json_real(root, "parameters"), ==, 64 * 8 + 8 + 8 * 10 + 10);
  g_assert_true(json_object_get_boolean_member(candidate(root, 0, "wide"), "fits"));
  g_assert_cmpint(json_object_get_int_member(candidate(root, 0, "wide"), "parameters"), ==,
                  (gint64)wide);
  g_assert_cmpstr(json_object_get_string_member(candidate(root, 1, "read"), "model"), ==, "gru");
  g_assert_cmpfloat(cli_json_real(alone, "parameters"), ==, wide);
  g_assert_cmpuint(json_array_get_length(
                       json_object_get_array_member(json_node_get_object(alone), "candidates")),
                   ==, 0);
  g_assert_nonnull(strstr(text->out, "wide       mlp         2,485"));
}

/* A manifest may leave the model to its candidates. */
static void test_candidates_alone(void) {
  cli_write("c.yaml", CANDIDATES("candidates:\n  small: {model: {plugin: mlp, units: [2]}}\n"));
  g_autoptr(CliResult) result = cli_run("check", "c.yaml", "--json", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_false(cli_json_has(root, "parameters"));
  g_assert_true(json_object_get_boolean_member(candidate(root, 0, "small"), "fits"));
  g_autoptr(CliResult) set = cli_run("check", "c.yaml", "--set", "model=mlp", "--json", NULL);
  g_autoptr(JsonNode) with = cli_json(set->out);
  g_assert_true(cli_json_has(with, "parameters"));
}

/* Each with its mistakes; those that fit are told all the same. */
static void test_wrong_candidates(void) {
  cli_write("c.yaml", CANDIDATES("model: {plugin: mlp, units: [8]}\ncandidates:\n"
                                 "  fine: {model: {plugin: mlp, units: [33]}}\n"
                                 "  role: {model: {plugin: generator}}\n"
                                 "  slip: {model: {plugin: mlp, unitz: [3]}, seed: x}\n"
                                 "  bare: 3\n"));
  g_autoptr(CliResult) result = cli_run("check", "c.yaml", "--json", NULL);
  cli_assert_status(result, AB_CONFIG);
  cli_assert_says(result, "candidate role: c.yaml:8:26", "does not offer classify",
                  "candidate slip: c.yaml:9:", "did you mean 'units'?", "'x' is no integer",
                  "candidate bare: c.yaml:10:9", NULL);
  g_assert_null(strstr(result->err, "candidate fine"));
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_true(json_object_get_boolean_member(candidate(root, 0, "fine"), "fits"));
  g_assert_false(json_object_get_boolean_member(candidate(root, 1, "role"), "fits"));
  g_assert_nonnull(
      strstr(json_object_get_string_member(candidate(root, 2, "slip"), "error"), "unitz"));
  g_autoptr(CliResult) text = cli_run("check", "c.yaml", NULL);
  cli_assert_status(text, AB_CONFIG);
  g_assert_nonnull(strstr(text->out, "slip       wrong: see above"));
}

/* What is wrong with the manifest is said once, beside what is wrong with a candidate. */
static void test_all_wrong(void) {
  cli_write("c.yaml", CANDIDATES("epochz: 3\nmodel: mlp\ncandidates:\n"
                                 "  slip: {model: {plugin: mlp, unitz: [3]}}\n"));
  g_autoptr(CliResult) result = cli_run("check", "c.yaml", NULL);
  cli_assert_status(result, AB_CONFIG);
  cli_assert_says(result, "epochz", "candidate slip", "unitz", NULL);
  g_assert_null(strstr(strstr(result->err, "epochz") + 1, "'epochz'"));
  g_assert_cmpstr(result->out, ==, "");
  cli_write("c.yaml", CANDIDATES("model: mlp\ncandidates: [wide, small]\n"));
  g_autoptr(CliResult) list = cli_run("check", "c.yaml", NULL);
  cli_assert_status(list, AB_CONFIG);
  cli_assert_says(list, "c.yaml:6:13", "candidates is a mapping", NULL);
}

static void test_pipe(void) {
  cli_write("c.yaml", CANDIDATES("model: {plugin: mlp, units: [8]}\ncandidates:\n"
                                 "  wide: {model: {plugin: mlp, units: [33]}}\n"));
  g_autofree char *line =
      g_strdup_printf("cat c.yaml | '%s' check /dev/stdin --json", g_getenv("ABHOST_PROGRAM"));
  const char *const argv[] = {"/bin/sh", "-c", line, NULL};
  g_autoptr(CliResult) piped = cli_spawn(NULL, argv),
                       plain = cli_run("check", "c.yaml", "--json", NULL);
  cli_assert_status(piped, 0);
  g_assert_cmpstr(piped->out, ==, plain->out);
}

/* ---- mistakes of a first step ---------------------------------------------------------------- */

/* Found by a rehearsed step, and said as a run says it. */
static void test_step(void) {
  cli_write("s.yaml",
            "problem: classify\nepochs: 5\ndata: {plugin: digits, batch: 50}\n"
            "model: {plugin: dbn, layers: [{plugin: rbm, hidden: 8}, {plugin: rbm, hidden: 6}]}\n"
            "controller: {plugin: greedy, epochs: [3]}\noptimizer: adam\n");
  g_autoptr(CliResult) check = cli_run("check", "s.yaml", NULL);
  cli_assert_status(check, AB_CONFIG);
  cli_assert_says(check, "s.yaml:5", "controller (greedy)", "takes 6 epochs", NULL);
  g_autoptr(CliResult) run = cli_run("run", "s.yaml", "-q", "--output", "s", NULL);
  cli_assert_status(run, AB_CONFIG);
  cli_assert_says(run, "controller (greedy)", "takes 6 epochs", NULL);
}

/* Nothing is written, and data that is read batch by batch takes no memory. */
static void test_untouched(void) {
  cli_mkdir("empty");
  g_autofree char *program = g_strdup(g_getenv("ABHOST_PROGRAM"));
  g_autofree char *example = cli_example("spiral.yaml");
  const char *const argv[] = {program, "check", example, NULL};
  g_autofree char *folder = g_build_filename(cli_folder(), "empty", NULL);
  g_autoptr(CliResult) result = cli_spawn(folder, argv);
  cli_assert_status(result, 0);
  g_assert_cmpuint(cli_count_entries("empty"), ==, 0);
}

/* ---- examples -------------------------------------------------------------------------------- */

static void assert_example(const char *path) {
  g_autoptr(CliResult) result = cli_run("check", path, "--json", NULL);
  if (result->status != 0 && strstr(result->err, "FOLDER")) return; /* its files are not shipped */
  if (result->status != 0 && strstr(result->err, "FILE")) return;
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) root = cli_json(result->out);
  g_assert_cmpuint(layer_count(root), >, 0);
  double sum = cli_json_real(root, "unread"), products = 0;
  for (guint i = 0; i < layer_count(root); i++) {
    sum += (double)json_object_get_int_member(layer(root, i), "parameters");
    products += (double)json_object_get_int_member(layer(root, i), "multiply_adds");
  }
  g_assert_cmpfloat(sum, ==, cli_json_real(root, "parameters"));
  g_assert_cmpfloat(products, ==,
                    cli_json_real(root, "multiply_adds") * cli_json_real(root, "batch"));
  g_assert_true(json_object_get_null_member(json_node_get_object(root), "step_unknown"));
  g_assert_cmpfloat(cli_json_real(root, "step_multiply_adds"), >, 0);
}

/* Every parameter is of one layer, or of none; every product is of one. */
static void test_examples(void) {
  g_autofree char *folder = g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "examples", NULL);
  GDir *dir = g_dir_open(folder, 0, NULL);
  guint count = 0;
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    if (!g_str_has_suffix(name, ".yaml")) continue;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_test_message("%s", name);
    assert_example(path);
    count++;
  }
  if (dir) g_dir_close(dir);
  g_assert_cmpuint(count, >=, 20);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/check/mlp", test_mlp);
  g_test_add_func("/check/precision", test_precision);
  g_test_add_func("/check/frozen", test_frozen);
  g_test_add_func("/check/cnn", test_cnn);
  g_test_add_func("/check/lstm", test_lstm);
  g_test_add_func("/check/tied", test_tied);
  g_test_add_func("/check/rbm", test_rbm);
  g_test_add_func("/check/hebbian", test_hebbian);
  g_test_add_func("/check/gan", test_gan);
  g_test_add_func("/check/greedy", test_greedy);
  g_test_add_func("/check/agent", test_agent);
  g_test_add_func("/check/text", test_text);
  g_test_add_func("/check/candidates", test_candidates);
  g_test_add_func("/check/candidates-alone", test_candidates_alone);
  g_test_add_func("/check/wrong-candidates", test_wrong_candidates);
  g_test_add_func("/check/all-wrong", test_all_wrong);
  g_test_add_func("/check/pipe", test_pipe);
  g_test_add_func("/check/step", test_step);
  g_test_add_func("/check/untouched", test_untouched);
  g_test_add_func("/check/examples", test_examples);
  return cli_finish();
}
