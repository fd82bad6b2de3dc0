/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost man`: every command and option has its place, man reads the pages without a complaint,
 * and docs/ has what the program says. */
#include "cli-test.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- pages of commands ----------------------------------------------------------------------- */

/* "--output" and so on: of the lines below "Options:" that begin with one. */
static GPtrArray *help_options(const char *help) {
  GPtrArray *options = g_ptr_array_new_with_free_func(g_free);
  const char *start = strstr(help, "\nOptions:\n");
  g_assert_nonnull(start);
  g_auto(GStrv) lines = g_strsplit(start + 1, "\n", -1);
  for (guint i = 1; lines[i] && *lines[i]; i++) {
    const char *line = g_strchug(lines[i]), *option = strstr(line, "--");
    if (option && *line == '-')
      g_ptr_array_add(options, g_strndup(option, strcspn(option, "= \n")));
  }
  return options;
}

/* What a reader sees of roff where there is nothing but escaped hyphens. */
static char *plain(const char *roff) {
  GString *text = g_string_new(roff);
  g_string_replace(text, "\\-", "-", 0);
  return g_string_free(text, FALSE);
}

static void assert_options(const char *name, const char *page, const char *markdown) {
  g_autoptr(CliResult) help = cli_run(name, "--help", NULL);
  g_autoptr(GPtrArray) options = help_options(help->out);
  g_assert_cmpuint(options->len, >=, 1);
  for (guint i = 0; i < options->len; i++) {
    g_autofree char *escaped = g_regex_escape_string(options->pdata[i], -1);
    g_autofree char *pattern = g_strdup_printf("%s\\b", escaped);
    if (!g_regex_match_simple(pattern, page, 0, 0) ||
        !g_regex_match_simple(pattern, markdown, 0, 0))
      g_error("%s: %s is not in its page", name, (char *)options->pdata[i]);
  }
}

/* From a heading, which ends its line, to the next of its level. */
static char *section_of(const char *page, const char *heading, const char *next) {
  const char *start = strstr(page, heading);
  g_assert_nonnull(start);
  const char *body = start + strlen(heading) - 1, *end = strstr(body, next);
  return g_strndup(start, end ? (gsize)(end - start) : strlen(start));
}

static void test_commands(void) {
  g_autoptr(GPtrArray) names = cli_commands();
  g_autoptr(CliResult) all = cli_run("man", NULL);
  g_autoptr(CliResult) docs = cli_run("man", "--markdown", NULL);
  cli_assert_status(all, 0);
  cli_assert_status(docs, 0);
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    g_autofree char *heading = g_strdup_printf("\n## abhost %s\n", name);
    g_autofree char *see = g_strdup_printf(".BR abhost\\-%s (1),\n", name);
    g_autoptr(CliResult) page = cli_run("man", name, NULL);
    cli_assert_status(page, 0);
    g_assert_nonnull(strstr(all->out, see));
    g_autofree char *text = section_of(docs->out, heading, "\n## ");
    g_autofree char *roff = plain(page->out);
    assert_options(name, roff, text);
  }
}

static void test_usage(void) {
  g_autoptr(CliResult) none = cli_run("man", "manifesto", NULL);
  cli_assert_status(none, AB_USAGE);
  cli_assert_says(none, "'manifesto' is no page", "did you mean 'manifest'?", NULL);
  g_autoptr(CliResult) both = cli_run("man", "run", "--output", "pages", NULL);
  cli_assert_status(both, AB_USAGE);
  g_assert_false(cli_exists("pages"));
  cli_write("file", "");
  g_autoptr(CliResult) within = cli_run("man", "--output", "file", NULL);
  cli_assert_status(within, AB_IO);
  cli_assert_says(within, "file/man1", NULL);
}

/* ---- pages of components --------------------------------------------------------------------- */

static void assert_member(const char *page, JsonObject *object, const char *name) {
  const char *text = json_object_get_string_member(object, name);
  g_autoptr(GString) escaped = g_string_new(text);
  for (const char *sign = "\\*<>[]"; *sign; sign++) { /* as Markdown wants them */
    char bare[] = {*sign, '\0'}, guarded[] = {'\\', *sign, '\0'};
    g_string_replace(escaped, bare, guarded, 0);
  }
  if (!strstr(page, text) && !strstr(page, escaped->str)) g_error("not in the page: %s", text);
}

static const char *const examined[] = {"model/rbm", "model/auto-encoder", "model/cnn", "data/csv",
                                       "controller/dqn"};

static void assert_component(const char *page, const char *name) {
  g_autofree char *heading = g_strdup_printf("\n### %s\n", name);
  g_autoptr(CliResult) shown = cli_run("inspect", name, "--json", NULL);
  g_autoptr(JsonNode) root = cli_json(shown->out);
  JsonArray *all = json_object_get_array_member(json_node_get_object(root), "components");
  JsonObject *one = json_array_get_object_element(all, 0);
  g_autofree char *text = section_of(page, heading, "\n### ");
  assert_member(text, one, "doc");
  assert_member(text, one, "citation");
  static const char *const tables[] = {"parameters", "slots"};
  for (guint t = 0; t < G_N_ELEMENTS(tables); t++) {
    JsonArray *rows = json_object_get_array_member(one, tables[t]);
    for (guint i = 0; i < json_array_get_length(rows); i++) {
      JsonObject *row = json_array_get_object_element(rows, i);
      g_autofree char *item =
          g_strdup_printf("- `%s` (", json_object_get_string_member(row, "key"));
      g_assert_nonnull(strstr(text, item));
      assert_member(text, row, "doc");
    }
  }
  JsonArray *roles = json_object_get_array_member(one, "roles");
  for (guint i = 0; i < json_array_get_length(roles); i++)
    g_assert_nonnull(strstr(strstr(text, "\nRoles: "), json_array_get_string_element(roles, i)));
}

static void test_components(void) {
  g_autoptr(CliResult) page = cli_run("man", "components", "--markdown", NULL);
  g_autoptr(CliResult) list = cli_run("list", "--json", NULL);
  g_autoptr(JsonNode) listed = cli_json(list->out);
  JsonArray *all = json_object_get_array_member(json_node_get_object(listed), "components");
  cli_assert_status(page, 0);
  for (guint i = 0; i < json_array_get_length(all); i++) {
    JsonObject *one = json_array_get_object_element(all, i);
    g_autofree char *heading =
        g_strdup_printf("\n### %s/%s\n", json_object_get_string_member(one, "kind"),
                        json_object_get_string_member(one, "name"));
    g_assert_nonnull(strstr(page->out, heading));
    assert_member(page->out, one, "doc");
  }
  for (guint i = 0; i < G_N_ELEMENTS(examined); i++) assert_component(page->out, examined[i]);
}

/* ---- all pages, as they are installed -------------------------------------------------------- */

/* Every file below a folder, "man1/abhost.1". */
static GPtrArray *files_below(const char *folder) {
  GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
  GDir *dir = g_dir_open(folder, 0, NULL);
  g_assert_nonnull(dir);
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
      g_ptr_array_add(files, g_steal_pointer(&path));
      continue;
    }
    g_autoptr(GPtrArray) below = files_below(path);
    for (guint i = 0; i < below->len; i++) g_ptr_array_add(files, g_strdup(below->pdata[i]));
  }
  g_dir_close(dir);
  return files;
}

static void assert_pure(const char *path) {
  g_autofree char *text = cli_read(path);
  g_assert_null(strstr(text, g_getenv("ABHOST_SOURCE_ROOT")));
  g_assert_null(strstr(text, g_getenv("ABHOST_PLUGIN_PATH")));
  for (const char *at = text; *at; at++) g_assert_cmpint(*at, >, 0); /* ASCII */
}

/* One page through groff, which is to say nothing. */
static gboolean groff_is_silent(const char *path) {
  const char *const argv[] = {"groff", "-man", "-ww", "-z", "-Tutf8", path, NULL};
  g_autoptr(CliResult) result = cli_spawn(NULL, argv);
  if (result->status == 127) {
    g_test_skip("there is no groff (Debian: groff-base)");
    return FALSE;
  }
  cli_assert_status(result, 0);
  if (*result->err) g_error("%s: %s", path, result->err);
  return TRUE;
}

static void test_roff(void) {
  g_autoptr(CliResult) written = cli_run("man", "--output", "share", NULL);
  cli_assert_status(written, 0);
  g_assert_cmpstr(written->out, ==, "");
  g_autoptr(GPtrArray) names = cli_commands(), files = files_below("share");
  g_assert_cmpuint(files->len, ==, names->len + 3); /* abhost, manifest, components */
  g_assert_true(cli_exists("share/man1/abhost.1"));
  g_assert_true(cli_exists("share/man5/abhost-manifest.5"));
  g_assert_true(cli_exists("share/man7/abhost-components.7"));
  for (guint i = 0; i < files->len; i++) {
    assert_pure(files->pdata[i]);
    g_autofree char *name = g_path_get_basename(files->pdata[i]);
    g_autofree char *text = cli_read(files->pdata[i]);
    *strrchr(name, '.') = '\0';
    g_autofree char *head = g_ascii_strup(name, -1);
    g_autofree char *title = g_strdup_printf(".TH %s ", head);
    g_assert_true(g_str_has_prefix(text, title));
    if (!groff_is_silent(files->pdata[i])) return;
  }
}

/* ---- docs/ ----------------------------------------------------------------------------------- */

static void test_docs(void) {
  g_autoptr(CliResult) written = cli_run("man", "--markdown", "--output", "docs", NULL);
  cli_assert_status(written, 0);
  g_autoptr(GPtrArray) files = files_below("docs");
  g_assert_cmpuint(files->len, ==, 3);
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *source =
        g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), files->pdata[i], NULL);
    g_autofree char *now = cli_read(files->pdata[i]), *kept = NULL;
    g_file_get_contents(source, &kept, NULL, NULL);
    if (g_strcmp0(now, kept) != 0)
      g_error("%s is not what the program says; run: make && tools/reference",
              (char *)files->pdata[i]);
  }
}

int main(int argc, char **argv) {
  g_setenv("XDG_DATA_HOME", "/nonexistent", TRUE); /* docs/ has what is shipped */
  cli_init(&argc, &argv);
  g_test_add_func("/manual/commands", test_commands);
  g_test_add_func("/manual/usage", test_usage);
  g_test_add_func("/manual/components", test_components);
  g_test_add_func("/manual/roff", test_roff);
  g_test_add_func("/manual/docs", test_docs);
  return cli_finish();
}
