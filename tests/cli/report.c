/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost report`: pages made of folders that h5py wrote (report_folders.py) and of a run of our
 * own, loaded by a real browser without a screen. The page counts its own errors and, when asked
 * for (#check), looks whether its pictures are blank: see host/report/main.js. */
#include "cli-test.h"

#include <glib/gstdio.h>
#include <string.h>

#define PYTHON "/usr/bin/python3"

/* ---- folders --------------------------------------------------------------------------------- */

/* FALSE, and the test is skipped, where there is no h5py. */
static gboolean make_folders(void) {
  static gboolean made;
  const char *probe[] = {PYTHON, "-c", "import h5py", NULL};
  g_autofree char *script =
      g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "tests/cli/report_folders.py", NULL);
  const char *make[] = {PYTHON, script, ".", NULL};
  if (made) return TRUE;
  g_autoptr(CliResult) found = cli_spawn(NULL, probe);
  if (found->status != 0) {
    g_test_skip("h5py is not installed");
    return FALSE;
  }
  g_autoptr(CliResult) result = cli_spawn(NULL, make);
  cli_assert_status(result, 0);
  return made = TRUE;
}

/* Makes a page without a word on stderr. */
static void report(const char *folder) {
  g_autofree char *line = g_strdup_printf("%s/report.html\n", folder);
  g_autoptr(CliResult) result = cli_run("report", folder, NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  g_assert_cmpstr(result->out, ==, line);
}

/* ---- the browser ----------------------------------------------------------------------------- */

static gboolean have_browser(void) {
  g_autofree char *path = g_find_program_in_path("chromium");
  if (!path) g_test_skip("chromium is not installed");
  return path != NULL;
}

typedef enum { LIGHT, DARK } Theme;

/* The page's root element as the browser has it after its scripts; nothing was said on the console,
 * and nothing failed. */
static char *load(const char *page, Theme theme, int width) {
  g_autofree char *url = g_strdup_printf("file://%s/%s#check", cli_folder(), page);
  g_autofree char *profile = g_strdup_printf("--user-data-dir=%s/browser", cli_folder());
  g_autofree char *size = g_strdup_printf("--window-size=%d,900", width);
  const char *argv[] = {"chromium",
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-background-networking",
                        "--no-first-run",
                        "--enable-logging=stderr",
                        "--virtual-time-budget=2000",
                        profile,
                        size,
                        theme == DARK ? "--blink-settings=preferredColorScheme=0"
                                      : "--blink-settings=preferredColorScheme=1",
                        "--dump-dom",
                        url,
                        NULL};
  g_autoptr(CliResult) result = cli_spawn(NULL, argv);
  cli_assert_status(result, 0);
  if (strstr(result->err, "CONSOLE")) g_error("on the console:\n%s", result->err);
  const char *root = strstr(result->out, "<html");
  if (!root) g_error("the browser gave no page:\n%s", result->err);
  return g_strndup(root, strcspn(root, ">"));
}

static char *attribute(const char *root, const char *name) {
  g_autofree char *start = g_strdup_printf(" data-%s=\"", name);
  const char *at = strstr(root, start);
  if (!at) return NULL;
  at += strlen(start);
  return g_strndup(at, strcspn(at, "\""));
}

static void assert_attribute(const char *root, const char *name, const char *wanted) {
  g_autofree char *value = attribute(root, name);
  if (g_strcmp0(value, wanted) != 0) g_error("%s is not '%s': %s", name, wanted, root);
}

/* Loads a page that has these sections, of which these have pictures, none of them blank. */
static void assert_page(const char *page, Theme theme, int width, const char *sections,
                        const char *drawn) {
  g_autofree char *root = load(page, theme, width);
  assert_attribute(root, "ready", "yes");
  assert_attribute(root, "errors", "0");
  assert_attribute(root, "theme", theme == DARK ? "dark" : "light");
  assert_attribute(root, "sections", sections);
  assert_attribute(root, "drawn", drawn);
  assert_attribute(root, "blank", "");
  assert_attribute(root, "wide", "false");
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void test_run(void) {
  static const char sections[] = "results curves reconstruction samples latent boundary confusion "
                                 "scores weights wiring timings environment manifest";
  static const char drawn[] =
      "curves reconstruction samples latent boundary confusion scores weights timings";
  if (!make_folders()) return;
  report("run");
  if (!have_browser()) return;
  assert_page("run/report.html", LIGHT, 1200, sections, drawn);
  assert_page("run/report.html", DARK, 420, sections, drawn);
}

static void test_lines(void) {
  if (!make_folders()) return;
  report("lines");
  if (!have_browser()) return;
  assert_page("lines/report.html", LIGHT, 900,
              "results curves reconstruction samples boundary returns wiring timings environment "
              "manifest",
              "curves reconstruction samples boundary returns timings");
}

static void test_compare(void) {
  if (!make_folders()) return;
  report("compare");
  if (!have_browser()) return;
  assert_page("compare/report.html", DARK, 1200,
              "table failures bars cost curves reconstruction latent boundary roc runs",
              "bars cost curves reconstruction latent boundary roc");
}

/* A run of our own; the checkpoint knows the kinds of the components. */
static void test_own(void) {
  g_autofree char *manifest = cli_example("spiral.yaml");
  g_autoptr(CliResult) run =
      cli_run("run", manifest, "--epochs", "3", "--output", "own", "-q", NULL);
  cli_assert_status(run, 0);
  report("own");
  g_autofree char *page = cli_read("own/report.html");
  g_assert_nonnull(strstr(page, "\"kind\":\"optimizer\""));
  if (!have_browser()) return;
  g_autofree char *root = load("own/report.html", LIGHT, 1000);
  assert_attribute(root, "errors", "0");
  assert_attribute(root, "blank", "");
  g_autofree char *sections = attribute(root, "sections");
  g_assert_nonnull(strstr(sections, "curves"));
  g_assert_nonnull(strstr(sections, "wiring"));
}

/* A page that does fail is seen to: its data are cut off, and its picture has no bytes. */
static void test_fails(void) {
  if (!make_folders() || !have_browser()) return;
  report("lines");
  g_autofree char *page = cli_read("lines/report.html");
  g_auto(GStrv) parts = g_strsplit(page, "\"data\":\"", 2);
  g_autofree char *spoilt = g_strconcat(parts[0], "\"data\":\"\",\"x\":\"", parts[1], NULL);
  cli_write("spoilt.html", spoilt);
  g_autofree char *root = load("spoilt.html", LIGHT, 900);
  assert_attribute(root, "errors", "1");
  assert_attribute(root, "error", "reconstruction: its pictures are incomplete");
}

/* ---- the network ----------------------------------------------------------------------------- */

/* Nothing in the page's elements names another place, and the policy forbids all of them. */
static void test_alone(void) {
  if (!make_folders()) return;
  report("run");
  g_autofree char *page = cli_read("run/report.html");
  g_assert_nonnull(
      strstr(page, "content=\"default-src 'none'; img-src data:; script-src 'sha256-"));
  g_assert_false(g_regex_match_simple("<[a-z]+ [^>]*(src|href)\\s*=\\s*[\"'](?!#|data:)", page,
                                      G_REGEX_CASELESS, 0));
  g_assert_null(strstr(page, "@import"));
  g_assert_cmpuint(strlen(page), <, 1000000);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void test_errors(void) {
  cli_mkdir("empty");
  g_autoptr(CliResult) none = cli_run("report", NULL);
  cli_assert_status(none, AB_USAGE);
  g_autoptr(CliResult) absent = cli_run("report", "nowhere", NULL);
  cli_assert_status(absent, AB_NO_INPUT);
  cli_assert_says(absent, "nowhere", NULL);
  cli_assert_message(absent, 2);
  g_autoptr(CliResult) empty = cli_run("report", "empty", NULL);
  cli_assert_status(empty, AB_NO_INPUT);
  cli_assert_says(empty, "empty", "compare.json", NULL);
  g_assert_cmpuint(cli_count_entries("empty"), ==, 0);
}

/* A damaged file is named on stderr and in the page, which is written all the same. */
static void test_damage(void) {
  cli_mkdir("damaged");
  cli_write("damaged/metrics.jsonl",
            "{\"event\":\"epoch\",\"epoch\":1,\"train\":{\"loss\":1}}\n?\n");
  cli_write("damaged/results.h5", "\x89HDF\r\n\x1a\n and no more");
  g_autoptr(CliResult) result = cli_run("report", "damaged", "--output", "elsewhere.html", NULL);
  cli_assert_status(result, 0);
  cli_assert_says(result, "metrics.jsonl, line 2", "results.h5", NULL);
  cli_assert_message(result, 4);
  g_assert_cmpstr(result->out, ==, "elsewhere.html\n");
  g_assert_false(cli_exists("damaged/report.html"));
  if (have_browser())
    assert_page("elsewhere.html", LIGHT, 800, "results curves environment", "curves");
}

/* A full disk leaves the page that was there. */
static void test_full(void) {
  cli_mkdir("full");
  cli_write("full/result.json", "{}");
  cli_write("full/report.html", "before");
  g_autoptr(CliResult) result = cli_run_limited(100000, "report", "full", NULL);
  cli_assert_status(result, AB_IO);
  cli_assert_says(result, "full/report.html", NULL);
  cli_assert_message(result, 2);
  g_autofree char *text = cli_read("full/report.html");
  g_assert_cmpstr(text, ==, "before");
  g_assert_cmpuint(cli_count_entries("full"), ==, 2);
}

/* A program `xdg-open` in the folder bin, which alone is searched. */
static CliResult *open_with(const char *script) {
  g_autofree char *before = g_strdup(g_getenv("PATH"));
  g_autofree char *folder = g_build_filename(cli_folder(), "bin", NULL);
  cli_remove("bin");
  cli_mkdir("bin");
  if (script) cli_write("bin/xdg-open", script);
  if (script) g_assert_cmpint(g_chmod("bin/xdg-open", 0755), ==, 0);
  g_setenv("PATH", folder, TRUE);
  CliResult *result = cli_run("report", "opened", "--open", NULL);
  g_setenv("PATH", before, TRUE);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->out, ==, "opened/report.html\n");
  return result;
}

static void test_open(void) {
  cli_mkdir("opened");
  cli_write("opened/result.json", "{}");
  g_autofree char *wanted = g_strdup_printf("%s/opened/report.html\n", cli_folder());
  g_autoptr(CliResult) result = open_with("#!/bin/sh\necho \"$1\" >shown\n");
  g_assert_cmpstr(result->err, ==, "");
  g_autofree char *shown = cli_read("shown");
  g_assert_cmpstr(shown, ==, wanted);
  g_autoptr(CliResult) refused = open_with("#!/bin/sh\nexit 3\n");
  cli_assert_says(refused, "no browser", "opened/report.html", NULL);
  g_autoptr(CliResult) absent = open_with(NULL);
  cli_assert_says(absent, "no browser", "opened/report.html", NULL);
  cli_assert_message(absent, 1);
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/cli/report/run", test_run);
  g_test_add_func("/cli/report/lines", test_lines);
  g_test_add_func("/cli/report/compare", test_compare);
  g_test_add_func("/cli/report/own", test_own);
  g_test_add_func("/cli/report/fails", test_fails);
  g_test_add_func("/cli/report/alone", test_alone);
  g_test_add_func("/cli/report/errors", test_errors);
  g_test_add_func("/cli/report/damage", test_damage);
  g_test_add_func("/cli/report/full", test_full);
  g_test_add_func("/cli/report/open", test_open);
  return cli_finish();
}
