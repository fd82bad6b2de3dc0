/* SPDX-License-Identifier: Apache-2.0
 *
 * The YAML tree: messages by their text, the tree against libyaml's own document loader, emitting
 * against literal YAML and by round trips, and mutated documents.                               */
#include "manifest/node.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <yaml.h>

static Node *parse(const char *text, Diagnostics *diagnostics) {
  return node_parse(text, strlen(text), "m.yaml", diagnostics);
}

/* Checks and frees the diagnostics; NULL stands for none. */
static void check_messages(Diagnostics *diagnostics, AbCode code, const char *expected) {
  g_autoptr(GError) error = NULL;
  gboolean fine = diagnostics_check(diagnostics, &error);
  diagnostics_free(diagnostics);
  g_assert_cmpstr(error ? error->message : NULL, ==, expected);
  g_assert_true(fine == (expected == NULL));
  if (expected) g_assert_cmpint(error->code, ==, code);
}

static Node *parse_fine(const char *text) {
  Diagnostics *diagnostics = diagnostics_new();
  Node *node = parse(text, diagnostics);
  check_messages(diagnostics, AB_OK, NULL);
  g_assert_nonnull(node);
  return node;
}

/* An error after which there is no tree. */
static void check_fatal(const char *text, const char *expected) {
  Diagnostics *diagnostics = diagnostics_new();
  g_assert_null(parse(text, diagnostics));
  check_messages(diagnostics, AB_CONFIG, expected);
}

/* An error after which there is one, of this YAML. */
static void check_mild(const char *text, const char *expected, const char *yaml) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) node = parse(text, diagnostics);
  check_messages(diagnostics, AB_CONFIG, expected);
  g_assert_nonnull(node);
  g_autofree char *emitted = node_emit(node);
  g_assert_cmpstr(emitted, ==, yaml);
}

static void check_yaml(const Node *node, const char *expected) {
  g_autofree char *emitted = node_emit(node);
  g_assert_cmpstr(emitted, ==, expected);
}

static void check_place(const Node *node, const char *expected) {
  g_autofree char *place = node_place(node);
  g_assert_cmpstr(place, ==, expected);
}

static void test_places(void) {
  g_autoptr(Node) root = parse_fine("# comment\r\na: 1\r\nüü: [x, 'y']\r\nc:\r\n  d: \"e\"\r\n");
  g_assert_cmpint(root->kind, ==, NODE_MAPPING);
  check_place(root, "m.yaml:2:1");
  check_place(node_get(root, "a"), "m.yaml:2:4");
  check_place(node_get_key(root, "üü"), "m.yaml:3:1");
  const Node *list = node_get(root, "üü");
  g_assert_cmpint(list->kind, ==, NODE_SEQUENCE);
  check_place(list, "m.yaml:3:5"); /* characters, not bytes */
  const Node *x = list->items->pdata[0], *y = list->items->pdata[1];
  check_place(y, "m.yaml:3:9");
  g_assert_false(x->quoted);
  g_assert_true(y->quoted);
  check_place(node_get(node_get(root, "c"), "d"), "m.yaml:5:6");
  g_assert_null(node_get(root, "z"));
  g_assert_null(node_get_key(root, "z"));
  g_assert_null(node_get(list, "a"));
}

static void test_empty(void) {
  const char *const texts[] = {"", "\n", "# nothing\n", "---\n", "\xEF\xBB\xBF", "--- # x\n...\n"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(Node) root = parse_fine(texts[i]);
    check_yaml(root, "{}\n");
  }
  g_autoptr(Node) bom = parse_fine("\xEF\xBB\xBF"
                                   "a: 1\n");
  check_place(node_get_key(bom, "a"), "m.yaml:1:1");
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) nothing = node_parse(NULL, 0, "m.yaml", diagnostics);
  g_assert_nonnull(nothing);
  check_messages(diagnostics, AB_OK, NULL);
}

static void test_building(void) {
  g_autoptr(Node) root = node_mapping();
  Node *list = node_sequence();
  node_put(root, "seed", node_scalar_printf("%d", 7));
  node_put(root, "list", list);
  node_put(root, "name", node_scalar("no"));
  node_append(list, node_scalar("x"));
  node_put(root, "seed", node_scalar("8"));
  g_assert_cmpstr(node_get(root, "seed")->text, ==, "8");
  g_assert_null(node_place(root));
  check_yaml(root, "seed: 8\nlist: [x]\nname: no\n");
  g_autoptr(Node) copy = node_copy(root);
  g_assert_true(node_remove(root, "list"));
  g_assert_false(node_remove(root, "list"));
  check_yaml(root, "seed: 8\nname: no\n");
  check_yaml(copy, "seed: 8\nlist: [x]\nname: no\n");
  node_free(NULL);
}

static void test_show(void) {
  const struct {
    const char *text, *shown;
  } cases[] = {{"a b", "'a b'"},
               {"", "''"},
               {"a\nb\t\x01", "'a\\nb\\t\\u0001'"},
               {"ü\xff", "'ü\xEF\xBF\xBD'"},
               {"123456789 123456789 123456789 123456789 123456789 123456789 1",
                "'123456789 123456789 123456789 123456789 123456789 123456789 ...'"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *shown = node_show(cases[i].text);
    g_assert_cmpstr(shown, ==, cases[i].shown);
  }
}

static void test_aliases(void) {
  g_autoptr(Node) root = parse_fine("a: &x {u: [1, &y 2]}\nb: *x\nc: *y\n*y : d\n<<: *x\n");
  check_yaml(root, "a:\n  u: [1, 2]\nb:\n  u: [1, 2]\nc: 2\n2: d\n<<:\n  u: [1, 2]\n");
  check_place(node_get(root, "b"), "m.yaml:2:4");
  check_place(node_get(node_get(root, "b"), "u"), "m.yaml:1:11");
  check_place(node_get_key(root, "2"), "m.yaml:4:1");
  g_autoptr(Node) again = parse_fine("[&x a, *x, &x b, *x, &x [&x c, *x], *x]");
  check_yaml(again, "- a\n- a\n- b\n- b\n- [c, c]\n- c\n");
}

static void test_alias_errors(void) {
  check_mild("a: *x\n", "m.yaml:1:4: the alias '*x' has no anchor '&x' above it", "a:\n");
  check_mild("a: &x [1, *x]\n",
             "m.yaml:1:11: the alias '*x' lies inside of its own anchor '&x'; a tree cannot hold "
             "itself",
             "a:\n- 1\n-\n");
  /* what stands in a dropped value can still be meant */
  check_mild("a: 1\na: &x [2]\n[&y k]: &z 3\nb: [*x, *y, *z]\n",
             "m.yaml:2:1: duplicate key 'a': line 1 has it already\n"
             "m.yaml:3:1: a key must be a text, not a sequence; put quotes around it",
             "a: 1\nb:\n- [2]\n- k\n- 3\n");
}

static void test_duplicates(void) {
  check_mild("a: 1\nb: {c: 1, c: 2}\na: 3\n'a': 4\n",
             "m.yaml:2:11: duplicate key 'c': column 5 of this line has it already\n"
             "m.yaml:3:1: duplicate key 'a': line 1 has it already\n"
             "m.yaml:4:1: duplicate key 'a': line 1 has it already",
             "a: 1\nb:\n  c: 1\n");
}

static void test_mild_errors(void) {
  check_mild("a: !!python/name:os.system x\nb: !foo [1]\nc: !!str 1\nd: ! 2\n",
             "m.yaml:1:4: the tag '!!python/name:os.system' has no meaning here; leave it out\n"
             "m.yaml:2:4: the tag '!foo' has no meaning here; leave it out\n"
             "m.yaml:3:4: the tag '!!str' has no meaning here; leave it out\n"
             "m.yaml:4:4: the tag '!' has no meaning here; leave it out",
             "a: x\nb: [1]\nc: 1\nd: 2\n");
  check_mild("a: 1\n---\nb: 2\n",
             "m.yaml:2:1: a second document begins here; put it into a file of its own", "a: 1\n");
  check_mild("? {a: b}\n: 1\nc: 2\n",
             "m.yaml:1:3: a key must be a text, not a mapping; put quotes around it", "c: 2\n");
  check_mild("a: \"x\\0y\"\n", "m.yaml:1:4: a text cannot hold the character NUL (\\0)",
             "a: 'x'\n");
}

static void test_syntax_errors(void) {
  check_fatal("a: [1, 2\nb: 3\n",
              "m.yaml:2:2: did not find expected ',' or ']' while parsing a flow sequence (begun "
              "at line 1, column 4)");
  check_fatal("a:\n\tb: 1\n", "m.yaml:2:1: found character that cannot start any token while "
                              "scanning for the next token; indent with spaces, not tabs");
  check_fatal("a: @b\n", "m.yaml:1:4: found character that cannot start any token while scanning "
                         "for the next token; put quotes around a text that begins so");
  check_fatal("a: b: c\n", "m.yaml:1:5: mapping values are not allowed in this context; check the "
                           "indentation, or put quotes around a text with ': '");
  check_fatal("ü: 1\r\nb: \xC3\xBC\x07\n",
              "m.yaml:2:5: control characters are not allowed (U+0007); take it out, or write it "
              "as an escape in double quotes");
  check_fatal("a: !x!y 1\n", "m.yaml:1:4: found undefined tag handle while parsing a node");
  check_fatal(
      "a: 1\n]\n",
      "m.yaml:2:1: did not find expected key while parsing a block mapping (begun at line 1, column 1)");
  check_fatal("a: 'x", "m.yaml:1:6: found unexpected end of stream while scanning a quoted scalar "
                       "(begun at line 1, column 4)");
}

static void test_bytes(void) {
  check_fatal("ü: 1\r\nb: \xC3\xBC\xFFx\n",
              "m.yaml:2:5: the byte 0xFF is no UTF-8 text; save the file as UTF-8");
  check_fatal("a: b\xC3", "m.yaml:1:5: the byte 0xC3 is no UTF-8 text; save the file as UTF-8");
  check_fatal("\xFF\xFE"
              "a",
              "m.yaml:1:1: the byte 0xFF is no UTF-8 text; save the file as UTF-8");
  Diagnostics *diagnostics = diagnostics_new();
  g_assert_null(node_parse("a\0b", 3, "m.yaml", diagnostics));
  check_messages(diagnostics, AB_CONFIG,
                 "m.yaml:1:2: the byte 0x00 is no UTF-8 text; save the file as UTF-8");
}

static char *repeat(const char *text, guint times, const char *end) {
  GString *all = g_string_new(NULL);
  for (guint i = 0; i < times; i++) g_string_append(all, text);
  g_string_append(all, end);
  return g_string_free(all, FALSE);
}

static void test_limits(void) {
  GString *bomb = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
  for (int i = 1; i < 10; i++) {
    g_string_append_printf(bomb, "a%d: &a%d [", i, i);
    for (int j = 0; j < 10; j++) g_string_append_printf(bomb, "%s*a%d", j ? ", " : "", i - 1);
    g_string_append(bomb, "]\n");
  }
  check_fatal(bomb->str, "m.yaml:5:45: more than 100,000 nodes, aliases expanded");
  g_string_free(bomb, TRUE);

  g_autofree char *most = repeat("- x\n", 99999, ""); /* and the sequence itself */
  g_autoptr(Node) wide = parse_fine(most);
  g_assert_cmpuint(wide->items->len, ==, 99999);
  g_autofree char *more = repeat("- x\n", 100000, "");
  check_fatal(more, "m.yaml:100000:3: more than 100,000 nodes, aliases expanded");

  g_autofree char *open = repeat("[", 63, "x");
  g_autofree char *deepest = repeat("]", 63, "");
  g_autofree char *deep = g_strconcat(open, deepest, NULL);
  node_free(parse_fine(deep));
  g_autofree char *deeper = g_strdup_printf("[%s]", deep);
  check_fatal(deeper, "m.yaml:1:65: nested deeper than 64 levels, aliases expanded");
  g_autofree char *by_alias = g_strdup_printf("- &x %s\n- [*x]\n", deep + 1);
  by_alias[strlen(by_alias) - strlen("]\n- [*x]\n")] = ' ';
  check_fatal(by_alias, "m.yaml:2:4: nested deeper than 64 levels, aliases expanded");
  g_autofree char *abyss = repeat("[", 500000, "");
  check_fatal(abyss, "m.yaml:1:65: nested deeper than 64 levels, aliases expanded");
}

static void test_files(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp("node-XXXXXX", &error);
  g_assert_no_error(error);
  g_autofree char *path = g_build_filename(folder, "m.yaml", NULL);

  Diagnostics *diagnostics = diagnostics_new();
  g_assert_null(node_parse_file(path, diagnostics));
  g_autofree char *absent = g_strdup_printf("%s: cannot be read: No such file or directory", path);
  check_messages(diagnostics, AB_NO_INPUT, absent);
  diagnostics = diagnostics_new();
  g_assert_null(node_parse_file(folder, diagnostics));
  g_autofree char *no_file = g_strdup_printf("%s: cannot be read: Is a directory", folder);
  check_messages(diagnostics, AB_NO_INPUT, no_file);

  g_assert_true(g_file_set_contents(path, "a: [1\n", -1, NULL));
  diagnostics = diagnostics_new();
  g_assert_null(node_parse_file(path, diagnostics));
  g_autofree char *broken =
      g_strdup_printf("%s:2:1: did not find expected ',' or ']' while parsing "
                      "a flow sequence (begun at line 1, column 4)",
                      path);
  check_messages(diagnostics, AB_CONFIG, broken);

  const gsize limit = 4 * 1024 * 1024;
  g_autofree char *large = g_malloc(limit + 1);
  memset(large, '\n', limit + 1);
  g_assert_true(g_file_set_contents(path, large, (gssize)limit, NULL));
  diagnostics = diagnostics_new();
  g_autoptr(Node) root = node_parse_file(path, diagnostics);
  g_assert_nonnull(root);
  check_messages(diagnostics, AB_OK, NULL);
  g_assert_true(g_file_set_contents(path, large, (gssize)limit + 1, NULL));
  diagnostics = diagnostics_new();
  g_assert_null(node_parse_file(path, diagnostics));
  g_autofree char *heavy = g_strdup_printf(
      "%s: larger than 4 MiB, which no manifest needs to be; is it the right file?", path);
  check_messages(diagnostics, AB_DATA, heavy);
  g_assert_cmpint(g_remove(path), ==, 0);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
}

#define BASE "a:\n  b: [1, {c: 2}, x]\n  e: []\nlr: 1\n"

static void test_set_path(void) {
  const struct {
    const char *assignment, *yaml;
  } cases[] = {
      {"lr=1e-3", "a: {}\nlr: 1e-3\n"},
      {"lr=", "a: {}\nlr: ''\n"},
      {"new.deep.0={x: [1, 'y']}", "a: {}\nlr: 1\nnew:\n  deep:\n    0:\n      x: [1, 'y']\n"},
      {"a=[]", "a: []\nlr: 1\n"},
      {"a.b=x=y", "a:\n  b: x=y\nlr: 1\n"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Node) root = parse_fine("a: {}\nlr: 1\n");
    Diagnostics *diagnostics = diagnostics_new();
    node_set_path(root, cases[i].assignment, diagnostics);
    check_messages(diagnostics, AB_OK, NULL);
    check_yaml(root, cases[i].yaml);
  }
  g_autoptr(Node) root = parse_fine(BASE);
  Diagnostics *diagnostics = diagnostics_new();
  node_set_path(root, "a.b.1.c=[7, 8]", diagnostics);
  node_set_path(root, "a.b.0=9", diagnostics);
  node_set_path(root, "a.b.3=last", diagnostics);
  node_set_path(root, "a.b.4.k.l=1", diagnostics);
  node_set_path(root, "a.e.0=z", diagnostics);
  check_messages(diagnostics, AB_OK, NULL);
  check_yaml(root, "a:\n  b:\n  - 9\n  - c: [7, 8]\n  - x\n  - last\n  - k:\n      l: 1\n"
                   "  e: [z]\nlr: 1\n");
  const Node *b = node_get(node_get(root, "a"), "b");
  const Node *c = node_get(b->items->pdata[1], "c");
  check_place(c, "--set a.b.1.c");
  check_place(c->items->pdata[1], "--set a.b.1.c");
  check_place(node_get_key(b->items->pdata[1], "c"), "m.yaml:2:11");
  check_place(b->items->pdata[4], "--set a.b.4.k.l");
  check_place(node_get_key(b->items->pdata[4], "k"), "--set a.b.4.k.l");
}

static void test_set_path_errors(void) {
  const struct {
    const char *assignment;
    AbCode code;
    const char *message;
  } cases[] = {
      {"lr", AB_USAGE, "--set: 'lr' has no '='; write key.path=value"},
      {"=1", AB_USAGE, "--set: '=1' has an empty path element; write key.path=value"},
      {"a..b=1", AB_USAGE, "--set: 'a..b=1' has an empty path element; write key.path=value"},
      {"a.=1", AB_USAGE, "--set: 'a.=1' has an empty path element; write key.path=value"},
      {".a=1", AB_USAGE, "--set: '.a=1' has an empty path element; write key.path=value"},
      {"a\xff=1", AB_USAGE, "--set: 'a\xEF\xBF\xBD=1' is no UTF-8; write key.path=value"},
      {"a.b.4=1", AB_CONFIG,
       "--set a.b.4: '4' is no index into the sequence 'a.b', which has 3 items; use 0 to 2, or 3 "
       "to append"},
      {"a.b.-1=1", AB_CONFIG,
       "--set a.b.-1: '-1' is no index into the sequence 'a.b', which has 3 items; use 0 to 2, or "
       "3 to append"},
      {"a.b.99999999999999999999.c=1", AB_CONFIG,
       "--set a.b.99999999999999999999.c: '99999999999999999999' is no index into the sequence "
       "'a.b', which has 3 items; use 0 to 2, or 3 to append"},
      {"a.e.x=1", AB_CONFIG,
       "--set a.e.x: 'x' is no index into the sequence 'a.e', which has 0 items; use 0 to append"},
      {"lr.x.y=1", AB_CONFIG,
       "--set lr.x.y: 'lr' is the scalar '1' (m.yaml:4:5), which has no 'x'; set the whole of it "
       "instead"},
      {"lr=[1,", AB_CONFIG,
       "--set lr:1:4: did not find expected node content while parsing a flow "
       "node"},
      {"lr={a: 1, a: 2}", AB_CONFIG,
       "--set lr:1:8: duplicate key 'a': column 2 of this line has it already"},
      {"lr=!x 1", AB_CONFIG, "--set lr:1:1: the tag '!x' has no meaning here; leave it out"},
      {"lr=\xff", AB_USAGE, "--set: 'lr=\xEF\xBF\xBD' is no UTF-8; write key.path=value"},
      {"lr=a: b", AB_CONFIG,
       "--set lr: 'a: b' is no value in flow style; write {key: value} for a mapping, [a, b] for a "
       "sequence, and quotes around a text with ': ' or a leading '#' or '-'"},
      {"lr=#fff", AB_CONFIG,
       "--set lr: '#fff' is no value in flow style; write {key: value} for a mapping, [a, b] for a "
       "sequence, and quotes around a text with ': ' or a leading '#' or '-'"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Node) root = parse_fine(BASE);
    g_autofree char *before = node_emit(root);
    Diagnostics *diagnostics = diagnostics_new();
    node_set_path(root, cases[i].assignment, diagnostics);
    check_messages(diagnostics, cases[i].code, cases[i].message);
    check_yaml(root, before);
  }
  g_autofree char *path = repeat("a.", 63, "a=1");
  g_autofree char *message = repeat("a.", 63, "a: the value would lie deeper than 64 levels");
  g_autofree char *expected = g_strconcat("--set ", message, NULL);
  g_autoptr(Node) root = node_mapping();
  Diagnostics *diagnostics = diagnostics_new();
  node_set_path(root, path, diagnostics);
  check_messages(diagnostics, AB_CONFIG, expected);
  g_autofree char *open = repeat("[", 63, "");
  g_autofree char *close = repeat("]", 63, "");
  g_autofree char *deep = g_strconcat("a=", open, close, NULL);
  diagnostics = diagnostics_new();
  node_set_path(root, deep, diagnostics);
  node_set_path(root, path, diagnostics);
  check_messages(diagnostics, AB_CONFIG, expected);
  g_assert_cmpint(node_get(root, "a")->kind, ==, NODE_SEQUENCE);
  g_autoptr(Node) scalar = node_scalar("x");
  diagnostics = diagnostics_new();
  node_set_path(scalar, "a=1", diagnostics);
  check_messages(diagnostics, AB_CONFIG,
                 "--set a: the document is the scalar 'x', which has no 'a'; set the whole of it "
                 "instead");
}

static void test_read_int(void) {
  const struct {
    const char *text;
    gint64 value;
  } good[] = {{"0", 0},
              {"-0", 0},
              {"+7", 7},
              {"1000", 1000},
              {"1_000", 1000},
              {"1e3", 1000},
              {"12E+02", 1200},
              {"0e99999999999999999999", 0},
              {"9223372036854775807", G_MAXINT64},
              {"-9223372036854775808", G_MININT64},
              {"-9e18", -9000000000000000000}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autoptr(Node) node = node_scalar(good[i].text);
    gint64 value = 42;
    char *why = NULL;
    g_assert_true(node_read_int(node, &value, &why));
    g_assert_cmpint(value, ==, good[i].value);
    g_assert_null(why);
  }
  const struct {
    const char *text, *why;
  } bad[] = {
      {"12x", "'12x' is no integer"},
      {"", "'' is no integer"},
      {"-", "'-' is no integer"},
      {" 1", "' 1' is no integer"},
      {"1.0", "'1.0' is no integer"},
      {"1e", "'1e' is no integer"},
      {"1e-3", "'1e-3' is no integer"},
      {"1_", "'1_' is no integer"},
      {"_1", "'_1' is no integer"},
      {"1__0", "'1__0' is no integer"},
      {"+-1", "'+-1' is no integer"},
      {"0x10", "'0x10' is no integer"},
      {"0o7", "'0o7' is no integer"},
      {"010", "'010' is no integer (it begins with 0)"},
      {"9223372036854775808", "'9223372036854775808' is no integer of 64 bits (out of range)"},
      {"-9223372036854775809", "'-9223372036854775809' is no integer of 64 bits (out of range)"},
      {"1e19", "'1e19' is no integer of 64 bits (out of range)"},
      {"1e99999999999999999999",
       "'1e99999999999999999999' is no integer of 64 bits (out of range)"}};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Node) node = node_scalar(bad[i].text);
    gint64 value = 42;
    g_autofree char *why = NULL;
    g_assert_false(node_read_int(node, &value, &why));
    g_assert_cmpstr(why, ==, bad[i].why);
    g_assert_cmpint(value, ==, 42);
    g_assert_false(node_read_int(node, &value, NULL));
  }
}

static void test_read_real(void) {
  const struct {
    const char *text;
    double value;
  } good[] = {{"0", 0},           {"1e-4", 1e-4},        {"-1.5", -1.5}, {".5", .5},
              {"1.", 1},          {"1_000.5", 1e3 + .5}, {"+2E+2", 200}, {"0.1", 0.1},
              {"5e-324", 5e-324}, {"0e999", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autoptr(Node) node = node_scalar(good[i].text);
    double value = 42;
    g_assert_true(node_read_real(node, TRUE, &value, NULL));
    g_assert_cmpfloat(value, ==, good[i].value);
  }
  const struct {
    const char *text, *why;
  } bad[] = {{"12x", "'12x' is no number"},
             {"", "'' is no number"},
             {".", "'.' is no number"},
             {"1 ", "'1 ' is no number"},
             {"1,5", "'1,5' is no number"},
             {"1.e", "'1.e' is no number"},
             {"0x1p3", "'0x1p3' is no number"},
             {"infinity", "'infinity' is no number"},
             {"inf", "'inf' is no finite number"},
             {"-inf", "'-inf' is no finite number"},
             {".nan", "'.nan' is no finite number"},
             {"1e999", "'1e999' is no number of 64 bits (out of range)"},
             {"1e-999", "'1e-999' is no number of 64 bits (out of range)"}};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Node) node = node_scalar(bad[i].text);
    double value = 42;
    g_autofree char *why = NULL;
    g_assert_false(node_read_real(node, TRUE, &value, &why));
    g_assert_cmpstr(why, ==, bad[i].why);
    g_assert_cmpfloat(value, ==, 42);
  }
  g_autoptr(Node) low = node_scalar("-.inf"), nan = node_scalar("nan"), off = node_scalar("-nan");
  double value = 0;
  g_assert_true(node_read_real(low, FALSE, &value, NULL));
  g_assert_true(isinf(value) && value < 0);
  g_assert_true(node_read_real(nan, FALSE, &value, NULL));
  g_assert_true(isnan(value));
  g_assert_false(node_read_real(off, FALSE, &value, NULL));
}

static void test_read_other(void) {
  g_autoptr(Node) yes = node_scalar("true"), no = node_scalar("false"), other = node_scalar("yes");
  g_autoptr(Node) list = node_sequence(), map = node_mapping();
  gboolean truth = FALSE;
  gint64 integer = 0;
  double real = 0;
  g_assert_true(node_read_bool(yes, &truth, NULL) && truth);
  g_assert_true(node_read_bool(no, &truth, NULL) && !truth);
  char *why = NULL;
  g_assert_false(node_read_bool(other, &truth, &why));
  g_assert_cmpstr(why, ==, "'yes' is no boolean; write true or false");
  g_clear_pointer(&why, g_free);
  g_assert_false(node_read_bool(map, &truth, &why));
  g_assert_cmpstr(why, ==, "a mapping is no boolean; write true or false");
  g_clear_pointer(&why, g_free);
  g_assert_false(node_read_int(list, &integer, &why));
  g_assert_cmpstr(why, ==, "a sequence is no integer");
  g_clear_pointer(&why, g_free);
  g_assert_false(node_read_real(map, FALSE, &real, &why));
  g_assert_cmpstr(why, ==, "a mapping is no number");
  g_free(why);
}

static void test_emit(void) {
  const char *const stable[] = {
      "{}\n",
      "a: no\nb: 'no'\nc: 1e3\nd: ''\ne:\nf: ' leading'\ng: 'a: b'\nh: '#x'\n",
      "text: |\n  one\n    two\n\n  three\nend: |-\n  one\n  two\n",
      "- [a, b]\n- []\n- {}\n- k: [1]\n  l:\n  - [2]\n  - x: 1\n",
      "größe: [ß, 'a, b', \"tab\\t\"]\n",
      "? \"two\\nlines\"\n: 1\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(stable); i++) {
    g_autoptr(Node) root = parse_fine(stable[i]);
    check_yaml(root, stable[i]);
  }
  g_autoptr(Node) built = node_scalar("bad \xff");
  check_yaml(built, "bad \xEF\xBF\xBD\n");
  g_autoptr(Node) empty = node_scalar("");
  check_yaml(empty, "''\n");
  g_autoptr(Node) list = node_sequence();
  for (int i = 0; i < 40; i++) node_append(list, node_scalar("x"));
  g_autofree char *blocks = repeat("- x\n", 40, "");
  check_yaml(list, blocks);
}

static const char *const odd_texts[] = {
    "no",       "1e3",        "",           " leading",   "trailing ", "a: b",
    "a:b",      "two\nlines", "ünïcode",    "#x",         "a #b",      "- a",
    "-",        "--- a",      "...",        "a\n",        "\n",        "\n\n",
    "a\n\n",    " a\nb",      "a \nb",      "a\n b",      "\ta",       "a\tb\nc",
    "'",        "\"",         "it's",       "\\n",        "{a}",       "[a",
    "a, b",     "&a",         "*a",         "!a",         "|",         ">",
    "%a",       "@a",         "`a",         "? a",        "?",         ":",
    ": ",       "a:",         "null",       "~",          "true",      "<<",
    "=",        "\r",         "a\r\nb",     "\x01",       "\x7f",      "\xC2\x85",
    "a\u2028b", "\ufeff",     "\U0001F600", "\u200b\nx",  "---",       "--- \n",
    "---\nx",   "x\n---\ny",  "a\n...\nb",  "#\n#",       "\ufffe",    "http://x/y?z#w",
    "C:\\x",    " ",          "  \n  ",     "a\n\n\nb\n", "\ue000\nx"};

static char *random_text(void) {
  if (g_test_rand_bit())
    return g_strdup(odd_texts[g_test_rand_int_range(0, G_N_ELEMENTS(odd_texts))]);
  GString *text = g_string_new(NULL);
  const char alphabet[] = "ab01 \n\t:#-,[]{}'\"&*!|>%@`?\\._";
  for (gint i = g_test_rand_int_range(0, 12); i > 0; i--)
    g_string_append_c(text, alphabet[g_test_rand_int_range(0, (gint)sizeof alphabet - 1)]);
  if (g_test_rand_int_range(0, 20) == 0)
    while (text->len < 200) g_string_append(text, " long");
  return g_string_free(text, FALSE);
}

static Node *random_tree(gint depth) {
  gint kind = depth ? g_test_rand_int_range(0, 3) : 0;
  g_autofree char *text = random_text();
  Node *node = kind == 0 ? node_scalar(text) : kind == 1 ? node_sequence() : node_mapping();
  if (kind == 0) node->quoted = g_test_rand_bit() != 0;
  for (gint i = kind ? g_test_rand_int_range(0, 6) : 0; i > 0; i--) {
    g_autofree char *key = random_text();
    if (kind == 1)
      node_append(node, random_tree(depth - 1));
    else
      node_put(node, key, random_tree(depth - 1));
  }
  return node;
}

static gboolean is_word(const char *text) {
  return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(text);
}

static void check_equal(const Node *a, const Node *b) {
  g_assert_cmpint(a->kind, ==, b->kind);
  g_assert_cmpstr(a->text, ==, b->text);
  if (a->kind == NODE_SCALAR && (a->quoted || is_word(a->text)))
    g_assert_true(a->quoted == b->quoted);
  if (a->kind == NODE_SCALAR) return;
  g_assert_cmpuint(a->items->len, ==, b->items->len);
  for (guint i = 0; i < a->items->len; i++) {
    if (a->keys) check_equal(a->keys->pdata[i], b->keys->pdata[i]);
    check_equal(a->items->pdata[i], b->items->pdata[i]);
  }
}

static void test_round_trip(void) {
  for (guint round = 0; round < 1500; round++) {
    g_autoptr(Node) tree = random_tree(4);
    g_autofree char *text = node_emit(tree);
    Diagnostics *diagnostics = diagnostics_new();
    g_autoptr(Node) back = parse(text, diagnostics);
    if (!back || diagnostics_count(diagnostics)) g_test_message("%s", text);
    check_messages(diagnostics, AB_OK, NULL);
    check_equal(tree, back);
    g_autofree char *again = node_emit(back);
    g_assert_cmpstr(again, ==, text);
  }
}

/* The tree that libyaml's own loader makes of the same text. */
static void check_against(const Node *node, yaml_document_t *document, int index) {
  const yaml_node_t *other = yaml_document_get_node(document, index);
  if (other->type == YAML_SCALAR_NODE) {
    g_assert_cmpint(node->kind, ==, NODE_SCALAR);
    g_assert_cmpstr(node->text, ==, (const char *)other->data.scalar.value);
  } else if (other->type == YAML_SEQUENCE_NODE) {
    g_assert_cmpint(node->kind, ==, NODE_SEQUENCE);
    const yaml_node_item_t *items = other->data.sequence.items.start;
    g_assert_cmpint((int)node->items->len, ==, (int)(other->data.sequence.items.top - items));
    for (guint i = 0; i < node->items->len; i++)
      check_against(node->items->pdata[i], document, items[i]);
  } else {
    g_assert_cmpint(node->kind, ==, NODE_MAPPING);
    const yaml_node_pair_t *pairs = other->data.mapping.pairs.start;
    g_assert_cmpint((int)node->items->len, ==, (int)(other->data.mapping.pairs.top - pairs));
    for (guint i = 0; i < node->items->len; i++) {
      check_against(node->keys->pdata[i], document, pairs[i].key);
      check_against(node->items->pdata[i], document, pairs[i].value);
    }
  }
}

/* FALSE if the loader refuses the text (it knows no anchor that is set twice). */
static gboolean load_and_compare(const Node *node, const char *text, gsize length) {
  yaml_parser_t parser;
  yaml_document_t document;
  g_assert_true(yaml_parser_initialize(&parser));
  yaml_parser_set_input_string(&parser, (const yaml_char_t *)text, length);
  gboolean loaded = yaml_parser_load(&parser, &document);
  if (loaded) {
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    gboolean empty = !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0);
    if (!empty) check_against(node, &document, 1);
    yaml_document_delete(&document);
  }
  yaml_parser_delete(&parser);
  return loaded;
}

static const char *const documents[] = {
    "problem: reconstruct            # the role\nseed: 7\ndata:      {plugin: digits, batch: 100}\n"
    "model:     {plugin: auto-encoder, encoder: {plugin: mlp, units: [256, 32]}}\n"
    "regularizers: [{plugin: max-norm, limit: 3}]\noptimizer: {plugin: adam, lr: 1e-3}\n",
    "%YAML 1.1\n---\na: &x\n  - 1\n  - 'two'\n  - \"three\\n\"\nb: *x\n? complex\n: |\n  a\n   b\nc: >-\n  d\n",
    "\xEF\xBB\xBFgröße: ß\r\nlist:\r\n- - a\r\n  - b\r\n- {}\r\nempty:\r\n",
    "- plain text\n  over lines\n- [a: b, c]\n- &y {k: *y2, '<<': &y2 v}\n",
};

static void test_loader(void) {
  for (gsize i = 0; i < 3; i++) {
    g_autoptr(Node) node = parse_fine(documents[i]);
    g_assert_true(load_and_compare(node, documents[i], strlen(documents[i])));
  }
}

static void mutate(GString *text) {
  const char marks[] = ":-[]{}&*!'\"#,|>%?\n\t \\x\xFF";
  for (gint i = g_test_rand_int_range(1, 4); i > 0 && text->len; i--) {
    gssize at = g_test_rand_int_range(0, (gint)text->len);
    gssize length = g_test_rand_int_range(1, 9);
    char mark = marks[g_test_rand_int_range(0, (gint)sizeof marks)]; /* NUL too */
    switch (g_test_rand_int_range(0, 4)) {
    case 0: text->str[at] = (char)(text->str[at] ^ (1 << g_test_rand_int_range(0, 8))); break;
    case 1: text->str[at] = mark; break;
    case 2: g_string_insert_c(text, at, mark); break;
    default: g_string_erase(text, at, MIN(length, (gssize)text->len - at));
    }
  }
}

static void test_mutations(void) {
  guint compared = 0, refused = 0;
  for (guint round = 0; round < 6000; round++) {
    GString *text = g_string_new(documents[round % G_N_ELEMENTS(documents)]);
    mutate(text);
    Diagnostics *diagnostics = diagnostics_new();
    g_autoptr(Node) node = node_parse(text->str, text->len, "m.yaml", diagnostics);
    g_autoptr(GError) error = NULL;
    gboolean fine = diagnostics_check(diagnostics, &error);
    g_assert_true(fine == (diagnostics_count(diagnostics) == 0));
    if (!node) g_assert_false(fine);
    if (!fine) g_assert_true(g_str_has_prefix(error->message, "m.yaml:"));
    if (!fine) g_assert_true(g_utf8_validate(error->message, -1, NULL));
    refused += !fine;
    if (fine) compared += load_and_compare(node, text->str, text->len);
    if (node) {
      g_autofree char *emitted = node_emit(node);
      g_autoptr(Node) back = parse_fine(emitted);
      check_equal(node, back);
    }
    diagnostics_free(diagnostics);
    g_string_free(text, TRUE);
  }
  g_assert_cmpuint(compared, >, 500);
  g_assert_cmpuint(refused, >, 500);
}

static void test_set_mutations(void) {
  guint failed = 0;
  for (guint round = 0; round < 3000; round++) {
    g_autoptr(Node) root = parse_fine(BASE);
    g_autofree char *before = node_emit(root);
    GString *text = g_string_new(round % 2 ? "a.b.1.c={x: [1, 'y'], z: \"w\"}" : "a.b.3=[1, 2]");
    mutate(text);
    Diagnostics *diagnostics = diagnostics_new();
    node_set_path(root, text->str, diagnostics);
    if (diagnostics_count(diagnostics)) {
      check_yaml(root, before);
      failed++;
    }
    diagnostics_free(diagnostics);
    g_string_free(text, TRUE);
  }
  g_assert_cmpuint(failed, >, 300);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/node/places", test_places);
  g_test_add_func("/node/empty", test_empty);
  g_test_add_func("/node/building", test_building);
  g_test_add_func("/node/show", test_show);
  g_test_add_func("/node/aliases", test_aliases);
  g_test_add_func("/node/alias-errors", test_alias_errors);
  g_test_add_func("/node/duplicates", test_duplicates);
  g_test_add_func("/node/mild-errors", test_mild_errors);
  g_test_add_func("/node/syntax-errors", test_syntax_errors);
  g_test_add_func("/node/bytes", test_bytes);
  g_test_add_func("/node/limits", test_limits);
  g_test_add_func("/node/files", test_files);
  g_test_add_func("/node/set-path", test_set_path);
  g_test_add_func("/node/set-path-errors", test_set_path_errors);
  g_test_add_func("/node/read-int", test_read_int);
  g_test_add_func("/node/read-real", test_read_real);
  g_test_add_func("/node/read-other", test_read_other);
  g_test_add_func("/node/emit", test_emit);
  g_test_add_func("/node/round-trip", test_round_trip);
  g_test_add_func("/node/loader", test_loader);
  g_test_add_func("/node/mutations", test_mutations);
  g_test_add_func("/node/set-mutations", test_set_mutations);
  return g_test_run();
}
