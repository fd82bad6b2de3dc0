/* SPDX-License-Identifier: Apache-2.0
 *
 * What is made from tables: that the tables of sections and settings agree, that pages escape what
 * their form would take for its own, that keys follow the manifest. */
#include "manifest/sections.h"
#include "manifest/settings.h"
#include "reference/keys.h"
#include "reference/page.h"

#include <string.h>

/* ---- tables ---------------------------------------------------------------------------------- */

/* The keys of a mapping that are settings are those that its tables have. */
static void assert_keys(const char *section, const char *const *keys) {
  const SettingsTable *own = settings_table(section);
  g_autofree char *below = g_strdup_printf("%s.", section);
  guint count = own->count;
  for (guint i = 0; i < own->count; i++) g_assert_true(g_strv_contains(keys, own->params[i].key));
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    if (!g_str_has_prefix(table->section, below)) continue;
    g_assert_true(g_strv_contains(keys, table->section + strlen(below)));
    count++;
  }
  g_assert_cmpuint(g_strv_length((char **)keys), ==, count);
}

static void test_settings(void) {
  assert_keys("data", settings_data_keys);
  assert_keys("environment", settings_environment_keys);
  assert_keys("optimizer", settings_optimizer_keys);
  settings_fill();
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    g_assert_true(table->doc && *table->doc);
    for (guint i = 0; i < table->count; i++)
      g_assert_true(table->params[i].type != AB_TYPE_CHOICE || table->params[i].choices[0]);
  }
}

static void test_sections(void) {
  g_autofree const char **names = section_names();
  for (guint i = 0; names[i]; i++)
    for (guint j = 0; j < i; j++) g_assert_cmpstr(names[i], !=, names[j]);
  g_assert_true(g_strv_contains(names, "metrics"));
  g_assert_true(g_strv_contains(names, "seed"));
  g_assert_true(g_strv_contains(names, "clip"));
  g_assert_false(g_strv_contains(names, "data.transform"));
  g_assert_false(g_strv_contains(names, ""));
}

/* ---- pages ----------------------------------------------------------------------------------- */

static char *page(PageForm form, const char *text) {
  Page *self = page_new(form, "name", 1, "Name");
  page_paragraph(self, "%s", text);
  return page_finish(self);
}

static void assert_page(PageForm form, const char *text, const char *expected) {
  g_autofree char *all = page(form, text);
  if (!g_str_has_suffix(all, expected)) g_error("'%s' gives: %s", text, all);
}

static void test_roff(void) {
  assert_page(PAGE_ROFF, ".br 'x'", ".PP\n\\&.br \\(aqx\\(aq\n");
  assert_page(PAGE_ROFF, "a\n'b", "a\n\\&\\(aqb\n");
  assert_page(PAGE_ROFF, "C:\\n -x ^~", "C:\\(rsn \\-x \\(ha\\(ti\n");
  assert_page(PAGE_ROFF, "run `abhost -x`.", "run \\fBabhost \\-x\\fR.\n");
  assert_page(PAGE_ROFF, "Jürgen", "J\\[u00FC]rgen\n");
}

static void test_markdown(void) {
  assert_page(PAGE_MARKDOWN, "[a] * <b>", "\n\\[a\\] \\* \\<b\\>\n");
  assert_page(PAGE_MARKDOWN, "`[a] *` drop_last", "\n`[a] *` drop_last\n");
}

static void test_prose(void) {
  Page *self = page_new(PAGE_MARKDOWN, "name", 1, "Name");
  page_prose(self, "One\nline:\n  code *x*\n  more\nand\n\nmore.");
  page_item(self, "term", "note", "text");
  page_indent(self);
  page_item(self, "inner", NULL, "");
  page_outdent(self);
  g_autofree char *text = page_finish(self);
  const char *body = strstr(text, "# Name\n") + strlen("# Name\n");
  g_assert_cmpstr(body, ==,
                  "\nOne line:\n\n```\ncode *x*\nmore\n```\n\nand\n\nmore.\n\n"
                  "- `term` (note): text\n  - `inner`\n");
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const Key *find(const GPtrArray *keys, const char *path) {
  for (guint i = 0; i < keys->len; i++) {
    const Key *key = keys->pdata[i];
    if (strcmp(key->path, path) == 0) return key;
  }
  return NULL;
}

static GPtrArray *keys(const Registry *registry, const char *text) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) root = node_parse(text, strlen(text), "m.yaml", diagnostics);
  g_assert_cmpuint(diagnostics_count(diagnostics), ==, 0);
  diagnostics_free(diagnostics);
  return keys_of(registry, root);
}

static void test_keys(void) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new(NULL, &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) cnn = keys(registry, "problem: classify\n"
                                            "data: digits\n"
                                            "model: {plugin: cnn, blocks: [{}, {channels: 8}]}\n"
                                            "optimizer: {schedule: {plugin: cosine}}\n");
  g_assert_cmpint(find(cnn, "model.blocks.1.channels")->row->type, ==, AB_TYPE_INT);
  g_assert_null(find(cnn, "model.blocks.2.channels"));
  g_assert_cmpint(find(cnn, "model")->role, ==, AB_ROLE_CLASSIFY);
  g_assert_cmpint(find(cnn, "optimizer.schedule.plugin")->kind, ==, AB_KIND_SCHEDULE);
  g_assert_nonnull(find(cnn, "optimizer.lr")); /* of the default */
  g_assert_null(find(cnn, "data.batch"));      /* a name alone has no keys */
  g_assert_nonnull(find(cnn, "clip.norm"));
  for (guint i = 0; i < cnn->len; i++)
    g_assert_true(find(cnn, ((Key *)cnn->pdata[i])->path) == cnn->pdata[i]); /* each once */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/reference/settings", test_settings);
  g_test_add_func("/reference/sections", test_sections);
  g_test_add_func("/reference/roff", test_roff);
  g_test_add_func("/reference/markdown", test_markdown);
  g_test_add_func("/reference/prose", test_prose);
  g_test_add_func("/reference/keys", test_keys);
  return g_test_run();
}
