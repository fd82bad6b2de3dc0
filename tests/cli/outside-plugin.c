/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin in a folder outside the tree, built with nothing but what `pkg-config absdk` says of an
 * installation (a staged one). */
#include "cli-test.h"

#include <string.h>

static const char manifest[] = "problem: reconstruct\nseed: 3\nepochs: 20\n"
                               "data: {plugin: digits, batch: 50}\n"
                               "model: {plugin: linear-auto-encoder, units: 16}\n"
                               "optimizer: {plugin: adam, lr: 5e-3}\n";

static gboolean has_program(const char *name) {
  g_autofree char *path = g_find_program_in_path(name);
  return path != NULL;
}

/* The folder of the build: the program is in a folder of it. */
static char *build_folder(void) {
  g_autofree char *folder = g_path_get_dirname(g_getenv("ABHOST_PROGRAM"));
  return g_path_get_dirname(folder);
}

/* Full name of the folder that has a file of that name, below `folder`; NULL if none has. */
static char *find_folder(const char *folder, const char *name) {
  g_autofree char *file = g_build_filename(folder, name, NULL);
  if (cli_exists(file)) return g_strdup(folder);
  GDir *dir = g_dir_open(folder, 0, NULL);
  char *found = NULL;
  for (const char *entry; dir && !found && (entry = g_dir_read_name(dir));) {
    g_autofree char *inside = g_build_filename(folder, entry, NULL);
    if (g_file_test(inside, G_FILE_TEST_IS_DIR)) found = find_folder(inside, name);
  }
  if (dir) g_dir_close(dir);
  return found;
}

/* Installs below stage/ and points pkg-config there; FALSE if that cannot be done here. */
static gboolean install(void) {
  g_autofree char *build = build_folder();
  g_autofree char *stage = g_build_filename(cli_folder(), "stage", NULL);
  const char *const argv[] = {"meson",     "install", "-C",      build, "--no-rebuild",
                              "--destdir", stage,     "--quiet", NULL};
  g_autoptr(CliResult) result = cli_spawn(NULL, argv);
  g_autofree char *folder = result->status == 0 ? find_folder(stage, "absdk.pc") : NULL;
  if (!folder) return FALSE;
  g_setenv("PKG_CONFIG_PATH", folder, TRUE);
  g_setenv("PKG_CONFIG_SYSROOT_DIR", stage, TRUE);
  g_setenv("PKG_CONFIG_DISABLE_UNINSTALLED", "1", TRUE);
  return TRUE;
}

static gboolean prepare(void) {
  const char *missing = !has_program("cc")           ? "there is no C compiler"
                        : !has_program("pkg-config") ? "there is no pkg-config"
                        : !has_program("meson")      ? "there is no meson to install with"
                        : !install()                 ? "the build cannot be installed; build it all"
                                                     : NULL;
  if (missing) g_test_skip(missing);
  return !missing;
}

static void copy_example(const char *name, const char *folder) {
  g_autofree char *from = g_build_filename("plugin", name, NULL);
  g_autofree char *path = cli_example(from);
  g_autofree char *text = cli_read(path);
  g_autofree char *to = g_build_filename(folder, name, NULL);
  cli_mkdir(folder);
  cli_write(to, text);
}

static void build(const char *folder, const char *line) {
  const char *const argv[] = {"/bin/sh", "-c", line, NULL};
  g_autoptr(CliResult) result = cli_spawn(folder, argv);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
}

static void test_outside(void) {
  if (!prepare()) return;
  copy_example("linear-auto-encoder.c", "outside");
  build("outside", "cc -Wall -Wextra -shared -fPIC -o mine.so linear-auto-encoder.c "
                   "$(pkg-config --cflags --libs absdk)");
  g_autoptr(CliResult) absent = cli_run("list", "model", NULL);
  g_assert_null(strstr(absent->out, "linear-auto-encoder"));
  g_autoptr(CliResult) listed = cli_run("list", "model", "--plugin-path", "outside", NULL);
  cli_assert_status(listed, 0);
  g_assert_cmpstr(listed->err, ==, "");
  g_assert_nonnull(strstr(listed->out, "linear-auto-encoder"));
  cli_write("outside.yaml", manifest);
  g_autoptr(CliResult) result = cli_run("run", "outside.yaml", "--plugin-path", "outside",
                                        "--output", "run", "--json", "-q", NULL);
  cli_assert_status(result, 0);
  g_autoptr(JsonNode) json = cli_json(result->out);
  /* the first 16 principal components of the training digits leave 0.0122 of the test ones */
  g_assert_cmpfloat(cli_json_real(json, "test/mse"), >, 0.0115);
  g_assert_cmpfloat(cli_json_real(json, "test/mse"), <, 0.0150);
  g_autoptr(CliResult) resumed =
      cli_run("resume", "run", "--plugin-path", "outside", "--epochs", "21", "-q", NULL);
  cli_assert_status(resumed, 0);
  g_autoptr(CliResult) lost = cli_run("resume", "run", NULL);
  cli_assert_status(lost, AB_UNAVAILABLE);
  cli_assert_says(lost, "linear-auto-encoder", NULL);
}

static void test_makefile(void) {
  if (!has_program("make")) {
    g_test_skip("there is no make");
    return;
  }
  if (!prepare()) return;
  copy_example("linear-auto-encoder.c", "made");
  copy_example("Makefile", "made");
  build("made", "unset MAKEFLAGS MAKELEVEL; make");
  g_autoptr(CliResult) result =
      cli_run("inspect", "linear-auto-encoder", "--plugin-path", "made", NULL);
  cli_assert_status(result, 0);
  g_assert_nonnull(strstr(result->out, "Baldi"));
}

int main(int argc, char **argv) {
  cli_init(&argc, &argv);
  g_test_add_func("/outside-plugin/cc", test_outside);
  g_test_add_func("/outside-plugin/make", test_makefile);
  return cli_finish();
}
