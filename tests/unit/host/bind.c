/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding against the structs of the fixture good.c: values by their fields, mistakes by the text
 * of their messages, resolved trees by binding them again.                                      */
#include "manifest/bind.h"
#include "commands/inspect.h"
#include "fixtures/good.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static Registry *registry;
static AbContext *ctx;

/* ---- binding one text ---------------------------------------------------------------------- */

typedef struct {
  Binder binder;
  Diagnostics *diagnostics;
  Node *node, *resolved;
  AbInstance *instance;
} Bound;

static Bound bind_named(const char *text, const char *file, AbKind kind, AbRole role) {
  Bound self = {.diagnostics = diagnostics_new()};
  self.node = node_parse(text, strlen(text), file, self.diagnostics);
  g_assert_nonnull(self.node);
  bind_init(&self.binder, registry, ctx, self.diagnostics);
  self.instance = bind_component(&self.binder, kind, role, self.node, "it", &self.resolved);
  g_assert_true((self.instance != NULL) == (self.resolved != NULL));
  g_assert_true((self.instance != NULL) == (diagnostics_count(self.diagnostics) == 0));
  return self;
}

static Bound bind_text(const char *text, AbKind kind, AbRole role) {
  return bind_named(text, "m.yaml", kind, role);
}

static void drop(Bound *self) {
  bind_clear(&self->binder);
  diagnostics_free(self->diagnostics);
  node_free(self->node);
  node_free(self->resolved);
}

static Bound bind_fine(const char *text, AbKind kind) {
  Bound self = bind_text(text, kind, AB_ROLE_NONE);
  GError *error = NULL;
  diagnostics_check(self.diagnostics, &error);
  g_assert_no_error(error);
  return self;
}

static void check_fault(const char *text, AbKind kind, AbRole role, AbCode code,
                        const char *message) {
  Bound self = bind_text(text, kind, role);
  g_autoptr(GError) error = NULL;
  g_assert_false(diagnostics_check(self.diagnostics, &error));
  g_assert_cmpstr(error->message, ==, message);
  g_assert_cmpint(error->code, ==, code);
  g_assert_null(self.instance);
  drop(&self);
}

/* ---- values -------------------------------------------------------------------------------- */

static void test_defaults(void) {
  Bound self = bind_fine("tiny", AB_KIND_MODEL);
  const Tiny *tiny = (const Tiny *)self.instance;
  g_assert_cmpint(tiny->hidden, ==, 64);
  g_assert_true(tiny->rate == 1e-3);
  g_assert_true(tiny->bias);
  g_assert_cmpint(tiny->activation, ==, 1);
  g_assert_null(tiny->note);
  g_assert_cmpstr(tiny->label, ==, "plain");
  g_assert_null(tiny->file);
  g_assert_cmpint(tiny->units.count, ==, 2);
  g_assert_cmpint(tiny->units.items[0], ==, 256);
  g_assert_cmpint(tiny->units.items[1], ==, 32);
  g_assert_cmpint(tiny->scales.count, ==, 0);
  g_assert_cmpint(tiny->names.count, ==, 2);
  g_assert_cmpstr(tiny->names.items[1], ==, "null");
  const Block *blocks = tiny->blocks.items;
  g_assert_cmpint(tiny->blocks.count, ==, 2);
  g_assert_cmpint(blocks[0].channels, ==, 4);
  g_assert_cmpint(blocks[1].channels, ==, 8);
  g_assert_true(blocks[1].scale == 0.1);
  g_assert_null(blocks[1].note);
  char *text = node_emit(self.resolved);
  g_assert_cmpstr(text, ==,
                  "plugin: tiny\nhidden: 64\nrate: 0.001\nbias: true\nactivation: tanh\n"
                  "label: plain\nunits: [256, 32]\nscales: []\nnames: [a, 'null']\nblocks:\n"
                  "- channels: 4\n  scale: 0.1\n- channels: 8\n  scale: 0.1\n");
  g_free(text);
  drop(&self);
}

static void test_values(void) {
  Bound self = bind_fine("{plugin: tiny, hidden: 1e3, rate: 1, bias: false, activation: sigmoid,\n"
                         " note: 12, label: '', units: [], scales: [-10, 1e-3, 10], names: ['~'],\n"
                         " blocks: [{scale: .inf, note: no}]}",
                         AB_KIND_MODEL);
  const Tiny *tiny = (const Tiny *)self.instance;
  g_assert_cmpint(tiny->hidden, ==, 1000);
  g_assert_true(tiny->rate == 1);
  g_assert_false(tiny->bias);
  g_assert_cmpint(tiny->activation, ==, 2);
  g_assert_cmpstr(tiny->note, ==, "12");
  g_assert_cmpstr(tiny->label, ==, "");
  g_assert_cmpint(tiny->units.count, ==, 0);
  g_assert_cmpint(tiny->scales.count, ==, 3);
  g_assert_true(tiny->scales.items[1] == 1e-3);
  g_assert_cmpstr(tiny->names.items[0], ==, "~");
  const Block *blocks = tiny->blocks.items;
  g_assert_cmpint(tiny->blocks.count, ==, 1);
  g_assert_true(isinf(blocks[0].scale));
  g_assert_cmpstr(blocks[0].note, ==, "no");
  drop(&self);
}

/* Without quotes these say that there is nothing; with them they are texts. */
static void test_absent(void) {
  static const char *const absent[] = {"~", "null", "Null", ""};
  for (guint i = 0; i < G_N_ELEMENTS(absent); i++) {
    char *text = g_strdup_printf("plugin: tiny\nnote: %s\nfile: %s\n", absent[i], absent[i]);
    Bound self = bind_fine(text, AB_KIND_MODEL);
    g_assert_null(((const Tiny *)self.instance)->note);
    g_assert_null(((const Tiny *)self.instance)->file);
    g_assert_null(node_get(self.resolved, "note"));
    drop(&self);
    g_free(text);
    text = g_strdup_printf("plugin: tiny\nnote: '%s'\n", absent[i]);
    self = bind_fine(text, AB_KIND_MODEL);
    g_assert_cmpstr(((const Tiny *)self.instance)->note, ==, absent[i]);
    drop(&self);
    g_free(text);
  }
}

static const char *path_of(const char *path, const char *file, Bound *self) {
  char *text = g_strdup_printf("plugin: tiny\nfile: %s\n", path);
  *self = bind_named(text, file, AB_KIND_MODEL, AB_ROLE_NONE);
  g_free(text);
  g_assert_nonnull(self->instance);
  return ((const Tiny *)self->instance)->file;
}

static void test_paths(void) {
  char *here = g_get_current_dir();
  char *relative = g_build_filename(here, "b", "x.h5", NULL);
  char *set = g_build_filename(here, "x.h5", NULL);
  const struct {
    const char *path, *file, *expected;
  } cases[] = {
      {"x.h5", "/a/m.yaml", "/a/x.h5"},     {"../c/./x.h5", "/a/b/m.yaml", "/a/c/x.h5"},
      {"/d/../x.h5", "/a/m.yaml", "/x.h5"}, {"~/x.h5", "/a/m.yaml", "/a/~/x.h5"},
      {"x.h5", "b/m.yaml", relative},       {"x.h5", "--set a/b.file", set},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    Bound self;
    g_assert_cmpstr(path_of(cases[i].path, cases[i].file, &self), ==, cases[i].expected);
    g_assert_cmpstr(node_get(self.resolved, "file")->text, ==, cases[i].expected);
    drop(&self);
  }
  g_free(set);
  g_free(relative);
  g_free(here);
}

/* ---- resolved trees ------------------------------------------------------------------------ */

static gboolean same_bits(double a, double b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

static void assert_same(const Tiny *a, const Tiny *b) {
  g_assert_cmpint(a->hidden, ==, b->hidden);
  g_assert_true(same_bits(a->rate, b->rate));
  g_assert_cmpstr(a->note, ==, b->note);
  g_assert_cmpstr(a->label, ==, b->label);
  g_assert_cmpstr(a->file, ==, b->file);
  g_assert_cmpint(a->scales.count, ==, b->scales.count);
  for (gint64 i = 0; i < a->scales.count; i++)
    g_assert_true(same_bits(a->scales.items[i], b->scales.items[i]));
  g_assert_cmpint(a->names.count, ==, b->names.count);
  for (gint64 i = 0; i < a->names.count; i++)
    g_assert_cmpstr(a->names.items[i], ==, b->names.items[i]);
  g_assert_cmpint(a->blocks.count, ==, b->blocks.count);
  const Block *left = a->blocks.items, *right = b->blocks.items;
  for (gint64 i = 0; i < a->blocks.count; i++) {
    g_assert_true(same_bits(left[i].scale, right[i].scale));
    g_assert_cmpstr(left[i].note, ==, right[i].note);
  }
}

/* Bits that have no short text, and texts that look like something else. */
static char *random_manifest(GRand *random) {
  static const char *const texts[] = {"null", "~",   "",    "true",     "1e3", "a: b",
                                      "# c",  "- d", "\\t", "\xc3\xa9", "{}",  "'",
                                      " e ",  "*f",  "&g",  "!h",       "|",   "a\\nb"};
  GString *text = g_string_new("plugin: tiny\n");
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  const char *chosen = texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))];
  g_string_append_printf(text, "rate: %s\n",
                         g_ascii_dtostr(number, sizeof number, g_rand_double(random)));
  g_string_append_printf(text, "hidden: %d\n", g_rand_int_range(random, 1, 1 << 20));
  g_string_append_printf(text, "note: \"%s\"\nlabel: \"%s\"\nfile: x/y\n", chosen, chosen);
  g_string_append_printf(text, "names: [\"%s\", b]\nscales: [-0.0, 5e-324", chosen);
  for (int i = 0; i < 5; i++) {
    double value = ldexp(g_rand_double_range(random, -1, 1), g_rand_int_range(random, -1070, 3));
    g_string_append_printf(text, ", %s", g_ascii_dtostr(number, sizeof number, value));
  }
  g_string_append_printf(text, "]\nblocks:\n- {scale: .inf, note: \"%s\"}\n- {}\n", chosen);
  return g_string_free(text, FALSE);
}

static void test_again(void) {
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  for (int round = 0; round < 300; round++) {
    char *text = random_manifest(random);
    Bound first = bind_fine(text, AB_KIND_MODEL);
    char *resolved = node_emit(first.resolved);
    Bound second = bind_named(resolved, "/elsewhere/r.yaml", AB_KIND_MODEL, AB_ROLE_NONE);
    g_assert_nonnull(second.instance);
    assert_same((const Tiny *)first.instance, (const Tiny *)second.instance);
    char *again = node_emit(second.resolved);
    g_assert_cmpstr(resolved, ==, again);
    g_free(again);
    g_free(resolved);
    g_free(text);
    drop(&first);
    drop(&second);
  }
}

/* ---- mistakes ------------------------------------------------------------------------------ */

#define HAS \
  "(it has: hidden, rate, bias, activation, note, label, file, units, scales, names, blocks)"

static void test_mistakes(void) {
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"{hidden: 0}", "m.yaml:1:24: model tiny: hidden is 0; it must be 1 to 1048576 units"},
      {"{hidden: 12x}", "m.yaml:1:24: model tiny: hidden: '12x' is no integer"},
      {"{hidden: }", "m.yaml:1:24: model tiny: hidden: '' is no integer"},
      {"{hidden: [1]}", "m.yaml:1:24: model tiny: hidden: a sequence is no integer"},
      {"{rate: 1.5}", "m.yaml:1:22: model tiny: rate is 1.5; it must be 0 to 1"},
      {"{rate: .inf}", "m.yaml:1:22: model tiny: rate: '.inf' is no finite number"},
      {"{bias: yes}", "m.yaml:1:22: model tiny: bias: 'yes' is no boolean; write true or false"},
      {"{activation: tahn}", "m.yaml:1:28: model tiny: activation is 'tahn'; did you mean 'tanh'? "
                             "(choices: relu, tanh, sigmoid)"},
      {"{activation: gelu2}", "m.yaml:1:28: model tiny: activation is 'gelu2'; it must be one of: "
                              "relu, tanh, sigmoid"},
      {"{activation: {}}", "m.yaml:1:28: model tiny: activation: a mapping is no choice"},
      {"{note: [a]}", "m.yaml:1:22: model tiny: note: a sequence is no text"},
      {"{label: ~}", "m.yaml:1:23: model tiny: label has no value; put quotes around a text that "
                     "is meant to be empty or 'null'"},
      {"{file: ''}", "m.yaml:1:22: model tiny: file is empty; it must be a path"},
      {"{units: 256}", "m.yaml:1:23: model tiny: units: a scalar is no list of integers; write "
                       "[ ... ]"},
      {"{units: [1, 0, x]}", "m.yaml:1:27: model tiny: units[1] is 0; it must be 1 to 4096 units\n"
                             "m.yaml:1:30: model tiny: units[2]: 'x' is no integer"},
      {"{names: [a, ~]}", "m.yaml:1:27: model tiny: names[1] has no value; put quotes around a "
                          "text that is meant to be empty or 'null'"},
      {"{blocks: [3]}", "m.yaml:1:25: model tiny: blocks[0]: a scalar is no record; write {key: "
                        "value, ...}"},
      {"{blocks: [{}, {channels: 0, scal: 1}]}",
       "m.yaml:1:40: model tiny: blocks[1]: channels is 0; it must be 1 to 512 channels\n"
       "m.yaml:1:43: model tiny: blocks[1] has no parameter 'scal'; did you mean 'scale'? (it has: "
       "channels, scale, note)"},
      {"{blocks: [{scale: -1}]}", "m.yaml:1:33: model tiny: blocks[0]: scale is -1; it must be at "
                                  "least 0"},
      {"{blocks: [{scale: .nan}]}", "m.yaml:1:33: model tiny: blocks[0]: scale is .nan; it must be "
                                    "at least 0"},
      {"{hiden: 3}",
       "m.yaml:1:16: model tiny has no parameter 'hiden'; did you mean 'hidden'? " HAS},
      {"{xyz: 3}", "m.yaml:1:16: model tiny has no parameter 'xyz'; leave it out " HAS},
      {"{hidden: 0, rate: 2}", "m.yaml:1:24: model tiny: hidden is 0; it must be 1 to 1048576 "
                               "units\nm.yaml:1:33: model tiny: rate is 2; it must be 0 to 1"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    char *text = g_strconcat("{plugin: tiny, ", cases[i].text + 1, NULL);
    check_fault(text, AB_KIND_MODEL, AB_ROLE_NONE, AB_CONFIG, cases[i].message);
    g_free(text);
  }
}

static void test_components(void) {
  static const struct {
    const char *text;
    AbKind kind;
    AbRole role;
    AbCode code;
    const char *message;
  } cases[] = {
      {"tinny", AB_KIND_MODEL, 0, AB_UNAVAILABLE,
       "m.yaml:1:1: there is no model 'tinny'; did you mean 'tiny'?"},
      {"{hidden: 3}", AB_KIND_MODEL, 0, AB_CONFIG,
       "m.yaml:1:1: no plugin is named; write {plugin: NAME, ...} with a model (installed: pair, "
       "tiny)"},
      {"[tiny]", AB_KIND_MODEL, AB_ROLE_CLASSIFY, AB_CONFIG,
       "m.yaml:1:1: no plugin is named; write {plugin: NAME, ...} with a model that offers classify "
       "(installed: pair)"},
      {"{plugin: ~}", AB_KIND_LOSS, 0, AB_CONFIG,
       "m.yaml:1:10: no plugin is named; write {plugin: NAME, ...} with a loss (installed: gap, "
       "other)"},
      {"{plugin: {}}", AB_KIND_NOISE, 0, AB_CONFIG,
       "m.yaml:1:10: no plugin is named; write {plugin: NAME, ...} with a noise (installed: none)"},
      {"tiny", AB_KIND_MODEL, AB_ROLE_CLASSIFY, AB_CONFIG,
       "m.yaml:1:1: model tiny does not offer classify (it offers: reconstruct, encode, decode, "
       "score); installed that do: pair"},
      {"needy", AB_KIND_DATA, 0, AB_CONFIG,
       "m.yaml:1:1: data needy: path is missing (path: The file.)"},
      {"{plugin: needy, path: ~}", AB_KIND_DATA, 0, AB_CONFIG,
       "m.yaml:1:23: data needy: path is empty; it must be a path"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    check_fault(cases[i].text, cases[i].kind, cases[i].role, cases[i].code, cases[i].message);
}

/* ---- slots --------------------------------------------------------------------------------- */

static void test_slots(void) {
  Bound self = bind_fine("plugin: pair\nfirst: {plugin: tiny, hidden: 3}\n"
                         "second: {plugin: pair, first: tiny, extras: shrink}\n"
                         "extras: [shrink, {plugin: shrink}]\n",
                         AB_KIND_MODEL);
  const Pair *pair = (const Pair *)self.instance, *inner = (const Pair *)pair->second;
  g_assert_cmpint(((const Tiny *)pair->first)->hidden, ==, 3);
  g_assert_cmpint(pair->extras.count, ==, 2);
  g_assert_cmpint(inner->extras.count, ==, 1);
  g_assert_null(inner->second);
  const struct {
    const AbInstance *instance;
    const char *path;
  } paths[] = {{self.instance, "it"},
               {pair->first, "it/first"},
               {pair->second, "it/second"},
               {inner->first, "it/second/first"},
               {inner->extras.items[0], "it/second/extras/0"},
               {pair->extras.items[0], "it/extras/0"},
               {pair->extras.items[1], "it/extras/1"}};
  g_assert_cmpuint(self.binder.instances->len, ==, G_N_ELEMENTS(paths));
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
    const Entry *entry = g_hash_table_lookup(self.binder.entries, paths[i].instance);
    g_assert_true(self.binder.instances->pdata[i] == paths[i].instance); /* parents first */
    g_assert_cmpstr(ab_path(paths[i].instance), ==, paths[i].path);
    g_assert_true(entry->component == paths[i].instance->component);
  }
  drop(&self);
}

static void test_slots_again(void) {
  Bound first = bind_fine("{plugin: pair, first: tiny, second: ~, extras: shrink}", AB_KIND_MODEL);
  char *text = node_emit(first.resolved);
  g_assert_true(g_str_has_suffix(text, "extras:\n- plugin: shrink\n"));
  g_assert_null(node_get(first.resolved, "second"));
  Bound second = bind_fine(text, AB_KIND_MODEL);
  char *again = node_emit(second.resolved);
  g_assert_cmpstr(text, ==, again);
  g_free(again);
  g_free(text);
  drop(&first);
  drop(&second);
}

static void test_slot_mistakes(void) {
  static const struct {
    const char *text;
    AbCode code;
    const char *message;
  } cases[] = {
      {"pair", AB_CONFIG,
       "m.yaml:1:1: model pair: first is missing; it takes a model that offers encode (installed: "
       "tiny)"},
      {"{plugin: pair, first: ~}", AB_CONFIG,
       "m.yaml:1:23: no plugin is named; write {plugin: NAME, ...} with a model that offers encode "
       "(installed: tiny)"},
      {"{plugin: pair, first: pair}", AB_CONFIG,
       "m.yaml:1:23: model pair does not offer encode (it offers: classify); installed that do: "
       "tiny"},
      {"{plugin: pair, first: shrink}", AB_UNAVAILABLE,
       "m.yaml:1:23: there is no model 'shrink' (installed: pair, tiny); that is the name of a "
       "component of the kind regularizer"},
      {"{plugin: pair, frist: tiny}", AB_CONFIG,
       "m.yaml:1:1: model pair: first is missing; it takes a model that offers encode (installed: "
       "tiny)\nm.yaml:1:16: model pair has no parameter 'frist'; did you mean 'first'? (it has: "
       "first, second, extras)"},
      /* all at once, whatever the level */
      {"{plugin: pair, first: {plugin: tiny, hidden: 0}, extras: [shrank, {plugin: shrink, a: 1}]}",
       AB_CONFIG,
       "m.yaml:1:46: model tiny: hidden is 0; it must be 1 to 1048576 units\n"
       "m.yaml:1:59: there is no regularizer 'shrank'; did you mean 'shrink'?\n"
       "m.yaml:1:84: regularizer shrink has no parameter 'a'; leave it out (it has: none)"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    check_fault(cases[i].text, AB_KIND_MODEL, AB_ROLE_NONE, cases[i].code, cases[i].message);
}

static void test_deep(void) {
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 60; i++) g_string_append(text, "{plugin: pair, first: tiny, second: ");
  g_string_append(text, "tiny");
  for (int i = 0; i < 60; i++) g_string_append_c(text, '}');
  Bound self = bind_fine(text->str, AB_KIND_MODEL);
  g_assert_cmpuint(self.binder.instances->len, ==, 121);
  drop(&self);
  g_string_free(text, TRUE);
}

/* ---- fragments: what `abhost inspect` offers for pasting is taken ---------------------------- */

static void test_fragments(void) {
  const GPtrArray *entries = registry_entries(registry);
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    g_autoptr(Node) fragment = inspect_fragment(registry, component);
    const Node *part = fragment->items->pdata[0];
    if (part->kind == NODE_SEQUENCE) part = part->items->pdata[0];
    char *text = node_emit(part);
    Bound self = bind_fine(text, component->kind);
    g_assert_true(self.instance->component == component);
    /* nothing of it is unusual: with the name alone the same comes out, where that is enough */
    Bound bare = bind_text(component->name, component->kind, AB_ROLE_NONE);
    if (bare.instance) {
      char *filled = node_emit(self.resolved), *alone = node_emit(bare.resolved);
      g_assert_cmpstr(filled, ==, alone);
      g_free(filled);
      g_free(alone);
    }
    drop(&bare);
    drop(&self);
    g_free(text);
  }
}

/* ---- plain structs ------------------------------------------------------------------------- */

typedef struct {
  int64_t every;
  const char *folder;
} Plain;

static void *chunk_alloc(void *owner, gsize size) {
  void *memory = g_malloc(size);
  g_ptr_array_add(owner, memory);
  return memory;
}

static void test_plain(void) {
  static const AbParam params[] = {
      AB_PARAM_INT(Plain, every, 5, 1, G_MAXINT64, "epochs", "How often."),
      AB_PARAM_PATH(Plain, folder, "runs", "Where."),
  };
  static const char *const ignore[] = {"keep", NULL};
  const char *text = "{every: 3, keep: [whatever]}";
  Plain plain;
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(Node) node = node_parse(text, strlen(text), "/a/m.yaml", diagnostics);
  g_autoptr(Node) resolved = node_mapping();
  bind_params(node, params, AB_COUNT(params), sizeof(AbParam), &plain, chunk_alloc, memory, ignore,
              "checkpoint", resolved, diagnostics);
  g_assert_cmpint(plain.every, ==, 3);
  g_assert_cmpstr(plain.folder, ==, "/a/runs"); /* a default, too, is relative to the manifest */
  char *emitted = node_emit(resolved);
  g_assert_cmpstr(emitted, ==, "every: 3\nfolder: /a/runs\n");
  g_free(emitted);
  bind_params(NULL, params, AB_COUNT(params), sizeof(AbParam), &plain, chunk_alloc, memory, ignore,
              "checkpoint", NULL, diagnostics);
  g_assert_cmpint(plain.every, ==, 5);
  g_assert_cmpuint(diagnostics_count(diagnostics), ==, 0);
  g_autoptr(Node) scalar = node_scalar("3");
  bind_params(scalar, params, AB_COUNT(params), sizeof(AbParam), &plain, chunk_alloc, memory,
              ignore, "checkpoint", NULL, diagnostics);
  g_autoptr(GError) error = NULL;
  g_assert_false(diagnostics_check(diagnostics, &error));
  g_assert_cmpstr(error->message, ==,
                  "checkpoint: a scalar is no mapping; write {key: value, ...}");
  diagnostics_free(diagnostics);
}

int main(int argc, char **argv) {
  g_unsetenv("ABHOST_PLUGIN_PATH");
  g_test_init(&argc, &argv, NULL);
  char *folder = g_dir_make_tmp("abhost-bind-XXXXXX", NULL), *bytes;
  char *from = g_strdup_printf("%s/good.so", g_getenv("ABHOST_TEST_FIXTURES"));
  char *to = g_build_filename(folder, "good.so", NULL);
  gsize size;
  if (!g_file_get_contents(from, &bytes, &size, NULL)) g_error("there is no %s", from);
  g_file_set_contents(to, bytes, (gssize)size, NULL);
  registry = registry_new((const char *const[]){folder, NULL}, NULL);
  ctx = ab_context_new("reference", AB_F32, 1);
  g_assert_nonnull(registry);
  g_assert_nonnull(ctx);
  g_test_add_func("/bind/defaults", test_defaults);
  g_test_add_func("/bind/values", test_values);
  g_test_add_func("/bind/absent", test_absent);
  g_test_add_func("/bind/paths", test_paths);
  g_test_add_func("/bind/again", test_again);
  g_test_add_func("/bind/mistakes", test_mistakes);
  g_test_add_func("/bind/components", test_components);
  g_test_add_func("/bind/slots", test_slots);
  g_test_add_func("/bind/slots-again", test_slots_again);
  g_test_add_func("/bind/slot-mistakes", test_slot_mistakes);
  g_test_add_func("/bind/deep", test_deep);
  g_test_add_func("/bind/fragments", test_fragments);
  g_test_add_func("/bind/plain", test_plain);
  int status = g_test_run();
  ab_context_free(ctx);
  registry_free(registry);
  g_unlink(to);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_free(bytes);
  g_free(to);
  g_free(from);
  g_free(folder);
  return status;
}
